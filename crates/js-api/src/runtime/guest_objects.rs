//! The JavaScript objects of a guest's own structs, arrays and exceptions, found again by reference.
//!
//! Wasmtime's collector moves what it keeps, and tells nobody. So a reference's place in the collector's heap
//! identifies an object only until the next collection. A sentinel, which nothing refers to, goes with the first
//! collection after it was made, and then every place is looked up anew.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use island::StoreState;
use island::wasmtime::{
    AnyRef, AsContextMut, ExnRef, ExternRef, GcRef, OwnedRooted, RootScope, Rooted, StoreContextMut,
};
use qjs::{Ctx, Held, Mark, Value, WeakMap, WeakObject};

/// A root that an object stands for.
pub(crate) enum Root {
    Any(OwnedRooted<AnyRef>),
    Exception(OwnedRooted<ExnRef>),
}

/// Where a root lies in the collector's heap, until the next collection.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct HeapPlace(u64);

/// An object's entry in [`GuestObjects`].
#[derive(Clone, Copy)]
pub(crate) struct Slot(usize);

/// The objects of one island. They are held weakly.
pub(crate) struct GuestObjects {
    objects: WeakMap<HeapPlace>,
    roots: Vec<Option<(Root, HeapPlace)>>,
    free: Vec<usize>,
    /// Whether there was a collection since the places were looked up.
    collected: Arc<AtomicBool>,
}

impl Default for GuestObjects {
    fn default() -> Self {
        let collected = Arc::new(AtomicBool::new(true));
        Self { objects: WeakMap::default(), roots: Vec::new(), free: Vec::new(), collected }
    }
}

impl GuestObjects {
    /// The object that stands for `reference`, if there is one.
    pub(crate) fn find<'js, T: GcRef>(
        &mut self,
        ctx: &Ctx<'js>,
        store: &mut StoreContextMut<'_, StoreState>,
        reference: Rooted<T>,
    ) -> island::wasmtime::Result<Option<Value<'js>>> {
        self.settle(store);
        let mut place = HeapPlace(0);
        reference.ref_hash(&*store, &mut place)?;
        Ok(self.objects.get(ctx, &place))
    }

    /// The object that stands for `root`, if there is one.
    pub(crate) fn find_root<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        store: &mut StoreContextMut<'_, StoreState>,
        root: &Root,
    ) -> Option<Value<'js>> {
        self.settle(store);
        self.objects.get(ctx, &root.place(store))
    }

    /// Makes `object` the one that stands for `root`. Its value calls [`GuestObjects::forget`] for the slot when it is
    /// dropped.
    pub(crate) fn insert(
        &mut self,
        store: &mut StoreContextMut<'_, StoreState>,
        root: Root,
        object: WeakObject,
    ) -> Slot {
        self.settle(store);
        let place = root.place(store);
        self.objects.insert(place, object);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.roots.push(None);
            self.roots.len() - 1
        });
        self.roots[slot] = Some((root, place));
        Slot(slot)
    }

    /// Forgets an object and its root.
    pub(crate) fn forget(&mut self, Slot(slot): Slot) {
        if let Some((_, place)) = self.roots.get_mut(slot).and_then(Option::take) {
            self.objects.remove(&place);
            self.free.push(slot);
        }
    }

    /// Looks the places up anew if there was a collection since.
    #[inline]
    fn settle(&mut self, store: &mut StoreContextMut<'_, StoreState>) {
        if self.collected.load(Ordering::Relaxed) {
            self.move_all(store);
        }
    }

    #[cold]
    fn move_all(&mut self, store: &mut StoreContextMut<'_, StoreState>) {
        // The sentinel comes first, since making it may collect. If there is no room for it, the next look-up comes
        // here again.
        let collected = Arc::new(AtomicBool::new(false));
        let mut scope = RootScope::new(store.as_context_mut());
        if ExternRef::new(&mut scope, Sentinel(collected.clone())).is_err() {
            collected.store(true, Ordering::Relaxed);
        }
        drop(scope);
        self.collected = collected;
        let roots = self.roots.iter_mut().flatten();
        self.objects.rekey(roots.map(|(root, place)| {
            let old = std::mem::replace(place, root.place(store));
            (old, *place)
        }));
    }
}

impl Root {
    fn place(&self, store: &StoreContextMut<'_, StoreState>) -> HeapPlace {
        let mut place = HeapPlace(0);
        match self {
            Self::Any(root) => root.ref_hash(store, &mut place),
            Self::Exception(root) => root.ref_hash(store, &mut place),
        }
        place
    }
}

/// Notes the place that a reference consists of: Wasmtime hashes a reference by its place.
impl Hasher for HeapPlace {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.0 = self.0 << 8 | u64::from(byte));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The data of an externref that nothing refers to. When it is dropped, there was a collection.
struct Sentinel(Arc<AtomicBool>);

impl Drop for Sentinel {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Keeps the last exceptions that went into or out of an island. While only a guest has an exception, nothing else
/// keeps its object, and a script could tell a new one from it by the properties that it hung on it.
#[derive(Default, Mark)]
pub(crate) struct RecentExceptions(VecDeque<Held>);

impl RecentExceptions {
    /// How many exceptions a guest can have in flight at once before their objects are made anew.
    const KEPT: usize = 64;

    pub(crate) fn push(&mut self, object: &Value<'_>) -> Option<Held> {
        self.0.push_back(Held::new(object));
        if self.0.len() > Self::KEPT { self.0.pop_front() } else { None }
    }
}
