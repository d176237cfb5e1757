//! WASI: what a guest sees of its surroundings, and calls by the host on a memory of its choice.

use std::future::Future;
use std::io::Read;
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake};

use island::wasi::{self, Input, Output, PREVIEW1, Precedence, UNSTABLE, WasiConfig, WasiContext, WasiError};
use island::wasmtime::{Extern, Instance, Memory, MemoryType, StoreContextMut, Val};
use island::{CallError, Callee, Engine, EngineOptions, Frame, Island, Module, StoreState};

use tombolo_island as island;

struct Guest {
    island: Rc<Island>,
    instance: Instance,
}

/// Instantiates a module that imports nothing but WASI.
fn guest(engine: &Engine, context: &WasiContext, text: &str) -> Guest {
    let module = Module::new(engine, &wat::parse_str(text).unwrap()).unwrap();
    let island = Island::new(engine);
    let import = |i: &island::Import| Extern::Func(island.wasi_function(context, &i.module, &i.name).unwrap());
    let imports: Vec<_> = module.imports().iter().map(import).collect();
    let instance = island.instantiate(&module, &imports).unwrap();
    Guest { island, instance }
}

impl Guest {
    fn call(&self, name: &str) -> Result<i32, CallError> {
        let func = self.island.enter(|store| self.instance.get_func(store, name)).unwrap();
        let mut results = [Val::I32(0)];
        self.island.call_values(func, &[], &mut results)?;
        Ok(results[0].unwrap_i32())
    }

    fn memory(&self) -> Memory {
        self.island.enter(|store| self.instance.get_memory(store, "memory")).unwrap()
    }

    fn bytes(&self, address: u64, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.island.block_of(self.memory()).unwrap().read(address, &mut bytes).unwrap();
        bytes
    }
}

fn engine() -> Engine {
    Engine::new(&EngineOptions::default()).unwrap()
}

fn function(name: &str) -> &'static wasi::Function {
    wasi::functions(PREVIEW1).iter().find(|function| function.name() == name).unwrap()
}

/// An output, and what was written to it.
fn capture() -> (Output, Arc<Mutex<Vec<u8>>>) {
    let written = Arc::new(Mutex::new(Vec::new()));
    let to = written.clone();
    let sink = Arc::new(move |bytes: &[u8]| {
        to.lock().unwrap().extend_from_slice(bytes);
        Ok(())
    });
    (Output::To { sink, terminal: false }, written)
}

const PRINTS: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 64) "to the island\n")
    (data (i32.const 8) "\40\00\00\00\0e\00\00\00")
    (func (export "print") (result i32) (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))
    (func (export "complain") (result i32) (call $write (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 0))))"#;

#[test]
fn a_guest_prints() {
    let ((stdout, out), (stderr, err)) = (capture(), capture());
    let context = WasiContext::new(WasiConfig { stdout, stderr, ..WasiConfig::default() }).unwrap();
    let guest = guest(&engine(), &context, PRINTS);
    assert_eq!((guest.call("print").unwrap(), guest.call("print").unwrap()), (0, 0));
    assert_eq!(guest.call("complain").unwrap(), 0);
    assert_eq!(guest.bytes(0, 4), [14, 0, 0, 0]);
    assert_eq!(*out.lock().unwrap(), b"to the island\nto the island\n");
    assert_eq!(*err.lock().unwrap(), b"to the island\n");
}

#[test]
fn what_is_not_given_is_not_there() {
    let text = r#"(module
        (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "xxxxxxxxxxxxxxxxxxxx")
        (data (i32.const 32) "\00\04\00\00\08\00\00\00")
        (func (export "args") (result i32) (call $args (i32.const 0) (i32.const 4)))
        (func (export "environ") (result i32) (call $environ (i32.const 8) (i32.const 12)))
        (func (export "read") (result i32) (call $read (i32.const 0) (i32.const 32) (i32.const 1) (i32.const 16)))
        (func (export "folder") (result i32) (call $prestat (i32.const 3) (i32.const 64))))"#;
    const BAD_DESCRIPTOR: i32 = 8;
    let context = WasiContext::new(WasiConfig::default()).unwrap();
    let engine = engine();
    let printing = guest(&engine, &context, PRINTS);
    let guest = guest(&engine, &context, text);
    assert_eq!(["args", "environ", "read"].map(|name| guest.call(name).unwrap()), [0; 3]);
    assert_eq!(guest.bytes(0, 20), [0; 20]);
    assert_eq!(guest.call("folder").unwrap(), BAD_DESCRIPTOR);
    assert_eq!(printing.call("print").unwrap(), 0, "discarded");
}

