//! The native half of `messaging.js`: ports, channels and structured clone.

use agent::port::{Port, PortHandle, set_face};
use agent::structured::Serialized;
use agent::{EventLoop, broadcast};
use qjs::array::List;
use qjs::class;
use rquickjs::{Ctx, Exception, IntoJs as _, Object, Value};

use crate::internal::strings::UsvString;
use crate::internal::{self, def};

/// The native functions of `messaging.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    ports(&native)?;
    def(&native, "noteUncloneable", |ctx: Ctx<'js>| agent::port::note_uncloneable(&ctx))?;
    def(&native, "hooks", |ctx: Ctx<'js>, face: Object<'js>| set_face(&ctx, face))?;
    def(
        &native,
        "clone",
        |ctx: Ctx<'js>, value: Value<'js>, transfer: Vec<Value<'js>>| -> rquickjs::Result<Value<'js>> {
            Ok(Serialized::new(&ctx, &value, &transfer)?.deserialize(&ctx)?.value)
        },
    )?;
    def(&native, "join", |ctx: Ctx<'js>, name: UsvString| PortHandle::new_object(&ctx, broadcast::join(&name)))?;
    def(
        &native,
        "broadcast",
        |ctx: Ctx<'js>, handle: Value<'js>, name: UsvString, value: Value<'js>| -> rquickjs::Result<()> {
            match port(&ctx, &handle)?.port() {
                Some(port) => broadcast::post(&ctx, &name, &port, &value),
                None => Ok(()),
            }
        },
    )?;
    Ok(native)
}

fn ports<'js>(native: &Object<'js>) -> rquickjs::Result<()> {
    def(native, "channel", |ctx: Ctx<'js>| -> rquickjs::Result<List<[Object<'js>; 2]>> {
        let (one, other) = Port::channel();
        Ok(List([PortHandle::new_object(&ctx, one)?, PortHandle::new_object(&ctx, other)?]))
    })?;
    def(
        native,
        "post",
        |ctx: Ctx<'js>, handle: Value<'js>, value: Value<'js>, transfer: Vec<Value<'js>>| -> rquickjs::Result<()> {
            let own = port(&ctx, &handle)?;
            if agent::port::is_among(&ctx, &handle, &transfer)? {
                let message = "Transfer list contains source port";
                return Err(agent::structured::throw_data_clone_error(&ctx, message));
            }
            own.post(&ctx, &value, &transfer)
        },
    )?;
    def(native, "start", |ctx: Ctx<'js>, handle: Value<'js>, callbacks: Object<'js>| {
        port(&ctx, &handle)?.start(&ctx, callbacks)
    })?;
    def(native, "stop", |ctx: Ctx<'js>, handle: Value<'js>, listens: bool| port(&ctx, &handle)?.stop(&ctx, listens))?;
    def(native, "receive", |ctx: Ctx<'js>, handle: Value<'js>| -> rquickjs::Result<Value<'js>> {
        let message = port(&ctx, &handle)?.port().and_then(|port| port.receive());
        let Some(message) = message else { return Ok(Value::new_undefined(ctx)) };
        let received = message.deserialize(&ctx)?;
        List([received.value, List(received.ports).into_js(&ctx)?]).into_js(&ctx)
    })?;
    def(native, "close", |ctx: Ctx<'js>, handle: Value<'js>| -> rquickjs::Result<()> {
        port(&ctx, &handle)?.close();
        Ok(())
    })?;
    def(native, "ref", |ctx: Ctx<'js>, handle: Value<'js>, refed: bool| port(&ctx, &handle)?.set_ref(&ctx, refed))?;
    def(native, "hasRef", |ctx: Ctx<'js>, handle: Value<'js>| {
        Ok::<_, rquickjs::Error>(port(&ctx, &handle)?.has_ref())
    })?;
    def(native, "isDetached", |ctx: Ctx<'js>, handle: Value<'js>| -> rquickjs::Result<bool> {
        Ok(!port(&ctx, &handle)?.is_attached())
    })
}

fn port<'a>(ctx: &Ctx<'_>, handle: &'a Value<'_>) -> rquickjs::Result<&'a PortHandle> {
    class::of::<PortHandle>(handle).ok_or_else(|| Exception::throw_type(ctx, "expected a port's handle"))
}

/// Loads `messaging.js`, which gives ports their JavaScript face.
pub(crate) fn load(ctx: &Ctx<'_>) -> rquickjs::Result<()> {
    EventLoop::of(ctx)?;
    internal::require(ctx, "messaging").map(drop)
}
