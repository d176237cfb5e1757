//! Figures about the workspace's Rust code: how long its files are, which of them import each other in a circle, how
//! much of it is unsafe, and which names mean two things.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::rust_source::{Module, code_only, module_items, module_of, without_tests};
use crate::tidy::{File, Tree};

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    /// The lines of each Rust file, in ascending order.
    lines: Vec<usize>,
    unsafe_blocks: usize,
    unsafe_impls: usize,
    files_with_unsafe: usize,
    /// By crate: how many source files it has, and which of them are in each circle, the largest first.
    circles: BTreeMap<String, (usize, Vec<Vec<Module>>)>,
    /// The types and traits that several crates define, and these crates.
    shared_names: BTreeMap<String, BTreeSet<String>>,
}

impl Figures {
    pub(crate) fn of(tree: &Tree) -> Self {
        let mut figures = Self::default();
        let mut crates: BTreeMap<String, BTreeMap<Module, String>> = BTreeMap::new();
        for file in tree.files.iter().filter(|file| file.path.ends_with(".rs")) {
            let code = code_only(&file.text);
            figures.lines.push(file.text.lines().count());
            let (blocks, others) = unsafe_words(&code);
            figures.unsafe_blocks += blocks;
            figures.unsafe_impls += others.iter().filter(|word| **word == "impl").count();
            figures.files_with_unsafe += usize::from(blocks + others.len() > 0);
            if let Some((name, module)) = source(file) {
                crates.entry(name).or_default().insert(module, without_tests(&code).to_owned());
            }
        }
        figures.lines.sort_unstable();
        let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (name, modules) in &crates {
            figures.circles.insert(name.clone(), (modules.len(), circles(modules)));
            for defined in modules.values().flat_map(|code| defined_names(code)) {
                names.entry(defined.to_owned()).or_default().insert(name.clone());
            }
        }
        figures.shared_names = names.into_iter().filter(|(_, crates)| crates.len() > 1).collect();
        figures
    }

    /// The number of lines that so many percent of the files do not exceed.
    fn percentile(&self, percent: usize) -> usize {
        let at = (self.lines.len() * percent).div_ceil(100).saturating_sub(1);
        self.lines.get(at).copied().unwrap_or(0)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = [
            ("Rust files", self.lines.len()),
            ("lines of a file, median", self.percentile(50)),
            ("lines of a file, 90th percentile", self.percentile(90)),
            ("lines of a file, most", self.percentile(100)),
            ("unsafe blocks", self.unsafe_blocks),
            ("unsafe impls", self.unsafe_impls),
            ("files with unsafe", self.files_with_unsafe),
            ("names that several crates define", self.shared_names.len()),
        ];
        for (what, number) in rows {
            writeln!(f, "{what:<34}{number:>7}")?;
        }
        writeln!(f, "\n{:<20}{:>7}  files in circles of imports", "crate", "files")?;
        for (name, (files, circles)) in &self.circles {
            let circles: Vec<_> = circles.iter().map(|circle| circle.len().to_string()).collect();
            writeln!(f, "{}", format!("{name:<20}{files:>7}  {}", circles.join(" ")).trim_end())?;
        }
        writeln!(f, "\n{:<20}modules in one circle", "crate")?;
        for (name, (_, circles)) in &self.circles {
            for circle in circles {
                let modules: Vec<_> = circle.iter().map(path).collect();
                writeln!(f, "{name:<20}{}", modules.join(" "))?;
            }
        }
        writeln!(f, "\n{:<20}crates that define it", "name")?;
        for (name, crates) in &self.shared_names {
            writeln!(f, "{name:<20}{}", crates.iter().cloned().collect::<Vec<_>>().join(" "))?;
        }
        Ok(())
    }
}

fn path(module: &Module) -> String {
    if module.is_empty() { "crate".to_owned() } else { module.join("::") }
}

/// How many blocks are unsafe, and the words that follow every other `unsafe`.
fn unsafe_words(code: &str) -> (usize, Vec<&str>) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let (mut blocks, mut others) = (0, Vec::new());
    for (at, found) in code.match_indices("unsafe") {
        let rest = &code[at + found.len()..];
        if code[..at].ends_with(is_word) || rest.starts_with(is_word) {
            continue;
        }
        let rest = rest.trim_start();
        match rest.starts_with('{') {
            true => blocks += 1,
            false => others.push(rest.split(|c| !is_word(c)).next().unwrap_or(rest)),
        }
    }
    (blocks, others)
}

/// The crate whose source the file is part of, by its folder, and the module that it is there.
fn source(file: &File) -> Option<(String, Module)> {
    let (folder, path) = file.path.split_once("/src/")?;
    Some((folder.rsplit('/').next()?.to_owned(), module_of(path)))
}

/// The types and traits that a module defines, except those in its functions and in modules inside it.
fn defined_names(code: &str) -> impl Iterator<Item = &str> {
    code.lines().filter_map(|line| {
        let line = match line.strip_prefix("pub") {
            Some(rest) => rest.trim_start_matches(|c: char| c != ' ').trim_start(),
            None => line,
        };
        let line = line.strip_prefix("unsafe ").unwrap_or(line);
        let name = ["struct ", "enum ", "union ", "trait ", "type "].iter().find_map(|kind| line.strip_prefix(kind))?;
        name.split(|c: char| !c.is_alphanumeric() && c != '_').next()
    })
}

