//! `--check`: whether a file parses. Nothing is run. What an ES module imports is loaded, since the engine does that when
//! it compiles one.

use rquickjs::Ctx;

use super::loader::{self, Format};
use super::{compile_common_js, linking, path_to_url, url_to_path};

/// Compiles a file as the program's main module, and does no more.
///
/// # Errors
/// A SyntaxError, and what else keeps the file, or what it imports, from being loaded.
pub fn check_file(ctx: &Ctx<'_>, path: &str) -> rquickjs::Result<()> {
    let absolute = std::env::current_dir().unwrap_or_default().join(path);
    let url = path_to_url(&std::fs::canonicalize(&absolute).unwrap_or(absolute));
    let (format, text) = loader::read(ctx, &url).map_err(|failure| failure.throw(ctx))??;
    match format {
        Format::Module => linking::es_module(ctx, &url, &text).map(drop),
        Format::CommonJs => {
            let path = url_to_path(&url).unwrap_or_default();
            compile_common_js(ctx, &text, &path.to_string_lossy()).map(drop)
        }
        Format::Json => ctx.json_parse(text).map(drop),
        // The command has other ways to look at one.
        Format::Wasm => Ok(()),
    }
}
