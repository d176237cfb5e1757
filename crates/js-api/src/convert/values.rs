//! ToWebAssemblyValue and ToJSValue, in two steps each: what may run scripts happens outside of the store, and what
//! needs the store runs no script.

use island::call::Number;
use island::wasmtime::{
    AnyRef, AsContextMut, ExternRef, Func, HeapType, I31, OwnedRooted, Ref, RefType, Rooted, StoreContextMut, Val,
    ValType,
};
use island::{FunctionKey, NumberKind, StoreState};
use qjs::{Borrowed, Ctx, Cx, Exception, Held, Mark, Result, Returned, Value, number};

use webidl::Place;

use crate::convert::function::exported_function;
use crate::convert::gc_object::{GcObject, exported_gc_object};
use crate::convert::typed_function::exported_type;
use crate::convert::types::type_name;
use crate::runtime::island_realm::{IslandHandle, IslandRealm};

/// Why a value of the type cannot cross between WebAssembly and JavaScript, in either direction; `None` if it can.
pub(crate) fn never_crosses(ty: &ValType) -> Option<&'static str> {
    match ty {
        ValType::V128 => Some("a v128 cannot cross between WebAssembly and JavaScript"),
        ValType::Ref(ty) if matches!(ty.heap_type().top(), HeapType::Exn) => {
            Some("an exnref cannot cross between WebAssembly and JavaScript")
        }
        ValType::Ref(ty) if matches!(ty.heap_type().top(), HeapType::Cont) => {
            Some("a continuation cannot cross between WebAssembly and JavaScript")
        }
        _ => None,
    }
}

/// Refuses a type whose values [never cross](never_crosses).
///
/// # Errors
/// A TypeError that begins with `place`.
pub(crate) fn refuse_uncrossable(ctx: &Ctx<'_>, ty: &ValType, place: impl std::fmt::Display) -> Result<()> {
    match never_crosses(ty) {
        Some(message) => Err(Exception::throw_type(ctx, &format!("{place}: {message}"))),
        None => Ok(()),
    }
}

/// A WebAssembly value on the host's side, of no store.
#[derive(Mark)]
pub(crate) enum HostValue {
    #[mark(skip)]
    Number(Number),
    /// The null reference of some type.
    #[mark(skip)]
    Null(Val),
    /// An exported function of any island.
    Function(Held),
    Any(AnyValue, #[mark(skip)] Hierarchy),
}

/// A value below `any`, which `extern` has as well.
#[derive(Mark)]
pub(crate) enum AnyValue {
    #[mark(skip)]
    I31(i32),
    /// An Exported GC Object.
    Object(Held),
    /// Any other JavaScript value.
    Host(Held),
}

/// Which of the two top types a reference to an [`AnyValue`] is below.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hierarchy {
    Any,
    Extern,
}

/// ToWebAssemblyValue for the numeric types. May run scripts.
///
/// # Errors
/// What the conversion throws.
#[inline]
pub fn to_number(cx: Cx<'_>, value: Borrowed<'_>, kind: NumberKind) -> Result<Number> {
    Ok(match kind {
        NumberKind::I32 => Number::I32(number::to_int32(cx, value)?),
        NumberKind::I64 => Number::I64(number::to_bigint64(cx, value)?),
        NumberKind::F32 => Number::F32(number::to_number(cx, value)? as f32),
        NumberKind::F64 => Number::F64(number::to_number(cx, value)?),
    })
}

/// [`to_number`], with errors that say where. What a script throws is left as it is.
#[inline]
pub(crate) fn to_number_at(cx: Cx<'_>, value: Borrowed<'_>, kind: NumberKind, place: Place<'_>) -> Result<Number> {
    to_number(cx, value, kind).map_err(|error| say_where(cx, error, value, kind, place))
}

