//! The engine's module hooks: names become URLs, URLs become modules.

use std::path::Path;

use qjs::define::Put as _;
use rquickjs::{
    Ctx, Function, Module, Object, Persistent, Value,
    loader::{ImportAttributes, Loader, Resolver},
    module::{Declarations, Declared, Exports, ModuleDef},
};

use super::{
    builtins,
    package::Package,
    resolve::{Failure, resolve, resolve_for_script},
    source_phase, url_to_path, wasm,
};
use crate::{internal::state::Platform, web::url::see_to_room};

/// Resolves specifiers as Node does; see [`ModuleLoader`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ModuleResolver;

impl Resolver for ModuleResolver {
    fn resolve<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        base: &str,
        name: &str,
        _attributes: Option<ImportAttributes<'js>>,
    ) -> rquickjs::Result<String> {
        let (phase, name) = match name.strip_prefix(source_phase::PREFIX) {
            Some(name) => (source_phase::PREFIX, name),
            None => ("", name),
        };
        see_to_room(ctx, name.len())?;
        let url = resolve(ctx, name, base, true).map_err(|failure| failure.throw(ctx))?;
        Ok(format!("{phase}{url}"))
    }
}

/// Loads what [`ModuleResolver`] resolved: built-in modules, JavaScript, JSON.
#[derive(Clone, Copy, Debug, Default)]
pub struct ModuleLoader;

impl Loader for ModuleLoader {
    fn load<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        name: &str,
        attributes: Option<ImportAttributes<'js>>,
    ) -> rquickjs::Result<Module<'js, Declared>> {
        if let Some(exports) = builtins::load(ctx, name)? {
            return synthetic(ctx, name, exports.into_value());
        }
        if let Some(url) = name.strip_prefix(source_phase::PREFIX) {
            let exports = Object::new(ctx.clone())?;
            exports.put("default", wasm::source(ctx, url)?)?;
            return synthetic(ctx, name, exports.into_value());
        }
        let kind = match &attributes {
            Some(attributes) => attributes.get_type()?,
            None => None,
        };
        load_file(ctx, name, kind.as_deref()).unwrap_or_else(|failure| Err(failure.throw(ctx)))
    }
}

fn load_file<'js>(
    ctx: &Ctx<'js>,
    url: &str,
    kind: Option<&str>,
) -> Result<rquickjs::Result<Module<'js, Declared>>, Failure> {
    if kind.is_none() && wasm::is_wasm(url) {
        return Ok(wasm::declare(ctx, url));
    }
    let path = url_to_path(url).unwrap_or_default();
    let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned()).unwrap_or_default();
    let bytes = std::fs::read(&path).map_err(|error| Failure::unreadable(&path, &error))?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    match (extension.as_str(), kind) {
        ("json", Some("json")) => return Ok(load_json(ctx, url, &path, text)),
        ("json", None) => {
            return Err(Failure::new(
                "TypeError",
                "ERR_IMPORT_ATTRIBUTE_MISSING",
                format!("Module \"{url}\" needs an import attribute of \"type: json\""),
            ));
        }
        (_, Some(kind)) => {
            return Err(Failure::new(
                "TypeError",
                "ERR_IMPORT_ATTRIBUTE_TYPE_INCOMPATIBLE",
                format!("Module \"{url}\" is not of type \"{kind}\""),
            ));
        }
        ("node", None) => {
            return Err(Failure::new(
                "TypeError",
                "ERR_UNKNOWN_FILE_EXTENSION",
                format!("Unknown file extension \".{extension}\" for {}", path.display()),
            ));
        }
        _ => {}
    }
    if is_common_js(ctx, &path, &extension, text)? {
        return Err(Failure::new(
            "Error",
            "ERR_UNSUPPORTED_COMMONJS",
            format!("{} is a CommonJS module, which cannot be imported yet", path.display()),
        ));
    }
    let declare = || -> rquickjs::Result<Module<'js, Declared>> {
        let module = source_phase::declare(ctx, url, text)?;
        describe(ctx, &module, url)?;
        Ok(module)
    };
    Ok(declare())
}

