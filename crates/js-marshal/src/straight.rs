//! The straight way through a call: numbers, arrays of numbers and strings in, and one of these, or a view, out. That is
//! what most calls are, and they need none of the lists that structs, callbacks and handles do. Which calls take this
//! way is decided when the prototype is bound ([`Straight::new`]). An argument that is out of the ordinary sends the call
//! back to the general way before anything has happened.

use std::cell::Cell;
use std::ptr::NonNull;

use island::NumberKind;
use island::call::{Number, PlainType, Slot, Slots};
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
#[repr(u8)]
enum Step {
    Number(Scalar),
    /// Numbers behind a pointer, and the typed array that has such numbers.
    Numbers(Scalar, ElementKind),
    /// UTF-8 up to a zero.
    Text,
    Handle,
}

/// What comes out.
#[repr(u8)]
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
    Argument(Counting),
    /// The function of the result's type knows.
    Callback,
}

/// A parameter that says how many numbers there are.
#[derive(Clone, Copy)]
struct Counting {
    at: usize,
    scalar: Scalar,
    kind: NumberKind,
}

impl Counting {
    fn new(signature: &Signature, at: usize, wide: bool) -> Option<Self> {
        let param = signature.params.get(at).filter(|param| !param.direction.is_result)?;
        let scalar = param.ty.get().scalar()?;
        Some(Self { at, scalar, kind: scalar.kind(wide) })
    }

    /// How many it says; `None` if it is no length.
    #[inline]
    fn count(self, slots: &Slots) -> Option<u64> {
        self.scalar.as_length(slots.get(self.at, self.kind))
    }
}

/// The steps of a call.
pub(crate) struct Straight {
    steps: Box<[Step]>,
    /// Parameters whose numbers another one counts, and that one.
    counted: Box<[(usize, Counting)]>,
    outcome: Outcome,
    /// Whether the guest's memory matters.
    has_memory: bool,
    /// The type of the functions that can be called.
    pub(crate) plain: PlainType,
    wide: bool,
    /// The bits that an address has.
    address_mask: u64,
}

impl Straight {
    /// The steps for a signature; `None` if some part of it needs the general way.
    pub(crate) fn new(signature: &Signature, plain: PlainType, wide: bool) -> Option<Self> {
        if signature.is_variadic || signature.params.len() > 8 {
            return None;
        }
        let steps: Box<[Step]> = signature.params.iter().map(|param| Self::step(param, wide)).collect::<Option<_>>()?;
        let mut counted = Vec::new();
        for (at, param) in signature.params.iter().enumerate() {
            if let Type::Array(_, Length::Argument(counts)) | Type::View(_, Length::Argument(counts)) =
                param.ty.get().ty
            {
                counted.push((at, Counting::new(signature, counts, wide)?));
            }
        }
        let outcome = match signature.returns.as_ref().map(|ty| ty.get()) {
            None => Outcome::Nothing,
            Some(ty) => Self::outcome(signature, ty, wide)?,
        };
        let has_memory = !matches!(outcome, Outcome::Nothing | Outcome::Number(_) | Outcome::Status(_))
            || steps.iter().any(|step| !matches!(step, Step::Number(_)));
        let address_mask = if wide { u64::MAX } else { u32::MAX.into() };
        Some(Self { steps, counted: counted.into(), outcome, has_memory, plain, wide, address_mask })
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
            Length::Argument(at) => Counting::new(signature, *at, wide).map(Count::Argument),
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

/// Longer strings come out on the general way.
const LONGEST_TEXT: usize = 256;

/// What a call passes.
struct Passed {
    slots: Slots,
    /// How many elements or bytes each argument has that lies behind a pointer.
    counts: [u32; 8],
    /// The bytes of each argument that is a string.
    texts: [*const u8; 8],
    /// Which arguments are copied, a bit for each.
    copied: u8,
    /// How much room the copies need.
    room: u64,
}

impl Default for Passed {
    #[inline]
    fn default() -> Self {
        Self { slots: Slots::default(), counts: [0; 8], texts: [std::ptr::null(); 8], copied: 0, room: 0 }
    }
}

impl Passed {
    /// Notes that an argument of `bytes` bytes is copied.
    #[inline]
    fn copy(&mut self, at: usize, count: u32, bytes: u64) {
        self.counts[at] = count;
        self.copied |= 1 << at;
        self.room += bytes.next_multiple_of(8);
    }
}

/// Whose call it is. This is asked for messages, and on the general way.
pub(crate) trait Caller {
    /// The function's name.
    fn name(&self) -> &str;

    fn manager(&self) -> Borrowed<'_>;

    /// The function's object, as [`Borrowed::identity`] tells it.
    fn target(&self) -> usize;
}

/// A call on the straight way.
pub(crate) struct Run<'r> {
    pub(crate) straight: &'r Straight,
    pub(crate) signature: &'r Signature,
    pub(crate) manager: &'r ManagerObject,
    pub(crate) function: &'r ExportedFunction,
    /// The function's own.
    pub(crate) args: Args<'r>,
    pub(crate) caller: &'r dyn Caller,
    /// Whether the result has become the owner of the block with the copies.
    pub(crate) is_kept: Cell<bool>,
}

impl<'r> Run<'r> {
    /// Calls the function. Returns `None`, and has done nothing, if an argument needs the general way. An error is pending.
    #[inline]
    pub(crate) fn run(&self, cx: Cx<'_>) -> Option<Returned> {
        let (Straight { steps, has_memory, .. }, args) = (self.straight, self.args);
        if args.len() != steps.len() {
            return None;
        }
        let heap = &**self.manager.heap();
        if *has_memory {
            if heap.is_shared() {
                return None;
            }
            if !self.manager.is_settled()
                && let Err(error) = self.manager.safe_point(&cx.ctx(), &self.place())
            {
                return Some(Returned::thrown(cx, error));
            }
        }
        let mut call = Passed::default();
        heap.lend(|loan| match self.pass(cx, heap, loan, (steps, args), &mut call) {
            Ok(true) => self.call(cx, heap, &mut call),
            Ok(false) => None,
            Err(error) => Some(Returned::thrown(cx, error)),
        })
    }

