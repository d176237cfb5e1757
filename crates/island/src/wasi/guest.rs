//! The memory of a calling guest. Addresses and sizes that a guest gives are checked here, once.

use std::cell::UnsafeCell;

use crate::memory::shared_memory;
use crate::wasi::errno::{Errno, Result, Stop};

/// A guest's memory for the length of a call.
pub(crate) enum Guest<'a> {
    /// Nobody else uses it meanwhile.
    Own(&'a mut [u8]),
    /// Other threads may read and write it: bytes are copied, never borrowed.
    Shared(&'a [UnsafeCell<u8>]),
    /// There is none.
    Missing,
}

/// A piece of a guest's memory, as in an `iovec`. It lies inside.
#[derive(Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) at: usize,
    pub(crate) len: usize,
}

/// The most pieces of one read or write, as for `readv` and `writev`.
const MOST_PIECES: u32 = 1024;

impl Guest<'_> {
    fn size(&self) -> Result<usize> {
        match self {
            Self::Own(bytes) => Ok(bytes.len()),
            Self::Shared(bytes) => Ok(bytes.len()),
            Self::Missing => Err(Stop::NoMemory),
        }
    }

    /// The piece of `count` elements of `size` bytes.
    pub(crate) fn piece(&self, at: u32, count: usize, size: usize) -> Result<Piece> {
        let (at, len) = (at as usize, count.checked_mul(size).ok_or(Errno::FAULT)?);
        match at.checked_add(len) {
            Some(end) if end <= self.size()? => Ok(Piece { at, len }),
            _ => Err(Errno::FAULT.into()),
        }
    }

    pub(crate) fn read(&self, piece: Piece, to: &mut [u8]) {
        match self {
            Self::Own(bytes) => to.copy_from_slice(&bytes[piece.at..][..piece.len]),
            Self::Shared(bytes) => shared_memory::read(&bytes[piece.at..][..piece.len], to),
            Self::Missing => {}
        }
    }

    pub(crate) fn write(&mut self, piece: Piece, from: &[u8]) {
        match self {
            Self::Own(bytes) => bytes[piece.at..][..piece.len].copy_from_slice(from),
            Self::Shared(bytes) => shared_memory::write(&bytes[piece.at..][..piece.len], from),
            Self::Missing => {}
        }
    }

    /// The bytes themselves, if nobody else has them.
    pub(crate) fn borrow(&mut self, piece: Piece) -> Option<&mut [u8]> {
        match self {
            Self::Own(bytes) => Some(&mut bytes[piece.at..][..piece.len]),
            _ => None,
        }
    }

    /// A copy of some bytes.
    pub(crate) fn copy(&self, at: u32, len: usize) -> Result<Vec<u8>> {
        let piece = self.piece(at, len, 1)?;
        let mut bytes = buffer(len)?;
        self.read(piece, &mut bytes);
        Ok(bytes)
    }

    /// Writes some bytes.
    pub(crate) fn put(&mut self, at: u32, bytes: &[u8]) -> Result {
        let piece = self.piece(at, bytes.len(), 1)?;
        self.write(piece, bytes);
        Ok(())
    }

    pub(crate) fn put_u32(&mut self, at: u32, value: u32) -> Result {
        self.put(at, &value.to_le_bytes())
    }

    pub(crate) fn put_u64(&mut self, at: u32, value: u64) -> Result {
        self.put(at, &value.to_le_bytes())
    }

    /// The pieces that `count` `iovec`s at an address tell, without empty ones.
    pub(crate) fn pieces(&self, at: u32, count: u32) -> Result<Vec<Piece>> {
        if count > MOST_PIECES {
            return Err(Errno::INVAL.into());
        }
        let vectors = self.copy(at, count as usize * 8)?;
        let word = |bytes: &[u8]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let mut total = 0u32;
        let mut pieces = Vec::with_capacity(count as usize);
        for vector in vectors.chunks_exact(8) {
            let piece = self.piece(word(vector), word(&vector[4..]) as usize, 1)?;
            // More than the result can tell.
            total = total.checked_add(piece.len as u32).filter(|&sum| sum <= i32::MAX as u32).ok_or(Errno::INVAL)?;
            if piece.len > 0 {
                pieces.push(piece);
            }
        }
        Ok(pieces)
    }
}

/// A buffer of a size that a guest chose.
pub(crate) fn buffer(len: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).map_err(|_| Errno::NOMEM)?;
    bytes.resize(len, 0);
    Ok(bytes)
}
