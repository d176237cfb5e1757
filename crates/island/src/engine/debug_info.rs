//! Where instructions come from in a guest's source: what the DWARF in a module's custom sections says.
//!
//! It is read when a stack is first shown that has a frame of the module. Anybody can write anything into a module, so
//! each question may read so many bytes and no more, and nest so deeply and no more: an answer that would take longer is
//! not given.

use std::borrow::Cow;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use addr2line::Context;
use addr2line::gimli::{Dwarf, Error, LittleEndian, Reader, ReaderOffsetId, Result};

/// A place in a guest's source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLocation {
    /// The function's name in the source, if it is not the one that the name section has.
    pub function: Option<String>,
    /// The file, as the compiler named it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1; 0 if the compiler did not say.
    pub column: u32,
}

impl std::fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        if self.column > 0 { write!(f, ":{}", self.column) } else { Ok(()) }
    }
}

/// The debug information of a module.
pub(crate) struct DebugInfo {
    context: Context<Piece>,
    budget: ReadBudget,
    /// What was answered before, by the question.
    known: HashMap<u64, Vec<SourceLocation>>,
}

impl DebugInfo {
    /// What the custom sections hold, or nothing if that is not DWARF.
    pub(crate) fn new(custom: &[(String, Box<[u8]>)]) -> Option<Self> {
        let section = |name: &str| custom.iter().find(|(own, _)| own == name).map(|(_, bytes)| &**bytes);
        section(".debug_line")?;
        let size: usize =
            custom.iter().filter(|(name, _)| name.starts_with(".debug_")).map(|(_, bytes)| bytes.len()).sum();
        let budget = ReadBudget::new(size);
        let load = |id: addr2line::gimli::SectionId| -> Result<Piece> {
            Ok(Piece::new(section(id.name()).unwrap_or_default().into(), budget.clone()))
        };
        let context = budget.spend(|| Context::from_dwarf(Dwarf::load(load)?))?;
        Some(Self { context, budget, known: HashMap::new() })
    }

    /// The source of the instruction at this offset from the beginning of the code section, innermost inlined function
    /// first.
    pub(crate) fn source_of(&mut self, offset: u64) -> Vec<SourceLocation> {
        /// Functions that are inlined more deeply than this are not shown.
        const DEPTH: usize = 32;
        if let Some(known) = self.known.get(&offset) {
            return known.clone();
        }
        let find = || {
            let mut frames = self.context.find_frames(offset).skip_all_loads()?;
            let mut found = Vec::new();
            while let Some(frame) = frames.next()?
                && found.len() < DEPTH
            {
                let location = frame.location.as_ref();
                if let Some((file, line)) = location.and_then(|location| location.file.zip(location.line)) {
                    let name = frame.function.as_ref().and_then(|name| name.raw_name().ok());
                    let column = location.and_then(|location| location.column).unwrap_or(0);
                    found.push(SourceLocation { function: name.map(Cow::into_owned), file: file.into(), line, column });
                }
            }
            Ok(found)
        };
        let found = self.budget.spend(find).unwrap_or_default();
        self.known.insert(offset, found.clone());
        found
    }
}

impl std::fmt::Debug for DebugInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DebugInfo").finish_non_exhaustive()
    }
}

/// How much may be read until the question is answered.
#[derive(Clone, Debug)]
struct ReadBudget {
    left: Arc<AtomicU64>,
    full: u64,
    /// How far down the thread's stack may be used meanwhile: functions that are inlined are read by recursion.
    floor: Arc<AtomicUsize>,
}

/// So much of the stack is used at most.
const STACK: usize = 256 << 10;

impl ReadBudget {
    /// For sections of so many bytes. Well-formed ones are read a few times over.
    fn new(size: usize) -> Self {
        Self { left: Arc::default(), full: (size as u64).saturating_mul(16) + (1 << 20), floor: Arc::default() }
    }

    /// Runs `body` with all of it.
    fn spend<T>(&self, body: impl FnOnce() -> Result<T>) -> Option<T> {
        self.left.store(self.full, Ordering::Relaxed);
        let here = 0u8;
        self.floor.store((&raw const here).addr().saturating_sub(STACK), Ordering::Relaxed);
        // A reader of DWARF that panics has read what nobody should have written.
        catch_unwind(AssertUnwindSafe(body)).ok()?.ok()
    }

    fn left(&self) -> usize {
        usize::try_from(self.left.load(Ordering::Relaxed)).unwrap_or(usize::MAX)
    }

    fn take(&self, bytes: usize) -> bool {
        let left = self.left.load(Ordering::Relaxed);
        let is_high_enough = (&raw const left).addr() >= self.floor.load(Ordering::Relaxed);
        // Even nothing takes time.
        let rest = left.checked_sub(bytes as u64 + 1).filter(|_| is_high_enough);
        self.left.store(rest.unwrap_or(0), Ordering::Relaxed);
        rest.is_some()
    }
}

