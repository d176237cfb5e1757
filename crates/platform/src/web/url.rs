//! The native half of `url.js`: parsing and the setters of the WHATWG URL Standard, by the `url` crate.

use std::borrow::Cow;

use qjs::array::List;
use rquickjs::{Ctx, Object, String as JsString, function::Opt};
use url::{Position, Url, quirks};

use crate::{
    internal::{
        def,
        strings::{UsvString, to_rust},
    },
    modules,
};

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

/// Makes sure that there is memory for what URLs of this many bytes need: each byte can become three, and the whole and
/// its parts are copied, into messages too.
pub(crate) fn see_to_room(ctx: &Ctx<'_>, bytes: usize) -> rquickjs::Result<()> {
    qjs::room::check(ctx, bytes.saturating_mul(16))
}

/// The native functions of `url_legacy.js`.
pub(crate) fn legacy_natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "toAscii", |domain: UsvString| idna::domain_to_ascii(&domain).unwrap_or_default())?;
    def(&native, "toUnicode", |domain: UsvString| idna::domain_to_unicode(&domain).0)?;
    Ok(native)
}

/// The native functions of `url.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(
        &native,
        "parse",
        |input: JsString<'js>, base: Opt<Option<JsString<'js>>>| -> rquickjs::Result<Option<List<Vec<String>>>> {
            let ctx = input.as_value().ctx();
            let base = base.0.flatten().map(|base| to_rust(&base)).transpose()?;
            let input = to_rust(&input)?;
            see_to_room(ctx, input.len() + base.as_ref().map_or(0, String::len))?;
            let url = match base {
                None => Url::parse(&input),
                Some(base) => Url::parse(&base).and_then(|base| base.join(&input)),
            };
            Ok(url.ok().as_ref().map(parts).map(List))
        },
    )?;
    def(
        &native,
        "set",
        |href: UsvString, part: UsvString, value: JsString<'js>| -> rquickjs::Result<Option<List<Vec<String>>>> {
            let ctx = value.as_value().ctx();
            let value = to_rust(&value)?;
            see_to_room(ctx, href.len() + value.len())?;
            let Ok(mut url) = Url::parse(&href) else { return Ok(None) };
            // The standard says that a value which a setter refuses leaves the URL unchanged.
            let _ = match &*part {
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
            Ok(Some(List(parts(&url))))
        },
    )?;
    def(&native, "parseQuery", |text: JsString<'js>| -> rquickjs::Result<List<Vec<String>>> {
        let ctx = text.as_value().ctx();
        let text = to_rust(&text)?;
        // Each `&` adds two texts.
        let count = text.matches('&').count();
        see_to_room(ctx, text.len() + count * size_of::<[String; 2]>())?;
        let pairs = url::form_urlencoded::parse(text.as_bytes());
        Ok(List(pairs.flat_map(|(name, value)| [name.into_owned(), value.into_owned()]).collect()))
    })?;
    def(&native, "formatQuery", |ctx: Ctx<'js>, list: Vec<UsvString>| -> rquickjs::Result<String> {
        see_to_room(&ctx, list.iter().map(|text| text.len()).sum())?;
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for pair in list.chunks_exact(2) {
            query.append_pair(&pair[0], &pair[1]);
        }
        Ok(query.finish())
    })?;
    def(&native, "pathToUrl", |path: JsString<'js>| -> rquickjs::Result<String> {
        Ok(modules::path_to_url(std::path::Path::new(&to_rust(&path)?)))
    })?;
    def(&native, "percentDecode", |text: UsvString| {
        let is_escape = |rest: &str| rest.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
        if !text.split('%').skip(1).all(is_escape) {
            return None;
        }
        percent_encoding::percent_decode_str(&text).decode_utf8().ok().map(Cow::into_owned)
    })?;
    Ok(native)
}
