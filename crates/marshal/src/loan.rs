//! Blocks that calls in progress were given the addresses of, on this thread. They are not freed under a guest that works
//! in them, even if a script that it calls ends their last handle meanwhile.
//!
//! A pin ([`Heap::pin`]) does the same for any thread, but it takes the queue's lock twice. A memory that is not shared
//! is freed by its own thread alone, so a list of that thread is enough. A loan lasts as long as a closure, so loans
//! nest: a call that can be suspended, which may end after one that began later, pins.

use std::cell::{Cell, RefCell};
use std::ptr::NonNull;

use crate::heap::Heap;

thread_local! {
    /// The first bytes of the blocks, on the host. Calls nest, so it is a stack.
    static LENT: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
    /// Whether one of them would have been freed.
    static PUT_OFF: Cell<bool> = const { Cell::new(false) };
}

/// The blocks that one call was given.
pub struct Loan<'h> {
    heap: &'h Heap,
    /// How many there were before; `NONE` if none has been added.
    before: Cell<usize>,
}

const NONE: usize = usize::MAX;

impl Heap {
    /// Runs `body`, which may lend blocks of this heap's memory until it returns. The memory must not be shared.
    #[inline]
    pub fn lend<R>(&self, body: impl FnOnce(&Loan<'_>) -> R) -> R {
        body(&Loan { heap: self, before: Cell::new(NONE) })
    }
}

impl Loan<'_> {
    /// Lends the block that begins at `start`, if one does.
    #[inline]
    pub fn add(&self, start: NonNull<u8>) {
        LENT.with_borrow_mut(|lent| {
            self.before.set(self.before.get().min(lent.len()));
            lent.push(start.addr().get());
        });
    }
}

impl Drop for Loan<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.before.get() == NONE {
            return;
        }
        if PUT_OFF.get() {
            self.end();
        } else {
            LENT.with_borrow_mut(|lent| lent.truncate(self.before.get()));
        }
    }
}

impl Loan<'_> {
    #[cold]
    fn end(&self) {
        let ended = LENT.with_borrow_mut(|lent| lent.split_off(self.before.get()));
        PUT_OFF.set(!LENT.with_borrow(Vec::is_empty));
        let base = self.heap.data().base().addr().get();
        for start in ended {
            if !is_lent(start) {
                self.heap.unlend((start - base) as u64);
            }
        }
    }
}

/// Whether the block that begins at `start` is lent.
fn is_lent(start: usize) -> bool {
    LENT.with_borrow(|lent| lent.contains(&start))
}

/// Whether a block that is about to be freed is lent. If so, it is put off until the loan ends.
#[inline]
pub(crate) fn puts_off(start: usize) -> bool {
    LENT.with_borrow(|lent| !lent.is_empty() && lent.contains(&start)) && {
        PUT_OFF.set(true);
        true
    }
}
