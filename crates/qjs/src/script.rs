//! Texts as functions and as modules. A text may have NUL characters in it, and what is compiled has the lines and
//! columns of the text.

use std::ffi::CString;

use rquickjs::{Ctx, Exception, Function, Module, Value, module::Declared, object::Property, qjs as q};

use crate::value::Cx;

/// A text as QuickJS wants it: with a NUL behind its end, which its length does not count.
pub(crate) struct Source {
    bytes: Vec<u8>,
    len: usize,
}

impl Source {
    /// Several texts, one after the other.
    pub(crate) fn new(parts: &[&str]) -> Self {
        let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len()).sum::<usize>() + 1);
        parts.iter().for_each(|part| bytes.extend_from_slice(part.as_bytes()));
        let len = bytes.len();
        bytes.push(0);
        Self { bytes, len }
    }

    /// Evaluates or, by `flags`, only compiles the text. Its first line gets the number `line`, which is not 0.
    pub(crate) fn eval(&self, cx: Cx<'_>, name: &str, line: i32, flags: u32) -> rquickjs::Result<q::JSValue> {
        let name = CString::new(name)?;
        let mut options = q::JSEvalOptions {
            version: q::JS_EVAL_OPTIONS_VERSION as i32,
            eval_flags: flags as i32,
            filename: name.as_ptr(),
            line_num: line,
        };
        // SAFETY: both texts end with a NUL, and the length is without it.
        let value = unsafe { q::JS_Eval2(cx.raw(), self.bytes.as_ptr().cast(), self.len as _, &raw mut options) };
        // SAFETY: reading a tag.
        if unsafe { q::JS_IsException(value) } { Err(rquickjs::Error::Exception) } else { Ok(value) }
    }
}

/// What a function is called until it is known that the text did not end it and begin another one.
const NAME: &str = "__whole_body__";

/// Compiles `body` as the body of a sloppy function with these parameters, which are not checked. In stacks, and for
/// `import()`, it stands in the file `name`.
///
/// # Errors
/// A SyntaxError, or when memory is out.
pub fn compile_function<'js>(
    ctx: &Ctx<'js>,
    parameters: &str,
    body: &str,
    name: &str,
) -> rquickjs::Result<Function<'js>> {
    // A line with the number of the one before the first would have the number 0, which stands for 1. So there are two.
    let source = Source::new(&["(function ", NAME, "(", parameters, ") {\n\n", body, "\n})"]);
    let cx = Cx::of(ctx);
    let value = source.eval(cx, name, -1, q::JS_EVAL_TYPE_GLOBAL)?;
    let value: Value<'js> = cx.take(value)?;
    let name = value.as_object().map(|function| function.get::<_, Value<'js>>("name")).transpose()?;
    let name = name.as_ref().and_then(Value::as_string).map(|name| name.to_string()).transpose()?;
    if name.as_deref() != Some(NAME) {
        return Err(Exception::throw_syntax(ctx, "Unexpected token '}'"));
    }
    let function = Function::from_value(value)?;
    function.as_object().expect("a function is an object").prop("name", Property::from("").configurable())?;
    Ok(function)
}

/// Declares a module, as `Module::declare` does.
///
/// # Errors
/// The parser's SyntaxError, or what the module's dependencies throw.
pub fn declare_module<'js>(ctx: &Ctx<'js>, name: &str, text: &str) -> rquickjs::Result<Module<'js, Declared>> {
    crate::module::compile(ctx, name, text).map(|(module, _)| module)
}
