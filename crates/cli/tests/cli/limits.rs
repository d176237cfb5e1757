//! The command where memory, threads, files or room on the disk are short: it runs, or says what is missing.

use std::path::Path;

use crate::harness::{Folder, Outcome, Run, repository};

/// Runs the command behind `setup`, which the shell runs first; limits are for what comes after.
fn behind(setup: &str, folder: &Path, args: &[&str]) -> Outcome {
    Run::behind(setup, folder, args).outcome()
}

/// Runs a script with so many KiB of address space.
fn within(kibibytes: u64, script: &str, args: &[&str]) -> Outcome {
    let folder = Folder::with("main.mjs", script);
    let args: Vec<_> = ["main.mjs"].iter().chain(args).copied().collect();
    behind(&format!("ulimit -v {kibibytes}"), folder.path(), &args)
}

#[test]
fn the_quickstart_runs_in_little_address_space() {
    let expected = Run::new(&repository(), ["examples/quickstart.mjs"]).outcome().exits(0);
    for kibibytes in [1_000_000, 8_000_000, 16_000_000] {
        let outcome = behind(&format!("ulimit -v {kibibytes}"), &repository(), &["examples/quickstart.mjs"]);
        outcome.exits(0).stdout(&expected.stdout).stderr(&expected.stderr);
    }
}

#[test]
fn a_memory_grows_as_far_as_there_is_room_and_stays_where_it_is() {
    let script = r"
        const types = [{ initial: 1 }, { initial: 1, maximum: 65536, shared: true }];
        for (const type of types) {
          const memory = new WebAssembly.Memory(type);
          let failure;
          try { for (;;) memory.grow(256); } catch (error) { failure = error; }
          const bytes = new Uint8Array(memory.buffer);
          bytes[bytes.length - 1] = 7;
          console.log(failure instanceof RangeError, bytes.length > 64 << 20, bytes.length < 4 << 28);
        }
        const small = new WebAssembly.Memory({ initial: 1, maximum: 20 });
        console.log(small.grow(19), small.buffer.byteLength);
    ";
    within(8_000_000, script, &[]).exits(0).stdout("true true true\ntrue true true\n1 1310720\n").stderr("");
}

/// Code that is compiled for such memories checks every access, also of shared memories that have grown.
#[test]
fn accesses_are_checked() {
    let guest = |memory: &str| {
        wat::parse_str(format!(
            r#"(module
                (import "host" "memory" (memory {memory}))
                (func (export "get") (param i32) (result i32) (i32.load8_u (local.get 0)))
                (func (export "far") (param i32) (result i32) (i32.load offset=4000000000 (local.get 0)))
                (func (export "grow") (result i32) (memory.grow (i32.const 100)))
                (func (export "spin") (loop (br 0))))"#
        ))
        .expect("the text is a module")
    };
    let script = r"
        import { readFileSync } from 'node:fs';
        import { Worker } from 'node:worker_threads';
        for (const [name, type] of [['own', { initial: 1, maximum: 2000 }], ['shared', { initial: 1, maximum: 2000, shared: true }]]) {
          const memory = new WebAssembly.Memory(type);
          const { get, far, grow } = new WebAssembly.Instance(
            new WebAssembly.Module(readFileSync(`${name}.wasm`)), { host: { memory } }).exports;
          const says = (body) => { try { return body(); } catch (error) { return error.name; } };
          const results = [says(() => get(65535)), says(() => get(65536)), says(() => get(-1)), says(() => far(0)), grow()];
          new Uint8Array(memory.buffer)[101 * 65536 - 1] = 9;
          console.log(...results, says(() => get(101 * 65536 - 1)), says(() => get(101 * 65536)));
        }
        const text = `
          const { readFileSync } = require('node:fs');
          const memory = new WebAssembly.Memory({ initial: 1, maximum: 2000 });
          const module = new WebAssembly.Module(readFileSync('own.wasm'));
          const { spin } = new WebAssembly.Instance(module, { host: { memory } }).exports;
          require('node:worker_threads').parentPort.postMessage('spinning');
          spin();`;
        const worker = new Worker(text, { eval: true });
        worker.on('message', () => worker.terminate());
        worker.on('exit', (code) => console.log('ended', code));
    ";
    let folder =
        Folder::with("main.mjs", script).and("own.wasm", guest("1 2000")).and("shared.wasm", guest("1 2000 shared"));
    let line = "0 RuntimeError RuntimeError RuntimeError 1 9 RuntimeError\n";
    let outcome = behind("ulimit -v 8000000", folder.path(), &["main.mjs"]);
    outcome.exits(0).stdout(&format!("{line}{line}ended 1\n")).stderr("");
}

