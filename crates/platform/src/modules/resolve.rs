//! ESM_RESOLVE: from a specifier and the importing module to the URL of a module.

use std::path::{Path, PathBuf};

use permissions::{Denied, Permissions};
use rquickjs::Ctx;
use url::Url;

use super::package::{Found, IMPORT, Package, Request};
use super::{path_to_url, url_to_path};
use crate::{
    internal::{errors, state::Platform},
    web::url::see_to_room,
};

/// Why a module cannot be imported, in Node's words.
#[derive(Debug)]
pub(crate) struct Failure {
    class: &'static str,
    code: &'static str,
    message: String,
    /// It is there or not, and the program may not know.
    denied: Option<Denied>,
}

impl Failure {
    pub(super) fn new(class: &'static str, code: &'static str, message: String) -> Self {
        Self { class, code, message, denied: None }
    }

    /// For what is not granted.
    pub(super) fn denied(denied: Denied) -> Self {
        Self { denied: Some(denied), ..Self::new("Error", "ERR_ACCESS_DENIED", String::new()) }
    }

    /// For a file that exists but cannot be read.
    pub(super) fn unreadable(path: &Path, error: permissions::Failure) -> Self {
        if let permissions::Failure::Denied(denied) = error {
            return Self::denied(denied);
        }
        Self::new("Error", "ERR_MODULE_NOT_FOUND", format!("Cannot read module '{}': {error}", path.display()))
    }

    /// For a worker's script that cannot be read.
    pub(super) fn not_found(path: &Path, error: permissions::Failure) -> Self {
        match &error {
            permissions::Failure::System(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Self::new("Error", "ERR_MODULE_NOT_FOUND", format!("Cannot find module '{}'", path.display()))
            }
            _ => Self::unreadable(path, error),
        }
    }

    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    pub(crate) fn throw(&self, ctx: &Ctx<'_>) -> rquickjs::Error {
        if let Some(denied) = &self.denied {
            return errors::throw_denied(ctx, denied);
        }
        errors::throw(ctx, self.class, self.code, &self.message)
    }
}

/// `import.meta.resolve`.
pub(crate) fn resolve_for_script(ctx: &Ctx<'_>, specifier: &str, base: &str) -> rquickjs::Result<String> {
    see_to_room(ctx, specifier.len())?;
    match resolve(ctx, specifier, base, false) {
        Ok(url) => Ok(url),
        Err(failure) => Err(failure.throw(ctx)),
    }
}

/// The URL or built-in name that `specifier` stands for in the module `base`. With `must_exist`, a missing file is an
/// error, and symbolic links are followed.
pub(super) fn resolve(ctx: &Ctx<'_>, specifier: &str, base: &str, must_exist: bool) -> Result<String, Failure> {
    if let Some(name) = builtin(ctx, specifier) {
        return Ok(name);
    }
    if specifier.starts_with("node:") {
        return Err(Failure::new(
            "Error",
            "ERR_UNKNOWN_BUILTIN_MODULE",
            format!("No such built-in module: {specifier}"),
        ));
    }
    let importer = importer(ctx, base);
    let shown = url_to_path(&importer).map_or_else(|| importer.clone(), |path| path.display().to_string());
    let request = Request { conditions: IMPORT, base: Some(&shown) };
    let relative = specifier.starts_with("./") || specifier.starts_with("../") || specifier.starts_with('/');
    let url = if relative || specifier == "." || specifier == ".." {
        Url::parse(&importer).and_then(|base| base.join(specifier)).map_err(|_| unsupported(specifier, &importer))?
    } else if let Ok(url) = Url::parse(specifier) {
        url
    } else {
        let found = if specifier.starts_with('#') {
            private_import(ctx, specifier, &importer, request)?
        } else if super::is_inline(&importer) {
            return Err(unsupported(specifier, &importer));
        } else {
            find_package(ctx, specifier, &importer, request)?
        };
        match found {
            Found::Builtin(name) => return Ok(name),
            Found::Path(path) => Url::parse(&path_to_url(&path))
                .map_err(|_| invalid(specifier, "is not a valid package name", request))?,
        }
    };
    match url.scheme() {
        "file" if must_exist => existing(ctx, &url, &shown),
        "file" | "data" | "blob" => Ok(url.into()),
        scheme => Err(Failure::new(
            "Error",
            "ERR_UNSUPPORTED_ESM_URL_SCHEME",
            format!(
                "Only URLs with a scheme in: file, data, and node are supported by the default ESM loader. Received \
                 protocol '{scheme}:'"
            ),
        )),
    }
}

