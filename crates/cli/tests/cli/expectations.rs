//! What people expect of a command that runs JavaScript: how it is called, what it exits with, what it prints.
//!
//! The rows of [`node`] are Node's: with `EXPECTATIONS_PROGRAM=/usr/bin/node` in the environment, they are asked of that
//! program instead, and must hold for Node 26 too. Errors are worded differently, so of what goes to standard error only
//! parts are expected.

use crate::harness::{Folder, Run};

/// The files that the rows use.
fn folder() -> Folder {
    Folder::with("args.js", "console.log(process.argv.slice(2).join());")
        .and("a.mjs", "export const a = 1; console.log('a', import.meta.url.endsWith('a.mjs'));")
        .and("b.cjs", "module.exports = 2; console.log('b', require.main === module);")
        .and("c.ts", "const c: number = 3; console.log('c', c);")
        .and("d.json", "{\"d\": 4}")
        .and("broken.json", "{\"d\": 4")
        .and("plain", "console.log('plain', typeof require);")
        .and("shebang", "#!/usr/bin/env node\nconsole.log('shebang');")
        .and("text.txt", "console.log('text');")
        .and("dir/index.js", "console.log('index');")
        .and("pkg/package.json", "{\"main\": \"lib/m.js\"}")
        .and("pkg/lib/m.js", "console.log('main');")
        .and("esm/package.json", "{\"type\": \"module\"}")
        .and("esm/m.js", "console.log('esm', typeof require);")
        .and("detected.js", "import 'node:fs'; console.log('detected', typeof require);")
        .and("tla.mjs", "await new Promise(() => {});")
        .and("missing.mjs", "import { nothing } from './a.mjs';")
        .and("lost.mjs", "console.log('run'); import './none.mjs';")
        .and("require.mjs", "require('fs');")
        .and("syntax.mjs", "let a = 1;\n\tlet b = ;\n")
        .and("exit.js", "process.exitCode = 5; process.on('exit', (code) => console.log('exit', code));")
        .and(
            "listener.js",
            "process.on('uncaughtException', () => { throw new Error('again'); }); throw new Error('first');",
        )
}

fn check(is_node: bool, args: &[&str], stdin: &str, code: i32, stdout: &str, stderr: &[&str]) {
    let folder = folder();
    let run = match std::env::var_os("EXPECTATIONS_PROGRAM") {
        Some(_) if !is_node => return,
        Some(program) => Run::of(&program, folder.path(), args),
        None => folder.run(args),
    };
    let outcome = run.env_remove("FORCE_COLOR").stdin(stdin).outcome().exits(code).stdout(stdout).stderr_has(stderr);
    if stderr.is_empty() {
        outcome.stderr("");
    }
}

macro_rules! rows {
    ($is_node:literal; $($name:ident: $args:expr, $stdin:expr => $code:expr, $stdout:expr, $stderr:expr;)*) => {
        $(#[test]
        fn $name() {
            check($is_node, &$args, $stdin, $code, $stdout, &$stderr);
        })*
    };
}

mod node {
    use super::check;

