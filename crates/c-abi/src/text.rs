//! How text lies in memory.

/// An encoding of text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Text {
    /// UTF-8, in units of 8 bits.
    Utf8,
    /// UTF-16, in units of 16 bits.
    Utf16,
    /// UTF-32, in units of 32 bits, as `wchar_t` is in WebAssembly.
    Utf32,
    /// Latin-1, in units of 8 bits.
    Latin1,
}

impl Text {
    /// How many bytes a code unit has.
    #[inline]
    pub const fn unit(self) -> usize {
        match self {
            Self::Utf8 | Self::Latin1 => 1,
            Self::Utf16 => 2,
            Self::Utf32 => 4,
        }
    }

    /// The encoding's name, as it is known in JavaScript and elsewhere.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16 => "utf-16",
            Self::Utf32 => "utf-32",
            Self::Latin1 => "latin1",
        }
    }

    /// The encoding that text in units of so many bytes has unless something else is said.
    pub const fn of_unit(size: usize) -> Option<Self> {
        match size {
            1 => Some(Self::Utf8),
            2 => Some(Self::Utf16),
            4 => Some(Self::Utf32),
            _ => None,
        }
    }
}
