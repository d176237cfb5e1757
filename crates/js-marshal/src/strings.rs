//! C strings: UTF-8 with a zero byte at the end.

use marshal::Heap;
use qjs::string::Utf8;
use qjs::{Borrowed, Ctx, Cx, Exception, Result, Value};

use webidl::Place;

use crate::errors::throw_heap_error;

/// Copies a string into the guest's heap; its address.
///
/// # Errors
/// A TypeError for anything but a string, and for strings that C cannot hold: with a lone surrogate, or a NUL inside.
pub(crate) fn copy_in(ctx: &Ctx<'_>, heap: &Heap, value: Borrowed<'_>, place: Place<'_>) -> Result<u64> {
    if !value.is_string() {
        let came = webidl::describe(&value.to_value(Cx::of(ctx)));
        return Err(Exception::throw_type(ctx, &format!("{place}: expected a string, got {came}")));
    }
    let utf8 = Utf8::new(Cx::of(ctx), value)?;
    let bytes = utf8.bytes();
    check(ctx, bytes, place)?;
    let address = heap.allocate(bytes.len() as u64 + 1).map_err(|error| throw_heap_error(ctx, place, error))?;
    // A guest's allocator that returns too little is caught by its memory's bounds.
    let written =
        heap.data().write(address, bytes).and_then(|()| heap.data().write(address + bytes.len() as u64, &[0]));
    written.map_err(|error| throw_heap_error(ctx, place, error.into()))?;
    Ok(address)
}

fn check(ctx: &Ctx<'_>, bytes: &[u8], place: Place<'_>) -> Result<()> {
    if bytes.contains(&0) {
        let at = utf16_length(&bytes[..bytes.iter().position(|&byte| byte == 0).unwrap_or(0)]);
        let message = format!("{place}: the string has a NUL character at index {at}, which would end it in C");
        return Err(Exception::throw_type(ctx, &message));
    }
    match simdutf8::compat::from_utf8(bytes) {
        Ok(_) => Ok(()),
        Err(error) => {
            let at = utf16_length(&bytes[..error.valid_up_to()]);
            let message = format!("{place}: the string has a lone surrogate at index {at}, which UTF-8 cannot hold");
            Err(Exception::throw_type(ctx, &message))
        }
    }
}

/// How many UTF-16 code units a prefix of valid UTF-8 is: the index that a script knows.
fn utf16_length(bytes: &[u8]) -> usize {
    String::from_utf8_lossy(bytes).encode_utf16().count()
}

/// Copies a C string out. Bytes that are no UTF-8 become U+FFFD.
///
/// # Errors
/// A RangeError when it does not end within the memory.
pub(crate) fn copy_out<'js>(ctx: &Ctx<'js>, heap: &Heap, address: u64, place: Place<'_>) -> Result<Value<'js>> {
    let bytes = heap.data().read_c_string(address).map_err(|error| throw_heap_error(ctx, place, error.into()))?;
    match simdutf8::basic::from_utf8(&bytes) {
        Ok(_) => qjs::string::from_utf8(ctx, &bytes),
        Err(_) => qjs::string::from_utf8(ctx, String::from_utf8_lossy(&bytes).as_bytes()),
    }
}
