//! The classes of structs and unions: `StructType`, `UnionType`, and pointers to them.

use std::cell::OnceCell;
use std::rc::Rc;

use qjs::define::{self, Attributes};
use qjs::{Borrowed, Call, Ctx, Cx, Exception, Held, Object, Result, Value, class};

use crate::convert::Marshal;
use crate::descriptors::{check_depth, keys, new_type, prototype};
use crate::manager::ManagerObject;
use crate::record::{self, Place, Shape};
use crate::types::{Type, TypeObject, TypeRef, throw_no_value};
use crate::{scalar, view};

/// The name and the packing of a record's options.
fn record_options<'js>(ctx: &Ctx<'js>, given: Value<'js>, name: &str) -> Result<(Option<Box<str>>, u64)> {
    let options = webidl::dictionary(ctx, given, &format!("{name}: argument 2"))?;
    let Some(options) = options else { return Ok((None, u64::MAX)) };
    let given: Value = options.get("name")?;
    let of = given.as_string().map(|name| webidl::string(ctx, Borrowed::of(name.as_value()))).transpose()?;
    let pack: Value = options.get("pack")?;
    let pack = match pack.is_undefined() {
        true => u64::MAX,
        false => scalar::length(&pack)
            .filter(|pack| pack.is_power_of_two())
            .ok_or_else(|| Exception::throw_type(ctx, &format!("{name}: argument 2: `pack` must be a power of two")))?,
    };
    Ok((of.map(Into::into), pack))
}

/// `StructType` and `UnionType`. Without fields, the type has to be defined later.
pub(crate) fn new_record<'js, const UNION: bool>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let name = if UNION { "UnionType" } else { "StructType" };
    let (of, pack) = record_options(&call.ctx, call.arg(1), name)?;
    let object = new_type(&call, name, Type::Record(Rc::default(), OnceCell::new()))?;
    let fields = call.arg(0);
    if !fields.is_undefined() && !fields.is_null() {
        let (names, types) = read_fields(&call.ctx, &fields, name)?;
        let ty: &TypeObject = class::of(&object).expect("made just now");
        set_fields(&call.ctx, ty, of, UNION, names, types, pack, name)?;
    }
    Ok(object)
}

/// `{ x: type, … }` or `[['x', type], …]`.
fn read_fields<'js>(ctx: &Ctx<'js>, given: &Value<'js>, name: &str) -> Result<(Vec<Rc<str>>, Vec<TypeRef>)> {
    let (mut names, mut types) = (Vec::new(), Vec::new());
    let mut add = |key: String, ty: Value<'js>| -> Result<()> {
        let place = format!("{name}: argument 1: `{key}`");
        if names.iter().any(|name: &Rc<str>| **name == *key) {
            return Err(Exception::throw_type(ctx, &format!("{place} occurs twice")));
        }
        types.push(TypeRef::of(ctx, Borrowed::of(&ty), &place)?);
        names.push(key.into());
        Ok(())
    };
    let refuse = || {
        let came = webidl::describe(given);
        Exception::throw_type(ctx, &format!("{name}: argument 1 must be an object of types by name, got {came}"))
    };
    if let Some(list) = given.as_array() {
        for pair in list.iter::<Value>() {
            let pair = pair?;
            let pair = pair.as_array().filter(|pair| pair.len() == 2).ok_or_else(refuse)?;
            let key: Value = pair.get(0)?;
            let key = webidl::string(ctx, Borrowed::of(key.as_string().ok_or_else(refuse)?.as_value()))?;
            add(key, pair.get(1)?)?;
        }
    } else {
        let object = given.as_object().filter(|_| !given.is_function()).ok_or_else(refuse)?;
        for key in keys(object)? {
            let ty = object.get(&*key)?;
            add(key, ty)?;
        }
    }
    Ok((names, types))
}

/// Defines a record's fields.
#[allow(clippy::too_many_arguments, reason = "each is said once, by the one caller")]
pub(crate) fn set_fields(
    ctx: &Ctx<'_>,
    ty: &TypeObject,
    of: Option<Box<str>>,
    is_union: bool,
    names: Vec<Rc<str>>,
    types: Vec<TypeRef>,
    pack: u64,
    place: &str,
) -> Result<()> {
    let Type::Record(shape, fields) = &ty.ty else { return Err(rquickjs::Error::Unknown) };
    if shape.get().is_some() {
        return Err(Exception::throw_type(ctx, &format!("{place}: {} is defined already", ty.name())));
    }
    let depth = types.iter().map(|ty| ty.get().depth.get()).max().unwrap_or(0) + 1;
    ty.depth.set(depth);
    check_depth(ctx, ty, place)?;
    match Shape::new(ctx, of, is_union, names.clone(), &types, pack)? {
        Ok(made) => {
            let _ = shape.set(made);
            let _ = fields.set(types);
            Ok(())
        }
        Err(at) => {
            let place = format!("{place}: field `{}`", names[at]);
            Err(throw_no_value(ctx, &place, types[at].get()))
        }
    }
}

