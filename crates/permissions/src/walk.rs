//! Paths, walked step by step by descriptors, so that each step is checked before it is taken, and what was checked is
//! what is used.
//!
//! No step looks at anything that is neither granted nor on the way to what is: what is said of a path that leads
//! elsewhere does not depend on what is there.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, fstatfs, openat, readlinkat};
use rustix::io::Errno;

use crate::denied::{Denied, Failure};

/// As many links are followed in a path.
const MOST_LINKS: usize = 40;

/// As many folders may be open on the way.
const MOST_STEPS: usize = 256;

/// File systems that describe and open the process itself: `proc` and `sysfs`.
const SPECIAL: [i64; 2] = [0x9fa0, 0x6265_6572];

/// The major numbers and minor numbers of devices that are as harmless as files.
const HARMLESS: [(u32, u32); 4] = [(1, 3), (1, 5), (1, 8), (1, 9)];

/// What is granted. Places are paths without links.
pub(crate) trait Policy {
    /// Whether a place is granted.
    fn covers(&self, place: &Path) -> bool;
    /// Whether it was granted by name though it is special.
    fn names_special(&self, place: &Path) -> bool;
    /// Whether it may be looked at on the way.
    fn passes(&self, place: &Path) -> bool;
    /// What is said otherwise.
    fn denied(&self, path: &Path) -> Denied;
}

/// What a path's last name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Last {
    /// What is at the end of all links.
    Target,
    /// That, or a new file.
    TargetOrNew,
    /// The name itself, whatever it is, if anything.
    Entry,
}

/// A place that was checked, held by descriptors.
#[derive(Debug)]
pub struct Held<'a> {
    path: Cow<'a, Path>,
    /// What the path goes by.
    descriptor: Option<OwnedFd>,
    is_exact: bool,
}

impl<'a> Held<'a> {
    /// A place that nobody has to check.
    pub(crate) fn unchecked(path: &'a Path) -> Self {
        Self { path: path.into(), descriptor: None, is_exact: false }
    }

    fn exact(descriptor: OwnedFd, is_folder: bool) -> Self {
        let end = if is_folder { "/." } else { "" };
        let path = PathBuf::from(format!("/proc/self/fd/{}{end}", descriptor.as_raw_fd()));
        Self { path: path.into(), descriptor: Some(descriptor), is_exact: true }
    }

    fn entry(folder: OwnedFd, name: &OsStr) -> Self {
        let path = Path::new(&format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name);
        Self { path: path.into(), descriptor: Some(folder), is_exact: false }
    }

    /// A path that leads there as long as this lives, whatever is renamed.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether this is what was found, and not a name in a folder.
    pub(crate) fn is_exact(&self) -> bool {
        self.is_exact
    }

    /// The path without links.
    ///
    /// # Errors
    /// When it is not there any more.
    pub fn real(&self) -> Result<PathBuf, Failure> {
        Ok(std::fs::canonicalize(&self.path)?)
    }

    /// The descriptor by which the place is held, if it was checked.
    pub fn descriptor(&self) -> Option<&OwnedFd> {
        self.descriptor.as_ref()
    }
}

/// Where a path starts: from the root folder.
fn absolute(path: &Path) -> std::io::Result<PathBuf> {
    if path.as_os_str().is_empty() {
        return Err(Errno::NOENT.into());
    }
    if path.as_os_str().as_bytes().contains(&0) {
        return Err(Errno::INVAL.into());
    }
    if path.is_absolute() { Ok(path.to_owned()) } else { Ok(std::env::current_dir()?.join(path)) }
}

/// A path without `.` and `..`, as the eye reads it.
fn normal(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut made = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::ParentDir => drop(made.pop()),
            Component::Normal(name) => made.push(name),
            _ => {}
        }
    }
    made
}

/// What is left of a path, the next name last.
struct RemainingPath {
    names: Vec<OsString>,
    /// The path ends in a slash.
    is_folder: bool,
}

impl RemainingPath {
    fn push(&mut self, path: &[u8]) {
        if self.names.is_empty() {
            self.is_folder |= path.ends_with(b"/");
        }
        let names = path.split(|&byte| byte == b'/').filter(|name| !name.is_empty() && *name != b".").rev();
        self.names.extend(names.map(|name| OsString::from_vec(name.to_vec())));
    }
}

