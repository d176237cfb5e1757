//! Strings without an agent.

use qjs::string::Units;
use qjs::{Borrowed, Ctx, Cx, Result, Value, room};

/// The code units of a JavaScript string, lone surrogates and all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Text {
    /// All of them are below 256.
    Narrow(Box<[u8]>),
    /// Any units.
    Wide(Box<[u16]>),
}

impl Text {
    /// The units of a string; no units for any other value.
    ///
    /// # Errors
    /// When memory is out.
    pub fn of(value: &Value<'_>) -> Result<Self> {
        Ok(match Units::of(Cx::of(value.ctx()), Borrowed::of(value))? {
            Some(Units::Narrow(units)) => {
                Self::Narrow(room::list(value.ctx(), units.len(), units.iter().copied())?.into())
            }
            Some(Units::Wide(units)) => Self::Wide(room::list(value.ctx(), units.len(), units.iter().copied())?.into()),
            None => Self::Narrow(Box::default()),
        })
    }

    /// How many bytes it takes up.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Narrow(units) => units.len(),
            Self::Wide(units) => size_of_val(&**units),
        }
    }

    /// A copy, or `None` if there is no memory for it.
    pub(super) fn try_clone(&self) -> Option<Self> {
        room::is_there(self.size()).then(|| self.clone())
    }

    /// The units.
    pub fn to_units(&self) -> Vec<u16> {
        match self {
            Self::Narrow(units) => units.iter().map(|&unit| unit.into()).collect(),
            Self::Wide(units) => units.to_vec(),
        }
    }

    /// The string as a value of an agent.
    ///
    /// # Errors
    /// When memory is out.
    pub fn to_value<'js>(&self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        match self {
            Self::Narrow(units) if units.is_ascii() => qjs::string::from_utf8(ctx, units),
            Self::Narrow(units) => {
                qjs::string::from_units(ctx, &room::list(ctx, units.len(), units.iter().map(|&unit| unit.into()))?)
            }
            Self::Wide(units) => qjs::string::from_units(ctx, units),
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        match text.is_ascii() {
            true => Self::Narrow(text.as_bytes().into()),
            false => Self::Wide(text.encode_utf16().collect()),
        }
    }
}

impl std::fmt::Display for Text {
    /// A lone surrogate shows as U+FFFD.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Narrow(units) => units.iter().try_for_each(|&unit| write!(f, "{}", char::from(unit))),
            Self::Wide(units) => f.write_str(&String::from_utf16_lossy(units)),
        }
    }
}
