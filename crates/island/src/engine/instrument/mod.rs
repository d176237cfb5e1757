//! *Instrumentation* of a module's bytes before they are compiled, so that the host can see and do what it has to.
//!
//! 1. **Poll loads.** At the head of every loop, and at the entry of every function that may recurse without a loop, a
//!    byte of an additional memory is loaded: the host makes that memory inaccessible to stop the guest. A module that
//!    has all the memories it may have asks the host instead.
//! 2. **Host calls.** `memory.atomic.wait32`, `wait64` and `notify` become calls through an additional table, which the
//!    host fills. Before `memory.grow`, such a call tells the host by how much: growth by 0 detaches buffers, and
//!    Wasmtime tells nobody.
//! 3. **Data segments as images.** The contents that active data segments give the module's own memories are taken out,
//!    and the host writes them when it makes the memories: Wasmtime would compile code for each segment. See [`data`].
//! 4. **Exports in another order**, if there are many: Wasmtime searches them at each access to a memory. See
//!    [`exports`].
//! 5. **Legacy exception handling**, which Wasmtime does not know, is translated before all this. See [`legacy`].
//! 6. **C's stack pointer** is looked for. See [`stack_pointer`].
//! 7. **Offsets.** Stack traces give offsets in the instrumented bytes; [`Offsets`] maps them back.
//!
//! Additions to an index space come last, so that no index changes, and all other bytes are copied as they are. Added
//! exports have names that start with a prefix that no other export has.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use wasmparser::{
    BinaryReader, CodeSectionReader, DataSectionReader, ElementKind, ElementSectionReader, ExportSectionReader,
    FunctionBody, ImportSectionReader, MemArg, MemorySectionReader, MemoryType, Operator, OperatorsReader, Result,
    TypeRef, TypeSectionReader, WasmFeatures,
};

use crate::memory::atomic_imports::{AtomicImport, AtomicImports, Instruction};
use crate::memory::ground::Source;

mod data;
mod exports;
pub(crate) mod legacy;
mod stack_pointer;
mod writer;

pub(crate) use stack_pointer::StackPointer;
pub(crate) use writer::push_unsigned;
use writer::{SIZE_BYTES, Writer, push_signed};

const PREAMBLE: &[u8] = b"\0asm\x01\0\0\0";

/// The section ids in the order in which the sections appear.
const SECTION_ORDER: [u8; 13] =
    [TYPE, IMPORT, FUNCTION, TABLE, MEMORY, TAG, GLOBAL, EXPORT, START, ELEMENT, DATA_COUNT, CODE, DATA];
const CUSTOM: u8 = 0;
const TYPE: u8 = 1;
const IMPORT: u8 = 2;
const FUNCTION: u8 = 3;
const TABLE: u8 = 4;
const MEMORY: u8 = 5;
const GLOBAL: u8 = 6;
const EXPORT: u8 = 7;
const START: u8 = 8;
const ELEMENT: u8 = 9;
const CODE: u8 = 10;
const DATA: u8 = 11;
const DATA_COUNT: u8 = 12;
const TAG: u8 = 13;

/// The validator's limits that a valid module could exceed once it is instrumented.
const BODY_BYTES: usize = 7_654_321;
const NAME_BYTES: usize = 100_000;
const TYPES: u32 = 1_000_000;
const TABLES: u32 = 100;
const MEMORIES: usize = 100;
const EXPORTS: u32 = 1_000_000;

/// What stands for poll loads in a module that can have no further memory.
const POLL: AtomicImport = AtomicImport { instruction: Instruction::Poll, wide: false };

const I32: u8 = 0x7f;
const I64: u8 = 0x7e;

/// The result of instrumenting a module.
#[derive(Debug)]
pub(crate) struct Instrumented {
    /// The module to compile.
    pub(crate) bytes: Vec<u8>,
    /// Whether exports were added for the compiler alone.
    pub(crate) has_ordered_exports: bool,
    /// What the host has to know about it.
    pub(crate) record: Record,
}

