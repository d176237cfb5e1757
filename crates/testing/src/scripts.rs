//! Finds the scripts of `tests/js`, and makes a trial of each.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::repository;
use crate::verdict::{NotYet, Ran};
use crate::{Failed, Trial};

/// A script that is a test.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Script {
    /// Whether it lacks a line `// Takes long: REASON` at its top. Scripts with one come first, so that none of them is
    /// left over when everything else has ended.
    short: bool,
    /// Its path from the repository's root: `tests/js/wasm/table.mjs`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// The folders of `tests/js`, by name. They are read here, so that nobody has to list a new one.
///
/// # Panics
/// If the folder cannot be read.
#[must_use]
pub fn folders() -> Vec<String> {
    entries(&repository().join("tests/js"))
        .into_iter()
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().expect("an entry has a name").to_str().expect("names are UTF-8").to_owned())
        .collect()
}

/// The tests among the scripts of a folder, whose path starts at the repository's root. Scripts in folders below it are
/// not tests, but what tests start or import, and neither are modules that export anything.
///
/// # Panics
/// If there is none, or if a script both exports something and is a test.
#[must_use]
pub fn scripts_below(folder: &str) -> Vec<Script> {
    let mut scripts = Vec::new();
    for path in entries(&repository().join(folder)) {
        if path.extension().is_none_or(|extension| extension != "mjs") {
            continue;
        }
        let name = format!("{folder}/{}", path.file_name().expect("a file has a name").display());
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        match role(&text) {
            Role::Test { long } => scripts.push(Script { short: !long, name, path }),
            Role::Shared => {}
            Role::Both => panic!("{name} exports something, so tests share it; then it cannot be a test itself"),
        }
    }
    assert!(!scripts.is_empty(), "{folder} has tests");
    scripts
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    paths.sort();
    paths
}

#[derive(Debug, PartialEq, Eq)]
enum Role {
    Test { long: bool },
    Shared,
    Both,
}

fn role(text: &str) -> Role {
    let exports = text.lines().any(|line| line.starts_with("export "));
    let tests = text.lines().any(|line| line.starts_with("test("));
    let comment = text.lines().take_while(|line| line.starts_with("//"));
    match (exports, tests) {
        (false, _) => Role::Test { long: comment.into_iter().any(|line| line.starts_with("// Takes long: ")) },
        (true, false) => Role::Shared,
        (true, true) => Role::Both,
    }
}

/// A trial for each test in these folders of `tests/js`, named by its path, and one for the list of what does not pass
/// yet.
///
/// # Panics
/// If a folder has no tests, or if the list cannot be read.
pub fn trials(folders: &[&str], run: impl Fn(&Script) -> Ran + Send + Sync + 'static) -> Vec<Trial> {
    let not_yet = Arc::new(NotYet::read().unwrap_or_else(|problem| panic!("{problem}")));
    let run = Arc::new(run);
    let mut scripts: Vec<_> = folders.iter().flat_map(|folder| scripts_below(&format!("tests/js/{folder}"))).collect();
    scripts.sort();
    let mut trials: Vec<_> = scripts
        .into_iter()
        .map(|script| {
            let (run, not_yet) = (run.clone(), not_yet.clone());
            Trial::test(script.name.clone(), move || {
                let ran = run(&script);
                not_yet.judge(&script.name, &ran).map_err(Failed::from)
            })
        })
        .collect();
    trials.push(Trial::test(NotYet::FILE, move || not_yet.names_scripts_that_exist().map_err(Failed::from)));
    trials
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_test_and_what_is_shared() {
        assert_eq!(role("// A test.\ntest('it', () => {});\n"), Role::Test { long: false });
        assert_eq!(role("// A test.\n// Takes long: it waits.\nlet a;\n"), Role::Test { long: true });
        assert_eq!(role("let a;\n// Takes long: said too late.\n"), Role::Test { long: false });
        assert_eq!(role("export const a = 1;\n"), Role::Shared);
        assert_eq!(role("export const a = 1;\ntest('it', () => {});\n"), Role::Both);
    }

    #[test]
    fn scripts_are_found_by_their_folder() {
        let agents = scripts_below("tests/js/agents");
        let names: Vec<_> = agents.iter().map(|script| script.name.as_str()).collect();
        assert!(names.contains(&"tests/js/agents/web-worker.mjs"));
        assert!(!names.iter().any(|name| name.contains("support.mjs") || name.contains("workers/")), "{names:?}");
        assert!(folders().contains(&"wasm".to_owned()));
    }
}
