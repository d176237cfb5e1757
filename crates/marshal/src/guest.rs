//! A guest as a Rust host uses it: an instance with its heap, whose functions are bound by name.

use c_abi::names;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use island::call::NumericType;
#[cfg(feature = "wasi")]
use island::wasi::{PREVIEW1, UNSTABLE, WasiConfig, WasiContext};
use island::wasmtime::{Extern, ExternType, Func, FuncType, Instance, Memory, Ref, Table};
use island::{Callee, DataBlock, Engine, HostFunction, Import, Island, Module, NumberKind};

use crate::allocator::{Allocator, HostAllocator};
use crate::argument::Arguments;
use crate::async_callback::{self, AsyncClosure};
use crate::callback::{Callbacks, Kept, Signature, find_table, signature};
use crate::error::{GuestError, HeapError};
use crate::function::{Function, in_words};
use crate::guest_function::GuestFunction;
use crate::handle::Destructor;
use crate::heap::Heap;
use crate::output::{Checked, Output};

/// Makes what an import is, by its type.
type MakeImport = Box<dyn FnOnce(&Rc<Island>, &FuncType) -> Option<Func>>;

/// The type that a signature has in a guest.
type SignatureIn = fn(&Core) -> Result<NumericType, GuestError>;

/// Finds an import that was not given by its name: a function of WASI's.
type Others = Box<dyn Fn(&Rc<Island>, &Import) -> Result<Option<Func>, GuestError>>;

/// What a guest is given before it starts.
pub struct GuestBuilder {
    engine: Engine,
    others: Option<Others>,
    imports: HashMap<(String, String), MakeImport>,
    /// The types that async imports should have.
    signatures: HashMap<(String, String), SignatureIn>,
    /// For async imports: the guest, as soon as there is one.
    core: Rc<OnceCell<Weak<Core>>>,
    allocator: Names,
    async_stack: Option<u64>,
}

/// Makes an allocator for a memory.
type MakeAllocator = Box<dyn FnOnce(&Arc<DataBlock>) -> Rc<dyn HostAllocator>>;

/// Who allocates in the guest's memory.
enum Names {
    /// Whichever known functions the guest exports.
    Known,
    Functions([String; 2]),
    AssemblyScript([String; 3]),
    Host(MakeAllocator),
}

mod sealed {
    use island::wasmtime::{Func, IntoFunc};
    use island::{Island, StoreState};

    pub trait Closure<P, R>: 'static {
        fn func(self, island: &Island) -> Option<Func>;
    }

    impl<F: IntoFunc<StoreState, P, R>, P, R> Closure<P, R> for F {
        fn func(self, island: &Island) -> Option<Func> {
            island.enter(|store| Func::try_wrap(store, self).ok())
        }
    }
}

/// What [`GuestBuilder::import`] takes: a closure, or a function, whose parameters `P` and result `R` are numbers. They are
/// all here.
pub trait HostClosure<P, R>: sealed::Closure<P, R> {}

impl<F: sealed::Closure<P, R>, P, R> HostClosure<P, R> for F {}

impl GuestBuilder {
    /// Gives the guest WASI.
    ///
    /// # Errors
    /// When a directory cannot be opened.
    #[cfg(feature = "wasi")]
    pub fn wasi(mut self, config: WasiConfig) -> Result<Self, GuestError> {
        let context = WasiContext::new(config)?;
        self.others = Some(Box::new(move |island, Import { module, name, .. }| match module.as_str() {
            PREVIEW1 | UNSTABLE => Ok(Some(island.wasi_function(&context, module, name)?)),
            _ => Ok(None),
        }));
        Ok(self)
    }

    /// Gives the guest a function of numbers. It cannot call back into the guest; one given by
    /// [`GuestBuilder::import_host`] can.
    pub fn import<P, R>(mut self, module: &str, name: &str, function: impl HostClosure<P, R>) -> Self {
        let import: MakeImport = Box::new(|island, _| function.func(island));
        self.imports.insert((module.into(), name.into()), import);
        self
    }

    /// Gives the guest a function of any type, which may call back into it.
    pub fn import_host(mut self, module: &str, name: &str, function: Rc<dyn HostFunction>) -> Self {
        let import: MakeImport = Box::new(|island, ty| island.new_function(ty.clone(), function));
        self.imports.insert((module.into(), name.into()), import);
        self
    }

