//! tombolo-marshal
