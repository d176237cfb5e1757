//! The language's own functions, kept from before any script could replace them.

use rquickjs::{Ctx, Function, Object, Value, atom::PredefinedAtom, qjs as q};

use crate::define::{Atom, Put as _};
use crate::value::{Borrowed, Cx};

/// Copies own properties of `holder` into a new object without a prototype: functions and other values as they are, and
/// for an accessor its getter. `names` are separated by spaces. A name that `holder` does not have is left out.
///
/// # Errors
/// When memory is out.
pub fn copy<'js>(holder: &Object<'js>, names: &str) -> rquickjs::Result<Object<'js>> {
    let copy = bare_object(holder.ctx())?;
    for name in names.split(' ') {
        let atom = Atom::new(Cx::of(holder.ctx()), name)?;
        // SAFETY: the atom is alive for the call.
        unsafe { copy_property(holder, &copy, atom.raw(), false)? };
    }
    Ok(copy)
}

/// Copies what a table names, by [`copy`]: holders, by global names such as `C` or `C.prototype`, each with the
/// properties that are wanted of it.
///
/// # Errors
/// When a holder does not exist, or memory is out.
pub fn take<'js>(ctx: &Ctx<'js>, table: &[(&str, &str)]) -> rquickjs::Result<Object<'js>> {
    let taken = bare_object(ctx)?;
    for (path, names) in table {
        let holder: Object = match path.strip_suffix(".prototype") {
            Some(class) => ctx.globals().get::<_, Object>(class)?.get("prototype")?,
            None => ctx.globals().get(*path)?,
        };
        taken.put(*path, copy(&holder, names)?)?;
    }
    Ok(taken)
}

/// The property of `holder` under a symbol; for an accessor, its getter.
///
/// # Errors
/// When memory is out.
pub fn copy_symbol<'js>(holder: &Object<'js>, symbol: PredefinedAtom) -> rquickjs::Result<Value<'js>> {
    let copy = bare_object(holder.ctx())?;
    // SAFETY: a predefined atom is always alive.
    unsafe { copy_property(holder, &copy, symbol as q::JSAtom, false)? };
    copy.get(symbol)
}

/// A new object without a prototype that has all own properties of `holder`, including those under symbols.
///
/// # Errors
/// When memory is out.
pub fn copy_all<'js>(holder: &Object<'js>) -> rquickjs::Result<Object<'js>> {
    let cx = Cx::of(holder.ctx());
    let copy = bare_object(holder.ctx())?;
    let (mut start, mut len) = (std::ptr::null_mut(), 0);
    let flags = (q::JS_GPN_STRING_MASK | q::JS_GPN_SYMBOL_MASK) as i32;
    // SAFETY: the object is alive; QuickJS fills both in, or leaves an exception. The table is read within its length,
    // and given back once.
    unsafe {
        if q::JS_GetOwnPropertyNames(cx.raw(), &mut start, &mut len, holder.as_raw(), flags) < 0 {
            return Err(rquickjs::Error::Exception);
        }
        let copied = (0..len as usize).try_for_each(|at| copy_property(holder, &copy, (*start.add(at)).atom, true));
        q::JS_FreePropertyEnum(cx.raw(), start, len);
        copied?;
    }
    Ok(copy)
}

/// An ordinary object without a prototype.
///
/// # Errors
/// When memory is out.
pub fn bare_object<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let cx = Cx::of(ctx);
    // SAFETY: the context is live.
    let object = unsafe { q::JS_NewObjectProto(cx.raw(), q::JS_NULL) };
    cx.take(object)?.into_object().ok_or(rquickjs::Error::Unknown)
}

/// # Safety
/// The atom must be alive.
unsafe fn copy_property(
    holder: &Object<'_>,
    copy: &Object<'_>,
    atom: q::JSAtom,
    accessors: bool,
) -> rquickjs::Result<()> {
    let cx = Cx::of(holder.ctx());
    let mut found = std::mem::MaybeUninit::<q::JSPropertyDescriptor>::uninit();
    // SAFETY: the objects and the atom are alive. QuickJS fills the descriptor in if it says so; its references are
    // ours then, and handed over to the definition.
    let done = unsafe {
        match q::JS_GetOwnProperty(cx.raw(), found.as_mut_ptr(), holder.as_raw(), atom) {
            0 => return Ok(()),
            1 => {}
            _ => return Err(rquickjs::Error::Exception),
        }
        let found = found.assume_init();
        let flags = q::JS_PROP_C_W_E as i32;
        if found.flags as u32 & q::JS_PROP_GETSET == 0 {
            q::JS_DefinePropertyValue(cx.raw(), copy.as_raw(), atom, found.value, flags)
        } else if accessors {
            let flags = (q::JS_PROP_CONFIGURABLE | q::JS_PROP_ENUMERABLE) as i32;
            q::JS_DefinePropertyGetSet(cx.raw(), copy.as_raw(), atom, found.getter, found.setter, flags)
        } else {
            q::JS_FreeValue(cx.raw(), found.setter);
            q::JS_DefinePropertyValue(cx.raw(), copy.as_raw(), atom, found.getter, flags)
        }
    };
    if done < 0 { Err(rquickjs::Error::Exception) } else { Ok(()) }
}

/// A function that calls a method with its first argument as `this`: for a string the first of `methods`, for an array
/// the second, for anything else the third. If that method is `undefined`, the third stands in, or else any that there
/// is.
///
/// # Errors
/// When memory is out.
pub fn detached<'js>(ctx: &Ctx<'js>, methods: [Value<'js>; 3]) -> rquickjs::Result<Function<'js>> {
    let cx = Cx::of(ctx);
    let mut data = methods.each_ref().map(|method| method.as_raw());
    // SAFETY: QuickJS takes references of its own to the three values, and keeps them with the function.
    let function = unsafe { q::JS_NewCFunctionData(cx.raw(), Some(call), 1, 0, 3, data.as_mut_ptr()) };
    cx.take(function)?.into_function().ok_or(rquickjs::Error::Unknown)
}

unsafe extern "C" fn call(
    ctx: *mut q::JSContext,
    _this: q::JSValue,
    argc: i32,
    argv: *mut q::JSValue,
    _magic: i32,
    data: *mut q::JSValue,
) -> q::JSValue {
    // SAFETY: QuickJS calls with at least as many arguments in `argv` as the function's `length`, which is 1, and with
    // the three values that the function was made with; all live as long as the call.
    unsafe {
        let this = *argv;
        let methods = std::slice::from_raw_parts(data, 3);
        let receiver = Borrowed::from_raw(this);
        let chosen = if receiver.is_string() { 0 } else { 2 - usize::from(q::JS_IsArray(this)) };
        let order = [chosen, 2, 1, 0];
        let method = order.into_iter().map(|at| methods[at]).find(|method| !Borrowed::from_raw(*method).is_undefined());
        q::JS_Call(ctx, method.unwrap_or(q::JS_UNDEFINED), this, (argc - 1).max(0), argv.add(1))
    }
}
