//! Writes a changed module: copies pieces of the original, and notes what was copied from where.

use super::{Addition, RawSection};

/// The bytes reserved for a size that is filled in afterwards.
pub(super) const SIZE_BYTES: usize = 5;

/// Writes the instrumented bytes, and records what was copied from where.
pub(super) struct Writer<'a> {
    original: &'a [u8],
    /// The offset in the original of what comes next.
    at: usize,
    pub(super) out: Vec<u8>,
    /// As in [`super::Offsets`].
    pub(super) ends: Vec<(u32, u32)>,
}

impl<'a> Writer<'a> {
    /// Writes about as many bytes as the original has, and `added` more.
    pub(super) fn new(original: &'a [u8], added: usize) -> Self {
        Self { original, at: 0, out: Vec::with_capacity(original.len() + added), ends: Vec::new() }
    }

    /// Copies up to an offset in the original.
    pub(super) fn copy_to(&mut self, end: usize) {
        if end == self.at {
            return;
        }
        let here = self.here();
        self.out.extend_from_slice(&self.original[self.at..end]);
        self.at = end;
        // Nothing was inserted since the last piece, so it continues.
        self.ends.pop_if(|&mut last| last == here);
        self.ends.push(self.here());
    }

    /// Skips to an offset in the original.
    pub(super) fn skip_to(&mut self, end: usize) {
        self.ends.push(self.here());
        self.at = end;
    }

    fn here(&self) -> (u32, u32) {
        (self.out.len() as u32, self.at as u32)
    }

    /// Leaves room for the size of what follows, in place of the original's size, which ends at `end`.
    pub(super) fn start_size(&mut self, end: usize) -> usize {
        self.out.extend([0; SIZE_BYTES]);
        self.skip_to(end);
        self.out.len()
    }

    /// Fills in the size of what has been written since `start`.
    pub(super) fn end_size(&mut self, start: usize) -> usize {
        let size = self.out.len() - start;
        let room = &mut self.out[start - SIZE_BYTES..start];
        for (byte, shift) in room.iter_mut().zip((0..).step_by(7)) {
            *byte = (size >> shift) as u8 | 0x80;
        }
        room[SIZE_BYTES - 1] &= 0x7f;
        size
    }

    pub(super) fn add_section(&mut self, addition: &Addition) {
        self.out.push(addition.id);
        let size = self.start_size(self.at);
        push_unsigned(&mut self.out, addition.count);
        self.out.extend_from_slice(&addition.items);
        self.end_size(size);
    }

    pub(super) fn extend_section(&mut self, section: &RawSection<'_>, addition: &Addition) -> Option<()> {
        let mut items = section.contents.clone();
        let count = items.read_var_u32().ok()?;
        self.copy_to(section.start + 1);
        let size = self.start_size(section.contents.range().start);
        push_unsigned(&mut self.out, count.checked_add(addition.count)?);
        self.skip_to(items.original_position());
        self.copy_to(section.contents.range().end);
        self.out.extend_from_slice(&addition.items);
        self.end_size(size);
        Some(())
    }
}

/// An unsigned LEB128 number.
pub(crate) fn push_unsigned(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A signed LEB128 number.
pub(super) fn push_signed(out: &mut Vec<u8>, mut value: i64) {
    // The sign is the bit below the one that says whether more follows.
    while !(-0x40..0x40).contains(&value) {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8 & 0x7f);
}
