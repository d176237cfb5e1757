//! The builtin set `js-string`: functions on strings that a guest imports, linked natively.
//!
//! Each is a host function with a fixed signature, so a call of one neither allocates nor looks anything up; strings
//! are read where QuickJS keeps them. A builtin that gets something other than a string, or an index that does not
//! exist, traps.

use std::rc::Rc;

use island::wasmtime::{
    ArrayRef, ArrayType, AsContextMut, Caller, Error, ExternRef, FieldType, Func, FuncType, HeapType, Mutability,
    RefType, Result, Rooted, StorageType, Val, ValType,
};
use island::{Engine, HostThrew, HostTrap, StoreState};
use qjs::string::Units;
use qjs::{Arguments, Borrowed, Ctx, Cx, Held, Object, Value};
use rquickjs::JsLifetime;

use crate::runtime::island_realm::{IslandHandle, IslandRealm};
use crate::runtime::memory_core::refresh_grown;

/// The set's "qualified name".
pub(crate) const JS_STRING: &str = "wasm:js-string";

/// `JS_STRING_LEN_MAX` of QuickJS.
const LONGEST: usize = (1 << 30) - 1;

/// The functions of the set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Builtin {
    Cast,
    Test,
    FromCharCodeArray,
    IntoCharCodeArray,
    FromCharCode,
    FromCodePoint,
    CharCodeAt,
    CodePointAt,
    Length,
    Concat,
    Substring,
    Equals,
    Compare,
}

/// An externref as a parameter.
type Reference = Option<Rooted<ExternRef>>;

impl Builtin {
    /// The function of the set that is called `name`.
    pub(crate) fn find(name: &str) -> Option<Self> {
        Some(match name {
            "cast" => Self::Cast,
            "test" => Self::Test,
            "fromCharCodeArray" => Self::FromCharCodeArray,
            "intoCharCodeArray" => Self::IntoCharCodeArray,
            "fromCharCode" => Self::FromCharCode,
            "fromCodePoint" => Self::FromCodePoint,
            "charCodeAt" => Self::CharCodeAt,
            "codePointAt" => Self::CodePointAt,
            "length" => Self::Length,
            "concat" => Self::Concat,
            "substring" => Self::Substring,
            "equals" => Self::Equals,
            "compare" => Self::Compare,
            _ => return None,
        })
    }

    /// The type, which is alone in its recursion group.
    pub(crate) fn ty(self, engine: &Engine) -> FuncType {
        let engine = engine.wasmtime();
        let (int, any) = (ValType::I32, ValType::EXTERNREF);
        let text = ValType::Ref(RefType::new(false, HeapType::Extern));
        let array = || {
            let array = ArrayType::new(engine, FieldType::new(Mutability::Var, StorageType::I16));
            ValType::Ref(RefType::new(true, HeapType::ConcreteArray(array)))
        };
        let (params, result) = match self {
            Self::Cast => (vec![any], text),
            Self::Test | Self::Length => (vec![any], int),
            Self::FromCharCodeArray => (vec![array(), int.clone(), int], text),
            Self::IntoCharCodeArray => (vec![any, array(), int.clone()], int),
            // The specification's text has a nullable result for `fromCodePoint` alone; its tests do not.
            Self::FromCharCode | Self::FromCodePoint => (vec![int], text),
            Self::CharCodeAt | Self::CodePointAt => (vec![any, int.clone()], int),
            Self::Concat => (vec![any.clone(), any], text),
            Self::Substring => (vec![any, int.clone(), int], text),
            Self::Equals | Self::Compare => (vec![any.clone(), any], int),
        };
        FuncType::new(engine, params, [result])
    }

