//! What one agent's platform remembers, kept in the context's user data.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    path::PathBuf,
    rc::Rc,
};

use rquickjs::{Ctx, Exception, JsLifetime, Object, Persistent, Promise, Value};

use crate::{Options, internal::stdio::Stdio, modules::Builtins};

/// A handle to the platform of the running agent.
#[derive(Clone, JsLifetime)]
pub(crate) struct Platform(Rc<State>);

pub(crate) struct State {
    pub(crate) options: Options,
    pub(crate) stdio: Stdio,
    pub(crate) builtins: Builtins,
    /// Embedded JavaScript that has been loaded, by name.
    pub(crate) internals: RefCell<HashMap<&'static str, Persistent<Object<'static>>>>,
    /// The language as it was before any script ran.
    pub(crate) pristine: Persistent<Object<'static>>,
    /// Built-in modules that have been imported, by name without `node:`.
    pub(crate) loaded: RefCell<HashMap<String, Persistent<Object<'static>>>>,
    /// Values on their way into a synthetic module, by the module's name.
    pub(crate) stash: RefCell<HashMap<String, Persistent<Value<'static>>>>,
    /// Each package.json that has been read, by its folder.
    pub(crate) packages: RefCell<HashMap<PathBuf, Persistent<Object<'static>>>>,
    /// How modules are linked and which are running.
    pub(crate) linking: crate::modules::Linking,
    /// The Module objects of WebAssembly modules that have been imported, by URL.
    pub(crate) wasm_modules: RefCell<HashMap<String, Persistent<Object<'static>>>>,
    /// The promise of the main module and its URL.
    pub(crate) main: RefCell<Option<(Persistent<Promise<'static>>, String)>>,
    /// The URL of the main module, for `import.meta.main`.
    pub(crate) main_url: RefCell<String>,
    /// If the program is no file, what it is called in stacks, and its text.
    pub(crate) code: RefCell<Option<(String, String)>>,
    /// The number of columns by which `console.group` indents.
    pub(crate) indent: Cell<usize>,
    /// Set between the rejection of the main module's promise and its report.
    pub(crate) main_failed: Cell<bool>,
    /// Whether the heap's limit was raised to report that it is exhausted.
    pub(crate) has_made_room: Cell<bool>,
    /// Whether an uncaught error does not end the agent, as in a REPL.
    pub(crate) survives_errors: Cell<bool>,
    /// The workers that this agent has started.
    pub(crate) workers: crate::node::workers::Workers,
    /// If this agent is a worker, what it knows about itself.
    pub(crate) own_worker: Option<crate::node::workers::OwnWorker>,
    /// `process.env`.
    pub(crate) environment: crate::Environment,
    /// The descriptors that this agent has opened.
    pub(crate) files: crate::node::fs::Files,
    /// What other threads do for this agent.
    pub(crate) pending: crate::internal::background::Pending,
}

impl Platform {
    pub(crate) fn install(ctx: &Ctx<'_>, state: State) -> rquickjs::Result<Self> {
        let this = Self(Rc::new(state));
        match ctx.store_userdata(this.clone()) {
            Ok(_) => Ok(this),
            Err(_) => Err(Exception::throw_internal(ctx, "the platform cannot be installed from a native function")),
        }
    }

    /// A handle that keeps nothing alive.
    pub(crate) fn downgrade(&self) -> std::rc::Weak<State> {
        Rc::downgrade(&self.0)
    }

    pub(crate) fn of(ctx: &Ctx<'_>) -> rquickjs::Result<Self> {
        match ctx.userdata::<Self>() {
            Some(platform) => Ok(platform.clone()),
            None => Err(Exception::throw_internal(ctx, "this context has no platform")),
        }
    }
}

impl std::ops::Deref for Platform {
    type Target = State;

    fn deref(&self) -> &State {
        &self.0
    }
}
