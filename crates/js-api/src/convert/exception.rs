//! `WebAssembly.Exception`, and exceptions on their way between guests and scripts.
//!
//! What a script throws through a guest is an exnref of the guest's store on its way. An Exception object whose tag the
//! island knows becomes an exception with that tag. Everything else becomes the payload of another exception: with the
//! JavaScript exception tag or, for an Exception object, with a tag that nobody catches by name. On the way out it is
//! the same object again.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use island::wasmtime::{AsContextMut, ExnRef, ExnRefPre, ExnType, OwnedRooted, RootScope, Tag, TagType, Val, ValType};
use island::{CallError, HostThrew, UncaughtException};
use qjs::define::{self, Attributes};
use qjs::{Borrowed, Call, Ctx, Exception, Held, HostClass, Mark, Object, Result, Value, WeakObject, class};

use webidl::Place;

use crate::convert::errors::{current_stack, is_guests_end, throw_exit, throw_trap};
use crate::convert::values::{HostValue, Outgoing, out_of_memory, refuse_uncrossable, take_val, to_host_value};
use crate::runtime::guest_objects::{Root, Slot};
use crate::runtime::island_realm::{IslandHandle, IslandRealm};
use crate::runtime::tags::{TagCore, TagObject};

/// An Exception object's value.
#[derive(HostClass, Mark)]
#[host_class(name = "WebAssembly.Exception")]
pub(crate) struct ExceptionObject {
    #[mark(skip)]
    tag: Rc<TagCore>,
    payload: Payload,
    stack: Option<Held>,
    /// The exnrefs that stand for it in islands.
    #[mark(skip)]
    local: RefCell<Vec<Local>>,
}

#[derive(Mark)]
enum Payload {
    /// The payload of an exception that a script made.
    Values(Vec<HostValue>),
    /// An exception that a guest threw: its payload is read where it is.
    Guest(IslandHandle, #[mark(skip)] OwnedRooted<ExnRef>),
}

/// An exnref that stands for an exception.
struct Local {
    shared: Weak<IslandRealm>,
    exception: OwnedRooted<ExnRef>,
    slot: Slot,
}

impl Drop for ExceptionObject {
    fn drop(&mut self) {
        for local in self.local.take() {
            if let Some(shared) = local.shared.upgrade() {
                shared.guest_objects.borrow_mut().forget(local.slot);
            }
        }
    }
}

impl ExceptionObject {
    /// Makes `exception`, an exnref of the island, stand for `object`, this value's.
    fn stand_in(&self, shared: &Rc<IslandRealm>, object: &Value<'_>, exception: OwnedRooted<ExnRef>) {
        let objects = &shared.guest_objects;
        let root = Root::Exception(exception.clone());
        let weak = WeakObject::of::<Self>(object);
        let slot = shared.island.enter(|mut store| objects.borrow_mut().insert(&mut store, root, weak));
        // What goes may be dropped here, after the borrow.
        let oldest = shared.recent_exceptions.borrow_mut().push(object);
        drop(oldest);
        let mut local = self.local.borrow_mut();
        local.retain(|local| local.shared.strong_count() > 0);
        local.push(Local { shared: Rc::downgrade(shared), exception, slot });
    }

    /// The exnref that stands for the exception in an island. `object` is this value's object.
    fn in_island(&self, ctx: &Ctx<'_>, link: &IslandHandle, object: &Value<'_>) -> Result<OwnedRooted<ExnRef>> {
        let shared = &link.shared;
        let is_here = |local: &&Local| local.shared.as_ptr() == Rc::as_ptr(shared);
        if let Some(local) = self.local.borrow().iter().find(is_here) {
            return Ok(local.exception.clone());
        }
        let exception = match &self.payload {
            Payload::Values(values) => new_exception(ctx, link, &self.tag, values)?,
            Payload::Guest(..) => {
                let types = self.tag.ty().params();
                let values = types.enumerate().map(|(at, ty)| {
                    let value = self.get_arg(ctx, at)?;
                    to_host_value(ctx, Borrowed::of(&value), &ty, Place::whole("WebAssembly.Exception"))
                });
                new_exception(ctx, link, &self.tag, &values.collect::<Result<Vec<_>>>()?)?
            }
        };
        self.stand_in(shared, object, exception.clone());
        Ok(exception)
    }

