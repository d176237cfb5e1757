//! Waiting on shared memory and waking the waiters: the WaiterLists of the agent cluster (ECMA-262 §25.4.1), which
//! scripts' `Atomics` and guests' `memory.atomic.wait` and `notify` share. Threads meet here:
//!
//! - A list is identified by the address of its word; waiters queue in it first in, first out, blocking threads and
//!   asynchronous waits alike. The lists are divided among [`SHARDS`] by address; a shard's lock is held for a few
//!   instructions, never while a thread waits or a callback runs.
//! - A thread waits for its own ticket. Whoever takes the ticket out of the list marks it, under the lock. A thread
//!   that is interrupted or whose time is up takes itself out, or is taken out by whoever would notify it: an
//!   interrupted thread no longer counts as waiting, even if it has not had a core since.
//! - One thread looks after asynchronous waits with a timeout, as long as there are any.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::ops::Range;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use crate::memory::interrupt::Interrupter;

/// How long a thread spins on its ticket before it lets the system put it to sleep, if there are other cores that could
/// wake it: sleeping and waking across cores costs some 50 µs.
const PATIENCE: Duration = Duration::from_micros(20);

/// How a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Somebody notified it.
    Ok,
    /// The word had another value.
    NotEqual,
    /// Its time was up.
    TimedOut,
    /// The waiting thread was [interrupted](Interrupter::interrupt).
    Interrupted,
}

/// What a waiter expects to find.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "each is the type of that name")]
pub enum Expected {
    I32(i32),
    I64(i64),
}

/// An aligned word of shared bytes. It keeps the bytes alive; but a word in a guest's memory that is waited for without
/// a timeout need not: when the memory goes, the wait is forgotten.
pub trait Word: Send {
    /// Its address in the process, which identifies it.
    fn address(&self) -> usize;

    /// Whether the word has this value now, by an atomic load. Called under a lock, so it must not block.
    fn holds(&self, expected: Expected) -> bool;

    /// Whether only waiters still hold the word's bytes, so that nobody will ever notify it. Called under a lock.
    fn is_forsaken(&self) -> bool {
        false
    }
}

/// Runs once, on any thread, when an asynchronous wait has ended.
pub type Deliver = Box<dyn FnOnce(Outcome) + Send>;

/// What asynchronous waits belong to. When it is dropped, they end, and nobody is told.
#[derive(Default)]
pub struct Owner(Arc<Forgotten>);

/// The names of an owner's forgotten waits, which it has not been told about yet.
type Forgotten = Mutex<Vec<u64>>;

impl Owner {
    /// Takes the owner's waits for which `is_over` returns true out of the lists.
    fn take_where(&self, is_over: impl Fn(&dyn Word) -> bool) -> Vec<Waiter> {
        let mut taken = Vec::new();
        for shard in &SHARDS {
            lock(shard).retain(|_, list| {
                let (over, others): (Vec<_>, Vec<_>) = list.drain(..).partition(|waiter| match &waiter.wait {
                    WaitMode::Async { word, owner, .. } => Arc::ptr_eq(owner, &self.0) && is_over(&**word),
                    WaitMode::Blocking(_) => false,
                });
                *list = others.into();
                taken.extend(over);
                !list.is_empty()
            });
        }
        // The caller drops them without holding the locks: what they hold may lock other things.
        taken
    }

    /// Forgets the waits that nobody can notify any more ([`Word::is_forsaken`]) without ending them. Returns their
    /// names, and those of the waits that have gone [with their memory](forget_within).
    pub fn forget_forsaken(&self) -> Vec<u64> {
        let name = |waiter: &Waiter| if let WaitMode::Async { name, .. } = waiter.wait { Some(name) } else { None };
        let mut names = std::mem::take(&mut *self.0.lock().unwrap_or_else(|e| e.into_inner()));
        names.extend(self.take_where(|word| word.is_forsaken()).iter().filter_map(name));
        names
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        drop(self.take_where(|_| true));
    }
}