/// The modules in each circle of imports, the largest first.
fn circles(modules: &BTreeMap<Module, String>) -> Vec<Vec<Module>> {
    let uses: BTreeMap<_, _> =
        modules.iter().map(|(module, code)| (module, module_items(code, module, modules))).collect();
    // A name that a module imports and hands on is imported from where it is defined.
    let resolve = |path: &[String]| {
        let mut path = path.to_vec();
        // Limited, since two modules may import a name from each other.
        for _ in 0..8 {
            let (module, rest) = (0..=path.len())
                .rev()
                .find_map(|len| modules.contains_key(&path[..len]).then(|| (&path[..len], &path[len..])))?;
            let other = rest.first().and_then(|name| uses[&module.to_vec()].imports.get(name));
            match other {
                Some(other) if !other.starts_with(&path) => path = [other, &rest[1..]].concat(),
                _ => return Some(module.to_vec()),
            }
        }
        None
    };
    let edges: BTreeMap<&Module, BTreeSet<Module>> = uses
        .iter()
        .map(|(module, items)| (*module, items.paths.iter().filter_map(|path| resolve(path)).collect()))
        .collect();
    let reached: BTreeMap<_, _> = edges.keys().map(|module| (*module, reachable(&edges, module))).collect();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for (module, targets) in &reached {
        let circle: Vec<Module> =
            targets.iter().filter(|other| reached[*other].contains(*module)).map(|other| other.to_vec()).collect();
        if circle.len() > 1 && seen.insert(circle[0].clone()) {
            found.push(circle);
        }
    }
    found.sort_by_key(|circle: &Vec<Module>| std::cmp::Reverse(circle.len()));
    found
}

/// The modules that `from` imports, and those that they import, and so on.
fn reachable<'e>(edges: &'e BTreeMap<&Module, BTreeSet<Module>>, from: &'e Module) -> BTreeSet<&'e Module> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(next) = open.pop() {
        open.extend(edges[next].iter().filter(|target| found.insert(*target)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_tree() {
        let tree = Tree::of(&[
            ("crates/a/src/lib.rs", "mod low;\nmod high;\npub use low::Low;\npub trait Shared {}\n"),
            ("crates/a/src/low.rs", "use crate::high::deep::f;\npub struct Low;\nunsafe impl Send for Low {}\n"),
            ("crates/a/src/high/mod.rs", "pub(crate) mod deep;\nuse crate::Low;\npub(crate) enum Kind {}\n"),
            ("crates/a/src/high/deep.rs", "fn f() { unsafe { super::g() } }\nstruct Low2;\n"),
            ("crates/b/src/lib.rs", "struct Kind;\n#[cfg(test)]\nmod tests {\n    use crate::x;\n}\n"),
            ("crates/b/src/x.rs", "use super::Kind;\nunsafe trait Shared {}\n// unsafe {}\n"),
            ("crates/b/tests/all.rs", "struct Low;\n\n\n\n\n\n\n\n\n"),
            ("crates/b/src/text.js", "unsafe {}"),
        ]);
        let figures = Figures::of(&tree);
        assert_eq!(figures.lines, [2, 3, 3, 3, 4, 5, 9]);
        assert_eq!((figures.percentile(50), figures.percentile(90), figures.percentile(100)), (3, 9, 9));
        assert_eq!((figures.unsafe_blocks, figures.unsafe_impls, figures.files_with_unsafe), (1, 1, 3));
        // `low` has something of `deep`, that of `high`, and that of `low`, through the root, which is not in the
        // circle.
        let circle = ["high/mod.rs", "high/deep.rs", "low.rs"].map(module_of);
        let circles = BTreeMap::from([("a".to_owned(), (4, vec![circle.to_vec()])), ("b".to_owned(), (2, vec![]))]);
        assert_eq!(figures.circles, circles);
        let names: Vec<_> = figures.shared_names.keys().map(String::as_str).collect();
        assert_eq!(names, ["Kind", "Shared"]);
        let printed = figures.to_string();
        for line in [
            "unsafe impls                            1",
            "a                         4  3",
            "a                   high high::deep low",
            "Kind                a b",
        ] {
            assert!(printed.lines().any(|printed| printed == line), "{line:?} in:\n{printed}");
        }
    }

    #[test]
    fn an_empty_tree_has_figures_too() {
        assert_eq!(Figures::of(&Tree::default()).percentile(50), 0);
    }

    #[test]
    fn two_circles_and_one_module_that_names_itself() {
        let modules = |files: &[(&str, &str)]| -> BTreeMap<Module, String> {
            files.iter().map(|(path, code)| (module_of(path), code.to_string())).collect()
        };
        let two = modules(&[
            ("lib.rs", "mod a; mod b; mod c; mod d; mod e;"),
            ("a.rs", "use crate::{b::{self, x}, e};"),
            ("b.rs", "fn f() -> crate::a::T { crate::b::g() }"),
            ("c.rs", "use super::d::y as z;"),
            ("d.rs", "pub use crate::c;"),
            ("e.rs", "use self::inner::T; fn f() { crate::e::g(); }"),
        ]);
        let names: Vec<_> = circles(&two).iter().map(|circle| circle.concat().join(" ")).collect();
        assert_eq!(names, ["a b", "c d"]);
        let mutual = modules(&[("a.rs", "pub use crate::b::T;"), ("b.rs", "pub use crate::a::T;"), ("lib.rs", "")]);
        assert!(circles(&mutual).is_empty());
    }
}
