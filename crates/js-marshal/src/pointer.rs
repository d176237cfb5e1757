//! `Pointer`, a box for one value, and `StringBuffer`, the bytes of a C string in the guest.

use qjs::define::{self, Attributes, Put as _};
use qjs::function::construct;
use qjs::{Borrowed, Call, Ctx, Exception, Object, Result, Value};
use rquickjs::JsLifetime;

use crate::convert::Marshal;
use crate::manager::ManagerObject;
use crate::{strings, view};

/// The classes of a runtime.
#[derive(JsLifetime)]
struct Boxes<'js> {
    pointer: Object<'js>,
    uint8_array: Value<'js>,
    string_buffer: Value<'js>,
}

pub(crate) fn define<'js>(ctx: &Ctx<'js>, exports: &Object<'js>) -> Result<()> {
    let pointer = define::interface(exports, "Pointer", "Pointer", Attributes::Plain, 1, new_pointer)?;
    let buffer = define::interface(exports, "StringBuffer", "StringBuffer", Attributes::Plain, 3, new_string_buffer)?;
    let uint8_array: Object = crate::language::class(ctx, "Uint8Array")?;
    buffer.constructor.set_prototype(Some(&uint8_array))?;
    buffer.prototype.set_prototype(Some(&uint8_array.get::<_, Object>("prototype")?))?;
    define::method(&buffer.constructor, "fromString", 3, from_string)?;
    define::method(&buffer.constructor, "fromAddress", 3, from_address)?;
    define::method(&buffer.prototype, "toString", 0, to_string)?;
    define::dispose_method(&buffer.prototype, dispose)?;
    let boxes = Boxes {
        pointer: pointer.prototype,
        uint8_array: uint8_array.into_value(),
        string_buffer: buffer.constructor.into_value(),
    };
    ctx.store_userdata(boxes).map_err(|_| rquickjs::Error::Unknown)?;
    Ok(())
}

fn new_pointer<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    webidl::require_new(&call, "Pointer")?;
    let object = Object::new(call.ctx.clone())?;
    let prototype: Value = call.this().as_object().ok_or(rquickjs::Error::Unknown)?.get("prototype")?;
    object.set_prototype(prototype.as_object())?;
    let boxes = call.ctx.userdata::<Boxes>().ok_or(rquickjs::Error::Unknown)?;
    match prototype.as_object() == Some(&boxes.pointer) {
        true => object.put("contents", call.arg(0))?,
        // A script's own class may have an accessor.
        false => object.set("contents", call.arg(0))?,
    }
    Ok(object.into_value())
}

/// A new Pointer.
///
/// # Errors
/// When memory is out.
pub(crate) fn new<'js>(ctx: &Ctx<'js>, contents: Value<'js>) -> Result<Value<'js>> {
    let boxes = ctx.userdata::<Boxes>().ok_or(rquickjs::Error::Unknown)?;
    let object = Object::new(ctx.clone())?;
    object.set_prototype(Some(&boxes.pointer))?;
    object.put("contents", contents)?;
    Ok(object.into_value())
}

/// Whether the value is a Pointer.
pub(crate) fn is_pointer<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> Result<bool> {
    let Some(object) = value.as_object() else { return Ok(false) };
    let boxes = ctx.userdata::<Boxes>().ok_or(rquickjs::Error::Unknown)?;
    let mut next = object.get_prototype();
    while let Some(prototype) = next {
        if prototype == boxes.pointer {
            return Ok(true);
        }
        next = prototype.get_prototype();
    }
    Ok(false)
}

/// What a Pointer refers to; `None` for any other value. Runs a getter, if the script made one.
pub(crate) fn contents<'js>(marshal: &Marshal<'_, 'js>, value: Borrowed<'_>) -> Result<Option<Value<'js>>> {
    if !value.is_object() || qjs::buffer::element_kind(value).is_some() {
        return Ok(None);
    }
    let value = value.to_value(marshal.cx());
    if value.is_array() || !is_pointer(marshal.ctx, &value)? {
        return Ok(None);
    }
    value.as_object().expect("a Pointer is an object").get("contents").map(Some)
}

/// Sets what a Pointer refers to.
///
/// # Errors
/// A TypeError for anything but an object.
pub(crate) fn set_contents<'js>(value: &Value<'js>, contents: Value<'js>) -> Result<()> {
    match value.as_object() {
        Some(object) => object.set("contents", contents),
        None => Err(Exception::throw_type(value.ctx(), "expected a Pointer")),
    }
}

