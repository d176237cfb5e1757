//! Every Rust file begins with `//!`: what it is for comes first.

use super::{Problem, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let bare = tree.files.iter().filter(|file| file.is_rust() && !file.text.starts_with("//!"));
    bare.map(|file| Problem::new(&file.path, 1, "a Rust file begins with `//!` and says what it is for")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_that_does_not_say_what_it_is_for_is_told() {
        let files = [("a.rs", "//! Says so.\n"), ("b.rs", "use a;\n//! Too late."), ("c.rs", ""), ("d.js", "let d;")];
        let problems = check(&Tree::of(&files));
        let paths: Vec<_> = problems.iter().map(|problem| &*problem.file).collect();
        assert_eq!(paths, ["b.rs", "c.rs"]);
    }
}
