//! The functions on sockets, which a host may give a guest as descriptors.

use std::os::fd::AsFd;

use rustix::event::PollFlags;
use rustix::net::{RecvFlags, SendFlags, Shutdown, SocketFlags, accept_with, recv, send, shutdown};

use crate::wasi::call::Call;
use crate::wasi::descriptor::{Descriptor, DescriptorKind, HostFile};
use crate::wasi::errno::{Errno, Result, Stop};
use crate::wasi::guest::{Piece, buffer};
use crate::wasi::transfer::{is_socket, scatter};
use crate::wasi::types::{fdflags, filetype};
use crate::wasi::wait::{look, wait};

/// As much is sent or received at once.
const MOST: usize = 1 << 20;

/// `riflags`.
const PEEK: u32 = 1;
const WAITALL: u32 = 2;

fn socket(descriptor: &Descriptor) -> Result<&HostFile> {
    match &descriptor.kind {
        DescriptorKind::Host(file) if is_socket(file.filetype) => Ok(file),
        _ => Err(Errno::NOTSOCK.into()),
    }
}

impl Call<'_> {
    pub(crate) fn sock_accept(&mut self, fd: u32, flags: u32, to: u32) -> Result {
        let descriptor = self.descriptor(fd)?;
        let listener = socket(&descriptor)?;
        let to = self.guest.piece(to, 1, 4)?;
        if flags & !u32::from(fdflags::NONBLOCK) != 0 {
            return Err(Errno::INVAL.into());
        }
        let accepted =
            waiting(&descriptor, listener, PollFlags::IN, || accept_with(&listener.handle, SocketFlags::CLOEXEC))?;
        let accepted = Descriptor::of_guest(accepted, true, true, flags as u16)?;
        let number = self.wasi.descriptors.lock().add(accepted)?;
        self.guest.write(to, &number.to_le_bytes());
        Ok(())
    }

    pub(crate) fn sock_recv(&mut self, fd: u32, vectors: u32, count: u32, flags: u32, read: u32, said: u32) -> Result {
        let descriptor = self.descriptor(fd)?;
        let file = socket(&descriptor)?;
        let (read, said) = (self.guest.piece(read, 1, 4)?, self.guest.piece(said, 1, 2)?);
        let pieces = self.guest.pieces(vectors, count)?;
        let mut how = RecvFlags::DONTWAIT;
        if flags & PEEK != 0 {
            how |= RecvFlags::PEEK;
        }
        if flags & !(PEEK | WAITALL) != 0 {
            return Err(Errno::INVAL.into());
        }
        if file.filetype == filetype::SOCKET_DGRAM {
            // How long the message is of which a part is received.
            how |= RecvFlags::TRUNC;
        }
        // A message is whole as it comes.
        let waits_for_all = flags & WAITALL != 0 && flags & PEEK == 0 && file.filetype != filetype::SOCKET_DGRAM;
        let wanted = pieces.iter().map(|piece| piece.len).sum::<usize>().min(MOST);
        let mut bytes = buffer(wanted)?;
        let before = self.runs.received.take();
        let mut done = before.len();
        bytes[..done].copy_from_slice(&before);
        let mut is_cut = false;
        loop {
            let received = waiting(&descriptor, file, PollFlags::IN, || recv(&file.handle, &mut bytes[done..], how));
            let (now, whole) = match received {
                // What was received before is not lost.
                Err(Stop::Errno(_)) if done > 0 => break,
                Err(stop @ Stop::Waits(_)) => {
                    bytes.truncate(done);
                    self.runs.received.replace(bytes);
                    return Err(stop);
                }
                received => received?,
            };
            is_cut |= whole > now;
            done += now;
            if !waits_for_all || now == 0 || done == wanted {
                break;
            }
        }
        scatter(&mut self.guest, &pieces, &bytes[..done]);
        self.guest.write(read, &(done as u32).to_le_bytes());
        self.guest.write(said, &u16::from(is_cut).to_le_bytes());
        Ok(())
    }

    pub(crate) fn sock_send(&mut self, fd: u32, vectors: u32, count: u32, flags: u32, written: u32) -> Result {
        let descriptor = self.descriptor(fd)?;
        let file = socket(&descriptor)?;
        let written = self.guest.piece(written, 1, 4)?;
        let pieces = self.guest.pieces(vectors, count)?;
        if flags != 0 {
            return Err(Errno::INVAL.into());
        }
        let total = pieces.iter().map(|piece| piece.len).sum::<usize>();
        if total > MOST && file.filetype == filetype::SOCKET_DGRAM {
            return Err(rustix::io::Errno::MSGSIZE.into());
        }
        let mut bytes = buffer(total.min(MOST))?;
        let mut filled = 0;
        for piece in pieces {
            let len = piece.len.min(bytes.len() - filled);
            self.guest.read(Piece { at: piece.at, len }, &mut bytes[filled..][..len]);
            filled += len;
        }
        let sent = waiting(&descriptor, file, PollFlags::OUT, || {
            send(&file.handle, &bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)
        })?;
        self.guest.write(written, &(sent as u32).to_le_bytes());
        Ok(())
    }

    pub(crate) fn sock_shutdown(&mut self, fd: u32, how: u32) -> Result {
        let descriptor = self.descriptor(fd)?;
        let how = match how {
            1 => Shutdown::Read,
            2 => Shutdown::Write,
            3 => Shutdown::Both,
            _ => return Err(Errno::INVAL.into()),
        };
        Ok(shutdown(&socket(&descriptor)?.handle, how)?)
    }
}

/// Does what may have to be waited for.
fn waiting<T>(
    descriptor: &Descriptor,
    file: &HostFile,
    flags: PollFlags,
    mut action: impl FnMut() -> rustix::io::Result<T>,
) -> Result<T> {
    let waits = !descriptor.has(fdflags::NONBLOCK);
    loop {
        if waits {
            wait(&[(file.handle.as_fd(), flags)], None)?;
        } else if look(file.handle.as_fd(), flags)?.is_empty() {
            return Err(Errno::AGAIN.into());
        }
        match action() {
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) if waits => {}
            done => return Ok(done?),
        }
    }
}
