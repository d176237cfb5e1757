//! A guest's `memory.atomic.wait32`, `wait64` and `notify` as host functions: instrumentation has replaced the
//! instructions by calls (`crate::engine::instrument`), so that guests wait in the same lists as scripts
//! ([`crate::memory::wait_lists`]) and can be interrupted there. Other calls that it adds come here too.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wasmtime::{AsContext, Caller, Extern, Func, Instance, Memory, Ref, SharedMemory, StoreContextMut, Trap, WasmTy};

use crate::memory::host_memory;
use crate::memory::interrupt::{Interrupted, Interrupter};
use crate::memory::shared_memory::SharedWord;
use crate::memory::wait_lists::{self, Expected, Outcome, Word};

/// What replaces the instructions in a module, exported under reserved names.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AtomicImports {
    /// The prefix of all reserved names, and of no other export's name.
    pub(crate) prefix: String,
    /// The functions that the host puts in the table, by slot.
    pub(crate) functions: Vec<AtomicImport>,
    /// The indices of the memories that the calls name, in ascending order.
    pub(crate) memories: Vec<u32>,
    /// Whether there is a start function, which the host runs once it has filled the table: the start section has been
    /// removed.
    pub(crate) start: bool,
}

impl AtomicImports {
    /// The name of the table that the calls go through.
    pub(crate) fn table_name(&self) -> String {
        format!("{}waits", self.prefix)
    }

    /// The name of the memory at `index`.
    pub(crate) fn memory_name(&self, index: u32) -> String {
        format!("{}memory{index}", self.prefix)
    }

    /// The name of the start function.
    pub(crate) fn start_name(&self) -> String {
        format!("{}start", self.prefix)
    }
}

/// A function that replaces an instruction. They are ordered as their slots are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub(crate) struct AtomicImport {
    pub(crate) instruction: Instruction,
    /// Whether the memory has 64-bit addresses.
    pub(crate) wide: bool,
}

/// The instruction that a function replaces.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub(crate) enum Instruction {
    /// `memory.atomic.wait32`
    Wait32,
    /// `memory.atomic.wait64`
    Wait64,
    /// `memory.atomic.notify`
    Notify,
    /// None: is called before `memory.grow`, and returns the number of pages.
    Grow,
    /// None: is called where there would be a poll load.
    Poll,
}

/// The memories that an instance's atomic instructions name, by index.
type Memories = Arc<HashMap<u32, AnyMemory>>;

enum AnyMemory {
    Shared(SharedMemory),
    Unshared(Memory),
}

/// A word, as an instruction specifies it.
struct WordAt {
    address: u64,
    offset: i64,
    memory: i32,
}

/// Gives a new instance the functions that replace its atomic instructions.
///
/// # Errors
/// When Wasmtime refuses what instrumentation has added, which is a mistake in this crate.
pub(crate) fn link<S: 'static>(
    mut store: StoreContextMut<'_, S>,
    instance: Instance,
    imports: &AtomicImports,
) -> wasmtime::Result<()> {
    let missing = || wasmtime::Error::msg("instrumentation left out an export");
    let mut memories = HashMap::new();
    for &index in &imports.memories {
        let memory = match instance.get_export(&mut store, &imports.memory_name(index)) {
            Some(Extern::SharedMemory(memory)) => AnyMemory::Shared(memory),
            Some(Extern::Memory(memory)) => AnyMemory::Unshared(memory),
            _ => return Err(missing()),
        };
        memories.insert(index, memory);
    }
    let memories = Arc::new(memories);
    let table = instance.get_table(&mut store, &imports.table_name()).ok_or_else(missing)?;
    for (slot, &import) in imports.functions.iter().enumerate() {
        let function = function(&mut store, import, memories.clone())?;
        table.set(&mut store, slot as u64, Ref::Func(Some(function)))?;
    }
    Ok(())
}

/// An address as an instruction passes it.
trait AddressType: WasmTy + 'static {
    fn extended(self) -> u64;
}

impl AddressType for i32 {
    fn extended(self) -> u64 {
        u64::from(self as u32)
    }
}

impl AddressType for i64 {
    fn extended(self) -> u64 {
        self as u64
    }
}

