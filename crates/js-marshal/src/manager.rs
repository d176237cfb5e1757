//! `MemoryManager`: a guest's heap for scripts.

use c_abi::names;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use island::CallError;
use js_api::island_realm::IslandHandle;
use js_api::{ExportedFunction, InstanceObject, MemoryObject};
use marshal::{Allocator, GuestFunction, Heap, HeapError, HostAllocator};
use qjs::define::{self, Attributes};
use qjs::{
    Args, Arguments, Borrowed, Call, Ctx, Cx, Exception, Held, HostClass, Mark, MarkedRc, Object, Realm, Result, Value,
    WeakObject, class,
};
use rustc_hash::FxHashMap;

use webidl::{Part, Place};

use crate::arrays::Source;
use crate::callback::Callbacks;
use crate::convert::Marshal;
use crate::descriptors::throw_length;
use crate::errors::{At, throw_heap_error};
use crate::language;
use crate::scalar::{Scalar, length};
use crate::spares::Spares;
use crate::types::{Type, TypeObject};
use crate::view;

/// The least [`ManagerObject::threshold`].
const LEAST_BYTES: u64 = 24 << 20;

/// The value of a MemoryManager.
#[derive(HostClass, Mark)]
#[host_class(name = "MemoryManager")]
pub(crate) struct ManagerObject {
    link: IslandHandle,
    #[mark(skip)]
    heap: Rc<Heap>,
    memory: Held,
    /// The functions that allocate and free, as the script gave them.
    functions: Vec<Held>,
    /// The script's own functions, if they and not a guest's allocate and free.
    script: Option<MarkedRc<ScriptFunctions>>,
    /// Heaps of the same memory in which other functions free.
    others: RefCell<Vec<OtherHeap>>,
    #[mark(skip)]
    callbacks: Rc<Callbacks>,
    /// Values that stay as long as the manager does.
    kept: RefCell<Vec<Held>>,
    /// The bytes in blocks at which the next block collects garbage first.
    #[mark(skip)]
    threshold: Cell<u64>,
    /// The objects of handles that the host owns, by address.
    #[mark(skip)]
    handles: RefCell<FxHashMap<u64, WeakObject>>,
    /// The owners of blocks for objects that are not views of them, by object.
    owners: Held,
    /// Views that the fields of structs point to, by the struct's buffer.
    in_structs: Held,
    /// For the heap's pressure hook, which refers to it weakly.
    realm: MarkedRc<Realm>,
    spares: MarkedRc<Spares>,
}

/// A heap, and the function that frees in it.
#[derive(Mark)]
struct OtherHeap {
    function: Held,
    #[mark(skip)]
    heap: Rc<Heap>,
}

/// Two functions of a script that allocate and free in a memory.
#[derive(Mark)]
struct ScriptFunctions {
    malloc: Held,
    free: Held,
    realm: Realm,
}

/// The allocator of a heap that a manager made with two functions. Without the manager, which has them, it does nothing.
struct ScriptAllocator(Weak<ScriptFunctions>);

impl ScriptAllocator {
    fn call(&self, pick: impl FnOnce(&ScriptFunctions) -> &Held, number: u64) -> std::result::Result<u64, CallError> {
        let Some(functions) = self.0.upgrade() else { return Ok(0) };
        functions.realm.with(|cx| {
            let mut arguments = Arguments::new(cx);
            let result = arguments.push(cx.float(number as f64));
            let result = result.and_then(|()| pick(&functions).call(cx, Args::default().get(0), &mut arguments));
            match result {
                Ok(result) => Ok(result.borrow().number().map_or(0, |address| address as u64)),
                Err(_) => Err(CallError::Host),
            }
        })
    }
}

impl HostAllocator for ScriptAllocator {
    fn allocate(&self, bytes: u64) -> std::result::Result<u64, CallError> {
        self.call(|functions| &functions.malloc, bytes)
    }

    fn free(&self, address: u64) -> std::result::Result<(), CallError> {
        self.call(|functions| &functions.free, address).map(drop)
    }
}

/// The allocator of a guest that has none.
struct NoAllocator {
    is_wide: bool,
}

