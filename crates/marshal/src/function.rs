//! Bound functions: checked against the guest's type once, then called.

use std::marker::PhantomData;
use std::rc::Rc;

use island::{Callee, Frame, Island, Kind};
use smallvec::SmallVec;

use crate::argument::{Arguments, Call};
use crate::error::GuestError;
use crate::heap::Heap;
use crate::output::{Output, Returned, Sliced, Whole};

/// A guest function, bound with its Rust types by [`Guest::function`](crate::Guest::function).
///
/// It keeps its guest alive.
pub struct Function<A, R, L = ()> {
    island: Rc<Island>,
    heap: Option<Rc<Heap>>,
    callee: Callee,
    trusted: bool,
    len: L,
    kind: PhantomData<fn(A) -> R>,
}

impl<A: Arguments, R: Output> Function<A, R> {
    pub(crate) fn bind(
        island: &Rc<Island>,
        heap: Option<&Rc<Heap>>,
        name: &str,
        callee: Callee,
        trusted: bool,
    ) -> Result<Self, GuestError> {
        if (A::HEAP || R::HEAP) && heap.is_none() {
            return Err(GuestError::NoHeap { function: name.into() });
        }
        let pointer = if heap.is_some_and(|heap| heap.is_wide()) { Kind::I64 } else { Kind::I32 };
        let (params, result) = (A::params(pointer), R::kind(pointer));
        let fits = |ty: &island::call::NumericType| *ty.params == *params && *ty.results == *result.as_slice();
        if !callee.numeric().is_some_and(fits) {
            let list = |kinds: &[Kind]| {
                kinds.iter().map(|kind| format!("{kind:?}").to_lowercase()).collect::<Vec<_>>().join(", ")
            };
            let expected = format!("({}) -> ({})", list(&params), list(result.as_slice()));
            return Err(GuestError::Type { function: name.into(), expected, found: callee.ty().to_string() });
        }
        Ok(Self { island: island.clone(), heap: heap.cloned(), callee, trusted, len: (), kind: PhantomData })
    }

    /// Says how many elements a returned slice has: `len` computes it from the arguments, before the call.
    pub fn with_len<F: for<'a> Fn(&A::Given<'a>) -> usize>(self, len: F) -> Function<A, R, Len<F>> {
        let Self { island, heap, callee, trusted, .. } = self;
        Function { island, heap, callee, trusted, len: Len(len), kind: PhantomData }
    }

    /// Calls the guest. It is a safe point: blocks that were dropped before are freed first.
    ///
    /// # Errors
    /// When an argument cannot be passed, when the guest does not return, or when what it returns is not what the
    /// function was bound to return. What was allocated for the arguments is freed in any case.
    pub fn call(&self, arguments: A::Given<'_>) -> Result<R, GuestError>
    where
        R: Whole,
    {
        self.call_with_len(arguments, 0)
    }
}

/// How [`Function::with_len`] computes a length.
#[derive(Debug, Clone, Copy)]
pub struct Len<F>(F);

impl<A: Arguments, R: Sliced, F: for<'a> Fn(&A::Given<'a>) -> usize> Function<A, R, Len<F>> {
    /// As the other [`call`](Function::call), for a result with a length.
    ///
    /// # Errors
    /// The same.
    pub fn call(&self, arguments: A::Given<'_>) -> Result<R, GuestError> {
        let len = self.len.0(&arguments);
        self.call_with_len(arguments, len)
    }
}

impl<A: Arguments, R: Output, L> Function<A, R, L> {
    fn call_with_len(&self, arguments: A::Given<'_>, len: usize) -> Result<R, GuestError> {
        let heap = self.heap.as_deref();
        if let Some(heap) = heap {
            heap.drain()?;
        }
        let ty = self.callee.numeric().expect("binding checked the type");
        let mut call = Call { frame: Frame::new(ty), heap, trusted: self.trusted, temporary: SmallVec::new() };
        let result = self.run(arguments, len, &mut call);
        // What the call allocated goes, however it ended; the first error is the one to tell.
        let mut freed = Ok(());
        for address in call.temporary {
            freed = freed.and(heap.map_or(Ok(()), |heap| heap.free(address)));
        }
        let result = result?;
        freed?;
        Ok(result)
    }

    fn run(&self, arguments: A::Given<'_>, len: usize, call: &mut Call<'_>) -> Result<R, GuestError> {
        let addresses = A::pass(&arguments, call)?;
        self.island.call_numeric(&self.callee, &mut call.frame)?;
        A::take_back(arguments, addresses, call)?;
        let number = call.frame.ty().results.first().map(|_| call.frame.result(0));
        R::take(Returned { number, len, heap: call.heap })
    }
}

impl<A, R, L> std::fmt::Debug for Function<A, R, L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Function").field("ty", self.callee.ty()).field("trusted", &self.trusted).finish_non_exhaustive()
    }
}
