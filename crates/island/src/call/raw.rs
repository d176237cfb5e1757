//! The island crate's unsafe code: re-entering a store, raw calls, and reading what a function reference points to.

use std::cell::{Cell, RefCell, UnsafeCell};
use std::mem::MaybeUninit;
use std::rc::Rc;

use smallvec::SmallVec;
use wasmtime::{
    AnyRef, AsContextMut, Caller, ExnRef, ExternRef, Func, FuncType, Global, GlobalType, Instance, Memory, Mutability,
    RootScope, Store, StoreContextMut, Table, Tag, Val, ValRaw, ValType,
};

use crate::call::fiber::{FiberState, on_agents_stack};
use crate::call::host::{HostFrame, HostFunction};
use crate::call::island::{Island, StoreState};
use crate::call::numbers::{Number, NumberKind, NumericType};
use crate::call::signature::{Shape, Signature, ValueTypes};
use crate::call::trap::{CallError, FOREIGN_FUNCTION, HostThrew};
use crate::engine::Engine;

/// Who has the store's context now. Uses nest: the guest that the innermost user runs may call a host function, which
/// lends the context on, and no outer user touches the context before that function returns.
#[derive(Clone, Copy)]
pub(crate) enum Access {
    /// Nobody: the next user takes it from the store itself.
    Idle,
    /// Somebody who has not lent it on.
    Taken,
    /// A host function of this island is running and lends the context that its caller gave it.
    Lent(*mut StoreContextMut<'static, StoreState>),
}

// SAFETY: a `ReentrantStore` stays on the thread that made it, since it is not `Send`, and nothing else has the store.
// Wasmtime asks for `Send` so that a store could move, which this one never does.
unsafe impl Send for StoreState {}

/// A store that can be entered from Rust, and again from the host functions that its guests call.
pub(crate) struct ReentrantStore {
    pub(crate) store: UnsafeCell<Store<StoreState>>,
    pub(crate) access: Cell<Access>,
    /// How often it was entered. The highest bit says that fibers wait [whose references](ReentrantStore::save) a
    /// collection would not see.
    pub(crate) entries: Cell<u64>,
    /// These fibers.
    pub(crate) unsaved: RefCell<Vec<Rc<FiberState>>>,
}

/// The bit of [`ReentrantStore::entries`].
pub(crate) const UNSAVED: u64 = 1 << 63;

/// Restores the previous access, even during a panic.
pub(crate) struct Restore<'a>(pub(crate) &'a Cell<Access>, pub(crate) Access);

impl Drop for Restore<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.set(self.1);
    }
}

impl ReentrantStore {
    pub(crate) fn new(store: Store<StoreState>) -> Self {
        Self {
            store: UnsafeCell::new(store),
            access: Cell::new(Access::Idle),
            entries: Cell::new(0),
            unsaved: RefCell::default(),
        }
    }

