//! JavaScript Promise Integration: `WebAssembly.promising` and `WebAssembly.Suspending`.
//!
//! A call of a promising function runs on a fiber ([`island::Fiber`]). When the guest calls a suspending import, the
//! import's function runs at once, on the agent's own stack, and the fiber waits until the promise that it returned is
//! settled. Whoever can settle it holds the [`Continuation`]s, and they hold the [`PromisingCall`] with the fiber: when
//! nobody can, the collector frees them all, and the call ends.

use std::cell::{OnceCell, RefCell};
use std::rc::{Rc, Weak};

use island::call::{Number, Signature};
use island::wasmtime::{AsContextMut, Func, FuncType, StoreContextMut, Val};
use island::{Arguments as GuestArguments, Fiber, HostThrew, Island, Resumed, StoreState, SuspendingFunction};
use qjs::define::{self, Attributes};
use qjs::{
    Args, Arguments, Borrowed, Call, Callable, Ctx, Cx, Exception, Held, HostClass, Mark, Object, Result, Returned,
    Value, class,
};
use rquickjs::JsLifetime;
use rquickjs::prelude::This;
use smallvec::SmallVec;

use webidl::Place;

use crate::convert::errors::{ErrorClass, throw};
use crate::convert::exception::{throw_call_error, throw_into_guest};
use crate::convert::function::{
    ExportedFunction, call_host, coerce_return, push_arguments, results_to_js, uncrossable,
};
use crate::convert::typed_function::TypedFunction;
use crate::convert::values::{Resolved, out_of_memory, take_val};
use crate::interface::wasi_waits;
use crate::runtime::api::Api;
use crate::runtime::island_realm::{IslandHandle, IslandRealm};
use crate::runtime::memory_core;

/// The value of a Suspending object.
#[derive(HostClass, Mark)]
#[host_class(name = "WebAssembly.Suspending")]
pub(crate) struct SuspendingObject {
    /// [[WrappedFunction]]
    function: Held,
}

/// %Promise% and its `resolve`, as they were before a script could change anything.
#[derive(JsLifetime)]
struct Promises<'js> {
    class: Value<'js>,
    resolve: qjs::Function<'js>,
}

pub(crate) fn define<'js>(ctx: &Ctx<'js>, namespace: &Object<'js>) -> Result<()> {
    class::register::<SuspendingObject>(ctx)?;
    class::register::<PromisingCall>(ctx)?;
    class::register_callable::<Promising>(ctx)?;
    class::register_callable::<Continuation>(ctx)?;
    let class: Value = ctx.globals().get("Promise")?;
    let resolve = class.get::<Object>()?.get("resolve")?;
    ctx.store_userdata(Promises { class, resolve }).map_err(|_| rquickjs::Error::Unknown)?;
    let made =
        define::interface(namespace, "Suspending", "WebAssembly.Suspending", Attributes::Hidden, 1, constructor)?;
    class::set_prototype::<SuspendingObject>(ctx, &made.prototype);
    define::method(namespace, "promising", 1, promising)
}

/// `new WebAssembly.Suspending(function)`
fn constructor<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.Suspending";
    webidl::require_new(&call, PLACE)?;
    webidl::require_arguments(&call, PLACE, 1)?;
    let function = require_function(&call, PLACE)?;
    let prototype = class::prototype_from_new_target::<SuspendingObject>(&call)?;
    let value = SuspendingObject { function: Held::new(&function) };
    Ok(class::new_object(&call.ctx, value, prototype.as_ref())?.into_value())
}

fn require_function<'js>(call: &Call<'_, 'js>, place: &str) -> Result<Value<'js>> {
    let value = call.arg(0);
    if value.is_function() {
        return Ok(value);
    }
    let message = format!("{place}: argument 1 must be a function, got {}", webidl::describe(&value));
    Err(Exception::throw_type(&call.ctx, &message))
}

/// `WebAssembly.promising(function)`
fn promising<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.promising";
    webidl::require_arguments(&call, PLACE, 1)?;
    let function = require_function(&call, PLACE)?;
    if class::of::<ExportedFunction>(&function).is_none() && class::of::<TypedFunction>(&function).is_none() {
        let message = format!("{PLACE}: argument 1 must be an exported WebAssembly function");
        return Err(Exception::throw_type(&call.ctx, &message));
    }
    let ctx = &call.ctx;
    let value = Promising { function: Held::new(&function) };
    let object = class::new_object(ctx, value, Some(&define::function_prototype(ctx)?))?;
    define::function_properties(ctx, &object, "", 1)?;
    Ok(object.into_value())
}

