//! The command line.

mod node_flags;

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ColorChoice, Parser, ValueEnum};
use tombolo::island::{Compiler, Engine, EngineOptions};
use tombolo::{Permissions, Runtime, RuntimeOptions};

use crate::sandbox::{Bounds, Sandbox};
use crate::{bind, cache, compile, completions, inspect, is_lost, progress};

/// Names of the groups of options in `--help`.
mod group {
    pub(super) const CODE: &str = "Code from the command line";
    pub(super) const SCRIPTS: &str = "Scripts";
    pub(super) const WASM: &str = "WebAssembly";
    pub(super) const WASI: &str = "WASI commands";
    pub(super) const REPORTS: &str = "Reports";
}

const TEMPLATE: &str = "\
{about-with-newline}
{usage-heading} {usage}

Commands:
  run          Run FILE, whatever its name is
  repl         Read JavaScript from the terminal, and print what it gives
  inspect      Say what is in a WebAssembly module
  bind         Bind the functions of a C header in a module
  compile      Compile modules before a program needs them
  cache        Look after the compiled code that is kept
  completions  Print completions for a shell

{all-args}{after-help}
";

const USAGE: &str = "\
tombolo [OPTIONS] FILE [ARGS...]
       tombolo [OPTIONS] -e CODE [ARGS...]
       tombolo COMMAND ...";

const EXAMPLES: &str = "\
Examples:
  tombolo app.mjs --port 80          run a program; what follows FILE is its own
  tombolo tool.wasm input.txt        run a WASI command
  tombolo -p 'os.cpus().length'      print the value of an expression
  curl https://x.org/a.js | tombolo  run what comes from a pipe
  tombolo                            read from the terminal (REPL)";

const NOTES: &str = "\
FILE is JavaScript or TypeScript without need for a build (.mjs, .cjs, .js,
.mts, .cts, .ts), JSON, a WASI command (.wasm, .wat), a folder with a
package.json or an index.js, or `-` for standard input.

Exit codes:
  0    the program has ended
  1    an error that nobody caught, or FILE cannot be run
  2    the command line is wrong
  7    a listener for `uncaughtException` threw
  13   a top-level `await` waits for what never comes
  124  --timeout ended the program
  134  a WASI command trapped
  n    process.exit(n), process.exitCode, or what a WASI command returns

Environment:
  NO_COLOR, FORCE_COLOR         never colour, or always
  TOMBOLO_CACHE                 the folder of compiled code, or `off`
  TOMBOLO_CACHE_SIZE            what its files may take, such as 500M
  TOMBOLO_DEBUG                 as --debug-info
  TOMBOLO_REPL_HISTORY          the file of the REPL's history, or `off`";

/// Runs JavaScript with WebAssembly, and WebAssembly programs (WASI)
#[derive(Parser, Debug)]
#[command(
    name = "tombolo",
    version,
    term_width = 80,
    help_template = TEMPLATE,
    override_usage = USAGE,
    after_help = EXAMPLES,
    after_long_help = format!("{EXAMPLES}\n\n{NOTES}"),
)]
pub(crate) struct Command {
    /// Run CODE
    ///
    /// It is CommonJS, or an ES module if it has the syntax of one. Node's
    /// built-in modules are there by their names, such as `fs` and `path`.
    #[arg(short, long, value_name = "CODE", help_heading = group::CODE, verbatim_doc_comment)]
    eval: Option<String>,

