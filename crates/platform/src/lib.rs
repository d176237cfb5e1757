//! tombolo-platform
