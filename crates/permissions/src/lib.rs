//! What a program may touch that a person did not write: files, environment variables, other programs, hosts, workers.
//!
//! [`Permissions`] is what was granted; whoever does something for a program asks it first. It knows neither JavaScript
//! nor Wasmtime. What it answers for files is not yes or no but a [`Held`] place: descriptors that were opened on the
//! way, so that what is used is what was checked, whatever is renamed or replaced by a link meanwhile.

mod code;
mod denied;
mod hosts;
mod paths;
mod programs;
mod walk;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags};

pub use denied::{Denied, Failure, Kind};
pub use hosts::BadHost;
pub use walk::Held;

use code::Code;
use hosts::Hosts;
use paths::Paths;
use programs::Programs;
use walk::{Last, Policy};

/// What a program may touch. By default everything; [`Permissions::none`] begins with nothing, and each further method
/// grants something. This is a handle: clones are the same permissions, on any thread, and nothing widens them.
///
/// ```
/// use permissions::{Access, Permissions};
///
/// let permissions = Permissions::none().allow_read("/usr/share").allow_env("LANG");
/// assert!(permissions.target("/usr/share".as_ref(), Access::READ).is_ok());
/// assert!(permissions.target("/etc/passwd".as_ref(), Access::READ).is_err());
/// assert!(!permissions.allows_env("HOME"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Permissions(Option<Arc<Rules>>);

/// What was granted.
#[derive(Clone, Debug, Default)]
struct Rules {
    read: Paths,
    write: Paths,
    code: Code,
    env: Allowlist,
    run: Programs,
    net: Hosts,
    workers: bool,
}

#[derive(Clone, Debug, Default)]
struct Allowlist {
    any: bool,
    listed: Vec<String>,
}

/// What is to be done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    read: bool,
    write: bool,
}

impl Access {
    /// Its content, its metadata, or whether it is there.
    pub const READ: Self = Self { read: true, write: false };
    /// To make, change, rename or remove it.
    pub const WRITE: Self = Self { read: false, write: true };
    /// Both.
    pub const BOTH: Self = Self { read: true, write: true };

    /// What opening with these flags asks for.
    fn of(flags: OFlags) -> Self {
        let changes = flags.intersects(OFlags::CREATE | OFlags::TRUNC | OFlags::APPEND);
        match flags & OFlags::RWMODE {
            OFlags::RDONLY => Self { read: true, write: changes },
            OFlags::WRONLY => Self::WRITE,
            _ => Self::BOTH,
        }
    }
}

/// How a module's file is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Module {
    /// Whether it is there, and what it is.
    Found,
    /// Its text.
    Text,
}

impl Permissions {
    /// Everything, as for a program that one wrote oneself.
    pub fn all() -> Self {
        Self(None)
    }

    /// Nothing: what else a program may do is granted by the methods whose names begin with `allow`.
    pub fn none() -> Self {
        Self(Some(Arc::default()))
    }

    /// Whether everything is granted.
    pub fn is_all(&self) -> bool {
        self.0.is_none()
    }

