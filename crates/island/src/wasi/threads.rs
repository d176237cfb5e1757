//! WASI threads (the wasi-threads proposal): a program whose `thread-spawn` import starts a system thread with an
//! instance of its own on the program's one shared memory.
//!
//! Who owns what on which thread: each thread has an island with an instance; the memory, the module, the WASI context
//! and the program's [`Program`] are shared.
//!
//! `proc_exit` or a trap in any thread ends the program, and so does the return of `_start`: the other threads are
//! interrupted, in a loop or in a wait.

use std::rc::Rc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use wasmtime::{Extern, ExternType, Func, FuncType, SharedMemory, Val, ValType};

use crate::call::function::Callee;
use crate::call::host::{HostFrame, HostFunction};
use crate::call::island::{InstantiateError, Island};
use crate::call::numbers::{Frame, Number};
use crate::call::trap::{CallError, HostThrew};
use crate::engine::Engine;
use crate::engine::module::Module;
use crate::memory::interrupt::Interrupter;
use crate::wasi::config::{PREVIEW1, UNSTABLE, WasiConfig};
use crate::wasi::context::WasiContext;
use crate::wasi::link::Precedence;

/// The import module of `thread-spawn`.
const THREADS: &str = "wasi";

/// The highest thread id that the proposal allows.
const MOST_THREADS: i32 = 0x1fff_ffff;

/// What `thread-spawn` returns instead of a thread id if there is no thread.
const NO_THREAD: i32 = -1;

/// How long the other threads of a program that has ended may take to notice.
const PATIENCE: Duration = Duration::from_secs(1);

/// Why a program failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum ProgramError {
    /// It cannot be run, because its imports or exports do not fit.
    Setup(String),
    /// It exited with this code.
    Exit(i32),
    /// A thread trapped: the message with its stack.
    Trap(String),
}

impl std::fmt::Display for ProgramError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Setup(message) | Self::Trap(message) => f.write_str(message),
            Self::Exit(code) => write!(f, "the program exited with code {code}"),
        }
    }
}

impl std::error::Error for ProgramError {}

impl From<CallError> for ProgramError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Exit(code) => Self::Exit(code),
            error => Self::Trap(error.to_string()),
        }
    }
}

impl From<InstantiateError> for ProgramError {
    fn from(error: InstantiateError) -> Self {
        match error {
            InstantiateError::Call(error) => error.into(),
            error => Self::Setup(error.to_string()),
        }
    }
}

/// Whether a module is a program with threads, that is, imports `wasi.thread-spawn`.
pub fn has_threads(module: &Module) -> bool {
    module.imports().iter().any(|import| import.module == THREADS && import.name == "thread-spawn")
}

/// What all threads of a program share.
struct Program {
    engine: Engine,
    module: Module,
    memory: SharedMemory,
    context: WasiContext,
    last_thread: AtomicI32,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    running: Vec<(i32, Interrupter)>,
    /// How the program ended, once it has.
    ended: Option<Result<(), ProgramError>>,
}

impl Program {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Ends the program, unless it has ended already: every thread is interrupted.
    fn end(&self, how: Result<(), ProgramError>) {
        let mut state = self.lock();
        state.ended.get_or_insert(how);
        // Under the lock, so that no thread is interrupted that has left.
        state.running.iter().for_each(|(_, interrupter)| interrupter.interrupt());
    }

    /// Registers the calling thread as one of the program's. Returns false if the program has ended.
    fn enter(&self, thread: i32) -> bool {
        let mut state = self.lock();
        let goes_on = state.ended.is_none();
        if goes_on {
            state.running.push((thread, Interrupter::current()));
        }
        goes_on
    }

    fn leave(&self, thread: i32) {
        self.lock().running.retain(|(other, _)| *other != thread);
        self.changed.notify_all();
    }

    /// `thread-spawn`: returns the new thread's id, or a negative number.
    fn spawn(self: &Arc<Self>, argument: i32) -> i32 {
        let thread = self.last_thread.fetch_add(1, Ordering::Relaxed) + 1;
        if thread > MOST_THREADS || data_block::is_exhausted() {
            return NO_THREAD;
        }
        let program = self.clone();
        let stack = self.engine.max_wasm_stack + (2 << 20);
        // Waits until the thread has what it needs: if many are spawned, each has to see what the earlier ones have
        // left.
        let (ready, is_ready) = std::sync::mpsc::channel();
        let body = move || {
            if program.enter(thread) {
                let island = Island::new(&program.engine);
                // A program that gets no thread goes on.
                if let Ok(imports) = program.imports(&island) {
                    let _ = ready.send(());
                    if let Err(error) = program.run_thread(&island, &imports, thread, argument) {
                        program.end(Err(error));
                    }
                }
                drop((island, ready));
                program.leave(thread);
            }
        };
        let spawned = std::thread::Builder::new().name(format!("wasi-{thread}")).stack_size(stack).spawn(body);
        if spawned.is_ok() && is_ready.recv().is_ok() { thread } else { NO_THREAD }
    }

