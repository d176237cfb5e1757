//! What is in a module, for a person.

use super::module::Module;

impl Module {
    /// A text of some lines, with the `top` largest functions.
    pub(super) fn to_text(&self, name: &str, top: usize) -> String {
        let mut text = format!("{name}: {}, {}\n\n", self.kind.name(), size(self.bytes));
        let mut fact = |label: &str, value: &str| {
            if !value.is_empty() {
                text.push_str(&wrapped(label, value));
            }
        };
        fact("needs", &self.features.join(", "));
        fact("built for", &self.target_features.join(" "));
        for (field, values) in &self.producers {
            let values: Vec<_> =
                values.iter().map(|(name, version)| format!("{name} {version}").trim().to_owned()).collect();
            fact(field, &values.join(", "));
        }
        if let Some((names, whose)) = &self.allocator {
            fact("allocator", &format!("{} ({whose})", names.join(", ")));
        }
        fact("start", &self.start.map_or_else(String::new, |start| format!("function {start}")));
        fact(
            "cache",
            match self.is_cached {
                None => "there is none",
                Some(true) => "has its compiled code",
                Some(false) => "does not have its compiled code",
            },
        );
        self.sections(&mut text);
        list(
            &mut text,
            "Imports",
            self.imports.iter().map(|import| (format!("{}.{}", import.module, import.name), &import.ty)),
        );
        list(&mut text, "Exports", self.exports.iter().map(|export| (export.name.clone(), &export.ty)));
        let own = [&self.memories, &self.tables, &self.tags];
        list(&mut text, "Memories, tables and tags", own.into_iter().flatten().map(|ty| (String::new(), ty)));
        self.globals(&mut text);
        self.functions(&mut text, top);
        text
    }

    fn sections(&self, text: &mut String) {
        text.push_str("\nSections\n");
        let width = self.sections.iter().map(|section| width(&section.name)).max().unwrap_or(0).max(8);
        for section in &self.sections {
            let count = section.count.map_or_else(String::new, |count| grouped(count as usize));
            let (name, bytes) = (fitted(&section.name, width), grouped(section.bytes));
            text.push_str(format!("  {name}  {bytes:>12} bytes  {count:>9}",).trim_end());
            text.push('\n');
        }
    }

    /// Globals are many and alike: how many there are of each type.
    fn globals(&self, text: &mut String) {
        let mut counts: Vec<(&str, usize)> = Vec::new();
        for ty in &self.globals {
            match counts.iter_mut().find(|(known, _)| known == ty) {
                Some((_, count)) => *count += 1,
                None => counts.push((ty, 1)),
            }
        }
        if !counts.is_empty() {
            text.push_str("\nGlobals\n");
        }
        for (ty, count) in counts {
            text.push_str(&format!("  {count} × {}\n", ty.trim_start_matches("global ")));
        }
    }

    fn functions(&self, text: &mut String, top: usize) {
        let all: usize = self.functions.iter().map(|function| function.bytes).sum();
        let shown = self.functions.len().min(top);
        if shown == 0 {
            return;
        }
        let which = if shown < self.functions.len() {
            format!(", the largest {shown} of {}", grouped(self.functions.len()))
        } else {
            String::new()
        };
        text.push_str(&format!("\nFunctions by size{which}\n"));
        for function in self.functions.iter().take(shown) {
            let share = function.bytes as f64 * 100.0 / all.max(1) as f64;
            let name = match &*function.name {
                "" => format!("function {}", function.index),
                name => visible(name),
            };
            text.push_str(&format!("  {:>10} {share:>5.1}%  {name}\n", grouped(function.bytes)));
        }
    }
}

/// A heading and its lines, names in one column and types in the next.
fn list<'a>(text: &mut String, heading: &str, lines: impl Iterator<Item = (String, &'a String)>) {
    let lines: Vec<(String, &String)> = lines.map(|(name, ty)| (visible(&name), ty)).collect();
    if lines.is_empty() {
        return;
    }
    /// A longer name does not move the others' types.
    const WIDEST: usize = 40;
    let width = lines.iter().map(|(name, _)| width(name)).filter(|width| *width <= WIDEST).max().unwrap_or(0);
    text.push_str(&format!("\n{heading} ({})\n", lines.len()));
    for (name, ty) in lines {
        text.push_str(
            match name.is_empty() {
                true => format!("  {ty}\n"),
                false => format!("  {}  {ty}\n", fitted(&name, width)),
            }
            .as_str(),
        );
    }
}

/// A label and a text of words, in lines of 80 columns.
fn wrapped(label: &str, value: &str) -> String {
    const INDENT: usize = 14;
    let mut text = fitted(label, INDENT - 2) + "  ";
    let mut column = width(&text);
    for (at, word) in value.split(' ').enumerate() {
        if at > 0 && column + 1 + width(word) > 80 {
            text.push('\n');
            text.push_str(&" ".repeat(INDENT));
            column = INDENT;
        } else if at > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += width(word);
    }
    text.push('\n');
    text
}

/// A name from the module without what would change the terminal.
fn visible(name: &str) -> String {
    name.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn fitted(text: &str, to: usize) -> String {
    let text = visible(text);
    let missing = to.saturating_sub(width(&text));
    text + &" ".repeat(missing)
}

/// A number with commas.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn size(bytes: usize) -> String {
    match bytes {
        0..10_240 => format!("{} bytes", grouped(bytes)),
        10_240..10_485_760 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}
