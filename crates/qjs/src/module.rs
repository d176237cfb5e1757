//! Modules with native code behind them that import as well as export.
//!
//! QuickJS knows modules in JavaScript and modules in C, and only the former have imports. So such a module is a small
//! text in JavaScript: the engine resolves, links and orders its imports like any other's, and its body calls back.

use std::cell::Cell;
use std::ffi::{CStr, CString};
use std::fmt::Write;
use std::ptr::NonNull;

use rquickjs::{Array, Ctx, Exception, Function, Module, Value, module::Declared, qjs as q};

use crate::held::Realm;
use crate::script::Source;
use crate::value::Cx;

/// Declares the module `name`. Each import is a specifier and a name, each export a name. When the module's turn comes,
/// `run` gets the bindings of both; what it throws is the module's error.
///
/// # Errors
/// What the loading of an imported module throws.
pub fn declare<'js>(
    ctx: &Ctx<'js>,
    name: &str,
    imports: &[(&str, &str)],
    exports: &[&str],
    run: impl Fn(&Ctx<'js>, &Imports<'js>, Exports) -> rquickjs::Result<()> + 'static,
) -> rquickjs::Result<Module<'js, Declared>> {
    let (module, raw) = compile(ctx, name, &text(imports, exports))?;
    let function = Function::new(ctx.clone(), move |ctx: Ctx<'js>, imports: Array<'js>| {
        // The module's own body is the caller, since nobody else sees its `import.meta`. So the module is linked.
        run(&ctx, &Imports(imports), Exports { realm: Realm::new(&ctx)?, module: raw })
    })?;
    module.meta()?.set("run", function)?;
    Ok(module)
}

/// The module's text. Functions read the imports, since a binding may not have a value yet.
fn text(imports: &[(&str, &str)], exports: &[&str]) -> String {
    let mut text = String::new();
    let mut list = String::new();
    for (i, (specifier, name)) in imports.iter().enumerate() {
        let _ = writeln!(text, "import {{ {} as i{i} }} from {};", literal(name), literal(specifier));
        let _ = write!(list, "() => i{i}, ");
    }
    for (i, name) in exports.iter().enumerate() {
        let _ = writeln!(text, "let e{i}; export {{ e{i} as {} }};", literal(name));
    }
    let _ = writeln!(text, "import.meta.run([{list}]);");
    text
}

/// A string literal.
fn literal(text: &str) -> String {
    let mut literal = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => literal.extend(['\\', char]),
            char if char.is_control() => {
                let _ = write!(literal, "\\u{{{:x}}}", u32::from(char));
            }
            char => literal.push(char),
        }
    }
    literal.push('"');
    literal
}

thread_local! {
    /// A module on its way from `compile` to `declared`.
    static DECLARED: Cell<*mut q::JSModuleDef> = const { Cell::new(std::ptr::null_mut()) };
}

unsafe extern "C" fn declared(_ctx: *mut q::JSContext, _name: *const std::ffi::c_char) -> *mut q::JSModuleDef {
    DECLARED.replace(std::ptr::null_mut())
}

/// `Module::declare`, with the engine's own pointer.
pub(crate) fn compile<'js>(
    ctx: &Ctx<'js>,
    name: &str,
    text: &str,
) -> rquickjs::Result<(Module<'js, Declared>, NonNull<q::JSModuleDef>)> {
    let flags = q::JS_EVAL_TYPE_MODULE | q::JS_EVAL_FLAG_STRICT | q::JS_EVAL_FLAG_COMPILE_ONLY;
    let value = Source::new(&[text]).eval(Cx::of(ctx), name, 1, flags)?;
    // SAFETY: the value of a compiled module has a pointer to it.
    let raw = NonNull::new(unsafe { q::JS_VALUE_GET_PTR(value) }.cast()).ok_or(rquickjs::Error::Unknown)?;
    DECLARED.set(raw.as_ptr());
    // SAFETY: `declared` gives the module that was just made in this context.
    Ok((unsafe { Module::from_load_fn(ctx.clone(), name, declared)? }, raw))
}

/// The bindings that a module imports.
pub struct Imports<'js>(Array<'js>);

impl<'js> Imports<'js> {
    /// The value of the binding at this place.
    ///
    /// # Errors
    /// A ReferenceError if it has none yet.
    pub fn get(&self, index: usize) -> rquickjs::Result<Value<'js>> {
        self.0.get::<Function>(index)?.call(())
    }
}

/// The bindings that a module exports, once its body runs. They are `undefined` until they are set.
///
/// It keeps the context, so, as with [`crate::Held`], keep it in `rquickjs` user data if it stays.
pub struct Exports {
    /// Keeps the context, and so the module: a context's modules live as long as it does.
    realm: Realm,
    module: NonNull<q::JSModuleDef>,
}

impl Exports {
    /// Gives the binding a value, or takes it away, after which reading it is a ReferenceError. Runs no script.
    ///
    /// # Errors
    /// A TypeError if the module has no such export, or its name has a NUL character.
    pub fn set(&self, name: &str, value: Option<&Value<'_>>) -> rquickjs::Result<()> {
        self.realm.with(|cx| match CString::new(name) {
            Ok(ended) if self.set_raw(cx, &ended, value) => Ok(()),
            // Such a name may be among the exports, but it cannot be passed to the engine's C interface.
            Err(_) => {
                Err(Exception::throw_type(&cx.ctx(), &format!("an export has a NUL character in its name: {name:?}")))
            }
            Ok(_) => Err(Exception::throw_type(&cx.ctx(), &format!("the module has no export {name}"))),
        })
    }

    /// The module's namespace object.
    ///
    /// # Errors
    /// When memory is out.
    pub fn namespace<'js>(&self, ctx: &Ctx<'js>) -> rquickjs::Result<Value<'js>> {
        let cx = Cx::of(ctx);
        self.realm.with(|own| assert!(own.runtime() == cx.runtime(), "a module was used with another runtime"));
        // SAFETY: the context is of the module's runtime, and the module is alive and linked.
        cx.take(unsafe { q::JS_GetModuleNamespace(cx.raw(), self.module.as_ptr()) })
    }

    fn set_raw(&self, cx: Cx<'_>, name: &CStr, value: Option<&Value<'_>>) -> bool {
        let same = value.is_none_or(|value| Cx::of(value.ctx()).runtime() == cx.runtime());
        assert!(same, "a value was used with a module of another runtime");
        // SAFETY: the context is alive, and with it the module, which is linked and whose exports are all its own; the
        // value is of the same runtime, and gets the reference that the binding takes over.
        unsafe {
            let none = q::JS_MKVAL(q::JS_TAG_UNINITIALIZED, 0);
            let value = value.map_or(none, |value| q::JS_DupValue(cx.raw(), value.as_raw()));
            q::JS_SetModuleExport(cx.raw(), self.module.as_ptr(), name.as_ptr(), value) == 0
        }
    }
}
