//! Calls as futures, polled by an executor of a few lines, by none at all, and in any order.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use tombolo_island::call::Number;
use tombolo_island::wasmtime::{AsContextMut, Extern, ExternRef, Func, FuncType, HeapType, RefType, Val, ValType};
use tombolo_island::{CallError, Callee, HostThrew, Interrupter, Island, Results};

use crate::common::{call, engine, func, host, instance};

/// Counts how often it was woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
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

/// Gates that guests wait at, by number, until they are opened with what they let through.
#[derive(Clone, Default)]
struct Gates(Rc<RefCell<Vec<Gate>>>);

#[derive(Clone, Default)]
struct Gate {
    opened: Option<i32>,
    waker: Option<Waker>,
}

impl Gates {
    fn open(&self, at: i32, value: i32) {
        let mut gates = self.0.borrow_mut();
        let len = gates.len().max(at as usize + 1);
        gates.resize_with(len, Gate::default);
        let gate = &mut gates[at as usize];
        gate.opened = Some(value);
        if let Some(waker) = gate.waker.take() {
            waker.wake();
        }
    }

    async fn pass(self, at: i32) -> i32 {
        poll_fn(|cx| {
            let mut gates = self.0.borrow_mut();
            let len = gates.len().max(at as usize + 1);
            gates.resize_with(len, Gate::default);
            let gate = &mut gates[at as usize];
            gate.waker = Some(cx.waker().clone());
            gate.opened.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

fn number(value: i32) -> Results {
    [Number::I32(value)].into_iter().collect()
}

fn int(number: &Number) -> i32 {
    number.as_address() as i32
}

/// An async host function `(i32) -> i32`.
fn async_host<F: Future<Output = Result<i32, HostThrew>> + 'static>(
    island: &Rc<Island>,
    body: impl Fn(&Rc<Island>, i32) -> F + 'static,
) -> Func {
    let ty = FuncType::new(island.engine().wasmtime(), [ValType::I32], [ValType::I32]);
    let func = island.new_async_function(ty, move |island, arguments| {
        let argument = int(&arguments.numbers(island)[0]);
        let future = body(island, argument);
        async move { future.await.map(number) }
    });
    func.unwrap()
}

fn gated(island: &Rc<Island>, gates: &Gates) -> Func {
    let gates = gates.clone();
    async_host(island, move |_, at| {
        let passing = gates.clone().pass(at);
        async move { Ok(passing.await) }
    })
}

const GUEST: &str = r#"(module
    (import "" "wait" (func $wait (param i32) (result i32)))
    (global $depth (mut i32) (i32.const 0))
    (func (export "depth") (result i32) (global.get $depth))
    (func (export "run") (param i32) (result i32)
        (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
        (i32.add (call $wait (local.get 0)) (i32.const 100))
        (global.set $depth (i32.sub (global.get $depth) (i32.const 1))))
    (func (export "twice") (param i32) (result i32)
        (i32.add (call $wait (local.get 0)) (call $wait (i32.add (local.get 0) (i32.const 1)))))
    (func (export "spin") (param i32) (result i32)
        (drop (call $wait (local.get 0)))
        (loop (br 0)) unreachable))"#;

async fn run(island: Rc<Island>, callee: Rc<Callee>, argument: i32) -> Result<i32, CallError> {
    let values = [Val::I32(argument)];
    island.call_async(&callee, |_| Ok(values.into_iter().collect()), |_, results| results[0].unwrap_i32()).await
}

struct Fixture {
    island: Rc<Island>,
    instance: tombolo_island::wasmtime::Instance,
}

impl Fixture {
    fn new(wait: impl FnOnce(&Rc<Island>) -> Func) -> Self {
        let island = Island::new(&engine());
        let wait = wait(&island);
        let instance = instance(&island, GUEST, &[Extern::Func(wait)]);
        Self { island, instance }
    }

    fn callee(&self, name: &str) -> Rc<Callee> {
        Rc::new(Callee::new(&self.island, func(&self.island, self.instance, name)).unwrap())
    }

    fn call(&self, name: &str, argument: i32) -> Pin<Box<dyn Future<Output = Result<i32, CallError>>>> {
        Box::pin(run(self.island.clone(), self.callee(name), argument))
    }

    fn depth(&self) -> i32 {
        call(&self.island, self.instance, "depth", &[]).unwrap().unwrap()
    }
}

#[test]
fn calls_end_in_the_order_in_which_their_futures_do() {
    let gates = Gates::default();
    let fixture = Fixture::new(|island| gated(island, &gates));
    let mut calls: Vec<_> = (0..50).map(|at| fixture.call("run", at)).collect();
    assert_eq!(fixture.depth(), 0, "nothing happens before they are polled");
    calls.iter_mut().for_each(|call| assert!(poll(call).is_pending()));
    assert_eq!(fixture.depth(), 50);
    for at in (0..50).rev().step_by(2).chain((0..50).step_by(2)) {
        gates.open(at, at * 3);
        assert_eq!(ready(poll(&mut calls[at as usize])).unwrap(), at * 3 + 100);
    }
    assert_eq!(fixture.depth(), 0);
}

#[test]
fn who_is_woken_is_who_polled() {
    let gates = Gates::default();
    let fixture = Fixture::new(|island| gated(island, &gates));
    let (mut call, count) = (fixture.call("twice", 0), Arc::new(Count::default()));
    let waker = Waker::from(count.clone());
    let mut cx = Context::from_waker(&waker);
    assert!(call.as_mut().poll(&mut cx).is_pending());
    gates.open(0, 1);
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    assert!(call.as_mut().poll(&mut cx).is_pending());
    gates.open(1, 20);
    assert_eq!(count.0.load(Ordering::Relaxed), 2);
    assert_eq!(ready(call.as_mut().poll(&mut cx)).unwrap(), 21);
    // What is ready at once needs nobody.
    let mut call = fixture.call("twice", 0);
    assert_eq!(ready(call.as_mut().poll(&mut cx)).unwrap(), 21);
    assert_eq!(count.0.load(Ordering::Relaxed), 2);
}

#[test]
fn a_call_that_is_dropped_ends() {
    let (gates, token) = (Gates::default(), Rc::new(()));
    let held = token.clone();
    let fixture = Fixture::new(|island| {
        let gates = gates.clone();
        async_host(island, move |_, at| {
            let (passing, held) = (gates.clone().pass(at), held.clone());
            async move {
                let _held = held;
                Ok(passing.await)
            }
        })
    });
    let (mut one, mut other) = (fixture.call("run", 0), fixture.call("run", 1));
    assert!(poll(&mut one).is_pending() && poll(&mut other).is_pending());
    assert_eq!(Rc::strong_count(&token), 4);
    drop(one);
    assert_eq!(Rc::strong_count(&token), 3, "its host's future is gone");
    gates.open(0, 0);
    gates.open(1, 5);
    assert_eq!(ready(poll(&mut other)).unwrap(), 105);
    assert_eq!(fixture.depth(), 1, "the guest's function has not gone on");
    let island = Rc::downgrade(&fixture.island);
    drop((fixture, other));
    assert!(island.upgrade().is_none(), "and nothing keeps the island");
}

#[test]
fn a_call_may_be_dropped_inside_of_a_host_function() {
    let gates = Gates::default();
    type Slot = Rc<RefCell<Option<Pin<Box<dyn Future<Output = Result<i32, CallError>>>>>>>;
    let (island, slot) = (Island::new(&engine()), Slot::default());
    let taken = slot.clone();
    let drops = host(&island, &[], &[], move |_, _| {
        drop(taken.take());
        Ok(0)
    });
    let other = instance(
        &island,
        r#"(module (import "" "f" (func $f)) (func (export "g") (result i32) (call $f) (i32.const 7)))"#,
        &[Extern::Func(drops)],
    );
    let waiting = instance(&island, GUEST, &[Extern::Func(gated(&island, &gates))]);
    let callee = Rc::new(Callee::new(&island, func(&island, waiting, "run")).unwrap());
    let mut pending: Pin<Box<dyn Future<Output = _>>> = Box::pin(run(island.clone(), callee.clone(), 0));
    assert!(poll(&mut pending).is_pending());
    drop(slot.replace(Some(pending)));
    assert_eq!(call(&island, other, "g", &[]).unwrap(), Some(7));
    gates.open(0, 1);
    assert_eq!(ready(poll(&mut Box::pin(run(island, callee, 0)))).unwrap(), 101);
}

#[test]
fn errors_and_panics_end_the_call_alone() {
    let gates = Gates::default();
    let fixture = Fixture::new(|island| {
        let gates = gates.clone();
        async_host(island, move |_, at| {
            let passing = gates.clone().pass(at);
            async move {
                match passing.await {
                    -1 => Err(HostThrew),
                    -2 => panic!("on purpose"),
                    value => Ok(value),
                }
            }
        })
    });
    let mut calls: Vec<_> = (0..3).map(|at| fixture.call("run", at)).collect();
    calls.iter_mut().for_each(|call| assert!(poll(call).is_pending()));
    gates.open(0, -1);
    gates.open(1, -2);
    gates.open(2, 1);
    assert!(matches!(ready(poll(&mut calls[0])), Err(CallError::Host)));
    let panicked = catch_unwind(AssertUnwindSafe(|| poll(&mut calls[1]))).unwrap_err();
    assert_eq!(*panicked.downcast::<&str>().unwrap(), "on purpose");
    assert_eq!(ready(poll(&mut calls[2])).unwrap(), 101);
    // One that begins with it, too.
    assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut fixture.call("run", 1)))).is_err());
    assert_eq!(ready(poll(&mut fixture.call("run", 2))).unwrap(), 101);
}

