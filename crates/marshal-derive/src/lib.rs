//! The derives of `marshal`, which say how a struct, a union or an enum lies in a guest's memory.
//!
//! `marshal` re-exports them and documents what they accept; the compiler checks what they generate, so that neither
//! can be used to break a promise.

mod layout;
mod plain;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// See `marshal::Plain`.
#[proc_macro_derive(Plain, attributes(marshal))]
pub fn derive_plain(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    plain::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// See `marshal::Marshal`.
#[proc_macro_derive(Marshal, attributes(marshal))]
pub fn derive_marshal(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    layout::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
