//! Typed calls as futures: what is passed stays, other calls go on, and whatever ends frees what it had.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use island::{CallError, Engine, EngineOptions, Module};
use marshal::{Callback, CallbackError, Function, Guest, GuestError, Kept};

/// What the host's functions wait for.
#[derive(Clone, Default)]
struct Gate(Rc<Cell<bool>>);

impl Gate {
    fn open(&self) {
        self.0.set(true);
    }

    async fn pass(&self) {
        poll_fn(|_| if self.0.get() { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

type Looked = Result<i32, &'static str>;

/// A guest whose `look_up` waits at the gate, and notes what it is asked for.
fn guest(gate: &Gate) -> (Guest, Rc<RefCell<Vec<String>>>) {
    let wasm = wat::parse_str(include_str!("waiting.wat")).unwrap();
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let module = Module::new(&engine, &wasm).unwrap();
    let (gate, asked) = (gate.clone(), Rc::new(RefCell::new(Vec::new())));
    let notes = asked.clone();
    let builder =
        Guest::builder(&engine).import_async::<fn(String) -> Looked>("env", "look_up", move |name: String| {
            let (gate, notes) = (gate.clone(), notes.clone());
            async move {
                notes.borrow_mut().push(name.clone());
                gate.pass().await;
                match &*name {
                    "fails" => Err("no such name"),
                    "panics" => panic!("on purpose"),
                    name => Ok(name.len() as i32),
                }
            }
        });
    (builder.instantiate(&module).unwrap(), asked)
}

fn poll<T>(future: &mut Pin<Box<impl Future<Output = T> + ?Sized>>) -> Poll<T> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

fn ready<T>(polled: Poll<T>) -> T {
    match polled {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it still waits"),
    }
}

fn live(guest: &Guest) -> i32 {
    guest.heap().unwrap().drain().unwrap();
    guest.function::<(), i32>("live").unwrap().call(()).unwrap()
}

#[test]
fn arguments_stay_while_other_calls_come_and_go() {
    let gate = Gate::default();
    let (guest, asked) = guest(&gate);
    let both = guest.function::<(&str, &str), i32>("both").unwrap();
    let plain = guest.function::<(i32,), i32>("plain").unwrap();
    let names: Vec<_> = (0..30).map(|n| ("x".repeat(n), "y".repeat(n))).collect();
    let mut calls: Vec<_> = names.iter().map(|(x, y)| Box::pin(both.call_async((x, y)))).collect();
    assert_eq!(live(&guest), 0, "nothing happens before they are polled");
    calls.iter_mut().for_each(|call| assert!(poll(call).is_pending()));
    assert_eq!(live(&guest), 60);
    assert_eq!(plain.call((4,)).unwrap(), 8);
    assert_eq!(ready(poll(&mut Box::pin(plain.call_async((5,))))).unwrap(), 10);
    gate.open();
    for (n, call) in calls.iter_mut().enumerate().rev() {
        assert_eq!(ready(poll(call)).unwrap(), 2 * n as i32);
    }
    assert_eq!(asked.borrow()[30], "y".repeat(29), "the second argument was still there");
    assert_eq!(live(&guest), 0);
}

#[test]
fn a_call_that_is_dropped_frees_what_it_had() {
    let gate = Gate::default();
    let (guest, _) = guest(&gate);
    let both = guest.function::<(&str, &str), i32>("both").unwrap();
    let mut call = Box::pin(both.call_async(("one", "two")));
    let mut other = Box::pin(both.call_async(("three", "four")));
    assert!(poll(&mut call).is_pending() && poll(&mut other).is_pending());
    drop(call);
    assert_eq!(guest.heap().unwrap().waiting(), 2, "at the next safe point");
    assert_eq!(live(&guest), 2);
    gate.open();
    assert_eq!(ready(poll(&mut other)).unwrap(), 9);
    assert_eq!(live(&guest), 0);
}

#[test]
fn errors_and_panics_reach_the_caller() {
    let gate = Gate::default();
    let (guest, _) = guest(&gate);
    let both = guest.function::<(&str, &str), i32>("both").unwrap();
    let mut fails = Box::pin(both.call_async(("fine", "fails")));
    let mut panics = Box::pin(both.call_async(("panics", "")));
    let mut fine = Box::pin(both.call_async(("fine", "")));
    assert!(poll(&mut fails).is_pending() && poll(&mut panics).is_pending() && poll(&mut fine).is_pending());
    gate.open();
    let panicked = catch_unwind(AssertUnwindSafe(|| poll(&mut panics))).unwrap_err();
    assert_eq!(*panicked.downcast::<&str>().unwrap(), "on purpose");
    let Err(GuestError::Callback(CallbackError::Failed(error))) = ready(poll(&mut fails)) else { panic!() };
    assert_eq!(error.to_string(), "no such name");
    assert_eq!(ready(poll(&mut fine)).unwrap(), 4);
    assert_eq!(live(&guest), 0);
}

#[test]
fn an_ordinary_call_is_refused() {
    let (guest, asked) = guest(&Gate::default());
    let both = guest.function::<(&str, &str), i32>("both").unwrap();
    let Err(GuestError::Call(CallError::Trap(trap))) = both.call(("a", "b")) else { panic!() };
    assert_eq!(trap.message, "an async host function was called by a guest whose own call is not async");
    assert!(asked.borrow().is_empty());
    assert_eq!(live(&guest), 0);
}

#[test]
fn an_import_of_another_type_is_refused() {
    let wasm = wat::parse_str(include_str!("waiting.wat")).unwrap();
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let module = Module::new(&engine, &wasm).unwrap();
    let builder = Guest::builder(&engine).import_async::<fn(f64) -> i32>("env", "look_up", |_: f64| async { 0 });
    let error = builder.instantiate(&module).err().unwrap();
    assert!(matches!(&error, GuestError::Type { function, .. } if function == "env.look_up"), "{error}");
}

#[test]
fn async_callbacks_run_many_times_at_once_and_outlive_their_slot() {
    let gate = Gate::default();
    let (guest, _) = guest(&gate);
    let through = guest.function::<(&Kept<fn(i32) -> i32>, i32), i32>("through").unwrap();
    let passed = gate.clone();
    let callback = guest.async_callback::<fn(i32) -> i32>(move |n: i32| {
        let gate = passed.clone();
        async move {
            gate.pass().await;
            n * 10
        }
    });
    let callback = callback.unwrap();
    let mut calls: Vec<_> = (0..10).map(|n| Box::pin(through.call_async((&callback, n)))).collect();
    calls.iter_mut().for_each(|call| assert!(poll(call).is_pending()));
    // An ordinary closure of the same signature has another slot, and may be called by async calls as well.
    let plain = guest.callback::<fn(i32) -> i32>(Box::new(|n| n + 1)).unwrap();
    assert_ne!(plain.index(), callback.index());
    assert_eq!(ready(poll(&mut Box::pin(through.call_async((&plain, 1))))).unwrap(), 2);
    assert!(through.call((&callback, 1)).unwrap_err().to_string().contains("not async"));
    gate.open();
    for (n, call) in calls.iter_mut().enumerate().rev() {
        assert_eq!(ready(poll(call)).unwrap(), 10 * n as i32);
    }
    drop(calls);
    // By its pointer, a call that waits does not hold the closure.
    let (index, gate) = (callback.index(), Gate::default());
    drop(callback);
    let passed = gate.clone();
    let callback = guest.async_callback::<fn(i32) -> i32>(move |n: i32| {
        let gate = passed.clone();
        async move {
            gate.pass().await;
            n
        }
    });
    let callback = callback.unwrap();
    assert_eq!(callback.index(), index, "the slot is used again");
    let by_index = guest.function::<(usize, i32), i32>("through").unwrap();
    let mut waiting = Box::pin(by_index.call_async((index as usize, 3)));
    assert!(poll(&mut waiting).is_pending());
    drop(callback);
    gate.open();
    assert_eq!(ready(poll(&mut waiting)).unwrap(), 3);
    let error = ready(poll(&mut Box::pin(by_index.call_async((index as usize, 3))))).unwrap_err();
    assert!(matches!(error, GuestError::Callback(CallbackError::Ended { .. })), "{error}");
}

#[test]
fn what_is_mutable_is_copied_back_when_the_call_ends() {
    let gate = Gate::default();
    let (guest, _) = guest(&gate);
    let update = guest.function::<(&mut i32, &Kept<fn(i32) -> i32>), ()>("update").unwrap();
    let passed = gate.clone();
    let callback = guest.async_callback::<fn(i32) -> i32>(move |n: i32| {
        let gate = passed.clone();
        async move {
            gate.pass().await;
            n + 1
        }
    });
    let callback = callback.unwrap();
    let (mut one, mut two) = (10, 20);
    let mut first = Box::pin(update.call_async((&mut one, &callback)));
    let mut second = Box::pin(update.call_async((&mut two, &callback)));
    assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
    gate.open();
    ready(poll(&mut first)).unwrap();
    drop((first, second));
    assert_eq!((one, two), (11, 20));
    assert_eq!(live(&guest), 0);
}

#[test]
fn a_callback_may_call_the_guest_and_wait() {
    let gate = Gate::default();
    let (guest, _) = guest(&gate);
    let both: Rc<Function<(&str, &str), i32>> = Rc::new(guest.function("both").unwrap());
    let through = guest.function::<(&Kept<fn(i32) -> Result<i32, GuestError>>, i32), i32>("through").unwrap();
    let callback = guest.async_callback::<fn(i32) -> Result<i32, GuestError>>(move |n: i32| {
        let both = both.clone();
        async move { Ok(both.call_async(("inner", "call")).await? + n) }
    });
    let callback = callback.unwrap();
    let mut calls: Vec<_> = (0..3).map(|n| Box::pin(through.call_async((&callback, n)))).collect();
    calls.iter_mut().for_each(|call| assert!(poll(call).is_pending()));
    drop(calls.remove(1));
    gate.open();
    assert_eq!(ready(poll(&mut calls[1])).unwrap(), 11);
    assert_eq!(ready(poll(&mut calls[0])).unwrap(), 9);
    drop(calls);
    assert_eq!(live(&guest), 0);
}

#[test]
fn two_guests_wait_side_by_side() {
    let (one, other) = (Gate::default(), Gate::default());
    let ((first, _), (second, _)) = (guest(&one), guest(&other));
    let bind = |guest: &Guest| guest.function::<(&str, &str), i32>("both").unwrap();
    let (first_both, second_both) = (bind(&first), bind(&second));
    let mut near = Box::pin(first_both.call_async(("ab", "c")));
    let mut far = Box::pin(second_both.call_async(("abc", "de")));
    assert!(poll(&mut near).is_pending() && poll(&mut far).is_pending());
    other.open();
    assert!(poll(&mut near).is_pending());
    assert_eq!(ready(poll(&mut far)).unwrap(), 5);
    one.open();
    assert_eq!(ready(poll(&mut near)).unwrap(), 3);
    assert_eq!((live(&first), live(&second)), (0, 0));
}

#[test]
fn each_call_has_a_stack_of_its_own() {
    for wasm in ["waiting", "waiting64"] {
        let bytes = std::fs::read(format!("{}/../../guests/{wasm}.wasm", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let engine = Engine::new(&EngineOptions::default()).unwrap();
        let module = Module::new(&engine, &bytes).unwrap();
        let guest = Guest::new(&engine, &module).unwrap();
        let blocks = guest.function::<(), i32>("live_blocks").unwrap();
        let ask = guest.function::<(&Kept<fn(i32) -> i32>, i32, i32), i64>("ask").unwrap();
        let gates: Vec<Gate> = (0..6).map(|_| Gate::default()).collect();
        let of_call = gates.clone();
        let next = guest.async_callback::<fn(i32) -> i32>(move |mark: i32| {
            let gate = of_call[mark as usize].clone();
            async move {
                gate.pass().await;
                mark
            }
        });
        let next = next.unwrap();
        let before = blocks.call(()).unwrap();
        let mut calls: Vec<_> = (0..6).map(|mark| Box::pin(ask.call_async((&next, mark, 3)))).collect();
        calls.iter_mut().for_each(|call| assert!(poll(call).is_pending()));
        // The frames of others lie where they were when each of them goes on and calls again.
        for at in [0, 5, 2, 4, 1] {
            gates[at].open();
            assert_eq!(ready(poll(&mut calls[at])).unwrap(), 3 * at as i64, "{wasm}");
        }
        drop(calls);
        guest.heap().unwrap().drain().unwrap();
        assert_eq!(blocks.call(()).unwrap(), before, "{wasm}: also that of the call which was given up");

        let small = Guest::builder(&engine).async_stack(600).instantiate(&module).unwrap();
        let use_stack = small.function::<(&Kept<fn(i32) -> i32>, usize), i32>("use").unwrap();
        let at_once = small.async_callback::<fn(i32) -> i32>(|bytes: i32| async move { bytes }).unwrap();
        assert_eq!(ready(poll(&mut Box::pin(use_stack.call_async((&at_once, 400))))).unwrap(), 400);
        let error = ready(poll(&mut Box::pin(use_stack.call_async((&at_once, 700))))).unwrap_err();
        assert!(error.to_string().contains("608 bytes"), "{error}");
    }
}

#[test]
fn what_fails_leaves_nothing_on_the_stack() {
    let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../guests/waiting.wasm")).unwrap();
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let guest = Guest::new(&engine, &Module::new(&engine, &bytes).unwrap()).unwrap();
    let end = guest.function::<(), usize>("stack_end").unwrap();
    let ask = guest.function::<(Callback<fn(i32) -> Result<i32, &'static str>>, i32, i32), i64>("ask").unwrap();
    let before = end.call(()).unwrap();
    for _ in 0..100 {
        ask.call((&mut |_| Err("no"), 1, 1)).unwrap_err();
        assert_eq!(end.call(()).unwrap(), before);
    }
}

#[test]
fn assembly_scripts_calls_wait_one_at_a_time() {
    let text = include_str!("waiting.wat").replace(r#"(func (export "malloc")"#, r#"(func $malloc (export "malloc")"#);
    let functions = r#"(func (export "__new") (param i32 i32) (result i32) (call $malloc (local.get 0)))
        (func (export "__pin") (param i32) (result i32) (local.get 0))
        (func (export "__unpin") (param i32)))"#;
    let wasm = wat::parse_str(text.trim_end().strip_suffix(')').unwrap().to_owned() + functions).unwrap();
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let gate = Gate::default();
    let of_call = gate.clone();
    let builder = Guest::builder(&engine).assembly_script("__new", "__pin", "__unpin").import_async::<fn(i32) -> i32>(
        "env",
        "look_up",
        move |value: i32| {
            let gate = of_call.clone();
            async move {
                gate.pass().await;
                value
            }
        },
    );
    let guest = builder.instantiate(&Module::new(&engine, &wasm).unwrap()).unwrap();
    let both = guest.function::<(i32, i32), i32>("both").unwrap();
    let mut first = Box::pin(both.call_async((1, 2)));
    assert!(poll(&mut first).is_pending());
    let refused = ready(poll(&mut Box::pin(both.call_async((3, 4))))).unwrap_err();
    assert!(refused.to_string().contains("AssemblyScript"), "{refused}");
    drop(first);
    let mut second = Box::pin(both.call_async((5, 6)));
    assert!(poll(&mut second).is_pending(), "a call that was given up has nothing any more");
    gate.open();
    assert_eq!(ready(poll(&mut second)).unwrap(), 11);
    assert_eq!(ready(poll(&mut Box::pin(both.call_async((7, 8))))).unwrap(), 15);
}
