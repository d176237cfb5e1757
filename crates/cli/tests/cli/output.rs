//! Streams: what a script and its guests write comes out whole and in order.

use crate::harness::{Folder, guest};

/// A script with the demo guest, whose `say` writes to standard output by WASI.
fn demo_script(main: &str) -> Folder {
    let head = "import { readFileSync } from 'node:fs';\n\
                import { FunctionPrototype, In, StringType, Wasi } from 'tombolo:marshal';\n\
                const wasi = new Wasi({});\n\
                const module = new WebAssembly.Module(readFileSync(process.argv[2]));\n\
                const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.imports() });\n\
                wasi.init(instance);\n\
                const write = new FunctionPrototype([new In(new StringType())]);\n\
                const say = (text) => write.invoke(wasi.memoryManager, instance.exports.say, text);\n\
                const complain = (text) => write.invoke(wasi.memoryManager, instance.exports.complain, text);\n";
    Folder::with("main.mjs", format!("{head}{main}"))
}

fn run(folder: &Folder) -> crate::harness::Run {
    let demo = guest("demo.wasm");
    folder.run(["main.mjs".as_ref(), demo.as_os_str()])
}

#[test]
fn a_guests_output_keeps_its_place_among_the_scripts() {
    let folder = demo_script("for (let i = 0; i < 500; i++) { console.log('script', i); say(`guest ${i}\\n`); }");
    let expected: String = (0..500).map(|i| format!("script {i}\nguest {i}\n")).collect();
    run(&folder).outcome().exits(0).stdout(&expected).stderr("");
}

#[test]
fn both_streams_in_one_pipe_keep_their_order() {
    let folder = demo_script(
        "for (let i = 0; i < 50; i++) { console.log('a', i); say('b\\n'); console.error('c', i); complain('d\\n'); process.stdout.write('e\\n'); }",
    );
    let expected: String = (0..50).map(|i| format!("a {i}\nb\nc {i}\nd\ne\n")).collect();
    assert_eq!(run(&folder).merged(), expected);
}

#[test]
fn a_guests_streams_are_told_apart() {
    let folder = demo_script("say('to stdout\\n'); complain('to stderr\\n');");
    run(&folder).outcome().exits(0).stdout("to stdout\n").stderr("to stderr\n");
}

#[test]
fn text_without_a_newline_and_before_an_exit() {
    let folder =
        demo_script("process.stdout.write('one '); say('two '); process.stdout.write('three'); process.exit(2);");
    run(&folder).outcome().exits(2).stdout("one two three");
}

#[test]
fn much_output() {
    let folder = Folder::with("main.mjs", "for (let i = 0; i < 200_000; i++) console.log('line', i);");
    let outcome = folder.run(["main.mjs"]).outcome().exits(0);
    assert_eq!(outcome.stdout.lines().count(), 200_000);
    assert!(outcome.stdout.ends_with("line 199999\n"));
}

#[test]
fn bytes_that_are_no_text() {
    let folder = Folder::with("main.mjs", "process.stdout.write(Uint8Array.of(0x61, 0xff, 0x0a));");
    folder.run(["main.mjs"]).outcome().exits(0).stdout("a\u{fffd}\n");
}

#[test]
fn the_example_of_es_modules_prints_what_the_readme_says() {
    let folder = crate::harness::repository().join("examples/es-module");
    let expected = "the guest counts 1\nthe guest counts 2\n2\n1 2\n";
    crate::harness::Run::new(&folder, ["main.mjs"]).outcome().exits(0).stdout(expected).stderr("");
}
