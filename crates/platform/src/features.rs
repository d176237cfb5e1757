//! What the platform is made of. A row of [`FEATURES`] is an embedded file: its source, its native functions, and the
//! built-in modules and globals that it provides. A new module is a file beside the others and a row here.

use rquickjs::{Ctx, Object, Value};

use crate::internal::embedded::Script;
use crate::modules::BuiltinFn;
use crate::{internal, node, web};

#[rustfmt::skip]
const FEATURES: &[Feature] = &[
    // What Node offers.
    js("absent", include_str!("node/absent.js"))
        .parts(&["cluster", "domain", "inspector", "inspector/promises", "repl", "sea", "sqlite", "test/reporters", "trace_events"]),
    js("assert", include_str!("node/assert/assert.js")).parts(&["assert", "assert/strict"]),
    js("assertion_error", include_str!("node/assert/assertion_error.js")),
    js("call_text", include_str!("node/assert/call_text.js")),
    js("async_context", include_str!("node/async/async_context.js")).native(node::async_context::natives),
    js("async_hooks", include_str!("node/async/async_hooks.js")).modules(&["async_hooks"]),
    js("diagnostics_channel", include_str!("node/async/diagnostics_channel.js")).modules(&["diagnostics_channel"]),
    js("buffer", include_str!("node/buffer/buffer.js")).native(node::buffer::natives)
        .module("buffer", |ctx| internal::require(ctx, "buffer")?.get("module")).globals(&["Buffer"]),
    js("buffer_numbers", include_str!("node/buffer/buffer_numbers.js")).native(node::buffer::numbers::natives),
    js("encodings", include_str!("node/buffer/encodings.js")),
    js("string_decoder", include_str!("node/buffer/string_decoder.js"))
        .native(node::buffer::string_decoder::natives).modules(&["string_decoder"]),
    js("child_arguments", include_str!("node/child_process/child_arguments.js")),
    js("child_process", include_str!("node/child_process/child_process.js")).native(node::child_process::natives)
        .modules(&["child_process"]),
    js("constants", include_str!("node/constants.js")).modules(&["constants"]),
    js("ciphers", include_str!("node/crypto/ciphers.js")).native(node::crypto::cipher_natives),
    js("derive", include_str!("node/crypto/derive.js")).native(node::crypto::derive_natives),
    js("hash", include_str!("node/crypto/hash.js")).native(node::crypto::hash_natives),
    js("keys", include_str!("node/crypto/keys.js")),
    js("lazy_transform", include_str!("node/crypto/lazy_transform.js")),
    js("node_crypto", include_str!("node/crypto/node_crypto.js"))
        .module("crypto", |ctx| internal::require(ctx, "node_crypto")?.get("module")),
    js("random", include_str!("node/crypto/random.js")),
    js("emitter_resource", include_str!("node/emitter_resource.js")),
    js("events", include_str!("node/events.js")).parts(&["events"]),
    js("fs", include_str!("node/fs/fs.js")).modules(&["fs"]),
    js("fs_bytes", include_str!("node/fs/fs_bytes.js")),
    js("fs_copy", include_str!("node/fs/fs_copy.js")),
    js("fs_dir", include_str!("node/fs/fs_dir.js")),
    js("fs_errors", include_str!("node/fs/fs_errors.js")),
    js("fs_glob", include_str!("node/fs/fs_glob.js")),
    js("fs_operations", include_str!("node/fs/fs_operations.js")).native(node::fs::natives),
    js("fs_promises", include_str!("node/fs/fs_promises.js")).modules(&["fs/promises"]),
    js("fs_stats", include_str!("node/fs/fs_stats.js")),
    js("fs_streams", include_str!("node/fs/fs_streams.js")),
    js("fs_watch", include_str!("node/fs/fs_watch.js")),
    js("fs_watcher", include_str!("node/fs/fs_watcher.js")),
    js("fs_values", include_str!("node/fs/fs_values.js")),
    js("common_js", include_str!("node/module/common_js.js")).native(node::module::natives)
        .module("module", |ctx| internal::require(ctx, "common_js")?.get("module")),
    js("eval", include_str!("node/module/eval.js")),
    js("module_extras", include_str!("node/module/module_extras.js")),
    js("http", include_str!("node/net/http.js"))
        .parts(&[
            "http", "https", "_http_agent", "_http_client", "_http_common", "_http_incoming", "_http_outgoing",
            "_http_server",
        ]),
    js("network", include_str!("node/net/network.js")).native(node::net::natives)
        .parts(&["net", "tls", "dns", "dns/promises", "dgram", "http2", "_tls_common", "_tls_wrap"]),
    js("os", include_str!("node/os/os.js")).native(node::os::natives).modules(&["os"])
        .globals(&["navigator", "Navigator"]),
    js("os_constants", include_str!("node/os/os_constants.js")),
    js("path", include_str!("node/path/path.js")).parts(&["path", "path/posix", "path/win32"]),
    js("win32", include_str!("node/path/win32.js")),
    js("process", include_str!("node/process/process.js")).native(node::process::natives)
        .module("process", node::process::module).globals(&["process"]),
    js("process_ipc", include_str!("node/process/process_ipc.js")),
    js("process_more", include_str!("node/process/process_more.js")),
    js("process_signals", include_str!("node/process/process_signals.js"))
        .native(node::process::signals::natives),
    js("process_streams", include_str!("node/process/process_streams.js")).native(node::process::stream_natives),
    js("punycode", include_str!("node/punycode.js")).native(node::punycode::natives).modules(&["punycode"]),
    js("querystring", include_str!("node/querystring.js")).modules(&["querystring"]),
    js("readline_keys", include_str!("node/readline/readline_keys.js")),
    js("readline", include_str!("node/readline/readline.js")).parts(&["readline", "readline/promises"]),
    js("repl", include_str!("node/repl/repl.js")).native(node::repl::natives),
    js("stream", include_str!("node/stream/stream.js")).modules(&["stream"]),
    js("stream_adapters", include_str!("node/stream/stream_adapters.js")),
    js("stream_compose", include_str!("node/stream/stream_compose.js")),
    js("stream_consumers", include_str!("node/stream/stream_consumers.js")).modules(&["stream/consumers"]),
    js("stream_duplex", include_str!("node/stream/stream_duplex.js")),
    js("stream_duplexify", include_str!("node/stream/stream_duplexify.js")),
    js("stream_finished", include_str!("node/stream/stream_finished.js")),
    js("stream_from", include_str!("node/stream/stream_from.js")),
    js("stream_legacy", include_str!("node/stream/stream_legacy.js")),
    js("stream_operators", include_str!("node/stream/stream_operators.js")),
    js("stream_pipeline", include_str!("node/stream/stream_pipeline.js")),
    js("stream_promises", include_str!("node/stream/stream_promises.js")).modules(&["stream/promises"]),
    js("stream_readable", include_str!("node/stream/stream_readable.js")),
    js("stream_shared", include_str!("node/stream/stream_shared.js")),
    js("stream_writable", include_str!("node/stream/stream_writable.js")),
    js("mock", include_str!("node/test/mock.js")),
    js("test", include_str!("node/test/test.js")).parts(&["test"]),
    js("timers_promises", include_str!("node/timers_promises.js")).parts(&["timers/promises"]),
    js("tty", include_str!("node/tty.js")).native(node::tty::natives).modules(&["tty"]),
    js("deprecation", include_str!("node/util/deprecation.js")),
    js("diff", include_str!("node/util/diff.js")),
    js("mime", include_str!("node/util/mime.js")),
    js("parse_args", include_str!("node/util/parse_args.js")),
    js("parse_env", include_str!("node/util/parse_env.js")),
    js("url_legacy", include_str!("node/url_legacy.js")).native(web::url::legacy_natives),
    js("util", include_str!("node/util/util.js")).parts(&["util", "sys", "util/types"]),
    js("util_types", include_str!("node/util/util_types.js")).native(node::util::natives),
    js("v8", include_str!("node/v8/v8.js")).modules(&["v8"]),
    js("wire", include_str!("node/v8/wire.js")),
    js("vm", include_str!("node/vm/vm.js")).native(node::vm::natives).modules(&["vm"]),
    js("wasi", include_str!("node/wasi.js")).native(node::wasi::natives).modules(&["wasi"]),
    js("worker_streams", include_str!("node/workers/worker_streams.js")),
    js("workers", include_str!("node/workers/workers.js")).native(node::workers::natives)
        .module("worker_threads", |ctx| internal::require(ctx, "workers")?.get("threads"))
        .global("Worker", |ctx| internal::require(ctx, "workers")?.get("WebWorker")),
    js("zlib", include_str!("node/zlib/zlib.js")).native(node::zlib::natives)
        .module("zlib", |ctx| internal::require(ctx, "zlib")?.get("module")),
    js("zlib_constants", include_str!("node/zlib/zlib_constants.js")),

    // What the Web offers.
    js("abort", include_str!("web/abort.js"))
        .globals(&["Event", "CustomEvent", "EventTarget", "AbortController", "AbortSignal"]),
    js("base64", include_str!("web/base64.js")).native(web::base64::natives).globals(&["atob", "btoa"]),
    js("blob", include_str!("web/blob.js")).native(web::blob::natives).globals(&["Blob", "File"]),
    js("body", include_str!("web/fetch/body.js")),
    js("codec_streams", include_str!("web/streams/codec_streams.js")),
    js("console", include_str!("web/console.js")).native(web::console::natives)
        .module("console", web::console::shared).global("console", web::console::shared),
    js("console_class", include_str!("web/console_class.js")),
    js("console_methods", include_str!("web/console_methods.js")),
    js("crypto", include_str!("web/crypto.js")).native(web::crypto::natives).globals(&["crypto", "Crypto"]),
    js("data_url", include_str!("web/fetch/data_url.js")),
    js("encoding", include_str!("web/encoding.js")).native(web::encoding::natives)
        .globals(&["TextEncoder", "TextDecoder"]),
    js("fetch", include_str!("web/fetch/fetch.js")).globals(&["Headers", "Request", "Response", "fetch"]),
    js("form_data", include_str!("web/fetch/form_data.js")).native(web::fetch::form_data::natives)
        .globals(&["FormData"]),
    js("headers", include_str!("web/fetch/headers.js")),
    js("http_exchange", include_str!("web/fetch/http_exchange.js")).native(web::fetch::http::natives),
    js("http_fetch", include_str!("web/fetch/http_fetch.js")),
    js("intl", include_str!("web/intl/intl.js")).globals(&["Intl"]),
    js("intl_collator", include_str!("web/intl/intl_collator.js")).native(web::intl::collator_natives),
    js("intl_date", include_str!("web/intl/intl_date.js")),
    js("intl_date_patterns", include_str!("web/intl/intl_date_patterns.js")),
    js("intl_digits", include_str!("web/intl/intl_digits.js")),
    js("intl_display_names", include_str!("web/intl/intl_display_names.js")),
    js("intl_duration", include_str!("web/intl/intl_duration.js")),
    js("intl_list", include_str!("web/intl/intl_list.js")),
    js("intl_locale", include_str!("web/intl/intl_locale.js")),
    js("intl_methods", include_str!("web/intl/intl_methods.js")),
    js("intl_names", include_str!("web/intl/intl_names.js")),
    js("intl_number", include_str!("web/intl/intl_number.js")),
    js("intl_number_names", include_str!("web/intl/intl_number_names.js")),
    js("intl_plurals", include_str!("web/intl/intl_plurals.js")),
    js("intl_relative", include_str!("web/intl/intl_relative.js")),
    js("intl_segmenter", include_str!("web/intl/intl_segmenter.js")).native(web::intl::segment_natives),
    js("intl_shared", include_str!("web/intl/intl_shared.js")).native(web::intl::locale_natives),
    js("intl_zone_names", include_str!("web/intl/intl_zone_names.js")),
    js("intl_zones", include_str!("web/intl/intl_zones.js")).native(web::intl::zone_natives),
    js("messaging", include_str!("web/messaging.js")).native(web::messaging::natives)
        .globals(&[
            "structuredClone", "MessageChannel", "MessagePort", "MessageEvent", "ErrorEvent", "BroadcastChannel",
        ]),
    js("histogram", include_str!("web/performance/histogram.js")),
    js("performance", include_str!("web/performance/performance.js")).native(web::performance::natives)
        .parts(&["perf_hooks"])
        .globals(&[
            "performance", "Performance", "PerformanceEntry", "PerformanceMark", "PerformanceMeasure",
            "PerformanceObserver", "PerformanceObserverEntryList", "PerformanceResourceTiming",
        ]),
    js("queuing_strategies", include_str!("web/streams/queuing_strategies.js")),
    js("readable_byte_stream", include_str!("web/streams/readable_byte_stream.js")),
    js("readable_stream", include_str!("web/streams/readable_stream.js")),
    js("readable_stream_from", include_str!("web/streams/readable_stream_from.js")),
    js("readable_stream_pipe", include_str!("web/streams/readable_stream_pipe.js")),
    js("readable_stream_tee", include_str!("web/streams/readable_stream_tee.js")),
    js("subtle", include_str!("web/subtle.js")).globals(&["SubtleCrypto", "CryptoKey"]),
    js("timers", include_str!("web/timers.js")).native(web::timers::natives).parts(&["timers"])
        .globals(&[
            "setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate",
            "queueMicrotask",
        ]),
    js("transferred_streams", include_str!("web/streams/transferred_streams.js")),
    js("transform_stream", include_str!("web/streams/transform_stream.js")),
    js("url", include_str!("web/url.js")).native(web::url::natives).parts(&["url"])
        .globals(&["URL", "URLPattern", "URLSearchParams"]),
    js("web_classes", include_str!("web/web_classes.js"))
        .globals(&["CloseEvent", "QuotaExceededError", "WebSocket"]),
    js("web_streams", include_str!("web/streams/web_streams.js")).modules(&["stream/web"])
        .globals(&[
            "ReadableStream", "ReadableStreamDefaultReader", "ReadableStreamDefaultController",
            "ReadableStreamBYOBReader", "ReadableStreamBYOBRequest", "ReadableByteStreamController", "WritableStream",
            "WritableStreamDefaultWriter", "WritableStreamDefaultController", "TransformStream",
            "TransformStreamDefaultController", "ByteLengthQueuingStrategy", "CountQueuingStrategy",
            "TextEncoderStream", "TextDecoderStream", "CompressionStream", "DecompressionStream",
        ]),
    js("web_streams_shared", include_str!("web/streams/web_streams_shared.js")),
    js("writable_stream", include_str!("web/streams/writable_stream.js")),

    // What the features above are made of.
    js("bytes", include_str!("internal/bytes.js")),
    js("deep_equal", include_str!("internal/deep_equal.js")),
    js("errno", include_str!("internal/errno.js")),
    js("errors", include_str!("internal/errors.js")),
    js("glob", include_str!("internal/glob.js")),
    js("inspect", include_str!("internal/inspect.js")).native(internal::inspect::natives),
    js("lazy_inspect", include_str!("internal/lazy_inspect.js")),
    js("primordials", include_str!("internal/primordials.js")).native(internal::primordials::natives),
    js("report", include_str!("internal/report.js")).native(internal::report::natives),
    js("stack", include_str!("internal/stack.js")),
    js("validators", include_str!("internal/validators.js")),
];

