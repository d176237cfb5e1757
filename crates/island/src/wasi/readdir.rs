//! `fd_readdir`. A directory is read whole when a guest begins to list it, so that cookies stay what they are while
//! files come and go.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, openat, statat};

use crate::wasi::call::Call;
use crate::wasi::errno::Result;
use crate::wasi::types::filetype;

/// What was in a directory.
pub(crate) struct Entries(Vec<Entry>);

struct Entry {
    inode: u64,
    filetype: u8,
    name: Vec<u8>,
}

impl Call<'_> {
    pub(crate) fn fd_readdir(&mut self, fd: u32, to: u32, len: u32, cookie: u64, used: u32) -> Result {
        let descriptor = self.descriptor(fd)?;
        let directory = descriptor.directory()?;
        let file = descriptor.host()?;
        let to = self.guest.piece(to, len as usize, 1)?;
        let used = self.guest.piece(used, 1, 4)?;
        let entries = {
            let mut last = file.entries.lock().unwrap_or_else(|e| e.into_inner());
            match &*last {
                Some(entries) if cookie > 0 => entries.clone(),
                _ => last.insert(Arc::new(Entries::read(directory)?)).clone(),
            }
        };
        let mut bytes = Vec::new();
        let first = usize::try_from(cookie).unwrap_or(usize::MAX).min(entries.0.len());
        for (entry, cookie) in entries.0[first..].iter().zip(first as u64 + 1..) {
            if bytes.len() >= to.len {
                break;
            }
            bytes.extend_from_slice(&cookie.to_le_bytes());
            bytes.extend_from_slice(&entry.inode.to_le_bytes());
            bytes.extend_from_slice(&(entry.name.len() as u32).to_le_bytes());
            bytes.extend_from_slice(&u32::from(entry.filetype).to_le_bytes());
            bytes.extend_from_slice(&entry.name);
        }
        // A full buffer says that there is more: the last entry may be cut off.
        bytes.truncate(to.len);
        self.guest.write(crate::wasi::guest::Piece { at: to.at, len: bytes.len() }, &bytes);
        self.guest.write(used, &(bytes.len() as u32).to_le_bytes());
        Ok(())
    }
}

impl Entries {
    fn read(directory: impl AsFd) -> Result<Self> {
        // Opened anew, for a position of its own.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let own = openat(&directory, c".", flags, Mode::empty())?;
        let mut buffer = [MaybeUninit::<u8>::uninit(); 8 << 10];
        let mut raw = RawDir::new(&own, &mut buffer);
        let mut entries = Vec::new();
        while let Some(entry) = raw.next() {
            let entry = entry?;
            let mut kind = entry.file_type();
            if kind == FileType::Unknown
                && let Ok(stat) = statat(&directory, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)
            {
                kind = FileType::from_raw_mode(stat.st_mode);
            }
            entries.push(Entry {
                inode: entry.ino(),
                filetype: filetype::of(kind),
                name: entry.file_name().to_bytes().to_vec(),
            });
        }
        // As most programs expect: the two that are always there come first.
        entries.sort_by_key(|entry| match &*entry.name {
            b"." => 0,
            b".." => 1,
            _ => 2,
        });
        Ok(Self(entries))
    }
}
