//! What is typed at a prompt as a script: declarations become global variables, which may be declared again, `await` and
//! `import` work at the top level, and an object is no block.

use oxc_ast::ast::{
    ImportDeclaration, ImportDeclarationSpecifier, ModuleExportName, Statement, VariableDeclaration,
    VariableDeclarationKind,
};
use oxc_parser::ParserReturn;
use oxc_span::{SourceType, Span};

use crate::modules::parsed;

/// An input as a script.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Prepared {
    pub(super) text: String,
    /// Whether it waits for something at the top level.
    pub(super) waits: bool,
}

/// What a parser thinks of a text.
enum Verdict {
    Right(Prepared),
    /// More lines may make it right.
    Incomplete,
    Wrong,
}

/// Whether more lines are needed.
pub fn is_incomplete(text: &str) -> bool {
    !matches!(verdict(text, SourceType::cjs()), Verdict::Right(_))
        && !matches!(verdict(text, SourceType::mjs()), Verdict::Right(_))
        && (matches!(verdict(text, SourceType::cjs()), Verdict::Incomplete)
            || matches!(verdict(text, SourceType::mjs()), Verdict::Incomplete))
}

/// The script to run for an input. What does not parse stays as it is, for the engine to say what is wrong.
pub(super) fn prepare(text: &str) -> Prepared {
    let trimmed = text.trim();
    if trimmed.starts_with('{') && !trimmed.ends_with(';') {
        let object = format!("({trimmed})");
        if let Verdict::Right(prepared) = verdict(&object, SourceType::cjs()) {
            return prepared;
        }
    }
    for source_type in [SourceType::cjs(), SourceType::mjs()] {
        if let Verdict::Right(mut prepared) = verdict(text, source_type) {
            prepared.waits |= source_type.is_module();
            return prepared;
        }
    }
    Prepared { text: text.to_owned(), waits: false }
}

fn verdict(text: &str, source_type: SourceType) -> Verdict {
    parsed(text, source_type, judge).unwrap_or(Verdict::Wrong)
}

fn judge(text: &str, parsed: &ParserReturn<'_>) -> Verdict {
    let end = text.trim_end().len();
    let mut errors = parsed.diagnostics.errors().peekable();
    if errors.peek().is_some() {
        let ends_early = errors.any(|error| {
            let is_at_end = error.labels.iter().any(|label| label.offset() as usize >= end);
            is_at_end && error.message != "Unterminated string" && error.message != "Unterminated regular expression"
                || error.message == "Unterminated multiline comment"
                || (error.message == "Unterminated string"
                    && error.labels.iter().any(|label| text[label.offset() as usize..].starts_with('`')))
        });
        return if ends_early || in_template(parsed, text) { Verdict::Incomplete } else { Verdict::Wrong };
    }
    if parsed.panicked {
        return Verdict::Wrong;
    }
    let mut edits = Edits { text, edits: Vec::new(), waits: false };
    for statement in parsed.program.body.iter() {
        edits.statement(statement);
    }
    Verdict::Right(edits.apply())
}

/// Whether the parser stopped in a template that has no end.
fn in_template(parsed: &ParserReturn<'_>, text: &str) -> bool {
    parsed.diagnostics.errors().any(|error| {
        error.labels.iter().any(|label| {
            let (start, end) = (label.offset() as usize, (label.offset() + label.len()) as usize);
            let part = text.get(start..end).unwrap_or_default();
            (part.starts_with('`') || part.starts_with('}'))
                && end >= text.trim_end().len()
                && part.matches('`').count() < 2
        }) && text.matches('`').count() % 2 == 1
    })
}

struct Edits<'t> {
    text: &'t str,
    /// What stands in the place of a span.
    edits: Vec<(Span, String)>,
    waits: bool,
}

