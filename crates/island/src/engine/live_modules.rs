//! The modules that an engine has compiled and that are still in use: the same bytes are not compiled again.
//!
//! What a module consists of is known one floor above, so here it can be anything.

use std::any::Any;
use std::sync::{Arc, Mutex, TryLockError, Weak};

use rustc_hash::FxHashMap;

use crate::engine::cache::Key;

/// One module, as long as anybody has it. Whoever compiles it has the lock meanwhile.
type ModuleSlot = Arc<Mutex<Option<Weak<dyn Any + Send + Sync>>>>;

#[derive(Default)]
pub(crate) struct LiveModules(Mutex<FxHashMap<Key, ModuleSlot>>);

impl LiveModules {
    /// The module under `key`: the one there is, or the one that `compile` makes.
    pub(crate) fn get_or_insert<M: Any + Send + Sync, E>(
        &self,
        key: Key,
        compile: impl FnOnce() -> Result<M, E>,
    ) -> Result<Arc<M>, E> {
        /// Up to this number, the table is not searched for modules that are gone.
        const FEW: usize = 64;
        let slot = {
            let mut modules = self.0.lock().unwrap_or_else(|e| e.into_inner());
            if modules.len() >= FEW && modules.len() == modules.capacity() {
                let is_live = |module: &Weak<_>| module.strong_count() > 0;
                // A thread that is compiling holds the slot, too.
                modules.retain(|_, slot| {
                    Arc::strong_count(slot) > 1
                        || slot.lock().unwrap_or_else(|e| e.into_inner()).as_ref().is_some_and(is_live)
                });
            }
            modules.entry(key).or_default().clone()
        };
        // If another agent is compiling the same bytes, this waits for it.
        let mut module = match slot.try_lock() {
            Ok(module) => module,
            Err(TryLockError::Poisoned(error)) => error.into_inner(),
            // A thread of rayon's does other work while it waits for its own. The agent that it would wait for here may
            // be further down on its own stack.
            Err(TryLockError::WouldBlock) if rayon_core::current_thread_index().is_some() => {
                return Ok(Arc::new(compile()?));
            }
            Err(TryLockError::WouldBlock) => slot.lock().unwrap_or_else(|e| e.into_inner()),
        };
        if let Some(live) = module.as_ref().and_then(Weak::upgrade)
            && let Ok(live) = live.downcast()
        {
            return Ok(live);
        }
        let made = Arc::new(compile()?);
        let weak: Weak<M> = Arc::downgrade(&made);
        *module = Some(weak);
        Ok(made)
    }

    /// How many modules are noted, including some that are gone.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(|e| e.into_inner()).len()
    }
}
