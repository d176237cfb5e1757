//! Timers: a heap ordered by deadline, then by the order in which they were set.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    time::Instant,
};

use crate::LocalTask;

/// Names one timer of one agent; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimerId(pub u64);

struct Entry {
    task: LocalTask,
    refed: bool,
}

/// The timers of an agent. A cancelled timer leaves a stale heap entry behind, which is skipped when it surfaces.
#[derive(Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, TimerId)>>,
    live: HashMap<TimerId, Entry>,
    refed: usize,
    last: u64,
}

impl Timers {
    pub(crate) fn set(&mut self, deadline: Instant, refed: bool, task: LocalTask) -> TimerId {
        self.last += 1;
        let id = TimerId(self.last);
        self.heap.push(Reverse((deadline, id)));
        self.live.insert(id, Entry { task, refed });
        self.refed += usize::from(refed);
        id
    }

    /// The cancelled task, for the caller to drop when nothing of the loop is borrowed.
    pub(crate) fn clear(&mut self, id: TimerId) -> Option<LocalTask> {
        let entry = self.live.remove(&id)?;
        self.refed -= usize::from(entry.refed);
        if self.heap.len() > 2 * self.live.len() + 64 {
            let live = &self.live;
            self.heap.retain(|Reverse((_, id))| live.contains_key(id));
        }
        Some(entry.task)
    }

    pub(crate) fn set_ref(&mut self, id: TimerId, refed: bool) {
        if let Some(entry) = self.live.get_mut(&id)
            && entry.refed != refed
        {
            entry.refed = refed;
            if refed {
                self.refed += 1;
            } else {
                self.refed -= 1;
            }
        }
    }

    pub(crate) fn has_ref(&self) -> bool {
        self.refed > 0
    }

    /// When the next timer that was not cancelled is due.
    pub(crate) fn next_deadline(&mut self) -> Option<Instant> {
        while let Some(Reverse((deadline, id))) = self.heap.peek() {
            if self.live.contains_key(id) {
                return Some(*deadline);
            }
            self.heap.pop();
        }
        None
    }

    /// Takes the first timer whose deadline is not after `now`.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<LocalTask> {
        if self.next_deadline()? > now {
            return None;
        }
        let Reverse((_, id)) = self.heap.pop()?;
        let entry = self.live.remove(&id)?;
        self.refed -= usize::from(entry.refed);
        Some(entry.task)
    }

    pub(crate) fn take_all(&mut self) -> Vec<LocalTask> {
        self.heap.clear();
        self.refed = 0;
        self.live.drain().map(|(_, entry)| entry.task).collect()
    }
}
