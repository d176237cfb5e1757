//! What is in a module, as its sections say.

use std::collections::HashMap;

use serde_json::{Value, json};
use tombolo::island::wasi::{PREVIEW1, UNSTABLE};
use wasmparser::types::{CoreTypeId, Types, TypesRef};
use wasmparser::{
    BinaryReader, CompositeInnerType, CustomSectionReader, ExternalKind, FuncType, GlobalType, KnownCustom, MemoryType,
    Name, Parser, Payload, TableType, TypeRef, Validator, WasmFeatures,
};

use super::features;

/// What is in a module.
pub(super) struct Module {
    pub(super) bytes: usize,
    pub(super) kind: ModuleKind,
    /// The names of proposals.
    pub(super) features: Vec<&'static str>,
    /// `+name`, as the compiler has written it.
    pub(super) target_features: Vec<String>,
    /// Fields (`language`, `processed-by`) with names and versions.
    pub(super) producers: Vec<(String, Vec<(String, String)>)>,
    /// The functions that allocate and free, and whose convention that is.
    pub(super) allocator: Option<(Vec<&'static str>, &'static str)>,
    pub(super) sections: Vec<Section>,
    pub(super) imports: Vec<Import>,
    pub(super) exports: Vec<Export>,
    /// Of the module itself, not those that it imports.
    pub(super) memories: Vec<String>,
    pub(super) tables: Vec<String>,
    pub(super) globals: Vec<String>,
    pub(super) tags: Vec<String>,
    /// With the largest first.
    pub(super) functions: Vec<Function>,
    pub(super) start: Option<u32>,
    pub(super) is_cached: Option<bool>,
}

/// What a host does with a module.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ModuleKind {
    Command,
    Reactor,
    /// It imports parts of WASI, and is neither.
    WasiLibrary,
    Library,
}

impl ModuleKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Command => "WASI command",
            Self::Reactor => "WASI reactor",
            Self::WasiLibrary => "library that uses WASI",
            Self::Library => "library",
        }
    }
}

pub(super) struct Section {
    pub(super) name: String,
    pub(super) bytes: usize,
    pub(super) count: Option<u32>,
}

pub(super) struct Import {
    pub(super) module: String,
    pub(super) name: String,
    pub(super) ty: String,
}

pub(super) struct Export {
    pub(super) name: String,
    pub(super) ty: String,
}

pub(super) struct Function {
    pub(super) index: u32,
    pub(super) name: String,
    pub(super) bytes: usize,
}

impl Module {
    /// Reads a module.
    ///
    /// # Errors
    /// Why it is not one.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        if Parser::is_component(bytes) {
            return Err("it is a component, not a module".into());
        }
        let features = features::used(bytes)?;
        let types = Validator::new_with_features(WasmFeatures::all()).validate_all(bytes);
        let types: Types = types.map_err(|error| error.to_string())?;
        let mut reader = Reader {
            module: Self::empty(bytes.len(), features),
            types,
            names: HashMap::new(),
            exported: HashMap::new(),
            imported: 0,
        };
        for payload in Parser::new(0).parse_all(bytes) {
            payload.and_then(|payload| reader.take(payload)).map_err(|error| error.to_string())?;
        }
        Ok(reader.finish())
    }

    fn empty(bytes: usize, features: Vec<&'static str>) -> Self {
        Self {
            bytes,
            kind: ModuleKind::Library,
            features,
            target_features: Vec::new(),
            producers: Vec::new(),
            allocator: None,
            sections: Vec::new(),
            imports: Vec::new(),
            exports: Vec::new(),
            memories: Vec::new(),
            tables: Vec::new(),
            globals: Vec::new(),
            tags: Vec::new(),
            functions: Vec::new(),
            start: None,
            is_cached: None,
        }
    }

    fn exports_function(&self, name: &str) -> bool {
        self.exports.iter().any(|export| export.name == name && export.ty.starts_with("func"))
    }

    fn find_kind(&self) -> ModuleKind {
        let uses_wasi = self.imports.iter().any(|import| import.module == PREVIEW1 || import.module == UNSTABLE);
        match () {
            () if self.exports_function("_start") => ModuleKind::Command,
            () if self.exports_function("_initialize") => ModuleKind::Reactor,
            () if uses_wasi => ModuleKind::WasiLibrary,
            () => ModuleKind::Library,
        }
    }

    fn find_allocator(&self) -> Option<(Vec<&'static str>, &'static str)> {
        use c_abi::names::{ALLOCATORS, ASSEMBLY_SCRIPT};
        let whose = ["C", "wasm-bindgen", "component model"];
        let of_c = ALLOCATORS.iter().zip(whose).find(|(names, _)| names.iter().all(|name| self.exports_function(name)));
        if let Some((names, whose)) = of_c {
            return Some((names.to_vec(), whose));
        }
        let is_assembly_script = ASSEMBLY_SCRIPT.iter().all(|name| self.exports_function(name));
        is_assembly_script.then(|| (ASSEMBLY_SCRIPT.to_vec(), "AssemblyScript"))
    }

    /// Everything, with the `top` largest functions.
    pub(super) fn to_json(&self, top: usize) -> Value {
        let producers = self.producers.iter().map(|(field, values)| {
            let values = values.iter().map(|(name, version)| json!({ "name": name, "version": version }));
            (field.clone(), values.collect::<Value>())
        });
        let allocator = self.allocator.as_ref();
        json!({
            "bytes": self.bytes,
            "kind": match self.kind {
                ModuleKind::Command => "command",
                ModuleKind::Reactor => "reactor",
                ModuleKind::WasiLibrary | ModuleKind::Library => "library",
            },
            "features": self.features,
            "targetFeatures": self.target_features,
            "producers": producers.collect::<serde_json::Map<_, _>>(),
            "allocator": allocator.map(|(names, whose)| json!({ "functions": names, "convention": whose })),
            "cached": self.is_cached,
            "start": self.start,
            "sections": self.sections.iter().map(|section| json!({
                "name": section.name, "bytes": section.bytes, "count": section.count,
            })).collect::<Value>(),
            "imports": self.imports.iter().map(|import| json!({
                "module": import.module, "name": import.name, "type": import.ty,
            })).collect::<Value>(),
            "exports": self.exports.iter().map(|export| json!({ "name": export.name, "type": export.ty })).collect::<Value>(),
            "memories": self.memories,
            "tables": self.tables,
            "globals": self.globals,
            "tags": self.tags,
            "functions": self.functions.iter().take(top).map(|function| json!({
                "index": function.index, "name": function.name, "bytes": function.bytes,
            })).collect::<Value>(),
        })
    }
}