#[test]
fn results_of_another_type_are_a_trap() {
    let fixture = Fixture::new(|island| {
        let ty = FuncType::new(island.engine().wasmtime(), [ValType::I32], [ValType::I32]);
        island.new_async_function(ty, |_, _| async { Ok([Number::F64(1.0)].into_iter().collect()) }).unwrap()
    });
    let Err(CallError::Trap(trap)) = ready(poll(&mut fixture.call("run", 0))) else { panic!() };
    assert!(trap.message.contains("do not fit"), "{trap}");
}

#[test]
fn an_exception_can_be_caught() {
    let island = Island::new(&engine());
    let ty = FuncType::new(island.engine().wasmtime(), [], []);
    let thrower = instance(
        &island,
        r#"(module (tag $t (export "t") (param i32)) (func (export "make") (result exnref)
            (block $caught (result exnref) (try_table (catch_all_ref $caught) (throw $t (i32.const 4))) unreachable)))"#,
        &[],
    );
    let make = Rc::new(Callee::new(&island, func(&island, thrower, "make")).unwrap());
    let wait = island.new_async_function(ty, move |island, _| {
        let (island, make) = (island.clone(), make.clone());
        async move {
            poll_fn({
                let mut polls = 0;
                move |_| {
                    polls += 1;
                    if polls == 1 { Poll::Pending } else { Poll::Ready(()) }
                }
            })
            .await;
            let exception = island
                .call_with(
                    &make,
                    |_| Ok([].into_iter().collect()),
                    |store, results| {
                        let Val::ExnRef(Some(exception)) = results[0] else { panic!() };
                        exception.to_owned_rooted(store.as_context_mut()).unwrap()
                    },
                )
                .unwrap();
            Err(island.throw(&exception))
        }
    });
    let tag = island.enter(|mut store| thrower.get_tag(&mut store, "t")).unwrap();
    let catcher = instance(
        &island,
        r#"(module (import "" "t" (tag $t (param i32))) (import "" "wait" (func $wait))
            (func (export "run") (param i32) (result i32)
                (block $caught (result i32) (try_table (catch $t $caught) (call $wait)) (i32.const 0))))"#,
        &[Extern::Tag(tag), Extern::Func(wait.unwrap())],
    );
    let callee = Rc::new(Callee::new(&island, func(&island, catcher, "run")).unwrap());
    let mut caught = Box::pin(run(island.clone(), callee, 0));
    assert!(poll(&mut caught).is_pending());
    assert_eq!(ready(poll(&mut caught)).unwrap(), 4);
}

