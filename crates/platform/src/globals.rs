//! The global object: what each name stands for, made when a script first asks for it.

use agent::EventLoop;
use rquickjs::{
    Ctx, Function, Value,
    object::{Accessor, Property},
};

use crate::features::{self, Global};
use crate::internal::state::Platform;

/// Defines every global of the platform.
pub(crate) fn define(ctx: &Ctx<'_>) -> rquickjs::Result<()> {
    for global in features::globals() {
        lazy(ctx, global)?;
    }
    let globals = ctx.globals();
    globals.prop("global", Property::from(globals.clone()).writable().enumerable().configurable())?;
    if Platform::of(ctx)?.options.expose_gc {
        let collect = Function::new(ctx.clone(), |ctx: Ctx<'_>| -> rquickjs::Result<()> {
            EventLoop::of(&ctx)?;
            qjs::runtime::collect(&ctx);
            Ok(())
        })?;
        globals.prop("gc", Property::from(collect.with_name("gc")?).writable().configurable())?;
    }
    Ok(())
}

/// A property that is made when it is first read and is a plain property from then on; an assignment replaces it at
/// once. As WebIDL demands, functions are enumerable and interfaces are not.
fn lazy<'js>(ctx: &Ctx<'js>, global: Global) -> rquickjs::Result<()> {
    let name = global.name;
    let enumerable = name != "process" && name != "console" && name.starts_with(char::is_lowercase);
    let settle = move |ctx: &Ctx<'js>, value: Value<'js>| {
        let property = Property::from(value).writable().configurable();
        ctx.globals().prop(name, if enumerable { property.enumerable() } else { property })
    };
    let get = move |ctx: Ctx<'js>| -> rquickjs::Result<Value<'js>> {
        let value = global.make(&ctx)?;
        settle(&ctx, value.clone())?;
        Ok(value)
    };
    let set = move |ctx: Ctx<'js>, value: Value<'js>| settle(&ctx, value);
    // The engine defines some of these too, as enumerable properties.
    ctx.globals().remove(name)?;
    let accessor = Accessor::new(get, set).configurable();
    ctx.globals().prop(name, if enumerable { accessor.enumerable() } else { accessor })
}
