//! `tombolo bind`: what of a C header a module has, and an ES module that binds it.

use std::path::PathBuf;

use clap::Parser;
use tombolo::{Runtime, RuntimeOptions};

use crate::tell;

/// The program that does it.
const PROGRAM: &str = include_str!("bind.mjs");

/// Tells what of a C library's header can be called in a WebAssembly module
///
/// And what cannot, and why. With -o, writes an ES module that binds it, and
/// its types beside it (.d.mts).
#[derive(Parser, Debug)]
#[command(verbatim_doc_comment, name = "tombolo bind", bin_name = "tombolo bind")]
pub(crate) struct Command {
    /// Write an ES module to FILE, and its types
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Look for included headers in FOLDER
    #[arg(short = 'I', long = "include", value_name = "FOLDER")]
    include: Vec<PathBuf>,

    /// Define a macro
    #[arg(short = 'D', long = "define", value_name = "NAME[=VALUE]")]
    define: Vec<String>,

    /// Print it as JSON
    #[arg(long)]
    json: bool,

    /// The header (.h), as the library has it
    #[arg(value_name = "HEADER")]
    header: PathBuf,

    /// The module (.wasm)
    #[arg(value_name = "MODULE")]
    module: PathBuf,
}

/// Binds. Returns the exit code.
pub(crate) fn run(command: &Command) -> i32 {
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    let mut argv = vec![String::new(), "tombolo bind".to_owned(), text(&command.header), text(&command.module)];
    argv.push(command.output.as_ref().map(text).unwrap_or_default());
    argv.push(if command.json { "json" } else { "" }.to_owned());
    for folder in &command.include {
        argv.push(format!("I{}", folder.display()));
    }
    argv.extend(command.define.iter().map(|define| format!("D{define}")));
    let mut options = RuntimeOptions::default();
    options.platform.argv = argv;
    match Runtime::new(options) {
        Ok(mut runtime) => runtime.run_source("tombolo-bind.mjs", PROGRAM).exit_code,
        Err(error) => {
            tell(format_args!("tombolo bind: {error}"));
            1
        }
    }
}
