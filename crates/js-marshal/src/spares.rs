//! Views that scripts have let go of, kept for the next results: a program that gets views in a loop drops each before
//! it gets the next, and most guests give the block that was freed last to whoever allocates as much.
//!
//! A spare view is as good as garbage: at each safe point, its block waits to be freed like that of any view that was
//! dropped ([`Spares::collect`]). What is kept is the JavaScript objects, and what another result can use is those for
//! the same bytes. Nothing can tell such a view from a new one ([`qjs::reuse`]).

use std::cell::RefCell;
use std::ptr::NonNull;

use marshal::{GuestBlock, Heap, HeapError};
use qjs::reuse::{self, Spare, Use};
use qjs::{Cx, ElementKind, Mark, Result, Returned};

/// How many are kept: a variable still has the last result when the next one comes.
const MOST: usize = 2;

#[derive(Mark)]
struct Entry {
    /// Its owner is `None` while nobody has it.
    array: Spare<Option<GuestBlock>>,
    #[mark(skip)]
    bytes: (NonNull<u8>, usize, ElementKind),
    #[mark(skip)]
    is_idle: bool,
}

/// The spare views of a manager's heap, which is not shared.
#[derive(Default, Mark)]
pub(crate) struct Spares(RefCell<Vec<Entry>>);

impl Spares {
    /// Whether there is none.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Frees the blocks of views that nobody has any more, which are `heap`'s.
    ///
    /// # Errors
    /// As [`Heap::retire`].
    #[inline]
    pub(crate) fn collect(&self, heap: &Heap) -> std::result::Result<(), HeapError> {
        while let Some(block) = self.next() {
            heap.retire(block)?;
        }
        Ok(())
    }

    /// The block of a view that nobody has any more.
    fn next(&self) -> Option<GuestBlock> {
        let mut entries = self.0.borrow_mut();
        for (at, entry) in entries.iter_mut().enumerate() {
            if entry.is_idle {
                continue;
            }
            match entry.array.take_owner(None) {
                Ok(block) => {
                    entry.is_idle = true;
                    return block;
                }
                Err(Use::Others) => {}
                Err(_) => {
                    let gone = entries.swap_remove(at);
                    // What is freed with a view may be anything, so the list is not borrowed by then.
                    drop(entries);
                    drop(gone);
                    return self.next();
                }
            }
        }
        None
    }

    /// Leaves all views that are in use to their scripts, so that garbage is collected. The blocks of the others wait to
    /// be freed.
    pub(crate) fn let_go(&self) {
        while let Some(block) = self.next() {
            drop(block);
        }
        let gone: Vec<_> = self.0.borrow_mut().extract_if(.., |entry| !entry.is_idle).collect();
        drop(gone);
    }

    /// A view of `block`, whose bytes begin at `start`.
    ///
    /// # Errors
    /// When memory is out; the block is given back then.
    #[inline]
    pub(crate) fn view(
        &self,
        cx: Cx<'_>,
        start: NonNull<u8>,
        block: GuestBlock,
        kind: ElementKind,
    ) -> Result<Returned> {
        let bytes = (start, block.len() as usize, kind);
        if let Some(entry) = self.0.borrow_mut().iter_mut().find(|entry| entry.is_idle && entry.bytes == bytes) {
            entry.is_idle = false;
            // SAFETY: nobody has had the array since its last owner was taken. The bytes are those that it was made
            // with, and the new owner keeps them.
            return Ok(unsafe { entry.array.hand_out(cx, Some(block)) });
        }
        self.new_view(cx, bytes, block)
    }

    #[cold]
    fn new_view(&self, cx: Cx<'_>, bytes: (NonNull<u8>, usize, ElementKind), block: GuestBlock) -> Result<Returned> {
        let (start, len, kind) = bytes;
        // SAFETY: the buffer owns the block, and the block its mapping. Rust makes no references to guest memory.
        let (view, spare) = unsafe { reuse::array(cx, start, len, Some(block), kind) }?;
        // What is traced ends when it would have ended without this.
        let Some(array) = spare.filter(|_| !marshal::trace::is_on()) else { return Ok(view) };
        let mut entries = self.0.borrow_mut();
        // An idle one is for other bytes than those that are wanted now.
        let least = entries.iter().position(|entry| entry.is_idle).unwrap_or(0);
        let gone = (entries.len() >= MOST).then(|| entries.remove(least));
        entries.push(Entry { array, bytes, is_idle: false });
        drop(entries);
        drop(gone);
        Ok(view)
    }
}
