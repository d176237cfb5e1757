//! What one marshalled operation borrowed, allocated and took over.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use marshal::{Handle, Heap};
use qjs::{Held, Mark, MarkedRc};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::callback::CallbackState;
use crate::types::TypeObject;

/// What ends with an operation. An operation that is suspended leaves it with its call's object.
#[derive(Default, Mark)]
pub(crate) struct Ledger {
    pub(crate) noted: RefCell<Vec<Noted>>,
    #[mark(skip)]
    pub(crate) images: RefCell<Vec<Image>>,
    #[mark(skip)]
    pub(crate) temporary: RefCell<SmallVec<[Temporary; 4]>>,
    /// The place of each block in that list, once there are many. It is empty if that has to be found out anew.
    #[mark(skip)]
    pub(crate) places: RefCell<FxHashMap<u64, usize>>,
    /// Blocks of views whose addresses the guest was given: scripts may drop the views during the call.
    #[mark(skip)]
    pub(crate) pinned: RefCell<SmallVec<[u64; 4]>>,
    /// Values whose addresses the guest was given in another way.
    pub(crate) kept: RefCell<SmallVec<[Held; 2]>>,
    /// Functions that the guest may call while the call lasts.
    pub(crate) callbacks: RefCell<SmallVec<[MarkedRc<CallbackState>; 1]>>,
    pub(crate) consumed: RefCell<SmallVec<[Consumed; 1]>>,
    /// What scripts' own types marshalled inside arguments.
    pub(crate) custom: RefCell<Vec<CustomPart>>,
}

impl Ledger {
    /// Ends what is left of an operation that nobody goes on with. Nothing is freed at once, since this happens inside
    /// of collections.
    pub(crate) fn abandon(&self, heap: &Heap) {
        self.pinned.take().iter().for_each(|&address| heap.unpin(address));
        for block in self.temporary.take() {
            let heap = block.heap.as_deref().unwrap_or(heap);
            heap.give_up_sized(block.address, block.bytes, block.align);
        }
    }

    /// Moves everything out.
    pub(crate) fn take(&self) -> Self {
        Self {
            noted: RefCell::new(self.noted.take()),
            images: RefCell::new(self.images.take()),
            temporary: RefCell::new(self.temporary.take()),
            places: RefCell::new(self.places.take()),
            pinned: RefCell::new(self.pinned.take()),
            kept: RefCell::new(self.kept.take()),
            callbacks: RefCell::new(self.callbacks.take()),
            consumed: RefCell::new(self.consumed.take()),
            custom: RefCell::new(self.custom.take()),
        }
    }
}

/// A block that is freed when the operation ends.
pub(crate) struct Temporary {
    pub(crate) address: u64,
    pub(crate) bytes: u64,
    pub(crate) align: u32,
    /// The heap that frees it, if that is not the manager's.
    pub(crate) heap: Option<Rc<Heap>>,
    /// The argument that it is a part of, if the guest may replace and free it.
    pub(crate) part_of: Option<i32>,
    /// Whether the guest has left it in its place.
    pub(crate) seen: bool,
}

/// A pointer in the guest's memory, and the script's value for it.
#[derive(Mark)]
pub(crate) struct Noted {
    /// Where the pointer lies.
    #[mark(skip)]
    pub(crate) at: u64,
    #[mark(skip)]
    pub(crate) pointer: u64,
    /// Which type it has: the address of its descriptor.
    #[mark(skip)]
    pub(crate) ty: *const TypeObject,
    pub(crate) value: Held,
    /// Whether what is behind it was looked at already.
    #[mark(skip)]
    pub(crate) is_done: Cell<bool>,
}

/// What was in a block before somebody else could change it.
pub(crate) struct Image {
    pub(crate) address: u64,
    pub(crate) bytes: Box<[u8]>,
}

/// Something that ends when the guest has taken it over.
#[derive(Mark)]
pub(crate) enum Consumed {
    /// A view's buffer, and the address of its block.
    View(Held, #[mark(skip)] u64),
    /// A block of the operation's own.
    #[mark(skip)]
    Block(u64),
    /// A block that an object owns.
    #[mark(skip)]
    Address(u64),
    #[mark(skip)]
    Handle(Rc<Handle>),
}

/// What a script's own type marshalled.
#[derive(Mark)]
pub(crate) struct CustomPart {
    /// The type.
    pub(crate) ty: Held,
    #[mark(skip)]
    pub(crate) address: u64,
    /// The arguments for `free`.
    pub(crate) arguments: Held,
}
