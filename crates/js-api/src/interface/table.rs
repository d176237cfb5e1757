//! `WebAssembly.Table`.

use std::cell::RefCell;
use std::collections::HashMap;

use island::FunctionKey;
use island::limits::TABLE_ELEMENTS;
use island::wasmtime::{AsContextMut, Ref, RefType, RootScope, Table, TableType, ValType};
use qjs::define::{self, Attributes};
use qjs::{Borrowed, Call, Ctx, Exception, Held, HostClass, Mark, Object, Result, Value, WeakObject, class};

use webidl::Place;

use crate::convert::elements::Elements;
use crate::convert::function::ExportedFunction;
use crate::convert::types::{Sizes, table_type, type_name, value_type};
use crate::convert::values::{HostValue, default_value, out_of_memory, refuse_uncrossable, take_val, to_host_value};
use crate::runtime::island_realm::{Address, IslandHandle};
use crate::runtime::limits::{self, Limits};

/// A Table object's value.
#[derive(HostClass, Mark)]
#[host_class(name = "WebAssembly.Table")]
pub(crate) struct TableObject {
    #[mark(skip)]
    element: RefType,
    #[mark(skip)]
    maximum: Option<u64>,
    #[mark(skip)]
    wide: bool,
    state: RefCell<State>,
    /// The objects that `get` made for functions. They stay as long as the table does.
    seen: RefCell<HashMap<FunctionKey, Held>>,
}

#[derive(Mark)]
enum State {
    /// In no island yet.
    Unbound(Elements),
    Bound(IslandHandle, #[mark(skip)] Table),
}

impl Drop for TableObject {
    fn drop(&mut self) {
        if let State::Bound(link, table) = &*self.state.borrow() {
            link.shared.forget_object(address(*table));
        }
    }
}

fn address(table: Table) -> Address {
    Address::Table(table.debug_index_in_store())
}

impl TableObject {
    /// The island that the table is in, or the islands that its elements cannot leave.
    pub(crate) fn links(&self) -> Vec<IslandHandle> {
        match &*self.state.borrow() {
            State::Unbound(elements) => elements.values().filter_map(HostValue::link).collect(),
            State::Bound(link, _) => vec![link.duplicate()],
        }
    }

    /// Why the table cannot be imported as `wanted`; `None` if it can.
    pub(crate) fn mismatch(&self, wanted: &TableType) -> Option<String> {
        if wanted.is_64() != self.wide {
            return Some(format!("expected a table with {} addresses", if self.wide { "32-bit" } else { "64-bit" }));
        }
        if !RefType::eq(wanted.element(), &self.element) {
            let name = |ty: &RefType| type_name(&ValType::Ref(ty.clone()));
            return Some(format!("expected elements of type {}, got {}", name(wanted.element()), name(&self.element)));
        }
        limits::mismatch(wanted.minimum(), wanted.maximum(), self.len(), self.maximum, "elements")
    }