impl Edits<'_> {
    fn statement(&mut self, statement: &Statement<'_>) {
        match statement {
            Statement::VariableDeclaration(it) => self.variables(it),
            Statement::ClassDeclaration(it) => {
                if let Some(id) = &it.id {
                    self.put(it.span.start, format!("var {} = ", id.name));
                    self.put(it.span.end, ";".into());
                }
            }
            Statement::ImportDeclaration(it) => self.import(it),
            _ => {}
        }
    }

    fn put(&mut self, at: u32, text: String) {
        self.edits.push((Span::new(at, at), text));
    }

    fn variables(&mut self, it: &VariableDeclaration<'_>) {
        let keyword = match it.kind {
            VariableDeclarationKind::Let => "let",
            VariableDeclarationKind::Const => "const",
            _ => return,
        };
        let start = it.span.start;
        // Columns stay as they are.
        let var = format!("{:1$}", "var", keyword.len());
        self.edits.push((Span::new(start, start + keyword.len() as u32), var));
        for declarator in it.declarations.iter().filter(|declarator| declarator.init.is_none()) {
            self.put(declarator.span.end, " = void 0".into());
        }
    }

    fn import(&mut self, it: &ImportDeclaration<'_>) {
        self.waits = true;
        let slice = |span: Span| &self.text[span.start as usize..span.end as usize];
        let attributes = it.with_clause.as_ref().map_or_else(String::new, |with| {
            let text = slice(with.span);
            format!(", {{ with: {} }}", text.find('{').map_or("{}", |at| &text[at..]))
        });
        let from = slice(it.source.span);
        let mut whole = None;
        let mut names = Vec::new();
        for specifier in it.specifiers.iter().flat_map(|list| list.iter()) {
            match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(named) => {
                    let imported = match &named.imported {
                        ModuleExportName::StringLiteral(literal) => slice(literal.span).to_owned(),
                        other => other.name().to_string(),
                    };
                    names.push(format!("{imported}: {}", named.local.name));
                }
                ImportDeclarationSpecifier::ImportDefaultSpecifier(it) => {
                    names.push(format!("default: {}", it.local.name))
                }
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(it) => whole = Some(it.local.name),
            }
        }
        let import = format!("await import({from}{attributes})");
        let names = format!("{{ {} }}", names.join(", "));
        let text = match whole {
            Some(whole) if names.len() > 4 => format!("var {whole} = {import}, {names} = {whole};"),
            Some(whole) => format!("var {whole} = {import};"),
            None if it.specifiers.is_none() => format!("void ({import});"),
            None => format!("var {names} = {import};"),
        };
        self.edits.push((it.span, text));
    }

    fn apply(mut self) -> Prepared {
        self.edits.sort_by_key(|(span, _)| (span.start, span.end));
        let (mut text, mut end) = (String::with_capacity(self.text.len()), 0);
        for (span, edit) in &self.edits {
            text.push_str(&self.text[end..span.start as usize]);
            text.push_str(edit);
            end = span.end as usize;
        }
        text.push_str(&self.text[end..]);
        Prepared { text, waits: self.waits }
    }
}

#[cfg(test)]
mod tests {
    use super::{is_incomplete, prepare};

    #[test]
    fn inputs_that_go_on() {
        for text in [
            "function f() {",
            "[1,",
            "(",
            "`a",
            "`a ${",
            "/* x",
            "if (x) {",
            "foo(",
            "let x =",
            "a +",
            "async () => { await 1",
            "class A {",
            "await f(",
            "x ? 1 :",
            "`a ${1} b",
            "({ a: 1,",
            "for (;;) {\n  1;",
        ] {
            assert!(is_incomplete(text), "{text}");
        }
        for text in [
            "1",
            "let x = ;",
            "'a",
            "foo bar",
            ")",
            "x = 1;",
            "{ a: 1 }",
            "await 1",
            "import fs from 'fs'",
            "`a`",
            "/a",
            "",
            "function f() {}",
            "if (x) 1",
            "}",
            "`a` b",
        ] {
            assert!(!is_incomplete(text), "{text}");
        }
    }

    #[test]
    fn declarations_become_variables() {
        let text = |text| prepare(text).text;
        assert_eq!(text("let x = 1; const y = 2"), "var x = 1; var   y = 2");
        assert_eq!(text("let x, y = 2"), "var x = void 0, y = 2");
        assert_eq!(text("class A {} 1"), "var A = class A {}; 1");
        assert_eq!(text("for (let i;;) break"), "for (let i;;) break");
        assert_eq!(text("{ let x = 1 }"), "{ let x = 1 }");
        assert_eq!(text("{ a: 1 }"), "({ a: 1 })");
        assert_eq!(text("{ a: 1 };"), "{ a: 1 };");
        assert_eq!(
            text("import fs, { readFileSync as r } from 'fs'"),
            "var { default: fs, readFileSync: r } = await import('fs');"
        );
        assert_eq!(text("import * as fs from 'fs'; 1"), "var fs = await import('fs'); 1");
        assert_eq!(text("import './x.js'"), "void (await import('./x.js'));");
    }

    #[test]
    fn what_waits() {
        assert!(prepare("await 1").waits);
        assert!(prepare("import 'x'").waits);
        assert!(!prepare("async () => await 1").waits);
        assert!(!prepare("var await = 1").waits);
    }
}
