//! Compares what a script printed with the list of what does not pass yet.

use std::collections::BTreeMap;

use crate::repository;

/// How a script's run went.
#[derive(Debug, Default)]
pub struct Ran {
    /// What it printed.
    pub stdout: String,
    /// Whether it ended by itself, and with what exit code. `None` if it did not.
    pub exit_code: Option<i32>,
    /// What to show of it if it fails.
    pub report: String,
}

impl Ran {
    /// What failed, by the names that the list uses: `SCRIPT: TEST` for a test, `SCRIPT` for a script that did not end
    /// well.
    fn failures(&self, script: &str) -> Vec<String> {
        let tests = self.stdout.lines().filter_map(|line| line.strip_prefix("not ok "));
        let mut failures: Vec<_> = tests.map(|line| format!("{script}: {}", test_name(line))).collect();
        // The harness prints `3 passed, 0 failed`; a script that needs none prints `ok` or `ok: what was shown`.
        let last = self.stdout.lines().last().unwrap_or("");
        let closes = last.ends_with(" failed") || last == "ok" || last.starts_with("ok: ");
        if !closes || self.exit_code != Some(i32::from(!failures.is_empty())) {
            failures.push(script.to_owned());
        }
        failures
    }
}

/// The name in `not ok NAME: ERROR`. Names may contain colons: the first colon that an error's class follows ends the
/// name.
fn test_name(line: &str) -> &str {
    let end = line.match_indices(": ").find(|(at, _)| is_error(&line[at + 2..])).map_or(line.len(), |(at, _)| at);
    &line[..end]
}

/// Whether `text` begins as a failure does: with an error's class and a colon, or with a thrown value.
fn is_error(text: &str) -> bool {
    let class = text.split(':').next().unwrap_or("");
    text.starts_with("threw ") || class.ends_with("Error") && class.chars().all(char::is_alphanumeric)
}

/// The tests that do not pass yet, each with its reason.
#[derive(Debug)]
pub(crate) struct NotYet(BTreeMap<String, String>);

impl NotYet {
    /// A line of it is `tests/js/FOLDER/FILE.mjs: TEST # REASON`, or the same without the test for a script that fails
    /// as a whole.
    pub(crate) const FILE: &str = "tests/js/not-yet.txt";

    pub(crate) fn read() -> Result<Self, String> {
        let text = std::fs::read_to_string(repository().join(Self::FILE));
        Self::parse(&text.map_err(|error| format!("{}: {error}", Self::FILE))?)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let entries = lines.map(|line| {
            let (test, reason) = line.split_once(" # ").ok_or(format!("{}: no reason in: {line}", Self::FILE))?;
            Ok((test.to_owned(), reason.to_owned()))
        });
        entries.collect::<Result<_, String>>().map(Self)
    }

    /// The lines about a script.
    fn about(&self, script: &str) -> impl Iterator<Item = (&String, &String)> {
        let of_tests = format!("{script}: ");
        self.0.iter().filter(move |(test, _)| *test == script || test.starts_with(&of_tests))
    }

    /// Whether exactly those tests failed that the list names.
    pub(crate) fn judge(&self, script: &str, ran: &Ran) -> Result<(), String> {
        let failures = ran.failures(script);
        let mut problems = Vec::new();
        for failure in &failures {
            if !self.0.contains_key(failure) {
                problems.push(format!("{failure}: failed"));
            }
        }
        for (test, reason) in self.about(script) {
            if !failures.contains(test) {
                problems.push(format!("{test}: is expected to fail ({reason}), and does not"));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(format!("{}\n{}", problems.join("\n"), ran.report)) }
    }

    /// Checks that the list names scripts that exist: a line about a script that is gone would never be looked at.
    pub(crate) fn names_scripts_that_exist(&self) -> Result<(), String> {
        let is_there = |test: &str| {
            test.split_once(".mjs").is_some_and(|(stem, _)| repository().join(format!("{stem}.mjs")).is_file())
        };
        let gone: Vec<_> = self.0.keys().filter(|test| !is_there(test)).map(String::as_str).collect();
        if gone.is_empty() { Ok(()) } else { Err(format!("there is no such script:\n{}", gone.join("\n"))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(list: &str, stdout: &str, exit_code: Option<i32>) -> Result<(), String> {
        let ran = Ran { stdout: stdout.to_owned(), exit_code, report: "the report".to_owned() };
        NotYet::parse(list).and_then(|list| list.judge("a.mjs", &ran))
    }

    #[test]
    fn a_script_passes_that_closes_well() {
        for (stdout, exit_code, passes) in [
            ("ok one\n1 passed, 0 failed\n", Some(0), true),
            ("ok: what was claimed\n", Some(0), true),
            ("10 agents\nok\n", Some(0), true),
            ("ok one\n", Some(0), false),
            ("", Some(0), false),
            ("ok one\n1 passed, 0 failed\nmore\n", Some(0), false),
            ("1 passed, 0 failed\n", Some(1), false),
            ("1 passed, 0 failed\n", None, false),
            ("NOT OK: what was claimed\n", Some(1), false),
        ] {
            assert_eq!(judge("", stdout, exit_code).is_ok(), passes, "{stdout:?} {exit_code:?}");
        }
    }

    #[test]
    fn failures_are_told_by_the_names_of_tests() {
        let stdout = "not ok a: b: TypeError: c: d\nok two\nnot ok three: threw 1\n1 passed, 2 failed\n";
        assert_eq!(judge("", stdout, Some(1)), Err("a.mjs: a: b: failed\na.mjs: three: failed\nthe report".to_owned()));
        assert_eq!(judge("a.mjs: a: b # why\na.mjs: three # why\n", stdout, Some(1)), Ok(()));
        // The exit code tells of failures if no test does.
        assert_eq!(judge("a.mjs # why\n", "NOT OK: claimed\n", Some(1)), Ok(()));
        assert!(judge("a.mjs: a: b # why\na.mjs: three # why\n", stdout, Some(0)).is_err());
    }

    #[test]
    fn an_unexpected_pass_fails() {
        let passes = "ok one\n1 passed, 0 failed\n";
        for list in ["a.mjs: one # never\n", "a.mjs # never\n"] {
            assert!(judge(list, passes, Some(0)).unwrap_err().contains("is expected to fail (never), and does not"));
        }
        assert_eq!(judge("ab.mjs: one # of another script\n", passes, Some(0)), Ok(()));
    }

    #[test]
    fn the_list_has_reasons_and_scripts_that_exist() {
        assert!(NotYet::parse("a.mjs: one\n").is_err());
        let gone = NotYet::parse("tests/js/wasm/gone.mjs: one # why\n").unwrap();
        assert!(gone.names_scripts_that_exist().is_err());
        let there = NotYet::parse("tests/js/wasm/table.mjs: one # why\n").unwrap();
        assert_eq!(there.names_scripts_that_exist(), Ok(()));
    }
}
