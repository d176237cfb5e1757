//! The one JavaScript object per island that owns every JavaScript value the island holds (invariant 3).
//!
//! Instances, exported functions, bound memories, tables and globals hold the anchor, and it holds the imports and the
//! externrefs. All of these edges are visible to the cycle collector, so an island and the closures around it go
//! together; without such closures there is no cycle, and reference counting frees the island at once.
//!
//! The object caches are weak. An object that was made for an export is kept by its instance's exports object, one that
//! `get` of a table made by the table, and functions that scripts came by in other ways (as arguments, results, in
//! globals) by the anchor. So a WeakMap or an own property can never see an object that was dropped and made again
//! (invariant 1).

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use island::wasmtime::{ExternRef, Func, Rooted, StoreContextMut};
use island::{FunctionKey, Island, StoreState};
use rustc_hash::FxHashMap;

use qjs::{Ctx, Held, HostClass, Mark, MarkedRc, Realm, Result, Value, WeakMap, WeakObject, class};

use crate::runtime::api::Api;
use crate::runtime::guest_objects::GuestObjects;
use crate::runtime::guest_objects::RecentExceptions;
use crate::runtime::tags::Tags;

/// The JavaScript side of an island.
#[derive(Mark)]
pub struct IslandRealm {
    /// The island.
    #[mark(skip)]
    pub island: Rc<Island>,
    #[mark(skip)]
    pub(crate) api: Api,
    realm: Realm,
    /// Imports: never removed, since the island's functions refer to them by index.
    imports: RefCell<Vec<MarkedRc<Held>>>,
    externs: RefCell<Externs>,
    /// The object caches, by address.
    #[mark(skip)]
    functions: RefCell<WeakMap<FunctionKey>>,
    #[mark(skip)]
    objects: RefCell<WeakMap<Address>>,
    #[mark(skip)]
    pub(crate) guest_objects: RefCell<GuestObjects>,
    /// Functions that nothing else keeps, and functions of other islands, by the key of what stands for them here.
    pinned: RefCell<FxHashMap<FunctionKey, Held>>,
    /// What stands here for functions of other islands, by the function object (which `pinned` keeps).
    #[mark(skip)]
    stand_ins: RefCell<FxHashMap<*const std::ffi::c_void, Func>>,
    #[mark(skip)]
    pub(crate) tags: RefCell<Tags>,
    pub(crate) recent_exceptions: RefCell<RecentExceptions>,
    #[mark(skip)]
    anchor: OnceCell<WeakObject>,
}

/// What identifies a memory, table or global in its store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Address {
    Memory(u64),
    Table(u64),
    Global(u64),
}

/// Values that guests hold as externrefs.
#[derive(Default, Mark)]
struct Externs {
    slots: Vec<Option<Held>>,
    #[mark(skip)]
    free: Vec<usize>,
    /// Slots whose externref Wasmtime's collector has dropped.
    #[mark(skip)]
    dropped: Arc<Mutex<Vec<usize>>>,
    /// The number of live slots at which the next externref collects first.
    #[mark(skip)]
    threshold: usize,
}

/// What an externref carries.
struct ExternToken {
    slot: usize,
    dropped: Arc<Mutex<Vec<usize>>>,
}

impl Drop for ExternToken {
    fn drop(&mut self) {
        self.dropped.lock().unwrap_or_else(|e| e.into_inner()).push(self.slot);
    }
}

