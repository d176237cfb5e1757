//! Strings: UTF-8, UTF-16 and Latin-1, with a zero at the end or with a length.

use std::borrow::Cow;

use qjs::string::{Units, Utf8};
use qjs::{Borrowed, Bytes, Result, Value};

use crate::convert::Marshal;
use crate::types::Encoding;

/// A string's bytes in an encoding, and how many code units these are. `end` is the unit that ends it in C, which may
/// not be inside; a string whose units are counted has none.
///
/// # Errors
/// A TypeError for anything but a string, and for strings that the encoding cannot hold, or C if a zero ends them.
pub(crate) fn encode<'a>(
    marshal: &Marshal<'_, '_>,
    encoding: Encoding,
    value: Borrowed<'a>,
    end: Option<u16>,
) -> Result<(Cow<'a, [u8]>, u64)> {
    let Some(units) = Units::of(marshal.cx(), value)? else {
        return Err(marshal.unexpected("a string", value));
    };
    let inside = match (end, units) {
        (None, _) => None,
        (Some(end), Units::Narrow(units)) => units.iter().position(|&unit| u16::from(unit) == end),
        (Some(end), Units::Wide(units)) => units.iter().position(|&unit| unit == end),
    };
    if let Some(at) = inside {
        let what = match end {
            Some(0) | None => "a NUL character".to_string(),
            Some(end) => format!("the character {end}"),
        };
        return Err(marshal.type_error(format_args!("the string has {what} at index {at}, which would end it in C")));
    }
    let bytes = match (encoding, units) {
        (Encoding::Utf8, Units::Narrow(units)) if units.is_ascii() => Cow::Borrowed(units),
        (Encoding::Latin1, Units::Narrow(units)) => Cow::Borrowed(units),
        (Encoding::Utf8, Units::Narrow(units)) => {
            Cow::Owned(units.iter().map(|&unit| char::from(unit)).collect::<String>().into_bytes())
        }
        (Encoding::Utf8, Units::Wide(_)) => {
            let utf8 = Utf8::new(marshal.cx(), value)?;
            if let Err(error) = simdutf8::compat::from_utf8(utf8.bytes()) {
                let at = String::from_utf8_lossy(&utf8.bytes()[..error.valid_up_to()]).encode_utf16().count();
                let message = format_args!("the string has a lone surrogate at index {at}, which UTF-8 cannot hold");
                return Err(marshal.type_error(message));
            }
            Cow::Owned(utf8.bytes().to_vec())
        }
        (Encoding::Utf16, units) => Cow::Owned(units.iter().flat_map(u16::to_le_bytes).collect()),
        (Encoding::Latin1, Units::Wide(units)) => match units.iter().position(|&unit| unit > 0xff) {
            Some(at) => {
                let message = format_args!("the string has a character at index {at} that is not in Latin-1");
                return Err(marshal.type_error(message));
            }
            None => Cow::Owned(units.iter().map(|&unit| unit as u8).collect()),
        },
    };
    let count = bytes.len() as u64 / encoding.unit();
    Ok((bytes, count))
}

/// Copies a string into the guest's heap. Returns its address. `room` says how many code units there must be room for.
/// The unit `end` follows the string, if there is one.
///
/// # Errors
/// As [`encode`]; when the guest has no room.
pub(crate) fn copy_in(
    marshal: &Marshal<'_, '_>,
    encoding: Encoding,
    value: Borrowed<'_>,
    end: Option<u16>,
    room: impl FnOnce(u64) -> Result<u64>,
) -> Result<u64> {
    let (bytes, units) = encode(marshal, encoding, value, end)?;
    let unit = encoding.unit();
    let room = marshal.byte_length(room(units)?, unit)? + if end.is_none() { 0 } else { unit };
    let address = marshal.allocate(room)?;
    // If a guest's allocator returns too little, the bounds of its memory catch that.
    marshal.write(address, &bytes)?;
    let after = address + bytes.len() as u64;
    match (end, room - bytes.len() as u64) {
        (_, 0) => {}
        (Some(end), _) => marshal.write(after, &end.to_le_bytes()[..unit as usize])?,
        (None, rest) => marshal.clear(after, rest)?,
    }
    Ok(address)
}

/// Copies a string out: up to a code unit, or as many of them as `end` says in `Err`. `sized` is told how many bytes its
/// block has, once that is known.
///
/// # Errors
/// A RangeError when it does not lie, or end, within the memory.
pub(crate) fn copy_out<'js>(
    marshal: &Marshal<'_, 'js>,
    encoding: Encoding,
    address: u64,
    end: std::result::Result<u16, u64>,
    sized: impl FnOnce(u64),
) -> Result<Value<'js>> {
    let unit = encoding.unit();
    let bytes = match end {
        Err(count) => {
            let bytes = marshal.byte_length(count, unit)?;
            sized(bytes);
            marshal.range(address, bytes)?
        }
        Ok(end) => {
            let bytes = find_end(marshal, address, unit, end)?;
            sized(bytes + unit);
            marshal.range(address, bytes)?
        }
    };
    decode(marshal, encoding, bytes, true)
}

/// The bytes before the unit that ends a string.
fn find_end(marshal: &Marshal<'_, '_>, address: u64, unit: u64, end: u16) -> Result<u64> {
    if unit == 1 && end == 0 {
        let len = marshal.heap().data().c_string_len(address);
        return len.map_err(|error| marshal.heap_error(error));
    }
    let (mut at, end) = (address, end.to_le_bytes());
    loop {
        let mut bytes = [0; 2];
        let bytes = &mut bytes[..unit as usize];
        marshal.heap().data().read(at, bytes).map_err(|error| marshal.heap_error(error))?;
        if *bytes == end[..unit as usize] {
            return Ok(at - address);
        }
        at += unit;
    }
}

/// A string of bytes in the guest's memory: of all of them if they are `exact`, else up to a zero. Bytes that are not
/// UTF-8 become U+FFFD.
///
/// # Errors
/// When memory is out.
pub(crate) fn decode<'js>(
    marshal: &Marshal<'_, 'js>,
    encoding: Encoding,
    bytes: Bytes,
    exact: bool,
) -> Result<Value<'js>> {
    let ctx = marshal.ctx;
    // Copied first, since another thread of the guest may change them in the middle.
    // SAFETY: the bytes are in a guest's memory, which stays, or were asked for just now.
    let bytes = unsafe { bytes.to_vec() };
    match encoding {
        Encoding::Utf8 => {
            let end = if exact { None } else { bytes.iter().position(|&byte| byte == 0) };
            let bytes = &bytes[..end.unwrap_or(bytes.len())];
            match simdutf8::basic::from_utf8(bytes) {
                Ok(_) => qjs::string::from_utf8(ctx, bytes),
                Err(_) => qjs::string::from_utf8(ctx, String::from_utf8_lossy(bytes).as_bytes()),
            }
        }
        Encoding::Utf16 | Encoding::Latin1 => {
            let mut units: Vec<u16> = match encoding {
                Encoding::Utf16 => bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect(),
                _ => bytes.iter().map(|&unit| unit.into()).collect(),
            };
            if !exact && let Some(end) = units.iter().position(|&unit| unit == 0) {
                units.truncate(end);
            }
            qjs::string::from_units(ctx, &units)
        }
    }
}
