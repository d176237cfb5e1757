//! File system calls that take a path.

use std::{
    fs::{self, Metadata, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt, symlink},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use qjs::array::List;
use rquickjs::{Ctx, Object};

use crate::internal::{def, errors::throw_system, strings::UsvString};

/// Turns a failure into Node's error for `syscall` on `path`.
fn check<T>(ctx: &Ctx<'_>, result: io::Result<T>, syscall: &str, path: &str) -> rquickjs::Result<T> {
    result.map_err(|error| throw_system(ctx, &error, syscall, Some(path), None))
}

/// The fields of a Stats object: dev, ino, mode, nlink, uid, gid, rdev, size, blksize, blocks, then atime, mtime, ctime
/// and birthtime as seconds and nanoseconds.
pub(super) fn stats(metadata: &Metadata) -> List<[f64; 18]> {
    let birth = metadata.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let birth = birth.map_or((metadata.ctime() as f64, metadata.ctime_nsec() as f64), |time| {
        (time.as_secs() as f64, f64::from(time.subsec_nanos()))
    });
    List([
        metadata.dev() as f64,
        metadata.ino() as f64,
        f64::from(metadata.mode()),
        metadata.nlink() as f64,
        f64::from(metadata.uid()),
        f64::from(metadata.gid()),
        metadata.rdev() as f64,
        metadata.size() as f64,
        metadata.blksize() as f64,
        metadata.blocks() as f64,
        metadata.atime() as f64,
        metadata.atime_nsec() as f64,
        metadata.mtime() as f64,
        metadata.mtime_nsec() as f64,
        metadata.ctime() as f64,
        metadata.ctime_nsec() as f64,
        birth.0,
        birth.1,
    ])
}

/// The number by which `fs.js` knows a directory entry's type: libuv's `uv_dirent_type_t`.
fn kind(file_type: fs::FileType) -> u8 {
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

fn seconds(time: f64) -> SystemTime {
    let distance = Duration::try_from_secs_f64(time.abs()).unwrap_or_default();
    if time < 0.0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
}

pub(super) fn define<'js>(native: &Object<'js>) -> rquickjs::Result<()> {
    def(native, "exists", |path: UsvString| fs::metadata(path).is_ok())?;
    def(native, "stat", |ctx: Ctx<'_>, path: UsvString, follow: bool| {
        let (result, syscall) =
            if follow { (fs::metadata(&path), "stat") } else { (fs::symlink_metadata(&path), "lstat") };
        check(&ctx, result.as_ref().map(stats).map_err(copy), syscall, &path)
    })?;
    def(native, "readdir", |ctx: Ctx<'_>, path: UsvString| {
        let read = || -> io::Result<Vec<(String, u8)>> {
            let mut entries = Vec::new();
            for entry in fs::read_dir(&path)? {
                let entry = entry?;
                entries.push((entry.file_name().to_string_lossy().into_owned(), kind(entry.file_type()?)));
            }
            entries.sort();
            Ok(entries)
        };
        let entries = check(&ctx, read(), "scandir", &path)?;
        let entries: Vec<_> = entries.into_iter().flat_map(|(name, kind)| [name, kind.to_string()]).collect();
        Ok::<_, rquickjs::Error>(List(entries))
    })?;
    def(native, "access", |ctx: Ctx<'_>, path: UsvString, mode: u32| {
        let wanted = rustix::fs::Access::from_bits_truncate(mode as _);
        check(&ctx, rustix::fs::access(&*path, wanted).map_err(Into::into), "access", &path)
    })?;
    def(native, "realpath", |ctx: Ctx<'_>, path: UsvString| {
        let real = check(&ctx, fs::canonicalize(&path), "realpath", &path)?;
        Ok::<_, rquickjs::Error>(real.to_string_lossy().into_owned())
    })?;
    def(native, "readlink", |ctx: Ctx<'_>, path: UsvString| {
        let target = check(&ctx, fs::read_link(&path), "readlink", &path)?;
        Ok::<_, rquickjs::Error>(target.to_string_lossy().into_owned())
    })?;
    changes(native)
}

/// `io::Error` is not `Clone`, so this copies its number, which is what counts.
fn copy(error: &io::Error) -> io::Error {
    error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)
}

/// Calls that change the file system.
fn changes<'js>(native: &Object<'js>) -> rquickjs::Result<()> {
    def(native, "mkdir", |ctx: Ctx<'_>, path: UsvString, mode: u32| {
        check(&ctx, fs::DirBuilder::new().mode(mode).create(&path), "mkdir", &path)
    })?;
    def(native, "rmdir", |ctx: Ctx<'_>, path: UsvString| check(&ctx, fs::remove_dir(&path), "rmdir", &path))?;
    def(native, "removeAll", |ctx: Ctx<'_>, path: UsvString| check(&ctx, fs::remove_dir_all(&path), "rm", &path))?;
    def(native, "unlink", |ctx: Ctx<'_>, path: UsvString| check(&ctx, fs::remove_file(&path), "unlink", &path))?;
    def(native, "rename", |ctx: Ctx<'_>, from: UsvString, to: UsvString| {
        fs::rename(&from, &to).map_err(|error| throw_system(&ctx, &error, "rename", Some(&from), Some(&to)))
    })?;
    def(native, "copyFile", |ctx: Ctx<'_>, from: UsvString, to: UsvString, exclusive: bool| {
        let result = if exclusive && fs::symlink_metadata(&to).is_ok() {
            Err(io::Error::from(rustix::io::Errno::EXIST))
        } else {
            fs::copy(&from, &to).map(drop)
        };
        result.map_err(|error| throw_system(&ctx, &error, "copyfile", Some(&from), Some(&to)))
    })?;
    def(native, "symlink", |ctx: Ctx<'_>, target: UsvString, path: UsvString| {
        symlink(&target, &path).map_err(|error| throw_system(&ctx, &error, "symlink", Some(&target), Some(&path)))
    })?;
    def(native, "link", |ctx: Ctx<'_>, from: UsvString, to: UsvString| {
        fs::hard_link(&from, &to).map_err(|error| throw_system(&ctx, &error, "link", Some(&from), Some(&to)))
    })?;
    def(native, "chmod", |ctx: Ctx<'_>, path: UsvString, mode: u32| {
        check(&ctx, fs::set_permissions(&path, fs::Permissions::from_mode(mode)), "chmod", &path)
    })?;
    def(native, "truncate", |ctx: Ctx<'_>, path: UsvString, length: f64| {
        let result = OpenOptions::new().write(true).open(&path).and_then(|file| file.set_len(length.max(0.0) as u64));
        check(&ctx, result, "open", &path)
    })?;
    def(native, "utimes", |ctx: Ctx<'_>, path: UsvString, accessed: f64, modified: f64| {
        let times = fs::FileTimes::new().set_accessed(seconds(accessed)).set_modified(seconds(modified));
        // A folder can only be opened for reading, which is enough for its owner to set its times.
        let result = fs::File::open(&path).and_then(|file| file.set_times(times));
        check(&ctx, result, "utime", &path)
    })
}
