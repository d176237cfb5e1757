//! Rejected promises that nobody handles, after HTML's and Node's "unhandled rejections".

use std::{cell::RefCell, rc::Rc};

use rquickjs::{Ctx, Persistent, Runtime, Value};

/// A rejected promise and its reason, kept until the next microtask checkpoint has ended.
pub(crate) struct Rejection {
    pub(crate) promise: Persistent<Value<'static>>,
    pub(crate) reason: Persistent<Value<'static>>,
}

/// HostPromiseRejectionTracker (ECMA-262 §27.2.1.9): collects rejections and forgets those that get a handler in time.
#[derive(Clone, Default)]
pub(crate) struct Rejections(Rc<RefCell<Vec<Rejection>>>);

impl Rejections {
    pub(crate) fn track(&self, runtime: &Runtime) {
        let this = self.clone();
        runtime.set_host_promise_rejection_tracker(Some(Box::new(move |ctx, promise, reason, is_handled| {
            if is_handled {
                this.handled(&ctx, promise);
            } else {
                let rejection =
                    Rejection { promise: Persistent::save(&ctx, promise), reason: Persistent::save(&ctx, reason) };
                this.0.borrow_mut().push(rejection);
            }
        })));
    }

    /// A handler usually comes right after the rejection, so the search starts with the newest one.
    fn handled<'js>(&self, ctx: &Ctx<'js>, promise: Value<'js>) {
        let promise = Persistent::save(ctx, promise);
        let mut list = self.0.borrow_mut();
        let found = list.iter().rposition(|rejection| rejection.promise == promise);
        let removed = found.map(|index| list.remove(index));
        drop(list);
        drop(removed);
    }

    pub(crate) fn take(&self) -> Vec<Rejection> {
        std::mem::take(&mut *self.0.borrow_mut())
    }
}
