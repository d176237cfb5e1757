//! Immediates: tasks for the last phase of the current turn of the loop.

use std::collections::BTreeMap;

use crate::LocalTask;

/// Names one immediate of one agent; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImmediateId(pub u64);

/// The immediates of an agent, in the order in which they were set.
#[derive(Default)]
pub(crate) struct Immediates {
    queue: BTreeMap<ImmediateId, (LocalTask, bool)>,
    refed: usize,
    last: u64,
}

impl Immediates {
    pub(crate) fn set(&mut self, task: LocalTask) -> ImmediateId {
        self.last += 1;
        let id = ImmediateId(self.last);
        self.queue.insert(id, (task, true));
        self.refed += 1;
        id
    }

    /// The cancelled task, for the caller to drop when nothing of the loop is borrowed.
    pub(crate) fn clear(&mut self, id: ImmediateId) -> Option<LocalTask> {
        let (task, refed) = self.queue.remove(&id)?;
        self.refed -= usize::from(refed);
        Some(task)
    }

    pub(crate) fn set_ref(&mut self, id: ImmediateId, refed: bool) {
        if let Some((_, was)) = self.queue.get_mut(&id)
            && *was != refed
        {
            *was = refed;
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

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// The newest immediate. A phase runs those up to it, so that one that is set meanwhile waits for the next turn.
    pub(crate) fn newest(&self) -> ImmediateId {
        ImmediateId(self.last)
    }

    /// Takes the oldest immediate that is not newer than `limit`.
    pub(crate) fn pop(&mut self, limit: ImmediateId) -> Option<LocalTask> {
        let first = self.queue.first_entry()?;
        if *first.key() > limit {
            return None;
        }
        let (task, refed) = first.remove();
        self.refed -= usize::from(refed);
        Some(task)
    }

    pub(crate) fn take_all(&mut self) -> Vec<LocalTask> {
        self.refed = 0;
        std::mem::take(&mut self.queue).into_values().map(|(task, _)| task).collect()
    }
}
