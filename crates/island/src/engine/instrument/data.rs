//! Active data segments, which are taken out of a module and written by the host when it makes the memories.
//!
//! No program can tell the difference: if none of the segments can fail, nobody sees a module's own memory before they
//! are written. So the host takes all segments or none, and it takes them only if each goes to a memory of the module's
//! own, at a constant offset, and fits. Element segments come first: if one has put a function into another module's
//! table and a later one fails, that function sees the memory without the data; in this case, too, no data segment is
//! taken. What stays behind for each segment is an empty passive one, which is what an active segment becomes once it
//! has been written. If no instruction names a segment, not even that stays.

use std::ops::Range;

use wasmparser::{ConstExpr, DataKind, DataSectionReader, Operator, Result};

use super::{DATA, DATA_COUNT, Plan, RawSection, Scan, Writer, push_unsigned};
use crate::memory::ground::Source;

/// An active data segment.
pub(super) struct Segment {
    memory: usize,
    offset: u64,
    bytes: Range<usize>,
}

impl Scan<'_> {
    /// The active segments, if the host can take them all.
    pub(super) fn active_segments(&self, segments: DataSectionReader<'_>) -> Result<Option<Vec<Segment>>> {
        if self.fills_imported_table {
            return Ok(None);
        }
        let mut active = Vec::new();
        for segment in segments {
            let segment = segment?;
            let DataKind::Active { memory_index, offset_expr } = segment.kind else { continue };
            let memory = memory_index as usize;
            let ty = self.memories.get(memory).filter(|_| memory >= self.imported_memories);
            let Some(offset) = ty.and_then(|ty| constant(&offset_expr, ty.memory64)) else { return Ok(None) };
            let end = u128::from(offset) + segment.data.len() as u128;
            if ty.is_none_or(|ty| end > u128::from(ty.initial) << ty.page_size_log2.unwrap_or(16)) {
                return Ok(None);
            }
            active.push(Segment { memory, offset, bytes: segment.range.end - segment.data.len()..segment.range.end });
        }
        Ok(Some(active))
    }

    /// What the memories of the instrumented module stand on, as in [`super::Record`].
    pub(super) fn sources(&self, polls: bool) -> Vec<Source> {
        let mut pieces = vec![Vec::new(); self.memories.len()];
        for Segment { memory, offset, bytes } in &self.segments {
            if !bytes.is_empty() {
                pieces[*memory].push((*offset, bytes.clone()));
            }
        }
        let own = self.memories.iter().zip(pieces).skip(self.imported_memories);
        let own = own.filter(|(ty, _)| ty.initial > 0).map(|(_, pieces)| match pieces.is_empty() {
            true => Source::Zeros,
            false => Source::Pieces(pieces),
        });
        own.chain(polls.then_some(Source::PollPage)).collect()
    }
}

/// The number, if it is written down: an i64 if it is wide, otherwise an i32.
pub(super) fn constant(number: &ConstExpr<'_>, is_wide: bool) -> Option<u64> {
    let mut operators = number.get_operators_reader();
    let value = match operators.read().ok()? {
        Operator::I32Const { value } if !is_wide => value.cast_unsigned().into(),
        Operator::I64Const { value } if is_wide => value.cast_unsigned(),
        _ => return None,
    };
    matches!(operators.read().ok()?, Operator::End).then_some(value)
}

impl Plan<'_> {
    /// The data section without the active segments' contents.
    pub(super) fn write_data(&self, section: &RawSection<'_>, writer: &mut Writer<'_>) -> Option<()> {
        let are_named = self.scan.section(DATA_COUNT).is_some();
        let (mut count, mut items) = (0, Vec::new());
        let segments = DataSectionReader::new(section.contents.clone()).ok()?;
        let mut start = segments.original_position();
        for segment in segments {
            let segment = segment.ok()?;
            if matches!(segment.kind, DataKind::Passive) {
                items.extend_from_slice(&self.scan.bytes[start..segment.range.end]);
                count += 1;
            } else if are_named {
                items.extend([1, 0]);
                count += 1;
            }
            start = segment.range.end;
        }
        writer.copy_to(section.start);
        if count > 0 {
            writer.out.push(DATA);
            let size = writer.start_size(section.contents.range().start);
            push_unsigned(&mut writer.out, count);
            writer.out.extend_from_slice(&items);
            writer.end_size(size);
        }
        writer.skip_to(section.contents.range().end);
        Some(())
    }
}
