//! The native half of `async_context.js`: what the engine tells of async functions.

use qjs::awaits::{Hooks, watch};
use rquickjs::{Ctx, Function, Object, Value};

use crate::internal::def;

/// The native functions of `async_context.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(
        &native,
        "watchAwaits",
        |ctx: Ctx<'js>,
         started: Function<'js>,
         enter: Function<'js>,
         leave: Function<'js>,
         function: Value<'js>,
         generator: Value<'js>| watch(&ctx, &Hooks { started, enter, leave }, &function, &generator),
    )?;
    def(&native, "bindContinuations", |ctx: Ctx<'js>, bind: Value<'js>| js_api::bind_continuations(&ctx, &bind))?;
    def(&native, "queueMicrotask", crate::web::timers::queue_microtask)?;
    Ok(native)
}
