//! Calls of functions that are declared `async`: the guest waits in callbacks that return promises, and the call itself
//! returns one.
//!
//! What a call has borrowed stays borrowed while it is suspended: its ledger lies in the call's own object, where the
//! cycle collector sees it. Its arguments, views and handles are pinned until it has ended, and other calls of the same
//! guest may come in between.

use std::cell::RefCell;
use std::rc::Rc;

use island::call::Number;
use js_api::ExportedFunction;
use marshal::{CallStack, Heap};
use qjs::{
    Args, Arguments, Borrowed, Callable, Ctx, Cx, Exception, Held, HostClass, Mark, Object, Result, Returned, Value,
    class,
};
use smallvec::SmallVec;

use crate::call::Room;
use crate::callback::{CallbackState, Passed, pass_to_callback, return_to_guest, with_callback};
use crate::changes::Changes;
use crate::errors::throw_heap_error;
use crate::ledger::Ledger;
use crate::prototype::BoundFunction;

/// A function that a prototype was bound to whose calls may be suspended.
#[derive(HostClass, Mark)]
#[host_class(name = "Function")]
pub(crate) struct AsyncFunction {
    pub(crate) bound: BoundFunction,
}

/// A call of an [`AsyncFunction`].
#[derive(HostClass, Mark)]
#[host_class(name = "PendingCall")]
struct PendingCall {
    /// The function's object.
    function: Held,
    args: Vec<Held>,
    #[mark(skip)]
    heap: Rc<Heap>,
    ledger: RefCell<Ledger>,
    #[mark(skip)]
    numbers: SmallVec<[Number; 8]>,
    #[mark(skip)]
    records: SmallVec<[(usize, u64); 1]>,
    #[mark(skip)]
    room: Room,
    #[mark(skip)]
    stack: CallStack,
}

pub(crate) fn register(ctx: &Ctx<'_>) -> Result<()> {
    class::register_callable::<AsyncFunction>(ctx)?;
    class::register::<PendingCall>(ctx)?;
    class::register::<PendingCallback>(ctx)?;
    class::set_prototype::<AsyncFunction>(ctx, &qjs::define::function_prototype(ctx)?);
    Ok(())
}

impl Callable for AsyncFunction {
    fn call(&self, cx: Cx<'_>, _: Args<'_>) -> Result<Returned> {
        Err(Exception::throw_type(&cx.ctx(), "an async function is called as an object"))
    }

    /// Whatever happens, a promise tells it.
    fn call_as(&self, object: Borrowed<'_>, cx: Cx<'_>, args: Args<'_>) -> Result<Returned> {
        let ctx = cx.ctx();
        let promise = self.start(object, cx, args).or_else(|error| {
            let (promise, _, reject) = ctx.promise()?;
            qjs::function::reject(&ctx, &reject, error)?;
            Ok(promise.into_value())
        });
        promise.map(|promise| cx.returned(&promise))
    }
}

impl AsyncFunction {
    /// Passes the arguments and begins the call. Returns its promise.
    fn start<'js>(&self, object: Borrowed<'_>, cx: Cx<'js>, args: Args<'_>) -> Result<Value<'js>> {
        let ctx = &cx.ctx();
        let function: &ExportedFunction = class::get(self.bound.function.borrow()).expect("checked when it was bound");
        let (pending, numbers) = self.bound.with_running(ctx, args, Ledger::default(), |running| {
            running.check_count()?;
            let begun = running.begin().and_then(|begun| {
                running.marshal.enter_part(webidl::Part::Whole);
                let stack = CallStack::new(running.marshal.heap(), function.callee(), self.bound.stack_size());
                let stack = stack.map_err(|error| throw_heap_error(ctx, running.marshal, error))?;
                running.give().map(|()| (begun, stack))
            });
            let (begun, stack) = match begun {
                Ok(begun) => begun,
                Err(error) => return Err(running.end(Err(error)).expect_err("it ends with its error")),
            };
            let pending = PendingCall {
                function: Held::borrowed(cx, object),
                args: (0..args.len()).map(|at| Held::borrowed(cx, args.get(at))).collect(),
                heap: running.marshal.heap().clone(),
                ledger: RefCell::new(running.marshal.ledger.take()),
                numbers: running.call.numbers.take(),
                records: running.call.records.take(),
                room: begun.room,
                stack,
            };
            Ok((pending, begun.numbers))
        })?;
        let top = pending.stack.top();
        let pending = class::new_object(ctx, pending, None)?.into_value();
        js_api::promising_call(ctx, function, &numbers, top, complete, &pending)
    }
}

