//! `node:crypto` and `crypto.subtle`: the algorithms. The scripts check arguments.

mod cipher;
mod digests;

use std::cell::RefCell;

use qjs::access;
use qjs::array::List;
use rquickjs::{
    ArrayBuffer, Class, Ctx, Exception, Function, IntoJs as _, JsLifetime, Object, Value, class::Trace, function::Opt,
};

use self::cipher::{Cipher, Error, Mode};
use self::digests::{Algorithm, Hasher};
use crate::internal::{
    background::{self, pool},
    bytes, def,
    strings::UsvString,
};

#[derive(Trace, JsLifetime)]
#[rquickjs::class]
pub(crate) struct HasherState {
    #[qjs(skip_trace)]
    hasher: RefCell<Option<Box<dyn Hasher>>>,
}

#[derive(Trace, JsLifetime)]
#[rquickjs::class]
pub(crate) struct CipherState {
    #[qjs(skip_trace)]
    cipher: RefCell<Option<Cipher>>,
}

fn used_up(ctx: &Ctx<'_>) -> rquickjs::Error {
    Exception::throw_internal(ctx, "the operation has ended already")
}

fn copy_of<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> rquickjs::Result<Vec<u8>> {
    Ok(bytes::copy_from(ctx, value)?.unwrap_or_default())
}

/// The native functions of `hash.js`.
pub(crate) fn hash_natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    type State<'js> = Class<'js, HasherState>;
    let native = qjs::pristine::bare_object(ctx)?;
    let state =
        |ctx: &Ctx<'js>, hasher| Class::instance(ctx.clone(), HasherState { hasher: RefCell::new(Some(hasher)) });
    def(&native, "hasher", move |ctx: Ctx<'js>, name: UsvString| {
        Algorithm::by_name(&name).map(|algorithm| state(&ctx, algorithm.hasher())).transpose()
    })?;
    def(&native, "hmac", move |ctx: Ctx<'js>, name: UsvString, key: Value<'js>| {
        let key = copy_of(&ctx, &key)?;
        let hasher = Algorithm::by_name(&name).and_then(|algorithm| algorithm.hmac(&key));
        hasher.map(|hasher| state(&ctx, hasher)).transpose()
    })?;
    def(&native, "update", |ctx: Ctx<'js>, state: State<'js>, data: Value<'js>| {
        let state = state.try_borrow()?;
        let mut hasher = state.hasher.take().ok_or_else(|| used_up(&ctx))?;
        let hasher = access::read(&ctx, &data, 0..usize::MAX, move |bytes| {
            hasher.update(bytes);
            hasher
        })?;
        state.hasher.replace(Some(hasher));
        Ok::<_, rquickjs::Error>(())
    })?;
    def(&native, "finish", |ctx: Ctx<'js>, state: State<'js>, length: usize| {
        let hasher = state.try_borrow()?.hasher.take().ok_or_else(|| used_up(&ctx))?;
        qjs::room::check(&ctx, length)?;
        ArrayBuffer::new(ctx, hasher.finish(length))
    })?;
    def(&native, "copy", move |ctx: Ctx<'js>, from: State<'js>| {
        let copy = from.try_borrow()?.hasher.borrow().as_ref().map(|hasher| hasher.copy());
        state(&ctx, copy.ok_or_else(|| used_up(&ctx))?)
    })?;
    def(&native, "size", |name: UsvString| Algorithm::by_name(&name).map(Algorithm::size))?;
    def(&native, "isExtendable", |name: UsvString| Algorithm::by_name(&name).is_some_and(Algorithm::is_extendable))?;
    def(&native, "names", || List(Algorithm::NAMES.map(|(name, _)| name)))?;
    Ok(native)
}

/// Makes a key of `length` bytes: at once or, if there is a `settle` to call with it, on another thread. The key is
/// undefined if `work` fails.
fn derive<'js>(
    ctx: &Ctx<'js>,
    length: usize,
    settle: Opt<Function<'js>>,
    work: impl FnOnce(&mut [u8]) -> bool + Send + 'static,
) -> rquickjs::Result<Value<'js>> {
    fn made<'js>(ctx: &Ctx<'js>, key: Option<Vec<u8>>) -> rquickjs::Result<Value<'js>> {
        match key {
            Some(key) => ArrayBuffer::new(ctx.clone(), key).map(ArrayBuffer::into_value),
            None => Ok(Value::new_undefined(ctx.clone())),
        }
    }
    let mut key = bytes::zeroed(ctx, length)?;
    let Some(settle) = settle.0 else {
        let done = work(&mut key);
        return made(ctx, done.then_some(key));
    };
    let ticket = background::expect(ctx, settle)?;
    pool::submit(Box::new(move || {
        let done = work(&mut key);
        ticket.redeem(move |ctx| made(ctx, done.then_some(key)));
    }));
    Ok(Value::new_undefined(ctx.clone()))
}

