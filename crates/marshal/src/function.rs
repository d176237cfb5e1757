//! Bound functions: checked against the guest's type once, then called.

use std::marker::PhantomData;
use std::rc::Rc;

use island::call::{Number, NumericType};
use island::{Callee, Frame, NumberKind};
use smallvec::SmallVec;

use crate::argument::{Arguments, Call};
use crate::call_stack::CallStack;
use crate::copy::read_into;
use crate::error::GuestError;
use crate::guest::Core;
use crate::output::{Flat, Name, Output, Part, Returned, Sequence};
use crate::plain::{Plain, zero};
use crate::transfer::{Binder, Suspendable};

/// A guest function, bound with its Rust types by [`Guest::function`](crate::Guest::function).
///
/// It keeps its guest alive.
pub struct Function<A, R, L = ()> {
    core: Rc<Core>,
    callee: Callee,
    name: Name,
    trusted: bool,
    len: L,
    kind: PhantomData<fn(A) -> R>,
}

/// What comes back from a call, as nested pairs.
type Parts<A, R> = <<R as Output>::Part as Part>::Before<<A as Arguments>::Outs>;

/// What comes back from a call: nothing, the only value, or a tuple of what the function returns and what it leaves in
/// its out-parameters, in their order.
pub type Returns<A, R> = <Parts<A, R> as Flat>::Tuple;

impl<A: Arguments, R: Output> Function<A, R> {
    pub(crate) fn bind(core: &Rc<Core>, name: &str, callee: Callee, trusted: bool) -> Result<Self, GuestError> {
        if (A::HEAP || R::HEAP) && core.heap.is_none() {
            return Err(GuestError::NoHeap { function: name.into() });
        }
        let (mut params, mut results) = (Vec::new(), Vec::new());
        if R::hidden(core.pointer).is_some() {
            params.push(core.pointer);
        }
        A::params(core.pointer, &mut params);
        R::kinds(core.pointer, &mut results);
        let fits = |ty: &NumericType| *ty.params == *params && *ty.results == *results;
        if !callee.numeric().is_some_and(fits) {
            let expected = in_words(&params, &results);
            return Err(GuestError::Type { function: name.into(), expected, found: callee.ty().to_string() });
        }
        let mut binder = Binder::new(core);
        A::bind(&mut binder)?;
        R::bind(&mut binder)?;
        let name = Name { name: name.into(), success: None };
        Ok(Self { core: core.clone(), callee, name, trusted, len: (), kind: PhantomData })
    }

    /// Says how many elements a returned slice has: `len` computes it from the arguments, before the call.
    pub fn with_len<F: for<'a> Fn(&A::Given<'a>) -> usize>(self, len: F) -> Function<A, R, Len<F>> {
        self.ruled(Len(len))
    }

    /// Says that a returned slice ends before the first element that is `sentinel`.
    pub fn until(self, sentinel: R::Element) -> Function<A, R, Until<R::Element>>
    where
        R: Sequence,
        R::Element: PartialEq,
    {
        self.ruled(Until(sentinel))
    }

    fn ruled<L>(self, len: L) -> Function<A, R, L> {
        let Self { core, callee, name, trusted, .. } = self;
        Function { core, callee, name, trusted, len, kind: PhantomData }
    }
}

/// A type of functions, for messages.
pub(crate) fn in_words(params: &[NumberKind], results: &[NumberKind]) -> String {
    let list = |kinds: &[NumberKind]| kinds.iter().map(NumberKind::to_string).collect::<Vec<_>>().join(", ");
    format!("({}) -> ({})", list(params), list(results))
}

/// How the length of a returned slice is known.
pub trait Length<A: Arguments, R> {
    /// Whether it is known at all.
    #[doc(hidden)]
    const KNOWN: bool;
    #[doc(hidden)]
    fn before(&self, _given: &A::Given<'_>) -> Option<usize> {
        None
    }
    #[doc(hidden)]
    fn after(&self, _core: &Core, _address: u64) -> Result<Option<usize>, GuestError> {
        Ok(None)
    }
}

impl<A: Arguments, R> Length<A, R> for () {
    const KNOWN: bool = false;
}

