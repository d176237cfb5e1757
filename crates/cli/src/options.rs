//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use tombolo::island::{Compiler, Engine, EngineOptions};
use tombolo::{Runtime, RuntimeOptions};

use crate::sandbox::{Bounds, Sandbox};
use crate::{bind, cache, compile, is_lost, progress};

/// Runs JavaScript modules with WebAssembly, and WebAssembly programs (WASI).
#[derive(Parser, Debug)]
#[command(
    name = "tombolo",
    version,
    override_usage = "tombolo [OPTIONS] FILE [ARGS...]\n       tombolo run [OPTIONS] FILE [ARGS...]\n       \
                      tombolo bind [-o FILE] HEADER MODULE\n       \
                      tombolo compile [-o OUTPUT] FILE...\n       tombolo cache ls|size|clear|path",
    after_help = "FILE is an ES module (.mjs, .js) or a WASI command (.wasm, .wat).\n\
                  A command sees the current folder as `.`, the environment and ARGS.\n\
                  Compiled WebAssembly is kept for later runs; `tombolo cache --help` says where."
)]
pub(crate) struct Command {
    /// Print how many blocks of guest memory were allocated, freed and left alive, when the program has ended.
    /// `=trace` prints which lines of the program made those that are left, what there was at the peak, and more;
    /// `=trace:FILE.html` also writes it to a file, with a chart
    #[arg(
        long,
        value_name = "trace[:FILE.html]",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "sums",
        value_parser = guest_memory
    )]
    pub(crate) guest_memory: Option<GuestMemory>,

    /// Give scripts `globalThis.gc()`
    #[arg(long)]
    pub(crate) expose_gc: bool,

    /// Put all instances into one island, so that tables and globals of any two can be linked
    #[arg(long)]
    pub(crate) one_island: bool,

    /// How WebAssembly is compiled: `tiered`, as for scripts, compiles large modules fast at first, and optimizes them
    /// while they run; `optimizing`, as for WASI commands, optimizes at once; `fast` never does
    #[arg(long, value_name = "WAY", require_equals = true, value_enum)]
    compiler: Option<CompilerChoice>,

    /// Use the compiled code in FILE, which `tombolo compile -o FILE` made. It is machine code that is run as it is: name
    /// no file that you do not trust. May be given several times
    #[arg(long, value_name = "FILE", require_equals = true)]
    precompiled: Vec<PathBuf>,

    /// Show where in their source the functions of guests are, if they were compiled with debug information (DWARF). The
    /// environment variable TOMBOLO_DEBUG does the same
    #[arg(long)]
    debug_info: bool,

    /// Neither use nor keep compiled code of other runs
    #[arg(long)]
    pub(crate) no_cache: bool,

    /// Give a WASI command the folder HOST under the name GUEST, or under its own; then it does not see the current
    /// folder, as it does not with `--sandbox`. May be given several times
    #[arg(long, value_name = "HOST[::GUEST]", require_equals = true)]
    dir: Vec<String>,

    #[command(flatten)]
    pub(crate) sandbox: Sandbox,

    #[command(flatten)]
    pub(crate) bounds: Bounds,

    /// What to run
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Arguments for the program: whatever comes after FILE
    #[arg(skip)]
    pub(crate) arguments: Vec<String>,

    /// Where this program is.
    #[arg(skip)]
    pub(crate) executable: String,
}

/// A [`Compiler`] by its name.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum CompilerChoice {
    Tiered,
    Optimizing,
    Fast,
}

/// What is printed of guest memory when the program has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GuestMemory {
    /// One line.
    Sums,
    /// A trace.
    Trace {
        /// Where its chart goes.
        chart: Option<PathBuf>,
    },
}

fn guest_memory(value: &str) -> Result<GuestMemory, String> {
    match value.split_once(':') {
        None if value == "sums" => Ok(GuestMemory::Sums),
        None if value == "trace" => Ok(GuestMemory::Trace { chart: None }),
        Some(("trace", "")) => Err("a file name is missing after `trace:`".into()),
        Some(("trace", file)) => Ok(GuestMemory::Trace { chart: Some(file.into()) }),
        _ => Err("expected `trace` or `trace:FILE.html`, or no value".into()),
    }
}

/// Bytes of native stack for guests: eight times the default, because the frames of what is compiled fast are up to five
/// times as large, and packages are written for the depth that they find elsewhere.
const GUEST_STACK: usize = 8 << 20;

impl Task {
    /// The native stack that its thread needs.
    pub(crate) fn stack_size(&self) -> usize {
        let given = match self {
            Self::Run(command) => command.bounds.max_stack,
            _ => None,
        };
        let engine = EngineOptions { max_wasm_stack: given.unwrap_or(GUEST_STACK), ..EngineOptions::default() };
        let mut options = RuntimeOptions { engine, ..RuntimeOptions::default() };
        options.max_stack_size = given.unwrap_or(options.max_stack_size);
        Runtime::stack_size(&options)
    }
}

