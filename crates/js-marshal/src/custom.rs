//! Types of a script's own: subclasses of the vocabulary's classes, whose methods `alloc`, `free`, `marshall`,
//! `unmarshall` and `copy` replace the native conversions; and these methods of the native types.

use qjs::{Args, Arguments, Borrowed, Call, Cx, Exception, Held, Result, Returned, Value};
use rquickjs::Object;

use crate::arrays;
use crate::convert::{CallArguments, Marshal};
use crate::ledger::CustomPart;
use crate::manager::ManagerObject;
use crate::pointer;
use crate::types::{Direction, Length, Type, TypeObject};

impl<'js> Marshal<'_, 'js> {
    /// The method `name` of a script's own type.
    fn method(
        &self,
        ty: &TypeObject,
        name: &str,
        index: i32,
        args: &Value<'js>,
        address: Option<u64>,
    ) -> Result<Value<'js>> {
        let cx = self.cx();
        let object = ty.script_object(self.ctx)?;
        let method: Value = object.get(name)?;
        if !method.is_function() {
            return Err(self.type_error(format_args!("the type has no method `{name}`")));
        }
        let mut arguments = Arguments::new(cx);
        arguments.push(cx.returned(&self.manager_value().to_value(cx)))?;
        if let Some(address) = address {
            arguments.push(crate::scalar::integer64(cx, address.into()))?;
        }
        arguments.push(Returned::int(index))?;
        arguments.push(cx.returned(args))?;
        let this = object.into_value();
        Ok(Held::new(&method).call(cx, Borrowed::of(&this), &mut arguments)?.to_value())
    }

    fn list_of(&self, values: &[Value<'js>]) -> Result<Value<'js>> {
        let cx = self.cx();
        let mut list = qjs::array::ArrayBuilder::new(cx, values.len())?;
        values.iter().try_for_each(|value| list.push(cx.returned(value)))?;
        list.finish()
    }

    fn address_from(&self, value: &Value<'js>) -> Result<u64> {
        let borrowed = Borrowed::of(value);
        self.address(borrowed)?.ok_or_else(|| self.unexpected("an address of `marshall`", borrowed))
    }

    /// What a script's own type makes of an argument.
    pub(crate) fn custom_marshall(&self, ty: &TypeObject, value: Borrowed<'_>, direction: Direction) -> Result<u64> {
        let list = self.list_of(&[value.to_value(self.cx())])?;
        let name = if direction.goes_in { "marshall" } else { "alloc" };
        let address = self.method(ty, name, 0, &list, None)?;
        let address = self.address_from(&address)?;
        // If it is behind a pointer that does not come out, the type frees it when the operation ends.
        if self.is_inside() && !self.replaceable.get() {
            let object = Held::new(ty.script_object(self.ctx)?.as_value());
            self.ledger.custom.borrow_mut().push(CustomPart { ty: object, address, arguments: Held::new(&list) });
        }
        Ok(address)
    }

    /// Lets scripts' own types free what they marshalled inside arguments.
    pub(crate) fn free_custom_parts(&self) -> Result<()> {
        let cx = self.cx();
        let mut freed = Ok(());
        for CustomPart { ty, address, arguments: list } in self.ledger.custom.take() {
            let object = ty.get(self.ctx);
            let free: Value = object.as_object().expect("a type is an object").get("free")?;
            let mut arguments = Arguments::new(cx);
            arguments.push(cx.returned(&self.manager_value().to_value(cx)))?;
            arguments.push(crate::scalar::integer64(cx, address.into()))?;
            arguments.push(Returned::int(0))?;
            arguments.push(cx.returned(&list.get(self.ctx)))?;
            let done = Held::new(&free).call(cx, Borrowed::of(&object), &mut arguments).map(drop);
            freed = freed.and(done);
        }
        freed
    }

    /// What a script's own type makes of a result, or of an element.
    pub(crate) fn custom_unmarshall(&self, ty: &TypeObject, address: u64) -> Result<Value<'js>> {
        let list = self.list_of(&[])?;
        self.method(ty, "unmarshall", -1, &list, Some(address))
    }

    /// Ends an argument of a script's own type: it is copied back, or freed.
    pub(crate) fn custom_take_back(&self, ty: &TypeObject, address: u64, value: Borrowed<'_>, out: bool) -> Result<()> {
        let value = value.to_value(self.cx());
        let list = self.list_of(std::slice::from_ref(&value))?;
        if !out {
            return self.method(ty, "free", 0, &list, Some(address)).map(drop);
        }
        let result = self.method(ty, "unmarshall", 0, &list, Some(address))?;
        let object = ty.script_object(self.ctx)?;
        let copy: qjs::Function = object.get("copy")?;
        copy.call((rquickjs::prelude::This(object), value, result))
    }
}

