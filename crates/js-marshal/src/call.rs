//! A marshalled call in progress: arguments in, the guest's function, what comes out.

use std::cell::Cell;

use island::call::{Number, NumericType, PlainType};
use island::{Frame, NumberKind};
use js_api::ExportedFunction;
use qjs::{Args, Arguments, Borrowed, Held, Result, Value};
use smallvec::SmallVec;

use crate::changes::Changes;
use crate::convert::{CallArguments, Marshal};
use crate::scalar::Scalar;
use crate::status;
use crate::straight::Straight;
use crate::types::{Direction, Length, Param, Signature, Status, Type, TypeObject};

/// How a signature is passed by C's convention for WebAssembly.
pub(crate) struct Plan {
    params: SmallVec<[NumberKind; 8]>,
    result: Option<NumberKind>,
    /// Whether a record is returned through a first parameter that points to room for it.
    by_room: bool,
    /// How many arguments the script passes.
    pub(crate) passed: usize,
    /// Whether anything but numbers is passed, so that the guest's memory matters.
    has_memory: bool,
    /// Whether a parameter is of a script's own type.
    has_custom: bool,
    /// For each parameter, whether the script's value is looked at again after the call.
    looks_again: SmallVec<[bool; 8]>,
    /// Whether anything but the function's own result comes out.
    has_outs: bool,
    /// The steps of most calls, which need nothing else of this.
    pub(crate) straight: Option<Straight>,
}

impl Plan {
    pub(crate) fn new(signature: &Signature, wide: bool) -> Self {
        let (params, result) = kinds(signature, wide);
        let returns = signature.returns.as_ref().map(|ty| own_result(ty.get()));
        let passed = signature.params.iter().filter(|param| !param.direction.is_result).count();
        let is_number = |ty: &TypeObject| ty.scalar().is_some() || matches!(ty.ty, Type::Void);
        let params_are = signature.params.iter().all(|param| !param.direction.is_result && is_number(param.ty.get()));
        let has_memory = !params_are || returns.is_some_and(|ty| !is_number(ty));
        let has_custom = signature.params.iter().any(|param| param.ty.get().has_custom());
        let again = |param: &Param| {
            let ty = param.ty.get();
            !param.direction.is_result && (param.direction.comes_out || ty.reaches_writable_behind())
        };
        let looks_again: SmallVec<[bool; 8]> = signature.params.iter().map(again).collect();
        let is_out = |(param, again): (&Param, &bool)| *again || param.direction.is_result;
        let has_outs = signature.params.iter().zip(&looks_again).any(is_out);
        let by_room = by_room(signature, wide);
        let numeric = NumericType { params: params.iter().copied().collect(), results: result.into_iter().collect() };
        let plain = PlainType::of(&numeric).filter(|_| !signature.is_async);
        let straight = plain.and_then(|plain| Straight::new(signature, plain, wide));
        Self { params, result, by_room, passed, has_memory, has_custom, looks_again, has_outs, straight }
    }

    /// Whether a function of the type can be called.
    #[inline]
    pub(crate) fn fits(&self, ty: &NumericType) -> bool {
        ty.params[..] == self.params[..] && self.result.is_none_or(|result| ty.results.first() == Some(&result))
    }

    /// The steps of most calls, if a function of the type can be called by them.
    #[inline]
    pub(crate) fn straight_for(&self, ty: Option<&PlainType>) -> Option<&Straight> {
        self.straight.as_ref().filter(|straight| ty.is_some_and(|ty| ty.takes_as(&straight.plain)))
    }

    /// Why the function's type does not fit; `None` if it does.
    pub(crate) fn mismatch(&self, ty: Option<&NumericType>) -> Option<String> {
        if ty.is_some_and(|ty| self.fits(ty)) {
            return None;
        }
        let params: Vec<_> = self.params.iter().map(NumberKind::to_string).collect();
        let result = self.result.map_or("nothing".into(), |result| result.to_string());
        Some(format!("the prototype passes ({}) and expects {result}", params.join(", ")))
    }
}

/// The numbers that a function takes, and the one that it returns.
pub(crate) type Kinds = (SmallVec<[NumberKind; 8]>, Option<NumberKind>);

/// How a value is passed.
pub(crate) enum Passing {
    /// Not at all: a struct without bytes.
    Nothing,
    /// As a number.
    Number(NumberKind),
    /// By a pointer to it.
    Pointer,
}

