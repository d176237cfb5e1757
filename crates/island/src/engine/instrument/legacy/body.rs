//! Writes the translation of a function.

use std::ops::Range;

use wasmparser::{BinaryReader, Operator};

use super::survey::{Clause, DelegateTarget, Survey, Try};
use super::{EXNREF, Instruction, instructions};
use crate::engine::instrument::writer::{Writer, push_unsigned};

const BLOCK: u8 = 0x02;
const THROW_REF: u8 = 0x0a;
const END: u8 = 0x0b;
const BR: u8 = 0x0c;
const RETURN: u8 = 0x0f;
const TRY_TABLE: u8 = 0x1f;
const LOCAL_GET: u8 = 0x20;
const LOCAL_SET: u8 = 0x21;

const CATCH: u8 = 0;
const CATCH_REF: u8 = 1;
const CATCH_ALL: u8 = 2;
const CATCH_ALL_REF: u8 = 3;

/// The level of the label outside of the block around a function whose exceptions are delegated out of it.
const FUNCTION: u32 = 1;

/// A block of the original that is open.
struct Open {
    /// The label that its branches go to: how many are outside of it.
    label: u32,
    kind: BlockKind,
}

enum BlockKind {
    /// Ends where the original ends.
    Plain,
    /// A `try` with clauses.
    Try {
        /// Its place in the survey.
        at: usize,
        /// The clause that is being written, after the body.
        clause: Option<usize>,
        /// The local with its exception, if it is rethrown: how many clauses are outside of it.
        slot: u32,
    },
}

struct Body<'a, 'w> {
    bytes: &'a [u8],
    survey: &'a Survey,
    writer: &'a mut Writer<'w>,
    open: Vec<Open>,
    /// How many labels are open, the function's own among them.
    labels: u32,
    /// How many of the open blocks are clauses.
    clauses: u32,
    /// How many instances of `try` have begun.
    tries: usize,
    /// For each `try`, the label of the block around its body, if something delegates there.
    delegated: Vec<u32>,
}

/// Writes a function up to where its last bytes are copied; `None` if it is not valid.
pub(super) fn write(bytes: &[u8], survey: &Survey, writer: &mut Writer<'_>) -> Option<()> {
    let open = vec![Open { label: 0, kind: BlockKind::Plain }];
    let delegated = vec![0; survey.tries.len()];
    let mut body = Body { bytes, survey, writer, open, labels: 1, clauses: 0, tries: 0, delegated };
    body.write_locals()?;
    if survey.is_target {
        body.writer.copy_to(survey.entry);
        body.begin(BLOCK, &[EXNREF]);
    }
    for instruction in instructions(bytes, survey.entry..survey.contents.end) {
        body.instruction(instruction?)?;
    }
    Some(())
}

