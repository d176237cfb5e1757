//! The vocabulary of annotations: what C's types leave open about lengths, ownership, errors and text.

use crate::constants::{self, Scope};
use crate::error::{Checked, Fault, Position, fault};
use crate::literals::found;
use crate::tokens::{Kind, Note, Token};

/// How many results `status` or `fails` may list.
const MOST_RESULTS: usize = 64;

/// How many parameters a result may keep.
const MOST_KEPT: usize = 16;

/// Something with the place where it is written. Equality does not look at the place.
#[derive(Clone, Copy, Debug)]
pub struct At<T> {
    /// What it is.
    pub value: T,
    /// Where it is written.
    pub position: Position,
}

impl<T: PartialEq> PartialEq for At<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// What is annotated at one place. All is optional; a default value says nothing.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Annotations {
    /// `length(n)`: how many elements a pointer points to.
    pub length: Option<At<Length>>,
    /// `until(v)`: the elements end with this value.
    pub until: Option<At<i64>>,
    /// `owned`, `borrowed`, `consumed`: who frees it.
    pub ownership: Option<At<Ownership>>,
    /// `view`, `copy`: whether memory is shared with the caller.
    pub mode: Option<At<Mode>>,
    /// `in`, `out`, `inout`: which way a parameter's pointee travels.
    pub direction: Option<At<Direction>>,
    /// `status`, `fails`: which results are failures.
    pub outcome: Option<At<Outcome>>,
    /// `nonnull`: a null pointer is refused.
    pub nonnull: Option<At<()>>,
    /// `utf8`, `utf16`, `latin1`, `bytes`: what characters mean.
    pub encoding: Option<At<Encoding>>,
    /// `keep`: the callee keeps this callback after the call.
    pub keep: Option<At<()>>,
    /// `async`: a function's calls, or a callback's, may wait for a promise.
    pub is_async: Option<At<()>>,
    /// `keeps(param)`: the handle that is returned, or comes out here, keeps the objects of these parameters alive.
    pub keeps: Vec<At<String>>,
    /// `opaque`, `opaque(free_function)`: a handle, whose content is nobody's business.
    pub opaque: Option<At<Option<String>>>,
    /// `packed`: a record without padding, or a field that is not aligned.
    pub packed: Option<At<()>>,
    /// `aligned(n)`: the least alignment, in bytes.
    pub aligned: Option<At<u64>>,
}

/// How many elements there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Length {
    /// This many.
    Constant(u64),
    /// As many as the parameter, the field or whatever else has this name says. The name is not looked up here.
    Named(String),
}

/// Who frees memory or an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// The receiver frees it, with the function of this name if there is one.
    Owned(Option<String>),
    /// Not the receiver.
    Borrowed,
    /// The callee frees it: it takes it over from the caller.
    Consumed,
}

/// Whether memory is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is shared.
    View,
    /// It is copied.
    Copy,
}

/// Which way a parameter's pointee travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the callee.
    In,
    /// From the callee.
    Out,
    /// Both ways.
    InOut,
}

/// Which results mean what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// These results are success, all others failure.
    Status(Vec<i64>),
    /// These results are failure, all others success.
    Fails(Vec<i64>),
}

/// What characters mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-16.
    Utf16,
    /// Latin-1.
    Latin1,
    /// Nothing: they are data.
    Bytes,
}

/// The kind of thing that an annotation stands at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Result,
    Param,
    Field,
    Typedef,
    Record,
    Enum,
}

impl Place {
    /// The place in a message.
    fn name(self) -> &'static str {
        match self {
            Self::Result => "a function's result",
            Self::Param => "a parameter",
            Self::Field => "a field",
            Self::Typedef => "a typedef",
            Self::Record => "a struct or union",
            Self::Enum => "an enum",
        }
    }

    /// The places that the annotation `word` may stand at; empty if there is no such annotation.
    fn of(word: &str) -> &'static [Self] {
        match word {
            "length" | "until" | "owned" | "borrowed" | "view" | "copy" | "nonnull" | "utf8" | "utf16" | "latin1"
            | "bytes" => &[Self::Param, Self::Result, Self::Field, Self::Typedef],
            "in" | "out" | "inout" | "consumed" => &[Self::Param],
            "status" | "fails" => &[Self::Result, Self::Typedef],
            "keep" => &[Self::Param, Self::Field, Self::Typedef],
            "async" => &[Self::Result, Self::Param, Self::Field, Self::Typedef],
            "keeps" => &[Self::Result, Self::Param],
            "opaque" => &[Self::Typedef, Self::Record],
            "packed" | "aligned" => &[Self::Record, Self::Typedef, Self::Field],
            _ => &[],
        }
    }
}

