//! Options, files and arguments.

use crate::harness::{Folder, guest};

const ARGUMENTS: &str = "console.log(JSON.stringify(process.argv.slice(2)));";

#[test]
fn help_and_version() {
    let folder = Folder::new();
    for flag in ["--help", "-h"] {
        let has = [
            "Usage: tombolo [OPTIONS] FILE [ARGS...]",
            "Commands:",
            "--version",
            "--eval",
            "--expose-gc",
            "--guest-memory",
            "Examples:",
        ];
        folder.run([flag]).outcome().exits(0).stdout_has(&has).stderr("");
    }
    let version = format!("tombolo {}\n", env!("CARGO_PKG_VERSION"));
    for flag in ["--version", "-V"] {
        folder.run([flag]).outcome().exits(0).stdout(&version).stderr("");
    }
    folder.run(["run", "--help"]).outcome().exits(0).stdout_has(&["Usage: tombolo"]);
}

#[test]
fn completions_and_the_manual() {
    let folder = Folder::new();
    for (shell, has) in [
        ("bash", ["_tombolo()", "--guest-memory"]),
        ("zsh", ["#compdef tombolo", "--guest-memory"]),
        ("fish", ["complete -c tombolo", "guest-memory"]),
        ("man", [".TH tombolo 1", "\\-\\-guest\\-memory"]),
    ] {
        folder.run(["completions", shell]).outcome().exits(0).stdout_has(&has).stderr("");
    }
    folder.run(["completions", "man", "--to", "."]).outcome().exits(0).stdout("").stderr("");
    for page in ["tombolo.1", "tombolo-inspect.1", "tombolo-cache.1"] {
        assert!(folder.path().join(page).is_file(), "{page}");
    }
    let page = std::fs::read_to_string(folder.path().join("tombolo.1")).unwrap();
    let sections: Vec<_> = page.lines().filter_map(|line| line.strip_prefix(".SH ")).collect();
    let ends_with = ["SUBCOMMANDS", "\"EXAMPLES\"", "NOTES", "\"EXIT CODES\"", "\"ENVIRONMENT\"", "VERSION"];
    assert!(sections.ends_with(&ends_with), "{sections:?}");
    assert!(page.contains(".TP\n\\fB134\\fR\na WASI command trapped\n"), "{page}");
    folder.run(["completions", "dos"]).outcome().exits(2).stdout("").stderr_has(&["bash, zsh, fish, man"]);
}

#[test]
fn mistakes_in_the_command_line_exit_with_2() {
    let folder = Folder::new();
    folder.run(["--no-such-flag"]).outcome().exits(2).stdout("").stderr_has(&["--no-such-flag", "Usage: tombolo"]);
    folder.run(["--no-such-flag", "a.mjs"]).outcome().exits(2).stdout("").stderr_has(&["--no-such-flag"]);
    folder.run(["--expose-gc=yes", "a.mjs"]).outcome().exits(2).stderr_has(&["--expose-gc"]);
}

#[test]
fn files_that_cannot_be_run() {
    let folder = Folder::with("folder/file.txt", "");
    for missing in ["none.mjs", "none", "none.js", "folder/none.mjs"] {
        folder.run([missing]).outcome().exits(1).stdout("").stderr_has(&[missing]);
    }
    for missing in ["none.wasm", "none.wat"] {
        folder.run([missing]).outcome().exits(1).stdout("").stderr_has(&["tombolo: ", missing, "No such file"]);
    }
    for name in ["folder", "."] {
        let message = format!("tombolo: {name} is a folder, not a file\n");
        folder.run([name]).outcome().exits(1).stdout("").stderr(&message);
    }
}

#[test]
fn a_file_by_every_kind_of_name() {
    let folder =
        Folder::with("a.mjs", ARGUMENTS).and("b.js", ARGUMENTS).and("plain", ARGUMENTS).and("dir/c d.mjs", ARGUMENTS);
    for name in ["a.mjs", "b.js", "plain", "./plain", "dir/c d.mjs", "dir/../a.mjs"] {
        folder.run([name]).outcome().exits(0).stdout("[]\n").stderr("");
        folder.run(["run", name]).outcome().exits(0).stdout("[]\n").stderr("");
    }
    let absolute = folder.path().join("plain");
    folder.run([absolute]).outcome().exits(0).stdout("[]\n");
    let called_run = Folder::with("run", ARGUMENTS);
    called_run.run(["./run"]).outcome().exits(0).stdout("[]\n");
    called_run.run(["run", "run"]).outcome().exits(0).stdout("[]\n");
}

