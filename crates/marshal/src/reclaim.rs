//! The reclaim queue: where blocks whose last handle is gone wait for the next safe point.
//!
//! Who owns what on which thread: a [`Heap`](crate::Heap) stays on its island's thread; it alone calls into a guest. A
//! [`GuestBlock`](crate::GuestBlock) may live and be dropped on any thread. They meet in a [`Reclaim`], which both hold
//! by `Arc` and which holds the mapping, never an island. Its lock is held for a few instructions, and never while
//! anything is called.
//!
//! There is one [`Reclaim`] for each allocator that works in a memory. Heaps that are made for the same allocator, in
//! one agent or, if the memory is shared, in several, find each other through a registry: any of them frees what the
//! others' handles gave up.

use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, Weak};

use data_block::DataBlock;
use island::FunctionKey;
use rustc_hash::FxHashMap;

use crate::error::HeapError;
use crate::loan;
use crate::report::Tally;
use crate::trace;

/// What tells two allocators in one memory apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Key {
    /// In an unshared memory: the function that frees.
    Function(FunctionKey),
    /// In a shared memory, where each agent has an instance of its own: the index of `free` in its module.
    Index(Option<u32>),
    /// An allocator of the host's own, by its address.
    Host(usize),
}

/// A memory's base, and the allocator that frees in it.
type At = (usize, Key);

/// The queues that exist, by the base of their memory. An entry goes with its queue.
#[derive(Default)]
struct Registry(FxHashMap<usize, FxHashMap<Key, Weak<Reclaim>>>);

impl Registry {
    fn get(&self, (base, key): At) -> Option<Arc<Reclaim>> {
        self.0.get(&base)?.get(&key)?.upgrade()
    }

    fn insert(&mut self, (base, key): At, reclaim: Weak<Reclaim>) {
        self.0.entry(base).or_default().insert(key, reclaim);
    }

    fn remove(&mut self, (base, key): At) {
        if let Some(keys) = self.0.get_mut(&base) {
            keys.remove(&key);
            if keys.is_empty() {
                self.0.remove(&base);
            }
        }
    }
}

static REGISTRY: LazyLock<Mutex<Registry>> = LazyLock::new(Mutex::default);

#[derive(Debug)]
pub(crate) struct Reclaim {
    data: Arc<DataBlock>,
    at: At,
    shared: bool,
    /// The length of `State::waiting`: shows without the lock that there is nothing to do.
    waiting: AtomicUsize,
    /// `State::bytes`, to be read without the lock.
    bytes: AtomicU64,
    /// The marks of all owned blocks, and of some that are gone: shows without the lock that a block is not owned.
    marks: AtomicU64,
    state: Mutex<State>,
}

/// How many blocks are owned one after the other before the marks of those that are gone are wiped off, and how many
/// may be left: more have nearly all marks.
const WIPE: (u64, usize) = (256, 64);

/// The mark of a block: one bit.
#[inline]
fn mark_of(address: u64) -> u64 {
    // The highest bits of a product mix all bits.
    1 << (address.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58)
}

#[derive(Debug, Default)]
struct State {
    /// Blocks without a handle, by address and generation. A pinned block is taken out when it is met here, and comes
    /// back when the last pin ends. A block that was given to the guest meanwhile is passed over.
    waiting: Vec<(u64, u64)>,
    /// Each block by its address, from when the host took it over until just before it is freed.
    owned: FxHashMap<u64, Owned>,
    /// How many blocks there ever were.
    generations: u64,
    /// The lengths of all owned blocks together.
    bytes: u64,
    tally: Tally,
}

#[derive(Debug)]
struct Owned {
    bytes: u64,
    /// The block's alignment, as its allocator knows it.
    align: u32,
    /// Tells this block from the earlier ones at the same address.
    generation: u64,
    /// How many calls in progress were given the block's address. It is not freed under them.
    pins: u32,
    /// Whether it is left out of the queue until no call has it any more.
    is_put_off: bool,
}

impl State {
    #[inline]
    fn disown(&mut self, address: u64) -> Option<Owned> {
        let owned = self.owned.remove(&address)?;
        self.count_out(&owned);
        Some(owned)
    }

    /// The marks of all owned blocks.
    fn marks(&self) -> u64 {
        self.owned.keys().fold(0, |marks, &address| marks | mark_of(address))
    }

    #[inline]
    fn count_out(&mut self, owned: &Owned) {
        self.bytes -= owned.bytes;
        self.tally.count_freed(owned.bytes);
    }
}

impl Reclaim {
    /// The queue for this allocator: the one that is there, or a new one.
    pub(crate) fn of(data: Arc<DataBlock>, key: Key, shared: bool) -> Arc<Self> {
        let at = (data.base().as_ptr().addr(), key);
        let mut registry = REGISTRY.lock().unwrap_or_else(|e| e.into_inner());
        // While a queue is alive, so is its mapping, and no other mapping can have the same base.
        if let Some(reclaim) = registry.get(at) {
            return reclaim;
        }
        let state = take_left_over(&at, &data);
        let waiting = AtomicUsize::new(state.waiting.len());
        let bytes = AtomicU64::new(state.bytes);
        let marks = AtomicU64::new(state.marks());
        let reclaim = Arc::new(Self { data, at, shared, waiting, bytes, marks, state: state.into() });
        registry.insert(at, Arc::downgrade(&reclaim));
        reclaim
    }