/// A primitive value runs no script when it is converted, so what was thrown then is QuickJS's own.
#[cold]
fn say_where(
    cx: Cx<'_>,
    error: rquickjs::Error,
    value: Borrowed<'_>,
    kind: NumberKind,
    place: Place<'_>,
) -> rquickjs::Error {
    let ctx = cx.ctx();
    let value = value.to_value(cx);
    let is_out_of_memory = !(value.is_symbol() || value.is_big_int() || kind == NumberKind::I64);
    // A text that is not a number is a SyntaxError, which says so itself.
    if !matches!(error, rquickjs::Error::Exception) || value.is_object() || value.is_string() || is_out_of_memory {
        return error;
    }
    drop(ctx.catch());
    let expected = if kind == NumberKind::I64 { "a BigInt" } else { "a number" };
    let message = format!("{place}: expected {expected} for {kind}, got {}", webidl::describe(&value));
    Exception::throw_type(&ctx, &message)
}

/// ToJSValue for the numeric types.
#[inline]
pub fn from_number(cx: Cx<'_>, number: Number) -> Returned {
    match number {
        Number::I32(value) => Returned::int(value),
        Number::I64(value) => cx.bigint(value),
        Number::F32(value) => cx.float(f64::from(value)),
        Number::F64(value) => cx.float(value),
    }
}

/// ToWebAssemblyValue, the first step. May run scripts for numbers.
///
/// # Errors
/// A TypeError for a value that does not fit the type, or what a conversion throws.
pub(crate) fn to_host_value(ctx: &Ctx<'_>, value: Borrowed<'_>, ty: &ValType, place: Place<'_>) -> Result<HostValue> {
    let cx = Cx::of(ctx);
    let kind = match ty {
        ValType::I32 => NumberKind::I32,
        ValType::I64 => NumberKind::I64,
        ValType::F32 => NumberKind::F32,
        ValType::F64 => NumberKind::F64,
        ValType::V128 | ValType::Ref(_) => {
            refuse_uncrossable(ctx, ty, place)?;
            return to_reference(ctx, value, ty.as_ref().expect("a v128 never crosses"), place);
        }
    };
    Ok(HostValue::Number(to_number_at(cx, value, kind, place)?))
}

fn to_reference(ctx: &Ctx<'_>, value: Borrowed<'_>, ty: &RefType, place: Place<'_>) -> Result<HostValue> {
    let heap = ty.heap_type();
    let refuse = |expected: &str| {
        let came = webidl::describe(&value.to_value(Cx::of(ctx)));
        let wanted = type_name(&ValType::Ref(ty.clone()));
        Err(Exception::throw_type(ctx, &format!("{place}: expected {expected} for {wanted}, got {came}")))
    };
    if value.is_null() && ty.is_nullable() {
        return Ok(HostValue::Null(Val::null_ref(heap)));
    }
    match heap.top() {
        HeapType::Extern if matches!(heap, HeapType::Extern) && !value.is_null() => {
            Ok(HostValue::Any(to_any(ctx, value), Hierarchy::Extern))
        }
        HeapType::Func => match exported_type(value) {
            Some(ty) if matches!(heap, HeapType::Func) || HeapType::ConcreteFunc(ty.clone()).matches(heap) => {
                Ok(HostValue::Function(Held::borrowed(Cx::of(ctx), value)))
            }
            Some(came) => {
                let wanted = match heap {
                    HeapType::ConcreteFunc(ty) => format!("a function of type {ty}"),
                    _ => "null".into(),
                };
                let message = format!("{place}: expected {wanted}, got one of type {came}");
                Err(Exception::throw_type(ctx, &message))
            }
            None if ty.is_nullable() => refuse("an exported WebAssembly function or null"),
            None => refuse("an exported WebAssembly function"),
        },
        HeapType::Any if !value.is_null() => match to_any(ctx, value) {
            any if any.ty().matches(heap) => Ok(HostValue::Any(any, Hierarchy::Any)),
            any => {
                let came = type_name(&ValType::Ref(RefType::new(false, any.ty())));
                refuse(&format!("a value of another type than {came}"))
            }
        },
        _ if value.is_null() => refuse("something but null"),
        _ => refuse("null"),
    }
}

