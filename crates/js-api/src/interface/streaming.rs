//! `WebAssembly.compileStreaming` and `instantiateStreaming`. The embedder says what a Response is.

use qjs::define;
use qjs::{Args, Call, Callable, Ctx, Cx, Held, HostClass, Mark, Object, Result, Returned, Value, class};

use crate::interface::compile_options::CompileOptions;
use crate::interface::instance::import_object;
use crate::interface::namespace::{Source, enqueue};
use crate::runtime::api::Api;

pub(crate) fn define<'js>(ctx: &Ctx<'js>, namespace: &Object<'js>) -> Result<()> {
    class::register_callable::<Reaction>(ctx)?;
    define::method(namespace, "compileStreaming", 1, compile_streaming)?;
    define::method(namespace, "instantiateStreaming", 1, instantiate_streaming)
}

/// What to do when the source, and then its body, is there.
#[derive(HostClass, Mark)]
#[host_class(name = "StreamingReaction")]
struct Reaction {
    #[mark(skip)]
    place: &'static str,
    #[mark(skip)]
    step: Step,
    /// The argument `importObject` of `instantiateStreaming`.
    imports: Option<Held>,
    #[mark(skip)]
    options: CompileOptions,
    resolve: Held,
    reject: Held,
}

#[derive(Clone, Copy)]
enum Step {
    /// "Upon fulfillment of `source`": consume the body.
    Source,
    /// "Upon fulfillment of `bodyPromise`": compile.
    Body,
}

impl Callable for Reaction {
    fn call(&self, cx: Cx<'_>, args: Args<'_>) -> Result<Returned> {
        let ctx = cx.ctx();
        let value = args.get(0).to_value(cx);
        let went = match self.step {
            Step::Source => self.consume(&ctx, value),
            Step::Body => self.compile(&ctx, &value),
        };
        if let Err(error) = went {
            qjs::function::throw(&ctx, error);
            reject(&ctx, &self.reject)?;
        }
        Ok(cx.returned(&Value::new_undefined(ctx)))
    }
}

impl Reaction {
    fn consume<'js>(&self, ctx: &Ctx<'js>, source: Value<'js>) -> Result<()> {
        let Some(read) = Api::of(ctx)?.state.options.response_bytes else { return Err(rquickjs::Error::Unknown) };
        let body = read(ctx, source, self.place)?;
        let next = Self {
            place: self.place,
            step: Step::Body,
            imports: self.imports.as_ref().map(Held::duplicate),
            options: self.options.clone(),
            resolve: self.resolve.duplicate(),
            reject: self.reject.duplicate(),
        };
        upon_fulfillment(ctx, body, next)
    }

    fn compile<'js>(&self, ctx: &Ctx<'js>, body: &Value<'js>) -> Result<()> {
        let bytes = qjs::buffer::copy_of_buffer_source(ctx, body)?.unwrap_or_default();
        let options = self.options.clone();
        let source = match &self.imports {
            Some(imports) => Source::CompileAndInstantiate(bytes, imports.duplicate(), options),
            None => Source::Compile(bytes, options),
        };
        enqueue(ctx, self.place, source, self.resolve.duplicate(), self.reject.duplicate())
    }
}

/// Waits for `promise`. A rejection is handed on.
fn upon_fulfillment<'js>(ctx: &Ctx<'js>, promise: Value<'js>, reaction: Reaction) -> Result<()> {
    let reject = reaction.reject.get(ctx);
    let reaction = class::new_object(ctx, reaction, None)?;
    qjs::function::promise_then(&promise, reaction.as_value(), &reject)
}

/// Rejects with the pending exception.
fn reject(ctx: &Ctx<'_>, reject: &Held) -> Result<()> {
    reject.get(ctx).get::<qjs::Function>()?.call((ctx.catch(),))
}

/// "Compile a potential WebAssembly response" for argument 1; `rest` converts the others.
fn start<'js>(
    call: &Call<'_, 'js>,
    place: &'static str,
    rest: impl FnOnce() -> Result<(Option<Held>, CompileOptions)>,
) -> Result<Value<'js>> {
    let ctx = &call.ctx;
    let (result, resolve, reject_function) = ctx.promise()?;
    let (resolve, reject_held) = (Held::new(resolve.as_value()), Held::new(reject_function.as_value()));
    let went = (|| {
        webidl::require_arguments(call, place, 1)?;
        // WebIDL's conversion to a promise.
        let (source, fulfil, _) = ctx.promise()?;
        fulfil.call::<_, ()>((call.arg(0),))?;
        let (imports, options) = rest()?;
        let reject = reject_held.duplicate();
        let reaction = Reaction { place, step: Step::Source, imports, options, resolve, reject };
        upon_fulfillment(ctx, source.into_value(), reaction)
    })();
    if let Err(error) = went {
        qjs::function::throw(ctx, error);
        reject(ctx, &reject_held)?;
    }
    Ok(result.into_value())
}

fn compile_streaming<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.compileStreaming";
    start(&call, PLACE, || Ok((None, CompileOptions::of_argument(&call, 1, PLACE)?)))
}

fn instantiate_streaming<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.instantiateStreaming";
    start(&call, PLACE, || {
        import_object(&call.ctx, call.arg(1), PLACE)?;
        let options = CompileOptions::of_argument(&call, 2, PLACE)?;
        Ok((Some(Held::new(&call.arg(1))), options))
    })
}
