//! The native half of `url.js`: parsing and the setters of the WHATWG URL Standard, by the `url` crate.

use rquickjs::{Ctx, Object, String as JsString, function::Opt};
use url::{Position, Url, quirks};

use crate::{internal::def, modules, strings::to_rust};

/// A parsed URL as the accessors see it: href, origin, protocol, username, password, host, hostname, port, pathname,
/// search, hash.
fn parts(url: &Url) -> Vec<String> {
    let mut all = vec![url.as_str().to_owned()];
    all.extend(
        [
            quirks::origin(url).as_str(),
            quirks::protocol(url),
            quirks::username(url),
            quirks::password(url),
            quirks::host(url),
            quirks::hostname(url),
            quirks::port(url),
            quirks::pathname(url),
            quirks::search(url),
            quirks::hash(url),
        ]
        .map(str::to_owned),
    );
    debug_assert_eq!(url[..Position::AfterFragment].len(), url.as_str().len());
    all
}

/// The native functions of `url.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(
        &native,
        "parse",
        |input: JsString<'js>, base: Opt<Option<JsString<'js>>>| -> rquickjs::Result<Option<Vec<String>>> {
            let input = to_rust(&input)?;
            let url = match base.0.flatten() {
                None => Url::parse(&input),
                Some(base) => Url::parse(&to_rust(&base)?).and_then(|base| base.join(&input)),
            };
            Ok(url.ok().as_ref().map(parts))
        },
    )?;
    def(&native, "set", |href: String, part: String, value: JsString<'js>| -> rquickjs::Result<Option<Vec<String>>> {
        let Ok(mut url) = Url::parse(&href) else { return Ok(None) };
        let value = to_rust(&value)?;
        // A value that a setter refuses leaves the URL as it was, says the standard.
        let _ = match part.as_str() {
            "protocol" => quirks::set_protocol(&mut url, &value),
            "username" => quirks::set_username(&mut url, &value),
            "password" => quirks::set_password(&mut url, &value),
            "host" => quirks::set_host(&mut url, &value),
            "hostname" => quirks::set_hostname(&mut url, &value),
            "port" => quirks::set_port(&mut url, &value),
            "pathname" => {
                quirks::set_pathname(&mut url, &value);
                Ok(())
            }
            "search" => {
                quirks::set_search(&mut url, &value);
                Ok(())
            }
            "hash" => {
                quirks::set_hash(&mut url, &value);
                Ok(())
            }
            _ => Ok(()),
        };
        Ok(Some(parts(&url)))
    })?;
    def(&native, "parseQuery", |text: JsString<'js>| -> rquickjs::Result<Vec<String>> {
        let text = to_rust(&text)?;
        let pairs = url::form_urlencoded::parse(text.as_bytes());
        Ok(pairs.flat_map(|(name, value)| [name.into_owned(), value.into_owned()]).collect())
    })?;
    def(&native, "formatQuery", |list: Vec<String>| -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for pair in list.chunks_exact(2) {
            query.append_pair(&pair[0], &pair[1]);
        }
        query.finish()
    })?;
    def(&native, "pathToUrl", |path: JsString<'js>| -> rquickjs::Result<String> {
        Ok(modules::path_to_url(std::path::Path::new(&to_rust(&path)?)))
    })?;
    def(&native, "percentDecode", |text: String| {
        percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
    })?;
    Ok(native)
}
