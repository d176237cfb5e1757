//! What guests write, line by line to the script's console.
//!
//! A guest writes from inside its call, where no script can run. So whole lines wait, and `console.log` (or
//! `console.error`) gets them before the next script runs: when the guest calls one, or returns.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use island::wasi::Output;
use js_api::wasi::standard_output;
use qjs::{Ctx, Function, Object, Result};

thread_local! {
    /// Lines that wait, each with the descriptor that it was written to.
    static LINES: RefCell<VecDeque<(u8, Vec<u8>)>> = const { RefCell::new(VecDeque::new()) };
}

/// The beginning of a line. What is left of it when the guest has gone goes to the process's own output as it is.
struct Rest {
    bytes: Vec<u8>,
    output: Output,
}

impl Drop for Rest {
    fn drop(&mut self) {
        if let Output::To { sink, .. } = &self.output
            && !self.bytes.is_empty()
        {
            // There is nobody left to tell.
            let _ = sink(&self.bytes);
        }
    }
}

/// Where a guest's standard output (1) or standard error (2) goes.
///
/// # Errors
/// A TypeError where the API was never installed.
pub(crate) fn lines(ctx: &Ctx<'_>, descriptor: u8) -> Result<Output> {
    let output = standard_output(ctx, descriptor)?;
    let Output::To { terminal, .. } = &output else { return Ok(output) };
    let terminal = *terminal;
    let rest = Mutex::new(Rest { bytes: Vec::new(), output });
    let sink = move |bytes: &[u8]| -> std::io::Result<()> {
        let mut rest = rest.lock().unwrap_or_else(|e| e.into_inner());
        rest.bytes.extend_from_slice(bytes);
        while let Some(end) = rest.bytes.iter().position(|&byte| byte == b'\n') {
            let mut line: Vec<u8> = rest.bytes.drain(..=end).collect();
            line.pop();
            LINES.with_borrow_mut(|lines| lines.push_back((descriptor, line)));
            js_api::ask_for_attention();
        }
        Ok(())
    };
    Ok(Output::To { sink: Arc::new(sink), terminal })
}

/// Gives the lines that wait to the console.
///
/// # Errors
/// What the console throws; the other lines wait on.
pub(crate) fn print(ctx: &Ctx<'_>) -> Result<()> {
    while let Some((descriptor, line)) = LINES.with_borrow_mut(VecDeque::pop_front) {
        let console: Object = ctx.globals().get("console")?;
        let method: Function = console.get(if descriptor == 1 { "log" } else { "error" })?;
        let text = qjs::string::from_utf8(ctx, String::from_utf8_lossy(&line).as_bytes())?;
        method.call::<_, ()>((rquickjs::prelude::This(console), text))?;
    }
    Ok(())
}
