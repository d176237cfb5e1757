//! What may be passed to a guest function.
//!
//! | type | in C | given as | how |
//! | --- | --- | --- | --- |
//! | the numbers, `bool` | the number | itself | as it is |
//! | `usize` | `size_t` | itself | with the guest's width |
//! | what derives [`Marshal`] or [`Plain`] | `struct t`, `enum t` | itself | [by value](ByValue) |
//! | `&T` | `const T *` | itself | copied in with all that it points to, freed after the call |
//! | `&mut T` | `T *` | itself | copied in, copied back, freed |
//! | `&[T]`, `&mut [T]` | `const T *`, `T *` | itself | the same |
//! | `&str`, `&CStr` | `const char *` | itself | copied in with a zero, freed after the call |
//! | [`Utf16<&str>`](Utf16), [`Latin1<&str>`](Latin1) | `const char16_t *`, `const char *` | `&str` | the same |
//! | [`Counted`] of a slice or string | `const T *, size_t` | what is counted | and the number of elements |
//! | `&View<[T]>` | `T *` | itself | the address |
//! | `&Opaque<T>` | `T *` | itself | the address |
//! | `Option` of any of these pointers | the same, or null | `Option` of it | |
//! | [`Consumed`] of them | `T *` | what is consumed | the guest frees it |
//! | [`Out<T>`](Out) | `T *` | `()` | what the guest puts there is among the [results](crate::Function::call) |
//! | [`OutLen<T>`](OutLen) | `T *` | `()` | it says how long a slice is that comes back |
//! | [`Callback<fn(A, B) -> R>`](crate::Callback) | `R (*)(A, B)` | `&mut dyn FnMut(A, B) -> R` | for this call |
//! | `&Kept<fn(A, B) -> R>` | `R (*)(A, B)` | itself | as long as it is [kept](crate::Kept); it may be [async](crate::Guest::async_callback) |
//!
//! What the guest leaves alone within a `&mut T` stays as it is: a pointer that is still the same stands for the same
//! view, handle, box or list as before, and what the guest changed behind it is taken over there. If the guest replaces
//! a pointer, what it points to is read, and stays the guest's; an [`Out`] takes it over.
//!
//! A slice that lies in the guest's memory already (an [`Owned`](crate::Owned) one) is passed by its address to a
//! [trusted](crate::Guest::trusted_function) function; for any other function it is copied like any other slice.

use std::ffi::CStr;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::rc::Rc;

use island::call::{Frame, Number, NumberKind};

use crate::block::GuestBlock;
use crate::error::{GuestError, HeapError};
use crate::guest::Core;
use crate::handle::Handle;
use crate::heap::Heap;
use crate::layout::{InGuest as _, InMemory as _, Passed};
use crate::output::{Nothing, One, Part};
use crate::plain::Plain;
use crate::text::{Counted, Latin1, Text, Utf16};
use crate::transfer::{Binder, Bytes, Reader, Writer};
use crate::value::Marshal;
use crate::view::View;

/// A call that is being prepared, and then taken apart.
pub struct Call<'c> {
    pub(crate) frame: Frame<'c>,
    pub(crate) writer: Writer<'c>,
    pub(crate) reader: Reader<'c>,
    pub(crate) trusted: bool,
    /// How long the slices are that come back.
    pub(crate) len: Option<usize>,
    /// What the guest takes over.
    given: Vec<Given>,
}

enum Given {
    Block(GuestBlock),
    Handle(Rc<Handle>),
}

impl<'c> Call<'c> {
    #[inline]
    pub(crate) fn new(core: &'c Core, frame: Frame<'c>, trusted: bool) -> Self {
        let (writer, reader) = (Writer::new(core), Reader::new(core));
        Self { frame, writer, reader, trusted, len: None, given: Vec::new() }
    }

