//! `WebAssembly.validate`, `compile` and `instantiate`.

use island::Module;
use qjs::define;
use qjs::{Borrowed, Call, ClassId, Ctx, Held, HostClass, Marker, Object, Result, Value, class};

use crate::api::Api;
use crate::ids;
use crate::instance::{Imports, import_object, instantiate as instantiate_module, read_imports};
use crate::module::{ModuleObject, bytes, compile as compile_module, compile_options, new_object};

pub(crate) fn define<'js>(ctx: &Ctx<'js>, namespace: &Object<'js>) -> Result<()> {
    class::register::<Pending>(ctx)?;
    define::method(namespace, "validate", 1, validate)?;
    define::method(namespace, "compile", 1, compile)?;
    define::method(namespace, "instantiate", 1, instantiate)
}

fn validate<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.validate";
    webidl::require_arguments(&call, PLACE, 1)?;
    let bytes = bytes(&call.ctx, &call.arg(0), PLACE)?;
    compile_options(&call, 1, PLACE)?;
    let api = Api::of(&call.ctx)?;
    Ok(Value::new_bool(call.ctx.clone(), Module::validate(api.engine(), &bytes)))
}

/// What an asynchronous operation carries from the call to its job.
struct Pending {
    /// The function that was called, for messages.
    place: &'static str,
    source: Source,
    resolve: Held,
    reject: Held,
}

pub(crate) enum Source {
    /// `compile(bytes)`.
    Compile(Vec<u8>),
    /// `instantiate(bytes, imports)`.
    CompileAndInstantiate(Vec<u8>, Held),
    /// `instantiate(module, imports)`.
    Instantiate(Held, Imports),
}

// SAFETY: each held value is marked once. The number is this class's own.
unsafe impl HostClass for Pending {
    const ID: ClassId = ids::PENDING;
    const NAME: &'static std::ffi::CStr = c"Pending";

    fn mark(&self, marker: &Marker) {
        marker.mark(&self.resolve);
        marker.mark(&self.reject);
        match &self.source {
            Source::Compile(_) => {}
            Source::CompileAndInstantiate(_, imports) => marker.mark(imports),
            Source::Instantiate(module, imports) => {
                marker.mark(module);
                imports.mark(marker);
            }
        }
    }
}

/// A promise for what `source` says, decided in a job of its own; an error in reading the arguments rejects it.
fn promise<'js>(ctx: &Ctx<'js>, place: &'static str, source: impl FnOnce() -> Result<Source>) -> Result<Value<'js>> {
    let (promise, resolve, reject) = ctx.promise()?;
    match source() {
        Ok(source) => enqueue(ctx, place, source, Held::new(resolve.as_value()), Held::new(reject.as_value()))?,
        Err(error) => {
            qjs::function::throw(ctx, error);
            reject.call::<_, ()>((ctx.catch(),))?;
        }
    }
    Ok(promise.into_value())
}

/// Does what `source` says in a job, and settles a promise by the result.
///
/// # Errors
/// When memory is out.
pub(crate) fn enqueue(ctx: &Ctx<'_>, place: &'static str, source: Source, resolve: Held, reject: Held) -> Result<()> {
    let pending = class::new_object(ctx, Pending { place, source, resolve, reject }, None)?;
    qjs::function::enqueue_job(ctx, run, &[pending.into_value()])
}

/// The job.
fn run<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let ctx = &call.ctx;
    let pending: &Pending = webidl::interface(ctx, call.args.get(0), "a pending operation")?;
    let settled = match perform(ctx, &pending.source, pending.place) {
        Ok(value) => (pending.resolve.get(ctx), value),
        Err(error) => {
            qjs::function::throw(ctx, error);
            (pending.reject.get(ctx), ctx.catch())
        }
    };
    let (settle, value) = settled;
    settle.get::<qjs::Function>()?.call::<_, ()>((value,))?;
    Ok(Value::new_undefined(ctx.clone()))
}

fn perform<'js>(ctx: &Ctx<'js>, source: &Source, place: &str) -> Result<Value<'js>> {
    match source {
        Source::Compile(bytes) => {
            let module = compile_module(ctx, Api::of(ctx)?.engine(), bytes, place)?;
            Ok(new_object(ctx, module)?.into_value())
        }
        Source::CompileAndInstantiate(bytes, imports) => {
            let module = compile_module(ctx, Api::of(ctx)?.engine(), bytes, place)?;
            let module_object = new_object(ctx, module.clone())?;
            let imports = read_imports(ctx, &module, imports.get(ctx).into_object(), place)?;
            let instance = instantiate_module(ctx, &module, &imports, None, place)?;
            let result = Object::new(ctx.clone())?;
            define::value(&result, "instance", instance.as_value(), define::Attributes::Plain)?;
            define::value(&result, "module", module_object.as_value(), define::Attributes::Plain)?;
            Ok(result.into_value())
        }
        Source::Instantiate(module, imports) => {
            let module = module.get(ctx);
            let module: &ModuleObject = webidl::interface(ctx, Borrowed::of(&module), place)?;
            Ok(instantiate_module(ctx, &module.module, imports, None, place)?.into_value())
        }
    }
}

fn compile<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.compile";
    promise(&call.ctx, PLACE, || {
        webidl::require_arguments(&call, PLACE, 1)?;
        let bytes = bytes(&call.ctx, &call.arg(0), PLACE)?;
        compile_options(&call, 1, PLACE)?;
        Ok(Source::Compile(bytes))
    })
}

fn instantiate<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.instantiate";
    promise(&call.ctx, PLACE, || {
        webidl::require_arguments(&call, PLACE, 1)?;
        let first = call.arg(0);
        if let Some(module) = class::of::<ModuleObject>(&first) {
            let imports = import_object(&call.ctx, call.arg(1), PLACE)?;
            let imports = read_imports(&call.ctx, &module.module, imports, PLACE)?;
            return Ok(Source::Instantiate(Held::new(&first), imports));
        }
        let came = bytes(&call.ctx, &first, PLACE)?;
        import_object(&call.ctx, call.arg(1), PLACE)?;
        compile_options(&call, 2, PLACE)?;
        Ok(Source::CompileAndInstantiate(came, Held::new(&call.arg(1))))
    })
}
