//! What can lie in a guest's memory: numbers, structs, and pointers to more of them.

use island::call::{Number, NumberKind};

use crate::copy::read_slice;
use crate::error::{GuestError, HeapError};
use crate::layout::{InGuest as _, InMemory as _, Layout, Layouts, Passed, Scalar};
use crate::plain::{Plain, bytes_of, bytes_of_mut};
use crate::transfer::{Binder, Reader, Writer};
use crate::view::View;

/// A type with a place in a guest's memory, as C lays it out there.
///
/// | type | in C |
/// | --- | --- |
/// | the numbers, `bool` | the number |
/// | `usize` | `size_t` |
/// | `[T; N]` | `T name[N]` |
/// | `Box<T>` | `T *`, to one |
/// | `Vec<T>` | `T *`, to as many as somebody says |
/// | `String`, [`Utf16`](crate::Utf16), [`Latin1`](crate::Latin1) | `char *`, `char16_t *`, `char *`, up to a zero |
/// | `Counted<String>` and the like | the same, to as many units as somebody says |
/// | [`View<[T]>`](View) | `T *`, which is not copied |
/// | [`Opaque<T>`](crate::Opaque) | `T *`, which its own function takes back |
/// | [`Lent`] of a pointer | `const T *`: the guest keeps it |
/// | `Option` of a pointer | the same, or null |
/// | what derives it | a struct, or an enum |
///
/// A pointer that comes from the guest is the host's: what it points to is copied, and the block is freed. A pointer
/// that is [`Lent`], or lies within something that is, stays the guest's. A pointer that goes to the guest is to a
/// copy, which is freed after the call.
///
/// Structs may point to structs, but only 200 deep, so that pointers that lead back to where they came from become an
/// error.
///
/// # Deriving it
/// There is a derive for structs, whose members may be any of these types, and for enums without data that have a
/// `#[repr]` of an integer; a number that is not among an enum's values is an error.
///
/// ```
/// use marshal::{Lent, Marshal};
///
/// #[derive(Marshal)]
/// #[repr(i32)]
/// enum Kind {
///     Sum,
///     Mean = 4,
/// }
///
/// /// struct series { enum kind kind; const char *name; int count; double *values; struct series *next; };
/// #[derive(Marshal)]
/// struct Series {
///     kind: Kind,
///     name: Lent<String>,
///     count: i32,
///     #[marshal(len = "count")]
///     values: Vec<f64>,
///     next: Option<Box<Series>>,
/// }
/// ```
///
/// A member that says how long another one is gets its value from that one when the struct goes to the guest; the
/// host's value in it is ignored.
///
/// ```compile_fail,E0080
/// #[derive(marshal::Marshal)]
/// struct Series {
///     count: i32,
///     values: Vec<f64>, // how many?
/// }
/// ```
///
/// ```compile_fail,E0277
/// #[derive(marshal::Marshal)]
/// struct Clock {
///     started: std::time::Instant, // has no place in a guest
/// }
/// ```
///
/// If this crate has another name, `#[marshal(crate = "path")]` on the type tells the derive.
pub trait Marshal: Sized + 'static {
    /// Its size and alignment, and how it goes by value.
    const LAYOUT: Layouts;
    /// Whether it needs memory of the guest besides its own bytes.
    const HEAP: bool = false;
    /// Whether somebody must say how many elements it has.
    const SLICED: bool = false;
    /// Whether it has the same bytes in the guest as on the host.
    #[doc(hidden)]
    const PLAIN: bool = false;

    /// Whether a reference to it is passed as the value itself is, since that is an address already.
    #[doc(hidden)]
    const IN_PLACE: bool = false;

    /// Finds in the guest what it needs there.
    ///
    /// # Errors
    /// When the guest lacks it.
    fn bind(_binder: &mut Binder<'_>) -> Result<(), GuestError> {
        Ok(())
    }

    /// Fills `bytes`, which are zero, and as many as the type's layout says.
    ///
    /// # Errors
    /// When something has no representation, or the guest has no room for what it points to.
    fn store(&self, bytes: &mut [u8], to: &mut Writer<'_>) -> Result<(), GuestError>;

    /// The value in `bytes`.
    ///
    /// # Errors
    /// When they hold no value of the type. What was given away to the host is freed all the same.
    fn load(bytes: &[u8], from: &mut Reader<'_>) -> Result<Self, GuestError>;

    /// Takes over what the guest changed: `before` went in, and `now` is there.
    #[doc(hidden)]
    fn update(&mut self, _before: &[u8], now: &[u8], from: &mut Reader<'_>) -> Result<(), GuestError> {
        *self = Self::load(now, from)?;
        Ok(())
    }

    /// How many elements it has, if it is a slice and not null.
    #[doc(hidden)]
    fn count(&self) -> Option<usize> {
        None
    }

    /// Copies values to a new block.
    #[doc(hidden)]
    fn copy_in(values: &[Self], to: &mut Writer<'_>) -> Result<u64, GuestError> {
        let bytes = to.image(values)?;
        if Self::HEAP { to.pointers(bytes) } else { to.bytes(&bytes) }
    }

    /// Copies values out of a block.
    #[doc(hidden)]
    fn copy_out(address: u64, count: usize, from: &mut Reader<'_>) -> Result<Vec<Self>, GuestError> {
        let size = Self::LAYOUT.of(from.pointer()).size;
        let bytes = from.bytes(address, (count as u64).saturating_mul(size as u64))?;
        from.spend(count as u64)?;
        // All of them, also behind one that is wrong: what they own is freed.
        let loaded: Vec<_> = (0..count).map(|index| Self::load(&bytes[index * size..][..size], from)).collect();
        loaded.into_iter().collect()
    }

    /// Copies back the values that [`Marshal::copy_in`] copied.
    #[doc(hidden)]
    fn copy_back(values: &mut [Self], address: u64, from: &mut Reader<'_>) -> Result<(), GuestError> {
        let Some(before) = from.images.remove(&address) else {
            let now = Self::copy_out(address, values.len(), from)?;
            values.iter_mut().zip(now).for_each(|(value, now)| *value = now);
            return Ok(());
        };
        let size = Self::LAYOUT.of(from.pointer()).size;
        let now = from.bytes(address, (values.len() as u64).saturating_mul(size as u64))?;
        let mut done = Ok(());
        // All of them, also behind one that is wrong.
        for (index, value) in values.iter_mut().enumerate() {
            let at = index * size..(index + 1) * size;
            done = done.and(value.update(&before[at.clone()], &now[at], from));
        }
        done
    }

    /// The parameters that it takes by value.
    #[doc(hidden)]
    fn params(pointer: NumberKind, into: &mut Vec<NumberKind>) {
        match Self::LAYOUT.of(pointer).passed {
            Passed::Nothing => {}
            Passed::Number(scalar) => into.push(scalar.kind()),
            Passed::Address => into.push(pointer),
        }
    }

    /// The value from the parameters of a callback.
    #[doc(hidden)]
    fn receive(params: &mut dyn Iterator<Item = Number>, from: &mut Reader<'_>) -> Result<Self, GuestError> {
        let mut next = || params.next().expect("the signature has all parameters");
        match Self::LAYOUT.of(from.pointer()).passed {
            Passed::Nothing => Self::load(&[], from),
            Passed::Number(scalar) => Self::load(&scalar.narrow(next())[..scalar.bytes()], from),
            Passed::Address => from.value(next().as_address()),
        }
    }
}

/// A type that is an address in the guest, never null.
pub trait Pointer: Marshal {}

macro_rules! numbers {
    ($($ty:ty: $scalar:ident;)*) => { $(
        impl Marshal for $ty {
            const LAYOUT: Layouts = Layouts::scalar(Scalar::$scalar);
            const PLAIN: bool = true;
            #[inline]
            fn store(&self, bytes: &mut [u8], _: &mut Writer<'_>) -> Result<(), GuestError> {
                bytes.copy_from_slice(&self.to_le_bytes());
                Ok(())
            }
            #[inline]
            fn load(bytes: &[u8], _: &mut Reader<'_>) -> Result<Self, GuestError> {
                Ok(Self::from_le_bytes(bytes.try_into().expect("as many bytes as the layout says")))
            }
            fn copy_in(values: &[Self], to: &mut Writer<'_>) -> Result<u64, GuestError> {
                plain_in(values, to)
            }
            fn copy_out(address: u64, count: usize, from: &mut Reader<'_>) -> Result<Vec<Self>, GuestError> {
                plain_out(address, count, from)
            }
            fn copy_back(values: &mut [Self], address: u64, from: &mut Reader<'_>) -> Result<(), GuestError> {
                plain_back(values, address, from)
            }
        }
    )* };
}

numbers! { i8: I8; u8: U8; i16: I16; u16: U16; i32: I32; u32: I32; i64: I64; u64: I64; f32: F32; f64: F64; }

/// [`Marshal::store`] of plain types.
#[doc(hidden)]
pub fn plain_store<T: Plain>(value: &T, bytes: &mut [u8]) {
    bytes.copy_from_slice(bytes_of(std::slice::from_ref(value)));
}

/// [`Marshal::load`] of plain types.
#[doc(hidden)]
pub fn plain_load<T: Plain>(bytes: &[u8]) -> T {
    let mut value = crate::plain::zero::<T>();
    bytes_of_mut(std::slice::from_mut(&mut value)).copy_from_slice(bytes);
    value
}

/// [`Marshal::copy_in`] of plain types.
#[doc(hidden)]
pub fn plain_in<T: Plain>(values: &[T], to: &mut Writer<'_>) -> Result<u64, GuestError> {
    let address = to.heap().copy_in(values)?;
    Ok(to.note(address))
}

/// [`Marshal::copy_out`] of plain types.
#[doc(hidden)]
pub fn plain_out<T: Plain>(address: u64, count: usize, from: &mut Reader<'_>) -> Result<Vec<T>, GuestError> {
    let bytes = (count as u64).saturating_mul(size_of::<T>() as u64);
    from.data().range(address, bytes)?;
    from.spend(bytes)?;
    Ok(read_slice(from.data(), address, count)?)
}

/// [`Marshal::copy_back`] of plain types.
#[doc(hidden)]
pub fn plain_back<T: Plain>(values: &mut [T], address: u64, from: &mut Reader<'_>) -> Result<(), GuestError> {
    Ok(from.data().read(address, bytes_of_mut(values))?)
}

impl Marshal for bool {
    const LAYOUT: Layouts = Layouts::scalar(Scalar::Bool);

    fn store(&self, bytes: &mut [u8], _: &mut Writer<'_>) -> Result<(), GuestError> {
        bytes[0] = u8::from(*self);
        Ok(())
    }

    fn load(bytes: &[u8], _: &mut Reader<'_>) -> Result<Self, GuestError> {
        Ok(bytes[0] != 0)
    }
}

impl Marshal for usize {
    const LAYOUT: Layouts = Layouts::POINTER;

    fn store(&self, bytes: &mut [u8], to: &mut Writer<'_>) -> Result<(), GuestError> {
        to.address(*self as u64, bytes)
    }

    fn load(bytes: &[u8], from: &mut Reader<'_>) -> Result<Self, GuestError> {
        let value = from.address(bytes);
        Self::try_from(value).map_err(|_| GuestError::Range { value })
    }
}

impl<T: Marshal, const N: usize> Marshal for [T; N] {
    const LAYOUT: Layouts = T::LAYOUT.array(N);
    const HEAP: bool = T::HEAP;
    const PLAIN: bool = T::PLAIN;

    fn bind(binder: &mut Binder<'_>) -> Result<(), GuestError> {
        const { assert!(!T::SLICED, "the elements of an array have no length of their own") };
        T::bind(binder)
    }

    fn store(&self, bytes: &mut [u8], to: &mut Writer<'_>) -> Result<(), GuestError> {
        let size = T::LAYOUT.of(to.pointer()).size;
        let mut each = self.iter().enumerate();
        each.try_for_each(|(index, value)| value.store(&mut bytes[index * size..][..size], to))
    }

    fn load(bytes: &[u8], from: &mut Reader<'_>) -> Result<Self, GuestError> {
        let size = T::LAYOUT.of(from.pointer()).size;
        let loaded: [_; N] = std::array::from_fn(|index| T::load(&bytes[index * size..][..size], from));
        let values = loaded.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(values.try_into().unwrap_or_else(|_| unreachable!("one value for each element")))
    }

    fn update(&mut self, before: &[u8], now: &[u8], from: &mut Reader<'_>) -> Result<(), GuestError> {
        let size = T::LAYOUT.of(from.pointer()).size;
        let mut done = Ok(());
        for (index, value) in self.iter_mut().enumerate() {
            let at = index * size..(index + 1) * size;
            done = done.and(value.update(&before[at.clone()], &now[at], from));
        }
        done
    }

    fn copy_in(values: &[Self], to: &mut Writer<'_>) -> Result<u64, GuestError> {
        T::copy_in(values.as_flattened(), to)
    }

    fn copy_back(values: &mut [Self], address: u64, from: &mut Reader<'_>) -> Result<(), GuestError> {
        T::copy_back(values.as_flattened_mut(), address, from)
    }
}

impl<T: Marshal> Pointer for Box<T> {}
impl<T: Marshal> Marshal for Box<T> {
    const LAYOUT: Layouts = Layouts::POINTER;
    const HEAP: bool = true;

    fn bind(binder: &mut Binder<'_>) -> Result<(), GuestError> {
        T::bind(binder)
    }

    fn store(&self, bytes: &mut [u8], to: &mut Writer<'_>) -> Result<(), GuestError> {
        let address = to.values(std::slice::from_ref(&**self))?;
        to.address(address, bytes)
    }

    fn load(bytes: &[u8], from: &mut Reader<'_>) -> Result<Self, GuestError> {
        let address = from.pointed(bytes)?;
        let Layout { size, align, .. } = T::LAYOUT.of(from.pointer());
        from.data().range(address, size as u64)?;
        from.own(address, size as u64, align);
        Ok(Self::new(from.value(address)?))
    }

    fn update(&mut self, before: &[u8], now: &[u8], from: &mut Reader<'_>) -> Result<(), GuestError> {
        match before == now {
            true => from.update(std::slice::from_mut(&mut **self), from.address(now)),
            false => Self::load(now, from).map(|new| *self = new),
        }
    }
}

impl<T: Marshal> Pointer for Vec<T> {}
impl<T: Marshal> Marshal for Vec<T> {
    const LAYOUT: Layouts = Layouts::POINTER;
    const HEAP: bool = true;
    const SLICED: bool = true;

    fn bind(binder: &mut Binder<'_>) -> Result<(), GuestError> {
        const { assert!(!T::SLICED, "the elements of a slice have no length of their own") };
        T::bind(binder)
    }

    fn store(&self, bytes: &mut [u8], to: &mut Writer<'_>) -> Result<(), GuestError> {
        let address = to.values(self)?;
        to.address(address, bytes)
    }

    fn load(bytes: &[u8], from: &mut Reader<'_>) -> Result<Self, GuestError> {
        let (len, address) = (from.take_len(), from.pointed(bytes)?);
        let Layout { size, align, .. } = T::LAYOUT.of(from.pointer());
        // The block is freed even if the length is wrong or unknown.
        from.data().range(address, 1)?;
        let bytes = len.as_ref().map_or(0, |&len| (len as u64).saturating_mul(size as u64));
        from.own(address, bytes, align);
        from.values(address, len?)
    }

    fn update(&mut self, before: &[u8], now: &[u8], from: &mut Reader<'_>) -> Result<(), GuestError> {
        let len = from.take_len()?;
        if before == now && len <= self.len() {
            self.truncate(len);
            return from.update(self, from.address(now));
        }
        from.set_len(Some(len));
        *self = Self::load(now, from)?;
        Ok(())
    }

    fn count(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<T: Plain> Pointer for View<[T]> {}
impl<T: Plain> Marshal for View<[T]> {
    const LAYOUT: Layouts = Layouts::POINTER;
    const HEAP: bool = true;
    const SLICED: bool = true;
    const IN_PLACE: bool = true;

    fn store(&self, bytes: &mut [u8], to: &mut Writer<'_>) -> Result<(), GuestError> {
        let address = self.block().address();
        match self.block().is_of(to.heap()) {
            true => to.address(address, bytes),
            false => Err(HeapError::NotOurs { address }.into()),
        }
    }

    fn load(bytes: &[u8], from: &mut Reader<'_>) -> Result<Self, GuestError> {
        let (len, address) = (from.take_len(), from.pointed(bytes)?);
        if !from.owned {
            return Err(HeapError::Lent { address }.into());
        }
        let adopt = |len| from.core.heap().adopt_aligned(address, len, align_of::<T>() as u32);
        match len.map(|len| adopt((len as u64).saturating_mul(size_of::<T>() as u64))) {
            Ok(Ok(block)) => Ok(Self::new(block)),
            // Adopted as a block of no bytes, and dropped: it is freed at the next safe point.
            Err(error) => adopt(0).map(drop).map_or_else(|e| Err(e.into()), |()| Err(error)),
            Ok(Err(error @ HeapError::BadAddress(_))) => {
                adopt(0).map(drop).map_or_else(|e| Err(e.into()), |()| Err(error.into()))
            }
            Ok(Err(error)) => Err(error.into()),
        }
    }

    fn update(&mut self, before: &[u8], now: &[u8], from: &mut Reader<'_>) -> Result<(), GuestError> {
        if before == now {
            from.set_len(None);
            return Ok(());
        }
        *self = Self::load(now, from)?;
        Ok(())
    }

    fn count(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<T: Pointer> Marshal for Option<T> {
    const LAYOUT: Layouts = Layouts::POINTER;
    const HEAP: bool = true;
    const SLICED: bool = T::SLICED;

    fn bind(binder: &mut Binder<'_>) -> Result<(), GuestError> {
        T::bind(binder)
    }

    fn store(&self, bytes: &mut [u8], to: &mut Writer<'_>) -> Result<(), GuestError> {
        self.as_ref().map_or(Ok(()), |value| value.store(bytes, to))
    }

    fn load(bytes: &[u8], from: &mut Reader<'_>) -> Result<Self, GuestError> {
        match from.address(bytes) {
            0 => {
                from.set_len(None);
                Ok(None)
            }
            _ => T::load(bytes, from).map(Some),
        }
    }

    fn update(&mut self, before: &[u8], now: &[u8], from: &mut Reader<'_>) -> Result<(), GuestError> {
        match self {
            Some(value) if before == now => value.update(before, now, from)?,
            _ => *self = Self::load(now, from)?,
        }
        Ok(())
    }

    fn count(&self) -> Option<usize> {
        self.as_ref()?.count()
    }
}

/// A pointer that stays the guest's: what it points to is copied and not freed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lent<T>(pub T);

impl<T: Pointer> Pointer for Lent<T> {}
impl<T: Pointer> Marshal for Lent<T> {
    const LAYOUT: Layouts = Layouts::POINTER;
    const HEAP: bool = true;
    const SLICED: bool = T::SLICED;

    fn bind(binder: &mut Binder<'_>) -> Result<(), GuestError> {
        T::bind(binder)
    }

    fn store(&self, bytes: &mut [u8], to: &mut Writer<'_>) -> Result<(), GuestError> {
        self.0.store(bytes, to)
    }

    fn load(bytes: &[u8], from: &mut Reader<'_>) -> Result<Self, GuestError> {
        from.lending(true, |from| T::load(bytes, from)).map(Self)
    }

    fn update(&mut self, before: &[u8], now: &[u8], from: &mut Reader<'_>) -> Result<(), GuestError> {
        from.lending(true, |from| self.0.update(before, now, from))
    }

    fn count(&self) -> Option<usize> {
        self.0.count()
    }
}

/// Stores how many elements the members have that `count` is for: 0 if all of them are null.
#[doc(hidden)]
pub fn store_count<N>(
    counts: &[Option<usize>],
    name: &'static str,
    bytes: &mut [u8],
    to: &mut Writer<'_>,
) -> Result<(), GuestError>
where
    N: Marshal + TryFrom<usize>,
{
    let mut there = counts.iter().flatten();
    let count = there.next().copied().unwrap_or(0);
    if there.any(|&other| other != count) {
        return Err(GuestError::Lengths { member: name });
    }
    let value = N::try_from(count).map_err(|_| GuestError::Count { member: name, count })?;
    value.store(bytes, to)
}

/// How many elements a member has, by the member that counts them.
#[doc(hidden)]
pub fn load_count<N>(bytes: &[u8], from: &mut Reader<'_>) -> Result<usize, GuestError>
where
    N: Marshal + Copy + TryInto<usize>,
{
    let count = N::load(bytes, from)?;
    let mut value = [0; 8];
    value[..bytes.len()].copy_from_slice(bytes);
    count.try_into().map_err(|_| GuestError::Range { value: u64::from_le_bytes(value) })
}
