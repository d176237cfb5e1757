//! `FunctionPrototype`: a C function's signature, and whole marshalled calls by it.

use std::cell::{Cell, OnceCell};

use js_api::ExportedFunction;
use qjs::define::{self, Attributes};
use qjs::{
    Args, Arguments, Borrowed, Call, Callable, Ctx, Cx, Exception, Held, HostClass, Mark, Object, Result, Returned,
    Value, class,
};

use crate::async_call::AsyncFunction;
use crate::call::{Plan, Running, Target};
use crate::convert::{CallArguments, Marshal};
use crate::descriptors::read_signature;
use crate::ledger::Ledger;
use crate::manager::ManagerObject;
use crate::straight::{Caller, Run};
use crate::types::{Length, Signature, Type};

const INVOKE: &str = "FunctionPrototype.invoke";

/// Arguments of `invoke` before the function's own: the manager and the function.
const LEADING: usize = 2;

/// The value of a FunctionPrototype.
#[derive(HostClass, Mark)]
#[host_class(name = "FunctionPrototype")]
pub(crate) struct PrototypeObject {
    signature: Signature,
    /// The list that it was made of, for scripts.
    definitions: Held,
    /// How the function is called, for addresses of 32 bits and of 64, once that is known.
    #[mark(skip)]
    plans: [OnceCell<Plan>; 2],
}

impl PrototypeObject {
    /// How a guest's function is called; `None` if a record in the signature is not defined yet.
    #[inline]
    fn plan(&self, wide: bool) -> Option<&Plan> {
        match self.plans[usize::from(wide)].get() {
            None => self.new_plan(wide),
            plan => plan,
        }
    }

    #[cold]
    fn new_plan(&self, wide: bool) -> Option<&Plan> {
        self.signature
            .is_defined()
            .then(|| self.plans[usize::from(wide)].get_or_init(|| Plan::new(&self.signature, wide)))
    }
}

/// A function that a prototype was bound to.
#[derive(HostClass, Mark)]
#[host_class(name = "Function")]
pub(crate) struct BoundFunction {
    signature: Signature,
    manager: Held,
    pub(crate) function: Held,
    #[mark(skip)]
    name: Box<str>,
    #[mark(skip)]
    plan: Plan,
}

impl Callable for BoundFunction {
    fn call(&self, cx: Cx<'_>, args: Args<'_>) -> Result<Returned> {
        let function = class::get::<ExportedFunction>(self.function.borrow());
        if let (Some(straight), Some(function)) = (&self.plan.straight, function)
            && let Some(manager) = class::get(self.manager.borrow())
            && function.callee().plain().is_some()
        {
            let (signature, is_kept) = (&self.signature, Cell::new(false));
            let run = Run { straight, signature, manager, function, args, caller: self, is_kept };
            if let Some(result) = run.run(cx) {
                return Ok(result);
            }
        }
        self.with_running(&cx.ctx(), args, Ledger::default(), |running| Ok(cx.returned(&running.run()?)))
    }
}

impl Caller for BoundFunction {
    fn name(&self) -> &str {
        &self.name
    }

    fn manager(&self) -> Borrowed<'_> {
        self.manager.borrow()
    }

    fn target(&self) -> usize {
        self.function.borrow().identity()
    }
}

impl BoundFunction {
    pub(crate) fn stack_size(&self) -> Option<u64> {
        self.signature.stack_size
    }

    /// Runs `body` with a call of the function, as an operation that has this ledger.
    pub(crate) fn with_running<'js, R>(
        &self,
        ctx: &Ctx<'js>,
        args: Args<'_>,
        ledger: Ledger,
        body: impl FnOnce(&Running<'_, '_, 'js>) -> R,
    ) -> R {
        let target = match class::get::<ExportedFunction>(self.function.borrow()) {
            Some(function) if function.callee().numeric().is_some() => Target::Exported(function),
            _ => Target::Callable(&self.function),
        };
        let arguments = CallArguments::new(args, 0, Some(&self.signature));
        let mut marshal = Marshal::new(ctx, self.manager.borrow(), &self.name);
        marshal.call = Some(&arguments);
        marshal.target = self.function.borrow().identity();
        marshal.ledger = ledger;
        let (call, signature, plan) = (&arguments, &self.signature, &self.plan);
        body(&Running { marshal: &marshal, call, signature, target, plan, entered: Cell::default() })
    }
}

pub(crate) fn define<'js>(ctx: &Ctx<'js>, exports: &Object<'js>) -> Result<()> {
    class::register::<PrototypeObject>(ctx)?;
    class::register_callable::<BoundFunction>(ctx)?;
    crate::async_call::register(ctx)?;
    let made = define::interface(exports, "FunctionPrototype", "FunctionPrototype", Attributes::Plain, 2, constructor)?;
    let prototype = made.prototype;
    class::set_prototype::<PrototypeObject>(ctx, &prototype);
    class::set_prototype::<BoundFunction>(ctx, &define::function_prototype(ctx)?);
    define::quick_method(&prototype, "invoke", LEADING as i32, invoke)?;
    define::method(&prototype, "bind", 2, bind)?;
    define::getter(&prototype, "argDefs", definitions)?;
    define::getter(&prototype, "returns", returns)?;
    define::getter(&prototype, "mangledArgs", mangled_args)?;
    define::getter(&prototype, "mangleReturns", mangled_returns)?;
    define::getter(&prototype, "mangledName", mangled_name)
}

