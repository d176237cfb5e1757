//! From the parser's trees to declarations: names are looked up, typedefs resolved, annotations attached.
//!
//! One declaration after another is parsed and lowered, in the order of the source, since a name means what it means at
//! the place where it stands.

mod declarators;
mod meaning;
mod records;
mod specifiers;

use std::collections::HashMap;
use std::ops::Range;
use std::vec::IntoIter;

use lang_c::ast;
use lang_c::span::{Node, Span};

use crate::annotations::{Annotations, Place};
use crate::attach::Notes;
use crate::constants::Constants;
use crate::error::{Checked, Position, fault};
use crate::literals::Computed;
use crate::model::{Constant, Declarations, Function, Type, Typedef, Value};
use crate::outline::Outline;
use crate::syntax::{self, Parsed};
use crate::tokens::{Define, Token};
use meaning::Meaning;

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
}

impl Named {
    /// What it is, for messages.
    fn kind(self) -> &'static str {
        match self {
            Self::Function(_) => "a function",
            Self::Typedef(_) => "a type",
            Self::Constant(_) => "a constant",
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
pub(crate) struct Lowering<'s> {
    outline: Outline<'s>,
    notes: Notes<'s>,
    defines: std::iter::Peekable<IntoIter<Define<'s>>>,
    constants: Constants,
    names: HashMap<String, Named>,
    typedefs: HashMap<String, Meaning>,
    tags: HashMap<String, Tag>,
    copied: usize,
    done: Declarations,
}

/// Lowers all declarations.
pub(crate) fn lower<'s>(outline: Outline<'s>, notes: Notes<'s>, defines: Vec<Define<'s>>) -> Checked<Declarations> {
    let typedefs: HashMap<String, Meaning> =
        specifiers::PREDECLARED.iter().map(|(name, ty)| ((*name).to_owned(), Meaning::of(ty.clone()))).collect();
    let mut lowering = Lowering {
        outline,
        notes,
        defines: defines.into_iter().peekable(),
        constants: Constants::default(),
        names: typedefs.keys().map(|name| (name.clone(), Named::Typedef(None))).collect(),
        typedefs,
        tags: HashMap::new(),
        copied: 0,
        done: Declarations::default(),
    };
    for declaration in std::mem::take(&mut lowering.outline.declarations) {
        lowering.declaration(declaration)?;
    }
    lowering.define_until(usize::MAX)?;
    lowering.notes.finish(0..usize::MAX)?;
    Ok(lowering.done)
}

impl<'s> Lowering<'s> {
    /// One declaration.
    fn declaration(&mut self, range: Range<usize>) -> Checked<()> {
        if range.len() == 1 {
            return Ok(());
        }
        let first = self.outline.tokens[range.start];
        self.define_until(first.start)?;
        let parsed = syntax::parse(&self.outline, range.clone(), |word| self.typedefs.contains_key(word))?;
        let declaration = &parsed.declaration.node;
        let is_typedef = declaration.specifiers.iter().any(is_typedef);
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
            } else {
                self.function(name, declared.meaning, annotations)?;
            }
        }
        // Whatever was not claimed by now never will be.
        self.notes.finish(range)
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
        match self.names.get(name.text) {
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
                    Some(index) => self.conflict(name, self.done.typedefs[*index].position),
                    None => fault(name.at, format!("`{}` is known already, as another type", name.text)),
                }
            }
            Some(_) => self.other_kind(name),
        }
    }

    /// A name that is declared to be a function, or else a variable.
    fn function(&mut self, name: Token<'s>, meaning: Meaning, mut annotations: Annotations) -> Checked<()> {
        let Type::Function(signature) = meaning.ty else {
            return fault(name.at, format!("variables are not supported: `{}` is not a function", name.text));
        };
        annotations.inherit(&meaning.annotations, Place::Result);
        annotations.inherit(&meaning.inner, Place::Result);
        match self.names.get(name.text) {
            None => {
                self.names.insert(name.text.to_owned(), Named::Function(self.done.functions.len()));
                let (name, position) = (name.text.to_owned(), name.at);
                self.done.functions.push(Function { name, signature: *signature, annotations, position });
                Ok(())
            }
            Some(Named::Function(index)) => {
                let known = &self.done.functions[*index];
                if known.signature == *signature && known.annotations == annotations {
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

    /// The `#define`s before this byte of the source.
    fn define_until(&mut self, byte: usize) -> Checked<()> {
        while let Some(define) = self.defines.next_if(|define| define.name.start < byte) {
            let end = define.value.last().map_or(define.name.end(), Token::end);
            let value = self.constants.evaluate(&define.value, end)?;
            self.constant(define.name, value)?;
        }
        Ok(())
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
            self.define_until(self.notes.get(*index).start)?;
            annotations.read(self.notes.get(*index), place, &self.constants)?;
        }
        Ok(annotations)
    }

    /// Where a part of a declaration starts.
    fn at(&self, parsed: &Parsed, span: Span) -> Position {
        self.outline.tokens[parsed.tokens(&self.outline, span).start].at
    }
}

/// Whether a specifier is `typedef`.
fn is_typedef(specifier: &Node<ast::DeclarationSpecifier>) -> bool {
    match &specifier.node {
        ast::DeclarationSpecifier::StorageClass(class) => class.node == ast::StorageClassSpecifier::Typedef,
        _ => false,
    }
}
