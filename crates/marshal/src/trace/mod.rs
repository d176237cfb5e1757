//! Seeing guest memory: which line made which blocks, and how a heap grew.
//!
//! Nothing is recorded until [`start`]; the hot paths ask [`is_on`], one relaxed load, and do nothing else. While it is
//! on, every block is entered in one book of the process under the place that made it. The layer above knows where that
//! is: it gives each of its threads a [locator](locate_with), which tells the frames of the program that is running.
//!
//! Who owns what on which thread: the book is behind one lock, which any thread takes for one entry at a time. Nothing
//! foreign is called under it: a locator has answered before. The book holds weak references to memories, so that it
//! keeps none alive and takes no new memory for an old one.
//!
//! ```
//! use marshal::trace::{self, Frame};
//! # use marshal::island::{Engine, EngineOptions, Module};
//! # use marshal::{Guest, View};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let wasm = wat::parse_str(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/guest.wat")))?;
//! # let engine = Engine::new(&EngineOptions::default())?;
//! # let module = Module::new(&engine, &wasm)?;
//! # let guest = Guest::builder(&engine).import("host", "hook", |_: i32| ()).instantiate(&module)?;
//! # let multiply = guest.function::<(&[f64], &[f64], i32), View<[f64]>>("multiply")?.with_len(|(a, ..)| a.len());
//! trace::start();
//! // A host without a script tells by itself what it is doing.
//! let _locating = trace::locate_with(|| vec![Frame::new("load", "host.rs", 12, 5)]);
//! let product = multiply.call((&[1.0, 2.0, 3.0], &[10.0, 20.0, 30.0], 3))?;
//!
//! let snapshot = trace::snapshot().expect("it was started");
//! assert_eq!((snapshot.held.blocks, snapshot.held.bytes), (1, 24));
//! assert!(snapshot.to_text().contains("host.rs:12:5"));
//! # drop(product);
//! # Ok(())
//! # }
//! ```

mod book;
mod chart;
mod format;
mod history;
mod html;
mod snapshot;
mod text;

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};

use data_block::DataBlock;

use book::{Book, Key};
pub use history::Sample;
pub use snapshot::{Amount, Handles, Line, MemoryLine, Peak, PeakShare, Snapshot, Stack};

static ON: AtomicBool = AtomicBool::new(false);
static BOOK: Mutex<Option<Box<Book>>> = Mutex::new(None);

/// A line of a program.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Frame {
    /// The file's name, as the program's engine has it.
    pub file: Box<str>,
    /// From 1; 0 if there is no line.
    pub line: u32,
    /// From 1.
    pub column: u32,
    /// The function's name; may be empty.
    pub function: Box<str>,
}

impl Frame {
    /// A line of `function` in `file`.
    pub fn new(function: &str, file: &str, line: u32, column: u32) -> Self {
        Self { file: file.into(), line, column, function: function.into() }
    }
}

/// How many frames of a place are kept.
pub const DEPTH: usize = 4;

/// Forgets what was recorded, and records from now on. Blocks that exist already are not known to the trace.
pub fn start() {
    *book() = Some(Box::new(Book::new()));
    ON.store(true, Relaxed);
}

/// Records no more. What was recorded stays as it is, for [`snapshot`].
pub fn stop() {
    let mut book = book();
    ON.store(false, Relaxed);
    if let Some(book) = &mut *book {
        book.end();
    }
}

/// Whether blocks are recorded now.
#[inline]
pub fn is_on() -> bool {
    ON.load(Relaxed)
}

/// What was recorded since [`start`]; `None` if it was never called.
pub fn snapshot() -> Option<Snapshot> {
    book().as_mut().map(|book| Snapshot::of(book))
}

fn book() -> MutexGuard<'static, Option<Box<Book>>> {
    BOOK.lock().unwrap_or_else(|e| e.into_inner())
}

/// Tells where this thread's program is: its frames, innermost first, or none while it is not running.
type Locate = Rc<dyn Fn() -> Vec<Frame>>;

thread_local! {
    static LOCATORS: RefCell<Vec<(u64, Locate)>> = const { RefCell::new(Vec::new()) };
    static NEXT_LOCATOR: Cell<u64> = const { Cell::new(0) };
    static AGENT: RefCell<Option<Arc<str>>> = const { RefCell::new(None) };
}

