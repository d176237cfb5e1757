//! The frames of errors: the guests' between the scripts' own.
//!
//! QuickJS writes down its frames when an error is made, and knows nothing of guests. Before that it asks how many there
//! shall be (`Error.stackTraceLimit`), and that question comes here. If no guest runs, the answer is what scripts have
//! set, and QuickJS goes on as it always does. Otherwise it is told to hand its frames to a function of ours, as if a
//! script had set `Error.prepareStackTrace`; this puts the guests' frames where they belong, by their places on the
//! thread's stack, and then does what QuickJS would have done, or has the script's own function do it.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::rc::{Rc, Weak};

use island::StackFrame;
use qjs::array::ArrayBuilder;
use qjs::define;
use qjs::function::{Kind, function};
use qjs::stack::{self, Running};
use qjs::{Args, Call, Callable, Ctx, Cx, Function, HostClass, Mark, Object, Result, Returned, Value, class};
use rquickjs::JsLifetime;
use rquickjs::prelude::This;

use crate::runtime::api::Api;
use crate::runtime::island_realm::IslandRealm;

/// The most frames that QuickJS makes sites of.
const MOST: usize = 64;

/// What is kept for the errors of a runtime, as it was before a script could change anything.
#[derive(JsLifetime)]
struct Stacks<'js> {
    error: Object<'js>,
    /// The getter and the setter of `Error.prepareStackTrace`.
    get_prepare: Function<'js>,
    set_prepare: Function<'js>,
    /// Our own function for it.
    own_prepare: Value<'js>,
    sites: Sites<'js>,
    /// `Error.stackTraceLimit`
    limit: Cell<f64>,
    /// What the error that Rust is making gets.
    expected: RefCell<Expected>,
    /// What our own function needs, once QuickJS was told to call it.
    next: RefCell<Option<Next<'js>>>,
}

/// The methods of a `CallSite`.
#[derive(JsLifetime)]
struct Sites<'js> {
    prototype: Object<'js>,
    is_native: Function<'js>,
    function: Function<'js>,
    function_name: Function<'js>,
    file_name: Function<'js>,
    line: Function<'js>,
    column: Function<'js>,
    /// The prototype of [`GuestSite`]s, once there was one.
    of_guests: RefCell<Option<Object<'js>>>,
}

#[derive(Default)]
struct Expected {
    /// The frames of a call that trapped, which are gone.
    trap: Vec<StackFrame>,
    /// Whether the first frame is a native constructor's, which scripts did not write.
    leaves_out_constructor: bool,
}

#[derive(JsLifetime)]
struct Next<'js> {
    limit: usize,
    /// The script's own `Error.prepareStackTrace`.
    prepare: Value<'js>,
    expected: Expected,
    guests: Guests,
    running: Vec<Running>,
}

/// The guests that are running.
#[derive(Default)]
struct Guests {
    /// Innermost first.
    frames: Vec<StackFrame>,
    /// The islands that they are in.
    realms: Vec<Rc<IslandRealm>>,
}

impl Guests {
    fn running(api: &Api) -> Self {
        let mut guests = Self::default();
        for realm in api.state.islands.borrow().iter().filter_map(Weak::upgrade) {
            let frames = realm.island.running();
            if !frames.is_empty() {
                guests.frames.extend(frames);
                guests.realms.push(realm);
            }
        }
        guests.frames.sort_by_key(|frame| frame.address);
        guests
    }

    /// How many of the functions of scripts are younger than each frame, with the frame.
    fn among(self, running: &[Running]) -> Vec<(usize, StackFrame)> {
        let mut younger = 0;
        let place = |frame: StackFrame| {
            let is_younger = |function: &Running| function.address.is_some_and(|address| address < frame.address);
            let rest = running.get(younger..).unwrap_or_default();
            let end = rest.iter().position(|function| function.address.is_some() && !is_younger(function));
            let rest = &rest[..end.unwrap_or(rest.len())];
            younger += rest.iter().rposition(is_younger).map_or(0, |last| last + 1);
            // Async functions and generators have no place. Such a function has called the guest, unless it is an import
            // itself: then the guest has called it.
            let rest = running.get(younger..).unwrap_or_default();
            let nowhere = rest.iter().take_while(|function| function.address.is_none());
            if let Some(at) = nowhere.clone().position(|f| self.realms.iter().any(|realm| realm.imports_it(f.function)))
            {
                younger += at + 1;
            }
            (younger, frame)
        };
        self.frames.into_iter().map(place).collect()
    }
}