    /// Runs `body` with the store's context.
    ///
    /// # Panics
    /// When the context is taken and not lent: a mistake in this workspace, not in a guest or a script.
    #[inline]
    pub(crate) fn enter<R>(&self, body: impl FnOnce(StoreContextMut<'_, StoreState>) -> R) -> R {
        let entries = self.entries.get().wrapping_add(1);
        self.entries.set(entries);
        let before = self.access.replace(Access::Taken);
        let _restore = Restore(&self.access, before);
        let mut context = match before {
            // SAFETY: nobody has the context, and `Taken` keeps everybody else out until `body` is done.
            Access::Idle => unsafe { &mut *self.store.get() }.as_context_mut(),
            // SAFETY: the pointer is to a context in the frame of the running host function that lends it. That
            // function is a caller of this one and does not use the context before this one returns.
            Access::Lent(context) => unsafe { &mut *context }.as_context_mut(),
            Access::Taken => panic!("a store was entered twice without a guest call in between"),
        };
        if entries & UNSAVED != 0 {
            self.save(context.as_context_mut());
        }
        body(context)
    }

    #[inline]
    pub(crate) fn entries(&self) -> u64 {
        self.entries.get() & !UNSAVED
    }

    /// Whether a guest call or another use is in progress.
    #[inline]
    pub(crate) fn is_entered(&self) -> bool {
        !matches!(self.access.get(), Access::Idle)
    }

    /// Whether a host function is running, below a guest of this store.
    #[inline]
    pub(crate) fn is_lent(&self) -> bool {
        matches!(self.access.get(), Access::Lent(_))
    }

    /// Whether [`ReentrantStore::enter`] would not panic.
    #[inline]
    pub(crate) fn can_enter(&self) -> bool {
        !matches!(self.access.get(), Access::Taken)
    }

    /// Runs `body`, the inside of a host function, while the caller's context is lent to [`ReentrantStore::enter`].
    #[inline]
    fn lend<R>(&self, mut context: StoreContextMut<'_, StoreState>, body: impl FnOnce() -> R) -> R {
        let lent = (&raw mut context).cast::<StoreContextMut<'static, StoreState>>();
        let _restore = Restore(&self.access, self.access.replace(Access::Lent(lent)));
        body()
    }
}

/// The native stack that host functions and traps may need in addition to what guests are given.
const HOST_STACK: usize = 512 << 10;

/// Whether the thread's stack has room for a guest that uses as much as it may, and so for code that may call such a
/// guest. Wasmtime counts from where a store was entered, so a chain of calls through several stores would otherwise
/// use up the thread's stack without reaching a limit.
#[inline]
pub fn has_stack_room(engine: &Engine) -> bool {
    thread_local! {
        static FLOOR: Cell<usize> = const { Cell::new(0) };
    }
    let mut floor = FLOOR.get();
    if floor == 0 {
        floor = stack_floor();
        FLOOR.set(floor);
    }
    let here = 0u8;
    (&raw const here).addr() >= floor + (engine.max_wasm_stack + HOST_STACK)
}

/// The lowest address of this thread's stack; 1 if the system does not tell.
#[cold]
fn stack_floor() -> usize {
    let (mut start, mut size) = (std::ptr::null_mut(), 0);
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: the attributes are initialised by the first call, read by the second, and given back by the third.
    unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return 1;
        }
        let found = libc::pthread_attr_getstack(attributes.as_ptr(), &mut start, &mut size);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        if found == 0 { start.addr().max(1) } else { 1 }
    }
}

/// Why a call did not return, to be [explained](Failure::explain): it fits in a register, as the error does not.
#[derive(Debug)]
#[must_use]
pub struct Failure(Option<wasmtime::Error>);

impl Failure {
    /// The error, of a call of `func` on `island`. The frames of the call must still be further down than this.
    #[cold]
    pub fn explain(self, island: &Rc<Island>, func: Func) -> CallError {
        match self.0 {
            Some(error) => island.call_error(error),
            None if !island.owns(&func) => CallError::foreign_function(),
            None => island.refusal(),
        }
    }
}

/// Calls a function with raw slots, which [`Island::call_numeric`] has checked against its type.
#[inline(always)]
pub(crate) fn call_unchecked(island: &Rc<Island>, func: Func, slots: &mut [ValRaw]) -> Result<(), Failure> {
    if !island.has_room() || !island.owns(&func) {
        return Err(Failure(None));
    }
    call_slots(island, func, slots).map_err(|error| Failure(Some(error)))
}

/// Calls a function of the island with raw slots, parameters first, which have its own types and room for its results.
#[inline]
pub(crate) fn call_slots(island: &Rc<Island>, func: Func, slots: &mut [ValRaw]) -> wasmtime::Result<()> {
    // SAFETY: the caller has checked the slots, and lends them for the call.
    island.enter(|store| unsafe { func.call_unchecked(store, slots) })
}

/// An object that belongs to a store and knows which one. Wasmtime panics if an object is used with another store than
/// its own, and has no public function to find out.
pub trait StoreObject {
    /// The number of the store that the object belongs to; `None` if it fits all stores, as a number does.
    fn store_number(&self) -> Option<u64>;
}

