//! A WASI context in a store, and the functions that work on it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, TryLockError};
use std::time::Duration;

use wasmtime::{Extern, Func, Linker, Val};
use wasmtime_wasi::cli::InputFile;
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p2::pipe::{ClosedInputStream, MemoryInputPipe};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use crate::call::function::{Callee, HostFrame, HostFunction};
use crate::call::island::{Island, StoreState};
use crate::call::numbers::{Frame, NumericType};
use crate::call::trap::HostThrew;
use crate::engine::Engine;
use crate::memory::interrupt::Interrupter;
use crate::wasi::adapter::adapt;
use crate::wasi::config::{Input, Output, PREVIEW1, UNSTABLE, WasiConfig, WasiError};
use crate::wasi::sink::SinkStream;
use crate::wasi::stdin::Stdin;
use crate::wasi::{runtime, sleep};

/// A guest's surroundings: its open files and directories, arguments, environment. This is a handle: clones are the
/// same context.
///
/// It serves all instances of one island, the first that [uses](Island::wasi_function) it, and moves into that island's
/// store; using it in a second island is [`WasiError::OtherIsland`]. (Wasmtime asks for exclusive access to the context
/// through the store of the calling guest, so one context cannot soundly be in two stores.)
#[derive(Clone)]
pub struct WasiContext {
    home: Rc<RefCell<Home>>,
}

/// Where a context is.
enum Home {
    Unused(Box<WasiP1Ctx>),
    Used { island: Weak<Island>, index: usize },
}

impl WasiContext {
    /// Makes a context. The directories are opened now.
    ///
    /// # Errors
    /// [`WasiError::Preopen`].
    pub fn new(config: WasiConfig) -> Result<Self, WasiError> {
        Ok(Self { home: Rc::new(RefCell::new(Home::Unused(build(config)?))) })
    }
}

fn build(config: WasiConfig) -> Result<Box<WasiP1Ctx>, WasiError> {
    let mut builder = WasiCtxBuilder::new();
    // Guests run on threads that may block.
    builder.allow_blocking_current_thread(true).args(&config.args).envs(&config.env);
    for (guest, host) in config.preopens {
        if let Err(error) = builder.preopened_dir(&host, guest, FsPerms::ReadWrite) {
            return Err(WasiError::Preopen { host, message: error.root_cause().to_string() });
        }
    }
    match config.stdin {
        Input::Empty => builder.stdin(ClosedInputStream),
        Input::Inherit => builder.stdin(Stdin),
        Input::Bytes(bytes) => builder.stdin(MemoryInputPipe::new(bytes)),
        Input::File(file) => builder.stdin(InputFile::new(file)),
    };
    match config.stdout {
        Output::Discard => builder.stdout(SinkStream { sink: Arc::new(|_| Ok(())), terminal: false }),
        Output::Inherit => builder.inherit_stdout(),
        Output::To { sink, terminal } => builder.stdout(SinkStream { sink, terminal }),
    };
    match config.stderr {
        Output::Discard => builder.stderr(SinkStream { sink: Arc::new(|_| Ok(())), terminal: false }),
        Output::Inherit => builder.inherit_stderr(),
        Output::To { sink, terminal } => builder.stderr(SinkStream { sink, terminal }),
    };
    Ok(Box::new(builder.build_p1()))
}

/// A context whose open files are shared by the threads of a program: it serves one call at a time.
#[derive(Clone)]
pub(crate) struct SharedWasi(Arc<Mutex<Box<WasiP1Ctx>>>);

impl SharedWasi {
    pub(crate) fn new(config: WasiConfig) -> Result<Self, WasiError> {
        Ok(Self(Arc::new(Mutex::new(build(config)?))))
    }
}

/// A function of WASI that uses open files, for one of several threads.
struct SharedFunction {
    files: SharedWasi,
    /// The index of the thread's own context in the store's state.
    index: usize,
    /// Whether the first argument is a descriptor.
    takes_descriptor: bool,
    callee: Callee,
}

