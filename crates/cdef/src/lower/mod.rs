//! From the parser's trees to declarations: names are looked up, typedefs resolved, annotations attached.
//!
//! One declaration after another is parsed and lowered, in the order of the source, since a name means what it means at
//! the place where it stands.

mod declarators;
mod meaning;
mod records;
mod specifiers;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use bumpalo::Bump;
use lang_c::ast;
use lang_c::span::{Node, Span};

use crate::Options;
use crate::annotations::{Annotations, Place};
use crate::attach::Notes;
use crate::clean::{Cleaned, clean};
use crate::constants::{self, Constants, NamedKind, Scope};
use crate::error::{Checked, Fault, File, Position, fault};
use crate::literals::Computed;
use crate::model::{self, Constant, Declarations, Function, Skipped, Type, Typedef, Value, Variable};
use crate::outline::{Outline, Outlined};
use crate::preprocess::{self, Macros, Preprocessed};
use crate::syntax::{self, Parsed};
use crate::tokens::{self, Kind, Token};
use meaning::Meaning;
use specifiers::Words;

pub use specifiers::predeclared;

/// How large the types that typedefs stand for may grow, all uses taken together: each use is a copy.
const MOST_COPIED: usize = 200_000;

/// What a name in the ordinary name space stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    /// The function at this index.
    Function(usize),
    /// The typedef at this index; `None` for a predeclared one.
    Typedef(Option<usize>),
    /// The constant at this index.
    Constant(usize),
    /// The variable at this index.
    Variable(usize),
}

impl Named {
    /// What it is, for messages.
    fn kind(self) -> &'static str {
        match self {
            Self::Function(_) => "a function",
            Self::Typedef(_) => "a type",
            Self::Constant(_) => "a constant",
            Self::Variable(_) => "a variable",
        }
    }
}

/// What a tag stands for.
struct Tag {
    kind: &'static str,
    /// The index among the records or the enums.
    index: usize,
    /// The tokens between the braces, once it is defined.
    body: Option<Range<usize>>,
}

/// The work at hand.
pub(crate) struct Lowering<'s, 'o> {
    arena: &'s Bump,
    options: &'o Options<'o>,
    macros: Macros<'s>,
    outline: Outline<'s>,
    notes: Notes<'s>,
    underlying: HashMap<usize, Vec<Token<'s>>>,
    constants: Constants,
    names: HashMap<String, Named>,
    typedefs: HashMap<String, Meaning>,
    tags: HashMap<String, Tag>,
    /// The names of the options' annotations that were used.
    used: HashSet<String>,
    copied: usize,
    done: Declarations,
}

