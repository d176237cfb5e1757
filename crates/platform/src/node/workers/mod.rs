//! Workers: the native half of `workers.js`, and what the layer above runs in a worker's thread.
//!
//! Who owns what on which thread: the parent's [`Platform`] has an entry for each worker, with the callbacks; the
//! worker's thread has a [`Worker`], which tells the parent what happens, through the parent's mailbox and by the
//! entry's number (or through a [`Remote`], if the parent is a thread of Rust code). [`thread`] says how a thread is
//! ended. Both sides have the `Thread`: how the worker is reached once it has a mailbox, and whether it has ended. The
//! thread itself is made by the layer above ([`Options::spawn`](crate::Options::spawn)), which knows how to make an
//! agent.

use qjs::define::Put as _;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use agent::port::{Port, PortHandle};
use agent::structured::Serialized;
use agent::{Agent, EventLoop, KeepAlive};
use permissions::Permissions;
use qjs::{Held, HostClass, Mark, class};
use rquickjs::{Ctx, Exception, Function, Object, Persistent, Value};

use crate::Environment;
use crate::internal::errors::granted;
use crate::internal::report::raise_memory_limit;
use crate::internal::state::Platform;
use crate::internal::strings::UsvString;
use crate::internal::{self, def};
use crate::modules;

mod remote;
mod thread;

pub use remote::Remote;
pub use thread::Worker;
use thread::{Details, Event, Thread};

/// Everything that a worker is made from, on its way to the worker's thread.
pub struct WorkerSpec {
    /// The name of the thread.
    pub name: String,
    /// `process.argv` after the script.
    pub argv: Vec<String>,
    /// `process.execArgv`.
    pub exec_argv: Vec<String>,
    /// `process.env`.
    pub env: Environment,
    /// The limit of the JavaScript heap in bytes, if there is one.
    pub heap_bytes: Option<usize>,
    /// The limit in bytes of all memories that the worker makes together, if there is one.
    pub guest_bytes: Option<usize>,
    /// How many bytes the worker and its own may write to standard output and standard error, if there is a limit of
    /// its own.
    pub output_bytes: Option<u64>,
    /// The size of the stack for JavaScript in bytes, if it differs from the parent's.
    pub stack_bytes: Option<usize>,
    /// Whether standard output (1) and standard error (2) go to the parent.
    pub captured: [bool; 2],
    script: Script,
    web: bool,
    classic: bool,
    data: Serialized,
    resource_limits: Serialized,
    environment_data: Serialized,
    port: Port,
    /// What the parent writes to its standard input comes here.
    input: Option<Port>,
    worker: Worker,
}

/// What a worker runs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Script {
    /// A file's URL, or a `data:` URL with its text.
    Url {
        /// The URL.
        url: String,
        /// The text, if the URL does not name a file to read.
        text: Option<String>,
    },
    /// Text to be evaluated.
    Source(String),
}

impl Script {
    /// The module in a file.
    pub fn file(path: &std::path::Path) -> Self {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Self::Url { url: modules::path_to_url(&absolute), text: None }
    }

    /// A module with this text, as if it were in the current folder under this name.
    pub fn module(name: &str, text: &str) -> Self {
        let path = std::env::current_dir().unwrap_or_default().join(name);
        Self::Url { url: modules::path_to_url(&path), text: Some(text.to_owned()) }
    }
}

impl WorkerSpec {
    /// `process.argv[1]`.
    pub fn script_name(&self) -> String {
        match &self.script {
            Script::Url { url, .. } => {
                modules::url_to_path(url).map_or_else(|| url.clone(), |path| path.to_string_lossy().into_owned())
            }
            Script::Source(_) => "[worker eval]".into(),
        }
    }

    /// The worker's own handle, for what happens before it has an agent.
    pub fn worker(&self) -> &Worker {
        &self.worker
    }
}

/// A stream that sends everything written to it to the parent.
struct ToParent {
    worker: Worker,
    descriptor: u8,
}

