//! Guests as a Rust host uses them: bound functions, their arguments and results.

use island::{Engine, EngineOptions, Module};
use marshal::{Counted, Guest, GuestError, HeapError, Lent, Owned, View};

fn guest() -> Guest {
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let module = Module::new(&engine, &wat::parse_str(include_str!("guest.wat")).unwrap()).unwrap();
    Guest::builder(&engine).import("host", "hook", |_: i32| ()).instantiate(&module).unwrap()
}

fn live(guest: &Guest) -> i32 {
    guest.heap().unwrap().drain().unwrap();
    guest.function::<(), i32>("live").unwrap().call(()).unwrap()
}

type Multiply = (&'static [f64], &'static [f64], i32);

#[test]
fn slices_go_in_and_come_back() {
    let guest = guest();
    let multiply = guest.function::<Multiply, Vec<f64>>("multiply").unwrap().with_len(|(a, ..)| a.len());
    assert_eq!(multiply.call((&[1.0, 2.0], &[3.0, 4.0], 2)).unwrap(), [3.0, 8.0]);
    assert_eq!(live(&guest), 0);
    let sum = guest.function::<(Counted<&[f64]>,), f64>("sum").unwrap();
    assert_eq!(sum.call((&[1.0, 2.0, 3.5],)).unwrap(), 6.5);
    let scale = guest.function::<(&mut [f64], i32, f64), ()>("scale").unwrap();
    let mut values = [1.0, 2.0, 3.0];
    scale.call((&mut values, 2, 10.0)).unwrap();
    assert_eq!(values, [10.0, 20.0, 3.0]);
    assert_eq!(live(&guest), 0, "arguments are freed");
}

#[test]
fn strings_go_in_and_come_back() {
    let guest = guest();
    let reverse = guest.function::<(&str,), String>("reverse").unwrap();
    assert_eq!(reverse.call(("tombolo",)).unwrap(), "olobmot");
    assert_eq!(reverse.call(("",)).unwrap(), "");
    let error = reverse.call(("è",)).unwrap_err(); // reversed byte by byte
    assert!(matches!(error, GuestError::Heap(HeapError::NotUtf8 { at: 0, .. })), "{error}");
    assert!(matches!(reverse.call(("a\0",)), Err(GuestError::Heap(HeapError::ZeroByte { at: 1 }))));
    assert_eq!(live(&guest), 0, "freed in any case");
    let version = guest.function::<(), Lent<String>>("version").unwrap();
    assert_eq!(version.call(()).unwrap().0, "tombolo 0.1");
    let length = guest.function::<(&str,), i32>("length").unwrap();
    assert_eq!(length.call(("isola",)).unwrap(), 5);
}

#[test]
fn a_view_is_passed_by_address_and_sees_what_the_guest_does() {
    let guest = guest();
    let multiply = guest.function::<Multiply, View<[f64]>>("multiply").unwrap().with_len(|(a, ..)| a.len());
    let view = multiply.call((&[1.0, 2.0], &[3.0, 4.0], 2)).unwrap();
    let scale = guest.function::<(&View<[f64]>, i32, f64), ()>("scale").unwrap();
    scale.call((&view, 2, 10.0)).unwrap();
    view.set(0, 1.0);
    assert_eq!((view.to_vec(), view.get(1), view.get(2)), (vec![1.0, 80.0], Some(80.0), None));
    assert_eq!(live(&guest), 1);
    let other = self::guest();
    let foreign = other.function::<(&View<[f64]>, i32, f64), ()>("scale").unwrap();
    let error = foreign.call((&view, 2, 10.0)).unwrap_err();
    assert!(matches!(error, GuestError::Heap(HeapError::NotOurs { .. })));
    drop(view);
    assert_eq!(live(&guest), 0);
}

#[test]
fn an_owned_slice_reads_like_one_and_outlives_its_guest() {
    let guest = guest();
    // SAFETY: `multiply` forgets what it returned, and writes to no argument.
    let multiply = unsafe { guest.trusted_function::<Multiply, Owned<[f64]>>("multiply") }.unwrap();
    let multiply = multiply.with_len(|(a, ..)| a.len());
    let mut product = multiply.call((&[1.0, 2.0], &[3.0, 4.0], 2)).unwrap();
    product[0] += 0.5;
    let square = multiply.call((&product, &product, 2)).unwrap();
    assert_eq!(*square, [12.25, 64.0]);
    assert_eq!(live(&guest), 2, "nothing was copied");
    // SAFETY: `reverse` forgets what it returned.
    let reverse = unsafe { guest.trusted_function::<(&str,), Owned<str>>("reverse") }.unwrap();
    assert_eq!(&*reverse.call(("abc",)).unwrap(), "cba");
    drop((multiply, reverse, guest));
    assert_eq!(*square, [12.25, 64.0]);
    std::thread::spawn(move || drop(square)).join().unwrap();
}

#[test]
fn null_is_an_error_or_none() {
    let guest = guest();
    let call = guest.function::<Multiply, Vec<f64>>("multiply").unwrap().with_len(|_| 1);
    assert!(matches!(call.call((&[1.0], &[1.0], -1)), Err(GuestError::Heap(HeapError::Null))));
    let call = guest.function::<Multiply, Option<View<[f64]>>>("multiply").unwrap().with_len(|_| 1);
    assert!(call.call((&[1.0], &[1.0], -1)).unwrap().is_none());
    assert!(call.call((&[1.0], &[1.0], 1)).unwrap().is_some());
    assert_eq!(live(&guest), 0);
}

#[test]
fn a_wrong_length_stays_in_the_memory() {
    let guest = guest();
    for len in [1 << 20, usize::MAX] {
        let call = guest.function::<Multiply, Vec<f64>>("multiply").unwrap().with_len(move |_| len);
        let error = call.call((&[1.0], &[1.0], 1)).unwrap_err();
        assert!(matches!(error, GuestError::Heap(HeapError::BadAddress(_))), "{error}");
    }
}

#[test]
fn what_does_not_fit_is_told_when_it_is_bound() {
    let guest = guest();
    let error = guest.function::<(f64, &[f64]), i32>("sum").unwrap_err().to_string();
    assert_eq!(
        error,
        "sum was bound as (f64, i32) -> (i32); in the guest it is (type (func (param i32 i32) (result f64)))"
    );
    let error = guest.function::<(), ()>("nothing").unwrap_err().to_string();
    assert_eq!(error, "the guest exports no function called nothing");
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let module = Module::new(&engine, &wat::parse_str(r#"(module (func (export "f") (param i32)))"#).unwrap()).unwrap();
    let error = Guest::new(&engine, &module).unwrap().function::<(&str,), ()>("f").unwrap_err().to_string();
    assert_eq!(error, "f passes memory, but the guest exports no memory with an allocator for it");
    let module = Module::new(&engine, &wat::parse_str(r#"(module (import "a" "b" (func)))"#).unwrap()).unwrap();
    let error = Guest::new(&engine, &module).err().unwrap().to_string();
    assert_eq!(error, "the guest imports a.b, which it was not given");
}