/// `define(fields, options)`: for a struct that was made without fields, to refer to itself.
pub(crate) fn define_record<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "StructType.define";
    let ty = record_this(&call, "define")?;
    let union = prototype(&call.ctx, "UnionType")?;
    let mut next = call.this().as_object().and_then(|object| object.get_prototype());
    while next.as_ref().is_some_and(|prototype| *prototype != union) {
        next = next.and_then(|prototype| prototype.get_prototype());
    }
    let is_union = next.is_some();
    let (of, pack) = record_options(&call.ctx, call.arg(1), PLACE)?;
    let (names, types) = read_fields(&call.ctx, &call.arg(0), PLACE)?;
    set_fields(&call.ctx, ty, of, is_union, names, types, pack, PLACE)?;
    Ok(call.this())
}

fn record_this<'a>(call: &Call<'a, '_>, member: &str) -> Result<&'a TypeObject> {
    let ty: &TypeObject = webidl::this(call, member)?;
    match &ty.ty {
        Type::Record(..) => Ok(ty),
        _ => Err(Exception::throw_type(&call.ctx, &format!("{member}: `this` is not a StructType"))),
    }
}

/// `create(memoryManager, values)`: a new struct in the guest's heap, by view.
pub(crate) fn create_record<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    record_of(&call, record_this(&call, "create")?, None)
}

/// `at(memoryManager, address)`: a struct that something else owns, by view.
pub(crate) fn record_at<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let ty = record_this(&call, "at")?;
    let Some(address) = scalar::address(Cx::of(&call.ctx), call.args.get(1))? else {
        return Err(Exception::throw_type(&call.ctx, "StructType.at: argument 2 must be an address"));
    };
    record_of(&call, ty, Some(address))
}

pub(crate) fn record_name<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let ty: &TypeObject = webidl::this(&call, "name")?;
    let name = match &ty.ty {
        Type::Record(shape, _) => shape.get().and_then(|shape| shape.name.as_deref()),
        Type::Handle { name, .. } => name.as_deref(),
        _ => None,
    };
    match name {
        Some(name) => qjs::string::from_utf8(&call.ctx, name.as_bytes()),
        None => Ok(Value::new_undefined(call.ctx)),
    }
}

pub(crate) fn record_offsets<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let ty = record_this(&call, "offsets")?;
    let object = Object::new(call.ctx.clone())?;
    if let Type::Record(shape, _) = &ty.ty
        && let Some(shape) = shape.get()
    {
        for (at, name) in shape.fields.iter().enumerate() {
            let offset = Value::new_number(call.ctx.clone(), shape.offset(at, false) as f64);
            define::value(&object, name, &offset, Attributes::Plain)?;
        }
    }
    Ok(object.into_value())
}

pub(crate) fn new_record_pointer<'js, const VIEW: bool>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let name = if VIEW { "StructViewType" } else { "StructPointerType" };
    let record = TypeRef::of(&call.ctx, call.args.get(0), &format!("{name}: argument 1"))?;
    if !matches!(record.get().ty, Type::Record(..)) {
        let message = format!("{name}: argument 1 must be a StructType or a UnionType, got {}", record.get().name());
        return Err(Exception::throw_type(&call.ctx, &message));
    }
    new_type(&call, name, Type::RecordPointer { record, view: VIEW })
}

/// A struct by view: a new one in the guest's heap, or the one at `address`, which something else owns.
fn record_of<'js>(call: &Call<'_, 'js>, ty: &TypeObject, address: Option<u64>) -> Result<Value<'js>> {
    let place = format!("{}.{}", ty.name(), if address.is_some() { "at" } else { "create" });
    let ctx = &call.ctx;
    let _: &ManagerObject = webidl::interface(ctx, call.args.get(0), &format!("{place}: argument 1"))?;
    let marshal = Marshal::new(ctx, call.args.get(0), &place);
    let layout = ty.layout(marshal.is_wide()).ok_or_else(|| marshal.no_value(ty))?;
    let reference = TypeRef::of(ctx, call.this, &place)?;
    if let Some(address) = address {
        let buffer = view::borrowed_buffer(ctx, marshal.heap(), address, layout.size)?;
        return record::new_view(ctx, &reference, Place::new(&buffer, marshal.manager_held(), 0), false);
    }
    marshal.manager.safe_point(ctx, &marshal)?;
    let made = (|| {
        let address = marshal.allocate(layout.size)?;
        marshal.clear(address, layout.size)?;
        let values = call.args.get(1);
        if !values.is_undefined() {
            marshal.enter_part(webidl::Part::Argument(1));
            marshal.write_value(ty, address, values)?;
        }
        let has_views = marshal.pinned_blocks() > 0;
        let block = marshal.heap().adopt(address, layout.size).map_err(|error| marshal.heap_error(error))?;
        // What its fields point to is the guest's.
        marshal.consume()?;
        marshal.commit();
        let buffer = view::buffer(ctx, marshal.heap(), block)?;
        if has_views {
            // (No assignment to a field replaces this entry.)
            marshal.manager.keep_in(ctx, &Held::new(buffer.as_value()), u64::MAX, Some(values))?;
        }
        record::new_view(ctx, &reference, Place::new(&buffer, marshal.manager_held(), 0), false)
    })();
    marshal.finish(made)
}
