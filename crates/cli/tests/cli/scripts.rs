//! Every script of tests/js that needs the whole runtime, each in a process of its own. What is expected to fail is
//! listed with a reason, and breaks the run when it passes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::harness::{Outcome, Run, repository};

/// Modules that scripts share.
const HELPERS: [&str; 5] = ["load.mjs", "vocabulary.mjs", "common.mjs", "support.mjs", "spawn.mjs"];

fn folder(name: &str) -> PathBuf {
    repository().join("tests/js").join(name)
}

/// The expected failures of a folder: `folder/file.mjs: test name # reason`, or `folder/file.mjs # reason` for a script
/// that fails as a whole.
fn expected_failures(name: &str) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(folder("runtime/expected-failures.txt")).expect("the list is there");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let entries = lines.map(|line| {
        let (test, reason) = line.split_once(" # ").unwrap_or_else(|| panic!("a line without reason: {line}"));
        (test.to_string(), reason.to_string())
    });
    entries.filter(|(test, _)| test.starts_with(&format!("{name}/"))).collect()
}

fn scripts(name: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder(name)).expect("the folder is there");
    let names = entries.map(|entry| entry.expect("it can be read").file_name().into_string().expect("a name in UTF-8"));
    let mut names: Vec<_> = names.filter(|n| n.ends_with(".mjs") && !HELPERS.contains(&n.as_str())).collect();
    names.sort();
    assert!(!names.is_empty(), "{name} has scripts");
    names
}

/// Runs every script of the folder; `judge` tells what failed in one, by the names that the list uses.
fn run_folder(name: &str, options: &[&str], judge: impl Fn(&str, &Outcome) -> Vec<String>) {
    let mut expected = expected_failures(name);
    let mut failures = Vec::new();
    for script in scripts(name) {
        let path = folder(name).join(&script);
        let args = options.iter().map(|option| option.to_string()).chain([path.to_string_lossy().into_owned()]);
        let outcome = Run::new(&folder(name), args).outcome();
        let failed = judge(&format!("{name}/{script}"), &outcome);
        let unexpected: Vec<_> = failed.into_iter().filter(|failure| expected.remove(failure).is_none()).collect();
        if !unexpected.is_empty() {
            failures.push(format!("{}\n{}", unexpected.join("\n"), outcome.report()));
        }
    }
    let passes = expected.iter().map(|(test, reason)| format!("{test}: is expected to fail ({reason}), and does not"));
    failures.extend(passes);
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n\n"));
}

/// The failures of a script that uses the harness: its tests by name, or the script itself when it did not end well.
fn of_harness(script: &str, outcome: &Outcome) -> Vec<String> {
    let mut failed = Vec::new();
    for line in outcome.stdout.lines() {
        // Names contain no `: AssertionError`, but may contain a colon: an error's class ends the name.
        if let Some(rest) = line.strip_prefix("not ok ") {
            let end =
                rest.match_indices(": ").find(|(at, _)| is_error(&rest[at + 2..])).map_or(rest.len(), |(at, _)| at);
            failed.push(format!("{script}: {}", &rest[..end]));
        }
    }
    let totals = outcome.stdout.lines().last().is_some_and(|line| line.ends_with(" failed"));
    let code = i32::from(!failed.is_empty());
    if outcome.timed_out || !totals || outcome.status != code {
        failed.push(script.to_string());
    }
    failed
}

/// Whether `text` begins as a failure does: an error's class and a colon, or a thrown value.
fn is_error(text: &str) -> bool {
    let class = text.split(':').next().unwrap_or("");
    text.starts_with("threw ") || class.ends_with("Error") && class.chars().all(char::is_alphanumeric)
}

#[test]
fn agents() {
    run_folder("agents", &["--expose-gc"], of_harness);
}

#[test]
fn guests() {
    run_folder("guests", &["--expose-gc"], of_harness);
}

#[test]
fn marshal() {
    run_folder("marshal", &["--expose-gc"], of_harness);
}

#[test]
fn runtime() {
    run_folder("runtime", &["--expose-gc"], of_harness);
}

/// The demonstrations, without options: what they claim holds by itself.
#[test]
fn shown() {
    run_folder("shown", &[], |script, outcome| {
        let held = outcome.status == 0 && outcome.stdout.contains("ok: ") && !outcome.timed_out;
        print!("{script}:\n{}", outcome.stdout);
        if held { Vec::new() } else { vec![script.to_string()] }
    });
}

/// The stress program, for a few seconds.
#[test]
fn stress() {
    let script = repository().join("tests/js/stress/agents.mjs").to_string_lossy().into_owned();
    let outcome = Run::new(&repository(), ["--expose-gc".into(), script, "5".into()]).outcome();
    assert!(outcome.status == 0 && outcome.stdout.ends_with("ok\n"), "{}", outcome.report());
}

/// What a worker prints reaches the process's own standard output.
#[test]
fn output_of_workers() {
    let script = folder("agents").join("worker-threads.mjs").to_string_lossy().into_owned();
    let outcome = Run::new(&repository(), ["--expose-gc".into(), script]).outcome();
    assert!(outcome.stdout.contains("# printed by a worker\n"), "{}", outcome.report());
}

#[test]
fn the_example_of_agents() {
    let script = repository().join("examples/parallel-sum/main.mjs").to_string_lossy().into_owned();
    let outcome = Run::new(&repository(), [script, "3".into(), "1".into()]).outcome();
    let ends_well = outcome.status == 0 && outcome.stdout.ends_with("blocks left in the guest: 0\n");
    assert!(ends_well && outcome.stderr.is_empty(), "{}", outcome.report());
}
