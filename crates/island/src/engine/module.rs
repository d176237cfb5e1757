//! Compiled modules and what can be seen of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use wasmparser::{Parser, Payload};
use wasmtime::{ExternType, HeapType, RefType, ValType};
use wasmtime_environ::StackMap;

use crate::engine::cache::{KeptModule, Key, Tier};
use crate::engine::code::{self, Code, Compiled};
use crate::engine::compile_error::CompileError;
use crate::engine::debug_info::{DebugInfo, SourceLocation};
use crate::engine::instrument::{Record, StackPointer, push_unsigned};
use crate::engine::limits::{Limits, check_size};
use crate::engine::{Engine, background};
use crate::memory::atomic_imports::AtomicImports;
use crate::memory::ground::Ground;

/// One import of a module.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Import {
    /// The first name.
    pub module: String,
    /// The second name.
    pub name: String,
    /// The type that must be given.
    pub ty: ExternType,
}

/// One export of a module.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Export {
    /// The name.
    pub name: String,
    /// The type of what is exported.
    pub ty: ExternType,
    /// The index in the index space of its kind (functions, memories …), which begins with the imports.
    pub index: u32,
}

/// A compiled module. Cheap to clone; all threads may share one.
#[derive(Debug, Clone)]
pub struct Module {
    inner: Arc<ModuleInner>,
}

#[derive(Debug)]
struct ModuleInner {
    /// The code that was made first.
    first: Code,
    first_tier: Tier,
    /// The code that new instances use, once the module has been compiled again.
    optimized: OnceLock<Code>,
    /// What compiling it again takes, until that begins.
    to_optimize: Mutex<Option<ToOptimize>>,
    /// Whether that will happen, or need not.
    is_scheduled: AtomicBool,
    imports: Vec<Import>,
    exports: Vec<Export>,
    /// Which import each imported index of a kind is: `imports[by_kind[kind][index]]`.
    by_kind: HashMap<&'static str, Vec<usize>>,
    custom: Vec<(String, Box<[u8]>)>,
    /// Where the contents of the code section are.
    code_start: usize,
    /// Where the code comes from, if the engine was asked to find out and once somebody asked.
    debug_info: Option<OnceLock<Option<Mutex<DebugInfo>>>>,
    /// The initial size in bytes of each memory that the module itself defines.
    memories: Vec<u128>,
    passes_objects: bool,
    /// What instrumentation added before the module was compiled.
    record: Record,
    grounds: Vec<Ground>,
}

#[derive(Debug)]
struct ToOptimize {
    key: Key,
    bytes: Bytes,
}

/// Where a module's bytes are.
#[derive(Debug)]
enum Bytes {
    Memory(Box<[u8]>),
    Cache(KeptModule),
}

impl ToOptimize {
    /// Returns `None` if memory runs out, or a file of the cache was changed.
    fn optimize(self, engine: &Engine) -> Option<Code> {
        let bytes = match self.bytes {
            Bytes::Memory(bytes) => bytes,
            Bytes::Cache(kept) => kept.read(engine.configuration())?.into(),
        };
        code::optimize(engine, &self.key, &bytes)
    }
}

impl ModuleInner {
    fn new(engine: &Engine, key: Key, bytes: &[u8]) -> Result<Self, CompileError> {
        let Compiled { code, tier, record, grounds, kept } = code::obtain(engine, &key, bytes)?;
        let surface = Surface::read(bytes)?;
        let import = |i: wasmtime::ImportType<'_>| Import {
            module: i.module().to_string(),
            name: i.name().to_string(),
            ty: i.ty(),
        };
        let imports: Vec<_> = code.wasm.imports().map(import).collect();
        let mut by_kind = HashMap::<_, Vec<usize>>::new();
        for (at, import) in imports.iter().enumerate() {
            by_kind.entry(kind_name(&import.ty)).or_default().push(at);
        }
        let export = |(name, index): (String, u32)| {
            let ty = code.wasm.get_export(&name).expect("what is compiled has the module's exports");
            Export { name, ty, index }
        };
        let exports: Vec<_> = surface.exports.into_iter().map(export).collect();
        let mut types = imports.iter().map(|import| &import.ty).chain(exports.iter().map(|export| &export.ty));
        let passes_objects = types.any(passes_objects);
        let improves = tier < engine.compiler.best_tier();
        let bytes = || kept.map_or_else(|| Bytes::Memory(bytes.into()), Bytes::Cache);
        Ok(Self {
            first: code,
            first_tier: tier,
            optimized: OnceLock::new(),
            is_scheduled: AtomicBool::new(!improves),
            to_optimize: Mutex::new(improves.then(|| ToOptimize { key, bytes: bytes() })),
            imports,
            exports,
            by_kind,
            custom: surface.custom,
            code_start: surface.code_start,
            debug_info: engine.debug_info.then(OnceLock::new),
            memories: surface.memories,
            passes_objects,
            record,
            grounds,
        })
    }

    /// All code that the module was compiled to, the best first.
    fn codes(&self) -> impl Iterator<Item = &Code> {
        self.optimized.get().into_iter().chain([&self.first])
    }
}

