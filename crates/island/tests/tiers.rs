//! Large modules that are compiled fast at first and better later, with and without a cache: they behave the same
//! throughout.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tombolo_island::wasmtime::{self, Instance, Val};
use tombolo_island::{
    CallError, CodeCache, Compiler, DeserializeError, Engine, EngineOptions, Interrupter, Island, Module, Tier,
};

use crate::common::{call, func};

/// A module that is large enough to be compiled fast at first, and unlike those of other seeds.
fn large(seed: u32) -> Vec<u8> {
    let mut text = format!(
        r#"(module
        (memory (export "memory") 1 1 shared)
        (data (i32.const 16) "as it was")
        (table 1 funcref)
        (func $seed (export "seed") (result i32) (i32.const {seed}))
        (func (export "loop") (loop (br 0)))
        (func (export "wait") (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))
        (func (export "trap") (result i32) (loop (nop)) (call $unreachable) (i32.const 0))
        (func $unreachable (loop (nop)) (unreachable))"#
    );
    for number in 0..2500 {
        text.push_str(&format!(
            r#"(func (export "f{number}") (param i32) (result i32) (local i32)
            (loop (local.set 1 (i32.add (local.get 1) (i32.const {number}))) (br_if 0 (i32.eqz (local.get 1))))
            (i32.mul (i32.load8_u (i32.const 16)) (i32.add (local.get 0) (local.get 1))))"#
        ));
    }
    let bytes = wat::parse_str(text + ")").unwrap();
    assert!(bytes.len() > 100 << 10);
    bytes
}

