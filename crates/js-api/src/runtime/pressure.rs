//! Collecting in time when little JavaScript holds much guest memory.

use std::cell::Cell;

use qjs::Ctx;

thread_local! {
    /// The blocks and bytes of guest memory at which the next instance collects garbage first.
    static THRESHOLD: Cell<(usize, usize)> = const { Cell::new((LEAST_BLOCKS, LEAST_BYTES)) };
}

const LEAST_BLOCKS: usize = 1024;
const LEAST_BYTES: usize = 48 << 20;

/// Collects cycles when much guest memory hangs on objects that may be garbage: QuickJS's own trigger sees only the few
/// hundred bytes around it.
pub(crate) fn relieve_pressure(ctx: &Ctx<'_>) {
    let (blocks, bytes) = island::live_blocks();
    let (most_blocks, most_bytes) = THRESHOLD.get();
    if blocks > most_blocks || bytes > most_bytes {
        qjs::runtime::collect(ctx);
        let (blocks, bytes) = island::live_blocks();
        THRESHOLD.set((LEAST_BLOCKS.max(blocks * 2), LEAST_BYTES.max(bytes * 2)));
    }
}
