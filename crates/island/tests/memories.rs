//! Memories on data blocks: the blocks outlive their islands, grow in place, and may exist before their memory.

use std::sync::Arc;

use crate::common::{call, engine, instance};
use tombolo_island::wasmtime::{Memory, MemoryType};
use tombolo_island::{Island, has_grown, new_block, take_grown};

const PAGE: usize = 64 << 10;

const GROWS: &str = r#"(module
    (memory (export "memory") 1 40000)
    (data (i32.const 4) "sand")
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
    (func (export "store") (param i32) (i32.store8 (local.get 0) (i32.const 77))))"#;

fn memory(island: &Island, instance: tombolo_island::wasmtime::Instance) -> Memory {
    island.enter(|store| instance.get_memory(store, "memory")).unwrap()
}

#[test]
fn a_block_outlives_its_island() {
    let island = Island::new(&engine());
    let guest = instance(&island, GROWS, &[]);
    let block = island.block_of(memory(&island, guest)).unwrap();
    call(&island, guest, "store", &[100]).unwrap();
    let weak = std::rc::Rc::downgrade(&island);
    drop(island);
    assert!(weak.upgrade().is_none(), "the block holds no island");
    let mut bytes = [0; 4];
    block.read(4, &mut bytes).unwrap();
    assert_eq!(&bytes, b"sand");
    block.read(100, &mut bytes[..1]).unwrap();
    assert_eq!(bytes[0], 77);
    assert_eq!(Arc::strong_count(&block), 1, "nor does anything else hold it");
}

#[test]
fn growth_by_the_guest_is_seen_and_moves_nothing() {
    let island = Island::new(&engine());
    let guest = instance(&island, GROWS, &[]);
    let block = island.block_of(memory(&island, guest)).unwrap();
    let base = block.base();
    take_grown();
    assert!(!has_grown());
    assert_eq!(call(&island, guest, "grow", &[2]).unwrap(), Some(1));
    assert!(has_grown());
    assert_eq!(take_grown(), [base.as_ptr().addr()]);
    assert!(!has_grown() && take_grown().is_empty());
    assert_eq!((block.base(), block.len()), (base, 3 * PAGE));
    assert_eq!(call(&island, guest, "grow", &[40000]).unwrap(), Some(-1));
    assert!(!has_grown(), "a growth that failed is none");
}

#[test]
fn a_memory_stands_on_the_block_that_was_made_for_it() {
    let island = Island::new(&engine());
    let ty = MemoryType::new(2, Some(8));
    let block = new_block(&ty).unwrap();
    block.write(10, b"before").unwrap();
    block.grow_to(3 * PAGE).unwrap();
    let memory = island.new_memory(ty, block.clone()).unwrap();
    let (pages, bytes) = island.enter(|store| (memory.size(&store), memory.data(&store)[10..16].to_vec()));
    assert_eq!((pages, &bytes[..]), (3, &b"before"[..]), "grown before it had a memory");
    assert!(Arc::ptr_eq(&island.block_of(memory).unwrap(), &block));
    island.enter(|store| memory.grow(store, 1)).unwrap();
    assert_eq!(block.len(), 4 * PAGE);
    // The offer has been used: the next memory has a block of its own.
    let other = instance(&island, GROWS, &[]);
    assert!(!Arc::ptr_eq(&island.block_of(self::memory(&island, other)).unwrap(), &block));
}

#[test]
fn addresses_of_64_bits() {
    let island = Island::new(&engine());
    let text = r#"(module
        (memory (export "memory") i64 1 100000)
        (func (export "grow") (result i32) (i32.wrap_i64 (memory.grow (i64.const 70000))))
        (func (export "store") (i32.store8 (i64.const 0x110000000) (i32.const 5)))
        (func (export "load") (result i32) (i32.load8_u (i64.const 0x110000000))))"#;
    let guest = instance(&island, text, &[]);
    let block = island.block_of(memory(&island, guest)).unwrap();
    let base = block.base();
    assert!(call(&island, guest, "load", &[]).is_err());
    assert_eq!(call(&island, guest, "grow", &[]).unwrap(), Some(1));
    call(&island, guest, "store", &[]).unwrap();
    assert_eq!(call(&island, guest, "load", &[]).unwrap(), Some(5));
    assert_eq!((block.base(), block.len()), (base, 70001 * PAGE));
    let mut byte = [0];
    block.read(0x1_1000_0000, &mut byte).unwrap();
    assert_eq!(byte, [5]);
}

#[test]
fn beyond_two_gibibytes() {
    let island = Island::new(&engine());
    let guest = instance(&island, GROWS, &[]);
    assert_eq!(call(&island, guest, "grow", &[39999]).unwrap(), Some(1));
    let high = 0x9000_0000_u32;
    call(&island, guest, "store", &[high as i32]).unwrap();
    assert_eq!(call(&island, guest, "load", &[high as i32]).unwrap(), Some(77));
    let mut byte = [0];
    island.block_of(memory(&island, guest)).unwrap().read(u64::from(high), &mut byte).unwrap();
    assert_eq!(byte, [77]);
    assert!(call(&island, guest, "load", &[-1]).is_err(), "its end is where it is");
}
