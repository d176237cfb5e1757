//! Objects whose own properties are a fixed list of fields, read and written by Rust: structs in foreign memory.

use rquickjs::{Ctx, Object, Value, qjs as q};

use crate::class::{HostClass, define, guard};
use crate::lazy::{NameTable, find_in, own_property_names, value_class};
use crate::value::{Borrowed, Cx};

/// A class of objects with fields: enumerable, writable properties that cannot be deleted. There are no other
/// properties.
pub trait Fields: HostClass {
    /// The names of the fields.
    fn names(&self) -> &NameTable;

    /// What the object is, for messages: `struct point`.
    fn what(&self) -> String;

    /// The field at `index`.
    ///
    /// # Errors
    /// The exception is pending in the context.
    fn read<'js>(&self, ctx: &Ctx<'js>, index: usize) -> rquickjs::Result<Value<'js>>;

    /// Sets the field at `index`.
    ///
    /// # Errors
    /// The exception is pending in the context.
    fn write(&self, ctx: &Ctx<'_>, index: usize, value: Borrowed<'_>) -> rquickjs::Result<()>;
}

/// Makes the class known to the context's runtime.
///
/// # Errors
/// As [`crate::class::register`].
pub fn register<T: Fields>(ctx: &Ctx<'_>) -> rquickjs::Result<()> {
    // QuickJS keeps the pointer for as long as the runtime lives. There is one small table for each class in the
    // process.
    let methods = const {
        &q::JSClassExoticMethods {
            get_own_property: Some(get_own_property::<T>),
            get_own_property_names: Some(get_own_property_names::<T>),
            delete_property: Some(delete_property::<T>),
            define_own_property: Some(define_own_property::<T>),
            has_property: None,
            get_property: None,
            set_property: Some(set_property::<T>),
        }
    };
    define::<T>(ctx, None, std::ptr::from_ref(methods).cast_mut())
}

/// A new object with fields.
///
/// # Errors
/// When memory is out.
pub fn new_object<'js, T: Fields>(
    ctx: &Ctx<'js>,
    value: T,
    prototype: Option<&Object<'js>>,
) -> rquickjs::Result<Object<'js>> {
    crate::class::new_object(ctx, value, prototype)
}

/// Finds the value behind `object`.
///
/// # Safety
/// `object` must be alive for as long as `'a`.
unsafe fn value_of<'a, T: Fields>(object: q::JSValue) -> Option<&'a T> {
    // SAFETY: QuickJS checks the class; the box lives as long as the object.
    unsafe { q::JS_GetOpaque(object, value_class::<T>()).cast::<T>().as_ref() }
}

/// [`value_of`], and the place of the field `atom`.
///
/// # Safety
/// As [`value_of`].
unsafe fn find<'a, T: Fields>(object: q::JSValue, atom: q::JSAtom) -> Option<(&'a T, usize)> {
    // SAFETY: by the caller's promise.
    let value = unsafe { value_of::<T>(object) }?;
    Some((value, find_in(value.names(), atom)?))
}

unsafe extern "C" fn get_own_property<T: Fields>(
    ctx: *mut q::JSContext,
    descriptor: *mut q::JSPropertyDescriptor,
    object: q::JSValue,
    atom: q::JSAtom,
) -> i32 {
    // SAFETY: the object is alive for the call.
    let Some((value, index)) = (unsafe { find::<T>(object, atom) }) else { return 0 };
    if descriptor.is_null() {
        return 1;
    }
    // SAFETY: QuickJS calls with a live context.
    let cx = unsafe { Cx::from_raw(ctx) };
    let value = guard(cx, || match value.read(&cx.ctx(), index) {
        Ok(value) => cx.returned(&value).0,
        Err(error) => {
            crate::function::throw(&cx.ctx(), error);
            q::JS_EXCEPTION
        }
    });
    // SAFETY: reading a tag.
    if unsafe { q::JS_IsException(value) } {
        return -1;
    }
    let flags = (q::JS_PROP_ENUMERABLE | q::JS_PROP_WRITABLE) as _;
    let filled = q::JSPropertyDescriptor { flags, value, getter: q::JS_UNDEFINED, setter: q::JS_UNDEFINED };
    // SAFETY: QuickJS passes null or room for a descriptor, and takes over the value's reference.
    unsafe { descriptor.write(filled) };
    1
}

