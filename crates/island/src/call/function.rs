//! The functions that are called: guests' functions by the host, and host functions by guests.

use std::cell::OnceCell;
use std::mem::MaybeUninit;
use std::rc::Rc;

use smallvec::SmallVec;
use wasmtime::{Func, FuncType, StoreContextMut, Val, ValRaw};

use crate::call::island::{Island, StoreState};
use crate::call::numbers::{Frame, Number, NumberKind, NumericType, PlainType, Slot, Slots};
use crate::call::raw::{self, Failure};
use crate::call::signature::Signature;
use crate::call::trap::{CallError, HostThrew};

/// A guest function that is ready to be called.
#[derive(Debug)]
pub struct Callee {
    pub(crate) func: Func,
    ty: FuncType,
    numeric: Option<NumericType>,
    plain: Option<PlainType>,
    signature: OnceCell<Rc<Signature>>,
}

impl Callee {
    /// Reads `func`'s type once. Returns `None` if `func` does not belong to this island.
    #[inline]
    pub fn new(island: &Rc<Island>, func: Func) -> Option<Self> {
        if !island.owns(&func) {
            return None;
        }
        let ty = island.enter(|store| func.ty(&store));
        let numeric = NumericType::of(&ty);
        let plain = numeric.as_ref().and_then(PlainType::of);
        Some(Self { func, numeric, plain, ty, signature: OnceCell::new() })
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

    /// Its type, taken apart for [`Island::call_with`].
    pub fn signature(&self) -> &Signature {
        self.signature.get_or_init(|| Rc::new(Signature::new(&self.ty)))
    }

    pub(crate) fn shared_signature(&self) -> Rc<Signature> {
        self.signature();
        self.signature.get().expect("made just now").clone()
    }

    /// Its type, if it has few numbers and nothing else, for [`Island::call_numbers`].
    #[inline]
    pub fn plain(&self) -> Option<&PlainType> {
        self.plain.as_ref()
    }

    /// Its type, if it has nothing but numbers, for [`Island::call_numeric`].
    #[inline]
    pub fn numeric(&self) -> Option<&NumericType> {
        self.numeric.as_ref()
    }
}

/// The arguments and results of a guest's call to the host.
pub struct HostFrame<'a> {
    ty: &'a NumericType,
    slots: &'a mut [MaybeUninit<ValRaw>],
    returned: usize,
}

impl<'a> HostFrame<'a> {
    #[inline]
    pub(crate) fn new(ty: &'a NumericType, slots: &'a mut [MaybeUninit<ValRaw>]) -> Self {
        Self { ty, slots, returned: 0 }
    }

    /// The arguments, in order.
    #[inline]
    pub fn args(&self) -> impl ExactSizeIterator<Item = Number> {
        self.ty.params.iter().zip(self.slots.iter()).map(|(&kind, slot)| raw::argument(kind, slot))
    }

    /// The results' types.
    #[inline]
    pub fn results(&self) -> &'a [NumberKind] {
        &self.ty.results
    }

    /// Sets the next result. The arguments cannot be read any more after this.
    ///
    /// # Panics
    /// When the result has another type, or all results have been set.
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

/// A function that a guest can import. It may enter the island again.
pub trait HostFunction: 'static {
    /// A call whose signature has nothing but numbers. All results must be pushed.
    ///
    /// # Errors
    /// When the guest is to be unwound: the call that entered it then fails with [`CallError::Host`].
    fn call_numeric(&self, island: &Rc<Island>, frame: &mut HostFrame<'_>) -> Result<(), HostThrew>;

    /// A call with references or vectors among its parameters and results. References in the results must have been
    /// made during this call.
    ///
    /// # Errors
    /// As [`HostFunction::call_numeric`].
    fn call_values(&self, island: &Rc<Island>, args: &[Val], results: &mut [Val]) -> Result<(), HostThrew>;
}

impl Island {
    /// Calls a function whose signature has nothing but numbers. All parameters must have been pushed to `frame`.
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
        raw::call_unchecked(self, callee, &mut frame.slots).map_err(|failure| failure.explain(self, callee))
    }

    /// [`Island::call_numeric`] for a function whose type is [plain](Callee::plain). Returns its result. (Arguments
    /// of another type than the parameters are passed by their bits.)
    ///
    /// # Errors
    /// When the call does not return.
    ///
    /// # Panics
    /// When the type is another one.
    #[inline(always)]
    pub fn call_plain(self: &Rc<Self>, callee: &Callee, arguments: &mut Slots) -> Result<Slot, Failure> {
        assert!(callee.plain.is_some(), "a plain type");
        raw::call_unchecked(self, callee, &mut arguments.0)?;
        // The result has taken the place of the first argument.
        Ok(arguments.first())
    }

    /// Calls a function that takes one address, as `malloc` and `free` do, and returns an address or nothing (then this
    /// returns 0).
    ///
    /// # Errors
    /// When the call does not return.
    ///
    /// # Panics
    /// When the function has another type, or the address does not fit its parameter.
    #[inline]
    pub fn call_address(self: &Rc<Self>, callee: &Callee, address: u64) -> Result<u64, Failure> {
        let ty = callee.plain.as_ref().expect("a function of addresses has few numbers");
        let fits = ty.takes_only(NumberKind::I32) && address <= u32::MAX.into() || ty.takes_only(NumberKind::I64);
        assert!(fits, "the function takes something else than one address, or a shorter one");
        let mut slots = [ValRaw::u64(address)];
        raw::call_unchecked(self, callee, &mut slots)?;
        Ok(ty.result().map_or(0, |kind| Number::read(kind, &slots[0]).as_address()))
    }

    /// Calls a function of any type. `params` makes its arguments, and `results` takes what it returns, each in the
    /// store's context; references among them last as long as these.
    ///
    /// # Errors
    /// When the call does not return, what `params` fails with, or when the arguments do not have the parameters' types.
    pub fn call_with<R>(
        self: &Rc<Self>,
        callee: &Callee,
        params: impl FnOnce(&mut StoreContextMut<'_, StoreState>) -> wasmtime::Result<SmallVec<[Val; 4]>>,
        results: impl FnOnce(&mut StoreContextMut<'_, StoreState>, &[Val]) -> R,
    ) -> Result<R, CallError> {
        self.check_stack()?;
        raw::call_with(self, callee, params, results).map_err(|error| self.call_error(error))
    }

    /// Calls a function of any type but one that returns references to objects.
    ///
    /// # Errors
    /// When the call does not return, or the arguments do not have the parameters' types.
    ///
    /// # Panics
    /// When the function has another number of results than there is room for, or returns a reference to an object.
    pub fn call_values(self: &Rc<Self>, func: Func, params: &[Val], results: &mut [Val]) -> Result<(), CallError> {
        self.check_stack()?;
        let callee = Callee::new(self, func).ok_or_else(CallError::foreign_function)?;
        let params = |_: &mut StoreContextMut<'_, StoreState>| Ok(params.into());
        self.call_with(&callee, params, |_, values| {
            let ends =
                |value: &Val| matches!(value, Val::ExternRef(Some(_)) | Val::AnyRef(Some(_)) | Val::ExnRef(Some(_)));
            assert!(!values.iter().any(ends), "a reference to an object does not outlive the call");
            results.copy_from_slice(values);
        })
    }
}
