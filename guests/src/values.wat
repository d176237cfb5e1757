;; values.wasm: what C has no words for: several results, references, 64-bit integers in globals and tables.
(module
  (type $nullary (func (result i32)))
  (import "host" "pair" (func $pair (param i32) (result i64 f64)))
  (import "host" "pass" (func $pass (param externref) (result externref)))

  (table $things (export "things") 2 8 externref)
  (table $functions (export "functions") 2 8 funcref)
  (global $thing (export "thing") (mut externref) (ref.null extern))
  (global $count (export "count") (mut i64) (i64.const 0))
  (elem (table $functions) (i32.const 0) func $forty_two)

  (func $forty_two (export "forty_two") (type $nullary) (i32.const 42))

  ;; Several results, out and in.
  (func (export "swap") (param i32 i64) (result i64 i32) (local.get 1) (local.get 0))
  (func (export "ask_pair") (param i32) (result f64 i64)
    (local $first i64) (local $second f64)
    (call $pair (local.get 0))
    (local.set $second)
    (local.set $first)
    (local.get $second)
    (local.get $first))

  ;; 64-bit integers.
  (func (export "add_i64") (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1)))
  (func (export "bump") (result i64)
    (global.set $count (i64.add (global.get $count) (i64.const 1)))
    (global.get $count))

  ;; Host values: passed on, kept, asked for null.
  (func (export "same") (param externref) (result externref) (local.get 0))
  (func (export "through_host") (param externref) (result externref) (call $pass (local.get 0)))
  (func (export "is_null") (param externref) (result i32) (ref.is_null (local.get 0)))
  (func (export "keep") (param $slot i32) (param $thing externref)
    (table.set $things (local.get $slot) (local.get $thing)))
  (func (export "kept") (param $slot i32) (result externref) (table.get $things (local.get $slot)))
  (func (export "keep_more") (param $thing externref) (param $slots i32) (result i32)
    (table.grow $things (local.get $thing) (local.get $slots)))

  ;; Functions as values.
  (func (export "pick") (param $slot i32) (result funcref) (table.get $functions (local.get $slot)))
  (func (export "put") (param $slot i32) (param $function funcref)
    (table.set $functions (local.get $slot) (local.get $function)))
  (func (export "call_slot") (param $slot i32) (result i32) (call_indirect $functions (type $nullary) (local.get $slot))))