/// A frame of an error.
enum Frame<'js> {
    /// A `CallSite` of QuickJS's.
    Script(Value<'js>),
    Guest(StackFrame),
}

/// What QuickJS asks for the limit.
#[derive(HostClass, Mark)]
#[host_class(name = "StackTraceLimit")]
struct LimitHook;

impl Callable for LimitHook {
    // It does little, and QuickJS asks when the stack is used up too.
    const LOOKS_AT_STACK: bool = true;

    fn call(&self, cx: Cx<'_>, _: Args<'_>) -> Result<Returned> {
        Ok(cx.float(frames_wanted(&cx.ctx())))
    }
}

/// Our own `Error.prepareStackTrace`.
#[derive(HostClass, Mark)]
#[host_class(name = "StackTraceHook")]
struct PrepareHook;

impl Callable for PrepareHook {
    const LOOKS_AT_STACK: bool = true;

    fn call(&self, cx: Cx<'_>, args: Args<'_>) -> Result<Returned> {
        let stack = prepare(&cx.ctx(), args.get(0).to_value(cx), args.get(1).to_value(cx))?;
        Ok(cx.returned(&stack))
    }
}

/// Has the frames of this context's errors come here. What is defined on `Error` stays QuickJS's, but for
/// `stackTraceLimit`, which holds a number.
///
/// # Errors
/// When memory is out.
pub(crate) fn install(ctx: &Ctx<'_>) -> Result<()> {
    if ctx.userdata::<Stacks>().is_some() {
        return Ok(());
    }
    let error: Object = ctx.globals().get("Error")?;
    let descriptor: Function = ctx.globals().get::<_, Object>("Object")?.get("getOwnPropertyDescriptor")?;
    let accessor = |name: &str| -> Result<[Function<'_>; 2]> {
        let descriptor: Object = descriptor.call((error.clone(), name))?;
        Ok([descriptor.get("get")?, descriptor.get("set")?])
    };
    let [get_limit, set_limit] = accessor("stackTraceLimit")?;
    let [get_prepare, set_prepare] = accessor("prepareStackTrace")?;
    let limit: f64 = get_limit.call((This(error.clone()),))?;
    let stacks = Stacks {
        sites: Sites::find(ctx, &error, &set_prepare)?,
        own_prepare: stack::callable(ctx, PrepareHook)?.into_value(),
        error: error.clone(),
        get_prepare,
        set_prepare,
        limit: Cell::new(limit),
        expected: RefCell::default(),
        next: RefCell::default(),
    };
    ctx.store_userdata(stacks).map_err(|_| rquickjs::Error::Unknown)?;
    define::hidden_attribute(
        &error,
        "stackTraceLimit",
        |call| Ok(Value::new_number(call.ctx.clone(), of(&call.ctx)?.limit.get())),
        |call| {
            // QuickJS would convert it whenever an error is made. As in V8, what is no number stands for no frames.
            of(&call.ctx)?.limit.set(call.args.get(0).number().unwrap_or(0.0));
            Ok(Value::new_undefined(call.ctx))
        },
    )?;
    stack::hook_limit(ctx, &error, &set_limit, LimitHook)
}

fn of<'a, 'js>(ctx: &'a Ctx<'js>) -> Result<rquickjs::runtime::UserDataGuard<'a, Stacks<'js>>> {
    ctx.userdata::<Stacks>().ok_or(rquickjs::Error::Unknown)
}

