//! Chores of this workspace: `cargo run -p xtask -- help`.

mod dist;
mod document;
mod figures;
mod headers;
mod node_tests;
mod official;
mod packages;
mod rust_source;
mod tidy;
mod wasi_testsuite;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
Chores of the Tombolo workspace.

usage: cargo run -p xtask -- COMMAND

commands:
  tidy    check that the documents tell the truth, and the rules that they state:
            - every path that README.md, ARCHITECTURE.md, SECURITY.md and docs/*.md name exists
            - workspace crates depend on each other as docs/inventory.md says, and not otherwise
            - `unsafe` stands in the files that are listed there, and only in those
            - every Rust file begins with `//!`
            - no file has more than 800 lines but those that are listed there with a reason
            - no test is left out where a manifest lists them
          `cargo test` runs the same checks
  figures [DIR]
          print figures about the Rust code of this workspace, or of the one in DIR: how long files are, how many
          import each other in a circle, what is unsafe, and which names several crates define
  official [SUITE=]DIR...
          run the official tests of the JavaScript API with the command beside this one, and compare with
          tests/js/official.txt. DIR is a checkout of the WebAssembly specification, or of the threads proposal
          (threads=DIR), which are no part of this repository
  dist [DIR]
          make an archive in DIR (target/dist) of the command beside this one, stripped, with its manual, completions for
          shells, documents, declarations for TypeScript, and the licences of all packages that are linked into it
  headers [--cc COMMAND] [-v] DIR...
          bind the headers of twenty C libraries, wherever in DIR they are, with the command beside this one, and print
          how many of their functions it takes. With a compiler for wasm32 (--cc 'zig cc -target wasm32-wasi'), compare
          signatures, sizes and offsets with those that it makes of them
  packages [--node PATH] [PACKAGE...]
          run the scripts of tests/packages, each of which uses a package of npm, with the command beside this one (and
          with a node), print a table, and compare with tests/packages/not-yet.txt
  node-tests DIR [MODULE]...
          run those of Node's own tests that tests/js/node-tests.txt lists, or those of some modules, with the command
          beside this one, and compare with that list. DIR is the folder `test` of a checkout of Node, with `parallel`,
          `common` and `fixtures`, which are no part of this repository
  wasi-testsuite [--node PATH] DIR
          run the programs of WebAssembly/wasi-testsuite for preview 1 by node:wasi, by the command beside this one and by
          tombolo:marshal (and by a node), print how many pass, and compare with tests/js/wasi-testsuite.txt. DIR is a
          checkout of its branch prod/testsuite-base, which is no part of this repository
  help    print this
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["tidy"] => with_tree(&tidy::root(), tidy),
        ["figures"] => with_tree(&tidy::root(), figures),
        ["figures", folder] => with_tree(folder.as_ref(), figures),
        ["dist", ref more @ ..] => dist::run(more),
        ["headers", ref more @ ..] => headers::run(more),
        ["node-tests", folder, ref modules @ ..] => node_tests::run(folder.as_ref(), modules),
        ["official", suite, ref more @ ..] => official::run(&[&[suite], more].concat()),
        ["packages", ref more @ ..] => packages::run(more),
        ["wasi-testsuite", ref more @ ..] => wasi_testsuite::run(more),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        _ => {
            eprint!("xtask: no such command: {}\n\n{HELP}", args.join(" "));
            ExitCode::from(2)
        }
    }
}

/// The command that is built beside this one.
fn command() -> io::Result<PathBuf> {
    let command = std::env::current_exe()?.with_file_name("tombolo");
    if !command.is_file() {
        return Err(io::Error::other(format!("there is no {}; `cargo build --release` makes it", command.display())));
    }
    Ok(command)
}

/// Tells what a comparison with a list has found.
fn report(name: &str, compared: io::Result<Vec<String>>) -> ExitCode {
    match compared {
        Ok(problems) if problems.is_empty() => ExitCode::SUCCESS,
        Ok(problems) => {
            eprintln!("{}\n{name}: {} problems", problems.join("\n"), problems.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn with_tree(root: &Path, command: fn(&tidy::Tree) -> ExitCode) -> ExitCode {
    match tidy::Tree::read(root) {
        Ok(tree) => command(&tree),
        Err(error) => {
            eprintln!("xtask: {}: {error}", root.display());
            ExitCode::FAILURE
        }
    }
}

fn figures(tree: &tidy::Tree) -> ExitCode {
    print!("{}", figures::Figures::of(tree));
    ExitCode::SUCCESS
}

fn tidy(tree: &tidy::Tree) -> ExitCode {
    let problems = tidy::check(tree);
    for problem in &problems {
        eprintln!("{problem}");
    }
    if problems.is_empty() {
        println!("tidy: {} files, no problem", tree.files.len());
        return ExitCode::SUCCESS;
    }
    eprintln!("tidy: {} problems", problems.len());
    ExitCode::FAILURE
}