unsafe extern "C" fn get_own_property_names<T: Fields>(
    ctx: *mut q::JSContext,
    table: *mut *mut q::JSPropertyEnum,
    len: *mut u32,
    object: q::JSValue,
) -> i32 {
    // SAFETY: the object is alive for the call; QuickJS passes room for the table and its length.
    unsafe { own_property_names(ctx, table, len, value_of::<T>(object).map(T::names)) }
}

unsafe extern "C" fn delete_property<T: Fields>(_ctx: *mut q::JSContext, object: q::JSValue, atom: q::JSAtom) -> i32 {
    // SAFETY: the object is alive for the call.
    i32::from(unsafe { find::<T>(object, atom) }.is_none())
}

/// Writes a field, or says that there is none of that name. Returns 1, or -1 with the exception pending.
///
/// # Safety
/// The context, the object and the value must be alive.
unsafe fn write<T: Fields>(ctx: *mut q::JSContext, object: q::JSValue, atom: q::JSAtom, new: q::JSValue) -> i32 {
    // SAFETY: by the caller's promise.
    let (cx, found) = unsafe { (Cx::from_raw(ctx), find::<T>(object, atom)) };
    let done = guard(cx, || {
        let result = match found {
            // SAFETY: by the caller's promise.
            Some((value, index)) => value.write(&cx.ctx(), index, unsafe { Borrowed::from_raw(new) }),
            None => {
                // SAFETY: as above.
                let what = unsafe { value_of::<T>(object) }.map(T::what).unwrap_or_default();
                // SAFETY: the atom is alive; the value is ours.
                let name = cx.take(unsafe { q::JS_AtomToValue(ctx, atom) }).ok();
                let name = name.and_then(|name| name.as_string().and_then(|name| name.to_string().ok()));
                let name = name.map_or("of that name".into(), |name| format!("`{name}`"));
                Err(rquickjs::Exception::throw_type(&cx.ctx(), &format!("{what} has no field {name}")))
            }
        };
        match result {
            Ok(()) => q::JS_UNDEFINED,
            Err(error) => {
                crate::function::throw(&cx.ctx(), error);
                q::JS_EXCEPTION
            }
        }
    });
    // SAFETY: reading a tag.
    if unsafe { q::JS_IsException(done) } { -1 } else { 1 }
}

unsafe extern "C" fn set_property<T: Fields>(
    ctx: *mut q::JSContext,
    object: q::JSValue,
    atom: q::JSAtom,
    value: q::JSValue,
    receiver: q::JSValue,
    flags: i32,
) -> i32 {
    // SAFETY: reading pointers of objects.
    let is_own = unsafe { q::JS_IsObject(receiver) && q::JS_VALUE_GET_PTR(receiver) == q::JS_VALUE_GET_PTR(object) };
    if !is_own {
        // An object that inherits from this one gets a property of its own.
        let flags = (q::JS_PROP_C_W_E as i32) | (flags & q::JS_PROP_THROW as i32);
        // SAFETY: QuickJS calls with a live context, receiver and value, and takes over the reference.
        return unsafe { q::JS_DefinePropertyValue(ctx, receiver, atom, q::JS_DupValue(ctx, value), flags) };
    }
    // SAFETY: QuickJS calls with a live context, object and value.
    unsafe { write::<T>(ctx, object, atom, value) }
}

unsafe extern "C" fn define_own_property<T: Fields>(
    ctx: *mut q::JSContext,
    object: q::JSValue,
    atom: q::JSAtom,
    value: q::JSValue,
    _getter: q::JSValue,
    _setter: q::JSValue,
    flags: i32,
) -> i32 {
    let has = |flag: u32| flags as u32 & flag != 0;
    let other_attributes = has(q::JS_PROP_HAS_GET)
        || has(q::JS_PROP_HAS_SET)
        || (has(q::JS_PROP_HAS_CONFIGURABLE) && has(q::JS_PROP_CONFIGURABLE))
        || (has(q::JS_PROP_HAS_WRITABLE) && !has(q::JS_PROP_WRITABLE))
        || (has(q::JS_PROP_HAS_ENUMERABLE) && !has(q::JS_PROP_ENUMERABLE));
    if other_attributes {
        // SAFETY: QuickJS calls with a live context.
        let ctx = unsafe { Cx::from_raw(ctx) }.ctx();
        rquickjs::Exception::throw_type(&ctx, "a field cannot be redefined");
        return -1;
    }
    // SAFETY: the object is alive for the call.
    if !has(q::JS_PROP_HAS_VALUE) && unsafe { find::<T>(object, atom) }.is_some() {
        return 1;
    }
    // SAFETY: QuickJS calls with a live context, object and value.
    unsafe { write::<T>(ctx, object, atom, value) }
}
