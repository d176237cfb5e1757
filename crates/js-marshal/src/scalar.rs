//! Numbers: which C type each descriptor stands for, and its conversions. `wide` says that addresses have 64 bits.

use c_abi::Addresses;
use island::NumberKind;
use island::call::Number;
use qjs::{Borrowed, Cx, ElementKind, Result, Returned, Value, number};

/// A C number type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
    Bool,
    /// `size_t`.
    Size,
    /// `ptrdiff_t`, `ssize_t` and `long`.
    SignedSize,
    /// An enum of 64 bits: like all enums, a number where that is safe.
    Enum64,
    UnsignedEnum64,
}

/// Above this, a JavaScript number no longer tells integers apart.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

impl Scalar {
    pub(crate) const ALL: [Self; 15] = [
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
        Self::Bool,
        Self::Size,
        Self::SignedSize,
        Self::Enum64,
        Self::UnsignedEnum64,
    ];

    /// How many of them, from the first, are the elements of a typed array.
    pub(crate) const TYPED: usize = 10;

    /// The type of an enum with members of this type.
    pub(crate) fn of_enum(self) -> Self {
        match self {
            Self::Int64 => Self::Enum64,
            Self::Uint64 => Self::UnsignedEnum64,
            scalar => scalar,
        }
    }

