//! Guests that are stopped from another thread, in a loop and in a wait; and instrumentation, which must have no other
//! visible effect.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tombolo_island::wasmtime::{Extern, MemoryTypeBuilder};
use tombolo_island::{CallError, Engine, EngineOptions, Interrupter, Island, Module, uninterrupted, wait_lists};

const GUEST: &str = r#"(module
    (memory (import "m" "memory") 1 1 shared)
    (memory 1 1)
    (func (export "loop") (loop (br 0)))
    (func (export "wait") (drop (memory.atomic.wait32 0 (i32.const 0) (i32.const 0) (i64.const -1))))
    (func (export "once") (loop (nop)))
    (func (export "trap") (param i32)
        (loop (br_if 0 (i32.eqz (i32.const 1)))) (drop (i32.load 1 (local.get 0))) (loop (nop))))"#;

fn engine(interruptible: bool) -> Engine {
    Engine::new(&EngineOptions { interruptible, ..EngineOptions::default() }).unwrap()
}

struct Guest {
    island: std::rc::Rc<Island>,
    instance: tombolo_island::wasmtime::Instance,
}

impl Guest {
    fn on(island: std::rc::Rc<Island>) -> Self {
        let module = Module::new(island.engine(), &wat::parse_str(GUEST).unwrap()).unwrap();
        let ty = MemoryTypeBuilder::new().shared(true).min(1).max(Some(1)).build().unwrap();
        let memory = island.engine().new_shared_memory(&ty).unwrap();
        let instance = island.instantiate(&module, &[Extern::SharedMemory(memory)]).unwrap();
        Self { island, instance }
    }

    fn new() -> Self {
        Self::on(Island::new(&engine(true)))
    }

    fn call(&self, name: &str, params: &[i32]) -> Result<(), CallError> {
        let func = self.island.enter(|store| self.instance.get_func(store, name)).unwrap();
        let params: Vec<_> = params.iter().map(|&value| value.into()).collect();
        self.island.call_values(func, &params, &mut [])
    }
}

/// Interrupts the calling thread from another one, probably in the middle of what it does next; if not, that makes no
/// difference.
fn interrupt_soon() -> thread::JoinHandle<()> {
    let interrupter = Interrupter::current();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        interrupter.interrupt();
    })
}

#[test]
fn loops_and_waits_end_and_the_guest_can_be_called_again() {
    let island = Island::new(&engine(true));
    // Several instances in one store have different poll pages.
    let guests: Vec<_> = (0..20).map(|_| Guest::on(island.clone())).collect();
    for name in ["loop", "wait", "loop", "wait"] {
        for guest in [&guests[0], &guests[19]] {
            let other = interrupt_soon();
            assert!(matches!(guest.call(name, &[]), Err(CallError::Interrupted)), "{name}");
            assert!(matches!(guest.call("once", &[]), Err(CallError::Interrupted)), "until it is cleared");
            other.join().unwrap();
            Interrupter::current().clear();
            guest.call("once", &[]).unwrap();
        }
    }
}

/// If a poll follows another one and nothing in between could have changed what it loads, the compiler must not leave
/// it out.
#[test]
fn loops_end_that_something_else_polls_ahead_of() {
    const LOOPS: &str = r#"(module
        (memory 1)
        (table 1 funcref)
        (func (export "inner") (loop (loop (br 0)) (br 0)))
        (func (export "innermost") (loop (loop (loop (loop (br 0))) (br 0))))
        (func (export "second") (loop (nop)) (loop (br 0)))
        (func (export "spinning") (loop (loop (br_if 0 (i32.eqz (i32.load (i32.const 0))))) (br 0)))
        (func $f (export "recursing") (loop (br 0)) (call $f))
        (func (export "indirect") (loop (br 0)) (call_indirect (i32.const 0)))
        (func (export "filled") (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)) (loop (br 0))))"#;
    let island = Island::new(&engine(true));
    let module = Module::new(island.engine(), &wat::parse_str(LOOPS).unwrap()).unwrap();
    let guest = Guest { instance: island.instantiate(&module, &[]).unwrap(), island };
    for name in ["inner", "innermost", "second", "spinning", "recursing", "indirect", "filled"] {
        let other = interrupt_soon();
        assert!(matches!(guest.call(name, &[]), Err(CallError::Interrupted)), "{name}");
        other.join().unwrap();
        Interrupter::current().clear();
    }
}

#[test]
fn a_trap_is_still_a_trap() {
    let guest = Guest::new();
    let Err(CallError::Trap(trap)) = guest.call("trap", &[0x7fff_ffff]) else { panic!("it traps") };
    assert_eq!(trap.message, "out of bounds memory access");
}

#[test]
fn offsets_of_traps_are_those_of_the_original() {
    let offset = |interruptible| {
        let guest = Guest::on(Island::new(&engine(interruptible)));
        let Err(CallError::Trap(trap)) = guest.call("trap", &[0x7fff_ffff]) else { panic!("it traps") };
        trap.frames[0].offset.unwrap()
    };
    let bytes = wat::parse_str(GUEST).unwrap();
    // i32.load from memory 1
    let load = bytes.windows(4).rposition(|window| window == [0x28, 0x42, 1, 0]).unwrap();
    assert_eq!((offset(false), offset(true)), (load, load));
}

