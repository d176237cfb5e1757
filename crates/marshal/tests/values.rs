//! Numbers, slices and strings in each direction: out-parameters, lengths, encodings, null, what is consumed; and what
//! is left when a call fails.

use crate::typed::{Random, live, set_malloc_budget, starve, with_guests};
use island::{CallError, Engine, EngineOptions, Module};
use marshal::{Code, Consumed, Counted, Guest, GuestError, HeapError, Latin1, Lent, Out, OutLen, Status, Utf16, View};

#[test]
fn numbers_survive_the_round_trip() {
    with_guests(|guest| {
        let mut random = Random(7);
        macro_rules! echo {
            ($($name:literal $ty:ty: $make:expr;)*) => { $(
                let echo = guest.function::<($ty,), $ty>($name).unwrap();
                for _ in 0..100 {
                    let value: $ty = $make(random.next());
                    assert_eq!(echo.call((value,)).unwrap(), value, $name);
                }
            )* };
        }
        echo! {
            "echo_bool" bool: |bits| bits & 1 == 1;
            "echo_i8" i8: |bits| bits as i8;
            "echo_u8" u8: |bits| bits as u8;
            "echo_i16" i16: |bits| bits as i16;
            "echo_u16" u16: |bits| bits as u16;
            "echo_i32" i32: |bits| bits as i32;
            "echo_u32" u32: |bits| bits as u32;
            "echo_i64" i64: |bits| bits as i64;
            "echo_u64" u64: |bits| bits;
            "echo_f32" f32: |bits| bits as i32 as f32;
            "echo_f64" f64: |bits| bits as i64 as f64;
            "echo_size" usize: |bits| (bits as u32) as usize;
        }
        // An `int` that is not 0 is true, whatever its lowest byte.
        let truth = guest.function::<(i32,), bool>("status").unwrap();
        assert_eq!((truth.call((256,)).unwrap(), truth.call((0,)).unwrap()), (true, false));
    });
}

#[test]
fn slices_survive_the_round_trip() {
    with_guests(|guest| {
        let mut random = Random(11);
        macro_rules! echo {
            ($($ty:ty)*) => { $(
                let echo = guest.function::<(&[$ty], usize), Vec<$ty>>("echo_bytes").unwrap();
                let echo = echo.with_len(|&(values, _)| values.len());
                let back = guest.function::<(&mut [$ty], i32), i32>("length_or").unwrap();
                for _ in 0..50 {
                    let mut values: Vec<$ty> = (0..random.below(40)).map(|_| random.next() as $ty).collect();
                    let bytes = size_of_val(&values[..]);
                    assert_eq!(echo.call((&values, bytes)).unwrap(), values, stringify!($ty));
                    let before = values.clone();
                    values.push(0 as $ty); // it is read up to a zero
                    back.call((&mut values, 0)).unwrap();
                    assert_eq!(values[..before.len()], before);
                }
            )* };
        }
        echo! { i8 u8 i16 u16 i32 u32 i64 u64 f32 f64 }
        let echo = guest.function::<(&[[u16; 3]], usize), Vec<[u16; 3]>>("echo_bytes").unwrap().with_len(|_| 2);
        assert_eq!(echo.call((&[[1, 2, 3], [4, 5, 6]], 12)).unwrap(), [[1, 2, 3], [4, 5, 6]]);
        let bools = guest.function::<(&[bool], usize), Vec<bool>>("echo_bytes").unwrap().with_len(|_| 3);
        assert_eq!(bools.call((&[true, false, true], 3)).unwrap(), [true, false, true]);
    });
}

#[test]
fn an_address_is_as_wide_as_the_guests() {
    let [narrow, wide] = crate::typed::guests();
    let large = 1usize << 40;
    let echo = |guest: &Guest| guest.function::<(usize,), usize>("echo_size").unwrap().call((large,));
    assert!(matches!(echo(&narrow), Err(GuestError::Range { .. })));
    assert_eq!(echo(&wide).unwrap(), large);
    let error = wide.function::<(i32,), i32>("echo_size").unwrap_err().to_string();
    let expected = "echo_size was bound as (i32) -> (i32); in the guest it is (type (func (param i64) (result i64)))";
    assert_eq!(error, expected);
}

