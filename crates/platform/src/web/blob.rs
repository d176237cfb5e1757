//! The native half of `blob.js`: the blob URLs of all agents of the process, so that a worker can be started from one.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use qjs::array::List;
use rquickjs::{ArrayBuffer, Ctx, IntoJs as _, Object, Value};

use crate::internal::{bytes, def, strings::UsvString};

/// A Blob's bytes and its type.
type Entry = (Arc<Vec<u8>>, String);

static URLS: Mutex<Option<HashMap<String, Entry>>> = Mutex::new(None);

fn urls<R>(call: impl FnOnce(&mut HashMap<String, Entry>) -> R) -> R {
    call(URLS.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default())
}

/// The URLs that an agent has made. They end with it.
#[derive(Default)]
struct Owned(RefCell<Vec<String>>);

impl Drop for Owned {
    fn drop(&mut self) {
        urls(|all| self.0.take().iter().for_each(|url| drop(all.remove(url))));
    }
}

/// The bytes and the type of what a blob URL, without its fragment, stands for.
pub(crate) fn resolve(url: &str) -> Option<Entry> {
    urls(|all| all.get(url).cloned())
}

/// The native functions of `blob.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    let owned = Owned::default();
    def(&native, "register", move |ctx: Ctx<'js>, url: UsvString, data: Value<'js>, kind: UsvString| {
        let data = bytes::copy_from(&ctx, &data)?.unwrap_or_default();
        owned.0.borrow_mut().push(url.0.clone());
        urls(|all| all.insert(url.0, (Arc::new(data), kind.0)));
        Ok::<_, rquickjs::Error>(())
    })?;
    def(&native, "revoke", |url: UsvString| drop(urls(|all| all.remove(&*url))))?;
    def(&native, "resolve", |ctx: Ctx<'js>, url: UsvString| -> rquickjs::Result<Option<Value<'js>>> {
        let Some((data, kind)) = resolve(&url) else { return Ok(None) };
        let mut copy = bytes::zeroed(&ctx, data.len())?;
        copy.copy_from_slice(&data);
        let buffer = ArrayBuffer::new(ctx.clone(), copy)?.into_value();
        List([buffer, kind.into_js(&ctx)?]).into_js(&ctx).map(Some)
    })?;
    Ok(native)
}
