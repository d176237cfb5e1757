//! What the agents of a program have in common, and how one starts another.

use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use island::{Budget, Engine, EngineOptions};
use platform::{Builtins, Spawn, Stream, WorkerSpec};

use crate::{Runtime, RuntimeOptions};

/// Agents that were started as workers, for the names of those that have none.
static STARTED: AtomicU32 = AtomicU32::new(0);

/// Where address space is short, agents are made one after another, so that each sees what the others have left.
static MAKING: Mutex<()> = Mutex::new(());

/// What Node calls the thread of a worker that was given no name.
const NODES_NAME: &str = "WorkerThread";

/// The most stack that JavaScript can be given.
const MOST_STACK: usize = 16 << 20;

/// What a worker inherits from the agent that starts it. Goes to the worker's thread.
#[derive(Clone)]
pub(crate) struct Family {
    engine: Engine,
    engine_options: EngineOptions,
    max_stack_size: usize,
    memory_limit: Option<usize>,
    budget: Option<Budget>,
    one_island: bool,
    exec_path: String,
    expose_gc: bool,
    report_errors: bool,
    builtins: Builtins,
    stdout: Option<Stream>,
    stderr: Option<Stream>,
}

impl Family {
    pub(crate) fn new(engine: Engine, options: &RuntimeOptions) -> Self {
        let platform = &options.platform;
        Self {
            engine,
            engine_options: options.engine.clone(),
            max_stack_size: options.max_stack_size,
            memory_limit: options.memory_limit,
            budget: island::memory_budget(),
            one_island: options.one_island,
            exec_path: platform.exec_path.clone(),
            expose_gc: platform.expose_gc,
            report_errors: platform.report_errors,
            builtins: platform.builtins.clone(),
            stdout: platform.stdout.clone(),
            stderr: platform.stderr.clone(),
        }
    }

    /// Starts workers with what this has.
    pub(crate) fn into_spawn(self) -> Spawn {
        Rc::new(move |spec| self.clone().start(spec))
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Starts the thread of a worker.
    pub(crate) fn start(self, spec: WorkerSpec) -> std::io::Result<()> {
        let options = self.options(&spec);
        let number = STARTED.fetch_add(1, Ordering::Relaxed) + 1;
        let name = if spec.name.is_empty() { "worker".into() } else { spec.name.replace('\0', "") };
        let traced_as = match &*spec.name {
            "" | NODES_NAME => format!("worker {number}"),
            _ => name.clone(),
        };
        // The system shows no more of it than this; the name may be as long as a script likes.
        let shown = name.floor_char_boundary(64);
        let thread = std::thread::Builder::new().name(name[..shown].into()).stack_size(Runtime::stack_size(&options));
        drop(options);
        let run = move || {
            marshal::trace::name_agent(&traced_as);
            self.run(spec);
        };
        thread.spawn(run).map(drop)
    }

    fn options(&self, spec: &WorkerSpec) -> RuntimeOptions {
        let platform = platform::Options {
            argv: vec![self.exec_path.clone()],
            exec_path: self.exec_path.clone(),
            expose_gc: self.expose_gc,
            report_errors: self.report_errors,
            builtins: self.builtins.clone(),
            stdout: self.stdout.clone(),
            stderr: self.stderr.clone(),
            ..platform::Options::default()
        };
        RuntimeOptions {
            // The engine checks nothing above that.
            max_stack_size: spec.stack_bytes.unwrap_or(self.max_stack_size).min(MOST_STACK),
            engine: self.engine_options.clone(),
            memory_limit: spec.heap_bytes,
            one_island: self.one_island,
            platform,
        }
    }

    /// The whole life of a worker, on its thread.
    fn run(self, mut spec: WorkerSpec) {
        // The last handle tells the parent that everything has ended, so it goes last.
        let worker = spec.worker().clone();
        // What an agent starts has no more than the agent itself.
        spec.heap_bytes = spec.heap_bytes.into_iter().chain(self.memory_limit).min();
        island::set_memory_budget(spec.guest_bytes.map(Budget::new).or(self.budget.clone()));
        let mut options = self.options(&spec);
        options.platform.set_worker(&mut spec);
        let making = data_block::is_short().then(|| MAKING.lock().unwrap_or_else(|e| e.into_inner()));
        if data_block::is_exhausted() {
            return worker.fail("there is no memory left for another agent");
        }
        let made = Runtime::with_engine(self.engine.clone(), options);
        drop(making);
        match made {
            Ok(runtime) => {
                if worker.attach(runtime.agent().mailbox()) {
                    runtime.run_worker(spec);
                }
            }
            Err(error) => worker.fail(&error.to_string()),
        }
    }
}
