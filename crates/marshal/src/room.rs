//! Room in the guest for what one call is given: copies of arrays and strings.
//!
//! It is a block that is freed after the call. A heap that has had many such blocks keeps one, which calls take turns
//! with, and calls that nest share: to get a small block from a guest and to give it back takes longer than everything
//! else about a call. The heap gives it back when the thread has nothing else to do ([`Heap::settle`]).

use std::cell::Cell;
use std::ptr::NonNull;

use crate::error::HeapError;
use crate::heap::Heap;
use crate::trace;

/// How many blocks a heap must have had before it keeps one: a program that counts a guest's blocks, as tests do, hardly
/// makes so many calls.
const MANY: u32 = 4096;

/// How many bytes the block that is kept has.
const KEPT: u64 = 512;

/// The block that a heap keeps.
pub(crate) struct KeptRoom {
    /// How many rooms there ever were, up to [`MANY`].
    rooms: Cell<u32>,
    /// The block; 0 if there is none.
    address: Cell<u64>,
    /// Its first byte on the host.
    start: Cell<NonNull<u8>>,
    /// How many of its bytes are in use, from its beginning.
    used: Cell<u64>,
    /// How many rooms are in it.
    shared_by: Cell<u32>,
}

impl Default for KeptRoom {
    fn default() -> Self {
        let (rooms, address, used, shared_by) = Default::default();
        Self { rooms, address, start: Cell::new(NonNull::dangling()), used, shared_by }
    }
}

impl KeptRoom {
    /// The block, if nobody uses it. It is no longer kept then.
    pub(crate) fn take(&self) -> Option<u64> {
        (self.address.get() != 0 && self.shared_by.get() == 0).then(|| self.address.take())
    }
}

/// Room for a call, until it is given back.
#[must_use]
#[derive(Debug)]
pub struct Room {
    address: u64,
    start: NonNull<u8>,
    bytes: u64,
    kind: Kind,
}

/// Whose block a room is in. (As large as a word, so that a room is moved by words.)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
enum Kind {
    /// The call's.
    Own,
    /// The heap's, which keeps it.
    Kept,
}

impl Room {
    /// No room, for calls that need none. It is not given back.
    #[inline]
    pub fn none() -> Self {
        Self { address: 0, start: NonNull::dangling(), bytes: 0, kind: Kind::Own }
    }

    /// Where it is.
    #[inline]
    pub fn address(&self) -> u64 {
        self.address
    }

    /// Its first byte on the host. As many bytes as it has follow, for as long as the heap lives.
    #[inline]
    pub fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// How many bytes it has.
    #[inline]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether `address` is in it.
    #[inline]
    pub fn contains(&self, address: u64) -> bool {
        address.wrapping_sub(self.address) < self.bytes
    }
}

impl Heap {
    /// Room of `bytes` bytes, aligned as a block is. The memory must not be shared.
    ///
    /// # Errors
    /// As [`Heap::allocate`].
    #[inline]
    pub fn room(&self, bytes: u64) -> Result<Room, HeapError> {
        self.kept_room(bytes).map_or_else(|| self.new_room(bytes), Ok)
    }

    /// Room in the block that is kept; `None` if none is, or it has too little.
    #[inline]
    pub fn kept_room(&self, bytes: u64) -> Option<Room> {
        let kept = self.kept();
        let (address, used) = (kept.address.get(), kept.used.get());
        // There are never more in use than `KEPT`.
        if address != 0 && bytes <= KEPT - used && !trace::is_on() {
            let start = NonNull::new(kept.start.get().as_ptr().wrapping_add(used as usize)).expect("inside of a block");
            kept.used.set((used + bytes).next_multiple_of(8));
            kept.shared_by.set(kept.shared_by.get() + 1);
            return Some(Room { address: address + used, start, bytes, kind: Kind::Kept });
        }
        None
    }

    #[cold]
    fn new_room(&self, bytes: u64) -> Result<Room, HeapError> {
        let kept = self.kept();
        kept.rooms.set((kept.rooms.get() + 1).min(MANY));
        let keeps = kept.rooms.get() == MANY && kept.address.get() == 0 && bytes <= KEPT;
        if keeps
            && self.is_guests()
            && !trace::is_on()
            && let Ok(address) = self.allocate(KEPT)
        {
            let start = self.data().range(address, KEPT)?;
            // (A guest's allocator may call its host, which may call the guest.)
            if kept.address.get() == 0 {
                kept.address.set(address);
                kept.start.set(start);
                kept.used.set(bytes.next_multiple_of(8));
                kept.shared_by.set(1);
                return Ok(Room { address, start, bytes, kind: Kind::Kept });
            }
            return Ok(Room { address, start, bytes: KEPT, kind: Kind::Own });
        }
        let address = self.allocate(bytes)?;
        let start = self.data().range(address, bytes)?;
        Ok(Room { address, start, bytes, kind: Kind::Own })
    }

    /// Gives room back.
    ///
    /// # Errors
    /// As [`Heap::give_back`].
    #[inline]
    pub fn give_room_back(&self, room: Room) -> Result<(), HeapError> {
        if room.kind == Kind::Own {
            return self.give_block_back(room);
        }
        let kept = self.kept();
        let shared_by = kept.shared_by.get() - 1;
        kept.shared_by.set(shared_by);
        // Calls that nest end in turn. If they do not, all must have ended before the room is used again.
        let start = room.address.wrapping_sub(kept.address.get());
        if shared_by == 0 {
            kept.used.set(0);
        } else if kept.used.get() == (start + room.bytes).next_multiple_of(8) {
            kept.used.set(start);
        }
        if cfg!(debug_assertions) {
            // What a guest goes on using without having been given it shows.
            let _ = self.data().fill(room.address, room.bytes, 0xdd);
        }
        Ok(())
    }

    #[cold]
    fn give_block_back(&self, room: Room) -> Result<(), HeapError> {
        self.give_back_sized(room.address, room.bytes, 8)
    }

    /// Whether the room is a block that can be somebody else's once the call has ended.
    pub fn is_block(&self, room: &Room) -> bool {
        room.kind == Kind::Own || (room.address == self.kept().address.get() && self.kept().shared_by.get() == 1)
    }

    /// Leaves the room to whoever has it now as a block ([`Heap::is_block`]).
    pub fn leave_room(&self, room: Room) {
        if room.kind == Kind::Kept {
            let kept = self.kept();
            kept.address.set(0);
            kept.used.set(0);
            kept.shared_by.set(0);
        }
    }

    /// Whether [`Heap::settle`] has nothing to do.
    pub fn is_settled(&self) -> bool {
        self.waiting() == 0 && self.kept().address.get() == 0
    }

    /// [`Heap::drain`], after giving back what is kept for the next call.
    ///
    /// # Errors
    /// As [`Heap::drain`].
    pub fn settle(&self) -> Result<(), HeapError> {
        if let Some(address) = self.kept().take() {
            match self.free_sized(address, KEPT, 8) {
                Err(HeapError::Busy) => self.kept().address.set(address),
                done => done?,
            }
        }
        self.drain()
    }
}

impl Drop for Heap {
    /// Whoever else frees in the memory frees what is kept.
    fn drop(&mut self) {
        if let Some(address) = self.kept().take() {
            drop(self.adopt(address, KEPT));
        }
    }
}