impl std::io::Write for ToParent {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut copy = Vec::new();
        copy.try_reserve_exact(bytes.len()).map_err(|_| std::io::ErrorKind::OutOfMemory)?;
        copy.extend_from_slice(bytes);
        self.worker.tell(Event::Output(self.descriptor, copy));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a worker's own platform knows about it.
pub(crate) struct OwnWorker {
    worker: Worker,
    web: bool,
    classic: bool,
    name: String,
    url: String,
    /// Deserialized when first asked for.
    data: RefCell<Option<[Serialized; 3]>>,
    port: RefCell<Option<Port>>,
    input: RefCell<Option<Port>>,
    object: RefCell<Option<Persistent<Object<'static>>>>,
    heap_bytes: Option<usize>,
}

/// A parent's entry for a worker.
pub(crate) struct Entry {
    callbacks: Persistent<Object<'static>>,
    hold: Option<KeepAlive>,
    thread: Arc<Thread>,
}

/// The workers that an agent has started and that have not ended.
#[derive(Default)]
pub(crate) struct Workers {
    entries: RefCell<HashMap<u64, Entry>>,
    last: Cell<u64>,
}

/// The native part of a script's Worker.
#[derive(HostClass, Mark)]
#[host_class(name = "Worker")]
struct WorkerHandle {
    #[mark(skip)]
    entry: u64,
    port: Held,
    #[mark(skip)]
    thread: Arc<Thread>,
}

/// The native functions of `workers.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "spawn", spawn)?;
    def(&native, "workerPort", |ctx: Ctx<'js>, handle: Value<'js>| -> rquickjs::Result<Value<'js>> {
        Ok(self::handle(&ctx, &handle)?.port.get(&ctx))
    })?;
    def(&native, "threadId", |ctx: Ctx<'js>, handle: Value<'js>| -> rquickjs::Result<i32> {
        let handle = self::handle(&ctx, &handle)?;
        let is_there = Platform::of(&ctx)?.workers.entries.borrow().contains_key(&handle.entry);
        Ok(if is_there { handle.thread.id() as i32 } else { -1 })
    })?;
    def(&native, "terminate", |ctx: Ctx<'js>, handle: Value<'js>| -> rquickjs::Result<()> {
        self::handle(&ctx, &handle)?.thread.terminate();
        Ok(())
    })?;
    def(&native, "refWorker", |ctx: Ctx<'js>, handle: Value<'js>, refed: bool| -> rquickjs::Result<()> {
        let entry = self::handle(&ctx, &handle)?.entry;
        let hold = if refed { Some(EventLoop::of(&ctx)?.mailbox().keep_alive()) } else { None };
        let platform = Platform::of(&ctx)?;
        let before = match platform.workers.entries.borrow_mut().get_mut(&entry) {
            Some(entry) => std::mem::replace(&mut entry.hold, hold),
            None => None,
        };
        drop(before);
        Ok(())
    })?;
    own_natives(&native)?;
    Ok(native)
}

/// The functions that concern the worker that calls them.
fn own_natives<'js>(native: &Object<'js>) -> rquickjs::Result<()> {
    def(native, "worker", worker)?;
    def(native, "closeSelf", |ctx: Ctx<'js>| -> rquickjs::Result<()> {
        EventLoop::of(&ctx)?.end_after_task(0);
        Ok(())
    })?;
    def(native, "importScript", |ctx: Ctx<'js>, url: UsvString| -> rquickjs::Result<()> {
        let text = modules::script_text(&ctx, &url).map_err(|_| {
            drop(ctx.catch());
            agent::structured::throw_dom_exception(&ctx, &format!("cannot load the script {url}"), "NetworkError")
        })?;
        modules::run_classic(&ctx, &url, &text)
    })?;
    def(native, "resolve", |ctx: Ctx<'js>, url: UsvString, base: Option<UsvString>| -> rquickjs::Result<String> {
        let default = || Platform::of(&ctx).map(|platform| platform.main_url.borrow().clone());
        let base = match base {
            Some(base) => base.0,
            None => default()?,
        };
        let joined = url::Url::parse(&base).ok().map_or_else(|| url::Url::parse(&url), |base| base.join(&url));
        joined.map(String::from).map_err(|_| Exception::throw_type(&ctx, &format!("Invalid URL: {url}")))
    })?;
    def(native, "reportError", |ctx: Ctx<'js>, error: Value<'js>| -> rquickjs::Result<()> {
        report(&ctx, &error);
        Ok(())
    })
}

fn handle<'a>(ctx: &Ctx<'_>, handle: &'a Value<'_>) -> rquickjs::Result<&'a WorkerHandle> {
    class::of::<WorkerHandle>(handle).ok_or_else(|| Exception::throw_type(ctx, "expected a worker's handle"))
}

