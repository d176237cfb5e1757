//! What a Rust host sees: the calls of `script.rs` through the marshal crate, with no JavaScript.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use tombolo::island::wasi::WasiConfig;
use tombolo::island::{Engine, EngineOptions, Module};
use tombolo::marshal::{Guest, Owned, View};

fn guest() -> Guest {
    let wasm = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../guests/demo.wasm")).unwrap();
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let module = Module::new(&engine, &wasm).unwrap();
    Guest::builder(&engine).wasi(WasiConfig::default()).unwrap().instantiate(&module).unwrap()
}

fn call(criterion: &mut Criterion) {
    let guest = guest();
    let divide = guest.function::<(i32, i32), i32>("divide").unwrap();
    criterion.bench_function("host call/i32 x 2", |b| b.iter(|| divide.call((black_box(12), 3)).unwrap()));
}

fn multiply(criterion: &mut Criterion) {
    let guest = guest();
    let mut group = criterion.benchmark_group("host multiply");
    group.measurement_time(Duration::from_secs(2));
    let copy = guest.function::<(&[f64], &[f64], i32), Vec<f64>>("multiply").unwrap().with_len(|(a, ..)| a.len());
    let view = guest.function::<(&View<[f64]>, &View<[f64]>, i32), View<[f64]>>("multiply").unwrap();
    let view = view.with_len(|(a, ..)| a.len());
    // SAFETY: `multiply` returns what it allocated and forgets it, and only reads its arguments.
    let trusted = unsafe { guest.trusted_function::<(&[f64], &[f64], i32), Owned<[f64]>>("multiply").unwrap() };
    let trusted = trusted.with_len(|(a, ..)| a.len());
    for len in [4, 1_000, 1_000_000] {
        let numbers: Vec<f64> = (0..len).map(|i| f64::from(i) + 0.5).collect();
        if len > 1_000 {
            group.sample_size(10);
        }
        group.bench_function(BenchmarkId::new("copy", len), |b| {
            b.iter(|| copy.call((&numbers, &numbers, len)).unwrap());
        });
        let of_ones = |count: i32| copy_to_guest(&guest, count);
        let argument = of_ones(len);
        group.bench_function(BenchmarkId::new("view", len), |b| {
            b.iter(|| view.call((&argument, &argument, len)).unwrap());
        });
        group.bench_function(BenchmarkId::new("trusted", len), |b| {
            b.iter(|| trusted.call((&numbers, &numbers, len)).unwrap());
        });
    }
    group.finish();
}

/// A view of `len` numbers.
fn copy_to_guest(guest: &Guest, len: i32) -> View<[f64]> {
    let iota = guest.function::<(i32,), View<[f64]>>("iota_f64").unwrap().with_len(|&(len,)| len as usize);
    iota.call((len,)).unwrap()
}

fn strings(criterion: &mut Criterion) {
    let guest = guest();
    let echo = guest.function::<(&str,), String>("echo_string").unwrap();
    let mut group = criterion.benchmark_group("host string");
    group.measurement_time(Duration::from_secs(2));
    for (name, letters) in [("ascii", "the quick brown fox. "), ("mixed", "añ€ läßt 😀 — ")] {
        for len in [11, 1_000, 100_000] {
            let text: String = letters.chars().cycle().take(len).collect();
            group.bench_function(BenchmarkId::new(name, len), |b| b.iter(|| echo.call((&text,)).unwrap()));
        }
    }
    group.finish();
}

criterion_group!(benches, call, multiply, strings);
criterion_main!(benches);