#[test]
fn a_guest_reads_its_arguments_environment_and_input() {
    let text = r#"(module
        (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 8) "\00\04\00\00\10\00\00\00")
        (func (export "args") (result i32) (call $args (i32.const 32) (i32.const 256)))
        (func (export "environ") (result i32) (call $environ (i32.const 32) (i32.const 512)))
        (func (export "read") (result i32) (call $read (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 0))))"#;
    let config = WasiConfig {
        args: vec!["island".into(), "-v".into()],
        env: vec![("SEA".into(), "Tirreno".into())],
        stdin: Input::Bytes(b"waves".into()),
        ..WasiConfig::default()
    };
    let guest = guest(&engine(), &WasiContext::new(config).unwrap(), text);
    assert_eq!((guest.call("args").unwrap(), guest.call("environ").unwrap(), guest.call("read").unwrap()), (0, 0, 0));
    assert_eq!(guest.bytes(256, 10), b"island\0-v\0");
    assert_eq!(guest.bytes(512, 12), b"SEA=Tirreno\0");
    assert_eq!((guest.bytes(0, 4), guest.bytes(1024, 6)), (vec![5, 0, 0, 0], b"waves\0".to_vec()));
}

#[test]
fn a_guest_exits() {
    let text = r#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "exit") (result i32) (call $exit (i32.const 7)) (i32.const 0)))"#;
    let context = WasiContext::new(WasiConfig::default()).unwrap();
    let guest = guest(&engine(), &context, text);
    assert!(matches!(guest.call("exit"), Err(CallError::Exit(7))));
    assert!(matches!(guest.call("exit"), Err(CallError::Exit(7))), "the island can still be called");
    let exit = function("proc_exit");
    let mut frame = Frame::new(exit.ty());
    frame.push_i32(3);
    assert!(matches!(guest.island.wasi_call(&context, None, exit, &frame), Err(CallError::Exit(3))));
}

