//! Exit codes, and what is printed when a program fails.

use crate::harness::{Folder, guest, missing};

#[track_caller]
fn script(text: &str) -> crate::harness::Outcome {
    let folder = Folder::with("main.mjs", text);
    folder.run(["main.mjs"]).outcome()
}

#[test]
fn exit_codes() {
    script("").exits(0).stdout("").stderr("");
    script("process.exit(3); console.log('not reached');").exits(3).stdout("").stderr("");
    script("process.exitCode = 4; console.log('reached');").exits(4).stdout("reached\n").stderr("");
    script("process.exitCode = 4; process.exit();").exits(4);
    script("setTimeout(() => process.exit(5), 1); await new Promise(() => {});").exits(5).stderr("");
    script("process.on('exit', (code) => console.log('exit', code)); process.exit(6);").exits(6).stdout("exit 6\n");
    script("try { process.exit(7); } catch { console.log('caught'); } finally { console.log('finally'); }")
        .exits(7)
        .stdout("");
    script("Promise.resolve().then(() => process.exit(8)); for (;;) await null;").exits(8);
}

#[test]
fn top_level_await() {
    script("const value = await Promise.resolve(2); console.log(value);").exits(0).stdout("2\n");
    script("await new Promise((resolve) => setTimeout(resolve, 5)); console.log('later');").exits(0).stdout("later\n");
    script("await new Promise(() => {});").exits(13).stderr_has(&["unsettled top-level await", "main.mjs"]);
    script("await Promise.reject(new TypeError('no'));").exits(1).stderr_has(&["TypeError: no"]);
    let folder = Folder::with("main.mjs", "import { value } from './late.mjs'; console.log(value);")
        .and("late.mjs", "export const value = await new Promise((resolve) => setTimeout(resolve, 5, 'from afar'));");
    folder.run(["main.mjs"]).outcome().exits(0).stdout("from afar\n");
}

#[test]
fn an_uncaught_error_shows_message_and_stack() {
    let outcome =
        script("function inner() { throw new RangeError('too far'); }\nfunction outer() { inner(); }\nouter();\n");
    outcome.exits(1).stdout("").stderr_has(&[
        "Uncaught RangeError: too far\n",
        "at inner (",
        "main.mjs:1:",
        "at outer (",
        "main.mjs:2:",
        "main.mjs:3:",
    ]);
}

#[test]
fn an_uncaught_error_shows_its_causes_and_properties() {
    let text = "const first = new TypeError('first');\n\
                const second = new Error('second', { cause: first });\n\
                throw Object.assign(new Error('third', { cause: second }), { code: 'E_THIRD' });\n";
    script(text).exits(1).stderr_has(&[
        "Uncaught Error: third",
        "main.mjs:3:",
        "[cause]",
        "Error: second",
        "[cause]",
        "TypeError: first",
    ]);
    script(text).stderr_has(&["code: 'E_THIRD'"]);
    script("throw new AggregateError([new Error('one'), new Error('two')], 'both');").exits(1).stderr_has(&[
        "both",
        "Error: one",
        "Error: two",
    ]);
}

#[test]
fn values_that_are_no_errors() {
    script("throw 42;").exits(1).stderr("Uncaught 42\n");
    script("throw undefined;").exits(1).stderr("Uncaught undefined\n");
    script("throw { a: 1 };").exits(1).stderr("Uncaught { a: 1 }\n");
    script("throw { get stack() { throw 1; }, [Symbol.toStringTag]: 'X' };").exits(1).stderr_has(&["Uncaught"]);
    script("throw new Proxy({}, { get() { throw 1; }, ownKeys() { throw 2; } });").exits(1).stderr_has(&["Uncaught"]);
}

#[test]
fn what_came_before_an_error_is_printed_before_it() {
    let folder = Folder::with("main.mjs", "console.log('before');\nthrow new Error('end');");
    let merged = folder.run(["main.mjs"]).merged();
    assert_eq!(missing(&merged, &["before\n", "Uncaught Error: end"]), None, "{merged}");
}