/// A part of a section.
#[derive(Clone, Debug)]
struct Piece {
    bytes: Arc<[u8]>,
    start: usize,
    end: usize,
    budget: ReadBudget,
}

impl Piece {
    fn new(bytes: Arc<[u8]>, budget: ReadBudget) -> Self {
        Self { start: 0, end: bytes.len(), bytes, budget }
    }

    fn slice(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    fn missing(&self) -> Error {
        Error::UnexpectedEof(self.offset_id())
    }

    /// Goes past `len` bytes and returns where they were.
    fn advance(&mut self, len: usize) -> Result<usize> {
        let start = self.start;
        if len > self.end - start || !self.budget.take(len) {
            return Err(self.missing());
        }
        self.start += len;
        Ok(start)
    }
}

impl Reader for Piece {
    type Endian = LittleEndian;
    type Offset = usize;

    fn endian(&self) -> LittleEndian {
        LittleEndian
    }

    fn len(&self) -> usize {
        self.end - self.start
    }

    fn empty(&mut self) {
        self.start = self.end;
    }

    fn truncate(&mut self, len: usize) -> Result<()> {
        if len > self.len() {
            return Err(self.missing());
        }
        self.end = self.start + len;
        Ok(())
    }

    fn offset_from(&self, base: &Self) -> usize {
        self.start - base.start
    }

    fn offset_id(&self) -> ReaderOffsetId {
        ReaderOffsetId(self.slice().as_ptr().addr() as u64)
    }

    fn lookup_offset_id(&self, id: ReaderOffsetId) -> Option<usize> {
        let offset = id.0.checked_sub(self.offset_id().0)? as usize;
        (offset <= self.len()).then_some(offset)
    }

    fn find(&self, byte: u8) -> Result<usize> {
        // Where it is not, it was looked for all the same.
        let within = &self.slice()[..self.len().min(self.budget.left())];
        let found = within.iter().position(|&other| other == byte);
        let is_paid = self.budget.take(found.unwrap_or(within.len()));
        found.filter(|_| is_paid).ok_or_else(|| self.missing())
    }

    fn skip(&mut self, len: usize) -> Result<()> {
        // Skipping is as quick for many bytes as for few.
        let start = self.start;
        if len > self.end - start || !self.budget.take(0) {
            return Err(self.missing());
        }
        self.start += len;
        Ok(())
    }

    fn split(&mut self, len: usize) -> Result<Self> {
        let before = self.clone();
        self.skip(len)?;
        Ok(Self { end: before.start + len, ..before })
    }

    fn to_slice(&self) -> Result<Cow<'_, [u8]>> {
        if self.budget.take(self.len()) { Ok(self.slice().into()) } else { Err(self.missing()) }
    }

