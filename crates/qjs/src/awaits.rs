//! Tells when async functions stop at an `await` and when they go on, and when the `then` of what a promise was resolved
//! with is called.
//!
//! For the latter there is QuickJS's promise hook, which is silent when a job goes on with a function. But what goes on with one
//! is an object of a class that has a `call`, as everything that can be called and is no bytecode, and the table of a
//! runtime's classes is memory of the runtime. [`watch`] finds that table and puts its own functions in front of the
//! engine's. Nothing changes for a runtime that never calls it.

use std::cell::RefCell;
use std::ffi::{CStr, c_int, c_void};

use rquickjs::{Ctx, Function, JsLifetime, Value, qjs as q};

use crate::held::Held;
use crate::value::{Borrowed, Cx};

/// The engine whose structures are declared below. `tests/js/runtime/async-context.mjs` fails if another version comes.
const KNOWN: &CStr = c"0.16.2";

/// What is called, each time with the function's promise, or the async generator.
#[derive(Clone)]
pub struct Hooks<'js> {
    /// A promise was made, or an async function has returned its promise.
    pub started: Function<'js>,
    /// A function goes on, or a `then` is about to be called for the promise. What this returns is given to `leave`.
    pub enter: Function<'js>,
    /// The function has stopped again, or ended; the `then` has returned.
    pub leave: Function<'js>,
}

/// A class in the runtime's table.
#[repr(C)]
struct Class {
    id: u32,
    name: u32,
    finalizer: *const c_void,
    mark: *const c_void,
    call: q::JSClassCall,
    exotic: *const c_void,
}

/// `JSAsyncFunctionData`, as far as it is read.
#[repr(C)]
struct AsyncFunction {
    link: [*mut c_void; 2],
    resolving: [q::JSValue; 2],
}

/// `JSPromiseFunctionData`, as far as it is read.
#[repr(C)]
struct PromiseFunction {
    promise: q::JSValue,
}

/// `JSCFunctionDataRecord` with one value, as far as it is read.
#[repr(C)]
struct DataFunction {
    function: *const c_void,
    length: u8,
    count: u8,
    magic: u16,
    first: q::JSValue,
}

/// A runtime that is watched.
struct Watched {
    ids: Ids,
    started: Held,
    enter: Held,
    leave: Held,
    /// The engine's own functions.
    call: Call,
    resume: [Call; 2],
    data: Call,
    /// What `enter` has returned for the `then`s that are being called.
    thens: RefCell<Vec<Held>>,
}

type Call =
    unsafe extern "C" fn(*mut q::JSContext, q::JSValue, q::JSValue, c_int, *mut q::JSValue, c_int) -> q::JSValue;

/// The numbers of the engine's classes.
#[derive(Clone, Copy)]
struct Ids {
    function: q::JSClassID,
    generator: q::JSClassID,
    promise_function: q::JSClassID,
    data_function: q::JSClassID,
}

impl Ids {
    /// Those of the functions that go on with an async function, after a value and after an error.
    fn resume(self) -> [q::JSClassID; 2] {
        [self.function + 1, self.function + 2]
    }
}

// SAFETY: the type has no lifetime of values: what it holds are references that are counted.
unsafe impl JsLifetime<'_> for Watched {
    type Changed<'to> = Watched;
}

