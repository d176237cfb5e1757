//! The global object: what each name stands for, made when a script first asks.

use agent::EventLoop;
use rquickjs::{
    Ctx, Function, Value,
    object::{Accessor, Property},
};

use crate::{
    internal::{self, state::Platform},
    node::process,
    web::console,
};

/// Globals that embedded files export: name, file.
const EXPORTED: [(&str, &str); 29] = [
    ("setTimeout", "timers"),
    ("setInterval", "timers"),
    ("setImmediate", "timers"),
    ("clearTimeout", "timers"),
    ("clearInterval", "timers"),
    ("clearImmediate", "timers"),
    ("queueMicrotask", "timers"),
    ("TextEncoder", "encoding"),
    ("TextDecoder", "encoding"),
    ("URL", "url"),
    ("URLSearchParams", "url"),
    ("performance", "performance"),
    ("crypto", "crypto"),
    ("Event", "abort"),
    ("CustomEvent", "abort"),
    ("EventTarget", "abort"),
    ("AbortController", "abort"),
    ("AbortSignal", "abort"),
    ("navigator", "os"),
    ("Headers", "fetch"),
    ("Request", "fetch"),
    ("Response", "fetch"),
    ("fetch", "fetch"),
    ("structuredClone", "messaging"),
    ("MessageChannel", "messaging"),
    ("MessagePort", "messaging"),
    ("MessageEvent", "messaging"),
    ("ErrorEvent", "messaging"),
    ("BroadcastChannel", "messaging"),
];

/// Defines every global of the platform.
pub(crate) fn define(ctx: &Ctx<'_>) -> rquickjs::Result<()> {
    for (name, file) in EXPORTED {
        lazy(ctx, name, move |ctx| internal::require(ctx, file)?.get(name))?;
    }
    lazy(ctx, "console", |ctx| Ok(console::create(ctx)?.into_value()))?;
    lazy(ctx, "process", process::create)?;
    lazy(ctx, "Worker", |ctx| internal::require(ctx, "workers")?.get("WebWorker"))?;
    let globals = ctx.globals();
    globals.prop("global", Property::from(globals.clone()).writable().configurable())?;
    if Platform::of(ctx)?.options.expose_gc {
        let collect = Function::new(ctx.clone(), |ctx: Ctx<'_>| -> rquickjs::Result<()> {
            EventLoop::of(&ctx)?;
            ctx.run_gc();
            Ok(())
        })?;
        globals.prop("gc", Property::from(collect.with_name("gc")?).writable().configurable())?;
    }
    Ok(())
}

/// A property that is made at the first read and then is a plain one; an assignment replaces it at once. As WebIDL has it,
/// functions are enumerable and interfaces are not.
fn lazy<'js>(
    ctx: &Ctx<'js>,
    name: &'static str,
    make: impl Fn(&Ctx<'js>) -> rquickjs::Result<Value<'js>> + 'js,
) -> rquickjs::Result<()> {
    let enumerable = name != "process" && name != "console" && name.starts_with(char::is_lowercase);
    let settle = move |ctx: &Ctx<'js>, value: Value<'js>| {
        let property = Property::from(value).writable().configurable();
        ctx.globals().prop(name, if enumerable { property.enumerable() } else { property })
    };
    let get = move |ctx: Ctx<'js>| -> rquickjs::Result<Value<'js>> {
        let value = make(&ctx)?;
        settle(&ctx, value.clone())?;
        Ok(value)
    };
    let set = move |ctx: Ctx<'js>, value: Value<'js>| settle(&ctx, value);
    // The engine has some of these too, enumerable.
    ctx.globals().remove(name)?;
    let accessor = Accessor::new(get, set).configurable();
    ctx.globals().prop(name, if enumerable { accessor.enumerable() } else { accessor })
}
