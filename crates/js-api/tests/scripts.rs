//! Runs `tests/js/wasm/*.mjs` in a bare `rquickjs` context that got the namespace by one `install` call: no event loop,
//! no platform.

use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc;

use island::{Compiler, Engine, EngineOptions};
use rquickjs::function::Rest;
use rquickjs::loader::{ImportAttributes, Resolver, ScriptLoader};
use rquickjs::{CatchResultExt, Coerced, Context, Function, Module, Runtime};
use testing::Ran;

fn main() -> ExitCode {
    // The command's own scripts run code that is optimized.
    let options = EngineOptions { compiler: Compiler::Fast, ..EngineOptions::default() };
    let engine = Engine::new(&options).unwrap();
    let trials = testing::trials(&["wasm"], move |script| {
        let (sender, lines) = mpsc::channel();
        let outcome = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(8 << 20);
            thread.spawn_scoped(scope, || run(&engine, &script.path, sender)).unwrap().join()
        });
        let stdout: String = lines.try_iter().map(|line| line + "\n").collect();
        // The harness's own exit code, which needs a `process`.
        let failed = stdout.lines().any(|line| line.starts_with("not ok "));
        let exit_code = outcome.is_ok().then_some(i32::from(failed));
        // What panicked said so on standard error.
        Ran { exit_code, report: stdout.clone(), stdout }
    });
    testing::main(trials)
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

/// Runs one file, and sends the lines that it prints.
fn run(engine: &Engine, file: &Path, sender: mpsc::Sender<String>) {
    let runtime = Runtime::new().unwrap();
    runtime.set_max_stack_size(512 << 10);
    runtime.set_loader(Relative, ScriptLoader::default().with_extension("mjs"));
    let context = Context::full(&runtime).unwrap();
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
}
