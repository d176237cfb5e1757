//! The ground floor: what the API keeps for a runtime and for each island, and what every other file uses.

pub(crate) mod api;
pub(crate) mod buffers;
pub(crate) mod guest_objects;
pub mod island_realm;
pub(crate) mod limits;
pub(crate) mod memory_core;
pub(crate) mod pressure;
pub(crate) mod promises;
pub(crate) mod tags;
