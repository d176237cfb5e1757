//! Structs, unions and enums.

use std::collections::HashSet;
use std::ops::Range;

use lang_c::ast::{self, StructDeclaration, StructKind};
use lang_c::span::Node;

use super::meaning::Meaning;
use super::specifiers::{self, Specified};
use super::{Lowering, Tag};
use crate::annotations::{Annotations, Place};
use crate::error::{Checked, Position, fault};
use crate::literals::{Computed, Integer};
use crate::model::{Enum, Field, Record, RecordKind, Type};
use crate::syntax::Parsed;
use crate::tokens::Token;

impl<'s> Lowering<'s> {
    /// What is annotated at the type on its own, in a declaration that starts at `first`.
    pub(super) fn annotate_type(&mut self, first: usize, place: Place, meaning: &Meaning) -> Checked<()> {
        let mut claimed = Vec::new();
        self.notes.claim_before(first, &mut claimed);
        let annotations = self.read(&claimed, place)?;
        match meaning.ty {
            Type::Record(index) => self.done.records[index].annotations.join_type(&annotations),
            _ => Ok(()),
        }
    }

    /// The record in a message.
    pub(super) fn record_name(&self, index: usize) -> String {
        let record = &self.done.records[index];
        match &record.name {
            Some(name) => format!("`{} {name}`", record.kind.keyword()),
            None => format!("this {}", record.kind.keyword()),
        }
    }

    /// A struct or union, named or defined.
    pub(super) fn record(&mut self, parsed: &Parsed, node: &Node<ast::StructType>) -> Checked<Specified> {
        let tokens = parsed.tokens(&self.outline, node.span);
        let kind = match node.node.kind.node {
            StructKind::Struct => RecordKind::Struct,
            StructKind::Union => RecordKind::Union,
        };
        let tag = self.tag(parsed, node.node.identifier.as_ref());
        let body = self.body(&node.node.declarations, &tokens);
        let claimed = self.claim_at_type(&tokens, tag);
        let position = tag.map_or(self.outline.tokens[tokens.start].at, |tag| tag.at);
        let next = self.done.records.len();
        let (index, known) = self.look_up(tag, kind.keyword(), next, &body)?;
        if index == next {
            let name = tag.map(|tag| tag.text.to_owned());
            let annotations = Annotations::default();
            self.done.records.push(Record { kind, name, fields: None, annotations, position });
        }
        let annotations = self.read(&claimed, Place::Record)?;
        self.done.records[index].annotations.join_type(&annotations)?;
        if let (Some(declarations), false) = (&node.node.declarations, known) {
            let fields = self.fields(parsed, declarations)?;
            self.done.records[index].fields = Some(fields);
        }
        let defined = body.is_some().then_some(index);
        Ok(Specified { meaning: Meaning::of(Type::Record(index)), place: Some(Place::Record), defined })
    }

    /// An enum, named or defined.
    pub(super) fn enumeration(&mut self, parsed: &Parsed, node: &Node<ast::EnumType>) -> Checked<Specified> {
        let tokens = parsed.tokens(&self.outline, node.span);
        let tag = self.tag(parsed, node.node.identifier.as_ref());
        let body = self.body(&(!node.node.enumerators.is_empty()).then_some(()), &tokens);
        let claimed = self.claim_at_type(&tokens, tag);
        self.read(&claimed, Place::Enum)?;
        let position = tag.map_or(self.outline.tokens[tokens.start].at, |tag| tag.at);
        let next = self.done.enums.len();
        let (index, known) = self.look_up(tag, "enum", next, &body)?;
        if let (None, Some(tag), true) = (&body, tag, index == next) {
            return fault(position, format!("`enum {}` is not defined", tag.text));
        }
        if !known && body.is_some() {
            let name = tag.map(|tag| tag.text.to_owned());
            self.done.enums.push(Enum { name, members: Vec::new(), position });
            let members = self.enumerators(parsed, &node.node.enumerators)?;
            self.done.enums[index].members = members;
        }
        let defined = body.is_some().then_some(index);
        Ok(Specified { meaning: Meaning::of(Type::Enum(index)), place: Some(Place::Enum), defined })
    }

