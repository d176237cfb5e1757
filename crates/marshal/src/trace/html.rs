//! A trace as one file of HTML, which needs no other.

use std::fmt::Write;
use std::sync::Arc;

use super::format::{self, Files, amount, bytes, count, counted, time};
use super::{Amount, Frame, Line, Snapshot};

/// Rows of one table that are shown.
const ROWS: usize = 200;

const STYLE: &str = include_str!("style.css");

/// A text that is safe between tags and in an attribute's quotes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            c => out.push(c),
        }
    }
    out
}

/// A table's beginning: its heading, what it is about, and its columns. Columns that begin with `#` hold numbers.
fn open_table(out: &mut String, title: &str, about: &str, columns: &[&str]) {
    let _ = write!(out, "<section><h2>{title}</h2><p>{about}</p><table><thead><tr>");
    for column in columns {
        let _ = match column.strip_prefix('#') {
            Some(column) => write!(out, r#"<th class="n">{column}</th>"#),
            None => write!(out, "<th>{column}</th>"),
        };
    }
    *out += "</tr></thead><tbody>\n";
}

/// A table's end. `len` rows were to be shown.
fn close_table(out: &mut String, len: usize) {
    *out += "</tbody></table>";
    if len > ROWS {
        let _ = write!(out, "<p>and {} more</p>", count((len - ROWS) as u64));
    }
    *out += "</section>\n";
}

fn number(out: &mut String, text: &str) {
    let _ = write!(out, r#"<td class="n">{text}</td>"#);
}

fn count_or_dash(number: u64) -> String {
    if number == 0 { "–".into() } else { count(number) }
}

/// A number with a bar of its share of `most`.
fn bar(out: &mut String, value: u64, most: u64) {
    if value == 0 {
        return number(out, "–");
    }
    let share = value as f64 / most.max(1) as f64 * 100.0;
    let text = bytes(value);
    let _ = write!(out, r#"<td class="n bar"><span style="width:{share:.1}%"></span><b>{text}</b></td>"#);
}

/// A row of a table of one amount for each line: the amount, the line and its agents.
type Row<'a> = (Amount, Option<&'a Frame>, &'a [Arc<str>]);

/// A page in the making.
struct Page<'a> {
    snapshot: &'a Snapshot,
    files: Files,
    out: String,
}

impl Snapshot {
    /// The snapshot as a page of HTML with a chart: one file, without scripts.
    pub fn to_html(&self) -> String {
        let mut page = Page { snapshot: self, files: Files::new(), out: String::new() };
        page.write();
        page.out
    }
}

impl Page<'_> {
    fn write(&mut self) {
        let _ = write!(
            self.out,
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\
             <meta name=\"viewport\" content=\"width=device-width\"/>\
             <meta name=\"color-scheme\" content=\"light dark\"/>\
             <title>Guest memory trace</title>\n<style>{STYLE}</style></head><body><main>\n"
        );
        self.write_head();
        self.out += "<figure>";
        self.snapshot.write_chart(&mut self.out);
        self.out += "</figure>\n";
        self.write_held();
        self.write_gone();
        self.write_handles();
        self.write_peak();
        self.write_churn();
        self.write_memories();
        self.out += "</main></body></html>\n";
    }

    fn write_head(&mut self) {
        let snapshot = self.snapshot;
        let agents = counted(snapshot.agents.len() as u64, "agent");
        let memories = snapshot.memories.len() as u64 + u64::from(snapshot.memories_forgotten);
        let memories = if memories == 1 { "1 memory".into() } else { format!("{} memories", count(memories)) };
        let state = if snapshot.is_on { "" } else { ", stopped" };
        let length = time(snapshot.duration);
        let _ = write!(self.out, "<h1>Guest memory trace</h1><p>{length}{state}, {agents}, {memories}</p><ul>");
        let mut tile = |name: &str, amount: Amount, note: &str| {
            let (bytes, blocks) = (bytes(amount.bytes), counted(amount.blocks, "block"));
            let _ = write!(self.out, "<li><i>{name}</i><b>{bytes}</b><small>{blocks}{note}</small></li>");
        };
        tile("held", snapshot.held, "");
        tile("peak", snapshot.peak.amount, &format!(" after {}", time(snapshot.peak.at)));
        tile("owned in all", snapshot.owned, "");
        if snapshot.waiting.blocks > 0 {
            tile("waiting", snapshot.waiting, " to be freed");
        }
        if snapshot.gone.blocks > 0 {
            tile("never freed", snapshot.gone, " gone with memories");
        }
        tile("lent", snapshot.lent, " for arguments");
        self.out += "</ul>\n";
    }

    /// The cell of a line, with its agents if there are several in all.
    fn place(&mut self, place: Option<&Frame>, agents: &[Arc<str>]) {
        let Some(frame) = place else {
            let _ = write!(self.out, "<td><em>{}</em>", format::UNKNOWN);
            return self.agents(agents);
        };
        let full = format!("{}:{}:{}", format::one_line(&frame.file), frame.line, frame.column);
        let (full, shown) = (escape(&full), escape(&self.files.place(frame)));
        let _ = write!(self.out, r#"<td><code title="{full}">{shown}</code>"#);
        if !frame.function.is_empty() {
            let _ = write!(self.out, " <em>{}</em>", escape(&format::one_line(&frame.function)));
        }
        self.agents(agents);
    }

    /// The rest of a line's cell.
    fn agents(&mut self, agents: &[Arc<str>]) {
        if self.snapshot.agents.len() > 1 {
            for agent in agents.iter().take(ROWS) {
                let _ = write!(self.out, " <kbd>{}</kbd>", escape(&format::one_line(agent)));
            }
        }
    }

    fn write_held(&mut self) {
        let lines: Vec<&Line> = self.snapshot.lines.iter().filter(|line| line.held.blocks > 0).collect();
        if lines.is_empty() {
            self.out += "<section><h2>Held blocks</h2><p>No block is held.</p></section>\n";
            return;
        }
        let about = "Blocks that the host owns and that something refers to, by the line that made them.";
        let columns = ["#bytes", "#blocks", "#largest", "#oldest", "line, and what called it"];
        open_table(&mut self.out, "Held blocks", about, &columns);
        let most = lines.iter().map(|line| line.held.bytes).max().unwrap_or(0);
        for line in lines.iter().take(ROWS) {
            self.out += "<tr>";
            bar(&mut self.out, line.held.bytes, most);
            number(&mut self.out, &count(line.held.blocks));
            number(&mut self.out, &bytes(line.largest));
            let age = line.oldest.map_or_else(String::new, |at| time(self.snapshot.duration.saturating_sub(at)));
            number(&mut self.out, &age);
            self.place(line.place.as_ref(), &line.agents);
            for stack in line.stacks.iter().take(5) {
                let frames: Vec<_> = stack.frames.iter().map(|frame| self.files.line(Some(frame))).collect();
                let (frames, held) = (escape(&frames.join(" ← ")), amount(stack.held));
                let _ = write!(self.out, "<div>← {frames} <small>{held}</small></div>");
            }
            self.out += "</td></tr>\n";
        }
        close_table(&mut self.out, lines.len());
    }

    /// A table of one amount for each line.
    fn write_amounts(&mut self, title: &str, about: &str, rows: &[Row<'_>]) {
        open_table(&mut self.out, title, about, &["#bytes", "#blocks", "line"]);
        let most = rows.iter().map(|(amount, ..)| amount.bytes).max().unwrap_or(0);
        for (amount, place, agents) in rows.iter().take(ROWS) {
            self.out += "<tr>";
            bar(&mut self.out, amount.bytes, most);
            number(&mut self.out, &count(amount.blocks));
            self.place(*place, agents);
            self.out += "</td></tr>\n";
        }
        close_table(&mut self.out, rows.len());
    }

    fn write_gone(&mut self) {
        let lines = self.snapshot.lines.iter().filter(|line| line.gone.blocks > 0);
        let mut rows: Vec<_> = lines.map(|line| (line.gone, line.place.as_ref(), &*line.agents)).collect();
        if rows.is_empty() {
            return;
        }
        rows.sort_by_key(|(gone, ..)| std::cmp::Reverse(gone.bytes));
        let about = "Blocks that were never freed: what could free them went before, mostly with their memory.";
        self.write_amounts("Never freed", about, &rows);
    }

    fn write_peak(&mut self) {
        let peak = &self.snapshot.peak;
        let rows: Vec<_> = peak.shares.iter().map(|share| (share.amount, share.place.as_ref(), &[][..])).collect();
        if !rows.is_empty() {
            let about = format!("What was owned after {}: {}.", time(peak.at), amount(peak.amount));
            self.write_amounts("The peak", &about, &rows);
        }
    }

    fn write_handles(&mut self) {
        let handles = &self.snapshot.handles;
        if handles.is_empty() {
            return;
        }
        let columns = ["#open", "#waiting", "#oldest", "destructor", "line"];
        open_table(&mut self.out, "Open handles", "Opaque pointers that the host has not closed.", &columns);
        for line in handles.iter().take(ROWS) {
            self.out += "<tr>";
            let age = time(self.snapshot.duration.saturating_sub(line.oldest));
            [count(line.open), count(line.waiting), age].iter().for_each(|text| number(&mut self.out, text));
            let _ = write!(self.out, "<td><code>{}</code></td>", escape(&format::one_line(&line.destructor)));
            self.place(line.place.as_ref(), &line.agents);
            self.out += "</td></tr>\n";
        }
        close_table(&mut self.out, handles.len());
    }

    fn write_churn(&mut self) {
        let mut lines: Vec<_> = self.snapshot.lines.iter().collect();
        if lines.is_empty() {
            return;
        }
        lines.sort_by_key(|line| std::cmp::Reverse(line.owned.bytes + line.lent.bytes));
        let about = "Blocks that the host owned at some time; and those it lent a guest for the time of a call, or gave out \
                     by malloc, with how many of them the host has not freed.";
        let columns = ["#owned", "#blocks", "#lent", "#blocks", "#not freed", "line"];
        open_table(&mut self.out, "What came and went", about, &columns);
        let most = lines.iter().map(|line| line.owned.bytes.max(line.lent.bytes)).max().unwrap_or(0);
        for line in lines.iter().take(ROWS) {
            self.out += "<tr>";
            for amount in [line.owned, line.lent] {
                bar(&mut self.out, amount.bytes, most);
                number(&mut self.out, &count_or_dash(amount.blocks));
            }
            number(&mut self.out, &count_or_dash(line.unreturned.blocks));
            self.place(line.place.as_ref(), &line.agents);
            self.out += "</td></tr>\n";
        }
        close_table(&mut self.out, lines.len());
    }

    fn write_memories(&mut self) {
        let memories = &self.snapshot.memories;
        if memories.is_empty() {
            return;
        }
        let columns = ["memory", "#length", "#owned", "#peak", "#after", "peak’s largest line", "first heap made at"];
        open_table(&mut self.out, "Memories", "What the host owned in each.", &columns);
        for memory in memories.iter().take(ROWS) {
            let gone = if memory.is_alive { "" } else { ", gone" };
            let _ = write!(self.out, "<tr><td>{}{gone}</td>", memory.name());
            let peak = &memory.peak;
            let cells = [bytes(memory.length), bytes(memory.owned.bytes), bytes(peak.amount.bytes), time(peak.at)];
            cells.iter().for_each(|text| number(&mut self.out, text));
            match peak.shares.first() {
                Some(share) => self.place(share.place.as_ref(), &[]),
                None => self.out += "<td>",
            }
            self.out += "</td>";
            match &memory.made {
                Some(frame) => self.place(Some(frame), memory.agent.as_slice()),
                None => self.out += "<td>",
            }
            self.out += "</td></tr>\n";
        }
        close_table(&mut self.out, memories.len() + self.snapshot.memories_forgotten as usize);
    }
}
