//! `--guest-memory=trace`.

use crate::harness::{Folder, Outcome, guest};

/// Makes a guest, with `wasi` for its heap.
const SET_UP: &str = r"import { readFileSync } from 'node:fs';
import { Wasi } from 'tombolo:marshal';
const wasi = new Wasi({});
const module = new WebAssembly.Module(readFileSync('demo.wasm'));
const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.imports() });
wasi.init(instance);
";

/// The number of the first line behind [`SET_UP`].
const FIRST: usize = 7;

fn folder(script: &str) -> Folder {
    let demo = std::fs::read(guest("demo.wasm")).expect("the guest is there");
    Folder::with("a.mjs", format!("{SET_UP}{script}")).and("demo.wasm", demo)
}

fn trace(folder: &Folder) -> Outcome {
    folder.run(["--guest-memory=trace", "a.mjs"]).outcome()
}

/// The rows of the table below the heading that begins so.
fn table<'a>(outcome: &'a Outcome, heading: &str) -> Vec<&'a str> {
    let rows = outcome.stderr.lines().skip_while(|line| !line.starts_with(heading)).skip(2);
    let rows: Vec<_> = rows.take_while(|line| !line.is_empty()).collect();
    if rows.is_empty() {
        outcome.fail(&format!("expected a table below {heading:?}"));
    }
    rows
}

#[test]
fn a_leak_is_found() {
    let folder = folder(
        "const cache = [];
         function remember() {
           cache.push(wasi.float64Array(100));
         }
         function forget() { wasi.float64Array(200); }
         for (let i = 0; i < 30; i++) { remember(); forget(); }",
    );
    let outcome =
        trace(&folder).exits(0).stdout("").stderr_has(&["guest memory trace: ", "held      30 blocks, 23.4 KiB"]);
    let rows = table(&outcome, "Blocks that are held");
    let place = format!(" a.mjs:{}:", FIRST + 2);
    let words: Vec<_> = rows[0].split_whitespace().collect();
    assert_eq!(words[..5], ["23.4", "KiB", "30", "800", "B"], "{}", outcome.stderr);
    assert!(rows[0].contains(&place) && rows[0].ends_with(" remember"), "{}", outcome.stderr);
    // What called the line is told as well.
    assert!(rows[1].contains(&format!("from a.mjs:{}:", FIRST + 5)), "{}", outcome.stderr);
    assert_eq!(rows.len(), 2, "{}", outcome.stderr);
    assert!(outcome.stderr.lines().all(|line| line.chars().count() <= 100), "{}", outcome.stderr);
}

#[test]
fn the_example() {
    let args = ["--guest-memory=trace", "examples/trace.mjs"];
    let outcome = crate::harness::Run::new(&crate::harness::repository(), args).outcome().exits(0);
    let outcome = outcome.stderr_has(&["held      2,000 blocks, 46.9 KiB", "examples/trace.mjs:20:", " product"]);
    assert_eq!(table(&outcome, "Blocks that are held").len(), 2, "{}", outcome.stderr);
}

#[test]
fn without_leaks_none_is_reported() {
    let folder = folder(
        "function use(n) { const view = wasi.float64Array(n); view[0] = n; return view.subarray(1); }
         for (let i = 1; i < 1000; i++) use(i);
         // Garbage that refers to itself.
         for (let i = 1; i < 100; i++) { const cycle = { view: wasi.int8Array(10) }; cycle.self = cycle; }",
    );
    let outcome = trace(&folder).exits(0).stderr_has(&["held      0 blocks, 0 B", "\nNo block is held.\n"]);
    assert!(!outcome.stderr.contains("never freed"), "{}", outcome.stderr);
}

#[test]
fn the_peak() {
    let folder = folder(
        "function peak() {
           const views = [];
           for (let i = 0; i < 10; i++) views.push(wasi.float64Array(100));
           views.push(wasi.int8Array(240));
         }
         wasi.int8Array(1);
         peak();
         wasi.int8Array(7000);",
    );
    // The view of one byte is freed before anything else is allocated: 10 times 800 and 240 bytes.
    let outcome = trace(&folder).exits(0).stderr_has(&["peak      11 blocks, 8.0 KiB after "]);
    let rows = table(&outcome, "The peak of 8.0 KiB after ");
    assert_eq!(rows.len(), 2, "{}", outcome.stderr);
    let (first, second) = (format!("a.mjs:{}:", FIRST + 2), format!("a.mjs:{}:", FIRST + 3));
    assert!(rows[0].trim().starts_with("7.8 KiB") && rows[0].contains(&first), "{}", outcome.stderr);
    assert!(rows[1].trim().starts_with("240 B") && rows[1].contains(&second), "{}", outcome.stderr);
}

