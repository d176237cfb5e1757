//! ToWebAssemblyValue and ToJSValue, in two steps each: what may run scripts happens outside the store, what needs the
//! store runs no script.

use island::call::Number;
use island::wasmtime::{AnyRef, Func, HeapType, Ref, RefType, StoreContextMut, Val, ValType};
use island::{FunctionKey, Kind, StoreState};
use qjs::{Borrowed, Ctx, Cx, Exception, Held, Result, Returned, Value, number};

use crate::anchor::{Link, Shared};
use crate::function::{ExportedFunction, exported_function};

/// Why a vector is refused, in both directions.
pub(crate) const NO_V128: &str = "a v128 cannot cross between WebAssembly and JavaScript";

/// A WebAssembly value on the host's side, of no store.
pub(crate) enum HostValue {
    Number(Number),
    Null(HeapType),
    /// An externref's value.
    Extern(Held),
    /// An exported function of some island.
    Function(Held),
}

/// ToWebAssemblyValue for the numeric types. May run scripts.
///
/// # Errors
/// What the conversion throws.
#[inline]
pub fn to_number(cx: Cx<'_>, value: Borrowed<'_>, kind: Kind) -> Result<Number> {
    Ok(match kind {
        Kind::I32 => Number::I32(number::to_int32(cx, value)?),
        Kind::I64 => Number::I64(number::to_bigint64(cx, value)?),
        Kind::F32 => Number::F32(number::to_number(cx, value)? as f32),
        Kind::F64 => Number::F64(number::to_number(cx, value)?),
    })
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
/// A TypeError for what does not fit the type, or what a conversion throws.
pub(crate) fn to_host_value(ctx: &Ctx<'_>, value: Borrowed<'_>, ty: &ValType) -> Result<HostValue> {
    let cx = Cx::of(ctx);
    let kind = match ty {
        ValType::I32 => Kind::I32,
        ValType::I64 => Kind::I64,
        ValType::F32 => Kind::F32,
        ValType::F64 => Kind::F64,
        ValType::V128 => {
            return Err(Exception::throw_type(ctx, NO_V128));
        }
        ValType::Ref(ty) => return to_reference(ctx, value, ty),
    };
    Ok(HostValue::Number(to_number(cx, value, kind)?))
}

fn to_reference(ctx: &Ctx<'_>, value: Borrowed<'_>, ty: &RefType) -> Result<HostValue> {
    let heap = ty.heap_type();
    let refuse = |expected: &str| {
        let came = webidl::describe(&value.to_value(Cx::of(ctx)));
        Err(Exception::throw_type(ctx, &format!("expected {expected} for {ty}, got {came}")))
    };
    if value.is_null() && ty.is_nullable() {
        return Ok(HostValue::Null(heap.clone()));
    }
    match heap.top() {
        HeapType::Extern if matches!(heap, HeapType::Extern) && !value.is_null() => {
            Ok(HostValue::Extern(Held::new(&value.to_value(Cx::of(ctx)))))
        }
        HeapType::Func => match qjs::class::get::<ExportedFunction>(value) {
            Some(function) if function.callee().ty().clone().matches_heap(heap) => {
                Ok(HostValue::Function(Held::new(&value.to_value(Cx::of(ctx)))))
            }
            Some(function) => refuse(&format!("a function of another type than {}", function.callee().ty())),
            None => refuse("an exported WebAssembly function or null"),
        },
        HeapType::Any => refuse("a WebAssembly object"),
        _ => refuse("no value"),
    }
}

/// Whether a function's type is below a heap type of functions.
trait MatchesHeap {
    fn matches_heap(&self, heap: &HeapType) -> bool;
}

impl MatchesHeap for island::wasmtime::FuncType {
    fn matches_heap(&self, heap: &HeapType) -> bool {
        HeapType::ConcreteFunc(self.clone()).matches(heap)
    }
}

/// DefaultValue: none for types that have none, and for v128. An externref's is `undefined`.
pub(crate) fn default_value(ctx: &Ctx<'_>, ty: &ValType) -> Option<HostValue> {
    Some(match ty {
        ValType::I32 => HostValue::Number(Number::I32(0)),
        ValType::I64 => HostValue::Number(Number::I64(0)),
        ValType::F32 => HostValue::Number(Number::F32(0.0)),
        ValType::F64 => HostValue::Number(Number::F64(0.0)),
        ValType::V128 => return None,
        ValType::Ref(ty) if !ty.is_nullable() => return None,
        ValType::Ref(ty) if matches!(ty.heap_type(), HeapType::Extern) => {
            HostValue::Extern(Held::new(&Value::new_undefined(ctx.clone())))
        }
        ValType::Ref(ty) => HostValue::Null(ty.heap_type().clone()),
    })
}

impl HostValue {
    pub(crate) fn duplicate(&self) -> Self {
        match self {
            Self::Number(number) => Self::Number(*number),
            Self::Null(heap) => Self::Null(heap.clone()),
            Self::Extern(held) => Self::Extern(held.duplicate()),
            Self::Function(held) => Self::Function(held.duplicate()),
        }
    }

    pub(crate) fn mark(&self, marker: &qjs::Marker) {
        match self {
            Self::Extern(held) | Self::Function(held) => marker.mark(held),
            Self::Number(_) | Self::Null(_) => {}
        }
    }

    /// Finds what stands for the value in an island: a function of another island gets one here that calls it.
    pub(crate) fn resolve<'js>(&self, ctx: &Ctx<'js>, link: &Link) -> Result<Resolved<'js>> {
        Ok(match self {
            Self::Number(number) => Resolved::Number(*number),
            Self::Null(heap) => Resolved::Null(heap.clone()),
            Self::Extern(held) => Resolved::Extern(held.get(ctx)),
            Self::Function(held) => Resolved::Function(crate::linking::local_function(ctx, link, &held.get(ctx))?),
        })
    }

    /// ToJSValue of a value that is in no island.
    pub(crate) fn to_js<'js>(&self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        match self {
            Self::Number(number) => from_number(Cx::of(ctx), *number).into_value(Cx::of(ctx)),
            Self::Null(_) => Ok(Value::new_null(ctx.clone())),
            Self::Extern(held) | Self::Function(held) => Ok(held.get(ctx)),
        }
    }
}

