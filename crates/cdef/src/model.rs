//! What was declared.

use c_abi::{Addresses, Layout, RecordLayout, Scalar};

use crate::annotations::Annotations;
use crate::error::{Error, File, Position};

/// All that was declared, in the order of the source.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Declarations {
    /// The functions.
    pub functions: Vec<Function>,
    /// The structs and unions, which [`Type::Record`] counts.
    pub records: Vec<Record>,
    /// The enums, which [`Type::Enum`] counts.
    pub enums: Vec<Enum>,
    /// The typedefs, without those that need no declaration ([`predeclared`](crate::predeclared)).
    pub typedefs: Vec<Typedef>,
    /// The values of macros, and the members of enums.
    pub constants: Vec<Constant>,
    /// The variables.
    pub variables: Vec<Variable>,
    /// What is not among all that, and why. Standard headers are not told about.
    pub skipped: Vec<Skipped>,
    /// The files that were read.
    pub files: Vec<File>,
}

impl Declarations {
    /// An error at a place of these declarations, about something that their user finds wrong with them.
    pub fn error(&self, at: Position, message: impl Into<String>) -> Error {
        Error::new(&self.files, at, message.into())
    }

    /// Everything that is left out and that whoever wants everything misses, as one error; `None` if there is nothing.
    pub fn missed(&self) -> Option<Error> {
        let missed = self.skipped.iter().filter(|skipped| skipped.kind.is_missed());
        Error::all(missed.map(|skipped| self.error(skipped.position, skipped.reason.clone())))
    }

    /// The file with this place.
    pub fn file(&self, at: Position) -> Option<&File> {
        self.files.get(at.file as usize)
    }

    /// Whether this place is in a standard header.
    pub fn is_system(&self, at: Position) -> bool {
        self.file(at).is_some_and(|file| file.is_system)
    }

    /// How a type lies in memory, and goes by value; `None` for one without a size.
    pub fn layout(&self, ty: &Type, addresses: Addresses) -> Option<Layout> {
        Some(match ty {
            Type::Void | Type::Function(_) => return None,
            Type::Pointer(_) => Layout::scalar(Scalar::Address, addresses),
            Type::Array(element, count) => {
                self.layout(element, addresses)?.checked_array(usize::try_from(*count).ok()?)?
            }
            Type::Record(index) => self.records[*index].layout(addresses)?.layout,
            Type::Enum(index) => Layout::scalar(scalar(&self.enums[*index].ty())?, addresses),
            other => Layout::scalar(scalar(other)?, addresses),
        })
    }

    /// The type that a function has in WebAssembly; `None` if the size of something that it passes is not known.
    pub fn signature(&self, signature: &Signature, addresses: Addresses) -> Option<c_abi::Signature> {
        let passed = |ty: &Type| self.layout(ty, addresses).map(|layout| layout.passed);
        let params = signature.params.iter().map(|param| passed(&param.ty)).collect::<Option<Vec<_>>>()?;
        let result = match &signature.result {
            Type::Void => None,
            result => Some(passed(result)?),
        };
        Some(c_abi::Signature::new(params, result, signature.is_variadic, addresses))
    }
}

/// The number that a type is.
pub(crate) fn scalar(ty: &Type) -> Option<Scalar> {
    Some(match ty {
        Type::Bool => Scalar::Bool,
        Type::Char => Scalar::I8,
        Type::Float => Scalar::F32,
        Type::Double => Scalar::F64,
        Type::LongDouble => Scalar::F128,
        Type::Int { width, signed } => match (width, signed) {
            (Width::W8, true) => Scalar::I8,
            (Width::W8, false) => Scalar::U8,
            (Width::W16, true) => Scalar::I16,
            (Width::W16, false) => Scalar::U16,
            (Width::W32, true) => Scalar::I32,
            (Width::W32, false) => Scalar::U32,
            (Width::W64, true) => Scalar::I64,
            (Width::W64, false) => Scalar::U64,
            (Width::Pointer, true) => Scalar::SignedAddress,
            (Width::Pointer, false) => Scalar::Address,
        },
        _ => return None,
    })
}

/// A variable.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Whether it is `const`.
    pub is_const: bool,
    /// Whether it is `static`: every file that includes the header has one of its own.
    pub is_static: bool,
    /// What is annotated.
    pub annotations: Annotations,
    /// Where its name stands.
    pub position: Position,
}

/// What kind of thing was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A function.
    Function,
    /// A function that has its body in the header.
    Inline,
    /// A variable.
    Variable,
    /// A type, or anything else that is declared.
    Declaration,
    /// A macro that is no constant.
    Macro,
    /// A directive that could not be obeyed.
    Directive,
    /// An annotation for something that is not declared.
    Annotation,
}

impl Kind {
    /// The kind in a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Inline => "inline",
            Self::Variable => "variable",
            Self::Declaration => "declaration",
            Self::Macro => "macro",
            Self::Directive => "directive",
            Self::Annotation => "annotation",
        }
    }

    /// Whether whoever wants everything misses it. A macro or a body is nothing that a module could export.
    pub fn is_missed(self) -> bool {
        !matches!(self, Self::Inline | Self::Macro)
    }
}

/// Something that the source has and [`Declarations`] does not.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Skipped {
    /// Its name, as far as one can tell.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Where it stands, or what is wrong with it.
    pub position: Position,
    /// Why it is left out.
    pub reason: String,
}

/// A function.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Function {
    /// Its name.
    pub name: String,
    /// What it takes and returns.
    pub signature: Signature,
    /// What is annotated at its result.
    pub annotations: Annotations,
    /// Where its name stands.
    pub position: Position,
    /// Whether it is `static`, or has its body in the header.
    pub is_inline: bool,
}

