//! JavaScript values that Rust keeps: strongly, inside host objects ([`Held`]), and weakly, for identity
//! ([`WeakObject`], [`WeakMap`]); and a context to come back to ([`Realm`]).

use std::borrow::Borrow;
use std::hash::Hash;
use std::rc::{Rc, Weak};

use rquickjs::{Ctx, Value, qjs as q};
use rustc_hash::FxHashMap;

use crate::Mark;
use crate::class::{self, HostClass};
use crate::value::{Borrowed, Cx};

/// A value owned by a host object (see [`crate::HostClass`]), which reports it to the cycle collector ([`crate::Mark`]).
///
/// It holds no reference to a context, so it makes no cycle that the collector cannot see. Keep it inside host
/// objects or `rquickjs` user data only: these are gone before their runtime is, and QuickJS aborts the process when a
/// runtime is freed while anything else still holds one of its objects.
pub struct Held {
    runtime: *mut q::JSRuntime,
    raw: q::JSValue,
}

impl Held {
    /// Takes a reference to `value`.
    #[inline]
    pub fn new(value: &Value<'_>) -> Self {
        let cx = Cx::of(value.ctx());
        // SAFETY: the value is alive.
        Self { runtime: cx.runtime(), raw: unsafe { q::JS_DupValue(cx.raw(), value.as_raw()) } }
    }

    /// Takes a reference to a value that somebody else keeps alive.
    #[inline]
    pub fn borrowed(cx: Cx<'_>, value: Borrowed<'_>) -> Self {
        // SAFETY: the value is alive.
        Self { runtime: cx.runtime(), raw: unsafe { q::JS_DupValue(cx.raw(), value.raw()) } }
    }

    /// Another owner of the same value.
    #[inline]
    pub fn duplicate(&self) -> Self {
        // SAFETY: the value is alive, and so is its runtime.
        Self { runtime: self.runtime, raw: unsafe { q::JS_DupValueRT(self.runtime, self.raw) } }
    }

    /// The value on its way to C, with a reference of its own.
    #[inline]
    pub fn returned(&self) -> crate::Returned {
        // SAFETY: the value is alive, and so is its runtime.
        crate::Returned(unsafe { q::JS_DupValueRT(self.runtime, self.raw) })
    }

    /// The value, in a context of the runtime it came from.
    ///
    /// # Panics
    /// When `ctx` belongs to another runtime.
    #[inline]
    pub fn get<'js>(&self, ctx: &Ctx<'js>) -> Value<'js> {
        self.borrow().to_value(self.check(Cx::of(ctx)))
    }

    /// The value, borrowed.
    #[inline]
    pub fn borrow(&self) -> Borrowed<'_> {
        // SAFETY: this owns a reference for as long as it lives.
        unsafe { Borrowed::from_raw(self.raw) }
    }

    /// The value as C has it; the reference stays this value's own.
    #[inline]
    pub(crate) fn raw(&self) -> q::JSValue {
        self.raw
    }

    /// Calls the value as a function.
    ///
    /// # Errors
    /// The exception is pending in the context.
    ///
    /// # Panics
    /// When `cx` belongs to another runtime.
    #[inline]
    pub fn call<'js>(
        &self,
        cx: Cx<'js>,
        this: Borrowed<'_>,
        args: &mut Arguments<'_>,
    ) -> rquickjs::Result<CallResult<'js>> {
        let cx = self.check(cx);
        let argc = args.values.len() as i32;
        // SAFETY: the function, `this` and the arguments are alive; QuickJS only borrows them.
        let result = unsafe { q::JS_Call(cx.raw(), self.raw, this.raw(), argc, args.values.as_mut_ptr()) };
        // SAFETY: reading a tag.
        if unsafe { q::JS_IsException(result) } {
            return Err(rquickjs::Error::Exception);
        }
        Ok(CallResult { cx, raw: result })
    }

    #[inline]
    fn check<'js>(&self, cx: Cx<'js>) -> Cx<'js> {
        assert_eq!(self.runtime, cx.runtime(), "a value was used with a context of another runtime");
        cx
    }
}

impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the reference is this value's own, and the runtime is alive by this type's contract.
        unsafe { q::JS_FreeValueRT(self.runtime, self.raw) };
    }
}

/// What a call returned. It is freed when this goes.
pub struct CallResult<'js> {
    cx: Cx<'js>,
    raw: q::JSValue,
}

impl<'js> CallResult<'js> {
    /// The result, borrowed.
    #[inline]
    pub fn borrow(&self) -> Borrowed<'_> {
        // SAFETY: this owns a reference for as long as it lives.
        unsafe { Borrowed::from_raw(self.raw) }
    }

    /// The result as a value of `rquickjs`.
    pub fn to_value(&self) -> Value<'js> {
        self.borrow().to_value(self.cx)
    }
}

impl Drop for CallResult<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the reference is this value's own; tags below the first counted one need no freeing.
        unsafe {
            if q::JS_VALUE_HAS_REF_COUNT(self.raw) {
                q::JS_FreeValue(self.cx.raw(), self.raw);
            }
        }
    }
}

/// Arguments for a call from Rust. The list owns them until it is dropped.
pub struct Arguments<'js> {
    cx: Cx<'js>,
    values: smallvec::SmallVec<[q::JSValue; 8]>,
}

impl<'js> Arguments<'js> {
    /// An empty list.
    #[inline]
    pub fn new(cx: Cx<'js>) -> Self {
        Self { cx, values: smallvec::SmallVec::new() }
    }

    /// Adds a value; an exception is refused.
    ///
    /// # Errors
    /// The exception is pending in the context.
    #[inline]
    pub fn push(&mut self, value: crate::Returned) -> rquickjs::Result<()> {
        // SAFETY: reading a tag.
        if unsafe { q::JS_IsException(value.0) } {
            return Err(rquickjs::Error::Exception);
        }
        self.values.push(value.0);
        Ok(())
    }
}

impl Arguments<'_> {
    /// The list, as a function gets it.
    #[inline]
    pub fn as_args(&self) -> crate::Args<'_> {
        crate::Args::of(&self.values)
    }
}

impl Drop for Arguments<'_> {
    #[inline]
    fn drop(&mut self) {
        for &value in &self.values {
            // SAFETY: the list owns one reference to each value.
            unsafe {
                if q::JS_VALUE_HAS_REF_COUNT(value) {
                    q::JS_FreeValue(self.cx.raw(), value);
                }
            }
        }
    }
}

/// A context that Rust comes back to from code that JavaScript does not call, such as a guest's import.
///
/// It owns a function of the context, which keeps the context alive, as every function does. The owner must report it
/// to the cycle collector.
#[derive(Mark)]
#[mark(crate = "crate")]
pub struct Realm {
    #[mark(skip)]
    raw: std::ptr::NonNull<q::JSContext>,
    function: Held,
}

impl Realm {
    /// Remembers `ctx`.
    ///
    /// # Errors
    /// When memory is out.
    #[inline]
    pub fn new(ctx: &Ctx<'_>) -> rquickjs::Result<Self> {
        let function = crate::function::function(ctx, crate::function::Kind::Plain, "", 0, crate::function::nothing)?;
        Ok(Self { raw: ctx.as_raw(), function: Held::new(&function.into_value()) })
    }

    /// A new context of the same runtime, with a global object and built-in objects of its own.
    ///
    /// # Errors
    /// When memory is out.
    pub fn fresh(ctx: &Ctx<'_>) -> rquickjs::Result<Self> {
        // SAFETY: the runtime is live and entered.
        let made = unsafe { q::JS_NewContext(Cx::of(ctx).runtime()) };
        if made.is_null() {
            return Err(crate::room::none(ctx, 0));
        }
        // SAFETY: the context is new; what is made of it counts a reference of its own, so that this one can go.
        unsafe {
            let realm = Self::new(&Cx::from_raw(made).ctx());
            q::JS_FreeContext(made);
            realm
        }
    }

