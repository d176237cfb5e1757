//! What a guest function may return.
//!
//! | type | in C | what becomes of the guest's block |
//! | --- | --- | --- |
//! | `()`, the numbers, `bool` | the same | |
//! | `String` | `char *` | copied, and freed |
//! | `Vec<T>` | `T *` | copied, and freed |
//! | [`Lent<String>`](Lent), `Lent<Vec<T>>` | `const char *`, `const T *` | copied; the guest keeps it |
//! | [`View<[T]>`](crate::View) | `T *` | owned by the view |
//! | [`Owned<[T]>`](crate::Owned), `Owned<str>` | `T *`, `char *` | owned, and trusted |
//! | `Option` of a pointer | the same, or null | |
//!
//! A pointer alone does not say how many elements there are: functions that return slices are called after
//! [`Function::with_len`](crate::Function::with_len).

use island::call::{Kind, Number};

use crate::copy::{read_c_string, read_slice};
use crate::error::{GuestError, HeapError};
use crate::heap::Heap;
use crate::plain::Plain;
use crate::view::{Owned, View};

mod sealed {
    pub trait Sealed {}
}

/// What came back, on its way to becoming a value.
#[derive(Clone, Copy)]
pub struct Returned<'c> {
    pub(crate) number: Option<Number>,
    pub(crate) len: usize,
    pub(crate) heap: Option<&'c Heap>,
}

impl<'c> Returned<'c> {
    fn address(&self) -> u64 {
        self.number.map_or(0, Number::as_address)
    }

    fn heap(&self) -> &'c Heap {
        self.heap.expect("binding checked that there is a heap")
    }

    fn bytes<T>(&self) -> u64 {
        (self.len as u64).saturating_mul(size_of::<T>() as u64)
    }
}

/// A result. See the [module](self) for those that there are.
pub trait Output: sealed::Sealed + Sized {
    /// Whether it needs the guest's allocator.
    #[doc(hidden)]
    const HEAP: bool;
    /// The guest's result; `pointer` is how wide its addresses are.
    #[doc(hidden)]
    fn kind(pointer: Kind) -> Option<Kind>;
    #[doc(hidden)]
    fn take(returned: Returned<'_>) -> Result<Self, GuestError>;
}

/// A result whose length is known from itself.
pub trait Whole: Output {}

/// A result that needs [`Function::with_len`](crate::Function::with_len).
pub trait Sliced: Output {}

/// A result that is sound whatever the guest does, so that no promise is asked for.
pub trait Checked: Output {}

/// A result that is an address, and may be null.
pub trait Pointer: Output {}

impl sealed::Sealed for () {}
impl Whole for () {}
impl Checked for () {}
impl Output for () {
    const HEAP: bool = false;

    fn kind(_: Kind) -> Option<Kind> {
        None
    }

    fn take(_: Returned<'_>) -> Result<Self, GuestError> {
        Ok(())
    }
}

macro_rules! numbers {
    ($($ty:ty: $kind:ident $value:ident $to:expr;)*) => { $(
        impl sealed::Sealed for $ty {}
        impl Whole for $ty {}
        impl Checked for $ty {}
        impl Output for $ty {
            const HEAP: bool = false;
            fn kind(_: Kind) -> Option<Kind> {
                Some(Kind::$kind)
            }
            fn take(returned: Returned<'_>) -> Result<Self, GuestError> {
                match returned.number {
                    Some(Number::$kind($value)) => Ok($to),
                    _ => unreachable!("binding checked the type"),
                }
            }
        }
    )* };
}

numbers! {
    bool: I32 value value != 0;
    i32: I32 value value;
    u32: I32 value value as u32;
    i64: I64 value value;
    u64: I64 value value as u64;
    f32: F32 value value;
    f64: F64 value value;
}

/// A result that the guest keeps: it is copied and not freed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lent<T>(pub T);

macro_rules! pointers {
    ($([$($generic:tt)*] $ty:ty: $returned:ident $take:expr;)*) => { $(
        impl<$($generic)*> sealed::Sealed for $ty {}
        impl<$($generic)*> Pointer for $ty {}
        impl<$($generic)*> Output for $ty {
            const HEAP: bool = true;
            fn kind(pointer: Kind) -> Option<Kind> {
                Some(pointer)
            }
            fn take($returned: Returned<'_>) -> Result<Self, GuestError> {
                $take
            }
        }
    )* };
}

pointers! {
    [] String: returned {
        let string = Lent::<String>::take(returned);
        // Freed also when it is not UTF-8, but not when it is no string of the guest's at all.
        match &string {
            Ok(_) | Err(GuestError::Heap(HeapError::NotUtf8 { .. })) => returned.heap().free(returned.address())?,
            Err(_) => {}
        }
        Ok(string?.0)
    };
    [] Lent<String>: returned {
        check_null(returned)?;
        Ok(Self(read_c_string(returned.heap().data(), returned.address())?))
    };
    [T: Plain] Vec<T>: returned {
        let values = Lent::<Self>::take(returned)?.0;
        returned.heap().free(returned.address())?;
        Ok(values)
    };
    [T: Plain] Lent<Vec<T>>: returned {
        check_null(returned)?;
        Ok(Self(read_slice(returned.heap().data(), returned.address(), returned.len)?))
    };
    [T: Plain] View<[T]>: returned {
        Ok(Self::new(returned.heap().adopt(returned.address(), returned.bytes::<T>())?))
    };
    [T: Plain] Owned<[T]>: returned {
        Ok(Self::new(returned.heap().adopt(returned.address(), returned.bytes::<T>())?)?)
    };
    [] Owned<str>: returned {
        check_null(returned)?;
        let bytes = returned.heap().data().read_c_string(returned.address())?.len();
        Ok(Self::new_str(returned.heap().adopt(returned.address(), bytes as u64)?)?)
    };
}

impl Whole for String {}
impl Whole for Lent<String> {}
impl Whole for Owned<str> {}
impl<T: Plain> Sliced for Vec<T> {}
impl<T: Plain> Sliced for Lent<Vec<T>> {}
impl<T: Plain> Sliced for View<[T]> {}
impl<T: Plain> Sliced for Owned<[T]> {}

impl Checked for String {}
impl Checked for Lent<String> {}
impl<T: Plain> Checked for Vec<T> {}
impl<T: Plain> Checked for Lent<Vec<T>> {}
impl<T: Plain> Checked for View<[T]> {}

fn check_null(returned: Returned<'_>) -> Result<(), HeapError> {
    if returned.address() == 0 { Err(HeapError::Null) } else { Ok(()) }
}

impl<R: Pointer> sealed::Sealed for Option<R> {}
impl<R: Pointer + Whole> Whole for Option<R> {}
impl<R: Pointer + Sliced> Sliced for Option<R> {}
impl<R: Pointer + Checked> Checked for Option<R> {}
impl<R: Pointer> Output for Option<R> {
    const HEAP: bool = R::HEAP;

    fn kind(pointer: Kind) -> Option<Kind> {
        R::kind(pointer)
    }

    fn take(returned: Returned<'_>) -> Result<Self, GuestError> {
        if returned.address() == 0 { Ok(None) } else { R::take(returned).map(Some) }
    }
}