/// The rule of [`Function::with_len`].
#[derive(Debug, Clone, Copy)]
pub struct Len<F>(F);

impl<A: Arguments, R, F: for<'a> Fn(&A::Given<'a>) -> usize> Length<A, R> for Len<F> {
    const KNOWN: bool = true;

    fn before(&self, given: &A::Given<'_>) -> Option<usize> {
        Some(self.0(given))
    }
}

/// The rule of [`Function::until`].
#[derive(Debug, Clone, Copy)]
pub struct Until<T>(T);

impl<A: Arguments, R: Sequence<Element = T>, T: Plain + PartialEq> Length<A, R> for Until<T> {
    const KNOWN: bool = true;

    fn after(&self, core: &Core, address: u64) -> Result<Option<usize>, GuestError> {
        if address == 0 {
            return Ok(None);
        }
        let (mut len, mut element) = (0, [zero::<T>()]);
        loop {
            let at = (len as u64).saturating_mul(size_of::<T>() as u64).saturating_add(address);
            read_into(core.heap().data(), at, &mut element)?;
            if element[0] == self.0 {
                return Ok(Some(len));
            }
            len += 1;
        }
    }
}

impl<A: Arguments, R: Output, L: Length<A, R>> Function<A, R, L> {
    /// Says which results of a [`Status`](crate::Status) or [`Code`](crate::Code) mean success. Without this it is 0
    /// alone.
    pub fn success(mut self, is_success: impl Fn(i32) -> bool + 'static) -> Self {
        self.name.success = Some(Box::new(is_success));
        self
    }

