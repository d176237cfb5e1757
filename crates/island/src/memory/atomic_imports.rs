//! A guest's `memory.atomic.wait32`, `wait64` and `notify` as host functions: preparation has put calls of them in place
//! of the instructions (`crate::engine::instrument`), so that guests stand in the same lists as scripts do ([`crate::memory::wait_lists`]), and
//! can be interrupted there.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use wasmtime::{Caller, Extern, Func, Instance, Memory, Ref, SharedMemory, StoreContextMut, Trap, WasmTy};

use crate::call::island::StoreState;
use crate::call::raw::SharedWord;
use crate::engine::instrument::{Operation, OperationKind, Waits};
use crate::memory::interrupt::Interrupted;
use crate::memory::wait_lists::{self, Expected, Outcome, Word};

/// The memories that an instance's waits are about, by index.
type Memories = Rc<HashMap<u32, AnyMemory>>;

enum AnyMemory {
    Shared(SharedMemory),
    Unshared(Memory),
}

/// A word's place, as an instruction names it.
struct Place {
    address: u64,
    offset: i64,
    memory: i32,
}

/// Gives a new instance the functions that stand for its waits.
///
/// # Errors
/// When Wasmtime refuses what preparation has added: a mistake of this crate.
pub(crate) fn link(
    mut store: StoreContextMut<'_, StoreState>,
    instance: Instance,
    waits: &Waits,
) -> wasmtime::Result<()> {
    let missing = || wasmtime::Error::msg("preparation left out an export");
    let mut memories = HashMap::new();
    for &index in &waits.memories {
        let memory = match instance.get_export(&mut store, &waits.memory_name(index)) {
            Some(Extern::SharedMemory(memory)) => AnyMemory::Shared(memory),
            Some(Extern::Memory(memory)) => AnyMemory::Unshared(memory),
            _ => return Err(missing()),
        };
        memories.insert(index, memory);
    }
    let memories = OnThread(Rc::new(memories));
    let table = instance.get_table(&mut store, &waits.table_name()).ok_or_else(missing)?;
    for (slot, &operation) in waits.operations.iter().enumerate() {
        let function = function(&mut store, operation, memories.clone())?;
        table.set(&mut store, slot as u64, Ref::Func(Some(function)))?;
    }
    Ok(())
}

/// What Wasmtime asks to be `Send`, of functions of a store that stays on its thread.
#[derive(Clone)]
struct OnThread(Memories);

// SAFETY: a store's functions are called, and dropped, on the thread of its island: see `StoreState`.
unsafe impl Send for OnThread {}
// SAFETY: as above.
unsafe impl Sync for OnThread {}

impl OnThread {
    fn get(&self) -> &Memories {
        &self.0
    }
}

type Guest<'a> = Caller<'a, StoreState>;

/// An address as an instruction has it.
trait Address: WasmTy + 'static {
    fn extended(self) -> u64;
}

impl Address for i32 {
    fn extended(self) -> u64 {
        u64::from(self as u32)
    }
}

impl Address for i64 {
    fn extended(self) -> u64 {
        self as u64
    }
}

fn function(
    store: &mut StoreContextMut<'_, StoreState>,
    operation: Operation,
    all: OnThread,
) -> wasmtime::Result<Func> {
    match (operation.kind, operation.wide) {
        (OperationKind::Wait32, false) => wait_function::<i32, i32>(store, Expected::I32, all),
        (OperationKind::Wait32, true) => wait_function::<i64, i32>(store, Expected::I32, all),
        (OperationKind::Wait64, false) => wait_function::<i32, i64>(store, Expected::I64, all),
        (OperationKind::Wait64, true) => wait_function::<i64, i64>(store, Expected::I64, all),
        (OperationKind::Notify, false) => notify_function::<i32>(store, all),
        (OperationKind::Notify, true) => notify_function::<i64>(store, all),
    }
}

fn wait_function<A: Address, E: WasmTy + 'static>(
    store: &mut StoreContextMut<'_, StoreState>,
    expected: fn(E) -> Expected,
    all: OnThread,
) -> wasmtime::Result<Func> {
    Func::try_wrap(store, move |caller: Guest<'_>, at: A, value: E, timeout: i64, offset: i64, memory: i32| {
        wait(&caller, all.get(), Place { address: at.extended(), offset, memory }, expected(value), timeout)
    })
}

fn notify_function<A: Address>(store: &mut StoreContextMut<'_, StoreState>, all: OnThread) -> wasmtime::Result<Func> {
    Func::try_wrap(store, move |caller: Guest<'_>, at: A, count: i32, offset: i64, memory: i32| {
        notify(&caller, all.get(), Place { address: at.extended(), offset, memory }, count)
    })
}

/// Where in its memory a place of `size` aligned bytes is; the trap of the instruction where it is none.
fn check(caller: &Guest<'_>, memories: &Memories, place: &Place, size: u64) -> Result<u64, Trap> {
    let len = match memories.get(&(place.memory as u32)) {
        Some(AnyMemory::Shared(memory)) => memory.data_size(),
        Some(AnyMemory::Unshared(memory)) => memory.data_size(caller),
        None => 0,
    };
    let at = place.address.checked_add(place.offset as u64).ok_or(Trap::MemoryOutOfBounds)?;
    if !at.is_multiple_of(size) {
        return Err(Trap::HeapMisaligned);
    }
    match at.checked_add(size) {
        Some(end) if end <= len as u64 => Ok(at),
        _ => Err(Trap::MemoryOutOfBounds),
    }
}

/// `memory.atomic.wait32` and `memory.atomic.wait64`: 0 when woken, 1 when the word was another, 2 when the time was up.
fn wait(
    caller: &Guest<'_>,
    memories: &Memories,
    place: Place,
    expected: Expected,
    timeout: i64,
) -> wasmtime::Result<i32> {
    let size = if matches!(expected, Expected::I32(_)) { 4 } else { 8 };
    let at = check(caller, memories, &place, size)?;
    let Some(AnyMemory::Shared(memory)) = memories.get(&(place.memory as u32)) else {
        return Err(Trap::AtomicWaitNonSharedMemory.into());
    };
    let timeout = u64::try_from(timeout).ok().map(Duration::from_nanos);
    match wait_lists::wait(&SharedWord::new(memory, at as usize, size as usize), expected, timeout) {
        Outcome::Ok => Ok(0),
        Outcome::NotEqual => Ok(1),
        Outcome::TimedOut => Ok(2),
        Outcome::Interrupted => Err(Interrupted.into()),
    }
}

/// `memory.atomic.notify`: how many were woken.
fn notify(caller: &Guest<'_>, memories: &Memories, place: Place, count: i32) -> wasmtime::Result<i32> {
    let at = check(caller, memories, &place, 4)?;
    Ok(match memories.get(&(place.memory as u32)) {
        Some(AnyMemory::Shared(memory)) => {
            wait_lists::notify(SharedWord::new(memory, at as usize, 4).address(), count as u32) as i32
        }
        _ => 0,
    })
}