    /// Looks at the arguments. Those that are copied have no address yet. Returns false if one is out of the ordinary.
    #[inline]
    fn pass(
        &self,
        cx: Cx<'_>,
        heap: &Heap,
        loan: &Loan<'_>,
        (steps, args): (&[Step], Args<'_>),
        call: &mut Passed,
    ) -> Result<bool> {
        let counted = &self.straight.counted;
        for (at, (step, value)) in steps.iter().zip(args.iter()).enumerate() {
            match step {
                Step::Number(scalar) => match (scalar, value.int()) {
                    (Scalar::Int32 | Scalar::Uint32, Some(int)) => call.slots.set(at, Number::I32(int)),
                    _ => match scalar.to_argument(cx, value, self.straight.wide)? {
                        Some(number) => call.slots.set(at, number),
                        None => return Ok(false),
                    },
                },
                Step::Text => {
                    let Some(text) = plain_text(cx, value)? else { return Ok(false) };
                    call.texts[at] = text.as_ptr();
                    // (QuickJS counts in 32 bits.)
                    call.copy(at, text.len() as u32, text.len() as u64 + 1);
                }
                Step::Numbers(_, kind) => match numbers_of(cx, heap, loan, value, *kind) {
                    Some((count, Some(address))) => {
                        call.counts[at] = count as u32;
                        call.slots.set_address(at, address);
                    }
                    Some((count, None)) => call.copy(at, count as u32, count * kind.size() as u64),
                    None => return Ok(false),
                },
                Step::Handle => match self.handle(at, value) {
                    Some(address) => call.slots.set_address(at, address),
                    None => return Ok(false),
                },
            }
        }
        // Each array has as many elements as its length says.
        let fits = |&(at, counting): &(usize, Counting)| counting.count(&call.slots) == Some(call.counts[at].into());
        Ok(counted.is_empty() || counted.iter().all(fits))
    }

    /// The address of a handle; `None` if it is out of the ordinary.
    fn handle(&self, at: usize, value: Borrowed<'_>) -> Option<u64> {
        let handle = class::get::<HandleObject>(value)?;
        // Its own destructor ends it, which is out of the ordinary.
        let is_ended = handle.destructor() != 0 && handle.destructor() == self.caller.target();
        handle.address_for(self.signature.params[at].ty.get(), self.manager).filter(|_| !is_ended)
    }

    #[inline]
    fn call(&self, cx: Cx<'_>, heap: &Heap, call: &mut Passed) -> Option<Returned> {
        let room;
        if call.copied == 0 {
            room = Room::none();
        } else if let Some(kept) = heap.kept_room(call.room) {
            room = kept;
        } else {
            match heap.room(call.room) {
                Ok(made) => room = made,
                // There may be room for each by itself. If not, the general way says for which.
                Err(HeapError::OutOfMemory { .. }) => return None,
                Err(error) => return Some(self.throw(cx, error)),
            }
        }
        let is_copied = self.copy_in(cx, &room, call);
        let (first, stack) = (call.slots.first(), self.function.mark_stack());
        let value = match is_copied.then(|| self.function.call_slots(cx, &mut call.slots)).flatten() {
            Some(slot) => {
                call.slots.restore(first);
                self.value(cx, heap, slot, &call.slots, &room)
            }
            None => {
                self.function.unwind_stack(stack);
                Returned::EXCEPTION
            }
        };
        if call.copied == 0 {
            return Some(value);
        }
        // The room of the copies is given back.
        if self.is_kept.get() {
            heap.leave_room(room);
            return Some(value);
        }
        if value.is_exception() {
            return Some(self.refuse(cx, || heap.give_room_back(room)));
        }
        Some(match heap.give_room_back(room) {
            Ok(()) => value,
            Err(error) => self.drop_value(cx, value, error),
        })
    }

    fn place(&self) -> webidl::Place<'_> {
        webidl::Place::whole(self.caller.name())
    }

