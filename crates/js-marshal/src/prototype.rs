//! `FunctionPrototype`: a C function's signature, and whole marshalled calls by it.

use std::cell::{Cell, OnceCell};

use island::call::{Number, NumericType};
use island::{Frame, Kind};
use js_api::ExportedFunction;
use qjs::define::{self, Attributes};
use qjs::{
    Args, Arguments, Borrowed, Call, Callable, ClassId, Ctx, Cx, Exception, Held, HostClass, Marker, Object, Result,
    Returned, Value, class,
};
use smallvec::SmallVec;

use crate::convert::{CallArguments, Marshal};
use crate::descriptors::read_signature;
use crate::manager::ManagerObject;
use crate::record::{self, Place};
use crate::types::{Direction, Length, Signature, Status, Type, TypeObject, TypeRef};
use crate::{arrays, ids, pointer, status, view};

const INVOKE: &str = "FunctionPrototype.invoke";

/// Arguments of `invoke` before the function's own: the manager and the function.
const LEADING: usize = 2;

/// The value of a FunctionPrototype.
pub(crate) struct PrototypeObject {
    signature: Signature,
    /// The list that it was made of, for scripts.
    definitions: Held,
    /// How it is passed, for addresses of 32 bits and of 64, once that is known.
    plans: [OnceCell<Plan>; 2],
}

impl PrototypeObject {
    /// How it is passed to a guest; none where a record in it is not defined yet.
    fn plan(&self, wide: bool) -> Option<&Plan> {
        let plan = &self.plans[usize::from(wide)];
        if plan.get().is_none() && self.signature.is_defined() {
            let _ = plan.set(Plan::new(&self.signature, wide));
        }
        plan.get()
    }
}

// SAFETY: every type and the list are marked once. The number is this class's own.
unsafe impl HostClass for PrototypeObject {
    const ID: ClassId = ids::PROTOTYPE;
    const NAME: &'static std::ffi::CStr = c"FunctionPrototype";

    fn mark(&self, marker: &Marker) {
        self.signature.mark(marker);
        marker.mark(&self.definitions);
    }
}

/// A function that a prototype was bound to.
pub(crate) struct BoundFunction {
    signature: Signature,
    manager: Held,
    function: Held,
    name: Box<str>,
    plan: Plan,
}

// SAFETY: every value is marked once. The number is this class's own.
unsafe impl HostClass for BoundFunction {
    const ID: ClassId = ids::BOUND_FUNCTION;
    const NAME: &'static std::ffi::CStr = c"Function";

    fn mark(&self, marker: &Marker) {
        self.signature.mark(marker);
        marker.mark(&self.manager);
        marker.mark(&self.function);
    }
}

impl Callable for BoundFunction {
    fn call(&self, cx: Cx<'_>, args: Args<'_>) -> Result<Returned> {
        let ctx = cx.ctx();
        let target = match class::get::<ExportedFunction>(self.function.borrow()) {
            Some(function) if function.callee().numeric().is_some() => Target::Exported(function),
            _ => Target::Callable(&self.function),
        };
        let arguments = CallArguments::new(args, 0, Some(&self.signature));
        let marshal = Marshal::new(&ctx, self.manager.borrow(), &self.name).of_call(&arguments);
        let (call, signature, plan) = (&arguments, &self.signature, &self.plan);
        let running = Running { marshal, call, signature, target, plan, entered: Cell::default() };
        Ok(cx.returned(&running.run()?))
    }
}

pub(crate) fn define<'js>(ctx: &Ctx<'js>, exports: &Object<'js>) -> Result<()> {
    class::register::<PrototypeObject>(ctx)?;
    class::register_callable::<BoundFunction>(ctx)?;
    let made = define::interface(exports, "FunctionPrototype", "FunctionPrototype", Attributes::Plain, 2, constructor)?;
    let prototype = made.prototype;
    class::set_prototype::<PrototypeObject>(ctx, &prototype);
    class::set_prototype::<BoundFunction>(ctx, &define::function_prototype(ctx)?);
    define::method(&prototype, "invoke", LEADING as i32, invoke)?;
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
    let signature = read_signature(ctx, &list, &call.arg(1), PLACE)?;
    if let Some(message) = refused_result(&signature) {
        return Err(Exception::throw_type(ctx, &format!("{PLACE}: argument 2: {message}")));
    }
    let prototype = class::prototype_from_new_target::<PrototypeObject>(&call)?;
    let (definitions, plans) = (Held::new(&list), Default::default());
    Ok(class::new_object(ctx, PrototypeObject { signature, definitions, plans }, prototype.as_ref())?.into_value())
}