fn constructor<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "FunctionPrototype";
    webidl::require_new(&call, PLACE)?;
    let ctx = &call.ctx;
    let list = call.arg(0);
    let signature = read_signature(ctx, &list, &call.arg(1), call.arg(2), PLACE)?;
    if let Some(message) = refused_result(&signature) {
        return Err(Exception::throw_type(ctx, &format!("{PLACE}: argument 2: {message}")));
    }
    let prototype = class::prototype_from_new_target::<PrototypeObject>(&call)?;
    let (definitions, plans) = (Held::new(&list), Default::default());
    Ok(class::new_object(ctx, PrototypeObject { signature, definitions, plans }, prototype.as_ref())?.into_value())
}

/// Why the result's type cannot be a result's.
pub(crate) fn refused_result(signature: &Signature) -> Option<String> {
    let of = crate::call::own_result(signature.returns.as_ref()?.get());
    match &of.ty {
        Type::Array(_, Length::Given) | Type::View(_, Length::Given) => {
            Some(format!("the {} of a result needs a length", of.name()))
        }
        Type::Inline(..) | Type::InlineString(..) => {
            Some(format!("{} cannot be a result", webidl::with_article(&of.name())))
        }
        _ => None,
    }
}

/// Why a signature and a guest's function do not fit each other; `None` if they do.
pub(crate) fn mismatch(signature: &Signature, of: &ManagerObject, function: &ExportedFunction) -> Option<String> {
    let plan = Plan::new(signature, of.heap().is_wide());
    let message = plan.mismatch(function.callee().numeric())?.replace("the prototype", "this declaration");
    Some(format!("{message}, but the function's type is {}", function.callee().ty()))
}

/// A call by `invoke`: its arguments, of which the first two are the manager and the function.
struct Invoked<'r> {
    args: Args<'r>,
    function: &'r ExportedFunction,
}

impl Caller for Invoked<'_> {
    fn name(&self) -> &str {
        self.function.label()
    }

    fn manager(&self) -> Borrowed<'_> {
        self.args.get(0)
    }

    fn target(&self) -> usize {
        self.args.get(1).identity()
    }
}

/// `invoke(memoryManager, func, ...args)`.
#[inline]
fn invoke(cx: Cx<'_>, this: Borrowed<'_>, args: Args<'_>) -> Result<Returned> {
    if let Some(([manager_value, function_value], own)) = args.split_two()
        && let Some(prototype) = class::get::<PrototypeObject>(this)
        && let Some(manager) = class::get::<ManagerObject>(manager_value)
        && let Some(function) = class::get::<ExportedFunction>(function_value)
        && function.link().is_same(manager.link())
        && let Some(plan) = prototype.plan(manager.heap().is_wide())
        && let Some(straight) = plan.straight_for(function.callee().plain())
    {
        let (signature, is_kept) = (&prototype.signature, Cell::new(false));
        let caller = &Invoked { args, function };
        let run = Run { straight, signature, manager, function, args: own, caller, is_kept };
        if let Some(result) = run.run(cx) {
            return Ok(result);
        }
    }
    invoke_in_general(&Call { ctx: cx.ctx(), this, args }).map(|value| cx.returned(&value))
}

fn invoke_in_general<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let prototype: &PrototypeObject = webidl::this(call, "invoke")?;
    let ctx = &call.ctx;
    let manager: &ManagerObject = webidl::interface(ctx, call.args.get(0), &format!("{INVOKE}: argument 1"))?;
    if prototype.signature.is_async {
        let signature = prototype.signature.duplicate();
        let function = bound_function(ctx, signature, call.args.get(0), &call.arg(1), None, INVOKE)?;
        let mut arguments = Arguments::new(Cx::of(ctx));
        for at in LEADING..call.args.len() {
            arguments.push(Cx::of(ctx).returned(&call.arg(at)))?;
        }
        let undefined = Args::default().get(0);
        return Ok(Held::new(&function).call(Cx::of(ctx), undefined, &mut arguments)?.to_value());
    }
    let function = call.args.get(1);
    let held;
    let target = match class::get::<ExportedFunction>(function) {
        Some(function) if !function.link().is_same(manager.link()) => {
            let message = format!("{INVOKE}: argument 2 is a function of another guest, not of the memory manager's");
            return Err(Exception::throw_type(ctx, &message));
        }
        Some(function) if function.callee().numeric().is_some() => Target::Exported(function),
        _ => {
            let function = call.arg(1);
            if !function.is_function() {
                let came = webidl::describe(&function);
                return Err(Exception::throw_type(
                    ctx,
                    &format!("{INVOKE}: argument 2 must be a function, got {came}"),
                ));
            }
            held = Held::new(&function);
            Target::Callable(&held)
        }
    };
    let Some(plan) = prototype.plan(manager.heap().is_wide()) else {
        return Err(Exception::throw_type(ctx, &format!("{INVOKE}: a struct in the prototype is not defined yet")));
    };
    let arguments = CallArguments::new(call.args, LEADING, Some(&prototype.signature));
    let mut marshal = Marshal::new(ctx, call.args.get(0), target.name());
    marshal.call = Some(&arguments);
    marshal.target = function.identity();
    let (call, signature) = (&arguments, &prototype.signature);
    Running { marshal: &marshal, call, signature, target, plan, entered: Cell::default() }.run()
}

