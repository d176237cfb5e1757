//! Strings in and out: as UTF-8 bytes (QuickJS stores pure ASCII as it is, which needs no conversion), and as the
//! UTF-16 code units that they consist of, read where they are.

use std::cmp::Ordering;
use std::ptr::NonNull;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use rquickjs::{Ctx, FromJs, Value, qjs as q};

use crate::room;
use crate::value::{Borrowed, Cx};

/// ToString's bytes, valid until this goes. A lone surrogate is encoded as three bytes, as in WTF-8.
pub struct Utf8<'js> {
    cx: Cx<'js>,
    start: *const std::ffi::c_char,
    len: usize,
}

impl<'js> Utf8<'js> {
    /// ToString(value). May run scripts if the value is not a string.
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

/// A USVString of WebIDL: text in which U+FFFD stands for each lone surrogate. As an argument it must be a string, not
/// a value that can be converted to one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UsvString(pub String);

impl<'js> FromJs<'js> for UsvString {
    fn from_js(ctx: &Ctx<'js>, value: Value<'js>) -> rquickjs::Result<Self> {
        match value.is_string() {
            true => to_usv(ctx, Borrowed::of(&value)).map(Self),
            false => Err(rquickjs::Error::new_from_js(value.type_name(), "string")),
        }
    }
}

impl std::fmt::Display for UsvString {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<std::path::Path> for UsvString {
    fn as_ref(&self) -> &std::path::Path {
        self.0.as_ref()
    }
}

impl std::ops::Deref for UsvString {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// ToString(value) as a USVString. May run scripts if the value is not a string.
///
/// # Errors
/// What a script throws; a RangeError if there is no memory for the text and what is usually made of it: a path for the
/// system, a line to print, a message.
pub fn to_usv(ctx: &Ctx<'_>, value: Borrowed<'_>) -> rquickjs::Result<String> {
    const COPIES: usize = 4;
    /// The first of the three bytes of a lone surrogate, which is all that can be wrong.
    const SURROGATE: u8 = 0xed;
    let utf8 = Utf8::new(Cx::of(ctx), value)?;
    room::check(ctx, utf8.len.saturating_mul(COPIES))?;
    let mut text = String::with_capacity(utf8.len);
    for chunk in utf8.bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        if chunk.invalid().starts_with(&[SURROGATE]) {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    Ok(text)
}

/// ToString(value). May run scripts if the value is not a string.
///
/// # Errors
/// What a script throws.
pub fn to_string<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> rquickjs::Result<Value<'js>> {
    let cx = Cx::of(ctx);
    // SAFETY: the value is alive.
    cx.take(unsafe { q::JS_ToString(cx.raw(), value.as_raw()) })
}

/// A string of the given UTF-8 bytes. Bytes that are not valid UTF-8 become U+FFFD, as QuickJS decodes them.
///
/// # Errors
/// When memory is out, or the string would be too long.
pub fn from_utf8<'js>(ctx: &Ctx<'js>, bytes: &[u8]) -> rquickjs::Result<Value<'js>> {
    let cx = Cx::of(ctx);
    // SAFETY: the bytes are readable for their length; QuickJS copies them.
    cx.take(unsafe { q::JS_NewStringLen(cx.raw(), bytes.as_ptr().cast(), bytes.len() as _) })
}

/// [`from_utf8`] on its way to C; the pending exception when that fails.
#[inline]
pub fn returned_utf8(cx: Cx<'_>, bytes: &[u8]) -> crate::Returned {
    // SAFETY: as in `from_utf8`.
    crate::Returned(unsafe { q::JS_NewStringLen(cx.raw(), bytes.as_ptr().cast(), bytes.len() as _) })
}

/// A string of `len` bytes of ASCII, on its way to C; the pending exception when that fails.
///
/// # Safety
/// The bytes must be readable, and must not change before this returns. (It runs neither scripts nor guests.)
#[inline]
pub unsafe fn returned_ascii(cx: Cx<'_>, start: NonNull<u8>, len: usize) -> crate::Returned {
    // SAFETY: by the caller's promise; QuickJS copies the bytes.
    crate::Returned(unsafe { q::JS_NewStringLen(cx.raw(), start.as_ptr().cast(), len as _) })
}

/// A string of the given code units, lone surrogates kept.
///
/// # Errors
/// When memory is out, or the string would be too long.
pub fn from_units<'js>(ctx: &Ctx<'js>, units: &[u16]) -> rquickjs::Result<Value<'js>> {
    let all = units.iter().fold(0, |all, unit| all | unit);
    if all < 0x80 {
        let ascii = room::list(ctx, units.len(), units.iter().map(|&unit| unit as u8))?;
        return from_utf8(ctx, &ascii);
    }
    let cx = Cx::of(ctx);
    // SAFETY: the units are readable for their length; QuickJS copies them.
    cx.take(unsafe { q::JS_NewStringUTF16(cx.raw(), units.as_ptr(), units.len() as _) })
}

