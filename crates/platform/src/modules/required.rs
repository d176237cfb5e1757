//! What `require` asks of packages.

use std::path::{Path, PathBuf};

use rquickjs::Ctx;

use super::package::{Found, Package, REQUIRE, Request};
use super::path_to_url;
use super::resolve::{Failure, find_package, permissions_of, private_import};

/// The name or path by which `require` goes on.
fn text(found: Found) -> String {
    match found {
        Found::Builtin(name) => name,
        Found::Path(path) => path.to_string_lossy().into_owned(),
    }
}

/// `main` of a folder's package.json.
pub(crate) fn main(ctx: &Ctx<'_>, folder: &Path) -> Result<Option<String>, Failure> {
    Ok(Package::read(ctx, folder)?.and_then(|package| package.text("main")))
}

/// `type` of the package that a file belongs to: `module`, `commonjs` or, if it has neither, `none`; `None` if there is
/// no package.
pub(crate) fn package_type(ctx: &Ctx<'_>, file: &Path) -> Result<Option<&'static str>, Failure> {
    let Some(package) = Package::scope(ctx, file)? else { return Ok(None) };
    Ok(Some(match package.text("type").as_deref() {
        Some("module") => "module",
        Some("commonjs") => "commonjs",
        _ => "none",
    }))
}

/// What a package's `exports` have for a subpath; `None` if it has no `exports`.
pub(crate) fn from_exports(ctx: &Ctx<'_>, folder: &Path, subpath: &str) -> Result<Option<String>, Failure> {
    let Some(package) = Package::read(ctx, folder)? else { return Ok(None) };
    let Some(exports) = package.field("exports") else { return Ok(None) };
    let request = Request { conditions: REQUIRE, base: None };
    let found = text(package.resolve_exports(&exports, subpath, request)?);
    let real = permissions_of(ctx).real_module(found.as_ref());
    Ok(Some(real.map_or(found, |real| real.to_string_lossy().into_owned())))
}

/// A request that names the requiring module's own package.
pub(crate) fn from_self(ctx: &Ctx<'_>, parent: &Path, name: &str) -> Result<Option<String>, Failure> {
    let Some(package) = Package::scope(ctx, parent)? else { return Ok(None) };
    let (Some(own), Some(exports)) = (package.text("name"), package.field("exports")) else { return Ok(None) };
    let subpath = match name.strip_prefix(&*own) {
        Some("") => ".".to_owned(),
        Some(rest) if rest.starts_with('/') => format!(".{rest}"),
        _ => return Ok(None),
    };
    let shown = parent.display().to_string();
    let request = Request { conditions: REQUIRE, base: Some(&shown) };
    package.resolve_exports(&exports, &subpath, request).map(|found| Some(text(found)))
}

/// A request that starts with `#`; `None` if the package has no `imports`.
pub(crate) fn from_imports(ctx: &Ctx<'_>, parent: &Path, specifier: &str) -> Result<Option<String>, Failure> {
    let Some(package) = Package::scope(ctx, parent)? else { return Ok(None) };
    if package.field("imports").is_none() {
        return Ok(None);
    }
    let shown = parent.display().to_string();
    let request = Request { conditions: REQUIRE, base: Some(&shown) };
    private_import(ctx, specifier, &path_to_url(parent), request).map(|found| Some(text(found)))
}

/// `module.findPackageJSON`: the package.json of a package or, without a specifier, of the parent's own.
pub(crate) fn find(ctx: &Ctx<'_>, specifier: &str, parent: &Path) -> Result<Option<String>, Failure> {
    let may = permissions_of(ctx);
    let shown = |folder: PathBuf| folder.join("package.json").to_string_lossy().into_owned();
    if specifier.is_empty() {
        // (A folder is asked for with a slash at its end; the scope of a file in it is meant.)
        let file = if may.is_module_folder(parent) == Some(true) { parent.join("file") } else { parent.to_owned() };
        return Ok(Package::scope(ctx, &file)?.map(|package| shown(package.folder)));
    }
    let end = specifier.match_indices('/').nth(usize::from(specifier.starts_with('@'))).map(|(index, _)| index);
    let name = &specifier[..end.unwrap_or(specifier.len())];
    if let Some(own) = Package::scope(ctx, parent)?
        && own.text("name").as_deref() == Some(name)
    {
        return Ok(Some(shown(own.folder)));
    }
    for folder in parent.ancestors().skip(1).filter(|folder| !folder.ends_with("node_modules")) {
        let folder = folder.join("node_modules").join(name);
        if may.is_module_folder(&folder.join("package.json")) == Some(false) {
            return Ok(Some(shown(may.real_module(&folder).unwrap_or(folder))));
        }
    }
    // Says what is wrong.
    let display = parent.display().to_string();
    let request = Request { conditions: REQUIRE, base: Some(&display) };
    find_package(ctx, specifier, &path_to_url(parent), request).map(|_| None)
}
