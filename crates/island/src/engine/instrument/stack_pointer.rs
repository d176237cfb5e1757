//! C's stack pointer, found in a module.
//!
//! Compilers of C and of languages like it keep what has an address on a stack of their own in the memory, and its end in
//! a global, `__stack_pointer`, which they seldom export. The host needs it when calls are suspended, since calls that
//! wait at the same time must not share that stack, and when a call does not return. Linkers write its name into the name
//! section. Where that was left out, the functions tell: those that need the stack begin by moving the pointer down.

use serde::{Deserialize, Serialize};
use wasmparser::{
    BinaryReader, CodeSectionReader, DataKind, DataSectionReader, GlobalSectionReader, KnownCustom, Name, Operator,
    OperatorsReader, Parser, Payload, Result, ValType,
};
use wasmtime_environ::{DefinedGlobalIndex, EntityRef, HostPtr, VMOffsets, VMOffsetsFields};

use super::data::constant;
use super::{CODE, DATA, GLOBAL, Scan};

/// What linkers call it.
const NAME: &str = "__stack_pointer";

/// A stack that is larger than this only looks so, because what lies below it is not known.
const MOST_BYTES: u64 = 1 << 20;

/// The stack pointer of a module, which the module itself defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StackPointer {
    /// Where it is in the `VMContext` of an instance.
    pub(crate) offset: u32,
    /// Whether it is an i64.
    pub(crate) is_wide: bool,
    /// How many bytes the stack has, or a little more.
    pub(crate) bytes: u64,
}

/// A global that may be one.
struct Candidate {
    index: u32,
    is_wide: bool,
    top: u64,
}

impl Scan<'_> {
    /// Finds it. `tables` and `memories` are the numbers added to the module's own.
    pub(super) fn stack_pointer(&self, tables: u32, memories: u32) -> Result<Option<StackPointer>> {
        let candidates = self.candidates()?;
        if candidates.is_empty() {
            return Ok(None);
        }
        let index = match self.named_stack_pointer() {
            Some(named) => Some(named),
            None => self.moved_first(&candidates)?,
        };
        let Some(index) = index else { return Ok(None) };
        let Some(found) = candidates.into_iter().find(|candidate| candidate.index == index) else { return Ok(None) };
        let own = |all: usize, imported: usize| (all - imported) as u32;
        let owned = self.memories[self.imported_memories..].iter().filter(|ty| !ty.shared).count() as u32;
        let offsets = VMOffsets::from(VMOffsetsFields {
            ptr: HostPtr,
            num_imported_functions: self.imported_functions,
            num_imported_tables: self.imported_tables,
            num_imported_memories: self.imported_memories as u32,
            num_imported_globals: self.imported_globals,
            num_imported_tags: self.imported_tags,
            num_defined_tables: self.tables - self.imported_tables + tables,
            num_defined_memories: own(self.memories.len(), self.imported_memories) + memories,
            num_owned_memories: owned + memories,
            num_defined_globals: self.globals - self.imported_globals,
            // These come after the globals.
            num_defined_tags: 0,
            num_escaped_funcs: 0,
            num_runtime_data: 0,
            has_startup_func: false,
        });
        let defined = DefinedGlobalIndex::new((index - self.imported_globals) as usize);
        Ok(Some(StackPointer {
            offset: offsets.vmctx_vmglobal_definition(defined),
            is_wide: found.is_wide,
            bytes: (found.top - self.data_below(found.top)?).min(MOST_BYTES),
        }))
    }

    /// The module's own mutable globals that begin with a number that a stack could begin at.
    fn candidates(&self) -> Result<Vec<Candidate>> {
        let Some(contents) = self.section(GLOBAL) else { return Ok(Vec::new()) };
        let mut candidates = Vec::new();
        for (global, index) in GlobalSectionReader::new(contents)?.into_iter().zip(self.imported_globals..) {
            let global = global?;
            if !global.ty.mutable || global.ty.shared {
                continue;
            }
            let is_wide = global.ty.content_type == ValType::I64;
            // (A global of any other type begins with something else.)
            if let Some(top) = constant(&global.init_expr, is_wide).filter(|top| *top != 0 && top.is_multiple_of(16)) {
                candidates.push(Candidate { index, is_wide, top });
            }
        }
        Ok(candidates)
    }

    /// The global that the name section calls so.
    fn named_stack_pointer(&self) -> Option<u32> {
        for payload in Parser::new(0).parse_all(self.bytes) {
            // What is wrong with a custom section does not matter.
            let Ok(Payload::CustomSection(section)) = payload else { continue };
            let KnownCustom::Name(names) = section.as_known() else { continue };
            for names in names {
                let Ok(Name::Global(names)) = names else { continue };
                let mut names = names.into_iter().filter_map(Result::ok);
                return names.find(|naming| naming.name == NAME).map(|naming| naming.index);
            }
        }
        None
    }

    /// The candidate that functions begin by moving down, unless some move another one.
    fn moved_first(&self, candidates: &[Candidate]) -> Result<Option<u32>> {
        let Some(contents) = self.section(CODE) else { return Ok(None) };
        let mut found = None;
        for body in CodeSectionReader::new(contents)? {
            let code = body?.get_binary_reader_for_operators()?;
            if let Some(moved) = moved_down(code)
                && candidates.iter().any(|candidate| candidate.index == moved)
            {
                if found.is_some_and(|found| found != moved) {
                    return Ok(None);
                }
                found = Some(moved);
            }
        }
        Ok(found)
    }

    /// Where the last of the data below `top` ends.
    fn data_below(&self, top: u64) -> Result<u64> {
        let Some(contents) = self.section(DATA) else { return Ok(0) };
        let mut end = 0;
        for segment in DataSectionReader::new(contents)? {
            let segment = segment?;
            let DataKind::Active { memory_index, offset_expr } = segment.kind else { continue };
            let Some(memory) = self.memories.get(memory_index as usize) else { continue };
            if let Some(start) = constant(&offset_expr, memory.memory64) {
                let segment = start.saturating_add(segment.data.len() as u64);
                end = if segment <= top { end.max(segment) } else { end };
            }
        }
        Ok(end)
    }
}

/// The global that code begins by moving down: `global.get`, a constant, `sub`, `local.tee`, `global.set`.
fn moved_down(code: BinaryReader<'_>) -> Option<u32> {
    // Most functions begin otherwise.
    if code.clone().read_u8().ok()? != 0x23 {
        return None;
    }
    let mut code = OperatorsReader::new(code);
    let Ok(Operator::GlobalGet { global_index }) = code.read() else { return None };
    let is_size = match code.read().ok()? {
        Operator::I32Const { value } => value > 0,
        Operator::I64Const { value } => value > 0,
        _ => false,
    };
    let subtracts = matches!(code.read().ok()?, Operator::I32Sub | Operator::I64Sub);
    let keeps = matches!(code.read().ok()?, Operator::LocalTee { .. });
    let sets = matches!(code.read().ok()?, Operator::GlobalSet { global_index: set } if set == global_index);
    (is_size && subtracts && keeps && sets).then_some(global_index)
}
