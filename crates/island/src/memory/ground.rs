//! What a memory stands on when it is made.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

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

/// What a memory stands on, in terms of the module that it comes from.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Source {
    /// As [`Ground::Zeros`].
    Zeros,
    /// An image of these pieces: where each goes, and where it is in the module's bytes.
    Pieces(Vec<(u64, Range<usize>)>),
    /// As [`Ground::PollPage`].
    PollPage,
}

impl Source {
    /// What that is, with the bytes of the module; `None` if there are no such pieces in them.
    pub(crate) fn ground(&self, module: &[u8]) -> Option<Ground> {
        Some(match self {
            Self::Zeros => Ground::Zeros,
            Self::Pieces(pieces) => {
                let mut image = Image::default();
                for (offset, bytes) in pieces {
                    image.push(*offset, module.get(bytes.clone())?);
                }
                Ground::Image(image.into())
            }
            Self::PollPage => Ground::PollPage,
        })
    }
}

/// What a memory has in it at first, apart from zeros.
#[derive(Debug, Default)]
pub(crate) struct Image {
    /// Where each piece goes, and how long it is; they follow each other in `bytes`.
    pieces: Vec<(u64, usize)>,
    bytes: Vec<u8>,
}

impl Image {
    /// Adds bytes at an offset, over what is there.
    fn push(&mut self, offset: u64, bytes: &[u8]) {
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
