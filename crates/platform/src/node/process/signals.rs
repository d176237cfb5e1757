//! Signals that scripts listen for.
//!
//! One thread of the process receives them and tells the agents that listen; the agents call their listeners in a turn of
//! their loops. A signal that nobody listens for any more does what it does by default.

use std::{
    collections::HashMap,
    io,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use agent::Breaker;
use rquickjs::{Ctx, Function, Object, Value};
use signal_hook::iterator::{Handle, Signals};

use crate::internal::{
    background::{self, Ticket},
    def,
    errors::{granted, throw_system},
    system,
};

/// Who listens, by signal.
static LISTENERS: Mutex<Option<HashMap<i32, Vec<Ticket>>>> = Mutex::new(None);
/// What Ctrl-C breaks off, the innermost last.
static BREAKERS: Mutex<Vec<(u64, Breaker)>> = Mutex::new(Vec::new());
static RECEIVER: Mutex<Option<Handle>> = Mutex::new(None);

/// Faults of the process itself, which are not for scripts: guests' traps are made of them.
const FAULTS: [i32; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGABRT];

/// The native functions of `process_signals.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    // Calls a function whenever the signal arrives. This does not hold the loop.
    def(&native, "listen", |ctx: Ctx<'js>, signal: i32, call: Function<'js>| -> rquickjs::Result<f64> {
        let ticket = background::expect(&ctx, call)?;
        let id = ticket.id();
        background::set_ref(&ctx, id, false)?;
        if let Err(error) = listen(signal, ticket) {
            background::forget(&ctx, id)?;
            return Err(throw_system(&ctx, &error, "uv_signal_start", None, None));
        }
        Ok(id as f64)
    })?;
    def(&native, "unlisten", |ctx: Ctx<'js>, signal: i32, id: f64| {
        let mut listeners = LISTENERS.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(tickets) = listeners.get_or_insert_default().get_mut(&signal) {
            tickets.retain(|ticket| ticket.id() != id as u64 || !ticket.is_of(&ctx));
        }
        drop(listeners);
        background::forget(&ctx, id as u64)
    })?;
    // Returns 0 or the negative number of an error.
    def(&native, "kill", |ctx: Ctx<'js>, process: i32, signal: i32| -> rquickjs::Result<i32> {
        if signal != 0 || u32::try_from(process) != Ok(std::process::id()) {
            granted(&ctx, |may| may.check_signal("signals to processes"))?;
        }
        Ok(system::kill(process, signal).map_or_else(|error| -error.raw_os_error(), |()| 0))
    })?;
    Ok(native)
}

fn listen(signal: i32, ticket: Ticket) -> io::Result<()> {
    if matches!(signal, libc::SIGKILL | libc::SIGSTOP) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    if FAULTS.contains(&signal) {
        return Ok(());
    }
    let mut listeners = LISTENERS.lock().unwrap_or_else(|e| e.into_inner());
    let tickets = listeners.get_or_insert_default().entry(signal).or_default();
    // Those of workers that have ended.
    tickets.retain(|ticket| !ticket.is_void());
    tickets.push(ticket);
    drop(listeners);
    receive_too(signal)
}

/// Breaks off a script, in place of what SIGINT does otherwise, until the result is dropped.
pub(crate) fn break_on_interrupt(breaker: Breaker) -> io::Result<impl Drop> {
    struct Entry(u64);
    impl Drop for Entry {
        fn drop(&mut self) {
            BREAKERS.lock().unwrap_or_else(|e| e.into_inner()).retain(|(id, _)| *id != self.0);
        }
    }
    static LAST: AtomicU64 = AtomicU64::new(0);
    let id = LAST.fetch_add(1, Ordering::Relaxed);
    BREAKERS.lock().unwrap_or_else(|e| e.into_inner()).push((id, breaker));
    let entry = Entry(id);
    receive_too(libc::SIGINT)?;
    Ok(entry)
}

/// Has the thread receive a signal.
fn receive_too(signal: i32) -> io::Result<()> {
    let mut receiver = RECEIVER.lock().unwrap_or_else(|e| e.into_inner());
    match &*receiver {
        Some(handle) => handle.add_signal(signal),
        None => {
            let signals = Signals::new([signal])?;
            let handle = signals.handle();
            std::thread::Builder::new().name("signals".into()).stack_size(128 << 10).spawn(move || receive(signals))?;
            *receiver = Some(handle);
            Ok(())
        }
    }
}

fn receive(mut signals: Signals) {
    for signal in &mut signals {
        let breakers = BREAKERS.lock().unwrap_or_else(|e| e.into_inner());
        if signal == libc::SIGINT && breakers.iter().rev().any(|(_, breaker)| breaker.break_off()) {
            continue;
        }
        drop(breakers);
        let listeners = LISTENERS.lock().unwrap_or_else(|e| e.into_inner());
        let tickets: Vec<Ticket> = listeners.as_ref().and_then(|all| all.get(&signal)).cloned().unwrap_or_default();
        drop(listeners);
        let tell = |ticket: &Ticket| ticket.notify(move |ctx| Ok(Value::new_int(ctx.clone(), signal)));
        // (An agent that has ended takes nothing.)
        let heard = tickets.iter().filter(|ticket| tell(ticket)).count();
        if heard == 0 {
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    }
}
