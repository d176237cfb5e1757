//! What belongs to another guest, and frees that were done already: each is an error, and nothing is lost.

use std::cell::{Cell, RefCell};
use std::future::{Future as _, poll_fn};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::common::{Guest, function};
use island::wasmtime::{Func, Val};
use island::{CallError, DataBlock, Engine, EngineOptions, Island, Module};
use marshal::{
    Allocator, Callback, Destructor, GuestError, Handle, HandleType, Heap, HeapError, HostAllocator, Kept, Opaque,
};

fn typed_guest(engine: &Engine, text: &str) -> marshal::Guest {
    marshal::Guest::new(engine, &Module::new(engine, &wat::parse_str(text).unwrap()).unwrap()).unwrap()
}

fn engine() -> Engine {
    Engine::new(&EngineOptions::default()).unwrap()
}

/// The heap of a guest with `memory`, `malloc` and `free`, its island, and its functions by name.
fn heap_of(text: &str) -> (Rc<Island>, Rc<Heap>, impl Fn(&str) -> Func) {
    let engine = engine();
    let island = Island::new(&engine);
    let module = Module::new(&engine, &wat::parse_str(text).unwrap()).unwrap();
    let instance = island.instantiate(&module, &[]).unwrap();
    let of = island.clone();
    let func = move |name: &str| of.enter(|store| instance.get_func(store, name)).unwrap();
    let memory = island.enter(|store| instance.get_memory(store, "memory")).unwrap();
    let heap = {
        let [malloc, free] = ["malloc", "free"].map(|name| function(&island, func(name)));
        Heap::new(&island, island.block_of(memory).unwrap(), malloc, free).unwrap()
    };
    (island, heap, func)
}

fn destructor(guest: &Guest) -> Rc<Destructor> {
    Destructor::new(&guest.island, guest.function("free"), "free").unwrap()
}

#[test]
fn an_allocator_is_of_the_guests_own_island() {
    let (guest, other) = (Guest::new(), Guest::new());
    let heap = |allocator| Heap::with(&guest.island, guest.heap.data().clone(), allocator, false);
    let [ours, theirs] = [&guest, &other].map(|of| (of.function("malloc"), of.function("free")));
    for (allocate, free, named) in
        [(theirs.0, ours.1, "malloc"), (ours.0, theirs.1, "free"), (theirs.0, theirs.1, "malloc")]
    {
        let refused = heap(Allocator::Functions { allocate, free }).unwrap_err();
        assert!(matches!(&refused, HeapError::Foreign { function } if function == named), "{refused}");
    }
    for [new, pin, unpin] in [[theirs.0, ours.0, ours.1], [ours.0, theirs.0, ours.1], [ours.0, ours.0, theirs.1]] {
        let refused = heap(Allocator::AssemblyScript { new, pin, unpin }).unwrap_err();
        assert!(matches!(refused, HeapError::Foreign { .. }), "{refused}");
    }
    heap(Allocator::Functions { allocate: ours.0, free: ours.1 }).unwrap();
}

#[test]
fn a_destructor_is_of_the_heaps_own_island() {
    let (guest, other) = (Guest::new(), Guest::new());
    let refused = Destructor::new(&guest.island, other.function("free"), "free").unwrap_err();
    assert!(matches!(refused, HeapError::Foreign { .. }), "{refused}");
    let address = guest.heap.allocate(16).unwrap();
    let refused = guest.heap.handle(&destructor(&other), address, Vec::new()).unwrap_err();
    assert!(matches!(refused, HeapError::Foreign { .. }), "{refused}");
    assert_eq!(guest.heap.open_handles(), 0, "the address is not taken");
    guest.heap.handle(&destructor(&guest), address, Vec::new()).unwrap();
}

#[test]
fn a_destructor_is_as_wide_as_the_heap() {
    let text = r#"(module (memory (export "memory") i64 1)
        (func (export "malloc") (param i64) (result i64) (i64.const 64)) (func (export "free") (param i64))
        (func (export "narrow") (param i32)) (func (export "wide") (param i64)))"#;
    let (island, heap, func) = heap_of(text);
    let close = |name: &'static str| Destructor::new(&island, function(&island, func(name)), name).unwrap();
    // The address fits 32 bits; that its destructor could not take another is said at once.
    let refused = heap.handle(&close("narrow"), 64, Vec::new()).unwrap_err();
    assert!(matches!(refused, HeapError::Destructor { .. }), "{refused}");
    heap.handle(&close("wide"), 64, Vec::new()).unwrap().close(&heap).unwrap();
}