impl HostAllocator for NoAllocator {
    fn allocate(&self, _: u64) -> std::result::Result<u64, CallError> {
        let message = "the guest exports no allocator (`malloc` and `free`) with a memory for it";
        Err(CallError::Trap(island::Trap::new(message)))
    }

    fn free(&self, _: u64) -> std::result::Result<(), CallError> {
        Ok(())
    }

    fn is_wide(&self) -> bool {
        self.is_wide
    }
}

impl ManagerObject {
    #[inline]
    pub(crate) fn link(&self) -> &IslandHandle {
        &self.link
    }

    #[inline]
    pub(crate) fn heap(&self) -> &Rc<Heap> {
        &self.heap
    }

    #[inline]
    pub(crate) fn spares(&self) -> &Spares {
        &self.spares
    }

    pub(crate) fn memory(&self) -> &Held {
        &self.memory
    }

    pub(crate) fn callbacks(&self) -> &Rc<Callbacks> {
        &self.callbacks
    }

    /// Keeps `value` until the struct's buffer goes or another value takes its place at `offset`, since the guest has
    /// its address there.
    pub(crate) fn keep_in(&self, ctx: &Ctx<'_>, buffer: &Held, offset: u64, value: Option<Borrowed<'_>>) -> Result<()> {
        let in_structs = self.in_structs.get(ctx);
        let in_structs = in_structs.as_object().expect("a WeakMap is an object");
        let method = |name: &str| in_structs.get::<_, qjs::Function>(name);
        let this = || rquickjs::prelude::This(in_structs.clone());
        let kept: Value = method("get")?.call((this(), buffer.get(ctx)))?;
        let kept = match (kept.into_object(), value) {
            (Some(kept), _) => kept,
            (None, None) => return Ok(()),
            (None, Some(_)) => {
                let kept = Object::new(ctx.clone())?;
                kept.set_prototype(None)?;
                method("set")?.call::<_, Value>((this(), buffer.get(ctx), kept.clone()))?;
                kept
            }
        };
        match value {
            Some(value) => kept.set(offset.to_string(), value.to_value(Cx::of(ctx))),
            None => kept.remove(offset.to_string()),
        }
    }

