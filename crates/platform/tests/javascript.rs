//! Checks the platform's own JavaScript with a linter and a type checker, which come from npm:
//! `npm ci --prefix crates/platform/check`. Both note in the target folder what they have checked, by its contents.

use std::path::Path;
use std::process::Command;

/// Where the checkers keep their notes.
const NOTES: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/javascript");

/// Runs a program from `check/node_modules` in the crate's folder.
fn passes(what: &str, program: &str, arguments: &[&str]) {
    let not_run = |reason: &str| testing::not_run(what, reason);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = folder.join("check/node_modules").join(program);
    if !program.is_file() {
        return not_run("it is not installed; `npm ci --prefix crates/platform/check` does that");
    }
    let output = match Command::new("node").arg(&program).args(arguments).current_dir(folder).output() {
        Ok(output) => output,
        Err(error) => return not_run(&format!("node cannot be started: {error}")),
    };
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{what}: {}\n{stdout}{stderr}", output.status);
}

#[test]
fn the_linter_finds_nothing() {
    let notes = format!("{NOTES}/eslint");
    passes(
        "the linter over the platform's JavaScript",
        "eslint/bin/eslint.js",
        &[
            "--config",
            "check/eslint.config.js",
            "--cache",
            "--cache-strategy",
            "content",
            "--cache-location",
            &notes,
            "src",
        ],
    );
}

#[test]
fn the_type_checker_finds_nothing() {
    let notes = format!("{NOTES}/tsc");
    passes(
        "the type checker over the platform's JavaScript",
        "typescript/bin/tsc",
        &["-p", "check", "--incremental", "--tsBuildInfoFile", &notes],
    );
}
