//! The arguments and results of `Atomics.wait`, `Atomics.notify` and `Atomics.waitAsync`, which meet the
//! `memory.atomic.wait` and `notify` of guests. The waiting itself is in [`island::wait_lists`]. Of the other methods,
//! only the checks of their arguments are here.
//!
//! Every agent can block. `waitAsync` needs an event loop ([`crate::Options::task_sink`]) and is absent without one.

use std::cell::Cell;
use std::sync::{Arc, Weak};
use std::time::Duration;

use island::wait_lists::{self, Expected, Outcome, Word};
use qjs::buffer::ElementKind;
use qjs::define::{self, Attributes};
use qjs::function::{Kind, function};
use qjs::shared::Hold;
use qjs::{Call, Ctx, Cx, Exception, Function, Object, Result, Value};
use rquickjs::JsLifetime;

use crate::runtime::api::Api;
use crate::runtime::buffers::to_index;
use crate::runtime::memory_core::follow_shared_growth;
use crate::runtime::promises::{Promises, WaitingPromise};

/// The asynchronous waits of a runtime. A promise holds the event loop if its wait ends by itself: a wait that nobody may
/// ever end does not keep a program running.
#[derive(Default, JsLifetime)]
struct AsyncWaits<'js> {
    owner: wait_lists::Owner,
    promises: Promises<'js>,
    /// How many waits there may be before those that nobody can end any more are looked for.
    crowded: Cell<usize>,
}

impl AsyncWaits<'_> {
    /// Forgets the waits that nobody can end any more, each time there are twice as many waits as were left the last
    /// time.
    fn make_room(&self) {
        const FEW: usize = 256;
        if self.promises.len() < self.crowded.get().max(FEW) {
            return;
        }
        let forsaken = self.owner.forget_forsaken();
        let forsaken: Vec<_> = forsaken.into_iter().filter_map(|number| self.promises.take(number)).collect();
        self.crowded.set(2 * self.promises.len());
        drop(forsaken);
    }
}

/// Replaces the methods of `Atomics`, and adds the one that QuickJS lacks.
pub(crate) fn define<'js>(ctx: &Ctx<'js>) -> Result<()> {
    let atomics: Object = ctx.globals().get("Atomics")?;
    let method = |name: &str, function: &Value<'js>| define::value(&atomics, name, function, Attributes::Hidden);
    method("wait", function(ctx, Kind::Plain, "wait", 4, wait)?.as_value())?;
    method("notify", function(ctx, Kind::Plain, "notify", 3, notify)?.as_value())?;
    operations(ctx, &atomics)?;
    if Api::of(ctx)?.state.options.task_sink.is_some() {
        ctx.store_userdata(AsyncWaits::default()).map_err(|_| rquickjs::Error::Unknown)?;
        method("waitAsync", function(ctx, Kind::Plain, "waitAsync", 4, wait_async)?.as_value())?;
    }
    Ok(())
}

/// The other methods that access an element, and how many arguments they have.
const OPERATIONS: [(&str, usize); 9] = [
    ("add", 3),
    ("and", 3),
    ("compareExchange", 4),
    ("exchange", 3),
    ("load", 2),
    ("or", 3),
    ("store", 3),
    ("sub", 3),
    ("xor", 3),
];

/// QuickJS's own functions for [`OPERATIONS`].
#[derive(JsLifetime)]
struct Operations<'js>(Vec<Function<'js>>);

/// Replaces [`OPERATIONS`].
fn operations<'js>(ctx: &Ctx<'js>, atomics: &Object<'js>) -> Result<()> {
    let own = OPERATIONS.iter().map(|(name, _)| atomics.get(*name)).collect::<Result<_>>()?;
    ctx.store_userdata(Operations(own)).map_err(|_| rquickjs::Error::Unknown)?;
    replace::<0>(ctx, atomics)?;
    replace::<1>(ctx, atomics)?;
    replace::<2>(ctx, atomics)?;
    replace::<3>(ctx, atomics)?;
    replace::<4>(ctx, atomics)?;
    replace::<5>(ctx, atomics)?;
    replace::<6>(ctx, atomics)?;
    replace::<7>(ctx, atomics)?;
    replace::<8>(ctx, atomics)
}

