//! The classes of descriptors: types, and the direction of arguments.

use js_api::ExportedFunction;
use marshal::Destructor;
use qjs::define::{self, Attributes, Put as _};
use qjs::function::{Kind, Native, function};
use qjs::{Borrowed, Call, Ctx, Cx, Exception, Held, Object, Result, Value, WeakObject, class};
use rquickjs::JsLifetime;

use crate::custom;
use crate::errors::{At, throw_heap_error};
use crate::language;
use crate::record_types::{
    create_record, define_record, new_record, new_record_pointer, record_at, record_name, record_offsets,
};
use crate::scalar::{self, Scalar};
use crate::types::{
    ArgumentObject, Direction, Encoding, Length, Ownership, Param, Signature, Status, Type, TypeObject, TypeRef,
    throw_no_value,
};

/// The prototypes of the vocabulary's own classes in a runtime. An object with another prototype is of a script's
/// subclass.
#[derive(JsLifetime)]
struct Prototypes<'js>(Vec<Prototype<'js>>);

#[derive(JsLifetime)]
struct Prototype<'js> {
    class: &'static str,
    object: Object<'js>,
}

impl<'js> Prototypes<'js> {
    fn get(&self, class: &str) -> Option<&Object<'js>> {
        self.0.iter().find(|prototype| prototype.class == class).map(|prototype| &prototype.object)
    }
}

/// Defines a class whose instances `new` makes. Returns its prototype.
pub(crate) fn define_class<'js, F: Native>(
    exports: &Object<'js>,
    name: &str,
    length: i32,
    native: F,
) -> Result<Object<'js>> {
    Ok(define::interface(exports, name, name, Attributes::Plain, length, native)?.prototype)
}

/// Classes in the making, each after the one that it extends.
struct Classes<'a, 'js> {
    exports: &'a Object<'js>,
    made: Vec<Prototype<'js>>,
}

impl<'js> Classes<'_, 'js> {
    fn add<F: Native>(&mut self, name: &'static str, base: &str, mangled: &str, length: i32, native: F) -> Result<()> {
        let made = define::interface(self.exports, name, name, Attributes::Plain, length, native)?;
        if !base.is_empty() {
            let base: Object = self.exports.get(base)?;
            made.constructor.set_prototype(Some(&base))?;
            made.prototype.set_prototype(Some(&base.get::<_, Object>("prototype")?))?;
        }
        if !mangled.is_empty() {
            made.constructor.put("MANGLED_NAME", mangled)?;
        }
        self.made.push(Prototype { class: name, object: made.prototype });
        Ok(())
    }
}

