//! The JavaScript that is part of the platform: embedded as source, compiled when first needed.
//!
//! Each file is the body of a strict function `(exports, require, rust, $)`: `require` returns another embedded file's
//! exports, `rust` has the Rust functions that belong to the file, and `$` is the language as it was before any script
//! ran (`primordials.js`). The names of the globals in `$` are in scope as well.

pub(crate) mod background;
pub(crate) mod bytes;
pub(crate) mod errors;
pub(crate) mod inspect;
pub(crate) mod primordials;
pub(crate) mod report;
pub(crate) mod state;
pub(crate) mod stdio;
pub(crate) mod strings;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use qjs::{bytecode::Bytecode, define::Put as _, pristine::bare_object};
use rquickjs::function::{IntoJsFunc, ParamRequirement, Params};
use rquickjs::{Ctx, Exception, Function, Object, Persistent, Value, context::EvalOptions};

use self::{state::Platform, strings::UsvString};
use crate::features::{self, Feature};

/// Declares the names of the language's globals, taken from the primordials, in an embedded file.
const GLOBALS: &str = "const{Array,ArrayBuffer,Boolean,BigInt,DOMException,Date,Error,JSON,Map,Math,Number,Object,\
                       Promise,Proxy,RangeError,Reflect,RegExp,Set,SharedArrayBuffer,String,Symbol,SyntaxError,\
                       TypeError,Uint32Array,Uint8Array,WeakMap,WeakRef,WeakSet,globalThis,parseFloat,\
                       parseInt}=$.globals;";

/// The exports of an embedded file, which runs when it is first requested.
pub(crate) fn require<'js>(ctx: &Ctx<'js>, name: &str) -> rquickjs::Result<Object<'js>> {
    let platform = Platform::of(ctx)?;
    let loaded = platform.internals.borrow().get(name).cloned();
    if let Some(exports) = loaded {
        return exports.restore(ctx);
    }
    let Some(feature) = features::file(name) else {
        return Err(Exception::throw_internal(ctx, &format!("no embedded script is called {name}")));
    };
    let function: Function = compiled(ctx, &platform, feature)?.get()?;
    // The object has no prototype while the file fills it: an assignment must not run what scripts put into
    // `Object.prototype`.
    let exports = bare_object(ctx)?;
    // Registered before the file runs, because files may need each other.
    platform.internals.borrow_mut().insert(feature.name, Persistent::save(ctx, exports.clone()));
    let require_function =
        Function::new(ctx.clone(), |ctx: Ctx<'js>, name: UsvString| require(&ctx, &name))?.with_name("require")?;
    let primordials = match needs_primordials(name) {
        true => require(ctx, "primordials")?.into_value(),
        false => Value::new_undefined(ctx.clone()),
    };
    function.call::<_, Value>((exports.clone(), require_function, (feature.native)(ctx)?, primordials))?;
    exports.set_prototype(Object::new(ctx.clone())?.get_prototype().as_ref())?;
    Ok(exports)
}

/// Whether a file is given the primordials. One file makes them, and the other runs before any script, in every agent.
fn needs_primordials(name: &str) -> bool {
    !matches!(name, "primordials" | "stack")
}

/// A file's function. If there are workers, each file is compiled once for all agents of the process.
fn compiled<'js>(ctx: &Ctx<'js>, platform: &Platform, feature: &Feature) -> rquickjs::Result<Value<'js>> {
    static COMPILED: Mutex<Option<HashMap<&str, Arc<Bytecode>>>> = Mutex::new(None);
    let Feature { name, source, .. } = *feature;
    let names = if needs_primordials(name) { GLOBALS } else { "" };
    let wrapped = || ["(function(exports,require,rust,$){", names, source, "\n})"].concat();
    let file = format!("node:internal/{name}");
    let has_workers = name == "workers" || platform.own_worker.is_some();
    let plain = |ctx: &Ctx<'js>| {
        let mut options = EvalOptions::default();
        options.filename = Some(file.clone());
        ctx.eval_with_options(wrapped(), options)
    };
    if !has_workers && !platform.internals.borrow().contains_key("workers") {
        return plain(ctx);
    }
    let cache = || COMPILED.lock().unwrap_or_else(|e| e.into_inner());
    let known = cache().get_or_insert_default().get(name).cloned();
    let bytecode = match known {
        Some(bytecode) => bytecode,
        None => {
            // (When the engine writes bytecode, it reads `raw` of template literals' arrays, which scripts may have
            // made an accessor that throws.)
            let Ok(bytecode) = Bytecode::compile(ctx, &wrapped(), &file).map(Arc::new) else {
                drop(ctx.catch());
                return plain(ctx);
            };
            cache().get_or_insert_default().insert(name, bytecode.clone());
            bytecode
        }
    };
    bytecode.run(ctx)
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
    object.put(name, Function::new(object.ctx().clone(), Native(function))?.with_name(name)?)
}

/// A native function that refuses to run in an agent that has been told to stop: if QuickJS has dropped the error that
/// should end it, the script runs on until it calls such a function.
struct Native<F>(F);

impl<'js, P, F: IntoJsFunc<'js, P>> IntoJsFunc<'js, P> for Native<F> {
    fn param_requirements() -> ParamRequirement {
        F::param_requirements()
    }

    fn call(&self, params: Params<'_, 'js>) -> rquickjs::Result<Value<'js>> {
        let ctx = params.ctx();
        if agent::EventLoop::of(ctx).is_ok_and(|event_loop| event_loop.mailbox().is_stopping()) {
            return Err(qjs::function::throw_uncatchable(ctx));
        }
        self.0.call(params)
    }
}
