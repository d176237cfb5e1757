//! Lines of a program from a grammar.
//!
//! A grammar is a list of lines `kind: text`, where the text is JavaScript with placeholders: `$kind` stands for any
//! text of that kind, and at times for something quite different; `@kind` always keeps its kind. Values of a kind with
//! a capital (`$Memory`) are kept in variables and used again. The kind `do` has statements, or expressions that are
//! used for their effects. `^` at the beginning of a text says that it is for places that are nested deep already: it
//! has no placeholders that lead further down.

use std::collections::BTreeMap;

use super::modules;
use crate::random::Random;

/// The grammars by name. All of them can use what is in `common`.
pub const GRAMMARS: [(&str, &str); 8] = [
    ("common", include_str!("grammar/common.txt")),
    ("agents", include_str!("grammar/agents.txt")),
    ("ecmascript", include_str!("grammar/ecmascript.txt")),
    ("errors", include_str!("grammar/errors.txt")),
    ("marshal", include_str!("grammar/marshal.txt")),
    ("node", include_str!("grammar/node.txt")),
    ("wasm", include_str!("grammar/wasm.txt")),
    ("web", include_str!("grammar/web.txt")),
];

/// How deep placeholders nest.
const DEPTH: usize = 5;

/// How many of 100 placeholders that may be replaced are replaced.
const WRONG_KIND: usize = 5;

/// All grammars together.
#[derive(Debug)]
pub struct Grammar {
    kinds: BTreeMap<&'static str, Vec<&'static str>>,
    /// The statements of an area, and the kinds of its variables.
    areas: BTreeMap<&'static str, Area>,
}

#[derive(Debug, Default)]
struct Area {
    statements: Vec<&'static str>,
    variables: Vec<&'static str>,
}

impl Grammar {
    /// Reads the grammars.
    #[expect(clippy::new_without_default, reason = "there is nothing default about reading files")]
    pub fn new() -> Self {
        let mut kinds: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut areas: BTreeMap<_, Area> = BTreeMap::new();
        for (name, text) in GRAMMARS {
            for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
                let (kind, expansion) =
                    line.split_once(": ").unwrap_or_else(|| panic!("{name}.txt: no kind in {line:?}"));
                let area = areas.entry(name).or_default();
                if kind == "do" {
                    area.statements.push(expansion);
                    continue;
                }
                if kind.starts_with(char::is_uppercase) && !area.variables.contains(&kind) {
                    area.variables.push(kind);
                }
                kinds.entry(kind).or_default().push(expansion);
            }
        }
        areas.remove("common");
        Self { kinds, areas }
    }

    /// The names of the areas.
    pub fn areas(&self) -> Vec<&'static str> {
        self.areas.keys().copied().collect()
    }
}

/// Writes the lines of one program.
pub(super) struct Writer<'a> {
    grammar: &'a Grammar,
    pub(super) random: &'a mut Random,
    /// Variables by kind.
    variables: BTreeMap<&'static str, Vec<String>>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(grammar: &'a Grammar, random: &'a mut Random) -> Self {
        Self { grammar, random, variables: BTreeMap::new() }
    }

    /// A line with this number.
    pub(super) fn line(&mut self, area: &str, number: usize) -> String {
        let Area { statements, variables } = &self.grammar.areas[area];
        if self.random.percent(35) {
            let kind = *self.random.pick(variables);
            let text = self.expand_kind(kind, 0);
            let name = format!("v{number}");
            self.variables.entry(kind).or_default().push(name.clone());
            return format!("var {name} = t({number}, () => {text});");
        }
        let statement = *self.random.pick(statements);
        let text = self.expand(statement, 0);
        let wrapped = match self.random.below(100) {
            0..4 => format!("brim(() => {text})"),
            4..6 => format!("within(() => {text})"),
            6..8 => format!("later(() => {text})"),
            8..10 => format!("poorly(() => {text})"),
            _ => text,
        };
        format!("t({number}, () => {wrapped});")
    }

    /// Text of a kind.
    fn expand_kind(&mut self, kind: &'static str, depth: usize) -> String {
        let all = &self.grammar.kinds[kind];
        let shallow: Vec<_> = all.iter().filter(|text| text.starts_with('^') || !text.contains(['$', '@'])).collect();
        let text = match (depth < DEPTH, shallow.is_empty()) {
            (true, _) => *self.random.pick(all),
            (false, false) => **self.random.pick(&shallow),
            (false, true) => return "undefined".to_string(),
        };
        let text = self.expand(text, depth + 1);
        // After an arrow, a brace would begin a block.
        if text.starts_with('{') { format!("({text})") } else { text }
    }

    fn placeholder(&mut self, kind: &'static str, strict: bool, depth: usize) -> String {
        match kind {
            "smith" => return modules::smith(self.random),
            "wat" => return modules::handmade(self.random),
            _ => {}
        }
        if !strict && depth < DEPTH && self.random.percent(WRONG_KIND) {
            return self.expand_kind("any", depth);
        }
        if let Some(names) = self.variables.get(kind)
            && self.random.percent(75)
        {
            return self.random.pick(names).clone();
        }
        self.expand_kind(kind, depth)
    }

    fn expand(&mut self, text: &'static str, depth: usize) -> String {
        let mut out = String::new();
        for part in parts(text.strip_prefix('^').unwrap_or(text)) {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Placeholder { kind, strict } => out.push_str(&self.placeholder(kind, strict, depth)),
            }
        }
        out
    }
}

enum Part {
    Text(&'static str),
    Placeholder { kind: &'static str, strict: bool },
}

/// Text in its parts.
fn parts(text: &'static str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['$', '@']) {
        let name = &rest[at + 1..];
        let length = name.find(|c: char| !c.is_ascii_alphabetic() && c != '_').unwrap_or(name.len());
        let (before, strict) = (&rest[..at], rest.as_bytes()[at] == b'@');
        if length == 0 {
            parts.push(Part::Text(&rest[..=at]));
        } else {
            parts.push(Part::Text(before));
            parts.push(Part::Placeholder { kind: &name[..length], strict });
        }
        rest = &name[length..];
    }
    parts.push(Part::Text(rest));
    parts
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn placeholders(text: &'static str) -> Vec<&'static str> {
        let kind = |part| match part {
            Part::Placeholder { kind, .. } => Some(kind),
            Part::Text(_) => None,
        };
        parts(text).into_iter().filter_map(kind).collect()
    }

    #[test]
    fn every_kind_that_is_used_is_there_and_the_other_way_round() {
        let grammar = Grammar::new();
        let statements = grammar.areas.values().flat_map(|area| &area.statements);
        let texts = statements.chain(grammar.kinds.values().flatten());
        let used: BTreeSet<_> = texts.flat_map(|text| placeholders(text)).collect();
        let built_in = ["smith", "wat"];
        for kind in &used {
            assert!(built_in.contains(kind) || grammar.kinds.contains_key(kind), "nothing says what ${kind} is");
        }
        for kind in grammar.kinds.keys() {
            let variable = kind.starts_with(char::is_uppercase);
            assert!(variable || *kind == "any" || used.contains(kind), "nothing uses ${kind}");
        }
        for (name, area) in &grammar.areas {
            assert!(!area.statements.is_empty() && !area.variables.is_empty(), "{name}");
        }
    }

    #[test]
    fn placeholders_are_told_from_text() {
        assert_eq!(placeholders("f($a, `${x}`, @b_c.d, $)"), ["a", "b_c"]);
    }
}
