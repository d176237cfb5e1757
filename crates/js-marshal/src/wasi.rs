//! `Wasi`: a guest, its heap, and WASI for it.

use std::cell::RefCell;

use island::wasi::{Input, PREVIEW1, WasiConfig, WasiContext};
use js_api::InstanceObject;
use js_api::wasi::{WasiHost, standard_output};
use qjs::define;
use qjs::{Borrowed, Call, ClassId, Ctx, Exception, Held, HostClass, Marker, Object, Result, Value, class};

use crate::ids;
use crate::manager::ManagerObject;
use crate::scalar::Scalar;
use crate::types::define_class;
use webidl::Place;

/// The value of a Wasi.
struct WasiObject {
    host: Held,
    imports: Held,
    started: RefCell<Option<Started>>,
}

/// What `init` found.
struct Started {
    instance: Held,
    memory: Held,
    manager: Held,
}

// SAFETY: every value is marked once. The number is this class's own.
unsafe impl HostClass for WasiObject {
    const ID: ClassId = ids::WASI;
    const NAME: &'static std::ffi::CStr = c"Wasi";

    fn mark(&self, marker: &Marker) {
        marker.mark(&self.host);
        marker.mark(&self.imports);
        if let Some(started) = &*self.started.borrow() {
            marker.mark(&started.instance);
            marker.mark(&started.memory);
            marker.mark(&started.manager);
        }
    }
}

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
    define::getter(&prototype, "instance", instance)?;
    define::getter(&prototype, "memory", memory)?;
    define::getter(&prototype, "memoryManager", memory_manager)
}

/// `new Wasi(environment)`.
fn constructor<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    webidl::require_new(&call, "Wasi")?;
    let ctx = &call.ctx;
    let environment = webidl::dictionary(ctx, call.arg(0), "Wasi: argument 1")?;
    let mut env = Vec::new();
    if let Some(environment) = environment {
        for key in environment.keys::<String>() {
            let key = key?;
            let value: Value = environment.get(&*key)?;
            env.push((key, webidl::string(ctx, Borrowed::of(&value))?));
        }
    }
    let (stdout, stderr) = (standard_output(ctx, 1)?, standard_output(ctx, 2)?);
    let config = WasiConfig { env, stdin: Input::Inherit, stdout, stderr, ..WasiConfig::default() };
    let context = WasiContext::new(config).map_err(|error| Exception::throw_message(ctx, &error.to_string()))?;
    let host = WasiHost::new_object(ctx, context, PREVIEW1)?;
    let imports = WasiHost::import_object(ctx, &host)?;
    let wasi = WasiObject {
        host: Held::new(host.as_value()),
        imports: Held::new(imports.as_value()),
        started: RefCell::default(),
    };
    let prototype = class::prototype_from_new_target::<WasiObject>(&call)?;
    Ok(class::new_object(ctx, wasi, prototype.as_ref())?.into_value())
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
    let export = |name: &str| -> Result<Value<'js>> {
        let value = instance.export(ctx, name)?;
        if value.is_undefined() {
            let message =
                format!("{PLACE}: the instance must export `memory`, `malloc` and `free`; `{name}` is missing");
            return Err(Exception::throw_type(ctx, &message));
        }
        Ok(value)
    };
    let memory = export("memory")?;
    let manager = ManagerObject::new(ctx, &memory, &export("malloc")?, &export("free")?, Place::whole(PLACE))?;
    let manager = class::new_object(ctx, manager, None)?;
    let host = wasi.host.get(ctx);
    class::of::<WasiHost>(&host).expect("made by the constructor").attach(&memory);
    let started = Started {
        instance: Held::new(&call.arg(0)),
        memory: Held::new(&memory),
        manager: Held::new(manager.as_value()),
    };
    let before = wasi.started.replace(Some(started));
    drop(before);
    Ok(Value::new_undefined(ctx.clone()))
}

fn started<'js>(call: &Call<'_, 'js>, member: &str, pick: impl FnOnce(&Started) -> &Held) -> Result<Value<'js>> {
    let wasi: &WasiObject = webidl::this(call, member)?;
    match &*wasi.started.borrow() {
        Some(started) => Ok(pick(started).get(&call.ctx)),
        None => Err(Exception::throw_message(&call.ctx, &format!("Wasi.{member}: call init(instance) first"))),
    }
}

fn instance<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    started(&call, "instance", |started| &started.instance)
}

fn memory<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    started(&call, "memory", |started| &started.memory)
}

fn memory_manager<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    started(&call, "memoryManager", |started| &started.manager)
}

/// `float64Array(lengthOrArray)` and its siblings.
fn typed_array<'js, const AT: usize>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let scalar = Scalar::ALL[AT];
    let manager = started(&call, "memoryManager", |started| &started.manager)?;
    let manager: &ManagerObject = class::of(&manager).expect("made by init");
    manager.create_typed_array(&call.ctx, scalar, &call.arg(0), Place::argument("Wasi", 0))
}
