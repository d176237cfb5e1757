//! `WebAssembly.Instance`: "read the imports", linking, and the exports object, whose values are made when asked for.

use std::cell::RefCell;

use island::kind_name;
use island::wasmtime::{Extern, ExternType, FuncType, GlobalType, HeapType, Instance, Mutability, ValType};
use island::{Export, FunctionKey, Import, InstantiateError, Module};
use qjs::define::{self, Attributes};
use qjs::lazy::{Lazy, NameTable};
use qjs::{Borrowed, Call, Ctx, Exception, Held, HostClass, Mark, Object, Result, Returned, Value, class};

use webidl::Place;

use crate::convert::errors::{ErrorClass, throw};
use crate::convert::exception::throw_call_error;
use crate::convert::function::{ExportedFunction, exported_function};
use crate::convert::linking::{Bound, choose_island, host_function, local_function};
use crate::convert::typed_function::{exported_type, handed_on_function};
use crate::convert::types::{came_type, type_name};
use crate::convert::values::{HostValue, to_host_value};
use crate::interface::builtins::Builtin;
use crate::interface::compile_options::Source;
use crate::interface::global::{GlobalObject, global_object};
use crate::interface::memory::{MemoryObject, memory_object, shared_memory_object};
use crate::interface::module::ModuleObject;
use crate::interface::promise_integration::{SuspendingObject, suspending_function};
use crate::interface::table::{TableObject, table_object};
use crate::interface::tag::exported_tag;
use crate::interface::wasi::WasiFunction;
use crate::runtime::island_realm::IslandHandle;
use crate::runtime::memory_core;
use crate::runtime::tags::TagObject;

/// An Instance object's value.
#[derive(HostClass, Mark)]
#[host_class(name = "WebAssembly.Instance")]
pub struct InstanceObject {
    link: IslandHandle,
    exports: Held,
    #[mark(skip)]
    instance: Instance,
    #[mark(skip)]
    module: Module,
}

impl InstanceObject {
    /// The island that the instance is in.
    pub fn link(&self) -> &IslandHandle {
        &self.link
    }

    /// The instance.
    pub fn instance(&self) -> Instance {
        self.instance
    }

    /// The value of the attribute `exports`.
    pub fn exports<'js>(&self, ctx: &Ctx<'js>) -> Value<'js> {
        self.exports.get(ctx)
    }

    /// An export's value, or `undefined` if there is none of that name.
    ///
    /// # Errors
    /// When memory is out.
    pub fn export<'js>(&self, ctx: &Ctx<'js>, name: &str) -> Result<Value<'js>> {
        let exports = self.exports.get(ctx);
        exports.as_object().expect("the exports are an object").get(name)
    }

    /// The module that it is an instance of.
    pub fn module(&self) -> &Module {
        &self.module
    }
}

/// The value of an exports object.
#[derive(HostClass, Mark)]
#[host_class(name = "WebAssembly.Exports")]
pub(crate) struct ExportsObject {
    link: IslandHandle,
    #[mark(skip)]
    instance: Instance,
    #[mark(skip)]
    module: Module,
    #[mark(skip)]
    names: NameTable,
    /// By place among the exports.
    slots: RefCell<Vec<Slot>>,
}

/// What exists of an export's value.
#[derive(Mark)]
enum Slot {
    /// Nothing yet.
    Absent,
    /// A script's callable that the module imports and exports unchanged. The function for it is made when it is asked
    /// for.
    Callable(Held),
    /// The value, which was made, or handed on from the imports.
    Made(Held),
}

impl Lazy for ExportsObject {
    fn names(&self) -> &NameTable {
        &self.names
    }

    fn made(&self, index: usize) -> Option<Returned> {
        match &self.slots.borrow()[index] {
            Slot::Made(held) => Some(held.returned()),
            Slot::Absent | Slot::Callable(_) => None,
        }
    }

    fn load<'js>(&self, ctx: &Ctx<'js>, index: usize) -> Result<Value<'js>> {
        let value = self.make(ctx, index)?;
        let before = std::mem::replace(&mut self.slots.borrow_mut()[index], Slot::Made(Held::new(&value)));
        // The old slot is dropped here, after the borrow.
        drop(before);
        Ok(value)
    }
}

impl ExportsObject {
    fn callable(&self, index: usize) -> Option<Held> {
        match &self.slots.borrow()[index] {
            Slot::Callable(held) => Some(held.duplicate()),
            Slot::Absent | Slot::Made(_) => None,
        }
    }