    /// The function object of an element of an unbound table, if the function is in an island: that is where the table
    /// fits best.
    pub(crate) fn first_function<'js>(&self, ctx: &Ctx<'js>) -> Option<Value<'js>> {
        match &*self.state.borrow() {
            State::Unbound(elements) => elements.values().find_map(|element| match element {
                HostValue::Function(held) => class::get::<ExportedFunction>(held.borrow()).map(|_| held.get(ctx)),
                _ => None,
            }),
            State::Bound(..) => None,
        }
    }

    /// The table in the link's island. It is made there if it is in none yet. `object` is this value's object.
    pub(crate) fn bind(&self, ctx: &Ctx<'_>, link: &IslandHandle, object: &Value<'_>) -> Result<Table> {
        let resolved = match &*self.state.borrow() {
            State::Bound(_, table) => return Ok(*table),
            State::Unbound(elements) => {
                elements.runs().map(|(start, count, value)| (start, count, value.duplicate())).collect::<Vec<_>>()
            }
        };
        let resolved = resolved.iter().map(|(start, count, value)| Ok((*start, *count, value.resolve(ctx, link)?)));
        let resolved = resolved.collect::<Result<Vec<_>>>()?;
        let count = self.len();
        let ty = if self.wide {
            TableType::new64(self.element.clone(), count, self.maximum)
        } else {
            // Limits of 2^32 and above were refused.
            TableType::new(self.element.clone(), count as u32, self.maximum.map(|m| m.min(u64::from(u32::MAX)) as u32))
        };
        let made = link.shared.island.enter(|store| {
            let mut scope = RootScope::new(store);
            let null = Ref::null(self.element.heap_type());
            let table = Table::new(&mut scope, ty, null)?;
            for (start, count, value) in &resolved {
                let value = value.to_ref(&link.shared, scope.as_context_mut())?;
                table.fill(&mut scope, *start, value, *count)?;
            }
            Ok(table)
        });
        let table = made.map_err(|error: island::wasmtime::Error| out_of_memory(ctx, &error))?;
        link.shared.cache_object(address(table), WeakObject::of::<Self>(object));
        let unbound = self.state.replace(State::Bound(link.duplicate(), table));
        drop(unbound);
        Ok(table)
    }

    fn len(&self) -> u64 {
        match &*self.state.borrow() {
            State::Unbound(elements) => elements.len(),
            State::Bound(link, table) => link.shared.island.enter(|store| table.size(&store)),
        }
    }

    /// The element at `index`; `None` if there is none.
    fn get<'js>(&self, ctx: &Ctx<'js>, index: u64) -> Result<Option<Value<'js>>> {
        let (link, table) = match &*self.state.borrow() {
            State::Unbound(elements) => {
                return elements.get(index).map(|element| element.to_js(ctx)).transpose();
            }
            State::Bound(link, table) => (link.duplicate(), *table),
        };
        let outgoing = link.shared.island.enter(|store| {
            let mut scope = RootScope::new(store);
            let element = table.get(&mut scope, index)?;
            Some(take_val(ctx, &link.shared, &mut scope.as_context_mut(), &element.into()))
        });
        let Some(outgoing) = outgoing else { return Ok(None) };
        let key = outgoing.function_key();
        let value = outgoing.into_js(ctx, &link)?;
        if let Some(key) = key {
            self.seen.borrow_mut().entry(key).or_insert_with(|| Held::new(&value));
        }
        Ok(Some(value))
    }

    fn bound(&self) -> Option<(IslandHandle, Table)> {
        match &*self.state.borrow() {
            State::Unbound(_) => None,
            State::Bound(link, table) => Some((link.duplicate(), *table)),
        }
    }

    /// Sets the element at `index`. Returns whether there is one.
    fn set(&self, ctx: &Ctx<'_>, index: u64, value: HostValue) -> Result<bool> {
        if index >= self.len() {
            return Ok(false);
        }
        let bound = self.bound();
        let Some((link, table)) = bound else {
            let before = match &mut *self.state.borrow_mut() {
                State::Unbound(elements) => elements.set(index, value),
                State::Bound(..) => unreachable!("it was in no island just now"),
            };
            drop(before);
            return Ok(true);
        };
        let resolved = value.resolve(ctx, &link)?;
        let set = link.shared.island.enter(|store| {
            let mut scope = RootScope::new(store);
            let element = resolved.to_ref(&link.shared, scope.as_context_mut())?;
            table.set(&mut scope, index, element).map(|()| true)
        });
        set.map_err(|error| out_of_memory(ctx, &error))
    }

    /// Adds `delta` elements. Returns whether the table can grow so far.
    fn grow(&self, ctx: &Ctx<'_>, delta: u64, value: HostValue) -> Result<bool> {
        let limit = self.maximum.unwrap_or(TABLE_ELEMENTS).min(TABLE_ELEMENTS);
        if self.len().checked_add(delta).is_none_or(|after| after > limit) {
            return Ok(false);
        }
        if let State::Unbound(elements) = &mut *self.state.borrow_mut() {
            elements.extend(delta, value);
            return Ok(true);
        }
        let Some((link, table)) = self.bound() else { unreachable!("it was in an island just now") };
        let resolved = value.resolve(ctx, &link)?;
        let grown = link.shared.island.enter(|store| {
            let mut scope = RootScope::new(store);
            let element = resolved.to_ref(&link.shared, scope.as_context_mut())?;
            table.grow(&mut scope, delta, element)
        });
        Ok(grown.is_ok())
    }
}

/// The table behind a Table object of functions, if it is in an island.
pub fn bound_table(value: &Value<'_>) -> Option<(IslandHandle, Table)> {
    let table = class::of::<TableObject>(value)?;
    let is_of_functions = table.element.heap_type().top().is_func();
    table.bound().filter(|_| is_of_functions)
}

/// The Table object for a table of the link's island: the one there is, or a new one.
pub(crate) fn table_object<'js>(ctx: &Ctx<'js>, link: &IslandHandle, table: Table) -> Result<Value<'js>> {
    if let Some(object) = link.shared.object(ctx, address(table)) {
        return Ok(object);
    }
    let ty = link.shared.island.enter(|store| table.ty(&store));
    let value = TableObject {
        element: ty.element().clone(),
        maximum: ty.maximum(),
        wide: ty.is_64(),
        state: RefCell::new(State::Bound(link.duplicate(), table)),
        seen: RefCell::default(),
    };
    let object = class::new_object(ctx, value, None)?.into_value();
    link.shared.cache_object(address(table), WeakObject::of::<TableObject>(&object));
    Ok(object)
}

pub(crate) fn define<'js>(ctx: &Ctx<'js>, namespace: &Object<'js>) -> Result<()> {
    class::register::<TableObject>(ctx)?;
    let made = define::interface(namespace, "Table", "WebAssembly.Table", Attributes::Hidden, 1, constructor)?;
    define::method(&made.prototype, "get", 1, get)?;
    define::method(&made.prototype, "set", 1, set)?;
    define::method(&made.prototype, "grow", 1, grow)?;
    define::getter(&made.prototype, "length", length)?;
    define::method(&made.prototype, "type", 0, type_of)?;
    class::set_prototype::<TableObject>(ctx, &made.prototype);
    Ok(())
}