impl Annotations {
    /// Adds what `note` says.
    pub(crate) fn read(&mut self, note: &Note<'_>, place: Place, scope: &dyn Scope) -> Checked<()> {
        let mut rest = note.tokens.as_slice();
        loop {
            let (word, arguments, end) = item(&mut rest, note)?;
            let places = Place::of(word.text);
            if places.is_empty() {
                return fault(word.at, format!("unknown annotation {}", found(word)));
            } else if !places.contains(&place) && note.is_attribute {
                return Ok(());
            } else if !places.contains(&place) {
                let names: Vec<_> = places.iter().map(|place| place.name()).collect();
                let (names, place) = (names.join(" or "), place.name());
                return fault(word.at, format!("`{}` belongs to {names}, not to {place}", word.text));
            }
            self.add(&Item { word, arguments, end, scope })?;
            match rest.split_first() {
                None => return Ok(()),
                Some((comma, after)) if comma.is(",") => rest = after,
                Some((token, _)) => return fault(token.at, format!("expected `,` or `]]`, found {}", found(*token))),
            }
        }
    }

    /// Adds one annotation, of a word that [`Place::of`] knows.
    fn add(&mut self, item: &Item<'_, '_>) -> Checked<()> {
        match item.word.text {
            "length" => put(&mut self.length, item, item.length()?, |_| "length"),
            "until" => put(&mut self.until, item, item.sentinel()?, |_| "until"),
            "owned" => put(&mut self.ownership, item, Ownership::Owned(item.optional_name()?), Ownership::word),
            "borrowed" => put(&mut self.ownership, item, item.plain(Ownership::Borrowed)?, Ownership::word),
            "consumed" => put(&mut self.ownership, item, item.plain(Ownership::Consumed)?, Ownership::word),
            "view" => put(&mut self.mode, item, item.plain(Mode::View)?, Mode::word),
            "copy" => put(&mut self.mode, item, item.plain(Mode::Copy)?, Mode::word),
            "in" => put(&mut self.direction, item, item.plain(Direction::In)?, Direction::word),
            "out" => put(&mut self.direction, item, item.plain(Direction::Out)?, Direction::word),
            "inout" => put(&mut self.direction, item, item.plain(Direction::InOut)?, Direction::word),
            "status" => put(&mut self.outcome, item, Outcome::Status(item.results()?), Outcome::word),
            "fails" => put(&mut self.outcome, item, Outcome::Fails(item.results()?), Outcome::word),
            "nonnull" => put(&mut self.nonnull, item, item.plain(())?, |_| "nonnull"),
            "utf8" => put(&mut self.encoding, item, item.plain(Encoding::Utf8)?, Encoding::word),
            "utf16" => put(&mut self.encoding, item, item.plain(Encoding::Utf16)?, Encoding::word),
            "latin1" => put(&mut self.encoding, item, item.plain(Encoding::Latin1)?, Encoding::word),
            "bytes" => put(&mut self.encoding, item, item.plain(Encoding::Bytes)?, Encoding::word),
            "keep" => put(&mut self.keep, item, item.plain(())?, |_| "keep"),
            "async" => put(&mut self.is_async, item, item.plain(())?, |_| "async"),
            "keeps" => {
                let kept = At { value: item.name()?, position: item.word.at };
                if self.keeps.len() >= MOST_KEPT {
                    return fault(kept.position, format!("a result can keep at most {MOST_KEPT} parameters"));
                }
                if self.keeps.contains(&kept) {
                    return fault(kept.position, format!("`keeps({})` is given twice", kept.value));
                }
                self.keeps.push(kept);
                Ok(())
            }
            "opaque" => put(&mut self.opaque, item, item.optional_name()?, |_| "opaque"),
            "aligned" => {
                // Several attributes may say it: the greatest counts.
                let said = item.alignment()?;
                let value = self.aligned.as_ref().map_or(said, |known| known.value.max(said));
                self.aligned = Some(At { value, position: item.word.at });
                Ok(())
            }
            _ => {
                self.packed = None;
                put(&mut self.packed, item, item.plain(())?, |_| "packed")
            }
        }
    }

    /// Takes over from a typedef whatever is not said here already and has a meaning at `place`.
    pub(crate) fn inherit(&mut self, from: &Self, place: Place) {
        fn take<T: Clone>(own: &mut Option<T>, from: &Option<T>) {
            if own.is_none() {
                own.clone_from(from);
            }
        }
        take(&mut self.length, &from.length);
        take(&mut self.until, &from.until);
        take(&mut self.ownership, &from.ownership);
        take(&mut self.mode, &from.mode);
        take(&mut self.nonnull, &from.nonnull);
        if place != Place::Result {
            take(&mut self.is_async, &from.is_async);
        }
        take(&mut self.encoding, &from.encoding);
        take(&mut self.opaque, &from.opaque);
        if Place::of("status").contains(&place) {
            take(&mut self.outcome, &from.outcome);
        }
        if Place::of("keep").contains(&place) {
            take(&mut self.keep, &from.keep);
        }
        if Place::of("aligned").contains(&place) {
            take(&mut self.aligned, &from.aligned);
        }
    }