/// What `WebAssembly.promising` returns.
#[derive(HostClass, Mark)]
#[host_class(name = "Function")]
struct Promising {
    /// The Exported Function.
    function: Held,
}

impl Callable for Promising {
    const LOOKS_AT_STACK: bool = true;

    /// "Run a Promising function": whatever happens, a promise tells it.
    fn call(&self, cx: Cx<'_>, args: Args<'_>) -> Result<Returned> {
        let ctx = cx.ctx();
        let (promise, resolve, reject) = ctx.promise()?;
        let run = || match class::get::<ExportedFunction>(self.function.borrow()) {
            Some(function) => evaluate(cx, function, args, &resolve, &reject),
            None => {
                // A callable of a script's, which no guest runs below.
                let mut arguments = Arguments::new(cx);
                (0..args.len()).try_for_each(|at| arguments.push(cx.returned(&args.get(at).to_value(cx))))?;
                let result = self.function.call(cx, Args::default().get(0), &mut arguments)?;
                resolve.call::<_, ()>((result.to_value(),))
            }
        };
        if let Err(error) = run() {
            qjs::function::reject(&ctx, &reject, error)?;
        }
        Ok(cx.returned(promise.as_value()))
    }
}

/// "Evaluate a Promising function".
fn evaluate<'js>(
    cx: Cx<'js>,
    function: &ExportedFunction,
    args: Args<'_>,
    resolve: &qjs::Function<'js>,
    reject: &qjs::Function<'js>,
) -> Result<()> {
    let params = function.coerce_arguments(&cx.ctx(), args)?;
    begin(cx, function, &params, None, (resolve, reject), None)
}

/// Begins a call of `function` that may be suspended, with arguments of its types.
fn begin<'js>(
    cx: Cx<'js>,
    function: &ExportedFunction,
    params: &[Resolved],
    stack: Option<u64>,
    (resolve, reject): (&qjs::Function<'js>, &qjs::Function<'js>),
    completion: Option<Completion>,
) -> Result<()> {
    let (ctx, link) = (&cx.ctx(), function.link());
    let shared = &link.shared;
    wasi_waits::prepare(shared);
    let fiber = Fiber::new(&shared.island, function.callee(), |store| {
        params.iter().map(|value| value.to_val(shared, store.as_context_mut())).collect()
    });
    let fiber = fiber.map_err(|error| throw_call_error(ctx, error))?;
    let fiber = Rc::new(match stack {
        Some(top) => fiber.with_stack(function.callee(), top),
        None => fiber,
    });
    let call = PromisingCall {
        link: link.duplicate(),
        fiber: RefCell::new(Some(fiber.clone())),
        resolve: Held::new(resolve.as_value()),
        reject: Held::new(reject.as_value()),
        continuations: OnceCell::new(),
        awaited: RefCell::new(None),
        completion,
    };
    let object = class::new_object(ctx, call, None)?.into_value();
    let call: &PromisingCall = class::of(&object).expect("made just now");
    let resumed = call.running(&object, || fiber.start());
    call.after(cx, resumed)
}

/// What a call's promise is resolved with, made of its result (if it has one) and of a state that was given with it.
pub type Complete = for<'js> fn(&Ctx<'js>, &Value<'js>, Result<Option<Number>>) -> Result<Value<'js>>;

/// What a suspending function returns, made of what its promise was settled with and of a state that was given with it.
/// A rejection comes as an exception that is pending.
pub type Settle = for<'js> fn(&Ctx<'js>, &Value<'js>, Result<Value<'js>>) -> Result<Option<Number>>;

#[derive(Mark)]
struct Completion {
    #[mark(skip)]
    complete: Complete,
    state: Held,
}

