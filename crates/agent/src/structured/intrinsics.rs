//! What structured serialize needs from the language, as it was before a script could change anything.

use std::rc::Rc;

use qjs::function::construct;
use qjs::{Ctx, Exception, Function, Object, Result, Value};
use rquickjs::JsLifetime;
use rquickjs::prelude::This;

use super::ErrorName;

#[derive(JsLifetime)]
pub(crate) struct Intrinsics<'js> {
    pub(super) object_prototype: Object<'js>,
    describe: Function<'js>,
    /// `valueOf` of each class, which tells what a boxed primitive holds; for a Date, `getTime`.
    pub(super) boolean_value: Function<'js>,
    pub(super) number_value: Function<'js>,
    pub(super) string_value: Function<'js>,
    pub(super) big_int_value: Function<'js>,
    pub(super) big_int_text: Function<'js>,
    pub(super) time: Function<'js>,
    pub(super) source: Function<'js>,
    /// By place in [`FLAGS`]. (The getter `flags` would ask the others by name.)
    pub(super) flags: Vec<Flag<'js>>,
    pub(super) map: Iteration<'js>,
    pub(super) set: Iteration<'js>,
    pub(super) map_set: Function<'js>,
    pub(super) set_add: Function<'js>,
    pub(super) typed_array: View<'js>,
    pub(super) data_view: View<'js>,
    pub(super) max_byte_length: Function<'js>,
    pub(super) resizable: Function<'js>,
    pub(super) shared_max_byte_length: Function<'js>,
    pub(super) growable: Function<'js>,
    /// `stack` of errors.
    pub(super) stack: Function<'js>,
    exception_name: Function<'js>,
    exception_message: Function<'js>,
    to_object: Function<'js>,
    pub(super) to_big_int: Function<'js>,
    pub(super) constructors: Constructors<'js>,
    /// By place in [`ErrorName::ALL`].
    pub(super) error_prototypes: Vec<Object<'js>>,
}

/// A flag of regular expressions.
#[derive(JsLifetime)]
pub(super) struct Flag<'js> {
    pub(super) letter: char,
    pub(super) getter: Function<'js>,
}

/// How a collection is iterated over.
#[derive(JsLifetime)]
pub(super) struct Iteration<'js> {
    /// `entries` or `values`.
    pub(super) entries: Function<'js>,
    /// Of the iterator.
    pub(super) next: Function<'js>,
}

/// The getters of views of one kind.
#[derive(JsLifetime)]
pub(super) struct View<'js> {
    pub(super) buffer: Function<'js>,
    pub(super) offset: Function<'js>,
    /// The length that a constructor takes: in elements, or in bytes for a DataView.
    pub(super) length: Function<'js>,
}

#[derive(JsLifetime)]
pub(super) struct Constructors<'js> {
    pub(super) date: Value<'js>,
    pub(super) reg_exp: Value<'js>,
    pub(super) map: Value<'js>,
    pub(super) set: Value<'js>,
    pub(super) array_buffer: Value<'js>,
    pub(super) data_view: Value<'js>,
    dom_exception: Value<'js>,
    typed_arrays: Vec<TypedArray<'js>>,
}

#[derive(JsLifetime)]
struct TypedArray<'js> {
    name: &'static str,
    constructor: Value<'js>,
}

/// The intrinsics of a runtime. Its handles outlast the borrow of the runtime's user data, since scripts run meanwhile.
#[derive(JsLifetime)]
pub(super) struct Shared<'js>(pub(super) Rc<Intrinsics<'js>>);

/// The flags of regular expressions and their properties, in the order in which `flags` lists them.
const FLAGS: [(char, &str); 8] = [
    ('d', "hasIndices"),
    ('g', "global"),
    ('i', "ignoreCase"),
    ('m', "multiline"),
    ('s', "dotAll"),
    ('u', "unicode"),
    ('v', "unicodeSets"),
    ('y', "sticky"),
];

