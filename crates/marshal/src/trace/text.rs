//! A trace as text, for a terminal of 100 columns or so.

use std::fmt::Write;

use super::format::{Files, agents, amount, bytes, count, counted, time};
use super::{Line, Snapshot};

/// How many lines of one table are shown.
const ROWS: usize = 20;
/// How many memories, and lines of a peak, are shown.
const FEW: usize = 8;
/// How many callers of a line are shown.
const CALLERS: usize = 3;

/// A table whose columns are numbers, except for the last.
struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(ToString::to_string).collect()] }
    }

    fn row(&mut self, cells: impl Into<Vec<String>>) {
        self.rows.push(cells.into());
    }

    /// A row that has only the last column, below the row before.
    fn note(&mut self, text: String) {
        let mut row = vec![String::new(); self.rows[0].len()];
        *row.last_mut().expect("a table has columns") = text;
        self.rows.push(row);
    }

    fn write(&self, out: &mut String) {
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let numbers = self.rows[0].len() - 1;
        let widths: Vec<_> = (0..numbers).map(width).collect();
        for row in &self.rows {
            for (cell, width) in row.iter().zip(&widths) {
                *out += &format!("  {cell:>width$}");
            }
            *out += &format!("  {}\n", row[numbers]);
        }
    }
}

/// `and 3 more lines`.
fn more(lines: usize) -> String {
    format!("and {} more line{}", count(lines as u64), if lines == 1 { "" } else { "s" })
}

fn and_more(out: &mut String, left: &[&Line], of: impl Fn(&Line) -> super::Amount) {
    if !left.is_empty() {
        let sum = left.iter().fold(super::Amount::default(), |mut sum, line| {
            sum.add_all(of(line));
            sum
        });
        *out += &format!("  {}: {}\n", more(left.len()), amount(sum));
    }
}

impl Snapshot {
    /// The snapshot as text: what is held, by line, the peak and what it was made of, what came and went, memories and
    /// open handles. Long lists are cut.
    pub fn to_text(&self) -> String {
        let (mut out, files) = (String::new(), Files::new());
        self.write_sums(&mut out);
        self.write_held(&mut out, &files);
        self.write_gone(&mut out, &files);
        self.write_handles(&mut out, &files);
        self.write_peak(&mut out, &files);
        self.write_churn(&mut out, &files);
        self.write_memories(&mut out, &files);
        out
    }

    /// A line's place, with its agents if there are several in all.
    fn named(&self, files: &Files, place: Option<&super::Frame>, of: &[std::sync::Arc<str>]) -> String {
        let line = files.line(place);
        match self.agents.len() {
            0 | 1 => line,
            _ => format!("{line} [{}]", agents(of)),
        }
    }

    fn write_sums(&self, out: &mut String) {
        let (agents, memories) = (self.agents.len() as u64, self.memories.len() as u64);
        let memories = memories + u64::from(self.memories_forgotten);
        let memories = if memories == 1 { "1 memory".into() } else { format!("{} memories", count(memories)) };
        let agents = counted(agents, "agent");
        *out += &format!("guest memory trace: {}, {agents}, {memories}\n", time(self.duration));
        let mut line = |name: &str, text: String| *out += &format!("  {name:<10}{text}\n");
        line("held", amount(self.held));
        if self.waiting.blocks > 0 {
            line("waiting", format!("{} to be freed", amount(self.waiting)));
        }
        line("peak", format!("{} after {}", amount(self.peak.amount), time(self.peak.at)));
        let freed = self.owned.blocks - self.held.blocks - self.waiting.blocks - self.gone.blocks;
        line("owned", format!("{} in all, {} of them freed", amount(self.owned), count(freed)));
        if self.gone.blocks > 0 {
            line("gone", format!("{} never freed, with their memories", amount(self.gone)));
        }
        line("lent", format!("{} for arguments and by malloc", amount(self.lent)));
        if self.unreturned.blocks > 0 {
            line("", format!("of which the host has not freed {}", amount(self.unreturned)));
        }
    }

    fn write_held(&self, out: &mut String, files: &Files) {
        let lines: Vec<_> = self.lines.iter().filter(|line| line.held.blocks > 0).collect();
        if lines.is_empty() {
            *out += "\nNo block is held.\n";
            return;
        }
        *out += "\nBlocks that are held, by the line that made them\n";
        let mut table = Table::new(&["bytes", "blocks", "largest", "oldest", "line"]);
        let (shown, left) = lines.split_at(lines.len().min(ROWS));
        for line in shown {
            let age = line.oldest.map_or_else(String::new, |at| time(self.duration.saturating_sub(at)));
            let place = self.named(files, line.place.as_ref(), &line.agents);
            table.row([bytes(line.held.bytes), count(line.held.blocks), bytes(line.largest), age, place]);
            let callers = &line.stacks[..line.stacks.len().min(CALLERS)];
            for stack in callers {
                let frames: Vec<_> = stack.frames.iter().map(|frame| files.line(Some(frame))).collect();
                let share = match line.stacks.len() {
                    1 => String::new(),
                    _ => format!(" ({})", amount(stack.held)),
                };
                table.note(format!("  from {}{share}", frames.join(", ")));
            }
            if line.stacks.len() > CALLERS {
                table.note(format!("  and from {} more", count((line.stacks.len() - CALLERS) as u64)));
            }
        }
        table.write(out);
        and_more(out, left, |line| line.held);
    }

