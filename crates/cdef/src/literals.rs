//! Numbers, characters and strings as C writes them.

use crate::error::{Checked, fault};
use crate::tokens::{Kind, Token};

/// An integer with the C type that decides how it behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Integer {
    /// Its value, within its type.
    pub(crate) value: i128,
    /// Whether its type has 64 bits, not 32.
    pub(crate) wide: bool,
    /// Whether its type is signed.
    pub(crate) signed: bool,
}

impl Integer {
    /// An integer of the first of these types that holds `value`: int, unsigned (only if `unsigned`), the same with 64
    /// bits. `None` if none of them does.
    pub(crate) fn fitting(value: i128, wide: bool, signed: bool, unsigned: bool) -> Option<Self> {
        [(false, true), (false, false), (true, true), (true, false)]
            .into_iter()
            .filter(|&(is_wide, is_signed)| (is_wide || !wide) && if is_signed { signed } else { unsigned })
            .map(|(wide, signed)| Self { value, wide, signed })
            .find(|integer| integer.fits())
    }

    /// Whether the value fits its type.
    pub(crate) fn fits(&self) -> bool {
        let bits = if self.wide { 64 } else { 32 };
        let (low, high) = if self.signed { (-(1 << (bits - 1)), 1 << (bits - 1)) } else { (0, 1 << bits) };
        (low..high).contains(&self.value)
    }
}

/// What an expression or a literal stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Computed {
    /// An integer.
    Integer(Integer),
    /// A float. `float` and `double` are not told apart once the value is rounded.
    Float(f64),
    /// A string.
    Text(String),
}

/// Reads a number.
pub(crate) fn number(token: Token<'_>) -> Checked<Computed> {
    let text = token.text.to_ascii_lowercase();
    let hexadecimal = text.starts_with("0x");
    let is_float = text.contains('.') || text.contains(if hexadecimal { 'p' } else { 'e' });
    let read =
        if is_float { float(&text, hexadecimal).map(Computed::Float) } else { integer(&text).map(Computed::Integer) };
    let what = if is_float { "a number that a `double` holds" } else { "an integer that 64 bits hold" };
    read.map_or_else(|| fault(token.at, format!("`{}` is not {what}", clipped(token.text))), Ok)
}

/// Reads an integer in lower case.
fn integer(text: &str) -> Option<Integer> {
    let (digits, base) = match text.as_bytes() {
        [b'0', b'x', ..] => (&text[2..], 16),
        [b'0', b'b', ..] => (&text[2..], 2),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    let end = digits.find(|c: char| !c.is_digit(base)).unwrap_or(digits.len());
    let (wide, unsigned) = match &digits[end..] {
        "" => (false, false),
        "u" => (false, true),
        // A `long` is read as a type of 32 bits, and gets more if it needs more.
        "l" => (false, false),
        "ul" | "lu" => (false, true),
        "ll" => (true, false),
        "ull" | "llu" => (true, true),
        _ => return None,
    };
    // `0u`, `0l`: nothing but the prefix of an octal number.
    let value = if end == 0 && base == 8 { 0 } else { i128::from(u64::from_str_radix(&digits[..end], base).ok()?) };
    Integer::fitting(value, wide, !unsigned, unsigned || base != 10)
}

/// Reads a float in lower case.
fn float(text: &str, hexadecimal: bool) -> Option<f64> {
    let (digits, single) = match text.strip_suffix('f') {
        Some(digits) => (digits, true),
        None => (text.strip_suffix('l').unwrap_or(text), false),
    };
    let value = if hexadecimal { hexadecimal_float(digits.strip_prefix("0x")?)? } else { decimal_float(digits)? };
    let value = if single { f64::from(value as f32) } else { value };
    value.is_finite().then_some(value)
}

/// Digits, a point and an exponent. Rust's own conversion accepts more than C, such as `inf`.
fn decimal_float(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'+' | b'-'));
    if plain { text.parse().ok() } else { None }
}

/// `1.8p3`. At most 64 bits of digits, and the exponent is needed, as in C.
fn hexadecimal_float(text: &str) -> Option<f64> {
    let (digits, exponent) = text.split_once('p')?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let exponent: i32 = exponent.parse().ok()?;
    let mantissa = u64::from_str_radix(&format!("{whole}{fraction}"), 16).ok()?;
    let exponent = exponent.checked_sub(4 * i32::try_from(fraction.len()).ok()?)?;
    // In two steps, so that a subnormal result does not become zero on the way.
    let half = exponent / 2;
    Some(mantissa as f64 * 2f64.powi(half) * 2f64.powi(exponent - half))
}