#[test]
fn a_guest_opens_a_file_in_a_directory_that_it_was_given() {
    let directory = std::env::temp_dir().join(format!("tombolo-wasi-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    // path_open(3, 0, "note", CREAT, read and write), then fd_write to it.
    let text = r#"(module
        (import "wasi_snapshot_preview1" "path_open"
            (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 64) "note")
        (data (i32.const 80) "../note")
        (data (i32.const 8) "\40\00\00\00\04\00\00\00")
        (func $create (param $path i32) (param $len i32) (result i32)
            (call $open (i32.const 3) (i32.const 0) (local.get $path) (local.get $len) (i32.const 1)
                (i64.const 66) (i64.const 66) (i32.const 0) (i32.const 32)))
        (func (export "create") (result i32) (call $create (i32.const 64) (i32.const 4)))
        (func (export "escape") (result i32) (call $create (i32.const 80) (i32.const 7)))
        (func (export "write") (result i32)
            (call $write (i32.load (i32.const 32)) (i32.const 8) (i32.const 1) (i32.const 0))))"#;
    let preopens = vec![("/data".into(), directory.clone())];
    let context = WasiContext::new(WasiConfig { preopens, ..WasiConfig::default() }).unwrap();
    let guest = guest(&engine(), &context, text);
    assert_eq!((guest.call("create").unwrap(), guest.call("write").unwrap()), (0, 0));
    const NOT_CAPABLE: i32 = 76;
    assert_eq!(guest.call("escape").unwrap(), NOT_CAPABLE);
    let mut note = String::new();
    std::fs::File::open(directory.join("note")).unwrap().read_to_string(&mut note).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(note, "note");

    let preopens = vec![("/".into(), directory.join("missing"))];
    let error = WasiContext::new(WasiConfig { preopens, ..WasiConfig::default() }).unwrap_err();
    assert!(error.to_string().starts_with("cannot open the directory "), "{error}");
}

#[test]
fn a_guest_without_a_memory_export_gets_an_error() {
    let text = PRINTS.replace(r#"(memory (export "memory") 1)"#, "(memory 1)");
    let context = WasiContext::new(WasiConfig::default()).unwrap();
    let guest = guest(&engine(), &context, &text);
    let error = guest.call("print").unwrap_err().to_string();
    assert!(error.contains("missing required memory export"), "{error}");
    // So is a host that calls the function itself.
    let write = guest.island.wasi_function(&context, PREVIEW1, "fd_write").unwrap();
    let arguments = [1, 8, 1, 0].map(Val::I32);
    let error = guest.island.call_values(write, &arguments, &mut [Val::I32(0)]).unwrap_err().to_string();
    assert!(error.contains("missing required memory export"), "{error}");
}

#[test]
fn the_host_calls_wasi_on_a_memory() {
    let engine = engine();
    let (stdout, out) = capture();
    let context = WasiContext::new(WasiConfig { stdout, ..WasiConfig::default() }).unwrap();
    let island = Island::new(&engine);
    let shared = engine.new_shared_memory(&MemoryType::shared(1, 2)).unwrap();
    let block = island::shared_block(&shared).unwrap();
    block.write(8, &[64, 0, 0, 0, 5, 0, 0, 0]).unwrap();
    block.write(64, b"adria").unwrap();
    let plain = |ty| island.enter(|store| Memory::new(store, ty)).unwrap();
    let memories =
        [plain(MemoryType::new(1, None)), plain(MemoryType::new(1, Some(3))), plain(MemoryType::new64(1, None))];
    let memories = memories.map(|memory| {
        island.enter(|store| memory.write(store, 8, &[64, 0, 0, 0, 5, 0, 0, 0]).unwrap());
        island.enter(|store| memory.write(store, 64, b"adria").unwrap());
        Extern::Memory(memory)
    });
    for memory in memories.into_iter().chain([Extern::SharedMemory(shared)]) {
        let write = function("fd_write");
        let mut frame = Frame::new(write.ty());
        [1, 8, 1, 0].iter().for_each(|&argument| frame.push_i32(argument));
        let errno = island.wasi_call(&context, Some(&memory), write, &frame).unwrap().unwrap();
        assert_eq!(errno.as_address(), 0);
    }
    assert_eq!(*out.lock().unwrap(), b"adria".repeat(4));
    let not_memory = island.wasi_function(&context, PREVIEW1, "fd_write").unwrap();
    let error = island.wasi_memory(&context, not_memory.into(), Precedence::Always).unwrap_err();
    assert!(matches!(error, WasiError::NoMemory));
}

#[test]
fn a_context_serves_all_islands() {
    let engine = engine();
    let context = WasiContext::new(WasiConfig::default()).unwrap();
    let (first, second) = (Island::new(&engine), Island::new(&engine));
    let func = first.wasi_function(&context, PREVIEW1, "fd_write").unwrap();
    let again = first.wasi_function(&context, PREVIEW1, "fd_write").unwrap();
    let key = |func| first.enter(|store| island::FunctionKey::of(store, func));
    assert_eq!(key(func), key(again));
    second.wasi_function(&context, PREVIEW1, "fd_write").unwrap();
    drop(first);
    second.wasi_function(&context, PREVIEW1, "fd_read").unwrap();
    // And an island may have several contexts.
    for _ in 0..3 {
        let context = WasiContext::new(WasiConfig::default()).unwrap();
        second.wasi_function(&context, UNSTABLE, "fd_seek").unwrap();
    }
    let error = second.wasi_function(&WasiContext::new(WasiConfig::default()).unwrap(), PREVIEW1, "fork").unwrap_err();
    assert_eq!(error.to_string(), "there is no WASI function wasi_snapshot_preview1.fork");
}

#[test]
fn the_functions_are_known_beforehand() {
    let functions = wasi::functions(PREVIEW1);
    let write = function("fd_write").ty();
    assert_eq!((write.params.len(), write.results.len()), (4, 1));
    assert_eq!((functions.len(), wasi::functions(UNSTABLE).len()), (46, 45));
    assert!(wasi::functions("env").is_empty());
    assert!(functions.is_sorted_by_key(|function| function.name()));
}

/// Polls with the subscriptions at 64, puts the events at 256, and their number at 0. There is a subscription to the
/// monotonic clock, whose time the test sets, and a second one.
const POLLS: &str = r#"(module
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "sleep") (param i64) (result i32)
        (i64.store (i32.const 64) (i64.const 0x1122334455667788))
        (i32.store (i32.const 80) (i32.const 1))
        (i64.store (i32.const 88) (local.get 0))
        (call $poll (i32.const 64) (i32.const 256) (i32.const 1) (i32.const 0)))
    (func (export "stored") (result i32) (i32.load (i32.const 0)))
    (func (export "sleep twice") (result i32)
        (i32.store (i32.const 80) (i32.const 1))
        (i64.store (i32.const 88) (i64.const 3600000000000))
        (i64.store (i32.const 112) (i64.const 0x99))
        (i32.store (i32.const 128) (i32.const 1))
        (i64.store (i32.const 136) (i64.const 1000000))
        (call $poll (i32.const 64) (i32.const 256) (i32.const 2) (i32.const 0)))
    (func (export "events outside") (result i32)
        (call $poll (i32.const 512) (i32.const 65520) (i32.const 1) (i32.const 0)))
    (func (export "none") (result i32)
        (call $poll (i32.const 64) (i32.const 256) (i32.const 0) (i32.const 0))))"#;

