//! WASI for scripts: import objects whose functions are linked natively when an instance imports them.
//!
//! A script can also call such a function, or wrap it in one of its own, as glue code does with `wasiImport`. It works
//! on the memory of the instance that was [started](WasiHost::attach) then.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use island::call::NumericType;
use island::wasi::{Output, WasiContext};
use island::wasmtime::{Extern, Func};
use island::{Callee, Frame};
use qjs::define::{self, Attributes};
use qjs::{Args, Callable, Ctx, Cx, Held, HostClass, Mark, Object, Result, Returned, Value, class};

use crate::convert::exception::throw_call_error;
use crate::convert::values::{from_number, to_number};
use crate::interface::memory::MemoryObject;
use crate::runtime::api::Api;
use crate::runtime::island_realm::IslandHandle;
use crate::runtime::memory_core;

/// A guest's WASI on the JavaScript side. Scripts never see the object.
#[derive(HostClass, Mark)]
#[host_class(name = "WasiHost")]
pub struct WasiHost {
    #[mark(skip)]
    context: WasiContext,
    /// The import module whose functions these are.
    #[mark(skip)]
    module: &'static str,
    memory: RefCell<Option<Held>>,
    /// Functions that scripts called, ready to be called again.
    #[mark(skip)]
    callees: RefCell<HashMap<String, Rc<Callee>>>,
}

/// A WASI function as scripts see it.
#[derive(HostClass, Mark)]
#[host_class(name = "Function")]
pub(crate) struct WasiFunction {
    host: Held,
    #[mark(skip)]
    name: String,
    #[mark(skip)]
    ty: NumericType,
}

/// Makes the classes known to the runtime.
pub(crate) fn register(ctx: &Ctx<'_>) -> Result<()> {
    class::register::<WasiHost>(ctx)?;
    class::register_callable::<WasiFunction>(ctx)
}

impl WasiHost {
    /// A host object for a context, with the functions of `module` (`wasi_snapshot_preview1` or `wasi_unstable`).
    ///
    /// # Errors
    /// When memory is out.
    pub fn new_object<'js>(ctx: &Ctx<'js>, context: WasiContext, module: &'static str) -> Result<Object<'js>> {
        let host = Self { context, module, memory: RefCell::default(), callees: RefCell::default() };
        class::new_object(ctx, host, None)
    }

    /// The functions, as an ordinary object that scripts may change.
    ///
    /// # Errors
    /// When memory is out.
    pub fn import_object<'js>(ctx: &Ctx<'js>, host: &Object<'js>) -> Result<Object<'js>> {
        let api = Api::of(ctx)?;
        let module = class::of::<Self>(host.as_value()).map(|host| host.module).unwrap_or_default();
        let imports = Object::new(ctx.clone())?;
        let prototype = define::function_prototype(ctx)?;
        for (name, ty) in island::wasi::functions(api.engine(), module) {
            let function = WasiFunction { host: Held::new(host.as_value()), name: name.clone(), ty: ty.clone() };
            let object = class::new_object(ctx, function, Some(&prototype))?;
            define::function_properties(ctx, &object, name, ty.params.len() as i32)?;
            define::value(&imports, name, object.as_value(), Attributes::Plain)?;
        }
        Ok(imports)
    }

    /// Says whose memory the functions work on when scripts call them.
    pub fn attach(&self, memory: &Value<'_>) {
        let before = self.memory.replace(Some(Held::new(memory)));
        self.callees.borrow_mut().clear();
        drop(before);
    }

    fn callee(&self, ctx: &Ctx<'_>, name: &str) -> Result<(IslandHandle, Rc<Callee>)> {
        let memory = self.memory.borrow().as_ref().map(|held| held.get(ctx));
        let bound = memory.as_ref().and_then(|value| class::of::<MemoryObject>(value)).and_then(MemoryObject::bound);
        let Some((link, memory)) = bound else {
            let message = format!("{name}: the WASI instance has no memory yet: call start() or initialize() first");
            return Err(qjs::function::throw_error(ctx, &message));
        };
        if let Some(callee) = self.callees.borrow().get(name) {
            return Ok((link, callee.clone()));
        }
        let callee = link.shared.island.wasi_call(&self.context, Extern::Memory(memory), self.module, name);
        let callee = Rc::new(callee.map_err(|error| qjs::function::throw_error(ctx, &format!("{name}: {error}")))?);
        self.callees.borrow_mut().insert(name.to_string(), callee.clone());
        Ok((link, callee))
    }
}

impl WasiFunction {
    /// The native function for an import in the link's island; `None` if the context serves another island (the import
    /// is then linked as any callable is).
    pub(crate) fn link(&self, link: &IslandHandle) -> Option<Func> {
        let host = class::get::<WasiHost>(self.host.borrow())?;
        // The names are WASI's own, so all that can fail is that the context serves another island.
        link.shared.island.wasi_function(&host.context, host.module, &self.name).ok()
    }

    fn run(&self, cx: Cx<'_>, args: Args<'_>) -> Result<Returned> {
        let ctx = cx.ctx();
        let host = class::get::<WasiHost>(self.host.borrow()).ok_or(rquickjs::Error::Unknown)?;
        let (link, callee) = host.callee(&ctx, &self.name)?;
        let mut frame = Frame::new(&self.ty);
        for (at, &kind) in self.ty.params.iter().enumerate() {
            frame.push(to_number(cx, args.get(at), kind)?);
        }
        let result = link.shared.island.call_numeric(&callee, &mut frame);
        memory_core::refresh_grown(cx, &link.shared.api);
        result.map_err(|error| throw_call_error(&ctx, error))?;
        Ok(if self.ty.results.is_empty() { Returned::UNDEFINED } else { from_number(cx, frame.result(0)) })
    }
}

impl Callable for WasiFunction {
    fn call(&self, cx: Cx<'_>, args: Args<'_>) -> Result<Returned> {
        self.run(cx, args)
    }
}

/// Where a guest's standard output (1) and standard error (2) go in this runtime.
///
/// # Errors
/// A TypeError if the API was never installed.
pub fn standard_output(ctx: &Ctx<'_>, descriptor: u8) -> Result<Output> {
    Ok((Api::of(ctx)?.state.options.standard_output)(descriptor))
}
