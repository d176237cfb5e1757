//! Host functions that enter the island again, and what is left of it when they fail.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use crate::common::{call, engine, func, host, instance};
use tombolo_island::wasmtime::{Instance, Val, ValType};
use tombolo_island::{CallError, HostThrew, Island};

/// `down(n)` asks the host for `down(n - 1)` until `n` is 0, and adds 1 to the answer.
const DOWN: &str = r#"(module
    (import "host" "f" (func $host (param i32) (result i32)))
    (global (export "depth") (mut i32) (i32.const 0))
    (func (export "down") (param i32) (result i32)
        (global.set 0 (i32.add (global.get 0) (i32.const 1)))
        (if (i32.eqz (local.get 0)) (then (return (i32.const 100))))
        (i32.add (i32.const 1) (call $host (i32.sub (local.get 0) (i32.const 1)))))
    (func (export "seven") (result i32) (i32.const 7)))"#;

type Slot = Rc<RefCell<Option<Instance>>>;

/// The guest above, with a host function that receives the instance.
fn down(body: impl Fn(&Rc<Island>, Instance, i32) -> Result<i32, HostThrew> + 'static) -> (Rc<Island>, Instance) {
    let island = Island::new(&engine());
    let slot = Slot::default();
    let import = host(&island, &[ValType::I32], &[ValType::I32], {
        let slot = slot.clone();
        move |island, n| {
            let instance = slot.borrow().unwrap();
            body(island, instance, n.unwrap())
        }
    });
    let guest = instance(&island, DOWN, &[import.into()]);
    slot.replace(Some(guest));
    (island, guest)
}

#[test]
fn calls_nest() {
    let (island, guest) = down(|island, guest, n| {
        assert!(island.is_entered() && island.can_enter());
        // The store can be read on every level, and used after the inner call has returned.
        let depth = |island: &Rc<Island>| {
            let global = island.enter(|store| guest.get_global(store, "depth")).unwrap();
            island.enter(|store| global.get(store)).unwrap_i32()
        };
        let before = depth(island);
        let result = call(island, guest, "down", &[n]).unwrap().unwrap();
        assert!(depth(island) > before);
        Ok(result)
    });
    assert_eq!(call(&island, guest, "down", &[3]).unwrap(), Some(103));
    assert!(!island.is_entered());
}

#[test]
fn an_error_unwinds_to_the_innermost_call_and_no_further_than_asked() {
    let (island, guest) = down(|island, guest, n| {
        if n == 0 {
            return Err(HostThrew);
        }
        match call(island, guest, "down", &[n]) {
            // This level turns the error into a value.
            Err(CallError::Host) if n == 1 => Ok(1000),
            Err(error) => panic!("{error}"),
            Ok(result) => Ok(result.unwrap()),
        }
    });
    assert_eq!(call(&island, guest, "down", &[3]).unwrap(), Some(1002));
    assert!(matches!(call(&island, guest, "down", &[1]), Err(CallError::Host)));
    assert!(!island.is_entered());
    assert_eq!(call(&island, guest, "seven", &[]).unwrap(), Some(7));
}

#[test]
fn a_panic_unwinds_the_guests_and_leaves_the_island_usable() {
    let (island, guest) = down(|island, guest, n| match n {
        0 => panic!("the host gives up"),
        n => Ok(call(island, guest, "down", &[n]).unwrap().unwrap()),
    });
    for depth in [1, 3] {
        let panic = catch_unwind(AssertUnwindSafe(|| call(&island, guest, "down", &[depth]))).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"the host gives up"));
        assert!(!island.is_entered() && island.can_enter());
        assert_eq!(call(&island, guest, "seven", &[]).unwrap(), Some(7));
    }
}

#[test]
fn entering_twice_panics_and_does_no_harm() {
    let (island, guest) = down(|_, _, n| Ok(n));
    let twice = catch_unwind(AssertUnwindSafe(|| {
        island.enter(|_| {
            assert!(!island.can_enter());
            island.enter(|_| ());
        });
    }));
    assert!(twice.is_err());
    assert!(!island.is_entered());
    assert_eq!(call(&island, guest, "down", &[1]).unwrap(), Some(1));
}

#[test]
fn a_host_function_may_instantiate_and_make_functions() {
    let (island, guest) = down(|island, _, n| {
        let import = host(island, &[ValType::I32], &[ValType::I32], |_, n| Ok(n.unwrap() + 10));
        let inner = instance(island, DOWN, &[import.into()]);
        Ok(call(island, inner, "down", &[n + 1]).unwrap().unwrap())
    });
    assert_eq!(call(&island, guest, "down", &[5]).unwrap(), Some(4 + 10 + 1 + 1));
}

#[test]
fn functions_with_references_nest_too() {
    let island = Island::new(&engine());
    let slot = Slot::default();
    let import = host(&island, &[ValType::EXTERNREF], &[], {
        let slot = slot.clone();
        move |island, _| {
            let guest = slot.borrow().unwrap();
            call(island, guest, "seven", &[]).map(|n| n.unwrap()).map_err(|_| HostThrew)
        }
    });
    let text = r#"(module
        (import "host" "f" (func $host (param externref)))
        (func (export "call") (call $host (ref.null extern)))
        (func (export "seven") (result i32) (i32.const 7)))"#;
    let guest = instance(&island, text, &[import.into()]);
    slot.replace(Some(guest));
    island.call_values(func(&island, guest, "call"), &[] as &[Val], &mut []).unwrap();
}
