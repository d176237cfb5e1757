//! `ArrayBuffer`s over foreign memory, typed arrays, and where their bytes are.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::NonNull;
use std::rc::Rc;

use rquickjs::prelude::This;
use rquickjs::{Ctx, Function, JsLifetime, Object, Value, qjs as q};

use crate::layout;
use crate::value::{Borrowed, Cx, Returned};

/// The longest buffer that QuickJS can have, in bytes: a length is a C `int`.
pub const MAX_LENGTH: usize = i32::MAX as usize;

/// A typed array's element type, with QuickJS's own numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[allow(missing_docs, reason = "each is the typed array of that name")]
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
    /// All of them.
    pub const ALL: [Self; 12] = [
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

    /// Whether the elements are integers that `Atomics` accesses.
    pub fn is_integer(self) -> bool {
        !matches!(self, Self::Uint8Clamped | Self::Float16 | Self::Float32 | Self::Float64)
    }

    /// Whether the elements are BigInts.
    pub fn is_bigint(self) -> bool {
        matches!(self, Self::BigInt64 | Self::BigUint64)
    }

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

/// A fixed-length `ArrayBuffer` over `len` bytes at `base`. `owner` is dropped when the buffer's contents go: when the
/// buffer is freed or detached, or with the buffer that `transfer` made of it.
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
    let contents = Contents { owner, granted: None };
    // SAFETY: by the caller's promise.
    unsafe { new_buffer(ctx, base, len, 0, contents) }
}

/// A typed array over a buffer of its own, as [`foreign`] makes it. The length must be a multiple of the element size.
///
/// # Errors
/// As [`foreign`].
///
/// # Safety
/// As [`foreign`].
#[inline]
pub unsafe fn foreign_array<O: 'static>(
    cx: Cx<'_>,
    base: NonNull<u8>,
    len: usize,
    owner: O,
    kind: ElementKind,
) -> rquickjs::Result<Returned> {
    // SAFETY: by the caller's promise.
    unsafe { raw_array(cx, base, len, owner, kind) }.map(Returned)
}

/// [`foreign_array`] as C has it.
///
/// # Safety
/// As [`foreign`].
pub(crate) unsafe fn raw_array<O: 'static>(
    cx: Cx<'_>,
    base: NonNull<u8>,
    len: usize,
    owner: O,
    kind: ElementKind,
) -> rquickjs::Result<q::JSValue> {
    let contents = Box::into_raw(Box::new(Contents { owner, granted: None }));
    // SAFETY: as in `new_buffer`; the array keeps a reference of its own to the buffer.
    unsafe {
        let (hook, opaque) = (Some(reallocate::<O> as _), contents.cast());
        let buffer = q::JS_NewArrayBuffer(cx.raw(), base.as_ptr(), len as _, 0, hook, opaque, false);
        if q::JS_IsException(buffer) {
            drop(Box::from_raw(contents));
            return Err(rquickjs::Error::Exception);
        }
        let mut args = [buffer];
        let array = q::JS_NewTypedArray(cx.raw(), 1, args.as_mut_ptr(), kind as _);
        q::JS_FreeValue(cx.raw(), buffer);
        if q::JS_IsException(array) { Err(rquickjs::Error::Exception) } else { Ok(array) }
    }
}

/// What a buffer over foreign memory owns.
pub(crate) struct Contents<O> {
    /// Kept to be dropped with the contents.
    pub(crate) owner: O,
    /// Whether [`Resizer::set_length`] is setting the length. No other resizing is granted.
    granted: Option<Rc<Cell<bool>>>,
}

/// # Safety
/// As [`foreign`].
#[inline]
unsafe fn new_buffer<'js, O: 'static>(
    ctx: &Ctx<'js>,
    base: NonNull<u8>,
    len: usize,
    max: usize,
    contents: Contents<O>,
) -> rquickjs::Result<Object<'js>> {
    let cx = Cx::of(ctx);
    let contents = Box::into_raw(Box::new(contents));
    // SAFETY: the bytes live as long as the owner, by the caller's promise; `reallocate` takes the contents back.
    let raw = unsafe {
        let (hook, opaque) = (Some(reallocate::<O> as _), contents.cast());
        q::JS_NewArrayBuffer(cx.raw(), base.as_ptr(), len as _, max as _, hook, opaque, false)
    };
    match cx.take(raw) {
        Ok(buffer) => buffer.into_object().ok_or(rquickjs::Error::Unknown),
        Err(error) => {
            // SAFETY: QuickJS keeps nothing for a buffer that it could not make.
            drop(unsafe { Box::from_raw(contents) });
            Err(error)
        }
    }
}

