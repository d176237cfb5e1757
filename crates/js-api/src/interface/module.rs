//! `WebAssembly.Module`.

use island::kind_name;
use island::wasmtime::ExternType;
use island::{CompileError, Engine, Import, Module};
use qjs::define::{self, Attributes};
use qjs::{Call, Ctx, Cx, Exception, HostClass, Mark, Object, Result, Value, class};

use crate::convert::errors::{ErrorClass, throw};
use crate::convert::types::extern_type;
use crate::interface::compile_options::{CompileOptions, Source};
use crate::runtime::api::Api;

/// A Module object's value. It belongs to no agent.
#[derive(Clone, HostClass, Mark)]
#[host_class(name = "WebAssembly.Module")]
#[mark(skip)]
pub struct ModuleObject {
    /// The module.
    pub module: Module,
    pub(crate) options: CompileOptions,
}

impl ModuleObject {
    /// The value for a module that was compiled without options.
    pub fn new(module: Module) -> Self {
        Self { module, options: CompileOptions::default() }
    }

    /// The imports that are neither builtins nor string constants.
    pub fn script_imports(&self) -> impl Iterator<Item = &Import> {
        self.module.imports().iter().filter(|import| matches!(self.options.source(import), Source::Script))
    }
}

pub(crate) fn define<'js>(ctx: &Ctx<'js>, namespace: &Object<'js>) -> Result<define::Interface<'js>> {
    class::register::<ModuleObject>(ctx)?;
    let made = define::interface(namespace, "Module", "WebAssembly.Module", Attributes::Hidden, 1, constructor)?;
    define::method(&made.constructor, "exports", 1, exports)?;
    define::method(&made.constructor, "imports", 1, imports)?;
    define::method(&made.constructor, "customSections", 2, custom_sections)?;
    class::set_prototype::<ModuleObject>(ctx, &made.prototype);
    Ok(made)
}

fn constructor<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.Module";
    webidl::require_new(&call, PLACE)?;
    webidl::require_arguments(&call, PLACE, 1)?;
    require_buffer_source(&call, PLACE)?;
    let options = CompileOptions::of_argument(&call, 1, PLACE)?;
    let prototype = class::prototype_from_new_target::<ModuleObject>(&call)?;
    let module = finish(&call.ctx, of_bytes(&call, Module::new)?, options, PLACE)?;
    Ok(class::new_object(&call.ctx, module, prototype.as_ref())?.into_value())
}

/// Refuses a first argument that is not a BufferSource. Its [`bytes`] are copied after the other arguments were
/// converted.
///
/// # Errors
/// A TypeError.
pub(crate) fn require_buffer_source(call: &Call<'_, '_>, place: &str) -> Result<()> {
    if qjs::buffer::is_buffer_source(Cx::of(&call.ctx), call.args.get(0)) {
        return Ok(());
    }
    let came = webidl::describe(&call.arg(0));
    let message = format!("{place}: argument 1 must be an ArrayBuffer or a view of one, got {came}");
    Err(Exception::throw_type(&call.ctx, &message))
}

/// What `make` makes of the bytes of the BufferSource argument, which are not copied; there are none if it is detached.
pub(crate) fn of_bytes<R>(call: &Call<'_, '_>, make: fn(&Engine, &[u8]) -> R) -> Result<R> {
    let engine = Api::of(&call.ctx)?.engine().clone();
    // SAFETY: a function that is given an engine and bytes has neither a script nor a guest to run.
    unsafe { qjs::buffer::with_buffer_source(&call.ctx, &call.arg(0), |bytes| make(&engine, bytes)) }
}

/// A copy of the bytes of the BufferSource argument; it is empty for a detached one.
pub(crate) fn bytes(call: &Call<'_, '_>) -> Result<Vec<u8>> {
    Ok(qjs::buffer::copy_of_buffer_source(&call.ctx, &call.arg(0))?.unwrap_or_default())
}

/// "Compile a WebAssembly module" and "validate builtins and imported string for a WebAssembly module".
///
/// # Errors
/// A CompileError that says why and where.
pub(crate) fn compile(ctx: &Ctx<'_>, bytes: &[u8], options: CompileOptions, place: &str) -> Result<ModuleObject> {
    let engine = Api::of(ctx)?.engine().clone();
    finish(ctx, Module::new(&engine, bytes), options, place)
}

