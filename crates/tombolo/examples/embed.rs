//! Gives a plain `rquickjs` context the `WebAssembly` namespace by one call, and runs a module in it.
//!
//! ```sh
//! cargo run --release -p tombolo --example embed
//! ```

use tombolo::island::{Engine, EngineOptions};
use tombolo::js_api;
use tombolo::rquickjs::{CatchResultExt, Context, Runtime};

/// `(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))`
const SCRIPT: &str = "
const bytes = Uint8Array.of(
    0, 97, 115, 109, 1, 0, 0, 0,
    1, 7, 1, 96, 2, 127, 127, 1, 127, // a type: two i32, one i32
    3, 2, 1, 0,
    7, 7, 1, 3, 97, 100, 100, 0, 0, // an export: add
    10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11);
new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.add(40, 2);
";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let engine = Engine::new(&EngineOptions::default())?;
    let runtime = Runtime::new()?;
    let context = Context::full(&runtime)?;
    let sum = context.with(|ctx| {
        js_api::install(&ctx, js_api::Options::new(engine)).catch(&ctx).map_err(|error| error.to_string())?;
        ctx.eval::<i32, _>(SCRIPT).catch(&ctx).map_err(|error| error.to_string())
    })?;
    println!("40 + 2 = {sum}");
    Ok(())
}
