//! tombolo-webidl
