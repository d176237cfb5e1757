//! `WebAssemblyCompileOptions`: which imports of a module are builtins or string constants.

use island::wasmtime::{ExternType, FuncType, HeapType, Mutability, RefType, ValType};
use island::{Engine, Import, Module};
use qjs::{Borrowed, Call, Result};

use crate::interface::builtins::{Builtin, JS_STRING};

/// The prefix of a "qualified name".
const PREFIX: &str = "wasm:";

/// What a module was compiled with.
#[derive(Default, Clone, Debug)]
pub(crate) struct CompileOptions {
    /// Names of builtin sets. Unknown names mean nothing.
    builtins: Vec<String>,
    imported_string_constants: Option<String>,
}

/// Where an import comes from.
pub(crate) enum Source {
    /// The import object.
    Script,
    /// The import's name is the string that is imported.
    StringConstant,
    Builtin(Builtin),
}

impl CompileOptions {
    /// The optional argument `options`. Runs getters and iterators.
    ///
    /// # Errors
    /// A TypeError for anything but such a dictionary, or what a script throws.
    pub(crate) fn of_argument(call: &Call<'_, '_>, at: usize, place: &str) -> Result<Self> {
        let ctx = &call.ctx;
        let place = format!("{place}: argument {}", at + 1);
        let dictionary = webidl::dictionary(ctx, call.arg(at), &place)?;
        let builtins = match webidl::member(&dictionary, "builtins")? {
            Some(value) => webidl::sequence(ctx, &value, &format!("{place}: `builtins`"), |item| {
                webidl::string(ctx, Borrowed::of(&item))
            })?,
            None => Vec::new(),
        };
        let imported_string_constants = match webidl::member(&dictionary, "importedStringConstants")? {
            Some(value) if !value.is_null() => Some(webidl::string(ctx, Borrowed::of(&value))?),
            _ => None,
        };
        Ok(Self { builtins, imported_string_constants })
    }

    /// What every WebAssembly module that is imported as an ES module is compiled with.
    pub(crate) fn of_module_record() -> Self {
        let builtins = vec![JS_STRING.trim_start_matches(PREFIX).to_owned()];
        Self { builtins, imported_string_constants: Some("wasm:js/string-constants".into()) }
    }

    /// Where an import of a module with these options comes from ("find a builtin" among others).
    pub(crate) fn source(&self, import: &Import) -> Source {
        if self.imported_string_constants.as_ref() == Some(&import.module) {
            return Source::StringConstant;
        }
        let is_enabled = || self.builtins.iter().any(|name| JS_STRING.strip_prefix(PREFIX) == Some(name));
        match Builtin::find(&import.name) {
            Some(builtin) if import.module == JS_STRING && is_enabled() => Source::Builtin(builtin),
            _ => Source::Script,
        }
    }

    /// "Validate builtins and imported string for a WebAssembly module". The error says what is wrong.
    pub(crate) fn validate(&self, engine: &Engine, module: &Module) -> std::result::Result<(), String> {
        let names = &self.builtins;
        if let Some((_, name)) = names.iter().enumerate().find(|&(at, name)| names[..at].contains(name)) {
            return Err(format!("the builtin set \"{name}\" is named twice"));
        }
        module.imports().iter().try_for_each(|import| self.validate_import(engine, import))
    }

    fn validate_import(&self, engine: &Engine, import: &Import) -> std::result::Result<(), String> {
        let expected = match self.source(import) {
            Source::Script => return Ok(()),
            Source::StringConstant if takes_string(&import.ty) => return Ok(()),
            Source::StringConstant => "a string constant is an immutable global of type (ref extern)".to_string(),
            Source::Builtin(builtin) => {
                let ty = builtin.ty(engine);
                match &import.ty {
                    ExternType::Func(wanted) if FuncType::eq(&ty, wanted) => return Ok(()),
                    _ => format!("the builtin is a function of type {ty}, in a recursion group of its own"),
                }
            }
        };
        Err(format!("import {}.{}: {expected}", import.module, import.name))
    }

    /// Whether these are the defaults, which fit every valid module.
    pub(crate) fn is_empty(&self) -> bool {
        self.builtins.is_empty() && self.imported_string_constants.is_none()
    }
}

fn takes_string(ty: &ExternType) -> bool {
    let ExternType::Global(ty) = ty else { return false };
    let string = ValType::Ref(RefType::new(false, HeapType::Extern));
    matches!(ty.mutability(), Mutability::Const) && string.matches(ty.content())
}
