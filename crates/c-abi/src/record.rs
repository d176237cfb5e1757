//! Structs and unions: bit-fields, packed and aligned ones, and those that end in an array without a size.

use crate::layout::{Inside, Layout, Passed};

/// The size that no record may have, in bytes: far more than any memory has, and far less than overflows.
pub const LARGEST: usize = 1 << 40;

/// A struct or a union.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RecordKind {
    /// Its members follow each other.
    Struct,
    /// Its members lie at the same place.
    Union,
}

/// A member of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member {
    /// Its type's layout. For an array without a size, an array of no elements.
    pub layout: Layout,
    /// How many bits it has, if it is a bit-field; 0 ends the unit that the bit-fields before it share.
    pub bits: Option<u32>,
    /// Whether it has a name. Bit-fields without one are padding.
    pub is_named: bool,
    /// The alignment that it asks for by itself.
    pub align: Option<usize>,
    /// Whether it is not aligned, as in a record that is packed.
    pub packed: bool,
    /// Whether it is an array without a size at the end of a struct.
    pub is_flexible: bool,
}

impl Member {
    /// An ordinary member.
    pub const fn of(layout: Layout) -> Self {
        Self { layout, bits: None, is_named: true, align: None, packed: false, is_flexible: false }
    }
}

/// Where a member lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// In bytes. For a bit-field, the byte with its first bit.
    pub offset: usize,
    /// The first bit of a bit-field within that byte.
    pub bit: u32,
}

/// A record's layout, and the places of its members.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordLayout {
    /// Its own.
    pub layout: Layout,
    /// Those of its members, in order.
    pub places: Vec<Place>,
}

impl RecordLayout {
    /// Lays out the members. `pack` is the largest alignment that a member may have (`#pragma pack`).
    ///
    /// # Errors
    /// The index of the member that makes it [too large](LARGEST).
    pub fn new(kind: RecordKind, members: &[Member], pack: Option<usize>) -> Result<Self, usize> {
        Self::aligned(kind, members, pack, 1)
    }

    /// The same for a record that asks for an alignment of its own.
    ///
    /// # Errors
    /// The index of the member that makes it [too large](LARGEST).
    pub fn aligned(kind: RecordKind, members: &[Member], pack: Option<usize>, align: usize) -> Result<Self, usize> {
        let pack = pack.unwrap_or(usize::MAX).max(1);
        // In bits, which is enough for far more than the largest size.
        let (mut end, mut align, mut size) = (0u64, align.max(1), 0u64);
        let mut places = Vec::with_capacity(members.len());
        let mut inside = Inside::NOTHING;
        for (at, member) in members.iter().enumerate() {
            let natural = if member.packed && member.bits != Some(0) { 1 } else { member.layout.align.max(1) };
            let asked = natural.max(member.align.unwrap_or(1));
            let own = if member.bits == Some(0) { asked } else { asked.min(pack) };
            if member.layout.size > LARGEST || own > LARGEST {
                return Err(at);
            }
            let start = if kind == RecordKind::Union { 0 } else { end };
            let (start, length) = match member.bits {
                Some(bits) => (bit_field(start, bits, own, member, pack), u64::from(bits)),
                None => (start.next_multiple_of(own as u64 * 8), member.layout.size as u64 * 8),
            };
            if start + length > LARGEST as u64 * 8 {
                return Err(at);
            }
            places.push(Place { offset: (start / 8) as usize, bit: (start % 8) as u32 });
            end = start + length;
            if member.bits.is_none() {
                end = end.next_multiple_of(8);
            }
            size = size.max(end);
            if member.bits.is_none() || member.is_named {
                align = align.max(own);
                let passed = if member.is_flexible { Passed::Address } else { member.layout.passed };
                inside = inside.with(Layout { passed, ..member.layout });
            }
        }
        let size = (size.div_ceil(8) as usize).next_multiple_of(align);
        if size > LARGEST {
            return Err(members.len().saturating_sub(1));
        }
        Ok(Self { layout: Layout { size, align, passed: inside.passed(size) }, places })
    }
}

/// The first bit of a bit-field: behind what is before it, unless it would lie across more units of its type than one.
fn bit_field(start: u64, bits: u32, own: usize, member: &Member, pack: usize) -> u64 {
    let (align, unit) = (own as u64 * 8, member.layout.size as u64 * 8);
    if bits == 0 || (pack == usize::MAX && start % align + u64::from(bits) > unit) {
        return start.next_multiple_of(align);
    }
    match member.align {
        Some(asked) => start.next_multiple_of(asked as u64 * 8),
        None => start,
    }
}
