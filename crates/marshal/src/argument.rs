//! What may be passed to a guest function.
//!
//! | type | in C | how |
//! | --- | --- | --- |
//! | the numbers, `bool` | the number | as it is |
//! | `usize` | `size_t` | with the guest's width |
//! | `&[T]` | `const T *` | copied in, freed after the call |
//! | `&mut [T]` | `T *` | copied in, copied back, freed after the call |
//! | `&str` | `const char *` | copied in with a zero byte, freed after the call |
//! | [`Counted<&[T]>`](Counted), `Counted<&str>` | `const T *, size_t` | as `&[T]`, and the number of elements |
//! | `&View<[T]>` | `T *` | the address |
//!
//! A slice that lies in the guest's memory already (an [`Owned`](crate::Owned) one) is passed by its address to a
//! [trusted](crate::Guest::trusted_function) function, and copied like any other to one that is not.

use std::marker::PhantomData;
use std::ptr::NonNull;

use island::call::{Frame, Kind, Number};
use smallvec::SmallVec;

use crate::copy::read_into;
use crate::error::{GuestError, HeapError};
use crate::heap::Heap;
use crate::plain::Plain;
use crate::view::View;

/// A call that is being prepared.
pub struct Call<'c> {
    pub(crate) frame: Frame<'c>,
    pub(crate) heap: Option<&'c Heap>,
    pub(crate) trusted: bool,
    /// Blocks that were allocated for this call.
    pub(crate) temporary: SmallVec<[u64; 4]>,
}

impl<'c> Call<'c> {
    fn heap(&self) -> &'c Heap {
        self.heap.expect("binding checked that there is a heap")
    }

    fn push_size(&mut self, value: u64) -> Result<(), GuestError> {
        match self.frame.next() {
            Some(Kind::I64) => self.frame.push(Number::I64(value as i64)),
            _ => self.frame.push_i32(u32::try_from(value).map_err(|_| GuestError::Range { value })? as i32),
        }
        Ok(())
    }

    fn push_copy<T: Plain>(&mut self, values: &[T]) -> Result<u64, GuestError> {
        let address = self.heap().copy_in(values)?;
        self.temporary.push(address);
        self.push_size(address)?;
        Ok(address)
    }

    /// The address of a slice that is in the guest already, if it may be used.
    fn in_place<T: Plain>(&self, values: &[T]) -> Option<u64> {
        let heap = self.heap.filter(|_| self.trusted)?;
        heap.address_of(NonNull::from(values).cast(), size_of_val(values))
    }
}

mod sealed {
    pub trait Sealed {}
}

/// One argument. See the [module](self) for those that there are.
pub trait Argument: sealed::Sealed {
    /// The type with the lifetime of one call.
    type Given<'a>;
    /// Whether it needs the guest's allocator.
    #[doc(hidden)]
    const HEAP: bool;
    /// The guest's parameters; `pointer` is how wide its addresses are.
    #[doc(hidden)]
    fn params(pointer: Kind, into: &mut Vec<Kind>);
    /// Pushes it; returns its address, if it has one.
    #[doc(hidden)]
    fn pass(given: &Self::Given<'_>, call: &mut Call<'_>) -> Result<u64, GuestError>;
    /// Copies back what the guest may have changed.
    #[doc(hidden)]
    fn take_back(_given: &mut Self::Given<'_>, _address: u64, _call: &Call<'_>) -> Result<(), GuestError> {
        Ok(())
    }
}

macro_rules! numbers {
    ($($ty:ty: $kind:ident $as:ty;)*) => { $(
        impl sealed::Sealed for $ty {}
        impl Argument for $ty {
            type Given<'a> = $ty;
            const HEAP: bool = false;
            fn params(_: Kind, into: &mut Vec<Kind>) {
                into.push(Kind::$kind);
            }
            fn pass(given: &$ty, call: &mut Call<'_>) -> Result<u64, GuestError> {
                call.frame.push(Number::$kind(*given as $as));
                Ok(0)
            }
        }
    )* };
}

numbers! { bool: I32 i32; i32: I32 i32; u32: I32 i32; i64: I64 i64; u64: I64 i64; f32: F32 f32; f64: F64 f64; }

impl sealed::Sealed for usize {}
impl Argument for usize {
    type Given<'a> = usize;
    const HEAP: bool = false;

    fn params(pointer: Kind, into: &mut Vec<Kind>) {
        into.push(pointer);
    }

    fn pass(given: &usize, call: &mut Call<'_>) -> Result<u64, GuestError> {
        call.push_size(*given as u64)?;
        Ok(0)
    }
}

impl<T: Plain> sealed::Sealed for &[T] {}
impl<T: Plain> Argument for &[T] {
    type Given<'a> = &'a [T];
    const HEAP: bool = true;

    fn params(pointer: Kind, into: &mut Vec<Kind>) {
        into.push(pointer);
    }

    fn pass(given: &&[T], call: &mut Call<'_>) -> Result<u64, GuestError> {
        match call.in_place(given) {
            Some(address) => call.push_size(address).map(|()| address),
            None => call.push_copy(given),
        }
    }
}

impl<T: Plain> sealed::Sealed for &mut [T] {}
impl<T: Plain> Argument for &mut [T] {
    type Given<'a> = &'a mut [T];
    const HEAP: bool = true;

