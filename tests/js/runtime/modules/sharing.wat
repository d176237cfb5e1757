;; Imports from a WebAssembly module what another one exports: directly, and through a JavaScript module.
(module
  (import "./counter.wasm" "count" (global $count (mut i32)))
  (import "./handed-on.mjs" "total" (global $total (mut i32)))
  (import "./handed-on.mjs" "answer" (global $answer i64))
  (import "./handed-on.mjs" "memory" (memory 1))
  (import "./handed-on.mjs" "grow" (func $grow (result i32)))
  (export "again" (global $total))
  (export "grow" (func $grow))
  (func (export "read") (result i32 i32) (global.get $count) (global.get $total))
  (func (export "answer") (result i64) (global.get $answer))
  (func (export "set") (param i32) (global.set $total (local.get 0))))
