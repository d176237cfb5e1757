;; callback.wasm: the guest calls the host, which may call the guest again.
(module
  (type $unary (func (param i32) (result i32)))
  (import "host" "callback" (func $callback (type $unary)))

  ;; A table that the host may fill with functions of any instance; slots 0 and 1 hold functions of this one.
  (table (export "table") 4 16 funcref)
  (elem (i32.const 0) $increment $call_back)

  (func $increment (export "increment") (type $unary)
    (i32.add (local.get 0) (i32.const 1)))

  ;; What the host's callback makes of the argument.
  (func $call_back (export "call_back") (type $unary)
    (call $callback (local.get 0)))

  ;; The import itself, exported again.
  (export "callback" (func $callback))

  ;; Calls the function in slot $slot of the table.
  (func (export "apply") (param $slot i32) (param $value i32) (result i32)
    (call_indirect (type $unary) (local.get $value) (local.get $slot)))

  ;; n, n-1, … 0: one step here, the next one wherever the callback leads. Returns the number of steps.
  (func (export "ping") (param $n i32) (result i32)
    (if (result i32) (local.get $n)
      (then (i32.add (i32.const 1) (call $callback (i32.sub (local.get $n) (i32.const 1)))))
      (else (i32.const 0))))

  ;; The callback's results for 0 … n-1, added up: n crossings in one call.
  (func (export "sum_of_callbacks") (param $n i32) (result i32)
    (local $i i32) (local $sum i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
        (local.set $sum (i32.add (local.get $sum) (call $callback (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (local.get $sum)))
