//! Agents that Rust code starts, talks to, limits and stops. Nothing here is timed; `PATIENCE` is far more than any
//! needs.

use std::time::Duration;

use tombolo::island::Module;
use tombolo::{AgentHandle, AgentSpec, Cluster, Data, Limits, RuntimeOptions};

const PATIENCE: Option<Duration> = Some(Duration::from_secs(60));

fn cluster() -> Cluster {
    Cluster::new(RuntimeOptions::default()).unwrap()
}

/// An agent whose script begins with the parent's port and its data.
fn start(cluster: &Cluster, body: &str, data: impl Into<Data>, limits: Limits) -> AgentHandle {
    let script = format!("import {{ parentPort, workerData }} from 'node:worker_threads';\n{body}");
    cluster.start(AgentSpec::module("test.mjs", &script).data(data).limits(limits)).unwrap()
}

fn next(agent: &AgentHandle) -> Data {
    agent.receive(PATIENCE).expect("a message in time")
}

#[test]
fn values_go_both_ways() {
    let echo = "parentPort.on('message', (m) => m === 'end' ? parentPort.close() : parentPort.postMessage(m));";
    let agent = start(&cluster(), echo, Data::Undefined, Limits::default());
    let all = Data::Array(vec![
        Data::Undefined,
        Data::Null,
        true.into(),
        (-0.5).into(),
        "ASCII, Grüße, 島".into(),
        Data::BigInt("-123456789012345678901234567890".into()),
        vec![1u8, 2, 255].into(),
        Data::Date(1e12),
        Data::Error("RangeError".into(), "too far".into()),
        Data::from([("a", 1.into()), ("nested", Data::from([("b", Data::Array(Vec::new()))]))]),
        Data::Map(vec![("key".into(), 2.into())]),
        Data::Set(vec![1.into(), "one".into()]),
    ]);
    agent.post(all.clone());
    assert_eq!(format!("{:?}", next(&agent)), format!("{all:?}"));
    agent.post("end");
    let ended = agent.join();
    assert_eq!((ended.exit_code, ended.error), (0, None));
}

#[test]
fn what_a_script_nests_too_deep_exhausts_no_stack_of_the_hosts() {
    let script = "let deep = []; for (let i = 0; i < 200_000; i++) deep = [deep, { a: 1 }];
        parentPort.postMessage([deep, 'behind', deep]);";
    let agent = start(&cluster(), script, Data::Undefined, Limits::default());
    let message = next(&agent);
    assert_eq!(message.get("1").and_then(Data::as_str), Some("behind"));
}

#[test]
fn what_a_script_repeats_does_not_fill_the_hosts_memory() {
    let script =
        "let all = [1]; for (let i = 0; i < 40; i++) all = [all, all]; parentPort.postMessage([all, 'behind']);
        const bytes = new ArrayBuffer(10_000_000); parentPort.postMessage(Array(1000).fill({ bytes }));
        const self = {}; self.self = self; parentPort.postMessage(self);";
    let agent = start(&cluster(), script, Data::Undefined, Limits::default());
    assert_eq!(next(&agent).get("1").and_then(Data::as_str), Some("behind"));
    let Data::Array(items) = next(&agent) else { panic!("an array was posted") };
    assert!(matches!(items[0].get("bytes"), Some(Data::Bytes(bytes)) if bytes.len() == 10_000_000));
    assert!(matches!(items[999], Data::Other));
    assert!(matches!(next(&agent).get("self"), Some(Data::Other)));
}

#[test]
fn a_receiver_waits_no_longer_than_it_says_also_for_an_agent_that_has_ended() {
    let agent = start(&cluster(), "parentPort.close();", Data::Undefined, Limits::default());
    assert!(agent.receive(None).is_none());
    assert!(agent.receive(Some(Duration::from_millis(5))).is_none());
    assert!(agent.receive(None).is_none());
    let busy = start(&cluster(), "parentPort.close(); for (;;);", Data::Undefined, Limits::default());
    assert!(busy.receive(Some(Duration::from_millis(5))).is_none());
    busy.terminate();
    assert_eq!(busy.join().exit_code, 1);
}

