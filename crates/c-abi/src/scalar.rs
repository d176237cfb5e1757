//! Numbers of C, and which of WebAssembly's four they are.

use std::fmt;

/// How wide a guest's addresses are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Addresses {
    /// 32 bits.
    #[default]
    Narrow,
    /// 64 bits.
    Wide,
}

impl Addresses {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Narrow, Self::Wide];

    /// 64 bits if `wide`.
    #[inline]
    pub const fn wide(wide: bool) -> Self {
        if wide { Self::Wide } else { Self::Narrow }
    }

    /// The number that an address is passed as.
    #[inline]
    pub const fn number(self) -> Number {
        match self {
            Self::Narrow => Number::I32,
            Self::Wide => Number::I64,
        }
    }

    /// How many bytes an address has.
    #[inline]
    pub const fn size(self) -> usize {
        match self {
            Self::Narrow => 4,
            Self::Wide => 8,
        }
    }
}

/// One of WebAssembly's types of numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "each is the type of that name")]
pub enum Number {
    I32,
    I64,
    F32,
    F64,
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}

/// A number, truth value or address of C.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "each is the type of that name")]
pub enum Scalar {
    Bool,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    /// `__int128`.
    I128,
    F32,
    F64,
    /// `long double`.
    F128,
    /// A pointer, `size_t`, `uintptr_t`, `unsigned long`.
    Address,
    /// `ptrdiff_t`, `intptr_t`, `long`.
    SignedAddress,
}

impl Scalar {
    /// How many bytes it has in memory. Its alignment is the same number.
    #[inline]
    pub const fn size(self, addresses: Addresses) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
            Self::I128 | Self::F128 => 16,
            Self::Address | Self::SignedAddress => addresses.size(),
        }
    }

    /// The numbers that it is passed as: one, or two for 128 bits.
    #[inline]
    pub const fn numbers(self, addresses: Addresses) -> &'static [Number] {
        match self {
            Self::Bool | Self::I8 | Self::U8 | Self::I16 | Self::U16 | Self::I32 | Self::U32 => &[Number::I32],
            Self::I64 | Self::U64 => &[Number::I64],
            Self::F32 => &[Number::F32],
            Self::F64 => &[Number::F64],
            Self::I128 | Self::F128 => &[Number::I64, Number::I64],
            Self::Address | Self::SignedAddress => match addresses {
                Addresses::Narrow => &[Number::I32],
                Addresses::Wide => &[Number::I64],
            },
        }
    }

    /// Whether it is an integer with a sign.
    pub const fn is_signed(self) -> bool {
        matches!(self, Self::I8 | Self::I16 | Self::I32 | Self::I64 | Self::I128 | Self::SignedAddress)
    }
}

/// The integer that an enum is, by its least and greatest members: of 32 bits unless a member needs 64, and unsigned
/// unless a member is negative.
pub fn enumeration(low: i128, high: i128) -> Scalar {
    let signed = low < 0;
    let fits =
        if signed { i32::try_from(low).is_ok() && i32::try_from(high).is_ok() } else { u32::try_from(high).is_ok() };
    match (fits, signed) {
        (true, true) => Scalar::I32,
        (true, false) => Scalar::U32,
        (false, true) => Scalar::I64,
        (false, false) => Scalar::U64,
    }
}