impl Module {
    /// Compiles the bytes of a module (the binary format only), unless this engine has compiled them already or its
    /// [cache](EngineOptions::cache) has the code.
    ///
    /// # Errors
    /// When the bytes are not a valid module, need a feature that this engine does not have, or exceed an
    /// implementation limit.
    pub fn new(engine: &Engine, bytes: &[u8]) -> Result<Self, CompileError> {
        check_size(bytes)?;
        let key = Key::new(engine.configuration(), bytes);
        let inner = engine.modules.get_or_insert(key, || ModuleInner::new(engine, key, bytes))?;
        Ok(Self { inner })
    }

    /// How well the code of new instances is compiled.
    pub fn tier(&self) -> Tier {
        if self.inner.optimized.get().is_some() { Tier::Optimized } else { self.inner.first_tier }
    }

    /// Whether the bytes are a valid module that this engine would compile.
    pub fn validate(engine: &Engine, bytes: &[u8]) -> bool {
        check_size(bytes).is_ok() && engine.validate(bytes).is_ok() && Surface::read(bytes).is_ok()
    }

    /// Checks what [`Module::new`] checks before and after compiling a valid module.
    pub(crate) fn check_surface(bytes: &[u8]) -> Result<(), CompileError> {
        Surface::read(bytes).map(drop)
    }

    /// Reads the imports of the valid module `bytes` without compiling it: a module that has the same imports and
    /// nothing else.
    ///
    /// # Errors
    /// As [`Module::new`].
    pub fn new_imports(engine: &Engine, bytes: &[u8]) -> Result<Self, CompileError> {
        let mut imports = b"\0asm\x01\0\0\0".to_vec();
        let mut section = |id: u8, contents: &[u8]| {
            imports.push(id);
            push_unsigned(&mut imports, contents.len() as u32);
            imports.extend_from_slice(contents);
        };
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::TypeSection(types) => section(1, &bytes[types.range()]),
                Payload::ImportSection(imports) => section(2, &bytes[imports.range()]),
                _ => {}
            }
        }
        Self::new(engine, &imports)
    }

    /// Whether an import or export has a type with values below `any`: structs, arrays and the like.
    pub fn passes_objects(&self) -> bool {
        self.inner.passes_objects
    }

    /// The imports, in order.
    pub fn imports(&self) -> &[Import] {
        &self.inner.imports
    }

    /// The exports, in order.
    pub fn exports(&self) -> &[Export] {
        &self.inner.exports
    }

    /// The import behind an export that only passes it on: its index in [`Module::imports`].
    pub fn reexported_import(&self, export: &Export) -> Option<usize> {
        self.inner.by_kind.get(kind_name(&export.ty))?.get(export.index as usize).copied()
    }

    /// The contents of all custom sections called `name`, in order.
    pub fn custom_sections(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.inner.custom.iter().filter(move |(n, _)| n == name).map(|(_, bytes)| &**bytes)
    }

    /// The initial size in bytes of each memory that the module itself defines.
    pub(crate) fn memory_bytes(&self) -> impl Iterator<Item = u128> {
        self.inner.memories.iter().copied()
    }

    /// Wasmtime's own handle, for the best code that there is.
    pub fn wasmtime(&self) -> &wasmtime::Module {
        &self.inner.optimized.get().unwrap_or(&self.inner.first).wasm
    }

    /// The module to make a new instance from. Once there is an instance, it is worth compiling the module better.
    pub(crate) fn for_instance(&self, engine: &Engine) -> &wasmtime::Module {
        // (With another engine, making the instance fails.)
        if !self.inner.is_scheduled.load(Ordering::Relaxed)
            && wasmtime::Engine::same(&engine.inner, self.inner.first.wasm.engine())
            && !self.inner.is_scheduled.swap(true, Ordering::Relaxed)
        {
            let (engine, inner) = (engine.clone(), Arc::downgrade(&self.inner));
            background::do_later(move || {
                // Until then the bytes belong to the module, and go when it goes.
                let take = |inner: Arc<ModuleInner>| inner.to_optimize.lock().unwrap_or_else(|e| e.into_inner()).take();
                if let Some(to_optimize) = inner.upgrade().and_then(take)
                    && let Some(code) = to_optimize.optimize(&engine)
                    && let Some(inner) = inner.upgrade()
                {
                    // Nobody else sets it.
                    let _ = inner.optimized.set(code);
                }
            });
        }
        self.wasmtime()
    }

    /// What each memory that the module itself defines stands on, as in [`Record`].
    pub(crate) fn grounds(&self) -> &[Ground] {
        &self.inner.grounds
    }

    /// What replaces its atomic instructions, if any of them wait or notify.
    pub(crate) fn atomic_imports(&self) -> Option<&AtomicImports> {
        self.inner.record.atomic_imports.as_ref()
    }

    /// C's stack pointer, if the module defines one.
    pub(crate) fn stack_pointer(&self) -> Option<StackPointer> {
        self.inner.record.stack_pointer
    }

    /// Translates an offset that Wasmtime reports into one in the module's own bytes.
    pub(crate) fn original_offset(&self, offset: usize) -> usize {
        self.inner.record.offsets.original(offset)
    }

    /// Where the instruction at `offset` of the module's own bytes is in the guest's source. Empty unless
    /// [`EngineOptions::debug_info`](crate::EngineOptions::debug_info) is set and the module says.
    pub(crate) fn source_of(&self, offset: usize) -> Vec<SourceLocation> {
        let Some(debug_info) = &self.inner.debug_info else { return Vec::new() };
        let Some(debug_info) = debug_info.get_or_init(|| DebugInfo::new(&self.inner.custom).map(Mutex::new)) else {
            return Vec::new();
        };
        let offset = offset.saturating_sub(self.inner.code_start) as u64;
        debug_info.lock().unwrap_or_else(|e| e.into_inner()).source_of(offset)
    }

    /// Whether Wasmtime's module `wasm` was made for this one.
    pub(crate) fn has(&self, wasm: &wasmtime::Module) -> bool {
        self.inner.codes().any(|code| wasmtime::Module::same(&code.wasm, wasm))
    }

    /// What is known of the frames of its functions when they are at an address of its code; `None` if the address is not
    /// in its code, or there are no references in the frame.
    pub(crate) fn stack_map(&self, pc: usize) -> Option<StackMap<'_>> {
        self.inner.codes().find_map(|code| code.stack_map(pc))
    }

    /// The name of the first export of the function at `index`.
    pub(crate) fn exported_function(&self, index: u32) -> Option<&str> {
        let is_it = |export: &&Export| export.index == index && matches!(export.ty, ExternType::Func(_));
        self.inner.exports.iter().find(is_it).map(|export| &*export.name)
    }

    /// Whether both handles are to the same module.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// The index of the function whose compiled code is at `code`, if it is one of this module's.
    pub(crate) fn function_at(&self, code: usize) -> Option<u32> {
        self.inner.codes().find_map(|own| own.function_at(code))
    }
}

