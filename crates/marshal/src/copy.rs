//! Numbers and strings in and out of a guest's memory, by copies.
//!
//! A copy may race with a guest that another thread runs in a shared memory: its bytes may then be partly old and
//! partly new. It cannot leave the memory. Addresses need no alignment.

use data_block::DataBlock;

use crate::error::HeapError;
use crate::heap::Heap;
use crate::plain::{Plain, bytes_of, bytes_of_mut, zeroed};

/// `count` values from `address` on.
///
/// # Errors
/// [`HeapError::BadAddress`] if they are not all in the memory; nothing is allocated for them then.
pub fn read_slice<T: Plain>(data: &DataBlock, address: u64, count: usize) -> Result<Vec<T>, HeapError> {
    data.range(address, (count as u64).saturating_mul(size_of::<T>() as u64))?;
    let mut values = zeroed(count);
    data.read(address, bytes_of_mut(&mut values))?;
    Ok(values)
}

/// Fills `into` from `address` on.
///
/// # Errors
/// [`HeapError::BadAddress`]; nothing is copied then.
pub fn read_into<T: Plain>(data: &DataBlock, address: u64, into: &mut [T]) -> Result<(), HeapError> {
    Ok(data.read(address, bytes_of_mut(into))?)
}

/// Copies `values` to `address`.
///
/// # Errors
/// [`HeapError::BadAddress`]; nothing is copied then.
pub fn write_slice<T: Plain>(data: &DataBlock, address: u64, values: &[T]) -> Result<(), HeapError> {
    Ok(data.write(address, bytes_of(values))?)
}

/// The C string at `address`, without its zero byte.
///
/// # Errors
/// [`HeapError::BadAddress`] when it does not end in the memory; [`HeapError::NotUtf8`].
pub fn read_c_string(data: &DataBlock, address: u64) -> Result<String, HeapError> {
    utf8(address, data.read_c_string(address)?)
}

/// The string of `len` bytes at `address`.
///
/// # Errors
/// [`HeapError::BadAddress`] when it is not all in the memory; [`HeapError::NotUtf8`].
pub fn read_string(data: &DataBlock, address: u64, len: usize) -> Result<String, HeapError> {
    utf8(address, read_slice(data, address, len)?)
}

fn utf8(address: u64, bytes: Vec<u8>) -> Result<String, HeapError> {
    String::from_utf8(bytes).map_err(|e| HeapError::NotUtf8 { address, at: e.utf8_error().valid_up_to() })
}

/// Copies `string` and a zero byte to `address`.
///
/// # Errors
/// [`HeapError::ZeroByte`] if it has one inside, and [`HeapError::BadAddress`]; nothing is copied then.
pub fn write_c_string(data: &DataBlock, address: u64, string: &str) -> Result<(), HeapError> {
    check_c_string(string)?;
    data.range(address, string.len() as u64 + 1)?;
    data.write(address, string.as_bytes())?;
    Ok(data.write(address + string.len() as u64, &[0])?)
}

fn check_c_string(string: &str) -> Result<(), HeapError> {
    match string.bytes().position(|byte| byte == 0) {
        Some(at) => Err(HeapError::ZeroByte { at }),
        None => Ok(()),
    }
}

impl Heap {
    /// Allocates room for `values` and copies them there. The caller frees it.
    ///
    /// # Errors
    /// As [`Heap::allocate`].
    pub fn copy_in<T: Plain>(&self, values: &[T]) -> Result<u64, HeapError> {
        let address = self.allocate(size_of_val(values) as u64)?;
        write_slice(self.data(), address, values)?;
        Ok(address)
    }

    /// Allocates room for `string` and a zero byte and copies both there. The caller frees it.
    ///
    /// # Errors
    /// As [`Heap::allocate`]; [`HeapError::ZeroByte`].
    pub fn copy_in_c_string(&self, string: &str) -> Result<u64, HeapError> {
        check_c_string(string)?;
        let address = self.allocate(string.len() as u64 + 1)?;
        write_c_string(self.data(), address, string)?;
        Ok(address)
    }
}
