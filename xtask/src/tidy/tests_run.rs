//! Every test is run. A manifest can take Cargo's own search for tests away (`autotests = false`), and doc tests
//! (`doctest = false`); then no file in `tests` may be left out, and there may be no example that would be a doc test.

use std::path::Path;

use super::{Problem, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for manifest in tree.files.iter().filter(|file| file.path.ends_with("/Cargo.toml")) {
        let folder = manifest.path.trim_end_matches("Cargo.toml");
        if manifest.text.contains("autotests = false") {
            problems.extend(left_out(tree, folder, &manifest.text));
        }
        if manifest.text.contains("doctest = false") {
            problems.extend(doc_tests(tree, folder));
        }
    }
    problems
}

/// The files in `tests` that are neither a target of the manifest nor a module of another test.
fn left_out(tree: &Tree, folder: &str, manifest: &str) -> Vec<Problem> {
    let tests = format!("{folder}tests/");
    let own: Vec<_> = tree.files.iter().filter(|file| file.path.starts_with(&tests) && file.is_rust()).collect();
    let is_run = |path: &str| {
        let stem = Path::new(path).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let module = format!("mod {stem};");
        manifest.contains(&format!("name = \"{stem}\""))
            || own.iter().any(|file| file.path != path && file.text.lines().any(|line| line.ends_with(&module)))
    };
    let direct = own.iter().filter(|file| !file.path[tests.len()..].contains('/'));
    let missing = direct.filter(|file| !is_run(&file.path));
    missing
        .map(|file| Problem::new(&file.path, 0, "is neither a test target nor a module of one: it is never run"))
        .collect()
}

fn doc_tests(tree: &Tree, folder: &str) -> Vec<Problem> {
    let sources = format!("{folder}src/");
    let mut problems = Vec::new();
    for file in tree.files.iter().filter(|file| file.path.starts_with(&sources) && file.is_rust()) {
        let is_doc = |line: &str| ["/// ```", "//! ```"].iter().any(|start| line.trim_start().starts_with(start));
        if let Some(at) = file.text.lines().position(is_doc) {
            let message = "is an example that no test runs: the manifest says `doctest = false`";
            problems.push(Problem::new(&file.path, at + 1, message));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_nothing_names_is_told() {
        let files = [
            ("crates/a/Cargo.toml", "autotests = false\n[[test]]\nname = \"all\"\n"),
            ("crates/a/tests/all.rs", "mod named;\n"),
            ("crates/a/tests/named.rs", ""),
            ("crates/a/tests/left_out.rs", "mod left_out;"),
            ("crates/a/tests/common/mod.rs", ""),
            ("crates/b/Cargo.toml", ""),
            ("crates/b/tests/found.rs", ""),
        ];
        let problems = check(&Tree::of(&files));
        let paths: Vec<_> = problems.iter().map(|problem| &*problem.file).collect();
        assert_eq!(paths, ["crates/a/tests/left_out.rs"]);
    }

    #[test]
    fn a_doc_test_that_is_not_run_is_told() {
        let files = [
            ("crates/a/Cargo.toml", "[lib]\ndoctest = false\n"),
            ("crates/a/src/lib.rs", "//! A.\n/// ```\n/// a();\n/// ```\nfn a() {}\n"),
            ("crates/b/Cargo.toml", ""),
            ("crates/b/src/lib.rs", "/// ```\n/// b();\n/// ```\n"),
        ];
        let problems = check(&Tree::of(&files));
        let places: Vec<_> = problems.iter().map(|problem| (&*problem.file, problem.line)).collect();
        assert_eq!(places, [("crates/a/src/lib.rs", 2)]);
    }
}