    /// Gives the guest a function that returns a future, which the guest waits for. `S` is its signature, as that of a
    /// [callback](crate::Guest::async_callback). It can be called from a [`Function::call_async`] alone, and several such
    /// calls may wait in it.
    ///
    /// ```no_run
    /// # async fn read(name: String) -> std::io::Result<i32> { Ok(0) }
    /// # use marshal::Guest;
    /// # fn f(engine: marshal::island::Engine, module: marshal::island::Module) -> Result<(), marshal::GuestError> {
    /// // int read(const char *name);
    /// let builder = Guest::builder(&engine).import_async::<fn(String) -> std::io::Result<i32>>("env", "read", read);
    /// let guest = builder.instantiate(&module)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn import_async<S: Signature>(mut self, module: &str, name: &str, closure: impl AsyncClosure<S>) -> Self {
        let (run, core) = (closure.run(), self.core.clone());
        let import: MakeImport = Box::new(|island, ty| {
            async_callback::new_function(island, ty.clone(), move || Some((core.get()?.upgrade()?, Ok(run.clone()))))
        });
        let key = (module.to_string(), name.to_string());
        self.signatures.insert(key.clone(), signature::<S>);
        self.imports.insert(key, import);
        self
    }

    /// Names the functions of its allocator; their types tell the [convention](Allocator). By default they are `malloc`
    /// and `free`, else `__wbindgen_malloc` and `__wbindgen_free`, else `cabi_realloc` and `free`, else those of
    /// [AssemblyScript](GuestBuilder::assembly_script).
    pub fn allocator(mut self, malloc: &str, free: &str) -> Self {
        self.allocator = Names::Functions([malloc.into(), free.into()]);
        self
    }

    /// Names the functions of AssemblyScript's allocator: `__new`, `__pin` and `__unpin`, if they are not renamed.
    pub fn assembly_script(mut self, new: &str, pin: &str, unpin: &str) -> Self {
        self.allocator = Names::AssemblyScript([new.into(), pin.into(), unpin.into()]);
        self
    }

    /// Sets an allocator of the host's own, for a guest that leaves its memory to the host. `make` makes it for that
    /// memory.
    pub fn host_allocator(
        mut self,
        allocator: impl FnOnce(&Arc<DataBlock>) -> Rc<dyn HostAllocator> + 'static,
    ) -> Self {
        self.allocator = Names::Host(Box::new(allocator));
        self
    }

    /// Sets how many bytes C's stack has in each [async call](Function::call_async): such calls end in any order, so each
    /// has a stack of its own, a block of the guest's heap. By default it is as large as the guest's own stack, but not
    /// larger than a mebibyte. With 0, async calls share the guest's own stack, as all of them do in a guest whose stack
    /// pointer is not found or that has no allocator of its own. AssemblyScript's collector looks at the guest's own stack,
    /// so only one async call of such a guest is under way at a time.
    pub fn async_stack(mut self, bytes: u64) -> Self {
        self.async_stack = Some(bytes);
        self
    }

    /// Instantiates `module` with all this, and calls its `_initialize`, if it has one.
    ///
    /// # Errors
    /// When an import is missing or does not fit, and when the guest's own code fails.
    pub fn instantiate(mut self, module: &Module) -> Result<Guest, GuestError> {
        let island = Island::new(&self.engine);
        let mut imports = Vec::new();
        for import in module.imports() {
            let missing = || GuestError::Import { module: import.module.clone(), name: import.name.clone() };
            let ExternType::Func(ty) = &import.ty else { return Err(missing()) };
            let func = match (self.imports.remove(&(import.module.clone(), import.name.clone())), &self.others) {
                (Some(make), _) => make(&island, ty),
                (None, Some(others)) => others(&island, import)?,
                (None, None) => None,
            };
            imports.push(Extern::Func(func.ok_or_else(missing)?));
        }
        let instance = island.instantiate(module, &imports)?;
        let func = |name: &str| island.enter(|store| instance.get_func(store, name));
        if let Some(initialize) = func("_initialize") {
            island.call_values(initialize, &[], &mut [])?;
        }
        let memory = find_memory(&island, module, instance);
        let is_wide = memory.is_some_and(|memory| island.enter(|store| memory.ty(&store).is_64()));
        let heap = match memory.and_then(|memory| island.block_of(memory)) {
            Some(block) => find_heap(&island, &func, self.allocator, block)?,
            None => None,
        };
        let table = find_table(&island, module, instance);
        let core = Rc::new_cyclic(|this| Core {
            this: this.clone(),
            island,
            instance,
            heap,
            pointer: if is_wide { NumberKind::I64 } else { NumberKind::I32 },
            table,
            callbacks: Callbacks::default(),
            destructors: RefCell::default(),
            async_stack: self.async_stack,
        });
        for import in module.imports() {
            let key = (import.module.clone(), import.name.clone());
            if let (Some(signature), ExternType::Func(ty)) = (self.signatures.get(&key), &import.ty) {
                let expected = signature(&core)?;
                if NumericType::of(ty).as_ref() != Some(&expected) {
                    let function = format!("{}.{}", key.0, key.1);
                    let expected = in_words(&expected.params, &expected.results);
                    return Err(GuestError::Type { function, expected, found: ty.to_string() });
                }
            }
        }
        // Nobody has set it.
        let _ = self.core.set(Rc::downgrade(&core));
        Ok(Guest { core })
    }
}

