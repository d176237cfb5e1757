(module
  (import "./host.mjs" "report" (func $report (param i32)))
  (global $count (export "count") (mut i32) (i32.const 0))
  (func (export "increment")
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (call $report (global.get $count))))