/// What the host has to know about an instrumented module. It is kept with the compiled code.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Maps its offsets to those of the original. [`Record::to_bytes`] writes them in a form of their own.
    #[serde(skip)]
    pub(crate) offsets: Offsets,
    /// What each memory that the module itself defines stands on, in order, without those that have no pages at first.
    pub(crate) memories: Vec<Source>,
    /// The host calls, if there are any.
    pub(crate) atomic_imports: Option<AtomicImports>,
    /// C's stack pointer, if the module has one.
    pub(crate) stack_pointer: Option<StackPointer>,
}

impl Record {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = postcard::to_allocvec(self).expect("its types can be serialized");
        let Offsets { ends, translation } = &self.offsets;
        bytes.extend((ends.len() as u32).to_le_bytes());
        for (instrumented, original) in ends.iter().chain(translation) {
            bytes.extend([instrumented.to_le_bytes(), original.to_le_bytes()].as_flattened());
        }
        bytes
    }

    /// Reads what [`Record::to_bytes`] gave.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (mut record, rest): (Self, _) = postcard::take_from_bytes(bytes).ok()?;
        let (count, rest) = rest.split_first_chunk()?;
        let (ends, []) = rest.as_chunks::<8>() else { return None };
        let (ends, translation) = ends.split_at_checked(u32::from_le_bytes(*count) as usize)?;
        let end = |bytes: &[u8; 8]| {
            let number = |at: usize| bytes[at..].first_chunk().copied().map(u32::from_le_bytes);
            Some((number(0)?, number(4)?))
        };
        let read = |ends: &[[u8; 8]]| ends.iter().map(end).collect::<Option<_>>();
        record.offsets = Offsets { ends: read(ends)?, translation: read(translation)? };
        Some(record)
    }
}

/// Writes the type of a host function: the instruction's operands, the static offset if it has one, and the memory's
/// index.
fn push_type(import: AtomicImport, out: &mut Vec<u8>) {
    let address = if import.wide { I64 } else { I32 };
    let (params, results): (&[u8], &[u8]) = match import.instruction {
        Instruction::Wait32 => (&[address, I32, I64, I64, I32], &[I32]),
        Instruction::Wait64 => (&[address, I64, I64, I64, I32], &[I32]),
        Instruction::Notify => (&[address, I32, I64, I32], &[I32]),
        Instruction::Grow => (&[address, I32], &[address]),
        Instruction::Poll => (&[], &[]),
    };
    out.push(0x60);
    for types in [params, results] {
        out.push(types.len() as u8);
        out.extend_from_slice(types);
    }
}

/// For each copied piece, the offsets at which it ends in the result and in the original.
type OffsetMap = Box<[(u32, u32)]>;

/// Maps offsets in instrumented bytes to those in the original.
///
/// For each copied piece, there are the two offsets at which it ends; the bytes between two pieces were inserted. A
/// piece may be empty: an insertion that replaces an instruction ends with such a piece, which marks where the replaced
/// instruction starts. If there are no pieces, nothing was changed.
#[derive(Debug, Default)]
pub(crate) struct Offsets {
    ends: OffsetMap,
    /// The same for the translation of [`legacy`] exception handling, which comes before.
    translation: OffsetMap,
}

impl Offsets {
    /// The offset that the byte at `instrumented` was copied from. For inserted code, the offset of the instruction
    /// that it replaces or that follows it.
    pub(crate) fn original(&self, instrumented: usize) -> usize {
        before(&self.translation, before(&self.ends, instrumented))
    }
}

/// Where a byte was before a change that left these pieces.
fn before(ends: &[(u32, u32)], after: usize) -> usize {
    if ends.is_empty() {
        return after;
    }
    let at = ends.partition_point(|&(end, _)| end as usize <= after);
    let least = at.checked_sub(1).map_or(0, |at| ends[at].1 as usize);
    let Some(&(end_after, end_before)) = ends.get(at) else { return least };
    (end_before as usize).saturating_sub(end_after as usize - after).max(least)
}

