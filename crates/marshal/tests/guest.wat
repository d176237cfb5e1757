;; A guest for tests and examples: a first-fit allocator that counts its blocks, and functions as C has them.
(module
  (import "host" "hook" (func $hook (param i32)))
  (memory (export "memory") 1 64)
  (global $top (mut i32) (i32.const 1024))
  (global $list (mut i32) (i32.const 0))
  (global $live (mut i32) (i32.const 0))
  ;; Bit 0: free traps. Bit 1: free calls the hook. Bit 2: malloc calls the hook. Bit 3: malloc returns nonsense.
  ;; Bit 4: free calls the hook once it is done.
  (global $mode (mut i32) (i32.const 0))
  (data (i32.const 16) "tombolo 0.1\00")

  (func (export "live") (result i32) (global.get $live))
  (func (export "mode") (param i32) (global.set $mode (local.get 0)))

  ;; A block has its size in the 16 bytes before it, and while it is free the next free block in its first word.
  (func $malloc (export "malloc") (param $size i32) (result i32)
    (local $block i32) (local $before i32) (local $end i64)
    (if (i32.and (global.get $mode) (i32.const 4)) (then (call $hook (local.get $size))))
    (if (i32.and (global.get $mode) (i32.const 8)) (then (return (i32.const -16))))
    (if (i32.gt_u (local.get $size) (i32.const 0x7ffffff0)) (then (return (i32.const 0))))
    (local.set $size (i32.and (i32.add (local.get $size) (i32.const 15)) (i32.const -16)))
    (local.set $block (global.get $list))
    (block $none
      (loop $next
        (br_if $none (i32.eqz (local.get $block)))
        (if (i32.ge_u (i32.load (i32.sub (local.get $block) (i32.const 16))) (local.get $size))
          (then
            (if (local.get $before)
              (then (i32.store (local.get $before) (i32.load (local.get $block))))
              (else (global.set $list (i32.load (local.get $block)))))
            (global.set $live (i32.add (global.get $live) (i32.const 1)))
            (return (local.get $block))))
        (local.set $before (local.get $block))
        (local.set $block (i32.load (local.get $block)))
        (br $next)))
    (local.set $end
      (i64.add (i64.extend_i32_u (global.get $top)) (i64.extend_i32_u (i32.add (local.get $size) (i32.const 16)))))
    (if (i64.gt_u (local.get $end) (i64.shl (i64.extend_i32_u (memory.size)) (i64.const 16)))
      (then
        (if (i32.eq (i32.const -1)
              (memory.grow (i32.sub
                (i32.wrap_i64 (i64.shr_u (i64.add (local.get $end) (i64.const 65535)) (i64.const 16)))
                (memory.size))))
          (then (return (i32.const 0))))))
    (local.set $block (i32.add (global.get $top) (i32.const 16)))
    (i32.store (global.get $top) (local.get $size))
    (global.set $top (i32.wrap_i64 (local.get $end)))
    (global.set $live (i32.add (global.get $live) (i32.const 1)))
    (local.get $block))

  (func $free (export "free") (param $block i32)
    (if (i32.and (global.get $mode) (i32.const 1)) (then (unreachable)))
    (if (i32.and (global.get $mode) (i32.const 2)) (then (call $hook (local.get $block))))
    (if (i32.eqz (local.get $block)) (then (return)))
    (i32.store (local.get $block) (global.get $list))
    (global.set $list (local.get $block))
    (global.set $live (i32.sub (global.get $live) (i32.const 1)))
    (if (i32.and (global.get $mode) (i32.const 16)) (then (call $hook (local.get $block)))))

  ;; double *multiply(const double *a, const double *b, int n): a new array; null when n is negative.
  (func (export "multiply") (param $a i32) (param $b i32) (param $n i32) (result i32)
    (local $out i32) (local $at i32)
    (if (i32.lt_s (local.get $n) (i32.const 0)) (then (return (i32.const 0))))
    (local.set $out (call $malloc (i32.shl (local.get $n) (i32.const 3))))
    (if (i32.eqz (local.get $out)) (then (return (i32.const 0))))
    (local.set $at (local.get $out))
    (loop $next
      (if (local.get $n)
        (then
          (f64.store (local.get $at) (f64.mul (f64.load (local.get $a)) (f64.load (local.get $b))))
          (local.set $a (i32.add (local.get $a) (i32.const 8)))
          (local.set $b (i32.add (local.get $b) (i32.const 8)))
          (local.set $at (i32.add (local.get $at) (i32.const 8)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br $next))))
    (local.get $out))

  ;; void scale(double *values, int n, double by)
  (func (export "scale") (param $at i32) (param $n i32) (param $by f64)
    (loop $next
      (if (local.get $n)
        (then
          (f64.store (local.get $at) (f64.mul (f64.load (local.get $at)) (local.get $by)))
          (local.set $at (i32.add (local.get $at) (i32.const 8)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br $next)))))

  ;; double sum(const double *values, int n)
  (func (export "sum") (param $at i32) (param $n i32) (result f64)
    (local $sum f64)
    (loop $next
      (if (local.get $n)
        (then
          (local.set $sum (f64.add (local.get $sum) (f64.load (local.get $at))))
          (local.set $at (i32.add (local.get $at) (i32.const 8)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br $next))))
    (local.get $sum))

  (func $strlen (export "length") (param $string i32) (result i32)
    (local $end i32)
    (local.set $end (local.get $string))
    (loop $next
      (if (i32.load8_u (local.get $end))
        (then (local.set $end (i32.add (local.get $end) (i32.const 1))) (br $next))))
    (i32.sub (local.get $end) (local.get $string)))

  ;; char *reverse(const char *string): a new string, byte by byte.
  (func (export "reverse") (param $string i32) (result i32)
    (local $n i32) (local $out i32) (local $at i32)
    (local.set $n (call $strlen (local.get $string)))
    (local.set $out (call $malloc (i32.add (local.get $n) (i32.const 1))))
    (local.set $at (local.get $out))
    (loop $next
      (if (local.get $n)
        (then
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (i32.store8 (local.get $at) (i32.load8_u (i32.add (local.get $string) (local.get $n))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $next))))
    (i32.store8 (local.get $at) (i32.const 0))
    (local.get $out))

  ;; const char *version(void): not the caller's to free.
  (func (export "version") (result i32) (i32.const 16)))
