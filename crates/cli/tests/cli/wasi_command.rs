//! WASI commands from the command line.

use std::path::PathBuf;

use crate::harness::{Folder, guest};

fn hello() -> String {
    guest("hello.wasm").to_string_lossy().into_owned()
}

/// A folder with hello.wasm in it.
fn hello_folder() -> Folder {
    Folder::with("hello.wasm", std::fs::read(guest("hello.wasm")).expect("the guest is there"))
}

#[test]
fn arguments() {
    let folder = hello_folder();
    let expected = "arg 0: hello.wasm\narg 1: one\narg 2: zwei €\narg 3: -x\n";
    folder.run(["hello.wasm", "one", "zwei €", "-x"]).outcome().exits(0).stdout(expected).stderr("");
    folder.run(["run", "hello.wasm"]).outcome().exits(0).stdout("arg 0: hello.wasm\n");
}

#[test]
fn flags_after_the_file_belong_to_the_program() {
    let folder = hello_folder();
    for flag in ["--help", "--version", "--guest-memory"] {
        folder
            .run(["hello.wasm", flag])
            .outcome()
            .exits(0)
            .stdout(&format!("arg 0: hello.wasm\narg 1: {flag}\n"))
            .stderr("");
    }
}

#[test]
fn environment() {
    let folder = hello_folder();
    let run = folder.run(["hello.wasm"]).env("TOMBOLO_GREETING", "moin, Föhr");
    run.outcome().exits(0).stdout_has(&["greeting: moin, Föhr\n"]);
}

#[test]
fn standard_input() {
    let folder = hello_folder();
    let run = folder.run(["hello.wasm", "--stdin", "--stdin", "--stdin"]).stdin("first\nsecond\n");
    run.outcome().exits(0).stdout_has(&["stdin: first\nstdin: second\nstdin: end of file\n"]);
}

#[test]
fn the_current_folder_and_nothing_above_it() {
    let folder = hello_folder().and("note.txt", "a note\n").and("deep/er/note.txt", "deeper\n");
    folder.run(["hello.wasm", "--read", "note.txt"]).outcome().exits(0).stdout_has(&["a note\n"]);
    folder.run(["hello.wasm", "--read", "./deep/er/note.txt"]).outcome().exits(0).stdout_has(&["deeper\n"]);
    folder.run(["hello.wasm", "--read", "deep/../note.txt"]).outcome().exits(0).stdout_has(&["a note\n"]);
    for outside in ["../note.txt", "/etc/passwd", "deep/../../x", "none.txt"] {
        folder.run(["hello.wasm", "--read", outside]).outcome().exits(1).stderr_has(&[outside]);
    }
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_folder_is_not_followed() {
    let folder = hello_folder();
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link")).expect("links can be made");
    let outcome = folder.run(["hello.wasm", "--read", "link"]).outcome().exits(1);
    assert!(!outcome.stdout.contains("root:"), "{}", outcome.report());
}

#[test]
fn exit_codes() {
    let folder = Folder::new();
    for code in [0, 1, 7, 125] {
        folder.run([hello(), "--exit".into(), code.to_string()]).outcome().exits(code).stderr("");
    }
}

#[test]
fn a_trap_exits_with_134() {
    let outcome = Folder::new().run([hello(), "--trap".into()]).outcome();
    outcome.exits(134).stdout_has(&["arg 1: --trap\n"]).stderr_has(&[
        "tombolo: ",
        "hello.wasm",
        "trapped: unreachable",
        "wasm-function[",
    ]);
}

const START: &str = r#"(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (func $divide (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (memory (export "memory") 1)
  (func $main (export "_start") BODY))"#;

fn text(body: &str) -> Folder {
    Folder::with("main.wat", START.replace("BODY", body))
}

#[test]
fn text_format() {
    text("").run(["main.wat"]).outcome().exits(0).stdout("").stderr("");
    text("(call $exit (i32.const 5))").run(["main.wat"]).outcome().exits(5).stderr("");
    let outcome = text("(drop (call $divide (i32.const 1) (i32.const 0)))").run(["main.wat"]).outcome();
    let frames = [
        "main.wat: the program trapped: integer divide by zero",
        "at divide (wasm-function[1]:0x",
        "at main (wasm-function[2]:0x",
    ];
    outcome.exits(134).stderr_has(&frames);
    text("(call $main)")
        .run(["main.wat"])
        .outcome()
        .exits(134)
        .stderr_has(&["call stack", "at main (wasm-function[2]"]);
}

