//! Runs the official tests of the WebAssembly JavaScript API (`test/js-api` of the specification and of the threads
//! proposal), which are not part of this repository, and compares the outcome with `tests/js/official.txt`, line by
//! line.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// A stand-in for the tests' own harness: it prints `@PASS NAME` or `@FAIL NAME @@ WHY` for each subtest, then `@END`.
const HARNESS: &str = include_str!("official/testharness.js");

/// Where the subtests that fail are listed.
const LIST: &str = "tests/js/official.txt";

/// How long a file may take; and, below, one that says that it takes long.
const LIMIT: Duration = Duration::from_secs(60);
const LONG_LIMIT: Duration = Duration::from_secs(300);

/// A subtest: the suite, the file and its name.
type Subtest = (String, String, String);

/// A file of a suite.
struct Test {
    suite: String,
    /// Relative to the suite.
    name: String,
    folder: PathBuf,
    source: String,
}

impl Test {
    fn is_long(&self) -> bool {
        self.source.lines().any(|line| line.trim() == "// META: timeout=long")
    }

    /// One script of the harness, what the file asks for, and the file. It is evaluated indirectly, so that it is
    /// sloppy and its declarations are global, like those of scripts in a page.
    fn bundle(&self) -> io::Result<String> {
        let mut parts = vec![HARNESS.to_owned()];
        for script in self.source.lines().filter_map(|line| line.strip_prefix("// META: script=")) {
            let path = match script.trim().strip_prefix("/wasm/jsapi/") {
                Some(path) => self.folder.join(path),
                None => self.folder.join(&self.name).parent().unwrap_or(&self.folder).join(script.trim()),
            };
            parts.push(read(&path)?);
        }
        parts.push(self.source.clone());
        // Rust escapes a string as JavaScript reads it.
        Ok(format!("(0, eval)({:?});\nfinishTests();\n", parts.join("\n;\n")))
    }
}

/// The outcome of a file.
struct Ran {
    /// The subtests, and why one failed.
    subtests: BTreeMap<String, Option<String>>,
    /// Why it did not get to its end, if it did not.
    broken: Option<String>,
}

pub(crate) fn run(suites: &[&str]) -> ExitCode {
    super::report("official", compare(suites))
}

/// Everything that is not as the list says.
fn compare(suites: &[&str]) -> io::Result<Vec<String>> {
    let command = super::command()?;
    let mut tests = Vec::new();
    let mut names = BTreeSet::new();
    for suite in suites {
        let (name, folder) = suite.split_once('=').unwrap_or(("spec", suite));
        names.insert(name);
        tests.extend(find(name, Path::new(folder))?);
    }
    // Files that take long come first, so that they are not left over at the end.
    tests.sort_by_key(|test| !test.is_long());
    let scratch = std::env::temp_dir().join(format!("tombolo-official-{}", std::process::id()));
    fs::create_dir_all(&scratch)?;
    let outcomes = testing::in_parallel(&tests, |at, test| execute(&command, test, &scratch.join(at.to_string())));
    fs::remove_dir_all(&scratch)?;
    let mut ran = Vec::new();
    for (test, outcome) in tests.iter().zip(outcomes) {
        ran.push((test, outcome?));
    }
    let list = parse(&read(&super::tidy::root().join(LIST))?).map_err(io::Error::other)?;
    for name in &names {
        let files: Vec<_> = ran.iter().filter(|(test, _)| test.suite == *name).map(|(_, ran)| ran).collect();
        let subtests: Vec<_> = files.iter().flat_map(|ran| ran.subtests.values()).collect();
        let passed = subtests.iter().filter(|why| why.is_none()).count();
        let whole =
            files.iter().filter(|ran| ran.broken.is_none() && ran.subtests.values().all(Option::is_none)).count();
        println!("{name}: {whole} of {} files pass as a whole, {passed} of {} subtests", files.len(), subtests.len());
    }
    let ran: Vec<_> = ran.into_iter().map(|(test, ran)| (test.suite.as_str(), test.name.as_str(), ran)).collect();
    Ok(judge(&ran, &list, &names))
}

/// The files of a suite, in a checkout or in its `test/js-api`.
fn find(suite: &str, folder: &Path) -> io::Result<Vec<Test>> {
    let inner = folder.join("test/js-api");
    let folder = if inner.is_dir() { inner } else { folder.to_owned() };
    let mut tests = Vec::new();
    let mut folders = vec![folder.clone()];
    while let Some(next) = folders.pop() {
        let entries = fs::read_dir(&next).map_err(|error| named(&next, &error))?;
        for entry in entries {
            let path = entry?.path();
            let name = path.strip_prefix(&folder).unwrap_or(&path).display().to_string();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".any.js") {
                tests.push(Test { suite: suite.to_owned(), name, folder: folder.clone(), source: read(&path)? });
            }
        }
    }
    if tests.is_empty() {
        return Err(io::Error::other(format!("{}: there is no .any.js below it", folder.display())));
    }
    tests.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tests)
}

