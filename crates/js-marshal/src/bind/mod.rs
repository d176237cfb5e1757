//! `cdef` and `header`: C declarations as the interface to an instance.
//!
//! A declaration decides how its values are passed: a pointer to `const` goes in, any other pointer goes in and comes
//! out, a `const char *` is a string, a pointer to a struct that is only declared is a handle. The rest (lengths,
//! ownership, out-parameters) is in annotations.

use std::cell::RefCell;

use c_abi::{Addresses, Passed};
use cdef::{At as Placed, Declarations, Kind, Outcome, Position};
use js_api::{ExportedFunction, InstanceObject};
use qjs::{Borrowed, Call, Ctx, Exception, Held, Object, Result, Value, class};

use crate::descriptors::{handle_type, read_stack_size};
use crate::manager::ManagerObject;
use crate::scalar::Scalar;
use crate::sources::Source;
use crate::types::{
    Access, Direction, Encoding, Length, Ownership, Param, Signature, Status, Type, TypeObject, TypeRef,
};
use crate::wasi::WasiObject;

mod library;
mod records;

/// Names of the library's own properties.
const RESERVED: [&str; 4] = ["types", "memoryManager", "variables", "skipped"];

pub(crate) fn define(exports: &Object<'_>) -> Result<()> {
    crate::descriptors::export_function(exports, "cdef", 2, bind::<false>)?;
    crate::descriptors::export_function(exports, "header", 2, bind::<true>)
}

/// What a declaration is within.
#[derive(Clone, Copy)]
enum Within<'d> {
    /// A function, with its parameters.
    Function(&'d cdef::Signature),
    /// A struct or union, with its fields.
    Record(&'d [cdef::Field]),
}

/// How a pointer is used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Param,
    Result,
    /// In memory: as a field, an element, or what another pointer points to.
    Memory,
}

struct Binder<'a, 'js> {
    ctx: &'a Ctx<'js>,
    /// The function's name in messages.
    place: &'static str,
    declarations: &'a Declarations,
    instance: &'a InstanceObject,
    options: Option<Object<'js>>,
    views: bool,
    /// Whether numbers that do not fit are refused.
    exact: bool,
    /// Whether this is somebody else's header: what it leaves open is no mistake.
    is_lenient: bool,
    is_wide: bool,
    error: Option<Held>,
    stack_size: Option<u64>,
    /// The descriptors of records and enums, by their indices.
    records: Vec<TypeRef>,
    enums: Vec<TypeRef>,
    /// What the last exception was about, if it was about a declaration.
    failed: RefCell<Option<(Position, String)>>,
    skipped: RefCell<Vec<Skipped>>,
}

/// A declaration that is not bound.
struct Skipped {
    name: String,
    kind: Kind,
    position: Position,
    reason: String,
}

