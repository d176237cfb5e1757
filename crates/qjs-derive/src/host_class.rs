//! `#[derive(HostClass)]`: a class's name and its number.

use std::ffi::CString;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error, LitCStr, LitStr, Result};

use crate::attributes::{crate_path, not_generic, read, usual_crate};

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    // All instances of a generic function share its statics, and the number is one.
    not_generic(input, "HostClass")?;
    let mut krate = usual_crate();
    let mut name: Option<LitCStr> = None;
    read(&input.attrs, "host_class", "`name = \"Class\"` or `crate = \"path\"`", |meta| {
        if let Some(path) = crate_path(meta)? {
            krate = path;
            return Ok(true);
        }
        if !meta.path.is_ident("name") {
            return Ok(false);
        }
        let said: LitStr = meta.value()?.parse()?;
        let text = CString::new(said.value())
            .map_err(|_| Error::new(said.span(), "the name of a class cannot contain a NUL character"))?;
        match name.replace(LitCStr::new(&text, said.span())) {
            None => Ok(true),
            Some(_) => Err(Error::new(said.span(), "a class has one name")),
        }
    })?;
    let class = &input.ident;
    let Some(name) = name else {
        let message = "what do scripts call the class? Add #[host_class(name = \"…\")]";
        return Err(Error::new(class.span(), message));
    };
    Ok(quote! {
        #[automatically_derived]
        impl #krate::HostClass for #class {
            const NAME: &'static ::core::ffi::CStr = #name;

            #[inline]
            fn id() -> &'static #krate::ClassId<Self> {
                static ID: #krate::ClassId<#class> = #krate::ClassId::new();
                &ID
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn refused(input: DeriveInput) -> String {
        derive(&input).expect_err("is refused").to_string()
    }

    #[test]
    fn a_class_has_its_name_and_a_number_of_its_own() {
        let code = derive(&parse_quote! { #[host_class(name = "WebAssembly.Tag")] struct Tag; }).unwrap().to_string();
        assert!(code.contains("impl :: qjs :: HostClass for Tag"), "{code}");
        assert!(code.contains("= c\"WebAssembly.Tag\""), "{code}");
        assert!(code.contains("static ID : :: qjs :: ClassId < Tag >"), "{code}");
    }

    #[test]
    fn what_cannot_be_derived_is_refused() {
        assert!(
            refused(parse_quote!(
                struct A;
            ))
            .starts_with("what do scripts call the class?")
        );
        assert!(refused(parse_quote! { #[host_class(crate = "a")] struct A; }).starts_with("what do scripts call"));
        let generic = "HostClass cannot be derived for a type with parameters";
        assert_eq!(refused(parse_quote! { #[host_class(name = "A")] struct A<T>(T); }), generic);
        let unknown = "expected `name = \"Class\"` or `crate = \"path\"`";
        assert_eq!(refused(parse_quote! { #[host_class(id = 1)] struct A; }), unknown);
        assert_eq!(refused(parse_quote! { #[host_class(name = "A", name = "B")] struct A; }), "a class has one name");
        assert_eq!(
            refused(parse_quote! { #[host_class(name = "A\0B")] struct A; }),
            "the name of a class cannot contain a NUL character"
        );
        assert!(refused(parse_quote! { #[host_class(name = 1)] struct A; }).contains("expected string literal"));
    }
}
