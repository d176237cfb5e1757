//! *Translation* of legacy exception handling, which compilers wrote for years and Wasmtime does not know, to `try_table`
//! and `throw_ref`.
//!
//!     try (type)                        block (type)
//!       body                              block $2 (result types of the second clause)
//!     catch $x                              block $1 (result types of $x)
//!       first                     →           try_table (type) (catch $x $1) (catch_all $2)
//!     catch_all                                 body
//!       second                                end
//!     end                                     br 1 (the outermost)
//!                                           end
//!                                           first
//!                                           br 0
//!                                         end
//!                                         second
//!                                       end
//!
//! - A clause whose exception is rethrown catches a reference too, and keeps it in an additional local: one for each level
//!   of clauses in clauses. `rethrow` is `throw_ref` of that local.
//! - `delegate` throws what its body throws again in the body of an outer `try`, or outside of all. Such a body gets a
//!   block around it, `try_table (type) (catch_all_ref $delegated) body end` branches there, and after the block comes
//!   `throw_ref`.
//! - Parameters of a `try` pass through all its blocks, hence the additional types.
//! - Labels are counted anew. All other bytes are copied as they are.
//!
//! Both kinds in one module are refused, as V8 does.

use std::collections::HashMap;
use std::ops::Range;

use wasmparser::{
    BinaryReader, BlockType, CodeSectionReader, CompositeInnerType, FuncType, FunctionBody, FunctionSectionReader,
    ImportSectionReader, Operator, OperatorsReader, Result, TagSectionReader, TypeRef, TypeSectionReader, ValType,
    Validator, WasmFeatures,
};

use self::survey::Survey;
use super::writer::{Writer, push_signed, push_unsigned};
use super::{
    Addition, BODY_BYTES, CODE, FUNCTION, IMPORT, OffsetMap, RawSection, TAG, TYPE, TYPES, contents_of,
    plain_instruction_end, sections,
};
use crate::engine::compile_error::CompileError;

mod body;
mod survey;

/// The opcode of the type `exnref`.
const EXNREF: u8 = 0x69;

/// Translates a module; `None` if the bytes cannot be read, or if the result would exceed one of the validator's limits.
/// Beside the bytes, where they come from, as in [`OffsetMap`].
///
/// The result means something only if the module is valid: the caller validates the original.
pub(super) fn translate(bytes: &[u8]) -> Option<(Vec<u8>, OffsetMap)> {
    let sections = sections(bytes).ok()??;
    let mut types = Types::read(&sections).ok()?;
    let mut surveys = Vec::new();
    let code = CodeSectionReader::new(contents_of(&sections, CODE)?).ok()?;
    for (at, body) in code.into_iter_with_offsets().enumerate() {
        let (start, body) = body.ok()?;
        if has_try(bytes, &body).ok()? {
            surveys.push(Survey::new(bytes, start, &body, at, &mut types)?);
        }
    }
    let added = surveys.iter().map(Survey::growth).sum();
    let mut writer = Writer::new(bytes, added);
    for section in &sections {
        match section.id {
            TYPE if types.addition.count > 0 => writer.extend_section(section, &types.addition)?,
            CODE => write_code(bytes, section, &surveys, &mut writer)?,
            _ => {}
        }
    }
    writer.copy_to(bytes.len());
    u32::try_from(writer.out.len()).ok()?;
    Some((writer.out, writer.ends.into()))
}

fn write_code(bytes: &[u8], section: &RawSection<'_>, surveys: &[Survey], writer: &mut Writer<'_>) -> Option<()> {
    let contents = section.contents.range();
    writer.copy_to(section.start + 1);
    let size = writer.start_size(contents.start);
    for survey in surveys {
        writer.copy_to(survey.start);
        let size = writer.start_size(survey.contents.start);
        body::write(bytes, survey, writer)?;
        writer.copy_to(survey.contents.end);
        if writer.end_size(size) > BODY_BYTES {
            return None;
        }
    }
    writer.copy_to(contents.end);
    writer.end_size(size);
    Some(())
}

/// Whether a function has a legacy `try`.
fn has_try(bytes: &[u8], body: &FunctionBody<'_>) -> Result<bool> {
    let mut is_there = false;
    each_rare_instruction(bytes, body, |operator| {
        is_there = matches!(operator, Operator::Try { .. });
        is_there
    })?;
    Ok(is_there)
}

