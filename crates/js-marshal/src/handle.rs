//! Opaque handles: pointers that a library gives out, with the function that takes them back.

use std::rc::Rc;

use marshal::Handle;
use qjs::define;
use qjs::{Call, Ctx, Exception, Held, HostClass, Mark, Object, Result, Value, class};

use crate::convert::Marshal;
use crate::errors::throw_heap_error;
use crate::manager::ManagerObject;
use crate::types::{Type, TypeObject};

/// The value of a handle's object.
#[derive(HostClass, Mark)]
#[host_class(name = "Handle")]
pub(crate) struct HandleObject {
    #[mark(skip)]
    name: Option<Box<str>>,
    #[mark(skip)]
    address: u64,
    /// `None` if it is borrowed: the guest keeps it.
    #[mark(skip)]
    handle: Option<Rc<Handle>>,
    /// The memory manager of its guest.
    manager: Held,
    /// The destructor as scripts know it.
    function: Option<Held>,
    /// Values that must stay as long as the handle does.
    keeps: Vec<Held>,
}

impl HandleObject {
    /// The object for a pointer that the guest gave out.
    pub(crate) fn open<'js>(
        marshal: &Marshal<'_, 'js>,
        ty: &TypeObject,
        address: u64,
        owned: bool,
    ) -> Result<Value<'js>> {
        let Type::Handle { name, destructor, function } = &ty.ty else { unreachable!("called for handles alone") };
        let keeps: Vec<Held> = ty.keeps.iter().filter_map(|&index| marshal.argument(index)).collect();
        let handle = match destructor.as_ref().filter(|_| ty.is_owned(owned)) {
            Some(destructor) => {
                let parents = keeps.iter().filter_map(|kept| class::get::<Self>(kept.borrow())?.handle.clone());
                match marshal.heap().handle(destructor, address, parents.collect()) {
                    Ok(handle) => Some(handle),
                    // The guest gives out again what it gave out before: that is the script's own handle.
                    Err(error @ marshal::HeapError::AlreadyOwned { .. }) => {
                        let known = marshal.manager.handle_at(marshal.ctx, address);
                        let is_it =
                            |known: &Value<'_>| class::of::<Self>(known).is_some_and(|of| of.is_open() && of.is_of(ty));
                        return known.filter(is_it).ok_or_else(|| marshal.heap_error(error));
                    }
                    Err(error) => return Err(marshal.heap_error(error)),
                }
            }
            None => None,
        };
        let is_owned = handle.is_some();
        let object = Self {
            name: name.clone(),
            address,
            handle,
            manager: marshal.manager_held(),
            function: function.as_ref().map(Held::duplicate),
            keeps,
        };
        let object = class::new_object(marshal.ctx, object, None)?.into_value();
        if is_owned {
            marshal.manager.remember_handle(address, qjs::WeakObject::of::<Self>(&object));
        }
        Ok(object)
    }

    pub(crate) fn handle(&self) -> Option<&Rc<Handle>> {
        self.handle.as_ref()
    }

    /// The destructor as scripts know it, as [`Borrowed::identity`] tells it; 0 if there is none.
    pub(crate) fn destructor(&self) -> usize {
        self.function.as_ref().map_or(0, |function| function.borrow().identity())
    }

    fn is_open(&self) -> bool {
        self.handle.as_ref().is_none_or(|handle| handle.is_open())
    }

    /// Its name in messages: `sqlite3 *`.
    pub(crate) fn name(&self) -> String {
        self.name.as_ref().map_or("handle".into(), |name| format!("{name} *"))
    }

    /// Whether it can be passed as a value of the type: if the type has a name, the handle must have the same.
    pub(crate) fn is_of(&self, ty: &TypeObject) -> bool {
        matches!(&ty.ty, Type::Handle { name, .. } if name.is_none() || *name == self.name)
    }

    /// Its address, which it has if it is open and of the operation's guest.
    pub(crate) fn open_address(&self, marshal: &Marshal<'_, '_>) -> Result<u64> {
        if !self.is_open() {
            return Err(marshal.type_error(format_args!("the {} was closed", self.name())));
        }
        let same = class::get::<ManagerObject>(self.manager.borrow())
            .is_some_and(|manager| std::sync::Arc::ptr_eq(manager.heap().data(), marshal.heap().data()));
        if !same {
            return Err(marshal.type_error(format_args!("the {} belongs to another guest", self.name())));
        }
        Ok(self.address)
    }

    /// Its address, if it can be passed as a value of the type to the guest of `manager`.
    pub(crate) fn address_for(&self, ty: &TypeObject, manager: &ManagerObject) -> Option<u64> {
        let of = class::get::<ManagerObject>(self.manager.borrow())?;
        let is_same = std::ptr::eq(of, manager) || std::sync::Arc::ptr_eq(of.heap().data(), manager.heap().data());
        (self.is_open() && is_same && self.is_of(ty)).then_some(self.address)
    }

    /// The guest address, for `addressOf`.
    pub(crate) fn address(&self) -> u64 {
        self.address
    }
}

pub(crate) fn define<'js>(ctx: &Ctx<'js>) -> Result<()> {
    class::register::<HandleObject>(ctx)?;
    let prototype = Object::new(ctx.clone())?;
    define::to_string_tag(&prototype, "Handle")?;
    define::getter(&prototype, "address", address)?;
    define::getter(&prototype, "closed", closed)?;
    define::method(&prototype, "close", 0, close)?;
    define::dispose_method(&prototype, dispose)?;
    class::set_prototype::<HandleObject>(ctx, &prototype);
    Ok(())
}

fn address<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let handle: &HandleObject = webidl::this(&call, "address")?;
    let cx = qjs::Cx::of(&call.ctx);
    crate::scalar::integer64(cx, handle.address.into()).into_value(cx)
}

fn closed<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let handle: &HandleObject = webidl::this(&call, "closed")?;
    Ok(Value::new_bool(call.ctx.clone(), !handle.is_open()))
}

/// As [`close`], but does nothing for a borrowed handle, which nobody has to end.
fn dispose<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let object: &HandleObject = webidl::this(&call, "[Symbol.dispose]")?;
    if object.handle.is_none() {
        return Ok(Value::new_undefined(call.ctx));
    }
    close(call)
}

/// Calls the destructor now. Nothing happens to a handle that was closed before.
fn close<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let object: &HandleObject = webidl::this(&call, "close")?;
    let ctx = &call.ctx;
    let manager = class::get::<ManagerObject>(object.manager.borrow()).ok_or(rquickjs::Error::Unknown)?;
    let Some(handle) = &object.handle else {
        let message = format!("Handle.close: the {} is borrowed: the guest keeps it", object.name());
        return Err(Exception::throw_type(ctx, &message));
    };
    let place = format!("{} of {}", handle.destructor().name(), webidl::with_article(&object.name()));
    match handle.close(manager.heap()).map_err(|error| throw_heap_error(ctx, &place, error))? {
        Some(returned) if handle.destructor().is_wide() => {
            let cx = qjs::Cx::of(ctx);
            crate::scalar::integer64(cx, i128::from(returned as i64)).into_value(cx)
        }
        Some(returned) => Ok(Value::new_int(ctx.clone(), returned as i32)),
        None => Ok(Value::new_undefined(ctx.clone())),
    }
}
