//! Strings in and out as UTF-8 bytes. QuickJS stores pure ASCII as it is, so those need no conversion.

use rquickjs::{Ctx, Value, qjs as q};

use crate::value::{Borrowed, Cx};

/// ToString's bytes, valid until this goes. A lone surrogate stands there as its three bytes, as in WTF-8.
pub struct Utf8<'js> {
    cx: Cx<'js>,
    start: *const std::ffi::c_char,
    len: usize,
}

impl<'js> Utf8<'js> {
    /// ToString(value). May run scripts where the value is no string.
    ///
    /// # Errors
    /// The exception is pending in the context.
    pub fn new(cx: Cx<'js>, value: Borrowed<'_>) -> rquickjs::Result<Self> {
        let mut len = 0;
        // SAFETY: the value is alive; the result is null or `len` bytes that stay until they are given back.
        let start = unsafe { q::JS_ToCStringLen(cx.raw(), &mut len, value.raw()) };
        if start.is_null() { Err(rquickjs::Error::Exception) } else { Ok(Self { cx, start, len }) }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: QuickJS keeps the bytes, unchanged, until `drop`.
        unsafe { std::slice::from_raw_parts(self.start.cast(), self.len) }
    }
}

impl Drop for Utf8<'_> {
    fn drop(&mut self) {
        // SAFETY: this is the pointer that QuickJS gave out, given back once.
        unsafe { q::JS_FreeCString(self.cx.raw(), self.start) };
    }
}

/// A string of the given UTF-8 bytes. What is not valid UTF-8 becomes U+FFFD, as QuickJS decodes it.
///
/// # Errors
/// When memory is out, or the string would be too long.
pub fn from_utf8<'js>(ctx: &Ctx<'js>, bytes: &[u8]) -> rquickjs::Result<Value<'js>> {
    let cx = Cx::of(ctx);
    // SAFETY: the bytes are readable for their length; QuickJS copies them.
    cx.take(unsafe { q::JS_NewStringLen(cx.raw(), bytes.as_ptr().cast(), bytes.len() as _) })
}