/// A folder for a cache, which is removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("tombolo-tiers-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(std::env::temp_dir().join(name))
    }

    fn engine(&self, compiler: Compiler) -> Engine {
        let cache = CodeCache::new(&self.0, 1 << 30, |warning| panic!("{warning}"));
        engine(compiler, Some(Arc::new(cache)))
    }

    fn tiers(&self) -> Vec<Tier> {
        let cache = CodeCache::new(&self.0, 1 << 30, |warning| panic!("{warning}"));
        cache.entries().unwrap().iter().map(|entry| entry.module.unwrap().1).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn engine(compiler: Compiler, cache: Option<Arc<CodeCache>>) -> Engine {
    Engine::new(&EngineOptions { compiler, cache, ..EngineOptions::default() }).unwrap()
}

/// Returns when new instances use optimized code.
fn until_optimized(module: &Module) {
    let start = Instant::now();
    while module.tier() != Tier::Optimized {
        // Only a fault takes this long.
        assert!(start.elapsed() < Duration::from_secs(300), "it was never optimized");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Checks what an instance does: results, traps and where they come from, and that loops and waits can be stopped.
fn check(island: &Rc<Island>, instance: Instance, seed: u32) {
    assert_eq!(call(island, instance, "seed", &[]).unwrap(), Some(seed.cast_signed()));
    for number in [1, 2, 1777, 2499] {
        // The letter comes from the data segment.
        let expected = i32::from(b'a') * (5 + number);
        assert_eq!(call(island, instance, &format!("f{number}"), &[5]).unwrap(), Some(expected));
        let index = island.function_index(func(island, instance, &format!("f{number}")));
        assert_eq!(index, Some(5 + number.cast_unsigned()));
    }
    let Err(CallError::Trap(trap)) = call(island, instance, "trap", &[]) else { panic!("a trap") };
    assert_eq!(trap.code, Some(wasmtime::Trap::UnreachableCodeReached));
    let frames: Vec<_> = trap.frames.iter().map(|frame| (frame.function.as_deref(), frame.index)).collect();
    assert_eq!(frames, [(Some("unreachable"), 4), (Some("trap"), 3)]);
    for name in ["loop", "wait"] {
        let interrupter = Interrupter::current();
        let other = std::thread::spawn(move || interrupter.interrupt());
        assert!(matches!(call(island, instance, name, &[]), Err(CallError::Interrupted)));
        other.join().unwrap();
        Interrupter::current().clear();
    }
}

/// The offsets in a trap's stack, which must be the module's own in each tier.
fn offsets(island: &Rc<Island>, instance: Instance) -> Vec<Option<usize>> {
    let Err(CallError::Trap(trap)) = call(island, instance, "trap", &[]) else { panic!("a trap") };
    trap.frames.iter().map(|frame| frame.offset).collect()
}

#[test]
fn instances_of_both_tiers_do_the_same_side_by_side() {
    let engine = engine(Compiler::Tiered, None);
    let module = Module::new(&engine, &large(1)).unwrap();
    assert_eq!(module.tier(), Tier::Fast);
    let island = Island::new(&engine);
    let first = island.instantiate(&module, &[]).unwrap();
    check(&island, first, 1);
    until_optimized(&module);
    let second = island.instantiate(&module, &[]).unwrap();
    check(&island, second, 1);
    check(&island, first, 1);
    assert_eq!(offsets(&island, first), offsets(&island, second));
    let optimizing = self::engine(Compiler::Optimizing, None);
    let other = Island::new(&optimizing);
    let at_once = Module::new(&optimizing, &large(1)).unwrap();
    assert_eq!(at_once.tier(), Tier::Optimized);
    let at_once = other.instantiate(&at_once, &[]).unwrap();
    assert_eq!(offsets(&island, first), offsets(&other, at_once));
    // A function keeps its index and its result after the module has been compiled again.
    let function = func(&island, first, "seed");
    assert_eq!(island.function_index(function), Some(0));
    let mut result = [Val::I32(0)];
    island.call_values(function, &[], &mut result).unwrap();
    assert_eq!(result[0].i32(), Some(1));
}

#[test]
fn what_was_optimized_is_kept_in_place_of_what_was_not() {
    let folder = Folder::new();
    let engine = folder.engine(Compiler::Tiered);
    let module = Module::new(&engine, &large(2)).unwrap();
    assert_eq!((module.tier(), folder.tiers()), (Tier::Fast, vec![Tier::Fast]));
    // Another program that starts in the meantime begins with what is there.
    let other = folder.engine(Compiler::Tiered);
    let again = Module::new(&other, &large(2)).unwrap();
    assert_eq!(again.tier(), Tier::Fast);
    let island = Island::new(&other);
    check(&island, island.instantiate(&again, &[]).unwrap(), 2);
    until_optimized(&again);
    assert_eq!((module.tier(), folder.tiers()), (Tier::Fast, vec![Tier::Optimized]));
    // And the next one begins with the best code.
    let next = folder.engine(Compiler::Tiered);
    let module = Module::new(&next, &large(2)).unwrap();
    assert_eq!(module.tier(), Tier::Optimized);
    let island = Island::new(&next);
    check(&island, island.instantiate(&module, &[]).unwrap(), 2);
}

#[test]
fn who_wants_optimized_code_is_not_given_any_other() {
    let folder = Folder::new();
    Module::new(&folder.engine(Compiler::Tiered), &large(3)).unwrap();
    assert_eq!(folder.tiers(), [Tier::Fast]);
    let engine = folder.engine(Compiler::Optimizing);
    let module = Module::new(&engine, &large(3)).unwrap();
    assert_eq!((module.tier(), folder.tiers()), (Tier::Optimized, vec![Tier::Optimized]));
    let island = Island::new(&engine);
    check(&island, island.instantiate(&module, &[]).unwrap(), 3);
    // An engine that always compiles fast has entries of its own.
    let engine = folder.engine(Compiler::Fast);
    let module = Module::new(&engine, &large(3)).unwrap();
    assert_eq!(module.tier(), Tier::Fast);
    assert_eq!(folder.tiers().len(), 2);
    let island = Island::new(&engine);
    check(&island, island.instantiate(&module, &[]).unwrap(), 3);
}

#[test]
fn the_same_bytes_are_compiled_once_for_all_threads() {
    let engine = engine(Compiler::Optimizing, None);
    let bytes = large(4);
    let modules: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| Module::new(&engine, &bytes).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(modules.windows(2).all(|pair| wasmtime::Module::same(pair[0].wasmtime(), pair[1].wasmtime())));
    let other = Module::new(&engine, &large(5)).unwrap();
    assert!(!wasmtime::Module::same(modules[0].wasmtime(), other.wasmtime()));
    // Errors are not remembered as modules.
    for _ in 0..2 {
        assert!(Module::new(&engine, &bytes[..bytes.len() - 1]).is_err());
    }
}

#[test]
fn small_modules_are_not_kept() {
    let folder = Folder::new();
    let engine = folder.engine(Compiler::Optimizing);
    let module = wat::parse_str("(module (func (export \"f\") (result i32) (i32.const 1)))").unwrap();
    assert_eq!(Module::new(&engine, &module).unwrap().exports().len(), 1);
    assert!(!folder.0.exists(), "and no folder is made for them");
}

#[test]
fn an_engine_leaves_the_modules_of_another_alone() {
    let folder = Folder::new();
    let here = engine(Compiler::Tiered, None);
    let there = folder.engine(Compiler::Tiered);
    let module = Module::new(&here, &large(6)).unwrap();
    assert!(Island::new(&there).instantiate(&module, &[]).is_err());
    let island = Island::new(&here);
    check(&island, island.instantiate(&module, &[]).unwrap(), 6);
    until_optimized(&module);
    assert!(folder.tiers().is_empty());
    check(&island, island.instantiate(&module, &[]).unwrap(), 6);
}

#[test]
fn exports_are_put_in_order_only_if_there_is_room() {
    // Each export counts as much as its type, and there is a limit for all together.
    let params = "i32 ".repeat(9);
    let functions: String = (0..90_000).map(|number| format!("(export \"{number}\" (func 0))")).collect();
    let globals = "(global i32 (i32.const 0))".repeat(20_000);
    let bytes = wat::parse_str(format!("(module (func (param {params})) {globals} {functions})")).unwrap();
    let engine = engine(Compiler::Optimizing, None);
    assert!(Module::validate(&engine, &bytes));
    assert_eq!(Module::new(&engine, &bytes).unwrap().exports().len(), 90_000);
}

#[test]
fn a_thread_of_rayons_does_not_wait_for_itself() {
    let engine = engine(Compiler::Fast, None);
    let modules = [large(7), large(8)];
    // Each thread does whatever there is to do while it waits for the compiler's own work.
    rayon_core::scope(|scope| {
        for number in 0..16 {
            let (engine, bytes) = (&engine, &modules[number % 2]);
            scope.spawn(move |_| assert!(Module::new(engine, bytes).is_ok()));
        }
    });
}

#[test]
fn a_module_that_waits_for_its_start_function_comes_from_the_cache_whole() {
    let folder = Folder::new();
    let padding = "(drop (i32.const 7))".repeat(300);
    let text = format!(
        r#"(module (memory (export "memory") 1 1 shared) (data (i32.const 8) "\2a")
        (func $start (drop (memory.atomic.notify (i32.const 0) (i32.const 1))) {padding}
            (i32.store (i32.const 0) (i32.load (i32.const 8))))
        (func (export "get") (result i32) (i32.load (i32.const 0)))
        (start $start))"#
    );
    let bytes = wat::parse_str(text).unwrap();
    for _ in 0..3 {
        let engine = folder.engine(Compiler::Optimizing);
        let island = Island::new(&engine);
        let instance = island.instantiate(&Module::new(&engine, &bytes).unwrap(), &[]).unwrap();
        assert_eq!(call(&island, instance, "get", &[]).unwrap(), Some(0x2a));
        assert_eq!(folder.tiers(), [Tier::Optimized]);
    }
    // The file is used, not written again.
    let file = std::fs::read_dir(&folder.0).unwrap().next().unwrap().unwrap().path();
    let before = std::fs::metadata(&file).unwrap().ino();
    Module::new(&folder.engine(Compiler::Optimizing), &bytes).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().ino(), before);
}

#[test]
fn precompiled_code_is_for_the_module_and_the_options_that_it_was_made_with() {
    let folder = Folder::new();
    std::fs::create_dir_all(&folder.0).unwrap();
    let (file, module) = (folder.0.join("code"), large(7));
    std::fs::write(&file, engine(Compiler::Optimizing, None).precompile_module(&module).unwrap()).unwrap();
    let engine = folder.engine(Compiler::Tiered);
    // SAFETY: the file was made just now, and nobody changes it.
    unsafe { engine.deserialize_file(&file) }.unwrap();
    let (island, compiled) = (Island::new(&engine), Module::new(&engine, &module).unwrap());
    assert_eq!(compiled.tier(), Tier::Optimized);
    assert!(folder.tiers().is_empty(), "it was not compiled");
    let instance = island.instantiate(&compiled, &[]).unwrap();
    check(&island, instance, 7);
    assert_eq!(Module::new(&engine, &large(8)).unwrap().tier(), Tier::Fast);
    let options = EngineOptions { interruptible: false, ..EngineOptions::default() };
    // SAFETY: as above.
    let other = unsafe { Engine::new(&options).unwrap().deserialize_file(&file) };
    assert!(matches!(other, Err(DeserializeError::OtherBuild)));
    assert!(engine.precompile_module(b"no module").is_err());
}