/// Instruments a module.
///
/// The result means something only if the module is valid: the caller validates the original.
pub(crate) fn instrument(bytes: &[u8], polls: bool, orders_exports: bool) -> Instrumentation {
    let mut scan = Scan { bytes, polls, orders_exports, ..Scan::default() };
    match scan.module() {
        _ if scan.is_legacy => instrument_legacy(bytes, polls, orders_exports),
        Ok(true) => match attempt(&scan) {
            Some(done) => done,
            // What tells the host of growth by 0 is the least that a module can do without.
            None if scan.forget_growth() => attempt(&scan).unwrap_or(Instrumentation::DoesNotFit),
            None => Instrumentation::DoesNotFit,
        },
        _ => Instrumentation::Unneeded(Record::default()),
    }
}

fn attempt(scan: &Scan<'_>) -> Option<Instrumentation> {
    let plan = Plan::new(scan)?;
    if plan.changes_nothing() {
        let stack_pointer = plan.stack_pointer();
        return Some(Instrumentation::Unneeded(Record { stack_pointer, ..Record::default() }));
    }
    plan.write().map(Instrumentation::Made)
}

/// Translates a module with legacy exception handling, and instruments the translation.
fn instrument_legacy(bytes: &[u8], polls: bool, orders_exports: bool) -> Instrumentation {
    let Some((translated, ends)) = legacy::translate(bytes) else {
        return Instrumentation::DoesNotFit;
    };
    let mut made = match instrument(&translated, polls, orders_exports) {
        Instrumentation::Made(made) => made,
        Instrumentation::Unneeded(record) => Instrumented { bytes: translated, has_ordered_exports: false, record },
        Instrumentation::DoesNotFit => return Instrumentation::DoesNotFit,
    };
    made.record.memories.iter_mut().for_each(|source| source.rebase(|at| before(&ends, at)));
    made.record.offsets.translation = ends;
    Instrumentation::Made(made)
}

/// The outcome of instrumenting a module.
pub(crate) enum Instrumentation {
    /// Nothing has to be changed, or the bytes cannot be read.
    Unneeded(Record),
    /// With the additions, the module would exceed one of the validator's limits.
    DoesNotFit,
    /// The module was instrumented.
    Made(Instrumented),
}

/// A section other than a custom one.
struct RawSection<'a> {
    id: u8,
    /// Where its id is.
    start: usize,
    contents: BinaryReader<'a>,
}

/// The sections but the custom ones; `None` if the bytes are no module, or a larger one than offsets of 32 bits reach.
fn sections(bytes: &[u8]) -> Result<Option<Vec<RawSection<'_>>>> {
    if !bytes.starts_with(PREAMBLE) || u32::try_from(bytes.len()).is_err() {
        return Ok(None);
    }
    let rest = &bytes[PREAMBLE.len()..];
    let mut reader = BinaryReader::new_features(rest, PREAMBLE.len(), WasmFeatures::all());
    let mut sections: Vec<RawSection<'_>> = Vec::new();
    while !reader.eof() {
        let start = reader.original_position();
        let id = reader.read_u8()?;
        let contents = reader.read_reader()?;
        if id == CUSTOM {
            continue;
        }
        // Unknown ids have the rank `None`, which is less than any other.
        if rank(id) <= sections.last().and_then(|last| rank(last.id)) {
            return Ok(None);
        }
        sections.push(RawSection { id, start, contents });
    }
    Ok(Some(sections))
}

fn rank(id: u8) -> Option<usize> {
    SECTION_ORDER.iter().position(|&other| other == id)
}

fn contents_of<'a>(sections: &[RawSection<'a>], id: u8) -> Option<BinaryReader<'a>> {
    sections.iter().find(|section| section.id == id).map(|section| section.contents.clone())
}

/// Code that is inserted before an instruction or replaces it.
#[derive(Clone, Copy)]
struct Patch {
    at: u32,
    /// Where the original continues.
    end: u32,
    /// The host call; `None` for a poll load.
    call: Option<HostCall>,
}

impl Patch {
    fn poll(at: usize) -> Self {
        Self { at: at as u32, end: at as u32, call: None }
    }
}

