//! The state of an agent's event loop, within reach of native functions.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    fmt,
    rc::Rc,
    time::{Duration, Instant, SystemTime},
};

use rquickjs::{Ctx, Error, Exception, JsLifetime, Persistent, Value};

use crate::{
    Hooks, ImmediateId, Mailbox, Origin, TimerId, Uncaught, hooks::NoHooks, immediates::Immediates, port::Ports,
    rejections::Rejections, timers::Timers, weak::Weakness,
};

/// A task of the agent's own thread; an error it returns becomes an uncaught error of the agent.
pub type LocalTask = Box<dyn for<'js> FnOnce(&Ctx<'js>) -> rquickjs::Result<()>>;

/// Runs after every task and once at exit; it must be cheap.
pub type SafePoint = Box<dyn for<'js> Fn(&Ctx<'js>)>;

/// A handle to the loop of the agent that runs the current thread's JavaScript.
#[derive(Clone, JsLifetime)]
pub struct EventLoop {
    pub(crate) state: Rc<State>,
}

impl fmt::Debug for EventLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLoop").finish_non_exhaustive()
    }
}

pub(crate) struct State {
    pub(crate) mailbox: Mailbox,
    pub(crate) timers: RefCell<Timers>,
    pub(crate) immediates: RefCell<Immediates>,
    pub(crate) ticks: RefCell<VecDeque<LocalTask>>,
    pub(crate) rejections: Rejections,
    pub(crate) safe_points: RefCell<Vec<Rc<SafePoint>>>,
    pub(crate) hooks: RefCell<Rc<dyn Hooks>>,
    pub(crate) exit_code: Cell<Option<i32>>,
    pub(crate) exit_requested: Cell<bool>,
    pub(crate) ends_after_task: Cell<bool>,
    pub(crate) jobs_first: Cell<bool>,
    pub(crate) uncaught: RefCell<Option<(Persistent<Value<'static>>, Uncaught)>>,
    pub(crate) ports: Ports,
    pub(crate) weakness: Weakness,
    /// How long the loop has waited for something to do.
    pub(crate) idle: Cell<Duration>,
    pub(crate) loop_start: Cell<Option<Instant>>,
    origin: Instant,
    time_origin: SystemTime,
}

impl EventLoop {
    pub(crate) fn new() -> Self {
        let state = State {
            mailbox: Mailbox::new(),
            timers: RefCell::default(),
            immediates: RefCell::default(),
            ticks: RefCell::default(),
            rejections: Rejections::default(),
            safe_points: RefCell::default(),
            hooks: RefCell::new(Rc::new(NoHooks)),
            exit_code: Cell::new(None),
            exit_requested: Cell::new(false),
            ends_after_task: Cell::new(false),
            jobs_first: Cell::new(false),
            uncaught: RefCell::default(),
            ports: Ports::default(),
            weakness: Weakness::default(),
            idle: Cell::default(),
            loop_start: Cell::new(None),
            origin: Instant::now(),
            time_origin: SystemTime::now(),
        };
        Self { state: Rc::new(state) }
    }

    /// The loop of the agent that `ctx` belongs to.
    ///
    /// # Errors
    /// Throws an `InternalError` when the context was not made by an [`crate::Agent`].
    pub fn of(ctx: &Ctx<'_>) -> rquickjs::Result<Self> {
        match ctx.userdata::<Self>() {
            Some(event_loop) => Ok(event_loop.clone()),
            None => Err(Exception::throw_internal(ctx, "this context belongs to no agent")),
        }
    }

    /// The mailbox by which other threads reach this agent.
    pub fn mailbox(&self) -> &Mailbox {
        &self.state.mailbox
    }

    /// Time since the agent began, for `performance.now()`.
    pub fn now(&self) -> Duration {
        self.state.origin.elapsed()
    }

    /// When the agent began, on the wall clock, for `performance.timeOrigin`.
    pub fn time_origin(&self) -> SystemTime {
        self.state.time_origin
    }

    /// Runs `task` once, `delay` from now. Timers with equal deadlines keep the order in which they were set.
    pub fn set_timer(&self, delay: Duration, refed: bool, task: LocalTask) -> TimerId {
        self.state.timers.borrow_mut().set(Instant::now() + delay, refed, task)
    }

    /// Cancels a timer. Nothing happens if it has run or was cancelled before.
    pub fn clear_timer(&self, id: TimerId) {
        let task = self.state.timers.borrow_mut().clear(id);
        drop(task);
    }

    /// Sets whether a timer holds the loop alive.
    pub fn ref_timer(&self, id: TimerId, refed: bool) {
        self.state.timers.borrow_mut().set_ref(id, refed);
    }

    /// Runs `task` in the last phase of the turn; an immediate set by an immediate waits for the next turn.
    pub fn set_immediate(&self, task: LocalTask) -> ImmediateId {
        self.state.immediates.borrow_mut().set(task)
    }

