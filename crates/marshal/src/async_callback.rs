//! Closures that return futures, as functions that a guest waits in.
//!
//! A guest that was called by [`Function::call_async`](crate::Function::call_async) is suspended while the future is
//! pending, and other calls go on; see [`GuestBuilder::import_async`](crate::GuestBuilder::import_async) and
//! [`Guest::async_callback`](crate::Guest::async_callback). Errors and panics end the guest's call, as those of ordinary
//! callbacks do.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

use island::call::Number;
use island::wasmtime::{Func, FuncType};
use island::{HostThrew, Island};

use crate::callback::{Failure, Reply, receive};
use crate::error::CallbackError;
use crate::guest::Core;
use crate::value::Marshal;

/// What such a closure does with the guest's arguments.
pub(crate) type AsyncRun = dyn Fn(&Rc<Core>, &[Number]) -> Result<Replied, CallbackError>;

type Replied = Pin<Box<dyn Future<Output = Result<Option<Number>, CallbackError>>>>;

/// A closure, or an `async fn`, with the [signature](crate::callback::Signature) `S`: `fn(A, B) -> R` if its future's
/// output is `R`. It borrows nothing from its caller, and neither does its future, since the guest may wait for long.
pub trait AsyncClosure<S>: 'static {
    #[doc(hidden)]
    fn run(self) -> Rc<AsyncRun>;
}

macro_rules! closures {
    ($(($($name:ident $value:ident)*))*) => { $(
        impl<C, F, $($name: Marshal,)* Z: Reply + 'static> AsyncClosure<fn($($name),*) -> Z> for C
        where
            C: Fn($($name),*) -> F + 'static,
            F: Future<Output = Z> + 'static,
        {
            fn run(self) -> Rc<AsyncRun> {
                Rc::new(move |core: &Rc<Core>, numbers: &[Number]| {
                    #[allow(unused_variables, reason = "the empty tuple uses none")]
                    let future = receive(core, numbers, |reader, numbers| {
                        $(let $value = $name::receive(numbers, reader);)*
                        Ok(self($($value?),*))
                    })?;
                    let core = core.clone();
                    Ok(Box::pin(async move { future.await.reply(&core) }))
                })
            }
        }
    )* };
}

closures! {
    ()
    (A a)
    (A a B b)
    (A a B b D d)
    (A a B b D d E e)
    (A a B b D d E e G g)
    (A a B b D d E e G g H h)
}

/// Makes the function that a guest has for a closure. `find` finds that, and its guest.
pub(crate) fn new_function(
    island: &Rc<Island>,
    ty: FuncType,
    find: impl Fn() -> Option<(Rc<Core>, Result<Rc<AsyncRun>, CallbackError>)> + 'static,
) -> Option<Func> {
    island.new_async_function(ty, move |island, arguments| {
        let (numbers, found) = (arguments.numbers(island), find());
        async move {
            // Whoever calls the guest keeps its core; without one, there is nobody to tell why this fails.
            let (core, run) = found.ok_or(HostThrew)?;
            // What the guest passed is read in the first poll, before it can change.
            let called = caught(async { (run?)(&core, &numbers)?.await }).await;
            called.map(FromIterator::from_iter).map_err(|failure| {
                core.callbacks.fail(failure);
                HostThrew
            })
        }
    })
}

/// The future, whose panics are failures: they go on in whoever called the guest, after everything was freed.
async fn caught<T>(future: impl Future<Output = Result<T, CallbackError>>) -> Result<T, Failure> {
    let mut future = pin!(future);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(polled) => polled.map_err(Failure::Error),
        Err(payload) => Poll::Ready(Err(Failure::Panic(payload))),
    })
    .await
}