impl<'js> Sites<'js> {
    /// Has QuickJS make a site, and looks at it.
    fn find(ctx: &Ctx<'js>, error: &Object<'js>, set: &Function<'js>) -> Result<Self> {
        let first =
            function(ctx, Kind::Plain, "", 2, |call| call.arg(1).as_object().map_or(Ok(call.arg(1)), |s| s.get(0)))?;
        set.call::<_, ()>((This(error.clone()), first))?;
        let made = function(ctx, Kind::Plain, "", 0, |call| qjs::function::new_error(&call.ctx, ""))?;
        let made: Object = made.call(())?;
        let getter: Function = qjs::pristine::copy(&error.get("prototype")?, "stack")?.get("stack")?;
        let site: Object = getter.call((This(made),))?;
        set.call::<_, ()>((This(error.clone()), Value::new_undefined(ctx.clone())))?;
        let prototype = site.get_prototype().ok_or(rquickjs::Error::Unknown)?;
        Ok(Self {
            is_native: prototype.get("isNative")?,
            function: prototype.get("getFunction")?,
            function_name: prototype.get("getFunctionName")?,
            file_name: prototype.get("getFileName")?,
            line: prototype.get("getLineNumber")?,
            column: prototype.get("getColumnNumber")?,
            of_guests: RefCell::default(),
            prototype,
        })
    }

    /// The line that QuickJS would write for a site.
    fn write(&self, site: &Value<'js>, text: &mut String) -> Result<()> {
        let ctx = site.ctx();
        let ask = |method: &Function<'js>| -> Result<Value<'js>> { method.call((This(site.clone()),)) };
        let show = |value: &Value<'js>| qjs::string::to_usv(ctx, qjs::Borrowed::of(value));
        let mut place = show(&ask(&self.file_name)?)?;
        if let (Some(line), Some(column)) = (ask(&self.line)?.as_int(), ask(&self.column)?.as_int()) {
            place += &format!(":{line}:{column}");
        }
        if ask(&self.is_native)?.as_bool() == Some(true) {
            place = "native".into();
        }
        // Where a text could not be parsed, there is no function.
        if !ask(&self.function)?.is_object() {
            *text += &format!("    at {place}\n");
            return Ok(());
        }
        let name = ask(&self.function_name)?;
        let name = if name.is_string() { show(&name)? } else { "<anonymous>".into() };
        *text += &format!("    at {name} ({place})\n");
        Ok(())
    }

    fn is_native(&self, site: &Value<'js>) -> Result<bool> {
        self.is_native.call((This(site.clone()),))
    }

    fn function_of(&self, site: &Value<'js>) -> Result<*const c_void> {
        let function: Value = self.function.call((This(site.clone()),))?;
        Ok(class::identity(&function))
    }

