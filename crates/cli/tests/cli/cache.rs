//! The cache of compiled code, from outside: nothing that happens to it changes what a program does.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::harness::{Folder, Run, guest};

/// Compiles a module that is large enough to be kept, and prints what it exports.
const PROGRAM: &str = "import { readFileSync } from 'node:fs';
    const module = new WebAssembly.Module(readFileSync('guest.wasm'));
    const wasi_snapshot_preview1 = new Proxy({}, { get: () => () => 0 });
    const { exports } = new WebAssembly.Instance(module, { wasi_snapshot_preview1 });
    console.log(typeof exports.malloc, exports.memory.buffer.byteLength > 0);";
const PRINTED: &str = "function true\n";

fn folder() -> Folder {
    Folder::with("app.mjs", PROGRAM).and("guest.wasm", fs::read(guest("demo.wasm")).unwrap())
}

/// Runs the program with its cache in the folder `cache`.
fn run(folder: &Folder, args: &[&str]) -> Run {
    folder.run(args.iter().chain(&["app.mjs"])).env("TOMBOLO_CACHE", "cache")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn code_is_kept_listed_and_cleared() {
    let folder = folder();
    let tombolo = |args: &[&str]| folder.run(args).env("TOMBOLO_CACHE", "cache");
    let path = folder.path().join("cache");
    tombolo(&["cache", "path"]).outcome().exits(0).stdout(&format!("{}\n", path.display())).stderr("");
    for empty in [["cache", "ls"], ["cache", "clear"]] {
        tombolo(&empty).outcome().exits(0).stdout("").stderr("");
    }
    tombolo(&["cache", "size"]).outcome().exits(0).stdout("0\n").stderr("");
    assert!(!path.exists(), "looking makes no folder");
    for _ in 0..2 {
        run(&folder, &[]).outcome().exits(0).stdout(PRINTED).stderr("");
        assert_eq!(files(&path).len(), 1);
    }
    let size = fs::metadata(&files(&path)[0]).unwrap().len();
    tombolo(&["cache", "size"]).outcome().exits(0).stdout(&format!("{size}\n"));
    let module = fs::metadata(guest("demo.wasm")).unwrap().len().to_string();
    tombolo(&["cache", "ls"]).outcome().exits(0).stdout_has(&[&size.to_string(), &module, "optimized", "now"]);
    tombolo(&["cache", "clear"]).outcome().exits(0).stdout("").stderr("");
    assert!(files(&path).is_empty());
}

#[test]
fn where_it_is() {
    let folder = folder();
    let path = |variables: &[(&str, &str)]| {
        let unset =
            ["TOMBOLO_CACHE", "XDG_CACHE_HOME", "HOME"].iter().fold(folder.run(["cache", "path"]), |run, name| {
                let value = variables.iter().find(|(variable, _)| variable == name);
                run.env(name, value.map_or("", |(_, value)| value))
            });
        unset.outcome()
    };
    path(&[("HOME", "/home/me")]).exits(0).stdout("/home/me/.cache/tombolo\n");
    path(&[("HOME", "/home/me"), ("XDG_CACHE_HOME", "/caches")]).exits(0).stdout("/caches/tombolo\n");
    // As the specification of these variables demands.
    path(&[("HOME", "/home/me"), ("XDG_CACHE_HOME", "caches")]).exits(0).stdout("/home/me/.cache/tombolo\n");
    path(&[("HOME", "/home/me"), ("TOMBOLO_CACHE", "/own")]).exits(0).stdout("/own\n");
    path(&[]).exits(1).stdout("").stderr_has(&["none of TOMBOLO_CACHE, XDG_CACHE_HOME and HOME"]);
    path(&[("HOME", "/home/me"), ("TOMBOLO_CACHE", "off")]).exits(1).stderr_has(&["TOMBOLO_CACHE=off"]);
}

#[test]
fn without_a_cache_programs_do_the_same() {
    let folder = folder().and("in-the-way", "");
    run(&folder, &["--no-cache"]).outcome().exits(0).stdout(PRINTED).stderr("");
    for cache in ["off", "in-the-way", "in-the-way/cache", "/proc/no/such"] {
        folder.run(["app.mjs"]).env("TOMBOLO_CACHE", cache).outcome().exits(0).stdout(PRINTED).stderr("");
    }
    let no_home = folder.run(["app.mjs"]).env("TOMBOLO_CACHE", "").env("XDG_CACHE_HOME", "").env("HOME", "");
    no_home.outcome().exits(0).stdout(PRINTED).stderr("");
    assert_eq!(files(folder.path()).len(), 3);
}

#[test]
fn a_file_that_cannot_be_written_is_no_failure() {
    let folder = folder();
    let limited = Run::behind("ulimit -f 8", folder.path(), &["app.mjs"]).env("TOMBOLO_CACHE", "cache");
    limited.outcome().exits(0).stdout(PRINTED).stderr("");
    let small = run(&folder, &[]).env("TOMBOLO_CACHE_SIZE", "1K");
    small.outcome().exits(0).stdout(PRINTED).stderr("");
    assert!(files(&folder.path().join("cache")).is_empty());
    let wrong = run(&folder, &[]).env("TOMBOLO_CACHE_SIZE", "much");
    wrong.outcome().exits(0).stdout(PRINTED).stderr_has(&["TOMBOLO_CACHE_SIZE", "\"much\"", "500M"]);
}

#[test]
fn what_others_could_write_is_not_run() {
    let folder = folder();
    run(&folder, &[]).outcome().exits(0).stdout(PRINTED).stderr("");
    let cache = folder.path().join("cache");
    let file = files(&cache).remove(0);
    fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
    run(&folder, &[]).outcome().exits(0).stdout(PRINTED).stderr_has(&["tombolo: warning: ", "others can write to it"]);
    // The file has been replaced.
    run(&folder, &[]).outcome().exits(0).stdout(PRINTED).stderr("");
    fs::set_permissions(&cache, Permissions::from_mode(0o777)).unwrap();
    run(&folder, &[])
        .outcome()
        .exits(0)
        .stdout(PRINTED)
        .stderr_has(&["tombolo: warning: ", "others must not be able to write to it"]);
    let ls = folder.run(["cache", "ls"]).env("TOMBOLO_CACHE", "cache");
    ls.outcome().exits(1).stdout("").stderr_has(&["cache", "others must not be able to write to it"]);
}

#[test]
fn damage_is_compiled_over() {
    let folder = folder();
    run(&folder, &[]).outcome().exits(0).stdout(PRINTED);
    let file = files(&folder.path().join("cache")).remove(0);
    let whole = fs::read(&file).unwrap();
    // The cache's own tests damage each byte.
    for at in (0..whole.len()).step_by(whole.len() / 8) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        for bytes in [&damaged[..], &whole[..at]] {
            fs::write(&file, bytes).unwrap();
            run(&folder, &[]).outcome().exits(0).stdout(PRINTED).stderr("");
            assert!(fs::read(&file).unwrap() == whole, "the same is compiled from the same");
        }
    }
}

