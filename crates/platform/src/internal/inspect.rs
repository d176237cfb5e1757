//! The native half of `inspect.js`: what JavaScript cannot find out about a value.

use qjs::array::List;
use rquickjs::{Ctx, Function, IntoJs as _, Object, Value};

use super::{def, primordials::pristine_method};

/// The native functions of `inspect.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "isError", |value: Value<'js>| value.is_error())?;
    def(&native, "proxyDetails", |ctx: Ctx<'js>, value: Value<'js>| -> rquickjs::Result<Value<'js>> {
        let Some(proxy) = value.as_proxy() else { return Ok(Value::new_undefined(ctx)) };
        match (proxy.target(), proxy.handler()) {
            (Ok(target), Ok(handler)) => List([target, handler]).into_js(&ctx),
            // A revoked proxy.
            _ => {
                ctx.catch();
                List([rquickjs::Null; 2]).into_js(&ctx)
            }
        }
    })?;
    def(&native, "proxyTarget", |ctx: Ctx<'js>, value: Value<'js>| -> rquickjs::Result<Value<'js>> {
        let Some(mut proxy) = value.as_proxy().cloned() else { return Ok(Value::new_undefined(ctx)) };
        loop {
            let Ok(target) = proxy.target() else {
                ctx.catch();
                return Ok(Value::new_null(ctx));
            };
            match target.as_proxy() {
                Some(inner) => proxy = inner.clone(),
                None => return Ok(target.into_value()),
            }
        }
    })?;
    def(&native, "promiseState", |ctx: Ctx<'js>, value: Value<'js>| -> rquickjs::Result<Value<'js>> {
        let Some(promise) = value.as_promise() else { return Ok(Value::new_undefined(ctx)) };
        let (state, result) = match promise.result::<Value>() {
            None => ("pending", Value::new_undefined(ctx.clone())),
            Some(Ok(value)) => ("fulfilled", value),
            Some(Err(_)) => ("rejected", ctx.catch()),
        };
        List([state.into_js(&ctx)?, result]).into_js(&ctx)
    })?;
    def(&native, "isNative", |ctx: Ctx<'js>, function: Function<'js>| -> rquickjs::Result<bool> {
        let text = pristine_method(&ctx, "Function.prototype", "toString")?;
        let source: String = text.call((rquickjs::function::This(function),))?;
        Ok(source.contains("[native code]"))
    })?;
    def(&native, "areAlike", |one: Function<'js>, other: Function<'js>| qjs::function::are_alike(&one, &other))?;
    def(&native, "nonIndexKeys", |object: Object<'js>| -> rquickjs::Result<List<Vec<String>>> {
        let mut keys = object.keys::<String>().collect::<rquickjs::Result<Vec<_>>>()?;
        keys.retain(|key| !key.bytes().all(|byte| byte.is_ascii_digit()));
        Ok(List(keys))
    })?;
    Ok(native)
}
