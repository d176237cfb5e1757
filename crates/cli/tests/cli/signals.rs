//! Signals, and readers that have gone. What is expected is what Node 26 does, but for programs that do not listen for
//! errors of standard output: these end without a word.

use crate::harness::{Folder, Run};

/// Runs a program in a pipeline: what a shell sees of it, and what its reader and it have printed.
fn pipeline(program: &str, reader: &str) -> (String, String) {
    let folder = Folder::with("a.cjs", program);
    let command = format!("{{ \"$0\" a.cjs; echo \"code $?\" >&2; }} | {reader}");
    let run = Run::of("sh".as_ref(), folder.path(), ["-c", &command, env!("CARGO_BIN_EXE_tombolo")]);
    let outcome = run.outcome();
    (outcome.stdout, outcome.stderr)
}

#[test]
fn a_reader_that_has_gone_ends_a_program_without_a_word() {
    for program in [
        "for (;;) console.log(1);",
        "setInterval(() => console.log(1));",
        "setInterval(() => process.stdout.write('1\\n'));",
    ] {
        let (stdout, stderr) = pipeline(program, "head -n 1");
        assert_eq!((&*stdout, &*stderr), ("1\n", "code 0\n"), "{program}");
    }
}

#[test]
fn a_program_can_listen_for_a_reader_that_has_gone() {
    let program = "process.stdout.on('error', (error) => { console.error(error.code, error.syscall, error.errno, error.message); process.exit(5); });
                   setInterval(() => console.log(1), 1);";
    let (stdout, stderr) = pipeline(program, "head -n 1");
    assert_eq!((&*stdout, &*stderr), ("1\n", "EPIPE write -32 write EPIPE\ncode 5\n"));
    let program = "process.on('SIGPIPE', (name) => console.error(name)); process.stdout.on('error', (error) => console.error(error.code));
                   for (let i = 0; i < 10; i++) process.stdout.write('1\\n'); setTimeout(() => console.error('end'), 20);";
    let (_, stderr) = pipeline(program, "true");
    assert!(stderr.contains("EPIPE\n") && stderr.ends_with("end\ncode 0\n"), "{stderr}");
}

#[test]
fn a_program_can_listen_for_a_full_disk() {
    let program = "process.stdout.on('error', (error) => console.error(error.code, error.syscall)); console.log(3);";
    let folder = Folder::with("a.cjs", program).and("b.cjs", "console.log(3);");
    let full = |file| {
        Run::of(
            "sh".as_ref(),
            folder.path(),
            ["-c", "exec \"$0\" \"$1\" > /dev/full", env!("CARGO_BIN_EXE_tombolo"), file],
        )
    };
    full("a.cjs").outcome().exits(0).stderr("ENOSPC write\n");
    full("b.cjs").outcome().exits(1).stderr_has(&["cannot write to standard output"]);
}

#[test]
fn signals_end_a_program_or_call_its_listeners() {
    let kill = |signal: &str| {
        format!("setTimeout(() => process.kill(process.pid, '{signal}'), 5); setInterval(() => {{}}, 10);")
    };
    let exit = "process.on('exit', () => console.log('exit'));";
    for (signal, number) in [("SIGINT", 2), ("SIGTERM", 15), ("SIGHUP", 1), ("SIGUSR2", 12)] {
        let folder = Folder::with("a.cjs", format!("{exit} {}", kill(signal)));
        folder.run(["a.cjs"]).outcome().exits(128 + number).stdout("").stderr("");
        let listens =
            format!("process.once('{signal}', (name, number) => console.log(name, number)); {}", kill(signal));
        let again = format!("{listens} process.once('{signal}', () => {{ {} }});", kill(signal));
        let folder = Folder::with("a.cjs", again);
        let expected = format!("{signal} {number}\n");
        folder.run(["a.cjs"]).outcome().exits(128 + number).stdout(&expected).stderr("");
    }
    let folder = Folder::with("a.cjs", "process.kill(process.pid, 'SIGPIPE'); console.log('goes on');");
    folder.run(["a.cjs"]).outcome().exits(0).stdout("goes on\n").stderr("");
}
