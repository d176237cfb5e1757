//! A cluster of agents in a Rust program: they share a memory with each other and with the host, have limits, and can
//! be interrupted.
//!
//!     cargo run --release -p tombolo --example cluster

use std::time::Duration;

use tombolo::{AgentSpec, Cluster, Data, Limits, RuntimeOptions};

/// Adds 1 to each word of its part of the shared memory, then says which part it was.
const SCRIPT: &str = r"
    import { parentPort, workerData } from 'node:worker_threads';
    const words = new Int32Array(workerData.memory.buffer);
    for (let i = workerData.from; i < workerData.to; i++) Atomics.add(words, i, 1);
    parentPort.postMessage({ done: workerData.from });
";

/// Answers each message. One of the answers takes for ever.
const STUBBORN: &str = r"
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', (message) => {
        if (message === 'loop') { parentPort.postMessage('looping'); for (;;); }
        parentPort.postMessage(`heard ${message}`);
    });
";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cluster = Cluster::new(RuntimeOptions::default())?;

    // A memory of one page for everybody.
    let memory = cluster.shared_memory(1, 1)?;
    let words = memory.data().len() / 4;
    let part = words / 4;
    let agents = (0..4).map(|at| {
        let data = Data::from([
            ("memory", cluster.memory_data(&memory)),
            ("from", Data::from((at * part) as f64)),
            ("to", Data::from(((at + 1) * part) as f64)),
        ]);
        cluster.start(AgentSpec::module("part.mjs", SCRIPT).name("part").data(data))
    });
    for agent in agents.collect::<Result<Vec<_>, _>>()? {
        println!("an agent says {:?}", agent.receive(None));
        println!("and ends with {}", agent.join().exit_code);
    }
    let mut bytes = vec![0; words * 4];
    memory.data().read(0, &mut bytes)?;
    let sum: i32 = bytes.chunks(4).map(|word| i32::from(word[0])).sum();
    println!("{sum} of {words} words were counted");

    // An agent that is interrupted goes on with its next task; a limit of time ends it.
    let limits = Limits { time: Some(Duration::from_secs(5)), heap: Some(32 << 20), ..Limits::default() };
    let agent = cluster.start(AgentSpec::module("stubborn.mjs", STUBBORN).limits(limits))?;
    agent.post("loop");
    println!("{:?}", agent.receive(None));
    agent.interrupt();
    agent.post("again");
    println!("{:?}", agent.receive(None));
    agent.terminate();
    println!("{:?}", agent.join());
    Ok(())
}