#[test]
fn a_handle_is_closed_by_its_own_heap() {
    let (guest, other) = (Guest::new(), Guest::new());
    let open = || guest.heap.handle(&destructor(&guest), guest.heap.allocate(16).unwrap(), Vec::new()).unwrap();
    let handle = open();
    assert!(matches!(handle.close(&other.heap), Err(HeapError::NotOurs { .. })));
    assert!(handle.is_open());
    handle.close(&guest.heap).unwrap();
    assert_eq!((guest.live(), handle.is_open()), (0, false));
    assert!(handle.close(&other.heap).is_ok(), "nothing is left to do");
}

#[test]
fn dropped_handles_are_closed_at_the_next_safe_point_and_once() {
    let guest = Guest::new();
    let open = |keeps: Vec<Rc<Handle>>| {
        guest.heap.handle(&destructor(&guest), guest.heap.allocate(16).unwrap(), keeps).unwrap()
    };
    let closed = Rc::new(RefCell::new(Vec::new()));
    let seen = closed.clone();
    guest.set_hook(move |_, address| seen.borrow_mut().push(address));
    let (first, second) = (open(Vec::new()), open(Vec::new()));
    let addresses = [second.address() as u32, first.address() as u32];
    second.keep(first);
    guest.set_mode(2);
    drop(second);
    assert!(closed.borrow().is_empty(), "a drop calls nobody");
    guest.heap.drain().unwrap();
    assert_eq!(*closed.borrow(), addresses, "what is kept comes after its keeper");
    guest.heap.drain().unwrap();
    assert_eq!((closed.borrow().len(), guest.live()), (2, 0));
    // One that was closed, or given away, has nothing to do when it is dropped.
    guest.set_mode(0);
    let (one, two) = (open(Vec::new()), open(Vec::new()));
    one.close(&guest.heap).unwrap();
    let address = two.release().unwrap();
    assert_eq!(two.release(), None);
    drop((one, two));
    assert_eq!((guest.heap.waiting(), guest.live()), (0, 1));
    guest.heap.free(address).unwrap();
}

#[test]
fn a_long_chain_of_handles_is_dropped_without_recursion() {
    let text = r#"(module (memory (export "memory") 100)
        (global $top (mut i32) (i32.const 64)) (global $closed (mut i32) (i32.const 0))
        (func (export "malloc") (param i32) (result i32)
            (global.set $top (i32.add (global.get $top) (i32.const 16))) (global.get $top))
        (func (export "free") (param i32))
        (func (export "close") (param i32) (global.set $closed (i32.add (global.get $closed) (i32.const 1))))
        (func (export "closed") (result i32) (global.get $closed)))"#;
    const COUNT: i32 = 200_000;
    let (island, heap, func) = heap_of(text);
    let close = Destructor::new(&island, function(&island, func("close")), "close").unwrap();
    let mut last: Vec<Rc<Handle>> = Vec::new();
    for _ in 0..COUNT {
        let address = heap.allocate(16).unwrap();
        last = vec![heap.handle(&close, address, std::mem::take(&mut last)).unwrap()];
    }
    drop(last);
    assert_eq!(heap.waiting(), COUNT as usize);
    heap.drain().unwrap();
    let mut closed = [Val::I32(0)];
    island.call_values(func("closed"), &[], &mut closed).unwrap();
    assert_eq!(closed[0].unwrap_i32(), COUNT);
}

#[test]
fn what_was_freed_is_not_freed_again_unless_it_may_have_been_given_out() {
    let guest = Guest::new();
    let address = guest.heap.allocate(16).unwrap();
    guest.heap.free(address).unwrap();
    assert!(matches!(guest.heap.free(address), Err(HeapError::AlreadyFreed { .. })));
    // The heap's own allocation gives it out again.
    assert_eq!(guest.heap.allocate(16).unwrap(), address);
    guest.heap.free(address).unwrap();
    assert!(matches!(guest.heap.free(address), Err(HeapError::AlreadyFreed { .. })));
    // So does the guest's, which only its entries tell of.
    let mut given = [Val::I32(0)];
    guest.island.call_values(guest.func("malloc"), &[Val::I32(16)], &mut given).unwrap();
    assert_eq!(given[0].unwrap_i32() as u64, address);
    guest.heap.free(address).unwrap();
    assert_eq!(guest.live(), 0);
}

/// Has the host take a block of 16 bytes whenever the guest calls it. Returns where the last one is.
fn takes_a_block_when_asked(guest: &Guest) -> Rc<Cell<u64>> {
    let (taken, malloc) = (Rc::new(Cell::new(0)), guest.func("malloc"));
    let seen = taken.clone();
    guest.set_hook(move |island, _| {
        let mut given = [Val::I32(0)];
        island.call_values(malloc, &[Val::I32(16)], &mut given).unwrap();
        seen.set(given[0].unwrap_i32() as u64);
    });
    taken
}

