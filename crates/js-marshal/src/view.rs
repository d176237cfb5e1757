//! Views: typed arrays over their own buffer, which spans one block of guest memory and owns it (invariant 6). In a
//! shared memory it is a `SharedArrayBuffer`: others write to it at the same time, and it can be posted to other
//! agents, each of which then owns the block with its own buffer (invariant 7).
//!
//! Typed arrays inherit the method `[Symbol.dispose]`, which ends a view of guest memory: that detaches its buffer and
//! frees the block. (Views have no class of their own, so that they equal any other typed array with the same
//! elements.)

use marshal::{GuestBlock, Heap};
use qjs::define;
use qjs::{Borrowed, Call, Ctx, Cx, Exception, Object, Result, Value};

pub(crate) fn define(ctx: &Ctx<'_>) -> Result<()> {
    define::dispose_method(&crate::language::typed_array_prototype(ctx)?, dispose)
}

fn dispose<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let cx = Cx::of(&call.ctx);
    if qjs::buffer::element_kind(call.this).is_none() {
        return Err(Exception::throw_type(&call.ctx, "[Symbol.dispose]: `this` is not a typed array"));
    }
    // A view that has ended already has nothing to end.
    if let Some(buffer) = qjs::buffer::buffer_of(cx, call.this)
        && let Some(buffer) = buffer.as_object()
    {
        end(&call.ctx, buffer)?;
    }
    Ok(Value::new_undefined(call.ctx))
}

/// Ends a view: detaches its buffer, and frees the block behind it. A view that has ended has nothing to end.
///
/// # Errors
/// A TypeError for a shared buffer, and for one that is not a view's; what the guest's `free` throws.
pub(crate) fn end(ctx: &Ctx<'_>, buffer: &Object<'_>) -> Result<()> {
    let bytes = qjs::buffer::array_buffer_bytes(Cx::of(ctx), Borrowed::of(buffer.as_value()));
    let Some(bytes) = bytes else { return Ok(()) };
    if data_block::address_of(bytes.start).is_none() || js_api::is_memory_buffer(ctx, buffer.as_value()) {
        let message = "[Symbol.dispose]: not a view of a block of a guest's memory";
        return Err(Exception::throw_type(ctx, message));
    }
    if qjs::shared::is_shared(bytes.start) {
        let message = "[Symbol.dispose]: a view of a shared memory ends when no agent has it any more";
        return Err(Exception::throw_type(ctx, message));
    }
    qjs::buffer::detach(buffer);
    crate::manager::drain_waiting(ctx)
}

/// A buffer over `block`, of `heap`. The block goes back to the guest when the last buffer over it goes.
///
/// # Errors
/// A RangeError for a block that is longer than a buffer can be; the block is given back then.
pub(crate) fn buffer<'js>(ctx: &Ctx<'js>, heap: &Heap, block: GuestBlock) -> Result<Object<'js>> {
    let len = block.len();
    buffer_of(ctx, heap, block, len)
}

/// [`buffer`] over the first `len` bytes of a block.
///
/// # Errors
/// As [`buffer`].
pub(crate) fn buffer_of<'js>(ctx: &Ctx<'js>, heap: &Heap, block: GuestBlock, len: u64) -> Result<Object<'js>> {
    let (start, len) = (block.start(), len.min(block.len()) as usize);
    // SAFETY: the buffer owns the block, and the block its mapping. Rust makes no references to guest memory.
    unsafe {
        match heap.is_shared() {
            true => qjs::shared::foreign(ctx, start, len, None, block),
            false => qjs::buffer::foreign(ctx, start, len, block),
        }
    }
}

/// A buffer over bytes that the guest keeps. It owns the mapping alone.
///
/// # Errors
/// A RangeError for bytes outside the memory, or more than a buffer can have.
pub(crate) fn borrowed_buffer<'js>(ctx: &Ctx<'js>, heap: &Heap, address: u64, bytes: u64) -> Result<Object<'js>> {
    let data = heap.data().clone();
    let start = data.range(address, bytes);
    let start = start.map_err(|error| Exception::throw_range(ctx, &error.to_string()))?;
    // SAFETY: the buffer owns the mapping. Rust makes no references to guest memory.
    unsafe { qjs::buffer::foreign(ctx, start, bytes as usize, data) }
}

/// A buffer of the engine's own with a copy of `bytes`.
///
/// # Errors
/// When memory is out.
pub(crate) fn copy<'js>(ctx: &Ctx<'js>, bytes: &[u8]) -> Result<Object<'js>> {
    rquickjs::ArrayBuffer::new_copy(ctx.clone(), bytes)?.into_value().into_object().ok_or(rquickjs::Error::Unknown)
}