/// The Module object's part of what came of compiling.
fn finish(
    ctx: &Ctx<'_>,
    compiled: std::result::Result<Module, CompileError>,
    options: CompileOptions,
    place: &str,
) -> Result<ModuleObject> {
    let api = Api::of(ctx)?;
    let module = compiled.map_err(|error| throw_compile_error(ctx, &error, place))?;
    options.validate(api.engine(), &module).map_err(|message| throw_compile_error(ctx, &message, place))?;
    Ok(ModuleObject { module, options })
}

/// Throws a CompileError.
fn throw_compile_error(ctx: &Ctx<'_>, error: &dyn std::fmt::Display, place: &str) -> rquickjs::Error {
    throw(ctx, ErrorClass::Compile, &format!("{place}: {error}"))
}

/// Another Module object for the same module, compile options and all.
///
/// # Errors
/// When memory is out.
pub fn object_for<'js>(ctx: &Ctx<'js>, object: ModuleObject) -> Result<Object<'js>> {
    class::new_object(ctx, object, None)
}

/// A Module object for a module that was compiled without options.
///
/// # Errors
/// When memory is out.
pub fn new_object<'js>(ctx: &Ctx<'js>, module: Module) -> Result<Object<'js>> {
    object_for(ctx, ModuleObject::new(module))
}

fn argument<'a>(call: &'a Call<'_, '_>, place: &str, needed: usize) -> Result<&'a ModuleObject> {
    webidl::require_arguments(call, place, needed)?;
    webidl::interface(&call.ctx, call.args.get(0), &format!("{place}: argument 1"))
}

fn exports<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let object = argument(&call, "WebAssembly.Module.exports", 1)?;
    let mut list = qjs::array::ArrayBuilder::new(Cx::of(&call.ctx), 0)?;
    for export in object.module.exports() {
        let descriptor = descriptor(&call.ctx, None, &export.name, &export.ty)?;
        list.push(Cx::of(&call.ctx).returned(descriptor.as_value()))?;
    }
    list.finish()
}

fn imports<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let object = argument(&call, "WebAssembly.Module.imports", 1)?;
    let mut list = qjs::array::ArrayBuilder::new(Cx::of(&call.ctx), 0)?;
    for import in object.script_imports() {
        let descriptor = descriptor(&call.ctx, Some(&import.module), &import.name, &import.ty)?;
        list.push(Cx::of(&call.ctx).returned(descriptor.as_value()))?;
    }
    list.finish()
}

/// A ModuleExportDescriptor, or, with a module's name, a ModuleImportDescriptor.
fn descriptor<'js>(ctx: &Ctx<'js>, module: Option<&str>, name: &str, ty: &ExternType) -> Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    let text = |text: &str| qjs::string::from_utf8(ctx, text.as_bytes());
    // WebIDL defines a dictionary's members in the order of their names, after those of the dictionary that it inherits
    // from.
    define::value(&object, "kind", &text(kind_name(ty))?, Attributes::Plain)?;
    define::value(&object, "type", extern_type(ctx, ty)?.as_value(), Attributes::Plain)?;
    if let Some(module) = module {
        define::value(&object, "module", &text(module)?, Attributes::Plain)?;
    }
    define::value(&object, "name", &text(name)?, Attributes::Plain)?;
    Ok(object)
}

fn custom_sections<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.Module.customSections";
    let object = argument(&call, PLACE, 2)?;
    let name = qjs::string::Utf8::new(Cx::of(&call.ctx), call.args.get(1))?;
    let mut list = qjs::array::ArrayBuilder::new(Cx::of(&call.ctx), 0)?;
    // No section can have a name with a lone surrogate.
    let name = std::str::from_utf8(name.bytes());
    for section in name.iter().flat_map(|name| object.module.custom_sections(name)) {
        let buffer = rquickjs::ArrayBuffer::new_copy(call.ctx.clone(), section)?;
        list.push(Cx::of(&call.ctx).returned(buffer.as_value()))?;
    }
    list.finish()
}