#[test]
fn what_is_not_to_be_interrupted_goes_on_to_its_end() {
    let guest = Guest::new();
    let interrupter = Interrupter::current();
    let done = uninterrupted(|| {
        interrupter.interrupt();
        guest.call("once", &[])
    });
    assert!(matches!(done, Some(Ok(()))));
    assert!(matches!(guest.call("once", &[]), Err(CallError::Interrupted)));
    assert!(uninterrupted(|| ()).is_none(), "nothing begins");
    interrupter.clear();
    // But it does not go on for ever.
    let other = interrupt_soon();
    let late = uninterrupted(|| guest.call("loop", &[]));
    assert!(matches!(late, Some(Err(CallError::Interrupted))));
    other.join().unwrap();
    interrupter.clear();
    guest.call("once", &[]).unwrap();
}

/// A word that is not in any guest's memory.
struct Word(std::sync::atomic::AtomicI32);

impl wait_lists::Word for &'static Word {
    fn address(&self) -> usize {
        std::ptr::from_ref(*self).addr()
    }

    fn holds(&self, expected: wait_lists::Expected) -> bool {
        let value = self.0.load(std::sync::atomic::Ordering::SeqCst);
        matches!(expected, wait_lists::Expected::I32(expected) if expected == value)
    }
}

#[test]
fn those_who_came_first_are_woken_first_blocking_or_not() {
    static WORD: Word = Word(std::sync::atomic::AtomicI32::new(0));
    let owner = wait_lists::Owner::default();
    let (sender, woken) = mpsc::channel();
    let wait_async = |name: &'static str| {
        let sender = sender.clone();
        let deliver = Box::new(move |outcome| sender.send((name, outcome)).unwrap());
        let begun = wait_lists::wait_async(Box::new(&WORD), wait_lists::Expected::I32(0), None, &owner, 0, deliver);
        assert_eq!(begun.unwrap(), None);
    };
    wait_async("first");
    let blocking = {
        let sender = sender.clone();
        thread::spawn(move || {
            let outcome = wait_lists::wait(&&WORD, wait_lists::Expected::I32(0), None);
            sender.send(("second", outcome)).unwrap();
        })
    };
    // Only waking shows who is in the list; so the third waiter is added after the second has been woken.
    let address = wait_lists::Word::address(&&WORD);
    assert_eq!(wait_lists::notify(address, 1), 1);
    assert_eq!(woken.recv().unwrap(), ("first", wait_lists::Outcome::Ok));
    while wait_lists::notify(address, 1) == 0 {
        thread::yield_now();
    }
    assert_eq!(woken.recv().unwrap(), ("second", wait_lists::Outcome::Ok));
    blocking.join().unwrap();
    wait_async("third");
    drop(owner);
    assert_eq!(wait_lists::notify(address, 1), 0, "nobody hears of a wait whose owner has gone");
}

#[test]
fn an_interrupted_thread_is_none_that_waits_even_before_it_has_noticed() {
    static WORD: Word = Word(std::sync::atomic::AtomicI32::new(0));
    let address = wait_lists::Word::address(&&WORD);
    for _ in 0..100 {
        let (sender, interrupter) = mpsc::channel();
        let waits = thread::spawn(move || {
            sender.send(Interrupter::current()).unwrap();
            loop {
                let outcome = wait_lists::wait(&&WORD, wait_lists::Expected::I32(0), None);
                if outcome != wait_lists::Outcome::Ok {
                    return outcome;
                }
            }
        });
        let interrupter = interrupter.recv().unwrap();
        while wait_lists::notify(address, 1) == 0 {
            thread::yield_now();
        }
        // The thread is waiting again or soon will be; once it has been interrupted, there is nobody to notify.
        interrupter.interrupt();
        assert_eq!(wait_lists::notify(address, u32::MAX), 0);
        assert_eq!(waits.join().unwrap(), wait_lists::Outcome::Interrupted);
    }
}

/// A guest with legacy exception handling: waits and loops in bodies and clauses, and polls, are where they should be.
#[test]
fn legacy_clauses_end_and_traps_in_them_have_their_offsets() {
    const LEGACY: &str = r#"(module
        (tag $t)
        (func (export "in body") try loop br 0 end catch_all end)
        (func (export "in clause") try throw $t catch_all loop br 0 end end)
        (func (export "round") loop try throw $t catch $t br 1 end end)
        (func (export "trap")
            try throw $t catch_all loop try throw $t catch_all unreachable rethrow 2 end end end))"#;
    let bytes = wat::parse_str(LEGACY).unwrap();
    let island = Island::new(&engine(true));
    let module = Module::new(island.engine(), &bytes).unwrap();
    let instance = island.instantiate(&module, &[]).unwrap();
    let guest = Guest { island, instance };
    for name in ["in body", "in clause", "round"] {
        let other = interrupt_soon();
        assert!(matches!(guest.call(name, &[]), Err(CallError::Interrupted)), "{name}");
        other.join().unwrap();
        Interrupter::current().clear();
    }
    let Err(CallError::Trap(trap)) = guest.call("trap", &[]) else { panic!("it traps") };
    let unreachable = bytes.windows(3).rposition(|window| window == [0x00, 0x09, 0x02]).unwrap();
    assert_eq!(trap.frames[0].offset, Some(unreachable));
}