pub(crate) fn define<'js>(ctx: &Ctx<'js>, exports: &Object<'js>) -> Result<()> {
    class::register::<TypeObject>(ctx)?;
    class::register::<ArgumentObject>(ctx)?;
    let mut classes = Classes { exports, made: Vec::new() };
    classes.add("Type", "", "", 1, new_abstract::<0>)?;
    classes.add("ValueType", "Type", "", 1, new_abstract::<1>)?;
    classes.add("ReferenceType", "Type", "", 0, new_abstract::<2>)?;
    let of = |name: &str| exports.get::<_, Object>(name)?.get::<_, Object>("prototype");
    let base = of("Type")?;
    define::method(&base, "alloc", 3, custom::alloc)?;
    define::method(&base, "free", 4, custom::free)?;
    define::method(&base, "marshall", 3, custom::marshall)?;
    define::method(&base, "unmarshall", 4, custom::unmarshall)?;
    define::method(&base, "copy", 2, custom::copy)?;
    define::getter(&base, "mangledName", mangled_name)?;
    define::getter(&base, "TypedArrayType", typed_array_type)?;
    define::getter(&base, "size", size)?;
    define::getter(&base, "alignment", alignment)?;
    macro_rules! scalars {
        ($($name:literal $at:literal)*) => {
            $(classes.add($name, "ValueType", Scalar::ALL[$at].mangled(), 0, new_scalar::<$at>)?;)*
        };
    }
    scalars! {
        "Int8Type" 0 "Uint8Type" 1 "Int16Type" 2 "Uint16Type" 3 "Int32Type" 4 "Uint32Type" 5 "Int64Type" 6 "Uint64Type" 7
        "Float32Type" 8 "Float64Type" 9 "BoolType" 10 "SizeType" 11 "SignedSizeType" 12
    }
    classes.add("EnumType", "ValueType", "", 1, new_enum)?;
    classes.add("StatusType", "ValueType", "", 0, new_status)?;
    classes.add("VoidType", "Type", "v0", 0, new_void)?;
    classes.add("StringType", "ReferenceType", "s8", 0, new_string)?;
    classes.add("StringBufferType", "ReferenceType", "b8", 0, new_simple::<0>)?;
    classes.add("AddressType", "ReferenceType", "a32", 0, new_simple::<1>)?;
    classes.add("VoidPointerType", "ReferenceType", "", 0, new_simple::<2>)?;
    classes.add("ArrayType", "ReferenceType", "", 1, new_array::<0>)?;
    classes.add("TypedArrayType", "ReferenceType", "", 1, new_array::<1>)?;
    classes.add("InlineArrayType", "Type", "", 2, new_array::<2>)?;
    classes.add("InlineStringType", "Type", "", 1, new_inline_string)?;
    classes.add("PointerType", "ReferenceType", "", 1, new_pointer)?;
    classes.add("StructType", "Type", "", 1, new_record::<false>)?;
    classes.add("UnionType", "Type", "", 1, new_record::<true>)?;
    classes.add("StructPointerType", "ReferenceType", "", 1, new_record_pointer::<false>)?;
    classes.add("StructViewType", "ReferenceType", "", 1, new_record_pointer::<true>)?;
    classes.add("CallbackType", "ReferenceType", "", 1, new_callback)?;
    classes.add("HandleType", "ReferenceType", "", 0, new_handle)?;
    for name in ["StructType", "UnionType"] {
        let prototype = of(name)?;
        define::method(&prototype, "define", 1, define_record)?;
        define::method(&prototype, "create", 1, create_record)?;
        define::method(&prototype, "at", 2, record_at)?;
        define::getter(&prototype, "name", record_name)?;
        define::getter(&prototype, "offsets", record_offsets)?;
    }
    define::getter(&of("EnumType")?, "members", enum_members)?;
    define::getter(&of("HandleType")?, "name", record_name)?;
    for name in ["ArrayType", "TypedArrayType", "InlineArrayType", "PointerType"] {
        define::getter(&of(name)?, "type", element_type)?;
        define::getter(&of(name)?, "length", element_length)?;
    }
    classes.add("ArgumentDef", "", "", 3, new_argument_def)?;
    let argument = of("ArgumentDef")?;
    define::getter(&argument, "type", argument_type)?;
    define::getter(&argument, "isInput", is_input)?;
    define::getter(&argument, "isOutput", is_output)?;
    classes.add("In", "ArgumentDef", "", 1, new_argument::<true, false, false>)?;
    classes.add("Out", "ArgumentDef", "", 1, new_argument::<false, true, false>)?;
    classes.add("InOut", "ArgumentDef", "", 1, new_argument::<true, true, false>)?;
    classes.add("Result", "ArgumentDef", "", 1, new_argument::<false, true, true>)?;
    class::set_prototype::<TypeObject>(ctx, &of("Type")?);
    class::set_prototype::<ArgumentObject>(ctx, &argument);
    let made = classes.made;
    ctx.store_userdata(Prototypes(made)).map_err(|_| rquickjs::Error::Unknown)?;
    export_function(exports, "owned", 2, modified::<0>)?;
    export_function(exports, "borrowed", 1, modified::<1>)?;
    export_function(exports, "consumed", 1, modified::<2>)?;
    export_function(exports, "nonNull", 1, modified::<3>)?;
    export_function(exports, "exact", 1, exact)?;
    export_function(exports, "opaque", 2, opaque)
}

/// The names of an object's own enumerable properties.
pub(crate) fn keys(object: &Object<'_>) -> Result<Vec<String>> {
    let ctx = object.ctx();
    object.keys::<Value>().map(|key| webidl::string(ctx, Borrowed::of(&key?))).collect()
}

/// Refuses types that are nested too deep: whatever walks them needs a stack.
pub(crate) fn check_depth(ctx: &Ctx<'_>, ty: &TypeObject, name: &str) -> Result<()> {
    const MAX_DEPTH: u16 = 100;
    match ty.depth.get() {
        depth if depth <= MAX_DEPTH => Ok(()),
        _ => Err(Exception::throw_type(ctx, &format!("{name}: types nested more than {MAX_DEPTH} levels deep"))),
    }
}

