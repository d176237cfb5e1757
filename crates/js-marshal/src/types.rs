//! The descriptors that prototypes are made of: types, and the direction of arguments.

use qjs::define::{self, Attributes};
use qjs::function::Native;
use qjs::{Call, ClassId, Ctx, Exception, Held, HostClass, Marker, Object, Result, Value, class};

use crate::ids;
use crate::scalar::{Scalar, length};
use webidl::Place;

/// How many elements an array has, where its descriptor says so.
pub(crate) enum Length {
    /// As many as the argument has. A result must say more.
    Given,
    Fixed(u64),
    /// `(index, args) => length`.
    Callback(Held),
}

/// What a value is in C.
pub(crate) enum Type {
    Void,
    Scalar(Scalar),
    /// `char *`, UTF-8.
    String,
    /// A pointer to elements, copied.
    Array(Scalar, Length),
    /// A pointer to elements, viewed.
    View(Scalar, Length),
}

impl Type {
    pub(crate) fn duplicate(&self) -> Self {
        let length = |length: &Length| match length {
            Length::Given => Length::Given,
            Length::Fixed(count) => Length::Fixed(*count),
            Length::Callback(held) => Length::Callback(held.duplicate()),
        };
        match self {
            Self::Void => Self::Void,
            Self::Scalar(scalar) => Self::Scalar(*scalar),
            Self::String => Self::String,
            Self::Array(scalar, count) => Self::Array(*scalar, length(count)),
            Self::View(scalar, count) => Self::View(*scalar, length(count)),
        }
    }

    pub(crate) fn mark(&self, marker: &Marker) {
        if let Self::Array(_, Length::Callback(held)) | Self::View(_, Length::Callback(held)) = self {
            marker.mark(held);
        }
    }

    /// The descriptor's name, for messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Void => "VoidType".into(),
            Self::Scalar(scalar) => format!("{}Type", scalar.name()),
            Self::String => "StringType".into(),
            Self::Array(scalar, _) => format!("ArrayType({})", scalar.name()),
            Self::View(scalar, _) => format!("TypedArrayType({})", scalar.name()),
        }
    }
}

/// The value of a type descriptor.
pub(crate) struct TypeObject {
    pub(crate) ty: Type,
}

// SAFETY: the callback is marked once. The number is this class's own.
unsafe impl HostClass for TypeObject {
    const ID: ClassId = ids::TYPE;
    const NAME: &'static std::ffi::CStr = c"Type";

    fn mark(&self, marker: &Marker) {
        self.ty.mark(marker);
    }
}

/// Which way an argument's data goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Direction {
    pub(crate) goes_in: bool,
    pub(crate) comes_out: bool,
}

/// The value of an argument descriptor.
pub(crate) struct ArgumentObject {
    pub(crate) ty: Type,
    pub(crate) direction: Direction,
}

// SAFETY: the callback is marked once. The number is this class's own.
unsafe impl HostClass for ArgumentObject {
    const ID: ClassId = ids::ARGUMENT;
    const NAME: &'static std::ffi::CStr = c"ArgumentDef";

    fn mark(&self, marker: &Marker) {
        self.ty.mark(marker);
    }
}

/// Defines a class whose instances `new` makes; its prototype.
pub(crate) fn define_class<'js, F: Native>(
    exports: &Object<'js>,
    name: &str,
    length: i32,
    native: F,
) -> Result<Object<'js>> {
    Ok(define::interface(exports, name, name, Attributes::Plain, length, native)?.prototype)
}