/// The step of ToWebAssemblyValue for values below `any`: small integers, a guest's own objects, and all other values.
fn to_any(ctx: &Ctx<'_>, value: Borrowed<'_>) -> AnyValue {
    const I31: std::ops::Range<i32> = -(1 << 30)..1 << 30;
    let whole = value.number().map(|number| (number, number as i32));
    // Minus zero does not count as a small integer, so that it comes back as it was.
    if let Some((number, int)) = whole
        && f64::from(int).to_bits() == number.to_bits()
        && I31.contains(&int)
    {
        return AnyValue::I31(int);
    }
    let held = Held::borrowed(Cx::of(ctx), value);
    match qjs::class::get::<GcObject>(value) {
        Some(_) => AnyValue::Object(held),
        None => AnyValue::Host(held),
    }
}

impl AnyValue {
    /// ref_type.
    fn ty(&self) -> HeapType {
        match self {
            Self::I31(_) => HeapType::I31,
            Self::Object(held) => gc_object(held).ty().clone(),
            Self::Host(_) => HeapType::Any,
        }
    }

    fn duplicate(&self) -> Self {
        match self {
            Self::I31(value) => Self::I31(*value),
            Self::Object(held) => Self::Object(held.duplicate()),
            Self::Host(held) => Self::Host(held.duplicate()),
        }
    }
}

fn gc_object(held: &Held) -> &GcObject {
    qjs::class::get(held.borrow()).expect("only Exported GC Objects are held as such")
}

/// DefaultValue: `None` for types that have none, and for v128. An externref's is `undefined`.
pub(crate) fn default_value(ctx: &Ctx<'_>, ty: &ValType) -> Option<HostValue> {
    Some(match ty {
        ValType::I32 => HostValue::Number(Number::I32(0)),
        ValType::I64 => HostValue::Number(Number::I64(0)),
        ValType::F32 => HostValue::Number(Number::F32(0.0)),
        ValType::F64 => HostValue::Number(Number::F64(0.0)),
        ValType::V128 => return None,
        ValType::Ref(ty) if !ty.is_nullable() => return None,
        ValType::Ref(ty) if matches!(ty.heap_type(), HeapType::Extern) => {
            HostValue::host(Held::new(&Value::new_undefined(ctx.clone())))
        }
        ValType::Ref(ty) => HostValue::Null(Val::null_ref(ty.heap_type())),
    })
}

impl HostValue {
    pub(crate) fn duplicate(&self) -> Self {
        match self {
            Self::Number(number) => Self::Number(*number),
            Self::Null(null) => Self::Null(*null),
            Self::Function(held) => Self::Function(held.duplicate()),
            Self::Any(any, hierarchy) => Self::Any(any.duplicate(), *hierarchy),
        }
    }

    /// A JavaScript value other than a number, as an externref.
    pub(crate) fn host(value: Held) -> Self {
        Self::Any(AnyValue::Host(value), Hierarchy::Extern)
    }

    /// The island of the value, if it can be in that one only.
    pub(crate) fn link(&self) -> Option<IslandHandle> {
        match self {
            Self::Any(AnyValue::Object(held), Hierarchy::Any) => Some(gc_object(held).link().duplicate()),
            _ => None,
        }
    }

    /// Finds what stands for the value in an island. A function of another island gets a function here that calls it.
    pub(crate) fn resolve(&self, ctx: &Ctx<'_>, link: &IslandHandle) -> Result<Resolved> {
        Ok(match self {
            Self::Number(number) => Resolved::Number(*number),
            Self::Null(null) => Resolved::Null(*null),
            Self::Function(held) => {
                Resolved::Function(crate::convert::linking::local_function(ctx, link, &held.get(ctx))?)
            }
            Self::Any(AnyValue::I31(value), hierarchy) => Resolved::I31(*value, *hierarchy),
            Self::Any(AnyValue::Host(held), hierarchy) => Resolved::Host(held.duplicate(), *hierarchy),
            Self::Any(AnyValue::Object(held), hierarchy) => {
                let object = gc_object(held);
                if !object.link().is_same(link) {
                    // As an externref it is like any other JavaScript value: opaque, and the same on the way back.
                    if *hierarchy == Hierarchy::Extern {
                        return Ok(Resolved::Host(held.duplicate(), *hierarchy));
                    }
                    let message = "a WebAssembly object cannot go to an instance that is not linked with its own; \
                         link them through imports when they are instantiated, or run with the one-island option";
                    return Err(Exception::throw_type(ctx, message));
                }
                Resolved::Object(object.reference().clone(), *hierarchy)
            }
        })
    }

