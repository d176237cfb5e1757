//! Declarators: the pointers, arrays and functions around a name.

use lang_c::ast::{self, DeclaratorKind, DerivedDeclarator, PointerQualifier, TypeQualifier};
use lang_c::span::{Node, Span};

use super::meaning::Meaning;
use super::{Lowering, specifiers};
use crate::annotations::{Annotations, At, Length, Place};
use crate::constants::{self, Scope as _};
use crate::error::{Checked, fault};
use crate::model::{Param, Type};
use crate::syntax::Parsed;
use crate::tokens::{Kind, Token};

/// Words that may stand before an array's size.
const QUALIFIERS: [&str; 7] = ["static", "const", "restrict", "volatile", "__const", "__restrict", "__restrict__"];

/// What a declarator declares.
pub(super) struct Declared<'s> {
    /// The name, if there is one.
    pub(super) name: Option<Token<'s>>,
    /// Its type.
    pub(super) meaning: Meaning,
}

/// The name in a declarator.
pub(super) fn name(declarator: &Node<ast::Declarator>) -> Option<&Node<ast::Identifier>> {
    let mut declarator = declarator;
    loop {
        match &declarator.node.kind.node {
            DeclaratorKind::Abstract => return None,
            DeclaratorKind::Identifier(name) => return Some(name),
            DeclaratorKind::Declarator(inner) => declarator = inner,
        }
    }
}

