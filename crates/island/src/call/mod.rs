//! Calls: the island (a store that can be entered again) and the functions that are called in it and by it.

mod array_copier;
pub(crate) mod async_call;
mod c_stack;
pub(crate) mod extensions;
pub(crate) mod fiber;
mod frames;
pub(crate) mod function;
pub(crate) mod host;
pub(crate) mod island;
pub(crate) mod numbers;
pub(crate) mod raw;
pub(crate) mod signature;
pub(crate) mod trap;

pub use function::{Callee, StackMark};
pub use host::{HostFrame, HostFunction};
pub use numbers::{Frame, Number, NumberKind, NumericType, PlainType, Slot, Slots};
pub use raw::Failure;
pub use signature::{Signature, ValueTypes};