fn constructor<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.Table";
    webidl::require_new(&call, PLACE)?;
    webidl::require_arguments(&call, PLACE, 1)?;
    let ctx = &call.ctx;
    let argument = format!("{PLACE}: argument 1");
    let dictionary = webidl::dictionary(ctx, call.arg(0), &argument)?;
    let element = webidl::required_member(ctx, &dictionary, "element", &argument)?;
    let element = match value_type(ctx, &element, &format!("{argument}: `element`"))? {
        ValType::Ref(ty) => ty,
        other => {
            let message = format!("{argument}: `element` must be a reference type, got {other}");
            return Err(Exception::throw_type(ctx, &message));
        }
    };
    let wide = limits::address_type(ctx, &dictionary, &argument)?;
    let limits = Limits::read(ctx, &dictionary, wide, &argument)?;
    let prototype = class::prototype_from_new_target::<TableObject>(&call)?;
    limits.check(ctx, &argument, TABLE_ELEMENTS)?;
    // An explicit `undefined` counts as a missing argument here, as in WebIDL.
    let value = call.args.get(1);
    let value = if value.is_undefined() { None } else { Some(value) };
    let value = element_argument(ctx, value, &element, PLACE)?;
    let elements = Elements::new(limits.initial, value);
    let table = TableObject {
        element,
        maximum: limits.maximum,
        wide,
        state: RefCell::new(State::Unbound(elements)),
        seen: RefCell::default(),
    };
    Ok(class::new_object(ctx, table, prototype.as_ref())?.into_value())
}

/// An optional element argument.
fn element_argument(ctx: &Ctx<'_>, value: Option<Borrowed<'_>>, ty: &RefType, place: &str) -> Result<HostValue> {
    let ty = ValType::Ref(ty.clone());
    match value {
        Some(value) => to_host_value(ctx, value, &ty, Place::argument(place, 1)),
        None => default_value(ctx, &ty)
            .ok_or_else(|| Exception::throw_type(ctx, &format!("{place}: {ty} has no default value"))),
    }
}

/// The second argument of `set` and `grow`. Unlike WebIDL, the official tests (and other engines) tell an explicit
/// `undefined`, which is not a function, from a missing argument.
fn given(call: &Call<'_, '_>, table: &TableObject, place: &str) -> Result<HostValue> {
    let value = (call.args.len() > 1).then(|| call.args.get(1));
    element_argument(&call.ctx, value, &table.element, place)
}

fn index(call: &Call<'_, '_>, table: &TableObject, place: &str) -> Result<u64> {
    limits::address_to_u64(&call.ctx, call.arg(0), table.wide, &format!("{place}: argument 1"))
}

fn out_of_bounds(call: &Call<'_, '_>, table: &TableObject, place: &str, index: u64) -> rquickjs::Error {
    let message = format!("{place}: index {index} is outside the table of {} elements", table.len());
    Exception::throw_range(&call.ctx, &message)
}

fn get<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.Table.get";
    let table: &TableObject = webidl::this(&call, "get")?;
    webidl::require_arguments(&call, PLACE, 1)?;
    refuse_uncrossable(&call.ctx, &ValType::Ref(table.element.clone()), PLACE)?;
    let index = index(&call, table, PLACE)?;
    table.get(&call.ctx, index)?.ok_or_else(|| out_of_bounds(&call, table, PLACE, index))
}

fn set<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.Table.set";
    let table: &TableObject = webidl::this(&call, "set")?;
    webidl::require_arguments(&call, PLACE, 1)?;
    refuse_uncrossable(&call.ctx, &ValType::Ref(table.element.clone()), PLACE)?;
    let index = index(&call, table, PLACE)?;
    let value = given(&call, table, PLACE)?;
    if !table.set(&call.ctx, index, value)? {
        return Err(out_of_bounds(&call, table, PLACE, index));
    }
    Ok(Value::new_undefined(call.ctx))
}

fn grow<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.Table.grow";
    let table: &TableObject = webidl::this(&call, "grow")?;
    webidl::require_arguments(&call, PLACE, 1)?;
    // The length that is returned is the one before the conversions, which may run scripts.
    let before = table.len();
    let delta = index(&call, table, PLACE)?;
    let value = given(&call, table, PLACE)?;
    if !table.grow(&call.ctx, delta, value)? {
        let maximum = table.maximum.unwrap_or(TABLE_ELEMENTS);
        let message =
            format!("{PLACE}: cannot add {delta} elements to a table of {} of at most {maximum}", table.len());
        return Err(Exception::throw_range(&call.ctx, &message));
    }
    limits::u64_to_address(&call.ctx, before, table.wide)
}

fn type_of<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let table: &TableObject = webidl::this(&call, "type")?;
    let sizes = Sizes { minimum: table.len(), maximum: table.maximum, wide: table.wide };
    Ok(table_type(&call.ctx, &sizes, &table.element)?.into_value())
}

fn length<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let table: &TableObject = webidl::this(&call, "length")?;
    limits::u64_to_address(&call.ctx, table.len(), table.wide)
}
