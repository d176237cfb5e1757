//! Types that are nothing but bytes, so that they can be copied to a guest and back as they are.

// WebAssembly's memory is little-endian; on such hosts a copy of bytes is a copy of numbers.
const _: () = assert!(cfg!(target_endian = "little"));

/// A type without padding, for which any bytes are a value, and which lies in a guest's memory as it does in the
/// host's. Numbers are plain, and so are arrays of them, and `#[repr(C)]` structs and unions of such types that derive
/// it.
///
/// ```
/// use marshal::Plain;
///
/// #[derive(Plain, Clone, Copy)]
/// #[repr(C)]
/// struct Point {
///     x: f64,
///     y: f64,
/// }
///
/// #[derive(Plain, Clone, Copy)]
/// #[repr(C)]
/// union Number {
///     integer: i64,
///     float: f64,
/// }
/// ```
///
/// Slices of plain types are copied in one go, and [`View`](crate::View) and [`Owned`](crate::Owned) are made of them.
/// Whatever else lies in a guest's memory derives [`Marshal`](crate::Marshal), which this includes.
///
/// Deriving it is safe: the compiler checks what it promises. Padding:
///
/// ```compile_fail,E0080
/// #[derive(marshal::Plain, Clone, Copy)]
/// #[repr(C)]
/// struct Padded {
///     id: i32,
///     x: f64,
/// }
/// ```
///
/// Types that not all bytes are values of:
///
/// ```compile_fail,E0277
/// #[derive(marshal::Plain, Clone, Copy)]
/// #[repr(C)]
/// struct Switch {
///     on: bool,
/// }
/// ```
///
/// A layout other than C's:
///
/// ```compile_fail
/// #[derive(marshal::Plain, Clone, Copy)]
/// struct Point {
///     x: f64,
/// }
/// ```
///
/// # Safety
/// No padding, no pointers or references, no invalid values, no interior mutability; and the layout that it has as
/// [`Marshal`](crate::Marshal) is the host's. Derive it.
pub unsafe trait Plain: crate::value::Marshal + Copy + Send + Sync + 'static {}

macro_rules! plain {
    ($($ty:ty)*) => { $(
        // SAFETY: a number has no padding, and any bytes are one.
        unsafe impl Plain for $ty {}
    )* };
}

plain! { i8 u8 i16 u16 i32 u32 i64 u64 f32 f64 }

// SAFETY: an array has no padding beyond that of its elements, which have none.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}

/// The bytes of values on the host.
pub(crate) fn bytes_of<T: Plain>(values: &[T]) -> &[u8] {
    // SAFETY: `Plain` types have no padding, so all bytes are initialised; the length in bytes is that of the slice.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) }
}

/// The bytes of values on the host, to be overwritten.
pub(crate) fn bytes_of_mut<T: Plain>(values: &mut [T]) -> &mut [u8] {
    // SAFETY: as in `bytes_of`; and whatever bytes are written, they are values of `T`.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), size_of_val(values)) }
}

/// `count` values, all of whose bytes are zero.
pub(crate) fn zeroed<T: Plain>(count: usize) -> Vec<T> {
    let mut values = Vec::with_capacity(count);
    // SAFETY: the capacity is there, and zero bytes are values of a `Plain` type.
    unsafe {
        std::ptr::write_bytes(values.as_mut_ptr(), 0, count);
        values.set_len(count);
    }
    values
}

/// A value all of whose bytes are zero.
pub(crate) fn zero<T: Plain>() -> T {
    // SAFETY: any bytes are a value of a `Plain` type.
    unsafe { std::mem::zeroed() }
}
