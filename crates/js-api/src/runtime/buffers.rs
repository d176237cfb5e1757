//! The methods of `ArrayBuffer` and `SharedArrayBuffer` that change a length or take the bytes away, for buffers over
//! guest memory. A memory's own buffer has a detach key, so that scripts cannot transfer it away; resizing and growing
//! it grow the memory; a view of a block cannot change its length in place.

use island::wasmtime::SharedMemory;
use qjs::buffer::Bytes;
use qjs::define::{self, Attributes};
use qjs::function::{Kind, function};
use qjs::{Borrowed, Call, Ctx, Cx, Exception, Function, Object, Result, Value};
use rquickjs::JsLifetime;
use rquickjs::prelude::{Rest, This};

use crate::runtime::api::Api;
use crate::runtime::memory_core::{self, MemoryCore};

/// QuickJS's own methods.
#[derive(JsLifetime)]
pub(crate) struct Originals<'js> {
    /// By place in [`TRANSFERS`].
    transfers: Vec<Function<'js>>,
    pub(crate) resize: Function<'js>,
    pub(crate) grow: Function<'js>,
    slice: Function<'js>,
    byte_length: Function<'js>,
    growable: Function<'js>,
}

impl<'js> Originals<'js> {
    /// One of the runtime's original methods.
    pub(crate) fn get(ctx: &Ctx<'js>, pick: impl FnOnce(&Self) -> &Function<'js>) -> Result<Function<'js>> {
        let originals = ctx.userdata::<Originals>().ok_or(rquickjs::Error::Unknown)?;
        Ok(pick(&originals).clone())
    }
}

const TRANSFERS: [&str; 3] = ["transfer", "transferToFixedLength", "transferToImmutable"];

/// Replaces the methods.
pub(crate) fn define(ctx: &Ctx<'_>) -> Result<()> {
    let prototype = |name: &str| ctx.globals().get::<_, Object>(name)?.get::<_, Object>("prototype");
    let (array_buffer, shared) = (prototype("ArrayBuffer")?, prototype("SharedArrayBuffer")?);
    let object: Object = ctx.globals().get("Object")?;
    let describe: Function = object.get("getOwnPropertyDescriptor")?;
    let getter = |name: &str| describe.call::<_, Object>((shared.clone(), name))?.get("get");
    let originals = Originals {
        transfers: TRANSFERS.iter().map(|&name| array_buffer.get(name)).collect::<Result<_>>()?,
        resize: array_buffer.get("resize")?,
        grow: shared.get("grow")?,
        slice: shared.get("slice")?,
        byte_length: getter("byteLength")?,
        growable: getter("growable")?,
    };
    ctx.store_userdata(originals).map_err(|_| rquickjs::Error::Unknown)?;
    let methods = [
        (&array_buffer, function(ctx, Kind::Plain, TRANSFERS[0], 0, transfer::<0>)?, TRANSFERS[0]),
        (&array_buffer, function(ctx, Kind::Plain, TRANSFERS[1], 0, transfer::<1>)?, TRANSFERS[1]),
        (&array_buffer, function(ctx, Kind::Plain, TRANSFERS[2], 0, transfer::<2>)?, TRANSFERS[2]),
        (&array_buffer, function(ctx, Kind::Plain, "resize", 1, resize)?, "resize"),
        (&shared, function(ctx, Kind::Plain, "grow", 1, grow)?, "grow"),
        (&shared, function(ctx, Kind::Plain, "slice", 2, slice)?, "slice"),
    ];
    for (prototype, replacement, name) in methods {
        define::value(prototype, name, replacement.as_value(), Attributes::Hidden)?;
    }
    define::hidden_getter(&shared, "byteLength", byte_length)
}

