//! Every path that the documents and the comments name exists.
//!
//! A path is a word set as code that has a slash, or a file name that ends as sources and documents do. It starts at
//! the workspace's root; a link's target starts at the document's folder. A star in a file name stands for anything,
//! and must match something. In blocks of commands the arguments are checked; in other blocks the paths are the
//! reader's. Paths in `target/` are not checked, since a build makes them. In a source's comment, only a word that
//! begins with a folder of the workspace or of the source's crate counts as a path.

use crate::document::{code_spans, link_targets};

use super::{ARCHITECTURE, Problem, README, SECURITY, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let in_docs =
        |path: &&str| path.strip_prefix("docs/").is_some_and(|name| name.ends_with(".md") && !name.contains('/'));
    let more = tree.files.iter().map(|file| &*file.path).filter(in_docs);
    let documents =
        [ARCHITECTURE, README, SECURITY].into_iter().chain(more).flat_map(|name| check_document(tree, name));
    let sources = tree.files.iter().filter(|file| file.is_rust());
    documents.chain(sources.flat_map(|file| check_comments(tree, &file.path, &file.text))).collect()
}

fn check_comments(tree: &Tree, path: &str, text: &str) -> Vec<Problem> {
    const FOLDERS: [&str; 6] = ["crates/", "tests/", "docs/", "examples/", "src/", "xtask/"];
    let package = path.split_once("/src/").or_else(|| path.split_once("/tests/")).map_or("", |(package, _)| package);
    let mut problems = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let Some(comment) = line.trim_start().strip_prefix("//") else { continue };
        for word in code_spans(comment).into_iter().flat_map(str::split_whitespace) {
            let is_meant = FOLDERS.iter().any(|folder| word.starts_with(folder)) && is_path(word) && word.contains('.');
            if is_meant && !exists(tree, word) && !exists(tree, &format!("{package}/{word}")) {
                problems.push(Problem::new(path, at + 1, format!("`{word}` does not exist")));
            }
        }
    }
    problems
}

fn check_document(tree: &Tree, name: &str) -> Vec<Problem> {
    let Some(text) = tree.text(name) else {
        return vec![Problem::new(name, 0, "there is no such file")];
    };
    let mut problems = Vec::new();
    let mut block = None;
    for (at, line) in text.lines().enumerate() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            block = if block.is_none() { Some(language) } else { None };
            continue;
        }
        let words: Vec<String> = match block {
            Some("sh") => line.split_whitespace().map(str::to_string).collect(),
            Some(_) => continue,
            None => {
                let links = link_targets(line).into_iter().filter_map(|target| from_root(name, target));
                links.chain(code_spans(line).into_iter().flat_map(str::split_whitespace).map(str::to_string)).collect()
            }
        };
        for word in words {
            if is_path(&word) && !exists(tree, &word) {
                problems.push(Problem::new(name, at + 1, format!("`{word}` does not exist")));
            }
        }
    }
    problems
}

/// The file that a link in `document` leads to, from the workspace's root. `None` if the link leads elsewhere: to a
/// heading of the same document, or to the web.
fn from_root(document: &str, target: &str) -> Option<String> {
    let file = target.split('#').next().filter(|file| !file.is_empty() && !file.contains("://"))?;
    let mut folders: Vec<&str> = document.split('/').collect();
    folders.pop();
    for part in file.split('/') {
        match part {
            ".." => drop(folders.pop()),
            "." | "" => {}
            part => folders.push(part),
        }
    }
    Some(folders.join("/"))
}

fn is_path(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./*".contains(c);
    let named = [".rs", ".md", ".toml", ".sh"].iter().any(|ending| word.ends_with(ending) && word.len() > ending.len());
    let made = word.starts_with("target/");
    word.chars().all(plain) && !word.starts_with(['/', '-']) && !made && (word.contains('/') || named)
}

fn exists(tree: &Tree, path: &str) -> bool {
    let path = path.trim_start_matches("./").trim_end_matches('/');
    match path.split_once('*') {
        None => tree.paths.iter().any(|there| there == path),
        Some((start, end)) => {
            let between = |there: &str| there.strip_prefix(start)?.strip_suffix(end).map(|star| !star.contains('/'));
            tree.paths.iter().any(|there| between(there) == Some(true))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Vec<String> {
        let tree = Tree::of(&[
            (ARCHITECTURE, text),
            (README, ""),
            (SECURITY, ""),
            ("crates/a/src/lib.rs", ""),
            ("LICENSE.md", ""),
        ]);
        super::check(&tree).iter().map(Problem::to_string).collect()
    }

    #[test]
    fn what_exists_may_be_named() {
        let text = "`crates/a/src/lib.rs`, `crates/a`, `crates/a/`, `crates/*/src/lib.rs`, `crates/a/src/*.rs`,\n\
                    [the licence](LICENSE.md), `LICENSE.md`, `import 'node:fs/promises'`, `app.mjs`, `/dev/null`\n\
                    and/or `a::b`\n```js\nnew URL('no/such.wasm')\n```\n```sh\ncat crates/a/src/lib.rs\ntarget/release/made\n```";
        assert_eq!(check(text), [""; 0]);
    }

    #[test]
    fn what_does_not_exist_may_not() {
        for word in ["crates/b", "targets/x", "lib.rs", "crates/a/src/*.mjs", "crates/a/src/lib.rs/x"] {
            assert_eq!(check(&format!("words\n`{word}`")), [format!("ARCHITECTURE.md:2: `{word}` does not exist")]);
        }
        assert_eq!(check("[x](no/such.md)"), ["ARCHITECTURE.md:1: `no/such.md` does not exist"]);
        assert_eq!(check("```sh\nrun no/such.mjs\n```"), ["ARCHITECTURE.md:2: `no/such.mjs` does not exist"]);
    }

    #[test]
    fn links_start_at_the_documents_folder() {
        let text = "[a](x.md#heading), [b](../LICENSE.md), [c](#here), [d](https://e.org/f.md), [e](gone.md)";
        let files = [
            (ARCHITECTURE, "[x](docs/x.md)"),
            (README, ""),
            (SECURITY, ""),
            ("docs/x.md", text),
            ("LICENSE.md", ""),
            ("docs/y/z.md", "[w](w.md)"),
        ];
        let problems: Vec<_> = super::check(&Tree::of(&files)).iter().map(Problem::to_string).collect();
        assert_eq!(problems, ["docs/x.md:1: `docs/gone.md` does not exist"]);
    }

    #[test]
    fn comments_name_what_is_in_the_workspace_or_in_their_crate() {
        let text =
            "//! See `tests/there.rs`, `crates/a/tests/there.rs`, `src/no` and `docs/*.md`.\n/// `tests/gone.rs`";
        let files = [
            (ARCHITECTURE, ""),
            (README, ""),
            (SECURITY, ""),
            ("crates/a/src/lib.rs", text),
            ("crates/a/tests/there.rs", ""),
            ("docs/x.md", ""),
        ];
        let problems: Vec<_> = super::check(&Tree::of(&files)).iter().map(Problem::to_string).collect();
        assert_eq!(problems, ["crates/a/src/lib.rs:2: `tests/gone.rs` does not exist"]);
    }

    #[test]
    fn both_documents_must_be_there() {
        let problems = super::check(&Tree::of(&[(ARCHITECTURE, ""), (SECURITY, "")]));
        assert_eq!(problems, [Problem::new(README, 0, "there is no such file")]);
    }
}
