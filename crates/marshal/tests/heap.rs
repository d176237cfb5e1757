//! The heap of a guest: ownership, safe points, and what bad guests and bad hosts do to them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::common::Guest;
use island::CallError;
use marshal::HeapError;

#[test]
fn a_dropped_block_waits_for_the_next_safe_point() {
    let guest = Guest::new();
    let block = guest.block(64);
    assert_eq!((guest.live(), guest.heap.owned(), guest.heap.waiting()), (1, 1, 0));
    drop(block);
    assert_eq!((guest.live(), guest.heap.owned(), guest.heap.waiting()), (1, 1, 1), "dropping calls nothing");
    guest.heap.drain().unwrap();
    assert_eq!((guest.live(), guest.heap.owned(), guest.heap.waiting()), (0, 0, 0));
}

#[test]
fn an_allocation_is_a_safe_point_and_uses_the_block_again() {
    let guest = Guest::new();
    let block = guest.block(64);
    let address = block.address();
    drop(block);
    assert_eq!(guest.heap.allocate(64).unwrap(), address);
    assert_eq!(guest.live(), 1);
}

/// Blocks that calls have are met once, however often others are freed meanwhile, and freed when the last call has
/// ended.
#[test]
fn blocks_that_calls_have_are_put_off() {
    let guest = Guest::new();
    let blocks: Vec<_> = (0..1000).map(|_| guest.block(16)).collect();
    let addresses: Vec<_> = blocks.iter().map(|block| block.address()).collect();
    for address in &addresses {
        assert!(guest.heap.pin(*address) && guest.heap.pin(*address));
    }
    drop(blocks);
    drop(guest.block(16));
    guest.heap.drain().unwrap();
    assert_eq!((guest.live(), guest.heap.waiting()), (1000, 0), "all but those that are pinned");
    addresses.iter().for_each(|address| guest.heap.unpin(*address));
    guest.heap.drain().unwrap();
    assert_eq!((guest.live(), guest.heap.waiting()), (1000, 0), "pinned twice");
    addresses.iter().for_each(|address| guest.heap.unpin(*address));
    assert_eq!(guest.heap.waiting(), 1000);
    guest.heap.drain().unwrap();
    assert_eq!((guest.live(), guest.heap.owned(), guest.heap.waiting()), (0, 0, 0));
}

/// What waits and is given to the guest meanwhile is not freed, nor is what comes at its address after that.
#[test]
fn a_block_that_waits_and_is_given_away_is_passed_over() {
    let guest = Guest::new();
    let (first, second) = (guest.block(16), guest.block(16));
    let address = first.address();
    drop(first);
    guest.heap.release(address);
    guest.heap.drain().unwrap();
    assert_eq!((guest.live(), guest.heap.waiting()), (2, 0));
    drop(second);
}

#[test]
fn blocks_may_be_dropped_on_other_threads() {
    let guest = Guest::new();
    let blocks: Vec<_> = (0..1000).map(|_| guest.block(16)).collect();
    std::thread::scope(|scope| {
        let mut blocks = blocks.into_iter();
        for _ in 0..4 {
            let some: Vec<_> = blocks.by_ref().take(250).collect();
            scope.spawn(move || drop(some));
        }
    });
    assert_eq!((guest.live(), guest.heap.waiting()), (1000, 1000));
    guest.heap.drain().unwrap();
    assert_eq!(guest.live(), 0);
}

#[test]
fn a_block_that_has_an_owner_cannot_be_adopted_or_freed() {
    let guest = Guest::new();
    let block = guest.block(64);
    let address = block.address();
    assert!(matches!(guest.heap.adopt(address, 64), Err(HeapError::AlreadyOwned { .. })));
    assert!(matches!(guest.heap.free(address), Err(HeapError::AlreadyOwned { .. })));
    drop(block);
    // It waits: the guest does not know yet, so it cannot have returned it anew.
    assert!(matches!(guest.heap.adopt(address, 64), Err(HeapError::AlreadyOwned { .. })));
    assert!(matches!(guest.heap.free(address), Err(HeapError::AlreadyOwned { .. })));
    guest.heap.drain().unwrap();
    let address = guest.heap.allocate(64).unwrap();
    guest.heap.free(address).unwrap();
    assert_eq!(guest.live(), 0);
}

