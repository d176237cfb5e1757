//! What the guest leaves alone behind a `&mut` stays as it is, and what it changes is taken over.

use crate::typed::live;
use island::{Engine, EngineOptions, Module};
use marshal::{Guest, GuestError, HandleType, Lent, Marshal, Opaque, Out, Status, View};

enum Thing {}
impl HandleType for Thing {
    const DESTRUCTOR: &'static str = "thing_close";
}

#[derive(Marshal)]
struct Job {
    step: usize,
    user: usize,
    name: Option<Lent<String>>,
    text: Option<String>,
    given: Option<Box<[i32; 3]>>,
    work: Option<Box<[i32; 2]>>,
    #[marshal(len = "size")]
    bytes: Option<Vec<u8>>,
    size: usize,
    thing: Option<Opaque<Thing>>,
    result: f64,
}

#[derive(Marshal)]
struct Node {
    value: i32,
    next: Option<Box<Node>>,
}

#[derive(Marshal)]
struct Small {
    n: u8,
    #[marshal(len = "n")]
    a: Vec<i32>,
}

fn with_guests(test: impl Fn(&Guest)) {
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    for name in ["changes", "changes64"] {
        let wasm = std::fs::read(format!("{}/../../guests/{name}.wasm", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let guest = Guest::new(&engine, &Module::new(&engine, &wasm).unwrap()).unwrap();
        test(&guest);
        assert_eq!(live(&guest), (0, 0), "blocks and bytes that were left");
    }
}

fn job(thing: Option<Opaque<Thing>>) -> Job {
    Job {
        step: 0,
        user: 7,
        name: Some(Lent("name".into())),
        text: Some("text".into()),
        given: Some(Box::new([1, 2, 3])),
        work: Some(Box::new([4, 5])),
        bytes: Some(vec![0; 3]),
        size: 0,
        thing,
        result: 0.0,
    }
}

#[test]
fn a_struct_keeps_what_its_pointers_stand_for() {
    with_guests(|guest| {
        let open = guest.function::<(i32, Out<Opaque<Thing>>), Status>("thing_open").unwrap();
        let run = guest.function::<(&mut Job,), i32>("run_job").unwrap();
        let mut job = job(Some(open.call((5, ())).unwrap()));
        let places = |job: &Job| {
            (
                job.work.as_deref().unwrap().as_ptr(),
                job.bytes.as_ref().unwrap().as_ptr(),
                job.thing.as_ref().unwrap().address(),
            )
        };
        let before = places(&job);
        for times in 1..=3 {
            assert_eq!(run.call((&mut job,)).unwrap(), 5);
            assert_eq!(places(&job), before);
            assert!(job.thing.as_ref().unwrap().is_open());
            assert_eq!(job.work.as_deref(), Some(&[4, 5 + 10 * times]));
            assert_eq!(job.bytes.as_deref(), Some(&[1, 2, 3][..]));
            assert_eq!((job.name.as_ref().unwrap().0.as_str(), job.text.as_deref()), ("name", Some("text")));
            assert_eq!((job.size, job.result, job.user), (3, -1.0, 7));
        }
        assert_eq!(job.thing.take().unwrap().close().unwrap(), Some(7));
    });
}

#[test]
fn what_the_guest_replaces_or_rewrites_is_taken_over() {
    with_guests(|guest| {
        let shout = guest.function::<(&mut Job,), ()>("shout").unwrap();
        let reset = guest.function::<(&mut Job,), ()>("reset_job").unwrap();
        let mut job = job(None);
        shout.call((&mut job,)).unwrap();
        assert_eq!(job.text.as_deref(), Some("TEXT"));
        reset.call((&mut job,)).unwrap();
        assert_eq!(job.name.as_ref().map(|name| name.0.as_str()), Some("reset"));
        assert_eq!(job.given.as_deref(), Some(&[7, 8, 9]));
        assert!(job.work.is_none() && job.bytes.is_none() && job.text.is_none());
        assert_eq!(job.result, 0.5);
    });
}

#[test]
fn lists_and_slices_of_structs() {
    with_guests(|guest| {
        let add = guest.function::<(&mut Node, i32), i32>("add_to_all").unwrap();
        let mut list = Node { value: 1, next: Some(Box::new(Node { value: 2, next: None })) };
        let second: *const Node = &raw const **list.next.as_ref().unwrap();
        assert_eq!(add.call((&mut list, 10)).unwrap(), 2);
        assert_eq!((list.value, list.next.as_ref().unwrap().value), (11, 12));
        assert!(std::ptr::eq(second, &raw const **list.next.as_ref().unwrap()));
        let all = guest.function::<(&mut [Job], i32), i32>("run_jobs").unwrap();
        let mut jobs = [job(None), job(None)];
        all.call((&mut jobs, 2)).unwrap();
        assert!(jobs.iter().all(|job| job.work.as_deref() == Some(&[4, 15])));
    });
}

#[test]
fn a_view_stays_the_same_view() {
    #[derive(Marshal)]
    struct Viewed {
        n: i32,
        #[marshal(len = "n")]
        a: View<[i32]>,
    }
    with_guests(|guest| {
        let touch = guest.function::<(&mut Viewed,), i32>("touch_numbers").unwrap();
        let make = guest.function::<(i32,), View<[i32]>>("numbers").unwrap().with_len(|&(n,)| n as usize);
        let mut viewed = Viewed { n: 0, a: make.call((2,)).unwrap() };
        let address = viewed.a.block().address();
        assert_eq!(touch.call((&mut viewed,)).unwrap(), 2);
        assert_eq!((viewed.a.block().address(), viewed.a.to_vec()), (address, vec![50, 1]));
    });
}

#[test]
fn a_count_that_is_too_narrow_says_which() {
    with_guests(|guest| {
        let small = guest.function::<(&Small,), i32>("small_n").unwrap();
        assert_eq!(small.call((&Small { n: 0, a: vec![1; 255] },)).unwrap(), 255);
        let error = small.call((&Small { n: 0, a: vec![1; 256] },)).unwrap_err();
        assert!(matches!(error, GuestError::Count { member: "n", count: 256 }), "{error}");
    });
}
