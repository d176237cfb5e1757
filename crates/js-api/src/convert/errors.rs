//! `CompileError`, `LinkError`, `RuntimeError` and `SuspendError`, and how a failed guest call becomes one of them.

use island::Trap;
use qjs::define::{self, Attributes};
use qjs::function::{Kind, construct, function, set_constructor};
use qjs::{Call, Ctx, Object, Result, Value};
use rquickjs::JsLifetime;

use crate::convert::stacks;

/// The error classes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ErrorClass {
    Compile,
    Link,
    Runtime,
    Suspend,
}

impl ErrorClass {
    const ALL: [Self; 4] = [Self::Compile, Self::Link, Self::Runtime, Self::Suspend];

    fn name(self) -> &'static str {
        match self {
            Self::Compile => "CompileError",
            Self::Link => "LinkError",
            Self::Runtime => "RuntimeError",
            Self::Suspend => "SuspendError",
        }
    }
}

/// The constructors of a runtime, as they were before a script could change anything.
#[derive(JsLifetime)]
struct Constructors<'js> {
    error: Value<'js>,
    range_error: Value<'js>,
    /// The getter of `Error.prototype.stack`.
    stack: Value<'js>,
    /// By place in [`ErrorClass::ALL`].
    classes: Vec<qjs::Function<'js>>,
    ends: Ends<'js>,
}

/// The errors that guests' traps and exits became, in a WeakSet: no guest may catch them, even after they have passed
/// through a script.
#[derive(JsLifetime)]
struct Ends<'js> {
    set: Value<'js>,
    add: qjs::Function<'js>,
    has: qjs::Function<'js>,
}

impl<'js> Ends<'js> {
    fn new(ctx: &Ctx<'js>) -> Result<Self> {
        let class: Value = ctx.globals().get("WeakSet")?;
        let prototype: Object = define::get(&class, rquickjs::atom::PredefinedAtom::Prototype)?.get()?;
        Ok(Self { set: construct(&class, &class, &[])?, add: prototype.get("add")?, has: prototype.get("has")? })
    }
}

/// Whether `thrown` is the error that a guest's trap or exit became.
pub(crate) fn is_guests_end<'js>(ctx: &Ctx<'js>, thrown: &Value<'js>) -> bool {
    let Some(constructors) = ctx.userdata::<Constructors>() else { return false };
    let ends = &constructors.ends;
    ends.has.call((rquickjs::prelude::This(ends.set.clone()), thrown.clone())).unwrap_or(false)
}

fn remember_guests_end<'js>(ctx: &Ctx<'js>, error: &Value<'js>) -> Result<()> {
    let constructors = ctx.userdata::<Constructors>().ok_or(rquickjs::Error::Unknown)?;
    let ends = &constructors.ends;
    ends.add.call((rquickjs::prelude::This(ends.set.clone()), error.clone()))
}

/// Defines the classes in the namespace, each a NativeError: callable without `new`, with `Error` as its parent.
pub(crate) fn define<'js>(ctx: &Ctx<'js>, namespace: &Object<'js>) -> Result<()> {
    stacks::install(ctx)?;
    let error: Object = ctx.globals().get("Error")?;
    let error_prototype: Object = error.get("prototype")?;
    let make = |class: ErrorClass| -> Result<qjs::Function<'js>> {
        let constructor = match class {
            ErrorClass::Compile => function(ctx, Kind::Constructor, class.name(), 1, new_error::<0>)?,
            ErrorClass::Link => function(ctx, Kind::Constructor, class.name(), 1, new_error::<1>)?,
            ErrorClass::Runtime => function(ctx, Kind::Constructor, class.name(), 1, new_error::<2>)?,
            ErrorClass::Suspend => function(ctx, Kind::Constructor, class.name(), 1, new_error::<3>)?,
        };
        constructor.as_object().expect("a function is an object").set_prototype(Some(&error))?;
        let prototype = Object::new(ctx.clone())?;
        prototype.set_prototype(Some(&error_prototype))?;
        let text = |text: &str| qjs::string::from_utf8(ctx, text.as_bytes());
        define::value(&prototype, "name", &text(class.name())?, Attributes::Hidden)?;
        define::value(&prototype, "message", &text("")?, Attributes::Hidden)?;
        set_constructor(ctx, &constructor, &prototype);
        define::value(namespace, class.name(), constructor.as_value(), Attributes::Hidden)?;
        Ok(constructor)
    };
    let classes = ErrorClass::ALL.into_iter().map(make).collect::<Result<_>>()?;
    let range_error = ctx.globals().get("RangeError")?;
    let stack = qjs::pristine::copy(&error_prototype, "stack")?.get("stack")?;
    let constructors = Constructors { error: error.into_value(), range_error, stack, classes, ends: Ends::new(ctx)? };
    ctx.store_userdata(constructors).map_err(|_| rquickjs::Error::Unknown)?;
    Ok(())
}