macro_rules! store_objects {
    ($($object:ty),*) => { $(
        impl StoreObject for $object {
            #[inline]
            fn store_number(&self) -> Option<u64> {
                const { assert!(size_of::<Self>() >= 8 && align_of::<Self>() >= align_of::<u64>()) };
                // SAFETY: the type is `repr(C)`, or transparent over one that is, and begins with its store's number, a
                // non-zero u64: Wasmtime's C interface uses the same types and relies on this. The workspace pins
                // Wasmtime; `tests/foreign.rs` fails if this changes.
                Some(unsafe { *std::ptr::from_ref(self).cast::<u64>() })
            }
        }
    )* };
}

store_objects!(Func, Instance, Memory, Table, Global, Tag, AnyRef, ExnRef, ExternRef);

impl StoreObject for Val {
    #[inline]
    fn store_number(&self) -> Option<u64> {
        match self {
            Val::FuncRef(Some(func)) => func.store_number(),
            Val::ExternRef(Some(reference)) => ExternRef::store_number(reference),
            Val::AnyRef(Some(reference)) => AnyRef::store_number(reference),
            Val::ExnRef(Some(reference)) => ExnRef::store_number(reference),
            _ => None,
        }
    }
}

/// Whether an object belongs to the store with this number.
#[inline]
pub(crate) fn belongs_to(object: &impl StoreObject, number: u64) -> bool {
    object.store_number().is_none_or(|of| of == number)
}

/// The number of a store; 0, which no store has, if memory runs out.
pub(crate) fn number_of(store: &mut Store<StoreState>) -> u64 {
    // Only an object in the store reveals the number.
    let global = Global::new(store, GlobalType::new(ValType::I32, Mutability::Const), Val::I32(0));
    global.ok().and_then(|global| global.store_number()).unwrap_or(0)
}