#[test]
fn a_sleep_ends_with_an_event_or_an_interruption() {
    let context = WasiContext::new(WasiConfig::default()).unwrap();
    let guest = guest(&engine(), &context, POLLS);
    sleeps(&guest);
    // An `event`: the user's data, no error, of a clock.
    assert_eq!(guest.bytes(256, 12), [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0, 0, 0, 0]);
}

#[test]
fn a_sleep_of_a_guest_with_a_shared_memory_does_so_too() {
    let context = WasiContext::new(WasiConfig::default()).unwrap();
    sleeps(&guest(&engine(), &context, &POLLS.replace("\"memory\") 1", "\"memory\") 1 1 shared")));
}

/// Sleeps for a millisecond, and for much longer with an interruption.
fn sleeps(guest: &Guest) {
    let sleep = |nanoseconds: i64| {
        let func = guest.island.enter(|store| guest.instance.get_func(store, "sleep")).unwrap();
        let mut results = [Val::I32(-1)];
        guest.island.call_values(func, &[nanoseconds.into()], &mut results).map(|()| results[0].unwrap_i32())
    };
    assert_eq!(sleep(1_000_000).unwrap(), 0);
    assert_eq!(guest.call("stored").unwrap(), 1);

    // An hour, and 500 years.
    for nanoseconds in [3_600_000_000_000, -1] {
        let interrupter = island::Interrupter::current();
        let other = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(20));
            interrupter.interrupt();
        });
        assert!(matches!(sleep(nanoseconds), Err(CallError::Interrupted)));
        other.join().unwrap();
        island::Interrupter::current().clear();
    }
    assert_eq!(sleep(0).unwrap(), 0);
}

#[test]
fn polls_that_are_no_sleep() {
    const FAULT: i32 = 21;
    const INVALID: i32 = 28;
    let context = WasiContext::new(WasiConfig::default()).unwrap();
    let guest = guest(&engine(), &context, POLLS);
    for _ in 0..3 {
        assert_eq!(guest.call("sleep twice").unwrap(), 0);
        assert_eq!(
            (guest.bytes(0, 4), guest.bytes(256, 11)),
            (vec![1, 0, 0, 0], vec![0x99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        );
    }
    assert_eq!(guest.call("none").unwrap(), INVALID);
    assert_eq!(guest.call("events outside").unwrap(), FAULT);

    let poll = guest.island.wasi_function(&context, PREVIEW1, "poll_oneoff").unwrap();
    let error = guest.island.call_values(poll, &[64, 256, 1, 0].map(Val::I32), &mut [Val::I32(0)]).unwrap_err();
    assert!(error.to_string().contains("missing required memory export"), "{error}");
}

#[test]
fn a_wait_for_input_ends_with_an_interruption() {
    let text = r#"(module
        (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 3)
        (data (i32.const 8) "\00\04\00\00\00\00\02\00")
        (func (export "read") (result i32) (call $read (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 0)))
        (func (export "write") (result i32) (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0))))"#;
    // Nobody writes to one, and nobody reads from the other, which takes less than the guest writes.
    let ((reader, _writer), (_reader, writer)) = (std::io::pipe().unwrap(), std::io::pipe().unwrap());
    let (stdin, stdout) = (std::os::fd::OwnedFd::from(reader).into(), std::os::fd::OwnedFd::from(writer).into());
    let config = WasiConfig { stdin: Input::File(stdin), stdout: Output::File(stdout), ..WasiConfig::default() };
    let guest = guest(&engine(), &WasiContext::new(config).unwrap(), text);
    for name in ["read", "write", "read"] {
        let interrupter = island::Interrupter::current();
        let other = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(20));
            interrupter.interrupt();
        });
        assert!(matches!(guest.call(name), Err(CallError::Interrupted)), "{name}");
        other.join().unwrap();
        island::Interrupter::current().clear();
    }
}

