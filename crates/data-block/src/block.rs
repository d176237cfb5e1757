//! The data block: a mapping with a length, read and written by copies.
//!
//! Guests, scripts and, for shared memories, other threads write to these bytes at any time. The host therefore never
//! makes a `&[u8]` over them: every access copies, byte for byte, through raw pointers. A copy that races with a
//! writer may come out torn, as the WebAssembly memory model lets it; it cannot read outside the block.

use std::collections::BTreeMap;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use crate::budget::Budget;
use crate::mapping::{MapError, Mapping};

/// The raw bytes behind a memory. Its base address never changes; its length only grows.
#[derive(Debug)]
pub struct DataBlock {
    base: NonNull<u8>,
    len: AtomicUsize,
    capacity: usize,
    budget: Option<Budget>,
    /// Called with the block's addresses before they are given back.
    at_end: OnceLock<fn(Range<usize>)>,
    mapping: Mutex<Mapping>,
}

/// The blocks of the process: where each begins, and where its address space ends.
static RANGES: Mutex<BTreeMap<usize, usize>> = Mutex::new(BTreeMap::new());

/// The address of a pointer within its block, if it points into any block of the process.
pub fn address_of(pointer: NonNull<u8>) -> Option<u64> {
    let ranges = RANGES.lock().unwrap_or_else(|e| e.into_inner());
    let at = pointer.addr().get();
    let (&base, &end) = ranges.range(..=at).next_back()?;
    (at < end).then_some((at - base) as u64)
}

static LIVE_BYTES: AtomicUsize = AtomicUsize::new(0);
static LIVE_BLOCKS: AtomicUsize = AtomicUsize::new(0);

/// How many blocks there are in the process, and how many bytes they have together. A garbage collector that sees only
/// the small objects around them should know.
pub fn live() -> (usize, usize) {
    (LIVE_BLOCKS.load(Ordering::Relaxed), LIVE_BYTES.load(Ordering::Relaxed))
}

// SAFETY: `base` points into `mapping`, which the block owns; the bytes are only reached through raw copies and
// pointers whose users answer for their own races.
unsafe impl Send for DataBlock {}
// SAFETY: as above; the length is atomic and growing takes the lock.
unsafe impl Sync for DataBlock {}

/// A range that does not lie in the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutOfBounds {
    /// The first byte that was asked for.
    pub address: u64,
    /// How many bytes were asked for.
    pub len: u64,
    /// The block's length in bytes at that time.
    pub block: u64,
}

impl std::fmt::Display for OutOfBounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { address, len, block } = self;
        write!(f, "{len} bytes at address {address:#x} are outside the memory of {block} bytes")
    }
}

impl std::error::Error for OutOfBounds {}

/// Takes bytes of a budget, if there is one.
fn take(budget: Option<&Budget>, bytes: usize) -> Result<(), MapError> {
    match budget.filter(|budget| !budget.take(bytes)) {
        None => Ok(()),
        Some(budget) => {
            let reason = format!("{} of {} bytes are in use", budget.used(), budget.limit());
            Err(MapError { doing: "use", bytes, source: std::io::Error::other(reason) })
        }
    }
}

impl DataBlock {
    /// A block of `len` zero bytes that can grow to `capacity`, followed by `guard` bytes that always fault.
    ///
    /// # Errors
    /// [`MapError`] when the system refuses the address space or the memory.
    pub fn new(len: usize, capacity: usize, guard: usize) -> Result<Arc<Self>, MapError> {
        Self::on_budget(None, len, capacity, guard)
    }

    /// [`DataBlock::new`], with bytes that count against a budget.
    ///
    /// # Errors
    /// Also when the budget has too few bytes left.
    pub fn on_budget(budget: Option<Budget>, len: usize, capacity: usize, guard: usize) -> Result<Arc<Self>, MapError> {
        take(budget.as_ref(), len)?;
        Self::make(budget.clone(), len, capacity, guard).inspect_err(|_| {
            budget.iter().for_each(|budget| budget.give_back(len));
        })
    }

