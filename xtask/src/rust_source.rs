//! Rust source without what is not code: comments, strings and characters are blanked out. Also the paths that it
//! names.

use std::collections::{BTreeMap, BTreeSet};

/// The text with comments and literals replaced by spaces, line by line as it was.
pub(crate) fn code_only(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let len = match blank_length(rest, out.chars().next_back()) {
            0 => {
                out.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            }
            len => len,
        };
        out.extend(rest[..len].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &rest[len..];
    }
    out
}

/// The lines (from 1) on which `word` occurs in code as a word of its own.
pub(crate) fn lines_with(code: &str, word: &str) -> Vec<usize> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let has = |line: &str| line.split(|c| !is_word(c)).any(|part| part == word);
    code.lines().enumerate().filter(|(_, line)| has(line)).map(|(at, _)| at + 1).collect()
}

/// How many bytes at the start of `rest` are a comment or a literal; 0 if code begins there. `before` is the character
/// before them.
fn blank_length(rest: &str, before: Option<char>) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    match rest.as_bytes()[0] {
        b'"' => quoted(rest, 0, '"'),
        b'\'' => character(rest),
        b'r' | b'b' | b'c' if !in_word => prefixed_string(rest),
        _ => 0,
    }
}

/// The length of a block comment. Block comments nest.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The length of a literal that begins with a quote at `start` and ends with the next one that no backslash escapes.
fn quoted(rest: &str, start: usize, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest[start + 1..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return start + 1 + at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a character; 0 for a lifetime.
fn character(rest: &str) -> usize {
    let mut chars = rest[1..].chars();
    match (chars.next(), chars.next()) {
        (Some('\\'), _) => quoted(rest, 0, '\''),
        (Some(c), Some('\'')) => 1 + c.len_utf8() + 1,
        _ => 0,
    }
}

/// The length of `r"…"`, `r#"…"#`, `b"…"`, `br"…"`, `c"…"` and their like; 0 for anything else.
fn prefixed_string(rest: &str) -> usize {
    let prefix = ["br", "cr", "r", "b", "c"].into_iter().find(|prefix| rest.starts_with(prefix)).unwrap_or("");
    let tail = &rest[prefix.len()..];
    if !prefix.ends_with('r') {
        return match tail.as_bytes().first() {
            Some(b'"') => quoted(rest, prefix.len(), '"'),
            Some(b'\'') if prefix == "b" => quoted(rest, prefix.len(), '\''),
            _ => 0,
        };
    }
    let hashes = tail.bytes().take_while(|&b| b == b'#').count();
    if tail.as_bytes().get(hashes) != Some(&b'"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let open = prefix.len() + hashes + 1;
    rest[open..].find(&end).map_or(rest.len(), |at| open + at + end.len())
}

/// The code without the module of tests that ends a file.
pub(crate) fn without_tests(code: &str) -> &str {
    code.find("\n#[cfg(test)]\nmod ").map_or(code, |at| &code[..at + 1])
}

/// A module of a crate, by its names from the root on.
pub(crate) type Module = Vec<String>;

/// The module that a file is, by its path in the crate's source.
pub(crate) fn module_of(path: &str) -> Module {
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let names = path.split('/').map(str::to_owned);
    let mut module: Module = names.collect();
    let is_root = module.len() == 1 && ["lib", "main"].contains(&&*module[0]);
    if is_root || module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

/// What a module says of others of its crate.
pub(crate) struct ModuleItems {
    /// Every path within the crate that it names.
    pub(crate) paths: BTreeSet<Module>,
    /// What it imports, by the name that it has here.
    pub(crate) imports: BTreeMap<String, Module>,
}

/// Reads the code of `module`, of a crate with these modules.
pub(crate) fn module_items<T>(code: &str, module: &Module, modules: &BTreeMap<Module, T>) -> ModuleItems {
    let mut items = ModuleItems { paths: BTreeSet::new(), imports: BTreeMap::new() };
    let tokens = tokens(code);
    let mut at = 0;
    while at < tokens.len() {
        let continues = at > 0 && tokens[at - 1] == "::";
        if tokens[at] == "use" && !continues {
            let end = tokens[at..].iter().position(|token| *token == ";").map_or(tokens.len(), |len| at + len);
            for (path, name) in use_tree(&tokens[at + 1..end]) {
                if let Some(path) = within_crate(&path, module, modules) {
                    items.imports.insert(name.to_owned(), path.clone());
                    items.paths.insert(path);
                }
            }
            at = end;
        } else if ["crate", "super", "self"].contains(&tokens[at]) && !continues && tokens.get(at + 1) == Some(&"::") {
            let mut path = vec![tokens[at]];
            while tokens.get(at + 1) == Some(&"::") && tokens.get(at + 2).is_some_and(|next| is_name(next)) {
                path.push(tokens[at + 2]);
                at += 2;
            }
            items.paths.extend(within_crate(&path, module, modules));
        }
        at += 1;
    }
    items
}

/// The paths of a `use` and the names that they get.
fn use_tree<'t>(tokens: &[&'t str]) -> Vec<(Vec<&'t str>, &'t str)> {
    let mut found = Vec::new();
    let mut path = Vec::new();
    // The length of the path before each brace that is open.
    let mut open = vec![0];
    let mut alias = None;
    let mut is_alias = false;
    for token in tokens.iter().chain([&","]) {
        match *token {
            "::" => {}
            "as" => is_alias = true,
            "{" => open.push(path.len()),
            "," | "}" => {
                let start = open.last().copied().unwrap_or(0);
                // Nothing comes after a brace.
                let is_path = path.len() > start;
                if path.len() > 1 && path.last() == Some(&"self") {
                    path.pop();
                }
                let name = alias.take().or(path.last().copied()).filter(|_| is_path);
                found.extend(name.map(|name| (path.clone(), name)));
                if *token == "}" {
                    open.pop();
                    // The path that the brace belonged to has been reported.
                    path.truncate(open.last().copied().unwrap_or(0));
                } else {
                    path.truncate(start);
                }
            }
            token if is_alias => {
                alias = Some(token);
                is_alias = false;
            }
            token => path.push(token),
        }
    }
    found
}

/// The path from the crate's root on; `None` if it leads out of the crate.
fn within_crate<T>(path: &[&str], module: &Module, modules: &BTreeMap<Module, T>) -> Option<Module> {
    let mut base = module.clone();
    let mut rest = path;
    match *rest.first()? {
        "crate" => base.clear(),
        "self" => {}
        "super" => drop(base.pop()),
        first => {
            base.push(first.to_owned());
            return modules.contains_key(&base).then(|| {
                base.extend(rest[1..].iter().map(ToString::to_string));
                base
            });
        }
    }
    rest = &rest[1..];
    while rest.first() == Some(&"super") {
        base.pop();
        rest = &rest[1..];
    }
    base.extend(rest.iter().map(ToString::to_string));
    Some(base)
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// Names, `::`, and every other character by itself.
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let len = match rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()) {
            0 if rest.starts_with("::") => 2,
            0 => first.len_utf8(),
            len => len,
        };
        tokens.push(&rest[..len]);
        rest = rest[len..].trim_start();
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsafe_lines(text: &str) -> Vec<usize> {
        lines_with(&code_only(text), "unsafe")
    }

    #[test]
    fn code_stays() {
        for text in ["unsafe { f() }", "unsafe impl Send for T {}", "let x = 'a'; unsafe {}", "&'a str; unsafe {}"] {
            assert_eq!(unsafe_lines(text), [1], "{text}");
        }
        assert_eq!(unsafe_lines("fn f<'a>(x: &'a u8) {\n    unsafe {}\n}"), [2]);
        assert_eq!(unsafe_lines(r"let quote = '\''; unsafe {}"), [1]);
        assert_eq!(unsafe_lines(r#"let b = b'"'; unsafe {}"#), [1]);
    }

    #[test]
    fn comments_and_literals_go() {
        let texts = [
            "// unsafe",
            "//! unsafe",
            "/* unsafe /* unsafe */ unsafe */",
            r#"let s = "unsafe \" unsafe";"#,
            r###"let s = r#"unsafe " unsafe"#;"###,
            r##"let s = br"unsafe"; let c = c"unsafe";"##,
            "let unsafely = unsafe_op_in_unsafe_fn;",
        ];
        for text in texts {
            assert_eq!(unsafe_lines(text), Vec::<usize>::new(), "{text}");
        }
    }

    #[test]
    fn lines_keep_their_numbers() {
        assert_eq!(unsafe_lines("/*\n*/\nlet s = \"\n\";\nunsafe {}"), [5]);
    }

    #[test]
    fn modules_and_what_they_import() {
        let modules: BTreeMap<Module, ()> =
            ["lib.rs", "a.rs", "a/b/mod.rs", "a/b/c.rs"].map(|path| (module_of(path), ())).into();
        let names: Vec<_> = modules.keys().map(|module| module.join("::")).collect();
        assert_eq!(names, ["", "a", "a::b", "a::b::c"]);
        let items = |code: &str, module: &str| module_items(code, &module_of(module), &modules);
        let found = items("pub use b::{self, c::{One, Two as Other}, *}; use std::io; use other::b;", "a.rs");
        let imports: Vec<_> = found.imports.iter().map(|(name, path)| format!("{name}={}", path.join("::"))).collect();
        assert_eq!(imports, ["*=a::b::*", "One=a::b::c::One", "Other=a::b::c::Two", "b=a::b"]);
        let found =
            items("fn f() { super::super::g::<crate::a::T>(self::h()); self.x(); x::crate_y::super_z() }", "a/b/c.rs");
        let paths: Vec<_> = found.paths.iter().map(|path| path.join("::")).collect();
        assert_eq!(paths, ["a::T", "a::b::c::h", "a::g"]);
    }

    #[test]
    fn tests_at_the_end_go() {
        assert_eq!(without_tests("fn f() {}\n#[cfg(test)]\nmod tests {}"), "fn f() {}\n");
        assert_eq!(without_tests("fn f() {}"), "fn f() {}");
    }
}
