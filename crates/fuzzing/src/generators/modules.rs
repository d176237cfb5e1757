//! WebAssembly modules as expressions of a program.

use std::sync::LazyLock;

use arbitrary::Unstructured;
use wasm_smith::{Config, Module};

use crate::random::Random;

/// Small modules that do what no random module would: call back, grow, wait, loop, throw, recurse.
const HANDMADE: [&str; 16] = [
    "(module)",
    r#"(module (import "m" "f" (func $f (param i32) (result i32))) (memory (export "memory") 1 10)
        (func (export "run") (param i32) (result i32) (drop (memory.grow (i32.const 1)))
        (i32.add (call $f (local.get 0)) (i32.load8_u (local.get 0)))))"#,
    r#"(module (import "m" "memory" (memory 1 20 shared)) (func (export "wait") (param i32 i32 i64) (result i32)
        (memory.atomic.wait32 (local.get 0) (local.get 1) (local.get 2))) (func (export "notify") (param i32 i32) (result i32)
        (memory.atomic.notify (local.get 0) (local.get 1))) (func (export "grow") (param i32) (result i32)
        (memory.grow (local.get 0))))"#,
    r#"(module (func (export "loop") (loop (br 0))) (func $r (export "recurse") (param i32) (result i32)
        (i32.add (i32.const 1) (call $r (local.get 0)))))"#,
    r#"(module (import "m" "f" (func $f (param externref) (result externref))) (table (export "table") 2 1000 externref)
        (func (export "run") (param externref) (result externref) (table.set (i32.const 1) (call $f (local.get 0)))
        (drop (table.grow (local.get 0) (i32.const 3))) (table.get (i32.const 1))))"#,
    r#"(module (import "m" "tag" (tag $t (param i32))) (import "m" "f" (func $f (param i32) (result i32)))
        (func (export "throw") (param i32) (throw $t (local.get 0)))
        (func (export "run") (param i32) (result i32) (block $h (result i32) (try_table (result i32) (catch $t $h)
        (call $f (local.get 0))))))"#,
    r#"(module (import "m" "f" (func $f (param i32) (result i32))) (func (export "run") (param i32) (result exnref)
        (block $h (result exnref) (try_table (catch_all_ref $h) (drop (call $f (local.get 0)))) (unreachable)))
        (func (export "again") (param exnref) (throw_ref (local.get 0))))"#,
    r#"(module (import "m" "g" (global $g (mut i32))) (global (export "h") (mut i64) (i64.const -1))
        (global (export "e") (mut externref) (ref.null extern)) (global (export "a") (mut anyref) (ref.null any))
        (func (export "run") (param i32) (result i32) (global.set $g (local.get 0)) (global.get $g)))"#,
    r#"(module (import "m" "table" (table 1 funcref)) (type $t (func (param i32) (result i32)))
        (func $own (type $t) (local.get 0)) (elem (i32.const 0) func $own) (func (export "run") (param i32) (result i32)
        (call_indirect (type $t) (local.get 0) (i32.const 0))))"#,
    r#"(module (memory (export "memory") i64 1 100) (func (export "run") (param i32) (result i32)
        (i32.wrap_i64 (memory.grow (i64.extend_i32_s (local.get 0))))) (func (export "store") (param i64 i32)
        (i32.store (local.get 0) (local.get 1))))"#,
    r#"(module (type $s (struct (field (mut i32)) (field (mut (ref null $s))))) (type $a (array (mut i8)))
        (func (export "struct") (param i32) (result (ref $s)) (struct.new $s (local.get 0) (ref.null $s)))
        (func (export "run") (param i32) (result anyref) (ref.i31 (local.get 0)))
        (func (export "array") (param i32) (result (ref $a)) (array.new $a (i32.const 7) (local.get 0)))
        (func (export "len") (param (ref null $a)) (result i32) (array.len (local.get 0)))
        (func (export "same") (param anyref) (result anyref) (local.get 0)))"#,
    r#"(module (import "m" "f" (func $f (param i32) (result i32))) (start $s) (func $s (drop (call $f (i32.const 1))))
        (memory (export "memory") 1) (data (i32.const 65530) "abcdef"))"#,
    r#"(module (import "m" "f" (func $f (param i32 i64 f32 f64 externref) (result i32 i64 f32 f64 externref)))
        (func (export "run") (param i32 i64 f32 f64 externref) (result i32 i64 f32 f64 externref)
        (call $f (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4))) (export "again" (func $f)))"#,
    r#"(module (import "m" "memory" (memory 1)) (func (export "run") (param i32) (result i32)
        (memory.fill (local.get 0) (i32.const 7) (i32.const 100)) (memory.grow (i32.const 1))))"#,
    r#"(module (func (export "v") (result v128) (v128.const i64x2 1 2)) (func (export "run") (param funcref) (result funcref)
        (local.get 0)) (memory (export "m1") 1) (memory (export "m2") 0 0) (table (export "t") 3 funcref)
        (export "m3" (memory 1)))"#,
    r#"(module (import "wasm:js-string" "concat" (func $c (param externref externref) (result (ref extern))))
        (import "wasm:js-string" "length" (func $l (param externref) (result i32))) (import "m" "f" (func $f (param i32) (result i32)))
        (func (export "run") (param externref) (result i32) (local $i i32) (loop $again
        (local.set 0 (call $c (local.get 0) (local.get 0))) (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $i) (i32.const 30)))) (drop (call $f (i32.const 1))) (call $l (local.get 0))))"#,
];

fn expression(bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("hex('{hex}')")
}

/// One of the modules above.
pub(super) fn handmade(random: &mut Random) -> String {
    static BINARIES: LazyLock<Vec<Vec<u8>>> =
        LazyLock::new(|| HANDMADE.map(|text| wat::parse_str(text).expect("these modules are right")).into());
    let mut bytes = random.pick(&BINARIES).clone();
    if random.percent(4) {
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(8);
    }
    expression(&bytes)
}

/// A random module. It may import anything and run for ever.
pub(super) fn smith(random: &mut Random) -> String {
    let config = Config {
        allow_start_export: true,
        disallow_traps: random.percent(30),
        export_everything: true,
        max_funcs: 8,
        max_imports: 5,
        max_memories: 3,
        max_tables: 3,
        max_tags: 3,
        max_types: 8,
        min_funcs: 1,
        simd_enabled: random.percent(20),
        threads_enabled: random.percent(20),
        max_memory32_bytes: 1 << 32,
        max_memory64_bytes: 1 << 40,
        // Programs stay short enough to be read.
        max_instructions: 60,
        max_data_segments: 2,
        max_element_segments: 2,
        ..Config::default()
    };
    let entropy = random.bytes(1024);
    match Module::new(config, &mut Unstructured::new(&entropy)) {
        Ok(module) => expression(&module.to_bytes()),
        Err(_) => handmade(random),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_modules() {
        let mut random = Random::new(1, 1);
        for _ in 0..100 {
            assert!(smith(&mut random).starts_with("hex('0061736d"));
            assert!(handmade(&mut random).starts_with("hex('"));
        }
    }
}