    #[inline]
    pub(crate) fn is_shared(&self) -> bool {
        self.shared
    }

    #[inline]
    pub(crate) fn data(&self) -> &Arc<DataBlock> {
        &self.data
    }

    #[inline]
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// How many blocks the host owns, including those that wait.
    pub(crate) fn owned(&self) -> usize {
        self.state().owned.len()
    }

    /// The bytes of the blocks that the host owns, including those that wait.
    #[inline]
    pub(crate) fn owned_bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Keeps a block from being freed until [`Reclaim::unpin`]. Returns whether it is one that the host owns.
    #[inline]
    pub(crate) fn pin(&self, address: u64) -> bool {
        match self.state().owned.get_mut(&address) {
            Some(owned) => {
                owned.pins += 1;
                true
            }
            None => false,
        }
    }

    /// Ends one [`Reclaim::pin`]. Returns whether the host still owns the block: it may have been given to the guest
    /// meanwhile.
    #[inline]
    pub(crate) fn unpin(&self, address: u64) -> bool {
        let mut state = self.state();
        let Some(owned) = state.owned.get_mut(&address) else { return false };
        owned.pins = owned.pins.saturating_sub(1);
        if owned.pins == 0 && std::mem::take(&mut owned.is_put_off) {
            let generation = owned.generation;
            state.waiting.push((address, generation));
            self.waiting.store(state.waiting.len(), Ordering::Release);
        }
        true
    }

    #[inline]
    fn is_lent(&self, address: u64) -> bool {
        loan::puts_off(self.at.0.wrapping_add(address as usize))
    }

    /// Ends a loan of a block. Returns whether the host still owns it.
    pub(crate) fn unlend(&self, address: u64) -> bool {
        let mut state = self.state();
        let Some(owned) = state.owned.get_mut(&address) else { return false };
        if owned.pins == 0 && std::mem::take(&mut owned.is_put_off) {
            let generation = owned.generation;
            state.waiting.push((address, generation));
            self.waiting.store(state.waiting.len(), Ordering::Release);
        }
        true
    }

    /// The other queue of the same memory that owns the block at `address`, if there is one.
    #[cold]
    pub(crate) fn owner_of(&self, address: u64) -> Option<Arc<Self>> {
        // The references are collected first: dropping one may end its queue, which takes the registry's lock.
        let others: Vec<_> = {
            let registry = REGISTRY.lock().unwrap_or_else(|e| e.into_inner());
            registry.0.get(&self.at.0).into_iter().flat_map(|keys| keys.values()).filter_map(Weak::upgrade).collect()
        };
        others.into_iter().find(|other| other.is_owned(address))
    }

