//! Numbers: which C type each descriptor stands for, and its conversions.

use island::Kind;
use island::call::Number;
use qjs::{Borrowed, Cx, ElementKind, Result, Returned, Value, number};

/// A C number type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // each is the type of that name
pub(crate) enum Scalar {
    Int8,
    Uint8,
    Int16,
    Uint16,
    Int32,
    Uint32,
    Int64,
    Uint64,
    Float32,
    Float64,
}

impl Scalar {
    pub(crate) const ALL: [Self; 10] = [
        Self::Int8,
        Self::Uint8,
        Self::Int16,
        Self::Uint16,
        Self::Int32,
        Self::Uint32,
        Self::Int64,
        Self::Uint64,
        Self::Float32,
        Self::Float64,
    ];

    /// `Int8` and so on.
    pub(crate) fn name(self) -> &'static str {
        self.element().name().trim_end_matches("Array").trim_start_matches("Big")
    }

    /// Bytes in memory.
    pub(crate) fn size(self) -> usize {
        self.element().size()
    }

    /// The typed array with elements of this type.
    pub(crate) fn element(self) -> ElementKind {
        match self {
            Self::Int8 => ElementKind::Int8,
            Self::Uint8 => ElementKind::Uint8,
            Self::Int16 => ElementKind::Int16,
            Self::Uint16 => ElementKind::Uint16,
            Self::Int32 => ElementKind::Int32,
            Self::Uint32 => ElementKind::Uint32,
            Self::Int64 => ElementKind::BigInt64,
            Self::Uint64 => ElementKind::BigUint64,
            Self::Float32 => ElementKind::Float32,
            Self::Float64 => ElementKind::Float64,
        }
    }

    /// How a C compiler passes it to a function.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Int64 | Self::Uint64 => Kind::I64,
            Self::Float32 => Kind::F32,
            Self::Float64 => Kind::F64,
            _ => Kind::I32,
        }
    }

    /// What a script must pass.
    pub(crate) fn expected(self) -> &'static str {
        if self.kind() == Kind::I64 { "a BigInt or an integer" } else { "a number" }
    }

    /// A script's value as an argument; none where it is of the wrong type. Integers wrap as typed arrays' elements do.
    /// Runs no script.
    pub(crate) fn to_argument(self, cx: Cx<'_>, value: Borrowed<'_>) -> Result<Option<Number>> {
        if self.kind() == Kind::I64 {
            return Ok(self.to_int64(cx, value)?.map(Number::I64));
        }
        let Some(number) = value.number() else { return Ok(None) };
        Ok(Some(match self {
            Self::Float32 => Number::F32(number as f32),
            Self::Float64 => Number::F64(number),
            _ => {
                let int = number::to_int32(cx, value)?;
                Number::I32(match self {
                    Self::Int8 => i32::from(int as i8),
                    Self::Uint8 => i32::from(int as u8),
                    Self::Int16 => i32::from(int as i16),
                    Self::Uint16 => i32::from(int as u16),
                    _ => int,
                })
            }
        }))
    }

    fn to_int64(self, cx: Cx<'_>, value: Borrowed<'_>) -> Result<Option<i64>> {
        if value.is_bigint() {
            return number::to_bigint64(cx, value).map(Some);
        }
        /// Above this, a number no longer tells integers apart.
        const MAX_SAFE: f64 = 9_007_199_254_740_991.0;
        let number = value.number().filter(|number| number.trunc() == *number && number.abs() <= MAX_SAFE);
        Ok(number.map(|number| number as i64))
    }

    /// What a function returned, as this type.
    pub(crate) fn result_to_js(self, cx: Cx<'_>, result: Number) -> Returned {
        match (self, result) {
            (Self::Int8, Number::I32(value)) => Returned::int(i32::from(value as i8)),
            (Self::Uint8, Number::I32(value)) => Returned::int(i32::from(value as u8)),
            (Self::Int16, Number::I32(value)) => Returned::int(i32::from(value as i16)),
            (Self::Uint16, Number::I32(value)) => Returned::int(i32::from(value as u16)),
            (Self::Uint32, Number::I32(value)) => cx.float(f64::from(value as u32)),
            (Self::Uint64, Number::I64(value)) => cx.biguint(value as u64),
            (_, number) => js_api::from_number(cx, number),
        }
    }

    /// A script's value as the bytes of an element; none where it is of the wrong type. Runs no script.
    pub(crate) fn write(self, cx: Cx<'_>, value: Borrowed<'_>, into: &mut [u8]) -> Result<bool> {
        // The commonest element by far, without detours.
        if self == Self::Float64 {
            let Some(number) = value.number() else { return Ok(false) };
            into.copy_from_slice(&number.to_le_bytes());
            return Ok(true);
        }
        let Some(number) = self.to_argument(cx, value)? else { return Ok(false) };
        match number {
            Number::I32(value) => into.copy_from_slice(&value.to_le_bytes()[..self.size()]),
            Number::I64(value) => into.copy_from_slice(&value.to_le_bytes()),
            Number::F32(value) => into.copy_from_slice(&value.to_le_bytes()),
            Number::F64(value) => into.copy_from_slice(&value.to_le_bytes()),
        }
        Ok(true)
    }

    /// The bytes of an element as a script's value.
    pub(crate) fn read(self, cx: Cx<'_>, bytes: &[u8]) -> Returned {
        let mut wide = [0; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        let bits = u64::from_le_bytes(wide);
        let number = match self.kind() {
            Kind::I32 => Number::I32(bits as u32 as i32),
            Kind::I64 => Number::I64(bits as i64),
            Kind::F32 => Number::F32(f32::from_bits(bits as u32)),
            Kind::F64 => Number::F64(f64::from_bits(bits)),
        };
        self.result_to_js(cx, number)
    }
}

/// A length that a script gave: a whole number that an array can have.
pub(crate) fn length(value: &Value<'_>) -> Option<u64> {
    let number = value.as_number()?;
    (number >= 0.0 && number.trunc() == number && number <= 9_007_199_254_740_991.0).then_some(number as u64)
}
