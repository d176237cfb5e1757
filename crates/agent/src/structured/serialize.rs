//! StructuredSerializeInternal and StructuredSerializeWithTransfer (HTML §2.7.3 and §2.7.5).

use std::ffi::c_void;
use std::rc::Rc;

use qjs::builtin_kind::{BuiltinKind, kind};
use qjs::properties::Names;
use qjs::transfer::MovedBytes;
use qjs::{Borrowed, Ctx, Cx, Exception, Function, Object, Result, Value, class};
use rquickjs::prelude::This;
use rustc_hash::FxHashMap;

use super::intrinsics::{Flag, Intrinsics, Iteration, View};
use super::{ErrorName, Plugins, Record, Serialized, Text, Transferred, throw_data_clone_error};
use crate::EventLoop;
use crate::port::{self, Port, PortHandle};

/// The state of serializing one message.
struct Serializer<'a, 'js> {
    ctx: &'a Ctx<'js>,
    intrinsics: Rc<Intrinsics<'js>>,
    records: Vec<Record>,
    /// The numbers of the objects met so far, by identity. `kept` keeps the objects, so that no other gets an address
    /// of theirs.
    memory: FxHashMap<*const c_void, u32>,
    kept: Vec<Value<'js>>,
    /// The containers that are being serialized, the innermost last.
    open: Vec<Open<'js>>,
}

enum Open<'js> {
    Properties {
        object: Object<'js>,
        names: Names<'js>,
        next: usize,
    },
    /// What a Map or Set contained when it was met.
    Items(std::vec::IntoIter<Value<'js>>),
}

/// StructuredSerializeWithTransfer.
pub(super) fn structured_serialize_with_transfer<'js>(
    ctx: &Ctx<'js>,
    value: &Value<'js>,
    transfer: &[Value<'js>],
) -> Result<Serialized> {
    if let Some(record) = primitive(ctx, value)?.filter(|_| transfer.is_empty()) {
        return Ok(Serialized { records: vec![record], transferred: Vec::new() });
    }
    let mut serializer = Serializer {
        ctx,
        intrinsics: Intrinsics::of(ctx)?,
        records: Vec::new(),
        memory: FxHashMap::default(),
        kept: Vec::new(),
        open: Vec::new(),
    };
    let transferables = serializer.admit(transfer)?;
    serializer.value(value)?;
    serializer.drain()?;
    let records = std::mem::take(&mut serializer.records);
    // Only now, so that nothing has moved if something failed before. Scripts ran meanwhile, so all are checked before
    // the first is moved.
    for transferable in &transferables {
        transferable.check(ctx)?;
        transferable.check_detach_key(ctx)?;
    }
    let transferred = transferables.into_iter().map(|it| it.transfer(ctx)).collect::<Result<_>>()?;
    Ok(Serialized { records, transferred })
}

