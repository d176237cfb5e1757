//! Buffer's encodings: text to bytes and back. Hexadecimal and base64 are read as leniently as Node reads them, which no
//! crate does, and invalid input never fails.

use std::borrow::Cow;

use qjs::string::Units;
use rquickjs::{Ctx, FromJs, Value};

/// Numbered as in `encodings.js`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Encoding {
    Utf8,
    Utf16le,
    Latin1,
    Ascii,
    Hex,
    Base64,
    Base64url,
}

impl<'js> FromJs<'js> for Encoding {
    fn from_js(_: &Ctx<'js>, value: Value<'js>) -> rquickjs::Result<Self> {
        const ALL: [Encoding; 7] = {
            use Encoding::*;
            [Utf8, Utf16le, Latin1, Ascii, Hex, Base64, Base64url]
        };
        let number = value.as_int().and_then(|number| ALL.get(usize::try_from(number).ok()?));
        number.copied().ok_or(rquickjs::Error::new_from_js(value.type_name(), "encoding"))
    }
}

const ENCODE: [&[u8; 64]; 2] = [
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
];

/// What stands in the tables below for characters that mean nothing.
const NONE: u8 = 0xff;

/// The six bits of each character, of both alphabets.
const SIX_BITS: [u8; 256] = {
    let mut table = [NONE; 256];
    let mut i = 0;
    while i < 64 {
        table[ENCODE[0][i] as usize] = i as u8;
        table[ENCODE[1][i] as usize] = i as u8;
        i += 1;
    }
    table
};

/// The four bits of each hexadecimal digit.
const FOUR_BITS: [u8; 256] = {
    let mut table = [NONE; 256];
    let mut i = 0;
    while i < 16 {
        table[b"0123456789abcdef"[i] as usize] = i as u8;
        table[b"0123456789ABCDEF"[i] as usize] = i as u8;
        i += 1;
    }
    table
};

/// (Node looks at the low byte of each unit.)
fn bits(table: &[u8; 256], unit: u16) -> u8 {
    table[usize::from(unit as u8)]
}

impl Encoding {
    /// How many bytes a string becomes; for hexadecimal and base64, at most.
    pub(crate) fn byte_length(self, text: Units<'_>) -> usize {
        let len = text.len();
        match (self, text) {
            (Self::Utf8, Units::Narrow(units)) => len + units.iter().filter(|unit| !unit.is_ascii()).count(),
            (Self::Utf8, Units::Wide(units)) => {
                let lengths = char::decode_utf16(units.iter().copied()).map(|unit| unit.map_or(3, char::len_utf8));
                lengths.sum()
            }
            (Self::Utf16le, _) => len * 2,
            (Self::Latin1 | Self::Ascii, _) => len,
            (Self::Hex, _) => len / 2,
            (Self::Base64 | Self::Base64url, _) => {
                let padding = (1..=2).take_while(|&end| len >= end && text.get(len - end) == Some(b'='.into())).count();
                // (At most 2³⁰ units.)
                (len - padding) * 3 / 4
            }
        }
    }

    /// Writes as much of a string as fits, whole characters only, and returns how many bytes it wrote.
    pub(crate) fn write(self, text: Units<'_>, into: &mut [u8]) -> usize {
        match (self, text) {
            (Self::Utf8, Units::Narrow(units)) => write_latin1_as_utf8(units, into),
            (Self::Utf8, Units::Wide(units)) => write_utf8(units, into),
            (Self::Utf16le, _) => {
                let count = text.len().min(into.len() / 2);
                for (pair, unit) in into.chunks_exact_mut(2).zip(text.iter()) {
                    pair.copy_from_slice(&unit.to_le_bytes());
                }
                count * 2
            }
            (Self::Latin1 | Self::Ascii, Units::Narrow(units)) => {
                let count = units.len().min(into.len());
                into[..count].copy_from_slice(&units[..count]);
                count
            }
            (Self::Latin1 | Self::Ascii, Units::Wide(units)) => {
                into.iter_mut().zip(units).for_each(|(byte, &unit)| *byte = unit as u8);
                units.len().min(into.len())
            }
            (Self::Hex, _) => {
                let digit = |index| text.get(index).map_or(NONE, |unit| bits(&FOUR_BITS, unit));
                for (index, byte) in into.iter_mut().enumerate() {
                    let (high, low) = (digit(index * 2), digit(index * 2 + 1));
                    if high == NONE || low == NONE {
                        return index;
                    }
                    *byte = high << 4 | low;
                }
                into.len()
            }
            (Self::Base64 | Self::Base64url, _) => write_base64(text, into),
        }
    }