fn replace<'js, const AT: usize>(ctx: &Ctx<'js>, atomics: &Object<'js>) -> Result<()> {
    let (name, count) = OPERATIONS[AT];
    let function = function(ctx, Kind::Plain, name, count as i32, operation::<AT>)?;
    define::value(atomics, name, function.as_value(), Attributes::Hidden)
}

/// One of [`OPERATIONS`]. QuickJS's own function converts the arguments and then finds an array that was detached
/// meanwhile too short, a RangeError; it should be a TypeError. Only the conversion of an object runs scripts.
fn operation<'js, const AT: usize>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let (name, count) = OPERATIONS[AT];
    let ctx = &call.ctx;
    let cx = Cx::of(ctx);
    let own = ctx.userdata::<Operations>().ok_or(rquickjs::Error::Unknown)?.0[AT].clone();
    let array = call.args.get(0);
    let (Some(kind), true) = (qjs::buffer::element_kind(array), (1..count).any(|at| call.args.get(at).is_object()))
    else {
        return call.pass_on(&own);
    };
    let length = match qjs::buffer::typed_array_bytes(cx, array) {
        Some(bytes) if kind.is_integer() => bytes.len / kind.size(),
        _ => return call.pass_on(&own),
    };
    let index = to_index(ctx, call.args.get(1), &format!("Atomics.{name}: argument 2"))?;
    if index >= length as f64 {
        let message = format!("Atomics.{name}: index {index} is outside the array of {length} elements");
        return Err(Exception::throw_range(ctx, &message));
    }
    let mut args = vec![call.arg(0), Value::new_number(ctx.clone(), index)];
    for at in 2..count {
        args.push(match kind.is_bigint() {
            true => crate::runtime::limits::to_bigint(ctx, call.arg(at))?,
            false => Value::new_number(ctx.clone(), qjs::number::to_number(cx, call.args.get(at))?),
        });
    }
    if qjs::buffer::typed_array_bytes(cx, array).is_none() {
        let message = format!("Atomics.{name}: a conversion detached argument 1, or put it out of bounds");
        return Err(Exception::throw_type(ctx, &message));
    }
    own.call((rquickjs::prelude::This(call.this()), rquickjs::prelude::Rest(args)))
}

/// A word of shared bytes.
struct HeldWord {
    bytes: WordBytes,
    address: usize,
    offset: usize,
    /// Whether whoever waits here does so without a timeout.
    is_endless: bool,
}

enum WordBytes {
    Kept(Hold),
    /// A guest's bytes, kept by somebody else, with whom the wait ends.
    Lent(Weak<Hold>),
}

impl HeldWord {
    /// Lets go of bytes that tell by themselves when they go. They stay for as long as the result does.
    fn let_go(&mut self) -> Option<Arc<Hold>> {
        match std::mem::replace(&mut self.bytes, WordBytes::Lent(Weak::new())) {
            WordBytes::Kept(hold) if hold.is_foreign() => {
                let hold = Arc::new(hold);
                self.bytes = WordBytes::Lent(Arc::downgrade(&hold));
                Some(hold)
            }
            bytes => {
                self.bytes = bytes;
                None
            }
        }
    }
}

impl Word for HeldWord {
    fn address(&self) -> usize {
        self.address
    }

    fn is_forsaken(&self) -> bool {
        matches!(&self.bytes, WordBytes::Kept(hold) if self.is_endless && qjs::shared::has_only_waiting(hold.base()))
    }

    fn holds(&self, expected: Expected) -> bool {
        let holds = |bytes: &Hold| match expected {
            Expected::I32(value) => bytes.load_i32(self.offset) == value,
            Expected::I64(value) => bytes.load_i64(self.offset) == value,
        };
        match &self.bytes {
            WordBytes::Kept(bytes) => holds(bytes),
            WordBytes::Lent(bytes) => bytes.upgrade().is_some_and(|bytes| holds(&bytes)),
        }
    }
}

/// An outcome as scripts see it; `None` for an interrupted wait, which ends the script.
fn name(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Ok => Some("ok"),
        Outcome::NotEqual => Some("not-equal"),
        Outcome::TimedOut => Some("timed-out"),
        Outcome::Interrupted => None,
    }
}

