//! Reading and writing: what a guest has asked for and no more, waiting where the guest waits.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::fs::{CWD, Mode, OFlags, SeekFrom, openat, seek};
use rustix::io::{Errno as Sys, ReadWriteFlags, preadv2, pwritev2, read, write};

use crate::wasi::beneath::by_descriptor;
use crate::wasi::call::Call;
use crate::wasi::descriptor::{Descriptor, DescriptorKind, HostFile};
use crate::wasi::errno::{Errno, Result, Stop};
use crate::wasi::guest::{Guest, Piece, buffer};
use crate::wasi::types::{fdflags, filetype};
use crate::wasi::wait::{look, wait};

/// As much is copied at once where bytes cannot be read or written in place.
const CHUNK: usize = 1 << 20;

/// As much fits in a pipe that is said to have room.
const ROOM: usize = 4096;

/// `RWF_NOAPPEND`, since Linux 6.9.
const NO_APPEND: ReadWriteFlags = ReadWriteFlags::from_bits_retain(0x20);

/// Stands for the position of the open file itself.
const OWN_POSITION: u64 = u64::MAX;

impl Call<'_> {
    pub(crate) fn fd_read(&mut self, fd: u32, vectors: u32, count: u32, read: u32) -> Result {
        self.read(fd, vectors, count, OWN_POSITION, read)
    }

    pub(crate) fn fd_pread(&mut self, fd: u32, vectors: u32, count: u32, offset: u64, read: u32) -> Result {
        self.read(fd, vectors, count, position(offset)?, read)
    }

    pub(crate) fn fd_write(&mut self, fd: u32, vectors: u32, count: u32, written: u32) -> Result {
        self.write(fd, vectors, count, OWN_POSITION, written)
    }

    pub(crate) fn fd_pwrite(&mut self, fd: u32, vectors: u32, count: u32, offset: u64, written: u32) -> Result {
        self.write(fd, vectors, count, position(offset)?, written)
    }

    fn read(&mut self, fd: u32, vectors: u32, count: u32, offset: u64, result: u32) -> Result {
        let descriptor = self.descriptor(fd)?;
        let result = self.guest.piece(result, 1, 4)?;
        let pieces = self.guest.pieces(vectors, count)?;
        if !descriptor.is_readable {
            return Err(Errno::BADF.into());
        }
        let read = match &descriptor.kind {
            DescriptorKind::Bytes(_) if offset != OWN_POSITION => return Err(Errno::SPIPE.into()),
            DescriptorKind::Bytes(input) => {
                let mut input = input.lock().unwrap_or_else(|e| e.into_inner());
                let (bytes, at) = &mut *input;
                let wanted = pieces.iter().map(|piece| piece.len).sum();
                let taken = &bytes[*at..][..(bytes.len() - *at).min(wanted)];
                scatter(&mut self.guest, &pieces, taken);
                *at += taken.len();
                taken.len()
            }
            DescriptorKind::Sink(..) => return Err(Errno::BADF.into()),
            DescriptorKind::Host(file) => {
                if descriptor.is_standard {
                    // Whoever is asked for input has to see the question.
                    self.wasi.before_output();
                }
                read_host(&mut self.guest, &descriptor, file, &pieces, offset)?
            }
        };
        self.guest.write(result, &(read as u32).to_le_bytes());
        Ok(())
    }

    fn write(&mut self, fd: u32, vectors: u32, count: u32, offset: u64, result: u32) -> Result {
        let descriptor = self.descriptor(fd)?;
        let result = self.guest.piece(result, 1, 4)?;
        let pieces = self.guest.pieces(vectors, count)?;
        if !descriptor.is_writable {
            return Err(Errno::BADF.into());
        }
        let mut target = |bytes: &[u8], offset: u64| match &descriptor.kind {
            DescriptorKind::Bytes(_) => Err(Errno::BADF.into()),
            DescriptorKind::Sink(..) if offset != OWN_POSITION => Err(Errno::SPIPE.into()),
            DescriptorKind::Sink(sink, _) => {
                sink(bytes)?;
                Ok(bytes.len())
            }
            DescriptorKind::Host(file) if file.is_stream && offset == OWN_POSITION => {
                write_stream(&descriptor, file, bytes)
            }
            DescriptorKind::Host(file) => write_file(&descriptor, file, bytes, offset),
        };
        if descriptor.is_standard && matches!(descriptor.kind, DescriptorKind::Host(_)) {
            self.wasi.before_output();
        }
        let written = if let [piece] = *pieces
            && let Some(bytes) = self.guest.borrow(piece)
        {
            target(bytes, offset)?
        } else {
            gather(&self.guest, &pieces, offset, &mut target)?
        };
        self.guest.write(result, &(written as u32).to_le_bytes());
        Ok(())
    }
}

/// A position that a guest has given.
fn position(offset: u64) -> Result<u64> {
    if offset > i64::MAX as u64 { Err(Errno::INVAL.into()) } else { Ok(offset) }
}