/// An object of the transfer list.
enum Transferable<'js> {
    Buffer {
        buffer: Object<'js>,
        max: Option<usize>,
    },
    Port(Value<'js>),
    /// A stream, or something else that stays where it is.
    ByPorts(Value<'js>),
}

impl<'js> Transferable<'js> {
    fn check(&self, ctx: &Ctx<'js>) -> Result<()> {
        let is_there = match self {
            Self::Buffer { buffer, .. } if qjs::buffer::is_immutable(buffer) => {
                return Err(throw_data_clone_error(ctx, "An immutable ArrayBuffer cannot be transferred."));
            }
            Self::Buffer { buffer, .. } => {
                qjs::buffer::array_buffer_bytes(Cx::of(ctx), Borrowed::of(buffer.as_value())).is_some()
            }
            Self::Port(handle) => class::of::<PortHandle>(handle).is_some_and(PortHandle::is_attached),
            Self::ByPorts(object) => port::is_free(ctx, object)?,
        };
        let message = match self {
            _ if is_there => return Ok(()),
            Self::Buffer { .. } => "Cannot transfer object of unsupported type.",
            Self::Port(_) => "MessagePort in transfer list is already detached",
            Self::ByPorts(_) => "A stream that is locked cannot be transferred",
        };
        Err(throw_data_clone_error(ctx, message))
    }

    /// DetachArrayBuffer's check of the key: a buffer that has one is not taken away from its owner.
    fn check_detach_key(&self, ctx: &Ctx<'js>) -> Result<()> {
        match self {
            Self::Buffer { buffer, .. }
                if Plugins::of(ctx).is_some_and(|plugins| (plugins.is_kept_in_place)(ctx, buffer.as_value())) =>
            {
                Err(Exception::throw_type(ctx, "The buffer of a WebAssembly.Memory cannot be transferred."))
            }
            _ => Ok(()),
        }
    }

    fn transfer(self, ctx: &Ctx<'js>) -> Result<Transferred> {
        let out_of_memory = || throw_data_clone_error(ctx, "There is no memory for an ArrayBuffer to be transferred.");
        Ok(match self {
            Self::Buffer { buffer, max } => {
                let bytes = MovedBytes::take(&buffer).ok_or_else(out_of_memory)?;
                Transferred::Buffer { bytes, max }
            }
            Self::Port(handle) => {
                let port: Option<Port> = class::of::<PortHandle>(&handle).and_then(|handle| handle.take(ctx));
                let in_use = || throw_data_clone_error(ctx, "A MessagePort to be transferred is in use.");
                Transferred::Port(port.ok_or_else(in_use)?)
            }
            Self::ByPorts(object) => {
                let (kind, ports) = port::represent(ctx, &object)?;
                Transferred::ByPorts { kind, ports }
            }
        })
    }
}

/// The record of a primitive; `None` for an object.
fn primitive<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> Result<Option<Record>> {
    let borrowed = Borrowed::of(value);
    Ok(Some(if let Some(number) = borrowed.number() {
        Record::Number(number)
    } else if borrowed.is_string() {
        Record::String(Text::of(value)?)
    } else if borrowed.is_undefined() {
        Record::Undefined
    } else if borrowed.is_null() {
        Record::Null
    } else if let Some(value) = value.as_bool() {
        Record::Boolean(value)
    } else if borrowed.is_bigint() {
        Record::BigInt(digits(ctx, value)?)
    } else if value.is_symbol() {
        return Err(throw_data_clone_error(ctx, "A Symbol cannot be cloned."));
    } else {
        return Ok(None);
    }))
}

fn digits<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> Result<Text> {
    let text = Intrinsics::of(ctx)?.big_int_text.clone();
    Text::of(&text.call::<_, Value>((This(value.clone()),))?)
}

impl<'js> Serializer<'_, 'js> {
    fn refuse(&self, what: &str) -> rquickjs::Error {
        throw_data_clone_error(self.ctx, &format!("{what} cannot be cloned."))
    }

    /// The first steps of StructuredSerializeWithTransfer: checks that everything can be transferred, and occurs once.
    /// These objects get the first numbers.
    fn admit(&mut self, transfer: &[Value<'js>]) -> Result<Vec<Transferable<'js>>> {
        let fail = |message: &str| throw_data_clone_error(self.ctx, message);
        let mut transferables = Vec::new();
        transferables.try_reserve_exact(transfer.len()).map_err(|_| self.no_room())?;
        for value in transfer {
            self.make_room()?;
            if port::is_untransferable(self.ctx, value)? {
                return Err(fail("Cannot transfer object of unsupported type."));
            }
            let transferable = match kind(Cx::of(self.ctx), Borrowed::of(value)) {
                BuiltinKind::ArrayBuffer => self.admit_buffer(value)?,
                _ => match port::handle_of(self.ctx, value)? {
                    Some(handle) => Transferable::Port(handle),
                    None if port::is_spoken_to(self.ctx, value)? => Transferable::ByPorts(value.clone()),
                    None => return Err(fail("Found invalid value in transferList.")),
                },
            };
            if self.memory.contains_key(&class::identity(value)) {
                return Err(fail(match transferable {
                    Transferable::Buffer { .. } => "Transfer list contains duplicate ArrayBuffer",
                    Transferable::Port(_) => "Transfer list contains duplicate MessagePort",
                    Transferable::ByPorts(_) => "Transfer list contains a duplicate stream",
                }));
            }
            self.number(value);
            transferables.push(transferable);
        }
        for transferable in &transferables {
            transferable.check(self.ctx)?;
        }
        Ok(transferables)
    }

    fn admit_buffer(&self, value: &Value<'js>) -> Result<Transferable<'js>> {
        let buffer = value.as_object().ok_or(rquickjs::Error::Unknown)?.clone();
        Ok(Transferable::Buffer { max: self.max_length(value)?, buffer })
    }

    /// Gives an object the next number.
    fn number(&mut self, object: &Value<'js>) {
        self.memory.insert(class::identity(object), self.kept.len() as u32);
        self.kept.push(object.clone());
    }

    /// Serializes what the open containers contain.
    fn drain(&mut self) -> Result<()> {
        let event_loop = self.ctx.userdata::<EventLoop>().map(|event_loop| event_loop.clone());
        while !self.open.is_empty() {
            self.make_room()?;
            let Some(open) = self.open.last_mut() else { break };
            if event_loop.as_ref().is_some_and(|event_loop| event_loop.mailbox().is_interrupted()) {
                return Err(qjs::function::throw_uncatchable(self.ctx));
            }
            match open {
                Open::Properties { object, names, next } => {
                    let (object, at) = (object.clone(), *next);
                    let Some(name) = names.get(at) else {
                        self.close();
                        continue;
                    };
                    *next += 1;
                    // An earlier getter may have deleted it.
                    if !name.is_own(&object)? {
                        continue;
                    }
                    let record = match name.index() {
                        Some(index) => Record::Index(index),
                        None => Record::Name(Text::of(&name.to_value(self.ctx)?)?),
                    };
                    let value = name.get(&object)?;
                    self.records.push(record);
                    self.value(&value)?;
                }
                Open::Items(items) => match items.next() {
                    Some(value) => self.value(&value)?,
                    None => self.close(),
                },
            }
        }
        Ok(())
    }

    /// Makes sure that there is memory for what one step adds. If there is, this takes four comparisons.
    fn make_room(&mut self) -> Result<()> {
        let room = self.records.try_reserve(4).is_ok()
            && self.open.try_reserve(1).is_ok()
            && self.kept.try_reserve(1).is_ok()
            && self.memory.try_reserve(1).is_ok();
        if room { Ok(()) } else { Err(self.no_room()) }
    }

    fn no_room(&self) -> rquickjs::Error {
        throw_data_clone_error(self.ctx, "There is no memory for a copy of the value.")
    }

    fn close(&mut self) {
        self.open.pop();
        self.records.push(Record::End);
    }

    /// StructuredSerializeInternal, except for what the value contains.
    fn value(&mut self, value: &Value<'js>) -> Result<()> {
        if let Some(record) = primitive(self.ctx, value)? {
            self.records.push(record);
            return Ok(());
        }
        if let Some(&number) = self.memory.get(&class::identity(value)) {
            self.records.push(Record::Again(number));
            return Ok(());
        }
        let Some(object) = value.as_object() else { return Err(self.refuse("An internal value")) };
        let own = self.intrinsics.clone();
        let of = |function: &Function<'js>| function.call::<_, Value>((This(value.clone()),));
        let text = |function: &Function<'js>| Text::of(&of(function)?);
        let record = match kind(Cx::of(self.ctx), Borrowed::of(value)) {
            BuiltinKind::Ordinary => return self.ordinary(value, object),
            BuiltinKind::Array => {
                let length: f64 = object.get("length")?;
                return self.properties(value, object, Record::Array { length: length as u32 });
            }
            BuiltinKind::Boolean => Record::BooleanObject(of(&own.boolean_value)?.as_bool().unwrap_or_default()),
            BuiltinKind::Number => Record::NumberObject(of(&own.number_value)?.as_number().unwrap_or_default()),
            BuiltinKind::BigInt => Record::BigIntObject(digits(self.ctx, &of(&own.big_int_value)?)?),
            BuiltinKind::String => Record::StringObject(text(&own.string_value)?),
            BuiltinKind::Date => Record::Date(of(&own.time)?.as_number().unwrap_or(f64::NAN)),
            BuiltinKind::RegExp => {
                let mut flags = String::new();
                for Flag { letter, getter } in &own.flags {
                    if of(getter)?.as_bool() == Some(true) {
                        flags.push(*letter);
                    }
                }
                Record::RegExp { source: text(&own.source)?, flags }
            }
            BuiltinKind::ArrayBuffer => self.buffer(value)?,
            BuiltinKind::SharedArrayBuffer => self.shared_buffer(value)?,
            BuiltinKind::TypedArray | BuiltinKind::DataView => return self.view(value),
            BuiltinKind::Map => return self.items(value, Record::Map),
            BuiltinKind::Set => return self.items(value, Record::Set),
            BuiltinKind::Error => return self.error(value, object),
            BuiltinKind::DomException => {
                let [name, message] = own.exception_parts(object)?;
                Record::DomException { name: Text::of(&name)?, message: Text::of(&message)? }
            }
            BuiltinKind::Other => return self.platform_object(value),
        };
        self.number(value);
        self.records.push(record);
        Ok(())
    }

    fn ordinary(&mut self, value: &Value<'js>, object: &Object<'js>) -> Result<()> {
        // Platform objects that are made in JavaScript have prototypes of their own.
        let is_plain = object.get_prototype().is_none_or(|prototype| prototype == self.intrinsics.object_prototype);
        if !is_plain && (port::handle_of(self.ctx, value)?.is_some() || port::refuses(self.ctx, value)?) {
            return self.platform_object(value);
        }
        if is_plain && port::has_uncloneable(self.ctx) && port::refuses(self.ctx, value)? {
            return Err(throw_data_clone_error(self.ctx, "Cannot clone object of unsupported type."));
        }
        self.properties(value, object, Record::Object)
    }

    fn properties(&mut self, value: &Value<'js>, object: &Object<'js>, record: Record) -> Result<()> {
        self.number(value);
        self.records.push(record);
        self.open.push(Open::Properties { object: object.clone(), names: Names::of(object)?, next: 0 });
        Ok(())
    }

    fn items(&mut self, value: &Value<'js>, record: Record) -> Result<()> {
        let is_map = matches!(record, Record::Map);
        let own = self.intrinsics.clone();
        let Iteration { entries, next } = if is_map { &own.map } else { &own.set };
        let iterator: Value = entries.call((This(value.clone()),))?;
        let mut items = Vec::new();
        loop {
            let step: Object = next.call((This(iterator.clone()),))?;
            if step.get("done")? {
                break;
            }
            let item: Value = step.get("value")?;
            items.try_reserve(2).map_err(|_| self.no_room())?;
            match item.as_object().filter(|_| is_map) {
                Some(entry) => items.extend([entry.get::<_, Value>(0)?, entry.get(1)?]),
                None => items.push(item),
            }
        }
        self.number(value);
        self.records.push(record);
        self.open.push(Open::Items(items.into_iter()));
        Ok(())
    }

    /// \[\[ArrayBufferMaxByteLength]] of a buffer that has one.
    fn max_length(&self, value: &Value<'js>) -> Result<Option<usize>> {
        let own = &self.intrinsics;
        if !own.resizable.call::<_, bool>((This(value.clone()),))? {
            return Ok(None);
        }
        own.max_byte_length.call::<_, f64>((This(value.clone()),)).map(|max| Some(max as usize))
    }

    fn buffer(&self, value: &Value<'js>) -> Result<Record> {
        if qjs::buffer::array_buffer_bytes(Cx::of(self.ctx), Borrowed::of(value)).is_none() {
            return Err(self.refuse("A detached ArrayBuffer"));
        }
        let max = self.max_length(value)?;
        let copy = MovedBytes::copy(self.ctx, Borrowed::of(value));
        let bytes =
            copy.ok_or_else(|| throw_data_clone_error(self.ctx, "There is no memory to clone an ArrayBuffer."))?;
        Ok(Record::Buffer { bytes, max })
    }

    fn shared_buffer(&self, value: &Value<'js>) -> Result<Record> {
        let own = &self.intrinsics;
        let this = || (This(value.clone()),);
        let max = match own.growable.call::<_, bool>(this())? {
            true => Some(own.shared_max_byte_length.call::<_, f64>(this())? as usize),
            false => None,
        };
        let bytes = qjs::buffer::array_buffer_bytes(Cx::of(self.ctx), Borrowed::of(value));
        let held = bytes.and_then(|bytes| Some((qjs::shared::hold(bytes.start)?, bytes.len)));
        let (bytes, len) = held.ok_or_else(|| self.refuse("A SharedArrayBuffer of another runtime"))?;
        // Another agent may have grown it.
        let len = if max.is_some() { len.max(qjs::shared::grown(bytes.base())) } else { len };
        Ok(Record::Shared { bytes, len, max })
    }

    fn view(&mut self, value: &Value<'js>) -> Result<()> {
        let kind = qjs::buffer::element_kind(Borrowed::of(value));
        let own = self.intrinsics.clone();
        let View { buffer, offset, length } = if kind.is_some() { &own.typed_array } else { &own.data_view };
        let this = || (This(value.clone()),);
        let buffer: Value = buffer.call(this())?;
        // IsTypedArrayOutOfBounds, IsViewOutOfBounds. QuickJS reports the latter by throwing.
        let in_bounds = match kind {
            Some(_) => qjs::buffer::typed_array_bytes(Cx::of(self.ctx), Borrowed::of(value)).is_some(),
            None => true,
        };
        let numbers = offset.call::<_, f64>(this()).and_then(|offset| Ok((offset, length.call::<_, f64>(this())?)));
        let (offset, length) = match numbers {
            Ok((offset, length)) if in_bounds => (offset as usize, length as usize),
            Ok(_) => return Err(self.refuse("A view that is detached or out of bounds")),
            Err(_) => {
                drop(self.ctx.catch());
                return Err(self.refuse("A view that is detached or out of bounds"));
            }
        };
        let length = (!qjs::builtin_kind::is_length_tracking(value)).then_some(length);
        self.number(value);
        self.records.push(Record::View { kind, offset, length });
        self.value(&buffer)
    }

    fn error(&mut self, value: &Value<'js>, object: &Object<'js>) -> Result<()> {
        let own = self.intrinsics.clone();
        let name: Value = object.get("name")?;
        let full_name = if name.is_string() { Text::of(&name)? } else { Text::from("Error") };
        let name = ErrorName::ALL
            .iter()
            .find(|(_, text)| Text::from(*text) == full_name)
            .map_or(ErrorName::Error, |(name, _)| *name);
        let message = match own.own_data(object, "message")? {
            Some(message) => Some(Text::of(&qjs::string::to_string(self.ctx, &message)?)?),
            None => None,
        };
        let cause = own.own_data(object, "cause")?;
        // The script's own `stack` if it has set one, otherwise the engine's.
        let stack = match own.is_own(object, "stack")? {
            true => own.own_data(object, "stack")?,
            false => Some(own.stack.call((This(value.clone()),))?),
        };
        let stack = match stack.filter(|stack| stack.is_string()) {
            Some(stack) => Some(Text::of(&stack)?),
            None => None,
        };
        let text_size = |text: Option<&Text>| text.map_or(0, Text::size);
        let size = text_size(stack.as_ref()) + text_size(message.as_ref()) + full_name.size();
        // Counted in code units, for each part by itself and for all together.
        qjs::room::check(self.ctx, size.saturating_mul(6))?;
        let has_head = Plugins::of(self.ctx).is_some_and(|plugins| plugins.stack_has_head);
        let stack = stack.map(|stack| if has_head { with_head(stack, &full_name, message.as_ref()) } else { stack });
        self.number(value);
        self.records.push(Record::Error { name, message, stack, has_cause: cause.is_some() });
        self.open.extend(cause.map(|cause| Open::Items(vec![cause].into_iter())));
        Ok(())
    }

    fn platform_object(&mut self, value: &Value<'js>) -> Result<()> {
        let plugins = Plugins::of(self.ctx);
        if let Some(object) = value.as_object()
            && plugins.is_some_and(|plugins| (plugins.is_ordinary)(value))
        {
            return self.properties(value, object, Record::Object);
        }
        for steps in plugins.iter().flat_map(|plugins| plugins.serialization) {
            if let Some(object) = steps(self.ctx, value)? {
                self.number(value);
                self.records.push(Record::Platform(object));
                return Ok(());
            }
        }
        if port::handle_of(self.ctx, value)?.is_some() {
            let message = "Object that needs transfer was found in message but not listed in transferList";
            return Err(throw_data_clone_error(self.ctx, message));
        }
        if value.is_function() || value.is_promise() || value.as_proxy().is_some() {
            return Err(self.refuse(describe(value)));
        }
        Err(throw_data_clone_error(self.ctx, "Cannot clone object of unsupported type."))
    }
}

/// What `stack` says if the platform has it begin with the error's name and message: the engine has the frames alone.
fn with_head(stack: Text, name: &Text, message: Option<&Text>) -> Text {
    let frames = stack.to_units();
    let units = |text: &str| text.encode_utf16().collect::<Vec<_>>();
    if !frames.starts_with(&units("    at ")) {
        return stack;
    }
    let mut head = name.to_units();
    if let Some(message) = message.map(Text::to_units).filter(|message| !message.is_empty()) {
        head.extend(units(": "));
        head.extend(message);
    }
    head.extend(units("\n"));
    head.extend_from_slice(frames.strip_suffix(&*units("\n")).unwrap_or(&frames));
    Text::Wide(head.into())
}

/// What a value that cannot be cloned is, for messages.
fn describe(value: &Value<'_>) -> &'static str {
    if value.is_function() {
        "A function"
    } else if value.is_promise() {
        "A Promise"
    } else {
        "A Proxy"
    }
}
