//! What a memory stands on when it is made.

use std::sync::Arc;

use data_block::{DataBlock, OutOfBounds};

/// What a memory stands on.
#[derive(Clone, Debug)]
pub(crate) enum Ground {
    /// A block that is zero.
    Zeros,
    /// A block with contents.
    Image(Arc<Image>),
    /// A poll page: the memory that instrumentation added, which is the last one.
    PollPage,
}

/// What a memory has in it at first, apart from zeros.
#[derive(Debug, Default)]
pub(crate) struct Image {
    /// Where each piece goes, and how long it is; they follow each other in `bytes`.
    pieces: Vec<(u64, usize)>,
    bytes: Vec<u8>,
}

impl Image {
    /// Whether it has nothing but zeros.
    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Adds bytes at an offset, over what is there.
    pub(crate) fn push(&mut self, offset: u64, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        match self.pieces.last_mut().filter(|(start, len)| start + *len as u64 == offset) {
            Some((_, len)) => *len += bytes.len(),
            None => self.pieces.push((offset, bytes.len())),
        }
    }

    /// Writes it into a block that is zero.
    pub(crate) fn write_to(&self, block: &DataBlock) -> Result<(), OutOfBounds> {
        let mut rest = &self.bytes[..];
        for &(offset, len) in &self.pieces {
            let piece;
            (piece, rest) = rest.split_at(len);
            block.write(offset, piece)?;
        }
        Ok(())
    }
}