/// Forgets the asynchronous waits at these addresses, whose memory is being dropped: nobody can notify them any more.
pub(crate) fn forget_within(addresses: Range<usize>) {
    let mut forgotten = Vec::new();
    for shard in &SHARDS {
        lock(shard).retain(|address, list| {
            let stays = !addresses.contains(address);
            if !stays {
                forgotten.extend(list.drain(..));
            }
            stays
        });
    }
    for waiter in forgotten {
        if let WaitMode::Async { owner, name, .. } = waiter.wait {
            owner.lock().unwrap_or_else(|e| e.into_inner()).push(name);
        }
    }
}

/// The waiters at each address, in the order of their numbers.
type Lists = FxHashMap<usize, VecDeque<Waiter>>;

struct Shard(Mutex<Option<Lists>>);

static SHARDS: [Shard; 64] = [const { Shard(Mutex::new(None)) }; 64];

/// A shard's lists, locked. Nothing that is called under the lock panics.
fn lock(shard: &'static Shard) -> impl std::ops::DerefMut<Target = Lists> {
    struct Locked(MutexGuard<'static, Option<Lists>>);
    impl std::ops::Deref for Locked {
        type Target = Lists;
        fn deref(&self) -> &Lists {
            self.0.as_ref().expect("made when it was locked")
        }
    }
    impl std::ops::DerefMut for Locked {
        fn deref_mut(&mut self) -> &mut Lists {
            self.0.as_mut().expect("made when it was locked")
        }
    }
    let mut lists = shard.0.lock().unwrap_or_else(|e| e.into_inner());
    lists.get_or_insert_default();
    Locked(lists)
}

fn lists(address: usize) -> impl std::ops::DerefMut<Target = Lists> {
    // Words have at least 4 bytes; neighbours in a cache line are often used together.
    lock(&SHARDS[(address >> 6) % SHARDS.len()])
}

/// A number that no waiter has had. Called under the lock of the list it is for, so that numbers ascend there.
fn next_number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}

struct Waiter {
    number: u64,
    wait: WaitMode,
}

/// How a waiter waits.
enum WaitMode {
    Blocking(Arc<ParkedThread>),
    Async { deliver: Deliver, word: Box<dyn Word>, owner: Arc<Forgotten>, name: u64 },
}

/// The state of a waiting thread.
struct ParkedThread {
    /// [`WAITS`], or the reason why it was taken out of the list.
    state: AtomicU8,
    thread: Thread,
    interrupter: Interrupter,
}

const WAITS: u8 = 0;
const NOTIFIED: u8 = 1;
const INTERRUPTED: u8 = 2;

impl ParkedThread {
    /// Why it was taken out of the list, if it was.
    fn outcome(&self) -> Option<Outcome> {
        match self.state.load(Ordering::Acquire) {
            WAITS => None,
            NOTIFIED => Some(Outcome::Ok),
            _ => Some(Outcome::Interrupted),
        }
    }
}

impl Waiter {
    /// Marks the waiter as taken out of its list: under the lock, so that a thread never finds a mark from an earlier
    /// wait. Returns false if the thread has been interrupted.
    fn mark(&self) -> bool {
        let WaitMode::Blocking(ticket) = &self.wait else { return true };
        let stops = ticket.interrupter.stops();
        ticket.state.store(if stops { INTERRUPTED } else { NOTIFIED }, Ordering::Release);
        !stops
    }

    /// Ends the wait. Must not be called under the lock, which the callback may take.
    fn end(self, outcome: Outcome) {
        match self.wait {
            WaitMode::Blocking(ticket) => ticket.thread.unpark(),
            WaitMode::Async { deliver, word, .. } => {
                // The bytes stay until here, so that no other bytes get the address.
                drop(word);
                deliver(outcome);
            }
        }
    }
}

