//! What the platform is made of. A row of [`FEATURES`] is an embedded file: its source, its native functions, and the
//! built-in modules and globals that it provides. A new module is a file beside the others and a row here.

use rquickjs::{Ctx, Object, Value};

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
    js("async_context", include_str!("node/async/async_context.js")),
    js("async_hooks", include_str!("node/async/async_hooks.js")).modules(&["async_hooks"]),
    js("constants", include_str!("node/constants.js")).modules(&["constants"]),
    js("diagnostics_channel", include_str!("node/async/diagnostics_channel.js")).modules(&["diagnostics_channel"]),
    js("emitter_resource", include_str!("node/emitter_resource.js")),
    js("events", include_str!("node/events.js")).parts(&["events"]),
    js("fs", include_str!("node/fs/fs.js")).native(node::fs::natives).modules(&["fs"]),
    js("fs_promises", include_str!("node/fs/fs_promises.js")).modules(&["fs/promises"]),
    js("module", include_str!("node/module.js")).native(node::module::natives).modules(&["module"]),
    js("os", include_str!("node/os.js")).native(node::os::natives).modules(&["os"]).globals(&["navigator"]),
    js("path", include_str!("node/path/path.js")).parts(&["path", "path/posix", "path/win32"]),
    js("win32", include_str!("node/path/win32.js")),
    js("process", include_str!("node/process/process.js")).native(node::process::natives)
        .module("process", node::process::module).globals(&["process"]),
    js("mock", include_str!("node/test/mock.js")),
    js("test", include_str!("node/test/test.js")).parts(&["test"]),
    js("timers_promises", include_str!("node/timers_promises.js")).parts(&["timers/promises"]),
    js("diff", include_str!("node/util/diff.js")),
    js("mime", include_str!("node/util/mime.js")),
    js("parse_args", include_str!("node/util/parse_args.js")),
    js("parse_env", include_str!("node/util/parse_env.js")),
    js("url_legacy", include_str!("node/url_legacy.js")).native(web::url::legacy_natives),
    js("util", include_str!("node/util/util.js")).parts(&["util", "sys", "util/types"]),
    js("util_types", include_str!("node/util/util_types.js")).native(node::util::natives),
    js("v8", include_str!("node/v8/v8.js")).modules(&["v8"]),
    js("vm", include_str!("node/vm/vm.js")).native(node::vm::natives).modules(&["vm"]),
    js("wire", include_str!("node/v8/wire.js")),
    rust("wasi").module("wasi", node::wasi::module),
    js("workers", include_str!("node/workers/workers.js")).native(node::workers::natives)
        .module("worker_threads", |ctx| internal::require(ctx, "workers")?.get("threads"))
        .global("Worker", |ctx| internal::require(ctx, "workers")?.get("WebWorker")),

    // What the Web offers.
    js("abort", include_str!("web/abort.js"))
        .globals(&["Event", "CustomEvent", "EventTarget", "AbortController", "AbortSignal"]),
    js("console", include_str!("web/console.js")).native(web::console::natives)
        .module("console", web::console::shared).global("console", web::console::shared),
    js("console_class", include_str!("web/console_class.js")),
    js("console_methods", include_str!("web/console_methods.js")),
    js("crypto", include_str!("web/crypto.js")).native(web::crypto::natives).globals(&["crypto"]),
    js("data_url", include_str!("web/data_url.js")),
    js("encoding", include_str!("web/encoding.js")).native(web::encoding::natives)
        .globals(&["TextEncoder", "TextDecoder"]),
    js("fetch", include_str!("web/fetch.js")).globals(&["Headers", "Request", "Response", "fetch"]),
    js("headers", include_str!("web/headers.js")),
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
    js("timers", include_str!("web/timers.js")).native(web::timers::natives).parts(&["timers"])
        .globals(&[
            "setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate",
            "queueMicrotask",
        ]),
    js("url", include_str!("web/url.js")).native(web::url::natives).parts(&["url"])
        .globals(&["URL", "URLPattern", "URLSearchParams"]),

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
    /// The body of its function; empty if there is only Rust.
    pub(crate) source: &'static str,
    /// Makes the Rust functions for the file.
    pub(crate) native: BuiltinFn,
    modules: &'static [&'static str],
    parts: &'static [&'static str],
    made_module: Option<(&'static str, BuiltinFn)>,
    globals: &'static [&'static str],
    made_global: Option<(&'static str, BuiltinFn)>,
}

const fn js(name: &'static str, source: &'static str) -> Feature {
    let native = qjs::pristine::bare_object;
    Feature { name, source, native, modules: &[], parts: &[], made_module: None, globals: &[], made_global: None }
}

const fn rust(name: &'static str) -> Feature {
    js(name, "")
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
pub(crate) fn file(name: &str) -> Option<&'static Feature> {
    FEATURES.iter().find(|feature| feature.name == name && !feature.source.is_empty())
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
