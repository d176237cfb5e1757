//! Compiled modules and what can be seen of them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use rustc_hash::FxHashMap;
use wasmparser::{Parser, Payload};
use wasmtime::{ExternType, HeapType, RefType, ValType};

use crate::cache::{CodeCache, Key, Tier};
use crate::engine::Engine;
use crate::limits::{Limits, check_size};
use crate::prepare::{self, Ground, Offsets, Record, Waits, push_unsigned};

/// Why a module was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileError {
    /// What is wrong, and at which byte offset of the module.
    pub message: String,
}

impl std::fmt::Display for CompileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CompileError {}

impl From<wasmparser::BinaryReaderError> for CompileError {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self { message: error.to_string() }
    }
}

impl From<wasmtime::Error> for CompileError {
    fn from(error: wasmtime::Error) -> Self {
        // Wasmtime puts the reason last; what stands before it ("failed to parse") says nothing more.
        Self { message: error.root_cause().to_string() }
    }
}

/// One import of a module.
#[derive(Debug, Clone)]
pub struct Import {
    /// The first name.
    pub module: String,
    /// The second name.
    pub name: String,
    /// What must be given.
    pub ty: ExternType,
}

/// One export of a module.
#[derive(Debug, Clone)]
pub struct Export {
    /// The name.
    pub name: String,
    /// What is given.
    pub ty: ExternType,
    /// The index in the space of its kind (functions, memories …), imports first.
    pub index: u32,
}

/// A compiled module. Cheap to clone; all threads may share one.
#[derive(Debug, Clone)]
pub struct Module {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    wasm: wasmtime::Module,
    imports: Vec<Import>,
    exports: Vec<Export>,
    /// Which import each imported index of a kind is: `imports[by_kind[kind][index]]`.
    by_kind: HashMap<&'static str, Vec<usize>>,
    custom: Vec<(String, Box<[u8]>)>,
    /// Bytes that each memory of its own has at first.
    memories: Vec<u128>,
    passes_objects: bool,
    /// Where the code of each function ends and starts, in that order, and the function's index.
    functions: Box<[(usize, usize, u32)]>,
    preparation: Preparation,
}

/// What preparation did to a module before it was compiled.
#[derive(Debug, Default)]
pub(crate) struct Preparation {
    offsets: Offsets,
    memories: Vec<Ground>,
    waits: Option<Waits>,
}

impl Preparation {
    /// `None` if the record is not one of this module.
    fn new(record: Record, original: &[u8]) -> Option<Self> {
        let memories = record.memories.iter().map(|source| source.ground(original)).collect::<Option<_>>()?;
        Some(Self { offsets: record.offsets, memories, waits: record.waits })
    }

    /// What the module's own memories stand on, leaving out those that have no pages at first.
    pub(crate) fn memories(&self) -> &[Ground] {
        &self.memories
    }

    pub(crate) fn waits(&self) -> Option<&Waits> {
        self.waits.as_ref()
    }
}

/// Code that can be run, and what was done to the module before it was compiled.
type Compiled = (wasmtime::Module, Preparation);

/// Compiled code from the cache, or from the compiler.
fn code(engine: &Engine, key: &Key, bytes: &[u8]) -> Result<Compiled, CompileError> {
    /// Smaller modules are compiled in the time that it takes to look for them.
    const CACHED_FROM: usize = 512;
    let cache = engine.cache.as_deref().filter(|_| bytes.len() >= CACHED_FROM);
    if let Some(found) = cache.and_then(|cache| cache.load(key))
        && let Some(record) = Record::from_bytes(&found.attachment)
        && let Some(preparation) = Preparation::new(record, bytes)
        && let Ok(wasm) = found.code.load(&engine.inner)
    {
        return Ok((wasm, preparation));
    }
    compile(engine, bytes, cache.map(|cache| (cache, key)))
}

/// Prepares and compiles. What a script did wrong is said of the module that it gave.
fn compile(engine: &Engine, bytes: &[u8], cache: Option<(&CodeCache, &Key)>) -> Result<Compiled, CompileError> {
    let (prepared, record) = match prepare::prepare(bytes, engine.interruptible) {
        prepare::Preparation::Unneeded => (Cow::Borrowed(bytes), Record::default()),
        prepare::Preparation::DoesNotFit => {
            engine.validate(bytes)?;
            let message = "the module has no room left for what stops its loops and waits: it can have at most 99 \
                           memories and tables, and functions a little shorter than the limit";
            return Err(CompileError { message: message.into() });
        }
        prepare::Preparation::Made(prepared) => {
            engine.validate(bytes)?;
            (Cow::Owned(prepared.bytes), prepared.record)
        }
    };
    let wasm = match cache {
        None => engine.compile_binary(&prepared)?,
        Some((cache, key)) => {
            let code = engine.precompile(&prepared)?;
            drop(prepared);
            cache.store(key, Tier::Optimized, bytes.len(), code, &record.to_bytes()).load(&engine.inner)?
        }
    };
    let preparation = Preparation::new(record, bytes).expect("the record is of this module");
    Ok((wasm, preparation))
}

/// The modules that the agents of a process have compiled and not let go: the same bytes are compiled once.
#[derive(Default)]
pub(crate) struct Modules(Mutex<FxHashMap<Key, Arc<Mutex<Weak<Inner>>>>>);