    fn heap(&self) -> &'c Heap {
        self.writer.heap()
    }

    /// Everything is prepared: what is consumed is the guest's from here on.
    #[inline]
    pub(crate) fn commit(&mut self) {
        if !self.given.is_empty() {
            self.give();
        }
    }

    fn give(&mut self) {
        for given in self.given.drain(..) {
            match given {
                Given::Block(block) => drop(block.release()),
                Given::Handle(handle) => drop(handle.release()),
            }
        }
    }

    #[inline]
    pub(crate) fn push_size(&mut self, value: u64) -> Result<(), GuestError> {
        match self.frame.next() {
            Some(NumberKind::I64) => self.frame.push(Number::I64(value as i64)),
            _ => self.frame.push_i32(u32::try_from(value).map_err(|_| GuestError::Range { value })? as i32),
        }
        Ok(())
    }

    /// Pushes an address; returns it.
    fn push(&mut self, address: u64) -> Result<u64, GuestError> {
        self.push_size(address).map(|()| address)
    }

    fn push_copy<T: Marshal>(&mut self, values: &[T]) -> Result<u64, GuestError> {
        let address = T::copy_in(values, &mut self.writer)?;
        self.push(address)
    }

    /// Pushes the address of a slice that is in the guest already, if it may be used, or of a copy.
    fn push_slice<T: Marshal>(&mut self, values: &[T]) -> Result<(), GuestError> {
        let in_place = match self.trusted && T::PLAIN && !self.writer.consumed {
            true => self.heap().address_of(NonNull::from(values).cast(), size_of_val(values)),
            false => None,
        };
        match in_place {
            Some(address) => self.push_size(address),
            None => self.push_copy(values).map(drop),
        }
    }

    /// Pushes a value as C does.
    fn push_value<T: Marshal>(&mut self, value: &T) -> Result<(), GuestError> {
        match T::LAYOUT.of(self.writer.pointer()).passed {
            Passed::Nothing => Ok(()),
            Passed::Number(scalar) => {
                let bytes = self.writer.image(std::slice::from_ref(value))?;
                self.frame.push(scalar.widen(&bytes));
                Ok(())
            }
            Passed::Address => self.push_copy(std::slice::from_ref(value)).map(drop),
        }
    }

    /// Room for a `T`, with zeroes in it.
    fn push_room<T: Marshal>(&mut self) -> Result<u64, GuestError> {
        let room = Bytes::from_elem(0, T::LAYOUT.of(self.writer.pointer()).size);
        let address = self.writer.bytes(&room)?;
        self.push(address)
    }
}

mod sealed {
    pub trait Sealed {}
}
pub(crate) use sealed::Sealed;

/// The type of an argument. See the [module](self) for those that there are.
pub trait Argument {
    /// How it is passed: by value, if it derives [`Marshal`]; any other type says so itself.
    type By: Passing;
}

/// A way to pass an argument. All ways are in this module: nobody else gets hold of a call in preparation.
///
/// ```compile_fail,E0277
/// use marshal::argument::{Call, Passing};
/// use marshal::output::Nothing;
///
/// struct Own;
/// impl Passing for Own {
///     type Given<'a> = ();
///     type Passed<'a> = ();
///     type Out = Nothing;
///     fn pass<'a>(_: (), call: &mut Call<'_>) -> Result<(), marshal::GuestError> { todo!() }
///     fn take(_: (), _: &mut Call<'_>) -> Result<Nothing, marshal::GuestError> { todo!() }
/// }
/// ```
pub trait Passing: Sealed {
    /// What is passed, with the lifetime of one call.
    type Given<'a>;
    /// What is kept of it until the call returns.
    #[doc(hidden)]
    type Passed<'a>;
    /// What comes back.
    #[doc(hidden)]
    type Out: Part;
    /// Whether it needs the guest's allocator.
    #[doc(hidden)]
    const HEAP: bool = true;
    /// Whether something comes back that somebody must say the length of.
    #[doc(hidden)]
    const SLICED: bool = false;
    /// Whether it says that length.
    #[doc(hidden)]
    const LENGTH: bool = false;
    /// Whether it must not outlive the caller's frame, as it could in a future that is forgotten.
    #[doc(hidden)]
    const NESTED: bool = false;

    #[doc(hidden)]
    fn bind(_binder: &mut Binder<'_>) -> Result<(), GuestError> {
        Ok(())
    }
    /// The guest's parameters; `pointer` is how wide its addresses are.
    #[doc(hidden)]
    fn params(pointer: NumberKind, into: &mut Vec<NumberKind>) {
        into.push(pointer);
    }
    #[doc(hidden)]
    fn pass<'a>(given: Self::Given<'a>, call: &mut Call<'_>) -> Result<Self::Passed<'a>, GuestError>;
    /// Finds out, after the call, how long slices are.
    #[doc(hidden)]
    fn measure(_passed: &Self::Passed<'_>, _call: &mut Call<'_>) -> Result<(), GuestError> {
        Ok(())
    }
    /// Copies back what the guest may have changed.
    #[doc(hidden)]
    fn take(passed: Self::Passed<'_>, call: &mut Call<'_>) -> Result<Self::Out, GuestError>;
}