/// A value that is about to enter a certain store.
pub(crate) enum Resolved<'js> {
    Number(Number),
    Null(HeapType),
    Extern(Value<'js>),
    Function(Func),
}

impl Resolved<'_> {
    /// ToWebAssemblyValue, the last step: inside the store. Runs no script.
    pub(crate) fn to_val(
        &self,
        shared: &Shared,
        store: StoreContextMut<'_, StoreState>,
    ) -> island::wasmtime::Result<Val> {
        Ok(match self {
            Self::Number(Number::I32(value)) => Val::I32(*value),
            Self::Number(Number::I64(value)) => Val::I64(*value),
            Self::Number(Number::F32(value)) => Val::F32(value.to_bits()),
            Self::Number(Number::F64(value)) => Val::F64(value.to_bits()),
            Self::Null(heap) => Val::null_ref(heap),
            Self::Extern(value) => Val::ExternRef(Some(shared.new_externref(store, value)?)),
            Self::Function(func) => Val::FuncRef(Some(*func)),
        })
    }

    /// The same as an element of a table.
    pub(crate) fn to_ref(
        &self,
        shared: &Shared,
        store: StoreContextMut<'_, StoreState>,
    ) -> island::wasmtime::Result<Ref> {
        let val = self.to_val(shared, store)?;
        val.ref_().ok_or_else(|| island::wasmtime::Error::msg("a number is no reference"))
    }
}

/// A value that came out of the store, before ToJSValue makes an object of it.
pub(crate) enum Outgoing<'js> {
    Number(Number),
    Value(Value<'js>),
    Function(Func, FunctionKey),
    Unrepresentable(&'static str),
}

/// ToJSValue, the first step: inside the store.
pub(crate) fn take_val<'js>(
    ctx: &Ctx<'js>,
    shared: &Shared,
    store: &mut StoreContextMut<'_, StoreState>,
    val: &Val,
) -> Outgoing<'js> {
    match val {
        Val::I32(value) => Outgoing::Number(Number::I32(*value)),
        Val::I64(value) => Outgoing::Number(Number::I64(*value)),
        Val::F32(bits) => Outgoing::Number(Number::F32(f32::from_bits(*bits))),
        Val::F64(bits) => Outgoing::Number(Number::F64(f64::from_bits(*bits))),
        Val::V128(_) => Outgoing::Unrepresentable(NO_V128),
        Val::FuncRef(Some(func)) => Outgoing::Function(*func, FunctionKey::of(store, *func)),
        Val::ExternRef(Some(reference)) => match shared.extern_value(ctx, store, *reference) {
            Some(value) => Outgoing::Value(value),
            None => Outgoing::Unrepresentable("an internal WebAssembly reference cannot cross to JavaScript"),
        },
        Val::AnyRef(Some(reference)) => match take_i31(store, reference) {
            Some(value) => Outgoing::Number(Number::I32(value)),
            None => Outgoing::Unrepresentable("a WebAssembly GC object cannot cross to JavaScript yet"),
        },
        Val::FuncRef(None) | Val::ExternRef(None) | Val::AnyRef(None) | Val::ExnRef(None) | Val::ContRef(None) => {
            Outgoing::Value(Value::new_null(ctx.clone()))
        }
        Val::ExnRef(_) | Val::ContRef(_) => Outgoing::Unrepresentable("an exnref cannot cross to JavaScript"),
    }
}

fn take_i31(store: &mut StoreContextMut<'_, StoreState>, reference: &island::wasmtime::Rooted<AnyRef>) -> Option<i32> {
    Some(reference.as_i31(store).ok()??.get_i32())
}

impl<'js> Outgoing<'js> {
    /// The key where it is a function.
    pub(crate) fn function_key(&self) -> Option<FunctionKey> {
        match self {
            Self::Function(_, key) => Some(*key),
            _ => None,
        }
    }

    /// The second step: may make objects.
    pub(crate) fn into_js(self, ctx: &Ctx<'js>, link: &Link) -> Result<Value<'js>> {
        match self {
            Self::Number(number) => from_number(Cx::of(ctx), number).into_value(Cx::of(ctx)),
            Self::Value(value) => Ok(value),
            Self::Function(func, key) => exported_function(ctx, link, func, key, None),
            Self::Unrepresentable(message) => Err(Exception::throw_type(ctx, message)),
        }
    }
}

/// "Out of memory" as scripts see it.
pub(crate) fn out_of_memory(ctx: &Ctx<'_>, error: &dyn std::fmt::Display) -> rquickjs::Error {
    Exception::throw_range(ctx, &format!("out of memory: {error}"))
}