/// Calls a function of any type. `params` makes its arguments, and `results` takes what it returns, each in the store's
/// context; references last as long as these.
pub(crate) fn call_with<R>(
    island: &Rc<Island>,
    func: Func,
    types: &Signature,
    params: impl FnOnce(&mut StoreContextMut<'_, StoreState>) -> wasmtime::Result<SmallVec<[Val; 4]>>,
    results: impl FnOnce(&mut StoreContextMut<'_, StoreState>, &[Val]) -> R,
) -> wasmtime::Result<R> {
    if !island.owns(&func) {
        return Err(wasmtime::Error::msg(FOREIGN_FUNCTION));
    }
    let mut slots = argument_slots(island, types, params)?;
    call_slots(island, func, &mut slots)?;
    // SAFETY: the guest left its results, which have these types, in the slots, and nothing has run since.
    Ok(unsafe { with_values(island, &types.results, &slots, results) })
}

/// The slots of a call: its arguments, which `params` makes in the store's context, and room for its results.
pub(crate) fn argument_slots(
    island: &Island,
    signature: &Signature,
    params: impl FnOnce(&mut StoreContextMut<'_, StoreState>) -> wasmtime::Result<SmallVec<[Val; 4]>>,
) -> wasmtime::Result<SmallVec<[ValRaw; 8]>> {
    island.enter(|store| {
        let mut scope = RootScope::new(store);
        let params = params(&mut scope.as_context_mut())?;
        let mut slots = SmallVec::from_elem(ValRaw::u64(0), signature.params.len().max(signature.results.len()));
        fill(&mut scope, &signature.params, &params, |at, raw| slots[at] = raw)?;
        Ok(slots)
    })
}

/// Runs `body` with what is in slots, in the store's context. References last as long as `body`.
///
/// # Safety
/// The slots must hold values of these types that a guest of the island has left there, and nothing may have run since.
pub(crate) unsafe fn with_values<'s, R>(
    island: &Island,
    types: &ValueTypes,
    slots: impl IntoIterator<Item = &'s ValRaw>,
    body: impl FnOnce(&mut StoreContextMut<'_, StoreState>, &[Val]) -> R,
) -> R {
    island.enter(|store| {
        let mut scope = RootScope::new(store);
        // SAFETY: by the caller's promise.
        let values = types.shapes().zip(slots).map(|(shape, slot)| unsafe { rooted(&mut scope, shape, slot) });
        let values: SmallVec<[Val; 4]> = values.collect();
        body(&mut scope.as_context_mut(), &values)
    })
}

/// Writes values into raw slots. Raw references stay valid until something allocates in the store, which nothing may do
/// before a guest has them.
pub(crate) fn fill(
    scope: &mut RootScope<StoreContextMut<'_, StoreState>>,
    types: &ValueTypes,
    values: &[Val],
    mut slot: impl FnMut(usize, ValRaw),
) -> wasmtime::Result<()> {
    let number = scope.as_context_mut().data().number;
    if !types.fit(scope.as_context_mut(), |val| belongs_to(val, number), values)? {
        return Err(wasmtime::Error::msg("the values do not fit the function's type"));
    }
    values.iter().enumerate().try_for_each(|(at, val)| {
        slot(at, val.to_raw(&mut *scope)?);
        Ok(())
    })
}

/// A value from a raw slot, rooted in the scope.
///
/// # Safety
/// The slot must hold a value of this shape that a guest of the store has just left there.
unsafe fn rooted(scope: &mut RootScope<StoreContextMut<'_, StoreState>>, shape: Shape, slot: &ValRaw) -> Val {
    match shape {
        Shape::Number(kind) => Number::read(kind, slot).val(),
        Shape::V128 => Val::V128(slot.get_v128().into()),
        // SAFETY: the caller promises that the pointer is null or a function of the store.
        Shape::Func => Val::FuncRef(unsafe { Func::from_raw(scope, slot.get_funcref()) }),
        Shape::Extern => Val::ExternRef(ExternRef::from_raw(scope, slot.get_externref())),
        Shape::Any => Val::AnyRef(AnyRef::from_raw(scope, slot.get_anyref())),
        Shape::Exn => Val::ExnRef(ExnRef::from_raw(scope, slot.get_exnref())),
        // The engine has no stack switching, so there are no continuations.
        Shape::Cont => Val::ContRef(None),
    }
}

/// Reads an argument of a host function on the unchecked path.
#[inline]
pub(crate) fn argument(kind: NumberKind, slot: &MaybeUninit<ValRaw>) -> Number {
    // SAFETY: Wasmtime wrote the arguments, and `HostFrame` pairs each with its own type.
    Number::read(kind, unsafe { slot.assume_init_ref() })
}

/// A function of the island that runs `island.host(index)`.
pub(crate) fn host_function(island: &Rc<Island>, ty: FuncType, index: usize) -> Func {
    match NumericType::of(&ty) {
        Some(numeric) => {
            let body = move |mut caller: Caller<'_, StoreState>, slots: &mut [MaybeUninit<ValRaw>]| {
                let mut frame = HostFrame::new(&numeric, slots);
                let mut complete = false;
                with_host(caller.as_context_mut(), index, |host, island| {
                    host.call_numeric(island, &mut frame)?;
                    complete = frame.is_complete();
                    Ok(())
                })?;
                match complete {
                    true => Ok(()),
                    false => Err(wasmtime::Error::msg("a host function left results out")),
                }
            };
            // SAFETY: the body reads the arguments by the function's own type, and all results are set when it
            // returns Ok.
            island.enter(|store| unsafe { Func::new_unchecked(store, ty, body) })
        }
        None => {
            let signature = Signature::new(&ty);
            let body = move |caller: Caller<'_, StoreState>, slots: &mut [MaybeUninit<ValRaw>]| {
                call_host_with_values(caller, index, &signature, slots)
            };
            // SAFETY: the body reads the arguments by the function's own type, and all results are set, as values of
            // their types, when it returns Ok.
            island.enter(|store| unsafe { Func::new_unchecked(store, ty, body) })
        }
    }
}

fn call_host_with_values(
    mut caller: Caller<'_, StoreState>,
    index: usize,
    signature: &Signature,
    slots: &mut [MaybeUninit<ValRaw>],
) -> wasmtime::Result<()> {
    let mut scope = RootScope::new(caller.as_context_mut());
    let args = signature.params.shapes().zip(slots.iter());
    // SAFETY: the guest left its arguments, which have these types, in the slots, and nothing has run since.
    let args = args.map(|(shape, slot)| unsafe { rooted(&mut scope, shape, slot.assume_init_ref()) });
    let args: SmallVec<[Val; 4]> = args.collect();
    let mut results: SmallVec<[Val; 4]> = SmallVec::from_elem(Val::I32(0), signature.results.len());
    lend(scope.as_context_mut(), |island| {
        let called = island.host(index).call_values(island, &args, &mut results);
        called.map_err(|threw| island.host_error(threw))?;
        // Here, since on a fiber the results' roots do not outlive what runs on the agent's stack.
        island.enter(|store| {
            let mut scope = RootScope::new(store);
            fill(&mut scope, &signature.results, &results, |at, raw| {
                slots[at].write(raw);
            })
        })
    })
}

/// Runs `body`, the inside of a host function, with the caller's context lent to its island, which `body` may then
/// enter. What is rooted meanwhile need not be afterwards.
///
/// # Errors
/// What `body` fails with.
#[inline]
pub fn lend<R>(
    caller: StoreContextMut<'_, StoreState>,
    body: impl FnOnce(&Rc<Island>) -> wasmtime::Result<R>,
) -> wasmtime::Result<R> {
    let Some(island) = caller.data().island.upgrade() else {
        // The store is being dropped with its island; none of its guests can be running.
        return Err(wasmtime::Error::from(HostThrew));
    };
    match caller.data().fiber.clone() {
        None => island.store.lend(caller, || body(&island)),
        Some(fiber) => on_agents_stack(caller, fiber, || body(&island)),
    }
}

/// Finds the host function behind a call and lends it the caller's context.
#[inline]
fn with_host(
    caller: StoreContextMut<'_, StoreState>,
    index: usize,
    body: impl FnOnce(&dyn HostFunction, &Rc<Island>) -> Result<(), HostThrew>,
) -> wasmtime::Result<()> {
    lend(caller, |island| body(&*island.host(index), island).map_err(|threw| island.host_error(threw)))
}

/// Distinguishes the functions of one store. Wasmtime makes a reference for each instance that names a function; all of
/// them have the same code and context.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FunctionKey {
    code: usize,
    context: usize,
}

