//! Marshalling between a Rust host and the memory of its guests. No JavaScript.
//!
//! A guest function is bound once, with the types that it has in C, and called with Rust's own. Slices and strings go
//! in; what comes back is a piece of the guest's memory that frees itself when it is dropped, on whichever thread.
//!
//! ```
//! use marshal::island::{Engine, EngineOptions, Module};
//! use marshal::{Guest, View};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let wasm = wat::parse_str(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/guest.wat")))?;
//! let engine = Engine::new(&EngineOptions::default())?;
//! let module = Module::new(&engine, &wasm)?;
//! let guest = Guest::builder(&engine).import("host", "hook", |_: i32| ()).instantiate(&module)?;
//!
//! // double *multiply(const double *a, const double *b, int n);
//! let multiply = guest.function::<(&[f64], &[f64], i32), View<[f64]>>("multiply")?.with_len(|(a, ..)| a.len());
//! let product = multiply.call((&[1.0, 2.0, 3.0], &[10.0, 20.0, 30.0], 3))?;
//! assert_eq!(product.get(2), Some(90.0));
//!
//! // char *reverse(const char *string);
//! let reverse = guest.function::<(&str,), String>("reverse")?;
//! assert_eq!(reverse.call(("tombolo",))?, "olobmot");
//! # Ok(())
//! # }
//! ```
//!
//! There are three kinds of results, by how far the guest is trusted: `Vec<f64>` and `String` are copies;
//! [`View<[f64]>`](View) is the guest's memory, read by checked copies, and safe whatever the guest does;
//! [`Owned<[f64]>`](Owned) is the same memory as a plain `&[f64]`, for functions that are bound with a
//! [promise](Guest::trusted_function).
//!
//! - [`guest`]: a guest with its heap; binding functions.
//! - [`function`]: bound functions, and what may be passed ([`argument`]) and returned ([`output`]).
//! - [`value`]: what can lie in a guest's memory, and how to derive it for structs and enums;
//!   [`text`]: strings.
//! - [`callback`]: closures as function pointers; [`async_callback`]: those that guests wait for.
//! - [`opaque`]: opaque pointers with a type, which close themselves.
//! - [`view`]: results that are the guest's memory.
//! - [`allocator`]: which functions allocate and free, and by which convention.
//! - [`heap`]: a guest's heap, and the safe points at which blocks are given back.
//! - [`layout`]: the rules of C for WebAssembly; [`transfer`]: what is allocated and freed on the way.
//! - [`handle`]: opaque pointers without a type.
//! - [`loan`]: blocks that calls in progress were given.
//! - [`block`]: one allocation, owned by the host; dropping it, on any thread, only enqueues it.
//! - [`copy`]: numbers and strings in and out, by copies that may race with the guest but never leave its memory.
//! - [`plain`]: which Rust types are nothing but bytes.
//! - [`report`](mod@report): how many blocks there were and are, in the whole process.
//! - [`trace`]: which line of a program made them, and how its heaps grew.
//! - [`error`]: what can go wrong.
//!
//! The reclaim queue behind them is in `reclaim`: who owns what on which thread is told there.

// Output that cannot be written must not panic, and a library has no output of its own.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod allocator;
pub mod argument;
pub mod async_callback;
pub mod block;
mod call_stack;
pub mod callback;
pub mod copy;
pub mod error;
pub mod function;
pub mod guest;
mod guest_function;
pub mod handle;
pub mod heap;
pub mod layout;
pub mod loan;
pub mod opaque;
pub mod output;
pub mod plain;
mod reclaim;
pub mod report;
pub mod room;
pub mod text;
pub mod trace;
pub mod transfer;
pub mod value;
pub mod view;

pub use allocator::{Allocator, HostAllocator};
pub use argument::{ByValue, Consumed, Out, OutLen};
pub use async_callback::AsyncClosure;
pub use block::GuestBlock;
pub use call_stack::CallStack;
pub use callback::{Callback, Kept};
pub use error::{CallbackError, GuestError, HeapError, StatusError};
pub use function::Function;
pub use guest::{Guest, GuestBuilder, HostClosure};
pub use guest_function::GuestFunction;
pub use handle::{Destructor, Handle};
pub use heap::Heap;
pub use marshal_derive::{Marshal, Plain};
pub use opaque::{HandleType, Opaque};
pub use output::{Code, Status};
pub use plain::Plain;
pub use report::{Report, report};
pub use room::Room;
pub use text::{Counted, Latin1, Utf16};
pub use value::{Lent, Marshal};
pub use view::{Owned, View};

pub use island;

// What any thread may have, whichever thread the guest is of.
const _: () = {
    const fn any_thread<T: Send + Sync>() {}
    any_thread::<GuestBlock>();
    any_thread::<View<[f64]>>();
    any_thread::<Owned<[f64]>>();
    any_thread::<Report>();
    any_thread::<trace::Snapshot>();
};