/// Lowers all declarations.
///
/// # Errors
/// Macros without end. All else is in [`Declarations::skipped`].
pub(crate) fn lower<'s>(
    preprocessed: Preprocessed<'s>,
    arena: &'s Bump,
    options: &Options<'_>,
    files: &mut Vec<File>,
) -> Checked<Declarations> {
    let Preprocessed { tokens, macros, faults } = preprocessed;
    let Cleaned { tokens, notes, faults: wrong, underlying } = clean(&tokens);
    let typedefs: HashMap<String, Meaning> =
        specifiers::PREDECLARED.iter().map(|(name, ty)| ((*name).to_owned(), Meaning::of(ty.clone()))).collect();
    let mut lowering = Lowering {
        arena,
        options,
        macros,
        outline: Outline::new(tokens),
        notes: Notes::new(notes),
        underlying,
        constants: Constants::default(),
        names: typedefs.keys().map(|name| (name.clone(), Named::Typedef(None))).collect(),
        typedefs,
        tags: HashMap::new(),
        used: HashSet::new(),
        copied: 0,
        done: Declarations { files: std::mem::take(files), ..Declarations::default() },
    };
    for Fault { at, message } in faults {
        lowering.skip(String::new(), model::Kind::Directive, at, message);
    }
    let mut wrong = wrong.into_iter().peekable();
    for mut declaration in std::mem::take(&mut lowering.outline.declarations) {
        let range = declaration.tokens.clone();
        // What is wrong behind the last token is wrong with the last declaration.
        let end = if range.end == lowering.outline.tokens.len() { usize::MAX } else { range.end };
        let mut early = None;
        while let Some((_, fault)) = wrong.next_if(|(index, _)| *index < end) {
            early.get_or_insert(fault);
        }
        let early = early.or(declaration.fault.take());
        if let Err(Fault { at, message }) = early.map_or_else(|| lowering.declaration(&declaration), Err) {
            let (name, kind) = lowering.named(&declaration);
            lowering.skip(name, kind, at, message);
        }
    }
    // What is left over belongs to no declaration.
    for (_, Fault { at, message }) in wrong {
        lowering.skip(String::new(), model::Kind::Declaration, at, message);
    }
    let tail = lowering.outline.tokens.len();
    if let Err(Fault { at, message }) = lowering.notes.finish(tail..usize::MAX) {
        lowering.skip(String::new(), model::Kind::Annotation, at, message);
    }
    lowering.constant_macros()?;
    lowering.unused_annotations();
    *files = std::mem::take(&mut lowering.done.files);
    lowering.done.files.clone_from(files);
    Ok(lowering.done)
}

