//! What a memory stands on when it is made.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use data_block::{DataBlock, OutOfBounds};

/// What a memory stands on.
#[derive(Clone, Debug)]
pub(crate) enum Ground {
    /// A zeroed block.
    Zeros,
    /// A block with contents.
    Image(Arc<Image>),
    /// A poll page: the memory that instrumentation added, which is the last one.
    PollPage,
}

/// What a memory stands on, in terms of the module that defines it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Source {
    /// As [`Ground::Zeros`].
    Zeros,
    /// An image of these pieces: each piece's offset in the memory, and its range in the module's bytes.
    Pieces(Vec<(u64, Range<usize>)>),
    /// As [`Ground::PollPage`].
    PollPage,
}

impl Source {
    /// Says where else the same bytes are: `to` is given where each range starts.
    pub(crate) fn rebase(&mut self, to: impl Fn(usize) -> usize) {
        if let Self::Pieces(pieces) = self {
            for (_, bytes) in pieces {
                let start = to(bytes.start);
                *bytes = start..start + bytes.len();
            }
        }
    }

    /// The ground that this describes, with the bytes of the module; `None` if a range is outside of them.
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

/// A memory's initial contents, apart from zeros.
#[derive(Debug, Default)]
pub(crate) struct Image {
    /// The offset and length of each piece; their contents follow each other in `bytes`.
    pieces: Vec<(u64, usize)>,
    bytes: Vec<u8>,
}

impl Image {
    /// Adds bytes at an offset, on top of what is there.
    fn push(&mut self, offset: u64, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        match self.pieces.last_mut().filter(|(start, len)| start + *len as u64 == offset) {
            Some((_, len)) => *len += bytes.len(),
            None => self.pieces.push((offset, bytes.len())),
        }
    }

    /// Writes the image to a zeroed block.
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
