//! Pages that compiled guests read again and again, and that fault when these guests have to stop.
//!
//! Wasmtime tells by its address which memory of a store a fault belongs to, and each memory claims as many bytes from
//! its base on as any memory reserves at the least, guard and all, whether it has them or not. So the instances of one
//! store read pages that lie that far apart; the stores of a thread share them. All that is reserved is readable, and
//! is one piece to the kernel, so that one call closes or opens it.

use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard};

use crate::mapping::MapError;

/// The poll pages of one thread's guests.
#[derive(Debug)]
pub struct PollPages {
    /// Bytes between two pages.
    stride: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    regions: Vec<Region>,
    /// A region that is never closed.
    open: Option<Region>,
    closed: bool,
}

/// A range of addresses with room for some pages.
#[derive(Debug)]
struct Region {
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: a region is a range of addresses, owned by this value alone; nothing about it belongs to a thread.
unsafe impl Send for Region {}

impl PollPages {
    /// Bytes of one page that guests may read.
    pub const PAGE: usize = 64 << 10;

    /// Pages that claim `claim` bytes each, which is a multiple of [`PollPages::PAGE`].
    pub fn new(claim: usize) -> Self {
        Self { stride: claim.max(Self::PAGE), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// The page with this number. Numbers count from 0; the address is valid as long as this value.
    ///
    /// # Errors
    /// [`MapError`] when the system refuses the address space.
    pub fn page(&self, mut number: usize) -> Result<NonNull<u8>, MapError> {
        let mut state = self.state();
        let mut at = 0;
        loop {
            if at == state.regions.len() {
                let region = Region::new(self.stride * (8 << at.min(7)))?;
                if state.closed {
                    region.protect(libc::PROT_NONE)?;
                }
                state.regions.push(region);
            }
            let region = &state.regions[at];
            let pages = region.bytes / self.stride;
            if number < pages {
                // SAFETY: the page lies in the region.
                return Ok(unsafe { region.base.add(number * self.stride) });
            }
            number -= pages;
            at += 1;
        }
    }

    /// A page that is never closed, for instances that no page of their own is left for. Any number of them can have
    /// it.
    ///
    /// # Errors
    /// [`MapError`] when the system refuses the address space.
    pub fn open_page(&self) -> Result<NonNull<u8>, MapError> {
        let mut state = self.state();
        if state.open.is_none() {
            state.open = Some(Region::new(self.stride)?);
        }
        Ok(state.open.as_ref().map_or(NonNull::dangling(), |region| region.base))
    }

    /// Makes every read of a page fault, those in progress on other threads included.
    ///
    /// # Errors
    /// [`MapError`] when the system refuses: guests run on then.
    pub fn close(&self) -> Result<(), MapError> {
        self.set(true, libc::PROT_NONE)
    }

    /// Makes the pages readable again.
    ///
    /// # Errors
    /// [`MapError`] when the system refuses: guests that poll stop at once.
    pub fn open(&self) -> Result<(), MapError> {
        self.set(false, libc::PROT_READ)
    }

    fn set(&self, closed: bool, protection: libc::c_int) -> Result<(), MapError> {
        let mut state = self.state();
        if state.closed != closed {
            state.closed = closed;
            state.regions.iter().try_for_each(|region| region.protect(protection))?;
        }
        Ok(())
    }
}

impl Region {
    fn new(bytes: usize) -> Result<Self, MapError> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a fresh anonymous mapping at an address of the kernel's choice touches nothing that exists.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_READ, flags, -1, 0) };
        match NonNull::new(base.cast::<u8>()).filter(|_| base != libc::MAP_FAILED) {
            Some(base) => Ok(Self { base, bytes }),
            None => Err(MapError { doing: "reserve", bytes, source: std::io::Error::last_os_error() }),
        }
    }

    fn protect(&self, protection: libc::c_int) -> Result<(), MapError> {
        let bytes = self.bytes;
        // SAFETY: the range is this region's own, and nobody in Rust reads it.
        match unsafe { libc::mprotect(self.base.as_ptr().cast(), bytes, protection) } {
            0 => Ok(()),
            _ => Err(MapError { doing: "protect", bytes, source: std::io::Error::last_os_error() }),
        }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: the reservation is this value's own, and guests that read it keep the whole of `PollPages`.
        let failed = unsafe { libc::munmap(self.base.as_ptr().cast(), self.bytes) };
        debug_assert_eq!(failed, 0, "munmap: {}", std::io::Error::last_os_error());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_lie_apart_and_stay() {
        const CLAIM: usize = (4 << 30) + (64 << 20);
        let pages = PollPages::new(CLAIM);
        let addresses: Vec<_> = (0..30).map(|number| pages.page(number).unwrap().addr().get()).collect();
        for (at, one) in addresses.iter().enumerate() {
            for other in &addresses[at + 1..] {
                assert!(one.abs_diff(*other) >= CLAIM);
            }
        }
        pages.close().unwrap();
        pages.open().unwrap();
        assert_eq!(pages.page(17).unwrap().addr().get(), addresses[17]);
        // SAFETY: the pages are open.
        assert_eq!(unsafe { pages.page(29).unwrap().read_volatile() }, 0);
    }
}
