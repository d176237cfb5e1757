//! Strings on their way from JavaScript to Rust.

use rquickjs::{Error, Function, String as JsString, function::This};

/// A JavaScript string with U+FFFD for every lone surrogate, as `USVString` of WebIDL.
pub(crate) fn to_rust(string: &JsString<'_>) -> rquickjs::Result<String> {
    match string.to_string() {
        Err(Error::Utf8(_)) => {
            let well_formed: Function = string.as_value().ctx().eval("String.prototype.toWellFormed")?;
            well_formed.call::<_, JsString>((This(string.clone()),))?.to_string()
        }
        result => result,
    }
}
