//! Calls as futures, and host functions that guests wait for.
//!
//! The future of a call owns its [`Fiber`]. Polling it runs the guest until it has returned or has called an async host
//! function; then it polls the future of that, with the context that it was polled with itself. So a call needs no
//! executor of its own and wakes nobody: whoever wakes the host function's future has the call go on.

use std::future::Future;
use std::rc::Rc;

use smallvec::SmallVec;
use wasmtime::{Func, FuncType, StoreContextMut, Val};

use crate::call::fiber::{Arguments, Fiber, Resumed, WaitKind};
use crate::call::function::Callee;
use crate::call::host::{AsyncHost, Results, Suspending};
use crate::call::island::{Island, StoreState};
use crate::call::numbers::Frame;
use crate::call::raw::argument_slots;
use crate::call::trap::{CallError, HostThrew};

impl Fiber {
    /// Runs the guest to its end.
    async fn finish(&self, island: &Rc<Island>) -> Result<(), CallError> {
        let mut resumed = self.start();
        loop {
            if let Resumed::Ended(result) = resumed {
                return result;
            }
            let answer = self.take_future().await;
            // Somebody else polls now.
            island.check_stack()?;
            resumed = match answer {
                Err(threw) => self.resume_throwing(threw),
                Ok(results) => match self.resume(|store| results.make(store)) {
                    Ok(resumed) => resumed,
                    Err(error) => self.resume_failing(error),
                },
            };
        }
    }
}

impl Island {
    /// Makes a function that guests can import, and in which they wait for a future. `host` begins each call: it reads
    /// the arguments, and returns the future. It is called, and the future polled, while a call of
    /// [`Island::call_async`] is polled; a call of any other kind is refused with a trap that says so. The function lives
    /// as long as the island. Returns `None` if the type belongs to another engine.
    ///
    /// The guest is unwound if the future fails. To have it catch an exception, return what [`Island::throw`] makes as
    /// soon as it is made. A panic goes to whoever polls, and the guest's call has ended.
    pub fn new_async_function<F: Future<Output = Result<Results, HostThrew>> + 'static>(
        self: &Rc<Self>,
        ty: FuncType,
        host: impl Fn(&Rc<Self>, Arguments<'_>) -> F + 'static,
    ) -> Option<Func> {
        let host: Rc<AsyncHost> = Rc::new(move |island, arguments| Box::pin(host(island, arguments)));
        self.new_suspending(ty, Suspending::Async(host))
    }

    /// [`Island::call_with`] as a future: while the guest waits in an [async host
    /// function](Island::new_async_function), other calls go on, each of them polled by whoever likes to.
    ///
    /// Nothing happens before the future is polled. Dropping it ends the call: at once, or if something else is going
    /// on in the island, afterwards; no code of the guest runs in it any more.
    ///
    /// # Errors
    /// As [`Island::call_with`]; also when the future is polled where the island cannot be entered.
    pub async fn call_async<R>(
        self: &Rc<Self>,
        callee: &Callee,
        params: impl FnOnce(&mut StoreContextMut<'_, StoreState>) -> wasmtime::Result<SmallVec<[Val; 4]>>,
        results: impl FnOnce(&mut StoreContextMut<'_, StoreState>, &[Val]) -> R,
    ) -> Result<R, CallError> {
        let slots = |signature: &_| argument_slots(self, signature, params);
        let fiber = Fiber::with_slots(self, callee.func(), callee.shared_signature(), WaitKind::ForFutures, slots)?;
        fiber.finish(self).await?;
        Ok(fiber.results(results))
    }

    /// [`Island::call_numeric`] as a future, like [`Island::call_async`]. With `stack`, the call has a [C stack of its
    /// own](Fiber::with_stack) that begins there.
    ///
    /// # Errors
    /// When the call does not return, or the future is polled where the island cannot be entered.
    ///
    /// # Panics
    /// When parameters are missing.
    pub async fn call_numeric_async(
        self: &Rc<Self>,
        callee: &Callee,
        frame: &mut Frame<'_>,
        stack: Option<u64>,
    ) -> Result<(), CallError> {
        assert!(frame.is_full(), "parameters are missing");
        assert!(callee.numeric().is_some_and(|ty| ty == frame.ty()), "the frame is for another type");
        let slots = frame.slots.clone();
        let mut fiber =
            Fiber::with_slots(self, callee.func(), callee.shared_signature(), WaitKind::ForFutures, |_| Ok(slots))?;
        if let Some(top) = stack {
            fiber = fiber.with_stack(callee, top);
        }
        fiber.finish(self).await?;
        fiber.copy_results(&mut frame.slots);
        Ok(())
    }
}
