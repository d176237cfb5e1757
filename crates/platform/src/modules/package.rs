//! package.json: scopes, `exports` and `imports` maps (Node's "Resolution Algorithm Specification").

use std::path::{Path, PathBuf};

use qjs::properties;
use rquickjs::{Ctx, Object, Persistent, Value};

use super::resolve::{Failure, find_package, invalid, permissions_of};
use super::{path_to_url, url_to_path};
use crate::internal::state::Platform;

/// The conditions of an `import`. Their order does not matter: the map's order decides.
pub(crate) const IMPORT: &[&str] = &["node", "import", "module-sync", "default"];

/// The conditions of a `require`.
pub(crate) const REQUIRE: &[&str] = &["node", "require", "module-sync", "default"];

/// What a package's map or a package's name leads to.
pub(crate) enum Found {
    /// A path, which need not exist.
    Path(PathBuf),
    /// A built-in module's name, with `node:`.
    Builtin(String),
}

/// How something is looked for.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) conditions: &'a [&'a str],
    /// The importing module, as messages name it.
    pub(crate) base: Option<&'a str>,
}

impl Request<'_> {
    /// The end of a message.
    pub(super) fn imported_from(&self) -> String {
        self.base.map_or_else(String::new, |base| format!(" imported from {base}"))
    }
}

/// A package.json that was found and parsed.
pub(crate) struct Package<'js> {
    pub(crate) folder: PathBuf,
    json: Object<'js>,
}

/// Where a target stands.
struct Place<'a> {
    key: &'a str,
    /// What a pattern's `*` stands for.
    matched: Option<&'a str>,
    in_imports: bool,
}

/// What becomes of a target.
enum Target {
    Found(Found),
    /// No condition applies.
    Undefined,
    /// The map excludes the path.
    Null,
}

impl<'js> Package<'js> {
    /// READ_PACKAGE_JSON: `None` when the folder has none. As in Node, a file is read once.
    pub(crate) fn read(ctx: &Ctx<'js>, folder: &Path) -> Result<Option<Self>, Failure> {
        let platform = Platform::of(ctx).ok();
        let known = platform.as_ref().and_then(|platform| platform.packages.borrow().get(folder).cloned());
        if let Some(json) = known.and_then(|json| json.restore(ctx).ok()) {
            return Ok(Some(Self { folder: folder.to_owned(), json }));
        }
        let path = folder.join("package.json");
        let Ok(bytes) = permissions_of(ctx).read_module(&path) else { return Ok(None) };
        let text = String::from_utf8_lossy(&bytes);
        let Ok(json) = ctx.json_parse(text.strip_prefix('\u{feff}').unwrap_or(&text)) else {
            let reason = ctx.catch();
            let reason = reason.as_exception().and_then(|error| error.message()).unwrap_or_default();
            return Err(Failure::new(
                "Error",
                "ERR_INVALID_PACKAGE_CONFIG",
                format!("Invalid package config {}. {reason}", path.display()),
            ));
        };
        let Ok(json) = Object::from_value(json) else { return Ok(None) };
        if let Some(platform) = platform {
            platform.packages.borrow_mut().insert(folder.to_owned(), Persistent::save(ctx, json.clone()));
        }
        Ok(Some(Self { folder: folder.to_owned(), json }))
    }

    /// LOOKUP_PACKAGE_SCOPE: the nearest package.json above a file.
    pub(crate) fn scope(ctx: &Ctx<'js>, file: &Path) -> Result<Option<Self>, Failure> {
        for folder in file.ancestors().skip(1) {
            if folder.file_name().is_some_and(|name| name == "node_modules") {
                return Ok(None);
            }
            if let Some(package) = Self::read(ctx, folder)? {
                return Ok(Some(package));
            }
        }
        Ok(None)
    }

    pub(crate) fn text(&self, key: &str) -> Option<String> {
        properties::data(&self.json, key).ok()??.as_string()?.to_string().ok()
    }

