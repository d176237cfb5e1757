//! The derives of `qjs`: what a Rust value that JavaScript objects own shows the cycle collector, and its class.
//!
//! `qjs` re-exports them and documents what they accept.

mod attributes;
mod host_class;
mod mark;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// See `qjs::Mark`.
#[proc_macro_derive(Mark, attributes(mark))]
pub fn derive_mark(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    mark::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// See `qjs::HostClass`.
#[proc_macro_derive(HostClass, attributes(host_class))]
pub fn derive_host_class(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    host_class::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
