//! How an uncaught error is printed: the line that it comes from, the error as the console shows it, without the frames
//! of the module loader, and what the reader can do about it.

use std::borrow::Cow;
use std::path::Path;

use rquickjs::{Ctx, Value};

use super::report::report_uncaught;
use super::state::Platform;
use super::{function, strings::to_rust};
use crate::modules::{self, Importer};

/// The text that tells a person of an uncaught error, with a line's end.
pub(crate) fn text<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> String {
    let colors = Platform::of(ctx).is_ok_and(|platform| platform.stdio.is_process(2)) && super::has_colors(2);
    let Some(facts) = Facts::of(ctx, value, colors) else {
        ctx.catch();
        return report_uncaught(ctx, value) + "\n";
    };
    facts.text(ctx)
}

/// The text for a person at a prompt, who knows what they have typed.
pub(crate) fn at_prompt<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> String {
    let colors = Platform::of(ctx).is_ok_and(|platform| platform.stdio.is_process(1)) && super::has_colors(1);
    let Some(facts) = Facts::of(ctx, value, colors) else {
        ctx.catch();
        let shown = function(ctx, "repl", "show").and_then(|show| show.call((value.clone(), colors)));
        return match shown.and_then(|text| to_rust(&text)) {
            Ok(text) => format!("Uncaught {text}\n"),
            Err(_) => {
                ctx.catch();
                report_uncaught(ctx, value) + "\n"
            }
        };
    };
    let place = facts.stack.lines().find_map(place_of_frame).filter(|_| facts.name == "SyntaxError");
    let line = place.as_ref().and_then(|place| source_line(ctx, place));
    let text = facts.text(ctx);
    let start = text.find("Uncaught").unwrap_or(0);
    let start = if text[..start].ends_with("\u{1b}[31m") { start - 5 } else { start };
    let mut shown = String::new();
    if line.is_some() {
        // The line and the mark, without the name of the file.
        shown.push_str(text[..start].split_once('\n').map_or("", |(_, rest)| rest));
    }
    let is_prompt = |line: &str| line.contains("<eval> (REPL") || line.trim_start().starts_with("at REPL");
    for line in text[start..].lines() {
        match line.strip_suffix(" {") {
            Some(frame) if is_prompt(frame) => {
                shown.truncate(shown.trim_end().len());
                shown.push_str(" {\n");
            }
            _ if is_prompt(line) => {}
            _ => {
                shown.push_str(line);
                shown.push('\n');
            }
        }
    }
    shown
}

/// What is known of an error.
struct Facts {
    /// As the console shows it, in colours or not.
    shown: String,
    stack: String,
    name: String,
    message: String,
    code: String,
    colors: bool,
}

/// A place in a file.
struct Place {
    /// A path, a URL or a name such as `[eval]`.
    file: String,
    line: usize,
    column: usize,
    /// How many characters are meant, if that is known.
    length: Option<usize>,
}

