//! The words at the start of a declaration: which type they mean.

use std::sync::LazyLock;

use lang_c::ast::{self, DeclarationSpecifier, SpecifierQualifier, TypeQualifier, TypeSpecifier};
use lang_c::span::Node;

use super::meaning::Meaning;
use super::{Lowering, MOST_COPIED};
use crate::annotations::{Annotations, Place};
use crate::error::{Checked, Position, fault};
use crate::model::{Pointee, Type, Width};
use crate::syntax::Parsed;
use crate::tokens::Token;

/// The types that need no declaration.
pub(super) static PREDECLARED: LazyLock<Vec<(&'static str, Type)>> = LazyLock::new(|| {
    let int = |width, signed| Type::Int { width, signed };
    let void =
        || Type::Pointer(Box::new(Pointee { ty: Type::Void, is_const: false, annotations: Annotations::default() }));
    vec![
        ("int8_t", int(Width::W8, true)),
        ("int16_t", int(Width::W16, true)),
        ("int32_t", int(Width::W32, true)),
        ("int64_t", int(Width::W64, true)),
        ("uint8_t", int(Width::W8, false)),
        ("uint16_t", int(Width::W16, false)),
        ("uint32_t", int(Width::W32, false)),
        ("uint64_t", int(Width::W64, false)),
        ("int_least8_t", int(Width::W8, true)),
        ("int_least16_t", int(Width::W16, true)),
        ("int_least32_t", int(Width::W32, true)),
        ("int_least64_t", int(Width::W64, true)),
        ("uint_least8_t", int(Width::W8, false)),
        ("uint_least16_t", int(Width::W16, false)),
        ("uint_least32_t", int(Width::W32, false)),
        ("uint_least64_t", int(Width::W64, false)),
        ("int_fast8_t", int(Width::W8, true)),
        ("int_fast16_t", int(Width::W32, true)),
        ("int_fast32_t", int(Width::W32, true)),
        ("int_fast64_t", int(Width::W64, true)),
        ("uint_fast8_t", int(Width::W8, false)),
        ("uint_fast16_t", int(Width::W32, false)),
        ("uint_fast32_t", int(Width::W32, false)),
        ("uint_fast64_t", int(Width::W64, false)),
        ("intmax_t", int(Width::W64, true)),
        ("uintmax_t", int(Width::W64, false)),
        ("intptr_t", int(Width::Pointer, true)),
        ("uintptr_t", int(Width::Pointer, false)),
        ("size_t", int(Width::Pointer, false)),
        ("ssize_t", int(Width::Pointer, true)),
        ("ptrdiff_t", int(Width::Pointer, true)),
        ("wchar_t", int(Width::W32, true)),
        ("char16_t", int(Width::W16, false)),
        ("char32_t", int(Width::W32, false)),
        ("off_t", int(Width::W64, true)),
        ("time_t", int(Width::W64, true)),
        ("max_align_t", Type::LongDouble),
        ("char8_t", int(Width::W8, false)),
        ("wint_t", int(Width::W32, false)),
        ("clock_t", int(Width::W64, true)),
        ("va_list", void()),
        ("__builtin_va_list", void()),
        ("__gnuc_va_list", void()),
        ("bool", Type::Bool),
    ]
});

/// The type of a name that needs no declaration, such as `size_t`.
pub fn predeclared(name: &str) -> Option<Type> {
    PREDECLARED.iter().find(|(known, _)| *known == name).map(|(_, ty)| ty.clone())
}

/// What stands before the declarators.
pub(super) struct Specified {
    /// The type.
    pub(super) meaning: Meaning,
    /// What its annotations belong to, if it names a struct, union or enum by itself and not by a typedef.
    pub(super) place: Option<Place>,
    /// The index of the record or enum that is defined here.
    pub(super) defined: Option<usize>,
}

/// A specifier of either of the parser's two kinds.
pub(super) enum Specifier<'a> {
    Type(&'a Node<TypeSpecifier>),
    Qualifier(&'a TypeQualifier),
    Other,
}

/// The specifiers of a declaration or a parameter.
pub(super) fn of_declaration(nodes: &[Node<DeclarationSpecifier>]) -> impl Iterator<Item = Specifier<'_>> {
    nodes.iter().map(|node| match &node.node {
        DeclarationSpecifier::TypeSpecifier(specifier) => Specifier::Type(specifier),
        DeclarationSpecifier::TypeQualifier(qualifier) => Specifier::Qualifier(&qualifier.node),
        _ => Specifier::Other,
    })
}

/// The specifiers of a field.
pub(super) fn of_field(nodes: &[Node<SpecifierQualifier>]) -> impl Iterator<Item = Specifier<'_>> {
    nodes.iter().map(|node| match &node.node {
        SpecifierQualifier::TypeSpecifier(specifier) => Specifier::Type(specifier),
        SpecifierQualifier::TypeQualifier(qualifier) => Specifier::Qualifier(&qualifier.node),
        SpecifierQualifier::Extension(_) => Specifier::Other,
    })
}

/// The keywords of an arithmetic type, counted.
#[derive(Default)]
pub(super) struct Words {
    base: Option<&'static str>,
    signed: usize,
    unsigned: usize,
    short: usize,
    long: usize,
}

