//! tombolo-js-api