    pub(crate) fn field(&self, key: &str) -> Option<Value<'js>> {
        properties::data(&self.json, key).ok()?.filter(|value| !value.is_null() && !value.is_undefined())
    }

    /// The file itself.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join("package.json")
    }

    fn shown(&self) -> String {
        self.file().display().to_string()
    }

    /// PACKAGE_EXPORTS_RESOLVE: the file that `subpath` (`.` or `./…`) names.
    pub(crate) fn resolve_exports(
        &self,
        exports: &Value<'js>,
        subpath: &str,
        request: Request<'_>,
    ) -> Result<Found, Failure> {
        let found = if self.is_sugar(exports)? {
            let place = Place { key: ".", matched: None, in_imports: false };
            if subpath == "." { self.target(exports, &place, request, 0)? } else { Target::Undefined }
        } else {
            self.match_map(exports, subpath, false, request)?
        };
        if let Target::Found(found) = found {
            return Ok(found);
        }
        let (file, from) = (self.shown(), request.imported_from());
        let message = match subpath {
            "." => format!("No \"exports\" main defined in {file}{from}"),
            _ => format!("Package subpath '{subpath}' is not defined by \"exports\" in {file}{from}"),
        };
        Err(Failure::new("Error", "ERR_PACKAGE_PATH_NOT_EXPORTED", message))
    }

    /// Whether `exports` is the target of `.` and no map of subpaths.
    fn is_sugar(&self, exports: &Value<'js>) -> Result<bool, Failure> {
        let Some(map) = exports.as_object().filter(|_| !exports.is_array()) else { return Ok(true) };
        let mut dots = map.keys::<String>().flatten().map(|key| key.starts_with('.'));
        let first = dots.next().unwrap_or(false);
        if dots.all(|dot| dot == first) {
            return Ok(!first);
        }
        Err(Failure::new(
            "Error",
            "ERR_INVALID_PACKAGE_CONFIG",
            format!(
                "Invalid package config {}. \"exports\" cannot contain some keys starting with '.' and some not. The \
                 exports object must either be an object of package subpath keys or an object of main entry condition \
                 name keys only.",
                self.shown()
            ),
        ))
    }

    /// PACKAGE_IMPORTS_RESOLVE: the target of a specifier that starts with `#`.
    pub(crate) fn resolve_imports(&self, specifier: &str, request: Request<'_>) -> Result<Option<Found>, Failure> {
        let Some(imports) = self.field("imports") else { return Ok(None) };
        match self.match_map(&imports, specifier, true, request)? {
            Target::Found(found) => Ok(Some(found)),
            Target::Undefined | Target::Null => Ok(None),
        }
    }

    /// PACKAGE_IMPORTS_EXPORTS_RESOLVE: an exact key, or else the pattern with the longest part before its `*`.
    fn match_map(
        &self,
        map: &Value<'js>,
        key: &str,
        in_imports: bool,
        request: Request<'_>,
    ) -> Result<Target, Failure> {
        let Some(map) = map.as_object() else { return Ok(Target::Undefined) };
        if !key.contains('*')
            && !key.ends_with('/')
            && let Ok(Some(exact)) = properties::data(map, key)
        {
            return self.target(&exact, &Place { key, matched: None, in_imports }, request, 0);
        }
        let mut best: Option<(String, &str)> = None;
        for candidate in map.keys::<String>().flatten() {
            let Some((start, end)) = candidate.split_once('*') else { continue };
            if end.contains('*') {
                continue;
            }
            if key.len() >= candidate.len() && key.starts_with(start) && key.ends_with(end) {
                let longer = best.as_ref().is_none_or(|(other, _)| {
                    let other_start = other.find('*').unwrap_or(0);
                    (start.len(), candidate.len()) > (other_start, other.len())
                });
                if longer {
                    best = Some((candidate.clone(), &key[start.len()..key.len() - end.len()]));
                }
            }
        }
        match best {
            Some((pattern, matched)) => {
                let place = Place { key: &pattern, matched: Some(matched), in_imports };
                self.target(&get(map, &pattern), &place, request, 0)
            }
            None => Ok(Target::Undefined),
        }
    }

    /// PACKAGE_TARGET_RESOLVE: a string, a map of conditions, or a list of alternatives, `depth` levels below the map.
    fn target(
        &self,
        target: &Value<'js>,
        place: &Place<'_>,
        request: Request<'_>,
        depth: usize,
    ) -> Result<Target, Failure> {
        /// More than any package needs, and less than the stack has room for.
        const DEEPEST: usize = 100;
        if depth > DEEPEST {
            let message = format!("Invalid package config {}. It is nested too deeply.", self.shown());
            return Err(Failure::new("Error", "ERR_INVALID_PACKAGE_CONFIG", message));
        }
        if let Some(text) = target.as_string() {
            return self.text_target(&text.to_string().unwrap_or_default(), place, request).map(Target::Found);
        }
        if target.is_null() {
            return Ok(Target::Null);
        }
        if let Some(list) = target.as_array() {
            let mut last = Ok(if list.is_empty() { Target::Null } else { Target::Undefined });
            for item in list.iter::<Value>().flatten() {
                match self.target(&item, place, request, depth + 1) {
                    Ok(Target::Undefined) => {}
                    Ok(Target::Found(found)) => return Ok(Target::Found(found)),
                    Err(failure) if failure.code() != "ERR_INVALID_PACKAGE_TARGET" => return Err(failure),
                    other => last = other,
                }
            }
            return last;
        }
        let Some(map) = target.as_object() else {
            let shown = target.ctx().json_stringify(target.clone()).ok().flatten();
            let shown = shown.and_then(|shown| shown.to_string().ok()).unwrap_or_default();
            return Err(self.invalid_target(&shown, false, place, request));
        };
        for key in map.keys::<String>().flatten() {
            if key.parse::<u32>().is_ok() {
                return Err(Failure::new(
                    "Error",
                    "ERR_INVALID_PACKAGE_CONFIG",
                    format!(
                        "Invalid package config {}. \"exports\" cannot contain numeric property keys.",
                        self.shown()
                    ),
                ));
            }
            if request.conditions.contains(&key.as_str()) {
                match self.target(&get(map, &key), place, request, depth + 1)? {
                    Target::Undefined => {}
                    other => return Ok(other),
                }
            }
        }
        Ok(Target::Undefined)
    }

    fn text_target(&self, text: &str, place: &Place<'_>, request: Request<'_>) -> Result<Found, Failure> {
        let filled = |text: &str| place.matched.map_or_else(|| text.to_owned(), |part| text.replace('*', part));
        let quoted = || format!("{text:?}");
        let Some(inner) = text.strip_prefix("./") else {
            let names_package = place.in_imports
                && !text.starts_with("../")
                && !text.starts_with('/')
                && url::Url::parse(text).is_err();
            if !names_package {
                let unrelated = !place.in_imports && !text.is_empty();
                return Err(self.invalid_target(&quoted(), unrelated, place, request));
            }
            let importer = path_to_url(&self.file());
            return find_package(self.json.ctx(), &filled(text), &importer, request);
        };
        if has_invalid_segment(inner) {
            return Err(self.invalid_target(&quoted(), false, place, request));
        }
        if let Some(part) = place.matched
            && has_invalid_segment(part)
        {
            let map = if place.in_imports { "imports" } else { "exports" };
            let shown = place.key.replace('*', part);
            let reason = format!(
                "request is not a valid match in pattern \"{}\" for the \"{map}\" resolution of {}",
                place.key,
                self.shown()
            );
            return Err(invalid(&shown, &reason, request));
        }
        let base = path_to_url(&self.file());
        let joined = url::Url::parse(&base).and_then(|base| base.join(&filled(text)));
        match joined.ok().and_then(|url| url_to_path(url.as_str())) {
            Some(path) => Ok(Found::Path(path)),
            None => Err(self.invalid_target(&quoted(), false, place, request)),
        }
    }

    /// ERR_INVALID_PACKAGE_TARGET; `shown` is the target as JSON.
    fn invalid_target(&self, shown: &str, unrelated: bool, place: &Place<'_>, request: Request<'_>) -> Failure {
        let (file, from) = (self.shown(), request.imported_from());
        let hint = if unrelated { "; targets must start with \"./\"" } else { "" };
        let message = match (place.in_imports, place.key) {
            (false, ".") => {
                format!("Invalid \"exports\" main target {shown} defined in the package config {file}{from}{hint}")
            }
            (in_imports, key) => {
                let map = if in_imports { "imports" } else { "exports" };
                format!("Invalid \"{map}\" target {shown} defined for '{key}' in the package config {file}{from}{hint}")
            }
        };
        Failure::new("Error", "ERR_INVALID_PACKAGE_TARGET", message)
    }
}

/// Whether a path that is relative to its package climbs out of it or into other packages.
fn has_invalid_segment(path: &str) -> bool {
    path.split(['/', '\\']).any(|segment| {
        let decoded = percent_encoding::percent_decode_str(segment).decode_utf8_lossy().to_ascii_lowercase();
        matches!(&*decoded, "." | ".." | "node_modules")
    })
}

fn get<'js>(map: &Object<'js>, key: &str) -> Value<'js> {
    properties::data(map, key).ok().flatten().unwrap_or_else(|| Value::new_undefined(map.ctx().clone()))
}