/// Why a result's type cannot be one.
pub(crate) fn refused_result(signature: &Signature) -> Option<String> {
    let returns = signature.returns.as_ref()?.get();
    let of = match &returns.ty {
        Type::Status(status) => status.ty.get(),
        _ => returns,
    };
    match &of.ty {
        Type::Array(_, Length::Given) | Type::View(_, Length::Given) => {
            Some(format!("the {} of a result needs a length", of.name()))
        }
        Type::Inline(..) | Type::InlineString(..) => Some(format!("a {} cannot be a result", of.name())),
        _ => None,
    }
}

/// What does not fit between a signature and a guest's function; none where they do.
pub(crate) fn mismatch(signature: &Signature, of: &ManagerObject, function: &ExportedFunction) -> Option<String> {
    let plan = Plan::new(signature, of.heap().is_wide());
    let message = plan.mismatch(function.callee().numeric())?.replace("the prototype", "this declaration");
    Some(format!("{message}, but the function's type is {}", function.callee().ty()))
}

/// `invoke(memoryManager, func, ...args)`.
fn invoke<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let prototype: &PrototypeObject = webidl::this(&call, "invoke")?;
    let ctx = &call.ctx;
    let manager: &ManagerObject = match class::get(call.args.get(0)) {
        Some(manager) => manager,
        None => webidl::interface(ctx, call.args.get(0), &format!("{INVOKE}: argument 1"))?,
    };
    let function = call.args.get(1);
    let held;
    let target = match class::get::<ExportedFunction>(function) {
        Some(function) if !function.link().is_same(manager.link()) => {
            let message = format!("{INVOKE}: argument 2 is a function of another guest than the memory manager's");
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
    let marshal = Marshal::new(ctx, call.args.get(0), target.name()).of_call(&arguments);
    let (call, signature) = (&arguments, &prototype.signature);
    Running { marshal, call, signature, target, plan, entered: Cell::default() }.run()
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
/// A TypeError where it has another type.
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
            let message = format!("{place}: {name} is a function of another guest than the memory manager's");
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
        None => {}
    }
    let length = signature.params.iter().filter(|param| !param.direction.is_result).count() as i32;
    let manager = Held::borrowed(Cx::of(ctx), manager);
    let function = Held::new(function);
    let bound = BoundFunction { signature, manager, function, name: name.clone().into(), plan };
    let object = class::new_object(ctx, bound, None)?;
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

/// How a signature is passed by C's convention for WebAssembly.
struct Plan {
    /// The numbers that the function takes.
    params: SmallVec<[Kind; 8]>,
    result: Option<Kind>,
    /// A record is returned through a first parameter that points to room for it.
    by_room: bool,
    /// How many arguments the script passes.
    passed: usize,
    /// Whether a parameter is of a script's own type.
    has_custom: bool,
}

impl Plan {
    fn new(signature: &Signature, wide: bool) -> Self {
        let pointer = if wide { Kind::I64 } else { Kind::I32 };
        let kind = |ty: &TypeObject| match &ty.ty {
            Type::Scalar(scalar) | Type::Enum(scalar, _) => scalar.kind(wide),
            Type::Record(shape, _) => {
                shape.get().and_then(|shape| shape.single).map_or(pointer, |scalar| scalar.kind(wide))
            }
            _ => pointer,
        };
        let returns = signature.returns.as_ref().map(|ty| own_result(ty.get()));
        let single = |ty: &TypeObject| match &ty.ty {
            Type::Record(shape, _) => shape.get().is_some_and(|shape| shape.single.is_some()),
            _ => true,
        };
        let by_room = returns.is_some_and(|ty| !single(ty));
        let result = returns.filter(|ty| !by_room && !matches!(ty.ty, Type::Void)).map(kind);
        let mut params: SmallVec<_> = by_room.then_some(pointer).into_iter().collect();
        let mut passed = 0;
        for param in &signature.params {
            passed += usize::from(!param.direction.is_result);
            params.push(if param.direction.is_result { pointer } else { kind(param.ty.get()) });
        }
        let has_custom = signature.params.iter().any(|param| param.ty.get().has_custom());
        Self { params, result, by_room, passed, has_custom }
    }

    /// What the function's type does not fit; none where it does.
    fn mismatch(&self, ty: Option<&NumericType>) -> Option<String> {
        let fits = |ty: &NumericType| {
            ty.params == self.params && self.result.is_none_or(|result| ty.results.first() == Some(&result))
        };
        if ty.is_some_and(fits) {
            return None;
        }
        let params: Vec<_> = self.params.iter().map(Kind::to_string).collect();
        let result = self.result.map_or("nothing".into(), |result| result.to_string());
        Some(format!("the prototype passes ({}) and expects {result}", params.join(", ")))
    }
}

/// The type of what the function itself returns.
fn own_result(ty: &TypeObject) -> &TypeObject {
    match &ty.ty {
        Type::Status(status) => status.ty.get(),
        _ => ty,
    }
}

/// What is called.
enum Target<'a> {
    /// A function of the manager's own island: called directly.
    Exported(&'a ExportedFunction),
    /// Any other function: a script's wrapper, say.
    Callable(&'a Held),
}

impl<'a> Target<'a> {
    /// The function's name, for messages.
    fn name(&self) -> &'a str {
        match self {
            Self::Exported(function) => function.label(),
            Self::Callable(_) => "the function",
        }
    }
}

/// A call in progress.
struct Running<'c, 'js> {
    marshal: Marshal<'c, 'js>,
    call: &'c CallArguments<'c, 'js>,
    signature: &'c Signature,
    target: Target<'c>,
    plan: &'c Plan,
    /// Whether the guest was called.
    entered: Cell<bool>,
}

impl<'js> Running<'_, 'js> {
    fn run(&self) -> Result<Value<'js>> {
        let came = self.call.args.len().saturating_sub(self.call.leading);
        let expected = self.plan.passed;
        if came != expected {
            let s = if expected == 1 { "" } else { "s" };
            return Err(self.marshal.range_error(format_args!("expected {expected} argument{s}, got {came}")));
        }
        let result = self.call();
        if result.is_err() && self.entered.get() && !self.call.returned.get() {
            self.forget_all_replaced();
        }
        let result = if self.plan.has_custom { self.free_custom(result) } else { result };
        self.marshal.finish(result)
    }

    /// A guest that did not return may have put others in the place of what its arguments point to.
    fn forget_all_replaced(&self) {
        let passed = self.call.numbers.borrow().clone();
        let mut at = 0;
        for (param, number) in self.signature.params.iter().zip(&passed) {
            if param.direction.is_result {
                continue;
            }
            if param.direction.comes_out && self.marshal.is_temporary(number.as_address()) {
                self.marshal.see_block(param.ty.get(), number.as_address());
                self.marshal.forget_replaced(at);
            }
            at += 1;
        }
    }

    /// What scripts' own types have marshalled is theirs to free, unless it came out.
    fn free_custom(&self, result: Result<Value<'js>>) -> Result<Value<'js>> {
        let (ctx, marshal) = (self.marshal.ctx, &self.marshal);
        let thrown = match &result {
            Err(rquickjs::Error::Exception) => Some(ctx.catch()),
            _ => None,
        };
        let passed = self.call.numbers.borrow().clone();
        let mut freed = marshal.free_custom_parts();
        let mut at = 0;
        for (param, number) in self.signature.params.iter().zip(&passed) {
            let (ty, index) = (param.ty.get(), at);
            at += usize::from(!param.direction.is_result);
            let came_out = param.direction.comes_out && result.is_ok();
            if ty.subclassed && !came_out && !param.direction.is_result && number.as_address() != 0 {
                marshal.enter_part(webidl::Part::Argument(index));
                let done = marshal.custom_take_back(ty, number.as_address(), self.call.get(index), false);
                freed = freed.and(done);
            }
        }
        match thrown {
            Some(thrown) => {
                if freed.is_err() {
                    drop(ctx.catch());
                }
                Err(ctx.throw(thrown))
            }
            None => freed.and(result),
        }
    }

    fn call(&self) -> Result<Value<'js>> {
        let (marshal, wide) = (&self.marshal, self.marshal.is_wide());
        marshal.manager.safe_point(marshal.ctx, marshal)?;
        let mut numbers = SmallVec::<[Number; 8]>::new();
        let room = match &self.signature.returns {
            Some(ty) if self.plan.by_room => {
                let layout = own_result(ty.get()).layout(wide).ok_or_else(|| marshal.no_value(ty.get()))?;
                let address = marshal.allocate(layout.size)?;
                numbers.push(marshal.pointer(address));
                Some((address, layout.size))
            }
            _ => None,
        };
        let mut at = 0;
        let mut comes_out = false;
        for param in &self.signature.params {
            let number = match param.direction.is_result {
                true => self.room_for(param.ty.get())?,
                false => {
                    marshal.enter_part(webidl::Part::Argument(at));
                    let value = self.call.get(at);
                    at += 1;
                    self.argument(param.ty.get(), param.direction, value)?
                }
            };
            comes_out |= param.direction.comes_out;
            self.call.numbers.borrow_mut().push(number);
            numbers.push(number);
        }
        let returned = self.enter(&numbers)?;
        self.call.returned.set(true);
        let own = if comes_out {
            let numbers = &numbers[usize::from(self.plan.by_room)..];
            return self.take_all(numbers, returned, room);
        } else {
            self.own(returned, room)
        };
        own.map(|own| own.unwrap_or_else(|| Value::new_undefined(marshal.ctx.clone())))
    }

    /// An argument as a number.
    #[inline]
    fn argument(&self, ty: &TypeObject, direction: Direction, value: Borrowed<'_>) -> Result<Number> {
        let marshal = &self.marshal;
        if let Some(scalar) = ty.scalar() {
            return marshal.number(ty, scalar, value);
        }
        if let Type::Record(shape, _) = &ty.ty {
            let shape = shape.get().ok_or_else(|| marshal.no_value(ty))?;
            if let Some(scalar) = shape.single {
                return marshal.single(ty, scalar, value);
            }
            let address = marshal.allocate(shape.layout(marshal.is_wide()).size)?;
            marshal.write_value(ty, address, value)?;
            return Ok(marshal.pointer(address));
        }
        Ok(marshal.pointer(marshal.pointer_to(ty, value, direction)?))
    }

    /// Room for a value that the guest fills in.
    fn room_for(&self, ty: &TypeObject) -> Result<Number> {
        let (marshal, wide) = (&self.marshal, self.marshal.is_wide());
        let bytes = match &ty.ty {
            Type::Inline(element, length) if !matches!(length, Length::Fixed(_)) => {
                let size = element.get().layout(wide).map_or(0, |layout| layout.size);
                let count = marshal.length(length, None)?.unwrap_or(0);
                marshal.byte_length(count, size)?
            }
            Type::InlineString(encoding, length) => {
                let count = marshal.length(length, None)?.unwrap_or(0);
                marshal.byte_length(count, encoding.unit())?
            }
            _ => ty.layout(wide).ok_or_else(|| marshal.no_value(ty))?.size,
        };
        let address = marshal.allocate(bytes)?;
        marshal.clear(address, bytes)?;
        Ok(marshal.pointer(address))
    }

    /// Calls the guest's function; its result where the prototype has one.
    #[inline]
    fn enter(&self, numbers: &[Number]) -> Result<Option<Number>> {
        let cx = self.marshal.cx();
        let wanted = self.plan.result;
        self.marshal.enter_part(webidl::Part::Whole);
        match &self.target {
            Target::Exported(function) => {
                let ty = function.callee().numeric().expect("checked when it was chosen");
                if ty.params != self.plan.params || wanted.is_some_and(|wanted| ty.results.first() != Some(&wanted)) {
                    return Err(self.throw_signature(function));
                }
                let mut frame = Frame::new(ty);
                numbers.iter().for_each(|&number| frame.push(number));
                self.give()?;
                function.call_frame(cx, &mut frame)?;
                Ok(wanted.map(|_| frame.result(0)))
            }
            Target::Callable(function) => {
                let mut arguments = Arguments::new(cx);
                numbers.iter().try_for_each(|&number| arguments.push(js_api::from_number(cx, number)))?;
                let undefined = Args::default().get(0);
                self.give()?;
                let result = function.call(cx, undefined, &mut arguments)?;
                wanted.map(|wanted| js_api::to_number(cx, result.borrow(), wanted)).transpose()
            }
        }
    }

    /// From here on the guest has what it is given, whether it returns or not.
    #[inline]
    fn give(&self) -> Result<()> {
        self.entered.set(true);
        if self.marshal.consumed.borrow().is_empty() { Ok(()) } else { self.marshal.consume() }
    }

    #[cold]
    fn throw_signature(&self, function: &ExportedFunction) -> rquickjs::Error {
        let message = self.plan.mismatch(function.callee().numeric()).unwrap_or_default();
        self.marshal.type_error(format_args!("{message}, but the function's type is {}", function.callee().ty()))
    }

    /// What the function itself returned, as the script gets it; none for nothing.
    fn own(&self, returned: Option<Number>, room: Option<(u64, u64)>) -> Result<Option<Value<'js>>> {
        let Some(ty) = &self.signature.returns else { return Ok(None) };
        let marshal = &self.marshal;
        marshal.enter_part(webidl::Part::Result);
        match &ty.get().ty {
            Type::Status(status) => self.status(status, returned, room, &[]),
            _ => self.value(ty.get(), returned, room),
        }
    }

    fn value(&self, ty: &TypeObject, returned: Option<Number>, room: Option<(u64, u64)>) -> Result<Option<Value<'js>>> {
        let (marshal, cx, wide) = (&self.marshal, self.marshal.cx(), self.marshal.is_wide());
        if let Some((address, size)) = room {
            return marshal.read_value(ty, marshal.range(address, size)?, true, None).map(Some);
        }
        let Some(number) = returned else { return Ok(None) };
        if let Some(scalar) = ty.scalar() {
            return scalar.result_to_js(cx, number).into_value(cx).map(Some);
        }
        if let Type::Record(shape, _) = &ty.ty {
            // A record of one number came as that number.
            let scalar = shape.get().and_then(|shape| shape.single).ok_or_else(|| marshal.no_value(ty))?;
            let size = scalar.size(wide);
            let address = marshal.allocate(size as u64)?;
            marshal.write(address, &crate::scalar::bits(number).to_le_bytes()[..size])?;
            return marshal.read_value(ty, marshal.range(address, size as u64)?, true, None).map(Some);
        }
        marshal.pointee_of(ty, number.as_address(), ty.is_owned(true), None).map(Some)
    }

    /// Whether the result says that the call failed.
    fn has_failed(&self, returned: Option<Number>) -> bool {
        match self.signature.returns.as_ref().map(|ty| &ty.get().ty) {
            Some(Type::Status(status)) => {
                let code = status::code(status.ty.get(), returned.unwrap_or(Number::I32(0)));
                status.is_failure(code)
            }
            _ => false,
        }
    }

    /// A result that says whether the call failed.
    fn status(
        &self,
        status: &Status,
        returned: Option<Number>,
        room: Option<(u64, u64)>,
        others: &[Value<'js>],
    ) -> Result<Option<Value<'js>>> {
        let number = returned.unwrap_or(Number::I32(0));
        let ty = status.ty.get();
        let code = status::code(ty, number);
        if status.is_failure(code) {
            return Err(status::throw(&self.marshal, status, code, others));
        }
        // A single success tells nothing.
        if status.success.len() == 1 {
            return Ok(None);
        }
        self.value(ty, returned, room)
    }

    /// What comes out of the arguments, and the result.
    fn take_all(&self, numbers: &[Number], returned: Option<Number>, room: Option<(u64, u64)>) -> Result<Value<'js>> {
        let marshal = &self.marshal;
        let mut results: SmallVec<[Value; 4]> = SmallVec::new();
        // Everything is taken, whatever fails on the way: what comes out may be the host's to free.
        let mut failure = None;
        // Of a call that failed C leaves open what came out: what cannot be read then is null.
        let failed = self.has_failed(returned);
        let mut at = 0;
        for (index, (param, number)) in self.signature.params.iter().zip(numbers).enumerate() {
            let ty = param.ty.get();
            let address = number.as_address();
            let done = if param.direction.is_result {
                marshal.enter_part(webidl::Part::Result);
                let value = marshal.within_element(index as u64, || self.out_value(ty, address));
                value.map(|value| results.push(value))
            } else {
                let (index, value) = (at, self.call.get(at));
                at += 1;
                if param.direction.comes_out && address != 0 {
                    marshal.enter_part(webidl::Part::Argument(index));
                    self.take_back(ty, address, value)
                } else {
                    Ok(())
                }
            };
            if let Err(error) = done {
                self.put_off(error, &mut failure)?;
                if failed {
                    failure = None;
                    if param.direction.is_result {
                        results.push(Value::new_null(marshal.ctx.clone()));
                    }
                }
            }
        }
        marshal.enter_part(webidl::Part::Result);
        let own = match self.signature.returns.as_ref().map(|ty| &ty.get().ty) {
            Some(Type::Status(status)) if failure.is_none() => self.status(status, returned, room, &results),
            _ => self.own(returned, room),
        };
        let own = match own {
            Ok(own) => own,
            Err(error) => {
                self.put_off(error, &mut failure)?;
                None
            }
        };
        if let Some(thrown) = failure {
            return Err(marshal.ctx.throw(thrown));
        }
        if results.is_empty() {
            return Ok(own.unwrap_or_else(|| Value::new_undefined(marshal.ctx.clone())));
        }
        if own.is_none() && results.len() == 1 {
            return Ok(results.remove(0));
        }
        let mut list = qjs::spread::ArrayBuilder::new(marshal.cx(), results.len() + 1)?;
        own.iter().chain(&results).try_for_each(|value| list.push(marshal.cx().returned(value)))?;
        list.finish()
    }

    /// Keeps what was thrown first for later.
    fn put_off(&self, error: rquickjs::Error, failure: &mut Option<Value<'js>>) -> Result<()> {
        if !error.is_exception() {
            return Err(error);
        }
        let thrown = self.marshal.ctx.catch();
        // What cannot be caught is not put off: the script is to end.
        if qjs::function::is_uncatchable(&thrown) {
            return Err(self.marshal.ctx.throw(thrown));
        }
        failure.get_or_insert(thrown);
        Ok(())
    }

    /// What the guest left in the room of a Result.
    fn out_value(&self, ty: &TypeObject, address: u64) -> Result<Value<'js>> {
        let marshal = &self.marshal;
        let size = ty.layout(marshal.is_wide()).map_or(0, |layout| layout.size);
        // (A length that is an out-parameter is known now; what it needs is looked at there.)
        marshal.read_value(ty, marshal.range(address, size)?, true, None)
    }

    /// What the guest changed in an argument goes back into the script's value.
    fn take_back(&self, ty: &TypeObject, address: u64, value: Borrowed<'_>) -> Result<()> {
        let marshal = &self.marshal;
        if ty.subclassed {
            return marshal.custom_take_back(ty, address, value, true);
        }
        if !marshal.is_temporary(address) {
            return Ok(()); // it lies in the guest: the script sees what is there
        }
        // First of all, since anything may fail from here on.
        marshal.see_block(ty, address);
        marshal.forget_replaced(marshal.index());
        match &ty.ty {
            Type::Array(element, length) | Type::View(element, length) => {
                self.take_elements(element.get(), length, address, value)?;
            }
            Type::Pointer(pointee) => self.take_contents(pointee.get(), address, value)?,
            Type::RecordPointer { record, .. } => self.take_record(record.get(), address, value)?,
            Type::VoidPointer => {
                let Some((bytes, _)) = qjs::buffer::source_bytes(marshal.cx(), value) else { return Ok(()) };
                // The script may have made the buffer longer meanwhile.
                let len = bytes.len.min(marshal.temporary_bytes(address) as usize);
                let from = marshal.range(address, len as u64)?;
                // SAFETY: both ranges were looked at just now, and nothing ran since.
                unsafe { std::ptr::copy(from.start.as_ptr(), bytes.start.as_ptr(), len) };
            }
            _ => {}
        }
        Ok(())
    }

    fn take_contents(&self, pointee: &TypeObject, address: u64, value: Borrowed<'_>) -> Result<()> {
        let marshal = &self.marshal;
        let size = pointee.layout(marshal.is_wide()).map_or(0, |layout| layout.size);
        let bytes = marshal.range(address, size)?;
        let contents = marshal.within_contents(|| marshal.read_value(pointee, bytes, true, None))?;
        pointer::set_contents(&value.to_value(marshal.cx()), contents)
    }

    fn take_elements(&self, element: &TypeObject, length: &Length, address: u64, value: Borrowed<'_>) -> Result<()> {
        let marshal = &self.marshal;
        if pointer::contents(marshal, value)?.is_some() {
            return self.take_contents(element, address, value);
        }
        let object = value.to_value(marshal.cx());
        let Some(array) = object.as_object() else { return Ok(()) };
        let size = element.layout(marshal.is_wide()).map_or(0, |layout| layout.size);
        // As many as there was room for, or fewer where the guest says so.
        let room = marshal.temporary_bytes(address).checked_div(size).unwrap_or(0);
        let count = match length {
            Length::Argument(_) => marshal.length(length, None)?.map_or(room, |count| count.min(room)),
            Length::Until(sentinel) if size > 0 => marshal.find(element, address, size, *sentinel, room)?,
            _ => room,
        };
        if let Some(scalar) = element.scalar() {
            return arrays::copy_back(marshal, scalar, address, value, count);
        }
        // All of them are taken before the array is asked to change, which may fail.
        let read = |at: u64| {
            let bytes = marshal.range(address + at * size, size)?;
            marshal.within_element(at, || marshal.read_value(element, bytes, true, None))
        };
        let values = (0..count).map(read).collect::<Result<Vec<_>>>()?;
        values.into_iter().enumerate().try_for_each(|(at, value)| array.set(at as u32, value))
    }

    fn take_record(&self, record: &TypeObject, address: u64, value: Borrowed<'_>) -> Result<()> {
        let marshal = &self.marshal;
        if pointer::contents(marshal, value)?.is_some() {
            return self.take_contents(record, address, value);
        }
        let size = record.layout(marshal.is_wide()).map_or(0, |layout| layout.size);
        let made = marshal.read_value(record, marshal.range(address, size)?, true, None)?;
        let object = value.to_value(marshal.cx());
        let (Some(to), Some(from), Some((shape, _))) = (object.as_object(), made.as_object(), record::parts(record))
        else {
            return Ok(());
        };
        for name in &shape.fields {
            to.set(&**name, from.get::<_, Value>(&**name)?)?;
        }
        Ok(())
    }
}