#[derive(Clone, Copy)]
struct HostCall {
    import: AtomicImport,
    memory: u32,
    offset: u64,
}

/// A function body with patches.
struct Body {
    /// Where its size is.
    start: usize,
    contents: Range<usize>,
    /// The range of its own patches among all.
    patches: Range<usize>,
}

/// What was found in a module.
#[derive(Default)]
struct Scan<'a> {
    bytes: &'a [u8],
    /// Whether poll loads are wanted.
    polls: bool,
    /// Whether a long export section may be put in a better order.
    orders_exports: bool,
    /// Whether there is a legacy `try`. Nothing is read after the first.
    is_legacy: bool,
    /// The direct calls in the function that is being read.
    calls: u32,
    /// Where the instruction before this one starts.
    previous: usize,
    sections: Vec<RawSection<'a>>,
    imported_functions: u32,
    tables: u32,
    memories: Vec<MemoryType>,
    imported_memories: usize,
    imported_tables: u32,
    globals: u32,
    imported_globals: u32,
    imported_tags: u32,
    /// Whether an active element segment goes to an imported table.
    fills_imported_table: bool,
    /// The active data segments, if the host can write them all.
    segments: Vec<data::Segment>,
    patches: Vec<Patch>,
    bodies: Vec<Body>,
}

impl<'a> Scan<'a> {
    /// Whether the bytes are a module at all.
    fn module(&mut self) -> Result<bool> {
        let Some(sections) = sections(self.bytes)? else { return Ok(false) };
        for RawSection { id, contents, .. } in &sections {
            match *id {
                IMPORT => self.imports(ImportSectionReader::new(contents.clone())?)?,
                TABLE => self.tables = self.tables.saturating_add(contents.clone().read_var_u32()?),
                GLOBAL => self.globals = self.globals.saturating_add(contents.clone().read_var_u32()?),
                MEMORY => self.own_memories(MemorySectionReader::new(contents.clone())?)?,
                ELEMENT => self.elements(ElementSectionReader::new(contents.clone())?)?,
                CODE => self.code(CodeSectionReader::new(contents.clone())?)?,
                DATA => {
                    self.segments = self.active_segments(DataSectionReader::new(contents.clone())?)?.unwrap_or_default()
                }
                _ => {}
            }
        }
        self.sections = sections;
        Ok(true)
    }

    fn imports(&mut self, imports: ImportSectionReader<'_>) -> Result<()> {
        for import in imports.into_imports() {
            match import?.ty {
                TypeRef::Func(_) | TypeRef::FuncExact(_) => self.imported_functions += 1,
                TypeRef::Table(_) => {
                    self.tables = self.tables.saturating_add(1);
                    self.imported_tables = self.tables;
                }
                TypeRef::Memory(memory) => {
                    self.memories.push(memory);
                    self.imported_memories += 1;
                }
                TypeRef::Global(_) => {
                    self.globals = self.globals.saturating_add(1);
                    self.imported_globals = self.globals;
                }
                TypeRef::Tag(_) => self.imported_tags += 1,
            }
        }
        Ok(())
    }

    fn own_memories(&mut self, memories: MemorySectionReader<'_>) -> Result<()> {
        for memory in memories {
            self.memories.push(memory?);
        }
        Ok(())
    }

    fn elements(&mut self, segments: ElementSectionReader<'_>) -> Result<()> {
        if self.imported_tables == 0 {
            return Ok(());
        }
        for segment in segments {
            if let ElementKind::Active { table_index, .. } = segment?.kind {
                self.fills_imported_table |= table_index.unwrap_or(0) < self.imported_tables;
            }
        }
        Ok(())
    }

    fn code(&mut self, bodies: CodeSectionReader<'_>) -> Result<()> {
        for (body, function) in bodies.into_iter_with_offsets().zip(self.imported_functions..) {
            let (start, body) = body?;
            self.body(start, &body, function)?;
            if self.is_legacy {
                break;
            }
        }
        Ok(())
    }