/// What a function takes and returns. Equality is that of C's types: the names and places of parameters do not count.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Signature {
    /// Its result.
    pub result: Type,
    /// Its parameters.
    pub params: Vec<Param>,
    /// Whether more arguments may follow: `...`.
    pub is_variadic: bool,
}

/// A parameter.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Param {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Its type; arrays and functions are pointers here.
    pub ty: Type,
    /// What is annotated, by its typedef too; an array's size is its length.
    pub annotations: Annotations,
    /// Where its name stands, or where it starts.
    pub position: Position,
}

impl PartialEq for Param {
    fn eq(&self, other: &Self) -> bool {
        self.ty == other.ty && self.annotations == other.annotations
    }
}

/// A type of C, with typedefs resolved.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// `void`.
    Void,
    /// `bool`.
    Bool,
    /// `char` without a sign: 8 bits, signed in WebAssembly.
    Char,
    /// Any other integer.
    Int {
        /// Its width.
        width: Width,
        /// Whether it is signed.
        signed: bool,
    },
    /// `float`, 32 bits.
    Float,
    /// `double`, 64 bits.
    Double,
    /// `long double`, 128 bits in WebAssembly.
    LongDouble,
    /// A pointer.
    Pointer(Box<Pointee>),
    /// An array. One without a size at the end of a struct has no elements.
    Array(Box<Type>, u64),
    /// The struct or union at this index of [`Declarations::records`].
    Record(usize),
    /// The enum at this index of [`Declarations::enums`].
    Enum(usize),
    /// A function. It occurs only behind a pointer and in typedefs.
    Function(Box<Signature>),
}

/// How wide an integer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Width {
    /// 8 bits.
    W8,
    /// 16 bits.
    W16,
    /// 32 bits.
    W32,
    /// 64 bits.
    W64,
    /// As wide as an address: `long`, `size_t`, `intptr_t` and their like.
    Pointer,
}

/// What a pointer points to.
#[derive(Clone, Debug, PartialEq)]
pub struct Pointee {
    /// Its type.
    pub ty: Type,
    /// Whether it is `const`.
    pub is_const: bool,
    /// What is annotated at the typedef that named it; usually nothing.
    pub annotations: Annotations,
}

/// What kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// A struct.
    Struct,
    /// A union.
    Union,
}

impl RecordKind {
    /// The keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Struct => "struct",
            Self::Union => "union",
        }
    }
}

/// A struct or union.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Record {
    /// Which of the two.
    pub kind: RecordKind,
    /// Its tag, or else the name of the typedef that defines it.
    pub name: Option<String>,
    /// Its fields; `None` if it is only declared, not defined.
    pub fields: Option<Vec<Field>>,
    /// What is annotated: `packed`, `aligned`, and `opaque`, from its typedefs too.
    pub annotations: Annotations,
    /// Where its tag stands, or its keyword.
    pub position: Position,
    pub(crate) layouts: Option<Box<[RecordLayout; 2]>>,
}

impl Record {
    /// Its layout, with the places of its fields; `None` if it is only declared.
    pub fn layout(&self, addresses: Addresses) -> Option<&RecordLayout> {
        let [narrow, wide] = &**self.layouts.as_ref()?;
        Some(if addresses == Addresses::Wide { wide } else { narrow })
    }
}

/// A field.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Field {
    /// Its name; `None` for a record whose fields count as the outer record's, and for a bit-field that is padding.
    pub name: Option<String>,
    /// How many bits it has, if it is a bit-field.
    pub bits: Option<u32>,
    /// Whether it is an array without a size at the end of a struct.
    pub is_flexible: bool,
    /// Its type, of a known size.
    pub ty: Type,
    /// What is annotated, by its typedef too.
    pub annotations: Annotations,
    /// Where its name stands, or where it starts.
    pub position: Position,
}

/// An enum.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Enum {
    /// Its tag, or else the name of the typedef that defines it.
    pub name: Option<String>,
    /// Its members and their values; they are constants too.
    pub members: Vec<(String, i64)>,
    /// The integer type that it is declared to be.
    pub underlying: Option<Type>,
    /// Where its tag stands, or its keyword.
    pub position: Position,
}

impl Enum {
    /// The integer type that it is, by the rule of clang and GCC: 32 bits unless a member needs 64, and unsigned unless
    /// a member is negative.
    pub fn ty(&self) -> Type {
        if let Some(ty) = &self.underlying {
            return ty.clone();
        }
        let low = self.members.iter().map(|member| member.1).min().unwrap_or(0);
        let high = self.members.iter().map(|member| member.1).max().unwrap_or(0);
        let (width, signed) = match c_abi::enumeration(low.into(), high.into()) {
            Scalar::I32 => (Width::W32, true),
            Scalar::U32 => (Width::W32, false),
            Scalar::I64 => (Width::W64, true),
            _ => (Width::W64, false),
        };
        Type::Int { width, signed }
    }
}

/// A name for a type.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Typedef {
    /// The name.
    pub name: String,
    /// The type.
    pub ty: Type,
    /// What is annotated, by the typedef that this one names too.
    pub annotations: Annotations,
    /// Where the name stands.
    pub position: Position,
}

/// A constant.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Constant {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Value,
    /// Where its name stands.
    pub position: Position,
}

/// The value of a constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// An integer, of 64 bits signed or unsigned.
    Integer(i128),
    /// A float.
    Float(f64),
    /// A string.
    String(String),
}