/// An argument that is an address, and may be null as an `Option`.
pub trait Nullable: Passing {}

macro_rules! numbers {
    ($($ty:ty: $kind:ident $as:ty;)*) => { $(
        impl Passing for $ty {
            type Given<'a> = $ty;
            type Passed<'a> = ();
            type Out = Nothing;
            const HEAP: bool = false;
            fn params(_: NumberKind, into: &mut Vec<NumberKind>) {
                into.push(NumberKind::$kind);
            }
            fn pass<'a>(given: Self::Given<'a>, call: &mut Call<'_>) -> Result<Self::Passed<'a>, GuestError> {
                call.frame.push(Number::$kind(given as $as));
                Ok(())
            }
            fn take(_: (), _: &mut Call<'_>) -> Result<Nothing, GuestError> {
                Ok(Nothing)
            }
        }
    )* };
}

numbers! {
    bool: I32 i32; i8: I32 i32; u8: I32 i32; i16: I32 i32; u16: I32 i32; i32: I32 i32; u32: I32 i32;
    i64: I64 i64; u64: I64 i64; f32: F32 f32; f64: F64 f64;
}

/// Something by value, as C passes it: as the one number of which it consists, or by the address of a copy. Types that
/// derive [`Marshal`] or [`Plain`] are passed this way anyway.
#[derive(Debug)]
pub struct ByValue<T>(PhantomData<T>);

/// Whether a value goes by the address of a copy.
pub(crate) const fn by_copy<T: Marshal>() -> bool {
    matches!(T::LAYOUT.narrow.passed, Passed::Address)
}

impl<T: Marshal> Passing for ByValue<T> {
    type Given<'a> = T;
    // Views and handles in it stay until the call has ended.
    type Passed<'a> = T;
    type Out = Nothing;
    const HEAP: bool = T::HEAP || by_copy::<T>();

    fn bind(binder: &mut Binder<'_>) -> Result<(), GuestError> {
        T::bind(binder)
    }

    fn params(pointer: NumberKind, into: &mut Vec<NumberKind>) {
        // Not `T::params`: a counted value is two parameters where it is received, but only its address here.
        match T::LAYOUT.of(pointer).passed {
            Passed::Nothing => {}
            Passed::Number(scalar) => into.push(scalar.kind()),
            Passed::Address => into.push(pointer),
        }
    }

    fn pass<'a>(given: Self::Given<'a>, call: &mut Call<'_>) -> Result<Self::Passed<'a>, GuestError> {
        call.push_value(&given)?;
        Ok(given)
    }

    fn take(_: T, _: &mut Call<'_>) -> Result<Nothing, GuestError> {
        Ok(Nothing)
    }
}

impl Argument for usize {
    type By = ByValue<Self>;
}

/// Arguments from which nothing comes back: how each is passed, and under which name.
macro_rules! inputs {
    ($([$($generic:tt)*] $ty:ty, $given:ty: |$value:ident, $call:ident| $pass:expr;)*) => { $(
        impl<$($generic)*> Nullable for $ty {}
        impl<$($generic)*> Passing for $ty {
            type Given<'a> = $given;
            type Passed<'a> = ();
            type Out = Nothing;
            fn pass<'a>($value: Self::Given<'a>, $call: &mut Call<'_>) -> Result<Self::Passed<'a>, GuestError> {
                $pass
            }
            fn take(_: (), _: &mut Call<'_>) -> Result<Nothing, GuestError> {
                Ok(Nothing)
            }
        }
    )* };
}

inputs! {
    [T: Marshal] &[T], &'a [T]: |given, call| call.push_slice(given);
    [] &str, &'a str: |given, call| {
        let address = call.heap().copy_in_c_string(given)?;
        let address = call.writer.note(address);
        call.push_size(address)
    };
    [] &CStr, &'a CStr: |given, call| call.push_copy(given.to_bytes_with_nul()).map(drop);
    [] Utf16<&str>, &'a str: |given, call| {
        let address = <Utf16 as Text>::copy_in(given, &mut call.writer)?;
        call.push_size(address)
    };
    [] Latin1<&str>, &'a str: |given, call| {
        let address = <Latin1 as Text>::copy_in(given, &mut call.writer)?;
        call.push_size(address)
    };
}

