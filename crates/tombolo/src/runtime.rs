//! The builder that puts the layers together: one agent that runs a program.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use agent::{Agent, AgentOptions};
use island::{Budget, Engine, EngineOptions, Interrupter};
use permissions::Permissions;
use platform::WorkerSpec;
use qjs::define::{self, Attributes};
use qjs::{Ctx, Object, Value};

use crate::limits::{Exceeded, LimitWatch, Limits};
use crate::portable::PLUGINS;
use crate::worker_defaults::WorkerDefaults;

/// What a program's agent is made of. Fields may be added: construct it with `..Default::default()`.
#[derive(Clone)]
pub struct RuntimeOptions {
    /// Bytes of native stack for JavaScript. The thread that runs the agent needs these, [`max_wasm_stack`] and a
    /// megabyte more: see [`Runtime::stack_size`].
    ///
    /// [`max_wasm_stack`]: EngineOptions::max_wasm_stack
    pub max_stack_size: usize,
    /// How guests are compiled and run.
    pub engine: EngineOptions,
    /// Bytes of JavaScript heap, if there is a limit.
    pub memory_limit: Option<usize>,
    /// What it may use, together with its workers.
    pub limits: Limits,
    /// What it may touch, and its workers. For a program that somebody else wrote, begin with [`Permissions::none`], and
    /// name its main module with [`Permissions::program`].
    pub permissions: Permissions,
    /// Puts all instances into one island; see [`js_api::Options::one_island`].
    pub one_island: bool,
    /// The platform: arguments, built-in modules, output.
    pub platform: platform::Options,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        Self {
            max_stack_size: 4 << 20,
            engine: EngineOptions::default(),
            memory_limit: None,
            limits: Limits::default(),
            permissions: Permissions::all(),
            one_island: false,
            platform: platform::Options::default(),
        }
    }
}

/// Why a runtime could not be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// WebAssembly cannot be set up with these options or on this machine: why.
    Engine(String),
    /// A shared memory cannot be had: why.
    Memory(String),
    /// A limit cannot be watched: why.
    Limit(String),
    /// QuickJS could not be set up.
    JavaScript(rquickjs::Error),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Engine(message) => write!(f, "cannot set up WebAssembly: {message}"),
            Self::Memory(message) => write!(f, "cannot make a shared memory: {message}"),
            Self::Limit(message) => write!(f, "cannot watch the time: {message}"),
            Self::JavaScript(error) => write!(f, "cannot set up JavaScript: {error}"),
        }
    }
}

impl std::error::Error for Error {}

/// The engine that these options ask for.
pub(crate) fn new_engine(options: &EngineOptions) -> Result<Engine, Error> {
    Engine::new(options).map_err(|error| Error::Engine(format!("{error:#}")))
}

/// An agent with the whole platform.
///
/// ```no_run
/// use tombolo::{Runtime, RuntimeOptions};
///
/// let mut runtime = Runtime::new(RuntimeOptions::default())?;
/// let outcome = runtime.run_file("app.mjs".as_ref());
/// std::process::exit(outcome.exit_code);
/// # Ok::<(), tombolo::Error>(())
/// ```
pub struct Runtime {
    agent: Agent,
    /// Dropped after the agent.
    _interruption: Interruption,
    watch: LimitWatch,
    _budget: Option<ThreadBudget>,
}

impl Runtime {
    /// The native stack that a thread needs for a runtime with these options.
    pub fn stack_size(options: &RuntimeOptions) -> usize {
        // Compilation and host functions run on top of both.
        let stacks = options.max_stack_size.saturating_add(options.engine.max_wasm_stack);
        stacks.saturating_add(2 << 20)
    }

    /// A runtime on this thread.
    ///
    /// # Errors
    /// When the engine or the context cannot be made.
    pub fn new(options: RuntimeOptions) -> Result<Self, Error> {
        let engine = new_engine(&options.engine)?;
        Self::with_engine(engine, options)
    }

    /// A runtime on this thread, on an engine that it shares with others: agents that exchange modules and memories
    /// share one engine. (The options for an engine are ignored.)
    ///
    /// # Errors
    /// When the context cannot be made.
    pub fn with_engine(engine: Engine, options: RuntimeOptions) -> Result<Self, Error> {
        Self::make(engine, options, None)
    }

