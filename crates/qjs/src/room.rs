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
    let mut list = Vec::new();
    list.try_reserve_exact(count).map_err(|_| none(ctx, count.saturating_mul(size_of::<T>())))?;
    Ok(list)
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