impl<'s> Lowering<'s, '_> {
    /// Notes that something is left out.
    fn skip(&mut self, name: String, kind: model::Kind, position: Position, reason: String) {
        if !self.done.is_system(position) {
            self.done.skipped.push(Skipped { name, kind, position, reason });
        }
    }

    /// The name of a declaration that was not understood, and what it seems to be.
    fn named(&self, declaration: &Outlined) -> (String, model::Kind) {
        let tokens = &self.outline.tokens[declaration.tokens.clone()];
        let is_typedef = tokens.first().is_some_and(|token| token.is_word("typedef"));
        let has_braces = tokens.iter().any(|token| token.is("{"));
        let is_name = |token: &&Token<'_>| token.kind == Kind::Word && !syntax::is_keyword(token.text);
        let opener = tokens.iter().position(|token| token.is("("));
        if let Some(opener) = opener.filter(|_| !is_typedef && !has_braces) {
            // `int (name)(int)` has its name in parentheses, `int name(type)` has not.
            let before = tokens[..opener].iter().rev().find(is_name);
            let is_inside = tokens.get(opener + 2..opener + 4).is_some_and(|next| next[0].is(")") && next[1].is("("));
            let inside = tokens.get(opener + 1).filter(|_| is_inside);
            let name = inside.filter(is_name).or(before).map_or(String::new(), |token| token.text.to_owned());
            let kind = if declaration.has_body { model::Kind::Inline } else { model::Kind::Function };
            return (name, kind);
        }
        let name = if has_braces && !is_typedef {
            tokens.iter().take_while(|token| !token.is("{")).filter(is_name).last()
        } else {
            tokens.iter().rev().find(is_name)
        };
        let is_variable = !is_typedef && !has_braces && tokens.len() > 2;
        let kind = if is_variable { model::Kind::Variable } else { model::Kind::Declaration };
        (name.map_or(String::new(), |token| token.text.to_owned()), kind)
    }

    /// One declaration.
    fn declaration(&mut self, outlined: &Outlined) -> Checked<()> {
        let range = outlined.tokens.clone();
        let Some(&first) = self.outline.tokens.get(range.start) else { return Ok(()) };
        if range.len() == 1 && first.is(";") {
            return self.notes.finish(range);
        }
        let parsed = syntax::parse(&self.outline, range.clone(), |word| self.typedefs.contains_key(word))?;
        let declaration = &parsed.declaration.node;
        let has =
            |wanted: ast::StorageClassSpecifier| declaration.specifiers.iter().any(|node| is_storage(node, &wanted));
        let is_typedef = has(ast::StorageClassSpecifier::Typedef);
        let is_static = has(ast::StorageClassSpecifier::Static);
        let place = if is_typedef { Place::Typedef } else { Place::Result };
        // Claimed first, since a type takes what nobody else does; read last, since it may use the constants of an
        // enum.
        let mut leading = Vec::new();
        if !declaration.declarators.is_empty() {
            self.notes.claim_before(range.start, &mut leading);
        }
        let claimed: Vec<Vec<usize>> = (declaration.declarators.iter())
            .map(|declarator| self.claim_around(&parsed, &declarator.node.declarator, Vec::new()))
            .collect();
        let specified = self.specifiers(&parsed, specifiers::of_declaration(&declaration.specifiers), first.at)?;
        if declaration.declarators.is_empty() {
            let Some(place) = specified.place else {
                return fault(first.at, "this declares nothing");
            };
            self.annotate_type(range.start, place, &specified.meaning)?;
        }
        let leading = self.read(&leading, place)?;
        for (declarator, claimed) in declaration.declarators.iter().zip(claimed) {
            let annotations = self.read_more(&claimed, place, leading.clone())?;
            let declared = self.declarator(&parsed, &declarator.node.declarator, specified.meaning.clone())?;
            let Some(name) = declared.name else {
                return fault(first.at, "this declares no name");
            };
            if is_typedef {
                self.typedef(name, declared.meaning, annotations, specified.defined)?;
            } else if let Type::Function(_) = declared.meaning.ty {
                self.function(name, declared.meaning, annotations, is_static || outlined.has_body)?;
            } else {
                self.variable(name, declared.meaning, annotations, is_static)?;
            }
        }
        // Whatever was not claimed by now never will be.
        self.notes.finish(range)
    }

    /// What the options annotate under this name, besides `annotations`.
    fn annotated(&mut self, name: &str, place: Place, annotations: Annotations) -> Checked<Annotations> {
        let Some((_, text)) = self.options.annotations.iter().find(|(known, _)| known == name) else {
            return Ok(annotations);
        };
        let file = self.done.files.len() as u32;
        self.done.files.push(File {
            name: format!("annotations of `{name}`"),
            is_system: false,
            text: text.as_str().into(),
        });
        let text: &'s str = self.arena.alloc_str(text);
        let mut tokens = Vec::new();
        self.macros.expand(tokens::lex(text, file), &mut tokens)?;
        let Cleaned { tokens, notes, faults, .. } = clean(&tokens);
        if let Some((_, fault)) = faults.into_iter().next() {
            return Err(fault);
        }
        if let Some(token) = tokens.first() {
            return fault(token.at, "expected annotations: `[[…]]`");
        }
        let mut said = Annotations::default();
        for note in &notes {
            said.read(note, place, self)?;
        }
        self.used.insert(name.to_owned());
        Ok(said.or(annotations))
    }

    /// Tells about annotations of the options that belong to nothing.
    fn unused_annotations(&mut self) {
        for (name, _) in self.options.annotations {
            if !self.used.contains(name) {
                let position = Position { file: 0, line: 1, column: 1 };
                let reason = "the header declares nothing of this name to annotate".to_owned();
                self.skip(name.clone(), model::Kind::Annotation, position, reason);
            }
        }
    }

    /// The macros that are constants.
    fn constant_macros(&mut self) -> Checked<()> {
        for made in self.macros.all() {
            let name = made.name;
            // What is never closed was told when it was defined.
            let is_told = made.body.iter().any(tokens::is_unclosed);
            if self.done.is_system(name.at) || made.body.is_empty() || is_told {
                continue;
            }
            if made.params.is_some() {
                self.skip(name.text.to_owned(), model::Kind::Macro, name.at, "it takes arguments".to_owned());
                continue;
            }
            if matches!(self.names.get(name.text), Some(Named::Function(_) | Named::Typedef(_) | Named::Variable(_))) {
                continue;
            }
            let mut value = Vec::new();
            self.macros.expand(made.body.clone(), &mut value)?;
            if value.is_empty() {
                continue;
            }
            let end = value.last().map_or(name.end(), Token::end);
            let evaluated = constants::evaluate(self, &value, end);
            if let Err(Fault { at, message }) = evaluated.and_then(|value| self.constant(name, value)) {
                let reason = format!("it is not a constant: {message}");
                self.skip(name.text.to_owned(), model::Kind::Macro, at, reason);
            }
        }
        Ok(())
    }

    /// A name that is declared to be a type.
    fn typedef(
        &mut self,
        name: Token<'s>,
        mut meaning: Meaning,
        mut own: Annotations,
        defined: Option<usize>,
    ) -> Checked<()> {
        if let Some(at) = meaning.open {
            return fault(at, "an array needs a size");
        }
        if !self.options.annotations.is_empty() {
            own = self.annotated(name.text, Place::Typedef, own)?;
        }
        if let Type::Record(index) = meaning.ty {
            let record = &mut self.done.records[index];
            if defined == Some(index) && record.name.is_none() {
                record.name = Some(name.text.to_owned());
            }
            let mut joined = Annotations { opaque: own.opaque.clone(), ..Annotations::default() };
            if defined == Some(index) {
                joined.packed = own.packed.take();
            }
            record.annotations.join_type(&joined)?;
        } else if let Type::Enum(index) = meaning.ty {
            let names = &mut self.done.enums[index].name;
            if defined.is_some() && names.is_none() {
                *names = Some(name.text.to_owned());
            }
        }
        if let Some(packed) = &own.packed {
            return fault(packed.position, "`packed` belongs to the definition of a struct or union");
        }
        own.inherit(&meaning.annotations, Place::Typedef);
        meaning.annotations = own;
        let known = self.names.get(name.text);
        // What is predeclared gives way.
        match known.filter(|known| **known != Named::Typedef(None) || self.is_predeclared_as(name.text, &meaning)) {
            None => {
                let typedef = Typedef {
                    name: name.text.to_owned(),
                    ty: meaning.ty.clone(),
                    annotations: meaning.annotations.clone(),
                    position: name.at,
                };
                self.names.insert(name.text.to_owned(), Named::Typedef(Some(self.done.typedefs.len())));
                self.done.typedefs.push(typedef);
                self.typedefs.insert(name.text.to_owned(), meaning);
                Ok(())
            }
            Some(Named::Typedef(earlier)) => {
                let same = self.typedefs.get(name.text).is_some_and(|known| known.is_same_type(&meaning));
                match earlier {
                    _ if same => Ok(()),
                    Some(index) if self.is_own(name) => {
                        let typedef = &mut self.done.typedefs[*index];
                        typedef.ty = meaning.ty.clone();
                        typedef.annotations = meaning.annotations.clone();
                        self.typedefs.insert(name.text.to_owned(), meaning);
                        Ok(())
                    }
                    Some(index) => self.conflict(name, self.done.typedefs[*index].position),
                    None => fault(name.at, format!("`{}` is known already, as another type", name.text)),
                }
            }
            Some(_) => self.other_kind(name),
        }
    }

    /// Whether this stands in the caller's own declarations, which win.
    fn is_own(&self, name: Token<'_>) -> bool {
        self.done.file(name.at).is_some_and(|file| file.name == preprocess::OWN)
    }

    /// Whether a typedef says what is known of its name already.
    fn is_predeclared_as(&self, name: &str, meaning: &Meaning) -> bool {
        self.typedefs.get(name).is_some_and(|known| known.is_same_type(meaning))
    }

    /// A name that is declared to be a variable.
    fn variable(
        &mut self,
        name: Token<'s>,
        meaning: Meaning,
        annotations: Annotations,
        is_static: bool,
    ) -> Checked<()> {
        match self.names.get(name.text) {
            None => {
                self.names.insert(name.text.to_owned(), Named::Variable(self.done.variables.len()));
                let (is_const, position) = (meaning.is_const, name.at);
                let (name, ty) = (name.text.to_owned(), meaning.ty);
                self.done.variables.push(Variable { name, ty, is_const, is_static, annotations, position });
                Ok(())
            }
            // It is declared as often as it likes, and a size may be missing.
            Some(Named::Variable(_)) => Ok(()),
            Some(_) => self.other_kind(name),
        }
    }

    /// A name that is declared to be a function.
    fn function(
        &mut self,
        name: Token<'s>,
        meaning: Meaning,
        mut annotations: Annotations,
        is_inline: bool,
    ) -> Checked<()> {
        let Type::Function(mut signature) = meaning.ty else { return Ok(()) };
        annotations.inherit(&meaning.annotations, Place::Result);
        annotations.inherit(&meaning.inner, Place::Result);
        if !self.options.annotations.is_empty() {
            annotations = self.annotated(name.text, Place::Result, annotations)?;
            for param in &mut signature.params {
                let Some(of) = &param.name else { continue };
                let own = std::mem::take(&mut param.annotations);
                param.annotations = self.annotated(&format!("{}.{of}", name.text), Place::Param, own)?;
            }
        }
        match self.names.get(name.text) {
            None => {
                self.names.insert(name.text.to_owned(), Named::Function(self.done.functions.len()));
                let (name, position) = (name.text.to_owned(), name.at);
                self.done.functions.push(Function { name, signature: *signature, annotations, position, is_inline });
                Ok(())
            }
            Some(Named::Function(index)) => {
                let known = &self.done.functions[*index];
                if known.signature == *signature && known.annotations == annotations {
                    return Ok(());
                }
                if is_inline && !known.is_inline && known.signature == *signature {
                    return Ok(());
                }
                if self.is_own(name) {
                    let (index, position) = (*index, name.at);
                    let (name, signature) = (name.text.to_owned(), *signature);
                    self.done.functions[index] = Function { name, signature, annotations, position, is_inline };
                    return Ok(());
                }
                self.conflict(name, known.position)
            }
            Some(_) => self.other_kind(name),
        }
    }

    /// A constant.
    fn constant(&mut self, name: Token<'s>, value: Computed) -> Checked<()> {
        match self.names.get(name.text) {
            None => {
                self.names.insert(name.text.to_owned(), Named::Constant(self.done.constants.len()));
                self.constants.insert(name.text, value.clone(), name.at)?;
                let value = match value {
                    Computed::Integer(integer) => Value::Integer(integer.value),
                    Computed::Float(value) => Value::Float(value),
                    Computed::Text(text) => Value::String(text),
                };
                self.done.constants.push(Constant { name: name.text.to_owned(), value, position: name.at });
                Ok(())
            }
            Some(Named::Constant(index)) => {
                if self.constants.get(name.text) == Some(&value) {
                    return Ok(());
                }
                self.conflict(name, self.done.constants[*index].position)
            }
            Some(_) => self.other_kind(name),
        }
    }

    /// The error for a name that was declared otherwise before.
    fn conflict<T>(&self, name: Token<'_>, earlier: Position) -> Checked<T> {
        fault(name.at, format!("`{}` is declared differently on line {}", name.text, earlier.line))
    }

    /// The error for a name that stands for something of another kind.
    fn other_kind<T>(&self, name: Token<'_>) -> Checked<T> {
        let kind = self.names.get(name.text).map_or("something else", |named| named.kind());
        fault(name.at, format!("`{}` is {kind} already", name.text))
    }

    /// Claims what stands behind a declarator and behind the name in it, besides what is claimed already.
    fn claim_around(
        &mut self,
        parsed: &Parsed,
        declarator: &Node<ast::Declarator>,
        mut claimed: Vec<usize>,
    ) -> Vec<usize> {
        if let Some(name) = declarators::name(declarator) {
            self.notes.claim_behind(parsed.tokens(&self.outline, name.span).start, &mut claimed);
        }
        self.notes.claim_behind(parsed.tokens(&self.outline, declarator.span).end - 1, &mut claimed);
        claimed
    }

    /// What claimed annotations say.
    fn read(&mut self, claimed: &[usize], place: Place) -> Checked<Annotations> {
        self.read_more(claimed, place, Annotations::default())
    }

    /// What claimed annotations say besides `annotations`.
    fn read_more(&mut self, claimed: &[usize], place: Place, mut annotations: Annotations) -> Checked<Annotations> {
        for index in claimed {
            annotations.read(self.notes.get(*index), place, self)?;
        }
        Ok(annotations)
    }

    /// Where a part of a declaration starts.
    fn at(&self, parsed: &Parsed, span: Span) -> Position {
        self.outline.tokens[parsed.tokens(&self.outline, span).start].at
    }
}

