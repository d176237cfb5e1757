//! Structs, unions and enums.

use std::collections::HashSet;
use std::ops::Range;

use c_abi::{Addresses, Member, RecordLayout};
use lang_c::ast::{self, StructDeclaration, StructKind};
use lang_c::span::{Node, Span};

use super::declarators::Declared;
use super::meaning::Meaning;
use super::specifiers::{self, Specified, Words};
use super::{Lowering, Tag};
use crate::annotations::{Annotations, Place};
use crate::constants;
use crate::error::{Checked, Position, fault};
use crate::literals::{Computed, Integer};
use crate::model::{Enum, Field, Record, RecordKind, Type};
use crate::syntax::Parsed;
use crate::tokens::Token;

impl<'s> Lowering<'s, '_> {
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
            self.done.records.push(Record { kind, name, fields: None, annotations, position, layouts: None });
        }
        let mut annotations = self.read(&claimed, Place::Record)?;
        if let Some(tag) = tag.filter(|_| !self.options.annotations.is_empty()) {
            // What is said of the typedef of the same name is not said of the record.
            let said = self.annotated(tag.text, Place::Record, Annotations::default());
            annotations = annotations.or(said.unwrap_or_default());
        }
        self.done.records[index].annotations.join_type(&annotations)?;
        if let (Some(declarations), false) = (&node.node.declarations, known) {
            let mut fields = self.fields(parsed, declarations)?;
            if let Some(tag) = tag.filter(|_| !self.options.annotations.is_empty()) {
                for field in &mut fields {
                    let Some(name) = &field.name else { continue };
                    let own = std::mem::take(&mut field.annotations);
                    field.annotations = self.annotated(&format!("{}.{name}", tag.text), Place::Field, own)?;
                }
            }
            // Attributes behind the closing brace are known by now.
            let pack = body.as_ref().map_or(0, |body| self.outline.tokens[body.start].pack);
            self.lay_out(index, &fields, pack, position)?;
            self.done.records[index].fields = Some(fields);
        }
        let defined = body.is_some().then_some(index);
        Ok(Specified { meaning: Meaning::of(Type::Record(index)), place: Some(Place::Record), defined })
    }

    /// Computes a record's layouts.
    fn lay_out(&mut self, index: usize, fields: &[Field], pack: u8, at: Position) -> Checked<()> {
        let record = &self.done.records[index];
        let kind = match record.kind {
            RecordKind::Struct => c_abi::RecordKind::Struct,
            RecordKind::Union => c_abi::RecordKind::Union,
        };
        let is_packed = record.annotations.packed.is_some();
        let align = record.annotations.aligned.map_or(1, |align| align.value as usize);
        let mut layouts = Vec::with_capacity(2);
        for addresses in Addresses::ALL {
            let mut members = Vec::with_capacity(fields.len());
            for field in fields {
                let Some(layout) = self.done.layout(&field.ty, addresses) else {
                    return fault(field.position, "this field is larger than any memory");
                };
                members.push(Member {
                    layout,
                    bits: field.bits,
                    is_named: field.name.is_some() || field.bits.is_none(),
                    align: field.annotations.aligned.map(|align| align.value as usize),
                    packed: is_packed || field.annotations.packed.is_some(),
                    is_flexible: field.is_flexible,
                });
            }
            let pack = (pack > 0).then_some(usize::from(pack));
            match RecordLayout::aligned(kind, &members, pack, align) {
                Ok(layout) => layouts.push(layout),
                Err(field) => {
                    let at = fields.get(field).map_or(at, |field| field.position);
                    return fault(at, "this record is larger than any memory");
                }
            }
        }
        self.done.records[index].layouts = <[RecordLayout; 2]>::try_from(layouts).ok().map(Box::new);
        Ok(())
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
        let underlying = self.underlying(tokens.start)?;
        let (index, known) = self.look_up(tag, "enum", next, &body)?;
        if let (None, Some(tag), true) = (&body, tag, index == next) {
            // It has an index only once it is defined.
            self.tags.remove(tag.text);
            return fault(position, format!("`enum {}` is not defined", tag.text));
        }
        if !known && body.is_some() {
            let name = tag.map(|tag| tag.text.to_owned());
            self.done.enums.push(Enum { name, members: Vec::new(), underlying, position });
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
        let last = declarations.len();
        for (index, declaration) in declarations.iter().enumerate() {
            let StructDeclaration::Field(field) = &declaration.node else {
                continue;
            };
            let before = fields.len();
            self.field(parsed, field, &mut fields, index + 1 == last)?;
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
    fn field(
        &mut self,
        parsed: &Parsed,
        node: &Node<ast::StructField>,
        fields: &mut Vec<Field>,
        is_last: bool,
    ) -> Checked<()> {
        let first = parsed.tokens(&self.outline, node.span).start;
        let at = self.outline.tokens[first].at;
        let declarators = &node.node.declarators;
        let mut leading = Vec::new();
        if !declarators.is_empty() {
            self.notes.claim_before(first, &mut leading);
        }
        let mut claimed = Vec::new();
        for node in declarators {
            let mut own = match &node.node.declarator {
                Some(declarator) => self.claim_around(parsed, declarator, Vec::new()),
                None => Vec::new(),
            };
            self.notes.claim_behind(parsed.tokens(&self.outline, node.span).end - 1, &mut own);
            claimed.push(own);
        }
        let specified = self.specifiers(parsed, specifiers::of_field(&node.node.specifiers), at)?;
        if declarators.is_empty() {
            let Some(place) = specified.place else { return fault(at, "this field has no name") };
            self.annotate_type(first, place, &specified.meaning)?;
            if let (Type::Record(index), Some(_)) = (&specified.meaning.ty, specified.defined)
                && self.done.records[*index].name.is_none()
            {
                let annotations = Annotations::default();
                let ty = specified.meaning.ty;
                fields.push(Field { name: None, bits: None, is_flexible: false, ty, annotations, position: at });
            }
            return Ok(());
        }
        let leading = self.read(&leading, Place::Field)?;
        for (declarator, claimed) in declarators.iter().zip(claimed) {
            let bits = match &declarator.node.bit_width {
                Some(width) => Some(self.bit_width(parsed, width.span)?),
                None => None,
            };
            let declared = match &declarator.node.declarator {
                Some(declarator) => self.declarator(parsed, declarator, specified.meaning.clone())?,
                None => Declared { name: None, meaning: specified.meaning.clone() },
            };
            if let Some(bits) = bits {
                self.check_bits(&declared, bits, at)?;
            }
            let (Some(name), meaning) = (declared.name, declared.meaning) else {
                if bits.is_none() {
                    return fault(at, "this field has no name");
                }
                let annotations = Annotations::default();
                let ty = specified.meaning.ty.clone();
                fields.push(Field { name: None, bits, is_flexible: false, ty, annotations, position: at });
                continue;
            };
            let is_flexible = meaning.open.is_some();
            if let Some(open) = meaning.open.filter(|_| !is_last || fields.is_empty()) {
                return fault(open, "only the last field of a struct can be an array without a size");
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
            fields.push(Field { name, bits, is_flexible, ty: meaning.ty, annotations, position });
        }
        Ok(())
    }

    /// The width of a bit-field.
    fn bit_width(&mut self, parsed: &Parsed, span: Span) -> Checked<u32> {
        let colon = parsed.tokens(&self.outline, span).start.saturating_sub(1);
        let at = self.outline.tokens[colon].at;
        let Some(expression) = self.outline.value(colon) else { return fault(at, "expected the width of a bit-field") };
        let end = self.outline.tokens[expression.end.max(1) - 1].end();
        let tokens = &self.outline.tokens[expression];
        let width = constants::integer(self, tokens, end, "the width of a bit-field")?;
        u32::try_from(width.value).or_else(|_| fault(at, "the width of a bit-field cannot be negative"))
    }

    /// Refuses bit-fields that C has not.
    fn check_bits(&self, declared: &Declared<'s>, bits: u32, at: Position) -> Checked<()> {
        let at = declared.name.map_or(at, |name| name.at);
        let ty = match &declared.meaning.ty {
            Type::Enum(index) => self.done.enums[*index].ty(),
            other => other.clone(),
        };
        let size = match ty {
            Type::Bool => Some(1),
            Type::Char | Type::Int { .. } => {
                self.done.layout(&ty, Addresses::Narrow).map(|layout| layout.size as u32 * 8)
            }
            _ => None,
        };
        match size {
            None => fault(at, "only an integer can be a bit-field"),
            Some(size) if bits > size => fault(at, format!("this bit-field has {bits} bits, and its type only {size}")),
            Some(_) if bits == 0 && declared.name.is_some() => {
                fault(at, "a bit-field with a name has at least one bit")
            }
            Some(_) => Ok(()),
        }
    }

    /// The integer type that an enum is declared to be, whose keyword is at this index.
    fn underlying(&self, keyword: usize) -> Checked<Option<Type>> {
        let Some(tokens) = self.underlying.get(&keyword) else { return Ok(None) };
        let at = tokens[0].at;
        let words: Vec<&Token<'_>> = tokens.iter().filter(|token| !token.is_word("const")).collect();
        let ty = match (Words::of(&words), words.as_slice()) {
            (Some(words), _) => words.ty(at)?,
            (None, [name]) => match self.typedefs.get(name.text) {
                Some(meaning) => meaning.ty.clone(),
                None => return fault(at, format!("unknown type name `{}`", name.text)),
            },
            _ => Type::Void,
        };
        match ty {
            Type::Int { .. } | Type::Char | Type::Bool => Ok(Some(ty)),
            _ => fault(at, "an enum is of an integer type"),
        }
    }

    /// The members of an enum, which become constants.
    fn enumerators(&mut self, parsed: &Parsed, nodes: &[Node<ast::Enumerator>]) -> Checked<Vec<(String, i64)>> {
        let mut members = Vec::new();
        let mut next = Some(0i64);
        for node in nodes {
            let index = parsed.tokens(&self.outline, node.node.identifier.span).start;
            let name = self.outline.tokens[index];
            let value = match self.outline.value(index) {
                None => next,
                Some(expression) => {
                    let end = self.outline.tokens[expression.end - 1].end();
                    let tokens = &self.outline.tokens[expression];
                    let value = constants::integer(self, tokens, end, "the value of an enumerator")?;
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
