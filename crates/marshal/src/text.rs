//! Strings in a guest's memory: UTF-8, UTF-16 and Latin-1, ended by a zero or of a length that is given.

use island::NumberKind;
use island::call::Number;

use crate::error::{GuestError, HeapError};
use crate::layout::{InGuest as _, Layouts};
use crate::transfer::{Reader, Writer};
use crate::value::{Marshal, Pointer};

/// A string of 16-bit units. As an argument it is `Utf16<&str>`, given as `&str`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Utf16<T = String>(pub T);

/// A string of the first 256 characters, in a byte each. As an argument it is `Latin1<&str>`, given as `&str`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Latin1<T = String>(pub T);

/// A slice or a string with the number of its elements (of its units, for a string).
///
/// As an argument, and in a callback, it is two parameters, the address and the number; a string has no zero at its
/// end. Elsewhere the number comes from the same sources as that of a slice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counted<T>(pub T);

/// How a string is written.
pub trait Text: Sized {
    /// The bytes of a unit.
    #[doc(hidden)]
    const UNIT: usize;
    #[doc(hidden)]
    fn wrap(string: String) -> Self;
    #[doc(hidden)]
    fn unwrap(&self) -> &str;
    #[doc(hidden)]
    fn encode(string: &str) -> Result<Vec<u8>, HeapError>;
    #[doc(hidden)]
    fn decode(bytes: Vec<u8>, address: u64) -> Result<String, HeapError>;

    /// Copies a string and a zero after it.
    #[doc(hidden)]
    fn copy_in(string: &str, to: &mut Writer<'_>) -> Result<u64, GuestError> {
        if let Some(at) = string.bytes().position(|byte| byte == 0) {
            return Err(HeapError::ZeroByte { at }.into());
        }
        let mut bytes = Self::encode(string)?;
        bytes.extend(std::iter::repeat_n(0, Self::UNIT));
        to.bytes(&bytes)
    }

    /// The string of `len` units at an address.
    #[doc(hidden)]
    fn copy_out(address: u64, len: usize, from: &mut Reader<'_>) -> Result<String, GuestError> {
        let bytes = (len as u64).saturating_mul(Self::UNIT as u64);
        from.data().range(address, 1)?;
        from.own(address, bytes, Self::UNIT);
        let bytes = from.bytes(address, bytes)?;
        Ok(Self::decode(bytes.into_vec(), address)?)
    }
}

impl Text for String {
    const UNIT: usize = 1;

    fn wrap(string: String) -> Self {
        string
    }

    fn unwrap(&self) -> &str {
        self
    }

    fn encode(string: &str) -> Result<Vec<u8>, HeapError> {
        Ok(string.into())
    }

    fn decode(bytes: Vec<u8>, address: u64) -> Result<String, HeapError> {
        Self::from_utf8(bytes).map_err(|e| HeapError::NotUtf8 { address, at: e.utf8_error().valid_up_to() })
    }
}

impl Text for Latin1 {
    const UNIT: usize = 1;

    fn wrap(string: String) -> Self {
        Self(string)
    }

    fn unwrap(&self) -> &str {
        &self.0
    }

    fn encode(string: &str) -> Result<Vec<u8>, HeapError> {
        let byte = |(at, char)| u8::try_from(char).map_err(|_| HeapError::NotLatin1 { at });
        string.char_indices().map(byte).collect()
    }

    fn decode(bytes: Vec<u8>, _: u64) -> Result<String, HeapError> {
        Ok(bytes.into_iter().map(char::from).collect())
    }
}

impl Text for Utf16 {
    const UNIT: usize = 2;

    fn wrap(string: String) -> Self {
        Self(string)
    }

    fn unwrap(&self) -> &str {
        &self.0
    }

    fn encode(string: &str) -> Result<Vec<u8>, HeapError> {
        Ok(string.encode_utf16().flat_map(u16::to_le_bytes).collect())
    }

    fn decode(bytes: Vec<u8>, address: u64) -> Result<String, HeapError> {
        let units = bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
        let mut at = 0;
        let mut char = |char: Result<char, _>| {
            let char = char.map_err(|_| HeapError::NotUtf16 { address, at })?;
            at += char.len_utf16();
            Ok(char)
        };
        char::decode_utf16(units).map(&mut char).collect()
    }
}