struct Reader {
    module: Module,
    types: Types,
    /// The names of functions, by index.
    names: HashMap<u32, String>,
    /// The names by which functions are exported.
    exported: HashMap<u32, String>,
    /// How many functions are imported.
    imported: u32,
}

impl Reader {
    fn section(&mut self, name: &str, range: &std::ops::Range<usize>, count: Option<u32>) {
        self.module.sections.push(Section { name: name.to_owned(), bytes: range.len(), count });
    }

    fn take(&mut self, payload: Payload<'_>) -> wasmparser::Result<()> {
        match payload {
            Payload::TypeSection(reader) => self.section("type", &reader.range(), Some(reader.count())),
            Payload::ImportSection(reader) => {
                let range = reader.range();
                for import in reader.into_imports() {
                    let import = import?;
                    self.imported += u32::from(matches!(import.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)));
                    let ty = self.type_of(import.ty);
                    let (module, name) = (import.module.to_owned(), import.name.to_owned());
                    self.module.imports.push(Import { module, name, ty });
                }
                self.section("import", &range, Some(self.module.imports.len() as u32));
            }
            Payload::FunctionSection(reader) => self.section("function", &reader.range(), Some(reader.count())),
            Payload::TableSection(reader) => {
                self.section("table", &reader.range(), Some(reader.count()));
                for table in reader {
                    self.module.tables.push(table_type(&table?.ty));
                }
            }
            Payload::MemorySection(reader) => {
                self.section("memory", &reader.range(), Some(reader.count()));
                for memory in reader {
                    self.module.memories.push(memory_type(&memory?));
                }
            }
            Payload::TagSection(reader) => {
                self.section("tag", &reader.range(), Some(reader.count()));
                for tag in reader {
                    let ty = self.type_of(TypeRef::Tag(tag?));
                    self.module.tags.push(ty);
                }
            }
            Payload::GlobalSection(reader) => {
                self.section("global", &reader.range(), Some(reader.count()));
                for global in reader {
                    self.module.globals.push(global_type(&global?.ty));
                }
            }
            Payload::ExportSection(reader) => {
                self.section("export", &reader.range(), Some(reader.count()));
                for export in reader {
                    let export = export?;
                    let ty = self.type_at(export.kind, export.index);
                    if let ExternalKind::Func | ExternalKind::FuncExact = export.kind {
                        self.exported.insert(export.index, export.name.to_owned());
                    }
                    self.module.exports.push(Export { name: export.name.to_owned(), ty });
                }
            }
            Payload::StartSection { func, range } => {
                self.section("start", &range, None);
                self.module.start = Some(func);
            }
            Payload::ElementSection(reader) => self.section("element", &reader.range(), Some(reader.count())),
            Payload::DataCountSection { count, range } => self.section("data count", &range, Some(count)),
            Payload::DataSection(reader) => self.section("data", &reader.range(), Some(reader.count())),
            Payload::CodeSectionStart { count, range, .. } => self.section("code", &range, Some(count)),
            Payload::CodeSectionEntry(body) => {
                let index = self.imported + self.module.functions.len() as u32;
                self.module.functions.push(Function { index, name: String::new(), bytes: body.range().len() });
            }
            Payload::CustomSection(custom) => self.custom(&custom),
            _ => {}
        }
        Ok(())
    }

    /// What cannot be read in a custom section is no reason to refuse the module.
    fn custom(&mut self, custom: &CustomSectionReader<'_>) {
        self.section(&format!("\"{}\"", custom.name()), &custom.range(), None);
        match custom.as_known() {
            KnownCustom::Name(names) => {
                for name in names.into_iter().map_while(Result::ok) {
                    let Name::Function(map) = name else { continue };
                    let named = map.into_iter().map_while(Result::ok);
                    self.names.extend(named.map(|naming| (naming.index, naming.name.to_owned())));
                }
            }
            KnownCustom::Producers(fields) => {
                for field in fields.into_iter().map_while(Result::ok) {
                    let values = field.values.into_iter().map_while(Result::ok);
                    let values = values.map(|value| (value.name.to_owned(), value.version.to_owned())).collect();
                    self.module.producers.push((field.name.to_owned(), values));
                }
            }
            _ if custom.name() == "target_features" => {
                self.module.target_features = target_features(custom.data()).unwrap_or_default();
            }
            _ => {}
        }
    }

    fn finish(mut self) -> Module {
        for function in &mut self.module.functions {
            let name = self.names.get(&function.index).or_else(|| self.exported.get(&function.index));
            function.name = name.cloned().unwrap_or_default();
        }
        self.module.functions.sort_by_key(|function| (std::cmp::Reverse(function.bytes), function.index));
        self.module.kind = self.module.find_kind();
        self.module.allocator = self.module.find_allocator();
        self.module
    }

    fn types(&self) -> TypesRef<'_> {
        self.types.as_ref()
    }

    fn function_type(&self, ty: u32) -> String {
        let types = self.types();
        let id = types.core_type_at_in_module(ty);
        match &types[id].composite_type.inner {
            CompositeInnerType::Func(ty) => function_type(ty),
            _ => "func".into(),
        }
    }

    fn type_of(&self, ty: TypeRef) -> String {
        match ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => self.function_type(ty),
            TypeRef::Table(ty) => table_type(&ty),
            TypeRef::Memory(ty) => memory_type(&ty),
            TypeRef::Global(ty) => global_type(&ty),
            TypeRef::Tag(ty) => self.function_type(ty.func_type_idx).replacen("func", "tag", 1),
        }
    }

    fn type_at(&self, kind: ExternalKind, index: u32) -> String {
        let types = self.types();
        let of_id = |id: CoreTypeId| match &types[id].composite_type.inner {
            CompositeInnerType::Func(ty) => function_type(ty),
            _ => "func".into(),
        };
        match kind {
            ExternalKind::Func | ExternalKind::FuncExact => of_id(types.core_function_at(index)),
            ExternalKind::Table => table_type(&types.table_at(index)),
            ExternalKind::Memory => memory_type(&types.memory_at(index)),
            ExternalKind::Global => global_type(&types.global_at(index)),
            ExternalKind::Tag => of_id(types.tag_at(index)).replacen("func", "tag", 1),
        }
    }
}