    fn write_gone(&self, out: &mut String, files: &Files) {
        let mut lines: Vec<_> = self.lines.iter().filter(|line| line.gone.blocks > 0).collect();
        if lines.is_empty() {
            return;
        }
        lines.sort_by_key(|line| std::cmp::Reverse(line.gone.bytes));
        *out += "\nBlocks that went with their memories and were never freed\n";
        let mut table = Table::new(&["bytes", "blocks", "line"]);
        let (shown, left) = lines.split_at(lines.len().min(ROWS));
        for line in shown {
            let place = self.named(files, line.place.as_ref(), &line.agents);
            table.row([bytes(line.gone.bytes), count(line.gone.blocks), place]);
        }
        table.write(out);
        and_more(out, left, |line| line.gone);
    }

    fn write_handles(&self, out: &mut String, files: &Files) {
        if self.handles.is_empty() {
            return;
        }
        *out += "\nHandles that are open, by the line that opened them\n";
        let mut table = Table::new(&["open", "waiting", "oldest", "destructor, line"]);
        let (shown, left) = self.handles.split_at(self.handles.len().min(ROWS));
        for line in shown {
            let place = self.named(files, line.place.as_ref(), &line.agents);
            let age = time(self.duration.saturating_sub(line.oldest));
            let what = format!("{}, {place}", super::format::one_line(&line.destructor));
            table.row([count(line.open), count(line.waiting), age, what]);
        }
        table.write(out);
        if !left.is_empty() {
            let open = left.iter().map(|line| line.open + line.waiting).sum();
            *out += &format!("  {}: {}\n", more(left.len()), counted(open, "handle"));
        }
    }

    fn write_peak(&self, out: &mut String, files: &Files) {
        if self.peak.amount.blocks == 0 {
            return;
        }
        let (peak, at) = (bytes(self.peak.amount.bytes), time(self.peak.at));
        *out += &format!("\nThe peak of {peak} after {at}\n");
        let mut table = Table::new(&["bytes", "blocks", "line"]);
        let (shown, left) = self.peak.shares.split_at(self.peak.shares.len().min(FEW));
        for share in shown {
            let place = files.line(share.place.as_ref());
            table.row([bytes(share.amount.bytes), count(share.amount.blocks), place]);
        }
        table.write(out);
        if !left.is_empty() {
            let bytes = bytes(left.iter().map(|share| share.amount.bytes).sum());
            *out += &format!("  {}: {bytes}\n", more(left.len()));
        }
    }

    fn write_churn(&self, out: &mut String, files: &Files) {
        let mut lines: Vec<_> = self.lines.iter().collect();
        if lines.is_empty() {
            return;
        }
        lines.sort_by_key(|line| std::cmp::Reverse(line.owned.bytes + line.lent.bytes));
        *out += "\nWhat came and went: blocks that were owned, and lent for the time of a call\n";
        let mut table = Table::new(&["owned", "blocks", "lent", "blocks", "not freed", "line"]);
        let (shown, left) = lines.split_at(lines.len().min(ROWS));
        let or_dash = |number: u64, text: String| if number == 0 { "–".into() } else { text };
        for line in shown {
            let place = self.named(files, line.place.as_ref(), &line.agents);
            let (owned, lent, unreturned) = (line.owned, line.lent, line.unreturned);
            table.row([
                or_dash(owned.blocks, bytes(owned.bytes)),
                or_dash(owned.blocks, count(owned.blocks)),
                or_dash(lent.blocks, bytes(lent.bytes)),
                or_dash(lent.blocks, count(lent.blocks)),
                or_dash(unreturned.blocks, count(unreturned.blocks)),
                place,
            ]);
        }
        table.write(out);
        and_more(out, left, |line| {
            let mut sum = line.owned;
            sum.add_all(line.lent);
            sum
        });
    }

    fn write_memories(&self, out: &mut String, files: &Files) {
        if self.memories.is_empty() {
            return;
        }
        *out += "\nMemories, and what was owned in them\n";
        let mut table = Table::new(&["length", "owned", "peak", "after", "memory"]);
        let (shown, left) = self.memories.split_at(self.memories.len().min(FEW));
        for memory in shown {
            let mut name = memory.name();
            if let Some(frame) = &memory.made {
                let _ = write!(name, ", first heap made at {}", files.place(frame));
            }
            if let Some(agent) = memory.agent.as_ref().filter(|_| self.agents.len() > 1) {
                let _ = write!(name, " [{}]", super::format::one_line(agent));
            }
            if !memory.is_alive {
                name += ", gone";
            }
            let peak = &memory.peak;
            let owned = bytes(memory.owned.bytes);
            table.row([bytes(memory.length), owned, bytes(peak.amount.bytes), time(peak.at), name]);
        }
        table.write(out);
        let left = left.len() as u64 + u64::from(self.memories_forgotten);
        if left > 0 {
            *out += &format!("  and {} more\n", count(left));
        }
    }
}

impl super::MemoryLine {
    /// `memory 2`, `shared memory 3`.
    pub(super) fn name(&self) -> String {
        format!("{}memory {}", if self.is_shared { "shared " } else { "" }, self.number)
    }
}
