//! The island: a store, the blocks under its memories, and the host functions that its guests import.

use std::any::Any;
use std::cell::{OnceCell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;

use data_block::DataBlock;
use wasmtime::{
    AsContextMut, ExnRef, Extern, Func, FuncType, Instance, Memory, MemoryType, OwnedRooted, ResourceLimiter,
    RootScope, Store, StoreContextMut, ThrownException, WasmBacktrace,
};

use crate::call::extensions::Extensions;
use crate::call::fiber::{FiberFunctions, FiberState};
use crate::call::host::{HostFunction, Suspending};
use crate::call::raw::{
    ReentrantStore, StoreObject, belongs_to, call_slots, code_of, has_stack_room, host_function, number_of,
};
use crate::call::trap::{CallError, HostThrew, StackFrame, UncaughtException, frames_of};
use crate::engine::Engine;
use crate::engine::limits::{MEMORY_BYTES, TABLE_ELEMENTS};
use crate::engine::module::Module;
use crate::memory::atomic_imports::{self, AtomicImports};
use crate::memory::ground::Ground;
use crate::memory::host_memory;
use crate::memory::interrupt::{Interrupter, uninterrupted_by};

/// A store with the instances that are linked to each other. It is dropped, with all instances, along with its last
/// handle.
pub struct Island {
    engine: Engine,
    pub(crate) store: ReentrantStore,
    hosts: RefCell<Vec<Rc<dyn HostFunction>>>,
    pub(crate) suspending: RefCell<Vec<Suspending>>,
    /// The fibers whose host functions are running, innermost last.
    pub(crate) served: RefCell<Vec<Rc<FiberState>>>,
    /// Fibers that are to end when the store can be entered.
    pub(crate) abandoned: RefCell<Vec<Rc<FiberState>>>,
    pub(crate) modules: RefCell<Vec<Module>>,
    owner: OnceCell<Weak<dyn Any>>,
    /// The store's number.
    number: u64,
    /// That of the island's thread.
    interrupter: Interrupter,
}

/// What an island keeps in its store.
pub struct StoreState {
    pub(crate) island: Weak<Island>,
    pub(crate) extensions: Extensions,
    /// The store's own number.
    pub(crate) number: u64,
    /// The number of the store's instances that have a poll page.
    polled: usize,
    /// The fiber that is running.
    pub(crate) fiber: Option<Rc<FiberState>>,
    pub(crate) fiber_functions: Option<FiberFunctions>,
    limits: RunTimeLimits,
}

/// The JavaScript API's limits instead of Wasmtime's own ceiling of 10,000 instances per store.
struct RunTimeLimits;

impl ResourceLimiter for RunTimeLimits {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired as u64 <= MEMORY_BYTES)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired as u64 <= TABLE_ELEMENTS)
    }

    fn instances(&self) -> usize {
        usize::MAX
    }

    fn tables(&self) -> usize {
        usize::MAX
    }

    fn memories(&self) -> usize {
        usize::MAX
    }
}

/// Why a module could not be instantiated.
#[derive(Debug)]
#[non_exhaustive]
pub enum InstantiateError {
    /// An import does not fit.
    Link(String),
    /// There is no room for a memory or for another part of the instance, or a memory exceeds the limit.
    Memory(String),
    /// A segment or the start function failed.
    Call(CallError),
}

