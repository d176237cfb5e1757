//! `node:wasi`: the WASI class with Node's interface, linked natively.

use std::cell::{Cell, RefCell};
use std::rc::Weak;
use std::sync::Arc;

use island::wasi::{Input, Output, PREVIEW1, UNSTABLE, WasiConfig, WasiContext};
use js_api::InstanceObject;
use js_api::wasi::WasiHost;
use qjs::define::{self, Attributes};
use qjs::function::{Kind, Native, function, set_constructor};
use qjs::{Borrowed, Call, Ctx, Exception, Held, HostClass, Mark, Object, Result, Value, class};

use crate::internal::state::{Platform, State};

thread_local! {
    /// The platform of this thread's agent, so that guests' output keeps its place among the script's own.
    static PLATFORM: RefCell<Weak<State>> = const { RefCell::new(Weak::new()) };
}

/// Makes guests of this thread write to the standard streams of `platform`.
pub(crate) fn set_current(platform: &Platform) {
    PLATFORM.set(platform.downgrade());
}

/// Where guests' standard output (1) and standard error (2) go: at once, after what the script has written. For
/// `js_api::Options::standard_output`.
pub fn guest_output(descriptor: u8) -> Output {
    let terminal = match descriptor {
        1 => rustix::termios::isatty(std::io::stdout()),
        _ => rustix::termios::isatty(std::io::stderr()),
    };
    let sink = Arc::new(move |bytes: &[u8]| -> std::io::Result<()> {
        PLATFORM.with_borrow(|platform| match platform.upgrade() {
            Some(platform) if descriptor == 1 => {
                platform.stdio.out(bytes);
                platform.stdio.flush();
                Ok(())
            }
            Some(platform) => {
                platform.stdio.err(bytes);
                Ok(())
            }
            None if descriptor == 1 => std::io::Write::write_all(&mut std::io::stdout(), bytes),
            None => std::io::Write::write_all(&mut std::io::stderr(), bytes),
        })
    });
    Output::To { sink, terminal }
}

/// The native part of a WASI object.
#[derive(HostClass, Mark)]
#[host_class(name = "WASI")]
struct WasiObject {
    host: Held,
    #[mark(skip)]
    module: &'static str,
    #[mark(skip)]
    return_on_exit: bool,
    #[mark(skip)]
    started: Cell<bool>,
}

/// The exports of `node:wasi`.
pub(crate) fn module<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    class::register::<WasiObject>(ctx)?;
    let exports = Object::new(ctx.clone())?;
    let prototype = Object::new(ctx.clone())?;
    method(&prototype, "start", 1, start)?;
    method(&prototype, "initialize", 1, initialize)?;
    method(&prototype, "finalizeBindings", 1, finalize_bindings)?;
    method(&prototype, "getImportObject", 0, get_import_object)?;
    let constructor = function(ctx, Kind::Constructor, "WASI", 0, constructor)?;
    set_constructor(ctx, &constructor, &prototype);
    class::set_prototype::<WasiObject>(ctx, &prototype);
    define::value(&exports, "WASI", constructor.as_value(), Attributes::Plain)?;
    Ok(exports)
}

/// A method like those of ECMAScript's own classes: not enumerable.
fn method<F: Native>(prototype: &Object<'_>, name: &str, length: i32, native: F) -> Result<()> {
    let function = function(prototype.ctx(), Kind::Plain, name, length, native)?;
    define::value(prototype, name, function.as_value(), Attributes::Hidden)
}

fn refuse(ctx: &Ctx<'_>, member: &str, expected: &str, value: &Value<'_>) -> rquickjs::Error {
    let came = webidl::describe(value);
    Exception::throw_type(ctx, &format!("WASI: `options.{member}` must be {expected}, got {came}"))
}

