//! The native half of `vm.js`: scripts in this context or in a new one.

mod limits;

use qjs::{HostClass, Mark, Realm, class, eval::Script};
use rquickjs::{Ctx, Exception, Object, Value, object::Property};

use self::limits::{Limits, limited};
use crate::internal::{def, strings::UsvString};

/// A context that a script has made.
#[derive(HostClass, Mark)]
#[host_class(name = "VmContext")]
struct VmContext {
    realm: Realm,
}

/// The native functions of `vm.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    class::register::<VmContext>(ctx)?;
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "check", |ctx: Ctx<'_>, source: UsvString, file: UsvString, line: i32| {
        Script { source: &source, file: &file, line }.check(&ctx)
    })?;
    def(
        &native,
        "run",
        |ctx: Ctx<'js>, source: UsvString, file: UsvString, line: i32, timeout: Option<u32>, sigint: bool| {
            let script = Script { source: &source, file: &file, line };
            limited(&ctx, Limits { timeout, sigint }, || script.run(&ctx))
        },
    )?;
    def(&native, "context", |ctx: Ctx<'js>| -> rquickjs::Result<Object<'js>> {
        let realm = Realm::fresh(&ctx)?;
        // `WebAssembly` is the same object in all contexts of an agent.
        let namespace: Value<'js> = ctx.globals().get("WebAssembly")?;
        realm.ctx(&ctx).globals().prop("WebAssembly", Property::from(namespace).writable().configurable())?;
        class::new_object(&ctx, VmContext { realm }, None)
    })?;
    def(&native, "globalOf", |ctx: Ctx<'js>, context: Value<'js>| -> rquickjs::Result<Object<'js>> {
        Ok(realm(&ctx, &context)?.globals())
    })?;
    def(
        &native,
        "runIn",
        |ctx: Ctx<'js>,
         context: Value<'js>,
         source: UsvString,
         file: UsvString,
         line: i32,
         timeout: Option<u32>,
         sigint: bool| {
            let script = Script { source: &source, file: &file, line };
            let realm = realm(&ctx, &context)?;
            limited(&ctx, Limits { timeout, sigint }, || script.run(&realm))
        },
    )?;
    Ok(native)
}

fn realm<'js>(ctx: &Ctx<'js>, context: &Value<'js>) -> rquickjs::Result<Ctx<'js>> {
    let context = class::of::<VmContext>(context).ok_or_else(|| Exception::throw_type(ctx, "expected a context"))?;
    Ok(context.realm.ctx(ctx))
}
