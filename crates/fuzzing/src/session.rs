//! A run of many programs: what they did, and what was found.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context, Result};

use crate::generators::{Options, Program};
use crate::oracles::{End, Oracle, finding};

/// What to run.
#[derive(Debug)]
pub struct Session {
    /// The seed of all programs.
    pub seed: u64,
    /// The first program's number.
    pub first: u64,
    /// How many programs, at most.
    pub programs: u64,
    /// When no more programs are begun.
    pub time: Duration,
    /// How many at once.
    pub jobs: usize,
    /// What the programs are like.
    pub options: Options,
    /// Where findings go.
    pub findings: PathBuf,
}

/// The outcome of a session.
#[derive(Debug, Default)]
pub struct Summary {
    /// Programs by how they ended.
    pub ends: BTreeMap<End, u64>,
    /// Signatures: how often each was seen, and the first program that showed it.
    pub findings: BTreeMap<String, (u64, u64)>,
}

impl Session {
    /// Runs the programs. `report` gets each new finding: its signature and its folder.
    pub fn run(&self, oracle: &Oracle, report: impl Fn(&str, &Path) + Sync) -> Result<Summary> {
        let start = Instant::now();
        let next = AtomicU64::new(self.first);
        let summary = Mutex::new(Summary::default());
        let work = || -> Result<()> {
            while start.elapsed() < self.time {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number - self.first >= self.programs {
                    break;
                }
                let program = Program::generate(self.seed, number, &self.options);
                let run = oracle.run(&program.source)?;
                let mut summary = summary.lock().expect("no job panics");
                *summary.ends.entry(run.end).or_default() += 1;
                let Some(signature) = finding(&run, program.ends) else { continue };
                let (count, _) = summary.findings.entry(signature.clone()).or_insert((0, number));
                *count += 1;
                if *count == 1 {
                    let folder = self.findings.join(format!("{}-{number}", self.seed));
                    save(&folder, &program, &signature, &run.stderr, &run.trace)?;
                    report(&signature, &folder);
                }
            }
            Ok(())
        };
        thread::scope(|scope| {
            let jobs: Vec<_> = (0..self.jobs).map(|_| scope.spawn(work)).collect();
            jobs.into_iter().try_for_each(|job| job.join().expect("no job panics"))
        })?;
        Ok(summary.into_inner().expect("no job panics"))
    }
}

fn save(folder: &Path, program: &Program, signature: &str, stderr: &str, trace: &str) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("could not create {}", folder.display()))?;
    let Program { seed, number, target, .. } = program;
    let about = format!("{signature}\nseed {seed}, program {number}, target {target}\n");
    for (name, text) in
        [("about.txt", &*about), ("program.mjs", &program.source), ("stderr.txt", stderr), ("trace.txt", trace)]
    {
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} programs", self.ends.values().sum::<u64>())?;
        for (end, count) in &self.ends {
            writeln!(f, "{count:8}  {end}")?;
        }
        writeln!(f, "{} findings", self.findings.len())?;
        for (signature, (count, program)) in &self.findings {
            writeln!(f, "{count:8}  {signature} (program {program})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracles::Limits;

    #[test]
    fn findings_are_kept_once_each() {
        let findings = std::env::temp_dir().join(format!("tombolo-fuzzing-session-{}", std::process::id()));
        let session = Session {
            seed: 1,
            first: 0,
            programs: 6,
            time: Duration::MAX,
            jobs: 2,
            options: Options::default(),
            findings: findings.clone(),
        };
        let reports = Mutex::new(0);
        let report = |signature: &str, folder: &Path| {
            assert_eq!(signature, "signal 6: Assertion");
            assert!(fs::read_to_string(folder.join("program.mjs")).unwrap().contains("Seed 1"));
            *reports.lock().unwrap() += 1;
        };
        let oracle = Oracle::new(["sh", "-c", "echo Assertion >&2; kill -ABRT $$"], Limits::default());
        let summary = session.run(&oracle, report).unwrap();
        assert_eq!(summary.ends, BTreeMap::from([(End::Signal(6), 6)]));
        assert_eq!(summary.findings["signal 6: Assertion"].0, 6);
        assert_eq!(*reports.lock().unwrap(), 1);
        fs::remove_dir_all(findings).unwrap();
    }
}
