//! `tombolo inspect`: what is in a WebAssembly module.

mod features;
mod module;
mod text;

use std::path::PathBuf;

use clap::Parser;
use tombolo::island::{Engine, EngineOptions};

use crate::{cache, tell, wasm};

/// Tells what is in a WebAssembly module
#[derive(Parser, Debug)]
#[command(name = "tombolo inspect", bin_name = "tombolo inspect")]
pub(crate) struct Command {
    /// Print it as JSON
    #[arg(long)]
    json: bool,

    /// How many functions to list, the largest first
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    top: usize,

    /// The module (.wasm, .wat)
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Prints what is in the module. Returns the exit code.
pub(crate) fn run(command: &Command) -> i32 {
    match describe(command) {
        Ok(text) => i32::from(!crate::print(&text)),
        Err(message) => {
            tell(format_args!("tombolo: {}: {message}", command.file.display()));
            1
        }
    }
}

fn describe(command: &Command) -> Result<String, String> {
    let bytes = wasm::read(&command.file)?;
    let mut module = module::Module::read(&bytes)?;
    module.is_cached = is_cached(&bytes);
    Ok(match command.json {
        true => format!("{:#}\n", module.to_json(command.top)),
        false => module.to_text(&command.file.to_string_lossy(), command.top),
    })
}

/// Whether the cache has the module's code; `None` if there is no cache.
fn is_cached(bytes: &[u8]) -> Option<bool> {
    let cache = Some(cache::of_programs()?);
    let engine = Engine::new(&EngineOptions { cache, ..EngineOptions::default() }).ok()?;
    Some(engine.has_cached(bytes))
}
