//! Errors in the shape of Node's errors, thrown from Rust.

use std::io;

use permissions::{Denied, Permissions};
use rquickjs::{Ctx, Error, Value};

use crate::internal::{self, state::Platform};

/// Throws an error that prints as `Name [code]: message`.
pub(crate) fn throw(ctx: &Ctx<'_>, class: &str, code: &str, message: &str) -> Error {
    let make =
        || -> rquickjs::Result<Value<'_>> { internal::function(ctx, "errors", "create")?.call((class, code, message)) };
    match make() {
        Ok(error) => ctx.throw(error),
        Err(error) => error,
    }
}

/// Throws an error of the operating system, which reads `code: description, syscall 'path' -> 'dest'`.
pub(crate) fn throw_system(
    ctx: &Ctx<'_>,
    error: &io::Error,
    syscall: &str,
    path: Option<&str>,
    dest: Option<&str>,
) -> Error {
    let (errno, code, description) = describe(error);
    let make = || -> rquickjs::Result<Value<'_>> {
        internal::function(ctx, "errors", "system")?.call((-errno, code, description, syscall, path, dest))
    };
    match make() {
        Ok(error) => ctx.throw(error),
        Err(error) => error,
    }
}

/// Throws what says that a program may not do something, with Node's code and properties.
pub(crate) fn throw_denied(ctx: &Ctx<'_>, denied: &Denied) -> Error {
    let make = || -> rquickjs::Result<Value<'_>> {
        let make = internal::function(ctx, "errors", "accessDenied")?;
        make.call((denied.to_string(), denied.permission(), &*denied.resource))
    };
    match make() {
        Ok(error) => ctx.throw(error),
        Err(error) => error,
    }
}

/// Throws if the agent's permissions refuse something.
pub(crate) fn granted<T>(ctx: &Ctx<'_>, check: impl FnOnce(&Permissions) -> Result<T, Denied>) -> rquickjs::Result<T> {
    let platform = Platform::of(ctx)?;
    check(&platform.options.permissions).map_err(|denied| throw_denied(ctx, &denied))
}

/// The number, name and libuv description of an error.
fn describe(error: &io::Error) -> (i32, &'static str, String) {
    use rustix::io::Errno;
    let errno = error.raw_os_error().unwrap_or(match error.kind() {
        io::ErrorKind::InvalidInput => Errno::INVAL.raw_os_error(),
        io::ErrorKind::NotFound => Errno::NOENT.raw_os_error(),
        _ => Errno::IO.raw_os_error(),
    });
    let known = match Errno::from_raw_os_error(errno) {
        Errno::ACCESS => ("EACCES", "permission denied"),
        Errno::AGAIN => ("EAGAIN", "resource temporarily unavailable"),
        Errno::BADF => ("EBADF", "bad file descriptor"),
        Errno::BUSY => ("EBUSY", "resource busy or locked"),
        Errno::EXIST => ("EEXIST", "file already exists"),
        Errno::FBIG => ("EFBIG", "file too large"),
        Errno::INTR => ("EINTR", "interrupted system call"),
        Errno::INVAL => ("EINVAL", "invalid argument"),
        Errno::IO => ("EIO", "i/o error"),
        Errno::ISDIR => ("EISDIR", "illegal operation on a directory"),
        Errno::LOOP => ("ELOOP", "too many symbolic links encountered"),
        Errno::MFILE => ("EMFILE", "too many open files"),
        Errno::NAMETOOLONG => ("ENAMETOOLONG", "name too long"),
        Errno::NODEV => ("ENODEV", "no such device"),
        Errno::NOENT => ("ENOENT", "no such file or directory"),
        Errno::NOMEM => ("ENOMEM", "not enough memory"),
        Errno::NOSPC => ("ENOSPC", "no space left on device"),
        Errno::NOSYS => ("ENOSYS", "function not implemented"),
        Errno::NOTDIR => ("ENOTDIR", "not a directory"),
        Errno::NOTEMPTY => ("ENOTEMPTY", "directory not empty"),
        Errno::NOTSUP => ("ENOTSUP", "operation not supported on socket"),
        Errno::NXIO => ("ENXIO", "no such device or address"),
        Errno::PERM => ("EPERM", "operation not permitted"),
        Errno::PIPE => ("EPIPE", "broken pipe"),
        Errno::ROFS => ("EROFS", "read-only file system"),
        Errno::SPIPE => ("ESPIPE", "invalid seek"),
        Errno::TXTBSY => ("ETXTBSY", "text file is busy"),
        Errno::XDEV => ("EXDEV", "cross-device link not permitted"),
        _ => return (errno, "UNKNOWN", error.to_string()),
    };
    (errno, known.0, known.1.to_owned())
}
