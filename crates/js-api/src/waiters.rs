//! Waiting on shared memory and waking who waits, below JavaScript. Threads meet here:
//!
//! - The bytes of a shared WebAssembly memory have Wasmtime's own queue, where guests wait as well. Whoever waits
//!   blocking, in JavaScript or a guest, stands in it himself: first in, first out, and counted exactly. For an
//!   asynchronous wait a thread of its own stands there. Wasmtime does not tell when it has got there; so [`notify`]
//!   goes on until every asynchronous waiter that came before has been reached, and none is missed. A guest's
//!   `memory.atomic.notify` cannot know of one that is on its way: [`wait_async`] gives it [`GRACE`] before it returns,
//!   and where that is not enough, a guest that also changes the value wakes it all the same, one that does not may miss
//!   it. (Certainty needs guests whose waits are host calls.)
//! - All other shared bytes have a queue in this file, process-wide and by address. It is exact.
//!
//! No lock is held while a thread waits, nor while a waiter's callback runs.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use island::wasmtime::{SharedMemory, WaitResult};
use qjs::shared::Hold;

/// How long an asynchronous waiter's thread has to get into Wasmtime's queue once it is about to.
const GRACE: Duration = Duration::from_micros(100);

/// How a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    Ok,
    NotEqual,
    TimedOut,
}

impl Outcome {
    /// As scripts see it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NotEqual => "not-equal",
            Self::TimedOut => "timed-out",
        }
    }
}

impl From<WaitResult> for Outcome {
    fn from(result: WaitResult) -> Self {
        match result {
            WaitResult::Ok => Self::Ok,
            WaitResult::Mismatch => Self::NotEqual,
            WaitResult::TimedOut => Self::TimedOut,
        }
    }
}

/// What a waiter expects to find.
#[derive(Clone, Copy)]
pub(crate) enum Expected {
    I32(i32),
    I64(i64),
}

/// Where somebody waits: an aligned word of shared bytes.
pub(crate) enum Place {
    /// At an offset in a memory.
    Memory(SharedMemory, u64),
    /// In other bytes, which are held.
    Bytes(Hold, usize),
}

impl Place {
    /// The word's address: where two places are one.
    pub(crate) fn address(&self) -> usize {
        match self {
            Self::Memory(memory, offset) => memory.data().as_ptr().addr() + *offset as usize,
            Self::Bytes(hold, offset) => hold.base().as_ptr().addr() + offset,
        }
    }

    fn is_equal(&self, expected: Expected) -> bool {
        match (self, expected) {
            (Self::Memory(..), _) => {
                // Wasmtime compares, and nobody wakes who does not stay.
                self.wait_in_memory(expected, Some(Duration::ZERO)) != Outcome::NotEqual
            }
            (Self::Bytes(hold, offset), Expected::I32(expected)) => hold.load_i32(*offset) == expected,
            (Self::Bytes(hold, offset), Expected::I64(expected)) => hold.load_i64(*offset) == expected,
        }
    }

    fn wait_in_memory(&self, expected: Expected, timeout: Option<Duration>) -> Outcome {
        let Self::Memory(memory, offset) = self else { return Outcome::NotEqual };
        let result = match expected {
            Expected::I32(value) => memory.atomic_wait32(*offset, value as u32, timeout),
            Expected::I64(value) => memory.atomic_wait64(*offset, value as u64, timeout),
        };
        // The place lies in the memory and is aligned: there is no trap.
        result.map_or(Outcome::NotEqual, Outcome::from)
    }
}

/// Runs once, on any thread, when an asynchronous wait has ended.
pub(crate) type Deliver = Box<dyn FnOnce(Outcome) + Send>;

/// The queues, by address.
static QUEUES: Mutex<Option<Queues>> = Mutex::new(None);

#[derive(Default)]
struct Queues {
    last: u64,
    /// Who waits on bytes that are no memory's.
    waiting: HashMap<usize, VecDeque<Waiter>>,
    /// Asynchronous waiters on memories whose thread has not come back from Wasmtime's queue.
    away: HashMap<usize, Vec<u64>>,
}

struct Waiter {
    number: u64,
    /// Wakes the thread that waits, or the one that looks after the time of an asynchronous wait.
    wake: Arc<Condvar>,
    deliver: Option<Deliver>,
}

/// The queues, locked. Nothing that is called under the lock panics.
struct Locked(MutexGuard<'static, Option<Queues>>);

impl Locked {
    fn new() -> Self {
        Self(QUEUES.lock().unwrap_or_else(|e| e.into_inner()))
    }

    fn queues(&mut self) -> &mut Queues {
        self.0.get_or_insert_default()
    }

    fn next_number(&mut self) -> u64 {
        let queues = self.queues();
        queues.last += 1;
        queues.last
    }

    /// Takes a waiter out of its queue; none where somebody woke it.
    fn remove(&mut self, address: usize, number: u64) -> Option<Waiter> {
        let queue = self.queues().waiting.get_mut(&address)?;
        let at = queue.iter().position(|waiter| waiter.number == number)?;
        let waiter = queue.remove(at);
        if queue.is_empty() {
            self.queues().waiting.remove(&address);
        }
        waiter
    }

    fn is_waiting(&mut self, address: usize, number: u64) -> bool {
        self.queues().waiting.get(&address).is_some_and(|queue| queue.iter().any(|waiter| waiter.number == number))
    }

    /// Blocks until the waiter has been woken, or its time is up: then it is taken out and returned.
    fn block(mut self, address: usize, number: u64, wake: &Condvar, deadline: Option<Instant>) -> Option<Waiter> {
        while self.is_waiting(address, number) {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            self.0 = match left {
                Some(Duration::ZERO) => return self.remove(address, number),
                Some(left) => {
                    wake.wait_timeout(self.0, left).map(|(guard, _)| guard).unwrap_or_else(|e| e.into_inner().0)
                }
                None => wake.wait(self.0).unwrap_or_else(|e| e.into_inner()),
            };
        }
        None
    }
}

fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    timeout.and_then(|timeout| Instant::now().checked_add(timeout))
}