    /// The object of the handle at `address`, if a script has one.
    pub(crate) fn handle_at<'js>(&self, ctx: &Ctx<'js>, address: u64) -> Option<Value<'js>> {
        self.handles.borrow().get(&address)?.get(ctx)
    }

    /// Remembers the object of a handle while it lives.
    pub(crate) fn remember_handle(&self, address: u64, object: WeakObject) {
        let mut handles = self.handles.borrow_mut();
        if handles.len() > 64 && handles.len() > 2 * self.heap.open_handles() {
            handles.retain(|_, object| object.is_alive());
        }
        handles.insert(address, object);
    }

    /// Keeps a value for as long as the manager lives.
    pub(crate) fn keep_value(&self, value: Held) {
        self.kept.borrow_mut().push(value);
    }

    /// The safe point before a guest allocates: what scripts have let go of is freed. Cycles are collected first when
    /// many bytes of the guest's memory hang on objects that may be garbage: QuickJS's own trigger sees only the small
    /// objects around them.
    ///
    /// # Errors
    /// What the guest's `free` does.
    #[inline]
    pub(crate) fn safe_point(&self, ctx: &Ctx<'_>, place: At<'_>) -> Result<()> {
        let crowded = self.heap.owned_bytes() > self.threshold.get();
        if crowded {
            qjs::runtime::collect(ctx);
        }
        let fail = |error| throw_heap_error(ctx, place, error);
        self.spares.collect(&self.heap).map_err(fail)?;
        self.heap.drain().map_err(fail)?;
        if !self.others.borrow().is_empty() {
            let others: Vec<_> = self.others.borrow().iter().map(|other| other.heap.clone()).collect();
            others.iter().try_for_each(|heap| heap.drain().map_err(fail))?;
        }
        if crowded {
            self.threshold.set(LEAST_BYTES.max(self.heap.owned_bytes() * 2));
        }
        Ok(())
    }

    /// Whether [`ManagerObject::safe_point`] has nothing to do, as most of the time.
    #[inline]
    pub(crate) fn is_settled(&self) -> bool {
        self.heap.owned_bytes() <= self.threshold.get()
            && self.spares.is_empty()
            && self.heap.is_drained()
            && self.others.borrow().is_empty()
    }

    /// The heap of this memory in which `free`, a function of the guest, frees.
    ///
    /// # Errors
    /// A TypeError for any other function.
    pub(crate) fn heap_for(&self, ctx: &Ctx<'_>, free: &Held) -> Result<Rc<Heap>> {
        let same = |one: &Held| qjs::class::identity(&one.get(ctx)) == qjs::class::identity(&free.get(ctx));
        if let Some(other) = self.others.borrow().iter().find(|other| same(&other.function)) {
            return Ok(other.heap.clone());
        }
        let place = "owned";
        let function = class::get::<ExportedFunction>(free.borrow()).filter(|free| free.link().is_same(&self.link));
        let Some(function) = function else {
            return Err(Exception::throw_type(ctx, "owned: argument 2 must be a function of the same guest"));
        };
        let allocate = self.functions.first().and_then(|held| class::get::<ExportedFunction>(held.borrow()));
        let Some(allocate) = allocate else {
            return Err(Exception::throw_type(ctx, "owned: the memory manager's own functions are not a guest's"));
        };
        let allocator = Allocator::Functions { allocate: allocate.callee().into(), free: function.callee().into() };
        let (data, shared) = (self.heap.data().clone(), self.heap.is_shared());
        let heap = Heap::with(&self.link.shared.island, data, allocator, shared);
        let heap = heap.map_err(|error| throw_heap_error(ctx, &place, error))?;
        HEAPS.with_borrow_mut(|heaps| heaps.push((Rc::downgrade(&heap), Weak::new())));
        self.others.borrow_mut().push(OtherHeap { function: free.duplicate(), heap: heap.clone() });
        Ok(heap)
    }

    /// A manager of `memory` by `functions`: two that allocate and free, or AssemblyScript's three.
    pub(crate) fn new<'js>(
        ctx: &Ctx<'js>,
        memory: &Value<'js>,
        functions: &[Value<'js>],
        table: Option<&Value<'js>>,
        place: Place<'_>,
    ) -> Result<Self> {
        let refuse = |at: usize, what: &str, value: &Value<'_>| {
            let message = format!("{place}: argument {at} must be {what}, got {}", webidl::describe(value));
            Exception::throw_type(ctx, &message)
        };
        let object = class::of::<MemoryObject>(memory).ok_or_else(|| refuse(1, "a WebAssembly.Memory", memory))?;
        for (at, function) in functions.iter().enumerate() {
            if !function.is_function() {
                return Err(refuse(at + 2, "a function", function));
            }
        }
        let exported: Vec<_> = functions.iter().filter_map(class::of::<ExportedFunction>).collect();
        let is_guest = exported.len() == functions.len();
        let (link, script, allocator) = if is_guest {
            let link = exported[0].link().duplicate();
            // A shared memory is in no island. Only the functions know whether they work in it.
            let same_memory =
                object.shared().is_some() || object.bound().is_some_and(|(other, _)| other.is_same(&link));
            if !same_memory || exported.iter().any(|function| !function.link().is_same(&link)) {
                let message = format!("{place}: the memory, malloc and free must belong to linked instances");
                return Err(Exception::throw_type(ctx, &message));
            }
            let funcs: Vec<_> = exported.iter().map(|function| GuestFunction::from(function.callee())).collect();
            let allocator = match *funcs {
                [new, pin, unpin] => Allocator::AssemblyScript { new, pin, unpin },
                _ => Allocator::Functions { allocate: funcs[0], free: funcs[1] },
            };
            (link, None, allocator)
        } else {
            let link = match object.bound() {
                Some((link, _)) => link,
                None => IslandHandle::new(ctx)?,
            };
            let (malloc, free) = (Held::new(&functions[0]), Held::new(&functions[1]));
            let functions = Rc::new(ScriptFunctions { malloc, free, realm: Realm::new(ctx)? });
            let allocator = ScriptAllocator(Rc::downgrade(&functions));
            (link, Some(functions), Allocator::Host(Rc::new(allocator)))
        };
        let table = match table.filter(|table| !table.is_undefined()) {
            None => None,
            Some(table) => match js_api::bound_table(table) {
                Some((of, table)) if of.is_same(&link) => Some(table),
                _ => {
                    return Err(Exception::throw_type(
                        ctx,
                        &format!("{place}: the table must belong to the same guest"),
                    ));
                }
            },
        };
        let block = match (object.block(), object.shared().map(island::shared_block)) {
            (Some(block), _) => block.clone(),
            (None, Some(Some(block))) => block,
            (None, _) => {
                let message = format!("{place}: argument 1 is a shared memory that was not made by this runtime");
                return Err(Exception::throw_type(ctx, &message));
            }
        };
        let heap = Heap::with(&link.shared.island, block, allocator, object.shared().is_some());
        let heap = heap.map_err(|error| throw_heap_error(ctx, &place, error))?;
        if heap.is_wide() != object.is_wide() {
            let (of, memory) = if heap.is_wide() { (64, 32) } else { (32, 64) };
            let message = format!("{place}: the allocator has addresses of {of} bits, and the memory of {memory}");
            return Err(Exception::throw_type(ctx, &message));
        }
        let functions = if is_guest { functions.iter().map(Held::new).collect() } else { Vec::new() };
        Self::assemble(ctx, link, heap, memory, functions, script, table)
    }

    /// A manager of an instance's own memory, by whichever allocator it exports.
    pub(crate) fn of_instance<'js>(ctx: &Ctx<'js>, instance: &InstanceObject, place: Place<'_>) -> Result<Self> {
        let export = |name: &str| instance.export(ctx, name);
        let memory = export(names::MEMORY)?;
        let conventions = names::ALLOCATORS.iter().map(<[_; 2]>::as_slice).chain([names::ASSEMBLY_SCRIPT.as_slice()]);
        let mut functions = Vec::new();
        for names in conventions {
            let found: Vec<_> = names.iter().map(|name| export(name)).collect::<Result<_>>()?;
            if found.iter().all(Value::is_function) {
                functions = found;
                break;
            }
        }
        if memory.is_undefined() || functions.is_empty() {
            let missing = if memory.is_undefined() { "`memory`" } else { "an allocator that is known" };
            let message =
                format!("{place}: the instance must export `memory`, `malloc` and `free`; {missing} is missing");
            return Err(Exception::throw_type(ctx, &message));
        }
        let table = export(names::TABLE)?;
        let table = if table.is_undefined() { export("table")? } else { table };
        // A table of anything but functions, or of another guest, does not serve callbacks.
        let table = Some(&table)
            .filter(|table| js_api::bound_table(table).is_some_and(|(link, _)| link.is_same(instance.link())));
        Self::new(ctx, &memory, &functions, table, place)
    }

    /// [`ManagerObject::of_instance`], but also for an instance without an allocator, whose functions take nothing but
    /// numbers and addresses.
    pub(crate) fn of_any_instance<'js>(ctx: &Ctx<'js>, instance: &InstanceObject, place: Place<'_>) -> Result<Self> {
        let memory = instance.export(ctx, names::MEMORY)?;
        let has_allocator = ["malloc", "__wbindgen_malloc", "cabi_realloc", "__new"]
            .iter()
            .any(|name| instance.export(ctx, name).is_ok_and(|export| export.is_function()));
        if has_allocator && class::of::<MemoryObject>(&memory).is_some() {
            return Self::of_instance(ctx, instance, place);
        }
        let link = instance.link().duplicate();
        let object = class::of::<MemoryObject>(&memory);
        let allocator = NoAllocator { is_wide: object.is_some_and(MemoryObject::is_wide) };
        let is_shared = object.is_some_and(|memory| memory.shared().is_some());
        let block = object
            .and_then(|memory| memory.block().cloned().or_else(|| memory.shared().and_then(island::shared_block)));
        let block = match block {
            Some(block) => block,
            None => data_block::DataBlock::new(0, 65_536, 0)
                .map_err(|error| Exception::throw_range(ctx, &format!("{place}: {error}")))?,
        };
        let heap = Heap::with(&link.shared.island, block, Allocator::Host(Rc::new(allocator)), is_shared);
        let heap = heap.map_err(|error| throw_heap_error(ctx, &place, error))?;
        let table = instance.export(ctx, names::TABLE)?;
        let table = js_api::bound_table(&table).filter(|(of, _)| of.is_same(&link)).map(|(_, table)| table);
        Self::assemble(ctx, link, heap, &memory, Vec::new(), None, table)
    }

    fn assemble(
        ctx: &Ctx<'_>,
        link: IslandHandle,
        heap: Rc<Heap>,
        memory: &Value<'_>,
        functions: Vec<Held>,
        script: Option<Rc<ScriptFunctions>>,
        table: Option<island::wasmtime::Table>,
    ) -> Result<Self> {
        let realm = MarkedRc::new(Rc::new(Realm::new(ctx)?));
        let spares = Rc::<Spares>::default();
        let collector = Rc::downgrade(&realm);
        heap.set_pressure_hook(move || {
            if let Some(realm) = collector.upgrade() {
                realm.with(|cx| qjs::runtime::collect(&cx.ctx()));
            }
        });
        HEAPS.with_borrow_mut(|heaps| heaps.push((Rc::downgrade(&heap), Rc::downgrade(&spares))));
        Ok(Self {
            link,
            heap,
            memory: Held::new(memory),
            functions,
            script: script.map(MarkedRc::new),
            others: RefCell::default(),
            callbacks: Callbacks::new(table),
            kept: RefCell::default(),
            threshold: Cell::new(LEAST_BYTES),
            handles: RefCell::default(),
            owners: Held::new(&language::new_weak_map(ctx)?),
            in_structs: Held::new(&language::new_weak_map(ctx)?),
            realm,
            spares: MarkedRc::new(spares),
        })
    }

    /// Lets the block at `address` live as long as `target`.
    ///
    /// # Errors
    /// If the block has an owner already.
    pub(crate) fn own_by<'js>(
        &self,
        ctx: &Ctx<'js>,
        place: At<'_>,
        heap: &Heap,
        target: &Value<'js>,
        address: u64,
    ) -> Result<()> {
        let owners = self.owners.get(ctx);
        let owners = owners.as_object().expect("a WeakMap is an object");
        let method = |name: &str| owners.get::<_, qjs::Function>(name);
        let this = || rquickjs::prelude::This(owners.clone());
        let before: Value = method("get")?.call((this(), target.clone()))?;
        // Only the guest knows how long the block is.
        let block = heap.adopt(address, 1).map_err(|error| throw_heap_error(ctx, place, error))?;
        let before = before.is_object().then(|| Held::new(&before));
        let owner = class::new_object(ctx, Owner { _block: block, before }, None)?;
        method("set")?.call::<_, Value>((this(), target.clone(), owner))?;
        Ok(())
    }
}

