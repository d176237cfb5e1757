//! The numbers and layouts of preview 1's interface, and where those of its predecessor differ.

use rustix::fs::Stat;

/// Which of the two interfaces a guest was built for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Version {
    Preview1,
    Unstable,
}

pub(crate) mod fdflags {
    pub(crate) const APPEND: u16 = 1;
    pub(crate) const DSYNC: u16 = 2;
    pub(crate) const NONBLOCK: u16 = 4;
    pub(crate) const RSYNC: u16 = 8;
    pub(crate) const SYNC: u16 = 16;
    pub(crate) const ALL: u16 = 31;
}

pub(crate) mod oflags {
    pub(crate) const CREAT: u32 = 1;
    pub(crate) const DIRECTORY: u32 = 2;
    pub(crate) const EXCL: u32 = 4;
    pub(crate) const TRUNC: u32 = 8;
    pub(crate) const ALL: u32 = 15;
}

pub(crate) mod fstflags {
    pub(crate) const ATIM: u32 = 1;
    pub(crate) const ATIM_NOW: u32 = 2;
    pub(crate) const MTIM: u32 = 4;
    pub(crate) const MTIM_NOW: u32 = 8;
    pub(crate) const ALL: u32 = 15;
}

pub(crate) mod filetype {
    use rustix::fs::FileType;

    pub(crate) const UNKNOWN: u8 = 0;
    pub(crate) const BLOCK_DEVICE: u8 = 1;
    pub(crate) const CHARACTER_DEVICE: u8 = 2;
    pub(crate) const DIRECTORY: u8 = 3;
    pub(crate) const REGULAR_FILE: u8 = 4;
    pub(crate) const SOCKET_DGRAM: u8 = 5;
    pub(crate) const SOCKET_STREAM: u8 = 6;
    pub(crate) const SYMBOLIC_LINK: u8 = 7;

    /// The number for a kind of file. There is none for a FIFO, which is closest to a socket, as in Node.
    pub(crate) fn of(kind: FileType) -> u8 {
        match kind {
            FileType::RegularFile => REGULAR_FILE,
            FileType::Directory => DIRECTORY,
            FileType::Symlink => SYMBOLIC_LINK,
            FileType::CharacterDevice => CHARACTER_DEVICE,
            FileType::BlockDevice => BLOCK_DEVICE,
            FileType::Fifo | FileType::Socket => SOCKET_STREAM,
            _ => UNKNOWN,
        }
    }
}

pub(crate) mod rights {
    pub(crate) const FD_DATASYNC: u64 = 1;
    pub(crate) const FD_READ: u64 = 1 << 1;
    pub(crate) const FD_SEEK: u64 = 1 << 2;
    pub(crate) const FD_FDSTAT_SET_FLAGS: u64 = 1 << 3;
    pub(crate) const FD_SYNC: u64 = 1 << 4;
    pub(crate) const FD_TELL: u64 = 1 << 5;
    pub(crate) const FD_WRITE: u64 = 1 << 6;
    pub(crate) const FD_ADVISE: u64 = 1 << 7;
    pub(crate) const FD_ALLOCATE: u64 = 1 << 8;
    const PATH_CREATE_DIRECTORY: u64 = 1 << 9;
    const PATH_CREATE_FILE: u64 = 1 << 10;
    const PATH_LINK_SOURCE: u64 = 1 << 11;
    const PATH_LINK_TARGET: u64 = 1 << 12;
    const PATH_OPEN: u64 = 1 << 13;
    pub(crate) const FD_READDIR: u64 = 1 << 14;
    const PATH_READLINK: u64 = 1 << 15;
    const PATH_RENAME_SOURCE: u64 = 1 << 16;
    const PATH_RENAME_TARGET: u64 = 1 << 17;
    const PATH_FILESTAT_GET: u64 = 1 << 18;
    const PATH_FILESTAT_SET_TIMES: u64 = 1 << 20;
    pub(crate) const FD_FILESTAT_GET: u64 = 1 << 21;
    pub(crate) const FD_FILESTAT_SET_SIZE: u64 = 1 << 22;
    pub(crate) const FD_FILESTAT_SET_TIMES: u64 = 1 << 23;
    const PATH_SYMLINK: u64 = 1 << 24;
    const PATH_REMOVE_DIRECTORY: u64 = 1 << 25;
    const PATH_UNLINK_FILE: u64 = 1 << 26;
    pub(crate) const POLL_FD_READWRITE: u64 = 1 << 27;
    pub(crate) const SOCK_SHUTDOWN: u64 = 1 << 28;
    pub(crate) const SOCK_ACCEPT: u64 = 1 << 29;
    pub(crate) const ALL: u64 = (1 << 30) - 1;

    /// What can be done with a directory.
    pub(crate) const DIRECTORY: u64 = PATH_CREATE_DIRECTORY
        | PATH_CREATE_FILE
        | PATH_LINK_SOURCE
        | PATH_LINK_TARGET
        | PATH_OPEN
        | FD_READDIR
        | PATH_READLINK
        | PATH_RENAME_SOURCE
        | PATH_RENAME_TARGET
        | PATH_FILESTAT_GET
        | PATH_FILESTAT_SET_TIMES
        | FD_FILESTAT_GET
        | FD_FILESTAT_SET_TIMES
        | PATH_SYMLINK
        | PATH_REMOVE_DIRECTORY
        | PATH_UNLINK_FILE;

    /// What can be done besides with what is opened in a directory.
    pub(crate) const INHERITED: u64 = FD_DATASYNC
        | FD_READ
        | FD_SEEK
        | FD_FDSTAT_SET_FLAGS
        | FD_SYNC
        | FD_TELL
        | FD_WRITE
        | FD_ADVISE
        | FD_ALLOCATE
        | FD_FILESTAT_SET_SIZE
        | POLL_FD_READWRITE;
}

/// A `filestat`: 64 bytes, or 56 for the predecessor.
pub(crate) fn filestat(stat: &Stat, filetype: u8, version: Version) -> Vec<u8> {
    let time = |seconds: i64, nanoseconds: u64| {
        u64::try_from(i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)).unwrap_or(0)
    };
    let mut bytes = Vec::with_capacity(64);
    bytes.extend_from_slice(&stat.st_dev.to_le_bytes());
    bytes.extend_from_slice(&stat.st_ino.to_le_bytes());
    match version {
        Version::Preview1 => {
            bytes.extend_from_slice(&u64::from(filetype).to_le_bytes());
            bytes.extend_from_slice(&stat.st_nlink.to_le_bytes());
        }
        Version::Unstable => {
            bytes.extend_from_slice(&u32::from(filetype).to_le_bytes());
            bytes.extend_from_slice(&u32::try_from(stat.st_nlink).unwrap_or(u32::MAX).to_le_bytes());
        }
    }
    bytes.extend_from_slice(&(stat.st_size as u64).to_le_bytes());
    for (seconds, nanoseconds) in
        [(stat.st_atime, stat.st_atime_nsec), (stat.st_mtime, stat.st_mtime_nsec), (stat.st_ctime, stat.st_ctime_nsec)]
    {
        bytes.extend_from_slice(&time(seconds, nanoseconds).to_le_bytes());
    }
    bytes
}