/// `cdef(instance, declarations, options)` and `header(instance, text or path, options)`.
fn bind<'js, const HEADER: bool>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let place = if HEADER { "header" } else { "cdef" };
    let ctx = &call.ctx;
    let (instance, wasi_manager) = match class::get::<WasiObject>(call.args.get(0)) {
        Some(wasi) => (wasi.instance(ctx), Some(wasi.manager(ctx))),
        None => (call.arg(0), None),
    };
    let found: &InstanceObject = webidl::interface(ctx, Borrowed::of(&instance), &format!("{place}: argument 1"))?;
    let source = call.arg(1);
    let Some(source) = source.as_string() else {
        let came = webidl::describe(&source);
        let what = if HEADER { "a header's text or its path" } else { "a string of C declarations" };
        return Err(Exception::throw_type(ctx, &format!("{place}: argument 2 must be {what}, got {came}")));
    };
    let source = webidl::string(ctx, Borrowed::of(source.as_value()))?;
    let options = webidl::dictionary(ctx, call.arg(2), &format!("{place}: argument 3"))?;
    let option = |name: &str| options.as_ref().map_or(Ok(Value::new_undefined(ctx.clone())), |given| given.get(name));
    let views = option("views")?.as_bool().unwrap_or(false);
    let exact = match option("numbers")? {
        numbers if numbers.is_undefined() => false,
        numbers => {
            match numbers.as_string().map(|word| webidl::string(ctx, Borrowed::of(word.as_value()))).transpose()? {
                Some(word) if word == "wrap" => false,
                Some(word) if word == "exact" => true,
                _ => {
                    let message = format!("{place}: argument 3: `numbers` must be `wrap` or `exact`");
                    return Err(Exception::throw_type(ctx, &message));
                }
            }
        }
    };
    let strict = option("strict")?;
    let is_lenient = if HEADER { !strict.as_bool().unwrap_or(false) } else { strict.as_bool() == Some(false) };
    let error = match option("error")? {
        error if error.is_undefined() => None,
        error if error.is_function() => Some(Held::new(&error)),
        _ => return Err(Exception::throw_type(ctx, &format!("{place}: argument 3: `error` must be a function"))),
    };
    let stack_size = read_stack_size(ctx, &options, &format!("{place}: argument 3"))?;
    let source = match HEADER {
        true => Source::of_header(ctx, source, options.as_ref())?,
        false => Source::of_text(ctx, source, options.as_ref())?,
    };
    let given = option("memoryManager")?;
    let manager = match wasi_manager {
        _ if !given.is_undefined() => Some(given),
        Some(manager) if class::of::<ManagerObject>(&manager).is_some() => Some(manager),
        _ => None,
    };
    // What is wrong with the declarations is told first; their sizes wait for the memory.
    let is_known_wide = manager.as_ref().and_then(class::of::<ManagerObject>).map(|of| of.heap().is_wide());
    let mut declarations = source.read(ctx, place, is_known_wide.unwrap_or(false), is_lenient)?;
    let manager = match manager {
        Some(manager) => manager,
        None => {
            let manager = ManagerObject::of_any_instance(ctx, found, webidl::Place::whole(place))?;
            class::new_object(ctx, manager, None)?.into_value()
        }
    };
    let of: &ManagerObject =
        webidl::interface(ctx, Borrowed::of(&manager), &format!("{place}: argument 3: `memoryManager`"))?;
    let is_wide = of.heap().is_wide();
    if is_wide != is_known_wide.unwrap_or(false) {
        declarations = source.read(ctx, place, is_wide, is_lenient)?;
    }
    let mut binder = Binder {
        ctx,
        place,
        declarations: &declarations,
        instance: found,
        options,
        views,
        exact,
        is_lenient,
        is_wide,
        error,
        stack_size,
        records: Vec::new(),
        enums: Vec::new(),
        failed: RefCell::default(),
        skipped: RefCell::default(),
    };
    binder.make_types()?;
    binder.library(&manager)
}

