//! WASI preview 1 by `wasmtime-wasi`, linked natively: a guest's call goes to Rust without a detour.
//!
//! The functions of `wasi_snapshot_preview1` are there, and those of its predecessor `wasi_unstable` with that one's own
//! layouts (Node hands out the newer functions under both names).
//!
//! Blocking happens on the calling thread, by a Tokio runtime that `wasmtime-wasi` starts at the first call that needs
//! one; so these functions must be called from outside any async context, as agents' threads are.
//!
//! Output that is [inherited](Output::Inherit) goes through [`std::io::stdout`] and [`std::io::stderr`] and is flushed at
//! the end of every write, so it is in order with what the host prints through the same two.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, TryLockError};
use std::task::{Context, Poll};
use std::time::Duration;

use wasmtime::{AsContextMut, Extern, Func, Instance, Linker, Val};
use wasmtime_wasi::cli::{InputFile, IsTerminal, StdoutStream};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p2::pipe::{ClosedInputStream, MemoryInputPipe};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use crate::call::island::{Island, StoreState};
use crate::call::numbers::{Callee, Frame, HostFrame, HostFunction, HostThrew, Kind, NumericType};
use crate::engine::Engine;
use crate::engine::threads::start_wasi;
use crate::memory::interrupt::Interrupter;
use crate::wasi::sleep;

/// The module name of preview 1.
pub const PREVIEW1: &str = "wasi_snapshot_preview1";

/// The module name of what came before it.
pub const UNSTABLE: &str = "wasi_unstable";

/// Where a guest's standard input comes from.
#[derive(Debug, Default)]
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

/// What a guest finds around it. Nothing by default.
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

/// A guest's surroundings: its open files and directories, arguments, environment. A handle; clones are the same.
///
/// It serves all instances of one island, the first that [uses](Island::wasi_function) it, and moves into that island's
/// store; using it in a second one is [`WasiError::OtherIsland`]. (Wasmtime asks for exclusive access to it through the
/// store that the calling guest is in, so it cannot soundly be in two.)
#[derive(Clone)]
pub struct WasiContext {
    place: Rc<RefCell<Place>>,
}

enum Place {
    Unused(Box<WasiP1Ctx>),
    Used { island: Weak<Island>, index: usize },
}

impl WasiContext {
    /// A context. The directories are opened now.
    ///
    /// # Errors
    /// [`WasiError::Preopen`].
    pub fn new(config: WasiConfig) -> Result<Self, WasiError> {
        Ok(Self { place: Rc::new(RefCell::new(Place::Unused(build(config)?))) })
    }
}

/// A context whose open files the threads of a program share: it serves one call at a time.
#[derive(Clone)]
pub(crate) struct SharedWasi(Arc<Mutex<Box<WasiP1Ctx>>>);

impl SharedWasi {
    pub(crate) fn new(config: WasiConfig) -> Result<Self, WasiError> {
        Ok(Self(Arc::new(Mutex::new(build(config)?))))
    }
}

/// A function of WASI that uses open files, for one thread of several.
struct SharedFunction {
    files: SharedWasi,
    /// Where in the store's state the thread's own context is.
    index: usize,
    /// Whether the first argument is one.
    takes_descriptor: bool,
    callee: Callee,
}

