//! Long export sections, put into an order that is quick to look through.
//!
//! At each access to a memory, table or global, Wasmtime asks whether that one is exported, and searches all exports to
//! find out: a module with 75,000 exports takes fifty times as long to compile as one with ten. So the exports of
//! memories, tables and globals are put first, and those of them that are not exported are exported under reserved
//! names: whichever one Wasmtime asks about is found near the beginning.

use std::collections::HashSet;

use wasmparser::{ExportSectionReader, ExternalKind, Result};

use super::{Addition, EXPORT, EXPORTS, NAME_BYTES, Scan};

/// Shorter sections stay as they are. (Wasmtime assumes that others access what is exported, and optimizes a little
/// less.)
const LONG: u32 = 1000;

impl Scan<'_> {
    /// The exports in a better order, if the order matters. `tables` and `memories` are the numbers added to the
    /// module's own.
    pub(super) fn ordered_exports(&self, tables: u32, memories: u32) -> Result<Option<Addition>> {
        let Some(contents) = self.section(EXPORT) else { return Ok(None) };
        let exports = ExportSectionReader::new(contents)?;
        let count = exports.count();
        let spaces = [
            (ExternalKind::Table, 1, self.tables.saturating_add(tables)),
            (ExternalKind::Memory, 2, self.memories.len() as u32 + memories),
            (ExternalKind::Global, 3, self.globals),
        ];
        let asked_about = spaces.iter().fold(0, |sum: u32, (.., size)| sum.saturating_add(*size));
        // If nearly all exports are of the kinds that Wasmtime asks about, reordering does not help.
        if !self.orders_exports
            || count < LONG
            || count / 4 < asked_about
            || count.saturating_add(asked_about) > EXPORTS
        {
            return Ok(None);
        }
        let mut section = Addition { id: EXPORT, count, items: Vec::new() };
        let (mut exported, mut rest) = (HashSet::new(), Vec::new());
        let mut exports = exports.into_iter();
        let mut start = exports.original_position();
        while let Some(export) = exports.next() {
            let export = export?;
            let bytes = &self.bytes[start..exports.original_position()];
            start = exports.original_position();
            match spaces.iter().find(|(kind, ..)| *kind == export.kind) {
                Some(&(_, byte, _)) => {
                    exported.insert((byte, export.index));
                    section.items.extend_from_slice(bytes);
                }
                None => rest.extend_from_slice(bytes),
            }
        }
        let Some(prefix) = self.prefix().filter(|prefix| prefix.len() < NAME_BYTES / 2) else { return Ok(None) };
        for (_, byte, size) in spaces {
            for index in (0..size).filter(|&index| !exported.contains(&(byte, index))) {
                section.export(&format!("{prefix}own{byte}.{index}"), byte, index);
            }
        }
        section.items.append(&mut rest);
        Ok(Some(section))
    }
}
