//! Comparing and finding bytes.

use std::cmp::Ordering;

use memchr::memmem;
use qjs::access;
use rquickjs::{Ctx, Object, Value};

use crate::internal::def;

pub(super) fn define<'js>(native: &Object<'js>) -> rquickjs::Result<()> {
    def(
        native,
        "compare",
        |ctx: Ctx<'js>, one: Value<'js>, from: usize, to: usize, two: Value<'js>, start: usize, end: usize| {
            access::read_both(&ctx, (&one, from..to), (&two, start..end), |one, two| match one.cmp(two) {
                Ordering::Less => -1,
                Ordering::Equal => 0,
                Ordering::Greater => 1,
            })
        },
    )?;
    def(
        native,
        "find",
        |ctx: Ctx<'js>, view: Value<'js>, needle: Value<'js>, at: usize, step: usize, is_forward: bool| {
            access::read_both(&ctx, (&view, 0..usize::MAX), (&needle, 0..usize::MAX), move |bytes, needle| {
                find(bytes, needle, at, step.max(1), is_forward).map_or(-1, |found| found as i64)
            })
        },
    )?;
    Ok(())
}

/// Where `needle` begins at or after `at` or, backwards, at or before it; at multiples of `step` only.
fn find(bytes: &[u8], needle: &[u8], at: usize, step: usize, is_forward: bool) -> Option<usize> {
    let last = bytes.len().checked_sub(needle.len())?;
    if is_forward {
        let mut from = at;
        while from <= last {
            let found = from + memmem::find(&bytes[from..], needle)?;
            if found.is_multiple_of(step) {
                return Some(found);
            }
            from = found + 1;
        }
        return None;
    }
    let mut to = at.min(last) + needle.len();
    loop {
        let found = memmem::rfind(&bytes[..to], needle)?;
        if found % step == 0 {
            return Some(found);
        }
        to = (found + needle.len()).checked_sub(1)?;
    }
}