/// An embedded file and what it provides.
pub(crate) struct Feature {
    /// The name by which other files require it and, after `node:internal/`, stacks show it.
    pub(crate) name: &'static str,
    /// `None` if there is only Rust.
    script: Option<Script>,
    #[cfg(test)]
    source: &'static str,
    /// Makes the Rust functions for the file.
    pub(crate) native: BuiltinFn,
    modules: &'static [&'static str],
    parts: &'static [&'static str],
    made_module: Option<(&'static str, BuiltinFn)>,
    globals: &'static [&'static str],
    made_global: Option<(&'static str, BuiltinFn)>,
}

const fn js(name: &'static str, source: &'static str) -> Feature {
    Feature {
        script: Some(Script::new(name, source)),
        #[cfg(test)]
        source,
        ..rust(name)
    }
}

const fn rust(name: &'static str) -> Feature {
    Feature {
        name,
        script: None,
        #[cfg(test)]
        source: "",
        native: qjs::pristine::bare_object,
        modules: &[],
        parts: &[],
        made_module: None,
        globals: &[],
        made_global: None,
    }
}

impl Feature {
    const fn native(self, native: BuiltinFn) -> Self {
        Self { native, ..self }
    }

    /// The built-in modules, without `node:`, that are the file's exports.
    const fn modules(self, modules: &'static [&'static str]) -> Self {
        Self { modules, ..self }
    }

    /// The built-in modules that are properties of the file's exports, each under its own name.
    const fn parts(self, parts: &'static [&'static str]) -> Self {
        Self { parts, ..self }
    }

    /// A built-in module that something else makes.
    const fn module(self, name: &'static str, make: BuiltinFn) -> Self {
        Self { made_module: Some((name, make)), ..self }
    }

    /// The globals that the file exports under the same names.
    const fn globals(self, globals: &'static [&'static str]) -> Self {
        Self { globals, ..self }
    }

    /// A global that something else makes.
    const fn global(self, name: &'static str, make: BuiltinFn) -> Self {
        Self { made_global: Some((name, make)), ..self }
    }
}

