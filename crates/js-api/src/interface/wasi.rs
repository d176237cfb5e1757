//! WASI for scripts: import objects whose functions are linked natively when an instance imports them.
//!
//! A script can also call such a function, or wrap it in one of its own, as glue code does with `wasiImport`. It works
//! on the memory of the instance that was [started](WasiHost::attach) then.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use island::call::{Number, NumberKind};
use island::wasi::{Function, Output, Precedence, WasiContext};
use island::wasmtime::{Extern, Func};
use island::{Frame, Island};
use qjs::define::{self, Attributes};
use qjs::{Args, Borrowed, Callable, Ctx, Cx, Held, HostClass, Mark, Object, Result, Returned, Value, class};

use crate::convert::errors;
use crate::convert::exception::throw_call_error;
use crate::convert::values::{from_number, to_number};
use crate::interface::memory::MemoryObject;
use crate::runtime::api::Api;
use crate::runtime::island_realm::IslandHandle;
use crate::runtime::memory_core;

/// What a function returns whose arguments are not of its types: `EINVAL`.
const INVALID: i32 = 28;

/// A guest's WASI on the JavaScript side. Scripts never see the object.
#[derive(HostClass, Mark)]
#[host_class(name = "WasiHost")]
pub struct WasiHost {
    #[mark(skip)]
    context: WasiContext,
    memory: RefCell<Option<Held>>,
    #[mark(skip)]
    precedence: Cell<Precedence>,
    /// The islands that have instances with these functions.
    #[mark(skip)]
    islands: RefCell<Vec<Weak<Island>>>,
    /// Where scripts call the functions on a memory that is in no island.
    home: RefCell<Option<IslandHandle>>,
}

/// A WASI function as scripts see it.
#[derive(HostClass, Mark)]
#[host_class(name = "Function")]
pub(crate) struct WasiFunction {
    host: Held,
    #[mark(skip)]
    module: &'static str,
    #[mark(skip)]
    function: &'static Function,
}

/// Makes the classes known to the runtime.
pub(crate) fn register(ctx: &Ctx<'_>) -> Result<()> {
    class::register::<WasiHost>(ctx)?;
    class::register_callable::<WasiFunction>(ctx)
}

impl WasiHost {
    /// A host object for a context.
    ///
    /// # Errors
    /// When memory is out.
    pub fn new_object<'js>(ctx: &Ctx<'js>, context: WasiContext) -> Result<Object<'js>> {
        let host = Self {
            context,
            memory: RefCell::default(),
            precedence: Cell::new(Precedence::Otherwise),
            islands: RefCell::default(),
            home: RefCell::default(),
        };
        class::new_object(ctx, host, None)
    }

    /// The functions of `module` (`wasi_snapshot_preview1` or `wasi_unstable`), as an ordinary object that scripts may
    /// change.
    ///
    /// # Errors
    /// When memory is out.
    pub fn import_object<'js>(ctx: &Ctx<'js>, host: &Object<'js>, module: &'static str) -> Result<Object<'js>> {
        let imports = Object::new(ctx.clone())?;
        let prototype = define::function_prototype(ctx)?;
        for function in island::wasi::functions(module) {
            let value = WasiFunction { host: Held::new(host.as_value()), module, function };
            let object = class::new_object(ctx, value, Some(&prototype))?;
            define::function_properties(ctx, &object, function.name(), function.ty().params.len() as i32)?;
            define::value(&imports, function.name(), object.as_value(), Attributes::Plain)?;
        }
        Ok(imports)
    }

    /// Says whose memory the functions work on when scripts call them, and which for guests.
    pub fn attach(&self, memory: &Value<'_>, precedence: Precedence) {
        let before = self.memory.replace(Some(Held::new(memory)));
        self.precedence.set(precedence);
        drop((before, self.home.take()));
        self.islands.borrow_mut().retain(|island| island.strong_count() > 0);
        let islands: Vec<_> = self.islands.borrow().iter().filter_map(Weak::upgrade).collect();
        for island in islands {
            self.give_memory(&island, memory);
        }
    }

    /// Lets guests of an island use the memory, if it is one of the island's.
    fn give_memory(&self, island: &Rc<Island>, memory: &Value<'_>) {
        let Some(object) = class::of::<MemoryObject>(memory) else { return };
        let memory = match (object.shared(), object.bound()) {
            (Some(memory), _) => Extern::SharedMemory(memory.clone()),
            (None, Some((_, memory))) => Extern::Memory(memory),
            (None, None) => return,
        };
        // Guests of other islands have their own.
        let _ = island.wasi_memory(&self.context, memory, self.precedence.get());
    }

    /// The memory that scripts' calls work on, and where.
    fn memory(&self, ctx: &Ctx<'_>) -> Result<(IslandHandle, Extern)> {
        let held = self.memory.borrow().as_ref().map(|held| held.get(ctx));
        let Some(value) = held else { return Err(throw_not_started(ctx)) };
        let Some(memory) = class::of::<MemoryObject>(&value) else { return Err(throw_not_started(ctx)) };
        if let Some((link, memory)) = memory.bound() {
            return Ok((link, Extern::Memory(memory)));
        }
        let known = self.home.borrow().as_ref().map(IslandHandle::duplicate);
        let link = match known {
            Some(link) => link,
            None => {
                let link = IslandHandle::for_new_instance(ctx, false)?;
                self.home.replace(Some(link.duplicate()));
                link
            }
        };
        let memory = memory.bind(ctx, &link, &value)?;
        Ok((link, memory))
    }
}

