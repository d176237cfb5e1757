//! The terminal of standard input: raw while a line is edited, and what its keys are.

use std::io;
use std::sync::Mutex;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::termios::{OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize, tcsetattr};

/// How the terminal was, while it is raw.
static ORIGINAL: Mutex<Option<Termios>> = Mutex::new(None);

/// Makes the terminal as it was, whoever made it raw.
pub(super) fn restore() {
    if let Some(original) = ORIGINAL.lock().unwrap_or_else(|e| e.into_inner()).take() {
        // If the terminal has gone, there is nothing to restore.
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &original);
    }
}

/// A terminal that gives every key at once, until this is dropped.
pub(super) struct Raw;

impl Raw {
    pub(super) fn begin() -> io::Result<Self> {
        enter().map(|()| Self)
    }

    /// Makes the terminal as it was while `call` runs.
    pub(super) fn pause(&self, call: impl FnOnce()) -> io::Result<()> {
        restore();
        call();
        enter()
    }
}

fn enter() -> io::Result<()> {
    let original = tcgetattr(io::stdin())?;
    let mut raw = original.clone();
    // What programs print keeps its line ends.
    let output = raw.output_modes;
    raw.make_raw();
    raw.output_modes = output;
    raw.special_codes[SpecialCodeIndex::VMIN] = 1;
    raw.special_codes[SpecialCodeIndex::VTIME] = 0;
    tcsetattr(io::stdin(), OptionalActions::Drain, &raw)?;
    *ORIGINAL.lock().unwrap_or_else(|e| e.into_inner()) = Some(original);
    Ok(())
}

impl Drop for Raw {
    fn drop(&mut self) {
        restore();
    }
}

/// How many columns there are.
pub(super) fn columns() -> usize {
    tcgetwinsize(io::stdout()).map_or(80, |size| if size.ws_col == 0 { 80 } else { usize::from(size.ws_col) })
}

/// What somebody has pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Char(char),
    /// A letter with Ctrl, in upper case.
    Ctrl(char),
    /// A letter with Alt.
    Alt(char),
    Enter,
    Tab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
    /// A key that means nothing here.
    Other,
    /// The terminal has gone.
    Gone,
}

/// Keys from standard input.
#[derive(Default)]
pub(super) struct Keys {
    bytes: Vec<u8>,
    at: usize,
}

impl Keys {
    fn byte(&mut self) -> Option<u8> {
        if self.at == self.bytes.len() {
            let mut buffer = [0; 1024];
            let count = loop {
                match rustix::io::read(io::stdin(), &mut buffer) {
                    Ok(count) => break count,
                    Err(rustix::io::Errno::INTR) => {}
                    Err(_) => return None,
                }
            };
            self.bytes = buffer[..count].to_vec();
            self.at = 0;
        }
        let byte = self.bytes.get(self.at).copied();
        self.at += 1;
        byte
    }

    /// Whether more comes at once: otherwise an escape is the key of that name.
    fn has_more(&self) -> bool {
        if self.at < self.bytes.len() {
            return true;
        }
        let stdin = io::stdin();
        let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
        let timeout = Timespec::try_from(Duration::from_millis(50)).ok();
        rustix::event::poll(&mut fds, timeout.as_ref()).is_ok_and(|ready| ready > 0)
    }

    /// The next key.
    pub(super) fn next(&mut self) -> Key {
        let Some(byte) = self.byte() else { return Key::Gone };
        match byte {
            b'\r' | b'\n' => Key::Enter,
            b'\t' => Key::Tab,
            0x7f | 0x08 => Key::Backspace,
            0x1b => self.escape(),
            0..0x20 => Key::Ctrl(char::from(byte + 0x40)),
            0x20..0x7f => Key::Char(char::from(byte)),
            _ => self.character(byte),
        }
    }

    fn character(&mut self, first: u8) -> Key {
        let length = match first {
            0xc0..0xe0 => 2,
            0xe0..0xf0 => 3,
            0xf0..0xf8 => 4,
            _ => return Key::Other,
        };
        let mut bytes = vec![first];
        while bytes.len() < length {
            match self.byte() {
                Some(byte) => bytes.push(byte),
                None => return Key::Gone,
            }
        }
        let char = std::str::from_utf8(&bytes).ok().and_then(|text| text.chars().next());
        char.map_or(Key::Other, Key::Char)
    }

    fn escape(&mut self) -> Key {
        if !self.has_more() {
            return Key::Other;
        }
        match self.byte() {
            Some(b'[') => self.sequence(),
            Some(b'O') => match self.byte() {
                Some(byte) => plain(byte),
                None => Key::Gone,
            },
            Some(0x7f | 0x08) => Key::Alt('\u{8}'),
            Some(byte) if byte.is_ascii_graphic() => Key::Alt(char::from(byte)),
            Some(_) => Key::Other,
            None => Key::Gone,
        }
    }

    /// What follows `ESC [`: numbers, and the byte that ends it.
    fn sequence(&mut self) -> Key {
        let mut numbers = String::new();
        loop {
            match self.byte() {
                None => return Key::Gone,
                Some(byte @ (b'0'..=b'9' | b';')) if numbers.len() < 16 => numbers.push(char::from(byte)),
                Some(b'~') => {
                    return match &*numbers {
                        "1" | "7" => Key::Home,
                        "4" | "8" => Key::End,
                        "3" => Key::Delete,
                        _ => Key::Other,
                    };
                }
                // With Ctrl or Alt.
                Some(b'C') if numbers.ends_with(";5") || numbers.ends_with(";3") => return Key::WordRight,
                Some(b'D') if numbers.ends_with(";5") || numbers.ends_with(";3") => return Key::WordLeft,
                Some(byte) => return plain(byte),
            }
        }
    }
}

fn plain(byte: u8) -> Key {
    match byte {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'H' => Key::Home,
        b'F' => Key::End,
        _ => Key::Other,
    }
}