    fn run_thread(
        &self,
        island: &Rc<Island>,
        imports: &[Extern],
        thread: i32,
        argument: i32,
    ) -> Result<(), ProgramError> {
        let instance = island.instantiate(&self.module, imports)?;
        let start = island.enter(|store| instance.get_func(store, "wasi_thread_start"));
        let start = start.ok_or_else(|| ProgramError::Setup("it exports no function `wasi_thread_start`".into()))?;
        Ok(island.call_values(start, &[Val::I32(thread), Val::I32(argument)], &mut [])?)
    }

    /// Everything that the module imports.
    fn imports(self: &Arc<Self>, island: &Rc<Island>) -> Result<Vec<Extern>, ProgramError> {
        let setup = |error: &dyn std::fmt::Display| ProgramError::Setup(error.to_string());
        let memory = Extern::SharedMemory(self.memory.clone());
        island.wasi_memory(&self.context, memory, Precedence::Always).map_err(|error| setup(&error))?;
        let mut imports = Vec::new();
        for import in self.module.imports() {
            imports.push(match (&*import.module, &*import.name, &import.ty) {
                (_, _, ExternType::Memory(_)) => Extern::SharedMemory(self.memory.clone()),
                (THREADS, "thread-spawn", _) => self.spawn_function(island)?.into(),
                (module @ (PREVIEW1 | UNSTABLE), name, _) => {
                    let function = island.wasi_function(&self.context, module, name);
                    function.map_err(|error| setup(&error))?.into()
                }
                (module, name, _) => {
                    return Err(ProgramError::Setup(format!("it imports {module}.{name}, which is not part of WASI")));
                }
            });
        }
        Ok(imports)
    }

    fn spawn_function(self: &Arc<Self>, island: &Rc<Island>) -> Result<Func, ProgramError> {
        struct Spawn(Arc<Program>);
        impl HostFunction for Spawn {
            fn call_numeric(&self, _: &Rc<Island>, frame: &mut HostFrame<'_>) -> Result<(), HostThrew> {
                let argument = frame.args().next().map_or(0, |argument| argument.as_address() as i32);
                frame.push(Number::I32(self.0.spawn(argument)));
                Ok(())
            }

            fn call_values(&self, _: &Rc<Island>, _: &[Val], _: &mut [Val]) -> Result<(), HostThrew> {
                Err(HostThrew)
            }
        }
        let ty = FuncType::new(&self.engine.inner, [ValType::I32], [ValType::I32]);
        let function = island.new_function(ty, Rc::new(Spawn(self.clone())));
        function.ok_or_else(|| ProgramError::Setup("its module belongs to another engine".into()))
    }
}

/// Runs a program with threads: its `_start`, on the calling thread.
///
/// # Errors
/// [`ProgramError`].
pub fn run(engine: &Engine, module: &Module, config: WasiConfig) -> Result<(), ProgramError> {
    let memory = module.imports().iter().find_map(|import| match &import.ty {
        ExternType::Memory(ty) if ty.is_shared() => Some(ty.clone()),
        _ => None,
    });
    let memory = memory.ok_or_else(|| ProgramError::Setup("it has threads but imports no shared memory".into()))?;
    let setup = |error: &dyn std::fmt::Display| ProgramError::Setup(error.to_string());
    let context = WasiContext::new(config).map_err(|error| setup(&error))?;
    let program = Arc::new(Program {
        engine: engine.clone(),
        module: module.clone(),
        memory: engine.new_shared_memory(&memory).map_err(|error| setup(&error))?,
        context,
        last_thread: AtomicI32::new(0),
        state: Mutex::default(),
        changed: Condvar::new(),
    });
    let was_interrupted = Interrupter::current().is_raised();
    program.enter(0);
    let island = Island::new(engine);
    let instance = program.imports(&island).and_then(|imports| Ok(island.instantiate(&program.module, &imports)?));
    let how = instance.and_then(|instance| {
        let entry = island.enter(|store| instance.get_func(store, "_start"));
        let callee = entry
            .and_then(|entry| Callee::new(&island, entry))
            .ok_or_else(|| ProgramError::Setup("it is not a WASI command: it exports no function `_start`".into()))?;
        let ty = callee.numeric().filter(|ty| ty.params.is_empty() && ty.results.is_empty());
        let ty = ty.ok_or_else(|| {
            ProgramError::Setup(format!("`_start` must have no parameters or results, but its type is {}", callee.ty()))
        })?;
        Ok(island.call_numeric(&callee, &mut Frame::new(ty))?)
    });
    program.end(how);
    program.leave(0);
    if !was_interrupted {
        Interrupter::current().clear();
    }
    let state = program.lock();
    // Threads that cannot be interrupted in what they are doing are left behind.
    let waited = program.changed.wait_timeout_while(state, PATIENCE, |state| !state.running.is_empty());
    let mut state = waited.map(|(state, _)| state).unwrap_or_else(|e| e.into_inner().0);
    state.ended.take().unwrap_or(Ok(()))
}
