//! An agent cluster for Rust programs: agents that share memory, each on a thread of its own, and the threads of the
//! host.

use std::path::Path;
use std::time::Duration;

use agent::structured::{Data, Serialized};
use island::{Engine, Module};
use platform::{Remote, Script};
use std::sync::Arc;

use crate::limits::Limits;
use crate::portable::{PortableModule, SharedMemory};
use crate::runtime::{Error, RuntimeOptions, new_engine};
use crate::worker_defaults::WorkerDefaults;

/// Agents that can share modules and memories, on one engine. This is a handle: clones are the same cluster, on any
/// thread.
///
/// ```no_run
/// use tombolo::{AgentSpec, Cluster, Data, RuntimeOptions};
///
/// let cluster = Cluster::new(RuntimeOptions::default())?;
/// let source = "import { parentPort } from 'node:worker_threads'; parentPort.on('message', (n) => parentPort.postMessage(n * 2));";
/// let agent = cluster.start(AgentSpec::module("double.mjs", source))?;
/// agent.post(Data::from(21));
/// assert_eq!(agent.receive(None).and_then(|answer| answer.as_number()), Some(42.0));
/// agent.terminate();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Cluster {
    defaults: WorkerDefaults,
}

/// What an agent to be started is like.
#[derive(Debug)]
pub struct AgentSpec {
    script: Script,
    name: String,
    data: Data,
    argv: Vec<String>,
    limits: Limits,
}

impl AgentSpec {
    fn new(script: Script) -> Self {
        Self { script, name: String::new(), data: Data::Undefined, argv: Vec::new(), limits: Limits::default() }
    }

    /// An agent that runs the module in a file.
    pub fn file(path: impl AsRef<Path>) -> Self {
        Self::new(Script::file(path.as_ref()))
    }

    /// An agent that runs a module of this text, as if it were in the current folder under this name.
    pub fn module(name: &str, text: &str) -> Self {
        Self::new(Script::module(name, text))
    }

    /// The thread's name.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }

    /// Sets what the script finds as `workerData` of `node:worker_threads`.
    #[must_use]
    pub fn data(mut self, data: impl Into<Data>) -> Self {
        self.data = data.into();
        self
    }

    /// Sets what follows the script in `process.argv`.
    #[must_use]
    pub fn argv(mut self, argv: impl IntoIterator<Item = String>) -> Self {
        self.argv = argv.into_iter().collect();
        self
    }

    /// What it may use.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

impl Cluster {
    /// A cluster whose agents are made with these options. Of the platform's options, those count that concern every
    /// agent.
    ///
    /// # Errors
    /// When the engine cannot be made.
    pub fn new(options: RuntimeOptions) -> Result<Self, Error> {
        let engine = new_engine(&options.engine)?;
        Ok(Self { defaults: WorkerDefaults::new(engine, &options) })
    }

    /// The engine that all agents share.
    pub fn engine(&self) -> &Engine {
        self.defaults.engine()
    }

    /// A shared memory of `initial` to `maximum` pages of 64 KiB, which every agent and every thread of the host can
    /// have.
    ///
    /// # Errors
    /// When the limits do not fit together, or the system has no memory.
    pub fn shared_memory(&self, initial: u32, maximum: u32) -> Result<SharedMemory, Error> {
        SharedMemory::new(self.engine(), initial, maximum).map_err(|error| Error::Memory(format!("{error:#}")))
    }

    /// A shared memory as data for agents, which see a `WebAssembly.Memory`.
    pub fn memory_data(&self, memory: &SharedMemory) -> Data {
        Data::Platform(Arc::new(memory.clone()))
    }

    /// A compiled module as data for agents, which see a `WebAssembly.Module`.
    pub fn module_data(&self, module: &Module) -> Data {
        Data::Platform(Arc::new(PortableModule::of(module)))
    }

    /// Starts an agent on a thread of its own.
    ///
    /// # Errors
    /// When the system has no thread. Mistakes in the script are errors of the agent ([`AgentHandle::join`]).
    pub fn start(&self, spec: AgentSpec) -> std::io::Result<AgentHandle> {
        let (remote, mut worker) = Remote::new(spec.script, &spec.name, spec.data.into());
        worker.argv = spec.argv;
        worker.env = self.defaults.environment();
        worker.heap_bytes = spec.limits.heap;
        worker.stack_bytes = spec.limits.stack;
        worker.guest_bytes = spec.limits.guest_memory;
        worker.output_bytes = spec.limits.output;
        self.defaults.clone().start(worker)?;
        if let Some(time) = spec.limits.time {
            remote.end_after(time)?;
        }
        Ok(AgentHandle { remote })
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").finish_non_exhaustive()
    }
}

/// An agent that was started. Dropping the handle lets it run on; it ends when nothing is left to do for it.
pub struct AgentHandle {
    remote: Remote,
}

impl std::fmt::Debug for AgentHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AgentHandle").finish_non_exhaustive()
    }
}

/// How an agent ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ended {
    /// Its exit code: 0 if it came to its end, 1 if it was terminated or an error ended it, or a code of its own.
    pub exit_code: i32,
    /// The uncaught error that ended it, with its stack.
    pub error: Option<String>,
}

impl AgentHandle {
    /// Sends a message, which the agent's `parentPort` receives.
    pub fn post(&self, message: impl Into<Data>) {
        self.remote.post(Serialized::from(message.into()));
    }

    /// Sends a message that is serialized already: one that came from another agent, or has a port.
    pub fn post_serialized(&self, message: Serialized) {
        self.remote.post(message);
    }

    /// Waits for the next message that the agent posts to its `parentPort`; `None` if the agent has ended, or when
    /// `patience` is over.
    pub fn receive(&self, patience: Option<Duration>) -> Option<Data> {
        self.receive_serialized(patience).map(Serialized::into_data)
    }

    /// [`AgentHandle::receive`], for a message that is to be handed on as it is.
    pub fn receive_serialized(&self, patience: Option<Duration>) -> Option<Serialized> {
        self.remote.receive(patience)
    }

    /// Stops the task that the agent is running, be it in a script, in a guest's loop or in a wait, with an error that
    /// it cannot catch. The agent goes on with its next task. An agent that runs nothing takes no notice.
    pub fn interrupt(&self) {
        self.remote.interrupt();
    }

    /// Stops the agent for good.
    pub fn terminate(&self) {
        self.remote.terminate();
    }

    /// Waits until the agent has ended and let go of everything that it had.
    pub fn join(self) -> Ended {
        let (exit_code, error) = self.remote.join();
        Ended { exit_code, error }
    }
}
