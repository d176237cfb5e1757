//! What a guest function may return.
//!
//! | type | in C | what becomes of the guest's block |
//! | --- | --- | --- |
//! | `()`, the numbers, `bool`, enums | the same | |
//! | what derives [`Marshal`] or [`Plain`] | `struct t` | |
//! | `String`, [`Utf16`](crate::Utf16), [`Latin1`](crate::Latin1) | `char *`, `char16_t *`, `char *` | copied, and freed |
//! | `Box<T>` | `T *` | copied with all that it points to, and freed |
//! | `Vec<T>`, [`Counted<String>`](crate::Counted) | `T *`, `char *` | the same |
//! | [`Lent`] of these | `const T *` | copied; the guest keeps it |
//! | [`View<[T]>`](crate::View) | `T *` | owned by the view |
//! | [`Opaque<T>`](crate::Opaque) | `T *` | its own function takes it back |
//! | [`Owned<[T]>`](crate::Owned), `Owned<str>` | `T *`, `char *` | owned, and trusted |
//! | `Option` of a pointer | the same, or null | |
//! | [`Status`], [`Code`] | `int` | |
//! | a tuple of two to four | several results | |
//!
//! A pointer alone does not say how many elements there are. For functions that return slices,
//! [`Function::with_len`](crate::Function::with_len) and its like say so, or an [`OutLen`](crate::OutLen).

use island::call::{Number, NumberKind};

use crate::error::{GuestError, HeapError, StatusError};
use crate::guest::Core;
use crate::layout::{InGuest as _, InMemory as _, Layout, Passed};
use crate::plain::Plain;
use crate::transfer::{Binder, Reader};
use crate::value::Marshal;
use crate::view::{Owned, View};

pub use crate::value::Lent;

/// What came back, on its way to becoming a value.
pub struct Returned<'r, 'c> {
    pub(crate) numbers: &'r [Number],
    /// Where the result is, if it is not a number.
    pub(crate) hidden: u64,
    pub(crate) function: &'r Name,
    pub(crate) reader: &'r mut Reader<'c>,
    pub(crate) len: Option<usize>,
}

/// A function's name, and which of its results are errors.
pub(crate) struct Name {
    pub(crate) name: std::rc::Rc<str>,
    pub(crate) success: Option<Box<dyn Fn(i32) -> bool>>,
}

impl<'c> Returned<'_, 'c> {
    fn address(&self) -> u64 {
        self.numbers[0].as_address()
    }

    fn core(&self) -> &'c Core {
        self.reader.core
    }

    fn len(&self) -> Result<u64, GuestError> {
        self.len.map(|len| len as u64).ok_or(GuestError::NoLength)
    }

    /// The result as an error's number.
    fn code(&self) -> Result<i32, GuestError> {
        let Number::I32(code) = self.numbers[0] else { unreachable!("binding checked the type") };
        let is_success = self.function.success.as_ref().map_or(code == 0, |success| success(code));
        match is_success {
            true => Ok(code),
            false => Err(GuestError::Status(StatusError { code, function: self.function.name.clone() })),
        }
    }
}

/// Zero or more values that come back from a call.
pub trait Part {
    /// These values followed by others.
    #[doc(hidden)]
    type Before<R>;
    #[doc(hidden)]
    fn before<R>(self, rest: R) -> Self::Before<R>;
}

/// No value.
#[derive(Debug)]
pub struct Nothing;

/// One value.
#[derive(Debug)]
pub struct One<T>(pub T);

impl Part for Nothing {
    type Before<R> = R;

    fn before<R>(self, rest: R) -> R {
        rest
    }
}

impl<T> Part for One<T> {
    type Before<R> = (T, R);

    fn before<R>(self, rest: R) -> (T, R) {
        (self.0, rest)
    }
}

/// A list of values as nested pairs, which has a shape that is easier to use.
pub trait Flat {
    /// Nothing, the only value, or a tuple.
    type Tuple;
    #[doc(hidden)]
    fn flat(self) -> Self::Tuple;
}

macro_rules! nested {
    () => { () };
    ($first:ident $($rest:ident)*) => { ($first, nested!($($rest)*)) };
}

macro_rules! flat {
    ($($tuple:tt: $($name:ident)*;)*) => { $(
        impl<$($name),*> Flat for nested!($($name)*) {
            type Tuple = $tuple;
            #[allow(non_snake_case, reason = "variables are called as the type parameters")]
            fn flat(self) -> Self::Tuple {
                let nested!($($name)*) = self;
                $tuple
            }
        }
    )* };
}

