//! A caller for a WASI function: such a function works on the memory that its caller exports, and a host function
//! exports none.

use wasmtime::{AsContextMut, Extern, Func, Instance, MemoryType};

use crate::call::numbers::{NumberKind, NumericType};
use crate::engine::Engine;
use crate::wasi::config::WasiError;

/// A function of WASI for a host to call on `memory`, which must belong to the store.
///
/// # Errors
/// [`WasiError::NoMemory`] when it is not a memory; [`WasiError::Engine`] when Wasmtime refuses the module in between.
pub(crate) fn adapt(
    mut store: impl AsContextMut,
    engine: &Engine,
    memory: Extern,
    func: Func,
) -> Result<Func, WasiError> {
    let memory_type = match &memory {
        Extern::Memory(memory) => memory.ty(&store),
        Extern::SharedMemory(memory) => memory.ty(),
        _ => return Err(WasiError::NoMemory),
    };
    // WASI's functions have nothing but numbers in their signatures.
    let ty = NumericType::of(&func.ty(&store)).ok_or(WasiError::NoMemory)?;
    let module = engine.own_module(&adapter(&ty, &memory_type)).map_err(WasiError::engine)?;
    let instance = Instance::new(&mut store, &module, &[memory, Extern::Func(func)]).map_err(WasiError::engine)?;
    instance.get_func(&mut store, "call").ok_or(WasiError::NoMemory)
}

/// The text of a module that passes a memory and its own parameters on to a function.
fn adapter(ty: &NumericType, memory: &MemoryType) -> String {
    let list = |keyword: &str, kinds: &[NumberKind]| match kinds {
        [] => String::new(),
        kinds => format!("({keyword} {})", kinds.iter().map(|&kind| kind_text(kind)).collect::<Vec<_>>().join(" ")),
    };
    let signature = list("param", &ty.params) + &list("result", &ty.results);
    let arguments: String = (0..ty.params.len()).map(|index| format!("(local.get {index})")).collect();
    let index_type = if memory.is_64() { "i64" } else { "" };
    let maximum = memory.maximum().map_or(String::new(), |maximum| maximum.to_string());
    let shared = if memory.is_shared() { "shared" } else { "" };
    let page = memory.page_size();
    format!(
        r#"(module
            (import "" "memory" (memory {index_type} 0 {maximum} {shared} (pagesize {page})))
            (import "" "function" (func $function {signature}))
            (export "memory" (memory 0))
            (func (export "call") {signature} (call $function {arguments})))"#
    )
}

fn kind_text(kind: NumberKind) -> &'static str {
    match kind {
        NumberKind::I32 => "i32",
        NumberKind::I64 => "i64",
        NumberKind::F32 => "f32",
        NumberKind::F64 => "f64",
    }
}
