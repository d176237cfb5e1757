//! The bytes of `ArrayBuffer`s that move between agents. They come from the C allocator, so that QuickJS can resize
//! them and either side can free them. A thread remembers which of its buffers have such bytes, to move them on without
//! a copy.

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr::NonNull;

use rquickjs::{Ctx, Object, qjs as q};
use rustc_hash::FxHashSet;

use crate::buffer::{array_buffer_bytes, detach};
use crate::value::{Borrowed, Cx};

thread_local! {
    /// Where such bytes of this thread's buffers begin.
    static MINE: RefCell<FxHashSet<usize>> = RefCell::default();
}

/// Bytes without a buffer, on any thread.
#[derive(Debug)]
pub struct MovedBytes {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the bytes are this value's own.
unsafe impl Send for MovedBytes {}
// SAFETY: a shared reference only lets them be copied.
unsafe impl Sync for MovedBytes {}

impl MovedBytes {
    /// A copy of the bytes of an attached `ArrayBuffer` or `SharedArrayBuffer`; `None` for anything else, and if there
    /// is no memory.
    pub fn copy(ctx: &Ctx<'_>, buffer: Borrowed<'_>) -> Option<Self> {
        let bytes = array_buffer_bytes(Cx::of(ctx), buffer)?;
        let copy = Self::allocate(bytes.len)?;
        // SAFETY: nothing ran since the bytes were asked for; the copy has room for them and belongs to nobody else.
        unsafe { std::ptr::copy_nonoverlapping(bytes.start.as_ptr(), copy.start.as_ptr(), bytes.len) };
        Some(copy)
    }

    /// A copy of these bytes, or `None` if there is no memory for it.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let copy = Self::allocate(bytes.len())?;
        // SAFETY: the copy has room for them and belongs to nobody else.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), copy.start.as_ptr(), bytes.len()) };
        Some(copy)
    }

    fn allocate(len: usize) -> Option<Self> {
        // SAFETY: a plain allocation.
        let start = NonNull::new(unsafe { libc::malloc(len.max(1)) }.cast::<u8>())?;
        Some(Self { start, len })
    }

    /// Takes the bytes out of an `ArrayBuffer`, which is detached. They are copied if they are the engine's own or
    /// foreign. `None` for anything but an attached buffer, and if there is no memory.
    pub fn take<'js>(buffer: &Object<'js>) -> Option<Self> {
        let cx = Cx::of(buffer.ctx());
        let bytes = array_buffer_bytes(cx, Borrowed::of(buffer.as_value()))?;
        let is_mine = MINE.with_borrow_mut(|mine| mine.remove(&bytes.start.addr().get()));
        let moved = match is_mine {
            true => Self { start: bytes.start, len: bytes.len },
            false => Self::copy(buffer.ctx(), Borrowed::of(buffer.as_value()))?,
        };
        // The hook leaves bytes alone that the thread does not remember.
        detach(buffer);
        Some(moved)
    }

    /// A buffer over the bytes.
    ///
    /// # Errors
    /// A RangeError for more than a buffer can have, or when memory is out.
    pub fn into_buffer<'js>(self, ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
        let cx = Cx::of(ctx);
        let this = std::mem::ManuallyDrop::new(self);
        let (start, len) = (this.start, this.len);
        MINE.with_borrow_mut(|mine| mine.insert(start.addr().get()));
        // SAFETY: the bytes come from the C allocator, as the hook demands.
        let raw = unsafe {
            let opaque = std::ptr::null_mut();
            q::JS_NewArrayBuffer(cx.raw(), start.as_ptr(), len as _, 0, Some(reallocate), opaque, false)
        };
        match cx.take(raw) {
            Ok(buffer) => buffer.into_object().ok_or(rquickjs::Error::Unknown),
            Err(error) => {
                MINE.with_borrow_mut(|mine| mine.remove(&start.addr().get()));
                drop(std::mem::ManuallyDrop::into_inner(this));
                Err(error)
            }
        }
    }

    /// Copies the bytes to the beginning of an ArrayBuffer, as far as there is room.
    pub fn copy_to(&self, cx: Cx<'_>, buffer: Borrowed<'_>) {
        let Some(to) = array_buffer_bytes(cx, buffer) else { return };
        // SAFETY: both have as many bytes, and nothing runs meanwhile; these belong to nobody else.
        unsafe { std::ptr::copy_nonoverlapping(self.start.as_ptr(), to.start.as_ptr(), self.len.min(to.len)) };
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: nobody else has the bytes, and they were filled when they were allocated.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl Drop for MovedBytes {
    fn drop(&mut self) {
        // SAFETY: the bytes are this value's own.
        unsafe { libc::free(self.start.as_ptr().cast()) };
    }
}

/// QuickJS's one hook on a buffer's contents: a size of 0 ends them, any other resizes.
unsafe extern "C" fn reallocate(
    _runtime: *mut q::JSRuntime,
    _opaque: *mut c_void,
    start: *mut c_void,
    size: q::size_t,
) -> *mut c_void {
    // A thread drops its runtime before it ends.
    let is_mine = MINE.try_with(|mine| mine.borrow_mut().remove(&start.addr())).unwrap_or(false);
    if size == 0 {
        if is_mine {
            // SAFETY: the bytes are the C allocator's, and end here.
            unsafe { libc::free(start) };
        }
        return std::ptr::null_mut();
    }
    // SAFETY: as above; QuickJS goes on with what is returned, or with what it had.
    let moved = unsafe { libc::realloc(start, size as usize) };
    let kept = if moved.is_null() { start } else { moved };
    let _ = MINE.try_with(|mine| mine.borrow_mut().insert(kept.addr()));
    moved
}