impl IslandRealm {
    /// Runs `body` in the context that the island was made in. To be called only from below a guest call of the
    /// island's.
    #[inline]
    pub(crate) fn with<R>(&self, body: impl for<'js> FnOnce(qjs::Cx<'js>) -> R) -> R {
        self.realm.with(body)
    }

    /// Keeps an import for the island's life.
    pub(crate) fn keep_import(&self, value: &Value<'_>) -> usize {
        let mut imports = self.imports.borrow_mut();
        imports.push(MarkedRc::new(Rc::new(Held::new(value))));
        imports.len() - 1
    }

    /// Whether a function, as [`class::identity`] has it, is an import.
    pub(crate) fn imports_it(&self, function: *const std::ffi::c_void) -> bool {
        self.imports.borrow().iter().any(|import| import.borrow().identity() == function.addr())
    }

    /// An import. Whoever calls it has it meanwhile.
    #[inline]
    pub(crate) fn import(&self, index: usize) -> Rc<Held> {
        Rc::clone(&self.imports.borrow()[index])
    }

    /// A new externref for a value. Starts Wasmtime's own collection now and then, so that values that guests have let
    /// go of do not pile up.
    pub(crate) fn new_externref(
        &self,
        mut store: StoreContextMut<'_, StoreState>,
        value: Held,
    ) -> island::wasmtime::Result<Rooted<ExternRef>> {
        if self.externs.borrow_mut().is_due() {
            store.gc(None)?;
            self.externs.borrow_mut().reset_threshold();
        }
        let token = self.externs.borrow_mut().insert(value);
        ExternRef::new(&mut store, token)
    }

    /// The value behind an externref of this island; `None` for a reference that a guest made of something else.
    pub(crate) fn extern_value<'js>(
        &self,
        ctx: &Ctx<'js>,
        store: &StoreContextMut<'_, StoreState>,
        reference: Rooted<ExternRef>,
    ) -> Option<Value<'js>> {
        self.held_extern(store, reference).map(|held| held.get(ctx))
    }

    /// [`IslandRealm::extern_value`] without a context.
    #[inline]
    pub(crate) fn held_extern(
        &self,
        store: &StoreContextMut<'_, StoreState>,
        reference: Rooted<ExternRef>,
    ) -> Option<Held> {
        let token = reference.data(store).ok()??.downcast_ref::<ExternToken>()?;
        self.externs.borrow().slots.get(token.slot)?.as_ref().map(Held::duplicate)
    }

    /// The function object for an address: the one there is, or the one that `make` makes, of class `T`. Its value
    /// calls [`IslandRealm::forget_function`] when it is dropped.
    pub(crate) fn function<'js, T: HostClass>(
        &self,
        ctx: &Ctx<'js>,
        key: FunctionKey,
        make: impl FnOnce() -> Result<Value<'js>>,
    ) -> Result<Value<'js>> {
        if let Some(function) = self.known_function(ctx, key) {
            return Ok(function);
        }
        let object = make()?;
        self.functions.borrow_mut().insert(key, WeakObject::of::<T>(&object));
        Ok(object)
    }

    /// The function object for an address, if there is one.
    pub(crate) fn known_function<'js>(&self, ctx: &Ctx<'js>, key: FunctionKey) -> Option<Value<'js>> {
        let cached = self.functions.borrow().get(ctx, &key);
        cached.or_else(|| self.pinned.borrow().get(&key).map(|held| held.get(ctx)))
    }

    pub(crate) fn forget_function(&self, key: FunctionKey) {
        self.functions.borrow_mut().remove(&key);
    }

    /// Keeps the object for a function as long as the island.
    pub(crate) fn pin(&self, key: FunctionKey, function: &Value<'_>) {
        self.pinned.borrow_mut().entry(key).or_insert_with(|| Held::new(function));
    }

    /// The function that stands here for a function object of another island.
    pub(crate) fn stand_in(&self, function: &Value<'_>) -> Option<Func> {
        self.stand_ins.borrow().get(&class::identity(function)).copied()
    }

    pub(crate) fn add_stand_in(&self, function: &Value<'_>, func: Func) {
        self.stand_ins.borrow_mut().insert(class::identity(function), func);
    }

    /// The object for an address, if there is one.
    pub(crate) fn object<'js>(&self, ctx: &Ctx<'js>, address: Address) -> Option<Value<'js>> {
        self.objects.borrow().get(ctx, &address)
    }

    /// Makes `object` the one for its address. Its value calls [`IslandRealm::forget_object`] when it is dropped.
    pub(crate) fn cache_object(&self, address: Address, object: WeakObject) {
        self.objects.borrow_mut().insert(address, object);
    }

    pub(crate) fn forget_object(&self, address: Address) {
        self.objects.borrow_mut().remove(&address);
    }

    /// A handle into the island, from below a guest call (which holds one).
    pub(crate) fn link(self: &Rc<Self>, ctx: &Ctx<'_>) -> Option<IslandHandle> {
        let anchor = self.anchor.get()?.get(ctx)?;
        Some(IslandHandle { shared: self.clone(), anchor: Held::new(&anchor) })
    }
}

