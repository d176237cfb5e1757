//! `Wasi`: a guest, its heap, and WASI for it.

use std::cell::RefCell;

use island::wasi::{Input, PREVIEW1, Precedence, WasiConfig, WasiContext, WasiError};
use js_api::InstanceObject;
use js_api::wasi::WasiHost;
use qjs::define;
use qjs::{Borrowed, Call, Ctx, Held, HostClass, Mark, Object, Result, Value, class};

use crate::console;
use crate::convert::Marshal;
use crate::descriptors::define_class;
use crate::granted;
use crate::manager::{ManagerObject, typed_array_of};
use crate::scalar::Scalar;
use webidl::Place;

/// The value of a Wasi.
#[derive(HostClass, Mark)]
#[host_class(name = "Wasi")]
pub(crate) struct WasiObject {
    host: Held,
    imports: Held,
    environment: Held,
    /// What `init` found, and what scripts may set: `instance`, `memoryManager` and `functionRegistry`.
    parts: RefCell<[Held; 3]>,
}

/// Their names.
const PARTS: [&str; 3] = ["instance", "memoryManager", "functionRegistry"];
const INSTANCE: usize = 0;
const MANAGER: usize = 1;
const REGISTRY: usize = 2;

pub(crate) fn define<'js>(ctx: &Ctx<'js>, exports: &Object<'js>) -> Result<()> {
    class::register::<WasiObject>(ctx)?;
    let prototype = define_class(exports, "Wasi", 1, constructor)?;
    class::set_prototype::<WasiObject>(ctx, &prototype);
    define::method(&prototype, "imports", 0, imports)?;
    define::method(&prototype, "init", 1, init)?;
    define::method(&prototype, "int8Array", 1, typed_array::<0>)?;
    define::method(&prototype, "uint8Array", 1, typed_array::<1>)?;
    define::method(&prototype, "int16Array", 1, typed_array::<2>)?;
    define::method(&prototype, "uint16Array", 1, typed_array::<3>)?;
    define::method(&prototype, "int32Array", 1, typed_array::<4>)?;
    define::method(&prototype, "uint32Array", 1, typed_array::<5>)?;
    define::method(&prototype, "int64Array", 1, typed_array::<6>)?;
    define::method(&prototype, "uint64Array", 1, typed_array::<7>)?;
    define::method(&prototype, "float32Array", 1, typed_array::<8>)?;
    define::method(&prototype, "float64Array", 1, typed_array::<9>)?;
    define::method(&prototype, "wasiImplementation", 0, imports)?;
    define::attribute(&prototype, "instance", part::<INSTANCE>, set_part::<INSTANCE>)?;
    define::attribute(&prototype, "memoryManager", part::<MANAGER>, set_part::<MANAGER>)?;
    define::attribute(&prototype, "functionRegistry", part::<REGISTRY>, set_part::<REGISTRY>)?;
    define::getter(&prototype, "env", environment)?;
    define::getter(&prototype, "memory", memory)
}

/// `new Wasi(environment, { args, preopens })`.
fn constructor<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    webidl::require_new(&call, "Wasi")?;
    let ctx = &call.ctx;
    let environment = webidl::dictionary(ctx, call.arg(0), "Wasi: argument 1")?;
    let env = pairs(environment)?;
    let options = webidl::dictionary(ctx, call.arg(1), "Wasi: argument 2")?;
    let mut args = Vec::new();
    if let Some(value) = webidl::member(&options, "args")? {
        let refuse = || {
            let message = format!("Wasi: `options.args` must be an array of strings, got {}", webidl::describe(&value));
            qjs::Exception::throw_type(ctx, &message)
        };
        for item in value.as_array().ok_or_else(refuse)?.iter::<Value>() {
            args.push(webidl::string(ctx, Borrowed::of(&item?))?);
        }
    }
    let preopens = webidl::member(&options, "preopens")?.unwrap_or_else(|| Value::new_undefined(ctx.clone()));
    let preopens = pairs(webidl::dictionary(ctx, preopens, "Wasi: `options.preopens`")?)?;
    let preopens = preopens.into_iter().map(|(guest, host)| (guest, host.into())).collect();
    let (stdout, stderr) = (console::lines(ctx, 1)?, console::lines(ctx, 2)?);
    let (stdin, permissions) = (Input::Inherit, granted::of(ctx));
    let config = WasiConfig { args, env, preopens, permissions, stdin, stdout, stderr, ..WasiConfig::default() };
    let context = WasiContext::new(config).map_err(|error| match error {
        WasiError::Denied(denied) => granted::throw(ctx, &denied),
        error => qjs::function::throw_error(ctx, &error.to_string()),
    })?;
    let host = WasiHost::new_object(ctx, context)?;
    let imports = WasiHost::import_object(ctx, &host, PREVIEW1)?;
    let wasi = WasiObject {
        host: Held::new(host.as_value()),
        imports: Held::new(imports.as_value()),
        environment: Held::new(&call.arg(0)),
        parts: RefCell::new([0; 3].map(|_| Held::new(&Value::new_null(ctx.clone())))),
    };
    let prototype = class::prototype_from_new_target::<WasiObject>(&call)?;
    Ok(class::new_object(ctx, wasi, prototype.as_ref())?.into_value())
}

