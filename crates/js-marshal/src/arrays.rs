//! Arrays of numbers, in and out.

use std::ptr::NonNull;

use qjs::{Borrowed, Bytes, Cx, Object, Result, Value};
use rquickjs::atom::PredefinedAtom;

use crate::convert::Marshal;
use crate::scalar::Scalar;
use crate::types::TypeObject;

/// An array whose length is in this range has its elements read all at once; others are read one by one.
const SPREAD: std::ops::RangeInclusive<usize> = 24..=65_000;

/// An array's `length`. A typed array's is the one of its class; it is 0 for anything but an object.
///
/// # Errors
/// What a getter throws.
pub(crate) fn length(value: &Value<'_>) -> Result<f64> {
    let borrowed = Borrowed::of(value);
    match (qjs::buffer::element_kind(borrowed), value.as_object()) {
        (Some(kind), _) => {
            let bytes = qjs::buffer::typed_array_bytes(Cx::of(value.ctx()), borrowed);
            Ok(bytes.map_or(0.0, |bytes| (bytes.len / kind.size()) as f64))
        }
        (None, Some(object)) => object.get(PredefinedAtom::Length),
        (None, None) => Ok(0.0),
    }
}

/// Puts elements into a script's array. Elements that it has are assigned; those after them are defined, so that they
/// are elements of this array whatever `Array.prototype` has.
///
/// # Errors
/// What the array throws when it refuses an element.
pub(crate) fn put<'js>(array: &Object<'js>, values: impl IntoIterator<Item = Result<Value<'js>>>) -> Result<()> {
    let len = if array.is_array() { length(array.as_value())? as usize } else { usize::MAX };
    values.into_iter().enumerate().try_for_each(|(at, value)| match at < len {
        true => array.set(at as u32, value?),
        false => qjs::properties::create_at(array, at as u32, value?),
    })
}

/// An array argument, before anything is allocated for it.
pub(crate) enum Source<'a, 'js> {
    /// It lies in the guest's memory already, in a buffer that begins at `buffer`.
    InGuest { address: u64, len: usize, buffer: u64 },
    /// A typed array of the same element type.
    SameType { bytes: NonNull<u8>, len: usize },
    /// A typed array of another element type, or a plain array.
    Elements { value: Borrowed<'a>, array: Option<Object<'js>>, len: usize },
}

impl<'a, 'js> Source<'a, 'js> {
    /// Looks at an argument. Runs no script except a getter of `length`.
    ///
    /// # Errors
    /// A TypeError for anything but an array or an attached typed array.
    pub(crate) fn of(marshal: &Marshal<'_, 'js>, scalar: Scalar, value: Borrowed<'a>) -> Result<Self> {
        let (cx, heap) = (marshal.cx(), marshal.heap());
        let element = scalar.element(marshal.is_wide());
        if let Some(kind) = qjs::buffer::element_kind(value) {
            let Some((bytes, whole)) = qjs::buffer::typed_array_in_buffer(cx, value) else {
                return Err(marshal.type_error(format_args!("the {} is detached", kind.name())));
            };
            let len = bytes.len / kind.size();
            let is_clamped = kind == qjs::ElementKind::Uint8Clamped && scalar == Scalar::Uint8;
            if kind != element && !is_clamped {
                return Ok(Self::Elements { value, array: value.to_value(cx).into_object(), len });
            }
            return Ok(match heap.address_of(bytes.start, bytes.len).filter(|_| len > 0) {
                Some(address) => {
                    let buffer = heap.address_of(whole.start, 0).unwrap_or(address);
                    Self::InGuest { address, len, buffer }
                }
                None => Self::SameType { bytes: bytes.start, len },
            });
        }
        let object = value.to_value(cx);
        let Some(array) = object.as_object().filter(|_| object.is_array()) else {
            return Err(marshal.unexpected(format_args!("an array or {}", webidl::with_article(element.name())), value));
        };
        let len = array.get::<_, f64>(PredefinedAtom::Length)? as usize;
        Ok(Self::Elements { value, array: object.into_object(), len })
    }

    /// No more than the first elements.
    pub(crate) fn first(mut self, count: usize) -> Self {
        let (Self::InGuest { len, .. } | Self::SameType { len, .. } | Self::Elements { len, .. }) = &mut self;
        *len = count.min(*len);
        self
    }

