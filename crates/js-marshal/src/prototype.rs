//! `FunctionPrototype`: a C function's signature, and whole marshalled calls by it.

use std::cell::{OnceCell, RefCell};

use island::Frame;
use island::call::Number;
use js_api::ExportedFunction;
use marshal::Heap;
use qjs::define;
use qjs::{
    Arguments, Borrowed, Call, ClassId, Ctx, Cx, Exception, Held, HostClass, Marker, Object, Result, Returned, Value,
    class,
};
use smallvec::SmallVec;

use crate::arrays::{self, Source};
use webidl::Place;

use crate::errors::throw_heap_error;
use crate::manager::{ManagerObject, byte_length};
use crate::scalar::{Scalar, length};
use crate::types::{ArgumentObject, Direction, Length, Type, TypeObject, define_class, throw_length};
use crate::{ids, strings, view};

const INVOKE: &str = "FunctionPrototype.invoke";

/// Arguments of `invoke` before the function's own: the manager and the function.
const LEADING: usize = 2;

/// The value of a FunctionPrototype.
struct PrototypeObject {
    params: Vec<(Type, Direction)>,
    returns: Type,
}

// SAFETY: every type's callback is marked once. The number is this class's own.
unsafe impl HostClass for PrototypeObject {
    const ID: ClassId = ids::PROTOTYPE;
    const NAME: &'static std::ffi::CStr = c"FunctionPrototype";

    fn mark(&self, marker: &Marker) {
        self.params.iter().for_each(|(ty, _)| ty.mark(marker));
        self.returns.mark(marker);
    }
}

pub(crate) fn define<'js>(ctx: &Ctx<'js>, exports: &Object<'js>) -> Result<()> {
    class::register::<PrototypeObject>(ctx)?;
    let prototype = define_class(exports, "FunctionPrototype", 2, constructor)?;
    class::set_prototype::<PrototypeObject>(ctx, &prototype);
    define::method(&prototype, "invoke", LEADING as i32, invoke)
}

fn constructor<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "FunctionPrototype";
    webidl::require_new(&call, PLACE)?;
    let ctx = &call.ctx;
    let list = call.arg(0);
    let Some(list) = list.as_array() else {
        let message =
            format!("{PLACE}: argument 1 must be an array of In, Out and InOut, got {}", webidl::describe(&list));
        return Err(Exception::throw_type(ctx, &message));
    };
    let mut params = Vec::with_capacity(list.len());
    for (at, argument) in list.iter::<Value>().enumerate() {
        let argument = argument?;
        let place = format!("{PLACE}: argument 1: element {at}");
        let argument: &ArgumentObject = webidl::interface(ctx, Borrowed::of(&argument), &place)?;
        params.push((argument.ty.duplicate(), argument.direction));
    }
    let returns = match call.arg(1) {
        value if value.is_undefined() || value.is_null() => Type::Void,
        value => {
            let ty: &TypeObject = webidl::interface(ctx, Borrowed::of(&value), &format!("{PLACE}: argument 2"))?;
            ty.ty.duplicate()
        }
    };
    if let Type::Array(_, Length::Given) | Type::View(_, Length::Given) = returns {
        let message = format!("{PLACE}: argument 2: the {} of a result needs a length", returns.name());
        return Err(Exception::throw_type(ctx, &message));
    }
    let prototype = class::prototype_from_new_target::<PrototypeObject>(&call)?;
    Ok(class::new_object(ctx, PrototypeObject { params, returns }, prototype.as_ref())?.into_value())
}

/// `invoke(memoryManager, func, ...args)`.
fn invoke<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let prototype: &PrototypeObject = webidl::this(&call, "invoke")?;
    let ctx = &call.ctx;
    let manager: &ManagerObject = match class::get(call.args.get(0)) {
        Some(manager) => manager,
        None => webidl::interface(ctx, call.args.get(0), &format!("{INVOKE}: argument 1"))?,
    };
    let target = Target::of(&call, manager)?;
    let (expected, came) = (prototype.params.len(), call.args.len().saturating_sub(LEADING));
    if came != expected {
        let s = if expected == 1 { "" } else { "s" };
        let message = format!("{}: expected {expected} argument{s}, got {came}", target.name());
        return Err(Exception::throw_range(ctx, &message));
    }
    let running = Running {
        call: &call,
        manager,
        target,
        temporary: RefCell::default(),
        pinned: RefCell::default(),
        args: OnceCell::new(),
    };
    let result = running.run(prototype);
    running.finish(result)
}

/// What is called.
enum Target<'a> {
    /// A function of the manager's own island: called directly.
    Exported(&'a ExportedFunction),
    /// Any other function: a script's wrapper, say.
    Callable(Held),
}

