//! Calls that are suspended where WASI would wait.

use std::rc::Rc;

use smallvec::SmallVec;
use wasmtime::{AsContextMut, Caller, FuncType};

use crate::call::fiber::{FiberState, WaitKind};
use crate::call::host::{HostFuture, Results};
use crate::call::island::{Island, StoreState};
use crate::call::signature::Signature;
use crate::call::trap::HostThrew;
use crate::readiness::Readiness;

/// Waits on behalf of an island's calls. An island that has one suspends a call where WASI would block.
pub trait Waiter: 'static {
    /// Begins to wait, for a fiber that is suspended until [`Fiber::resume`](crate::Fiber::resume) or
    /// [`Fiber::resume_throwing`](crate::Fiber::resume_throwing).
    ///
    /// # Errors
    /// When the guest is to be unwound instead.
    fn wait(&self, island: &Rc<Island>, readiness: Readiness) -> Result<(), HostThrew>;
}

/// A store's waiter.
#[derive(Default)]
struct WaiterSlot(Option<Rc<dyn Waiter>>);

fn slot(store: &mut StoreState) -> &mut Option<Rc<dyn Waiter>> {
    &mut store.extensions.slot::<WaiterSlot>().0
}

/// The fiber that a guest runs on, if it is suspended where WASI would wait.
pub(crate) fn suspendable(store: &mut StoreState) -> Option<Rc<FiberState>> {
    let fiber = store.fiber.clone()?;
    (fiber.waits == WaitKind::ForFutures || slot(store).is_some()).then_some(fiber)
}

/// What a fiber that waits for futures waits for then.
async fn ready(readiness: Readiness) -> Result<Results, HostThrew> {
    let come = readiness.come().await;
    Ok(Results::with(|_| match come {
        Ok(()) => Ok(SmallVec::new()),
        Err(error) => Err(wasmtime::Error::new(error).context("WASI cannot wait")),
    }))
}

/// Suspends a fiber until something has come.
pub(crate) fn wait_on_fiber(
    caller: &mut Caller<'_, StoreState>,
    fiber: &Rc<FiberState>,
    readiness: Readiness,
) -> wasmtime::Result<()> {
    let nothing = Signature::new(&FuncType::new(caller.engine(), [], []));
    let mut readiness = Some(readiness);
    let begin = |island: &Rc<Island>| {
        if fiber.waits == WaitKind::ForFutures {
            fiber.awaits.set(readiness.take().map(|readiness| Box::pin(ready(readiness)) as HostFuture));
            return Ok(());
        }
        let waiter = island.enter(|mut store| slot(store.data_mut()).clone());
        let waiter = waiter.expect("there was one when the function was called");
        let begun = readiness.take().map_or(Ok(()), |readiness| waiter.wait(island, readiness));
        begun.map_err(|threw| island.host_error(threw))
    };
    fiber.suspend(caller.as_context_mut(), begin, (&raw const nothing, &mut []))
}

impl Island {
    /// Has calls that can be suspended suspended where WASI would wait, and `waiter` wait instead. It takes the place of an
    /// earlier one.
    pub fn set_waiter(&self, waiter: Rc<dyn Waiter>) {
        let earlier = self.enter(|mut store| slot(store.data_mut()).replace(waiter));
        // Not while the store is in use: it may hold anything.
        drop(earlier);
    }

    /// Whether it has a [`Waiter`].
    pub fn has_waiter(&self) -> bool {
        self.enter(|mut store| slot(store.data_mut()).is_some())
    }
}