    fn to_string(&self) -> Result<Cow<'_, str>> {
        self.to_slice()?;
        std::str::from_utf8(self.slice()).map(Cow::from).map_err(|_| Error::BadUtf8)
    }

    fn to_string_lossy(&self) -> Result<Cow<'_, str>> {
        self.to_slice()?;
        Ok(String::from_utf8_lossy(self.slice()))
    }

    fn read_slice(&mut self, into: &mut [u8]) -> Result<()> {
        let start = self.advance(into.len())?;
        into.copy_from_slice(&self.bytes[start..start + into.len()]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sections of one unit: `f` is at 0 to 16, in line 7 of `a.c` from 4 on.
    fn sections() -> Vec<(String, Box<[u8]>)> {
        let section = |name: &str, bytes: Vec<u8>| (name.to_owned(), bytes.into_boxed_slice());
        let abbreviations = vec![
            // 1: a unit with name, statement list, low and high address, and children.
            1, 0x11, 1, 0x03, 0x08, 0x10, 0x17, 0x11, 0x01, 0x12, 0x06, 0, 0,
            // 2: a function with a name and addresses.
            2, 0x2e, 0, 0x03, 0x08, 0x11, 0x01, 0x12, 0x06, 0, 0, 0,
        ];
        let mut unit = vec![4, 0, 0, 0, 0, 0, 4];
        unit.extend([1]);
        unit.extend(b"a.c\0");
        unit.extend([0, 0, 0, 0]); // the statement list
        unit.extend([0, 0, 0, 0, 16, 0, 0, 0]);
        unit.push(2);
        unit.extend(b"f\0");
        unit.extend([0, 0, 0, 0, 16, 0, 0, 0]);
        unit.push(0);
        let mut info = (unit.len() as u32).to_le_bytes().to_vec();
        info.extend(unit);
        let header = [
            // The least length of an instruction, operations in it, statements by default, base, range, opcodes.
            &[1, 1, 1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1][..],
            // No folders; a file.
            &[0][..],
            b"a.c\0\0\0\0\0",
        ]
        .concat();
        let program = [
            // Address 0 in line 3; address 4 in line 7, column 5; the end at 16.
            &[0, 5, 2, 0, 0, 0, 0, 3, 2, 1][..],
            &[2, 4, 3, 4, 5, 5, 1, 2, 12, 0, 1, 1][..],
        ]
        .concat();
        let mut lines = vec![4, 0];
        lines.extend((header.len() as u32).to_le_bytes());
        lines.extend(header);
        lines.extend(program);
        let mut line = (lines.len() as u32).to_le_bytes().to_vec();
        line.extend(lines);
        vec![section(".debug_abbrev", abbreviations), section(".debug_info", info), section(".debug_line", line)]
    }

    #[test]
    fn lines() {
        let mut info = DebugInfo::new(&sections()).unwrap();
        let at = |line, column| SourceLocation { function: Some("f".into()), file: "a.c".into(), line, column };
        assert_eq!(info.source_of(1), [at(3, 0)]);
        assert_eq!(info.source_of(9), [at(7, 5)]);
        assert_eq!(info.source_of(9), [at(7, 5)]);
        assert_eq!(info.source_of(99), []);
    }

    #[test]
    fn damaged_sections() {
        for at in 0..3 {
            for byte in 0..sections()[at].1.len() {
                for value in [0, 1, 0x7f, 0x80, 0xff] {
                    let mut sections = sections();
                    sections[at].1[byte] = value;
                    if let Some(mut info) = DebugInfo::new(&sections) {
                        (0..20).for_each(|offset| drop(info.source_of(offset)));
                    }
                    sections[at].1 = sections[at].1[..byte].into();
                    if let Some(mut info) = DebugInfo::new(&sections) {
                        info.source_of(9);
                    }
                }
            }
        }
        assert!(DebugInfo::new(&[]).is_none());
    }

    /// Replaces the unit of [`sections`], after its header, and what its entries look like.
    fn with_unit(entries: &[u8], abbreviations: &[u8]) -> Vec<(String, Box<[u8]>)> {
        let mut sections = sections();
        let mut unit = vec![4, 0, 0, 0, 0, 0, 4];
        unit.extend(entries);
        let mut info = (unit.len() as u32).to_le_bytes().to_vec();
        info.extend(unit);
        sections[0].1 = abbreviations.into();
        sections[1].1 = info.into();
        sections
    }

    #[test]
    fn functions_inlined_a_million_deep_are_given_up() {
        let abbreviations = [
            // A unit with a statement list and addresses; a function with addresses; and one that is inlined.
            &[1, 0x11, 1, 0x10, 0x17, 0x11, 0x01, 0x12, 0x06, 0, 0][..],
            &[2, 0x2e, 1, 0x11, 0x01, 0x12, 0x06, 0, 0, 3, 0x1d, 1, 0, 0, 0][..],
        ];
        let mut entries = vec![1, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0];
        entries.extend([2, 0, 0, 0, 0, 16, 0, 0, 0]);
        let shallow = [&entries[..], &[3; 8], &[0; 10]].concat();
        let deep = [&entries[..], &[3; 1_000_000], &[0; 1_000_002]].concat();
        let lines = |entries: &[u8]| {
            let mut info = DebugInfo::new(&with_unit(entries, &abbreviations.concat())).unwrap();
            info.source_of(9).into_iter().map(|place| place.line).collect::<Vec<_>>()
        };
        assert_eq!(lines(&shallow), [7]);
        assert_eq!(lines(&deep), []);
    }

    #[test]
    fn a_text_without_an_end_is_paid_for() {
        let budget = ReadBudget::new(0);
        let piece = Piece::new(vec![1; 1 << 20].into(), budget.clone());
        let looks = std::cell::Cell::new(0);
        let look = || -> Result<()> {
            while budget.left() > 0 {
                piece.find(0).unwrap_err();
                looks.set(looks.get() + 1);
            }
            piece.find(1).map(drop)
        };
        assert!(budget.spend(look).is_none());
        assert_eq!(looks.get(), 1, "it is as long as the budget");
    }

    #[test]
    fn what_takes_too_long_is_given_up() {
        let budget = ReadBudget::new(0);
        let mut piece = Piece::new(vec![0; 16].into(), budget.clone());
        let read_for_ever = || -> Result<()> {
            loop {
                piece.clone().read_u64()?;
                piece = Piece::new(vec![0; 16].into(), budget.clone());
            }
        };
        assert!(budget.clone().spend(read_for_ever).is_none());
    }
}
