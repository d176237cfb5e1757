;; A guest that waits in its host's functions. Its allocator gives addresses out in turn and counts what is not freed.
(module
  (type $wait (func (param i32) (result i32)))
  (import "env" "look_up" (func $look_up (param i32) (result i32)))
  (memory (export "memory") 1)
  (table (export "__indirect_function_table") 1 funcref)
  (global $top (mut i32) (i32.const 1024))
  (global $live (mut i32) (i32.const 0))
  (func (export "live") (result i32) (global.get $live))
  (func (export "malloc") (param $size i32) (result i32)
    (global.set $live (i32.add (global.get $live) (i32.const 1)))
    (global.get $top)
    (global.set $top (i32.and (i32.add (i32.add (global.get $top) (local.get $size)) (i32.const 15)) (i32.const -8))))
  ;; What is freed can be told by its contents.
  (func (export "free") (param $block i32)
    (i32.store (local.get $block) (i32.const -1))
    (global.set $live (i32.sub (global.get $live) (i32.const 1))))
  ;; int both(const char *first, const char *second);
  (func (export "both") (param i32 i32) (result i32)
    (i32.add (call $look_up (local.get 0)) (call $look_up (local.get 1))))
  ;; int through(int (*wait)(int), int n);
  (func (export "through") (param i32 i32) (result i32)
    (call_indirect (type $wait) (local.get 1) (local.get 0)))
  ;; void update(int *value, int (*wait)(int)): what the callback makes of it.
  (func (export "update") (param i32 i32)
    (i32.store (local.get 0) (call_indirect (type $wait) (i32.load (local.get 0)) (local.get 1))))
  (func (export "plain") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2))))
