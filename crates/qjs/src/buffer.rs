//! `ArrayBuffer`s over foreign memory, typed arrays, and where their bytes are.

use std::ffi::c_void;
use std::ptr::NonNull;

use rquickjs::{Ctx, Object, Value, qjs as q};

use crate::value::{Borrowed, Cx};

/// The longest buffer that QuickJS can have, in bytes: a length is a C `int`.
pub const MAX_LENGTH: usize = i32::MAX as usize;

/// A typed array's element type, with QuickJS's own numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[allow(missing_docs)] // each is the typed array of that name
#[repr(u32)]
pub enum ElementKind {
    Uint8Clamped = q::JSTypedArrayEnum_JS_TYPED_ARRAY_UINT8C,
    Int8 = q::JSTypedArrayEnum_JS_TYPED_ARRAY_INT8,
    Uint8 = q::JSTypedArrayEnum_JS_TYPED_ARRAY_UINT8,
    Int16 = q::JSTypedArrayEnum_JS_TYPED_ARRAY_INT16,
    Uint16 = q::JSTypedArrayEnum_JS_TYPED_ARRAY_UINT16,
    Int32 = q::JSTypedArrayEnum_JS_TYPED_ARRAY_INT32,
    Uint32 = q::JSTypedArrayEnum_JS_TYPED_ARRAY_UINT32,
    BigInt64 = q::JSTypedArrayEnum_JS_TYPED_ARRAY_BIG_INT64,
    BigUint64 = q::JSTypedArrayEnum_JS_TYPED_ARRAY_BIG_UINT64,
    Float16 = q::JSTypedArrayEnum_JS_TYPED_ARRAY_FLOAT16,
    Float32 = q::JSTypedArrayEnum_JS_TYPED_ARRAY_FLOAT32,
    Float64 = q::JSTypedArrayEnum_JS_TYPED_ARRAY_FLOAT64,
}

impl ElementKind {
    const ALL: [Self; 12] = [
        Self::Uint8Clamped,
        Self::Int8,
        Self::Uint8,
        Self::Int16,
        Self::Uint16,
        Self::Int32,
        Self::Uint32,
        Self::BigInt64,
        Self::BigUint64,
        Self::Float16,
        Self::Float32,
        Self::Float64,
    ];

    /// The constructor's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uint8Clamped => "Uint8ClampedArray",
            Self::Int8 => "Int8Array",
            Self::Uint8 => "Uint8Array",
            Self::Int16 => "Int16Array",
            Self::Uint16 => "Uint16Array",
            Self::Int32 => "Int32Array",
            Self::Uint32 => "Uint32Array",
            Self::BigInt64 => "BigInt64Array",
            Self::BigUint64 => "BigUint64Array",
            Self::Float16 => "Float16Array",
            Self::Float32 => "Float32Array",
            Self::Float64 => "Float64Array",
        }
    }

    /// Bytes of one element.
    #[inline]
    pub fn size(self) -> usize {
        match self {
            Self::Uint8Clamped | Self::Int8 | Self::Uint8 => 1,
            Self::Int16 | Self::Uint16 | Self::Float16 => 2,
            Self::Int32 | Self::Uint32 | Self::Float32 => 4,
            Self::BigInt64 | Self::BigUint64 | Self::Float64 => 8,
        }
    }
}

/// A fixed-length `ArrayBuffer` over `len` bytes at `base`. `owner` is dropped when the buffer's contents go: at its
/// end, when it is detached, or with what `transfer` made of it.
///
/// # Errors
/// A RangeError for a length above [`MAX_LENGTH`], or when memory is out; `owner` is dropped then.
///
/// # Safety
/// The bytes must be readable and writable for as long as `owner` lives, and nobody may hold a Rust reference to them.
#[inline]
pub unsafe fn foreign<'js, O: 'static>(
    ctx: &Ctx<'js>,
    base: NonNull<u8>,
    len: usize,
    owner: O,
) -> rquickjs::Result<Object<'js>> {
    let cx = Cx::of(ctx);
    let owner = Box::into_raw(Box::new(owner));
    // SAFETY: the bytes live as long as the owner, by the caller's promise; `release` takes the owner back.
    let raw =
        unsafe { q::JS_NewArrayBuffer(cx.raw(), base.as_ptr(), len as _, 0, Some(release::<O>), owner.cast(), false) };
    match cx.take(raw) {
        Ok(buffer) => buffer.into_object().ok_or(rquickjs::Error::Unknown),
        Err(error) => {
            // SAFETY: QuickJS keeps nothing of a buffer that it could not make.
            drop(unsafe { Box::from_raw(owner) });
            Err(error)
        }
    }
}

