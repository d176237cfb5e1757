//! What Wasmtime panics at: using objects of one store with another, using types and modules of another engine, and
//! entering a store twice. Here, each is an error.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::common::{call, engine, func, host, instance, module};
use tombolo_island::call::{Frame, HostFrame, Number};
use tombolo_island::new_block;
use tombolo_island::wasi::{self, PREVIEW1, Precedence, WasiConfig, WasiContext, WasiError};
use tombolo_island::wasmtime::{
    AnyRef, ArrayRef, ArrayRefPre, ArrayType, ExnRef, ExnRefPre, ExnType, Extern, ExternRef, FieldType, Func, FuncType,
    Global, GlobalType, I31, Instance, Memory, MemoryType, Mutability, OwnedRooted, RefType, RootScope, StorageType,
    Tag, TagType, Val, ValType,
};
use tombolo_island::{
    CallError, Callee, DataBlock, Engine, HostFunction, HostThrew, InstantiateError, Island, StoreObject,
};

const ALL: &str = r#"(module
    (memory (export "memory") 1) (table (export "table") 1 funcref)
    (global (export "global") (mut i32) (i32.const 0)) (tag (export "tag") (param i32))
    (func (export "double") (param i32) (result i32) (i32.add (local.get 0) (local.get 0)))
    (func (export "free") (param i32))
    (func (export "pass") (param funcref) (result funcref) (local.get 0))
    (func (export "keep") (param externref) (result externref) (local.get 0)))"#;

fn two() -> [(Rc<Island>, Instance); 2] {
    let engine = engine();
    [(), ()].map(|()| {
        let island = Island::new(&engine);
        let guest = instance(&island, ALL, &[]);
        (island, guest)
    })
}

fn memory(island: &Island, guest: Instance) -> Memory {
    island.enter(|store| guest.get_memory(store, "memory")).unwrap()
}

fn exception(island: &Island) -> OwnedRooted<ExnRef> {
    island.enter(|store| {
        let mut scope = RootScope::new(store);
        let ty = FuncType::new(island.engine().wasmtime(), [ValType::I32], []);
        let tag = Tag::new(&mut scope, &TagType::new(ty.clone())).unwrap();
        let pre = ExnRefPre::new(&mut scope, ExnType::from_tag_type(&TagType::new(ty)).unwrap());
        let exception = ExnRef::new(&mut scope, &pre, &tag, &[Val::I32(1)]).unwrap();
        exception.to_owned_rooted(&mut scope).unwrap()
    })
}

fn says_foreign(error: CallError) {
    assert!(matches!(&error, CallError::Trap(trap) if trap.message.contains("another island")), "{error}");
}

#[test]
fn everything_says_whose_it_is() {
    let [(here, one), (there, two)] = two();
    let check = |object: &dyn Fn(&Island, Instance) -> Vec<bool>| {
        assert!(object(&here, one).iter().all(|&owned| owned));
        assert!(!object(&here, two).iter().any(|&owned| owned));
        assert!(object(&there, two).iter().all(|&owned| owned));
    };
    check(&|island, guest| {
        let of = if guest == one { &here } else { &there };
        of.enter(|mut store| {
            let mut owned = vec![island.owns(&guest)];
            for export in ["memory", "table", "global", "tag", "double"] {
                owned.push(match guest.get_export(&mut store, export).unwrap() {
                    Extern::Memory(it) => island.owns(&it),
                    Extern::Table(it) => island.owns(&it),
                    Extern::Global(it) => island.owns(&it),
                    Extern::Tag(it) => island.owns(&it),
                    Extern::Func(it) => island.owns(&it) && island.owns(&Val::FuncRef(Some(it))),
                    Extern::SharedMemory(_) => unreachable!(),
                });
            }
            let external = ExternRef::new(&mut store, 1).unwrap();
            let any = AnyRef::from_i31(&mut store, I31::wrapping_i32(1));
            owned.extend([island.owns::<ExternRef>(&external), island.owns(&Val::ExternRef(Some(external)))]);
            owned.extend([island.owns::<AnyRef>(&any), island.owns(&Val::AnyRef(Some(any)))]);
            owned
        })
    });
    assert!(here.owns::<ExnRef>(&exception(&here)) && !here.owns::<ExnRef>(&exception(&there)));
    for of_all in [Val::I32(1), Val::V128(0.into()), Val::FuncRef(None), Val::ExternRef(None)] {
        assert_eq!(of_all.store_number(), None);
        assert!(here.owns(&of_all));
    }
    // An object that Wasmtime makes without an instance.
    let global = |of: &Island| of.enter(|s| Global::new(s, GlobalType::new(ValType::I32, Mutability::Const), 1.into()));
    assert!(here.owns(&global(&here).unwrap()) && !here.owns(&global(&there).unwrap()));
}

