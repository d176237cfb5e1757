//! Address space: reserved in one piece, made accessible from the front, reused when it is small.
//!
//! A mapping that is given up goes to a small pool of the process instead of back to the kernel: fresh pages cost
//! far more than clearing ones that are already resident (2 µs against 0.1 µs for 4 KiB on the machines measured),
//! and programs that make one instance after another would pay that for every one of them.

use std::ptr::NonNull;
use std::sync::{Mutex, OnceLock};

/// The kernel refused to reserve or to open up address space.
#[derive(Debug)]
#[non_exhaustive]
pub struct MapError {
    /// The verb for what was asked for, as messages say it.
    pub doing: &'static str,
    /// How many bytes were asked for.
    pub bytes: usize,
    /// The kernel's answer.
    pub source: std::io::Error,
}

impl std::fmt::Display for MapError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot {} {} bytes of memory: {}", self.doing, self.bytes, self.source)
    }
}

impl std::error::Error for MapError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// The most mappings that are kept for reuse, and the most accessible bytes that they may hold together.
const POOL_COUNT: usize = 16;
const POOL_BYTES: usize = 32 << 20;

static POOL: Mutex<Vec<Mapping>> = Mutex::new(Vec::new());

/// With less address space than this, it counts as short: this is room for some dozens of memories of 4 GiB, and for
/// what the threads of a program reserve besides.
const AMPLE: usize = 192 << 30;

/// Where address space is short, the last of it is left to the threads and the heap of the process, since the process
/// ends when it cannot allocate.
const HEADROOM: usize = 64 << 20;

/// Whether address space is short, because of a limit (`ulimit -v`) or because of the machine. This is asked once,
/// since compiled code relies on the answer.
pub fn is_short() -> bool {
    static SHORT: OnceLock<bool> = OnceLock::new();
    *SHORT.get_or_init(|| !can_reserve(AMPLE))
}

/// Whether address space is short and all of it is in use, but for what the process needs to go on.
pub fn is_exhausted() -> bool {
    is_short() && !can_reserve(HEADROOM)
}

/// About how many bytes of address space, at most `most`, can be reserved in one piece now.
pub fn room(most: usize) -> usize {
    const LEAST: usize = 64 << 10;
    let mut tries = std::iter::successors(Some(most), |&bytes| Some(bytes / 4 * 3).filter(|&bytes| bytes >= LEAST));
    tries.find(|&bytes| can_reserve(bytes)).unwrap_or(0)
}

fn can_reserve(bytes: usize) -> bool {
    Mapping::reserve(bytes).is_ok_and(|mut mapping| {
        mapping.unmap();
        true
    })
}

/// `reserved` bytes of address space, of which the first `open` may be read and written; the rest faults.
#[derive(Debug)]
pub(crate) struct Mapping {
    base: NonNull<u8>,
    reserved: usize,
    open: usize,
}

