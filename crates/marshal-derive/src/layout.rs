//! `#[derive(Marshal)]`: structs by the rules of C, and enums as their integers.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DataEnum, DeriveInput, Error, Fields, Index, LitStr, Member, Meta, Path, Result, Token};

/// The integers that an enum can be.
const INTEGERS: [&str; 8] = ["i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64"];

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    not_generic(input, "Marshal")?;
    let krate = crate_path(&input.attrs)?;
    let name = &input.ident;
    let implementation = match &input.data {
        Data::Struct(data) => of_struct(input, &data.fields)?,
        Data::Enum(data) => of_enum(input, data)?,
        Data::Union(data) => {
            let message =
                "nobody can tell which member a union has: derive Plain, for unions that are nothing but bytes";
            return Err(Error::new(data.union_token.span, message));
        }
    };
    Ok(quote! {
        const _: () = {
            use #krate as krate;
            use krate::layout::{InGuest as _, Layouts, Members};
            use krate::transfer::{Binder, Reader, Writer};
            use krate::{GuestError, Marshal};
            use ::core::result::Result;

            #implementation
            impl krate::argument::Argument for #name {
                type By = krate::ByValue<Self>;
            }
        };
    })
}

/// A member that the struct has.
struct Place<'a> {
    member: Member,
    ty: &'a syn::Type,
    /// The place of the member that says how long this one is.
    len: Option<usize>,
}

