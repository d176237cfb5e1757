//! Programs from a seed.
//!
//! A program is a prelude (`prelude.js`: a pool of values, hostile helpers, the reflective caller), then lines that are
//! independent of each other as far as possible, so that [`crate::minimize`] can drop any of them. A line either comes
//! from a grammar (one file per area in `grammar/`) or is a step of the reflective caller, which finds all functions
//! that exist at run time and calls one of them with values from the pool.

mod grammar;
mod modules;

use std::fmt::Write as _;

use crate::random::Random;
use grammar::Writer;

pub use grammar::{GRAMMARS, Grammar};

const PRELUDE: &str = include_str!("prelude.js");

/// The line after which a program's own lines begin.
pub const BEGIN: &str = "// ---- lines ----";
/// The line before which they end.
pub const END: &str = "// ---- end ----";

/// The target that has only steps of the reflective caller.
pub const REFLECTIVE: &str = "reflective";

/// What programs may be like.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The area that most lines are from: a grammar's name, or [`REFLECTIVE`]. By default it is any.
    pub target: Option<String>,
    /// Avoids loops of QuickJS that never ask whether they should stop (`reverse` of an object with a huge length).
    pub avoid_native_loops: bool,
}

/// The targets there are.
pub fn targets() -> Vec<&'static str> {
    GRAMMARS.iter().map(|(name, _)| *name).filter(|name| *name != "common").chain([REFLECTIVE]).collect()
}

/// A generated program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The seed of its run.
    pub seed: u64,
    /// Its place among the programs of that seed.
    pub number: u64,
    /// The area that most of its lines are of.
    pub target: String,
    /// Its text: an ES module.
    pub source: String,
    /// Whether it ends its lines from outside, so that it ends whatever they do. Otherwise a line may legitimately run
    /// on.
    pub ends: bool,
}

impl Program {
    /// The program with this number of a seed.
    pub fn generate(seed: u64, number: u64, options: &Options) -> Self {
        let random = &mut Random::new(seed, number);
        let targets = targets();
        let target = options.target.clone().unwrap_or_else(|| random.pick(&targets).to_string());
        let ends = random.percent(75);
        let grammar = Grammar::new();
        let mut source = header(random, ends, options.avoid_native_loops);
        let _ = writeln!(source, "// Seed {seed}, program {number}, target {target}.\n{PRELUDE}\n{BEGIN}");
        let mut writer = Writer::new(&grammar, random);
        let lines = 5 + writer.random.below(60);
        let areas = grammar.areas();
        for line in 0..lines {
            // Most lines are from one area; the rest shows what goes wrong between two areas.
            let area = if writer.random.percent(70) { &target } else { *writer.random.pick(&areas) };
            let text = match writer.random.below(100) {
                0..5 => "await tick();".to_string(),
                5..10 => format!("r({line});"),
                _ if area == REFLECTIVE => format!("r({line});"),
                _ => writer.line(area, line),
            };
            source.push_str(&text);
            source.push('\n');
        }
        source.push_str(END);
        source.push_str("\n}\nawait start(body);\n");
        Self { seed, number, target, source, ends }
    }
}

/// A program that prints what the reflective caller calls to standard error, a path
/// (`WebAssembly.Memory.prototype.grow`) in each line.
pub fn surface() -> String {
    let header = header(&mut Random::new(0, 0), false, false);
    let print = "await surface(); fill(); prepareEntries(); const paths = [...entries.ours, ...entries.engine];\n\
                 process.stderr.write(paths.map(({ path }) => `${path}\\n`).join('')); exit(0);";
    format!("{header}{PRELUDE}}};\n{print}\n")
}

/// Whether a grammar, or the prelude, has this identifier.
pub fn mentions(name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let texts = GRAMMARS.iter().map(|(_, text)| *text).chain([PRELUDE]);
    texts.flat_map(|text| text.split(|c| !part(c))).any(|word| word == name)
}

/// The constants that the prelude reads.
fn header(random: &mut Random, ends: bool, avoid_native_loops: bool) -> String {
    let limits = match random.below(6) {
        0 => "{ maxOldGenerationSizeMb: 8 }",
        1 => "{ maxOldGenerationSizeMb: 24, stackSizeMb: 1 }",
        2 => "{ stackSizeMb: 0.25 }",
        _ => "undefined",
    };
    let seed = random.next() as u32;
    let life = 800 + random.below(1500);
    let linger = *random.pick(&[0, 0, 20, 150]);
    // The contents of the pool. Each is left out at times, since making it costs time and hides what is seen without
    // it.
    let marshal = random.percent(60);
    format!(
        "const CONFIG = {{ seed: {seed}, inWorker: {ends}, life: {life}, linger: {linger}, avoid: {avoid_native_loops}, \
         marshal: {marshal}, limits: {limits} }};\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_always_the_same() {
        for number in 0..200 {
            let [one, other] = [(); 2].map(|()| Program::generate(7, number, &Options::default()));
            assert_eq!(one, other);
        }
    }

    #[test]
    fn programs_differ() {
        let programs: Vec<_> = (0..50).map(|number| Program::generate(1, number, &Options::default()).source).collect();
        let mut unique = programs.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), programs.len());
        assert_ne!(Program::generate(1, 0, &Options::default()), Program::generate(2, 0, &Options::default()));
    }

    #[test]
    fn a_target_is_kept() {
        for target in targets() {
            let options = Options { target: Some(target.to_string()), ..Options::default() };
            assert_eq!(Program::generate(1, 1, &options).target, target);
        }
    }

    #[test]
    fn every_program_has_its_lines_between_the_marks() {
        let source = Program::generate(3, 4, &Options::default()).source;
        let begin = source.find(&format!("\n{BEGIN}\n")).unwrap();
        let end = source.find(&format!("\n{END}\n")).unwrap();
        assert!(source[begin..end].lines().count() > 5);
    }
}
