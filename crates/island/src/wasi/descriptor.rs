//! What a guest's descriptors stand for. A file is always the host's own open file: position and end are the system's.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use permissions::{Access, Permissions};
use rustix::fs::{FileType, OFlags, fcntl_getfl, fcntl_setfl, fstat};

use crate::wasi::beneath;
use crate::wasi::config::{Input, Output, Sink, WasiConfig, WasiError};
use crate::wasi::entries::Entries;
use crate::wasi::errno::{Errno, Result};
use crate::wasi::types::{fdflags, filetype, rights};

/// A descriptor of the host's.
pub(crate) enum Handle {
    /// One of the process's first three, which are never closed.
    Standard(BorrowedFd<'static>),
    Owned(OwnedFd),
}

impl AsFd for Handle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Standard(fd) => *fd,
            Self::Owned(fd) => fd.as_fd(),
        }
    }
}

/// An open file of the host's.
pub(crate) struct HostFile {
    pub(crate) handle: Handle,
    /// As guests know it.
    pub(crate) filetype: u8,
    /// Reading and writing may have to wait: a pipe, a socket, a device.
    pub(crate) is_stream: bool,
    pub(crate) is_terminal: bool,
    /// The host has opened it to be appended to: that is then the system's to do, not ours.
    pub(crate) appends: bool,
    /// What [`fd_readdir`](super::call::Call::fd_readdir) has listed last.
    pub(crate) entries: Mutex<Option<Arc<Entries>>>,
}

/// What a descriptor stands for.
pub(crate) enum DescriptorKind {
    Host(HostFile),
    /// Input that is given beforehand, and how much of it has been read.
    Bytes(Mutex<(Vec<u8>, usize)>),
    Sink(Sink, /* terminal */ bool),
}

/// What is granted of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Whatever the system allows.
    Any,
    /// To read and to write, but no links that lead out.
    Granted,
    ReadOnly,
}

pub(crate) struct Descriptor {
    pub(crate) kind: DescriptorKind,
    pub(crate) is_readable: bool,
    pub(crate) is_writable: bool,
    flags: AtomicU16,
    /// Its name, for a directory that the guest was given.
    pub(crate) preopen: Option<String>,
    /// What is granted of it, and of what is opened by it.
    pub(crate) reach: Reach,
    /// It is one of the first three: the host's own output has to come first.
    pub(crate) is_standard: bool,
}

impl Descriptor {
    fn of_kind(kind: DescriptorKind, is_readable: bool) -> Self {
        Self {
            kind,
            is_readable,
            is_writable: !is_readable,
            flags: AtomicU16::new(0),
            preopen: None,
            reach: Reach::Any,
            is_standard: true,
        }
    }

    /// A file that the host has opened, with the host's way of using it.
    pub(crate) fn of_host(handle: Handle) -> rustix::io::Result<Self> {
        let mode = fcntl_getfl(&handle)?;
        let access = mode & OFlags::RWMODE;
        let is_readable = access == OFlags::RDONLY || access == OFlags::RDWR;
        let is_writable = access == OFlags::WRONLY || access == OFlags::RDWR;
        let mut flags = 0;
        if mode.contains(OFlags::APPEND) {
            flags |= fdflags::APPEND;
        }
        flags |= sync_flags(mode);
        let file = HostFile::new(handle, mode.contains(OFlags::APPEND))?;
        Ok(Self {
            kind: DescriptorKind::Host(file),
            is_readable,
            is_writable,
            flags: AtomicU16::new(flags),
            preopen: None,
            reach: Reach::Any,
            is_standard: true,
        })
    }

    /// A file that the guest has opened.
    pub(crate) fn of_guest(fd: OwnedFd, is_readable: bool, is_writable: bool, flags: u16) -> rustix::io::Result<Self> {
        Ok(Self {
            kind: DescriptorKind::Host(HostFile::new(Handle::Owned(fd), false)?),
            is_readable,
            is_writable,
            flags: AtomicU16::new(flags),
            preopen: None,
            reach: Reach::Any,
            is_standard: false,
        })
    }

    /// Checks that what it stands for may be changed.
    pub(crate) fn check_write(&self) -> Result {
        if self.reach == Reach::ReadOnly { Err(rustix::io::Errno::ROFS.into()) } else { Ok(()) }
    }

    pub(crate) fn flags(&self) -> u16 {
        self.flags.load(Ordering::Relaxed)
    }

    pub(crate) fn has(&self, flag: u16) -> bool {
        self.flags() & flag != 0
    }