    /// Run CODE, and print the value that it has
    #[arg(
        short,
        long,
        value_name = "CODE",
        help_heading = group::CODE,
        num_args = 0..=1,
        require_equals = true
    )]
    print: Option<Option<String>>,

    /// How CODE, or standard input, is read
    ///
    /// `module`, `commonjs`, `module-typescript` or `commonjs-typescript`. If
    /// this is not given, its syntax says.
    #[arg(
        long,
        value_name = "TYPE",
        require_equals = true,
        value_enum,
        hide_possible_values = true,
        help_heading = group::CODE,
        verbatim_doc_comment
    )]
    input_type: Option<InputType>,

    /// Say whether FILE and its imports parse, run nothing
    #[arg(
        short,
        long,
        help_heading = group::CODE,
        requires = "file",
        conflicts_with_all = ["eval", "print", "interactive"]
    )]
    pub(crate) check: bool,

    /// Start the REPL, even if there is no terminal
    #[arg(short, long, help_heading = group::CODE)]
    interactive: bool,

    /// Give scripts `globalThis.gc()`
    #[arg(long, help_heading = group::SCRIPTS)]
    pub(crate) expose_gc: bool,

    /// Put all instances into one island
    ///
    /// Then tables and globals of any two can be linked.
    #[arg(long, help_heading = group::WASM, verbatim_doc_comment)]
    pub(crate) one_island: bool,

    /// How WebAssembly is compiled
    ///
    /// `tiered`, as for scripts, compiles large modules fast at first, and
    /// optimizes them while they run; `optimizing`, as for WASI commands,
    /// optimizes at once; `fast` never does.
    #[arg(
        long,
        value_name = "WAY",
        require_equals = true,
        value_enum,
        hide_possible_values = true,
        help_heading = group::WASM,
        verbatim_doc_comment
    )]
    compiler: Option<CompilerChoice>,

    /// Use compiled code that `tombolo compile -o` made
    ///
    /// It is machine code that is run as it is: name no file that you do
    /// not trust. May be given several times.
    #[arg(long, value_name = "FILE", require_equals = true, help_heading = group::WASM, verbatim_doc_comment)]
    precompiled: Vec<PathBuf>,

    /// Show the source lines of guests in stacks
    ///
    /// For guests that were compiled with debug information (DWARF). The
    /// environment variable TOMBOLO_DEBUG does the same.
    #[arg(long, help_heading = group::WASM, verbatim_doc_comment)]
    debug_info: bool,

    /// Neither use nor keep compiled code of other runs
    #[arg(long, help_heading = group::WASM)]
    pub(crate) no_cache: bool,

    /// Give a WASI command a folder: HOST, or HOST::GUEST
    ///
    /// It sees the folder HOST under the name GUEST, or under its own, and
    /// no longer sees the current folder, as with `--sandbox`. May be given
    /// several times.
    #[arg(long, value_name = "FOLDER", require_equals = true, help_heading = group::WASI, verbatim_doc_comment)]
    dir: Vec<String>,

    #[command(flatten)]
    pub(crate) sandbox: Sandbox,

    #[command(flatten)]
    pub(crate) bounds: Bounds,

    /// Print how much guest memory was used, at the end
    ///
    /// Without a value, how many blocks were allocated, freed and left
    /// alive. `trace` prints which lines of the program made those that
    /// are left, what there was at the peak, and more; `trace:FILE.html`
    /// also writes it to a file, with a chart.
    #[arg(
        long,
        value_name = "HOW",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "sums",
        value_parser = guest_memory,
        help_heading = group::REPORTS,
        verbatim_doc_comment
    )]
    pub(crate) guest_memory: Option<GuestMemory>,

    /// What to run.
    #[arg(value_name = "FILE", hide = true)]
    file: Option<PathBuf>,

    /// What comes after FILE or CODE.
    #[arg(skip)]
    pub(crate) arguments: Vec<String>,

    /// `process.execArgv`.
    #[arg(skip)]
    pub(crate) exec_argv: Vec<String>,

    /// Where this program is.
    #[arg(skip)]
    pub(crate) executable: String,
}

