//! The error numbers of preview 1, which are not the system's.

use std::io;

use crate::call::trap::{HostExit, HostTrap};
use crate::memory::interrupt::Interrupted;
use crate::readiness::Readiness;

/// An error number, as guests see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Errno(u16);

impl Errno {
    pub(crate) const BADF: Self = Self(8);
    pub(crate) const AGAIN: Self = Self(6);
    pub(crate) const FAULT: Self = Self(21);
    pub(crate) const EXIST: Self = Self(20);
    pub(crate) const INVAL: Self = Self(28);
    pub(crate) const IO: Self = Self(29);
    pub(crate) const ISDIR: Self = Self(31);
    pub(crate) const MFILE: Self = Self(33);
    pub(crate) const NAMETOOLONG: Self = Self(37);
    pub(crate) const NOENT: Self = Self(44);
    pub(crate) const NOMEM: Self = Self(48);
    pub(crate) const NOTDIR: Self = Self(54);
    pub(crate) const NOTEMPTY: Self = Self(55);
    pub(crate) const NOTSOCK: Self = Self(57);
    pub(crate) const NOTSUP: Self = Self(58);
    pub(crate) const BUSY: Self = Self(10);
    pub(crate) const OVERFLOW: Self = Self(61);
    pub(crate) const PERM: Self = Self(63);
    pub(crate) const PIPE: Self = Self(64);
    pub(crate) const SPIPE: Self = Self(70);
    pub(crate) const NOTCAPABLE: Self = Self(76);

    pub(crate) fn code(self) -> u16 {
        self.0
    }

    /// The number for one of the system's.
    fn of_system(number: i32) -> Self {
        use libc as c;
        Self(match number {
            c::E2BIG => 1,
            c::EACCES => 2,
            c::EADDRINUSE => 3,
            c::EADDRNOTAVAIL => 4,
            c::EAFNOSUPPORT => 5,
            c::EAGAIN => 6,
            c::EALREADY => 7,
            c::EBADF => 8,
            c::EBADMSG => 9,
            c::EBUSY => 10,
            c::ECANCELED => 11,
            c::ECHILD => 12,
            c::ECONNABORTED => 13,
            c::ECONNREFUSED => 14,
            c::ECONNRESET => 15,
            c::EDEADLK => 16,
            c::EDESTADDRREQ => 17,
            c::EDOM => 18,
            c::EDQUOT => 19,
            c::EEXIST => 20,
            c::EFAULT => 21,
            c::EFBIG => 22,
            c::EHOSTUNREACH => 23,
            c::EIDRM => 24,
            c::EILSEQ => 25,
            c::EINPROGRESS => 26,
            c::EINTR => 27,
            c::EINVAL => 28,
            c::EISCONN => 30,
            c::EISDIR => 31,
            c::ELOOP => 32,
            c::EMFILE => 33,
            c::EMLINK => 34,
            c::EMSGSIZE => 35,
            c::EMULTIHOP => 36,
            c::ENAMETOOLONG => 37,
            c::ENETDOWN => 38,
            c::ENETRESET => 39,
            c::ENETUNREACH => 40,
            c::ENFILE => 41,
            c::ENOBUFS => 42,
            c::ENODEV => 43,
            c::ENOENT => 44,
            c::ENOEXEC => 45,
            c::ENOLCK => 46,
            c::ENOLINK => 47,
            c::ENOMEM => 48,
            c::ENOMSG => 49,
            c::ENOPROTOOPT => 50,
            c::ENOSPC => 51,
            c::ENOSYS => 52,
            c::ENOTCONN => 53,
            c::ENOTDIR => 54,
            c::ENOTEMPTY => 55,
            c::ENOTRECOVERABLE => 56,
            c::ENOTSOCK => 57,
            c::EOPNOTSUPP => 58,
            c::ENOTTY => 59,
            c::ENXIO => 60,
            c::EOVERFLOW => 61,
            c::EOWNERDEAD => 62,
            c::EPERM => 63,
            c::EPIPE => 64,
            c::EPROTO => 65,
            c::EPROTONOSUPPORT => 66,
            c::EPROTOTYPE => 67,
            c::ERANGE => 68,
            c::EROFS => 69,
            c::ESPIPE => 70,
            c::ESRCH => 71,
            c::ESTALE => 72,
            c::ETIMEDOUT => 73,
            c::ETXTBSY => 74,
            c::EXDEV => 75,
            _ => return Self::IO,
        })
    }
}

impl From<rustix::io::Errno> for Errno {
    fn from(error: rustix::io::Errno) -> Self {
        Self::of_system(error.raw_os_error())
    }
}

impl From<io::Error> for Errno {
    fn from(error: io::Error) -> Self {
        match (error.raw_os_error(), error.kind()) {
            (Some(number), _) => Self::of_system(number),
            (None, io::ErrorKind::BrokenPipe) => Self::PIPE,
            (None, io::ErrorKind::WouldBlock) => Self::AGAIN,
            (None, io::ErrorKind::InvalidInput) => Self::INVAL,
            (None, _) => Self::IO,
        }
    }
}

/// Why a function does not succeed.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The guest is told.
    Errno(Errno),
    /// The guest's memory is needed, and it has none that WASI knows.
    NoMemory,
    /// The thread is [interrupted](crate::Interrupter).
    Interrupted,
    /// The guest has called `proc_exit`.
    Exit(i32),
    /// The function can be suspended, and is to run again when this has come.
    Waits(Readiness),
}

impl<T: Into<Errno>> From<T> for Stop {
    fn from(error: T) -> Self {
        Self::Errno(error.into())
    }
}

impl From<Stop> for wasmtime::Error {
    #[cold]
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Errno(errno) => Self::msg(format!("WASI error {}", errno.code())),
            Stop::NoMemory => HostTrap("missing required memory export: WASI needs the guest's `memory`".into()).into(),
            Stop::Interrupted => Interrupted.into(),
            Stop::Exit(code) => HostExit(code).into(),
            Stop::Waits(_) => unreachable!("only what can be suspended stops so"),
        }
    }
}

pub(crate) type Result<T = ()> = std::result::Result<T, Stop>;
