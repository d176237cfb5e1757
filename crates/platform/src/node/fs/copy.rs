//! `cp`: what is checked at its beginning, and what it does for each entry.

use std::{
    fs::Metadata,
    os::unix::fs::MetadataExt,
    path::{Component, Path, PathBuf},
};

use permissions::{Access, Held, Permissions};
use rustix::{
    fs::{Mode, Timespec, Timestamps},
    io::Errno,
};

use super::{
    content,
    job::{Failure, Outcome, Reply},
    ops, tree,
};

/// Options of `cp` that Rust needs to know, as a script's flags.
#[derive(Clone, Copy)]
pub(super) struct How {
    pub(super) dereference: bool,
    pub(super) recursive: bool,
    pub(super) force: bool,
    pub(super) error_on_exist: bool,
    pub(super) preserve_timestamps: bool,
    pub(super) verbatim_symlinks: bool,
    /// Whether `errorOnExist` is about folders as well, as it is for those that do not wait.
    pub(super) also_folders: bool,
    pub(super) mode: u32,
}

impl How {
    pub(super) fn new(bits: u32, mode: u32) -> Self {
        let has = |bit: u32| bits & 1 << bit != 0;
        Self {
            dereference: has(0),
            recursive: has(1),
            force: has(2),
            error_on_exist: has(3),
            preserve_timestamps: has(4),
            verbatim_symlinks: has(5),
            also_folders: has(6),
            mode,
        }
    }

    /// What is at a path that is read or, as `access` says, written to.
    fn look(self, may: &Permissions, path: &Path, access: Access) -> Result<Metadata, permissions::Failure> {
        let held = if self.dereference { may.target(path, access) } else { may.entry(path, access) }?;
        Ok(if self.dereference { held.path().metadata() } else { held.path().symlink_metadata() }?)
    }
}

fn refuse(code: &'static str, message: String) -> Failure {
    Failure::Refused { code, message }
}

fn absolute(path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    let joined = std::env::current_dir().unwrap_or_default().join(path);
    for part in joined.components() {
        match part {
            Component::ParentDir => {
                whole.pop();
            }
            Component::CurDir => {}
            other => whole.push(other),
        }
    }
    whole
}

fn same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Checks that a thing can take the place of what is there.
fn check_kinds(source: &Metadata, target: &Metadata, from: &Path, to: &Path) -> Result<(), Failure> {
    let (source_text, target_text) = (from.display(), to.display());
    if same(source, target) {
        return Err(refuse("ERR_FS_CP_EINVAL", format!("src and dest cannot be the same {target_text}")));
    }
    if source.is_dir() && !target.is_dir() {
        let message = format!("Cannot overwrite non-directory {target_text} with directory {source_text}");
        return Err(refuse("ERR_FS_CP_DIR_TO_NON_DIR", message));
    }
    if !source.is_dir() && target.is_dir() {
        let message = format!("Cannot overwrite directory {target_text} with non-directory {source_text}");
        return Err(refuse("ERR_FS_CP_NON_DIR_TO_DIR", message));
    }
    Ok(())
}

/// Whether one of the folders that a path goes through is `source`; links may lead there.
fn is_below(may: &Permissions, source: &Metadata, from: &Path, to: &Path) -> bool {
    let (from, to) = (absolute(from), absolute(to));
    let parents =
        to.ancestors().skip(1).take_while(|folder| Some(*folder) != from.parent() && folder.parent().is_some());
    parents
        .map_while(|folder| may.target(folder, Access::READ).ok()?.path().metadata().ok())
        .any(|it| same(source, &it))
}

/// Checks the two paths, and lists what is to be copied: the entry itself, with an empty path, and all that is in it.
pub(super) fn begin(may: &Permissions, from: &Path, to: &Path, how: How) -> Outcome {
    let source = how.look(may, from, Access::READ).map_err(|failure| {
        let syscall = if how.dereference { "stat" } else { "lstat" };
        Failure::of(failure, syscall, from)
    })?;
    let (source_text, target_text) = (from.display(), to.display());
    if let Ok(target) = how.look(may, to, Access::WRITE) {
        check_kinds(&source, &target, from, to)?;
    }
    if (source.is_dir() && absolute(to).starts_with(absolute(from))) || is_below(may, &source, from, to) {
        let message = format!("Cannot copy {source_text} to a subdirectory of self {target_text}");
        return Err(refuse("ERR_FS_CP_EINVAL", message));
    }
    if source.is_dir() && !how.recursive {
        let message = format!("Recursive option not enabled, cannot copy a directory: {source_text}");
        return Err(refuse("ERR_FS_EISDIR", message));
    }
    if let Some(parent) = absolute(to).parent()
        && is_missing(may, parent)
    {
        tree::make_all(may, parent, Mode::from_bits_truncate(0o777))?;
    }
    let mut entries = vec![(Vec::new(), ops::kind(source.file_type()))];
    if source.is_dir() {
        entries.append(&mut tree::list_through(may, from, true, how.dereference, "scandir")?);
    }
    Ok(Reply::Entries(entries, true))
}