impl Facts {
    /// `None` if the value is not an error, or looking at it throws.
    fn of<'js>(ctx: &Ctx<'js>, value: &Value<'js>, colors: bool) -> Option<Self> {
        let facts = || -> rquickjs::Result<Option<Self>> {
            let found: Value = function(ctx, "report", "facts")?.call((value.clone(), colors))?;
            let Some(found) = found.as_object() else { return Ok(None) };
            let text = |key: &str| -> rquickjs::Result<String> { to_rust(&found.get(key)?) };
            Ok(Some(Self {
                shown: text("shown")?,
                stack: text("stack")?,
                name: text("name")?,
                message: text("message")?,
                code: text("code")?,
                colors,
            }))
        };
        facts().ok()?
    }

    fn text(mut self, ctx: &Ctx<'_>) -> String {
        // An error without frames is shown in brackets.
        let bracketed = format!("[{}]", self.stack);
        if let Some(rest) = self.shown.strip_prefix(&bracketed) {
            self.shown = self.stack.clone() + rest;
        }
        let mut place = self.stack.lines().find_map(place_of_frame);
        let mut tip = None;
        if let Some((name, module)) = missing_export(&self.message)
            && let Some(importer) = modules::importer_of(ctx, name, module)
        {
            let better = describe_missing(name, &importer);
            self.shown = self.shown.replacen(&self.message, &better, 1);
            place = Some(Place {
                file: importer.url,
                line: importer.line,
                column: importer.column,
                length: Some(importer.length),
            });
        } else if let Some(better) = place.as_ref().and_then(|place| self.outside_module_scope(place)) {
            self.shown = self.shown.replacen(&self.message, &better, 1);
        }
        let source = place.as_ref().and_then(|place| source_line(ctx, place));
        if let Some(place) = &place {
            tip = source.as_ref().and_then(|line| self.tip_of_line(place, line));
        }
        let mut text = String::new();
        if let (Some(place), Some(line)) = (&place, &source) {
            text = excerpt(place, line, &self.name, self.colors);
        }
        let label = if self.colors { "\u{1b}[31mUncaught\u{1b}[39m " } else { "Uncaught " };
        text.push_str(label);
        text.push_str(&without_loader(&self.shown));
        text.push('\n');
        if let Some(tip) = tip.or_else(|| self.tip()) {
            text.push_str("\n  tip: ");
            text.push_str(&tip);
            text.push('\n');
        }
        text
    }

    /// What Node says of a name that only CommonJS modules have.
    fn outside_module_scope(&self, place: &Place) -> Option<String> {
        let name = self.message.strip_suffix(" is not defined")?;
        let instead = match name {
            "require" => ", you can use import instead",
            "module" | "exports" | "__filename" | "__dirname" => "",
            _ => return None,
        };
        let is_module = self.name == "ReferenceError" && place.file.starts_with("file:");
        is_module.then(|| format!("{} in ES module scope{instead}", self.message))
    }

    /// Advice that the line of a SyntaxError suggests.
    fn tip_of_line(&self, place: &Place, line: &str) -> Option<String> {
        let begins = |word: &str| {
            let rest = line.trim_start().strip_prefix(word);
            rest.is_some_and(|rest| {
                rest.starts_with(|next: char| !next.is_alphanumeric() && next != '_' && next != '(')
            })
        };
        let is_module_syntax = begins("import") || begins("export") || line.contains("await ");
        if self.name != "SyntaxError" || !place.file.starts_with('/') || !is_module_syntax {
            return None;
        }
        Some(format!(
            "{} is read as CommonJS, which has no `import`, `export` or top-level `await`; the name of an ES module ends \
             in .mjs, or its package.json has \"type\": \"module\"",
            place.file
        ))
    }

    /// Advice for what has a code.
    fn tip(&self) -> Option<String> {
        match &*self.code {
            "ERR_UNKNOWN_BUILTIN_MODULE" => {
                let name = self.message.rsplit("node:").next()?.trim_end();
                let near = closest(name, &modules::public_names())?;
                Some(format!("there is a module `node:{near}`"))
            }
            "ERR_UNKNOWN_FILE_EXTENSION" => {
                let is_text = self.message.contains("\".wat\"");
                Some(match is_text {
                    true => {
                        "a module in the text format is made binary first, for example by `wasm-tools parse`".into()
                    }
                    false => "modules are .js, .mjs, .cjs, .ts, .mts, .cts, .json and .wasm files".into(),
                })
            }
            "ERR_IMPORT_ATTRIBUTE_MISSING" => Some("`import value from './file.json' with { type: 'json' }`".into()),
            _ => None,
        }
    }
}

/// The name and the module of which the engine says that it does not export it.
fn missing_export(message: &str) -> Option<(&str, &str)> {
    let rest = message.strip_prefix("Could not find export '")?;
    rest.strip_suffix('\'')?.split_once("' in module '")
}

/// Node's words for an export that is not there.
fn describe_missing(name: &str, importer: &Importer) -> String {
    let specifier = &importer.specifier;
    if !importer.is_common_js {
        return format!("The requested module '{specifier}' does not provide an export named '{name}'");
    }
    format!(
        "Named export '{name}' not found. The requested module '{specifier}' is a CommonJS module, which may not support \
         all module.exports as named exports.\nCommonJS modules can always be imported via the default export, for \
         example using:\n\nimport pkg from '{specifier}';\nconst {{ {name} }} = pkg;\n"
    )
}

/// The place that a line of a stack names, if it is a script's.
fn place_of_frame(line: &str) -> Option<Place> {
    let rest = line.strip_prefix("    at ")?;
    let rest = match rest.strip_suffix(')') {
        Some(rest) => rest.rsplit_once(" (").map_or(rest, |(_, place)| place),
        None => rest,
    };
    let (rest, column) = rest.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    let is_script =
        file.starts_with('/') || file.starts_with("file:") || file.starts_with('[') || file.starts_with("REPL");
    let place = Place { file: file.to_owned(), line: line.parse().ok()?, column: column.parse().ok()?, length: None };
    is_script.then_some(place)
}

/// The text of the line at a place.
fn source_line(ctx: &Ctx<'_>, place: &Place) -> Option<String> {
    /// What is longer was not written by hand.
    const MOST: usize = 400;
    const LARGEST: u64 = 16 << 20;
    let platform = Platform::of(ctx).ok()?;
    let code = platform.code.borrow();
    let text = match &*code {
        Some((name, text)) if *name == place.file => Cow::Borrowed(&**text),
        _ => {
            let path = match place.file.strip_prefix('/') {
                Some(_) => Path::new(&place.file).to_owned(),
                None => modules::url_to_path(&place.file)?,
            };
            // (A script can write any path into a stack, and a worker's parent reads what is said of it.)
            let held = platform.options.permissions.module(&path, permissions::Module::Text).ok()?;
            let metadata = held.path().metadata().ok()?;
            if !metadata.is_file() || metadata.len() > LARGEST {
                return None;
            }
            Cow::Owned(String::from_utf8(std::fs::read(held.path()).ok()?).ok()?)
        }
    };
    let line = text.lines().nth(place.line.checked_sub(1)?)?.trim_end();
    let is_there = line.len() <= MOST && !line.trim().is_empty() && place.column <= line.chars().count() + 1;
    is_there.then(|| line.to_owned())
}

