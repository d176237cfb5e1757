//! The agent itself: making a runtime, entering it, running its loop to the end.

use std::time::Instant;

use qjs::runtime::Starver;
use rquickjs::{Context, Ctx, Persistent, Runtime, Value};

use crate::{
    EventLoop, Mailbox, Outcome, SafePoint,
    checkpoint::{self, guard, run_task, safe_points},
    mailbox::Wait,
    weak,
};

/// Limits of an agent's JavaScript heap and stack. Fields may be added: construct it with `..Default::default()`.
#[derive(Clone, Copy, Debug)]
pub struct AgentOptions {
    /// How many bytes of the thread's stack JavaScript may use; the thread must have more than this. Above 16 MiB the
    /// engine does not check.
    pub max_stack_size: usize,
    /// How many bytes the JavaScript heap may hold; `None` for no limit.
    pub memory_limit: Option<usize>,
}

impl Default for AgentOptions {
    fn default() -> Self {
        Self { max_stack_size: 4 << 20, memory_limit: None }
    }
}

/// One thread's JavaScript heap and event loop.
pub struct Agent {
    context: Context,
    event_loop: EventLoop,
    max_stack_size: usize,
}

impl std::fmt::Debug for Agent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agent").finish_non_exhaustive()
    }
}

impl Agent {
    /// Makes an agent for the current thread.
    ///
    /// # Errors
    /// Fails when the engine cannot allocate its heap.
    pub fn new(options: AgentOptions) -> rquickjs::Result<Self> {
        let runtime = Runtime::new()?;
        runtime.set_max_stack_size(options.max_stack_size);
        if let Some(limit) = options.memory_limit {
            runtime.set_memory_limit(limit);
        }
        let context = Context::full(&runtime)?;
        let event_loop = EventLoop::new();
        let mailbox = event_loop.mailbox().clone();
        runtime.set_interrupt_handler(Some(Box::new(move || mailbox.is_interrupted())));
        event_loop.state.rejections.track(&runtime);
        context.with(|ctx| {
            event_loop.mailbox().set_engine(Starver::new(&ctx)?);
            ctx.store_userdata(event_loop.clone()).map_err(|_| rquickjs::Error::Unknown)?;
            qjs::guards::install(&ctx)?;
            weak::install(&ctx)
        })?;
        Ok(Self { context, event_loop, max_stack_size: options.max_stack_size })
    }

    /// Enters the agent's context. Promise jobs that `f` leaves behind run in [`Agent::run`].
    pub fn with<R>(&self, f: impl for<'js> FnOnce(&Ctx<'js>) -> R) -> R {
        self.context.with(|ctx| f(&ctx))
    }

    /// The engine's runtime, for its module loader and its limits. It cannot be used while [`Agent::with`] is active.
    pub fn runtime(&self) -> &Runtime {
        self.context.runtime()
    }

    /// The agent's event loop.
    pub fn event_loop(&self) -> &EventLoop {
        &self.event_loop
    }

    /// A handle by which other threads reach this agent.
    pub fn mailbox(&self) -> Mailbox {
        self.event_loop.mailbox().clone()
    }

    /// Adds a callback that runs after every task and once at exit.
    pub fn on_safe_point(&self, callback: SafePoint) {
        self.event_loop.on_safe_point(callback);
    }

    /// Runs `task` as a task of the loop: what it throws is an uncaught error, and a checkpoint and the safe points
    /// follow.
    pub fn run_task(&self, task: impl for<'js> FnOnce(&Ctx<'js>) -> rquickjs::Result<()>) {
        if !self.event_loop.mailbox().is_stopping() {
            run_task(&self.context, &self.event_loop, task);
        }
    }

    /// Runs the loop until nothing holds it alive, an uncaught error ends it, or it is told to exit.
    pub fn run(&self) -> Outcome {
        let event_loop = &self.event_loop;
        let mailbox = event_loop.mailbox();
        checkpoint::checkpoint(&self.context, event_loop);
        safe_points(&self.context, event_loop);
        event_loop.state.loop_start.set(Some(Instant::now()));
        while !mailbox.is_stopping() {
            event_loop.state.weakness.enqueue_cleanups(event_loop);
            if event_loop.is_alive() || self.runtime().is_job_pending() {
                self.turn();
                continue;
            }
            let hooks = event_loop.state.hooks.borrow().clone();
            run_task(&self.context, event_loop, |ctx| hooks.before_exit(ctx));
            if !event_loop.is_alive() && !self.runtime().is_job_pending() && !mailbox.is_stopping() {
                guard(&self.context, event_loop, |ctx| hooks.exit(ctx));
                break;
            }
        }
        self.finish()
    }

    /// One turn: timers that are due, posted tasks (waiting for one if there is nothing else to do), immediates.
    fn turn(&self) {
        let event_loop = &self.event_loop;
        let state = &event_loop.state;
        // A safe point, or Rust code between two tasks, may have left jobs behind.
        if !state.ticks.borrow().is_empty() || self.runtime().is_job_pending() {
            run_task(&self.context, event_loop, |_| Ok(()));
        }
        let now = Instant::now();
        while !state.mailbox.is_stopping() {
            let Some(task) = state.timers.borrow_mut().pop_due(now) else { break };
            run_task(&self.context, event_loop, task);
        }
        let wait = self.next_wait();
        let idle_since = (!matches!(wait, Wait::Poll)).then(Instant::now);
        let tasks = state.mailbox.wait(wait);
        if let Some(since) = idle_since {
            state.idle.set(state.idle.get() + since.elapsed());
        }
        for task in tasks {
            if !state.mailbox.is_stopping() {
                run_task(&self.context, event_loop, task);
            }
        }
        let newest = state.immediates.borrow().newest();
        while !state.mailbox.is_stopping() {
            let Some(task) = state.immediates.borrow_mut().pop(newest) else { break };
            run_task(&self.context, event_loop, task);
        }
    }

    fn next_wait(&self) -> Wait {
        let state = &self.event_loop.state;
        if !state.immediates.borrow().is_empty() || !self.event_loop.is_alive() {
            return Wait::Poll;
        }
        match state.timers.borrow_mut().next_deadline() {
            Some(deadline) => Wait::Until(deadline),
            None => Wait::Forever,
        }
    }

    /// The end. The stop flag is cleared so that the last safe points can call into guests; an agent that was
    /// terminated runs no guest any more.
    fn finish(&self) -> Outcome {
        let event_loop = &self.event_loop;
        let requested = event_loop.state.exit_requested.get();
        let termination = event_loop.mailbox().finish(self.max_stack_size);
        safe_points(&self.context, event_loop);
        let uncaught = event_loop.state.uncaught.borrow().as_ref().map(|(_, uncaught)| uncaught.clone());
        let own = event_loop.exit_code();
        let exit_code = match (termination, &uncaught) {
            (Some(code), _) => code,
            // It was set to 1 for the listeners of `exit`, who may have chosen another one.
            (None, Some(_)) if !requested => own.unwrap_or(1),
            (None, _) => own.unwrap_or(0),
        };
        Outcome { exit_code, uncaught }
    }

    /// The value of the error that ended the agent.
    pub fn uncaught<'js>(&self, ctx: &Ctx<'js>) -> Option<Value<'js>> {
        let slot = self.event_loop.state.uncaught.borrow();
        let (value, _) = slot.as_ref()?;
        Persistent::restore(value.clone(), ctx).ok()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.event_loop.clear();
    }
}