impl<'a> Target<'a> {
    fn of(call: &Call<'a, '_>, manager: &ManagerObject) -> Result<Self> {
        let value = call.args.get(1);
        match class::get::<ExportedFunction>(value) {
            Some(function) if !function.link().is_same(manager.link()) => {
                let message = format!("{INVOKE}: argument 2 is a function of another guest than the memory manager's");
                Err(Exception::throw_type(&call.ctx, &message))
            }
            Some(function) if function.callee().numeric().is_some() => Ok(Self::Exported(function)),
            _ => {
                let function = call.arg(1);
                if !function.is_function() {
                    let message =
                        format!("{INVOKE}: argument 2 must be a function, got {}", webidl::describe(&function));
                    return Err(Exception::throw_type(&call.ctx, &message));
                }
                Ok(Self::Callable(Held::new(&function)))
            }
        }
    }

    /// The function's name, for messages.
    fn name(&self) -> &str {
        match self {
            Self::Exported(function) => function.label(),
            Self::Callable(_) => "the function",
        }
    }
}

/// A call in progress.
struct Running<'c, 'a, 'js> {
    call: &'c Call<'a, 'js>,
    manager: &'c ManagerObject,
    target: Target<'a>,
    /// Blocks that last as long as the call.
    temporary: RefCell<SmallVec<[u64; 4]>>,
    /// Blocks of views whose addresses the guest was given: scripts may drop the views during the call.
    pinned: RefCell<SmallVec<[u64; 4]>>,
    /// The arguments as an array, once a callback asked for them.
    args: OnceCell<Value<'js>>,
}

/// What is copied back into an argument after the call.
struct CopyBack {
    at: usize,
    scalar: Scalar,
    address: u64,
    len: usize,
}

