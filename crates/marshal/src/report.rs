//! How many guest blocks the process has had.
//!
//! Counting must cost next to nothing compared with an allocation of 100 ns, and an atomic addition to a counter that
//! all threads share costs more. So each queue keeps a `Tally` of its own, under the lock that it holds anyway, and
//! settles it with the process's counters when it gets large or somebody asks.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static ALLOCATED: AtomicU64 = AtomicU64::new(0);
static FREED: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static PEAK: AtomicU64 = AtomicU64::new(0);

/// The guest blocks of the whole process that the host owned at some time. Arguments that were allocated for one call
/// and freed after it are not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Blocks that the host ever owned.
    pub allocated: u64,
    /// Blocks that were given back to their guests, or that went together with their memory.
    pub freed: u64,
    /// Blocks that are owned, or wait for the next safe point.
    pub alive: u64,
    /// The bytes of the blocks that are alive.
    pub bytes_alive: u64,
    /// The most that `bytes_alive` ever was.
    pub bytes_peak: u64,
}

/// The counters now. With heaps on several threads the peak may miss what they had at the same moment, by less than
/// 1 MiB for each.
pub fn report() -> Report {
    crate::reclaim::settle_all();
    let freed = FREED.load(Relaxed);
    let allocated = ALLOCATED.load(Relaxed);
    Report {
        allocated,
        freed,
        alive: allocated.saturating_sub(freed),
        bytes_alive: BYTES.load(Relaxed),
        bytes_peak: PEAK.load(Relaxed),
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { allocated, freed, alive, bytes_alive, bytes_peak } = self;
        write!(f, "guest blocks: {allocated} allocated, {freed} freed, {alive} alive ({bytes_alive} bytes); ")?;
        write!(f, "{bytes_peak} bytes at peak")
    }
}

/// What one queue counted since it last settled.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    allocated: u64,
    freed: u64,
    /// By how many bytes more (or fewer) are alive since then.
    bytes: i64,
    /// The most that `bytes` was.
    peak: i64,
}

impl Tally {
    /// The difference in bytes at which a tally settles by itself.
    const LARGE: i64 = 1 << 20;

    #[inline]
    pub(crate) fn count_owned(&mut self, bytes: u64) {
        self.allocated += 1;
        self.bytes += bytes as i64;
        self.peak = self.peak.max(self.bytes);
        if self.bytes >= Self::LARGE {
            self.settle();
        }
    }

    #[inline]
    pub(crate) fn count_freed(&mut self, bytes: u64) {
        self.freed += 1;
        self.bytes -= bytes as i64;
        if self.bytes <= -Self::LARGE {
            self.settle();
        }
    }

    /// Adds everything to the process's counters.
    #[cold]
    pub(crate) fn settle(&mut self) {
        let Self { allocated, freed, bytes, peak } = std::mem::take(self);
        ALLOCATED.fetch_add(allocated, Relaxed);
        FREED.fetch_add(freed, Relaxed);
        let before = BYTES.fetch_add(bytes as u64, Relaxed); // two's complement: a negative number subtracts
        PEAK.fetch_max(before.saturating_add_signed(peak), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_one_line() {
        let report = Report { allocated: 3, freed: 2, alive: 1, bytes_alive: 80, bytes_peak: 160 };
        assert_eq!(report.to_string(), "guest blocks: 3 allocated, 2 freed, 1 alive (80 bytes); 160 bytes at peak");
    }
}
