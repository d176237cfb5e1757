//! Operations on what files contain, by path and by descriptor.

use std::{
    io::{self, Read},
    os::fd::{AsFd, AsRawFd as _},
    path::Path,
    sync::Arc,
};

use permissions::Permissions;
use rustix::{
    buffer::spare_capacity,
    fs::{self, Mode, OFlags},
    io::{Errno, retry_on_intr},
};

use super::{
    files::{self, Open},
    job::{Arguments, Failure, Job, Outcome, Reply, When},
    ops, watch,
};
use crate::internal::{background::pool, state::Platform};

/// The most that is read in one piece, as in Node; an ArrayBuffer cannot hold more.
const MOST_BYTES: u64 = i32::MAX as u64;

/// The most that one read of something other than a file gets; pipes hold no more.
const MOST_OF_PIPE: usize = 1 << 20;

/// The operation on a descriptor called `name`; `None` if there is none with this name.
pub(super) fn prepare(name: &str, args: &Arguments<'_, '_>) -> rquickjs::Result<Option<Job>> {
    let fd = args.fd(0);
    let may = Platform::of(args.ctx)?.options.permissions.clone();
    let found = files::get(&may, fd);
    if matches!(name, "read" | "readv" | "readRest" | "fstat" | "close") && fd <= 2 {
        // Whoever answers what a program asks should have read the question.
        Platform::of(args.ctx)?.stdio.flush();
    }
    let syscall = match name {
        "readv" => "read",
        "writev" | "writeAll" | "writevAll" => "write",
        "readRest" => "fstat",
        "futimes" => "futime",
        other => other,
    };
    let Some(open) = found else {
        let syscall = match syscall {
            "read" => "read",
            "write" => "write",
            "fstat" => "fstat",
            "close" => "close",
            "ftruncate" => "ftruncate",
            "fsync" => "fsync",
            "fdatasync" => "fdatasync",
            "fchmod" => "fchmod",
            "fchown" => "fchown",
            "futime" => "futime",
            _ => return Ok(None),
        };
        return Ok(Some(Job::soon(move || Err(Failure::new(Errno::BADF, syscall)))));
    };
    if !may.is_all()
        && matches!(name, "ftruncate" | "fchmod" | "fchown" | "futimes")
        && let Some(denied) = refused(&may, &open, fd)
    {
        return Ok(Some(Job::soon(move || Err(Failure::Denied(denied)))));
    }
    Ok(Some(match name {
        "read" => {
            let (length, position) = (args.number(1) as usize, args.position(2));
            Job::new(when_readable(&open, position), move || read(&open, length, position).map(Reply::Bytes))
        }
        "write" | "writeAll" | "writev" | "writevAll" => return write(name, fd, open, args).map(Some),
        "watchEvents" => Job::new(When::Readable(open.clone()), move || watch::events(&open)),
        "readRest" => {
            let text = args.flag(1);
            Job::soon(move || read_rest(&open, text))
        }
        "fstat" => {
            let big = args.flag(1);
            Job::soon(move || ops::stats(&open.metadata().map_err(|error| Failure::new(error, "fstat"))?, big))
        }
        "close" => {
            let own = Platform::of(args.ctx)?.files.remove(fd);
            drop(open);
            // What is last to use it may take long to close it.
            Job::soon(move || {
                drop(own);
                Ok(Reply::Nothing)
            })
        }
        "ftruncate" => {
            let length = args.number(1).max(0.0) as u64;
            on(open, "ftruncate", move |open| fs::ftruncate(open, length))
        }
        "fsync" => on(open, "fsync", |open| fs::fsync(open)),
        "fdatasync" => on(open, "fdatasync", |open| fs::fdatasync(open)),
        "fchmod" => {
            let mode = ops::mode(args, 1);
            on(open, "fchmod", move |open| fs::fchmod(open, mode))
        }
        "fchown" => {
            let (user, group) = ops::owner(args);
            on(open, "fchown", move |open| fs::fchown(open, user, group))
        }
        "futimes" => {
            let times = ops::times(args);
            on(open, "futime", move |open| fs::futimens(open, &times))
        }
        _ => return Ok(None),
    }))
}

