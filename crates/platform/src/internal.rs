//! The JavaScript that is part of the platform: embedded as source, compiled when first needed.
//!
//! Each file is the body of a strict function `(exports, require, native, globalThis)`; `require` gives another embedded
//! file's exports, `native` the Rust functions that belong to the file.

use rquickjs::{Ctx, Exception, Function, Object, Persistent, Value, context::EvalOptions, function::IntoJsFunc};

use crate::state::Platform;

macro_rules! sources {
    ($($name:literal),* $(,)?) => {
        fn source(name: &str) -> Option<&'static str> {
            match name {
                $($name => Some(include_str!(concat!("js/", $name, ".js"))),)*
                _ => None,
            }
        }
    };
}

sources!(
    "abort",
    "assert",
    "bytes",
    "console",
    "crypto",
    "data_url",
    "deep_equal",
    "encoding",
    "errors",
    "events",
    "fetch",
    "fs",
    "fs_promises",
    "headers",
    "inspect",
    "messaging",
    "module",
    "os",
    "path",
    "performance",
    "process",
    "report",
    "stack",
    "timers",
    "timers_promises",
    "url",
    "util",
    "workers",
);

/// The exports of an embedded file, which runs at the first request.
pub(crate) fn require<'js>(ctx: &Ctx<'js>, name: &str) -> rquickjs::Result<Object<'js>> {
    let platform = Platform::of(ctx)?;
    let loaded = platform.internals.borrow().get(name).cloned();
    if let Some(exports) = loaded {
        return exports.restore(ctx);
    }
    let Some(source) = source(name) else {
        return Err(Exception::throw_internal(ctx, &format!("no embedded script is called {name}")));
    };
    let mut options = EvalOptions::default();
    options.filename = Some(format!("node:internal/{name}"));
    let wrapped = ["(function(exports,require,native){", source, "\n})"].concat();
    let function: Function = ctx.eval_with_options(wrapped, options)?;
    let exports = Object::new(ctx.clone())?;
    // Before it runs: files may need each other.
    platform.internals.borrow_mut().insert(name.into(), Persistent::save(ctx, exports.clone()));
    let require_function =
        Function::new(ctx.clone(), |ctx: Ctx<'js>, name: String| require(&ctx, &name))?.with_name("require")?;
    function.call::<_, Value>((exports.clone(), require_function, crate::natives(ctx, name)?))?;
    Ok(exports)
}

/// Calls a function that an embedded file exports.
pub(crate) fn function<'js>(ctx: &Ctx<'js>, file: &str, name: &str) -> rquickjs::Result<Function<'js>> {
    require(ctx, file)?.get(name)
}

/// Defines a native function as a property.
pub(crate) fn def<'js, P, F>(object: &Object<'js>, name: &str, function: F) -> rquickjs::Result<()>
where
    F: IntoJsFunc<'js, P> + 'js,
{
    object.set(name, Function::new(object.ctx().clone(), function)?.with_name(name)?)
}
