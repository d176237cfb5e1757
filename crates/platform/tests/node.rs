//! Every script in `tests/scripts` prints what Node prints, in the version that `process.versions.node` claims. Node's
//! output is recorded beside the script. If that version of Node is installed, it is run again for comparison, and
//! `UPDATE_EXPECT=1 cargo test --release --workspace --test node` records its output. No other version will do.

mod support;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::{env, fs};

use support::run_file;
use testing::{Failed, Trial};
use tombolo_platform::NODE_VERSION;

const FOLDER: &str = "crates/platform/tests/scripts";

/// The scripts that do not print what Node prints, and why. Their own output is recorded as well, in `.ours`.
const DIFFER: [(&str, &str); 1] =
    [("inspect.mjs", "a regular expression has one colour, and the proxy of a function is not marked")];

fn differs(script: &Path) -> Option<&'static str> {
    DIFFER.into_iter().find(|(name, _)| script.ends_with(name)).map(|(_, reason)| reason)
}

fn main() -> ExitCode {
    let update = env::var_os("UPDATE_EXPECT").is_some();
    let mut trials = Vec::new();
    for script in testing::scripts_below(FOLDER) {
        let path = script.path.clone();
        trials.push(Trial::test(script.name, move || prints_what_is_recorded(&path)));
    }
    let asked = move || -> Result<(), Failed> {
        let node = match testing::node(NODE_VERSION) {
            Ok(node) => node,
            Err(reason) if update => return Err(reason.into()),
            Err(reason) => {
                testing::not_run("the comparison of what is recorded with node", &reason);
                return Ok(());
            }
        };
        for script in testing::scripts_below(FOLDER) {
            let output = Command::new(&node).arg(&script.path).output()?;
            let recorded = script.path.with_extension("out");
            let printed = String::from_utf8_lossy(&output.stdout);
            if update {
                fs::write(&recorded, &*printed)?;
                if differs(&script.path).is_some() {
                    fs::write(script.path.with_extension("ours"), run_file(&script.path).stdout)?;
                }
            }
            compare("what is recorded", &fs::read_to_string(&recorded)?, &printed)
                .map_err(|problem| format!("{}: {problem}", script.name))?;
            let ours = run_file(&script.path).outcome.exit_code;
            if output.status.code() != Some(ours) {
                return Err(format!("{}: the exit code is {ours}, and node's {}", script.name, output.status).into());
            }
        }
        Ok(())
    };
    if update {
        // This runs first and alone: the other tests read what it writes.
        if let Err(problem) = asked() {
            eprintln!("nothing can be recorded: {}", problem.message().unwrap_or_default());
            return ExitCode::FAILURE;
        }
    } else {
        trials.push(Trial::test("what node prints is what is recorded", asked));
    }
    testing::main(trials)
}

fn prints_what_is_recorded(path: &Path) -> Result<(), Failed> {
    let run = run_file(path);
    let mut recorded = fs::read_to_string(path.with_extension("out"))?;
    if let Some(reason) = differs(path) {
        if run.stdout == recorded {
            return Err(format!("is expected to differ from node ({reason}), but does not").into());
        }
        recorded = fs::read_to_string(path.with_extension("ours"))?;
    }
    Ok(compare("what it printed", &run.stdout, &recorded).map_err(|problem| format!("{problem}\n{}", run.stderr))?)
}

/// The first line that differs.
fn compare(what: &str, ours: &str, expected: &str) -> Result<(), String> {
    let (mut ours, mut expected) = (ours.lines(), expected.lines());
    for number in 1.. {
        let (ours, expected) = (ours.next(), expected.next());
        if ours != expected {
            return Err(format!("{what} differs in line {number}\n expected {expected:?}\n      got {ours:?}"));
        }
        if ours.is_none() {
            break;
        }
    }
    Ok(())
}