/// How many units there are before the zero.
fn terminated<T: Text>(address: u64, from: &Reader<'_>) -> Result<usize, GuestError> {
    if T::UNIT == 1 {
        return Ok(from.data().read_c_string(address)?.len());
    }
    let mut len = 0;
    let mut unit = [1, 0];
    loop {
        from.data().read(address.saturating_add(len * T::UNIT as u64), &mut unit)?;
        if unit == [0, 0] {
            return Ok(len as usize);
        }
        len += 1;
    }
}

macro_rules! strings {
    ($($text:ty)*) => { $(
        impl Pointer for $text {}
        impl Marshal for $text {
            const LAYOUT: Layouts = Layouts::POINTER;
            const HEAP: bool = true;

            fn store(&self, bytes: &mut [u8], to: &mut Writer<'_>) -> Result<(), GuestError> {
                let address = <Self as Text>::copy_in(self.unwrap(), to)?;
                to.address(address, bytes)
            }

            fn load(bytes: &[u8], from: &mut Reader<'_>) -> Result<Self, GuestError> {
                let address = from.pointed(bytes)?;
                let len = terminated::<Self>(address, from)?;
                Ok(Self::wrap(<Self as Text>::copy_out(address, len, from)?))
            }
        }

        impl Pointer for Counted<$text> {}
        impl Marshal for Counted<$text> {
            const LAYOUT: Layouts = Layouts::POINTER;
            const HEAP: bool = true;
            const SLICED: bool = true;

            fn store(&self, bytes: &mut [u8], to: &mut Writer<'_>) -> Result<(), GuestError> {
                let address = to.bytes(&<$text>::encode(self.0.unwrap())?)?;
                to.address(address, bytes)
            }

            fn load(bytes: &[u8], from: &mut Reader<'_>) -> Result<Self, GuestError> {
                let (len, address) = (from.take_len(), from.pointed(bytes)?);
                if len.is_err() {
                    from.own(address, 0, <$text>::UNIT);
                }
                Ok(Self(<$text>::wrap(<$text as Text>::copy_out(address, len?, from)?)))
            }

            fn count(&self) -> Option<usize> {
                <$text>::encode(self.0.unwrap()).ok().map(|bytes| bytes.len() / <$text>::UNIT)
            }

            fn params(pointer: NumberKind, into: &mut Vec<NumberKind>) {
                into.extend([pointer, pointer]);
            }

            fn receive(params: &mut dyn Iterator<Item = Number>, from: &mut Reader<'_>) -> Result<Self, GuestError> {
                receive_counted(params, from)
            }
        }
    )* };
}

strings! { String Utf16 Latin1 }

impl<T: Marshal> Pointer for Counted<Vec<T>> {}
impl<T: Marshal> Marshal for Counted<Vec<T>> {
    const LAYOUT: Layouts = Layouts::POINTER;
    const HEAP: bool = true;
    const SLICED: bool = true;

    fn store(&self, bytes: &mut [u8], to: &mut Writer<'_>) -> Result<(), GuestError> {
        self.0.store(bytes, to)
    }

    fn load(bytes: &[u8], from: &mut Reader<'_>) -> Result<Self, GuestError> {
        Vec::load(bytes, from).map(Self)
    }

    fn update(&mut self, before: &[u8], now: &[u8], from: &mut Reader<'_>) -> Result<(), GuestError> {
        self.0.update(before, now, from)
    }

    fn count(&self) -> Option<usize> {
        self.0.count()
    }

    fn params(pointer: NumberKind, into: &mut Vec<NumberKind>) {
        into.extend([pointer, pointer]);
    }

    fn receive(params: &mut dyn Iterator<Item = Number>, from: &mut Reader<'_>) -> Result<Self, GuestError> {
        receive_counted(params, from)
    }
}

/// An address and a number of elements.
fn receive_counted<T: Marshal>(
    params: &mut dyn Iterator<Item = Number>,
    from: &mut Reader<'_>,
) -> Result<T, GuestError> {
    let mut next = || params.next().expect("the signature has all parameters").as_address();
    let (address, len) = (next(), next());
    from.set_len(Some(usize::try_from(len).map_err(|_| GuestError::Range { value: len })?));
    let bytes = address.to_le_bytes();
    T::load(&bytes[..T::LAYOUT.of(from.pointer()).size], from)
}
