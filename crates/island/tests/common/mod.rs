//! What the tests of this crate share: an engine, modules from text, and host functions from closures.
#![allow(dead_code, unreachable_pub, reason = "each test file uses some of it")]

use std::rc::Rc;

use tombolo_island::call::{HostFrame, Number};
use tombolo_island::wasmtime::{Extern, Func, FuncType, Instance, Val, ValType};
use tombolo_island::{CallError, Engine, EngineOptions, HostFunction, HostThrew, Island, Module};

pub fn engine() -> Engine {
    Engine::new(&EngineOptions::default()).unwrap()
}

pub fn module(engine: &Engine, text: &str) -> Module {
    Module::new(engine, &wat::parse_str(text).unwrap()).unwrap()
}

type Body = dyn Fn(&Rc<Island>, Option<i32>) -> Result<i32, HostThrew>;

/// A host function with at most one i32 parameter that returns an i32 or nothing.
pub struct Host(pub Box<Body>);

impl HostFunction for Host {
    fn call_numeric(&self, island: &Rc<Island>, frame: &mut HostFrame<'_>) -> Result<(), HostThrew> {
        let argument = frame.args().next().map(|number| number.as_address() as i32);
        let result = (self.0)(island, argument)?;
        if !frame.results().is_empty() {
            frame.push(Number::I32(result));
        }
        Ok(())
    }

    fn call_values(&self, island: &Rc<Island>, _: &[Val], _: &mut [Val]) -> Result<(), HostThrew> {
        (self.0)(island, None).map(|_| ())
    }
}

pub fn host(
    island: &Rc<Island>,
    params: &[ValType],
    results: &[ValType],
    body: impl Fn(&Rc<Island>, Option<i32>) -> Result<i32, HostThrew> + 'static,
) -> Func {
    let engine = island.engine().wasmtime().clone();
    let ty = FuncType::new(&engine, params.iter().cloned(), results.iter().cloned());
    island.new_function(ty, Rc::new(Host(Box::new(body)))).unwrap()
}

pub fn instance(island: &Rc<Island>, text: &str, imports: &[Extern]) -> Instance {
    island.instantiate(&module(island.engine(), text), imports).unwrap()
}

pub fn func(island: &Rc<Island>, instance: Instance, name: &str) -> Func {
    island.enter(|store| instance.get_func(store, name)).unwrap()
}

/// Calls an export that takes and returns i32s.
pub fn call(island: &Rc<Island>, instance: Instance, name: &str, params: &[i32]) -> Result<Option<i32>, CallError> {
    let func = func(island, instance, name);
    let params: Vec<_> = params.iter().copied().map(Val::I32).collect();
    let count = island.enter(|store| func.ty(&store)).results().len();
    let mut results = vec![Val::I32(0); count];
    island.call_values(func, &params, &mut results)?;
    Ok(results.first().map(|result| result.unwrap_i32()))
}
