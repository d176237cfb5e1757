//! What this crate needs from the language, taken before any script runs, so that whatever scripts replace afterwards
//! changes nothing.

use qjs::{Ctx, Object, Result, Value};
use rquickjs::{FromJs, JsLifetime};

use crate::scalar::Scalar;

/// Methods by the object that has them. (No script can change the `prototype` of these classes.)
const TABLE: [(&str, &str); 8] = [
    (
        "globalThis",
        "BigInt64Array BigUint64Array DataView Error Float32Array Float64Array Int16Array Int32Array Int8Array Map String \
         SyntaxError TypeError Uint16Array Uint32Array Uint8Array WeakMap",
    ),
    ("Array", "isArray"),
    ("Array.prototype", "every join values"),
    ("Map.prototype", "forEach get has set"),
    ("Number", "isInteger"),
    ("Object", "defineProperty keys setPrototypeOf"),
    ("Object.prototype", "isPrototypeOf toString"),
    ("Reflect", "apply"),
];

/// What was taken in a runtime.
#[derive(JsLifetime)]
struct Language<'js> {
    table: Object<'js>,
    /// The prototype that all typed arrays have in common.
    typed_array: Object<'js>,
    /// `get` and `set`, as the prototype of this crate's own WeakMaps.
    weak_map: Object<'js>,
    /// The classes of typed arrays, as the types of numbers are numbered.
    views: Vec<Value<'js>>,
}

/// Takes everything.
pub(crate) fn take(ctx: &Ctx<'_>) -> Result<()> {
    let globals = ctx.globals();
    let prototype = |class: &str| globals.get::<_, Object>(class)?.get::<_, Object>("prototype");
    let views = Scalar::ALL[..Scalar::TYPED].iter().map(|scalar| globals.get(scalar.element(false).name()));
    let language = Language {
        table: qjs::pristine::take(ctx, &TABLE)?,
        typed_array: prototype("Uint8Array")?.get_prototype().ok_or(rquickjs::Error::Unknown)?,
        weak_map: qjs::pristine::copy(&prototype("WeakMap")?, "get set")?,
        views: views.collect::<Result<_>>()?,
    };
    ctx.store_userdata(language).map_err(|_| rquickjs::Error::Unknown)?;
    Ok(())
}

/// The table, for `js/registry.js`.
pub(crate) fn table<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    Ok(ctx.userdata::<Language>().ok_or(rquickjs::Error::Unknown)?.table.clone())
}

/// A class.
pub(crate) fn class<'js, V: FromJs<'js>>(ctx: &Ctx<'js>, name: &str) -> Result<V> {
    table(ctx)?.get::<_, Object>("globalThis")?.get(name)
}

/// The prototype that all typed arrays have in common.
pub(crate) fn typed_array_prototype<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    Ok(ctx.userdata::<Language>().ok_or(rquickjs::Error::Unknown)?.typed_array.clone())
}

/// The type of numbers that the instances of a typed array's class have.
pub(crate) fn scalar_of_class<'js>(ctx: &Ctx<'js>, class: &Value<'js>) -> Option<Scalar> {
    let language = ctx.userdata::<Language<'js>>()?;
    language.views.iter().position(|view| view == class).map(|at| Scalar::ALL[at])
}

/// The class of typed arrays with these numbers.
pub(crate) fn class_of_scalar<'js>(ctx: &Ctx<'js>, scalar: Scalar) -> Result<Value<'js>> {
    class(ctx, scalar.element(false).name())
}

/// A WeakMap whose methods are its own.
pub(crate) fn new_weak_map<'js>(ctx: &Ctx<'js>) -> Result<Value<'js>> {
    let constructor: Value = class(ctx, "WeakMap")?;
    let map = qjs::function::construct(&constructor, &constructor, &[])?;
    let methods = ctx.userdata::<Language>().ok_or(rquickjs::Error::Unknown)?.weak_map.clone();
    map.as_object().ok_or(rquickjs::Error::Unknown)?.set_prototype(Some(&methods))?;
    Ok(map)
}

/// An iterator over an array, as `for` makes it.
pub(crate) fn iterate_array<'js>(array: &Value<'js>) -> Result<Value<'js>> {
    let values: qjs::Function = table(array.ctx())?.get::<_, Object>("Array.prototype")?.get("values")?;
    values.call((rquickjs::prelude::This(array.clone()),))
}

/// The elements of an array, by index, or of any other iterable; `None` for anything else.
pub(crate) fn list<'js>(value: &Value<'js>) -> Result<Option<Vec<Value<'js>>>> {
    match value.as_array() {
        Some(array) => array.iter().collect::<Result<_>>().map(Some),
        None if value.is_object() => webidl::iterator_to_list(value),
        None => Ok(None),
    }
}
