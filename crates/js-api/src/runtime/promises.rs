//! Promises that wait for other threads, by number: what these post to the agent holds no JavaScript value.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use qjs::Function;
use rquickjs::JsLifetime;

/// The promises that something of a runtime waits for.
#[derive(Default, JsLifetime)]
pub(crate) struct Promises<'js> {
    last: Cell<u64>,
    waiting: RefCell<HashMap<u64, WaitingPromise<'js>>>,
}

/// A promise that waits. If the runtime ends first, what is held for it goes with the runtime.
#[derive(JsLifetime)]
pub(crate) struct WaitingPromise<'js> {
    pub(crate) resolve: Function<'js>,
    _held: Box<dyn Any>,
}

impl<'js> Promises<'js> {
    /// A number that no other promise here has.
    pub(crate) fn next_number(&self) -> u64 {
        self.last.set(self.last.get() + 1);
        self.last.get()
    }

    /// Has a promise wait under a number of its own. Meanwhile `held` is kept.
    pub(crate) fn insert(&self, number: u64, resolve: Function<'js>, held: impl Any) {
        self.waiting.borrow_mut().insert(number, WaitingPromise { resolve, _held: Box::new(held) });
    }

    /// Takes out a promise that waits no longer.
    pub(crate) fn take(&self, number: u64) -> Option<WaitingPromise<'js>> {
        self.waiting.borrow_mut().remove(&number)
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.borrow().len()
    }
}