#[test]
fn out_parameters_are_results() {
    with_guests(|guest| {
        let divmod = guest.function::<(i32, i32, Out<i32>, Out<i32>), ()>("divmod").unwrap();
        let (quotient, remainder) = divmod.call((17, 5, (), ())).unwrap();
        assert_eq!((quotient, remainder), (3, 2));
        let order = guest.function::<(i32, Out<i32>, i32), i32>("order").unwrap();
        assert_eq!(order.call((3, (), 8)).unwrap(), (8, 3));
        let increment = guest.function::<(Option<&mut i32>,), ()>("increment").unwrap();
        let mut value = 41;
        increment.call((Some(&mut value),)).unwrap();
        increment.call((None,)).unwrap();
        assert_eq!(value, 42);
        let error = divmod.call((1, 0, (), ())).unwrap_err();
        assert!(matches!(error, GuestError::Call(CallError::Trap(_))), "{error}");
        assert_eq!(live(guest), (0, 0), "what was allocated for a call that traps is freed");
        assert_eq!(starve(guest, || divmod.call((1, 1, (), ())).ok()), 2);
    });
}

#[test]
fn several_results_of_the_guests_own() {
    let text = r#"(module (func (export "f") (param i32) (result i32 f64 i64)
        (local.get 0) (f64.const 2.5) (i64.const -1)))"#;
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let guest = Guest::new(&engine, &Module::new(&engine, &wat::parse_str(text).unwrap()).unwrap()).unwrap();
    let f = guest.function::<(i32,), (u8, f64, i64)>("f").unwrap();
    assert_eq!(f.call((300,)).unwrap(), (44, 2.5, -1));
    let error = guest.function::<(i32,), (i32, f64)>("f").unwrap_err().to_string();
    assert!(error.starts_with("f was bound as (i32) -> (i32, f64); in the guest it is "), "{error}");
}

#[test]
fn the_length_of_a_result_is_known_somehow() {
    with_guests(|guest| {
        let iota = guest.function::<(i32,), Vec<i32>>("iota").unwrap().with_len(|&(n,)| n as usize);
        assert_eq!(iota.call((3,)).unwrap(), [1, 2, 3]);
        let counted = guest.function::<(i32, i32, OutLen<i32>), Vec<i32>>("counted_iota").unwrap();
        assert_eq!(counted.call((4, 0, ())).unwrap(), [1, 2, 3, 4]);
        let countdown = guest.function::<(i32,), Vec<i32>>("countdown").unwrap().until(0);
        assert_eq!(countdown.call((3,)).unwrap(), [3, 2, 1]);
        let countdown = guest.function::<(i32,), View<[i32]>>("countdown").unwrap().until(0);
        assert_eq!(countdown.call((2,)).unwrap().to_vec(), [2, 1]);
        let null = guest.function::<(i32,), Option<Vec<i32>>>("iota").unwrap().until(0);
        assert_eq!(null.call((-1,)).unwrap(), None);
    });
}

#[test]
fn a_length_that_is_wrong_leaves_nothing() {
    with_guests(|guest| {
        let counted = guest.function::<(i32, i32, OutLen<i32>), Vec<i32>>("counted_iota").unwrap();
        let error = counted.call((4, -1, ())).unwrap_err();
        assert!(matches!(error, GuestError::Range { value: 0xffff_ffff }), "{error}");
        assert_eq!(live(guest), (0, 0));
        let error = counted.call((4, 1 << 28, ())).unwrap_err();
        assert!(matches!(error, GuestError::Heap(HeapError::BadAddress(_))), "{error}");
        assert_eq!(live(guest), (0, 0));
        let viewed = guest.function::<(i32, i32, OutLen<i32>), View<[i32]>>("counted_iota").unwrap();
        assert!(viewed.call((4, -1, ())).is_err());
        assert!(viewed.call((4, 1 << 28, ())).is_err());
        assert_eq!(live(guest), (0, 0));
        // Some of the memory behind it is the guest's own: that is a copy of too much, and no more.
        assert_eq!(counted.call((4, 5, ())).unwrap()[..4], [1, 2, 3, 4]);
    });
}

#[test]
fn a_block_may_come_by_an_out_parameter_with_its_length() {
    with_guests(|guest| {
        let stretch = guest.function::<(&str, Out<Vec<u8>>, OutLen<usize>), Status>("stretch").unwrap();
        assert_eq!(stretch.call(("abc", (), ())).unwrap(), b"aabbcc");
        let error = stretch.call(("", (), ())).unwrap_err();
        assert_eq!(error.to_string(), "stretch failed with 1");
        let text = guest.function::<(&str, Out<Counted<String>>, OutLen<usize>), Status>("stretch").unwrap();
        assert_eq!(text.call(("xy", (), ())).unwrap().0, "xxyy");
        let view = guest.function::<(&str, Out<View<[u8]>>, OutLen<usize>), Status>("stretch").unwrap();
        let view = view.call(("q", (), ())).unwrap();
        assert_eq!((view.to_vec(), live(guest).0), (b"qq".to_vec(), 1));
        assert_eq!(starve(guest, || stretch.call(("abc", (), ())).ok()), 4);
    });
}