/// The canonical name of a built-in module.
fn builtin(ctx: &Ctx<'_>, specifier: &str) -> Option<String> {
    Platform::of(ctx).ok()?.builtins.canonical(specifier)
}

/// What the agent may do.
pub(super) fn permissions_of(ctx: &Ctx<'_>) -> Permissions {
    Platform::of(ctx).map_or_else(|_| Permissions::none(), |platform| platform.options.permissions.clone())
}

/// Follows symbolic links and refuses folders.
fn existing(ctx: &Ctx<'_>, url: &Url, shown: &str) -> Result<String, Failure> {
    let lowered = url.path().to_ascii_lowercase();
    if lowered.contains("%2f") || lowered.contains("%5c") {
        return Err(Failure::new(
            "TypeError",
            "ERR_INVALID_MODULE_SPECIFIER",
            format!(
                "Invalid module \"{}\" must not include encoded \"/\" or \"\\\" characters imported from {shown}",
                url.path()
            ),
        ));
    }
    let path = url_to_path(url.as_str()).unwrap_or_default();
    let may = permissions_of(ctx);
    let held = may.module(&path, permissions::Module::Found);
    let real = held.and_then(|held| Ok((held.real()?, held.path().is_dir())));
    let (real, is_folder) = real.map_err(|failure| match failure {
        permissions::Failure::Denied(denied) => Failure::denied(denied),
        _ => Failure::new(
            "Error",
            "ERR_MODULE_NOT_FOUND",
            format!("Cannot find module '{}' imported from {shown}", path.display()),
        ),
    })?;
    if is_folder {
        return Err(Failure::new(
            "Error",
            "ERR_UNSUPPORTED_DIR_IMPORT",
            format!(
                "Directory import '{}' is not supported resolving ES modules imported from {shown}",
                path.display()
            ),
        ));
    }
    let mut result = path_to_url(&real);
    for (mark, part) in [('?', url.query()), ('#', url.fragment())] {
        if let Some(part) = part {
            result.push(mark);
            result.push_str(part);
        }
    }
    Ok(result)
}

/// The URL of the importing module: of a CommonJS module, whose name is its path; for a script without either, such as
/// what `new Function` makes, that of the main module.
fn importer(ctx: &Ctx<'_>, base: &str) -> String {
    if base.starts_with("file:") || super::is_inline(base) {
        return base.to_owned();
    }
    if base.starts_with('/') {
        return path_to_url(Path::new(base));
    }
    match Platform::of(ctx).map(|platform| platform.main_url.borrow().clone()) {
        Ok(url) if !url.is_empty() => url,
        _ => path_to_url(&std::env::current_dir().unwrap_or_default().join("[eval]")),
    }
}

/// ERR_INVALID_MODULE_SPECIFIER.
pub(super) fn invalid(specifier: &str, reason: &str, request: Request<'_>) -> Failure {
    Failure::new(
        "TypeError",
        "ERR_INVALID_MODULE_SPECIFIER",
        format!("Invalid module \"{specifier}\" {reason}{}", request.imported_from()),
    )
}

/// For what only a module in a file can import.
fn unsupported(specifier: &str, base: &str) -> Failure {
    Failure::new(
        "TypeError",
        "ERR_UNSUPPORTED_RESOLVE_REQUEST",
        format!(
            "Failed to resolve module specifier \"{specifier}\" from \"{base}\": Invalid relative URL or base scheme \
             is not hierarchical."
        ),
    )
}