#[test]
fn two_hundred_at_once() {
    let folder = folder();
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..200).map(|_| scope.spawn(|| run(&folder, &[]).outcome())).collect();
        for run in runs {
            run.join().unwrap().exits(0).stdout(PRINTED).stderr("");
        }
    });
    assert_eq!(files(&folder.path().join("cache")).len(), 1);
}

#[test]
fn compile_fills_it() {
    let folder = folder().and("text.wat", format!("(module {})", "(func (drop (i32.const 7)))".repeat(200)));
    let folder = folder.and("broken.wasm", "\0asm\u{1}\0\0\0\u{1}").and("note.wasm", "text");
    let compile = |files: &[&str]| folder.run([&["compile"], files].concat()).env("TOMBOLO_CACHE", "cache");
    compile(&["guest.wasm", "text.wat"]).outcome().exits(0).stdout("").stderr("");
    let cache = folder.path().join("cache");
    assert_eq!(files(&cache).len(), 2);
    run(&folder, &[]).outcome().exits(0).stdout(PRINTED);
    assert_eq!(files(&cache).len(), 2, "the program has found it");
    // A file that fails does not keep the others from being compiled.
    fs::remove_dir_all(&cache).unwrap();
    let outcome = compile(&["broken.wasm", "none.wasm", "note.wasm", "guest.wasm"]).outcome();
    outcome.exits(1).stdout("").stderr_has(&["broken.wasm: ", "none.wasm: No such file", "note.wasm: "]);
    assert_eq!(files(&cache).len(), 1);
    compile(&[]).outcome().exits(2).stderr_has(&["FILE"]);
    let small = folder.run(["compile", "guest.wasm"]).env("TOMBOLO_CACHE", "other").env("TOMBOLO_CACHE_SIZE", "1K");
    small.outcome().exits(1).stdout("").stderr_has(&["guest.wasm: its code cannot be kept"]);
    let off = folder.run(["compile", "guest.wasm"]).env("TOMBOLO_CACHE", "off");
    off.outcome().exits(1).stderr_has(&["TOMBOLO_CACHE=off"]);
}

#[test]
fn each_compiler_runs_the_program() {
    let folder = folder();
    for compiler in ["tiered", "optimizing", "fast"] {
        run(&folder, &[&format!("--compiler={compiler}")]).outcome().exits(0).stdout(PRINTED).stderr("");
    }
    let ls = folder.run(["cache", "ls"]).env("TOMBOLO_CACHE", "cache");
    ls.outcome().exits(0).stdout_has(&["fast", "optimized"]);
    run(&folder, &["--compiler=slow"]).outcome().exits(2).stderr_has(&["slow", "tiered, optimizing, fast"]);
}

#[test]
fn of_small_modules_the_first_is_kept() {
    let folder = Folder::with(
        "app.mjs",
        "const module = (result) => new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0,
            1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 6, 1, 4, 0, 65, result, 11]));
        console.log(new WebAssembly.Instance(module(1)).exports.f(), new WebAssembly.Instance(module(2)).exports.f());",
    );
    for kept in [1, 2, 2] {
        run(&folder, &[]).outcome().exits(0).stdout("1 2\n").stderr("");
        assert_eq!(files(&folder.path().join("cache")).len(), kept, "the second is the first that is compiled then");
    }
}

#[test]
fn a_full_disk_is_no_failure() {
    let unshare = std::process::Command::new("unshare").args(["-rm", "true"]).status();
    if !unshare.is_ok_and(|status| status.success()) {
        return testing::not_run("the cache on a full disk", "a file system of its own cannot be had here");
    }
    for size in ["8k", "32k", "64k"] {
        let folder = folder().and("cache/none", "");
        let within = format!("mount -t tmpfs -o size={size},mode=700 none cache && \"$0\" \"$@\" && ls cache");
        let full =
            Run::behind(&format!("exec unshare -rm sh -c '{within}' \"$0\" \"$@\""), folder.path(), &["app.mjs"]);
        full.env("TOMBOLO_CACHE", "cache").outcome().exits(0).stdout(PRINTED).stderr("");
    }
}
