//! The REPL, through a pipe and at a terminal.

use crate::harness::{Folder, Outcome};
use crate::terminal::Terminal;

/// What a session prints after its greeting.
fn session(lines: &str) -> Outcome {
    let folder = Folder::with("a.mjs", "export default 'default'; export const named = 'named';")
        .and("load.js", "var loaded = 11;\nloaded + 1");
    let mut outcome = folder.run(["-i"]).env_remove("FORCE_COLOR").stdin(lines).outcome();
    let (greeting, rest) = outcome.stdout.split_once("for more information.\n").unwrap_or_default();
    assert!(greeting.starts_with("Welcome to Tombolo"), "{}", outcome.report());
    outcome.stdout = rest.replace("> ", "").replace("| ", "").trim_end().to_owned();
    outcome
}

#[test]
fn values_are_printed() {
    session("1 + 1\n'text'\n({ a: [1] })\n{ b: 2 }\nundefined\nlet x = 3\nx\nfunction f() {}\n")
        .exits(0)
        .stdout("2\n'text'\n{ a: [ 1 ] }\n{ b: 2 }\nundefined\nundefined\n3\nundefined")
        .stderr("");
}

#[test]
fn inputs_of_several_lines() {
    session("function f(a,\n  b) {\n  return a + b;\n}\nf(1, 2)\n[1,\n2]\n`a\nb`\n/* c\n*/ 4\nclass A {\n  b = 5;\n}\nnew A().b\n")
        .stdout("undefined\n3\n[ 1, 2 ]\n'a\\nb'\n4\nundefined\n5");
}

#[test]
fn declarations_can_be_repeated() {
    session("const a = 1\nconst a = 2\na\nlet a\na\nclass A {}\nclass A { static b = 3 }\nA.b\n")
        .stdout("undefined\nundefined\n2\nundefined\nundefined\nundefined\nundefined\n3");
}

#[test]
fn top_level_await_and_import() {
    session("const z = await Promise.resolve(7)\nz\nawait new Promise((r) => setTimeout(r, 5, 'late'))\nimport d, { named } from './a.mjs'\nd + named\nawait Promise.reject(new Error('no'))\n8\n")
        .stdout("undefined\n7\n'late'\nundefined\n'defaultnamed'\nUncaught Error: no\n8");
}

#[test]
fn the_last_value_and_the_last_error() {
    session("6 * 7\n_ + 1\nthrow new TypeError('bad')\n_error.message\n_ = 5\n_\n")
        .stdout("42\n43\nUncaught TypeError: bad\n'bad'\nExpression assignment to _ now disabled.\n5\n5");
}

#[test]
fn errors_do_not_end_it() {
    session("null.x\nlet y = ;\nPromise.reject(new Error('nobody'))\nsetTimeout(() => { throw new Error('later'); }, 1)\nawait new Promise((r) => setTimeout(r, 30))\n9\n")
        .exits(0)
        .stdout_has(&["Uncaught TypeError: ", "let y = ;\n        ^\n\nUncaught SyntaxError: ", "nobody", "Uncaught Error: later\n", "\n9"]);
    session("(() => { throw new Error('inner'); })()\n")
        .stdout_has(&["Uncaught Error: inner\n    at <anonymous", "(REPL1:1"]);
}

#[test]
fn modules_and_builtins_are_there() {
    session("path.sep\nrequire('os').EOL\nrequire('./a.mjs').named\nmodule.id\ntypeof __filename\n(await import('./a.mjs')).named\n")
        .stdout("'/'\n'\\n'\n'named'\n'<repl>'\n'undefined'\n'named'");
}

#[test]
fn commands_begin_with_a_point() {
    session(".help\n").stdout_has(&[".break", ".exit", ".load", ".save"]);
    session("1\n.exit\n2\n").exits(0).stdout("1");
    session("[1,\n.break\n2\n").stdout("2");
    session(".load load.js\nloaded\n").stdout("12\n11");
    session(".load none.js\n.nothing\n.5 + 1\n").stdout_has(&[
        "Failed to load: none.js",
        "Invalid REPL keyword",
        "1.5",
    ]);
    session("1\n2\n.save out.js\nfs.readFileSync('out.js', 'utf8')\n")
        .stdout("1\n2\nSession saved to: out.js\n'1\\n2\\n'");
}

#[test]
fn a_program_can_end_it() {
    session("process.on('exit', (code) => console.log('exit', code)); process.exit(3)\n1\n").exits(3).stdout("exit 3");
    session("process.on('exit', (code) => console.log('exit', code)); setInterval(() => {}, 1000); 0\n")
        .exits(0)
        .stdout("0\nexit 0");
}