    fn make(budget: Option<Budget>, len: usize, capacity: usize, guard: usize) -> Result<Arc<Self>, MapError> {
        let capacity = capacity.max(len);
        let mapping = Mapping::new(len, capacity.saturating_add(guard))?;
        let base = mapping.base();
        let start = base.addr().get();
        RANGES.lock().unwrap_or_else(|e| e.into_inner()).insert(start, start + capacity);
        LIVE_BLOCKS.fetch_add(1, Ordering::Relaxed);
        LIVE_BYTES.fetch_add(len, Ordering::Relaxed);
        Ok(Arc::new(Self {
            base,
            len: AtomicUsize::new(len),
            capacity,
            budget,
            at_end: OnceLock::new(),
            mapping: Mutex::new(mapping),
        }))
    }

    /// Has `hear` called when the block ends, before anything else can get its addresses. Only the first call counts.
    pub fn at_end(&self, hear: fn(Range<usize>)) {
        self.at_end.get_or_init(|| hear);
    }

    /// The address of the first byte. Valid as long as the block is.
    #[inline]
    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// The length in bytes now. It may be larger a moment later, never smaller.
    #[inline]
    pub fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    /// Whether the block has no bytes now.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The length in bytes that the block can grow to.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// How much address space from the base on belongs to the block alone: its capacity, and what always faults behind
    /// it.
    pub fn address_space(&self) -> usize {
        self.mapping.lock().unwrap_or_else(|e| e.into_inner()).reserved()
    }

    /// Grows the block to `len` bytes; the new ones read as zero. A `len` not above the present one changes nothing.
    ///
    /// # Errors
    /// [`MapError`] when the system refuses the memory or `len` is above the capacity.
    pub fn grow_to(&self, len: usize) -> Result<(), MapError> {
        if len > self.capacity {
            let source = std::io::Error::from(std::io::ErrorKind::OutOfMemory);
            return Err(MapError { doing: "grow to", bytes: len, source });
        }
        let mut mapping = self.mapping.lock().unwrap_or_else(|e| e.into_inner());
        let before = self.len.load(Ordering::Relaxed);
        if len > before {
            take(self.budget.as_ref(), len - before)?;
            mapping.open_to(len).inspect_err(|_| {
                self.budget.iter().for_each(|budget| budget.give_back(len - before));
            })?;
            LIVE_BYTES.fetch_add(len - before, Ordering::Relaxed);
            self.len.store(len, Ordering::Release);
        }
        Ok(())
    }

    /// Where the `len` bytes at `address` begin, if they lie in the block.
    ///
    /// # Errors
    /// [`OutOfBounds`] when they do not.
    #[inline]
    pub fn range(&self, address: u64, len: u64) -> Result<NonNull<u8>, OutOfBounds> {
        let block = self.len() as u64;
        if address.checked_add(len).is_none_or(|end| end > block) {
            return Err(OutOfBounds { address, len, block });
        }
        // SAFETY: `address` is at most the block's length, so the result is in the mapping or one past its end.
        Ok(unsafe { self.base.add(address as usize) })
    }