    /// The tag's token.
    fn tag(&self, parsed: &Parsed, identifier: Option<&Node<ast::Identifier>>) -> Option<Token<'s>> {
        identifier.map(|tag| self.outline.tokens[parsed.tokens(&self.outline, tag.span).start])
    }

    /// The tokens of a definition from brace to brace, if there is one in `tokens`.
    fn body<T>(&self, definition: &Option<T>, tokens: &Range<usize>) -> Option<Range<usize>> {
        definition.as_ref()?;
        let opener = tokens.clone().find(|index| self.outline.tokens[*index].is("{"))?;
        Some(opener..self.outline.closing(opener) + 1)
    }

    /// Claims what stands behind the keyword, behind the tag and behind the type.
    fn claim_at_type(&mut self, tokens: &Range<usize>, tag: Option<Token<'s>>) -> Vec<usize> {
        let mut claimed = Vec::new();
        self.notes.claim_behind(tokens.start, &mut claimed);
        if let Some(tag) = tag {
            self.notes.claim_behind(self.outline.token_at(tag.start), &mut claimed);
        }
        self.notes.claim_behind(tokens.end - 1, &mut claimed);
        claimed
    }

    /// The index of the record or enum of this tag, or else `next`; and whether it already has this very definition.
    fn look_up(
        &mut self,
        tag: Option<Token<'s>>,
        kind: &'static str,
        next: usize,
        body: &Option<Range<usize>>,
    ) -> Checked<(usize, bool)> {
        let Some(tag) = tag else { return Ok((next, false)) };
        let Some(known) = self.tags.get_mut(tag.text) else {
            self.tags.insert(tag.text.to_owned(), Tag { kind, index: next, body: body.clone() });
            return Ok((next, false));
        };
        let index = known.index;
        if known.kind != kind {
            return fault(tag.at, format!("`{}` is declared as `{} {0}` before", tag.text, known.kind));
        }
        match (&known.body, body) {
            (_, None) => Ok((index, false)),
            (None, Some(body)) => {
                known.body = Some(body.clone());
                Ok((index, false))
            }
            (Some(earlier), Some(body)) => {
                let texts = |range: &Range<usize>| self.outline.tokens[range.clone()].iter().map(|token| token.text);
                let same = texts(earlier).eq(texts(body))
                    && self.notes.within(earlier.clone()) == self.notes.within(body.clone());
                if !same {
                    let line = self.outline.tokens[earlier.start].at.line;
                    return fault(tag.at, format!("`{kind} {}` is defined differently on line {line}", tag.text));
                }
                self.notes.claim_within(body.clone());
                Ok((index, true))
            }
        }
    }

    /// The fields of a record.
    fn fields(&mut self, parsed: &Parsed, declarations: &[Node<StructDeclaration>]) -> Checked<Vec<Field>> {
        let mut fields = Vec::new();
        let mut names = HashSet::new();
        for declaration in declarations {
            let StructDeclaration::Field(field) = &declaration.node else {
                return fault(self.at(parsed, declaration.span), "`_Static_assert` is not supported");
            };
            let before = fields.len();
            self.field(parsed, field, &mut fields)?;
            for field in &fields[before..] {
                self.add_names(field, field.position, &mut names)?;
            }
        }
        Ok(fields)
    }

    /// Adds the names that a field brings to its record.
    fn add_names(&self, field: &Field, at: Position, names: &mut HashSet<String>) -> Checked<()> {
        match (&field.name, &field.ty) {
            (Some(name), _) if !names.insert(name.clone()) => {
                fault(at, format!("there is another field `{name}` in this record"))
            }
            (None, Type::Record(index)) => {
                let inner = self.done.records[*index].fields.iter().flatten();
                inner.into_iter().try_for_each(|field| self.add_names(field, at, names))
            }
            _ => Ok(()),
        }
    }

    /// The fields of one declaration.
    fn field(&mut self, parsed: &Parsed, node: &Node<ast::StructField>, fields: &mut Vec<Field>) -> Checked<()> {
        let first = parsed.tokens(&self.outline, node.span).start;
        let at = self.outline.tokens[first].at;
        let declarators = &node.node.declarators;
        let mut leading = Vec::new();
        if !declarators.is_empty() {
            self.notes.claim_before(first, &mut leading);
        }
        let mut claimed = Vec::new();
        for declarator in declarators {
            claimed.push(match &declarator.node.declarator {
                Some(declarator) => self.claim_around(parsed, declarator, Vec::new()),
                None => Vec::new(),
            });
        }
        let specified = self.specifiers(parsed, specifiers::of_field(&node.node.specifiers), at)?;
        if declarators.is_empty() {
            let Some(place) = specified.place else { return fault(at, "this field has no name") };
            self.annotate_type(first, place, &specified.meaning)?;
            if let (Type::Record(index), Some(_)) = (&specified.meaning.ty, specified.defined)
                && self.done.records[*index].name.is_none()
            {
                let annotations = Annotations::default();
                fields.push(Field { name: None, ty: specified.meaning.ty, annotations, position: at });
            }
            return Ok(());
        }
        let leading = self.read(&leading, Place::Field)?;
        for (declarator, claimed) in declarators.iter().zip(claimed) {
            let (Some(declarator), None) = (&declarator.node.declarator, &declarator.node.bit_width) else {
                return fault(at, "bit-fields are not supported");
            };
            let declared = self.declarator(parsed, declarator, specified.meaning.clone())?;
            let Some(name) = declared.name else { return fault(at, "this field has no name") };
            let meaning = declared.meaning;
            if let Some(open) = meaning.open {
                return fault(open, "arrays without a size are not supported, not even at the end of a struct");
            }
            match meaning.ty {
                Type::Void => return fault(name.at, "a field cannot have the type `void`"),
                Type::Function(_) => return fault(name.at, "a field cannot be a function, only a pointer to one"),
                Type::Record(index) if self.done.records[index].fields.is_none() => {
                    let record = self.record_name(index);
                    return fault(name.at, format!("the size of {record} is not known here"));
                }
                _ => {}
            }
            let mut annotations = self.read_more(&claimed, Place::Field, leading.clone())?;
            annotations.inherit(&meaning.annotations, Place::Field);
            let (name, position) = (Some(name.text.to_owned()), name.at);
            fields.push(Field { name, ty: meaning.ty, annotations, position });
        }
        Ok(())
    }

    /// The members of an enum, which become constants.
    fn enumerators(&mut self, parsed: &Parsed, nodes: &[Node<ast::Enumerator>]) -> Checked<Vec<(String, i64)>> {
        let mut members = Vec::new();
        let mut next = Some(0i64);
        for node in nodes {
            let index = parsed.tokens(&self.outline, node.node.identifier.span).start;
            let name = self.outline.tokens[index];
            self.define_until(name.start)?;
            let value = match self.outline.value(index) {
                None => next,
                Some(expression) => {
                    let end = self.outline.tokens[expression.end - 1].end();
                    let tokens = &self.outline.tokens[expression];
                    let value = self.constants.integer(tokens, end, "the value of an enumerator")?;
                    i64::try_from(value.value).ok()
                }
            };
            let Some(value) = value else {
                return fault(
                    name.at,
                    format!("the value of `{}` does not fit a signed integer of 64 bits", name.text),
                );
            };
            let Some(integer) = Integer::fitting(i128::from(value), false, true, true) else {
                return fault(name.at, format!("the value of `{}` does not fit", name.text));
            };
            if self.names.contains_key(name.text) {
                return self.other_kind(name);
            }
            self.constant(name, Computed::Integer(integer))?;
            members.push((name.text.to_owned(), value));
            next = value.checked_add(1);
        }
        Ok(members)
    }
}
