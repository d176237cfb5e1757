//! Serialized values in Rust: made by a host, or read by one.

use std::sync::Arc;

use qjs::transfer::MovedBytes;
use rustc_hash::FxHashSet;

use super::{Portable, Record, Serialized, Text, Transferred};
use crate::port::Port;

/// A value without an agent, for Rust code to make and to read. It is a tree: an object that occurs twice in a message
/// is two objects here, as long as that does not make the whole many times larger, and [`Data::Other`] from then on. An
/// object within itself is [`Data::Other`], too.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Data {
    /// `undefined`.
    #[default]
    Undefined,
    /// `null`.
    Null,
    /// A boolean.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A BigInt, in decimal.
    BigInt(String),
    /// A string; lone surrogates read as U+FFFD.
    String(String),
    /// An ArrayBuffer.
    Bytes(Vec<u8>),
    /// An Array.
    Array(Vec<Data>),
    /// An ordinary object, or something that reads as one.
    Object(Vec<(String, Data)>),
    /// A Map.
    Map(Vec<(Data, Data)>),
    /// A Set.
    Set(Vec<Data>),
    /// A Date, in milliseconds since 1970.
    Date(f64),
    /// An error: its class and its message.
    Error(String, String),
    /// A platform object: a module, a shared memory.
    Platform(Arc<dyn Portable>),
    /// Anything without a counterpart here: views, shared buffers, boxed primitives, regular expressions, ports.
    Other,
}

impl std::fmt::Debug for Data {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Undefined => f.write_str("undefined"),
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::BigInt(digits) => write!(f, "{digits}n"),
            Self::String(text) => text.fmt(f),
            Self::Bytes(bytes) => write!(f, "ArrayBuffer({})", bytes.len()),
            Self::Array(items) => f.debug_list().entries(items).finish(),
            Self::Object(properties) => f.debug_map().entries(properties.iter().map(|(k, v)| (k, v))).finish(),
            Self::Map(entries) => f.debug_map().entries(entries.iter().map(|(k, v)| (k, v))).finish(),
            Self::Set(items) => f.debug_set().entries(items).finish(),
            Self::Date(time) => write!(f, "Date({time})"),
            Self::Error(class, message) => write!(f, "{class}: {message}"),
            Self::Platform(_) => f.write_str("a platform object"),
            Self::Other => f.write_str("another value"),
        }
    }
}

macro_rules! from {
    ($($type:ty => $variant:ident),* $(,)?) => {
        $(impl From<$type> for Data {
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        })*
    };
}

from!(bool => Boolean, f64 => Number, i32 => Number, u32 => Number, &str => String, String => String, Vec<u8> => Bytes,
    Vec<Data> => Array);