    fn body(&mut self, start: usize, body: &FunctionBody<'_>, function: u32) -> Result<()> {
        let entry = body.get_binary_reader_for_operators()?.original_position();
        let contents = body.range();
        let code = &self.bytes[..contents.end];
        let first = self.patches.len();
        let mut recurses = false;
        self.calls = 0;
        let mut at = entry;
        while at < code.len() && !self.is_legacy {
            let end = match plain_instruction_end(code, at) {
                Some(end) => end,
                None => self.instruction(code, at, function, &mut recurses)?,
            };
            self.previous = at;
            at = end;
        }
        // Functions that each call the next one twice double the calls without any cycle.
        if (recurses || self.calls > 1) && self.polls {
            self.patches.insert(first, Patch::poll(entry));
        }
        if self.patches.len() > first {
            self.bodies.push(Body { start, contents, patches: first..self.patches.len() });
        }
        Ok(())
    }

    /// Reads any instruction, and returns where it ends.
    fn instruction(&mut self, code: &[u8], at: usize, function: u32, recurses: &mut bool) -> Result<usize> {
        let mut reader = OperatorsReader::new(BinaryReader::new_features(&code[at..], at, WasmFeatures::all()));
        let operator = reader.read()?;
        let end = reader.original_position();
        match operator {
            Operator::Try { .. } => self.is_legacy = true,
            Operator::Loop { .. } if self.polls => self.patches.push(Patch::poll(end)),
            // Every cycle of direct calls has a call that does not lead to a later function.
            Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                self.calls += 1;
                *recurses |= (self.imported_functions..=function).contains(&function_index);
            }
            Operator::CallIndirect { .. }
            | Operator::CallRef { .. }
            | Operator::ReturnCallIndirect { .. }
            | Operator::ReturnCallRef { .. } => *recurses = true,
            // One of these instructions alone may take a second.
            Operator::MemoryFill { .. }
            | Operator::MemoryCopy { .. }
            | Operator::MemoryInit { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. }
                if self.polls =>
            {
                self.patches.push(Patch::poll(at));
            }
            Operator::MemoryGrow { mem } => self.growth(code, at, mem),
            Operator::MemoryAtomicWait32 { memarg } => self.call(at..end, Instruction::Wait32, memarg),
            Operator::MemoryAtomicWait64 { memarg } => self.call(at..end, Instruction::Wait64, memarg),
            Operator::MemoryAtomicNotify { memarg } => self.call(at..end, Instruction::Notify, memarg),
            _ => {}
        }
        Ok(end)
    }

    fn call(&mut self, Range { start, end }: Range<usize>, instruction: Instruction, argument: MemArg) {
        let MemArg { memory, offset, .. } = argument;
        let wide = self.memories.get(memory as usize).is_some_and(|ty| ty.memory64);
        let call = HostCall { import: AtomicImport { instruction, wide }, memory, offset };
        self.patches.push(Patch { at: start as u32, end: end as u32, call: Some(call) });
    }

    /// Has the host told of a growth, unless it is by a number of pages that is plainly not 0. The buffer of a shared
    /// memory is never detached.
    fn growth(&mut self, code: &[u8], at: usize, memory: u32) {
        let Some(ty) = self.memories.get(memory as usize).filter(|ty| !ty.shared) else { return };
        let is_some = matches!(code[self.previous..], [0x41 | 0x42, low, ..] if low & 0x7f != 0);
        if !is_some || self.previous >= at {
            let import = AtomicImport { instruction: Instruction::Grow, wide: ty.memory64 };
            let call = Some(HostCall { import, memory, offset: 0 });
            self.patches.push(Patch { at: at as u32, end: at as u32, call });
        }
    }

    /// Leaves out what tells the host of growth. Returns whether there was any.
    fn forget_growth(&mut self) -> bool {
        let is_growth = |patch: &Patch| patch.call.is_some_and(|call| call.import.instruction == Instruction::Grow);
        let before = self.patches.len();
        let mut kept = Vec::new();
        for body in &mut self.bodies {
            let start = kept.len();
            kept.extend(self.patches[body.patches.clone()].iter().filter(|patch| !is_growth(patch)).copied());
            body.patches = start..kept.len();
        }
        self.patches = kept;
        self.patches.len() < before
    }

    /// The contents of the only section of that kind.
    fn section(&self, id: u8) -> Option<BinaryReader<'a>> {
        contents_of(&self.sections, id)
    }

    /// How many types there are; each type of a recursion group counts.
    fn types(&self) -> Option<u32> {
        let Some(contents) = self.section(TYPE) else { return Some(0) };
        let mut count = 0;
        for group in TypeSectionReader::new(contents).ok()? {
            count += group.ok()?.types().len() as u32;
        }
        Some(count)
    }

    /// A prefix that the name of no export starts with.
    fn prefix(&self) -> Option<String> {
        let mut prefix = String::from("tombolo");
        let mut zeros = None;
        if let Some(contents) = self.section(EXPORT) {
            for export in ExportSectionReader::new(contents).ok()? {
                let rest = export.ok()?.name.strip_prefix(&prefix);
                zeros = zeros.max(rest.map(|rest| rest.bytes().take_while(|&byte| byte == 0).count()));
            }
        }
        prefix.extend(std::iter::repeat_n('\0', zeros.map_or(0, |zeros| zeros + 1)));
        Some(prefix)
    }
}

