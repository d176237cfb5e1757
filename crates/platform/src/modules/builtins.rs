//! Built-in modules: the registry that other crates add theirs to.

use qjs::define::Put as _;
use std::collections::HashMap;

use qjs::array::List;
use rquickjs::{Ctx, Object, Persistent, Value};

use crate::internal::{self, state::Platform};

/// Makes a built-in module at its first import. Its own enumerable properties become named exports; the default export is
/// its `default` property, or the object itself when it has none.
pub type BuiltinFn = for<'js> fn(&Ctx<'js>) -> rquickjs::Result<Object<'js>>;

#[derive(Clone, Copy)]
enum Builtin {
    Native(BuiltinFn),
    Embedded(&'static str),
}

/// The built-in modules of an agent.
#[derive(Clone)]
pub struct Builtins(HashMap<String, Builtin>);

impl std::fmt::Debug for Builtins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Modules that are embedded files, by name without `node:`.
const EMBEDDED: [(&str, &str); 15] = [
    ("assert", "assert"),
    ("assert/strict", "assert"),
    ("events", "events"),
    ("fs", "fs"),
    ("fs/promises", "fs_promises"),
    ("module", "module"),
    ("os", "os"),
    ("path", "path"),
    ("path/posix", "path"),
    ("perf_hooks", "performance"),
    ("timers", "timers"),
    ("timers/promises", "timers_promises"),
    ("url", "url"),
    ("util", "util"),
    ("sys", "util"),
];

impl Default for Builtins {
    fn default() -> Self {
        let mut all: HashMap<_, _> =
            EMBEDDED.into_iter().map(|(name, file)| (name.to_owned(), Builtin::Embedded(file))).collect();
        all.insert("process".into(), Builtin::Native(process));
        all.insert("util/types".into(), Builtin::Native(util_types));
        all.insert("wasi".into(), Builtin::Native(crate::node::wasi::module));
        all.insert("worker_threads".into(), Builtin::Native(worker_threads));
        Self(all)
    }
}

impl Builtins {
    /// The modules that the platform brings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a module, or replaces one. A name that starts with `node:` can be imported without that prefix too.
    #[must_use]
    pub fn add(mut self, name: &str, make: BuiltinFn) -> Self {
        self.0.insert(name.strip_prefix("node:").unwrap_or(name).to_owned(), Builtin::Native(make));
        self
    }

    /// The canonical name of a built-in module: what `specifier` names, with `node:` unless it has a scheme of its own.
    pub(crate) fn canonical(&self, specifier: &str) -> Option<String> {
        let bare = specifier.strip_prefix("node:").unwrap_or(specifier);
        if !self.0.contains_key(bare) {
            return None;
        }
        Some(if bare.contains(':') { bare.to_owned() } else { format!("node:{bare}") })
    }
}

fn process<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let process = crate::node::process::create(ctx)?;
    let exports = Object::new(ctx.clone())?;
    if let Some(object) = process.as_object() {
        for key in object.keys::<String>() {
            let key = key?;
            if !key.starts_with('_') && !matches!(key.as_str(), "stdin" | "stdout" | "stderr" | "exitCode") {
                exports.put(key.as_str(), object.get::<_, Value>(key.as_str())?)?;
            }
        }
        for key in ["stdin", "stdout", "stderr", "on", "once", "off", "emit"] {
            exports.put(key, object.get::<_, Value>(key)?)?;
        }
    }
    exports.put("default", process)?;
    Ok(exports)
}

fn worker_threads<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    internal::require(ctx, "workers")?.get("threads")
}

fn util_types<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    internal::require(ctx, "util")?.get("types")
}

/// The names of all built-in modules, as `module.builtinModules` lists them.
pub(crate) fn names(ctx: &Ctx<'_>) -> rquickjs::Result<List<Vec<String>>> {
    let platform = Platform::of(ctx)?;
    let mut names: Vec<String> = platform.builtins.0.keys().cloned().collect();
    names.sort();
    Ok(List(names))
}

/// The exports of a built-in module by its canonical name, made at the first request.
pub(crate) fn load<'js>(ctx: &Ctx<'js>, canonical: &str) -> rquickjs::Result<Option<Object<'js>>> {
    let platform = Platform::of(ctx)?;
    let name = canonical.strip_prefix("node:").unwrap_or(canonical);
    let Some(builtin) = platform.builtins.0.get(name).copied() else { return Ok(None) };
    let loaded = platform.loaded.borrow().get(name).cloned();
    if let Some(exports) = loaded {
        return exports.restore(ctx).map(Some);
    }
    let exports = match builtin {
        Builtin::Native(make) => make(ctx)?,
        Builtin::Embedded(file) => internal::require(ctx, file)?,
    };
    platform.loaded.borrow_mut().insert(name.into(), Persistent::save(ctx, exports.clone()));
    Ok(Some(exports))
}

/// `process.getBuiltinModule`: what `require` would give, or undefined.
pub(crate) fn builtin_for_script<'js>(ctx: &Ctx<'js>, name: &str) -> rquickjs::Result<Value<'js>> {
    let canonical = Platform::of(ctx)?.builtins.canonical(name);
    let exports = match canonical {
        Some(canonical) => load(ctx, &canonical)?,
        None => None,
    };
    let Some(exports) = exports else { return Ok(Value::new_undefined(ctx.clone())) };
    let default: Value = qjs::pristine::copy(&exports, "default")?.get("default")?;
    Ok(if default.is_undefined() { exports.into_value() } else { default })
}
