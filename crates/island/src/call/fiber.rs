//! Calls that can be suspended.
//!
//! Each such call has a stack of its own, a fiber of Wasmtime's, which has nothing on it but guests' frames: whenever
//! the guest calls its host, the fiber hands over to whoever resumed it, the host function runs on the agent's own
//! stack, and the fiber goes on with what it returns. So a call is suspended by not going on for now. No frame of a
//! script, and no value of a script's, is ever on a fiber; scripts see the same stack as without fibers, and so do their
//! limits.
//!
//! Wasmtime runs a fiber as a future that borrows the store until it is done. Here many such futures are alive at once,
//! and the store is used while they wait: what makes that sound is argued in [`ReentrantStore::with_fiber`].

use std::cell::{Cell, UnsafeCell};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use smallvec::SmallVec;
use wasmtime::{
    AsContextMut, Caller, Func, FuncType, Instance, Linker, RootScope, StoreContextMut, ThrownException, Val, ValRaw,
    WasmBacktrace,
};

use crate::call::c_stack::OwnStack;
use crate::call::frames::{self, Exit, Saved, VmStoreContext};
use crate::call::host::{HostFuture, Suspending, SuspendingFunction};
use crate::call::island::{Island, StoreState};
use crate::call::numbers::Number;
use crate::call::raw::{Access, ReentrantStore, Restore, UNSAVED, fill, instance_of, lend, with_values};
use crate::call::signature::Signature;
use crate::call::trap::{CallError, HostThrew, StackFrame, frames_of};
use crate::engine::{Engine, FIBER_EXTRA};

/// What a fiber waits for in a [`Suspending`] function.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum WaitKind {
    UntilResumed,
    ForFutures,
}

/// The arguments of a guest's call to a [`SuspendingFunction`] or to an async host function. They have to be read before
/// anything else happens in the island.
pub struct Arguments<'a> {
    signature: &'a Signature,
    slots: &'a [MaybeUninit<ValRaw>],
}

impl Arguments<'_> {
    /// Reads the arguments, in the store's context. References among them last as long as `body`.
    pub fn read<R>(self, island: &Island, body: impl FnOnce(&mut StoreContextMut<'_, StoreState>, &[Val]) -> R) -> R {
        let types = &self.signature.params;
        // SAFETY: the guest has left its arguments there.
        let slots = self.slots[..types.len()].iter().map(|slot| unsafe { slot.assume_init_ref() });
        // SAFETY: they have these types, and nothing has run since: reading consumes the arguments, which are made right
        // after the guest has called.
        unsafe { with_values(island, types, slots, body) }
    }

    /// The arguments of a function that takes numbers alone.
    pub fn numbers(self, island: &Island) -> SmallVec<[Number; 8]> {
        self.read(island, |_, args| args.iter().filter_map(Number::of).collect())
    }
}

/// What a fiber wants from whoever resumed it.
#[derive(Clone, Copy, Default)]
enum HostRequest {
    /// Nothing: Wasmtime's collector lets others run now and then.
    #[default]
    None,
    /// Run this part of a host function.
    Host(Errand),
    /// Begin what suspends it.
    Suspending { begin: Begin, awaited: ResultSlots },
}

