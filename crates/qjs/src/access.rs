//! The bytes of buffers and views, lent to Rust functions where they lie.
//!
//! A function that is lent bytes must not run a script or a guest, which could free them or write to them meanwhile.
//! That is why it has to be `'static`: it cannot have captured a context, and without one nothing runs. Bytes that
//! other threads can reach are never lent: the function gets a copy, and what it wrote is copied back.

use std::ops::Range;

use rquickjs::{Ctx, Exception, Value, qjs as q};

use crate::buffer::{Bytes, buffer_of, element_kind, is_immutable, source_bytes, typed_array_bytes};
use crate::room;
use crate::string::Units;
use crate::value::{Borrowed, Cx};

/// Bytes of a script's.
struct Place {
    bytes: Bytes,
    /// Only this thread can reach them.
    is_ours: bool,
}

impl Place {
    /// The bytes of a buffer or view; none for any other value, or if it is detached or out of bounds.
    fn of(ctx: &Ctx<'_>, value: &Value<'_>) -> Self {
        let (cx, borrowed) = (Cx::of(ctx), Borrowed::of(value));
        let Some((bytes, _)) = source_bytes(cx, borrowed) else { return Self { bytes: Bytes::EMPTY, is_ours: true } };
        // SAFETY: QuickJS reads the object's class; that of a shared buffer is another.
        let is_ours = buffer_of(cx, borrowed).is_some_and(|buffer| unsafe { q::JS_IsArrayBuffer(buffer.as_raw()) });
        Self { bytes, is_ours }
    }

    /// As far as there are bytes in the range.
    fn part(&self, range: Range<usize>) -> Bytes {
        let start = range.start.min(self.bytes.len);
        let end = range.end.clamp(start, self.bytes.len);
        // SAFETY: the range lies within the bytes.
        Bytes { start: unsafe { self.bytes.start.add(start) }, len: end - start }
    }

    /// Runs `body` with the bytes.
    ///
    /// # Safety
    /// Nothing ran since this was made, and `body` runs no script and no guest.
    unsafe fn lend<R>(&self, ctx: &Ctx<'_>, part: Bytes, body: impl FnOnce(&[u8]) -> R) -> rquickjs::Result<R> {
        if !self.is_ours {
            room::check(ctx, part.len)?;
            // SAFETY: by the caller's promise.
            return Ok(body(&unsafe { part.to_vec() }));
        }
        // SAFETY: the bytes are there by the caller's promise, and nobody writes to them while `body` runs.
        Ok(body(unsafe { std::slice::from_raw_parts(part.start.as_ptr(), part.len) }))
    }

    /// Runs `body`, which returns how many bytes it wrote from the start.
    ///
    /// # Safety
    /// As [`Place::lend`], and `body` has no other reference to the bytes.
    unsafe fn lend_mut(
        &self,
        ctx: &Ctx<'_>,
        part: Bytes,
        body: impl FnOnce(&mut [u8]) -> usize,
    ) -> rquickjs::Result<usize> {
        if !self.is_ours {
            room::check(ctx, part.len)?;
            // SAFETY: by the caller's promise.
            let mut copy = unsafe { part.to_vec() };
            let written = body(&mut copy).min(copy.len());
            // SAFETY: as many bytes are there. Others may read and write them at the same time: that is what a shared
            // buffer is for, and scripts see it as bytes of either.
            unsafe { std::ptr::copy_nonoverlapping(copy.as_ptr(), part.start.as_ptr(), written) };
            return Ok(written);
        }
        // SAFETY: the bytes are there by the caller's promise, and nobody else reads or writes them.
        Ok(body(unsafe { std::slice::from_raw_parts_mut(part.start.as_ptr(), part.len) }))
    }
}

/// Throws if the bytes of a buffer or view must not change.
fn check_mutable(ctx: &Ctx<'_>, value: &Value<'_>) -> rquickjs::Result<()> {
    let buffer = buffer_of(Cx::of(ctx), Borrowed::of(value)).and_then(Value::into_object);
    match buffer.is_some_and(|buffer| is_immutable(&buffer)) {
        true => Err(Exception::throw_type(ctx, "the buffer is immutable")),
        false => Ok(()),
    }
}

/// Runs `body` with those bytes of a buffer or view that lie in `range`; with none if the value is anything else, or if
/// it is detached or out of bounds.
///
/// # Errors
/// A RangeError if there is no memory for a copy of shared bytes.
pub fn read<R>(
    ctx: &Ctx<'_>,
    value: &Value<'_>,
    range: Range<usize>,
    body: impl FnOnce(&[u8]) -> R + 'static,
) -> rquickjs::Result<R> {
    let place = Place::of(ctx, value);
    // SAFETY: nothing ran in between, and `body` has no context to run anything.
    unsafe { place.lend(ctx, place.part(range), body) }
}

