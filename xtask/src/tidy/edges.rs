//! Workspace crates depend on each other as the table in docs/inventory.md says. Crates are called by their folders. A
//! dependency that only tests, benchmarks and examples use is not an edge.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use crate::document::{code_spans, table};

use super::{INVENTORY, Problem, Tree};

/// The heading above the table.
const HEADING: &str = "Dependency edges";

type Edges = BTreeMap<String, BTreeSet<String>>;

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let Some(rows) = table(tree.inventory(), HEADING) else {
        return vec![Problem::new(INVENTORY, 0, format!("there is no table under the heading \"{HEADING}\""))];
    };
    let built = match read_manifests(tree) {
        Ok(built) => built,
        Err(problem) => return vec![problem],
    };
    let mut problems = Vec::new();
    let mut missing: BTreeSet<_> = built.keys().collect();
    for row in &rows {
        let names = |cell: Option<&String>| -> Vec<String> {
            code_spans(cell.map_or("", |cell| cell)).into_iter().map(str::to_string).collect()
        };
        let [name] = &names(row.cells.first())[..] else {
            problems.push(Problem::new(INVENTORY, row.line, "the first cell must name one crate"));
            continue;
        };
        missing.remove(name);
        let Some(actual) = built.get(name) else {
            problems.push(Problem::new(INVENTORY, row.line, format!("there is no crate `{name}`")));
            continue;
        };
        let told: BTreeSet<_> = names(row.cells.get(1)).into_iter().collect();
        for target in actual.difference(&told) {
            let message = format!("`{name}` depends on `{target}`, which the table does not allow");
            problems.push(Problem::new(INVENTORY, row.line, message));
        }
        for target in told.difference(actual) {
            let message = format!("`{name}` does not depend on `{target}`, whatever the table says");
            problems.push(Problem::new(INVENTORY, row.line, message));
        }
    }
    for name in missing {
        problems.push(Problem::new(INVENTORY, 0, format!("the table of dependency edges has no row for `{name}`")));
    }
    problems
}

/// The edges that the manifests make.
fn read_manifests(tree: &Tree) -> Result<Edges, Problem> {
    let parse = |path: &str, text: &str| {
        text.parse::<Table>().map_err(|error| Problem::new(path, 0, format!("is not TOML: {}", error.message())))
    };
    let root = parse("Cargo.toml", tree.text("Cargo.toml").unwrap_or_default())?;
    let shared = root.get("workspace").and_then(|workspace| workspace.get("dependencies")).and_then(Value::as_table);
    let mut edges = Edges::new();
    for file in &tree.files {
        let Some(folder) = file.path.strip_suffix("/Cargo.toml") else { continue };
        let manifest = parse(&file.path, &file.text)?;
        let mut targets = BTreeSet::new();
        for dependencies in dependency_tables(&manifest) {
            for (name, given) in dependencies {
                let given = match given.get("workspace").and_then(Value::as_bool) {
                    Some(true) => shared.and_then(|shared| shared.get(name)),
                    _ => Some(given),
                };
                let path = given.and_then(|given| given.get("path")).and_then(Value::as_str);
                targets.extend(path.map(|path| last(path).to_string()));
            }
        }
        edges.insert(last(folder).to_string(), targets);
    }
    Ok(edges)
}

/// What a crate is built from, on any target.
fn dependency_tables(manifest: &Table) -> Vec<&Table> {
    const KINDS: [&str; 2] = ["dependencies", "build-dependencies"];
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let places = std::iter::once(manifest).chain(targets.filter_map(Value::as_table));
    places.flat_map(|place| KINDS.iter().filter_map(|kind| place.get(*kind)?.as_table())).collect()
}

fn last(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKSPACE: &str =
        "[workspace.dependencies]\nlow = { package = \"x-low\", path = \"crates/low\" }\nlibc = \"1\"";
    const LOW: &str = "[dependencies]\nlibc.workspace = true\n[dev-dependencies]\nhigh = { path = \"../high\" }";
    const HIGH: &str = "[dependencies]\nlow.workspace = true\n[target.'cfg(unix)'.dependencies]\nlibc = \"1\"";

    fn check(table: &str, high: &str) -> Vec<String> {
        let text = format!("## Dependency edges\n\n| crate | depends on |\n| --- | --- |\n{table}");
        let manifests = [("Cargo.toml", WORKSPACE), ("crates/low/Cargo.toml", LOW), ("crates/high/Cargo.toml", high)];
        let tree = Tree::of(&[&manifests[..], &[(INVENTORY, &text)]].concat());
        super::check(&tree).iter().map(Problem::to_string).collect()
    }

    #[test]
    fn a_true_table_passes() {
        assert_eq!(check("| `low` | – |\n| `high` | `low` |", HIGH), [""; 0]);
    }

    #[test]
    fn an_edge_too_many_or_too_few_is_told() {
        let problems = check("| `low` | `high` |\n| `high` | |", HIGH);
        assert_eq!(
            problems,
            [
                "docs/inventory.md:5: `low` does not depend on `high`, whatever the table says",
                "docs/inventory.md:6: `high` depends on `low`, which the table does not allow",
            ]
        );
        let problems = check("| `low` | |\n| `high` | `low` |", "[build-dependencies]\nlow = { path = \"../low\" }\n");
        assert_eq!(problems, [""; 0]);
    }

    #[test]
    fn every_crate_has_a_row_and_every_row_a_crate() {
        let problems = check("| `low` | |\n| `middle` | |\n| words | |", HIGH);
        assert_eq!(
            problems,
            [
                "docs/inventory.md:6: there is no crate `middle`",
                "docs/inventory.md:7: the first cell must name one crate",
                "docs/inventory.md: the table of dependency edges has no row for `high`",
            ]
        );
    }

    #[test]
    fn a_missing_table_and_a_broken_manifest_are_told() {
        assert_eq!(super::check(&Tree::of(&[(INVENTORY, "")])).len(), 1);
        assert!(check("| `low` | |", "[dependencies")[0].starts_with("crates/high/Cargo.toml: is not TOML: "));
    }
}
