//! What is in a directory. It is read whole when a guest begins to list it, so that cookies stay what they are while
//! files come and go.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, openat, statat};

use crate::wasi::errno::Result;
use crate::wasi::types::filetype;

/// What was in a directory.
pub(crate) struct Entries {
    pub(crate) list: Vec<Entry>,
}

/// A file of it.
pub(crate) struct Entry {
    pub(crate) inode: u64,
    pub(crate) filetype: u8,
    pub(crate) name: Vec<u8>,
}

impl Entries {
    pub(crate) fn read(directory: impl AsFd) -> Result<Self> {
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
        Ok(Self { list: entries })
    }
}