    rows! { true;
        eval: ["-e", "console.log(1 + 1)"], "" => 0, "2\n", [];
        eval_long: ["--eval", "console.log(1 + 1)"], "" => 0, "2\n", [];
        eval_equals: ["--eval=console.log(1 + 1)"], "" => 0, "2\n", [];
        eval_of_nothing: ["-e", ""], "" => 0, "", [];
        eval_has_arguments: ["-e", "console.log(process.argv.slice(1).join())", "a", "--b"], "" => 0, "a,--b\n", [];
        eval_and_dashes: ["-e", "console.log(process.argv.slice(1).join())", "--", "-x"], "" => 0, "-x\n", [];
        eval_knows_its_options: ["-e", "console.log(process.execArgv[0])"], "" => 0, "-e\n", [];
        eval_has_commonjs: ["-e", "console.log(__filename, __dirname, typeof require, module.id)"], "" => 0, "[eval] . function [eval]\n", [];
        eval_has_builtins: ["-e", "console.log(typeof fs.readFileSync, path.sep, os.EOL.length)"], "" => 0, "function / 1\n", [];
        eval_may_redeclare_builtins: ["-e", "const fs = 1; var path = 2; console.log(fs, path)"], "" => 0, "1 2\n", [];
        eval_requires_from_here: ["-e", "console.log(require('./d.json').d)"], "" => 0, "4\n", [];
        eval_imports_from_here: ["-e", "import { a } from './a.mjs'; console.log(a)"], "" => 0, "a true\n1\n", [];
        eval_awaits: ["-e", "console.log(await 7)"], "" => 0, "7\n", [];
        eval_strips_types: ["-e", "const x: number = 8; console.log(x)"], "" => 0, "8\n", [];
        eval_as_module: ["--input-type=module", "-e", "console.log(typeof require)"], "" => 0, "undefined\n", [];
        eval_as_commonjs: ["--input-type=commonjs", "-e", "await 1"], "" => 1, "", ["SyntaxError"];
        eval_throws: ["-e", "throw new TypeError('no')"], "" => 1, "", ["[eval]:1\nthrow new TypeError('no')\n", "TypeError: no", "[eval]:1"];
        eval_in_stacks_of_modules: ["--input-type=module", "-e", "throw new TypeError('no')"], "" => 1, "", ["TypeError: no", "[eval1]:1"];
        print: ["-p", "[1, { a: 2 }]"], "" => 0, "[ 1, { a: 2 } ]\n", [];
        print_text: ["-p", "'text'"], "" => 0, "text\n", [];
        print_and_eval: ["-pe", "1 + 2"], "" => 0, "3\n", [];
        print_before_eval: ["-p", "-e", "1 + 2"], "" => 0, "3\n", [];
        print_of_a_module: ["-p", "await 1"], "" => 1, "", ["ERR_EVAL_ESM_CANNOT_PRINT"];
        print_of_input: ["-p"], "6 * 7" => 0, "42\n", [];
        input: [] as [&str; 0], "console.log(__filename, process.argv.length)" => 0, "[stdin] 1\n", [];
        input_is_nothing: [] as [&str; 0], "" => 0, "", [];
        input_by_name: ["-", "x"], "console.log(process.argv.slice(1).join())" => 0, "-,x\n", [];
        input_as_module: ["--input-type=module"], "console.log(typeof require)" => 0, "undefined\n", [];
        input_throws: [] as [&str; 0], "throw new Error('no')" => 1, "", ["[stdin]:1\n", "Error: no"];
        file: ["args.js", "a", "--b"], "" => 0, "a,--b\n", [];
        file_after_dashes: ["--", "args.js", "--", "c"], "" => 0, "--,c\n", [];
        file_without_its_ending: ["args", "x"], "" => 0, "x\n", [];
        file_mjs: ["a.mjs"], "" => 0, "a true\n", [];
        file_cjs: ["b.cjs"], "" => 0, "b true\n", [];
        file_ts: ["c.ts"], "" => 0, "c 3\n", [];
        file_json: ["d.json"], "" => 0, "", [];
        file_of_broken_json: ["broken.json"], "" => 1, "", ["SyntaxError", "broken.json"];
        file_without_an_ending: ["plain"], "" => 0, "plain function\n", [];
        file_with_a_shebang: ["shebang"], "" => 0, "shebang\n", [];
        file_with_another_ending: ["text.txt"], "" => 0, "text\n", [];
        file_of_a_package_of_modules: ["esm/m.js"], "" => 0, "esm undefined\n", [];
        file_with_the_syntax_of_a_module: ["detected.js"], "" => 0, "detected undefined\n", [];
        check_alone: ["--check", "a.mjs"], "" => 0, "", [];
        check_by_its_letter: ["-c", "exit.js"], "" => 0, "", [];
        check_does_not_link: ["-c", "missing.mjs"], "" => 0, "", [];
        check_of_a_mistake: ["-c", "syntax.mjs"], "" => 1, "", ["syntax.mjs:2\n\tlet b = ;\n\t        ^\n\n", "SyntaxError: "];
        check_of_json: ["-c", "broken.json"], "" => 1, "", ["SyntaxError"];
        check_of_another_ending: ["-c", "text.txt"], "" => 1, "", ["ERR_UNKNOWN_FILE_EXTENSION"];
        folder_with_an_index: ["dir"], "" => 0, "index\n", [];
        folder_with_a_package: ["pkg"], "" => 0, "main\n", [];
        file_that_is_not_there: ["none.js"], "" => 1, "", ["none.js"];
        module_without_an_export: ["missing.mjs"], "" => 1, "", ["missing.mjs:1\nimport { nothing } from './a.mjs';\n         ^^^^^^^\n", "SyntaxError: The requested module './a.mjs' does not provide an export named 'nothing'"];
        module_that_requires: ["require.mjs"], "" => 1, "", ["require.mjs:1\nrequire('fs');\n^\n\n", "ReferenceError: require is not defined in ES module scope, you can use import instead"];
        module_with_a_mistake: ["syntax.mjs"], "" => 1, "", ["syntax.mjs:2\n\tlet b = ;\n\t        ^\n\n", "SyntaxError: "];
        module_that_waits_forever: ["tla.mjs"], "" => 13, "", ["top-level await"];
        exit_code: ["exit.js"], "" => 5, "exit 5\n", [];
        exit_at_once: ["-e", "process.exit(3); console.log('no')"], "" => 3, "", [];
        exit_code_as_text: ["-e", "process.exit('3')"], "" => 3, "", [];
        exit_code_of_nine_bits: ["-e", "process.exitCode = 257"], "" => 1, "", [];
        exit_listener_that_sets_it: ["-e", "process.on('exit', () => { process.exitCode = 9; })"], "" => 9, "", [];
        signal_to_itself: ["-e", "process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 1e6)"], "" => 143, "", [];
        rejection_that_nobody_handles: ["-e", "Promise.reject(new Error('no'))"], "" => 1, "", ["Error: no"];
        exposed_gc: ["--expose-gc", "-p", "typeof gc"], "" => 0, "function\n", [];
        exposed_gc_as_v8_spells_it: ["--expose_gc", "-p", "typeof gc"], "" => 0, "function\n", [];
        listener_that_throws: ["listener.js"], "" => 7, "", ["Error: again"];
        forced_colors: ["-e", "process.env.FORCE_COLOR = '1'; console.log(util.styleText('red', 'x', { validateStream: true }))"], "" => 0, "\u{1b}[31mx\u{1b}[39m\n", [];
    }
}

