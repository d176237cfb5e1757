//! Scripts that were compiled to bytecode before.

use rquickjs::{Ctx, Value, qjs as q};

use crate::value::Cx;

/// A compiled script.
#[derive(Clone, Copy, Debug)]
pub struct Bytecode(&'static [u8]);

impl Bytecode {
    /// Bytes that `JS_WriteObject` wrote.
    ///
    /// # Safety
    /// They must be complete, and from the version of QuickJS that this program has, built for a machine with the same
    /// byte order and size of pointers: QuickJS does not check the instructions that it reads.
    pub const unsafe fn trusted(bytes: &'static [u8]) -> Self {
        Self(bytes)
    }

    /// Runs the script. Returns its completion value.
    ///
    /// # Errors
    /// What the script throws.
    pub fn run<'js>(&self, ctx: &Ctx<'js>) -> rquickjs::Result<Value<'js>> {
        let cx = Cx::of(ctx);
        // SAFETY: `trusted` was promised that these bytes are what the engine writes; the function that is read is
        // handed on.
        unsafe {
            let flags = q::JS_READ_OBJ_BYTECODE as i32;
            let function = q::JS_ReadObject(cx.raw(), self.0.as_ptr(), self.0.len() as _, flags);
            if q::JS_IsException(function) {
                return Err(rquickjs::Error::Exception);
            }
            cx.take(q::JS_EvalFunction(cx.raw(), function))
        }
    }
}