/// QuickJS's one hook on a buffer's contents: a size of 0 ends them, any other asks to resize.
unsafe extern "C" fn reallocate<O: 'static>(
    _runtime: *mut q::JSRuntime,
    contents: *mut c_void,
    start: *mut c_void,
    size: q::size_t,
) -> *mut c_void {
    if size == 0 {
        // SAFETY: contents end once; they were boxed in `new_buffer`.
        let contents = unsafe { Box::from_raw(contents.cast::<Contents<O>>()) };
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(contents))).is_err() {
            std::process::abort();
        }
        return std::ptr::null_mut();
    }
    // SAFETY: the contents have not ended; nothing else refers to them during the call.
    let contents = unsafe { &*contents.cast::<Contents<O>>() };
    if contents.granted.as_ref().is_some_and(|granted| granted.get()) { start } else { std::ptr::null_mut() }
}

/// A resizable `ArrayBuffer` over the first `len` bytes at `base`, which can have at most `max` bytes (QuickJS has no
/// maximum of 0). Its own `resize` is refused; the other value sets its length.
///
/// # Errors
/// As [`foreign`].
///
/// # Safety
/// As [`foreign`], for all of the `max` bytes that [`Resizer::set_length`] is asked to show.
pub unsafe fn resizable<'js, O: 'static>(
    ctx: &Ctx<'js>,
    base: NonNull<u8>,
    len: usize,
    max: usize,
    owner: O,
) -> rquickjs::Result<(Object<'js>, Resizer)> {
    let granted = Rc::new(Cell::new(false));
    let contents = Contents { owner, granted: Some(granted.clone()) };
    // SAFETY: by the caller's promise.
    let buffer = unsafe { new_buffer(ctx, base, len, max.max(1), contents) }?;
    Ok((buffer, Resizer { granted, base }))
}

/// Sets the length of a resizable buffer over foreign memory, which keeps its bytes.
pub struct Resizer {
    granted: Rc<Cell<bool>>,
    base: NonNull<u8>,
}

impl Resizer {
    /// Sets the length of `buffer`, the one that this value was made with, from `from` to `to`, which must not be less.
    /// `resize` is QuickJS's own method. Scripts run only if that throws.
    ///
    /// # Errors
    /// What `resize` throws if the stack is exhausted or the runtime was interrupted. The buffer is detached then.
    ///
    /// # Safety
    /// There must be `to` bytes, and nobody but this thread may write to those that are added.
    pub unsafe fn set_length<'js>(
        &self,
        resize: &Function<'js>,
        buffer: &Object<'js>,
        from: usize,
        to: usize,
    ) -> rquickjs::Result<()> {
        // `resize` clears what it adds, but a guest may have written there already. So these bytes are saved, step by
        // step, since a guest can add a lot.
        const STEP: usize = 256 << 10;
        let mut saved = vec![0u8; to.saturating_sub(from).min(STEP)];
        let mut at = from;
        while at < to {
            let count = (to - at).min(STEP);
            // SAFETY: the bytes from `at` are there by the caller's promise, and `saved` has room for a step.
            unsafe { std::ptr::copy_nonoverlapping(self.base.as_ptr().add(at), saved.as_mut_ptr(), count) };
            self.granted.set(true);
            let done = resize.call::<_, ()>((This(buffer.clone()), (at + count) as i32));
            self.granted.set(false);
            done.inspect_err(|_| detach(buffer))?;
            // SAFETY: as above.
            unsafe { std::ptr::copy_nonoverlapping(saved.as_ptr(), self.base.as_ptr().add(at), count) };
            at += count;
        }
        Ok(())
    }
}

/// A typed array over the whole of `buffer`.
///
/// # Errors
/// When the buffer's length is not a multiple of the element size, or memory is out.
#[inline]
pub fn typed_array<'js>(buffer: &Object<'js>, kind: ElementKind) -> rquickjs::Result<Value<'js>> {
    let cx = Cx::of(buffer.ctx());
    let mut args = [buffer.as_raw()];
    // SAFETY: the buffer is alive for the call.
    cx.take(unsafe { q::JS_NewTypedArray(cx.raw(), 1, args.as_mut_ptr(), kind as _) })
}

