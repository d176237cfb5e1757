//! What one block costs: allocated by the guest, owned, dropped, freed at the next safe point.

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;
use std::time::Instant;

fn main() {
    let guest = common::Guest::new();
    // `cargo test --benches` asks only whether it runs.
    let rounds = if std::env::args().any(|arg| arg == "--bench") { 2_000_000 } else { 1_000 };
    let measure = |what: &str, mut body: Box<dyn FnMut() + '_>| {
        let best = (0..5).map(|_| {
            let start = Instant::now();
            (0..rounds).for_each(|_| body());
            start.elapsed().as_nanos() as f64 / f64::from(rounds)
        });
        println!("{what}: {:.1} ns", best.fold(f64::INFINITY, f64::min));
    };
    let heap = &guest.heap;
    measure("allocate, free", Box::new(|| heap.free(black_box(heap.allocate(64).unwrap())).unwrap()));
    measure("allocate, adopt, drop, drain", Box::new(|| drop(black_box(guest.block(64)))));
    let kept: Vec<_> = (0..10_000).map(|_| guest.block(64)).collect();
    measure("the same beside 10,000 others", Box::new(|| drop(black_box(guest.block(64)))));
    drop(kept);
    heap.drain().unwrap();
    println!("{}", marshal::report());
}
