//! Rust source without what is not code: comments, strings and characters are blanked out.

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
            assert_eq!(unsafe_lines(text), [], "{text}");
        }
    }

    #[test]
    fn lines_keep_their_numbers() {
        assert_eq!(unsafe_lines("/*\n*/\nlet s = \"\n\";\nunsafe {}"), [5]);
    }
}