/// Whether a specifier is this storage class.
fn is_storage(specifier: &Node<ast::DeclarationSpecifier>, wanted: &ast::StorageClassSpecifier) -> bool {
    match &specifier.node {
        ast::DeclarationSpecifier::StorageClass(class) => class.node == *wanted,
        _ => false,
    }
}

impl Scope for Lowering<'_, '_> {
    fn name(&self, token: &Token<'_>) -> Checked<Computed> {
        self.constants.name(token)
    }

    fn ty(&self, tokens: &[Token<'_>]) -> Option<constants::Named> {
        const QUALIFIERS: [&str; 3] = ["const", "volatile", "restrict"];
        let is_qualifier = |token: &Token<'_>| QUALIFIERS.contains(&token.text);
        let words = tokens.iter().take_while(|token| token.kind == Kind::Word).count();
        let (words, rest) = tokens.split_at(words);
        // Behind the name there are stars, or the brackets of a pointer to a function or an array.
        let is_pointer = match rest {
            [] => false,
            [open, star, ..] if open.is("(") && star.is("*") => true,
            rest if rest.iter().all(|token| token.is("*") || is_qualifier(token)) => true,
            _ => return None,
        };
        let words: Vec<&Token<'_>> = words.iter().filter(|token| !is_qualifier(token)).collect();
        let ty = match words.as_slice() {
            [keyword, tag] if ["struct", "union", "enum"].contains(&keyword.text) => match self.tags.get(tag.text) {
                Some(tag) if tag.kind == "enum" => Cow::Owned(Type::Enum(tag.index)),
                Some(tag) => Cow::Owned(Type::Record(tag.index)),
                None => Cow::Owned(Type::Void),
            },
            [name] if self.typedefs.contains_key(name.text) => Cow::Borrowed(&self.typedefs[name.text].ty),
            [] => return None,
            words => Cow::Owned(Words::of(words)?.ty(words[0].at).ok()?),
        };
        let addresses = self.options.addresses;
        if is_pointer || matches!(*ty, Type::Pointer(_)) {
            let size = addresses.size();
            return Some(constants::Named { size, align: size, kind: NamedKind::Pointer });
        }
        let layout = self.done.layout(&ty, addresses)?;
        let underlying = match &*ty {
            Type::Enum(index) => Some(self.done.enums.get(*index)?.ty()),
            _ => None,
        };
        let ty: &Type = underlying.as_ref().unwrap_or(&*ty);
        let kind = match (ty, model::scalar(ty)) {
            (Type::Bool, _) => NamedKind::Bool,
            (Type::Float, _) => NamedKind::Float,
            (Type::Double | Type::LongDouble, _) => NamedKind::Double,
            (_, Some(scalar)) if scalar.is_signed() => NamedKind::Signed,
            (_, Some(_)) => NamedKind::Unsigned,
            _ => NamedKind::Other,
        };
        Some(constants::Named { size: layout.size, align: layout.align, kind })
    }
}