impl Modules {
    fn get_or_insert(
        &self,
        key: Key,
        compile: impl FnOnce() -> Result<Inner, CompileError>,
    ) -> Result<Arc<Inner>, CompileError> {
        /// Fewer than this are not looked through for those that have gone.
        const FEW: usize = 64;
        let slot = {
            let mut modules = self.0.lock().unwrap_or_else(|e| e.into_inner());
            if modules.len() >= FEW && modules.len() == modules.capacity() {
                // Whoever is compiling has the slot, too.
                modules.retain(|_, slot| {
                    Arc::strong_count(slot) > 1 || slot.lock().unwrap_or_else(|e| e.into_inner()).strong_count() > 0
                });
            }
            modules.entry(key).or_default().clone()
        };
        // Another agent that compiles the same bytes is waited for.
        let mut module = slot.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(inner) = module.upgrade() {
            return Ok(inner);
        }
        let inner = Arc::new(compile()?);
        *module = Arc::downgrade(&inner);
        Ok(inner)
    }
}

impl Inner {
    fn new((wasm, preparation): Compiled, bytes: &[u8]) -> Result<Self, CompileError> {
        let surface = Surface::read(bytes)?;
        let import = |i: wasmtime::ImportType<'_>| Import {
            module: i.module().to_string(),
            name: i.name().to_string(),
            ty: i.ty(),
        };
        let imports: Vec<_> = wasm.imports().map(import).collect();
        let mut by_kind = HashMap::<_, Vec<usize>>::new();
        for (at, import) in imports.iter().enumerate() {
            by_kind.entry(kind_name(&import.ty)).or_default().push(at);
        }
        let exports: Vec<_> = wasm
            .exports()
            .zip(&surface.export_indices)
            .map(|(e, &index)| Export { name: e.name().to_string(), ty: e.ty(), index })
            .collect();
        let mut types = imports.iter().map(|import| &import.ty).chain(exports.iter().map(|export| &export.ty));
        let passes_objects = types.any(passes_objects);
        let mut functions: Box<[_]> =
            wasm.functions().map(|f| (f.offset + f.len, f.offset, f.index.as_u32())).collect();
        functions.sort_unstable();
        Ok(Self {
            functions,
            preparation,
            passes_objects,
            imports,
            exports,
            by_kind,
            custom: surface.custom,
            memories: surface.memories,
            wasm,
        })
    }
}

impl Module {
    /// Compiles the bytes of a module (the binary format only).
    ///
    /// # Errors
    /// When the bytes are no valid module, ask for what this engine does not have, or exceed an implementation limit.
    pub fn new(engine: &Engine, bytes: &[u8]) -> Result<Self, CompileError> {
        check_size(bytes)?;
        let key = Key::new(engine.configuration(), bytes);
        let inner = engine.modules.get_or_insert(key, || Inner::new(code(engine, &key, bytes)?, bytes))?;
        Ok(Self { inner })
    }

    /// Whether the bytes are a valid module that this engine would compile.
    pub fn validate(engine: &Engine, bytes: &[u8]) -> bool {
        check_size(bytes).is_ok() && engine.validate(bytes).is_ok() && Surface::read(bytes).is_ok()
    }

    /// A module that has the imports of the valid module `bytes` and nothing else: their types, without compiling it.
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

    /// Whether an import's or export's type has values below `any`: structs, arrays and the like.
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

    /// The import behind an export that only hands one on: its place in [`Module::imports`].
    pub fn reexported_import(&self, export: &Export) -> Option<usize> {
        self.inner.by_kind.get(kind_name(&export.ty))?.get(export.index as usize).copied()
    }

    /// The contents of all custom sections called `name`, in order.
    pub fn custom_sections(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.inner.custom.iter().filter(move |(n, _)| n == name).map(|(_, bytes)| &**bytes)
    }

    /// The bytes that each memory of the module's own has at first.
    pub(crate) fn memory_bytes(&self) -> impl Iterator<Item = u128> {
        self.inner.memories.iter().copied()
    }

    /// Wasmtime's own handle.
    pub fn wasmtime(&self) -> &wasmtime::Module {
        &self.inner.wasm
    }

    pub(crate) fn preparation(&self) -> &Preparation {
        &self.inner.preparation
    }

    /// Where in the module's bytes an instruction is that Wasmtime tells of.
    pub(crate) fn original_offset(&self, offset: usize) -> usize {
        self.inner.preparation.offsets.original(offset)
    }

    /// The name of the first export of the function at `index`.
    pub(crate) fn exported_function(&self, index: u32) -> Option<&str> {
        let is_it = |export: &&Export| export.index == index && matches!(export.ty, ExternType::Func(_));
        self.inner.exports.iter().find(is_it).map(|export| &*export.name)
    }

    /// Whether both are one module.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// The index of the function whose compiled code is at `code`, if it is one of this module's.
    pub(crate) fn function_at(&self, code: usize) -> Option<u32> {
        let offset = code.checked_sub(self.inner.wasm.text().as_ptr().addr())?;
        let functions = &self.inner.functions;
        let at = functions.partition_point(|&(end, ..)| end <= offset);
        functions.get(at).filter(|&&(_, start, _)| start <= offset).map(|&(.., index)| index)
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
    export_indices: Vec<u32>,
    custom: Vec<(String, Box<[u8]>)>,
    memories: Vec<u128>,
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
                        surface.export_indices.push(export?.index);
                    }
                }
                Payload::MemorySection(memories) => {
                    for memory in memories {
                        let memory = memory?;
                        surface.memories.push(u128::from(memory.initial) << memory.page_size_log2.unwrap_or(16));
                    }
                }
                Payload::CustomSection(section) => {
                    surface.custom.push((section.name().to_string(), section.data().into()));
                }
                _ => {}
            }
        }
        Ok(surface)
    }
}
