//! Calls: the island, which is a store that can be entered again, and the functions that are called in it and by it.

pub(crate) mod array_copier;
pub(crate) mod island;
pub(crate) mod numbers;
pub(crate) mod raw;
pub(crate) mod trap;

pub use numbers::{
    Callee, Frame, HostFrame, HostFunction, HostThrew, Kind, Number, NumericType, Signature, ValueTypes,
};
