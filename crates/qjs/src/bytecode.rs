//! Scripts as bytecode: compiled in one runtime, run in any other runtime of the process.

use std::ffi::CString;

use rquickjs::{Ctx, Value, qjs as q};

use crate::value::Cx;

/// A compiled script. It is valid only in this process, whose engine made it.
#[derive(Clone, Debug)]
pub struct Bytecode(Box<[u8]>);

impl Bytecode {
    /// Compiles a script, as sloppy code of the global scope.
    ///
    /// # Errors
    /// A SyntaxError, or when memory is out.
    pub fn compile(ctx: &Ctx<'_>, source: &str, name: &str) -> rquickjs::Result<Self> {
        let cx = Cx::of(ctx);
        let (source, name) = (CString::new(source)?, CString::new(name)?);
        let flags = q::JS_EVAL_TYPE_GLOBAL | q::JS_EVAL_FLAG_COMPILE_ONLY;
        let len = source.as_bytes().len();
        // SAFETY: the source has a zero byte after its end, as QuickJS demands.
        let compiled = unsafe { q::JS_Eval(cx.raw(), source.as_ptr(), len as _, name.as_ptr(), flags as i32) };
        let compiled = cx.take(compiled)?;
        let mut size = 0;
        // SAFETY: the function is alive; the bytes are QuickJS's, copied and given back.
        unsafe {
            let bytes = q::JS_WriteObject(cx.raw(), &mut size, compiled.as_raw(), q::JS_WRITE_OBJ_BYTECODE as i32);
            if bytes.is_null() {
                return Err(rquickjs::Error::Exception);
            }
            let copy = std::slice::from_raw_parts(bytes, size as usize).into();
            q::js_free(cx.raw(), bytes.cast());
            Ok(Self(copy))
        }
    }

    /// Runs the script. Returns its completion value.
    ///
    /// # Errors
    /// What the script throws.
    pub fn run<'js>(&self, ctx: &Ctx<'js>) -> rquickjs::Result<Value<'js>> {
        let cx = Cx::of(ctx);
        // SAFETY: the bytes are what this process's engine has written; the function that is read is handed on.
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
