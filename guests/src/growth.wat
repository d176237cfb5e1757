;; growth.wasm: a memory that the guest itself grows, also between two calls to the host.
(module
  (import "host" "look" (func $look))
  (memory (export "memory") 1 64)

  ;; Grows by $pages; the old size in pages, or -1.
  (func $grow (export "grow") (param $pages i32) (result i32)
    (memory.grow (local.get $pages)))

  ;; Lets the host look, grows, lets it look again. The old size in pages, or -1.
  (func (export "look_grow_look") (param $pages i32) (result i32)
    (local $old i32)
    (call $look)
    (local.set $old (call $grow (local.get $pages)))
    (call $look)
    (local.get $old))

  ;; Grows and traps: the growth stays.
  (func (export "grow_and_trap") (param $pages i32)
    (drop (call $grow (local.get $pages)))
    (unreachable))

  (func (export "size") (result i32) (memory.size))
  (func (export "peek") (param $address i32) (result i32) (i32.load8_u (local.get $address)))
  (func (export "poke") (param $address i32) (param $value i32) (i32.store8 (local.get $address) (local.get $value))))
