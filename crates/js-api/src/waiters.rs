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

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use island::wasmtime::{SharedMemory, WaitResult};
use qjs::shared::Hold;

/// How long an asynchronous waiter's thread has to get into Wasmtime's queue once it is about to.
const GRACE: Duration = Duration::from_micros(100);

/// The most asynchronous waits on memories that a process can have at once, since each takes a thread.
const MOST_THREADS: usize = 1000;

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

/// The runtime that asynchronous waits belong to. With its last handle they end: nobody hears of them any more.
#[derive(Default)]
pub(crate) struct Owner(Arc<AtomicBool>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
        let mut locked = Locked::new();
        let mut gone = Vec::new();
        locked.queues().waiting.retain(|_, queue| {
            let (its, others): (Vec<_>, Vec<_>) = queue.drain(..).partition(|waiter| waiter.is_of(self));
            *queue = others.into();
            gone.extend(its);
            !queue.is_empty()
        });
        // What they hold may lock other things.
        drop(locked);
        drop(gone);
    }
}

/// The queues, by address.
static QUEUES: Mutex<Option<Queues>> = Mutex::new(None);

#[derive(Default)]
struct Queues {
    last: u64,
    /// Who waits on bytes that are no memory's.
    waiting: HashMap<usize, VecDeque<Waiter>>,
    /// When asynchronous waits on other bytes have waited long enough. One thread looks after them all, while there are any.
    timers: BinaryHeap<Reverse<(Instant, usize, u64)>>,
    has_timer: bool,
    /// Asynchronous waiters on memories whose thread has not come back from Wasmtime's queue.
    away: HashMap<usize, Vec<u64>>,
}

struct Waiter {
    number: u64,
    kind: Kind,
}

enum Kind {
    /// A thread, to be woken.
    Blocking(Arc<Condvar>),
    Async(Deliver, Arc<AtomicBool>),
}

impl Waiter {
    fn is_of(&self, owner: &Owner) -> bool {
        matches!(&self.kind, Kind::Async(_, gone) if Arc::ptr_eq(gone, &owner.0))
    }

    /// Ends the wait. Not under the lock, which what is called may take.
    fn end(self, outcome: Outcome) {
        match self.kind {
            Kind::Blocking(wake) => wake.notify_one(),
            Kind::Async(deliver, _) => deliver(outcome),
        }
    }
}

/// Wakes the thread that looks after the timers: one has come that is due before all others.
static TIMER: Condvar = Condvar::new();

/// Ends waits whose time is up, until there are none any more.
fn look_after_timers() {
    let mut locked = Locked::new();
    loop {
        let Some(&Reverse((due, address, number))) = locked.queues().timers.peek() else {
            locked.queues().has_timer = false;
            return;
        };
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            locked.queues().timers.pop();
            if let Some(late) = locked.remove(address, number) {
                drop(locked);
                late.end(Outcome::TimedOut);
                locked = Locked::new();
            }
        } else {
            let waited = TIMER.wait_timeout(locked.0, left);
            locked.0 = waited.map(|(guard, _)| guard).unwrap_or_else(|e| e.into_inner().0);
        }
    }
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
    let waiter = Waiter { number, kind: Kind::Blocking(wake.clone()) };
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
    owner: &Owner,
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
    let gone = owner.0.clone();
    if matches!(place, Place::Bytes(..)) {
        // The bytes stay for as long as anybody waits there, so that no others get the address.
        let deliver: Deliver = Box::new(move |outcome| {
            drop(place);
            deliver(outcome);
        });
        if let Some(due) = deadline {
            let queues = locked.queues();
            if !queues.has_timer {
                // It waits for the lock first.
                helper().spawn(look_after_timers)?;
                queues.has_timer = true;
            }
            queues.timers.push(Reverse((due, address, number)));
            TIMER.notify_one();
        }
        let waiter = Waiter { number, kind: Kind::Async(deliver, gone) };
        locked.queues().waiting.entry(address).or_default().push_back(waiter);
        return Ok(None);
    }
    if locked.queues().away.values().map(Vec::len).sum::<usize>() >= MOST_THREADS {
        return Err(std::io::Error::other(format!(
            "{MOST_THREADS} asynchronous waits on memories are waiting already"
        )));
    }
    locked.queues().away.entry(address).or_default().push(number);
    drop(locked);
    let (ready, is_ready) = mpsc::channel();
    let spawned = helper().spawn(move || {
        let _ = ready.send(());
        let timeout = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let outcome = match place.wait_in_memory(expected, timeout) {
            // Nobody hears of it: whoever comes next is meant.
            Outcome::Ok if gone.load(Ordering::SeqCst) => {
                come_back(address, number);
                notify(&place, 1);
                return;
            }
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
            drop(locked);
            let number = woken.len() as u32;
            woken.into_iter().for_each(|waiter| waiter.end(Outcome::Ok));
            number
        }
    }
}