/// An array that can be waited on.
struct Waitable {
    wide: bool,
    /// Whether it stands on a `SharedArrayBuffer`.
    shared: bool,
}

/// ValidateIntegerTypedArray, for arrays that can be waited on.
fn validate(call: &Call<'_, '_>, place: &str) -> Result<Waitable> {
    let ctx = &call.ctx;
    let array = call.args.get(0);
    let wide = match qjs::buffer::element_kind(array) {
        Some(ElementKind::Int32) => false,
        Some(ElementKind::BigInt64) => true,
        other => {
            let came = other.map_or_else(|| webidl::describe(&call.arg(0)), ElementKind::name);
            let message = format!("{place}: argument 1 must be an Int32Array or a BigInt64Array, got {came}");
            return Err(Exception::throw_type(ctx, &message));
        }
    };
    match qjs::buffer::typed_array_in_buffer(Cx::of(ctx), array) {
        Some((_, buffer)) => Ok(Waitable { wide, shared: qjs::shared::is_shared(buffer.start) }),
        None => Err(Exception::throw_type(ctx, &format!("{place}: argument 1 is detached or out of bounds"))),
    }
}

/// ValidateAtomicAccess: the element's offset in bytes.
fn validate_access(call: &Call<'_, '_>, place: &str, array: &Waitable) -> Result<usize> {
    let ctx = &call.ctx;
    let size = if array.wide { 8 } else { 4 };
    let length = || qjs::buffer::typed_array_bytes(Cx::of(ctx), call.args.get(0)).map_or(0, |bytes| bytes.len / size);
    // The length counts from before the conversion, which may run scripts.
    let before = length();
    let index = to_index(ctx, call.args.get(1), &format!("{place}: argument 2"))?;
    if index >= before as f64 {
        let message = format!("{place}: index {index} is outside the array of {before} elements");
        return Err(Exception::throw_range(ctx, &message));
    }
    Ok(index as usize * size)
}

/// Where an element is, now that all arguments are converted. `None` if the array has lost it meanwhile, or is not on
/// shared bytes.
fn place_of(call: &Call<'_, '_>, array: &Waitable, offset: usize) -> Option<HeldWord> {
    let size = if array.wide { 8 } else { 4 };
    let (bytes, buffer) = qjs::buffer::typed_array_in_buffer(Cx::of(&call.ctx), call.args.get(0))?;
    if offset + size > bytes.len {
        return None;
    }
    let offset = bytes.start.as_ptr().addr() - buffer.start.as_ptr().addr() + offset;
    let address = buffer.start.as_ptr().addr() + offset;
    Some(HeldWord { bytes: WordBytes::Kept(qjs::shared::hold(buffer.start)?), address, offset, is_endless: false })
}

/// The steps that DoWait takes before it waits. A timeout of `None` is infinite.
fn prepare(call: &Call<'_, '_>, place: &str) -> Result<(HeldWord, Expected, Option<Duration>)> {
    let ctx = &call.ctx;
    let cx = Cx::of(ctx);
    let array = validate(call, place)?;
    if !array.shared {
        return Err(Exception::throw_type(ctx, &format!("{place}: argument 1 must be on a SharedArrayBuffer")));
    }
    let offset = validate_access(call, place, &array)?;
    let expected = if array.wide {
        Expected::I64(qjs::number::to_bigint64(cx, call.args.get(2))?)
    } else {
        Expected::I32(qjs::number::to_int32(cx, call.args.get(2))?)
    };
    let timeout = qjs::number::to_number(cx, call.args.get(3))?;
    // NaN is infinite, and so is a time that no clock reaches.
    let timeout = if timeout.is_nan() { None } else { Duration::try_from_secs_f64(timeout.max(0.0) / 1000.0).ok() };
    match place_of(call, &array, offset) {
        Some(at) => Ok((at, expected, timeout)),
        None => Err(Exception::throw_range(ctx, &format!("{place}: the array has lost the element"))),
    }
}

fn string<'js>(ctx: &Ctx<'js>, text: &str) -> Result<Value<'js>> {
    Ok(rquickjs::String::from_str(ctx.clone(), text)?.into_value())
}

