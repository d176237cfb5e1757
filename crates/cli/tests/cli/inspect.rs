//! `tombolo inspect`.

use crate::harness::{Folder, guest};

const MODULE: &str = r#"(module
  (type $binary (func (param i32 i64) (result f64)))
  (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
  (import "env" "table" (table 1 10 funcref))
  (memory (export "memory") 2 16)
  (global (export "count") (mut i32) (i32.const 0))
  (func $big (type $binary) (f64.const 1) (f64.const 2) (f64.add))
  (func (export "_start"))
  (func (export "malloc") (param i32) (result i32) (local.get 0))
  (func (export "free") (param i32))
  (export "binary" (func $big))
  (data (i32.const 0) "hello"))"#;

#[test]
fn a_module_as_text() {
    let folder = Folder::with("m.wat", MODULE);
    folder.run(["inspect", "m.wat"]).env("TOMBOLO_CACHE", "off").outcome().exits(0).stderr("").stdout_has(&[
        "m.wat: WASI command, ",
        "needs         mutable-globals\n",
        "allocator     malloc, free (C)\n",
        "cache         there is none\n",
        "Sections\n",
        "  type ",
        "  data ",
        "Imports (2)\n",
        "  wasi_snapshot_preview1.fd_write  func(i32, i32, i32, i32) -> i32\n",
        "  env.table                        table 1..10 funcref\n",
        "Exports (6)\n",
        "  memory  memory 2..16 pages\n",
        "  count   global mut i32\n",
        "  _start  func()\n",
        "  malloc  func(i32) -> i32\n",
        "  binary  func(i32, i64) -> f64\n",
        "Functions by size\n",
        "%  big\n",
    ]);
}

#[test]
fn a_module_as_json() {
    let folder = Folder::with("m.wat", MODULE).and(
        "read.mjs",
        "import { readFileSync } from 'node:fs';
         const it = JSON.parse(readFileSync(0));
         console.log(it.kind, it.features.join(), it.allocator.convention, it.cached, it.imports[0].name, it.exports.length);
         console.log(it.functions.length, it.functions[0].name, it.functions[0].index, it.sections.find((s) => s.name === 'data').count);",
    );
    let outcome = folder.run(["inspect", "--json", "--top=2", "m.wat"]).outcome().exits(0).stderr("");
    let expected = "command mutable-globals C true fd_write 6\n2 big 1 1\n";
    folder.run(["read.mjs"]).stdin(&outcome.stdout).outcome().exits(0).stdout(expected);
}

#[test]
fn what_is_compiled_is_in_the_cache() {
    // (A module that is too small to be kept needs no cache, and counts as being there.)
    let text =
        format!("(module {})", "(func (param i32) (result i32) (i32.add (local.get 0) (i32.const 7)))".repeat(20_000));
    let folder = Folder::with("m.wat", &text);
    let cache = folder.path().join("cache");
    let cache = cache.to_str().expect("the folder's name is text");
    let inspect = || folder.run(["inspect", "m.wat"]).env("TOMBOLO_CACHE", cache).outcome().exits(0);
    inspect().stdout_has(&["does not have its compiled code"]);
    folder.run(["compile", "m.wat"]).env("TOMBOLO_CACHE", cache).outcome().exits(0);
    inspect().stdout_has(&["cache         has its compiled code"]);
}

#[test]
fn guests_that_compilers_made() {
    let folder = Folder::new();
    let demo = guest("demo.wasm");
    folder.run(["inspect".as_ref(), demo.as_os_str()]).outcome().exits(0).stdout_has(&[
        "WASI reactor",
        "allocator",
        "malloc, free (C)",
    ]);
    let hello = guest("hello.wasm");
    folder.run(["inspect".as_ref(), hello.as_os_str()]).outcome().exits(0).stdout_has(&["WASI command"]);
}

#[test]
fn files_that_are_no_modules() {
    let folder = Folder::with("text.wasm", "hello")
        .and("cut.wasm", b"\0asm\x01\0\0\0\x01\x05")
        .and("wrong.wat", "(module (func (result i32)))")
        .and("component.wat", "(component)");
    for (name, why) in [
        ("text.wasm", "not a WebAssembly module"),
        ("cut.wasm", "unexpected end"),
        ("wrong.wat", "type mismatch"),
        ("component.wat", "a component"),
        ("none.wasm", "No such file"),
    ] {
        folder.run(["inspect", name]).outcome().exits(1).stdout("").stderr_has(&["tombolo: ", name, why]);
    }
}