fn spawn<'js>(ctx: Ctx<'js>, options: Object<'js>, callbacks: Object<'js>) -> rquickjs::Result<Value<'js>> {
    granted(&ctx, Permissions::check_workers)?;
    class::register::<WorkerHandle>(&ctx)?;
    let platform = Platform::of(&ctx)?;
    let Some(start) = platform.options.spawn.clone() else {
        return Err(qjs::function::throw_error(&ctx, "this agent cannot start workers"));
    };
    let text = |name: &str| Ok::<_, rquickjs::Error>(options.get::<_, Option<UsvString>>(name)?.map(|text| text.0));
    let texts = |name: &str| -> rquickjs::Result<Option<Vec<String>>> {
        let list: Option<Vec<UsvString>> = options.get(name)?;
        Ok(list.map(|list| list.into_iter().map(|text| text.0).collect()))
    };
    let list = |name: &str| texts(name).map(Option::unwrap_or_default);
    let bytes = |name: &str| Ok::<_, rquickjs::Error>(options.get::<_, Option<f64>>(name)?.map(|bytes| bytes as usize));
    let cloned = |name: &str, transfer: &[Value<'js>]| Serialized::new(&ctx, &options.get::<_, Value>(name)?, transfer);
    let transfer: Vec<Value<'js>> = options.get::<_, Option<Vec<_>>>("transfer")?.unwrap_or_default();
    let script = match (text("url")?, text("source")?) {
        (Some(url), _) => {
            let text = if modules::is_inline(&url) { Some(modules::script_text(&ctx, &url)?) } else { None };
            Script::Url { url, text }
        }
        (None, source) => Script::Source(source.unwrap_or_default()),
    };
    let (resource_limits, environment_data) = (cloned("resourceLimits", &[])?, cloned("environmentData", &[])?);
    // The last step here that can fail, because it transfers.
    let data = cloned("data", &transfer)?;
    let entry = platform.workers.last.get() + 1;
    platform.workers.last.set(entry);
    let event_loop = EventLoop::of(&ctx)?;
    let parent = event_loop.mailbox().clone();
    // A parent that has ended no longer needs to know.
    let worker = Worker::new(Box::new(move |event| {
        let _ = parent.post(move |ctx| arrive(ctx, entry, event));
    }));
    let thread = worker.thread().clone();
    if let Some(own) = &platform.own_worker {
        own.worker.thread().add_child(&thread);
    }
    let (here, there) = Port::channel();
    let port = PortHandle::new_object(&ctx, here)?;
    let name = text("name")?.unwrap_or_default();
    let spec = WorkerSpec {
        argv: list("argv")?,
        exec_argv: list("execArgv")?,
        env: match texts("env")? {
            Some(list) => list.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect(),
            None => platform.environment.clone(),
        },
        heap_bytes: bytes("heapBytes")?,
        guest_bytes: None,
        output_bytes: None,
        stack_bytes: bytes("stackBytes")?,
        captured: [options.get::<_, Option<bool>>("stdout")?, options.get("stderr")?].map(Option::unwrap_or_default),
        web: options.get("web")?,
        classic: options.get::<_, Option<bool>>("classic")?.unwrap_or_default(),
        port: there,
        input: class::of::<PortHandle>(&options.get("input")?).and_then(|handle| handle.take(&ctx)),
        name,
        script,
        data,
        resource_limits,
        environment_data,
        worker: worker.clone(),
    };
    let hold = Some(event_loop.mailbox().keep_alive());
    let new = Entry { callbacks: Persistent::save(&ctx, callbacks), hold, thread: thread.clone() };
    platform.workers.entries.borrow_mut().insert(entry, new);
    if let Err(error) = start(spec) {
        worker.fail(&format!("cannot start a thread: {error}"));
    }
    let handle = WorkerHandle { entry, port: Held::new(port.as_value()), thread };
    Ok(class::new_object(&ctx, handle, None)?.into_value())
}

