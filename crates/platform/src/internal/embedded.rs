//! What an embedded file is compiled from: bytecode that the build script made, or else its text.

use qjs::bytecode::Bytecode;
use rquickjs::{Ctx, Function, context::EvalOptions};

use super::wrapper;

/// By the files' names; empty if the program is for a machine that is unlike the one that compiled it.
const BYTECODE: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/bytecode.rs"));

/// The script of an embedded file.
pub(crate) enum Script {
    Bytecode(Bytecode),
    Text(&'static str),
}

impl Script {
    /// The script with this name, whose text is only in the program if there is no bytecode.
    pub(crate) const fn new(name: &str, text: &'static str) -> Self {
        let mut at = 0;
        while at < BYTECODE.len() {
            let (other, bytes) = BYTECODE[at];
            if is_same(name, other) {
                // SAFETY: the build script wrote it with the engine's own sources, for a machine like this one.
                return Self::Bytecode(unsafe { Bytecode::trusted(bytes) });
            }
            at += 1;
        }
        Self::Text(text)
    }

    /// The function that the file is the body of.
    pub(crate) fn function<'js>(&self, ctx: &Ctx<'js>, name: &str) -> rquickjs::Result<Function<'js>> {
        match self {
            Self::Bytecode(bytecode) => bytecode.run(ctx)?.get(),
            Self::Text(text) => {
                let mut options = EvalOptions::default();
                options.filename = Some(wrapper::file(name));
                ctx.eval_with_options(wrapper::wrapped(name, text), options)
            }
        }
    }
}

/// Whether two texts are the same, at compile time.
const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}