    fn params(pointer: Kind, into: &mut Vec<Kind>) {
        into.push(pointer);
    }

    fn pass(given: &&mut [T], call: &mut Call<'_>) -> Result<u64, GuestError> {
        // Always a copy: while a `&mut` is alive nothing else may write there, a guest neither.
        call.push_copy(given)
    }

    fn take_back(given: &mut &mut [T], address: u64, call: &Call<'_>) -> Result<(), GuestError> {
        Ok(read_into(call.heap().data(), address, given)?)
    }
}

impl sealed::Sealed for &str {}
impl Argument for &str {
    type Given<'a> = &'a str;
    const HEAP: bool = true;

    fn params(pointer: Kind, into: &mut Vec<Kind>) {
        into.push(pointer);
    }

    fn pass(given: &&str, call: &mut Call<'_>) -> Result<u64, GuestError> {
        let address = call.heap().copy_in_c_string(given)?;
        call.temporary.push(address);
        call.push_size(address).map(|()| address)
    }
}

impl<T: Plain> sealed::Sealed for &View<[T]> {}
impl<T: Plain> Argument for &View<[T]> {
    type Given<'a> = &'a View<[T]>;
    const HEAP: bool = true;

    fn params(pointer: Kind, into: &mut Vec<Kind>) {
        into.push(pointer);
    }

    fn pass(given: &&View<[T]>, call: &mut Call<'_>) -> Result<u64, GuestError> {
        let address = given.block().address();
        if !given.block().is_of(call.heap()) {
            return Err(HeapError::NotOurs { address }.into());
        }
        call.push_size(address).map(|()| address)
    }
}

/// A slice or a string with the number of its elements (of its bytes, for a string) behind it: two parameters.
#[derive(Debug)]
pub struct Counted<T>(PhantomData<T>);

impl<T: Plain> sealed::Sealed for Counted<&[T]> {}
impl<T: Plain> Argument for Counted<&[T]> {
    type Given<'a> = &'a [T];
    const HEAP: bool = true;

    fn params(pointer: Kind, into: &mut Vec<Kind>) {
        into.extend([pointer, pointer]);
    }

    fn pass(given: &&[T], call: &mut Call<'_>) -> Result<u64, GuestError> {
        let address = <&[T]>::pass(given, call)?;
        call.push_size(given.len() as u64).map(|()| address)
    }
}

impl sealed::Sealed for Counted<&str> {}
impl Argument for Counted<&str> {
    type Given<'a> = &'a str;
    const HEAP: bool = true;

    fn params(pointer: Kind, into: &mut Vec<Kind>) {
        into.extend([pointer, pointer]);
    }

    fn pass(given: &&str, call: &mut Call<'_>) -> Result<u64, GuestError> {
        Counted::<&[u8]>::pass(&given.as_bytes(), call)
    }
}

/// The arguments of a function: a tuple of up to eight.
pub trait Arguments: sealed::Sealed {
    /// The tuple with the lifetimes of one call.
    type Given<'a>;
    #[doc(hidden)]
    type Addresses;
    #[doc(hidden)]
    const HEAP: bool;
    #[doc(hidden)]
    fn params(pointer: Kind) -> Vec<Kind>;
    #[doc(hidden)]
    fn pass(given: &Self::Given<'_>, call: &mut Call<'_>) -> Result<Self::Addresses, GuestError>;
    #[doc(hidden)]
    fn take_back(given: Self::Given<'_>, addresses: Self::Addresses, call: &Call<'_>) -> Result<(), GuestError>;
}

macro_rules! address {
    ($name:ident) => {
        u64
    };
}

macro_rules! tuples {
    ($(($($name:ident $place:tt)*))*) => { $(
        impl<$($name: Argument),*> sealed::Sealed for ($($name,)*) {}
        impl<$($name: Argument),*> Arguments for ($($name,)*) {
            type Given<'a> = ($($name::Given<'a>,)*);
            type Addresses = ($(address!($name),)*);
            const HEAP: bool = false $(|| $name::HEAP)*;
            #[allow(unused_variables, unused_mut)]
            fn params(pointer: Kind) -> Vec<Kind> {
                let mut params = Vec::new();
                $($name::params(pointer, &mut params);)*
                params
            }
            #[allow(unused_variables, clippy::unused_unit)]
            fn pass(given: &Self::Given<'_>, call: &mut Call<'_>) -> Result<Self::Addresses, GuestError> {
                Ok(($($name::pass(&given.$place, call)?,)*))
            }
            #[allow(unused_variables, unused_mut)]
            fn take_back(
                mut given: Self::Given<'_>,
                addresses: Self::Addresses,
                call: &Call<'_>,
            ) -> Result<(), GuestError> {
                $($name::take_back(&mut given.$place, addresses.$place, call)?;)*
                Ok(())
            }
        }
    )* };
}

tuples! {
    ()
    (A 0)
    (A 0 B 1)
    (A 0 B 1 C 2)
    (A 0 B 1 C 2 D 3)
    (A 0 B 1 C 2 D 3 E 4)
    (A 0 B 1 C 2 D 3 E 4 F 5)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7)
}
