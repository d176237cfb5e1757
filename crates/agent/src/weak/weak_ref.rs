//! `WeakRef`: QuickJS's own, except that objects that a script has seen are kept until the job ends. QuickJS frees them
//! at once.

use qjs::define::{self, Attributes};
use qjs::function::{Kind, construct, function};
use qjs::{Call, Ctx, Function, Object, Result, Value};

use super::Intrinsics;
use crate::EventLoop;

pub(super) fn define<'js>(ctx: &Ctx<'js>, original: &Function<'js>) -> Result<()> {
    let prototype: Object = original.get("prototype")?;
    let deref = function(ctx, Kind::Plain, "deref", 0, deref)?;
    define::value(&prototype, "deref", deref.as_value(), Attributes::Hidden)?;
    let constructor = function(ctx, Kind::Constructor, "WeakRef", 1, constructor)?;
    super::define_global(ctx, "WeakRef", &constructor, &prototype)
}

/// `WeakRef(target)`.
fn constructor<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let ctx = &call.ctx;
    super::require_new(&call, "WeakRef")?;
    let original = ctx.userdata::<Intrinsics>().ok_or(rquickjs::Error::Unknown)?.weak_ref.clone();
    let target = call.arg(0);
    let made = construct(original.as_value(), &call.this(), std::slice::from_ref(&target))?;
    EventLoop::of(ctx)?.state.weakness.add_to_kept_objects(&target);
    Ok(made)
}

/// `WeakRef.prototype.deref()`.
fn deref<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let ctx = &call.ctx;
    let original = ctx.userdata::<Intrinsics>().ok_or(rquickjs::Error::Unknown)?.deref.clone();
    let target = call.pass_on(&original)?;
    if !target.is_undefined() {
        EventLoop::of(ctx)?.state.weakness.add_to_kept_objects(&target);
    }
    Ok(target)
}