/// How code that is no file is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputType {
    /// As its syntax says.
    #[default]
    #[value(skip)]
    Detected,
    Module,
    Commonjs,
    ModuleTypescript,
    CommonjsTypescript,
}

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// A file or a folder.
    File(PathBuf),
    /// What `-e` or `-p` gave.
    Code { text: String, print: bool },
    /// What comes by standard input.
    Input { print: bool },
    /// What a person types.
    Repl,
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
    /// What is run.
    pub(crate) fn program(&self) -> Program {
        let prints = self.print.is_some();
        match (&self.print, &self.eval, &self.file) {
            (Some(Some(text)), ..) => Program::Code { text: text.clone(), print: true },
            (_, Some(text), _) => Program::Code { text: text.clone(), print: prints },
            (.., Some(file)) if file.as_os_str() == "-" => Program::Input { print: prints },
            (.., Some(file)) => Program::File(file.clone()),
            (None, ..) if self.interactive || std::io::stdin().is_terminal() => Program::Repl,
            _ => Program::Input { print: prints },
        }
    }

    /// The file of a WASI command, if one is run.
    pub(crate) fn wasi_command(&self) -> Option<&Path> {
        let file = self.file.as_deref().filter(|_| self.print.is_none() && self.eval.is_none())?;
        file.extension().is_some_and(|extension| extension == "wasm" || extension == "wat").then_some(file)
    }

    /// `process.argv`.
    fn argv(&self, program: &Program) -> Vec<String> {
        let mut argv = vec![self.executable.clone()];
        match (program, &self.file) {
            (Program::File(file), _) => {
                let path = std::path::absolute(file).unwrap_or_else(|_| file.clone());
                argv.push(path.to_string_lossy().into_owned());
            }
            (_, Some(file)) => argv.push(file.to_string_lossy().into_owned()),
            (_, None) => {}
        }
        argv.extend(self.arguments.iter().cloned());
        argv
    }

    /// How the runtime of a script is made.
    ///
    /// # Errors
    /// What is wrong with the permissions that were given.
    pub(crate) fn runtime_options(&self, program: &Program) -> Result<RuntimeOptions, String> {
        let mut options = RuntimeOptions { one_island: self.one_island, ..RuntimeOptions::default() };
        options.platform.argv = self.argv(program);
        options.platform.exec_argv = self.exec_argv.clone();
        options.platform.exec_path = self.executable.clone();
        options.platform.expose_gc = self.expose_gc;
        options.limits = self.bounds.limits();
        let file = match program {
            Program::File(file) => Some(file.as_path()),
            _ => None,
        };
        // What is machine code for later runs is protected.
        options.permissions = self.code().into_iter().fold(self.sandbox.permissions(file)?, Permissions::protect);
        Ok(options)
    }

    /// Files and folders whose content is run as it is.
    fn code(&self) -> Vec<PathBuf> {
        cache::folder_of_programs().into_iter().chain(self.precompiled.iter().cloned()).collect()
    }

    /// How code that is no file is read.
    pub(crate) fn input_type(&self) -> InputType {
        self.input_type.unwrap_or_default()
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

    fn engine_options(&self) -> EngineOptions {
        let cache = if self.no_cache { None } else { cache::of_programs() };
        let compiler = match self.compiler {
            // There is one instance, for which what comes later comes too late.
            None if self.wasi_command().is_some() => Compiler::Optimizing,
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
}

/// What the command line asks for.
pub(crate) enum Task {
    /// A program to run.
    Run(Box<Command>),
    /// `tombolo bind`
    Bind(bind::Command),
    /// `tombolo cache`
    Cache(cache::Command),
    /// `tombolo compile`
    Compile(compile::Command),
    /// `tombolo completions`
    Completions(completions::Command),
    /// `tombolo inspect`
    Inspect(inspect::Command),
}

/// Reads the command line. For `--help`, `--version` and mistakes, prints and returns the exit code.
pub(crate) fn parse() -> Result<Task, ExitCode> {
    let mut args: Vec<_> = std::env::args_os().collect();
    // A file of one of these names is run as `./run`.
    match args.get(1).and_then(|arg| arg.to_str()) {
        Some("bind") => return read(args.split_off(1)).map(Task::Bind),
        Some("cache") => return read(args.split_off(1)).map(Task::Cache),
        Some("compile") => return read(args.split_off(1)).map(Task::Compile),
        Some("completions") => return read(args.split_off(1)).map(Task::Completions),
        Some("inspect") => return read(args.split_off(1)).map(Task::Inspect),
        Some("repl") => args[1] = "--interactive".into(),
        // This is what happens anyway.
        Some("run") => drop(args.remove(1)),
        _ => {}
    }
    let line = Line::split(&args);
    let mut command: Command = read(line.options)?;
    command.exec_argv = line.exec_argv;
    command.arguments = line.arguments;
    command.executable = lossy(std::env::current_exe().unwrap_or_default().as_os_str());
    Ok(Task::Run(Box::new(command)))
}

/// The command line of a program.
struct Line {
    /// What is ours to read, with FILE at its end.
    options: Vec<OsString>,
    /// Our options as they were written.
    exec_argv: Vec<String>,
    /// What belongs to the program: whatever comes after FILE or CODE, flags and all.
    arguments: Vec<String>,
}

impl Line {
    fn split(args: &[OsString]) -> Self {
        let mut rest = args.iter().peekable();
        let mut options: Vec<OsString> = rest.next().cloned().into_iter().collect();
        let mut ends = false;
        while let Some(arg) = rest.next_if(|arg| is_option(arg)) {
            // The value of a flag comes after `=`, but for the code of those that Node has too.
            let is_value = |next: &&OsString| !is_option(next) && *next != "-";
            match arg.to_str() {
                Some("--") => {
                    ends = true;
                    break;
                }
                Some("-pe") => {
                    options.extend(["--print".into(), "--eval".into()]);
                    options.extend(rest.next_if(is_value).cloned());
                }
                Some("-e" | "--eval") => {
                    options.push(arg.clone());
                    options.extend(rest.next_if(is_value).cloned());
                }
                Some("-p" | "--print") => {
                    options.push("--print".into());
                    options.extend(rest.next_if(is_value).map(|code| joined("--eval=", code)));
                }
                Some("--input-type") => match rest.next_if(is_value) {
                    Some(value) => options.push(joined("--input-type=", value)),
                    None => options.push(arg.clone()),
                },
                // What Node calls them; they are not worth a line of the help.
                Some("-v") => options.push("--version".into()),
                Some("--expose_gc") => options.push("--expose-gc".into()),
                _ => options.push(arg.clone()),
            }
        }
        let taken = args.len() - rest.len() - usize::from(ends);
        let exec_argv = args[..taken].iter().skip(1).map(|arg| lossy(arg)).collect();
        if let Some(file) = rest.next() {
            options.extend(["--".into(), file.clone()]);
        }
        Self { options, exec_argv, arguments: rest.map(|arg| lossy(arg)).collect() }
    }
}

/// Whether an argument before FILE is an option. (`-` stands for a file, an empty argument for code.)
fn is_option(arg: &OsString) -> bool {
    let bytes = arg.as_encoded_bytes();
    bytes.len() > 1 && bytes[0] == b'-'
}

fn joined(flag: &str, value: &OsString) -> OsString {
    let mut all = OsString::from(flag);
    all.push(value);
    all
}

fn lossy(text: &std::ffi::OsStr) -> String {
    text.to_string_lossy().into_owned()
}

fn read<T: Parser>(args: Vec<OsString>) -> Result<T, ExitCode> {
    let mut command = T::command();
    // What colours what programs print colours this too; otherwise the terminal decides.
    if let Some(forced) = std::env::var_os("FORCE_COLOR") {
        command = command.color(if forced == "0" { ColorChoice::Never } else { ColorChoice::Always });
    }
    let parsed = command.try_get_matches_from_mut(args).and_then(|matches| T::from_arg_matches(&matches));
    parsed.map_err(|mut error| {
        if error.kind() == ErrorKind::UnknownArgument
            && let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg)
            && let Some(hint) = node_flags::hint(flag)
        {
            error.remove(ContextKind::SuggestedArg);
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![hint.into()]));
        }
        let failed = error.use_stderr();
        let lost = is_lost(error.print());
        ExitCode::from(if failed { 2 } else { u8::from(lost) })
    })
}
