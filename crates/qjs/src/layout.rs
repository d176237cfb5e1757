//! Arrays, typed arrays and buffers as QuickJS lays them out. Reading a field where it is takes a tenth of what asking
//! for it does, and most calls with arrays ask for several.
//!
//! QuickJS's header does not show these structures. Before they are first used they are compared with objects whose
//! contents are known ([`classes`]). If they differ, everything here says `None`, and the callers ask QuickJS;
//! `tests/layout.rs` fails then. Nothing is ever written here but an object's count of references ([`hold`]).

use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use rquickjs::qjs as q;

use crate::buffer::{Bytes, ElementKind};
use crate::value::{Borrowed, Cx};

/// `JSObject`, with the fields that an array or a buffer has.
#[repr(C)]
pub(crate) struct Object {
    link: [usize; 2],
    /// One bit each.
    flags: u16,
    class: u16,
    shape: *const Shape,
    properties: *const q::JSValue,
    weak_references: *const c_void,
    /// `JSTypedArray` of a typed array, `JSArrayBuffer` of a buffer.
    contents: *const c_void,
    /// The elements of an array.
    elements: *const q::JSValue,
    count: u32,
}

/// `JSShape`.
#[repr(C)]
struct Shape {
    link: [usize; 2],
    is_hashed: u8,
    hash: u32,
    mask: u32,
    size: i32,
    /// How many properties there are, deleted ones among them.
    count: i32,
    deleted: i32,
    next: *const Self,
    prototype: *const Object,
}

/// `JSTypedArray`.
#[repr(C)]
struct View {
    link: [usize; 2],
    object: *const Object,
    buffer: *const Object,
    /// In bytes, as the length is.
    offset: u32,
    len: u32,
    tracks_length: bool,
}

/// `JSArrayBuffer`.
#[repr(C)]
struct Buffer {
    len: i32,
    max_len: i32,
    detached: u8,
    immutable: u8,
    shared: u8,
    data: *mut u8,
    views: [usize; 2],
    opaque: *mut c_void,
}

/// The bit of [`Object::flags`] for objects whose elements are in [`Object::elements`], without holes.
const FAST: u16 = 1 << 4;

/// The classes that are read here: that of arrays, and the first of the twelve of typed arrays.
#[derive(Clone, Copy)]
struct Classes {
    array: u16,
    first_typed: u16,
}

/// The numbers of the classes; `None` if the structures are not as expected.
#[inline]
fn classes(cx: Cx<'_>) -> Option<Classes> {
    /// Both numbers; 0 if nobody has looked yet, and `DIFFERENT` if the structures are not as expected.
    static KNOWN: AtomicU32 = AtomicU32::new(0);
    const DIFFERENT: u32 = u32::MAX;

    #[cold]
    fn look(cx: Cx<'_>) -> u32 {
        let found = probe(cx).map(|classes| u32::from(classes.array) << 16 | u32::from(classes.first_typed));
        KNOWN.store(found.unwrap_or(DIFFERENT), Relaxed);
        KNOWN.load(Relaxed)
    }

    let known = match KNOWN.load(Relaxed) {
        0 => look(cx),
        known => known,
    };
    (known != DIFFERENT).then_some(Classes { array: (known >> 16) as u16, first_typed: known as u16 })
}

/// Whether the structures are as this file has them.
#[doc(hidden)]
pub fn is_known(cx: Cx<'_>) -> bool {
    classes(cx).is_some()
}

/// The object behind a value; `None` if it is none.
#[inline]
fn object(value: Borrowed<'_>) -> Option<NonNull<Object>> {
    // SAFETY: the tag says which union member is set.
    value.is_object().then(|| unsafe { NonNull::new_unchecked(q::JS_VALUE_GET_PTR(value.raw()).cast()) })
}

/// What an object of the class with this number was given, as `JS_GetOpaque` has it; `None` for anything else. (The
/// structures must be as this file has them.)
#[inline]
pub(crate) fn contents(value: Borrowed<'_>, class: q::JSClassID) -> Option<*const c_void> {
    if !value.is_object() {
        return None;
    }
    // SAFETY: the tag says which union member is set, and the value is alive.
    let object = unsafe { &*q::JS_VALUE_GET_PTR(value.raw()).cast::<Object>() };
    (u32::from(object.class) == class).then_some(object.contents)
}

