//! ES modules: resolution and loading after Node, and the modules that are built in.

mod builtins;
mod loader;
mod package;
mod resolve;
mod source_phase;
mod wasm;

use agent::EventLoop;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use rquickjs::{Ctx, Exception, Function, Module, Persistent, Value, context::EvalOptions};
use std::path::{Path, PathBuf};

pub use builtins::{BuiltinFn, Builtins};
pub(crate) use builtins::{builtin_for_script, names};
pub use loader::{ModuleLoader, ModuleResolver};

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
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
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
    // `import.meta.main` needs this before the evaluation starts.
    let platform = Platform::of(ctx)?;
    platform.main_url.replace(url.clone());
    EventLoop::of(ctx)?.run_jobs_first();
    let promise = Module::import(ctx, url.clone())?;
    *platform.main.borrow_mut() = Some((Persistent::save(ctx, promise), url));
    Ok(())
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
    let module = source_phase::declare(ctx, &url, source)?;
    loader::describe(ctx, &module, &url)?;
    let (_, promise) = module.eval()?;
    *platform.main.borrow_mut() = Some((Persistent::save(ctx, promise), url));
    Ok(())
}

/// The text of a script at a `file:` or `data:` URL.
///
/// # Errors
/// An error like the one that `fetch` would reject with, or one that names the file.
pub(crate) fn script_text(ctx: &Ctx<'_>, url: &str) -> rquickjs::Result<String> {
    if let Some(path) = url_to_path(url) {
        let text = std::fs::read(&path).map_err(|error| resolve::Failure::not_found(&path, &error).throw(ctx))?;
        return Ok(String::from_utf8_lossy(&text).into_owned());
    }
    let parsed: Value = internal::function(ctx, "data_url", "parse")?.call((url,))?;
    let bytes = match parsed.as_object() {
        Some(parsed) => crate::internal::bytes::copy_from(ctx, &parsed.get("bytes")?)?,
        None => None,
    };
    match bytes {
        Some(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        None => Err(Exception::throw_type(ctx, &format!("cannot load a script from {url}"))),
    }
}

/// Evaluates a classic script in the global scope.
///
/// # Errors
/// What the script throws.
pub(crate) fn run_classic(ctx: &Ctx<'_>, url: &str, text: String) -> rquickjs::Result<()> {
    let mut options = EvalOptions::default();
    options.strict = false;
    options.filename = Some(url.to_owned());
    ctx.eval_with_options::<Value, _>(text, options).map(drop)
}

/// Evaluates a worker's text: as an ES module if it has the syntax of one, otherwise as a script that has `require`.
///
/// # Errors
/// What the text throws.
pub(crate) fn run_eval(ctx: &Ctx<'_>, text: String) -> rquickjs::Result<()> {
    if loader::has_module_syntax(&text) {
        return run_source(ctx, "[worker eval]", &text);
    }
    let create: Function = internal::require(ctx, "module")?.get("createRequire")?;
    let folder = std::env::current_dir().unwrap_or_default().join("[worker eval]");
    let require: Value = create.call((path_to_url(&folder),))?;
    ctx.globals().set("require", require)?;
    run_classic(ctx, "[worker eval]", text)
}
