//! Closures of the host as function pointers of the guest.
//!
//! A function pointer is an index into the guest's table of functions. A callback takes a slot there, which has a
//! function of the host's with the callback's signature. When the callback ends, the slot waits for the next one of
//! that signature; until then the function in it fails, so that a guest that has kept the pointer learns of it.
//!
//! Nothing here leaves its island's thread. A slot holds the closure, and the island holds the slot's function; neither
//! holds the guest, so no circle keeps it alive.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::ops::DerefMut;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::{Rc, Weak};

use island::call::{HostFrame, Number, NumericType};
use island::wasmtime::{ExternType, FuncType, Ref, RefType, Table, Val, ValType};
use island::{CallError, HostFunction, HostThrew, Island, Module, NumberKind};
use smallvec::SmallVec;

use crate::argument::{Argument, Call, Nullable, Passing, Sealed, by_copy, themselves};
use crate::async_callback::{self, AsyncRun};
use crate::error::{CallbackError, GuestError, HeapError};
use crate::guest::{Core, names_of};
use crate::layout::{InGuest as _, InMemory as _, Passed};
use crate::output::Nothing;
use crate::transfer::{Reader, Writer};
use crate::value::Marshal;

/// What a callback does with the guest's arguments.
type Run<'a> = dyn FnMut(&Core, &mut HostFrame<'_>) -> Result<(), CallbackError> + 'a;

/// Why a callback did not return.
pub(crate) enum Failure {
    Error(CallbackError),
    Panic(Box<dyn Any + Send>),
}

/// What is in a slot.
#[derive(Clone)]
enum Closure {
    Plain(Rc<RefCell<Run<'static>>>),
    Async(Rc<AsyncRun>),
}

/// The slots that a closure fits into.
#[derive(Clone, PartialEq)]
struct Kind {
    ty: NumericType,
    is_async: bool,
}

/// A place in the guest's table.
struct Slot {
    index: Cell<u64>,
    closure: RefCell<Option<Closure>>,
    core: Weak<Core>,
}

impl Slot {
    fn closure(&self) -> Result<Closure, CallbackError> {
        self.closure.borrow().clone().ok_or(CallbackError::Ended { index: self.index.get() })
    }

    fn call(&self, core: &Core, frame: &mut HostFrame<'_>) -> Result<(), CallbackError> {
        let Closure::Plain(run) = self.closure()? else { unreachable!("a slot has closures of one kind") };
        let mut run = run.try_borrow_mut().map_err(|_| CallbackError::Running { index: self.index.get() })?;
        run(core, frame)
    }

    fn async_run(&self) -> Result<Rc<AsyncRun>, CallbackError> {
        match self.closure()? {
            Closure::Async(run) => Ok(run),
            Closure::Plain(_) => unreachable!("a slot has closures of one kind"),
        }
    }
}

/// The function in a slot.
struct Entry(Rc<Slot>);

impl HostFunction for Entry {
    fn call_numeric(&self, _: &Rc<Island>, frame: &mut HostFrame<'_>) -> Result<(), HostThrew> {
        // Whoever calls the guest keeps its core; without one, there is nobody to tell why this fails.
        let Some(core) = self.0.core.upgrade() else { return Err(HostThrew) };
        // No panic unwinds through the guest. What the closure had borrowed is given back as it unwinds.
        let failure = match catch_unwind(AssertUnwindSafe(|| self.0.call(&core, frame))) {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => Failure::Error(error),
            Err(payload) => Failure::Panic(payload),
        };
        core.callbacks.fail(failure);
        Err(HostThrew)
    }

    fn call_values(&self, _: &Rc<Island>, _: &[Val], _: &mut [Val]) -> Result<(), HostThrew> {
        unreachable!("a callback's signature has numbers alone")
    }
}

/// The slots of a guest.
#[derive(Default)]
pub(crate) struct Callbacks {
    /// The free ones, by kind: there are few.
    free: RefCell<Vec<(Kind, Vec<Rc<Slot>>)>>,
    failure: RefCell<Option<Failure>>,
}

impl Callbacks {
    /// Forgets the last failure, which nobody asked for.
    #[inline]
    pub(crate) fn forget_failure(&self) {
        if self.failure.borrow().is_some() {
            drop(self.failure.take());
        }
    }