/// QuickJS's one hook on a buffer's contents: a size of 0 ends them, any other asks to resize, which is refused.
unsafe extern "C" fn release<O: 'static>(
    _runtime: *mut q::JSRuntime,
    owner: *mut c_void,
    _start: *mut c_void,
    size: q::size_t,
) -> *mut c_void {
    if size == 0 {
        // SAFETY: contents end once; the owner was boxed in `foreign`.
        let owner = unsafe { Box::from_raw(owner.cast::<O>()) };
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(owner))).is_err() {
            std::process::abort();
        }
    }
    std::ptr::null_mut()
}

/// A typed array over the whole of `buffer`.
///
/// # Errors
/// When the buffer's length is no multiple of the element size, or memory is out.
#[inline]
pub fn typed_array<'js>(buffer: &Object<'js>, kind: ElementKind) -> rquickjs::Result<Value<'js>> {
    let cx = Cx::of(buffer.ctx());
    let mut args = [buffer.as_raw()];
    // SAFETY: the buffer is alive for the call.
    cx.take(unsafe { q::JS_NewTypedArray(cx.raw(), 1, args.as_mut_ptr(), kind as _) })
}

/// DetachArrayBuffer. Nothing happens to a buffer that is detached already.
pub fn detach(buffer: &Object<'_>) {
    // SAFETY: the object is alive; QuickJS checks that it is an `ArrayBuffer`.
    unsafe { q::JS_DetachArrayBuffer(Cx::of(buffer.ctx()).raw(), buffer.as_raw()) };
}

/// The bytes behind a buffer or a view, where they are now. Scripts, guests and other threads may change them, and
/// any script that runs may take them away: use the address before anything else runs.
#[derive(Clone, Copy, Debug)]
pub struct Bytes {
    /// The first byte.
    pub start: NonNull<u8>,
    /// How many there are.
    pub len: usize,
}

impl Bytes {
    const EMPTY: Self = Self { start: NonNull::dangling(), len: 0 };

    /// Copies all bytes out.
    ///
    /// # Safety
    /// No script may have run since these were asked for.
    pub unsafe fn to_vec(self) -> Vec<u8> {
        let mut copy = Vec::with_capacity(self.len);
        // SAFETY: the bytes are still there by the caller's promise, and the vector has room for them.
        unsafe {
            std::ptr::copy_nonoverlapping(self.start.as_ptr(), copy.as_mut_ptr(), self.len);
            copy.set_len(self.len);
        }
        copy
    }
}

/// The element type of a typed array; none for a DataView or anything else.
#[inline]
pub fn element_kind(value: Borrowed<'_>) -> Option<ElementKind> {
    if !value.is_object() {
        return None;
    }
    // SAFETY: QuickJS reads the object's class.
    let kind = unsafe { q::JS_GetTypedArrayType(value.raw()) };
    ElementKind::ALL.get(usize::try_from(kind).ok()?).copied()
}

/// The bytes of a typed array; none where it is detached or out of bounds (no exception stays pending).
///
/// The value must be a typed array ([`element_kind`]).
#[inline]
pub fn typed_array_bytes(cx: Cx<'_>, array: Borrowed<'_>) -> Option<Bytes> {
    typed_array_in_buffer(cx, array).map(|(bytes, _)| bytes)
}

