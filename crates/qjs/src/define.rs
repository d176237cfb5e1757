//! Properties as WebIDL wants them: which are enumerable, which are accessors, and how their functions are named.

use rquickjs::{Ctx, Object, Value, qjs as q};

use crate::function::{Kind, Native, Quick, function, quick_function};
use crate::value::Cx;

/// Attributes of a data property.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attributes {
    /// Writable, enumerable, configurable: what assignment makes, and WebIDL operations.
    Plain,
    /// Writable, configurable: interfaces on a namespace, and ECMAScript's own functions.
    Hidden,
    /// Configurable: `name`, `length` and `Symbol.toStringTag`.
    ReadOnly,
    /// Only enumerable: the exports of an instance.
    Frozen,
}

impl Attributes {
    fn flags(self) -> i32 {
        (match self {
            Self::Plain => q::JS_PROP_C_W_E,
            Self::Hidden => q::JS_PROP_WRITABLE | q::JS_PROP_CONFIGURABLE,
            Self::ReadOnly => q::JS_PROP_CONFIGURABLE,
            Self::Frozen => q::JS_PROP_ENUMERABLE,
        }) as i32
    }
}

/// An atom, freed when it goes.
pub(crate) struct Atom<'js>(Cx<'js>, q::JSAtom);

impl<'js> Atom<'js> {
    pub(crate) fn new(cx: Cx<'js>, name: &str) -> rquickjs::Result<Self> {
        // SAFETY: the bytes are valid UTF-8 of the given length.
        match unsafe { q::JS_NewAtomLen(cx.raw(), name.as_ptr().cast(), name.len() as _) } {
            0 => Err(rquickjs::Error::Exception),
            atom => Ok(Self(cx, atom)),
        }
    }

    pub(crate) fn raw(&self) -> q::JSAtom {
        self.1
    }
}

impl Drop for Atom<'_> {
    fn drop(&mut self) {
        // SAFETY: the atom is this value's own.
        unsafe { q::JS_FreeAtom(self.0.raw(), self.1) };
    }
}

/// Defines `object[name] = value` with the given attributes.
///
/// # Errors
/// When the object refuses the property, or memory is out.
pub fn value<'js>(
    object: &Object<'js>,
    name: &str,
    value: &Value<'js>,
    attributes: Attributes,
) -> rquickjs::Result<()> {
    define_value(object, &Atom::new(Cx::of(object.ctx()), name)?, value, attributes)
}

fn define_value<'js>(
    object: &Object<'js>,
    atom: &Atom<'js>,
    value: &Value<'js>,
    attributes: Attributes,
) -> rquickjs::Result<()> {
    let cx = Cx::of(object.ctx());
    let flags = attributes.flags() | q::JS_PROP_THROW as i32;
    // SAFETY: QuickJS takes over the duplicated reference, even when it fails.
    let done = unsafe {
        let value = q::JS_DupValue(cx.raw(), value.as_raw());
        q::JS_DefinePropertyValue(cx.raw(), object.as_raw(), atom.1, value, flags)
    };
    if done < 0 { Err(rquickjs::Error::Exception) } else { Ok(()) }
}

/// CreateDataProperty for fresh objects. `set` would run a setter that a script gave `Object.prototype`.
pub trait Put<'js> {
    /// Defines `self[key] = value`.
    ///
    /// # Errors
    /// When the object refuses the property, or memory is out.
    fn put<K: rquickjs::IntoAtom<'js>, V: rquickjs::IntoJs<'js>>(&self, key: K, value: V) -> rquickjs::Result<()>;
}

impl<'js> Put<'js> for Object<'js> {
    fn put<K: rquickjs::IntoAtom<'js>, V: rquickjs::IntoJs<'js>>(&self, key: K, value: V) -> rquickjs::Result<()> {
        let value = value.into_js(self.ctx())?;
        self.prop(key, rquickjs::object::Property::from(value).writable().enumerable().configurable())
    }
}

/// Defines a method.
///
/// # Errors
/// As [`value`].
pub fn method<'js, F: Native>(object: &Object<'js>, name: &str, length: i32, native: F) -> rquickjs::Result<()> {
    let function = function(object.ctx(), Kind::Plain, name, length, native)?;
    value(object, name, &function.into_value(), Attributes::Plain)
}

