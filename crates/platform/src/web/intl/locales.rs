//! Tags of locales: their canonical form, their parts, and what is likely to be meant by what they leave out.

use icu_locale::{Locale, LocaleCanonicalizer, LocaleExpander};
use qjs::array::List;
use rquickjs::{Ctx, Object};

use crate::internal::{def, strings::UsvString};

/// A canonical tag; `None` if the text is not a tag. (The parser also takes an underscore, which is none in BCP 47.)
fn canonical(tag: &str) -> Option<Locale> {
    let mut locale = Locale::try_from_str(tag).ok().filter(|_| !tag.contains('_'))?;
    LocaleCanonicalizer::new_extended().canonicalize(&mut locale);
    Some(locale)
}

/// The tag, the same without extensions, language, script, region, variants, and then pairs of a Unicode extension's key
/// and value.
fn parts(tag: &str) -> Option<Vec<String>> {
    let locale = canonical(tag)?;
    let id = &locale.id;
    let mut parts = vec![
        locale.to_string(),
        id.to_string(),
        id.language.to_string(),
        id.script.map(|script| script.to_string()).unwrap_or_default(),
        id.region.map(|region| region.to_string()).unwrap_or_default(),
        id.variants.iter().map(ToString::to_string).collect::<Vec<_>>().join("-"),
    ];
    for (key, value) in locale.extensions.unicode.keywords.iter() {
        parts.extend([key.to_string(), value.to_string()]);
    }
    Some(parts)
}

/// The tag with the likely script and region, or without what is likely anyway.
fn likely(tag: &str, maximize: bool) -> Option<String> {
    let mut locale = canonical(tag)?;
    let expander = LocaleExpander::new_extended();
    let _ = if maximize { expander.maximize(&mut locale.id) } else { expander.minimize(&mut locale.id) };
    Some(locale.to_string())
}

/// The native functions of `intl_shared.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "parts", |tag: UsvString| parts(&tag).map(List))?;
    def(&native, "likely", |tag: UsvString, maximize: bool| likely(&tag, maximize))?;
    Ok(native)
}