#[test]
fn what_an_agent_starts_has_no_more_than_the_agent() {
    let limits = Limits { heap: Some(16 << 20), guest_memory: Some(4 << 16), ..Limits::default() };
    let script = r#"import { Worker } from 'node:worker_threads';
        const inner = (source) => new Promise((resolve) => {
            const worker = new Worker(source, { eval: true });
            worker.on('error', (error) => resolve(error.code ?? error.name));
            worker.on('exit', () => resolve('ended'));
        });
        parentPort.postMessage(await inner('const all = []; for (;;) all.push([]);'));
        parentPort.postMessage(await inner('new WebAssembly.Memory({ initial: 5 })'));"#;
    let agent = start(&cluster(), script, Data::Undefined, limits);
    assert_eq!(next(&agent).as_str(), Some("ERR_WORKER_OUT_OF_MEMORY"));
    assert_eq!(next(&agent).as_str(), Some("RangeError"));
}

#[test]
fn agents_and_the_host_share_a_memory_and_a_module() {
    let cluster = cluster();
    let memory = cluster.shared_memory(1, 4).unwrap();
    let wasm = br#"(module (import "m" "memory" (memory 1 4 shared))
        (func (export "add") (drop (i32.atomic.rmw.add (i32.const 8) (i32.const 1)))))"#;
    let module = Module::new(cluster.engine(), &wat::parse_bytes(wasm).unwrap()).unwrap();
    let data = || Data::from([("memory", cluster.memory_data(&memory)), ("module", cluster.module_data(&module))]);
    let script = "const { memory, module } = workerData;
        const { add } = new WebAssembly.Instance(module, { m: { memory } }).exports;
        for (let i = 0; i < 1000; i++) add();
        parentPort.postMessage(memory.buffer.byteLength);";
    let agents: Vec<_> = (0..3).map(|_| start(&cluster, script, data(), Limits::default())).collect();
    for agent in agents {
        assert_eq!(next(&agent).as_number(), Some(65536.0));
        assert_eq!(agent.join().exit_code, 0);
    }
    let mut bytes = [0; 4];
    memory.data().read(8, &mut bytes).unwrap();
    assert_eq!(u32::from_le_bytes(bytes), 3000);
}

#[test]
fn another_engine_is_another_cluster() {
    let (one, other) = (cluster(), cluster());
    let memory = one.shared_memory(1, 1).unwrap();
    let agent = start(
        &other,
        "parentPort.on('messageerror', (error) => parentPort.postMessage(error.name)); \
        parentPort.on('message', () => parentPort.postMessage('a message'));",
        Data::Undefined,
        Limits::default(),
    );
    agent.post(one.memory_data(&memory));
    assert_eq!(next(&agent).as_str(), Some("DataCloneError"));
    agent.terminate();
}

#[test]
fn an_error_that_nobody_catches_ends_the_agent_and_is_told() {
    let agent = start(&cluster(), "throw new RangeError('too far');", Data::Undefined, Limits::default());
    let ended = agent.join();
    assert_eq!(ended.exit_code, 1);
    let error = ended.error.unwrap();
    assert!(error.starts_with("RangeError: too far\n") && error.contains("test.mjs:2"), "{error}");
    let missing = cluster().start(AgentSpec::file("there/is/no/such/file.mjs")).unwrap().join();
    assert!(missing.error.unwrap().contains("no/such/file.mjs"));
}

/// Loops and waits without end, in a script and in a guest.
const ENDLESS: &str = r#"
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const { loop, recurse, tail, wait } = new WebAssembly.Instance(workerData, { m: { memory } }).exports;
    const words = new Int32Array(memory.buffer);
    const endless = {
        script() { for (;;); }, loop, recurse, tail, wait, atomics() { Atomics.wait(words, 0, 0); },
        regexp() { /^(a+)+$/.test('a'.repeat(60) + 'b'); },
        async microtasks() { for (;;) await 0; },
    };
    parentPort.on('message', (name) => {
        if (name === 'still there?') return parentPort.postMessage('yes');
        parentPort.postMessage('begins');
        endless[name]();
    });
