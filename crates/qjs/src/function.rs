//! Native functions without a closure: a Rust function item becomes a C function of QuickJS.

use std::ffi::CString;

use rquickjs::{Ctx, Function, Object, Value, qjs as q};

use crate::class::guard;
use crate::value::{Args, Borrowed, Cx, Returned};

/// One call of a native function.
pub struct Call<'a, 'js> {
    /// The running context.
    pub ctx: Ctx<'js>,
    /// `this`; in a constructor, `NewTarget` (undefined if it was called as a function).
    pub this: Borrowed<'a>,
    /// The arguments.
    pub args: Args<'a>,
}

impl<'js> Call<'_, 'js> {
    /// The argument at `index`, or `undefined` if it was not passed.
    pub fn arg(&self, index: usize) -> Value<'js> {
        self.args.get(index).to_value(Cx::of(&self.ctx))
    }

    /// `this` or `NewTarget`, with a reference of its own.
    pub fn this(&self) -> Value<'js> {
        self.this.to_value(Cx::of(&self.ctx))
    }

    /// Calls `function` with the same `this` and arguments, for functions that replace one of the engine's.
    ///
    /// # Errors
    /// What `function` throws.
    pub fn pass_on(&self, function: &Function<'js>) -> rquickjs::Result<Value<'js>> {
        let cx = Cx::of(&self.ctx);
        let args = self.args.as_slice();
        // SAFETY: all values are alive for the call, which only borrows them.
        let result = unsafe {
            let argv = args.as_ptr().cast_mut();
            q::JS_Call(cx.raw(), function.as_raw(), self.this.raw(), args.len() as i32, argv)
        };
        cx.take(result)
    }
}

/// Function items that can be called from JavaScript; neither closures that capture, nor pointers.
pub trait Native: Copy + 'static + for<'a, 'js> Fn(Call<'a, 'js>) -> rquickjs::Result<Value<'js>> {}
impl<F> Native for F where F: Copy + 'static + for<'a, 'js> Fn(Call<'a, 'js>) -> rquickjs::Result<Value<'js>> {}

/// [`Native`] without the values of `rquickjs`, for calls that take little time in all: the context, `this` and the
/// arguments.
pub trait Quick: Copy + 'static + for<'a> Fn(Cx<'_>, Borrowed<'a>, Args<'a>) -> rquickjs::Result<Returned> {}
impl<F> Quick for F where F: Copy + 'static + for<'a> Fn(Cx<'_>, Borrowed<'a>, Args<'a>) -> rquickjs::Result<Returned> {}

/// How QuickJS calls the function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A method or an accessor: not a constructor.
    Plain,
    /// A constructor that is told when it is called without `new`.
    Constructor,
}

/// A JavaScript function that runs `native`.
///
/// # Errors
/// When memory is out.
///
/// # Panics
/// If `native` captures anything, or `name` has a NUL byte: both are mistakes in the program.
pub fn function<'js, F: Native>(
    ctx: &Ctx<'js>,
    kind: Kind,
    name: &str,
    length: i32,
    native: F,
) -> rquickjs::Result<Function<'js>> {
    const { assert!(size_of::<F>() == 0, "a native function must not capture anything") };
    let _ = native;
    // SAFETY: the thunk is for functions without a size, and one existed.
    unsafe { new_function(ctx, kind, name, length, thunk::<F>) }
}

/// [`function`] for a function that is [`Quick`].
///
/// # Errors
/// As [`function`].
///
/// # Panics
/// As [`function`].
pub fn quick_function<'js, F: Quick>(
    ctx: &Ctx<'js>,
    name: &str,
    length: i32,
    native: F,
) -> rquickjs::Result<Function<'js>> {
    const { assert!(size_of::<F>() == 0, "a native function must not capture anything") };
    let _ = native;
    // SAFETY: as in `function`.
    unsafe { new_function(ctx, Kind::Plain, name, length, quick_thunk::<F>) }
}

type Thunk = unsafe extern "C" fn(*mut q::JSContext, q::JSValue, i32, *mut q::JSValue) -> q::JSValue;