/// Shows the instructions that [`plain_instruction_end`] does not skip, until one is the last that is asked for.
fn each_rare_instruction(
    bytes: &[u8],
    body: &FunctionBody<'_>,
    mut is_last: impl FnMut(Operator<'_>) -> bool,
) -> Result<()> {
    let code = &bytes[..body.range().end];
    let mut at = body.get_binary_reader_for_operators()?.original_position();
    while at < code.len() {
        if let Some(end) = plain_instruction_end(code, at) {
            at = end;
            continue;
        }
        let mut reader = OperatorsReader::new(BinaryReader::new_features(&code[at..], at, WasmFeatures::all()));
        if is_last(reader.read()?) {
            break;
        }
        at = reader.original_position();
    }
    Ok(())
}

/// Validates a module that `features` do not allow because it has legacy exception handling. Any other module stays
/// invalid, for the reason `otherwise`.
pub(crate) fn validate(bytes: &[u8], features: WasmFeatures, otherwise: CompileError) -> Result<(), CompileError> {
    let Kinds { legacy, standard } = kinds(bytes).unwrap_or_default();
    if !legacy {
        return Err(otherwise);
    }
    Validator::new_with_features(features | WasmFeatures::LEGACY_EXCEPTIONS).validate_all(bytes)?;
    if standard {
        let message = "module uses a mix of legacy and new exception handling instructions";
        return Err(CompileError { message: message.into() });
    }
    Ok(())
}

/// Which instructions of exception handling a module has.
#[derive(Default)]
struct Kinds {
    legacy: bool,
    standard: bool,
}

fn kinds(bytes: &[u8]) -> Option<Kinds> {
    let mut kinds = Kinds::default();
    let code = CodeSectionReader::new(contents_of(&sections(bytes).ok()??, CODE)?).ok()?;
    for body in code {
        let seen = each_rare_instruction(bytes, &body.ok()?, |operator| {
            kinds.legacy |= matches!(operator, Operator::Try { .. });
            kinds.standard |= matches!(operator, Operator::TryTable { .. } | Operator::ThrowRef);
            kinds.legacy && kinds.standard
        });
        // What cannot be read, the validator refuses.
        if seen.is_err() {
            break;
        }
    }
    Some(kinds)
}

/// The types of a module's functions and tags, and those that are added.
struct Types {
    /// By index; `None` for types of other things than functions.
    types: Vec<Option<FuncType>>,
    /// The types of all tags, by index.
    tags: Vec<u32>,
    /// The types of the module's own functions.
    functions: Vec<u32>,
    addition: Addition,
    /// The indices of the types that were added, by their bytes.
    known: HashMap<Vec<u8>, u32>,
}

impl Types {
    fn read(sections: &[RawSection<'_>]) -> Result<Self> {
        let addition = Addition { id: TYPE, count: 0, items: Vec::new() };
        let (types, tags, functions, known) = Default::default();
        let mut read = Self { types, tags, functions, addition, known };
        if let Some(contents) = contents_of(sections, TYPE) {
            for group in TypeSectionReader::new(contents)? {
                read.types.extend(group?.into_types().map(|ty| match ty.composite_type.inner {
                    CompositeInnerType::Func(ty) => Some(ty),
                    _ => None,
                }));
            }
        }
        if let Some(contents) = contents_of(sections, IMPORT) {
            for import in ImportSectionReader::new(contents)?.into_imports() {
                if let TypeRef::Tag(tag) = import?.ty {
                    read.tags.push(tag.func_type_idx);
                }
            }
        }
        if let Some(contents) = contents_of(sections, TAG) {
            for tag in TagSectionReader::new(contents)? {
                read.tags.push(tag?.func_type_idx);
            }
        }
        if let Some(contents) = contents_of(sections, FUNCTION) {
            read.functions = FunctionSectionReader::new(contents)?.into_iter().collect::<Result<_>>()?;
        }
        Ok(read)
    }

    fn params(&self, ty: u32) -> Option<&[ValType]> {
        Some(self.types.get(ty as usize)?.as_ref()?.params())
    }

    /// The parameters of a block.
    fn block_params(&self, ty: BlockType) -> Option<&[ValType]> {
        match ty {
            BlockType::FuncType(ty) => self.params(ty),
            BlockType::Empty | BlockType::Type(_) => Some(&[]),
        }
    }

    /// The parameters of a module's own function.
    fn function_params(&self, at: usize) -> Option<&[ValType]> {
        self.params(*self.functions.get(at)?)
    }

    /// The type of a block that takes what a `try` takes, and results in what a tag carries and, if asked for, a
    /// reference to the exception.
    fn handler(&mut self, ty: BlockType, tag: Option<u32>, with_reference: bool) -> Option<Vec<u8>> {
        let carried = match tag {
            Some(tag) => self.params(*self.tags.get(tag as usize)?)?,
            None => &[],
        };
        let params = self.block_params(ty)?;
        let count = carried.len() + usize::from(with_reference);
        let mut results = Vec::new();
        push_types(carried, &mut results)?;
        results.extend(with_reference.then_some(EXNREF));
        if params.is_empty() && count < 2 {
            return Some(if count == 0 { vec![0x40] } else { results });
        }
        let mut ty = vec![0x60];
        push_unsigned(&mut ty, params.len() as u32);
        push_types(params, &mut ty)?;
        push_unsigned(&mut ty, count as u32);
        ty.append(&mut results);
        let mut block = Vec::new();
        push_signed(&mut block, self.index(ty)?.into());
        Some(block)
    }

    /// The index of a type that is added.
    fn index(&mut self, ty: Vec<u8>) -> Option<u32> {
        if let Some(index) = self.known.get(&ty) {
            return Some(*index);
        }
        let index = u32::try_from(self.types.len()).ok()?.checked_add(self.addition.count)?;
        self.addition.count += 1;
        self.addition.items.extend_from_slice(&ty);
        self.known.insert(ty, index);
        (index < TYPES).then_some(index)
    }
}

fn push_types(types: &[ValType], out: &mut Vec<u8>) -> Option<()> {
    use wasm_encoder::Encode;
    for ty in types {
        wasm_encoder::ValType::try_from(*ty).ok()?.encode(out);
    }
    Some(())
}

/// The bytes of one instruction, without those of its operands' instructions.
struct Instruction<'a> {
    operator: Operator<'a>,
    range: Range<usize>,
}

/// The instructions of a function.
fn instructions<'a>(bytes: &'a [u8], code: Range<usize>) -> impl Iterator<Item = Option<Instruction<'a>>> {
    let reader = BinaryReader::new_features(&bytes[code.clone()], code.start, WasmFeatures::all());
    let mut operators = OperatorsReader::new(reader);
    std::iter::from_fn(move || {
        if operators.eof() {
            return None;
        }
        let start = operators.original_position();
        let operator = operators.read().ok();
        Some(operator.map(|operator| Instruction { operator, range: start..operators.original_position() }))
    })
}

#[cfg(test)]
mod tests;