fn function<S: 'static>(
    store: &mut StoreContextMut<'_, S>,
    import: AtomicImport,
    all: Memories,
) -> wasmtime::Result<Func> {
    match (import.instruction, import.wide) {
        (Instruction::Wait32, false) => wait_function::<S, i32, i32>(store, Expected::I32, all),
        (Instruction::Wait32, true) => wait_function::<S, i64, i32>(store, Expected::I32, all),
        (Instruction::Wait64, false) => wait_function::<S, i32, i64>(store, Expected::I64, all),
        (Instruction::Wait64, true) => wait_function::<S, i64, i64>(store, Expected::I64, all),
        (Instruction::Notify, false) => notify_function::<S, i32>(store, all),
        (Instruction::Notify, true) => notify_function::<S, i64>(store, all),
        (Instruction::Grow, false) => grow_function::<S, i32>(store, all),
        (Instruction::Grow, true) => grow_function::<S, i64>(store, all),
        (Instruction::Poll, _) => Func::try_wrap(store, || match Interrupter::current().stops() {
            true => Err(wasmtime::Error::from(Interrupted)),
            false => Ok(()),
        }),
    }
}

fn grow_function<S: 'static, A: AddressType + Copy>(
    store: &mut StoreContextMut<'_, S>,
    all: Memories,
) -> wasmtime::Result<Func> {
    Func::try_wrap(store, move |caller: Caller<'_, S>, pages: A, memory: i32| -> A {
        if pages.extended() == 0
            && let Some(AnyMemory::Unshared(memory)) = all.get(&(memory as u32))
        {
            host_memory::note_growth(memory.data_ptr(&caller).addr());
        }
        pages
    })
}

fn wait_function<S: 'static, A: AddressType, E: WasmTy + 'static>(
    store: &mut StoreContextMut<'_, S>,
    expected: fn(E) -> Expected,
    all: Memories,
) -> wasmtime::Result<Func> {
    Func::try_wrap(store, move |caller: Caller<'_, S>, at: A, value: E, timeout: i64, offset: i64, memory: i32| {
        wait(&caller, &all, WordAt { address: at.extended(), offset, memory }, expected(value), timeout)
    })
}

fn notify_function<S: 'static, A: AddressType>(
    store: &mut StoreContextMut<'_, S>,
    all: Memories,
) -> wasmtime::Result<Func> {
    Func::try_wrap(store, move |caller: Caller<'_, S>, at: A, count: i32, offset: i64, memory: i32| {
        notify(&caller, &all, WordAt { address: at.extended(), offset, memory }, count)
    })
}

/// The offset of a word of `size` bytes in its memory, or the instruction's trap if there is no such word.
fn check(caller: impl AsContext, memories: &Memories, word: &WordAt, size: u64) -> Result<u64, Trap> {
    let len = match memories.get(&(word.memory as u32)) {
        Some(AnyMemory::Shared(memory)) => memory.data_size(),
        Some(AnyMemory::Unshared(memory)) => memory.data_size(caller),
        None => 0,
    };
    let at = word.address.checked_add(word.offset as u64).ok_or(Trap::MemoryOutOfBounds)?;
    if !at.is_multiple_of(size) {
        return Err(Trap::HeapMisaligned);
    }
    match at.checked_add(size) {
        Some(end) if end <= len as u64 => Ok(at),
        _ => Err(Trap::MemoryOutOfBounds),
    }
}

/// `memory.atomic.wait32` and `memory.atomic.wait64`: 0 if woken, 1 if the word had another value, 2 if the time was
/// up.
fn wait(
    caller: impl AsContext,
    memories: &Memories,
    word: WordAt,
    expected: Expected,
    timeout: i64,
) -> wasmtime::Result<i32> {
    let size = if matches!(expected, Expected::I32(_)) { 4 } else { 8 };
    let at = check(caller, memories, &word, size)?;
    let Some(AnyMemory::Shared(memory)) = memories.get(&(word.memory as u32)) else {
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

/// `memory.atomic.notify`: returns how many waiters were woken.
fn notify(caller: impl AsContext, memories: &Memories, word: WordAt, count: i32) -> wasmtime::Result<i32> {
    let at = check(caller, memories, &word, 4)?;
    Ok(match memories.get(&(word.memory as u32)) {
        Some(AnyMemory::Shared(memory)) => {
            wait_lists::notify(SharedWord::new(memory, at as usize, 4).address(), count as u32) as i32
        }
        _ => 0,
    })
}
