//! The tests of this crate in one program, but for those whose figures are about the whole process: `report.rs`,
//! `trace.rs`.

mod async_calls;
mod callbacks;
mod changes;
mod common;
mod conventions;
mod features;
mod foreign;
mod guest;
mod handles;
mod heap;
mod structs;
#[path = "common/typed.rs"]
mod typed;
mod values;
