//! The descriptors that scripts hold.
//!
//! They are the numbers that the system gives, so they mean the same in each agent and in child processes. A script can
//! only use a descriptor that a script has opened, or that the process inherited: every descriptor of our own is closed
//! on exec, so one that is not came from whoever started the process, and belongs to nobody in it.

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    fs::File,
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, RawFd},
    sync::{Arc, Mutex, MutexGuard, OnceLock, Weak},
};

use permissions::Permissions;
use rustix::io::FdFlags;

use super::watch::Watched;
use crate::internal::background::pool::{self, Work};

/// An open descriptor. It is closed when the script has closed it and nothing that uses it is left.
pub(crate) struct Open {
    handle: Handle,
    writes: Mutex<Writes>,
    /// What the agent that opened it may do.
    opener: OnceLock<Permissions>,
    /// Whether the script has opened it with `O_NONBLOCK`.
    never_waits: bool,
    /// What it tells about, if it is there for `fs.watch`.
    watched: OnceLock<Watched>,
}

enum Handle {
    File(File),
    /// One of the three that every process has; never closed.
    Standard(BorrowedFd<'static>),
}

/// Writes that wait for their turn.
#[derive(Default)]
struct Writes {
    queue: VecDeque<Work>,
    running: bool,
}

impl AsFd for Open {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.handle {
            Handle::File(file) => file.as_fd(),
            Handle::Standard(fd) => *fd,
        }
    }
}

impl Open {
    fn with(handle: Handle, never_waits: bool) -> Arc<Self> {
        let (writes, opener, watched) = (Mutex::default(), OnceLock::new(), OnceLock::new());
        Arc::new(Self { handle, writes, opener, never_waits, watched })
    }

    pub(crate) fn new(file: impl Into<File>) -> Arc<Self> {
        Self::with(Handle::File(file.into()), false)
    }

    /// A file that was opened with `O_NONBLOCK`.
    pub(super) fn never_waiting(file: impl Into<File>) -> Arc<Self> {
        Self::with(Handle::File(file.into()), true)
    }

    /// Whether reads and writes that would have to wait fail, because the script wants that.
    pub(super) fn fails_instead_of_waiting(&self) -> bool {
        self.never_waits
    }

    pub(super) fn set_watched(&self, watched: Watched) {
        let _ = self.watched.set(watched);
    }

    pub(super) fn watched(&self) -> Option<&Watched> {
        self.watched.get()
    }

    pub(super) fn metadata(&self) -> io::Result<std::fs::Metadata> {
        match &self.handle {
            Handle::File(file) => file.metadata(),
            Handle::Standard(fd) => File::from(fd.try_clone_to_owned()?).metadata(),
        }
    }

    /// Whether it is a folder.
    pub(crate) fn is_folder(&self) -> bool {
        use rustix::fs::FileType;
        rustix::fs::fstat(self).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
    }

    /// Whether reading may wait for somebody who writes.
    pub(crate) fn may_wait(&self) -> bool {
        rustix::fs::fstat(self).is_ok_and(|stat| {
            use rustix::fs::FileType;
            !matches!(
                FileType::from_raw_mode(stat.st_mode),
                FileType::RegularFile | FileType::Directory | FileType::BlockDevice
            )
        })
    }

    /// Does `work` on the pool, after the writes that were given before.
    pub(crate) fn write_in_turn(self: &Arc<Self>, work: Work) {
        let mut writes = self.writes.lock().unwrap_or_else(|e| e.into_inner());
        writes.queue.push_back(work);
        if !std::mem::replace(&mut writes.running, true) {
            drop(writes);
            let this = self.clone();
            pool::submit(Box::new(move || pool::waiting(|| this.write_all_queued())));
        }
    }

    fn write_all_queued(&self) {
        loop {
            let mut writes = self.writes.lock().unwrap_or_else(|e| e.into_inner());
            let Some(work) = writes.queue.pop_front() else {
                writes.running = false;
                return;
            };
            drop(writes);
            work();
        }
    }
}

static OPEN: Mutex<Option<HashMap<RawFd, Arc<Open>>>> = Mutex::new(None);

fn open_files() -> MutexGuard<'static, Option<HashMap<RawFd, Arc<Open>>>> {
    OPEN.lock().unwrap_or_else(|e| e.into_inner())
}

/// The descriptors that one agent has opened, which are closed with it.
///
/// Another agent may have closed one of them since, so that its number is another file's by now.
pub(crate) struct Files {
    own: RefCell<HashMap<RawFd, Weak<Open>>>,
    may: Permissions,
}

impl Files {
    /// No files, of an agent with these permissions.
    pub(crate) fn new(may: Permissions) -> Self {
        Self { own: RefCell::default(), may }
    }

    /// Gives a file its number.
    pub(crate) fn add(&self, open: Arc<Open>) -> RawFd {
        let fd = open.as_fd().as_raw_fd();
        let _ = open.opener.set(self.may.clone());
        self.own.borrow_mut().insert(fd, Arc::downgrade(&open));
        open_files().get_or_insert_default().insert(fd, open);
        fd
    }

    /// Lets go of a file, without waiting for what still uses it; `None` if there is none with this number.
    pub(crate) fn remove(&self, fd: RawFd) -> Option<Arc<Open>> {
        let open = get(&self.may, fd)?;
        self.own.borrow_mut().remove(&fd);
        open_files().get_or_insert_default().remove(&fd);
        Some(open)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let mut files = open_files();
        let close = |(fd, own): (RawFd, Weak<Open>)| {
            let files = files.as_mut()?;
            let is_own = files.get(&fd).is_some_and(|open| std::ptr::eq(Arc::as_ptr(open), own.as_ptr()));
            if is_own { files.remove(&fd) } else { None }
        };
        let gone: Vec<_> = self.own.get_mut().drain().filter_map(close).collect();
        drop(files);
        drop(gone);
    }
}

/// The file with this number. A program to which not everything is granted has the standard ones, and those that were
/// opened by what has the same permissions.
pub(crate) fn get(may: &Permissions, fd: RawFd) -> Option<Arc<Open>> {
    let mut files = open_files();
    let files = files.get_or_insert_default();
    if let Some(open) = files.get(&fd) {
        let is_own = fd <= 2 || may.is_all() || open.opener.get().is_some_and(|opener| opener.is(may));
        return is_own.then(|| open.clone());
    }
    if fd > 2 && !may.is_all() {
        return None;
    }
    let handle = match fd {
        0 => Handle::Standard(rustix::stdio::stdin()),
        1 => Handle::Standard(rustix::stdio::stdout()),
        2 => Handle::Standard(rustix::stdio::stderr()),
        3.. => Handle::File(inherited(fd)?),
        _ => return None,
    };
    let open = Open::with(handle, false);
    files.insert(fd, open.clone());
    Some(open)
}

/// Takes over a descriptor that the process inherited. The table of open files is locked, so nobody else does.
fn inherited(fd: RawFd) -> Option<File> {
    // SAFETY: the descriptor is only asked for its flags, which fails if it is not open.
    let flags = rustix::io::fcntl_getfd(unsafe { BorrowedFd::borrow_raw(fd) }).ok()?;
    if flags.contains(FdFlags::CLOEXEC) {
        return None;
    }
    // SAFETY: it is open and was inherited, see above, so nothing in the process owns it; from here on it has the mark of
    // our own, so that it is not taken over again.
    let file = unsafe { File::from_raw_fd(fd) };
    match rustix::io::fcntl_setfd(&file, flags | FdFlags::CLOEXEC) {
        Ok(()) => Some(file),
        Err(_) => {
            std::mem::forget(file);
            None
        }
    }
}
