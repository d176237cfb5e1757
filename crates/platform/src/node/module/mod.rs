//! The native half of `common_js.js`.

use std::path::Path;

use qjs::array::List;
use qjs::define::Put as _;
use qjs::eval::Script;
use rquickjs::{Ctx, Object, Value};

use crate::internal::errors::{throw_denied, throw_system};
use crate::internal::state::Platform;
use crate::internal::{def, strings::UsvString};
use crate::modules::{self, builtin_for_script, names, syntax};

/// The native functions of `common_js.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "names", |ctx: Ctx<'js>| names(&ctx))?;
    def(&native, "builtin", |ctx: Ctx<'js>, name: UsvString| builtin_for_script(&ctx, &name))?;
    def(&native, "isBuiltin", |ctx: Ctx<'js>, name: UsvString| -> rquickjs::Result<bool> {
        Ok(Platform::of(&ctx)?.builtins.canonical(&name).is_some())
    })?;
    def(&native, "variable", |ctx: Ctx<'js>, name: UsvString| -> rquickjs::Result<Option<String>> {
        Ok(Platform::of(&ctx)?.environment.get(&name))
    })?;
    def(&native, "execPath", |ctx: Ctx<'js>| -> rquickjs::Result<String> {
        Ok(Platform::of(&ctx)?.options.exec_path.clone())
    })?;
    files(&native)?;
    packages(&native)?;
    texts(&native)?;
    def(&native, "requireModule", modules::require_module)?;
    def(&native, "facade", modules::facade)?;
    def(&native, "importMain", |ctx: Ctx<'js>, path: UsvString| modules::run_main_module(&ctx, Path::new(&*path)))?;
    Ok(native)
}

fn files<'js>(native: &Object<'js>) -> rquickjs::Result<()> {
    let may = |ctx: &Ctx<'_>| Platform::of(ctx).map(|platform| platform.options.permissions.clone());
    // 0 for a file, 1 for a folder, less for nothing.
    def(native, "stat", move |ctx: Ctx<'js>, path: UsvString| -> rquickjs::Result<i32> {
        Ok(may(&ctx)?.is_module_folder(Path::new(&*path)).map_or(-2, i32::from))
    })?;
    def(native, "realpath", move |ctx: Ctx<'js>, path: UsvString| -> rquickjs::Result<Option<String>> {
        let real = may(&ctx)?.real_module(Path::new(&*path));
        Ok(real.ok().map(|path| path.to_string_lossy().into_owned()))
    })?;
    // Throws if a module may not be loaded, whether it is there or not.
    def(native, "check", move |ctx: Ctx<'js>, path: UsvString| -> rquickjs::Result<()> {
        match may(&ctx)?.module(Path::new(&*path), permissions::Module::Found) {
            Err(permissions::Failure::Denied(denied)) => Err(throw_denied(&ctx, &denied)),
            _ => Ok(()),
        }
    })?;
    def(native, "read", move |ctx: Ctx<'js>, path: UsvString| -> rquickjs::Result<String> {
        let bytes = may(&ctx)?.read_module(Path::new(&*path)).map_err(|failure| match failure {
            permissions::Failure::Denied(denied) => throw_denied(&ctx, &denied),
            permissions::Failure::System(error) => throw_system(&ctx, &error, "open", Some(&path), None),
            other => throw_system(&ctx, &std::io::Error::other(other.to_string()), "open", Some(&path), None),
        })?;
        Ok(modules::text_of(&bytes).into_owned())
    })?;
    def(native, "url", |path: UsvString| modules::path_to_url(Path::new(&*path)))
}

fn packages<'js>(native: &Object<'js>) -> rquickjs::Result<()> {
    use modules::required as package;
    let thrown = |ctx: &Ctx<'js>| {
        let ctx = ctx.clone();
        move |failure: modules::Failure| failure.throw(&ctx)
    };
    def(native, "main", move |ctx: Ctx<'js>, folder: UsvString| {
        package::main(&ctx, Path::new(&*folder)).map_err(thrown(&ctx))
    })?;
    def(native, "packageType", move |ctx: Ctx<'js>, path: UsvString| {
        package::package_type(&ctx, Path::new(&*path)).map_err(thrown(&ctx))
    })?;
    def(native, "fromExports", move |ctx: Ctx<'js>, folder: UsvString, subpath: UsvString| {
        package::from_exports(&ctx, Path::new(&*folder), &subpath).map_err(thrown(&ctx))
    })?;
    def(native, "fromSelf", move |ctx: Ctx<'js>, parent: UsvString, request: UsvString| {
        package::from_self(&ctx, Path::new(&*parent), &request).map_err(thrown(&ctx))
    })?;
    def(native, "fromImports", move |ctx: Ctx<'js>, parent: UsvString, request: UsvString| {
        package::from_imports(&ctx, Path::new(&*parent), &request).map_err(thrown(&ctx))
    })?;
    def(native, "findPackage", move |ctx: Ctx<'js>, specifier: UsvString, parent: UsvString| {
        package::find(&ctx, &specifier, Path::new(&*parent)).map_err(thrown(&ctx))
    })
}

fn texts<'js>(native: &Object<'js>) -> rquickjs::Result<()> {
    def(native, "compile", |ctx: Ctx<'js>, text: UsvString, path: UsvString| {
        modules::compile_common_js(&ctx, &text, &path)
    })?;
    def(native, "run", |ctx: Ctx<'js>, text: UsvString, name: UsvString| -> rquickjs::Result<Value<'js>> {
        Script { source: &text, file: &name, line: 1 }.run(&ctx)
    })?;
    def(native, "isModule", |text: UsvString| syntax::is_module(&text))?;
    def(native, "lex", |ctx: Ctx<'js>, text: UsvString| -> rquickjs::Result<Object<'js>> {
        let found = syntax::exports(&text);
        let object = qjs::pristine::bare_object(&ctx)?;
        object.put("names", List(found.names))?;
        object.put("reexports", List(found.reexports.into_iter().map(|(_, name)| name).collect::<Vec<_>>()))?;
        Ok(object)
    })?;
    def(native, "strip", |ctx: Ctx<'js>, text: UsvString, path: UsvString| modules::strip_types(&ctx, &text, &path))
}