fn transfer<'js, const METHOD: usize>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    if memory_of_buffer(&call.ctx, call.this)?.is_some() {
        let message = format!("ArrayBuffer.prototype.{}: the buffer of a WebAssembly.Memory", TRANSFERS[METHOD]);
        return Err(Exception::throw_type(&call.ctx, &format!("{message} cannot be transferred")));
    }
    let ctx = &call.ctx;
    let original = Originals::get(ctx, |own| &own.transfers[METHOD])?;
    let call_original = |this: Value<'js>, length: Option<Value<'js>>| -> Result<Value<'js>> {
        original.call((This(this), Rest(Vec::from_iter(length))))
    };
    let length = Some(call.arg(0)).filter(|length| !length.is_undefined());
    let Some(wanted) = length else { return call_original(call.this(), None) };
    // ToIndex comes before anything is looked at, since it may run scripts.
    let wanted = qjs::number::to_number(Cx::of(ctx), Borrowed::of(&wanted))?;
    let bytes = qjs::buffer::array_buffer_bytes(Cx::of(ctx), call.this);
    let is_block = |bytes: Bytes| island::address_of(bytes.start).is_some() && bytes.len as f64 != wanted.trunc();
    let is_block = bytes.is_some_and(is_block);
    let wanted = Value::new_number(ctx.clone(), wanted);
    if !is_block {
        return call_original(call.this(), Some(wanted));
    }
    // The bytes move to an ordinary buffer, which then changes its length; the block goes back to its guest.
    let bytes = qjs::buffer::copy_of_buffer_source(ctx, &call.this())?.unwrap_or_default();
    let copy = rquickjs::ArrayBuffer::new_copy(ctx.clone(), bytes)?;
    let moved = call_original(copy.into_value(), Some(wanted))?;
    if let Some(this) = call.this().as_object() {
        qjs::buffer::detach(this);
    }
    Ok(moved)
}

/// The memory that `value` is the buffer of (its \[\[ArrayBufferDetachKey]] is "WebAssembly.Memory").
fn memory_of_buffer(ctx: &Ctx<'_>, value: Borrowed<'_>) -> Result<Option<std::rc::Rc<MemoryCore>>> {
    let cx = Cx::of(ctx);
    if !value.is_object() {
        return Ok(None);
    }
    let Some(bytes) = qjs::buffer::array_buffer_bytes(cx, value) else { return Ok(None) };
    let core = Api::of(ctx)?.state.memories.borrow().get(&bytes.start.as_ptr().addr()).and_then(std::rc::Weak::upgrade);
    Ok(core.filter(|core| core.is_buffer(&value.to_value(cx))))
}

/// Whether `value` is the buffer of an unshared memory: it has the memory's detach key, so that nothing but the
/// memory's growth takes its bytes away.
pub fn is_memory_buffer(ctx: &Ctx<'_>, value: &Value<'_>) -> bool {
    memory_of_buffer(ctx, Borrowed::of(value)).is_ok_and(|core| core.is_some())
}

/// ToIndex. May run scripts.
pub(crate) fn to_index(ctx: &Ctx<'_>, value: Borrowed<'_>, place: &str) -> Result<f64> {
    let number = qjs::number::to_number(Cx::of(ctx), value)?;
    let index = if number.is_nan() { 0.0 } else { number.trunc() };
    if !(0.0..=9_007_199_254_740_991.0).contains(&index) {
        let came = webidl::display_number(number);
        return Err(Exception::throw_range(ctx, &format!("{place} must be an integer from 0 to 2^53 - 1, got {came}")));
    }
    Ok(index)
}

/// `ArrayBuffer.prototype.resize`.
fn resize<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "ArrayBuffer.prototype.resize";
    let ctx = &call.ctx;
    let resizable = |core: &std::rc::Rc<MemoryCore>| core.has_resizable_buffer();
    if !memory_of_buffer(ctx, call.this)?.as_ref().is_some_and(resizable) {
        return call.pass_on(&Originals::get(ctx, |own| &own.resize)?);
    }
    let wanted = to_index(ctx, call.args.get(0), &format!("{PLACE}: argument 1"))?;
    // The conversion may have run scripts.
    let Some(core) = memory_of_buffer(ctx, call.this)?.filter(resizable) else {
        return Err(Exception::throw_type(ctx, &format!("{PLACE}: the buffer is detached")));
    };
    if let Some(buffer) = call.this().as_object() {
        core.host_resize(ctx, buffer, wanted)?;
    }
    Ok(Value::new_undefined(ctx.clone()))
}

