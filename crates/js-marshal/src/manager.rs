//! `MemoryManager`: a guest's heap for scripts.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use js_api::anchor::Link;
use js_api::{ExportedFunction, MemoryObject};
use marshal::{Allocator, Heap};
use qjs::define;
use qjs::{Borrowed, Call, ClassId, Ctx, Exception, Held, HostClass, Marker, Object, Realm, Result, Value, class};

use rquickjs::JsLifetime;

use crate::arrays::Source;
use webidl::{Part, Place};

use crate::errors::throw_heap_error;
use crate::scalar::{Scalar, length};
use crate::types::{define_class, throw_length};
use crate::{ids, view};

/// The least [`ManagerObject::threshold`].
const LEAST_BYTES: u64 = 24 << 20;

/// The value of a MemoryManager.
pub(crate) struct ManagerObject {
    link: Link,
    heap: Rc<Heap>,
    memory: Held,
    malloc: Held,
    free: Held,
    /// Bytes of blocks that make the next one collect garbage first.
    threshold: Cell<u64>,
    /// What keeps blocks for objects that are no views of them, by object.
    owners: Held,
    /// For the heap's pressure hook, which has the other reference.
    realm: Rc<Realm>,
}

// SAFETY: every value, the link and the realm are marked once: the hook's reference to the realm marks nothing. The
// number is this class's own.
unsafe impl HostClass for ManagerObject {
    const ID: ClassId = ids::MANAGER;
    const NAME: &'static std::ffi::CStr = c"MemoryManager";

    fn mark(&self, marker: &Marker) {
        self.link.mark(marker);
        marker.mark(&self.memory);
        marker.mark(&self.malloc);
        marker.mark(&self.free);
        marker.mark(&self.owners);
        self.realm.mark(marker);
    }
}

impl ManagerObject {
    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    pub(crate) fn heap(&self) -> &Rc<Heap> {
        &self.heap
    }

    /// The safe point before a guest allocates: what scripts have let go of is freed. Cycles are collected first when many
    /// bytes of the guest's memory hang on objects that may be garbage: QuickJS's own trigger sees only the small
    /// objects around them.
    ///
    /// # Errors
    /// What the guest's `free` does.
    pub(crate) fn safe_point(&self, ctx: &Ctx<'_>, place: Place<'_>) -> Result<()> {
        let crowded = self.heap.owned_bytes() > self.threshold.get();
        if crowded {
            ctx.run_gc();
        }
        self.heap.drain().map_err(|error| throw_heap_error(ctx, place, error))?;
        if crowded {
            self.threshold.set(LEAST_BYTES.max(self.heap.owned_bytes() * 2));
        }
        Ok(())
    }

    /// A manager of `memory` by `malloc` and `free`, three exports of one instance.
    pub(crate) fn new<'js>(
        ctx: &Ctx<'js>,
        memory: &Value<'js>,
        malloc: &Value<'js>,
        free: &Value<'js>,
        place: Place<'_>,
    ) -> Result<Self> {
        let refuse = |at: usize, what: &str, value: &Value<'_>| {
            let message = format!("{place}: argument {at} must be {what}, got {}", webidl::describe(value));
            Exception::throw_type(ctx, &message)
        };
        let object = class::of::<MemoryObject>(memory).ok_or_else(|| refuse(1, "a WebAssembly.Memory", memory))?;
        let function = |at, value| {
            class::of::<ExportedFunction>(value).ok_or_else(|| refuse(at, "a guest's exported function", value))
        };
        let (malloc_function, free_function) = (function(2, malloc)?, function(3, free)?);
        let link = malloc_function.link().duplicate();
        // A shared memory is in no island: whether the functions work in it, only they know.
        let same_memory = object.shared().is_some() || object.bound().is_some_and(|(other, _)| other.is_same(&link));
        if !same_memory || !free_function.link().is_same(&link) {
            let message = format!("{place}: the memory, malloc and free must belong to linked instances");
            return Err(Exception::throw_type(ctx, &message));
        }
        let (malloc_func, free_func) = (malloc_function.callee().func(), free_function.callee().func());
        let island = &link.shared.island;
        let heap = match (object.block(), object.shared().map(island::shared_block)) {
            (Some(block), _) => Heap::new(island, block.clone(), malloc_func, free_func),
            (None, Some(Some(block))) => {
                let allocator = Allocator::Functions { allocate: malloc_func, free: free_func };
                Heap::with(island, block, allocator, true)
            }
            (None, _) => {
                let message = format!("{place}: argument 1 is a shared memory that was not made by this runtime");
                return Err(Exception::throw_type(ctx, &message));
            }
        };
        let heap = heap.map_err(|error| throw_heap_error(ctx, place, error))?;
        let realm = Rc::new(Realm::new(ctx)?);
        let collector = Rc::downgrade(&realm);
        heap.set_pressure_hook(move || {
            if let Some(realm) = collector.upgrade() {
                realm.with(|cx| cx.ctx().run_gc());
            }
        });
        let (memory, malloc, free) = (Held::new(memory), Held::new(malloc), Held::new(free));
        HEAPS.with_borrow_mut(|heaps| heaps.push(Rc::downgrade(&heap)));
        let owners = Held::new(&new_weak_map(ctx)?);
        Ok(Self { link, heap, memory, malloc, free, threshold: Cell::new(LEAST_BYTES), owners, realm })
    }
}