#[test]
fn a_memory_that_a_guest_does_not_export() {
    let text = r#"(module
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (memory (export "mine") 1)
        (func (export "fill") (result i32) (call $random (i32.const 0) (i32.const 8))))"#;
    let context = WasiContext::new(WasiConfig::default()).unwrap();
    let guest = guest(&engine(), &context, text);
    assert!(guest.call("fill").unwrap_err().to_string().contains("missing required memory export"));
    let memory = guest.island.enter(|store| guest.instance.get_memory(store, "mine")).unwrap();
    guest.island.wasi_memory(&context, memory.into(), Precedence::Otherwise).unwrap();
    assert_eq!(guest.call("fill").unwrap(), 0);
    let mut bytes = [0; 8];
    guest.island.block_of(memory).unwrap().read(0, &mut bytes).unwrap();
    assert_ne!(bytes, [0; 8]);
}

#[test]
fn threads_share_a_context() {
    let engine = engine();
    let (stdout, out) = capture();
    let context = WasiContext::new(WasiConfig { stdout, ..WasiConfig::default() }).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let guest = guest(&engine, &context, PRINTS);
                for _ in 0..100 {
                    assert_eq!(guest.call("print").unwrap(), 0);
                }
            });
        }
    });
    assert_eq!(*out.lock().unwrap(), b"to the island\n".repeat(400));
}

#[test]
fn waiting_for_all_of_a_message() {
    use std::os::unix::net::{UnixDatagram, UnixStream};
    let text = r#"(module
        (import "wasi_snapshot_preview1" "sock_recv" (func $recv (param i32 i32 i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_fdstat_set_flags" (func $flags (param i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 8) "\00\04\00\00\08\00\00\00")
        (func (export "all") (result i32)
            (call $recv (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 2) (i32.const 0) (i32.const 4)))
        (func (export "do not wait") (result i32) (call $flags (i32.const 0) (i32.const 4))))"#;
    const AGAIN: i32 = 6;
    let engine = engine();
    let with = |socket: std::os::fd::OwnedFd| {
        let config = WasiConfig { stdin: Input::File(socket.into()), ..WasiConfig::default() };
        guest(&engine, &WasiContext::new(config).unwrap(), text)
    };
    let got = |guest: &Guest| (guest.bytes(0, 1)[0], guest.bytes(1024, 8));
    // A stream that ends in the middle, as far as a guest that does not wait can see.
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let stream = with(theirs.into());
    assert_eq!(stream.call("do not wait").unwrap(), 0);
    assert_eq!(stream.call("all").unwrap(), AGAIN);
    std::io::Write::write_all(&mut ours, b"four").unwrap();
    assert_eq!(stream.call("all").unwrap(), 0);
    assert_eq!(got(&stream), (4, b"four\0\0\0\0".to_vec()));
    // Messages are not joined.
    let (ours, theirs) = UnixDatagram::pair().unwrap();
    let datagrams = with(theirs.into());
    ours.send(b"one").unwrap();
    ours.send(b"other").unwrap();
    assert_eq!(datagrams.call("all").unwrap(), 0);
    assert_eq!(got(&datagrams), (3, b"one\0\0\0\0\0".to_vec()));
    assert_eq!(datagrams.call("all").unwrap(), 0);
    assert_eq!(got(&datagrams), (5, b"other\0\0\0".to_vec()));
}

/// Wakes the thread that waits for it.
struct Unpark(std::thread::Thread, AtomicBool);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.1.store(true, Ordering::Release);
        self.0.unpark();
    }
}

