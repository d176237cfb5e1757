//! Start-up of the command: from `spawn` to its end, for an empty script and for one with a module of 40 bytes.
//!
//! The command is another crate's. If it has not been built (`cargo build --release`), there is nothing to time.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};

/// `(module (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))`, instantiated.
const MODULE: &str = "
const bytes = Uint8Array.of(
    0, 97, 115, 109, 1, 0, 0, 0,
    1, 6, 1, 96, 1, 127, 1, 127,
    3, 2, 1, 0,
    7, 5, 1, 1, 102, 0, 0,
    10, 9, 1, 7, 0, 32, 0, 65, 1, 106, 11);
if (new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.f(1) !== 2) throw new Error('wrong sum');
";

/// The command beside this benchmark: both are in the same folder of the target directory, or one level up.
fn command() -> Option<PathBuf> {
    let here = std::env::current_exe().ok()?;
    let name = format!("tombolo{}", std::env::consts::EXE_SUFFIX);
    here.ancestors().skip(1).take(2).map(|folder| folder.join(&name)).find(|path| path.is_file())
}

fn run(command: &Path, script: &Path) {
    let status = Command::new(command).arg(script).stdin(Stdio::null()).status().unwrap();
    assert!(status.success(), "{} {}: {status}", command.display(), script.display());
}

fn start(criterion: &mut Criterion) {
    let Some(command) = command() else {
        eprintln!("start: the command is not there; `cargo build --release` builds it");
        return;
    };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut group = criterion.benchmark_group("start");
    group.measurement_time(Duration::from_secs(3));
    for (name, text) in [("empty script", ""), ("module", MODULE)] {
        let script = folder.join(format!("{}.mjs", name.replace(' ', "-")));
        std::fs::write(&script, text).unwrap();
        group.bench_function(name, |b| b.iter(|| run(&command, &script)));
    }
    group.finish();
}

criterion_group!(benches, start);
criterion_main!(benches);