    /// How many blocks wait.
    #[inline]
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }

    /// Enters a block as owned. Returns its generation.
    #[inline]
    pub(crate) fn own(&self, address: u64, bytes: u64, align: u32) -> Result<u64, HeapError> {
        let mut state = self.state();
        let generation = state.generations;
        match state.owned.entry(address) {
            Entry::Occupied(_) => return Err(HeapError::AlreadyOwned { address }),
            Entry::Vacant(entry) => entry.insert(Owned { bytes, align, generation, pins: 0, is_put_off: false }),
        };
        state.generations += 1;
        state.bytes += bytes;
        let marks = match state.generations.is_multiple_of(WIPE.0) && state.owned.len() <= WIPE.1 {
            true => state.marks(),
            false => self.marks.load(Ordering::Relaxed) | mark_of(address),
        };
        self.marks.store(marks, Ordering::Relaxed);
        state.tally.count_owned(bytes);
        self.bytes.store(state.bytes, Ordering::Relaxed);
        drop(state);
        // Here and below: before anybody else can know the block, and before its address can be given out again.
        if trace::is_on() {
            trace::owned(&self.data, address, bytes);
        }
        Ok(generation)
    }

    /// Strikes a block off, because it is given to the guest. It may wait in the queue already.
    pub(crate) fn disown(&self, address: u64) {
        let mut state = self.state();
        state.disown(address);
        self.bytes.store(state.bytes, Ordering::Relaxed);
        drop(state);
        if trace::is_on() {
            trace::disowned(&self.data, address);
        }
    }

    #[inline]
    pub(crate) fn is_owned(&self, address: u64) -> bool {
        // Whoever could learn of a block that another thread owns has synchronized with it, so its mark is seen.
        self.marks.load(Ordering::Relaxed) & mark_of(address) != 0 && self.state().owned.contains_key(&address)
    }

    /// Puts a block whose last handle is gone into the queue, unless it was given to the guest. This is all that a
    /// finalizer does.
    #[inline]
    pub(crate) fn enqueue(&self, address: u64, generation: u64) {
        if trace::is_on() {
            trace::dropped(&self.data, address);
        }
        let mut state = self.state();
        if state.owned.get(&address).is_none_or(|owned| owned.generation != generation) {
            return;
        }
        state.waiting.push((address, generation));
        self.waiting.store(state.waiting.len(), Ordering::Release);
    }

    /// Takes over what waited in another queue of the same allocator.
    fn inherit(&self, left: State) {
        let mut state = self.state();
        state.bytes += left.bytes;
        self.bytes.store(state.bytes, Ordering::Relaxed);
        state.generations = state.generations.max(left.generations);
        state.owned.extend(left.owned);
        self.marks.store(state.marks(), Ordering::Relaxed);
        state.waiting.extend(left.waiting);
        self.waiting.store(state.waiting.len(), Ordering::Release);
    }

    /// Strikes a block off that its last handle gives up, for the caller to free: its length and alignment. `None` if it
    /// is not to be freed now.
    #[inline]
    pub(crate) fn take(&self, address: u64, generation: u64) -> Option<(u64, u32)> {
        let mut state = self.state();
        let owned = state.owned.remove(&address)?;
        if owned.generation != generation || owned.pins > 0 || self.is_lent(address) {
            state.owned.insert(address, owned);
            return None;
        }
        state.count_out(&owned);
        self.bytes.store(state.bytes, Ordering::Relaxed);
        drop(state);
        if trace::is_on() {
            trace::disowned(&self.data, address);
        }
        Some((owned.bytes, owned.align))
    }

    /// Takes a block out of the queue, for the caller to free: its address, length and alignment. The most recent one
    /// comes first: what is still in the cache is used again at once.
    #[inline]
    pub(crate) fn next(&self) -> Option<(u64, u64, u32)> {
        let mut state = self.state();
        let next = loop {
            let Some((address, generation)) = state.waiting.pop() else { break None };
            let Entry::Occupied(mut entry) = state.owned.entry(address) else { continue };
            let owned = entry.get_mut();
            if owned.generation != generation {
                continue;
            }
            if owned.pins > 0 || self.is_lent(address) {
                owned.is_put_off = true;
                continue;
            }
            break Some((address, entry.remove()));
        };
        self.waiting.store(state.waiting.len(), Ordering::Release);
        let (address, owned) = next?;
        state.count_out(&owned);
        self.bytes.store(state.bytes, Ordering::Relaxed);
        drop(state);
        if trace::is_on() {
            trace::disowned(&self.data, address);
        }
        Some((address, owned.bytes, owned.align))
    }
}

/// Queues, by their allocator. They are worth nothing once the memory is gone.
type LeftOver = FxHashMap<At, (Weak<DataBlock>, State)>;

/// What waited in queues of shared memories when the last agent that could free it ended. It is kept for the next agent
/// that can.
static LEFT_OVER: LazyLock<Mutex<LeftOver>> = LazyLock::new(Mutex::default);

fn take_left_over(at: &At, data: &Arc<DataBlock>) -> State {
    let mut left_over = LEFT_OVER.lock().unwrap_or_else(|e| e.into_inner());
    match left_over.remove(at) {
        // A later memory may have the same base.
        Some((of, state)) if Weak::ptr_eq(&of, &Arc::downgrade(data)) => state,
        _ => State::default(),
    }
}

impl Drop for Reclaim {
    /// No heap and no block is left. What waits here goes with the memory or, if others have the memory, to whoever can
    /// free it.
    fn drop(&mut self) {
        let is_shared = self.is_shared();
        let mut registry = REGISTRY.lock().unwrap_or_else(|e| e.into_inner());
        let state = self.state.get_mut().unwrap_or_else(|e| e.into_inner());
        // Another thread may have put a new one in its place since the last handle went.
        let successor = registry.get(self.at);
        if successor.is_none() {
            registry.remove(self.at);
        }
        // Somebody other than this queue has the memory.
        if is_shared && !state.waiting.is_empty() && Arc::strong_count(&self.data) > 1 {
            state.tally.settle();
            let left = std::mem::take(state);
            match &successor {
                Some(successor) => successor.inherit(left),
                None => {
                    let mut left_over = LEFT_OVER.lock().unwrap_or_else(|e| e.into_inner());
                    left_over.retain(|_, (of, _)| of.strong_count() > 0);
                    left_over.insert(self.at, (Arc::downgrade(&self.data), left));
                }
            }
            drop(registry);
            return;
        }
        drop(registry);
        state.owned.values().for_each(|owned| state.tally.count_freed(owned.bytes));
        state.tally.settle();
        if trace::is_on() {
            trace::gone(&self.data, state.owned.keys().copied());
        }
    }
}

/// Settles the tallies of all queues with the process's counters.
pub(crate) fn settle_all() {
    // The references are collected first: dropping one may end its queue, which takes the registry's lock.
    let reclaims: Vec<_> = {
        let registry = REGISTRY.lock().unwrap_or_else(|e| e.into_inner());
        registry.0.values().flat_map(|keys| keys.values()).filter_map(Weak::upgrade).collect()
    };
    reclaims.iter().for_each(|reclaim| reclaim.state().tally.settle());
}
