//! `unsafe` occurs in the files that docs/inventory.md lists, and only there.

use std::collections::BTreeSet;

use crate::document::{code_spans, table};
use crate::rust_source::{code_only, lines_with};

use super::{INVENTORY, Problem, Tree};

/// The heading above the table, whose first column names files.
const HEADING: &str = "Files with unsafe code";

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let Some(rows) = table(tree.inventory(), HEADING) else {
        return vec![Problem::new(INVENTORY, 0, format!("there is no table under the heading \"{HEADING}\""))];
    };
    let mut problems = Vec::new();
    let mut listed = BTreeSet::new();
    for row in &rows {
        let names = code_spans(row.cells.first().map_or("", |cell| cell));
        if names.is_empty() || row.cells.get(1).is_none_or(String::is_empty) {
            problems.push(Problem::new(INVENTORY, row.line, "a row must name files and say what their unsafe is for"));
        }
        listed.extend(names.into_iter().map(|name| (name, row.line)));
    }
    for file in tree.files.iter().filter(|file| file.is_rust()) {
        let lines = lines_with(&code_only(&file.text), "unsafe");
        let listing = listed.iter().find(|(name, _)| *name == file.path).copied();
        match (lines.first(), listing) {
            (Some(&line), None) => {
                let message = format!("`unsafe` in a file that {INVENTORY} does not list for it");
                problems.push(Problem::new(&file.path, line, message));
            }
            (None, Some((_, line))) => {
                let message = format!("`{}` is listed for unsafe code and has none", file.path);
                problems.push(Problem::new(INVENTORY, line, message));
            }
            (_, Some(listing)) => drop(listed.remove(&listing)),
            _ => {}
        }
        if let Some(listing) = listing {
            listed.remove(&listing);
        }
    }
    for (name, line) in listed {
        problems.push(Problem::new(INVENTORY, line, format!("`{name}` is listed for unsafe code and does not exist")));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(table: &str, sources: &[(&str, &str)]) -> Vec<String> {
        let text = format!("## Files with unsafe code\n| file | why |\n| --- | --- |\n{table}");
        let tree = Tree::of(&[sources, &[(INVENTORY, &text)]].concat());
        super::check(&tree).iter().map(Problem::to_string).collect()
    }

    #[test]
    fn a_true_list_passes() {
        let sources = [("a.rs", "//! unsafe\nunsafe impl Send for A {}"), ("b.rs", "fn f() { g(\"unsafe\") }")];
        assert_eq!(check("| `a.rs` | reasons |", &sources), [""; 0]);
    }

    #[test]
    fn a_file_that_is_not_listed_may_have_none() {
        let problems = check("| `a.rs` | reasons |", &[("a.rs", "unsafe {}"), ("b.rs", "\nunsafe {}")]);
        assert_eq!(problems, ["b.rs:2: `unsafe` in a file that docs/inventory.md does not list for it"]);
    }

    #[test]
    fn a_list_that_says_too_much_is_wrong_too() {
        let problems =
            check("| `a.rs` `c.rs` | reasons |\n| `b.rs` | |", &[("a.rs", "fn f() {}"), ("b.rs", "unsafe {}")]);
        assert_eq!(
            problems,
            [
                "docs/inventory.md:5: a row must name files and say what their unsafe is for",
                "docs/inventory.md:4: `a.rs` is listed for unsafe code and has none",
                "docs/inventory.md:4: `c.rs` is listed for unsafe code and does not exist",
            ]
        );
        assert_eq!(super::check(&Tree::of(&[(INVENTORY, "")])).len(), 1);
    }
}
