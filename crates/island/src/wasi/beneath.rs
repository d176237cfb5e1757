//! Paths that lead nowhere above the directory they start in: neither by `..`, nor by a link, nor while others rename
//! directories.
//!
//! The system walks them itself ([`openat2`]). Where it does not know how, or may not, each step is taken here, by
//! descriptors of the directories on the way.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2, readlinkat};
use rustix::io::Errno as Sys;

use crate::wasi::errno::{Errno, Result};

/// A path is shorter than this, as `PATH_MAX` says.
pub(crate) const MOST_BYTES: usize = 4096;

/// As many links are followed in a path.
const MOST_LINKS: usize = 40;

/// As many directories may be open on the way where steps are taken here.
const MOST_STEPS: usize = 256;

/// A path as a guest gave it: any bytes but zeros.
pub(crate) fn path(bytes: Vec<u8>) -> Result<CString> {
    match bytes.len() {
        0 => Err(Errno::NOENT.into()),
        MOST_BYTES.. => Err(Errno::NAMETOOLONG.into()),
        _ => CString::new(bytes).map_err(|_| Errno::INVAL.into()),
    }
}

/// Opens what is beneath a directory. [`OFlags::NOFOLLOW`] is about the last name alone, as for `open`.
pub(crate) fn open(base: BorrowedFd<'_>, path: &CStr, flags: OFlags, mode: Mode) -> Result<OwnedFd> {
    let flags = flags | OFlags::CLOEXEC;
    // The system gives up if too much is renamed meanwhile.
    for _ in 0..4 {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        return match openat2(base, path, flags, mode, resolve) {
            Err(Sys::AGAIN) if !flags.contains(OFlags::NONBLOCK) => continue,
            Err(Sys::AGAIN | Sys::NOSYS | Sys::PERM | Sys::TOOBIG) => break,
            // It is what the system says of a path that leads out.
            Err(Sys::XDEV) => Err(Errno::NOTCAPABLE.into()),
            opened => Ok(opened?),
        };
    }
    open_by_steps(base, path, flags, mode)
}

/// A directory on the way.
enum Step<'a> {
    Base(BorrowedFd<'a>),
    Below(OwnedFd),
}

impl AsFd for Step<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Base(base) => *base,
            Self::Below(fd) => fd.as_fd(),
        }
    }
}

/// [`open`] without the system's help.
pub(crate) fn open_by_steps(base: BorrowedFd<'_>, path: &CStr, flags: OFlags, mode: Mode) -> Result<OwnedFd> {
    // What is left of the path, the next name last.
    let mut names: Vec<Vec<u8>> = Vec::new();
    push_names(&mut names, path.to_bytes())?;
    let mut steps = vec![Step::Base(base)];
    let mut links = 0;
    let mut must_be_directory = path.to_bytes().ends_with(b"/");
    loop {
        let name = names.pop().unwrap_or_else(|| b".".to_vec());
        let here = steps.last().ok_or(Errno::NOTCAPABLE)?.as_fd();
        match &*name {
            b"." if names.is_empty() => return Ok(openat(here, c".", flags | OFlags::NOFOLLOW, mode)?),
            b"." => continue,
            b".." => {
                steps.pop();
                if steps.is_empty() {
                    return Err(Errno::NOTCAPABLE.into());
                }
                continue;
            }
            _ => {}
        }
        let is_last = names.is_empty();
        if is_last && must_be_directory && flags.contains(OFlags::CREATE) {
            return Err(Errno::ISDIR.into());
        }
        let name = CString::new(name).map_err(|_| Errno::INVAL)?;
        let directory = if must_be_directory && is_last { OFlags::DIRECTORY } else { OFlags::empty() };
        let opened = match is_last {
            true => openat(here, &*name, flags | directory | OFlags::NOFOLLOW, mode),
            false => openat(
                here,
                &*name,
                OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
                Mode::empty(),
            ),
        };
        // A link itself is wanted only if it is the last name, nothing follows it, and it is opened as a place.
        let follows = !is_last || must_be_directory || !flags.contains(OFlags::NOFOLLOW);
        let may_be_link = match &opened {
            Err(Sys::LOOP | Sys::NOTDIR) => follows,
            Ok(_) => is_last && follows && flags.contains(OFlags::PATH),
            Err(_) => false,
        };
        if may_be_link && let Ok(target) = readlinkat(here, &*name, Vec::new()) {
            links += 1;
            if links > MOST_LINKS {
                return Err(Sys::LOOP.into());
            }
            must_be_directory |= is_last && target.as_bytes().ends_with(b"/");
            push_names(&mut names, target.as_bytes())?;
            continue;
        }
        let opened = opened?;
        if is_last {
            return Ok(opened);
        }
        if steps.len() >= MOST_STEPS {
            return Err(Errno::NAMETOOLONG.into());
        }
        steps.push(Step::Below(opened));
    }
}

fn push_names(names: &mut Vec<Vec<u8>>, path: &[u8]) -> Result {
    match path.first() {
        None => return Err(Errno::NOENT.into()),
        Some(b'/') => return Err(Errno::NOTCAPABLE.into()),
        Some(_) => {}
    }
    names.extend(path.split(|&byte| byte == b'/').filter(|name| !name.is_empty()).rev().map(<[u8]>::to_vec));
    Ok(())
}