/// How C's convention for WebAssembly passes a value of the type.
pub(crate) fn passing(ty: &TypeObject, wide: bool) -> Passing {
    match &ty.ty {
        Type::Record(shape, _) => match shape.get() {
            Some(shape) if shape.is_nothing(wide) => Passing::Nothing,
            Some(shape) => shape.single(wide).map_or(Passing::Pointer, |scalar| Passing::Number(scalar.kind(wide))),
            None => Passing::Pointer,
        },
        _ => Passing::Number(ty.scalar().unwrap_or(Scalar::Size).kind(wide)),
    }
}

/// The numbers of a signature of a guest's function or a callback, by C's convention for WebAssembly.
pub(crate) fn kinds(signature: &Signature, wide: bool) -> Kinds {
    let pointer = Scalar::Size.kind(wide);
    let returns = signature.returns.as_ref().map(|ty| own_result(ty.get()));
    let returns = returns.filter(|ty| !matches!(ty.ty, Type::Void)).map(|ty| passing(ty, wide));
    let result = match returns {
        Some(Passing::Number(kind)) => Some(kind),
        _ => None,
    };
    let room = by_room(signature, wide).then_some(pointer);
    let params = signature.params.iter().filter_map(|param| match param.direction.is_result {
        true => Some(pointer),
        false => match passing(param.ty.get(), wide) {
            Passing::Nothing => None,
            Passing::Number(kind) => Some(kind),
            Passing::Pointer => Some(pointer),
        },
    });
    let variadic = signature.is_variadic.then_some(pointer);
    (room.into_iter().chain(params).chain(variadic).collect(), result)
}

/// Whether the result is a record that goes into room that a first parameter points to.
pub(crate) fn by_room(signature: &Signature, wide: bool) -> bool {
    let returns = signature.returns.as_ref().map(|ty| passing(own_result(ty.get()), wide));
    matches!(returns, Some(Passing::Pointer))
}

/// The type of what the function itself returns.
pub(crate) fn own_result(ty: &TypeObject) -> &TypeObject {
    match &ty.ty {
        Type::Status(status) => status.ty.get(),
        _ => ty,
    }
}

/// What is called.
pub(crate) enum Target<'a> {
    /// A function of the manager's own island: called directly.
    Exported(&'a ExportedFunction),
    /// Any other function: a script's wrapper, say.
    Callable(&'a Held),
}

impl<'a> Target<'a> {
    /// The function's name, for messages.
    pub(crate) fn name(&self) -> &'a str {
        match self {
            Self::Exported(function) => function.label(),
            Self::Callable(_) => "the function",
        }
    }
}

/// Where a record that is returned goes, and how long it is, if one is.
pub(crate) type Room = Option<(u64, u64)>;

/// A call whose arguments have been passed.
pub(crate) struct Begun {
    /// What the guest's function takes.
    pub(crate) numbers: SmallVec<[Number; 8]>,
    pub(crate) room: Room,
}

/// A call in progress.
pub(crate) struct Running<'r, 'c, 'js> {
    pub(crate) marshal: &'r Marshal<'c, 'js>,
    pub(crate) call: &'c CallArguments<'c, 'js>,
    pub(crate) signature: &'c Signature,
    pub(crate) target: Target<'c>,
    pub(crate) plan: &'c Plan,
    /// Whether the guest was called.
    pub(crate) entered: Cell<bool>,
}

