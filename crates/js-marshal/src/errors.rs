//! What a failed marshalling step becomes in JavaScript, and where it happened.

use marshal::HeapError;
use qjs::{Ctx, Exception};

/// Where something happens, for messages; only written out when one is needed.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// What was called.
    pub(crate) function: &'a str,
    /// Which part of the call.
    pub(crate) part: Part,
}

/// A part of a call.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    Whole,
    /// The argument at this index.
    Argument(usize),
    Result,
}

impl<'a> Place<'a> {
    /// The call as a whole.
    pub(crate) fn whole(function: &'a str) -> Self {
        Self { function, part: Part::Whole }
    }

    /// The argument at `index`, counted from 0.
    pub(crate) fn argument(function: &'a str, index: usize) -> Self {
        Self { function, part: Part::Argument(index) }
    }

    /// The result.
    pub(crate) fn result(function: &'a str) -> Self {
        Self { function, part: Part::Result }
    }
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.function)?;
        match self.part {
            Part::Whole => Ok(()),
            Part::Argument(index) => write!(f, ": argument {}", index + 1),
            Part::Result => f.write_str(": result"),
        }
    }
}

/// Throws a heap's error: a RangeError for what the guest's memory does not allow, a TypeError for a mistake in types,
/// what the guest did for a trap. `place` says where.
pub(crate) fn throw_heap_error(ctx: &Ctx<'_>, place: Place<'_>, error: HeapError) -> rquickjs::Error {
    match error {
        HeapError::Call(error) => js_api::throw_call_error(ctx, error),
        HeapError::Signature { .. } | HeapError::NotOurs { .. } => {
            Exception::throw_type(ctx, &format!("{place}: {error}"))
        }
        error => Exception::throw_range(ctx, &format!("{place}: {error}")),
    }
}