thread_local! {
    /// The heaps of this thread's scripts.
    static HEAPS: RefCell<Vec<Weak<Heap>>> = const { RefCell::new(Vec::new()) };
}

/// A safe point of the event loop: frees what waits in the heaps of this thread.
///
/// # Errors
/// What a guest's `free` does; the other heaps are drained all the same.
pub fn drain_all(ctx: &Ctx<'_>) -> Result<()> {
    // Copied, since a guest's `free` may run scripts that make another heap.
    let heaps: Vec<_> = HEAPS.with_borrow_mut(|heaps| {
        heaps.retain(|heap| heap.strong_count() > 0);
        heaps.iter().filter_map(Weak::upgrade).filter(|heap| heap.waiting() > 0).collect()
    });
    let drain = |heap: &Rc<Heap>| heap.drain().map_err(|error| throw_heap_error(ctx, Place::whole("free"), error));
    heaps.iter().map(drain).fold(Ok(()), Result::and)
}

/// QuickJS's own constructors, as they were before a script could change anything.
struct Intrinsics<'js> {
    data_view: Value<'js>,
    weak_map: Value<'js>,
}

// SAFETY: the lifetime is the values' own.
unsafe impl<'js> JsLifetime<'js> for Intrinsics<'js> {
    type Changed<'to> = Intrinsics<'to>;
}

pub(crate) fn define<'js>(ctx: &Ctx<'js>, exports: &Object<'js>) -> Result<()> {
    let globals = ctx.globals();
    let intrinsics = Intrinsics { data_view: globals.get("DataView")?, weak_map: globals.get("WeakMap")? };
    ctx.store_userdata(intrinsics).map_err(|_| rquickjs::Error::Unknown)?;
    class::register::<ManagerObject>(ctx)?;
    class::register::<Owner>(ctx)?;
    let prototype = define_class(exports, "MemoryManager", 3, constructor)?;
    class::set_prototype::<ManagerObject>(ctx, &prototype);
    define::method(&prototype, "malloc", 1, malloc)?;
    define::method(&prototype, "free", 1, free)?;
    define::method(&prototype, "createTypedArray", 2, create_typed_array)?;
    define::method(&prototype, "freeWhenFinalized", 2, free_when_finalized)?;
    define::getter(&prototype, "memory", memory)?;
    define::getter(&prototype, "dataView", data_view)
}

fn constructor<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const NAME: &str = "MemoryManager";
    webidl::require_new(&call, NAME)?;
    let place = Place::whole(NAME);
    let manager = ManagerObject::new(&call.ctx, &call.arg(0), &call.arg(1), &call.arg(2), place)?;
    let prototype = class::prototype_from_new_target::<ManagerObject>(&call)?;
    Ok(class::new_object(&call.ctx, manager, prototype.as_ref())?.into_value())
}

fn malloc<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: Place<'_> = Place { function: "MemoryManager.malloc", part: Part::Whole };
    let manager: &ManagerObject = webidl::this(&call, "malloc")?;
    let bytes = length(&call.arg(0)).ok_or_else(|| throw_length(&call.ctx, PLACE, &call.arg(0)))?;
    let address = manager.heap.allocate(bytes).map_err(|error| throw_heap_error(&call.ctx, PLACE, error))?;
    Ok(Value::new_number(call.ctx, address as f64))
}

fn free<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: Place<'_> = Place { function: "MemoryManager.free", part: Part::Whole };
    let manager: &ManagerObject = webidl::this(&call, "free")?;
    let address = address(&call, 0, PLACE)?;
    manager.heap.free(address).map_err(|error| throw_heap_error(&call.ctx, PLACE, error))?;
    Ok(Value::new_undefined(call.ctx))
}

fn address(call: &Call<'_, '_>, at: usize, place: Place<'_>) -> Result<u64> {
    length(&call.arg(at)).ok_or_else(|| {
        let came = webidl::describe(&call.arg(at));
        Exception::throw_type(&call.ctx, &format!("{place}: argument {} must be an address, got {came}", at + 1))
    })
}

fn memory<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let manager: &ManagerObject = webidl::this(&call, "memory")?;
    Ok(manager.memory.get(&call.ctx))
}

fn data_view<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let manager: &ManagerObject = webidl::this(&call, "dataView")?;
    let memory = manager.memory.get(&call.ctx);
    let buffer: Value = memory.as_object().expect("checked in the constructor").get("buffer")?;
    let constructor = call.ctx.userdata::<Intrinsics>().ok_or(rquickjs::Error::Unknown)?.data_view.clone();
    qjs::function::construct(&constructor, &constructor, &[buffer])
}

