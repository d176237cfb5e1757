//! The JavaScript face of marshalling: the module `tombolo:marshal`.
//!
//! A `prototype` is compiled from descriptors (`types`) once; `invoke` then does a whole marshalled call natively:
//! arguments in, the guest's function, results out, temporary blocks freed, also when any of it throws. Results by view
//! are typed arrays over their own `ArrayBuffer`, which owns the block (`view`); `manager` is a guest's heap, and
//! `wasi` the class that ties a guest, its heap and WASI together. `site` tells where a script is, for the trace of guest
//! memory (`trace`).

mod arrays;
mod errors;
mod manager;
mod prototype;
mod scalar;
mod site;
mod strings;
mod trace;
mod types;
mod view;
mod wasi;

pub use manager::drain_all;
pub use trace::define_trace;

use qjs::define::{self, Attributes};
use qjs::function::{Kind, function};
use qjs::{Call, Ctx, Exception, Object, Result, Value};

/// The numbers of this crate's classes.
pub(crate) mod ids {
    use qjs::ClassId;

    pub(crate) const TYPE: ClassId = ClassId::new(20);
    pub(crate) const ARGUMENT: ClassId = ClassId::new(21);
    pub(crate) const PROTOTYPE: ClassId = ClassId::new(22);
    pub(crate) const MANAGER: ClassId = ClassId::new(23);
    pub(crate) const WASI: ClassId = ClassId::new(24);
    pub(crate) const OWNER: ClassId = ClassId::new(25);
}

/// The exports of `tombolo:marshal`. The `WebAssembly` namespace must be installed.
///
/// # Errors
/// When memory is out.
pub fn module<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let exports = Object::new(ctx.clone())?;
    site::install(ctx)?;
    qjs::spread::install(ctx)?;
    types::define(ctx, &exports)?;
    prototype::define(ctx, &exports)?;
    manager::define(ctx, &exports)?;
    wasi::define(ctx, &exports)?;
    let address_of = function(ctx, Kind::Plain, "addressOf", 1, address_of)?;
    define::value(&exports, "addressOf", address_of.as_value(), Attributes::Plain)?;
    Ok(exports)
}

/// `globalThis.tombolo.guestMemory()`: `{ blocks: { allocated, freed, alive }, bytes: { alive, peak } }`.
///
/// # Errors
/// When memory is out.
pub fn guest_memory<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let report = marshal::report();
    let (blocks, bytes) = (Object::new(ctx.clone())?, Object::new(ctx.clone())?);
    blocks.set("allocated", report.allocated as f64)?;
    blocks.set("freed", report.freed as f64)?;
    blocks.set("alive", report.alive as f64)?;
    bytes.set("alive", report.bytes_alive as f64)?;
    bytes.set("peak", report.bytes_peak as f64)?;
    let object = Object::new(ctx.clone())?;
    object.set("blocks", blocks)?;
    object.set("bytes", bytes)?;
    Ok(object)
}

/// `addressOf(view)`: the guest address of a view's first byte.
fn address_of<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let view = call.args.get(0);
    let cx = qjs::Cx::of(&call.ctx);
    let bytes = match qjs::buffer::element_kind(view) {
        Some(_) => qjs::buffer::typed_array_bytes(cx, view),
        None if view.is_object() => qjs::buffer::array_buffer_bytes(cx, view),
        None => None,
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