    /// Calls the guest. What comes back is nothing, the only value, or a tuple: what the function returns, followed by
    /// what it leaves in its [out-parameters](crate::Out).
    ///
    /// It is a safe point: blocks that were dropped before are freed first.
    ///
    /// ```
    /// # use marshal::island::{Engine, EngineOptions, Module};
    /// # use marshal::{Guest, Out};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let wasm = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../guests/typed.wasm"))?;
    /// # let engine = Engine::new(&EngineOptions::default())?;
    /// # let guest = Guest::new(&engine, &Module::new(&engine, &wasm)?)?;
    /// // void divmod(int a, int b, int *quotient, int *remainder);
    /// let divmod = guest.function::<(i32, i32, Out<i32>, Out<i32>), ()>("divmod")?;
    /// let (quotient, remainder) = divmod.call((17, 5, (), ()))?;
    /// assert_eq!((quotient, remainder), (3, 2));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The length of a returned slice comes from one of these:
    ///
    /// ```compile_fail,E0080
    /// # use marshal::island::{Engine, EngineOptions, Module};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let engine = Engine::new(&EngineOptions::default())?;
    /// # let guest = marshal::Guest::new(&engine, &Module::new(&engine, b"")?)?;
    /// let iota = guest.function::<(i32,), Vec<i32>>("iota")?; // and no .with_len(|&(n,)| n as usize)
    /// iota.call((3,))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When an argument cannot be passed, when the guest does not return, or when what it returns is not what the
    /// function was bound to return. What was allocated for the arguments is freed in any case, and so is what the
    /// guest gave away, as far as it could be read.
    ///
    /// # Panics
    /// When a [callback](crate::Callback) panics: with the same payload, after everything was freed.
    pub fn call(&self, arguments: A::Given<'_>) -> Result<Returns<A, R>, GuestError>
    where
        Parts<A, R>: Flat,
    {
        let () = Self::IS_MEASURED;
        let core = &*self.core;
        self.safe_point()?;
        let ty = self.callee.numeric().expect("binding checked the type");
        let mut call = Call::new(core, Frame::new(ty), self.trusted);
        let mut returned = false;
        let result = self.run(arguments, &mut call, &mut returned);
        self.finish(&mut call, returned, result)
    }

    /// [`Function::call`] as a future, which needs no executor of its own: while the guest waits in an [async
    /// import](crate::GuestBuilder::import_async) or an [async callback](crate::Guest::async_callback), other calls of
    /// the same guest go on, ordinary ones too. What is passed stays borrowed, and its blocks in place, for as long.
    ///
    /// Nothing happens before the future is polled. Dropping it ends the call: none of the guest's code runs in it any
    /// more, and what was allocated for the arguments is freed at the next safe point.
    ///
    /// ```
    /// # use std::future::{Ready, poll_fn, ready};
    /// # use std::task::{Context, Poll, Waker};
    /// # use marshal::island::{Engine, EngineOptions, Module};
    /// # use marshal::Guest;
    /// # async fn look_up(name: String) -> Result<i32, std::io::Error> {
    /// #     let mut was_polled = false;
    /// #     poll_fn(move |cx| {
    /// #         cx.waker().wake_by_ref();
    /// #         if std::mem::replace(&mut was_polled, true) { Poll::Ready(()) } else { Poll::Pending }
    /// #     }).await;
    /// #     Ok(name.len() as i32)
    /// # }
    /// # fn block_on<F: Future>(future: F) -> F::Output {
    /// #     let mut future = std::pin::pin!(future);
    /// #     loop {
    /// #         if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
    /// #             return output;
    /// #         }
    /// #     }
    /// # }
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let wasm = wat::parse_str(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/waiting.wat")))?;
    /// # let engine = Engine::new(&EngineOptions::default())?;
    /// # let module = Module::new(&engine, &wasm)?;
    /// // The guest imports `int look_up(const char *name);`, which takes its time.
    /// let guest = Guest::builder(&engine)
    ///     .import_async::<fn(String) -> Result<i32, std::io::Error>>("env", "look_up", |name: String| look_up(name))
    ///     .instantiate(&module)?;
    ///
    /// // int both(const char *first, const char *second);
    /// let both = guest.function::<(&str, &str), i32>("both")?;
    /// let found = block_on(async { both.call_async(("isola", "bella")).await })?; // tokio, smol, or your own
    /// assert_eq!(found, 10);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A closure of the caller's frame cannot be passed: a future can be forgotten, and the guest would still have it.
    /// Closures that are [kept](crate::Guest::callback) can:
    ///
    /// ```compile_fail,E0080
    /// # use marshal::Callback;
    /// # async fn f(guest: marshal::Guest) -> Result<(), marshal::GuestError> {
    /// let each = guest.function::<(&[i32], i32, Callback<fn(i32)>), ()>("each")?;
    /// let mut sum = 0;
    /// each.call_async((&[1], 1, &mut |value| sum += value)).await
    /// # }
    /// # fn main() {
    /// # let engine = marshal::island::Engine::new(&Default::default()).unwrap();
    /// # let module = marshal::island::Module::new(&engine, b"").unwrap();
    /// # let _ = std::pin::pin!(f(marshal::Guest::new(&engine, &module).unwrap()))
    /// #     .poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Function::call`]. An error of an async import or callback is a [`GuestError::Callback`].
    ///
    /// # Panics
    /// As [`Function::call`], out of the poll in which an import or callback panics.
    pub async fn call_async(&self, arguments: A::Given<'_>) -> Result<Returns<A, R>, GuestError>
    where
        Parts<A, R>: Flat,
    {
        let () = Self::IS_MEASURED;
        const { assert!(!A::NESTED, "a `Callback` ends with its caller's frame: pass a `Kept` one") };
        self.safe_point()?;
        let ty = self.callee.numeric().expect("binding checked the type");
        let call = Call::new(&self.core, Frame::new(ty), self.trusted);
        let mut pending = Suspendable { call, committed: false, ended: false };
        let result = self.run_async(arguments, &mut pending).await;
        pending.ended = true;
        let committed = pending.committed;
        self.finish(&mut pending.call, committed, result)
    }

    const IS_MEASURED: () = assert!(
        L::KNOWN || A::LENGTH || !(A::SLICED || R::SLICED),
        "a slice comes back: say how long it is by `with_len`, `until` or an `OutLen`"
    );

    fn safe_point(&self) -> Result<(), GuestError> {
        Ok(self.core.heap.as_ref().map_or(Ok(()), |heap| heap.drain())?)
    }

    /// Frees what the call allocated, however it ended. The first error is the one to report.
    fn finish(
        &self,
        call: &mut Call<'_>,
        returned: bool,
        result: Result<Parts<A, R>, GuestError>,
    ) -> Result<Returns<A, R>, GuestError>
    where
        Parts<A, R>: Flat,
    {
        let freed = call.reader.finish(&call.writer);
        let freed = freed.and(call.writer.finish(returned));
        let result = result.map_err(|error| self.core.explain(error))?;
        freed?;
        Ok(result.flat())
    }

    /// `committed` says whether the guest was called.
    fn run(
        &self,
        arguments: A::Given<'_>,
        call: &mut Call<'_>,
        committed: &mut bool,
    ) -> Result<Parts<A, R>, GuestError> {
        let (passed, hidden) = self.pass(arguments, call)?;
        *committed = true;
        let stack = self.core.island.mark_stack(&self.callee);
        let called = self.core.island.call_numeric(&self.callee, &mut call.frame);
        called.inspect_err(|_| self.core.island.unwind_stack(&self.callee, stack))?;
        self.take(passed, hidden, call)
    }

    async fn run_async(
        &self,
        arguments: A::Given<'_>,
        pending: &mut Suspendable<'_>,
    ) -> Result<Parts<A, R>, GuestError> {
        let core = &self.core;
        let stack = match &core.heap {
            Some(heap) => Some(CallStack::new(heap, &self.callee, core.async_stack)?),
            None => None,
        };
        let (passed, hidden) = self.pass(arguments, &mut pending.call)?;
        pending.committed = true;
        let top = stack.as_ref().and_then(CallStack::top);
        let called = core.island.call_numeric_async(&self.callee, &mut pending.call.frame, top).await;
        stack.as_ref().map_or(Ok(()), CallStack::check)?;
        called?;
        self.take(passed, hidden, &mut pending.call)
    }

    /// Prepares everything. Also returns where a result goes that has room of its own.
    #[inline]
    fn pass<'a>(&self, arguments: A::Given<'a>, call: &mut Call<'_>) -> Result<(A::Passed<'a>, u64), GuestError> {
        call.len = self.len.before(&arguments);
        let hidden = match R::hidden(self.core.pointer) {
            Some(layout) => {
                let room = SmallVec::<[u8; 64]>::from_elem(0, layout.size);
                let address = call.writer.bytes(&room)?;
                call.push_size(address)?;
                address
            }
            None => 0,
        };
        let passed = A::pass(arguments, call)?;
        call.commit();
        self.core.callbacks.forget_failure();
        Ok((passed, hidden))
    }

    /// Takes what came back.
    #[inline]
    fn take(&self, passed: A::Passed<'_>, hidden: u64, call: &mut Call<'_>) -> Result<Parts<A, R>, GuestError> {
        call.reader.images = std::mem::take(&mut call.writer.images);
        let mut numbers = [Number::I32(0); 4];
        let numbers = &mut numbers[..call.frame.ty().results.len()];
        numbers.iter_mut().enumerate().for_each(|(index, number)| *number = call.frame.result(index));
        // What follows is done even if something is wrong already: what the guest gave away is freed.
        let mut measured = A::measure(&passed, call);
        if call.len.is_none() && measured.is_ok() {
            let address = numbers.first().map_or(0, |number| number.as_address());
            measured = self.len.after(&self.core, address).map(|len| call.len = len);
        }
        let len = call.len;
        let reader = &mut call.reader;
        let result = R::take(Returned { numbers, hidden, function: &self.name, reader, len });
        let outs = A::take(passed, call);
        match (result, measured) {
            // The status of a function that failed says more than what it left out.
            (Err(error @ GuestError::Status(_)), _) | (_, Err(error)) | (Err(error), _) => Err(error),
            (Ok(result), Ok(())) => Ok(result.before(outs?)),
        }
    }
}

impl<A, R, L> std::fmt::Debug for Function<A, R, L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Function")
            .field("name", &self.name.name)
            .field("ty", self.callee.ty())
            .field("trusted", &self.trusted)
            .finish_non_exhaustive()
    }
}
