//! The `tombolo` command from outside: what the command line does, and what is built on it. `../scripts.rs` runs the
//! scripts.

mod bind;
mod cache;
mod command_line;
mod ends;
mod errors;
mod expectations;
#[path = "../fuzzing.rs"]
mod fuzzing;
mod harness;
mod http;
mod inspect;
mod limits;
mod output;
#[path = "../packages.rs"]
mod packages;
mod permissions;
mod precompiled;
mod repl;
mod signals;
#[path = "../sqlite.rs"]
mod sqlite;
mod terminal;
mod trace;
#[path = "../types.rs"]
mod types;
mod wasi_command;