/// The prototype of one of the vocabulary's classes.
pub(crate) fn prototype<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Object<'js>> {
    let prototypes = ctx.userdata::<Prototypes>().ok_or(rquickjs::Error::Unknown)?;
    prototypes.get(name).cloned().ok_or(rquickjs::Error::Unknown)
}

/// Exports a function that is not a constructor.
pub(crate) fn export_function<'js, F: Native>(exports: &Object<'js>, name: &str, length: i32, native: F) -> Result<()> {
    let made = function(exports.ctx(), Kind::Plain, name, length, native)?;
    define::value(exports, name, made.as_value(), Attributes::Plain)
}

/// The object for a new type, of the class that `new` was called with.
pub(crate) fn new_type<'js>(call: &Call<'_, 'js>, name: &str, ty: Type) -> Result<Value<'js>> {
    webidl::require_new(call, name)?;
    new_object(call, name, TypeObject::new(ty))
}

fn new_object<'js>(call: &Call<'_, 'js>, name: &str, mut ty: TypeObject) -> Result<Value<'js>> {
    check_depth(&call.ctx, &ty, name)?;
    let prototype = class::prototype_from_new_target::<TypeObject>(call)?;
    let prototypes = call.ctx.userdata::<Prototypes>().ok_or(rquickjs::Error::Unknown)?;
    let own = prototypes.get(name);
    // A number is a number whatever a subclass says: a subclass's methods are for the blocks behind pointers.
    ty.subclassed = own != prototype.as_ref() && ty.is_pointer();
    let subclassed = ty.subclassed;
    let object = class::new_object(&call.ctx, ty, prototype.as_ref())?;
    if subclassed {
        let ty: &TypeObject = class::of(object.as_value()).expect("made just now");
        let _ = ty.script.set(WeakObject::of::<TypeObject>(object.as_value()));
    }
    Ok(object.into_value())
}

/// `Type`, `ValueType` and `ReferenceType`, which only scripts' own classes extend.
fn new_abstract<'js, const AT: usize>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const NAMES: [&str; 3] = ["Type", "ValueType", "ReferenceType"];
    webidl::require_new(&call, NAMES[AT])?;
    let ty = match constructed_element(&call) {
        Some(scalar) if AT < 2 => Type::Scalar(scalar),
        _ => Type::Custom,
    };
    let object = new_object(&call, NAMES[AT], TypeObject::new(ty))?;
    let prototypes = call.ctx.userdata::<Prototypes>().ok_or(rquickjs::Error::Unknown)?;
    let own = prototypes.get(NAMES[AT]);
    if object.as_object().and_then(|object| object.get_prototype()).as_ref() == own {
        let message = format!("{} is abstract: extend it", NAMES[AT]);
        return Err(Exception::throw_type(&call.ctx, &message));
    }
    Ok(object)
}

/// The number type of a typed array's constructor.
fn constructed_element(call: &Call<'_, '_>) -> Option<Scalar> {
    language::scalar_of_class(&call.ctx, &call.arg(0))
}

fn new_scalar<'js, const AT: usize>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let ty = TypeObject::new(Type::Scalar(Scalar::ALL[AT]));
    let name = ty.name();
    webidl::require_new(&call, &name)?;
    new_object(&call, &name, ty)
}

fn new_void<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    new_type(&call, "VoidType", Type::Void)
}

fn new_simple<'js, const AT: usize>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    match AT {
        0 => new_type(&call, "StringBufferType", Type::StringBuffer),
        1 => new_type(&call, "AddressType", Type::Address),
        _ => new_type(&call, "VoidPointerType", Type::VoidPointer),
    }
}

