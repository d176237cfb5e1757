//! What the API keeps for a runtime.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::Write;
use std::rc::{Rc, Weak};

use island::Engine;
use island::wasi::Output;
use qjs::{Ctx, Exception, Held, Result, Value};
use rquickjs::JsLifetime;

use crate::runtime::memory_core::MemoryCore;
use crate::runtime::tags::TagCore;

/// The result of what another thread has done for the runtime. It runs on the runtime's own thread.
pub type Task = Box<dyn for<'js> FnOnce(&Ctx<'js>) -> Result<()> + Send>;

/// Brings one task to the runtime's thread, from any other.
pub type Post = Box<dyn FnOnce(Task) + Send>;

/// The event loop that a runtime runs on, for operations that other threads complete.
pub trait TaskSink {
    /// A way for one task to reach the runtime's thread.
    fn post(&self) -> Post;

    /// Holds the loop: it must not end before the result is dropped.
    fn hold(&self) -> Box<dyn Any>;
}

/// What an embedder can choose.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// The engine that compiles this runtime's modules. Agents that share modules or memories must share an engine.
    pub engine: Engine,
    /// Puts all instances of the runtime into one island. Tables and mutable globals of any two can then be linked, and
    /// none is freed before all are.
    pub one_island: bool,
    /// Where the standard output (1) and standard error (2) of WASI guests go. By default the process's own.
    pub standard_output: fn(u8) -> Output,
    /// What a Response is. Without it there are no streaming functions.
    pub response_bytes: Option<ResponseBytes>,
    /// The event loop, for `Atomics.waitAsync`, which is absent without one.
    pub task_sink: Option<Rc<dyn TaskSink>>,
}

/// "Compile a potential WebAssembly response" up to the bytes: for a fulfilled source and the name of the function that
/// was called, a promise of an ArrayBuffer with the body. Throws, or rejects with, a TypeError for anything that is not
/// a Response, not of type `application/wasm`, not ok, or read already.
pub type ResponseBytes = for<'js> fn(&Ctx<'js>, Value<'js>, &str) -> Result<Value<'js>>;

impl Options {
    /// The defaults, on `engine`.
    pub fn new(engine: Engine) -> Self {
        Self { engine, one_island: false, standard_output: |_| Output::Inherit, response_bytes: None, task_sink: None }
    }
}

/// The API's state in a runtime. Cheap to clone.
#[derive(Clone, JsLifetime)]
pub struct Api {
    pub(crate) state: Rc<State>,
}

pub(crate) struct State {
    pub(crate) options: Options,
    /// Every memory that has an object, by its base address. Growth detaches the buffers of those that grew.
    pub(crate) memories: RefCell<HashMap<usize, Weak<MemoryCore>>>,
    /// The JavaScript exception tag.
    pub(crate) js_tag: Rc<TagCore>,
    /// The memories that have made growable buffers, which follow the growth of shared memories.
    pub(crate) growables: RefCell<Vec<Weak<MemoryCore>>>,
    /// The tag, unknown to guests and scripts, of Exception objects on their way through an island that lacks their
    /// own.
    pub(crate) foreign_tag: Rc<TagCore>,
    /// All islands; some of them may have gone.
    pub(crate) islands: RefCell<Vec<Weak<crate::runtime::island_realm::IslandRealm>>>,
    /// The island of all instances that pass objects to scripts; with the one-island option, of everything.
    pub(crate) common_island: RefCell<Weak<crate::runtime::island_realm::IslandRealm>>,
    /// Brings the bindings of exported globals up to date, once a module that is an ES module exports a mutable one.
    pub(crate) live_bindings: Cell<Option<fn(&Ctx<'_>)>>,
    /// The calls of promising functions that are running, innermost last.
    pub(crate) promising_calls: RefCell<Vec<Held>>,
    /// What makes of a function one that runs in the context of now, if there are contexts: see
    /// [`crate::bind_continuations`].
    pub(crate) bind: RefCell<Option<Held>>,
    /// What [`ask_for_attention`] asks for.
    pub(crate) attention: Cell<Option<AttentionHook>>,
    warned_of_long_memory: Cell<bool>,
}

/// What runs before the next script does.
pub type AttentionHook = for<'js> fn(&Ctx<'js>) -> Result<()>;

