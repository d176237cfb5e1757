//! Runs hostile scripts until something breaks.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use fuzzing::generators::{Options, Program, targets};
use fuzzing::minimize::minimize;
use fuzzing::oracles::{Limits, Oracle, finding};
use fuzzing::session::Session;

/// Writes random hostile scripts, runs each with `tombolo`, and keeps those at which it crashes, panics or does not end
#[derive(Parser)]
struct Arguments {
    /// The seed; the same seed gives the same programs
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// For how many seconds programs are begun
    #[arg(long, default_value_t = 60)]
    time: u64,
    /// How many programs at most
    #[arg(long, default_value_t = u64::MAX)]
    programs: u64,
    /// The first program's number
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// How many programs run at once
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// The area that most lines are of
    #[arg(long)]
    target: Option<String>,
    /// Keep from the engine's loops that cannot be interrupted
    #[arg(long)]
    avoid_native_loops: bool,
    /// The command to test, if not the one beside this program
    #[arg(long)]
    tombolo: Option<PathBuf>,
    /// Where findings go
    #[arg(long)]
    findings: Option<PathBuf>,
    /// Seconds that a program may take
    #[arg(long, default_value_t = 20)]
    limit: u64,
    /// Run one program only, print what it wrote, and how it ended
    #[arg(long)]
    program: Option<u64>,
    /// With --program: print its text instead of running it
    #[arg(long)]
    print: bool,
    /// Run a saved program
    #[arg(long)]
    check: Option<PathBuf>,
    /// Shorten a saved program; prints what is left
    #[arg(long)]
    minimize: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let Arguments { seed, target, avoid_native_loops, .. } = arguments;
    if let Some(target) = &target {
        ensure!(targets().contains(&&**target), "no target {target}; there are {}", targets().join(", "));
    }
    let options = Options { target, avoid_native_loops };
    let tombolo = match arguments.tombolo {
        Some(path) => path,
        None => std::env::current_exe()?.with_file_name("tombolo"),
    };
    let tombolo =
        tombolo.canonicalize().with_context(|| format!("no command {}; build it first", tombolo.display()))?;
    let limits = Limits { time: Duration::from_secs(arguments.limit), ..Limits::default() };
    let oracle = Oracle::of_tombolo(&tombolo, limits);
    if let Some(path) = &arguments.minimize {
        let source = std::fs::read_to_string(path)?;
        let signature = finding(&oracle.run(&source)?, true).context("nothing is wrong with this program")?;
        eprintln!("{signature}");
        let same = |source: &str| oracle.run(source).is_ok_and(|run| finding(&run, true).as_ref() == Some(&signature));
        print!("{}", minimize(&source, same));
        return Ok(ExitCode::SUCCESS);
    }
    let one = match (arguments.program, &arguments.check) {
        (Some(number), _) => Some(Program::generate(seed, number, &options).source),
        (None, Some(path)) => Some(std::fs::read_to_string(path)?),
        (None, None) => None,
    };
    if let Some(source) = one {
        if arguments.print {
            print!("{source}");
            return Ok(ExitCode::SUCCESS);
        }
        let run = oracle.run(&source)?;
        eprint!("{}{}", run.trace, run.stderr);
        let signature = finding(&run, true);
        println!("{}; {}", run.end, signature.as_deref().unwrap_or("nothing is wrong"));
        return Ok(if signature.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS });
    }
    let findings = arguments
        .findings
        .unwrap_or_else(|| std::env::temp_dir().join(format!("tombolo-findings-{}", std::process::id())));
    println!("Findings go to {}.", findings.display());
    let session = Session {
        seed,
        first: arguments.first,
        programs: arguments.programs,
        time: Duration::from_secs(arguments.time),
        jobs: arguments.jobs,
        options,
        findings,
    };
    let summary = session.run(&oracle, |signature, folder| println!("{}: {signature}", folder.display()))?;
    print!("{summary}");
    Ok(if summary.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
