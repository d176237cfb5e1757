//! The book that a trace records into.

use std::sync::{Arc, Weak};
use std::time::Instant;

use data_block::DataBlock;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Frame;
use super::history::History;
use super::snapshot::Amount;

/// A place of an agent, by its innermost frames.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) agent: Arc<str>,
    pub(super) frames: Box<[Frame]>,
}

/// The most places that are told apart with their agents; then as many whose lines still count but whose agents came
/// too late, and one for the rest. A program can make any number of places, by evaluating text or by starting workers.
const SITES: usize = 5_000;

/// The agents of places that came too late.
const OTHERS: &str = "other agents";

/// The memories that are remembered after their end: those with the highest peaks.
const MEMORIES: usize = 64;

/// What is owned of one place, now and when most was owned in all.
///
/// The state at a peak is not copied at each new peak, since a growing program has new peaks all the time. What a place
/// had at the peak is what it has now, unless it changed since; so only its first change after a peak saves it.
#[derive(Debug, Default)]
pub(super) struct Share {
    now: Amount,
    at_peak: Amount,
    changed: u64,
}

impl Share {
    fn change(&mut self, level: &Level, entry: u64, change: impl FnOnce(&mut Amount)) {
        if self.changed <= level.peak_entry {
            self.at_peak = self.now;
        }
        change(&mut self.now);
        self.changed = entry;
    }

    pub(super) fn at_peak(&self, level: &Level) -> Amount {
        if self.changed <= level.peak_entry { self.now } else { self.at_peak }
    }
}

/// What is owned in all, now and at its peak, and how it changed.
#[derive(Debug)]
pub(super) struct Level {
    pub(super) now: Amount,
    pub(super) peak: Amount,
    /// When, in microseconds.
    pub(super) peak_at: u64,
    /// The entry of the book that made it.
    peak_entry: u64,
    pub(super) history: History,
}

impl Level {
    fn new() -> Self {
        let history = History::new();
        Self { now: Amount::default(), peak: Amount::default(), peak_at: 0, peak_entry: 0, history }
    }

    fn change(&mut self, entry: u64, at: u64, change: impl FnOnce(&mut Amount)) {
        change(&mut self.now);
        if self.now.bytes > self.peak.bytes {
            (self.peak, self.peak_at, self.peak_entry) = (self.now, at, entry);
        }
        self.history.record(at, self.now.bytes);
    }
}

#[derive(Debug)]
pub(super) struct Site {
    pub(super) key: Key,
    pub(super) share: Share,
    /// Blocks that were owned at some time.
    pub(super) owned: Amount,
    /// Blocks of those that went with their memory, or with everything that could free them.
    pub(super) gone: Amount,
    /// Blocks that were allocated but not owned: arguments of calls.
    pub(super) lent: Amount,
    /// Handles that were opened.
    pub(super) handles: u64,
}

#[derive(Debug)]
pub(super) struct Memory {
    pub(super) number: u32,
    pub(super) data: Weak<DataBlock>,
    pub(super) is_shared: bool,
    /// Where its first heap was made.
    pub(super) made: Option<u32>,
    pub(super) level: Level,
    pub(super) shares: FxHashMap<u32, Share>,
    /// Its length.
    pub(super) length: u64,
    pub(super) lengths: History,
}

#[derive(Debug)]
pub(super) struct Block {
    pub(super) site: u32,
    pub(super) bytes: u64,
    pub(super) at: u64,
    /// Whether it has a handle; otherwise it waits to be freed.
    pub(super) is_held: bool,
}

#[derive(Debug)]
pub(super) struct OpenHandle {
    pub(super) site: u32,
    pub(super) destructor: Box<str>,
    pub(super) at: u64,
    /// Whether something refers to it; otherwise it waits for its destructor.
    pub(super) is_held: bool,
}

/// A block: its memory's number and its address.
type BlockKey = (u32, u64);
/// A handle: its queue and its address.
type HandleKey = (usize, u64);

#[derive(Debug)]
pub(super) struct Book {
    began: Instant,
    ended: Option<Instant>,
    /// How many entries were made.
    entry: u64,
    pub(super) sites: Vec<Site>,
    by_key: FxHashMap<Key, u32>,
    pub(super) blocks: FxHashMap<BlockKey, Block>,
    /// Blocks that were allocated, are not owned, and were not freed by the host: site and bytes.
    pub(super) lent: FxHashMap<BlockKey, (u32, u64)>,
    /// The block that was allocated last, if nothing else was entered since.
    just_allocated: Option<BlockKey>,
    pub(super) level: Level,
    pub(super) memories: FxHashMap<u32, Memory>,
    by_data: FxHashMap<usize, u32>,
    /// How many memories there were.
    pub(super) memory_count: u32,
    pub(super) handles: FxHashMap<HandleKey, OpenHandle>,
}