/// `new EnumType(members, underlying)`.
fn new_enum<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const NAME: &str = "EnumType";
    webidl::require_new(&call, NAME)?;
    let ctx = &call.ctx;
    let given = call.arg(0);
    let Some(given) = given.as_object() else {
        let came = webidl::describe(&given);
        return Err(Exception::throw_type(
            ctx,
            &format!("{NAME}: argument 1 must be an object of numbers, got {came}"),
        ));
    };
    let scalar = match call.arg(1) {
        ty if ty.is_undefined() => Scalar::Int32,
        ty => {
            let of: &TypeObject = webidl::interface(ctx, Borrowed::of(&ty), &format!("{NAME}: argument 2"))?;
            of.scalar().filter(|scalar| !matches!(scalar, Scalar::Float32 | Scalar::Float64)).ok_or_else(|| {
                Exception::throw_type(ctx, &format!("{NAME}: argument 2 must be an integer type, got {}", of.name()))
            })?
        }
    };
    let members = qjs::pristine::bare_object(ctx)?;
    for key in keys(given)? {
        let value: Value = given.get(&*key)?;
        if Scalar::Int64.to_argument(Cx::of(ctx), Borrowed::of(&value), true)?.is_none() {
            let came = webidl::describe(&value);
            let message = format!("{NAME}: argument 1: `{key}` must be an integer, got {came}");
            return Err(Exception::throw_type(ctx, &message));
        }
        members.put(key, value)?;
    }
    define::freeze(&members)?;
    new_type(&call, NAME, Type::Enum(scalar.of_enum(), Held::new(members.as_value())))
}

fn integers<'js>(ctx: &Ctx<'js>, options: &Object<'js>, name: &str) -> Result<Vec<i64>> {
    let given: Value = options.get(name)?;
    if given.is_undefined() {
        return Ok(Vec::new());
    }
    let refuse = || Exception::throw_type(ctx, &format!("StatusType: `{name}` must be an array of integers"));
    let list = language::list(&given)?.ok_or_else(refuse)?;
    let integer = |value: &Value<'js>| match Scalar::Int64.to_argument(Cx::of(ctx), Borrowed::of(value), true)? {
        Some(island::call::Number::I64(value)) => Ok(value),
        _ => Err(refuse()),
    };
    list.iter().map(integer).collect()
}

/// `new StatusType(type, { success, failure, error })`.
fn new_status<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const NAME: &str = "StatusType";
    webidl::require_new(&call, NAME)?;
    let ctx = &call.ctx;
    let ty = match call.arg(0) {
        ty if ty.is_undefined() || ty.is_null() => TypeRef::new(ctx, TypeObject::new(Type::Scalar(Scalar::Int32)))?,
        ty => TypeRef::of(ctx, Borrowed::of(&ty), &format!("{NAME}: argument 1"))?,
    };
    if matches!(ty.get().ty, Type::Void | Type::Status(_)) {
        let message = format!("{NAME}: argument 1: {} cannot be a status", webidl::with_article(&ty.get().name()));
        return Err(Exception::throw_type(ctx, &message));
    }
    let options = webidl::dictionary(ctx, call.arg(1), &format!("{NAME}: argument 2"))?;
    let (mut success, mut failure, mut error) = (Vec::new(), Vec::new(), None);
    if let Some(options) = &options {
        success = integers(ctx, options, "success")?;
        failure = integers(ctx, options, "failure")?;
        let given: Value = options.get("error")?;
        if given.is_function() {
            error = Some(Held::new(&given));
        } else if !given.is_undefined() {
            return Err(Exception::throw_type(ctx, &format!("{NAME}: `error` must be a function")));
        }
    }
    if !success.is_empty() && !failure.is_empty() {
        return Err(Exception::throw_type(ctx, &format!("{NAME}: give `success` or `failure`, not both")));
    }
    if success.is_empty() && failure.is_empty() {
        // For pointers, null is the failure; for numbers, 0 is the success.
        if ty.get().is_pointer() { failure.push(0) } else { success.push(0) }
    }
    new_type(&call, NAME, Type::Status(Status { ty, success, failure, error }))
}

/// `new StringType(encoding, length)`.
fn new_string<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const NAME: &str = "StringType";
    let encoding = encoding(&call, 0, NAME)?;
    let length = read_length(&call.ctx, &call.arg(1), &"StringType: argument 2")?;
    if matches!(length, Length::Until(end) if end != 0) {
        return Err(Exception::throw_type(&call.ctx, "StringType: argument 2: a string ends at a zero"));
    }
    new_type(&call, NAME, Type::String(encoding, length))
}

