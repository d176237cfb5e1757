//! Copies between a guest's arrays of 16-bit units and the host. Wasmtime's own access looks up an element's type each
//! time; a small guest copies a whole page of elements in the time of two such accesses.

use wasmtime::{ArrayRef, AsContextMut, Extern, Func, Instance, Memory, Rooted, StoreContextMut, Val};

use crate::call::island::{Island, StoreState};

/// The guest: `read` copies `count` elements (at least one) of an array, from `at` on, to its page; `write` copies them
/// back.
const GUEST: &str = r#"(module
    (type $units (array (mut i16)))
    (memory (export "page") 1 1)
    (func (export "read") (param $array (ref null $units)) (param $at i32) (param $count i32)
        (local $byte i32)
        (loop $next
            (i32.store16 (local.get $byte) (array.get_u $units (local.get $array) (local.get $at)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (local.set $byte (i32.add (local.get $byte) (i32.const 2)))
            (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
    (func (export "write") (param $array (ref null $units)) (param $at i32) (param $count i32)
        (local $byte i32)
        (loop $next
            (array.set $units (local.get $array) (local.get $at) (i32.load16_u (local.get $byte)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (local.set $byte (i32.add (local.get $byte) (i32.const 2)))
            (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))))"#;

/// The number of elements that fit on the page.
const AT_ONCE: usize = 32_768;

/// The instance of [`GUEST`] in an island.
#[derive(Clone, Copy)]
struct UnitCopier {
    page: Memory,
    read: Func,
    write: Func,
}

impl UnitCopier {
    fn new(island: &Island) -> wasmtime::Result<Self> {
        let module = island.engine().own_module(GUEST)?;
        island.enter(|mut store| {
            let instance = Instance::new(&mut store, &module, &[])?;
            let mut export = |name| instance.get_export(&mut store, name).expect("as the text says");
            let [page, read, write] = ["page", "read", "write"].map(&mut export);
            let (Extern::Memory(page), Extern::Func(read), Extern::Func(write)) = (page, read, write) else {
                unreachable!("as the text says");
            };
            Ok(Self { page, read, write })
        })
    }

    fn of(island: &Island) -> wasmtime::Result<Self> {
        let known = |mut store: StoreContextMut<'_, StoreState>| *store.data_mut().extensions.slot::<Option<Self>>();
        if let Some(copier) = island.enter(known) {
            return Ok(copier);
        }
        let copier = Self::new(island)?;
        island.enter(|mut store| *store.data_mut().extensions.slot() = Some(copier));
        Ok(copier)
    }
}

fn run(
    store: &mut StoreContextMut<'_, StoreState>,
    copy: Func,
    array: Rooted<ArrayRef>,
    at: u32,
    count: usize,
) -> wasmtime::Result<()> {
    let params = [Val::AnyRef(Some(array.to_anyref())), Val::I32(at as i32), Val::I32(count as i32)];
    copy.call(store.as_context_mut(), &params, &mut [])
}

impl Island {
    /// Reads `count` elements of an array of mutable 16-bit integers, from `start` on.
    ///
    /// # Errors
    /// When the range is not inside the array, the array has another type, or memory runs out.
    pub fn read_units(&self, array: Rooted<ArrayRef>, start: u32, count: u32) -> wasmtime::Result<Vec<u16>> {
        let copier = UnitCopier::of(self)?;
        let mut units = Vec::new();
        // The guest chooses this number.
        units
            .try_reserve_exact(count as usize)
            .map_err(|_| wasmtime::Error::msg(format!("no memory for {count} units")))?;
        self.enter(|mut store| {
            while units.len() < count as usize {
                let part = AT_ONCE.min(count as usize - units.len());
                run(&mut store, copier.read, array, start + units.len() as u32, part)?;
                let bytes = &copier.page.data(&store)[..part * 2];
                units.extend(bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])));
            }
            Ok(units)
        })
    }

    /// Writes elements of an array of mutable 16-bit integers, from `start` on.
    ///
    /// # Errors
    /// When the range is not inside the array (some elements may have been written by then), or the array has another
    /// type.
    pub fn write_units(
        &self,
        array: Rooted<ArrayRef>,
        start: u32,
        units: impl IntoIterator<Item = u16>,
    ) -> wasmtime::Result<()> {
        let copier = UnitCopier::of(self)?;
        let (mut units, mut at) = (units.into_iter(), start);
        self.enter(|mut store| {
            loop {
                let page = copier.page.data_mut(&mut store).chunks_exact_mut(2).take(AT_ONCE);
                // The page comes first in the zip: a unit must not be taken unless there is a place for it.
                let part = page.zip(&mut units).map(|(pair, unit)| pair.copy_from_slice(&unit.to_le_bytes())).count();
                if part == 0 {
                    return Ok(());
                }
                run(&mut store, copier.write, array, at, part)?;
                at += part as u32;
            }
        })
    }
}
