//! What was declared.

use crate::annotations::Annotations;
use crate::error::{Error, Position};

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
    /// The values of `#define`s, and the members of enums.
    pub constants: Vec<Constant>,
    pub(crate) source: String,
}

impl Declarations {
    /// An error at a place of these declarations, about something that their user finds wrong with them.
    pub fn error(&self, at: Position, message: impl Into<String>) -> Error {
        Error::new(&self.source, at, message.into())
    }
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
}

/// What a function takes and returns. Equality is that of C's types: the names and places of parameters do not count.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Signature {
    /// Its result.
    pub result: Type,
    /// Its parameters.
    pub params: Vec<Param>,
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
    /// A pointer.
    Pointer(Box<Pointee>),
    /// An array of at least one element.
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
    /// What is annotated: `packed`, and `opaque`, from its typedefs too.
    pub annotations: Annotations,
    /// Where its tag stands, or its keyword.
    pub position: Position,
}

/// A field.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Field {
    /// Its name; `None` for a record whose fields count as the outer record's.
    pub name: Option<String>,
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
    /// Where its tag stands, or its keyword.
    pub position: Position,
}

impl Enum {
    /// The integer type that it is, by the rule of clang and GCC: 32 bits unless a member needs 64, and unsigned unless
    /// a member is negative.
    pub fn ty(&self) -> Type {
        let low = self.members.iter().map(|member| member.1).min().unwrap_or(0);
        let high = self.members.iter().map(|member| member.1).max().unwrap_or(0);
        let signed = low < 0;
        let fits = if signed {
            i32::try_from(low).is_ok() && i32::try_from(high).is_ok()
        } else {
            u32::try_from(high).is_ok()
        };
        Type::Int { width: if fits { Width::W32 } else { Width::W64 }, signed }
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