/// `new InlineStringType(length, encoding)`.
fn new_inline_string<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const NAME: &str = "InlineStringType";
    let encoding = encoding(&call, 1, NAME)?;
    let length = read_length(&call.ctx, &call.arg(0), &"InlineStringType: argument 1")?;
    new_type(&call, NAME, Type::InlineString(encoding, length))
}

fn encoding(call: &Call<'_, '_>, at: usize, name: &str) -> Result<Encoding> {
    let given = call.arg(at);
    if given.is_undefined() {
        return Ok(Encoding::Utf8);
    }
    let word = given.as_string().map(|word| webidl::string(&call.ctx, Borrowed::of(word.as_value()))).transpose()?;
    match word.as_deref() {
        Some("utf-8" | "utf8") => Ok(Encoding::Utf8),
        Some("utf-16" | "utf16" | "utf-16le") => Ok(Encoding::Utf16),
        Some("latin1" | "iso-8859-1") => Ok(Encoding::Latin1),
        _ => {
            let came = word.map_or(webidl::describe(&given).to_string(), |word| format!("`{word}`"));
            let message = format!("{name}: argument {} must be `utf-8`, `utf-16` or `latin1`, got {came}", at + 1);
            Err(Exception::throw_type(&call.ctx, &message))
        }
    }
}

/// Reads a length as scripts give it.
pub(crate) fn read_length<'js>(ctx: &Ctx<'js>, given: &Value<'js>, place: At<'_>) -> Result<Length> {
    if given.is_undefined() || given.is_null() {
        return Ok(Length::Given);
    }
    if given.is_function() {
        return Ok(Length::Callback(Held::new(given)));
    }
    let Some(object) = given.as_object() else {
        return scalar::length(given).map(Length::Fixed).ok_or_else(|| throw_length(ctx, place, given));
    };
    let argument: Value = object.get("argument")?;
    if !argument.is_undefined() {
        let index = scalar::length(&argument).ok_or_else(|| throw_length(ctx, place, &argument))?;
        return Ok(Length::Argument(index as usize));
    }
    let field: Value = object.get("field")?;
    if let Some(field) = field.as_string() {
        return Ok(Length::Field(webidl::string(ctx, Borrowed::of(field.as_value()))?.into()));
    }
    let until: Value = object.get("until")?;
    if until.is_null() {
        return Ok(Length::Until(0));
    }
    match Scalar::Int64.to_argument(Cx::of(ctx), Borrowed::of(&until), true)? {
        Some(island::call::Number::I64(value)) => Ok(Length::Until(value)),
        _ => Err(throw_length(ctx, place, given)),
    }
}

/// The error for a length that is not a whole number.
pub(crate) fn throw_length(ctx: &Ctx<'_>, place: At<'_>, given: &Value<'_>) -> rquickjs::Error {
    let expected = format!("{place}: a length must be a whole number from 0 to 2^53 - 1");
    match given.as_number() {
        Some(number) => Exception::throw_range(ctx, &format!("{expected}, got {}", webidl::display_number(number))),
        None => {
            let came = webidl::describe(given);
            let others = "a function that returns one, { argument }, { field } or { until }";
            Exception::throw_type(ctx, &format!("{expected}, or {others}, got {came}"))
        }
    }
}

/// `ArrayType`, `TypedArrayType` and `InlineArrayType`.
fn new_array<'js, const AT: usize>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let name = ["ArrayType", "TypedArrayType", "InlineArrayType"][AT];
    let ctx = &call.ctx;
    let element = TypeRef::of(ctx, call.args.get(0), &format!("{name}: argument 1"))?;
    let of = element.get();
    let can_view = of.scalar().is_some() || matches!(of.ty, Type::Record(..));
    if matches!(of.ty, Type::Void | Type::Status(_)) || (AT == 1 && !can_view) {
        let wanted = if AT == 1 { "a number type or a struct" } else { "the type of a value" };
        let message = format!("{name}: argument 1 must be {wanted}, got {}", of.name());
        return Err(Exception::throw_type(ctx, &message));
    }
    let place = format!("{name}: argument 2");
    let length = read_length(ctx, &call.arg(1), &place)?;
    let ty = match AT {
        0 => Type::Array(element, length),
        1 => Type::View(element, length),
        _ => Type::Inline(element, length),
    };
    new_type(&call, name, ty)
}

