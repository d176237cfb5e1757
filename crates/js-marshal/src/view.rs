//! Views: typed arrays over their own buffer, which spans one block of guest memory and owns it (invariant 6). In a shared
//! memory it is a `SharedArrayBuffer`: others write to it at the same time, and it can be posted to other agents, each of
//! which then owns the block with its own buffer (invariant 7).

use marshal::{GuestBlock, Heap};
use qjs::{Ctx, ElementKind, Result, Value};

/// A typed array over `block`, of `heap`, which goes back to the guest when the last buffer over it does.
///
/// # Errors
/// A RangeError for a block that is longer than a buffer can be; the block is given back then.
pub(crate) fn new<'js>(ctx: &Ctx<'js>, heap: &Heap, block: GuestBlock, kind: ElementKind) -> Result<Value<'js>> {
    let (start, len) = (block.start(), block.len() as usize);
    // SAFETY: the buffer owns the block, and the block its mapping. Rust makes no references to guest memory.
    let buffer = unsafe {
        match heap.is_shared() {
            true => qjs::shared::foreign(ctx, start, len, None, block),
            false => qjs::buffer::foreign(ctx, start, len, block),
        }
    }?;
    qjs::buffer::typed_array(&buffer, kind)
}
