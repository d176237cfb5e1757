//! What the text of a module says without being run: the names that a CommonJS module exports, as Node's lexer finds
//! them, and whether it is one.
//!
//! The parser is recursive and does not look at its stack. So it has a thread of its own, with a stack for the deepest
//! text of this length.

use std::collections::HashMap;

use oxc_allocator::Allocator;
use oxc_ast::ast::{
    Argument, AssignmentExpression, AssignmentTarget, AwaitExpression, BindingPattern, CallExpression, Expression,
    ForOfStatement, FunctionBody, ObjectExpression, ObjectPropertyKind, Program, PropertyKey, PropertyKind, Statement,
};
use oxc_ast_visit::{Visit, walk};
use oxc_parser::{ParseOptions, Parser, ParserReturn};
use oxc_span::{GetSpan, SourceType};

/// What a CommonJS module exports.
#[derive(Debug, Default)]
pub(crate) struct Exports {
    pub(crate) names: Vec<String>,
    /// Specifiers of modules all of whose exports it exports too, with their places.
    pub(crate) reexports: Vec<(u32, String)>,
}

/// The names that a CommonJS module exports, by the rules of Node's `cjs-module-lexer`. If the text does not parse, there
/// are none: whoever runs it will see the error.
pub(crate) fn exports(text: &str) -> Exports {
    parsed(text, SourceType::cjs(), |text, parsed| {
        if parsed.panicked {
            return Exports::default();
        }
        let mut lexer = Lexer { text, found: Exports::default(), required: HashMap::new() };
        lexer.top_level(&parsed.program);
        lexer.visit_program(&parsed.program);
        lexer.found
    })
    .unwrap_or_default()
}

/// Whether a text has what only an ES module may have: `import`, `export`, `import.meta`, or an `await` at its top level.
pub(crate) fn is_module(text: &str) -> bool {
    let has_words = ["import", "export", "await"].iter().any(|word| text.contains(word));
    if !has_words {
        return false;
    }
    let is_right = |parsed: &ParserReturn<'_>| !parsed.panicked && !parsed.diagnostics.has_errors();
    let as_module = parsed(text, SourceType::mjs(), |_, parsed| {
        is_right(parsed).then(|| parsed.module_record.has_module_syntax || has_await(&parsed.program))
    });
    match as_module {
        Some(Some(is_module)) => is_module,
        // It is no module that can be parsed. If it is nothing else either, the engine will say what is wrong with it.
        _ => looks_like_module(text) && parsed(text, SourceType::cjs(), |_, parsed| is_right(parsed)) != Some(true),
    }
}

/// Whether a line of a text looks like one of an ES module. It may be in a comment or a string.
pub(crate) fn looks_like_module(text: &str) -> bool {
    let starts = ["import ", "import{", "import\"", "import'", "import*", "export ", "export{", "export*"];
    let is_module_line = |line: &str| starts.iter().any(|start| line.trim_start().starts_with(start));
    text.contains("import.meta") || text.lines().any(is_module_line)
}

/// Parses, and looks at the result; `None` if there is no memory for the parser's stack.
pub(crate) fn parsed<T: Send>(
    text: &str,
    source_type: SourceType,
    look: impl FnOnce(&str, &ParserReturn<'_>) -> T + Send,
) -> Option<T> {
    /// What each byte takes at most if every one opens a level of nesting, and what each opener that [`openers`] counts
    /// takes at most. The smaller of the two is what the text needs.
    const EACH_BYTE: usize = 3 << 10;
    const EACH_OPENER: usize = 12 << 10;
    const LEAST: usize = 1 << 20;
    const MOST: usize = 8 << 30;
    let needed = text.len().saturating_mul(EACH_BYTE).min(openers(text).saturating_mul(EACH_OPENER));
    if needed > MOST {
        return None;
    }
    let stack = needed.max(LEAST);
    std::thread::scope(|scope| {
        let parse = || {
            let allocator = Allocator::default();
            let options = ParseOptions { allow_return_outside_function: true, ..ParseOptions::default() };
            look(text, &Parser::new(&allocator, text, source_type).with_options(options).parse())
        };
        std::thread::Builder::new().name("parser".into()).stack_size(stack).spawn_scoped(scope, parse).ok()?.join().ok()
    })
}

/// How many levels of nesting a text can have at most: each begins with a sign or a word. Those in strings and comments
/// count as well, a run of one operator (`===`) counts once.
fn openers(text: &str) -> usize {
    const WORDS: [&[u8]; 33] = [
        b"as",
        b"asserts",
        b"async",
        b"await",
        b"class",
        b"delete",
        b"do",
        b"else",
        b"extends",
        b"for",
        b"function",
        b"if",
        b"import",
        b"in",
        b"infer",
        b"instanceof",
        b"is",
        b"keyof",
        b"new",
        b"of",
        b"readonly",
        b"return",
        b"satisfies",
        b"switch",
        b"throw",
        b"try",
        b"typeof",
        b"unique",
        b"void",
        b"while",
        b"with",
        b"yield",
        b"case",
    ];
    let bytes = text.as_bytes();
    let (mut count, mut before, mut word) = (0, 0, 0);
    for (at, &byte) in bytes.iter().enumerate() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..) {
            before = byte;
            continue;
        }
        count += usize::from(WORDS.contains(&&bytes[word..at]));
        word = at + 1;
        count += match byte {
            b'(' | b'[' | b'{' | b'!' | b'~' | b'+' | b'-' | b'%' | b'^' | b':' | b'`' | b'<' | b'>' => 1,
            b'=' | b'/' | b'*' | b'&' | b'|' | b'.' | b'?' => usize::from(byte != before),
            _ => 0,
        };
        before = byte;
    }
    count
}