/// Takes a waiter out of its list. Returns `None` if somebody woke it.
fn remove(address: usize, number: u64) -> Option<Waiter> {
    let mut lists = lists(address);
    let list = lists.get_mut(&address)?;
    let at = list.binary_search_by_key(&number, |waiter| waiter.number).ok()?;
    let waiter = list.remove(at);
    if list.is_empty() {
        lists.remove(&address);
    }
    waiter
}

fn is_waiting(address: usize, number: u64) -> bool {
    lists(address).get(&address).is_some_and(|list| list.binary_search_by_key(&number, |waiter| waiter.number).is_ok())
}

fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    timeout.and_then(|timeout| Instant::now().checked_add(timeout))
}

/// Blocks this thread while the word has the value `expected`, until somebody notifies it, `timeout` is over, or the
/// thread is interrupted.
pub fn wait(word: &dyn Word, expected: Expected, timeout: Option<Duration>) -> Outcome {
    thread_local! {
        static TICKET: Arc<ParkedThread> = Arc::new(ParkedThread {
            state: AtomicU8::new(WAITS),
            thread: thread::current(),
            interrupter: Interrupter::current(),
        });
    }
    let ticket = TICKET.with(Arc::clone);
    if ticket.interrupter.stops() {
        return Outcome::Interrupted;
    }
    let deadline = deadline(timeout);
    ticket.state.store(WAITS, Ordering::Relaxed);
    let address = word.address();
    let number = {
        let mut lists = lists(address);
        if !word.holds(expected) {
            return Outcome::NotEqual;
        }
        let number = next_number();
        lists.entry(address).or_default().push_back(Waiter { number, wait: WaitMode::Blocking(ticket.clone()) });
        number
    };
    let outcome = block(&ticket.interrupter, deadline, Spin::new(), || ticket.outcome().is_some());
    if outcome != Outcome::Ok && remove(address, number).is_some() {
        return outcome;
    }
    // Somebody has taken it out of the list.
    ticket.outcome().unwrap_or(Outcome::Ok)
}

/// Blocks this thread for a time. Returns [`Outcome::TimedOut`] or [`Outcome::Interrupted`].
#[cfg(feature = "wasi")]
pub(crate) fn sleep(time: Duration) -> Outcome {
    block(&Interrupter::current(), deadline(Some(time)), Spin(None), || false)
}