fn of_struct(input: &DeriveInput, fields: &Fields) -> Result<TokenStream> {
    let name = &input.ident;
    if has_repr(&input.attrs, |repr| repr == "packed")? {
        return Err(Error::new(
            name.span(),
            "the members of a struct that derives Marshal are aligned: no repr(packed)",
        ));
    }
    let names: Vec<Option<String>> = fields.iter().map(|field| field.ident.as_ref().map(ToString::to_string)).collect();
    let mut places = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        let member = match &field.ident {
            Some(ident) => Member::Named(ident.clone()),
            None => Member::Unnamed(Index::from(index)),
        };
        let len = match member_len(&field.attrs)? {
            Some(said) => {
                let is_it = |known: &Option<String>| known.as_ref() == Some(&said.value());
                let at = names.iter().position(is_it).or_else(|| {
                    said.value().parse().ok().filter(|&at: &usize| names.get(at).is_some_and(Option::is_none))
                });
                let at = at.filter(|&at| at != index);
                Some(at.ok_or_else(|| Error::new(said.span(), "there is no other member of that name"))?)
            }
            None => None,
        };
        places.push(Place { member, ty: &field.ty, len });
    }
    let count = places.len();
    let types: Vec<_> = places.iter().map(|place| place.ty).collect();
    let checks = places.iter().map(|place| {
        let ty = place.ty;
        let (is_wrong, message) = match place.len {
            None => (
                quote!(<#ty as Marshal>::SLICED),
                "a member that is a slice needs #[marshal(len = \"another member\")]",
            ),
            Some(_) => (quote!(!<#ty as Marshal>::SLICED), "a member that is not a slice has no length"),
        };
        quote_spanned! { ty.span() => const _: () = assert!(!(#is_wrong), #message); }
    });
    let stores = places.iter().enumerate().map(|(index, place)| {
        let (member, ty) = (&place.member, place.ty);
        let counted: Vec<_> =
            places.iter().filter(|other| other.len == Some(index)).map(|other| &other.member).collect();
        let bytes = quote!(&mut bytes[at[#index]..][..<#ty as Marshal>::LAYOUT.of(to.pointer()).size]);
        match counted.is_empty() {
            true => quote_spanned! { ty.span() => Marshal::store(&self.#member, #bytes, to)?; },
            false => {
                let said = member_name(member);
                quote_spanned! { ty.span() =>
                    krate::value::store_count::<#ty>(
                        &[#(Marshal::count(&self.#counted)),*], #said, #bytes, to,
                    )?;
                }
            }
        }
    });
    // Every member is loaded, even after one that is wrong: what the guest gave away with the others is freed.
    let loaded: Vec<_> = (0..count).map(|index| format_ident!("member_{index}")).collect();
    let loads = places.iter().zip(&loaded).enumerate().map(|(index, (place, value))| {
        let ty = place.ty;
        let slice = |index: usize, ty: &syn::Type| {
            quote!(&bytes[at[#index]..][..<#ty as Marshal>::LAYOUT.of(from.pointer()).size])
        };
        let bytes = slice(index, ty);
        match place.len {
            None => quote_spanned! { ty.span() => let #value = <#ty as Marshal>::load(#bytes, from); },
            Some(at) => {
                let (len, count) = (slice(at, places[at].ty), places[at].ty);
                quote_spanned! { ty.span() =>
                    let len = krate::value::load_count::<#count>(#len, from);
                    from.set_len(len.as_ref().ok().copied());
                    let #value = <#ty as Marshal>::load(#bytes, from);
                    let #value = len.and(#value);
                }
            }
        }
    });
    let updates = places.iter().enumerate().map(|(index, place)| {
        let (member, ty) = (&place.member, place.ty);
        let slice = |bytes: TokenStream, index: usize, ty: &syn::Type| {
            quote!(&#bytes[at[#index]..][..<#ty as Marshal>::LAYOUT.of(from.pointer()).size])
        };
        let (before, now) = (slice(quote!(before), index, ty), slice(quote!(now), index, ty));
        match place.len {
            None => quote_spanned! { ty.span() =>
                done = done.and(Marshal::update(&mut self.#member, #before, #now, from));
            },
            Some(at) => {
                let (len, count) = (slice(quote!(now), at, places[at].ty), places[at].ty);
                quote_spanned! { ty.span() =>
                    let len = krate::value::load_count::<#count>(#len, from);
                    from.set_len(len.as_ref().ok().copied());
                    let updated = Marshal::update(&mut self.#member, #before, #now, from);
                    done = done.and(len.and(updated));
                }
            }
        }
    });
    let members: Vec<_> = places.iter().map(|place| &place.member).collect();
    Ok(quote! {
        #(#checks)*

        /// With addresses of 32 bits, and of 64.
        const MEMBERS: [Members<#count>; 2] = [
            Members::of([#(<#types as Marshal>::LAYOUT.narrow),*]),
            Members::of([#(<#types as Marshal>::LAYOUT.wide),*]),
        ];

        fn offsets(pointer: krate::island::NumberKind) -> &'static [usize; #count] {
            match pointer {
                krate::island::NumberKind::I64 => &MEMBERS[1].offsets,
                _ => &MEMBERS[0].offsets,
            }
        }

        #[allow(unused_variables, clippy::let_unit_value, reason = "a unit struct has no fields to use")]
        impl Marshal for #name {
            const LAYOUT: Layouts = Layouts { narrow: MEMBERS[0].layout, wide: MEMBERS[1].layout };
            const HEAP: bool = false #(|| <#types as Marshal>::HEAP)*;

            fn bind(binder: &mut Binder<'_>) -> Result<(), GuestError> {
                if binder.is_new::<Self>() {
                    #(<#types as Marshal>::bind(binder)?;)*
                }
                Ok(())
            }

            fn store(&self, bytes: &mut [u8], to: &mut Writer<'_>) -> Result<(), GuestError> {
                let at = offsets(to.pointer());
                #(#stores)*
                Ok(())
            }

            fn load(bytes: &[u8], from: &mut Reader<'_>) -> Result<Self, GuestError> {
                let at = offsets(from.pointer());
                #(#loads)*
                Ok(Self { #(#members: #loaded?),* })
            }

            fn update(&mut self, before: &[u8], now: &[u8], from: &mut Reader<'_>) -> Result<(), GuestError> {
                let at = offsets(from.pointer());
                #[allow(unused_mut, reason = "a unit struct has no members")]
                let mut done = Result::Ok(());
                #(#updates)*
                done
            }
        }
    })
}

fn of_enum(input: &DeriveInput, data: &DataEnum) -> Result<TokenStream> {
    let name = &input.ident;
    if let Some(variant) = data.variants.iter().find(|variant| !matches!(variant.fields, Fields::Unit)) {
        return Err(Error::new(variant.span(), "an enum of C has no data"));
    }
    if data.variants.is_empty() {
        return Err(Error::new(name.span(), "an enum without values cannot be passed"));
    }
    let mut integer = None;
    has_repr(&input.attrs, |repr| {
        if INTEGERS.contains(&repr) {
            integer = Some(format_ident!("{repr}"));
        }
        false
    })?;
    let Some(integer) = integer else {
        let message = "which integer is it in the guest? Add #[repr(i32)], which is C's int, or another";
        return Err(Error::new(name.span(), message));
    };
    let variants: Vec<_> = data.variants.iter().map(|variant| &variant.ident).collect();
    let text = name.to_string();
    Ok(quote! {
        impl Marshal for #name {
            const LAYOUT: Layouts = <#integer as Marshal>::LAYOUT;

            fn store(&self, bytes: &mut [u8], to: &mut Writer<'_>) -> Result<(), GuestError> {
                let value = match self {
                    #(Self::#variants => Self::#variants as #integer,)*
                };
                Marshal::store(&value, bytes, to)
            }

            fn load(bytes: &[u8], from: &mut Reader<'_>) -> Result<Self, GuestError> {
                let value = <#integer as Marshal>::load(bytes, from)?;
                #(if value == Self::#variants as #integer {
                    return Ok(Self::#variants);
                })*
                Err(GuestError::Unknown { name: #text, value: i128::from(value) })
            }
        }
    })
}

fn member_name(member: &Member) -> String {
    match member {
        Member::Named(ident) => ident.to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    }
}

/// Refuses types with parameters, since their layout depends on these.
pub(crate) fn not_generic(input: &DeriveInput, derive: &str) -> Result<()> {
    match input.generics.params.first() {
        Some(first) => Err(Error::new(first.span(), format!("{derive} cannot be derived for a generic type"))),
        None => Ok(()),
    }
}

/// Whether one of the words in `#[repr(…)]` is the one that is looked for.
pub(crate) fn has_repr(attrs: &[Attribute], mut is_it: impl FnMut(&str) -> bool) -> Result<bool> {
    let mut found = false;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("repr")) {
        for meta in attr.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)? {
            found |= meta.path().get_ident().is_some_and(|word| is_it(&word.to_string()));
        }
    }
    Ok(found)
}

/// The path of the crate where the type is defined: `#[marshal(crate = "path")]`, or `::marshal`.
pub(crate) fn crate_path(attrs: &[Attribute]) -> Result<Path> {
    let mut path = syn::parse_quote!(::marshal);
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("marshal")) {
        attr.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error("expected `crate = \"path\"`"));
            }
            path = meta.value()?.parse::<LitStr>()?.parse()?;
            Ok(())
        })?;
    }
    Ok(path)
}

/// Which member says how long this one is: `#[marshal(len = "member")]`.
fn member_len(attrs: &[Attribute]) -> Result<Option<LitStr>> {
    let mut len = None;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("marshal")) {
        attr.parse_nested_meta(|meta| {
            if !meta.path.is_ident("len") {
                return Err(meta.error("expected `len = \"member\"`"));
            }
            len = Some(meta.value()?.parse::<LitStr>()?);
            Ok(())
        })?;
    }
    Ok(len)
}