/// Why a file may not be changed by a descriptor: it was not opened to be written to, or the program was given it.
fn refused(may: &Permissions, open: &Open, fd: i32) -> Option<permissions::Denied> {
    if fd <= 2 {
        return may.check_any_write("changing the file of a standard stream").err();
    }
    let is_writable = fs::fcntl_getfl(open).is_ok_and(|flags| flags & OFlags::RWMODE != OFlags::RDONLY);
    let file = || std::fs::read_link(format!("/proc/self/fd/{}", open.as_fd().as_raw_fd())).unwrap_or_default();
    (!is_writable).then(|| permissions::Denied::write(&file()))
}

/// An operation on a descriptor that only succeeds or fails.
fn on(
    open: Arc<Open>,
    syscall: &'static str,
    call: impl FnOnce(&Open) -> rustix::io::Result<()> + Send + 'static,
) -> Job {
    Job::soon(move || match call(&open) {
        Ok(()) => Ok(Reply::Nothing),
        Err(error) => Err(Failure::new(error, syscall)),
    })
}

fn when_readable(open: &Arc<Open>, position: Option<u64>) -> When {
    match position.is_none() && !open.fails_instead_of_waiting() && open.may_wait() {
        true => When::Readable(open.clone()),
        false => When::Soon,
    }
}

fn read(open: &Open, length: usize, position: Option<u64>) -> Result<Vec<u8>, Failure> {
    let most = if open.may_wait() { MOST_OF_PIPE } else { MOST_BYTES as usize };
    let mut buffer = room(length.min(most))?;
    buffer.resize(length.min(most), 0);
    let count = match position {
        Some(position) => retry_on_intr(|| rustix::io::pread(open, &mut buffer[..], position)),
        None => until_ready(open, rustix::event::PollFlags::IN, || rustix::io::read(open, &mut buffer[..])),
    };
    buffer.truncate(count.map_err(|error| Failure::new(error, "read"))?);
    Ok(buffer)
}

/// Repeats a call on a descriptor that another process may have set to non-blocking. (If the script itself has, it is
/// told that it would have to wait.)
fn until_ready<T>(
    open: &Open,
    ready: rustix::event::PollFlags,
    mut call: impl FnMut() -> rustix::io::Result<T>,
) -> rustix::io::Result<T> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) if !open.fails_instead_of_waiting() => {
                let mut fds = [rustix::event::PollFd::from_borrowed_fd(open.as_fd(), ready)];
                let _ = rustix::event::poll(&mut fds, None);
            }
            other => return other,
        }
    }
}

fn room(size: usize) -> Result<Vec<u8>, Failure> {
    qjs::room::reserve(size).ok_or(Failure::NoRoom(size))
}

fn write(name: &str, fd: i32, open: Arc<Open>, args: &Arguments<'_, '_>) -> rquickjs::Result<Job> {
    let data = match name {
        "writev" | "writevAll" => args.list_of_bytes(1)?.concat(),
        _ => args.bytes(1)?,
    };
    let position = args.position(2);
    if let 1 | 2 = fd {
        let platform = Platform::of(args.ctx)?;
        let length = data.len();
        let to_stderr = fd == 2;
        match to_stderr {
            true => platform.stdio.err(&data),
            false => platform.stdio.out(&data),
        }
        // Scripts expect that it is out, as it is with any other descriptor.
        platform.stdio.flush();
        return Ok(Job::new(When::Now, move || Ok(Reply::Number(length as f64))));
    }
    let all = name.ends_with("All");
    Ok(Job::new(When::InTurn(open.clone()), move || {
        let written = match all {
            true => write_all(&open, &data, position).map(|()| data.len()),
            false => write_some(&open, &data, position),
        };
        written.map(|count| Reply::Number(count as f64)).map_err(|error| Failure::new(error, "write"))
    }))
}

fn write_some(open: &Open, data: &[u8], position: Option<u64>) -> rustix::io::Result<usize> {
    match position {
        Some(position) => retry_on_intr(|| rustix::io::pwrite(open, data, position)),
        None => until_ready(open, rustix::event::PollFlags::OUT, || rustix::io::write(open, data)),
    }
}

