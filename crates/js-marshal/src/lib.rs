//! tombolo-js-marshal