fn new_pointer<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const NAME: &str = "PointerType";
    let ty = TypeRef::of(&call.ctx, call.args.get(0), "PointerType: argument 1")?;
    if matches!(ty.get().ty, Type::Void | Type::Status(_)) {
        let message = format!("{NAME}: argument 1: there is no pointer to {}", webidl::with_article(&ty.get().name()));
        return Err(Exception::throw_type(&call.ctx, &message));
    }
    new_type(&call, NAME, Type::Pointer(ty))
}

/// What a list of ArgumentDefs and a result's type say.
pub(crate) fn read_signature<'js>(
    ctx: &Ctx<'js>,
    list: &Value<'js>,
    returns: &Value<'js>,
    options: Value<'js>,
    name: &str,
) -> Result<Signature> {
    let Some(list) = list.as_array() else {
        let came = webidl::describe(list);
        let message = format!("{name}: argument 1 must be an array of In, Out, InOut and Result, got {came}");
        return Err(Exception::throw_type(ctx, &message));
    };
    let mut params = Vec::with_capacity(list.len());
    for (at, argument) in list.iter::<Value>().enumerate() {
        let argument = argument?;
        let place = format!("{name}: argument 1: element {at}");
        let argument: &ArgumentObject = webidl::interface(ctx, Borrowed::of(&argument), &place)?;
        params.push(Param { ty: argument.ty.duplicate(), direction: argument.direction });
    }
    let returns = match returns {
        value if value.is_undefined() || value.is_null() => None,
        value => Some(TypeRef::of(ctx, Borrowed::of(value), &format!("{name}: argument 2"))?),
    };
    let options = webidl::dictionary(ctx, options, &format!("{name}: argument 3"))?;
    let is_async = webidl::boolean_member(&options, "async")?;
    let stack_size = read_stack_size(ctx, &options, &format!("{name}: argument 3"))?;
    Ok(Signature { params, returns, is_variadic: false, is_async, stack_size })
}

/// The option that says how many bytes C's stack has in each `async` call.
pub(crate) fn read_stack_size<'js>(ctx: &Ctx<'js>, options: &Option<Object<'js>>, place: &str) -> Result<Option<u64>> {
    let size = webidl::member(options, "stackSize")?;
    let place = format!("{place}: `stackSize`");
    size.map(|size| webidl::enforce_range(ctx, Borrowed::of(&size), u32::MAX.into(), &place)).transpose()
}

/// `new CallbackType(argDefs, returns, { async })`.
fn new_callback<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const NAME: &str = "CallbackType";
    let signature = read_signature(&call.ctx, &call.arg(0), &call.arg(1), call.arg(2), NAME)?;
    if let Some(at) = signature.params.iter().position(|param| param.direction.is_result) {
        let message = format!("{NAME}: argument 1: element {at}: a callback is passed all its arguments");
        return Err(Exception::throw_type(&call.ctx, &message));
    }
    let refused = signature
        .returns
        .as_ref()
        .map(|ty| ty.get())
        .filter(|ty| matches!(ty.ty, Type::Status(_) | Type::Inline(..) | Type::InlineString(..)));
    if let Some(ty) = refused {
        let message = format!("{NAME}: argument 2: a callback cannot return {}", webidl::with_article(&ty.name()));
        return Err(Exception::throw_type(&call.ctx, &message));
    }
    new_type(&call, NAME, Type::Callback(signature))
}

/// A handle's type, with a function of the guest as its destructor.
pub(crate) fn handle_type(ctx: &Ctx<'_>, name: Option<Box<str>>, function: &Value<'_>, place: At<'_>) -> Result<Type> {
    if function.is_undefined() || function.is_null() {
        return Ok(Type::Handle { name, destructor: None, function: None });
    }
    let Some(exported) = class::of::<ExportedFunction>(function) else {
        let came = webidl::describe(function);
        let message = format!("{place}: the destructor must be a guest's exported function, got {came}");
        return Err(Exception::throw_type(ctx, &message));
    };
    let destructor = Destructor::new(&exported.link().shared.island, exported.callee().into(), exported.label());
    let destructor = destructor.map_err(|error| throw_heap_error(ctx, place, error))?;
    Ok(Type::Handle { name, destructor: Some(destructor), function: Some(Held::new(function)) })
}

