//! `WebAssembly.Function`: the interface of all Exported Functions, and functions that a script makes of a callable and
//! a type.
//!
//! A function that a script made is in no island. When JavaScript calls it, it converts on both sides of its callable
//! and needs no island. Each island that it is given to (in a table, as an import, as a value) gets a host function
//! that stands for it and reads back as the function itself (`local_function` in `linking.rs`). While no island has
//! one, it can become garbage like any object.

use island::call::Signature;
use island::wasmtime::{Func, FuncType};
use island::{Export, FunctionKey};
use qjs::define::{self, Attributes};
use qjs::{
    Args, Arguments, Borrowed, Call, Callable, Ctx, Cx, Exception, Held, HostClass, Mark, Object, Result, Returned,
    Value, class,
};
use smallvec::SmallVec;

use webidl::Place;

use crate::convert::function::{ExportedFunction, list, uncrossable};
use crate::convert::types::{function_type, value_types};
use crate::convert::values::to_host_value;
use crate::runtime::api::Api;
use crate::runtime::island_realm::IslandHandle;

/// A callable with the type of a WebAssembly function.
#[derive(HostClass, Mark)]
#[host_class(name = "WebAssembly.Function")]
pub(crate) struct TypedFunction {
    callable: Held,
    #[mark(skip)]
    ty: FuncType,
    #[mark(skip)]
    signature: Signature,
    /// Why scripts cannot call it.
    #[mark(skip)]
    refused: Option<&'static str>,
}

impl TypedFunction {
    /// What a call runs.
    pub(crate) fn callable<'js>(&self, ctx: &Ctx<'js>) -> Value<'js> {
        self.callable.get(ctx)
    }

    pub(crate) fn ty(&self) -> &FuncType {
        &self.ty
    }
}

/// "A new Exported Function" for a callable that a module imports and exports unchanged. It is in no island, so whoever
/// gets it calls the callable without a detour, and keeps nothing of the instance alive.
pub(crate) fn handed_on_function<'js>(
    ctx: &Ctx<'js>,
    link: &IslandHandle,
    func: Func,
    key: FunctionKey,
    export: &Export,
    callable: Held,
) -> Result<Value<'js>> {
    if let Some(object) = link.shared.known_function(ctx, key) {
        return Ok(object);
    }
    let ty = link.shared.island.enter(|store| func.ty(&store));
    let object = new_object(ctx, callable, ty, &export.index.to_string(), None)?;
    // Whoever reads the function back in its own island gets the same object.
    link.shared.pin(key, &object);
    link.shared.add_stand_in(&object, func);
    Ok(object)
}

fn new_object<'js>(
    ctx: &Ctx<'js>,
    callable: Held,
    ty: FuncType,
    name: &str,
    prototype: Option<&Object<'js>>,
) -> Result<Value<'js>> {
    let arity = ty.params().len() as i32;
    let function = TypedFunction { callable, signature: Signature::new(&ty), refused: uncrossable(&ty), ty };
    let object = class::new_object(ctx, function, prototype)?;
    define::function_properties(ctx, &object, name, arity)?;
    Ok(object.into_value())
}

/// The type of `value`, if it is an Exported Function, of a module or made by a script.
pub(crate) fn exported_type<'a>(value: Borrowed<'a>) -> Option<&'a FuncType> {
    let exported = class::get::<ExportedFunction>(value).map(|function| function.callee().ty());
    exported.or_else(|| class::get::<TypedFunction>(value).map(TypedFunction::ty))
}

/// The prototype of Exported Functions. (In a context that the namespace was not installed in it is `Function`'s.)
pub(crate) fn prototype<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    class::prototype::<TypedFunction>(ctx).into_object().map_or_else(|| define::function_prototype(ctx), Ok)
}