/// Blocks this thread while the word is `expected`, until somebody notifies it or `timeout` is over.
pub(crate) fn wait(place: &Place, expected: Expected, timeout: Option<Duration>) -> Outcome {
    if matches!(place, Place::Memory(..)) {
        return place.wait_in_memory(expected, timeout);
    }
    let deadline = deadline(timeout);
    let mut locked = Locked::new();
    if !place.is_equal(expected) {
        return Outcome::NotEqual;
    }
    let (address, number, wake) = (place.address(), locked.next_number(), Arc::new(Condvar::new()));
    let waiter = Waiter { number, wake: wake.clone(), deliver: None };
    locked.queues().waiting.entry(address).or_default().push_back(waiter);
    if locked.block(address, number, &wake, deadline).is_some() { Outcome::TimedOut } else { Outcome::Ok }
}

/// Waits without blocking: an outcome that is there at once, or none, and `deliver` is called with it later.
///
/// # Errors
/// When the system has no thread for it.
pub(crate) fn wait_async(
    place: Place,
    expected: Expected,
    timeout: Option<Duration>,
    deliver: Deliver,
) -> std::io::Result<Option<Outcome>> {
    let deadline = deadline(timeout);
    let address = place.address();
    let mut locked = Locked::new();
    if !place.is_equal(expected) {
        return Ok(Some(Outcome::NotEqual));
    }
    if timeout.is_some_and(|timeout| timeout.is_zero()) {
        return Ok(Some(Outcome::TimedOut));
    }
    let number = locked.next_number();
    if matches!(place, Place::Bytes(..)) {
        let wake = Arc::new(Condvar::new());
        let guard = wake.clone();
        // The bytes stay for as long as anybody waits there, so that no others get the address.
        let deliver: Deliver = Box::new(move |outcome| {
            drop(place);
            deliver(outcome);
        });
        if timeout.is_some() {
            // It waits for the lock first.
            helper().spawn(move || {
                let late = Locked::new().block(address, number, &guard, deadline);
                if let Some(deliver) = late.and_then(|waiter| waiter.deliver) {
                    deliver(Outcome::TimedOut);
                }
            })?;
        }
        let waiter = Waiter { number, wake, deliver: Some(deliver) };
        locked.queues().waiting.entry(address).or_default().push_back(waiter);
        return Ok(None);
    }
    locked.queues().away.entry(address).or_default().push(number);
    drop(locked);
    let (ready, is_ready) = mpsc::channel();
    let spawned = helper().spawn(move || {
        let _ = ready.send(());
        let timeout = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let outcome = match place.wait_in_memory(expected, timeout) {
            // It was equal when the wait began: who changed it has something to say.
            Outcome::NotEqual => Outcome::Ok,
            outcome => outcome,
        };
        come_back(address, number);
        deliver(outcome);
    });
    if let Err(error) = spawned {
        come_back(address, number);
        return Err(error);
    }
    if is_ready.recv().is_ok() {
        thread::sleep(GRACE);
    }
    Ok(None)
}

/// A thread that does nothing but wait.
fn helper() -> thread::Builder {
    thread::Builder::new().name("waitAsync".into()).stack_size(128 << 10)
}

/// Notes that an asynchronous waiter's thread stands in Wasmtime's queue no more.
fn come_back(address: usize, number: u64) {
    let mut locked = Locked::new();
    if let Some(away) = locked.queues().away.get_mut(&address) {
        away.retain(|other| *other != number);
        if away.is_empty() {
            locked.queues().away.remove(&address);
        }
    }
}

/// Wakes at most `count` of those who wait at the place, who came first; says how many.
pub(crate) fn notify(place: &Place, count: u32) -> u32 {
    let address = place.address();
    match place {
        Place::Memory(memory, offset) => {
            let last = Locked::new().queues().last;
            let mut woken = 0;
            loop {
                woken += memory.atomic_notify(*offset, count - woken).unwrap_or(0);
                // Those who were here before this call and are on their way into the queue, or out of it.
                let mut locked = Locked::new();
                let away = locked.queues().away.get(&address);
                if woken == count || !away.is_some_and(|away| away.iter().any(|number| *number <= last)) {
                    return woken;
                }
                drop(locked);
                thread::yield_now();
            }
        }
        Place::Bytes(..) => {
            let mut locked = Locked::new();
            let queue = locked.queues().waiting.entry(address).or_default();
            let woken: Vec<_> = queue.drain(..queue.len().min(count as usize)).collect();
            if queue.is_empty() {
                locked.queues().waiting.remove(&address);
            }
            for waiter in &woken {
                waiter.wake.notify_one();
            }
            drop(locked);
            let number = woken.len() as u32;
            woken.into_iter().filter_map(|waiter| waiter.deliver).for_each(|deliver| deliver(Outcome::Ok));
            number
        }
    }
}