impl<'js> Running<'_, '_, 'js> {
    fn ctx(&self) -> &Ctx<'js> {
        &self.call.ctx
    }

    fn heap(&self) -> &Heap {
        self.manager.heap()
    }

    fn arg(&self, at: usize) -> Borrowed<'_> {
        self.call.args.get(at + LEADING)
    }

    fn place(&self, at: usize) -> Place<'_> {
        Place::argument(self.target.name(), at)
    }

    fn run(&self, prototype: &PrototypeObject) -> Result<Value<'js>> {
        self.manager.safe_point(self.ctx(), Place::whole(self.target.name()))?;
        let mut numbers = SmallVec::<[Number; 8]>::new();
        let mut back = SmallVec::<[CopyBack; 2]>::new();
        for (at, (ty, direction)) in prototype.params.iter().enumerate() {
            let number = match ty {
                Type::Scalar(scalar) => self.scalar(at, *scalar)?,
                Type::String => {
                    let address = match self.arg(at) {
                        value if value.is_null() => 0,
                        value => {
                            let address = strings::copy_in(self.ctx(), self.heap(), value, self.place(at))?;
                            self.temporary.borrow_mut().push(address);
                            address
                        }
                    };
                    self.pointer(address)
                }
                Type::Array(scalar, length) | Type::View(scalar, length) => {
                    let address = self.array(at, *scalar, length, *direction, &mut back)?;
                    self.pointer(address)
                }
                Type::Void => unreachable!("`In` refuses VoidType"),
            };
            numbers.push(number);
        }
        let result = self.enter(&numbers, &prototype.returns)?;
        for back in &back {
            let place = self.place(back.at);
            let CopyBack { scalar, address, len, .. } = *back;
            arrays::copy_back(self.ctx(), self.heap(), scalar, address, self.arg(back.at), len, place)?;
        }
        self.result(result, &prototype.returns)
    }

    fn scalar(&self, at: usize, scalar: Scalar) -> Result<Number> {
        match scalar.to_argument(Cx::of(self.ctx()), self.arg(at))? {
            Some(number) => Ok(number),
            None => {
                let came = webidl::describe(&self.call.arg(at + LEADING));
                let message =
                    format!("{}: expected {} for {}, got {came}", self.place(at), scalar.expected(), scalar.name());
                Err(Exception::throw_type(self.ctx(), &message))
            }
        }
    }

    fn pointer(&self, address: u64) -> Number {
        if self.heap().is_wide() { Number::I64(address as i64) } else { Number::I32(address as u32 as i32) }
    }

    /// The address that an array argument has in the guest, where it is copied unless it lies there already.
    fn array(
        &self,
        at: usize,
        scalar: Scalar,
        length: &Length,
        direction: Direction,
        back: &mut SmallVec<[CopyBack; 2]>,
    ) -> Result<u64> {
        let (ctx, manager, value) = (&self.call.ctx, self.manager, self.call.args.get(at + LEADING));
        if value.is_null() {
            return Ok(0);
        }
        let place = self.place(at);
        let source = Source::of(ctx, manager.heap(), scalar, value, place)?;
        let len = source.len();
        if let Source::InGuest { buffer, .. } = source
            && manager.heap().pin(buffer)
        {
            self.pinned.borrow_mut().push(buffer);
        }
        let count = match length {
            Length::Given => len as u64,
            length => self.length(at as i32, length, place)?,
        };
        if direction.goes_in && len as u64 > count {
            let message = format!("{place}: the array has {len} elements, more than the {count} that its length says");
            return Err(Exception::throw_range(ctx, &message));
        }
        if let Source::InGuest { address, .. } = source {
            if (len as u64) < count {
                let message =
                    format!("{place}: the array has {len} elements, fewer than the {count} that its length says");
                return Err(Exception::throw_range(ctx, &message));
            }
            return Ok(address);
        }
        let bytes = byte_length(ctx, count, scalar, place)?;
        let fail = |error| throw_heap_error(ctx, place, error);
        let address = manager.heap().allocate(bytes).map_err(fail)?;
        self.temporary.borrow_mut().push(address);
        if direction.goes_in {
            // Allocating ran the guest, which may have run scripts: the array is looked at again.
            let source = Source::of(ctx, manager.heap(), scalar, value, place)?;
            if source.len() != len {
                return Err(Exception::throw_type(ctx, &format!("{place}: the array changed during the call")));
            }
            if (len as u64) < count {
                manager.heap().data().fill(address, bytes, 0).map_err(|error| fail(error.into()))?;
            }
            source.copy_in(ctx, manager.heap(), scalar, address, place)?;
        } else {
            manager.heap().data().fill(address, bytes, 0).map_err(|error| fail(error.into()))?;
        }
        if direction.comes_out {
            back.push(CopyBack { at, scalar, address, len: count as usize });
        }
        Ok(address)
    }

    /// A length that is a number or asked for.
    fn length(&self, index: i32, length_of: &Length, place: Place<'_>) -> Result<u64> {
        let callback = match length_of {
            Length::Fixed(count) => return Ok(*count),
            Length::Callback(callback) => callback,
            Length::Given => unreachable!("only for arguments, which have a length"),
        };
        let ctx = self.ctx().clone();
        let cx = Cx::of(&ctx);
        let args = match self.args.get() {
            Some(args) => args.clone(),
            None => {
                let count = self.call.args.len() - LEADING;
                let mut builder = qjs::spread::ArrayBuilder::new(cx, count)?;
                for at in 0..count {
                    builder.push(cx.returned(&self.call.arg(at + LEADING)))?;
                }
                let args = builder.finish()?;
                self.args.get_or_init(|| args).clone()
            }
        };
        let mut arguments = Arguments::new(cx);
        arguments.push(Returned::int(index))?;
        arguments.push(cx.returned(&args))?;
        let undefined = qjs::Args::default().get(0);
        let result = callback.call(cx, undefined, &mut arguments)?;
        match result.borrow().int() {
            Some(count) if count >= 0 => Ok(count as u64),
            _ => {
                let value = result.to_value();
                length(&value).ok_or_else(|| throw_length(&ctx, place, &value))
            }
        }
    }

    /// Calls the guest's function; its result where the prototype has one.
    fn enter(&self, numbers: &[Number], returns: &Type) -> Result<Option<Number>> {
        let cx = Cx::of(&self.call.ctx);
        let wanted = self.result_kind(returns);
        match &self.target {
            Target::Exported(function) => {
                let ty = function.callee().numeric().expect("checked when it was chosen");
                let fits = ty.params.iter().copied().eq(numbers.iter().map(|number| number.kind()));
                if !fits || wanted.is_some_and(|wanted| ty.results.first() != Some(&wanted)) {
                    return Err(self.throw_signature(numbers, returns));
                }
                let mut frame = Frame::new(ty);
                numbers.iter().for_each(|&number| frame.push(number));
                function.call_frame(cx, &mut frame)?;
                Ok(wanted.map(|_| frame.result(0)))
            }
            Target::Callable(function) => {
                let mut arguments = Arguments::new(cx);
                numbers.iter().try_for_each(|&number| arguments.push(js_api::from_number(cx, number)))?;
                let undefined = qjs::Args::default().get(0);
                let result = function.call(cx, undefined, &mut arguments)?;
                wanted.map(|wanted| js_api::to_number(cx, result.borrow(), wanted)).transpose()
            }
        }
    }

    fn result_kind(&self, returns: &Type) -> Option<island::Kind> {
        match returns {
            Type::Void => None,
            Type::Scalar(scalar) => Some(scalar.kind()),
            Type::String | Type::Array(..) | Type::View(..) => {
                Some(if self.heap().is_wide() { island::Kind::I64 } else { island::Kind::I32 })
            }
        }
    }

    #[cold]
    fn throw_signature(&self, numbers: &[Number], returns: &Type) -> rquickjs::Error {
        let Target::Exported(function) = &self.target else { return rquickjs::Error::Unknown };
        let passed: Vec<_> = numbers.iter().map(|number| format!("{:?}", number.kind()).to_lowercase()).collect();
        let result = match self.result_kind(returns) {
            Some(kind) => format!("{kind:?}").to_lowercase(),
            None => "nothing".into(),
        };
        let message = format!(
            "{}: the prototype passes ({}) and expects {result}, but the function's type is {}",
            self.target.name(),
            passed.join(", "),
            function.callee().ty()
        );
        Exception::throw_type(self.ctx(), &message)
    }

    /// What the script gets for the function's result.
    fn result(&self, number: Option<Number>, returns: &Type) -> Result<Value<'js>> {
        let ctx = self.ctx().clone();
        let cx = Cx::of(&ctx);
        let Some(number) = number else { return Ok(Value::new_undefined(ctx)) };
        let address = match (returns, number) {
            (Type::Scalar(scalar), number) => return scalar.result_to_js(cx, number).into_value(cx),
            (_, Number::I32(address)) => u64::from(address as u32),
            (_, Number::I64(address)) => address as u64,
            _ => unreachable!("a pointer is an integer"),
        };
        if address == 0 {
            return Ok(Value::new_null(ctx));
        }
        // The block is ours from here on, whatever happens. It may be one that the call lent: some functions return
        // their argument.
        let lent = self.temporary.borrow().contains(&address);
        if let Type::View(scalar, length) = returns {
            self.temporary.borrow_mut().retain(|lent| *lent != address);
            return self.result_view(address, *scalar, length);
        }
        if !lent {
            self.temporary.borrow_mut().push(address);
        }
        match returns {
            Type::String => strings::copy_out(&ctx, self.manager.heap(), address, self.result_place()),
            Type::Array(scalar, length) => {
                let count = self.length(-1, length, self.result_place())?;
                arrays::copy_out(&ctx, self.manager.heap(), *scalar, address, count, self.result_place())
            }
            _ => unreachable!("handled above"),
        }
    }

    fn result_view(&self, address: u64, scalar: Scalar, length: &Length) -> Result<Value<'js>> {
        let ctx = self.ctx().clone();
        let place = self.result_place();
        let bytes = self.length(-1, length, place).and_then(|count| byte_length(&ctx, count, scalar, place));
        let bytes = bytes.and_then(|bytes| match address % scalar.size() as u64 {
            0 => Ok(bytes),
            _ => {
                let error = marshal::HeapError::Misaligned { address, align: scalar.size() };
                Err(throw_heap_error(&ctx, place, error))
            }
        });
        let adopted = bytes
            .and_then(|bytes| self.heap().adopt(address, bytes).map_err(|error| throw_heap_error(&ctx, place, error)));
        match adopted {
            Ok(block) => view::new(&ctx, self.heap(), block, scalar.element()),
            Err(error) => {
                self.temporary.borrow_mut().push(address);
                Err(error)
            }
        }
    }

    fn result_place(&self) -> Place<'_> {
        Place::result(self.target.name())
    }

    /// Frees what the call borrowed. Its own error counts more than one from freeing.
    fn finish(self, result: Result<Value<'js>>) -> Result<Value<'js>> {
        self.pinned.take().iter().for_each(|&address| self.heap().unpin(address));
        let temporary = self.temporary.take();
        if temporary.is_empty() {
            return result;
        }
        // Freeing runs the guest, before which the exception must be out of the way.
        let ctx = self.ctx().clone();
        let thrown = match &result {
            Err(rquickjs::Error::Exception) => Some(ctx.catch()),
            _ => None,
        };
        let mut freed = Ok(());
        for address in &temporary {
            let done = self.heap().give_back(*address);
            freed = freed.and(done.map_err(|error| throw_heap_error(&ctx, Place::whole(self.target.name()), error)));
        }
        match (thrown, freed) {
            (Some(thrown), freed) => {
                if freed.is_err() {
                    drop(ctx.catch());
                }
                Err(ctx.throw(thrown))
            }
            (None, Err(error)) => Err(error),
            (None, Ok(())) => result,
        }
    }
}
