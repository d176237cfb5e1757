//! What a guest of WASI finds around it, and why there may be no WASI.

use std::path::PathBuf;
use std::sync::Arc;

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
    /// An open file.
    File(std::fs::File),
}

/// A function that receives everything a guest writes, in order.
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
    /// Standard input.
    pub stdin: Input,
    /// Standard output.
    pub stdout: Output,
    /// Standard error.
    pub stderr: Output,
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
        message: String,
    },
    /// The context already serves another island. Its open files and directories live in that island's store, so two
    /// islands need a context each.
    OtherIsland,
    /// WASI has no such function.
    NoFunction {
        /// The module in which it was looked for.
        module: String,
        /// The name.
        name: String,
    },
    /// WASI cannot work on the memory, or the memory belongs to another island.
    NoMemory,
    /// Wasmtime refused the module between a function and its caller's memory; the message is Wasmtime's.
    Engine(String),
    /// The system does not allow more threads or files, and WASI needs some for itself.
    NoThreads(std::io::Error),
}

impl std::fmt::Display for WasiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Preopen { host, message } => write!(f, "cannot open the directory {}: {message}", host.display()),
            Self::OtherIsland => f.write_str("the WASI context is in use by instances that this one is not linked to"),
            Self::NoFunction { module, name } => write!(f, "there is no WASI function {module}.{name}"),
            Self::NoThreads(error) => write!(f, "cannot start the threads of WASI: {error}"),
            Self::NoMemory => f.write_str("WASI can only work on a memory of the same island"),
            Self::Engine(message) => write!(f, "WASI cannot be called: {message}"),
        }
    }
}

impl std::error::Error for WasiError {}

impl WasiError {
    pub(crate) fn engine(error: wasmtime::Error) -> Self {
        Self::Engine(format!("{error:#}"))
    }
}