impl<'s> Lowering<'s, '_> {
    /// The type that specifiers mean; `at` is where they start.
    pub(super) fn specifiers<'a>(
        &mut self,
        parsed: &Parsed,
        specifiers: impl Iterator<Item = Specifier<'a>>,
        at: Position,
    ) -> Checked<Specified> {
        let mut words: Option<Words> = None;
        let mut named: Option<Specified> = None;
        let mut is_const = false;
        for specifier in specifiers {
            let node = match specifier {
                Specifier::Type(node) => node,
                Specifier::Qualifier(qualifier) => {
                    is_const |= *qualifier == TypeQualifier::Const;
                    continue;
                }
                Specifier::Other => continue,
            };
            match &node.node {
                TypeSpecifier::Struct(record) => named = Some(self.record(parsed, record)?),
                TypeSpecifier::Enum(enumeration) => named = Some(self.enumeration(parsed, enumeration)?),
                TypeSpecifier::TypedefName(name) => named = Some(self.typedef_name(parsed, name)?),
                word => {
                    let words = words.get_or_insert_default();
                    if !words.add(word) {
                        let found = self.outline.found(parsed.tokens(&self.outline, node.span).start);
                        return fault(
                            self.at(parsed, node.span),
                            format!("{found} does not go with the type before it"),
                        );
                    }
                }
            }
        }
        let mut specified = match (named, words) {
            (Some(named), None) => named,
            (None, Some(words)) => Specified { meaning: Meaning::of(words.ty(at)?), place: None, defined: None },
            (Some(_), Some(_)) => return fault(at, "these words together are not a type"),
            (None, None) => return fault(at, "expected a type"),
        };
        specified.meaning.is_const |= is_const;
        Ok(specified)
    }

    /// What a typedef stands for.
    fn typedef_name(&mut self, parsed: &Parsed, name: &Node<ast::Identifier>) -> Checked<Specified> {
        let at = self.at(parsed, name.span);
        let Some(meaning) = self.typedefs.get(&name.node.name) else {
            return fault(at, format!("unknown type name `{}`", name.node.name));
        };
        if meaning.size > 1 {
            self.copied += meaning.size;
        }
        if self.copied > MOST_COPIED {
            return fault(at, format!("typedefs stand for more than {MOST_COPIED} types, all uses together"));
        }
        Ok(Specified { meaning: meaning.clone(), place: None, defined: None })
    }
}

impl Words {
    /// Counts one word. Returns whether it goes with the others.
    fn add(&mut self, word: &TypeSpecifier) -> bool {
        let base = match word {
            TypeSpecifier::Signed => return increment(&mut self.signed, 1),
            TypeSpecifier::Unsigned => return increment(&mut self.unsigned, 1),
            TypeSpecifier::Short => return increment(&mut self.short, 1),
            TypeSpecifier::Long => return increment(&mut self.long, 2),
            TypeSpecifier::Void => "void",
            TypeSpecifier::Bool => "bool",
            TypeSpecifier::Char => "char",
            TypeSpecifier::Int => "int",
            TypeSpecifier::Float => "float",
            TypeSpecifier::Double => "double",
            _ => "",
        };
        self.base.replace(base).is_none()
    }

    /// The words of tokens; `None` if they are anything else.
    pub(super) fn of(tokens: &[&Token<'_>]) -> Option<Self> {
        let mut words = Self::default();
        for token in tokens {
            let word = match token.text {
                "signed" => TypeSpecifier::Signed,
                "unsigned" => TypeSpecifier::Unsigned,
                "short" => TypeSpecifier::Short,
                "long" => TypeSpecifier::Long,
                "void" => TypeSpecifier::Void,
                "_Bool" => TypeSpecifier::Bool,
                "char" => TypeSpecifier::Char,
                "int" => TypeSpecifier::Int,
                "float" => TypeSpecifier::Float,
                "double" => TypeSpecifier::Double,
                _ => return None,
            };
            if token.kind != crate::tokens::Kind::Word || !words.add(&word) {
                return None;
            }
        }
        Some(words)
    }

    /// The type.
    pub(super) fn ty(&self, at: Position) -> Checked<Type> {
        let signed = self.unsigned == 0;
        let plain = self.signed + self.unsigned == 0;
        let width = match (self.short, self.long) {
            (0, 0) => Width::W32,
            (1, 0) => Width::W16,
            (0, 1) => Width::Pointer,
            (0, 2) => Width::W64,
            _ => return fault(at, "these words together are not a type"),
        };
        let bare = self.short + self.long == 0;
        Ok(match self.base {
            None | Some("int") if self.signed + self.unsigned < 2 => Type::Int { width, signed },
            Some("char") if bare && plain => Type::Char,
            Some("char") if bare && self.signed + self.unsigned < 2 => Type::Int { width: Width::W8, signed },
            Some("void") if bare && plain => Type::Void,
            Some("bool") if bare && plain => Type::Bool,
            Some("float") if bare && plain => Type::Float,
            Some("double") if bare && plain => Type::Double,
            Some("double") if plain && self.short == 0 && self.long == 1 => Type::LongDouble,
            Some("") => return fault(at, "this type is not supported"),
            _ => return fault(at, "these words together are not a type"),
        })
    }
}

/// Counts up to `most`.
fn increment(count: &mut usize, most: usize) -> bool {
    *count += 1;
    *count <= most
}
