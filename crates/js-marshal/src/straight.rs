//! The straight way through a call: numbers, arrays of numbers and strings in, and one of these, or a view, out. That is
//! what most calls are, and they need none of the lists that structs, callbacks and handles do. Which calls take this
//! way is decided when the prototype is bound ([`Straight::new`]). An argument that is out of the ordinary sends the call
//! back to the general way before anything has happened.

use std::cell::Cell;
use std::ptr::NonNull;

use island::call::Number;
use js_api::ExportedFunction;
use marshal::{GuestBlock, Heap, HeapError};
use qjs::string::Units;
use qjs::{Args, Arguments, Borrowed, Bytes, Cx, ElementKind, Held, Result, Returned, class};
use smallvec::SmallVec;

use crate::call::own_result;
use crate::convert::{CallArguments, Marshal};
use crate::errors::throw_heap_error;
use crate::handle::HandleObject;
use crate::manager::ManagerObject;
use crate::scalar::Scalar;
use crate::types::{Encoding, Length, Param, Signature, Type, TypeObject};

/// How an argument goes in.
enum Step {
    Number(Scalar),
    /// Numbers behind a pointer, and the parameter that says how many there are at least.
    Numbers(Scalar, Option<usize>),
    /// UTF-8 up to a zero.
    Text,
    Handle,
}

/// What comes out.
enum Outcome {
    Nothing,
    Number(Scalar),
    /// A number that says whether the call failed.
    Status(Scalar),
    /// The host's own numbers, by view or by copy.
    View(Scalar),
    Copy(Scalar),
    /// A string up to a zero, and whether its block is the host's.
    Text {
        owned: bool,
    },
}

/// The steps of a call.
pub(crate) struct Straight {
    steps: SmallVec<[Step; 8]>,
    outcome: Outcome,
    /// Whether the guest's memory matters.
    has_memory: bool,
    wide: bool,
}

/// What is copied in for an argument, once there is room.
enum Source<'a> {
    Nothing,
    /// A typed array of so many bytes.
    Bytes(usize),
    /// An array of so many elements.
    Elements(usize),
    Text(&'a [u8]),
}

/// An argument on its way.
struct Passed<'a> {
    source: Source<'a>,
    /// Where its copy begins in the block of all copies.
    offset: u64,
    /// How many elements it has.
    count: u64,
}

impl Straight {
    /// The steps for a signature; `None` if some part of it needs the general way.
    pub(crate) fn new(signature: &Signature, wide: bool) -> Option<Self> {
        if signature.is_variadic || signature.params.len() > 8 {
            return None;
        }
        let steps: SmallVec<[Step; 8]> =
            signature.params.iter().map(|param| Self::step(signature, param)).collect::<Option<_>>()?;
        let outcome = match signature.returns.as_ref().map(|ty| ty.get()) {
            None => Outcome::Nothing,
            Some(ty) => Self::outcome(signature, ty)?,
        };
        let has_memory = !matches!(outcome, Outcome::Nothing | Outcome::Number(_) | Outcome::Status(_))
            || steps.iter().any(|step| !matches!(step, Step::Number(_)));
        Some(Self { steps, outcome, has_memory, wide })
    }

    /// The numbers that elements of this type are, if these are as large in every memory.
    fn numbers(element: &TypeObject) -> Option<Scalar> {
        match &element.ty {
            Type::Scalar(scalar) if !element.exact && !matches!(scalar, Scalar::Bool) => Some(*scalar),
            _ => None,
        }
    }

    fn step(signature: &Signature, param: &Param) -> Option<Step> {
        let ty = param.ty.get();
        if param.direction.comes_out || param.direction.is_result || ty.subclassed {
            return None;
        }
        let plain = ty.ownership != crate::types::Ownership::Consumed;
        match &ty.ty {
            Type::Scalar(scalar) | Type::Enum(scalar, _) if !ty.exact => Some(Step::Number(*scalar)),
            Type::Handle { .. } if plain => Some(Step::Handle),
            Type::Array(element, length) | Type::View(element, length) if plain && !element.get().subclassed => {
                let count = match length {
                    Length::Given => None,
                    Length::Argument(at) => {
                        let counts = signature.params.get(*at)?;
                        counts.ty.get().scalar().filter(|_| !counts.direction.is_result)?;
                        Some(*at)
                    }
                    _ => return None,
                };
                Some(Step::Numbers(Self::numbers(element.get())?, count))
            }
            Type::String(Encoding::Utf8, Length::Given) if plain => Some(Step::Text),
            _ => None,
        }
    }