/// The file, its line, and a mark below the place.
fn excerpt(place: &Place, line: &str, name: &str, colors: bool) -> String {
    let before = line.chars().take(place.column.saturating_sub(1));
    let indent: String = before.map(|char| if char == '\t' { '\t' } else { ' ' }).collect();
    let is_name = |char: &char| char.is_alphanumeric() || *char == '_' || *char == '$';
    let rest = line.chars().skip(place.column.saturating_sub(1));
    let length = match place.length {
        Some(length) => length,
        None if name == "SyntaxError" => rest.take_while(is_name).count(),
        None => 1,
    };
    let mark = "^".repeat(length.max(1));
    let mark = if colors { format!("\u{1b}[31m{mark}\u{1b}[39m") } else { mark };
    format!("{}:{}\n{line}\n{indent}{mark}\n\n", place.file, place.line)
}

/// An error's text without the frames at the end of its stacks that are the module loader's.
fn without_loader(shown: &str) -> String {
    if !shown.contains("node:internal/") {
        return shown.to_owned();
    }
    let lines: Vec<&str> = shown.split('\n').collect();
    let mut kept: Vec<Cow<'_, str>> = Vec::with_capacity(lines.len());
    let plain = |line: &str| line.replace("\u{1b}[90m", "").replace("\u{1b}[39m", "");
    let is_frame = |line: &str| plain(line).trim_start().starts_with("at ");
    let is_internal = |line: &str| {
        let line = plain(line);
        is_frame(&line) && (line.contains("(node:internal/") || line.trim_end_matches(" {").ends_with("(native)"))
    };
    for (at, line) in lines.iter().enumerate() {
        let ends_stack = || {
            let mut rest = lines[at..].iter().take_while(|line| is_frame(line));
            rest.all(|line| is_internal(line))
        };
        if !is_internal(line) || !ends_stack() {
            kept.push(Cow::Borrowed(line));
        } else if plain(line).ends_with(" {")
            && let Some(last) = kept.last_mut()
        {
            // The error's own properties follow.
            last.to_mut().push_str(" {");
        }
    }
    kept.join("\n")
}

/// The name that differs least from `name`, if it is hardly another.
fn closest<'a>(name: &str, names: &[&'a str]) -> Option<&'a str> {
    let near = names.iter().map(|other| (distance(name, other), *other)).min()?;
    (near.0 <= 1 + name.chars().count() / 4).then_some(near.1)
}

/// How many characters must be put in, left out or replaced.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().take(64).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::{closest, missing_export, place_of_frame, without_loader};

    #[test]
    fn frames_have_places() {
        let place = |line| place_of_frame(line).map(|place| (place.file, place.line, place.column));
        let at = |file: &str, line, column| Some((file.to_owned(), line, column));
        assert_eq!(place("    at f (/a b/(c).js:1:22)"), at("/a b/(c).js", 1, 22));
        assert_eq!(place("    at file:///a/b.mjs:10:2"), at("file:///a/b.mjs", 10, 2));
        assert_eq!(place("    at <eval> ([eval]:3:4)"), at("[eval]", 3, 4));
        for none in
            ["", "    at apply (native)", "    at x (node:fs:1:2)", "    at <input>:2:1", "at /a:1:2", "    at f (/a)"]
        {
            assert_eq!(place(none), None, "{none}");
        }
    }

    #[test]
    fn frames_of_the_loader_go() {
        let internal = "    at <anonymous> (node:internal/common_js:1:2)";
        let own = "    at f (/a.js:1:1)";
        assert_eq!(
            without_loader(&format!("E: x\n{internal}\n{own}\n    at apply (native)\n{internal}")),
            format!("E: x\n{internal}\n{own}")
        );
        assert_eq!(
            without_loader(&format!("E: x\n{own}\n{internal} {{\n  a: 1\n}}")),
            format!("E: x\n{own} {{\n  a: 1\n}}")
        );
        assert_eq!(without_loader(&format!("E: x\n{internal}\n{internal} {{\n  a: 1\n}}")), "E: x {\n  a: 1\n}");
    }

    #[test]
    fn names_that_are_close() {
        assert_eq!(closest("fss", &["fs", "os", "path"]), Some("fs"));
        assert_eq!(closest("paht", &["fs", "os", "path"]), Some("path"));
        assert_eq!(closest("nothing", &["fs", "os", "path"]), None);
        assert_eq!(missing_export("Could not find export 'a' in module 'file:///b'"), Some(("a", "file:///b")));
    }
}
