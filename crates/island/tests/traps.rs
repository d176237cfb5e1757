//! Traps: the words, the names of the functions, the place, and that the island goes on working.

use std::cell::RefCell;
use std::rc::Rc;

use crate::common::{call, engine, host, instance};
use tombolo_island::wasmtime::{Instance, Trap as Code, ValType};
use tombolo_island::{CallError, HostThrew, InstantiateError, Island, Trap};

const TRAPS: &str = r#"(module $traps
    (memory 1)
    (table $table 2 funcref)
    (elem (i32.const 0) $unreachable)
    (type $other (func (param f32)))
    (func $unreachable (export "unreachable") unreachable)
    (func $outer (export "outer") (call $unreachable))
    (func (export "division") (result i32) (i32.div_s (i32.const 1) (i32.const 0)))
    (func (export "overflow") (result i32) (i32.div_s (i32.const 0x80000000) (i32.const -1)))
    (func (export "conversion") (result i32) (i32.trunc_f64_s (f64.const 1e10)))
    (func (export "nan") (result i32) (i32.trunc_f64_s (f64.const nan)))
    (func (export "memory") (result i32) (i32.load (i32.const 65536)))
    (func (export "fill") (memory.fill (i32.const 65000) (i32.const 0) (i32.const 1000)))
    (func (export "table") (result i32) (table.get $table (i32.const 2)) (ref.is_null))
    (func (export "element") (call_indirect (i32.const 1)))
    (func (export "undefined") (call_indirect (i32.const 9)))
    (func (export "signature") (call_indirect (type $other) (f32.const 0) (i32.const 0)))
    (func $deeper (export "recursion") (param i32) (result i32)
        (i32.add (i32.const 1) (call $deeper (i32.add (local.get 0) (i32.const 1)))))
    (func (export "null") (call_ref $void (ref.null $void)))
    (type $void (func))
    (func (export "fine") (result i32) (i32.const 42)))"#;

fn trap(result: Result<Option<i32>, CallError>) -> Trap {
    match result {
        Err(CallError::Trap(trap)) => trap,
        other => panic!("expected a trap, got {other:?}"),
    }
}

#[test]
fn every_trap_has_its_code_and_words() {
    let island = Island::new(&engine());
    let guest = instance(&island, TRAPS, &[]);
    for (name, code, message) in [
        ("unreachable", Code::UnreachableCodeReached, "unreachable"),
        ("division", Code::IntegerDivisionByZero, "integer divide by zero"),
        ("overflow", Code::IntegerOverflow, "integer overflow"),
        ("conversion", Code::IntegerOverflow, "integer overflow"),
        ("nan", Code::BadConversionToInteger, "invalid conversion to integer"),
        ("memory", Code::MemoryOutOfBounds, "out of bounds memory access"),
        ("fill", Code::MemoryOutOfBounds, "out of bounds memory access"),
        ("table", Code::TableOutOfBounds, "out of bounds table access"),
        ("element", Code::IndirectCallToNull, "uninitialized element"),
        ("undefined", Code::TableOutOfBounds, "out of bounds table access"),
        ("signature", Code::BadSignature, "indirect call type mismatch"),
        ("null", Code::NullReference, "null reference"),
    ] {
        let trap = trap(call(&island, guest, name, &[]));
        assert_eq!((trap.code, &*trap.message), (Some(code), message), "{name}");
        assert_eq!(call(&island, guest, "fine", &[]).unwrap(), Some(42));
    }
}

#[test]
fn a_trap_knows_where_it_happened() {
    let island = Island::new(&engine());
    let guest = instance(&island, TRAPS, &[]);
    let trap = trap(call(&island, guest, "outer", &[]));
    let names: Vec<_> = trap.frames.iter().map(|f| (f.function.as_deref(), f.index)).collect();
    assert_eq!(names, [(Some("unreachable"), 0), (Some("outer"), 1)]);
    let offset = trap.frames[0].offset.unwrap();
    assert_eq!(wat::parse_str(TRAPS).unwrap()[offset], 0, "the instruction is `unreachable`");
    let text = trap.to_string();
    assert!(text.starts_with("unreachable\n    at unreachable (wasm-function[0]:0x"), "{text}");
}

#[test]
fn a_stack_overflow_is_a_trap_and_the_island_lives_on() {
    let island = Island::new(&engine());
    let guest = instance(&island, TRAPS, &[]);
    for _ in 0..3 {
        let trap = trap(call(&island, guest, "recursion", &[0]));
        assert_eq!((trap.code, &*trap.message), (Some(Code::StackOverflow), "Maximum call stack size exceeded"));
        assert_eq!(call(&island, guest, "fine", &[]).unwrap(), Some(42));
    }
}

#[test]
fn recursion_through_the_host_ends_too() {
    // The guest's limit is an address on the native stack, so the host's frames in between count as well. The thread
    // has room to spare, so that this limit is reached before the end of the thread's stack.
    let run = || {
        let island = Island::new(&engine());
        let slot: Rc<RefCell<Option<Instance>>> = Rc::default();
        let import = host(&island, &[ValType::I32], &[ValType::I32], {
            let slot = slot.clone();
            move |island, n| {
                let guest = slot.borrow().unwrap();
                call(island, guest, "ping", &[n.unwrap() + 1]).map(|n| n.unwrap()).map_err(|_| HostThrew)
            }
        });
        let text = r#"(module
            (import "host" "pong" (func $pong (param i32) (result i32)))
            (func (export "ping") (param i32) (result i32) (call $pong (local.get 0)))
            (func (export "fine") (result i32) (i32.const 42)))"#;
        let guest = instance(&island, text, &[import.into()]);
        slot.replace(Some(guest));
        let error = call(&island, guest, "ping", &[0]).unwrap_err();
        assert!(matches!(error, CallError::Host), "{error}");
        assert_eq!(call(&island, guest, "fine", &[]).unwrap(), Some(42));
    };
    std::thread::Builder::new().stack_size(8 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn instantiation_tells_a_trap_from_a_link_error() {
    let island = Island::new(&engine());
    let make = |text| island.instantiate(&crate::common::module(island.engine(), text), &[]).unwrap_err();
    let error = make("(module (func $start unreachable) (start $start))");
    assert!(matches!(&error, InstantiateError::Call(CallError::Trap(_))), "{error}");
    let error = make(r#"(module (memory 1) (data (i32.const 65536) "x"))"#);
    assert!(matches!(&error, InstantiateError::Call(CallError::Trap(_))), "{error}");
    let error = make(r#"(module (import "a" "b" (func)))"#);
    assert!(matches!(&error, InstantiateError::Link(_)), "{error}");
}