impl SharedFunction {
    /// Takes the files as soon as no other thread has them, unless the program ends meanwhile.
    fn lock(&self) -> Result<MutexGuard<'_, Box<WasiP1Ctx>>, HostThrew> {
        let interrupter = Interrupter::current();
        loop {
            match self.files.0.try_lock() {
                Ok(files) => return Ok(files),
                Err(TryLockError::Poisoned(files)) => return Ok(files.into_inner()),
                Err(TryLockError::WouldBlock) if interrupter.is_raised() => return Err(HostThrew),
                Err(TryLockError::WouldBlock) => std::thread::park_timeout(Duration::from_micros(200)),
            }
        }
    }
}

impl HostFunction for SharedFunction {
    fn call_numeric(&self, island: &Rc<Island>, frame: &mut HostFrame<'_>) -> Result<(), HostThrew> {
        let mut call = Frame::new(self.callee.numeric().ok_or(HostThrew)?);
        frame.args().for_each(|argument| call.push(argument));
        // Every thread has the standard streams itself: a thread that waits for input does not hold up the others.
        let is_standard = frame.args().next().is_some_and(|descriptor| descriptor.as_address() <= 2);
        let result = match self.takes_descriptor && is_standard {
            true => island.call_numeric(&self.callee, &mut call),
            false => {
                let mut files = self.lock()?;
                let mut exchange = || {
                    island
                        .enter(|mut store| std::mem::swap(&mut state(store.data_mut(), self.index).context, &mut files))
                };
                exchange();
                let result = island.call_numeric(&self.callee, &mut call);
                exchange();
                result
            }
        };
        result.map_err(|_| HostThrew)?;
        for at in 0..frame.results().len() {
            frame.push(call.result(at));
        }
        Ok(())
    }

    fn call_values(&self, _: &Rc<Island>, _: &[Val], _: &mut [Val]) -> Result<(), HostThrew> {
        Err(HostThrew)
    }
}

impl std::fmt::Debug for WasiContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let used = matches!(*self.home.borrow(), Home::Used { .. });
        f.debug_struct("WasiContext").field("used", &used).finish_non_exhaustive()
    }
}

/// One of a store's WASI contexts.
struct WasiState {
    context: Box<WasiP1Ctx>,
    /// The functions, which find the context at this state's own index.
    linker: Arc<Linker<StoreState>>,
    /// The functions that were asked for: each is made once per store.
    functions: HashMap<(&'static str, String), Func>,
}

/// The WASI context of a store at an index.
fn state(store: &mut StoreState, index: usize) -> &mut WasiState {
    &mut store.extensions.slot::<Vec<WasiState>>()[index]
}

fn linker(engine: &wasmtime::Engine, index: usize) -> wasmtime::Result<Linker<StoreState>> {
    let mut linker = Linker::<StoreState>::new(engine);
    wasmtime_wasi::p1::add_to_linker_sync(&mut linker, move |store: &mut StoreState| {
        &mut *state(store, index).context
    })?;
    wasmtime_wasi::p0::add_to_linker_sync(&mut linker, move |store: &mut StoreState| {
        &mut *state(store, index).context
    })?;
    Ok(linker)
}

/// The names and types of the functions of [`PREVIEW1`] or [`UNSTABLE`], sorted by name; none for any other module.
pub fn functions(engine: &Engine, module: &str) -> &'static [(String, NumericType)] {
    static FUNCTIONS: OnceLock<[Vec<(String, NumericType)>; 2]> = OnceLock::new();
    let lists = FUNCTIONS.get_or_init(|| {
        let island = Island::new(engine);
        let Ok(linker) = linker(engine.wasmtime(), 0) else { return [Vec::new(), Vec::new()] };
        island.enter(|mut store| {
            [PREVIEW1, UNSTABLE].map(|wanted| {
                let all: Vec<_> = linker.iter(&mut store).map(|(m, n, e)| (m.to_string(), n.to_string(), e)).collect();
                let mut functions: Vec<_> = all
                    .into_iter()
                    .filter(|(module, ..)| module == wanted)
                    .filter_map(|(_, name, item)| Some((name, NumericType::of(&item.into_func()?.ty(&store))?)))
                    .collect();
                functions.sort_by(|a, b| a.0.cmp(&b.0));
                functions
            })
        })
    });
    match module {
        PREVIEW1 => &lists[0],
        UNSTABLE => &lists[1],
        _ => &[],
    }
}

