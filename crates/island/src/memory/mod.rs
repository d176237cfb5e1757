//! The ground floor: what guests' memories stand on, how threads wait on them, and how a thread's guests are stopped.
//! It knows nothing about engines or islands.

pub(crate) mod atomic_imports;
pub(crate) mod ground;
pub(crate) mod host_memory;
pub(crate) mod interrupt;
pub(crate) mod layout;
pub(crate) mod shared_memory;
pub mod wait_lists;
