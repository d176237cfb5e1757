//! The TypeScript declarations in types/: they hold what the runtime has, and the compiler takes what is meant and
//! nothing else. The compiler comes from npm: `npm install --prefix tests/types`.

use std::collections::BTreeSet;
use std::process::Command;

use crate::harness::{Folder, repository};

fn read(path: &str) -> String {
    std::fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The values (no types) that the declarations of a module export.
fn declared(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in text.lines() {
        let Some(item) = line.trim_start().strip_prefix("export ") else { continue };
        let mut words = item.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
        match words.next() {
            Some("abstract") => names.extend(words.nth(1)),
            Some("class" | "function" | "const") => names.extend(words.next()),
            // `export { Wasi as Marshaller };`
            _ if item.starts_with('{') => names.extend(words.next_back()),
            _ => continue,
        };
    }
    names.into_iter().map(str::to_owned).collect()
}

/// The values that the module exports. A built-in module's default export is the module again, and is not declared.
fn exported(module: &str) -> BTreeSet<String> {
    let script = format!("console.log(Object.keys(await import('{module}')).join('\\n'));");
    let outcome = Folder::with("exports.mjs", script).run(["exports.mjs"]).outcome().exits(0).stderr("");
    outcome.stdout.lines().filter(|&name| name != "default").map(str::to_owned).collect()
}

#[test]
fn what_is_declared_is_told_from_types() {
    let text = "declare module 'm' {\n  export type A = 1;\n  export interface B {}\n  export class C<T> {}\n  \
                export abstract class D {}\n  export function e(): void;\n  export { C as F };\n  export const g: A;\n}\n";
    assert_eq!(Vec::from_iter(declared(text)), ["C", "D", "F", "e", "g"]);
}

#[test]
fn every_export_is_declared_and_every_declaration_is_there() {
    let (declared, exported) = (declared(&read("types/marshal.d.ts")), exported("tombolo:marshal"));
    let undeclared: Vec<_> = exported.difference(&declared).collect();
    let missing: Vec<_> = declared.difference(&exported).collect();
    assert!(undeclared.is_empty(), "tombolo:marshal exports what types/marshal.d.ts does not declare: {undeclared:?}");
    assert!(missing.is_empty(), "types/marshal.d.ts declares what tombolo:marshal does not export: {missing:?}");
}

#[test]
fn every_declaration_is_tried() {
    let text = read("tests/types/marshal.ts");
    let words: BTreeSet<_> = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
    let declared = declared(&read("types/marshal.d.ts"));
    let untried: Vec<_> = declared.iter().filter(|name| !words.contains(name.as_str())).collect();
    assert!(untried.is_empty(), "tests/types/marshal.ts does not use {untried:?}");
}

#[test]
fn the_compiler_takes_what_is_meant_and_nothing_else() {
    let compiler = repository().join("tests/types/node_modules/typescript/bin/tsc");
    let not_run = |reason: &str| testing::not_run("the TypeScript compiler over types/", reason);
    if !compiler.is_file() {
        return not_run("it is not installed; `npm install --prefix tests/types` does that");
    }
    let output =
        match Command::new("node").arg(&compiler).arg("-p").arg("tests/types").current_dir(repository()).output() {
            Ok(output) => output,
            Err(error) => return not_run(&format!("node cannot be started: {error}")),
        };
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "tsc -p tests/types: {}\n{stdout}{stderr}", output.status);
}