fn handle_arguments(call: &Call<'_, '_>, name: &str) -> Result<Type> {
    let of = call.arg(1);
    let of = of.as_string().map(|name| webidl::string(&call.ctx, Borrowed::of(name.as_value()))).transpose()?;
    handle_type(&call.ctx, of.map(Into::into), &call.arg(0), &name)
}

/// `new HandleType(destructor, name)`.
fn new_handle<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    webidl::require_new(&call, "HandleType")?;
    let ty = handle_arguments(&call, "HandleType")?;
    new_type(&call, "HandleType", ty)
}

/// `opaque(destructor, name)`.
fn opaque<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let ty = handle_arguments(&call, "opaque")?;
    let prototypes = call.ctx.userdata::<Prototypes>().ok_or(rquickjs::Error::Unknown)?;
    let own = prototypes.get("HandleType");
    Ok(class::new_object(&call.ctx, TypeObject::new(ty), own)?.into_value())
}

/// `owned`, `borrowed`, `consumed` and `nonNull`: the same type with another rule.
fn modified<'js, const AT: usize>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let name = ["owned", "borrowed", "consumed", "nonNull"][AT];
    let ctx = &call.ctx;
    let ty: &TypeObject = webidl::interface(ctx, call.args.get(0), &format!("{name}: argument 1"))?;
    if !ty.is_pointer() || ty.subclassed {
        let message = format!("{name}: argument 1 must be the type of a pointer, got {}", ty.name());
        return Err(Exception::throw_type(ctx, &message));
    }
    let mut copy = ty.duplicate();
    match AT {
        0 => {
            copy.ownership = Ownership::Owned;
            let free = call.arg(1);
            if matches!(copy.ty, Type::VoidPointer | Type::Callback(_)) {
                let message = format!("{name}: {} owns nothing", webidl::with_article(&copy.name()));
                return Err(Exception::throw_type(ctx, &message));
            }
            if class::of::<ExportedFunction>(&free).is_some() {
                copy.free = Some(Held::new(&free));
            } else if !free.is_undefined() {
                let came = webidl::describe(&free);
                let message = format!("{name}: argument 2 must be a guest's exported function, got {came}");
                return Err(Exception::throw_type(ctx, &message));
            }
        }
        1 => copy.ownership = Ownership::Borrowed,
        2 => copy.ownership = Ownership::Consumed,
        _ => copy.non_null = true,
    }
    let prototype = call.arg(0).as_object().and_then(|object| object.get_prototype());
    Ok(class::new_object(ctx, copy, prototype.as_ref())?.into_value())
}

/// `exact(type)`: the same type of numbers, but one that does not fit is refused and does not wrap.
fn exact<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let ty: &TypeObject = webidl::interface(&call.ctx, call.args.get(0), "exact: argument 1")?;
    if ty.scalar().is_none() {
        let message = format!("exact: argument 1 must be the type of a number, got {}", ty.name());
        return Err(Exception::throw_type(&call.ctx, &message));
    }
    let copy = TypeObject { exact: true, ..ty.duplicate() };
    let prototype = call.arg(0).as_object().and_then(|object| object.get_prototype());
    Ok(class::new_object(&call.ctx, copy, prototype.as_ref())?.into_value())
}

fn new_argument<'js, const IN: bool, const OUT: bool, const RESULT: bool>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let name = match (IN, OUT, RESULT) {
        (_, _, true) => "Result",
        (true, false, _) => "In",
        (false, _, _) => "Out",
        (true, true, _) => "InOut",
    };
    new_argument_object(&call, name, Direction { goes_in: IN, comes_out: OUT, is_result: RESULT })
}

/// `new ArgumentDef(type, isInput, isOutput)`.
fn new_argument_def<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let truth = |at: usize| call.arg(at).as_bool().unwrap_or(false);
    let direction = Direction { goes_in: truth(1), comes_out: truth(2), is_result: false };
    if !direction.goes_in && !direction.comes_out {
        return Err(Exception::throw_type(&call.ctx, "ArgumentDef: an argument must be input and/or output"));
    }
    new_argument_object(&call, "ArgumentDef", direction)
}