/// Counts one more reference to an object, and returns it. (The structures must be as this file has them.)
///
/// # Safety
/// The value must be an object.
#[inline]
pub(crate) unsafe fn hold(object: Borrowed<'_>) -> q::JSValue {
    // SAFETY: the value is alive, and the count is in the word before an allocation, as `probe` has seen.
    unsafe { *q::JS_VALUE_GET_PTR(object.raw()).cast::<i32>().sub(1) += 1 };
    object.raw()
}

/// Counts one reference less, unless it is the last one: that must be given to QuickJS. Returns whether it did.
///
/// # Safety
/// As [`hold`]; the caller must own a reference, which is gone if this returns true.
#[inline]
pub(crate) unsafe fn release(object: Borrowed<'_>) -> bool {
    // SAFETY: as in `hold`.
    unsafe {
        let count = q::JS_VALUE_GET_PTR(object.raw()).cast::<i32>().sub(1);
        *count > 1 && {
            *count -= 1;
            true
        }
    }
}

/// How many references there are to an object.
///
/// # Safety
/// The object is alive.
#[inline]
unsafe fn references(object: *const Object) -> i32 {
    // SAFETY: the count is in the word before an allocation, as `probe` has seen.
    unsafe { object.cast::<i32>().sub(1).read() }
}

/// The length of an array; `None` for anything else.
#[inline]
pub(crate) fn array_length(cx: Cx<'_>, value: Borrowed<'_>) -> Option<usize> {
    let classes = classes(cx)?;
    let object = object(value)?;
    // SAFETY: the value is alive, and an array's first property is its length.
    unsafe {
        let object = object.as_ref();
        if object.class != classes.array {
            return None;
        }
        let len = *object.properties;
        (q::JS_VALUE_GET_TAG(len) == q::JS_TAG_INT).then(|| q::JS_VALUE_GET_INT(len) as usize)
    }
}

/// An element of an array, if reading it runs no script. The array owns it: it is gone as soon as somebody changes the
/// array.
#[inline]
pub(crate) fn array_element(cx: Cx<'_>, value: Borrowed<'_>, index: u32) -> Option<q::JSValue> {
    let classes = classes(cx)?;
    let object = object(value)?;
    // SAFETY: the value is alive, and a fast array has as many elements as it counts.
    unsafe {
        let object = object.as_ref();
        let is_there = object.class == classes.array && object.flags & FAST != 0 && index < object.count;
        is_there.then(|| *object.elements.add(index as usize))
    }
}

/// The elements of an array that are read without running a script, until somebody changes the array.
#[inline]
pub(crate) fn array_elements<'a>(cx: Cx<'_>, value: Borrowed<'a>) -> &'a [q::JSValue] {
    let (Some(classes), Some(object)) = (classes(cx), object(value)) else { return &[] };
    // SAFETY: as in `array_element`.
    unsafe {
        let object = object.as_ref();
        match object.class == classes.array && object.flags & FAST != 0 && object.count > 0 {
            true => std::slice::from_raw_parts(object.elements, object.count as usize),
            false => &[],
        }
    }
}

/// The kind of a typed array, its bytes, and those of its buffer. `None` for anything else, and for what is out of the
/// ordinary: a detached buffer, or a view that follows its buffer's length or is out of bounds.
#[inline]
pub fn typed_array(cx: Cx<'_>, value: Borrowed<'_>) -> Option<(ElementKind, Bytes, Bytes)> {
    let classes = classes(cx)?;
    let object = object(value)?;
    // SAFETY: the value is alive, a typed array's contents are its view, and it keeps its buffer.
    unsafe {
        let object = object.as_ref();
        let kind = *ElementKind::ALL.get(usize::from(object.class.wrapping_sub(classes.first_typed)))?;
        let view = object.contents.cast::<View>().as_ref()?;
        let buffer = (*view.buffer).contents.cast::<Buffer>().as_ref()?;
        let (offset, len, whole) = (view.offset as usize, view.len as usize, buffer.len as usize);
        if buffer.detached != 0 || view.tracks_length || offset + len > whole {
            return None;
        }
        let whole = Bytes { start: NonNull::new(buffer.data)?, len: whole };
        let bytes = if len == 0 { Bytes::EMPTY } else { Bytes { start: whole.start.add(offset), len } };
        Some((kind, bytes, whole))
    }
}