#[test]
fn two_heaps_of_one_allocator_share_their_queue() {
    let guest = Guest::new();
    let data = guest.heap.data().clone();
    let other = marshal::Heap::new(&guest.island, data, guest.function("malloc"), guest.function("free")).unwrap();
    let block = guest.block(64);
    assert!(matches!(other.adopt(block.address(), 64), Err(HeapError::AlreadyOwned { .. })));
    drop(block);
    other.drain().unwrap();
    assert_eq!(guest.live(), 0);
}

#[test]
fn a_block_is_freed_now_only_by_its_own_heap() {
    let (guest, other) = (Guest::new(), Guest::new());
    let block = guest.block(64);
    assert!(matches!(block.free(&other.heap), Err(HeapError::NotOurs { .. })));
    assert_eq!(guest.heap.waiting(), 1, "it is not lost");
    guest.block(64).free(&guest.heap).unwrap();
    assert_eq!(guest.live(), 0, "the allocation drained the first one");
    let address = guest.block(64).release();
    guest.heap.drain().unwrap();
    assert_eq!((guest.live(), guest.heap.owned()), (1, 0), "a released block is the guest's");
    guest.heap.free(address).unwrap();
}

#[test]
fn what_is_not_in_the_memory_is_refused() {
    let guest = Guest::new();
    let len = guest.heap.data().len() as u64;
    assert!(matches!(guest.heap.adopt(0, 8), Err(HeapError::Null)));
    for (address, bytes) in [(len, 1), (len - 8, 9), (u64::MAX, 1), (16, u64::MAX)] {
        assert!(matches!(guest.heap.adopt(address, bytes), Err(HeapError::BadAddress(_))), "{address} {bytes}");
    }
    assert!(matches!(guest.heap.free(len), Err(HeapError::BadAddress(_))));
    guest.heap.free(0).unwrap();
    guest.set_mode(8);
    let error = guest.heap.allocate(100).unwrap_err();
    assert_eq!(error.to_string(), "100 bytes at address 0xfffffff0 are outside the memory of 65536 bytes");
}

#[test]
fn a_free_that_traps_is_reported_once_and_the_rest_stays() {
    let guest = Guest::new();
    let blocks: Vec<_> = (0..3).map(|_| guest.block(16)).collect();
    drop(blocks);
    guest.set_mode(1);
    let error = guest.heap.allocate(16).unwrap_err();
    assert!(matches!(&error, HeapError::Reclaim { source: CallError::Trap(_), .. }), "{error}");
    assert!(error.to_string().contains("unreachable"), "{error}");
    assert_eq!((guest.heap.waiting(), guest.heap.owned()), (2, 2));
    assert!(guest.heap.drain().is_err());
    guest.set_mode(0);
    guest.heap.drain().unwrap();
    assert_eq!((guest.heap.waiting(), guest.live()), (0, 2), "two are lost with the traps, one came back");
}

#[test]
fn memory_that_only_garbage_holds_is_found_under_pressure() {
    let guest = Guest::new();
    // 64 pages at most; the garbage holds most of them.
    let garbage = Rc::new(RefCell::new(vec![guest.block(3 << 20)]));
    let error = guest.heap.allocate(2 << 20).unwrap_err();
    assert!(matches!(error, HeapError::OutOfMemory { bytes: 0x20_0000, owned: 1, .. }), "{error}");
    let calls = Rc::new(Cell::new(0));
    guest.heap.set_pressure_hook({
        let (garbage, calls) = (garbage.clone(), calls.clone());
        move || {
            calls.set(calls.get() + 1);
            garbage.borrow_mut().clear();
        }
    });
    guest.heap.allocate(2 << 20).unwrap();
    assert!(matches!(guest.heap.allocate(5 << 30), Err(HeapError::OutOfMemory { .. })), "no 32-bit guest has that");
    assert_eq!(calls.get(), 2);
}