    fn outcome(signature: &Signature, ty: &TypeObject) -> Option<Outcome> {
        if ty.subclassed || ty.free.is_some() {
            return None;
        }
        let is_known = |length: &Length| match length {
            Length::Fixed(_) | Length::Callback(_) => true,
            Length::Argument(at) => {
                let counts = signature.params.get(*at);
                counts.is_some_and(|counts| counts.ty.get().scalar().is_some() && !counts.direction.is_result)
            }
            _ => false,
        };
        match &ty.ty {
            Type::Void => Some(Outcome::Nothing),
            Type::Scalar(scalar) | Type::Enum(scalar, _) => Some(Outcome::Number(*scalar)),
            Type::Status(status) => status.ty.get().scalar().map(Outcome::Status),
            Type::View(element, length) if ty.is_owned(true) && is_known(length) => {
                Some(Outcome::View(Self::numbers(element.get())?))
            }
            Type::Array(element, length) if ty.is_owned(true) && is_known(length) => {
                Some(Outcome::Copy(Self::numbers(element.get())?))
            }
            Type::String(Encoding::Utf8, Length::Given) => Some(Outcome::Text { owned: ty.is_owned(true) }),
            _ => None,
        }
    }
}

/// A call on the straight way.
pub(crate) struct Run<'r> {
    pub(crate) straight: &'r Straight,
    pub(crate) signature: &'r Signature,
    pub(crate) manager: &'r ManagerObject,
    pub(crate) manager_value: Borrowed<'r>,
    pub(crate) function: &'r ExportedFunction,
    pub(crate) name: &'r str,
    pub(crate) args: Args<'r>,
    /// Arguments before the function's own.
    pub(crate) leading: usize,
    /// The function's object, as [`Borrowed::identity`] tells it.
    pub(crate) target: usize,
    /// Whether the result has become the owner of the block with the copies.
    pub(crate) is_kept: Cell<bool>,
}

impl<'r> Run<'r> {
    /// Calls the function. Returns `None`, and has done nothing, if an argument needs the general way.
    #[inline]
    pub(crate) fn run(&self, cx: Cx<'_>) -> Result<Option<Returned>> {
        let Straight { steps, has_memory, wide, .. } = self.straight;
        if self.args.len() != self.leading + steps.len() {
            return Ok(None);
        }
        let heap = &**self.manager.heap();
        if *has_memory {
            if heap.is_shared() || heap.is_wide() != *wide {
                return Ok(None);
            }
            self.manager.settle(cx, &self.place())?;
        }
        let mut numbers = [Number::I32(0); 8];
        let mut passed: [Passed<'r>; 8] = [const { Passed { source: Source::Nothing, offset: 0, count: 0 } }; 8];
        let mut room = 0;
        let loan = heap.lend();
        for (at, step) in steps.iter().enumerate() {
            let value = self.args.get(self.leading + at);
            match step {
                Step::Number(scalar) => {
                    numbers[at] = match (scalar, value.int()) {
                        (Scalar::Int32 | Scalar::Uint32, Some(int)) => Number::I32(int),
                        _ => match scalar.to_argument(cx, value, *wide)? {
                            Some(number) => number,
                            None => return Ok(None),
                        },
                    };
                }
                Step::Numbers(scalar, _) => {
                    let (kind, size) = (scalar.element(*wide), scalar.size(*wide));
                    let Some(one) = numbers_of(cx, heap, &loan, value, kind, size, room) else { return Ok(None) };
                    if let Ok(address) = one.0 {
                        numbers[at] = self.pointer(address);
                    } else {
                        room = (one.1.offset + one.1.count * size as u64).next_multiple_of(8);
                    }
                    passed[at] = one.1;
                }
                Step::Handle => {
                    let Some(handle) = class::get::<HandleObject>(value) else { return Ok(None) };
                    // Its own destructor ends it, which is out of the ordinary.
                    let is_ended = handle.destructor() != 0 && handle.destructor() == self.target;
                    let ty = self.signature.params[at].ty.get();
                    match handle.address_for(ty, self.manager) {
                        Some(address) if !is_ended => numbers[at] = self.pointer(address),
                        _ => return Ok(None),
                    }
                }
                Step::Text => {
                    let Some(Units::Narrow(text)) = Units::of(cx, value)? else { return Ok(None) };
                    if !text.is_ascii() || text.contains(&0) {
                        return Ok(None);
                    }
                    passed[at] = Passed { source: Source::Text(text), offset: room, count: text.len() as u64 };
                    room = (room + text.len() as u64 + 1).next_multiple_of(8);
                }
            }
        }
        // Each array has as many elements as its length says.
        for (at, step) in steps.iter().enumerate() {
            if let Step::Numbers(_, Some(counts)) = step {
                let scalar = self.signature.params[*counts].ty.get().scalar().unwrap_or(Scalar::Int32);
                if scalar.as_length(numbers[*counts]) != Some(passed[at].count) {
                    return Ok(None);
                }
            }
        }
        if room == 0 {
            let result = self.enter(cx, &numbers);
            return self.finish(cx, result, &numbers, (0, 0)).map(Some);
        }
        let block = match heap.allocate(room) {
            Ok(block) => block,
            // There may be room for each by itself. If not, the general way says for which.
            Err(HeapError::OutOfMemory { .. }) => return Ok(None),
            Err(error) => return Err(throw_heap_error(&cx.ctx(), &self.place(), error)),
        };
        let result = self.copy_in(cx, block, &passed, &mut numbers).and_then(|()| self.enter(cx, &numbers));
        self.finish(cx, result, &numbers, (block, room)).map(Some)
    }

    fn place(&self) -> webidl::Place<'_> {
        webidl::Place::whole(self.name)
    }