/// `Atomics.wait`.
fn wait<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let (place, expected, timeout) = prepare(&call, "Atomics.wait")?;
    let outcome = wait_lists::wait(&place, expected, timeout);
    // Others may have grown memories while this thread slept.
    follow_shared_growth(&call.ctx, &Api::of(&call.ctx)?);
    match name(outcome) {
        Some(name) => string(&call.ctx, name),
        None => Err(qjs::function::throw_uncatchable(&call.ctx)),
    }
}

/// `Atomics.waitAsync`.
fn wait_async<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "Atomics.waitAsync";
    let ctx = &call.ctx;
    let (mut place, expected, timeout) = prepare(&call, PLACE)?;
    place.is_endless = timeout.is_none();
    let lent = if place.is_endless { place.let_go() } else { None };
    if let WordBytes::Kept(bytes) = &mut place.bytes {
        bytes.set_waiting();
    }
    let (promise, resolve, _) = rquickjs::Promise::new(ctx)?;
    let task_sink = Api::of(ctx)?.state.options.task_sink.clone().ok_or(rquickjs::Error::Unknown)?;
    let number = {
        let waits = ctx.userdata::<AsyncWaits>().ok_or(rquickjs::Error::Unknown)?;
        let number = waits.promises.next_number();
        waits.make_room();
        waits.promises.insert(number, resolve, timeout.map(|_| task_sink.hold()));
        number
    };
    let post = task_sink.post();
    let deliver = move |outcome| post(Box::new(move |ctx: &Ctx<'_>| resolve_wait(ctx, number, outcome)));
    let waits = ctx.userdata::<AsyncWaits>().ok_or(rquickjs::Error::Unknown)?;
    let waiting = wait_lists::wait_async(Box::new(place), expected, timeout, &waits.owner, number, Box::new(deliver));
    drop(waits);
    drop(lent);
    let result = Object::new(ctx.clone())?;
    let value = match &waiting {
        Ok(None) => promise.into_value(),
        Ok(Some(outcome)) => string(ctx, name(*outcome).unwrap_or_default())?,
        Err(_) => Value::new_undefined(ctx.clone()),
    };
    if !matches!(waiting, Ok(None)) {
        drop(take(ctx, number));
    }
    if let Err(error) = waiting {
        return Err(Exception::throw_range(ctx, &format!("{PLACE}: no thread can wait: {error}")));
    }
    let is_async = Value::new_bool(ctx.clone(), matches!(waiting, Ok(None)));
    define::value(&result, "async", &is_async, Attributes::Plain)?;
    define::value(&result, "value", &value, Attributes::Plain)?;
    Ok(result.into_value())
}

fn take<'js>(ctx: &Ctx<'js>, number: u64) -> Option<WaitingPromise<'js>> {
    ctx.userdata::<AsyncWaits>()?.promises.take(number)
}

/// The end of an asynchronous wait, on its own thread again.
fn resolve_wait(ctx: &Ctx<'_>, number: u64, outcome: Outcome) -> Result<()> {
    follow_shared_growth(ctx, &Api::of(ctx)?);
    match take(ctx, number) {
        Some(promise) => promise.resolve.call((name(outcome).unwrap_or_default(),)),
        None => Ok(()),
    }
}

/// `Atomics.notify`.
fn notify<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "Atomics.notify";
    let ctx = &call.ctx;
    let array = validate(&call, PLACE)?;
    let offset = validate_access(&call, PLACE, &array)?;
    let count = call.args.get(2);
    let count = if count.is_undefined() { f64::INFINITY } else { qjs::number::to_number(Cx::of(ctx), count)? };
    // ToIntegerOrInfinity, at least 0; NaN counts as 0, and no more threads wait than this.
    let count = count.max(0.0) as u32;
    if !array.shared {
        return Ok(Value::new_int(ctx.clone(), 0));
    }
    let Some(place) = place_of(&call, &array, offset) else {
        return Err(Exception::throw_range(ctx, &format!("{PLACE}: the array has lost the element")));
    };
    let woken = wait_lists::notify(place.address(), count);
    Ok(Value::new_number(ctx.clone(), f64::from(woken)))
}