/// The embedded file with this name.
pub(crate) fn file(name: &str) -> Option<(&'static Feature, &'static Script)> {
    FEATURES.iter().find(|feature| feature.name == name).and_then(|feature| Some((feature, feature.script.as_ref()?)))
}

/// The names of the built-in modules, without `node:`.
pub(crate) fn modules() -> impl Iterator<Item = &'static str> {
    FEATURES.iter().flat_map(|feature| {
        let made = feature.made_module.iter().map(|&(name, _)| name);
        feature.modules.iter().chain(feature.parts).copied().chain(made)
    })
}

/// Makes the exports of a built-in module; `None` if there is no module with this name.
pub(crate) fn make_module<'js>(ctx: &Ctx<'js>, name: &str) -> Option<rquickjs::Result<Object<'js>>> {
    FEATURES.iter().find_map(|feature| match feature.made_module {
        Some((made, make)) if made == name => Some(make(ctx)),
        _ if feature.parts.contains(&name) => {
            Some(internal::require(ctx, feature.name).and_then(|exports| exports.get(name)))
        }
        _ => feature.modules.contains(&name).then(|| internal::require(ctx, feature.name)),
    })
}

/// A global: its name, and how its value is made.
pub(crate) struct Global {
    pub(crate) name: &'static str,
    source: Source,
}

enum Source {
    Export(&'static str),
    Made(BuiltinFn),
}

impl Global {
    pub(crate) fn make<'js>(&self, ctx: &Ctx<'js>) -> rquickjs::Result<Value<'js>> {
        match self.source {
            Source::Export(file) => internal::require(ctx, file)?.get(self.name),
            Source::Made(make) => make(ctx).map(Object::into_value),
        }
    }
}

pub(crate) fn globals() -> impl Iterator<Item = Global> {
    FEATURES.iter().flat_map(|feature| {
        let exported = feature.globals.iter().map(|&name| Global { name, source: Source::Export(feature.name) });
        exported.chain(feature.made_global.map(|(name, make)| Global { name, source: Source::Made(make) }))
    })
}

#[cfg(test)]
mod tests;