    /// "Create a builtin function" in the link's island.
    ///
    /// # Errors
    /// When memory is out.
    pub(crate) fn create(self, link: &IslandHandle) -> Result<Func> {
        let island = &link.shared.island;
        let ty = self.ty(island.engine());
        island.enter(|store| match self {
            Self::Cast => Func::try_wrap(store, cast),
            Self::Test => Func::try_wrap(store, test),
            Self::FromCharCodeArray => Func::try_new(store, ty, from_char_code_array),
            Self::IntoCharCodeArray => Func::try_new(store, ty, into_char_code_array),
            Self::FromCharCode => Func::try_wrap(store, from_char_code),
            Self::FromCodePoint => Func::try_wrap(store, from_code_point),
            Self::CharCodeAt => Func::try_wrap(store, char_code_at),
            Self::CodePointAt => Func::try_wrap(store, code_point_at),
            Self::Length => Func::try_wrap(store, length),
            Self::Concat => Func::try_wrap(store, concat),
            Self::Substring => Func::try_wrap(store, substring),
            Self::Equals => Func::try_wrap(store, equals),
            Self::Compare => Func::try_wrap(store, compare),
        })
    }
}

/// Operations that QuickJS's C interface has no function for, as they were before a script could change anything.
#[derive(JsLifetime)]
struct Operations {
    /// `+` of two strings, which copies neither if they are long.
    concat: Held,
    /// `String.prototype.substring`, which does not copy long strings.
    substring: Held,
}

pub(crate) fn define(ctx: &Ctx<'_>) -> qjs::Result<()> {
    let string: Object = ctx.globals().get("String")?;
    let substring: Value = string.get::<_, Object>("prototype")?.get("substring")?;
    let concat: Value = ctx.eval("(one, two) => one + two")?;
    let operations = Operations { concat: Held::new(&concat), substring: Held::new(&substring) };
    ctx.store_userdata(operations).map_err(|_| rquickjs::Error::Unknown)?;
    Ok(())
}

/// A call of a builtin.
struct Run<'a, 'js> {
    name: &'static str,
    shared: &'a Rc<IslandRealm>,
    cx: Cx<'js>,
}

/// Runs a builtin's steps.
#[inline]
fn run<R>(
    name: &'static str,
    mut caller: impl AsContextMut<Data = StoreState>,
    steps: impl for<'js> FnOnce(&Run<'_, 'js>) -> Result<R>,
) -> Result<R> {
    island::lend(caller.as_context_mut(), |island| {
        let shared = island.owner::<IslandRealm>().ok_or(HostThrew)?;
        shared.with(|cx| steps(&Run { name, shared: &shared, cx }))
    })
}

/// Runs the steps of a builtin that returns a string.
#[inline]
fn make(
    name: &'static str,
    mut caller: impl AsContextMut<Data = StoreState>,
    steps: impl for<'js> FnOnce(&Run<'_, 'js>) -> Result<Held>,
) -> Result<Rooted<ExternRef>> {
    let made = run(name, caller.as_context_mut(), |run| Ok((run.shared.clone(), steps(run)?)));
    // Here, since what is rooted in a run need not be afterwards.
    made.and_then(|(shared, made)| shared.new_externref(caller.as_context_mut(), made))
}