/// # Safety
/// QuickJS may call the thunk with a live context and values that it keeps for the call.
unsafe fn new_function<'js>(
    ctx: &Ctx<'js>,
    kind: Kind,
    name: &str,
    length: i32,
    thunk: Thunk,
) -> rquickjs::Result<Function<'js>> {
    let name = CString::new(name).expect("a function's name has no NUL byte");
    let kind = match kind {
        Kind::Plain => q::JSCFunctionEnum_JS_CFUNC_generic,
        Kind::Constructor => q::JSCFunctionEnum_JS_CFUNC_constructor_or_func,
    };
    let cx = Cx::of(ctx);
    // SAFETY: the thunk has the signature that both kinds are called with; the name is copied.
    let value = unsafe { q::JS_NewCFunction2(cx.raw(), Some(thunk), name.as_ptr(), length, kind, 0) };
    cx.take(value)?.into_function().ok_or(rquickjs::Error::Unknown)
}

/// Joins a constructor and its prototype object: `prototype` (not writable) and `constructor`.
pub fn set_constructor<'js>(ctx: &Ctx<'js>, constructor: &Function<'js>, prototype: &Object<'js>) {
    // SAFETY: both are live objects; QuickJS takes references of its own.
    unsafe { q::JS_SetConstructor(Cx::of(ctx).raw(), constructor.as_raw(), prototype.as_raw()) };
}

/// `new constructor(...args)` with another `NewTarget`.
///
/// # Errors
/// What the constructor throws.
pub fn construct<'js>(
    constructor: &Value<'js>,
    new_target: &Value<'js>,
    args: &[Value<'js>],
) -> rquickjs::Result<Value<'js>> {
    let cx = Cx::of(constructor.ctx());
    let mut raw: Vec<_> = args.iter().map(|arg| arg.as_raw()).collect();
    // SAFETY: all values are alive for the call, which only borrows them.
    let result = unsafe {
        let (constructor, new_target) = (constructor.as_raw(), new_target.as_raw());
        q::JS_CallConstructor2(cx.raw(), constructor, new_target, raw.len() as i32, raw.as_mut_ptr())
    };
    cx.take(result)
}

/// Whether the engine runs both functions in the same way: as bytecode, or as native code of one kind.
pub fn are_alike(one: &Function<'_>, other: &Function<'_>) -> bool {
    // SAFETY: both values are alive.
    unsafe { q::JS_GetClassID(one.as_raw()) == q::JS_GetClassID(other.as_raw()) }
}

/// A function that returns `undefined`.
pub fn nothing<'js>(call: Call<'_, 'js>) -> rquickjs::Result<Value<'js>> {
    Ok(Value::new_undefined(call.ctx))
}

/// Runs `native` with `args` as a job: after the script that is running, and before anything else of the event loop.
///
/// # Errors
/// When memory is out.
pub fn enqueue_job<'js, F: Native>(ctx: &Ctx<'js>, native: F, args: &[Value<'js>]) -> rquickjs::Result<()> {
    const { assert!(size_of::<F>() == 0, "a native function must not capture anything") };
    let _ = native;
    let mut raw: Vec<_> = args.iter().map(|arg| arg.as_raw()).collect();
    // SAFETY: QuickJS takes references of its own to the arguments; the thunk has a job's signature.
    let failed = unsafe { q::JS_EnqueueJob(Cx::of(ctx).raw(), Some(job::<F>), raw.len() as i32, raw.as_mut_ptr()) };
    if failed < 0 { Err(rquickjs::Error::Exception) } else { Ok(()) }
}

unsafe extern "C" fn job<F: Native>(ctx: *mut q::JSContext, argc: i32, argv: *mut q::JSValue) -> q::JSValue {
    // SAFETY: QuickJS runs a job with a live context and the values that it keeps for it.
    unsafe { thunk::<F>(ctx, q::JS_UNDEFINED, argc, argv) }
}

unsafe extern "C" fn thunk<F: Native>(
    ctx: *mut q::JSContext,
    this: q::JSValue,
    argc: i32,
    argv: *mut q::JSValue,
) -> q::JSValue {
    // SAFETY: `F` has no size (checked in `function`), so a value of it consists of nothing, and one existed.
    let native: F = unsafe { std::mem::zeroed() };
    let quick = |cx: Cx<'_>, this: Borrowed<'_>, args: Args<'_>| {
        native(Call { ctx: cx.ctx(), this, args }).map(|value| cx.returned(&value))
    };
    // SAFETY: by the caller's promise.
    unsafe { run(ctx, this, argc, argv, quick) }
}

unsafe extern "C" fn quick_thunk<F: Quick>(
    ctx: *mut q::JSContext,
    this: q::JSValue,
    argc: i32,
    argv: *mut q::JSValue,
) -> q::JSValue {
    // SAFETY: as in `thunk`.
    let native: F = unsafe { std::mem::zeroed() };
    // SAFETY: by the caller's promise.
    unsafe { run(ctx, this, argc, argv, native) }
}

