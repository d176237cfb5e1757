//! The `tombolo` command from outside: every script of tests/js in a process of its own, and what the command line does.

mod command_line;
mod ends;
mod errors;
mod harness;
mod limits;
mod output;
mod scripts;
mod trace;
mod wasi_command;