/// A typed array over `len` elements of `buffer` from `offset` (in bytes) on.
///
/// # Errors
/// When they do not lie in the buffer, or memory is out.
pub fn typed_array_part<'js>(
    buffer: &Object<'js>,
    kind: ElementKind,
    offset: usize,
    len: usize,
) -> rquickjs::Result<Value<'js>> {
    let cx = Cx::of(buffer.ctx());
    let number = |number: usize| cx.float(number as f64).0;
    let mut args = [buffer.as_raw(), number(offset), number(len)];
    // SAFETY: the buffer is alive for the call; numbers need no freeing.
    cx.take(unsafe { q::JS_NewTypedArray(cx.raw(), 3, args.as_mut_ptr(), kind as _) })
}

/// Whether an `ArrayBuffer` is immutable.
pub fn is_immutable(buffer: &Object<'_>) -> bool {
    // SAFETY: the object is alive; QuickJS checks its class.
    unsafe { q::JS_IsImmutableArrayBuffer(buffer.as_raw()) == 1 }
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
    pub(crate) const EMPTY: Self = Self { start: NonNull::dangling(), len: 0 };

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

/// The element type of a typed array; `None` for a DataView or anything else.
#[inline]
pub fn element_kind(value: Borrowed<'_>) -> Option<ElementKind> {
    if !value.is_object() {
        return None;
    }
    // SAFETY: QuickJS reads the object's class.
    let kind = unsafe { q::JS_GetTypedArrayType(value.raw()) };
    ElementKind::ALL.get(usize::try_from(kind).ok()?).copied()
}

/// The bytes of a typed array; `None` if it is detached or out of bounds (no exception stays pending).
///
/// The value must be a typed array ([`element_kind`]).
#[inline]
pub fn typed_array_bytes(cx: Cx<'_>, array: Borrowed<'_>) -> Option<Bytes> {
    typed_array_in_buffer(cx, array).map(|(bytes, _)| bytes)
}

/// [`typed_array_bytes`], and the bytes of the whole buffer.
#[inline]
pub fn typed_array_in_buffer(cx: Cx<'_>, array: Borrowed<'_>) -> Option<(Bytes, Bytes)> {
    match layout::typed_array(cx, array) {
        Some((_, bytes, whole)) => Some((bytes, whole)),
        None => uncommon_typed_array(cx, array),
    }
}

#[cold]
fn uncommon_typed_array(cx: Cx<'_>, array: Borrowed<'_>) -> Option<(Bytes, Bytes)> {
    let (mut offset, mut len) = (0, 0);
    // SAFETY: the value is alive; QuickJS checks its class and writes two numbers. The buffer's reference is ours; the
    // array has another one.
    let whole = unsafe {
        let buffer = q::JS_GetTypedArrayBuffer(cx.raw(), array.raw(), &mut offset, &mut len, std::ptr::null_mut());
        if q::JS_IsException(buffer) {
            drop(cx.ctx().catch());
            return None;
        }
        let whole = array_buffer_bytes(cx, Borrowed::from_raw(buffer));
        q::JS_FreeValue(cx.raw(), buffer);
        whole?
    };
    let (offset, mut len) = (offset as usize, len as usize);
    if offset + len != whole.len {
        len = current_length(cx, array).unwrap_or(len);
    }
    if len == 0 || offset + len > whole.len {
        return Some((Bytes::EMPTY, whole));
    }
    // SAFETY: the view lies in its buffer.
    Some((Bytes { start: unsafe { whole.start.add(offset) }, len }, whole))
}

/// The length in bytes of a typed array that does not reach to the end of its buffer. An array that tracks a resizable
/// buffer has another length than the C interface tells. `None` if [`install`] was not called. The engine's own getter
/// runs no script.
#[cold]
fn current_length(cx: Cx<'_>, array: Borrowed<'_>) -> Option<usize> {
    let ctx = cx.ctx();
    let getters = ctx.userdata::<ViewGetters>()?;
    let len = getters.typed_array.byte_length.call::<_, f64>((This(array.to_value(cx)),));
    len.inspect_err(|_| drop(ctx.catch())).ok().map(|len| len as usize)
}

/// The bytes of an `ArrayBuffer` or `SharedArrayBuffer`; `None` for a detached one or anything else (no exception stays
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

/// Whether the value is a BufferSource: an `ArrayBuffer` or `SharedArrayBuffer`, a typed array or a DataView, detached
/// ones among them.
pub fn is_buffer_source(cx: Cx<'_>, value: Borrowed<'_>) -> bool {
    // SAFETY: QuickJS reads the object's class. (A shared buffer has a class of its own, and is never detached.)
    let is_view = || unsafe { q::JS_IsArrayBuffer(value.raw()) || q::JS_IsDataView(value.raw()) };
    value.is_object() && (is_view() || element_kind(value).is_some() || array_buffer_bytes(cx, value).is_some())
}

/// The getters of a runtime's DataViews and typed arrays. The C interface has none for DataViews, and tells nothing
/// current of a view that tracks the length of its buffer.
#[derive(JsLifetime)]
struct ViewGetters<'js> {
    data_view: Getters<'js>,
    typed_array: Getters<'js>,
}

