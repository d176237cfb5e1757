//! Opaque pointers that close themselves.

use crate::typed::{live, starve, with_guests};
use island::{Engine, EngineOptions, Module};
use marshal::{Consumed, Guest, GuestError, HandleType, HeapError, Opaque, Out, Status};

#[derive(Debug)]
enum Db {}
impl HandleType for Db {
    const DESTRUCTOR: &'static str = "db_close";
}

#[derive(Debug)]
enum Cursor {}
impl HandleType for Cursor {
    const DESTRUCTOR: &'static str = "cursor_close";
}

fn open(guest: &Guest) -> Opaque<Db> {
    let open = guest.function::<(&str, Out<Opaque<Db>>), Status>("db_open").unwrap();
    open.call(("numbers", ())).unwrap()
}

fn open_count(guest: &Guest) -> i32 {
    guest.function::<(), i32>("open_count").unwrap().call(()).unwrap()
}

#[test]
fn a_handle_closes_itself_at_a_safe_point() {
    with_guests(|guest| {
        let db = open(guest);
        let add = guest.function::<(&Opaque<Db>, i32), i32>("db_add").unwrap();
        assert_eq!(add.call((&db, 3)).unwrap(), 3);
        assert_eq!(add.call((&db, 4)).unwrap(), 7);
        assert_eq!(open_count(guest), 1);
        drop(db);
        assert_eq!(open_count(guest), 0, "a call is a safe point");
        let new = guest.function::<(), Opaque<Db>>("db_new").unwrap();
        let db = new.call(()).unwrap();
        add.call((&db, -5)).unwrap();
        assert_eq!(db.close().unwrap(), Some(-5), "what the destructor returned");
        assert_eq!(db.close().unwrap(), None);
        assert!(!db.is_open());
        assert!(matches!(add.call((&db, 1)), Err(GuestError::Heap(HeapError::Closed { .. }))));
    });
}

#[test]
fn what_a_handle_keeps_is_closed_after_it() {
    with_guests(|guest| {
        let db = open(guest);
        let cursor = guest.function::<(&Opaque<Db>,), Opaque<Cursor>>("cursor_open").unwrap().call((&db,)).unwrap();
        cursor.keep(&db);
        drop(db);
        assert_eq!(open_count(guest), 2, "the cursor keeps it");
        drop(cursor);
        assert_eq!(open_count(guest), 0, "the cursor first, or `db_close` would have left it open");
    });
}

#[test]
fn a_consumed_handle_is_the_guests() {
    with_guests(|guest| {
        let (db, other) = (open(guest), open(guest));
        guest.function::<(&Opaque<Db>, i32), i32>("db_add").unwrap().call((&other, 2)).unwrap();
        let merge = guest.function::<(&Opaque<Db>, Consumed<Opaque<Db>>), i32>("db_merge").unwrap();
        assert_eq!(merge.call((&db, other)).unwrap(), 2);
        assert_eq!(open_count(guest), 1);
        // Where the call does not take place, it is closed as any.
        let other = open(guest);
        db.close().unwrap();
        assert!(merge.call((&db, other)).is_err());
        assert_eq!(open_count(guest), 0);
    });
}

#[test]
fn a_status_comes_before_the_handle_that_is_not_there() {
    with_guests(|guest| {
        let open = guest.function::<(&str, Out<Opaque<Db>>), Status>("db_open").unwrap();
        assert_eq!(open.call(("", ())).unwrap_err().to_string(), "db_open failed with 14");
        let nullable = guest.function::<(&str, Out<Option<Opaque<Db>>>), i32>("db_open").unwrap();
        let (status, db) = nullable.call(("", ())).unwrap();
        assert_eq!((status, db.is_none()), (14, true));
        assert_eq!(starve(guest, || open.call(("a", ())).ok()), 3);
        drop(open);
        assert_eq!((live(guest), open_count(guest)), ((0, 0), 0));
    });
}

#[test]
fn handles_are_closed_when_their_guest_goes() {
    let text = r#"(module (import "host" "closed" (func $closed (param i32))) (memory (export "memory") 1)
        (func (export "malloc") (param i32) (result i32) (i32.const 16)) (func (export "free") (param i32))
        (func (export "open") (result i32) (i32.const 64))
        (func (export "db_close") (param i32) (call $closed (local.get 0))))"#;
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let module = Module::new(&engine, &wat::parse_str(text).unwrap()).unwrap();
    let (send, closed) = std::sync::mpsc::channel();
    let import = move |address: i32| send.send(address).unwrap();
    let guest = Guest::builder(&engine).import("host", "closed", import).instantiate(&module).unwrap();
    let db = guest.function::<(), Opaque<Db>>("open").unwrap().call(()).unwrap();
    let again = guest.function::<(), Opaque<Db>>("open").unwrap().call(()).unwrap_err();
    assert!(matches!(again, GuestError::Heap(HeapError::AlreadyOwned { address: 64 })), "{again}");
    drop(guest);
    assert!(closed.try_recv().is_err(), "a handle keeps its guest");
    drop(db);
    assert_eq!(closed.try_recv(), Ok(64));
}

#[test]
fn a_handle_is_of_its_guest_and_its_guest_has_a_destructor() {
    let [narrow, _] = crate::typed::guests();
    let [other, _] = crate::typed::guests();
    let db = open(&narrow);
    let add = other.function::<(&Opaque<Db>, i32), i32>("db_add").unwrap();
    assert!(matches!(add.call((&db, 1)), Err(GuestError::Heap(HeapError::NotOurs { .. }))));
    #[derive(Debug)]
    enum Unknown {}
    impl HandleType for Unknown {
        const DESTRUCTOR: &'static str = "unknown_close";
    }
    let error = narrow.function::<(), Opaque<Unknown>>("db_new").unwrap_err().to_string();
    assert_eq!(error, "the guest exports no function called unknown_close");
    #[derive(Debug)]
    enum Wrong {}
    impl HandleType for Wrong {
        const DESTRUCTOR: &'static str = "divmod";
    }
    let error = narrow.function::<(), Opaque<Wrong>>("db_new").unwrap_err().to_string();
    assert!(error.starts_with("expected the destructor `divmod` to take one address; found "), "{error}");
}
