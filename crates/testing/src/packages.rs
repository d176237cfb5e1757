//! The scripts of `tests/packages`, each of which does real work with one package of npm.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::repository;

/// Where the packages whose scripts do not pass yet are listed.
const LIST: &str = "tests/packages/not-yet.txt";

/// A package, and the script that uses it.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its name: `@jsquash/png`. The script has the same, and an extension.
    pub name: String,
    /// Where the script is.
    pub script: PathBuf,
}

/// The folder into which the packages are installed.
#[must_use]
pub fn folder() -> PathBuf {
    repository().join("tests/packages")
}

impl Package {
    /// All packages, by name.
    ///
    /// # Panics
    /// If the folder of scripts cannot be read.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let scripts = folder().join("scripts");
        let mut packages = Vec::new();
        let mut folders = vec![scripts.clone()];
        while let Some(folder) = folders.pop() {
            let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
            for path in entries.map(|entry| entry.expect("the folder can be read").path()) {
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(&scripts).expect("it was found there").with_extension("");
                    packages.push(Self { name: name.to_str().expect("names are UTF-8").to_owned(), script: path });
                }
            }
        }
        packages.sort_by(|a, b| a.name.cmp(&b.name));
        packages
    }

    /// Whether it is installed.
    #[must_use]
    pub fn is_installed(&self) -> bool {
        folder().join("node_modules").join(&self.name).is_dir()
    }
}

/// Why a script has failed that ended like this; `None` if it has passed: its last line is `ok`.
#[must_use]
pub fn failure(exit_code: Option<i32>, stdout: &str, stderr: &str) -> Option<String> {
    match exit_code {
        None => Some("it did not end".to_owned()),
        Some(0) if stdout.lines().last() == Some("ok") => None,
        Some(0) => Some("it ended before its work was done".to_owned()),
        Some(code) => Some(error_line(stderr).map_or_else(|| format!("exit code {code}"), str::to_owned)),
    }
}

/// The line that says what went wrong, which in a stack comes before the frames.
fn error_line(stderr: &str) -> Option<&str> {
    let lines = || stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let says_error = |line: &&str| {
        line.split_once(':').is_some_and(|(class, _)| class.trim_start_matches("Uncaught ").contains("Error"))
    };
    lines().find(says_error).or_else(|| lines().next_back())
}

/// The packages whose scripts do not pass yet, each with its reason.
#[derive(Debug)]
pub struct NotYet(BTreeMap<String, String>);

impl NotYet {
    /// Reads the list.
    ///
    /// # Errors
    /// When it cannot be read, a line has no reason, or names a package that has no script.
    pub fn read() -> Result<Self, String> {
        let text = std::fs::read_to_string(repository().join(LIST)).map_err(|error| format!("{LIST}: {error}"))?;
        let list = Self::parse(&text)?;
        let known = Package::all();
        match list.0.keys().find(|name| known.iter().all(|package| package.name != **name)) {
            Some(name) => Err(format!("{LIST}: there is no script for {name}")),
            None => Ok(list),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let entry = |line: &str| {
            let (name, reason) = line.split_once(" # ").ok_or(format!("{LIST}: no reason in: {line}"))?;
            Ok((name.to_owned(), reason.to_owned()))
        };
        lines.map(entry).collect::<Result<_, String>>().map(Self)
    }

    /// Whether the package's script ended as the list says.
    ///
    /// # Errors
    /// Says what is not as expected.
    pub fn judge(&self, name: &str, failure: Option<&str>) -> Result<(), String> {
        match (failure, self.0.get(name)) {
            (Some(failure), None) => Err(format!("{name}: {failure}")),
            (None, Some(reason)) => Err(format!("{name}: is expected to fail ({reason}), and does not")),
            _ => Ok(()),
        }
    }
}

/// The version of a package that is installed, as its manifest says.
///
/// # Errors
/// When the manifest cannot be read, or has none.
pub fn version(name: &str) -> Result<String, String> {
    let manifest = folder().join("node_modules").join(name).join("package.json");
    let text = std::fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
    version_in(&text).ok_or_else(|| format!("{}: no version", manifest.display()))
}

/// What follows `"version":`; a manifest has it once at its top.
fn version_in(manifest: &str) -> Option<String> {
    let (_, rest) = manifest.split_once("\"version\":")?;
    let (version, _) = rest.trim_start().strip_prefix('"')?.split_once('"')?;
    Some(version.to_owned())
}

/// A folder in which `node` is another program, for packages that start `node` as a child.
///
/// # Errors
/// When the link cannot be made.
pub fn alias_node(program: &Path, folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::os::unix::fs::symlink(program, folder.join("node"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_passes_that_says_so_at_its_end() {
        assert_eq!(failure(Some(0), "more\nok\n", ""), None);
        assert_eq!(failure(Some(0), "", "").unwrap(), "it ended before its work was done");
        assert_eq!(failure(None, "ok\n", "").unwrap(), "it did not end");
        let stderr = "a.mjs:1\nUncaught TypeError: no\n    at a: 1\n";
        assert_eq!(failure(Some(1), "ok\n", stderr).unwrap(), "Uncaught TypeError: no");
        assert_eq!(failure(Some(3), "", "").unwrap(), "exit code 3");
    }

    #[test]
    fn an_unexpected_pass_fails() {
        let list = NotYet::parse("# a comment\na # why\n").unwrap();
        assert_eq!(list.judge("a", Some("no")), Ok(()));
        assert_eq!(list.judge("a", None), Err("a: is expected to fail (why), and does not".to_owned()));
        assert_eq!(list.judge("b", None), Ok(()));
        assert_eq!(list.judge("b", Some("no")), Err("b: no".to_owned()));
        assert!(NotYet::parse("a\n").is_err());
        NotYet::read().unwrap();
    }

    #[test]
    fn versions_are_read_from_manifests() {
        assert_eq!(version_in("{\n  \"name\": \"a\",\n  \"version\": \"1.2.3\"\n}\n").unwrap(), "1.2.3");
        assert_eq!(version_in("{}"), None);
    }

    #[test]
    fn packages_have_scripts() {
        let names: Vec<_> = Package::all().into_iter().map(|package| package.name).collect();
        assert!(names.contains(&"@jsquash/png".to_owned()) && names.contains(&"sql.js".to_owned()), "{names:?}");
    }
}
