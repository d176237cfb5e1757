//! What derived classes report to the cycle collector: all that they hold, and each value once.

// The name by which dependents know the crate, which the derives use in the code that they generate.
extern crate tombolo_qjs as qjs;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::marker::PhantomData;
use std::rc::Rc;

use qjs::runtime::Starver;
use qjs::{Ctx, Function, Held, HostClass, Mark, MarkedRc, Object, Realm, WeakMap, WeakObject, class};
use rquickjs::{Context, Runtime};

/// A value that may refer back to the object that owns it.
#[derive(HostClass, Mark)]
#[host_class(name = "Node")]
struct Node {
    edge: RefCell<Edge>,
    #[mark(skip)]
    _end: End,
}

#[derive(Mark)]
#[expect(dead_code, reason = "nobody reads what is skipped")]
enum Edge {
    Absent,
    Held(Held),
    Option(Option<Held>),
    Box(Box<Held>),
    Slice(Box<[Held]>),
    Array([Held; 2]),
    Vec(Vec<Held>),
    VecDeque(VecDeque<Held>),
    HashMap(HashMap<u8, Held>),
    OnceCell(OnceCell<Held>),
    RefCell(RefCell<Held>),
    Rc(MarkedRc<Held>),
    Shared(MarkedRc<RefCell<Option<Held>>>),
    Twice(MarkedRc<RefCell<Option<Held>>>, MarkedRc<RefCell<Option<Held>>>),
    Several(#[mark(skip)] u8, Held, Inner),
    Named {
        #[mark(skip)]
        _number: u8,
        held: Held,
        inner: Inner,
    },
    #[mark(skip)]
    Skipped(Held),
    Realm(Realm),
}

#[derive(Mark)]
struct Inner(Held, #[mark(skip)] PhantomData<u8>);

/// Counts the values that have ended.
struct End(Rc<Cell<u32>>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

fn with_context(body: impl FnOnce(&Ctx<'_>)) {
    let runtime = Runtime::new().unwrap();
    Context::full(&runtime).unwrap().with(|ctx| {
        class::register::<Node>(&ctx).unwrap();
        body(&ctx);
    });
}

/// A new object whose value has the edge that `edge` makes of a reference to the object; and how many such values have
/// ended.
fn node<'js>(ctx: &Ctx<'js>, edge: impl FnOnce(Held) -> Edge) -> (Object<'js>, Rc<Cell<u32>>) {
    let ended = Rc::new(Cell::new(0));
    let value = Node { edge: RefCell::new(Edge::Absent), _end: End(ended.clone()) };
    let object = class::new_object(ctx, value, None).unwrap();
    let edge = edge(Held::new(object.as_value()));
    value_of(&object).edge.replace(edge);
    (object, ended)
}

fn value_of<'a>(object: &'a Object<'_>) -> &'a Node {
    class::of(object.as_value()).unwrap()
}

#[test]
fn a_cycle_through_any_kind_of_field_is_collected() {
    type Make = fn(Held) -> Edge;
    let edges: [(&str, Make); 13] = [
        ("a field", Edge::Held),
        ("an option", |held| Edge::Option(Some(held))),
        ("a box", |held| Edge::Box(Box::new(held))),
        ("a slice", |held| Edge::Slice([held.duplicate(), held].into())),
        ("an array", |held| Edge::Array([held.duplicate(), held])),
        ("a list", |held| Edge::Vec(vec![held.duplicate(), held])),
        ("a queue", |held| Edge::VecDeque([held].into())),
        ("a map", |held| Edge::HashMap([(1, held)].into())),
        ("a cell that is set once", |held| Edge::OnceCell(held.into())),
        ("a cell", |held| Edge::RefCell(RefCell::new(held))),
        ("a counted reference", |held| Edge::Rc(MarkedRc::new(Rc::new(held)))),
        ("several", |held| Edge::Several(1, held.duplicate(), Inner(held, PhantomData))),
        ("names", |held| Edge::Named { _number: 1, held: held.duplicate(), inner: Inner(held, PhantomData) }),
    ];
    for (what, edge) in edges {
        with_context(|ctx| {
            let (object, ended) = node(ctx, edge);
            // A value that is reported twice is freed while the script has it.
            ctx.run_gc();
            ctx.run_gc();
            assert_eq!(ended.get(), 0, "{what}: a script still has the object");
            assert!(!matches!(&*value_of(&object).edge.borrow(), Edge::Absent), "{what}");
            drop(object);
            assert_eq!(ended.get(), 0, "{what}: the cycle keeps itself");
            ctx.run_gc();
            assert_eq!(ended.get(), 1, "{what}: the cycle is collected");
        });
    }
}

#[test]
fn what_is_skipped_stays() {
    with_context(|ctx| {
        let (object, ended) = node(ctx, Edge::Skipped);
        let weak: Object = ctx.eval::<Function, _>("(object) => new WeakRef(object)").unwrap().call((object,)).unwrap();
        ctx.run_gc();
        assert_eq!(ended.get(), 0);
        let deref: Function = weak.get("deref").unwrap();
        let object: Object = deref.call((rquickjs::prelude::This(weak),)).unwrap();
        assert!(matches!(&*value_of(&object).edge.borrow(), Edge::Skipped(_)));
        // So that the runtime can end.
        value_of(&object).edge.replace(Edge::Absent);
        drop(object);
        assert_eq!(ended.get(), 1);
    });
}

#[test]
fn a_cell_that_is_borrowed_is_left_out() {
    with_context(|ctx| {
        let (object, ended) = node(ctx, Edge::Held);
        {
            let _edge = value_of(&object).edge.borrow_mut();
            ctx.run_gc();
        }
        drop(object);
        assert_eq!(ended.get(), 0);
        ctx.run_gc();
        assert_eq!(ended.get(), 1);
    });
}

#[test]
fn what_somebody_else_has_is_left_out() {
    with_context(|ctx| {
        let held = Rc::new(RefCell::new(None));
        let (object, ended) = node(ctx, |itself| {
            held.replace(Some(itself));
            Edge::Shared(MarkedRc::new(held.clone()))
        });
        drop(object);
        ctx.run_gc();
        let itself = held.borrow().as_ref().map(|held| held.get(ctx)).expect("it is still held");
        assert!(class::of::<Node>(&itself).is_some());
        assert_eq!(ended.get(), 0, "whoever has the value uses what it holds");
        drop((itself, held));
        ctx.run_gc();
        assert_eq!(ended.get(), 1);
    });
}

#[test]
fn of_two_that_report_one_value_neither_does() {
    with_context(|ctx| {
        let (object, ended) = node(ctx, |itself| {
            let held = Rc::new(RefCell::new(Some(itself)));
            Edge::Twice(MarkedRc::new(held.clone()), MarkedRc::new(held))
        });
        ctx.run_gc();
        // So that the runtime can end.
        value_of(&object).edge.replace(Edge::Absent);
        assert_eq!(ended.get(), 0);
        drop(object);
        assert_eq!(ended.get(), 1);
    });
}

#[test]
fn an_object_that_is_held_weakly_goes() {
    with_context(|ctx| {
        let (object, ended) = node(ctx, |_| Edge::Absent);
        let (weak, mut map) = (WeakObject::of::<Node>(object.as_value()), WeakMap::default());
        map.insert(1, WeakObject::of::<Node>(object.as_value()));
        for found in [weak.get(ctx), map.get(ctx, &1)] {
            assert_eq!(found.as_ref(), Some(object.as_value()));
        }
        assert!(map.get(ctx, &2).is_none());
        drop(object);
        assert_eq!(ended.get(), 1);
        assert!(weak.get(ctx).is_none() && map.get(ctx, &1).is_none());
        // Another object may have the memory.
        let another = node(ctx, |_| Edge::Absent);
        assert!(weak.get(ctx).is_none());
        drop(another);

        let (object, ended) = node(ctx, Edge::Held);
        let weak = WeakObject::of::<Node>(object.as_value());
        drop(object);
        assert!(weak.get(ctx).is_some());
        ctx.run_gc();
        assert_eq!(ended.get(), 1, "a weak reference keeps no cycle");
        assert!(weak.get(ctx).is_none());
    });
}

#[test]
#[should_panic = "another runtime"]
fn an_object_of_another_runtime() {
    with_context(|ctx| {
        let (object, _) = node(ctx, |_| Edge::Absent);
        let weak = WeakObject::of::<Node>(object.as_value());
        with_context(|other| drop(weak.get(other)));
    });
}

#[test]
#[should_panic = "was expected"]
fn a_weak_reference_to_something_else() {
    with_context(|ctx| drop(WeakObject::of::<Node>(ctx.globals().as_value())));
}

#[test]
fn a_runtime_that_has_ended_cannot_be_starved() {
    let runtime = Runtime::new().unwrap();
    let context = Context::full(&runtime).unwrap();
    let starver = context.with(|ctx| Starver::new(&ctx).unwrap());
    starver.refuse_calls();
    context.with(|ctx| assert!(ctx.eval::<(), _>("(() => 1)()").is_err()));
    starver.feed(256 << 10);
    context.with(|ctx| ctx.eval::<(), _>("(() => 1)()").unwrap());
    drop((context, runtime));
    starver.starve();
    starver.feed(256 << 10);
}

#[test]
fn a_context_is_collected_with_what_comes_back_to_it() {
    let runtime = Runtime::new().unwrap();
    let context = Context::full(&runtime).unwrap();
    let ended = context.with(|ctx| {
        class::register::<Node>(&ctx).unwrap();
        let (object, ended) = node(&ctx, |_| Edge::Realm(Realm::new(&ctx).unwrap()));
        ctx.globals().set("node", object).unwrap();
        ended
    });
    drop(context);
    runtime.run_gc();
    assert_eq!(ended.get(), 1);
}

#[test]
#[should_panic = "is not registered"]
fn an_object_of_a_class_that_the_runtime_does_not_know() {
    #[derive(HostClass, Mark)]
    #[host_class(name = "Unknown")]
    struct Unknown;

    with_context(|ctx| drop(class::new_object(ctx, Unknown, None)));
}
