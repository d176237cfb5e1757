//! A call of one of WASI's functions. The functions themselves are its methods, in the files beside this one.

use std::cell::{LazyCell, RefCell};
use std::sync::Arc;
use std::time::Instant;

use crate::wasi::context::Shared;
use crate::wasi::descriptor::Descriptor;
use crate::wasi::errno::{Result, Stop};
use crate::wasi::guest::Guest;
use crate::wasi::types::Version;

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
    pub(crate) wasi: &'a Shared,
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