/// A task of the parent: its worker has reported something.
fn arrive(ctx: &Ctx<'_>, id: u64, event: Event) -> rquickjs::Result<()> {
    let platform = Platform::of(ctx)?;
    let callbacks = match &event {
        Event::Exit(_) => {
            let entry = platform.workers.entries.borrow_mut().remove(&id);
            entry.map(|entry| entry.callbacks)
        }
        _ => platform.workers.entries.borrow().get(&id).map(|entry| entry.callbacks.clone()),
    };
    let Some(callbacks) = callbacks else { return Ok(()) };
    let callbacks = callbacks.restore(ctx)?;
    let callback = |name: &str| callbacks.get::<_, Function>(name);
    match event {
        Event::Online => callback("online")?.call(()),
        Event::Output(descriptor, bytes) => {
            let bytes = rquickjs::TypedArray::<u8>::new(ctx.clone(), bytes)?;
            callback("output")?.call((descriptor, bytes))
        }
        Event::Exit(code) => callback("exit")?.call((code,)),
        Event::Error { value, properties, details } => {
            let object = qjs::pristine::bare_object(ctx)?;
            let (filename, line, column) = place(&details.stack);
            object.put("message", &*details.message)?;
            object.put("stack", &*details.stack)?;
            object.put("filename", filename)?;
            object.put("lineno", line)?;
            object.put("colno", column)?;
            object.put("code", details.code)?;
            let value = match value.deserialize(ctx) {
                Ok(value) => {
                    restore_class(ctx, &value.value, &details)?;
                    restore_properties(ctx, &value.value, properties)?;
                    value.value
                }
                Err(_) => {
                    drop(ctx.catch());
                    drop(qjs::function::throw_error(ctx, &details.message));
                    ctx.catch()
                }
            };
            callback("error")?.call((value, object))
        }
    }
}

/// Restores the class and the name of a worker's error: cloning takes one for the other, and knows no further names.
fn restore_class<'js>(ctx: &Ctx<'js>, error: &Value<'js>, details: &Details) -> rquickjs::Result<()> {
    let Some(object) = error.as_object().filter(|_| error.is_error()) else { return Ok(()) };
    if let Some(class) = details.class {
        let class: Option<Object> = ctx.globals().get::<_, Value>(class)?.into_object();
        let prototype = class.map(|class| class.get::<_, Value>("prototype")).transpose()?;
        if let Some(prototype) = prototype.as_ref().and_then(Value::as_object) {
            object.set_prototype(Some(prototype))?;
        }
    }
    let Some(name) = &details.name else { return Ok(()) };
    let name = qjs::string::from_utf8(ctx, name.as_bytes())?;
    qjs::define::value(object, "name", &name, qjs::define::Attributes::Hidden)
}

/// The class of an error that a parent gives its copy, as Node has it: the first of the language's own in its chain of
/// prototypes.
fn class_of(error: &Object<'_>) -> rquickjs::Result<Option<&'static str>> {
    const CLASSES: [&str; 7] =
        ["Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError"];
    /// A Proxy can have any number of prototypes.
    const DEPTH: usize = 100;
    let mut next = error.get_prototype();
    for _ in 0..DEPTH {
        let Some(prototype) = next else { break };
        let constructor: Option<Value> = qjs::properties::data(&prototype, "constructor")?;
        let name = constructor.as_ref().and_then(Value::as_object).map(|class| qjs::properties::data(class, "name"));
        if let Some(name) = name.transpose()?.flatten().filter(Value::is_string) {
            let name = qjs::string::to_usv(error.ctx(), qjs::Borrowed::of(&name))?;
            if let Some(class) = CLASSES.into_iter().find(|class| *class == name) {
                return Ok(Some(class));
            }
        }
        next = prototype.get_prototype();
    }
    Ok(None)
}

/// Restores the own properties of a worker's error, which cloning leaves out.
fn restore_properties<'js>(ctx: &Ctx<'js>, error: &Value<'js>, properties: Serialized) -> rquickjs::Result<()> {
    let properties = properties.deserialize(ctx)?.value;
    if let (Some(error), Some(properties)) = (error.as_object(), properties.as_object()) {
        for property in properties.props::<Value, Value>() {
            let (name, value) = property?;
            qjs::properties::create(error, &name, value)?;
        }
    }
    Ok(())
}

/// The error's own enumerable properties, as far as they can be cloned.
fn own_properties<'js>(ctx: &Ctx<'js>, error: &Value<'js>) -> rquickjs::Result<Serialized> {
    let properties = Object::new(ctx.clone())?;
    if let Some(error) = error.as_object().filter(|error| error.is_error()) {
        let names = qjs::properties::Names::of(error)?;
        for name in (0..names.len()).filter_map(|at| names.get(at)) {
            let value = name.get(error)?;
            match Serialized::new(ctx, &value, &[]) {
                Ok(_) => qjs::properties::create(&properties, &name.to_value(ctx)?, value)?,
                Err(_) => drop(ctx.catch()),
            }
        }
    }
    Serialized::new(ctx, properties.as_value(), &[])
}