pub(crate) fn define<'js>(ctx: &Ctx<'js>, exports: &Object<'js>) -> Result<()> {
    class::register::<TypeObject>(ctx)?;
    class::register::<ArgumentObject>(ctx)?;
    define_class(exports, "Int8Type", 0, new_scalar::<0>)?;
    define_class(exports, "Uint8Type", 0, new_scalar::<1>)?;
    define_class(exports, "Int16Type", 0, new_scalar::<2>)?;
    define_class(exports, "Uint16Type", 0, new_scalar::<3>)?;
    define_class(exports, "Int32Type", 0, new_scalar::<4>)?;
    define_class(exports, "Uint32Type", 0, new_scalar::<5>)?;
    define_class(exports, "Int64Type", 0, new_scalar::<6>)?;
    define_class(exports, "Uint64Type", 0, new_scalar::<7>)?;
    define_class(exports, "Float32Type", 0, new_scalar::<8>)?;
    define_class(exports, "Float64Type", 0, new_scalar::<9>)?;
    define_class(exports, "VoidType", 0, new_void)?;
    define_class(exports, "StringType", 0, new_string)?;
    define_class(exports, "ArrayType", 1, new_array::<false>)?;
    define_class(exports, "TypedArrayType", 1, new_array::<true>)?;
    define_class(exports, "In", 1, new_argument::<true, false>)?;
    define_class(exports, "Out", 1, new_argument::<false, true>)?;
    define_class(exports, "InOut", 1, new_argument::<true, true>)?;
    Ok(())
}

fn new_type<'js>(call: &Call<'_, 'js>, name: &str, ty: Type) -> Result<Value<'js>> {
    webidl::require_new(call, name)?;
    let prototype = class::prototype_from_new_target::<TypeObject>(call)?;
    Ok(class::new_object(&call.ctx, TypeObject { ty }, prototype.as_ref())?.into_value())
}

fn new_scalar<'js, const AT: usize>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let ty = Type::Scalar(Scalar::ALL[AT]);
    new_type(&call, &ty.name(), ty)
}

fn new_void<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    new_type(&call, "VoidType", Type::Void)
}

fn new_string<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    new_type(&call, "StringType", Type::String)
}

fn new_array<'js, const VIEW: bool>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let name = if VIEW { "TypedArrayType" } else { "ArrayType" };
    let element: &TypeObject = webidl::interface(&call.ctx, call.args.get(0), &format!("{name}: argument 1"))?;
    let Type::Scalar(scalar) = element.ty else {
        let message = format!("{name}: argument 1 must be a number type, got {}", element.ty.name());
        return Err(Exception::throw_type(&call.ctx, &message));
    };
    let given = call.arg(1);
    let length = if given.is_undefined() || given.is_null() {
        Length::Given
    } else if given.is_function() {
        Length::Callback(Held::new(&given))
    } else {
        let place = Place::argument(name, 1);
        Length::Fixed(length(&given).ok_or_else(|| throw_length(&call.ctx, place, &given))?)
    };
    let ty = if VIEW { Type::View(scalar, length) } else { Type::Array(scalar, length) };
    new_type(&call, name, ty)
}

/// Refuses a length that is no whole number.
pub(crate) fn throw_length(ctx: &Ctx<'_>, place: Place<'_>, given: &Value<'_>) -> rquickjs::Error {
    let expected = format!("{place}: a length must be a whole number from 0 to 2^53 - 1");
    match given.as_number() {
        Some(number) => Exception::throw_range(ctx, &format!("{expected}, got {}", webidl::display_number(number))),
        None => Exception::throw_type(
            ctx,
            &format!("{expected}, or a function that returns one, got {}", webidl::describe(given)),
        ),
    }
}

fn new_argument<'js, const IN: bool, const OUT: bool>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let name = match (IN, OUT) {
        (true, false) => "In",
        (false, _) => "Out",
        (true, true) => "InOut",
    };
    webidl::require_new(&call, name)?;
    let ty: &TypeObject = webidl::interface(&call.ctx, call.args.get(0), &format!("{name}: argument 1"))?;
    let refused = match &ty.ty {
        Type::Void => true,
        Type::Scalar(_) | Type::String => OUT,
        Type::Array(..) | Type::View(..) => false,
    };
    if refused {
        let message = format!("{name}: a {} cannot be such an argument", ty.ty.name());
        return Err(Exception::throw_type(&call.ctx, &message));
    }
    let argument = ArgumentObject { ty: ty.ty.duplicate(), direction: Direction { goes_in: IN, comes_out: OUT } };
    let prototype = class::prototype_from_new_target::<ArgumentObject>(&call)?;
    Ok(class::new_object(&call.ctx, argument, prototype.as_ref())?.into_value())
}