#[test]
fn an_ordinary_call_is_refused() {
    let fixture = Fixture::new(|island| gated(island, &Gates::default()));
    let Err(CallError::Trap(trap)) = call(&fixture.island, fixture.instance, "run", &[0]) else { panic!() };
    assert_eq!(trap.message, "an async host function was called by a guest whose own call is not async");
    assert!(poll(&mut fixture.call("run", 0)).is_pending(), "an async one is not");
}

#[test]
fn an_async_host_function_may_call_the_guest_and_wait() {
    let gates = Gates::default();
    let inner: Rc<RefCell<Option<Rc<Callee>>>> = Rc::default();
    let (passed, found) = (gates.clone(), inner.clone());
    let fixture = Fixture::new(|island| {
        async_host(island, move |island, at| {
            let (island, gates, callee) = (island.clone(), passed.clone(), found.borrow().clone().unwrap());
            async move {
                match at {
                    0 => Ok(gates.pass(0).await),
                    _ => run(island, callee, at - 1).await.map_err(|_| HostThrew),
                }
            }
        })
    });
    *inner.borrow_mut() = Some(fixture.callee("run"));
    let mut call = fixture.call("run", 5);
    assert!(poll(&mut call).is_pending());
    assert_eq!(fixture.depth(), 6);
    gates.open(0, 1);
    assert_eq!(ready(poll(&mut call)).unwrap(), 601);
    inner.take();
}