thread_local! {
    /// The heaps of this thread's scripts, and their spare views.
    static HEAPS: RefCell<Vec<(Weak<Heap>, Weak<Spares>)>> = const { RefCell::new(Vec::new()) };
}

/// A safe point of the event loop: frees what waits in the heaps of this thread, and what they keep for the next calls.
///
/// # Errors
/// What a guest's `free` throws; the other heaps are drained all the same.
pub fn drain_all(ctx: &Ctx<'_>) -> Result<()> {
    let_go_of_spares();
    drain(ctx, Heap::is_settled, Heap::settle)
}

/// Frees what waits in the heaps of this thread.
///
/// # Errors
/// As [`drain_all`].
pub(crate) fn drain_waiting(ctx: &Ctx<'_>) -> Result<()> {
    drain(ctx, |heap| heap.waiting() == 0, Heap::drain)
}

fn drain(
    ctx: &Ctx<'_>,
    is_done: impl Fn(&Heap) -> bool,
    drain: impl Fn(&Heap) -> std::result::Result<(), HeapError>,
) -> Result<()> {
    // Copied, since a guest's `free` may run scripts that make another heap.
    let heaps: Vec<_> = HEAPS.with_borrow_mut(|heaps| {
        heaps.retain(|(heap, _)| heap.strong_count() > 0);
        heaps.iter().filter_map(|(heap, _)| heap.upgrade()).filter(|heap| !is_done(heap)).collect()
    });
    let drain = |heap: &Rc<Heap>| {
        // A guest's `free` may call a script that collects garbage, and by then its island may be garbage.
        let _island = js_api::hold_island(ctx, heap.island());
        drain(heap).map_err(|error| throw_heap_error(ctx, &"free", error))
    };
    heaps.iter().map(drain).fold(Ok(()), Result::and)
}