/// File, line and column of the stack's first frame that belongs to a script.
fn place(stack: &str) -> (String, u32, u32) {
    for line in stack.lines() {
        let Some(frame) = line.trim_start().strip_prefix("at ") else { continue };
        let frame = frame.rsplit_once('(').map_or(frame, |(_, place)| place.trim_end_matches(')'));
        let mut parts = frame.rsplitn(3, ':');
        let (column, line, file) = (parts.next(), parts.next(), parts.next());
        let number = |text: Option<&str>| text.and_then(|text| text.parse().ok());
        if let (Some(column), Some(line), Some(file)) = (number(column), number(line), file)
            && !file.starts_with("node:")
        {
            return (file.to_owned(), line, column);
        }
    }
    (String::new(), 0, 0)
}

/// `native.worker()`.
fn worker(ctx: Ctx<'_>) -> rquickjs::Result<Value<'_>> {
    let platform = Platform::of(&ctx)?;
    let Some(own) = &platform.own_worker else { return Ok(Value::new_undefined(ctx)) };
    let known = own.object.borrow().clone();
    if let Some(object) = known {
        return Ok(object.restore(&ctx)?.into_value());
    }
    let object = qjs::pristine::bare_object(&ctx)?;
    object.put("web", own.web)?;
    object.put("classic", own.classic)?;
    object.put("threadId", own.worker.thread().id())?;
    object.put("name", &*own.name)?;
    object.put("url", &*own.url)?;
    if let Some(port) = own.port.take() {
        object.put("port", PortHandle::new_object(&ctx, port)?)?;
    }
    if let Some(input) = own.input.take() {
        object.put("input", PortHandle::new_object(&ctx, input)?)?;
    }
    if let Some([data, limits, environment]) = own.data.take() {
        object.put("data", data.deserialize(&ctx)?.value)?;
        object.put("resourceLimits", limits.deserialize(&ctx)?.value)?;
        object.put("environmentData", environment.deserialize(&ctx)?.value)?;
    }
    *own.object.borrow_mut() = Some(Persistent::save(&ctx, object.clone()));
    Ok(object.into_value())
}

/// Sends an uncaught error of this worker to its parent.
pub(crate) fn report<'js>(ctx: &Ctx<'js>, error: &Value<'js>) {
    let Ok(platform) = Platform::of(ctx) else { return };
    let Some(own) = &platform.own_worker else { return };
    let text = |value: Value<'js>| -> rquickjs::Result<String> { qjs::string::to_usv(ctx, qjs::Borrowed::of(&value)) };
    let attempt = |read: &dyn Fn() -> rquickjs::Result<String>| {
        read().unwrap_or_else(|_| {
            drop(ctx.catch());
            String::new()
        })
    };
    let object = error.as_object();
    let message = attempt(&|| match object {
        Some(object) if error.is_error() => text(object.get("message")?),
        _ => text(error.clone()),
    });
    let stack = attempt(&|| match object {
        Some(object) => match object.get::<_, Value>("stack")? {
            stack if stack.is_string() => text(stack),
            _ => Ok(String::new()),
        },
        None => Ok(String::new()),
    });
    // The engine throws null if there is no memory for an error.
    let exhausted = message == "out of memory" || (own.heap_bytes.is_some() && error.is_null());
    let code = exhausted.then_some("ERR_WORKER_OUT_OF_MEMORY");
    let message = if own.web { format!("Uncaught {}", attempt(&|| text(error.clone()))) } else { message };
    let value = Serialized::new(ctx, error, &[]).unwrap_or_else(|_| {
        drop(ctx.catch());
        let class = if stack.is_empty() { attempt(&|| text(error.clone())) } else { message.clone() };
        Serialized::of_error(&class, &stack)
    });
    let properties = own_properties(ctx, error).unwrap_or_else(|_| {
        drop(ctx.catch());
        Serialized::undefined()
    });
    let object = object.filter(|_| error.is_error());
    let name = object.map(|object| match object.get::<_, Value>("name")? {
        name if name.is_string() => text(name).map(Some),
        _ => Ok(None),
    });
    let name = name.transpose();
    let class = object.map(class_of).transpose();
    if name.is_err() || class.is_err() {
        drop(ctx.catch());
    }
    let (name, class) = (name.ok().flatten().flatten(), class.ok().flatten().flatten());
    own.worker.tell(Event::Error { value, properties, details: Details { message, stack, code, name, class } });
}

