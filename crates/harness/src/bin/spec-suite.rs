//! Runs the WebAssembly specification's core suite through the JavaScript API and prints the table of what passes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use harness::run::Host;
use harness::suite::{self, Exclusions, Report};
use island::{Engine, EngineOptions};

/// Runs the WebAssembly specification's core suite through the JavaScript API.
#[derive(Parser)]
struct Options {
    /// Only scripts whose path (folder/name.wast) contains this.
    filter: Option<String>,
    /// The scripts below this folder, such as the specification's legacy ones, instead of the core suite.
    #[arg(long, conflicts_with = "record")]
    folder: Option<PathBuf>,
    /// Each instance in an island of its own if its imports allow it, instead of all in one.
    #[arg(long)]
    islands: bool,
    /// Run with this `node` instead.
    #[arg(long)]
    node: Option<PathBuf>,
    /// Ignore the exclusions: print everything that fails.
    #[arg(long)]
    all: bool,
    /// Record the table, which tests compare with.
    #[arg(long)]
    record: bool,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let (files, mut exclusions) = match &options.folder {
        Some(folder) => (suite::files_below(folder)?, Exclusions::default()),
        None => {
            let files = suite::files();
            let exclusions = Exclusions::read(!options.islands, &files)?;
            (files, exclusions)
        }
    };
    let filter = options.filter.as_deref().unwrap_or_default();
    let files: Vec<_> = files.iter().filter(|file| exclusions.runs(file) && file.path.contains(filter)).collect();
    if options.all {
        exclusions = Exclusions::default();
    }
    let engine = Engine::new(&EngineOptions::default())?;
    let host = match &options.node {
        Some(node) => Host::Node(node),
        None => Host::Tombolo { engine: &engine, one_island: !options.islands },
    };
    let report = Report::new(&files, &suite::run(&host, &files), &exclusions);
    for problem in &report.problems {
        println!("{problem}");
    }
    print!("{}", report.table());
    if options.record {
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("totals.txt"), report.table())?;
    }
    Ok(if report.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
