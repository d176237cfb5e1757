//! Scripts of the global scope, in a context of the runtime's and with a place in a file.

use rquickjs::{Ctx, Promise, Value, qjs as q};

use crate::{script::Source, value::Cx};

/// A script's text and what its stacks say about its place.
#[derive(Clone, Copy, Debug)]
pub struct Script<'a> {
    /// The text.
    pub source: &'a str,
    /// The name of the file.
    pub file: &'a str,
    /// The number of the first line, which is usually 1.
    pub line: i32,
}

impl Script<'_> {
    /// Runs the script as sloppy code. Returns its completion value.
    ///
    /// # Errors
    /// What the script throws; a SyntaxError; an error if the name of the file has a zero byte.
    pub fn run<'js>(self, ctx: &Ctx<'js>) -> rquickjs::Result<Value<'js>> {
        self.evaluate(ctx, 0)
    }

    /// Runs the script as one that may `await` at its top level. Returns a promise of an object whose `value` is its
    /// completion value.
    ///
    /// # Errors
    /// A SyntaxError; an error if the name of the file has a zero byte.
    pub fn run_async<'js>(self, ctx: &Ctx<'js>) -> rquickjs::Result<Promise<'js>> {
        self.evaluate(ctx, q::JS_EVAL_FLAG_ASYNC)?.get()
    }

    /// Parses the script and does not run it.
    ///
    /// # Errors
    /// As [`Script::run`].
    pub fn check(self, ctx: &Ctx<'_>) -> rquickjs::Result<()> {
        self.evaluate(ctx, q::JS_EVAL_FLAG_COMPILE_ONLY).map(drop)
    }

    fn evaluate<'js>(self, ctx: &Ctx<'js>, flags: u32) -> rquickjs::Result<Value<'js>> {
        let cx = Cx::of(ctx);
        cx.take(Source::new(&[self.source]).eval(cx, self.file, self.line, q::JS_EVAL_TYPE_GLOBAL | flags)?)
    }
}