impl<'js> Run<'_, 'js> {
    #[cold]
    fn trap(&self, why: impl std::fmt::Display) -> Error {
        HostTrap(format!("{JS_STRING} {}: {why}", self.name)).into()
    }

    /// The error of a failed operation of QuickJS's, whose exception is pending.
    fn threw(&self, error: rquickjs::Error) -> Error {
        qjs::function::throw(&self.cx.ctx(), error);
        HostThrew.into()
    }

    /// The value of a reference; `None` if JavaScript sees no string (`null`, or what a guest made of something else).
    #[inline]
    fn string(&self, reference: Reference) -> Option<Held> {
        let reference = reference?;
        let held = self.shared.island.enter(|store| self.shared.held_extern(&store, reference))?;
        held.borrow().is_string().then_some(held)
    }

    /// UnwrapString.
    #[inline]
    fn unwrap_string(&self, reference: Reference) -> Result<Held> {
        self.string(reference).ok_or_else(|| self.no_string(reference))
    }

    #[cold]
    fn no_string(&self, reference: Reference) -> Error {
        let Some(reference) = reference else { return self.trap("expected a string, got null") };
        let held = self.shared.island.enter(|store| self.shared.held_extern(&store, reference));
        let came = held.map_or("a number or a WebAssembly object", |held| webidl::describe(&held.get(&self.cx.ctx())));
        self.trap(format_args!("expected a string, got {came}"))
    }

    #[inline]
    fn units<'a>(&self, string: &'a Held) -> Result<Units<'a>> {
        let units = Units::of(self.cx, string.borrow()).map_err(|error| self.threw(error))?;
        units.ok_or_else(|| self.trap("expected a string"))
    }

    /// A string as the result.
    fn give(&self, made: qjs::Result<Value<'js>>) -> Result<Held> {
        made.map(|value| Held::new(&value)).map_err(|error| self.threw(error))
    }

    fn give_units(&self, units: &[u16]) -> Result<Held> {
        self.give(qjs::string::from_units(&self.cx.ctx(), units))
    }

    /// Calls an operation that runs no script unless it fails.
    fn operate(
        &self,
        operation: impl FnOnce(&Operations) -> &Held,
        this: Borrowed<'_>,
        args: impl IntoIterator<Item = qjs::Returned>,
    ) -> qjs::Result<Value<'js>> {
        let ctx = self.cx.ctx();
        refresh_grown(self.cx, &self.shared.api);
        let operation = operation(&*ctx.userdata::<Operations>().ok_or(rquickjs::Error::Unknown)?).duplicate();
        let mut arguments = Arguments::new(self.cx);
        args.into_iter().try_for_each(|arg| arguments.push(arg))?;
        Ok(operation.call(self.cx, this, &mut arguments)?.to_value())
    }

    /// The array of characters, and how many it holds.
    fn array(&self, array: &Val) -> Result<(Rooted<ArrayRef>, u32)> {
        let Some(Some(any)) = array.any_ref() else { return Err(self.trap("the array is null")) };
        self.shared.island.enter(|mut store| {
            let array = any.unwrap_array(&mut store)?;
            Ok((array, array.len(&store)?))
        })
    }
}

fn cast(caller: Caller<'_, StoreState>, value: Reference) -> Result<Rooted<ExternRef>> {
    run("cast", caller, |run| {
        run.unwrap_string(value)?;
        Ok(value.expect("null is not a string"))
    })
}

fn test(caller: Caller<'_, StoreState>, value: Reference) -> Result<i32> {
    run("test", caller, |run| Ok(run.string(value).is_some().into()))
}

fn from_char_code_array(caller: Caller<'_, StoreState>, args: &[Val], results: &mut [Val]) -> Result<()> {
    let [array, start, end] = args else { unreachable!("as the type says") };
    let (start, end) = (start.unwrap_i32() as u32, end.unwrap_i32() as u32);
    let made = make("fromCharCodeArray", caller, |run| {
        let (array, length) = run.array(array)?;
        if start > end || end > length {
            return Err(run.trap(format_args!("{start} to {end} is not a range of an array of {length}")));
        }
        let units = run.shared.island.read_units(array, start, end - start)?;
        run.give_units(&units)
    })?;
    results[0] = made.into();
    Ok(())
}

fn into_char_code_array(caller: Caller<'_, StoreState>, args: &[Val], results: &mut [Val]) -> Result<()> {
    let [string, array, start] = args else { unreachable!("as the type says") };
    let start = start.unwrap_i32() as u32;
    run("intoCharCodeArray", caller, |run| {
        let (array, length) = run.array(array)?;
        let string = run.unwrap_string(string.unwrap_externref().copied())?;
        let units = run.units(&string)?;
        if start as usize + units.len() > length as usize {
            let count = units.len();
            return Err(run.trap(format_args!("no room for {count} at {start} of an array of {length}")));
        }
        run.shared.island.write_units(array, start, units.iter())?;
        results[0] = Val::I32(units.len() as i32);
        Ok(())
    })
}

