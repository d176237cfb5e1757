//! Runs `tests/js/wasm/*.mjs` in a bare `rquickjs` context that got the namespace by one `install` call: no event loop,
//! no platform. A test that is expected to fail is named, with its reason, in `tests/js/not-yet.txt`; one that passes all
//! the same breaks the run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use island::{Engine, EngineOptions};
use rquickjs::function::Rest;
use rquickjs::loader::{ImportAttributes, Resolver, ScriptLoader};
use rquickjs::{CatchResultExt, Coerced, Context, Function, Module, Runtime};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/js").canonicalize().unwrap()
}

/// The little of a platform that the scripts' harness asks for.
const PLATFORM: &str = "globalThis.TextEncoder = class {
    encode(text) {
        const bytes = encodeURIComponent(text).replace(/%(..)/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
        return Uint8Array.from(bytes, (byte) => byte.charCodeAt(0));
    }
};";

/// Resolves relative specifiers against the importing file.
struct Relative;

impl Resolver for Relative {
    fn resolve<'js>(
        &mut self,
        _: &rquickjs::Ctx<'js>,
        base: &str,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> rquickjs::Result<String> {
        let file = Path::new(base).parent().unwrap().join(name).canonicalize()?;
        Ok(file.to_str().unwrap().to_owned())
    }
}

/// Runs one file; the lines that it printed.
fn run(engine: &Engine, file: &Path) -> Vec<String> {
    let runtime = Runtime::new().unwrap();
    runtime.set_max_stack_size(512 << 10);
    runtime.set_loader(Relative, ScriptLoader::default().with_extension("mjs"));
    let context = Context::full(&runtime).unwrap();
    let (sender, lines) = mpsc::channel();
    context.with(|ctx| {
        js_api::install(&ctx, js_api::Options::new(engine.clone())).unwrap();
        let log = move |words: Rest<Coerced<String>>| {
            let words: Vec<_> = words.0.into_iter().map(|word| word.0).collect();
            sender.send(words.join(" ")).unwrap();
        };
        let console = rquickjs::Object::new(ctx.clone()).unwrap();
        console.set("log", Function::new(ctx.clone(), log).unwrap()).unwrap();
        ctx.globals().set("console", console).unwrap();
        let collect = |ctx: rquickjs::Ctx<'_>| ctx.run_gc();
        ctx.globals().set("gc", Function::new(ctx.clone(), collect).unwrap()).unwrap();
        ctx.eval::<(), _>(PLATFORM).unwrap();
        let name = file.to_str().unwrap().to_owned();
        let source = std::fs::read(file).unwrap();
        let loaded = Module::declare(ctx.clone(), name.clone(), source).and_then(|module| module.eval());
        let (_, promise) = loaded.catch(&ctx).unwrap_or_else(|error| panic!("{name}: {error}"));
        while ctx.execute_pending_job() {}
        promise.finish::<()>().catch(&ctx).unwrap_or_else(|error| panic!("{name}: {error}"));
    });
    lines.try_iter().collect()
}

/// The expected failures: a line is `file.mjs: test name # reason`.
fn not_yet() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(folder().join("not-yet.txt")).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (test, reason) = line.split_once(" # ").unwrap_or_else(|| panic!("a line without reason: {line}"));
            (test.to_string(), reason.to_string())
        })
        .collect()
}

#[test]
fn every_script_passes_but_those_that_say_why_not() {
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let mut expected = not_yet();
    let mut failures = Vec::new();
    let mut passed = 0;
    let mut files: Vec<_> = std::fs::read_dir(folder().join("wasm")).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let only = std::env::var("SCRIPT").ok();
    for file in files.iter().filter(|file| only.as_ref().is_none_or(|only| file.ends_with(only))) {
        let name = file.file_name().unwrap().to_str().unwrap();
        let lines = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(8 << 20);
            thread.spawn_scoped(scope, || run(&engine, file)).unwrap().join().unwrap()
        });
        let mut ended = false;
        for line in &lines {
            if let Some(failure) = line.strip_prefix("not ok ") {
                let known = expected.keys().find(|test| {
                    test.strip_prefix(name)
                        .and_then(|rest| rest.strip_prefix(": "))
                        .is_some_and(|t| failure.starts_with(&format!("{t}: ")))
                });
                match known.cloned() {
                    Some(test) => drop(expected.remove(&test)),
                    None => failures.push(format!("{name}: {failure}")),
                }
            } else if line.starts_with("ok ") {
                passed += 1;
            } else {
                ended = line.ends_with(" failed");
            }
        }
        if !ended {
            failures.push(format!("{name}: did not end; last line: {:?}", lines.last()));
        }
    }
    if only.is_none() {
        failures.extend(
            expected.iter().map(|(test, reason)| format!("{test}: is expected to fail ({reason}), and does not")),
        );
    }
    println!("{passed} tests passed");
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}