impl Book {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            ended: None,
            entry: 0,
            sites: Vec::new(),
            by_key: FxHashMap::default(),
            blocks: FxHashMap::default(),
            lent: FxHashMap::default(),
            just_allocated: None,
            level: Level::new(),
            memories: FxHashMap::default(),
            by_data: FxHashMap::default(),
            memory_count: 0,
            handles: FxHashMap::default(),
        }
    }

    pub(super) fn end(&mut self) {
        self.ended.get_or_insert_with(Instant::now);
    }

    pub(super) fn is_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Microseconds from the beginning until now, or until the end.
    pub(super) fn elapsed(&self) -> u64 {
        let until = self.ended.unwrap_or_else(Instant::now);
        until.duration_since(self.began).as_micros() as u64
    }

    fn site(&mut self, mut key: Key) -> u32 {
        if let Some(&site) = self.by_key.get(&key) {
            return site;
        }
        let is_late = &*key.agent == OTHERS;
        if self.sites.len() >= SITES && !is_late {
            key.agent = OTHERS.into();
            return self.site(key);
        }
        if self.sites.len() >= 2 * SITES && key.frames.first().is_none_or(|frame| frame.line != 0) {
            key.frames = [Frame::new("", "(other lines)", 0, 0)].into();
            return self.site(key);
        }
        let site = self.sites.len() as u32;
        let (share, owned, gone, lent) = Default::default();
        self.sites.push(Site { key: key.clone(), share, owned, gone, lent, handles: 0 });
        self.by_key.insert(key, site);
        site
    }

    /// A memory's number.
    fn memory(&mut self, data: &Arc<DataBlock>) -> u32 {
        if !self.by_data.contains_key(&Arc::as_ptr(data).addr()) {
            self.new_memory(data);
        }
        self.known_memory(data).expect("it was entered")
    }

    /// The number of a memory that was met before. Its length is noted on the way.
    fn known_memory(&mut self, data: &Arc<DataBlock>) -> Option<u32> {
        let number = *self.by_data.get(&Arc::as_ptr(data).addr())?;
        let (at, length) = (self.elapsed(), data.len() as u64);
        if let Some(memory) = self.memories.get_mut(&number).filter(|memory| memory.length != length) {
            memory.length = length;
            memory.lengths.record(at, length);
        }
        Some(number)
    }

    fn new_memory(&mut self, data: &Arc<DataBlock>) {
        self.memory_count += 1;
        let number = self.memory_count;
        if number.is_multiple_of(MEMORIES as u32) {
            self.forget_memories();
        }
        self.by_data.insert(Arc::as_ptr(data).addr(), number);
        let memory = Memory {
            number,
            data: Arc::downgrade(data),
            is_shared: false,
            made: None,
            level: Level::new(),
            shares: FxHashMap::default(),
            length: 0,
            lengths: History::new(),
        };
        self.memories.insert(number, memory);
    }

    /// Strikes off what is in memories that are gone.
    pub(super) fn settle(&mut self) {
        let dead: FxHashSet<u32> = {
            let dead = self.memories.values().filter(|memory| memory.data.strong_count() == 0);
            dead.map(|memory| memory.number).collect()
        };
        if dead.is_empty() {
            return;
        }
        self.lent.retain(|(memory, _), _| !dead.contains(memory));
        let left: Vec<BlockKey> = self.blocks.keys().filter(|(memory, _)| dead.contains(memory)).copied().collect();
        left.into_iter().for_each(|key| self.go(key));
    }

    /// Forgets memories that are gone, but for those with the highest peaks.
    fn forget_memories(&mut self) {
        self.settle();
        let dead = self.memories.values().filter(|memory| memory.data.strong_count() == 0);
        let mut dead: Vec<_> = dead.map(|memory| (memory.level.peak.bytes, memory.number)).collect();
        dead.sort_unstable();
        let forgotten = dead.len().saturating_sub(MEMORIES);
        for (_, number) in &dead[..forgotten] {
            self.memories.remove(number);
        }
        self.by_data.retain(|_, number| self.memories.contains_key(number));
    }

    pub(super) fn heap_made(&mut self, data: &Arc<DataBlock>, is_shared: bool, place: Key) {
        let (memory, site) = (self.memory(data), self.site(place));
        if let Some(memory) = self.memories.get_mut(&memory) {
            memory.is_shared = is_shared;
            memory.made.get_or_insert(site);
        }
    }

    pub(super) fn allocated(&mut self, data: &Arc<DataBlock>, address: u64, bytes: u64, place: Key) {
        let (key, site) = ((self.memory(data), address), self.site(place));
        self.sites[site as usize].lent.add(bytes);
        self.lent.insert(key, (site, bytes));
        self.just_allocated = Some(key);
    }

    pub(super) fn freed(&mut self, data: &Arc<DataBlock>, address: u64) {
        self.just_allocated = None;
        if let Some(memory) = self.known_memory(data) {
            self.lent.remove(&(memory, address));
        }
    }

    /// [`Book::owned`] for the block that was allocated last, which then was not lent.
    pub(super) fn own_allocated(&mut self, data: &Arc<DataBlock>, address: u64, bytes: u64) -> bool {
        let key = self.known_memory(data).map(|memory| (memory, address));
        let Some(key) = key.filter(|_| key == self.just_allocated) else { return false };
        let Some((site, lent)) = self.lent.remove(&key) else { return false };
        self.sites[site as usize].lent.take(lent);
        self.own(key, bytes, site);
        true
    }

    pub(super) fn owned(&mut self, data: &Arc<DataBlock>, address: u64, bytes: u64, place: Key) {
        let (key, site) = ((self.memory(data), address), self.site(place));
        self.lent.remove(&key);
        self.own(key, bytes, site);
    }

    fn own(&mut self, key: BlockKey, bytes: u64, site: u32) {
        // Another allocator of the memory may have given out the same address: the block belongs to its last owner.
        self.disown(key);
        let at = self.elapsed();
        self.sites[site as usize].owned.add(bytes);
        self.blocks.insert(key, Block { site, bytes, at, is_held: true });
        self.change(key.0, site, at, |amount| amount.add(bytes));
    }

    pub(super) fn dropped(&mut self, data: &Arc<DataBlock>, address: u64) {
        let memory = self.known_memory(data);
        if let Some(block) = memory.and_then(|memory| self.blocks.get_mut(&(memory, address))) {
            block.is_held = false;
        }
    }

    pub(super) fn disowned(&mut self, data: &Arc<DataBlock>, address: u64) {
        if let Some(memory) = self.known_memory(data) {
            self.disown((memory, address));
        }
    }

    fn disown(&mut self, key: BlockKey) -> Option<Block> {
        let block = self.blocks.remove(&key)?;
        let at = self.elapsed();
        self.change(key.0, block.site, at, |amount| amount.take(block.bytes));
        Some(block)
    }

    pub(super) fn gone(&mut self, data: &Arc<DataBlock>, addresses: impl Iterator<Item = u64>) {
        if let Some(memory) = self.known_memory(data) {
            addresses.for_each(|address| self.go((memory, address)));
        }
    }

    fn go(&mut self, key: BlockKey) {
        if let Some(block) = self.disown(key) {
            self.sites[block.site as usize].gone.add(block.bytes);
        }
    }

    /// Changes what is owned of a place in a memory.
    fn change(&mut self, memory: u32, site: u32, at: u64, change: impl Fn(&mut Amount)) {
        self.entry += 1;
        self.just_allocated = None;
        self.sites[site as usize].share.change(&self.level, self.entry, &change);
        self.level.change(self.entry, at, &change);
        if let Some(memory) = self.memories.get_mut(&memory) {
            memory.shares.entry(site).or_default().change(&memory.level, self.entry, &change);
            memory.level.change(self.entry, at, &change);
        }
    }

    pub(super) fn handle_opened(&mut self, key: HandleKey, destructor: &str, place: Key) {
        let (site, at) = (self.site(place), self.elapsed());
        self.sites[site as usize].handles += 1;
        self.handles.insert(key, OpenHandle { site, destructor: destructor.into(), at, is_held: true });
    }

    pub(super) fn handle_dropped(&mut self, key: HandleKey) {
        if let Some(handle) = self.handles.get_mut(&key) {
            handle.is_held = false;
        }
    }

    pub(super) fn handle_closed(&mut self, key: HandleKey) {
        self.handles.remove(&key);
    }
}
