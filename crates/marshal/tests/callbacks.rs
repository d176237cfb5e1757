//! Closures as function pointers: for a call, kept, called again and too late, with panics and errors.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use crate::typed::{Point, with_guests};
use island::{Engine, EngineOptions, Module};
use marshal::{Callback, CallbackError, Counted, Guest, GuestError, Kept};

type Each = (&'static [i32], i32, Callback<fn(i32)>);

fn callback_error(result: Result<i32, GuestError>) -> CallbackError {
    match result {
        Err(GuestError::Callback(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_closure_may_borrow_what_the_caller_has() {
    with_guests(|guest| {
        let each = guest.function::<Each, ()>("each").unwrap();
        let mut seen = Vec::new();
        each.call((&[1, 2, 3], 3, &mut |value| seen.push(value))).unwrap();
        assert_eq!(seen, [1, 2, 3]);
        let apply = guest.function::<(Callback<fn(i32, f64) -> f64>, i32, f64), f64>("apply").unwrap();
        assert_eq!(apply.call((&mut |a, b| f64::from(a) * b, 3, 2.5)).unwrap(), 7.5);
        // And a function of the guest's own, by its address.
        let pointer = guest.function::<(), usize>("get_twice").unwrap().call(()).unwrap();
        let apply = guest.function::<(usize, i32, f64), f64>("apply").unwrap();
        assert_eq!(apply.call((pointer, 3, 2.5)).unwrap(), 8.5);
        let twice = guest.function_at::<(i32, f64), f64>(pointer).unwrap();
        assert_eq!(twice.call((1, 1.0)).unwrap(), 3.0);
        assert!(guest.function_at::<(), ()>(1 << 20).is_err());
    });
}

#[test]
fn structs_strings_and_slices_are_parameters() {
    with_guests(|guest| {
        type Compare = Callback<fn(Box<Point>, Box<Point>) -> i32>;
        let sort = guest.function::<(&mut [Point], i32, Compare), ()>("sort_points").unwrap();
        let mut points = [3, 1, 2].map(|id| Point { id, x: 0.0, y: 0.0 });
        sort.call((&mut points, 3, &mut |a, b| a.id - b.id)).unwrap();
        assert_eq!(points.map(|point| point.id), [1, 2, 3]);
        type Told = Callback<fn(Counted<String>, Counted<Vec<f64>>) -> i32>;
        let tell = guest.function::<(Told,), i32>("tell").unwrap();
        let mut told = None;
        tell.call((&mut |text, values| {
            told = Some((text.0, values.0));
            7
        },))
            .unwrap();
        assert_eq!(told.unwrap(), ("isola".to_string(), vec![1.0, 2.5, 4.0]));
        let ask = guest.function::<(Callback<fn(String) -> i32>,), i32>("ask").unwrap();
        assert_eq!(ask.call((&mut |text| text.len() as i32,)).unwrap(), 7);
        // What it returns is the guest's, which frees it.
        let named = guest.function::<(Callback<fn(i32) -> Option<String>>,), i32>("named").unwrap();
        assert_eq!(named.call((&mut |n| Some("x".repeat(n as usize)),)).unwrap(), 3);
        assert_eq!(named.call((&mut |_| None,)).unwrap(), -1);
    });
}

#[test]
fn a_slot_is_used_again() {
    with_guests(|guest| {
        let apply = guest.function::<(Callback<fn(i32, f64) -> f64>, i32, f64), f64>("apply").unwrap();
        let first = guest.callback::<fn(i32, f64) -> f64>(Box::new(|_, b| b)).unwrap().index();
        for n in 0..100_000 {
            apply.call((&mut |_, b| b, n, 0.5)).unwrap();
            assert!(n % 1000 != 0 || guest.callback::<fn()>(Box::new(|| ())).unwrap().index() == first + 1);
        }
        let another = guest.callback::<fn(i32, f64) -> f64>(Box::new(|_, b| b)).unwrap();
        assert_eq!(another.index(), first, "one slot was enough for all of them");
        let beside = guest.callback::<fn(i32, f64) -> f64>(Box::new(|_, b| b)).unwrap();
        assert_ne!(beside.index(), first);
    });
}

#[test]
fn a_kept_closure_is_there_until_it_is_dropped() {
    with_guests(|guest| {
        let listen = guest.function::<(Option<&Kept<fn(i32) -> i32>>,), ()>("listen").unwrap();
        let notify = guest.function::<(i32,), i32>("notify").unwrap();
        let token = Rc::new(());
        let held = token.clone();
        let mut sum = 0;
        let listener = guest.callback::<fn(i32) -> i32>(Box::new(move |value| {
            let _ = &held;
            sum += value;
            sum
        }));
        let listener = listener.unwrap();
        listen.call((Some(&listener),)).unwrap();
        assert_eq!((notify.call((2,)).unwrap(), notify.call((3,)).unwrap()), (2, 5));
        let index = listener.index();
        drop(listener);
        assert_eq!(Rc::strong_count(&token), 1, "what it held is gone");
        let error = callback_error(notify.call((1,)));
        assert!(matches!(error, CallbackError::Ended { index: ended } if ended == index), "{error}");
        listen.call((None,)).unwrap();
        assert_eq!(notify.call((1,)).unwrap(), -1);
        let kept = guest.callback::<fn(i32) -> i32>(Box::new(|value| value * 2)).unwrap().keep();
        let listen = guest.function::<(usize,), ()>("listen").unwrap();
        listen.call((kept as usize,)).unwrap();
        assert_eq!(notify.call((21,)).unwrap(), 42);
    });
}

#[test]
fn a_closure_of_one_call_ends_with_it() {
    with_guests(|guest| {
        let listen = guest.function::<(Callback<fn(i32) -> i32>,), ()>("listen").unwrap();
        let notify = guest.function::<(i32,), i32>("notify").unwrap();
        let calls = Cell::new(0);
        listen
            .call((&mut |value| {
                calls.set(calls.get() + 1);
                value
            },))
            .unwrap();
        assert!(matches!(callback_error(notify.call((1,))), CallbackError::Ended { .. }));
        assert_eq!(calls.get(), 0);
    });
}

#[test]
fn a_closure_ends_also_where_the_guest_traps() {
    let text = r#"(module (table (export "t") 1 funcref) (global $f (mut i32) (i32.const 0)) (type $f (func))
        (func (export "fail") (param i32)
          (global.set $f (local.get 0)) (call_indirect (type $f) (local.get 0)) (unreachable))
        (func (export "again") (call_indirect (type $f) (global.get $f))))"#;
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let guest = Guest::new(&engine, &Module::new(&engine, &wat::parse_str(text).unwrap()).unwrap()).unwrap();
    let fail = guest.function::<(Callback<fn()>,), ()>("fail").unwrap();
    let again = guest.function::<(), ()>("again").unwrap();
    let calls = Cell::new(0);
    let error = fail.call((&mut || calls.set(calls.get() + 1),)).unwrap_err();
    assert!(matches!(error, GuestError::Call(island::CallError::Trap(_))), "{error}");
    assert!(matches!(again.call(()), Err(GuestError::Callback(CallbackError::Ended { .. }))));
    // A panic of the closure does not keep it either.
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        fail.call((&mut || {
            calls.set(calls.get() + 1);
            std::panic::panic_any(());
        },))
    }));
    assert!(panicked.is_err());
    assert!(matches!(again.call(()), Err(GuestError::Callback(CallbackError::Ended { .. }))));
    assert_eq!(calls.get(), 2);
}

#[test]
fn a_callback_may_call_the_guest_but_not_itself() {
    with_guests(|guest| {
        let apply = guest.function::<(Callback<fn(i32, f64) -> f64>, i32, f64), f64>("apply").unwrap();
        let echo = guest.function::<(&str,), String>("echo_text").unwrap();
        let result = apply.call((
            &mut |a, b| {
                let inner = apply.call((&mut |_, b| b + echo.call(("abc",)).unwrap().len() as f64, a, b));
                inner.unwrap() * 2.0
            },
            1,
            0.5,
        ));
        assert_eq!(result.unwrap(), 7.0);
        // Through the guest, the same closure again.
        let listen = guest.function::<(&Kept<fn(i32) -> i32>,), ()>("listen").unwrap();
        let notify = Rc::new(guest.function::<(i32,), i32>("notify").unwrap());
        let seen = Rc::new(RefCell::new(None));
        let (again, note) = (Rc::downgrade(&notify), seen.clone());
        let listener = guest.callback::<fn(i32) -> i32>(Box::new(move |value| {
            note.replace(Some(callback_error(again.upgrade().unwrap().call((value,)))));
            value
        }));
        let listener = listener.unwrap();
        listen.call((&listener,)).unwrap();
        assert_eq!(notify.call((5,)).unwrap(), 5, "and the closure may go on");
        assert!(matches!(seen.take(), Some(CallbackError::Running { .. })));
    });
}

#[test]
fn a_closure_may_end_itself() {
    with_guests(|guest| {
        let listen = guest.function::<(&Kept<fn(i32) -> i32>,), ()>("listen").unwrap();
        let notify = guest.function::<(i32,), i32>("notify").unwrap();
        let own = Rc::new(RefCell::new(None::<Kept<fn(i32) -> i32>>));
        let (end, text) = (own.clone(), String::from("held"));
        let listener = guest.callback::<fn(i32) -> i32>(Box::new(move |value| {
            drop(end.take());
            value + text.len() as i32
        }));
        let listener = listener.unwrap();
        listen.call((&listener,)).unwrap();
        own.replace(Some(listener));
        assert_eq!(notify.call((1,)).unwrap(), 5);
        assert!(matches!(callback_error(notify.call((1,))), CallbackError::Ended { .. }));
    });
}

#[test]
fn a_panic_goes_through_the_call() {
    with_guests(|guest| {
        let each = guest.function::<Each, ()>("each").unwrap();
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            each.call((&[1, 2], 2, &mut |value| {
                if value == 2 {
                    std::panic::panic_any("two");
                }
            }))
        }));
        assert_eq!(unwound.unwrap_err().downcast_ref::<&str>(), Some(&"two"));
        assert_eq!(crate::typed::live(guest), (0, 0), "the arguments were freed");
        let mut sum = 0;
        each.call((&[1, 2], 2, &mut |value| sum += value)).unwrap();
        assert_eq!(sum, 3, "and the guest can be called again");
    });
}

