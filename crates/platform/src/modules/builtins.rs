//! Built-in modules, and the registry to which other crates add theirs.

use std::collections::HashMap;

use qjs::array::List;
use rquickjs::{Ctx, Object, Persistent, Value};

use crate::{features, internal::state::Platform};

/// The modules that are only known with `node:`, since packages had their names first.
const PREFIXED: [&str; 4] = ["sea", "sqlite", "test", "test/reporters"];

/// Makes a built-in module when it is first imported. Its own enumerable properties become named exports; the default
/// export is its `default` property, or the object itself if it has none.
pub type BuiltinFn = for<'js> fn(&Ctx<'js>) -> rquickjs::Result<Object<'js>>;

/// The built-in modules of an agent: the platform's own, and those that others have added, which are kept here.
#[derive(Clone, Default)]
pub struct Builtins(HashMap<String, BuiltinFn>);

impl std::fmt::Debug for Builtins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

impl Builtins {
    /// The modules that the platform brings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a module, or replaces one. If the name starts with `node:`, the module can also be imported without that
    /// prefix.
    #[must_use]
    pub fn add(mut self, name: &str, make: BuiltinFn) -> Self {
        self.0.insert(name.strip_prefix("node:").unwrap_or(name).to_owned(), make);
        self
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str).chain(features::modules().map(|name| -> &str { name }))
    }

    /// The canonical name of a built-in module: `specifier`, with `node:` unless it has a scheme already.
    pub(crate) fn canonical(&self, specifier: &str) -> Option<String> {
        let bare = specifier.strip_prefix("node:").unwrap_or(specifier);
        let is_there = self.names().any(|name| name == bare);
        if !is_there || (bare == specifier && PREFIXED.contains(&bare)) {
            return None;
        }
        Some(if bare.contains(':') { bare.to_owned() } else { format!("node:{bare}") })
    }
}

/// The names of all built-in modules, as `module.builtinModules` lists them.
pub(crate) fn names(ctx: &Ctx<'_>) -> rquickjs::Result<List<Vec<String>>> {
    let platform = Platform::of(ctx)?;
    let shown = |name: &str| if PREFIXED.contains(&name) { format!("node:{name}") } else { name.to_owned() };
    let mut names: Vec<String> = platform.builtins.names().map(shown).collect();
    names.sort();
    names.dedup();
    Ok(List(names))
}

/// The exports of a built-in module by its canonical name, made when they are first requested.
pub(crate) fn load<'js>(ctx: &Ctx<'js>, canonical: &str) -> rquickjs::Result<Option<Object<'js>>> {
    let platform = Platform::of(ctx)?;
    let name = canonical.strip_prefix("node:").unwrap_or(canonical);
    let loaded = platform.loaded.borrow().get(name).cloned();
    if let Some(exports) = loaded {
        return exports.restore(ctx).map(Some);
    }
    let made = match platform.builtins.0.get(name) {
        Some(make) => Some(make(ctx)),
        None => features::make_module(ctx, name),
    };
    let Some(exports) = made.transpose()? else { return Ok(None) };
    platform.loaded.borrow_mut().insert(name.into(), Persistent::save(ctx, exports.clone()));
    Ok(Some(exports))
}

/// `process.getBuiltinModule`: what `require` would return, or undefined.
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