/// `createTypedArray(Float64Array, 4)` or `createTypedArray(Float64Array, [1, 2, 3, 4])`.
fn create_typed_array<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: Place<'_> = Place { function: "MemoryManager.createTypedArray", part: Part::Whole };
    let manager: &ManagerObject = webidl::this(&call, "createTypedArray")?;
    let scalar = constructor_argument(&call, PLACE)?;
    manager.create_typed_array(&call.ctx, scalar, &call.arg(1), Place::argument(PLACE.function, 1))
}

impl ManagerObject {
    /// A view of a new block with the given contents: an array, or a number of zeros.
    pub(crate) fn create_typed_array<'js>(
        &self,
        ctx: &Ctx<'js>,
        scalar: Scalar,
        contents: &Value<'js>,
        place: Place<'_>,
    ) -> Result<Value<'js>> {
        let heap = &self.heap;
        let source = match contents.is_object() {
            true => Some(Source::of(ctx, heap, scalar, Borrowed::of(contents), place)?),
            false => None,
        };
        let count = match &source {
            Some(source) => source.len() as u64,
            None => length(contents).ok_or_else(|| throw_length(ctx, place, contents))?,
        };
        let bytes = byte_length(ctx, count, scalar, place)?;
        self.safe_point(ctx, place)?;
        let fail = |error| throw_heap_error(ctx, place, error);
        let address = heap.allocate(bytes).map_err(fail)?;
        let block = heap.adopt(address, bytes).map_err(fail)?;
        match source {
            Some(_) => {
                // Allocating ran the guest, which may have run scripts: the contents are looked at again.
                let source = Source::of(ctx, heap, scalar, Borrowed::of(contents), place)?;
                if source.len() as u64 != count {
                    return Err(Exception::throw_type(ctx, &format!("{place}: the array changed during the call")));
                }
                source.copy_in(ctx, heap, scalar, address, place)?;
            }
            None => {
                heap.data().fill(address, bytes, 0).map_err(|error| fail(error.into()))?;
            }
        }
        view::new(ctx, heap, block, scalar.element())
    }
}

/// The bytes of `count` elements.
pub(crate) fn byte_length(ctx: &Ctx<'_>, count: u64, scalar: Scalar, place: Place<'_>) -> Result<u64> {
    let bytes = count.checked_mul(scalar.size() as u64).filter(|&bytes| bytes <= i64::MAX as u64);
    bytes.ok_or_else(|| {
        let message = format!("{place}: {count} elements of {} are more than any memory has", scalar.name());
        Exception::throw_range(ctx, &message)
    })
}

fn constructor_argument(call: &Call<'_, '_>, place: Place<'_>) -> Result<Scalar> {
    let given = call.arg(0);
    let name: Option<String> = match given.as_function() {
        Some(function) => function.as_object().and_then(|object| object.get("name").ok()),
        None => None,
    };
    let found = Scalar::ALL.into_iter().find(|scalar| Some(scalar.element().name()) == name.as_deref());
    found.ok_or_else(|| {
        let message =
            format!("{place}: argument 1 must be a typed array's constructor, got {}", webidl::describe(&given));
        Exception::throw_type(&call.ctx, &message)
    })
}

/// Owns a block for an object that is no view of it.
struct Owner {
    _block: marshal::GuestBlock,
    /// The owner that the object had before.
    before: Option<Held>,
}

// SAFETY: the one before is marked once. The number is this class's own.
unsafe impl HostClass for Owner {
    const ID: ClassId = ids::OWNER;
    const NAME: &'static std::ffi::CStr = c"Owner";

    fn mark(&self, marker: &Marker) {
        self.before.iter().for_each(|before| marker.mark(before));
    }
}

fn new_weak_map<'js>(ctx: &Ctx<'js>) -> Result<Value<'js>> {
    let constructor = ctx.userdata::<Intrinsics>().ok_or(rquickjs::Error::Unknown)?.weak_map.clone();
    qjs::function::construct(&constructor, &constructor, &[])
}

/// `freeWhenFinalized(target, address)`: the block at `address` lives as long as `target`.
fn free_when_finalized<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: Place<'_> = Place { function: "MemoryManager.freeWhenFinalized", part: Part::Whole };
    let manager: &ManagerObject = webidl::this(&call, "freeWhenFinalized")?;
    let ctx = &call.ctx;
    let target = call.arg(0);
    if !target.is_object() {
        let message = format!("{PLACE}: argument 1 must be an object, got {}", webidl::describe(&target));
        return Err(Exception::throw_type(ctx, &message));
    }
    let address = address(&call, 1, PLACE)?;
    let owners = manager.owners.get(ctx);
    let owners = owners.as_object().expect("a WeakMap is an object");
    let method = |name: &str| owners.get::<_, qjs::Function>(name);
    let this = || rquickjs::prelude::This(owners.clone());
    let before: Value = method("get")?.call((this(), target.clone()))?;
    // How long the block is, only the guest knows.
    let block = manager.heap.adopt(address, 1).map_err(|error| throw_heap_error(ctx, PLACE, error))?;
    let before = before.is_object().then(|| Held::new(&before));
    let owner = class::new_object(ctx, Owner { _block: block, before }, None)?;
    method("set")?.call::<_, Value>((this(), target, owner))?;
    Ok(Value::new_undefined(ctx.clone()))
}