/// The getters of views of one kind.
#[derive(JsLifetime)]
struct Getters<'js> {
    buffer: Function<'js>,
    byte_offset: Function<'js>,
    byte_length: Function<'js>,
}

/// Looks the getters up before a script can change them. To be called once before [`copy_of_buffer_source`], and for
/// typed arrays that track the length of their buffer.
///
/// # Errors
/// When memory is out.
pub fn install<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<()> {
    let object: Object = ctx.globals().get("Object")?;
    let descriptor: Function = object.get("getOwnPropertyDescriptor")?;
    let getters = |prototype: Object<'js>| -> rquickjs::Result<Getters<'js>> {
        let getter = |name| descriptor.call::<_, Object>((prototype.clone(), name))?.get("get");
        Ok(Getters {
            buffer: getter("buffer")?,
            byte_offset: getter("byteOffset")?,
            byte_length: getter("byteLength")?,
        })
    };
    let prototype = |class: &str| ctx.globals().get::<_, Object>(class)?.get::<_, Object>("prototype");
    let typed_array = prototype("Uint8Array")?.get_prototype().ok_or(rquickjs::Error::Unknown)?;
    let getters = ViewGetters { data_view: getters(prototype("DataView")?)?, typed_array: getters(typed_array)? };
    ctx.store_userdata(getters).map_err(|_| rquickjs::Error::Unknown)?;
    Ok(())
}

/// The buffer of a typed array, or the value itself if it is a buffer; `None` for anything else, and if it is detached.
pub fn buffer_of<'js>(cx: Cx<'js>, value: Borrowed<'_>) -> Option<Value<'js>> {
    if element_kind(value).is_none() {
        return array_buffer_bytes(cx, value).map(|_| value.to_value(cx));
    }
    let null = std::ptr::null_mut;
    // SAFETY: the value is alive; QuickJS checks its class.
    let buffer = unsafe { q::JS_GetTypedArrayBuffer(cx.raw(), value.raw(), null(), null(), null()) };
    cx.take(buffer).inspect_err(|_| drop(cx.ctx().catch())).ok()
}

/// The bytes of a buffer source where they are, and those of its whole buffer; `None` for any other value, or if it is
/// detached or out of bounds. Runs no script.
pub fn source_bytes(cx: Cx<'_>, value: Borrowed<'_>) -> Option<(Bytes, Bytes)> {
    if !value.is_object() {
        return None;
    }
    if element_kind(value).is_some() {
        return typed_array_in_buffer(cx, value);
    }
    // SAFETY: QuickJS reads the object's class.
    if unsafe { q::JS_IsDataView(value.raw()) } {
        let ctx = cx.ctx();
        let getters = ctx.userdata::<ViewGetters>()?;
        let view = value.to_value(cx);
        let caught = |_: &rquickjs::Error| drop(ctx.catch());
        let bytes = view_bytes(&ctx, &view, &getters.data_view).inspect_err(caught).ok()??;
        let buffer: Value = getters.data_view.buffer.call((This(view),)).inspect_err(caught).ok()?;
        return Some((bytes, array_buffer_bytes(cx, Borrowed::of(&buffer))?));
    }
    array_buffer_bytes(cx, value).map(|bytes| (bytes, bytes))
}