/// `new CompileError(message, options)` and its siblings: what `Error` makes, with this class's prototype.
fn new_error<'js, const CLASS: usize>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let error = call.ctx.userdata::<Constructors>().ok_or(rquickjs::Error::Unknown)?.error.clone();
    let new_target = match call.this.is_undefined() {
        true => constructor(&call.ctx, ErrorClass::ALL[CLASS])?.into_value(),
        false => call.this(),
    };
    let count = call.args.len().min(2);
    let args: Vec<_> = (0..count).map(|at| call.arg(at)).collect();
    stacks::without_constructor(&call.ctx, || construct(&error, &new_target, &args))
}

/// What `stack` says of an Exception that is made now; `undefined` if `Error.prepareStackTrace` makes it anything but a
/// string.
pub(crate) fn current_stack<'js>(ctx: &Ctx<'js>) -> Result<Value<'js>> {
    let class = ctx.userdata::<Constructors>().ok_or(rquickjs::Error::Unknown)?.error.clone();
    let error = stacks::without_constructor(ctx, || construct(&class, &class, &[]))?;
    let stack = stack_of(&error.get()?)?;
    Ok(if stack.is_string() { stack } else { Value::new_undefined(ctx.clone()) })
}

/// The `stack` of an error that was made here, whatever scripts have done to `Error.prototype`.
fn stack_of<'js>(error: &Object<'js>) -> Result<Value<'js>> {
    if let Some(own) = qjs::properties::data(error, "stack")? {
        return Ok(own);
    }
    let getter = error.ctx().userdata::<Constructors>().ok_or(rquickjs::Error::Unknown)?.stack.clone();
    match getter.as_function() {
        Some(getter) => getter.call((rquickjs::prelude::This(error.clone()),)),
        None => Ok(Value::new_undefined(error.ctx().clone())),
    }
}

fn constructor<'js>(ctx: &Ctx<'js>, class: ErrorClass) -> Result<qjs::Function<'js>> {
    let constructors = ctx.userdata::<Constructors>().ok_or(rquickjs::Error::Unknown)?;
    Ok(constructors.classes[class as usize].clone())
}

/// A new error of the class.
pub(crate) fn new<'js>(ctx: &Ctx<'js>, class: ErrorClass, message: &str) -> Result<Value<'js>> {
    let constructor = constructor(ctx, class)?.into_value();
    construct(&constructor, &constructor, &[qjs::string::from_utf8(ctx, message.as_bytes())?])
}

/// Throws a new error of the class.
pub(crate) fn throw(ctx: &Ctx<'_>, class: ErrorClass, message: &str) -> rquickjs::Error {
    match new(ctx, class, message) {
        Ok(error) => ctx.throw(error),
        Err(error) => error,
    }
}

/// What `code` says of the error that a guest's `proc_exit` becomes.
const EXIT: &str = "ERR_WASI_EXIT";

/// The exit code, if `thrown` is the error that a guest's `proc_exit` became.
///
/// # Errors
/// What the traps of a Proxy throw.
pub(crate) fn exit_code(thrown: &Value<'_>) -> Result<Option<i32>> {
    let Some(error) = thrown.as_object() else { return Ok(None) };
    let code = qjs::properties::data(error, "code")?.filter(Value::is_string);
    match code {
        Some(code) if webidl::string(error.ctx(), qjs::Borrowed::of(&code))? == EXIT => {
            Ok(qjs::properties::data(error, "exitCode")?.and_then(|code| code.as_int()))
        }
        _ => Ok(None),
    }
}

/// Throws the error that a guest's `proc_exit` becomes.
pub(crate) fn throw_exit(ctx: &Ctx<'_>, code: i32) -> rquickjs::Error {
    drop(qjs::function::throw_error(ctx, &format!("the guest exited with code {code}")));
    let thrown = ctx.catch();
    if let Some(error) = thrown.as_object() {
        let named = qjs::string::from_utf8(ctx, EXIT.as_bytes())
            .and_then(|name| define::value(error, "code", &name, Attributes::Hidden));
        let code = Value::new_int(ctx.clone(), code);
        let coded = named.and_then(|()| define::value(error, "exitCode", &code, Attributes::Hidden));
        if let Err(error) = coded.and_then(|()| remember_guests_end(ctx, &thrown)) {
            return error;
        }
    }
    ctx.throw(thrown)
}

/// Throws the error that a guest's trap becomes.
pub(crate) fn throw_trap(ctx: &Ctx<'_>, trap: &Trap) -> rquickjs::Error {
    let make = || {
        if trap.code == Some(island::wasmtime::Trap::StackOverflow) {
            // The error that QuickJS throws for its own stack, as V8 and JavaScriptCore do for both.
            let class = ctx.userdata::<Constructors>().map(|constructors| constructors.range_error.clone());
            let message = qjs::string::from_utf8(ctx, trap.message.as_bytes());
            class.ok_or(rquickjs::Error::Unknown).and_then(|class| construct(&class, &class, &[message?]))
        } else {
            new(ctx, ErrorClass::Runtime, &trap.message)
        }
    };
    let error = match stacks::with_trap(ctx, &trap.frames, make) {
        Ok(error) => error,
        Err(error) => return error,
    };
    if let Err(error) = remember_guests_end(ctx, &error) {
        return error;
    }
    ctx.throw(error)
}