fn start(folder: &Folder) -> Terminal {
    let mut terminal = Terminal::start(folder.path(), &[], &[]);
    terminal.sees("Welcome to Tombolo");
    terminal.sees(PROMPT);
    terminal
}

/// A prompt with nothing behind it. What is typed before it is there is not the editor's.
const PROMPT: &str = "> \r\u{1b}[2C";

/// Types a line, and waits for what it gives and for the next prompt.
#[track_caller]
fn ask(terminal: &mut Terminal, line: &str, gives: &str) {
    terminal.line(line, gives);
    terminal.sees(PROMPT);
}

#[test]
fn at_a_terminal_values_are_colored() {
    let folder = Folder::new();
    let mut terminal = start(&folder);
    ask(&mut terminal, "6 * 7", "\u{1b}[33m42\u{1b}[39m\r\n");
    ask(&mut terminal, "throw 'x'", "Uncaught \u{1b}[32m'x'\u{1b}[39m\r\n");
    terminal.press("\u{4}");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn keys_edit_and_recall_lines() {
    let folder = Folder::new();
    let mut terminal = start(&folder);
    ask(&mut terminal, "'b'\u{1b}[D\u{1b}[Da\u{1b}[H\u{1b}[C\u{1b}[3~x\u{1}\u{5}", "'xb'");
    ask(&mut terminal, "\u{1b}[A", "'xb'");
    ask(&mut terminal, "'éa'\u{2}\u{2}\u{7f}ü", "'üa'\u{1b}[39m");
    ask(&mut terminal, "\u{12}xb", "'xb'\u{1b}[39m");
    terminal.line(".exit", "");
    assert_eq!(terminal.end().0, 0);
    // Another session knows it.
    let mut terminal = start(&folder);
    terminal.press("\u{1b}[A\u{1b}[A\u{1b}[A");
    terminal.sees("'üa'");
    terminal.press("\u{3}\u{4}");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn tab_completes_without_running_getters() {
    let folder = Folder::with("module-in-folder.js", "");
    let mut terminal = start(&folder);
    ask(
        &mut terminal,
        "var object = { first: 1, get second() { console.log('ran'); return 2; }, nested: { deep: 3 } }",
        "undefined",
    );
    ask(&mut terminal, "object.nested.de\t", "object.nested.deep");
    terminal.press("object.second.\t\t\u{15}");
    ask(&mut terminal, "object.fi\t", "object.first");
    ask(&mut terminal, "glob\tThis === globalThis", "true");
    ask(&mut terminal, "typeof require('./mod\t')", "module-in-folder.js");
    ask(&mut terminal, "require('node:fs/prom\t') === fs.promises", "true");
    terminal.press("fs.readFileS\t");
    terminal.sees("fs.readFileSync");
    terminal.press("\u{15}object.\t\t");
    terminal.sees("first");
    terminal.sees("second");
    terminal.press("\u{3}\u{4}");
    let (code, rest) = terminal.end();
    assert!(code == 0 && !rest.contains("ran"), "{rest:?}");
}

#[test]
fn ctrl_c_gives_up_a_line_and_stops_what_runs() {
    let folder = Folder::new();
    let mut terminal = start(&folder);
    terminal.press("unfinished(\u{3}");
    terminal.sees(PROMPT);
    terminal.line("console.log('runs'); for (;;);", "\nruns\r\n");
    terminal.press("\u{3}");
    terminal.sees("interrupted by `SIGINT`");
    terminal.sees(PROMPT);
    ask(&mut terminal, "1 + 1", "\u{1b}[33m2");
    terminal.line("console.log('waits'); await new Promise(() => {})", "\nwaits\r\n");
    terminal.press("\u{3}");
    terminal.sees("interrupted by `SIGINT`");
    terminal.sees(PROMPT);
    ask(&mut terminal, "2 + 2", "\u{1b}[33m4");
    terminal.press("\u{3}");
    terminal.sees("To exit, press Ctrl+C again");
    // Before it has asked again, there is nobody for a key to be for.
    terminal.sees(PROMPT);
    terminal.press("\u{3}");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn timers_go_on_while_the_prompt_waits() {
    let folder = Folder::new();
    let mut terminal = start(&folder);
    ask(&mut terminal, "void setTimeout(() => console.log('from a ' + 'timer'), 50)", "undefined");
    terminal.sees("from a timer");
    ask(&mut terminal, "process.exit(6)", "");
    assert_eq!(terminal.end().0, 6);
}
