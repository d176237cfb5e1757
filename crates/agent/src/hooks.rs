//! What the layer above plugs into the loop, and what a run of the loop reports.

use rquickjs::{Ctx, Value};

/// Where an uncaught error came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// It was thrown and nobody caught it.
    Exception,
    /// A promise was rejected with it and nobody handled the rejection.
    UnhandledRejection,
}

/// Decisions that belong to the platform: listeners of the `process` object, and how an error is printed.
pub trait Hooks {
    /// An error that nothing caught. Returns true if a listener took it, and the agent goes on. If it returns false,
    /// the platform has printed what it wants to print, and the agent ends with exit code 1.
    fn uncaught<'js>(&self, ctx: &Ctx<'js>, error: &Value<'js>, origin: Origin) -> bool {
        let _ = (ctx, error, origin);
        false
    }

    /// A promise that was rejected and has no handler after the checkpoint. Returns `Ok(true)` if a listener took it;
    /// on `Ok(false)` its reason becomes an uncaught error.
    fn unhandled_rejection<'js>(
        &self,
        ctx: &Ctx<'js>,
        reason: &Value<'js>,
        promise: &Value<'js>,
    ) -> rquickjs::Result<bool> {
        let _ = (ctx, reason, promise);
        Ok(false)
    }

    /// A port arrives by transfer: the platform sets the [face](crate::port::set_face) of ports, unless it has done so
    /// already.
    fn before_ports(&self, ctx: &Ctx<'_>) -> rquickjs::Result<()> {
        let _ = ctx;
        Ok(())
    }

    /// The loop has run dry. What this schedules makes it go on.
    fn before_exit(&self, ctx: &Ctx<'_>) -> rquickjs::Result<()> {
        let _ = ctx;
        Ok(())
    }

    /// The agent ends, by itself or by an uncaught error. This is not called after an explicit exit, whose caller does
    /// it first.
    fn exit(&self, ctx: &Ctx<'_>) -> rquickjs::Result<()> {
        let _ = ctx;
        Ok(())
    }
}

/// The hooks of an agent without a platform.
pub(crate) struct NoHooks;

impl Hooks for NoHooks {}

/// How an agent ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// What the process should exit with if this was its main agent.
    pub exit_code: i32,
    /// The error that ended the agent. Its JavaScript value stays with the agent: [`crate::Agent::uncaught`].
    pub uncaught: Option<Uncaught>,
}

/// An uncaught error without its JavaScript value, which must not outlive the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Uncaught {
    /// The value converted to a string.
    pub message: String,
    /// Where it came from.
    pub origin: Origin,
}