/// A struct by view: a new one in the guest's heap, or the one at `address`, which something else owns.
pub(crate) fn record_of<'js>(call: &Call<'_, 'js>, ty: &TypeObject, address: Option<u64>) -> Result<Value<'js>> {
    let place = format!("{}.{}", ty.name(), if address.is_some() { "at" } else { "create" });
    let ctx = &call.ctx;
    let _: &ManagerObject = webidl::interface(ctx, call.args.get(0), &format!("{place}: argument 1"))?;
    let marshal = Marshal::new(ctx, call.args.get(0), &place);
    let layout = ty.layout(marshal.is_wide()).ok_or_else(|| marshal.no_value(ty))?;
    let reference = TypeRef::of(ctx, call.this, &place)?;
    if let Some(address) = address {
        let buffer = view::borrowed_buffer(ctx, marshal.heap(), address, layout.size)?;
        return record::new_view(ctx, &reference, Place::new(&buffer, marshal.manager_held(), 0), false);
    }
    marshal.manager.safe_point(ctx, &marshal)?;
    let made = (|| {
        let address = marshal.allocate(layout.size)?;
        marshal.clear(address, layout.size)?;
        let values = call.args.get(1);
        if !values.is_undefined() {
            marshal.enter_part(webidl::Part::Argument(1));
            marshal.write_value(ty, address, values)?;
        }
        let has_views = marshal.pinned_blocks() > 0;
        let block = marshal.heap().adopt(address, layout.size).map_err(|error| marshal.heap_error(error))?;
        // What its fields point to is the guest's.
        marshal.consume()?;
        marshal.commit();
        let buffer = view::buffer(ctx, marshal.heap(), block)?;
        if has_views {
            // (No field's assignment takes this one's place.)
            marshal.manager.keep_in(ctx, &Held::new(buffer.as_value()), u64::MAX, Some(values))?;
        }
        record::new_view(ctx, &reference, Place::new(&buffer, marshal.manager_held(), 0), false)
    })();
    marshal.finish(made)
}
