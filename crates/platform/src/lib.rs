//! The platform of an agent: globals, `process`, the console, ES modules and the `node:` modules.
//!
//! [`install`] defines the globals of a context that an [`agent::Agent`] made, [`set_module_loader`] gives its runtime
//! Node's module resolution, and [`run_main`] starts a program. Nearly everything is made when it is first used:
//! globals are accessors that replace themselves, and JavaScript files are compiled when something needs them.
//!
//! What may block (file operations whose result a callback or promise gets) is done by other threads of the process,
//! and settles in a turn of the agent's loop.

mod features;
mod globals;
mod internal;
mod modules;
mod node;
mod web;

use std::{
    cell::{Cell, RefCell},
    io::Write,
    rc::Rc,
    sync::{Arc, Mutex},
};

use agent::{Agent, EventLoop};
use permissions::Permissions;
use rquickjs::{Ctx, Value};

pub use internal::report::report_uncaught;
pub use internal::stdio::{OutputLimit, before_output, lost_output};
pub use modules::{
    BuiltinFn, Builtins, Code, CodeKind, ModuleLoader, ModuleResolver, check_file, run_code, run_main, run_source,
};
pub use node::process::environment::Environment;
pub use node::process::has_colors;
pub use node::wasi::guest_output;
use node::workers::OwnWorker;
pub use node::workers::{Remote, Script, Spawn, Worker, WorkerSpec, end_workers, run_worker};
pub use web::blob::blob_steps;

/// The bytes of a Response, for `js_api::Options::response_bytes`.
///
/// # Errors
/// Throws only when the engine does; a source that is not a Response gives a rejected promise.
pub fn response_bytes<'js>(ctx: &Ctx<'js>, source: Value<'js>, place: &str) -> rquickjs::Result<Value<'js>> {
    internal::function(ctx, "fetch", "wasmBytes")?.call((source, place))
}

/// A read–eval–print loop, apart from its prompt.
pub mod repl {
    pub use crate::node::repl::{Done, begin, complete, evaluate, exit, give_up, is_incomplete};
}

use internal::state::{Platform, State};
use internal::{primordials, report, stdio};
use node::{fs, wasi, workers};

/// The value of `process.versions.node`, by which packages choose their code paths.
pub const NODE_VERSION: &str = "26.0.0";

/// A destination for output, perhaps of several agents.
pub type Stream = Arc<Mutex<dyn Write + Send>>;

/// How the platform of an agent differs from another's. Fields may be added: construct it with `..Default::default()`.
#[derive(Clone)]
pub struct Options {
    /// `process.argv`: the program, the main module, its arguments.
    pub argv: Vec<String>,
    /// `process.execPath`.
    pub exec_path: String,
    /// Whether there is a `globalThis.gc`.
    pub expose_gc: bool,
    /// Whether an uncaught error is printed to standard error.
    pub report_errors: bool,
    /// The built-in modules.
    pub builtins: Builtins,
    /// Where standard output goes; `None` for descriptor 1.
    pub stdout: Option<Stream>,
    /// Where standard error goes; `None` for descriptor 2.
    pub stderr: Option<Stream>,
    /// `process.execArgv`.
    pub exec_argv: Vec<String>,
    /// `process.env`; `None` for a copy of the process's own.
    pub env: Option<Environment>,
    /// How much the agent and its workers may write to standard output and standard error.
    pub output: Option<OutputLimit>,
    /// What the agent may do, and the workers that it starts.
    pub permissions: Permissions,
    /// Starts the thread of a worker; if there is no such function, there can be no workers.
    pub spawn: Option<Spawn>,
}

impl Options {
    /// Turns the options of the agent that starts a worker into the worker's own.
    fn set_worker(&mut self, spec: &mut WorkerSpec) {
        self.argv = vec![self.exec_path.clone(), spec.script_name()];
        self.argv.append(&mut spec.argv);
        self.exec_argv = std::mem::take(&mut spec.exec_argv);
        self.env = Some(spec.env.clone());
        for (at, stream) in [&mut self.stdout, &mut self.stderr].into_iter().enumerate() {
            if spec.captured[at] {
                *stream = Some(workers::captured(spec, at as u8 + 1));
            }
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("argv", &self.argv).finish_non_exhaustive()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            argv: Vec::new(),
            exec_path: String::new(),
            expose_gc: false,
            report_errors: true,
            builtins: Builtins::default(),
            stdout: None,
            stderr: None,
            exec_argv: Vec::new(),
            env: None,
            output: None,
            permissions: Permissions::all(),
            spawn: None,
        }
    }
}

/// Defines the globals in a context of an agent and takes over the hooks of its loop.
///
/// # Errors
/// Throws when the context does not belong to an agent, or the engine is out of memory.
pub fn install(ctx: &Ctx<'_>, options: Options) -> rquickjs::Result<()> {
    install_as(ctx, options, [false; 2], None)
}

/// [`install`] for a worker: `options` are those of the agent that starts it, and `spec` says what is different.
///
/// # Errors
/// As [`install`].
pub fn install_worker(ctx: &Ctx<'_>, mut options: Options, spec: &mut WorkerSpec) -> rquickjs::Result<()> {
    options.set_worker(spec);
    install_as(ctx, options, spec.captured, Some(workers::own_worker(spec)))
}

fn install_as(
    ctx: &Ctx<'_>,
    mut options: Options,
    captured: [bool; 2],
    own_worker: Option<OwnWorker>,
) -> rquickjs::Result<()> {
    let event_loop = EventLoop::of(ctx)?;
    // (What goes to a parent is counted there.)
    let limits = captured.map(|captured| options.output.clone().filter(|_| !captured));
    let files = fs::Files::new(options.permissions.clone());
    let state = State {
        stdio: stdio::Stdio::new(options.stdout.take(), options.stderr.take(), limits, event_loop.clone()),
        builtins: std::mem::take(&mut options.builtins),
        own_worker,
        environment: options.env.take().unwrap_or_else(|| Environment::granted(&options.permissions)),
        workers: workers::Workers::default(),
        options,
        internals: RefCell::default(),
        pristine: primordials::capture(ctx)?,
        loaded: RefCell::default(),
        stash: RefCell::default(),
        packages: RefCell::default(),
        linking: modules::Linking::default(),
        wasm_modules: RefCell::default(),
        main: RefCell::default(),
        main_url: RefCell::default(),
        code: RefCell::default(),
        indent: Cell::new(0),
        main_failed: Cell::new(false),
        has_made_room: Cell::new(false),
        survives_errors: Cell::new(false),
        files,
        pending: internal::background::Pending::default(),
    };
    let platform = Platform::install(ctx, state)?;
    wasi::set_current(&platform);
    event_loop.set_hooks(Rc::new(report::PlatformHooks));
    let stdio = platform.clone();
    event_loop.on_safe_point(Box::new(move |_| stdio.stdio.flush()));
    internal::require(ctx, "stack")?;
    web::intl::methods::define(ctx)?;
    globals::define(ctx)
}

/// Gives the agent's runtime Node's module resolution and loading.
pub fn set_module_loader(agent: &Agent) {
    agent.runtime().set_loader(ModuleResolver, ModuleLoader);
}

/// Writes what the console has buffered; for native functions that are about to block or to write something themselves.
///
/// # Errors
/// Throws when the context has no platform.
pub fn flush(ctx: &Ctx<'_>) -> rquickjs::Result<()> {
    Platform::of(ctx)?.stdio.flush();
    Ok(())
}
