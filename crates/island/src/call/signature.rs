//! Signatures with references or vectors, whose values are passed as `wasmtime::Val`.

use wasmtime::{AsContext, FuncType, HeapType, Val, ValType};

use crate::call::numbers::NumberKind;

/// The types of the values that a call passes in one direction, taken apart once.
#[derive(Debug)]
pub struct ValueTypes(Box<[ValueType]>);

#[derive(Debug)]
struct ValueType {
    ty: ValType,
    shape: Shape,
    nullable: bool,
    /// Whether any value of the shape has the type.
    is_top: bool,
}

/// Which variant of [`Val`] a type's values have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    Number(NumberKind),
    V128,
    Func,
    Extern,
    Any,
    Exn,
    Cont,
}

impl Shape {
    fn of(val: &Val) -> Self {
        match val {
            Val::I32(_) => Self::Number(NumberKind::I32),
            Val::I64(_) => Self::Number(NumberKind::I64),
            Val::F32(_) => Self::Number(NumberKind::F32),
            Val::F64(_) => Self::Number(NumberKind::F64),
            Val::V128(_) => Self::V128,
            Val::FuncRef(_) => Self::Func,
            Val::ExternRef(_) => Self::Extern,
            Val::AnyRef(_) => Self::Any,
            Val::ExnRef(_) => Self::Exn,
            Val::ContRef(_) => Self::Cont,
        }
    }
}

impl ValueType {
    fn new(ty: ValType) -> Self {
        let (shape, is_top) = match &ty {
            ValType::V128 => (Shape::V128, true),
            ValType::Ref(reference) => {
                let shape = match reference.heap_type().top() {
                    HeapType::Func => Shape::Func,
                    HeapType::Extern => Shape::Extern,
                    HeapType::Any => Shape::Any,
                    HeapType::Exn => Shape::Exn,
                    _ => Shape::Cont,
                };
                (shape, HeapType::eq(reference.heap_type(), &reference.heap_type().top()))
            }
            number => (Shape::Number(NumberKind::of(number).expect("nothing else is left")), true),
        };
        let nullable = ty.as_ref().is_some_and(|reference| reference.is_nullable());
        Self { ty, shape, nullable, is_top }
    }
}

impl ValueTypes {
    fn new(types: impl Iterator<Item = ValType>) -> Self {
        Self(types.map(ValueType::new).collect())
    }

    /// The types, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &ValType> {
        self.0.iter().map(|value| &value.ty)
    }

    /// The number of types.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no types.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn shapes(&self) -> impl ExactSizeIterator<Item = Shape> {
        self.0.iter().map(|value| value.shape)
    }

    /// Whether `values` have these types and belong to the store, as `is_ours` says.
    pub(crate) fn fit(
        &self,
        store: impl AsContext,
        is_ours: impl Fn(&Val) -> bool,
        values: &[Val],
    ) -> wasmtime::Result<bool> {
        if values.len() != self.0.len() {
            return Ok(false);
        }
        for (val, ty) in values.iter().zip(&self.0) {
            let is_null = val.ref_().is_some_and(|reference| reference.is_null());
            let fits = is_ours(val) && Shape::of(val) == ty.shape && (!is_null || ty.nullable);
            if !fits || (!is_null && !ty.is_top && !val.matches_ty(&store, &ty.ty)?) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The types, in both directions, of a call that passes more than numbers.
#[derive(Debug)]
pub struct Signature {
    /// The parameters.
    pub params: ValueTypes,
    /// The results.
    pub results: ValueTypes,
}

impl Signature {
    /// Takes a function's type apart.
    pub fn new(ty: &FuncType) -> Self {
        Self { params: ValueTypes::new(ty.params()), results: ValueTypes::new(ty.results()) }
    }
}