    /// A value of the payload.
    fn get_arg<'js>(&self, ctx: &Ctx<'js>, index: usize) -> Result<Value<'js>> {
        match &self.payload {
            Payload::Values(values) => values[index].to_js(ctx),
            Payload::Guest(link, exception) => field(ctx, link, exception, index),
        }
    }
}

/// ToJSValue of a value of an exception's payload.
fn field<'js>(
    ctx: &Ctx<'js>,
    link: &IslandHandle,
    exception: &OwnedRooted<ExnRef>,
    index: usize,
) -> Result<Value<'js>> {
    let taken = link.shared.island.enter(|store| {
        let mut scope = RootScope::new(store);
        match exception.to_rooted(&mut scope).field(&mut scope, index) {
            Ok(val) => take_val(ctx, &link.shared, &mut scope.as_context_mut(), &val),
            Err(error) => Outgoing::Failed(error.to_string().into()),
        }
    });
    crate::convert::function::pinned(ctx, link, taken)
}

/// An exception of the island (exn_alloc).
fn new_exception(
    ctx: &Ctx<'_>,
    link: &IslandHandle,
    core: &Rc<TagCore>,
    values: &[HostValue],
) -> Result<OwnedRooted<ExnRef>> {
    let shared = &link.shared;
    let tag = shared.local_tag(core).map_err(|error| out_of_memory(ctx, &error))?;
    let resolved = values.iter().map(|value| value.resolve(ctx, link)).collect::<Result<Vec<_>>>()?;
    let made = shared.island.enter(|store| {
        let mut scope = RootScope::new(store);
        let fields = resolved.iter().map(|value| value.to_val(shared, scope.as_context_mut()));
        let fields = fields.collect::<island::wasmtime::Result<Vec<Val>>>()?;
        let ty = ExnType::from_tag_type(&TagType::new(core.ty().clone()))?;
        let allocator = ExnRefPre::new(&mut scope, ty);
        ExnRef::new(&mut scope, &allocator, &tag, &fields)?.to_owned_rooted(&mut scope)
    });
    made.map_err(|error| out_of_memory(ctx, &error))
}

/// Turns a host function's failure into what the guest that called it sees: an exception, or the end in the case of a
/// trap, an exit or an interruption, which no guest can catch. `error` is what a script threw.
pub(crate) fn throw_into_guest(ctx: &Ctx<'_>, shared: &Rc<IslandRealm>, error: rquickjs::Error) -> HostThrew {
    qjs::function::throw(ctx, error);
    let thrown = ctx.catch();
    let exception = match is_catchable(ctx, &thrown) {
        true => shared.link(ctx).and_then(|link| exception_for(ctx, &link, &thrown).ok()),
        false => None,
    };
    match exception {
        Some(exception) => shared.island.throw(&exception),
        None => {
            ctx.throw(thrown);
            HostThrew
        }
    }
}

fn is_catchable<'js>(ctx: &Ctx<'js>, thrown: &Value<'js>) -> bool {
    !qjs::function::is_uncatchable(thrown) && !is_guests_end(ctx, thrown)
}

