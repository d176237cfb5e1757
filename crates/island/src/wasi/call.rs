//! A call of one of WASI's functions. The functions themselves are its methods, in the files beside this one.

use std::cell::{LazyCell, RefCell};
use std::sync::Arc;
use std::time::Instant;

use crate::wasi::descriptor::{Descriptor, Descriptors};
use crate::wasi::errno::{Result, Stop};
use crate::wasi::guest::Guest;
use crate::wasi::types::Version;

/// A guest's surroundings, which all share that use a context.
pub(crate) struct Surroundings {
    pub(crate) descriptors: Descriptors,
    pub(crate) args: Vec<Vec<u8>>,
    /// Each as `NAME=VALUE`.
    pub(crate) env: Vec<Vec<u8>>,
    pub(crate) before_output: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl Surroundings {
    /// Lets the host write what it has to write before the guest uses the same files.
    pub(crate) fn before_output(&self) {
        if let Some(before) = &self.before_output {
            before();
        }
    }
}

/// What lasts from one run of a call to the next: what is suspended runs again.
pub(crate) struct Runs {
    /// When the call began.
    pub(crate) begun: LazyCell<Instant>,
    /// What it has received already.
    pub(crate) received: RefCell<Vec<u8>>,
}

impl Runs {
    pub(crate) fn new() -> Self {
        Self { begun: LazyCell::new(Instant::now), received: RefCell::default() }
    }
}

/// What a function works on.
pub(crate) struct Call<'a> {
    pub(crate) wasi: &'a Surroundings,
    pub(crate) guest: Guest<'a>,
    pub(crate) version: Version,
    pub(crate) runs: &'a Runs,
}

impl Call<'_> {
    /// Runs a function. Returns what the guest is told; anything else ends the guest, or suspends it.
    pub(crate) fn run(mut self, body: impl FnOnce(&mut Self) -> Result) -> Result<u32> {
        match body(&mut self) {
            Ok(()) => Ok(0),
            Err(Stop::Errno(errno)) => Ok(errno.code().into()),
            Err(stop) => Err(stop),
        }
    }

    pub(crate) fn descriptor(&self, number: u32) -> Result<Arc<Descriptor>> {
        self.wasi.descriptors.lock().get(number)
    }
}
