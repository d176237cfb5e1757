//! `--sandbox`, `--allow-…` and the limits: each module with what is granted and what is refused, and a hunt for ways out.

mod escapes;
mod files;
mod limits;
mod modules;
mod others;

use crate::harness::{Folder, Outcome};

/// What the script of [`ask`] has: every module, and `verdict`.
const PRELUDE: &str = r"
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import http from 'node:http';
import dns from 'node:dns';
import module, { createRequire } from 'node:module';
import child_process from 'node:child_process';
import worker_threads from 'node:worker_threads';
import { WASI } from 'node:wasi';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import tty from 'node:tty';
import vm from 'node:vm';
const require = createRequire(import.meta.url);
const here = process.cwd();
const called = (call) => new Promise((resolve, reject) => {
  call((error, value) => (error ? reject(error) : resolve(value)));
});
const verdict = async (call) => {
  try {
    const value = await call();
    return value === undefined ? 'done' : String(value).replaceAll(here, '');
  } catch (error) {
    const denied = [error, error?.cause].find((error) => error?.code === 'ERR_ACCESS_DENIED');
    if (denied) return `refused ${denied.permission} ${denied.resource}`.replaceAll(here, '');
    return `failed ${error?.code ?? error}`.replaceAll(here, '');
  }
};
";

/// A folder with a program in app/, something in data/ and out/, and a secret beside them.
fn scene() -> Folder {
    let folder = Folder::with("app/package.json", "{}").and("secret", "secret").and("secret.json", "\"secret\"");
    let folder = folder.and("secret.mjs", "export default 'secret'").and("data/file", "data").and("out/old", "old");
    std::os::unix::fs::symlink("file", folder.path().join("data/link")).expect("links can be made");
    folder
}

/// Runs a program that evaluates each expression, with these flags. Returns what came of each: its value, `refused` with
/// the permission and the resource, or `failed` with a code.
fn ask(folder: &Folder, flags: &[&str], expressions: &[&str]) -> Vec<String> {
    let lines = ask_with(folder, flags, expressions).stdout;
    lines.lines().map(str::to_owned).collect()
}

fn ask_with(folder: &Folder, flags: &[&str], expressions: &[&str]) -> Outcome {
    let mut script = PRELUDE.to_owned();
    for expression in expressions {
        script.push_str(&format!("console.log(await verdict(async () => {expression}));\n"));
    }
    std::fs::write(folder.path().join("app/main.mjs"), script).expect("files can be written");
    let args: Vec<&str> = flags.iter().copied().chain(["app/main.mjs"]).collect();
    let outcome = folder.run(args).outcome();
    if outcome.stdout.lines().count() != expressions.len() {
        outcome.fail("expected a line for each expression");
    }
    outcome
}

/// Checks each expression in a fresh folder: refused without the flags, and this with them.
#[track_caller]
fn need(flags: &[&str], permission: &str, cases: &[(&str, &str)]) {
    let expressions: Vec<&str> = cases.iter().map(|(expression, _)| *expression).collect();
    let sandbox = |flags: &[&str]| -> Vec<String> {
        let folder = scene();
        let flags: Vec<&str> = ["--sandbox"].iter().chain(flags).copied().collect();
        ask(&folder, &flags, &expressions)
    };
    for (got, expression) in sandbox(&[]).iter().zip(&expressions) {
        assert!(got.starts_with("refused "), "{expression} without permission: {got}");
        assert!(got.starts_with(&format!("refused {permission}")), "{expression} without permission: {got}");
    }
    for (got, (expression, expected)) in sandbox(flags).iter().zip(cases) {
        assert_eq!(got, expected, "{expression} with {flags:?}");
    }
    let folder = scene();
    for (got, (expression, expected)) in ask(&folder, &[], &expressions).iter().zip(cases) {
        assert_eq!(got, expected, "{expression} without a sandbox");
    }
}
