//! Structs, unions and enums: by C's layout, by value and by address, in each direction, with what they point to.

use crate::typed::{Colour, Point, Random, Series, live, series, starve, with_guests};
use marshal::{Consumed, GuestError, HeapError, Lent, Marshal, Out, Plain, Status, View};

const HERE: Point = Point { id: 3, x: 1.5, y: -2.0 };

#[test]
fn a_struct_goes_in_and_comes_back_by_address() {
    with_guests(|guest| {
        let shift = guest.function::<(&mut Point, f64, f64), ()>("move_point").unwrap();
        let mut point = HERE;
        shift.call((&mut point, 0.5, 1.0)).unwrap();
        assert_eq!(point, Point { id: 3, x: 2.0, y: -1.0 });
        let new = guest.function::<(i32, f64, f64), Box<Point>>("new_point").unwrap();
        assert_eq!(*new.call((3, 1.5, -2.0)).unwrap(), HERE);
        let origin = guest.function::<(), Lent<Box<Point>>>("origin").unwrap();
        assert_eq!(origin.call(()).unwrap().0.id, 7);
        let set = guest.function::<(i32, Out<Point>), ()>("set_point").unwrap();
        assert_eq!(set.call((9, ())).unwrap(), Point { id: 9, x: 1.0, y: 2.0 });
        let open = guest.function::<(i32, Out<Box<Point>>), Status>("open_point").unwrap();
        assert_eq!(*open.call((5, ())).unwrap(), Point { id: 5, x: 3.0, y: 4.0 });
    });
}

#[test]
fn structs_go_by_value_as_the_abi_says() {
    #[derive(Marshal, Debug, PartialEq)]
    struct Id(i32);
    #[derive(Plain, Clone, Copy, Debug, PartialEq)]
    #[repr(C)]
    struct Inner {
        value: [f64; 1],
    }
    #[derive(Plain, Clone, Copy, Debug, PartialEq)]
    #[repr(C)]
    struct Wrapped {
        inner: Inner,
    }
    #[derive(Plain, Clone, Copy, Debug, PartialEq)]
    #[repr(C)]
    struct Pair {
        a: f32,
        b: f32,
    }
    with_guests(|guest| {
        let add = guest.function::<(Point, Point), Point>("add_points").unwrap();
        assert_eq!(add.call((HERE, HERE)).unwrap(), Point { id: 6, x: 3.0, y: -4.0 });
        let next = guest.function::<(Id,), Id>("next_id").unwrap();
        assert_eq!(next.call((Id(-2),)).unwrap(), Id(-1));
        let half = guest.function::<(Wrapped,), Wrapped>("half").unwrap();
        let whole = Wrapped { inner: Inner { value: [5.0] } };
        assert_eq!(half.call((whole,)).unwrap().inner.value, [2.5]);
        let swap = guest.function::<(Pair,), Pair>("swap").unwrap();
        assert_eq!(swap.call((Pair { a: 1.0, b: 2.0 },)).unwrap(), Pair { a: 2.0, b: 1.0 });
        assert_eq!(starve(guest, || add.call((HERE, HERE)).ok()), 3, "two arguments and room for the result");
    });
}

#[test]
fn arrays_of_structs() {
    with_guests(|guest| {
        let shift = guest.function::<(&mut [Point], usize, f64), ()>("move_points").unwrap();
        let mut points = [HERE, HERE];
        shift.call((&mut points, 2, 1.0)).unwrap();
        assert_eq!(points.map(|point| point.x), [2.5, 2.5]);
        let new = guest.function::<(i32,), Vec<Point>>("new_points").unwrap().with_len(|&(n,)| n as usize);
        assert_eq!(new.call((3,)).unwrap()[2], Point { id: 2, x: 1.0, y: -2.0 });
        assert_eq!(new.call((0,)).unwrap(), []);
    });
}

#[test]
fn a_union_is_its_bytes() {
    #[derive(Plain, Clone, Copy)]
    #[repr(C)]
    union Number {
        _integer: i64,
        real: f64,
    }
    with_guests(|guest| {
        let real = guest.function::<(&Number,), f64>("real_of").unwrap();
        assert_eq!(real.call((&Number { real: 2.5 },)).unwrap(), 2.5);
    });
    assert_eq!(Number::LAYOUT.narrow.size, 8);
}

