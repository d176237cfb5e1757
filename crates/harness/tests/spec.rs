//! Runs the specification's core suite. What fails is named, with its reason, in `exclusions.txt`, and what passes is
//! counted in `totals.txt`, which `spec-suite --record` writes.

use harness::run::Host;
use harness::suite::{self, Exclusions, File, Outcome, Report};
use island::{Compiler, Engine, EngineOptions};

fn report(one_island: bool, compiler: Compiler) -> Report {
    let engine = Engine::new(&EngineOptions { compiler, ..EngineOptions::default() }).unwrap();
    let files = suite::files();
    let exclusions = Exclusions::read(one_island, &files).unwrap();
    let files: Vec<_> = files.iter().filter(|file| exclusions.runs(file)).collect();
    assert!(files.len() > 300);
    let outcomes = suite::run(&Host::Tombolo { engine: &engine, one_island }, &files);
    let report = Report::new(&files, &outcomes, &exclusions);
    let problems = &report.problems;
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
    report
}

#[test]
fn all_passes_in_one_island_but_what_is_excluded() {
    let table = report(true, Compiler::Optimizing).table();
    println!("{table}");
    assert_eq!(table, include_str!("../totals.txt"), "another table than the one recorded");
}

#[test]
fn separate_islands_of_fast_code_lose_only_what_the_exclusions_tell() {
    report(false, Compiler::Fast);
}

/// Each line claims something false, by each of the ways in which the driver finds out.
const FALSE_CLAIMS: &str = r#"
(module
  (func (export "i32") (result i32) (i32.const 1))
  (func (export "i64") (result i64) (i64.const 0x1_0000_0001))
  (func (export "f32") (result f32) (f32.const -0))
  (func (export "nan") (result f64) (f64.const nan:0x4000000000000))
  (func (export "v128") (result v128) (v128.const i32x4 1 2 3 4))
  (func (export "two") (result i32 v128) (i32.const 1) (v128.const f32x4 0 0 0 nan))
  (func (export "null") (result externref) (ref.null extern))
  (func (export "host") (param externref) (result externref) (local.get 0))
  (func (export "trap") (unreachable))
  (func (export "vector trap") (param v128) (unreachable))
  (global (export "global") i32 (i32.const 7)))
(assert_return (invoke "i32") (i32.const 2))
(assert_return (invoke "i32"))
(assert_return (invoke "i64") (i64.const 1))
(assert_return (invoke "f32") (f32.const 0))
(assert_return (invoke "f32") (f32.const nan:canonical))
(assert_return (invoke "nan") (f64.const nan:arithmetic))
(assert_return (invoke "nan") (f64.const nan:canonical))
(assert_return (invoke "nan") (f64.const nan))
(assert_return (invoke "v128") (v128.const i32x4 1 2 3 5))
(assert_return (invoke "two") (i32.const 2) (v128.const f32x4 0 0 0 nan))
(assert_return (invoke "two") (i32.const 1) (v128.const f32x4 -0 0 0 nan:canonical))
(assert_return (invoke "two") (i32.const 1) (v128.const f32x4 0 0 nan:arithmetic nan:canonical))
(assert_return (invoke "null") (ref.extern 1))
(assert_return (invoke "host" (ref.extern 1)) (ref.extern 2))
(assert_return (invoke "host" (ref.extern 1)) (ref.null))
(assert_return (invoke "i32") (either (i32.const 2) (i32.const 3)))
(assert_return (invoke "trap"))
(assert_return (get "global") (i32.const 8))
(assert_trap (invoke "trap") "integer overflow")
(assert_trap (invoke "i32") "unreachable")
(assert_trap (invoke "vector trap" (v128.const i32x4 1 2 3 4)) "integer overflow")
(assert_exhaustion (invoke "i32") "call stack exhausted")
(assert_exhaustion (invoke "trap") "call stack exhausted")
(assert_exception (invoke "trap"))
(assert_invalid (module (func (result i32) (i32.const 1))) "type mismatch")
(assert_malformed (module binary "\00asm\01\00\00\00") "unexpected end")
(assert_unlinkable (module (import "spectest" "print_i32" (func (param i32)))) "unknown import")
(assert_return (invoke "gone"))
(module (import "spectest" "print_i32" (func)))
"#;

fn outcome(source: &'static str) -> Outcome {
    let file = File { folder: "own".into(), path: "own/own.wast".into(), source };
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    suite::run(&Host::Tombolo { engine: &engine, one_island: true }, &[&file]).remove(0)
}

#[test]
fn false_claims_fail() {
    let Outcome { passed, textual, failures } = outcome(FALSE_CLAIMS);
    let claims: Vec<_> = (1..).zip(FALSE_CLAIMS.lines()).skip(13).collect();
    let held: Vec<_> = claims.iter().filter(|(line, _)| !failures.contains_key(line)).collect();
    assert!(held.is_empty(), "{held:#?}");
    // What passes is the module alone.
    assert_eq!((passed, textual, failures.len()), (1, 0, claims.len()), "{failures:#?}");
}

/// Each ends with what the harness cannot judge.
const UNDECIDED: [(&str, &str); 3] = [
    (
        r#"(module (func (export "f") (param externref) (result externref f64) (local.get 0) (f64.const nan)))
        (assert_return (invoke "f" (ref.null extern)) (ref.null extern) (f64.const nan:canonical))
        (assert_return (invoke "f" (ref.extern 1)) (ref.extern 1) (f64.const nan:canonical))"#,
        "line 3: a wrapper cannot make the argument",
    ),
    (
        r#"(module (func $f (export "f") (result funcref f64) (ref.func $f) (f64.const nan)))
        (assert_return (invoke "f") (ref.func) (f64.const nan:canonical))"#,
        "line 2: a wrapper cannot test for the result",
    ),
    (r#"(assert_invalid (module (func (call $gone))) "unknown function")"#, "line 1: unknown func"),
];

#[test]
fn what_cannot_be_judged_fails() {
    for (source, expected) in UNDECIDED {
        let Outcome { passed, textual, failures } = outcome(source);
        assert_eq!((passed, textual, failures.len()), (0, 0, 1), "{failures:#?}");
        assert!(failures[&0].starts_with(expected), "{failures:#?}");
    }
}