/// A growable SharedArrayBuffer: where its bytes are, how many it shows, and the memory behind it, if any.
struct Growable {
    bytes: Bytes,
    memory: Option<SharedMemory>,
}

impl Growable {
    /// `None` for anything else.
    fn of(ctx: &Ctx<'_>, value: Borrowed<'_>) -> Result<Option<Self>> {
        let cx = Cx::of(ctx);
        if !value.is_object() {
            return Ok(None);
        }
        let Some(bytes) = qjs::buffer::array_buffer_bytes(cx, value) else { return Ok(None) };
        if !qjs::shared::is_shared(bytes.start) {
            return Ok(None);
        }
        let growable: bool = Originals::get(ctx, |own| &own.growable)?.call((This(value.to_value(cx)),))?;
        let memory = || qjs::shared::owner::<SharedMemory>(bytes.start);
        Ok(growable.then(|| Self { bytes, memory: memory() }))
    }

    /// Gives the buffer the length that it has by now, whoever grew it.
    fn follow(&self, ctx: &Ctx<'_>, buffer: Borrowed<'_>) {
        let len = match &self.memory {
            Some(memory) => memory.data_size().min(memory_core::longest(&memory.ty())),
            None => qjs::shared::grown(self.bytes.start),
        };
        if len > self.bytes.len
            && let Some(buffer) = buffer.to_value(Cx::of(ctx)).as_object()
        {
            memory_core::set_growable_length(ctx, buffer, len);
        }
    }
}

/// `SharedArrayBuffer.prototype.grow`.
fn grow<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "SharedArrayBuffer.prototype.grow";
    let ctx = &call.ctx;
    let Some(growable) = Growable::of(ctx, call.this)? else {
        return call.pass_on(&Originals::get(ctx, |own| &own.grow)?);
    };
    let wanted = to_index(ctx, call.args.get(0), &format!("{PLACE}: argument 1"))?;
    growable.follow(ctx, call.this);
    let Some(memory) = &growable.memory else {
        // Conversion may have run scripts; the engine checks the length that the buffer has now.
        let original = Originals::get(ctx, |own| &own.grow)?;
        original.call::<_, ()>((This(call.this()), wanted))?;
        qjs::shared::set_grown(growable.bytes.start, wanted as usize);
        return Ok(Value::new_undefined(ctx.clone()));
    };
    // HostGrowSharedArrayBuffer, on the length that the memory has now, whoever grew it. (If another agent grows it at
    // this very moment, both growths add up.)
    let (len, ty) = (memory.data_size(), memory.ty());
    let longest = memory_core::longest(&ty);
    let delta = memory_core::added_pages(ctx, PLACE, len.min(longest), longest, ty.page_size(), wanted)?;
    if let Err(error) = memory.grow(delta) {
        return Err(Exception::throw_range(ctx, &format!("{PLACE}: {error}")));
    }
    growable.follow(ctx, call.this);
    memory_core::follow_shared_growth(ctx, &Api::of(ctx)?);
    Ok(Value::new_undefined(ctx.clone()))
}

/// `get SharedArrayBuffer.prototype.byteLength`.
fn byte_length<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    if let Some(growable) = Growable::of(&call.ctx, call.this)? {
        growable.follow(&call.ctx, call.this);
    }
    call.pass_on(&Originals::get(&call.ctx, |own| &own.byte_length)?)
}

/// `SharedArrayBuffer.prototype.slice`.
fn slice<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    if let Some(growable) = Growable::of(&call.ctx, call.this)? {
        growable.follow(&call.ctx, call.this);
    }
    call.pass_on(&Originals::get(&call.ctx, |own| &own.slice)?)
}