impl<'s> Lowering<'s, '_> {
    /// What a declarator makes of the type before it.
    pub(super) fn declarator(
        &mut self,
        parsed: &Parsed,
        declarator: &Node<ast::Declarator>,
        base: Meaning,
    ) -> Checked<Declared<'s>> {
        let mut meaning = base;
        let mut current = declarator;
        loop {
            // `*a[2][3]`: the pointer first, then the sizes from the last to the first.
            let derived = &current.node.derived;
            for part in derived.iter() {
                if let DerivedDeclarator::Pointer(qualifiers) = &part.node {
                    meaning = meaning.pointer(qualifiers.iter().any(is_const), self.at(parsed, part.span))?;
                }
            }
            for part in derived.iter().rev() {
                meaning = self.suffix(parsed, part, meaning)?;
            }
            match &current.node.kind.node {
                DeclaratorKind::Declarator(inner) => current = inner,
                DeclaratorKind::Abstract => return Ok(Declared { name: None, meaning }),
                DeclaratorKind::Identifier(name) => {
                    let token = self.outline.tokens[parsed.tokens(&self.outline, name.span).start];
                    return Ok(Declared { name: Some(token), meaning });
                }
            }
        }
    }

    /// What stands behind a name: an array's size or a function's parameters.
    fn suffix(&mut self, parsed: &Parsed, part: &Node<DerivedDeclarator>, meaning: Meaning) -> Checked<Meaning> {
        let at = self.at(parsed, part.span);
        match &part.node {
            DerivedDeclarator::Pointer(_) => Ok(meaning),
            DerivedDeclarator::Array(_) => {
                if let Type::Record(index) = meaning.ty
                    && self.done.records[index].fields.is_none()
                {
                    return fault(at, format!("the size of {} is not known here", self.record_name(index)));
                }
                let size = self.array_size(parsed.tokens(&self.outline, part.span).start)?;
                meaning.array(size, at)
            }
            DerivedDeclarator::Function(function) => self.function_type(parsed, &function.node, meaning, part.span),
            DerivedDeclarator::KRFunction(names) => match names.first() {
                None => meaning.function(Vec::new(), false, 0, 0, at),
                Some(name) => fault(self.at(parsed, name.span), format!("unknown type name `{}`", name.node.name)),
            },
            DerivedDeclarator::Block(_) => fault(at, "blocks are not supported"),
        }
    }

    /// The size between the brackets that open at this token.
    fn array_size(&mut self, opener: usize) -> Checked<Option<u64>> {
        let close = self.outline.closing(opener);
        let is_qualifier = |token: &Token<'_>| token.kind == Kind::Word && QUALIFIERS.contains(&token.text);
        let mut first = (opener + 1).min(close);
        while first < close && is_qualifier(&self.outline.tokens[first]) {
            first += 1;
        }
        let end = self.outline.tokens[close].at;
        let tokens = &self.outline.tokens[first..close];
        let Some(token) = tokens.first() else { return Ok(None) };
        // The likeliest mistake is an array whose size is a parameter.
        let is_keyword = |word: &str| ["sizeof", "_Alignof", "alignof", "__alignof__"].contains(&word);
        let has_keyword = tokens.iter().any(|token| is_keyword(token.text));
        let unknown = |token: &&Token<'_>| {
            token.kind == Kind::Word
                && self.constants.get(token.text).is_none()
                && !has_keyword
                && self.ty(&[**token]).is_none()
        };
        if let Some(name) = tokens.iter().find(unknown) {
            let message = "is not a constant: an array needs a constant size, a pointer can have `[[length(…)]]`";
            return fault(name.at, format!("`{}` {message}", name.text));
        } else if let [star] = tokens
            && star.is("*")
        {
            return fault(star.at, "an array needs a constant size");
        }
        let size = constants::integer(self, tokens, end, "the size of an array")?;
        match u64::try_from(size.value) {
            Ok(size) => Ok(Some(size)),
            Err(_) => fault(token.at, "the size of an array cannot be negative"),
        }
    }

    /// The type of a function that returns `result`.
    fn function_type(
        &mut self,
        parsed: &Parsed,
        function: &ast::FunctionDeclarator,
        result: Meaning,
        span: Span,
    ) -> Checked<Meaning> {
        let mut params = Vec::new();
        let (mut size, mut depth) = (0, 0);
        for param in &function.parameters {
            if let Some((param, meaning)) = self.param(parsed, param, function.parameters.len() == 1)? {
                params.push(param);
                size += meaning.size;
                depth = depth.max(meaning.depth());
            }
        }
        let is_variadic = function.ellipsis == ast::Ellipsis::Some;
        result.function(params, is_variadic, size, depth, self.at(parsed, span))
    }

    /// One parameter; `None` for the `void` of `(void)`.
    fn param(
        &mut self,
        parsed: &Parsed,
        param: &Node<ast::ParameterDeclaration>,
        is_only: bool,
    ) -> Checked<Option<(Param, Meaning)>> {
        let tokens = parsed.tokens(&self.outline, param.span);
        let at = self.outline.tokens[tokens.start].at;
        let param = &param.node;
        let mut claimed = Vec::new();
        self.notes.claim_before(tokens.start, &mut claimed);
        if let Some(declarator) = &param.declarator {
            claimed = self.claim_around(parsed, declarator, claimed);
        }
        self.notes.claim_behind(tokens.end - 1, &mut claimed);
        let mut annotations = self.read(&claimed, Place::Param)?;
        let specified = self.specifiers(parsed, specifiers::of_declaration(&param.specifiers), at)?;
        let declared = match &param.declarator {
            Some(declarator) => self.declarator(parsed, declarator, specified.meaning)?,
            None => Declared { name: None, meaning: specified.meaning },
        };
        let position = declared.name.map_or(at, |name| name.at);
        if declared.meaning.ty == Type::Void {
            if is_only && declared.name.is_none() && annotations == Annotations::default() {
                return Ok(None);
            }
            return fault(position, "a parameter cannot have the type `void`");
        }
        let (mut meaning, length) = declared.meaning.decayed(position)?;
        annotations.inherit(&meaning.annotations, Place::Param);
        if let Some(length) = length
            && annotations.length.is_none()
            && annotations.until.is_none()
        {
            annotations.length = Some(At { value: Length::Constant(length), position });
        }
        let ty = std::mem::replace(&mut meaning.ty, Type::Void);
        let name = declared.name.map(|name| name.text.to_owned());
        Ok(Some((Param { name, ty, annotations, position }, meaning)))
    }
}

/// Whether a pointer's qualifier is `const`.
fn is_const(qualifier: &Node<PointerQualifier>) -> bool {
    matches!(&qualifier.node, PointerQualifier::TypeQualifier(qualifier) if qualifier.node == TypeQualifier::Const)
}
