//! What it costs to make guests interruptible: a module's exports that take one number, timed with and without poll
//! loads, in turn. Arguments: a .wasm file that imports nothing but WASI, then `export=argument` for each export.
//!
//!     cargo run --release -p tombolo-island --example poll_cost -- kernels.wasm k_fib=35 k_qsort=1000000

use std::time::Instant;

use tombolo_island::wasi::{WasiConfig, WasiContext};
use tombolo_island::wasmtime::{Extern, Instance, Val, ValType};
use tombolo_island::{Engine, EngineOptions, Island, Module};

/// How often each is timed; the best result counts.
const ROUNDS: usize = 9;

fn main() {
    let mut args = std::env::args().skip(1);
    let path = args.next().expect("usage: poll_cost FILE EXPORT=ARGUMENT ...");
    let bytes = std::fs::read(&path).expect("the file can be read");
    let guests = [false, true].map(|interruptible| {
        let engine = Engine::new(&EngineOptions { interruptible, ..EngineOptions::default() }).expect("an engine");
        let island = Island::new(&engine);
        let module = Module::new(&engine, &bytes).expect("a module");
        let context = WasiContext::new(WasiConfig::default()).expect("a context");
        let imports = module.imports().iter().map(|import| {
            Extern::Func(island.wasi_function(&context, &import.module, &import.name).expect("a function of WASI"))
        });
        let instance = island.instantiate(&module, &imports.collect::<Vec<_>>()).expect("an instance");
        if let Some(initialize) = island.enter(|store| instance.get_func(store, "_initialize")) {
            island.call_values(initialize, &[], &mut []).expect("it initializes");
        }
        (island, instance)
    });
    let mut product = 1.0_f64;
    let mut count = 0;
    println!("{:<16} {:>12} {:>12} {:>8}", "export", "plain, ms", "polled, ms", "ratio");
    for kernel in args {
        let (name, argument) = kernel.split_once('=').expect("EXPORT=ARGUMENT");
        let argument: f64 = argument.parse().expect("a number");
        let mut best = [f64::INFINITY; 2];
        for _ in 0..ROUNDS {
            for (at, (island, instance)) in guests.iter().enumerate() {
                best[at] = best[at].min(time(island, *instance, name, argument));
            }
        }
        println!("{name:<16} {:>12.3} {:>12.3} {:>8.3}", best[0] * 1e3, best[1] * 1e3, best[1] / best[0]);
        product *= best[1] / best[0];
        count += 1;
    }
    println!("{:<16} {:>34.3}", "geometric mean", product.powf(1.0 / f64::from(count)));
}

fn time(island: &std::rc::Rc<Island>, instance: Instance, name: &str, argument: f64) -> f64 {
    let func = island.enter(|store| instance.get_func(store, name)).expect("an exported function");
    let ty = island.enter(|store| func.ty(&store));
    let value = |ty: ValType| match ty {
        ValType::I64 => Val::I64(argument as i64),
        ValType::F64 => Val::F64(argument.to_bits()),
        _ => Val::I32(argument as i32),
    };
    let params: Vec<_> = ty.params().map(value).collect();
    let mut results: Vec<_> = ty.results().map(value).collect();
    let start = Instant::now();
    island.call_values(func, &params, &mut results).expect("it returns");
    start.elapsed().as_secs_f64()
}
