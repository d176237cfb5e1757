//! Calls in both directions. Signatures of numbers alone take the unchecked path: no allocation, no look-up, each slot
//! checked against its type by one comparison. Everything else goes by `wasmtime::Val`.

use std::cell::OnceCell;
use std::rc::Rc;

use smallvec::SmallVec;
use wasmtime::{Func, FuncType, HeapType, RootScope, StoreContextMut, Val, ValRaw, ValType};

use crate::call::island::{Island, StoreState};
use crate::call::raw::StoreObject;
use crate::call::trap::CallError;

/// The type of a slot on the unchecked path.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Kind {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}

impl Kind {
    #[inline]
    fn of(ty: &ValType) -> Option<Self> {
        match ty {
            ValType::I32 => Some(Self::I32),
            ValType::I64 => Some(Self::I64),
            ValType::F32 => Some(Self::F32),
            ValType::F64 => Some(Self::F64),
            ValType::V128 | ValType::Ref(_) => None,
        }
    }
}

/// A signature of numbers alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NumericType {
    /// The parameters' types.
    pub params: SmallVec<[Kind; 12]>,
    /// The results' types.
    pub results: SmallVec<[Kind; 4]>,
}

impl NumericType {
    /// The numeric view of `ty`; none where a parameter or result is a reference or a vector.
    #[inline]
    pub fn of(ty: &FuncType) -> Option<Self> {
        let params = ty.params().map(|p| Kind::of(&p)).collect::<Option<_>>()?;
        let results = ty.results().map(|r| Kind::of(&r)).collect::<Option<_>>()?;
        Some(Self { params, results })
    }

    #[inline]
    fn width(&self) -> usize {
        self.params.len().max(self.results.len())
    }
}

/// The types of the values that one call passes in one direction, taken apart once.
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
    Number(Kind),
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
            Val::I32(_) => Self::Number(Kind::I32),
            Val::I64(_) => Self::Number(Kind::I64),
            Val::F32(_) => Self::Number(Kind::F32),
            Val::F64(_) => Self::Number(Kind::F64),
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
            number => (Shape::Number(Kind::of(number).expect("nothing else is left")), true),
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

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn shapes(&self) -> impl ExactSizeIterator<Item = Shape> {
        self.0.iter().map(|value| value.shape)
    }

    /// Whether `values` have these types, and are of the store.
    pub(crate) fn fit(&self, store: &StoreContextMut<'_, StoreState>, values: &[Val]) -> wasmtime::Result<bool> {
        let number = store.data().number;
        if values.len() != self.0.len() {
            return Ok(false);
        }
        for (val, ty) in values.iter().zip(&self.0) {
            let is_null = val.ref_().is_some_and(|reference| reference.is_null());
            let is_ours = val.store_number().is_none_or(|of| of == number);
            let fits = is_ours && Shape::of(val) == ty.shape && (!is_null || ty.nullable);
            if !fits || (!is_null && !ty.is_top && !val.matches_ty(store, &ty.ty)?) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The types of a call that numbers alone do not make, in both directions.
#[derive(Debug)]
pub struct Signature {
    /// What the function takes.
    pub params: ValueTypes,
    /// What it returns.
    pub results: ValueTypes,
}

impl Signature {
    /// Takes a function's type apart.
    pub fn new(ty: &FuncType) -> Self {
        Self { params: ValueTypes::new(ty.params()), results: ValueTypes::new(ty.results()) }
    }
}

/// A guest function that is ready to be called.
#[derive(Debug)]
pub struct Callee {
    pub(crate) func: Func,
    ty: FuncType,
    numeric: Option<NumericType>,
    signature: OnceCell<Signature>,
}

impl Callee {
    /// Looks at `func`'s type once. `None` if `func` is not of this island.
    #[inline]
    pub fn new(island: &Rc<Island>, func: Func) -> Option<Self> {
        if !island.owns(&func) {
            return None;
        }
        let ty = island.enter(|store| func.ty(&store));
        Some(Self { func, numeric: NumericType::of(&ty), ty, signature: OnceCell::new() })
    }

    /// The function.
    #[inline]
    pub fn func(&self) -> Func {
        self.func
    }

    /// Its type.
    #[inline]
    pub fn ty(&self) -> &FuncType {
        &self.ty
    }

    /// Its type, taken apart for [`Island::call_rooted`].
    pub fn signature(&self) -> &Signature {
        self.signature.get_or_init(|| Signature::new(&self.ty))
    }

    /// Its type where it has numbers alone, which [`Island::call_numeric`] takes.
    #[inline]
    pub fn numeric(&self) -> Option<&NumericType> {
        self.numeric.as_ref()
    }
}

/// Numbers on their way into a guest function and out of it.
#[derive(Debug)]
pub struct Frame<'t> {
    ty: &'t NumericType,
    filled: usize,
    pub(crate) slots: SmallVec<[ValRaw; 8]>,
}

impl<'t> Frame<'t> {
    /// A frame for one call.
    #[inline]
    pub fn new(ty: &'t NumericType) -> Self {
        let width = ty.width();
        // Nearly every signature fits; an array of known length is cleared in place, without a copy.
        let slots = match width {
            0..=8 => SmallVec::from_buf_and_len([ValRaw::u64(0); 8], width),
            _ => SmallVec::from_elem(ValRaw::u64(0), width),
        };
        Self { ty, filled: 0, slots }
    }

    /// The type of the next parameter to push; none when all are there.
    #[inline]
    pub fn next(&self) -> Option<Kind> {
        self.ty.params.get(self.filled).copied()
    }

    /// Pushes the next parameter.
    ///
    /// # Panics
    /// When it is of another type, or all are there.
    #[inline]
    pub fn push(&mut self, value: Number) {
        assert_eq!(self.next(), Some(value.kind()), "parameter {} is of another type", self.filled);
        self.slots[self.filled] = value.raw();
        self.filled += 1;
    }

    /// [`Frame::push`] for the commonest type.
    ///
    /// # Panics
    /// As [`Frame::push`].
    #[inline]
    pub fn push_i32(&mut self, value: i32) {
        self.push(Number::I32(value));
    }

    /// The frame's type.
    #[inline]
    pub fn ty(&self) -> &'t NumericType {
        self.ty
    }

    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.filled == self.ty.params.len()
    }

    /// The result at `index`, once the call returned.
    ///
    /// # Panics
    /// When there is none.
    #[inline]
    pub fn result(&self, index: usize) -> Number {
        Number::read(self.ty.results[index], &self.slots[index])
    }
}

