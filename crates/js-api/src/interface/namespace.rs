//! `WebAssembly.validate`, `compile` and `instantiate`.

use island::Module;
use qjs::define;
use qjs::{Borrowed, Call, Ctx, Held, HostClass, Mark, Object, Result, Value, class};

use crate::interface::compile_options::CompileOptions;
use crate::interface::instance::{ImportValues, import_object, instantiate as instantiate_module, read_imports};
use crate::interface::module::{ModuleObject, bytes, compile as compile_module, of_bytes, require_buffer_source};
use crate::runtime::api::Api;

pub(crate) fn define<'js>(ctx: &Ctx<'js>, namespace: &Object<'js>) -> Result<()> {
    class::register::<Pending>(ctx)?;
    define::method(namespace, "validate", 1, validate)?;
    define::method(namespace, "compile", 1, compile)?;
    define::method(namespace, "instantiate", 1, instantiate)
}

fn validate<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.validate";
    webidl::require_arguments(&call, PLACE, 1)?;
    require_buffer_source(&call, PLACE)?;
    let options = CompileOptions::of_argument(&call, 1, PLACE)?;
    let api = Api::of(&call.ctx)?;
    let fits = |imports: Module| options.validate(api.engine(), &imports).is_ok();
    let is_valid = of_bytes(&call, Module::validate)?
        && (options.is_empty() || of_bytes(&call, Module::new_imports)?.is_ok_and(fits));
    Ok(Value::new_bool(call.ctx.clone(), is_valid))
}

/// What an asynchronous operation carries from the call to its job.
#[derive(HostClass, Mark)]
#[host_class(name = "Pending")]
struct Pending {
    /// The function that was called, for messages.
    #[mark(skip)]
    place: &'static str,
    source: Source,
    resolve: Held,
    reject: Held,
}

#[derive(Mark)]
pub(crate) enum Source {
    /// `compile(bytes, options)`.
    #[mark(skip)]
    Compile(Vec<u8>, CompileOptions),
    /// `instantiate(bytes, imports, options)`.
    CompileAndInstantiate(#[mark(skip)] Vec<u8>, Held, #[mark(skip)] CompileOptions),
    /// `instantiate(module, imports)`.
    Instantiate(Held, ImportValues),
}

/// A promise for the result of what `source` says, which is done in a job of its own. An error in reading the arguments
/// rejects it.
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

/// Does what `source` says in a job, and settles a promise with the result.
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
        Source::Compile(bytes, options) => {
            let module = compile_module(ctx, bytes, options.clone(), place)?;
            Ok(class::new_object(ctx, module, None)?.into_value())
        }
        Source::CompileAndInstantiate(bytes, imports, options) => {
            let module = class::new_object(ctx, compile_module(ctx, bytes, options.clone(), place)?, None)?;
            let compiled: &ModuleObject = webidl::interface(ctx, Borrowed::of(module.as_value()), place)?;
            let imports = read_imports(ctx, compiled, imports.get(ctx).into_object(), place)?;
            let instance = instantiate_module(ctx, &compiled.module, &imports, None, place)?;
            let result = Object::new(ctx.clone())?;
            define::value(&result, "instance", instance.as_value(), define::Attributes::Plain)?;
            define::value(&result, "module", module.as_value(), define::Attributes::Plain)?;
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
        require_buffer_source(&call, PLACE)?;
        let options = CompileOptions::of_argument(&call, 1, PLACE)?;
        Ok(Source::Compile(bytes(&call)?, options))
    })
}

fn instantiate<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.instantiate";
    promise(&call.ctx, PLACE, || {
        webidl::require_arguments(&call, PLACE, 1)?;
        let first = call.arg(0);
        if let Some(module) = class::of::<ModuleObject>(&first) {
            let imports = import_object(&call.ctx, call.arg(1), PLACE)?;
            let imports = read_imports(&call.ctx, module, imports, PLACE)?;
            return Ok(Source::Instantiate(Held::new(&first), imports));
        }
        require_buffer_source(&call, PLACE)?;
        import_object(&call.ctx, call.arg(1), PLACE)?;
        let options = CompileOptions::of_argument(&call, 2, PLACE)?;
        Ok(Source::CompileAndInstantiate(bytes(&call)?, Held::new(&call.arg(1)), options))
    })
}
