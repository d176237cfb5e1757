//! Checks this project against others: the WebAssembly specification's core suite, run through the JavaScript API, and
//! random modules, compared with another engine.

mod legacy;
mod script;
mod wrapper;

pub mod differential;
pub mod run;
pub mod suite;