#[test]
fn arguments_are_lent() {
    let folder = folder(
        "import { ArrayType, Float64Type, FunctionPrototype, In, Int32Type } from 'tombolo:marshal';
         const f64 = new Float64Type();
         const params = [new In(new ArrayType(f64)), new In(new ArrayType(f64)), new In(new Int32Type())];
         const multiply = new FunctionPrototype(params, new ArrayType(f64, 4));
         const guest = wasi.instance.exports;
         for (let i = 0; i < 50; i++)
           multiply.invoke(wasi.memoryManager, guest.multiply, [1, 2, 3, 4], [1, 2, 3, 4], 4);
         wasi.memoryManager.malloc(1234);",
    );
    // Both arrays of a call are in one block.
    let outcome = trace(&folder)
        .exits(0)
        .stderr_has(&["lent      51 blocks, 4.3 KiB", "of which the host has not freed 1 block, 1.2 KiB"]);
    let rows = table(&outcome, "What came and went");
    let calls = rows.iter().find(|row| row.contains(&format!("a.mjs:{}:", FIRST + 6)));
    let words: Vec<_> = calls.unwrap_or_else(|| outcome.fail("the call's line")).split_whitespace().collect();
    assert_eq!(words[..6], ["–", "–", "3.1", "KiB", "50", "–"], "{}", outcome.stderr);
    let malloc = rows.iter().find(|row| row.contains(&format!("a.mjs:{}:", FIRST + 7)));
    let words: Vec<_> = malloc.unwrap_or_else(|| outcome.fail("malloc's line")).split_whitespace().collect();
    assert_eq!(words[..6], ["–", "–", "1.2", "KiB", "1", "1"], "{}", outcome.stderr);
}

#[test]
fn however_the_program_ends() {
    let held = ["held      1 block, 24 B", "a.mjs:"];
    let ends = [
        ("process.exit(3);", 3, ""),
        ("await 0; process.exit(4);", 4, ""),
        ("throw new Error('uncaught');", 1, "Error: uncaught"),
        ("setTimeout(() => { throw new TypeError('later'); });", 1, "TypeError: later"),
        ("Promise.reject(new Error('rejected'));", 1, "rejected"),
        (
            "const wat = [0,97,115,109,1,0,0,0,1,4,1,96,0,0,3,2,1,0,7,5,1,1,116,0,0,10,5,1,3,0,0,11];
             new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(wat))).exports.t();",
            1,
            "unreachable",
        ),
        ("process.exitCode = 7;", 7, ""),
    ];
    for (end, code, says) in ends {
        let folder = folder(&format!(
            "globalThis.kept = wasi.float64Array(3);
             function f() {{ const local = wasi.float64Array(5); {} }}\nf();\n{end}",
            if end.starts_with("process.exit(") { end } else { "" },
        ));
        trace(&folder).exits(code).stderr_has(&[says]).stderr_has(&held);
    }
    // Nothing that the runtime knows of is in a program of WASI alone, or in one that does not even begin.
    let folder =
        Folder::with("a.wat", r#"(module (func (export "_start") unreachable))"#).and("bad.mjs", "what is this");
    folder
        .run(["--guest-memory=trace", "a.wat"])
        .outcome()
        .exits(134)
        .stderr_has(&["unreachable", "held      0 blocks"]);
    folder
        .run(["--guest-memory=trace", "bad.mjs"])
        .outcome()
        .exits(1)
        .stderr_has(&["SyntaxError", "held      0 blocks"]);
    folder.run(["--guest-memory=trace", "none.mjs"]).outcome().exits(1).stderr_has(&["none.mjs", "held      0 blocks"]);
}

#[test]
fn the_chart() {
    let script = "const { f } = { ['f']() { globalThis.kept = wasi.float64Array(3000); } };
                  Object.defineProperty(f, 'name', { value: '</td><script>alert(1)</script>' });
                  f();\n";
    let folder = folder(script);
    let evil = "b <i>&amp; 'x'.mjs";
    std::fs::copy(folder.path().join("a.mjs"), folder.path().join(evil)).expect("it can be copied");
    let folder = folder.and("old.html", "x".repeat(1_000_000));
    for chart in ["new.html", "old.html"] {
        let flag = format!("--guest-memory=trace:{chart}");
        folder.run([&flag, evil]).outcome().exits(0).stderr_has(&["held      1 block", "The chart is in ", chart]);
        let html = std::fs::read_to_string(folder.path().join(chart)).expect("it was written");
        assert!(html.starts_with("<!DOCTYPE html>") && html.trim_end().ends_with("</html>"));
        assert!(!html.contains("<script") && !html.contains("<i>&amp; "), "{html}");
        assert!(html.contains("b &lt;i&gt;&amp;amp; &#39;x&#39;.mjs:7:"), "{html}");
        assert!(html.contains("&lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;"), "{html}");
        assert!(html.contains("<svg ") && html.contains("peak 23.4 KiB after "), "{html}");
    }
}

