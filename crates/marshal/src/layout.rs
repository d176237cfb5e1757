//! Where things lie in a guest's memory, and how they travel by value: the rules of C for WebAssembly.

use island::call::{Number, NumberKind};

/// One number in memory, with how it is widened to one of WebAssembly's four.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "each is the type of that name")]
pub enum Scalar {
    Bool,
    I8,
    U8,
    I16,
    U16,
    I32,
    I64,
    F32,
    F64,
}

impl Scalar {
    /// How many bytes it has in memory.
    pub const fn size(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::F32 => 4,
            Self::I64 | Self::F64 => 8,
        }
    }

    /// The type that it has as a parameter or result.
    pub const fn kind(self) -> NumberKind {
        match self {
            Self::Bool | Self::I8 | Self::U8 | Self::I16 | Self::U16 | Self::I32 => NumberKind::I32,
            Self::I64 => NumberKind::I64,
            Self::F32 => NumberKind::F32,
            Self::F64 => NumberKind::F64,
        }
    }

    /// The number in the first bytes, widened.
    #[inline]
    pub(crate) fn widen(self, bytes: &[u8]) -> Number {
        let mut all = [0; 8];
        all[..self.size()].copy_from_slice(&bytes[..self.size()]);
        let [a, b, c, d, ..] = all;
        let word = u32::from_le_bytes([a, b, c, d]);
        match self {
            Self::Bool | Self::U8 | Self::U16 | Self::I32 => Number::I32(word as i32),
            Self::I8 => Number::I32(i32::from(a as i8)),
            Self::I16 => Number::I32(i32::from(word as u16 as i16)),
            Self::I64 => Number::I64(i64::from_le_bytes(all)),
            Self::F32 => Number::F32(f32::from_bits(word)),
            Self::F64 => Number::F64(f64::from_le_bytes(all)),
        }
    }

    /// The bytes of a number that is as wide as [`Scalar::kind`] says, narrowed. Bytes past its size do not belong to
    /// it.
    #[inline]
    pub(crate) fn narrow(self, number: Number) -> [u8; 8] {
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

/// The numbers that something consists of, however deep they lie in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leaves {
    /// No bytes at all: by value it is neither a parameter nor a result.
    None,
    /// It goes by value as this number.
    One(Scalar),
    /// It goes by value as the address of a copy.
    Many,
}

/// A type's size and alignment in a guest's memory, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    /// The size, a multiple of the alignment.
    pub size: usize,
    /// The number that its address is a multiple of.
    pub align: usize,
    /// How it goes by value.
    pub leaves: Leaves,
}

impl Layout {
    /// The layout of a number.
    pub const fn scalar(scalar: Scalar) -> Self {
        Self { size: scalar.size(), align: scalar.size(), leaves: Leaves::One(scalar) }
    }

    /// The layout of `count` of these in a row.
    pub const fn array(self, count: usize) -> Self {
        let leaves = match (count, self.leaves) {
            (0, _) | (_, Leaves::None) => Leaves::None,
            (1, leaves) => leaves,
            _ => Leaves::Many,
        };
        Self { size: self.size * count, align: self.align, leaves }
    }

    /// The layout of a union of `size` bytes, which at least one member fills.
    pub const fn union(size: usize, align: usize, members: &[Self]) -> Self {
        let leaves = match members {
            [only] if only.size == size => only.leaves,
            _ => Leaves::Many,
        };
        Self { size, align, leaves }
    }
}

/// A type's layouts with addresses of 32 and of 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layouts {
    /// With addresses of 32 bits.
    pub narrow: Layout,
    /// With addresses of 64 bits.
    pub wide: Layout,
}

impl Layouts {
    /// A layout that is the same with both.
    pub const fn both(layout: Layout) -> Self {
        Self { narrow: layout, wide: layout }
    }

    /// The layout of an address, or of a `size_t`.
    pub const POINTER: Self = Self { narrow: Layout::scalar(Scalar::I32), wide: Layout::scalar(Scalar::I64) };

    /// The layout of `count` of these in a row.
    pub const fn array(self, count: usize) -> Self {
        Self { narrow: self.narrow.array(count), wide: self.wide.array(count) }
    }

    /// The layout in a guest whose addresses are as wide as `pointer`.
    #[inline]
    pub const fn of(self, pointer: NumberKind) -> Layout {
        match pointer {
            NumberKind::I64 => self.wide,
            _ => self.narrow,
        }
    }
}

/// A struct's layout with its members' places.
#[derive(Clone, Copy, Debug)]
pub struct Members<const N: usize> {
    /// The struct's own.
    pub layout: Layout,
    /// Where the members begin.
    pub offsets: [usize; N],
}

impl<const N: usize> Members<N> {
    /// Each member at the next offset that its alignment allows, and padding up to a multiple of the largest.
    pub const fn of(members: [Layout; N]) -> Self {
        let (mut size, mut align, mut leaves, mut offsets) = (0usize, 1, Leaves::None, [0; N]);
        let mut at = 0;
        while at < N {
            let member = members[at];
            size = size.next_multiple_of(member.align);
            offsets[at] = size;
            size += member.size;
            if member.align > align {
                align = member.align;
            }
            leaves = match (leaves, member.leaves) {
                (leaves, Leaves::None) | (Leaves::None, leaves) => leaves,
                _ => Leaves::Many,
            };
            at += 1;
        }
        size = size.next_multiple_of(align);
        // With padding around it, a single number is not all there is.
        if let Leaves::One(scalar) = leaves
            && scalar.size() != size
        {
            leaves = Leaves::Many;
        }
        Self { layout: Layout { size, align, leaves }, offsets }
    }
}
