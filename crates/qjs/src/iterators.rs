//! Iterator helpers over iterator helpers: QuickJS calls a native `next` directly, without a look at the stack, so that a long
//! chain of them (`iterator.map(f).map(f)…`) overflows it. Theirs are put behind functions that QuickJS calls as any other.

use rquickjs::{Ctx, Function, JsLifetime, Object, Value};

use crate::define::{self, Attributes};
use crate::function::{Call, Kind, function};

/// QuickJS's own `next` of iterator helpers, and of what `Iterator.from` makes.
struct Originals<'js>([Function<'js>; 2]);

// SAFETY: the lifetime is the functions' own.
unsafe impl<'js> JsLifetime<'js> for Originals<'js> {
    type Changed<'to> = Originals<'to>;
}

/// Has calls of iterators by iterators counted as calls: where there is no stack for another, they throw a RangeError.
///
/// # Errors
/// When memory is out, or a script has changed `Iterator` already.
pub fn check_stack(ctx: &Ctx<'_>) -> rquickjs::Result<()> {
    let prototypes: Vec<Object> = ctx.eval(
        "[[].values().map(String), Iterator.from({ next: String })].map((iterator) => Object.getPrototypeOf(iterator))",
    )?;
    let originals = [prototypes[0].get("next")?, prototypes[1].get("next")?];
    let replacements =
        [function(ctx, Kind::Plain, "next", 0, next::<0>)?, function(ctx, Kind::Plain, "next", 0, next::<1>)?];
    for (prototype, replacement) in prototypes.iter().zip(&replacements) {
        define::value(prototype, "next", replacement.as_value(), Attributes::Hidden)?;
    }
    ctx.store_userdata(Originals(originals)).map_err(|_| rquickjs::Error::Unknown)?;
    Ok(())
}

fn next<'js, const WHICH: usize>(call: Call<'_, 'js>) -> rquickjs::Result<Value<'js>> {
    let original = call.ctx.userdata::<Originals>().ok_or(rquickjs::Error::Unknown)?.0[WHICH].clone();
    call.pass_on(&original)
}
