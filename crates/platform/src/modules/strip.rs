//! TypeScript without its types: they become spaces, so that everything else keeps its line and column. What would need
//! code in place of a type (enums, namespaces, parameter properties) is refused, as Node does.

use oxc_ast::ast::{
    AccessorProperty, AccessorPropertyType, ArrowFunctionExpression, Class, ClassBody, ClassElement, Declaration,
    ExportDefaultDeclarationKind, ExportSpecifier, Expression, FormalParameter, Function, ImportDeclarationSpecifier,
    MethodDefinition, MethodDefinitionType, PropertyDefinition, PropertyDefinitionType, PropertyKey, Statement,
    TSAsExpression, TSInstantiationExpression, TSModuleBlock, TSNamespaceDeclaration, TSNamespaceDeclarationBody,
    TSNamespaceDeclarationKind, TSNonNullExpression, TSSatisfiesExpression, TSThisParameter, TSTypeAnnotation,
    TSTypeAssertion, TSTypeParameterDeclaration, TSTypeParameterInstantiation, VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};
use oxc_parser::ParserReturn;
use oxc_span::{GetSpan, SourceType, Span};
use oxc_syntax::scope::ScopeFlags;
use rquickjs::{Ctx, object::Property};

use super::importer::place;
use super::syntax::parsed;
use crate::internal::errors;

/// Why types cannot be stripped.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The text does not parse, from this byte on.
    Syntax(String, usize),
    /// It has more than types, at this byte.
    Unsupported(&'static str, usize),
    /// There is no memory for the parser.
    Memory,
}

/// [`strip`], with Node's errors.
pub(crate) fn strip_types(ctx: &Ctx<'_>, text: &str, path: &str) -> rquickjs::Result<String> {
    strip(text).map_err(|refusal| match refusal {
        Refusal::Syntax(message, at) => {
            let error = errors::throw(ctx, "SyntaxError", "ERR_INVALID_TYPESCRIPT_SYNTAX", &message);
            put_place(ctx, text, path, at).err().unwrap_or(error)
        }
        Refusal::Unsupported(message, at) => {
            let error = errors::throw(ctx, "SyntaxError", "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX", message);
            put_place(ctx, text, path, at).err().unwrap_or(error)
        }
        Refusal::Memory => errors::throw(ctx, "Error", "ERR_MEMORY_ALLOCATION_FAILED", "Failed to allocate memory"),
    })
}

/// Puts the place of a byte in front of the frames of the SyntaxError that has been thrown, as the engine's own have it.
fn put_place(ctx: &Ctx<'_>, text: &str, path: &str, at: usize) -> rquickjs::Result<()> {
    let thrown = ctx.catch();
    if let Some(error) = thrown.as_object() {
        let mut stack: String = error.get("stack")?;
        let (line, column) = place(text, at);
        stack.insert_str(stack.find("\n    at ").unwrap_or(stack.len()), &format!("\n    at {path}:{line}:{column}"));
        error.prop("stack", Property::from(stack).writable().configurable())?;
    }
    Err(ctx.throw(thrown))
}

/// The text with its types replaced by spaces.
pub(super) fn strip(text: &str) -> Result<String, Refusal> {
    // A module by its syntax, as `import` and `require` decide afterwards.
    let source_type = SourceType::ts().with_unambiguous(true);
    parsed(text, source_type, strip_parsed).unwrap_or(Err(Refusal::Memory))
}

fn strip_parsed(text: &str, parsed: &ParserReturn<'_>) -> Result<String, Refusal> {
    if let Some(error) = parsed.diagnostics.errors().next() {
        let at = error.labels.first().map_or(0, |label| label.offset() as usize);
        return Err(Refusal::Syntax(error.message.to_string(), at));
    }
    let mut stripper = Stripper { text, edits: Vec::new(), refusal: None };
    stripper.visit_program(&parsed.program);
    match stripper.refusal {
        Some((refusal, at)) => Err(Refusal::Unsupported(refusal, at as usize)),
        None => Ok(stripper.apply()),
    }
}

struct Stripper<'t> {
    text: &'t str,
    /// Spans that become spaces, each with the character that its first byte becomes.
    edits: Vec<(Span, char)>,
    /// Why not, and where.
    refusal: Option<(&'static str, u32)>,
}