/// PACKAGE_IMPORTS_RESOLVE for the importing file's package.
pub(crate) fn private_import(
    ctx: &Ctx<'_>,
    specifier: &str,
    importer: &str,
    request: Request<'_>,
) -> Result<Found, Failure> {
    if specifier == "#" || specifier.starts_with("#/") || specifier.ends_with('/') {
        return Err(invalid(specifier, "is not a valid internal imports specifier name", request));
    }
    let file = url_to_path(importer).unwrap_or_default();
    let scope = Package::scope(ctx, &file)?;
    if let Some(scope) = &scope
        && let Some(found) = scope.resolve_imports(specifier, request)?
    {
        return Ok(found);
    }
    let package = scope.map_or_else(String::new, |scope| format!(" in package {}", scope.file().display()));
    Err(Failure::new(
        "TypeError",
        "ERR_PACKAGE_IMPORT_NOT_DEFINED",
        format!("Package import specifier \"{specifier}\" is not defined{package}{}", request.imported_from()),
    ))
}

/// PACKAGE_RESOLVE: a built-in module, `name`, `name/sub/path`, `@scope/name/…`.
pub(super) fn find_package(
    ctx: &Ctx<'_>,
    specifier: &str,
    importer: &str,
    request: Request<'_>,
) -> Result<Found, Failure> {
    if let Some(name) = builtin(ctx, specifier) {
        return Ok(Found::Builtin(name));
    }
    let slashes = usize::from(specifier.starts_with('@'));
    let end = specifier.match_indices('/').nth(slashes).map_or(specifier.len(), |(index, _)| index);
    let (name, rest) = specifier.split_at(end);
    if name.is_empty() || name.starts_with('.') || name.contains(['\\', '%']) || (slashes == 1 && !name.contains('/')) {
        return Err(invalid(specifier, "is not a valid package name", request));
    }
    let subpath = format!(".{rest}");
    let file = url_to_path(importer).unwrap_or_default();
    if let Some(own) = Package::scope(ctx, &file)?
        && own.text("name").as_deref() == Some(name)
        && let Some(exports) = own.field("exports")
    {
        return own.resolve_exports(&exports, &subpath, request);
    }
    let may = permissions_of(ctx);
    for folder in file.ancestors().skip(1) {
        if folder.file_name().is_some_and(|name| name == "node_modules") {
            continue;
        }
        let folder = folder.join("node_modules").join(name);
        if may.is_module_folder(&folder) != Some(true) {
            continue;
        }
        let found = Package::read(ctx, &folder)?;
        if let Some(package) = &found
            && let Some(exports) = package.field("exports")
        {
            return package.resolve_exports(&exports, &subpath, request);
        }
        if rest.is_empty() {
            let main = found.and_then(|package| package.text("main"));
            return main_file(&may, &folder, main.as_deref())
                .map(Found::Path)
                .ok_or_else(|| missing_package(&folder.display().to_string(), request));
        }
        // (A path with a `..` may lead anywhere.)
        let base = Url::parse(&path_to_url(&folder.join("package.json"))).and_then(|base| base.join(&subpath));
        let path = base.ok().and_then(|url| url_to_path(url.as_str()));
        return path.map(Found::Path).ok_or_else(|| invalid(specifier, "is not a valid package name", request));
    }
    Err(missing_package(name, request))
}

fn missing_package(name: &str, request: Request<'_>) -> Failure {
    let message = format!("Cannot find package '{name}'{}", request.imported_from());
    Failure::new("Error", "ERR_MODULE_NOT_FOUND", message)
}

/// LOAD_AS_DIRECTORY's guesses for a package without `exports`.
fn main_file(may: &Permissions, folder: &Path, main: Option<&str>) -> Option<PathBuf> {
    let mut guesses = Vec::new();
    if let Some(main) = main {
        let main = main.trim_start_matches("./").trim_end_matches('/');
        let ends = ["", ".js", ".json", ".node", "/index.js", "/index.json", "/index.node"];
        guesses.extend(ends.map(|end| format!("{main}{end}")));
    }
    guesses.extend(["index.js", "index.json", "index.node"].map(str::to_owned));
    guesses.into_iter().map(|guess| folder.join(guess)).find(|path| may.is_module_folder(path) == Some(false))
}