/// What a worker's platform needs from the specification, which gives it up.
pub(crate) fn own_worker(spec: &mut WorkerSpec) -> OwnWorker {
    let kept = [&mut spec.data, &mut spec.resource_limits, &mut spec.environment_data].map(std::mem::take);
    let (port, _) = Port::channel();
    OwnWorker {
        worker: spec.worker.clone(),
        web: spec.web,
        classic: spec.classic,
        name: spec.name.clone(),
        url: match &spec.script {
            Script::Url { url, .. } => url.clone(),
            Script::Source(_) => String::new(),
        },
        data: RefCell::new(Some(kept)),
        port: RefCell::new(Some(std::mem::replace(&mut spec.port, port))),
        input: RefCell::new(spec.input.take()),
        object: RefCell::default(),
        heap_bytes: spec.heap_bytes,
    }
}

impl OwnWorker {
    pub(crate) fn is_web(&self) -> bool {
        self.web
    }

    /// If the error says that the heap is exhausted, raises its limit a little, so that the error, which ends the
    /// agent, can be reported. Returns whether the heap is exhausted.
    pub(crate) fn make_room(&self, ctx: &Ctx<'_>, error: &Value<'_>) -> bool {
        if self.heap_bytes.is_none() || self.web {
            return false;
        }
        let message = error.as_exception().and_then(|error| error.message());
        // The engine throws null if there is no memory for an error.
        let is_exhausted = error.is_null() || message.is_some_and(|message| message == "out of memory");
        if is_exhausted {
            raise_memory_limit(ctx);
        }
        is_exhausted
    }
}

/// A worker's standard output (1) or standard error (2), if its parent reads it.
pub(crate) fn captured(spec: &WorkerSpec, descriptor: u8) -> crate::Stream {
    Arc::new(Mutex::new(ToParent { worker: spec.worker.clone(), descriptor }))
}

/// Runs a worker's script in its agent, which was installed with the same specification, and then the event loop to its
/// end.
pub fn run_worker(agent: &Agent, spec: WorkerSpec) -> agent::Outcome {
    let WorkerSpec { script, classic, web, worker, port, .. } = spec;
    // The placeholder that was put here when the platform took the worker's own port.
    drop(port);
    agent.run_task(|ctx| {
        internal::function(ctx, "workers", "setUpWorker")?.call::<_, Value>(())?;
        worker.tell(Event::Online);
        match script {
            Script::Url { url, text } if web => {
                Platform::of(ctx)?.main_url.replace(url.clone());
                // A worker of the Web survives an uncaught error, but not a missing script.
                let loaded = text.map_or_else(|| modules::script_text(ctx, &url), Ok).inspect_err(|_| {
                    let error = ctx.catch();
                    report(ctx, &error);
                    drop(ctx.throw(error));
                });
                let Ok(text) = loaded else {
                    drop(ctx.catch());
                    EventLoop::of(ctx)?.end_after_task(1);
                    return Ok(());
                };
                // What the Web calls a module is one, whatever the package of its file says.
                if classic { modules::run_classic(ctx, &url, &text) } else { modules::run_main_text(ctx, url, &text) }
            }
            Script::Url { url, text: None } => modules::run_main_url(ctx, url),
            Script::Url { url, text: Some(text) } => modules::run_main_text(ctx, url, &text),
            Script::Source(source) => modules::run_eval(ctx, source),
        }
    });
    if web {
        agent.run_task(|ctx| internal::function(ctx, "workers", "scriptDone")?.call::<_, Value>(()).map(drop));
    }
    let outcome = agent.run();
    worker.set_exit_code(outcome.exit_code);
    outcome
}

/// Terminates the workers of an agent that is ending, and waits until they have ended.
pub fn end_workers(agent: &Agent) {
    /// How long a worker may need if it is in the middle of something that cannot be interrupted.
    const PATIENCE: Duration = Duration::from_secs(2);
    let threads = agent.with(|ctx| {
        let platform = Platform::of(ctx).ok()?;
        let entries = platform.workers.entries.borrow();
        Some(entries.values().map(|entry| entry.thread.clone()).collect::<Vec<_>>())
    });
    let threads = threads.unwrap_or_default();
    threads.iter().for_each(|thread| thread.terminate());
    let deadline = Instant::now() + PATIENCE;
    for thread in threads {
        thread.wait(deadline.saturating_duration_since(Instant::now()));
    }
}

/// A function that starts the thread of a worker.
pub type Spawn = Arc<dyn Fn(WorkerSpec) -> std::io::Result<()> + Send + Sync>;