#[test]
fn rejections_that_nobody_handles() {
    script("Promise.reject(new Error('rejected'));").exits(1).stderr_has(&["Error: rejected", "main.mjs:1:"]);
    script("Promise.reject(7);").exits(1).stderr_has(&["7"]);
    script("const p = Promise.reject(new Error('x')); p.catch(() => console.log('handled'));")
        .exits(0)
        .stdout("handled\n")
        .stderr("");
    script("setTimeout(() => { throw new Error('from a timer'); }, 1);").exits(1).stderr_has(&["Error: from a timer"]);
    script("queueMicrotask(() => { throw new Error('from a microtask'); });")
        .exits(1)
        .stderr_has(&["Error: from a microtask"]);
}

#[test]
fn a_syntax_error_shows_file_line_and_column() {
    script("let x = ;\n").exits(1).stdout("").stderr_has(&["SyntaxError", "main.mjs:1:9"]);
    script("let a = 1;\nlet b = 2;\n  foo bar;\n").exits(1).stderr_has(&["SyntaxError", "main.mjs:3:7"]);
    let folder = Folder::with("main.mjs", "import './broken.mjs';").and("broken.mjs", "\n\n   }");
    folder.run(["main.mjs"]).outcome().exits(1).stderr_has(&["SyntaxError", "broken.mjs:3:"]);
}

#[test]
fn imports_that_fail() {
    script("import './none.mjs';").exits(1).stderr_has(&["none.mjs", "main.mjs", "ERR_MODULE_NOT_FOUND"]);
    script("import { nothing } from 'node:fs';").exits(1).stderr_has(&["SyntaxError", "nothing"]);
    script("import 'no-such-package';").exits(1).stderr_has(&["no-such-package"]);
    script("try { await import('./none.mjs'); } catch (error) { console.log(error.code); }")
        .exits(0)
        .stdout("ERR_MODULE_NOT_FOUND\n");
}

/// A module whose function traps, in text with names.
const DIVIDE: &str = r#"(module
  (func $divide (export "divide") (param i32 i32) (result i32) (call $by (local.get 0) (local.get 1)))
  (func $by (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1))))"#;

fn divide(main: &str) -> Folder {
    let head = "import { readFileSync } from 'node:fs';\n\
                const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync('divide.wasm')));\n";
    let wasm = wat::parse_str(DIVIDE).expect("the text is a module");
    Folder::with("main.mjs", format!("{head}{main}")).and("divide.wasm", wasm)
}

#[test]
fn a_trap_names_the_guests_functions() {
    let outcome = divide("function caller() { exports.divide(1, 0); }\ncaller();").run(["main.mjs"]).outcome();
    outcome.exits(1).stderr_has(&[
        "Uncaught RuntimeError: integer divide by zero\n",
        "    at by (wasm-function[1]:0x",
        "    at divide (wasm-function[0]:0x",
        "    at caller (",
        "main.mjs:3:",
    ]);
}

#[test]
fn a_trap_as_the_cause_of_an_error() {
    let main = "try { exports.divide(1, 0); } catch (cause) { throw new Error('wrapped', { cause }); }";
    divide(main).run(["main.mjs"]).outcome().exits(1).stderr_has(&[
        "Uncaught Error: wrapped\n",
        "[cause]: RuntimeError: integer divide by zero",
        "at by (wasm-function[1]:0x",
        "at divide (wasm-function[0]:0x",
    ]);
}

#[test]
fn the_stack_of_a_trap_begins_with_its_message() {
    let main = "try { exports.divide(1, 0); } catch (error) { console.log(error.stack); }";
    divide(main).run(["main.mjs"]).outcome().exits(0).stdout_has(&[
        "RuntimeError: integer divide by zero\n    at by (wasm-function[1]:0x",
        "\n    at divide (wasm-function[0]:0x",
        "main.mjs:3:",
    ]);
}

