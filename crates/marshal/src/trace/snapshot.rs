//! What a trace says at one moment.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::book::{Book, Level, Memory};
use super::{Frame, Sample};

/// Some blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub blocks: u64,
    /// Their lengths together.
    pub bytes: u64,
}

impl Amount {
    pub(super) fn add(&mut self, bytes: u64) {
        self.blocks += 1;
        self.bytes += bytes;
    }

    pub(super) fn take(&mut self, bytes: u64) {
        self.blocks -= 1;
        self.bytes -= bytes;
    }

    pub(super) fn add_all(&mut self, other: Self) {
        self.blocks += other.blocks;
        self.bytes += other.bytes;
    }
}

/// What a trace recorded, by line, by memory and in all. [`Snapshot::to_text`] and [`Snapshot::to_html`] show it in
/// words and pictures.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Snapshot {
    /// Whether the trace goes on.
    pub is_on: bool,
    /// How long it has been recorded.
    pub duration: Duration,
    /// Blocks that handles own.
    pub held: Amount,
    /// Blocks whose last handle is gone, which their guest has not got back yet.
    pub waiting: Amount,
    /// Blocks that were owned at some time.
    pub owned: Amount,
    /// Blocks that were owned and never freed: what could free them went, mostly with their memory.
    pub gone: Amount,
    /// Blocks that the host allocated and that no handle owned: arguments of calls, or what a script asked `malloc`
    /// for.
    pub lent: Amount,
    /// Blocks of those that the host has not freed. The guest may have.
    pub unreturned: Amount,
    /// When the most bytes were owned, including those that waited.
    pub peak: Peak,
    /// How many bytes were owned, including those that waited.
    pub history: Vec<Sample>,
    /// By line of the program; those that hold the most bytes first, and then those that owned the most.
    pub lines: Vec<Line>,
    /// By memory, those with the highest peaks first.
    pub memories: Vec<MemoryLine>,
    /// Memories that the trace has forgotten, since they are gone and there were many.
    pub memories_forgotten: u32,
    /// Handles that are open, by line and destructor; the most first.
    pub handles: Vec<Handles>,
    /// The agents that did anything, sorted.
    pub agents: Vec<Arc<str>>,
}

/// When the most bytes were owned.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Peak {
    /// How much that was.
    pub amount: Amount,
    /// When, since the trace began.
    pub at: Duration,
    /// What it was made of, the most bytes first.
    pub shares: Vec<PeakShare>,
}

/// What one line owned at a peak.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PeakShare {
    /// The line; `None` if the program was not in a script.
    pub place: Option<Frame>,
    /// How much.
    pub amount: Amount,
}

/// What one line of the program did: the innermost line that a block's locator reported.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Line {
    /// The line; `None` if no locator knew.
    pub place: Option<Frame>,
    /// The agents that ran it, sorted.
    pub agents: Vec<Arc<str>>,
    /// Blocks that handles own.
    pub held: Amount,
    /// Blocks that wait to be freed.
    pub waiting: Amount,
    /// The length of the longest block that is held.
    pub largest: u64,
    /// When the oldest block that is held was made.
    pub oldest: Option<Duration>,
    /// Blocks that were owned at some time.
    pub owned: Amount,
    /// Blocks that were never freed: see [`Snapshot::gone`].
    pub gone: Amount,
    /// Arguments of calls: see [`Snapshot::lent`].
    pub lent: Amount,
    /// Arguments that the host has not freed.
    pub unreturned: Amount,
    /// What called the line, if it holds blocks; the callers that hold the most bytes come first.
    pub stacks: Vec<Stack>,
}

/// What called a line.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Stack {
    /// From the innermost outwards, without the line itself.
    pub frames: Vec<Frame>,
    /// Blocks that handles own.
    pub held: Amount,
}

/// A memory, and what was owned in it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MemoryLine {
    /// Memories are numbered in the order in which the trace met them, from 1.
    pub number: u32,
    /// Whether several agents may have it.
    pub is_shared: bool,
    /// Whether it is still there.
    pub is_alive: bool,
    /// Where its first heap was made.
    pub made: Option<Frame>,
    /// The agent that made it.
    pub agent: Option<Arc<str>>,
    /// Its length in bytes.
    pub length: u64,
    /// What its length was.
    pub lengths: Vec<Sample>,
    /// What is owned in it, including what waits.
    pub owned: Amount,
    /// When that was most.
    pub peak: Peak,
    /// How it changed.
    pub history: Vec<Sample>,
}

