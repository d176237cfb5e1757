//! The straight way through a call: numbers, arrays of numbers and strings in, and one of these, or a view, out. That is
//! what most calls are, and they need none of the lists that structs, callbacks and handles do. Which calls take this
//! way is decided when the prototype is bound ([`Straight::new`]). An argument that is out of the ordinary sends the call
//! back to the general way before anything has happened.

use std::cell::Cell;
use std::ptr::NonNull;

use island::call::Number;
use js_api::ExportedFunction;
use marshal::loan::Loan;
use marshal::{Heap, HeapError, Room};
use qjs::string::Units;
use qjs::{Args, Arguments, Borrowed, Cx, ElementKind, Held, Result, Returned, class};

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
    /// Numbers behind a pointer, and the typed array that has such numbers.
    Numbers(Scalar, ElementKind),
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
    View(Scalar, ElementKind, Count),
    Copy(Scalar, ElementKind, Count),
    /// A string up to a zero, and whether its block is the host's.
    Text {
        owned: bool,
    },
}

/// How many numbers come out.
#[derive(Clone, Copy)]
enum Count {
    Fixed(u64),
    /// As many as an argument says.
    Argument(usize, Scalar),
    /// The function of the result's type knows.
    Callback,
}

/// The steps of a call.
pub(crate) struct Straight {
    steps: Box<[Step]>,
    /// Parameters that say how many numbers another one has: that one, and the parameter with its type.
    counted: Box<[(usize, usize, Scalar)]>,
    outcome: Outcome,
    /// Whether the guest's memory matters.
    has_memory: bool,
    wide: bool,
}

impl Straight {
    /// The steps for a signature; `None` if some part of it needs the general way.
    pub(crate) fn new(signature: &Signature, wide: bool) -> Option<Self> {
        if signature.is_variadic || signature.params.len() > 8 {
            return None;
        }
        let steps: Box<[Step]> = signature.params.iter().map(|param| Self::step(param, wide)).collect::<Option<_>>()?;
        let mut counted = Vec::new();
        for (at, param) in signature.params.iter().enumerate() {
            if let Type::Array(_, Length::Argument(counts)) | Type::View(_, Length::Argument(counts)) =
                param.ty.get().ty
            {
                let param = signature.params.get(counts).filter(|counts| !counts.direction.is_result)?;
                counted.push((at, counts, param.ty.get().scalar()?));
            }
        }
        let outcome = match signature.returns.as_ref().map(|ty| ty.get()) {
            None => Outcome::Nothing,
            Some(ty) => Self::outcome(signature, ty, wide)?,
        };
        let has_memory = !matches!(outcome, Outcome::Nothing | Outcome::Number(_) | Outcome::Status(_))
            || steps.iter().any(|step| !matches!(step, Step::Number(_)));
        Some(Self { steps, counted: counted.into(), outcome, has_memory, wide })
    }

    /// The numbers that elements of this type are, if these are as large in every memory.
    fn numbers(element: &TypeObject) -> Option<Scalar> {
        match &element.ty {
            Type::Scalar(scalar) if !element.exact && !matches!(scalar, Scalar::Bool) => Some(*scalar),
            _ => None,
        }
    }

    fn step(param: &Param, wide: bool) -> Option<Step> {
        let ty = param.ty.get();
        if param.direction.comes_out || param.direction.is_result || ty.subclassed {
            return None;
        }
        let plain = ty.ownership != crate::types::Ownership::Consumed;
        match &ty.ty {
            Type::Scalar(scalar) | Type::Enum(scalar, _) if !ty.exact => Some(Step::Number(*scalar)),
            Type::Handle { .. } if plain => Some(Step::Handle),
            Type::Array(element, Length::Given | Length::Argument(_))
            | Type::View(element, Length::Given | Length::Argument(_))
                if plain && !element.get().subclassed =>
            {
                let scalar = Self::numbers(element.get())?;
                Some(Step::Numbers(scalar, scalar.element(wide)))
            }
            Type::String(Encoding::Utf8, Length::Given) if plain => Some(Step::Text),
            _ => None,
        }
    }