mod ours {
    use super::check;

    rows! { false;
        the_version: ["--version"], "" => 0, concat!("tombolo ", env!("CARGO_PKG_VERSION"), "\n"), [];
        the_version_by_nodes_letter: ["-v"], "" => 0, concat!("tombolo ", env!("CARGO_PKG_VERSION"), "\n"), [];
        code_twice: ["-p", "1", "-e", "2"], "" => 2, "", ["'--eval <CODE>' cannot be used multiple times"];
        a_flag_of_nodes_for_the_heap: ["--max-old-space-size=100", "args.js"], "" => 2, "", ["tip: ", "`--max-memory=SIZE`"];
        check_of_types: ["-c", "c.ts"], "" => 0, "", [];
        check_of_an_import: ["-c", "lost.mjs"], "" => 1, "", ["ERR_MODULE_NOT_FOUND", "none.mjs"];
        check_of_code: ["-c", "-e", "1"], "" => 2, "", ["'--check'"];
        check_of_a_folder: ["-c", "dir"], "" => 1, "", ["--check looks at one file"];
        an_unknown_flag: ["--no-such-flag"], "" => 2, "", ["error: unexpected argument '--no-such-flag'"];
        a_flag_of_nodes: ["--require=x", "args.js"], "" => 2, "", ["--require", "tip: ", "Node", "import"];
        a_flag_without_its_value: ["-e"], "" => 2, "", ["a value is required for '--eval"];
        a_wrong_input_type: ["--input-type=text", "-e", "1"], "" => 2, "", ["invalid value 'text'", "module, commonjs"];
        a_trace_without_its_equals_sign: ["--guest-memory", "trace"], "" => 1, "", ["cannot find the file trace", "tip: ", "--guest-memory=trace"];
        a_module_with_a_name_that_is_nearly_right: ["-e", "require('node:paht')"], "" => 1, "", ["No such built-in module: node:paht", "tip: ", "`node:path`"];
        a_module_of_text: ["-e", "await import('./text.txt')"], "" => 1, "", ["ERR_UNKNOWN_FILE_EXTENSION", "tip: ", ".mjs"];
        json_without_an_attribute: ["-e", "await import('./d.json')"], "" => 1, "", ["ERR_IMPORT_ATTRIBUTE_MISSING", "tip: ", "with { type: 'json' }"];
        an_empty_folder: ["esm"], "" => 1, "", ["Cannot find module", "MODULE_NOT_FOUND"];
    }
}