impl FunctionKey {
    /// The key of `func`.
    ///
    /// # Panics
    /// When `func` does not belong to the store.
    pub fn of(mut store: impl AsContextMut, func: Func) -> Self {
        let [array_call, _, vmctx] = reference(&mut store, func);
        Self { code: array_call, context: vmctx }
    }
}

/// The `VMContext` of the instance that `func` is of.
pub(crate) fn instance_of(mut store: impl AsContextMut, func: Func) -> *const u8 {
    std::ptr::with_exposed_provenance(reference(&mut store, func)[2])
}

/// Where the compiled code of `func` begins; 0 for a host function that no guest has called.
pub(crate) fn code_of(mut store: impl AsContextMut, func: Func) -> usize {
    reference(&mut store, func)[1]
}

/// `array_call`, `wasm_call` and `vmctx` of the `VMFuncRef` behind a function: its words 0, 1 and 3 in Wasmtime 48,
/// which the workspace pins. `tests/function_key.rs` fails if this changes.
fn reference(store: &mut impl AsContextMut, func: Func) -> [usize; 3] {
    let raw = func.to_raw(store.as_context_mut()).cast::<usize>();
    // SAFETY: a function's raw form points to its live, immutable, pointer-aligned `VMFuncRef` of four words.
    unsafe { [*raw, *raw.add(1), *raw.add(3)] }
}