impl Island {
    /// The WASI function for an import `module.name`. The guest that calls it must export its memory as `memory`;
    /// otherwise the call fails, and so does a direct call by the host (for which there is [`Island::wasi_call`]).
    ///
    /// # Errors
    /// [`WasiError::NoFunction`] and [`WasiError::OtherIsland`].
    pub fn wasi_function(self: &Rc<Self>, context: &WasiContext, module: &str, name: &str) -> Result<Func, WasiError> {
        let no_function = || WasiError::NoFunction { module: module.into(), name: name.into() };
        let module = match module {
            PREVIEW1 => PREVIEW1,
            UNSTABLE => UNSTABLE,
            _ => return Err(no_function()),
        };
        let index = self.wasi_index(context)?;
        self.enter(|mut store| {
            let key = (module, name.to_string());
            let known = state(store.data_mut(), index);
            if let Some(&func) = known.functions.get(&key) {
                return Ok(func);
            }
            let linker = known.linker.clone();
            let found = linker.get(&mut store, module, name).ok().and_then(Extern::into_func);
            let mut func = found.ok_or_else(no_function)?;
            if (module, name) == (PREVIEW1, "poll_oneoff") {
                func = sleep::poll_oneoff(&mut store, self.engine().clone(), func).map_err(WasiError::engine)?;
            }
            state(store.data_mut(), index).functions.insert(key, func);
            Ok(func)
        })
    }

    /// The WASI function for an import of one of several threads, which share open files; everything else belongs to
    /// the thread.
    ///
    /// # Errors
    /// As [`Island::wasi_function`].
    pub(crate) fn wasi_shared_function(
        self: &Rc<Self>,
        own: &WasiContext,
        files: &SharedWasi,
        memory: Extern,
        module: &str,
        name: &str,
    ) -> Result<Func, WasiError> {
        let uses_files = ["fd_", "path_", "sock_"].iter().any(|start| name.starts_with(start));
        if !uses_files {
            return self.wasi_function(own, module, name);
        }
        let callee = self.wasi_call(own, memory, module, name)?;
        let ty = callee.ty().clone();
        let (index, takes_descriptor) = (self.wasi_index(own)?, name.starts_with("fd_"));
        let function = SharedFunction { files: files.clone(), index, takes_descriptor, callee };
        self.new_function(ty, Rc::new(function)).ok_or(WasiError::NoMemory)
    }

    /// The WASI function `module.name` for the host to call, on the given memory, which must belong to this island.
    ///
    /// A WASI function uses the memory that its caller exports, so this makes a caller: a module with one function.
    /// That costs a small compilation, so keep the result.
    ///
    /// # Errors
    /// As [`Island::wasi_function`]; [`WasiError::NoMemory`] when `memory` is not a memory of this island.
    pub fn wasi_call(
        self: &Rc<Self>,
        context: &WasiContext,
        memory: Extern,
        module: &str,
        name: &str,
    ) -> Result<Callee, WasiError> {
        if let Extern::Memory(memory) = &memory
            && !self.owns(memory)
        {
            return Err(WasiError::NoMemory);
        }
        let func = self.wasi_function(context, module, name)?;
        let call = self.enter(|store| adapt(store, self.engine(), memory, func))?;
        Callee::new(self, call).ok_or(WasiError::NoMemory)
    }

    /// The index of the context in the store's state; the context moves there at its first use.
    fn wasi_index(self: &Rc<Self>, context: &WasiContext) -> Result<usize, WasiError> {
        let mut home = context.home.borrow_mut();
        if let Home::Used { island, index } = &*home {
            let here = std::ptr::eq(island.as_ptr(), Rc::as_ptr(self));
            return if here { Ok(*index) } else { Err(WasiError::OtherIsland) };
        }
        runtime::start().map_err(WasiError::NoThreads)?;
        let index = self.enter(|mut store| store.data_mut().extensions.slot::<Vec<WasiState>>().len());
        let linker = Arc::new(linker(&self.engine().inner, index).map_err(WasiError::engine)?);
        let before = std::mem::replace(&mut *home, Home::Used { island: Rc::downgrade(self), index });
        let Home::Unused(context) = before else { unreachable!("the other case returned") };
        let state = WasiState { context, linker, functions: HashMap::new() };
        self.enter(|mut store| store.data_mut().extensions.slot::<Vec<WasiState>>().push(state));
        Ok(index)
    }
}