    #[inline]
    fn pointer(&self, address: u64) -> Number {
        if self.straight.wide { Number::I64(address as i64) } else { Number::I32(address as u32 as i32) }
    }

    /// Copies what is to be copied into the block.
    #[inline]
    fn copy_in(&self, cx: Cx<'_>, block: u64, passed: &[Passed<'_>; 8], numbers: &mut [Number; 8]) -> Result<()> {
        let heap = self.manager.heap();
        for (at, step) in self.straight.steps.iter().enumerate() {
            let Passed { source, offset, count } = &passed[at];
            let address = block + offset;
            let data = heap.data();
            match (source, step) {
                (Source::Nothing, _) => continue,
                (Source::Text(text), _) => {
                    let done = data.write(address, text).and_then(|()| data.write(address + count, &[0]));
                    done.map_err(|error| throw_heap_error(&cx.ctx(), &self.place(), error.into()))?;
                }
                (Source::Bytes(len), _) => {
                    // Allocating ran the guest, which may have run scripts: the array is looked at again.
                    let bytes = qjs::buffer::typed_array_bytes(cx, self.args.get(self.leading + at));
                    let Some(bytes) = bytes.filter(|bytes| bytes.len == *len) else { return Err(self.changed(cx, at)) };
                    let to = self.range(cx, address, *len as u64)?;
                    // SAFETY: both ranges were looked at just now, and nothing ran since.
                    unsafe { std::ptr::copy(bytes.start.as_ptr(), to.as_ptr(), *len) };
                }
                (Source::Elements(len), Step::Numbers(scalar, _)) => {
                    self.copy_elements(cx, at, *scalar, address, *len)?
                }
                (Source::Elements(_), _) => continue,
            }
            numbers[at] = self.pointer(address);
        }
        Ok(())
    }

    fn range(&self, cx: Cx<'_>, address: u64, bytes: u64) -> Result<NonNull<u8>> {
        let range = self.manager.heap().data().range(address, bytes);
        range.map_err(|error| throw_heap_error(&cx.ctx(), &self.place(), error.into()))
    }

    #[inline]
    fn copy_elements(&self, cx: Cx<'_>, at: usize, scalar: Scalar, address: u64, len: usize) -> Result<()> {
        let value = self.args.get(self.leading + at);
        // (Allocating may have run scripts. An element that is gone since then is not a number.)
        let (wide, size) = (self.straight.wide, scalar.size(self.straight.wide));
        let to = self.range(cx, address, (len * size) as u64)?;
        for index in 0..len {
            let done = qjs::array::with_element(cx, value, index as u32, |element| {
                let mut bytes = [0; 8];
                let is_number = scalar.write(cx, element, &mut bytes[..size], wide)?;
                // SAFETY: there is room for `len` elements, and a memory never shrinks.
                unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to.as_ptr().add(index * size), size) };
                if is_number { Ok(()) } else { Err(self.no_number(cx, at, index, scalar, element)) }
            });
            done?;
        }
        Ok(())
    }

    #[cold]
    fn no_number(&self, cx: Cx<'_>, at: usize, index: usize, scalar: Scalar, element: Borrowed<'_>) -> rquickjs::Error {
        let ctx = cx.ctx();
        let marshal = Marshal::new(&ctx, self.manager_value, self.name);
        marshal.enter_part(webidl::Part::Argument(at));
        let ty = TypeObject::new(Type::Scalar(scalar));
        let refused = marshal.within_element(index as u64, || marshal.number(&ty, scalar, element));
        refused.err().unwrap_or(rquickjs::Error::Unknown)
    }

    #[cold]
    fn changed(&self, cx: Cx<'_>, at: usize) -> rquickjs::Error {
        let ctx = cx.ctx();
        let marshal = Marshal::new(&ctx, self.manager_value, self.name);
        marshal.enter_part(webidl::Part::Argument(at));
        marshal.type_error("the array changed during the call")
    }

    #[inline]
    fn enter(&self, cx: Cx<'_>, numbers: &[Number; 8]) -> Result<Option<Number>> {
        self.function.call_numbers(cx, |at, _| Ok(numbers[at])).map(Some)
    }

    /// Makes a script's value of the result, and frees the block of the copies.
    #[inline]
    fn finish(
        &self,
        cx: Cx<'_>,
        result: Result<Option<Number>>,
        numbers: &[Number; 8],
        (block, room): (u64, u64),
    ) -> Result<Returned> {
        let value = match result {
            Ok(result) => self.value(cx, result, numbers, (block, room)),
            Err(error) => Err(error),
        };
        match value {
            Ok(value) if block == 0 || self.is_kept.get() => Ok(value),
            Ok(value) => self.freed(cx, value, block, room, 8),
            Err(error) if block == 0 || self.is_kept.get() => Err(error),
            Err(error) => Err(self.refuse(cx, error, block, room)),
        }
    }

    /// The value, once a block is freed.
    #[inline]
    fn freed(&self, cx: Cx<'_>, value: Returned, address: u64, bytes: u64, align: u32) -> Result<Returned> {
        match self.free(cx, address, bytes, align) {
            Ok(()) => Ok(value),
            Err(error) => {
                drop(value.into_value(cx));
                Err(error)
            }
        }
    }

    /// The error, once a block is freed.
    #[cold]
    fn refuse(&self, cx: Cx<'_>, error: rquickjs::Error, address: u64, bytes: u64) -> rquickjs::Error {
        // Freeing runs the guest, so the exception must be taken out of the way first.
        let ctx = cx.ctx();
        let thrown = error.is_exception().then(|| ctx.catch());
        if self.free(cx, address, bytes, 8).is_err() {
            drop(ctx.catch());
        }
        thrown.map_or(error, |thrown| ctx.throw(thrown))
    }

    /// How many elements the function of a length says there are at `address`, in a block that is freed if it fails.
    #[inline]
    fn ask(&self, cx: Cx<'_>, callback: &Held, address: u64) -> Result<Option<u64>> {
        let call = || {
            let count = self.straight.steps.len();
            let mut list = qjs::array::ArrayBuilder::new(cx, count)?;
            (0..count).try_for_each(|at| list.push(cx.duplicate(self.args.get(self.leading + at))))?;
            let mut arguments = Arguments::new(cx);
            arguments.push(Returned::int(-1))?;
            arguments.push(list.into_returned())?;
            let result = callback.call(cx, Args::default().get(0), &mut arguments)?;
            match result.borrow().int() {
                Some(count) if count >= 0 => Ok(count as u64),
                _ => {
                    let value = result.to_value();
                    let refuse = || crate::descriptors::throw_length(&cx.ctx(), &self.result_place(), &value);
                    crate::scalar::length(&value).ok_or_else(refuse)
                }
            }
        };
        call().map(Some).map_err(|error| self.refuse(cx, error, address, 0))
    }

    #[inline]
    fn free(&self, cx: Cx<'_>, address: u64, bytes: u64, align: u32) -> Result<()> {
        let done = self.manager.heap().give_back_sized(address, bytes, align);
        done.map_err(|error| throw_heap_error(&cx.ctx(), &self.place(), error))
    }

    #[inline]
    fn value(&self, cx: Cx<'_>, result: Option<Number>, numbers: &[Number; 8], lent: (u64, u64)) -> Result<Returned> {
        let wide = self.straight.wide;
        let number = match (&self.straight.outcome, result) {
            (Outcome::Nothing, _) | (_, None) => return Ok(Returned::UNDEFINED),
            (Outcome::Number(scalar), Some(number)) => return Ok(scalar.result_to_js(cx, number)),
            (Outcome::Status(scalar), Some(number)) => return self.status(cx, *scalar, number, numbers),
            (_, Some(number)) => number,
        };
        let address = number.as_address();
        let ty = own_result(self.signature.returns.as_ref().expect("something comes out").get());
        // Null, and a pointer into the copies of the arguments, are out of the ordinary.
        if address == 0 || (address >= lent.0 && address - lent.0 < lent.1) {
            return self.in_general(cx, ty, address, numbers, lent);
        }
        let heap = &**self.manager.heap();
        match &self.straight.outcome {
            Outcome::View(scalar) | Outcome::Copy(scalar) => {
                let (Type::View(_, length) | Type::Array(_, length)) = &ty.ty else {
                    return Err(rquickjs::Error::Unknown);
                };
                let size = scalar.size(wide) as u64;
                let count = match length {
                    Length::Fixed(count) => Some(*count),
                    Length::Argument(at) => {
                        let of = self.signature.params[*at].ty.get().scalar();
                        of.and_then(|scalar| scalar.as_length(numbers[*at]))
                    }
                    Length::Callback(callback) => self.ask(cx, callback, address)?,
                    _ => None,
                };
                let bytes = count.and_then(|count| count.checked_mul(size)).filter(|&bytes| bytes < 1 << 31);
                let start = bytes.and_then(|bytes| heap.data().range(address, bytes).ok());
                let (Some(count), Some(bytes), Some(start)) = (count, bytes, start) else {
                    return self.in_general(cx, ty, address, numbers, (0, 0));
                };
                if matches!(self.straight.outcome, Outcome::View(_)) {
                    if !address.is_multiple_of(size) {
                        return self.in_general(cx, ty, address, numbers, (0, 0));
                    }
                    return self.view(cx, heap, address, bytes, *scalar);
                }
                let made = crate::arrays::returned(cx, *scalar, start, count, wide);
                match made.and_then(|made| if made.is_exception() { Err(rquickjs::Error::Exception) } else { Ok(made) })
                {
                    Ok(made) => self.freed(cx, made, address, bytes, size as u32),
                    Err(error) => Err(self.refuse(cx, error, address, bytes)),
                }
            }
            Outcome::Text { owned } => {
                let Ok(len) = heap.data().c_string_len(address) else {
                    return self.in_general(cx, ty, address, numbers, (0, 0));
                };
                let Some(made) = text(cx, heap, address, len) else {
                    return self.in_general(cx, ty, address, numbers, (0, 0));
                };
                match owned {
                    true => self.freed(cx, made, address, len + 1, 1),
                    false => Ok(made),
                }
            }
            Outcome::Nothing | Outcome::Number(_) | Outcome::Status(_) => Ok(Returned::UNDEFINED),
        }
    }

    #[inline]
    fn status(&self, cx: Cx<'_>, scalar: Scalar, number: Number, numbers: &[Number; 8]) -> Result<Returned> {
        let Some(Type::Status(status)) = self.signature.returns.as_ref().map(|ty| &ty.get().ty) else {
            return Err(rquickjs::Error::Unknown);
        };
        let code = crate::status::code(status.ty.get(), number);
        if status.is_failure(code) {
            let ctx = cx.ctx();
            let arguments = self.arguments(numbers);
            let mut marshal = Marshal::new(&ctx, self.manager_value, self.name);
            marshal.call = Some(&arguments);
            marshal.enter_part(webidl::Part::Result);
            return Err(crate::status::throw(&marshal, status, code, &[]));
        }
        // A single success tells nothing.
        Ok(if status.success.len() == 1 { Returned::UNDEFINED } else { scalar.result_to_js(cx, number) })
    }

    /// What lengths and errors may depend on, on the general way.
    fn arguments<'js>(&self, numbers: &[Number; 8]) -> CallArguments<'r, 'js> {
        let arguments = CallArguments::new(self.args, self.leading, Some(self.signature));
        arguments.numbers.borrow_mut().extend_from_slice(&numbers[..self.straight.steps.len()]);
        arguments.returned.set(true);
        arguments
    }

    #[inline]
    fn view(&self, cx: Cx<'_>, heap: &Heap, address: u64, bytes: u64, scalar: Scalar) -> Result<Returned> {
        let align = scalar.size(self.straight.wide) as u32;
        let block: std::result::Result<GuestBlock, _> = heap.adopt_aligned(address, bytes, align);
        let block = block.map_err(|error| throw_heap_error(&cx.ctx(), &self.result_place(), error))?;
        let (start, kind) = (block.start(), scalar.element(self.straight.wide));
        // SAFETY: the buffer owns the block, and the block its mapping. Rust makes no references to guest memory.
        unsafe { qjs::buffer::foreign_array(cx, start, bytes as usize, block, kind) }
    }

    fn result_place(&self) -> webidl::Place<'_> {
        webidl::Place::result(self.name)
    }

    /// The result on the general way. `lent` is the block with the copies of the arguments.
    #[cold]
    fn in_general(
        &self,
        cx: Cx<'_>,
        ty: &TypeObject,
        address: u64,
        numbers: &[Number; 8],
        lent: (u64, u64),
    ) -> Result<Returned> {
        let ctx = cx.ctx();
        let arguments = self.arguments(numbers);
        let mut marshal = Marshal::new(&ctx, self.manager_value, self.name);
        marshal.call = Some(&arguments);
        marshal.enter_part(webidl::Part::Result);
        let is_lent = address >= lent.0 && address - lent.0 < lent.1;
        // A part of the block ends with the call, so it is copied out. The whole of it can become a view.
        let is_part = is_lent && address != lent.0;
        if is_lent {
            marshal.lend(address, lent.0 + lent.1 - address);
        }
        let value = marshal.pointee_of(ty, address, ty.is_owned(true) && !is_part, None);
        if is_lent && !marshal.unlend(address) {
            self.is_kept.set(true);
        }
        Ok(cx.returned(&marshal.finish(value)?))
    }
}