pub(crate) fn write_all(open: &Open, mut data: &[u8], mut position: Option<u64>) -> rustix::io::Result<()> {
    while !data.is_empty() {
        let count = write_some(open, data, position)?;
        if count == 0 {
            return Err(Errno::IO);
        }
        position = position.map(|position| position + count as u64);
        data = &data[count..];
    }
    Ok(())
}

fn read_rest(open: &Open, text: bool) -> Outcome {
    let metadata = open.metadata().map_err(|error| Failure::new(error, "fstat"))?;
    let size = if metadata.is_file() { metadata.len() } else { 0 };
    if size > MOST_BYTES {
        return Err(Failure::TooLarge(size));
    }
    let mut content = room(size as usize + 1)?;
    let read_all = |content: &mut Vec<u8>| -> Result<(), Failure> {
        loop {
            if content.len() == content.capacity() {
                content.try_reserve(64 << 10).map_err(|_| Failure::NoRoom(content.len() + (64 << 10)))?;
            }
            let read = || rustix::io::read(open, spare_capacity(content));
            let count = until_ready(open, rustix::event::PollFlags::IN, read);
            if count.map_err(|error| Failure::new(error, "read"))? == 0 {
                return Ok(());
            }
            if content.len() as u64 > MOST_BYTES {
                return Err(Failure::TooLarge(content.len() as u64));
            }
        }
    };
    if metadata.is_file() {
        read_all(&mut content)?
    } else {
        pool::waiting(|| read_all(&mut content))?
    }
    content.shrink_to_fit();
    Ok(if text { Reply::Text(content) } else { Reply::Bytes(content) })
}

pub(super) fn read_file(may: &Permissions, path: &Path, flags: u32, text: bool) -> Outcome {
    read_rest(&*ops::open(may, path, flags, Mode::from_bits_truncate(0o666))?, text)
}

pub(super) fn write_file(may: &Permissions, path: &Path, data: &[u8], flags: u32, mode: Mode, flush: bool) -> Outcome {
    let open = ops::open(may, path, flags, mode)?;
    let call = || write_all(&open, data, None);
    let written = if open.may_wait() { pool::waiting(call) } else { call() };
    written.map_err(|error| Failure::new(error, "write"))?;
    if flush {
        fs::fsync(&*open).map_err(|error| Failure::new(error, "fsync"))?;
    }
    Ok(Reply::Nothing)
}

/// `copyFile`; `mode` is Node's: 1 asks that the destination is new, 4 that the bytes are shared.
pub(super) fn copy(may: &Permissions, from: &Path, to: &Path, mode: u32) -> Result<(), Failure> {
    copy_content(may, from, to, mode).map_err(|failure| match failure {
        permissions::Failure::System(error) => Failure::between(error, "copyfile", from, to),
        failure => Failure::of(failure, "copyfile", from),
    })
}

fn copy_content(may: &Permissions, from: &Path, to: &Path, mode: u32) -> Result<(), permissions::Failure> {
    let source = may.open(from, OFlags::RDONLY, Mode::empty())?;
    let found = source.metadata()?;
    if found.is_dir() {
        return Err(Errno::ISDIR.into());
    }
    if mode & 4 != 0 {
        return Err(Errno::NOTSUP.into());
    }
    let flags = OFlags::WRONLY | OFlags::CREATE;
    let flags = if mode & 1 != 0 { flags | OFlags::EXCL } else { flags };
    use std::os::unix::fs::MetadataExt as _;
    let permissions = Mode::from_bits_truncate(found.mode() & 0o7777);
    let target = may.open(to, flags, permissions)?;
    let other = target.metadata()?;
    // The same file is a copy of itself, and would be emptied.
    if (other.dev(), other.ino()) == (found.dev(), found.ino()) {
        return Ok(());
    }
    target.set_len(0)?;
    let _ = fs::fchmod(&target, permissions);
    io::copy(&mut source.take(u64::MAX), &mut &target)?;
    Ok(())
}
