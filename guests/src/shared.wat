;; shared.wasm: what agents do to each other through one shared memory, imported from the host.
(module
  (import "env" "memory" (memory 1 64 shared))

  (func (export "load") (param $address i32) (result i32) (i32.atomic.load (local.get $address)))
  (func (export "store") (param $address i32) (param $value i32)
    (i32.atomic.store (local.get $address) (local.get $value)))
  ;; Adds and returns what was there before.
  (func (export "add") (param $address i32) (param $value i32) (result i32)
    (i32.atomic.rmw.add (local.get $address) (local.get $value)))
  ;; Adds 1 so many times: a loop for several agents to race in.
  (func (export "add_often") (param $address i32) (param $times i32)
    (loop $again
      (drop (i32.atomic.rmw.add (local.get $address) (i32.const 1)))
      (local.set $times (i32.sub (local.get $times) (i32.const 1)))
      (br_if $again (local.get $times))))

  ;; 0: woken, 1: the value was not as expected, 2: timed out. The timeout is in nanoseconds, negative for none.
  (func (export "wait") (param $address i32) (param $expected i32) (param $timeout i64) (result i32)
    (memory.atomic.wait32 (local.get $address) (local.get $expected) (local.get $timeout)))
  (func (export "wait_i64") (param $address i32) (param $expected i64) (param $timeout i64) (result i32)
    (memory.atomic.wait64 (local.get $address) (local.get $expected) (local.get $timeout)))
  ;; How many waiters were woken.
  (func (export "notify") (param $address i32) (param $count i32) (result i32)
    (memory.atomic.notify (local.get $address) (local.get $count)))

  ;; Spins until the value differs from $value.
  (func (export "spin_while") (param $address i32) (param $value i32)
    (loop $again
      (br_if $again (i32.eq (i32.atomic.load (local.get $address)) (local.get $value)))))

  (func (export "grow") (param $pages i32) (result i32) (memory.grow (local.get $pages)))
  (func (export "size") (result i32) (memory.size)))
