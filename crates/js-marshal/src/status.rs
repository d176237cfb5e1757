//! Results that say whether a call failed, and the error that is thrown then.

use island::call::Number;
use qjs::define::Put as _;
use qjs::define::{self, Attributes};
use qjs::function::construct;
use qjs::{Arguments, Call, Ctx, Cx, Exception, Object, Result, Value};
use rquickjs::JsLifetime;

use crate::convert::Marshal;
use crate::types::{Status, TypeObject};

/// The classes of a runtime.
#[derive(JsLifetime)]
struct Errors<'js> {
    error: Value<'js>,
    status_error: Value<'js>,
}

pub(crate) fn define<'js>(ctx: &Ctx<'js>, exports: &Object<'js>) -> Result<()> {
    let made = define::interface(exports, "StatusError", "StatusError", Attributes::Plain, 1, constructor)?;
    let error: Object = crate::language::class(ctx, "Error")?;
    made.constructor.set_prototype(Some(&error))?;
    made.prototype.set_prototype(Some(&error.get::<_, Object>("prototype")?))?;
    let name = qjs::string::from_utf8(ctx, b"StatusError")?;
    define::value(&made.prototype, "name", &name, Attributes::Hidden)?;
    let errors = Errors { error: error.into_value(), status_error: made.constructor.into_value() };
    ctx.store_userdata(errors).map_err(|_| rquickjs::Error::Unknown)?;
    Ok(())
}

fn constructor<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    webidl::require_new(&call, "StatusError")?;
    let errors = call.ctx.userdata::<Errors>().ok_or(rquickjs::Error::Unknown)?;
    construct(&errors.error, &call.this(), &[call.arg(0)])
}

/// The number of a result, for comparing it.
pub(crate) fn code(ty: &TypeObject, number: Number) -> i64 {
    match (ty.scalar(), number) {
        (Some(scalar), number) if scalar.as_length(number).is_some() => {
            scalar.as_length(number).map_or(0, |code| code as i64)
        }
        (_, Number::I32(value)) if ty.is_pointer() => i64::from(value as u32),
        (_, Number::I32(value)) => value.into(),
        (_, Number::I64(value)) => value,
        (_, Number::F32(value)) => value as i64,
        (_, Number::F64(value)) => value as i64,
    }
}

/// Throws the error for a result that is a failure.
pub(crate) fn throw(marshal: &Marshal<'_, '_>, status: &Status, code: i64, others: &[Value<'_>]) -> rquickjs::Error {
    match make(marshal, status, code, others) {
        Ok(error) => marshal.ctx.throw(error),
        Err(error) => error,
    }
}

fn make<'js>(marshal: &Marshal<'_, 'js>, status: &Status, code: i64, others: &[Value<'_>]) -> Result<Value<'js>> {
    let (ctx, cx) = (marshal.ctx, marshal.cx());
    let code_value = crate::scalar::integer64(cx, code.into()).into_value(cx)?;
    let name = qjs::string::from_utf8(ctx, marshal.function().as_bytes())?;
    let mut message = format!("{}: failed with {code}", marshal.function());
    if let Some(callback) = &status.error {
        let mut arguments = Arguments::new(cx);
        arguments.push(cx.returned(&code_value))?;
        arguments.push(cx.returned(&name))?;
        let mut list = qjs::array::ArrayBuilder::new(cx, others.len())?;
        for other in others {
            list.push(Cx::of(other.ctx()).returned(other))?;
        }
        arguments.push(cx.returned(&list.finish()?))?;
        if let Some(call) = marshal.call {
            arguments.push(cx.returned(call.list(cx)?))?;
        }
        let made = callback.call(cx, qjs::Args::default().get(0), &mut arguments)?.to_value();
        match made.as_string() {
            Some(text) => {
                message =
                    format!("{}: {}", marshal.function(), webidl::string(ctx, qjs::Borrowed::of(text.as_value()))?)
            }
            None if made.is_object() => return Ok(made),
            None if made.is_undefined() || made.is_null() => {}
            None => {
                let came = webidl::describe(&made);
                let message = format!("{}: `error` must return a string or an error, got {came}", marshal.function());
                return Err(Exception::throw_type(ctx, &message));
            }
        }
    }
    let errors = ctx.userdata::<Errors>().ok_or(rquickjs::Error::Unknown)?;
    let message = qjs::string::from_utf8(ctx, message.as_bytes())?;
    let error = construct(&errors.error, &errors.status_error, &[message])?;
    let object = error.as_object().ok_or(rquickjs::Error::Unknown)?;
    object.put("code", code_value)?;
    object.put("function", name)?;
    Ok(error)
}
