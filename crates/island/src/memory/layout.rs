//! How memories lie in address space.

use data_block::PollPages;

/// How memories lie in address space: what compiled code relies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Address space that every memory has at the least.
    pub(crate) reservation: usize,
    /// Bytes after what a memory reserves that always fault.
    pub(crate) guard: usize,
}

/// A 32-bit memory has whatever a guest can address, so that bounds checks cost nothing.
const AMPLE: Layout = Layout { reservation: 4 << 30, guard: 32 << 20 };

/// A memory has what there is (`host_memory`), and accesses are checked against its length. The reservation is none at all:
/// with any other, Wasmtime would check accesses to a shared memory against that instead of the length.
pub(crate) const SHORT: Layout = Layout { reservation: 0, guard: 64 << 10 };

impl Layout {
    /// The one for all engines of this process.
    pub(crate) fn of_process() -> Self {
        if data_block::is_short() { SHORT } else { AMPLE }
    }

    /// Bytes from the base of a poll page on that faults are looked for in: what Wasmtime takes its memory to have, and
    /// something more.
    pub(crate) fn poll_claim(self) -> usize {
        self.reservation.max(PollPages::PAGE) + 2 * self.guard
    }
}
