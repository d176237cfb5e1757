//! ToWebAssemblyValue and ToJSValue, and what they make: functions, exceptions and objects of guests. The specification
//! defines these by each other, and so do these files.

pub(crate) mod elements;
pub(crate) mod errors;
pub(crate) mod exception;
pub mod function;
pub(crate) mod gc_object;
pub(crate) mod linking;
pub(crate) mod stacks;
pub(crate) mod typed_function;
pub(crate) mod types;
pub(crate) mod values;
