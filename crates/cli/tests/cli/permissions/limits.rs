//! `--max-memory`, `--max-guest-memory`, `--max-stack`, `--timeout`, `--max-output`.

use crate::harness::{Folder, Outcome, guest};

fn run(flags: &[&str], script: &str) -> Outcome {
    let folder = Folder::with("main.mjs", script);
    folder.run(flags.iter().chain(&["main.mjs"])).outcome()
}

#[test]
fn the_heap() {
    let fill = "const all = []; for (let i = 0; i < 100; i++) all.push(new Array(1e5).fill(i)); console.log('filled');";
    run(&[], fill).exits(0).stdout("filled\n");
    run(&["--max-memory=1G"], fill).exits(0).stdout("filled\n");
    let outcome = run(&["--max-memory=16M"], fill).exits(1).stdout("");
    assert!(outcome.stderr.contains("out of memory"), "{}", outcome.report());
    let worker = "import { Worker } from 'node:worker_threads';
        new Worker('const all = []; for (;;) all.push(new Array(1e5).fill(0));', { eval: true })
          .on('error', (error) => console.log(error.code));";
    run(&["--max-memory=32M"], worker).exits(0).stdout("ERR_WORKER_OUT_OF_MEMORY\n");
}

#[test]
fn wherever_the_heap_ends_the_error_says_so() {
    let script = "globalThis.fill = new ArrayBuffer(FILL);
        const { cdef } = await import('tombolo:marshal');
        const bytes = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
        const lib = cdef(new WebAssembly.Instance(new WebAssembly.Module(bytes)), 'enum { A = 3 };');
        structuredClone(new Map([[lib.A, new Set([/x/, new Date(), new RangeError('no')])]]));
        const { port1, port2 } = new MessageChannel();
        port1.postMessage({ a: [1] });
        await new Promise((resolve) => { port2.onmessage = resolve; });
        port1.close();
        new URL('http://a.b/c?d').searchParams.get('d');
        console.log('done');";
    let (mut done, mut exhausted) = (0, 0);
    for fill in (2_500_000..4_000_000).step_by(37_001) {
        let outcome = run(&["--max-memory=4M"], &script.replace("FILL", &fill.to_string()));
        match outcome.status {
            0 => done += 1,
            1 if outcome.stderr.contains("out of memory") => exhausted += 1,
            _ => panic!("with {fill} bytes: {}", outcome.report()),
        }
    }
    assert!(done > 3 && exhausted > 10, "{done}, {exhausted}");
}

#[test]
fn memories_of_guests() {
    let script = "const made = [];
        try { for (;;) made.push(new WebAssembly.Memory({ initial: 16 })); } catch (error) { console.log(error.name); }
        console.log(made.length, made[0].grow(1) >= 0);";
    let script = script
        .replace("made[0].grow(1) >= 0", "(() => { try { return made[0].grow(16); } catch { return 'refused'; } })()");
    run(&["--max-guest-memory=4M"], &script).exits(0).stdout("RangeError\n4 refused\n");
    let worker = "import { Worker } from 'node:worker_threads';
        const own = new WebAssembly.Memory({ initial: 32 });
        new Worker('new WebAssembly.Memory({ initial: 48 })', { eval: true }).on('error', (error) => console.log(error.name, own.buffer.byteLength));";
    run(&["--max-guest-memory=4M"], worker).exits(0).stdout("RangeError 2097152\n");
    run(&["--max-guest-memory=8M"], worker).exits(0).stdout("");
}

#[test]
fn the_stack() {
    let script = "let depth = 0; const down = () => { depth++; down(); };
        try { down(); } catch (error) { console.log(error instanceof RangeError || error.name, depth); }";
    let depth = |flags: &[&str]| -> u32 {
        let outcome = run(flags, script).exits(0);
        outcome.stdout.trim_end().rsplit(' ').next().unwrap().parse().unwrap()
    };
    let (small, large) = (depth(&["--max-stack=256K"]), depth(&["--max-stack=8M"]));
    assert!(small * 8 < large, "{small} {large}");
}

