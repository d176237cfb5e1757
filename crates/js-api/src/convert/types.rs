//! Types as JavaScript values (the type reflection proposal): ToValueType, FromValueType, and what `type()` and the
//! descriptors of a module's imports and exports return.
//!
//! Each numeric and vector type and each nullable abstract reference type has a name, the one of the text format, which
//! constructors accept as well. Other reference types have no name that a constructor would accept; what `type()` says
//! there is for people to read: `(ref func)`, and `(ref null (func ...))` for a type that a module defines.

use std::borrow::Cow;

use island::wasmtime::{ExternType, FuncType, GlobalType, HeapType, Mutability, RefType, ValType};
use qjs::define::{self, Attributes};
use qjs::{Borrowed, Ctx, Cx, Exception, Object, Result, Value};

use crate::runtime::limits::u64_to_address;

const NAMES: [(&str, ValType); 18] = [
    ("i32", ValType::I32),
    ("i64", ValType::I64),
    ("f32", ValType::F32),
    ("f64", ValType::F64),
    ("v128", ValType::V128),
    ("funcref", ValType::Ref(RefType::FUNCREF)),
    ("externref", ValType::Ref(RefType::EXTERNREF)),
    ("anyref", ValType::Ref(RefType::ANYREF)),
    ("eqref", ValType::Ref(RefType::EQREF)),
    ("i31ref", ValType::Ref(RefType::I31REF)),
    ("structref", ValType::Ref(RefType::STRUCTREF)),
    ("arrayref", ValType::Ref(RefType::ARRAYREF)),
    ("exnref", ValType::Ref(RefType::EXNREF)),
    ("nullref", ValType::Ref(RefType::NULLREF)),
    ("nullfuncref", ValType::Ref(RefType::NULLFUNCREF)),
    ("nullexternref", ValType::Ref(RefType::NULLEXTERNREF)),
    ("nullexnref", ValType::Ref(RefType::NULLEXNREF)),
    // The JavaScript API's older name for functions. FromValueType uses the first name of a type.
    ("anyfunc", ValType::Ref(RefType::FUNCREF)),
];

/// ToValueType. May run scripts (`toString`).
///
/// # Errors
/// A TypeError for any other string, or what the conversion throws.
pub(crate) fn value_type(ctx: &Ctx<'_>, value: &Value<'_>, place: &str) -> Result<ValType> {
    let name = webidl::string(ctx, Borrowed::of(value))?;
    match NAMES.into_iter().find(|(known, _)| *known == name) {
        Some((_, ty)) => Ok(ty),
        None => Err(Exception::throw_type(ctx, &format!("{place}: \"{name}\" is not a WebAssembly value type"))),
    }
}

/// A required member of a dictionary that is a `sequence<ValueType>`. Runs scripts.
///
/// # Errors
/// A TypeError for anything but an iterable of value types, or for more of them than a function may have; or what the
/// iteration throws.
pub(crate) fn value_types<'js>(
    ctx: &Ctx<'js>,
    dictionary: &Option<Object<'js>>,
    name: &str,
    place: &str,
) -> Result<Vec<ValType>> {
    /// The JavaScript API's implementation limit for parameters, and for results.
    const MOST: usize = 1000;
    let member = webidl::required_member(ctx, dictionary, name, place)?;
    let place = format!("{place}: `{name}`");
    let types = webidl::sequence(ctx, &member, &place, |element| value_type(ctx, &element, &place))?;
    match types.len() {
        0..=MOST => Ok(types),
        count => {
            let message = format!("{place} must have at most {MOST} types, got {count}");
            Err(Exception::throw_type(ctx, &message))
        }
    }
}

/// FromValueType.
pub(crate) fn type_name(ty: &ValType) -> Cow<'static, str> {
    match (NAMES.iter().find(|(_, named)| ValType::eq(named, ty)), ty) {
        (Some((name, _)), _) => (*name).into(),
        (None, ValType::Ref(ty)) => {
            let null = if ty.is_nullable() { "null " } else { "" };
            let heap = match ty.heap_type() {
                HeapType::ConcreteFunc(_) => "(func ...)".into(),
                HeapType::ConcreteArray(_) => "(array ...)".into(),
                HeapType::ConcreteStruct(_) => "(struct ...)".into(),
                other => other.to_string(),
            };
            format!("(ref {null}{heap})").into()
        }
        (None, other) => other.to_string().into(),
    }
}

/// A dictionary as an object. The members must come in the order of their names, in which WebIDL defines them.
fn dictionary<'js>(
    ctx: &Ctx<'js>,
    members: impl IntoIterator<Item = (&'static str, Value<'js>)>,
) -> Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    for (name, value) in members {
        define::value(&object, name, &value, Attributes::Plain)?;
    }
    Ok(object)
}