#[test]
fn mistakes() {
    let folder = Folder::with("a.mjs", "console.log('ran');").and("dir/file", "");
    for flag in ["foo", "", "tracer", "trace:", "Trace", "sums:x.html", "true"] {
        let says = ["--guest-memory", "expected `trace` or `trace:FILE.html`"];
        let says = if flag == "trace:" { &["a file name is missing after `trace:`"][..] } else { &says };
        let says = if flag.is_empty() { &["--guest-memory"][..] } else { says };
        folder.run([&format!("--guest-memory={flag}"), "a.mjs"]).outcome().exits(2).stdout("").stderr_has(says);
    }
    for chart in ["none/x.html", "dir", "dir/file/x.html", "/proc/x.html"] {
        let says = format!("tombolo: cannot write the trace to {chart}: ");
        let flag = format!("--guest-memory=trace:{chart}");
        folder.run([&flag, "a.mjs"]).outcome().exits(1).stdout("").stderr_has(&[&says]);
    }
    // One that fails late: the program has run, and its own exit code stays.
    let full = "--guest-memory=trace:/dev/full";
    folder
        .run([full, "a.mjs"])
        .outcome()
        .exits(1)
        .stdout("ran\n")
        .stderr_has(&["cannot write the trace to /dev/full: "]);
    let folder = folder.and("exit.mjs", "process.exit(9);");
    folder.run([full, "exit.mjs"]).outcome().exits(9).stderr_has(&["cannot write the trace to /dev/full: "]);
    // The flag without a value, and the file behind it, are what they were.
    folder
        .run(["--guest-memory", "a.mjs"])
        .outcome()
        .exits(0)
        .stdout("ran\n")
        .stderr_has(&["guest blocks: 0 allocated"]);
    folder.run(["--help"]).outcome().exits(0).stdout_has(&["--guest-memory[=<HOW>]", "`trace`"]);
}

#[test]
fn workers() {
    let worker = "import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { MemoryManager, Wasi } from 'tombolo:marshal';
const { memory, module } = workerData;
const guest = new WebAssembly.Instance(module, { env: { memory } }).exports;
const manager = new MemoryManager(memory, guest.malloc, guest.free);
parentPort.postMessage(manager.createTypedArray(Float64Array, 100));
const wasi = new Wasi({});
const demo = new WebAssembly.Module(readFileSync('demo.wasm'));
wasi.init(new WebAssembly.Instance(demo, { wasi_snapshot_preview1: wasi.imports() }));
globalThis.leak = wasi.int8Array(3000);
";
    let script = "import { Worker } from 'node:worker_threads';
import { MemoryManager } from 'tombolo:marshal';
import { readFileSync } from 'node:fs';
const module = new WebAssembly.Module(readFileSync('heap.wasm'));
const memory = new WebAssembly.Memory({ initial: 4, maximum: 64, shared: true });
const guest = new WebAssembly.Instance(module, { env: { memory } }).exports;
const manager = new MemoryManager(memory, guest.malloc, guest.free);
globalThis.kept = [];
for (const name of ['first', undefined]) {
  const worker = new Worker(new URL('./worker.mjs', import.meta.url), { name, workerData: { memory, module } });
  await new Promise((resolve) => {
    worker.on('message', (view) => kept.push(view));
    worker.on('exit', resolve);
  });
}
structuredClone(kept[0]);
if (process.argv[2]) { kept.pop(); manager.malloc(1); }
";
    let heap = std::fs::read(guest("heap.wasm")).expect("the guest is there");
    let folder = folder("").and("heap.wasm", heap).and("main.mjs", script).and("worker.mjs", worker);
    let outcome = folder.run(["--guest-memory=trace", "main.mjs"]).outcome().exits(0).stderr_has(&[
        "3 agents, 3 memories",
        "held      2 blocks, 1.6 KiB",
        "gone      2 blocks, 5.9 KiB never freed",
    ]);
    let held = table(&outcome, "Blocks that are held");
    assert_eq!(held.len(), 1, "{}", outcome.stderr);
    assert!(held[0].ends_with(" worker.mjs:7:49 [first, worker 2]"), "{}", outcome.stderr);
    let gone = table(&outcome, "Blocks that went with their memories");
    assert!(gone[0].contains("worker.mjs:11:") && gone[0].ends_with("[first, worker 2]"), "{}", outcome.stderr);
    let memories = table(&outcome, "Memories");
    let shared: Vec<_> = memories.iter().filter(|row| row.contains("shared memory")).collect();
    assert!(shared.len() == 1 && shared[0].contains(" 1.6 KiB "), "{}", outcome.stderr);
    // The main agent frees what a worker made.
    let outcome = folder.run(["--guest-memory=trace", "main.mjs", "free"]).outcome().exits(0);
    let outcome =
        outcome.stderr_has(&["3 agents", "held      1 block, 800 B", "4 blocks, 7.4 KiB in all, 1 of them freed"]);
    assert!(table(&outcome, "Blocks that are held")[0].ends_with(" worker.mjs:7:49 [first, worker 2]"));
}
