//! Exported GC Objects: structs and arrays of a guest, which scripts can hold, compare and hand back, but not look
//! into.
//!
//! The object holds its struct or array as a root of the island's own collector, which is apart from QuickJS's. A chain
//! that leads through both, from a struct by an externref to a script's object and from there back to the struct's own
//! object, therefore stays until the island ends.

use std::cell::Cell;

use island::wasmtime::{AnyRef, HeapType, OwnedRooted};
use qjs::define::Attributes;
use qjs::function::{Kind, function};
use qjs::{Call, Ctx, Exception, HostClass, Mark, Object, Result, Value, WeakObject, class};
use rquickjs::JsLifetime;

use crate::runtime::guest_objects::{Root, Slot};
use crate::runtime::island_realm::IslandHandle;

/// An Exported GC Object's value.
#[derive(HostClass, Mark)]
#[host_class(name = "Object")]
pub(crate) struct GcObject {
    link: IslandHandle,
    #[mark(skip)]
    reference: OwnedRooted<AnyRef>,
    #[mark(skip)]
    ty: HeapType,
    /// Where the island finds the object again.
    #[mark(skip)]
    slot: Cell<Option<Slot>>,
}

impl Drop for GcObject {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.get() {
            self.link.shared.guest_objects.borrow_mut().forget(slot);
        }
    }
}

impl GcObject {
    /// The island that the object is in.
    pub(crate) fn link(&self) -> &IslandHandle {
        &self.link
    }

    pub(crate) fn reference(&self) -> &OwnedRooted<AnyRef> {
        &self.reference
    }

    /// The type that the struct or array was made with.
    pub(crate) fn ty(&self) -> &HeapType {
        &self.ty
    }
}

/// "A new Exported GC Object": the one there is for the reference, or a new one.
pub(crate) fn exported_gc_object<'js>(
    ctx: &Ctx<'js>,
    link: &IslandHandle,
    reference: OwnedRooted<AnyRef>,
    ty: HeapType,
) -> Result<Value<'js>> {
    let objects = &link.shared.guest_objects;
    let root = Root::Any(reference.clone());
    // Values that are converted together may be the same object, and conversion may have run a collection.
    if let Some(object) = link.shared.island.enter(|mut store| objects.borrow_mut().find_root(ctx, &mut store, &root)) {
        return Ok(object);
    }
    let value = GcObject { link: link.duplicate(), reference, ty, slot: Cell::default() };
    let object = qjs::opaque::new_object(ctx, value)?.into_value();
    let weak = WeakObject::of::<GcObject>(&object);
    let slot = link.shared.island.enter(|mut store| objects.borrow_mut().insert(&mut store, root, weak));
    class::of::<GcObject>(&object).expect("made just now").slot.set(Some(slot));
    Ok(object)
}

/// QuickJS's own functions, by place in [`METHODS`].
#[derive(JsLifetime)]
struct Originals<'js>(Vec<qjs::Function<'js>>);

/// The functions whose effects QuickJS lets no class refuse: \[\[PreventExtensions]] and \[\[SetPrototypeOf]] of these
/// objects return false, which the functions of `Object` turn into a TypeError. (Behind a Proxy, and in the setter of
/// `__proto__` with null, this cannot be done.)
const METHODS: [(&str, &str, i32); 6] = [
    ("Object", "preventExtensions", 1),
    ("Object", "seal", 1),
    ("Object", "freeze", 1),
    ("Object", "setPrototypeOf", 2),
    ("Reflect", "preventExtensions", 1),
    ("Reflect", "setPrototypeOf", 2),
];

pub(crate) fn define(ctx: &Ctx<'_>) -> Result<()> {
    qjs::opaque::register::<GcObject>(ctx)?;
    let replacements = [
        function(ctx, Kind::Plain, METHODS[0].1, METHODS[0].2, guarded::<0>)?,
        function(ctx, Kind::Plain, METHODS[1].1, METHODS[1].2, guarded::<1>)?,
        function(ctx, Kind::Plain, METHODS[2].1, METHODS[2].2, guarded::<2>)?,
        function(ctx, Kind::Plain, METHODS[3].1, METHODS[3].2, guarded::<3>)?,
        function(ctx, Kind::Plain, METHODS[4].1, METHODS[4].2, guarded::<4>)?,
        function(ctx, Kind::Plain, METHODS[5].1, METHODS[5].2, guarded::<5>)?,
    ];
    let mut originals = Vec::with_capacity(METHODS.len());
    for ((holder, name, _), replacement) in METHODS.into_iter().zip(replacements) {
        let holder: Object = ctx.globals().get(holder)?;
        originals.push(holder.get::<_, qjs::Function>(name)?);
        qjs::define::value(&holder, name, replacement.as_value(), Attributes::Hidden)?;
    }
    ctx.store_userdata(Originals(originals)).map_err(|_| rquickjs::Error::Unknown)?;
    Ok(())
}

fn guarded<'js, const METHOD: usize>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let (holder, name, _) = METHODS[METHOD];
    if class::get::<GcObject>(call.args.get(0)).is_some() {
        if holder == "Reflect" {
            return Ok(Value::new_bool(call.ctx, false));
        }
        let message = format!("{holder}.{name}: a WebAssembly object cannot be changed");
        return Err(Exception::throw_type(&call.ctx, &message));
    }
    let original = call.ctx.userdata::<Originals>().ok_or(rquickjs::Error::Unknown)?.0[METHOD].clone();
    call.pass_on(&original)
}