/// Has `hooks` called in this runtime, from now on. `function` is any async function, and `generator` any async generator.
/// Returns whether that is possible.
///
/// # Errors
/// When memory is out.
pub fn watch<'js>(
    ctx: &Ctx<'js>,
    hooks: &Hooks<'js>,
    function: &Value<'js>,
    generator: &Value<'js>,
) -> rquickjs::Result<bool> {
    // SAFETY: the version is a string that is never freed.
    let is_known = unsafe { CStr::from_ptr(q::JS_GetVersion()) } == KNOWN;
    if !is_known || cfg!(not(target_pointer_width = "64")) || ctx.userdata::<Watched>().is_some() {
        return Ok(false);
    }
    let cx = Cx::of(ctx);
    let ids = ids(cx, function, generator)?;
    let Some(classes) = find_classes(cx, ids) else { return Ok(false) };
    let class = |id: q::JSClassID| classes.wrapping_add(id as usize);
    // SAFETY: `find_classes` has seen the entries of these classes.
    let calls =
        unsafe { [ids.function, ids.resume()[0], ids.resume()[1], ids.data_function].map(|id| (*class(id)).call) };
    let [Some(call), Some(fulfilled), Some(rejected), Some(data)] = calls else { return Ok(false) };
    let watched = Watched {
        ids,
        started: Held::new(&hooks.started),
        enter: Held::new(&hooks.enter),
        leave: Held::new(&hooks.leave),
        call,
        resume: [fulfilled, rejected],
        data,
        thens: RefCell::default(),
    };
    if ctx.store_userdata(watched).is_err() {
        return Ok(false);
    }
    // SAFETY: as above. The functions have the signature of the engine's, and find what they need in the runtime.
    unsafe {
        (*class(ids.function)).call = Some(on_call);
        (*class(ids.resume()[0])).call = Some(on_fulfilled);
        (*class(ids.resume()[1])).call = Some(on_rejected);
        (*class(ids.data_function)).call = Some(on_data);
        q::JS_SetPromiseHook(cx.runtime(), Some(on_promise), std::ptr::null_mut());
    }
    Ok(true)
}

fn ids(cx: Cx<'_>, function: &Value<'_>, generator: &Value<'_>) -> rquickjs::Result<Ids> {
    unsafe extern "C" fn nothing(
        _: *mut q::JSContext,
        _: q::JSValue,
        _: c_int,
        _: *mut q::JSValue,
        _: c_int,
        _: *mut q::JSValue,
    ) -> q::JSValue {
        q::JS_UNDEFINED
    }
    let mut settle = [q::JS_UNDEFINED; 2];
    // SAFETY: the context is live; each value that is made is given back when `Value` goes.
    unsafe {
        let promise = cx.take(q::JS_NewPromiseCapability(cx.raw(), settle.as_mut_ptr()))?;
        let [resolve, reject] = settle.map(|function| Value::from_raw(cx.ctx(), function));
        let data = cx.take(q::JS_NewCFunctionData(cx.raw(), Some(nothing), 0, 0, 0, std::ptr::null_mut()))?;
        drop((promise, reject));
        Ok(Ids {
            function: q::JS_GetClassID(function.as_raw()),
            generator: q::JS_GetClassID(generator.as_raw()),
            promise_function: q::JS_GetClassID(resolve.as_raw()),
            data_function: q::JS_GetClassID(data.as_raw()),
        })
    }
}

/// Finds the runtime's table of classes: a pointer right behind the number of the next class, which is known, and the
/// table's length. What it points to is looked at only then, and must be such a table.
fn find_classes(cx: Cx<'_>, ids: Ids) -> Option<*mut Class> {
    /// The table is in the first part of the runtime, all of which is initialized memory.
    const WORDS: usize = 1400 / 4;
    let runtime = cx.runtime().cast::<u32>();
    let mut last = 0;
    // SAFETY: the runtime is live; the number that is taken is not used for anything else.
    unsafe { q::JS_NewClassID(cx.runtime(), &mut last) };
    let wanted =
        [1, ids.function, ids.resume()[0], ids.resume()[1], ids.generator, ids.promise_function, ids.data_function];
    (0..WORDS - 4).find_map(|word| {
        // SAFETY: this is within the runtime, which is larger.
        let (next, count) = unsafe { (runtime.add(word).read(), runtime.add(word + 1).read()) };
        // The pointer is aligned, and there are a few hundred classes.
        if next != last + 1 || word % 2 == 0 || count > 1 << 16 || wanted.iter().any(|id| *id >= count) {
            return None;
        }
        // SAFETY: as above; the alignment is that of the runtime's own fields.
        let classes = unsafe { runtime.add(word + 3).cast::<*mut Class>().read() };
        // SAFETY: the two numbers in front of it say that this is the table, with `count` entries.
        let fits = !classes.is_null() && wanted.iter().all(|id| unsafe { (*classes.add(*id as usize)).id } == *id);
        fits.then_some(classes)
    })
}