    /// ToJSValue of a value that is in no island.
    pub(crate) fn to_js<'js>(&self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        match self {
            Self::Number(number) => from_number(Cx::of(ctx), *number).into_value(Cx::of(ctx)),
            Self::Null(_) => Ok(Value::new_null(ctx.clone())),
            Self::Any(AnyValue::I31(value), _) => Ok(Value::new_int(ctx.clone(), *value)),
            Self::Function(held) | Self::Any(AnyValue::Object(held) | AnyValue::Host(held), _) => Ok(held.get(ctx)),
        }
    }
}

/// A value that is about to enter a certain store.
pub(crate) enum Resolved {
    Number(Number),
    Null(Val),
    Function(Func),
    I31(i32, Hierarchy),
    Object(OwnedRooted<AnyRef>, Hierarchy),
    Host(Held, Hierarchy),
}

impl Hierarchy {
    /// A reference below `any`, seen from here.
    fn val(self, store: &mut StoreContextMut<'_, StoreState>, any: Rooted<AnyRef>) -> island::wasmtime::Result<Val> {
        Ok(match self {
            Self::Any => Val::AnyRef(Some(any)),
            Self::Extern => Val::ExternRef(Some(ExternRef::convert_any(store, any)?)),
        })
    }
}

impl Resolved {
    /// ToWebAssemblyValue, the last step: inside the store. Runs no script.
    pub(crate) fn to_val(
        &self,
        shared: &IslandRealm,
        mut store: StoreContextMut<'_, StoreState>,
    ) -> island::wasmtime::Result<Val> {
        Ok(match self {
            Self::Number(number) => number.val(),
            Self::Null(null) => *null,
            Self::Function(func) => Val::FuncRef(Some(*func)),
            Self::I31(value, hierarchy) => {
                let any = AnyRef::from_i31(&mut store, I31::wrapping_i32(*value));
                hierarchy.val(&mut store, any)?
            }
            Self::Object(reference, hierarchy) => {
                let any = reference.to_rooted(&mut store);
                hierarchy.val(&mut store, any)?
            }
            Self::Host(value, Hierarchy::Extern) => {
                Val::ExternRef(Some(shared.new_externref(store, value.duplicate())?))
            }
            Self::Host(value, Hierarchy::Any) => {
                let external = shared.new_externref(store.as_context_mut(), value.duplicate())?;
                Val::AnyRef(Some(AnyRef::convert_extern(&mut store, external)?))
            }
        })
    }

    /// The same, as an element of a table.
    pub(crate) fn to_ref(
        &self,
        shared: &IslandRealm,
        store: StoreContextMut<'_, StoreState>,
    ) -> island::wasmtime::Result<Ref> {
        let val = self.to_val(shared, store)?;
        val.ref_().ok_or_else(|| island::wasmtime::Error::msg("a number is not a reference"))
    }
}

/// A value that came out of the store, before ToJSValue makes an object of it.
pub(crate) enum Outgoing<'js> {
    Number(Number),
    Value(Value<'js>),
    Function(Func, FunctionKey),
    /// A struct or an array that has no object yet.
    Object(Box<(OwnedRooted<AnyRef>, HeapType)>),
    /// Why there is no value.
    Failed(Box<str>),
}

