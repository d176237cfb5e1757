//! `#[derive(Plain)]`: structs and unions that are nothing but bytes.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Field, Result};

use crate::layout::{crate_path, has_repr, not_generic};

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    not_generic(input, "Plain")?;
    let krate = crate_path(&input.attrs)?;
    let (fields, is_union): (Vec<&Field>, bool) = match &input.data {
        Data::Struct(data) => (data.fields.iter().collect(), false),
        Data::Union(data) => (data.fields.named.iter().collect(), true),
        Data::Enum(data) => {
            let message = "an enum is not plain, since not all bytes are one of its values: derive Marshal";
            return Err(Error::new(data.enum_token.span, message));
        }
    };
    if !has_repr(&input.attrs, |repr| repr == "C" || repr == "transparent")? {
        let message = "Plain needs a layout that the guest has too: add #[repr(C)]";
        return Err(Error::new(input.ident.span(), message));
    }
    let name = &input.ident;
    let types: Vec<_> = fields.iter().map(|field| &field.ty).collect();
    let plain_checks = types.iter().enumerate().map(|(index, ty)| {
        let check = format_ident!("plain_{index}");
        quote_spanned! { ty.span() =>
            const fn #check<T: krate::Plain>() {}
            const _: () = #check::<#ty>();
        }
    });
    let padding = match is_union {
        false => quote! {
            const _: () = assert!(
                ::core::mem::size_of::<#name>() == 0 #(+ ::core::mem::size_of::<#types>())*,
                concat!("`", stringify!(#name), "` has padding: derive Marshal, or add members in its place"),
            );
        },
        true => types
            .iter()
            .map(|ty| {
                quote_spanned! { ty.span() =>
                    const _: () = assert!(
                        ::core::mem::size_of::<#name>() == ::core::mem::size_of::<#ty>(),
                        concat!("a member of `", stringify!(#name), "` does not fill it, and leaves padding"),
                    );
                }
            })
            .collect(),
    };
    let layouts = quote! { [#(<#types as krate::Marshal>::LAYOUT.narrow),*] };
    let layout = match is_union {
        false => quote! {
            // A single number goes by value as itself; size and alignment are the host's, even if the type is packed.
            krate::layout::Layout {
                size: ::core::mem::size_of::<#name>(),
                align: ::core::mem::align_of::<#name>(),
                ..krate::layout::Members::of(#layouts).layout
            }
        },
        true => quote! {
            krate::layout::Layout::union(
                ::core::mem::size_of::<#name>(),
                ::core::mem::align_of::<#name>(),
                &#layouts,
            )
        },
    };
    Ok(quote! {
        const _: () = {
            use #krate as krate;
            use krate::value::{plain_back, plain_in, plain_load, plain_out, plain_store};
            use krate::transfer::{Reader, Writer};

            #(#plain_checks)*
            #padding

            // SAFETY: it has the layout of C, no padding, and members that are plain, as was just checked; `Plain`
            // itself asks for the rest.
            unsafe impl krate::Plain for #name {}

            impl krate::Marshal for #name {
                const LAYOUT: krate::layout::Layouts = krate::layout::Layouts::both(#layout);
                const PLAIN: bool = true;

                fn store(&self, bytes: &mut [u8], _: &mut Writer<'_>) -> ::core::result::Result<(), krate::GuestError> {
                    plain_store(self, bytes);
                    Ok(())
                }

                fn load(bytes: &[u8], _: &mut Reader<'_>) -> ::core::result::Result<Self, krate::GuestError> {
                    Ok(plain_load(bytes))
                }

                fn copy_in(values: &[Self], to: &mut Writer<'_>) -> ::core::result::Result<u64, krate::GuestError> {
                    plain_in(values, to)
                }

                fn copy_out(
                    address: u64,
                    count: usize,
                    from: &mut Reader<'_>,
                ) -> ::core::result::Result<::std::vec::Vec<Self>, krate::GuestError> {
                    plain_out(address, count, from)
                }

                fn copy_back(
                    values: &mut [Self],
                    address: u64,
                    from: &mut Reader<'_>,
                ) -> ::core::result::Result<(), krate::GuestError> {
                    plain_back(values, address, from)
                }
            }

            impl krate::argument::Argument for #name {
                type By = krate::ByValue<Self>;
            }
        };
    })
}