    /// Copies `into.len()` bytes out of the block, from `address` on.
    ///
    /// # Errors
    /// [`OutOfBounds`]; nothing is copied then.
    #[inline]
    pub fn read(&self, address: u64, into: &mut [u8]) -> Result<(), OutOfBounds> {
        let from = self.range(address, into.len() as u64)?;
        // SAFETY: the range was checked, and host memory that is borrowed mutably cannot overlap the mapping.
        unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), into.as_mut_ptr(), into.len()) };
        Ok(())
    }

    /// Copies `from` into the block at `address`.
    ///
    /// # Errors
    /// [`OutOfBounds`]; nothing is copied then.
    pub fn write(&self, address: u64, from: &[u8]) -> Result<(), OutOfBounds> {
        let to = self.range(address, from.len() as u64)?;
        // SAFETY: the range was checked. `from` is host memory or, if a caller lends guest bytes, may overlap:
        // `copy` allows both.
        unsafe { std::ptr::copy(from.as_ptr(), to.as_ptr(), from.len()) };
        Ok(())
    }

    /// Sets `len` bytes at `address` to `value`.
    ///
    /// # Errors
    /// [`OutOfBounds`]; nothing is written then.
    pub fn fill(&self, address: u64, len: u64, value: u8) -> Result<(), OutOfBounds> {
        let start = self.range(address, len)?;
        // SAFETY: the range was checked, and nobody holds a reference to guest bytes.
        unsafe { start.as_ptr().write_bytes(value, len as usize) };
        Ok(())
    }

    /// How many bytes there are from `address` up to the first zero byte, which does not count.
    ///
    /// # Errors
    /// [`OutOfBounds`] when `address` is outside, or no zero byte comes before the block's end; `len` is then the
    /// distance to that end.
    pub fn c_string_len(&self, address: u64) -> Result<u64, OutOfBounds> {
        let block = self.len() as u64;
        let rest = block.checked_sub(address).filter(|&rest| rest > 0);
        let rest = rest.ok_or(OutOfBounds { address, len: 1, block })? as usize;
        let start = self.range(address, rest as u64)?;
        // SAFETY: `rest` bytes are readable from `start` on; memchr reads no further than that.
        let end = unsafe { libc::memchr(start.as_ptr().cast(), 0, rest) };
        let end = NonNull::new(end.cast::<u8>()).ok_or(OutOfBounds { address, len: rest as u64 + 1, block })?;
        Ok((end.as_ptr().addr() - start.as_ptr().addr()) as u64)
    }

    /// The bytes from `address` up to the first zero byte, which is left out: where they begin, how many there are, and
    /// whether all of them are ASCII. `None` if there are more than `most`, or if no zero byte comes before the block's
    /// end.
    #[inline]
    pub fn short_c_string(&self, address: u64, most: usize) -> Option<(NonNull<u8>, usize, bool)> {
        const HIGH: u64 = 0x8080_8080_8080_8080;
        const ONES: u64 = 0x0101_0101_0101_0101;
        let rest = usize::try_from((self.len() as u64).checked_sub(address)?).ok()?;
        // SAFETY: `address` is at most the block's length.
        let start = unsafe { self.base.add(address as usize) };
        let (mut len, mut seen) = (0, 0);
        while len <= most && len + size_of::<u64>() <= rest {
            // SAFETY: there are as many bytes.
            let word = u64::from_le(unsafe { start.add(len).cast::<u64>().read_unaligned() });
            // The lowest bit that is set here is the highest one of the first zero byte.
            let ends = word.wrapping_sub(ONES) & !word & HIGH;
            if ends != 0 {
                // What comes before that byte, and the byte, which is zero.
                seen |= word & (ends ^ (ends - 1));
                len += ends.trailing_zeros() as usize / 8;
                return (len <= most).then_some((start, len, seen & HIGH == 0));
            }
            (len, seen) = (len + size_of::<u64>(), seen | word);
        }
        // The last bytes of the block.
        while len <= most && len < rest {
            // SAFETY: as above.
            match unsafe { start.add(len).read() } {
                0 => return Some((start, len, seen & HIGH == 0)),
                byte => (len, seen) = (len + 1, seen | u64::from(byte)),
            }
        }
        None
    }

    /// The bytes from `address` up to the first zero byte, which is left out.
    ///
    /// # Errors
    /// As [`DataBlock::c_string_len`].
    pub fn read_c_string(&self, address: u64) -> Result<Vec<u8>, OutOfBounds> {
        let mut bytes = vec![0; self.c_string_len(address)? as usize];
        self.read(address, &mut bytes)?;
        Ok(bytes)
    }
}

