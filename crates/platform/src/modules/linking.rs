//! `require` of ES modules, and the CommonJS modules that ES modules import.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use qjs::module_graph::{Root, State};
use rquickjs::module::{Declarations, Declared, Exports, ModuleDef};
use rquickjs::promise::PromiseState;
use rquickjs::{Ctx, Function, Module, Object, Promise, Value};

use super::{loader, source_phase, url_to_path};
use crate::internal;
use crate::internal::errors;
use crate::internal::state::Platform;
use crate::internal::strings::UsvString;

/// What an agent knows about its modules.
#[derive(Default)]
pub(crate) struct Linking {
    /// The names that CommonJS modules export, by URL, until they have run.
    names: RefCell<HashMap<String, Vec<String>>>,
    /// How many modules have been made for `require`.
    made: Cell<usize>,
}

/// The namespace of an ES module, which is evaluated if it has not been.
pub(crate) fn require_module<'js>(
    ctx: Ctx<'js>,
    url: UsvString,
    path: UsvString,
    parent: Option<UsvString>,
) -> rquickjs::Result<Object<'js>> {
    let waits = || {
        let from = parent.as_ref().map_or_else(String::new, |parent| format!("\n  From {} ", parent.0));
        let message = format!(
            "require() cannot be used on an ESM graph with top-level await. Use import() instead. To see where the \
             top-level await comes from, use --experimental-print-required-tla.{from}\n  Requiring {} ",
            path.0
        );
        errors::throw(&ctx, "Error", "ERR_REQUIRE_ASYNC_MODULE", &message)
    };
    let text = format!("import * as module from {};\nexport {{ module }};", literal(&ctx, &url)?);
    let root = declare(&ctx, "require", &text)?;
    match root.state(&ctx) {
        State::Ready => {}
        State::Waits => return Err(waits()),
        State::Busy => {
            let message = format!(
                "Cannot require() ES Module {} in a cycle. A cycle involving require(esm) is not allowed to maintain \
                 invariants mandated by the ECMAScript specification. Try making at least part of the dependency in \
                 the graph lazily loaded.",
                path.0
            );
            return Err(errors::throw(&ctx, "Error", "ERR_REQUIRE_CYCLE_MODULE", &message));
        }
    }
    match evaluate(&ctx, root)? {
        Some(namespace) => namespace.get("module"),
        None => Err(waits()),
    }
}

/// What `require` returns for an ES module with a default export: its namespace with an `__esModule`.
pub(crate) fn facade<'js>(ctx: Ctx<'js>, url: UsvString) -> rquickjs::Result<Object<'js>> {
    let from = literal(&ctx, &url)?;
    let text = format!("export * from {from}; export {{ default }} from {from}; export const __esModule = true;");
    let root = declare(&ctx, "facade", &text)?;
    evaluate(&ctx, root)?.ok_or(rquickjs::Error::Unknown)
}

fn declare<'js>(ctx: &Ctx<'js>, what: &str, text: &str) -> rquickjs::Result<Root<'js>> {
    let made = &Platform::of(ctx)?.linking.made;
    made.set(made.get() + 1);
    Root::declare(ctx, &format!("node:internal/{what}/{}", made.get()), text)
}

/// Evaluates a module at once. Returns its namespace; `None` if it waits for something.
fn evaluate<'js>(ctx: &Ctx<'js>, root: Root<'js>) -> rquickjs::Result<Option<Object<'js>>> {
    let (module, promise) = root.evaluate()?;
    match promise.state() {
        PromiseState::Resolved => module.namespace().map(Some),
        PromiseState::Rejected => {
            mark_handled(ctx, &promise)?;
            match promise.result::<Value<'js>>() {
                Some(Err(error)) => Err(error),
                _ => Ok(None),
            }
        }
        PromiseState::Pending => {
            mark_handled(ctx, &promise)?;
            Ok(None)
        }
    }
}

/// Somebody else is told about the promise's rejection.
fn mark_handled<'js>(ctx: &Ctx<'js>, promise: &Promise<'js>) -> rquickjs::Result<()> {
    let then: Function = internal::require(ctx, "primordials")?.get("then")?;
    let nothing = Function::new(ctx.clone(), || {})?;
    then.call::<_, Value>((promise.clone(), Value::new_undefined(ctx.clone()), nothing)).map(drop)
}

/// A text as a literal of JavaScript.
fn literal(ctx: &Ctx<'_>, text: &str) -> rquickjs::Result<String> {
    match ctx.json_stringify(text)? {
        Some(literal) => literal.to_string(),
        None => Err(rquickjs::Error::Unknown),
    }
}

/// The ES module that stands for a CommonJS module: the names that its text gives away, which have values once it has
/// run.
pub(super) fn common_js<'js>(ctx: &Ctx<'js>, url: &str, text: &str) -> rquickjs::Result<Module<'js, Declared>> {
    let path = url_to_path(url).unwrap_or_default().to_string_lossy().into_owned();
    let names: Vec<UsvString> = internal::function(ctx, "common_js", "exportNames")?.call((path, text))?;
    let names = names.into_iter().map(|name| name.0);
    let names = names.filter(|name| !matches!(&**name, "default" | "module.exports") && !name.contains('\0')).collect();
    Platform::of(ctx)?.linking.names.borrow_mut().insert(url.to_owned(), names);
    Module::declare_def::<CommonJs, _>(ctx.clone(), url)
}

struct CommonJs;

impl CommonJs {
    fn names(ctx: &Ctx<'_>, url: &str) -> rquickjs::Result<Vec<String>> {
        Ok(Platform::of(ctx)?.linking.names.borrow().get(url).cloned().unwrap_or_default())
    }
}

impl ModuleDef for CommonJs {
    fn declare<'js>(declarations: &Declarations<'js>) -> rquickjs::Result<()> {
        let module = declarations.module();
        for name in Self::names(module.ctx(), &module.name::<String>()?)? {
            declarations.declare(name)?;
        }
        declarations.declare("default")?;
        declarations.declare("module.exports")?;
        Ok(())
    }

    fn evaluate<'js>(ctx: &Ctx<'js>, exports: &Exports<'js>) -> rquickjs::Result<()> {
        let url = exports.module().name::<String>()?;
        let names = Self::names(ctx, &url)?;
        let path = url_to_path(&url).unwrap_or_default().to_string_lossy().into_owned();
        let platform = Platform::of(ctx)?;
        let is_main = *platform.main_url.borrow() == url;
        let run = internal::function(ctx, "common_js", "importCommonJs")?;
        let ran = run.call::<_, Object>((path, is_main, qjs::array::List(names.clone())));
        platform.linking.names.borrow_mut().remove(&url);
        let ran = ran?;
        let values: Object = ran.get("values")?;
        for (index, name) in names.into_iter().enumerate() {
            if values.get::<_, bool>(index as u32 * 2)? {
                exports.export(name, values.get::<_, Value>(index as u32 * 2 + 1)?)?;
            }
        }
        let value: Value = ran.get("value")?;
        exports.export("default", value.clone())?;
        exports.export("module.exports", value)?;
        Ok(())
    }
}

/// Declares an ES module with this text.
pub(super) fn es_module<'js>(ctx: &Ctx<'js>, url: &str, text: &str) -> rquickjs::Result<Module<'js, Declared>> {
    let module = source_phase::declare(ctx, url, text)?;
    loader::describe(ctx, &module, url)?;
    Ok(module)
}
