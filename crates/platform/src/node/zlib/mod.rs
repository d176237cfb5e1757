//! `node:zlib`: the work on bytes.

mod engines;

use std::cell::RefCell;

use qjs::access;
use qjs::array::List;
use rquickjs::{ArrayBuffer, Class, Ctx, IntoJs as _, JsLifetime, Object, Value, class::Trace};

use self::engines::{Container, Engine, Failure, Flush, Made, ZlibOptions};
use crate::internal::{bytes, def};

#[derive(Trace, JsLifetime)]
#[rquickjs::class]
pub(crate) struct EngineState {
    /// Empty once it has failed or ended.
    #[qjs(skip_trace)]
    engine: RefCell<Option<Engine>>,
}

/// What has been made as `[buffer, used, hasEnded, isFull]`.
fn answer<'js>(ctx: &Ctx<'js>, made: Made) -> rquickjs::Result<Value<'js>> {
    let Made { bytes, used, has_ended, is_full } = made;
    let bytes = ArrayBuffer::new(ctx.clone(), bytes)?.into_value();
    List([bytes, used.into_js(ctx)?, has_ended.into_js(ctx)?, is_full.into_js(ctx)?]).into_js(ctx)
}

/// A failure as `[code, message]`.
fn failed<'js>(ctx: &Ctx<'js>, failure: Failure) -> rquickjs::Result<Value<'js>> {
    List([failure.code.to_owned(), failure.message]).into_js(ctx)
}

/// The native functions of `zlib.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    type State<'js> = Class<'js, EngineState>;
    let native = qjs::pristine::bare_object(ctx)?;
    def(
        &native,
        "engine",
        |ctx: Ctx<'js>, mode: u32, level: i32, window_bits: u8, pairs: Vec<u32>, dictionary: Value<'js>| {
            let dictionary = bytes::copy_from(&ctx, &dictionary)?;
            let pairs: Vec<_> = pairs.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
            let zlib = |container| ZlibOptions { container, level, window_bits, dictionary: dictionary.clone() };
            let bytes = || dictionary.as_deref().unwrap_or_default();
            // Node's numbers of modes.
            let made = match mode {
                1 => Engine::deflate(&zlib(Container::Zlib)),
                2 => Engine::inflate(zlib(Container::Zlib)),
                3 => Engine::deflate(&zlib(Container::Gzip)),
                4 => Engine::inflate(zlib(Container::Gzip)),
                5 => Engine::deflate(&zlib(Container::Raw)),
                6 => Engine::inflate(zlib(Container::Raw)),
                7 => Engine::inflate(zlib(Container::Any)),
                8 => Ok(Engine::brotli_decompress()),
                9 => Engine::brotli_compress(&pairs),
                10 => Engine::zstd_compress(&pairs, bytes()),
                _ => Engine::zstd_decompress(&pairs, bytes()),
            };
            match made {
                Ok(engine) => Class::instance(ctx, EngineState { engine: RefCell::new(Some(engine)) })
                    .map(|state| state.into_inner().into_value()),
                Err(failure) => failed(&ctx, failure),
            }
        },
    )?;
    def(&native, "run", |ctx: Ctx<'js>, state: State<'js>, data: Value<'js>, start: usize, flush: u32, limit: f64| {
        let state = state.try_borrow()?;
        let Some(mut engine) = state.engine.take() else { return answer(&ctx, Made::default()) };
        let (made, engine) = access::read(&ctx, &data, start..usize::MAX, move |bytes| {
            (engine.run(bytes, Flush::by_number(flush), limit as usize), engine)
        })?;
        match made {
            Ok(made) => {
                state.engine.replace(Some(engine));
                answer(&ctx, made)
            }
            Err(failure) => failed(&ctx, failure),
        }
    })?;
    def(&native, "setLevel", |state: State<'js>, level: i32| {
        state.try_borrow()?.engine.borrow_mut().as_mut().into_iter().for_each(|engine| engine.set_level(level));
        Ok::<_, rquickjs::Error>(())
    })?;
    def(&native, "close", |state: State<'js>| {
        state.try_borrow()?.engine.take();
        Ok::<_, rquickjs::Error>(())
    })?;
    def(&native, "crc32", |ctx: Ctx<'js>, data: Value<'js>, value: u32| {
        access::read(&ctx, &data, 0..usize::MAX, move |bytes| {
            let mut hasher = crc32fast::Hasher::new_with_initial(value);
            hasher.update(bytes);
            f64::from(hasher.finalize())
        })
    })?;
    Ok(native)
}
