//! A type while it is put together.

use crate::annotations::Annotations;
use crate::error::{Checked, Position, fault};
use crate::model::{Param, Pointee, Signature, Type};

/// How deep a type may nest, through typedefs too.
const DEEPEST: usize = 64;

/// How many types one type may consist of.
const LARGEST: usize = 10_000;

/// A type, with what matters only until it has found its place.
#[derive(Clone, Debug)]
pub(super) struct Meaning {
    /// The type.
    pub(super) ty: Type,
    /// Whether it is `const`.
    pub(super) is_const: bool,
    /// What its typedef says.
    pub(super) annotations: Annotations,
    /// What the typedef of an array's elements or of a function's result says.
    pub(super) inner: Annotations,
    /// Where it says `[]`, if it is an array without a size. Its size is 0 then.
    pub(super) open: Option<Position>,
    /// How deep it nests.
    depth: usize,
    /// How many types it consists of.
    pub(super) size: usize,
}

impl Meaning {
    /// A type that consists of no others.
    pub(super) fn of(ty: Type) -> Self {
        let (annotations, inner) = (Annotations::default(), Annotations::default());
        Self { ty, is_const: false, annotations, inner, open: None, depth: 1, size: 1 }
    }

    /// A pointer to it.
    pub(super) fn pointer(self, is_const: bool, at: Position) -> Checked<Self> {
        self.sized()?;
        let pointee = Pointee { ty: self.ty, is_const: self.is_const, annotations: self.annotations };
        let pointer = Self { is_const, ..Self::of(Type::Pointer(Box::new(pointee))) };
        pointer.measured(self.depth, self.size, at)
    }

    /// An array of it; without a size the array stays open.
    pub(super) fn array(self, size: Option<u64>, at: Position) -> Checked<Self> {
        self.sized()?;
        match self.ty {
            Type::Void => return fault(at, "an array cannot have elements of type `void`"),
            Type::Function(_) => return fault(at, "an array cannot have functions as elements"),
            _ => {}
        }
        let open = if size.is_none() { Some(at) } else { None };
        let ty = Type::Array(Box::new(self.ty), size.unwrap_or(0));
        let array = Self { is_const: self.is_const, inner: self.annotations, open, ..Self::of(ty) };
        array.measured(self.depth, self.size, at)
    }

    /// A function that returns it. `size` and `depth` are those of the parameters.
    pub(super) fn function(
        self,
        params: Vec<Param>,
        is_variadic: bool,
        size: usize,
        depth: usize,
        at: Position,
    ) -> Checked<Self> {
        match self.ty {
            Type::Array(..) => return fault(at, "a function cannot return an array"),
            Type::Function(_) => return fault(at, "a function cannot return a function"),
            _ => {}
        }
        let signature = Signature { result: self.ty, params, is_variadic };
        let function = Self { inner: self.annotations, ..Self::of(Type::Function(Box::new(signature))) };
        function.measured(self.depth.max(depth), self.size.saturating_add(size), at)
    }

    /// The type that a parameter gets which is declared like this, and how many elements its array has.
    pub(super) fn decayed(mut self, at: Position) -> Checked<(Self, Option<u64>)> {
        let open = self.open.take();
        match self.ty {
            Type::Array(element, length) => {
                let pointee = Pointee { ty: *element, is_const: self.is_const, annotations: self.inner };
                let pointer = Self { ty: Type::Pointer(Box::new(pointee)), is_const: false, ..Self::of(Type::Void) };
                let (depth, size) = (self.depth - 1, self.size - 1);
                let mut pointer = pointer.measured(depth, size, at)?;
                pointer.annotations = self.annotations;
                Ok((pointer, open.is_none().then_some(length)))
            }
            Type::Function(_) => Ok((self.pointer(false, at)?, None)),
            _ => Ok((self, None)),
        }
    }

    /// Whether typedefs of the two would be the same.
    pub(super) fn is_same_type(&self, other: &Self) -> bool {
        (&self.ty, self.is_const, &self.annotations) == (&other.ty, other.is_const, &other.annotations)
    }

    /// How deep it nests.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Refuses an array without a size, which can only be the outermost part of a type.
    fn sized(&self) -> Checked<()> {
        match self.open {
            Some(at) => fault(at, "only the first size of an array can be left out, and only in a parameter"),
            None => Ok(()),
        }
    }

    /// Notes that it consists of `size` types that nest `depth` deep, and of itself.
    fn measured(mut self, depth: usize, size: usize, at: Position) -> Checked<Self> {
        self.depth = depth + 1;
        self.size = size.saturating_add(1);
        if self.depth > DEEPEST {
            return fault(at, format!("this type is nested more than {DEEPEST} deep"));
        } else if self.size > LARGEST {
            return fault(at, format!("this type consists of more than {LARGEST} others"));
        }
        Ok(self)
    }
}