#[test]
fn what_the_allocator_itself_gives_out_meanwhile_is_not_taken_for_freed() {
    let guest = Guest::new();
    let [one, two] = [(); 2].map(|()| guest.heap.allocate(16).unwrap());
    guest.heap.free(one).unwrap();
    // While `free` frees another block, it has the host take the first one.
    let taken = takes_a_block_when_asked(&guest);
    guest.set_mode(2);
    guest.heap.free(two).unwrap();
    guest.set_mode(0);
    assert_eq!(taken.get(), one);
    guest.heap.free(one).unwrap();
    assert_eq!(guest.live(), 0);
}

#[test]
fn what_somebody_got_while_it_was_being_freed_is_not_taken_for_freed() {
    let guest = Guest::new();
    let block = guest.heap.allocate(16).unwrap();
    // `free` has taken the block back when it has the host ask for one.
    let taken = takes_a_block_when_asked(&guest);
    guest.set_mode(16);
    guest.heap.free(block).unwrap();
    guest.set_mode(0);
    assert_eq!((taken.get(), guest.live()), (block, 1));
    guest.heap.free(block).unwrap();
    assert_eq!(guest.live(), 0);
}

#[test]
fn what_a_suspended_guest_got_meanwhile_is_not_taken_for_freed() {
    let text = r#"(module (import "env" "wait" (func $wait (param i32) (result i32)))
        (memory (export "memory") 1)
        (func $malloc (export "malloc") (param i32) (result i32) (i32.const 64))
        (func (export "free") (param i32))
        ;; Waits, gets a block, puts its address where it was told, and waits once more.
        (func (export "later") (param i32) (result i32)
            (drop (call $wait (i32.const 1)))
            (i32.store (local.get 0) (call $malloc (i32.const 16)))
            (call $wait (i32.const 2))))"#;
    let engine = engine();
    let opened = Rc::new(Cell::new(0));
    let open = opened.clone();
    let guest = marshal::Guest::builder(&engine).import_async::<fn(i32) -> i32>("env", "wait", move |gate: i32| {
        let open = open.clone();
        async move {
            poll_fn(|_| if open.get() >= gate { Poll::Ready(()) } else { Poll::Pending }).await;
            gate
        }
    });
    let guest = guest.instantiate(&Module::new(&engine, &wat::parse_str(text).unwrap()).unwrap()).unwrap();
    let later = guest.function::<(i32,), i32>("later").unwrap();
    let heap = guest.heap().unwrap();
    let mut call = Box::pin(later.call_async((8,)));
    let mut poll = || call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(poll().is_pending());
    let block = heap.allocate(16).unwrap();
    heap.free(block).unwrap();
    opened.set(1);
    assert!(poll().is_pending());
    let mut given = [0; 4];
    heap.data().read(8, &mut given).unwrap();
    assert_eq!(u64::from(u32::from_le_bytes(given)), block, "it has the block now");
    heap.free(block).unwrap();
    opened.set(2);
    assert!(matches!(poll(), Poll::Ready(Ok(2))));
}

#[test]
fn the_owner_of_a_block_is_known_among_many() {
    let guest = Guest::new();
    // More than the marks of a queue tell apart, and more than once wiped off.
    let mut blocks: Vec<_> =
        (0..700).map(|_| guest.heap.adopt(guest.heap.allocate(16).unwrap(), 16).unwrap()).collect();
    let is_owned = |address| matches!(guest.heap.free(address), Err(HeapError::AlreadyOwned { .. }));
    assert!(blocks.iter().all(|block| is_owned(block.address())));
    let free = guest.heap.allocate(16).unwrap();
    guest.heap.free(free).unwrap();
    // Blocks come and go beside one that stays.
    let stays = blocks.swap_remove(350);
    drop(blocks);
    for _ in 0..700 {
        let address = guest.heap.allocate(16).unwrap();
        let block = guest.heap.adopt(address, 16).unwrap();
        assert!(is_owned(address) && is_owned(stays.address()));
        block.free(&guest.heap).unwrap();
        assert!(is_owned(stays.address()));
    }
    drop(stays);
    guest.heap.drain().unwrap();
    assert_eq!(guest.live(), 0);
}

/// A host's allocator that gives the same block to whoever asks, also past the heap.
struct OneBlock(Cell<i32>);

impl HostAllocator for OneBlock {
    fn allocate(&self, _: u64) -> Result<u64, CallError> {
        self.0.set(self.0.get() + 1);
        Ok(64)
    }

    fn free(&self, _: u64) -> Result<(), CallError> {
        self.0.set(self.0.get() - 1);
        Ok(())
    }
}

