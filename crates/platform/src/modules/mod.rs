//! Modules: resolution and loading after Node, and the modules that are built in.

mod builtins;
mod check;
mod code;
mod importer;
mod linking;
mod loader;
mod package;
pub(crate) mod required;
mod resolve;
mod source_phase;
mod strip;
pub(crate) mod syntax;
mod wasm;

use agent::EventLoop;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use qjs::eval::Script;
use rquickjs::{Ctx, Exception, Function, Module, Persistent, Value};
use std::path::{Path, PathBuf};

pub use builtins::{BuiltinFn, Builtins};
pub(crate) use builtins::{builtin_for_script, names};
pub use check::check_file;
pub use code::{Code, CodeKind, run_code};
pub(crate) use importer::{Importer, importer_of};
pub(crate) use linking::{Linking, facade, require_module};
pub use loader::{ModuleLoader, ModuleResolver};
pub(crate) use resolve::Failure;
pub(crate) use strip::strip_types;
pub(crate) use syntax::parsed;

use crate::internal;
use crate::internal::state::Platform;

/// What `pathToFileURL` encodes in addition to what the URL parser does.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'~')
    .add(b'}');

/// The `file:` URL of an absolute path.
pub(crate) fn path_to_url(path: &Path) -> String {
    let encoded = utf8_percent_encode(&path.to_string_lossy(), PATH).to_string();
    format!("file://{encoded}")
}

/// The path of a `file:` URL, without its query and fragment.
pub(crate) fn url_to_path(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("file://")?;
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let path = percent_decode_str(&rest[..end]).decode_utf8_lossy().into_owned();
    path.starts_with('/').then(|| PathBuf::from(path))
}

/// Evaluates `path` as the program's main module. The rest of the program runs in the agent's loop: if the module's
/// promise is rejected, that is an uncaught error, and if it never settles, the exit code is 13.
///
/// # Errors
/// Throws when the engine cannot make a promise; if the module is not found or does not parse, its promise is rejected.
pub fn run_main(ctx: &Ctx<'_>, path: &str) -> rquickjs::Result<()> {
    let absolute = std::env::current_dir().unwrap_or_default().join(path);
    let real = std::fs::canonicalize(&absolute).unwrap_or(absolute);
    run_main_url(ctx, path_to_url(&real))
}

/// [`run_main`] for a URL.
pub(crate) fn run_main_url(ctx: &Ctx<'_>, url: String) -> rquickjs::Result<()> {
    match url_to_path(&url) {
        Some(path) if !is_main_module(ctx, &path)? => {
            Platform::of(ctx)?.main_url.replace(url);
            internal::function(ctx, "common_js", "runMain")?.call((path.to_string_lossy().into_owned(),))
        }
        _ => import_main(ctx, url),
    }
}

/// Whether a main file is surely an ES module. Otherwise it is compiled as CommonJS first.
fn is_main_module(ctx: &Ctx<'_>, path: &Path) -> rquickjs::Result<bool> {
    let may = resolve::permissions_of(ctx);
    if may.is_module_folder(path) != Some(false) {
        // A folder, or a file without its extension.
        return Ok(path.extension().is_some_and(|extension| extension == "mjs" || extension == "mts"));
    }
    let extension = path.extension().unwrap_or_default();
    match extension.to_str() {
        Some("mjs" | "mts" | "wasm") => return Ok(true),
        Some("cjs" | "cts" | "json" | "node") => return Ok(false),
        _ => {}
    }
    let package = required::package_type(ctx, path).map_err(|failure| failure.throw(ctx))?;
    match package {
        Some("module") => return Ok(true),
        Some("commonjs") => return Ok(false),
        _ => {}
    }
    let is_script = extension == "js";
    Ok(is_script
        && may.read_module(path).is_ok_and(|bytes| {
            let text = text_of(&bytes);
            syntax::looks_like_module(&text) && syntax::is_module(&text)
        }))
}

/// Evaluates a file as the program's main module, which is an ES module.
pub(crate) fn run_main_module(ctx: &Ctx<'_>, path: &Path) -> rquickjs::Result<()> {
    import_main(ctx, path_to_url(path))
}

fn import_main(ctx: &Ctx<'_>, url: String) -> rquickjs::Result<()> {
    // `import.meta.main` needs this before the evaluation starts.
    let platform = Platform::of(ctx)?;
    platform.main_url.replace(url.clone());
    EventLoop::of(ctx)?.run_jobs_first();
    let promise = Module::import(ctx, url.clone())?;
    *platform.main.borrow_mut() = Some((Persistent::save(ctx, promise), url));
    Ok(())
}

