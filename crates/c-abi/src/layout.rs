//! Sizes and alignments, and how a type goes by value. All of it is `const`, for types that Rust knows.

use crate::scalar::{Addresses, Scalar};

/// How a type goes by value, as a parameter or a result.
///
/// A record of a single number, however deep that lies in it, is passed as the number if it has no padding around it. A
/// record without any bytes that could be told apart is not passed at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Passed {
    /// It is neither a parameter nor a result.
    Nothing,
    /// As this number.
    Number(Scalar),
    /// As the address of a copy; a result is written where an additional first parameter points.
    Address,
}

/// A type's size and alignment in a guest's memory, in bytes, and how it goes by value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    /// The size, a multiple of the alignment.
    pub size: usize,
    /// The number that its address is a multiple of.
    pub align: usize,
    /// How it goes by value. For an array, which C never passes by value, what it contributes to a record.
    pub passed: Passed,
}

impl Layout {
    /// The layout of a number.
    pub const fn scalar(scalar: Scalar, addresses: Addresses) -> Self {
        let size = scalar.size(addresses);
        Self { size, align: size, passed: Passed::Number(scalar) }
    }

    /// The layout of `count` of these in a row.
    ///
    /// # Panics
    /// If it has more bytes than a `usize` counts; [`Layout::checked_array`] does not.
    pub const fn array(self, count: usize) -> Self {
        match self.checked_array(count) {
            Some(array) => array,
            None => panic!("an array that is larger than any memory"),
        }
    }

    /// The layout of `count` of these in a row; `None` if it has more bytes than a `usize` counts.
    pub const fn checked_array(self, count: usize) -> Option<Self> {
        let passed = match (count, self.passed) {
            (0, _) | (_, Passed::Nothing) => Passed::Nothing,
            (1, passed) => passed,
            _ => Passed::Address,
        };
        match self.size.checked_mul(count) {
            Some(size) => Some(Self { size, align: self.align, passed }),
            None => None,
        }
    }

    /// The layout of a union of `size` bytes.
    pub const fn union(size: usize, align: usize, members: &[Self]) -> Self {
        let (mut inside, mut at) = (Inside::NOTHING, 0);
        while at < members.len() {
            inside = inside.with(members[at]);
            at += 1;
        }
        Self { size, align, passed: inside.passed(size) }
    }
}

/// What the members of a record come to, by value.
#[derive(Clone, Copy)]
pub(crate) struct Inside {
    passed: Passed,
    /// How many bytes the member has that is not nothing.
    size: usize,
}

impl Inside {
    pub(crate) const NOTHING: Self = Self { passed: Passed::Nothing, size: 0 };

    /// With another member.
    pub(crate) const fn with(self, member: Layout) -> Self {
        match (self.passed, member.passed) {
            (_, Passed::Nothing) => self,
            (Passed::Nothing, passed) => Self { passed, size: member.size },
            _ => Self { passed: Passed::Address, ..self },
        }
    }

    /// How a record of `size` bytes goes by value. With padding around it, a single number is not all there is.
    pub(crate) const fn passed(self, size: usize) -> Passed {
        match self.passed {
            Passed::Number(_) if self.size != size => Passed::Address,
            passed => passed,
        }
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

    /// The layouts of a number.
    pub const fn scalar(scalar: Scalar) -> Self {
        Self { narrow: Layout::scalar(scalar, Addresses::Narrow), wide: Layout::scalar(scalar, Addresses::Wide) }
    }

    /// The layout of an address, or of a `size_t`, as the integer that it is.
    pub const POINTER: Self = Self {
        narrow: Layout::scalar(Scalar::U32, Addresses::Narrow),
        wide: Layout::scalar(Scalar::U64, Addresses::Wide),
    };

    /// The layout of `count` of these in a row.
    pub const fn array(self, count: usize) -> Self {
        Self { narrow: self.narrow.array(count), wide: self.wide.array(count) }
    }

    /// The layout with such addresses.
    #[inline]
    pub const fn with(self, addresses: Addresses) -> Layout {
        match addresses {
            Addresses::Narrow => self.narrow,
            Addresses::Wide => self.wide,
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
        let (mut size, mut align, mut inside, mut offsets) = (0usize, 1, Inside::NOTHING, [0; N]);
        let mut at = 0;
        while at < N {
            let member = members[at];
            size = size.next_multiple_of(member.align);
            offsets[at] = size;
            size += member.size;
            if member.align > align {
                align = member.align;
            }
            inside = inside.with(member);
            at += 1;
        }
        size = size.next_multiple_of(align);
        Self { layout: Layout { size, align, passed: inside.passed(size) }, offsets }
    }
}
