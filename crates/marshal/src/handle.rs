//! Handles: opaque pointers that a guest's library gives out, with the function that takes them back.
//!
//! A handle stays on one thread, as its guest does. When the last reference to it goes, it only enters its heap's
//! queue, since that may happen inside a collection; the destructor is called at the next safe point. A handle keeps
//! what it depends on (a statement keeps its connection), and that enters the queue after it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use island::{Callee, Island, NumberKind};
use rustc_hash::FxHashSet;

use crate::error::HeapError;
use crate::guest_function::GuestFunction;
use crate::heap::Heap;
use crate::trace;

/// A guest's function that takes a handle back. It takes one address and has at most one result.
#[derive(Debug)]
pub struct Destructor {
    callee: Callee,
    /// The island of the function. While this is kept, no other island can be at the same address.
    island: Weak<Island>,
    name: Box<str>,
}

impl Destructor {
    /// The destructor `function`, called `name` in messages.
    ///
    /// # Errors
    /// [`HeapError::Destructor`] if it has another type; [`HeapError::Foreign`] if it is not of this island;
    /// [`HeapError::Busy`] from inside a host function that cannot call back.
    pub fn new(island: &Rc<Island>, function: GuestFunction, name: &str) -> Result<Rc<Self>, HeapError> {
        if !island.can_enter() {
            return Err(HeapError::Busy);
        }
        let callee = function.callee(island).ok_or_else(|| HeapError::Foreign { function: name.into() })?;
        let fits = callee.numeric().is_some_and(|ty| {
            matches!(&*ty.params, [NumberKind::I32 | NumberKind::I64])
                && matches!(&*ty.results, [] | [NumberKind::I32 | NumberKind::I64])
        });
        match fits {
            true => Ok(Rc::new(Self { callee, island: Rc::downgrade(island), name: name.into() })),
            false => Err(HeapError::Destructor { function: name.into(), found: callee.ty().to_string() }),
        }
    }

    /// Whether it can take back what is in `heap`.
    ///
    /// # Errors
    /// [`HeapError::Foreign`] when it is of another island; [`HeapError::Destructor`] when its addresses have fewer
    /// bits than the heap's.
    pub fn check(&self, heap: &Heap) -> Result<(), HeapError> {
        if !std::ptr::eq(self.island.as_ptr(), Rc::as_ptr(heap.island())) {
            return Err(HeapError::Foreign { function: self.name.to_string() });
        }
        let address = if heap.is_wide() { NumberKind::I64 } else { NumberKind::I32 };
        match self.callee.numeric().is_some_and(|ty| *ty.params == [address]) {
            true => Ok(()),
            false => {
                Err(HeapError::Destructor { function: self.name.to_string(), found: self.callee.ty().to_string() })
            }
        }
    }

    /// The kind of number that it returns, if any.
    pub(crate) fn returns(&self) -> Option<NumberKind> {
        self.callee.numeric()?.results.first().copied()
    }

    /// Whether its result has 64 bits.
    pub fn is_wide(&self) -> bool {
        self.callee.numeric().is_some_and(|ty| *ty.results == [NumberKind::I64])
    }

    /// What it is called in messages.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Where handles wait whose last reference is gone.
#[derive(Debug, Default)]
pub(crate) struct HandleQueue {
    waiting: RefCell<VecDeque<(Rc<Destructor>, u64)>>,
    /// The addresses of all handles that are open or wait.
    open: RefCell<FxHashSet<u64>>,
}

impl HandleQueue {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.borrow().is_empty()
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.borrow().len()
    }

    pub(crate) fn open(&self) -> usize {
        self.open.borrow().len()
    }

    /// Takes the handle that has waited longest out of the queue.
    pub(crate) fn next(&self) -> Option<(Rc<Destructor>, u64)> {
        let next = self.waiting.borrow_mut().pop_front()?;
        self.close(next.1);
        Some(next)
    }

    /// Strikes a handle off, because its destructor is about to run, or somebody else takes it over.
    fn close(&self, address: u64) {
        self.open.borrow_mut().remove(&address);
        if trace::is_on() {
            trace::handle_closed(self.number(), address);
        }
    }

