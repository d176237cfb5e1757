//! What structured serialize needs from the language, as it was before a script could change anything.

use std::rc::Rc;

use qjs::function::construct;
use qjs::{Ctx, Exception, Function, Object, Result, Value};
use rquickjs::JsLifetime;
use rquickjs::prelude::This;

use super::ErrorName;

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
    /// The getter of each flag, in the order in which `flags` lists them. (`flags` itself would ask the others by
    /// name.)
    pub(super) flags: [(char, Function<'js>); 8],
    /// `entries` or `values`, and `next` of the iterator.
    pub(super) map: [Function<'js>; 2],
    pub(super) set: [Function<'js>; 2],
    pub(super) map_set: Function<'js>,
    pub(super) set_add: Function<'js>,
    /// `buffer`, `byteOffset`, and the length that a constructor takes: in elements, or in bytes for a DataView.
    pub(super) typed_array: [Function<'js>; 3],
    pub(super) data_view: [Function<'js>; 3],
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
    pub(super) error_prototypes: [Object<'js>; 7],
}

pub(super) struct Constructors<'js> {
    pub(super) date: Value<'js>,
    pub(super) reg_exp: Value<'js>,
    pub(super) map: Value<'js>,
    pub(super) set: Value<'js>,
    pub(super) array_buffer: Value<'js>,
    pub(super) data_view: Value<'js>,
    dom_exception: Value<'js>,
    typed_arrays: Vec<(&'static str, Value<'js>)>,
}

/// The intrinsics of a runtime. Its handles outlast the borrow of the runtime's user data, since scripts run meanwhile.
pub(super) struct Shared<'js>(pub(super) Rc<Intrinsics<'js>>);

// SAFETY: the lifetime is the values' own.
unsafe impl<'js> JsLifetime<'js> for Shared<'js> {
    type Changed<'to> = Shared<'to>;
}

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
        let iteration = |class: &str, name: &str| -> Result<[Function<'js>; 2]> {
            let constructor: Value = globals.get(class)?;
            let entries = method(class, name)?;
            let iterator: Object = entries.call((This(construct(&constructor, &constructor, &[])?),))?;
            Ok([entries, iterator.get("next")?])
        };
        let typed_array = prototype("Uint8Array")?.get_prototype().ok_or(rquickjs::Error::Unknown)?;
        let mut typed_arrays = Vec::new();
        for kind in qjs::ElementKind::ALL {
            typed_arrays.push((kind.name(), globals.get(kind.name())?));
        }
        let [error, eval, range, reference, syntax, type_error, uri] = ErrorName::ALL.map(|(_, name)| prototype(name));
        Ok(Self {
            object_prototype: object.get("prototype")?,
            boolean_value: method("Boolean", "valueOf")?,
            number_value: method("Number", "valueOf")?,
            string_value: method("String", "valueOf")?,
            big_int_value: method("BigInt", "valueOf")?,
            big_int_text: method("BigInt", "toString")?,
            time: method("Date", "getTime")?,
            source: getter("RegExp", "source")?,
            flags: [
                ('d', getter("RegExp", "hasIndices")?),
                ('g', getter("RegExp", "global")?),
                ('i', getter("RegExp", "ignoreCase")?),
                ('m', getter("RegExp", "multiline")?),
                ('s', getter("RegExp", "dotAll")?),
                ('u', getter("RegExp", "unicode")?),
                ('v', getter("RegExp", "unicodeSets")?),
                ('y', getter("RegExp", "sticky")?),
            ],
            map: iteration("Map", "entries")?,
            set: iteration("Set", "values")?,
            map_set: method("Map", "set")?,
            set_add: method("Set", "add")?,
            typed_array: [
                getter_of(&typed_array, "buffer")?,
                getter_of(&typed_array, "byteOffset")?,
                getter_of(&typed_array, "length")?,
            ],
            data_view: [
                getter("DataView", "buffer")?,
                getter("DataView", "byteOffset")?,
                getter("DataView", "byteLength")?,
            ],
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
                typed_arrays,
            },
            error_prototypes: [error?, eval?, range?, reference?, syntax?, type_error?, uri?],
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
        let found = self.typed_arrays.iter().find(|(own, _)| *own == name);
        found.map(|(_, constructor)| constructor).ok_or(rquickjs::Error::Unknown)
    }
}
