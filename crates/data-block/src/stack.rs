//! Stacks for fibers: a range of addresses with a guard below it, of which only the touched part takes memory.

use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Mutex;

use crate::mapping::{MapError, is_exhausted, page_ceil, page_size};

/// How much of a stack stays resident while it waits for its next user.
const WARM_BYTES: usize = 16 << 10;

/// A stack. Whoever drops it has left it.
#[derive(Debug)]
pub struct Stack {
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: a stack is a range of addresses, owned by this value alone; nothing about it belongs to a thread.
unsafe impl Send for Stack {}
// SAFETY: a shared reference only tells where the stack is.
unsafe impl Sync for Stack {}

impl Stack {
    /// Maps a stack of at least `bytes`, and a page below it that nobody can touch.
    ///
    /// # Errors
    /// When the system has no addresses left.
    fn map(bytes: usize) -> Result<Self, MapError> {
        let mapped = page_ceil(bytes.max(1)).saturating_add(page_size());
        let failed = |doing: &'static str| MapError { doing, bytes: mapped, source: std::io::Error::last_os_error() };
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a fresh anonymous mapping at an address of the kernel's choice touches nothing that exists.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), mapped, protection, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(failed("map a stack"));
        }
        let base = NonNull::new(base.cast::<u8>()).expect("mmap returned address 0 without MAP_FIXED");
        let stack = Self { base, bytes: mapped };
        if is_exhausted() {
            let source = std::io::Error::from_raw_os_error(libc::ENOMEM);
            return Err(MapError { doing: "map a stack", bytes: mapped, source });
        }
        if stack.guard_in_place() { Ok(stack) } else { Err(failed("guard a stack")) }
    }

    /// Makes the lowest page inaccessible.
    fn guard_in_place(&self) -> bool {
        /// Since Linux 6.13: the page faults, and the mapping stays in one piece with its neighbours, of which a
        /// process can have only so many.
        const MADV_GUARD_INSTALL: libc::c_int = 102;
        let (start, bytes) = (self.base.as_ptr().cast(), page_size());
        // SAFETY: the page is the lowest of this value's own mapping, and nothing is stored there.
        unsafe {
            libc::madvise(start, bytes, MADV_GUARD_INSTALL) == 0 || libc::mprotect(start, bytes, libc::PROT_NONE) == 0
        }
    }

    /// The page below the stack.
    pub fn guard(&self) -> Range<*mut u8> {
        self.base.as_ptr()..self.base.as_ptr().wrapping_add(page_size())
    }

    /// The addresses of the stack itself, which is used from the end.
    pub fn range(&self) -> Range<usize> {
        let base = self.base.addr().get();
        base + page_size()..base + self.bytes
    }

    /// Where a user of the stack begins.
    pub fn top(&self) -> *mut u8 {
        self.base.as_ptr().wrapping_add(self.bytes)
    }

    /// Gives memory back: all but what the next user touches first.
    fn cool(&self) {
        let rest = self.bytes.saturating_sub(page_size() + page_ceil(WARM_BYTES));
        let start = self.base.as_ptr().wrapping_add(page_size());
        // SAFETY: the pages lie in this value's own mapping, above the guard, and nobody is on the stack. If the kernel
        // refuses, the memory stays in use, which is all that this is about.
        unsafe { libc::madvise(start.cast(), rest, libc::MADV_DONTNEED) };
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and nobody is on the stack. The kernel may refuse to cut a mapping in
        // two when there are too many; then the addresses stay taken.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.bytes) };
    }
}

/// Stacks that wait for their next users.
#[derive(Debug, Default)]
pub struct StackPool {
    free: Mutex<Vec<Stack>>,
}

impl StackPool {
    /// The most stacks that wait.
    const MOST: usize = 64;
    /// How many of them may have memory.
    const WARM: usize = 4;

    /// A stack of at least `bytes`, which has to be the same for all of a pool's.
    ///
    /// # Errors
    /// When the system has no addresses left.
    pub fn take(&self, bytes: usize) -> Result<Stack, MapError> {
        let free = self.free().pop();
        free.map_or_else(|| Stack::map(bytes), Ok)
    }

    /// Takes back a stack that nobody is on.
    pub fn put(&self, stack: Stack) {
        let mut free = self.free();
        if free.len() < Self::MOST {
            if free.len() >= Self::WARM {
                stack.cool();
            }
            free.push(stack);
        }
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<Stack>> {
        self.free.lock().unwrap_or_else(|e| e.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_can_be_written_down_to_its_guard() {
        let stack = Stack::map(100_000).unwrap();
        let range = stack.range();
        assert!(range.len() >= 100_000);
        assert_eq!(stack.guard().end.addr(), range.start);
        assert_eq!(stack.top().addr(), range.end);
        // SAFETY: the lowest and the highest byte of a stack that nobody is on.
        unsafe {
            stack.guard().end.write(1);
            stack.top().sub(1).write(2);
            assert_eq!((stack.guard().end.read(), stack.top().sub(1).read()), (1, 2));
        }
    }

    #[test]
    fn stacks_are_used_again_and_most_of_them_wait_without_their_memory() {
        let pool = StackPool::default();
        let stacks: Vec<_> = (0..=StackPool::WARM).map(|_| pool.take(1 << 20).unwrap()).collect();
        let places: Vec<_> = stacks.iter().map(Stack::range).collect();
        for stack in stacks {
            // SAFETY: the lowest byte of a stack that nobody is on.
            unsafe { stack.guard().end.write(1) };
            pool.put(stack);
        }
        // The one that came last goes first.
        for (at, place) in places.into_iter().enumerate().rev() {
            let again = pool.take(1 << 20).unwrap();
            assert_eq!(again.range(), place);
            // SAFETY: as above.
            let lowest = unsafe { again.guard().end.read() };
            assert_eq!(lowest, u8::from(at < StackPool::WARM));
        }
    }
}
