//! What a program may load as its modules, and what `--allow-read` adds.

use super::{ask, scene};

#[test]
fn a_programs_own_modules_need_no_permission() {
    let folder = scene()
        .and("app/lib/esm.mjs", "export default 'esm'")
        .and("app/lib/cjs.cjs", "module.exports = 'cjs'")
        .and("app/lib/data.json", "\"json\"")
        .and("app/lib/typed.ts", "const text: string = 'ts'; export default text;")
        .and("app/lib/empty.wasm", b"\0asm\x01\0\0\0")
        .and("app/node_modules/own/package.json", r#"{ "main": "lib/main" }"#)
        .and("app/node_modules/own/lib/main.js", "module.exports = 'own'")
        .and("app/node_modules/own/extra", "module.exports = 'extra'")
        .and("node_modules/above/index.js", "module.exports = 'above'");
    let got = ask(
        &folder,
        &["--sandbox"],
        &[
            "import('./lib/esm.mjs').then((module) => module.default)",
            "require('./lib/cjs.cjs')",
            "require('./lib/data.json')",
            "import('./lib/data.json', { with: { type: 'json' } }).then((module) => module.default)",
            "import('./lib/typed.ts').then((module) => module.default)",
            "import('./lib/empty.wasm').then((module) => typeof module)",
            "import('own').then((module) => module.default)",
            "require('own')",
            "require('own/extra')",
            "require('above')",
            "import('data:text/javascript,export default 1').then((module) => module.default)",
            "require('./lib/none.js')",
            "import('./lib/none.js')",
            "import('none')",
        ],
    );
    let expected = [
        "esm",
        "cjs",
        "json",
        "json",
        "ts",
        "object",
        "own",
        "own",
        "extra",
        "above",
        "1",
        "failed MODULE_NOT_FOUND",
        "failed ERR_MODULE_NOT_FOUND",
        "failed ERR_MODULE_NOT_FOUND",
    ];
    assert_eq!(got, expected);
}

#[test]
fn other_modules_need_permission_to_be_read() {
    let folder = scene().and("app/.hidden/a.js", "").and("app/.secret.js", "").and("app/notes.txt", "");
    std::os::unix::fs::symlink("../secret.mjs", folder.path().join("app/link.mjs")).unwrap();
    let expressions = [
        "import('../secret.mjs').then((module) => module.default)",
        "import('../secret.json', { with: { type: 'json' } }).then((module) => module.default)",
        "import('file://' + here + '/secret.mjs').then((module) => module.default)",
        "import('./link.mjs').then((module) => module.default)",
        "require('../secret.json')",
        "require(here + '/secret.json')",
        "require('./link.mjs').default",
        "require.resolve('../secret.json')",
        "createRequire(here + '/x.js')('./secret.json')",
        "new module('x').require(here + '/secret.json')",
        "module._load(here + '/secret.json')",
        "module._extensions['.json'](new module('x'), here + '/secret.json')",
        "module._extensions['.js'](new module('x'), here + '/secret')",
    ];
    for (got, expression) in ask(&folder, &["--sandbox"], &expressions).iter().zip(expressions) {
        assert!(got.starts_with("refused FileSystemRead /"), "{expression}: {got}");
    }
    let got = ask(&folder, &["--sandbox", "--allow-read=."], &expressions[..7]);
    assert_eq!(got, ["secret"; 7]);
    // What is hidden, and what is no module, is not part of a program.
    let expressions = ["require('./.hidden/a.js')", "import('./.secret.js')", "require('./notes.txt')"];
    for (got, expression) in ask(&folder, &["--sandbox"], &expressions).iter().zip(expressions) {
        assert!(got.starts_with("refused FileSystemRead /app"), "{expression}: {got}");
    }
}

#[test]
fn what_is_refused_is_so_whether_it_is_there_or_not() {
    let folder = scene();
    let pairs = [
        ("require('../secret.json')", "require('../nothing.json')"),
        ("import('../secret.mjs')", "import('../nothing.mjs')"),
        ("require.resolve('../secret.json')", "require.resolve('../nothing.json')"),
        ("fs.statSync('secret', { throwIfNoEntry: false })", "fs.statSync('nothing', { throwIfNoEntry: false })"),
        ("fs.rmSync('secret', { force: true })", "fs.rmSync('nothing', { force: true })"),
        ("fs.statSync('app/../secret')", "fs.statSync('nothing/../secret')"),
        (
            "new WASI({ version: 'preview1', preopens: { a: 'out' } })",
            "new WASI({ version: 'preview1', preopens: { a: 'none' } })",
        ),
    ];
    for (there, nothing) in pairs {
        let got = ask(&folder, &["--sandbox"], &[there, nothing]);
        for text in got {
            assert!(text.starts_with("refused "), "{there}, {nothing}: {text}");
        }
    }
}

#[test]
fn a_program_alone_in_a_folder_has_no_json() {
    let folder = crate::harness::Folder::with("main.mjs", "").and("data.json", "1").and("lib.mjs", "export default 1");
    let script = "
        console.log((await import('./lib.mjs')).default);
        await import('./data.json', { with: { type: 'json' } }).catch((error) => console.log(error.code));
    ";
    std::fs::write(folder.path().join("main.mjs"), script).unwrap();
    folder.run(["--sandbox", "main.mjs"]).outcome().exits(0).stdout("1\nERR_ACCESS_DENIED\n");
}

#[test]
fn headers_are_modules_or_files() {
    let folder = scene()
        .and("app/own.h", "int f(int);")
        .and("secret.h", "int f(int);")
        .and("app/bad.h", "#include \"../secret.h\"");
    let header = |path: &str| {
        let instance = "new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)))";
        format!("import('tombolo:marshal').then((marshal) => typeof marshal.header({instance}, {path}))")
    };
    let (own, other) = (header("here + '/app/own.h'"), header("here + '/secret.h'"));
    let got = ask(&folder, &["--sandbox"], &[&own, &other]);
    assert!(!got[0].starts_with("refused"), "{got:?}");
    assert_eq!(got[1], "refused FileSystemRead /secret.h");
    let got = ask(&folder, &["--sandbox", "--allow-read=secret.h"], &[&other]);
    assert!(!got[0].starts_with("refused"), "{got:?}");
}