/// Writes what the pieces hold, in order. Once something is written, what fails is only told the next time.
fn gather(
    guest: &Guest<'_>,
    pieces: &[Piece],
    offset: u64,
    target: &mut impl FnMut(&[u8], u64) -> Result<usize>,
) -> Result<usize> {
    let total: usize = pieces.iter().map(|piece| piece.len).sum();
    let mut bytes = buffer(total.min(CHUNK))?;
    let (mut written, mut filled) = (0, 0);
    let mut flush = |filled: usize, bytes: &[u8]| -> Result<bool> {
        let offset = if offset == OWN_POSITION { OWN_POSITION } else { offset.saturating_add(written as u64) };
        match target(&bytes[..filled], offset) {
            Ok(count) => {
                written += count;
                Ok(count == filled)
            }
            Err(Stop::Errno(_) | Stop::Waits(_)) if written > 0 => Ok(false),
            Err(stop) => Err(stop),
        }
    };
    let mut goes_on = true;
    for piece in pieces {
        let mut from = 0;
        while goes_on && from < piece.len {
            let len = (piece.len - from).min(bytes.len() - filled);
            guest.read(Piece { at: piece.at + from, len }, &mut bytes[filled..][..len]);
            (from, filled) = (from + len, filled + len);
            if filled == bytes.len() {
                goes_on = flush(filled, &bytes)?;
                filled = 0;
            }
        }
    }
    if goes_on && (filled > 0 || total == 0) {
        flush(filled, &bytes)?;
    }
    Ok(written)
}

/// Puts bytes into the pieces, in order.
pub(crate) fn scatter(guest: &mut Guest<'_>, pieces: &[Piece], mut bytes: &[u8]) {
    for piece in pieces {
        let (now, later) = bytes.split_at(bytes.len().min(piece.len));
        guest.write(Piece { at: piece.at, len: now.len() }, now);
        bytes = later;
    }
}

fn read_host(
    guest: &mut Guest<'_>,
    descriptor: &Descriptor,
    file: &HostFile,
    pieces: &[Piece],
    offset: u64,
) -> Result<usize> {
    let source = |bytes: &mut [u8], offset: u64| match file.is_stream && offset == OWN_POSITION {
        true => read_stream(descriptor, file, bytes),
        false => read_file(file.handle.as_fd(), bytes, offset),
    };
    if let [piece] = pieces
        && let Some(bytes) = guest.borrow(*piece)
    {
        return source(bytes, offset);
    }
    let total: usize = pieces.iter().map(|piece| piece.len).sum();
    if total == 0 && file.is_stream && offset == OWN_POSITION {
        // As for `read`: nobody waits for nothing.
        return Ok(0);
    }
    let mut bytes = buffer(total.min(CHUNK))?;
    // What is left of the pieces.
    let (mut pieces, mut done) = (pieces.to_vec(), 0);
    loop {
        let wanted = bytes.len().min(total - done);
        let at = if offset == OWN_POSITION { OWN_POSITION } else { offset.saturating_add(done as u64) };
        let count = match source(&mut bytes[..wanted], at) {
            Err(Stop::Errno(_) | Stop::Waits(_)) if done > 0 => return Ok(done),
            count => count?,
        };
        scatter(guest, &pieces, &bytes[..count]);
        advance(&mut pieces, count);
        done += count;
        // A stream that has given something might have to be waited for.
        if file.is_stream || count < wanted || done == total {
            return Ok(done);
        }
    }
}

/// Takes the first bytes from the pieces.
fn advance(pieces: &mut Vec<Piece>, mut count: usize) {
    pieces.retain_mut(|piece| {
        let taken = count.min(piece.len);
        count -= taken;
        (piece.at, piece.len) = (piece.at + taken, piece.len - taken);
        piece.len > 0
    });
}

/// Reads from what never has to be waited for.
fn read_file(fd: BorrowedFd<'_>, bytes: &mut [u8], offset: u64) -> Result<usize> {
    loop {
        let count = match offset {
            OWN_POSITION => read(fd, &mut *bytes),
            offset => rustix::io::pread(fd, &mut *bytes, offset),
        };
        match count {
            Err(Sys::INTR) => {}
            count => return Ok(count?),
        }
    }
}

/// Reads what is there, and waits for it unless the guest does not want to.
fn read_stream(descriptor: &Descriptor, file: &HostFile, bytes: &mut [u8]) -> Result<usize> {
    let fd = file.handle.as_fd();
    loop {
        // Before a writer has come, a FIFO would seem to be at its end.
        if descriptor.has(fdflags::NONBLOCK) {
            if look(fd, PollFlags::IN)?.is_empty() {
                return Err(Errno::AGAIN.into());
            }
        } else {
            wait(&[(fd, PollFlags::IN)], None)?;
        }
        // Somebody else may have taken it meanwhile.
        let now = match preadv2(fd, &mut [IoSliceMut::new(bytes)], OWN_POSITION, ReadWriteFlags::NOWAIT) {
            Err(Sys::OPNOTSUPP | Sys::NOSYS | Sys::INVAL) => read(fd, &mut *bytes),
            now => now,
        };
        match now {
            Err(Sys::INTR) => {}
            Err(Sys::AGAIN) if !descriptor.has(fdflags::NONBLOCK) => {}
            now => return Ok(now?),
        }
    }
}