/// Returns where the instruction at `at` ends, if it is one of those that are frequent and of no interest here.
///
/// Reading these in full would take most of the time.
fn plain_instruction_end(code: &[u8], at: usize) -> Option<usize> {
    let end = match code.get(at)? {
        // Control without immediates, drop, select, numeric instructions and ref.is_null.
        0x00 | 0x01 | 0x05 | 0x0b | 0x0f | 0x19..=0x1b | 0x45..=0xc4 | 0xd1 => at + 1,
        // block and if with a block type of one byte, so without a reference type of several bytes.
        0x02 | 0x04 if matches!(code.get(at + 1)?, 0x00..0x62 | 0x66..0x80) => at + 2,
        // catch, br, br_if, delegate, variable and table instructions, i32.const and i64.const.
        0x07 | 0x0c | 0x0d | 0x18 | 0x20..=0x26 | 0x41 | 0x42 => leb128_end(code, at + 1)?,
        // Loads and stores of the first memory.
        0x28..=0x3e if *code.get(at + 1)? < 0x40 => leb128_end(code, at + 2)?,
        // f32.const and f64.const.
        0x43 => at + 5,
        0x44 => at + 9,
        _ => return None,
    };
    (end <= code.len()).then_some(end)
}

fn leb128_end(code: &[u8], at: usize) -> Option<usize> {
    Some(at + code.get(at..)?.iter().position(|&byte| byte < 0x80)? + 1)
}

/// What is appended to a section, or becomes a new one.
struct Addition {
    id: u8,
    count: u32,
    items: Vec<u8>,
}

impl Addition {
    fn export(&mut self, name: &str, kind: u8, index: u32) {
        self.count += 1;
        push_unsigned(&mut self.items, name.len() as u32);
        self.items.extend_from_slice(name.as_bytes());
        self.items.push(kind);
        push_unsigned(&mut self.items, index);
    }
}

/// What is written and where.
struct Plan<'a> {
    scan: &'a Scan<'a>,
    /// Ordered as the sections are.
    additions: Vec<Addition>,
    /// All exports in a new order, without the additions.
    exports: Option<Addition>,
    /// The code of a poll load, or of a call that stands for it.
    poll: Vec<u8>,
    /// Whether there is a memory for poll loads.
    has_poll_memory: bool,
    atomic_imports: Option<AtomicImports>,
    /// The index of the first added type.
    types: u32,
}