#[test]
fn a_future_waits_for_all_of_a_message() {
    let text = r#"(module
        (import "wasi_snapshot_preview1" "sock_recv" (func $recv (param i32 i32 i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 8) "\00\04\00\00\08\00\00\00")
        (func (export "all") (result i32)
            (call $recv (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 2) (i32.const 0) (i32.const 4))))"#;
    let (mut ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let socket = std::os::fd::OwnedFd::from(theirs);
    let config = WasiConfig { stdin: Input::File(socket.into()), ..WasiConfig::default() };
    let guest = guest(&engine(), &WasiContext::new(config).unwrap(), text);
    let func = guest.island.enter(|store| guest.instance.get_func(store, "all")).unwrap();
    let callee = Callee::new(&guest.island, func).unwrap();
    let arguments = |_: &mut StoreContextMut<'_, StoreState>| Ok([].into_iter().collect());
    let mut call = pin!(guest.island.call_async(&callee, arguments, |_, results| results[0].unwrap_i32()));
    let unpark = Arc::new(Unpark(std::thread::current(), AtomicBool::new(true)));
    let waker = unpark.clone().into();
    let mut poll = || {
        while !unpark.1.swap(false, Ordering::Acquire) {
            std::thread::park();
        }
        call.as_mut().poll(&mut Context::from_waker(&waker))
    };
    assert!(poll().is_pending());
    // Each part wakes it, and what has come stays until all is there.
    for part in [&b"on"[..], b"e, "] {
        std::io::Write::write_all(&mut ours, part).unwrap();
        assert!(poll().is_pending());
    }
    std::io::Write::write_all(&mut ours, b"two").unwrap();
    assert!(matches!(poll(), Poll::Ready(Ok(0))));
    assert_eq!((guest.bytes(0, 1)[0], guest.bytes(1024, 8)), (8, b"one, two".to_vec()));
}

#[test]
fn a_guest_uses_sockets_that_the_host_gives_it() {
    use std::io::Write;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::{UnixListener, UnixStream};
    let text = r#"(module
        (import "wasi_snapshot_preview1" "sock_recv" (func $recv (param i32 i32 i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "sock_send" (func $send (param i32 i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "sock_shutdown" (func $shutdown (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 8) "\00\04\00\00\08\00\00\00")
        (func (export "peek") (result i32)
            (call $recv (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 1) (i32.const 0) (i32.const 4)))
        (func (export "receive") (result i32)
            (call $recv (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 4)))
        (func (export "all") (result i32)
            (call $recv (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 2) (i32.const 0) (i32.const 4)))
        (func (export "send") (result i32)
            (call $send (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 0) (i32.const 0)))
        (func (export "end") (result i32) (call $shutdown (i32.const 0) (i32.const 2)))
        (func (export "read") (result i32) (call $read (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 0)))
        (func (export "write") (result i32) (call $write (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 0)))
        (func (export "accept") (result i32) (call $accept (i32.const 1) (i32.const 0) (i32.const 16)))
        (func (export "greet") (result i32)
            (call $write (i32.load (i32.const 16)) (i32.const 8) (i32.const 1) (i32.const 0))))"#;
    const PIPE: i32 = 64;
    let path = std::env::temp_dir().join(format!("tombolo-wasi-socket-{}", std::process::id()));
    let listener = UnixListener::bind(&path).unwrap();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let file = |fd: OwnedFd| std::fs::File::from(fd);
    let config = WasiConfig {
        stdin: Input::File(file(theirs.into())),
        stdout: Output::File(file(listener.into())),
        ..WasiConfig::default()
    };
    let guest = guest(&engine(), &WasiContext::new(config).unwrap(), text);
    let ok = |name: &str| assert_eq!(guest.call(name).unwrap(), 0, "{name}");
    let got = || (guest.bytes(0, 1)[0], guest.bytes(1024, 8));

    ours.write_all(b"four").unwrap();
    ok("peek");
    ok("receive");
    assert_eq!(got(), (4, b"four\0\0\0\0".to_vec()));
    ours.write_all(b"1234").unwrap();
    let mut later = ours.try_clone().unwrap();
    let other = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(20));
        later.write_all(b"56789").unwrap();
    });
    ok("all");
    assert_eq!(got(), (8, b"12345678".to_vec()));
    ok("read");
    assert_eq!(got().0, 1, "what is there");
    other.join().unwrap();
    ok("send");
    ok("write");
    ok("end");
    assert_eq!(guest.call("write").unwrap(), PIPE);
    let mut received = String::new();
    ours.read_to_string(&mut received).unwrap();
    assert_eq!(received, "9234567892345678");

    let client = std::thread::spawn({
        let path = path.clone();
        move || {
            let mut received = [0; 8];
            UnixStream::connect(path).unwrap().read_exact(&mut received).unwrap();
            received
        }
    });
    ok("accept");
    ok("greet");
    assert_eq!(&client.join().unwrap(), b"92345678");
    std::fs::remove_file(path).unwrap();
}
