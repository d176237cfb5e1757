//! A guest as a Rust host uses it: an instance with its heap, whose functions are bound by name.

use std::collections::HashMap;
use std::rc::Rc;

use island::wasi::{self, WasiConfig, WasiContext};
use island::wasmtime::{Extern, ExternType, Func, FuncType, Instance, IntoFunc};
use island::{Callee, Engine, HostFunction, Island, Module, StoreState};

use crate::argument::Arguments;
use crate::error::GuestError;
use crate::function::Function;
use crate::heap::Heap;
use crate::output::{Checked, Output};

type Import = Box<dyn FnOnce(&Rc<Island>, &FuncType) -> Func>;

/// What a guest is given before it starts.
pub struct GuestBuilder {
    engine: Engine,
    wasi: Option<WasiContext>,
    imports: HashMap<(String, String), Import>,
    allocator: (String, String),
}

impl GuestBuilder {
    /// Gives it WASI.
    ///
    /// # Errors
    /// When a directory cannot be opened.
    pub fn wasi(mut self, config: WasiConfig) -> Result<Self, GuestError> {
        self.wasi = Some(WasiContext::new(config)?);
        Ok(self)
    }

    /// Gives it a function of numbers. It cannot call back into the guest; [`GuestBuilder::import_host`]'s can.
    pub fn import<P, R>(mut self, module: &str, name: &str, function: impl IntoFunc<StoreState, P, R>) -> Self {
        let import: Import = Box::new(|island, _| island.enter(|store| Func::wrap(store, function)));
        self.imports.insert((module.into(), name.into()), import);
        self
    }

    /// Gives it a function of any type, which may call back into the guest.
    pub fn import_host(mut self, module: &str, name: &str, function: Rc<dyn HostFunction>) -> Self {
        let import: Import = Box::new(|island, ty| island.new_function(ty.clone(), function));
        self.imports.insert((module.into(), name.into()), import);
        self
    }

    /// What its allocator's functions are called, where that is not `malloc` and `free`.
    pub fn allocator(mut self, malloc: &str, free: &str) -> Self {
        self.allocator = (malloc.into(), free.into());
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
            let is_wasi = [wasi::PREVIEW1, wasi::UNSTABLE].contains(&import.module.as_str());
            let func = match (self.imports.remove(&(import.module.clone(), import.name.clone())), &self.wasi) {
                (Some(make), _) => make(&island, ty),
                (None, Some(context)) if is_wasi => island.wasi_function(context, &import.module, &import.name)?,
                _ => return Err(missing()),
            };
            imports.push(Extern::Func(func));
        }
        let instance = island.instantiate(module, &imports)?;
        let func = |name: &str| island.enter(|store| instance.get_func(store, name));
        if let Some(initialize) = func("_initialize") {
            island.call_values(initialize, &[], &mut [])?;
        }
        let memory = island.enter(|store| instance.get_memory(store, "memory"));
        let heap = match (memory, func(&self.allocator.0), func(&self.allocator.1)) {
            (Some(memory), Some(malloc), Some(free)) => {
                Some(Heap::new(&island, island.block_of(memory), malloc, free)?)
            }
            _ => None,
        };
        Ok(Guest { island, instance, heap })
    }
}

/// An instance on an island of its own, with its heap.
///
/// It is of one thread. What its functions return is not: a [`View`](crate::View) or an [`Owned`](crate::Owned) may be
/// sent elsewhere, and outlive the guest.
pub struct Guest {
    island: Rc<Island>,
    instance: Instance,
    heap: Option<Rc<Heap>>,
}

impl Guest {
    /// Says what to give to a guest.
    pub fn builder(engine: &Engine) -> GuestBuilder {
        let allocator = ("malloc".into(), "free".into());
        GuestBuilder { engine: engine.clone(), wasi: None, imports: HashMap::new(), allocator }
    }

    /// A guest that imports nothing.
    ///
    /// # Errors
    /// As [`GuestBuilder::instantiate`].
    pub fn new(engine: &Engine, module: &Module) -> Result<Self, GuestError> {
        Self::builder(engine).instantiate(module)
    }

    /// Binds an exported function. `A` is a tuple of [arguments](crate::argument), `R` an [output](crate::output).
    /// Arguments are copied, or checked views; whatever the guest does, nothing of the host's is at risk.
    ///
    /// # Errors
    /// When there is no such function, when it has another type, and when it needs a heap that the guest lacks.
    pub fn function<A: Arguments, R: Checked>(&self, name: &str) -> Result<Function<A, R>, GuestError> {
        self.bind(name, false)
    }

    /// Binds an exported function that is trusted with memory: it may return [`Owned`](crate::Owned) slices, and takes
    /// slices that are in its memory already by their address.
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
        let func = self.island.enter(|store| self.instance.get_func(store, name));
        let func = func.ok_or_else(|| GuestError::Export { name: name.into() })?;
        Function::bind(&self.island, self.heap.as_ref(), name, Callee::new(&self.island, func), trusted)
    }

    /// Its heap; none where it exports no memory with an allocator.
    pub fn heap(&self) -> Option<&Rc<Heap>> {
        self.heap.as_ref()
    }

    /// Its island.
    pub fn island(&self) -> &Rc<Island> {
        &self.island
    }

    /// Its instance.
    pub fn instance(&self) -> Instance {
        self.instance
    }
}