/// Calls a function of numbers as one that `WebAssembly.promising` made, with a [C stack of its own](Fiber::with_stack) at
/// `stack` if that is given. Returns the promise. `complete` is called with
/// `state` as soon as the call is over, whatever its end, unless it is given up before.
///
/// # Errors
/// When memory is out, or an end that no script may see.
pub fn promising_call<'js>(
    ctx: &Ctx<'js>,
    function: &ExportedFunction,
    numbers: &[Number],
    stack: Option<u64>,
    complete: Complete,
    state: &Value<'js>,
) -> Result<Value<'js>> {
    let (promise, resolve, reject) = ctx.promise()?;
    let params: SmallVec<[_; 8]> = numbers.iter().map(|&number| Resolved::Number(number)).collect();
    let completion = Some(Completion { complete, state: Held::new(state) });
    if let Err(error) = begin(Cx::of(ctx), function, &params, stack, (&resolve, &reject), completion) {
        // It did not begin, so nobody else tells.
        match complete(ctx, state, Err(error)) {
            Ok(value) => resolve.call::<_, ()>((value,))?,
            Err(error) => qjs::function::reject(ctx, &reject, error)?,
        }
    }
    Ok(promise.into_value())
}

/// Has the promising call that is running wait for `value`, a promise or what is as good as one. To be called from
/// [`SuspendingFunction::start`], whose results `settle` makes with `state`.
///
/// # Errors
/// When memory is out, or what looking at `value` throws.
pub fn suspend_for<'js>(ctx: &Ctx<'js>, value: Value<'js>, settle: Settle, state: &Value<'js>) -> Result<()> {
    wait_for(ctx, value, Awaited::Other(settle, Held::new(state)))
}

/// [`SuspendingFunction::refuse`]: throws a SuspendError of the function that `name` names, or what that throws.
pub fn refuse_suspension(
    realm: &Weak<IslandRealm>,
    name: impl for<'js> FnOnce(Cx<'js>) -> Result<String>,
    why: &str,
) -> HostThrew {
    let Some(shared) = realm.upgrade() else { return HostThrew };
    let refused = call_host(&shared, |cx| -> Result<()> {
        Err(throw(&cx.ctx(), ErrorClass::Suspend, &format!("{}: {why}", name(cx)?)))
    });
    refused.expect_err("it throws")
}

/// Has suspended calls go on in the context in which they were suspended: `bind` is called with a function, and returns one
/// that calls it in the context of now, as that of `AsyncLocalStorage`.
///
/// # Errors
/// When the context has no WebAssembly.
pub fn bind_continuations(ctx: &Ctx<'_>, bind: &Value<'_>) -> Result<()> {
    let before = Api::of(ctx)?.state.bind.replace(Some(Held::new(bind)));
    drop(before);
    Ok(())
}

/// A call of a promising function.
#[derive(HostClass, Mark)]
#[host_class(name = "PromisingCall")]
pub(crate) struct PromisingCall {
    link: IslandHandle,
    /// `None` when it has ended.
    #[mark(skip)]
    fiber: RefCell<Option<Rc<Fiber>>>,
    resolve: Held,
    reject: Held,
    /// What goes on with a value, and what goes on with an exception.
    continuations: OnceCell<Continuations>,
    /// What the fiber waits in.
    awaited: RefCell<Option<Awaited>>,
    completion: Option<Completion>,
}

/// The function that a fiber waits in.
#[derive(Mark)]
enum Awaited {
    #[mark(skip)]
    Import(Rc<SuspendingImport>),
    Other(#[mark(skip)] Settle, Held),
}

impl Awaited {
    /// What the function returns.
    fn results<'js>(
        &self,
        cx: Cx<'js>,
        link: &IslandHandle,
        settled: Result<Value<'js>>,
    ) -> Result<SmallVec<[Resolved; 2]>> {
        match self {
            Self::Import(import) => {
                let (types, place) = (&import.signature.results, Place::result(&import.name));
                coerce_return(cx, link, types, place, Borrowed::of(&settled?))
            }
            Self::Other(settle, state) => {
                let number = settle(&cx.ctx(), &state.get(&cx.ctx()), settled)?;
                Ok(number.into_iter().map(Resolved::Number).collect())
            }
        }
    }
}

#[derive(Mark)]
struct Continuations {
    fulfilled: Held,
    rejected: Held,
}