/// "Get a copy of the buffer source": the bytes of an `ArrayBuffer` or `SharedArrayBuffer`, a typed array or a
/// DataView, copied. `None` for any other value; empty if it is detached or out of bounds. Runs no script.
///
/// # Errors
/// If [`install`] was not called.
pub fn copy_of_buffer_source<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> rquickjs::Result<Option<Vec<u8>>> {
    let Some(bytes) = located(ctx, value)? else { return Ok(None) };
    let Some(bytes) = bytes else { return Ok(Some(Vec::new())) };
    crate::room::check(ctx, bytes.len)?;
    // SAFETY: nothing has run since the bytes were asked for.
    Ok(Some(unsafe { bytes.to_vec() }))
}

/// [`copy_of_buffer_source`] without the copy, unless the buffer is shared: runs `body` with the bytes. There are none
/// if the value is not a buffer source.
///
/// # Errors
/// If [`install`] was not called. A RangeError if there is no room for as many bytes.
///
/// # Safety
/// `body` runs no script and no guest, which could write to the buffer or detach it.
pub unsafe fn with_buffer_source<'js, R>(
    ctx: &Ctx<'js>,
    value: &Value<'js>,
    body: impl FnOnce(&[u8]) -> R,
) -> rquickjs::Result<R> {
    let buffer = buffer_of(Cx::of(ctx), Borrowed::of(value));
    // SAFETY: QuickJS reads the object's class; that of a shared buffer is another.
    let is_unshared = buffer.is_some_and(|buffer| unsafe { q::JS_IsArrayBuffer(buffer.as_raw()) });
    if !is_unshared {
        return Ok(body(&copy_of_buffer_source(ctx, value)?.unwrap_or_default()));
    }
    let Some(bytes) = located(ctx, value)?.flatten() else { return Ok(body(&[])) };
    // Whatever is done with them takes at least as much.
    crate::room::check(ctx, bytes.len)?;
    // SAFETY: nothing has run since the bytes were asked for. They are not shared, so only this thread could write to
    // them or free them, which `body` does not do.
    Ok(body(unsafe { std::slice::from_raw_parts(bytes.start.as_ptr(), bytes.len) }))
}

/// Where the bytes of a buffer source are: `None` for any other value, `Some(None)` if it is detached or out of bounds.
fn located<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> rquickjs::Result<Option<Option<Bytes>>> {
    let cx = Cx::of(ctx);
    let borrowed = Borrowed::of(value);
    if !borrowed.is_object() {
        return Ok(None);
    }
    // SAFETY: QuickJS reads the object's class.
    let (is_data_view, is_buffer) = unsafe { (q::JS_IsDataView(value.as_raw()), q::JS_IsArrayBuffer(value.as_raw())) };
    if is_data_view || element_kind(borrowed).is_some() {
        let getters = ctx.userdata::<ViewGetters>().ok_or(rquickjs::Error::Unknown)?;
        let getters = if is_data_view { &getters.data_view } else { &getters.typed_array };
        return Ok(Some(view_bytes(ctx, value, getters).unwrap_or_else(|_| {
            // A DataView's getters throw if it is out of bounds.
            drop(ctx.catch());
            None
        })));
    }
    match array_buffer_bytes(cx, borrowed) {
        None if !is_buffer => Ok(None),
        bytes => Ok(Some(bytes)),
    }
}

/// The bytes that a view shows; `None` if its buffer is detached.
fn view_bytes<'js>(ctx: &Ctx<'js>, view: &Value<'js>, getters: &Getters<'js>) -> rquickjs::Result<Option<Bytes>> {
    let this = || (This(view.clone()),);
    let offset = getters.byte_offset.call::<_, f64>(this())? as usize;
    let len = getters.byte_length.call::<_, f64>(this())? as usize;
    let buffer: Value = getters.buffer.call(this())?;
    let Some(whole) = array_buffer_bytes(Cx::of(ctx), Borrowed::of(&buffer)) else { return Ok(None) };
    if len == 0 || offset.checked_add(len).is_none_or(|end| end > whole.len) {
        return Ok(None);
    }
    // SAFETY: the range lies in the buffer.
    Ok(Some(Bytes { start: unsafe { whole.start.add(offset) }, len }))
}
