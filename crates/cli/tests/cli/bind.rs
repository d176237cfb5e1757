//! `tombolo bind`: a header and a module.

use std::fs;

use crate::harness::{Folder, guest};

/// A folder with the library of the tests.
fn folder() -> Folder {
    let read = |name: &str| fs::read(guest(name)).unwrap();
    Folder::with("include/library.h", read("src/library.h"))
        .and("include/library_types.h", read("src/library_types.h"))
        .and("library.wasm", read("library.wasm"))
}

#[test]
fn what_would_be_bound_and_what_not() {
    let folder = folder();
    let outcome = folder.run(["bind", "include/library.h", "library.wasm"]).outcome().exits(0).stderr("");
    for part in [
        "function  library_add",
        "variable  library_counter",
        "the instance exports no function `library_gone`",
        "its body is in the header",
        "include/library.h:",
        "14 functions bound, 2 left out; 2 variables, 7 constants",
    ] {
        assert!(outcome.stdout.contains(part), "{part}: {}", outcome.stdout);
    }
}

#[test]
fn an_es_module_and_its_types() {
    let program = "import { load } from './lib/library.mjs';
        const library = await load();
        console.log(library.library_add(20, 22), library.LIBRARY_VERSION, library.skipped.length > 0);";
    let folder = folder().and("app.mjs", program).and("lib/empty", "");
    folder.run(["bind", "-o", "lib/library.mjs", "include/library.h", "library.wasm"]).outcome().exits(0).stderr("");
    folder.run(["app.mjs"]).outcome().exits(0).stdout("42 2.7 true\n").stderr("");
    let types = fs::read_to_string(folder.path().join("lib/library.d.mts")).unwrap();
    assert!(types.contains("library_add(a: number, b: number): number;"), "{types}");
}

#[test]
fn defines_folders_and_mistakes() {
    let folder = Folder::with("a.h", "#include <b.h>\n#if HAS == 3\nTYPE library_add(int a, int b);\n#endif\n")
        .and("more/b.h", "#define TYPE int\n")
        .and("library.wasm", fs::read(guest("library.wasm")).unwrap());
    let run = |args: &[&str]| folder.run(args).outcome();
    let bound = run(&["bind", "-Imore", "-DHAS=3", "a.h", "library.wasm"]).exits(0);
    assert!(bound.stdout.contains("1 functions bound, 0 left out"), "{}", bound.stdout);
    let bound = run(&["bind", "--json", "-DHAS=3", "a.h", "library.wasm"]).exits(0);
    assert!(bound.stdout.contains("cannot find the header `b.h`"), "{}", bound.stdout);
    run(&["bind", "missing.h", "library.wasm"]).exits(1).stdout("");
    run(&["bind", "a.h", "a.h"]).exits(1).stdout("");
    run(&["bind", "-o", "out.txt", "a.h", "library.wasm"]).exits(1);
    run(&["bind"]).exits(2);
}