    fn make<'js>(&self, ctx: &Ctx<'js>, index: usize) -> Result<Value<'js>> {
        let (link, export) = (&self.link, &self.module.exports()[index]);
        let found = link.shared.island.enter(|mut store| {
            let item = self.instance.get_export(&mut store, &export.name)?;
            let key = item.clone().into_func().map(|func| FunctionKey::of(&mut store, func));
            Some((item, key))
        });
        match found {
            Some((Extern::Func(func), Some(key))) => match self.callable(index) {
                Some(callable) => handed_on_function(ctx, link, func, key, export, callable),
                None => exported_function(ctx, link, func, key, Some(export)),
            },
            Some((Extern::Memory(memory), _)) => memory_object(ctx, link, memory),
            Some((Extern::SharedMemory(memory), _)) => shared_memory_object(ctx, memory),
            Some((Extern::Table(table), _)) => table_object(ctx, link, table),
            Some((Extern::Global(global), _)) => global_object(ctx, link, global),
            Some((Extern::Tag(tag), _)) => exported_tag(ctx, link, tag),
            _ => {
                let message =
                    format!("export {}: a {} cannot reach JavaScript yet", export.name, kind_name(&export.ty));
                Err(Exception::throw_type(ctx, &message))
            }
        }
    }
}

/// One import, read and checked but not yet in any island.
#[derive(Mark)]
enum ImportValue {
    /// A callable, an exported function among them.
    Function(Held),
    /// A Suspending object.
    Suspending(Held),
    Memory(Held),
    Table(Held),
    /// A Global object.
    Global(Held),
    Tag(Held),
    /// A plain value for an immutable global.
    Constant(HostValue),
    #[mark(skip)]
    Builtin(Builtin),
}

pub(crate) fn define<'js>(ctx: &Ctx<'js>, namespace: &Object<'js>) -> Result<()> {
    class::register::<InstanceObject>(ctx)?;
    let made = define::interface(namespace, "Instance", "WebAssembly.Instance", Attributes::Hidden, 1, constructor)?;
    define::getter(&made.prototype, "exports", exports)?;
    class::set_prototype::<InstanceObject>(ctx, &made.prototype);
    Ok(())
}

fn constructor<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.Instance";
    webidl::require_new(&call, PLACE)?;
    webidl::require_arguments(&call, PLACE, 1)?;
    let module: &ModuleObject = webidl::interface(&call.ctx, call.args.get(0), &format!("{PLACE}: argument 1"))?;
    let imports = import_object(&call.ctx, call.arg(1), PLACE)?;
    let prototype = class::prototype_from_new_target::<InstanceObject>(&call)?;
    let imports = read_imports(&call.ctx, module, imports, PLACE)?;
    Ok(instantiate(&call.ctx, &module.module, &imports, prototype.as_ref(), PLACE)?.into_value())
}

fn exports<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let instance: &InstanceObject = webidl::this(&call, "exports")?;
    Ok(instance.exports.get(&call.ctx))
}

/// The optional argument `importObject`.
pub(crate) fn import_object<'js>(ctx: &Ctx<'js>, value: Value<'js>, place: &str) -> Result<Option<Object<'js>>> {
    if value.is_undefined() {
        return Ok(None);
    }
    let came = webidl::describe(&value);
    value
        .into_object()
        .map(Some)
        .ok_or_else(|| Exception::throw_type(ctx, &format!("{place}: argument 2 must be an object, got {came}")))
}

/// Whether `value` is an instance's exports object, which is an ordinary, frozen object as far as scripts can see.
pub fn is_exports_object(value: &Value<'_>) -> bool {
    class::of::<ExportsObject>(value).is_some()
}

/// The imports of an instance that is about to be made.
#[derive(Mark)]
pub(crate) struct ImportValues(Vec<ImportValue>);

/// An import in messages: `env.memory`, `./lib.mjs:f`.
pub(crate) fn import_name(import: &Import) -> String {
    let separator = if import.module.contains(['/', ':']) { ':' } else { '.' };
    format!("{}{separator}{}", import.module, import.name)
}

