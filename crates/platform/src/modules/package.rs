//! package.json: scopes, `exports` and `imports` maps (Node's "Resolution Algorithm Specification").

use std::path::{Path, PathBuf};

use qjs::properties;
use rquickjs::{Ctx, Object, Value};

use super::resolve::Failure;

/// The conditions of an import. Their order does not matter: the map's order decides.
const CONDITIONS: [&str; 5] = ["node", "import", "module-sync", "module", "default"];

/// A package.json that was found and parsed.
pub(super) struct Package<'js> {
    pub(super) folder: PathBuf,
    json: Object<'js>,
}

impl<'js> Package<'js> {
    /// READ_PACKAGE_JSON: `None` when the folder has none.
    pub(super) fn read(ctx: &Ctx<'js>, folder: &Path) -> Result<Option<Self>, Failure> {
        let path = folder.join("package.json");
        let Ok(text) = std::fs::read_to_string(&path) else { return Ok(None) };
        let Ok(json) = ctx.json_parse(text) else {
            let reason = ctx.catch();
            let reason = reason.as_exception().and_then(|error| error.message()).unwrap_or_default();
            return Err(Failure::new(
                "Error",
                "ERR_INVALID_PACKAGE_CONFIG",
                format!("Invalid package config {}. {reason}", path.display()),
            ));
        };
        let Ok(json) = Object::from_value(json) else { return Ok(None) };
        Ok(Some(Self { folder: folder.to_owned(), json }))
    }

    /// LOOKUP_PACKAGE_SCOPE: the nearest package.json above a file.
    pub(super) fn scope(ctx: &Ctx<'js>, file: &Path) -> Result<Option<Self>, Failure> {
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

    pub(super) fn text(&self, key: &str) -> Option<String> {
        properties::data(&self.json, key).ok()??.as_string()?.to_string().ok()
    }

    pub(super) fn field(&self, key: &str) -> Option<Value<'js>> {
        properties::data(&self.json, key).ok()?.filter(|value| !value.is_null())
    }

    /// PACKAGE_EXPORTS_RESOLVE: the file that `subpath` (`.` or `./…`) names.
    pub(super) fn resolve_exports(&self, exports: &Value<'js>, subpath: &str, base: &str) -> Result<PathBuf, Failure> {
        let is_sugar = match exports.as_object() {
            Some(map) if !exports.is_array() => {
                !map.keys::<String>().next().is_some_and(|key| key.is_ok_and(|key| key.starts_with('.')))
            }
            _ => true,
        };
        let found = if is_sugar {
            if subpath == "." { self.target(exports, None)? } else { None }
        } else {
            self.match_map(exports, subpath)?
        };
        found.ok_or_else(|| {
            let place = self.folder.join("package.json");
            let message = if subpath == "." {
                format!("No \"exports\" main defined in {} imported from {base}", place.display())
            } else {
                format!(
                    "Package subpath '{subpath}' is not defined by \"exports\" in {} imported from {base}",
                    place.display()
                )
            };
            Failure::new("Error", "ERR_PACKAGE_PATH_NOT_EXPORTED", message)
        })
    }

    /// PACKAGE_IMPORTS_RESOLVE: the target of a specifier that starts with `#`; the caller resolves the target if it is
    /// bare.
    pub(super) fn resolve_imports(&self, specifier: &str) -> Result<Option<PathBuf>, Failure> {
        match self.field("imports") {
            Some(imports) => self.match_map(&imports, specifier),
            None => Ok(None),
        }
    }

    /// PACKAGE_IMPORTS_EXPORTS_RESOLVE: an exact key, or else the pattern with the longest part before its `*`.
    fn match_map(&self, map: &Value<'js>, key: &str) -> Result<Option<PathBuf>, Failure> {
        let Some(map) = map.as_object() else { return Ok(None) };
        if !key.contains('*')
            && let Ok(Some(exact)) = properties::data(map, key)
        {
            return self.target(&exact, None);
        }
        let mut best: Option<(String, &str)> = None;
        for candidate in map.keys::<String>().flatten() {
            let Some((start, end)) = candidate.split_once('*') else { continue };
            if key.len() >= start.len() + end.len() && key.starts_with(start) && key.ends_with(end) && key != start {
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
            Some((pattern, matched)) => self.target(&get(map, &pattern), Some(matched)),
            None => Ok(None),
        }
    }

    /// PACKAGE_TARGET_RESOLVE: a string, a map of conditions, or a list of alternatives.
    fn target(&self, target: &Value<'js>, matched: Option<&str>) -> Result<Option<PathBuf>, Failure> {
        if let Some(text) = target.as_string() {
            let text = text.to_string().unwrap_or_default();
            let text = matched.map_or_else(|| text.clone(), |matched| text.replace('*', matched));
            let escapes = text.split(['/', '\\']).skip(1).any(|part| matches!(part, ".." | "node_modules"));
            if !text.starts_with("./") || escapes {
                return Err(Failure::new(
                    "Error",
                    "ERR_INVALID_PACKAGE_TARGET",
                    format!(
                        "Invalid \"exports\" target \"{text}\" defined in the package config {}",
                        self.folder.join("package.json").display()
                    ),
                ));
            }
            return Ok(Some(self.folder.join(&text[2..])));
        }
        if let Some(list) = target.as_array() {
            for item in list.iter::<Value>().flatten() {
                if let Ok(Some(found)) = self.target(&item, matched) {
                    return Ok(Some(found));
                }
            }
            return Ok(None);
        }
        let Some(map) = target.as_object() else { return Ok(None) };
        for key in map.keys::<String>().flatten() {
            if CONDITIONS.contains(&key.as_str())
                && let Some(found) = self.target(&get(map, &key), matched)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

fn get<'js>(map: &Object<'js>, key: &str) -> Value<'js> {
    properties::data(map, key).ok().flatten().unwrap_or_else(|| Value::new_undefined(map.ctx().clone()))
}
