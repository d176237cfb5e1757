//! Puts functions that look first in front of functions of the engine's that crash. `docs/upstream/quickjs-ng.md`
//! describes the faults.

use rquickjs::{Ctx, Function, JsLifetime, Object, Value, qjs as q};

use crate::define::{self, Attributes};
use crate::function::{Call, Kind, function};

/// QuickJS's own functions.
#[derive(JsLifetime)]
struct Originals<'js> {
    /// `next` of iterator helpers, and of what `Iterator.from` makes.
    next: Vec<Function<'js>>,
    bind: Function<'js>,
}

/// Puts the guards in place, before any script runs.
///
/// # Errors
/// When memory is out, or a script has changed `Iterator` already.
pub fn install(ctx: &Ctx<'_>) -> rquickjs::Result<()> {
    let prototypes: Vec<Object> = ctx.eval(
        "[[].values().map(String), Iterator.from({ next: String })].map((iterator) => Object.getPrototypeOf(iterator))",
    )?;
    let functions: Object = ctx.globals().get::<_, Object>("Function")?.get("prototype")?;
    let originals = Originals {
        next: prototypes.iter().map(|prototype| prototype.get("next")).collect::<rquickjs::Result<_>>()?,
        bind: functions.get("bind")?,
    };
    let next = [function(ctx, Kind::Plain, "next", 0, next::<0>)?, function(ctx, Kind::Plain, "next", 0, next::<1>)?];
    for (prototype, next) in prototypes.iter().zip(&next) {
        define::value(prototype, "next", next.as_value(), Attributes::Hidden)?;
    }
    let bind = function(ctx, Kind::Plain, "bind", 1, bind)?;
    define::value(&functions, "bind", bind.as_value(), Attributes::Hidden)?;
    ctx.store_userdata(originals).map_err(|_| rquickjs::Error::Unknown)?;
    Ok(())
}

/// QuickJS calls a native `next` directly, without checking the stack, so that a long chain of iterators over iterators
/// (`iterator.map(f).map(f)…`) overflows it. It calls this one like any other function, which ends in a RangeError.
fn next<'js, const WHICH: usize>(call: Call<'_, 'js>) -> rquickjs::Result<Value<'js>> {
    let original = call.ctx.userdata::<Originals>().ok_or(rquickjs::Error::Unknown)?.next[WHICH].clone();
    call.pass_on(&original)
}

/// QuickJS frees a bound function for which there is no memory as if it were complete, through a null pointer. So this
/// one checks first whether there is memory.
fn bind<'js>(call: Call<'_, 'js>) -> rquickjs::Result<Value<'js>> {
    /// More than a bound function without arguments takes, together with what is made before it.
    const ENOUGH: usize = 16 << 10;
    let size = ENOUGH + call.args.len() * size_of::<q::JSValue>();
    crate::runtime::check_room(&call.ctx, size)?;
    let original = call.ctx.userdata::<Originals>().ok_or(rquickjs::Error::Unknown)?.bind.clone();
    call.pass_on(&original)
}
