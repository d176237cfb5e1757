//! Programs that are no file: what `-e` gives, and what comes by standard input.

use qjs::eval::Script;
use rquickjs::{Ctx, Error, Value};

use super::{path_to_url, run_main_text, strip_types, syntax};
use crate::internal::{self, errors, state::Platform};

/// A program that is no file. Its relative imports start from the current folder.
#[derive(Clone, Debug)]
pub struct Code {
    /// What stacks and `__filename` call it, such as `[eval]`.
    pub name: &'static str,
    /// The text.
    pub text: String,
    /// Whether the value that it has is printed.
    pub print: bool,
    /// How it is read.
    pub kind: CodeKind,
}

/// How a program that is no file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeKind {
    /// As its syntax says: as an ES module if it can be nothing else, and with types if it does not parse without.
    Detected,
    /// As an ES module.
    Module {
        /// Whether it has types.
        typed: bool,
    },
    /// As a script that has `require`.
    CommonJs {
        /// Whether it has types.
        typed: bool,
    },
}

/// Evaluates a program that is no file.
///
/// # Errors
/// What the program throws, and if it does not parse.
pub fn run_code(ctx: &Ctx<'_>, code: &Code) -> rquickjs::Result<()> {
    internal::function(ctx, "eval", "addBuiltins")?.call::<_, Value>(())?;
    match code.kind {
        CodeKind::Detected => run_detected(ctx, code),
        CodeKind::Module { typed: false } => run_module(ctx, code, &code.text),
        CodeKind::CommonJs { typed: false } => run_script(ctx, code, &code.text),
        CodeKind::Module { typed: true } => run_module(ctx, code, &strip_types(ctx, &code.text, code.name)?),
        CodeKind::CommonJs { typed: true } => run_script(ctx, code, &strip_types(ctx, &code.text, code.name)?),
    }
}

fn run_detected(ctx: &Ctx<'_>, code: &Code) -> rquickjs::Result<()> {
    if syntax::is_module(&code.text) {
        return run_module(ctx, code, &code.text);
    }
    remember(ctx, code.name, code)?;
    let script = Script { source: &code.text, file: code.name, line: 1 };
    match script.check(ctx) {
        Ok(()) => run_script(ctx, code, &code.text),
        Err(Error::Exception) => {
            let thrown = ctx.catch();
            match strip_types(ctx, &code.text, code.name) {
                Ok(stripped) if syntax::is_module(&stripped) => run_module(ctx, code, &stripped),
                Ok(stripped) => run_script(ctx, code, &stripped),
                // What is wrong is not that it has types.
                Err(_) => {
                    ctx.catch();
                    Err(ctx.throw(thrown))
                }
            }
        }
        Err(error) => Err(error),
    }
}

fn run_module(ctx: &Ctx<'_>, code: &Code, text: &str) -> rquickjs::Result<()> {
    if code.print {
        let message = "--print cannot be used with ESM input";
        return Err(errors::throw(ctx, "Error", "ERR_EVAL_ESM_CANNOT_PRINT", message));
    }
    let folder = path_to_url(&std::env::current_dir().unwrap_or_default());
    let url = format!("{}/[eval1]", folder.strip_suffix('/').unwrap_or(&folder));
    remember(ctx, &url, code)?;
    run_main_text(ctx, url, text)
}

fn run_script(ctx: &Ctx<'_>, code: &Code, text: &str) -> rquickjs::Result<()> {
    remember(ctx, code.name, code)?;
    internal::function(ctx, "common_js", "prepareText")?.call::<_, Value>((code.name,))?;
    let value = Script { source: text, file: code.name, line: 1 }.run(ctx)?;
    if code.print { crate::web::console::print(ctx, "log", false, vec![value]) } else { Ok(()) }
}

/// Keeps the text for whoever reports an error in it.
fn remember(ctx: &Ctx<'_>, name: &str, code: &Code) -> rquickjs::Result<()> {
    Platform::of(ctx)?.code.replace(Some((name.to_owned(), code.text.clone())));
    Ok(())
}