fn new_argument_object<'js>(call: &Call<'_, 'js>, name: &str, direction: Direction) -> Result<Value<'js>> {
    webidl::require_new(call, name)?;
    let ty = TypeRef::of(&call.ctx, call.args.get(0), &format!("{name}: argument 1"))?;
    let of = ty.get();
    let Direction { comes_out, is_result, .. } = direction;
    let refused = match &of.ty {
        Type::Void | Type::Status(_) => true,
        _ if is_result => matches!(of.ty, Type::Callback(_)),
        Type::Inline(..) | Type::InlineString(..) => true,
        Type::Scalar(_) | Type::Enum(..) | Type::String(..) | Type::Record(..) | Type::Handle { .. } => comes_out,
        _ => false,
    };
    if refused {
        let hint = if comes_out && !is_result { ": what comes out needs a pointer or a Result" } else { "" };
        let message = format!("{name}: {} cannot be such an argument{hint}", webidl::with_article(&of.name()));
        return Err(Exception::throw_type(&call.ctx, &message));
    }
    let prototype = class::prototype_from_new_target::<ArgumentObject>(call)?;
    Ok(class::new_object(&call.ctx, ArgumentObject { ty, direction }, prototype.as_ref())?.into_value())
}

fn argument_type<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let argument: &ArgumentObject = webidl::this(&call, "type")?;
    Ok(argument.ty.held().get(&call.ctx))
}

fn is_input<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let argument: &ArgumentObject = webidl::this(&call, "isInput")?;
    Ok(Value::new_bool(call.ctx.clone(), argument.direction.goes_in))
}

fn is_output<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let argument: &ArgumentObject = webidl::this(&call, "isOutput")?;
    Ok(Value::new_bool(call.ctx.clone(), argument.direction.comes_out))
}

fn mangled_name<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let ty: &TypeObject = webidl::this(&call, "mangledName")?;
    qjs::string::from_utf8(&call.ctx, ty.native_mangled(&call.ctx)?.as_bytes())
}

fn typed_array_type<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let ty: &TypeObject = webidl::this(&call, "TypedArrayType")?;
    language::class_of_scalar(&call.ctx, ty.scalar().unwrap_or(Scalar::Uint32))
}

fn size<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let ty: &TypeObject = webidl::this(&call, "size")?;
    let layout = ty.layout(false).ok_or_else(|| throw_no_value(&call.ctx, "size", ty))?;
    Ok(Value::new_number(call.ctx, layout.size as f64))
}

fn alignment<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let ty: &TypeObject = webidl::this(&call, "alignment")?;
    let layout = ty.layout(false).ok_or_else(|| throw_no_value(&call.ctx, "alignment", ty))?;
    Ok(Value::new_number(call.ctx, layout.align as f64))
}

fn enum_members<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let ty: &TypeObject = webidl::this(&call, "members")?;
    match &ty.ty {
        Type::Enum(_, members) => Ok(members.get(&call.ctx)),
        _ => Ok(Value::new_undefined(call.ctx)),
    }
}

fn element_type<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let ty: &TypeObject = webidl::this(&call, "type")?;
    match &ty.ty {
        Type::Array(of, _) | Type::View(of, _) | Type::Inline(of, _) | Type::Pointer(of) => {
            Ok(of.held().get(&call.ctx))
        }
        _ => Ok(Value::new_undefined(call.ctx)),
    }
}

/// The length as it was given, near enough.
fn element_length<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let ty: &TypeObject = webidl::this(&call, "length")?;
    let ctx = call.ctx.clone();
    let (Type::Array(_, length) | Type::View(_, length) | Type::Inline(_, length)) = &ty.ty else {
        return Ok(Value::new_undefined(ctx));
    };
    let named = |name: &str, value: Value<'js>| -> Result<Value<'js>> {
        let object = Object::new(ctx.clone())?;
        object.put(name, value)?;
        Ok(object.into_value())
    };
    match length {
        Length::Given => Ok(Value::new_null(ctx)),
        Length::Fixed(count) => Ok(Value::new_number(ctx, *count as f64)),
        Length::Callback(callback) => Ok(callback.get(&ctx)),
        Length::Argument(index) => named("argument", Value::new_number(ctx.clone(), *index as f64)),
        Length::Field(name) => named("field", qjs::string::from_utf8(&ctx, name.as_bytes())?),
        Length::Until(value) => named("until", Value::new_number(ctx.clone(), *value as f64)),
    }
}