#[test]
fn many_memories_end_in_a_range_error() {
    let script = r"
        const kept = [];
        let failure;
        try { for (;;) kept.push(new WebAssembly.Memory({ initial: 1 })); } catch (error) { failure = error; }
        console.log(kept.length >= Number(process.argv[2]), failure instanceof RangeError);
    ";
    within(1_000_000, script, &["50"]).exits(0).stdout("true true\n").stderr("");
    within(8_000_000, script, &["500"]).exits(0).stdout("true true\n").stderr("");
}

#[test]
fn workers_that_cannot_be_made_have_an_error() {
    let script = r"
        import { Worker } from 'node:worker_threads';
        const text = `
          new WebAssembly.Memory({ initial: 1 });
          require('node:worker_threads').parentPort.once('message', () => {});`;
        let running = 0, failed = 0;
        const workers = [];
        const counted = () => { if (running + failed === 300) workers.forEach((worker) => worker.postMessage('end')); };
        for (let i = 0; i < 300; i++) {
          const worker = new Worker(text, { eval: true });
          workers.push(worker);
          worker.on('online', () => { running++; worker.online = true; counted(); });
          worker.on('error', (error) => { failed++; if (worker.online) running--; counted(); });
        }
        process.on('exit', () => console.log(running + failed, failed > 0));
    ";
    within(1_000_000, script, &[]).exits(0).stdout("300 true\n").stderr("");
}

#[test]
fn what_does_not_fit_is_an_exception() {
    let script = r"
        const tables = () => {
          const module = new WebAssembly.Module(
            Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 4, 7, 1, 0x70, 0, 0x80, 0xad, 0xe2, 0x04));
          const kept = [];
          for (;;) kept.push(new WebAssembly.Instance(module));
        };
        const attempts = [
          tables,
          () => structuredClone(new Array(2 ** 24).fill(1)),
          () => new WebAssembly.Module(new Uint8Array(2 ** 29)),
          () => new TextDecoder('latin1').decode(new Uint8Array(2 ** 28)),
          () => new TextDecoder().decode(new Uint8Array(2 ** 28), { stream: true }),
        ];
        try { attempts[process.argv[2]](); console.log('fits'); } catch (error) { console.log(error.name); }
    ";
    let names = ["RangeError", "DataCloneError", "RangeError", "RangeError", "RangeError"];
    for (at, name) in names.into_iter().enumerate() {
        within(900_000, script, &[&at.to_string()]).exits(0).stdout(&format!("{name}\n")).stderr("");
    }
}

/// Texts of 64 MiB, where there are some 40 MiB left.
#[test]
fn a_text_that_does_not_fit_is_an_exception() {
    let script = r"
        import fs from 'node:fs';
        import { MessageChannel, Worker } from 'node:worker_threads';
        // Only one of them is needed.
        const text = (unit, length, ...attempts) => (attempts.includes(process.argv[2]) ? unit.repeat(length) : '');
        const latin = text('é', 2 ** 26, 'latin', 'errors'), wide = text('\u4e00', 2 ** 25, 'wide', 'output');
        const narrow = latin || wide ? '' : 'x'.repeat(2 ** 26);
        const { port1 } = new MessageChannel();
        const withStack = new Error('x');
        withStack.stack = '    at ' + narrow.slice(7);
        const map = new Map();
        if (process.argv[2] === 'map') for (let i = 0; i < 1e6; i++) map.set(i, i);
        const attempts = {
          narrow: () => structuredClone(narrow), latin: () => structuredClone(latin), wide: () => structuredClone(wide),
          key: () => structuredClone({ [narrow]: 1 }), error: () => structuredClone(withStack),
          posted: () => port1.postMessage(narrow), map: () => { for (let kept = []; ;) kept.push(structuredClone(map)); },
          read: () => fs.readFileSync(narrow), written: () => fs.writeFileSync('/dev/null', narrow), stat: () => fs.statSync(narrow),
          renamed: () => fs.renameSync(narrow, narrow), environment: () => process.env[narrow], folder: () => process.chdir(narrow),
          printed: () => console.log(narrow), output: () => process.stdout.write(wide), errors: () => console.error(latin),
          url: () => new URL('http://a/' + narrow), query: () => new URLSearchParams(narrow), type: () => new WebAssembly.Global({ value: narrow }, 0),
          encoded: () => new TextEncoder().encodeInto(narrow, new Uint8Array(9)), fetched: () => fetch('data:,' + narrow),
          imported: () => import(narrow), worker: () => new Worker('', { eval: true, name: narrow }),
        };
        // All of the address space is taken but for 40 MiB.
        const kept = [], room = [];
        for (let i = 0; i < 40; i++) room.push(new ArrayBuffer(2 ** 20));
        for (let size = 2 ** 29; size >= 2 ** 20; size /= 2) try { for (;;) kept.push(new ArrayBuffer(size)); } catch {}
        room.length = 0;
        let failure;
        try { await attempts[process.argv[2]](); } catch (error) { failure = error; }
        kept.length = 0;
        console.log(['RangeError', 'InternalError', 'DataCloneError'].includes(failure?.name) ? 'refused' : failure);
    ";
    let attempts = "narrow latin wide key error posted map read written stat renamed environment folder printed output errors url \
                    query type encoded fetched imported worker";
    testing::in_parallel(&Vec::from_iter(attempts.split_whitespace()), |_, attempt| {
        within(2_000_000, script, &[attempt]).exits(0).stdout("refused\n").stderr("");
    });
}

