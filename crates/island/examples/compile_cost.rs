//! What it costs to compile a module: with Wasmtime alone and its defaults, with this engine without poll loads, with
//! them, in the fast tier, and if the code is in the cache. Each way runs in a process of its own, in turn. Argument: a
//! .wasm file.
//!
//!     cargo run --release -p tombolo-island --example compile_cost -- esbuild.wasm
//!
//! With `--generated`, the processor time for modules that have much of one thing, and for modules that have half of it:
//! what takes more than twice as long is not linear.

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
        [generated] if generated == "--generated" => compare_generated(),
        [file] => compare(file),
        [file, way] => measure(file, way),
        _ => eprintln!("usage: compile_cost FILE | --generated"),
    }
}

/// The cache's folder, which goes at the end.
fn folder() -> PathBuf {
    std::env::temp_dir().join("tombolo-compile-cost")
}

/// The least wall time, CPU time and peak memory of each way.
fn best<const N: usize>(file: &str, ways: [&str; N]) -> [[f64; 3]; N] {
    // The first run that looks into the cache fills it, and so is never the best.
    let mut best = [[f64::INFINITY; 3]; N];
    for _ in 0..ROUNDS {
        for (way, best) in ways.iter().zip(&mut best) {
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
    best
}

/// A module with `n` of something.
type Generate = fn(n: usize) -> String;

const LOOP: &str = "(loop (local.set 0 (i32.add (i32.load (local.get 0)) (i32.const 1))) (br_if 0 (local.get 0)))";

const GENERATED: [(&str, usize, Generate); 7] = [
    ("functions with a loop", 20_000, |n| format!("(memory 1) {}", format!("(func (param i32) {LOOP})").repeat(n))),
    ("locals of a function, all in use", 49_999, |n| {
        let sets: String =
            (1..=n).map(|i| format!("(local.set {i} (i32.add (local.get 0) (i32.const {i})))")).collect();
        let sum: String = (1..=n).map(|i| format!("local.get {i} i32.add ")).collect();
        format!("(func (param i32) (result i32) (local {}) {sets} local.get 0 {sum})", "i32 ".repeat(n))
    }),
    ("bytes of a function without loops", 1_000_000, |n| {
        format!("(memory 1) (func (param i32) {})", "(local.set 0 (i32.load (local.get 0)))".repeat(n / 7))
    }),
    ("bytes of a function with loops", 125_000, |n| format!("(memory 1) (func (param i32) {})", LOOP.repeat(n / 17))),
    ("types, with a function of each", 10_000, |n| {
        let number = |bit: usize| if bit == 0 { "i32 " } else { "i64 " };
        let params = |i: usize| (0..14).map(|at| number(i >> at & 1)).collect::<String>();
        (0..n).map(|i| format!("(func (param {}))", params(i))).collect()
    }),
    ("data segments", 50_000, |n| {
        let segments: String = (0..n).map(|i| format!("(data (i32.const {}) \"abcd\")", 16 * i)).collect();
        format!("(memory 64) (func (param i32) {LOOP}) {segments}")
    }),
    ("exports of 2,000 functions with 100 loads", 75_000, |n| {
        let exports: String = (0..n).map(|i| format!("(export \"f{i}\" (func {}))", i % 2000)).collect();
        let function = format!("(func (param i32) {})", "(local.set 0 (i32.load (local.get 0)))".repeat(100));
        format!("(memory 1) {} {exports}", function.repeat(2000))
    }),
];

fn compare_generated() {
    let file = std::env::temp_dir().join("tombolo-generated.wasm");
    println!("{:<42} {:>9} {:>9} {:>9} {:>9}", "CPU, s", "n", "wasmtime", "polled", "fast");
    for (name, most, generate) in GENERATED {
        for n in [most / 2, most] {
            let module = wat::parse_str(format!("(module {})", generate(n))).expect("a module");
            std::fs::write(&file, module).expect("a file");
            let figures = best(file.to_str().expect("a name"), ["wasmtime", "polled", "fast"]);
            let [wasmtime, polled, fast] = figures.map(|[_, cpu, _]| cpu);
            println!("{name:<42} {n:>9} {wasmtime:>9.2} {polled:>9.2} {fast:>9.2}");
        }
    }
    // As above.
    let _ = std::fs::remove_file(file);
}

fn compare(file: &str) {
    let best = best(file, WAYS);
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
