//! Guests whose memory is allocated by other conventions than C's.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use island::{CallError, Engine, EngineOptions, Module};
use marshal::{Guest, GuestBuilder, GuestError, HeapError, HostAllocator};

/// A memory with an allocator that never uses a block again, and what is alive of it; `reverse` reverses the `n` bytes
/// that it is given, in a new block.
fn guest(allocator: &str, allocate: &str, build: impl Fn(GuestBuilder) -> GuestBuilder) -> Result<Guest, GuestError> {
    let text = format!(
        r#"(module (memory (export "memory") 1) (global $top (mut i32) (i32.const 64))
        (global $live (mut i32) (i32.const 0))
        (func (export "live") (result i32) (global.get $live))
        (func $bump (param $size i32) (result i32)
          (global.set $live (i32.add (global.get $live) (local.get $size)))
          (global.get $top)
          (global.set $top (i32.add (global.get $top) (i32.and (i32.add (local.get $size) (i32.const 7)) (i32.const -8)))))
        {allocator}
        (func (export "reverse") (param $from i32) (param $n i32) (result i32) (local $to i32) (local $out i32)
          (local.set $out {allocate})
          (local.set $to (i32.add (local.get $out) (local.get $n)))
          (loop $next (if (i32.lt_u (local.get $out) (local.get $to)) (then
            (local.set $to (i32.sub (local.get $to) (i32.const 1)))
            (i32.store8 (local.get $to) (i32.load8_u (local.get $from)))
            (local.set $from (i32.add (local.get $from) (i32.const 1)))
            (br $next))))
          (local.get $out)))"#
    );
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let module = Module::new(&engine, &wat::parse_str(text).unwrap()).unwrap();
    build(Guest::builder(&engine)).instantiate(&module)
}

/// Bytes go in, are freed, come back, and are freed.
fn check(guest: &Guest) {
    let reverse = guest.function::<(&[u8], usize), Vec<u8>>("reverse").unwrap().with_len(|&(bytes, _)| bytes.len());
    assert_eq!(reverse.call((b"isola", 5)).unwrap(), b"alosi");
    let live = guest.function::<(), i32>("live").unwrap();
    assert_eq!(live.call(()).unwrap(), 0);
    let view = guest.function::<(&[u8], usize), marshal::View<[u8]>>("reverse").unwrap().with_len(|_| 3);
    let view = view.call((b"abc", 3)).unwrap();
    assert_eq!((view.to_vec(), live.call(()).unwrap()), (b"cba".to_vec(), 3));
    drop(view);
    assert_eq!(live.call(()).unwrap(), 0);
}

const RUST: &str = r#"
    (func (export "__wbindgen_malloc") (param $size i32) (param $align i32) (result i32)
      (if (i32.ne (local.get $align) (i32.const 8)) (then (unreachable)))
      (call $bump (local.get $size)))
    (func (export "__wbindgen_free") (param $at i32) (param $size i32) (param $align i32)
      (if (i32.lt_s (global.get $live) (local.get $size)) (then (unreachable)))
      (global.set $live (i32.sub (global.get $live) (local.get $size))))"#;

#[test]
fn wasm_bindgens() {
    check(&guest(RUST, "(call $bump (local.get $n))", |builder| builder).unwrap());
}

/// The bytes before a block are not used: how many it has is kept in its host's head.
const COMPONENT: &str = r#"
    (func $realloc (export "cabi_realloc") (param $old i32) (param i32) (param $align i32) (param $size i32) (result i32)
      (local $at i32)
      (if (i32.ne (local.get $old) (i32.const 0)) (then (unreachable)))
      (local.set $at (call $bump (i32.const 0)))
      (drop (call $bump (i32.const 8)))
      (drop (call $bump (local.get $size)))
      (global.set $live (i32.sub (global.get $live) (i32.const 8)))
      (i32.store (local.get $at) (local.get $size))
      (i32.add (local.get $at) (i32.const 8)))
    (func (export "free") (param $at i32)
      (global.set $live (i32.sub (global.get $live) (i32.load (i32.sub (local.get $at) (i32.const 8))))))"#;

const REALLOC: &str = "(call $realloc (i32.const 0) (i32.const 0) (i32.const 1) (local.get $n))";

#[test]
fn the_component_models() {
    check(&guest(COMPONENT, REALLOC, |builder| builder).unwrap());
}

#[test]
fn assembly_scripts() {
    let text = COMPONENT.replace("(export \"cabi_realloc\")", "").replace("(export \"free\")", "(export \"__unpin\")")
        + r#"(func (export "__new") (param $size i32) (param $class i32) (result i32)
               (if (i32.ne (local.get $class) (i32.const 1)) (then (unreachable)))
               (call $realloc (i32.const 0) (i32.const 0) (i32.const 8) (local.get $size)))
             (func (export "__pin") (param i32) (result i32) (local.get 0))"#;
    check(&guest(&text, REALLOC, |builder| builder).unwrap());
    let named = guest(&text, REALLOC, |builder| builder.assembly_script("__new", "__pin", "__unpin")).unwrap();
    check(&named);
}

#[test]
fn names_that_are_said_must_be_there() {
    check(
        &guest(RUST, "(call $bump (local.get $n))", |b| b.allocator("__wbindgen_malloc", "__wbindgen_free")).unwrap(),
    );
    let error = guest(RUST, "(i32.const 0)", |builder| builder.allocator("alloc", "dealloc")).err().unwrap();
    assert_eq!(error.to_string(), "the guest exports no function called alloc");
    let error = guest(RUST, "(i32.const 0)", |builder| builder.allocator("live", "live")).err().unwrap();
    assert!(matches!(error, GuestError::Heap(HeapError::Signature { .. })), "{error}");
}

/// Gives out what lies behind the guest's own data.
struct Upwards {
    top: Cell<u64>,
    alive: Rc<RefCell<HashMap<u64, u64>>>,
}

impl HostAllocator for Upwards {
    fn allocate(&self, bytes: u64) -> Result<u64, CallError> {
        let address = self.top.get();
        self.top.set((address + bytes).next_multiple_of(8));
        self.alive.borrow_mut().insert(address, bytes);
        Ok(address)
    }

    fn free(&self, address: u64) -> Result<(), CallError> {
        self.alive.borrow_mut().remove(&address).expect("a block that was given out");
        Ok(())
    }
}

#[test]
fn the_hosts_own() {
    let alive = Rc::new(RefCell::new(HashMap::new()));
    let shared = alive.clone();
    let build = |builder: GuestBuilder| {
        let alive = shared.clone();
        builder.host_allocator(move |data| {
            assert_eq!(data.len(), 65536);
            Rc::new(Upwards { top: Cell::new(4096), alive })
        })
    };
    let guest = guest("", "(call $bump (local.get $n))", build).unwrap();
    let reverse = guest.function::<(&[u8], usize), marshal::Lent<Vec<u8>>>("reverse").unwrap().with_len(|_| 5);
    assert_eq!(reverse.call((b"isola", 5)).unwrap().0, b"alosi");
    assert!(alive.borrow().is_empty());
}