fn has_await(program: &Program<'_>) -> bool {
    let mut finder = AwaitFinder { found: false };
    finder.visit_program(program);
    finder.found
}

struct AwaitFinder {
    found: bool,
}

impl<'a> Visit<'a> for AwaitFinder {
    fn visit_await_expression(&mut self, _: &AwaitExpression<'a>) {
        self.found = true;
    }

    fn visit_for_of_statement(&mut self, it: &ForOfStatement<'a>) {
        self.found |= it.r#await;
        walk::walk_for_of_statement(self, it);
    }

    fn visit_variable_declaration(&mut self, it: &oxc_ast::ast::VariableDeclaration<'a>) {
        self.found |= it.kind == oxc_ast::ast::VariableDeclarationKind::AwaitUsing;
        walk::walk_variable_declaration(self, it);
    }

    fn visit_function_body(&mut self, _: &FunctionBody<'a>) {}

    fn visit_arrow_function_body(&mut self, _: &oxc_ast::ast::ArrowFunctionBody<'a>) {}

    fn visit_formal_parameters(&mut self, _: &oxc_ast::ast::FormalParameters<'a>) {}
}

struct Lexer<'t> {
    text: &'t str,
    found: Exports,
    /// Top-level variables that are what a `require` returned, with its specifier.
    required: HashMap<String, String>,
}

impl Lexer<'_> {
    fn add(&mut self, name: &str) {
        self.found.names.push(name.to_owned());
    }

    fn add_reexport(&mut self, at: &impl GetSpan, specifier: &str) {
        self.found.reexports.push((at.span().start, specifier.to_owned()));
    }

    /// `__exportStar(require('x'), exports)` and what Babel writes for `export * from 'x'`; only at the top level.
    fn top_level(&mut self, program: &Program<'_>) {
        for statement in program.body.iter() {
            match statement {
                Statement::VariableDeclaration(declaration) => {
                    for declarator in declaration.declarations.iter() {
                        let BindingPattern::BindingIdentifier(name) = &declarator.id else { continue };
                        let Some(init) = &declarator.init else { continue };
                        let inner = match init {
                            Expression::CallExpression(call)
                                if is_identifier(&call.callee, "_interopRequireWildcard") =>
                            {
                                call.arguments.first().and_then(Argument::as_expression).unwrap_or(init)
                            }
                            other => other,
                        };
                        if let Some(specifier) = required(inner) {
                            self.required.insert(name.name.to_string(), specifier.to_owned());
                        }
                    }
                }
                Statement::ExpressionStatement(statement) => self.top_level_expression(&statement.expression),
                _ => {}
            }
        }
    }

    fn top_level_expression(&mut self, expression: &Expression<'_>) {
        match expression {
            Expression::LogicalExpression(logical) => {
                self.top_level_expression(&logical.left);
                self.top_level_expression(&logical.right);
            }
            Expression::SequenceExpression(sequence) => {
                sequence.expressions.iter().for_each(|part| self.top_level_expression(part));
            }
            Expression::CallExpression(call) => {
                let name = match &call.callee {
                    Expression::Identifier(callee) => callee.name.as_str(),
                    Expression::StaticMemberExpression(callee) => callee.property.name.as_str(),
                    _ => "",
                };
                if matches!(name, "__export" | "__exportStar") {
                    let first = call.arguments.first().and_then(Argument::as_expression);
                    if let Some(specifier) = first.and_then(required) {
                        self.add_reexport(&**call, specifier);
                    }
                } else if name == "forEach" {
                    self.keys_for_each(call);
                }
            }
            _ => {}
        }
    }

    /// `Object.keys(_x).forEach(function (key) { … exports[key] = _x[key] … })`.
    fn keys_for_each(&mut self, call: &CallExpression<'_>) {
        let Expression::StaticMemberExpression(callee) = &call.callee else { return };
        let Expression::CallExpression(keys) = &callee.object else { return };
        let Expression::StaticMemberExpression(object_keys) = &keys.callee else { return };
        if !is_identifier(&object_keys.object, "Object") || object_keys.property.name != "keys" {
            return;
        }
        let Some(Expression::Identifier(of)) = keys.arguments.first().and_then(Argument::as_expression) else { return };
        let Some(specifier) = self.required.get(of.name.as_str()).cloned() else { return };
        let Some(Expression::FunctionExpression(function)) = call.arguments.first().and_then(Argument::as_expression)
        else {
            return;
        };
        let Some(BindingPattern::BindingIdentifier(key)) = function.params.items.first().map(|item| &item.pattern)
        else {
            return;
        };
        let body: String = function.span.source_text(self.text).chars().filter(|char| !char.is_whitespace()).collect();
        let (key, of) = (key.name.as_str(), of.name.as_str());
        let copies = body.contains(&format!("exports[{key}]={of}[{key}]"))
            || body.contains(&format!("Object.defineProperty(exports,{key},"));
        if copies && (body.contains("'default'") || body.contains("\"default\"")) {
            self.add_reexport(call, &specifier);
        }
    }

    /// `module.exports = …`, which takes the place of what was said before.
    fn exports_assigned(&mut self, value: &Expression<'_>) {
        let start = value.span().start;
        self.found.reexports.retain(|(at, _)| *at > start);
        match value {
            Expression::ObjectExpression(object) => self.exports_literal(object),
            other => {
                if let Some(specifier) = begins_with_require(other) {
                    self.add_reexport(other, specifier);
                }
            }
        }
    }

    /// The properties of a literal, up to the first that is more than names.
    fn exports_literal(&mut self, object: &ObjectExpression<'_>) {
        for property in object.properties.iter() {
            match property {
                ObjectPropertyKind::SpreadProperty(spread) => {
                    if let Some(specifier) = begins_with_require(&spread.argument) {
                        self.add_reexport(&**spread, specifier);
                        if required(&spread.argument).is_none() {
                            return;
                        }
                    } else if !matches!(spread.argument, Expression::Identifier(_)) {
                        return;
                    }
                }
                ObjectPropertyKind::ObjectProperty(property) => {
                    if property.computed || property.kind != PropertyKind::Init {
                        return;
                    }
                    let (name, is_word) = match &property.key {
                        PropertyKey::StaticIdentifier(name) => (name.name.as_str(), true),
                        PropertyKey::StringLiteral(text) if !text.lone_surrogates => (text.value.as_str(), false),
                        _ => return,
                    };
                    if property.method {
                        // (The lexer reads the name, and stops at the parenthesis.)
                        if is_word && self.text[property.span.start as usize..].starts_with(name) {
                            self.add(name);
                        }
                        return;
                    }
                    if property.shorthand {
                        self.add(name);
                        continue;
                    }
                    if let Some(specifier) = begins_with_require(&property.value) {
                        self.add(name);
                        self.add_reexport(&**property, specifier);
                        return;
                    }
                    let value = property.value.span().source_text(self.text);
                    if !value.starts_with(|char: char| char.is_alphabetic() || "$_\\".contains(char)) {
                        return;
                    }
                    self.add(name);
                    if !value.chars().all(|char| char.is_alphanumeric() || "$_".contains(char)) {
                        return;
                    }
                }
            }
        }
    }

    /// `Object.defineProperty(exports, 'name', { enumerable: true, get: function () { return a.b; } })` or `value: …`.
    fn property_defined(&mut self, call: &CallExpression<'_>) {
        let Expression::StaticMemberExpression(callee) = &call.callee else { return };
        if !is_identifier(&callee.object, "Object") || callee.property.name != "defineProperty" {
            return;
        }
        let mut arguments = call.arguments.iter().filter_map(Argument::as_expression);
        let (Some(target), Some(Expression::StringLiteral(name)), Some(Expression::ObjectExpression(descriptor))) =
            (arguments.next(), arguments.next(), arguments.next())
        else {
            return;
        };
        if !is_exports(target) || name.lone_surrogates {
            return;
        }
        let mut properties = descriptor.properties.iter().filter_map(|property| match property {
            ObjectPropertyKind::ObjectProperty(property) => match &property.key {
                PropertyKey::StaticIdentifier(key) => Some((key.name.as_str(), &property.value)),
                _ => Some(("", &property.value)),
            },
            ObjectPropertyKind::SpreadProperty(_) => None,
        });
        let mut next = properties.next();
        if let Some(("enumerable", value)) = next {
            if !matches!(value, Expression::BooleanLiteral(yes) if yes.value) {
                return;
            }
            next = properties.next();
        }
        let is_export = match next {
            Some(("value", _)) => true,
            Some(("get", Expression::FunctionExpression(getter))) => {
                getter.body.as_ref().is_some_and(|body| returns_binding(body))
            }
            _ => false,
        };
        if is_export {
            self.add(&name.value);
        }
    }
}

impl<'a> Visit<'a> for Lexer<'_> {
    fn visit_assignment_expression(&mut self, it: &AssignmentExpression<'a>) {
        if it.operator.is_assign() {
            match &it.left {
                AssignmentTarget::StaticMemberExpression(member) => {
                    if is_identifier(&member.object, "module") && member.property.name == "exports" {
                        self.exports_assigned(&it.right);
                    } else if is_exports(&member.object) {
                        self.add(&member.property.name);
                    }
                }
                AssignmentTarget::ComputedMemberExpression(member) => {
                    if is_exports(&member.object)
                        && let Expression::StringLiteral(name) = &member.expression
                        && !name.lone_surrogates
                    {
                        self.add(&name.value);
                    }
                }
                _ => {}
            }
        }
        walk::walk_assignment_expression(self, it);
    }

    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        self.property_defined(it);
        walk::walk_call_expression(self, it);
    }
}