flat! {
    (): ;
    (A, B): A B;
    (A, B, C): A B C;
    (A, B, C, D): A B C D;
    (A, B, C, D, E): A B C D E;
    (A, B, C, D, E, F): A B C D E F;
    (A, B, C, D, E, F, G): A B C D E F G;
    (A, B, C, D, E, F, G, H): A B C D E F G H;
    (A, B, C, D, E, F, G, H, I): A B C D E F G H I;
}

impl<A> Flat for (A, ()) {
    type Tuple = A;

    fn flat(self) -> A {
        self.0
    }
}

mod sealed {
    pub trait Sealed {}
}
use sealed::Sealed;

/// A result. See the [module](self) for those that there are.
pub trait Output: Sealed + Sized {
    /// What the caller gets from it.
    #[doc(hidden)]
    type Part: Part;
    /// Whether it needs the guest's allocator.
    #[doc(hidden)]
    const HEAP: bool;
    #[doc(hidden)]
    const SLICED: bool = false;

    #[doc(hidden)]
    fn bind(_binder: &mut Binder<'_>) -> Result<(), GuestError> {
        Ok(())
    }
    /// The guest's results; `pointer` is how wide its addresses are.
    #[doc(hidden)]
    fn kinds(pointer: NumberKind, into: &mut Vec<NumberKind>);
    /// The room for it, whose address the guest gets as its first parameter.
    #[doc(hidden)]
    fn hidden(_pointer: NumberKind) -> Option<Layout> {
        None
    }
    #[doc(hidden)]
    fn take(returned: Returned<'_, '_>) -> Result<Self::Part, GuestError>;
}

/// A result that is sound whatever the guest does, so that no promise is needed.
pub trait Checked: Output {}

impl Sealed for () {}
impl Checked for () {}
impl Output for () {
    type Part = Nothing;
    const HEAP: bool = false;

    fn kinds(_: NumberKind, _: &mut Vec<NumberKind>) {}

    fn take(_: Returned<'_, '_>) -> Result<Nothing, GuestError> {
        Ok(Nothing)
    }
}

impl<T: Marshal> Sealed for T {}
impl<T: Marshal> Checked for T {}
impl<T: Marshal> Output for T {
    type Part = One<T>;
    const HEAP: bool = T::HEAP || crate::argument::by_copy::<T>();
    const SLICED: bool = T::SLICED;

    fn bind(binder: &mut Binder<'_>) -> Result<(), GuestError> {
        T::bind(binder)
    }

    fn kinds(pointer: NumberKind, into: &mut Vec<NumberKind>) {
        if let Passed::Number(scalar) = T::LAYOUT.of(pointer).passed {
            into.push(scalar.kind());
        }
    }

    fn hidden(pointer: NumberKind) -> Option<Layout> {
        let layout = T::LAYOUT.of(pointer);
        matches!(layout.passed, Passed::Address).then_some(layout)
    }

    fn take(returned: Returned<'_, '_>) -> Result<One<T>, GuestError> {
        let Returned { numbers, hidden, reader, len, .. } = returned;
        reader.set_len(len);
        let value = match T::LAYOUT.of(reader.pointer()).passed {
            Passed::Nothing => T::load(&[], reader),
            Passed::Number(scalar) => T::load(&scalar.narrow(numbers[0])[..scalar.bytes()], reader),
            Passed::Address => reader.value(hidden),
        };
        value.map(One)
    }
}

/// An `int` that is an error unless it is 0, or what [`Function::success`](crate::Function::success) says. The caller
/// gets nothing from it.
#[derive(Debug)]
pub struct Status;

impl Sealed for Status {}
impl Checked for Status {}
impl Output for Status {
    type Part = Nothing;
    const HEAP: bool = false;

    fn kinds(_: NumberKind, into: &mut Vec<NumberKind>) {
        into.push(NumberKind::I32);
    }

    fn take(returned: Returned<'_, '_>) -> Result<Nothing, GuestError> {
        returned.code().map(|_| Nothing)
    }
}

/// As [`Status`], for functions that say more than one thing when they succeed: the caller gets the `i32`.
#[derive(Debug)]
pub struct Code;

impl Sealed for Code {}
impl Checked for Code {}
impl Output for Code {
    type Part = One<i32>;
    const HEAP: bool = false;

