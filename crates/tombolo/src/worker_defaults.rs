//! What the agents of a program have in common, and how one starts another.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use island::{Budget, Engine};
use platform::{Spawn, WorkerSpec};

use crate::{Runtime, RuntimeOptions};

/// Agents that were started as workers, for the names of those that have none.
static STARTED: AtomicU32 = AtomicU32::new(0);

/// Where address space is short, agents are made one after another, so that each sees what the others have left.
static MAKING: Mutex<()> = Mutex::new(());

/// What Node calls the thread of a worker that was given no name.
const NODES_NAME: &str = "WorkerThread";

/// The most stack that JavaScript can be given.
const MOST_STACK: usize = 16 << 20;

/// What a worker gets of the agent that starts it, where its specification does not say otherwise. Goes to the worker's
/// thread.
#[derive(Clone)]
pub(crate) struct WorkerDefaults {
    engine: Engine,
    options: RuntimeOptions,
    /// Of the memories of the agent's guests, with those of its workers.
    budget: Option<Budget>,
}

impl WorkerDefaults {
    /// Those of an agent with these options.
    pub(crate) fn new(engine: Engine, options: &RuntimeOptions) -> Self {
        let mut options = options.clone();
        // A worker starts its own with what itself was given.
        options.platform.spawn = None;
        let budget = options.limits.guest_memory.take().map(Budget::new).or_else(island::memory_budget);
        options.memory_limit = options.memory_limit.into_iter().chain(options.limits.heap).min();
        options.max_stack_size = options.limits.stack.unwrap_or(options.max_stack_size);
        Self { engine, options, budget }
    }

    /// Starts workers with what this has.
    pub(crate) fn into_spawn(self) -> Spawn {
        Arc::new(move |spec| self.clone().start(spec))
    }

    /// The variables of the process that the agent's permissions grant.
    pub(crate) fn environment(&self) -> platform::Environment {
        platform::Environment::granted(&self.options.permissions)
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Starts the thread of a worker.
    pub(crate) fn start(mut self, mut spec: WorkerSpec) -> std::io::Result<()> {
        self.specify(&mut spec);
        let number = STARTED.fetch_add(1, Ordering::Relaxed) + 1;
        let name = if spec.name.is_empty() { "worker".into() } else { spec.name.replace('\0', "") };
        let traced_as = match &*spec.name {
            "" | NODES_NAME => format!("worker {number}"),
            _ => name.clone(),
        };
        // The system shows no more of it than this; the name may be as long as a script likes.
        let shown = name.floor_char_boundary(64);
        let stack_size = Runtime::stack_size(&self.options);
        let thread = std::thread::Builder::new().name(name[..shown].into()).stack_size(stack_size);
        let run = move || {
            marshal::trace::name_agent(&traced_as);
            self.run(spec);
        };
        thread.spawn(run).map(drop)
    }

    /// Makes these what the worker gets. It has no more than the agent that starts it.
    fn specify(&mut self, spec: &mut WorkerSpec) {
        let options = &mut self.options;
        options.memory_limit = spec.heap_bytes.into_iter().chain(options.memory_limit).min();
        spec.heap_bytes = options.memory_limit;
        // The engine checks nothing above that.
        options.max_stack_size = spec.stack_bytes.unwrap_or(options.max_stack_size).min(MOST_STACK);
        self.budget = spec.guest_bytes.map(Budget::new).or(self.budget.take());
    }

    /// The whole life of a worker, on its thread.
    fn run(self, mut spec: WorkerSpec) {
        // The last handle tells the parent that everything has ended, so it goes last.
        let worker = spec.worker().clone();
        island::set_memory_budget(self.budget);
        let making = data_block::is_short().then(|| MAKING.lock().unwrap_or_else(|e| e.into_inner()));
        if data_block::is_exhausted() {
            return worker.fail("there is no memory left for another agent");
        }
        let made = Runtime::of_worker(self.engine, self.options, &mut spec);
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
