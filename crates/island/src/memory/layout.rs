//! How memories lie in address space.

use data_block::PollPages;

/// How memories lie in address space, which compiled code relies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The least address space that a memory has.
    pub(crate) reservation: usize,
    /// The number of bytes after a memory's reservation that always fault.
    pub(crate) guard: usize,
}

/// A 32-bit memory reserves everything that a guest can address, so that bounds checks cost nothing.
const AMPLE: Layout = Layout { reservation: 4 << 30, guard: 32 << 20 };

/// A memory gets what there is (`host_memory`), and accesses are checked against its length. The reservation is zero:
/// with any other, Wasmtime would check accesses to a shared memory against the reservation instead of the length.
pub(crate) const SHORT: Layout = Layout { reservation: 0, guard: 64 << 10 };

impl Layout {
    /// The layout for all engines of this process.
    pub(crate) fn of_process() -> Self {
        if data_block::is_short() { SHORT } else { AMPLE }
    }

    /// The size of the range, from the base of a poll page, in which a fault counts as one of that page: the size that
    /// Wasmtime assumes for its memory, and something more.
    pub(crate) fn poll_claim(self) -> usize {
        self.reservation.max(PollPages::PAGE) + 2 * self.guard
    }
}
