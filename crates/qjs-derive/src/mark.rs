//! `#[derive(Mark)]`: structs and enums whose fields report what they hold.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Error, Fields, Ident, Index, Member, Path, Result};

use crate::attributes::{crate_path, not_generic, read, usual_crate};

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    not_generic(input, "Mark")?;
    let mut krate = usual_crate();
    let mut skipped = false;
    read(&input.attrs, "mark", "`skip` or `crate = \"path\"`", |meta| {
        if let Some(path) = crate_path(meta)? {
            krate = path;
            return Ok(true);
        }
        let is_skip = meta.path.is_ident("skip");
        skipped |= is_skip;
        Ok(is_skip)
    })?;
    let arms = match &input.data {
        Data::Union(data) => {
            let message = "a union does not know which of its fields it has, so Mark cannot be derived for it";
            return Err(Error::new(data.union_token.span, message));
        }
        Data::Struct(data) => vec![arm(&krate, quote!(Self), &data.fields, skipped)?],
        Data::Enum(data) => data
            .variants
            .iter()
            .map(|variant| {
                let name = &variant.ident;
                arm(&krate, quote!(Self::#name), &variant.fields, skipped || is_skipped(&variant.attrs)?)
            })
            .collect::<Result<_>>()?,
    };
    let name = &input.ident;
    Ok(quote! {
        #[automatically_derived]
        // SAFETY: the value owns each field, which reports what it holds once, and the same in each pass.
        unsafe impl #krate::Mark for #name {
            #[inline]
            fn mark(&self, marker: &#krate::Marker) {
                let _ = marker;
                match *self {
                    #(#arms)*
                }
            }
        }
    })
}

/// One arm of the match: takes a variant apart and has its fields report.
fn arm(krate: &Path, pattern: TokenStream, fields: &Fields, skipped: bool) -> Result<TokenStream> {
    let mut bound: Vec<(Member, Ident)> = Vec::new();
    let mut reports = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        if is_skipped(&field.attrs)? || skipped {
            continue;
        }
        let member = match &field.ident {
            Some(ident) => Member::Named(ident.clone()),
            None => Member::Unnamed(Index::from(index)),
        };
        let value = format_ident!("field_{index}");
        reports.push(quote_spanned! { field.ty.span() => #krate::Mark::mark(#value, marker); });
        bound.push((member, value));
    }
    let (members, values): (Vec<_>, Vec<_>) = bound.into_iter().unzip();
    Ok(quote! { #pattern { #(#members: ref #values,)* .. } => { #(#reports)* } })
}

fn is_skipped(attrs: &[Attribute]) -> Result<bool> {
    let mut skipped = false;
    read(attrs, "mark", "`skip`", |meta| {
        let is_skip = meta.path.is_ident("skip");
        skipped |= is_skip;
        Ok(is_skip)
    })?;
    Ok(skipped)
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn refused(input: DeriveInput) -> String {
        derive(&input).expect_err("is refused").to_string()
    }

    /// How many times the generated code has something report.
    fn reports(input: DeriveInput) -> usize {
        derive(&input).unwrap().to_string().matches("Mark :: mark (").count()
    }

    #[test]
    fn each_field_reports_once_unless_it_is_skipped() {
        assert_eq!(
            reports(parse_quote!(
                struct Unit;
            )),
            0
        );
        assert_eq!(
            reports(parse_quote!(
                struct Tuple(Held, #[mark(skip)] u32, Held);
            )),
            2
        );
        assert_eq!(reports(parse_quote! { struct Named { marker: Held, #[mark(skip)] number: u32 } }), 1);
        assert_eq!(reports(parse_quote! { #[mark(skip)] struct Nothing { number: u32, other: u8 } }), 0);
        let both: DeriveInput = parse_quote! {
            enum Both { None, One(Held), Two { a: Held, b: Held }, #[mark(skip)] Other(u32), Some(#[mark(skip)] u32, Held) }
        };
        assert_eq!(reports(both), 4);
    }

    #[test]
    fn the_crate_can_be_called_something_else() {
        let input = parse_quote! { #[mark(crate = "crate::inner")] struct A(Held); };
        let code = derive(&input).unwrap().to_string();
        assert!(code.contains("crate :: inner :: Mark for A") && !code.contains(":: qjs"), "{code}");
        let code = derive(&parse_quote!(
            struct A(Held);
        ))
        .unwrap()
        .to_string();
        assert!(code.contains("impl :: qjs :: Mark for A"), "{code}");
    }

    #[test]
    fn what_cannot_be_derived_is_refused() {
        let generic = "Mark cannot be derived for a type with parameters";
        assert_eq!(
            refused(parse_quote!(
                struct A<T>(T);
            )),
            generic
        );
        assert_eq!(
            refused(parse_quote!(
                struct A<'a>(&'a Held);
            )),
            generic
        );
        assert_eq!(
            refused(parse_quote!(
                enum A<const N: usize> {
                    B([Held; N]),
                }
            )),
            generic
        );
        let union = refused(parse_quote! { union A { a: u32 } });
        assert!(union.starts_with("a union does not know which of its fields it has"), "{union}");
        let expected = "expected `skip`";
        assert_eq!(
            refused(parse_quote!(
                struct A(#[mark(skipped)] u32);
            )),
            expected
        );
        assert_eq!(
            refused(parse_quote!(
                struct A(#[mark(crate = "a")] u32);
            )),
            expected
        );
        assert_eq!(
            refused(parse_quote!(
                enum A {
                    #[mark(leave)]
                    B,
                }
            )),
            expected
        );
        let on_type = "expected `skip` or `crate = \"path\"`";
        assert_eq!(refused(parse_quote! { #[mark(name = "A")] struct A; }), on_type);
        // Even if everything is skipped, the attributes of fields are read.
        assert_eq!(refused(parse_quote! { #[mark(skip)] struct A(#[mark(skip_it)] u32); }), expected);
    }
}