    /// What is said here, and `other` where nothing is.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            length: self.length.or(other.length),
            until: self.until.or(other.until),
            ownership: self.ownership.or(other.ownership),
            mode: self.mode.or(other.mode),
            direction: self.direction.or(other.direction),
            outcome: self.outcome.or(other.outcome),
            nonnull: self.nonnull.or(other.nonnull),
            encoding: self.encoding.or(other.encoding),
            keep: self.keep.or(other.keep),
            is_async: self.is_async.or(other.is_async),
            keeps: if self.keeps.is_empty() { other.keeps } else { self.keeps },
            opaque: self.opaque.or(other.opaque),
            packed: self.packed.or(other.packed),
            aligned: self.aligned.or(other.aligned),
        }
    }

    /// Adds what another declaration of the same record says.
    pub(crate) fn join_type(&mut self, other: &Self) -> Checked<()> {
        if let (Some(own), Some(other)) = (&self.opaque, &other.opaque)
            && own != other
        {
            return fault(other.position, "this `opaque` contradicts an earlier one of the same type");
        }
        self.opaque = self.opaque.take().or_else(|| other.opaque.clone());
        self.packed = self.packed.or(other.packed);
        self.aligned = self.aligned.or(other.aligned);
        Ok(())
    }
}

/// What is wrong with an annotation that nothing claimed.
pub(crate) fn unclaimed(note: &Note<'_>) -> Fault {
    let mut rest = note.tokens.as_slice();
    match item(&mut rest, note) {
        Err(fault) => fault,
        Ok((word, ..)) if Place::of(word.text).is_empty() => {
            Fault { at: word.at, message: format!("unknown annotation {}", found(word)) }
        }
        Ok((word, ..)) => {
            let places = "it can follow a parameter, a list of parameters, a field or a type's name";
            Fault { at: note.at, message: format!("`{}` belongs to nothing here: {places}", word.text) }
        }
    }
}

/// One annotation as it is written.
struct Item<'a, 's> {
    word: Token<'s>,
    /// What stands in parentheses; `None` without any.
    arguments: Option<&'a [Token<'s>]>,
    /// Where the annotation ends.
    end: Position,
    scope: &'a dyn Scope,
}

