;; In a cycle with cycle.mjs, whose functions are there before it runs.
(module
  (import "./cycle.mjs" "double" (func $double (param i32) (result i32)))
  (func (export "quadruple") (param i32) (result i32) (call $double (call $double (local.get 0)))))