impl<'js> Binder<'_, 'js> {
    fn fail(&self, at: Position, message: impl Into<String>) -> rquickjs::Error {
        let message = message.into();
        let error = self.declarations.error(at, message.clone());
        *self.failed.borrow_mut() = Some((at, message));
        Exception::throw_type(self.ctx, &format!("{}: {error}", self.place))
    }

    /// Makes something of a declaration; `None` if that cannot be done, which is noted.
    fn attempt<T>(&self, name: &str, kind: Kind, part: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
        self.failed.take();
        match part() {
            Ok(made) => Ok(Some(made)),
            Err(error) if error.is_exception() => {
                let Some((position, reason)) = self.failed.take() else { return Err(error) };
                drop(self.ctx.catch());
                self.skip(name, kind, position, reason);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn skip(&self, name: &str, kind: Kind, position: Position, reason: impl Into<String>) {
        if !self.declarations.is_system(position) {
            let (name, reason) = (name.to_owned(), reason.into());
            self.skipped.borrow_mut().push(Skipped { name, kind, position, reason });
        }
    }

    fn addresses(&self) -> Addresses {
        Addresses::wide(self.is_wide)
    }

    fn descriptor(&self, ty: TypeObject) -> Result<TypeRef> {
        crate::descriptors::check_depth(self.ctx, &ty, self.place)?;
        TypeRef::new(self.ctx, ty)
    }

    /// The exported function of this name.
    fn export(&self, name: &str, at: Position) -> Result<Value<'js>> {
        let value = self.instance.export(self.ctx, name)?;
        match class::of::<ExportedFunction>(&value).is_some() {
            true => Ok(value),
            false => Err(self.fail(at, format!("the instance exports no function `{name}`"))),
        }
    }

    /// An error about the types themselves, with its place in the declarations.
    fn located(&self, error: rquickjs::Error, at: Position) -> rquickjs::Error {
        let thrown = self.ctx.catch();
        let message = thrown.as_object().and_then(|thrown| thrown.get::<_, String>("message").ok());
        match message.filter(|_| error.is_exception()) {
            Some(message) => self.fail(at, message.trim_start_matches(": ")),
            None => self.ctx.throw(thrown),
        }
    }

    /// The length that an annotation names.
    fn length(&self, annotations: &cdef::Annotations, within: Within<'_>) -> Result<Length> {
        if let Some(until) = &annotations.until {
            if let Some(length) = &annotations.length {
                let message = "`length` and `until` both say how many elements there are: write one of them";
                return Err(self.fail(length.position, message));
            }
            return Ok(Length::Until(until.value));
        }
        let Some(Placed { value, position }) = &annotations.length else { return Ok(Length::Given) };
        let name = match value {
            cdef::Length::Constant(count) => return Ok(Length::Fixed(*count)),
            cdef::Length::Named(name) => name,
        };
        match within {
            Within::Function(signature) => {
                let found = signature.params.iter().position(|param| param.name.as_deref() == Some(name));
                if let Some(at) = found {
                    return Ok(Length::Argument(at));
                }
            }
            Within::Record(fields) => {
                if let Some(field) = fields.iter().find(|field| field.name.as_deref() == Some(name)) {
                    let is_integer =
                        matches!(field.ty, cdef::Type::Int { .. } | cdef::Type::Char | cdef::Type::Enum(_));
                    return match is_integer {
                        true => Ok(Length::Field(name.as_str().into())),
                        false => {
                            Err(self.fail(*position, format!("`{name}` is not an integer, so it cannot be a length")))
                        }
                    };
                }
            }
        }
        let lengths: Option<Object> = match &self.options {
            Some(options) => options.get("lengths")?,
            None => None,
        };
        let callback: Option<Value> = lengths.map(|lengths| lengths.get(&**name)).transpose()?;
        match callback.filter(Value::is_function) {
            Some(callback) => Ok(Length::Callback(Held::new(&callback))),
            None => {
                let of = match within {
                    Within::Function(_) => "parameter",
                    Within::Record(_) => "field",
                };
                let message = format!("there is no {of} `{name}`, and no function of that name in `lengths`");
                Err(self.fail(*position, message))
            }
        }
    }

    /// Gives a type what its annotations say: who frees it, and more.
    fn annotate(&self, ty: &mut TypeObject, annotations: &cdef::Annotations, used: Use, inherits: bool) -> Result<()> {
        ty.ownership = match annotations.ownership.as_ref().map(|placed| &placed.value) {
            Some(cdef::Ownership::Owned(_)) => Ownership::Owned,
            Some(cdef::Ownership::Borrowed) => Ownership::Borrowed,
            Some(cdef::Ownership::Consumed) => Ownership::Consumed,
            None if inherits || used == Use::Param || matches!(ty.ty, Type::Handle { .. }) => Ownership::Inherited,
            // Nothing is freed unless a declaration says so.
            None => Ownership::Borrowed,
        };
        if let Some(Placed { value: cdef::Ownership::Owned(Some(free)), position }) = &annotations.ownership {
            ty.free = Some(Held::new(&self.export(free, *position)?));
        }
        ty.non_null = annotations.nonnull.is_some();
        ty.kept = annotations.keep.is_some();
        Ok(())
    }

    /// The descriptor of a C type.
    fn ty(
        &self,
        ty: &cdef::Type,
        annotations: &cdef::Annotations,
        at: Position,
        within: Within<'_>,
        used: Use,
    ) -> Result<TypeRef> {
        if let Some(kept) = annotations.keeps.first().filter(|_| !matches!(ty, cdef::Type::Pointer(_))) {
            return Err(
                self.fail(kept.position, "only a handle can keep others: write `keeps` where a handle comes out")
            );
        }
        let is_function = matches!(ty, cdef::Type::Pointer(to) if matches!(to.ty, cdef::Type::Function(_)));
        if let Some(placed) = annotations.is_async.as_ref().filter(|_| !is_function && used != Use::Result) {
            return Err(self.fail(placed.position, "only functions can be `async`"));
        }
        if let Some(scalar) = scalar(ty) {
            let ty = TypeObject::new(Type::Scalar(scalar));
            return self.descriptor(TypeObject { exact: self.exact, ..ty });
        }
        match ty {
            cdef::Type::LongDouble => Err(self.fail(at, "`long double` has no type in JavaScript")),
            cdef::Type::Void => self.descriptor(TypeObject::new(Type::Void)),
            cdef::Type::Enum(of) => Ok(self.enums[*of].duplicate()),
            cdef::Type::Record(of) => {
                if self.records[*of].get().layout(false).is_none() {
                    return Err(self.fail(at, format!("{} is not defined", self.record_name(*of))));
                }
                Ok(self.records[*of].duplicate())
            }
            cdef::Type::Array(element, count) => {
                let length = Length::Fixed(*count);
                if let Some(encoding) = self.text(element, annotations, true)? {
                    return self.descriptor(TypeObject::new(Type::InlineString(encoding, length)));
                }
                let element = self.ty(element, &cdef::Annotations::default(), at, within, Use::Memory)?;
                self.descriptor(TypeObject::new(Type::Inline(element, length)))
            }
            cdef::Type::Pointer(to) => {
                let mut made = self.pointer(to, annotations, at, within, used)?;
                self.annotate(&mut made, annotations, used, false)?;
                if !matches!(made.ty, Type::Handle { .. } | Type::Callback(_)) {
                    made.access = if to.is_const { Access::ReadOnly } else { Access::Writable };
                }
                made.keeps = self.keeps(annotations, within)?;
                if let Some(kept) = annotations.keeps.first().filter(|_| !matches!(made.ty, Type::Handle { .. })) {
                    return Err(self
                        .fail(kept.position, "only a handle can keep others: write `keeps` where a handle comes out"));
                }
                self.descriptor(made)
            }
            cdef::Type::Function(_) => Err(self.fail(at, "a function is not a value: write a pointer to it")),
            _ => unreachable!("numbers were handled"),
        }
    }

    /// The arguments that a handle keeps, as the script passes them.
    fn keeps(&self, annotations: &cdef::Annotations, within: Within<'_>) -> Result<Vec<usize>> {
        let Within::Function(signature) = within else { return Ok(Vec::new()) };
        let index = |kept: &Placed<String>| {
            let at = signature.params.iter().position(|param| param.name.as_deref() == Some(&kept.value));
            let at = at.ok_or_else(|| self.fail(kept.position, format!("there is no parameter `{}`", kept.value)))?;
            Ok(signature.params[..at].iter().filter(|param| !is_out(param)).count())
        };
        annotations.keeps.iter().map(index).collect()
    }

    fn record_name(&self, of: usize) -> String {
        let record = &self.declarations.records[of];
        format!("{} {}", record.kind.keyword(), record.name.as_deref().unwrap_or("without a name"))
    }

    /// The encoding of a string of such characters; `None` if they are not text.
    fn text(&self, element: &cdef::Type, annotations: &cdef::Annotations, is_text: bool) -> Result<Option<Encoding>> {
        let Some(Placed { value, position }) = &annotations.encoding else {
            return Ok((is_text && matches!(element, cdef::Type::Char)).then_some(Encoding::Utf8));
        };
        let (encoding, word) = match value {
            cdef::Encoding::Utf8 => (Encoding::Utf8, "utf8"),
            cdef::Encoding::Utf16 => (Encoding::Utf16, "utf16"),
            cdef::Encoding::Latin1 => (Encoding::Latin1, "latin1"),
            cdef::Encoding::Bytes => return Ok(None),
        };
        let has = scalar(element).filter(|scalar| !matches!(scalar, Scalar::Float32 | Scalar::Float64));
        match (element, has.map(|scalar| scalar.size(false) as u64)) {
            (cdef::Type::Void, _) => Ok(Some(encoding)),
            (_, Some(size)) if size == encoding.unit() => Ok(Some(encoding)),
            (_, size) => {
                let has = size.map_or("are no integers".into(), |size| format!("have {} bits", size * 8));
                let message =
                    format!("the units of `{word}` have {} bits, but the elements here {has}", encoding.unit() * 8);
                Err(self.fail(*position, message))
            }
        }
    }

    fn is_view(&self, annotations: &cdef::Annotations) -> bool {
        annotations.mode.as_ref().map_or(self.views, |mode| mode.value == cdef::Mode::View)
    }

    /// The descriptor of a pointer.
    fn pointer(
        &self,
        to: &cdef::Pointee,
        annotations: &cdef::Annotations,
        at: Position,
        within: Within<'_>,
        used: Use,
    ) -> Result<TypeObject> {
        let length = self.length(annotations, within)?;
        let has_length = !matches!(length, Length::Given);
        let view = self.is_view(annotations);
        // A `char *` that the guest writes to is not a string: strings do not change.
        let is_text = to.is_const || used != Use::Param;
        if let Some(encoding) = self.text(&to.ty, annotations, is_text)? {
            return Ok(TypeObject::new(Type::String(encoding, length)));
        }
        let elements = |element: TypeRef, length: Length| match view {
            true => Type::View(element, length),
            false => Type::Array(element, length),
        };
        let ty = match &to.ty {
            cdef::Type::Function(signature) => {
                let is_async = annotations.is_async.is_some();
                Type::Callback(Signature { is_async, ..self.signature(signature, None, at)? })
            }
            cdef::Type::Void if !has_length => Type::VoidPointer,
            cdef::Type::LongDouble => Type::VoidPointer,
            cdef::Type::Void | cdef::Type::Char => {
                let byte = self.descriptor(TypeObject::new(Type::Scalar(Scalar::Uint8)))?;
                match (used, has_length) {
                    (Use::Param, _) | (_, true) => elements(byte, length),
                    _ => Type::VoidPointer,
                }
            }
            cdef::Type::Record(of) => return self.record_pointer(*of, to, length, view, at),
            other => {
                let inner = match self.ty(other, &to.annotations, at, within, Use::Memory) {
                    Ok(inner) => inner,
                    // An address is still an address.
                    Err(error) if self.is_lenient && error.is_exception() && self.failed.take().is_some() => {
                        drop(self.ctx.catch());
                        return Ok(TypeObject::new(Type::VoidPointer));
                    }
                    Err(error) => return Err(error),
                };
                // What a parameter points to stays whose it is, but for what comes out or is given away.
                let inherits = inner.get().is_pointer() && (used != Use::Param || annotations.ownership.is_some());
                let inner = if inherits { self.inheriting(&inner)? } else { inner };
                let can_view = inner.get().scalar().is_some();
                if !can_view && let Some(mode) = annotations.mode.as_ref().filter(|mode| mode.value == cdef::Mode::View)
                {
                    return Err(self.fail(mode.position, "only numbers and structs can be viewed"));
                }
                match used {
                    _ if !can_view && (used == Use::Param || has_length) => Type::Array(inner, length),
                    Use::Param => elements(inner, length),
                    _ if has_length => elements(inner, length),
                    Use::Result if self.is_lenient => Type::VoidPointer,
                    Use::Result => {
                        let message = "the result needs a length: write [[length(n)]] or [[until(0)]] behind its \
                                       parameters";
                        return Err(self.fail(at, message));
                    }
                    Use::Memory => Type::VoidPointer,
                }
            }
        };
        Ok(TypeObject::new(ty))
    }

    /// An element's type, owned as its array is.
    fn inheriting(&self, ty: &TypeRef) -> Result<TypeRef> {
        let mut copy = ty.get().duplicate();
        if copy.ownership == Ownership::Borrowed {
            copy.ownership = Ownership::Inherited;
        }
        self.descriptor(copy)
    }

    fn record_pointer(
        &self,
        of: usize,
        to: &cdef::Pointee,
        length: Length,
        view: bool,
        at: Position,
    ) -> Result<TypeObject> {
        let record = &self.declarations.records[of];
        let opaque = record.annotations.opaque.as_ref().or(to.annotations.opaque.as_ref());
        if opaque.is_some() || record.fields.is_none() {
            let function = match opaque.map(|opaque| (&opaque.value, opaque.position)) {
                Some((Some(name), position)) => self.export(name, position)?,
                _ => Value::new_undefined(self.ctx.clone()),
            };
            let name = record.name.as_deref().map(Into::into);
            let ty = handle_type(self.ctx, name, &function, &"").map_err(|error| self.located(error, at))?;
            if !matches!(length, Length::Given) {
                return Err(self.fail(at, format!("{} is opaque: it has no elements", self.record_name(of))));
            }
            return Ok(TypeObject::new(ty));
        }
        let record = self.records[of].duplicate();
        Ok(TypeObject::new(match (length, view) {
            (Length::Given, view) => Type::RecordPointer { record, view },
            (length, true) => Type::View(record, length),
            (length, false) => Type::Array(record, length),
        }))
    }

    /// A function's parameters and result. A callback has no annotations on its result.
    fn signature(
        &self,
        signature: &cdef::Signature,
        annotations: Option<&cdef::Annotations>,
        at: Position,
    ) -> Result<Signature> {
        let is_callback = annotations.is_none();
        let passed = signature.params.iter().map(|param| (&param.ty, param.position)).chain([(&signature.result, at)]);
        for (ty, at) in passed {
            let layout = self.declarations.layout(ty, self.addresses());
            if let Some(Passed::Number(c_abi::Scalar::F128 | c_abi::Scalar::I128)) = layout.map(|layout| layout.passed)
            {
                return Err(self.fail(at, "`long double` has no type in JavaScript"));
            }
        }
        let params = signature.params.iter().map(|param| self.param(param, signature, is_callback));
        let params = params.collect::<Result<Vec<_>>>()?;
        let none = cdef::Annotations::default();
        let annotations = annotations.unwrap_or(&none);
        let within = Within::Function(signature);
        let returns = match &signature.result {
            cdef::Type::Void => None,
            ty => Some(self.ty(ty, annotations, at, within, Use::Result)?),
        };
        let returns = match (&annotations.outcome, returns) {
            (None, returns) => returns,
            (Some(outcome), None) => return Err(self.fail(outcome.position, "a function without a result cannot fail")),
            (Some(Placed { value, .. }), Some(ty)) => {
                let (success, failure) = match value {
                    Outcome::Status(success) => (success.clone(), Vec::new()),
                    Outcome::Fails(failure) => (Vec::new(), failure.clone()),
                };
                let error = self.error.as_ref().map(Held::duplicate);
                Some(self.descriptor(TypeObject::new(Type::Status(Status { ty, success, failure, error })))?)
            }
        };
        let is_async = annotations.is_async.is_some();
        Ok(Signature { params, returns, is_variadic: signature.is_variadic, is_async, stack_size: self.stack_size })
    }

    fn param(&self, param: &cdef::Param, signature: &cdef::Signature, is_callback: bool) -> Result<Param> {
        const IN: Direction = Direction { goes_in: true, comes_out: false, is_result: false };
        const IN_OUT: Direction = Direction { goes_in: true, comes_out: true, is_result: false };
        let (annotations, at, within) = (&param.annotations, param.position, Within::Function(signature));
        let direction = annotations.direction.as_ref().map(|placed| placed.value);
        let cdef::Type::Pointer(to) = &param.ty else {
            if let Some(placed) = annotations.direction.as_ref().filter(|placed| placed.value != cdef::Direction::In) {
                return Err(self.fail(placed.position, "only what a pointer points to can come out"));
            }
            let ty = self.ty(&param.ty, annotations, at, within, Use::Param)?;
            return Ok(Param { ty, direction: IN });
        };
        if is_out(param) && !is_callback {
            return self.out_param(to, annotations, at, within);
        }
        let used = if is_callback { Use::Result } else { Use::Param };
        // A callback's pointer without a length points to one value.
        let ty = match self.one_value(to, annotations, at, within).filter(|_| is_callback) {
            Some(ty) => ty?,
            None => self.ty(&param.ty, annotations, at, within, used)?,
        };
        let comes_out = match direction {
            Some(cdef::Direction::In) => false,
            Some(_) => true,
            None => !to.is_const,
        };
        // Types whose values cannot change, or that have no value to replace them with.
        let fixed = matches!(ty.get().ty, Type::String(..) | Type::Handle { .. } | Type::Callback(_));
        let by_value = is_callback && direction.is_none();
        Ok(Param { ty, direction: if comes_out && !fixed && !by_value { IN_OUT } else { IN } })
    }

    /// A callback's pointer to one number, as a Pointer.
    fn one_value(
        &self,
        to: &cdef::Pointee,
        annotations: &cdef::Annotations,
        at: Position,
        within: Within<'_>,
    ) -> Option<Result<TypeRef>> {
        let is_one = annotations.length.is_none() && annotations.until.is_none() && annotations.encoding.is_none();
        let is_number =
            !matches!(to.ty, cdef::Type::Char) && (scalar(&to.ty).is_some() || matches!(to.ty, cdef::Type::Enum(_)));
        let is_pointer = matches!(to.ty, cdef::Type::Pointer(_));
        (is_one && (is_number || is_pointer)).then(|| {
            let inner = self.ty(&to.ty, &to.annotations, at, within, Use::Memory)?;
            let mut made = TypeObject::new(Type::Pointer(inner));
            self.annotate(&mut made, annotations, Use::Result, false)?;
            self.descriptor(made)
        })
    }

    /// A pointer to something that the guest fills in and the script gets.
    fn out_param(
        &self,
        to: &cdef::Pointee,
        annotations: &cdef::Annotations,
        at: Position,
        within: Within<'_>,
    ) -> Result<Param> {
        const RESULT: Direction = Direction { goes_in: false, comes_out: true, is_result: true };
        let is_pointer = matches!(to.ty, cdef::Type::Pointer(_));
        if annotations.mode.as_ref().is_some_and(|mode| mode.value == cdef::Mode::View) && !is_pointer {
            let message = "the guest fills this in where the host has room: pass a view instead, without [[out]]";
            return Err(self.fail(at, message));
        }
        let length = self.length(annotations, within)?;
        if let Some(until) = annotations.until.as_ref().filter(|_| !is_pointer) {
            let message =
                "nobody knows how much room this needs: write [[length(n)]], or pass an array without [[out]]";
            return Err(self.fail(until.position, message));
        }
        let ty = if is_pointer {
            // The guest puts a pointer there. Lengths and ownership belong to what that points to.
            self.ty(&to.ty, annotations, at, within, Use::Result)?
        } else if matches!(length, Length::Given) {
            match &to.ty {
                cdef::Type::Void => return Err(self.fail(at, "nobody knows how long this is: write [[length(n)]]")),
                ty => self.ty(ty, annotations, at, within, Use::Memory)?,
            }
        } else if let Some(encoding) = self.text(&to.ty, annotations, true)? {
            self.descriptor(TypeObject::new(Type::InlineString(encoding, length)))?
        } else {
            let element = match &to.ty {
                cdef::Type::Void | cdef::Type::Char => self.descriptor(TypeObject::new(Type::Scalar(Scalar::Uint8)))?,
                ty => self.ty(ty, &to.annotations, at, within, Use::Memory)?,
            };
            self.descriptor(TypeObject::new(Type::Inline(element, length)))?
        };
        Ok(Param { ty, direction: RESULT })
    }
}

/// Whether a parameter is a pointer that the guest fills in.
fn is_out(param: &cdef::Param) -> bool {
    param.annotations.direction.as_ref().is_some_and(|direction| direction.value == cdef::Direction::Out)
}

/// The number that a C type is.
fn scalar(ty: &cdef::Type) -> Option<Scalar> {
    use cdef::Width;
    Some(match ty {
        cdef::Type::Bool => Scalar::Bool,
        cdef::Type::Char => Scalar::Int8,
        cdef::Type::Float => Scalar::Float32,
        cdef::Type::Double => Scalar::Float64,
        cdef::Type::Int { width, signed } => match (width, signed) {
            (Width::W8, true) => Scalar::Int8,
            (Width::W8, false) => Scalar::Uint8,
            (Width::W16, true) => Scalar::Int16,
            (Width::W16, false) => Scalar::Uint16,
            (Width::W32, true) => Scalar::Int32,
            (Width::W32, false) => Scalar::Uint32,
            (Width::W64, true) => Scalar::Int64,
            (Width::W64, false) => Scalar::Uint64,
            (Width::Pointer, true) => Scalar::SignedSize,
            (Width::Pointer, false) => Scalar::Size,
        },
        _ => return None,
    })
}