    fn kinds(_: NumberKind, into: &mut Vec<NumberKind>) {
        into.push(NumberKind::I32);
    }

    fn take(returned: Returned<'_, '_>) -> Result<One<i32>, GuestError> {
        returned.code().map(One)
    }
}

/// Several results of WebAssembly's own.
macro_rules! several {
    ($(($($name:ident $value:ident $place:tt)*))*) => { $(
        impl<$($name: Marshal),*> Sealed for ($($name,)*) {}
        impl<$($name: Marshal),*> Checked for ($($name,)*) {}
        impl<$($name: Marshal),*> Output for ($($name,)*) {
            type Part = One<Self>;
            const HEAP: bool = false $(|| <$name as Output>::HEAP)*;
            const SLICED: bool = false $(|| $name::SLICED)*;
            fn bind(binder: &mut Binder<'_>) -> Result<(), GuestError> {
                const { $(assert!(!crate::argument::by_copy::<$name>(), "each of several results is one number");)* }
                $(<$name as Marshal>::bind(binder)?;)*
                Ok(())
            }
            fn kinds(pointer: NumberKind, into: &mut Vec<NumberKind>) {
                $(<$name as Output>::kinds(pointer, into);)*
            }
            fn take(returned: Returned<'_, '_>) -> Result<One<Self>, GuestError> {
                let Returned { numbers, function, reader, len, .. } = returned;
                $(
                    let numbers_here = &numbers[$place..][..1];
                    let $value = <$name as Output>::take(
                        Returned { numbers: numbers_here, hidden: 0, function, reader: &mut *reader, len },
                    );
                )*
                Ok(One(($($value?.0,)*)))
            }
        }
    )* };
}

several! {
    (A a 0 B b 1)
    (A a 0 B b 1 C c 2)
    (A a 0 B b 1 C c 2 D d 3)
}

macro_rules! owned {
    ($([$($generic:tt)*] $ty:ty, $sliced:literal: |$returned:ident| $take:expr;)*) => { $(
        impl<$($generic)*> Sealed for $ty {}
        impl<$($generic)*> Output for $ty {
            type Part = One<Self>;
            const HEAP: bool = true;
            const SLICED: bool = $sliced;
            fn kinds(pointer: NumberKind, into: &mut Vec<NumberKind>) {
                into.push(pointer);
            }
            fn take($returned: Returned<'_, '_>) -> Result<One<Self>, GuestError> {
                $take.map(One)
            }
        }

        impl<$($generic)*> Sealed for Option<$ty> {}
        impl<$($generic)*> Output for Option<$ty> {
            type Part = One<Self>;
            const HEAP: bool = true;
            const SLICED: bool = $sliced;
            fn kinds(pointer: NumberKind, into: &mut Vec<NumberKind>) {
                into.push(pointer);
            }
            fn take(returned: Returned<'_, '_>) -> Result<One<Self>, GuestError> {
                match returned.address() {
                    0 => Ok(One(None)),
                    _ => <$ty as Output>::take(returned).map(|one| One(Some(one.0))),
                }
            }
        }
    )* };
}

owned! {
    [T: Plain] Owned<[T]>, true: |returned| {
        let bytes = returned.len()?.saturating_mul(size_of::<T>() as u64);
        Ok(Self::new(returned.core().heap().adopt_aligned(returned.address(), bytes, align_of::<T>() as u32)?)?)
    };
    [] Owned<str>, false: |returned| {
        if returned.address() == 0 {
            return Err(HeapError::Null.into());
        }
        let heap = returned.core().heap();
        let bytes = heap.data().read_c_string(returned.address())?.len();
        Ok(Self::new_str(heap.adopt_aligned(returned.address(), bytes as u64, 1)?)?)
    };
}

/// A result that is a slice, for [`Function::until`](crate::Function::until).
pub trait Sequence: Output {
    /// The type of its elements.
    type Element: Plain;
}

impl<T: Plain> Sequence for Vec<T> {
    type Element = T;
}

impl<T: Plain> Sequence for View<[T]> {
    type Element = T;
}

impl<T: Plain> Sequence for Owned<[T]> {
    type Element = T;
}

impl<S: Sequence + crate::value::Pointer> Sequence for Lent<S> {
    type Element = S::Element;
}

impl<S: Sequence + crate::value::Pointer> Sequence for Option<S> {
    type Element = S::Element;
}
