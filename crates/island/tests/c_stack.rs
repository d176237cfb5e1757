//! C's stack pointer is found in modules of every shape, and nowhere else.

use tombolo_island::wasmtime::{Extern, FuncType, Global, GlobalType, Mutability, Table, TableType, Val, ValType};
use tombolo_island::wasmtime::{HeapType, Memory, MemoryType, Ref, RefType, Tag, TagType};
use tombolo_island::{Callee, Island};

use crate::common::{engine, func, host, module};

/// Whatever can come before a module's own globals, by what is imported and what the module defines.
const SHAPES: &[(&str, &str)] = &[
    ("", ""),
    ("", "(memory 1)"),
    ("", "(memory 1) (memory 2 3 shared) (table 1 funcref) (table 2 externref) (tag) (tag (param i32))"),
    ("", "(memory 1) (func $loops (loop (br 0))) (func $recurses (call $recurses))"),
    ("", "(memory 1 2 shared) (func (drop (memory.atomic.notify (i32.const 0) (i32.const 1))))"),
    ("", "(memory 1) (func (drop (memory.grow (i32.const 0))))"),
    ("", "(global i32 (i32.const 7)) (global (mut v128) (v128.const i64x2 1 2)) (global (mut i32) (i32.const 32))"),
    (r#"(import "" "func" (func))"#, "(memory 1)"),
    (r#"(import "" "global" (global i32))"#, "(memory 1)"),
    (r#"(import "" "table" (table 1 funcref))"#, "(table 3 funcref)"),
    (r#"(import "" "memory" (memory 1))"#, "(memory 1)"),
    (r#"(import "" "tag" (tag))"#, "(tag)"),
    (
        r#"(import "" "func" (func)) (import "" "tag" (tag)) (import "" "memory" (memory 1)) (import "" "func" (func))
            (import "" "table" (table 1 funcref)) (import "" "global" (global i32)) (import "" "global" (global i32))"#,
        "(memory 1) (table 1 funcref) (tag) (global (mut f64) (f64.const 1)) (func $loops (loop (br 0)))",
    ),
];

#[test]
fn it_is_the_instances_own() {
    let engine = engine();
    for &(imports, own) in SHAPES {
        for ty in ["i32", "i64"] {
            let text = format!(
                r#"(module {imports} {own} (global $__stack_pointer (mut {ty}) ({ty}.const 4096))
                    (global (mut i64) (i64.const 4096))
                    (func (export "push")
                      (global.set $__stack_pointer ({ty}.sub (global.get $__stack_pointer) ({ty}.const 48))))
                    (func (export "end") (result {ty}) (global.get $__stack_pointer)))"#
            );
            let module = module(&engine, &text);
            let island = Island::new(&engine);
            let given: Vec<Extern> = module.imports().iter().map(|import| given(&island, &import.name)).collect();
            let [one, other] = [0; 2].map(|_| island.instantiate(&module, &given).unwrap());
            let end = |instance| {
                let mut result = [Val::I32(0)];
                island.call_values(func(&island, instance, "end"), &[], &mut result).unwrap();
                result[0].i64().unwrap_or_else(|| result[0].unwrap_i32().into())
            };
            let push = Callee::new(&island, func(&island, one, "push")).unwrap();
            assert_eq!(island.stack_bytes(&push), Some(4096), "{text}");
            let mark = island.mark_stack(&push);
            for depth in 1..4 {
                island.call_values(push.func(), &[], &mut []).unwrap();
                assert_eq!((end(one), end(other)), (4096 - 48 * depth, 4096), "{text}");
            }
            island.unwind_stack(&push, mark);
            assert_eq!((end(one), end(other)), (4096, 4096), "{text}");
        }
    }
}

fn given(island: &std::rc::Rc<Island>, name: &str) -> Extern {
    if name == "func" {
        return host(island, &[], &[], |_, _| Ok(0)).into();
    }
    let engine = island.engine().wasmtime().clone();
    island.enter(|mut store| match name {
        "global" => {
            let ty = GlobalType::new(ValType::I32, Mutability::Const);
            Global::new(store, ty, Val::I32(16)).unwrap().into()
        }
        "table" => {
            let ty = TableType::new(RefType::new(true, HeapType::Func), 1, None);
            Table::new(&mut store, ty, Ref::Func(None)).unwrap().into()
        }
        "memory" => Memory::new(store, MemoryType::new(1, None)).unwrap().into(),
        "tag" => Tag::new(store, &TagType::new(FuncType::new(&engine, [], []))).unwrap().into(),
        name => unreachable!("{name}"),
    })
}

/// Whether a module has a stack pointer, without a name section.
fn has(text: &str) -> bool {
    let engine = engine();
    let mut bytes = wat::parse_str(text).unwrap();
    if let Some(at) = bytes.windows(5).position(|window| window == b"\x04name") {
        bytes.truncate(at - 2);
    }
    let module = tombolo_island::Module::new(&engine, &bytes).unwrap();
    let island = Island::new(&engine);
    let instance = island.instantiate(&module, &[]).unwrap();
    let callee = Callee::new(&island, func(&island, instance, "f")).unwrap();
    island.stack_bytes(&callee).is_some()
}

#[test]
fn without_names_functions_tell() {
    let prologue = |global: &str, ty: &str| {
        format!(
            "(local $l {ty}) (global.get {global}) ({ty}.const 16) ({ty}.sub) (local.tee $l) (global.set {global})
                (global.set {global} ({ty}.add (local.get $l) ({ty}.const 16)))"
        )
    };
    let one = |init: &str, body: &str| {
        format!(
            r#"(module (memory 1) (global $a {init}) (global $b (mut i32) (i32.const 64)) (func (export "f") {body}))"#
        )
    };
    assert!(has(&one("(mut i32) (i32.const 1024)", &prologue("$a", "i32"))));
    assert!(has(&one("(mut i64) (i64.const 1024)", &prologue("$a", "i64"))));
    // No function moves it.
    assert!(!has(&one("(mut i32) (i32.const 1024)", "")));
    // A counter goes up, or down from what no stack begins at.
    let counts = "(local i32) (global.get $a) (i32.const 1) (i32.add) (local.tee 0) (global.set $a)";
    assert!(!has(&one("(mut i32) (i32.const 1024)", counts)));
    assert!(!has(&one("(mut i32) (i32.const 1025)", &prologue("$a", "i32"))));
    assert!(!has(&one("(mut i32) (i32.const 0)", &prologue("$a", "i32"))));
    // Another is set than was read.
    let other = "(local i32) (global.get $a) (i32.const 16) (i32.sub) (local.tee 0) (global.set $b)";
    assert!(!has(&one("(mut i32) (i32.const 1024)", other)));
    // Two that could be one: neither is.
    let both = format!(
        r#"(module (memory 1) (global $a (mut i32) (i32.const 1024)) (global $b (mut i32) (i32.const 64))
            (func (export "f") {}) (func {}))"#,
        prologue("$a", "i32"),
        prologue("$b", "i32")
    );
    assert!(!has(&both));
}
