//! What a guest of WASI finds around it, and why there may be no WASI.

use std::path::PathBuf;
use std::sync::Arc;

use permissions::Permissions;

use crate::wasi::errno::Errno;

/// The module name of preview 1.
pub const PREVIEW1: &str = "wasi_snapshot_preview1";

/// The module name of preview 1's predecessor.
pub const UNSTABLE: &str = "wasi_unstable";

/// Where a guest's standard input comes from.
#[derive(Debug, Default)]
#[non_exhaustive]
pub enum Input {
    /// Nowhere: the input is empty.
    #[default]
    Empty,
    /// The process's own.
    Inherit,
    /// These bytes.
    Bytes(Vec<u8>),
    /// An open file, of whatever kind. The guest reads where the host has stopped, and no more than it asks for.
    File(std::fs::File),
}

/// A function that receives everything a guest writes, in order. Its error is the guest's.
pub type Sink = Arc<dyn Fn(&[u8]) -> std::io::Result<()> + Send + Sync>;

/// Where a guest's standard output, or its standard error, goes.
#[derive(Default)]
#[non_exhaustive]
pub enum Output {
    /// Nowhere.
    #[default]
    Discard,
    /// To the process's own.
    Inherit,
    /// To an open file, of whatever kind.
    File(std::fs::File),
    /// To a function of the host. It runs inside the guest's call and must not enter the island.
    To {
        /// The function.
        sink: Sink,
        /// What the guest is told when it asks whether this is a terminal.
        terminal: bool,
    },
}

/// A guest's surroundings. Empty by default. Fields may be added: construct it with `..Default::default()`.
#[derive(Default)]
pub struct WasiConfig {
    /// The arguments, beginning with the program's name.
    pub args: Vec<String>,
    /// The environment.
    pub env: Vec<(String, String)>,
    /// Directories: the path that the guest sees, and the path on the host that it stands for.
    pub preopens: Vec<(String, PathBuf)>,
    /// What is granted of the directories: those that may only be read are read-only for the guest.
    pub permissions: Permissions,
    /// Standard input.
    pub stdin: Input,
    /// Standard output.
    pub stdout: Output,
    /// Standard error.
    pub stderr: Output,
    /// Is called before the guest uses a file of the host's as one of its first three descriptors, for a host that has
    /// output waiting. It must not enter the island.
    pub before_output: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl WasiConfig {
    /// The process's own standard streams, and nothing else.
    pub fn with_stdio() -> Self {
        Self { stdin: Input::Inherit, stdout: Output::Inherit, stderr: Output::Inherit, ..Self::default() }
    }
}

/// Why WASI is not available.
#[derive(Debug)]
#[non_exhaustive]
pub enum WasiError {
    /// A directory could not be opened.
    Preopen {
        /// The path on the host.
        host: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A directory is not granted.
    Denied(permissions::Denied),
    /// A file that was given for one of the first three descriptors cannot be used.
    Descriptor {
        /// Which.
        number: u32,
        /// Why.
        error: std::io::Error,
    },
    /// WASI has no such function.
    NoFunction {
        /// The module in which it was looked for.
        module: String,
        /// The name.
        name: String,
    },
    /// WASI cannot work on the memory, or the memory belongs to another island.
    NoMemory,
    /// Wasmtime refused a function; the message is Wasmtime's.
    Engine(String),
}

impl std::fmt::Display for WasiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Preopen { host, error } => write!(f, "cannot open the directory {}: {error}", host.display()),
            Self::Denied(denied) => denied.fmt(f),
            Self::Descriptor { number, error } => write!(f, "cannot use the file for descriptor {number}: {error}"),
            Self::NoFunction { module, name } => write!(f, "there is no WASI function {module}.{name}"),
            Self::NoMemory => f.write_str("WASI can only work on a memory of the same island"),
            Self::Engine(message) => write!(f, "WASI cannot be called: {message}"),
        }
    }
}

impl std::error::Error for WasiError {}

impl WasiError {
    /// WASI's number for why a file or a directory cannot be used.
    pub fn errno(&self) -> Option<u16> {
        let (Self::Preopen { error, .. } | Self::Descriptor { error, .. }) = self else { return None };
        let number = error.raw_os_error()?;
        Some(Errno::from(std::io::Error::from_raw_os_error(number)).code())
    }

    pub(crate) fn engine(error: wasmtime::Error) -> Self {
        Self::Engine(format!("{error:#}"))
    }
}