/// [`read`] for two values.
///
/// # Errors
/// As [`read`].
pub fn read_both<R>(
    ctx: &Ctx<'_>,
    (one, one_range): (&Value<'_>, Range<usize>),
    (two, two_range): (&Value<'_>, Range<usize>),
    body: impl FnOnce(&[u8], &[u8]) -> R + 'static,
) -> rquickjs::Result<R> {
    let (one, two) = (Place::of(ctx, one), Place::of(ctx, two));
    // SAFETY: as above. Finding the second place runs nothing either, and both are only read.
    unsafe {
        one.lend(ctx, one.part(one_range), |first| two.lend(ctx, two.part(two_range), |second| body(first, second)))?
    }
}

/// Runs `body` with those bytes of a buffer or view that lie in `range`, to write to: it returns how many of them it
/// has written, from the start.
///
/// # Errors
/// As [`read`], and if the buffer is immutable.
pub fn write(
    ctx: &Ctx<'_>,
    target: &Value<'_>,
    range: Range<usize>,
    body: impl FnOnce(&mut [u8]) -> usize + 'static,
) -> rquickjs::Result<usize> {
    check_mutable(ctx, target)?;
    let place = Place::of(ctx, target);
    // SAFETY: nothing ran in between, `body` has no context to run anything, and cannot have been lent other bytes.
    unsafe { place.lend_mut(ctx, place.part(range), body) }
}

/// [`write`] of something that is made of a string: `body` gets its units.
///
/// # Errors
/// As [`write`]; a TypeError if `text` is not a string.
pub fn write_text(
    ctx: &Ctx<'_>,
    target: &Value<'_>,
    range: Range<usize>,
    text: &Value<'_>,
    body: impl FnOnce(&mut [u8], Units<'_>) -> usize + 'static,
) -> rquickjs::Result<usize> {
    let Some(units) = Units::of(Cx::of(ctx), Borrowed::of(text))? else {
        return Err(Exception::throw_type(ctx, "expected a string"));
    };
    check_mutable(ctx, target)?;
    let place = Place::of(ctx, target);
    // SAFETY: as in `write`; the units of a string lie elsewhere and never change.
    unsafe { place.lend_mut(ctx, place.part(range), |bytes| body(bytes, units)) }
}

/// Copies bytes, as far as there are any and room for them, and returns how many. The two may overlap.
///
/// # Errors
/// If the target is immutable.
pub fn copy(
    ctx: &Ctx<'_>,
    target: &Value<'_>,
    at: usize,
    source: &Value<'_>,
    range: Range<usize>,
) -> rquickjs::Result<usize> {
    check_mutable(ctx, target)?;
    let (target, source) = (Place::of(ctx, target).part(at..usize::MAX), Place::of(ctx, source).part(range));
    let count = source.len.min(target.len);
    // SAFETY: nothing ran since the bytes were found, and both have as many. They may be shared, see `lend_mut`.
    unsafe { std::ptr::copy(source.start.as_ptr(), target.start.as_ptr(), count) };
    Ok(count)
}

/// Up to eight bytes of a typed array, followed by zeros; `None` if they do not all lie in it.
#[inline]
pub fn peek(cx: Cx<'_>, array: Borrowed<'_>, at: usize, len: usize) -> Option<[u8; 8]> {
    let place = few(cx, array, at, len)?;
    let mut copy = [0; 8];
    // SAFETY: nothing ran since the bytes were found, and `few` allows no more than eight.
    unsafe { std::ptr::copy_nonoverlapping(place.start.as_ptr(), copy.as_mut_ptr(), place.len) };
    Some(copy)
}

/// Writes the first `len` of the bytes to a typed array; `None`, and nothing is written, if they do not all lie in it or
/// it is immutable.
#[inline]
pub fn poke(cx: Cx<'_>, array: Borrowed<'_>, at: usize, bytes: [u8; 8], len: usize) -> Option<()> {
    let place = few(cx, array, at, len)?;
    if is_immutable(buffer_of(cx, array)?.as_object()?) {
        return None;
    }
    // SAFETY: nothing ran since the bytes were found, and `few` allows no more than eight. They may be shared, see
    // `lend_mut`.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), place.start.as_ptr(), place.len) };
    Some(())
}

#[inline]
fn few(cx: Cx<'_>, array: Borrowed<'_>, at: usize, len: usize) -> Option<Bytes> {
    element_kind(array)?;
    let bytes = typed_array_bytes(cx, array)?;
    if len > 8 || at.checked_add(len)? > bytes.len {
        return None;
    }
    // SAFETY: the place lies within the bytes.
    Some(Bytes { start: unsafe { bytes.start.add(at) }, len })
}
