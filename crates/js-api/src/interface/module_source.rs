//! `%AbstractModuleSource%` (the source phase imports proposal), which `WebAssembly.Module` inherits from.

use qjs::define;
use qjs::function::{Kind, function, set_constructor};
use qjs::{Call, Ctx, Exception, Object, Result, Value, class};

use crate::interface::module::ModuleObject;

/// Makes it the parent of `WebAssembly.Module`; scripts find it in no other way.
pub(crate) fn define<'js>(ctx: &Ctx<'js>, module: &define::Interface<'js>) -> Result<()> {
    let constructor = function(ctx, Kind::Constructor, "AbstractModuleSource", 0, construct)?;
    let prototype = Object::new(ctx.clone())?;
    define::to_string_tag_getter(&prototype, to_string_tag)?;
    set_constructor(ctx, &constructor, &prototype);
    module.constructor.set_prototype(constructor.as_object())?;
    module.prototype.set_prototype(Some(&prototype))
}

fn construct<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    Err(Exception::throw_type(&call.ctx, "AbstractModuleSource: it is abstract, and cannot be constructed"))
}

fn to_string_tag<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    match class::get::<ModuleObject>(call.this) {
        Some(_) => qjs::string::from_utf8(&call.ctx, b"WebAssembly.Module"),
        None => Ok(Value::new_undefined(call.ctx)),
    }
}
