//! Typed handles: opaque pointers that a guest's library gives out, and takes back by a function of its own.

use std::marker::PhantomData;
use std::rc::Rc;

use island::NumberKind;

use crate::argument::{Argument, Call, Consumed, Nullable, Passing, Sealed, themselves};
use crate::error::{GuestError, HeapError};
use crate::guest::Core;
use crate::handle::Handle;
use crate::layout::Layouts;
use crate::output::Nothing;
use crate::transfer::{Binder, Reader, Writer};
use crate::value::{Marshal, Pointer};

/// Which handle it is, and what takes it back. The type is a name only: there are no values of it.
///
/// ```
/// enum Db {}
/// impl marshal::HandleType for Db {
///     const DESTRUCTOR: &'static str = "db_close";
/// }
/// ```
pub trait HandleType: 'static {
    /// The exported function that takes the pointer back. It may return a number.
    const DESTRUCTOR: &'static str;
}

/// An opaque pointer that the host owns. Its destructor is called at the first safe point after it is dropped, or at
/// the latest when its guest goes.
///
/// ```
/// # use marshal::island::{Engine, EngineOptions, Module};
/// use marshal::{Guest, HandleType, Opaque, Out, Status};
///
/// enum Db {}
/// impl HandleType for Db {
///     const DESTRUCTOR: &'static str = "db_close";
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let wasm = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../guests/typed.wasm"))?;
/// # let engine = Engine::new(&EngineOptions::default())?;
/// # let guest = Guest::new(&engine, &Module::new(&engine, &wasm)?)?;
/// // int db_open(const char *name, db **out); int db_add(db *db, int value); int db_close(db *db);
/// let open = guest.function::<(&str, Out<Opaque<Db>>), Status>("db_open")?;
/// let add = guest.function::<(&Opaque<Db>, i32), i32>("db_add")?;
/// let db = open.call(("numbers", ()))?;
/// assert_eq!(add.call((&db, 3))?, 3);
/// assert_eq!(add.call((&db, 4))?, 7);
/// assert_eq!(db.close()?, Some(7));
/// # Ok(())
/// # }
/// ```
///
/// Handles of different types do not mix:
///
/// ```compile_fail,E0308
/// # use marshal::{Function, HandleType, Opaque};
/// # enum Db {}
/// # impl HandleType for Db { const DESTRUCTOR: &'static str = "db_close"; }
/// # enum Cursor {}
/// # impl HandleType for Cursor { const DESTRUCTOR: &'static str = "cursor_close"; }
/// fn count(add: Function<(&Opaque<Db>, i32), i32>, cursor: &Opaque<Cursor>) {
///     add.call((cursor, 1)).unwrap();
/// }
/// ```
pub struct Opaque<T> {
    // Enters the queue before the guest goes, which empties the queue.
    handle: Rc<Handle>,
    core: Rc<Core>,
    kind: PhantomData<fn() -> T>,
}

impl<T> Opaque<T> {
    /// Where it points in the guest's memory.
    pub fn address(&self) -> u64 {
        self.handle.address()
    }

    /// Whether it was neither closed nor consumed.
    pub fn is_open(&self) -> bool {
        self.handle.is_open()
    }

    /// Calls its destructor now. Returns the destructor's result, with its sign; `None` if it has none, or was called
    /// before.
    ///
    /// # Errors
    /// As [`Handle::close`].
    ///
    /// # Panics
    /// When a callback that the destructor calls panics.
    pub fn close(&self) -> Result<Option<i64>, GuestError> {
        let returned = self.handle.close(self.core.heap()).map_err(|error| self.core.explain(error.into()))?;
        let is_narrow = self.handle.destructor().returns() == Some(NumberKind::I32);
        Ok(returned.map(|value| if is_narrow { i64::from(value as u32 as i32) } else { value as i64 }))
    }

    /// Keeps `other` open as long as this one lives, as a statement keeps its connection. Two that keep each other are
    /// never closed.
    pub fn keep<U>(&self, other: &Opaque<U>) {
        self.handle.keep(other.handle.clone());
    }
}

impl<T> std::fmt::Debug for Opaque<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = std::any::type_name::<T>();
        write!(f, "Opaque<{name}>({:#x}, {})", self.address(), if self.is_open() { "open" } else { "closed" })
    }
}

impl<T: HandleType> Pointer for Opaque<T> {}
impl<T: HandleType> Marshal for Opaque<T> {
    const LAYOUT: Layouts = Layouts::POINTER;
    const HEAP: bool = true;
    const IN_PLACE: bool = true;

    fn bind(binder: &mut Binder<'_>) -> Result<(), GuestError> {
        binder.core.destructor(T::DESTRUCTOR).map(drop)
    }

    fn store(&self, bytes: &mut [u8], to: &mut Writer<'_>) -> Result<(), GuestError> {
        let address = self.address();
        if !self.handle.is_of(to.heap()) {
            return Err(HeapError::NotOurs { address }.into());
        }
        if !self.is_open() {
            return Err(HeapError::Closed { address }.into());
        }
        to.address(address, bytes)
    }

    fn load(bytes: &[u8], from: &mut Reader<'_>) -> Result<Self, GuestError> {
        let address = from.pointed(bytes)?;
        if !from.owned {
            return Err(HeapError::Lent { address }.into());
        }
        let core = from.core.strong();
        let destructor = core.destructor(T::DESTRUCTOR)?;
        let handle = core.heap().handle(&destructor, address, Vec::new())?;
        Ok(Self { handle, core, kind: PhantomData })
    }

    fn update(&mut self, before: &[u8], now: &[u8], from: &mut Reader<'_>) -> Result<(), GuestError> {
        if before != now {
            *self = Self::load(now, from)?;
        }
        Ok(())
    }
}

impl<T: HandleType> Nullable for Consumed<Opaque<T>> {}
impl<T: HandleType> Passing for Consumed<Opaque<T>> {
    type Given<'a> = Opaque<T>;
    type Passed<'a> = ();
    type Out = Nothing;

    fn pass<'a>(given: Self::Given<'a>, call: &mut Call<'_>) -> Result<Self::Passed<'a>, GuestError> {
        call.consume_handle(&given.handle)
    }

    fn take(_: (), _: &mut Call<'_>) -> Result<Nothing, GuestError> {
        Ok(Nothing)
    }
}

themselves! {
    [T: HandleType] Consumed<Opaque<T>>;
}
