//! Tells where scripts are at the moment, without running any.
//!
//! QuickJS writes down where a runtime's functions are when it makes an error, and first looks at
//! `Error.prepareStackTrace` and `Error.stackTraceLimit`, which belong to a context and which scripts can set. So the
//! error is made in a hidden context, which no script ever gets: the frames are the runtime's all the same.

use std::cell::Cell;

use rquickjs::{Ctx, qjs as q};

use crate::value::Cx;

/// The stacks of a runtime. Keep it in `rquickjs` user data, which is gone before the runtime is.
#[derive(Debug)]
pub struct Backtrace {
    runtime: *mut q::JSRuntime,
    /// The hidden context, once it was needed.
    context: Cell<*mut q::JSContext>,
}

/// How many frames are looked at, including native ones.
const LIMIT: i32 = 16;

impl Backtrace {
    /// The stacks of `ctx`'s runtime.
    pub fn new(ctx: &Ctx<'_>) -> Self {
        Self { runtime: Cx::of(ctx).runtime(), context: Cell::new(std::ptr::null_mut()) }
    }

    /// The functions that are running, innermost first, each a line `    at name (file:line:column)` or
    /// `    at name (native)`; `None` if none is, or if an exception is pending. Runs no script and collects no
    /// garbage.
    pub fn take(&self) -> Option<String> {
        // SAFETY: the runtime lives as long as this is in its user data, and is used on its thread alone, since this is
        // not `Send`. The threshold is put back: without a collection, no object is finalized in the middle of whatever
        // the caller is doing.
        unsafe {
            let threshold = q::JS_GetGCThreshold(self.runtime);
            q::JS_SetGCThreshold(self.runtime, usize::MAX as _);
            let stack = self.take_without_collection();
            q::JS_SetGCThreshold(self.runtime, threshold);
            stack
        }
    }

    fn take_without_collection(&self) -> Option<String> {
        let context = self.context()?;
        // SAFETY: the context is live, and so is its runtime, see `take`. The value that is taken is given back.
        unsafe {
            if q::JS_HasException(context) {
                return None;
            }
            let stack = take(context);
            if stack.is_none() {
                // Memory is out, or somebody interrupts scripts, about which QuickJS will ask again. Neither is the
                // caller's concern.
                q::JS_FreeValue(context, q::JS_GetException(context));
            }
            stack
        }
    }

    fn context(&self) -> Option<*mut q::JSContext> {
        if self.context.get().is_null() {
            // SAFETY: the runtime is live, see `take`; a context without its basic objects is given back.
            unsafe {
                let context = q::JS_NewContextRaw(self.runtime);
                if context.is_null() {
                    return None;
                }
                let has_objects = q::JS_AddIntrinsicBaseObjects(context) == 0 && set_limit(context);
                if !has_objects {
                    q::JS_FreeValue(context, q::JS_GetException(context));
                    q::JS_FreeContext(context);
                    return None;
                }
                self.context.set(context);
            }
        }
        Some(self.context.get())
    }
}

impl Drop for Backtrace {
    fn drop(&mut self) {
        if !self.context.get().is_null() {
            // SAFETY: `context` made it, it is given back once, and its runtime still exists: see the type.
            unsafe { q::JS_FreeContext(self.context.get()) };
        }
    }
}

/// Sets `Error.stackTraceLimit`.
///
/// # Safety
/// The context must be live.
unsafe fn set_limit(context: *mut q::JSContext) -> bool {
    // SAFETY: the context is live; each value that QuickJS gives out is given back.
    unsafe {
        let global = q::JS_GetGlobalObject(context);
        let error = q::JS_GetPropertyStr(context, global, c"Error".as_ptr());
        let set = q::JS_SetPropertyStr(context, error, c"stackTraceLimit".as_ptr(), q::JS_MKVAL(q::JS_TAG_INT, LIMIT));
        q::JS_FreeValue(context, error);
        q::JS_FreeValue(context, global);
        set >= 0
    }
}

