//! How a program ends while its workers do what nothing can stop.

use std::process::Command;

use crate::harness::Folder;

/// A program whose worker has begun `endless`; then it does `end`.
fn program(endless: &str, end: &str) -> String {
    format!(
        "import {{ Worker }} from 'node:worker_threads';
         const worker = new Worker({source:?}, {{ eval: true }});
         await new Promise((resolve) => worker.once('message', resolve));
         setTimeout(async () => {{ {end} }}, 50);",
        source = format!("require('node:worker_threads').parentPort.postMessage('begins'); {endless}"),
    )
}

/// Neither calls nor allocates before it has looked at 2³¹ elements.
const SEARCH: &str = "[].indexOf.call({ length: 2 ** 53 - 1 }, 1)";

#[test]
fn process_exit_waits_for_no_worker_that_nothing_can_stop() {
    let folder = Folder::with("exit.mjs", program(SEARCH, "process.exit(3);"));
    folder.run(["exit.mjs"]).outcome().exits(3).stdout("").stderr("");
}

#[test]
fn an_uncaught_error_does_not_either() {
    let folder = Folder::with("throw.mjs", program(SEARCH, "throw new Error('the end');"));
    folder.run(["throw.mjs"]).outcome().exits(1).stderr_has(&["Error: the end\n"]);
}

#[test]
fn a_worker_that_waits_for_a_file_is_terminated() {
    let read = "require('node:fs').readFileSync('fifo')";
    let folder = Folder::with("wait.mjs", program(read, "console.log(await worker.terminate());"));
    let made = Command::new("mkfifo").arg(folder.path().join("fifo")).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo makes a FIFO");
    folder.run(["wait.mjs"]).outcome().exits(0).stdout("1\n").stderr("");
}

#[test]
fn workers_that_run_out_of_memory_end_alone() {
    let text = "
        import { Worker } from 'node:worker_threads';
        const grow = `const keep = [];
            const bind = () => { let f = () => {}; for (;;) f = f.bind(null); };
            const grow = () => { for (;;) keep.push(Object.setPrototypeOf({ contents: {} }, {})); };
            const ports = () => { for (;;) keep.push(new (require('node:worker_threads').MessageChannel)()); };`;
        const programs = ['grow()', 'bind()', 'ports()', 'Promise.resolve().then(grow)', '(async () => { await 1; grow(); })()',
            'setTimeout(grow, 1)', 'process.nextTick(grow)'];
        for (const program of programs) for (const limit of [4, 5.5, 7, 16]) {
            const worker = new Worker(`${grow} ${program};`, { eval: true, resourceLimits: { maxOldGenerationSizeMb: limit } });
            let error;
            worker.on('error', (value) => { error = value; });
            const exit = await new Promise((resolve) => worker.on('exit', resolve));
            if (exit === 0 || error?.code !== 'ERR_WORKER_OUT_OF_MEMORY') console.log(program, limit, exit, error);
        }
        const listener = new Worker(
            `process.on('uncaughtException', () => { throw new Error('of the listener'); }); throw new Error('first');`, { eval: true });
        listener.on('error', (error) => console.log(error.message));
        await new Promise((resolve) => listener.on('exit', resolve));
        console.log('still here');";
    Folder::with("memory.mjs", text)
        .run(["memory.mjs"])
        .outcome()
        .exits(0)
        .stdout("of the listener\nstill here\n")
        .stderr("");
}

#[test]
fn what_is_assigned_to_the_stack_trace_limit_is_no_burden() {
    let text = "
        Error.stackTraceLimit = { valueOf() { console.log('asked'); } };
        Error.stackTraceLimit = {};
        console.log(new Error('without frames').stack, typeof Error.stackTraceLimit);
        Error.stackTraceLimit = 1;
        console.log(new Error('with one').stack.split('\\n').length);
        class Own extends Error {}
        Own.stackTraceLimit = 0;
        console.log(Error.stackTraceLimit);";
    let expected = "Error: without frames object\n2\n1\n";
    Folder::with("limit.mjs", text).run(["limit.mjs"]).outcome().exits(0).stdout(expected).stderr("");
}

/// QuickJS drops the error by which the script is to end wherever it drops any.
#[test]
fn process_exit_ends_the_script_wherever_it_is_called() {
    let exit = "process.exit(7)";
    let places = [
        format!("Error.prepareStackTrace = () => {{ {exit}; }}; try {{ new Error('x').stack; }} catch {{}}"),
        format!("Error.prepareStackTrace = () => {{ {exit}; }}; try {{ null.x; }} catch {{}}"),
        format!("new Promise(() => {exit});"),
        format!(
            "const it = {{ [Symbol.iterator]() {{ return {{ next: () => ({{}}), return() {{ {exit}; }} }}; }} }};
                 try {{ for (const x of it) throw x; }} catch {{}}"
        ),
    ];
    for place in places {
        let text = format!("{place} console.log('goes on'); setTimeout(() => console.log('and on'));");
        let worker = format!(
            "new (await import('node:worker_threads')).Worker({text:?}, {{ eval: true }}).on('exit', (code) => console.log(code));"
        );
        let folder = Folder::with("main.mjs", &text).and("worker.mjs", worker);
        folder.run(["main.mjs"]).outcome().exits(7).stdout("").stderr("");
        folder.run(["worker.mjs"]).outcome().exits(0).stdout("7\n").stderr("");
    }
}