/// Decides as Node does: by extension, by package scope and, if neither says, by the syntax. A program's own `.js`
/// files are ES modules; only files of installed packages are examined this closely.
fn is_common_js(ctx: &Ctx<'_>, path: &Path, extension: &str, text: &str) -> Result<bool, Failure> {
    match extension {
        "mjs" => return Ok(false),
        "cjs" => return Ok(true),
        _ => {}
    }
    match Package::scope(ctx, path)?.and_then(|package| package.text("type")).as_deref() {
        Some("module") => return Ok(false),
        Some("commonjs") => return Ok(true),
        _ => {}
    }
    if !path.components().any(|component| component.as_os_str() == "node_modules") {
        return Ok(false);
    }
    let has_common_js_names = ["module.exports", "exports.", "require("].iter().any(|name| text.contains(name));
    Ok(!has_module_syntax(text) && has_common_js_names)
}

/// Whether a text looks like an ES module.
pub(super) fn has_module_syntax(text: &str) -> bool {
    let starts = ["import ", "import{", "import\"", "import'", "import*", "export ", "export{", "export*"];
    let is_module_line = |line: &str| starts.iter().any(|start| line.trim_start().starts_with(start));
    text.contains("import.meta") || text.lines().any(is_module_line)
}

/// Sets the properties of `import.meta`.
pub(super) fn describe<'js>(ctx: &Ctx<'js>, module: &Module<'js, Declared>, url: &str) -> rquickjs::Result<()> {
    let meta: Object = module.meta()?;
    if let Some(path) = url_to_path(url) {
        meta.put("dirname", path.parent().map(|folder| folder.to_string_lossy().into_owned()))?;
        meta.put("filename", path.to_string_lossy().into_owned())?;
    }
    meta.put("main", *Platform::of(ctx)?.main_url.borrow() == url)?;
    let base = url.to_owned();
    let resolve = Function::new(ctx.clone(), move |ctx: Ctx<'js>, specifier: Value<'js>| {
        resolve_for_script(&ctx, &qjs::string::to_usv(&ctx, qjs::Borrowed::of(&specifier))?, &base)
    })?;
    meta.put("resolve", resolve.with_name("resolve")?)?;
    meta.put("url", url)
}

fn load_json<'js>(ctx: &Ctx<'js>, url: &str, path: &Path, text: &str) -> rquickjs::Result<Module<'js, Declared>> {
    let Ok(value) = ctx.json_parse(text) else {
        let reason = ctx.catch();
        let reason = reason.as_exception().and_then(|error| error.message()).unwrap_or_default();
        let message = format!("{}: {reason}", path.display());
        return Err(rquickjs::Exception::throw_syntax(ctx, &message));
    };
    let exports = Object::new(ctx.clone())?;
    exports.put("default", value)?;
    synthetic(ctx, url, exports.into_value())
}

/// A module whose exports are the properties of an object.
fn synthetic<'js>(ctx: &Ctx<'js>, name: &str, exports: Value<'js>) -> rquickjs::Result<Module<'js, Declared>> {
    Platform::of(ctx)?.stash.borrow_mut().insert(name.to_owned(), Persistent::save(ctx, exports));
    Module::declare_def::<Synthetic, _>(ctx.clone(), name)
}

struct Synthetic;

impl Synthetic {
    fn exports<'js>(ctx: &Ctx<'js>, name: &str) -> rquickjs::Result<Object<'js>> {
        let stashed = Platform::of(ctx)?.stash.borrow().get(name).cloned();
        match stashed {
            Some(value) => Object::from_value(value.restore(ctx)?),
            None => Err(rquickjs::Exception::throw_internal(ctx, "a synthetic module lost its exports")),
        }
    }
}

impl ModuleDef for Synthetic {
    fn declare<'js>(declarations: &Declarations<'js>) -> rquickjs::Result<()> {
        let module = declarations.module();
        let exports = Self::exports(module.ctx(), &module.name::<String>()?)?;
        for key in exports.keys::<String>() {
            let key = key?;
            if key != "default" {
                declarations.declare(key)?;
            }
        }
        declarations.declare("default")?;
        Ok(())
    }

    fn evaluate<'js>(ctx: &Ctx<'js>, exports: &Exports<'js>) -> rquickjs::Result<()> {
        let name = exports.module().name::<String>()?;
        let object = Self::exports(ctx, &name)?;
        Platform::of(ctx)?.stash.borrow_mut().remove(&name);
        for key in object.keys::<String>() {
            let key = key?;
            if key != "default" {
                exports.export(key.as_str(), object.get::<_, Value>(key.as_str())?)?;
            }
        }
        let own: Value = qjs::pristine::copy(&object, "default")?.get("default")?;
        let default = if own.is_undefined() { object.into_value() } else { own };
        exports.export("default", default)?;
        Ok(())
    }
}