    /// The bytes of a string.
    pub(crate) fn encode(self, ctx: &Ctx<'_>, text: Units<'_>) -> rquickjs::Result<Vec<u8>> {
        let length = self.byte_length(text);
        let mut bytes = crate::internal::bytes::zeroed(ctx, length)?;
        let written = self.write(text, &mut bytes);
        bytes.truncate(written);
        Ok(bytes)
    }

    /// What bytes say.
    pub(crate) fn decode(self, bytes: &[u8]) -> Text {
        match self {
            Self::Utf8 => match simdutf8::basic::from_utf8(bytes) {
                Ok(text) => Text::Utf8(text.as_bytes().to_vec()),
                Err(_) => Text::Utf8(String::from_utf8_lossy(bytes).into_owned().into_bytes()),
            },
            Self::Utf16le => {
                let pairs = bytes.chunks_exact(2);
                Text::Units(pairs.map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect())
            }
            Self::Latin1 => match encoding_rs::mem::decode_latin1(bytes) {
                Cow::Borrowed(text) => Text::Utf8(text.as_bytes().to_vec()),
                Cow::Owned(text) => Text::Utf8(text.into_bytes()),
            },
            Self::Ascii => Text::Utf8(bytes.iter().map(|byte| byte & 0x7f).collect()),
            Self::Hex => {
                let digits = |byte: &u8| [byte >> 4, byte & 15].map(|four| b"0123456789abcdef"[usize::from(four)]);
                Text::Utf8(bytes.iter().flat_map(digits).collect())
            }
            Self::Base64 => Text::Utf8(base64(bytes, ENCODE[0], true)),
            Self::Base64url => Text::Utf8(base64(bytes, ENCODE[1], false)),
        }
    }

    /// How many bytes or, for UTF-16, pairs of bytes the text of `len` bytes takes.
    pub(crate) fn decoded_size(self, len: usize) -> usize {
        match self {
            Self::Utf8 | Self::Utf16le | Self::Ascii => len,
            Self::Latin1 | Self::Base64 | Self::Base64url | Self::Hex => len.saturating_mul(2),
        }
    }
}

/// A decoded text, ready to become a string.
pub(crate) enum Text {
    Utf8(Vec<u8>),
    Units(Vec<u16>),
}

impl Text {
    pub(crate) fn followed_by(self, other: Self) -> Self {
        match (self, other) {
            (Self::Utf8(mut one), Self::Utf8(two)) => {
                one.extend(two);
                Self::Utf8(one)
            }
            (Self::Units(mut one), Self::Units(two)) => {
                one.extend(two);
                Self::Units(one)
            }
            // (An encoding always gives the same kind.)
            (one, _) => one,
        }
    }

    pub(crate) fn into_value<'js>(self, ctx: &Ctx<'js>) -> rquickjs::Result<Value<'js>> {
        match self {
            Self::Utf8(bytes) => qjs::string::from_utf8(ctx, &bytes),
            Self::Units(units) => qjs::string::from_units(ctx, &units),
        }
    }
}

fn write_latin1_as_utf8(units: &[u8], into: &mut [u8]) -> usize {
    if into.len() >= units.len() && units.is_ascii() {
        into[..units.len()].copy_from_slice(units);
        return units.len();
    }
    let (_, written) = encoding_rs::mem::convert_latin1_to_utf8_partial(units, into);
    written
}

fn write_utf8(units: &[u16], into: &mut [u8]) -> usize {
    let mut written = 0;
    for unit in char::decode_utf16(units.iter().copied()) {
        let character = unit.unwrap_or(char::REPLACEMENT_CHARACTER);
        let Some(room) = into.get_mut(written..written + character.len_utf8()) else { break };
        character.encode_utf8(room);
        written += room.len();
    }
    written
}