unsafe extern "C" fn on_promise(
    ctx: *mut q::JSContext,
    kind: q::JSPromiseHookType,
    promise: q::JSValue,
    _parent: q::JSValue,
    _: *mut c_void,
) {
    // SAFETY: QuickJS calls with a live context and promise.
    let (cx, promise_) = unsafe { (Cx::from_raw(ctx), Borrowed::from_raw(promise)) };
    let ctx = cx.ctx();
    let Some(watched) = ctx.userdata::<Watched>() else { return };
    match kind {
        q::JSPromiseHookType_JS_PROMISE_HOOK_INIT => forget(cx, watched.hook(cx, &watched.started, &mut [promise])),
        q::JSPromiseHookType_JS_PROMISE_HOOK_BEFORE => {
            let before = watched.hook(cx, &watched.enter, &mut [promise]);
            // SAFETY: the value is alive until it is forgotten.
            let held = Held::borrowed(cx, unsafe { Borrowed::from_raw(before.unwrap_or(q::JS_UNDEFINED)) });
            watched.thens.borrow_mut().push(held);
            forget(cx, before);
        }
        q::JSPromiseHookType_JS_PROMISE_HOOK_AFTER => {
            // What the `then` has thrown stays.
            // SAFETY: an exception that is taken is put back.
            let thrown = unsafe { q::JS_HasException(cx.raw()).then(|| q::JS_GetException(cx.raw())) };
            let before = watched.thens.borrow_mut().pop();
            if let Some(before) = before {
                forget(cx, watched.hook(cx, &watched.leave, &mut [promise_.raw(), before.raw()]));
            }
            if let Some(thrown) = thrown {
                // SAFETY: the reference is given back.
                unsafe { q::JS_Throw(cx.raw(), thrown) };
            }
        }
        _ => {}
    }
}

unsafe extern "C" fn on_call(
    ctx: *mut q::JSContext,
    function: q::JSValue,
    this: q::JSValue,
    argc: c_int,
    argv: *mut q::JSValue,
    flags: c_int,
) -> q::JSValue {
    // SAFETY: QuickJS calls with a live context.
    let cx = unsafe { Cx::from_raw(ctx) };
    let ctx_ = cx.ctx();
    let Some(watched) = ctx_.userdata::<Watched>() else { return q::JS_EXCEPTION };
    // SAFETY: the arguments are passed on as they came.
    let promise = unsafe { (watched.call)(ctx, function, this, argc, argv, flags) };
    // SAFETY: the value is only looked at.
    match unsafe { q::JS_IsException(promise) } {
        true => promise,
        false => settle(cx, watched.hook(cx, &watched.started, &mut [promise]), promise),
    }
}

unsafe extern "C" fn on_fulfilled(
    ctx: *mut q::JSContext,
    function: q::JSValue,
    this: q::JSValue,
    argc: c_int,
    argv: *mut q::JSValue,
    flags: c_int,
) -> q::JSValue {
    // SAFETY: QuickJS calls with a live context, and with values that it keeps for the call.
    unsafe { resume(Cx::from_raw(ctx), 0, function, this, argc, argv, flags) }
}

unsafe extern "C" fn on_rejected(
    ctx: *mut q::JSContext,
    function: q::JSValue,
    this: q::JSValue,
    argc: c_int,
    argv: *mut q::JSValue,
    flags: c_int,
) -> q::JSValue {
    // SAFETY: as in `on_fulfilled`.
    unsafe { resume(Cx::from_raw(ctx), 1, function, this, argc, argv, flags) }
}

/// # Safety
/// The arguments are those that QuickJS calls one of the functions with that go on with an async function.
unsafe fn resume(
    cx: Cx<'_>,
    which: usize,
    function: q::JSValue,
    this: q::JSValue,
    argc: c_int,
    argv: *mut q::JSValue,
    flags: c_int,
) -> q::JSValue {
    let ctx = cx.ctx();
    let Some(watched) = ctx.userdata::<Watched>() else { return q::JS_EXCEPTION };
    // SAFETY: an object of this class owns such a structure, whose functions are those of the promise that the async
    // function has returned; each of them owns a reference to it.
    let promise = unsafe {
        let data = q::JS_GetOpaque(function, watched.ids.resume()[which]).cast::<AsyncFunction>();
        let settle = data.as_ref().map(|data| q::JS_GetOpaque(data.resolving[0], watched.ids.promise_function));
        settle.and_then(|settle| settle.cast::<PromiseFunction>().as_ref()).map(|settle| settle.promise)
    };
    // SAFETY: the arguments are passed on as they came.
    let go_on = || unsafe { (watched.resume[which])(cx.raw(), function, this, argc, argv, flags) };
    match promise {
        Some(promise) => watched.around(cx, promise, go_on),
        None => go_on(),
    }
}

