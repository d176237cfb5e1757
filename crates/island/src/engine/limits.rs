//! The JavaScript API's implementation limits, where the validator has none or a higher one.

use wasmparser::{
    CompositeInnerType, ConstExpr, ElementItems, ElementKind, MemoryType, Operator, OperatorsReader, Payload,
    TableInit, TableType, TypeRef,
};

use crate::engine::compile_error::CompileError;

/// The length of a module, in bytes.
const MODULE_BYTES: usize = 1 << 30;

/// The number of elements of a table, in its type and at run time.
pub const TABLE_ELEMENTS: u64 = 10_000_000;

/// The size in bytes that the type of a memory with 64-bit addresses may name: 2^37 - 1 pages.
pub const MEMORY64_TYPE_BYTES: u128 = (1 << 53) - (1 << 16);

/// The size in bytes that a memory may have at run time: 2^18 pages. (32-bit addresses reach a quarter of it.)
pub const MEMORY_BYTES: u64 = 1 << 34;

/// The number of operands of `array.new_fixed`.
const ARRAY_OPERANDS: u32 = 10_000;

/// Refuses a module that is too long to be read.
pub(crate) fn check_size(bytes: &[u8]) -> Result<(), CompileError> {
    match bytes.len() {
        0..=MODULE_BYTES => Ok(()),
        length => Err(exceeded(&format!("a module of {length} bytes"), u128::from(MODULE_BYTES as u64), 0)),
    }
}

/// Checks a valid module's sections, one after another.
#[derive(Default)]
pub(crate) struct Limits {
    /// Whether there are array types: the code is checked only then.
    has_arrays: bool,
}

impl Limits {
    pub(crate) fn check(&mut self, payload: &Payload<'_>) -> Result<(), CompileError> {
        match payload {
            Payload::TypeSection(groups) => {
                for group in groups.clone() {
                    let is_array = |inner: &CompositeInnerType| matches!(inner, CompositeInnerType::Array(_));
                    self.has_arrays |= group?.types().any(|ty| is_array(&ty.composite_type.inner));
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.clone().into_imports_with_offsets() {
                    match import? {
                        (offset, import) if let TypeRef::Table(ty) = import.ty => check_table(&ty, offset)?,
                        (offset, import) if let TypeRef::Memory(ty) = import.ty => check_memory(&ty, offset)?,
                        _ => {}
                    }
                }
            }
            Payload::TableSection(tables) => {
                for table in tables.clone().into_iter_with_offsets() {
                    let (offset, table) = table?;
                    check_table(&table.ty, offset)?;
                    if let TableInit::Expr(init) = &table.init {
                        self.check_constant(init)?;
                    }
                }
            }
            Payload::MemorySection(memories) => {
                for memory in memories.clone().into_iter_with_offsets() {
                    let (offset, memory) = memory?;
                    check_memory(&memory, offset)?;
                }
            }
            Payload::GlobalSection(globals) if self.has_arrays => {
                globals.clone().into_iter().try_for_each(|global| self.check_constant(&global?.init_expr))?;
            }
            Payload::ElementSection(elements) if self.has_arrays => {
                for element in elements.clone() {
                    let element = element?;
                    if let ElementKind::Active { offset_expr, .. } = &element.kind {
                        self.check_constant(offset_expr)?;
                    }
                    if let ElementItems::Expressions(_, items) = element.items {
                        items.into_iter().try_for_each(|item| self.check_constant(&item?))?;
                    }
                }
            }
            Payload::CodeSectionEntry(body) if self.has_arrays => check_code(body.get_operators_reader()?)?,
            _ => {}
        }
        Ok(())
    }

    fn check_constant(&self, constant: &ConstExpr<'_>) -> Result<(), CompileError> {
        if self.has_arrays { check_code(constant.get_operators_reader()) } else { Ok(()) }
    }
}

fn check_code(operators: OperatorsReader<'_>) -> Result<(), CompileError> {
    for operator in operators.into_iter_with_offsets() {
        match operator? {
            (Operator::ArrayNewFixed { array_size, .. }, offset) if array_size > ARRAY_OPERANDS => {
                let what = format!("array.new_fixed with {array_size} operands");
                return Err(exceeded(&what, ARRAY_OPERANDS.into(), offset));
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_table(ty: &TableType, offset: usize) -> Result<(), CompileError> {
    match ty.initial {
        0..=TABLE_ELEMENTS => Ok(()),
        count => Err(exceeded(&format!("a table of {count} elements"), TABLE_ELEMENTS.into(), offset)),
    }
}

fn check_memory(ty: &MemoryType, offset: usize) -> Result<(), CompileError> {
    let page = 1u128 << ty.page_size_log2.unwrap_or(16);
    let largest = MEMORY64_TYPE_BYTES / page;
    match u128::from(ty.maximum.unwrap_or(0).max(ty.initial)) {
        pages if ty.memory64 && pages > largest => {
            Err(exceeded(&format!("a memory of {pages} pages"), largest, offset))
        }
        _ => Ok(()),
    }
}

fn exceeded(what: &str, limit: u128, offset: usize) -> CompileError {
    CompileError { message: format!("{what} is above the limit of {limit} (at offset {offset:#x})") }
}