/// `bind(memoryManager, func)`.
fn bind<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "FunctionPrototype.bind";
    let prototype: &PrototypeObject = webidl::this(&call, "bind")?;
    let _: &ManagerObject = webidl::interface(&call.ctx, call.args.get(0), &format!("{PLACE}: argument 1"))?;
    let signature = prototype.signature.duplicate();
    bound_function(&call.ctx, signature, call.args.get(0), &call.arg(1), None, PLACE)
}

/// A function that calls `function`, of the guest of `manager`, as `signature` says.
///
/// # Errors
/// A TypeError if it has another type.
pub(crate) fn bound_function<'js>(
    ctx: &Ctx<'js>,
    signature: Signature,
    manager: Borrowed<'_>,
    function: &Value<'js>,
    name: Option<&str>,
    place: &str,
) -> Result<Value<'js>> {
    let of: &ManagerObject = class::get(manager).ok_or(rquickjs::Error::Unknown)?;
    if !signature.is_defined() {
        return Err(Exception::throw_type(ctx, &format!("{place}: a struct in the prototype is not defined yet")));
    }
    let plan = Plan::new(&signature, of.heap().is_wide());
    let exported = class::of::<ExportedFunction>(function);
    let name = name.or(exported.map(ExportedFunction::label)).unwrap_or("the function").to_string();
    match exported {
        Some(exported) if !exported.link().is_same(of.link()) => {
            let message = format!("{place}: {name} is a function of another guest, not of the memory manager's");
            return Err(Exception::throw_type(ctx, &message));
        }
        Some(exported) => {
            if let Some(message) = plan.mismatch(exported.callee().numeric()) {
                let found = exported.callee().ty();
                let message = format!("{place}: {name}: {message}, but the function's type is {found}");
                return Err(Exception::throw_type(ctx, &message));
            }
        }
        None if !function.is_function() => {
            let came = webidl::describe(function);
            return Err(Exception::throw_type(ctx, &format!("{place}: expected a function, got {came}")));
        }
        None if signature.is_async => {
            let message = format!("{place}: only a guest's exported function can be async");
            return Err(Exception::throw_type(ctx, &message));
        }
        None => {}
    }
    let length = signature.params.iter().filter(|param| !param.direction.is_result).count() as i32;
    let manager = Held::borrowed(Cx::of(ctx), manager);
    let function = Held::new(function);
    let is_async = signature.is_async;
    let bound = BoundFunction { signature, manager, function, name: name.clone().into(), plan };
    let object = match is_async {
        true => class::new_object(ctx, AsyncFunction { bound }, None)?,
        false => class::new_object(ctx, bound, None)?,
    };
    define::function_properties(ctx, &object, &name, length)?;
    Ok(object.into_value())
}

fn definitions<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let prototype: &PrototypeObject = webidl::this(&call, "argDefs")?;
    Ok(prototype.definitions.get(&call.ctx))
}

fn returns<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let prototype: &PrototypeObject = webidl::this(&call, "returns")?;
    match &prototype.signature.returns {
        Some(ty) => Ok(ty.held().get(&call.ctx)),
        None => Ok(Value::new_null(call.ctx)),
    }
}

/// The mangled result and arguments.
fn mangle(ctx: &Ctx<'_>, signature: &Signature) -> Result<(String, String)> {
    let args = signature.params.iter().map(|param| param.ty.get().mangled(ctx)).collect::<Result<String>>()?;
    let returns = signature.returns.as_ref().map_or(Ok("v0".into()), |ty| ty.get().mangled(ctx))?;
    Ok((returns, args))
}

fn mangled_args<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let prototype: &PrototypeObject = webidl::this(&call, "mangledArgs")?;
    qjs::string::from_utf8(&call.ctx, mangle(&call.ctx, &prototype.signature)?.1.as_bytes())
}

fn mangled_returns<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let prototype: &PrototypeObject = webidl::this(&call, "mangleReturns")?;
    qjs::string::from_utf8(&call.ctx, mangle(&call.ctx, &prototype.signature)?.0.as_bytes())
}

fn mangled_name<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let prototype: &PrototypeObject = webidl::this(&call, "mangledName")?;
    let (returns, args) = mangle(&call.ctx, &prototype.signature)?;
    qjs::string::from_utf8(&call.ctx, format!("{returns}_{args}").as_bytes())
}