impl<T: Marshal> Nullable for &T {}
impl<T: Marshal> Passing for &T {
    type Given<'a> = &'a T;
    type Passed<'a> = ();
    type Out = Nothing;

    fn bind(binder: &mut Binder<'_>) -> Result<(), GuestError> {
        T::bind(binder)
    }

    fn pass<'a>(given: Self::Given<'a>, call: &mut Call<'_>) -> Result<Self::Passed<'a>, GuestError> {
        match T::IN_PLACE {
            true => call.push_value(given),
            false => call.push_copy(std::slice::from_ref(given)).map(drop),
        }
    }

    fn take(_: (), _: &mut Call<'_>) -> Result<Nothing, GuestError> {
        Ok(Nothing)
    }
}

impl<T: Marshal> Nullable for &mut [T] {}
impl<T: Marshal> Passing for &mut [T] {
    type Given<'a> = &'a mut [T];
    type Passed<'a> = (&'a mut [T], u64);
    type Out = Nothing;

    fn bind(binder: &mut Binder<'_>) -> Result<(), GuestError> {
        const { assert!(!T::SLICED, "the elements of a slice have no length of their own") };
        const { assert!(!T::IN_PLACE, "a view or a handle is passed by a plain reference") };
        T::bind(binder)
    }

    fn pass<'a>(given: Self::Given<'a>, call: &mut Call<'_>) -> Result<Self::Passed<'a>, GuestError> {
        // Always a copy: while a `&mut` is alive nothing else may write there, not even a guest.
        call.writer.comes_back = true;
        let address = call.push_copy(given);
        call.writer.comes_back = false;
        Ok((given, address?))
    }

    fn take((given, address): Self::Passed<'_>, call: &mut Call<'_>) -> Result<Nothing, GuestError> {
        call.reader.lending(true, |reader| T::copy_back(given, address, reader))?;
        Ok(Nothing)
    }
}

impl<T: Marshal> Nullable for &mut T {}
impl<T: Marshal> Passing for &mut T {
    type Given<'a> = &'a mut T;
    type Passed<'a> = (&'a mut [T], u64);
    type Out = Nothing;

    fn bind(binder: &mut Binder<'_>) -> Result<(), GuestError> {
        <&mut [T]>::bind(binder)
    }

    fn pass<'a>(given: Self::Given<'a>, call: &mut Call<'_>) -> Result<Self::Passed<'a>, GuestError> {
        <&mut [T]>::pass(std::slice::from_mut(given), call)
    }

    fn take(passed: Self::Passed<'_>, call: &mut Call<'_>) -> Result<Nothing, GuestError> {
        <&mut [T]>::take(passed, call)
    }
}

/// Two parameters: the address of units or elements, and their number.
macro_rules! counted {
    ($([$($generic:tt)*] $ty:ty, $given:ty: |$value:ident, $call:ident| $pass:expr;)*) => { $(
        impl<$($generic)*> Nullable for Counted<$ty> {}
        impl<$($generic)*> Passing for Counted<$ty> {
            type Given<'a> = $given;
            type Passed<'a> = ();
            type Out = Nothing;
            fn params(pointer: NumberKind, into: &mut Vec<NumberKind>) {
                into.extend([pointer, pointer]);
            }
            fn pass<'a>($value: Self::Given<'a>, $call: &mut Call<'_>) -> Result<Self::Passed<'a>, GuestError> {
                let len: usize = $pass;
                $call.push_size(len as u64)
            }
            fn take(_: (), _: &mut Call<'_>) -> Result<Nothing, GuestError> {
                Ok(Nothing)
            }
        }
    )* };
}

counted! {
    [T: Marshal] &[T], &'a [T]: |given, call| call.push_slice(given).map(|()| given.len())?;
    [] &str, &'a str: |given, call| call.push_slice(given.as_bytes()).map(|()| given.len())?;
    [] Utf16<&str>, &'a str: |given, call| {
        let bytes = Utf16::encode(given)?;
        call.push_copy(&bytes).map(|_| bytes.len() / 2)?
    };
    [] Latin1<&str>, &'a str: |given, call| {
        let bytes = Latin1::encode(given)?;
        call.push_copy(&bytes).map(|_| bytes.len())?
    };
}

