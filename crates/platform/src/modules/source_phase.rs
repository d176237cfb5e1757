//! `import source m from './m.wasm'` and `import.source('./m.wasm')`, which the engine's parser does not know.
//!
//! A module's text goes to the parser as it is. If the parser stops at one of the two forms, they are rewritten in
//! words that it knows, and it tries again. So no text that it accepts is ever changed, and comments, strings,
//! templates and regular expressions are told apart by a real parser, not by a guess.

use oxc_parser::ParserReturn;
use oxc_span::SourceType;
use qjs::script::declare_module;
use rquickjs::{Ctx, Error, Function, Module, Value, module::Declared, object::Property};

use super::{resolve::resolve, syntax::parsed, wasm};
use crate::{internal, web::url::see_to_room};

/// The prefix of a specifier that is imported in the source phase.
pub(super) const PREFIX: &str = "tombolo:source:";

/// Parses a module.
///
/// # Errors
/// The parser's SyntaxError, or what the module's dependencies throw.
pub(super) fn declare<'js>(ctx: &Ctx<'js>, url: &str, text: &str) -> rquickjs::Result<Module<'js, Declared>> {
    if !text.contains("source") {
        return declare_module(ctx, url, text);
    }
    // Only the stack says where the parser stopped.
    let restore: Function = internal::function(ctx, "stack", "keepPlain")?.call(())?;
    let declared = declare_with_phases(ctx, url, text);
    let thrown = matches!(declared, Err(Error::Exception)).then(|| ctx.catch());
    restore.call::<_, ()>(())?;
    match thrown {
        Some(thrown) => Err(ctx.throw(thrown)),
        None => declared,
    }
}

fn declare_with_phases<'js>(ctx: &Ctx<'js>, url: &str, text: &str) -> rquickjs::Result<Module<'js, Declared>> {
    let first = declare_module(ctx, url, text);
    if !matches!(first, Err(Error::Exception)) {
        return first;
    }
    let mut thrown = ctx.catch();
    let original = text;
    let mut text = text.to_owned();
    let mut is_checked = false;
    'advance: while let Some(stop) = Stop::of(&thrown, url) {
        if stop.is_at_call(&text) && !is_checked {
            // What stands for it is an expression by itself, with any number of arguments; `import.source` is none.
            if !is_grammatical(original) {
                break;
            }
            is_checked = true;
        }
        for attempt in stop.attempts(&text) {
            match declare_module(ctx, url, &attempt) {
                Err(Error::Exception) => {
                    let next = ctx.catch();
                    if Stop::of(&next, url).is_none_or(|next| (next.line, next.column) > (stop.line, stop.column)) {
                        (thrown, text) = (next, attempt);
                        continue 'advance;
                    }
                }
                done => {
                    let module = done?;
                    let base = url.to_owned();
                    let source = Function::new(ctx.clone(), move |ctx: Ctx<'js>, specifier: Value<'js>| {
                        import_source(&ctx, &base, specifier)
                    })?;
                    let source = Property::from(source.with_name("source")?).writable().configurable();
                    module.meta()?.prop("source", source)?;
                    return Ok(module);
                }
            }
        }
        break;
    }
    Err(ctx.throw(thrown))
}

/// Where the parser stopped, and why.
struct Stop {
    line: usize,
    /// In bytes, from 1.
    column: usize,
    message: String,
}

impl Stop {
    /// Returns `None` for any error that does not come from parsing this very text.
    fn of(thrown: &Value<'_>, url: &str) -> Option<Self> {
        let exception = thrown.as_exception()?;
        let frames = internal::function(thrown.ctx(), "stack", "frames").ok()?;
        let frames: String = frames.call((thrown.clone(),)).ok()?;
        let frame = frames.strip_prefix("    at ")?.lines().next()?;
        let (line, column) = frame.strip_prefix(url)?.strip_prefix(':')?.split_once(':')?;
        Some(Self { line: line.parse().ok()?, column: column.parse().ok()?, message: exception.message()? })
    }

    fn offset(&self, text: &str) -> Option<usize> {
        let mut lines = text.split_inclusive('\n').take(self.line);
        let before: usize = lines.by_ref().take(self.line - 1).map(str::len).sum();
        lines.next().map(|_| before + self.column - 1)
    }

