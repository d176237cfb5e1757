//! Guests' functions, and the host's calls of them.

use std::cell::OnceCell;
use std::rc::Rc;

use smallvec::SmallVec;
use wasmtime::{Func, FuncType, StoreContextMut, Val, ValRaw};

use crate::call::c_stack::{CStack, OwnStack};
use crate::call::fiber::{Fiber, WaitKind};
use crate::call::island::{Island, StoreState};
use crate::call::numbers::{Frame, Number, NumberKind, NumericType, PlainType, Slot, Slots};
use crate::call::raw::{self, Failure, argument_slots};
use crate::call::signature::Signature;
use crate::call::trap::CallError;

/// A guest function that is ready to be called.
#[derive(Debug)]
pub struct Callee {
    func: Func,
    ty: FuncType,
    numeric: Option<NumericType>,
    plain: Option<PlainType>,
    signature: OnceCell<Rc<Signature>>,
    /// C's stack in its guest, once somebody asked.
    pub(crate) c_stack: OnceCell<Option<CStack>>,
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
        Some(Self { func, numeric, plain, ty, signature: OnceCell::new(), c_stack: OnceCell::new() })
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

/// Where C's stack ended at some time: see [`Island::mark_stack`].
#[derive(Debug, Clone, Copy)]
pub struct StackMark(Option<u64>);

impl Island {
    #[inline]
    fn c_stack(&self, callee: &Callee) -> Option<CStack> {
        match callee.c_stack.get() {
            _ if !self.owns(&callee.func) => None,
            Some(known) => *known,
            None if !self.can_enter() => None,
            None => *callee.c_stack.get_or_init(|| self.find_c_stack(callee.func)),
        }
    }

    /// Remembers where C's stack ends, in the guest that `callee` is of. If a call of it does not return,
    /// [`Island::unwind_stack`] gives back what it has taken.
    #[inline]
    pub fn mark_stack(&self, callee: &Callee) -> StackMark {
        StackMark(self.c_stack(callee).map(CStack::get))
    }

    /// Has C's stack end where it did.
    #[cold]
    pub fn unwind_stack(&self, callee: &Callee, mark: StackMark) {
        if let (Some(stack), StackMark(Some(end))) = (self.c_stack(callee), mark) {
            stack.set(end);
        }
    }

    /// How many bytes C's stack has in the guest that `callee` is of, or at most a mebibyte. `None` if the guest has no
    /// such stack, or none that can be found.
    pub fn stack_bytes(&self, callee: &Callee) -> Option<u64> {
        self.c_stack(callee).map(CStack::bytes)
    }
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
        raw::call_unchecked(self, callee.func, &mut frame.slots).map_err(|failure| failure.explain(self, callee.func))
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
        raw::call_unchecked(self, callee.func, &mut arguments.0)?;
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
        raw::call_unchecked(self, callee.func, &mut slots)?;
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
        raw::call_with(self, callee.func, callee.signature(), params, results).map_err(|error| self.call_error(error))
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

impl Fiber {
    /// Prepares a call, which begins with [`Fiber::start`]. `arguments` makes the arguments in the store's context.
    ///
    /// # Errors
    /// When the arguments do not have the parameters' types, when the function belongs to another island, or what
    /// `arguments` fails with.
    pub fn new(
        island: &Rc<Island>,
        callee: &Callee,
        arguments: impl FnOnce(&mut StoreContextMut<'_, StoreState>) -> wasmtime::Result<SmallVec<[Val; 4]>>,
    ) -> Result<Self, CallError> {
        let slots = |signature: &Signature| argument_slots(island, signature, arguments);
        Self::with_slots(island, callee.func, callee.shared_signature(), WaitKind::UntilResumed, slots)
    }

    /// Gives the call, which is one of `callee` and has not begun, a stack of its own for what C keeps in the guest's
    /// memory. It begins at the address `top`, and grows down as C's own one does. (In a guest that has no such stack,
    /// nothing changes.)
    pub fn with_stack(mut self, callee: &Callee, top: u64) -> Self {
        self.set_stack(self.island().c_stack(callee).map(|stack| OwnStack::new(stack, top)));
        self
    }
}
