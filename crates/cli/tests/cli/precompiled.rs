//! Compiled code in files that are shipped with a program: `tombolo compile -o` and `--precompiled`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::harness::{Folder, Run, guest};

const PROGRAM: &str = "import { readFileSync } from 'node:fs';
    const module = new WebAssembly.Module(readFileSync('guest.wasm'));
    const wasi_snapshot_preview1 = new Proxy({}, { get: () => () => 0 });
    const { exports } = new WebAssembly.Instance(module, { wasi_snapshot_preview1 });
    console.log(typeof exports.malloc, exports.memory.buffer.byteLength > 0);";
const PRINTED: &str = "function true\n";

/// A folder with a program, its module, and the module's code in `guest.code`.
fn folder() -> Folder {
    let folder = Folder::with("app.mjs", PROGRAM).and("guest.wasm", fs::read(guest("demo.wasm")).unwrap());
    folder.run(["compile", "-o", "guest.code", "guest.wasm"]).outcome().exits(0).stdout("").stderr("");
    folder
}

/// Runs with a cache, which is filled by everything that is compiled.
fn run(folder: &Folder, args: &[&str]) -> Run {
    folder.run(args).env("TOMBOLO_CACHE", "cache")
}

fn compiled(folder: &Folder) -> usize {
    fs::read_dir(folder.path().join("cache")).map_or(0, |entries| entries.count())
}

#[test]
fn code_from_a_file_is_not_compiled() {
    let folder = folder();
    run(&folder, &["--precompiled=guest.code", "app.mjs"]).outcome().exits(0).stdout(PRINTED).stderr("");
    assert_eq!(compiled(&folder), 0);
    // Without the option, a file beside the module means nothing.
    run(&folder, &["app.mjs"]).outcome().exits(0).stdout(PRINTED).stderr("");
    assert_eq!(compiled(&folder), 1);
}

#[test]
fn it_is_written_without_the_cache() {
    let folder = Folder::with("guest.wasm", fs::read(guest("demo.wasm")).unwrap());
    let off = folder.run(["compile", "guest.wasm", "--output", "guest.code"]).env("TOMBOLO_CACHE", "off");
    off.outcome().exits(0).stdout("").stderr("");
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn a_file_is_replaced_and_not_written_over() {
    let folder = folder();
    let number = |name: &str| fs::metadata(folder.path().join(name)).unwrap().ino();
    let first = number("guest.code");
    fs::hard_link(folder.path().join("guest.code"), folder.path().join("mapped")).unwrap();
    folder.run(["compile", "-o", "guest.code", "guest.wasm"]).outcome().exits(0);
    assert_eq!(number("mapped"), first);
    assert_ne!(number("guest.code"), first);
}

#[test]
fn a_file_has_the_code_of_one_module_and_several_can_be_loaded() {
    let mut folder = folder();
    let text = |number: usize| format!("(module {})", format!("(func (drop (i32.const {number})))").repeat(200));
    for number in 0..3 {
        folder = folder.and(&format!("{number}.wat"), text(number));
    }
    let both = folder.run(["compile", "-o", "both.code", "0.wat", "1.wat"]);
    both.outcome().exits(1).stdout("").stderr_has(&["-o takes the code of one module"]);
    for number in ["0", "1"] {
        let (code, text) = (format!("{number}.code"), format!("{number}.wat"));
        folder.run(["compile", "-o", &code, &text]).outcome().exits(0);
    }
    for number in 0..3 {
        folder = folder.and(&format!("{number}.wasm"), wat::parse_str(text(number)).unwrap());
    }
    let folder = folder.and(
        "three.mjs",
        "import { readFileSync } from 'node:fs';
        for (let i = 0; i < 3; i++) new WebAssembly.Module(readFileSync(`${i}.wasm`));",
    );
    run(&folder, &["--precompiled=0.code", "--precompiled=1.code", "three.mjs"]).outcome().exits(0).stderr("");
    assert_eq!(compiled(&folder), 1, "the third is compiled as usual");
}

#[test]
fn workers_use_it() {
    let main = "import { Worker } from 'node:worker_threads'; new Worker(new URL('app.mjs', import.meta.url));";
    let folder = folder().and("main.mjs", main);
    run(&folder, &["--precompiled=guest.code", "main.mjs"]).outcome().exits(0).stdout(PRINTED).stderr("");
    assert_eq!(compiled(&folder), 0);
}

#[test]
fn wasi_commands_use_it() {
    let folder = Folder::with("hello.wasm", fs::read(guest("hello.wasm")).unwrap());
    folder.run(["compile", "-o", "hello.code", "hello.wasm"]).outcome().exits(0);
    let plain = run(&folder, &["--no-cache", "hello.wasm"]).merged();
    assert_eq!(run(&folder, &["--precompiled=hello.code", "hello.wasm"]).merged(), plain);
    assert_eq!(compiled(&folder), 0);
}

#[test]
fn a_file_that_does_not_fit_is_an_error() {
    let folder = folder();
    let code = folder.path().join("guest.code");
    let whole = fs::read(&code).unwrap();
    let fails = |file: &Path, why: &str| {
        let option = format!("--precompiled={}", file.display());
        let outcome = run(&folder, &[&option, "app.mjs"]).outcome();
        outcome.exits(1).stdout("").stderr_has(&["tombolo: ", file.to_str().unwrap(), why]);
    };
    fails(Path::new("none.code"), "No such file");
    fails(Path::new("app.mjs"), "it is not a file of compiled code");
    fails(Path::new("."), "Is a directory");
    for at in (0..whole.len()).step_by(whole.len() / 10) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        fs::write(&code, damaged).unwrap();
        fails(&code, "it is damaged");
        fs::write(&code, &whole[..at]).unwrap();
        fails(&code, "it is not a file of compiled code, or not a whole one");
    }
    // The cache's own files are for this very machine and configuration.
    run(&folder, &["app.mjs"]).outcome().exits(0);
    let entry = fs::read_dir(folder.path().join("cache")).unwrap().next().unwrap().unwrap().path();
    fails(&entry, "it was compiled by another build of Tombolo, or with other options");
}

#[test]
fn another_machine_says_what_is_different() {
    let folder = folder();
    // With little address space, memories are checked in another way.
    let setup = "ulimit -v 60000000";
    let little = Run::behind(setup, folder.path(), &["--precompiled=guest.code", "--no-cache", "app.mjs"]);
    little.outcome().exits(1).stdout("").stderr_has(&["guest.code: it was compiled for another machine", "memory"]);
}

#[test]
fn what_cannot_be_compiled_or_written_is_an_error() {
    let folder = Folder::with("broken.wasm", "\0asm\u{1}\0\0\0\u{1}").and("small.wat", "(module)");
    let compile = |output: &str, file: &str| folder.run(["compile", "-o", output, file]).outcome();
    compile("out.code", "broken.wasm").exits(1).stdout("").stderr_has(&["broken.wasm: "]);
    compile("none/out.code", "small.wat").exits(1).stdout("").stderr_has(&["cannot write none/out.code: No such file"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}