/// What `stack` says of an error that is made now.
///
/// # Safety
/// The context must be live.
unsafe fn take(context: *mut q::JSContext) -> Option<String> {
    // SAFETY: the context is live; each value that QuickJS gives out is given back, and the text is copied before.
    unsafe {
        let error = q::JS_NewError(context);
        if q::JS_IsException(error) {
            return None;
        }
        let stack = q::JS_GetPropertyStr(context, error, c"stack".as_ptr());
        q::JS_FreeValue(context, error);
        if q::JS_IsException(stack) {
            return None;
        }
        let mut len = 0;
        let text = match q::JS_IsString(stack) {
            true => q::JS_ToCStringLen(context, &mut len, stack),
            false => std::ptr::null(),
        };
        q::JS_FreeValue(context, stack);
        if text.is_null() {
            return None;
        }
        let copy = String::from_utf8_lossy(std::slice::from_raw_parts(text.cast::<u8>(), len)).into_owned();
        q::JS_FreeCString(context, text);
        Some(copy)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use rquickjs::{Context, Ctx, Function, JsLifetime, Runtime};

    use super::{Backtrace, Cx, q};

    #[derive(JsLifetime)]
    struct Kept(Rc<Backtrace>);

    /// Runs a script that calls `here()`. Returns what was told there.
    fn told(script: &str) -> Vec<Option<String>> {
        let runtime = Runtime::new().unwrap();
        let context = Context::full(&runtime).unwrap();
        let told = Rc::new(RefCell::new(Vec::new()));
        context.with(|ctx: Ctx<'_>| {
            let backtrace = Rc::new(Backtrace::new(&ctx));
            ctx.store_userdata(Kept(backtrace)).ok().unwrap();
            let into = told.clone();
            let here = move |ctx: Ctx<'_>| {
                into.borrow_mut().push(ctx.userdata::<Kept>().unwrap().0.take());
            };
            ctx.globals().set("here", Function::new(ctx.clone(), here).unwrap()).unwrap();
            ctx.eval::<(), _>(script).unwrap_or_else(|error| panic!("{error}: {:?}", ctx.catch()));
        });
        told.take()
    }

    #[test]
    fn lines_and_functions() {
        let told = told("function outer() {\n  inner();\n}\nfunction inner() {\n\n    here();\n}\nouter();");
        let stack = told[0].as_ref().unwrap();
        // (The native function itself may stand in front.)
        let lines: Vec<_> = stack.lines().map(str::trim).filter(|line| !line.ends_with("(native)")).collect();
        assert_eq!(lines[..2], ["at inner (eval_script:6:5)", "at outer (eval_script:2:3)"], "{stack}");
    }

    #[test]
    fn no_script_is_asked() {
        let told = told(
            "let asked = 0;
             const trap = { get() { asked++; }, set() { asked++; }, configurable: true };
             Error.prepareStackTrace = () => { asked++; return 'mine'; };
             Error.stackTraceLimit = { valueOf() { asked++; return 0; } };
             Object.defineProperty(Error.prototype, 'stack', trap);
             Object.defineProperty(Object.prototype, 'stackTraceLimit', trap);
             here();
             globalThis.Error = class { constructor() { asked++; } };
             here();
             if (asked) throw new TypeError('a script was asked');",
        );
        assert_eq!(told.len(), 2);
        told.iter().for_each(|stack| assert!(stack.as_ref().unwrap().contains("eval_script"), "{stack:?}"));
    }

    #[test]
    fn deep_recursion_is_cut_and_many_are_taken() {
        let told = told("function f(n) { if (n) f(n - 1); else for (let i = 0; i < 20000; i++) here(); } f(100);");
        assert_eq!(told.len(), 20_000);
        assert!(told.iter().all(|stack| stack.as_ref().is_some_and(|stack| stack.lines().count() == 16)));
    }

    #[test]
    fn a_pending_exception_stays() {
        let runtime = Runtime::new().unwrap();
        let context = Context::full(&runtime).unwrap();
        context.with(|ctx| {
            let backtrace = Rc::new(Backtrace::new(&ctx));
            ctx.store_userdata(Kept(backtrace.clone())).ok().unwrap();
            assert!(backtrace.take().is_some());
            assert!(ctx.eval::<(), _>("throw 42").is_err());
            assert_eq!(backtrace.take(), None);
            assert_eq!(ctx.catch().as_int(), Some(42));
            assert!(backtrace.take().is_some());
        });
    }

    #[test]
    fn nothing_is_collected_meanwhile() {
        let runtime = Runtime::new().unwrap();
        let context = Context::full(&runtime).unwrap();
        context.with(|ctx| {
            let backtrace = Rc::new(Backtrace::new(&ctx));
            ctx.store_userdata(Kept(backtrace.clone())).ok().unwrap();
            ctx.eval::<(), _>("{ const a = {}; a.a = a; globalThis.weak = new WeakRef(a); }").unwrap();
            // The first time a context is made, the second time it is not.
            for _ in 0..2 {
                // SAFETY: the runtime is live.
                let set_threshold = |bytes| unsafe { q::JS_SetGCThreshold(Cx::of(&ctx).runtime(), bytes) };
                set_threshold(0);
                assert!(backtrace.take().is_some());
                set_threshold(1 << 30);
                assert!(ctx.eval::<bool, _>("weak.deref() !== undefined").unwrap());
            }
            ctx.run_gc();
            assert!(ctx.eval::<bool, _>("weak.deref() === undefined").unwrap());
        });
    }
}