#[test]
fn two_guests_wait_for_each_other() {
    let gates = Gates::default();
    let near = Fixture::new(|island| gated(island, &gates));
    let (other, callee) = (near.island.clone(), near.callee("run"));
    let far = Fixture::new(|island| {
        async_host(island, move |_, at| {
            let call = run(other.clone(), callee.clone(), at);
            async move { call.await.map_err(|_| HostThrew) }
        })
    });
    let (mut one, mut two) = (far.call("run", 0), near.call("run", 0));
    assert!(poll(&mut one).is_pending() && poll(&mut two).is_pending());
    gates.open(0, 1);
    assert_eq!((ready(poll(&mut two)).unwrap(), ready(poll(&mut one)).unwrap()), (101, 201));
}

#[test]
fn a_future_that_is_polled_where_nobody_can_enter_says_so() {
    let gates = Gates::default();
    let fixture = Fixture::new(|island| gated(island, &gates));
    let (mut fresh, mut waiting) = (fixture.call("run", 0), fixture.call("run", 0));
    assert!(poll(&mut waiting).is_pending());
    gates.open(0, 1);
    for call in [&mut fresh, &mut waiting] {
        let Err(CallError::Trap(trap)) = fixture.island.enter(|_| ready(poll(call))) else { panic!() };
        assert!(trap.message.contains("in use"), "{trap}");
    }
    assert_eq!(ready(poll(&mut fixture.call("run", 0))).unwrap(), 101);
}

#[test]
fn an_interrupted_thread_ends_a_call_that_goes_on() {
    let gates = Gates::default();
    let fixture = Fixture::new(|island| gated(island, &gates));
    let mut call = fixture.call("spin", 0);
    assert!(poll(&mut call).is_pending());
    gates.open(0, 1);
    let interrupter = Interrupter::current();
    interrupter.interrupt();
    let ended = ready(poll(&mut call));
    interrupter.clear();
    assert!(matches!(ended, Err(CallError::Interrupted)), "{ended:?}");
    assert_eq!(ready(poll(&mut fixture.call("run", 0))).unwrap(), 101);
}

