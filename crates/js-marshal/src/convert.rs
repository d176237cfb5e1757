//! One marshalled operation: its ledger, which says what ends with it, and, for messages, where it is. The conversions
//! themselves are in `encode` and `decode`.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use island::call::Number;
use marshal::{Heap, HeapError};
use qjs::{Args, Arguments, Borrowed, Bytes, Ctx, Cx, Exception, Held, Result, Returned, Value, class};
use smallvec::SmallVec;

use crate::errors::throw_heap_error;
use crate::ledger::{Consumed, Image, Ledger, Noted, Temporary};
use crate::manager::ManagerObject;
use crate::record::Shape;
use crate::scalar::Scalar;
use crate::types::{Access, Direction, Length, Signature, Type, TypeObject, TypeRef};

/// How deep values may be nested.
const MAX_DEPTH: usize = 200;

/// A step on the way into a nested value.
enum Step {
    Element(u64),
    Field(Rc<str>),
    Contents,
}

/// A struct that a field is read from: its shape, its fields' types and its bytes.
pub(crate) type Parent<'p> = (&'p Shape, &'p [TypeRef], Bytes);

/// What the lengths of a call's arrays may depend on.
pub(crate) struct CallArguments<'c, 'js> {
    pub(crate) args: Args<'c>,
    /// Arguments before the function's own.
    pub(crate) leading: usize,
    /// The arguments as a JavaScript array, made when a callback first asks for them.
    pub(crate) list: OnceCell<Value<'js>>,
    pub(crate) signature: Option<&'c Signature>,
    /// What was passed for each parameter so far.
    pub(crate) numbers: RefCell<SmallVec<[Number; 8]>>,
    /// Where records that were passed by value lie, by parameter, if they are looked at again.
    pub(crate) records: RefCell<SmallVec<[(usize, u64); 1]>>,
    pub(crate) returned: Cell<bool>,
}

impl<'c, 'js> CallArguments<'c, 'js> {
    pub(crate) fn new(args: Args<'c>, leading: usize, signature: Option<&'c Signature>) -> Self {
        let (list, numbers, records, returned) = Default::default();
        Self { args, leading, list, signature, numbers, records, returned }
    }

    #[inline]
    pub(crate) fn get(&self, at: usize) -> Borrowed<'c> {
        self.args.get(at + self.leading)
    }

    pub(crate) fn list(&self, cx: Cx<'js>) -> Result<&Value<'js>> {
        if let Some(list) = self.list.get() {
            return Ok(list);
        }
        let count = self.args.len().saturating_sub(self.leading);
        let mut builder = qjs::array::ArrayBuilder::new(cx, count)?;
        for at in 0..count {
            builder.push(cx.returned(&self.get(at).to_value(cx)))?;
        }
        let list = builder.finish()?;
        Ok(self.list.get_or_init(|| list))
    }
}

/// A marshalled operation in progress.
pub(crate) struct Marshal<'c, 'js> {
    pub(crate) ctx: &'c Ctx<'js>,
    pub(crate) manager: &'c ManagerObject,
    manager_value: Borrowed<'c>,
    function: &'c str,
    part: Cell<webidl::Part>,
    path: RefCell<SmallVec<[Step; 4]>>,
    /// What lengths may depend on, if the operation is part of a call.
    pub(crate) call: Option<&'c CallArguments<'c, 'js>>,
    /// Whether what is allocated now is behind a pointer of an argument that comes out.
    pub(crate) replaceable: Cell<bool>,
    /// Whether pointers are noted, because the values behind them are looked at again when the guest, or a callback's
    /// function, had them.
    pub(crate) takes_notes: Cell<bool>,
    /// Whether the guest can change the memory that is written now; `None` outside of any.
    writable: Cell<Option<bool>>,
    /// The function that is called, as [`Borrowed::identity`] tells it; 0 if there is none.
    pub(crate) target: usize,
    /// What ends with the operation.
    pub(crate) ledger: Ledger,
}

impl std::fmt::Display for Marshal<'_, '_> {
    /// Where the operation is: `multiply: argument 2: element 3: field `x``.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        webidl::Place { function: self.function, part: self.part.get() }.fmt(f)?;
        let path = self.path.borrow();
        for (at, step) in path.iter().enumerate() {
            // Only the two ends of a long path are shown.
            if path.len() > 8 && (4..path.len() - 3).contains(&at) {
                if at == 4 {
                    f.write_str(": …")?;
                }
                continue;
            }
            match step {
                Step::Element(at) => write!(f, ": element {at}")?,
                Step::Field(name) => write!(f, ": field `{name}`")?,
                Step::Contents => f.write_str(": contents")?,
            }
        }
        Ok(())
    }
}