/// The exnref for a thrown value. If there is no memory for one, the value goes on past the guest.
///
/// If a payload cannot enter an island that knows the exception's tag, the guest gets the TypeError that says so;
/// otherwise its `catch` would be passed over silently.
fn exception_for<'js>(ctx: &Ctx<'js>, link: &IslandHandle, thrown: &Value<'js>) -> Result<OwnedRooted<ExnRef>> {
    let state = &link.shared.api.state;
    let (tag, payload) = match class::of::<ExceptionObject>(thrown) {
        Some(exception) if link.shared.knows_tag(&exception.tag) => match exception.in_island(ctx, link, thrown) {
            Ok(exception) => return Ok(exception),
            Err(error) => {
                qjs::function::throw(ctx, error);
                (&state.js_tag, ctx.catch())
            }
        },
        Some(_) => (&state.foreign_tag, thrown.clone()),
        None => (&state.js_tag, thrown.clone()),
    };
    let payload = to_host_value(ctx, Borrowed::of(&payload), &ValType::EXTERNREF, Place::whole("throw"))?;
    new_exception(ctx, link, tag, &[payload])
}

/// Throws the reason of a failed guest call: it is left pending as an exception.
pub fn throw_call_error(ctx: &Ctx<'_>, error: CallError) -> rquickjs::Error {
    match error {
        // The host function's exception is pending already: nothing ran since.
        CallError::Host => rquickjs::Error::Exception,
        CallError::Trap(trap) => throw_trap(ctx, &trap),
        CallError::Interrupted => qjs::function::throw_uncatchable(ctx),
        CallError::Exception(uncaught) => throw_uncaught(ctx, uncaught),
        CallError::Exit(code) => throw_exit(ctx, code),
        error => qjs::function::throw_error(ctx, &error.to_string()),
    }
}

/// Throws what left a guest: a value that was the payload on its way, or an Exception object.
fn throw_uncaught(ctx: &Ctx<'_>, uncaught: UncaughtException) -> rquickjs::Error {
    let shared = uncaught.island.owner::<IslandRealm>();
    let Some(link) = shared.and_then(|shared| shared.link(ctx)) else {
        return Exception::throw_internal(ctx, "an exception came from an island without scripts");
    };
    match uncaught_value(ctx, &link, uncaught.exception) {
        Ok(value) => ctx.throw(value),
        Err(error) => error,
    }
}

fn uncaught_value<'js>(ctx: &Ctx<'js>, link: &IslandHandle, exception: OwnedRooted<ExnRef>) -> Result<Value<'js>> {
    let shared = &link.shared;
    let tag = tag_of(shared, &exception).map_err(|error| out_of_memory(ctx, &error))?;
    let core = shared.tag_core(tag);
    let state = &shared.api.state;
    if Rc::ptr_eq(&core, &state.js_tag) || Rc::ptr_eq(&core, &state.foreign_tag) {
        return field(ctx, link, &exception, 0);
    }
    create_exception_object(ctx, link, core, exception)
}

fn tag_of(shared: &IslandRealm, exception: &OwnedRooted<ExnRef>) -> island::wasmtime::Result<Tag> {
    shared.island.enter(|store| {
        let mut scope = RootScope::new(store);
        exception.to_rooted(&mut scope).tag(&mut scope)
    })
}

/// "Create an Exception object": the one there is for the reference, or a new one.
fn create_exception_object<'js>(
    ctx: &Ctx<'js>,
    link: &IslandHandle,
    tag: Rc<TagCore>,
    exception: OwnedRooted<ExnRef>,
) -> Result<Value<'js>> {
    let shared = &link.shared;
    let root = Root::Exception(exception.clone());
    let objects = &shared.guest_objects;
    if let Some(object) = shared.island.enter(|mut store| objects.borrow_mut().find_root(ctx, &mut store, &root)) {
        return Ok(object);
    }
    let payload = Payload::Guest(link.duplicate(), exception.clone());
    let value = ExceptionObject { tag, payload, stack: None, local: RefCell::default() };
    let object = class::new_object(ctx, value, None)?.into_value();
    class::of::<ExceptionObject>(&object).expect("made just now").stand_in(shared, &object, exception);
    Ok(object)
}