/// Blocks this thread until `is_woken` returns true, the deadline has passed, or the thread is interrupted.
fn block(interrupter: &Interrupter, deadline: Option<Instant>, mut spin: Spin, is_woken: impl Fn() -> bool) -> Outcome {
    while !is_woken() {
        if interrupter.stops() {
            return Outcome::Interrupted;
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        match left {
            Some(Duration::ZERO) => return Outcome::TimedOut,
            _ if spin.once_more() => {}
            Some(left) => thread::park_timeout(left),
            None => thread::park(),
        }
    }
    Outcome::Ok
}

/// Waits for a short while without giving up the core.
pub struct Spin(Option<Instant>);

impl Spin {
    /// Begins now; on a single core, ends at once.
    pub fn new() -> Self {
        static CORES: OnceLock<usize> = OnceLock::new();
        let cores = *CORES.get_or_init(|| thread::available_parallelism().map_or(1, Into::into));
        Self((cores > 1).then(|| Instant::now() + PATIENCE))
    }

    /// Spins a little. Returns false when this has gone on for long enough.
    pub fn once_more(&mut self) -> bool {
        if self.0.is_none_or(|end| Instant::now() >= end) {
            self.0 = None;
            return false;
        }
        (0..16).for_each(|_| std::hint::spin_loop());
        true
    }
}

impl Default for Spin {
    fn default() -> Self {
        Self::new()
    }
}

/// Waits without blocking. Returns an outcome that is known at once, or `None` if `deliver` will be called later.
/// `name` is the owner's name for the wait.
///
/// # Errors
/// When the system has no thread left to look after timeouts.
pub fn wait_async(
    word: Box<dyn Word>,
    expected: Expected,
    timeout: Option<Duration>,
    owner: &Owner,
    name: u64,
    deliver: Deliver,
) -> std::io::Result<Option<Outcome>> {
    if timeout.is_some_and(|timeout| timeout.is_zero()) {
        return Ok(Some(if word.holds(expected) { Outcome::TimedOut } else { Outcome::NotEqual }));
    }
    let address = word.address();
    let number = {
        let mut lists = lists(address);
        if !word.holds(expected) {
            return Ok(Some(Outcome::NotEqual));
        }
        let number = next_number();
        let wait = WaitMode::Async { deliver, word, owner: owner.0.clone(), name };
        lists.entry(address).or_default().push_back(Waiter { number, wait });
        number
    };
    // Only now, because a timer looks for its waiter only once.
    if let Some(due) = deadline(timeout)
        && let Err(error) = Timeouts::add(due, address, number)
        && remove(address, number).is_some()
    {
        return Err(error);
    }
    Ok(None)
}

/// Wakes at most `count` of the waiters at the address, longest waiting first. Returns how many it woke.
pub fn notify(address: usize, count: u32) -> u32 {
    let mut lists = lists(address);
    let Some(list) = lists.get_mut(&address) else { return 0 };
    let (mut woken, mut number) = (Vec::new(), 0);
    while number < count
        && let Some(waiter) = list.pop_front()
    {
        number += u32::from(waiter.mark());
        woken.push(waiter);
    }
    if list.is_empty() {
        lists.remove(&address);
    }
    drop(lists);
    woken.into_iter().for_each(|waiter| waiter.end(Outcome::Ok));
    number
}

/// When asynchronous waits time out.
struct Timeouts {
    due: BinaryHeap<Reverse<(Instant, usize, u64)>>,
    /// From this number on, it is worth removing timers whose waits have ended.
    crowded: usize,
    is_running: bool,
}

static TIMERS: Mutex<Timeouts> =
    Mutex::new(Timeouts { due: BinaryHeap::new(), crowded: Timeouts::FEW, is_running: false });

/// A timer was added that may be due before all others.
static EARLIER: Condvar = Condvar::new();

impl Timeouts {
    const FEW: usize = 1024;

    /// How long the thread stays when there is nothing to do.
    const LINGER: Duration = Duration::from_secs(1);

    fn lock() -> MutexGuard<'static, Self> {
        TIMERS.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Lets the wait with this number time out at `due`, if it has not ended by then.
    fn add(due: Instant, address: usize, number: u64) -> std::io::Result<()> {
        let mut timers = Self::lock();
        if timers.due.len() >= timers.crowded {
            // Removes timers whose waits have ended.
            timers.due.retain(|&Reverse((_, address, number))| is_waiting(address, number));
            timers.crowded = (timers.due.len() * 2).max(Self::FEW);
        }
        if !timers.is_running {
            // The new thread first waits for the lock.
            thread::Builder::new().name("waitAsync".into()).stack_size(128 << 10).spawn(Self::run)?;
            timers.is_running = true;
        }
        timers.due.push(Reverse((due, address, number)));
        EARLIER.notify_one();
        Ok(())
    }

    /// Ends waits whose time is up, until there have been none for a while.
    fn run() {
        let mut timers = Self::lock();
        loop {
            let next = timers.due.peek().map(|&Reverse((due, ..))| due.saturating_duration_since(Instant::now()));
            match next {
                Some(Duration::ZERO) => {
                    let Some(Reverse((_, address, number))) = timers.due.pop() else { continue };
                    drop(timers);
                    if let Some(late) = remove(address, number) {
                        late.end(Outcome::TimedOut);
                    }
                    timers = Self::lock();
                }
                next => {
                    let waited = EARLIER.wait_timeout(timers, next.unwrap_or(Self::LINGER));
                    let (guard, result) = waited.unwrap_or_else(|e| e.into_inner());
                    timers = guard;
                    if next.is_none() && result.timed_out() && timers.due.is_empty() {
                        timers.is_running = false;
                        return;
                    }
                }
            }
        }
    }
}
