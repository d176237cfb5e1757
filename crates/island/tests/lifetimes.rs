//! Islands come and go: resident memory stays flat, and an island holds more instances than Wasmtime's own limit.

mod common;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Mutex;

use common::{call, engine, host, instance, module};
use tombolo_island::Island;
use tombolo_island::wasmtime::ValType;

const SMALL: &str = r#"(module
    (import "host" "f" (func $host (param i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "run") (param i32) (result i32)
        (i32.store (i32.const 0) (local.get 0))
        (call $host (i32.load (i32.const 0)))))"#;

/// Resident memory is counted for the whole process, so tests that use much of it take turns.
static TURN: Mutex<()> = Mutex::new(());

/// The process's resident memory in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
fn a_hundred_thousand_islands_need_the_memory_of_one() {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    let engine = engine();
    let module = module(&engine, SMALL);
    let mut before = 0;
    let start = std::time::Instant::now();
    for round in 0..100_000 {
        let island = Island::new(&engine);
        let import = host(&island, &[ValType::I32], &[ValType::I32], |_, n| Ok(n.unwrap() + 1));
        let guest = island.instantiate(&module, &[import.into()]).unwrap();
        assert_eq!(call(&island, guest, "run", &[round]).unwrap(), Some(round + 1));
        if round == 1000 {
            before = resident();
        }
    }
    let grown = resident().saturating_sub(before);
    let each = start.elapsed() / 100_000;
    println!("100,000 islands: {each:?} each, {} KiB grown, {} MiB resident", grown >> 10, resident() >> 20);
    assert!(grown < 64 << 20, "{grown} bytes");
}

#[test]
fn an_island_holds_more_instances_than_wasmtime_would() {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    let island = Island::new(&engine());
    let module = module(island.engine(), r#"(module (func (export "run") (param i32) (result i32) (local.get 0)))"#);
    let mut last = None;
    for _ in 0..10_100 {
        last = Some(island.instantiate(&module, &[]).unwrap());
    }
    assert_eq!(call(&island, last.unwrap(), "run", &[5]).unwrap(), Some(5));
}

/// A host function that owns its island is a cycle of reference counts, which Rust does not collect. Whoever makes host
/// functions has to break it: with a `Weak`, or with a collector that sees both ends, as the JavaScript engine's does.
#[test]
fn a_host_function_that_owns_its_island_keeps_it_until_it_lets_go() {
    let island = Island::new(&engine());
    let weak = Rc::downgrade(&island);
    let owner = Rc::new(RefCell::new(Some(island.clone())));
    let import = host(&island, &[ValType::I32], &[ValType::I32], {
        let owner = owner.clone();
        move |_, n| {
            // The last handle may go while one of its guests is running: the call is a handle too.
            owner.borrow_mut().take();
            Ok(n.unwrap())
        }
    });
    let guest = instance(&island, SMALL, &[import.into()]);
    let callee = common::func(&island, guest, "run");
    drop(island);
    let island = weak.upgrade().expect("the host function owns it");
    let callee = tombolo_island::Callee::new(&island, callee).unwrap();
    let mut frame = tombolo_island::Frame::new(callee.numeric().unwrap());
    frame.push_i32(3);
    island.call_numeric(&callee, &mut frame).unwrap();
    assert_eq!(frame.result(0).as_address(), 3);
    drop(island);
    assert!(weak.upgrade().is_none());
}