#[test]
fn a_hosts_allocator_may_give_out_what_was_freed() {
    let guest = Guest::new();
    let data: Arc<DataBlock> = guest.heap.data().clone();
    let allocator = Rc::new(OneBlock(Cell::new(0)));
    let heap = Heap::with(&guest.island, data, Allocator::Host(allocator.clone()), false).unwrap();
    for _ in 0..3 {
        assert_eq!(heap.allocate(8).unwrap(), 64);
        heap.free(64).unwrap();
        allocator.allocate(8).unwrap();
        heap.free(64).unwrap();
        assert_eq!(allocator.0.get(), 0);
    }
}

#[test]
fn closures_need_a_table_that_takes_any_function() {
    let guest = |table: &str| {
        let text = format!(
            r#"(module (type $t (func (param i64))) (table (export "__indirect_function_table") {table})
            (func (export "run") (param i32)))"#
        );
        typed_guest(&engine(), &text)
    };
    for table in ["1 externref", "1 (ref null $t)", "1 1 funcref"] {
        let guest = guest(table);
        let refused = guest.callback::<fn(i32)>(Box::new(|_| ())).err().unwrap();
        assert!(matches!(refused, GuestError::NoTable { .. }), "{table}: {refused}");
        let run = guest.function::<(Callback<fn(i32)>,), ()>("run").unwrap();
        run.call((&mut |_| (),)).unwrap_err();
    }
    guest("1 funcref").callback::<fn(i32)>(Box::new(|_| ())).unwrap();
}

#[test]
fn a_closure_is_passed_to_its_own_guest() {
    let text = r#"(module (table (export "table") 1 funcref) (func (export "run") (param i32)))"#;
    let [guest, other] = [(); 2].map(|()| typed_guest(&engine(), text));
    let kept = guest.callback::<fn(i32)>(Box::new(|_| ())).unwrap();
    other.function::<(&Kept<fn(i32)>,), ()>("run").unwrap().call((&kept,)).unwrap_err();
    guest.function::<(&Kept<fn(i32)>,), ()>("run").unwrap().call((&kept,)).unwrap();
}

#[test]
fn a_module_of_another_engine_is_refused() {
    let text = r#"(module (import "host" "f" (func (param i32))))"#;
    let module = Module::new(&engine(), &wat::parse_str(text).unwrap()).unwrap();
    struct Nothing;
    impl island::HostFunction for Nothing {
        fn call_numeric(
            &self,
            _: &Rc<island::Island>,
            _: &mut island::call::HostFrame<'_>,
        ) -> Result<(), island::HostThrew> {
            Ok(())
        }
        fn call_values(&self, _: &Rc<island::Island>, _: &[Val], _: &mut [Val]) -> Result<(), island::HostThrew> {
            Ok(())
        }
    }
    let build = || marshal::Guest::builder(&engine());
    build().import_host("host", "f", Rc::new(Nothing)).instantiate(&module).err().unwrap();
    build().import("host", "f", |_: i32| ()).instantiate(&module).err().unwrap();
}

thread_local! {
    static GUEST: RefCell<Option<marshal::Guest>> = const { RefCell::new(None) };
}

#[derive(Debug)]
enum Thing {}
impl HandleType for Thing {
    const DESTRUCTOR: &'static str = "close";
}

#[test]
fn an_import_that_cannot_call_back_is_told_so() {
    let text = r#"(module (import "host" "back" (func $back)) (memory (export "memory") 1)
        (table (export "table") 1 funcref)
        (func (export "malloc") (param i32) (result i32) (i32.const 64)) (func (export "free") (param i32))
        (func (export "close") (param i32)) (func (export "open") (result i32) (i32.const 128))
        (func (export "nothing")) (func (export "run") (call $back)))"#;
    let engine = engine();
    let module = Module::new(&engine, &wat::parse_str(text).unwrap()).unwrap();
    let seen = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let done = seen.clone();
    let back = move || {
        GUEST.with_borrow(|guest| {
            let guest = guest.as_ref().unwrap();
            assert!(guest.function::<(), ()>("nothing").is_err());
            assert!(guest.function_at::<(), ()>(0).is_err());
            assert!(guest.function::<(), Opaque<Thing>>("open").is_err());
            assert!(guest.callback::<fn(i64)>(Box::new(|_| ())).is_err());
            let heap = guest.heap().unwrap();
            assert!(matches!(heap.allocate(8), Err(HeapError::Busy)));
            assert!(matches!(heap.free(64), Err(HeapError::Busy)));
        });
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    };
    let guest = marshal::Guest::builder(&engine).import("host", "back", back).instantiate(&module).unwrap();
    let run = guest.function::<(), ()>("run").unwrap();
    GUEST.set(Some(guest));
    run.call(()).unwrap();
    assert!(seen.load(std::sync::atomic::Ordering::Relaxed));
    GUEST.set(None);
}