// SAFETY: a mapping is a range of addresses, owned by this value alone; nothing about it belongs to a thread.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Reserves `reserved` bytes and opens the first `open`, which read as zero.
    pub(crate) fn new(open: usize, reserved: usize) -> Result<Self, MapError> {
        let reserved = page_ceil(reserved.max(open).max(1));
        let mut mapping = match Self::reuse(open, reserved) {
            Some(mapping) => mapping,
            None => Self::reserve_anew(reserved)?,
        };
        mapping.open_to(open)?;
        Ok(mapping)
    }

    /// Reserves address space, if need be after giving up what is kept for reuse. The last of what there is stays free.
    fn reserve_anew(reserved: usize) -> Result<Self, MapError> {
        let mapping = Self::reserve(reserved).or_else(|error| {
            let pool = std::mem::take(&mut *POOL.lock().unwrap_or_else(|e| e.into_inner()));
            if pool.is_empty() {
                return Err(error);
            }
            pool.into_iter().for_each(|mut mapping| mapping.unmap());
            Self::reserve(reserved)
        })?;
        if is_exhausted() {
            let source = std::io::Error::from_raw_os_error(libc::ENOMEM);
            return Err(MapError { doing: "reserve", bytes: reserved, source });
        }
        Ok(mapping)
    }

    /// Bytes of address space.
    pub(crate) fn reserved(&self) -> usize {
        self.reserved
    }

    pub(crate) fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Makes the range accessible up to `open` bytes. Never makes it smaller.
    pub(crate) fn open_to(&mut self, open: usize) -> Result<(), MapError> {
        let open = page_ceil(open);
        debug_assert!(open <= self.reserved);
        if open > self.open {
            self.protect(self.open..open, libc::PROT_READ | libc::PROT_WRITE)?;
            self.open = open;
        }
        Ok(())
    }

    fn reserve(reserved: usize) -> Result<Self, MapError> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a fresh anonymous mapping at an address of the kernel's choice touches nothing that exists.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), reserved, libc::PROT_NONE, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(MapError { doing: "reserve", bytes: reserved, source: std::io::Error::last_os_error() });
        }
        let base = NonNull::new(base.cast::<u8>()).expect("mmap returned address 0 without MAP_FIXED");
        Ok(Self { base, reserved, open: 0 })
    }

    fn protect(&self, range: std::ops::Range<usize>, protection: libc::c_int) -> Result<(), MapError> {
        // SAFETY: the callers pass a range within this mapping's own reservation.
        let failed = unsafe { libc::mprotect(self.base.as_ptr().add(range.start).cast(), range.len(), protection) };
        if failed != 0 {
            return Err(MapError { doing: "open", bytes: range.len(), source: std::io::Error::last_os_error() });
        }
        Ok(())
    }

    /// Takes a mapping of the right size from the pool and makes it as good as new.
    fn reuse(open: usize, reserved: usize) -> Option<Self> {
        let mut mapping = {
            let mut pool = POOL.lock().unwrap_or_else(|e| e.into_inner());
            let at = pool.iter().rposition(|m| m.reserved == reserved)?;
            pool.swap_remove(at)
        };
        if mapping.clear(page_ceil(open)) {
            return Some(mapping);
        }
        // A mapping that cannot be cleaned does not go back to the pool; the caller reserves anew.
        mapping.unmap();
        None
    }

    /// Makes the open part read as zero, and no longer than `keep`. Returns whether the kernel agreed.
    fn clear(&mut self, keep: usize) -> bool {
        if self.open > keep {
            let excess = keep..self.open;
            // SAFETY: the pages lie in this mapping, which nobody else refers to.
            let failed = unsafe {
                libc::madvise(self.base.as_ptr().add(excess.start).cast(), excess.len(), libc::MADV_DONTNEED)
            };
            if failed != 0 || self.protect(excess, libc::PROT_NONE).is_err() {
                return false;
            }
            self.open = keep;
        }
        if self.mostly_resident() {
            // SAFETY: the open part is readable and writable, and nobody else refers to it.
            unsafe { self.base.as_ptr().write_bytes(0, self.open) };
            return true;
        }
        // SAFETY: as above.
        unsafe { libc::madvise(self.base.as_ptr().cast(), self.open, libc::MADV_DONTNEED) == 0 }
    }

    /// Whether clearing by hand is cheaper than giving the pages back, which it is when most of them are resident.
    fn mostly_resident(&self) -> bool {
        const SMALL: usize = 64 << 10;
        if self.open <= SMALL {
            return true;
        }
        let mut pages = vec![0u8; self.open / page_size()];
        // SAFETY: `pages` has one byte for each page of the open part, as mincore asks.
        let failed = unsafe { libc::mincore(self.base.as_ptr().cast(), self.open, pages.as_mut_ptr().cast()) };
        failed == 0 && pages.iter().filter(|&&page| page & 1 != 0).count() * 2 > pages.len()
    }

    fn unmap(&mut self) {
        // SAFETY: the reservation is this value's own, and it is not used after this.
        let failed = unsafe { libc::munmap(self.base.as_ptr().cast(), self.reserved) };
        debug_assert_eq!(failed, 0, "munmap: {}", std::io::Error::last_os_error());
        self.reserved = 0;
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.reserved == 0 {
            return;
        }
        if is_short() {
            return self.unmap();
        }
        let mut pool = POOL.lock().unwrap_or_else(|e| e.into_inner());
        let held: usize = pool.iter().map(|m| m.open).sum();
        if pool.len() < POOL_COUNT && held + self.open <= POOL_BYTES {
            pool.push(Mapping { base: self.base, reserved: self.reserved, open: self.open });
        } else {
            drop(pool);
            self.unmap();
        }
    }
}

pub(crate) fn page_size() -> usize {
    static SIZE: OnceLock<usize> = OnceLock::new();
    // SAFETY: sysconf reads a constant of the system.
    *SIZE.get_or_init(|| unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize)
}

pub(crate) fn page_ceil(bytes: usize) -> usize {
    bytes.checked_next_multiple_of(page_size()).unwrap_or(usize::MAX & !(page_size() - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(mapping: &Mapping) -> &[u8] {
        // SAFETY: the tests are this mapping's only users, and do not write while they read.
        unsafe { std::slice::from_raw_parts(mapping.base.as_ptr(), mapping.open) }
    }

    #[test]
    fn a_reused_mapping_reads_as_zero_and_is_no_longer_than_asked() {
        // A size that no other test uses, so that the pool answers with this test's own mapping.
        let reserved = 3 << 20;
        for (dirty, next) in [(64 << 10, 64 << 10), (1 << 20, 64 << 10), (64 << 10, 2 << 20), (2 << 20, 2 << 20)] {
            let mapping = Mapping::new(dirty, reserved).unwrap();
            // SAFETY: the whole open part is writable.
            unsafe { mapping.base.as_ptr().write_bytes(0xaa, mapping.open) };
            drop(mapping);
            let again = Mapping::new(next, reserved).unwrap();
            assert_eq!(again.open, next);
            assert!(bytes(&again).iter().all(|&b| b == 0), "{dirty} then {next}");
        }
    }

    #[test]
    fn a_reservation_that_cannot_be_had_says_so() {
        let error = Mapping::new(0, 1 << 60).unwrap_err();
        assert!(error.to_string().starts_with("cannot reserve 1152921504606846976 bytes of memory: "), "{error}");
    }
}