    /// How many elements it has.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::InGuest { len, .. } | Self::SameType { len, .. } | Self::Elements { len, .. } => *len,
        }
    }

    /// Copies the elements to `address`, which must have room for them.
    ///
    /// # Errors
    /// A TypeError for an element that is not a number of the type.
    pub(crate) fn copy_in(
        &self,
        marshal: &Marshal<'_, 'js>,
        ty: &TypeObject,
        scalar: Scalar,
        address: u64,
    ) -> Result<()> {
        let bytes = self.len() as u64 * scalar.size(marshal.is_wide()) as u64;
        let to = marshal.range(address, bytes)?.start;
        match self {
            Self::InGuest { address: from, .. } => {
                let from = marshal.range(*from, bytes)?.start;
                // SAFETY: both ranges were checked, and nobody holds a reference to guest bytes.
                unsafe { std::ptr::copy(from.as_ptr(), to.as_ptr(), bytes as usize) };
                Ok(())
            }
            Self::SameType { bytes: from, .. } => {
                // SAFETY: nothing that could detach or move the source ran since it was looked at (allocating calls the
                // guest, whose imports could, but then the caller looks again), and the target range was checked.
                unsafe { std::ptr::copy(from.as_ptr(), to.as_ptr(), bytes as usize) };
                Ok(())
            }
            Self::Elements { value, array, len } => {
                copy_elements(marshal, ty, scalar, *value, array.as_ref(), *len, to)
            }
        }
    }
}

/// Writes the elements of an array, of any kind, to `to`.
fn copy_elements<'js>(
    marshal: &Marshal<'_, 'js>,
    ty: &TypeObject,
    scalar: Scalar,
    value: Borrowed<'_>,
    array: Option<&Object<'js>>,
    len: usize,
    to: NonNull<u8>,
) -> Result<()> {
    let (cx, wide) = (marshal.cx(), marshal.is_wide());
    let size = scalar.size(wide);
    let put_any = |at: usize, element: Borrowed<'_>| -> Result<()> {
        let mut bytes = [0; 8];
        if ty.exact || !scalar.write(cx, element, &mut bytes[..size], wide)? {
            // It is a member of an enum, or a mistake.
            let number = marshal.within_element(at as u64, || marshal.number(ty, scalar, element))?;
            bytes = crate::scalar::bits(number).to_le_bytes();
        }
        // SAFETY: the caller checked room for `len` elements, and `at` is below it.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to.as_ptr().add(at * size), size) };
        Ok(())
    };
    // The commonest case by far, without a detour through bytes.
    let put = |at: usize, element: Borrowed<'_>| match element.number().filter(|_| scalar == Scalar::Float64) {
        Some(number) => {
            // SAFETY: as in `put_any`; a guest's address need not be aligned.
            unsafe { to.as_ptr().cast::<f64>().add(at).write_unaligned(number) };
            Ok(())
        }
        None => put_any(at, element),
    };
    let Some(array) = array else { return Ok(()) };
    if SPREAD.contains(&len) && array.is_array() {
        return qjs::array::spread(array.as_value(), |elements| {
            // A getter may have lengthened the array meanwhile.
            elements.iter().take(len).enumerate().try_for_each(|(at, element)| put(at, element))
        });
    }
    (0..len).try_for_each(|at| qjs::array::with_element(cx, value, at as u32, |element| put(at, element)))
}

/// A new array of the `len` elements at `start`, which must exist.
///
/// # Errors
/// A RangeError for more elements than an array can have.
pub(crate) fn copy_out<'js>(
    marshal: &Marshal<'_, 'js>,
    scalar: Scalar,
    start: NonNull<u8>,
    len: u64,
) -> Result<Value<'js>> {
    let (cx, wide) = (marshal.cx(), marshal.is_wide());
    let size = scalar.size(wide);
    let mut elements = qjs::array::ArrayBuilder::new(cx, len as usize)?;
    if scalar == Scalar::Float64 {
        // SAFETY: the caller looked at the range, and a memory never shrinks; a guest's address need not be aligned.
        let numbers = (0..len as usize).map(|at| unsafe { start.as_ptr().cast::<f64>().add(at).read_unaligned() });
        numbers.map(|number| cx.float(number)).try_for_each(|number| elements.push(number))?;
        return elements.finish();
    }
    for at in 0..len as usize {
        let mut bytes = [0u8; 8];
        // SAFETY: as above.
        unsafe { std::ptr::copy_nonoverlapping(start.as_ptr().add(at * size), bytes.as_mut_ptr(), size) };
        elements.push(scalar.read(cx, &bytes[..size], wide))?;
    }
    elements.finish()
}