"#;

const ENDLESS_GUEST: &[u8] = br#"(module
    (import "m" "memory" (memory 1 1 shared))
    (func (export "loop") (loop (br 0)))
    (func $recurse (export "recurse") (param i32) (result i32)
        (if (result i32) (i32.eq (local.get 0) (i32.const 64)) (then (i32.const 1)) (else
            (i32.add (call $recurse (i32.add (local.get 0) (i32.const 1))) (call $recurse (i32.add (local.get 0) (i32.const 1)))))))
    (func $tail (export "tail") (return_call $tail))
    (func (export "wait") (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))))"#;

const ENDLESS_NAMES: [&str; 8] = ["script", "loop", "recurse", "tail", "wait", "atomics", "regexp", "microtasks"];

fn endless(cluster: &Cluster) -> AgentHandle {
    let module = Module::new(cluster.engine(), &wat::parse_bytes(ENDLESS_GUEST).unwrap()).unwrap();
    start(cluster, ENDLESS, cluster.module_data(&module), Limits::default())
}

#[test]
fn whatever_runs_for_ever_is_interrupted_and_the_agent_goes_on() {
    let agent = endless(&cluster());
    for name in ENDLESS_NAMES {
        agent.post(name);
        assert_eq!(next(&agent).as_str(), Some("begins"), "{name}");
        // It may not have begun quite yet; one that runs nothing takes no notice.
        let goes_on = (0..1000).any(|_| {
            agent.interrupt();
            agent.post("still there?");
            agent.receive(Some(Duration::from_millis(60))).is_some()
        });
        assert!(goes_on, "{name}");
        // The questions that came too early are answered by now, or will be.
        while agent.receive(Some(Duration::from_millis(60))).is_some() {}
    }
    agent.terminate();
    assert_eq!(agent.join().exit_code, 1);
}

#[test]
fn whatever_runs_for_ever_is_terminated() {
    let cluster = cluster();
    for name in ENDLESS_NAMES {
        let agent = endless(&cluster);
        agent.post(name);
        assert_eq!(next(&agent).as_str(), Some("begins"), "{name}");
        agent.terminate();
        assert_eq!(agent.join().exit_code, 1, "{name}");
    }
}

#[test]
fn limits_hold() {
    let cluster = cluster();
    let limited = |limits| start(&cluster, "for (;;);", Data::Undefined, limits);
    let time = Limits { time: Some(Duration::from_millis(20)), ..Limits::default() };
    assert_eq!(limited(time).join().exit_code, 1);

    let heap = Limits { heap: Some(16 << 20), ..Limits::default() };
    let ended = start(&cluster, "const all = []; for (;;) all.push({ all });", Data::Undefined, heap).join();
    assert_eq!(ended.exit_code, 1);

    let guest_memory = Limits { guest_memory: Some(4 << 16), ..Limits::default() };
    let script = "const memory = new WebAssembly.Memory({ initial: 2 });
        const tell = (f) => { try { f(); parentPort.postMessage('done'); } catch (e) { parentPort.postMessage(e.name); } };
        tell(() => memory.grow(2)); tell(() => memory.grow(1)); tell(() => new WebAssembly.Memory({ initial: 1 }));
        tell(() => new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));";
    let agent = start(&cluster, script, Data::Undefined, guest_memory);
    let told: Vec<_> = (0..4).map(|_| next(&agent).as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(told, ["done", "RangeError", "RangeError", "RangeError"]);

    let stack = |bytes| Limits { stack: Some(bytes), ..Limits::default() };
    let depth = |limits| {
        let script = "let depth = 0; const down = () => { depth++; down(); }; try { down(); } catch {} parentPort.postMessage(depth);";
        next(&start(&cluster, script, Data::Undefined, limits)).as_number().unwrap()
    };
    assert!(depth(stack(256 << 10)) * 4.0 < depth(stack(4 << 20)));
}