#[test]
fn arguments_reach_the_program() {
    let folder = Folder::with("a.mjs", ARGUMENTS);
    folder.run(["a.mjs", "one", "zwei €", ""]).outcome().exits(0).stdout("[\"one\",\"zwei €\",\"\"]\n");
    folder
        .run(["run", "a.mjs", "-x", "--long=1", "--", "-y"])
        .outcome()
        .exits(0)
        .stdout("[\"-x\",\"--long=1\",\"--\",\"-y\"]\n");
    folder.run(["a.mjs", "first", "--help"]).outcome().exits(0).stdout("[\"first\",\"--help\"]\n");
}

#[test]
fn flags_after_the_file_belong_to_the_program() {
    let folder = Folder::with("a.mjs", ARGUMENTS);
    for flag in ["--help", "--version", "-h", "-V", "--expose-gc", "--guest-memory", "--one-island"] {
        folder.run(["a.mjs", flag]).outcome().exits(0).stdout(&format!("[\"{flag}\"]\n")).stderr("");
    }
}

#[test]
fn argv_begins_with_the_program_and_the_file() {
    let folder = Folder::with(
        "a.mjs",
        "console.log(process.argv.length, process.argv[0] === process.execPath, process.argv[1]);",
    );
    let expected = format!("2 true {}\n", folder.path().join("a.mjs").display());
    folder.run(["a.mjs"]).outcome().exits(0).stdout(&expected);
}

#[test]
fn expose_gc() {
    let folder = Folder::with("a.mjs", "console.log(typeof gc); globalThis.gc?.();");
    folder.run(["a.mjs"]).outcome().exits(0).stdout("undefined\n");
    folder.run(["--expose-gc", "a.mjs"]).outcome().exits(0).stdout("function\n");
    folder.run(["run", "--expose-gc", "a.mjs"]).outcome().exits(0).stdout("function\n");
}

#[test]
fn guest_memory_report() {
    let script = r"
        import { readFileSync } from 'node:fs';
        import { Wasi } from 'tombolo:marshal';
        const wasi = new Wasi({});
        const module = new WebAssembly.Module(readFileSync(process.argv[2]));
        const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.imports() });
        wasi.init(instance);
        for (let i = 0; i < 10; i++) wasi.float64Array(100);
        globalThis.kept = wasi.float64Array(3);
        console.log('done');
    ";
    let folder = Folder::with("a.mjs", script).and("none.mjs", "");
    let demo = guest("demo.wasm");
    let args = ["--guest-memory".as_ref(), "a.mjs".as_ref(), demo.as_os_str()];
    folder.run(args).outcome().exits(0).stdout("done\n").stderr_has(&["11 allocated"]);
    folder.run(["--guest-memory", "none.mjs"]).outcome().exits(0).stdout("").stderr_has(&[
        "0 allocated",
        "0 freed",
        "0 alive",
    ]);
    folder.run(["a.mjs".as_ref(), demo.as_os_str()]).outcome().exits(0).stderr("");
}

#[test]
fn guest_memory_report_also_after_errors_and_exit() {
    let folder = Folder::with("exit.mjs", "process.exit(3);").and("throw.mjs", "throw new Error('x');");
    folder.run(["--guest-memory", "exit.mjs"]).outcome().exits(3).stderr_has(&["allocated"]);
    folder.run(["--guest-memory", "throw.mjs"]).outcome().exits(1).stderr_has(&["Error: x", "allocated"]);
}

#[test]
fn one_island() {
    let script = r"
        const bytes = (name) => new WebAssembly.Module(readFileSync(name));
        const global = () => new WebAssembly.Instance(bytes('global.wasm')).exports.global;
        try {
          new WebAssembly.Instance(bytes('both.wasm'), { host: { a: global(), b: global() } });
          console.log('linked');
        } catch (error) { console.log(error.name, error.message.includes('one-island')); }
    ";
    let wasm = |text: &str| wat::parse_str(text).expect("the text is a module");
    let both = r#"(module (import "host" "a" (global (mut i32))) (import "host" "b" (global (mut i32))))"#;
    let folder = Folder::with("a.mjs", format!("import {{ readFileSync }} from 'node:fs';\n{script}"))
        .and("global.wasm", wasm(r#"(module (global (export "global") (mut i32) (i32.const 1)))"#))
        .and("both.wasm", wasm(both));
    folder.run(["a.mjs"]).outcome().exits(0).stdout("LinkError true\n").stderr("");
    folder.run(["--one-island", "a.mjs"]).outcome().exits(0).stdout("linked\n").stderr("");
}

#[test]
fn a_first_line_for_the_shell_and_a_byte_order_mark() {
    let folder = Folder::with("a.mjs", "#!/usr/bin/env tombolo\nconsole.log('one');")
        .and("b.mjs", "\u{feff}console.log('two');");
    folder.run(["a.mjs"]).outcome().exits(0).stdout("one\n").stderr("");
    folder.run(["b.mjs"]).outcome().exits(0).stdout("two\n").stderr("");
}