    /// A worker's runtime, on its thread.
    ///
    /// # Errors
    /// When the context cannot be made.
    pub(crate) fn of_worker(engine: Engine, options: RuntimeOptions, spec: &mut WorkerSpec) -> Result<Self, Error> {
        Self::make(engine, options, Some(spec))
    }

    fn make(engine: Engine, mut options: RuntimeOptions, worker: Option<&mut WorkerSpec>) -> Result<Self, Error> {
        // Workers' threads must have the stack that this engine gives guests.
        options.engine.max_wasm_stack = engine.max_wasm_stack();
        let limits = match &worker {
            None => std::mem::take(&mut options.limits),
            Some(spec) => Limits { output: spec.output_bytes, ..Limits::default() },
        };
        options.memory_limit = options.memory_limit.into_iter().chain(limits.heap).min();
        options.max_stack_size = limits.stack.unwrap_or(options.max_stack_size);
        let budget = limits.guest_memory.map(ThreadBudget::new);
        let agent_options = AgentOptions { max_stack_size: options.max_stack_size, memory_limit: options.memory_limit };
        let agent = Agent::new(agent_options).map_err(Error::JavaScript)?;
        platform::set_module_loader(&agent);
        let interruption = Interruption::new(&agent);
        let watch = LimitWatch::new(agent.mailbox());
        if let Some(bytes) = limits.output {
            options.platform.output = Some(watch.output(bytes));
        }
        options.platform.permissions = options.permissions.clone();
        let spawn = WorkerDefaults::new(engine.clone(), &options).into_spawn();
        let mut platform_options = options.platform;
        let builtins = std::mem::take(&mut platform_options.builtins);
        platform_options.builtins = builtins.add("tombolo:marshal", js_marshal::module);
        platform_options.spawn.get_or_insert(spawn);
        let mut api = js_api::Options::new(engine);
        api.one_island = options.one_island;
        api.standard_output = platform::guest_output;
        api.response_bytes = Some(platform::response_bytes);
        api.task_sink = Some(Rc::new(Loop(agent.mailbox())));
        let installed = agent.with(|ctx| {
            // This comes before the platform, which changes what `stack` of errors says.
            agent::structured::install(ctx, PLUGINS)?;
            js_api::prepare_errors(ctx)?;
            match worker {
                None => platform::install(ctx, platform_options)?,
                Some(spec) => platform::install_worker(ctx, platform_options, spec)?,
            }
            js_api::install(ctx, api)?;
            js_marshal::prepare(ctx)?;
            define_tombolo(ctx)
        });
        installed.map_err(Error::JavaScript)?;
        agent.on_safe_point(Box::new(|ctx| {
            if let Err(error) = js_marshal::drain_all(ctx) {
                report_later(ctx, error);
            }
        }));
        if !options.permissions.is_all() {
            let restricted = agent.with(|ctx| js_marshal::restrict(ctx, options.permissions));
            restricted.map_err(Error::JavaScript)?;
        }
        if let Some(time) = limits.time {
            watch.end_after(time).map_err(|error| Error::Limit(error.to_string()))?;
        }
        Ok(Self { agent, _interruption: interruption, watch, _budget: budget })
    }

    /// The limit for which the program was terminated, if it was.
    pub fn exceeded(&self) -> Option<Exceeded> {
        self.watch.exceeded()
    }

    /// The agent, for anything that this type does not wrap.
    pub fn agent(&self) -> &Agent {
        &self.agent
    }

    /// Runs a module and the event loop until nothing is left to do. Errors are printed to standard error.
    pub fn run_file(&mut self, path: &Path) -> agent::Outcome {
        let path = path.to_string_lossy().into_owned();
        self.agent.run_task(move |ctx| platform::run_main(ctx, &path));
        self.finish()
    }

    /// Runs the text of a module called `name`, as [`Runtime::run_file`] runs a file's.
    pub fn run_source(&mut self, name: &str, source: &str) -> agent::Outcome {
        let (name, source) = (name.to_owned(), source.to_owned());
        self.agent.run_task(move |ctx| platform::run_source(ctx, &name, &source));
        self.finish()
    }

    /// Runs a program that is no file, as [`Runtime::run_file`] runs a file.
    pub fn run_code(&mut self, code: platform::Code) -> agent::Outcome {
        self.agent.run_task(move |ctx| platform::run_code(ctx, &code));
        self.finish()
    }