impl<A: Nullable> Passing for Option<A> {
    type Given<'a> = Option<A::Given<'a>>;
    type Passed<'a> = Option<A::Passed<'a>>;
    type Out = Nothing;
    const NESTED: bool = A::NESTED;

    fn bind(binder: &mut Binder<'_>) -> Result<(), GuestError> {
        A::bind(binder)
    }

    fn params(pointer: NumberKind, into: &mut Vec<NumberKind>) {
        A::params(pointer, into);
    }

    fn pass<'a>(given: Self::Given<'a>, call: &mut Call<'_>) -> Result<Self::Passed<'a>, GuestError> {
        if let Some(given) = given {
            return A::pass(given, call).map(Some);
        }
        let mut params = Vec::new();
        A::params(call.writer.pointer(), &mut params);
        params.iter().try_for_each(|_| call.push_size(0))?;
        Ok(None)
    }

    fn take(passed: Self::Passed<'_>, call: &mut Call<'_>) -> Result<Nothing, GuestError> {
        passed.map_or(Ok(()), |passed| A::take(passed, call).map(drop))?;
        Ok(Nothing)
    }
}

/// Something that the guest takes over and frees itself. If it is copied in, that is the copy with everything that it
/// points to. It stays the host's until everything is ready for the call; a guest that traps has it.
#[derive(Debug)]
pub struct Consumed<T>(PhantomData<T>);

macro_rules! consumed {
    ($([$($generic:tt)*] $ty:ty;)*) => { $(
        impl<$($generic)*> Nullable for Consumed<$ty> {}
        impl<$($generic)*> Passing for Consumed<$ty> {
            type Given<'a> = <$ty as Passing>::Given<'a>;
            type Passed<'a> = ();
            type Out = Nothing;
            fn bind(binder: &mut Binder<'_>) -> Result<(), GuestError> {
                <$ty>::bind(binder)
            }
            fn params(pointer: NumberKind, into: &mut Vec<NumberKind>) {
                <$ty>::params(pointer, into);
            }
            fn pass<'a>(given: Self::Given<'a>, call: &mut Call<'_>) -> Result<Self::Passed<'a>, GuestError> {
                call.writer.consumed = true;
                let passed = <$ty>::pass(given, call);
                call.writer.consumed = false;
                passed
            }
            fn take(_: (), _: &mut Call<'_>) -> Result<Nothing, GuestError> {
                Ok(Nothing)
            }
        }
    )* };
}