impl PromisingCall {
    /// Runs `body`, during which suspending imports find the call, `object`.
    fn running<R>(&self, object: &Value<'_>, body: impl FnOnce() -> R) -> R {
        struct Ended<'a>(&'a Api);
        impl Drop for Ended<'_> {
            fn drop(&mut self) {
                let ended = self.0.state.promising_calls.borrow_mut().pop();
                drop(ended);
            }
        }
        let api = &self.link.shared.api;
        api.state.promising_calls.borrow_mut().push(Held::new(object));
        let _ended = Ended(api);
        body()
    }

    /// Goes on in JavaScript: settles the promise if the call is over.
    fn after(&self, cx: Cx<'_>, resumed: Resumed) -> Result<()> {
        memory_core::refresh_grown(cx, &self.link.shared.api);
        let Resumed::Ended(result) = resumed else { return Ok(()) };
        let ctx = cx.ctx();
        let fiber = self.fiber.take();
        let result = result.map_err(|error| throw_call_error(&ctx, error));
        let outcome = match (&self.completion, &fiber) {
            (Some(Completion { complete, state }), Some(fiber)) => {
                let number =
                    |_: &mut StoreContextMut<'_, StoreState>, results: &[Val]| results.first().and_then(Number::of);
                complete(&ctx, &state.get(&ctx), result.map(|()| fiber.results(number)))
            }
            (None, Some(fiber)) => result.and_then(|()| self.results(cx, fiber)),
            (_, None) => result.map(|()| Value::new_undefined(ctx.clone())),
        };
        // What is left of it ends here.
        drop(fiber);
        match outcome {
            Ok(value) => self.resolve.get(&ctx).get::<qjs::Function>()?.call((value,)),
            Err(error) => qjs::function::reject(&ctx, &self.reject.get(&ctx).get()?, error),
        }
    }

    fn results<'js>(&self, cx: Cx<'js>, fiber: &Fiber) -> Result<Value<'js>> {
        let (ctx, shared) = (&cx.ctx(), &self.link.shared);
        let outgoing =
            fiber.results(|store, results| results.iter().map(|val| take_val(ctx, shared, store, val)).collect());
        results_to_js(cx, &self.link, outgoing)?.into_value(cx)
    }

    /// Waits for a promise. `object` is the call's own.
    fn wait_for<'js>(&self, ctx: &Ctx<'js>, object: &Value<'js>, promise: &Value<'js>, awaited: Awaited) -> Result<()> {
        if self.continuations.get().is_none() {
            let make = |throws| -> Result<Held> {
                let continuation = Continuation { call: Held::new(object), throws };
                Ok(Held::new(class::new_object(ctx, continuation, None)?.as_value()))
            };
            let made = Continuations { fulfilled: make(false)?, rejected: make(true)? };
            // It was not set a moment ago.
            let _ = self.continuations.set(made);
        }
        let continuations = self.continuations.get().expect("set just now");
        let (mut fulfilled, mut rejected) = (continuations.fulfilled.get(ctx), continuations.rejected.get(ctx));
        let bind = self.link.shared.api.state.bind.borrow().as_ref().map(|bind| bind.get(ctx));
        if let Some(bind) = bind {
            let bind: qjs::Function = bind.get()?;
            (fulfilled, rejected) = (bind.call((fulfilled,))?, bind.call((rejected,))?);
        }
        qjs::function::promise_then(promise, &fulfilled, &rejected)?;
        *self.awaited.borrow_mut() = Some(awaited);
        Ok(())
    }
}

/// Has the promising call that is running wait for PromiseResolve(%Promise%, `value`).
fn wait_for<'js>(ctx: &Ctx<'js>, value: Value<'js>, awaited: Awaited) -> Result<()> {
    let promises = ctx.userdata::<Promises>().ok_or(rquickjs::Error::Unknown)?;
    let (class, resolve) = (promises.class.clone(), promises.resolve.clone());
    drop(promises);
    let promise: Value = resolve.call((This(class), value))?;
    let call = Api::of(ctx)?.state.promising_calls.borrow().last().map(|call| call.get(ctx));
    let object = call.ok_or(rquickjs::Error::Unknown)?;
    let call: &PromisingCall = class::of(&object).ok_or(rquickjs::Error::Unknown)?;
    call.wait_for(ctx, &object, &promise, awaited)
}