/// Messages that nobody takes.
#[test]
fn a_queue_that_does_not_fit_is_an_exception() {
    let script = r"
        const { port1, port2 } = new MessageChannel();
        let failure;
        try { for (;;) port1.postMessage(1); } catch (error) { failure = error; }
        console.log(failure.name, port2 instanceof MessagePort);
    ";
    within(340_000, script, &[]).exits(0).stdout("DataCloneError true\n").stderr("");
}

/// A guest that reads standard input, which takes no thread: it runs wherever the command starts. The root user's
/// threads are not limited, so it runs as another.
#[test]
fn standard_input_takes_no_thread() {
    let program = r#"(module
        (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start")
            (i32.store (i32.const 0) (i32.const 100))
            (i32.store (i32.const 4) (i32.const 10))
            (call $exit (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))))"#;
    let folder = Folder::with("main.wat", program);
    let other = "setpriv --reuid=54321 --regid=54321 --clear-groups";
    let mut can = std::process::Command::new("sh");
    can.args(["-c", &format!("{other} \"$0\" --version"), env!("CARGO_BIN_EXE_tombolo")]);
    can.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    if !can.status().is_ok_and(|status| status.success()) {
        testing::not_run("a guest whose threads are refused", "it takes the root user and `setpriv`");
        return;
    }
    let processors = std::thread::available_parallelism().map_or(1, |count| count.get());
    let statuses: Vec<_> = (1..3 * processors + 6)
        .map(|threads| {
            let setup = format!("exec prlimit --nproc={threads} {other} \"$0\" \"$@\"");
            let outcome = behind(&setup, folder.path(), &["main.wat"]);
            if ![0, 1].contains(&outcome.status) {
                outcome.fail("expected that it runs, or does not start");
            }
            outcome.status
        })
        .collect();
    assert!(statuses.is_sorted_by(|a, b| a >= b) && statuses.ends_with(&[0]), "{statuses:?}");
}

/// A struct that no memory could hold, as the element of an array that ends with zeros.
#[test]
fn a_declared_size_is_checked() {
    let script = r"
        import { readFileSync } from 'node:fs';
        import { cdef, Wasi } from 'tombolo:marshal';
        const wasi = new Wasi({});
        const { instance } = await WebAssembly.instantiate(
          readFileSync(process.argv[2]), { wasi_snapshot_preview1: wasi.imports() });
        wasi.init(instance);
        const { malloc } = cdef(wasi, `struct large { char text[1099511627776]; }; struct large *malloc(int n) [[until(0)]];`);
        try { malloc(8); } catch (error) { console.log(error.name); }
    ";
    let folder = Folder::with("main.mjs", script);
    let demo = crate::harness::guest("demo.wasm");
    folder.run(["main.mjs".as_ref(), demo.as_os_str()]).outcome().exits(0).stdout("RangeError\n").stderr("");
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let script = "import fs from 'node:fs'; try { fs.readFileSync('huge'); } catch (error) { console.log(error.name, error.code); }";
    let folder = Folder::with("main.mjs", script);
    std::fs::File::create(folder.path().join("huge"))
        .and_then(|file| file.set_len(1 << 42))
        .expect("files can be sparse");
    folder.run(["main.mjs"]).outcome().exits(0).stdout("RangeError ERR_FS_FILE_TOO_LARGE\n").stderr("");
}

#[test]
fn thread_spawn_says_when_there_is_no_thread() {
    // Spawns until that fails, and exits with 3 where the answer was negative.
    let program = r#"(module
        (import "env" "memory" (memory 1 1 shared))
        (export "memory" (memory 0))
        (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (func (export "wasi_thread_start") (param i32 i32)
            (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))
        (func (export "_start")
            (loop $again (br_if $again (i32.ge_s (call $spawn (i32.const 0)) (i32.const 0))))
            (call $exit (i32.const 3))))"#;
    let folder = Folder::with("main.wat", program);
    behind("ulimit -v 1000000", folder.path(), &["main.wat"]).exits(3).stdout("").stderr("");
}

