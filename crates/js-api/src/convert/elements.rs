//! The elements of a table that is in no island yet: runs of one value, as the constructor and `grow` make them, and
//! those that were set one by one. A table of millions costs as much as one of ten.

use qjs::Mark;
use rustc_hash::FxHashMap;

use crate::convert::values::HostValue;

/// What an unbound table holds.
#[derive(Mark)]
pub(crate) struct Elements {
    runs: Vec<Run>,
    /// By index.
    set: FxHashMap<u64, HostValue>,
}

/// Elements of one value, one after another.
#[derive(Mark)]
struct Run {
    #[mark(skip)]
    end: u64,
    value: HostValue,
}

impl Elements {
    /// `count` times one value.
    pub(crate) fn new(count: u64, value: HostValue) -> Self {
        let mut this = Self { runs: Vec::new(), set: FxHashMap::default() };
        this.extend(count, value);
        this
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        self.runs.last().map_or(0, |run| run.end)
    }

    /// The element at `index`.
    pub(crate) fn get(&self, index: u64) -> Option<&HostValue> {
        let run = self.runs.partition_point(|run| run.end <= index);
        let run = self.runs.get(run)?;
        Some(self.set.get(&index).unwrap_or(&run.value))
    }

    /// Sets the element at `index`, which must exist. Returns what is to be dropped, which may run finalizers.
    pub(crate) fn set(&mut self, index: u64, value: HostValue) -> Option<HostValue> {
        debug_assert!(index < self.len());
        self.set.insert(index, value)
    }

    /// Adds `count` times `value` at the end.
    pub(crate) fn extend(&mut self, count: u64, value: HostValue) {
        if count > 0 {
            self.runs.push(Run { end: self.len() + count, value });
        }
    }

    /// The values, each at least once.
    pub(crate) fn values(&self) -> impl Iterator<Item = &HostValue> {
        self.runs.iter().map(|run| &run.value).chain(self.set.values())
    }

    /// Start, length and value of each run, and then of each element that was set since.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (u64, u64, &HostValue)> {
        let starts = std::iter::once(0).chain(self.runs.iter().map(|run| run.end));
        let runs = starts.zip(&self.runs).map(|(start, run)| (start, run.end - start, &run.value));
        runs.chain(self.set.iter().map(|(index, value)| (*index, 1, value)))
    }
}