#[test]
fn time_is_up_in_scripts_guests_waits_and_natives() {
    let spin = wat::parse_str(r#"(module (func (export "spin") (loop (br 0))))"#).unwrap();
    let spin = format!("new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.of({spin:?}))).exports.spin()")
        .replace(['[', ']'], "");
    for script in [
        "for (;;);",
        "setInterval(() => {}, 1000);",
        "await new Promise((resolve) => setTimeout(resolve, 1e6));",
        "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);",
        "(async () => { for (;;) await null; })();",
        "/(x+x+)+y/.test('x'.repeat(100));",
        "[].concat(new Array(1e6).fill(1)).sort(() => { for (;;); });",
        "try { for (;;); } finally { for (;;); }",
        "process.on('exit', () => { for (;;); }); for (;;);",
        "import { spawnSync } from 'node:child_process'; spawnSync('sleep', ['1000']);",
        "import { readFileSync } from 'node:fs'; readFileSync(0);",
        "import { Worker } from 'node:worker_threads'; new Worker('for (;;);', { eval: true });",
        &spin,
    ] {
        let folder = Folder::with("main.mjs", format!("console.log('begins');\n{script}"));
        // (The input stays open as long as the command runs.)
        let run = crate::harness::Run::behind("exec 0< /dev/zero", folder.path(), &["--timeout=300ms", "main.mjs"]);
        let outcome = run.outcome().exits(124);
        assert!(outcome.stdout.is_empty() || outcome.stdout == "begins\n", "{script}");
        let outcome = outcome.stderr_has(&["tombolo: the program was ended because it ran for 300ms (--timeout)"]);
        assert_eq!(outcome.stderr.lines().count(), 1, "{script}: {}", outcome.stderr);
    }
    run(&["--timeout=1h"], "console.log('done')").exits(0).stdout("done\n").stderr("");
}

#[test]
fn output() {
    run(&["--max-output=6"], "console.log('hello')").exits(0).stdout("hello\n").stderr("");
    let told = "tombolo: the program was ended because it wrote more than 5 bytes (--max-output)\n";
    run(&["--max-output=5"], "console.log('hello')").exits(1).stdout("hello").stderr(told);
    let both = run(&["--max-output=8"], "console.log('hello'); console.error('hello'); console.log('never')").exits(1);
    assert_eq!((&*both.stdout, both.stderr.starts_with("he")), ("hello\n", true), "{}", both.report());
    for script in [
        "for (;;) console.log('x'.repeat(100));",
        "for (;;) process.stdout.write('x'.repeat(100));",
        "import { writeSync } from 'node:fs'; for (;;) writeSync(1, 'x'.repeat(100));",
        "import { Worker } from 'node:worker_threads'; new Worker('for (;;) console.log(1)', { eval: true });",
        "import { Worker } from 'node:worker_threads'; for (let i = 0; i < 3; i++) new Worker('for (;;) console.error(1)', { eval: true });",
    ] {
        let outcome = run(&["--max-output=64K"], script).exits(1).stderr_has(&["more than 65536 bytes (--max-output)"]);
        let told = outcome.stderr.lines().last().map_or(0, str::len) + 1;
        assert!(outcome.stdout.len() + outcome.stderr.len() <= 65536 + told, "{script}");
    }
}

#[test]
fn wasi_commands() {
    let spin =
        wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))"#).unwrap();
    let folder = Folder::with("spin.wasm", spin).and("hello.wasm", std::fs::read(guest("hello.wasm")).unwrap());
    let large = wat::parse_str(r#"(module (memory (export "memory") 100) (func (export "_start")))"#).unwrap();
    let folder = folder.and("large.wasm", large);
    folder.run(["--timeout=200ms", "spin.wasm"]).outcome().exits(124).stderr_has(&["ran for 200ms (--timeout)"]);
    folder.run(["--max-guest-memory=1M", "large.wasm"]).outcome().exits(1);
    folder.run(["--max-guest-memory=8M", "large.wasm"]).outcome().exits(0);
    folder.run(["--max-output=5", "hello.wasm"]).outcome().exits(1).stdout("arg 0").stderr_has(&["more than 5 bytes"]);
}

#[test]
fn values_that_are_none() {
    for (flag, part) in [
        ("--timeout=5", "a time with its unit"),
        ("--timeout=0s", "more than nothing"),
        ("--max-memory=lots", "a size such as"),
        ("--max-memory=1K", "no program runs"),
        ("--max-stack=1G", "from 128K to 16M"),
        ("--max-output=-1", "a size such as"),
        ("--allow-read", "--sandbox"),
    ] {
        run(&[flag], "").exits(2).stdout("").stderr_has(&[part]);
    }
    for (flag, part) in [
        ("--allow-read=", "something is missing"),
        ("--allow-env=A,,", "something is missing"),
        ("--allow-net=http://example.com", "expected a host such as"),
        ("--allow-workers=1", "unexpected value"),
    ] {
        if flag != "--allow-env=A,," {
            run(&["--sandbox", flag], "").exits(2).stdout("").stderr_has(&[part]);
        }
    }
}