/// Defines a method that is [`Quick`].
///
/// # Errors
/// As [`value`].
pub fn quick_method<'js, F: Quick>(object: &Object<'js>, name: &str, length: i32, native: F) -> rquickjs::Result<()> {
    let function = quick_function(object.ctx(), name, length, native)?;
    value(object, name, &function.into_value(), Attributes::Plain)
}

/// Defines a method under a symbol, not enumerable, as ECMAScript's own are.
///
/// # Errors
/// As [`value`].
pub fn symbol_method<'js, F: Native>(
    object: &Object<'js>,
    symbol: rquickjs::atom::PredefinedAtom,
    name: &str,
    length: i32,
    native: F,
) -> rquickjs::Result<()> {
    let function = function(object.ctx(), Kind::Plain, name, length, native)?;
    object.prop(symbol, rquickjs::object::Property::from(function).writable().configurable())
}

/// Defines a method under `Symbol.dispose`, which `using` calls.
///
/// # Errors
/// As [`value`].
pub fn dispose_method<'js, F: Native>(object: &Object<'js>, native: F) -> rquickjs::Result<()> {
    let function = function(object.ctx(), Kind::Plain, "[Symbol.dispose]", 0, native)?;
    // A predefined atom is not counted.
    let symbol = Atom(Cx::of(object.ctx()), q::JS_ATOM_Symbol_dispose as q::JSAtom);
    define_value(object, &symbol, function.as_value(), Attributes::Hidden)
}

/// Defines a read-only attribute: an enumerable, configurable getter named `get name`.
///
/// # Errors
/// As [`value`].
pub fn getter<'js, F: Native>(object: &Object<'js>, name: &str, native: F) -> rquickjs::Result<()> {
    let get = function(object.ctx(), Kind::Plain, &format!("get {name}"), 0, native)?;
    accessor(object, name, get.into_value(), Value::new_undefined(object.ctx().clone()), q::JS_PROP_ENUMERABLE)
}

/// Defines a getter that is only configurable, as ECMAScript's own are.
///
/// # Errors
/// As [`value`].
pub fn hidden_getter<'js, F: Native>(object: &Object<'js>, name: &str, native: F) -> rquickjs::Result<()> {
    let get = function(object.ctx(), Kind::Plain, &format!("get {name}"), 0, native)?;
    accessor(object, name, get.into_value(), Value::new_undefined(object.ctx().clone()), 0)
}

/// Defines an attribute that can be set.
///
/// # Errors
/// As [`value`].
pub fn attribute<'js, G: Native, S: Native>(object: &Object<'js>, name: &str, get: G, set: S) -> rquickjs::Result<()> {
    let get = function(object.ctx(), Kind::Plain, &format!("get {name}"), 0, get)?;
    let set = function(object.ctx(), Kind::Plain, &format!("set {name}"), 1, set)?;
    accessor(object, name, get.into_value(), set.into_value(), q::JS_PROP_ENUMERABLE)
}

/// [`attribute`], only configurable, as ECMAScript's own are.
///
/// # Errors
/// As [`value`].
pub fn hidden_attribute<'js, G: Native, S: Native>(
    object: &Object<'js>,
    name: &str,
    get: G,
    set: S,
) -> rquickjs::Result<()> {
    let get = function(object.ctx(), Kind::Plain, &format!("get {name}"), 0, get)?;
    let set = function(object.ctx(), Kind::Plain, &format!("set {name}"), 1, set)?;
    accessor(object, name, get.into_value(), set.into_value(), 0)
}

/// Defines a getter of `Symbol.toStringTag`, as ECMAScript's own classes have it.
///
/// # Errors
/// As [`value`].
pub fn to_string_tag_getter<F: Native>(object: &Object<'_>, native: F) -> rquickjs::Result<()> {
    let ctx = object.ctx();
    let get = function(ctx, Kind::Plain, "get [Symbol.toStringTag]", 0, native)?.into_value();
    // A predefined atom is not counted.
    let atom = Atom(Cx::of(ctx), rquickjs::atom::PredefinedAtom::SymbolToStringTag as q::JSAtom);
    define_accessor(object, &atom, get, Value::new_undefined(ctx.clone()), 0)
}

fn accessor<'js>(
    object: &Object<'js>,
    name: &str,
    get: Value<'js>,
    set: Value<'js>,
    enumerable: u32,
) -> rquickjs::Result<()> {
    define_accessor(object, &Atom::new(Cx::of(object.ctx()), name)?, get, set, enumerable)
}

