//! Finds the annotations that stand beside something. Each is claimed once; one that nobody claims is an error.

use std::ops::Range;

use crate::annotations::unclaimed;
use crate::error::Checked;
use crate::tokens::Note;

/// The annotations of the source, in its order.
pub(crate) struct Notes<'s> {
    notes: Vec<Note<'s>>,
    claimed: Vec<bool>,
}

impl<'s> Notes<'s> {
    /// All of `notes`, which nobody has claimed.
    pub(crate) fn new(notes: Vec<Note<'s>>) -> Self {
        Self { claimed: vec![false; notes.len()], notes }
    }

    /// Claims the annotations right before the token of this index, and adds them to `claimed`.
    pub(crate) fn claim_before(&mut self, token: usize, claimed: &mut Vec<usize>) {
        for index in self.range(token..token + 1) {
            if !std::mem::replace(&mut self.claimed[index], true) {
                claimed.push(index);
            }
        }
    }

    /// Claims the annotations right behind the token of this index, and adds them to `claimed`.
    pub(crate) fn claim_behind(&mut self, token: usize, claimed: &mut Vec<usize>) {
        self.claim_before(token + 1, claimed);
    }

    /// One annotation.
    pub(crate) fn get(&self, index: usize) -> &Note<'s> {
        &self.notes[index]
    }

    /// Claims all annotations between these tokens, for nothing.
    pub(crate) fn claim_within(&mut self, tokens: Range<usize>) {
        let range = self.range(tokens.start + 1..tokens.end);
        self.claimed[range].fill(true);
    }

    /// What the annotations between these tokens say, and where among them.
    pub(crate) fn within(&self, tokens: Range<usize>) -> Vec<(usize, Vec<&'s str>)> {
        let start = tokens.start;
        self.notes[self.range(start + 1..tokens.end)].iter().map(|note| (note.next - start, words(note))).collect()
    }

    /// Refuses the annotations before these tokens that nobody has claimed.
    pub(crate) fn finish(&self, tokens: Range<usize>) -> Checked<()> {
        let range = self.range(tokens);
        match range.into_iter().find(|index| !self.claimed[*index] && !self.notes[*index].is_attribute) {
            Some(index) => Err(unclaimed(&self.notes[index])),
            None => Ok(()),
        }
    }

    /// The annotations whose next token is one of these.
    fn range(&self, tokens: Range<usize>) -> Range<usize> {
        let from = self.notes.partition_point(|note| note.next < tokens.start);
        from..self.notes.partition_point(|note| note.next < tokens.end).max(from)
    }
}

/// An annotation as text.
fn words<'s>(note: &Note<'s>) -> Vec<&'s str> {
    note.tokens.iter().map(|token| token.text).collect()
}