    /// Cancels an immediate. Nothing happens if it has run or was cancelled before.
    pub fn clear_immediate(&self, id: ImmediateId) {
        let task = self.state.immediates.borrow_mut().clear(id);
        drop(task);
    }

    /// Sets whether an immediate holds the loop alive.
    pub fn ref_immediate(&self, id: ImmediateId, refed: bool) {
        self.state.immediates.borrow_mut().set_ref(id, refed);
    }

    /// Queues a task for the next checkpoint, before the promise jobs: `process.nextTick`.
    pub fn next_tick(&self, task: LocalTask) {
        self.state.ticks.borrow_mut().push_back(task);
    }

    /// Makes the next checkpoint start with promise jobs instead of the tick queue, as after the evaluation of an ES
    /// module, which Node runs from a promise job.
    pub fn run_jobs_first(&self) {
        self.state.jobs_first.set(true);
    }

    /// Adds a callback that runs after every task and once at exit.
    pub fn on_safe_point(&self, callback: SafePoint) {
        self.state.safe_points.borrow_mut().push(Rc::new(callback));
    }

    /// Puts the platform's hooks in place of the present ones.
    pub fn set_hooks(&self, hooks: Rc<dyn Hooks>) {
        let before = self.state.hooks.replace(hooks);
        drop(before);
    }

    /// How long ago the loop began, and how much of that it has waited for something to do; `None` before it begins.
    pub fn loop_times(&self) -> Option<(Duration, Duration)> {
        Some((self.state.loop_start.get()?.elapsed(), self.state.idle.get()))
    }

    /// `process.exitCode`: what the agent ends with unless an uncaught error ends it.
    pub fn exit_code(&self) -> Option<i32> {
        self.state.exit_code.get()
    }

    /// Sets what the agent ends with.
    pub fn set_exit_code(&self, code: Option<i32>) {
        self.state.exit_code.set(code);
    }

    /// Ends the agent without another line of JavaScript: returns an error that scripts cannot catch, for the native
    /// function to return. Exit listeners are for the caller to call before this.
    pub fn exit(&self, ctx: &Ctx<'_>, code: i32) -> Error {
        self.request_exit(code);
        let error = qjs::function::throw_uncatchable(ctx);
        // In some places QuickJS drops any error (in `Error.prepareStackTrace`, in a Promise's executor, in an
        // iterator's `return`), this one too, and goes on with the script. No call succeeds from here on.
        self.state.mailbox.refuse_calls();
        error
    }

    /// Ends the agent at the next interrupt poll or at the end of the task, whichever comes first.
    pub fn request_exit(&self, code: i32) {
        self.state.exit_code.set(Some(code));
        self.state.exit_requested.set(true);
        self.state.mailbox.set_stop(true);
    }

    /// Ends the agent when the task that is running has ended: the Web's `close()`. What this task posts is still sent.
    pub fn end_after_task(&self, code: i32) {
        self.state.exit_code.set(Some(code));
        self.state.ends_after_task.set(true);
    }

    /// Whether anything holds the loop alive.
    pub(crate) fn is_alive(&self) -> bool {
        let state = &self.state;
        state.timers.borrow().has_ref()
            || state.immediates.borrow().has_ref()
            || !state.ticks.borrow().is_empty()
            || state.mailbox.is_alive()
    }

    /// Remembers the error that ends the agent; the first one wins.
    pub(crate) fn set_uncaught<'js>(&self, ctx: &Ctx<'js>, error: &Value<'js>, origin: Origin) {
        let mut slot = self.state.uncaught.borrow_mut();
        if slot.is_none() {
            let text = |value: &Value<'js>| -> rquickjs::Result<String> {
                Ok(value.get::<rquickjs::convert::Coerced<String>>()?.0)
            };
            let message = text(error).unwrap_or_else(|_| {
                ctx.catch();
                "an error that cannot be converted to a string".into()
            });
            *slot = Some((Persistent::save(ctx, error.clone()), Uncaught { message, origin }));
        }
    }

    /// Lets go of every JavaScript value: tasks, hooks, rejections. For the end, before the runtime is dropped.
    pub(crate) fn clear(&self) {
        let state = &self.state;
        state.mailbox.close();
        let timers = state.timers.borrow_mut().take_all();
        let immediates = state.immediates.borrow_mut().take_all();
        let ticks = std::mem::take(&mut *state.ticks.borrow_mut());
        drop((timers, immediates, ticks, state.rejections.take()));
        drop(state.hooks.replace(Rc::new(NoHooks)));
        drop(std::mem::take(&mut *state.safe_points.borrow_mut()));
        drop(state.uncaught.take());
        state.ports.clear();
        state.weakness.clear_kept_objects();
    }
}
