//! Runs the programs of WebAssembly/wasi-testsuite for preview 1, which are not part of this repository, in each of the
//! ways that programs of WASI run here, and compares the outcome with `tests/js/wasi-testsuite.txt`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};
use std::time::Duration;

/// Where the programs that do not pass are listed.
const LIST: &str = "tests/js/wasi-testsuite.txt";

/// The folders of the checkout that have programs for preview 1.
const SUITES: [&str; 3] = ["assemblyscript", "c", "rust"];

const NODE_WASI: &str = include_str!("node-wasi.mjs");
const MARSHAL: &str = include_str!("marshal.mjs");

/// How a program is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    NodeWasi,
    Command,
    Marshal,
    /// By Node, for comparison.
    Node,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::NodeWasi => "node:wasi",
            Self::Command => "command",
            Self::Marshal => "tombolo:marshal",
            Self::Node => "Node",
        }
    }
}

/// A program, and what is expected of it.
struct Program {
    file: PathBuf,
    suite: &'static str,
    name: String,
    args: Vec<String>,
    env: BTreeMap<String, String>,
    root: Option<PathBuf>,
    exit_code: i64,
    stdout: Option<String>,
}

pub(crate) fn run(args: &[&str]) -> ExitCode {
    super::report("wasi-testsuite", compare(args))
}

/// Everything that is not as the list says.
fn compare(args: &[&str]) -> io::Result<Vec<String>> {
    let (node, folder) = match args {
        ["--node", node, folder] => (Some(Path::new(node).canonicalize()?), *folder),
        [folder] => (None, *folder),
        _ => return Err(io::Error::other("usage: wasi-testsuite [--node PATH] DIR")),
    };
    let command = super::command()?;
    let expected = parse(&fs::read_to_string(super::tidy::root().join(LIST))?).map_err(io::Error::other)?;
    let programs = programs(Path::new(folder))?;
    let scratch = std::env::temp_dir().join(format!("tombolo-wasi-testsuite-{}", std::process::id()));
    fs::create_dir_all(&scratch)?;
    fs::write(scratch.join("node-wasi.mjs"), NODE_WASI)?;
    fs::write(scratch.join("marshal.mjs"), MARSHAL)?;
    let mut ways = vec![Way::NodeWasi, Way::Command, Way::Marshal];
    ways.extend(node.as_ref().map(|_| Way::Node));
    let runs: Vec<(Way, &Program)> = ways.iter().flat_map(|&way| programs.iter().map(move |p| (way, p))).collect();
    let outcomes = testing::in_parallel(&runs, |at, (way, program)| {
        let host = if *way == Way::Node { node.as_deref().unwrap_or(&command) } else { &command };
        execute(host, *way, program, &scratch, at)
    });
    fs::remove_dir_all(&scratch)?;
    let mut judged = Vec::new();
    for (&(way, program), outcome) in runs.iter().zip(outcomes) {
        judged.push((way, format!("{}/{}", program.suite, program.name), outcome?));
    }
    for &way in &ways {
        let of_way = || judged.iter().filter(|(other, ..)| *other == way);
        println!(
            "{:<16} {:>3} of {}",
            way.name(),
            of_way().filter(|(.., failure)| failure.is_none()).count(),
            of_way().count()
        );
    }
    let of_node = judged.iter().filter(|(way, _, failure)| *way == Way::Node && failure.is_some());
    let failed: Vec<_> = of_node.map(|(_, name, _)| name.as_str()).collect();
    if !failed.is_empty() {
        println!("Node fails: {}", failed.join(", "));
    }
    judged.retain(|(way, ..)| *way != Way::Node);
    Ok(judge(&judged, &expected))
}

/// The list's lines, `way: suite/program # reason`, as `way: suite/program`.
fn parse(list: &str) -> Result<Vec<String>, String> {
    let lines = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| match line.split_once(" # ") {
            Some((test, _)) if test.contains(": ") => Ok(test.to_owned()),
            _ => Err(format!("{LIST}: not `way: suite/program # reason`: {line}")),
        })
        .collect()
}

fn judge(judged: &[(Way, String, Option<String>)], expected: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut known: Vec<&String> = expected.iter().collect();
    for (way, name, failure) in judged {
        let test = format!("{}: {name}", way.name());
        let at = known.iter().position(|known| **known == test);
        if let Some(at) = at {
            known.remove(at);
        }
        match (failure, at) {
            (Some(failure), None) => problems.push(format!("{test}: failed: {failure}")),
            (None, Some(_)) => problems.push(format!("{test}: is expected to fail, and does not")),
            _ => {}
        }
    }
    problems.extend(known.iter().map(|test| format!("{LIST}: there is no {test}")));
    problems
}