pub(crate) fn define<'js>(ctx: &Ctx<'js>, namespace: &Object<'js>) -> Result<()> {
    class::register::<ExceptionObject>(ctx)?;
    let made = define::interface(namespace, "Exception", "WebAssembly.Exception", Attributes::Hidden, 2, constructor)?;
    define::method(&made.prototype, "getArg", 2, get_arg)?;
    define::method(&made.prototype, "is", 1, is)?;
    define::getter(&made.prototype, "stack", stack)?;
    class::set_prototype::<ExceptionObject>(ctx, &made.prototype);
    Ok(())
}

fn tag_argument<'a>(call: &Call<'a, '_>, place: &str) -> Result<&'a TagObject> {
    webidl::interface(&call.ctx, call.args.get(0), &format!("{place}: argument 1"))
}

fn constructor<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.Exception";
    webidl::require_new(&call, PLACE)?;
    webidl::require_arguments(&call, PLACE, 2)?;
    let ctx = &call.ctx;
    let tag = tag_argument(&call, PLACE)?.core().clone();
    let payload = webidl::sequence(ctx, &call.arg(1), &format!("{PLACE}: argument 2"), Ok)?;
    let options = webidl::dictionary(ctx, call.arg(2), &format!("{PLACE}: argument 3"))?;
    let trace_stack = webidl::boolean_member(&options, "traceStack")?;
    let prototype = class::prototype_from_new_target::<ExceptionObject>(&call)?;
    if Rc::ptr_eq(&tag, &crate::runtime::api::Api::of(ctx)?.state.js_tag) {
        let message = format!("{PLACE}: WebAssembly.JSTag is for what JavaScript throws: throw the value itself");
        return Err(Exception::throw_type(ctx, &message));
    }
    let types = tag.ty().params();
    if types.len() != payload.len() {
        let message = format!("{PLACE}: the tag takes {} values, got {}", types.len(), payload.len());
        return Err(Exception::throw_type(ctx, &message));
    }
    let values = payload.iter().zip(types).map(|(value, ty)| {
        refuse_uncrossable(ctx, &ty, PLACE)?;
        to_host_value(ctx, Borrowed::of(value), &ty, Place::argument(PLACE, 1))
    });
    let payload = Payload::Values(values.collect::<Result<_>>()?);
    let stack = trace_stack.then(|| current_stack(ctx)).transpose()?;
    let stack = stack.map(|stack| Held::new(&stack));
    let value = ExceptionObject { tag, payload, stack, local: RefCell::default() };
    Ok(class::new_object(ctx, value, prototype.as_ref())?.into_value())
}

fn get_arg<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.Exception.getArg";
    let exception: &ExceptionObject = webidl::this(&call, "getArg")?;
    webidl::require_arguments(&call, PLACE, 2)?;
    let ctx = &call.ctx;
    let tag = tag_argument(&call, PLACE)?;
    let place = format!("{PLACE}: argument 2");
    let index = webidl::enforce_range(ctx, call.args.get(1), u64::from(u32::MAX), &place)? as usize;
    if !Rc::ptr_eq(tag.core(), &exception.tag) {
        return Err(Exception::throw_type(ctx, &format!("{PLACE}: the exception has another tag")));
    }
    let Some(ty) = exception.tag.ty().params().nth(index) else {
        let count = exception.tag.ty().params().len();
        let message = format!("{place}: index {index} is outside the payload of {count} values");
        return Err(Exception::throw_range(ctx, &message));
    };
    refuse_uncrossable(ctx, &ty, PLACE)?;
    exception.get_arg(ctx, index)
}

fn is<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.Exception.is";
    let exception: &ExceptionObject = webidl::this(&call, "is")?;
    webidl::require_arguments(&call, PLACE, 1)?;
    let tag = tag_argument(&call, PLACE)?;
    Ok(Value::new_bool(call.ctx, Rc::ptr_eq(tag.core(), &exception.tag)))
}

fn stack<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let exception: &ExceptionObject = webidl::this(&call, "stack")?;
    match &exception.stack {
        Some(stack) => Ok(stack.get(&call.ctx)),
        None => Ok(Value::new_undefined(call.ctx)),
    }
}