const PLACE: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Finds what a path stands for.
pub(crate) fn walk(policy: &dyn Policy, path: &Path, last: Last) -> Result<Held<'static>, Failure> {
    let whole = absolute(path)?;
    let denied = || Failure::Denied(policy.denied(&normal(&whole)));
    let mut names = RemainingPath { names: Vec::new(), is_folder: false };
    names.push(whole.as_os_str().as_bytes());
    let mut folders = vec![openat(CWD, c"/", PLACE | OFlags::DIRECTORY, Mode::empty())?];
    let mut at = PathBuf::from("/");
    let mut links = 0;
    loop {
        let Some(name) = names.names.pop() else {
            if !policy.covers(&at) {
                return Err(denied());
            }
            let folder = folders.pop().ok_or(Errno::NOENT)?;
            check_kind(policy, &folder, &at)?;
            return Ok(Held::exact(folder, true));
        };
        if name == ".." {
            if folders.len() > 1 {
                folders.pop();
                at.pop();
            }
            continue;
        }
        let place = at.join(&name);
        if !policy.passes(&place) {
            return Err(denied());
        }
        let is_last = names.names.is_empty();
        // What is said of what is not granted does not depend on what is there.
        let fails = |errno: Errno| -> Failure {
            let rest: PathBuf = names.names.iter().rev().collect();
            let is_granted = policy.covers(&normal(&place.join(rest)));
            if is_granted { errno.into() } else { denied() }
        };
        let folder = folders.last().ok_or(Errno::NOENT)?;
        if is_last && last == Last::Entry && !names.is_folder {
            if !policy.covers(&place) {
                return Err(denied());
            }
            check_kind(policy, folder, &place)?;
            return Ok(Held::entry(folders.pop().ok_or(Errno::NOENT)?, &name));
        }
        let found = match openat(folder, &name, PLACE, Mode::empty()) {
            Ok(found) => found,
            Err(Errno::NOENT) if is_last && last != Last::Target => {
                if !policy.covers(&place) {
                    return Err(denied());
                }
                if names.is_folder && last == Last::TargetOrNew {
                    return Err(Errno::ISDIR.into());
                }
                check_kind(policy, folder, &place)?;
                return Ok(Held::entry(folders.pop().ok_or(Errno::NOENT)?, &name));
            }
            Err(errno) => return Err(fails(errno)),
        };
        let kind = FileType::from_raw_mode(fstat(&found).map_err(fails)?.st_mode);
        match kind {
            FileType::Symlink => {
                links += 1;
                if links > MOST_LINKS {
                    return Err(fails(Errno::LOOP));
                }
                let target = readlinkat(&found, c"", Vec::new()).map_err(fails)?;
                if target.as_bytes().starts_with(b"/") {
                    folders.truncate(1);
                    at = PathBuf::from("/");
                }
                names.push(target.as_bytes());
            }
            FileType::Directory if !is_last => {
                if folders.len() >= MOST_STEPS {
                    return Err(fails(Errno::NAMETOOLONG));
                }
                folders.push(found);
                at = place;
            }
            kind if is_last => {
                if !policy.covers(&place) {
                    return Err(denied());
                }
                if names.is_folder && kind != FileType::Directory {
                    return Err(Errno::NOTDIR.into());
                }
                check_kind(policy, &found, &place)?;
                // A folder's name with a slash after it is to be used as a name.
                return Ok(match last {
                    Last::Entry => Held::entry(folders.pop().ok_or(Errno::NOENT)?, &name),
                    _ => Held::exact(found, kind == FileType::Directory),
                });
            }
            _ => return Err(fails(Errno::NOTDIR)),
        }
    }
}

/// Refuses what is special wherever it is mounted, or made.
fn check_kind(policy: &dyn Policy, found: &OwnedFd, place: &Path) -> Result<(), Failure> {
    if policy.names_special(place) {
        return Ok(());
    }
    let stat = fstat(found)?;
    let is_harmless = match FileType::from_raw_mode(stat.st_mode) {
        FileType::CharacterDevice | FileType::BlockDevice => {
            let number = (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev));
            HARMLESS.contains(&number)
        }
        _ => !SPECIAL.contains(&(fstatfs(found.as_fd())?.f_type as i64)),
    };
    if is_harmless { Ok(()) } else { Err(Failure::Denied(policy.denied(place))) }
}

/// The path without links, as far as it is there, and each place on the way.
pub(crate) fn trace(path: &Path, visit: &mut dyn FnMut(&Path)) -> PathBuf {
    let Ok(whole) = absolute(path) else { return normal(path) };
    let mut names = RemainingPath { names: Vec::new(), is_folder: false };
    names.push(whole.as_os_str().as_bytes());
    let mut at = PathBuf::from("/");
    let mut links = 0;
    while let Some(name) = names.names.pop() {
        if name == ".." {
            at.pop();
            continue;
        }
        let place = at.join(&name);
        visit(&place);
        match std::fs::read_link(&place) {
            Ok(target) if links < MOST_LINKS => {
                links += 1;
                if target.is_absolute() {
                    at = PathBuf::from("/");
                }
                names.push(target.as_os_str().as_bytes());
            }
            _ => at = place,
        }
    }
    at
}