consumed! {
    ['s, T: Marshal] &'s [T]; ['s] &'s str; ['s] &'s CStr; ['s] Utf16<&'s str>; ['s] Latin1<&'s str>;
    ['s, T: Marshal] Counted<&'s [T]>; ['s] Counted<&'s str>; ['s] Counted<Utf16<&'s str>>; ['s] Counted<Latin1<&'s str>>;
}

impl<T: Marshal> Nullable for Consumed<&T> {}
impl<T: Marshal> Passing for Consumed<&T> {
    type Given<'a> = &'a T;
    type Passed<'a> = ();
    type Out = Nothing;

    fn pass<'a>(given: Self::Given<'a>, call: &mut Call<'_>) -> Result<Self::Passed<'a>, GuestError> {
        const { assert!(!T::IN_PLACE, "a view or a handle is consumed by value") };
        Consumed::<&[T]>::pass(std::slice::from_ref(given), call)
    }

    fn take(_: (), _: &mut Call<'_>) -> Result<Nothing, GuestError> {
        Ok(Nothing)
    }
}

impl<T: Plain> Nullable for Consumed<View<[T]>> {}
impl<T: Plain> Passing for Consumed<View<[T]>> {
    type Given<'a> = View<[T]>;
    type Passed<'a> = ();
    type Out = Nothing;

    fn pass<'a>(given: Self::Given<'a>, call: &mut Call<'_>) -> Result<Self::Passed<'a>, GuestError> {
        <&View<[T]>>::pass(&given, call)?;
        call.given.push(Given::Block(given.into_block()));
        Ok(())
    }

    fn take(_: (), _: &mut Call<'_>) -> Result<Nothing, GuestError> {
        Ok(Nothing)
    }
}

impl Call<'_> {
    /// Pushes the address of a handle, which the guest takes over.
    pub(crate) fn consume_handle(&mut self, handle: &Rc<Handle>) -> Result<(), GuestError> {
        let address = handle.address();
        if !handle.is_of(self.heap()) {
            return Err(HeapError::NotOurs { address }.into());
        }
        if !handle.is_open() {
            return Err(HeapError::Closed { address }.into());
        }
        self.given.push(Given::Handle(handle.clone()));
        self.push_size(address)
    }
}

/// An out-parameter: room for a `T`, which the guest fills. It is given as `()`, and the value is among the
/// [results](crate::Function::call). What the guest leaves there, and all that it points to, is the host's, as it would
/// be if it were returned.
#[derive(Debug)]
pub struct Out<T>(PhantomData<T>);

impl<T: Marshal> Passing for Out<T> {
    type Given<'a> = ();
    type Passed<'a> = u64;
    type Out = One<T>;
    const SLICED: bool = T::SLICED;

    fn bind(binder: &mut Binder<'_>) -> Result<(), GuestError> {
        T::bind(binder)
    }

    fn pass<'a>((): Self::Given<'a>, call: &mut Call<'_>) -> Result<Self::Passed<'a>, GuestError> {
        call.push_room::<T>()
    }

    fn take(address: u64, call: &mut Call<'_>) -> Result<One<T>, GuestError> {
        call.reader.set_len(call.len);
        call.reader.value(address).map(One)
    }
}

/// An out-parameter of an integer type that says how many elements a returned slice has, be that the result or another
/// out-parameter.
#[derive(Debug)]
pub struct OutLen<T>(PhantomData<T>);

impl<T: Marshal + Copy + TryInto<usize>> Passing for OutLen<T> {
    type Given<'a> = ();
    type Passed<'a> = u64;
    type Out = Nothing;
    const LENGTH: bool = true;

    fn pass<'a>((): Self::Given<'a>, call: &mut Call<'_>) -> Result<Self::Passed<'a>, GuestError> {
        call.push_room::<T>()
    }

    fn measure(&address: &u64, call: &mut Call<'_>) -> Result<(), GuestError> {
        let bytes = call.reader.bytes(address, T::LAYOUT.of(call.reader.pointer()).size as u64)?;
        call.len = Some(crate::value::load_count::<T>(&bytes, &mut call.reader)?);
        Ok(())
    }

    fn take(_: u64, _: &mut Call<'_>) -> Result<Nothing, GuestError> {
        Ok(Nothing)
    }
}

/// Arguments that say themselves how they are passed.
macro_rules! themselves {
    ($([$($generic:tt)*] $ty:ty;)*) => { $(
        impl<$($generic)*> Sealed for $ty {}
        impl<$($generic)*> Argument for $ty {
            type By = Self;
        }
    )* };
}
pub(crate) use themselves;

themselves! {
    [] bool; [] i8; [] u8; [] i16; [] u16; [] i32; [] u32; [] i64; [] u64; [] f32; [] f64;
    [T: Marshal] &T; [T: Marshal] &mut T; [T: Marshal] &[T]; [T: Marshal] &mut [T];
    [] &str; [] &CStr; [] Utf16<&str>; [] Latin1<&str>;
    [T: Marshal] Counted<&[T]>; [] Counted<&str>; [] Counted<Utf16<&str>>; [] Counted<Latin1<&str>>;
    [A: Nullable] Option<A>;
    [T: Marshal] Consumed<&T>; [T: Marshal] Consumed<&[T]>; [T: Plain] Consumed<View<[T]>>;
    [] Consumed<&str>; [] Consumed<&CStr>; [] Consumed<Utf16<&str>>; [] Consumed<Latin1<&str>>;
    [T: Marshal] Consumed<Counted<&[T]>>; [] Consumed<Counted<&str>>;
    [] Consumed<Counted<Utf16<&str>>>; [] Consumed<Counted<Latin1<&str>>>;
    [T: Marshal] Out<T>; [T: Marshal + Copy + TryInto<usize>] OutLen<T>;
}

impl<T: Marshal> Sealed for ByValue<T> {}
impl<T: Marshal> Argument for ByValue<T> {
    type By = Self;
}

/// The arguments of a function: a tuple of up to eight.
pub trait Arguments: Sealed {
    /// The tuple with the lifetimes of one call.
    type Given<'a>;
    #[doc(hidden)]
    type Passed<'a>;
    #[doc(hidden)]
    type Outs;
    #[doc(hidden)]
    const HEAP: bool;
    #[doc(hidden)]
    const SLICED: bool;
    #[doc(hidden)]
    const LENGTH: bool;
    #[doc(hidden)]
    const NESTED: bool;
    #[doc(hidden)]
    fn bind(binder: &mut Binder<'_>) -> Result<(), GuestError>;
    #[doc(hidden)]
    fn params(pointer: NumberKind, into: &mut Vec<NumberKind>);
    #[doc(hidden)]
    fn pass<'a>(given: Self::Given<'a>, call: &mut Call<'_>) -> Result<Self::Passed<'a>, GuestError>;
    #[doc(hidden)]
    fn measure(passed: &Self::Passed<'_>, call: &mut Call<'_>) -> Result<(), GuestError>;
    #[doc(hidden)]
    fn take(passed: Self::Passed<'_>, call: &mut Call<'_>) -> Result<Self::Outs, GuestError>;
}

macro_rules! outs {
    () => { () };
    ($first:ident $($rest:ident)*) => { <<$first::By as Passing>::Out as Part>::Before<outs!($($rest)*)> };
}

macro_rules! join {
    () => { () };
    ($first:ident $($rest:ident)*) => { $first.before(join!($($rest)*)) };
}

macro_rules! tuples {
    ($(($($name:ident $part:ident $place:tt)*))*) => { $(
        impl<$($name: Argument),*> Sealed for ($($name,)*) {}
        impl<$($name: Argument),*> Arguments for ($($name,)*) {
            type Given<'a> = ($(<$name::By as Passing>::Given<'a>,)*);
            type Passed<'a> = ($(<$name::By as Passing>::Passed<'a>,)*);
            type Outs = outs!($($name)*);
            const HEAP: bool = false $(|| $name::By::HEAP)*;
            const SLICED: bool = false $(|| $name::By::SLICED)*;
            const LENGTH: bool = false $(|| $name::By::LENGTH)*;
            const NESTED: bool = false $(|| $name::By::NESTED)*;
            #[allow(unused_variables, reason = "the empty tuple uses none")]
            fn bind(binder: &mut Binder<'_>) -> Result<(), GuestError> {
                $($name::By::bind(binder)?;)*
                Ok(())
            }
            #[allow(unused_variables, reason = "the empty tuple uses none")]
            fn params(pointer: NumberKind, into: &mut Vec<NumberKind>) {
                $($name::By::params(pointer, into);)*
            }
            #[allow(unused_variables, clippy::unused_unit, reason = "the empty tuple uses none")]
            fn pass<'a>(given: Self::Given<'a>, call: &mut Call<'_>) -> Result<Self::Passed<'a>, GuestError> {
                Ok(($($name::By::pass(given.$place, call)?,)*))
            }
            #[allow(unused_variables, reason = "the empty tuple uses none")]
            fn measure(passed: &Self::Passed<'_>, call: &mut Call<'_>) -> Result<(), GuestError> {
                $($name::By::measure(&passed.$place, call)?;)*
                Ok(())
            }
            #[allow(unused_variables, clippy::unused_unit, reason = "the empty tuple uses none")]
            fn take(passed: Self::Passed<'_>, call: &mut Call<'_>) -> Result<Self::Outs, GuestError> {
                // All of them, even after one that is wrong: what the guest gave away is freed.
                $(let $part = $name::By::take(passed.$place, call);)*
                $(let $part = $part?;)*
                Ok(join!($($part)*))
            }
        }
    )* };
}

tuples! {
    ()
    (A a 0)
    (A a 0 B b 1)
    (A a 0 B b 1 C c 2)
    (A a 0 B b 1 C c 2 D d 3)
    (A a 0 B b 1 C c 2 D d 3 E e 4)
    (A a 0 B b 1 C c 2 D d 3 E e 4 F f 5)
    (A a 0 B b 1 C c 2 D d 3 E e 4 F f 5 G g 6)
    (A a 0 B b 1 C c 2 D d 3 E e 4 F f 5 G g 6 H h 7)
}
