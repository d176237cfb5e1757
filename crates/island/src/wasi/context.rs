//! A guest's surroundings, and the functions that work on them.

use std::rc::Rc;
use std::sync::Arc;

use wasmtime::{AsContextMut, Extern, Func};

use crate::call::island::Island;
use crate::call::numbers::{Frame, Number};
use crate::call::trap::CallError;
use crate::wasi::call::{Call, Runs, Surroundings};
use crate::wasi::config::{WasiConfig, WasiError};
use crate::wasi::descriptor::{DescriptorTable, Descriptors};
use crate::wasi::functions::{Function, functions};
use crate::wasi::link::{Link, Precedence, guest};

/// A guest's surroundings: its open files and directories, arguments, environment. This is a handle: clones are the
/// same context. It serves any number of instances, of any islands, on any threads.
#[derive(Clone)]
pub struct WasiContext(Arc<Surroundings>);

impl WasiContext {
    /// Makes a context. The directories are opened now.
    ///
    /// # Errors
    /// [`WasiError::Preopen`] and [`WasiError::Descriptor`].
    pub fn new(mut config: WasiConfig) -> std::result::Result<Self, WasiError> {
        let table = DescriptorTable::new(&mut config)?;
        let env = config.env.into_iter().map(|(name, value)| format!("{name}={value}").into_bytes()).collect();
        Ok(Self(Arc::new(Surroundings {
            descriptors: Descriptors::new(table),
            args: config.args.into_iter().map(String::into_bytes).collect(),
            env,
            before_output: config.before_output,
        })))
    }
}

impl std::fmt::Debug for WasiContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WasiContext").finish_non_exhaustive()
    }
}

/// The contexts that a store's functions have, with the functions that were asked for: each is made once.
#[derive(Default)]
struct Links(Vec<(Arc<Link>, LinkedFunctions)>);

type LinkedFunctions = Vec<(&'static Function, Func)>;

impl Links {
    fn of<'a>(&'a mut self, context: &WasiContext) -> &'a mut (Arc<Link>, LinkedFunctions) {
        let known = self.0.iter().position(|(link, _)| Arc::ptr_eq(&link.surroundings, &context.0));
        let at = known.unwrap_or_else(|| {
            self.0.push((Arc::new(Link::new(context.0.clone())), Vec::new()));
            self.0.len() - 1
        });
        &mut self.0[at]
    }
}

impl Island {
    /// The WASI function for an import `module.name`. It works on the memory that its caller exports as `memory`, or on
    /// the one that was [given](Island::wasi_memory). Without one, the call fails if the function needs it.
    ///
    /// # Errors
    /// [`WasiError::NoFunction`] and [`WasiError::Engine`].
    pub fn wasi_function(
        self: &Rc<Self>,
        context: &WasiContext,
        module: &str,
        name: &str,
    ) -> std::result::Result<Func, WasiError> {
        let found = functions(module).iter().find(|function| function.name() == name);
        let function = found.ok_or_else(|| WasiError::NoFunction { module: module.into(), name: name.into() })?;
        self.enter(|mut store| {
            let (link, known) = store.data_mut().extensions.slot::<Links>().of(context);
            if let Some(&(_, func)) = known.iter().find(|(known, _)| std::ptr::eq(*known, function)) {
                return Ok(func);
            }
            let link = link.clone();
            let func = (function.link)(store.as_context_mut(), link, function.version).map_err(WasiError::engine)?;
            store.data_mut().extensions.slot::<Links>().of(context).1.push((function, func));
            Ok(func)
        })
    }

    /// Gives a memory to a context's functions in this island, for guests that do not export theirs.
    ///
    /// # Errors
    /// [`WasiError::NoMemory`] when it is not a memory of this island.
    pub fn wasi_memory(
        self: &Rc<Self>,
        context: &WasiContext,
        memory: Extern,
        precedence: Precedence,
    ) -> std::result::Result<(), WasiError> {
        self.check_memory(&memory)?;
        self.enter(|mut store| {
            *store.data_mut().extensions.slot::<Links>().of(context).0.memory() = Some((memory, precedence));
        });
        Ok(())
    }

    fn check_memory(&self, memory: &Extern) -> std::result::Result<(), WasiError> {
        let is_own = match memory {
            Extern::Memory(memory) => self.owns(memory),
            Extern::SharedMemory(_) => true,
            _ => false,
        };
        if is_own { Ok(()) } else { Err(WasiError::NoMemory) }
    }

    /// Calls a WASI function for the host, on the given memory, or on none. All parameters must have been pushed to
    /// `frame`. Returns its result, if it has one.
    ///
    /// # Errors
    /// As for a guest's call; a trap when the memory is not one of this island.
    ///
    /// # Panics
    /// When parameters are missing.
    pub fn wasi_call(
        self: &Rc<Self>,
        context: &WasiContext,
        memory: Option<&Extern>,
        function: &Function,
        frame: &Frame<'_>,
    ) -> std::result::Result<Option<Number>, CallError> {
        assert!(frame.is_full() && frame.ty() == function.ty(), "parameters are missing");
        if let Some(Err(error)) = memory.map(|memory| self.check_memory(memory)) {
            return Err(CallError::Trap(crate::Trap::new(error.to_string())));
        }
        let arguments = frame.arguments();
        let done = self.enter(|mut store| {
            let (guest, runs) = (guest(&mut store, memory), Runs::new());
            let call = Call { wasi: &context.0, guest, version: function.version, runs: &runs };
            call.run(|call| (function.call)(call, &arguments))
        });
        let code = done.map_err(|stop| self.call_error(stop.into()))?;
        Ok(function.ty().results.first().map(|_| Number::I32(code as i32)))
    }
}