/// A call of one of the methods: `(memoryManager, [address,] index, args)`.
struct Method<'a, 'js> {
    ty: &'a TypeObject,
    args: Value<'js>,
    index: i32,
    address: u64,
}

const IN: Direction = Direction { goes_in: true, comes_out: false, is_result: false };

fn prepare<'a, 'js>(call: &Call<'a, 'js>, name: &str, has_address: bool) -> Result<Method<'a, 'js>> {
    let ty: &TypeObject = webidl::this(call, name)?;
    let place = format!("{}.{name}: argument 1", ty.name());
    let _: &ManagerObject = webidl::interface(&call.ctx, call.args.get(0), &place)?;
    let cx = Cx::of(&call.ctx);
    let address = match has_address {
        true => crate::scalar::address(cx, call.args.get(1))?.ok_or_else(|| {
            let message = format!("{}.{name}: argument 2 must be an address", ty.name());
            Exception::throw_type(&call.ctx, &message)
        })?,
        false => 0,
    };
    let at = 1 + usize::from(has_address);
    let index = call.args.get(at).int().unwrap_or(-1);
    Ok(Method { ty, args: call.arg(at + 1), index, address })
}

impl<'js> Method<'_, 'js> {
    /// `args[index]`.
    fn value(&self, call: &Call<'_, 'js>) -> Result<Value<'js>> {
        match self.args.as_object() {
            Some(args) if self.index >= 0 => args.get(self.index as u32),
            _ => Ok(Value::new_undefined(call.ctx.clone())),
        }
    }

    /// Gives an array's type that has no length the length of the argument.
    fn as_long_as_the_argument(&self, call: &Call<'_, 'js>, ty: TypeObject) -> Result<TypeObject> {
        let Type::Array(element, Length::Given) = &ty.ty else { return Ok(ty) };
        if self.index < 0 {
            return Ok(ty);
        }
        let value = self.value(call)?;
        let count = arrays::length(&value)?;
        let sized = TypeObject::new(Type::Array(element.duplicate(), Length::Fixed(count as u64)));
        Ok(TypeObject { ownership: ty.ownership, free: ty.free.as_ref().map(Held::duplicate), ..sized })
    }

    /// Runs `body` with `args` for the lengths that depend on them.
    fn run<R>(
        &self,
        call: &Call<'_, 'js>,
        name: &str,
        body: impl FnOnce(&Marshal<'_, 'js>) -> Result<R>,
        keeps: bool,
    ) -> Result<R> {
        let arguments = CallArguments::new(Args::default(), 0, None);
        if self.args.is_array() {
            let _ = arguments.list.set(self.args.clone());
        }
        let function = format!("{}.{name}", self.ty.name());
        let mut marshal = Marshal::new(&call.ctx, call.args.get(0), &function);
        marshal.call = Some(&arguments);
        if let Ok(index) = usize::try_from(self.index) {
            marshal.enter_part(webidl::Part::Argument(index));
        }
        let result = body(&marshal);
        let result = result.and_then(|value| if keeps { marshal.consume().map(|()| value) } else { Ok(value) });
        if result.is_ok() && keeps {
            marshal.commit();
        }
        marshal.finish(result)
    }
}

fn to_number<'js>(call: &Call<'_, 'js>, address: u64) -> Value<'js> {
    Value::new_number(call.ctx.clone(), address as f64)
}

/// `marshall(memoryManager, index, args)`: the address of a copy of `args[index]`, which is the caller's to free.
pub(crate) fn marshall<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let method = prepare(&call, "marshall", false)?;
    let value = method.value(&call)?;
    let write = |marshal: &Marshal<'_, 'js>| {
        let native = method.ty.native();
        if native.is_pointer() {
            return marshal.pointer_to(&native, Borrowed::of(&value), IN);
        }
        let layout = native.layout(marshal.is_wide()).ok_or_else(|| marshal.no_value(&native))?;
        let address = marshal.allocate(layout.size)?;
        marshal.write_value(&native, address, Borrowed::of(&value))?;
        Ok(address)
    };
    let address = method.run(&call, "marshall", write, true)?;
    Ok(to_number(&call, address))
}

