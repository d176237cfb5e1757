//! What has to be known of a function before it is written: which clauses each `try` has, which of them are rethrown,
//! and what delegates where.

use std::ops::Range;

use wasmparser::{BlockType, FunctionBody, Operator};

use super::{Instruction, Types, instructions};
use crate::engine::instrument::writer::SIZE_BYTES;

/// The validator's limit of a function's locals.
const LOCALS: u32 = 50_000;

/// What was found in a function.
pub(super) struct Survey {
    /// Where its size is.
    pub(super) start: usize,
    pub(super) contents: Range<usize>,
    /// Where its code starts.
    pub(super) entry: usize,
    /// In the order in which they begin.
    pub(super) tries: Vec<Try>,
    /// Whether something delegates out of the function.
    pub(super) is_target: bool,
    /// The index of the first added local.
    pub(super) first_local: u32,
    /// How many locals are added.
    pub(super) locals: u32,
}

/// A `try`.
pub(super) struct Try {
    ty: BlockType,
    pub(super) clauses: Vec<Clause>,
    pub(super) delegate: Option<DelegateTarget>,
    /// The type of the block around its body, if something delegates there.
    pub(super) delegated: Option<Vec<u8>>,
    /// The innermost `try` in whose body it is.
    outer: Option<usize>,
}

/// Where exceptions are delegated to: into the body of a `try` with clauses, or out of the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DelegateTarget {
    Body(usize),
    Function,
}

/// A `catch` or `catch_all`.
pub(super) struct Clause {
    pub(super) tag: Option<u32>,
    pub(super) is_rethrown: bool,
    /// The type of the block that it follows.
    pub(super) block: Vec<u8>,
}

/// A block that is open.
#[derive(Clone, Copy)]
struct Open {
    /// The `try`, if it is one, and in how many clauses its own are.
    within: Option<(usize, u32)>,
    /// Whether it is a clause.
    is_clause: bool,
    /// The innermost `try` in whose body the block's contents are.
    body: Option<usize>,
}

impl Survey {
    /// Reads the function that is `at` among the module's own; `None` if it is not valid, or leaves no room for more
    /// locals.
    pub(super) fn new(
        bytes: &[u8],
        start: usize,
        body: &FunctionBody<'_>,
        at: usize,
        types: &mut Types,
    ) -> Option<Self> {
        let mut first_local = types.function_params(at)?.len() as u32;
        let mut declared = body.get_locals_reader().ok()?;
        for _ in 0..declared.get_count() {
            first_local = first_local.checked_add(declared.read().ok()?.0)?;
        }
        let entry = declared.original_position();
        let (contents, tries) = (body.range(), Vec::new());
        let mut survey = Self { start, contents, entry, tries, is_target: false, first_local, locals: 0 };
        survey.read(bytes)?;
        survey.resolve();
        survey.choose_blocks(types)?;
        (first_local.checked_add(survey.locals)? <= LOCALS).then_some(survey)
    }

    /// About how many bytes are added.
    pub(super) fn growth(&self) -> usize {
        SIZE_BYTES + self.tries.iter().map(|each| 8 + 8 * each.clauses.len()).sum::<usize>()
    }

    fn read(&mut self, bytes: &[u8]) -> Option<()> {
        let mut open = vec![Open { within: None, is_clause: false, body: None }];
        // How many of the open blocks are clauses.
        let mut clauses = 0;
        for instruction in instructions(bytes, self.entry..self.contents.end) {
            let Instruction { operator, .. } = instruction?;
            match operator {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } | Operator::TryTable { .. } => {
                    open.push(Open { within: None, is_clause: false, ..*open.last()? });
                }
                Operator::Try { blockty } => {
                    let (at, outer) = (self.tries.len(), open.last()?.body);
                    open.push(Open { within: Some((at, clauses)), is_clause: false, body: Some(at) });
                    self.tries.push(Try { ty: blockty, clauses: Vec::new(), delegate: None, delegated: None, outer });
                }
                Operator::Catch { .. } | Operator::CatchAll => {
                    let tag = if let Operator::Catch { tag_index } = operator { Some(tag_index) } else { None };
                    let top = open.last_mut()?;
                    let of = &mut self.tries[top.within?.0];
                    of.clauses.push(Clause { tag, is_rethrown: false, block: Vec::new() });
                    clauses += u32::from(!top.is_clause);
                    *top = Open { is_clause: true, body: of.outer, ..*top };
                }
                Operator::Delegate { relative_depth } => {
                    let (at, _) = open.pop()?.within?;
                    let body = block(&open, relative_depth)?.body;
                    self.tries[at].delegate = Some(body.map_or(DelegateTarget::Function, DelegateTarget::Body));
                }
                Operator::Rethrow { relative_depth } => {
                    let target = block(&open, relative_depth)?;
                    let (at, outside) = target.within.filter(|_| target.is_clause)?;
                    self.tries[at].clauses.last_mut()?.is_rethrown = true;
                    self.locals = self.locals.max(outside + 1);
                }
                Operator::End => clauses -= u32::from(open.pop()?.is_clause),
                _ => {}
            }
        }
        open.is_empty().then_some(())
    }

    /// Finds out where delegated exceptions end up: a `try` without clauses lets them pass, or delegates them further.
    fn resolve(&mut self) {
        let mut ends: Vec<DelegateTarget> = Vec::with_capacity(self.tries.len());
        let end = |ends: &[DelegateTarget], target| match target {
            // It begins before what delegates to it.
            DelegateTarget::Body(outer) => ends[outer],
            DelegateTarget::Function => DelegateTarget::Function,
        };
        for at in 0..self.tries.len() {
            let this = &mut self.tries[at];
            if !this.clauses.is_empty() {
                ends.push(DelegateTarget::Body(at));
                continue;
            }
            let outer = this.outer.map_or(DelegateTarget::Function, DelegateTarget::Body);
            this.delegate = this.delegate.map(|target| end(&ends, target));
            ends.push(this.delegate.unwrap_or_else(|| end(&ends, outer)));
            match this.delegate {
                Some(DelegateTarget::Body(outer)) => self.tries[outer].delegated = Some(Vec::new()),
                Some(DelegateTarget::Function) => self.is_target = true,
                None => {}
            }
        }
    }

    fn choose_blocks(&mut self, types: &mut Types) -> Option<()> {
        for Try { ty, clauses, delegated, .. } in &mut self.tries {
            for Clause { tag, is_rethrown, block } in clauses {
                *block = types.handler(*ty, *tag, *is_rethrown)?;
            }
            if let Some(block) = delegated {
                *block = types.handler(*ty, None, true)?;
            }
        }
        Some(())
    }
}

fn block(open: &[Open], depth: u32) -> Option<Open> {
    open.get(open.len().checked_sub(1)?.checked_sub(depth as usize)?).copied()
}