/// [`copy_out`] for elements of a fixed length, on its way to C.
///
/// # Errors
/// As [`copy_out`].
#[inline]
pub(crate) fn returned(cx: Cx<'_>, scalar: Scalar, start: NonNull<u8>, len: u64, wide: bool) -> Result<qjs::Returned> {
    let size = scalar.size(wide);
    let mut elements = qjs::array::ArrayBuilder::new(cx, len as usize)?;
    for at in 0..len as usize {
        // SAFETY: the caller looked at the range, and a memory never shrinks. A guest's address need not be aligned.
        let element = unsafe {
            match scalar {
                Scalar::Float64 => cx.float(start.as_ptr().cast::<f64>().add(at).read_unaligned()),
                _ => {
                    let mut bytes = [0u8; 8];
                    std::ptr::copy_nonoverlapping(start.as_ptr().add(at * size), bytes.as_mut_ptr(), size);
                    scalar.read(cx, &bytes[..size], wide)
                }
            }
        };
        elements.push(element)?;
    }
    match elements.into_returned() {
        made if made.is_exception() => Err(rquickjs::Error::Exception),
        made => Ok(made),
    }
}

/// Copies bytes of the guest over those at `to`, which `value`, a buffer or a view, has just now.
///
/// # Errors
/// A TypeError if that would change an immutable buffer.
pub(crate) fn overwrite(marshal: &Marshal<'_, '_>, value: Borrowed<'_>, address: u64, to: Bytes) -> Result<()> {
    let from = marshal.range(address, to.len as u64)?;
    let buffer = qjs::buffer::buffer_of(marshal.cx(), value).and_then(Value::into_object);
    if buffer.is_some_and(|buffer| qjs::buffer::is_immutable(&buffer)) {
        // SAFETY: both ranges were looked at just now, and nothing ran since.
        let is_same = unsafe { from.to_vec() == to.to_vec() };
        return match is_same {
            true => Ok(()),
            false => Err(marshal.type_error("the guest has changed it, but its buffer is immutable")),
        };
    }
    // SAFETY: as above.
    unsafe { std::ptr::copy(from.start.as_ptr(), to.start.as_ptr(), to.len) };
    Ok(())
}

/// Copies `len` elements at `address` back into an array argument.
///
/// # Errors
/// What the array throws when it refuses an element.
pub(crate) fn copy_back(
    marshal: &Marshal<'_, '_>,
    ty: &TypeObject,
    scalar: Scalar,
    address: u64,
    value: Borrowed<'_>,
    len: u64,
) -> Result<()> {
    let (cx, wide) = (marshal.cx(), marshal.is_wide());
    let size = scalar.size(wide);
    if qjs::buffer::element_kind(value) == Some(scalar.element(wide)) {
        // The guest may have run scripts that detached or shortened the array. What is left of it is filled.
        let Some(bytes) = qjs::buffer::typed_array_bytes(cx, value) else { return Ok(()) };
        let count = bytes.len.min(len as usize * size);
        return overwrite(marshal, value, address, Bytes { len: count, ..bytes });
    }
    let object = value.to_value(cx);
    let Some(array) = object.as_object() else { return Ok(()) };
    let there = if array.is_array() { length(&object)? as u64 } else { u64::MAX };
    for at in 0..len {
        let (element, mut bytes) = (address + at * size as u64, [0; 8]);
        marshal.heap().data().read(element, &mut bytes[..size]).map_err(|error| marshal.heap_error(error))?;
        // What the guest has left alone is not assigned. (The name of an enum's member becomes its number.)
        let is_same = |own: Borrowed<'_>| {
            Ok(!own.is_string() && marshal.bytes_of_number(ty, scalar, own)?.is_some_and(|own| own == bytes))
        };
        if at < there && qjs::array::with_element(cx, value, at as u32, is_same)? {
            continue;
        }
        let new = scalar.read(cx, &bytes[..size], wide).into_value(cx)?;
        match at < there {
            true => array.set(at as u32, new)?,
            false => qjs::properties::create_at(array, at as u32, new)?,
        }
    }
    Ok(())
}