/// The native functions of `derive.js`.
pub(crate) fn derive_natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    type Settle<'js> = Opt<Function<'js>>;
    let native = qjs::pristine::bare_object(ctx)?;
    def(
        &native,
        "pbkdf2",
        |ctx: Ctx<'js>,
         name: UsvString,
         password: Value<'js>,
         salt: Value<'js>,
         rounds: u32,
         length: usize,
         settle: Settle<'js>| {
            let (password, salt) = (copy_of(&ctx, &password)?, copy_of(&ctx, &salt)?);
            derive(&ctx, length, settle, move |key| {
                Algorithm::by_name(&name).is_some_and(|by| by.pbkdf2(&password, &salt, rounds, key))
            })
        },
    )?;
    def(
        &native,
        "hkdf",
        |ctx: Ctx<'js>,
         name: UsvString,
         secret: Value<'js>,
         salt: Value<'js>,
         info: Value<'js>,
         length: usize,
         settle: Settle<'js>| {
            let (secret, salt, info) = (copy_of(&ctx, &secret)?, copy_of(&ctx, &salt)?, copy_of(&ctx, &info)?);
            derive(&ctx, length, settle, move |key| {
                Algorithm::by_name(&name).is_some_and(|by| by.hkdf(&secret, &salt, &info, key))
            })
        },
    )?;
    def(
        &native,
        "scrypt",
        |ctx: Ctx<'js>, password: Value<'js>, salt: Value<'js>, costs: Vec<u32>, length: usize, settle: Settle<'js>| {
            let (password, salt) = (copy_of(&ctx, &password)?, copy_of(&ctx, &salt)?);
            let &[log_n, r, p] = costs.as_slice() else { return Err(rquickjs::Error::Unknown) };
            let blocks = 1_usize.checked_shl(log_n).unwrap_or(usize::MAX).saturating_add(p as usize);
            qjs::room::check(&ctx, (128 * r as usize).saturating_mul(blocks))?;
            derive(&ctx, length, settle, move |key| {
                // Any length is right for the key: the length in the parameters is for their text form.
                let params = scrypt::Params::new(log_n as u8, r, p, scrypt::Params::RECOMMENDED_LEN);
                key.is_empty() || params.is_ok_and(|params| scrypt::scrypt(&password, &salt, &params, key).is_ok())
            })
        },
    )?;
    def(&native, "equal", |ctx: Ctx<'js>, one: Value<'js>, two: Value<'js>| {
        // Takes as long wherever the two differ.
        access::read_both(&ctx, (&one, 0..usize::MAX), (&two, 0..usize::MAX), |one, two| {
            one.len() == two.len() && one.iter().zip(two).fold(0, |all, (one, two)| all | (one ^ two)) == 0
        })
    })?;
    Ok(native)
}

/// The native functions of `ciphers.js`.
pub(crate) fn cipher_natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    type State<'js> = Class<'js, CipherState>;
    /// Runs `call` on the cipher with the bytes of `data`.
    fn with<'js, R: 'static>(
        ctx: &Ctx<'js>,
        state: &State<'js>,
        data: &Value<'js>,
        call: fn(&mut Cipher, &[u8]) -> R,
    ) -> rquickjs::Result<R> {
        let state = state.try_borrow()?;
        let mut cipher = state.cipher.take().ok_or_else(|| used_up(ctx))?;
        let (result, cipher) = access::read(ctx, data, 0..usize::MAX, move |bytes| (call(&mut cipher, bytes), cipher))?;
        state.cipher.replace(Some(cipher));
        Ok(result)
    }
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "cipher", |ctx: Ctx<'js>, mode: UsvString, key: Value<'js>, iv: Value<'js>, is_encrypting: bool| {
        let mode = match &*mode {
            "ecb" => Mode::Ecb,
            "cbc" => Mode::Cbc,
            "ctr" => Mode::Ctr,
            _ => Mode::Gcm,
        };
        let cipher = Cipher::new(mode, &copy_of(&ctx, &key)?, &copy_of(&ctx, &iv)?, is_encrypting);
        let state = |cipher| Class::instance(ctx.clone(), CipherState { cipher: RefCell::new(Some(cipher)) });
        cipher.map(state).transpose()
    })?;
    def(&native, "setPadding", |ctx: Ctx<'js>, state: State<'js>, is_padded: bool| {
        let state = state.try_borrow()?;
        state.cipher.borrow_mut().as_mut().ok_or_else(|| used_up(&ctx))?.set_padding(is_padded);
        Ok::<_, rquickjs::Error>(())
    })?;
    def(&native, "authenticate", |ctx: Ctx<'js>, state: State<'js>, data: Value<'js>| {
        with(&ctx, &state, &data, |cipher, bytes| cipher.authenticate(bytes))
    })?;
    def(&native, "update", |ctx: Ctx<'js>, state: State<'js>, data: Value<'js>, length: usize| {
        qjs::room::check(&ctx, length.saturating_mul(3))?;
        let made = with(&ctx, &state, &data, |cipher, bytes| cipher.update(bytes))?;
        ArrayBuffer::new(ctx, made)
    })?;
    def(&native, "finish", |ctx: Ctx<'js>, state: State<'js>, tag: Opt<Value<'js>>| {
        let cipher = state.try_borrow()?.cipher.take().ok_or_else(|| used_up(&ctx))?;
        let tag = tag.0.map(|tag| copy_of(&ctx, &tag)).transpose()?;
        match cipher.finish(tag.as_deref()) {
            Ok(finished) => {
                let buffers = [finished.bytes, finished.tag].map(|bytes| ArrayBuffer::new(ctx.clone(), bytes));
                let [bytes, tag] = buffers;
                List([bytes?, tag?]).into_js(&ctx)
            }
            Err(Error::WrongLength) => "length".into_js(&ctx),
            Err(Error::BadDecrypt) => "padding".into_js(&ctx),
            Err(Error::NotAuthentic) => "tag".into_js(&ctx),
        }
    })?;
    Ok(native)
}