    /// `fd_fdstat_set_flags`. How a file is synchronized stays as it was opened.
    pub(crate) fn set_flags(&self, flags: u16) -> Result {
        let fixed = fdflags::DSYNC | fdflags::SYNC | fdflags::RSYNC;
        if flags & !fdflags::ALL != 0 || (flags & fixed != 0 && flags & fixed != self.flags() & fixed) {
            return Err(Errno::INVAL.into());
        }
        let DescriptorKind::Host(file) = &self.kind else { return Err(Errno::BADF.into()) };
        if file.appends && (flags ^ self.flags()) & fdflags::APPEND != 0 {
            // As for every process that has the open file.
            let mut mode = fcntl_getfl(&file.handle)?;
            mode.set(OFlags::APPEND, flags & fdflags::APPEND != 0);
            fcntl_setfl(&file.handle, mode)?;
        }
        self.flags.store(flags & !fixed | self.flags() & fixed, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn host(&self) -> Result<&HostFile> {
        match &self.kind {
            DescriptorKind::Host(file) => Ok(file),
            _ => Err(Errno::BADF.into()),
        }
    }

    /// The open file, for what needs one that has a position.
    pub(crate) fn seekable(&self) -> Result<&HostFile> {
        match &self.kind {
            DescriptorKind::Host(file) if file.filetype == filetype::DIRECTORY => Err(Errno::BADF.into()),
            DescriptorKind::Host(file) => Ok(file),
            _ => Err(Errno::SPIPE.into()),
        }
    }

    pub(crate) fn directory(&self) -> Result<BorrowedFd<'_>> {
        match &self.kind {
            DescriptorKind::Host(file) if file.filetype == filetype::DIRECTORY => Ok(file.handle.as_fd()),
            _ => Err(Errno::NOTDIR.into()),
        }
    }

    pub(crate) fn filetype(&self) -> u8 {
        match &self.kind {
            DescriptorKind::Host(file) => file.filetype,
            DescriptorKind::Sink(_, true) => filetype::CHARACTER_DEVICE,
            DescriptorKind::Bytes(_) | DescriptorKind::Sink(_, false) => filetype::UNKNOWN,
        }
    }

    /// What may be done with it, and with what is opened by it.
    pub(crate) fn rights(&self) -> (u64, u64) {
        let filetype = self.filetype();
        if filetype == filetype::DIRECTORY {
            return (rights::DIRECTORY, rights::DIRECTORY | rights::INHERITED);
        }
        let mut all = rights::FD_FDSTAT_SET_FLAGS
            | rights::FD_FILESTAT_GET
            | rights::FD_FILESTAT_SET_TIMES
            | rights::FD_ADVISE
            | rights::POLL_FD_READWRITE
            | rights::FD_SYNC;
        if self.is_readable {
            all |= rights::FD_READ;
        }
        if self.is_writable {
            all |= rights::FD_WRITE | rights::FD_DATASYNC;
        }
        if filetype == filetype::REGULAR_FILE && self.is_writable {
            all |= rights::FD_ALLOCATE | rights::FD_FILESTAT_SET_SIZE;
        }
        if filetype == filetype::SOCKET_STREAM || filetype == filetype::SOCKET_DGRAM {
            all |= rights::SOCK_SHUTDOWN | rights::SOCK_ACCEPT;
        }
        // A device that cannot be sought in is what C libraries take for a terminal.
        let has_position = match &self.kind {
            DescriptorKind::Host(file) => {
                !file.is_terminal && (!file.is_stream || filetype == filetype::CHARACTER_DEVICE)
            }
            DescriptorKind::Bytes(_) | DescriptorKind::Sink(..) => false,
        };
        if has_position {
            all |= rights::FD_SEEK | rights::FD_TELL;
        }
        (all, all)
    }
}

/// The flags for `fd_fdstat_get` of how a file is synchronized.
fn sync_flags(mode: OFlags) -> u16 {
    // The system's flag for all includes the one for data.
    if mode.contains(OFlags::SYNC) {
        fdflags::SYNC
    } else if mode.contains(OFlags::DSYNC) {
        fdflags::DSYNC
    } else {
        0
    }
}

impl HostFile {
    fn new(handle: Handle, appends: bool) -> rustix::io::Result<Self> {
        let kind = FileType::from_raw_mode(fstat(&handle)?.st_mode);
        let filetype = match kind {
            FileType::Socket => socket_type(&handle),
            kind => filetype::of(kind),
        };
        Ok(Self {
            is_stream: matches!(kind, FileType::Fifo | FileType::Socket | FileType::CharacterDevice),
            is_terminal: kind == FileType::CharacterDevice && rustix::termios::isatty(&handle),
            filetype,
            handle,
            appends,
            entries: Mutex::default(),
        })
    }
}

fn socket_type(handle: &Handle) -> u8 {
    match rustix::net::sockopt::socket_type(handle) {
        Ok(rustix::net::SocketType::DGRAM) => filetype::SOCKET_DGRAM,
        _ => filetype::SOCKET_STREAM,
    }
}

/// Opens a directory of the host's, of which something is granted.
fn granted(may: &Permissions, host: &Path) -> std::result::Result<(OwnedFd, Reach), permissions::Failure> {
    let held = may.target(host, Access::READ)?;
    if may.is_all() {
        return Ok((beneath::open_host_directory(held.path())?, Reach::Any));
    }
    let real = held.real()?;
    if real == Path::new("/") {
        // From there, a guest would find the folders that describe and open the process itself.
        return Err(rustix::io::Errno::ACCESS.into());
    }
    let reach = match may.target(host, Access::BOTH) {
        Ok(both) if both.real()? == real => Reach::Granted,
        _ => Reach::ReadOnly,
    };
    Ok((beneath::open_host_directory(held.path())?, reach))
}

/// A guest's descriptors by their numbers.
#[derive(Default)]
pub(crate) struct DescriptorTable {
    open: BTreeMap<u32, Arc<Descriptor>>,
}

/// More than this at once are not opened, whatever the system allows.
const MOST: u32 = 1 << 20;

impl DescriptorTable {
    /// The descriptors that a guest begins with.
    pub(crate) fn new(config: &mut WasiConfig) -> std::result::Result<Self, WasiError> {
        let mut table = Self::default();
        let standard = |fd: BorrowedFd<'static>| Descriptor::of_host(Handle::Standard(fd)).ok();
        let given = |number: u32, file: File| {
            let descriptor = Descriptor::of_host(Handle::Owned(file.into()));
            descriptor.map(Some).map_err(|error| WasiError::Descriptor { number, error: error.into() })
        };
        let input = match std::mem::take(&mut config.stdin) {
            Input::Empty => Some(Descriptor::of_kind(DescriptorKind::Bytes(Mutex::default()), true)),
            Input::Inherit => standard(rustix::stdio::stdin()),
            Input::Bytes(bytes) => Some(Descriptor::of_kind(DescriptorKind::Bytes(Mutex::new((bytes, 0))), true)),
            Input::File(file) => given(0, file)?,
        };
        let output = |number: u32, output: Output| -> std::result::Result<_, WasiError> {
            Ok(match output {
                Output::Discard => Some(Descriptor::of_kind(DescriptorKind::Sink(Arc::new(|_| Ok(())), false), false)),
                Output::Inherit if number == 1 => standard(rustix::stdio::stdout()),
                Output::Inherit => standard(rustix::stdio::stderr()),
                Output::To { sink, terminal } => Some(Descriptor::of_kind(DescriptorKind::Sink(sink, terminal), false)),
                Output::File(file) => given(number, file)?,
            })
        };
        let stdout = output(1, std::mem::take(&mut config.stdout))?;
        let stderr = output(2, std::mem::take(&mut config.stderr))?;
        for (number, descriptor) in [input, stdout, stderr].into_iter().enumerate() {
            // What the process was started without is missing for the guest as well.
            if let Some(descriptor) = descriptor {
                table.open.insert(number as u32, Arc::new(descriptor));
            }
        }
        for (number, (name, host)) in (3..).zip(std::mem::take(&mut config.preopens)) {
            let failed = |error: std::io::Error| WasiError::Preopen { host: host.clone(), error };
            let (fd, reach) = match granted(&config.permissions, &host) {
                Ok(granted) => granted,
                Err(permissions::Failure::Denied(denied)) => return Err(WasiError::Denied(denied)),
                Err(permissions::Failure::System(error)) => return Err(failed(error)),
                Err(other) => return Err(failed(std::io::Error::other(other.to_string()))),
            };
            let descriptor = Descriptor::of_guest(fd, true, false, 0).map_err(|error| failed(error.into()))?;
            table.open.insert(number, Arc::new(Descriptor { preopen: Some(name), reach, ..descriptor }));
        }
        Ok(table)
    }