    fn outcome(signature: &Signature, ty: &TypeObject, wide: bool) -> Option<Outcome> {
        if ty.subclassed || ty.free.is_some() {
            return None;
        }
        let count = |length: &Length| match length {
            Length::Fixed(count) => Some(Count::Fixed(*count)),
            Length::Callback(_) => Some(Count::Callback),
            Length::Argument(at) => {
                let counts = signature.params.get(*at).filter(|counts| !counts.direction.is_result)?;
                Some(Count::Argument(*at, counts.ty.get().scalar()?))
            }
            _ => None,
        };
        match &ty.ty {
            Type::Void => Some(Outcome::Nothing),
            Type::Scalar(scalar) | Type::Enum(scalar, _) => Some(Outcome::Number(*scalar)),
            Type::Status(status) => status.ty.get().scalar().map(Outcome::Status),
            Type::View(element, length) if ty.is_owned(true) => {
                let scalar = Self::numbers(element.get())?;
                Some(Outcome::View(scalar, scalar.element(wide), count(length)?))
            }
            Type::Array(element, length) if ty.is_owned(true) => {
                let scalar = Self::numbers(element.get())?;
                Some(Outcome::Copy(scalar, scalar.element(wide), count(length)?))
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
        heap.lend(|loan| self.run_lending(cx, heap, loan))
    }

    #[inline]
    fn run_lending(&self, cx: Cx<'_>, heap: &Heap, loan: &Loan<'_>) -> Result<Option<Returned>> {
        let Straight { steps, counted, wide, .. } = self.straight;
        let mut numbers = [Number::I32(0); 8];
        // How many elements or bytes each has that lies behind a pointer; which of them are copied, a bit for each; and
        // how much room the copies need.
        let (mut counts, mut copied, mut room) = ([0; 8], 0u8, 0);
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
                Step::Numbers(_, kind) => {
                    let Some((count, place)) = numbers_of(cx, heap, loan, value, *kind) else { return Ok(None) };
                    counts[at] = count;
                    match place {
                        Some(address) => numbers[at] = self.pointer(address),
                        None => {
                            copied |= 1 << at;
                            room += (count * kind.size() as u64).next_multiple_of(8);
                        }
                    }
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
                    let Some(text) = plain_text(cx, value)? else { return Ok(None) };
                    counts[at] = text.len() as u64;
                    copied |= 1 << at;
                    room += (text.len() as u64 + 1).next_multiple_of(8);
                }
            }
        }
        // Each array has as many elements as its length says.
        for (at, counts_at, scalar) in counted {
            if scalar.as_length(numbers[*counts_at]) != Some(counts[*at]) {
                return Ok(None);
            }
        }
        if copied == 0 {
            let number = self.enter(cx, &numbers)?;
            return self.value(cx, number, &numbers, None).map(Some);
        }
        let room = match heap.room(room) {
            Ok(room) => room,
            // There may be room for each by itself. If not, the general way says for which.
            Err(HeapError::OutOfMemory { .. }) => return Ok(None),
            Err(error) => return Err(throw_heap_error(&cx.ctx(), &self.place(), error)),
        };
        let value = match self.copy_in(cx, room.address(), copied, &counts, &mut numbers) {
            Ok(()) => match self.enter(cx, &numbers) {
                Ok(number) => self.value(cx, number, &numbers, Some(&room)),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        self.end(cx, value, room).map(Some)
    }

    /// Gives back the room of the copies.
    #[inline]
    fn end(&self, cx: Cx<'_>, value: Result<Returned>, room: Room) -> Result<Returned> {
        let heap = self.manager.heap();
        if self.is_kept.get() {
            heap.leave_room(room);
            return value;
        }
        match value {
            Ok(value) => match heap.give_room_back(room) {
                Ok(()) => Ok(value),
                Err(error) => Err(self.drop_value(cx, value, error)),
            },
            Err(error) => Err(self.refuse(cx, error, || heap.give_room_back(room))),
        }
    }

    fn place(&self) -> webidl::Place<'_> {
        webidl::Place::whole(self.name)
    }

    #[inline]
    fn pointer(&self, address: u64) -> Number {
        if self.straight.wide { Number::I64(address as i64) } else { Number::I32(address as u32 as i32) }
    }

    /// Copies what is to be copied to `address` and after it.
    #[inline]
    fn copy_in(
        &self,
        cx: Cx<'_>,
        mut address: u64,
        copied: u8,
        counts: &[u64; 8],
        numbers: &mut [Number; 8],
    ) -> Result<()> {
        // Making room may have run scripts, as getters of elements do: each value is looked at again.
        for (at, step) in self.straight.steps.iter().enumerate() {
            if copied & (1 << at) == 0 {
                continue;
            }
            let (value, count) = (self.args.get(self.leading + at), counts[at]);
            numbers[at] = self.pointer(address);
            match step {
                Step::Text => {
                    let Some(Units::Narrow(text)) = Units::of(cx, value)? else { return Err(self.changed(cx, at)) };
                    let to = self.range(cx, address, text.len() as u64 + 1)?;
                    // SAFETY: the range was looked at just now, and a string does not lie in a guest.
                    unsafe {
                        std::ptr::copy_nonoverlapping(text.as_ptr(), to.as_ptr(), text.len());
                        to.as_ptr().add(text.len()).write(0);
                    }
                    address += (count + 1).next_multiple_of(8);
                }
                Step::Numbers(scalar, kind) => {
                    let bytes = count * kind.size() as u64;
                    if qjs::buffer::element_kind(value).is_some() {
                        let found = qjs::buffer::typed_array_bytes(cx, value).filter(|found| found.len as u64 == bytes);
                        let Some(found) = found else { return Err(self.changed(cx, at)) };
                        let to = self.range(cx, address, bytes)?;
                        // SAFETY: both ranges were looked at just now, and nothing ran since.
                        unsafe { std::ptr::copy(found.start.as_ptr(), to.as_ptr(), found.len) };
                    } else {
                        self.copy_elements(cx, at, *scalar, address, count as usize)?;
                    }
                    address += bytes.next_multiple_of(8);
                }
                Step::Number(_) | Step::Handle => {}
            }
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
        // The commonest elements by far.
        // SAFETY: there is room for `len` elements, and a memory never shrinks.
        let done = if scalar == Scalar::Float64 { unsafe { qjs::array::copy_numbers(cx, value, len, to) } } else { 0 };
        for index in done..len {
            let done = qjs::array::with_element(cx, value, index as u32, |element| {
                let mut bytes = [0; 8];
                let is_number = scalar.write(cx, element, &mut bytes[..size], wide)?;
                // SAFETY: as above.
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
    fn enter(&self, cx: Cx<'_>, numbers: &[Number; 8]) -> Result<Number> {
        self.function.call_and_unwind(|| self.function.call_numbers(cx, |at, _| Ok(numbers[at])))
    }

    /// The value, once a block that came out is freed.
    #[inline]
    fn freed(&self, cx: Cx<'_>, value: Returned, address: u64, bytes: u64, align: u32) -> Result<Returned> {
        match self.manager.heap().give_back_sized(address, bytes, align) {
            Ok(()) => Ok(value),
            Err(error) => Err(self.drop_value(cx, value, error)),
        }
    }

    #[cold]
    fn drop_value(&self, cx: Cx<'_>, value: Returned, error: HeapError) -> rquickjs::Error {
        drop(value.into_value(cx));
        throw_heap_error(&cx.ctx(), &self.place(), error)
    }

    /// The error, once something is freed.
    #[cold]
    fn refuse(
        &self,
        cx: Cx<'_>,
        error: rquickjs::Error,
        free: impl FnOnce() -> std::result::Result<(), HeapError>,
    ) -> rquickjs::Error {
        // Freeing runs the guest, so the exception must be taken out of the way first.
        let ctx = cx.ctx();
        let thrown = error.is_exception().then(|| ctx.catch());
        if let Err(error) = free() {
            // The first error counts.
            throw_heap_error(&ctx, &self.place(), error);
            drop(ctx.catch());
        }
        thrown.map_or(error, |thrown| ctx.throw(thrown))
    }

    /// How many elements the function of a length says there are at `address`, in a block that is freed if it fails.
    #[inline]
    fn ask(&self, cx: Cx<'_>, callback: &Held, address: u64) -> Result<u64> {
        let call = || {
            let mut arguments = Arguments::new(cx);
            arguments.push(Returned::int(-1))?;
            arguments.push(qjs::array::of_arguments(cx, self.args, self.leading))?;
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
        call().map_err(|error| self.refuse(cx, error, || self.manager.heap().give_back_sized(address, 0, 8)))
    }

    /// Makes a script's value of the result. `room` has the copies of the arguments.
    #[inline]
    fn value(&self, cx: Cx<'_>, result: Number, numbers: &[Number; 8], room: Option<&Room>) -> Result<Returned> {
        let wide = self.straight.wide;
        match &self.straight.outcome {
            Outcome::Nothing => return Ok(Returned::UNDEFINED),
            Outcome::Number(scalar) => return Ok(scalar.result_to_js(cx, result)),
            Outcome::Status(scalar) => return self.status(cx, *scalar, result, numbers),
            Outcome::View(..) | Outcome::Copy(..) | Outcome::Text { .. } => {}
        }
        let address = result.as_address();
        // Null, and a pointer into the copies of the arguments, are out of the ordinary.
        if address == 0 || room.is_some_and(|room| room.contains(address)) {
            return self.in_general(cx, address, numbers, room);
        }
        let heap = &**self.manager.heap();
        match &self.straight.outcome {
            Outcome::View(scalar, kind, count) | Outcome::Copy(scalar, kind, count) => {
                let size = kind.size() as u64;
                let count = match count {
                    Count::Fixed(count) => Some(*count),
                    Count::Argument(at, scalar) => scalar.as_length(numbers[*at]),
                    Count::Callback => match &self.result_type().ty {
                        Type::View(_, Length::Callback(callback)) | Type::Array(_, Length::Callback(callback)) => {
                            Some(self.ask(cx, callback, address)?)
                        }
                        _ => None,
                    },
                };
                let bytes = count.and_then(|count| count.checked_mul(size)).filter(|&bytes| bytes < 1 << 31);
                let start = bytes.and_then(|bytes| heap.data().range(address, bytes).ok());
                let (Some(count), Some(bytes), Some(start)) = (count, bytes, start) else {
                    return self.in_general(cx, address, numbers, None);
                };
                if matches!(self.straight.outcome, Outcome::View(..)) {
                    if !address.is_multiple_of(size) {
                        return self.in_general(cx, address, numbers, None);
                    }
                    return self.view(cx, heap, (address, start), bytes, *kind);
                }
                match crate::arrays::returned(cx, *scalar, start, count, wide) {
                    Ok(made) => self.freed(cx, made, address, bytes, size as u32),
                    Err(error) => Err(self.refuse(cx, error, || heap.give_back_sized(address, bytes, size as u32))),
                }
            }
            Outcome::Text { owned } => {
                let Ok(len) = heap.data().c_string_len(address) else {
                    return self.in_general(cx, address, numbers, None);
                };
                let Some(made) = text(cx, heap, address, len) else {
                    return self.in_general(cx, address, numbers, None);
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
    fn view(
        &self,
        cx: Cx<'_>,
        heap: &Heap,
        (address, start): (u64, NonNull<u8>),
        bytes: u64,
        kind: ElementKind,
    ) -> Result<Returned> {
        match heap.adopt_aligned(address, bytes, kind.size() as u32) {
            Ok(block) => self.manager.spares().view(cx, start, block, kind),
            Err(error) => Err(throw_heap_error(&cx.ctx(), &self.result_place(), error)),
        }
    }

    /// The type of what the function itself returns.
    fn result_type(&self) -> &TypeObject {
        own_result(self.signature.returns.as_ref().expect("something comes out").get())
    }

    fn result_place(&self) -> webidl::Place<'_> {
        webidl::Place::result(self.name)
    }

    /// The result on the general way. `room` is given if it lies there, with the copies of the arguments.
    #[cold]
    fn in_general(&self, cx: Cx<'_>, address: u64, numbers: &[Number; 8], room: Option<&Room>) -> Result<Returned> {
        let (ctx, ty) = (cx.ctx(), self.result_type());
        let arguments = self.arguments(numbers);
        let mut marshal = Marshal::new(&ctx, self.manager_value, self.name);
        marshal.call = Some(&arguments);
        marshal.enter_part(webidl::Part::Result);
        let room = room.filter(|room| room.contains(address));
        // A part of the room ends with the call, so it is copied out. The whole of it can become a view.
        let is_part = room.is_some_and(|room| address != room.address() || !self.manager.heap().is_block(room));
        if let Some(room) = room {
            marshal.lend(address, room.address() + room.bytes() - address);
        }
        let value = marshal.pointee_of(ty, address, ty.is_owned(true) && !is_part, None);
        if room.is_some() && !marshal.unlend(address) {
            self.is_kept.set(true);
        }
        Ok(cx.returned(&marshal.finish(value)?))
    }
}

/// What a script passes for numbers behind a pointer: how many there are, and their address if they lie in the guest;
/// `None` if it is out of the ordinary.
#[inline]
fn numbers_of(
    cx: Cx<'_>,
    heap: &Heap,
    loan: &Loan<'_>,
    value: Borrowed<'_>,
    kind: ElementKind,
) -> Option<(u64, Option<u64>)> {
    /// Longer arrays are read in another way, unless they are plain.
    const LONG: usize = 24;
    let Some((found, bytes, whole)) = qjs::layout::typed_array(cx, value) else {
        let len = qjs::array::plain_length(cx, value)?;
        let is_ordinary = len > 0 && (len < LONG || qjs::array::is_dense(cx, value, len));
        return is_ordinary.then_some((len as u64, None));
    };
    if found != kind || bytes.len == 0 {
        return None;
    }
    let count = (bytes.len / kind.size()) as u64;
    let address = heap.address_of(bytes.start, bytes.len);
    if address.is_some() {
        loan.add(whole.start);
    }
    Some((count, address))
}

/// The characters of a string in ASCII without zeros.
#[inline]
fn plain_text<'a>(cx: Cx<'_>, value: Borrowed<'a>) -> Result<Option<&'a [u8]>> {
    let Some(Units::Narrow(text)) = Units::of(cx, value)? else { return Ok(None) };
    Ok(is_plain(text).then_some(text))
}

/// Whether all bytes are from 1 to 127.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    // A byte that is 0 or above 127 leaves its highest bit: one of these alone can borrow from the next.
    const HIGH: u64 = 0x8080_8080_8080_8080;
    const ONES: u64 = 0x0101_0101_0101_0101;
    let is_plain = |word: u64| (word | word.wrapping_sub(ONES)) & HIGH == 0;
    let Some(last) = text.last_chunk::<8>() else {
        return text.iter().all(|&byte| is_plain(u64::from(byte) | (ONES << 8)));
    };
    // The last word may overlap the one before.
    text.chunks_exact(8).all(|word| is_plain(u64::from_le_bytes(word.try_into().expect("eight bytes"))))
        && is_plain(u64::from_le_bytes(*last))
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
