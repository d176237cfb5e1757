//! What compiling a module costs: Wasmtime alone with its defaults, this engine without poll loads, and with them. Each in
//! a process of its own, in turn. Argument: a .wasm file.
//!
//!     cargo run --release --workspace --example compile_cost -- esbuild.wasm

use std::process::Command;
use std::time::Instant;

use tombolo_island::{Engine, EngineOptions, Module};

const WAYS: [&str; 3] = ["wasmtime", "plain", "polled"];
/// How often each is measured; the best counts.
const ROUNDS: usize = 3;

fn main() {
    let args: Vec<_> = std::env::args().skip(1).collect();
    match &args[..] {
        [file] => compare(file),
        [file, way] => measure(file, way),
        _ => eprintln!("usage: compile_cost FILE"),
    }
}

fn compare(file: &str) {
    let mut best = [[f64::INFINITY; 3]; WAYS.len()];
    for _ in 0..ROUNDS {
        for (way, best) in WAYS.iter().zip(&mut best) {
            let this = std::env::current_exe().expect("a path");
            let output = Command::new(this).args([file, way]).output().expect("a process").stdout;
            let output = String::from_utf8(output).expect("text");
            for (figure, best) in output.split_whitespace().zip(best) {
                *best = best.min(figure.parse().expect("a figure"));
            }
        }
    }
    println!("{:<10} {:>9} {:>9} {:>9}", "", "wall, s", "CPU, s", "peak, MiB");
    for (way, [wall, cpu, peak]) in WAYS.iter().zip(best) {
        println!("{way:<10} {wall:>9.3} {cpu:>9.3} {peak:>9.1}");
    }
}

/// Compiles once, and prints the wall time, the CPU time and the peak of memory.
fn measure(file: &str, way: &str) {
    let bytes = std::fs::read(file).expect("the file can be read");
    let start = Instant::now();
    if way == "wasmtime" {
        let config = wasmtime::Config::new();
        wasmtime::Module::from_binary(&wasmtime::Engine::new(&config).expect("an engine"), &bytes).expect("a module");
    } else {
        let options = EngineOptions { interruptible: way == "polled", ..EngineOptions::default() };
        Module::new(&Engine::new(&options).expect("an engine"), &bytes).expect("a module");
    }
    let wall = start.elapsed().as_secs_f64();
    // SAFETY: the call fills the structure in.
    let usage = unsafe {
        let mut usage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    println!("{wall} {} {}", seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss as f64 / 1024.0);
}
