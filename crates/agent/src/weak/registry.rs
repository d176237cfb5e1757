//! `FinalizationRegistry`.
//!
//! The registry's object owns the [`Registry`], with the held values and the callback, which it reports to the cycle
//! collector; sentinels refer to it weakly. So a registry that nobody has any more goes with all its cells, and its
//! callback is not called again.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use qjs::define::{self, Attributes};
use qjs::function::{Kind, function};
use qjs::{Call, Ctx, Exception, Function, Held, HostClass, Mark, MarkedRc, Object, Result, Value, class};
use rustc_hash::FxHashMap;

use super::{Role, can_be_held_weakly, identity, push, watch};
use crate::EventLoop;

/// A registry, as sentinels and tasks know it.
#[derive(Mark)]
pub(super) struct Registry {
    cleanup_callback: Held,
    cells: RefCell<Cells>,
    /// Where the death of a cell's target is noted.
    #[mark(skip)]
    dead: Rc<RefCell<Vec<Weak<Registry>>>>,
    #[mark(skip)]
    last: Cell<u64>,
    #[mark(skip)]
    itself: Weak<Registry>,
}

/// \[\[Cells]].
#[derive(Default, Mark)]
struct Cells {
    by_number: FxHashMap<u64, Held>,
    /// The numbers of the cells that were registered with a token, by its identity, including some that are gone.
    #[mark(skip)]
    by_token: FxHashMap<usize, Vec<u64>>,
    /// The cells whose targets have died, in that order, including some that are gone.
    #[mark(skip)]
    dead: VecDeque<u64>,
}

impl Registry {
    /// Adds a cell. Returns its number.
    fn add(&self, held_value: Held, token: Option<usize>) -> u64 {
        let number = self.last.get() + 1;
        self.last.set(number);
        let Cells { by_number, by_token, .. } = &mut *self.cells.borrow_mut();
        by_number.insert(number, held_value);
        if let Some(token) = token {
            push(by_token.entry(token).or_default(), number, |cell| by_number.contains_key(cell));
        }
        number
    }

    /// Removes a cell. The caller drops the held value when nothing is borrowed any more, since that may cause another
    /// death.
    fn remove(&self, cell: u64) -> Option<Held> {
        self.cells.borrow_mut().by_number.remove(&cell)
    }

    /// Removes the cells with this token.
    fn unregister(&self, token: usize) -> Vec<Held> {
        let Cells { by_number, by_token, .. } = &mut *self.cells.borrow_mut();
        let cells = by_token.remove(&token).unwrap_or_default();
        cells.iter().filter_map(|cell| by_number.remove(cell)).collect()
    }

    /// A cell's target has died. This runs in the middle of whatever freed it, so it only makes a note.
    pub(super) fn target_died(&self, cell: u64) {
        let mut cells = self.cells.borrow_mut();
        if cells.by_number.contains_key(&cell) {
            cells.dead.push_back(cell);
            drop(cells);
            self.dead.borrow_mut().push(self.itself.clone());
        }
    }

    /// A token has died: nobody can name it any more, and something else may get its address. It only makes a note, as
    /// [`Registry::target_died`] does.
    pub(super) fn token_died(&self, token: usize) {
        self.cells.borrow_mut().by_token.remove(&token);
    }

    /// Whether the registry still needs to know of the death of the value with this identity and role.
    pub(super) fn needs(&self, identity: usize, role: Role) -> bool {
        let cells = self.cells.borrow();
        match role {
            Role::Target(cell) => cells.by_number.contains_key(&cell),
            Role::Token => cells.by_token.contains_key(&identity),
        }
    }

    /// CleanupFinalizationRegistry, for the cell whose target died first.
    pub(super) fn clean_up_one(&self, ctx: &Ctx<'_>) -> Result<()> {
        let next = || self.cells.borrow_mut().dead.pop_front();
        let held_value = next().and_then(|cell| self.remove(cell));
        match (held_value, self.cleanup_callback.get(ctx).into_function()) {
            (Some(held_value), Some(callback)) => callback.call::<_, Value>((held_value.get(ctx),)).map(drop),
            // The cell was unregistered meanwhile.
            _ => Ok(()),
        }
    }
}