/// `new WASI({ version, args, env, preopens, returnOnExit, stdin, stdout, stderr })`.
fn constructor<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    webidl::require_new(&call, "WASI")?;
    let ctx = &call.ctx;
    let options = webidl::dictionary(ctx, call.arg(0), "WASI: argument 1")?;
    let member = |name: &str| webidl::member(&options, name);
    let module = match member("version")? {
        Some(version) if version.is_string() => match &*webidl::string(ctx, Borrowed::of(&version))? {
            "preview1" => PREVIEW1,
            "unstable" => UNSTABLE,
            other => {
                let message = format!("WASI: `options.version` must be \"preview1\" or \"unstable\", got \"{other}\"");
                return Err(Exception::throw_type(ctx, &message));
            }
        },
        Some(other) => return Err(refuse(ctx, "version", "a string", &other)),
        None => {
            return Err(Exception::throw_type(
                ctx,
                "WASI: `options.version` must be \"preview1\" or \"unstable\", but is missing",
            ));
        }
    };
    let mut config = WasiConfig { args: strings(ctx, member("args")?, "args")?, ..WasiConfig::default() };
    config.env = pairs(ctx, member("env")?, "env")?;
    let preopens = pairs(ctx, member("preopens")?, "preopens")?;
    config.preopens = preopens.into_iter().map(|(guest, host)| (guest, host.into())).collect();
    config.stdin = match descriptor(ctx, member("stdin")?, "stdin", 0)? {
        0 => Input::Inherit,
        other => Input::File(duplicate(ctx, other)?),
    };
    config.stdout = output(ctx, descriptor(ctx, member("stdout")?, "stdout", 1)?)?;
    config.stderr = output(ctx, descriptor(ctx, member("stderr")?, "stderr", 2)?)?;
    let return_on_exit = match member("returnOnExit")? {
        None => true,
        Some(value) => value.as_bool().ok_or_else(|| refuse(ctx, "returnOnExit", "a boolean", &value))?,
    };
    let context =
        WasiContext::new(config).map_err(|error| qjs::function::throw_error(ctx, &format!("WASI: {error}")))?;
    let host = WasiHost::new_object(ctx, context, module)?;
    let imports = WasiHost::import_object(ctx, &host)?;
    let wasi = WasiObject { host: Held::new(host.as_value()), module, return_on_exit, started: Cell::new(false) };
    let prototype = class::prototype_from_new_target::<WasiObject>(&call)?;
    let object = class::new_object(ctx, wasi, prototype.as_ref())?;
    // As in Node, this is an ordinary property: glue code wraps the functions in it.
    define::value(&object, "wasiImport", imports.as_value(), Attributes::Plain)?;
    Ok(object.into_value())
}

fn strings(ctx: &Ctx<'_>, value: Option<Value<'_>>, name: &str) -> Result<Vec<String>> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let Some(array) = value.as_array() else { return Err(refuse(ctx, name, "an array of strings", &value)) };
    array.iter::<Value>().map(|item| webidl::string(ctx, Borrowed::of(&item?))).collect()
}

fn pairs(ctx: &Ctx<'_>, value: Option<Value<'_>>, name: &str) -> Result<Vec<(String, String)>> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let Some(object) = value.as_object() else { return Err(refuse(ctx, name, "an object", &value)) };
    let keys: Vec<String> = object.keys::<String>().collect::<Result<_>>()?;
    let mut pairs = Vec::new();
    for key in keys {
        let value: Value = object.get(&*key)?;
        if !value.is_undefined() {
            pairs.push((key, webidl::string(ctx, Borrowed::of(&value))?));
        }
    }
    Ok(pairs)
}

fn descriptor(ctx: &Ctx<'_>, value: Option<Value<'_>>, name: &str, default: u32) -> Result<u32> {
    let Some(value) = value else { return Ok(default) };
    match value.as_number() {
        Some(number) if number >= 0.0 && number.trunc() == number && number <= f64::from(i32::MAX) => Ok(number as u32),
        _ => Err(refuse(ctx, name, "a file descriptor", &value)),
    }
}

fn output(ctx: &Ctx<'_>, descriptor: u32) -> Result<Output> {
    if let 1 | 2 = descriptor {
        return Ok(guest_output(descriptor as u8));
    }
    let file = std::sync::Mutex::new(duplicate(ctx, descriptor)?);
    let sink = move |bytes: &[u8]| {
        let mut file = file.lock().unwrap_or_else(|e| e.into_inner());
        std::io::Write::write_all(&mut *file, bytes)
    };
    Ok(Output::To { sink: Arc::new(sink), terminal: false })
}

/// A new file for a descriptor that the script has opened or inherited.
fn duplicate(ctx: &Ctx<'_>, descriptor: u32) -> Result<std::fs::File> {
    let opened = std::fs::OpenOptions::new().read(true).append(true).open(format!("/proc/self/fd/{descriptor}"));
    let opened = opened.or_else(|_| std::fs::File::open(format!("/proc/self/fd/{descriptor}")));
    opened.map_err(|error| qjs::function::throw_error(ctx, &format!("WASI: file descriptor {descriptor}: {error}")))
}

