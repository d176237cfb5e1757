//! What it costs to compile a module: with Wasmtime alone and its defaults, with this engine without poll loads, with
//! them, in the fast tier, and if the code is in the cache. Each way runs in a process of its own, in turn. Argument: a
//! .wasm file.
//!
//!     cargo run --release -p tombolo-island --example compile_cost -- esbuild.wasm

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use tombolo_island::{CodeCache, Compiler, Engine, EngineOptions, Module};

const WAYS: [&str; 5] = ["wasmtime", "plain", "polled", "fast", "cached"];
/// How often each way is measured; the best result counts.
const ROUNDS: usize = 3;

fn main() {
    let args: Vec<_> = std::env::args().skip(1).collect();
    match &args[..] {
        [file] => compare(file),
        [file, way] => measure(file, way),
        _ => eprintln!("usage: compile_cost FILE"),
    }
}

/// The cache's folder, which goes at the end.
fn folder() -> PathBuf {
    std::env::temp_dir().join("tombolo-compile-cost")
}

fn compare(file: &str) {
    // The first run that looks into the cache fills it, and so is never the best.
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
    // Nobody minds a folder that stays.
    let _ = std::fs::remove_dir_all(folder());
    println!("{:<10} {:>9} {:>9} {:>9}", "", "wall, s", "CPU, s", "peak, MiB");
    for (way, [wall, cpu, peak]) in WAYS.iter().zip(best) {
        println!("{way:<10} {wall:>9.3} {cpu:>9.3} {peak:>9.1}");
    }
}

/// Compiles once, and prints the wall time, the CPU time and the peak memory use.
fn measure(file: &str, way: &str) {
    let bytes = std::fs::read(file).expect("the file can be read");
    let start = Instant::now();
    if way == "wasmtime" {
        let config = wasmtime::Config::new();
        wasmtime::Module::from_binary(&wasmtime::Engine::new(&config).expect("an engine"), &bytes).expect("a module");
    } else {
        let cache = CodeCache::new(&folder(), 1 << 30, |warning| eprintln!("{warning}"));
        let options = EngineOptions {
            interruptible: way != "plain",
            compiler: if way == "fast" { Compiler::Fast } else { Compiler::Optimizing },
            cache: (way == "cached").then(|| Arc::new(cache)),
            ..EngineOptions::default()
        };
        Module::new(&Engine::new(&options).expect("an engine"), &bytes).expect("a module");
    }
    let wall = start.elapsed().as_secs_f64();
    let text = |path| std::fs::read_to_string(path).expect("Linux");
    let stat = text("/proc/self/stat");
    let fields: Vec<_> = stat[stat.rfind(')').expect("a name")..].split(' ').collect();
    // Ticks of a hundredth of a second, in user mode and in the kernel.
    let cpu = [fields[12], fields[13]].map(|ticks| ticks.parse::<f64>().expect("a number") / 100.0);
    let status = text("/proc/self/status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
    let peak: f64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    println!("{wall} {} {}", cpu[0] + cpu[1], peak / 1024.0);
}
