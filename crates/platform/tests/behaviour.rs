//! The loop, the ways in which a program can end, and modules: a small program for each.

mod support;

use support::{Folder, run};

#[test]
fn tasks_run_in_node_order() {
    let run = run("
        process.nextTick(() => console.log('tick'));
        Promise.resolve().then(() => console.log('micro'));
        setTimeout(() => {
          console.log('t1');
          process.nextTick(() => console.log('t1 tick'));
          Promise.resolve().then(() => console.log('t1 micro'));
        }, 1);
        setTimeout(() => console.log('t0'), 0);
        setTimeout(() => {
          setImmediate(() => console.log('second turn'));
          setTimeout(() => console.log('last'), 20);
        }, 5);
        await 0; console.log('main');");
    assert_eq!(run.stdout, "micro\nmain\ntick\nt1\nt1 tick\nt1 micro\nt0\nsecond turn\nlast\n");
    assert_eq!(run.outcome.exit_code, 0);
}

#[test]
fn immediates_wait_for_the_next_turn_and_can_be_cancelled() {
    let run = run("
        setImmediate(() => { console.log(1); setImmediate(() => console.log(3)); clearImmediate(dead); });
        const dead = setImmediate(() => console.log('dead'));
        setImmediate(() => console.log(2));");
    assert_eq!(run.stdout, "1\n2\n3\n");
}

#[test]
fn unreferenced_timers_do_not_hold_the_loop() {
    let run = run("
        setTimeout(() => console.log('never'), 10000).unref();
        const t = setInterval(() => {}, 1);
        t.unref();
        console.log(t.hasRef());");
    assert_eq!(run.stdout, "false\n");
}

#[test]
fn nothing_runs_after_process_exit() {
    let run = run("
        process.on('exit', (code) => console.log('exit', code));
        async function leave() {
          try { process.exit(3); } catch { console.log('caught'); } finally { console.log('finally'); }
        }
        Promise.resolve().then(() => console.log('micro'));
        setTimeout(() => console.log('timer'));
        try { await leave(); } finally { console.log('outer'); }");
    assert_eq!(run.stdout, "exit 3\n");
    assert_eq!(run.outcome.exit_code, 3);
    assert_eq!(run.outcome.uncaught, None);
}

#[test]
fn an_unhandled_rejection_ends_the_agent_and_a_handled_one_does_not() {
    let late = run("
        const p = Promise.reject(new Error('late'));
        await null;
        p.catch(() => console.log('handled'));
        setTimeout(() => console.log('on'), 1);");
    assert_eq!((late.stdout.as_str(), late.outcome.exit_code), ("handled\non\n", 0));
    let lost = run("setTimeout(() => console.log('never'), 5); Promise.reject(new Error('lost'));");
    assert_eq!((lost.stdout.as_str(), lost.outcome.exit_code), ("", 1));
    assert!(lost.stderr.contains("Uncaught Error: lost\n    at "), "{}", lost.stderr);
    let plain = run("Promise.reject(7)");
    assert!(
        plain.stderr.contains("[ERR_UNHANDLED_REJECTION]") && plain.stderr.contains("reason \"7\""),
        "{}",
        plain.stderr
    );
    let heard = run("
        process.on('unhandledRejection', (r) => console.log('heard', r));
        Promise.reject(8);
        setTimeout(() => console.log('on'), 1);");
    assert_eq!((heard.stdout.as_str(), heard.outcome.exit_code), ("heard 8\non\n", 0));
}

#[test]
fn uncaught_errors_are_reported_with_stack_cause_and_properties() {
    let failed =
        run("function f() { throw Object.assign(new TypeError('bad', { cause: new Error('why') }), { extra: 1 }); }
        process.on('exit', (c) => console.log('exit', c)); f();");
    assert_eq!((failed.stdout.as_str(), failed.outcome.exit_code), ("exit 1\n", 1));
    for part in ["Uncaught TypeError: bad\n    at f (file://DIR/main.mjs:1:", "extra: 1", "[cause]: Error: why"] {
        assert!(failed.stderr.contains(part), "{part} not in {}", failed.stderr);
    }
    assert_eq!(run("throw 42").stderr, "Uncaught 42\n");
    let taken = run("
        process.on('uncaughtException', (e) => console.log('took', e.message));
        setTimeout(() => console.log('on'), 2);
        setTimeout(() => { throw new Error('x'); }, 0);");
    assert_eq!((taken.stdout.as_str(), taken.outcome.exit_code), ("took x\non\n", 0));
}

#[test]
fn a_microtask_that_throws_stops_no_other() {
    let run = run("
        process.on('uncaughtException', (e) => console.log('took', e));
        queueMicrotask(() => { throw 1; });
        queueMicrotask(() => console.log('next'));");
    assert_eq!(run.stdout, "took 1\nnext\n");
}

#[test]
fn top_level_await_that_never_settles_is_exit_code_13() {
    let run = run("process.on('exit', (c) => console.log(c)); await new Promise(() => {});");
    assert_eq!((run.stdout.as_str(), run.outcome.exit_code), ("13\n", 13));
    assert!(
        run.stderr.contains("Warning: Detected unsettled top-level await at file://DIR/main.mjs"),
        "{}",
        run.stderr
    );
}

#[test]
fn modules_resolve_as_in_node() {
    let folder = Folder::new(&[
        (
            "main.mjs",
            "
            import data from './data.json' with { type: 'json' };
            import main, { kind } from 'pkg';
            import { sub } from 'pkg/features/one';
            import old from 'old'; import own from '#own';
            import * as path from 'path'; import fs from 'node:fs';
            console.log(data, main, kind, sub, old, own, path.join('a', 'b'), typeof fs.readFileSync);
            const { filename, dirname, url } = import.meta;
            console.log(filename, dirname, url, import.meta.main, import.meta.resolve('./x y.mjs'));
            const tell = (e) => console.log(`${e.name} ${e.code} ${e.message}`);
            for (const name of ['./none.mjs', 'none', 'node:none', 'pkg/hidden', './data.json', './folder',
              'https://x/y.mjs', '#other']) await import(name).catch(tell);
            console.log(
              (await import('./data.json', { with: { type: 'json' } })).default === data,
              (await import('./b.mjs?1')) === (await import('./b.mjs?2')));",
        ),
        ("data.json", "{ \"a\": [1] }"),
        ("package.json", "{ \"imports\": { \"#own\": \"./own.mjs\" } }"),
        ("own.mjs", "export default 'own';"),
        ("b.mjs", "export const main = import.meta.main;"),
        ("folder/x.mjs", ""),
        (
            "node_modules/pkg/package.json",
            "{ \"name\": \"pkg\", \"exports\": {
            \".\": { \"require\": \"./r.cjs\", \"import\": \"./i.mjs\" },
            \"./features/*\": \"./f/*.mjs\", \"./hidden\": null } }",
        ),
        ("node_modules/pkg/i.mjs", "export default 'pkg main'; export const kind = 'import';"),
        ("node_modules/pkg/f/one.mjs", "export const sub = 1;"),
        ("node_modules/old/package.json", "{ \"main\": \"lib\", \"type\": \"module\" }"),
        ("node_modules/old/lib/index.js", "export default 'old index';"),
    ]);
    let run = folder.run("main.mjs");
    let expected = "{ a: [ 1 ] } pkg main import 1 old index own a/b function
DIR/main.mjs DIR file://DIR/main.mjs true file://DIR/x%20y.mjs
Error ERR_MODULE_NOT_FOUND Cannot find module 'DIR/none.mjs' imported from DIR/main.mjs
Error ERR_MODULE_NOT_FOUND Cannot find package 'none' imported from DIR/main.mjs
Error ERR_UNKNOWN_BUILTIN_MODULE No such built-in module: node:none
Error ERR_PACKAGE_PATH_NOT_EXPORTED Package subpath './hidden' is not defined by \
\"exports\" in DIR/node_modules/pkg/package.json imported from DIR/main.mjs
TypeError ERR_IMPORT_ATTRIBUTE_MISSING Module \"file://DIR/data.json\" needs an import attribute of \"type: json\"
Error ERR_UNSUPPORTED_DIR_IMPORT Directory import 'DIR/folder' is not supported \
resolving ES modules imported from DIR/main.mjs
Error ERR_UNSUPPORTED_ESM_URL_SCHEME Only URLs with a scheme in: file, data, and node are supported \
by the default ESM loader. Received protocol 'https:'
TypeError ERR_PACKAGE_IMPORT_NOT_DEFINED Package import specifier \"#other\" is not defined in package DIR/package.json \
imported from DIR/main.mjs
true false
";
    assert_eq!(run.stdout, expected, "{}", run.stderr);
}

#[test]
fn errors_in_modules_say_where() {
    let syntax =
        Folder::new(&[("main.mjs", "import './bad.mjs';"), ("bad.mjs", "let a = 1;\nlet b = = 2;\n")]).run("main.mjs");
    assert!(
        syntax.stderr.contains("SyntaxError") && syntax.stderr.contains("file://DIR/bad.mjs:2:9"),
        "{}",
        syntax.stderr
    );
    assert_eq!(syntax.outcome.exit_code, 1);
    assert!(run("import { nothing } from 'node:path';").stderr.contains("SyntaxError"));
    assert!(Folder::new(&[("x", "")]).run("none.mjs").stderr.contains("ERR_MODULE_NOT_FOUND"));
}

#[test]
fn globals_are_like_nodes() {
    let run = run("
        for (const name of ['console', 'process', 'setTimeout', 'URL', 'TextDecoder', 'performance']) {
          void globalThis[name];
          const d = Object.getOwnPropertyDescriptor(globalThis, name);
          console.log(name, d.writable, d.configurable, 'value' in d);
        }
        URL = 5; console.log(URL); globalThis.crypto = 6; console.log(crypto, typeof self, typeof window, typeof gc);");
    assert!(run.stdout.ends_with("5\n6 undefined undefined function\n"), "{} {}", run.stdout, run.stderr);
    assert_eq!(run.stdout.matches("true true true").count(), 6);
}

#[test]
fn stdout_and_stderr_keep_their_text() {
    let run = run("
        console.log('a\\ud800b');
        console.error('e', { a: 1 });
        process.stdout.write(new Uint8Array([104, 105]));
        process.stderr.write('x');");
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("a\u{fffd}b\nhi", "e { a: 1 }\nx"));
}

#[test]
fn what_a_file_gets_is_decoded() {
    let run = run("
        import fs from 'node:fs';
        const file = new URL('./written', import.meta.url);
        const texts = [['--__', 'base64url'], ['++//', 'base64'], ['fbefff', 'hex'],
          ['\\u00fb\\u00ef\\u00ff', 'latin1']];
        for (const [data, encoding] of texts) {
          fs.writeFileSync(file, data, encoding);
          console.log(fs.readFileSync(file, 'hex'), fs.readFileSync(file, encoding) === data);
        }");
    assert_eq!(run.stdout, "fbefff true\n".repeat(4), "{}", run.stderr);
}