fn text<'js>(ctx: &Ctx<'js>, text: &str) -> Result<Value<'js>> {
    qjs::string::from_utf8(ctx, text.as_bytes())
}

fn name_list<'js>(ctx: &Ctx<'js>, types: impl ExactSizeIterator<Item = ValType>) -> Result<Value<'js>> {
    let cx = Cx::of(ctx);
    let mut list = qjs::array::ArrayBuilder::new(cx, types.len())?;
    for ty in types {
        list.push(cx.returned(&text(ctx, &type_name(&ty))?))?;
    }
    list.finish()
}

/// The FunctionType of a function.
///
/// # Errors
/// When memory is out; so are all of this module's further errors.
pub(crate) fn function_type<'js>(ctx: &Ctx<'js>, ty: &FuncType) -> Result<Object<'js>> {
    let (parameters, results) = (name_list(ctx, ty.params())?, name_list(ctx, ty.results())?);
    dictionary(ctx, [("parameters", parameters), ("results", results)])
}

/// The TagType of a tag with the type `ty`.
pub(crate) fn tag_type<'js>(ctx: &Ctx<'js>, ty: &FuncType) -> Result<Object<'js>> {
    dictionary(ctx, [("parameters", name_list(ctx, ty.params())?)])
}

/// The GlobalType of a global.
pub(crate) fn global_type<'js>(ctx: &Ctx<'js>, ty: &GlobalType) -> Result<Object<'js>> {
    let mutable = Value::new_bool(ctx.clone(), matches!(ty.mutability(), Mutability::Var));
    dictionary(ctx, [("mutable", mutable), ("value", text(ctx, &type_name(ty.content()))?)])
}

/// The sizes of a memory or table, in pages or elements.
pub(crate) struct Sizes {
    /// The least size that an import asks for, or an object's size.
    pub(crate) minimum: u64,
    pub(crate) maximum: Option<u64>,
    /// Whether addresses have 64 bits.
    pub(crate) wide: bool,
}

impl Sizes {
    fn address<'js>(&self, ctx: &Ctx<'js>) -> Result<(&'static str, Value<'js>)> {
        Ok(("address", text(ctx, if self.wide { "i64" } else { "i32" })?))
    }

    /// `maximum`, if there is one, and `minimum`.
    fn limits<'js>(&self, ctx: &Ctx<'js>) -> Result<impl Iterator<Item = (&'static str, Value<'js>)>> {
        let maximum = self.maximum.map(|maximum| u64_to_address(ctx, maximum, self.wide)).transpose()?;
        let minimum = u64_to_address(ctx, self.minimum, self.wide)?;
        Ok(maximum.map(|maximum| ("maximum", maximum)).into_iter().chain([("minimum", minimum)]))
    }
}

/// The MemoryType of a memory.
pub(crate) fn memory_type<'js>(ctx: &Ctx<'js>, sizes: &Sizes, shared: bool) -> Result<Object<'js>> {
    let shared = ("shared", Value::new_bool(ctx.clone(), shared));
    dictionary(ctx, [sizes.address(ctx)?].into_iter().chain(sizes.limits(ctx)?).chain([shared]))
}

/// The TableType of a table.
pub(crate) fn table_type<'js>(ctx: &Ctx<'js>, sizes: &Sizes, element: &RefType) -> Result<Object<'js>> {
    let element = ("element", text(ctx, &type_name(&ValType::Ref(element.clone())))?);
    dictionary(ctx, [sizes.address(ctx)?, element].into_iter().chain(sizes.limits(ctx)?))
}

/// "The IDL representation of the extern type": the member `type` of a module's descriptors.
pub(crate) fn extern_type<'js>(ctx: &Ctx<'js>, ty: &ExternType) -> Result<Object<'js>> {
    match ty {
        ExternType::Func(ty) => function_type(ctx, ty),
        ExternType::Global(ty) => global_type(ctx, ty),
        ExternType::Tag(ty) => tag_type(ctx, ty.ty()),
        ExternType::Memory(ty) => {
            let sizes = Sizes { minimum: ty.minimum(), maximum: ty.maximum(), wide: ty.is_64() };
            memory_type(ctx, &sizes, ty.is_shared())
        }
        ExternType::Table(ty) => {
            let sizes = Sizes { minimum: ty.minimum(), maximum: ty.maximum(), wide: ty.is_64() };
            table_type(ctx, &sizes, ty.element())
        }
    }
}

/// `of type …`, or how two types differ whose text is the same.
pub(crate) fn came_type(expected: &FuncType, came: &FuncType) -> String {
    match came.to_string() {
        same if same == expected.to_string() => "whose type is final or grouped otherwise".into(),
        other => format!("of type {other}"),
    }
}
