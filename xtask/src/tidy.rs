//! The checks behind `xtask tidy`. Each is a function of what [`Tree`] read, so that tests can show that it fails.

mod edges;
mod module_docs;
mod paths;
mod sizes;
mod tests_run;
mod unsafe_code;

use std::fmt;
use std::path::{Path, PathBuf};

/// Something that is not as it should be, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    file: String,
    /// From 1; 0 if the problem is about the whole file.
    line: usize,
    message: String,
}

impl Problem {
    pub(crate) fn new(file: &str, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.to_string(), line, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.message),
            line => write!(f, "{}:{line}: {}", self.file, self.message),
        }
    }
}

/// A text file of the workspace.
#[derive(Debug)]
pub(crate) struct File {
    /// From the workspace's root, with slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

/// The workspace as the checks see it.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Every text file that somebody wrote.
    pub(crate) files: Vec<File>,
    /// Every path that exists, including folders.
    pub(crate) paths: Vec<String>,
}

const ARCHITECTURE: &str = "ARCHITECTURE.md";
const README: &str = "README.md";
const SECURITY: &str = "SECURITY.md";

/// The document whose tables the checks read.
const INVENTORY: &str = "docs/inventory.md";

/// The endings of files that are read. Others (expected output, guests' binaries) are not edited line by line.
const TEXT: [&str; 9] = ["rs", "toml", "md", "js", "mjs", "c", "wat", "sh", "txt"];

impl Tree {
    /// Reads everything below `root` except what builds left there.
    pub(crate) fn read(root: &Path) -> std::io::Result<Self> {
        let mut tree = Self::default();
        tree.read_folder(root, "")?;
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(tree)
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> std::io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if ["target", "node_modules", ".git"].contains(&&*name) {
                continue;
            }
            let path = format!("{prefix}{name}");
            if entry.file_type()?.is_dir() {
                self.read_folder(&entry.path(), &format!("{path}/"))?;
            } else if TEXT.iter().any(|ending| path.ends_with(&format!(".{ending}"))) {
                // A file that goes while this runs is somebody's temporary file.
                let Ok(text) = std::fs::read_to_string(entry.path()) else { continue };
                self.files.push(File { path: path.clone(), text });
            }
            self.paths.push(path);
        }
        Ok(())
    }

    fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path).map(|file| &*file.text)
    }

    fn inventory(&self) -> &str {
        self.text(INVENTORY).unwrap_or_default()
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let file = |&(path, text): &(&str, &str)| File { path: path.to_string(), text: text.to_string() };
        let folders = files.iter().flat_map(|(path, _)| path.match_indices('/').map(|(at, _)| path[..at].to_string()));
        let paths = files.iter().map(|(path, _)| path.to_string()).chain(folders).collect();
        Self { files: files.iter().map(file).collect(), paths }
    }
}

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All checks.
pub(crate) fn check(tree: &Tree) -> Vec<Problem> {
    let checks = [paths::check, edges::check, unsafe_code::check, module_docs::check, sizes::check, tests_run::check];
    checks.into_iter().flat_map(|check| check(tree)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_tidy() {
        let problems = check(&Tree::read(&root()).unwrap());
        let lines: Vec<_> = problems.iter().map(Problem::to_string).collect();
        assert!(lines.is_empty(), "{} problems:\n{}", lines.len(), lines.join("\n"));
    }

    #[test]
    fn a_tree_without_its_documents_is_not() {
        assert!(!check(&Tree::default()).is_empty());
    }
}