/// Leaves views that are kept for the next results to their scripts.
pub(crate) fn let_go_of_spares() {
    let spares: Vec<_> = HEAPS.with_borrow(|heaps| heaps.iter().filter_map(|(_, spares)| spares.upgrade()).collect());
    spares.iter().for_each(|spares| spares.let_go());
}

pub(crate) fn define<'js>(ctx: &Ctx<'js>, exports: &Object<'js>) -> Result<()> {
    class::register::<ManagerObject>(ctx)?;
    class::register::<Owner>(ctx)?;
    let made = define::interface(exports, "MemoryManager", "MemoryManager", Attributes::Plain, 3, constructor)?;
    define::method(&made.constructor, "of", 1, of)?;
    let prototype = made.prototype;
    class::set_prototype::<ManagerObject>(ctx, &prototype);
    define::method(&prototype, "malloc", 1, malloc)?;
    define::method(&prototype, "free", 1, free)?;
    define::method(&prototype, "createTypedArray", 2, create_typed_array)?;
    define::method(&prototype, "freeWhenFinalized", 2, free_when_finalized)?;
    define::getter(&prototype, "memory", memory)?;
    define::getter(&prototype, "dataView", data_view)
}

/// `new MemoryManager(memory, malloc, free, options)` or `new MemoryManager(memory, allocator, options)`.
fn constructor<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const NAME: &str = "MemoryManager";
    webidl::require_new(&call, NAME)?;
    let ctx = &call.ctx;
    let (functions, options) = match call.arg(1) {
        object if object.is_object() && !object.is_function() => {
            let object = object.as_object().expect("just seen");
            let get = |name: &str| object.get::<_, Value>(name);
            let functions = match get("__new")? {
                new if new.is_undefined() => vec![get("malloc")?, get("free")?],
                new => vec![new, get("__pin")?, get("__unpin")?],
            };
            (functions, call.arg(2))
        }
        malloc => (vec![malloc, call.arg(2)], call.arg(3)),
    };
    let table: Option<Value> = match options.as_object() {
        Some(options) => Some(options.get("table")?),
        None => None,
    };
    let manager = ManagerObject::new(ctx, &call.arg(0), &functions, table.as_ref(), Place::whole(NAME))?;
    let prototype = class::prototype_from_new_target::<ManagerObject>(&call)?;
    Ok(class::new_object(ctx, manager, prototype.as_ref())?.into_value())
}