impl<'a> Plan<'a> {
    fn new(scan: &'a Scan<'a>) -> Option<Self> {
        let (additions, poll) = (Vec::new(), Vec::new());
        let has_polls = scan.patches.iter().any(|patch| patch.call.is_none());
        let has_poll_memory = has_polls && scan.memories.len() < MEMORIES;
        let mut plan = Self { scan, additions, exports: None, poll, has_poll_memory, atomic_imports: None, types: 0 };
        let calls = || scan.patches.iter().filter_map(|patch| patch.call);
        let poll_import = (has_polls && !has_poll_memory).then_some(POLL);
        let imports = BTreeSet::from_iter(calls().map(|call| call.import).chain(poll_import));
        let imports: Vec<_> = imports.into_iter().collect();
        let memories: Vec<_> = BTreeSet::from_iter(calls().map(|call| call.memory)).into_iter().collect();
        if !imports.is_empty() {
            plan.add_types_and_table(&imports)?;
        }
        if has_poll_memory {
            plan.add_memory();
        }
        if !imports.is_empty() {
            plan.add_exports(imports, memories)?;
        }
        if poll_import.is_some() {
            let mut poll = Vec::new();
            plan.push_call(POLL, &mut poll);
            plan.poll = poll;
        }
        let [tables, memories] = plan.added();
        plan.exports = scan.ordered_exports(tables, memories).ok()?;
        Some(plan)
    }

    /// How many tables and memories are added.
    fn added(&self) -> [u32; 2] {
        [self.atomic_imports.is_some(), self.has_poll_memory].map(u32::from)
    }

    fn stack_pointer(&self) -> Option<StackPointer> {
        let [tables, memories] = self.added();
        self.scan.stack_pointer(tables, memories).ok()?
    }

    fn changes_nothing(&self) -> bool {
        self.scan.patches.is_empty() && self.scan.segments.is_empty() && self.exports.is_none()
    }

    /// The host functions' types, and `(table slots slots funcref)`.
    fn add_types_and_table(&mut self, imports: &[AtomicImport]) -> Option<()> {
        let slots = imports.len() as u8;
        let mut types = Vec::new();
        imports.iter().for_each(|&import| push_type(import, &mut types));
        self.additions.push(Addition { id: TYPE, count: slots.into(), items: types });
        self.additions.push(Addition { id: TABLE, count: 1, items: vec![0x70, 1, slots, slots] });
        self.types = self.scan.types()?;
        (self.types <= TYPES - u32::from(slots) && self.scan.tables < TABLES).then_some(())
    }

    /// `(memory 1 1)`
    fn add_memory(&mut self) {
        self.additions.push(Addition { id: MEMORY, count: 1, items: vec![1, 1, 1] });
        let index = self.scan.memories.len();
        // i32.const 0, i32.atomic.load8_u (alignment 0; its bit 6: a memory index follows; offset 0), drop. In an inner
        // loop, a plain load would repeat the outer loop's, and the compiler would leave it out unless something is
        // stored or called in between. It never leaves out an atomic load, which is the same instruction on most
        // machines.
        self.poll.extend([0x41, 0, 0xfe, 0x12, 0x40]);
        push_unsigned(&mut self.poll, index as u32);
        self.poll.extend([0, 0x1a]);
    }

    fn add_exports(&mut self, functions: Vec<AtomicImport>, memories: Vec<u32>) -> Option<()> {
        let start = self.scan.section(START).map(|mut contents| contents.read_var_u32()).transpose().ok()?;
        let imports = AtomicImports { prefix: self.scan.prefix()?, functions, memories, start: start.is_some() };
        let mut addition = Addition { id: EXPORT, count: 0, items: Vec::new() };
        addition.export(&imports.table_name(), 1, self.scan.tables);
        imports.memories.iter().for_each(|&index| addition.export(&imports.memory_name(index), 2, index));
        start.iter().for_each(|&index| addition.export(&imports.start_name(), 0, index));
        let exports = self.scan.section(EXPORT).map_or(Ok(0), |mut contents| contents.read_var_u32()).ok()?;
        let fits = exports <= EXPORTS - addition.count && imports.memory_name(u32::MAX).len() <= NAME_BYTES;
        self.additions.push(addition);
        self.atomic_imports = Some(imports);
        fits.then_some(())
    }