    /// Notes why the call that is running fails.
    pub(crate) fn fail(&self, failure: Failure) {
        drop(self.failure.replace(Some(failure)));
    }

    fn free(&self, kind: &Kind, slot: Rc<Slot>) {
        let mut free = self.free.borrow_mut();
        match free.iter_mut().find(|(known, _)| known == kind) {
            Some((_, slots)) => slots.push(slot),
            None => free.push((kind.clone(), vec![slot])),
        }
    }
}

impl Core {
    /// The error of a call: the callback's own, if a callback ended the call.
    ///
    /// # Panics
    /// If the callback panicked: the panic goes on.
    #[cold]
    pub(crate) fn explain(&self, error: GuestError) -> GuestError {
        let (GuestError::Call(CallError::Host) | GuestError::Heap(HeapError::Call(CallError::Host))) = error else {
            return error;
        };
        match self.callbacks.failure.take() {
            Some(Failure::Panic(payload)) => resume_unwind(payload),
            Some(Failure::Error(error)) => GuestError::Callback(error),
            None => error,
        }
    }

    /// A slot of a kind: one that is free, or a new one at the table's end.
    fn slot(&self, kind: &Kind) -> Result<Rc<Slot>, GuestError> {
        let waiting = {
            let mut free = self.callbacks.free.borrow_mut();
            free.iter_mut().find(|(known, _)| known == kind).and_then(|(_, slots)| slots.pop())
        };
        if let Some(slot) = waiting {
            return Ok(slot);
        }
        let table = self.table.ok_or(GuestError::NoTable { reason: "it exports no table of functions" })?;
        self.check_entry()?;
        let core = Rc::downgrade(&self.strong());
        let slot = Rc::new(Slot { index: Cell::new(0), closure: RefCell::new(None), core });
        let kinds = |kinds: &[NumberKind]| {
            let ty = |kind: &NumberKind| match kind {
                NumberKind::I32 => ValType::I32,
                NumberKind::I64 => ValType::I64,
                NumberKind::F32 => ValType::F32,
                NumberKind::F64 => ValType::F64,
            };
            kinds.iter().map(ty).collect::<Vec<_>>()
        };
        let ty = &kind.ty;
        let wasm = FuncType::new(self.island.engine().wasmtime(), kinds(&ty.params), kinds(&ty.results));
        // The function is made last: it stays as long as the island.
        let index = self.island.enter(|store| table.grow(store, 1, Ref::Func(None)));
        let index = index.map_err(|_| GuestError::NoTable { reason: "its table of functions cannot grow" })?;
        let entry = slot.clone();
        let func = match kind.is_async {
            false => self.island.new_function(wasm, Rc::new(Entry(entry))),
            true => async_callback::new_function(&self.island, wasm, move || {
                let core = entry.core.upgrade()?;
                Some((core, entry.async_run()))
            }),
        };
        let set = func.map(|func| self.island.enter(|store| table.set(store, index, Ref::Func(Some(func)))));
        if !matches!(set, Some(Ok(()))) {
            return Err(GuestError::NoTable { reason: "its table of functions cannot hold host functions" });
        }
        slot.index.set(index);
        Ok(slot)
    }
}

/// The guest's table of function pointers: the one that C compilers export, or else the only table of functions.
pub(crate) fn find_table(island: &Rc<Island>, module: &Module, instance: island::wasmtime::Instance) -> Option<Table> {
    // A table of a narrower type accepts no function of the host's.
    let is_of_functions =
        |ty: &ExternType| matches!(ty, ExternType::Table(ty) if RefType::eq(ty.element(), &RefType::FUNCREF));
    let names: Vec<_> = names_of(module, is_of_functions).collect();
    let name = match &names[..] {
        [only] => Some(only),
        several => several.iter().find(|name| **name == c_abi::names::TABLE),
    };
    island.enter(|store| instance.get_table(store, name?))
}

/// What a closure may return to the guest: a [`Marshal`] type that goes by value as a number, nothing, or a `Result` of
/// either, whose error ends the call.
pub trait Reply {
    #[doc(hidden)]
    const HEAP: bool = false;
    #[doc(hidden)]
    fn results(pointer: NumberKind, into: &mut Vec<NumberKind>) -> bool;
    #[doc(hidden)]
    fn reply(self, core: &Core) -> Result<Option<Number>, CallbackError>;
}

impl Reply for () {
    fn results(_: NumberKind, _: &mut Vec<NumberKind>) -> bool {
        true
    }

