//! tombolo-island
