//! What a Rust value shows the cycle collector.

use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::ops::Deref;
use std::rc::Rc;

use rquickjs::qjs as q;

use crate::held::Held;

/// A type that holds JavaScript values, which it reports to the cycle collector.
///
/// Derive it: each field reports what it holds. Put `#[mark(skip)]` on a field that holds nothing; a variant or a whole
/// type can have it, too. Skipping too much is safe: the collector then believes that something outside keeps the
/// value, so a cycle through it is never collected.
///
/// QuickJS asks several times in one collection, and changes nothing that Rust sees in between. If a `RefCell` is
/// mutably borrowed when the collection begins, it is borrowed each time, and what it holds is left out.
///
/// # Safety
/// `mark` must report each [`Held`] that the value owns at most once, and none that another value reports or that is
/// not given up when the value is dropped. It must report the same ones whenever it is called during one collection. It
/// must change nothing, and must not panic.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not report the JavaScript values that it holds",
    note = "derive `qjs::Mark` for it; where it holds none, add `#[mark(skip)]` to the field"
)]
pub unsafe trait Mark {
    /// Reports the JavaScript values that this value owns.
    fn mark(&self, marker: &Marker);
}

/// Reports values to the cycle collector: what [`Mark::mark`] passes on.
pub struct Marker {
    pub(crate) runtime: *mut q::JSRuntime,
    pub(crate) mark: q::JS_MarkFunc,
}

// SAFETY: it owns its one reference, which it gives up when it is dropped.
unsafe impl Mark for Held {
    #[inline]
    fn mark(&self, marker: &Marker) {
        // SAFETY: the value is alive, since `self` owns a reference to it. Each implementation of `Mark` promises that
        // this happens once.
        unsafe { q::JS_MarkValue(marker.runtime, self.raw(), marker.mark) };
    }
}

/// Containers, each with an expression that yields every value in it once.
macro_rules! mark_contents {
    ($([$($parameters:tt)*] $container:ty, |$this:ident| $contents:expr;)*) => {$(
        // SAFETY: a container owns its contents and drops them with itself. Each is visited once, and they are the same
        // ones as long as nobody changes the container.
        unsafe impl<$($parameters)*> Mark for $container {
            #[inline]
            fn mark(&self, marker: &Marker) {
                let $this = self;
                IntoIterator::into_iter($contents).for_each(|content| content.mark(marker));
            }
        }
    )*};
}

mark_contents! {
    [T: Mark] Option<T>, |option| option;
    [T: Mark + ?Sized] Box<T>, |owner| [&**owner];
    [T: Mark] [T], |values| values;
    [T: Mark, const N: usize] [T; N], |values| values;
    [T: Mark] Vec<T>, |values| values;
    [T: Mark] VecDeque<T>, |values| values;
    [A: smallvec::Array<Item: Mark>] smallvec::SmallVec<A>, |values| values;
    [K, T: Mark, S] HashMap<K, T, S>, |map| map.values();
    [T: Mark] OnceCell<T>, |cell| cell.get();
    [T: Mark + ?Sized] RefCell<T>, |cell| cell.try_borrow();
}

/// An `Rc` whose value is reported by this owner, for as long as it is the only one. (While somebody else has the value,
/// that one uses what it holds, so the collector must not consider it given up.)
pub struct MarkedRc<T> {
    value: Rc<T>,
    /// Whether it is reported whoever else has it.
    always: bool,
}

impl<T> MarkedRc<T> {
    /// Has the value reported while nobody else has it.
    pub fn new(value: Rc<T>) -> Self {
        Self { value, always: false }
    }

    /// Has the value reported, whoever else has it.
    ///
    /// # Safety
    /// A value may have one `MarkedRc` at most, and its JavaScript values must not outlive that one: whoever else has
    /// the `Rc` must keep the object that has the `MarkedRc`, or the object must drop these values when it goes, or
    /// nobody else has the `Rc` by then. (When the collector finds that the object is garbage, it considers everything
    /// that was reported given up.)
    pub unsafe fn shared(value: Rc<T>) -> Self {
        Self { value, always: true }
    }
}

impl<T> Deref for MarkedRc<T> {
    type Target = Rc<T>;

    #[inline]
    fn deref(&self) -> &Rc<T> {
        &self.value
    }
}

// SAFETY: what the value holds goes with this owner, which is the only one or whose maker has promised it. Nobody else
// reports it: another `MarkedRc` would be another owner. Nobody becomes one, or ceases to be, during a collection.
unsafe impl<T: Mark> Mark for MarkedRc<T> {
    #[inline]
    fn mark(&self, marker: &Marker) {
        if self.always || Rc::strong_count(&self.value) == 1 {
            T::mark(&self.value, marker);
        }
    }
}
