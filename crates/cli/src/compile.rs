//! `tombolo compile`: fills the cache of compiled code before a program needs it.

use std::path::{Path, PathBuf};

use clap::Parser;
use tombolo::island::{Engine, EngineOptions, Module};

use crate::{cache, tell, wasm};

/// Compiles WebAssembly modules, and keeps what comes of it for the programs that use them.
#[derive(Parser, Debug)]
#[command(name = "tombolo compile", bin_name = "tombolo compile")]
pub(crate) struct Command {
    /// The modules (.wasm, .wat)
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

/// Compiles the files. Returns the exit code.
pub(crate) fn run(command: &Command) -> i32 {
    match cache::to_fill() {
        Ok(cache) => {
            let options = EngineOptions { cache: Some(cache), ..EngineOptions::default() };
            match Engine::new(&options) {
                Ok(engine) => command.files.iter().map(|file| compile(&engine, file)).max().unwrap_or(0),
                Err(error) => failed(&format!("cannot set up WebAssembly: {error:#}")),
            }
        }
        Err(error) => failed(&error),
    }
}

fn compile(engine: &Engine, file: &Path) -> i32 {
    let compiled = wasm::read(file).and_then(|bytes| {
        Module::new(engine, &bytes).map_err(|error| error.to_string())?;
        let why = "its code cannot be kept: the cache's folder has no room for it, or cannot be written to";
        if engine.has_cached(&bytes) { Ok(()) } else { Err(why.into()) }
    });
    compiled.map_or_else(|error| failed(&format!("{}: {error}", file.display())), |()| 0)
}

fn failed(message: &str) -> i32 {
    tell(format_args!("tombolo: {message}"));
    1
}