/// What a settled promise calls.
#[derive(HostClass, Mark)]
#[host_class(name = "Function")]
pub(crate) struct Continuation {
    call: Held,
    #[mark(skip)]
    throws: bool,
}

impl Callable for Continuation {
    const LOOKS_AT_STACK: bool = true;

    fn call(&self, cx: Cx<'_>, args: Args<'_>) -> Result<Returned> {
        let ctx = &cx.ctx();
        let object = self.call.get(ctx);
        let call: &PromisingCall = class::of(&object).expect("made with a call");
        let (fiber, awaited) = (call.fiber.borrow().clone(), call.awaited.take());
        let (Some(fiber), Some(awaited)) = (fiber, awaited) else { return Ok(Returned::UNDEFINED) };
        let shared = &call.link.shared;
        let value = args.get(0).to_value(cx);
        let settled = if self.throws { Err(ctx.throw(value)) } else { Ok(value) };
        let results = awaited.results(cx, &call.link, settled);
        drop(awaited);
        let resumed = call.running(&object, || {
            let failed = match results {
                Ok(values) => {
                    let resumed = fiber.resume(|store| {
                        values.iter().map(|value| value.to_val(shared, store.as_context_mut())).collect()
                    });
                    match resumed {
                        Ok(resumed) => return resumed,
                        Err(error) => out_of_memory(ctx, &error),
                    }
                }
                Err(error) => error,
            };
            fiber.resume_throwing(throw_into_guest(ctx, shared, failed))
        });
        call.after(cx, resumed)?;
        Ok(Returned::UNDEFINED)
    }
}

/// A JavaScript function as an import that suspends the guest ("create a suspending function").
pub(crate) struct SuspendingImport {
    this: Weak<Self>,
    shared: Weak<IslandRealm>,
    import: usize,
    /// `env.f`, for messages.
    name: Box<str>,
    signature: Signature,
    /// Why it cannot be called, if it cannot.
    refused: Option<&'static str>,
}

/// "Create a suspending function" from a Suspending object.
///
/// # Errors
/// If the type belongs to another engine, which no value of this runtime does.
pub(crate) fn suspending_function(
    ctx: &Ctx<'_>,
    link: &IslandHandle,
    suspending: &SuspendingObject,
    name: &str,
    ty: FuncType,
) -> Result<Func> {
    let import = link.shared.keep_import(&suspending.function.get(ctx));
    let host = Rc::new_cyclic(|this| SuspendingImport {
        this: this.clone(),
        shared: Rc::downgrade(&link.shared),
        import,
        name: name.into(),
        signature: Signature::new(&ty),
        refused: uncrossable(&ty),
    });
    let func = link.shared.island.new_suspending_function(ty, host);
    func.ok_or_else(|| Exception::throw_type(ctx, "the function's type belongs to another engine"))
}

impl SuspendingImport {
    fn call_wrapped<'js>(&self, cx: Cx<'js>, shared: &Rc<IslandRealm>, arguments: GuestArguments<'_>) -> Result<()> {
        let ctx = &cx.ctx();
        if let Some(message) = self.refused {
            return Err(Exception::throw_type(ctx, message));
        }
        let outgoing = arguments
            .read(&shared.island, |store, args| args.iter().map(|val| take_val(ctx, shared, store, val)).collect());
        let mut arguments = Arguments::new(cx);
        push_arguments(cx, shared, outgoing, &mut arguments)?;
        let undefined = Args::default().get(0);
        let result = shared.import(self.import).call(cx, undefined, &mut arguments)?;
        let result = result.to_value();
        wait_for(ctx, result, Awaited::Import(self.this.upgrade().ok_or(rquickjs::Error::Unknown)?))
    }
}

impl SuspendingFunction for SuspendingImport {
    fn start(&self, _: &Rc<Island>, arguments: GuestArguments<'_>) -> std::result::Result<(), HostThrew> {
        let shared = self.shared.upgrade().ok_or(HostThrew)?;
        call_host(&shared, |cx| self.call_wrapped(cx, &shared, arguments))
    }

    fn refuse(&self, _: &Rc<Island>) -> HostThrew {
        const WHY: &str = "a suspending import can only be called from a function that WebAssembly.promising \
                                    made, with no JavaScript in between";
        refuse_suspension(&self.shared, |_| Ok(self.name.to_string()), WHY)
    }
}
