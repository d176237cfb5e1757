//! Functions of a guest, before anything is known of their types.

use std::rc::Rc;

use island::wasmtime::Func;
use island::{Callee, FunctionKey, Island};

/// A function of a guest, for an [`Allocator`](crate::Allocator) or a [`Destructor`](crate::Destructor). A
/// [`Guest`](crate::Guest) has them by [name](crate::Guest::export); whoever works with an [`Island`] has them as [`Callee`]s.
#[derive(Clone, Copy, Debug)]
pub struct GuestFunction(pub(crate) Func);

impl From<&Callee> for GuestFunction {
    fn from(callee: &Callee) -> Self {
        Self(callee.func())
    }
}

impl GuestFunction {
    /// The function, ready to be called. `None` if it is not of this island.
    pub(crate) fn callee(self, island: &Rc<Island>) -> Option<Callee> {
        Callee::new(island, self.0)
    }

    /// What tells it from other functions of its island.
    pub(crate) fn key(self, island: &Island) -> FunctionKey {
        island.enter(|store| FunctionKey::of(store, self.0))
    }
}