    fn reply(self, _: &Core) -> Result<Option<Number>, CallbackError> {
        Ok(None)
    }
}

impl<T: Marshal> Reply for T {
    const HEAP: bool = T::HEAP;

    fn results(pointer: NumberKind, into: &mut Vec<NumberKind>) -> bool {
        match T::LAYOUT.of(pointer).passed {
            Passed::Nothing => true,
            Passed::Number(scalar) => {
                into.push(scalar.kind());
                true
            }
            Passed::Address => false,
        }
    }

    fn reply(self, core: &Core) -> Result<Option<Number>, CallbackError> {
        let mut writer = Writer::new(core);
        // What it points to is the guest's from now on, just as what the guest returns is the host's.
        writer.consumed = true;
        let image = writer.image(std::slice::from_ref(&self));
        let freed = writer.finish(image.is_ok());
        let bytes = image.and_then(|bytes| Ok(freed.map(|()| bytes)?));
        let bytes = bytes.map_err(|error| CallbackError::Value(Box::new(error)))?;
        match T::LAYOUT.of(core.pointer).passed {
            Passed::Number(scalar) => Ok(Some(scalar.widen(&bytes))),
            _ => Ok(None),
        }
    }
}

impl<T: Reply, E: Into<Box<dyn std::error::Error>>> Reply for Result<T, E> {
    const HEAP: bool = T::HEAP;

    fn results(pointer: NumberKind, into: &mut Vec<NumberKind>) -> bool {
        T::results(pointer, into)
    }

    fn reply(self, core: &Core) -> Result<Option<Number>, CallbackError> {
        self.map_err(|error| CallbackError::Failed(error.into()))?.reply(core)
    }
}

/// The signature of a callback, written as a type of functions: `fn(A, B) -> R`, with up to six parameters.
///
/// The parameters are [`Marshal`] types as a function would return them, but what they point to stays the guest's: a
/// `String` is a `const char *`, a `Box<T>` a `const T *`, a `Counted<Vec<T>>` a `const T *` with a `size_t` behind it,
/// and a plain address is a `usize`. What the closure [returns](Reply) is the guest's.
pub trait Signature: 'static {
    /// The closure.
    type Closure<'a>: ?Sized;
    /// Whether the guest's memory is read or written.
    #[doc(hidden)]
    const HEAP: bool;
    #[doc(hidden)]
    fn ty(pointer: NumberKind) -> Option<NumericType>;
    #[doc(hidden)]
    fn run<'a>(closure: impl DerefMut<Target = Self::Closure<'a>> + 'a) -> Rc<RefCell<Run<'a>>>;
}

macro_rules! signatures {
    ($(($($name:ident $value:ident)*))*) => { $(
        impl<$($name: Marshal,)* R: Reply + 'static> Signature for fn($($name),*) -> R {
            type Closure<'a> = dyn FnMut($($name),*) -> R + 'a;
            const HEAP: bool = R::HEAP $(|| $name::HEAP || by_copy::<$name>())*;

            fn ty(pointer: NumberKind) -> Option<NumericType> {
                #[allow(unused_mut, reason = "the empty tuple uses none")]
                let (mut params, mut results) = (Vec::new(), Vec::new());
                let fits = R::results(pointer, &mut results) $(&& param::<$name>(pointer, &mut params))*;
                fits.then(|| NumericType { params: params.into(), results: results.into() })
            }

            fn run<'a>(mut closure: impl DerefMut<Target = Self::Closure<'a>> + 'a) -> Rc<RefCell<Run<'a>>> {
                Rc::new(RefCell::new(move |core: &Core, frame: &mut HostFrame<'_>| {
                    let numbers: SmallVec<[Number; 8]> = frame.args().collect();
                    #[allow(unused_variables, reason = "the empty tuple uses none")]
                    let reply = receive(core, &numbers, |reader, numbers| {
                        $(let $value = $name::receive(numbers, reader);)*
                        Ok((*closure)($($value?),*))
                    });
                    if let Some(number) = reply?.reply(core)? {
                        frame.push(number);
                    }
                    Ok(())
                }))
            }
        }
    )* };
}