    pub(crate) fn get(&self, number: u32) -> Result<Arc<Descriptor>> {
        self.open.get(&number).cloned().ok_or_else(|| Errno::BADF.into())
    }

    /// Gives a descriptor the lowest number that is free.
    pub(crate) fn add(&mut self, descriptor: Descriptor) -> Result<u32> {
        let mut number = 0;
        for &taken in self.open.keys() {
            if taken > number {
                break;
            }
            number = taken + 1;
        }
        if number >= MOST {
            return Err(Errno::MFILE.into());
        }
        self.open.insert(number, Arc::new(descriptor));
        Ok(number)
    }

    /// Closes a descriptor. What it stands for stays as long as a call uses it.
    pub(crate) fn remove(&mut self, number: u32) -> Result<Arc<Descriptor>> {
        self.open.remove(&number).ok_or_else(|| Errno::BADF.into())
    }

    /// `fd_renumber`: both must be open.
    pub(crate) fn renumber(&mut self, from: u32, to: u32) -> Result<Option<Arc<Descriptor>>> {
        if !self.open.contains_key(&to) {
            return Err(Errno::BADF.into());
        }
        let moved = self.remove(from)?;
        Ok(self.open.insert(to, moved))
    }
}

/// The descriptors, which all instances and threads of a guest share. The lock is held for a look-up, never for a read.
pub(crate) struct Descriptors(Mutex<DescriptorTable>);

impl Descriptors {
    pub(crate) fn new(table: DescriptorTable) -> Self {
        Self(Mutex::new(table))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, DescriptorTable> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }
}