    /// Runs a task of the host's as [`Runtime::run_file`] runs a file: what it throws is an uncaught error, and the loop
    /// runs until nothing holds it.
    pub fn run_with(&mut self, task: impl for<'js> FnOnce(&Ctx<'js>) -> rquickjs::Result<()>) -> agent::Outcome {
        self.agent.run_task(task);
        self.finish()
    }

    /// Runs the script of a worker.
    pub(crate) fn run_worker(&self, spec: WorkerSpec) -> agent::Outcome {
        let outcome = platform::run_worker(&self.agent, spec);
        platform::end_workers(&self.agent);
        if marshal::trace::is_on() {
            // Blocks that only garbage holds should not count as blocks that went with their memory.
            self.agent.with(|ctx| {
                ctx.run_gc();
                // If a guest's `free` fails, whoever would hear of it has ended.
                let _ = js_marshal::drain_all(ctx);
            });
        }
        outcome
    }

    /// Runs the loop to its end, and ends the workers that are left.
    fn finish(&self) -> agent::Outcome {
        let outcome = self.agent.run();
        platform::end_workers(&self.agent);
        outcome
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.watch.end();
    }
}

/// The budget of this thread's memories, until the runtime goes.
struct ThreadBudget(Option<Budget>);

impl ThreadBudget {
    fn new(bytes: usize) -> Self {
        let before = island::memory_budget();
        island::set_memory_budget(Some(Budget::new(bytes)));
        Self(before)
    }
}

impl Drop for ThreadBudget {
    fn drop(&mut self) {
        island::set_memory_budget(self.0.take());
    }
}

/// Has guests and waits of this thread stop when its agent does, and go on when it does.
struct Interruption {
    interrupter: Interrupter,
    mailbox: agent::Mailbox,
}

impl Interruption {
    fn new(agent: &Agent) -> Self {
        let interrupter = Interrupter::current();
        let of_hook = interrupter.clone();
        agent.mailbox().on_stop(Arc::new(move |stop| match stop {
            true => of_hook.interrupt(),
            false => of_hook.clear(),
        }));
        Self { interrupter, mailbox: agent.mailbox() }
    }
}

impl Drop for Interruption {
    fn drop(&mut self) {
        // The thread may go on with something else.
        self.mailbox.forget_on_stop();
        self.interrupter.clear();
    }
}

/// An agent's loop, as the JavaScript API uses it.
struct Loop(agent::Mailbox);

impl js_api::TaskSink for Loop {
    fn post(&self) -> js_api::Post {
        let mailbox = self.0.clone();
        Box::new(move |task| {
            // An agent that has ended wants nothing more.
            let _ = mailbox.post(task);
        })
    }

    fn hold(&self) -> Box<dyn std::any::Any> {
        Box::new(self.0.keep_alive())
    }
}

/// Makes an error that happened outside of any task the uncaught error of a task.
fn report_later(ctx: &Ctx<'_>, error: rquickjs::Error) {
    let Ok(event_loop) = agent::EventLoop::of(ctx) else { return };
    let message = match error {
        rquickjs::Error::Exception => {
            let thrown = ctx.catch();
            let message = thrown.as_object().and_then(|object| object.get::<_, String>("message").ok());
            message.unwrap_or_else(|| "a guest's free threw".into())
        }
        error => error.to_string(),
    };
    event_loop.set_immediate(Box::new(move |ctx| Err(qjs::function::throw_error(ctx, &message))));
}

/// `globalThis.tombolo`: what the runtime is, and what only the runtime can tell.
fn define_tombolo(ctx: &Ctx<'_>) -> rquickjs::Result<()> {
    let object = Object::new(ctx.clone())?;
    define::to_string_tag(&object, "tombolo")?;
    let version: Value = rquickjs::String::from_str(ctx.clone(), crate::VERSION)?.into_value();
    define::value(&object, "version", &version, Attributes::Plain)?;
    define::method(&object, "guestMemory", 0, |call| Ok(js_marshal::guest_memory(&call.ctx)?.into_value()))?;
    js_marshal::define_trace(ctx, &object.get("guestMemory")?)?;
    define::value(&ctx.globals(), "tombolo", object.as_value(), Attributes::Hidden)
}