/// What the promise of a call is resolved with.
fn complete<'js>(ctx: &Ctx<'js>, state: &Value<'js>, result: Result<Option<Number>>) -> Result<Value<'js>> {
    let pending: &PendingCall = class::of(state).ok_or(rquickjs::Error::Unknown)?;
    let function: &AsyncFunction = class::get(pending.function.borrow()).ok_or(rquickjs::Error::Unknown)?;
    let args = list(ctx, &pending.args)?;
    function.bound.with_running(ctx, args.as_args(), pending.ledger.take(), |running| {
        running.entered.set(true);
        running.call.numbers.borrow_mut().extend_from_slice(&pending.numbers);
        running.call.records.borrow_mut().extend_from_slice(&pending.records);
        let result = match pending.stack.check() {
            Ok(()) => result,
            Err(error) => {
                drop(ctx.catch());
                Err(throw_heap_error(ctx, running.marshal, error))
            }
        };
        running.end(result.and_then(|returned| running.take(returned, pending.room)))
    })
}

fn list<'js>(ctx: &Ctx<'js>, values: &[Held]) -> Result<Arguments<'js>> {
    let mut arguments = Arguments::new(Cx::of(ctx));
    values.iter().try_for_each(|value| arguments.push(value.returned()))?;
    Ok(arguments)
}

/// A call of a callback that waits for a promise.
#[derive(HostClass, Mark)]
#[host_class(name = "PendingCallback")]
struct PendingCallback {
    /// The descriptor of the callback's type.
    ty: Held,
    manager: Held,
    #[mark(skip)]
    name: Box<str>,
    values: Vec<Held>,
    /// How many elements each of the values had.
    #[mark(skip)]
    counts: SmallVec<[u64; 4]>,
    #[mark(skip)]
    numbers: SmallVec<[Number; 8]>,
    #[mark(skip)]
    room: Option<u64>,
    #[mark(skip)]
    heap: Rc<Heap>,
    ledger: RefCell<Ledger>,
}

impl Drop for PendingCall {
    fn drop(&mut self) {
        self.ledger.get_mut().abandon(&self.heap);
    }
}

impl Drop for PendingCallback {
    fn drop(&mut self) {
        self.ledger.get_mut().abandon(&self.heap);
    }
}

/// Calls the function of an `async` callback, and has the guest wait for what it returns.
pub(crate) fn start_callback(cx: Cx<'_>, state: &CallbackState, numbers: &[Number]) -> Result<()> {
    let ctx = &cx.ctx();
    with_callback(
        ctx,
        state.ty.borrow(),
        state.manager.borrow(),
        &state.name,
        Ledger::default(),
        |marshal, signature| {
            let passed = pass_to_callback(marshal, signature, numbers);
            let called = passed.and_then(|passed| {
                marshal.takes_notes.set(false);
                let mut arguments = Arguments::new(cx);
                passed.values.iter().try_for_each(|value| arguments.push(cx.returned(value)))?;
                let result = state.function.call(cx, Args::default().get(0), &mut arguments)?;
                Ok((passed, result.to_value()))
            });
            let (passed, result) = match called {
                Ok(called) => called,
                Err(error) => return marshal.finish(Err(error)),
            };
            let pending = PendingCallback {
                ty: state.ty.duplicate(),
                manager: state.manager.duplicate(),
                name: state.name.clone(),
                values: passed.values.iter().map(Held::new).collect(),
                counts: passed.counts,
                numbers: passed.numbers,
                room: passed.room,
                heap: marshal.heap().clone(),
                ledger: RefCell::new(marshal.ledger.take()),
            };
            let pending: Object = class::new_object(ctx, pending, None)?;
            js_api::suspend_for(ctx, result, settle, pending.as_value())
        },
    )
}

/// What an `async` callback returns to the guest.
fn settle<'js>(ctx: &Ctx<'js>, state: &Value<'js>, settled: Result<Value<'js>>) -> Result<Option<Number>> {
    let pending: &PendingCallback = class::of(state).ok_or(rquickjs::Error::Unknown)?;
    let (ty, manager, ledger) = (pending.ty.borrow(), pending.manager.borrow(), pending.ledger.take());
    with_callback(ctx, ty, manager, &pending.name, ledger, |marshal, signature| {
        let passed = Passed {
            values: pending.values.iter().map(|value| value.get(ctx)).collect(),
            counts: pending.counts.clone(),
            numbers: pending.numbers.clone(),
            room: pending.room,
        };
        let end = |result: Value<'js>| {
            if let Some(call) = marshal.call {
                call.numbers.borrow_mut().extend_from_slice(&passed.numbers);
            }
            return_to_guest(marshal, signature, &passed, &Changes::new(marshal), Borrowed::of(&result))
        };
        let result = settled.and_then(end).and_then(|number| marshal.consume().map(|()| number));
        marshal.finish(result)
    })
}
