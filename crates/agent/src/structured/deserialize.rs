//! StructuredDeserialize and StructuredDeserializeWithTransfer (HTML §2.7.6 and §2.7.7).

use qjs::define::Put as _;
use std::rc::Rc;

use qjs::function::construct;
use qjs::transfer::MovedBytes;
use qjs::{Borrowed, Ctx, Cx, ElementKind, Object, Result, Value, define, properties};
use rquickjs::prelude::This;

use super::intrinsics::Intrinsics;
use super::{ErrorName, Record, Serialized, Text, Transferred, throw_data_clone_error};
use crate::port;

/// A value in the agent that received it.
#[non_exhaustive]
pub struct Deserialized<'js> {
    /// The value.
    pub value: Value<'js>,
    /// The ports that were transferred with it, in the order of the transfer list.
    pub ports: Vec<Value<'js>>,
}

struct Deserializer<'a, 'js> {
    ctx: &'a Ctx<'js>,
    intrinsics: Rc<Intrinsics<'js>>,
    /// The objects by number.
    memory: Vec<Value<'js>>,
    open: Vec<Open<'js>>,
}

/// A container, or another object whose parts follow.
enum Open<'js> {
    Properties {
        object: Object<'js>,
        key: Option<Key<'js>>,
        length: Option<u32>,
    },
    Map {
        map: Value<'js>,
        key: Option<Value<'js>>,
    },
    Set(Value<'js>),
    /// An error whose cause comes next.
    Error(Object<'js>),
    /// A view whose buffer comes next; the view's number is taken already.
    View {
        number: usize,
        kind: Option<ElementKind>,
        offset: usize,
        length: Option<usize>,
    },
}

enum Key<'js> {
    Index(u32),
    Name(Value<'js>),
}

pub(super) fn structured_deserialize_with_transfer<'js>(
    ctx: &Ctx<'js>,
    serialized: Serialized,
) -> Result<Deserialized<'js>> {
    let intrinsics = Intrinsics::of(ctx)?;
    let mut this = Deserializer { ctx, intrinsics, memory: Vec::new(), open: Vec::new() };
    let mut ports = Vec::new();
    for transferred in serialized.transferred {
        let object = match transferred {
            Transferred::Buffer { bytes, max } => this.buffer(bytes, max)?,
            Transferred::Port(port) => {
                let port = port::adopt(ctx, port)?;
                ports.push(port.clone());
                port
            }
            Transferred::ByPorts { kind, ports } => port::revive(ctx, kind, ports)?,
        };
        this.memory.push(object);
    }
    for record in serialized.records {
        if let Some(value) = this.step(record)? {
            return Ok(Deserialized { value, ports });
        }
    }
    Err(qjs::Exception::throw_internal(ctx, "a serialized value ends too early"))
}