    /// A number that tells it from other queues.
    fn number(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

impl Drop for HandleQueue {
    /// Nothing can close the handles that are left.
    fn drop(&mut self) {
        if trace::is_on() {
            self.open.borrow().iter().for_each(|&address| trace::handle_closed(self.number(), address));
        }
    }
}

/// An opaque pointer that the host owns.
#[derive(Debug)]
pub struct Handle {
    queue: Rc<HandleQueue>,
    destructor: Rc<Destructor>,
    address: u64,
    is_open: Cell<bool>,
    /// Dropped after this one has entered the queue.
    keeps: RefCell<Vec<Rc<Self>>>,
}

impl Handle {
    /// Where it points in the guest's memory.
    pub fn address(&self) -> u64 {
        self.address
    }

    /// Whether it was neither closed nor given away.
    pub fn is_open(&self) -> bool {
        self.is_open.get()
    }

    /// Keeps `other` open as long as this one lives.
    pub fn keep(&self, other: Rc<Self>) {
        self.keeps.borrow_mut().push(other);
    }

    /// Whether `heap` can close it.
    pub fn is_of(&self, heap: &Heap) -> bool {
        Rc::ptr_eq(&self.queue, heap.handles())
    }

    /// What takes it back.
    pub fn destructor(&self) -> &Rc<Destructor> {
        &self.destructor
    }

    /// Gives it up without its destructor, for a guest that takes it over. Returns the address; `None` if it was closed
    /// or given up before.
    pub fn release(&self) -> Option<u64> {
        self.is_open.replace(false).then(|| {
            self.queue.close(self.address);
            self.address
        })
    }

    /// Calls its destructor now. Returns the destructor's result; `None` if it has none, or if the handle was closed
    /// before.
    ///
    /// # Errors
    /// [`HeapError::Busy`], and [`HeapError::NotOurs`] for a heap that is not its own, leave it open.
    /// [`HeapError::Call`] if the destructor does not return; it is not tried again.
    pub fn close(&self, heap: &Heap) -> Result<Option<u64>, HeapError> {
        if !self.is_open() {
            return Ok(None);
        }
        if !self.is_of(heap) {
            return Err(HeapError::NotOurs { address: self.address });
        }
        if !heap.is_callable() {
            return Err(HeapError::Busy);
        }
        let Some(address) = self.release() else { return Ok(None) };
        let returned = heap.destroy(&self.destructor, address)?;
        Ok(self.destructor.returns().map(|_| returned))
    }
}

impl Handle {
    /// Puts it into its queue if it is still open.
    fn enqueue(&self) {
        if self.is_open.replace(false) {
            if trace::is_on() {
                trace::handle_dropped(self.queue.number(), self.address);
            }
            self.queue.waiting.borrow_mut().push_back((self.destructor.clone(), self.address));
        }
    }
}

impl Drop for Handle {
    /// What it keeps is dropped one after another, without recursion: a handle may keep one that keeps another, and so
    /// on without end.
    fn drop(&mut self) {
        self.enqueue();
        let mut kept = std::mem::take(self.keeps.get_mut());
        kept.reverse();
        while let Some(next) = kept.pop() {
            if let Some(mut next) = Rc::into_inner(next) {
                next.enqueue();
                kept.extend(next.keeps.get_mut().drain(..).rev());
            }
        }
    }
}

impl Heap {
    /// Takes ownership of an opaque pointer that the guest returned. `keeps` stays open as long as the handle lives.
    ///
    /// # Errors
    /// [`HeapError::Null`], [`HeapError::BadAddress`], what [`Destructor::check`] finds, and
    /// [`HeapError::AlreadyOwned`] if there is a handle for it that is open or waits to be closed.
    pub fn handle(
        &self,
        destructor: &Rc<Destructor>,
        address: u64,
        keeps: Vec<Rc<Handle>>,
    ) -> Result<Rc<Handle>, HeapError> {
        if address == 0 {
            return Err(HeapError::Null);
        }
        self.data().range(address, 0)?;
        destructor.check(self)?;
        let queue = self.handles();
        if !queue.open.borrow_mut().insert(address) {
            return Err(HeapError::AlreadyOwned { address });
        }
        if trace::is_on() {
            trace::handle_opened(queue.number(), address, destructor.name());
        }
        let (queue, destructor) = (queue.clone(), destructor.clone());
        Ok(Rc::new(Handle { queue, destructor, address, is_open: Cell::new(true), keeps: RefCell::new(keeps) }))
    }

    /// Calls a destructor. Returns its result, or 0 if it has none.
    pub(crate) fn destroy(&self, destructor: &Destructor, address: u64) -> Result<u64, HeapError> {
        // A destructor is the library's own code, which may allocate and call the host: it can be interrupted.
        let called = self.island().call_address(&destructor.callee, address);
        Ok(called.map_err(|failure| failure.explain(self.island(), destructor.callee.func()))?)
    }
}
