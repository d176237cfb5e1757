//! Reads an object's own enumerable properties by name, and makes new ones, as EnumerableOwnProperties and
//! CreateDataProperty do.

use rquickjs::{Ctx, Object, Value, qjs as q};

use crate::define::Atom;
use crate::value::Cx;

/// A snapshot of the names of an object's own enumerable properties, in order, without symbols.
pub struct Names<'js> {
    cx: Cx<'js>,
    start: *mut q::JSPropertyEnum,
    len: u32,
    /// Keeps the context.
    _ctx: Ctx<'js>,
}

/// One of [`Names`].
#[derive(Clone, Copy)]
pub struct Name<'a> {
    atom: q::JSAtom,
    _names: std::marker::PhantomData<&'a ()>,
}

impl<'js> Names<'js> {
    /// The names of `object`.
    ///
    /// # Errors
    /// When memory is out; for a Proxy, what its traps throw.
    pub fn of(object: &Object<'js>) -> rquickjs::Result<Self> {
        let ctx = object.ctx().clone();
        let cx = Cx::of(&ctx);
        let (mut start, mut len) = (std::ptr::null_mut(), 0);
        let flags = q::JS_GPN_STRING_MASK | q::JS_GPN_ENUM_ONLY;
        // SAFETY: the object is alive; QuickJS fills both in, or leaves an exception.
        match unsafe { q::JS_GetOwnPropertyNames(cx.raw(), &mut start, &mut len, object.as_raw(), flags as i32) } {
            0 => Ok(Self { cx, start, len, _ctx: ctx }),
            _ => Err(rquickjs::Error::Exception),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The name at `index`; `None` after the last.
    pub fn get(&self, index: usize) -> Option<Name<'_>> {
        // SAFETY: the table has that many entries until `drop`.
        let atom = (index < self.len()).then(|| unsafe { (*self.start.add(index)).atom })?;
        Some(Name { atom, _names: std::marker::PhantomData })
    }
}

impl Drop for Names<'_> {
    fn drop(&mut self) {
        // SAFETY: the table is QuickJS's own, given back once.
        unsafe { q::JS_FreePropertyEnum(self.cx.raw(), self.start, self.len) };
    }
}

impl Name<'_> {
    /// The index, if the name is an array index that QuickJS stores as a number.
    pub fn index(self) -> Option<u32> {
        // Atoms of integers carry the number, with the highest bit set.
        (self.atom >> 31 == 1).then_some(self.atom & 0x7fff_ffff)
    }

    /// The name as a string.
    ///
    /// # Errors
    /// When memory is out.
    pub fn to_value<'js>(self, ctx: &Ctx<'js>) -> rquickjs::Result<Value<'js>> {
        let cx = Cx::of(ctx);
        // SAFETY: the atom is alive as long as its table.
        cx.take(unsafe { q::JS_AtomToString(cx.raw(), self.atom) })
    }

    /// \[\[HasOwnProperty]].
    ///
    /// # Errors
    /// For a Proxy, what its traps throw.
    pub fn is_own(self, object: &Object<'_>) -> rquickjs::Result<bool> {
        let cx = Cx::of(object.ctx());
        // SAFETY: the object and the atom are alive; without a descriptor QuickJS only looks.
        match unsafe { q::JS_GetOwnProperty(cx.raw(), std::ptr::null_mut(), object.as_raw(), self.atom) } {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(rquickjs::Error::Exception),
        }
    }

    /// \[\[Get]]. Runs getters.
    ///
    /// # Errors
    /// What a getter throws.
    pub fn get<'js>(self, object: &Object<'js>) -> rquickjs::Result<Value<'js>> {
        let cx = Cx::of(object.ctx());
        // SAFETY: the object and the atom are alive.
        cx.take(unsafe { q::JS_GetProperty(cx.raw(), object.as_raw(), self.atom) })
    }
}

/// The value of an object's own data property; `None` if it has no such property, or if that is an accessor. Runs no
/// getter.
///
/// # Errors
/// When memory is out; for a Proxy, what its traps throw.
pub fn data<'js>(object: &Object<'js>, name: &str) -> rquickjs::Result<Option<Value<'js>>> {
    let cx = Cx::of(object.ctx());
    let atom = Atom::new(cx, name)?;
    let mut found = std::mem::MaybeUninit::<q::JSPropertyDescriptor>::uninit();
    // SAFETY: the object and the atom are alive. QuickJS fills the descriptor in if it says so; its references are ours
    // then, and given back or handed on once each.
    unsafe {
        match q::JS_GetOwnProperty(cx.raw(), found.as_mut_ptr(), object.as_raw(), atom.raw()) {
            0 => return Ok(None),
            1 => {}
            _ => return Err(rquickjs::Error::Exception),
        }
        let found = found.assume_init();
        q::JS_FreeValue(cx.raw(), found.getter);
        q::JS_FreeValue(cx.raw(), found.setter);
        let value = cx.take(found.value)?;
        Ok((found.flags as u32 & q::JS_PROP_GETSET == 0).then_some(value))
    }
}

/// CreateDataProperty under an array index.
///
/// # Errors
/// When memory is out.
pub fn create_at<'js>(object: &Object<'js>, index: u32, value: Value<'js>) -> rquickjs::Result<()> {
    let cx = Cx::of(object.ctx());
    let flags = (q::JS_PROP_C_W_E | q::JS_PROP_THROW) as i32;
    // SAFETY: QuickJS takes over the reference.
    let done = unsafe {
        let value = q::JS_DupValue(cx.raw(), value.as_raw());
        q::JS_DefinePropertyValueUint32(cx.raw(), object.as_raw(), index, value, flags)
    };
    if done < 0 { Err(rquickjs::Error::Exception) } else { Ok(()) }
}

/// CreateDataProperty under a name, which is a string.
///
/// # Errors
/// When memory is out.
pub fn create<'js>(object: &Object<'js>, name: &Value<'js>, value: Value<'js>) -> rquickjs::Result<()> {
    let cx = Cx::of(object.ctx());
    let flags = (q::JS_PROP_C_W_E | q::JS_PROP_THROW) as i32;
    // SAFETY: the name is alive; QuickJS takes over the value's reference, and the atom is given back.
    let done = unsafe {
        let atom = q::JS_ValueToAtom(cx.raw(), name.as_raw());
        if atom == 0 {
            return Err(rquickjs::Error::Exception);
        }
        let value = q::JS_DupValue(cx.raw(), value.as_raw());
        let done = q::JS_DefinePropertyValue(cx.raw(), object.as_raw(), atom, value, flags);
        q::JS_FreeAtom(cx.raw(), atom);
        done
    };
    if done < 0 { Err(rquickjs::Error::Exception) } else { Ok(()) }
}