/// The memory called `memory`, or else the only one that the module exports.
fn find_memory(island: &Rc<Island>, module: &Module, instance: Instance) -> Option<Memory> {
    let mut names = names_of(module, |ty| matches!(ty, ExternType::Memory(_)));
    island.enter(|mut store| {
        if let Some(memory) = instance.get_memory(&mut store, names::MEMORY) {
            return Some(memory);
        }
        let only = names.next()?;
        if names.next().is_some() { None } else { instance.get_memory(&mut store, only) }
    })
}

/// What a module calls those of its exports whose type is as `is_wanted` says. (An instance has others, too, which are the
/// host's own.)
pub(crate) fn names_of(module: &Module, is_wanted: fn(&ExternType) -> bool) -> impl Iterator<Item = &str> {
    module.exports().iter().filter(move |export| is_wanted(&export.ty)).map(|export| &*export.name)
}

/// The heap in a guest's memory, if it has an allocator.
fn find_heap(
    island: &Rc<Island>,
    func: &dyn Fn(&str) -> Option<Func>,
    names: Names,
    data: Arc<DataBlock>,
) -> Result<Option<Rc<Heap>>, GuestError> {
    let func = |name: &str| func(name).map(GuestFunction);
    let named = |name: &str| func(name).ok_or_else(|| GuestError::Export { name: name.into() });
    let functions =
        |[malloc, free]: [&str; 2]| Some(Allocator::Functions { allocate: func(malloc)?, free: func(free)? });
    let assembly_script = |[new, pin, unpin]: [&str; 3]| {
        Some(Allocator::AssemblyScript { new: func(new)?, pin: func(pin)?, unpin: func(unpin)? })
    };
    let allocator = match names {
        Names::Known => {
            names::ALLOCATORS.into_iter().find_map(functions).or_else(|| assembly_script(names::ASSEMBLY_SCRIPT))
        }
        Names::Functions([malloc, free]) => {
            Some(Allocator::Functions { allocate: named(&malloc)?, free: named(&free)? })
        }
        Names::AssemblyScript([new, pin, unpin]) => {
            Some(Allocator::AssemblyScript { new: named(&new)?, pin: named(&pin)?, unpin: named(&unpin)? })
        }
        Names::Host(make) => Some(Allocator::Host(make(&data))),
    };
    Ok(allocator.map(|allocator| Heap::with(island, data, allocator, false)).transpose()?)
}

/// What a guest and its functions share.
pub struct Core {
    this: Weak<Self>,
    pub(crate) island: Rc<Island>,
    instance: Instance,
    pub(crate) heap: Option<Rc<Heap>>,
    /// How wide its addresses are.
    pub(crate) pointer: NumberKind,
    /// Where its function pointers lead.
    pub(crate) table: Option<Table>,
    pub(crate) callbacks: Callbacks,
    destructors: RefCell<HashMap<&'static str, Rc<Destructor>>>,
    pub(crate) async_stack: Option<u64>,
}

impl Core {
    pub(crate) fn strong(&self) -> Rc<Self> {
        self.this.upgrade().expect("nobody has a reference to what is gone")
    }

    pub(crate) fn heap(&self) -> &Rc<Heap> {
        self.heap.as_ref().expect("binding checked that there is a heap")
    }

    /// Refuses to enter the island from inside a host function that cannot call back.
    pub(crate) fn check_entry(&self) -> Result<(), HeapError> {
        if self.island.can_enter() { Ok(()) } else { Err(HeapError::Busy) }
    }

