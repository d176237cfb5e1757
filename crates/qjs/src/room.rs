//! Memory for things whose size a script chooses. Rust ends the process if an allocation fails, so this asks first.

use rquickjs::{Ctx, Exception};

/// Whether so many bytes could be allocated now.
pub fn is_there(bytes: usize) -> bool {
    let mut room = Vec::<u8>::new();
    let is_there = room.try_reserve_exact(bytes).is_ok();
    // The compiler removes an allocation that nobody looks at, and assumes that it succeeds.
    std::hint::black_box(&room);
    is_there
}

/// Throws if so many bytes could not be allocated now.
///
/// # Errors
/// A RangeError.
pub fn check(ctx: &Ctx<'_>, bytes: usize) -> rquickjs::Result<()> {
    /// Room for small things is not checked: there nearly always is some, and checking takes time.
    const SMALL: usize = 64 << 10;
    if bytes <= SMALL || is_there(bytes) { Ok(()) } else { Err(none(ctx, bytes)) }
}

/// Throws that there is no memory for so many bytes.
pub fn none(ctx: &Ctx<'_>, bytes: usize) -> rquickjs::Error {
    Exception::throw_range(ctx, &format!("there is no memory for {bytes} bytes"))
}

/// An empty list with room for `count`.
///
/// # Errors
/// A RangeError if there is no memory for that many.
pub fn with_capacity<T>(ctx: &Ctx<'_>, count: usize) -> rquickjs::Result<Vec<T>> {
    reserve(count).ok_or_else(|| none(ctx, count.saturating_mul(size_of::<T>())))
}

/// [`with_capacity`] for any thread: `None` if there is no memory for that many.
pub fn reserve<T>(count: usize) -> Option<Vec<T>> {
    let mut list = Vec::new();
    list.try_reserve_exact(count).ok()?;
    #[cfg(target_os = "linux")]
    advise_huge_pages(list.spare_capacity_mut());
    Some(list)
}

/// Has the system use large pages for a large allocation that is about to be filled: faulting in small ones, one by one,
/// takes longer than filling them.
#[cfg(target_os = "linux")]
fn advise_huge_pages<T>(room: &mut [T]) {
    /// Less has too few whole large pages in it.
    const LARGE: usize = 8 << 20;
    const PAGE: usize = 4096;
    let range = room.as_mut_ptr_range();
    let (start, end) = (range.start.addr().next_multiple_of(PAGE), range.end.addr() / PAGE * PAGE);
    if size_of_val(room) >= LARGE {
        // SAFETY: the range lies in the allocation, whose contents the advice does not change. If the system does not
        // take it, nothing is different.
        unsafe { libc::madvise(range.start.with_addr(start).cast(), end - start, libc::MADV_HUGEPAGE) };
    }
}

/// The items, as a list of at most `count`.
///
/// # Errors
/// As [`with_capacity`].
pub fn list<T>(ctx: &Ctx<'_>, count: usize, items: impl Iterator<Item = T>) -> rquickjs::Result<Vec<T>> {
    let mut list = with_capacity(ctx, count)?;
    list.extend(items.take(count));
    Ok(list)
}
