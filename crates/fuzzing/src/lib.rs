//! Hostile scripts for the command, and what counts as a fault when it runs them.
//!
//! [`generators`] write programs: the same seed and number always give the same text. [`oracles`] run one in a process
//! of its own, within limits, and tell what must never happen (a signal, a panic, a process that does not end) from
//! what may. The binary only puts the two together; [`session`] is its loop, and [`minimize`] shortens what it found.

pub mod generators;
pub mod minimize;
pub mod oracles;
pub mod random;
pub mod session;