#[test]
fn an_enum_has_only_its_values() {
    #[derive(Marshal, Debug, PartialEq)]
    #[repr(u8)]
    enum Small {
        Red,
        Green = 4,
        Blue,
    }
    with_guests(|guest| {
        let after = guest.function::<(Colour,), Colour>("after_red").unwrap();
        assert_eq!(after.call((Colour::Red,)).unwrap(), Colour::Green);
        assert_eq!(after.call((Colour::Green,)).unwrap(), Colour::Blue);
        let error = after.call((Colour::Blue,)).unwrap_err();
        assert!(matches!(error, GuestError::Unknown { name: "Colour", value: 9 }), "{error}");
        let small = guest.function::<(Small,), Small>("small_after_red").unwrap();
        assert_eq!(small.call((Small::Green,)).unwrap(), Small::Blue);
    });
}

#[test]
fn layouts_are_those_of_the_guest() {
    assert_eq!((Point::LAYOUT.narrow.size, Point::LAYOUT.wide.size), (24, 24));
    // enum, pointer, byte, pointer, three bytes, pointer.
    assert_eq!((Series::LAYOUT.narrow.size, Series::LAYOUT.wide.size), (24, 48));
    assert_eq!((Series::LAYOUT.narrow.align, Series::LAYOUT.wide.align), (4, 8));
}

#[test]
fn what_a_struct_points_to_goes_with_it() {
    with_guests(|guest| {
        let list = series(Some("isola"), &[1.0, 2.0], Some(series(None, &[], Some(series(Some(""), &[0.5], None)))));
        let total = guest.function::<(&Series,), f64>("total").unwrap();
        assert_eq!(total.call((&list,)).unwrap(), 3.5);
        let echo = guest.function::<(&Series,), Box<Series>>("echo_series").unwrap();
        assert_eq!(*echo.call((&list,)).unwrap(), list);
        let into = guest.function::<(&Series, Out<Series>), Status>("echo_series_into").unwrap();
        assert_eq!(into.call((&list, ())).unwrap(), list);
        let ring = guest.function::<(Option<&Series>,), f64>("total").unwrap();
        assert_eq!(ring.call((None,)).unwrap(), 0.0);
        assert_eq!(ring.call((Some(&list),)).unwrap(), 3.5);
    });
}

#[test]
fn random_structs_survive_the_round_trip() {
    let mut random = Random(42);
    let lists: Vec<_> = (0..200).map(|_| random.series(6)).filter(|list| !is_null_inside(list)).collect();
    assert!(lists.len() > 100);
    with_guests(|guest| {
        let echo = guest.function::<(&Series,), Box<Series>>("echo_series").unwrap();
        let mut same = guest.function::<(&mut Series,), f64>("total").unwrap();
        for list in &lists {
            assert_eq!(*echo.call((list,)).unwrap(), *list);
            let mut back = list.clone();
            same.call((&mut back,)).unwrap();
            assert_eq!(back, *list);
            same = same.success(|_| true);
        }
    });
}

/// A string of C ends at a zero, so it has none inside.
fn is_null_inside(list: &Series) -> bool {
    let name = list.name.as_ref().is_some_and(|name| name.contains('\0'));
    name || list.next.as_ref().is_some_and(|next| is_null_inside(next))
}

#[test]
fn nothing_is_left_when_memory_runs_out_half_way() {
    with_guests(|guest| {
        let list = series(Some("isola"), &[1.0, 2.0], Some(series(Some("faro"), &[3.0], None)));
        let echo = guest.function::<(&Series,), Box<Series>>("echo_series").unwrap();
        // Six blocks for the argument, six for the copy.
        assert_eq!(starve(guest, || echo.call((&list,)).ok()), 12);
        let into = guest.function::<(&Series, Out<Series>), Status>("echo_series_into").unwrap();
        assert_eq!(starve(guest, || into.call((&list, ())).ok()), 13);
        let error = {
            crate::typed::set_malloc_budget(guest, 6);
            let error = echo.call((&list,)).unwrap_err();
            crate::typed::set_malloc_budget(guest, -1);
            error
        };
        assert!(matches!(error, GuestError::Heap(HeapError::Null)), "{error}");
    });
}

