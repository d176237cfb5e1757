//! The JavaScript that is part of the platform: embedded as bytecode, run when first needed.
//!
//! Each file is the body of a strict function `(exports, require, rust, $)`: `require` returns another embedded file's
//! exports, `rust` has the Rust functions that belong to the file, and `$` is the language as it was before any script
//! ran (`primordials.js`). The names of the globals in `$` are in scope as well.

pub(crate) mod background;
pub(crate) mod bytes;
pub(crate) mod embedded;
pub(crate) mod errors;
pub(crate) mod inspect;
pub(crate) mod primordials;
pub(crate) mod report;
pub(crate) mod state;
pub(crate) mod stdio;
pub(crate) mod strings;
pub(crate) mod system;
pub(crate) mod uncaught;
mod wrapper;

use qjs::{define::Put as _, pristine::bare_object};
use rquickjs::function::{IntoJsFunc, ParamRequirement, Params};
use rquickjs::{Ctx, Exception, Function, Object, Persistent, Value};

use self::{state::Platform, strings::UsvString};
use crate::features;
pub(crate) use crate::node::process::has_colors;

/// The exports of an embedded file, which runs when it is first requested.
pub(crate) fn require<'js>(ctx: &Ctx<'js>, name: &str) -> rquickjs::Result<Object<'js>> {
    let platform = Platform::of(ctx)?;
    let loaded = platform.internals.borrow().get(name).cloned();
    if let Some(exports) = loaded {
        return exports.restore(ctx);
    }
    let Some((feature, script)) = features::file(name) else {
        return Err(Exception::throw_internal(ctx, &format!("no embedded script is called {name}")));
    };
    let function = script.function(ctx, name)?;
    // The object has no prototype while the file fills it: an assignment must not run what scripts put into
    // `Object.prototype`.
    let exports = bare_object(ctx)?;
    // Registered before the file runs, because files may need each other.
    platform.internals.borrow_mut().insert(feature.name, Persistent::save(ctx, exports.clone()));
    run(ctx, name, &function, &exports, feature).inspect_err(|_| {
        // It may have run out of memory or of stack half-way. Whoever needs it next has it run again.
        platform.internals.borrow_mut().remove(feature.name);
    })?;
    Ok(exports)
}

/// Has an embedded file fill `exports`.
fn run<'js>(
    ctx: &Ctx<'js>,
    name: &str,
    function: &Function<'js>,
    exports: &Object<'js>,
    feature: &features::Feature,
) -> rquickjs::Result<()> {
    let require_function =
        Function::new(ctx.clone(), |ctx: Ctx<'js>, name: UsvString| require(&ctx, &name))?.with_name("require")?;
    let primordials = match wrapper::needs_primordials(name) {
        true => require(ctx, "primordials")?.into_value(),
        false => Value::new_undefined(ctx.clone()),
    };
    function.call::<_, Value>((exports.clone(), require_function, (feature.native)(ctx)?, primordials))?;
    exports.set_prototype(Object::new(ctx.clone())?.get_prototype().as_ref())
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