/// What a script passes for numbers behind a pointer: their address if they lie in the guest, else what is to be copied;
/// `None` if it is out of the ordinary.
#[inline]
fn numbers_of<'r>(
    cx: Cx<'_>,
    heap: &Heap,
    loan: &marshal::loan::Loan<'_>,
    value: Borrowed<'r>,
    kind: ElementKind,
    size: usize,
    room: u64,
) -> Option<(std::result::Result<u64, ()>, Passed<'r>)> {
    let Some(found) = qjs::buffer::element_kind(value) else {
        let len = qjs::array::plain_length(cx, value).filter(|&len| len < 24)?;
        let passed = Passed { source: Source::Elements(len), offset: room, count: len as u64 };
        return (len > 0).then_some((Err(()), passed));
    };
    if found != kind {
        return None;
    }
    let (bytes, whole): (Bytes, Bytes) = qjs::buffer::typed_array_in_buffer(cx, value)?;
    if bytes.len == 0 {
        return None;
    }
    let count = (bytes.len / size) as u64;
    match heap.address_of(bytes.start, bytes.len) {
        Some(address) => {
            loan.add(whole.start);
            Some((Ok(address), Passed { source: Source::Nothing, offset: 0, count }))
        }
        None => Some((Err(()), Passed { source: Source::Bytes(bytes.len), offset: room, count })),
    }
}

/// A string of the guest's; `None` if it is not UTF-8, or too long for the way.
#[inline]
fn text(cx: Cx<'_>, heap: &Heap, address: u64, len: u64) -> Option<Returned> {
    let mut bytes = [0; 256];
    let bytes = bytes.get_mut(..len as usize)?;
    heap.data().read(address, bytes).ok()?;
    let is_utf8 = bytes.is_ascii() || std::str::from_utf8(bytes).is_ok();
    is_utf8.then(|| qjs::string::returned_utf8(cx, bytes))
}