    /// Whether both are the same permissions: clones of one, or everything.
    pub fn is(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            _ => false,
        }
    }

    fn rules(&self) -> Option<&Rules> {
        self.0.as_deref()
    }

    fn with(mut self, change: impl FnOnce(&mut Rules)) -> Self {
        if let Some(rules) = &mut self.0 {
            change(Arc::make_mut(rules));
        }
        self
    }

    /// Grants reading a file, or a folder with all that is in it. A relative path starts from the current folder, links
    /// in it are followed now, and it need not be there yet.
    #[must_use]
    pub fn allow_read(self, path: impl AsRef<Path>) -> Self {
        self.with(|rules| rules.read.add(path.as_ref()))
    }

    /// Grants reading any file, except what describes and opens the process itself: `/proc`, `/sys` and devices are read
    /// only if [`Permissions::allow_read`] names them.
    #[must_use]
    pub fn allow_any_read(self) -> Self {
        self.with(|rules| rules.read.add_any())
    }

    /// Grants writing to a file, or making, changing and removing all that is in a folder; see
    /// [`Permissions::allow_read`].
    #[must_use]
    pub fn allow_write(self, path: impl AsRef<Path>) -> Self {
        self.with(|rules| rules.write.add(path.as_ref()))
    }

    /// Grants writing to any file, with the exceptions of [`Permissions::allow_any_read`].
    #[must_use]
    pub fn allow_any_write(self) -> Self {
        self.with(|rules| rules.write.add_any())
    }

    /// Never grants writing to this path, whatever else is granted: code that is run from there would do anything.
    #[must_use]
    pub fn protect(self, path: impl AsRef<Path>) -> Self {
        self.with(|rules| rules.write.protect(path.as_ref()))
    }

    /// Grants an environment variable.
    #[must_use]
    pub fn allow_env(self, name: &str) -> Self {
        self.with(|rules| rules.env.listed.push(name.to_owned()))
    }

    /// Grants the whole environment, and what names this machine and its user.
    #[must_use]
    pub fn allow_any_env(self) -> Self {
        self.with(|rules| rules.env.any = true)
    }

    /// Grants starting a program: a path, or a name that is looked for in `PATH` now. It runs with all that the user may
    /// do.
    #[must_use]
    pub fn allow_run(self, program: &str) -> Self {
        self.with(|rules| rules.run.add(program))
    }

    /// Grants starting any program, and signals to any process.
    #[must_use]
    pub fn allow_any_run(self) -> Self {
        self.with(|rules| rules.run.add_any())
    }

    /// Grants connections to a host: a name or an address, which may be followed by a port.
    ///
    /// # Errors
    /// When it is neither.
    pub fn allow_net(self, host: &str) -> Result<Self, BadHost> {
        let host = host.parse()?;
        Ok(self.with(|rules| rules.net.add(host)))
    }

    /// Grants connections to any host.
    #[must_use]
    pub fn allow_any_net(self) -> Self {
        self.with(|rules| rules.net.add_any())
    }

    /// Grants starting workers, which have what the agent that starts them has.
    #[must_use]
    pub fn allow_workers(self) -> Self {
        self.with(|rules| rules.workers = true)
    }

    /// Lets modules be loaded that are part of the program at `path`: those in its folder (that of the nearest
    /// `package.json`, otherwise its own) and in the `node_modules` above it. This grants no reading of files.
    #[must_use]
    pub fn program(self, path: impl AsRef<Path>) -> Self {
        self.with(|rules| rules.code.add(path.as_ref()))
    }

    /// Whether an environment variable is granted.
    pub fn allows_env(&self, name: &str) -> bool {
        self.rules().is_none_or(|rules| rules.env.any || rules.env.listed.iter().any(|listed| listed == name))
    }

    /// Checks that what names the machine and its user may be told.
    ///
    /// # Errors
    /// [`Denied`] if not.
    pub fn check_system(&self, what: &str) -> Result<(), Denied> {
        match self.rules() {
            Some(rules) if !rules.env.any => Err(Denied::new(Kind::System, what)),
            _ => Ok(()),
        }
    }

    /// Which file to run for a program's name or path: that of the grant, whatever `PATH` says by now; `None` if any
    /// program may be run.
    ///
    /// # Errors
    /// [`Denied`] if it may not be run.
    pub fn check_run(&self, program: &Path) -> Result<Option<PathBuf>, Denied> {
        match self.rules() {
            Some(rules) => rules.run.check(program),
            None => Ok(None),
        }
    }

    /// Checks the names of what a program finds in its environment: the system's linker runs the code that some of them
    /// name.
    ///
    /// # Errors
    /// [`Denied`] if they need a grant for any program.
    pub fn check_run_with<'a>(&self, variables: impl IntoIterator<Item = &'a std::ffi::OsStr>) -> Result<(), Denied> {
        if self.rules().is_none_or(|rules| rules.run.is_any()) {
            return Ok(());
        }
        let loads = |name: &&std::ffi::OsStr| name.as_encoded_bytes().starts_with(b"LD_");
        match variables.into_iter().find(loads) {
            Some(name) => Err(Denied::new(Kind::RunAny, &name.to_string_lossy())),
            None => Ok(()),
        }
    }

    /// Checks that other processes may be signalled, and this one ended by a signal.
    ///
    /// # Errors
    /// [`Denied`] if not.
    pub fn check_signal(&self, what: &str) -> Result<(), Denied> {
        match self.rules() {
            Some(rules) if !rules.run.is_any() => Err(Denied::new(Kind::Signal, what)),
            _ => Ok(()),
        }
    }

    /// Checks that a host may be connected to; without a port, that its name may be looked up.
    ///
    /// # Errors
    /// [`Denied`] if not.
    pub fn check_net(&self, host: &str, port: Option<u16>) -> Result<(), Denied> {
        match self.rules() {
            Some(rules) => rules.net.check(host, port),
            None => Ok(()),
        }
    }

    /// Checks that workers may be started.
    ///
    /// # Errors
    /// [`Denied`] if not.
    pub fn check_workers(&self) -> Result<(), Denied> {
        match self.rules() {
            Some(rules) if !rules.workers => Err(Denied::new(Kind::Workers, "")),
            _ => Ok(()),
        }
    }

    /// Checks that settings of the whole process may be changed by which files are made.
    ///
    /// # Errors
    /// [`Denied`] if not every file may be written.
    pub fn check_any_write(&self, what: &str) -> Result<(), Denied> {
        match self.rules() {
            Some(rules) if !rules.write.is_any() => Err(Denied::new(Kind::AnyWrite, what)),
            _ => Ok(()),
        }
    }

    /// Whether some file with this access may be granted: `true` for a path that is, or without one if all are. For
    /// questions, never for use.
    pub fn allows_path(&self, path: Option<&Path>, access: Access) -> bool {
        let Some(rules) = self.rules() else { return true };
        match path {
            None => (!access.read || rules.read.is_any()) && (!access.write || rules.write.is_any()),
            Some(path) => !matches!(self.target(path, access), Err(Failure::Denied(_))),
        }
    }

    /// Whether workers, programs or hosts are granted as a whole or, for one that is named, in particular.
    pub fn allows_run(&self, program: Option<&str>) -> bool {
        match (self.rules(), program) {
            (None, _) => true,
            (Some(rules), None) => rules.run.is_any(),
            (Some(_), Some(program)) => self.check_run(program.as_ref()).is_ok(),
        }
    }

    /// As [`Permissions::allows_run`], for a host with or without a port.
    pub fn allows_net(&self, host: Option<&str>) -> bool {
        match (self.rules(), host) {
            (None, _) => true,
            (Some(rules), None) => rules.net.is_any(),
            (Some(_), Some(text)) => match text.parse::<hosts::Host>() {
                Ok(host) => self.check_net(&host.name, host.port).is_ok(),
                Err(_) => false,
            },
        }
    }

    /// As [`Permissions::allows_run`], for a variable or the whole environment.
    pub fn allows_environment(&self, name: Option<&str>) -> bool {
        match name {
            Some(name) => self.allows_env(name),
            None => self.rules().is_none_or(|rules| rules.env.any),
        }
    }

    /// The place that a path leads to, at the end of all links, if this access to it is granted. It has to be there.
    ///
    /// # Errors
    /// [`Failure::Denied`] if it is not granted, whether it is there or not.
    pub fn target<'a>(&self, path: &'a Path, access: Access) -> Result<Held<'a>, Failure> {
        match self.rules() {
            Some(rules) => walk::walk(&Files { rules, access }, path, Last::Target),
            None => Ok(Held::unchecked(path)),
        }
    }

    /// The place that a path names, which may be a link or not be there, if this access to it is granted.
    ///
    /// # Errors
    /// As [`Permissions::target`].
    pub fn entry<'a>(&self, path: &'a Path, access: Access) -> Result<Held<'a>, Failure> {
        match self.rules() {
            Some(rules) => walk::walk(&Files { rules, access }, path, Last::Entry),
            None => Ok(Held::unchecked(path)),
        }
    }

    /// The place to open with these flags, and the flags to use there; a file may have to be made.
    ///
    /// # Errors
    /// As [`Permissions::target`].
    pub fn to_open<'a>(&self, path: &'a Path, flags: OFlags) -> Result<(Held<'a>, OFlags), Failure> {
        let Some(rules) = self.rules() else { return Ok((Held::unchecked(path), flags)) };
        let last = match flags {
            flags if flags.contains(OFlags::CREATE | OFlags::EXCL) || flags.contains(OFlags::NOFOLLOW) => Last::Entry,
            flags if flags.contains(OFlags::CREATE) => Last::TargetOrNew,
            _ => Last::Target,
        };
        let held = walk::walk(&Files { rules, access: Access::of(flags) }, path, last)?;
        // What was there is opened by its descriptor, which looks like a link; a new name must still be none.
        let flags =
            if held.is_exact() { flags - (OFlags::CREATE | OFlags::NOFOLLOW) } else { flags | OFlags::NOFOLLOW };
        Ok((held, flags))
    }

    /// Opens a file.
    ///
    /// # Errors
    /// As [`Permissions::target`], and those of the system.
    pub fn open(&self, path: &Path, flags: OFlags, mode: Mode) -> Result<File, Failure> {
        let (held, flags) = self.to_open(path, flags)?;
        Ok(rustix::fs::open(held.path(), flags | OFlags::CLOEXEC, mode)?.into())
    }

    /// Checks what a link is to say: that the place that it would lead to is granted, so that no link is left behind for
    /// somebody who may do more.
    ///
    /// # Errors
    /// As [`Permissions::target`].
    pub fn check_link(&self, target: &Path, link: &Path) -> Result<(), Failure> {
        let Some(rules) = self.rules() else { return Ok(()) };
        let folder = link.parent().unwrap_or_else(|| Path::new(""));
        let whole = folder.join(target);
        walk::walk(&Files { rules, access: Access::BOTH }, &whole, Last::TargetOrNew).map(drop).or_else(|failure| {
            match failure {
                // It may be made later, in a folder that is granted.
                Failure::System(_) => Ok(()),
                denied => Err(denied),
            }
        })
    }

    /// The place of a module, or of something on the way to one, if the program is granted to load it.
    ///
    /// # Errors
    /// As [`Permissions::target`].
    pub fn module<'a>(&self, path: &'a Path, how: Module) -> Result<Held<'a>, Failure> {
        match self.rules() {
            Some(rules) => walk::walk(&Modules { rules, how }, path, Last::Target),
            None => Ok(Held::unchecked(path)),
        }
    }

    /// Reads a module's text.
    ///
    /// # Errors
    /// As [`Permissions::target`], and those of the system.
    pub fn read_module(&self, path: &Path) -> Result<Vec<u8>, Failure> {
        let held = self.module(path, Module::Text)?;
        std::fs::read(held.path()).map_err(Failure::System)
    }

    /// Whether there is a file (`false`) or a folder (`true`) that the program may load modules from; `None` if there is
    /// nothing, or nothing that it may know of.
    pub fn is_module_folder(&self, path: &Path) -> Option<bool> {
        let held = self.module(path, Module::Found).ok()?;
        held.path().metadata().ok().map(|found| found.is_dir())
    }

    /// The path of a module without links.
    ///
    /// # Errors
    /// As [`Permissions::target`].
    pub fn real_module(&self, path: &Path) -> Result<PathBuf, Failure> {
        self.module(path, Module::Found)?.real()
    }
}