/// A FinalizationRegistry object's value.
#[derive(HostClass, Mark)]
#[host_class(name = "FinalizationRegistry")]
struct RegistryObject(MarkedRc<Registry>);

pub(super) fn define<'js>(ctx: &Ctx<'js>) -> Result<()> {
    class::register::<RegistryObject>(ctx)?;
    let prototype = Object::new(ctx.clone())?;
    let method =
        |name: &str, function: &Function<'js>| define::value(&prototype, name, function.as_value(), Attributes::Hidden);
    method("register", &function(ctx, Kind::Plain, "register", 2, register)?)?;
    method("unregister", &function(ctx, Kind::Plain, "unregister", 1, unregister)?)?;
    define::to_string_tag(&prototype, "FinalizationRegistry")?;
    class::set_prototype::<RegistryObject>(ctx, &prototype);
    let constructor = function(ctx, Kind::Constructor, "FinalizationRegistry", 1, constructor)?;
    super::define_global(ctx, "FinalizationRegistry", &constructor, &prototype)
}

/// `FinalizationRegistry(cleanupCallback)`.
fn constructor<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let ctx = &call.ctx;
    super::require_new(&call, "FinalizationRegistry")?;
    let callback = call.arg(0);
    if !callback.is_function() {
        return Err(Exception::throw_type(ctx, "FinalizationRegistry: argument 1, the callback, must be a function"));
    }
    let prototype = class::prototype_from_new_target::<RegistryObject>(&call)?;
    let dead = EventLoop::of(ctx)?.state.weakness.dead.clone();
    let registry = Rc::new_cyclic(|itself| Registry {
        cleanup_callback: Held::new(&callback),
        cells: RefCell::default(),
        dead,
        last: Cell::new(0),
        itself: itself.clone(),
    });
    Ok(class::new_object(ctx, RegistryObject(MarkedRc::new(registry)), prototype.as_ref())?.into_value())
}

fn this<'a>(call: &Call<'a, '_>, method: &str) -> Result<&'a Rc<Registry>> {
    let message = || format!("FinalizationRegistry.{method}: `this` must be a FinalizationRegistry");
    let object = class::get::<RegistryObject>(call.this);
    object.map(|object| &*object.0).ok_or_else(|| Exception::throw_type(&call.ctx, &message()))
}

/// `FinalizationRegistry.prototype.register(target, heldValue [, unregisterToken])`.
fn register<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "FinalizationRegistry.register";
    let ctx = &call.ctx;
    let registry = this(&call, "register")?;
    let refuse = |what: &str| Err(Exception::throw_type(ctx, &format!("{PLACE}: {what}")));
    let (target, held_value, token) = (call.arg(0), call.arg(1), call.arg(2));
    if !can_be_held_weakly(ctx, &target)? {
        return refuse("argument 1, the target, must be an object or a symbol that is not registered");
    }
    if identity(&target) == identity(&held_value) {
        return refuse("argument 2, the held value, must not be the target, which it would keep alive");
    }
    let has_token = can_be_held_weakly(ctx, &token)?;
    if !has_token && !token.is_undefined() {
        return refuse("argument 3, the token, must be an object or a symbol that is not registered");
    }
    let cell = registry.add(Held::new(&held_value), has_token.then(|| identity(&token)));
    let watched = watch(ctx, &target, registry, Role::Target(cell)).and_then(|()| match has_token {
        true => watch(ctx, &token, registry, Role::Token),
        false => Ok(()),
    });
    if watched.is_err() {
        drop(registry.remove(cell));
    }
    watched.map(|()| Value::new_undefined(ctx.clone()))
}

/// `FinalizationRegistry.prototype.unregister(unregisterToken)`.
fn unregister<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let ctx = &call.ctx;
    let registry = this(&call, "unregister")?;
    let token = call.arg(0);
    if !can_be_held_weakly(ctx, &token)? {
        let message = "FinalizationRegistry.unregister: argument 1, the token, must be an object or a symbol that is not \
                       registered";
        return Err(Exception::throw_type(ctx, message));
    }
    let removed = registry.unregister(identity(&token));
    Ok(Value::new_bool(ctx.clone(), !removed.is_empty()))
}