/// Has this thread's blocks recorded under what `locate` tells, until the result is dropped. If there are several
/// locators, the newest that tells anything counts. A locator must not touch the guest's heap.
pub fn locate_with(locate: impl Fn() -> Vec<Frame> + 'static) -> Locating {
    let number = NEXT_LOCATOR.get();
    NEXT_LOCATOR.set(number + 1);
    LOCATORS.with_borrow_mut(|locators| locators.push((number, Rc::new(locate))));
    Locating { number, _thread: PhantomData }
}

/// A locator in use; see [`locate_with`].
#[derive(Debug)]
#[must_use = "the locator is taken away when this is dropped"]
pub struct Locating {
    number: u64,
    /// It stays on its thread.
    _thread: PhantomData<*const ()>,
}

impl Drop for Locating {
    fn drop(&mut self) {
        // A thread that is ending may have no locators any more. What is removed is dropped after the borrow.
        let removed = LOCATORS.try_with(|locators| {
            let mut locators = locators.borrow_mut();
            let at = locators.iter().position(|(number, _)| *number == self.number);
            at.map(|at| locators.remove(at))
        });
        drop(removed);
    }
}

/// Names the agent of this thread's blocks. By default it has the thread's name.
pub fn name_agent(name: &str) {
    AGENT.set(Some(name.into()));
}

fn agent() -> Arc<str> {
    let named = AGENT.try_with(|agent| {
        let mut agent = agent.borrow_mut();
        let agent = agent.get_or_insert_with(|| std::thread::current().name().unwrap_or("unnamed").into());
        Arc::clone(agent)
    });
    named.unwrap_or_else(|_| "unnamed".into())
}

/// Where this thread is: its agent and frames.
fn place() -> Key {
    let locators: Vec<_> = LOCATORS
        .try_with(|locators| locators.borrow().iter().rev().map(|(_, locate)| locate.clone()).collect())
        .unwrap_or_default();
    let mut frames = locators.iter().map(|locate| locate()).find(|frames| !frames.is_empty()).unwrap_or_default();
    frames.truncate(DEPTH);
    Key { agent: agent(), frames: frames.into() }
}

/// Enters something in the book, if it is open.
fn enter(entry: impl FnOnce(&mut Book)) {
    // The book may have been closed since the caller asked.
    if let Some(book) = book().as_mut().filter(|_| is_on()) {
        entry(book);
    }
}

/// A heap was made in a memory.
#[cold]
pub(crate) fn heap_made(data: &Arc<DataBlock>, is_shared: bool) {
    let place = place();
    enter(|book| book.heap_made(data, is_shared, place));
}

/// The host allocated a block, for a call or for any other purpose.
#[cold]
pub(crate) fn allocated(data: &Arc<DataBlock>, address: u64, bytes: u64) {
    let place = place();
    enter(|book| book.allocated(data, address, bytes, place));
}

/// The host freed a block that no handle owned.
#[cold]
pub(crate) fn freed(data: &Arc<DataBlock>, address: u64) {
    enter(|book| book.freed(data, address));
}

/// A handle owns the block from now on.
#[cold]
pub(crate) fn owned(data: &Arc<DataBlock>, address: u64, bytes: u64) {
    // A block that was allocated a moment ago was located then.
    let mut is_known = false;
    enter(|book| is_known = book.own_allocated(data, address, bytes));
    if !is_known {
        let place = place();
        enter(|book| book.owned(data, address, bytes, place));
    }
}

/// The block's last handle is gone.
#[cold]
pub(crate) fn dropped(data: &Arc<DataBlock>, address: u64) {
    enter(|book| book.dropped(data, address));
}

/// The block goes back to its guest now.
#[cold]
pub(crate) fn disowned(data: &Arc<DataBlock>, address: u64) {
    enter(|book| book.disowned(data, address));
}

/// These blocks will never be freed: what could free them is gone.
#[cold]
pub(crate) fn gone(data: &Arc<DataBlock>, addresses: impl Iterator<Item = u64>) {
    enter(|book| book.gone(data, addresses));
}

/// A handle was made of an opaque pointer. `queue` is where its heap's handles wait.
#[cold]
pub(crate) fn handle_opened(queue: usize, address: u64, destructor: &str) {
    let place = place();
    enter(|book| book.handle_opened((queue, address), destructor, place));
}

/// Nothing refers to the handle any more.
#[cold]
pub(crate) fn handle_dropped(queue: usize, address: u64) {
    enter(|book| book.handle_dropped((queue, address)));
}

/// The handle was closed or given away.
#[cold]
pub(crate) fn handle_closed(queue: usize, address: u64) {
    enter(|book| book.handle_closed((queue, address)));
}