impl Drop for DataBlock {
    fn drop(&mut self) {
        let start = self.base.addr().get();
        self.at_end.get().inspect(|hear| hear(start..start + self.capacity));
        RANGES.lock().unwrap_or_else(|e| e.into_inner()).remove(&start);
        LIVE_BLOCKS.fetch_sub(1, Ordering::Relaxed);
        LIVE_BYTES.fetch_sub(*self.len.get_mut(), Ordering::Relaxed);
        self.budget.iter().for_each(|budget| budget.give_back(self.len.load(Ordering::Relaxed)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 64 << 10;

    #[test]
    fn growing_keeps_the_base_and_the_bytes() {
        let block = DataBlock::new(PAGE, 16 * PAGE, PAGE).unwrap();
        let base = block.base();
        block.write(PAGE as u64 - 4, b"tail").unwrap();
        block.grow_to(16 * PAGE).unwrap();
        block.grow_to(2 * PAGE).unwrap();
        assert_eq!((block.base(), block.len()), (base, 16 * PAGE));
        let mut tail = [1; 6];
        block.read(PAGE as u64 - 4, &mut tail).unwrap();
        assert_eq!(&tail, b"tail\0\0");
        assert!(block.grow_to(17 * PAGE).is_err());
    }

    #[test]
    fn a_budget_is_of_all_blocks_together() {
        let budget = Budget::new(3 * PAGE);
        let new = |pages: usize| DataBlock::on_budget(Some(budget.clone()), pages * PAGE, 4 * PAGE, 0);
        let (one, two) = (new(1).unwrap(), new(1).unwrap());
        assert!(new(2).is_err());
        one.grow_to(2 * PAGE).unwrap();
        let error = two.grow_to(2 * PAGE).unwrap_err().to_string();
        assert_eq!(error, "cannot use 65536 bytes of memory: 196608 of 196608 bytes are in use");
        assert_eq!((two.len(), budget.used()), (PAGE, 3 * PAGE));
        drop(one);
        two.grow_to(3 * PAGE).unwrap();
        drop(two);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn what_lies_outside_is_refused_and_named() {
        let block = DataBlock::new(PAGE, PAGE, 0).unwrap();
        for (address, len) in [(PAGE as u64, 1), (PAGE as u64 - 1, 2), (u64::MAX, 1), (1, u64::MAX)] {
            let error = block.range(address, len).unwrap_err();
            assert_eq!(error, OutOfBounds { address, len, block: PAGE as u64 });
        }
        assert!(block.range(PAGE as u64, 0).is_ok());
        assert!(block.write(PAGE as u64 - 3, b"four").is_err());
        let message = block.read(PAGE as u64, &mut [0]).unwrap_err().to_string();
        assert_eq!(message, "1 bytes at address 0x10000 are outside the memory of 65536 bytes");
    }

    #[test]
    fn a_c_string_ends_at_its_zero_or_not_at_all() {
        let block = DataBlock::new(PAGE, PAGE, 0).unwrap();
        block.write(10, b"island\0").unwrap();
        assert_eq!(block.read_c_string(10).unwrap(), b"island");
        assert_eq!(block.read_c_string(16).unwrap(), b"");
        block.write(PAGE as u64 - 3, b"end").unwrap();
        assert!(block.read_c_string(PAGE as u64 - 3).is_err());
        assert!(block.short_c_string(PAGE as u64 - 3, 100).is_none());
        assert!(block.read_c_string(PAGE as u64).is_err());
    }

    #[test]
    fn a_short_c_string_says_whether_it_is_ascii() {
        let block = DataBlock::new(PAGE, PAGE, 0).unwrap();
        // Wherever the zero is among the words, at the end of the block too; and what follows it does not count.
        for address in [0, 3, PAGE as u64 - 40] {
            for len in 0..=30u64 {
                let found = |most| {
                    let found = block.short_c_string(address, most);
                    found.map(|(start, len, is_ascii)| (start == block.range(address, 0).unwrap(), len, is_ascii))
                };
                block.fill(address, 40, 0xff).unwrap();
                block.fill(address, len, b'a').unwrap();
                block.write(address + len, &[0]).unwrap();
                assert_eq!(found(30), Some((true, len as usize, true)), "{len} bytes at {address}");
                assert_eq!(found(len as usize), Some((true, len as usize, true)));
                assert_eq!(len.checked_sub(1).and_then(|less| found(less as usize)), None);
                for other in 0..len {
                    block.write(address + other, &[0x80]).unwrap();
                    assert_eq!(found(30), Some((true, len as usize, false)), "the byte {other} of {len} at {address}");
                    block.write(address + other, &[1]).unwrap();
                }
            }
        }
        block.fill(PAGE as u64 - 40, 40, b'a').unwrap();
        assert!(block.short_c_string(PAGE as u64 - 40, 100).is_none());
        assert!(block.short_c_string(PAGE as u64, 100).is_none());
        assert!(block.short_c_string(PAGE as u64 + 1, 100).is_none());
        assert!(block.short_c_string(u64::MAX, 100).is_none());
    }
}