/// `MemoryManager.of(instance)`.
fn of<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "MemoryManager.of";
    let ctx = &call.ctx;
    let instance: &InstanceObject = webidl::interface(ctx, call.args.get(0), &format!("{PLACE}: argument 1"))?;
    let manager = ManagerObject::of_instance(ctx, instance, Place::whole(PLACE))?;
    Ok(class::new_object(ctx, manager, None)?.into_value())
}

fn malloc<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: Place<'_> = Place { function: "MemoryManager.malloc", part: Part::Whole };
    let manager: &ManagerObject = webidl::this(&call, "malloc")?;
    let bytes = length(&call.arg(0)).ok_or_else(|| throw_length(&call.ctx, &PLACE, &call.arg(0)))?;
    manager.safe_point(&call.ctx, &PLACE)?;
    // Who allocates by hand counts blocks, too.
    manager.heap.settle().map_err(|error| throw_heap_error(&call.ctx, &PLACE, error))?;
    let address = manager.heap.allocate(bytes).map_err(|error| throw_heap_error(&call.ctx, &PLACE, error))?;
    Ok(Value::new_number(call.ctx, address as f64))
}

fn free<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: Place<'_> = Place { function: "MemoryManager.free", part: Part::Whole };
    let manager: &ManagerObject = webidl::this(&call, "free")?;
    let address = address(&call, 0, PLACE)?;
    manager.heap.free(address).map_err(|error| throw_heap_error(&call.ctx, &PLACE, error))?;
    Ok(Value::new_undefined(call.ctx))
}