    fn func(&self, name: &str) -> Result<Func, GuestError> {
        self.check_entry()?;
        let func = self.island.enter(|store| self.instance.get_func(store, name));
        func.ok_or_else(|| GuestError::Export { name: name.into() })
    }

    fn callee(&self, func: Func, name: &str) -> Result<Callee, GuestError> {
        Callee::new(&self.island, func).ok_or_else(|| GuestError::Export { name: name.into() })
    }

    /// The destructor of that name, which is looked up once.
    pub(crate) fn destructor(&self, name: &'static str) -> Result<Rc<Destructor>, GuestError> {
        if let Some(known) = self.destructors.borrow().get(name) {
            return Ok(known.clone());
        }
        let destructor = Destructor::new(&self.island, GuestFunction(self.func(name)?), name)?;
        self.destructors.borrow_mut().insert(name, destructor.clone());
        Ok(destructor)
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        // The last safe point: handles may stand for more than memory. There is nobody left to report a failure to.
        if let Some(heap) = self.heap.as_ref().filter(|heap| heap.open_handles() > 0) {
            let _ = heap.drain();
        }
    }
}

/// An instance on an island of its own, with its heap.
///
/// It stays on one thread. What its functions return does not: a [`View`](crate::View) or an [`Owned`](crate::Owned)
/// may be sent elsewhere, and outlive the guest.
pub struct Guest {
    core: Rc<Core>,
}

impl Guest {
    /// Begins to describe a guest.
    pub fn builder(engine: &Engine) -> GuestBuilder {
        GuestBuilder {
            engine: engine.clone(),
            others: None,
            imports: HashMap::new(),
            signatures: HashMap::new(),
            core: Rc::default(),
            allocator: Names::Known,
            async_stack: None,
        }
    }

    /// A guest that imports nothing.
    ///
    /// # Errors
    /// As [`GuestBuilder::instantiate`].
    pub fn new(engine: &Engine, module: &Module) -> Result<Self, GuestError> {
        Self::builder(engine).instantiate(module)
    }

    /// Binds an exported function. `A` is a tuple of [arguments](crate::argument), `R` an [output](crate::output).
    /// Arguments are copies or checked views. Whatever the guest does, nothing of the host's is at risk.
    ///
    /// # Errors
    /// When there is no such function, when it has another type, or when it needs a heap that the guest lacks.
    pub fn function<A: Arguments, R: Checked>(&self, name: &str) -> Result<Function<A, R>, GuestError> {
        self.bind(name, false)
    }

    /// Binds an exported function that is trusted with memory. It may return [`Owned`](crate::Owned) slices, and it
    /// takes slices that are already in its memory by their address.
    ///
    /// ```
    /// # use marshal::island::{Engine, EngineOptions, Module};
    /// # use marshal::{Guest, Owned};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let wasm = wat::parse_str(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/guest.wat")))?;
    /// # let engine = Engine::new(&EngineOptions::default())?;
    /// # let module = Module::new(&engine, &wasm)?;
    /// # let guest = Guest::builder(&engine).import("host", "hook", |_: i32| ()).instantiate(&module)?;
    /// // SAFETY: `multiply` returns what it allocated, and forgets it.
    /// let multiply = unsafe { guest.trusted_function::<(&[f64], &[f64], i32), Owned<[f64]>>("multiply")? };
    /// let multiply = multiply.with_len(|(a, ..)| a.len());
    /// let squares = multiply.call((&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0], 3))?;
    /// let fourths = multiply.call((&squares, &squares, 3))?; // by address: nothing is copied
    /// let sum: f64 = std::thread::spawn(move || fourths.iter().sum()).join().unwrap();
    /// assert_eq!(sum, 1.0 + 16.0 + 81.0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Why a promise and not a lifetime: a slice tied to a borrow of the guest would be sound without one, but could
    /// neither be held across the next call of that guest, nor be sent to another thread, nor outlive the guest; it
    /// would be good for nothing that a copy is not. That a function gives its result away is part of its contract, as
    /// it is for a function in C, and no type in Rust can see it.
    ///
    /// # Safety
    /// For as long as any [`Owned`](crate::Owned) that this function returned is alive, no code of its guest (or of
    /// another that shares the memory) writes to that block; nor reads it, while the host writes through it. Functions
    /// that get the block as an argument are code of the guest too. No code of it writes to a `&[T]` argument. And the
    /// host itself writes to the block through the `Owned` alone, not through [`Heap::data`].
    ///
    /// # Errors
    /// As [`Guest::function`].
    pub unsafe fn trusted_function<A: Arguments, R: Output>(&self, name: &str) -> Result<Function<A, R>, GuestError> {
        self.bind(name, true)
    }

