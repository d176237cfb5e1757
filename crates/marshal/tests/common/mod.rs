//! The guest that the tests of this crate share, on an island of its own.
#![allow(dead_code, unreachable_pub, reason = "each test file uses some of it")]

use std::cell::RefCell;
use std::rc::Rc;

use island::call::HostFrame;
use island::wasmtime::{Extern, Func, FuncType, Instance, Val, ValType};
use island::{Callee, Engine, EngineOptions, HostFunction, HostThrew, Island, Module};
use marshal::{GuestFunction, Heap};

/// What the guest's `hook` import does.
pub type Hook = Rc<RefCell<Box<dyn FnMut(&Rc<Island>, u32)>>>;

struct HookImport(Hook);

impl HostFunction for HookImport {
    fn call_numeric(&self, island: &Rc<Island>, frame: &mut HostFrame<'_>) -> Result<(), HostThrew> {
        let argument = frame.args().next().map_or(0, |number| number.as_address() as u32);
        // Taken out while it runs, so that it may come back here.
        let mut hook = self.0.replace(Box::new(|_, _| ()));
        hook(island, argument);
        drop(self.0.replace(hook));
        Ok(())
    }

    fn call_values(&self, _: &Rc<Island>, _: &[Val], _: &mut [Val]) -> Result<(), HostThrew> {
        unreachable!("the hook takes a number")
    }
}

/// A function of the island's guest, for a heap or a destructor.
pub fn function(island: &Rc<Island>, func: Func) -> GuestFunction {
    (&Callee::new(island, func).unwrap()).into()
}

pub struct Guest {
    pub island: Rc<Island>,
    pub instance: Instance,
    pub heap: Rc<Heap>,
    pub hook: Hook,
}

impl Guest {
    pub fn new() -> Self {
        let wasm = wat::parse_str(include_str!("../guest.wat")).unwrap();
        let engine = Engine::new(&EngineOptions::default()).unwrap();
        let module = Module::new(&engine, &wasm).unwrap();
        let island = Island::new(&engine);
        let hook: Hook = Rc::new(RefCell::new(Box::new(|_, _| ())));
        let ty = FuncType::new(engine.wasmtime(), [ValType::I32], []);
        let import = island.new_function(ty, Rc::new(HookImport(hook.clone()))).unwrap();
        let instance = island.instantiate(&module, &[Extern::Func(import)]).unwrap();
        let memory = island.enter(|store| instance.get_memory(store, "memory")).unwrap();
        let data = island.block_of(memory).unwrap();
        let get = |name| function(&island, island.enter(|store| instance.get_func(store, name)).unwrap());
        let heap = Heap::new(&island, data, get("malloc"), get("free")).unwrap();
        Self { island, instance, heap, hook }
    }

    /// A function for the heap's own use.
    pub fn function(&self, name: &str) -> GuestFunction {
        function(&self.island, self.func(name))
    }

    pub fn func(&self, name: &str) -> Func {
        self.island.enter(|store| self.instance.get_func(store, name)).unwrap()
    }

    /// Blocks that the guest's allocator has given out.
    pub fn live(&self) -> i32 {
        let mut result = [Val::I32(0)];
        self.island.call_values(self.func("live"), &[], &mut result).unwrap();
        result[0].unwrap_i32()
    }

    pub fn set_mode(&self, mode: i32) {
        self.island.call_values(self.func("mode"), &[Val::I32(mode)], &mut []).unwrap();
    }

    pub fn set_hook(&self, hook: impl FnMut(&Rc<Island>, u32) + 'static) {
        drop(self.hook.replace(Box::new(hook)));
    }

    /// A block that the host owns.
    pub fn block(&self, bytes: u64) -> marshal::GuestBlock {
        let address = self.heap.allocate(bytes).unwrap();
        self.heap.adopt(address, bytes).unwrap()
    }
}