fn function_type(ty: &FuncType) -> String {
    let list = |types: &[wasmparser::ValType]| types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match ty.results() {
        [] => format!("func({})", list(ty.params())),
        [result] => format!("func({}) -> {result}", list(ty.params())),
        results => format!("func({}) -> ({})", list(ty.params()), list(results)),
    }
}

fn limits(initial: u64, maximum: Option<u64>) -> String {
    maximum.map_or_else(|| format!("{initial}.."), |maximum| format!("{initial}..{maximum}"))
}

fn table_type(ty: &TableType) -> String {
    let wide = if ty.table64 { " i64" } else { "" };
    format!("table{wide} {} {}", limits(ty.initial, ty.maximum), ty.element_type)
}

fn memory_type(ty: &MemoryType) -> String {
    let wide = if ty.memory64 { " i64" } else { "" };
    let shared = if ty.shared { " shared" } else { "" };
    let page = ty.page_size_log2.map_or_else(String::new, |log| format!(" of {} bytes", 1u64 << log));
    format!("memory{wide} {} pages{page}{shared}", limits(ty.initial, ty.maximum))
}

fn global_type(ty: &GlobalType) -> String {
    let mutable = if ty.mutable { "mut " } else { "" };
    format!("global {mutable}{}", ty.content_type)
}

/// The `target_features` section of the tool conventions: names, each behind a sign.
fn target_features(data: &[u8]) -> Option<Vec<String>> {
    let mut reader = BinaryReader::new(data, 0);
    let count = reader.read_var_u32().ok()?;
    let feature = |_| {
        let sign = reader.read_u8().ok()?;
        Some(format!("{}{}", char::from(sign), reader.read_string().ok()?))
    };
    (0..count).map(feature).collect()
}
