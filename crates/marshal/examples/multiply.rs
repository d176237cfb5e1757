//! Calls functions of a C guest with Rust's slices and strings. What they return frees itself.
//!
//! ```sh
//! cargo run --release -p tombolo-marshal --example multiply
//! ```

use marshal::island::wasi::WasiConfig;
use marshal::island::{Engine, EngineOptions, Module};
use marshal::{Guest, Owned};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wasm = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../guests/demo.wasm"))?;
    let engine = Engine::new(&EngineOptions::default())?;
    let module = Module::new(&engine, &wasm)?;
    let guest = Guest::builder(&engine).wasi(WasiConfig::with_stdio())?.instantiate(&module)?;

    // double *multiply(const double *a, const double *b, int n);
    // SAFETY: it returns what it allocated, and keeps no pointer to it.
    let multiply = unsafe { guest.trusted_function::<(&[f64], &[f64], i32), Owned<[f64]>>("multiply")? };
    let multiply = multiply.with_len(|(a, ..)| a.len());
    let product = multiply.call((&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0], 3))?;
    println!("{:?} at {:#x} in the guest's memory", &product[..], product.address());

    // char *reverse(const char *string);
    let reverse = guest.function::<(&str,), String>("reverse")?;
    println!("{}", reverse.call(("olobmot",))?);

    // A million results, and never more than a few of them in memory.
    for _ in 0..1_000_000 {
        multiply.call((&product, &product, 3))?;
    }
    println!("{}", marshal::report());
    Ok(())
}
