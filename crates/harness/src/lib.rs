//! What checks this project against others' words: the WebAssembly specification's core suite, run through the JavaScript
//! API.

mod script;
mod wrapper;

pub mod run;
pub mod suite;
