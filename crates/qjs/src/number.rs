//! Numeric conversions of ECMAScript, by QuickJS's own implementation.

use rquickjs::qjs as q;

use crate::value::{Borrowed, Cx};

/// ToInt32. May run scripts (`valueOf`).
///
/// # Errors
/// The exception is pending in the context.
#[inline]
pub fn to_int32(cx: Cx<'_>, value: Borrowed<'_>) -> rquickjs::Result<i32> {
    if let Some(int) = value.int() {
        return Ok(int);
    }
    let mut out = 0;
    // SAFETY: the value is alive; QuickJS writes an `i32`.
    let failed = unsafe { q::JS_ToInt32(cx.raw(), &mut out, value.raw()) };
    if failed != 0 { Err(rquickjs::Error::Exception) } else { Ok(out) }
}

/// ToNumber. May run scripts.
///
/// # Errors
/// The exception is pending in the context.
#[inline]
pub fn to_number(cx: Cx<'_>, value: Borrowed<'_>) -> rquickjs::Result<f64> {
    if let Some(number) = value.number() {
        return Ok(number);
    }
    let mut out = 0.0;
    // SAFETY: the value is alive; QuickJS writes an `f64`.
    let failed = unsafe { q::JS_ToFloat64(cx.raw(), &mut out, value.raw()) };
    if failed != 0 { Err(rquickjs::Error::Exception) } else { Ok(out) }
}

/// The value of a BigInt that fits an unsigned number of 64 bits; `None` for any other.
///
/// # Errors
/// When memory is out.
pub fn to_biguint64_exact(cx: Cx<'_>, value: Borrowed<'_>) -> rquickjs::Result<Option<u64>> {
    let wrapped = to_bigint64(cx, value)? as u64;
    let back = cx.biguint(wrapped).into_value(cx)?;
    // SAFETY: both values are alive.
    let same = unsafe { q::JS_IsSameValue(cx.raw(), back.as_raw(), value.raw()) };
    Ok(same.then_some(wrapped))
}

/// The value of a BigInt that fits a signed number of 64 bits; `None` for any other.
///
/// # Errors
/// When memory is out.
pub fn to_bigint64_exact(cx: Cx<'_>, value: Borrowed<'_>) -> rquickjs::Result<Option<i64>> {
    let wrapped = to_bigint64(cx, value)?;
    let back = cx.bigint(wrapped).into_value(cx)?;
    // SAFETY: both values are alive.
    let same = unsafe { q::JS_IsSameValue(cx.raw(), back.as_raw(), value.raw()) };
    Ok(same.then_some(wrapped))
}

/// ToBigInt64. May run scripts.
///
/// # Errors
/// The exception is pending in the context.
#[inline]
pub fn to_bigint64(cx: Cx<'_>, value: Borrowed<'_>) -> rquickjs::Result<i64> {
    let mut out = 0;
    // SAFETY: the value is alive; QuickJS writes an `i64`.
    let failed = unsafe { q::JS_ToBigInt64(cx.raw(), &mut out, value.raw()) };
    if failed != 0 { Err(rquickjs::Error::Exception) } else { Ok(out) }
}