impl<const N: usize> From<[(&str, Data); N]> for Data {
    fn from(properties: [(&str, Data); N]) -> Self {
        Self::Object(properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

impl Data {
    /// The property of an object, or the element of an array by its index.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(properties) => properties.iter().find(|(own, _)| own == name).map(|(_, value)| value),
            Self::Array(items) => items.get(name.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn as_number(&self) -> Option<f64> {
        if let Self::Number(value) = self { Some(*value) } else { None }
    }

    /// The text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }
}

impl From<Data> for Serialized {
    fn from(data: Data) -> Self {
        let mut records = Vec::new();
        write(data, &mut records);
        Self { records, transferred: Vec::new() }
    }
}

impl Serialized {
    /// Adds a port to this message, which its receiver finds in `ports` of the event.
    #[must_use]
    pub fn with_port(mut self, port: Port) -> Self {
        let place = self.transferred.len() as u32;
        self.transferred.push(Transferred::Port(port));
        // The objects of a transfer come first.
        for record in &mut self.records {
            if let Record::Again(number) = record
                && *number >= place
            {
                *number += 1;
            }
        }
        self
    }

    /// The value, for Rust code. What was transferred is dropped.
    pub fn into_data(self) -> Data {
        let again = |record: &Record| if let Record::Again(number) = record { Some(*number as usize) } else { None };
        let again = self.records.iter().filter_map(again).collect();
        let mut reader = Reader {
            again,
            objects: vec![Data::Other; self.transferred.len()],
            depth: 0,
            copies: 10_000 + self.records.len() * 10,
        };
        reader.read(&mut self.records.into_iter()).unwrap_or_default()
    }
}

fn write(data: Data, records: &mut Vec<Record>) {
    match data {
        Data::Undefined | Data::Other => records.push(Record::Undefined),
        Data::Null => records.push(Record::Null),
        Data::Boolean(value) => records.push(Record::Boolean(value)),
        Data::Number(value) => records.push(Record::Number(value)),
        Data::BigInt(digits) => records.push(Record::BigInt((&*digits).into())),
        Data::String(text) => records.push(Record::String((&*text).into())),
        Data::Bytes(bytes) => match MovedBytes::from_slice(&bytes) {
            Some(bytes) => records.push(Record::Buffer { bytes, max: None }),
            None => std::alloc::handle_alloc_error(std::alloc::Layout::for_value(&*bytes)),
        },
        Data::Array(items) => {
            records.push(Record::Array { length: items.len() as u32 });
            for (index, item) in items.into_iter().enumerate() {
                records.push(Record::Index(index as u32));
                write(item, records);
            }
            records.push(Record::End);
        }
        Data::Object(properties) => {
            records.push(Record::Object);
            for (name, value) in properties {
                records.push(Record::Name((&*name).into()));
                write(value, records);
            }
            records.push(Record::End);
        }
        Data::Map(entries) => {
            records.push(Record::Map);
            for (key, value) in entries {
                write(key, records);
                write(value, records);
            }
            records.push(Record::End);
        }
        Data::Set(items) => {
            records.push(Record::Set);
            items.into_iter().for_each(|item| write(item, records));
            records.push(Record::End);
        }
        Data::Date(time) => records.push(Record::Date(time)),
        Data::Error(class, message) => {
            let known = super::ErrorName::ALL.iter().find(|(_, name)| *name == class);
            let name = known.map_or(super::ErrorName::Error, |(name, _)| *name);
            records.push(Record::Error { name, message: Some((&*message).into()), stack: None, has_cause: false });
        }
        Data::Platform(object) => records.push(Record::Platform(object)),
    }
}

impl Record {
    /// Whether an end follows, after the contents.
    fn is_container(&self) -> bool {
        matches!(self, Self::Map | Self::Set | Self::Array { .. } | Self::Object | Self::Error { has_cause: true, .. })
    }

    /// Whether the record makes an object.
    fn is_object(&self) -> bool {
        !matches!(
            self,
            Self::Undefined
                | Self::Null
                | Self::Boolean(_)
                | Self::Number(_)
                | Self::BigInt(_)
                | Self::String(_)
                | Self::Again(_)
                | Self::Index(_)
                | Self::Name(_)
                | Self::End
        )
    }
}

struct Reader {
    /// The objects so far that occur again, by number. One that is being read does not count yet.
    objects: Vec<Data>,
    /// The numbers of the objects that occur again.
    again: FxHashSet<usize>,
    /// How many containers the next value is in.
    depth: usize,
    /// How much may still be copied: values, and bytes by the hundred.
    copies: usize,
}

/// How many containers within each other are read. What a script nests deeper is [`Data::Other`], so that it does not
/// exhaust a stack of the host's.
const DEEPEST: usize = 500;

impl Data {
    /// How much it costs to copy this.
    fn weight(&self) -> usize {
        let bytes = |len: usize| 1 + len / 100;
        match self {
            Self::String(text) | Self::BigInt(text) => bytes(text.len()),
            Self::Bytes(all) => bytes(all.len()),
            Self::Error(class, message) => bytes(class.len() + message.len()),
            Self::Array(items) | Self::Set(items) => 1 + items.iter().map(Self::weight).sum::<usize>(),
            Self::Object(all) => 1 + all.iter().map(|(name, value)| bytes(name.len()) + value.weight()).sum::<usize>(),
            Self::Map(all) => 1 + all.iter().map(|(key, value)| key.weight() + value.weight()).sum::<usize>(),
            _ => 1,
        }
    }
}

impl Reader {
    /// An object that occurred before.
    fn again(&mut self, number: usize) -> Data {
        let Some(object) = self.objects.get(number).filter(|_| self.copies > 0) else { return Data::Other };
        let weight = object.weight();
        match self.copies.checked_sub(weight) {
            Some(left) => {
                self.copies = left;
                object.clone()
            }
            None => {
                self.copies = 0;
                Data::Other
            }
        }
    }

    /// The next value; `None` at an end.
    fn read(&mut self, records: &mut impl Iterator<Item = Record>) -> Option<Data> {
        // Text that there is no memory for is left out.
        let text = |text: Text| match qjs::room::is_there(text.size().saturating_mul(4)) {
            true => text.to_string(),
            false => String::new(),
        };
        let number = self.objects.len();
        let data = match records.next()? {
            Record::End => return None,
            Record::Undefined => return Some(Data::Undefined),
            Record::Null => return Some(Data::Null),
            Record::Boolean(value) => return Some(Data::Boolean(value)),
            Record::Number(value) => return Some(Data::Number(value)),
            Record::BigInt(digits) => return Some(Data::BigInt(text(digits))),
            Record::String(units) => return Some(Data::String(text(units))),
            Record::Again(number) => return Some(self.again(number as usize)),
            Record::Index(index) => return Some(Data::Number(index.into())),
            Record::Name(name) => return Some(Data::String(text(name))),
            Record::Date(time) => Data::Date(time),
            Record::Buffer { bytes, .. } if qjs::room::is_there(bytes.len()) => Data::Bytes(bytes.as_slice().to_vec()),
            Record::Platform(object) => Data::Platform(object),
            Record::Error { name, message, has_cause, .. } => {
                self.objects.push(Data::Other);
                if has_cause {
                    self.skip_rest(records);
                }
                let class =
                    super::ErrorName::ALL.iter().find(|(own, _)| *own == name).map_or("Error", |(_, text)| text);
                let error = Data::Error(class.to_owned(), message.map(text).unwrap_or_default());
                self.objects[number] = error.clone();
                return Some(error);
            }
            Record::View { .. } => {
                self.objects.push(Data::Other);
                self.read(records);
                return Some(Data::Other);
            }
            record if self.depth == DEEPEST && record.is_container() => {
                self.skip(records);
                return Some(Data::Other);
            }
            Record::Array { .. } => {
                let items = self.pairs(records).into_iter().map(|(_, value)| value);
                Data::Array(items.collect())
            }
            Record::Object => {
                let name = |key: Data| match key {
                    Data::String(name) => name,
                    Data::Number(index) => index.to_string(),
                    _ => String::new(),
                };
                Data::Object(self.pairs(records).into_iter().map(|(key, value)| (name(key), value)).collect())
            }
            Record::Map => Data::Map(self.pairs(records)),
            Record::Set => {
                self.objects.push(Data::Other);
                self.depth += 1;
                let items = std::iter::from_fn(|| self.read(records)).collect();
                self.depth -= 1;
                Data::Set(items)
            }
            _ => Data::Other,
        };
        let kept = if self.again.contains(&number) { data.clone() } else { Data::Other };
        match self.objects.get_mut(number) {
            Some(own) => *own = kept,
            None => self.objects.push(kept),
        }
        Some(data)
    }

    /// Keys and values up to the end.
    fn pairs(&mut self, records: &mut impl Iterator<Item = Record>) -> Vec<(Data, Data)> {
        self.objects.push(Data::Other);
        self.depth += 1;
        let mut pairs = Vec::new();
        while let Some(key) = self.read(records) {
            let Some(value) = self.read(records) else { break };
            pairs.push((key, value));
        }
        self.depth -= 1;
        pairs
    }

    /// Passes over a container whose record has been read.
    fn skip(&mut self, records: &mut impl Iterator<Item = Record>) {
        self.objects.push(Data::Other);
        self.skip_rest(records);
    }

    /// Passes over the rest of a container's contents, and its end.
    fn skip_rest(&mut self, records: &mut impl Iterator<Item = Record>) {
        let mut open = 1;
        while open > 0 {
            let Some(record) = records.next() else { return };
            if matches!(record, Record::End) {
                open -= 1;
            }
            if record.is_container() {
                open += 1;
            }
            if record.is_object() {
                self.objects.push(Data::Other);
            }
        }
    }
}