impl<'js> Intrinsics<'js> {
    pub(super) fn new(ctx: &Ctx<'js>) -> Result<Self> {
        let globals = ctx.globals();
        let object: Object = globals.get("Object")?;
        let describe: Function = object.get("getOwnPropertyDescriptor")?;
        let prototype = |class: &str| globals.get::<_, Object>(class)?.get::<_, Object>("prototype");
        let method = |class: &str, name: &str| prototype(class)?.get::<_, Function>(name);
        let getter_of = |prototype: &Object<'js>, name: &str| {
            describe.call::<_, Object>((prototype.clone(), name))?.get::<_, Function>("get")
        };
        let getter = |class: &str, name: &str| getter_of(&prototype(class)?, name);
        let iteration = |class: &str, name: &str| -> Result<Iteration<'js>> {
            let constructor: Value = globals.get(class)?;
            let entries = method(class, name)?;
            let iterator: Object = entries.call((This(construct(&constructor, &constructor, &[])?),))?;
            Ok(Iteration { entries, next: iterator.get("next")? })
        };
        let typed_array = prototype("Uint8Array")?.get_prototype().ok_or(rquickjs::Error::Unknown)?;
        let typed_arrays = qjs::ElementKind::ALL.into_iter().map(|kind| {
            let name = kind.name();
            Ok(TypedArray { name, constructor: globals.get(name)? })
        });
        let flag = |letter: char, name: &str| Ok(Flag { letter, getter: getter("RegExp", name)? });
        Ok(Self {
            object_prototype: object.get("prototype")?,
            boolean_value: method("Boolean", "valueOf")?,
            number_value: method("Number", "valueOf")?,
            string_value: method("String", "valueOf")?,
            big_int_value: method("BigInt", "valueOf")?,
            big_int_text: method("BigInt", "toString")?,
            time: method("Date", "getTime")?,
            source: getter("RegExp", "source")?,
            flags: FLAGS.into_iter().map(|(letter, name)| flag(letter, name)).collect::<Result<_>>()?,
            map: iteration("Map", "entries")?,
            set: iteration("Set", "values")?,
            map_set: method("Map", "set")?,
            set_add: method("Set", "add")?,
            typed_array: View {
                buffer: getter_of(&typed_array, "buffer")?,
                offset: getter_of(&typed_array, "byteOffset")?,
                length: getter_of(&typed_array, "length")?,
            },
            data_view: View {
                buffer: getter("DataView", "buffer")?,
                offset: getter("DataView", "byteOffset")?,
                length: getter("DataView", "byteLength")?,
            },
            max_byte_length: getter("ArrayBuffer", "maxByteLength")?,
            resizable: getter("ArrayBuffer", "resizable")?,
            shared_max_byte_length: getter("SharedArrayBuffer", "maxByteLength")?,
            growable: getter("SharedArrayBuffer", "growable")?,
            stack: getter("Error", "stack")?,
            exception_name: getter("DOMException", "name")?,
            exception_message: getter("DOMException", "message")?,
            to_object: globals.get("Object")?,
            to_big_int: globals.get("BigInt")?,
            constructors: Constructors {
                date: globals.get("Date")?,
                reg_exp: globals.get("RegExp")?,
                map: globals.get("Map")?,
                set: globals.get("Set")?,
                array_buffer: globals.get("ArrayBuffer")?,
                data_view: globals.get("DataView")?,
                dom_exception: globals.get("DOMException")?,
                typed_arrays: typed_arrays.collect::<Result<_>>()?,
            },
            error_prototypes: ErrorName::ALL.iter().map(|(_, name)| prototype(name)).collect::<Result<_>>()?,
            describe,
        })
    }

    pub(super) fn of(ctx: &Ctx<'js>) -> Result<Rc<Self>> {
        match ctx.userdata::<Shared>() {
            Some(shared) => Ok(shared.0.clone()),
            None => Err(Exception::throw_internal(ctx, "structured serialize is not installed in this context")),
        }
    }

    /// The value of an object's own data property; `None` if it has no such property, or if that is an accessor. Runs
    /// no getter.
    pub(super) fn own_data(&self, object: &Object<'js>, name: &str) -> Result<Option<Value<'js>>> {
        let descriptor: Value = self.describe.call((object.clone(), name))?;
        let Some(descriptor) = descriptor.as_object() else { return Ok(None) };
        // The descriptor is an ordinary object, and a script may have put anything into its prototype.
        match self.is_own(descriptor, "value")? {
            true => descriptor.get("value").map(Some),
            false => Ok(None),
        }
    }

    /// Whether the object has an own property of this name.
    pub(super) fn is_own(&self, object: &Object<'js>, name: &str) -> Result<bool> {
        Ok(!self.describe.call::<_, Value>((object.clone(), name))?.is_undefined())
    }

    pub(super) fn exception_parts(&self, exception: &Object<'js>) -> Result<[Value<'js>; 2]> {
        let this = || (This(exception.clone()),);
        Ok([self.exception_name.call(this())?, self.exception_message.call(this())?])
    }

    pub(super) fn dom_exception(&self, message: &str, name: &str) -> Result<Value<'js>> {
        let ctx = self.object_prototype.ctx();
        let text = |text: &str| qjs::string::from_utf8(ctx, text.as_bytes());
        self.new_dom_exception(text(message)?, text(name)?)
    }

    pub(super) fn new_dom_exception(&self, message: Value<'js>, name: Value<'js>) -> Result<Value<'js>> {
        construct(&self.constructors.dom_exception, &self.constructors.dom_exception, &[message, name])
    }

    /// ToObject of a primitive.
    pub(super) fn boxed(&self, primitive: Value<'js>) -> Result<Value<'js>> {
        self.to_object.call((primitive,))
    }
}

impl<'js> Constructors<'js> {
    pub(super) fn typed_array(&self, name: &str) -> Result<&Value<'js>> {
        let found = self.typed_arrays.iter().find(|own| own.name == name);
        found.map(|own| &own.constructor).ok_or(rquickjs::Error::Unknown)
    }
}