fn define_accessor<'js>(
    object: &Object<'js>,
    atom: &Atom<'js>,
    get: Value<'js>,
    set: Value<'js>,
    enumerable: u32,
) -> rquickjs::Result<()> {
    let cx = Cx::of(object.ctx());
    let flags = (enumerable | q::JS_PROP_CONFIGURABLE) as i32;
    // SAFETY: QuickJS takes over the duplicated references, even when it fails.
    let done = unsafe {
        let (get, set) = (q::JS_DupValue(cx.raw(), get.as_raw()), q::JS_DupValue(cx.raw(), set.as_raw()));
        q::JS_DefinePropertyGetSet(cx.raw(), object.as_raw(), atom.1, get, set, flags)
    };
    if done < 0 { Err(rquickjs::Error::Exception) } else { Ok(()) }
}

/// An interface: a constructor with its prototype object, defined on `holder` under its own name.
///
/// # Errors
/// As [`value`].
pub fn interface<'js, F: Native>(
    holder: &Object<'js>,
    name: &str,
    tag: &str,
    attributes: Attributes,
    length: i32,
    native: F,
) -> rquickjs::Result<Interface<'js>> {
    let ctx = holder.ctx();
    let prototype = Object::new(ctx.clone())?;
    to_string_tag(&prototype, tag)?;
    let function = function(ctx, Kind::Constructor, name, length, native)?;
    crate::function::set_constructor(ctx, &function, &prototype);
    value(holder, name, function.as_value(), attributes)?;
    let constructor = function.into_value().into_object().ok_or(rquickjs::Error::Unknown)?;
    Ok(Interface { constructor, prototype })
}

/// What [`interface`] made.
pub struct Interface<'js> {
    /// The constructor, for static members.
    pub constructor: Object<'js>,
    /// The prototype object, for all others.
    pub prototype: Object<'js>,
}

/// Defines `Symbol.toStringTag`.
///
/// # Errors
/// As [`value`].
pub fn to_string_tag(object: &Object<'_>, tag: &str) -> rquickjs::Result<()> {
    let symbol = rquickjs::atom::PredefinedAtom::SymbolToStringTag;
    object.prop(symbol, rquickjs::object::Property::from(tag).configurable())
}

/// GetV: a property of any value, primitives included.
///
/// # Errors
/// A TypeError for `undefined` and `null`, or what a getter throws.
pub fn get<'js>(value: &Value<'js>, key: rquickjs::atom::PredefinedAtom) -> rquickjs::Result<Value<'js>> {
    let cx = Cx::of(value.ctx());
    // SAFETY: the value is alive; predefined atoms need no counting.
    cx.take(unsafe { q::JS_GetProperty(cx.raw(), value.as_raw(), key as q::JSAtom) })
}

/// SetIntegrityLevel(object, frozen).
///
/// # Errors
/// As [`value`].
pub fn freeze(object: &Object<'_>) -> rquickjs::Result<()> {
    // SAFETY: the object and its context are alive.
    match unsafe { q::JS_FreezeObject(Cx::of(object.ctx()).raw(), object.as_raw()) } {
        -1 => Err(rquickjs::Error::Exception),
        _ => Ok(()),
    }
}

/// The intrinsic `Function.prototype` of the context.
pub fn function_prototype<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let cx = Cx::of(ctx);
    // SAFETY: the context is live; the reference is ours.
    cx.take(unsafe { q::JS_GetFunctionProto(cx.raw()) })?.into_object().ok_or(rquickjs::Error::Unknown)
}

/// Defines a function object's `name` and `length`.
pub fn function_properties<'js>(ctx: &Ctx<'js>, object: &Object<'js>, name: &str, length: i32) -> rquickjs::Result<()> {
    let cx = Cx::of(ctx);
    let flags = (q::JS_PROP_CONFIGURABLE | q::JS_PROP_THROW) as i32;
    let text = crate::string::from_utf8(ctx, name.as_bytes())?;
    // SAFETY: QuickJS takes over the values' references, even when it fails.
    let done = unsafe {
        let length = q::JS_MKVAL(q::JS_TAG_INT, length);
        let first = q::JS_DefinePropertyValueStr(cx.raw(), object.as_raw(), c"length".as_ptr(), length, flags);
        let text = q::JS_DupValue(cx.raw(), text.as_raw());
        first.min(q::JS_DefinePropertyValueStr(cx.raw(), object.as_raw(), c"name".as_ptr(), text, flags))
    };
    if done < 0 { Err(rquickjs::Error::Exception) } else { Ok(()) }
}