    /// The context as one in which a script of another context of the runtime can work.
    ///
    /// # Panics
    /// When `ctx` belongs to another runtime.
    pub fn ctx<'js>(&self, ctx: &Ctx<'js>) -> Ctx<'js> {
        self.function.check(Cx::of(ctx));
        // SAFETY: the function keeps the context alive until the result counts a reference of its own; the runtime is
        // entered for as long as `'js`, as `ctx` shows.
        unsafe { Ctx::from_raw(self.raw) }
    }

    /// Another owner of the same context.
    pub fn duplicate(&self) -> Self {
        Self { raw: self.raw, function: self.function.duplicate() }
    }

    /// Runs `body` in the context.
    ///
    /// Call this only below a frame that has entered the runtime (as below a guest that a script called).
    #[inline]
    pub fn with<R>(&self, body: impl for<'js> FnOnce(Cx<'js>) -> R) -> R {
        // SAFETY: the function keeps the context alive; the lifetime cannot leave `body`.
        body(unsafe { Cx::from_raw(self.raw.as_ptr()) })
    }
}

/// An object that is not kept alive.
pub struct WeakObject {
    runtime: *mut q::JSRuntime,
    raw: q::JSValue,
    life: Weak<()>,
}

impl WeakObject {
    /// Refers to an object of class `T`.
    ///
    /// # Panics
    /// When it is something else.
    pub fn of<T: HostClass>(object: &Value<'_>) -> Self {
        let life = class::life::<T>(object).unwrap_or_else(|| panic!("an object of class {:?} was expected", T::NAME));
        Self { runtime: Cx::of(object.ctx()).runtime(), raw: object.as_raw(), life }
    }

    /// Refers to an object that is there for as long as `life` has an owner.
    ///
    /// # Safety
    /// The last owner of `life` must go before the object's memory is freed.
    pub unsafe fn while_owned(object: &Value<'_>, life: &Rc<()>) -> Self {
        Self { runtime: Cx::of(object.ctx()).runtime(), raw: object.as_raw(), life: Rc::downgrade(life) }
    }

    /// Whether the object is still there.
    pub fn is_alive(&self) -> bool {
        self.life.strong_count() > 0
    }

    /// The object; `None` once it has gone. Not to be called from the `Drop` of a host object's value.
    ///
    /// # Panics
    /// When `ctx` belongs to another runtime.
    #[inline]
    pub fn get<'js>(&self, ctx: &Ctx<'js>) -> Option<Value<'js>> {
        if self.life.strong_count() == 0 {
            return None;
        }
        let cx = Cx::of(ctx);
        assert_eq!(self.runtime, cx.runtime(), "an object was used with a context of another runtime");
        // SAFETY: `life` has an owner, so the object is alive, and a reference can be taken.
        Some(unsafe { Borrowed::from_raw(self.raw) }.to_value(cx))
    }
}

/// Objects by key, which are not kept alive: the object caches of the JavaScript API. An object's value removes its
/// entry when it is dropped, or the map grows with objects that have gone.
pub struct WeakMap<K> {
    objects: FxHashMap<K, WeakObject>,
}

impl<K> Default for WeakMap<K> {
    fn default() -> Self {
        Self { objects: FxHashMap::default() }
    }
}

impl<K: Eq + Hash> WeakMap<K> {
    /// The object cached under `key`, as [`WeakObject::get`] has it.
    #[inline]
    pub fn get<'js, Q>(&self, ctx: &Ctx<'js>, key: &Q) -> Option<Value<'js>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.objects.get(key)?.get(ctx)
    }

    /// Caches an object under `key`.
    pub fn insert(&mut self, key: K, object: WeakObject) {
        self.objects.insert(key, object);
    }

    /// Forgets `key`.
    pub fn remove<Q>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.objects.remove(key);
    }

    /// Moves each object that is under the first key of a pair to the second. All keys change at once. Objects that no
    /// pair names are forgotten.
    pub fn rekey(&mut self, keys: impl Iterator<Item = (K, K)>) {
        let mut old = std::mem::take(&mut self.objects);
        self.objects = keys.filter_map(|(from, to)| Some((to, old.remove(&from)?))).collect();
    }
}