/// The address in a Pointer.
pub(crate) fn contents_address(marshal: &Marshal<'_, '_>, value: Borrowed<'_>) -> Result<u64> {
    let contents = contents(marshal, value)?.ok_or_else(|| marshal.unexpected("a Pointer with an address", value))?;
    let contents = Borrowed::of(&contents);
    match marshal.address(contents)? {
        Some(address) => {
            // It may own the block that it points to.
            marshal.hold(value);
            Ok(address)
        }
        None => Err(marshal.unexpected("an address in the Pointer", contents)),
    }
}

fn new_string_buffer<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    webidl::require_new(&call, "StringBuffer")?;
    let boxes = call.ctx.userdata::<Boxes>().ok_or(rquickjs::Error::Unknown)?;
    let args: Vec<_> = (0..call.args.len()).map(|at| call.arg(at)).collect();
    construct(&boxes.uint8_array, &call.this(), &args)
}

/// A StringBuffer over the whole of `buffer`.
///
/// # Errors
/// When memory is out.
pub(crate) fn string_buffer<'js>(ctx: &Ctx<'js>, buffer: &Object<'js>) -> Result<Value<'js>> {
    let boxes = ctx.userdata::<Boxes>().ok_or(rquickjs::Error::Unknown)?;
    construct(&boxes.uint8_array, &boxes.string_buffer, &[buffer.as_value().clone()])
}

/// `StringBuffer.fromString(memoryManager, string, finalize)`.
fn from_string<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "StringBuffer.fromString";
    let manager: &ManagerObject = webidl::interface(&call.ctx, call.args.get(0), &format!("{PLACE}: argument 1"))?;
    let marshal = Marshal::new(&call.ctx, call.args.get(0), PLACE);
    manager.safe_point(&call.ctx, &marshal)?;
    marshal.enter_part(webidl::Part::Argument(1));
    let owned = call.arg(2).as_bool().unwrap_or(false);
    let made = (|| {
        let encoding = crate::types::Encoding::Utf8;
        let address = strings::copy_in(&marshal, encoding, call.args.get(1), Some(0), Ok)?;
        let bytes = marshal.heap().data().read_c_string(address).map_err(|error| marshal.heap_error(error))?;
        let len = bytes.len() as u64 + 1;
        marshal.keep(address);
        buffer_over(&marshal, address, len, owned)
    })();
    marshal.finish(made)
}

/// `StringBuffer.fromAddress(memoryManager, address, finalize)`.
fn from_address<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "StringBuffer.fromAddress";
    let _: &ManagerObject = webidl::interface(&call.ctx, call.args.get(0), &format!("{PLACE}: argument 1"))?;
    let marshal = Marshal::new(&call.ctx, call.args.get(0), PLACE);
    marshal.enter_part(webidl::Part::Argument(1));
    let address = crate::scalar::address(marshal.cx(), call.args.get(1))?;
    let address = address.ok_or_else(|| marshal.unexpected("an address", call.args.get(1)))?;
    let bytes = marshal.heap().data().read_c_string(address).map_err(|error| marshal.heap_error(error))?;
    let owned = call.arg(2).as_bool().unwrap_or(false);
    buffer_over(&marshal, address, bytes.len() as u64, owned)
}

fn buffer_over<'js>(marshal: &Marshal<'_, 'js>, address: u64, len: u64, owned: bool) -> Result<Value<'js>> {
    let buffer = match owned {
        true => {
            let block = marshal.heap().adopt_aligned(address, len, 1).map_err(|error| marshal.heap_error(error))?;
            view::buffer(marshal.ctx, marshal.heap(), block)?
        }
        false => view::borrowed_buffer(marshal.ctx, marshal.heap(), address, len)?,
    };
    string_buffer(marshal.ctx, &buffer)
}

/// The characters, up to the zero byte if there is one.
fn to_string<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let bytes = match qjs::buffer::element_kind(call.this) {
        Some(qjs::ElementKind::Uint8) => qjs::buffer::typed_array_bytes(qjs::Cx::of(&call.ctx), call.this),
        _ => return Err(Exception::throw_type(&call.ctx, "StringBuffer.toString: `this` is not a StringBuffer")),
    };
    let Some(bytes) = bytes else {
        return Err(Exception::throw_type(&call.ctx, "StringBuffer.toString: the view has ended"));
    };
    // SAFETY: nothing ran since the bytes were asked for.
    let bytes = unsafe { bytes.to_vec() };
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    qjs::string::from_utf8(&call.ctx, String::from_utf8_lossy(&bytes[..end]).as_bytes())
}

fn dispose<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    if let Some(buffer) = qjs::buffer::buffer_of(qjs::Cx::of(&call.ctx), call.this)
        && let Some(buffer) = buffer.as_object()
    {
        view::end(&call.ctx, buffer)?;
    }
    Ok(Value::new_undefined(call.ctx))
}