fn get_import_object<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let wasi: &WasiObject = webidl::this(&call, "getImportObject")?;
    let this = call.this();
    let imports: Value = this.as_object().expect("checked").get("wasiImport")?;
    let object = Object::new(call.ctx.clone())?;
    define::value(&object, wasi.module, &imports, Attributes::Plain)?;
    Ok(object.into_value())
}

/// Checks the instance and takes its memory, once.
fn begin<'js, 'a>(call: &'a Call<'_, 'js>, member: &str) -> Result<(&'a WasiObject, Value<'js>)> {
    let ctx = &call.ctx;
    let wasi: &WasiObject = webidl::this(call, member)?;
    let instance = call.arg(0);
    let Some(object) = instance.as_object() else {
        let message =
            format!("WASI.{member}: argument 1 must be a WebAssembly.Instance, got {}", webidl::describe(&instance));
        return Err(Exception::throw_type(ctx, &message));
    };
    if wasi.started.get() {
        return Err(qjs::function::throw_error(ctx, "WASI: the instance has already started"));
    }
    // If it is not an instance, its property is read: glue code passes proxies of instances.
    let exports: Value = match class::of::<InstanceObject>(&instance) {
        Some(instance) => qjs::properties::data(object, "exports")?.unwrap_or_else(|| instance.exports(ctx)),
        None => object.get("exports")?,
    };
    let memory: Value = match exports.as_object() {
        Some(exports) => exports.get("memory")?,
        None => Value::new_undefined(ctx.clone()),
    };
    if class::of::<js_api::MemoryObject>(&memory).is_none() {
        let message = format!(
            "WASI.{member}: the instance must export a WebAssembly.Memory as `memory`, got {}",
            webidl::describe(&memory)
        );
        return Err(Exception::throw_type(ctx, &message));
    }
    let host = wasi.host.get(ctx);
    class::of::<WasiHost>(&host).expect("made by the constructor").attach(&memory);
    wasi.started.set(true);
    Ok((wasi, exports))
}

/// Runs one of the instance's `exports`.
fn run<'js>(call: &Call<'_, 'js>, wasi: &WasiObject, exports: &Value<'js>, name: &str) -> Result<i32> {
    let ctx = &call.ctx;
    let instance = call.arg(0);
    let code = match class::of::<InstanceObject>(&instance) {
        Some(instance) => instance.run_export(ctx, name)?,
        None => {
            let function: qjs::Function = exports.as_object().expect("checked").get(name)?;
            function.call::<_, Value>(())?;
            None
        }
    };
    let code = code.unwrap_or(0);
    if !wasi.return_on_exit && code != 0 {
        return Err(agent::EventLoop::of(ctx)?.exit(ctx, code));
    }
    Ok(code)
}

fn has<'js>(exports: &Value<'js>, name: &str) -> Result<bool> {
    let value: Value = exports.as_object().expect("checked").get(name)?;
    Ok(value.is_function())
}

/// `start(instance)`: runs a command and returns its exit code.
fn start<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let (wasi, exports) = begin(&call, "start")?;
    if !has(&exports, "_start")? || has(&exports, "_initialize")? {
        let message = "WASI.start: the instance must export `_start` and must not export `_initialize`";
        return Err(Exception::throw_type(&call.ctx, message));
    }
    let code = run(&call, wasi, &exports, "_start")?;
    Ok(Value::new_int(call.ctx.clone(), code))
}

/// `initialize(instance)`: runs a reactor's `_initialize`, if it has one.
fn initialize<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let (wasi, exports) = begin(&call, "initialize")?;
    if has(&exports, "_start")? {
        let message = "WASI.initialize: the instance must not export `_start`: it is a command";
        return Err(Exception::throw_type(&call.ctx, message));
    }
    if has(&exports, "_initialize")? {
        run(&call, wasi, &exports, "_initialize")?;
    }
    Ok(Value::new_undefined(call.ctx))
}

/// `finalizeBindings(instance)`: takes the memory without running anything.
fn finalize_bindings<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    begin(&call, "finalizeBindings")?;
    Ok(Value::new_undefined(call.ctx))
}