#[test]
fn a_status_is_an_error_or_nothing() {
    with_guests(|guest| {
        let status = guest.function::<(i32,), Status>("status").unwrap();
        let () = status.call((0,)).unwrap();
        let Err(GuestError::Status(error)) = status.call((-5,)) else { panic!("-5 is an error") };
        assert_eq!((error.code, &*error.function), (-5, "status"));
        let code = guest.function::<(i32,), Code>("status").unwrap().success(|code| code >= 0);
        assert_eq!(code.call((100,)).unwrap(), 100);
        assert_eq!(code.call((-1,)).unwrap_err().to_string(), "status failed with -1");
    });
}

#[test]
fn strings_survive_the_round_trip_in_every_encoding() {
    with_guests(|guest| {
        let utf8 = guest.function::<(&str,), String>("echo_text").unwrap();
        let wide = guest.function::<(Utf16<&str>,), Utf16>("echo_wide").unwrap();
        let latin1 = guest.function::<(Latin1<&str>,), Latin1>("echo_text").unwrap();
        let bytes =
            guest.function::<(Counted<&str>,), Counted<String>>("echo_bytes").unwrap().with_len(|&(s,)| s.len());
        let units = guest.function::<(Counted<Utf16<&str>>,), Counted<Utf16>>("echo_units").unwrap();
        let units = units.with_len(|&(s,)| s.encode_utf16().count());
        let mut random = Random(99);
        for _ in 0..200 {
            let text = random.text(false);
            assert_eq!(utf8.call((&text,)).unwrap(), text);
            assert_eq!(wide.call((&text,)).unwrap().0, text);
            let zeroed = format!("{text}\0{text}");
            assert_eq!(bytes.call((&zeroed,)).unwrap().0, zeroed, "a length allows zeroes");
            assert_eq!(units.call((&zeroed,)).unwrap().0.0, zeroed);
            let text = random.text(true);
            assert_eq!(latin1.call((&text,)).unwrap().0, text);
        }
        let c = guest.function::<(&std::ffi::CStr,), String>("echo_text").unwrap();
        assert_eq!(c.call((c"faro",)).unwrap(), "faro");
        assert_eq!(starve(guest, || wide.call(("🌊",)).ok()), 2);
    });
}

#[test]
fn what_has_no_representation_is_told() {
    with_guests(|guest| {
        let heap_error = |result: Result<(), GuestError>| match result {
            Err(GuestError::Heap(error)) => error,
            other => panic!("{other:?}"),
        };
        let latin1 = guest.function::<(Latin1<&str>,), Latin1>("echo_text").unwrap();
        assert!(matches!(heap_error(latin1.call(("aé→",)).map(drop)), HeapError::NotLatin1 { at: 3 }));
        assert!(matches!(heap_error(latin1.call(("a\0",)).map(drop)), HeapError::ZeroByte { at: 1 }));
        let wide = guest.function::<(Utf16<&str>,), Utf16>("echo_wide").unwrap();
        assert!(matches!(heap_error(wide.call(("ab\0",)).map(drop)), HeapError::ZeroByte { at: 2 }));
        let wrong = guest.function::<(), String>("not_utf8").unwrap();
        assert!(matches!(heap_error(wrong.call(()).map(drop)), HeapError::NotUtf8 { at: 2, .. }));
        let wrong = guest.function::<(), Utf16>("not_utf16").unwrap();
        assert!(matches!(heap_error(wrong.call(()).map(drop)), HeapError::NotUtf16 { at: 1, .. }));
        assert_eq!(live(guest), (0, 0), "freed all the same");
    });
}

#[test]
fn null_is_none_or_an_error() {
    with_guests(|guest| {
        let length = guest.function::<(Option<&str>, i32), i32>("length_or").unwrap();
        assert_eq!(length.call((Some("isola"), -1)).unwrap(), 5);
        assert_eq!(length.call((None, -1)).unwrap(), -1);
        let text = guest.function::<(bool,), Option<String>>("text_or_null").unwrap();
        assert_eq!(text.call((true,)).unwrap().as_deref(), Some("there"));
        assert_eq!(text.call((false,)).unwrap(), None);
        let text = guest.function::<(bool,), String>("text_or_null").unwrap();
        assert!(matches!(text.call((false,)), Err(GuestError::Heap(HeapError::Null))));
        let sum = guest.function::<(Option<Counted<&[f64]>>,), f64>("sum").unwrap();
        assert_eq!(sum.call((None,)).unwrap(), 0.0);
        assert_eq!(sum.call((Some(&[1.0, 0.5]),)).unwrap(), 1.5);
    });
}

