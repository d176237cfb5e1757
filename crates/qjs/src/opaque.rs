//! Objects that show nothing and accept nothing: no prototype and no properties, for ever.

use rquickjs::{Ctx, Exception, Object, qjs as q};

use crate::class::{HostClass, define};
use crate::value::Cx;

/// Makes the class known to the context's runtime.
///
/// # Errors
/// As [`crate::class::register`].
pub fn register<T: HostClass>(ctx: &Ctx<'_>) -> rquickjs::Result<()> {
    // QuickJS keeps the pointer for as long as the runtime lives. There is one small table for all classes of the
    // process.
    static METHODS: q::JSClassExoticMethods = q::JSClassExoticMethods {
        get_own_property: Some(get_own_property),
        get_own_property_names: Some(get_own_property_names),
        delete_property: Some(delete_property),
        define_own_property: Some(define_own_property),
        has_property: Some(has_property),
        get_property: Some(get_property),
        set_property: Some(set_property),
    };
    define::<T>(ctx, None, (&raw const METHODS).cast_mut())
}

/// A new object that owns `value`.
///
/// # Errors
/// When memory is out.
pub fn new_object<'js, T: HostClass>(ctx: &Ctx<'js>, value: T) -> rquickjs::Result<Object<'js>> {
    crate::class::new_bare_object(ctx, value)
}

unsafe fn refuse(ctx: *mut q::JSContext, what: &str) -> i32 {
    // SAFETY: QuickJS calls with a live context.
    let ctx = unsafe { Cx::from_raw(ctx) }.ctx();
    Exception::throw_type(&ctx, &format!("an opaque object's properties cannot be {what}"));
    -1
}

unsafe extern "C" fn get_own_property(
    _ctx: *mut q::JSContext,
    _descriptor: *mut q::JSPropertyDescriptor,
    _object: q::JSValue,
    _atom: q::JSAtom,
) -> i32 {
    0
}

unsafe extern "C" fn get_own_property_names(
    ctx: *mut q::JSContext,
    table: *mut *mut q::JSPropertyEnum,
    len: *mut u32,
    _object: q::JSValue,
) -> i32 {
    // SAFETY: QuickJS passes room for both, and frees the table with `js_free`.
    unsafe {
        *len = 0;
        *table = q::js_malloc(ctx, size_of::<q::JSPropertyEnum>() as _).cast();
        if (*table).is_null() { -1 } else { 0 }
    }
}

unsafe extern "C" fn delete_property(ctx: *mut q::JSContext, _object: q::JSValue, _atom: q::JSAtom) -> i32 {
    // SAFETY: QuickJS calls with a live context.
    unsafe { refuse(ctx, "deleted") }
}

unsafe extern "C" fn define_own_property(
    ctx: *mut q::JSContext,
    _object: q::JSValue,
    _atom: q::JSAtom,
    _value: q::JSValue,
    _getter: q::JSValue,
    _setter: q::JSValue,
    flags: i32,
) -> i32 {
    if flags as u32 & q::JS_PROP_THROW == 0 {
        return 0;
    }
    // SAFETY: QuickJS calls with a live context.
    unsafe { refuse(ctx, "defined") }
}

unsafe extern "C" fn has_property(_ctx: *mut q::JSContext, _object: q::JSValue, _atom: q::JSAtom) -> i32 {
    0
}

unsafe extern "C" fn get_property(
    _ctx: *mut q::JSContext,
    _object: q::JSValue,
    _atom: q::JSAtom,
    _receiver: q::JSValue,
) -> q::JSValue {
    q::JS_UNDEFINED
}

unsafe extern "C" fn set_property(
    ctx: *mut q::JSContext,
    _object: q::JSValue,
    _atom: q::JSAtom,
    _value: q::JSValue,
    _receiver: q::JSValue,
    _flags: i32,
) -> i32 {
    // SAFETY: QuickJS calls with a live context.
    unsafe { refuse(ctx, "set") }
}