/// The properties of an object, as strings.
fn pairs(object: Option<Object<'_>>) -> Result<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    if let Some(object) = object {
        for key in crate::descriptors::keys(&object)? {
            let value: Value = object.get(&*key)?;
            pairs.push((key, webidl::string(object.ctx(), Borrowed::of(&value))?));
        }
    }
    Ok(pairs)
}

fn imports<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let wasi: &WasiObject = webidl::this(&call, "imports")?;
    Ok(wasi.imports.get(&call.ctx))
}

/// `init(instance)`: takes the instance's memory and allocator. A reactor's `_initialize` is left to the script.
fn init<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "Wasi.init";
    let wasi: &WasiObject = webidl::this(&call, "init")?;
    let ctx = &call.ctx;
    let instance: &InstanceObject = webidl::interface(ctx, call.args.get(0), &format!("{PLACE}: argument 1"))?;
    let manager = ManagerObject::of_instance(ctx, instance, Place::whole(PLACE))?;
    let memory = manager.memory().get(ctx);
    let manager = class::new_object(ctx, manager, None)?.into_value();
    let host = wasi.host.get(ctx);
    class::of::<WasiHost>(&host).expect("made by the constructor").attach(&memory, Precedence::Otherwise);
    let registry = crate::new_registry(ctx, &manager)?;
    let parts = [&call.arg(0), &manager, &registry].map(Held::new);
    let before = wasi.parts.replace(parts);
    drop(before);
    Ok(Value::new_undefined(ctx.clone()))
}

impl WasiObject {
    /// The instance; null before `init`.
    pub(crate) fn instance<'js>(&self, ctx: &Ctx<'js>) -> Value<'js> {
        self.parts.borrow()[INSTANCE].get(ctx)
    }

    /// The memory manager; null before `init`.
    pub(crate) fn manager<'js>(&self, ctx: &Ctx<'js>) -> Value<'js> {
        self.parts.borrow()[MANAGER].get(ctx)
    }
}

/// What `init` found; null before `init`.
fn part<'js, const AT: usize>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let wasi: &WasiObject = webidl::this(&call, PARTS[AT])?;
    Ok(wasi.parts.borrow()[AT].get(&call.ctx))
}

fn set_part<'js, const AT: usize>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let wasi: &WasiObject = webidl::this(&call, PARTS[AT])?;
    let value = Held::new(&call.arg(0));
    let before = std::mem::replace(&mut wasi.parts.borrow_mut()[AT], value);
    drop(before);
    Ok(Value::new_undefined(call.ctx))
}

fn environment<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let wasi: &WasiObject = webidl::this(&call, "env")?;
    Ok(wasi.environment.get(&call.ctx))
}

fn started<'js>(call: &Call<'_, 'js>, member: &str) -> Result<Value<'js>> {
    let wasi: &WasiObject = webidl::this(call, member)?;
    let manager = wasi.parts.borrow()[MANAGER].get(&call.ctx);
    if class::of::<ManagerObject>(&manager).is_none() {
        return Err(qjs::function::throw_error(&call.ctx, &format!("Wasi.{member}: call init(instance) first")));
    }
    Ok(manager)
}

fn memory<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let manager = started(&call, "memory")?;
    Ok(class::of::<ManagerObject>(&manager).expect("just seen").memory().get(&call.ctx))
}

/// `float64Array(lengthOrArray)` and its siblings.
fn typed_array<'js, const AT: usize>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let scalar = Scalar::ALL[AT];
    let manager = started(&call, "memoryManager")?;
    let marshal = Marshal::new(&call.ctx, Borrowed::of(&manager), "Wasi");
    marshal.enter_part(webidl::Part::Argument(0));
    typed_array_of(&marshal, scalar, call.args.get(0))
}
