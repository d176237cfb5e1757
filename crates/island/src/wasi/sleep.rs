//! `poll_oneoff` for a guest that only sleeps, as C's `sleep` and `nanosleep` and Rust's `thread::sleep` do. Wasmtime
//! would sleep through an interruption ([`Interrupter`](crate::Interrupter)). Every other use of `poll_oneoff` is
//! passed on to Wasmtime.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use wasmtime::{AsContext, AsContextMut, Caller, Extern, Func, TypedFunc};

use crate::call::island::StoreState;
use crate::engine::Engine;
use crate::memory::interrupt::Interrupted;
use crate::memory::shared_memory;
use crate::memory::wait_lists::{self, Outcome};
use crate::wasi::adapter::adapt;
use crate::wasi::config::WasiError;

/// The size of a `subscription` in bytes.
const SUBSCRIPTION: usize = 48;
/// The size of an `event` in bytes.
const EVENT: usize = 32;
/// The offset in an `event` of the number of bytes, which Wasmtime sets to one for a clock.
const EVENT_BYTES: usize = 16;

type Poll = TypedFunc<(i32, i32, i32, i32), i32>;

/// Wasmtime's function for each caller's memory. It uses the memory that its caller exports, and a host function
/// exports none, so there is an instance in between.
type Callers = Arc<Mutex<Vec<(Extern, Func)>>>;

/// A `poll_oneoff` whose sleeps can be interrupted; `poll` is Wasmtime's.
///
/// # Errors
/// When memory runs out.
pub(crate) fn poll_oneoff(
    mut store: impl AsContextMut<Data = StoreState>,
    engine: Engine,
    poll: Func,
) -> wasmtime::Result<Func> {
    let callers = Callers::default();
    Func::try_wrap(
        &mut store,
        move |mut caller: Caller<'_, StoreState>, subscriptions: i32, events: i32, count: i32, stored: i32| {
            let memory = caller.get_export("memory");
            let sleep = memory
                .as_ref()
                .filter(|_| count == 1)
                .and_then(|memory| Sleep::read(&caller, memory, subscriptions as u32, events as u32, stored as u32));
            if let (Some(memory), Some(sleep)) = (&memory, sleep) {
                if wait_lists::sleep(sleep.time) == Outcome::Interrupted {
                    return Err(Interrupted.into());
                }
                sleep.report(&mut caller, memory);
                return Ok(0);
            }
            let poll: Poll = match memory.filter(|memory| start(&caller, memory).is_some()) {
                Some(memory) => adapted(&mut caller, &engine, &callers, poll, memory)?.typed(&caller)?,
                // Wasmtime reports what is missing.
                None => poll.typed(&caller)?,
            };
            poll.call(&mut caller, (subscriptions, events, count, stored))
        },
    )
}

fn adapted(
    caller: &mut Caller<'_, StoreState>,
    engine: &Engine,
    callers: &Callers,
    poll: Func,
    memory: Extern,
) -> Result<Func, WasiError> {
    let lock = || callers.lock().unwrap_or_else(|e| e.into_inner());
    // Memories live as long as their store: two that begin at the same address are the same.
    let at = start(&*caller, &memory);
    if let Some((_, poll)) = lock().iter().find(|(known, _)| start(&*caller, known) == at) {
        return Ok(*poll);
    }
    let poll = adapt(&mut *caller, engine, memory.clone(), poll)?;
    lock().push((memory, poll));
    Ok(poll)
}

fn start(store: impl AsContext<Data = StoreState>, memory: &Extern) -> Option<usize> {
    match memory {
        Extern::Memory(memory) => Some(memory.data_ptr(&store).addr()),
        Extern::SharedMemory(memory) => Some(memory.data().as_ptr().addr()),
        _ => None,
    }
}

/// A `poll_oneoff` of one clock, with a relative timeout.
struct Sleep {
    time: Duration,
    userdata: [u8; 8],
    event: usize,
    stored: usize,
}

impl Sleep {
    /// Reads the sleep that is asked for. Returns `None` if it is something else, or any part of it is outside of the
    /// memory.
    fn read(
        caller: &Caller<'_, StoreState>,
        memory: &Extern,
        subscription: u32,
        event: u32,
        stored: u32,
    ) -> Option<Self> {
        let mut bytes = [0; SUBSCRIPTION];
        let (event, stored) = (event as usize, stored as usize);
        let len = match memory {
            Extern::Memory(memory) => {
                let data = memory.data(caller);
                bytes.copy_from_slice(data.get(subscription as usize..)?.get(..SUBSCRIPTION)?);
                data.len()
            }
            Extern::SharedMemory(memory) => {
                shared_memory::read(memory, subscription as usize, &mut bytes)?;
                memory.data_size()
            }
            _ => return None,
        };
        let is_inside = |at: usize, size: usize| at.is_multiple_of(size.min(8)) && len >= size && at <= len - size;
        let field = |at: usize| -> [u8; 8] { std::array::from_fn(|index| bytes[at + index]) };
        let (is_clock, is_absolute) = (bytes[8] == 0, bytes[40] & 1 != 0);
        // Wasmtime does not have the clocks of processors and threads, and reports that.
        let is_known = matches!(bytes[16..20], [0 | 1, 0, 0, 0]);
        let is_aligned = subscription.is_multiple_of(8);
        (is_clock && is_known && !is_absolute && is_aligned && is_inside(event, EVENT) && is_inside(stored, 4)).then(
            || Self { time: Duration::from_nanos(u64::from_le_bytes(field(24))), userdata: field(0), event, stored },
        )
    }

    /// Writes the event of the clock, and that there is one event.
    fn report(&self, caller: &mut Caller<'_, StoreState>, memory: &Extern) {
        let mut event = [0; EVENT];
        event[..8].copy_from_slice(&self.userdata);
        event[EVENT_BYTES] = 1;
        let parts = [(self.event, &event[..]), (self.stored, &1u32.to_le_bytes()[..])];
        for (at, bytes) in parts {
            match memory {
                Extern::Memory(memory) => memory.data_mut(&mut *caller)[at..][..bytes.len()].copy_from_slice(bytes),
                Extern::SharedMemory(memory) => shared_memory::write(memory, at, bytes),
                _ => unreachable!("it was read from a memory"),
            }
        }
    }
}