#[test]
fn malloc_may_grow_the_memory() {
    let guest = Guest::new();
    let before = guest.heap.data().len();
    let block = guest.block(1 << 20);
    assert!(guest.heap.data().len() > before);
    assert_eq!(block.start().addr().get() - guest.heap.data().base().addr().get(), block.address() as usize);
    assert_eq!(guest.heap.address_of(block.start(), 1 << 20), Some(block.address()));
    assert_eq!(guest.heap.address_of(block.start(), 1 << 30), None);
    assert_eq!(guest.heap.address_of(std::ptr::NonNull::from(&before).cast(), 1), None);
}

#[test]
fn a_free_that_makes_the_host_drop_blocks_leaves_them_for_the_next_drain() {
    let guest = Guest::new();
    let inner = RefCell::new(vec![guest.block(16), guest.block(16)]);
    drop(guest.block(16));
    guest.set_mode(2);
    let heap = guest.heap.clone();
    let seen = Rc::new(RefCell::new(Vec::new()));
    guest.set_hook({
        let seen = seen.clone();
        move |_, _| {
            inner.borrow_mut().pop();
            heap.drain().unwrap(); // skipped: the allocator is running
            let busy = matches!(heap.allocate(8), Err(HeapError::Busy));
            let cannot = matches!(heap.free(16), Err(HeapError::Busy));
            seen.borrow_mut().push((busy, cannot, heap.waiting()));
        }
    });
    guest.heap.drain().unwrap();
    assert_eq!(*seen.borrow(), [(true, true, 1)]);
    assert_eq!(guest.live(), 2);
    guest.heap.drain().unwrap();
    guest.heap.drain().unwrap();
    assert_eq!((guest.live(), guest.heap.owned()), (0, 0));
}

#[test]
fn a_malloc_that_calls_the_host_is_not_entered_again() {
    let guest = Guest::new();
    let kept = RefCell::new(Some(guest.block(16)));
    guest.set_mode(4);
    let heap = guest.heap.clone();
    guest.set_hook(move |_, _| {
        kept.borrow_mut().take();
        heap.drain().unwrap();
    });
    guest.heap.allocate(16).unwrap();
    assert_eq!((guest.heap.waiting(), guest.live()), (1, 2));
    guest.set_mode(0);
    guest.heap.drain().unwrap();
    assert_eq!((guest.heap.waiting(), guest.live()), (0, 1));
}

#[test]
fn while_the_island_is_taken_nothing_is_called() {
    let guest = Guest::new();
    let block = guest.block(16);
    guest.island.enter(|_| {
        drop(block);
        guest.heap.drain().unwrap();
        assert!(matches!(guest.heap.allocate(8), Err(HeapError::Busy)));
        assert!(matches!(guest.heap.free(1024), Err(HeapError::Busy)));
    });
    assert_eq!(guest.live(), 1);
    guest.heap.drain().unwrap();
    assert_eq!(guest.live(), 0);
}

#[test]
fn blocks_outlive_their_heap_and_its_island() {
    let guest = Guest::new();
    let block = guest.block(16);
    marshal::copy::write_slice(guest.heap.data(), block.address(), &[1.5, 2.5]).unwrap();
    let island = Rc::downgrade(&guest.island);
    let address = block.address();
    drop(guest);
    assert!(island.upgrade().is_none(), "a block holds no island");
    assert_eq!(marshal::copy::read_slice::<f64>(block.data(), address, 2).unwrap(), [1.5, 2.5]);
    let data = std::sync::Arc::downgrade(block.data());
    std::thread::spawn(move || drop(block)).join().unwrap();
    assert!(data.upgrade().is_none(), "the mapping went with its last holder");
}

#[test]
fn other_signatures_are_refused() {
    let guest = Guest::new();
    let data = || guest.heap.data().clone();
    let heap = |malloc, free| marshal::Heap::new(&guest.island, data(), guest.function(malloc), guest.function(free));
    let error = heap("multiply", "free").unwrap_err().to_string();
    assert!(error.starts_with("expected `malloc` to be (size) -> address, (size, align) -> address or "), "{error}");
    let error = heap("malloc", "malloc").unwrap_err().to_string();
    assert!(
        error.starts_with("expected `free` to be (address) -> () or (address, size, align) -> (); found "),
        "{error}"
    );
}