/// Takes one annotation from the front of `rest`.
fn item<'a, 's>(
    rest: &mut &'a [Token<'s>],
    note: &Note<'_>,
) -> Checked<(Token<'s>, Option<&'a [Token<'s>]>, Position)> {
    let mut word = match rest.split_first() {
        None => return fault(note.at, "expected an annotation between `[[` and `]]`"),
        Some((word, after)) => {
            *rest = after;
            *word
        }
    };
    if let [colons, name, after @ ..] = *rest
        && colons.is("::")
    {
        if !word.is_word("tombolo") {
            return fault(word.at, format!("unknown annotation `{}::{}`", word.text, name.text));
        }
        word = *name;
        *rest = after;
    }
    if word.kind != Kind::Word {
        return fault(word.at, format!("expected an annotation, found {}", found(word)));
    }
    let Some((open, inside)) = rest.split_first().filter(|(token, _)| token.is("(")) else {
        return Ok((word, None, word.end()));
    };
    let mut depth = 1;
    for (index, token) in inside.iter().enumerate() {
        depth += usize::from(token.is("("));
        depth -= usize::from(token.is(")"));
        if depth == 0 {
            *rest = &inside[index + 1..];
            return Ok((word, Some(&inside[..index]), token.at));
        }
    }
    fault(open.at, "this `(` is never closed")
}

impl Item<'_, '_> {
    /// An annotation without arguments, which means `value`.
    fn plain<T>(&self, value: T) -> Checked<T> {
        match self.arguments {
            None => Ok(value),
            Some(_) => fault(self.word.at, format!("`{}` takes no arguments", self.word.text)),
        }
    }

    /// One name.
    fn name(&self) -> Checked<String> {
        match self.arguments {
            Some([name]) if name.kind == Kind::Word => Ok(name.text.to_owned()),
            _ => fault(self.word.at, format!("`{0}` takes one name: `{0}(name)`", self.word.text)),
        }
    }

    /// One name, or no arguments.
    fn optional_name(&self) -> Checked<Option<String>> {
        match self.arguments {
            None => Ok(None),
            Some([name]) if name.kind == Kind::Word => Ok(Some(name.text.to_owned())),
            _ => fault(self.word.at, format!("`{0}` takes a function's name or nothing: `{0}(name)`", self.word.text)),
        }
    }

    /// The arguments, split at commas.
    fn list(&self) -> Vec<&[Token<'_>]> {
        self.arguments.map(|arguments| arguments.split(|token| token.is(",")).collect()).unwrap_or_default()
    }

    /// A name or a number of elements.
    fn length(&self) -> Checked<Length> {
        if let Some([name]) = self.arguments
            && name.kind == Kind::Word
        {
            return Ok(Length::Named(name.text.to_owned()));
        }
        let [argument] = self.list()[..] else {
            return fault(self.word.at, "`length` takes a name or a number: `length(n)`");
        };
        let length = constants::integer(self.scope, argument, self.end, "a length")?;
        match u64::try_from(length.value) {
            Ok(length) => Ok(Length::Constant(length)),
            Err(_) => fault(self.word.at, "a length cannot be negative"),
        }
    }

    /// A power of two; the largest that any type has if there are no arguments.
    fn alignment(&self) -> Checked<u64> {
        let align = match self.list()[..] {
            [] => 16,
            [argument] => match self.scope.ty(argument) {
                Some(named) => named.align as i128,
                None => constants::integer(self.scope, argument, self.end, "an alignment")?.value,
            },
            _ => 0,
        };
        match u64::try_from(align).ok().filter(|align| align.is_power_of_two() && *align <= 1 << 28) {
            Some(align) => Ok(align),
            None if align == 0 && self.arguments.is_some() => Ok(1),
            None => fault(self.word.at, "an alignment is a power of two"),
        }
    }

    /// One integer.
    fn sentinel(&self) -> Checked<i64> {
        match self.list()[..] {
            [argument] => self.number(argument),
            _ => fault(self.word.at, "`until` takes one number: `until(0)`"),
        }
    }

    /// A list of integers; 0 if there are no arguments.
    fn results(&self) -> Checked<Vec<i64>> {
        let list = self.list();
        if list.is_empty() && self.word.text == "fails" {
            return fault(self.word.at, "`fails` takes the results that are failures: `fails(-1)`");
        } else if list.is_empty() {
            return Ok(vec![0]);
        } else if list.len() > MOST_RESULTS {
            return fault(self.word.at, format!("`{}` takes at most {MOST_RESULTS} results", self.word.text));
        }
        list.into_iter().map(|argument| self.number(argument)).collect()
    }

    /// A constant expression or `NULL`.
    fn number(&self, argument: &[Token<'_>]) -> Checked<i64> {
        let at = argument.first().map_or(self.end, |token| token.at);
        if let [null] = argument
            && null.is_word("NULL")
            && self.scope.name(null).is_err()
        {
            return Ok(0);
        }
        let number =
            constants::integer(self.scope, argument, self.end, &format!("an argument of `{}`", self.word.text))?;
        i64::try_from(number.value).or_else(|_| fault(at, "this number does not fit a signed integer of 64 bits"))
    }
}

/// Sets a slot that is empty so far; `word` names what it holds otherwise.
fn put<T>(slot: &mut Option<At<T>>, item: &Item<'_, '_>, value: T, word: fn(&T) -> &'static str) -> Checked<()> {
    let (at, new) = (item.word.at, item.word.text);
    match slot {
        None => {
            *slot = Some(At { value, position: at });
            Ok(())
        }
        Some(old) if word(&old.value) == new => fault(at, format!("`{new}` is given twice")),
        Some(old) => fault(at, format!("`{new}` contradicts `{}`", word(&old.value))),
    }
}

/// The words that values are written as.
macro_rules! words {
    ($($type:ident { $($pattern:pat => $word:literal),+ })+) => { $(
        impl $type {
            /// The word of the annotation that means this.
            fn word(&self) -> &'static str {
                match self { $($pattern => $word),+ }
            }
        }
    )+ };
}

words! {
    Ownership { Self::Owned(_) => "owned", Self::Borrowed => "borrowed", Self::Consumed => "consumed" }
    Mode { Self::View => "view", Self::Copy => "copy" }
    Direction { Self::In => "in", Self::Out => "out", Self::InOut => "inout" }
    Outcome { Self::Status(_) => "status", Self::Fails(_) => "fails" }
    Encoding { Self::Utf8 => "utf8", Self::Utf16 => "utf16", Self::Latin1 => "latin1", Self::Bytes => "bytes" }
}
