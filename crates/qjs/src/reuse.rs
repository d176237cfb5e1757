//! Typed arrays over foreign memory that are used again. To make one, its buffer and what they own, and to free all of
//! that, takes as long as ten calls of a native function, and a program that gets views of the guest's memory lets go
//! of most of them at once. A [`Spare`] keeps one such array. Once nobody else has it, and nobody could tell it from a
//! new one, it can be handed out again.

use std::marker::PhantomData;
use std::ptr::NonNull;

use rquickjs::qjs as q;

use crate::buffer::{Contents, ElementKind, raw_array};
use crate::held::Held;
use crate::layout::Pristine;
use crate::mark::{Mark, Marker};
use crate::value::{Borrowed, Cx, Returned};

/// An array that [`array`] made, with one more reference.
pub struct Spare<O> {
    array: Held,
    pristine: Pristine,
    _owner: PhantomData<O>,
}

// SAFETY: it owns one reference, which it gives up when it is dropped. What the owner holds goes with the buffer.
unsafe impl<O> Mark for Spare<O> {
    fn mark(&self, marker: &Marker) {
        self.array.mark(marker);
    }
}

/// Who has a spare array.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Use {
    /// A script, or something else.
    Others,
    /// Nobody, and it is as good as new.
    Nobody,
    /// Nobody, but something remembers it: it has properties, say, or its buffer is used or detached.
    Changed,
}

/// [`foreign_array`](crate::buffer::foreign_array), with a spare of it if arrays can be used again.
///
/// # Errors
/// As [`foreign_array`](crate::buffer::foreign_array).
///
/// # Safety
/// As [`foreign_array`](crate::buffer::foreign_array).
pub unsafe fn array<O: 'static>(
    cx: Cx<'_>,
    base: NonNull<u8>,
    len: usize,
    owner: O,
    kind: ElementKind,
) -> rquickjs::Result<(Returned, Option<Spare<O>>)> {
    // SAFETY: by the caller's promise. The array is new.
    unsafe {
        let array = raw_array(cx, base, len, owner, kind)?;
        let spare = Pristine::of(cx, array).map(|pristine| Spare {
            array: Held::borrowed(cx, Borrowed::from_raw(array)),
            pristine,
            _owner: PhantomData,
        });
        Ok((Returned(array), spare))
    }
}

impl<O: 'static> Spare<O> {
    /// Who has the array now.
    #[inline]
    pub fn used_by(&self) -> Use {
        // SAFETY: this owns a reference to the array.
        unsafe {
            match self.pristine.references() {
                1 if self.pristine.is_unchanged() => Use::Nobody,
                1 => Use::Changed,
                _ => Use::Others,
            }
        }
    }

    /// Takes the owner of the array's buffer if nobody has the array, and puts `owner` in its place.
    ///
    /// # Errors
    /// Who has the array, if that is not [`Use::Nobody`]. `owner` is dropped then.
    #[inline]
    pub fn take_owner(&self, owner: O) -> Result<O, Use> {
        match self.used_by() {
            // SAFETY: nobody has the array, and its buffer is as it was made.
            Use::Nobody => Ok(unsafe { self.put_owner(owner) }),
            others => Err(others),
        }
    }

    /// # Safety
    /// The array is [`Use::Nobody`]'s.
    #[inline]
    unsafe fn put_owner(&self, owner: O) -> O {
        // SAFETY: the buffer is not detached and has the contents that `raw_array` gave it, for an owner of this type.
        // Nothing refers to them now: QuickJS does so only while it calls the buffer's hook.
        let contents = unsafe { &mut *self.pristine.contents().cast::<Contents<O>>() };
        std::mem::replace(&mut contents.owner, owner)
    }

    /// The array, for a script, with another owner of its bytes.
    ///
    /// # Safety
    /// The array was not handed out since [`Spare::take_owner`] returned its last owner. The new owner must keep the
    /// bytes that the array was made with, as for a new one.
    #[inline]
    pub unsafe fn hand_out(&self, cx: Cx<'_>, owner: O) -> Returned {
        // SAFETY: the caller's promise; this owns a reference, so it can be duplicated.
        unsafe {
            drop(self.put_owner(owner));
            Returned(q::JS_DupValue(cx.raw(), self.array.raw()))
        }
    }
}