/// A typed array and its buffer as they are when they are new, before any script has them.
#[derive(Clone, Copy)]
pub(crate) struct Pristine {
    array: NonNull<Object>,
    flags: [u16; 2],
    prototypes: [*const Object; 2],
    len: i32,
    data: *mut u8,
    opaque: *mut c_void,
}

impl Pristine {
    /// Notes what a new typed array over the whole of a buffer of its own is like.
    ///
    /// # Safety
    /// It is alive and new.
    pub(crate) unsafe fn of(cx: Cx<'_>, array: q::JSValue) -> Option<Self> {
        classes(cx)?;
        // SAFETY: the caller's promise, and as in `typed_array`.
        unsafe {
            let array = NonNull::new(q::JS_VALUE_GET_PTR(array).cast::<Object>())?;
            let object = array.as_ref();
            let buffer = &*(*object.contents.cast::<View>()).buffer;
            let bytes = &*buffer.contents.cast::<Buffer>();
            Some(Self {
                array,
                flags: [object.flags, buffer.flags],
                prototypes: [(*object.shape).prototype, (*buffer.shape).prototype],
                len: bytes.len,
                data: bytes.data,
                opaque: bytes.opaque,
            })
        }
    }

    /// What the buffer was made with, for its hook.
    #[inline]
    pub(crate) fn contents(&self) -> *mut c_void {
        self.opaque
    }

    /// How many references there are to the array.
    ///
    /// # Safety
    /// It is alive.
    #[inline]
    pub(crate) unsafe fn references(&self) -> i32 {
        // SAFETY: the caller's promise.
        unsafe { references(self.array.as_ptr()) }
    }

    /// Whether the array and its buffer are as they were when they were new, and nobody but the array has the buffer: no
    /// properties, the same prototypes, no weak references, neither detached nor made immutable, frozen or the like.
    ///
    /// # Safety
    /// The array is alive.
    #[inline]
    pub(crate) unsafe fn is_unchanged(&self) -> bool {
        // SAFETY: the caller's promise; the array keeps its view, its buffer and that one's bytes.
        unsafe {
            let object = self.array.as_ref();
            let view = &*object.contents.cast::<View>();
            let buffer = &*view.buffer;
            let bytes = &*buffer.contents.cast::<Buffer>();
            let is_plain = |object: &Object, at: usize| {
                object.flags == self.flags[at]
                    && object.weak_references.is_null()
                    && (*object.shape).count == 0
                    && (*object.shape).prototype == self.prototypes[at]
            };
            is_plain(object, 0)
                && is_plain(buffer, 1)
                && references(view.buffer) == 1
                && bytes.detached == 0
                && bytes.immutable == 0
                && (bytes.len, bytes.data, bytes.opaque) == (self.len, self.data, self.opaque)
        }
    }
}

/// A value that is freed at the end.
struct Freed<'js>(Cx<'js>, q::JSValue);

impl Drop for Freed<'_> {
    fn drop(&mut self) {
        // SAFETY: the reference is this value's own.
        unsafe { q::JS_FreeValue(self.0.raw(), self.1) };
    }
}

impl<'js> Freed<'js> {
    fn new(cx: Cx<'js>, value: q::JSValue) -> Option<Self> {
        // SAFETY: reading a tag.
        if unsafe { q::JS_IsException(value) } {
            drop(cx.ctx().catch());
            return None;
        }
        Some(Self(cx, value))
    }

    /// The object, which may change whenever QuickJS is called.
    fn object(&self) -> *const Object {
        // SAFETY: the value is an object, so it has a pointer.
        unsafe { q::JS_VALUE_GET_PTR(self.1).cast_const().cast() }
    }
}

