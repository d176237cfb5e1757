//! Agents that wait for each other: threads with a runtime each, on one engine and one shared memory. Nothing here is
//! timed: who notifies goes on until the other is there. A wake-up that is lost fails the test after `PATIENCE`.

use std::any::Any;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use island::wasmtime::{MemoryTypeBuilder, SharedMemory};
use island::{Engine, EngineOptions};
use js_api::{Options, Post, Task, TaskSink};
use rquickjs::{CatchResultExt, Context, Ctx, Runtime};

/// A guest with `wait32(address, value, nanoseconds)`, `wait64` and `notify(address, count)` on the imported
/// `m.memory`.
const GUEST: &str = r#"(module
    (memory (import "m" "memory") 1 16 shared)
    (func (export "wait32") (param i32 i32 i64) (result i32)
        (memory.atomic.wait32 (local.get 0) (local.get 1) (local.get 2)))
    (func (export "wait64") (param i32 i64 i64) (result i32)
        (memory.atomic.wait64 (local.get 0) (local.get 1) (local.get 2)))
    (func (export "notify") (param i32 i32) (result i32)
        (memory.atomic.notify (local.get 0) (local.get 1)))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#;

/// What every agent's script has: the memory, arrays over it, a guest, and `until(wake)`, which calls until somebody
/// was woken. A script says what it found with `return`.
const PRELUDE: &str = r"
    const words = new Int32Array(memory.buffer), wide = new BigInt64Array(memory.buffer);
    const guest = new WebAssembly.Instance(new WebAssembly.Module(bytes), { m: { memory } }).exports;
    const until = (wake) => { for (let woken; ;) if ((woken = wake()) !== 0) return woken; };
";

/// How long no agent may have ended: far more than any needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A loop that only ends when the script's promise has.
struct Loop(mpsc::Sender<Task>);

impl TaskSink for Loop {
    fn post(&self) -> Post {
        let sender = self.0.clone();
        Box::new(move |task| drop(sender.send(task)))
    }

    fn hold(&self) -> Box<dyn Any> {
        Box::new(())
    }
}

#[derive(Clone)]
struct Cluster {
    engine: Engine,
    memory: SharedMemory,
}

impl Cluster {
    fn new() -> Self {
        let engine = Engine::new(&EngineOptions::default()).unwrap();
        let mut ty = MemoryTypeBuilder::new();
        let ty = ty.shared(true).min(1).max(Some(16)).build().unwrap();
        let memory = SharedMemory::new(engine.wasmtime(), ty).unwrap();
        Self { engine, memory }
    }

    /// Runs each script in an agent of its own, all at once; what they returned, as text.
    fn run<const N: usize>(&self, scripts: [&'static str; N]) -> [String; N] {
        let (sender, ended) = mpsc::channel();
        for (at, script) in scripts.into_iter().enumerate() {
            let (cluster, sender) = (self.clone(), sender.clone());
            thread::spawn(move || sender.send((at, cluster.agent(script))));
        }
        drop(sender);
        let mut results = [const { None }; N];
        while results.contains(&None) {
            // The threads of agents that still wait end with the process.
            let Ok((at, text)) = ended.recv_timeout(PATIENCE) else {
                let missing: Vec<_> = (0..N).filter(|at| results[*at].is_none()).map(|at| scripts[at]).collect();
                panic!("agents without an end: {missing:#?}");
            };
            results[at] = Some(text);
        }
        results.map(|text| text.expect("all have ended"))
    }

    /// One agent: an async function's body, with a loop that ends when its promise does.
    fn agent(&self, script: &str) -> String {
        let runtime = Runtime::new().unwrap();
        let context = Context::full(&runtime).unwrap();
        let (sender, arriving) = mpsc::channel::<Task>();
        context.with(|ctx| {
            let mut options = Options::new(self.engine.clone());
            options.task_sink = Some(Rc::new(Loop(sender)));
            js_api::install(&ctx, options).unwrap();
            let memory = js_api::shared_memory_object(&ctx, self.memory.clone()).unwrap();
            ctx.globals().set("memory", memory).unwrap();
            let bytes = rquickjs::TypedArray::new(ctx.clone(), wat::parse_str(GUEST).unwrap()).unwrap();
            ctx.globals().set("bytes", bytes).unwrap();
            ctx.eval::<(), _>(format!(
                "(async () => {{ {PRELUDE} {script} }})().then(String).then(
                (text) => {{ globalThis.ended = text; }}, (error) => {{ globalThis.ended = `threw ${{error}}`; }})"
            ))
            .catch(&ctx)
            .unwrap();
            loop {
                while ctx.execute_pending_job() {}
                if let Some(ended) = ended(&ctx) {
                    return ended;
                }
                arriving.recv().unwrap()(&ctx).catch(&ctx).unwrap();
            }
        })
    }
}