impl Command {
    pub(crate) fn is_wasm(&self) -> bool {
        self.file.extension().is_some_and(|extension| extension == "wasm" || extension == "wat")
    }

    /// What compiles and runs guests.
    pub(crate) fn new_engine(&self) -> Result<Engine, String> {
        let engine =
            Engine::new(&self.engine_options()).map_err(|error| format!("cannot set up WebAssembly: {error:#}"))?;
        for file in &self.precompiled {
            // SAFETY: whoever wrote the command line answers for the file, as `--help` says.
            unsafe { engine.deserialize_file(file) }.map_err(|error| format!("{}: {error}", file.display()))?;
        }
        Ok(engine)
    }

    /// Files and folders whose content is run as it is.
    pub(crate) fn code(&self) -> Vec<PathBuf> {
        cache::folder_of_programs().into_iter().chain(self.precompiled.iter().cloned()).collect()
    }

    fn engine_options(&self) -> EngineOptions {
        let cache = if self.no_cache { None } else { cache::of_programs() };
        let compiler = match self.compiler {
            // There is one instance, for which what comes later comes too late.
            None if self.is_wasm() => Compiler::Optimizing,
            None | Some(CompilerChoice::Tiered) => Compiler::Tiered,
            Some(CompilerChoice::Optimizing) => Compiler::Optimizing,
            Some(CompilerChoice::Fast) => Compiler::Fast,
        };
        let on_slow_compile = progress::of_compiling(cache.is_some());
        // As of other such variables, any value but none will do.
        let debug_info = self.debug_info || std::env::var_os("TOMBOLO_DEBUG").is_some_and(|value| !value.is_empty());
        let max_wasm_stack = self.bounds.max_stack.unwrap_or(GUEST_STACK);
        EngineOptions { cache, compiler, on_slow_compile, debug_info, max_wasm_stack, ..EngineOptions::default() }
    }

    /// The folders that a WASI command sees: the name there, and the path here.
    pub(crate) fn directories(&self) -> Vec<(String, PathBuf)> {
        if self.dir.is_empty() {
            if self.sandbox.sandbox {
                return Vec::new();
            }
            return vec![(".".into(), ".".into())];
        }
        let split = |dir: &String| match dir.split_once("::") {
            Some((host, guest)) => (guest.to_string(), host.into()),
            None => (dir.clone(), dir.into()),
        };
        self.dir.iter().map(split).collect()
    }

    /// The file's path as `process.argv` has it.
    pub(crate) fn absolute_file(&self) -> String {
        let path = std::path::absolute(&self.file).unwrap_or_else(|_| self.file.clone());
        path.to_string_lossy().into_owned()
    }
}

/// What the command line asks for.
pub(crate) enum Task {
    /// A program to run.
    Run(Command),
    /// `tombolo bind`
    Bind(bind::Command),
    /// `tombolo cache`
    Cache(cache::Command),
    /// `tombolo compile`
    Compile(compile::Command),
}

/// Reads the command line. For `--help`, `--version` and mistakes, prints and returns the exit code.
pub(crate) fn parse() -> Result<Task, ExitCode> {
    let mut args: Vec<_> = std::env::args_os().collect();
    // A file of one of these names is run as `./run`.
    match args.get(1).and_then(|arg| arg.to_str()) {
        Some("bind") => return read(args.split_off(1)).map(Task::Bind),
        Some("cache") => return read(args.split_off(1)).map(Task::Cache),
        Some("compile") => return read(args.split_off(1)).map(Task::Compile),
        // This is what happens anyway.
        Some("run") => drop(args.remove(1)),
        _ => {}
    }
    // What comes after FILE belongs to the program, flags and all. (The value of a flag of ours comes after `=`.)
    let file = args.iter().skip(1).position(|arg| !arg.to_string_lossy().starts_with('-'));
    let arguments = file.map(|at| args.split_off(at + 2)).unwrap_or_default();
    let mut command: Command = read(args)?;
    command.arguments = arguments.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let executable = std::env::current_exe().unwrap_or_default();
    command.executable = executable.to_string_lossy().into_owned();
    Ok(Task::Run(command))
}

fn read<T: Parser>(args: Vec<OsString>) -> Result<T, ExitCode> {
    T::try_parse_from(args).map_err(|error| {
        let failed = error.use_stderr();
        let lost = is_lost(error.print());
        ExitCode::from(if failed { 2 } else { u8::from(lost) })
    })
}