/// A file's text.
pub(crate) fn text_of(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Compiles a CommonJS module. Its name in stacks, and the base of its `import()`, is its path.
///
/// # Errors
/// A SyntaxError.
pub(crate) fn compile_common_js<'js>(ctx: &Ctx<'js>, text: &str, path: &str) -> rquickjs::Result<Function<'js>> {
    let parameters = "exports, require, module, __filename, __dirname";
    match text.strip_prefix("#!") {
        Some(rest) => qjs::script::compile_function(ctx, parameters, &["//", rest].concat(), path),
        None => qjs::script::compile_function(ctx, parameters, text, path),
    }
}

/// Evaluates `source` as the main module, an ES module called `name` in the current directory.
///
/// # Errors
/// Throws when the source does not parse.
pub fn run_source(ctx: &Ctx<'_>, name: &str, source: &str) -> rquickjs::Result<()> {
    run_main_text(ctx, path_to_url(&std::env::current_dir().unwrap_or_default().join(name)), source)
}

/// [`run_source`] for a text with its URL.
pub(crate) fn run_main_text(ctx: &Ctx<'_>, url: String, source: &str) -> rquickjs::Result<()> {
    let platform = Platform::of(ctx)?;
    platform.main_url.replace(url.clone());
    EventLoop::of(ctx)?.run_jobs_first();
    let module = linking::es_module(ctx, &url, source)?;
    let (_, promise) = module.eval()?;
    *platform.main.borrow_mut() = Some((Persistent::save(ctx, promise), url));
    Ok(())
}

/// The names of the built-in modules that have `node:` in front of them.
pub(crate) fn public_names() -> Vec<&'static str> {
    crate::features::modules().filter(|name| !name.starts_with('_') && !name.contains(':')).collect()
}

/// Whether a URL has its text with it: those with the schemes `data:` and `blob:`.
pub(crate) fn is_inline(url: &str) -> bool {
    url.starts_with("data:") || url.starts_with("blob:")
}

/// The text of a script at a `file:`, `data:` or `blob:` URL.
///
/// # Errors
/// An error like the one that `fetch` would reject with, or one that names the file.
pub(crate) fn script_text(ctx: &Ctx<'_>, url: &str) -> rquickjs::Result<String> {
    if let Some(path) = url_to_path(url) {
        let read = resolve::permissions_of(ctx).read_module(&path);
        let text = read.map_err(|error| resolve::Failure::not_found(&path, error).throw(ctx))?;
        return Ok(String::from_utf8_lossy(&text).into_owned());
    }
    inline(ctx, url).map(|(bytes, _)| String::from_utf8_lossy(&bytes).into_owned())
}

/// The bytes and the MIME type of a `data:` or `blob:` URL.
///
/// # Errors
/// A TypeError if it is none.
pub(crate) fn inline(ctx: &Ctx<'_>, url: &str) -> rquickjs::Result<(Vec<u8>, String)> {
    if let Some((bytes, kind)) = crate::web::blob::resolve(url) {
        qjs::room::check(ctx, bytes.len())?;
        return Ok((bytes.to_vec(), kind));
    }
    let parsed: Value = internal::function(ctx, "data_url", "parse")?.call((url,))?;
    if let Some(parsed) = parsed.as_object()
        && let Some(bytes) = crate::internal::bytes::copy_from(ctx, &parsed.get("bytes")?)?
    {
        return Ok((bytes, parsed.get("type")?));
    }
    Err(Exception::throw_type(ctx, &format!("cannot load a script from {url}")))
}

/// Evaluates a classic script in the global scope.
///
/// # Errors
/// What the script throws.
pub(crate) fn run_classic(ctx: &Ctx<'_>, url: &str, text: &str) -> rquickjs::Result<()> {
    Script { source: text, file: url, line: 1 }.run(ctx).map(drop)
}

/// Evaluates a worker's text: as an ES module if it has the syntax of one, otherwise as a script that has `require`.
///
/// # Errors
/// What the text throws.
pub(crate) fn run_eval(ctx: &Ctx<'_>, text: String) -> rquickjs::Result<()> {
    if syntax::is_module(&text) {
        return run_source(ctx, "[worker eval]", &text);
    }
    let name = "[worker eval]";
    internal::function(ctx, "common_js", "prepareText")?.call::<_, Value>((name,))?;
    run_classic(ctx, name, &text)
}
