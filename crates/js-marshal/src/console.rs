//! Brings what guests write to the script's console, line by line.
//!
//! A guest writes from inside its call, where no script can run. So what it writes waits until the next script would
//! run: when the guest calls one, or returns. A console that a script has replaced gets whole lines then: `console.log`
//! those of standard output and `console.error` those of standard error. The platform's own console would print them as
//! they are, so for that they go to the process's output at once, along with any line that is not complete yet.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use island::wasi::Output;
use js_api::wasi::standard_output;
use qjs::{Ctx, Object, Result, Value};
use rquickjs::JsLifetime;

/// One of a guest's two streams.
struct Stream {
    /// 1 or 2.
    descriptor: u8,
    output: Output,
    /// The beginning of a line. What is left here when the guest has gone goes to the process's own output as it is.
    rest: Vec<u8>,
    /// Why something could not be written, which the guest is told when it writes the next time.
    failed: Option<io::Error>,
}

impl Stream {
    /// Writes to the process's own output.
    fn write(&mut self, bytes: &[u8]) {
        if let Output::To { sink, .. } = &self.output
            && let Err(error) = sink(bytes)
        {
            self.failed = Some(error);
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if !self.rest.is_empty() {
            let rest = std::mem::take(&mut self.rest);
            self.write(&rest);
        }
    }
}

type Shared = Arc<Mutex<Stream>>;

fn lock(stream: &Shared) -> MutexGuard<'_, Stream> {
    stream.lock().unwrap_or_else(|e| e.into_inner())
}

thread_local! {
    /// What waits to be printed, in order.
    static WRITTEN: RefCell<VecDeque<(Shared, Vec<u8>)>> = const { RefCell::new(VecDeque::new()) };
}

/// `console.log` and `console.error` as they were before a script could replace them.
#[derive(JsLifetime)]
struct Console<'js> {
    log: Value<'js>,
    error: Value<'js>,
}

/// A method of the console as it is now; `undefined` if there is none.
fn method<'js>(ctx: &Ctx<'js>, descriptor: u8) -> Result<Value<'js>> {
    let console: Value = ctx.globals().get("console")?;
    match console.as_object() {
        Some(console) => console.get(if descriptor == 1 { "log" } else { "error" }),
        None => Ok(Value::new_undefined(ctx.clone())),
    }
}

/// Remembers the console. To be called once before [`lines`].
///
/// # Errors
/// When memory is out.
pub(crate) fn install(ctx: &Ctx<'_>) -> Result<()> {
    let console = Console { log: method(ctx, 1)?, error: method(ctx, 2)? };
    ctx.store_userdata(console).map_err(|_| rquickjs::Error::Unknown)?;
    js_api::set_attention_hook(ctx, print)
}

/// Where a guest's standard output (1) or standard error (2) goes.
///
/// # Errors
/// A TypeError if the API was never installed.
pub(crate) fn lines(ctx: &Ctx<'_>, descriptor: u8) -> Result<Output> {
    let output = standard_output(ctx, descriptor)?;
    let Output::To { terminal, .. } = &output else { return Ok(output) };
    let terminal = *terminal;
    let stream = Arc::new(Mutex::new(Stream { descriptor, output, rest: Vec::new(), failed: None }));
    let sink = move |bytes: &[u8]| -> io::Result<()> {
        if let Some(error) = lock(&stream).failed.take() {
            return Err(error);
        }
        WRITTEN.with_borrow_mut(|written| written.push_back((stream.clone(), bytes.to_vec())));
        js_api::ask_for_attention();
        Ok(())
    };
    Ok(Output::To { sink: Arc::new(sink), terminal })
}

/// Prints what waits.
///
/// # Errors
/// What a script's console throws; the rest goes on waiting.
fn print(ctx: &Ctx<'_>) -> Result<()> {
    while let Some((stream, bytes)) = WRITTEN.with_borrow_mut(VecDeque::pop_front) {
        let descriptor = lock(&stream).descriptor;
        let method = method(ctx, descriptor)?;
        let is_own =
            ctx.userdata::<Console>().is_some_and(|own| method == *if descriptor == 2 { &own.error } else { &own.log });
        let mut lines = VecDeque::new();
        {
            let mut stream = lock(&stream);
            stream.rest.extend_from_slice(&bytes);
            let Some(function) = method.as_function().filter(|_| !is_own) else {
                let bytes = std::mem::take(&mut stream.rest);
                stream.write(&bytes);
                continue;
            };
            while let Some(end) = stream.rest.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = stream.rest.drain(..=end).collect();
                lines.push_back((function.clone(), line));
            }
        }
        while let Some((function, line)) = lines.pop_front() {
            let text = String::from_utf8_lossy(&line[..line.len() - 1]);
            let text = qjs::string::from_utf8(ctx, text.as_bytes())?;
            let console: Object = ctx.globals().get("console")?;
            let done = function.call::<_, ()>((rquickjs::prelude::This(console), text));
            if let Err(error) = done {
                // The lines after it are printed the next time.
                let mut rest: Vec<u8> = lines.into_iter().flat_map(|(_, line)| line).collect();
                let mut locked = lock(&stream);
                rest.append(&mut locked.rest);
                locked.rest = rest;
                drop(locked);
                WRITTEN.with_borrow_mut(|written| written.push_front((stream, Vec::new())));
                return Err(error);
            }
        }
    }
    Ok(())
}