/// Handles that are open.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Handles {
    /// The line that opened them.
    pub place: Option<Frame>,
    /// The agents that ran it, sorted.
    pub agents: Vec<Arc<str>>,
    /// What closes them.
    pub destructor: Box<str>,
    /// How many of them something refers to.
    pub open: u64,
    /// How many of them wait for their destructor.
    pub waiting: u64,
    /// When the oldest was opened.
    pub oldest: Duration,
}

/// What the entries of the book say of a place.
#[derive(Default)]
struct Found {
    held: Amount,
    waiting: Amount,
    unreturned: Amount,
    largest: u64,
    oldest: Option<u64>,
}

impl Snapshot {
    pub(super) fn of(book: &mut Book) -> Self {
        book.settle();
        let book = &*book;
        let mut found: Vec<Found> = book.sites.iter().map(|_| Found::default()).collect();
        for block in book.blocks.values() {
            let found = &mut found[block.site as usize];
            if !block.is_held {
                found.waiting.add(block.bytes);
                continue;
            }
            found.held.add(block.bytes);
            found.largest = found.largest.max(block.bytes);
            found.oldest = Some(found.oldest.map_or(block.at, |at| at.min(block.at)));
        }
        for (site, bytes) in book.lent.values() {
            found[*site as usize].unreturned.add(*bytes);
        }
        let lines = lines(book, &found);
        let sum = |of: fn(&Line) -> Amount| {
            lines.iter().fold(Amount::default(), |mut sum, line| {
                sum.add_all(of(line));
                sum
            })
        };
        let agents: BTreeSet<_> = book.sites.iter().map(|site| site.key.agent.clone()).collect();
        let shares = book.sites.iter().enumerate().map(|(at, site)| (at, site.share.at_peak(&book.level)));
        Self {
            is_on: !book.is_ended(),
            duration: Duration::from_micros(book.elapsed()),
            held: sum(|line| line.held),
            waiting: sum(|line| line.waiting),
            owned: sum(|line| line.owned),
            gone: sum(|line| line.gone),
            lent: sum(|line| line.lent),
            unreturned: sum(|line| line.unreturned),
            peak: Peak::of(book, &book.level, shares),
            history: book.level.history.samples().to_vec(),
            memories: memories(book),
            memories_forgotten: book.memory_count - book.memories.len() as u32,
            handles: handles(book),
            agents: agents.into_iter().collect(),
            lines,
        }
    }
}

fn line_of(book: &Book, site: usize) -> Option<Frame> {
    book.sites[site].key.frames.first().cloned()
}

impl Peak {
    fn of(book: &Book, level: &Level, shares: impl Iterator<Item = (usize, Amount)>) -> Self {
        let mut by_line = FxHashMap::<Option<Frame>, Amount>::default();
        for (site, amount) in shares.filter(|(_, amount)| amount.blocks > 0) {
            by_line.entry(line_of(book, site)).or_default().add_all(amount);
        }
        let mut shares: Vec<_> = by_line.into_iter().map(|(place, amount)| PeakShare { place, amount }).collect();
        shares.sort_by(|a, b| b.amount.bytes.cmp(&a.amount.bytes).then_with(|| a.place.cmp(&b.place)));
        Self { amount: level.peak, at: Duration::from_micros(level.peak_at), shares }
    }
}

