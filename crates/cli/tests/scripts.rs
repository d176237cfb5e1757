//! Every script of `tests/js`, each in a process of the command; but those of `tests/js/wasm`, which need less.

// What other tests use of it is not used here.
#[allow(dead_code, reason = "each test program uses some of it")]
#[path = "cli/harness.rs"]
mod harness;

use std::process::ExitCode;

use harness::{Outcome, Run, repository};
use testing::{Failed, Ran, Script, Trial};

/// Runs in a bare context: `crates/js-api/tests/scripts.rs`.
const BARE: &str = "wasm";

fn main() -> ExitCode {
    let folders = testing::folders();
    let folders: Vec<_> = folders.iter().map(String::as_str).filter(|folder| *folder != BARE).collect();
    let mut trials = testing::trials(&folders, |script| {
        let outcome = run(script);
        let exit_code = (!outcome.timed_out).then_some(outcome.status);
        Ran { exit_code, report: outcome.report(), stdout: outcome.stdout }
    });
    trials.push(Trial::test("what workers print", what_workers_print));
    trials.push(Trial::test("examples/parallel-sum/main.mjs", parallel_sum));
    testing::main(trials)
}

fn run(script: &Script) -> Outcome {
    let folder = script.path.parent().expect("a script is in a folder");
    let mut args = Vec::new();
    // The demonstrations hold without options.
    if !script.name.starts_with("tests/js/shown/") {
        args.push("--expose-gc");
    }
    args.push(script.path.to_str().expect("paths are UTF-8"));
    if script.name.starts_with("tests/js/stress/") {
        if script.name.ends_with("promise-integration.mjs") {
            // Programs, and the first one's seed: the model is not exact about how many jobs lie between two events, in
            // about one of 10,000 programs.
            args.extend(["300", "1"]);
        } else {
            // How many seconds it goes on.
            args.push("5");
        }
    }
    Run::new(folder, args).outcome()
}

/// What a worker prints reaches the process's own standard output.
fn what_workers_print() -> Result<(), Failed> {
    let script = repository().join("tests/js/agents/worker-threads.mjs").display().to_string();
    let outcome = Run::new(&repository(), ["--expose-gc", &script]).outcome();
    require(outcome.stdout.contains("# printed by a worker\n"), &outcome)
}

fn parallel_sum() -> Result<(), Failed> {
    let script = repository().join("examples/parallel-sum/main.mjs").display().to_string();
    let outcome = Run::new(&repository(), [&*script, "3", "1"]).outcome();
    let ends_well = outcome.status == 0 && outcome.stdout.ends_with("blocks left in the guest: 0\n");
    require(ends_well && outcome.stderr.is_empty(), &outcome)
}

fn require(holds: bool, outcome: &Outcome) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(outcome.report().into()) }
}