    /// Copies what is to be copied, into the room. Returns false if an exception is pending instead.
    #[inline]
    fn copy_in(&self, cx: Cx<'_>, room: &Room, call: &mut Passed) -> bool {
        let (mut address, mut to) = (room.address(), room.start());
        let mut rest = u32::from(call.copied);
        while rest != 0 {
            let at = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            call.slots.set_address(at, address);
            let count = u64::from(call.counts[at]);
            let bytes = match &self.straight.steps[at] {
                Step::Numbers(scalar, kind) => {
                    if let Err(error) = self.copy_numbers(cx, at, (*scalar, *kind), count as usize, to) {
                        let _ = Returned::thrown(cx, error);
                        return false;
                    }
                    count * kind.size() as u64
                }
                Step::Text | Step::Number(_) | Step::Handle => {
                    // SAFETY: there is room for the string and its end. It is an argument's, which lives as long as the
                    // call does, never changes, and does not lie in a guest.
                    unsafe {
                        std::ptr::copy_nonoverlapping(call.texts[at], to.as_ptr(), count as usize);
                        to.as_ptr().add(count as usize).write(0);
                    }
                    count + 1
                }
            };
            let bytes = bytes.next_multiple_of(8);
            address += bytes;
            // SAFETY: the room is as large as all copies.
            to = unsafe { to.add(bytes as usize) };
        }
        true
    }

    /// Copies numbers to `to`, where there is room for them.
    fn copy_numbers(
        &self,
        cx: Cx<'_>,
        at: usize,
        (scalar, kind): (Scalar, ElementKind),
        len: usize,
        to: NonNull<u8>,
    ) -> Result<()> {
        // Making room may have run scripts, as getters of elements do: the array is looked at again.
        let value = self.args.get(at);
        if qjs::buffer::element_kind(value).is_none() {
            return self.copy_elements(cx, at, scalar, len, to);
        }
        let found = qjs::buffer::typed_array_bytes(cx, value).filter(|found| found.len == len * kind.size());
        let Some(found) = found else { return Err(self.changed(cx, at)) };
        // SAFETY: there is room, the array was looked at just now, and nothing ran since.
        unsafe { std::ptr::copy(found.start.as_ptr(), to.as_ptr(), found.len) };
        Ok(())
    }

    #[inline]
    fn copy_elements(&self, cx: Cx<'_>, at: usize, scalar: Scalar, len: usize, to: NonNull<u8>) -> Result<()> {
        let value = self.args.get(at);
        // (Allocating may have run scripts. An element that is gone since then is not a number.)
        let (wide, size) = (self.straight.wide, scalar.size(self.straight.wide));
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
        let marshal = Marshal::new(&ctx, self.caller.manager(), self.caller.name());
        marshal.enter_part(webidl::Part::Argument(at));
        let ty = TypeObject::new(Type::Scalar(scalar));
        let refused = marshal.within_element(index as u64, || marshal.number(&ty, scalar, element));
        refused.err().unwrap_or(rquickjs::Error::Unknown)
    }

    #[cold]
    fn changed(&self, cx: Cx<'_>, at: usize) -> rquickjs::Error {
        let ctx = cx.ctx();
        let marshal = Marshal::new(&ctx, self.caller.manager(), self.caller.name());
        marshal.enter_part(webidl::Part::Argument(at));
        marshal.type_error("the array changed during the call")
    }

    /// The value, once a block that came out is freed.
    #[inline]
    fn freed(&self, cx: Cx<'_>, heap: &Heap, value: Returned, address: u64, bytes: u64, align: u32) -> Returned {
        if value.is_exception() {
            return self.refuse(cx, || heap.give_back_sized(address, bytes, align));
        }
        match heap.give_back_sized(address, bytes, align) {
            Ok(()) => value,
            Err(error) => self.drop_value(cx, value, error),
        }
    }

