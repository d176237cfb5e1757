;; threads.wasm: what a host of WASI threads has to do, without a C library. It imports the shared env.memory and
;; wasi.thread-spawn, and exports the memory, _start and wasi_thread_start. The first character of argv[1] says what to do:
;;   (none)  4 threads add 1 to a counter 1000 times each, under a futex mutex; main joins them, writes "total 4000", exits 0
;;   e       a thread calls proc_exit(7) while main waits for ever: the program ends with 7
;;   t       a thread traps while main waits for ever: the program ends with a trap
;;   m       main returns while a thread waits for ever: the program ends with 0
;;   s       prints "a" when thread-spawn returns a positive id, else "b"
(module
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "env" "memory" (memory 1 16 shared))
  (export "memory" (memory 0))

  ;; Addresses: 16 mutex, 20 counter, 24 threads that have ended, 28 never notified, 64 iovec, 72 bytes written,
  ;; 96 argc, 100 argv's size, 128 text, 1024 argv's pointers, 4096 argv's strings.
  ;; Active segments: every new instance writes these bytes again, all of them before main changes any.
  (data (i32.const 128) "total 0000\n")
  (data (i32.const 144) "a\nb\n")

  (func $write (param $at i32) (param $size i32)
    (i32.store (i32.const 64) (local.get $at))
    (i32.store (i32.const 68) (local.get $size))
    (drop (call $fd_write (i32.const 1) (i32.const 64) (i32.const 1) (i32.const 72))))

  (func $lock
    (loop $again
      (if (i32.atomic.rmw.cmpxchg (i32.const 16) (i32.const 0) (i32.const 1))
        (then
          (drop (memory.atomic.wait32 (i32.const 16) (i32.const 1) (i64.const -1)))
          (br $again)))))

  (func $unlock
    (i32.atomic.store (i32.const 16) (i32.const 0))
    (drop (memory.atomic.notify (i32.const 16) (i32.const 1))))

  (func $sleep_for_ever
    (loop $again
      (drop (memory.atomic.wait32 (i32.const 28) (i32.const 0) (i64.const -1)))
      (br $again)))

  (func (export "wasi_thread_start") (param $tid i32) (param $argument i32)
    (local $left i32)
    (if (i32.le_s (local.get $tid) (i32.const 0)) (then unreachable))
    (if (i32.eq (local.get $argument) (i32.const 101)) (then (call $proc_exit (i32.const 7)) unreachable))
    (if (i32.eq (local.get $argument) (i32.const 116)) (then unreachable))
    (if (i32.eq (local.get $argument) (i32.const 109)) (then (call $sleep_for_ever)))
    (if (i32.eq (local.get $argument) (i32.const 115)) (then (return)))
    (local.set $left (i32.const 1000))
    (loop $round
      (call $lock)
      (i32.store (i32.const 20) (i32.add (i32.load (i32.const 20)) (i32.const 1))) ;; on purpose not atomic
      (call $unlock)
      (br_if $round (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (drop (i32.atomic.rmw.add (i32.const 24) (i32.const 1)))
    (drop (memory.atomic.notify (i32.const 24) (i32.const 1))))

  ;; Waits until `count` threads have ended.
  (func $join (param $count i32)
    (local $ended i32)
    (loop $again
      (local.set $ended (i32.atomic.load (i32.const 24)))
      (if (i32.lt_u (local.get $ended) (local.get $count))
        (then
          (drop (memory.atomic.wait32 (i32.const 24) (local.get $ended) (i64.const -1)))
          (br $again)))))

  ;; Four digits of `value` at `at`.
  (func $digits (param $at i32) (param $value i32)
    (local $i i32)
    (local.set $i (i32.const 3))
    (loop $next
      (i32.store8 (i32.add (local.get $at) (local.get $i)) (i32.add (i32.const 48) (i32.rem_u (local.get $value) (i32.const 10))))
      (local.set $value (i32.div_u (local.get $value) (i32.const 10)))
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (br_if $next (i32.ge_s (local.get $i) (i32.const 0)))))

  (func (export "_start")
    (local $mode i32) (local $i i32) (local $tid i32)
    (drop (call $args_sizes_get (i32.const 96) (i32.const 100)))
    (if (i32.gt_u (i32.load (i32.const 96)) (i32.const 1))
      (then
        (drop (call $args_get (i32.const 1024) (i32.const 4096)))
        (local.set $mode (i32.load8_u (i32.load (i32.const 1028))))))
    (if (local.get $mode)
      (then
        (local.set $tid (call $spawn (local.get $mode)))
        (if (i32.eq (local.get $mode) (i32.const 115))
          (then
            (call $write (select (i32.const 144) (i32.const 146) (i32.gt_s (local.get $tid) (i32.const 0))) (i32.const 2))
            (return)))
        (if (i32.eq (local.get $mode) (i32.const 109)) (then (return)))
        (call $sleep_for_ever)))
    (loop $next
      (if (i32.le_s (call $spawn (i32.const 0)) (i32.const 0)) (then (call $proc_exit (i32.const 2))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4))))
    (call $join (i32.const 4))
    (call $digits (i32.const 134) (i32.load (i32.const 20)))
    (call $write (i32.const 128) (i32.const 11))
    (if (i32.ne (i32.load (i32.const 20)) (i32.const 4000)) (then (call $proc_exit (i32.const 1))))))
