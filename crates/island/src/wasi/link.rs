//! A context in a store: how a guest's call comes to a function of WASI, and what it works on.

use std::sync::{Arc, Mutex, MutexGuard};

use wasmtime::{AsContextMut, Caller, Extern};

use crate::call::island::StoreState;
use crate::wasi::call::{Call, Runs, Surroundings};
use crate::wasi::errno::{Result, Stop};
use crate::wasi::guest::Guest;
use crate::wasi::types::Version;
use crate::wasi::wait::suspending;
use crate::wasi::waiter::{suspendable, wait_on_fiber};

/// The memory that functions work on besides the one that their caller exports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Precedence {
    /// Whatever the caller exports.
    Always,
    /// If the caller exports none.
    Otherwise,
}

/// A context in a store: what the functions made there have.
pub(crate) struct Link {
    pub(crate) surroundings: Arc<Surroundings>,
    memory: Mutex<Option<(Extern, Precedence)>>,
}

impl Link {
    pub(crate) fn new(surroundings: Arc<Surroundings>) -> Self {
        Self { surroundings, memory: Mutex::default() }
    }

    pub(crate) fn memory(&self) -> MutexGuard<'_, Option<(Extern, Precedence)>> {
        self.memory.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Runs a function that a guest has called. In a call that can be suspended it is suspended where it would wait.
    pub(crate) fn run(
        &self,
        caller: &mut Caller<'_, StoreState>,
        version: Version,
        body: impl Fn(&mut Call<'_>) -> Result,
    ) -> wasmtime::Result<u32> {
        let runs = Runs::new();
        loop {
            let own = self.memory().clone();
            let memory = match own {
                Some((memory, Precedence::Always)) => Some(memory),
                own => caller.get_export("memory").or(own.map(|(memory, _)| memory)),
            };
            let fiber = suspendable(caller.data_mut());
            let guest = guest(caller, memory.as_ref());
            let call = Call { wasi: &self.surroundings, guest, version, runs: &runs };
            match fiber {
                None => return Ok(call.run(&body)?),
                Some(fiber) => match suspending(|| call.run(&body)) {
                    Err(Stop::Waits(readiness)) => wait_on_fiber(caller, &fiber, readiness)?,
                    done => return Ok(done?),
                },
            }
        }
    }
}

/// A memory, as functions work on it.
pub(crate) fn guest<'a>(store: &'a mut impl AsContextMut<Data = StoreState>, memory: Option<&'a Extern>) -> Guest<'a> {
    match memory {
        Some(Extern::Memory(memory)) => Guest::Own(memory.data_mut(store)),
        Some(Extern::SharedMemory(memory)) => Guest::Shared(memory.data()),
        _ => Guest::Missing,
    }
}
