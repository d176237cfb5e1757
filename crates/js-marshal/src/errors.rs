//! What a failed marshalling step becomes in JavaScript, and where it happened.

use island::CallError;
use marshal::HeapError;
use std::fmt::Display;

use qjs::{Ctx, Exception, Result, Value};

/// Where something happens, for messages. It is only written out when a message needs it.
pub(crate) type At<'a> = &'a dyn Display;

/// Throws a heap's error: a RangeError for what the guest's memory does not allow, a TypeError for a mistake in types,
/// and for a trap the error that the trap became. `place` says where.
pub(crate) fn throw_heap_error(ctx: &Ctx<'_>, place: At<'_>, error: HeapError) -> rquickjs::Error {
    match error {
        HeapError::Call(error) => js_api::throw_call_error(ctx, error),
        // What a script threw, a guest's exception and an exit are left as they are, wherever they come out.
        HeapError::Reclaim {
            source: source @ (CallError::Host | CallError::Exception(_) | CallError::Exit(_) | CallError::Interrupted),
            ..
        } => js_api::throw_call_error(ctx, source),
        HeapError::Busy if island::Interrupter::current().is_raised() => {
            js_api::throw_call_error(ctx, CallError::Interrupted)
        }
        HeapError::Signature { .. }
        | HeapError::Destructor { .. }
        | HeapError::Foreign { .. }
        | HeapError::NotOurs { .. } => Exception::throw_type(ctx, &format!("{place}: {error}")),
        error => Exception::throw_range(ctx, &format!("{place}: {error}")),
    }
}

/// Throws an error of one of the language's own classes with a message of any length. (The engine's own functions cut
/// messages off.)
pub(crate) fn throw_long<'js>(ctx: &Ctx<'js>, class: &str, message: &str) -> rquickjs::Error {
    let made = || -> Result<Value<'js>> {
        let constructor: Value = crate::language::class(ctx, class)?;
        let message = qjs::string::from_utf8(ctx, message.as_bytes())?;
        qjs::function::construct(&constructor, &constructor, &[message])
    };
    match made() {
        Ok(error) => ctx.throw(error),
        Err(error) => error,
    }
}