/// Writes all bytes, and waits until they are taken unless the guest does not want to. What can be suspended is not once
/// it has written something: it writes less than all.
fn write_stream(descriptor: &Descriptor, file: &HostFile, bytes: &[u8]) -> Result<usize> {
    let fd = file.handle.as_fd();
    let mut written = 0;
    let mut has_room = false;
    let stopped = |written: usize, stop: Stop| match stop {
        Stop::Errno(_) | Stop::Waits(_) if written > 0 => Ok(written),
        stop => Err(stop),
    };
    loop {
        let rest = &bytes[written..];
        let now = match pwritev2(fd, &[IoSlice::new(rest)], OWN_POSITION, ReadWriteFlags::NOWAIT) {
            // It cannot say whether it would wait.
            Err(Sys::OPNOTSUPP | Sys::NOSYS | Sys::INVAL) => match has_room || has_room_now(fd)? {
                true => write(fd, &rest[..rest.len().min(ROOM)]),
                false => Err(Sys::AGAIN),
            },
            now => now,
        };
        has_room = false;
        match now {
            Ok(count) => {
                written += count;
                if written == bytes.len() {
                    return Ok(written);
                }
            }
            Err(Sys::INTR) => {}
            Err(Sys::AGAIN) if descriptor.has(fdflags::NONBLOCK) => return stopped(written, Errno::AGAIN.into()),
            Err(Sys::AGAIN) => {
                if let Err(stop) = wait(&[(fd, PollFlags::OUT)], None) {
                    return stopped(written, stop);
                }
                has_room = true;
            }
            Err(error) => return stopped(written, error.into()),
        }
    }
}

fn has_room_now(fd: BorrowedFd<'_>) -> Result<bool> {
    Ok(!look(fd, PollFlags::OUT)?.is_empty())
}

/// Writes to what never has to be waited for.
fn write_file(descriptor: &Descriptor, file: &HostFile, bytes: &[u8], offset: u64) -> Result<usize> {
    let fd = file.handle.as_fd();
    loop {
        let count = match offset {
            // What the system appends of its own accord, it appends.
            OWN_POSITION if descriptor.has(fdflags::APPEND) && !file.appends => append(fd, bytes),
            OWN_POSITION => write(fd, bytes),
            offset if file.appends => write_at(fd, bytes, offset),
            offset => rustix::io::pwrite(fd, bytes, offset),
        };
        match count {
            Err(Sys::INTR) => {}
            count => return Ok(count?),
        }
    }
}

fn append(fd: BorrowedFd<'_>, bytes: &[u8]) -> rustix::io::Result<usize> {
    match pwritev2(fd, &[IoSlice::new(bytes)], OWN_POSITION, ReadWriteFlags::APPEND) {
        Err(Sys::OPNOTSUPP | Sys::NOSYS) => {
            seek(fd, SeekFrom::End(0))?;
            write(fd, bytes)
        }
        written => written,
    }
}

/// Writes at a position of a file that was opened to be appended to, which on Linux is appended all the same.
fn write_at(fd: BorrowedFd<'_>, bytes: &[u8], offset: u64) -> rustix::io::Result<usize> {
    match pwritev2(fd, &[IoSlice::new(bytes)], offset, NO_APPEND) {
        Err(Sys::OPNOTSUPP | Sys::NOSYS | Sys::INVAL) => {
            // Where the position does not matter, the file may be opened once more.
            let other = openat(CWD, &*by_descriptor(fd), OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
            rustix::io::pwrite(other, bytes, offset)
        }
        written => written,
    }
}

/// How often somebody is looked for who reads a FIFO that is being opened.
const INTERVAL: Duration = Duration::from_millis(5);

/// Opens a FIFO to write to it, when somebody has opened it to read.
pub(crate) fn when_it_is_read<T>(
    mut open: impl FnMut() -> Result<T>,
    is_no_reader: impl Fn(&Stop) -> bool,
) -> Result<T> {
    loop {
        match open() {
            Err(stop) if is_no_reader(&stop) => {
                wait(&[], Some(Instant::now() + INTERVAL))?;
            }
            opened => return opened,
        }
    }
}

/// Whether a filetype is that of a socket.
pub(crate) fn is_socket(filetype: u8) -> bool {
    matches!(filetype, filetype::SOCKET_DGRAM | filetype::SOCKET_STREAM)
}