/// "Read the imports" of a module from an import object. Runs getters.
///
/// # Errors
/// A TypeError or LinkError that names the import, or what a getter throws.
pub(crate) fn read_imports<'js>(
    ctx: &Ctx<'js>,
    compiled: &ModuleObject,
    object: Option<Object<'js>>,
    place: &str,
) -> Result<ImportValues> {
    if object.is_none()
        && let Some(first) = compiled.module.imports().first()
    {
        let message = format!("{place}: argument 2 is missing, but the module imports {}", import_name(first));
        return Err(Exception::throw_type(ctx, &message));
    }
    imports_of(ctx, compiled, place, |import| {
        let namespace: Value = object.as_ref().expect("checked above").get(&*import.module)?;
        let Some(namespace) = namespace.as_object() else {
            let (name, came) = (import_name(import), webidl::describe(&namespace));
            let message = format!("{place}: import {name}: module \"{}\" must be an object, got {came}", import.module);
            return Err(Exception::throw_type(ctx, &message));
        };
        namespace.get(&*import.name)
    })
}

/// The imports of a module. `value` gives those that are neither builtins nor string constants, one after the other.
///
/// # Errors
/// A TypeError or LinkError that names the import, or what `value` fails with.
pub(crate) fn imports_of<'js>(
    ctx: &Ctx<'js>,
    compiled: &ModuleObject,
    place: &str,
    mut value: impl FnMut(&Import) -> Result<Value<'js>>,
) -> Result<ImportValues> {
    let read = |import: &Import| {
        Ok(match compiled.options.source(import) {
            Source::Script => {
                let value = value(import)?;
                read_import(ctx, &import.ty, value, &format!("{place}: import {}", import_name(import)))?
            }
            Source::StringConstant => {
                let text = qjs::string::from_utf8(ctx, import.name.as_bytes())?;
                ImportValue::Constant(HostValue::host(Held::new(&text)))
            }
            Source::Builtin(builtin) => ImportValue::Builtin(builtin),
        })
    };
    Ok(ImportValues(compiled.module.imports().iter().map(read).collect::<Result<_>>()?))
}

fn read_import<'js>(ctx: &Ctx<'js>, ty: &ExternType, value: Value<'js>, place: &str) -> Result<ImportValue> {
    let refuse = |expected: &str, value: &Value<'js>| {
        let came = came(value);
        throw(ctx, ErrorClass::Link, &format!("{place}: expected {expected}, got {came}"))
    };
    Ok(match ty {
        ExternType::Func(_) if value.is_function() => ImportValue::Function(Held::new(&value)),
        ExternType::Func(_) if class::of::<SuspendingObject>(&value).is_some() => {
            ImportValue::Suspending(Held::new(&value))
        }
        ExternType::Func(_) => return Err(refuse("a function", &value)),
        ExternType::Memory(_) if class::of::<MemoryObject>(&value).is_some() => ImportValue::Memory(Held::new(&value)),
        ExternType::Memory(_) => return Err(refuse("a WebAssembly.Memory", &value)),
        ExternType::Table(_) if class::of::<TableObject>(&value).is_some() => ImportValue::Table(Held::new(&value)),
        ExternType::Table(_) => return Err(refuse("a WebAssembly.Table", &value)),
        ExternType::Global(_) if class::of::<GlobalObject>(&value).is_some() => ImportValue::Global(Held::new(&value)),
        ExternType::Global(ty) => ImportValue::Constant(read_constant(ctx, ty, &value, place)?),
        ExternType::Tag(_) if class::of::<TagObject>(&value).is_some() => ImportValue::Tag(Held::new(&value)),
        ExternType::Tag(_) => return Err(refuse("a WebAssembly.Tag", &value)),
    })
}