fn throw_not_started(ctx: &Ctx<'_>) -> rquickjs::Error {
    drop(qjs::function::throw_error(ctx, "wasi.start() has not been called"));
    let thrown = ctx.catch();
    if let Some(error) = thrown.as_object() {
        let code = qjs::string::from_utf8(ctx, b"ERR_WASI_NOT_STARTED");
        let defined = code.and_then(|code| define::value(error, "code", &code, Attributes::Plain));
        if let Err(error) = defined {
            return error;
        }
    }
    ctx.throw(thrown)
}

impl WasiFunction {
    /// The native function for an import in the link's island; `None` if there is none, and the import is linked as any
    /// callable is.
    pub(crate) fn link(&self, ctx: &Ctx<'_>, link: &IslandHandle) -> Option<Func> {
        let host = class::get::<WasiHost>(self.host.borrow())?;
        let island = &link.shared.island;
        let is_new = !host.islands.borrow().iter().any(|known| std::ptr::eq(known.as_ptr(), Rc::as_ptr(island)));
        if is_new {
            host.islands.borrow_mut().push(Rc::downgrade(island));
            let memory = host.memory.borrow().as_ref().map(|held| held.get(ctx));
            if let Some(memory) = memory {
                host.give_memory(island, &memory);
            }
        }
        island.wasi_function(&host.context, self.module, self.function.name()).ok()
    }

    fn run(&self, cx: Cx<'_>, args: Args<'_>) -> Result<Returned> {
        let ctx = cx.ctx();
        let host = class::get::<WasiHost>(self.host.borrow()).ok_or(rquickjs::Error::Unknown)?;
        let ty = self.function.ty();
        let all_fit = ty.params.iter().enumerate().all(|(at, &kind)| fits(args.get(at), kind));
        if !all_fit || args.len() > ty.params.len() {
            return Ok(from_number(cx, Number::I32(INVALID)));
        }
        let (link, memory) = host.memory(&ctx)?;
        let mut frame = Frame::new(ty);
        for (at, &kind) in ty.params.iter().enumerate() {
            frame.push(to_number(cx, args.get(at), kind)?);
        }
        let result = link.shared.island.wasi_call(&host.context, Some(&memory), self.function, &frame);
        memory_core::refresh_grown(cx, &link.shared.api);
        let result = result.map_err(|error| throw_call_error(&ctx, error))?;
        Ok(result.map_or(Returned::UNDEFINED, |number| from_number(cx, number)))
    }
}

/// Whether an argument is a number of a type as it is: it is not converted, as in Node.
fn fits(argument: Borrowed<'_>, kind: NumberKind) -> bool {
    match kind {
        NumberKind::I64 => argument.is_bigint(),
        _ => argument.number().is_some_and(|number| {
            // Guests pass the upper half of the addresses as negative numbers.
            number.trunc() == number && (f64::from(i32::MIN)..=f64::from(u32::MAX)).contains(&number)
        }),
    }
}

impl Callable for WasiFunction {
    fn call(&self, cx: Cx<'_>, args: Args<'_>) -> Result<Returned> {
        self.run(cx, args)
    }
}

/// The exit code, if what was thrown is what a guest's `proc_exit` became.
///
/// # Errors
/// What the traps of a Proxy throw.
pub fn exit_code(thrown: &Value<'_>) -> Result<Option<i32>> {
    errors::exit_code(thrown)
}

/// Where a guest's standard output (1) and standard error (2) go in this runtime.
///
/// # Errors
/// A TypeError if the API was never installed.
pub fn standard_output(ctx: &Ctx<'_>, descriptor: u8) -> Result<Output> {
    Ok((Api::of(ctx)?.state.options.standard_output)(descriptor))
}