#[test]
fn functions_of_another_island_are_not_called() {
    let [(here, one), (there, two)] = two();
    let foreign = func(&there, two, "double");
    assert!(Callee::new(&here, foreign).is_none());
    assert_eq!(here.function_index(foreign), None);
    says_foreign(here.call_values(foreign, &[Val::I32(1)], &mut [Val::I32(0)]).unwrap_err());
    let callee = Callee::new(&there, foreign).unwrap();
    let mut frame = Frame::new(callee.numeric().unwrap());
    frame.push_i32(4);
    says_foreign(here.call_numeric(&callee, &mut frame).unwrap_err());
    let free = Callee::new(&there, func(&there, two, "free")).unwrap();
    says_foreign(here.call_address(&free, 64).unwrap_err().explain(&here, free.func()));
    let pass = Callee::new(&there, func(&there, two, "pass")).unwrap();
    says_foreign(here.call_with(&pass, |_| Ok([Val::FuncRef(None)][..].into()), |_, _| ()).unwrap_err());
    assert_eq!(call(&here, one, "double", &[4]).unwrap(), Some(8), "the island goes on");
    there.call_numeric(&callee, &mut frame).unwrap();
}

#[test]
fn values_of_another_island_are_not_passed() {
    let [(here, one), (there, two)] = two();
    let foreign = Val::FuncRef(Some(func(&there, two, "double")));
    let pass = func(&here, one, "pass");
    here.call_values(pass, &[foreign], &mut [Val::I32(0)]).unwrap_err();
    let external = there.enter(|store| ExternRef::new(store, 1)).unwrap();
    for (name, value) in [("pass", foreign), ("keep", Val::ExternRef(Some(external)))] {
        let callee = Callee::new(&here, func(&here, one, name)).unwrap();
        let refused = here.call_with(&callee, |_| Ok([value][..].into()), |_, _| ());
        assert!(refused.unwrap_err().to_string().contains("do not fit"));
    }
}

/// Returns the values that it holds.
struct Returns(Val);

impl HostFunction for Returns {
    fn call_numeric(&self, _: &Rc<Island>, _: &mut HostFrame<'_>) -> Result<(), HostThrew> {
        Ok(())
    }

    fn call_values(&self, _: &Rc<Island>, _: &[Val], results: &mut [Val]) -> Result<(), HostThrew> {
        results[0] = self.0;
        Ok(())
    }
}

#[test]
fn what_a_host_function_returns_is_looked_at() {
    let [(here, _), (there, two)] = two();
    let other = Val::FuncRef(Some(func(&there, two, "double")));
    let external = Val::ExternRef(Some(there.enter(|store| ExternRef::new(store, 1)).unwrap()));
    let typed = |ty: ValType| FuncType::new(here.engine().wasmtime(), [], [ty]);
    let run = |ty: ValType, val: Val| {
        let function = here.new_function(typed(ty), Rc::new(Returns(val))).unwrap();
        here.call_values(function, &[], &mut [Val::I32(0)]).unwrap_err().to_string()
    };
    assert!(run(ValType::FUNCREF, other).contains("do not fit the function's type"));
    assert!(run(ValType::EXTERNREF, external).contains("do not fit the function's type"));
    // It leaves out a result.
    assert!(run(ValType::I32, Val::I32(0)).contains("left results out"));
}

#[test]
fn memories_of_another_island_have_no_block_here() {
    let [(here, one), (there, two)] = two();
    assert!(here.block_of(memory(&here, one)).is_some());
    assert!(here.block_of(memory(&there, two)).is_none());
    let context = WasiContext::new(WasiConfig::default()).unwrap();
    let (foreign, own) = (Extern::from(memory(&there, two)), Extern::from(memory(&here, one)));
    let refused = here.wasi_memory(&context, foreign.clone(), Precedence::Always).unwrap_err();
    assert!(matches!(refused, WasiError::NoMemory), "{refused}");
    here.wasi_memory(&context, own.clone(), Precedence::Always).unwrap();
    let random = wasi::functions(PREVIEW1).iter().find(|function| function.name() == "random_get").unwrap();
    let mut frame = Frame::new(random.ty());
    frame.push_i32(0);
    frame.push_i32(8);
    here.wasi_call(&context, Some(&foreign), random, &frame).unwrap_err();
    assert_eq!(here.wasi_call(&context, Some(&own), random, &frame).unwrap(), Some(Number::I32(0)));
}

#[test]
fn imports_of_another_island_do_not_link() {
    let [(here, _), (there, two)] = two();
    let text = r#"(module (import "a" "double" (func (param i32) (result i32))))"#;
    let module = module(here.engine(), text);
    let refused = here.instantiate(&module, &[func(&there, two, "double").into()]).unwrap_err();
    assert!(matches!(refused, InstantiateError::Link(_)), "{refused}");
}

#[test]
fn modules_and_types_of_another_engine_do_not_link() {
    let island = Island::new(&engine());
    let other: Engine = engine();
    let refused = island.instantiate(&module(&other, ALL), &[]).unwrap_err();
    assert!(matches!(refused, InstantiateError::Link(_)), "{refused}");
    let ty = FuncType::new(other.wasmtime(), [ValType::Ref(RefType::FUNCREF)], []);
    assert!(island.new_function(ty, Rc::new(Returns(Val::I32(0)))).is_none());
}

