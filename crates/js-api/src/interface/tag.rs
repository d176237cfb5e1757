//! `WebAssembly.Tag`.

use std::rc::Rc;

use island::wasmtime::{FuncType, Tag};
use qjs::define::{self, Attributes};
use qjs::{Call, Ctx, Object, Result, Value, WeakObject, class};
use rquickjs::JsLifetime;

use crate::runtime::api::Api;
use crate::runtime::island_realm::IslandHandle;
use crate::runtime::tags::{TagCore, TagObject};

/// "Create a Tag object": the one there is, or a new one.
pub(crate) fn tag_object<'js>(ctx: &Ctx<'js>, core: &Rc<TagCore>) -> Result<Value<'js>> {
    if let Some(object) = core.object.borrow().as_ref().and_then(|object| object.get(ctx)) {
        return Ok(object);
    }
    new_object(ctx, core.clone(), None)
}

fn new_object<'js>(ctx: &Ctx<'js>, core: Rc<TagCore>, prototype: Option<&Object<'js>>) -> Result<Value<'js>> {
    let object = class::new_object(ctx, TagObject { core: core.clone() }, prototype)?.into_value();
    *core.object.borrow_mut() = Some(WeakObject::of::<TagObject>(&object));
    Ok(object)
}

/// The object of the JavaScript exception tag. It is kept, since scripts can always come back to it.
#[derive(JsLifetime)]
struct JsTagObject<'js>(Value<'js>);

pub(crate) fn define<'js>(ctx: &Ctx<'js>, namespace: &Object<'js>) -> Result<()> {
    class::register::<TagObject>(ctx)?;
    let made = define::interface(namespace, "Tag", "WebAssembly.Tag", Attributes::Hidden, 1, constructor)?;
    define::method(&made.prototype, "type", 0, type_of)?;
    class::set_prototype::<TagObject>(ctx, &made.prototype);
    define::getter(namespace, "JSTag", js_tag)
}

fn constructor<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.Tag";
    webidl::require_new(&call, PLACE)?;
    webidl::require_arguments(&call, PLACE, 1)?;
    let ctx = &call.ctx;
    let argument = format!("{PLACE}: argument 1");
    let dictionary = webidl::dictionary(ctx, call.arg(0), &argument)?;
    let parameters = crate::convert::types::value_types(ctx, &dictionary, "parameters", &argument)?;
    let prototype = class::prototype_from_new_target::<TagObject>(&call)?;
    let ty = FuncType::new(Api::of(ctx)?.engine().wasmtime(), parameters, []);
    new_object(ctx, TagCore::new(ty), prototype.as_ref())
}

fn type_of<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let tag: &TagObject = webidl::this(&call, "type")?;
    Ok(crate::convert::types::tag_type(&call.ctx, tag.core.ty())?.into_value())
}

/// The getter of `WebAssembly.JSTag`.
fn js_tag<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let ctx = &call.ctx;
    if let Some(object) = ctx.userdata::<JsTagObject>() {
        return Ok(object.0.clone());
    }
    let object = tag_object(ctx, &Api::of(ctx)?.state.js_tag)?;
    ctx.store_userdata(JsTagObject(object.clone())).map_err(|_| rquickjs::Error::Unknown)?;
    Ok(object)
}

/// Finds the tag of an export.
pub(crate) fn exported_tag<'js>(ctx: &Ctx<'js>, link: &IslandHandle, tag: Tag) -> Result<Value<'js>> {
    tag_object(ctx, &link.shared.tag_core(tag))
}
