//! Packages of npm that carry WebAssembly, each used by a script of `tests/packages`: the smaller ones. All of them are
//! run by `cargo run --release -p xtask -- packages`.

use testing::packages::{self, NotYet, Package};

use crate::harness::Run;

const SMALL: [&str; 14] = [
    "@bokuweb/zstd-wasm",
    "@jsquash/png",
    "@node-rs/crc32-wasm32-wasi",
    "@one-ini/wasm",
    "@oxc-parser/wasm",
    "brotli-wasm",
    "es-module-lexer",
    "hash-wasm",
    "libsodium-wrappers",
    "quickjs-emscripten",
    "source-map",
    "web-tree-sitter",
    "xxhash-wasm",
    "yoga-layout",
];

#[test]
fn packages_of_npm() {
    let small: Vec<_> = Package::all().into_iter().filter(|package| SMALL.contains(&&*package.name)).collect();
    assert_eq!(small.len(), SMALL.len());
    if !small.iter().all(Package::is_installed) {
        let reason = "they are not installed; `npm ci --prefix tests/packages` does that";
        return testing::not_run("packages of npm", reason);
    }
    let list = NotYet::read().unwrap();
    let problems = testing::in_parallel(&small, |_, package| {
        let outcome = Run::new(&packages::folder(), [&package.script]).outcome();
        let exit_code = (!outcome.timed_out).then_some(outcome.status);
        let failure = packages::failure(exit_code, &outcome.stdout, &outcome.stderr);
        list.judge(&package.name, failure.as_deref()).err().map(|problem| format!("{problem}\n{}", outcome.report()))
    });
    let problems: Vec<_> = problems.into_iter().flatten().collect();
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}