#[test]
fn a_start_function_that_traps() {
    let folder =
        Folder::with("main.wat", "(module (func $begin unreachable) (start $begin) (func (export \"_start\")))");
    folder.run(["main.wat"]).outcome().exits(134).stderr_has(&["trapped: unreachable", "at begin (wasm-function[0]"]);
}

#[test]
fn what_is_no_wasi_command() {
    let copy = |name: &str| -> Folder {
        let from: PathBuf = guest(name);
        Folder::with(name, std::fs::read(from).expect("the guest is there"))
    };
    let has = ["tombolo: callback.wasm: ", "host.callback", "not part of WASI"];
    copy("callback.wasm").run(["callback.wasm"]).outcome().exits(1).stdout("").stderr_has(&has);
    let has = ["tombolo: demo.wasm: ", "WASI command", "_start"];
    copy("demo.wasm").run(["demo.wasm"]).outcome().exits(1).stdout("").stderr_has(&has);
    let folder = Folder::with("a.wat", "(module (func (export \"_start\") (param i32)))")
        .and("b.wat", "(module (import \"wasi_snapshot_preview1\" \"no_such\" (func)) (func (export \"_start\")))")
        .and(
            "c.wat",
            "(module (import \"wasi_snapshot_preview1\" \"proc_exit\" (func (param i64))) (func (export \"_start\")))",
        )
        .and("d.wat", "(module (import \"env\" \"memory\" (memory 1)) (func (export \"_start\")))");
    folder.run(["a.wat"]).outcome().exits(1).stderr_has(&["tombolo: a.wat: ", "_start"]);
    folder.run(["b.wat"]).outcome().exits(1).stderr_has(&["tombolo: b.wat: ", "no_such"]);
    folder.run(["c.wat"]).outcome().exits(1).stderr_has(&["tombolo: c.wat: "]);
    folder.run(["d.wat"]).outcome().exits(1).stderr_has(&["tombolo: d.wat: ", "env.memory"]);
}

#[test]
fn what_is_no_module() {
    let folder = Folder::with("bad.wat", "(module (func")
        .and("bad.wasm", b"\0asm\x01\0\0\0\xff\xff")
        .and("empty.wasm", "")
        .and("invalid.wat", "(module (func (result i32)))")
        .and("text.wasm", "not a module");
    folder.run(["bad.wat"]).outcome().exits(1).stdout("").stderr_has(&["tombolo: bad.wat: ", "expected"]);
    for name in ["bad.wasm", "empty.wasm", "invalid.wat", "text.wasm"] {
        folder.run([name]).outcome().exits(1).stdout("").stderr_has(&[&format!("tombolo: {name}: ")]);
    }
}

/// threads.wasm tells by its exit and its output whether its threads were served.
#[test]
fn threads() {
    let path = guest("threads.wasm").to_string_lossy().into_owned();
    let run = |argument: &[&str]| {
        let args = std::iter::once(&*path).chain(argument.iter().copied()).map(str::to_owned);
        Folder::new().run(args.collect::<Vec<_>>()).outcome()
    };
    run(&[]).exits(0).stdout("total 4000\n").stderr("");
    run(&["e"]).exits(7);
    run(&["m"]).exits(0);
    run(&["s"]).exits(0).stdout("a\n");
    run(&["t"]).exits(134).stderr_has(&["the program trapped: unreachable", "    at wasi_thread_start"]);
}

#[test]
fn folders_under_other_names() {
    let folder = hello_folder().and("one/note.txt", "one\n").and("two/note.txt", "two\n");
    let read = |file: &str| folder.run(["--dir=one::/", "--dir=two::/second", "hello.wasm", "--read", file]).outcome();
    read("/note.txt").exits(0).stdout_has(&["one\n"]);
    read("/second/note.txt").exits(0).stdout_has(&["two\n"]);
    read("/../two/note.txt").exits(1);
    folder.run(["--dir=two", "hello.wasm", "--read", "two/note.txt"]).outcome().exits(0).stdout_has(&["two\n"]);
    folder.run(["--dir=none::/", "hello.wasm"]).outcome().exits(1).stderr_has(&["cannot open the directory none"]);
}

#[test]
fn an_exit_code_has_eight_bits_here() {
    for (code, low) in [(255, 255), (256, 0), (300, 44), (-1, 255)] {
        text(&format!("(call $exit (i32.const {code}))")).run(["main.wat"]).outcome().exits(low);
    }
}