impl Externs {
    fn live(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    fn is_due(&mut self) -> bool {
        self.sweep();
        self.live() >= self.threshold.max(1024)
    }

    fn reset_threshold(&mut self) {
        self.sweep();
        self.threshold = self.live() * 2;
    }

    fn sweep(&mut self) {
        let dropped = std::mem::take(&mut *self.dropped.lock().unwrap_or_else(|e| e.into_inner()));
        for slot in dropped {
            // An externref that Wasmtime lets go of after the island's end has no slot any more.
            if let Some(held) = self.slots.get_mut(slot) {
                *held = None;
                self.free.push(slot);
            }
        }
    }

    fn insert(&mut self, held: Held) -> ExternToken {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot] = Some(held);
                slot
            }
            None => {
                self.slots.push(Some(held));
                self.slots.len() - 1
            }
        };
        ExternToken { slot, dropped: self.dropped.clone() }
    }
}

/// The JavaScript object. Scripts never see it.
#[derive(HostClass, Mark)]
#[host_class(name = "Island")]
pub struct Anchor {
    shared: MarkedRc<IslandRealm>,
}

impl Drop for Anchor {
    fn drop(&mut self) {
        // What the island holds goes now, whoever else still has the `Rc`. Each value is moved out before it is
        // dropped, since dropping it may lead back here.
        drop(self.shared.imports.take());
        drop(self.shared.externs.take());
        drop(self.shared.pinned.take());
        drop(self.shared.recent_exceptions.take());
    }
}

/// Keeps an island's JavaScript values while Rust calls into it: a call in progress is a handle. `None` for an island
/// without a JavaScript side.
pub fn hold_island(ctx: &Ctx<'_>, island: &Island) -> Option<IslandHandle> {
    island.owner::<IslandRealm>()?.link(ctx)
}

/// A handle into an island, which every JavaScript object of the island holds.
#[derive(Mark)]
pub struct IslandHandle {
    /// The island's JavaScript side.
    #[mark(skip)]
    pub shared: Rc<IslandRealm>,
    anchor: Held,
}

impl IslandHandle {
    /// A new island with its anchor.
    ///
    /// # Errors
    /// When memory is out.
    pub fn new(ctx: &Ctx<'_>) -> Result<Self> {
        let api = Api::of(ctx)?;
        let shared = Rc::new(IslandRealm {
            island: Island::new(api.engine()),
            realm: Realm::new(ctx)?,
            imports: RefCell::default(),
            externs: RefCell::default(),
            functions: RefCell::default(),
            objects: RefCell::default(),
            guest_objects: RefCell::default(),
            pinned: RefCell::default(),
            stand_ins: RefCell::default(),
            tags: RefCell::default(),
            recent_exceptions: RefCell::default(),
            anchor: OnceCell::new(),
            api,
        });
        shared.island.set_owner(&shared);
        let mut islands = shared.api.state.islands.borrow_mut();
        if islands.len() == islands.capacity() {
            islands.retain(|island| island.strong_count() > 0);
        }
        islands.push(Rc::downgrade(&shared));
        drop(islands);
        // SAFETY: the only `MarkedRc` of this realm. Whoever else has the realm has a handle, which keeps the anchor,
        // or runs below a call that has one.
        let marked = unsafe { MarkedRc::shared(shared.clone()) };
        let anchor = class::new_object(ctx, Anchor { shared: marked }, None)?;
        let _ = shared.anchor.set(WeakObject::of::<Anchor>(anchor.as_value()));
        Ok(Self { shared, anchor: Held::new(anchor.as_value()) })
    }

    /// The island for an instance that imports nothing of others: a new one, or the common one.
    pub(crate) fn for_new_instance(ctx: &Ctx<'_>, passes_objects: bool) -> Result<Self> {
        let api = Api::of(ctx)?;
        if !api.state.options.one_island && !passes_objects {
            return Self::new(ctx);
        }
        let common = api.state.common_island.borrow().upgrade();
        if let Some(link) = common.and_then(|shared| shared.link(ctx)) {
            return Ok(link);
        }
        let link = Self::new(ctx)?;
        *api.state.common_island.borrow_mut() = Rc::downgrade(&link.shared);
        Ok(link)
    }

    /// The same island.
    pub fn duplicate(&self) -> Self {
        Self { shared: self.shared.clone(), anchor: self.anchor.duplicate() }
    }

    /// Whether both are handles into one island.
    #[inline]
    pub fn is_same(&self, other: &IslandHandle) -> bool {
        Rc::ptr_eq(&self.shared, &other.shared)
    }

    /// The key of a function of this island.
    pub(crate) fn key(&self, func: Func) -> FunctionKey {
        self.shared.island.enter(|store| FunctionKey::of(store, func))
    }
}