impl<'js> Running<'_, '_, 'js> {
    pub(crate) fn run(&self) -> Result<Value<'js>> {
        self.check_count()?;
        self.end(self.call())
    }

    /// Refuses a wrong number of arguments.
    pub(crate) fn check_count(&self) -> Result<()> {
        let came = self.call.args.len().saturating_sub(self.call.leading);
        let expected = self.plan.passed;
        if came == expected {
            return Ok(());
        }
        let s = if expected == 1 { "" } else { "s" };
        Err(self.marshal.range_error(format_args!("expected {expected} argument{s}, got {came}")))
    }

    /// Ends what the call borrowed, whether it returned or not.
    pub(crate) fn end(&self, result: Result<Value<'js>>) -> Result<Value<'js>> {
        if result.is_err() && self.entered.get() && !self.call.returned.get() {
            self.forget_all_replaced();
        }
        let result = if self.plan.has_custom { self.free_custom(result) } else { result };
        self.marshal.finish(result)
    }

    /// A guest that did not return may have replaced the blocks that its arguments point to.
    fn forget_all_replaced(&self) {
        let passed = self.call.numbers.borrow().clone();
        let changes = Changes::new(self.marshal);
        let mut at = 0;
        for (index, (param, number)) in self.signature.params.iter().zip(&passed).enumerate() {
            if param.direction.is_result {
                continue;
            }
            let address = self.address_of(index, param, *number);
            if self.plan.looks_again[index] && self.marshal.is_temporary(address) {
                self.marshal.enter_part(webidl::Part::Argument(at));
                changes.see(param.ty.get(), address);
            }
            at += 1;
        }
    }

    /// Has scripts' own types free what they have marshalled, unless it came out.
    fn free_custom(&self, result: Result<Value<'js>>) -> Result<Value<'js>> {
        let (ctx, marshal) = (self.marshal.ctx, self.marshal);
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
        let begun = self.begin()?;
        let returned = self.enter(&begun.numbers)?;
        self.take(returned, begun.room)
    }

    /// Passes the arguments.
    pub(crate) fn begin(&self) -> Result<Begun> {
        let (marshal, wide) = (self.marshal, self.marshal.is_wide());
        if self.plan.has_memory {
            marshal.manager.safe_point(marshal.ctx, marshal)?;
        }
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
        for (index, param) in self.signature.params.iter().enumerate() {
            let number = match param.direction.is_result {
                true => Some(self.room_for(param.ty.get())?),
                false => {
                    marshal.enter_part(webidl::Part::Argument(at));
                    marshal.begin_argument(self.plan.looks_again[index]);
                    let value = self.call.get(at);
                    at += 1;
                    self.argument(index, param.ty.get(), param.direction, value)?
                }
            };
            self.call.numbers.borrow_mut().push(number.unwrap_or(Number::I32(0)));
            numbers.extend(number);
        }
        if self.signature.is_variadic {
            numbers.push(marshal.pointer(0));
        }
        Ok(Begun { numbers, room })
    }

    /// What a call that has returned comes to.
    pub(crate) fn take(&self, returned: Option<Number>, room: Room) -> Result<Value<'js>> {
        self.call.returned.set(true);
        if self.plan.has_outs {
            return self.take_all(returned, room);
        }
        let own = self.own(returned, room)?;
        Ok(own.unwrap_or_else(|| Value::new_undefined(self.marshal.ctx.clone())))
    }

    /// An argument as a number; `None` if nothing is passed for it.
    #[inline]
    fn argument(
        &self,
        index: usize,
        ty: &TypeObject,
        direction: Direction,
        value: Borrowed<'_>,
    ) -> Result<Option<Number>> {
        let marshal = self.marshal;
        if let Some(scalar) = ty.scalar() {
            return marshal.number(ty, scalar, value).map(Some);
        }
        if let Type::Record(shape, _) = &ty.ty {
            let shape = shape.get().ok_or_else(|| marshal.no_value(ty))?;
            let wide = marshal.is_wide();
            let address = marshal.allocate(shape.layout(wide).size)?;
            let number = match shape.single(wide) {
                Some(scalar) => Some(marshal.single(ty, scalar, address, value)?),
                None => {
                    marshal.write_value(ty, address, value)?;
                    (!shape.is_nothing(wide)).then(|| marshal.pointer(address))
                }
            };
            if self.plan.looks_again[index] {
                self.call.records.borrow_mut().push((index, address));
                marshal.keep_image(address, shape.layout(wide).size)?;
            }
            return Ok(number);
        }
        Ok(Some(marshal.pointer(marshal.pointer_to(ty, value, direction)?)))
    }

    /// Room for a value that the guest fills in.
    fn room_for(&self, ty: &TypeObject) -> Result<Number> {
        let (marshal, wide) = (self.marshal, self.marshal.is_wide());
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

    /// Calls the guest's function. Returns its result, if the prototype has one.
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
                let stack = function.mark_stack();
                function.call_frame(cx, &mut frame).inspect_err(|_| function.unwind_stack(stack))?;
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
    pub(crate) fn give(&self) -> Result<()> {
        self.entered.set(true);
        if self.marshal.ledger.consumed.borrow().is_empty() { Ok(()) } else { self.marshal.consume() }
    }

    #[cold]
    fn throw_signature(&self, function: &ExportedFunction) -> rquickjs::Error {
        let message = self.plan.mismatch(function.callee().numeric()).unwrap_or_default();
        self.marshal.type_error(format_args!("{message}, but the function's type is {}", function.callee().ty()))
    }

    /// What the function itself returned, as the script gets it; `None` if it returned nothing.
    fn own(&self, returned: Option<Number>, room: Room) -> Result<Option<Value<'js>>> {
        let Some(ty) = &self.signature.returns else { return Ok(None) };
        let marshal = self.marshal;
        marshal.enter_part(webidl::Part::Result);
        match &ty.get().ty {
            Type::Status(status) => self.status(status, returned, room, &[]),
            _ => self.value(ty.get(), returned, room),
        }
    }

    fn value(&self, ty: &TypeObject, returned: Option<Number>, room: Room) -> Result<Option<Value<'js>>> {
        let (marshal, cx, wide) = (self.marshal, self.marshal.cx(), self.marshal.is_wide());
        if let Some((address, size)) = room {
            return marshal.read_value(ty, marshal.range(address, size)?, true, None).map(Some);
        }
        if matches!(ty.ty, Type::Record(..)) && matches!(passing(ty, wide), Passing::Nothing) {
            let size = ty.layout(wide).map_or(0, |layout| layout.size);
            let address = marshal.allocate(size)?;
            marshal.clear(address, size)?;
            return marshal.read_value(ty, marshal.range(address, size)?, true, None).map(Some);
        }
        let Some(number) = returned else { return Ok(None) };
        if let Some(scalar) = ty.scalar() {
            return scalar.result_to_js(cx, number).into_value(cx).map(Some);
        }
        if let Type::Record(shape, _) = &ty.ty {
            // A record of one number came as that number.
            let scalar = shape.get().and_then(|shape| shape.single(wide)).ok_or_else(|| marshal.no_value(ty))?;
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
        room: Room,
        others: &[Value<'js>],
    ) -> Result<Option<Value<'js>>> {
        let number = returned.unwrap_or(Number::I32(0));
        let ty = status.ty.get();
        let code = status::code(ty, number);
        if status.is_failure(code) {
            return Err(status::throw(self.marshal, status, code, others));
        }
        // A single success tells nothing.
        if status.success.len() == 1 {
            return Ok(None);
        }
        self.value(ty, returned, room)
    }

    /// What comes out of the arguments, and the result.
    fn take_all(&self, returned: Option<Number>, room: Room) -> Result<Value<'js>> {
        let marshal = self.marshal;
        let numbers = self.call.numbers.borrow().clone();
        let changes = Changes::new(marshal);
        let mut results: SmallVec<[Value; 4]> = SmallVec::new();
        // Everything is taken, whatever fails on the way: what comes out may be the host's to free.
        let mut failure = None;
        // If the call failed, C leaves open what came out. What cannot be read then is null.
        let failed = self.has_failed(returned);
        let mut at = 0;
        for (index, (param, number)) in self.signature.params.iter().zip(&numbers).enumerate() {
            let ty = param.ty.get();
            let address = self.address_of(index, param, *number);
            let done = if param.direction.is_result {
                marshal.enter_part(webidl::Part::Result);
                let value = marshal.within_element(index as u64, || self.out_value(ty, address));
                value.map(|value| results.push(value))
            } else {
                let value = self.call.get(at);
                at += 1;
                if self.plan.looks_again[index] && address != 0 {
                    marshal.enter_part(webidl::Part::Argument(at - 1));
                    changes.take(ty, param.direction, address, value)
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
        let mut list = qjs::array::ArrayBuilder::new(marshal.cx(), results.len() + 1)?;
        own.iter().chain(&results).try_for_each(|value| list.push(marshal.cx().returned(value)))?;
        list.finish()
    }

    /// Keeps the first exception that was thrown for later.
    fn put_off(&self, error: rquickjs::Error, failure: &mut Option<Value<'js>>) -> Result<()> {
        if !error.is_exception() {
            return Err(error);
        }
        let thrown = self.marshal.ctx.catch();
        // An error that cannot be caught is not put off: the script has to end.
        if qjs::function::is_uncatchable(&thrown) {
            return Err(self.marshal.ctx.throw(thrown));
        }
        failure.get_or_insert(thrown);
        Ok(())
    }

    /// What the guest left in the room of a Result.
    fn out_value(&self, ty: &TypeObject, address: u64) -> Result<Value<'js>> {
        let marshal = self.marshal;
        let size = ty.layout(marshal.is_wide()).map(|layout| layout.size);
        // (If its length is an out-parameter, that is known by now.)
        let room = size.unwrap_or_else(|| marshal.temporary_bytes(address));
        marshal.read_value(ty, marshal.range(address, room)?, true, None)
    }

    /// Where what was passed for a parameter lies. For a record that was passed by value, 0 if nobody has to know.
    fn address_of(&self, index: usize, param: &Param, number: Number) -> u64 {
        match param.ty.get().ty {
            Type::Record(..) if !param.direction.is_result => {
                self.call.records.borrow().iter().find(|record| record.0 == index).map_or(0, |record| record.1)
            }
            _ => number.as_address(),
        }
    }
}