#[test]
fn copies_stay_in_the_memory() {
    let guest = Guest::new();
    let (heap, data) = (&guest.heap, guest.heap.data());
    let numbers = heap.copy_in(&[1i16, -2, 3]).unwrap();
    assert_eq!(marshal::copy::read_slice::<i16>(data, numbers, 3).unwrap(), [1, -2, 3]);
    // Any alignment will do.
    marshal::copy::write_slice(data, numbers + 1, &[0.25f64]).unwrap();
    let mut back = [0.0f64];
    marshal::copy::read_into(data, numbers + 1, &mut back).unwrap();
    assert_eq!(back, [0.25]);
    let string = heap.copy_in_c_string("isola è bella").unwrap();
    assert_eq!(marshal::copy::read_c_string(data, string).unwrap(), "isola è bella");
    assert_eq!(marshal::copy::read_string(data, string, 5).unwrap(), "isola");
    assert!(matches!(heap.copy_in_c_string("a\0b"), Err(HeapError::ZeroByte { at: 1 })));
    let error = marshal::copy::read_string(data, string, 7).unwrap_err();
    assert!(matches!(error, HeapError::NotUtf8 { at: 6, .. }), "{error}");
    assert!(marshal::copy::read_slice::<f64>(data, 16, usize::MAX / 2).is_err(), "and nothing is allocated for it");
}

/// Calls that nest share the block that is kept, and so do calls that end in another order. It is one block of the
/// guest's, until the heap settles.
#[test]
fn rooms_share_a_block_once_there_were_many() {
    let guest = Guest::new();
    let heap = &guest.heap;
    for _ in 0..4095 {
        let room = heap.room(24).unwrap();
        assert_eq!(guest.live(), 1);
        heap.give_room_back(room).unwrap();
        assert_eq!(guest.live(), 0, "nothing is kept yet");
    }
    heap.give_room_back(heap.room(24).unwrap()).unwrap();
    assert_eq!((guest.live(), heap.owned(), heap.is_settled()), (1, 0, false));
    let (one, two, three) = (heap.room(24).unwrap(), heap.room(1).unwrap(), heap.room(400).unwrap());
    assert_eq!((two.address() - one.address(), three.address() - two.address()), (24, 8));
    assert!(one.contains(one.address() + 23) && !one.contains(two.address()) && !heap.is_block(&one));
    let long = heap.room(400).unwrap();
    assert_eq!(guest.live(), 2, "what does not fit is a block of its own");
    assert!(heap.is_block(&long));
    heap.settle().unwrap();
    assert_eq!(guest.live(), 2, "it is in use");
    let first = one.address();
    heap.give_room_back(one).unwrap();
    let four = heap.room(40).unwrap();
    assert!(four.address() > three.address(), "two others are in use");
    for room in [four, long, two, three] {
        heap.give_room_back(room).unwrap();
    }
    let whole = heap.room(512).unwrap();
    assert_eq!((whole.address(), heap.is_block(&whole)), (first, true));
    let block = heap.adopt(whole.address(), 512).unwrap();
    heap.leave_room(whole);
    assert_eq!((guest.live(), heap.is_settled()), (1, true), "it is the block's now");
    let next = heap.room(8).unwrap();
    assert_ne!(next.address(), block.address());
    heap.give_room_back(next).unwrap();
    drop(block);
    heap.settle().unwrap();
    assert_eq!((guest.live(), heap.owned()), (0, 0));
}

/// A block that its last handle gives up at a safe point is freed at once, unless a call has it.
#[test]
fn a_block_is_retired() {
    let guest = Guest::new();
    guest.heap.retire(guest.block(16)).unwrap();
    assert_eq!((guest.live(), guest.heap.owned(), guest.heap.waiting()), (0, 0, 0));
    let block = guest.block(16);
    let address = block.address();
    assert!(guest.heap.pin(address));
    guest.heap.retire(block).unwrap();
    assert_eq!((guest.live(), guest.heap.waiting()), (1, 1));
    guest.heap.drain().unwrap();
    guest.heap.unpin(address);
    guest.heap.drain().unwrap();
    assert_eq!((guest.live(), guest.heap.owned()), (0, 0));
}