fn ended(ctx: &Ctx<'_>) -> Option<String> {
    ctx.globals().get("ended").unwrap()
}

#[test]
fn a_guest_waits_and_javascript_notifies() {
    let results = Cluster::new().run([
        "return [guest.wait32(8, 0, -1n), guest.wait64(16, 0n, -1n)];",
        "return [until(() => Atomics.notify(words, 2)), until(() => Atomics.notify(wide, 2, 1))];",
    ]);
    assert_eq!(results, ["0,0", "1,1"]);
}

#[test]
fn javascript_waits_and_a_guest_notifies() {
    let results = Cluster::new().run([
        "return [Atomics.wait(words, 2, 0), Atomics.wait(wide, 2, 0n, 1e9)];",
        "return [until(() => guest.notify(8, -1)), until(() => guest.notify(16, 1))];",
    ]);
    assert_eq!(results, ["ok,ok", "1,1"]);
}

#[test]
fn javascript_waits_and_javascript_notifies() {
    let results = Cluster::new().run([
        "return Atomics.wait(words, 2, 0);",
        "return until(() => Atomics.notify(new Int32Array(memory.toResizableBuffer()), 2));",
    ]);
    assert_eq!(results, ["ok", "1"]);
}

#[test]
fn an_asynchronous_wait_is_notified_by_javascript_and_by_a_guest() {
    let results = Cluster::new().run([
        "return [await Atomics.waitAsync(words, 2, 0).value, await Atomics.waitAsync(wide, 2, 0n, 1e9).value];",
        "return [until(() => guest.notify(8, 1)), until(() => Atomics.notify(wide, 2))];",
    ]);
    assert_eq!(results, ["ok,ok", "1,1"]);
}

#[test]
fn waiters_of_all_kinds_are_counted() {
    // The last agent goes on until three have been woken, two at a time at most.
    let results = Cluster::new().run([
        "return Atomics.wait(words, 5, 0);",
        "return guest.wait32(20, 0, -1n);",
        "return await Atomics.waitAsync(words, 5, 0).value;",
        "let woken = 0; while (woken < 3) { const now = Atomics.notify(words, 5, 2); if (now > 2) return now; woken += now; }
         return [woken, Atomics.notify(words, 5)];",
    ]);
    assert_eq!(results, ["ok", "0", "ok", "3,0"]);
}

#[test]
fn asynchronous_waits_that_began_are_never_missed() {
    // The notifying agent is told, through the memory, that the wait has begun, and notifies once.
    let results = Cluster::new().run([
        "const promises = [];
         for (let at = 0; at < 40; at += 1) promises.push(Atomics.waitAsync(words, 100 + at, 0).value);
         Atomics.store(words, 99, 1);
         return new Set(await Promise.all(promises)).size;",
        "while (Atomics.load(words, 99) === 0);
         let woken = 0;
         for (let at = 0; at < 40; at += 1) woken += Atomics.notify(words, 100 + at);
         return woken;",
    ]);
    assert_eq!(results, ["1", "40"]);
}

#[test]
fn a_time_that_is_over_and_a_value_that_differs() {
    let results = Cluster::new().run([
        "return [Atomics.wait(words, 0, 0, 1), Atomics.wait(words, 0, 1), guest.wait32(0, 0, 1n), guest.wait32(0, 1, -1n)];",
        "return [await Atomics.waitAsync(words, 0, 0, 1).value, Atomics.waitAsync(words, 0, 1).value];",
    ]);
    assert_eq!(results, ["timed-out,not-equal,2,1", "timed-out,not-equal"]);
}

#[test]
fn growth_by_another_agent_shows() {
    let results = Cluster::new().run([
        "const old = memory.buffer, growable = memory.toResizableBuffer(), view = new Uint8Array(growable);
         Atomics.store(words, 98, 1);
         Atomics.wait(words, 3, 0);
         return [old.byteLength, view.length, growable.byteLength, memory.buffer === growable].join();",
        "while (Atomics.load(words, 98) === 0);
         const page = 65536;
         guest.grow(1);
         memory.toResizableBuffer().grow(4 * page);
         until(() => Atomics.notify(words, 3));
         return memory.buffer.byteLength;",
    ]);
    assert_eq!(results, ["65536,262144,262144,true", "262144"]);
}
