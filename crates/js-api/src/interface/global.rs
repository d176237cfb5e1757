//! `WebAssembly.Global`.

use std::cell::RefCell;

use island::wasmtime::{AsContextMut, Global, GlobalType, HeapType, Mutability, RootScope, ValType};
use qjs::define::{self, Attributes};
use qjs::{Borrowed, Call, Ctx, Exception, HostClass, Mark, Object, Result, Value, WeakObject, class};

use webidl::Place;

use crate::convert::types::{global_type, type_name, value_type};
use crate::convert::values::{
    HostValue, default_value, never_crosses, out_of_memory, refuse_uncrossable, take_val, to_host_value,
};
use crate::runtime::island_realm::{Address, IslandHandle};

/// A Global object's value.
#[derive(HostClass, Mark)]
#[host_class(name = "WebAssembly.Global")]
pub(crate) struct GlobalObject {
    #[mark(skip)]
    ty: GlobalType,
    state: RefCell<State>,
}

#[derive(Mark)]
enum State {
    /// In no island yet.
    Unbound(HostValue),
    Bound(IslandHandle, #[mark(skip)] Global),
}

impl Drop for GlobalObject {
    fn drop(&mut self) {
        if let State::Bound(link, global) = &*self.state.borrow() {
            link.shared.forget_object(address(*global));
        }
    }
}

fn address(global: Global) -> Address {
    Address::Global(global.debug_index_in_store())
}

impl GlobalObject {
    /// Why the global cannot be imported as `wanted`; `None` if it can.
    pub(crate) fn mismatch(&self, wanted: &GlobalType) -> Option<String> {
        let mutable = |ty: &GlobalType| matches!(ty.mutability(), Mutability::Var);
        let fits = match mutable(wanted) {
            true => ValType::eq(wanted.content(), self.ty.content()),
            false => self.ty.content().matches(wanted.content()),
        };
        if fits && mutable(wanted) == mutable(&self.ty) {
            return None;
        }
        let describe = |ty: &GlobalType| {
            format!("{} {}", if mutable(ty) { "a mutable" } else { "an immutable" }, type_name(ty.content()))
        };
        Some(format!("expected {}, got {}", describe(wanted), describe(&self.ty)))
    }

    pub(crate) fn ty(&self) -> &GlobalType {
        &self.ty
    }

    /// The island that the global is in, if it is in one.
    pub(crate) fn link(&self) -> Option<IslandHandle> {
        match &*self.state.borrow() {
            State::Unbound(value) => value.link(),
            State::Bound(link, _) => Some(link.duplicate()),
        }
    }

    /// Whether no copy can stand for the global in another island, because it can change, or holds something that is in
    /// its own island alone.
    pub(crate) fn needs_its_island(&self) -> bool {
        let content = self.ty.content();
        let holds_objects = content.as_ref().is_some_and(|ty| matches!(ty.heap_type().top(), HeapType::Any));
        holds_objects || never_crosses(content).is_some() || matches!(self.ty.mutability(), Mutability::Var)
    }

    /// The value of a global that is in no island or cannot change. It stands for the global anywhere else.
    pub(crate) fn snapshot(&self, ctx: &Ctx<'_>) -> Result<HostValue> {
        if let State::Unbound(value) = &*self.state.borrow() {
            return Ok(value.duplicate());
        }
        let value = self.get(ctx)?;
        to_host_value(ctx, Borrowed::of(&value), self.ty.content(), Place::whole("WebAssembly.Global"))
    }

    /// The global in the link's island. It is made there if it is in none yet. `object` is this value's object.
    pub(crate) fn bind(&self, ctx: &Ctx<'_>, link: &IslandHandle, object: &Value<'_>) -> Result<Global> {
        let value = match &*self.state.borrow() {
            State::Bound(_, global) => return Ok(*global),
            State::Unbound(value) => value.duplicate(),
        };
        let global = new_global(ctx, link, &self.ty, &value)?;
        link.shared.cache_object(address(global), WeakObject::of::<Self>(object));
        *self.state.borrow_mut() = State::Bound(link.duplicate(), global);
        Ok(global)
    }

    /// The value; `None` if JavaScript has none for it. Throws only when memory is out.
    pub(crate) fn representable<'js>(&self, ctx: &Ctx<'js>) -> Option<Value<'js>> {
        match never_crosses(self.ty.content()) {
            Some(_) => None,
            None => self.get(ctx).ok(),
        }
    }

    fn get<'js>(&self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        let (link, global) = match &*self.state.borrow() {
            State::Unbound(value) => return value.to_js(ctx),
            State::Bound(link, global) => (link.duplicate(), *global),
        };
        let outgoing = link.shared.island.enter(|store| {
            let mut scope = RootScope::new(store);
            let val = global.get(&mut scope);
            take_val(ctx, &link.shared, &mut scope.as_context_mut(), &val)
        });
        crate::convert::function::pinned(ctx, &link, outgoing)
    }

    fn set(&self, ctx: &Ctx<'_>, value: HostValue) -> Result<()> {
        let bound = match &*self.state.borrow() {
            State::Unbound(_) => None,
            State::Bound(link, global) => Some((link.duplicate(), *global)),
        };
        let Some((link, global)) = bound else {
            // The old value is dropped after the borrow.
            let old = self.state.replace(State::Unbound(value));
            drop(old);
            return Ok(());
        };
        let resolved = value.resolve(ctx, &link)?;
        let set = link.shared.island.enter(|store| {
            let mut scope = RootScope::new(store);
            let val = resolved.to_val(&link.shared, scope.as_context_mut())?;
            global.set(&mut scope, val)
        });
        if let Some(refresh_bindings) = link.shared.api.state.live_bindings.get() {
            refresh_bindings(ctx);
        }
        set.map_err(|error| out_of_memory(ctx, &error))
    }
}

