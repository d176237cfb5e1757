//! When two function references are the same function. The key is read from Wasmtime's own structures: this test fails
//! if a new version lays them out differently.

use crate::common::{engine, func, host, instance};
use tombolo_island::wasmtime::{Extern, Func, Val, ValType};
use tombolo_island::{FunctionKey, Island};

const EXPORTS: &str = r#"(module
    (import "host" "f" (func $host (param i32) (result i32)))
    (table (export "table") 3 funcref)
    (elem (i32.const 0) $one $host)
    (func $one (export "one") (export "also one") (param i32) (result i32) (i32.const 1))
    (func (export "two") (param i32) (result i32) (i32.const 1))
    (func (export "get one") (result funcref) (ref.func $one))
    (func (export "get host") (result funcref) (ref.func $host))
    (func (export "pass") (param funcref) (result funcref) (local.get 0))
    (global (export "global") funcref (ref.func $one))
    (export "host" (func $host)))"#;

#[test]
fn one_function_has_one_key_wherever_it_comes_from() {
    let island = Island::new(&engine());
    let key = |func: Func| island.enter(|store| FunctionKey::of(store, func));
    let double = host(&island, &[ValType::I32], &[ValType::I32], |_, n| Ok(n.unwrap() * 2));
    let first = instance(&island, EXPORTS, &[double.into()]);
    let one = func(&island, first, "one");
    // A second module imports it, re-exports it and puts it into its table.
    let second = instance(&island, EXPORTS, &[one.into()]);

    let reference = |instance, name| {
        let mut results = [Val::FuncRef(None)];
        island.call_values(func(&island, instance, name), &[], &mut results).unwrap();
        results[0].unwrap_funcref().copied().unwrap()
    };
    let in_table = |instance: tombolo_island::wasmtime::Instance, index| {
        let table = island.enter(|store| instance.get_table(store, "table")).unwrap();
        *island.enter(|store| table.get(store, index)).unwrap().unwrap_func().unwrap()
    };
    let in_global = |instance: tombolo_island::wasmtime::Instance| {
        let global = island.enter(|store| instance.get_global(store, "global")).unwrap();
        island.enter(|store| global.get(store)).unwrap_funcref().copied().unwrap()
    };
    let passed = |given: Func| {
        let mut results = [Val::FuncRef(None)];
        island.call_values(func(&island, second, "pass"), &[Val::FuncRef(Some(given))], &mut results).unwrap();
        results[0].unwrap_funcref().copied().unwrap()
    };
    for same in [
        func(&island, first, "also one"),
        reference(first, "get one"),
        in_table(first, 0),
        in_global(first),
        func(&island, second, "host"),
        reference(second, "get host"),
        in_table(second, 1),
        passed(one),
    ] {
        assert_eq!(key(same), key(one));
    }
    for same in [func(&island, first, "host"), reference(first, "get host"), in_table(first, 1), passed(double)] {
        assert_eq!(key(same), key(double));
    }
}

#[test]
fn different_functions_have_different_keys() {
    let island = Island::new(&engine());
    let key = |func: Func| island.enter(|store| FunctionKey::of(store, func));
    // The same type and the same code, byte for byte; the same module twice; and the same host type.
    let hosts = [1, 2].map(|n| host(&island, &[ValType::I32], &[ValType::I32], move |_, _| Ok(n)));
    let instances = hosts.map(|host| instance(&island, EXPORTS, &[Extern::Func(host)]));
    let mut keys: Vec<_> = hosts.into_iter().map(key).collect();
    for instance in instances {
        keys.extend(["one", "two"].map(|name| key(func(&island, instance, name))));
    }
    for (at, a) in keys.iter().enumerate() {
        for b in &keys[at + 1..] {
            assert_ne!(a, b);
        }
    }
}

#[test]
fn guest_functions_have_the_index_of_their_module() {
    let island = Island::new(&engine());
    let double = host(&island, &[ValType::I32], &[ValType::I32], |_, n| Ok(n.unwrap() * 2));
    let guest = instance(&island, EXPORTS, &[double.into()]);
    assert_eq!(island.function_index(func(&island, guest, "one")), Some(1));
    assert_eq!(island.function_index(func(&island, guest, "two")), Some(2));
    assert_eq!(island.function_index(double), None);
    assert_eq!(island.function_index(func(&island, guest, "host")), None);
}
