//! Operations on folders with what is in them.

use std::{
    io,
    path::{Component, Path, PathBuf},
    time::Duration,
};

use permissions::{Access, Permissions};
use rustix::{fs::Mode, io::Errno};

use super::{
    job::{Failure, Outcome, Reply, path_bytes},
    ops::kind,
};

/// The entries of a folder, sorted; with `recursive`, those of the folders in it as well, by their paths from it.
pub(super) fn list(
    may: &Permissions,
    path: &Path,
    recursive: bool,
    syscall: &'static str,
) -> Result<Vec<(Vec<u8>, u8)>, Failure> {
    list_through(may, path, recursive, false, syscall)
}

/// As [`list`]; with `follow`, links count as what they lead to.
pub(super) fn list_through(
    may: &Permissions,
    path: &Path,
    recursive: bool,
    follow: bool,
    syscall: &'static str,
) -> Result<Vec<(Vec<u8>, u8)>, Failure> {
    let mut found = Vec::new();
    let mut folders = std::collections::VecDeque::from([PathBuf::new()]);
    while let Some(folder) = folders.pop_front() {
        let whole = if folder.as_os_str().is_empty() { path.to_owned() } else { path.join(&folder) };
        let read = || -> Result<Vec<(PathBuf, u8)>, permissions::Failure> {
            let mut entries = Vec::new();
            let held = may.target(&whole, Access::READ)?;
            for entry in std::fs::read_dir(held.path())? {
                let entry = entry?;
                let kind = match follow {
                    true => kind_behind(may, &whole.join(entry.file_name())),
                    false => entry.file_type().map_or(0, kind),
                };
                entries.push((folder.join(entry.file_name()), kind));
            }
            entries.sort();
            Ok(entries)
        };
        let entries = read().map_err(|failure| match (failure, syscall) {
            // (Node's error of `opendir` has no path.)
            (permissions::Failure::System(error), "opendir") => Failure::new(error, syscall),
            (failure, _) => Failure::of(failure, syscall, &whole),
        })?;
        for (name, kind) in entries {
            found.push((path_bytes(&name), kind));
            if recursive && kind == 2 {
                folders.push_back(name);
            }
        }
    }
    Ok(found)
}

/// The kind of what a path leads to; 0 if it leads nowhere, or where the program may not look.
fn kind_behind(may: &Permissions, path: &Path) -> u8 {
    let held = may.target(path, Access::READ);
    held.ok().and_then(|held| held.path().metadata().ok()).map_or(0, |found| kind(found.file_type()))
}

/// `mkdir` with `recursive`: the first folder that was made, or nothing if all were there.
pub(super) fn make_all(may: &Permissions, path: &Path, mode: Mode) -> Outcome {
    let mut missing = vec![path];
    let mut first = None;
    let make = |folder: &Path| match may.entry(folder, Access::WRITE) {
        Ok(held) => Ok(rustix::fs::mkdir(held.path(), mode)),
        Err(permissions::Failure::System(error)) => Ok(Err(Errno::from_io_error(&error).unwrap_or(Errno::IO))),
        Err(failure) => Err(Failure::of(failure, "mkdir", folder)),
    };
    let is_folder = |folder: &Path| may.target(folder, Access::WRITE).is_ok_and(|held| held.path().is_dir());
    while let Some(folder) = missing.last().copied() {
        match make(folder)? {
            Ok(()) => {
                first.get_or_insert(folder);
                missing.pop();
            }
            Err(Errno::NOENT) => match folder.parent() {
                Some(parent) if !parent.as_os_str().is_empty() && first.is_none() => missing.push(parent),
                _ => return Err(Failure::at(Errno::NOENT, "mkdir", path)),
            },
            Err(Errno::EXIST) if is_folder(folder) => {
                missing.pop();
            }
            // Something else is in the way.
            Err(Errno::EXIST) if missing.len() > 1 => return Err(Failure::at(Errno::NOTDIR, "mkdir", path)),
            Err(error) => return Err(Failure::at(error, "mkdir", path)),
        }
    }
    Ok(match first {
        Some(first) => Reply::Path(resolved(&std::path::absolute(first).unwrap_or_else(|_| first.to_owned())), false),
        None => Reply::Nothing,
    })
}

/// The path without `.` and `..`.
fn resolved(path: &Path) -> PathBuf {
    let mut made = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(made.pop()),
            part => made.push(part),
        }
    }
    made
}

/// `mkdtemp`: a new folder whose path is `prefix` and six characters.
pub(super) fn make_temporary(may: &Permissions, prefix: &Path) -> Result<PathBuf, Failure> {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let with = |end: &str| {
        let mut path = prefix.as_os_str().to_owned();
        path.push(end);
        PathBuf::from(path)
    };
    for _ in 0..100 {
        let mut random = [0; 6];
        getrandom::fill(&mut random).map_err(|_| Failure::at(Errno::IO, "mkdtemp", &with("XXXXXX")))?;
        let end: String = random.iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect();
        let path = with(&end);
        let held = may.entry(&path, Access::WRITE).map_err(|failure| match failure {
            permissions::Failure::System(error) => Failure::at(error, "mkdtemp", &with("XXXXXX")),
            permissions::Failure::Denied(_) => Failure::Denied(permissions::Denied::write(&with("XXXXXX"))),
            failure => Failure::of(failure, "mkdtemp", prefix),
        })?;
        match rustix::fs::mkdir(held.path(), Mode::RWXU) {
            Ok(()) => return Ok(path),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(Failure::at(error, "mkdtemp", &with("XXXXXX"))),
        }
    }
    Err(Failure::at(Errno::EXIST, "mkdtemp", &with("XXXXXX")))
}

/// `rm`.
pub(super) fn remove(
    may: &Permissions,
    path: &Path,
    recursive: bool,
    force: bool,
    retries: u32,
    delay: u64,
) -> Outcome {
    let gone = |error: &io::Error| force && error.kind() == io::ErrorKind::NotFound;
    let held = match may.entry(path, Access::WRITE) {
        Ok(held) => held,
        Err(permissions::Failure::System(error)) if gone(&error) => return Ok(Reply::Nothing),
        Err(failure) => return Err(Failure::of(failure, "lstat", path)),
    };
    let found = match held.path().symlink_metadata() {
        Ok(found) => found,
        Err(error) if gone(&error) => return Ok(Reply::Nothing),
        Err(error) => return Err(Failure::at(error, "lstat", path)),
    };
    if found.is_dir() && !recursive {
        return Err(Failure::IsFolder(path.to_owned()));
    }
    let mut attempt = 0;
    loop {
        let (removed, syscall) = match found.is_dir() {
            true => (std::fs::remove_dir_all(held.path()), "rm"),
            false => (std::fs::remove_file(held.path()), "rm"),
        };
        let Err(error) = removed else { return Ok(Reply::Nothing) };
        if gone(&error) {
            return Ok(Reply::Nothing);
        }
        let may_pass = matches!(
            Errno::from_io_error(&error),
            Some(Errno::BUSY | Errno::MFILE | Errno::NFILE | Errno::NOTEMPTY | Errno::PERM)
        );
        if attempt == retries || !may_pass {
            return Err(Failure::at(error, syscall, path));
        }
        attempt += 1;
        std::thread::sleep(Duration::from_millis(delay.saturating_mul(attempt.into())));
    }
}
