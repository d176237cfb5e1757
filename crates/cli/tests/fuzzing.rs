//! The fuzzer of hostile scripts: its programs are right, nothing is left out of them, and a few of them find nothing.

use std::path::Path;
use std::time::Duration;

use ::fuzzing::generators::{self, Options, Program};
use ::fuzzing::oracles::{End, Limits, Oracle, Run, finding};

/// How long a process may take. Only one that hangs should ever meet this.
const LONG: Duration = Duration::from_secs(180);

/// What is in nobody's reach: it ends the process, leaves its folder, or makes what does.
const LEFT_OUT: [&str; 10] = [
    "abort",
    "binding",
    "chdir",
    "createRequire",
    "getBuiltinModule",
    "kill",
    "reallyExit",
    "register",
    "setPriority",
    "syncBuiltinESMExports",
];

fn tombolo() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_tombolo"))
}

fn run(source: &str) -> Run {
    Oracle::of_tombolo(tombolo(), Limits { time: LONG, ..Limits::default() }).run(source).unwrap()
}

fn programs(seed: u64, count: u64) -> impl Iterator<Item = Program> {
    let options = Options { avoid_native_loops: true, ..Options::default() };
    (0..count).map(move |number| Program::generate(seed, number, &options))
}

#[test]
fn every_line_is_javascript() {
    let mut script = String::from(
        "const check = (line) => {\n  try { new Function(line); } catch (error) { console.error(error.message, line); }\n};\n",
    );
    for program in programs(1, 400) {
        let own = program.source.split(generators::BEGIN).nth(1).unwrap().split(generators::END).next().unwrap();
        for line in own.lines().filter(|line| !line.is_empty() && !line.starts_with("await ")) {
            // What JavaScript does not take as it is, Rust writes as `\u{…}` in a string, and so does JavaScript.
            script.push_str(&format!("check({line:?});\n"));
        }
    }
    let Run { end, stderr, .. } = run(&script);
    assert_eq!((end, &*stderr), (End::Exit(0), ""));
}

#[test]
fn programs_get_to_their_end() {
    // A program that ends on the way has a line that ends it, or a limit. Which lines there are changes with what there
    // is to call, so this only says that not all of them do.
    let ended = testing::in_parallel(&Vec::from_iter(programs(1, 10)), |_, program| {
        run(&program.source).trace.contains("linger")
    });
    let ended = ended.into_iter().filter(|&ended| ended).count();
    assert!(ended > 1, "only {ended} of 10");
}

#[test]
fn some_programs_find_nothing() {
    testing::in_parallel(&Vec::from_iter(programs(20, 20)), |_, program| {
        let run = run(&program.source);
        let found = finding(&run, program.ends);
        assert_eq!(found, None, "program {} of seed 20:\n{}\n{}", program.number, run.trace, run.stderr);
    });
}

#[test]
fn nothing_is_left_out() {
    let list = "
        import { builtinModules } from 'node:module';
        const names = Object.getOwnPropertyNames(globalThis).filter((name) => name !== 'tombolo');
        const lines = names.map((name) => ['global', name]);
        for (const name of [...builtinModules.map((name) => (name.startsWith('node:') ? name : `node:${name}`)), 'tombolo:marshal']) {
          for (const [key, value] of Object.entries(await import(name))) if (typeof value === 'function') lines.push([name, key]);
        }
        console.error(lines.map((line) => line.join(' ')).join('\\n'));
    ";
    let listed = run(list).stderr;
    let reached = run(&generators::surface()).stderr;
    let reached: Vec<&str> = reached.lines().collect();
    assert!(reached.len() > 1000 && listed.lines().count() > 300, "{} {}", reached.len(), listed.lines().count());
    assert!(reached.iter().any(|path| path.starts_with("WebAssembly.Memory.prototype.")), "methods are reached");
    let missing: Vec<&str> = listed
        .lines()
        .filter(|line| {
            let (module, name) = line.split_once(' ').unwrap();
            let path = if module == "global" { name.to_string() } else { format!("{module}.{name}") };
            let inside = format!("{path}.");
            !LEFT_OUT.contains(&name)
                && !generators::mentions(name)
                && !reached.iter().any(|one| *one == path || one.starts_with(&inside))
        })
        .collect();
    assert!(missing.is_empty(), "no generator has {}", missing.join(", "));
}

#[test]
fn the_oracle_sees_how_the_command_ends() {
    assert_eq!(run("process.exit(3)").end, End::Exit(3));
    let limits = Limits { time: Duration::from_secs(1), ..Limits::default() };
    let endless = Oracle::of_tombolo(tombolo(), limits).run("for (;;);").unwrap();
    assert_eq!(endless.end, End::TimedOut);
    assert!(finding(&endless, true).is_some());
}