    fn of_guest(&self, ctx: &Ctx<'js>, frame: StackFrame) -> Result<Value<'js>> {
        let known = self.of_guests.borrow().clone();
        let prototype = match known {
            Some(prototype) => prototype,
            None => {
                let prototype = guest_site_prototype(ctx, &self.prototype)?;
                *self.of_guests.borrow_mut() = Some(prototype.clone());
                prototype
            }
        };
        Ok(class::new_object(ctx, GuestSite { frame }, Some(&prototype))?.into_value())
    }
}

/// Runs `body`, which makes an error by a native constructor, and leaves the constructor's frame out.
pub(crate) fn without_constructor<R>(ctx: &Ctx<'_>, body: impl FnOnce() -> Result<R>) -> Result<R> {
    let set = |leaves_out| -> Result<bool> {
        let stacks = of(ctx)?;
        let before = std::mem::replace(&mut stacks.expected.borrow_mut().leaves_out_constructor, leaves_out);
        Ok(before)
    };
    let before = set(true)?;
    let result = body();
    set(before)?;
    result
}

/// Runs `body`, which makes the error of a trap; the error has these frames before all others.
pub(crate) fn with_trap<R>(ctx: &Ctx<'_>, frames: &[StackFrame], body: impl FnOnce() -> Result<R>) -> Result<R> {
    let set = |frames| -> Result<()> {
        of(ctx)?.expected.borrow_mut().trap = frames;
        Ok(())
    };
    set(frames.to_vec())?;
    let result = body();
    set(Vec::new())?;
    result
}

/// How many frames QuickJS is to write down for the error that is being made.
fn frames_wanted(ctx: &Ctx<'_>) -> f64 {
    let (Ok(stacks), Ok(api)) = (of(ctx), Api::of(ctx)) else { return 10.0 };
    let limit = stacks.limit.get();
    if limit.is_nan() || limit < 1.0 {
        return 0.0;
    }
    let guests = Guests::running(&api);
    let expected = {
        let mut expected = stacks.expected.borrow_mut();
        let leaves_out_constructor = expected.leaves_out_constructor;
        Expected { trap: std::mem::take(&mut expected.trap), leaves_out_constructor }
    };
    if guests.frames.is_empty() && expected.trap.is_empty() && !expected.leaves_out_constructor {
        return limit;
    }
    let Some(running) = stack::running(ctx) else { return limit };
    let attempt = || -> Result<()> {
        let prepare = stacks.get_prepare.call((This(stacks.error.clone()),))?;
        stacks.set_prepare.call::<_, ()>((This(stacks.error.clone()), stacks.own_prepare.clone()))?;
        let next = Next { limit: limit as usize, prepare, expected, guests, running };
        let before = stacks.next.replace(Some(next));
        drop(before);
        Ok(())
    };
    match attempt() {
        Ok(()) => MOST as f64,
        Err(_) => {
            // There is no stack or no memory left for the guests' frames.
            drop(ctx.catch());
            limit
        }
    }
}

/// Puts the frames of an error together and makes its `stack`.
fn prepare<'js>(ctx: &Ctx<'js>, error: Value<'js>, sites: Value<'js>) -> Result<Value<'js>> {
    let stacks = of(ctx)?;
    let Some(mut next) = stacks.next.take() else { return Ok(Value::new_undefined(ctx.clone())) };
    let own = std::mem::replace(&mut next.prepare, Value::new_undefined(ctx.clone()));
    stacks.set_prepare.call::<_, ()>((This(stacks.error.clone()), own.clone()))?;
    let frames = merge(&stacks.sites, &sites, next)?;
    let Some(own) = own.as_function() else {
        let mut text = String::new();
        for frame in &frames {
            match frame {
                Frame::Script(site) => stacks.sites.write(site, &mut text)?,
                Frame::Guest(frame) => text += &format!("    at {frame}\n"),
            }
        }
        return qjs::string::from_utf8(ctx, text.as_bytes());
    };
    let cx = Cx::of(ctx);
    let mut array = ArrayBuilder::new(cx, frames.len())?;
    for frame in frames {
        array.push(cx.returned(&match frame {
            Frame::Script(site) => site,
            Frame::Guest(frame) => stacks.sites.of_guest(ctx, frame)?,
        }))?;
    }
    let (constructor, array) = (stacks.error.clone(), array.finish()?);
    // What the script does may need any of this.
    drop(stacks);
    own.call((This(constructor), error, array))
}

fn merge<'js>(methods: &Sites<'js>, sites: &Value<'js>, next: Next<'js>) -> Result<Vec<Frame<'js>>> {
    let Next { limit, expected, guests, running, .. } = next;
    let Some(sites) = sites.as_array() else { return Ok(Vec::new()) };
    let sites = sites.iter().collect::<Result<Vec<Value>>>()?;
    let functions = sites.iter().map(|site| methods.function_of(site)).collect::<Result<Vec<_>>>()?;
    let is_whole = sites.len() < MOST;
    // Where a text could not be parsed is not the place of a function.
    let places = functions.iter().take_while(|function| function.is_null()).count();
    let functions = &functions[places..];
    // The functions that made the error are not among the sites.
    let first = match running.len().checked_sub(functions.len()) {
        Some(rest) if is_whole => rest,
        Some(rest) => {
            let is_first =
                |&first: &usize| running[first..].iter().zip(functions).all(|(one, two)| one.function == *two);
            (0..=rest).find(is_first).unwrap_or(0)
        }
        None => 0,
    };
    let mut guests = guests.among(&running).into_iter().skip_while(|(younger, _)| *younger < first).peekable();
    let mut frames = Vec::new();
    let guest = |frame: StackFrame| frame.levels().into_iter().map(Frame::Guest);
    for (at, site) in sites.into_iter().enumerate() {
        if at == places {
            frames.extend(expected.trap.iter().cloned().flat_map(guest));
        }
        if at >= places {
            while let Some((_, frame)) = guests.next_if(|(younger, _)| *younger <= first + at - places) {
                frames.extend(guest(frame));
            }
        }
        if at > 0 || !expected.leaves_out_constructor || !methods.is_native(&site)? {
            frames.push(Frame::Script(site));
        }
    }
    if functions.is_empty() {
        frames.extend(expected.trap.into_iter().flat_map(guest));
    }
    if is_whole {
        frames.extend(guests.flat_map(|(_, frame)| guest(frame)));
    }
    frames.truncate(limit);
    Ok(frames)
}

