//! Operations on folders with what is in them.

use std::{
    io,
    path::{Component, Path, PathBuf},
    time::Duration,
};

use rustix::{fs::Mode, io::Errno};

use super::{
    job::{Failure, Outcome, Reply, path_bytes},
    ops::kind,
};

/// The entries of a folder, sorted; with `recursive`, those of the folders in it as well, by their paths from it.
pub(super) fn list(path: &Path, recursive: bool, syscall: &'static str) -> Result<Vec<(Vec<u8>, u8)>, Failure> {
    list_through(path, recursive, false, syscall)
}

/// As [`list`]; with `follow`, links count as what they lead to.
pub(super) fn list_through(
    path: &Path,
    recursive: bool,
    follow: bool,
    syscall: &'static str,
) -> Result<Vec<(Vec<u8>, u8)>, Failure> {
    let mut found = Vec::new();
    let mut folders = std::collections::VecDeque::from([PathBuf::new()]);
    while let Some(folder) = folders.pop_front() {
        let whole = if folder.as_os_str().is_empty() { path.to_owned() } else { path.join(&folder) };
        let read = || -> io::Result<Vec<(PathBuf, u8)>> {
            let mut entries = Vec::new();
            for entry in std::fs::read_dir(&whole)? {
                let entry = entry?;
                let found = match follow {
                    true => entry.path().metadata().map(|found| found.file_type()),
                    false => entry.file_type(),
                };
                entries.push((folder.join(entry.file_name()), found.map_or(0, kind)));
            }
            entries.sort();
            Ok(entries)
        };
        let entries = read().map_err(|error| match syscall {
            // (Node's error of `opendir` has no path.)
            "opendir" => Failure::new(error, syscall),
            _ => Failure::at(error, syscall, &whole),
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

/// `mkdir` with `recursive`: the first folder that was made, or nothing if all were there.
pub(super) fn make_all(path: &Path, mode: Mode) -> Outcome {
    let mut missing = vec![path];
    let mut first = None;
    while let Some(folder) = missing.last().copied() {
        match rustix::fs::mkdir(folder, mode) {
            Ok(()) => {
                first.get_or_insert(folder);
                missing.pop();
            }
            Err(Errno::NOENT) => match folder.parent() {
                Some(parent) if !parent.as_os_str().is_empty() && first.is_none() => missing.push(parent),
                _ => return Err(Failure::at(Errno::NOENT, "mkdir", path)),
            },
            Err(Errno::EXIST) if folder.is_dir() => {
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
pub(super) fn make_temporary(prefix: &Path) -> Result<PathBuf, Failure> {
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
        match rustix::fs::mkdir(with(&end), Mode::RWXU) {
            Ok(()) => return Ok(with(&end)),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(Failure::at(error, "mkdtemp", &with("XXXXXX"))),
        }
    }
    Err(Failure::at(Errno::EXIST, "mkdtemp", &with("XXXXXX")))
}

/// `rm`.
pub(super) fn remove(path: &Path, recursive: bool, force: bool, retries: u32, delay: u64) -> Outcome {
    let gone = |error: &io::Error| force && error.kind() == io::ErrorKind::NotFound;
    let found = match path.symlink_metadata() {
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
            true => (std::fs::remove_dir_all(path), "rm"),
            false => (std::fs::remove_file(path), "rm"),
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
