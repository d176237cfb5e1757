//! `WebAssembly.Module`.

use island::module::kind_name;
use island::wasmtime::ExternType;
use island::{CompileError, Engine, Module};
use qjs::define::{self, Attributes};
use qjs::{Call, ClassId, Ctx, Cx, Exception, HostClass, Object, Result, Value, class};

use crate::api::Api;
use crate::errors::{ErrorClass, throw};
use crate::ids;
use crate::types::extern_type;

/// A Module object's value.
pub struct ModuleObject {
    /// The module.
    pub module: Module,
}

// SAFETY: holds no JavaScript value. The number is this class's own.
unsafe impl HostClass for ModuleObject {
    const ID: ClassId = ids::MODULE;
    const NAME: &'static std::ffi::CStr = c"WebAssembly.Module";
}

pub(crate) fn define<'js>(ctx: &Ctx<'js>, namespace: &Object<'js>) -> Result<()> {
    class::register::<ModuleObject>(ctx)?;
    let made = define::interface(namespace, "Module", "WebAssembly.Module", Attributes::Hidden, 1, constructor)?;
    define::method(&made.constructor, "exports", 1, exports)?;
    define::method(&made.constructor, "imports", 1, imports)?;
    define::method(&made.constructor, "customSections", 2, custom_sections)?;
    class::set_prototype::<ModuleObject>(ctx, &made.prototype);
    Ok(())
}

fn constructor<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.Module";
    webidl::require_new(&call, PLACE)?;
    webidl::require_arguments(&call, PLACE, 1)?;
    let bytes = bytes(&call.ctx, &call.arg(0), PLACE)?;
    compile_options(&call, 1, PLACE)?;
    let prototype = class::prototype_from_new_target::<ModuleObject>(&call)?;
    let api = Api::of(&call.ctx)?;
    let module = compile(&call.ctx, api.engine(), &bytes, PLACE)?;
    Ok(class::new_object(&call.ctx, ModuleObject { module }, prototype.as_ref())?.into_value())
}

/// The bytes of a BufferSource argument, copied.
///
/// # Errors
/// A TypeError for any other value.
pub(crate) fn bytes<'js>(ctx: &Ctx<'js>, value: &Value<'js>, place: &str) -> Result<Vec<u8>> {
    qjs::buffer::copy_of_buffer_source(ctx, value)?.ok_or_else(|| {
        let came = webidl::describe(value);
        let message = format!("{place}: argument 1 must be an ArrayBuffer or a view of one, got {came}");
        Exception::throw_type(ctx, &message)
    })
}

/// The optional argument `options`, of which no member is known yet.
pub(crate) fn compile_options(call: &Call<'_, '_>, at: usize, place: &str) -> Result<()> {
    webidl::dictionary(&call.ctx, call.arg(at), &format!("{place}: argument {}", at + 1)).map(drop)
}

/// "Compile a WebAssembly module".
///
/// # Errors
/// A CompileError that says why and where.
pub(crate) fn compile(ctx: &Ctx<'_>, engine: &Engine, bytes: &[u8], place: &str) -> Result<Module> {
    Module::new(engine, bytes).map_err(|error| throw_compile_error(ctx, &error, place))
}

/// Throws a CompileError.
pub(crate) fn throw_compile_error(ctx: &Ctx<'_>, error: &CompileError, place: &str) -> rquickjs::Error {
    throw(ctx, ErrorClass::Compile, &format!("{place}: {error}"))
}

/// A Module object for a compiled module.
///
/// # Errors
/// When memory is out.
pub fn new_object<'js>(ctx: &Ctx<'js>, module: Module) -> Result<Object<'js>> {
    class::new_object(ctx, ModuleObject { module }, None)
}

fn argument<'a>(call: &'a Call<'_, '_>, place: &str, needed: usize) -> Result<&'a Module> {
    webidl::require_arguments(call, place, needed)?;
    let object: &ModuleObject = webidl::interface(&call.ctx, call.args.get(0), &format!("{place}: argument 1"))?;
    Ok(&object.module)
}

fn exports<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let module = argument(&call, "WebAssembly.Module.exports", 1)?;
    let mut list = qjs::spread::ArrayBuilder::new(Cx::of(&call.ctx), 0)?;
    for export in module.exports() {
        let descriptor = descriptor(&call.ctx, None, &export.name, &export.ty)?;
        list.push(Cx::of(&call.ctx).returned(descriptor.as_value()))?;
    }
    list.finish()
}

fn imports<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let module = argument(&call, "WebAssembly.Module.imports", 1)?;
    let mut list = qjs::spread::ArrayBuilder::new(Cx::of(&call.ctx), 0)?;
    for import in module.imports() {
        let descriptor = descriptor(&call.ctx, Some(&import.module), &import.name, &import.ty)?;
        list.push(Cx::of(&call.ctx).returned(descriptor.as_value()))?;
    }
    list.finish()
}

/// A ModuleExportDescriptor, or a ModuleImportDescriptor where there is a module's name.
fn descriptor<'js>(ctx: &Ctx<'js>, module: Option<&str>, name: &str, ty: &ExternType) -> Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    let text = |text: &str| qjs::string::from_utf8(ctx, text.as_bytes());
    // WebIDL defines a dictionary's members in the order of their names, those of the dictionary it inherits from first.
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
    let module = argument(&call, PLACE, 2)?;
    let name = qjs::string::Utf8::new(Cx::of(&call.ctx), call.args.get(1))?;
    let mut list = qjs::spread::ArrayBuilder::new(Cx::of(&call.ctx), 0)?;
    // A DOMString may have lone surrogates, which no section's name has.
    let sections = std::str::from_utf8(name.bytes()).map(|name| module.custom_sections(name));
    for section in sections.into_iter().flatten() {
        let buffer = rquickjs::ArrayBuffer::new_copy(call.ctx.clone(), section)?;
        list.push(Cx::of(&call.ctx).returned(buffer.as_value()))?;
    }
    list.finish()
}