#[test]
fn few_descriptors() {
    let folder = Folder::with("main.wat", "(module (memory (export \"memory\") 1) (func (export \"_start\")))");
    behind("ulimit -n 10", &repository(), &["examples/quickstart.mjs"]).exits(0);
    behind("ulimit -n 10", folder.path(), &["main.wat"]).exits(0).stderr("");
    for few in 6..10 {
        let outcome = behind(&format!("ulimit -n {few}"), &repository(), &["examples/quickstart.mjs"]);
        if outcome.status != 0 {
            outcome.exits(1).stderr_has(&["cannot start the threads of WASI: Too many open files"]);
        }
    }
}

#[test]
fn a_file_that_may_not_grow() {
    let script = r"
        import { writeFileSync } from 'node:fs';
        try { writeFileSync('large', 'x'.repeat(100_000)); } catch (error) { console.log(error.code); }
    ";
    let folder = Folder::with("main.mjs", script);
    behind("ulimit -f 1", folder.path(), &["main.mjs"]).exits(0).stdout("EFBIG\n").stderr("");
}

#[test]
fn output_that_is_lost_fails() {
    let lost = "tombolo: cannot write to standard output: No space left on device (os error 28)\n";
    let scripts = [
        ("console.log('x');", 1, lost),
        // The stream's error comes too late, as it does in Node.
        ("process.stdout.write('x'); process.exit(0);", 0, ""),
        ("console.log('x'); process.exit(5);", 5, lost),
        ("for (let i = 0; i < 100_000; i++) console.log('line', i);", 1, lost),
        ("new (await import('node:worker_threads')).Worker(`console.log('x')`, { eval: true });", 1, lost),
        ("console.error('x');", 0, "x\n"),
        ("", 0, ""),
    ];
    for (script, code, stderr) in scripts {
        let folder = Folder::with("main.mjs", script);
        behind("exec >/dev/full", folder.path(), &["main.mjs"]).exits(code).stderr(stderr);
        // What the program writes to one stream does not fail where the other is lost.
        let ends = if code == 5 { 5 } else { i32::from(script.contains("error")) };
        behind("exec 2>/dev/full", folder.path(), &["main.mjs"]).exits(ends);
        behind("exec >&-", folder.path(), &["main.mjs"]).exits(if code == 1 { 0 } else { code });
    }
    let folder = Folder::with("main.mjs", "throw new Error('x');");
    for flag in ["--help", "--version"] {
        behind("exec >/dev/full", folder.path(), &[flag]).exits(1).stdout("");
    }
    for setup in ["exec 2>/dev/full", "exec 2>&-", "exec >&- 2>&-"] {
        for args in [&["main.mjs"][..], &["--guest-memory", "main.mjs"], &["--guest-memory=trace", "main.mjs"]] {
            behind(setup, folder.path(), args).exits(1);
        }
        behind(setup, folder.path(), &["--none"]).exits(2);
    }
}

#[test]
fn warnings_that_nobody_hears() {
    let folder =
        Folder::with("main.mjs", "console.log(new WebAssembly.Memory({ initial: 65536 }).buffer.byteLength > 0);");
    behind("exec 2>/dev/full", folder.path(), &["main.mjs"]).exits(0).stdout("true\n");
}

/// The heap of guests' objects begins when the first is made, also for code that was compiled before.
#[test]
fn guests_objects_are_read_in_little_address_space() {
    let guest = r#"(module (type $a (array (mut i16))) (type $s (struct (field (mut i32))))
        (func (export "struct") (result i32) (struct.get $s 0 (struct.new $s (i32.const 5))))
        (func (export "array") (param i32) (result i32)
            (array.get_u $a (array.new $a (i32.const 7) (i32.const 100000)) (local.get 0))))"#;
    let guest = wat::parse_str(guest).expect("the text is a module");
    let script = format!(
        "const {{ exports }} = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.of({})));
        console.log(exports.struct(), exports.array(99999));
        try {{ exports.array(100000); }} catch (error) {{ console.log(error.message); }}",
        guest.iter().map(u8::to_string).collect::<Vec<_>>().join(",")
    );
    for kibibytes in [1_200_000, 4_000_000] {
        within(kibibytes, &script, &[]).exits(0).stdout("5 7\nout of bounds array access\n").stderr("");
    }
}