#[test]
fn an_exit_by_a_guest_through_node_wasi() {
    let text = "import { readFileSync } from 'node:fs';\nimport { WASI } from 'node:wasi';\n\
                const wasi = new WASI({ version: 'preview1', args: ['hello', '--exit', '9'], returnOnExit: JSON.parse(process.argv[3]) });\n\
                const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(process.argv[2])), wasi.getImportObject());\n\
                console.log('code', wasi.start(instance));";
    let folder = Folder::with("main.mjs", text);
    let hello = guest("hello.wasm");
    folder
        .run(["main.mjs".as_ref(), hello.as_os_str(), "true".as_ref()])
        .outcome()
        .exits(0)
        .stdout_has(&["arg 2: 9\n", "code 9\n"]);
    let outcome = folder
        .run(["main.mjs".as_ref(), hello.as_os_str(), "false".as_ref()])
        .outcome()
        .exits(9)
        .stdout_has(&["arg 2: 9\n"]);
    assert!(!outcome.stdout.contains("code"), "{}", outcome.report());
}

#[test]
fn an_uncaught_stack_overflow() {
    script("const f = () => f() + 1; f();").exits(1).stderr_has(&["RangeError: Maximum call stack size exceeded"]);
    let text = "import { readFileSync } from 'node:fs';\nimport { WASI } from 'node:wasi';\n\
                const wasi = new WASI({ version: 'preview1' });\n\
                const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(process.argv[2])), wasi.getImportObject());\n\
                wasi.initialize(instance);\ninstance.exports.recurse(0);";
    let folder = Folder::with("main.mjs", text);
    let demo = guest("demo.wasm");
    folder
        .run(["main.mjs".as_ref(), demo.as_os_str()])
        .outcome()
        .exits(1)
        .stderr_has(&["RangeError: Maximum call stack size exceeded"]);
}

#[test]
fn debug_information_names_the_lines_of_a_guest() {
    let text = "import { readFileSync } from 'node:fs';
        const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]));
        Error.prepareStackTrace = globalThis.prepare;
        instance.exports.crash(3);";
    let folder = Folder::with("main.mjs", text);
    let guest = guest("crash.wasm");
    let run = |options: &[&str]| {
        let args = options.iter().map(std::ffi::OsStr::new).chain(["main.mjs".as_ref(), guest.as_os_str()]);
        folder.run(args)
    };
    let expected = [
        "RuntimeError: out of bounds memory access",
        "at value_of (wasm-function[1]:0xeb, ./src/crash.c:10:18)",
        "at sum (wasm-function[1]:0xeb, ./src/crash.c:16:18)",
        "at crash (wasm-function[0]:0x48, ./src/crash.c:26:12)",
    ];
    run(&["--debug-info"]).outcome().exits(1).stderr_has(&expected);
    run(&[]).env("TOMBOLO_DEBUG", "1").outcome().exits(1).stderr_has(&expected);
    // From the cache, compiled by a run that was not asked for it, all the same.
    run(&[]).outcome().exits(1).stderr_has(&["at sum (wasm-function[1]:0xeb)", "at crash (wasm-function[0]:0x48)"]);
    run(&["--debug-info"]).outcome().exits(1).stderr_has(&expected);
    let text = "globalThis.prepare = (error, sites) => {
        const show = (site) => [
          site.getFunctionName(), site.getFileName(), site.getLineNumber(), site.getColumnNumber(),
        ].join();
        console.log(sites.slice(0, 3).map(show).join(' '));
        return 'prepared';
    };";
    let folder = folder
        .and("prepare.mjs", text)
        .and("both.mjs", "import './prepare.mjs'; await import('./main.mjs').catch(() => {});");
    folder
        .run(["--debug-info".as_ref(), "both.mjs".as_ref(), guest.as_os_str()])
        .outcome()
        .exits(0)
        .stdout("value_of,./src/crash.c,10,18 sum,./src/crash.c,16,18 crash,./src/crash.c,26,12\n");
}