/// A number with its type.
#[derive(Clone, Copy, PartialEq, Debug)]
#[allow(missing_docs)] // each is the type of that name
pub enum Number {
    I32(i32),
    I64(i64),
    F32(f32),
    F64(f64),
}

impl Number {
    #[inline]
    pub(crate) fn read(kind: Kind, raw: &ValRaw) -> Self {
        match kind {
            Kind::I32 => Self::I32(raw.get_i32()),
            Kind::I64 => Self::I64(raw.get_i64()),
            Kind::F32 => Self::F32(f32::from_bits(raw.get_f32())),
            Kind::F64 => Self::F64(f64::from_bits(raw.get_f64())),
        }
    }

    /// The number as an address of a guest: an integer without its sign. A float is none, and becomes 0.
    #[inline]
    pub fn as_address(self) -> u64 {
        match self {
            Self::I32(value) => u64::from(value as u32),
            Self::I64(value) => value as u64,
            Self::F32(_) | Self::F64(_) => 0,
        }
    }

    #[inline]
    /// Its type.
    pub fn kind(self) -> Kind {
        match self {
            Self::I32(_) => Kind::I32,
            Self::I64(_) => Kind::I64,
            Self::F32(_) => Kind::F32,
            Self::F64(_) => Kind::F64,
        }
    }

    #[inline]
    pub(crate) fn raw(self) -> ValRaw {
        match self {
            Self::I32(value) => ValRaw::i32(value),
            Self::I64(value) => ValRaw::i64(value),
            Self::F32(value) => ValRaw::f32(value.to_bits()),
            Self::F64(value) => ValRaw::f64(value.to_bits()),
        }
    }
}

/// The arguments and results of a call that a guest makes.
pub struct HostFrame<'a> {
    ty: &'a NumericType,
    slots: &'a mut [std::mem::MaybeUninit<ValRaw>],
    returned: usize,
}

impl<'a> HostFrame<'a> {
    #[inline]
    pub(crate) fn new(ty: &'a NumericType, slots: &'a mut [std::mem::MaybeUninit<ValRaw>]) -> Self {
        Self { ty, slots, returned: 0 }
    }