impl Stripper<'_> {
    /// The text with all edits made.
    fn apply(mut self) -> String {
        // A character that is put somewhere stands in what is blank, and comes after it.
        self.edits.sort_by_key(|(span, first)| (span.start, *first != ' ', std::cmp::Reverse(span.end)));
        let put = self.edits.iter().filter(|(_, first)| *first != ' ');
        let mut put = put.map(|(span, first)| (span.start as usize, *first)).peekable();
        let mut blank = self.edits.iter().map(|(span, _)| (span.start as usize, span.end as usize)).peekable();
        let mut stripped = String::with_capacity(self.text.len());
        let mut end = 0;
        for (at, char) in self.text.char_indices() {
            while let Some((_, until)) = blank.next_if(|(start, _)| *start <= at) {
                end = end.max(until);
            }
            while put.next_if(|(place, _)| *place < at).is_some() {}
            match char {
                _ if put.peek().is_some_and(|(place, _)| *place == at) => {
                    stripped.extend(put.next().map(|(_, put)| put))
                }
                char if at >= end || matches!(char, '\n' | '\r' | '\u{2028}' | '\u{2029}') => stripped.push(char),
                // (As many units of UTF-16 as there were.)
                char => (0..char.len_utf16()).for_each(|_| stripped.push(' ')),
            }
        }
        stripped
    }

    fn refuse(&mut self, message: &'static str, at: Span) {
        self.refusal.get_or_insert((message, at.start));
    }

    fn blank(&mut self, start: u32, end: u32) {
        if start < end {
            self.edits.push((Span::new(start, end), ' '));
        }
    }

    fn blank_span(&mut self, span: Span) {
        self.blank(span.start, span.end);
    }

    fn put(&mut self, at: u32, char: char) {
        self.edits.push((Span::new(at, at + 1), char));
    }

    /// Where the next character is that is no space and in no comment.
    fn after(&self, from: u32) -> usize {
        let mut at = from as usize;
        loop {
            let rest = &self.text[at..];
            let trimmed = rest.trim_start_matches(|char: char| char.is_whitespace() || char == '\u{feff}');
            at += rest.len() - trimmed.len();
            let comment = match trimmed.as_bytes() {
                [b'/', b'/', ..] => trimmed.find(['\n', '\r', '\u{2028}', '\u{2029}']).unwrap_or(trimmed.len()),
                [b'/', b'*', ..] => trimmed[2..].find("*/").map_or(trimmed.len(), |end| end + 4),
                _ => return at,
            };
            at += comment;
        }
    }

    /// Blanks a character that stands somewhere between two places.
    fn blank_mark(&mut self, from: u32, to: u32, mark: char) {
        let mut at = self.after(from);
        while at < to as usize {
            if self.text[at..].starts_with(mark) {
                self.blank(at as u32, at as u32 + 1);
                return;
            }
            let length = self.text[at..].chars().next().map_or(1, char::len_utf8);
            at = self.after((at + length) as u32);
        }
    }

    /// Blanks these words between two places. Returns where the first one was.
    fn blank_words(&mut self, from: u32, to: u32, words: &[&str]) -> Option<u32> {
        let mut first = None;
        let mut at = self.after(from);
        while at < to as usize {
            let rest = &self.text[at..to as usize];
            let end = rest.find(|char: char| !(char.is_alphanumeric() || "$_".contains(char))).unwrap_or(rest.len());
            if words.contains(&&rest[..end]) {
                first.get_or_insert(at as u32);
                self.blank(at as u32, (at + end) as u32);
            }
            at = self.after((at + end.max(rest.chars().next().map_or(1, char::len_utf8))) as u32);
        }
        first
    }

    /// Whether what stands before a place and is not a comment would go on at that place.
    fn is_open_before(&self, at: u32) -> bool {
        let before = self.text[..at as usize].trim_end();
        !before.is_empty() && !before.ends_with([';', '{'])
    }

    /// Blanks a statement; what follows must not become a part of what stands before.
    fn erase_statement(&mut self, span: Span) {
        let next = self.text[self.after(span.end)..].chars().next();
        let goes_on = next.is_some_and(|next| "([`+-/.".contains(next));
        self.erase(span, goes_on);
    }

    fn erase(&mut self, span: Span, goes_on: bool) {
        let first = if goes_on && self.is_open_before(span.start) { ';' } else { ' ' };
        self.edits.push((span, first));
    }

    /// Blanks what follows an expression, up to `end`.
    fn erase_tail(&mut self, expression: &Expression<'_>, end: u32) {
        let start = expression.span().end;
        let next = self.after(end);
        let is_new_line = self.text[end as usize..next].contains(['\n', '\r', '\u{2028}', '\u{2029}']);
        if is_new_line && self.text[next..].starts_with(['(', '[', '`']) {
            let keyword = self.after(start) as u32;
            self.blank(start, keyword);
            self.edits.push((Span::new(keyword, end), ';'));
        } else {
            self.blank(start, end);
        }
    }

    /// The modifiers of a member of a class, which starts at `start`.
    fn modifiers(&mut self, start: u32, decorators_end: Option<u32>, key: &PropertyKey<'_>, needs_end: bool) {
        let from = decorators_end.unwrap_or(start);
        let words = ["public", "private", "protected", "readonly", "override", "abstract", "declare"];
        let before = self.edits.len();
        if let Some(first) = self.blank_words(from, key.span().start, &words)
            && needs_end
            && self.is_open_before(first)
        {
            self.edits[before].1 = ';';
        }
    }

    /// Whether a namespace has nothing but types in it.
    fn has_only_types(block: &TSModuleBlock<'_>) -> bool {
        block.body.iter().all(|statement| match statement {
            Statement::ExportDeclaration(export) => match &export.declaration {
                Declaration::TSTypeAliasDeclaration(_) | Declaration::TSInterfaceDeclaration(_) => true,
                Declaration::TSNamespaceDeclaration(inner) => Self::is_type_namespace(inner),
                _ => false,
            },
            Statement::TSTypeAliasDeclaration(_) | Statement::TSInterfaceDeclaration(_) => true,
            Statement::TSNamespaceDeclaration(inner) => Self::is_type_namespace(inner),
            _ => false,
        })
    }

    fn is_type_namespace(namespace: &TSNamespaceDeclaration<'_>) -> bool {
        namespace.declare
            || match &namespace.body {
                TSNamespaceDeclarationBody::TSModuleBlock(block) => Self::has_only_types(block),
                TSNamespaceDeclarationBody::TSNamespaceDeclaration(inner) => Self::is_type_namespace(inner),
            }
    }

    /// Whether a statement has only types; it is the declaration of an `export` too.
    fn declaration_is_type(&mut self, statement: &Declaration<'_>) -> bool {
        match statement {
            Declaration::TSTypeAliasDeclaration(_)
            | Declaration::TSInterfaceDeclaration(_)
            | Declaration::TSExternalModuleDeclaration(_)
            | Declaration::TSGlobalDeclaration(_) => true,
            Declaration::VariableDeclaration(it) => it.declare,
            Declaration::FunctionDeclaration(it) => it.declare || it.body.is_none(),
            Declaration::ClassDeclaration(it) => it.declare,
            Declaration::TSEnumDeclaration(it) => {
                if !it.declare {
                    self.refuse("TypeScript enum is not supported in strip-only mode", it.span());
                }
                true
            }
            Declaration::TSNamespaceDeclaration(it) => {
                if matches!(it.kind, TSNamespaceDeclarationKind::Module) && !it.declare {
                    self.refuse("`module` keyword is not supported. Use `namespace` instead.", it.span());
                } else if !Self::is_type_namespace(it) {
                    self.refuse("TypeScript namespace declaration is not supported in strip-only mode", it.span());
                }
                true
            }
            Declaration::TSImportEqualsDeclaration(it) => {
                if !it.import_kind.is_type() {
                    self.refuse("TypeScript import equals declaration is not supported in strip-only mode", it.span());
                }
                true
            }
        }
    }

    /// Removes the specifiers of types from a list in braces, each with its comma.
    fn erase_specifier(&mut self, span: Span) {
        let comma = self.after(span.end);
        let end = if self.text[comma..].starts_with(',') { comma as u32 + 1 } else { span.end };
        self.blank(span.start, end);
    }
}