#[test]
fn an_error_of_the_closure_comes_back() {
    with_guests(|guest| {
        let ask = guest.function::<(Callback<fn(String) -> Result<i32, std::fmt::Error>>,), i32>("ask").unwrap();
        assert_eq!(ask.call((&mut |_| Ok(1),)).unwrap(), 1);
        let error = callback_error(ask.call((&mut |_| Err(std::fmt::Error),)));
        assert!(matches!(&error, CallbackError::Failed(source) if source.is::<std::fmt::Error>()), "{error}");
        // What the guest passes may be wrong too: the slice is longer than the memory.
        let text = r#"(module (memory (export "memory") 1) (table (export "t") 1 funcref)
            (func (export "malloc") (param i32) (result i32) (i32.const 16)) (func (export "free") (param i32))
            (type $f (func (param i32 i32) (result i32)))
            (func (export "call") (param i32) (result i32)
              (call_indirect (type $f) (i32.const 8) (i32.const -1) (local.get 0))))"#;
        let engine = Engine::new(&EngineOptions::default()).unwrap();
        let wrong = Guest::new(&engine, &Module::new(&engine, &wat::parse_str(text).unwrap()).unwrap()).unwrap();
        let call = wrong.function::<(Callback<fn(Counted<Vec<u8>>) -> i32>,), i32>("call").unwrap();
        let error = callback_error(call.call((&mut |bytes| bytes.0.len() as i32,)));
        assert!(matches!(error, CallbackError::Value(_)), "{error}");
    });
}