/// Looks at objects with known contents. It reads no pointer from a place that has not proved right before.
#[cold]
fn probe(cx: Cx<'_>) -> Option<Classes> {
    const ELEMENTS: [f64; 2] = [1.5, -2.5];
    const BYTES: usize = 40;
    if !cfg!(target_pointer_width = "64") || size_of::<q::JSValue>() != 16 {
        return None;
    }
    let class_of = |value: q::JSValue| {
        // SAFETY: the value is alive.
        u16::try_from(unsafe { q::JS_GetClassID(value) }).ok()
    };
    // SAFETY: all values are alive until the end; QuickJS takes over the numbers. An object of QuickJS has at least as
    // many bytes as `Object`, so its own fields can be read whatever they are; what they point to is read only after
    // fields next to them had what they should have.
    unsafe {
        let numbers = ELEMENTS.map(q::JS_NewFloat64);
        let array = Freed::new(cx, q::JS_NewArrayFrom(cx.raw(), 2, numbers.as_ptr()))?;
        let classes = Classes { array: class_of(array.1)?, first_typed: 0 };
        let object = array.object();
        if (*object).class != classes.array || (*object).flags & FAST == 0 || (*object).count != 2 {
            return None;
        }
        let number = |at| q::JS_VALUE_GET_FLOAT64(*(*object).elements.add(at));
        if number(0) != ELEMENTS[0] || number(1) != ELEMENTS[1] || references(object) != 1 {
            return None;
        }
        let len = *(*object).properties;
        if q::JS_VALUE_GET_TAG(len) != q::JS_TAG_INT || q::JS_VALUE_GET_INT(len) != 2 {
            return None;
        }
        // A hole.
        let nine = q::JS_MKVAL(q::JS_TAG_INT, 9);
        q::JS_DefinePropertyValueUint32(cx.raw(), array.1, 9, nine, q::JS_PROP_C_W_E as i32);
        if (*object).flags & FAST != 0 || q::JS_VALUE_GET_INT(*(*object).properties) != 10 {
            return None;
        }

        let buffer = Freed::new(cx, q::JS_NewArrayBufferCopy(cx.raw(), [0u8; BYTES].as_ptr(), BYTES as _))?;
        let (eight, two) = (q::JS_MKVAL(q::JS_TAG_INT, 8), q::JS_MKVAL(q::JS_TAG_INT, 2));
        let mut args = [buffer.1, eight, two];
        let kind = ElementKind::Float64;
        let view = Freed::new(cx, q::JS_NewTypedArray(cx.raw(), 3, args.as_mut_ptr(), kind as _))?;
        let classes = Classes { first_typed: class_of(view.1)?.checked_sub(kind as u16)?, ..classes };
        let (object, whole) = (view.object(), buffer.object());
        if (*object).class - classes.first_typed != kind as u16 || (*object).count != 2 || (*object).contents.is_null()
        {
            return None;
        }
        let inner = (*object).contents.cast::<View>();
        let is_right = std::ptr::eq((*inner).object, object)
            && std::ptr::eq((*inner).buffer, whole)
            && ((*inner).offset, (*inner).len, (*inner).tracks_length) == (8, 16, false);
        if !is_right || references(whole) != 2 || (*whole).contents.is_null() {
            return None;
        }
        let bytes = (*whole).contents.cast::<Buffer>();
        let mut len = 0;
        let data = q::JS_GetArrayBuffer(cx.raw(), &mut len, buffer.1);
        let is_right = ((*bytes).len, (*bytes).max_len, len as usize) == (BYTES as i32, -1, BYTES)
            && ((*bytes).detached, (*bytes).immutable, (*bytes).shared) == (0, 0, 0)
            && (*bytes).data == data
            && (*object).elements.cast::<u8>() == data.add(8).cast_const();
        if !is_right {
            return None;
        }
        let prototype = Freed::new(cx, q::JS_GetPrototype(cx.raw(), view.1))?;
        let shape = |object: *const Object| ((*(*object).shape).count, (*(*object).shape).prototype);
        if !std::ptr::eq(shape(object).1, prototype.object()) || shape(object).0 != 0 {
            return None;
        }
        let (flags, before) = ((*object).flags, (*whole).flags);
        q::JS_DefinePropertyValueStr(cx.raw(), view.1, c"x".as_ptr(), eight, q::JS_PROP_C_W_E as i32);
        q::JS_PreventExtensions(cx.raw(), buffer.1);
        let is_right = shape(object).0 == 1 && (*object).flags == flags && (*whole).flags != before;
        q::JS_SetImmutableArrayBuffer(buffer.1, true);
        let is_right = is_right && (*bytes).immutable == 1;
        q::JS_SetImmutableArrayBuffer(buffer.1, false);
        q::JS_DetachArrayBuffer(cx.raw(), buffer.1);
        (is_right && (*bytes).detached == 1 && (*object).count == 0).then_some(classes)
    }
}

const _: () = assert!(offset_of!(Object, class) == 18 && size_of::<Object>() == 72);