impl Engine {
    /// Whether the [cache](crate::EngineOptions::cache) has optimized code for a module in the binary format, or the module is
    /// too small to need any. `false` without a cache.
    pub fn has_cached(&self, module: &[u8]) -> bool {
        code::is_kept(self, &Key::new(self.configuration(), module), module)
    }
}

fn passes_objects(ty: &ExternType) -> bool {
    let is_object = |ty: &RefType| matches!(ty.heap_type().top(), HeapType::Any);
    let has_object = |ty: ValType| ty.as_ref().is_some_and(is_object);
    match ty {
        ExternType::Func(ty) => ty.params().chain(ty.results()).any(has_object),
        ExternType::Tag(ty) => ty.ty().params().any(has_object),
        ExternType::Global(ty) => has_object(ty.content().clone()),
        ExternType::Table(ty) => is_object(ty.element()),
        ExternType::Memory(_) => false,
    }
}

/// A type's kind, as the JavaScript API spells it.
pub fn kind_name(ty: &ExternType) -> &'static str {
    match ty {
        ExternType::Func(_) => "function",
        ExternType::Global(_) => "global",
        ExternType::Table(_) => "table",
        ExternType::Memory(_) => "memory",
        ExternType::Tag(_) => "tag",
    }
}

/// What Wasmtime does not tell about a module.
#[derive(Default)]
struct Surface {
    /// The names of the exports, and the index of what each exports.
    exports: Vec<(String, u32)>,
    custom: Vec<(String, Box<[u8]>)>,
    memories: Vec<u128>,
    /// Where the contents of the code section begin.
    code_start: usize,
}

impl Surface {
    fn read(bytes: &[u8]) -> Result<Self, CompileError> {
        let mut surface = Self::default();
        let mut limits = Limits::default();
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            limits.check(&payload)?;
            match payload {
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let export = export?;
                        surface.exports.push((export.name.into(), export.index));
                    }
                }
                Payload::MemorySection(memories) => {
                    for memory in memories {
                        let memory = memory?;
                        surface.memories.push(u128::from(memory.initial) << memory.page_size_log2.unwrap_or(16));
                    }
                }
                Payload::CodeSectionStart { range, .. } => surface.code_start = range.start,
                Payload::CustomSection(section) => {
                    surface.custom.push((section.name().to_string(), section.data().into()));
                }
                _ => {}
            }
        }
        Ok(surface)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EngineOptions;

    #[test]
    fn modules_that_nobody_has_are_forgotten() {
        let engine = Engine::new(&EngineOptions::default()).unwrap();
        let module = |number: u32| {
            let text = format!("(module (func (export \"f\") (result i32) (i32.const {number})))");
            Module::new(&engine, &wat::parse_str(text).unwrap()).unwrap()
        };
        let kept: Vec<_> = (0..50).map(module).collect();
        for number in 50..1000 {
            module(number);
        }
        // The table is searched whenever it would have to grow.
        assert!(engine.modules.len() <= 256);
        assert!((0..50).all(|number| module(number).is_same(&kept[number as usize])));
    }
}