/// The policy for files.
struct Files<'a> {
    rules: &'a Rules,
    access: Access,
}

impl Policy for Files<'_> {
    fn covers(&self, place: &Path) -> bool {
        (!self.access.read || self.rules.read.covers(place)) && (!self.access.write || self.rules.write.covers(place))
    }

    fn names_special(&self, place: &Path) -> bool {
        (!self.access.read || self.rules.read.names_special(place))
            && (!self.access.write || self.rules.write.names_special(place))
    }

    fn passes(&self, place: &Path) -> bool {
        self.rules.read.passes(place) || self.rules.write.passes(place)
    }

    fn denied(&self, path: &Path) -> Denied {
        let lacks = |wanted: bool, paths: &Paths| wanted && !paths.covers(path);
        let kind = match (lacks(self.access.read, &self.rules.read), lacks(self.access.write, &self.rules.write)) {
            (false, true) => Kind::Write,
            (true, true) => Kind::ReadWrite,
            _ if !self.access.read => Kind::Write,
            _ => Kind::Read,
        };
        Denied::new(kind, &path.to_string_lossy())
    }
}

/// The policy for modules.
struct Modules<'a> {
    rules: &'a Rules,
    how: Module,
}

impl Policy for Modules<'_> {
    fn covers(&self, place: &Path) -> bool {
        self.rules.read.covers(place) || self.rules.code.covers(place, self.how)
    }

    fn names_special(&self, place: &Path) -> bool {
        self.rules.read.names_special(place)
    }

    fn passes(&self, place: &Path) -> bool {
        self.rules.read.passes(place) || self.rules.code.passes(place)
    }

    fn denied(&self, path: &Path) -> Denied {
        Denied::new(Kind::Read, &path.to_string_lossy())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl From<rustix::io::Errno> for Failure {
    fn from(error: rustix::io::Errno) -> Self {
        Self::System(error.into())
    }
}
