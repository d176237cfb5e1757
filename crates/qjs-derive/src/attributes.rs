//! What both derives ask of a type and its attributes.

use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{Attribute, DeriveInput, Error, LitStr, Path, Result};

/// Refuses a type with parameters.
pub(crate) fn not_generic(input: &DeriveInput, derive: &str) -> Result<()> {
    match input.generics.params.first() {
        Some(first) => Err(Error::new(first.span(), format!("{derive} cannot be derived for a type with parameters"))),
        None => Ok(()),
    }
}

/// What the crate `qjs` is called where the type is, unless an attribute says otherwise.
pub(crate) fn usual_crate() -> Path {
    syn::parse_quote!(::qjs)
}

/// Reads the attributes called `name`; `read` takes what it knows, and returns whether it did.
pub(crate) fn read(
    attrs: &[Attribute],
    name: &str,
    expected: &str,
    mut read: impl FnMut(&ParseNestedMeta<'_>) -> Result<bool>,
) -> Result<()> {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(name)) {
        attr.parse_nested_meta(|meta| match read(&meta)? {
            true => Ok(()),
            false => Err(meta.error(format!("expected {expected}"))),
        })?;
    }
    Ok(())
}

/// The path in `crate = "path"`, if that is what `meta` is.
pub(crate) fn crate_path(meta: &ParseNestedMeta<'_>) -> Result<Option<Path>> {
    match meta.path.is_ident("crate") {
        true => meta.value()?.parse::<LitStr>()?.parse().map(Some),
        false => Ok(None),
    }
}