    fn write(self) -> Option<Instrumented> {
        let bytes = self.scan.bytes;
        let added = self.scan.patches.len() * self.poll.len() + self.scan.bodies.len() * SIZE_BYTES;
        let mut writer = Writer::new(bytes, added);
        let mut additions = self.additions.iter().peekable();
        for section in &self.scan.sections {
            while let Some(addition) = additions.next_if(|addition| rank(addition.id) < rank(section.id)) {
                writer.copy_to(section.start);
                writer.add_section(addition);
            }
            match section.id {
                CODE => self.write_code(section, &mut writer)?,
                DATA if !self.scan.segments.is_empty() => self.write_data(section, &mut writer)?,
                EXPORT if let Some(exports) = &self.exports => {
                    writer.copy_to(section.start);
                    let added = additions.next_if(|addition| addition.id == EXPORT);
                    writer.add_section(&Addition {
                        id: EXPORT,
                        count: added.map_or(0, |added| added.count) + exports.count,
                        items: [&exports.items[..], added.map_or(&[], |added| &added.items)].concat(),
                    });
                    writer.skip_to(section.contents.range().end);
                }
                // The host runs the start function.
                START if self.atomic_imports.is_some() => {
                    writer.copy_to(section.start);
                    writer.skip_to(section.contents.range().end);
                }
                id => {
                    if let Some(addition) = additions.next_if(|addition| addition.id == id) {
                        writer.extend_section(section, addition)?;
                    }
                }
            }
        }
        writer.copy_to(bytes.len());
        // If the last section shrank, nothing has been copied since.
        writer.skip_to(bytes.len());
        additions.for_each(|addition| writer.add_section(addition));
        u32::try_from(writer.out.len()).ok()?;
        let stack_pointer = self.stack_pointer();
        let record = Record {
            offsets: Offsets { ends: writer.ends.into(), translation: Box::default() },
            memories: self.scan.sources(self.has_poll_memory),
            atomic_imports: self.atomic_imports,
            stack_pointer,
        };
        Some(Instrumented { bytes: writer.out, has_ordered_exports: self.exports.is_some(), record })
    }

    fn write_code(&self, section: &RawSection<'_>, writer: &mut Writer<'_>) -> Option<()> {
        let contents = section.contents.range();
        writer.copy_to(section.start + 1);
        let size = writer.start_size(contents.start);
        for body in &self.scan.bodies {
            writer.copy_to(body.start);
            let size = writer.start_size(body.contents.start);
            for patch in &self.scan.patches[body.patches.clone()] {
                self.write_patch(patch, writer);
            }
            writer.copy_to(body.contents.end);
            if writer.end_size(size) > BODY_BYTES {
                return None;
            }
        }
        writer.copy_to(contents.end);
        writer.end_size(size);
        Some(())
    }

    fn write_patch(&self, patch: &Patch, writer: &mut Writer<'_>) {
        writer.copy_to(patch.at as usize);
        match patch.call {
            None => writer.out.extend_from_slice(&self.poll),
            Some(HostCall { import, memory, offset }) => {
                if import.instruction != Instruction::Grow {
                    push_constant(&mut writer.out, 0x42, offset.cast_signed());
                }
                push_constant(&mut writer.out, 0x41, memory.cast_signed().into());
                self.push_call(import, &mut writer.out);
                writer.skip_to(patch.end as usize);
            }
        }
    }

    /// `(call_indirect $imports (type $import) (i32.const slot))`
    fn push_call(&self, import: AtomicImport, out: &mut Vec<u8>) {
        let functions = self.atomic_imports.iter().flat_map(|imports| &imports.functions);
        let slot = functions.take_while(|&&other| other < import).count() as u32;
        push_constant(out, 0x41, slot.into());
        out.push(0x11);
        push_unsigned(out, self.types + slot);
        push_unsigned(out, self.scan.tables);
    }
}

/// `i32.const` (0x41) or `i64.const` (0x42)
fn push_constant(out: &mut Vec<u8>, opcode: u8, value: i64) {
    out.push(opcode);
    push_signed(out, value);
}

#[cfg(test)]
mod tests;
