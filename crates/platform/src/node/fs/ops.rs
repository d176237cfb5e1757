//! The operations on paths: each is a row of [`prepare`].

use std::{
    io,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use rustix::fs::{self, Access, AtFlags, CWD, Gid, Mode, OFlags, Timespec, Timestamps, Uid};

use super::{
    content, copy,
    files::Open,
    job::{Arguments, Failure, Job, Outcome, Reply},
    tree,
};
use crate::internal::background::pool;

/// The operation called `name` with its arguments; `None` if there is none with this name.
pub(super) fn prepare(name: &str, args: &Arguments<'_, '_>) -> rquickjs::Result<Option<Job>> {
    let path = args.path(0)?;
    Ok(Some(match name {
        "access" => {
            let wanted = Access::from_bits_truncate(args.number(1) as _);
            at(path, "access", move |path| fs::access(path, wanted))
        }
        "exists" => Job::soon(move || Ok(Reply::Number(f64::from(fs::access(&path, Access::EXISTS).is_ok())))),
        "open" => {
            let (flags, mode) = (args.number(1) as u32, mode(args, 2));
            Job::soon(move || Ok(Reply::File(open(&path, flags, mode)?)))
        }
        "stat" | "lstat" => {
            let (follow, big) = (name == "stat", args.flag(1));
            Job::soon(move || {
                let (found, syscall) =
                    if follow { (path.metadata(), "stat") } else { (path.symlink_metadata(), "lstat") };
                stats(&found.map_err(|error| Failure::at(error, syscall, &path))?, big)
            })
        }
        "statfs" => {
            let big = args.flag(1);
            Job::soon(move || {
                let found = fs::statfs(&path).map_err(|error| Failure::at(error, "statfs", &path))?;
                let numbers = [
                    found.f_type as i64,
                    found.f_bsize as i64,
                    found.f_blocks as i64,
                    found.f_bfree as i64,
                    found.f_bavail as i64,
                    found.f_files as i64,
                    found.f_ffree as i64,
                ];
                Ok(Reply::Numbers(numbers.to_vec(), big))
            })
        }
        "readdir" => {
            let (recursive, raw) = (args.flag(1), args.flag(2));
            Job::soon(move || Ok(Reply::Entries(tree::list(&path, recursive, "scandir")?, raw)))
        }
        "opendir" => {
            let raw = args.flag(1);
            Job::soon(move || Ok(Reply::Entries(tree::list(&path, false, "opendir")?, raw)))
        }
        "realpath" => {
            let raw = args.flag(1);
            Job::soon(move || match path.canonicalize() {
                Ok(real) => Ok(Reply::Path(real, raw)),
                Err(error) => Err(Failure::at(error, "realpath", &path)),
            })
        }
        "readlink" => {
            let raw = args.flag(1);
            Job::soon(move || match path.read_link() {
                Ok(target) => Ok(Reply::Path(target, raw)),
                Err(error) => Err(Failure::at(error, "readlink", &path)),
            })
        }
        "mkdtemp" => {
            let raw = args.flag(1);
            Job::soon(move || Ok(Reply::Path(tree::make_temporary(&path)?, raw)))
        }
        "readFile" => {
            let text = args.flag(1);
            let flags = args.number(2) as u32;
            Job::soon(move || content::read_file(&path, flags, text))
        }
        "writeFile" => {
            let (data, flags, mode, flush) = (args.bytes(1)?, args.number(2) as u32, mode(args, 3), args.flag(4));
            Job::soon(move || content::write_file(&path, &data, flags, mode, flush))
        }
        _ => return changes(name, path, args),
    }))
}

/// Operations that change folders, names and metadata.
fn changes(name: &str, path: PathBuf, args: &Arguments<'_, '_>) -> rquickjs::Result<Option<Job>> {
    Ok(Some(match name {
        "mkdir" => {
            let mode = mode(args, 1);
            at(path, "mkdir", move |path| fs::mkdir(path, mode))
        }
        "mkdirAll" => {
            let mode = mode(args, 1);
            Job::soon(move || tree::make_all(&path, mode))
        }
        "rmdir" => at(path, "rmdir", |path| fs::rmdir(path)),
        "rm" => {
            let (recursive, force) = (args.flag(1), args.flag(2));
            let (retries, delay) = (args.number(3) as u32, args.number(4) as u64);
            Job::soon(move || tree::remove(&path, recursive, force, retries, delay))
        }
        "unlink" => at(path, "unlink", |path| fs::unlink(path)),
        "chmod" => {
            let mode = mode(args, 1);
            at(path, "chmod", move |path| fs::chmod(path, mode))
        }
        "chown" | "lchown" => {
            let (user, group) = owner(args);
            let (flags, syscall) =
                if name == "chown" { (AtFlags::empty(), "chown") } else { (AtFlags::SYMLINK_NOFOLLOW, "lchown") };
            at(path, syscall, move |path| fs::chownat(CWD, path, user, group, flags))
        }
        "utimes" | "lutimes" => {
            let times = times(args);
            let (flags, syscall) =
                if name == "utimes" { (AtFlags::empty(), "utime") } else { (AtFlags::SYMLINK_NOFOLLOW, "lutime") };
            at(path, syscall, move |path| fs::utimensat(CWD, path, &times, flags))
        }
        "rename" => between(path, args.path(1)?, "rename", |from, to| fs::rename(from, to).map_err(Into::into)),
        "link" => between(path, args.path(1)?, "link", |from, to| fs::link(from, to).map_err(Into::into)),
        "symlink" => between(path, args.path(1)?, "symlink", |target, to| fs::symlink(target, to).map_err(Into::into)),
        "cpBegin" | "cpEntry" => {
            let (to, how) = (args.path(1)?, copy::How::new(args.number(2) as u32, args.number(3) as u32));
            let call = if name == "cpBegin" { copy::begin } else { copy::entry };
            Job::soon(move || call(&path, &to, how))
        }
        "copyFile" => {
            let mode = args.number(2) as u32;
            between(path, args.path(1)?, "copyfile", move |from, to| content::copy(from, to, mode))
        }
        _ => return Ok(None),
    }))
}

/// An operation on one path that only succeeds or fails.
fn at(
    path: PathBuf,
    syscall: &'static str,
    call: impl FnOnce(&Path) -> rustix::io::Result<()> + Send + 'static,
) -> Job {
    Job::soon(move || match call(&path) {
        Ok(()) => Ok(Reply::Nothing),
        Err(error) => Err(Failure::at(error, syscall, &path)),
    })
}

/// As [`at`], with two paths.
fn between(
    from: PathBuf,
    to: PathBuf,
    syscall: &'static str,
    call: impl FnOnce(&Path, &Path) -> io::Result<()> + Send + 'static,
) -> Job {
    Job::soon(move || match call(&from, &to) {
        Ok(()) => Ok(Reply::Nothing),
        Err(error) => Err(Failure::between(error, syscall, &from, &to)),
    })
}

pub(super) fn mode(args: &Arguments<'_, '_>, index: usize) -> Mode {
    Mode::from_bits_truncate(args.number(index) as u32 & 0o7777)
}

/// A user and a group; −1, or 2³² − 1, leaves the present one.
pub(super) fn owner(args: &Arguments<'_, '_>) -> (Option<Uid>, Option<Gid>) {
    let id = |index| {
        let id = args.number(index) as i64 as u32;
        (id != u32::MAX).then_some(id)
    };
    (id(1).map(Uid::from_raw), id(2).map(Gid::from_raw))
}

pub(super) fn times(args: &Arguments<'_, '_>) -> Timestamps {
    let time = |index| {
        let seconds: f64 = args.number(index);
        let whole = seconds.floor();
        // Microseconds, as libuv has them, so that the binary fraction leaves no trace.
        let micros = ((seconds - whole) * 1e6).round().min(999_999.0);
        Timespec { tv_sec: whole as i64, tv_nsec: micros as i64 * 1000 }
    };
    Timestamps { last_access: time(1), last_modification: time(2) }
}

/// Opens a file, which may wait: a FIFO for its other end.
pub(super) fn open(path: &Path, flags: u32, mode: Mode) -> Result<std::sync::Arc<Open>, Failure> {
    let flags = OFlags::from_bits_retain(flags) | OFlags::CLOEXEC;
    let call = || fs::open(path, flags, mode);
    let is_fifo = !flags.contains(OFlags::NONBLOCK) && path.metadata().is_ok_and(|found| found.file_type().is_fifo());
    let opened = if is_fifo { pool::waiting(call) } else { call() };
    opened.map(Open::new).map_err(|error| Failure::at(error, "open", path))
}

/// The fields of a Stats object: dev, mode, nlink, uid, gid, rdev, blksize, ino, size, blocks, then atime, mtime, ctime
/// and birthtime as seconds and nanoseconds.
pub(super) fn stats(metadata: &std::fs::Metadata, big: bool) -> Outcome {
    let birth = metadata.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let birth = birth
        .map_or((metadata.ctime(), metadata.ctime_nsec()), |time| (time.as_secs() as i64, time.subsec_nanos().into()));
    let fields = [
        metadata.dev() as i64,
        i64::from(metadata.mode()),
        metadata.nlink() as i64,
        i64::from(metadata.uid()),
        i64::from(metadata.gid()),
        metadata.rdev() as i64,
        metadata.blksize() as i64,
        metadata.ino() as i64,
        metadata.size() as i64,
        metadata.blocks() as i64,
        metadata.atime(),
        metadata.atime_nsec(),
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.ctime(),
        metadata.ctime_nsec(),
        birth.0,
        birth.1,
    ];
    Ok(Reply::Numbers(fields.to_vec(), big))
}

/// The number by which `fs.js` knows a file's type: libuv's `uv_dirent_type_t`.
pub(super) fn kind(file_type: std::fs::FileType) -> u8 {
    match file_type {
        kind if kind.is_file() => 1,
        kind if kind.is_dir() => 2,
        kind if kind.is_symlink() => 3,
        kind if kind.is_fifo() => 4,
        kind if kind.is_socket() => 5,
        kind if kind.is_char_device() => 6,
        kind if kind.is_block_device() => 7,
        _ => 0,
    }
}
