//! `fetch` and what belongs to it.

pub(crate) mod form_data;
pub(crate) mod http;