#[test]
fn colors_where_they_are_wanted() {
    let folder = folder();
    let colored = "[ \u{1b}[33m1\u{1b}[39m ]\n";
    let run = |variable: &str, value: &str| folder.run(["-p", "[1]"]).env_remove("FORCE_COLOR").env(variable, value);
    run("FORCE_COLOR", "1").outcome().exits(0).stdout(colored);
    run("FORCE_COLOR", "0").outcome().exits(0).stdout("[ 1 ]\n");
    run("TERM", "xterm-256color").outcome().exits(0).stdout("[ 1 ]\n");
}

#[test]
fn files_that_are_not_text() {
    let folder =
        Folder::with("module", b"\0asm\x01\0\0\0").and("program", b"\x7fELF\x02\x01\x01\0").and("data.bin", b"a\0b");
    for (name, what) in [("module", "WebAssembly"), ("program", "ELF"), ("data.bin", "binary file")] {
        folder.run([name]).outcome().exits(1).stdout("").stderr_has(&["tombolo: ", name, what, "tip: ", ".mjs"]);
    }
}

#[test]
fn a_mistake_in_a_module_in_the_text_format_names_its_file() {
    let folder = Folder::with("m.wat", "(module\n  (func (i32.cons 1)))");
    folder.run(["m.wat"]).outcome().exits(1).stdout("").stderr_has(&["tombolo: m.wat: ", "m.wat:2:10"]);
}

#[test]
fn a_mistake_in_types_has_its_line() {
    let folder = Folder::with("a.ts", "let a: number = 1;\nenum B { C }\n");
    let shown = "a.ts:2\nenum B { C }\n^";
    folder.run(["a.ts"]).outcome().exits(1).stderr_has(&[shown, "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX", "a.ts:2:1"]);
}

#[test]
fn the_module_loader_is_not_in_stacks() {
    let folder = Folder::with("a.cjs", "require('./b.cjs');").and("b.cjs", "throw new Error('deep');");
    let outcome = folder.run(["a.cjs"]).outcome().exits(1).stderr_has(&[
        "b.cjs:1\nthrow new Error('deep');\n",
        "Error: deep",
        "b.cjs:1",
        "a.cjs:1",
    ]);
    assert!(!outcome.stderr.trim_end().ends_with("node:internal/common_js"), "{}", outcome.report());
    assert!(outcome.stderr.lines().last().is_some_and(|line| line.contains("a.cjs")), "{}", outcome.report());
}

#[test]
fn help_fits_into_80_columns() {
    let folder = Folder::new();
    let commands = [vec![], vec!["bind"], vec!["cache"], vec!["compile"], vec!["inspect"]];
    for command in commands {
        for flag in ["-h", "--help"] {
            let args = command.iter().copied().chain([flag]);
            let outcome = folder.run(args).outcome().exits(0);
            let long: Vec<_> = outcome.stdout.lines().filter(|line| line.chars().count() > 80).collect();
            assert!(long.is_empty(), "{command:?} {flag}: {long:#?}");
        }
    }
}
