//! No file has more than 800 lines except those that docs/inventory.md lists with a reason.

use std::collections::BTreeMap;

use crate::document::{code_spans, table};

use super::{INVENTORY, Problem, Tree};

/// The heading above the table: file, reason.
const HEADING: &str = "Files above 800 lines";

const LIMIT: usize = 800;

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut listed = BTreeMap::new();
    for row in table(tree.inventory(), HEADING).unwrap_or_default() {
        let name = code_spans(row.cells.first().map_or("", |cell| cell)).first().map(|name| name.to_string());
        match name.filter(|_| row.cells.get(1).is_some_and(|reason| !reason.is_empty())) {
            Some(name) => drop(listed.insert(name, row.line)),
            None => problems.push(Problem::new(INVENTORY, row.line, "an exception names a file and gives a reason")),
        }
    }
    for file in &tree.files {
        let lines = file.text.lines().count();
        let listing = listed.remove(&file.path);
        match listing {
            None if lines > LIMIT => {
                let message = format!("has {lines} lines, more than {LIMIT}: divide it, or say in {INVENTORY} why not");
                problems.push(Problem::new(&file.path, 0, message));
            }
            Some(line) if lines <= LIMIT => {
                let message = format!("`{}` has {lines} lines and needs no exception", file.path);
                problems.push(Problem::new(INVENTORY, line, message));
            }
            _ => {}
        }
    }
    for (name, line) in listed {
        problems.push(Problem::new(INVENTORY, line, format!("`{name}` is an exception and does not exist")));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(table: &str, lines: usize) -> Vec<String> {
        let text = format!("## Files above 800 lines\n| file | why |\n| --- | --- |\n{table}");
        let tree = Tree::of(&[("a.rs", &*"\n".repeat(lines)), (INVENTORY, &text)]);
        super::check(&tree).iter().map(Problem::to_string).collect()
    }

    #[test]
    fn eight_hundred_lines_are_enough() {
        assert_eq!(check("", 800), [""; 0]);
        let problem = "a.rs: has 801 lines, more than 800: divide it, or say in docs/inventory.md why not";
        assert_eq!(check("", 801), [problem]);
    }

    #[test]
    fn an_exception_needs_a_reason_and_a_long_file() {
        assert_eq!(check("| `a.rs` | because |", 801), [""; 0]);
        assert_eq!(check("| `a.rs` | |", 801)[0], "docs/inventory.md:4: an exception names a file and gives a reason");
        assert_eq!(
            check("| `a.rs` | because |", 9),
            ["docs/inventory.md:4: `a.rs` has 9 lines and needs no exception"]
        );
        assert_eq!(
            check("| `b.rs` | because |", 9),
            ["docs/inventory.md:4: `b.rs` is an exception and does not exist"]
        );
    }
}
