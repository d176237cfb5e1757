//! What the platform's own JavaScript needs of the language, taken before any script runs, so that it does not matter
//! what scripts replace afterwards. `primordials.js` turns it into what the other embedded files are given.

use qjs::define::Put as _;
use qjs::pristine::{bare_object, copy, copy_all, copy_symbol, detached, take};
use rquickjs::{Ctx, Function, Object, Persistent, Value, atom::PredefinedAtom, function::This};

use crate::internal::state::Platform;

/// Functions that are taken one by one, listed by the object that has them.
const METHODS: [(&str, &str); 18] = [
    (
        "Object",
        "create defineProperty entries freeze getOwnPropertyDescriptor getOwnPropertyDescriptors getOwnPropertyNames \
         getOwnPropertySymbols getPrototypeOf hasOwn is keys setPrototypeOf values",
    ),
    ("Reflect", "apply construct defineProperty deleteProperty get getPrototypeOf has ownKeys set"),
    ("JSON", "parse stringify"),
    ("Math", "floor max min round sqrt trunc"),
    ("Number", "isFinite isInteger isNaN"),
    ("Array", "isArray"),
    ("ArrayBuffer", "isView"),
    ("Date", "now"),
    ("String", "fromCharCode"),
    ("Symbol", "for"),
    ("Uint8Array", "fromBase64 fromHex"),
    ("Object.prototype", "isPrototypeOf propertyIsEnumerable toString"),
    (
        "String.prototype",
        "at charCodeAt endsWith includes indexOf lastIndexOf match padEnd padStart repeat replace replaceAll slice \
         split startsWith toLowerCase toUpperCase toWellFormed trim valueOf",
    ),
    (
        "Array.prototype",
        "at every fill find findIndex findLast findLastIndex forEach includes indexOf join lastIndexOf pop push reduce \
         reverse shift some sort splice unshift values",
    ),
    ("Number.prototype", "toFixed toPrecision toString valueOf"),
    ("Uint8Array.prototype", "toBase64 toHex"),
    ("Promise.prototype", "then"),
    ("Date.prototype", "getTime toISOString toString toTimeString"),
];

/// Further functions, each from a class whose values they recognize or convert to text.
const BRANDS: [(&str, &str); 8] = [
    ("ArrayBuffer.prototype", "byteLength detached transfer"),
    ("SharedArrayBuffer.prototype", "byteLength"),
    ("DataView.prototype", "buffer byteLength byteOffset"),
    ("Boolean.prototype", "valueOf"),
    ("Function.prototype", "toString"),
    ("Symbol.prototype", "toString valueOf"),
    ("BigInt.prototype", "toString valueOf"),
    ("Error.prototype", "toString"),
];

/// Prototypes that are taken as a whole: instances get the copy as theirs.
const WHOLE: [&str; 6] = ["Map", "Set", "WeakMap", "WeakSet", "WeakRef", "RegExp"];

const CONSTRUCTORS: &str = "AggregateError Array ArrayBuffer BigInt BigInt64Array BigUint64Array Boolean DOMException DataView Date \
                            Error Float16Array Float32Array Float64Array Function Int16Array Int32Array Int8Array Iterator Map \
                            Number Object Promise Proxy RangeError RegExp Set SharedArrayBuffer String Symbol \
                            SyntaxError TypeError URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap \
                            WeakRef WeakSet decodeURIComponent encodeURIComponent globalThis parseFloat parseInt";

/// Takes everything.
pub(crate) fn capture<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Persistent<Object<'static>>> {
    let pristine = take(ctx, &[&METHODS[..], &BRANDS].concat())?;
    let globals = ctx.globals();
    for class in WHOLE {
        let prototype: Object = globals.get::<_, Object>(class)?.get("prototype")?;
        pristine.put([class, ".prototype"].concat(), copy_all(&prototype)?)?;
    }
    let prototype_of = |object: &Object<'js>| object.get_prototype().ok_or(rquickjs::Error::Unknown);
    let typed_array: Object = prototype_of(&globals.get("Uint8Array")?)?;
    let names = "buffer byteLength byteOffset fill length set values";
    let methods = copy(&typed_array.get("prototype")?, names)?;
    let tag = copy_symbol(&typed_array.get("prototype")?, PredefinedAtom::SymbolToStringTag)?;
    methods.put("tag", tag)?;
    pristine.put("TypedArray.prototype", methods)?;
    pristine.put("TypedArray", typed_array)?;
    pristine.put("globals", copy(&globals, CONSTRUCTORS)?)?;
    // What iterators have: the `next` of each kind, and what makes them iterable.
    for (class, make) in [("Array", "values"), ("Map", "entries"), ("Set", "values")] {
        let constructor: Value = globals.get(class)?;
        let empty =
            qjs::function::construct(&constructor, &constructor, &[])?.into_object().ok_or(rquickjs::Error::Unknown)?;
        let iterator: Object = empty.get::<_, Function>(make)?.call((This(empty),))?;
        let prototype = prototype_of(&iterator)?;
        let iterable = copy_all(&prototype)?;
        let symbol = PredefinedAtom::SymbolIterator;
        iterable.put(symbol, prototype_of(&prototype)?.get::<_, Value>(symbol)?)?;
        pristine.put([class, "Iterator"].concat(), iterable)?;
    }
    Ok(Persistent::save(ctx, pristine))
}

/// One of the functions that were taken.
pub(crate) fn pristine_method<'js>(ctx: &Ctx<'js>, holder: &str, name: &str) -> rquickjs::Result<Function<'js>> {
    Platform::of(ctx)?.pristine.clone().restore(ctx)?.get::<_, Object>(holder)?.get(name)
}

/// The native functions of `primordials.js`: what was taken, and a way to turn methods into plain functions.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = bare_object(ctx)?;
    native.put("pristine", Platform::of(ctx)?.pristine.clone().restore(ctx)?)?;
    crate::internal::def(
        &native,
        "detached",
        |ctx: Ctx<'js>, string: Value<'js>, array: Value<'js>, other: Value<'js>| {
            detached(&ctx, [string, array, other])
        },
    )?;
    crate::internal::def(&native, "isPromise", |value: Value<'js>| value.is_promise())?;
    Ok(native)
}
