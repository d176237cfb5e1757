//! What is said when something was not granted.

use std::fmt;
use std::io;

/// Something that a program may not do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Denied {
    /// What kind of thing.
    pub kind: Kind,
    /// Which: a path, a name, a host.
    pub resource: String,
}

/// What a permission is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Reading files.
    Read,
    /// Changing files.
    Write,
    /// Both, of the same file.
    ReadWrite,
    /// Changing any file.
    AnyWrite,
    /// What names the machine and its user.
    System,
    /// Starting programs.
    Run,
    /// Starting programs with an environment that changes what they load.
    RunAny,
    /// Signals to processes.
    Signal,
    /// Connecting to hosts.
    Net,
    /// Starting workers.
    Workers,
}

impl Denied {
    pub(crate) fn new(kind: Kind, resource: &str) -> Self {
        Self { kind, resource: resource.to_owned() }
    }

    /// A file may not be changed.
    pub fn write(file: &std::path::Path) -> Self {
        Self::new(Kind::Write, &file.to_string_lossy())
    }

    /// The name of the permission, as Node's errors have it.
    pub fn permission(&self) -> &'static str {
        match self.kind {
            Kind::Read => "FileSystemRead",
            Kind::Write | Kind::AnyWrite => "FileSystemWrite",
            Kind::ReadWrite => "FileSystem",
            Kind::System => "System",
            Kind::Run | Kind::RunAny | Kind::Signal => "ChildProcess",
            Kind::Net => "Net",
            Kind::Workers => "WorkerThreads",
        }
    }

    /// The flags of the command that grant it.
    pub fn flag(&self) -> String {
        let resource = self.resource.replace(',', ",,");
        match self.kind {
            Kind::Read => format!("--allow-read={resource}"),
            Kind::Write => format!("--allow-write={resource}"),
            Kind::ReadWrite => format!("--allow-read={resource} --allow-write={resource}"),
            Kind::AnyWrite => "--allow-write".into(),
            Kind::System => "--allow-env".into(),
            Kind::Run => format!("--allow-run={resource}"),
            Kind::RunAny | Kind::Signal => "--allow-run".into(),
            Kind::Net => format!("--allow-net={resource}"),
            Kind::Workers => "--allow-workers".into(),
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resource = &self.resource;
        match self.kind {
            Kind::Read => write!(f, "No permission to read '{resource}'"),
            Kind::Write => write!(f, "No permission to write to '{resource}'"),
            Kind::ReadWrite => write!(f, "No permission to read and write '{resource}'"),
            Kind::Run => write!(f, "No permission to run '{resource}'"),
            Kind::RunAny => write!(f, "No permission to run a program with '{resource}' in its environment"),
            Kind::Net => write!(f, "No permission to connect to '{resource}'"),
            Kind::Workers => f.write_str("No permission to start workers"),
            Kind::AnyWrite | Kind::System | Kind::Signal => write!(f, "No permission for {resource}"),
        }?;
        write!(f, ". Use {} to allow it.", self.flag())
    }
}

impl std::error::Error for Denied {}

/// Why a file cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// It was not granted.
    Denied(Denied),
    /// The system says so.
    System(io::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(denied) => denied.fmt(f),
            Self::System(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}
