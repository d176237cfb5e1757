//! Runs random modules here and on an installed `node`, and compares what can be seen of them.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use harness::differential;
use harness::run::{Host, installed_node};
use island::{Engine, EngineOptions};

/// Runs random modules here and on an installed `node`, and compares what can be seen of them.
#[derive(Parser)]
struct Options {
    /// The first module's seed; each next one has the next. By default another every time.
    #[arg(long)]
    seed: Option<u64>,
    /// How many modules.
    #[arg(long, default_value_t = 1000)]
    count: u64,
    /// A folder to which modules are written that are not seen alike.
    #[arg(long)]
    save: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let node = installed_node().context("there is no node on PATH, nor does TOMBOLO_NODE name one")?;
    let since = || std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs());
    let seed = options.seed.unwrap_or_else(since);
    println!("--seed {seed} --count {}", options.count);
    let engine = Engine::new(&EngineOptions::default())?;
    let here = Host::Tombolo { engine: &engine, one_island: false };
    let (count, mismatches) = differential::compare(seed..seed + options.count, &here, &Host::Node(&node))?;
    for mismatch in &mismatches {
        let before = mismatch.before.last().map_or("", |line| line);
        println!("seed {}, after \"{before}\":\n  here: {}\n  node: {}", mismatch.seed, mismatch.here, mismatch.there);
        if let Some(folder) = &options.save {
            std::fs::write(folder.join(format!("{}.wasm", mismatch.seed)), &mismatch.module)?;
        }
    }
    println!("{count} modules compared, {} seen differently", mismatches.len());
    Ok(if mismatches.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
