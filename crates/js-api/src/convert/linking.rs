//! Which island an instance goes to, and what stands there for a function of another island.

use island::wasmtime::Func;
use qjs::{Borrowed, Ctx, Exception, Result, Value, class};

use crate::convert::errors::{ErrorClass, throw};
use crate::convert::function::{ExportedFunction, HostImport};
use crate::convert::typed_function::TypedFunction;
use crate::runtime::island_realm::IslandHandle;

/// An import that cannot be used in any island but its own.
pub(crate) struct Bound {
    pub(crate) link: IslandHandle,
    /// `env.table`, for messages.
    pub(crate) name: String,
    /// `table`, `memory` or `global`.
    pub(crate) kind: &'static str,
}

/// Chooses the island: the one that all bound imports are in, else that of the first imported function, else a new one.
/// For an instance that passes objects to scripts, which cannot leave their island, it is the one that such instances
/// share.
///
/// # Errors
/// A LinkError if bound imports are of different islands.
pub(crate) fn choose_island<'a>(
    ctx: &Ctx<'_>,
    bound: &[Bound],
    mut functions: impl Iterator<Item = &'a IslandHandle>,
    passes_objects: bool,
) -> Result<IslandHandle> {
    if let Some(first) = bound.first() {
        if let Some(other) = bound.iter().find(|other| !other.link.is_same(&first.link)) {
            let message = format!(
                "import {}: this {} belongs to instances that are not linked with those of import {} ({}); \
                 link them through imports when they are instantiated, or run with the one-island option",
                other.name, other.kind, first.name, first.kind
            );
            return Err(throw(ctx, ErrorClass::Link, &message));
        }
        return Ok(first.link.duplicate());
    }
    match functions.next() {
        Some(link) => Ok(link.duplicate()),
        None => IslandHandle::for_new_instance(ctx, passes_objects),
    }
}

/// The function of the link's island that stands for an Exported Function: itself, or one that calls it.
pub(crate) fn local_function(ctx: &Ctx<'_>, link: &IslandHandle, value: &Value<'_>) -> Result<Func> {
    let exported = class::get::<ExportedFunction>(Borrowed::of(value));
    if let Some(function) = exported.filter(|function| function.link().is_same(link)) {
        // A guest may be all that keeps the function, and then its object must not be made anew.
        link.shared.pin(function.key(), value);
        return Ok(function.callee().func());
    }
    if let Some(func) = link.shared.stand_in(value) {
        return Ok(func);
    }
    let func = match (exported, class::get::<TypedFunction>(Borrowed::of(value))) {
        (Some(function), _) => host_function(ctx, link, value, function.label(), function.callee().ty().clone())?,
        (None, Some(function)) => {
            host_function(ctx, link, &function.callable(ctx), "a WebAssembly.Function", function.ty().clone())?
        }
        (None, None) => return Err(Exception::throw_type(ctx, "expected an exported WebAssembly function")),
    };
    // Whoever reads the reference back gets the function itself.
    link.shared.pin(link.key(func), value);
    link.shared.add_stand_in(value, func);
    Ok(func)
}

/// "Create a host function" from a callable.
///
/// # Errors
/// If the type belongs to another engine, which no value of this runtime does.
pub(crate) fn host_function(
    ctx: &Ctx<'_>,
    link: &IslandHandle,
    callable: &Value<'_>,
    name: &str,
    ty: island::wasmtime::FuncType,
) -> Result<Func> {
    let import = link.shared.keep_import(callable);
    let host = HostImport::new(&link.shared, import, name, &ty);
    let func = link.shared.island.new_function(ty, host);
    func.ok_or_else(|| Exception::throw_type(ctx, "the function's type belongs to another engine"))
}
