//! Host functions: what guests can import, and what they hand over and are given.

use std::future::Future;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::rc::Rc;

use smallvec::SmallVec;
use wasmtime::{StoreContextMut, Val, ValRaw};

use crate::call::fiber::{Arguments, FiberState, WaitKind};
use crate::call::island::{Island, StoreState};
use crate::call::numbers::{Number, NumberKind, NumericType};
use crate::call::raw;
use crate::call::trap::{HostThrew, HostTrap};

/// A function that a guest can import. It may enter the island again.
pub trait HostFunction: 'static {
    /// A call whose signature has nothing but numbers. All results must be pushed.
    ///
    /// # Errors
    /// When the guest is to be unwound: the call that entered it then fails with [`CallError::Host`](crate::CallError::Host).
    fn call_numeric(&self, island: &Rc<Island>, frame: &mut HostFrame<'_>) -> Result<(), HostThrew>;

    /// A call with references or vectors among its parameters and results. References in the results must have been
    /// made during this call.
    ///
    /// # Errors
    /// As [`HostFunction::call_numeric`].
    fn call_values(&self, island: &Rc<Island>, args: &[Val], results: &mut [Val]) -> Result<(), HostThrew>;
}

/// The arguments and results of a guest's call to the host.
pub struct HostFrame<'a> {
    ty: &'a NumericType,
    slots: &'a mut [MaybeUninit<ValRaw>],
    returned: usize,
}

impl<'a> HostFrame<'a> {
    #[inline]
    pub(crate) fn new(ty: &'a NumericType, slots: &'a mut [MaybeUninit<ValRaw>]) -> Self {
        Self { ty, slots, returned: 0 }
    }

    /// The arguments, in order.
    #[inline]
    pub fn args(&self) -> impl ExactSizeIterator<Item = Number> {
        self.ty.params.iter().zip(self.slots.iter()).map(|(&kind, slot)| raw::argument(kind, slot))
    }

    /// The results' types.
    #[inline]
    pub fn results(&self) -> &'a [NumberKind] {
        &self.ty.results
    }

    /// Sets the next result. The arguments cannot be read any more after this.
    ///
    /// # Panics
    /// When the result has another type, or all results have been set.
    #[inline]
    pub fn push(&mut self, value: Number) {
        assert_eq!(self.ty.results.get(self.returned), Some(&value.kind()), "result {}", self.returned);
        self.slots[self.returned].write(value.raw());
        self.returned += 1;
    }

    #[inline]
    pub(crate) fn is_complete(&self) -> bool {
        self.returned == self.ty.results.len()
    }
}

/// A function that a guest can import and that suspends the guest, if the guest runs on a fiber.
pub trait SuspendingFunction: 'static {
    /// Begins a call from a fiber, which is suspended until [`Fiber::resume`](crate::Fiber::resume) or
    /// [`Fiber::resume_throwing`](crate::Fiber::resume_throwing).
    ///
    /// # Errors
    /// When the guest is to be unwound instead.
    fn start(&self, island: &Rc<Island>, arguments: Arguments<'_>) -> Result<(), HostThrew>;

    /// Fails a call that does not come from a fiber.
    fn refuse(&self, island: &Rc<Island>) -> HostThrew;
}

/// What suspends a fiber.
#[derive(Clone)]
pub(crate) enum Suspending {
    /// Fibers that whoever made them resumes.
    Function(Rc<dyn SuspendingFunction>),
    /// Fibers that belong to a future.
    Async(Rc<AsyncHost>),
}

impl Suspending {
    /// Fails a call that does not come from a fiber, or from one of the other kind: those of JavaScript's promises and
    /// those of Rust's futures do not wait for each other.
    pub(crate) fn refuse(&self, island: &Rc<Island>) -> wasmtime::Error {
        const WHY: &str = "an async host function was called by a guest whose own call is not async";
        match self {
            Self::Function(host) => island.host_error(host.refuse(island)),
            Self::Async(_) => wasmtime::Error::from(HostTrap(WHY.into())),
        }
    }

    /// Begins a call from a fiber that may wait.
    pub(crate) fn start(
        &self,
        island: &Rc<Island>,
        fiber: &FiberState,
        arguments: Arguments<'_>,
    ) -> wasmtime::Result<()> {
        match (self, fiber.waits) {
            (Self::Function(host), WaitKind::UntilResumed) => {
                host.start(island, arguments).map_err(|threw| island.host_error(threw))
            }
            (Self::Async(host), WaitKind::ForFutures) => {
                fiber.awaits.set(Some(host(island, arguments)));
                Ok(())
            }
            _ => Err(self.refuse(island)),
        }
    }
}

/// What an async host function does until it returns.
pub(crate) type HostFuture = Pin<Box<dyn Future<Output = Result<Results, HostThrew>>>>;

/// An async host function.
pub(crate) type AsyncHost = dyn Fn(&Rc<Island>, Arguments<'_>) -> HostFuture;

type MakeValues = dyn FnOnce(&mut StoreContextMut<'_, StoreState>) -> wasmtime::Result<SmallVec<[Val; 4]>>;

/// What an async host function returns to its guest.
pub struct Results(ReturnedValues);

enum ReturnedValues {
    Numbers(SmallVec<[Number; 2]>),
    Made(Box<MakeValues>),
}

impl Results {
    /// Results that `make` makes in the store's context, as references have to be.
    pub fn with(
        make: impl FnOnce(&mut StoreContextMut<'_, StoreState>) -> wasmtime::Result<SmallVec<[Val; 4]>> + 'static,
    ) -> Self {
        Self(ReturnedValues::Made(Box::new(make)))
    }

    pub(crate) fn make(self, store: &mut StoreContextMut<'_, StoreState>) -> wasmtime::Result<SmallVec<[Val; 4]>> {
        match self.0 {
            ReturnedValues::Numbers(numbers) => Ok(numbers.into_iter().map(Number::val).collect()),
            ReturnedValues::Made(make) => make(store),
        }
    }
}

impl FromIterator<Number> for Results {
    fn from_iter<I: IntoIterator<Item = Number>>(numbers: I) -> Self {
        Self(ReturnedValues::Numbers(numbers.into_iter().collect()))
    }
}

impl std::fmt::Debug for Results {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            ReturnedValues::Numbers(numbers) => f.debug_tuple("Results").field(numbers).finish(),
            ReturnedValues::Made(_) => f.debug_struct("Results").finish_non_exhaustive(),
        }
    }
}
