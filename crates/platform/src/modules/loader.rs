//! The engine's module hooks: names become URLs, URLs become modules.

use std::path::Path;

use qjs::define::Put as _;
use rquickjs::{
    Ctx, Function, Module, Object, Persistent, Value,
    loader::{ImportAttributes, Loader, Resolver},
    module::{Declarations, Declared, Exports, ModuleDef},
};

use super::{
    builtins, inline, is_inline, linking, required,
    resolve::{Failure, permissions_of, resolve, resolve_for_script},
    source_phase, syntax, url_to_path, wasm,
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

/// Loads what [`ModuleResolver`] resolved: built-in modules, JavaScript of either kind, JSON, WebAssembly.
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
    if let Some(kind) = kind
        && kind != "json"
    {
        return Err(Failure::new(
            "TypeError",
            "ERR_IMPORT_ATTRIBUTE_UNSUPPORTED",
            format!("Import attribute \"type\" with value \"{kind}\" is not supported in {url}"),
        ));
    }
    let (format, text) = match read(ctx, url)? {
        Ok(read) => read,
        Err(error) => return Ok(Err(error)),
    };
    match (format, kind) {
        (Format::Json, Some(_)) => Ok(load_json(ctx, url, &text)),
        (Format::Json, None) => Err(Failure::new(
            "TypeError",
            "ERR_IMPORT_ATTRIBUTE_MISSING",
            format!("Module \"{url}\" needs an import attribute of \"type: json\""),
        )),
        (_, Some(kind)) => Err(Failure::new(
            "TypeError",
            "ERR_IMPORT_ATTRIBUTE_TYPE_INCOMPATIBLE",
            format!("Module \"{url}\" is not of type \"{kind}\""),
        )),
        (Format::Wasm, None) => Ok(wasm::declare(ctx, url)),
        (Format::CommonJs, None) => Ok(linking::common_js(ctx, url, &text)),
        (Format::Module, None) => Ok(linking::es_module(ctx, url, &text)),
    }
}

/// What the text of a module is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Module,
    CommonJs,
    Json,
    Wasm,
}

impl Format {
    /// Whether a file has types that are stripped from it.
    pub(super) fn is_typed(path: &Path) -> bool {
        path.extension().is_some_and(|extension| ["ts", "mts", "cts"].iter().any(|typed| extension == *typed))
    }

    /// ESM_FILE_FORMAT: by extension, by package and, if neither says, by the syntax of `text`, which has no types any
    /// more.
    pub(super) fn of(ctx: &Ctx<'_>, path: &Path, text: &str) -> Result<Self, Failure> {
        let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned());
        let package = || required::package_type(ctx, path);
        match extension.as_deref() {
            Some("mjs" | "mts") => Ok(Self::Module),
            Some("cjs" | "cts") => Ok(Self::CommonJs),
            Some("json") => Ok(Self::Json),
            Some("wasm") => Ok(Self::Wasm),
            Some("js" | "ts") | None => Ok(match package()? {
                Some("module") => Self::Module,
                Some("commonjs") => Self::CommonJs,
                _ if syntax::is_module(text) => Self::Module,
                _ => Self::CommonJs,
            }),
            Some(extension) => Err(Failure::new(
                "TypeError",
                "ERR_UNKNOWN_FILE_EXTENSION",
                format!("Unknown file extension \".{extension}\" for {}", path.display()),
            )),
        }
    }
}

/// Reads a module: its format, and its text without types.
pub(super) fn read(ctx: &Ctx<'_>, url: &str) -> Result<rquickjs::Result<(Format, String)>, Failure> {
    if is_inline(url) {
        return Ok(read_inline(ctx, url));
    }
    if wasm::is_wasm(url) {
        return Ok(Ok((Format::Wasm, String::new())));
    }
    let path = url_to_path(url).unwrap_or_default();
    let bytes = permissions_of(ctx).read_module(&path).map_err(|error| Failure::unreadable(&path, error))?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    if !Format::is_typed(&path) {
        return Ok(Ok((Format::of(ctx, &path, text)?, text.to_owned())));
    }
    let stripped = match super::strip_types(ctx, text, &path.to_string_lossy()) {
        Ok(stripped) => stripped,
        Err(error) => return Ok(Err(error)),
    };
    Ok(Ok((Format::of(ctx, &path, &stripped)?, stripped)))
}

/// A `data:` or `blob:` URL, whose format is its MIME type; a Blob without a type is taken for JavaScript.
fn read_inline(ctx: &Ctx<'_>, url: &str) -> rquickjs::Result<(Format, String)> {
    let (bytes, mime) = inline(ctx, url)?;
    let essence = mime.split(';').next().unwrap_or_default();
    let format = match essence {
        "text/javascript" | "application/javascript" => Format::Module,
        "" if url.starts_with("blob:") => Format::Module,
        "application/json" => Format::Json,
        "application/wasm" => return Ok((Format::Wasm, String::new())),
        _ => {
            let message = format!("Unknown module format: {essence} for URL {url}");
            return Err(Failure::new("RangeError", "ERR_UNKNOWN_MODULE_FORMAT", message).throw(ctx));
        }
    };
    Ok((format, String::from_utf8_lossy(&bytes).into_owned()))
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

fn load_json<'js>(ctx: &Ctx<'js>, url: &str, text: &str) -> rquickjs::Result<Module<'js, Declared>> {
    let Ok(value) = ctx.json_parse(text) else {
        let reason = ctx.catch();
        let reason = reason.as_exception().and_then(|error| error.message()).unwrap_or_default();
        let shown = url_to_path(url).map_or_else(|| url.to_owned(), |path| path.display().to_string());
        let message = format!("{shown}: {reason}");
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