fn lines(book: &Book, found: &[Found]) -> Vec<Line> {
    let mut by_line = FxHashMap::<Option<&Frame>, Vec<usize>>::default();
    for (at, site) in book.sites.iter().enumerate() {
        let did = site.owned.blocks > 0 || site.lent.blocks > 0;
        if did {
            by_line.entry(site.key.frames.first()).or_default().push(at);
        }
    }
    let line = |(place, sites): (Option<&Frame>, Vec<usize>)| {
        let mut line = Line::at(place.cloned());
        let mut stacks = FxHashMap::<&[Frame], Amount>::default();
        let mut agents = BTreeSet::new();
        for at in sites {
            let (site, found) = (&book.sites[at], &found[at]);
            agents.insert(site.key.agent.clone());
            line.held.add_all(found.held);
            line.waiting.add_all(found.waiting);
            line.unreturned.add_all(found.unreturned);
            line.largest = line.largest.max(found.largest);
            let oldest = found.oldest.map(Duration::from_micros);
            line.oldest = line.oldest.into_iter().chain(oldest).min();
            line.owned.add_all(site.owned);
            line.gone.add_all(site.gone);
            line.lent.add_all(site.lent);
            match &*site.key.frames {
                [_, callers @ ..] if found.held.blocks > 0 => stacks.entry(callers).or_default().add_all(found.held),
                _ => {}
            }
        }
        let stack = |(frames, held): (&[Frame], Amount)| Stack { frames: frames.to_vec(), held };
        line.stacks = stacks.into_iter().filter(|(frames, _)| !frames.is_empty()).map(stack).collect();
        line.stacks.sort_by(|a, b| b.held.bytes.cmp(&a.held.bytes).then_with(|| a.frames.cmp(&b.frames)));
        line.agents = agents.into_iter().collect();
        line
    };
    let mut lines: Vec<_> = by_line.into_iter().map(line).collect();
    let order = |line: &Line| (line.held.bytes, line.held.blocks, line.owned.bytes, line.lent.bytes);
    lines.sort_by(|a, b| order(b).cmp(&order(a)).then_with(|| a.place.cmp(&b.place)));
    lines
}

impl Line {
    fn at(place: Option<Frame>) -> Self {
        let (held, waiting, owned, gone, lent, unreturned) = Default::default();
        let (largest, oldest, agents, stacks) = Default::default();
        Self { place, agents, held, waiting, largest, oldest, owned, gone, lent, unreturned, stacks }
    }
}

fn memories(book: &Book) -> Vec<MemoryLine> {
    let line = |memory: &Memory| {
        let shares = memory.shares.iter().map(|(&site, share)| (site as usize, share.at_peak(&memory.level)));
        let data = memory.data.upgrade();
        MemoryLine {
            number: memory.number,
            is_shared: memory.is_shared,
            is_alive: data.is_some(),
            made: memory.made.and_then(|site| line_of(book, site as usize)),
            agent: memory.made.map(|site| book.sites[site as usize].key.agent.clone()),
            length: memory.length.max(data.map_or(0, |data| data.len() as u64)),
            lengths: memory.lengths.samples().to_vec(),
            owned: memory.level.now,
            peak: Peak::of(book, &memory.level, shares),
            history: memory.level.history.samples().to_vec(),
        }
    };
    let mut memories: Vec<_> = book.memories.values().map(line).collect();
    memories.sort_by(|a, b| b.peak.amount.bytes.cmp(&a.peak.amount.bytes).then(a.number.cmp(&b.number)));
    memories
}

fn handles(book: &Book) -> Vec<Handles> {
    let mut by_line = FxHashMap::<(Option<&Frame>, &str), (Handles, BTreeSet<Arc<str>>)>::default();
    for handle in book.handles.values() {
        let key = &book.sites[handle.site as usize].key;
        let (place, destructor) = (key.frames.first(), &*handle.destructor);
        let at = Duration::from_micros(handle.at);
        let (line, agents) = by_line.entry((place, destructor)).or_insert_with(|| {
            let (place, destructor) = (place.cloned(), destructor.into());
            (Handles { place, agents: Vec::new(), destructor, open: 0, waiting: 0, oldest: at }, BTreeSet::new())
        });
        if handle.is_held {
            line.open += 1;
        } else {
            line.waiting += 1;
        }
        line.oldest = line.oldest.min(at);
        agents.insert(key.agent.clone());
    }
    let line = |(line, agents): (Handles, BTreeSet<_>)| Handles { agents: agents.into_iter().collect(), ..line };
    let mut lines: Vec<_> = by_line.into_values().map(line).collect();
    lines.sort_by(|a, b| b.open.cmp(&a.open).then_with(|| (&a.place, &a.destructor).cmp(&(&b.place, &b.destructor))));
    lines
}