    /// `Int8` and so on.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Int8 => "Int8",
            Self::Uint8 => "Uint8",
            Self::Int16 => "Int16",
            Self::Uint16 => "Uint16",
            Self::Int32 => "Int32",
            Self::Uint32 => "Uint32",
            Self::Int64 | Self::Enum64 => "Int64",
            Self::Uint64 | Self::UnsignedEnum64 => "Uint64",
            Self::Float32 => "Float32",
            Self::Float64 => "Float64",
            Self::Bool => "Bool",
            Self::Size => "Size",
            Self::SignedSize => "SignedSize",
        }
    }

    /// What stands for the type in a mangled name.
    pub(crate) fn mangled(self) -> &'static str {
        match self {
            Self::Int8 => "i8",
            Self::Uint8 => "u8",
            Self::Int16 => "i16",
            Self::Uint16 => "u16",
            Self::Int32 => "i32",
            Self::Uint32 => "u32",
            Self::Int64 | Self::Enum64 => "i64",
            Self::Uint64 | Self::UnsignedEnum64 => "u64",
            Self::Float32 => "f32",
            Self::Float64 => "f64",
            Self::Bool => "b1",
            Self::Size => "z",
            Self::SignedSize => "y",
        }
    }

    /// Bytes in memory.
    #[inline]
    pub(crate) fn size(self, wide: bool) -> usize {
        self.abi().size(Addresses::wide(wide))
    }

    /// The type of C that it stands for.
    #[inline]
    pub(crate) fn abi(self) -> c_abi::Scalar {
        match self {
            Self::Int8 => c_abi::Scalar::I8,
            Self::Uint8 => c_abi::Scalar::U8,
            Self::Int16 => c_abi::Scalar::I16,
            Self::Uint16 => c_abi::Scalar::U16,
            Self::Int32 => c_abi::Scalar::I32,
            Self::Uint32 => c_abi::Scalar::U32,
            Self::Int64 | Self::Enum64 => c_abi::Scalar::I64,
            Self::Uint64 | Self::UnsignedEnum64 => c_abi::Scalar::U64,
            Self::Float32 => c_abi::Scalar::F32,
            Self::Float64 => c_abi::Scalar::F64,
            Self::Bool => c_abi::Scalar::Bool,
            Self::Size => c_abi::Scalar::Address,
            Self::SignedSize => c_abi::Scalar::SignedAddress,
        }
    }

    /// The typed array with elements of this type.
    #[inline]
    pub(crate) fn element(self, wide: bool) -> ElementKind {
        match self {
            Self::Int8 => ElementKind::Int8,
            Self::Uint8 | Self::Bool => ElementKind::Uint8,
            Self::Int16 => ElementKind::Int16,
            Self::Uint16 => ElementKind::Uint16,
            Self::Int32 => ElementKind::Int32,
            Self::Uint32 => ElementKind::Uint32,
            Self::Int64 | Self::Enum64 => ElementKind::BigInt64,
            Self::Uint64 | Self::UnsignedEnum64 => ElementKind::BigUint64,
            Self::Float32 => ElementKind::Float32,
            Self::Float64 => ElementKind::Float64,
            Self::Size if wide => ElementKind::BigUint64,
            Self::Size => ElementKind::Uint32,
            Self::SignedSize if wide => ElementKind::BigInt64,
            Self::SignedSize => ElementKind::Int32,
        }
    }

    /// How a C compiler passes it to a function.
    #[inline]
    pub(crate) fn kind(self, wide: bool) -> NumberKind {
        match self.abi().numbers(Addresses::wide(wide)) {
            [c_abi::Number::I64, ..] => NumberKind::I64,
            [c_abi::Number::F32, ..] => NumberKind::F32,
            [c_abi::Number::F64, ..] => NumberKind::F64,
            _ => NumberKind::I32,
        }
    }

    /// What a script must pass.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::Int64 | Self::Uint64 | Self::Enum64 | Self::UnsignedEnum64 => "a BigInt or an integer",
            Self::Size | Self::SignedSize => "an integer",
            Self::Bool => "a boolean",
            _ => "a number",
        }
    }

    /// A script's value as an argument; `None` if it is of the wrong type. Integers wrap as typed arrays' elements do.
    /// Runs no script.
    #[inline]
    pub(crate) fn to_argument(self, cx: Cx<'_>, value: Borrowed<'_>, wide: bool) -> Result<Option<Number>> {
        match self {
            Self::Int64 | Self::Uint64 | Self::Enum64 | Self::UnsignedEnum64 => {
                return Ok(to_int64(cx, value)?.map(Number::I64));
            }
            Self::Size | Self::SignedSize => {
                let Some(integer) = to_int64(cx, value)? else { return Ok(None) };
                return Ok(Some(if wide { Number::I64(integer) } else { Number::I32(integer as i32) }));
            }
            Self::Bool => {
                let truth = value.bool().or_else(|| value.number().map(|number| number != 0.0));
                return Ok(truth.map(|truth| Number::I32(i32::from(truth))));
            }
            _ => {}
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

    /// Whether `number` is what the script's value says, and not only what is left of it in this type.
    pub(crate) fn is_whole(self, cx: Cx<'_>, value: Borrowed<'_>, number: Number) -> Result<bool> {
        let is_unsigned = self.element(true) == ElementKind::BigUint64;
        if value.is_bigint() {
            return Ok(match number {
                Number::I64(_) if is_unsigned => number::to_biguint64_exact(cx, value)?.is_some(),
                Number::I64(_) => number::to_bigint64_exact(cx, value)?.is_some(),
                Number::I32(got) => number::to_bigint64_exact(cx, value)? == Some(self.widen(got)),
                _ => false,
            });
        }
        let Some(given) = value.number() else { return Ok(true) };
        Ok(match number {
            Number::F32(got) => got.is_finite() || !given.is_finite(),
            Number::F64(_) => true,
            Number::I32(got) => self.widen(got) as f64 == given,
            Number::I64(_) => !is_unsigned || given >= 0.0,
        })
    }

    /// An integer of at most 32 bits with its sign.
    fn widen(self, value: i32) -> i64 {
        match self {
            Self::Uint32 | Self::Size => (value as u32).into(),
            _ => value.into(),
        }
    }

    /// What a function returned, as this type.
    pub(crate) fn result_to_js(self, cx: Cx<'_>, result: Number) -> Returned {
        match (self, result) {
            (Self::Int8, Number::I32(value)) => Returned::int(i32::from(value as i8)),
            (Self::Uint8, Number::I32(value)) => Returned::int(i32::from(value as u8)),
            (Self::Int16, Number::I32(value)) => Returned::int(i32::from(value as i16)),
            (Self::Uint16, Number::I32(value)) => Returned::int(i32::from(value as u16)),
            (Self::Uint32 | Self::Size, Number::I32(value)) => cx.float(f64::from(value as u32)),
            (Self::Uint64, Number::I64(value)) => cx.biguint(value as u64),
            (Self::Size | Self::UnsignedEnum64, Number::I64(value)) => integer64(cx, value as u64 as i128),
            (Self::SignedSize | Self::Enum64, Number::I64(value)) => integer64(cx, value.into()),
            (Self::Bool, Number::I32(value)) => Returned::bool(value as u8 != 0),
            (_, number) => js_api::from_number(cx, number),
        }
    }

    /// A script's value as the bytes of an element; `None` if it is of the wrong type. Runs no script.
    #[inline]
    pub(crate) fn write(self, cx: Cx<'_>, value: Borrowed<'_>, into: &mut [u8], wide: bool) -> Result<bool> {
        // The commonest element by far, without detours.
        if self == Self::Float64 {
            let Some(number) = value.number() else { return Ok(false) };
            into.copy_from_slice(&number.to_le_bytes());
            return Ok(true);
        }
        let Some(number) = self.to_argument(cx, value, wide)? else { return Ok(false) };
        into.copy_from_slice(&bits(number).to_le_bytes()[..into.len()]);
        Ok(true)
    }

    /// The bytes of an element as a number of WebAssembly.
    #[inline]
    pub(crate) fn load(self, bytes: &[u8], wide: bool) -> Number {
        let mut all = [0; 8];
        all[..bytes.len()].copy_from_slice(bytes);
        let bits = u64::from_le_bytes(all);
        match self.kind(wide) {
            NumberKind::I32 => Number::I32(bits as u32 as i32),
            NumberKind::I64 => Number::I64(bits as i64),
            NumberKind::F32 => Number::F32(f32::from_bits(bits as u32)),
            NumberKind::F64 => Number::F64(f64::from_bits(bits)),
        }
    }

    /// The bytes of an element as a script's value.
    #[inline]
    pub(crate) fn read(self, cx: Cx<'_>, bytes: &[u8], wide: bool) -> Returned {
        self.result_to_js(cx, self.load(bytes, wide))
    }

    /// The bytes of an integer as an element of this type.
    pub(crate) fn bytes_of(self, value: i64) -> [u8; 8] {
        match self {
            Self::Float32 => u64::from((value as f32).to_bits()).to_le_bytes(),
            Self::Float64 => (value as f64).to_le_bytes(),
            _ => value.to_le_bytes(),
        }
    }

    /// The largest integer of the type that is exact as a length; 0 for floats.
    pub(crate) fn most(self) -> u64 {
        match self {
            Self::Bool => 1,
            Self::Int8 => i8::MAX as u64,
            Self::Uint8 => u8::MAX.into(),
            Self::Int16 => i16::MAX as u64,
            Self::Uint16 => u16::MAX.into(),
            Self::Int32 => i32::MAX as u64,
            Self::Uint32 => u32::MAX.into(),
            Self::Float32 | Self::Float64 => 0,
            _ => i64::MAX as u64,
        }
    }

    /// The number as a length; `None` if it is negative or not an integer.
    pub(crate) fn as_length(self, number: Number) -> Option<u64> {
        let signed = match (self, number) {
            (Self::Uint64 | Self::Size | Self::UnsignedEnum64, Number::I64(value)) => return Some(value as u64),
            (Self::Uint32 | Self::Size, Number::I32(value)) => return Some(u64::from(value as u32)),
            (Self::Uint16, Number::I32(value)) => return Some(u64::from(value as u16)),
            (Self::Uint8 | Self::Bool, Number::I32(value)) => return Some(u64::from(value as u8)),
            (Self::Int8, Number::I32(value)) => i64::from(value as i8),
            (Self::Int16, Number::I32(value)) => i64::from(value as i16),
            (_, Number::I32(value)) => i64::from(value),
            (_, Number::I64(value)) => value,
            (_, Number::F32(_) | Number::F64(_)) => return None,
        };
        u64::try_from(signed).ok()
    }
}

/// A number's bits, in the lowest bytes.
pub(crate) fn bits(number: Number) -> u64 {
    match number {
        Number::I32(value) => u64::from(value as u32),
        Number::I64(value) => value as u64,
        Number::F32(value) => u64::from(value.to_bits()),
        Number::F64(value) => value.to_bits(),
    }
}

fn to_int64(cx: Cx<'_>, value: Borrowed<'_>) -> Result<Option<i64>> {
    if let Some(int) = value.int() {
        return Ok(Some(int.into()));
    }
    if value.is_bigint() {
        return number::to_bigint64(cx, value).map(Some);
    }
    let number = value.number().filter(|number| number.trunc() == *number && number.abs() <= MAX_SAFE);
    Ok(number.map(|number| number as i64))
}

/// An integer of at most 64 bits: a number if that tells it from its neighbours, else a BigInt.
pub(crate) fn integer64(cx: Cx<'_>, value: i128) -> Returned {
    if value.unsigned_abs() <= MAX_SAFE as u128 {
        return cx.float(value as f64);
    }
    match u64::try_from(value) {
        Ok(value) => cx.biguint(value),
        Err(_) => cx.bigint(value as i64),
    }
}

/// An address that a script gave: a number or a BigInt.
pub(crate) fn address(cx: Cx<'_>, value: Borrowed<'_>) -> Result<Option<u64>> {
    if value.is_bigint() {
        return number::to_biguint64_exact(cx, value);
    }
    let number = value.number().filter(|number| *number >= 0.0 && number.trunc() == *number && *number <= MAX_SAFE);
    Ok(number.map(|number| number as u64))
}

/// A length that a script gave: a whole number that an array can have.
pub(crate) fn length(value: &Value<'_>) -> Option<u64> {
    let number = value.as_number()?;
    (number >= 0.0 && number.trunc() == number && number <= MAX_SAFE).then_some(number as u64)
}
