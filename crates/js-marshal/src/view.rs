//! Views: typed arrays over their own `ArrayBuffer`, which spans one block of guest memory and owns it (invariant 6).

use marshal::GuestBlock;
use qjs::{Ctx, ElementKind, Result, Value};

/// A typed array over `block`, which goes back to the guest when the array's buffer does.
///
/// # Errors
/// A RangeError for a block that is longer than a buffer can be; the block is given back then.
pub(crate) fn new<'js>(ctx: &Ctx<'js>, block: GuestBlock, kind: ElementKind) -> Result<Value<'js>> {
    let (start, len) = (block.start(), block.len() as usize);
    // SAFETY: the buffer owns the block, and the block its mapping. Rust makes no references to guest memory.
    let buffer = unsafe { qjs::buffer::foreign(ctx, start, len, block) }?;
    qjs::buffer::typed_array(&buffer, kind)
}
