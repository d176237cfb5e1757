//! The roof: puts what all the other files define into a context.

use qjs::{Ctx, Object, Result, class};

use crate::runtime::api::{Api, Options};

/// Has errors of the context tell of guests' frames too. [`install`] does the same; to be called before anything else
/// that changes `Error`.
///
/// # Errors
/// When memory is out.
pub fn prepare_errors(ctx: &Ctx<'_>) -> Result<()> {
    crate::convert::stacks::install(ctx)
}

/// Defines the `WebAssembly` namespace in the context's global object.
///
/// # Errors
/// A TypeError if this runtime has the namespace already, in this context or another: the API's state belongs to the
/// runtime. Also when memory is out.
pub fn install(ctx: &Ctx<'_>, options: Options) -> Result<()> {
    let has_responses = options.response_bytes.is_some();
    Api::new(ctx, options)?;
    qjs::shared::install(ctx);
    qjs::buffer::install(ctx)?;
    crate::runtime::limits::prepare(ctx)?;
    class::register::<crate::runtime::island_realm::Anchor>(ctx)?;
    class::register_callable::<crate::ExportedFunction>(ctx)?;
    qjs::lazy::register::<crate::interface::instance::ExportsObject>(ctx)?;
    crate::interface::wasi::register(ctx)?;
    let namespace = Object::new(ctx.clone())?;
    qjs::define::to_string_tag(&namespace, "WebAssembly")?;
    let module = crate::interface::module::define(ctx, &namespace)?;
    crate::interface::module_source::define(ctx, &module)?;
    crate::interface::instance::define(ctx, &namespace)?;
    crate::interface::memory::define(ctx, &namespace)?;
    crate::interface::table::define(ctx, &namespace)?;
    crate::interface::global::define(ctx, &namespace)?;
    crate::interface::tag::define(ctx, &namespace)?;
    crate::convert::exception::define(ctx, &namespace)?;
    crate::convert::gc_object::define(ctx)?;
    crate::convert::typed_function::define(ctx, &namespace)?;
    crate::convert::errors::define(ctx, &namespace)?;
    crate::interface::promise_integration::define(ctx, &namespace)?;
    crate::interface::module_record::define(ctx, &namespace)?;
    crate::interface::namespace::define(ctx, &namespace)?;
    if has_responses {
        crate::interface::streaming::define(ctx, &namespace)?;
    }
    crate::runtime::buffers::define(ctx)?;
    crate::interface::builtins::define(ctx)?;
    crate::interface::atomics::define(ctx)?;
    qjs::define::value(&ctx.globals(), "WebAssembly", namespace.as_value(), qjs::define::Attributes::Hidden)
}
