//! The native half of `blob.js`: the blob URLs of all agents of the process, so that a worker can be started from one.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use agent::structured::Portable;
use qjs::array::List;
use rquickjs::{ArrayBuffer, Ctx, Function, IntoJs as _, Object, Value};

use crate::internal::{self, bytes, def, state::Platform, strings::UsvString};

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

/// The bytes and the type of what a blob URL stands for; `None` if there is no such URL.
pub(crate) fn resolve(url: &str) -> Option<Entry> {
    let (url, _) = url.split_once('#').unwrap_or((url, ""));
    url.starts_with("blob:").then(|| urls(|all| all.get(url).cloned()))?
}

/// A Blob or a File on its way to another agent.
struct PortableBlob {
    data: Vec<u8>,
    kind: String,
    /// The name and the date of a File.
    file: Option<(String, f64)>,
}

impl Portable for PortableBlob {
    fn deserialize<'js>(&self, ctx: &Ctx<'js>) -> rquickjs::Result<Value<'js>> {
        let make: Function = internal::function(ctx, "blob", "deserialize")?;
        let buffer = copy(ctx, &self.data)?;
        match &self.file {
            Some((name, date)) => make.call((buffer, &*self.kind, &**name, *date)),
            None => make.call((buffer, &*self.kind)),
        }
    }
}

/// The serialization steps of Blobs, for `agent::structured::Plugins`.
///
/// # Errors
/// A RangeError if there is no memory for a copy of the bytes.
pub fn blob_steps<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> rquickjs::Result<Option<Arc<dyn Portable>>> {
    // There is no Blob if nothing has asked for the class.
    if !Platform::of(ctx)?.internals.borrow().contains_key("blob") {
        return Ok(None);
    }
    let parts: Value = internal::function(ctx, "blob", "serialize")?.call((value.clone(),))?;
    let Some(parts) = parts.as_array() else { return Ok(None) };
    let name: Option<UsvString> = parts.get(2)?;
    let date: Option<f64> = parts.get(3)?;
    let blob = PortableBlob {
        data: bytes::copy_from(ctx, &parts.get(0)?)?.unwrap_or_default(),
        kind: parts.get::<UsvString>(1)?.0,
        file: name.map(|name| name.0).zip(date),
    };
    Ok(Some(Arc::new(blob)))
}

fn copy<'js>(ctx: &Ctx<'js>, data: &[u8]) -> rquickjs::Result<ArrayBuffer<'js>> {
    let mut copy = bytes::zeroed(ctx, data.len())?;
    copy.copy_from_slice(data);
    ArrayBuffer::new(ctx.clone(), copy)
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
        let buffer = copy(&ctx, &data)?.into_value();
        List([buffer, kind.into_js(&ctx)?]).into_js(&ctx).map(Some)
    })?;
    Ok(native)
}
