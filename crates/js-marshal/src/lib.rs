//! The JavaScript face of marshalling: the module `tombolo:marshal`.
//!
//! A `prototype` is compiled from descriptors (`types`) once. `invoke` then does a whole marshalled call natively:
//! arguments in, the guest's function, results out, and temporary blocks freed even if any of it throws. Results by
//! view are typed arrays over their own `ArrayBuffer`, which owns the block (`view`); `manager` is a guest's heap, and
//! `wasi` the class that ties a guest, its heap and WASI together. `site` tells where a script is, for the trace of
//! guest memory (`trace`).

// Output that cannot be written must not panic, and a library has no output of its own.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod arrays;
mod async_call;
mod bind;
mod call;
mod callback;
mod changes;
mod console;
mod convert;
mod custom;
mod decode;
mod descriptors;
mod encode;
mod errors;
mod granted;
mod handle;
mod language;
mod ledger;
mod manager;
mod pointer;
mod prototype;
mod record;
mod record_types;
mod scalar;
mod site;
mod sources;
mod spares;
mod status;
mod straight;
mod strings;
mod trace;
mod types;
mod typings;
mod view;
mod wasi;

pub use manager::drain_all;
pub use trace::define_trace;

use qjs::define::Put as _;
use qjs::{Call, Ctx, Exception, Function, Object, Result, Value};
use rquickjs::JsLifetime;

/// Takes what the module needs from the language, which scripts could change before they ask for the module, and
/// remembers the console. The `WebAssembly` namespace must be installed. Once is enough, and [`module()`] does it if
/// nobody did.
///
/// # Errors
/// When memory is out.
pub fn prepare(ctx: &Ctx<'_>) -> Result<()> {
    language::take(ctx)?;
    qjs::array::install(ctx)?;
    qjs::runtime::before_collection(manager::let_go_of_spares);
    console::install(ctx)
}

pub use granted::restrict;

/// The exports of `tombolo:marshal`. The `WebAssembly` namespace must be installed.
///
/// # Errors
/// When memory is out.
pub fn module<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    if language::table(ctx).is_err() {
        prepare(ctx)?;
    }
    let exports = Object::new(ctx.clone())?;
    site::install(ctx)?;
    descriptors::define(ctx, &exports)?;
    view::define(ctx)?;
    pointer::define(ctx, &exports)?;
    record::define(ctx)?;
    handle::define(ctx)?;
    callback::define(ctx, &exports)?;
    status::define(ctx, &exports)?;
    prototype::define(ctx, &exports)?;
    manager::define(ctx, &exports)?;
    wasi::define(ctx, &exports)?;
    bind::define(&exports)?;
    typings::define(&exports)?;
    descriptors::export_function(&exports, "addressOf", 1, address_of)?;
    let registry: Function = ctx.eval(include_str!("js/registry.js"))?;
    registry.call::<_, ()>((exports.clone(), language::table(ctx)?))?;
    ctx.store_userdata(Registry(exports.get("FunctionRegistry")?)).map_err(|_| rquickjs::Error::Unknown)?;
    Ok(exports)
}

/// The class FunctionRegistry, of a runtime.
#[derive(JsLifetime)]
struct Registry<'js>(Value<'js>);

/// A new FunctionRegistry.
fn new_registry<'js>(ctx: &Ctx<'js>, manager: &Value<'js>) -> Result<Value<'js>> {
    let class = ctx.userdata::<Registry>().ok_or(rquickjs::Error::Unknown)?.0.clone();
    qjs::function::construct(&class, &class, std::slice::from_ref(manager))
}

/// `globalThis.tombolo.guestMemory()`: `{ blocks: { allocated, freed, alive }, bytes: { alive, peak } }`.
///
/// # Errors
/// When memory is out.
pub fn guest_memory<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let report = marshal::report();
    let (blocks, bytes) = (Object::new(ctx.clone())?, Object::new(ctx.clone())?);
    blocks.put("allocated", report.allocated as f64)?;
    blocks.put("freed", report.freed as f64)?;
    blocks.put("alive", report.alive as f64)?;
    bytes.put("alive", report.bytes_alive as f64)?;
    bytes.put("peak", report.bytes_peak as f64)?;
    let object = Object::new(ctx.clone())?;
    object.put("blocks", blocks)?;
    object.put("bytes", bytes)?;
    Ok(object)
}

/// `addressOf(view)`: the guest address of a view's first byte.
fn address_of<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let view = call.args.get(0);
    let cx = qjs::Cx::of(&call.ctx);
    let bytes = qjs::buffer::source_bytes(cx, view).map(|(bytes, _)| bytes);
    if let Some(handle) = qjs::class::get::<handle::HandleObject>(view) {
        return scalar::integer64(cx, handle.address().into()).into_value(cx);
    }
    if let Some(callback) = qjs::class::get::<callback::CallbackObject>(view) {
        return scalar::integer64(cx, callback.index().into()).into_value(cx);
    }
    let bytes = match (bytes, qjs::class::get::<record::RecordView>(view)) {
        (None, Some(view)) => Some(view.bytes(&call.ctx)?),
        (bytes, _) => bytes,
    };
    let Some(bytes) = bytes else {
        let came = webidl::describe(&call.arg(0));
        let message = format!("addressOf: argument 1 must be an attached typed array or ArrayBuffer, got {came}");
        return Err(Exception::throw_type(&call.ctx, &message));
    };
    match data_block::address_of(bytes.start) {
        Some(address) => Ok(Value::new_number(call.ctx.clone(), address as f64)),
        None => Err(Exception::throw_type(&call.ctx, "addressOf: argument 1 is not in a guest's memory")),
    }
}