impl<'a> Visit<'a> for Stripper<'_> {
    fn visit_statement(&mut self, it: &Statement<'a>) {
        let is_type = match it {
            Statement::ImportDeclaration(import) => {
                if !import.import_kind.is_type() {
                    for specifier in import.specifiers.as_ref().into_iter().flat_map(|list| list.iter()) {
                        if let ImportDeclarationSpecifier::ImportSpecifier(specifier) = specifier
                            && specifier.import_kind.is_type()
                        {
                            self.erase_specifier(specifier.span);
                        }
                    }
                }
                import.import_kind.is_type()
            }
            Statement::ExportAllDeclaration(export) => export.export_kind.is_type(),
            Statement::ExportNamedDeclaration(export) => export.export_kind.is_type(),
            Statement::ExportFromDeclaration(export) => export.export_kind.is_type(),
            Statement::ExportDeclaration(export) => self.declaration_is_type(&export.declaration),
            Statement::ExportDefaultDeclaration(export) => match &export.declaration {
                ExportDefaultDeclarationKind::TSInterfaceDeclaration(_) => true,
                ExportDefaultDeclarationKind::FunctionDeclaration(function) => function.body.is_none(),
                _ => false,
            },
            Statement::TSExportAssignment(_) => {
                self.refuse("TypeScript export assignment is not supported in strip-only mode", it.span());
                true
            }
            Statement::TSNamespaceExportDeclaration(_) => true,
            other => match other.as_declaration() {
                Some(declaration) => self.declaration_is_type(declaration),
                None => false,
            },
        };
        if is_type {
            self.erase_statement(it.span());
        } else {
            walk::walk_statement(self, it);
        }
    }

    fn visit_export_specifier(&mut self, it: &ExportSpecifier<'a>) {
        if it.export_kind.is_type() {
            self.erase_specifier(it.span);
        }
    }

    fn visit_ts_type_annotation(&mut self, it: &TSTypeAnnotation<'a>) {
        self.blank_span(it.span);
    }

    fn visit_ts_type_parameter_declaration(&mut self, it: &TSTypeParameterDeclaration<'a>) {
        self.blank_span(it.span);
    }

    fn visit_ts_type_parameter_instantiation(&mut self, it: &TSTypeParameterInstantiation<'a>) {
        self.blank_span(it.span);
    }

    fn visit_ts_this_parameter(&mut self, it: &TSThisParameter<'a>) {
        self.erase_specifier(it.span);
    }

    fn visit_ts_as_expression(&mut self, it: &TSAsExpression<'a>) {
        self.visit_expression(&it.expression);
        self.erase_tail(&it.expression, it.span.end);
    }

    fn visit_ts_satisfies_expression(&mut self, it: &TSSatisfiesExpression<'a>) {
        self.visit_expression(&it.expression);
        self.erase_tail(&it.expression, it.span.end);
    }

    fn visit_ts_non_null_expression(&mut self, it: &TSNonNullExpression<'a>) {
        self.visit_expression(&it.expression);
        self.blank_mark(it.expression.span().end, it.span.end, '!');
    }

    fn visit_ts_instantiation_expression(&mut self, it: &TSInstantiationExpression<'a>) {
        self.visit_expression(&it.expression);
        self.blank_span(it.type_arguments.span);
    }

    fn visit_ts_type_assertion(&mut self, it: &TSTypeAssertion<'a>) {
        self.refuse(
            "The angle-bracket syntax for type assertions, `<T>expr`, is not supported in type strip mode. Instead, \
             use the 'as' syntax: `expr as T`.",
            it.span(),
        );
    }

    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        if it.body.is_none() {
            self.erase_statement(it.span);
        } else {
            walk::walk_function(self, it, flags);
        }
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        let has_line = |span: Span| self.text[span.start as usize..span.end as usize].contains(['\n', '\r']);
        // No line may end between `)` and `=>`, nor between `async` and `(`: the parenthesis moves.
        let close = it.return_type.as_ref().map(|annotation| annotation.span).filter(|span| has_line(*span));
        let open = it.type_parameters.as_ref().map(|types| types.span).filter(|span| it.r#async && has_line(*span));
        walk::walk_arrow_function_expression(self, it);
        if let Some(annotation) = close {
            self.blank(it.params.span.end - 1, it.params.span.end);
            let last = self.text.floor_char_boundary(annotation.end as usize - 1);
            self.put(last as u32, ')');
        }
        if let Some(types) = open {
            self.put(types.start, '(');
            self.blank(it.params.span.start, it.params.span.start + 1);
        }
    }

    fn visit_formal_parameter(&mut self, it: &FormalParameter<'a>) {
        if it.accessibility.is_some() || it.readonly || it.r#override {
            self.refuse("TypeScript parameter property is not supported in strip-only mode", it.span());
        }
        if it.optional {
            let end = it.type_annotation.as_ref().map_or(it.span.end, |annotation| annotation.span.start);
            self.blank_mark(it.pattern.span().end, end, '?');
        }
        walk::walk_formal_parameter(self, it);
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        if it.definite {
            let end = it.type_annotation.as_ref().map_or(it.span.end, |annotation| annotation.span.start);
            self.blank_mark(it.id.span().end, end, '!');
        }
        walk::walk_variable_declarator(self, it);
    }

    fn visit_class(&mut self, it: &Class<'a>) {
        if it.r#abstract {
            let start = it.decorators.last().map_or(it.span.start, |decorator| decorator.span.end);
            let end = it.id.as_ref().map_or(it.body.span.start, |id| id.span.start);
            self.blank_words(start, end, &["abstract"]);
        }
        if let (Some(first), Some(last)) = (it.implements.first(), it.implements.last()) {
            let before = it.heritage.as_ref().map(|heritage| {
                heritage.type_arguments.as_ref().map_or(heritage.expression.span().end, |types| types.span.end)
            });
            let before = before.or(it.type_parameters.as_ref().map(|types| types.span.end));
            let before = before.or(it.id.as_ref().map(|id| id.span.end)).unwrap_or(it.span.start);
            self.blank_words(before, first.span.start, &["implements"]);
            self.blank(first.span.start, last.span.end);
        }
        it.decorators.iter().for_each(|decorator| self.visit_decorator(decorator));
        if let Some(types) = &it.type_parameters {
            self.blank_span(types.span);
        }
        if let Some(heritage) = &it.heritage {
            self.visit_class_heritage(heritage);
        }
        self.visit_class_body(&it.body);
    }

    fn visit_class_body(&mut self, it: &ClassBody<'a>) {
        for (index, element) in it.body.iter().enumerate() {
            if is_type_element(element) {
                let next = it.body[index + 1..].iter().find(|next| !is_type_element(next));
                let goes_on = next.is_some_and(|next| self.text[next.span().start as usize..].starts_with(['[', '*']));
                self.erase(element.span(), goes_on);
            } else {
                self.visit_class_element(element);
            }
        }
    }

    fn visit_method_definition(&mut self, it: &MethodDefinition<'a>) {
        let decorators = it.decorators.last().map(|decorator| decorator.span.end);
        self.modifiers(it.span.start, decorators, &it.key, it.computed || it.value.generator);
        if it.optional {
            self.blank_mark(it.key.span().end, it.value.span.start, '?');
        }
        walk::walk_method_definition(self, it);
    }

    fn visit_property_definition(&mut self, it: &PropertyDefinition<'a>) {
        let decorators = it.decorators.last().map(|decorator| decorator.span.end);
        self.modifiers(it.span.start, decorators, &it.key, it.computed);
        let value = it.value.as_ref().map_or(it.span.end, |value| value.span().start);
        let end = it.type_annotation.as_ref().map_or(value, |annotation| annotation.span.start);
        if it.optional {
            self.blank_mark(it.key.span().end, end, '?');
        }
        if it.definite {
            self.blank_mark(it.key.span().end, end, '!');
        }
        walk::walk_property_definition(self, it);
    }

    fn visit_accessor_property(&mut self, it: &AccessorProperty<'a>) {
        let decorators = it.decorators.last().map(|decorator| decorator.span.end);
        self.modifiers(it.span.start, decorators, &it.key, it.computed);
        walk::walk_accessor_property(self, it);
    }
}

/// Whether a member of a class is only there for its type.
fn is_type_element(element: &ClassElement<'_>) -> bool {
    match element {
        ClassElement::TSIndexSignature(_) => true,
        ClassElement::MethodDefinition(method) => {
            matches!(method.r#type, MethodDefinitionType::TSAbstractMethodDefinition) || method.value.body.is_none()
        }
        ClassElement::PropertyDefinition(property) => {
            property.declare || matches!(property.r#type, PropertyDefinitionType::TSAbstractPropertyDefinition)
        }
        ClassElement::AccessorProperty(property) => {
            matches!(property.r#type, AccessorPropertyType::TSAbstractAccessorProperty)
        }
        ClassElement::StaticBlock(_) => false,
    }
}
