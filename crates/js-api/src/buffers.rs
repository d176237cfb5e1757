//! Transfers of `ArrayBuffer`s over guest memory: a memory's own buffer has a detach key, so that scripts cannot transfer
//! it away, and one that is a view of a block cannot change its length in place.

use qjs::function::{Kind, function};
use qjs::{Borrowed, Call, Ctx, Cx, Exception, Object, Result, Value};
use rquickjs::JsLifetime;

use crate::api::Api;

/// QuickJS's own methods, by place in [`METHODS`].
struct Originals<'js>([qjs::Function<'js>; 3]);

// SAFETY: the lifetime is the functions' own.
unsafe impl<'js> JsLifetime<'js> for Originals<'js> {
    type Changed<'to> = Originals<'to>;
}

const METHODS: [&str; 3] = ["transfer", "transferToFixedLength", "transferToImmutable"];

/// Replaces the methods of `ArrayBuffer.prototype` that transfer.
pub(crate) fn define(ctx: &Ctx<'_>) -> Result<()> {
    let constructor: Object = ctx.globals().get("ArrayBuffer")?;
    let prototype: Object = constructor.get("prototype")?;
    let originals = [prototype.get(METHODS[0])?, prototype.get(METHODS[1])?, prototype.get(METHODS[2])?];
    ctx.store_userdata(Originals(originals)).map_err(|_| rquickjs::Error::Unknown)?;
    let replacements = [
        function(ctx, Kind::Plain, METHODS[0], 0, transfer::<0>)?,
        function(ctx, Kind::Plain, METHODS[1], 0, transfer::<1>)?,
        function(ctx, Kind::Plain, METHODS[2], 0, transfer::<2>)?,
    ];
    for (name, replacement) in METHODS.iter().zip(replacements) {
        qjs::define::value(&prototype, name, replacement.as_value(), qjs::define::Attributes::Hidden)?;
    }
    Ok(())
}

fn transfer<'js, const METHOD: usize>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    if is_memory_buffer(&call.ctx, call.this)? {
        let message = format!("ArrayBuffer.prototype.{}: the buffer of a WebAssembly.Memory", METHODS[METHOD]);
        return Err(Exception::throw_type(&call.ctx, &format!("{message} cannot be transferred")));
    }
    let ctx = &call.ctx;
    let original = ctx.userdata::<Originals>().ok_or(rquickjs::Error::Unknown)?.0[METHOD].clone();
    let call_original = |this: Value<'js>, length: Option<Value<'js>>| -> Result<Value<'js>> {
        original.call((rquickjs::prelude::This(this), rquickjs::prelude::Rest(Vec::from_iter(length))))
    };
    let length = Some(call.arg(0)).filter(|length| !length.is_undefined());
    let Some(wanted) = length else { return call_original(call.this(), None) };
    // ToIndex, before anything is looked at: it may run scripts.
    let wanted = qjs::number::to_number(Cx::of(ctx), Borrowed::of(&wanted))?;
    let bytes = qjs::buffer::array_buffer_bytes(Cx::of(ctx), call.this);
    let block = bytes.filter(|bytes| island::address_of(bytes.start).is_some() && bytes.len as f64 != wanted.trunc());
    let wanted = Value::new_number(ctx.clone(), wanted);
    let Some(block) = block else { return call_original(call.this(), Some(wanted)) };
    // The bytes move to an ordinary buffer, which then changes its length; the block goes back to its guest.
    // SAFETY: nothing ran since the bytes were asked for.
    let copy = rquickjs::ArrayBuffer::new_copy(ctx.clone(), unsafe { block.to_vec() })?;
    let moved = call_original(copy.into_value(), Some(wanted))?;
    if let Some(this) = call.this().as_object() {
        qjs::buffer::detach(this);
    }
    Ok(moved)
}

/// Whether `value` is the buffer of a memory (its \[\[ArrayBufferDetachKey]] is "WebAssembly.Memory").
pub(crate) fn is_memory_buffer(ctx: &Ctx<'_>, value: Borrowed<'_>) -> Result<bool> {
    let cx = Cx::of(ctx);
    if !value.is_object() {
        return Ok(false);
    }
    let Some(bytes) = qjs::buffer::array_buffer_bytes(cx, value) else { return Ok(false) };
    let api = Api::of(ctx)?;
    let memories = api.state.memories.borrow();
    let core = memories.get(&bytes.start.as_ptr().addr()).and_then(std::rc::Weak::upgrade);
    Ok(core.is_some_and(|core| core.is_buffer(&value.to_value(cx))))
}
