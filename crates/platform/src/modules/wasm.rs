//! WebAssembly modules as ES modules, after the ESM integration proposal.

use js_api::{ModuleObject, module_record};
use qjs::class;
use rquickjs::{Ctx, Module, Object, Persistent, Value, module::Declared};

use super::{
    inline,
    resolve::{Failure, permissions_of},
    url_to_path,
};
use crate::internal::state::Platform;

/// Whether the URL belongs to a WebAssembly module.
pub(super) fn is_wasm(url: &str) -> bool {
    url_to_path(url).is_some_and(|path| path.extension().is_some_and(|extension| extension == "wasm"))
}

/// A module's name in messages.
fn shown(url: &str) -> String {
    url_to_path(url).map_or_else(|| url.to_owned(), |path| path.display().to_string())
}

/// The Module object of a URL, compiled when it is first requested.
pub(super) fn source<'js>(ctx: &Ctx<'js>, url: &str) -> rquickjs::Result<Object<'js>> {
    let platform = Platform::of(ctx)?;
    let known = platform.wasm_modules.borrow().get(url).cloned();
    if let Some(module) = known {
        return module.restore(ctx);
    }
    let is_data = url.starts_with("data:application/wasm")
        || crate::web::blob::resolve(url).is_some_and(|(_, kind)| kind == "application/wasm");
    if !is_wasm(url) && !is_data {
        return Err(Failure::new(
            "SyntaxError",
            "ERR_SOURCE_PHASE_NOT_DEFINED",
            format!("Source phase import object is not defined for module '{url}'"),
        )
        .throw(ctx));
    }
    let bytes = match url_to_path(url) {
        Some(path) => {
            let read = permissions_of(ctx).read_module(&path);
            read.map_err(|error| Failure::unreadable(&path, error).throw(ctx))?
        }
        None => inline(ctx, url)?.0,
    };
    let module = module_record::parse(ctx, &bytes, &shown(url))?;
    platform.wasm_modules.borrow_mut().insert(url.to_owned(), Persistent::save(ctx, module.clone()));
    Ok(module)
}

/// The engine's module for a WebAssembly module: the engine resolves, links and orders its imports like those of any
/// other module.
pub(super) fn declare<'js>(ctx: &Ctx<'js>, url: &str) -> rquickjs::Result<Module<'js, Declared>> {
    let object = source(ctx, url)?.into_value();
    let module = module_of(&object)?;
    let imports = module.script_imports().map(|import| (&*import.module, &*import.name)).collect::<Vec<_>>();
    let exports = module.module.exports().iter().map(|export| &*export.name).collect::<Vec<_>>();
    let own = url.to_owned();
    qjs::module::declare(ctx, url, &imports, &exports, move |ctx, imports, exports| {
        let object = source(ctx, &own)?.into_value();
        module_record::execute(ctx, module_of(&object)?, imports, exports, &shown(&own))
    })
}

fn module_of<'a>(object: &'a Value<'_>) -> rquickjs::Result<&'a ModuleObject> {
    class::of::<ModuleObject>(object).ok_or(rquickjs::Error::Unknown)
}