/// A guest's frame as a `CallSite`. Like V8's, it has the function's index for the function, line 1 for the module, and
/// the offset in it for the column; if the place in the source is known, it has that instead.
#[derive(HostClass, Mark)]
#[host_class(name = "CallSite")]
struct GuestSite {
    #[mark(skip)]
    frame: StackFrame,
}

fn guest_site_prototype<'js>(ctx: &Ctx<'js>, parent: &Object<'js>) -> Result<Object<'js>> {
    class::register::<GuestSite>(ctx)?;
    let prototype = Object::new(ctx.clone())?;
    prototype.set_prototype(Some(parent))?;
    for name in ["isNative", "isConstructor", "isToplevel", "isEval", "isAsync", "isPromiseAll"] {
        define::method(&prototype, name, 0, |call| Ok(Value::new_bool(call.ctx, false)))?;
    }
    for name in ["getTypeName", "getMethodName", "getPromiseIndex", "getEvalOrigin"] {
        define::method(&prototype, name, 0, |call| Ok(Value::new_null(call.ctx)))?;
    }
    define::method(&prototype, "getThis", 0, |call| Ok(Value::new_undefined(call.ctx)))?;
    define::method(&prototype, "getFunction", 0, |call| {
        Ok(Value::new_number(call.ctx.clone(), of_site(&call)?.index.into()))
    })?;
    define::method(&prototype, "getFunctionName", 0, |call| {
        let frame = of_site(&call)?;
        let source = frame.source.first();
        let name = frame.function.as_ref().or(source.and_then(|source| source.function.as_ref()));
        name.map_or(Ok(Value::new_null(call.ctx.clone())), |name| qjs::string::from_utf8(&call.ctx, name.as_bytes()))
    })?;
    for name in ["getFileName", "getScriptNameOrSourceURL"] {
        define::method(&prototype, name, 0, |call| {
            let file = of_site(&call)?.source.first().map_or("wasm://wasm", |source| &source.file);
            qjs::string::from_utf8(&call.ctx, file.as_bytes())
        })?;
    }
    for name in ["getLineNumber", "getEnclosingLineNumber"] {
        define::method(&prototype, name, 0, |call| {
            let line = of_site(&call)?.source.first().map_or(1, |source| source.line);
            Ok(Value::new_number(call.ctx.clone(), line.into()))
        })?;
    }
    for name in ["getColumnNumber", "getEnclosingColumnNumber"] {
        define::method(&prototype, name, 0, |call| {
            let frame = of_site(&call)?;
            let column = frame.source.first().map_or(frame.offset.unwrap_or(0) + 1, |source| source.column as usize);
            Ok(Value::new_number(call.ctx.clone(), column as f64))
        })?;
    }
    define::method(&prototype, "getPosition", 0, |call| {
        Ok(Value::new_number(call.ctx.clone(), of_site(&call)?.offset.unwrap_or(0) as f64))
    })?;
    define::method(&prototype, "toString", 0, |call| {
        qjs::string::from_utf8(&call.ctx, of_site(&call)?.to_string().as_bytes())
    })?;
    Ok(prototype)
}

fn of_site<'a>(call: &Call<'a, '_>) -> Result<&'a StackFrame> {
    match class::get::<GuestSite>(call.this) {
        Some(site) => Ok(&site.frame),
        None => Err(qjs::Exception::throw_type(&call.ctx, "this is not a frame of a guest")),
    }
}