impl SharedFunction {
    /// The files, when no other thread has them, unless the program ends meanwhile.
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
        // The standard streams are every thread's: one that waits for input holds up nobody.
        let is_standard = frame.args().next().is_some_and(|descriptor| descriptor.as_address() <= 2);
        let result = match self.takes_descriptor && is_standard {
            true => island.call_numeric(&self.callee, &mut call),
            false => {
                let mut files = self.lock()?;
                let mut exchange = || {
                    island.enter(|mut store| std::mem::swap(&mut store.data_mut().wasi[self.index].context, &mut files))
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
        Input::Inherit => builder.stdin(crate::wasi::stdin::Stdin),
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

impl std::fmt::Debug for WasiContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let used = matches!(*self.place.borrow(), Place::Used { .. });
        f.debug_struct("WasiContext").field("used", &used).finish_non_exhaustive()
    }
}

/// One WASI context of a store.
pub(crate) struct WasiState {
    context: Box<WasiP1Ctx>,
    /// The functions, which find the context at this state's own index.
    linker: Arc<Linker<StoreState>>,
    /// Those that were asked for: each is made once in a store.
    functions: HashMap<(&'static str, String), Func>,
}

impl StoreState {
    fn wasi(&mut self, index: usize) -> &mut WasiP1Ctx {
        &mut self.wasi[index].context
    }
}

fn linker(engine: &wasmtime::Engine, index: usize) -> wasmtime::Result<Linker<StoreState>> {
    let mut linker = Linker::<StoreState>::new(engine);
    wasmtime_wasi::p1::add_to_linker_sync(&mut linker, move |state: &mut StoreState| state.wasi(index))?;
    wasmtime_wasi::p0::add_to_linker_sync(&mut linker, move |state: &mut StoreState| state.wasi(index))?;
    Ok(linker)
}

/// The names and types of a module's functions, [`PREVIEW1`]'s or [`UNSTABLE`]'s, sorted by name; none of any other's.
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
    /// The WASI function for an import `module.name`. The guest that calls it must export its memory as `memory`; the
    /// call fails otherwise, as it does for a host that calls it directly (see [`Island::wasi_call`]).
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
            if let Some(&func) = store.data().wasi[index].functions.get(&key) {
                return Ok(func);
            }
            let linker = store.data().wasi[index].linker.clone();
            let found = linker.get(&mut store, module, name).ok().and_then(Extern::into_func);
            let mut func = found.ok_or_else(no_function)?;
            if (module, name) == (PREVIEW1, "poll_oneoff") {
                func = sleep::poll_oneoff(&mut store, self.engine().clone(), func).map_err(WasiError::engine)?;
            }
            store.data_mut().wasi[index].functions.insert(key, func);
            Ok(func)
        })
    }

    /// The WASI function for an import of a thread of several, which share open files; the others are the thread's own.
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

    /// The WASI function `module.name` for the host to call, on the memory that is given, which must be of this island.
    ///
    /// A WASI function takes the memory that its caller exports, so this makes a caller: a module of one function.
    /// That costs a small compilation; keep the result.
    ///
    /// # Errors
    /// As [`Island::wasi_function`]; [`WasiError::NoMemory`] when `memory` is none.
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

    /// Where in the store's state the context is; it moves in when it has not been used.
    fn wasi_index(self: &Rc<Self>, context: &WasiContext) -> Result<usize, WasiError> {
        let mut place = context.place.borrow_mut();
        if let Place::Used { island, index } = &*place {
            let here = std::ptr::eq(island.as_ptr(), Rc::as_ptr(self));
            return if here { Ok(*index) } else { Err(WasiError::OtherIsland) };
        }
        start_wasi().map_err(WasiError::NoThreads)?;
        let index = self.enter(|store| store.data().wasi.len());
        let linker = Arc::new(linker(&self.engine().inner, index).map_err(WasiError::engine)?);
        let before = std::mem::replace(&mut *place, Place::Used { island: Rc::downgrade(self), index });
        let Place::Unused(context) = before else { unreachable!("the other case returned") };
        let state = WasiState { context, linker, functions: HashMap::new() };
        self.enter(|mut store| store.data_mut().wasi.push(state));
        Ok(index)
    }
}

/// A function of WASI for a host to call on `memory`, which is of the store.
///
/// # Errors
/// [`WasiError::NoMemory`] when it is no memory; [`WasiError::Engine`] when Wasmtime refuses the module in between.
pub(crate) fn adapt(
    mut store: impl AsContextMut<Data = StoreState>,
    engine: &Engine,
    memory: Extern,
    func: Func,
) -> Result<Func, WasiError> {
    let memory_type = match &memory {
        Extern::Memory(memory) => memory.ty(&store),
        Extern::SharedMemory(memory) => memory.ty(),
        _ => return Err(WasiError::NoMemory),
    };
    // WASI's functions take numbers alone.
    let ty = NumericType::of(&func.ty(&store)).ok_or(WasiError::NoMemory)?;
    let module = engine.adapter(adapter(&ty, &memory_type)).map_err(WasiError::engine)?;
    let instance = Instance::new(&mut store, &module, &[memory, Extern::Func(func)]).map_err(WasiError::engine)?;
    instance.get_func(&mut store, "call").ok_or(WasiError::NoMemory)
}

/// A module, in the text format, that hands a memory and its own parameters on to a function.
fn adapter(ty: &NumericType, memory: &wasmtime::MemoryType) -> String {
    let list = |keyword: &str, kinds: &[Kind]| match kinds {
        [] => String::new(),
        kinds => format!("({keyword} {})", kinds.iter().map(|&kind| kind_text(kind)).collect::<Vec<_>>().join(" ")),
    };
    let signature = list("param", &ty.params) + &list("result", &ty.results);
    let arguments: String = (0..ty.params.len()).map(|index| format!("(local.get {index})")).collect();
    let index_type = if memory.is_64() { "i64" } else { "" };
    let maximum = memory.maximum().map_or(String::new(), |maximum| maximum.to_string());
    let shared = if memory.is_shared() { "shared" } else { "" };
    let page = memory.page_size();
    format!(
        r#"(module
            (import "" "memory" (memory {index_type} 0 {maximum} {shared} (pagesize {page})))
            (import "" "function" (func $function {signature}))
            (export "memory" (memory 0))
            (func (export "call") {signature} (call $function {arguments})))"#
    )
}

fn kind_text(kind: Kind) -> &'static str {
    match kind {
        Kind::I32 => "i32",
        Kind::I64 => "i64",
        Kind::F32 => "f32",
        Kind::F64 => "f64",
    }
}

/// A [`Sink`] as `wasmtime-wasi` sees it. It is always ready and never buffers.
#[derive(Clone)]
struct SinkStream {
    sink: Sink,
    terminal: bool,
}

impl IsTerminal for SinkStream {
    fn is_terminal(&self) -> bool {
        self.terminal
    }
}

impl StdoutStream for SinkStream {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for SinkStream {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        (self.sink)(&bytes).map_err(|error| match error.kind() {
            std::io::ErrorKind::BrokenPipe => StreamError::Closed,
            _ => StreamError::LastOperationFailed(error.into()),
        })
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for SinkStream {
    async fn ready(&mut self) {}
}

impl tokio::io::AsyncWrite for SinkStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Poll::Ready((self.sink)(bytes).map(|()| bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