/// Reads a character constant: an `int`, with plain `char` signed.
pub(crate) fn character(token: Token<'_>) -> Checked<Integer> {
    let (prefix, content) = split(token.text);
    let elements = elements(token, content)?;
    let value = match (prefix, elements.as_slice()) {
        ("", [Element::Byte(byte)]) => Some(i128::from(byte.cast_signed())),
        ("" | "u8", [Element::Character(c)]) => c.is_ascii().then_some(i128::from(u32::from(*c))),
        ("L" | "u" | "U", [Element::Character(c)]) => Some(i128::from(u32::from(*c))),
        (_, [Element::Byte(byte)]) => Some(i128::from(*byte)),
        _ => None,
    };
    match value.and_then(|value| Integer::fitting(value, false, true, true)) {
        Some(integer) => Ok(integer),
        None => fault(token.at, format!("{} is not one character", clipped(token.text))),
    }
}

/// Reads a string.
pub(crate) fn text(token: Token<'_>) -> Checked<String> {
    let (prefix, content) = split(token.text);
    if !["", "u8"].contains(&prefix) {
        return fault(token.at, "wide strings are not supported");
    }
    let mut bytes = Vec::new();
    for element in elements(token, content)? {
        match element {
            Element::Byte(byte) => bytes.push(byte),
            Element::Character(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    String::from_utf8(bytes).or_else(|_| fault(token.at, "this string is not UTF-8"))
}

/// The prefix of a literal, and what stands between its quotes.
fn split(text: &str) -> (&str, &str) {
    let open = text.find(['"', '\'']).unwrap_or(0);
    (&text[..open], text.get(open + 1..text.len().saturating_sub(1)).unwrap_or_default())
}

/// A part of a string.
enum Element {
    /// A byte that an escape gives by its number.
    Byte(u8),
    /// A character.
    Character(char),
}

/// The parts of a string's or character's `content`.
fn elements(token: Token<'_>, content: &str) -> Checked<Vec<Element>> {
    let mut elements = Vec::new();
    let mut characters = content.chars().peekable();
    while let Some(c) = characters.next() {
        if c != '\\' {
            elements.push(Element::Character(c));
            continue;
        }
        let escape = characters.next().unwrap_or_default();
        // The digits that follow, of `base` and at most `most`.
        let mut digits = |first: u32, base: u32, most: usize| {
            let mut value = Some(first);
            let mut count = 0;
            while count < most {
                let Some(digit) = characters.peek().and_then(|c| c.to_digit(base)) else { break };
                characters.next();
                value = value.and_then(|value| value.checked_mul(base)?.checked_add(digit));
                count += 1;
            }
            (value, count)
        };
        let element = match escape {
            'n' => Some(Element::Character('\n')),
            't' => Some(Element::Character('\t')),
            'r' => Some(Element::Character('\r')),
            'a' => Some(Element::Character('\x07')),
            'b' => Some(Element::Character('\x08')),
            'f' => Some(Element::Character('\x0c')),
            'v' => Some(Element::Character('\x0b')),
            'e' => Some(Element::Character('\x1b')),
            '\\' | '\'' | '"' | '?' => Some(Element::Character(escape)),
            '0'..='7' => byte(digits(escape.to_digit(8).unwrap_or(0), 8, 2).0),
            'x' => match digits(0, 16, usize::MAX) {
                (_, 0) => None,
                (value, _) => byte(value),
            },
            'u' | 'U' => {
                let needed = if escape == 'u' { 4 } else { 8 };
                match digits(0, 16, needed) {
                    (Some(value), count) if count == needed => char::from_u32(value).map(Element::Character),
                    _ => None,
                }
            }
            _ => None,
        };
        match element {
            Some(element) => elements.push(element),
            None => return fault(token.at, format!("`\\{}` is not an escape that C knows", escape.escape_default())),
        }
    }
    Ok(elements)
}

/// A byte, if the number is one.
fn byte(value: Option<u32>) -> Option<Element> {
    value.and_then(|value| u8::try_from(value).ok()).map(Element::Byte)
}

/// A literal for a message; long ones are cut.
fn clipped(text: &str) -> String {
    if text.chars().count() <= 40 { text.to_owned() } else { text.chars().take(40).chain(['…']).collect() }
}

/// What a token says, for messages: "`int`", "the string \"a\"", cut when it is long.
pub(crate) fn found(token: Token<'_>) -> String {
    match token.kind {
        Kind::Text | Kind::Character => clipped(token.text),
        _ => format!("`{}`", clipped(token.text)),
    }
}
