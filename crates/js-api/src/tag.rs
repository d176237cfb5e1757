//! `WebAssembly.Tag`.
//!
//! A tag is an identity and a type. Unlike a table or a mutable global it has no state, so one tag can stand in any
//! number of islands, by a tag of each one's store.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use island::wasmtime::{AsContextMut, FuncType, Tag, TagType};
use qjs::define::{self, Attributes};
use qjs::{Call, Ctx, HostClass, Object, Result, Value, WeakMap, class};
use rquickjs::JsLifetime;

use crate::anchor::{Link, Shared};
use crate::api::Api;
use crate::instance::came_type;

/// A tag, wherever it is known.
pub(crate) struct TagCore {
    ty: FuncType,
    /// The Tag object cache.
    object: RefCell<WeakMap<()>>,
}

impl TagCore {
    pub(crate) fn new(ty: FuncType) -> Rc<Self> {
        Rc::new(Self { ty, object: RefCell::default() })
    }

    /// The tag's type: parameters alone.
    pub(crate) fn ty(&self) -> &FuncType {
        &self.ty
    }
}

/// What stands for tags in an island's store.
#[derive(Default)]
pub(crate) struct Tags {
    local: HashMap<*const TagCore, Tag>,
    cores: HashMap<u64, Rc<TagCore>>,
}

impl Shared {
    /// Whether a guest of the island may know the tag.
    pub(crate) fn knows_tag(&self, core: &Rc<TagCore>) -> bool {
        self.tags.borrow().local.contains_key(&Rc::as_ptr(core))
    }

    /// The island's tag for `core`.
    pub(crate) fn local_tag(&self, core: &Rc<TagCore>) -> island::wasmtime::Result<Tag> {
        if let Some(tag) = self.tags.borrow().local.get(&Rc::as_ptr(core)) {
            return Ok(*tag);
        }
        let tag = self.island.enter(|store| Tag::new(store, &TagType::new(core.ty.clone())))?;
        self.remember_tag(tag, core);
        Ok(tag)
    }

    /// The tag behind one of the island's store.
    pub(crate) fn tag_core(&self, tag: Tag) -> Rc<TagCore> {
        if let Some(core) = self.tags.borrow().cores.get(&tag.debug_index_in_store()) {
            return core.clone();
        }
        let ty = self.island.enter(|mut store| tag.ty(store.as_context_mut()));
        let core = TagCore::new(ty.ty().clone());
        self.remember_tag(tag, &core);
        core
    }

    fn remember_tag(&self, tag: Tag, core: &Rc<TagCore>) {
        let mut tags = self.tags.borrow_mut();
        tags.local.insert(Rc::as_ptr(core), tag);
        tags.cores.insert(tag.debug_index_in_store(), core.clone());
    }
}

/// A Tag object's value.
pub(crate) struct TagObject {
    core: Rc<TagCore>,
}

// SAFETY: holds no JavaScript value.
unsafe impl HostClass for TagObject {
    const NAME: &'static std::ffi::CStr = c"WebAssembly.Tag";

    qjs::class_id!();
}

impl Drop for TagObject {
    fn drop(&mut self) {
        self.core.object.borrow_mut().remove(&());
    }
}

impl TagObject {
    /// The tag.
    pub(crate) fn core(&self) -> &Rc<TagCore> {
        &self.core
    }

    /// Why the tag cannot be imported as `wanted`; none where it can.
    pub(crate) fn mismatch(&self, wanted: &TagType) -> Option<String> {
        let (wanted, came) = (wanted.ty(), &self.core.ty);
        let got = || format!("expected a tag of type {wanted}, got one {}", came_type(wanted, came));
        (!FuncType::eq(wanted, came)).then(got)
    }
}

/// "Create a Tag object": the one there is, or a new one.
pub(crate) fn tag_object<'js>(ctx: &Ctx<'js>, core: &Rc<TagCore>) -> Result<Value<'js>> {
    if let Some(object) = core.object.borrow().get(ctx, &()) {
        return Ok(object);
    }
    new_object(ctx, core.clone(), None)
}

fn new_object<'js>(ctx: &Ctx<'js>, core: Rc<TagCore>, prototype: Option<&Object<'js>>) -> Result<Value<'js>> {
    let object = class::new_object(ctx, TagObject { core: core.clone() }, prototype)?.into_value();
    // SAFETY: `TagObject` removes the entry when it is dropped.
    unsafe { core.object.borrow_mut().insert((), &object) };
    Ok(object)
}

/// The object of the JavaScript exception tag, which scripts can always come back to.
struct JsTagObject<'js>(Value<'js>);

// SAFETY: the lifetime is the value's own.
unsafe impl<'js> JsLifetime<'js> for JsTagObject<'js> {
    type Changed<'to> = JsTagObject<'to>;
}

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
    let parameters = crate::types::value_types(ctx, &dictionary, "parameters", &argument)?;
    let prototype = class::prototype_from_new_target::<TagObject>(&call)?;
    let ty = FuncType::new(Api::of(ctx)?.engine().wasmtime(), parameters, []);
    new_object(ctx, TagCore::new(ty), prototype.as_ref())
}

fn type_of<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let tag: &TagObject = webidl::this(&call, "type")?;
    Ok(crate::types::tag_type(&call.ctx, tag.core.ty())?.into_value())
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
pub(crate) fn exported_tag<'js>(ctx: &Ctx<'js>, link: &Link, tag: Tag) -> Result<Value<'js>> {
    tag_object(ctx, &link.shared.tag_core(tag))
}
