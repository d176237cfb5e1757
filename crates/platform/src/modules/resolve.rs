//! ESM_RESOLVE: from a specifier and the importing module to the URL of a module.

use std::path::{Path, PathBuf};

use rquickjs::Ctx;
use url::Url;

use super::{package::Package, path_to_url, url_to_path};
use crate::{
    internal::{errors, state::Platform},
    web::url::see_to_room,
};

/// Why a module cannot be imported, in Node's words.
pub(crate) struct Failure {
    class: &'static str,
    code: &'static str,
    message: String,
}

impl Failure {
    pub(super) fn new(class: &'static str, code: &'static str, message: String) -> Self {
        Self { class, code, message }
    }

    /// For a file that exists but cannot be read.
    pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self::new("Error", "ERR_MODULE_NOT_FOUND", format!("Cannot read module '{}': {error}", path.display()))
    }

    /// For a worker's script that cannot be read.
    pub(super) fn not_found(path: &Path, error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => {
                Self::new("Error", "ERR_MODULE_NOT_FOUND", format!("Cannot find module '{}'", path.display()))
            }
            _ => Self::unreadable(path, error),
        }
    }

    pub(super) fn throw(&self, ctx: &Ctx<'_>) -> rquickjs::Error {
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
    if let Ok(platform) = Platform::of(ctx)
        && let Some(name) = platform.builtins.canonical(specifier)
    {
        return Ok(name);
    }
    if specifier.starts_with("node:") {
        return Err(Failure::new(
            "Error",
            "ERR_UNKNOWN_BUILTIN_MODULE",
            format!("No such built-in module: {specifier}"),
        ));
    }
    let importer = importer(base);
    let shown = url_to_path(&importer).map_or_else(|| importer.clone(), |path| path.display().to_string());
    let relative = specifier.starts_with("./") || specifier.starts_with("../") || specifier.starts_with('/');
    let url = if relative || specifier == "." || specifier == ".." {
        Url::parse(&importer).and_then(|base| base.join(specifier)).map_err(|_| invalid(specifier, &shown))?
    } else if let Ok(url) = Url::parse(specifier) {
        url
    } else {
        let path = if specifier.starts_with('#') {
            private_import(ctx, specifier, &importer, &shown)?
        } else {
            package(ctx, specifier, &importer, &shown)?
        };
        Url::parse(&path_to_url(&path)).map_err(|_| invalid(specifier, &shown))?
    };
    if url.scheme() != "file" {
        return Err(Failure::new(
            "Error",
            "ERR_UNSUPPORTED_ESM_URL_SCHEME",
            format!(
                "Only URLs with a scheme in: file and node are supported by the default ESM loader. Received protocol \
                 '{}:'",
                url.scheme()
            ),
        ));
    }
    if !must_exist {
        return Ok(url.into());
    }
    existing(&url, &shown)
}

/// Follows symbolic links and refuses folders.
fn existing(url: &Url, shown: &str) -> Result<String, Failure> {
    let lowered = url.path().to_ascii_lowercase();
    if lowered.contains("%2f") || lowered.contains("%5c") {
        return Err(Failure::new(
            "TypeError",
            "ERR_INVALID_MODULE_SPECIFIER",
            format!("Invalid module \"{}\" must not include encoded \"/\" or \"\\\" characters", url.path()),
        ));
    }
    let path = url_to_path(url.as_str()).unwrap_or_default();
    let Ok(real) = std::fs::canonicalize(&path) else {
        return Err(Failure::new(
            "Error",
            "ERR_MODULE_NOT_FOUND",
            format!("Cannot find module '{}' imported from {shown}", path.display()),
        ));
    };
    if real.is_dir() {
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

/// The URL of the importing module; for a script without a URL, that of the current directory.
fn importer(base: &str) -> String {
    if base.starts_with("file:") {
        return base.to_owned();
    }
    path_to_url(&std::env::current_dir().unwrap_or_default().join("[eval]"))
}

fn invalid(specifier: &str, shown: &str) -> Failure {
    Failure::new(
        "TypeError",
        "ERR_INVALID_MODULE_SPECIFIER",
        format!("Invalid module \"{specifier}\" is not a valid package name imported from {shown}"),
    )
}

fn private_import(ctx: &Ctx<'_>, specifier: &str, importer: &str, shown: &str) -> Result<PathBuf, Failure> {
    let file = url_to_path(importer).unwrap_or_default();
    if let Some(scope) = Package::scope(ctx, &file)?
        && let Some(path) = scope.resolve_imports(specifier)?
    {
        return Ok(path);
    }
    Err(Failure::new(
        "TypeError",
        "ERR_PACKAGE_IMPORT_NOT_DEFINED",
        format!("Package import specifier \"{specifier}\" is not defined imported from {shown}"),
    ))
}

/// PACKAGE_RESOLVE: `name`, `name/sub/path`, `@scope/name/…`.
fn package(ctx: &Ctx<'_>, specifier: &str, importer: &str, shown: &str) -> Result<PathBuf, Failure> {
    let slashes = usize::from(specifier.starts_with('@'));
    let end = specifier.match_indices('/').nth(slashes).map_or(specifier.len(), |(index, _)| index);
    let (name, rest) = specifier.split_at(end);
    if name.is_empty() || name.starts_with('.') || name.contains(['\\', '%']) || (slashes == 1 && !name.contains('/')) {
        return Err(invalid(specifier, shown));
    }
    let subpath = format!(".{rest}");
    let file = url_to_path(importer).unwrap_or_default();
    if let Some(own) = Package::scope(ctx, &file)?
        && own.text("name").as_deref() == Some(name)
        && let Some(exports) = own.field("exports")
    {
        return own.resolve_exports(&exports, &subpath, shown);
    }
    for folder in file.ancestors().skip(1) {
        if folder.file_name().is_some_and(|name| name == "node_modules") {
            continue;
        }
        let folder = folder.join("node_modules").join(name);
        if !folder.is_dir() {
            continue;
        }
        let found = Package::read(ctx, &folder)?;
        if let Some(package) = &found
            && let Some(exports) = package.field("exports")
        {
            return package.resolve_exports(&exports, &subpath, shown);
        }
        if rest.is_empty() {
            let main = found.and_then(|package| package.text("main"));
            return main_file(&folder, main.as_deref())
                .ok_or_else(|| missing_package(&folder.display().to_string(), shown));
        }
        return Ok(folder.join(rest.trim_start_matches('/')));
    }
    Err(missing_package(name, shown))
}

fn missing_package(name: &str, shown: &str) -> Failure {
    Failure::new("Error", "ERR_MODULE_NOT_FOUND", format!("Cannot find package '{name}' imported from {shown}"))
}

/// LOAD_AS_DIRECTORY's guesses for a package without `exports`.
fn main_file(folder: &Path, main: Option<&str>) -> Option<PathBuf> {
    let mut guesses = Vec::new();
    if let Some(main) = main {
        let main = main.trim_start_matches("./").trim_end_matches('/');
        guesses.extend(["", ".js", ".json", "/index.js", "/index.json"].map(|end| format!("{main}{end}")));
    }
    guesses.extend(["index.js".to_owned(), "index.json".to_owned()]);
    guesses.into_iter().map(|guess| folder.join(guess)).find(|path| path.is_file())
}