/// [`typed_array_bytes`], and those of the whole buffer.
pub fn typed_array_in_buffer(cx: Cx<'_>, array: Borrowed<'_>) -> Option<(Bytes, Bytes)> {
    let (mut offset, mut len, mut size) = (0, 0, 0);
    // SAFETY: the value is alive; QuickJS checks its class and writes three numbers.
    let buffer = unsafe { q::JS_GetTypedArrayBuffer(cx.raw(), array.raw(), &mut offset, &mut len, &mut size) };
    let Ok(buffer) = cx.take(buffer) else {
        drop(cx.ctx().catch());
        return None;
    };
    let whole = array_buffer_bytes(cx, Borrowed::of(&buffer))?;
    let (offset, mut len) = (offset as usize, len as usize);
    if offset + len != whole.len {
        len = current_length(cx, array)? * size as usize;
    }
    if len == 0 || offset + len > whole.len {
        return Some((Bytes::EMPTY, whole));
    }
    // SAFETY: the view lies in its buffer.
    Some((Bytes { start: unsafe { whole.start.add(offset) }, len }, whole))
}

/// The `length` of a typed array that does not reach to the end of its buffer: one that tracks a resizable buffer has
/// another than its C interface tells. (A script can make the property lie; callers hold it against the buffer.)
#[cold]
fn current_length(cx: Cx<'_>, array: Borrowed<'_>) -> Option<usize> {
    let mut len = 0;
    // SAFETY: the value is alive; QuickJS writes a number.
    let failed = unsafe { q::JS_GetLength(cx.raw(), array.raw(), &mut len) };
    if failed < 0 {
        drop(cx.ctx().catch());
        return None;
    }
    usize::try_from(len).ok().filter(|&len| len <= MAX_LENGTH)
}

/// The bytes of an `ArrayBuffer` or `SharedArrayBuffer`; none for a detached one or anything else (no exception stays
/// pending).
#[inline]
pub fn array_buffer_bytes(cx: Cx<'_>, buffer: Borrowed<'_>) -> Option<Bytes> {
    let mut len = 0;
    // SAFETY: the value is alive; QuickJS checks its class and that it is attached.
    let start = unsafe { q::JS_GetArrayBuffer(cx.raw(), &mut len, buffer.raw()) };
    match NonNull::new(start) {
        Some(start) => Some(Bytes { start, len: len as usize }),
        None => {
            drop(cx.ctx().catch());
            None
        }
    }
}

/// "Get a copy of the buffer source": the bytes of an `ArrayBuffer`, a typed array or a DataView, copied. None for any
/// other value; empty for a detached one.
///
/// # Errors
/// What a getter throws (none of QuickJS's own do).
pub fn copy_of_buffer_source(ctx: &Ctx<'_>, value: &Value<'_>) -> rquickjs::Result<Option<Vec<u8>>> {
    let cx = Cx::of(ctx);
    let borrowed = Borrowed::of(value);
    if !borrowed.is_object() {
        return Ok(None);
    }
    if element_kind(borrowed).is_some() {
        // SAFETY: nothing has run since.
        return Ok(Some(typed_array_bytes(cx, borrowed).map(|bytes| unsafe { bytes.to_vec() }).unwrap_or_default()));
    }
    // SAFETY: QuickJS reads the object's class.
    if !unsafe { q::JS_IsDataView(value.as_raw()) } {
        // SAFETY: nothing has run since the bytes were asked for.
        return Ok(array_buffer_bytes(cx, borrowed).map(|bytes| unsafe { bytes.to_vec() }));
    }
    // A DataView has no C interface of its own. A script may have put other properties in the way; what they say is
    // held against the buffer's real bounds.
    let Some(view) = value.as_object() else { return Ok(None) };
    let number = |name: &str| -> rquickjs::Result<usize> {
        let value: Value = view.get(name)?;
        Ok(value.as_number().filter(|number| *number >= 0.0).map_or(usize::MAX, |number| number as usize))
    };
    let (offset, len) = (number("byteOffset")?, number("byteLength")?);
    let buffer: Value = view.get("buffer")?;
    let Some(whole) = array_buffer_bytes(cx, Borrowed::of(&buffer)) else { return Ok(Some(Vec::new())) };
    if offset.checked_add(len).is_none_or(|end| end > whole.len) {
        return Ok(Some(Vec::new()));
    }
    // SAFETY: the range lies in the buffer, and nothing has run since its bytes were asked for.
    Ok(Some(unsafe { Bytes { start: whole.start.add(offset), len }.to_vec() }))
}