/// What an import value is, for messages.
fn came(value: &Value<'_>) -> &'static str {
    if class::of::<MemoryObject>(value).is_some() {
        "a WebAssembly.Memory"
    } else if class::of::<TableObject>(value).is_some() {
        "a WebAssembly.Table"
    } else if class::of::<GlobalObject>(value).is_some() {
        "a WebAssembly.Global"
    } else if class::of::<TagObject>(value).is_some() {
        "a WebAssembly.Tag"
    } else {
        webidl::describe(value)
    }
}

/// A value other than a Global object for a global import.
fn read_constant(ctx: &Ctx<'_>, ty: &GlobalType, value: &Value<'_>, place: &str) -> Result<HostValue> {
    let content = ty.content();
    let refuse = |expected: &str| {
        let message = format!("{place}: expected {expected}, got {}", webidl::describe(value));
        Err(throw(ctx, ErrorClass::Link, &message))
    };
    if matches!(ty.mutability(), Mutability::Var) {
        return refuse("a mutable WebAssembly.Global");
    }
    match content {
        ValType::I64 if !value.is_big_int() => return refuse("a BigInt or a WebAssembly.Global of type i64"),
        ValType::I32 | ValType::F32 | ValType::F64 if !value.is_number() => {
            return refuse(&format!("a number or a WebAssembly.Global of type {content}"));
        }
        ValType::V128 => return refuse("a WebAssembly.Global of type v128"),
        _ => {}
    }
    to_host_value(ctx, Borrowed::of(value), content, Place::whole(place)).or_else(|error| {
        if matches!(content, ValType::Ref(_)) {
            drop(ctx.catch());
            return refuse(&format!("a value of type {}", type_name(content)));
        }
        Err(error)
    })
}

/// "Instantiate the core of a WebAssembly module" and "initialize an instance object".
///
/// # Errors
/// A LinkError, the error that a trap in a segment or the start function becomes, or what an import throws.
pub(crate) fn instantiate<'js>(
    ctx: &Ctx<'js>,
    module: &Module,
    imports: &ImportValues,
    prototype: Option<&Object<'js>>,
    place: &str,
) -> Result<Object<'js>> {
    let imports = &imports.0;
    crate::runtime::pressure::relieve_pressure(ctx);
    // All types are checked first: an import that is put into an island stays there, so none may be refused after the
    // first was put there.
    for (value, import) in imports.iter().zip(module.imports()) {
        if let Some(mismatch) = mismatch(value, &import.ty) {
            let message = format!("{place}: import {}: {mismatch}", import_name(import));
            return Err(throw(ctx, ErrorClass::Link, &message));
        }
    }
    let link = island_for(ctx, module, imports)?;
    let mut externs = Vec::with_capacity(imports.len());
    for (value, import) in imports.iter().zip(module.imports()) {
        externs.push(bind(ctx, &link, value, import)?);
    }
    let instance = link.shared.island.instantiate(module, &externs);
    memory_core::refresh_grown(qjs::Cx::of(ctx), &link.shared.api);
    let instance = instance.map_err(|error| match error {
        InstantiateError::Memory(message) => Exception::throw_range(ctx, &format!("{place}: {message}")),
        InstantiateError::Call(error) => throw_call_error(ctx, error),
        error => throw(ctx, ErrorClass::Link, &format!("{place}: {error}")),
    })?;
    let names = NameTable::new(ctx, module.exports().iter().map(|export| &*export.name))?;
    let slots = module.exports().iter().map(|export| handed_on(module, export, imports));
    let slots = RefCell::new(slots.collect());
    let exports = ExportsObject { link: link.duplicate(), instance, module: module.clone(), names, slots };
    let exports = qjs::lazy::new_object(ctx, exports)?;
    let value = InstanceObject { link, exports: Held::new(exports.as_value()), instance, module: module.clone() };
    class::new_object(ctx, value, prototype)
}

/// What an export hands on from the imports: an object stays the same one even if the script forgets it meanwhile.
fn handed_on(module: &Module, export: &Export, imports: &[ImportValue]) -> Slot {
    let Some(import) = module.reexported_import(export) else { return Slot::Absent };
    match &imports[import] {
        ImportValue::Memory(held) | ImportValue::Table(held) | ImportValue::Global(held) | ImportValue::Tag(held) => {
            Slot::Made(held.duplicate())
        }
        ImportValue::Function(held) if exported_type(held.borrow()).is_some() => Slot::Made(held.duplicate()),
        ImportValue::Function(held) if class::get::<WasiFunction>(held.borrow()).is_none() => {
            Slot::Callable(held.duplicate())
        }
        ImportValue::Function(_) | ImportValue::Suspending(_) | ImportValue::Constant(_) | ImportValue::Builtin(_) => {
            Slot::Absent
        }
    }
}

