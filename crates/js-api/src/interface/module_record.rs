//! WebAssembly Module Records (the ESM integration proposal), as far as the module loader does not do it: what a module
//! that is imported must be like, and what its bindings are.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use island::wasmtime::{ExternType, Mutability};
use qjs::define;
use qjs::module::{Exports, Imports};
use qjs::{Call, Ctx, Exception, Held, Object, Result, Value, class};
use rquickjs::JsLifetime;

use crate::convert::errors::{ErrorClass, throw};
use crate::interface::compile_options::CompileOptions;
use crate::interface::global::GlobalObject;
use crate::interface::instance::{InstanceObject, import_name, imports_of, instantiate};
use crate::interface::module::{ModuleObject, compile};
use crate::runtime::api::Api;

/// "Parse a WebAssembly module": the Module object. `place` is the file, for messages.
///
/// # Errors
/// A CompileError; a LinkError if a name is reserved.
pub fn parse<'js>(ctx: &Ctx<'js>, bytes: &[u8], place: &str) -> Result<Object<'js>> {
    let compiled = compile(ctx, bytes, CompileOptions::of_module_record(), place)?;
    let module = &compiled.module;
    let reserved = |name: &str| name.starts_with("wasm:") || name.starts_with("wasm-js:");
    let refuse = |what: &str, name: &str| {
        let message = format!("{place}: {what} \"{name}\": names that begin with wasm: or wasm-js: are reserved");
        Err(throw(ctx, ErrorClass::Link, &message))
    };
    for import in compiled.script_imports() {
        if import.module.starts_with("wasm-js:") {
            return refuse("import from", &import.module);
        }
        if reserved(&import.name) {
            return refuse("import", &import.name);
        }
    }
    if let Some(export) = module.exports().iter().find(|export| reserved(&export.name)) {
        return refuse("export", &export.name);
    }
    class::new_object(ctx, compiled, None)
}

/// The modules of a runtime that have been evaluated. Not in [`Api`], which every island holds: they hold islands.
#[derive(Clone, Default, JsLifetime)]
struct Records(Rc<RefCell<Vec<Rc<Evaluated>>>>);

pub(crate) fn define<'js>(ctx: &Ctx<'js>, namespace: &Object<'js>) -> Result<()> {
    ctx.store_userdata(Records::default()).map(drop).map_err(|_| rquickjs::Error::Unknown)?;
    define::method(namespace, "namespaceInstance", 1, namespace_instance)
}

fn namespace_instance<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.namespaceInstance";
    webidl::require_arguments(&call, PLACE, 1)?;
    let came = call.arg(0);
    for evaluated in evaluated(&call.ctx).filter(|_| came.is_object()) {
        if evaluated.exports.namespace(&call.ctx)? == came {
            return Ok(evaluated.instance.get(&call.ctx));
        }
    }
    let message = format!("{PLACE}: argument 1 must be the namespace of a WebAssembly module that has been evaluated");
    Err(Exception::throw_type(&call.ctx, &message))
}

/// A module that has been evaluated. It stays, and its instance with it.
struct Evaluated {
    exports: Exports,
    /// Its exported globals, whose bindings show their values.
    globals: Vec<Exported>,
    instance: Held,
}

struct Exported {
    name: String,
    mutable: bool,
    /// The Global object.
    global: Held,
}

impl Exported {
    /// The global's value, if JavaScript can represent it.
    fn shown<'js>(&self, ctx: &Ctx<'js>) -> Option<Value<'js>> {
        let object: &GlobalObject = class::get(self.global.borrow()).expect("made by `execute`");
        object.representable(ctx)
    }
}

impl Evaluated {
    /// Makes the binding of every exported global show the global's value, or only of those that can change. If
    /// JavaScript cannot represent a value, the binding is left without one.
    fn refresh(&self, ctx: &Ctx<'_>, all: bool) -> Result<()> {
        for exported in self.globals.iter().filter(|exported| all || exported.mutable) {
            self.exports.set(&exported.name, exported.shown(ctx).as_ref())?;
        }
        Ok(())
    }

    /// Binds the globals whose values JavaScript cannot represent to their Global objects, until the next `refresh`.
    fn show_hidden(&self, ctx: &Ctx<'_>) -> Result<()> {
        for exported in self.globals.iter().filter(|exported| exported.shown(ctx).is_none()) {
            self.exports.set(&exported.name, Some(&exported.global.get(ctx)))?;
        }
        Ok(())
    }
}