/// The code units of a string, as QuickJS stores them.
#[derive(Clone, Copy, Debug)]
pub enum Units<'a> {
    /// All of them are below 256.
    Narrow(&'a [u8]),
    /// Any units.
    Wide(&'a [u16]),
}

impl<'a> Units<'a> {
    /// The units of a string; `None` for any other value. Scattered units (of a string that was put together by `+`)
    /// are gathered first, which QuickJS does once for a string.
    ///
    /// # Errors
    /// When memory is out.
    #[inline]
    pub fn of(cx: Cx<'_>, value: Borrowed<'a>) -> rquickjs::Result<Option<Self>> {
        match value.tag() {
            // SAFETY: the tag says what the pointer points to, and `'a` keeps it alive. A string never changes.
            q::JS_TAG_STRING => Ok(Some(unsafe { Header::units(value.raw(), header_size(cx)?) })),
            q::JS_TAG_STRING_ROPE => Self::of_rope(cx, value).map(Some),
            _ => Ok(None),
        }
    }

    fn of_rope(cx: Cx<'_>, value: Borrowed<'a>) -> rquickjs::Result<Self> {
        // QuickJS keeps what it gathered only if somebody else has the rope too.
        let _other = value.to_value(cx);
        // SAFETY: the value is alive.
        drop(cx.take(unsafe { q::JS_ToString(cx.raw(), value.raw()) })?);
        let header_size = header_size(cx)?;
        // SAFETY: the tag says what the pointer points to. Once gathered, a rope never changes: its `left` is the whole
        // string, which it keeps alive as long as `'a` keeps the rope.
        Ok(unsafe { Header::units((*q::JS_VALUE_GET_PTR(value.raw()).cast::<Rope>()).left, header_size) })
    }

    /// How many there are.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            Self::Narrow(units) => units.len(),
            Self::Wide(units) => units.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The unit at `index`.
    #[inline]
    pub fn get(&self, index: usize) -> Option<u16> {
        match self {
            Self::Narrow(units) => units.get(index).map(|&unit| unit.into()),
            Self::Wide(units) => units.get(index).copied(),
        }
    }

    /// All in order.
    pub fn iter(self) -> impl Iterator<Item = u16> + 'a {
        (0..self.len()).map(move |index| self.get(index).expect("below the length"))
    }

    /// The order of the units, as in IsLessThan.
    pub fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Narrow(one), Self::Narrow(two)) => one.cmp(two),
            (Self::Wide(one), Self::Wide(two)) => one.cmp(two),
            _ => self.iter().cmp(other.iter()),
        }
    }
}

/// The beginning of a string: `JSString` of QuickJS, which its header does not show, with the bit fields of a
/// little-endian machine. `tests/units.rs` fails if that changes.
#[repr(C)]
struct Header {
    /// The length, and in the highest bit whether the units are wide.
    length: u32,
    /// 28 bits of a hash, 2 bits that say how the units are stored, and 2 that say what else the string is.
    kind: u32,
}

/// What a string that is a part of another one has instead of units: `JSStringSlice`.
#[repr(C)]
struct Slice {
    parent: *const u8,
    /// In bytes.
    start: u32,
}

/// A string in parts: `JSStringRope`.
#[repr(C)]
struct Rope {
    length: u32,
    is_wide: u8,
    depth: u8,
    left: q::JSValue,
    right: q::JSValue,
}

const _: () = assert!(cfg!(target_endian = "little"));

/// How many bytes there are from the start of a string to its units. This depends on how QuickJS was compiled, so it is
/// asked: what it gives out as the units of a wide string are the string's own.
#[inline]
fn header_size(cx: Cx<'_>) -> rquickjs::Result<usize> {
    static SIZE: AtomicUsize = AtomicUsize::new(0);

    #[cold]
    fn ask(cx: Cx<'_>) -> rquickjs::Result<usize> {
        let wide = from_units(&cx.ctx(), &[0x100])?;
        let mut length = 0;
        // SAFETY: the string is alive and its tag says that it has a pointer; what is given out is given back.
        let size = unsafe {
            let units = q::JS_ToCStringLenUTF16(cx.raw(), &mut length, wide.as_raw());
            let size = units.addr() - q::JS_VALUE_GET_PTR(wide.as_raw()).addr();
            q::JS_FreeCStringUTF16(cx.raw(), units);
            size
        };
        SIZE.store(size, Relaxed);
        Ok(size)
    }

    match SIZE.load(Relaxed) {
        0 => ask(cx),
        size => Ok(size),
    }
}

impl Header {
    /// # Safety
    /// The value must be a string (not a rope) that lives for `'a`, and `size` must be [`header_size`].
    #[inline]
    unsafe fn units<'a>(string: q::JSValue, size: usize) -> Units<'a> {
        // SAFETY: the header is alive, and what follows it is what `kind` says; a slice keeps its parent, which is not
        // a slice itself, and lies in it. The units are aligned: the size is a multiple of 8, and the start of a slice
        // of wide units is even.
        unsafe {
            let this = q::JS_VALUE_GET_PTR(string).cast_const();
            let after = this.cast::<u8>().add(size);
            let Self { length, kind } = this.cast::<Self>().read();
            let start = match (kind >> 28) & 3 {
                0 => after,
                1 => {
                    let slice = after.cast::<Slice>().read();
                    slice.parent.add(size + slice.start as usize)
                }
                _ => after.cast::<*const u8>().read(),
            };
            match length >> 31 {
                0 => Units::Narrow(std::slice::from_raw_parts(start, length as usize)),
                _ => Units::Wide(std::slice::from_raw_parts(start.cast(), (length & 0x7fff_ffff) as usize)),
            }
        }
    }
}