fn from_char_code(caller: Caller<'_, StoreState>, unit: u32) -> Result<Rooted<ExternRef>> {
    make("fromCharCode", caller, |run| run.give_units(&[unit as u16]))
}

fn from_code_point(caller: Caller<'_, StoreState>, point: u32) -> Result<Rooted<ExternRef>> {
    make("fromCodePoint", caller, |run| match (u16::try_from(point), char::from_u32(point)) {
        // Surrogates are code points too.
        (Ok(unit), _) => run.give_units(&[unit]),
        (_, Some(point)) => run.give_units(point.encode_utf16(&mut [0; 2])),
        _ => Err(run.trap(format_args!("{point:#x} is not a code point"))),
    })
}

fn char_code_at(caller: Caller<'_, StoreState>, string: Reference, index: u32) -> Result<u32> {
    run("charCodeAt", caller, |run| {
        let string = run.unwrap_string(string)?;
        let units = run.units(&string)?;
        units.get(index as usize).map(u32::from).ok_or_else(|| run.trap(out_of_bounds(index, units)))
    })
}

fn code_point_at(caller: Caller<'_, StoreState>, string: Reference, index: u32) -> Result<u32> {
    run("codePointAt", caller, |run| {
        let string = run.unwrap_string(string)?;
        let units = run.units(&string)?;
        let index = index as usize;
        let first = units.get(index).ok_or_else(|| run.trap(out_of_bounds(index as u32, units)))?;
        let pair = [Some(first), units.get(index + 1)].into_iter().flatten();
        let point = char::decode_utf16(pair).next().expect("there is a first");
        Ok(point.map_or_else(|lone| lone.unpaired_surrogate().into(), u32::from))
    })
}

fn out_of_bounds(index: u32, units: Units<'_>) -> String {
    format!("index {index} is out of bounds of a string of {}", units.len())
}

fn length(caller: Caller<'_, StoreState>, string: Reference) -> Result<u32> {
    run("length", caller, |run| {
        let string = run.unwrap_string(string)?;
        Ok(run.units(&string)?.len() as u32)
    })
}

fn concat(caller: Caller<'_, StoreState>, first: Reference, second: Reference) -> Result<Rooted<ExternRef>> {
    make("concat", caller, |run| {
        let (first, second) = (run.unwrap_string(first)?, run.unwrap_string(second)?);
        run.give(run.operate(|o| &o.concat, first.borrow(), [first.returned(), second.returned()]))
    })
}

fn substring(caller: Caller<'_, StoreState>, string: Reference, start: u32, end: u32) -> Result<Rooted<ExternRef>> {
    make("substring", caller, |run| {
        let string = run.unwrap_string(string)?;
        if start > end {
            return run.give_units(&[]);
        }
        let index = |index: u32| run.cx.float(index.min(LONGEST as u32).into());
        run.give(run.operate(|o| &o.substring, string.borrow(), [index(start), index(end)]))
    })
}

fn equals(caller: Caller<'_, StoreState>, first: Reference, second: Reference) -> Result<i32> {
    run("equals", caller, |run| {
        let string = |reference: Reference| reference.map(|_| run.unwrap_string(reference)).transpose();
        let (first, second) = (string(first)?, string(second)?);
        Ok(match (first, second) {
            (Some(first), Some(second)) => run.units(&first)?.compare(run.units(&second)?).is_eq(),
            (first, second) => first.is_none() && second.is_none(),
        }
        .into())
    })
}

fn compare(caller: Caller<'_, StoreState>, first: Reference, second: Reference) -> Result<i32> {
    run("compare", caller, |run| {
        let (first, second) = (run.unwrap_string(first)?, run.unwrap_string(second)?);
        Ok(run.units(&first)?.compare(run.units(&second)?) as i32)
    })
}