/// Reads up to the first `=`, and skips characters that mean nothing.
fn write_base64(text: Units<'_>, into: &mut [u8]) -> usize {
    let (mut written, mut held, mut count) = (0, 0u32, 0);
    for unit in text.iter() {
        let six = bits(&SIX_BITS, unit);
        if six == NONE {
            if unit == u16::from(b'=') {
                break;
            }
            continue;
        }
        held = held << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            let Some(byte) = into.get_mut(written) else { break };
            count -= 8;
            *byte = (held >> count) as u8;
            written += 1;
        }
    }
    written
}

fn base64(bytes: &[u8], alphabet: &[u8; 64], is_padded: bool) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    let character = |number: u32, shift: u32| alphabet[(number >> shift & 63) as usize];
    let mut chunks = bytes.chunks_exact(3);
    for chunk in &mut chunks {
        let number = u32::from_be_bytes([0, chunk[0], chunk[1], chunk[2]]);
        text.extend([18, 12, 6, 0].map(|shift| character(number, shift)));
    }
    let rest = chunks.remainder();
    if let Some(&first) = rest.first() {
        let number = u32::from_be_bytes([0, first, rest.get(1).copied().unwrap_or(0), 0]);
        let shifts: &[u32] = if rest.len() == 2 { &[18, 12, 6] } else { &[18, 12] };
        text.extend(shifts.iter().map(|&shift| character(number, shift)));
        if is_padded {
            text.resize(text.len().next_multiple_of(4), b'=');
        }
    }
    text
}

/// The forgiving-base64 decode of the Infra Standard.
pub(crate) fn forgiving_base64(text: Units<'_>) -> Option<Vec<u8>> {
    let is_space = |unit: &u16| matches!(unit, 9 | 10 | 12 | 13 | 32);
    let mut units: Vec<u16> = text.iter().filter(|unit| !is_space(unit)).collect();
    if units.len().is_multiple_of(4) {
        let padding = units.iter().rev().take(2).take_while(|&&unit| unit == u16::from(b'=')).count();
        units.truncate(units.len() - padding);
    }
    if units.len() % 4 == 1 || units.iter().any(|&unit| unit > 0xff || !is_base64(unit as u8)) {
        return None;
    }
    let mut bytes = vec![0; units.len() * 3 / 4];
    write_base64(Units::Wide(&units), &mut bytes);
    Some(bytes)
}

fn is_base64(character: u8) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, b'+' | b'/')
}

/// Bytes in another of the four encodings that are not digits of bytes; `None` if Unicode cannot say what they mean.
pub(super) fn transcode(bytes: &[u8], from: Encoding, to: Encoding) -> Option<Vec<u8>> {
    use Encoding::*;
    let is_unicode = matches!(to, Utf8 | Utf16le);
    let text: Cow<'_, str> = match from {
        Utf8 if is_unicode => Cow::Borrowed(std::str::from_utf8(bytes).ok()?),
        Utf8 => String::from_utf8_lossy(bytes),
        Utf16le => {
            let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            let read = char::decode_utf16(units).map(|unit| match is_unicode {
                true => unit.ok(),
                false => Some(unit.unwrap_or(char::REPLACEMENT_CHARACTER)),
            });
            Cow::Owned(read.collect::<Option<String>>()?)
        }
        Ascii => {
            bytes.iter().map(|&byte| if byte.is_ascii() { byte.into() } else { '\u{fffd}' }).collect::<String>().into()
        }
        _ => encoding_rs::mem::decode_latin1(bytes),
    };
    Some(match to {
        Utf8 => text.into_owned().into_bytes(),
        Utf16le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        _ => {
            let most = if to == Ascii { 0x7f } else { 0xff };
            let byte = |character| u8::try_from(u32::from(character)).ok().filter(|&byte| byte <= most);
            text.chars().map(|character| byte(character).unwrap_or(b'?')).collect()
        }
    })
}