    #[cold]
    fn throw(&self, cx: Cx<'_>, error: HeapError) -> Returned {
        throw_heap_error(&cx.ctx(), &self.place(), error);
        Returned::EXCEPTION
    }

    #[cold]
    fn drop_value(&self, cx: Cx<'_>, value: Returned, error: HeapError) -> Returned {
        drop(value.into_value(cx));
        self.throw(cx, error)
    }

    /// The exception that is pending, once something is freed.
    #[cold]
    fn refuse(&self, cx: Cx<'_>, free: impl FnOnce() -> std::result::Result<(), HeapError>) -> Returned {
        // Freeing runs the guest, so the exception must be taken out of the way first.
        let ctx = cx.ctx();
        let thrown = ctx.catch();
        if let Err(error) = free() {
            // The first error counts.
            throw_heap_error(&ctx, &self.place(), error);
            drop(ctx.catch());
        }
        ctx.throw(thrown);
        Returned::EXCEPTION
    }

    /// How many elements the function of a length says there are.
    #[inline]
    fn ask(&self, cx: Cx<'_>, callback: &Held) -> Result<u64> {
        let mut arguments = Arguments::new(cx);
        arguments.push(Returned::int(-1))?;
        arguments.push(qjs::array::of_arguments(cx, self.args, 0))?;
        let result = callback.call(cx, Args::default().get(0), &mut arguments)?;
        match result.borrow().int() {
            Some(count) if count >= 0 => Ok(count as u64),
            _ => {
                let value = result.to_value();
                let refuse = || crate::descriptors::throw_length(&cx.ctx(), &self.result_place(), &value);
                crate::scalar::length(&value).ok_or_else(refuse)
            }
        }
    }

    /// Makes a script's value of the result. `room` has the copies of the arguments. An error is pending.
    #[inline]
    fn value(&self, cx: Cx<'_>, heap: &Heap, result: Slot, slots: &Slots, room: &Room) -> Returned {
        let wide = self.straight.wide;
        match &self.straight.outcome {
            Outcome::Nothing => return Returned::UNDEFINED,
            Outcome::Number(scalar) => return scalar.result_to_js(cx, result.number(scalar.kind(wide))),
            Outcome::Status(scalar) => return self.status(cx, *scalar, result.number(scalar.kind(wide)), slots),
            Outcome::View(..) | Outcome::Copy(..) | Outcome::Text { .. } => {}
        }
        let address = result.bits() & self.straight.address_mask;
        // Null, and a pointer into the copies of the arguments, are out of the ordinary.
        if address == 0 || room.contains(address) {
            return self.in_general(cx, address, slots, room);
        }
        if let Outcome::Text { owned } = self.straight.outcome {
            return match text(cx, heap, address) {
                Some((made, len)) if owned => self.freed(cx, heap, made, address, len as u64 + 1, 1),
                Some((made, _)) => made,
                None => self.in_general(cx, address, slots, &Room::none()),
            };
        }
        self.numbers_at(cx, heap, address, slots)
    }

    /// The numbers at an address, which is not null.
    fn numbers_at(&self, cx: Cx<'_>, heap: &Heap, address: u64, slots: &Slots) -> Returned {
        let outcome = &self.straight.outcome;
        let (Outcome::View(scalar, kind, count) | Outcome::Copy(scalar, kind, count)) = outcome else {
            return Returned::UNDEFINED;
        };
        let size = kind.size() as u64;
        let count = match count {
            Count::Fixed(count) => Some(*count),
            Count::Argument(counting) => counting.count(slots),
            Count::Callback => match &self.result_type().ty {
                Type::View(_, Length::Callback(callback)) | Type::Array(_, Length::Callback(callback)) => {
                    match self.ask(cx, callback) {
                        Ok(count) => Some(count),
                        Err(error) => {
                            return self.freed(cx, heap, Returned::thrown(cx, error), address, 0, 8);
                        }
                    }
                }
                _ => None,
            },
        };
        let bytes = count.and_then(|count| count.checked_mul(size)).filter(|&bytes| bytes < 1 << 31);
        let start = bytes.and_then(|bytes| heap.data().range(address, bytes).ok());
        let (Some(count), Some(bytes), Some(start)) = (count, bytes, start) else {
            return self.in_general(cx, address, slots, &Room::none());
        };
        if let Outcome::View(..) = outcome {
            if !address.is_multiple_of(size) {
                return self.in_general(cx, address, slots, &Room::none());
            }
            return match heap.adopt_aligned(address, bytes, size as u32) {
                Ok(block) => {
                    let view = self.manager.spares().view(cx, start, block, *kind);
                    view.unwrap_or_else(|error| Returned::thrown(cx, error))
                }
                Err(error) => {
                    throw_heap_error(&cx.ctx(), &self.result_place(), error);
                    Returned::EXCEPTION
                }
            };
        }
        let made = crate::arrays::returned(cx, *scalar, start, count, self.straight.wide);
        let made = made.unwrap_or_else(|error| Returned::thrown(cx, error));
        self.freed(cx, heap, made, address, bytes, size as u32)
    }

