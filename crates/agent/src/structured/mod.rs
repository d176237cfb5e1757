//! Structured serialize and deserialize (HTML §2.7): how a value leaves one agent and arrives in another.
//!
//! A value becomes a list of records, without recursion, so that no depth of nesting exhausts a stack: a container's
//! record, its contents, an end. Each object has a number, by which it is named when it occurs again. Nothing in the
//! list belongs to an agent: it can go to any thread, and a value that nobody reads frees what it owns.
//!
//! The JavaScript language's own values are handled here. Objects of the layers above plug themselves in: see
//! [`Portable`].

mod data;
mod deserialize;
mod intrinsics;
mod serialize;
mod text;

use std::sync::Arc;

use qjs::shared::Hold;
use qjs::{Ctx, ElementKind, Result, Value};
use rquickjs::JsLifetime;

use qjs::transfer::MovedBytes;

pub use data::Data;
pub use deserialize::Deserialized;
pub use text::Text;

use crate::port::Port;

/// A platform object on its way to another agent, as its serialization steps have made it. Each deserialization makes a
/// new object.
pub trait Portable: Send + Sync {
    /// The deserialization steps.
    ///
    /// # Errors
    /// A DataCloneError if the agent that receives it cannot make the object.
    fn deserialize<'js>(&self, ctx: &Ctx<'js>) -> Result<Value<'js>>;
}

/// The serialization steps of one kind of platform object. They return `None` for anything of another kind.
pub type SerializationSteps = for<'js> fn(&Ctx<'js>, &Value<'js>) -> Result<Option<Arc<dyn Portable>>>;

/// What the layers above plug in.
#[derive(Clone, Copy, JsLifetime)]
pub struct Plugins {
    /// The serialization steps of their objects.
    pub serialization: &'static [SerializationSteps],
    /// Whether an object is an ordinary one, although its class is not.
    pub is_ordinary: for<'js> fn(&Value<'js>) -> bool,
    /// Whether `stack` of errors begins with their name and message here, which the engine leaves out.
    pub stack_has_head: bool,
    /// Whether an ArrayBuffer has a detach key, so that it cannot be transferred.
    pub is_kept_in_place: for<'js> fn(&Ctx<'js>, &Value<'js>) -> bool,
}

impl Plugins {
    fn of(ctx: &Ctx<'_>) -> Option<Self> {
        ctx.userdata::<Self>().map(|plugins| *plugins)
    }
}

/// Prepares a context, before scripts can change anything: the intrinsics that are needed later are looked up.
///
/// # Errors
/// When memory is out, or the context has been prepared already.
pub fn install(ctx: &Ctx<'_>, plugins: Plugins) -> Result<()> {
    let intrinsics = intrinsics::Shared(std::rc::Rc::new(intrinsics::Intrinsics::new(ctx)?));
    ctx.store_userdata(intrinsics).map_err(|_| rquickjs::Error::Unknown)?;
    ctx.store_userdata(plugins).map_err(|_| rquickjs::Error::Unknown)?;
    Ok(())
}

/// A value without an agent.
#[derive(Default)]
pub struct Serialized {
    records: Vec<Record>,
    /// What was transferred, in the order of the transfer list. These objects come first in the numbering.
    transferred: Vec<Transferred>,
}

impl std::fmt::Debug for Serialized {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serialized").field("records", &self.records.len()).finish_non_exhaustive()
    }
}

impl Serialized {
    /// StructuredSerializeWithTransfer: `transfer` lists the objects that are moved.
    ///
    /// # Errors
    /// A DataCloneError, or what a getter throws; nothing has been transferred then.
    pub fn new<'js>(ctx: &Ctx<'js>, value: &Value<'js>, transfer: &[Value<'js>]) -> Result<Self> {
        serialize::structured_serialize_with_transfer(ctx, value, transfer)
    }

    /// `undefined`.
    pub fn undefined() -> Self {
        Self { records: vec![Record::Undefined], transferred: Vec::new() }
    }

    /// What an Error with this message and stack becomes.
    pub fn of_error(message: &str, stack: &str) -> Self {
        let (name, stack) = (ErrorName::Error, Some(Text::from(stack)).filter(|_| !stack.is_empty()));
        let record = Record::Error { name, message: Some(message.into()), stack, has_cause: false };
        Self { records: vec![record], transferred: Vec::new() }
    }

    /// StructuredDeserializeWithTransfer.
    ///
    /// # Errors
    /// When memory is out, or a platform object cannot be made here.
    pub fn deserialize<'js>(self, ctx: &Ctx<'js>) -> Result<Deserialized<'js>> {
        deserialize::structured_deserialize_with_transfer(ctx, self)
    }

    /// The ports that are transferred.
    pub(crate) fn ports(&self) -> impl Iterator<Item = &Port> {
        self.transferred.iter().flat_map(|it| match it {
            Transferred::Buffer { .. } => &[],
            Transferred::Port(port) => std::slice::from_ref(port),
            Transferred::ByPorts { ports, .. } => &ports[..],
        })
    }

    /// The same value once more, for another receiver; `None` if something was transferred, or memory is out.
    pub fn try_clone(&self) -> Option<Self> {
        if !self.transferred.is_empty() {
            return None;
        }
        let mut records = Vec::new();
        records.try_reserve_exact(self.records.len()).ok()?;
        for record in &self.records {
            records.push(record.try_clone()?);
        }
        Some(Self { records, transferred: Vec::new() })
    }
}