impl<'js> Deserializer<'_, 'js> {
    /// Takes one record. Returns the whole value once it is complete.
    fn step(&mut self, record: Record) -> Result<Option<Value<'js>>> {
        let ctx = self.ctx;
        if self.memory.try_reserve(1).is_err() || self.open.try_reserve(1).is_err() {
            return Err(throw_data_clone_error(ctx, "There is no memory for the value."));
        }
        let own = self.intrinsics.clone();
        let text = |text: &Text| text.to_value(ctx);
        let value = match record {
            Record::Undefined => Value::new_undefined(ctx.clone()),
            Record::Null => Value::new_null(ctx.clone()),
            Record::Boolean(value) => Value::new_bool(ctx.clone(), value),
            Record::Number(value) => number(ctx, value),
            Record::BigInt(digits) => own.to_big_int.call((text(&digits)?,))?,
            Record::String(units) => text(&units)?,
            Record::Again(number) => self.memory.get(number as usize).cloned().ok_or(rquickjs::Error::Unknown)?,
            Record::BooleanObject(value) => self.keep(own.boxed(Value::new_bool(ctx.clone(), value))?),
            Record::NumberObject(value) => self.keep(own.boxed(number(ctx, value))?),
            Record::BigIntObject(digits) => self.keep(own.boxed(own.to_big_int.call((text(&digits)?,))?)?),
            Record::StringObject(units) => self.keep(own.boxed(text(&units)?)?),
            Record::Date(time) => {
                let date = construct(&own.constructors.date, &own.constructors.date, &[number(ctx, time)])?;
                self.keep(date)
            }
            Record::RegExp { source, flags } => {
                let reg_exp = &own.constructors.reg_exp;
                self.keep(construct(
                    reg_exp,
                    reg_exp,
                    &[text(&source)?, qjs::string::from_utf8(self.ctx, flags.as_bytes())?],
                )?)
            }
            Record::Buffer { bytes, max } => {
                let buffer = self.buffer(bytes, max)?;
                self.keep(buffer)
            }
            Record::Shared { bytes, len, max } => self.keep(bytes.buffer(ctx, len, max)?.into_value()),
            Record::View { kind, offset, length } => {
                let number = self.memory.len();
                self.memory.push(Value::new_undefined(ctx.clone()));
                self.open.push(Open::View { number, kind, offset, length });
                return Ok(None);
            }
            Record::Error { name, message, stack, has_cause } => {
                let error = self.error(name, message, stack)?;
                self.keep(error.as_value().clone());
                if has_cause {
                    self.open.push(Open::Error(error));
                    return Ok(None);
                }
                error.into_value()
            }
            Record::DomException { name, message } => self.keep(own.new_dom_exception(text(&message)?, text(&name)?)?),
            Record::Map => {
                let map = self.keep(construct(&own.constructors.map, &own.constructors.map, &[])?);
                self.open.push(Open::Map { map, key: None });
                return Ok(None);
            }
            Record::Set => {
                let set = self.keep(construct(&own.constructors.set, &own.constructors.set, &[])?);
                self.open.push(Open::Set(set));
                return Ok(None);
            }
            Record::Array { length } => {
                let object = rquickjs::Array::new(ctx.clone())?.into_object();
                return self.open_properties(object, Some(length));
            }
            Record::Object => return self.open_properties(Object::new(ctx.clone())?, None),
            Record::Platform(object) => {
                let object = object.deserialize(ctx)?;
                self.keep(object)
            }
            Record::Index(index) => return self.set_key(Key::Index(index)),
            Record::Name(name) => {
                let name = text(&name)?;
                return self.set_key(Key::Name(name));
            }
            Record::End => self.close()?,
        };
        self.attach(value)
    }

    fn keep(&mut self, object: Value<'js>) -> Value<'js> {
        self.memory.push(object.clone());
        object
    }

    fn open_properties(&mut self, object: Object<'js>, length: Option<u32>) -> Result<Option<Value<'js>>> {
        self.keep(object.as_value().clone());
        self.open.push(Open::Properties { object, key: None, length });
        Ok(None)
    }

    fn set_key(&mut self, new: Key<'js>) -> Result<Option<Value<'js>>> {
        match self.open.last_mut() {
            Some(Open::Properties { key, .. }) => *key = Some(new),
            _ => return Err(rquickjs::Error::Unknown),
        }
        Ok(None)
    }

    /// Closes the innermost container, and returns it.
    fn close(&mut self) -> Result<Value<'js>> {
        match self.open.pop() {
            Some(Open::Properties { object, length, .. }) => {
                if let Some(length) = length {
                    let now: f64 = object.get("length")?;
                    if now != f64::from(length) {
                        object.set("length", f64::from(length))?;
                    }
                }
                Ok(object.into_value())
            }
            Some(Open::Map { map, .. }) => Ok(map),
            Some(Open::Set(set)) => Ok(set),
            Some(Open::Error(error)) => Ok(error.into_value()),
            Some(Open::View { .. }) | None => Err(rquickjs::Error::Unknown),
        }
    }

    /// Puts a value where it belongs. Returns the value if it is the whole.
    fn attach(&mut self, mut value: Value<'js>) -> Result<Option<Value<'js>>> {
        if let Some(Open::View { number, kind, offset, length }) = self.open.last() {
            let (number, view) = (*number, self.view(&value, *kind, *offset, *length)?);
            self.open.pop();
            self.memory[number] = view.clone();
            value = view;
        }
        let own = &self.intrinsics;
        match self.open.last_mut() {
            None => return Ok(Some(value)),
            Some(Open::Properties { object, key, .. }) => match key.take() {
                Some(Key::Index(index)) => properties::create_at(object, index, value)?,
                Some(Key::Name(name)) => properties::create(object, &name, value)?,
                None => return Err(rquickjs::Error::Unknown),
            },
            Some(Open::Map { map, key }) => match key.take() {
                Some(key) => own.map_set.call::<_, Value>((This(map.clone()), key, value)).map(drop)?,
                None => *key = Some(value),
            },
            Some(Open::Set(set)) => own.set_add.call::<_, Value>((This(set.clone()), value)).map(drop)?,
            Some(Open::Error(error)) => define::value(error, "cause", &value, define::Attributes::Hidden)?,
            // A view's buffer is not a view.
            Some(Open::View { .. }) => return Err(rquickjs::Error::Unknown),
        }
        Ok(None)
    }

    fn buffer(&self, bytes: MovedBytes, max: Option<usize>) -> Result<Value<'js>> {
        let Some(max) = max else { return Ok(bytes.into_buffer(self.ctx)?.into_value()) };
        let options = Object::new(self.ctx.clone())?;
        options.put("maxByteLength", max as f64)?;
        let constructor = &self.intrinsics.constructors.array_buffer;
        let length = number(self.ctx, bytes.len() as f64);
        let buffer = construct(constructor, constructor, &[length, options.into_value()])?;
        bytes.copy_to(Cx::of(self.ctx), Borrowed::of(&buffer));
        Ok(buffer)
    }

    fn view(
        &self,
        buffer: &Value<'js>,
        kind: Option<ElementKind>,
        offset: usize,
        length: Option<usize>,
    ) -> Result<Value<'js>> {
        let constructors = &self.intrinsics.constructors;
        let constructor = match kind {
            Some(kind) => constructors.typed_array(kind.name())?,
            None => &constructors.data_view,
        };
        let mut args = vec![buffer.clone(), number(self.ctx, offset as f64)];
        args.extend(length.map(|length| number(self.ctx, length as f64)));
        construct(constructor, constructor, &args)
    }

    fn error(&self, name: ErrorName, message: Option<Text>, stack: Option<Text>) -> Result<Object<'js>> {
        let error = qjs::builtin_kind::new_error(self.ctx, &self.intrinsics.error_prototypes[name as usize])?;
        for (name, text) in [("message", message), ("stack", stack)] {
            if let Some(text) = text {
                define::value(&error, name, &text.to_value(self.ctx)?, define::Attributes::Hidden)?;
            }
        }
        Ok(error)
    }
}

/// A number as QuickJS has it: as an integer if it is one.
fn number<'js>(ctx: &Ctx<'js>, value: f64) -> Value<'js> {
    let integer = value as i32;
    if f64::from(integer) == value && (integer != 0 || value.is_sign_positive()) {
        return Value::new_int(ctx.clone(), integer);
    }
    Value::new_float(ctx.clone(), value)
}