impl Callable for TypedFunction {
    /// "Call an Exported Function" for a host function: ToWebAssemblyValue and ToJSValue, one after the other.
    fn call(&self, cx: Cx<'_>, args: Args<'_>) -> Result<Returned> {
        const PLACE: &str = "a WebAssembly.Function";
        let ctx = cx.ctx();
        if let Some(message) = self.refused {
            return Err(Exception::throw_type(&ctx, message));
        }
        let converted = self.signature.params.iter().enumerate();
        let converted = converted.map(|(at, ty)| to_host_value(&ctx, args.get(at), ty, Place::argument(PLACE, at)));
        let converted = converted.collect::<Result<SmallVec<[_; 4]>>>()?;
        let mut arguments = Arguments::new(cx);
        converted.iter().try_for_each(|value| arguments.push(cx.returned(&value.to_js(&ctx)?)))?;
        let result = self.callable.call(cx, Args::default().get(0), &mut arguments)?;
        let mut types = self.signature.results.iter();
        match types.len() {
            0 => Ok(Returned::UNDEFINED),
            1 => {
                let ty = types.next().expect("there is one");
                Ok(cx.returned(&to_host_value(&ctx, result.borrow(), ty, Place::result(PLACE))?.to_js(&ctx)?))
            }
            count => {
                let values = list(cx, result.borrow(), count, Place::result(PLACE))?;
                let converted = values
                    .iter()
                    .zip(types)
                    .map(|(value, ty)| to_host_value(&ctx, Borrowed::of(value), ty, Place::result(PLACE)));
                let converted = converted.collect::<Result<Vec<_>>>()?;
                let mut array = qjs::array::ArrayBuilder::new(cx, count)?;
                converted.iter().try_for_each(|value| array.push(cx.returned(&value.to_js(&ctx)?)))?;
                Ok(cx.returned(&array.finish()?))
            }
        }
    }
}

pub(crate) fn define<'js>(ctx: &Ctx<'js>, namespace: &Object<'js>) -> Result<()> {
    class::register_callable::<TypedFunction>(ctx)?;
    let made = define::interface(namespace, "Function", "WebAssembly.Function", Attributes::Hidden, 2, constructor)?;
    let function: Object = ctx.globals().get("Function")?;
    made.constructor.set_prototype(Some(&function))?;
    made.prototype.set_prototype(Some(&define::function_prototype(ctx)?))?;
    define::method(&made.prototype, "type", 0, type_of)?;
    class::set_prototype::<TypedFunction>(ctx, &made.prototype);
    Ok(())
}

/// "Construct a new WebAssembly Function".
fn constructor<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.Function";
    webidl::require_new(&call, PLACE)?;
    webidl::require_arguments(&call, PLACE, 2)?;
    let ctx = &call.ctx;
    let argument = format!("{PLACE}: argument 1");
    let descriptor = webidl::dictionary(ctx, call.arg(0), &argument)?;
    let parameters = value_types(ctx, &descriptor, "parameters", &argument)?;
    let results = value_types(ctx, &descriptor, "results", &argument)?;
    let callable = call.arg(1);
    if !callable.is_function() {
        let came = webidl::describe(&callable);
        return Err(Exception::throw_type(ctx, &format!("{PLACE}: argument 2 must be a function, got {came}")));
    }
    let prototype = class::prototype_from_new_target::<TypedFunction>(&call)?;
    // The name is the callable's, as a bound function's is.
    let name = define::get(&callable, rquickjs::atom::PredefinedAtom::Name)?;
    let name = if name.is_string() { webidl::string(ctx, Borrowed::of(&name))? } else { String::new() };
    let ty = FuncType::new(Api::of(ctx)?.engine().wasmtime(), parameters, results);
    new_object(ctx, Held::new(&callable), ty, &name, prototype.as_ref())
}

fn type_of<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let Some(ty) = exported_type(call.this) else {
        let message = "WebAssembly.Function.type: `this` is not a WebAssembly.Function";
        return Err(Exception::throw_type(&call.ctx, message));
    };
    Ok(function_type(&call.ctx, ty)?.into_value())
}