/// Begins what suspends a fiber.
type Begin = *mut (dyn FnMut(&Rc<Island>) -> wasmtime::Result<()> + 'static);

/// Something that one stack has another do, in a frame of whoever waits for it.
type Errand = *mut (dyn FnMut() + 'static);

/// [`errand`] for what suspends a fiber.
fn beginning(body: &mut (dyn FnMut(&Rc<Island>) -> wasmtime::Result<()> + '_)) -> Begin {
    let body: *mut (dyn FnMut(&Rc<Island>) -> wasmtime::Result<()> + '_) = body;
    // SAFETY: only the lifetime that a pointer is written with changes; whoever follows it answers for that.
    unsafe { std::mem::transmute::<*mut (dyn FnMut(&Rc<Island>) -> wasmtime::Result<()> + '_), Begin>(body) }
}

/// The closure, whoever runs it before it ends.
fn errand(body: &mut (dyn FnMut() + '_)) -> Errand {
    let body: *mut (dyn FnMut() + '_) = body;
    // SAFETY: only the lifetime that a pointer is written with changes; whoever follows it answers for that.
    unsafe { std::mem::transmute::<*mut (dyn FnMut() + '_), Errand>(body) }
}

type Future = Pin<Box<dyn std::future::Future<Output = wasmtime::Result<()>>>>;

/// Where the results of a function go: its signature, and its slots in the fiber's frame.
type ResultSlots = (*const Signature, *mut [MaybeUninit<ValRaw>]);

/// What a fiber and its resumers share.
pub(crate) struct FiberState {
    /// What the fiber calls.
    func: Func,
    /// The arguments before the call, the results after it.
    slots: UnsafeCell<SmallVec<[ValRaw; 8]>>,
    /// What it may wait for.
    pub(crate) waits: WaitKind,
    /// The future that it waits for, until that is fetched.
    pub(crate) awaits: Cell<Option<HostFuture>>,
    /// The fiber itself; `None` when it has ended.
    future: UnsafeCell<Option<Future>>,
    is_polled: Cell<bool>,
    /// How the guest's function ended.
    outcome: Cell<Option<wasmtime::Result<()>>>,
    request: Cell<HostRequest>,
    /// Whether a suspending function has begun and waits for its results: where they go.
    awaited: Cell<Option<ResultSlots>>,
    /// How the suspending function ended.
    answer: Cell<Option<wasmtime::Result<()>>>,
    /// What is to be done on the fiber before it waits on.
    inside: Cell<Option<Errand>>,
    /// Where its guest has left for its host.
    exit: Cell<Exit>,
    /// Where the fiber is among those whose references are not saved.
    place: Cell<Option<usize>>,
    /// The references in the fiber's frames, if the store has been entered since it waits.
    saved: Cell<Vec<Saved>>,
    /// Where the fiber's frames begin.
    base: Cell<usize>,
    /// Where its resumer is on the agent's stack.
    resumer: Cell<usize>,
}

/// A guest call on a stack of its own. Dropping it ends the call, wherever it is.
pub struct Fiber {
    state: Rc<FiberState>,
    signature: Rc<Signature>,
    island: Rc<Island>,
    c_stack: Option<OwnStack>,
}

/// What became of a fiber that was resumed.
#[derive(Debug)]
pub enum Resumed {
    /// A suspending function has begun: the fiber waits.
    Suspended,
    /// The call is over. Its results are in the fiber, until something else happens in the island.
    Ended(Result<(), CallError>),
}

impl Fiber {
    /// Prepares a call, which begins with [`Fiber::start`]. `slots` makes its slots for the function's type.
    pub(crate) fn with_slots(
        island: &Rc<Island>,
        func: Func,
        signature: Rc<Signature>,
        waits: WaitKind,
        slots: impl FnOnce(&Signature) -> wasmtime::Result<SmallVec<[ValRaw; 8]>>,
    ) -> Result<Self, CallError> {
        island.check_stack()?;
        island.end_abandoned();
        if !island.owns(&func) {
            return Err(CallError::foreign_function());
        }
        fiber_functions(island).map_err(|error| island.call_error(error))?;
        let slots = slots(&signature).map_err(|error| island.call_error(error))?;
        let state = FiberState::new(island, func, slots, waits);
        Ok(Self { state, signature, island: island.clone(), c_stack: None })
    }

    pub(crate) fn island(&self) -> &Rc<Island> {
        &self.island
    }

    /// Gives the call, which has not begun, a C stack of its own.
    pub(crate) fn set_stack(&mut self, stack: Option<OwnStack>) {
        self.c_stack = stack;
    }

    /// The future that a suspended call waits for.
    pub(crate) fn take_future(&self) -> HostFuture {
        self.state.awaits.take().expect("a call that waits for futures is suspended by one")
    }

    /// Whether a suspending function has begun and not ended.
    pub fn is_suspended(&self) -> bool {
        self.state.awaited.get().is_some()
    }

    /// Begins the call. Nothing may have happened in the island since the fiber was made.
    ///
    /// # Panics
    /// When the call has begun.
    pub fn start(&self) -> Resumed {
        assert_eq!(self.state.base.get(), 0, "a fiber starts once");
        self.run()
    }

    /// Goes on with a suspended call. `results` makes what the suspending function returns, in the store's context.
    ///
    /// # Errors
    /// What `results` fails with, or when the values do not have the function's result types: the fiber stays suspended.
    ///
    /// # Panics
    /// When the call is not suspended.
    pub fn resume(
        &self,
        results: impl FnOnce(&mut StoreContextMut<'_, StoreState>) -> wasmtime::Result<SmallVec<[Val; 4]>>,
    ) -> wasmtime::Result<Resumed> {
        self.island.end_abandoned();
        let (signature, slots) = self.state.awaited.get().expect("only a suspended call is resumed");
        self.island.enter(|store| {
            let mut scope = RootScope::new(store);
            let results = results(&mut scope.as_context_mut())?;
            // SAFETY: both lie in the frames of the fiber, which waits in the function that they belong to.
            let (signature, slots) = unsafe { (&*signature, &mut *slots) };
            fill(&mut scope, &signature.results, &results, |at, raw| {
                slots[at].write(raw);
            })
        })?;
        self.state.awaited.set(None);
        self.state.answer.set(Some(Ok(())));
        Ok(self.run())
    }

    /// Goes on with a suspended call, whose suspending function fails.
    ///
    /// # Panics
    /// When the call is not suspended.
    pub fn resume_throwing(&self, threw: HostThrew) -> Resumed {
        self.resume_failing(self.island.host_error(threw))
    }

    pub(crate) fn resume_failing(&self, error: wasmtime::Error) -> Resumed {
        self.state.awaited.take().expect("only a suspended call is resumed");
        self.state.answer.set(Some(Err(error)));
        self.run()
    }

    /// The results of a call that has just ended, in slots.
    pub(crate) fn copy_results(&self, into: &mut [ValRaw]) {
        // SAFETY: the fiber has ended, so nobody else refers to the slots.
        into.copy_from_slice(unsafe { &*self.state.slots.get() });
    }

    /// Reads the results of a call that has just ended. References among them last as long as `body`.
    pub fn results<R>(&self, body: impl FnOnce(&mut StoreContextMut<'_, StoreState>, &[Val]) -> R) -> R {
        // SAFETY: the fiber has ended, so nobody else refers to the slots.
        let slots = unsafe { &*self.state.slots.get() };
        // SAFETY: the guest left its results, which have these types, in the slots, and nothing has run since.
        unsafe { with_values(&self.island, &self.signature.results, slots, body) }
    }

    fn run(&self) -> Resumed {
        let (island, state) = (&self.island, &self.state);
        let _stack = self.c_stack.as_ref().map(OwnStack::enter);
        match drive(island, state) {
            None => Resumed::Suspended,
            // The call's own outcome, unless the fiber could not even begin.
            Some(ended) => Resumed::Ended(ended.map_err(|error| island.fiber_error(state, error))),
        }
    }
}

/// Runs a fiber until it is suspended (`None`) or has ended, and what it wants from its host meanwhile.
fn drive(island: &Rc<Island>, state: &Rc<FiberState>) -> Option<wasmtime::Result<()>> {
    let here = 0u8;
    state.resumer.set((&raw const here).addr());
    loop {
        if let Poll::Ready(ended) = island.store.poll_fiber(state) {
            return Some(ended.and_then(|()| state.outcome.take().unwrap_or(Ok(()))));
        }
        match state.request.take() {
            HostRequest::None => {}
            HostRequest::Host(body) => {
                let _serving = island.serve(state);
                // SAFETY: the closure is in a frame of the fiber, which waits until this is done.
                unsafe { (*body)() }
            }
            HostRequest::Suspending { begin, awaited } => {
                let _serving = island.serve(state);
                state.awaited.set(Some(awaited));
                // SAFETY: the closure is in a frame of the fiber, which waits until this is done.
                let begun = unsafe { (*begin)(island) };
                let Err(error) = begun else {
                    // A guest that called whoever resumed the fiber goes on without entering the store.
                    if island.store.is_lent() {
                        island.store.enter(|_| ());
                    }
                    return None;
                };
                state.awaited.set(None);
                state.answer.set(Some(Err(error)));
            }
        }
    }
}

impl Drop for Fiber {
    fn drop(&mut self) {
        self.island.abandon(&self.state);
    }
}

impl std::fmt::Debug for Fiber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fiber").field("is_suspended", &self.is_suspended()).finish_non_exhaustive()
    }
}

/// The guest's functions that a fiber begins with and waits in. By its name ([`OWN_GUEST`](crate::call::trap::OWN_GUEST))
/// its frames are left out of stacks. Wasmtime notes where guests leave for their host, and
/// reads it again when it walks the frames of what the host calls in turn: so nothing that is on a fiber may rely on the
/// place of a guest that is not, or that has its place noted already.
const GUEST: &str = r#"(module $tombolo:fiber
    (import "" "begin" (func $begin))
    (import "" "wait" (func $wait))
    (func (export "enter") (call $begin))
    (func (export "wait") (call $wait)))"#;

/// The functions of a store's [`GUEST`].
#[derive(Clone, Copy)]
pub(crate) struct FiberFunctions {
    /// What each fiber begins with.
    enter: Func,
    /// Returns when the fiber is polled again.
    wait: Func,
    context: VmStoreContext,
}

/// Makes the store's fiber functions, if it does not have them.
fn fiber_functions(island: &Island) -> wasmtime::Result<()> {
    if island.enter(|store| store.data().fiber_functions.is_some()) {
        return Ok(());
    }
    let module = island.engine().own_module(GUEST)?;
    island.enter(|mut store| {
        let engine = store.engine().clone();
        let ty = FuncType::new(&engine, [], []);
        let begin = |caller: Caller<'_, StoreState>, _: &mut [MaybeUninit<ValRaw>]| {
            begin(caller);
            Ok(())
        };
        // SAFETY: a function without parameters and results leaves nothing to be done.
        let begin = unsafe { Func::new_unchecked(&mut store, ty.clone(), begin) };
        // An asynchronous function that is put into a store itself makes the store asynchronous, which ordinary calls
        // must not be. One that comes from a linker does not.
        let mut linker: Linker<StoreState> = Linker::new(&engine);
        linker.func_new_async("", "wait", ty, |caller, _, _| {
            let fiber = caller.data().fiber.as_ref().expect("set while a fiber is polled");
            let waiting = NextTurn { fiber: Rc::as_ptr(fiber), was_polled: Cell::new(false) };
            Box::new(std::future::poll_fn(move |_| waiting.poll()))
        })?;
        let wait = linker.get(&mut store, "", "wait")?;
        let instance = Instance::new(&mut store, &module, &[begin.into(), wait])?;
        let mut function = |name| instance.get_func(&mut store, name).expect("as the text says");
        let (enter, wait) = (function("enter"), function("wait"));
        // SAFETY: it is that of `instance`, which lives as long as the store does.
        let context = unsafe { VmStoreContext::of(instance_of(&mut store, enter)) };
        store.data_mut().fiber_functions = Some(FiberFunctions { enter, wait, context });
        Ok(())
    })
}

/// A fiber that waits for its next turn.
struct NextTurn {
    fiber: *const FiberState,
    was_polled: Cell<bool>,
}

// SAFETY: Wasmtime asks for `Send` so that a store could move to another thread, which ours never do.
unsafe impl Send for NextTurn {}

impl NextTurn {
    fn poll(&self) -> Poll<wasmtime::Result<()>> {
        if !self.was_polled.replace(true) {
            return Poll::Pending;
        }
        // SAFETY: this runs below `with_fiber`, which has an `Rc` of the fiber that it polls.
        match unsafe { &*self.fiber }.inside.take() {
            Some(body) => {
                // SAFETY: whoever polls the fiber for this waits until it is done.
                unsafe { (*body)() }
                Poll::Pending
            }
            None => Poll::Ready(Ok(())),
        }
    }
}

/// The first frame of a fiber.
fn begin(mut caller: Caller<'_, StoreState>) {
    let fiber = caller.data().fiber.clone().expect("set while a fiber is polled");
    let here = 0u8;
    fiber.base.set((&raw const here).addr());
    let slots = fiber.slots.get();
    // SAFETY: the slots have the function's own types, as `Fiber::new` has checked, and room for its results; until it
    // returns, nobody else refers to them.
    let outcome = unsafe { fiber.func.call_unchecked(caller.as_context_mut(), &mut (&mut *slots)[..]) };
    fiber.outcome.set(Some(outcome));
}

impl FiberState {
    /// A fiber that calls `func`, which belongs to the island, with slots of its types.
    fn new(island: &Island, func: Func, slots: SmallVec<[ValRaw; 8]>, waits: WaitKind) -> Rc<Self> {
        Rc::new(Self {
            func,
            slots: UnsafeCell::new(slots),
            waits,
            awaits: Cell::default(),
            future: UnsafeCell::new(Some(island.store.fiber())),
            is_polled: Cell::new(false),
            outcome: Cell::new(None),
            request: Cell::default(),
            awaited: Cell::new(None),
            answer: Cell::new(None),
            inside: Cell::new(None),
            exit: Cell::default(),
            place: Cell::new(None),
            saved: Cell::default(),
            base: Cell::new(0),
            resumer: Cell::new(0),
        })
    }

    /// Hands over to whoever polled the fiber, and returns when it is polled again in order to go on.
    ///
    /// # Errors
    /// When the fiber is to end.
    fn wait(&self, store: StoreContextMut<'_, StoreState>) -> wasmtime::Result<()> {
        let FiberFunctions { wait, context, .. } = store.data().fiber_functions.expect("made before the first fiber");
        self.exit.set(Exit::now(context));
        // SAFETY: the function has neither parameters nor results.
        unsafe { wait.call_unchecked(store, &mut []) }
    }

    /// Hands over to whoever polled the fiber, for it to begin what suspends the fiber, and returns when that has ended.
    /// What it returns is in the slots of `awaited` then.
    ///
    /// # Errors
    /// What it fails with; when the fiber is to end.
    pub(crate) fn suspend(
        &self,
        store: StoreContextMut<'_, StoreState>,
        mut begin: impl FnMut(&Rc<Island>) -> wasmtime::Result<()>,
        awaited: ResultSlots,
    ) -> wasmtime::Result<()> {
        self.request.set(HostRequest::Suspending { begin: beginning(&mut begin), awaited });
        self.wait(store)?;
        self.answer.take().expect("a suspended call is answered before it goes on")
    }

    /// Whether a frame is the fiber's own.
    fn has_frame_at(&self, engine: &Engine, address: usize) -> bool {
        let base = self.base.get();
        address <= base && address > base.saturating_sub(engine.max_wasm_stack() + FIBER_EXTRA)
    }
}

/// Runs `body`, the inside of a host function that was called on a fiber, on the agent's stack.
#[cold]
pub(crate) fn on_agents_stack<R>(
    caller: StoreContextMut<'_, StoreState>,
    fiber: Rc<FiberState>,
    body: impl FnOnce() -> wasmtime::Result<R>,
) -> wasmtime::Result<R> {
    let (mut body, mut result) = (Some(body), None);
    let mut run = || result = body.take().map(|body| body());
    // The closure is used while this function waits, and not after it returns: the request is taken by whoever polled the
    // fiber.
    fiber.request.set(HostRequest::Host(errand(&mut run)));
    fiber.wait(caller)?;
    result.expect("whoever polls the fiber does what it asks for")
}

/// A function of the island that runs `island.suspending(index)`.
pub(crate) fn suspending_function(island: &Rc<Island>, ty: FuncType, index: usize) -> Func {
    let signature = Signature::new(&ty);
    let body = move |mut caller: Caller<'_, StoreState>, slots: &mut [MaybeUninit<ValRaw>]| {
        let Some(fiber) = caller.data().fiber.clone() else {
            return lend(caller.as_context_mut(), |island| Err(island.suspending(index).refuse(island)));
        };
        let slots: *mut [MaybeUninit<ValRaw>] = slots;
        let begin = |island: &Rc<Island>| {
            // SAFETY: the slots are in a frame of the fiber, which waits.
            let arguments = Arguments { signature: &signature, slots: unsafe { &*slots } };
            island.suspending(index).start(island, &fiber, arguments)
        };
        fiber.suspend(caller.as_context_mut(), begin, (&raw const signature, slots))
    };
    // SAFETY: the arguments are read by the function's own type, and all results are set, as values of their types,
    // when the answer is Ok.
    island.enter(|store| unsafe { Func::new_unchecked(store, ty, body) })
}

/// Undoes what is true while a fiber is polled.
struct Polled<'a> {
    store: *mut wasmtime::Store<StoreState>,
    fiber: &'a FiberState,
    outer: Option<Rc<FiberState>>,
}

impl Drop for Polled<'_> {
    fn drop(&mut self) {
        self.fiber.is_polled.set(false);
        // SAFETY: the store outlives the poll, and nobody uses it now: see `with_fiber`.
        unsafe { (*self.store).data_mut() }.fiber = self.outer.take();
    }
}

impl ReentrantStore {
    /// A fiber's future, which does nothing before it is polled.
    fn fiber(&self) -> Future {
        // SAFETY: the store is where it is for as long as its island lives, and a fiber ends before the island does:
        // `Fiber` holds the island, and `Island::drop` ends those whose `Fiber` is gone. For the aliasing, see
        // `with_fiber`.
        let store: &'static mut wasmtime::Store<StoreState> = unsafe { &mut *self.store.get() };
        let enter = store.data().fiber_functions.expect("made before the first fiber").enter;
        Box::pin(async move { enter.call_async(store, &[], &mut []).await })
    }

    /// Lets a fiber run until it waits for something or has ended.
    ///
    /// # Panics
    /// When the context is taken and not lent, or the fiber is being polled.
    fn poll_fiber(&self, fiber: &Rc<FiberState>) -> Poll<wasmtime::Result<()>> {
        self.waits_no_longer(fiber);
        let saved = fiber.saved.take();
        if !saved.is_empty() || !self.unsaved.borrow().is_empty() {
            // SAFETY: nobody uses the store now: see `with_fiber`.
            let mut store = unsafe { &mut *self.store.get() }.as_context_mut();
            // The fiber that goes on may collect, so all others are saved first.
            self.save(store.as_context_mut());
            // SAFETY: the fiber waits, so its frames are there, and it goes on now.
            unsafe { frames::restore(store, saved) };
        }
        let polled = self.poll_once(fiber);
        // SAFETY: nobody uses the store now: see `with_fiber`.
        let has_references = unsafe { (*self.store.get()).gc_heap_capacity() > 0 };
        // Wasmtime's collector waits in the middle of a collection, and nobody does anything before it goes on.
        if polled.is_pending() && has_references && !matches!(fiber.request.get(), HostRequest::None) {
            let mut unsaved = self.unsaved.borrow_mut();
            fiber.place.set(Some(unsaved.len()));
            unsaved.push(fiber.clone());
            self.entries.set(self.entries.get() | UNSAVED);
        }
        polled
    }

    /// Takes a fiber from those whose references are not saved.
    fn waits_no_longer(&self, fiber: &FiberState) {
        let Some(place) = fiber.place.take() else { return };
        let mut unsaved = self.unsaved.borrow_mut();
        let taken = unsaved.swap_remove(place);
        if let Some(moved) = unsaved.get(place) {
            moved.place.set(Some(place));
        }
        if unsaved.is_empty() {
            self.entries.set(self.entries.get() & !UNSAVED);
        }
        drop((unsaved, taken));
    }

    /// Saves the references of all fibers that have come to wait since the last time: whatever comes may collect.
    #[cold]
    pub(crate) fn save(&self, mut store: StoreContextMut<'_, StoreState>) {
        self.entries.set(self.entries.get() & !UNSAVED);
        // While the store is being dropped, nothing collects.
        let Some(island) = store.data().island.upgrade() else { return };
        let Some(FiberFunctions { context, .. }) = store.data().fiber_functions else { return };
        let modules = island.modules.borrow();
        for fiber in self.unsaved.take() {
            fiber.place.set(None);
            // SAFETY: the fiber waits, so its guest is where it left for its host. An island remembers all modules but
            // those of our own, which have no references.
            let saved = unsafe { frames::save(store.as_context_mut(), context, fiber.exit.get(), &modules) };
            fiber.saved.set(saved);
        }
    }

    fn poll_once(&self, fiber: &Rc<FiberState>) -> Poll<wasmtime::Result<()>> {
        self.with_fiber(fiber, |future| {
            let mut context = Context::from_waker(Waker::noop());
            let polled = future.as_mut().expect("the fiber has not ended").as_mut().poll(&mut context);
            if polled.is_ready() {
                *future = None;
            }
            polled
        })
    }

    /// Forgets the references of a fiber whose guest will not go on.
    fn forget(&self, fiber: &FiberState) {
        self.waits_no_longer(fiber);
        drop(fiber.saved.take());
    }

    /// Ends a fiber: what it waits for fails, and the guest is unwound.
    fn end_fiber(&self, fiber: &Rc<FiberState>) {
        self.forget(fiber);
        self.with_fiber(fiber, |future| *future = None);
    }

    fn with_fiber<R>(&self, fiber: &Rc<FiberState>, body: impl FnOnce(&mut Option<Future>) -> R) -> R {
        assert!(!fiber.is_polled.replace(true), "a fiber was resumed by itself");
        // Its guest may run.
        self.entries.set(self.entries.get().wrapping_add(1));
        let before = self.access.replace(Access::Taken);
        assert!(!matches!(before, Access::Taken), "a fiber was resumed in a taken store");
        let _restore = Restore(&self.access, before);
        let store = self.store.get();
        // SAFETY: nobody uses the store now.
        let outer = unsafe { (*store).data_mut() }.fiber.replace(fiber.clone());
        let _polled = Polled { store, fiber, outer };
        // SAFETY: `is_polled` says that nobody else uses the future.
        //
        // The future holds a mutable reference to the store, and so do the frames of the fiber, from when the fiber
        // waits until it goes on. Meanwhile others use the store. This is what Wasmtime itself does with the fibers of
        // components that release their store while they wait, on the same code paths: when a fiber is resumed, and when
        // it hands over, Wasmtime exchanges all of the store's state that belongs to a stack (the list of activations,
        // the stack's limit and guard, the pointers to the fiber and its context), and no frame that waits keeps
        // anything that it has read from the store. The frames of ours are those of `begin`, `on_agents_stack`,
        // `suspending_function` and of `host_function`, which keep nothing either but contexts, and roots only while
        // nothing but the host function itself runs. All uses are on one thread, one at a time: `Taken` keeps everybody
        // out while the fiber runs, and the fiber does nothing while others do.
        //
        // Wasmtime's collector does not know the frames of a fiber that waits. Hence `save`.
        body(unsafe { &mut *fiber.future.get() })
    }

    /// Runs `body` on a fiber that waits, so that the fiber's frames are among those that Wasmtime sees.
    fn inside(&self, fiber: &Rc<FiberState>, body: &mut dyn FnMut()) {
        // The closure is used before the fiber hands over again.
        fiber.inside.set(Some(errand(body)));
        let polled = self.poll_once(fiber);
        debug_assert!(polled.is_pending() && fiber.inside.get().is_none());
    }
}

/// A fiber's host function is running.
pub(crate) struct Serving<'a>(&'a Island);

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        self.0.served.borrow_mut().pop();
    }
}

impl Island {
    /// Makes a function that guests can import, and that suspends them. It lives as long as the island. Returns `None`
    /// if the type belongs to another engine.
    pub fn new_suspending_function(self: &Rc<Self>, ty: FuncType, host: Rc<dyn SuspendingFunction>) -> Option<Func> {
        self.new_suspending(ty, Suspending::Function(host))
    }

    pub(crate) fn new_suspending(self: &Rc<Self>, ty: FuncType, host: Suspending) -> Option<Func> {
        if !wasmtime::Engine::same(ty.engine(), &self.engine().inner) {
            return None;
        }
        let index = {
            let mut suspending = self.suspending.borrow_mut();
            suspending.push(host);
            suspending.len() - 1
        };
        Some(suspending_function(self, ty, index))
    }

    fn suspending(&self, index: usize) -> Suspending {
        self.suspending.borrow()[index].clone()
    }

    fn serve(&self, fiber: &Rc<FiberState>) -> Serving<'_> {
        self.served.borrow_mut().push(fiber.clone());
        Serving(self)
    }

    /// Ends a fiber now, or as soon as nothing else is going on in the store: a fiber that ends closes scopes of roots,
    /// and those that others have opened since would go with them.
    fn abandon(&self, fiber: &Rc<FiberState>) {
        self.store.forget(fiber);
        self.abandoned.borrow_mut().push(fiber.clone());
        self.end_abandoned();
    }

    /// Ends the fibers that were dropped while something was going on.
    pub(crate) fn end_abandoned(&self) {
        while !self.is_entered() && self.served.borrow().is_empty() {
            let Some(fiber) = self.abandoned.borrow_mut().pop() else { return };
            self.store.end_fiber(&fiber);
        }
    }

    /// The frames of the fibers whose host functions are running, where their resumers are on the agent's stack.
    pub(crate) fn frames_of_served(&self) -> Vec<StackFrame> {
        let mut frames = Vec::new();
        for fiber in self.served.borrow().iter().rev() {
            let mut captured = None;
            self.store.inside(fiber, &mut || {
                // SAFETY: the fiber does nothing but this; see `with_fiber`.
                let store = unsafe { &*self.store.store.get() };
                captured = Some(WasmBacktrace::force_capture(store));
            });
            frames.extend(captured.map(|captured| self.frames_on(fiber, frames_of(&captured))).unwrap_or_default());
        }
        frames
    }

    /// Those of `frames` that are a fiber's, where its resumer is on the agent's stack.
    fn frames_on(&self, fiber: &FiberState, mut frames: Vec<StackFrame>) -> Vec<StackFrame> {
        frames.retain(|frame| fiber.has_frame_at(self.engine(), frame.address));
        frames.iter_mut().for_each(|frame| frame.address = fiber.resumer.get());
        frames
    }

    /// [`Island::call_error`] for a call on a fiber.
    fn fiber_error(self: &Rc<Self>, fiber: &FiberState, error: wasmtime::Error) -> CallError {
        self.explain(error, |frames| self.frames_on(fiber, frames))
    }

    /// What Wasmtime is told when a host function failed.
    pub(crate) fn host_error(&self, threw: HostThrew) -> wasmtime::Error {
        match self.enter(|store| store.has_pending_exception()) {
            true => wasmtime::Error::from(ThrownException),
            false => wasmtime::Error::from(threw),
        }
    }
}