signatures! {
    ()
    (A a)
    (A a B b)
    (A a B b C c)
    (A a B b C c D d)
    (A a B b C c D d E e)
    (A a B b C c D d E e F f)
}

/// Adds a parameter. Returns whether it can be one: a slice needs its length behind it.
fn param<T: Marshal>(pointer: NumberKind, into: &mut Vec<NumberKind>) -> bool {
    let before = into.len();
    T::params(pointer, into);
    !T::SLICED || into.len() == before + 2
}

/// Runs `body` with what reads a callback's parameters.
pub(crate) fn receive<R>(
    core: &Core,
    numbers: &[Number],
    body: impl FnOnce(&mut Reader<'_>, &mut dyn Iterator<Item = Number>) -> Result<R, GuestError>,
) -> Result<R, CallbackError> {
    let mut reader = Reader::new(core);
    reader.owned = false;
    body(&mut reader, &mut numbers.iter().copied()).map_err(|error| CallbackError::Value(Box::new(error)))
}

/// A closure as an argument, for one call: `Callback<fn(f64) -> f64>` is given as `&mut |x| …`, and may borrow whatever
/// the caller can. A guest that calls it later fails with [`CallbackError::Ended`].
///
/// It may call the guest again. A panic ends the guest's call and goes on in the caller.
///
/// ```
/// # use marshal::island::{Engine, EngineOptions, Module};
/// # use marshal::{Callback, Guest};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let wasm = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../guests/typed.wasm"))?;
/// # let engine = Engine::new(&EngineOptions::default())?;
/// # let guest = Guest::new(&engine, &Module::new(&engine, &wasm)?)?;
/// // void each(const int *values, int n, void (*function)(int));
/// let each = guest.function::<(&[i32], i32, Callback<fn(i32)>), ()>("each")?;
/// let mut seen = Vec::new();
/// each.call((&[1, 2, 3], 3, &mut |value| seen.push(value)))?;
/// assert_eq!(seen, [1, 2, 3]);
/// # Ok(())
/// # }
/// ```
///
/// What it borrows it cannot outlive:
///
/// ```compile_fail,E0597
/// # fn f(guest: marshal::Guest) -> Result<(), marshal::GuestError> {
/// let kept = {
///     let mut sum = 0;
///     guest.callback::<fn(i32)>(Box::new(|value| sum += value))?
/// };
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Callback<S>(PhantomData<S>);

/// A closure in its slot, for as long as `'a`.
pub struct Armed<'a> {
    slot: Rc<Slot>,
    core: Rc<Core>,
    kind: Kind,
    /// Whether the slot stays as it is.
    is_kept: bool,
    borrows: PhantomData<&'a mut ()>,
}

impl Core {
    fn arm(&self, ty: NumericType, closure: Closure) -> Result<Armed<'static>, GuestError> {
        let kind = Kind { ty, is_async: matches!(closure, Closure::Async(_)) };
        let slot = self.slot(&kind)?;
        slot.closure.replace(Some(closure));
        Ok(Armed { slot, core: self.strong(), kind, is_kept: false, borrows: PhantomData })
    }
}

impl Drop for Armed<'_> {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        // Dropping the closure may lead back here, so the slot is put in order first.
        let closure = self.slot.closure.take();
        self.core.callbacks.free(&self.kind, self.slot.clone());
        drop(closure);
    }
}

pub(crate) fn signature<S: Signature>(core: &Core) -> Result<NumericType, GuestError> {
    let signature = std::any::type_name::<S>();
    match S::HEAP && core.heap.is_none() {
        true => Err(GuestError::NoHeap { function: signature.into() }),
        false => S::ty(core.pointer).ok_or(GuestError::Signature { signature }),
    }
}