/// Runs what QuickJS has called.
///
/// # Safety
/// The context must be live, and the values kept for the call.
#[inline]
unsafe fn run(
    ctx: *mut q::JSContext,
    this: q::JSValue,
    argc: i32,
    argv: *mut q::JSValue,
    native: impl for<'a> Fn(Cx<'_>, Borrowed<'a>, Args<'a>) -> rquickjs::Result<Returned>,
) -> q::JSValue {
    // SAFETY: by the caller's promise.
    let cx = unsafe { Cx::from_raw(ctx) };
    guard(cx, move || {
        // SAFETY: as above.
        let (this, args) = unsafe { (Borrowed::from_raw(this), Args::from_raw(argc, argv)) };
        match native(cx, this, args) {
            Ok(value) => value.0,
            Err(error) => Returned::thrown(cx, error).0,
        }
    })
}

/// Throws `error`, whatever it is: leaves it pending in the context as an exception.
pub fn throw(ctx: &Ctx<'_>, error: rquickjs::Error) -> rquickjs::Error {
    match error {
        rquickjs::Error::Exception => {
            let cx = Cx::of(ctx);
            // Where memory runs out, some of the engine's functions fail without an exception, and what a script would
            // catch is no value of the language.
            // SAFETY: the context is live.
            unsafe {
                if !q::JS_HasException(cx.raw()) {
                    q::JS_ThrowOutOfMemory(cx.raw());
                }
            }
            error
        }
        error if error.is_from_js() => rquickjs::Exception::throw_type(ctx, &error.to_string()),
        error => rquickjs::Exception::throw_internal(ctx, &error.to_string()),
    }
}

/// Rejects a promise by its function with what was thrown, unless that is an end that no script may see.
///
/// # Errors
/// Such an end, which is pending again, or when memory is out.
pub fn reject<'js>(ctx: &Ctx<'js>, reject: &Function<'js>, error: rquickjs::Error) -> rquickjs::Result<()> {
    throw(ctx, error);
    let thrown = ctx.catch();
    if is_uncatchable(&thrown) {
        return Err(ctx.throw(thrown));
    }
    reject.call((thrown,))
}

/// PerformPromiseThen, which looks at nothing that scripts can change. `promise` must be a promise.
///
/// # Errors
/// When memory is out.
pub fn promise_then<'js>(promise: &Value<'js>, fulfilled: &Value<'js>, rejected: &Value<'js>) -> rquickjs::Result<()> {
    let cx = Cx::of(promise.ctx());
    // SAFETY: the values are alive; QuickJS takes references of its own, and checks that the first is a promise.
    cx.take(unsafe { q::JS_PromiseThen(cx.raw(), promise.as_raw(), fulfilled.as_raw(), rejected.as_raw()) }).map(drop)
}

/// A new Error. (`rquickjs` assigns the message, which runs a setter that a script gave a prototype.)
///
/// # Errors
/// When memory is out.
pub fn new_error<'js>(ctx: &Ctx<'js>, message: &str) -> rquickjs::Result<Value<'js>> {
    let cx = Cx::of(ctx);
    // SAFETY: the context is live; the reference is ours.
    let error = cx.take(unsafe { q::JS_NewError(cx.raw()) })?;
    let object = error.as_object().ok_or(rquickjs::Error::Unknown)?;
    let message = crate::string::from_utf8(ctx, message.as_bytes())?;
    crate::define::value(object, "message", &message, crate::define::Attributes::Hidden)?;
    Ok(error)
}

/// Throws a [new error](new_error).
pub fn throw_error(ctx: &Ctx<'_>, message: &str) -> rquickjs::Error {
    match new_error(ctx, message) {
        Ok(error) => ctx.throw(error),
        Err(error) => error,
    }
}

/// Whether no script may catch `thrown`, as the error of an interruption.
pub fn is_uncatchable(thrown: &Value<'_>) -> bool {
    // SAFETY: the value is alive.
    unsafe { q::JS_IsUncatchableError(thrown.as_raw()) }
}

/// Throws an error that no script can catch, as an interruption does.
pub fn throw_uncatchable(ctx: &Ctx<'_>) -> rquickjs::Error {
    drop(rquickjs::Exception::throw_internal(ctx, "interrupted"));
    let error = ctx.catch();
    // SAFETY: the value is alive; QuickJS looks whether it is an error.
    unsafe { q::JS_SetUncatchableError(Cx::of(ctx).raw(), error.as_raw()) };
    ctx.throw(error)
}