impl std::fmt::Display for InstantiateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Link(message) | Self::Memory(message) => f.write_str(message),
            Self::Call(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for InstantiateError {}

impl Island {
    /// An empty island.
    pub fn new(engine: &Engine) -> Rc<Self> {
        Rc::new_cyclic(|island| {
            let state = StoreState {
                island: island.clone(),
                extensions: Extensions::default(),
                number: 0,
                polled: 0,
                fiber: None,
                fiber_functions: None,
                limits: RunTimeLimits,
            };
            let mut store = Store::new(&engine.inner, state);
            let number = number_of(&mut store);
            store.data_mut().number = number;
            store.limiter(|state| &mut state.limits);
            Self {
                engine: engine.clone(),
                store: ReentrantStore::new(store),
                hosts: RefCell::default(),
                suspending: RefCell::default(),
                served: RefCell::default(),
                abandoned: RefCell::default(),
                modules: RefCell::default(),
                owner: OnceCell::new(),
                number,
                interrupter: Interrupter::current(),
            }
        })
    }

    /// Sets the island's owner, so that host functions can find it. Only the first call has an effect.
    pub fn set_owner<T: 'static>(&self, owner: &Rc<T>) {
        let owner: Weak<T> = Rc::downgrade(owner);
        // A second caller finds out from `owner`.
        let _ = self.owner.set(owner);
    }

    /// The owner, if it is still alive and is a `T`.
    #[inline]
    pub fn owner<T: 'static>(&self) -> Option<Rc<T>> {
        self.owner.get()?.upgrade()?.downcast().ok()
    }

    /// The engine that this island runs on.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Runs `body` with the store's context. Inside a host function of this island, this is the context of the guest's
    /// call; anywhere else, calls must not nest.
    ///
    /// # Panics
    /// When `body` itself enters the island without a guest call in between.
    #[inline]
    pub fn enter<R>(&self, body: impl FnOnce(StoreContextMut<'_, StoreState>) -> R) -> R {
        self.store.enter(body)
    }

    /// Whether a call into this island is in progress.
    pub fn is_entered(&self) -> bool {
        self.store.is_entered()
    }

    /// Whether [`Island::enter`] would succeed now: nobody has entered, or a host function of this island is running.
    #[inline]
    pub fn can_enter(&self) -> bool {
        self.store.can_enter()
    }

    /// Runs `body`, as [`uninterrupted`](crate::uninterrupted) does.
    #[inline]
    pub fn uninterrupted<R>(&self, body: impl FnOnce() -> R) -> Option<R> {
        uninterrupted_by(&self.interrupter, body)
    }

    /// How often the island was entered: while this stays the same, none of its guests runs.
    pub fn entries(&self) -> u64 {
        self.store.entries()
    }

    /// Makes a function that guests can import. It lives as long as the island. Returns `None` if the type belongs to
    /// another engine.
    pub fn new_function(self: &Rc<Self>, ty: FuncType, host: Rc<dyn HostFunction>) -> Option<Func> {
        if !wasmtime::Engine::same(ty.engine(), &self.engine.inner) {
            return None;
        }
        let index = {
            let mut hosts = self.hosts.borrow_mut();
            hosts.push(host);
            hosts.len() - 1
        };
        Some(host_function(self, ty, index))
    }

    #[inline]
    pub(crate) fn host(&self, index: usize) -> Rc<dyn HostFunction> {
        self.hosts.borrow()[index].clone()
    }

    /// Makes a memory on a block that exists already ([`new_block`](crate::new_block) must have made it for the same
    /// type).
    ///
    /// # Errors
    /// When Wasmtime refuses the type, or the block has another shape.
    pub fn new_memory(&self, ty: MemoryType, block: Arc<DataBlock>) -> wasmtime::Result<Memory> {
        let module = self.engine.memory_module(&ty)?;
        let instance = host_memory::with_offer(block, || self.enter(|store| Instance::new(store, &module, &[])));
        let instance = instance?;
        let memory = self.enter(|store| instance.get_memory(store, ""));
        Ok(memory.expect("the module exports its memory"))
    }

    /// The block under an unshared memory of this island; `None` if the memory belongs to another island.
    pub fn block_of(&self, memory: Memory) -> Option<Arc<DataBlock>> {
        if !self.owns(&memory) {
            return None;
        }
        host_memory::block_at(self.enter(|store| memory.data_ptr(&store)).addr())
    }

    /// Instantiates `module`. The imports, in the module's order, must belong to this island.
    ///
    /// # Errors
    /// When an import does not fit or belongs to another island, when the module belongs to another engine, or when a
    /// segment or the start function fails.
    pub fn instantiate(self: &Rc<Self>, module: &Module, imports: &[Extern]) -> Result<Instance, InstantiateError> {
        self.check_stack().map_err(InstantiateError::Call)?;
        if let Some(bytes) = module.memory_bytes().find(|&bytes| bytes > MEMORY_BYTES.into()) {
            let message = format!("a memory of {bytes} bytes is above the limit of {MEMORY_BYTES}");
            return Err(InstantiateError::Memory(message));
        }
        self.remember(module);
        // A failure left by an earlier call has nothing to do with this one.
        drop(host_memory::take_failure());
        let grounds = module.grounds();
        let poll_page = if let Some(Ground::PollPage) = grounds.last() { self.next_poll_page() } else { 0 };
        let code = module.for_instance(&self.engine);
        let new_instance = || self.enter(|store| Instance::new(store, code, imports));
        let instance = host_memory::with_grounds(grounds, poll_page, new_instance);
        let no_room = host_memory::take_failure();
        let instance = instance.map_err(|error| {
            if CallError::is_call_error(&error) {
                InstantiateError::Call(self.call_error(error))
            } else if let Some(message) = no_room {
                InstantiateError::Memory(message)
            } else if error.is::<wasmtime::OutOfMemory>() {
                InstantiateError::Memory(error.to_string())
            } else {
                InstantiateError::Link(format!("{error:#}"))
            }
        })?;
        if let Some(imports) = module.atomic_imports() {
            self.link_atomics(instance, imports).map_err(|error| InstantiateError::Call(self.call_error(error)))?;
        }
        Ok(instance)
    }

    /// The poll pages of a store's instances differ: see `data_block::poll`.
    fn next_poll_page(&self) -> usize {
        self.enter(|mut store| {
            let page = store.data().polled;
            store.data_mut().polled += 1;
            page
        })
    }

    /// Links the atomic instructions of a new instance, and runs its start function, which was postponed until now.
    fn link_atomics(self: &Rc<Self>, instance: Instance, imports: &AtomicImports) -> wasmtime::Result<()> {
        let start = self.enter(|mut store| {
            atomic_imports::link(store.as_context_mut(), instance, imports)?;
            Ok::<_, wasmtime::Error>(instance.get_func(&mut store, &imports.start_name()).filter(|_| imports.start))
        })?;
        // A start function has neither parameters nor results.
        start.map_or(Ok(()), |start| call_slots(self, start, &mut []))
    }

    fn remember(&self, module: &Module) {
        let mut modules = self.modules.borrow_mut();
        if !modules.iter().any(|known| Module::is_same(known, module)) {
            modules.push(module.clone());
        }
    }

    /// Refuses to enter a guest on a thread whose stack is nearly used up, or while the store is in use. Every call
    /// into an island checks this first.
    ///
    /// # Errors
    /// A trap like that of a guest whose stack is exhausted, or one that says that the island is in use.
    pub fn check_stack(&self) -> Result<(), CallError> {
        match self.has_room() {
            true => Ok(()),
            false => Err(self.refusal()),
        }
    }

    /// Why [`Island::check_stack`] lets no call in.
    #[cold]
    pub(crate) fn refusal(&self) -> CallError {
        if self.can_enter() { CallError::stack_overflow() } else { CallError::busy() }
    }

    /// Whether [`Island::check_stack`] lets a call in.
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        // Below a guest of this store, that guest's limit still applies.
        self.store.is_lent() || (!self.store.is_entered() && has_stack_room(&self.engine))
    }

    /// Throws an exception into the guest that called the running host function, which must return the result at once.
    /// An exception of another island ends the call without being thrown.
    pub fn throw(&self, exception: &OwnedRooted<ExnRef>) -> HostThrew {
        if !self.owns::<ExnRef>(exception) {
            return HostThrew;
        }
        self.enter(|store| {
            let mut scope = RootScope::new(store);
            let exception = exception.to_rooted(&mut scope);
            // `throw` always returns an error, for callers to pass on; here `HostThrew` takes its place.
            let _: wasmtime::Result<()> = scope.as_context_mut().throw(exception);
        });
        HostThrew
    }

    /// Explains why a call into this island failed. Functions that have no name in the name section get the names of
    /// their exports.
    #[cold]
    pub fn call_error(self: &Rc<Self>, error: wasmtime::Error) -> CallError {
        // Wasmtime tells of all guests of the store. Those that are further up than this function still run.
        let here = (&raw const error).addr();
        self.explain(error, |mut frames| {
            frames.retain(|frame| frame.address < here);
            frames
        })
    }

    /// [`Island::call_error`], where `own` chooses the call's own frames.
    pub(crate) fn explain(
        self: &Rc<Self>,
        error: wasmtime::Error,
        own: impl FnOnce(Vec<StackFrame>) -> Vec<StackFrame>,
    ) -> CallError {
        if error.is::<ThrownException>() {
            let exception = self.enter(|store| {
                let mut scope = RootScope::new(store);
                let exception = scope.as_context_mut().take_pending_exception();
                exception.map(|exception| exception.to_owned_rooted(&mut scope))
            });
            return match exception {
                Some(Ok(exception)) => CallError::Exception(UncaughtException { island: self.clone(), exception }),
                Some(Err(error)) => CallError::from_wasmtime(error),
                None => CallError::from_wasmtime(error),
            };
        }
        let mut error = CallError::from_wasmtime(error);
        if let CallError::Trap(trap) = &mut error {
            trap.frames = own(std::mem::take(&mut trap.frames));
            self.complete(&mut trap.frames);
        }
        error
    }

    fn complete(&self, frames: &mut [StackFrame]) {
        let modules = self.modules.borrow();
        frames.iter_mut().for_each(|frame| frame.complete(&modules));
    }

    /// The functions of this island's guests that run below the host function that is running, innermost first. There
    /// are none while the island's context is in use.
    pub fn running(&self) -> Vec<StackFrame> {
        if !self.can_enter() {
            return Vec::new();
        }
        let mut frames = self.frames_of_served();
        if self.store.is_lent() {
            frames.extend(self.enter(|store| frames_of(&WasmBacktrace::force_capture(&store))));
        }
        self.complete(&mut frames);
        frames
    }

    /// Whether an object belongs to this island. Nearly everything that Wasmtime does with an object panics if the
    /// object belongs to another store, so functions that take one from outside must check first.
    #[inline]
    pub fn owns<T: StoreObject>(&self, object: &T) -> bool {
        belongs_to(object, self.number)
    }

    /// The index of a guest function in its own module; `None` for host functions and for functions of another island.
    pub fn function_index(&self, func: Func) -> Option<u32> {
        if !self.owns(&func) {
            return None;
        }
        let code = self.enter(|store| code_of(store, func));
        self.modules.borrow().iter().find_map(|module| module.function_at(code))
    }
}

impl Drop for Island {
    fn drop(&mut self) {
        // They refer to the store, which is still there.
        self.end_abandoned();
    }
}

impl std::fmt::Debug for Island {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Island").field("modules", &self.modules.borrow().len()).finish_non_exhaustive()
    }
}