/// Whether a folder that is written to is not there. (What may not be looked at is left to who uses it.)
fn is_missing(may: &Permissions, folder: &Path) -> bool {
    match may.target(folder, Access::WRITE) {
        Ok(held) => !held.path().exists(),
        Err(permissions::Failure::Denied(_)) => false,
        Err(_) => true,
    }
}

/// Copies one entry; the folder that it goes to is there.
pub(super) fn entry(may: &Permissions, from: &Path, to: &Path, how: How) -> Outcome {
    let source = how.look(may, from, Access::READ).map_err(|failure| Failure::of(failure, "lstat", from))?;
    // A place that is looked at anew each time, since the entry is removed and made.
    let place = |syscall| -> Result<Held<'_>, Failure> {
        may.entry(to, Access::WRITE).map_err(|failure| Failure::of(failure, syscall, to))
    };
    let target = place("lstat")?.path().symlink_metadata().ok();
    let existing = |text: &Path| refuse("ERR_FS_CP_EEXIST", format!("Target already exists: {}", text.display()));
    if let Some(target) = &target
        && !source.is_symlink()
        && !target.is_symlink()
    {
        check_kinds(&source, target, from, to)?;
    }
    if source.is_dir() {
        if target.is_none() {
            let mode = Mode::from_bits_truncate(source.mode() & 0o7777);
            rustix::fs::mkdir(place("mkdir")?.path(), mode).map_err(|error| Failure::at(error, "mkdir", to))?;
        } else if how.also_folders && how.error_on_exist && !how.force {
            return Err(existing(to));
        }
        return Ok(Reply::Nothing);
    }
    if source.is_symlink() {
        let held = may.entry(from, Access::READ).map_err(|failure| Failure::of(failure, "readlink", from))?;
        let link = held.path().read_link().map_err(|error| Failure::at(error, "readlink", from))?;
        let whole = absolute(&from.parent().unwrap_or_else(|| Path::new("")).join(&link));
        // (A link does not take the place of a file: making it fails.)
        if let Ok(old) = place("readlink")?.path().read_link() {
            if how.error_on_exist && !how.force {
                return Err(existing(to));
            }
            let followed = may.target(from, Access::READ).map_err(|failure| Failure::of(failure, "stat", from))?;
            let leads_to = followed.path().metadata().map_err(|error| Failure::at(error, "stat", from))?;
            let old = absolute(&to.parent().unwrap_or_else(|| Path::new("")).join(old));
            let (new_text, old_text) = (whole.display(), old.display());
            if leads_to.is_dir() && old.starts_with(&whole) {
                let message = format!("Cannot copy {new_text} to a subdirectory of self {old_text}");
                return Err(refuse("ERR_FS_CP_EINVAL", message));
            }
            // Without the old link, the new one might lead nowhere.
            if leads_to.is_dir() && whole.starts_with(&old) {
                let message = format!("cannot overwrite {old_text} with {new_text}");
                return Err(refuse("ERR_FS_CP_SYMLINK_TO_SUBDIRECTORY", message));
            }
            std::fs::remove_file(place("unlink")?.path()).map_err(|error| Failure::at(error, "unlink", to))?;
        }
        return ops::symlink(may, if how.verbatim_symlinks { &link } else { &whole }, to).map(|()| Reply::Nothing);
    }
    if !source.is_file() {
        use std::os::unix::fs::FileTypeExt as _;
        let (code, kind) = match source.file_type() {
            kind if kind.is_socket() => ("ERR_FS_CP_SOCKET", "a socket"),
            kind if kind.is_fifo() => ("ERR_FS_CP_FIFO_PIPE", "a FIFO pipe"),
            _ => ("ERR_FS_CP_UNKNOWN", "an unknown file type"),
        };
        return Err(refuse(code, format!("cannot copy {kind}: {}", to.display())));
    }
    if target.is_some() {
        if !how.force {
            return if how.error_on_exist { Err(existing(to)) } else { Ok(Reply::Nothing) };
        }
        std::fs::remove_file(place("unlink")?.path()).map_err(|error| Failure::at(error, "unlink", to))?;
    }
    content::copy(may, from, to, how.mode)?;
    if how.preserve_timestamps {
        let time = |tv_sec, tv_nsec| Timespec { tv_sec, tv_nsec };
        let times = Timestamps {
            last_access: time(source.atime(), source.atime_nsec()),
            last_modification: time(source.mtime(), source.mtime_nsec()),
        };
        let held = place("utime")?;
        rustix::fs::utimensat(rustix::fs::CWD, held.path(), &times, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|error: Errno| Failure::at(error, "utime", to))?;
    }
    Ok(Reply::Nothing)
}