#[test]
fn nothing_is_left_when_a_member_is_wrong() {
    with_guests(|guest| {
        let wrong = guest.function::<(bool, bool), Box<Series>>("wrong_series").unwrap();
        let error = wrong.call((true, false)).unwrap_err();
        assert!(matches!(error, GuestError::Heap(HeapError::NotUtf8 { at: 0, .. })), "{error}");
        assert_eq!(live(guest), (0, 0));
        let error = wrong.call((false, true)).unwrap_err();
        assert!(matches!(error, GuestError::Unknown { value: 3, .. }), "{error}");
        assert_eq!(live(guest), (0, 0));
        assert_eq!(wrong.call((false, false)).unwrap().next.unwrap().values, [1.0, 2.0]);
    });
}

#[test]
fn a_ring_of_structs_ends_as_an_error() {
    with_guests(|guest| {
        let ring = guest.function::<(), Lent<Box<Series>>>("ring").unwrap();
        let error = ring.call(()).unwrap_err();
        assert!(matches!(error, GuestError::Depth), "{error}");
        let mut list = series(None, &[], None);
        for _ in 0..1000 {
            list = series(None, &[], Some(list));
        }
        let total = guest.function::<(&Series,), f64>("total").unwrap();
        assert!(matches!(total.call((&list,)), Err(GuestError::Depth)));
    });
}

#[test]
fn lengths_fit_what_they_count() {
    #[derive(Marshal, Debug)]
    #[allow(dead_code, reason = "what a host has in `n` does not count")]
    struct Two {
        #[marshal(len = "n")]
        a: Vec<i32>,
        #[marshal(len = "n")]
        b: Option<Vec<i32>>,
        n: i8,
    }
    with_guests(|guest| {
        let any = guest.function::<(&Two, i32), i32>("length_or").unwrap();
        let two = |a: usize, b: Option<usize>| Two { a: vec![1; a], b: b.map(|b| vec![2; b]), n: 0 };
        assert!(any.call((&two(2, Some(2)), 0)).is_ok());
        assert!(any.call((&two(2, None), 0)).is_ok());
        let error = any.call((&two(2, Some(3)), 0)).unwrap_err();
        assert!(matches!(error, GuestError::Lengths { member: "n" }), "{error}");
        let error = any.call((&two(200, None), 0)).unwrap_err();
        assert!(matches!(error, GuestError::Count { member: "n", count: 200 }), "{error}");
    });
}

#[test]
fn a_view_in_a_struct_owns_its_block() {
    #[derive(Marshal, Debug)]
    struct Seen {
        colour: Colour,
        name: Option<String>,
        count: u8,
        #[marshal(len = "count")]
        values: View<[f64]>,
        flags: [bool; 3],
        next: usize,
    }
    with_guests(|guest| {
        let list = series(None, &[1.0, 2.0, 4.0], None);
        let echo = guest.function::<(&Series,), Box<Seen>>("echo_series").unwrap();
        let seen = echo.call((&list,)).unwrap();
        assert_eq!((seen.values.to_vec(), seen.count, seen.flags), (vec![1.0, 2.0, 4.0], 3, [true, false, true]));
        assert_eq!((seen.colour, seen.name.as_deref(), seen.next), (Colour::Blue, None, 0));
        // It goes back by its address, and is not freed after the call.
        let total = guest.function::<(&Seen,), f64>("total").unwrap();
        assert_eq!(total.call((&seen,)).unwrap(), 7.0);
        assert_eq!(live(guest).0, 1);
        let lent = guest.function::<(), Lent<Box<Seen>>>("ring").unwrap();
        assert!(matches!(lent.call(()), Err(GuestError::Heap(HeapError::Lent { .. }))));
    });
}

#[test]
fn the_crate_may_have_another_name() {
    mod other {
        pub(crate) use ::marshal as renamed;
    }
    #[derive(Marshal)]
    #[marshal(crate = "other::renamed")]
    struct Named(u8, i16);
    #[derive(Plain, Clone, Copy)]
    #[repr(C)]
    #[marshal(crate = "other::renamed")]
    struct Bytes([u8; 4]);
    assert_eq!((Named::LAYOUT.narrow.size, Bytes::LAYOUT.wide.align), (4, 1));
}

#[test]
fn a_consumed_struct_is_the_guests_to_free() {
    with_guests(|guest| {
        // `free` itself takes it over.
        let free = guest.function::<(Consumed<&Point>,), ()>("free").unwrap();
        free.call((&HERE,)).unwrap();
    });
}
