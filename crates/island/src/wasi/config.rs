//! What a guest of WASI finds around it, and why it cannot.

use std::path::PathBuf;
use std::sync::Arc;

/// The module name of preview 1.
pub const PREVIEW1: &str = "wasi_snapshot_preview1";

/// The module name of what came before it.
pub const UNSTABLE: &str = "wasi_unstable";

/// Where a guest's standard input comes from.
#[derive(Debug, Default)]
#[non_exhaustive]
pub enum Input {
    /// Nowhere: it is at its end.
    #[default]
    Empty,
    /// The process's own.
    Inherit,
    /// These bytes.
    Bytes(Vec<u8>),
    /// An open file.
    File(std::fs::File),
}

/// A function that takes what a guest wrote, all of it, in order.
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

/// What a guest finds around it. Nothing by default. Fields may be added: construct it with `..Default::default()`.
#[derive(Default)]
pub struct WasiConfig {
    /// The arguments, the program's name first.
    pub args: Vec<String>,
    /// The environment.
    pub env: Vec<(String, String)>,
    /// Directories: the path that the guest sees, and the one it stands for.
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

/// Why WASI cannot be had.
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
    /// The context serves another island already. Its open files and directories live in that island's store, so two
    /// islands need a context each.
    OtherIsland,
    /// WASI has no such function.
    NoFunction {
        /// The module that it was looked for in.
        module: String,
        /// The name.
        name: String,
    },
    /// The memory is not one that WASI can work on, or of another island.
    NoMemory,
    /// Wasmtime refused what stands between a function and its caller's memory: in its words.
    Engine(String),
    /// The system lets no more threads or files be opened, and WASI needs some for itself.
    NoThreads(std::io::Error),
}

impl std::fmt::Display for WasiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Preopen { host, message } => write!(f, "cannot open the directory {}: {message}", host.display()),
            Self::OtherIsland => f.write_str("the WASI context is in use by instances that this one is not linked to"),
            Self::NoFunction { module, name } => write!(f, "there is no WASI function {module}.{name}"),
            Self::NoThreads(error) => write!(f, "cannot start the threads of WASI: {error}"),
            Self::NoMemory => f.write_str("WASI works on a memory of the same island; something else was given"),
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
