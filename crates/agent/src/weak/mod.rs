//! What scripts hold weakly, by ECMA-262's text: [`FinalizationRegistry`](registry) (§26.2) and [`WeakRef`](weak_ref)
//! (§26.1) instead of QuickJS's own. In QuickJS a registry holds the unregister token strongly, so that a target that
//! is its own token is never finalized; `unregister` does not find a target that has died; and a callback is a
//! microtask.
//!
//! QuickJS tells nobody of an object's death, but then drops what a WeakMap has for it. So a hidden map of the runtime
//! has a [`Sentinel`] for each object that is watched. When the sentinel is dropped, in the middle of whatever frees
//! the object, it only notes what has died. Callbacks run later, each as a task of the event loop.

mod registry;
mod weak_ref;

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use qjs::define::{self, Attributes};
use qjs::{Borrowed, Call, Ctx, Exception, Function, Held, HostClass, Mark, Object, Result, Value, class};
use rquickjs::JsLifetime;
use rquickjs::prelude::This;
use rustc_hash::FxHashMap;

use crate::event_loop::EventLoop;
use registry::Registry;

/// An agent's state for weak references.
#[derive(Default)]
pub(crate) struct Weakness {
    /// \[\[KeptAlive]], by identity.
    kept_alive: RefCell<FxHashMap<usize, Held>>,
    /// The registry of each cell whose target has died, until a task is made for the cell.
    dead: Rc<RefCell<Vec<Weak<Registry>>>>,
}

impl Weakness {
    /// AddToKeptObjects.
    fn add_to_kept_objects(&self, value: &Value<'_>) {
        self.kept_alive.borrow_mut().entry(identity(value)).or_insert_with(|| Held::new(value));
    }

    /// ClearKeptObjects. Dropping them may note what has died.
    pub(crate) fn clear_kept_objects(&self) {
        let kept = self.kept_alive.take();
        drop(kept);
    }

    /// HostEnqueueFinalizationRegistryCleanupJob, for each cell whose target has died: its callback is a task of its
    /// own, so that an error there keeps no other from being called.
    pub(crate) fn enqueue_cleanups(&self, event_loop: &EventLoop) {
        for registry in self.dead.take() {
            event_loop.set_immediate(Box::new(move |ctx| match registry.upgrade() {
                Some(registry) => registry.clean_up_one(ctx),
                // A registry that nobody has any more calls nothing.
                None => Ok(()),
            }));
        }
    }
}

/// The intrinsics that are needed, as they were before any script ran.
#[derive(JsLifetime)]
struct Intrinsics<'js> {
    sentinels: Object<'js>,
    get: Function<'js>,
    set: Function<'js>,
    key_for: Function<'js>,
    weak_ref: Function<'js>,
    deref: Function<'js>,
}

/// Replaces QuickJS's two interfaces.
pub(crate) fn install(ctx: &Ctx<'_>) -> Result<()> {
    let globals = ctx.globals();
    let weak_map: Function = globals.get("WeakMap")?;
    let prototype: Object = weak_map.get("prototype")?;
    let weak_ref: Function = globals.get("WeakRef")?;
    let intrinsics = Intrinsics {
        sentinels: qjs::function::construct(weak_map.as_value(), weak_map.as_value(), &[])?
            .into_object()
            .ok_or(rquickjs::Error::Unknown)?,
        get: prototype.get("get")?,
        set: prototype.get("set")?,
        key_for: globals.get::<_, Object>("Symbol")?.get("keyFor")?,
        deref: weak_ref.get::<_, Object>("prototype")?.get("deref")?,
        weak_ref,
    };
    class::register::<Sentinel>(ctx)?;
    weak_ref::define(ctx, &intrinsics.weak_ref)?;
    registry::define(ctx)?;
    ctx.store_userdata(intrinsics).map_err(|_| rquickjs::Error::Unknown)?;
    Ok(())
}

/// CanBeHeldWeakly.
fn can_be_held_weakly<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> Result<bool> {
    if value.is_object() {
        return Ok(true);
    }
    if !value.is_symbol() {
        return Ok(false);
    }
    let intrinsics = ctx.userdata::<Intrinsics>().ok_or(rquickjs::Error::Unknown)?;
    // KeyForSymbol.
    intrinsics.key_for.call::<_, Value>((value.clone(),)).map(|key| key.is_undefined())
}

/// Tells an object or a symbol from every other that is alive.
fn identity(value: &Value<'_>) -> usize {
    Borrowed::of(value).identity()
}

/// Watches an object or a symbol: it is dropped when they die.
#[derive(HostClass, Mark)]
#[host_class(name = "Sentinel")]
#[mark(skip)]
struct Sentinel {
    identity: usize,
    watches: RefCell<Vec<Watch>>,
}

/// Who should hear of a death.
struct Watch {
    registry: Weak<Registry>,
    role: Role,
}

#[derive(Clone, Copy)]
enum Role {
    /// The target of the cell with this number.
    Target(u64),
    /// An unregister token.
    Token,
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        for Watch { registry, role } in self.watches.take() {
            if let Some(registry) = registry.upgrade() {
                match role {
                    Role::Target(cell) => registry.target_died(cell),
                    Role::Token => registry.token_died(self.identity),
                }
            }
        }
    }
}

/// Adds to a list. Each time that it is full, elements that are of no use any more are removed, and it gets room for as
/// many again as are left.
fn push<T>(list: &mut Vec<T>, value: T, is_of_use: impl FnMut(&T) -> bool) {
    if list.len() == list.capacity() {
        list.retain(is_of_use);
        list.reserve(list.len().max(1));
    }
    list.push(value);
}

/// Has the registry hear of the death of `value`, which must be something that can be held weakly.
fn watch<'js>(ctx: &Ctx<'js>, value: &Value<'js>, registry: &Rc<Registry>, role: Role) -> Result<()> {
    let intrinsics = ctx.userdata::<Intrinsics>().ok_or(rquickjs::Error::Unknown)?;
    let Intrinsics { sentinels, get, set, .. } = &*intrinsics;
    let mut found: Value = get.call((This(sentinels.clone()), value.clone()))?;
    if found.is_undefined() {
        let sentinel = Sentinel { identity: identity(value), watches: RefCell::default() };
        found = class::new_object(ctx, sentinel, None)?.into_value();
        set.call::<_, Value>((This(sentinels.clone()), value.clone(), found.clone()))?;
    }
    let Some(sentinel) = class::of::<Sentinel>(&found) else {
        return Err(Exception::throw_internal(ctx, "a watched value has no sentinel"));
    };
    push(&mut sentinel.watches.borrow_mut(), Watch { registry: Rc::downgrade(registry), role }, |watch| {
        watch.registry.upgrade().is_some_and(|registry| registry.needs(sentinel.identity, watch.role))
    });
    Ok(())
}

/// Refuses a constructor's call without `new`.
fn require_new(call: &Call<'_, '_>, name: &str) -> Result<()> {
    match call.this.is_undefined() {
        true => Err(Exception::throw_type(&call.ctx, &format!("{name}: must be called with `new`"))),
        false => Ok(()),
    }
}

/// Defines a constructor of ECMAScript's own kind as a global.
fn define_global<'js>(ctx: &Ctx<'js>, name: &str, constructor: &Function<'js>, prototype: &Object<'js>) -> Result<()> {
    qjs::function::set_constructor(ctx, constructor, prototype);
    define::value(&ctx.globals(), name, constructor.as_value(), Attributes::Hidden)
}
