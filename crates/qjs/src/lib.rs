//! What QuickJS-ng offers and `rquickjs` lacks, as safe types: classes whose objects own Rust values and are followed
//! by the cycle collector, callable ones included; native functions without a closure; `ArrayBuffer`s over foreign
//! memory; strings and numbers without a detour.
//!
//! This is the only crate that calls QuickJS's C interface. C enters Rust through the thunks in [`class`] and
//! [`function`], each of which recovers its context, dispatches, and keeps panics from unwinding into C.

pub mod access;
pub mod awaits;
pub mod backtrace;
pub mod buffer;
pub mod bytecode;
pub mod class;
pub mod define;
pub mod eval;
pub mod fields;
pub mod function;
pub mod guards;
pub mod held;

pub mod array;
pub mod builtin_kind;
pub mod layout;
pub mod lazy;
mod lost;
mod mark;
pub mod module;
pub mod module_graph;
pub mod number;
pub mod opaque;
pub mod pristine;
pub mod properties;
pub mod reuse;
pub mod room;
pub mod runtime;
pub mod script;
pub mod shared;
pub mod stack;
pub mod string;
pub mod transfer;
pub mod value;

pub use buffer::{Bytes, ElementKind};
pub use class::{Callable, ClassId, HostClass};
pub use function::Call;
pub use held::{Arguments, CallResult, Held, Realm, WeakMap, WeakObject};
pub use lost::lost_objects;
pub use mark::{Mark, MarkedRc, Marker};
pub use qjs_derive::{HostClass, Mark};
pub use value::{Args, Borrowed, Cx, Returned};

pub use rquickjs::{Ctx, Exception, Function, Object, Result, Value};