#[test]
fn what_can_be_no_callback_is_told_when_it_is_bound() {
    with_guests(|guest| {
        let error = guest.function::<(Callback<fn(i32) -> Point>, i32, f64), f64>("apply").unwrap_err();
        assert!(matches!(error, GuestError::Signature { .. }), "{error}");
        let error = guest.callback::<fn(Vec<i32>)>(Box::new(|_| ())).unwrap_err();
        assert!(matches!(error, GuestError::Signature { .. }), "{error}");
        // The types of the parameters are the guest's to check: it traps.
        let apply = guest.function::<(Callback<fn(f64) -> f64>, i32, f64), f64>("apply").unwrap();
        let error = apply.call((&mut |b| b, 1, 1.0)).unwrap_err();
        assert!(error.to_string().contains("indirect call type mismatch"), "{error}");
        let other = &crate::typed::guests()[0];
        let kept = other.callback::<fn(i32) -> i32>(Box::new(|value| value)).unwrap();
        let listen = guest.function::<(&Kept<fn(i32) -> i32>,), ()>("listen").unwrap();
        let error = listen.call((&kept,)).unwrap_err().to_string();
        assert!(error.ends_with("the callback belongs to another guest"), "{error}");
    });
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let text = r#"(module (table (export "t") 1 funcref))"#;
    let guest = Guest::new(&engine, &Module::new(&engine, &wat::parse_str(text).unwrap()).unwrap()).unwrap();
    assert!(matches!(guest.callback::<fn(String)>(Box::new(|_| ())), Err(GuestError::NoHeap { .. })));
    for (text, reason) in [
        ("(module)", "it exports no table of functions"),
        (r#"(module (table (export "t") 1 1 funcref))"#, "its table of functions cannot grow"),
    ] {
        let guest = Guest::new(&engine, &Module::new(&engine, &wat::parse_str(text).unwrap()).unwrap()).unwrap();
        let error = guest.callback::<fn()>(Box::new(|| ())).unwrap_err().to_string();
        assert_eq!(error, format!("the guest cannot be given callbacks: {reason}"));
    }
}