/// ToJSValue, the first step: inside the store.
pub(crate) fn take_val<'js>(
    ctx: &Ctx<'js>,
    shared: &IslandRealm,
    store: &mut StoreContextMut<'_, StoreState>,
    val: &Val,
) -> Outgoing<'js> {
    match val {
        Val::I32(value) => Outgoing::Number(Number::I32(*value)),
        Val::I64(value) => Outgoing::Number(Number::I64(*value)),
        Val::F32(bits) => Outgoing::Number(Number::F32(f32::from_bits(*bits))),
        Val::F64(bits) => Outgoing::Number(Number::F64(f64::from_bits(*bits))),
        Val::FuncRef(Some(func)) => Outgoing::Function(*func, FunctionKey::of(store, *func)),
        Val::ExternRef(Some(reference)) => take_extern(ctx, shared, store, *reference)
            .unwrap_or_else(|error| Outgoing::Failed(error.to_string().into())),
        Val::AnyRef(Some(reference)) => {
            take_any(ctx, shared, store, *reference).unwrap_or_else(|error| Outgoing::Failed(error.to_string().into()))
        }
        Val::FuncRef(None) | Val::ExternRef(None) | Val::AnyRef(None) | Val::ExnRef(None) | Val::ContRef(None) => {
            Outgoing::Value(Value::new_null(ctx.clone()))
        }
        Val::V128(_) => Outgoing::Failed(never_crosses(&ValType::V128).unwrap_or_default().into()),
        Val::ExnRef(_) | Val::ContRef(_) => Outgoing::Failed("an exnref cannot cross to JavaScript".into()),
    }
}

fn take_extern<'js>(
    ctx: &Ctx<'js>,
    shared: &IslandRealm,
    store: &mut StoreContextMut<'_, StoreState>,
    reference: Rooted<ExternRef>,
) -> island::wasmtime::Result<Outgoing<'js>> {
    if let Some(value) = shared.extern_value(ctx, store, reference) {
        return Ok(Outgoing::Value(value));
    }
    let any = AnyRef::convert_extern(&mut *store, reference)?;
    take_any(ctx, shared, store, any)
}

fn take_any<'js>(
    ctx: &Ctx<'js>,
    shared: &IslandRealm,
    store: &mut StoreContextMut<'_, StoreState>,
    reference: Rooted<AnyRef>,
) -> island::wasmtime::Result<Outgoing<'js>> {
    if let Some(int) = reference.as_i31(&*store)? {
        return Ok(Outgoing::Number(Number::I32(int.get_i32())));
    }
    if !reference.is_struct(&*store)? && !reference.is_array(&*store)? {
        let external = ExternRef::convert_any(&mut *store, reference)?;
        return Ok(match shared.extern_value(ctx, store, external) {
            Some(value) => Outgoing::Value(value),
            None => Outgoing::Failed("an internal WebAssembly reference cannot cross to JavaScript".into()),
        });
    }
    Ok(match shared.guest_objects.borrow_mut().find(ctx, store, reference)? {
        Some(object) => Outgoing::Value(object),
        None => Outgoing::Object(Box::new((reference.to_owned_rooted(&mut *store)?, reference.ty(&*store)?))),
    })
}

impl<'js> Outgoing<'js> {
    /// The function's key, if it is a function.
    pub(crate) fn function_key(&self) -> Option<FunctionKey> {
        match self {
            Self::Function(_, key) => Some(*key),
            _ => None,
        }
    }

    /// The second step: may make objects.
    pub(crate) fn into_js(self, ctx: &Ctx<'js>, link: &IslandHandle) -> Result<Value<'js>> {
        match self {
            Self::Number(number) => from_number(Cx::of(ctx), number).into_value(Cx::of(ctx)),
            Self::Value(value) => Ok(value),
            Self::Function(func, key) => exported_function(ctx, link, func, key, None),
            Self::Object(object) => {
                let (reference, ty) = *object;
                exported_gc_object(ctx, link, reference, ty)
            }
            Self::Failed(message) => Err(Exception::throw_type(ctx, &message)),
        }
    }
}

/// "Out of memory" as scripts see it.
pub(crate) fn out_of_memory(ctx: &Ctx<'_>, error: &dyn std::fmt::Display) -> rquickjs::Error {
    Exception::throw_range(ctx, &format!("out of memory: {error}"))
}
