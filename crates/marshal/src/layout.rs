//! Where things lie in a guest's memory, and how they travel by value: the rules of C for WebAssembly, which `c-abi` has.

use c_abi::Addresses;
pub use c_abi::{Layout, Layouts, Members, Passed, Scalar};
use island::call::{Number, NumberKind};

/// How numbers in memory become WebAssembly's, and back. The types of Rust have the same size in every guest.
pub(crate) trait InMemory: Copy {
    /// How many bytes it has in memory.
    fn bytes(self) -> usize;

    /// The type that it has as a parameter or result.
    fn kind(self) -> NumberKind;

    /// The number in the first bytes, widened.
    fn widen(self, bytes: &[u8]) -> Number;

    /// The bytes of a number that is as wide as [`InMemory::kind`] says, narrowed. Bytes past its size do not belong to
    /// it.
    fn narrow(self, number: Number) -> [u8; 8];
}

impl InMemory for Scalar {
    #[inline]
    fn bytes(self) -> usize {
        self.size(Addresses::Narrow)
    }

    #[inline]
    fn kind(self) -> NumberKind {
        match self.numbers(Addresses::Narrow) {
            [c_abi::Number::I64, ..] => NumberKind::I64,
            [c_abi::Number::F32, ..] => NumberKind::F32,
            [c_abi::Number::F64, ..] => NumberKind::F64,
            _ => NumberKind::I32,
        }
    }

    #[inline]
    fn widen(self, bytes: &[u8]) -> Number {
        let mut all = [0; 8];
        all[..self.bytes()].copy_from_slice(&bytes[..self.bytes()]);
        let [a, b, c, d, ..] = all;
        let word = u32::from_le_bytes([a, b, c, d]);
        match self {
            Self::I8 => Number::I32(i32::from(a as i8)),
            Self::I16 => Number::I32(i32::from(word as u16 as i16)),
            _ => match self.kind() {
                NumberKind::I64 => Number::I64(i64::from_le_bytes(all)),
                NumberKind::F32 => Number::F32(f32::from_bits(word)),
                NumberKind::F64 => Number::F64(f64::from_le_bytes(all)),
                NumberKind::I32 => Number::I32(word as i32),
            },
        }
    }

    #[inline]
    fn narrow(self, number: Number) -> [u8; 8] {
        let word = |word: u32| {
            let [a, b, c, d] = word.to_le_bytes();
            [a, b, c, d, 0, 0, 0, 0]
        };
        match number {
            // Any number but 0 is true, for functions that return an `int` as a truth value.
            Number::I32(value) if self == Self::Bool => word(u32::from(value != 0)),
            Number::I32(value) => word(value as u32),
            Number::I64(value) => value.to_le_bytes(),
            Number::F32(value) => word(value.to_bits()),
            Number::F64(value) => value.to_le_bytes(),
        }
    }
}

/// The layout in a guest.
pub trait InGuest {
    /// The layout in a guest whose addresses are passed as `pointer`.
    fn of(self, pointer: NumberKind) -> Layout;
}

impl InGuest for Layouts {
    #[inline]
    fn of(self, pointer: NumberKind) -> Layout {
        self.with(Addresses::wide(pointer == NumberKind::I64))
    }
}
