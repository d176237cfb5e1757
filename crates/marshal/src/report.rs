//! How many guest blocks the process has had: a few counters that all threads share.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static ALLOCATED: AtomicU64 = AtomicU64::new(0);
static FREED: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static PEAK: AtomicU64 = AtomicU64::new(0);

/// Guest blocks of the whole process, those that the host owned at some time. Arguments that were allocated for one
/// call and freed after it are not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Blocks that the host ever owned.
    pub allocated: u64,
    /// Those given back to their guests, or gone together with their memory.
    pub freed: u64,
    /// Those that are owned, or wait for the next safe point.
    pub alive: u64,
    /// The bytes of those.
    pub bytes_alive: u64,
    /// The most that this ever was.
    pub bytes_peak: u64,
}

/// The counters now. Cheap; while other threads work, they may be a few blocks apart.
pub fn report() -> Report {
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

#[inline]
pub(crate) fn count_owned(bytes: u64) {
    ALLOCATED.fetch_add(1, Relaxed);
    let alive = BYTES.fetch_add(bytes, Relaxed) + bytes;
    // Most blocks set no record, and looking is much cheaper than writing.
    if alive > PEAK.load(Relaxed) {
        PEAK.fetch_max(alive, Relaxed);
    }
}

#[inline]
pub(crate) fn count_freed(blocks: u64, bytes: u64) {
    BYTES.fetch_sub(bytes, Relaxed);
    FREED.fetch_add(blocks, Relaxed);
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
