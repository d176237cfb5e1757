//! Bytes between JavaScript and Rust.
//!
//! Another agent or a guest may write to memory that a script passes to us while we read it. So nothing here looks at
//! such memory from Rust: the engine copies it, once, into a buffer of ours (`%TypedArray%.prototype.set`), and only
//! then does Rust read it.

use std::sync::Arc;

use rquickjs::{ArrayBuffer, Ctx, Exception, Function, Object, TypedArray, Value, function::This};

use crate::internal::{self, state::Platform};

/// `length` zeros, if there is room for them.
pub(crate) fn zeroed(ctx: &Ctx<'_>, length: usize) -> rquickjs::Result<Vec<u8>> {
    let mut bytes = qjs::room::with_capacity(ctx, length)?;
    bytes.resize(length, 0);
    Ok(bytes)
}

/// The bytes of an ArrayBuffer, a SharedArrayBuffer or a view of one; `None` for any other value.
pub(crate) fn copy_from<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> rquickjs::Result<Option<Vec<u8>>> {
    let Some(view) = view_of(ctx, value)? else { return Ok(None) };
    let length = view.as_raw().map_or(0, |bytes| bytes.len());
    if length == 0 {
        return Ok(Some(Vec::new()));
    }
    let bytes = Arc::new(zeroed(ctx, length)?);
    let buffer = ArrayBuffer::from_source(ctx.clone(), bytes.clone())?;
    let target = TypedArray::<u8>::from_arraybuffer(buffer)?;
    set_function(ctx)?.call::<_, ()>((This(target), view))?;
    // The buffer died with its only reference, so this takes the bytes without copying them again.
    Ok(Some(Arc::try_unwrap(bytes).unwrap_or_else(|shared| shared.to_vec())))
}

/// Writes `bytes` at the start of `view`, which must be large enough.
pub(crate) fn copy_into<'js>(ctx: &Ctx<'js>, view: &Value<'js>, bytes: Vec<u8>) -> rquickjs::Result<()> {
    let Some(view) = view_of(ctx, view)? else {
        return Err(Exception::throw_type(ctx, "expected an ArrayBuffer or a view of one"));
    };
    let source = TypedArray::<u8>::new(ctx.clone(), bytes)?;
    set_function(ctx)?.call((This(view), source))
}

/// The whole of a buffer or view as a Uint8Array.
pub(crate) fn view_of<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> rquickjs::Result<Option<TypedArray<'js, u8>>> {
    let Some(object) = value.as_object() else { return Ok(None) };
    if let Some(view) = object.as_typed_array::<u8>() {
        return Ok(Some(view.clone()));
    }
    let view_of: Function = internal::require(ctx, "bytes")?.get("viewOf")?;
    view_of.call((value.clone(),))
}

fn set_function<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Function<'js>> {
    let pristine = Platform::of(ctx)?.pristine.clone().restore(ctx)?;
    pristine.get::<_, Object>("TypedArray.prototype")?.get("set")
}