    /// The arguments, in order.
    #[inline]
    pub fn args(&self) -> impl ExactSizeIterator<Item = Number> {
        self.ty.params.iter().zip(self.slots.iter()).map(|(&kind, slot)| crate::call::raw::argument(kind, slot))
    }

    /// The results' types.
    #[inline]
    pub fn results(&self) -> &'a [Kind] {
        &self.ty.results
    }

    /// Sets the next result. The arguments cannot be read any more after this.
    ///
    /// # Panics
    /// When it is of another type, or all are there.
    #[inline]
    pub fn push(&mut self, value: Number) {
        assert_eq!(self.ty.results.get(self.returned), Some(&value.kind()), "result {}", self.returned);
        self.slots[self.returned].write(value.raw());
        self.returned += 1;
    }

    #[inline]
    pub(crate) fn is_complete(&self) -> bool {
        self.returned == self.ty.results.len()
    }
}

/// A host function failed. Why is kept by the host that the function belongs to, unless it is an exception that guests
/// can catch: [`Island::throw`] made this then.
#[derive(Debug)]
pub struct HostThrew;

impl std::fmt::Display for HostThrew {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a host function failed")
    }
}

impl std::error::Error for HostThrew {}

/// A function that a guest can import. It may enter the island again.
pub trait HostFunction: 'static {
    /// A call whose signature has numbers alone. All results must be pushed.
    ///
    /// # Errors
    /// The guest is unwound, and the call that entered it fails with [`CallError::Host`].
    fn call_numeric(&self, island: &Rc<Island>, frame: &mut HostFrame<'_>) -> Result<(), HostThrew>;

    /// A call with references or vectors among its parameters and results. What the results refer to must have been made
    /// in this call.
    ///
    /// # Errors
    /// As [`HostFunction::call_numeric`].
    fn call_values(&self, island: &Rc<Island>, args: &[Val], results: &mut [Val]) -> Result<(), HostThrew>;
}

impl Island {
    /// Calls a function of numbers alone: `fill` has pushed all parameters.
    ///
    /// # Errors
    /// When the call does not return.
    ///
    /// # Panics
    /// When parameters are missing.
    #[inline]
    pub fn call_numeric(self: &Rc<Self>, callee: &Callee, frame: &mut Frame<'_>) -> Result<(), CallError> {
        assert!(frame.is_full(), "parameters are missing");
        assert!(callee.numeric().is_some_and(|ty| std::ptr::eq(ty, frame.ty()) || ty == frame.ty()));
        crate::call::raw::call_unchecked(self, callee, &mut frame.slots)
    }

    /// Calls a function of one address, as `malloc` and `free` are, that returns an address or nothing (0 then).
    ///
    /// # Errors
    /// When the call does not return.
    ///
    /// # Panics
    /// When the function has another type, or the address more bits than its parameter.
    #[inline]
    pub fn call_address(self: &Rc<Self>, callee: &Callee, address: u64) -> Result<u64, CallError> {
        let ty = callee.numeric().expect("a function of addresses has numbers alone");
        let mut slots = match *ty.params {
            [Kind::I32] => [ValRaw::u32(address.try_into().expect("an address of 32 bits"))],
            [Kind::I64] => [ValRaw::u64(address)],
            _ => panic!("expected one address as the parameter"),
        };
        assert!(ty.results.len() <= 1);
        crate::call::raw::call_unchecked(self, callee, &mut slots)?;
        Ok(ty.results.first().map_or(0, |&kind| Number::read(kind, &slots[0]).as_address()))
    }

    /// Calls a function of any type, with values of the scope.
    ///
    /// # Errors
    /// When the values do not have the parameters' types, or the function or a value is of another store, or what [`Island::call_error`] tells of.
    #[inline]
    pub fn call_rooted(
        scope: &mut RootScope<StoreContextMut<'_, StoreState>>,
        callee: &Callee,
        params: &[Val],
    ) -> wasmtime::Result<SmallVec<[Val; 4]>> {
        crate::call::raw::call_rooted(scope, callee, params)
    }

    /// Calls a function of any type. References in `params` and `results` belong to the store's current scope.
    ///
    /// # Errors
    /// When the call does not return.
    pub fn call_values(self: &Rc<Self>, func: Func, params: &[Val], results: &mut [Val]) -> Result<(), CallError> {
        self.check_stack()?;
        if !self.owns(&func) {
            return Err(CallError::foreign_function());
        }
        self.enter(|store| func.call(store, params, results)).map_err(|error| self.call_error(error))
    }
}
