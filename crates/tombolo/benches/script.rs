//! What a script sees: each row is a loop in JavaScript (`script.mjs`), timed as a whole and divided by its count.
//!
//! ```sh
//! cargo bench --workspace
//! ```

use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use tombolo::rquickjs::{CatchResultExt, Ctx, Function, Object};
use tombolo::{Runtime, RuntimeOptions};

fn rows<'js>(ctx: &Ctx<'js>) -> Object<'js> {
    ctx.globals().get("rows").expect("script.mjs defines the rows")
}

/// Runs a row `count` times.
fn run(ctx: &Ctx<'_>, name: &str, count: u64) -> Duration {
    let row: Function = rows(ctx).get(name).unwrap();
    let start = Instant::now();
    row.call::<_, ()>((count as f64,)).catch(ctx).unwrap_or_else(|error| panic!("{name}: {error}"));
    start.elapsed()
}

fn script(criterion: &mut Criterion) {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/script.mjs");
    let mut runtime = Runtime::new(RuntimeOptions::default()).unwrap();
    assert_eq!(runtime.run_file(Path::new(file)).exit_code, 0, "{file} failed");
    let names: Vec<String> = runtime.agent().with(|ctx| rows(ctx).keys().collect::<Result<_, _>>().unwrap());
    for name in names {
        let (group, row) = name.split_once('/').unwrap();
        let mut group = criterion.benchmark_group(group);
        // A hundred rows are of calls, whose times vary no more than those of the others.
        let seconds = if row.contains(" x ") { 0.5 } else { 2.0 };
        group.warm_up_time(Duration::from_secs_f64(seconds / 4.0)).measurement_time(Duration::from_secs_f64(seconds));
        if row.ends_with("000000") {
            group.sample_size(10);
        }
        group.bench_function(row, |bencher| {
            bencher.iter_custom(|count| runtime.agent().with(|ctx| run(ctx, &name, count)));
        });
        group.finish();
    }
}

criterion_group!(benches, script);
criterion_main!(benches);