    fn status(&self, cx: Cx<'_>, scalar: Scalar, number: Number, slots: &Slots) -> Returned {
        let Some(Type::Status(status)) = self.signature.returns.as_ref().map(|ty| &ty.get().ty) else {
            return Returned::thrown(cx, rquickjs::Error::Unknown);
        };
        let code = crate::status::code(status.ty.get(), number);
        if status.is_failure(code) {
            let ctx = cx.ctx();
            let arguments = self.arguments(slots);
            let mut marshal = Marshal::new(&ctx, self.caller.manager(), self.caller.name());
            marshal.call = Some(&arguments);
            marshal.enter_part(webidl::Part::Result);
            return Returned::thrown(cx, crate::status::throw(&marshal, status, code, &[]));
        }
        // A single success tells nothing.
        if status.success.len() == 1 { Returned::UNDEFINED } else { scalar.result_to_js(cx, number) }
    }

    /// What lengths and errors may depend on, on the general way.
    fn arguments<'js>(&self, slots: &Slots) -> CallArguments<'r, 'js> {
        let arguments = CallArguments::new(self.args, 0, Some(self.signature));
        let pointer = Scalar::Size.kind(self.straight.wide);
        let numbers = self.straight.steps.iter().enumerate().map(|(at, step)| match step {
            Step::Number(scalar) => slots.get(at, scalar.kind(self.straight.wide)),
            _ => slots.get(at, pointer),
        });
        arguments.numbers.borrow_mut().extend(numbers);
        arguments.returned.set(true);
        arguments
    }

    /// The type of what the function itself returns.
    fn result_type(&self) -> &TypeObject {
        own_result(self.signature.returns.as_ref().expect("something comes out").get())
    }

    fn result_place(&self) -> webidl::Place<'_> {
        webidl::Place::result(self.caller.name())
    }

    /// The result on the general way. `room` is given if it lies there, with the copies of the arguments.
    #[cold]
    fn in_general(&self, cx: Cx<'_>, address: u64, slots: &Slots, room: &Room) -> Returned {
        let (ctx, ty) = (cx.ctx(), self.result_type());
        let arguments = self.arguments(slots);
        let mut marshal = Marshal::new(&ctx, self.caller.manager(), self.caller.name());
        marshal.call = Some(&arguments);
        marshal.enter_part(webidl::Part::Result);
        let room = Some(room).filter(|room| room.contains(address));
        // A part of the room ends with the call, so it is copied out. The whole of it can become a view.
        let is_part = room.is_some_and(|room| address != room.address() || !self.manager.heap().is_block(room));
        if let Some(room) = room {
            marshal.lend(address, room.address() + room.bytes() - address);
        }
        let value = marshal.pointee_of(ty, address, ty.is_owned(true) && !is_part, None);
        if room.is_some() && !marshal.unlend(address) {
            self.is_kept.set(true);
        }
        match marshal.finish(value) {
            Ok(value) => cx.returned(&value),
            Err(error) => Returned::thrown(cx, error),
        }
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

/// A string of the guest's, and how many bytes it has; `None` if it is not UTF-8, or too long for the way.
#[inline]
fn text(cx: Cx<'_>, heap: &Heap, address: u64) -> Option<(Returned, usize)> {
    let (start, len, is_ascii) = heap.data().short_c_string(address, LONGEST_TEXT)?;
    if is_ascii {
        // SAFETY: the memory is not shared, and no guest runs meanwhile.
        return Some((unsafe { qjs::string::returned_ascii(cx, start, len) }, len));
    }
    let mut bytes = [0; LONGEST_TEXT];
    let bytes = bytes.get_mut(..len)?;
    heap.data().read(address, bytes).ok()?;
    std::str::from_utf8(bytes).is_ok().then(|| (qjs::string::returned_utf8(cx, bytes), len))
}