/// A global of the link's island.
pub(crate) fn new_global(ctx: &Ctx<'_>, link: &IslandHandle, ty: &GlobalType, value: &HostValue) -> Result<Global> {
    let resolved = value.resolve(ctx, link)?;
    let made = link.shared.island.enter(|store| {
        let mut scope = RootScope::new(store);
        let val = resolved.to_val(&link.shared, scope.as_context_mut())?;
        Global::new(&mut scope, ty.clone(), val)
    });
    made.map_err(|error| out_of_memory(ctx, &error))
}

/// The Global object for a global of the link's island: the one there is, or a new one.
pub(crate) fn global_object<'js>(ctx: &Ctx<'js>, link: &IslandHandle, global: Global) -> Result<Value<'js>> {
    if let Some(object) = link.shared.object(ctx, address(global)) {
        return Ok(object);
    }
    let ty = link.shared.island.enter(|store| global.ty(&store));
    let value = GlobalObject { ty, state: RefCell::new(State::Bound(link.duplicate(), global)) };
    let object = class::new_object(ctx, value, None)?.into_value();
    link.shared.cache_object(address(global), WeakObject::of::<GlobalObject>(&object));
    Ok(object)
}

pub(crate) fn define<'js>(ctx: &Ctx<'js>, namespace: &Object<'js>) -> Result<()> {
    class::register::<GlobalObject>(ctx)?;
    let made = define::interface(namespace, "Global", "WebAssembly.Global", Attributes::Hidden, 1, constructor)?;
    define::method(&made.prototype, "valueOf", 0, value_of)?;
    define::attribute(&made.prototype, "value", get_value, set_value)?;
    define::method(&made.prototype, "type", 0, type_of)?;
    class::set_prototype::<GlobalObject>(ctx, &made.prototype);
    Ok(())
}

fn constructor<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.Global";
    webidl::require_new(&call, PLACE)?;
    webidl::require_arguments(&call, PLACE, 1)?;
    let ctx = &call.ctx;
    let dictionary = webidl::dictionary(ctx, call.arg(0), &format!("{PLACE}: argument 1"))?;
    let mutable = webidl::boolean_member(&dictionary, "mutable")?;
    let ty = webidl::required_member(ctx, &dictionary, "value", &format!("{PLACE}: argument 1"))?;
    let content = value_type(ctx, &ty, &format!("{PLACE}: argument 1: `value`"))?;
    let prototype = class::prototype_from_new_target::<GlobalObject>(&call)?;
    // A type that cannot cross cannot be made here at all, whatever the value. All other types that have names have a
    // default.
    let default = default_value(ctx, &content).filter(|_| never_crosses(&content).is_none());
    let Some(default) = default else {
        return Err(Exception::throw_type(ctx, &format!("{PLACE}: a script cannot make a global of type {content}")));
    };
    let value = call.args.get(1);
    let value =
        if value.is_undefined() { default } else { to_host_value(ctx, value, &content, Place::argument(PLACE, 1))? };
    let mutability = if mutable { Mutability::Var } else { Mutability::Const };
    let global = GlobalObject { ty: GlobalType::new(content, mutability), state: RefCell::new(State::Unbound(value)) };
    Ok(class::new_object(ctx, global, prototype.as_ref())?.into_value())
}

/// The attribute `value`, in messages.
const VALUE: &str = "WebAssembly.Global.value";

fn get_value<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let global: &GlobalObject = webidl::this(&call, "value")?;
    refuse_uncrossable(&call.ctx, global.ty.content(), VALUE)?;
    global.get(&call.ctx)
}

fn value_of<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let global: &GlobalObject = webidl::this(&call, "valueOf")?;
    refuse_uncrossable(&call.ctx, global.ty.content(), VALUE)?;
    global.get(&call.ctx)
}

fn type_of<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let global: &GlobalObject = webidl::this(&call, "type")?;
    Ok(global_type(&call.ctx, &global.ty)?.into_value())
}

fn set_value<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let global: &GlobalObject = webidl::this(&call, "value")?;
    refuse_uncrossable(&call.ctx, global.ty.content(), VALUE)?;
    if matches!(global.ty.mutability(), Mutability::Const) {
        return Err(Exception::throw_type(&call.ctx, &format!("{VALUE}: the global is immutable")));
    }
    let value = to_host_value(&call.ctx, call.args.get(0), global.ty.content(), Place::whole(VALUE))?;
    global.set(&call.ctx, value)?;
    Ok(Value::new_undefined(call.ctx))
}