impl<S: Signature> Nullable for Callback<S> {}
impl<S: Signature> Passing for Callback<S> {
    type Given<'a> = &'a mut S::Closure<'a>;
    type Passed<'a> = Armed<'a>;
    type Out = Nothing;
    const HEAP: bool = false;
    const NESTED: bool = true;

    fn bind(binder: &mut crate::transfer::Binder<'_>) -> Result<(), GuestError> {
        signature::<S>(binder.core).map(drop)
    }

    fn pass<'a>(given: Self::Given<'a>, call: &mut Call<'_>) -> Result<Self::Passed<'a>, GuestError> {
        let core = call.writer.core;
        let run: Rc<RefCell<Run<'a>>> = S::run(given);
        // SAFETY: only the lifetime changes. The closure is called by a guest that found it in its slot, and `Armed`
        // takes it out of there when it is dropped. That is before `'a` ends: `Function::run` holds it in a local
        // variable, after the arguments, whose borrows last for `'a`; nobody who could forget it gets hold of it. By
        // then no call of it is in progress that could still hold it, since those are nested in the guest's call which
        // has returned. (`NESTED` keeps it out of calls whose future could be forgotten.)
        let run = unsafe { std::mem::transmute::<Rc<RefCell<Run<'a>>>, Rc<RefCell<Run<'static>>>>(run) };
        let armed: Armed<'a> = core.arm(signature::<S>(core)?, Closure::Plain(run))?;
        call.push_size(armed.slot.index.get())?;
        Ok(armed)
    }

    fn take(_: Armed<'_>, _: &mut Call<'_>) -> Result<Nothing, GuestError> {
        Ok(Nothing)
    }
}

/// A closure that a guest may keep, from [`Guest::callback`](crate::Guest::callback) or
/// [`Guest::async_callback`](crate::Guest::async_callback): it exists until this is dropped.
/// It is passed as `&Kept<fn(A, B) -> R>`. It keeps its guest alive.
pub struct Kept<S> {
    armed: Armed<'static>,
    kind: PhantomData<fn() -> S>,
}

impl<S: Signature> Kept<S> {
    pub(crate) fn new(core: &Core, closure: Box<S::Closure<'static>>) -> Result<Self, GuestError> {
        let armed = core.arm(signature::<S>(core)?, Closure::Plain(S::run(closure)))?;
        Ok(Self { armed, kind: PhantomData })
    }

    pub(crate) fn new_async(core: &Core, run: Rc<AsyncRun>) -> Result<Self, GuestError> {
        let armed = core.arm(signature::<S>(core)?, Closure::Async(run))?;
        Ok(Self { armed, kind: PhantomData })
    }
}

impl<S> Kept<S> {
    /// The function pointer.
    pub fn index(&self) -> u64 {
        self.armed.slot.index.get()
    }

    /// Leaves the closure to the guest, for as long as that lives. Returns the function pointer. A closure that holds
    /// the guest itself, or one of its functions, then keeps it for ever.
    pub fn keep(mut self) -> u64 {
        let index = self.index();
        self.armed.is_kept = true;
        index
    }
}

impl<S> std::fmt::Debug for Kept<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kept<{}>({})", std::any::type_name::<S>(), self.index())
    }
}

impl<S: Signature> Nullable for &Kept<S> {}
impl<S: Signature> Passing for &Kept<S> {
    type Given<'a> = &'a Kept<S>;
    type Passed<'a> = ();
    type Out = Nothing;
    const HEAP: bool = false;

    fn pass<'a>(given: Self::Given<'a>, call: &mut Call<'_>) -> Result<Self::Passed<'a>, GuestError> {
        if !std::ptr::eq(&*given.armed.core, call.writer.core) {
            return Err(GuestError::NoTable { reason: "the callback belongs to another guest" });
        }
        call.push_size(given.index())
    }

    fn take(_: (), _: &mut Call<'_>) -> Result<Nothing, GuestError> {
        Ok(Nothing)
    }
}

themselves! {
    [S: Signature] Callback<S>; [S: Signature] &Kept<S>;
}