#[test]
fn references_outlast_a_collection_meanwhile() {
    let gates = Gates::default();
    let island = Island::new(&engine());
    let externref = ValType::Ref(RefType::new(true, HeapType::Extern));
    let ty = FuncType::new(island.engine().wasmtime(), [ValType::I32, externref.clone()], [externref]);
    let passed = gates.clone();
    let wait = island.new_async_function(ty, move |island, arguments| {
        let gates = passed.clone();
        let (at, kept) = arguments.read(island, |store, args| {
            let Val::ExternRef(Some(reference)) = args[1] else { panic!() };
            (args[0].unwrap_i32(), reference.to_owned_rooted(store.as_context_mut()).unwrap())
        });
        async move {
            gates.pass(at).await;
            Ok(Results::with(move |store| {
                let reference = kept.to_rooted(store.as_context_mut());
                Ok([Val::ExternRef(Some(reference))].into_iter().collect())
            }))
        }
    });
    // A struct and a reference stay in the frame; the host gives the reference back.
    let text = r#"(module
        (type $s (struct (field i32)))
        (import "" "wait" (func $wait (param i32 externref) (result externref)))
        (func (export "garbage") (param i32)
            (loop $next (drop (struct.new $s (i32.const 0)))
                (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
        (func (export "run") (param i32 externref) (result i32 externref externref)
            (local (ref null $s) externref)
            (local.set 2 (struct.new $s (i32.add (local.get 0) (i32.const 40))))
            (call $wait (local.get 0) (local.get 1))
            (local.set 3)
            (struct.get $s 0 (local.get 2)) (local.get 1) (local.get 3)))"#;
    let instance = instance(&island, text, &[Extern::Func(wait.unwrap())]);
    let callee = Callee::new(&island, func(&island, instance, "run")).unwrap();
    let start = |at: i32| {
        let (island, callee) = (&island, &callee);
        async move {
            island
                .call_async(
                    callee,
                    move |store| {
                        let reference = ExternRef::new(store.as_context_mut(), at * 11)?;
                        Ok([Val::I32(at), Val::ExternRef(Some(reference))].into_iter().collect())
                    },
                    |store, results| {
                        let Val::ExternRef(Some(reference)) = results[1] else { panic!() };
                        let data = reference.data(store.as_context_mut()).unwrap().unwrap();
                        (results[0].unwrap_i32(), *data.downcast_ref::<i32>().unwrap())
                    },
                )
                .await
        }
    };
    let mut calls: Vec<_> = (0..5).map(|at| Box::pin(start(at))).collect();
    calls.iter_mut().for_each(|call| assert!(poll(call).is_pending()));
    for at in [3, 0, 4, 1, 2] {
        island.call_values(func(&island, instance, "garbage"), &[Val::I32(100_000)], &mut []).unwrap();
        island.enter(|mut store| store.gc(None)).unwrap();
        gates.open(at, 0);
        assert_eq!(ready(poll(&mut calls[at as usize])).unwrap(), (at + 40, at * 11));
    }
}

#[test]
fn an_executor_of_a_few_lines_runs_them_all() {
    let gates = Gates::default();
    let fixture = Fixture::new(|island| gated(island, &gates));
    let opener = gates.clone();
    let opened = Cell::new(0);
    let everything = async {
        let mut calls: Vec<_> = (0..20).map(|at| fixture.call("run", at)).collect();
        let mut sum = 0;
        poll_fn(|cx| {
            calls.retain_mut(|call| match call.as_mut().poll(cx) {
                Poll::Ready(value) => {
                    sum += value.unwrap();
                    false
                }
                Poll::Pending => true,
            });
            if calls.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        sum
    };
    let mut everything = pin!(everything);
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    let sum = loop {
        if let Poll::Ready(sum) = everything.as_mut().poll(&mut Context::from_waker(&waker)) {
            break sum;
        }
        let at = opened.replace(opened.get() + 1);
        opener.open(19 - at, at);
        assert_eq!(count.0.load(Ordering::Relaxed), opened.get() as usize, "a wake for each gate");
    };
    assert_eq!(sum, 20 * 100 + (0..20).sum::<i32>());
}
