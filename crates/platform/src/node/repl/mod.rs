//! The part of a read–eval–print loop that knows JavaScript; whoever shows the prompt is elsewhere.

mod input;

use std::cell::RefCell;

use agent::EventLoop;
use qjs::eval::Script;
use rquickjs::{Ctx, Error, Function, Object, Promise, Value};

use crate::internal::state::Platform;
use crate::internal::{self, def, uncaught};

pub use input::is_incomplete;

/// Called when an input has been evaluated and its value printed.
pub type Done = Box<dyn FnOnce()>;

thread_local! {
    /// The input that this thread's agent evaluates: its number, and who waits for it.
    static RUNNING: RefCell<(u64, Option<Done>)> = const { RefCell::new((0, None)) };
}

/// Tells whoever waits, if it waits for this input.
fn finish(number: u64) {
    let done = RUNNING.with_borrow_mut(|(current, done)| if *current == number { done.take() } else { None });
    if let Some(done) = done {
        done();
    }
}

/// Makes an agent one whose uncaught errors do not end it, and gives its global scope what a REPL has.
///
/// # Errors
/// When the engine is out of memory.
pub fn begin(ctx: &Ctx<'_>) -> rquickjs::Result<()> {
    Platform::of(ctx)?.survives_errors.set(true);
    internal::function(ctx, "repl", "begin")?.call::<_, Value>(())?;
    Ok(())
}

/// Evaluates what was typed and prints its value, or what it threw. `done` is called when that is done, unless the agent
/// ends first.
pub fn evaluate(ctx: &Ctx<'_>, text: &str, done: Done) {
    let number = RUNNING.with_borrow_mut(|running| {
        *running = (running.0 + 1, Some(done));
        running.0
    });
    let name = format!("REPL{number}");
    if let Ok(platform) = Platform::of(ctx) {
        platform.code.replace(Some((name.clone(), text.to_owned())));
    }
    let prepared = input::prepare(text);
    let script = Script { source: &prepared.text, file: &name, line: 1 };
    match prepared.waits {
        false => {
            settle(ctx, script.run(ctx));
            finish(number);
        }
        true => {
            if let Err(error) = script.run_async(ctx).and_then(|promise| wait_for(ctx, promise, number)) {
                settle(ctx, Err(error));
                finish(number);
            }
        }
    }
}

/// Has the value of a promise, which is `{ value }`, printed when it is settled.
fn wait_for<'js>(ctx: &Ctx<'js>, promise: Promise<'js>, number: u64) -> rquickjs::Result<()> {
    let is_current = move || RUNNING.with_borrow(|(current, done)| *current == number && done.is_some());
    let fulfilled = Function::new(ctx.clone(), move |ctx: Ctx<'js>, value: Object<'js>| {
        if is_current() {
            settle(&ctx, value.get("value"));
            finish(number);
        }
    })?;
    let rejected = Function::new(ctx.clone(), move |ctx: Ctx<'js>, reason: Value<'js>| {
        if is_current() {
            settle(&ctx, Err(ctx.throw(reason)));
            finish(number);
        }
    })?;
    let then: Function = internal::require(ctx, "primordials")?.get("then")?;
    then.call::<_, Value>((promise, fulfilled, rejected)).map(drop)
}

/// Prints a value or an error. Whatever it takes, nothing is thrown.
fn settle<'js>(ctx: &Ctx<'js>, outcome: rquickjs::Result<Value<'js>>) {
    let print = |outcome: rquickjs::Result<Value<'js>>| -> rquickjs::Result<()> {
        let platform = Platform::of(ctx)?;
        match outcome {
            Ok(value) => {
                let colors = internal::has_colors(1);
                let text: rquickjs::String = internal::function(ctx, "repl", "show")?.call((value, colors))?;
                let text = internal::strings::to_rust(&text)?;
                platform.stdio.out((text + "\n").as_bytes());
                Ok(())
            }
            Err(Error::Exception) => {
                let thrown = ctx.catch();
                if EventLoop::of(ctx)?.mailbox().is_stopping() {
                    return Ok(());
                }
                // (After an interruption, no script can run in this task.)
                if qjs::function::is_uncatchable(&thrown) {
                    platform.stdio.out(INTERRUPTED.as_bytes());
                    return Ok(());
                }
                report(ctx, &thrown)
            }
            Err(error) => {
                platform.stdio.out(format!("Uncaught {error}\n").as_bytes());
                Ok(())
            }
        }
    };
    if let Err(Error::Exception) = print(outcome) {
        let thrown = ctx.catch();
        if let Err(Error::Exception) = report(ctx, &thrown) {
            ctx.catch();
        }
    }
    if let Ok(platform) = Platform::of(ctx) {
        platform.stdio.flush();
    }
}

const INTERRUPTED: &str = "Uncaught Error: Script execution was interrupted by `SIGINT`\n";

/// Prints an error that ends nothing.
pub(crate) fn report<'js>(ctx: &Ctx<'js>, error: &Value<'js>) -> rquickjs::Result<()> {
    let remember: Function = internal::function(ctx, "repl", "remember")?;
    remember.call::<_, Value>((error.clone(),))?;
    let text = uncaught::at_prompt(ctx, error);
    Platform::of(ctx)?.stdio.out(text.as_bytes());
    Ok(())
}

/// Gives up the input that is evaluated, which waits for something.
pub fn give_up(ctx: &Ctx<'_>) {
    let (number, waits) = RUNNING.with_borrow(|(number, done)| (*number, done.is_some()));
    if waits && let Ok(platform) = Platform::of(ctx) {
        platform.stdio.out(INTERRUPTED.as_bytes());
        platform.stdio.flush();
        finish(number);
    }
}

/// Ends the program as `process.exit()` does.
///
/// # Errors
/// The error that ends it.
pub fn exit(ctx: &Ctx<'_>) -> rquickjs::Result<()> {
    internal::function(ctx, "repl", "exit")?.call::<_, Value>(()).map(drop)
}

/// What may stand in the place of the last word of a text: where that begins, in bytes, and its completions. No getter
/// and no trap of a proxy is called.
pub fn complete(ctx: &Ctx<'_>, text: &str) -> (usize, Vec<String>) {
    let ask = || -> rquickjs::Result<(usize, Vec<String>)> {
        let found: Object = internal::function(ctx, "repl", "complete")?.call((text,))?;
        let names: Vec<internal::strings::UsvString> = found.get("names")?;
        let word: internal::strings::UsvString = found.get("word")?;
        Ok((text.len().saturating_sub(word.0.len()), names.into_iter().map(|name| name.0).collect()))
    };
    ask().unwrap_or_else(|_| {
        ctx.catch();
        (text.len(), Vec::new())
    })
}

/// The native functions of `repl.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "print", |ctx: Ctx<'js>, text: internal::strings::UsvString| -> rquickjs::Result<()> {
        Platform::of(&ctx)?.stdio.out(text.0.as_bytes());
        Ok(())
    })?;
    // The names in a folder, those of folders with a slash at their end.
    def(&native, "list", |folder: internal::strings::UsvString| {
        let entries = std::fs::read_dir(&*folder).into_iter().flatten().flatten();
        let name = |entry: std::fs::DirEntry| {
            let is_folder = entry.path().is_dir();
            Some(format!("{}{}", entry.file_name().to_str()?, if is_folder { "/" } else { "" }))
        };
        qjs::array::List(entries.filter_map(name).collect::<Vec<_>>())
    })?;
    Ok(native)
}