#[test]
fn exceptions_of_another_island_are_not_thrown() {
    let [(here, _), (there, _)] = two();
    let text = r#"(module (import "a" "throw" (func $throw))
        (func (export "caught") (result i32)
            (block $caught (try_table (catch_all $caught) (call $throw)) (return (i32.const 0))) (i32.const 1)))"#;
    for (of, caught) in [(&here, true), (&there, false)] {
        let exception = exception(of);
        let throw = host(&here, &[], &[], move |island, _| Err(island.throw(&exception)));
        let guest = instance(&here, text, &[throw.into()]);
        match call(&here, guest, "caught", &[]) {
            Ok(result) => assert!(caught && result == Some(1)),
            Err(error) => assert!(!caught && matches!(error, CallError::Host), "{error}"),
        }
    }
}

#[test]
fn arrays_of_another_island_are_not_copied() {
    let [(here, _), (there, _)] = two();
    let ty = ArrayType::new(there.engine().wasmtime(), FieldType::new(Mutability::Var, StorageType::I16));
    let array = there.enter(|mut store| {
        let pre = ArrayRefPre::new(&mut store, ty);
        ArrayRef::new(&mut store, &pre, &Val::I32(0), 4).unwrap()
    });
    here.read_units(array, 0, 4).unwrap_err();
    here.write_units(array, 0, [1]).unwrap_err();
    assert_eq!(there.read_units(array, 0, 4).unwrap(), [0; 4]);
}

thread_local! {
    static ISLAND: RefCell<Option<(Rc<Island>, Func)>> = const { RefCell::new(None) };
    static SEEN: Cell<bool> = const { Cell::new(false) };
}

#[test]
fn a_function_that_cannot_call_back_is_told_so() {
    let [(here, one), _] = two();
    let double = func(&here, one, "double");
    ISLAND.set(Some((here.clone(), double)));
    let back = || {
        let (island, double) = ISLAND.with_borrow(|island| island.clone().unwrap());
        assert!(!island.can_enter());
        let error = island.call_values(double, &[Val::I32(1)], &mut [Val::I32(0)]).unwrap_err();
        assert!(error.to_string().contains("in use further up"), "{error}");
        SEEN.set(true);
    };
    let import = here.enter(|store| Func::wrap(store, back));
    let text = r#"(module (import "a" "back" (func $back)) (func (export "run") (call $back)))"#;
    let guest = instance(&here, text, &[import.into()]);
    call(&here, guest, "run", &[]).unwrap();
    assert!(SEEN.get());
    ISLAND.set(None);
    assert_eq!(call(&here, one, "double", &[2]).unwrap(), Some(4));
}

#[test]
fn a_memory_takes_no_block_of_another_shape() {
    let island = Island::new(&engine());
    let ty = MemoryType::new(1, Some(4));
    island.new_memory(ty.clone(), new_block(&ty).unwrap()).unwrap();
    let small = DataBlock::new(65_536, 4 * 65_536, 0).unwrap();
    island.new_memory(ty.clone(), small).unwrap_err();
    let unguarded = DataBlock::new(65_536, new_block(&ty).unwrap().capacity(), 0).unwrap();
    island.new_memory(ty, unguarded).unwrap_err();
}

#[test]
fn wasi_works_on_memories_of_any_kind() {
    for memory in ["65536 (pagesize 1)", "0 (pagesize 1)", "i64 1", "0 0", "1 3 shared"] {
        let island = Island::new(&engine());
        let text = format!(r#"(module (memory (export "memory") {memory}))"#);
        let guest = instance(&island, &text, &[]);
        let memory = island.enter(|store| guest.get_export(store, "memory")).unwrap();
        let context = WasiContext::new(WasiConfig::default()).unwrap();
        let random = wasi::functions(PREVIEW1).iter().find(|function| function.name() == "random_get").unwrap();
        let mut frame = Frame::new(random.ty());
        frame.push_i32(0);
        frame.push_i32(0);
        assert_eq!(island.wasi_call(&context, Some(&memory), random, &frame).unwrap(), Some(Number::I32(0)));
    }
}

#[test]
fn a_guest_of_small_pages_polls() {
    let island = Island::new(&engine());
    let context = WasiContext::new(WasiConfig::default()).unwrap();
    let poll = island.wasi_function(&context, PREVIEW1, "poll_oneoff").unwrap();
    let text = r#"(module (import "a" "poll" (func $poll (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 512 (pagesize 1))
        (func (export "poll") (param i32) (result i32)
            (call $poll (i32.const 0) (i32.const 256) (local.get 0) (i32.const 500))))"#;
    let guest = instance(&island, text, &[poll.into()]);
    // Two clocks, both with the time 0.
    assert_eq!(call(&island, guest, "poll", &[2]).unwrap(), Some(0));
    assert_ne!(call(&island, guest, "poll", &[0]).unwrap(), Some(0), "none is invalid");
}
