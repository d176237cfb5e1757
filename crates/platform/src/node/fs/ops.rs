//! The operations on paths: each is a row of [`prepare`].

use std::{
    io,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use permissions::{Access, Held, Permissions};
use rustix::fs::{self, AtFlags, CWD, Gid, Mode, OFlags, Timespec, Timestamps, Uid};

use super::{
    content, copy,
    files::Open,
    job::{Arguments, Failure, Job, Outcome, Reply},
    tree, watch,
};
use crate::internal::{background::pool, state::Platform};

/// What is to be done with what a path stands for: with what is at the end of all links, or with the name itself.
#[derive(Clone, Copy)]
enum Want {
    Target(Access),
    Entry(Access),
}

/// The place that a path stands for, if what is wanted of it is granted.
fn hold<'a>(may: &Permissions, path: &'a Path, want: Want, syscall: &'static str) -> Result<Held<'a>, Failure> {
    let held = match want {
        Want::Target(access) => may.target(path, access),
        Want::Entry(access) => may.entry(path, access),
    };
    held.map_err(|failure| Failure::of(failure, syscall, path))
}

/// The operation called `name` with its arguments; `None` if there is none with this name.
pub(super) fn prepare(name: &str, args: &Arguments<'_, '_>) -> rquickjs::Result<Option<Job>> {
    let path = args.path(0)?;
    let may = Platform::of(args.ctx)?.options.permissions.clone();
    let read = Want::Target(Access::READ);
    Ok(Some(match name {
        "access" => {
            let wanted = fs::Access::from_bits_truncate(args.number(1) as _);
            at(may, path, read, "access", move |path| fs::access(path, wanted))
        }
        "exists" => Job::soon(move || {
            let found = match may.target(&path, Access::READ) {
                Err(permissions::Failure::Denied(denied)) => return Err(Failure::Denied(denied)),
                held => held.is_ok_and(|held| fs::access(held.path(), fs::Access::EXISTS).is_ok()),
            };
            Ok(Reply::Number(f64::from(found)))
        }),
        "open" => {
            let (flags, mode) = (args.number(1) as u32, mode(args, 2));
            Job::soon(move || Ok(Reply::File(open(&may, &path, flags, mode)?)))
        }
        "stat" | "lstat" => {
            let (follow, big) = (name == "stat", args.flag(1));
            Job::soon(move || {
                let (want, syscall) = if follow { (read, "stat") } else { (Want::Entry(Access::READ), "lstat") };
                let held = hold(&may, &path, want, syscall)?;
                let found = if follow { held.path().metadata() } else { held.path().symlink_metadata() };
                stats(&found.map_err(|error| Failure::at(error, syscall, &path))?, big)
            })
        }
        "statfs" => {
            let big = args.flag(1);
            Job::soon(move || {
                let held = hold(&may, &path, read, "statfs")?;
                let found = fs::statfs(held.path()).map_err(|error| Failure::at(error, "statfs", &path))?;
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
            Job::soon(move || Ok(Reply::Entries(tree::list(&may, &path, recursive, "scandir")?, raw)))
        }
        "opendir" => {
            let raw = args.flag(1);
            Job::soon(move || Ok(Reply::Entries(tree::list(&may, &path, false, "opendir")?, raw)))
        }
        "realpath" => {
            let raw = args.flag(1);
            Job::soon(move || match hold(&may, &path, read, "realpath")?.real() {
                Ok(real) => Ok(Reply::Path(real, raw)),
                Err(failure) => Err(Failure::of(failure, "realpath", &path)),
            })
        }
        "readlink" => {
            let raw = args.flag(1);
            Job::soon(move || {
                let held = hold(&may, &path, Want::Entry(Access::READ), "readlink")?;
                match held.path().read_link() {
                    Ok(target) => Ok(Reply::Path(target, raw)),
                    Err(error) => Err(Failure::at(error, "readlink", &path)),
                }
            })
        }
        "mkdtemp" => {
            let raw = args.flag(1);
            Job::soon(move || Ok(Reply::Path(tree::make_temporary(&may, &path)?, raw)))
        }
        "watch" => {
            let recursive = args.flag(1);
            Job::soon(move || watch::begin(&may, &path, recursive))
        }
        "readFile" => {
            let text = args.flag(1);
            let flags = args.number(2) as u32;
            Job::soon(move || content::read_file(&may, &path, flags, text))
        }
        "writeFile" => {
            let (data, flags, mode, flush) = (args.bytes(1)?, args.number(2) as u32, mode(args, 3), args.flag(4));
            Job::soon(move || content::write_file(&may, &path, &data, flags, mode, flush))
        }
        _ => return changes(name, may, path, args),
    }))
}

/// Operations that change folders, names and metadata.
fn changes(name: &str, may: Permissions, path: PathBuf, args: &Arguments<'_, '_>) -> rquickjs::Result<Option<Job>> {
    let (target, entry) = (Want::Target(Access::WRITE), Want::Entry(Access::WRITE));
    // What was written to may be read, or written to, under its new name.
    let source = Want::Entry(Access::BOTH);
    Ok(Some(match name {
        "mkdir" => {
            let mode = mode(args, 1);
            at(may, path, entry, "mkdir", move |path| fs::mkdir(path, mode))
        }
        "mkdirAll" => {
            let mode = mode(args, 1);
            Job::soon(move || tree::make_all(&may, &path, mode))
        }
        "rmdir" => at(may, path, entry, "rmdir", |path| fs::rmdir(path)),
        "rm" => {
            let (recursive, force) = (args.flag(1), args.flag(2));
            let (retries, delay) = (args.number(3) as u32, args.number(4) as u64);
            Job::soon(move || tree::remove(&may, &path, recursive, force, retries, delay))
        }
        "unlink" => at(may, path, entry, "unlink", |path| fs::unlink(path)),
        "chmod" => {
            let mode = mode(args, 1);
            at(may, path, target, "chmod", move |path| fs::chmod(path, mode))
        }
        "chown" => {
            let (user, group) = owner(args);
            at(may, path, target, "chown", move |path| fs::chownat(CWD, path, user, group, AtFlags::empty()))
        }
        "lchown" => {
            let (user, group) = owner(args);
            at(may, path, entry, "lchown", move |path| fs::chownat(CWD, path, user, group, AtFlags::SYMLINK_NOFOLLOW))
        }
        "utimes" => {
            let times = times(args);
            at(may, path, target, "utime", move |path| fs::utimensat(CWD, path, &times, AtFlags::empty()))
        }
        "lutimes" => {
            let times = times(args);
            at(may, path, entry, "lutime", move |path| fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW))
        }
        "rename" => between(may, (path, source), args.path(1)?, "rename", |from, to| Ok(fs::rename(from, to)?)),
        "link" => between(may, (path, source), args.path(1)?, "link", |from, to| Ok(fs::link(from, to)?)),
        "symlink" => {
            let to = args.path(1)?;
            Job::soon(move || symlink(&may, &path, &to).map(|()| Reply::Nothing))
        }
        "cpBegin" | "cpEntry" => {
            let (to, how) = (args.path(1)?, copy::How::new(args.number(2) as u32, args.number(3) as u32));
            let call = if name == "cpBegin" { copy::begin } else { copy::entry };
            Job::soon(move || call(&may, &path, &to, how))
        }
        "copyFile" => {
            let (to, mode) = (args.path(1)?, args.number(2) as u32);
            Job::soon(move || content::copy(&may, &path, &to, mode).map(|()| Reply::Nothing))
        }
        _ => return Ok(None),
    }))
}

/// Makes a link that says `target`.
pub(super) fn symlink(may: &Permissions, target: &Path, to: &Path) -> Result<(), Failure> {
    let held = hold(may, to, Want::Entry(Access::WRITE), "symlink")?;
    may.check_link(target, to).map_err(|failure| Failure::of(failure, "symlink", target))?;
    fs::symlink(target, held.path()).map_err(|error| Failure::between(error, "symlink", target, to))
}

/// An operation on one path that only succeeds or fails.
fn at(
    may: Permissions,
    path: PathBuf,
    want: Want,
    syscall: &'static str,
    call: impl FnOnce(&Path) -> rustix::io::Result<()> + Send + 'static,
) -> Job {
    Job::soon(move || match call(hold(&may, &path, want, syscall)?.path()) {
        Ok(()) => Ok(Reply::Nothing),
        Err(error) => Err(Failure::at(error, syscall, &path)),
    })
}

/// As [`at`], with a second path, which is written to.
fn between(
    may: Permissions,
    (from, want): (PathBuf, Want),
    to: PathBuf,
    syscall: &'static str,
    call: impl FnOnce(&Path, &Path) -> io::Result<()> + Send + 'static,
) -> Job {
    Job::soon(move || {
        let failed = |error: io::Error| Failure::between(error, syscall, &from, &to);
        let held = |path, want| {
            hold(&may, path, want, syscall).map_err(|failure| match failure {
                Failure::System { error, .. } => failed(error),
                denied => denied,
            })
        };
        let (old, new) = (held(&from, want)?, held(&to, Want::Entry(Access::WRITE))?);
        call(old.path(), new.path()).map(|()| Reply::Nothing).map_err(failed)
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
pub(super) fn open(may: &Permissions, path: &Path, flags: u32, mode: Mode) -> Result<std::sync::Arc<Open>, Failure> {
    let flags = OFlags::from_bits_retain(flags) | OFlags::CLOEXEC;
    let (held, flags) = may.to_open(path, flags).map_err(|failure| Failure::of(failure, "open", path))?;
    let call = || fs::open(held.path(), flags, mode);
    let found = || held.path().metadata();
    let is_fifo = !flags.contains(OFlags::NONBLOCK) && found().is_ok_and(|found| found.file_type().is_fifo());
    let opened = if is_fifo { pool::waiting(call) } else { call() };
    let make = if flags.contains(OFlags::NONBLOCK) { Open::never_waiting } else { Open::new };
    opened.map(make).map_err(|error| Failure::at(error, "open", path))
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
