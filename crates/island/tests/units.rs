//! Copies between arrays of 16-bit units and the host.

use crate::common::engine;
use tombolo_island::Island;
use tombolo_island::wasmtime::{ArrayRef, ArrayRefPre, ArrayType, FieldType, Mutability, Rooted, StorageType, Val};

/// An array of `length` zeros of `element`.
fn array(island: &Island, element: StorageType, length: u32) -> Rooted<ArrayRef> {
    let ty = ArrayType::new(island.engine().wasmtime(), FieldType::new(Mutability::Var, element));
    island.enter(|mut store| {
        let pre = ArrayRefPre::new(&mut store, ty);
        ArrayRef::new(&mut store, &pre, &Val::I32(0), length).unwrap()
    })
}

fn element(island: &Island, array: Rooted<ArrayRef>, at: u32) -> i32 {
    island.enter(|store| array.get(store, at)).unwrap().unwrap_i32()
}

#[test]
fn what_is_written_is_read_across_pages() {
    let island = Island::new(&engine());
    let it = array(&island, StorageType::I16, 100_000);
    let units: Vec<u16> = (0..70_000u32).map(|at| (at * 7) as u16).collect();
    island.write_units(it, 5, units.iter().copied()).unwrap();
    assert_eq!(element(&island, it, 4), 0);
    assert_eq!(element(&island, it, 5 + 32_767), i32::from(units[32_767]));
    assert_eq!(element(&island, it, 5 + 32_768), i32::from(units[32_768]));
    assert_eq!(element(&island, it, 5 + 69_999), i32::from(units[69_999]));
    assert_eq!(element(&island, it, 5 + 70_000), 0);
    assert!(island.read_units(it, 5, 70_000).unwrap() == units);
    assert_eq!(island.read_units(it, 32_770, 3).unwrap(), units[32_765..32_768]);
    assert!(island.read_units(it, 100_000, 0).unwrap().is_empty());
    island.write_units(it, 100_000, []).unwrap();
}

#[test]
fn ranges_and_types_are_checked() {
    let island = Island::new(&engine());
    let it = array(&island, StorageType::I16, 10);
    assert!(island.read_units(it, 8, 3).is_err());
    assert!(island.write_units(it, 10, [1]).is_err());
    let other = array(&island, StorageType::I8, 10);
    assert!(island.read_units(other, 0, 1).is_err());
    assert!(island.write_units(other, 0, [1]).is_err());
    assert_eq!(island.read_units(it, 0, 10).unwrap(), [0; 10]);
}