fn address(call: &Call<'_, '_>, at: usize, place: Place<'_>) -> Result<u64> {
    crate::scalar::address(Cx::of(&call.ctx), call.args.get(at))?.ok_or_else(|| {
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
    let memory: &MemoryObject = class::of(&memory).expect("checked in the constructor");
    let buffer = memory.buffer(&call.ctx)?;
    let constructor: Value = language::class(&call.ctx, "DataView")?;
    qjs::function::construct(&constructor, &constructor, &[buffer])
}

/// `createTypedArray(Float64Array, 4)` or `createTypedArray(Float64Array, [1, 2, 3, 4])`.
fn create_typed_array<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: Place<'_> = Place { function: "MemoryManager.createTypedArray", part: Part::Whole };
    let _: &ManagerObject = webidl::this(&call, "createTypedArray")?;
    let scalar = constructor_argument(&call, PLACE)?;
    let marshal = Marshal::new(&call.ctx, call.this, PLACE.function);
    marshal.enter_part(Part::Argument(1));
    typed_array_of(&marshal, scalar, call.args.get(1))
}

/// A view of a new block with the given contents: an array, or a number of zeros.
pub(crate) fn typed_array_of<'js>(
    marshal: &Marshal<'_, 'js>,
    scalar: Scalar,
    contents: Borrowed<'_>,
) -> Result<Value<'js>> {
    let (ctx, heap) = (marshal.ctx, marshal.heap());
    let source = match contents.is_object() {
        true => Some(Source::of(marshal, scalar, contents)?),
        false => None,
    };
    let count = match &source {
        Some(source) => source.len() as u64,
        None => {
            let contents = contents.to_value(marshal.cx());
            length(&contents).ok_or_else(|| throw_length(ctx, marshal, &contents))?
        }
    };
    let bytes = marshal.byte_length(count, scalar.size(marshal.is_wide()) as u64)?;
    marshal.manager.safe_point(ctx, marshal)?;
    let fail = |error| marshal.heap_error(error);
    let address = heap.allocate(bytes).map_err(fail)?;
    let block = heap.adopt(address, bytes).map_err(fail)?;
    match source {
        Some(_) => {
            // Allocating ran the guest, which may have run scripts: the contents are looked at again.
            let source = Source::of(marshal, scalar, contents)?;
            if source.len() as u64 != count {
                return Err(marshal.type_error("the array changed during the call"));
            }
            source.copy_in(marshal, &TypeObject::new(Type::Scalar(scalar)), scalar, address)?;
        }
        None => marshal.clear(address, bytes)?,
    }
    qjs::buffer::typed_array(&view::buffer(ctx, heap, block)?, scalar.element(marshal.is_wide()))
}

fn constructor_argument(call: &Call<'_, '_>, place: Place<'_>) -> Result<Scalar> {
    let given = call.arg(0);
    language::scalar_of_class(&call.ctx, &given).ok_or_else(|| {
        let message =
            format!("{place}: argument 1 must be a typed array's constructor, got {}", webidl::describe(&given));
        Exception::throw_type(&call.ctx, &message)
    })
}

/// Owns a block for an object that is not a view of it.
#[derive(HostClass, Mark)]
#[host_class(name = "Owner")]
struct Owner {
    #[mark(skip)]
    _block: marshal::GuestBlock,
    /// The owner that the object had before.
    before: Option<Held>,
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
    manager.own_by(ctx, &PLACE, &manager.heap, &target, address)?;
    Ok(Value::new_undefined(ctx.clone()))
}
