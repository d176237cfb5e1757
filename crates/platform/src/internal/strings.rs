//! Strings on their way from JavaScript to Rust.

use qjs::Borrowed;
pub(crate) use qjs::string::UsvString;
use rquickjs::String as JsString;

/// A JavaScript string with U+FFFD in place of every lone surrogate, like `USVString` in WebIDL.
pub(crate) fn to_rust(string: &JsString<'_>) -> rquickjs::Result<String> {
    qjs::string::to_usv(string.as_value().ctx(), Borrowed::of(string.as_value()))
}