fn is_identifier(expression: &Expression<'_>, name: &str) -> bool {
    matches!(expression, Expression::Identifier(identifier) if identifier.name == name)
}

/// `exports` or `module.exports`.
fn is_exports(expression: &Expression<'_>) -> bool {
    match expression {
        Expression::Identifier(identifier) => identifier.name == "exports",
        Expression::StaticMemberExpression(member) => {
            is_identifier(&member.object, "module") && member.property.name == "exports"
        }
        _ => false,
    }
}

/// The specifier of `require('…')`.
fn required<'e>(expression: &'e Expression<'_>) -> Option<&'e str> {
    let Expression::CallExpression(call) = expression else { return None };
    let [Argument::StringLiteral(specifier)] = &call.arguments[..] else { return None };
    (is_identifier(&call.callee, "require") && !specifier.lone_surrogates).then(|| specifier.value.as_str())
}

/// The specifier of the `require('…')` with which an expression begins.
fn begins_with_require<'e>(expression: &'e Expression<'_>) -> Option<&'e str> {
    let mut expression = expression;
    loop {
        if let Some(specifier) = required(expression) {
            return Some(specifier);
        }
        expression = match expression {
            Expression::StaticMemberExpression(member) => &member.object,
            Expression::ComputedMemberExpression(member) => &member.object,
            Expression::CallExpression(call) => &call.callee,
            Expression::LogicalExpression(logical) => &logical.left,
            Expression::BinaryExpression(binary) => &binary.left,
            Expression::ConditionalExpression(conditional) => &conditional.test,
            Expression::TaggedTemplateExpression(tagged) => &tagged.tag,
            _ => return None,
        };
    }
}

/// Whether a getter's body is `return a;`, `return a.b;` or `return a['b'];`.
fn returns_binding(body: &FunctionBody<'_>) -> bool {
    let [Statement::ReturnStatement(statement)] = &body.statements[..] else { return false };
    match &statement.argument {
        Some(Expression::Identifier(_)) => true,
        Some(Expression::StaticMemberExpression(member)) => matches!(member.object, Expression::Identifier(_)),
        Some(Expression::ComputedMemberExpression(member)) => {
            matches!(member.object, Expression::Identifier(_))
                && matches!(member.expression, Expression::StringLiteral(_))
        }
        _ => false,
    }
}