fn read(path: &Path) -> io::Result<String> {
    fs::read_to_string(path).map_err(|error| named(path, &error))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Runs a file in a process of its own.
fn execute(command: &Path, test: &Test, scratch: &Path) -> io::Result<Ran> {
    let (script, stdout, stderr) =
        (scratch.with_extension("js"), scratch.with_extension("out"), scratch.with_extension("err"));
    fs::write(&script, test.bundle()?)?;
    let mut child = Command::new(command)
        .arg(&script)
        .stdin(Stdio::null())
        .stdout(File::create(&stdout)?)
        .stderr(File::create(&stderr)?)
        .spawn()?;
    let end = Instant::now() + if test.is_long() { LONG_LIMIT } else { LIMIT };
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if Instant::now() > end {
            child.kill()?;
            child.wait()?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let printed = String::from_utf8_lossy(&fs::read(&stdout)?).into_owned();
    let mut ran = parse_output(&printed);
    ran.broken = match status {
        None => Some("it took too long".to_owned()),
        Some(status) if !status.success() || !printed.lines().any(|line| line == "@END") => {
            Some(format!("{status}\n{}", String::from_utf8_lossy(&fs::read(&stderr)?)))
        }
        Some(_) => None,
    };
    Ok(ran)
}

fn parse_output(printed: &str) -> Ran {
    let mut subtests = BTreeMap::new();
    for line in printed.lines() {
        if let Some(name) = line.strip_prefix("@PASS ") {
            // If two have the same name, the one that fails counts.
            subtests.entry(name.to_owned()).or_insert(None);
        } else if let Some(line) = line.strip_prefix("@FAIL ") {
            let (name, why) = line.split_once(" @@ ").unwrap_or((line, "it failed"));
            subtests.insert(name.to_owned(), Some(why.to_owned()));
        }
    }
    Ran { subtests, broken: None }
}

/// The subtests that are expected to fail. A line: `suite: file | subtest # reason`.
fn parse(list: &str) -> Result<BTreeSet<Subtest>, String> {
    let lines = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let entry = |line: &str| {
        let (test, _) = line.rsplit_once(" # ")?;
        let (suite, test) = test.split_once(": ")?;
        let (file, name) = test.split_once(" | ")?;
        Some((suite.to_owned(), file.to_owned(), name.to_owned()))
    };
    let mut entries = BTreeSet::new();
    for line in lines {
        let entry = entry(line).ok_or(format!("{LIST}: not `suite: file | subtest # reason`: {line}"))?;
        if !entries.insert(entry) {
            return Err(format!("{LIST}: twice there: {line}"));
        }
    }
    Ok(entries)
}

fn judge(ran: &[(&str, &str, Ran)], list: &BTreeSet<Subtest>, suites: &BTreeSet<&str>) -> Vec<String> {
    let mut problems = Vec::new();
    let mut unseen: BTreeSet<_> = list.iter().filter(|(suite, ..)| suites.contains(suite.as_str())).collect();
    for (suite, file, ran) in ran {
        if let Some(why) = &ran.broken {
            problems.push(format!("{suite}: {file}: did not get to its end: {why}"));
        }
        for (name, failure) in &ran.subtests {
            let subtest = (suite.to_string(), file.to_string(), name.clone());
            unseen.remove(&subtest);
            match (failure, list.contains(&subtest)) {
                (Some(why), false) => problems.push(format!("{suite}: {file} | {name}: failed: {why}")),
                (None, true) => problems.push(format!("{suite}: {file} | {name}: is expected to fail, and does not")),
                _ => {}
            }
        }
    }
    for (suite, file, name) in unseen {
        problems.push(format!("{suite}: {file} | {name}: there is no such subtest, but {LIST} has it"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(list: &str, printed: &str, broken: Option<&str>) -> Vec<String> {
        let ran = Ran { broken: broken.map(str::to_owned), ..parse_output(printed) };
        judge(&[("spec", "a.any.js", ran)], &parse(list).unwrap(), &BTreeSet::from(["spec"]))
    }

    #[test]
    fn the_list_tells_what_fails_and_nothing_else() {
        let printed = "@PASS one\n@FAIL two: # @@ why\n@END\n";
        let listed = "spec: a.any.js | two: # # its reason\n";
        assert_eq!(problems(listed, printed, None), [""; 0]);
        assert_eq!(problems("", printed, None), ["spec: a.any.js | two: #: failed: why"]);
        let too_much = format!("{listed}spec: a.any.js | one # a reason\nspec: b.any.js | gone # a reason\n");
        assert_eq!(
            problems(&too_much, printed, None),
            [
                "spec: a.any.js | one: is expected to fail, and does not",
                "spec: b.any.js | gone: there is no such subtest, but tests/js/official.txt has it",
            ]
        );
        // Lines about a suite that is not run are ignored.
        assert_eq!(problems(&format!("{listed}threads: a.any.js | x # a reason\n"), printed, None), [""; 0]);
    }

    #[test]
    fn of_two_subtests_with_one_name_the_failure_counts() {
        for printed in ["@PASS one\n@FAIL one @@ why\n", "@FAIL one @@ why\n@PASS one\n"] {
            assert_eq!(problems("", printed, None), ["spec: a.any.js | one: failed: why"]);
        }
    }

    #[test]
    fn a_file_that_breaks_off_is_told() {
        assert_eq!(problems("", "@PASS one\n", Some("x")), ["spec: a.any.js: did not get to its end: x"]);
    }

    #[test]
    fn a_line_without_a_reason_or_twice_is_refused() {
        assert!(parse("spec: a.any.js | one\n").is_err());
        assert!(parse("spec: a.any.js | one # a\nspec: a.any.js | one # b\n").is_err());
        parse(&read(&crate::tidy::root().join(LIST)).unwrap()).unwrap();
    }
}
