//! `tombolo compile`: fills the cache of compiled code before a program needs it.

use std::path::{Path, PathBuf};

use clap::Parser;
use tombolo::island::{Engine, EngineOptions, Module};

use crate::{cache, tell, wasm};

/// Compiles WebAssembly modules, and keeps the code for later programs.
#[derive(Parser, Debug)]
#[command(name = "tombolo compile", bin_name = "tombolo compile")]
pub(crate) struct Command {
    /// Write it to OUTPUT instead, for `--precompiled`
    #[arg(short, long, value_name = "OUTPUT")]
    output: Option<PathBuf>,

    /// The modules (.wasm, .wat)
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

/// Compiles the files. Returns the exit code.
pub(crate) fn run(command: &Command) -> i32 {
    let cache = match (&command.output, &command.files[..]) {
        (None, _) => cache::to_fill().map(Some),
        (Some(_), [_]) => Ok(None),
        (Some(_), _) => Err("-o takes the code of one module; several files can be given to `tombolo`".into()),
    };
    let engine = cache.and_then(|cache| {
        let options = EngineOptions { cache, ..EngineOptions::default() };
        Engine::new(&options).map_err(|error| format!("cannot set up WebAssembly: {error:#}"))
    });
    match engine {
        Ok(engine) => command.files.iter().map(|file| compile(&engine, file, command)).max().unwrap_or(0),
        Err(error) => failed(&error),
    }
}

fn compile(engine: &Engine, file: &Path, command: &Command) -> i32 {
    let compiled = wasm::read(file).and_then(|bytes| match &command.output {
        Some(output) => {
            let code = engine.precompile_module(&bytes).map_err(|error| error.to_string())?;
            replace(output, &code).map_err(|error| format!("cannot write {}: {error}", output.display()))
        }
        None => {
            Module::new(engine, &bytes).map_err(|error| error.to_string())?;
            let why = "its code cannot be kept: the cache's folder has no room for it, or cannot be written to";
            if engine.has_cached(&bytes) { Ok(()) } else { Err(why.into()) }
        }
    });
    compiled.map_or_else(|error| failed(&format!("{}: {error}", file.display())), |()| 0)
}

/// Makes a file with these contents. One that was there stays as it is for programs that have mapped it.
fn replace(path: &Path, contents: &[u8]) -> std::io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".{}", std::process::id()));
    let written = std::fs::write(&unfinished, contents).and_then(|()| std::fs::rename(&unfinished, path));
    if written.is_err() {
        // What cannot be removed either stays.
        let _ = std::fs::remove_file(&unfinished);
    }
    written
}

fn failed(message: &str) -> i32 {
    tell(format_args!("tombolo: {message}"));
    1
}