/// The island that fits the imports.
fn island_for(ctx: &Ctx<'_>, module: &Module, imports: &[ImportValue]) -> Result<IslandHandle> {
    let mut bound = Vec::new();
    let mut functions = Vec::new();
    for (value, import) in imports.iter().zip(module.imports()) {
        let links = match value {
            ImportValue::Memory(held) => of::<MemoryObject>(held).bound().map(|(link, _)| link).into_iter().collect(),
            ImportValue::Table(held) => {
                let table = of::<TableObject>(held);
                functions.extend(table.first_function(ctx));
                table.links()
            }
            ImportValue::Global(held) => {
                let global = of::<GlobalObject>(held);
                global.link().filter(|_| global.needs_its_island()).into_iter().collect()
            }
            ImportValue::Function(held) => {
                functions.push(held.get(ctx));
                Vec::new()
            }
            ImportValue::Constant(value) => value.link().into_iter().collect(),
            ImportValue::Suspending(_) | ImportValue::Tag(_) | ImportValue::Builtin(_) => Vec::new(),
        };
        let name = || import_name(import);
        bound.extend(links.into_iter().map(|link| Bound { link, name: name(), kind: kind_name(&import.ty) }));
    }
    let functions = functions.iter().filter_map(|value| class::of::<ExportedFunction>(value)).map(|f| f.link());
    choose_island(ctx, &bound, functions, module.passes_objects())
}

fn of<T: HostClass>(held: &Held) -> &T {
    class::get::<T>(held.borrow()).expect("checked when the imports were read")
}

/// Why an import does not fit its type; `None` if it does.
fn mismatch(value: &ImportValue, ty: &ExternType) -> Option<String> {
    match (value, ty) {
        (ImportValue::Function(held), ExternType::Func(ty)) => {
            // `FuncType::matches` compares shapes; here declared subtypes count.
            let came = exported_type(held.borrow())?;
            let fits = HeapType::ConcreteFunc(came.clone()).matches(&HeapType::ConcreteFunc(ty.clone()));
            (!fits).then(|| format!("expected a function of type {}, got one {}", ty, came_type(ty, came)))
        }
        (ImportValue::Memory(held), ExternType::Memory(ty)) => of::<MemoryObject>(held).mismatch(ty),
        (ImportValue::Table(held), ExternType::Table(ty)) => of::<TableObject>(held).mismatch(ty),
        (ImportValue::Global(held), ExternType::Global(ty)) => of::<GlobalObject>(held).mismatch(ty),
        (ImportValue::Tag(held), ExternType::Tag(ty)) => {
            let (wanted, came) = (ty.ty(), of::<TagObject>(held).core().ty());
            let got = || format!("expected a tag of type {wanted}, got one {}", came_type(wanted, came));
            (!FuncType::eq(wanted, came)).then(got)
        }
        _ => None,
    }
}

/// Puts an import into the link's island.
fn bind(ctx: &Ctx<'_>, link: &IslandHandle, value: &ImportValue, import: &Import) -> Result<Extern> {
    Ok(match (value, &import.ty) {
        (ImportValue::Function(held), ExternType::Func(ty)) => match exported_type(held.borrow()) {
            Some(_) => local_function(ctx, link, &held.get(ctx))?.into(),
            None => match class::get::<WasiFunction>(held.borrow()).and_then(|function| function.link(ctx, link)) {
                Some(func) => func.into(),
                None => host_function(ctx, link, &held.get(ctx), &import_name(import), ty.clone())?.into(),
            },
        },
        (ImportValue::Suspending(held), ExternType::Func(ty)) => {
            suspending_function(ctx, link, of::<SuspendingObject>(held), &import_name(import), ty.clone())?.into()
        }
        (ImportValue::Builtin(builtin), _) => {
            let func = builtin.create(link);
            func.map_err(|error| crate::convert::values::out_of_memory(ctx, &error))?.into()
        }
        (ImportValue::Memory(held), _) => of::<MemoryObject>(held).bind(ctx, link, &held.get(ctx))?,
        (ImportValue::Table(held), _) => of::<TableObject>(held).bind(ctx, link, &held.get(ctx))?.into(),
        (ImportValue::Global(held), ExternType::Global(_)) => {
            let global = of::<GlobalObject>(held);
            let elsewhere = global.link().is_some_and(|other| !other.is_same(link));
            if elsewhere {
                // It is immutable, or the island would have been chosen for it. A copy cannot be told from it.
                let snapshot = global.snapshot(ctx)?;
                crate::interface::global::new_global(ctx, link, global.ty(), &snapshot)?.into()
            } else {
                global.bind(ctx, link, &held.get(ctx))?.into()
            }
        }
        (ImportValue::Tag(held), _) => {
            let tag = link.shared.local_tag(of::<TagObject>(held).core());
            tag.map_err(|error| crate::convert::values::out_of_memory(ctx, &error))?.into()
        }
        (ImportValue::Constant(value), ExternType::Global(ty)) => {
            crate::interface::global::new_global(ctx, link, ty, value)?.into()
        }
        _ => unreachable!("an import was read for another type"),
    })
}