/// The place of a path's last name: a directory beneath the base, and the name in it.
pub(crate) struct Leaf<'a> {
    directory: Step<'a>,
    /// It is neither empty nor `..`, and has no slash.
    pub(crate) name: CString,
    /// A slash came after the name.
    pub(crate) is_directory: bool,
    /// The path ended in `..`.
    pub(crate) is_above: bool,
}

impl Leaf<'_> {
    pub(crate) fn directory(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    /// Whether the name stands for a directory that is there in any case.
    pub(crate) fn is_dot(&self) -> bool {
        self.name.as_bytes() == b"."
    }
}

/// Finds the place of a path. What ends in `..` is the place `.` of that directory.
pub(crate) fn place<'a>(base: BorrowedFd<'a>, path: &CStr) -> Result<Leaf<'a>> {
    let bytes = path.to_bytes();
    let end = bytes.iter().rposition(|&byte| byte != b'/').map_or(0, |at| at + 1);
    let trimmed = &bytes[..end];
    if trimmed.is_empty() {
        // Slashes alone.
        return Err(Errno::NOTCAPABLE.into());
    }
    let split = trimmed.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1);
    let (parent, name) = trimmed.split_at(split);
    let is_above = name == b"..";
    let parent = if is_above { trimmed } else { parent };
    let directory = match parent {
        b"" => Step::Base(base),
        parent => {
            let parent = CString::new(parent).map_err(|_| Errno::INVAL)?;
            Step::Below(open(base, &parent, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?)
        }
    };
    let name = if is_above { b"." } else { name };
    Ok(Leaf {
        directory,
        name: CString::new(name).map_err(|_| Errno::INVAL)?,
        is_directory: end < bytes.len(),
        is_above,
    })
}

/// A path by which this process finds what a descriptor stands for, whatever its name is now.
pub(crate) fn by_descriptor(fd: BorrowedFd<'_>) -> CString {
    use std::os::fd::AsRawFd as _;
    CString::new(format!("/proc/self/fd/{}", fd.as_raw_fd())).expect("it has no zeros")
}

/// Opens a directory of the host's for a guest.
pub(crate) fn open_host_directory(path: &std::path::Path) -> std::result::Result<OwnedFd, Sys> {
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    match openat(CWD, path, flags | OFlags::RDONLY, Mode::empty()) {
        // Files in it can be used even if nobody may list them.
        Err(Sys::ACCESS) => openat(CWD, path, flags | OFlags::PATH, Mode::empty()),
        opened => opened,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// Opens the same path in both ways.
    fn both(base: BorrowedFd<'_>, path: &str, flags: OFlags) -> [std::result::Result<u64, u16>; 2] {
        let path = CString::new(path).unwrap();
        let mode = if flags.contains(OFlags::CREATE) { Mode::RUSR } else { Mode::empty() };
        type Open = fn(BorrowedFd<'_>, &CStr, OFlags, Mode) -> Result<OwnedFd>;
        [open as Open, open_by_steps].map(|open| match open(base, &path, flags, mode) {
            Ok(opened) => Ok(rustix::fs::fstat(opened).unwrap().st_ino),
            Err(crate::wasi::errno::Stop::Errno(errno)) => Err(errno.code()),
            Err(stop) => panic!("{stop:?}"),
        })
    }

    #[test]
    fn steps_lead_where_the_system_leads() {
        let folder = std::env::temp_dir().join(format!("tombolo-beneath-{}", std::process::id()));
        let inner = folder.join("inner");
        std::fs::create_dir_all(inner.join("a/b/c")).unwrap();
        std::fs::write(inner.join("a/file"), "").unwrap();
        std::fs::write(folder.join("secret"), "").unwrap();
        for (target, link) in [
            ("a/b", "link"),
            ("../file", "a/b/up"),
            ("../../../secret", "a/b/out"),
            ("/etc", "absolute"),
            ("loop", "loop"),
            ("nowhere", "dangling"),
            ("a/file", "tofile"),
            ("a/b/", "slash"),
            ("..", "a/parent"),
            ("..", "above"),
            ("link/c/../up", "chain"),
        ] {
            symlink(target, inner.join(link)).unwrap();
        }
        let base = open_host_directory(&inner).unwrap();
        let names = [
            "a", "b", "c", "file", "link", "up", "out", "absolute", "loop", "dangling", "tofile", "slash", "parent",
            "above", "chain", ".", "..", "none", "",
        ];
        let mut count = 0;
        for flags in [
            OFlags::PATH,
            OFlags::PATH | OFlags::NOFOLLOW,
            OFlags::RDONLY,
            OFlags::RDONLY | OFlags::NOFOLLOW,
            OFlags::RDONLY | OFlags::DIRECTORY,
            OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW,
            OFlags::RDONLY | OFlags::CREATE,
            OFlags::RDONLY | OFlags::CREATE | OFlags::NOFOLLOW,
        ] {
            for first in names {
                for second in names {
                    for third in ["", "/", "/c", "/..", "/up", "/file/", "/./", "/parent"] {
                        let path = format!("{first}/{second}{third}");
                        for path in [path.trim_start_matches('/'), first] {
                            let [system, steps] = both(base.as_fd(), path, flags);
                            assert_eq!(system, steps, "{path} with {flags:?}");
                            count += 1;
                        }
                    }
                }
            }
        }
        assert!(count > 10_000);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