/// `unmarshall(memoryManager, address, index, args)`: the value at `address`, whose block is freed.
pub(crate) fn unmarshall<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let method = prepare(&call, "unmarshall", true)?;
    let read = |marshal: &Marshal<'_, 'js>| {
        let native = method.ty.native();
        // If the argument is a view, the value is what was passed.
        if method.index >= 0 && matches!(native.ty, Type::View(..) | Type::StringBuffer | Type::Address) {
            return method.value(&call);
        }
        let native = method.as_long_as_the_argument(&call, native)?;
        if native.is_pointer() {
            return marshal.pointee_of(&native, method.address, native.is_owned(true), None);
        }
        let layout = native.layout(marshal.is_wide()).ok_or_else(|| marshal.no_value(&native))?;
        marshal.take_over(&native, method.address, layout.size, layout.align)?;
        marshal.read_value(&native, marshal.range(method.address, layout.size)?, true, None)
    };
    method.run(&call, "unmarshall", read, false)
}

/// `alloc(memoryManager, index, args)`: room for a value.
pub(crate) fn alloc<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let method = prepare(&call, "alloc", false)?;
    let value = method.value(&call)?;
    let allocate = |marshal: &Marshal<'_, 'js>| {
        let native = method.ty.native();
        let wide = marshal.is_wide();
        let bytes = match &native.ty {
            Type::View(..) if method.index >= 0 => return marshal.pointer_to(&native, Borrowed::of(&value), IN),
            Type::Array(element, length) | Type::View(element, length) => {
                let given = arrays::length(&value).ok().filter(|_| value.is_object());
                let count = match (marshal.length(length, None)?, given) {
                    (Some(count), _) => count,
                    (None, Some(given)) => given as u64,
                    (None, None) => return Err(marshal.range_error("the length of the array is not known")),
                };
                let size = element.get().layout(wide).map_or(0, |layout| layout.size);
                marshal.byte_length(count, size)?
            }
            Type::Pointer(pointee) => pointee.get().layout(wide).map_or(0, |layout| layout.size),
            Type::RecordPointer { record, .. } => record.get().layout(wide).map_or(0, |layout| layout.size),
            _ if native.is_pointer() => return Err(marshal.type_error("Method not implemented.")),
            _ => native.layout(wide).ok_or_else(|| marshal.no_value(&native))?.size,
        };
        marshal.allocate(bytes)
    };
    let address = method.run(&call, "alloc", allocate, true)?;
    Ok(to_number(&call, address))
}

/// `free(memoryManager, address, index, args)`: frees the block, and those that it points to.
pub(crate) fn free<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let method = prepare(&call, "free", true)?;
    let free = |marshal: &Marshal<'_, 'js>| {
        let native = method.ty.native();
        if matches!(native.ty, Type::View(..) | Type::StringBuffer | Type::Address) {
            return Ok(());
        }
        let native = method.as_long_as_the_argument(&call, native)?;
        if native.is_pointer() {
            return marshal.pointee_of(&native, method.address, true, None).map(drop);
        }
        let layout = native.layout(marshal.is_wide()).ok_or_else(|| marshal.no_value(&native))?;
        marshal.take_over(&native, method.address, layout.size, layout.align)
    };
    method.run(&call, "free", free, false)?;
    Ok(Value::new_undefined(call.ctx))
}

/// `copy(dest, source)`: makes `dest` equal to `source`, if that is possible.
pub(crate) fn copy<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let ty: &TypeObject = webidl::this(&call, "copy")?;
    let (dest, source) = (call.arg(0), call.arg(1));
    match &ty.ty {
        Type::Pointer(_) => {
            let Some(source) = source.as_object() else {
                return Err(Exception::throw_type(&call.ctx, "PointerType.copy: argument 2 must be a Pointer"));
            };
            let contents: Value = source.get("contents")?;
            pointer::set_contents(&dest, contents)?;
        }
        Type::Array(..) => {
            let (Some(to), Some(from)) = (dest.as_object(), source.as_object()) else {
                return Err(Exception::throw_type(&call.ctx, "ArrayType.copy: both arguments must be arrays"));
            };
            let len = arrays::length(&source)?;
            arrays::put(to, (0..len as u32).map(|at| from.get(at)))?;
            to.set("length", len)?;
        }
        Type::View(..) => {}
        _ => return Err(Exception::throw_type(&call.ctx, "Method not implemented.")),
    }
    Ok(dest)
}

impl TypeObject {
    /// The type without a script's methods.
    pub(crate) fn native(&self) -> TypeObject {
        TypeObject { subclassed: false, ..self.duplicate() }
    }

    /// The object of a subclassed type.
    pub(crate) fn script_object<'js>(&self, ctx: &qjs::Ctx<'js>) -> Result<Object<'js>> {
        let object = self.script.get().and_then(|object| object.get(ctx)).and_then(Value::into_object);
        object.ok_or_else(|| Exception::throw_type(ctx, &format!("{}: not a type of a script's own", self.name())))
    }
}