    fn bind<A: Arguments, R: Output>(&self, name: &str, trusted: bool) -> Result<Function<A, R>, GuestError> {
        let func = self.core.func(name)?;
        Function::bind(&self.core, name, self.core.callee(func, name)?, trusted)
    }

    /// Binds the function that a function pointer of the guest's leads to.
    ///
    /// # Errors
    /// [`GuestError::NoTable`]; [`GuestError::Export`] when nothing is there; else as [`Guest::function`].
    pub fn function_at<A: Arguments, R: Checked>(&self, pointer: usize) -> Result<Function<A, R>, GuestError> {
        let table = self.core.table.ok_or(GuestError::NoTable { reason: "it exports no table of functions" })?;
        let name = format!("the function at {pointer}");
        self.core.check_entry()?;
        let func = self.core.island.enter(|store| table.get(store, pointer as u64));
        let Some(Ref::Func(Some(func))) = func else { return Err(GuestError::Export { name }) };
        Function::bind(&self.core, &name, self.core.callee(func, &name)?, false)
    }

    /// Makes a closure into a function pointer that the guest may keep: it is valid until the result is dropped. For
    /// one call alone, pass a [`Callback`](crate::Callback).
    ///
    /// ```
    /// # use marshal::island::{Engine, EngineOptions, Module};
    /// # use marshal::{Guest, Kept};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let wasm = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../guests/typed.wasm"))?;
    /// # let engine = Engine::new(&EngineOptions::default())?;
    /// # let guest = Guest::new(&engine, &Module::new(&engine, &wasm)?)?;
    /// // void listen(int (*listener)(int)); int notify(int value);
    /// let listen = guest.function::<(&Kept<fn(i32) -> i32>,), ()>("listen")?;
    /// let notify = guest.function::<(i32,), i32>("notify")?;
    /// let mut sum = 0;
    /// let listener = guest.callback::<fn(i32) -> i32>(Box::new(move |value| {
    ///     sum += value;
    ///     sum
    /// }))?;
    /// listen.call((&listener,))?;
    /// assert_eq!((notify.call((2,))?, notify.call((3,))?), (2, 5));
    /// drop(listener);
    /// assert!(notify.call((1,)).unwrap_err().to_string().ends_with("which had ended"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`GuestError::NoTable`]; [`GuestError::Signature`].
    pub fn callback<S: Signature>(&self, closure: Box<S::Closure<'static>>) -> Result<Kept<S>, GuestError> {
        Kept::new(&self.core, closure)
    }

    /// [`Guest::callback`] for a closure that returns a future, which the guest waits for: in a
    /// [`Function::call_async`], from which alone it can be called. It may be called again meanwhile, by other calls.
    /// Calls that wait in it when it is dropped go on.
    ///
    /// ```no_run
    /// # async fn f(guest: marshal::Guest) -> Result<(), marshal::GuestError> {
    /// # async fn sleep(ms: i32) {}
    /// // int each_slowly(int (*wait)(int), int n);
    /// let each = guest.function::<(&marshal::Kept<fn(i32) -> i32>, i32), i32>("each_slowly")?;
    /// let wait = guest.async_callback::<fn(i32) -> i32>(|ms: i32| async move {
    ///     sleep(ms).await;
    ///     ms
    /// })?;
    /// let sum = each.call_async((&wait, 3)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Guest::callback`].
    pub fn async_callback<S: Signature>(&self, closure: impl AsyncClosure<S>) -> Result<Kept<S>, GuestError> {
        Kept::new_async(&self.core, closure.run())
    }

    /// Its heap; `None` if it exports no memory with an allocator.
    pub fn heap(&self) -> Option<&Rc<Heap>> {
        self.core.heap.as_ref()
    }

    /// Its island.
    pub fn island(&self) -> &Rc<Island> {
        &self.core.island
    }

    /// An exported function as its island calls it, whatever its type.
    ///
    /// # Errors
    /// When there is no such function.
    pub fn export(&self, name: &str) -> Result<Callee, GuestError> {
        self.core.callee(self.core.func(name)?, name)
    }
}