fn programs(folder: &Path) -> io::Result<Vec<Program>> {
    let mut programs = Vec::new();
    for suite in SUITES {
        let folder = folder.join("tests").join(suite).join("testsuite/wasm32-wasip1");
        let mut files = Vec::new();
        for entry in fs::read_dir(&folder)? {
            let file = entry?.path();
            if file.extension().is_some_and(|extension| extension == "wasm") {
                files.push(file);
            }
        }
        files.sort();
        for file in files {
            programs.push(program(suite, file)?);
        }
    }
    Ok(programs)
}

fn program(suite: &'static str, file: PathBuf) -> io::Result<Program> {
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let text = match fs::read_to_string(file.with_extension("json")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => "{}".to_owned(),
        text => text?,
    };
    let config: serde_json::Value = serde_json::from_str(&text)?;
    let string = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    Ok(Program {
        args: config["args"].as_array().map(|args| args.iter().map(string).collect()).unwrap_or_default(),
        env: config["env"]
            .as_object()
            .map(|env| env.iter().map(|(key, value)| (key.clone(), string(value))).collect())
            .unwrap_or_default(),
        root: config["root"].as_str().map(|root| file.with_file_name(root)),
        exit_code: config["exit_code"].as_i64().unwrap_or(0),
        stdout: config["stdout"].as_str().map(str::to_owned),
        suite,
        name,
        file,
    })
}

/// Runs a program. Returns what is wrong with the outcome.
fn execute(host: &Path, way: Way, program: &Program, scratch: &Path, at: usize) -> io::Result<Option<String>> {
    // Each has its own copy of the folder, in which it makes files.
    let root = match &program.root {
        Some(from) => {
            let root = scratch.join(at.to_string());
            copy(from, &root)?;
            Some(root)
        }
        None => None,
    };
    let mut command = Command::new("timeout");
    command.arg(Duration::from_secs(60).as_secs().to_string()).arg(host);
    let file = program.file.canonicalize()?;
    match way {
        Way::Command => {
            // It has the environment that it is given, which is all that the program sees.
            command.env_clear().envs(&program.env);
            if let Some(root) = &root {
                command.arg(format!("--dir={}::/", root.display()));
            }
            command.arg(file);
        }
        Way::NodeWasi | Way::Node | Way::Marshal => {
            if way == Way::Node {
                command.arg("--no-warnings");
            }
            let script = if way == Way::Marshal { "marshal.mjs" } else { "node-wasi.mjs" };
            let root = root.as_deref().unwrap_or(Path::new(""));
            command.arg(scratch.join(script)).arg(file).arg(&program.name).arg(root);
            command.arg(serde_json::to_string(&program.env)?);
        }
    }
    let output = command.args(&program.args).stdin(Stdio::piped()).output()?;
    Ok(failure(program, &output))
}

fn failure(program: &Program, output: &Output) -> Option<String> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code().map(i64::from);
    if code != Some(program.exit_code & 0xff) {
        return Some(format!("{}, expected {}: {}", output.status, program.exit_code, stderr.trim_end()));
    }
    let stdout = String::from_utf8_lossy(&output.stdout);
    match &program.stdout {
        Some(expected) if *expected != stdout => Some(format!("printed {stdout:?}, expected {expected:?}")),
        _ => None,
    }
}

/// Copies a folder, without what earlier runs have left in it.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.extension().is_some_and(|extension| extension == "cleanup") {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy(&path, &target)?;
        } else {
            fs::copy(&path, &target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_and_should_not_is_told_as_what_fails_and_should_not() {
        let expected = parse("# why\ncommand: c/a # a reason\n").unwrap();
        let outcome = |failure: Option<&str>| (Way::Command, "c/a".to_owned(), failure.map(str::to_owned));
        assert_eq!(judge(&[outcome(Some("it is wrong"))], &expected), [""; 0]);
        assert_eq!(judge(&[outcome(None)], &expected), ["command: c/a: is expected to fail, and does not"]);
        assert_eq!(judge(&[outcome(Some("why"))], &[]), ["command: c/a: failed: why"]);
        assert_eq!(judge(&[], &expected), ["tests/js/wasi-testsuite.txt: there is no command: c/a"]);
        assert!(parse("c/a\n").is_err());
        parse(&fs::read_to_string(crate::tidy::root().join(LIST)).unwrap()).unwrap();
    }
}