#[test]
fn what_is_consumed_the_guest_frees() {
    with_guests(|guest| {
        let text = guest.function::<(Consumed<&str>,), i32>("consume_text").unwrap();
        assert_eq!(text.call(("isola",)).unwrap(), 5);
        let values = guest.function::<(Consumed<Counted<&[i32]>>,), i32>("consume").unwrap();
        assert_eq!(values.call((&[1, 2, 3],)).unwrap(), 6);
        let iota = guest.function::<(i32,), View<[i32]>>("iota").unwrap().with_len(|&(n,)| n as usize);
        let view = iota.call((4,)).unwrap();
        let consume = guest.function::<(Consumed<View<[i32]>>, usize), i32>("consume").unwrap();
        assert_eq!(consume.call((view, 4)).unwrap(), 10);
        assert_eq!((live(guest).0, guest.heap().unwrap().owned()), (0, 0));
        // It is still the host's when the call does not take place.
        let both = guest.function::<(Consumed<&str>, &str), i32>("length_or");
        let error = both.err().map(|error| error.to_string());
        match error {
            // With 64 bits the second parameter is none.
            Some(error) => assert!(error.contains("length_or was bound as"), "{error}"),
            None => {
                assert!(guest.function::<(Consumed<&str>, &str), i32>("length_or").unwrap().call(("a", "b\0")).is_err())
            }
        }
        assert_eq!(live(guest), (0, 0));
        let view = iota.call((2,)).unwrap();
        let other = &crate::typed::guests()[0];
        let foreign = other.function::<(Consumed<View<[i32]>>, usize), i32>("consume");
        if let Ok(foreign) = foreign {
            assert!(matches!(foreign.call((view, 2)), Err(GuestError::Heap(HeapError::NotOurs { .. }))));
        }
    });
}

#[test]
fn a_trap_leaves_nothing() {
    with_guests(|guest| {
        let trap = guest.function::<(&str,), i32>("trap_on").unwrap();
        assert!(matches!(trap.call(("isola",)), Err(GuestError::Call(CallError::Trap(_)))));
        assert_eq!(live(guest), (0, 0));
    });
}

#[test]
fn a_block_that_is_given_away_twice_is_freed_once() {
    with_guests(|guest| {
        let twice = guest.function::<(Out<String>,), String>("twice_the_same").unwrap();
        let error = twice.call(((),)).unwrap_err();
        assert!(matches!(error, GuestError::Heap(HeapError::AlreadyOwned { .. })), "{error}");
        assert_eq!(live(guest), (0, 0));
        let kept = guest.function::<(Out<Lent<String>>,), String>("twice_the_same").unwrap();
        assert_eq!(kept.call(((),)).unwrap(), ("same".to_string(), Lent("same".to_string())));
        let version = guest.function::<(), Lent<String>>("version").unwrap();
        assert_eq!(version.call(()).unwrap().0, "1.0");
        // An argument that comes back is the host's already, unless the guest had taken it over.
        let same = guest.function::<(&str,), String>("same_text").unwrap();
        let error = same.call(("isola",)).unwrap_err();
        assert!(matches!(error, GuestError::Heap(HeapError::AlreadyOwned { .. })), "{error}");
        assert_eq!(live(guest), (0, 0));
        let same = guest.function::<(&str,), Lent<String>>("same_text").unwrap();
        assert_eq!(same.call(("isola",)).unwrap().0, "isola");
        let same = guest.function::<(Consumed<&str>,), String>("same_text").unwrap();
        assert_eq!(same.call(("isola",)).unwrap(), "isola");
    });
}

#[test]
fn memory_that_runs_out_is_told() {
    with_guests(|guest| {
        let echo = guest.function::<(&str,), String>("echo_text").unwrap();
        set_malloc_budget(guest, 0);
        let error = echo.call(("isola",)).unwrap_err();
        assert!(matches!(error, GuestError::Heap(HeapError::OutOfMemory { bytes: 6, .. })), "{error}");
        set_malloc_budget(guest, -1);
        assert_eq!(starve(guest, || echo.call(("isola",)).ok()), 2);
    });
}