thread_local! {
    static ATTENTION: Cell<bool> = const { Cell::new(false) };
}

/// Asks, from inside a guest's call, for the [hook](set_attention_hook) to run before the next script does: when the
/// guest calls one, or returns.
pub fn ask_for_attention() {
    ATTENTION.set(true);
    // Whoever looks whether a memory grew sees to it.
    island::ask_again();
}

/// Sets what runs after somebody [asked](ask_for_attention) for it. What it throws is thrown in a job.
///
/// # Errors
/// A TypeError if the API was never installed.
pub fn set_attention_hook(ctx: &Ctx<'_>, hook: AttentionHook) -> Result<()> {
    Api::of(ctx)?.state.attention.set(Some(hook));
    Ok(())
}

/// Runs the hook if somebody asked.
pub(crate) fn attend(ctx: &Ctx<'_>, api: &Api) {
    if !ATTENTION.replace(false) {
        return;
    }
    let Some(hook) = api.state.attention.get() else { return };
    if hook(ctx).is_err() {
        let thrown = ctx.catch();
        // A guest's call cannot fail for that, so it becomes an uncaught error of the script's.
        if qjs::function::enqueue_job(ctx, rethrow, &[thrown]).is_err() {
            drop(ctx.catch());
        }
    }
}

fn rethrow<'js>(call: qjs::Call<'_, 'js>) -> Result<rquickjs::Value<'js>> {
    Err(call.ctx.throw(call.arg(0)))
}

impl Api {
    /// Gives the context's runtime its state.
    ///
    /// # Errors
    /// A TypeError if it has one already.
    pub(crate) fn new(ctx: &Ctx<'_>, options: Options) -> Result<Self> {
        if ctx.userdata::<Self>().is_some() {
            return Err(Exception::throw_type(ctx, "WebAssembly is installed in this runtime already"));
        }
        let externref = island::wasmtime::ValType::EXTERNREF;
        let of_value = island::wasmtime::FuncType::new(options.engine.wasmtime(), [externref], []);
        let state = State {
            js_tag: TagCore::new(of_value.clone()),
            foreign_tag: TagCore::new(of_value),
            options,
            memories: RefCell::default(),
            growables: RefCell::default(),
            islands: RefCell::default(),
            common_island: RefCell::default(),
            live_bindings: Cell::default(),
            promising_calls: RefCell::default(),
            bind: RefCell::default(),
            attention: Cell::default(),
            warned_of_long_memory: Cell::default(),
        };
        let api = Self { state: Rc::new(state) };
        ctx.store_userdata(api.clone()).map_err(|_| rquickjs::Error::Unknown)?;
        Ok(api)
    }

    /// The API of the context's runtime.
    ///
    /// # Errors
    /// A TypeError if it was never installed.
    pub fn of(ctx: &Ctx<'_>) -> Result<Self> {
        match ctx.userdata::<Self>() {
            Some(api) => Ok(api.clone()),
            None => Err(Exception::throw_type(ctx, "WebAssembly is not installed in this runtime")),
        }
    }

    /// The engine that compiles this runtime's modules.
    pub fn engine(&self) -> &Engine {
        &self.state.options.engine
    }

    /// Warns once that a buffer does not show all of its memory.
    pub(crate) fn warn_of_long_memory(&self, bytes: usize) {
        if !self.state.warned_of_long_memory.replace(true) {
            let shown = crate::runtime::memory_core::LONGEST_BUFFER;
            let _ = writeln!(
                std::io::stderr(),
                "tombolo: a WebAssembly.Memory of {bytes} bytes is longer than an ArrayBuffer can be here: \
                 `buffer` shows its first {shown} bytes"
            );
        }
    }
}