impl<'c, 'js> Marshal<'c, 'js> {
    #[inline]
    pub(crate) fn new(ctx: &'c Ctx<'js>, manager: Borrowed<'c>, function: &'c str) -> Self {
        Self {
            ctx,
            manager: class::get(manager).expect("the caller has a MemoryManager"),
            manager_value: manager,
            function,
            part: Cell::new(webidl::Part::Whole),
            path: RefCell::default(),
            call: None,
            replaceable: Cell::new(false),
            takes_notes: Cell::new(false),
            writable: Cell::new(None),
            target: 0,
            ledger: Ledger::default(),
        }
    }

    /// The memory manager's object.
    pub(crate) fn manager_held(&self) -> Held {
        Held::borrowed(self.cx(), self.manager_value)
    }

    /// The same, for the methods of a script's own types.
    pub(crate) fn manager_value(&self) -> Borrowed<'c> {
        self.manager_value
    }

    #[inline]
    pub(crate) fn cx(&self) -> Cx<'js> {
        Cx::of(self.ctx)
    }

    #[inline]
    pub(crate) fn heap(&self) -> &'c Rc<Heap> {
        self.manager.heap()
    }

    #[inline]
    pub(crate) fn is_wide(&self) -> bool {
        self.heap().is_wide()
    }

    /// The name of the function that is called, for messages.
    pub(crate) fn function(&self) -> &'c str {
        self.function
    }

    #[inline]
    pub(crate) fn enter_part(&self, part: webidl::Part) {
        self.part.set(part);
    }

    /// Where the operation is in the call: an argument's index, or -1 for the result.
    pub(crate) fn index(&self) -> i32 {
        match self.part.get() {
            webidl::Part::Argument(index) => index as i32,
            _ => -1,
        }
    }

    pub(crate) fn type_error(&self, message: impl std::fmt::Display) -> rquickjs::Error {
        Exception::throw_type(self.ctx, &format!("{self}: {message}"))
    }

    pub(crate) fn range_error(&self, message: impl std::fmt::Display) -> rquickjs::Error {
        Exception::throw_range(self.ctx, &format!("{self}: {message}"))
    }

    /// `expected …, got …`.
    pub(crate) fn unexpected(&self, expected: impl std::fmt::Display, came: Borrowed<'_>) -> rquickjs::Error {
        let came = webidl::describe(&came.to_value(self.cx()));
        self.type_error(format_args!("expected {expected}, got {came}"))
    }

    pub(crate) fn heap_error(&self, error: impl Into<HeapError>) -> rquickjs::Error {
        throw_heap_error(self.ctx, self, error.into())
    }

    /// Whether the operation is inside a value.
    pub(crate) fn is_inside(&self) -> bool {
        !self.path.borrow().is_empty()
    }

    fn within<R>(&self, step: Step, body: impl FnOnce() -> Result<R>) -> Result<R> {
        if self.path.borrow().len() >= MAX_DEPTH {
            return Err(self.range_error(format_args!("nested more than {MAX_DEPTH} levels deep, or in a circle")));
        }
        self.path.borrow_mut().push(step);
        let result = body();
        self.path.borrow_mut().pop();
        result
    }

    pub(crate) fn within_element<R>(&self, at: u64, body: impl FnOnce() -> Result<R>) -> Result<R> {
        self.within(Step::Element(at), body)
    }

    pub(crate) fn within_field<R>(&self, name: &Rc<str>, body: impl FnOnce() -> Result<R>) -> Result<R> {
        self.within(Step::Field(name.clone()), body)
    }

    pub(crate) fn within_contents<R>(&self, body: impl FnOnce() -> Result<R>) -> Result<R> {
        self.within(Step::Contents, body)
    }

    // ---- Memory -----------------------------------------------------------------------------------------------------

    /// A new block for as long as the operation lasts.
    pub(crate) fn allocate(&self, bytes: u64) -> Result<u64> {
        let address = self.heap().allocate(bytes).map_err(|error| self.heap_error(error))?;
        let part_of = self.replaceable.get().then(|| self.index());
        self.ledger.temporary.borrow_mut().push(Temporary {
            address,
            bytes,
            align: 8,
            heap: None,
            part_of,
            seen: false,
        });
        Ok(address)
    }

    /// Treats a part of a block that the caller frees as one of the operation's own, until [`Marshal::unlend`].
    pub(crate) fn lend(&self, address: u64, bytes: u64) {
        let lent = Temporary { address, bytes, align: 8, heap: None, part_of: None, seen: true };
        self.ledger.temporary.borrow_mut().push(lent);
    }

    /// Ends that. Returns false if something else owns the block by now.
    pub(crate) fn unlend(&self, address: u64) -> bool {
        self.ledger.places.borrow_mut().clear();
        let mut temporary = self.ledger.temporary.borrow_mut();
        let before = temporary.len();
        temporary.retain(|lent| lent.address != address);
        temporary.len() < before
    }

    /// Takes over a block that the guest gave out: it is freed when the operation ends.
    pub(crate) fn take_over(&self, ty: &TypeObject, address: u64, bytes: u64, align: u64) -> Result<()> {
        let mut temporary = self.ledger.temporary.borrow_mut();
        // It may be one that the call lent: some functions return their argument.
        if self.place_of(&temporary, address).is_some() {
            return Ok(());
        }
        let heap = match &ty.free {
            Some(free) => Some(self.manager.heap_for(self.ctx, free)?),
            None => None,
        };
        temporary.push(Temporary { address, bytes, align: align as u32, heap, part_of: None, seen: true });
        Ok(())
    }

    /// Where a block is in the list.
    fn place_of(&self, temporary: &[Temporary], address: u64) -> Option<usize> {
        /// So few are searched faster than a map is.
        const FEW: usize = 24;
        if temporary.len() <= FEW {
            return temporary.iter().position(|lent| lent.address == address);
        }
        let mut places = self.ledger.places.borrow_mut();
        // The list grows at its end. When it is shortened, the places are forgotten.
        for (place, lent) in temporary.iter().enumerate().skip(places.len()) {
            places.insert(lent.address, place);
        }
        places.get(&address).copied()
    }

    /// Takes a block out of those that are freed when the operation ends.
    pub(crate) fn keep(&self, address: u64) {
        self.heap().forget(address);
        self.ledger.places.borrow_mut().clear();
        self.ledger.temporary.borrow_mut().retain(|lent| lent.address != address);
    }

    /// Notes that the guest has left a block of the operation's own in its place. Returns false if it is not one of
    /// these, or was seen already.
    fn see(&self, address: u64) -> bool {
        let mut temporary = self.ledger.temporary.borrow_mut();
        let Some(place) = self.place_of(&temporary, address) else { return false };
        !std::mem::replace(&mut temporary[place].seen, true)
    }

    /// Notes which blocks of the operation's own are in their places behind the pointer `address`, of type `ty`. It
    /// reads pointers, and converts nothing.
    pub(crate) fn see_block(&self, ty: &TypeObject, address: u64) {
        if !self.see(address) {
            return;
        }
        let wide = self.is_wide();
        match &ty.ty {
            Type::Pointer(of) | Type::RecordPointer { record: of, .. } => self.see_value(of.get(), address),
            Type::Array(of, _) | Type::View(of, _) if of.get().scalar().is_none() => {
                let size = of.get().layout(wide).map_or(0, |layout| layout.size);
                let count = self.temporary_bytes(address).checked_div(size).unwrap_or(0);
                (0..count).for_each(|at| self.see_value(of.get(), address + at * size));
            }
            _ => {}
        }
    }

    /// The same for a value that lies at `address`.
    pub(crate) fn see_value(&self, ty: &TypeObject, address: u64) {
        let wide = self.is_wide();
        match &ty.ty {
            Type::Record(..) => {
                let Some((shape, fields)) = crate::record::parts(ty) else { return };
                for (at, field) in fields.iter().enumerate() {
                    self.see_value(field.get(), address + shape.offset(at, wide));
                }
            }
            Type::Inline(of, Length::Fixed(count)) if of.get().scalar().is_none() => {
                let size = of.get().layout(wide).map_or(0, |layout| layout.size);
                (0..*count).for_each(|at| self.see_value(of.get(), address + at * size));
            }
            _ if ty.is_pointer() => {
                let mut bytes = [0; 8];
                // An address that is not in the memory has nothing at it.
                if self.heap().data().read(address, &mut bytes[..Scalar::Size.size(wide)]).is_ok() {
                    self.see_block(ty, u64::from_le_bytes(bytes));
                }
            }
            _ => {}
        }
    }

    /// Forgets the parts of an argument that the guest has replaced: it has freed them.
    pub(crate) fn forget_replaced(&self, index: i32) {
        self.ledger.places.borrow_mut().clear();
        self.ledger.temporary.borrow_mut().retain(|block| block.part_of != Some(index) || block.seen);
    }

    /// The length of a block of the operation's own.
    pub(crate) fn temporary_bytes(&self, address: u64) -> u64 {
        self.lent_layout(address).map_or(0, |(bytes, _)| bytes)
    }

    /// The length and alignment of a block that the operation allocated.
    pub(crate) fn lent_layout(&self, address: u64) -> Option<(u64, u32)> {
        let temporary = self.ledger.temporary.borrow();
        self.place_of(&temporary, address).map(|place| (temporary[place].bytes, temporary[place].align))
    }

    /// Notes how long a block that was taken over is.
    pub(crate) fn set_temporary_bytes(&self, address: u64, bytes: u64) {
        let mut temporary = self.ledger.temporary.borrow_mut();
        if let Some(place) = self.place_of(&temporary, address) {
            temporary[place].bytes = bytes;
        }
    }

    /// Whether the block is one of the operation's own.
    pub(crate) fn is_temporary(&self, address: u64) -> bool {
        self.place_of(&self.ledger.temporary.borrow(), address).is_some()
    }

    // ---- What is looked at again ------------------------------------------------------------------------------------

    /// Begins an argument. `takes_notes` says whether it is looked at again after the call.
    pub(crate) fn begin_argument(&self, takes_notes: bool) {
        self.takes_notes.set(takes_notes);
        self.writable.set(None);
    }

    /// Which way what is behind a pointer of type `ty` goes, if the pointer lies in memory that is written now.
    pub(crate) fn nested(&self, ty: &TypeObject) -> Direction {
        let can_change = match ty.access {
            Access::Inherited => self.writable.get() == Some(true),
            Access::ReadOnly => false,
            Access::Writable => true,
        };
        Direction { goes_in: true, comes_out: self.takes_notes.get() && can_change, is_result: false }
    }

    /// Whether the memory that is written now can be changed by the guest, and is looked at again.
    pub(crate) fn can_change(&self) -> bool {
        self.takes_notes.get() && self.writable.get() == Some(true)
    }

    /// Runs `body`, which writes what is behind a pointer, in this direction.
    pub(crate) fn behind<R>(&self, direction: Direction, body: impl FnOnce() -> R) -> R {
        let (replaceable, writable) = (self.replaceable.get(), self.writable.get());
        self.replaceable.set(direction.comes_out && (replaceable || writable != Some(true)));
        self.writable.set(Some(direction.comes_out));
        let result = body();
        self.replaceable.set(replaceable);
        self.writable.set(writable);
        result
    }

    /// Notes the script's value for the pointer at `at`.
    pub(crate) fn note(&self, ty: &TypeObject, at: u64, pointer: u64, value: Borrowed<'_>) {
        if self.takes_notes.get() {
            let value = Held::borrowed(self.cx(), value);
            self.ledger.noted.borrow_mut().push(Noted { at, pointer, ty, value, is_done: Cell::new(false) });
        }
    }

    /// Keeps a copy of what is in a block now.
    pub(crate) fn keep_image(&self, address: u64, bytes: u64) -> Result<()> {
        let range = self.range(address, bytes)?;
        // SAFETY: the range was looked at just now.
        let bytes = unsafe { range.to_vec() }.into();
        self.ledger.images.borrow_mut().push(Image { address, bytes });
        Ok(())
    }

    /// Keeps a view's block from being freed while the operation lasts.
    pub(crate) fn pin(&self, address: u64) {
        // (The memory's own buffer begins at 0, where no block is.)
        if address != 0 && self.heap().pin(address) {
            self.ledger.pinned.borrow_mut().push(address);
        }
    }

    /// How many views' blocks were pinned so far.
    pub(crate) fn pinned_blocks(&self) -> usize {
        self.ledger.pinned.borrow().len()
    }

    /// Keeps a value while the operation lasts.
    pub(crate) fn hold(&self, value: Borrowed<'_>) {
        self.ledger.kept.borrow_mut().push(Held::borrowed(self.cx(), value));
    }

    /// Where bytes of the guest lie on the host. They stay there.
    #[inline]
    pub(crate) fn range(&self, address: u64, bytes: u64) -> Result<Bytes> {
        let start = self.heap().data().range(address, bytes).map_err(|error| self.heap_error(error))?;
        Ok(Bytes { start, len: bytes as usize })
    }

    pub(crate) fn clear(&self, address: u64, bytes: u64) -> Result<()> {
        self.heap().data().fill(address, bytes, 0).map_err(|error| self.heap_error(error))
    }

    #[inline]
    pub(crate) fn write(&self, address: u64, bytes: &[u8]) -> Result<()> {
        self.heap().data().write(address, bytes).map_err(|error| self.heap_error(error))
    }

    pub(crate) fn write_pointer(&self, address: u64, pointer: u64) -> Result<()> {
        self.write(address, &pointer.to_le_bytes()[..Scalar::Size.size(self.is_wide())])
    }

    /// An address as a parameter.
    #[inline]
    pub(crate) fn pointer(&self, address: u64) -> Number {
        if self.is_wide() { Number::I64(address as i64) } else { Number::I32(address as u32 as i32) }
    }

    /// How many bytes `count` elements of `size` bytes take.
    #[inline]
    pub(crate) fn byte_length(&self, count: u64, size: u64) -> Result<u64> {
        let bytes = count.checked_mul(size).filter(|&bytes| bytes <= i64::MAX as u64);
        bytes.ok_or_else(|| {
            self.range_error(format_args!("{count} elements of {size} bytes are more than any memory has"))
        })
    }

    /// An address that a script gave; `None` if the value is not an address.
    pub(crate) fn address(&self, value: Borrowed<'_>) -> Result<Option<u64>> {
        let address = crate::scalar::address(self.cx(), value)?;
        match address {
            Some(address) if !self.is_wide() && address > u64::from(u32::MAX) => {
                Err(self.range_error(format_args!("{address:#x} is not an address of 32 bits")))
            }
            None if value.is_bigint() => Err(self.range_error("the BigInt is not an address")),
            address => Ok(address),
        }
    }

    /// A number argument or element.
    #[inline]
    pub(crate) fn number(&self, ty: &TypeObject, scalar: Scalar, value: Borrowed<'_>) -> Result<Number> {
        if let Some(number) = scalar.to_argument(self.cx(), value, self.is_wide())? {
            if ty.exact && !scalar.is_whole(self.cx(), value, number)? {
                return Err(self.does_not_fit(scalar.name(), value));
            }
            return Ok(number);
        }
        if let Type::Enum(_, members) = &ty.ty {
            return self.member(scalar, members, value);
        }
        Err(self.unexpected(format_args!("{} for {}", scalar.expected(), scalar.name()), value))
    }

    /// The bytes of a number in memory, or of an enum's member; `None` for any other value.
    pub(crate) fn bytes_of_number(
        &self,
        ty: &TypeObject,
        scalar: Scalar,
        value: Borrowed<'_>,
    ) -> Result<Option<[u8; 8]>> {
        let (cx, wide) = (self.cx(), self.is_wide());
        let number = match &ty.ty {
            Type::Enum(_, members) if value.is_string() => {
                let members = members.get(self.ctx);
                let members = members.as_object().expect("made with one");
                let found: Value = members.get(value.to_value(cx))?;
                scalar.to_argument(cx, Borrowed::of(&found), wide)?
            }
            _ => scalar.to_argument(cx, value, wide)?,
        };
        Ok(number.map(|number| {
            let mut bytes = crate::scalar::bits(number).to_le_bytes();
            bytes[scalar.size(wide)..].fill(0);
            bytes
        }))
    }

    #[cold]
    pub(crate) fn does_not_fit(&self, what: &str, value: Borrowed<'_>) -> rquickjs::Error {
        let value = match value.number() {
            Some(number) if number.abs() >= 1e21 => format!("{number:e}"),
            Some(number) => webidl::display_number(number),
            None => "the BigInt".into(),
        };
        self.range_error(format_args!("{value} does not fit {}", webidl::with_article(what)))
    }

    #[cold]
    fn member(&self, scalar: Scalar, members: &Held, value: Borrowed<'_>) -> Result<Number> {
        let members = members.get(self.ctx);
        let members = members.as_object().expect("made with one");
        let name = value.to_value(self.cx());
        let Some(name) = name.as_string() else {
            return Err(self.unexpected("a number or a member's name", value));
        };
        let name = webidl::string(self.ctx, Borrowed::of(name.as_value()))?;
        let found: Value = members.get(&*name)?;
        match scalar.to_argument(self.cx(), Borrowed::of(&found), self.is_wide())? {
            Some(number) => Ok(number),
            None => {
                let names = crate::descriptors::keys(members)?;
                Err(self.type_error(format_args!("`{name}` is not a member of the enum ({})", names.join(", "))))
            }
        }
    }

    // ---- Lengths ----------------------------------------------------------------------------------------------------

    /// A length; `None` for one that is found in memory (`until`) or that the value itself has.
    pub(crate) fn length(&self, length: &Length, parent: Option<Parent<'_>>) -> Result<Option<u64>> {
        match length {
            Length::Given | Length::Until(_) => Ok(None),
            Length::Fixed(count) => Ok(Some(*count)),
            Length::Callback(callback) => self.ask(callback).map(Some),
            Length::Argument(at) => self.argument_length(*at).map(Some),
            Length::Field(name) => self.field_length(name, parent).map(Some),
        }
    }

    /// Whether text has just as many units as its length says. If the length is only how much room there was, the text
    /// ends at the first zero.
    pub(crate) fn is_exact(&self, length: &Length) -> bool {
        match length {
            Length::Fixed(_) | Length::Callback(_) => false,
            Length::Argument(at) => {
                let param = self.call.and_then(|call| call.signature?.params.get(*at));
                param.is_some_and(|param| param.direction.comes_out)
            }
            _ => true,
        }
    }

    fn ask(&self, callback: &Held) -> Result<u64> {
        let cx = self.cx();
        let none = CallArguments::new(Args::default(), 0, None);
        let list = self.call.unwrap_or(&none).list(cx)?;
        let mut arguments = Arguments::new(cx);
        arguments.push(Returned::int(self.index()))?;
        arguments.push(cx.returned(list))?;
        let result = callback.call(cx, Args::default().get(0), &mut arguments)?;
        match result.borrow().int() {
            Some(count) if count >= 0 => Ok(count as u64),
            _ => {
                let value = result.to_value();
                crate::scalar::length(&value).ok_or_else(|| crate::descriptors::throw_length(self.ctx, self, &value))
            }
        }
    }

    fn argument_length(&self, at: usize) -> Result<u64> {
        let wide = self.is_wide();
        let param = self.call.and_then(|call| Some((call, call.signature?.params.get(at)?)));
        let Some((call, param)) = param else {
            return Err(self.type_error(format_args!("its length is parameter {at}, which does not exist")));
        };
        let ty = param.ty.get();
        let passed = call.numbers.borrow().get(at).copied();
        let negative = |_| self.range_error(format_args!("its length, parameter {at}, is negative or not an integer"));
        let is_length = |number: Number, scalar: Scalar| scalar.as_length(number).ok_or(()).map_err(negative);
        // A later parameter has not been converted yet, so its value is looked at as it is.
        let Some(passed) = passed else {
            let skipped = call
                .signature
                .map_or(0, |signature| signature.params[..at].iter().filter(|param| param.direction.is_result).count());
            let value = call.get(at - skipped);
            // What it points to, if it goes in.
            let pointee = match &ty.ty {
                Type::Pointer(of) | Type::Array(of, _) | Type::View(of, _) => of.get().scalar(),
                _ => None,
            };
            let first = match pointee {
                Some(_) => match crate::pointer::contents(self, value)? {
                    Some(contents) => Some(contents),
                    None => value.to_value(self.cx()).as_object().map(|array| array.get(0)).transpose()?,
                },
                None => None,
            };
            return match (ty.scalar(), pointee, first) {
                (Some(scalar), ..) => is_length(self.number(ty, scalar, value)?, scalar),
                (None, Some(scalar), Some(first)) => is_length(self.number(ty, scalar, Borrowed::of(&first))?, scalar),
                _ => Err(self.type_error(format_args!("its length, parameter {at}, is not a number before the call"))),
            };
        };
        if let Some(scalar) = ty.scalar().filter(|_| !param.direction.is_result) {
            return is_length(passed, scalar);
        }
        // An out-parameter: what it points to.
        let pointee = match &ty.ty {
            _ if param.direction.is_result => Some(ty),
            Type::Pointer(pointee) => Some(pointee.get()),
            Type::Array(element, _) | Type::View(element, _) => Some(element.get()),
            _ => None,
        };
        let scalar = pointee.and_then(TypeObject::scalar);
        match (scalar, passed.as_address()) {
            (Some(_), 0) => Ok(0),
            (Some(scalar), address) if call.returned.get() || param.direction.goes_in => {
                let mut bytes = [0; 8];
                let bytes = &mut bytes[..scalar.size(wide)];
                self.heap().data().read(address, bytes).map_err(|error| self.heap_error(error))?;
                is_length(scalar.load(bytes, wide), scalar)
            }
            _ => Err(self.type_error(format_args!("its length, parameter {at}, is not a number that is known"))),
        }
    }

    fn field_length(&self, name: &str, parent: Option<Parent<'_>>) -> Result<u64> {
        let wide = self.is_wide();
        let found = parent.and_then(|(shape, fields, bytes)| {
            let at = shape.fields.iter().position(|field| &**field == name)?;
            let scalar = fields[at].get().scalar()?;
            let (offset, size) = (shape.offset(at, wide) as usize, scalar.size(wide));
            let mut buffer = [0u8; 8];
            // SAFETY: the field lies in the record's bytes, which the caller looked at just now.
            unsafe { std::ptr::copy_nonoverlapping(bytes.start.as_ptr().add(offset), buffer.as_mut_ptr(), size) };
            scalar.as_length(scalar.load(&buffer[..size], wide))
        });
        found.ok_or_else(|| self.type_error(format_args!("its length is the field `{name}`, which is not a length")))
    }

    // ---- The end ----------------------------------------------------------------------------------------------------

    /// Runs `body`. What it allocates is the guest's from then on.
    pub(crate) fn giving<R>(&self, body: impl FnOnce() -> Result<R>) -> Result<R> {
        let before = self.ledger.temporary.borrow().len();
        let result = body();
        if result.is_ok() {
            self.ledger.places.borrow_mut().clear();
            self.ledger.temporary.borrow_mut().drain(before..).for_each(|block| self.heap().forget(block.address));
        }
        result
    }

    /// Keeps everything that was allocated: it is the guest's.
    pub(crate) fn commit(&self) {
        self.ledger.places.borrow_mut().clear();
        self.ledger.temporary.borrow_mut().drain(..).for_each(|block| self.heap().forget(block.address));
    }

    /// Ends what the guest has taken over.
    pub(crate) fn consume(&self) -> Result<()> {
        for consumed in self.ledger.consumed.take() {
            match consumed {
                Consumed::View(buffer, address) => {
                    self.heap().release(address);
                    if let Some(buffer) = buffer.get(self.ctx).as_object() {
                        qjs::buffer::detach(buffer);
                    }
                }
                Consumed::Block(address) => self.keep(address),
                Consumed::Address(address) => self.heap().release(address),
                Consumed::Handle(handle) => drop(handle.release()),
            }
        }
        Ok(())
    }

    /// Frees what the operation borrowed. The operation's own error takes precedence over one from freeing.
    pub(crate) fn finish<R>(&self, result: Result<R>) -> Result<R> {
        self.ledger.pinned.take().iter().for_each(|&address| self.heap().unpin(address));
        self.ledger.callbacks.take().iter().for_each(|callback| callback.disarm());
        let temporary = self.ledger.temporary.take();
        if temporary.is_empty() {
            return result;
        }
        // Freeing runs the guest, so the exception must be taken out of the way first.
        let thrown = match &result {
            Err(rquickjs::Error::Exception) => Some(self.ctx.catch()),
            _ => None,
        };
        self.enter_part(webidl::Part::Whole);
        self.path.borrow_mut().clear();
        let mut freed = Ok(());
        for Temporary { address, bytes, align, heap, .. } in &temporary {
            let heap = heap.as_ref().unwrap_or(self.heap());
            let done = heap.give_back_sized(*address, *bytes, *align);
            freed = freed.and(done.map_err(|error| self.heap_error(error)));
        }
        match (thrown, freed) {
            (Some(thrown), freed) => {
                if freed.is_err() {
                    drop(self.ctx.catch());
                }
                Err(self.ctx.throw(thrown))
            }
            (None, Err(error)) => Err(error),
            (None, Ok(())) => result,
        }
    }
}