unsafe extern "C" fn on_data(
    ctx: *mut q::JSContext,
    function: q::JSValue,
    this: q::JSValue,
    argc: c_int,
    argv: *mut q::JSValue,
    flags: c_int,
) -> q::JSValue {
    // SAFETY: QuickJS calls with a live context.
    let cx = unsafe { Cx::from_raw(ctx) };
    let ctx_ = cx.ctx();
    let Some(watched) = ctx_.userdata::<Watched>() else { return q::JS_EXCEPTION };
    // SAFETY: the arguments are passed on as they came.
    let go_on = || unsafe { (watched.data)(ctx, function, this, argc, argv, flags) };
    // SAFETY: an object of this class owns such a structure. If it has one value and that is an async generator, the
    // function is the one that goes on with it.
    let generator = unsafe {
        let data = q::JS_GetOpaque(function, watched.ids.data_function).cast::<DataFunction>();
        data.as_ref()
            .filter(|data| data.count == 1 && q::JS_GetClassID(data.first) == watched.ids.generator)
            .map(|data| data.first)
    };
    match generator {
        Some(generator) => watched.around(cx, generator, go_on),
        None => go_on(),
    }
}

/// Drops what a hook has returned. An exception that may not be caught comes again: whoever asked for it asks until the
/// script ends.
fn forget(cx: Cx<'_>, hooked: Result<q::JSValue, q::JSValue>) {
    // SAFETY: the reference is ours.
    unsafe { q::JS_FreeValue(cx.raw(), hooked.unwrap_or_else(|_| q::JS_GetException(cx.raw()))) }
}

/// `result`, a reference of ours, unless the hook that was called for it ends the script.
fn settle(cx: Cx<'_>, hooked: Result<q::JSValue, q::JSValue>, result: q::JSValue) -> q::JSValue {
    let (dropped, returned) = match hooked {
        Ok(nothing) => (nothing, result),
        Err(exception) => (result, exception),
    };
    // SAFETY: the reference is ours.
    unsafe { q::JS_FreeValue(cx.raw(), dropped) };
    returned
}

impl Watched {
    /// Calls `go_on` between `enter` and `leave`.
    fn around(&self, cx: Cx<'_>, what: q::JSValue, go_on: impl FnOnce() -> q::JSValue) -> q::JSValue {
        // SAFETY: the values are alive; what is duplicated here is freed here.
        unsafe {
            let what = q::JS_DupValue(cx.raw(), what);
            let before = match self.hook(cx, &self.enter, &mut [what]) {
                Ok(before) => before,
                Err(thrown) => {
                    q::JS_FreeValue(cx.raw(), what);
                    return thrown;
                }
            };
            let result = go_on();
            // What is thrown here no script can catch. It stays.
            let thrown = q::JS_IsException(result).then(|| q::JS_GetException(cx.raw()));
            let left = self.hook(cx, &self.leave, &mut [what, before]);
            q::JS_FreeValue(cx.raw(), before);
            q::JS_FreeValue(cx.raw(), what);
            if let Some(thrown) = thrown {
                forget(cx, left);
                return q::JS_Throw(cx.raw(), thrown);
            }
            settle(cx, left, result)
        }
    }

    /// Calls a hook. What it throws is lost, unless no script may catch it.
    fn hook(&self, cx: Cx<'_>, hook: &Held, args: &mut [q::JSValue]) -> Result<q::JSValue, q::JSValue> {
        // SAFETY: the hook and the arguments are alive; QuickJS only borrows them.
        let result =
            unsafe { q::JS_Call(cx.raw(), hook.raw(), q::JS_UNDEFINED, args.len() as c_int, args.as_mut_ptr()) };
        // SAFETY: an exception is taken out of the context and put back, or freed.
        unsafe {
            if !q::JS_IsException(result) {
                return Ok(result);
            }
            let thrown = q::JS_GetException(cx.raw());
            if q::JS_IsUncatchableError(thrown) {
                return Err(q::JS_Throw(cx.raw(), thrown));
            }
            q::JS_FreeValue(cx.raw(), thrown);
            Ok(q::JS_UNDEFINED)
        }
    }
}