/// What was moved.
enum Transferred {
    Buffer {
        bytes: MovedBytes,
        max: Option<usize>,
    },
    Port(Port),
    /// An object of the platform that stays where it is, and is spoken to by ports: a stream. The platform knows what
    /// `kind` means.
    ByPorts {
        kind: u8,
        ports: Vec<Port>,
    },
}

/// One step of a serialized value. Those marked (n) make an object, which gets the next number.
enum Record {
    Undefined,
    Null,
    Boolean(bool),
    Number(f64),
    BigInt(Text),
    String(Text),
    /// The object with this number.
    Again(u32),
    /// (n)
    BooleanObject(bool),
    /// (n)
    NumberObject(f64),
    /// (n)
    BigIntObject(Text),
    /// (n)
    StringObject(Text),
    /// (n)
    Date(f64),
    /// (n)
    RegExp {
        source: Text,
        flags: String,
    },
    /// (n)
    Buffer {
        bytes: MovedBytes,
        max: Option<usize>,
    },
    /// (n)
    Shared {
        bytes: Hold,
        len: usize,
        max: Option<usize>,
    },
    /// (n) The buffer follows. Without a kind it is a DataView, otherwise a typed array; without a length it tracks its
    /// buffer's.
    View {
        kind: Option<ElementKind>,
        offset: usize,
        length: Option<usize>,
    },
    /// (n) If it has a cause, that and an end follow.
    Error {
        name: ErrorName,
        message: Option<Text>,
        stack: Option<Text>,
        has_cause: bool,
    },
    /// (n)
    DomException {
        name: Text,
        message: Text,
    },
    /// (n) Keys and values in turn, and an end.
    Map,
    /// (n) Values, and an end.
    Set,
    /// (n) An index or name and a value in turn, and an end.
    Array {
        length: u32,
    },
    /// (n) As for an array.
    Object,
    /// (n)
    Platform(Arc<dyn Portable>),
    Index(u32),
    Name(Text),
    End,
}

impl Record {
    fn try_clone(&self) -> Option<Self> {
        let copy = |bytes: &MovedBytes| MovedBytes::from_slice(bytes.as_slice());
        Some(match self {
            Self::Undefined => Self::Undefined,
            Self::Null => Self::Null,
            Self::Boolean(value) => Self::Boolean(*value),
            Self::Number(value) => Self::Number(*value),
            Self::BigInt(digits) => Self::BigInt(digits.try_clone()?),
            Self::String(text) => Self::String(text.try_clone()?),
            Self::Again(number) => Self::Again(*number),
            Self::BooleanObject(value) => Self::BooleanObject(*value),
            Self::NumberObject(value) => Self::NumberObject(*value),
            Self::BigIntObject(digits) => Self::BigIntObject(digits.try_clone()?),
            Self::StringObject(text) => Self::StringObject(text.try_clone()?),
            Self::Date(time) => Self::Date(*time),
            Self::RegExp { source, flags } => Self::RegExp { source: source.try_clone()?, flags: flags.clone() },
            Self::Buffer { bytes, max } => Self::Buffer { bytes: copy(bytes)?, max: *max },
            Self::Shared { bytes, len, max } => {
                Self::Shared { bytes: qjs::shared::hold(bytes.base())?, len: *len, max: *max }
            }
            Self::View { kind, offset, length } => Self::View { kind: *kind, offset: *offset, length: *length },
            Self::Error { name, message, stack, has_cause } => {
                let own = |text: &Option<Text>| text.as_ref().map(|text| text.try_clone().ok_or(())).transpose().ok();
                let (message, stack) = (own(message)?, own(stack)?);
                Self::Error { name: *name, message, stack, has_cause: *has_cause }
            }
            Self::DomException { name, message } => {
                Self::DomException { name: name.try_clone()?, message: message.try_clone()? }
            }
            Self::Map => Self::Map,
            Self::Set => Self::Set,
            Self::Array { length } => Self::Array { length: *length },
            Self::Object => Self::Object,
            Self::Platform(object) => Self::Platform(object.clone()),
            Self::Index(index) => Self::Index(*index),
            Self::Name(name) => Self::Name(name.try_clone()?),
            Self::End => Self::End,
        })
    }
}

/// The classes of errors that keep their class.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ErrorName {
    Error,
    EvalError,
    RangeError,
    ReferenceError,
    SyntaxError,
    TypeError,
    UriError,
}

impl ErrorName {
    const ALL: [(Self, &str); 7] = [
        (Self::Error, "Error"),
        (Self::EvalError, "EvalError"),
        (Self::RangeError, "RangeError"),
        (Self::ReferenceError, "ReferenceError"),
        (Self::SyntaxError, "SyntaxError"),
        (Self::TypeError, "TypeError"),
        (Self::UriError, "URIError"),
    ];
}

/// Throws a DataCloneError.
pub fn throw_data_clone_error(ctx: &Ctx<'_>, message: &str) -> rquickjs::Error {
    throw_dom_exception(ctx, message, "DataCloneError")
}

/// Throws a DOMException.
pub fn throw_dom_exception(ctx: &Ctx<'_>, message: &str, name: &str) -> rquickjs::Error {
    match intrinsics::Intrinsics::of(ctx).and_then(|intrinsics| intrinsics.dom_exception(message, name)) {
        Ok(error) => ctx.throw(error),
        Err(error) => error,
    }
}