    /// Whether the parser stopped at the `source` of `import.source`.
    fn is_at_call(&self, text: &str) -> bool {
        let rest = self.offset(text).and_then(|at| text.get(at..));
        self.message == "meta expected" && rest.is_some_and(|rest| is_word(rest, "source"))
    }

    /// Rewritten texts that may get the parser past this place.
    fn attempts(&self, text: &str) -> Vec<String> {
        let Some(at) = self.offset(text) else { return Vec::new() };
        let Some(rest) = text.get(at..) else { return Vec::new() };
        match &*self.message {
            _ if self.is_at_call(text) => vec![format!("{}meta.{rest}", &text[..at])],
            // `import source m from`: the parser took `source` for the binding, and stopped at `m`.
            "from clause expected" => declarations(text, at, &["import", "source"]),
            // `import source from from`: it stopped at the second `from`.
            "string expected" if is_word(rest, "from") => declarations(text, at, &["import", "source", "from"]),
            _ => Vec::new(),
        }
    }
}

/// Whether a parser that knows all of the grammar accepts the text.
fn is_grammatical(text: &str) -> bool {
    let accepts = |_: &str, parsed: &ParserReturn<'_>| !parsed.panicked && !parsed.diagnostics.has_errors();
    parsed(text, SourceType::mjs(), accepts) != Some(false)
}

/// For every place before `at` from which `words` lead up to it: the text without the word `source`, and with the
/// prefix in the specifier. One of these places may be in a comment; then the parser stops at the same place again.
fn declarations(text: &str, at: usize, words: &[&str]) -> Vec<String> {
    let mut attempts = Vec::new();
    for (start, _) in text[..at].rmatch_indices("import") {
        let mut end = start;
        let mut source = start;
        for word in words {
            if !text[end..].starts_with(word) {
                break;
            }
            if *word == "source" {
                source = end;
            }
            end += word.len();
            end += trivia(&text[end..]);
        }
        if end == at
            && let Some(quote) = specifier(text, if words.len() == 2 { at } else { source + "source".len() })
        {
            let (head, tail) = text.split_at(source);
            let (middle, tail) = (&tail["source".len()..quote - source], &text[quote..]);
            attempts.push(format!("{head}      {middle}{PREFIX}{tail}"));
        }
    }
    attempts
}

/// Finds where the text of the specifier begins, after its quote, starting from the binding.
fn specifier(text: &str, binding: usize) -> Option<usize> {
    let mut end = binding + trivia(&text[binding..]);
    end += text[end..].find(|char: char| char.is_whitespace() || char == '/')?;
    end += trivia(&text[end..]);
    end += text[end..].strip_prefix("from").map(|rest| "from".len() + trivia(rest))?;
    text[end..].starts_with(['"', '\'']).then_some(end + 1)
}

/// Whether `text` begins with exactly this word and not a longer one.
fn is_word(text: &str, word: &str) -> bool {
    text.strip_prefix(word)
        .is_some_and(|rest| !rest.starts_with(|char: char| char.is_alphanumeric() || "$_\\".contains(char)))
}

/// The length of the white space and comments at the beginning of `text`.
fn trivia(text: &str) -> usize {
    let mut rest = text;
    loop {
        let trimmed = rest.trim_start_matches(|char: char| char.is_whitespace() || char == '\u{feff}');
        let after = match trimmed.get(..2) {
            Some("//") => trimmed.find(['\n', '\r', '\u{2028}', '\u{2029}']),
            Some("/*") => trimmed[2..].find("*/").map(|end| end + 4),
            _ => None,
        };
        match after {
            Some(after) => rest = &trimmed[after..],
            None => return text.len() - trimmed.len(),
        }
    }
}

/// `import.source(specifier)`: returns a promise of the Module object.
fn import_source<'js>(ctx: &Ctx<'js>, base: &str, specifier: Value<'js>) -> rquickjs::Result<Value<'js>> {
    let (promise, fulfil, reject) = ctx.promise()?;
    let find = || {
        let specifier = qjs::string::to_usv(ctx, qjs::Borrowed::of(&specifier))?;
        see_to_room(ctx, specifier.len())?;
        let url = resolve(ctx, &specifier, base, true).map_err(|failure| failure.throw(ctx))?;
        wasm::source(ctx, &url)
    };
    match find() {
        Ok(module) => fulfil.call::<_, ()>((module,))?,
        Err(Error::Exception) => reject.call::<_, ()>((ctx.catch(),))?,
        Err(error) => return Err(error),
    }
    Ok(promise.into_value())
}
