//! Runs random modules here and on an installed `node`, and compares what can be seen of them.

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use harness::differential::{self, Comparison, Modules};
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
    /// Modules with legacy exception handling.
    #[arg(long)]
    legacy: bool,
    /// A folder to which modules are written that are not seen alike.
    #[arg(long)]
    save: Option<PathBuf>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let node = installed_node()?;
    let since = || std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs());
    let seed = options.seed.unwrap_or_else(since);
    let modules = if options.legacy { Modules::Legacy } else { Modules::Any };
    println!("--seed {seed} --count {}", options.count);
    let engine = Engine::new(&EngineOptions::default())?;
    let here = Host::Tombolo { engine: &engine, one_island: false };
    let comparison = differential::compare(modules, seed..seed + options.count, &here, &Host::Node(&node))?;
    for mismatch in &comparison.mismatches {
        println!("{mismatch}");
        if let Some(folder) = &options.save {
            std::fs::write(folder.join(format!("{}.wasm", mismatch.seed)), &mismatch.module)?;
        }
    }
    let Comparison { modules, exhausted, returned, .. } = comparison;
    println!("{modules} modules compared: {returned} calls returned, {exhausted} modules exhausted a stack");
    comparison.verdict()
}