/// "ExecuteModule": instantiates with the values of the imports, and gives the exports their values.
///
/// # Errors
/// A ReferenceError for an import that has no value yet; otherwise as for `new WebAssembly.Instance`.
pub fn execute<'js>(
    ctx: &Ctx<'js>,
    compiled: &ModuleObject,
    imports: &Imports<'js>,
    exports: Exports,
    place: &str,
) -> Result<()> {
    let module = &compiled.module;
    for export in module.exports() {
        exports.set(&export.name, None)?;
    }
    let mut globals = wasm_globals(ctx, compiled, imports)?;
    let mut places = 0..;
    let values = imports_of(ctx, compiled, place, |import| {
        let place_of_import = places.next().expect("counts for ever");
        match globals.remove(&place_of_import) {
            Some(global) => Ok(global.get(ctx)),
            None => imports.get(place_of_import).map_err(|_| {
                drop(ctx.catch());
                let name = import_name(import);
                let message =
                    format!("{place}: import {name}: it has no value yet, since the modules import each other");
                Exception::throw_reference(ctx, &message)
            }),
        }
    })?;
    let object = instantiate(ctx, module, &values, None, place)?.into_value();
    let instance: &InstanceObject = class::of(&object).expect("just made");
    let mut globals = Vec::new();
    for export in module.exports() {
        let value = instance.export(ctx, &export.name)?;
        if class::of::<GlobalObject>(&value).is_some() {
            let mutable = matches!(&export.ty, ExternType::Global(ty) if matches!(ty.mutability(), Mutability::Var));
            globals.push(Exported { name: export.name.clone(), mutable, global: Held::new(&value) });
        } else {
            exports.set(&export.name, Some(&value))?;
        }
    }
    let evaluated = Evaluated { exports, globals, instance: Held::new(&object) };
    evaluated.refresh(ctx, true)?;
    if evaluated.globals.iter().any(|exported| exported.mutable) {
        Api::of(ctx)?.state.live_bindings.set(Some(refresh_bindings));
    }
    if let Some(records) = ctx.userdata::<Records>() {
        records.0.borrow_mut().push(Rc::new(evaluated));
    }
    Ok(())
}

fn evaluated(ctx: &Ctx<'_>) -> impl Iterator<Item = Rc<Evaluated>> {
    let records = ctx.userdata::<Records>().map(|records| records.clone()).unwrap_or_default();
    (0..).map_while(move |i| records.0.borrow().get(i).cloned())
}

/// Makes the bindings of mutable globals show their values, after a guest or a script may have changed them.
#[cold]
pub(crate) fn refresh_bindings(ctx: &Ctx<'_>) {
    for evaluated in evaluated(ctx) {
        // It can only fail for names that are not exports, and `execute` has set all of these before.
        let _ = evaluated.refresh(ctx, false);
    }
}

/// The imported globals that are exports of WebAssembly modules, by place: the Global objects. Bindings show only
/// values, and JavaScript modules may have handed them on. So for a moment, in which no script runs, each such export
/// is bound to an object of its own, by which it is recognised.
fn wasm_globals<'js>(ctx: &Ctx<'js>, compiled: &ModuleObject, imports: &Imports<'js>) -> Result<HashMap<usize, Held>> {
    let wanted = |ty: &ExternType| matches!(ty, ExternType::Global(_));
    let places: Vec<_> =
        (0..).zip(compiled.script_imports()).filter(|(_, import)| wanted(&import.ty)).map(|(i, _)| i).collect();
    let mut found = HashMap::new();
    if places.is_empty() {
        return Ok(found);
    }
    let mut marks = Vec::new();
    let search = || -> Result<()> {
        for evaluated in evaluated(ctx) {
            evaluated.show_hidden(ctx)?;
        }
        // Asking for a binding that has no value yet throws, which runs `Error.prepareStackTrace`. So these are found
        // out before any marks are set.
        let mut with_values = Vec::new();
        for place in places {
            match imports.get(place) {
                Ok(_) => with_values.push(place),
                Err(_) => drop(ctx.catch()),
            }
        }
        for evaluated in evaluated(ctx) {
            for exported in &evaluated.globals {
                let mark = Object::new(ctx.clone())?.into_value();
                evaluated.exports.set(&exported.name, Some(&mark))?;
                marks.push((mark, exported.global.duplicate()));
            }
        }
        let known: HashMap<_, _> = marks.iter().map(|(mark, global)| (class::identity(mark), global)).collect();
        for place in with_values {
            let value = imports.get(place)?;
            if value.is_object() {
                found.extend(known.get(&class::identity(&value)).map(|global| (place, global.duplicate())));
            }
        }
        Ok(())
    };
    let searched = search();
    for evaluated in evaluated(ctx) {
        evaluated.refresh(ctx, true)?;
    }
    searched.map(|()| found)
}
