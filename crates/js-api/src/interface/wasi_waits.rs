//! What WASI waits for in promising calls: the event loop goes on meanwhile.

use std::rc::{Rc, Weak};

use island::call::Number;
use island::readiness::Readiness;
use island::wasi::Waiter;
use island::{HostThrew, Island};
use qjs::{Ctx, Exception, Result, Value};
use rquickjs::JsLifetime;

use crate::convert::function::call_host;
use crate::interface::promise_integration::suspend_for;
use crate::runtime::api::Api;
use crate::runtime::island_realm::IslandRealm;
use crate::runtime::promises::Promises;

/// The promises for which a runtime's calls are suspended.
#[derive(Default, JsLifetime)]
struct Waits<'js>(Promises<'js>);

struct LoopWaiter(Weak<IslandRealm>);

/// Lets promising calls of an island go through WASI's waits, if there is an event loop that goes on meanwhile.
pub(crate) fn prepare(shared: &Rc<IslandRealm>) {
    if !shared.island.has_waiter() && shared.api.state.options.task_sink.is_some() {
        shared.island.set_waiter(Rc::new(LoopWaiter(Rc::downgrade(shared))));
    }
}

impl Waiter for LoopWaiter {
    fn wait(&self, _: &Rc<Island>, readiness: Readiness) -> std::result::Result<(), HostThrew> {
        let shared = self.0.upgrade().ok_or(HostThrew)?;
        call_host(&shared, |cx| wait(&cx.ctx(), readiness))
    }
}

/// Suspends the promising call that is running until `readiness` has come.
fn wait(ctx: &Ctx<'_>, readiness: Readiness) -> Result<()> {
    if ctx.userdata::<Waits>().is_none() {
        ctx.store_userdata(Waits::default()).map_err(|_| rquickjs::Error::Unknown)?;
    }
    let task_sink = Api::of(ctx)?.state.options.task_sink.clone().ok_or(rquickjs::Error::Unknown)?;
    let (promise, resolve, _) = ctx.promise()?;
    {
        let waits = ctx.userdata::<Waits>().ok_or(rquickjs::Error::Unknown)?;
        let number = waits.0.next_number();
        let post = task_sink.post();
        let watch = readiness.watch(move || post(Box::new(move |ctx: &Ctx<'_>| go_on(ctx, number))));
        let watch = watch.map_err(|(error, _)| Exception::throw_range(ctx, &format!("WASI cannot wait: {error}")))?;
        // However early it comes, the task runs when this thread has returned to its loop.
        waits.0.insert(number, resolve, (watch, task_sink.hold()));
    }
    suspend_for(ctx, promise.into_value(), settle, &Value::new_undefined(ctx.clone()))
}

/// The function runs again, whatever has come.
fn settle<'js>(_: &Ctx<'js>, _: &Value<'js>, settled: Result<Value<'js>>) -> Result<Option<Number>> {
    settled.map(|_| None)
}

/// What a wait was for has come, on its own thread again.
fn go_on(ctx: &Ctx<'_>, number: u64) -> Result<()> {
    let promise = ctx.userdata::<Waits>().and_then(|waits| waits.0.take(number));
    match promise {
        Some(promise) => promise.resolve.call(()),
        None => Ok(()),
    }
}