impl<'a> Body<'a, '_> {
    fn write_locals(&mut self) -> Option<()> {
        let Survey { contents, entry, locals, .. } = self.survey;
        if *locals > 0 {
            let mut reader = BinaryReader::new(&self.bytes[contents.clone()], contents.start);
            let count = reader.read_var_u32().ok()?;
            push_unsigned(&mut self.writer.out, count.checked_add(1)?);
            self.writer.skip_to(reader.original_position());
            self.writer.copy_to(*entry);
            push_unsigned(&mut self.writer.out, *locals);
            self.writer.out.push(EXNREF);
        }
        Some(())
    }

    fn instruction(&mut self, Instruction { operator, range }: Instruction<'_>) -> Option<()> {
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } | Operator::TryTable { .. } => {
                self.open.push(Open { label: self.labels, kind: BlockKind::Plain });
                self.labels += 1;
            }
            Operator::Try { .. } => self.begin_try(range)?,
            Operator::Catch { .. } | Operator::CatchAll => self.begin_clause(range)?,
            Operator::Delegate { .. } => {
                self.writer.copy_to(range.start);
                self.end();
                self.writer.skip_to(range.end);
                self.open.pop()?;
            }
            Operator::Rethrow { relative_depth } => self.rethrow(range, relative_depth)?,
            Operator::End => self.end_block(range)?,
            Operator::Br { relative_depth }
            | Operator::BrIf { relative_depth }
            | Operator::BrOnNull { relative_depth }
            | Operator::BrOnNonNull { relative_depth } => self.relabel(relative_depth, range.start + 1..range.end)?,
            Operator::BrOnCast { relative_depth, .. } | Operator::BrOnCastFail { relative_depth, .. } => {
                let mut reader = self.immediates(&range);
                // The rest of the opcode, and flags.
                reader.read_var_u32().ok()?;
                reader.read_u8().ok()?;
                let start = reader.original_position();
                reader.read_var_u32().ok()?;
                let label = start..reader.original_position();
                self.relabel(relative_depth, label)?;
            }
            Operator::BrTable { .. } => {
                let mut reader = self.immediates(&range);
                reader.read_var_u32().ok()?;
                while !reader.eof() {
                    let start = reader.original_position();
                    let depth = reader.read_var_u32().ok()?;
                    let label = start..reader.original_position();
                    self.relabel(depth, label)?;
                }
            }
            _ => {}
        }
        Some(())
    }

    fn begin_try(&mut self, range: Range<usize>) -> Option<()> {
        let at = self.tries;
        let Try { clauses, delegate, delegated, .. } = self.survey.tries.get(at)?;
        let ty = &self.bytes[range.start + 1..range.end];
        self.tries += 1;
        self.writer.copy_to(range.start);
        let label = self.labels;
        let mut kind = BlockKind::Plain;
        if let Some(target) = delegate {
            self.writer.out.push(TRY_TABLE);
            self.writer.out.extend_from_slice(ty);
            self.writer.out.extend([1, CATCH_ALL_REF]);
            self.push_label(match target {
                DelegateTarget::Body(outer) => self.delegated[*outer],
                DelegateTarget::Function => FUNCTION,
            });
            self.labels += 1;
        } else if clauses.is_empty() {
            self.begin(BLOCK, ty);
        } else {
            self.begin(BLOCK, ty);
            clauses.iter().rev().for_each(|clause| self.begin(BLOCK, &clause.block));
            self.begin(TRY_TABLE, ty);
            self.push_clauses(clauses);
            if let Some(block) = delegated {
                self.delegated[at] = self.labels;
                self.begin(BLOCK, block);
            }
            kind = BlockKind::Try { at, clause: None, slot: 0 };
        }
        self.writer.skip_to(range.end);
        self.open.push(Open { label, kind });
        Some(())
    }

    /// Each clause goes to the end of its own block, of which the first is the innermost.
    fn push_clauses(&mut self, clauses: &[Clause]) {
        let out = &mut self.writer.out;
        push_unsigned(out, clauses.len() as u32);
        for (label, Clause { tag, is_rethrown, .. }) in clauses.iter().enumerate() {
            match (tag, is_rethrown) {
                (Some(_), false) => out.push(CATCH),
                (Some(_), true) => out.push(CATCH_REF),
                (None, false) => out.push(CATCH_ALL),
                (None, true) => out.push(CATCH_ALL_REF),
            }
            tag.iter().for_each(|tag| push_unsigned(out, *tag));
            push_unsigned(out, label as u32);
        }
    }

    fn begin_clause(&mut self, range: Range<usize>) -> Option<()> {
        let (survey, inner) = (self.survey, self.clauses);
        let Open { label, kind: BlockKind::Try { at, clause, slot } } = self.open.last_mut()? else { return None };
        let (label, this) = (*label, survey.tries.get(*at)?);
        let is_first = clause.is_none();
        let next = clause.map_or(0, |clause| clause + 1);
        if is_first {
            *slot = inner;
        }
        *clause = Some(next);
        let (Clause { is_rethrown, .. }, slot) = (this.clauses.get(next)?, *slot);
        self.writer.copy_to(range.start);
        if is_first {
            self.clauses += 1;
            if this.delegated.is_some() {
                self.branch(label);
                self.end();
                self.writer.out.push(THROW_REF);
            }
            self.end();
        }
        self.branch(label);
        self.end();
        if *is_rethrown {
            self.writer.out.push(LOCAL_SET);
            push_unsigned(&mut self.writer.out, survey.first_local + slot);
        }
        self.writer.skip_to(range.end);
        Some(())
    }

    fn rethrow(&mut self, range: Range<usize>, depth: u32) -> Option<()> {
        let BlockKind::Try { clause: Some(_), slot, .. } = self.block(depth)?.kind else { return None };
        self.writer.copy_to(range.start);
        self.writer.out.push(LOCAL_GET);
        push_unsigned(&mut self.writer.out, self.survey.first_local + slot);
        self.writer.out.push(THROW_REF);
        self.writer.skip_to(range.end);
        Some(())
    }

    fn end_block(&mut self, range: Range<usize>) -> Option<()> {
        let Open { kind, .. } = self.open.pop()?;
        if matches!(kind, BlockKind::Try { .. }) {
            self.clauses -= 1;
        }
        if self.open.is_empty() && self.survey.is_target {
            self.writer.copy_to(range.start);
            self.writer.out.push(RETURN);
            self.end();
            self.writer.out.push(THROW_REF);
        }
        // This one is copied.
        self.labels -= 1;
        Some(())
    }

    /// Counts a label anew. The number in the original is at `range`.
    fn relabel(&mut self, depth: u32, range: Range<usize>) -> Option<()> {
        let label = self.block(depth)?.label;
        if self.labels - 1 - label != depth {
            self.writer.copy_to(range.start);
            self.push_label(label);
            self.writer.skip_to(range.end);
        }
        Some(())
    }

    /// What follows an opcode of one byte.
    fn immediates(&self, range: &Range<usize>) -> BinaryReader<'a> {
        BinaryReader::new(&self.bytes[range.start + 1..range.end], range.start + 1)
    }

    /// The open block that a label of the original names.
    fn block(&self, depth: u32) -> Option<&Open> {
        self.open.get(self.open.len().checked_sub(1)?.checked_sub(depth as usize)?)
    }

    /// Writes the beginning of a block.
    fn begin(&mut self, opcode: u8, ty: &[u8]) {
        self.writer.out.push(opcode);
        self.writer.out.extend_from_slice(ty);
        self.labels += 1;
    }

    /// Writes the end of a block.
    fn end(&mut self) {
        self.writer.out.push(END);
        self.labels -= 1;
    }

    /// Writes a branch, with what is on the stack.
    fn branch(&mut self, label: u32) {
        self.writer.out.push(BR);
        self.push_label(label);
    }

    fn push_label(&mut self, label: u32) {
        push_unsigned(&mut self.writer.out, self.labels - 1 - label);
    }
}
