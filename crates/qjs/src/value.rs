//! Values on the fast path: borrowed arguments, a borrowed context, and results handed to C.
//!
//! `rquickjs::Value` counts a reference to its context for each value. A call from JavaScript into WebAssembly takes
//! some 40 ns in all, so the hot paths borrow instead: an argument is owned by QuickJS for the length of the call.

use std::marker::PhantomData;
use std::ptr::NonNull;

use rquickjs::{Ctx, Value, qjs as q};

/// A context, borrowed for as long as `'js`.
#[derive(Clone, Copy)]
pub struct Cx<'js> {
    raw: NonNull<q::JSContext>,
    _invariant: PhantomData<fn(&'js ()) -> &'js ()>,
}

impl<'js> Cx<'js> {
    /// Borrows `ctx`.
    #[inline]
    pub fn of(ctx: &Ctx<'js>) -> Self {
        Self { raw: ctx.as_raw(), _invariant: PhantomData }
    }

    /// # Safety
    /// `raw` must be a live context, locked by this thread, for as long as `'js`.
    #[inline]
    pub(crate) unsafe fn from_raw(raw: *mut q::JSContext) -> Self {
        // SAFETY: C never passes a null context.
        Self { raw: unsafe { NonNull::new_unchecked(raw) }, _invariant: PhantomData }
    }

    /// The same context, counted.
    #[inline]
    pub fn ctx(self) -> Ctx<'js> {
        // SAFETY: a `Cx` exists only while the runtime is locked, and `'js` came with it.
        unsafe { Ctx::from_raw(self.raw) }
    }

    #[inline]
    pub(crate) fn raw(self) -> *mut q::JSContext {
        self.raw.as_ptr()
    }

    #[inline]
    pub(crate) fn runtime(self) -> *mut q::JSRuntime {
        // SAFETY: the context is live.
        unsafe { q::JS_GetRuntime(self.raw()) }
    }

    /// Takes ownership of what a C function returned; an exception becomes the error.
    #[inline]
    pub(crate) fn take(self, value: q::JSValue) -> rquickjs::Result<Value<'js>> {
        // SAFETY: reading a tag.
        if unsafe { q::JS_IsException(value) } {
            return Err(rquickjs::Error::Exception);
        }
        // SAFETY: `value` is of this context's runtime, and its reference is ours.
        Ok(unsafe { Value::from_raw(self.ctx(), value) })
    }

    /// A number, as an integer if it is one.
    #[inline]
    pub fn float(self, value: f64) -> Returned {
        Returned(q::JS_NewFloat64(value))
    }

    /// A BigInt of the signed 64-bit value, or the pending exception if there is no memory for it.
    #[inline]
    pub fn bigint(self, value: i64) -> Returned {
        // SAFETY: the context is live.
        Returned(unsafe { q::JS_NewBigInt64(self.raw(), value) })
    }

    /// A BigInt of the unsigned 64-bit value, or the pending exception if there is no memory for it.
    #[inline]
    pub fn biguint(self, value: u64) -> Returned {
        // SAFETY: the context is live.
        Returned(unsafe { q::JS_NewBigUint64(self.raw(), value) })
    }

    /// A borrowed value with a reference of its own.
    #[inline]
    pub fn duplicate(self, value: Borrowed<'_>) -> Returned {
        // SAFETY: the value is alive, so it can be duplicated.
        Returned(unsafe { q::JS_DupValue(self.raw(), value.raw()) })
    }

    /// The value with a reference of its own.
    #[inline]
    pub fn returned(self, value: &Value<'js>) -> Returned {
        // SAFETY: the value is alive, so it can be duplicated.
        Returned(unsafe { q::JS_DupValue(self.raw(), value.as_raw()) })
    }
}

/// An argument or another value that somebody else keeps alive for `'a`.
#[derive(Clone, Copy)]
pub struct Borrowed<'a> {
    raw: q::JSValue,
    _borrow: PhantomData<&'a ()>,
}

impl<'a> Borrowed<'a> {
    /// # Safety
    /// Somebody must own a reference to `raw` for as long as `'a`.
    #[inline]
    pub(crate) unsafe fn from_raw(raw: q::JSValue) -> Self {
        Self { raw, _borrow: PhantomData }
    }

    /// Borrows a value.
    #[inline]
    pub fn of(value: &'a Value<'_>) -> Self {
        Self { raw: value.as_raw(), _borrow: PhantomData }
    }

    #[inline]
    pub(crate) fn raw(self) -> q::JSValue {
        self.raw
    }

    #[inline]
    pub(crate) fn tag(self) -> i32 {
        // SAFETY: reading a tag.
        unsafe { q::JS_VALUE_GET_TAG(self.raw) }
    }

    /// The value if it is stored as a 32-bit integer.
    #[inline]
    pub fn int(self) -> Option<i32> {
        // SAFETY: the tag says which union member is set.
        (self.tag() == q::JS_TAG_INT).then(|| unsafe { q::JS_VALUE_GET_INT(self.raw) })
    }

    /// The value if it is a number, however it is stored.
    #[inline]
    pub fn number(self) -> Option<f64> {
        match self.tag() {
            // SAFETY: the tag says which union member is set.
            q::JS_TAG_INT => Some(f64::from(unsafe { q::JS_VALUE_GET_INT(self.raw) })),
            // SAFETY: as above.
            q::JS_TAG_FLOAT64 => Some(unsafe { q::JS_VALUE_GET_FLOAT64(self.raw) }),
            _ => None,
        }
    }

    /// The value if it is a boolean.
    #[inline]
    pub fn bool(self) -> Option<bool> {
        // SAFETY: the tag says which union member is set.
        (self.tag() == q::JS_TAG_BOOL).then(|| unsafe { q::JS_VALUE_GET_BOOL(self.raw) })
    }

    /// Whether the value is `undefined`.
    #[inline]
    pub fn is_undefined(self) -> bool {
        self.tag() == q::JS_TAG_UNDEFINED
    }

    /// Whether the value is `null`.
    #[inline]
    pub fn is_null(self) -> bool {
        self.tag() == q::JS_TAG_NULL
    }

    /// Whether the value is an object (a function is one).
    #[inline]
    pub fn is_object(self) -> bool {
        self.tag() == q::JS_TAG_OBJECT
    }

    /// Whether the value is a string.
    #[inline]
    pub fn is_string(self) -> bool {
        matches!(self.tag(), q::JS_TAG_STRING | q::JS_TAG_STRING_ROPE)
    }

    /// A number that tells an object, a symbol or a string from every other that is alive; 0 for other values.
    #[inline]
    pub fn identity(self) -> usize {
        // SAFETY: reading the tag, and the pointer of a counted value.
        unsafe { if q::JS_VALUE_HAS_REF_COUNT(self.raw) { q::JS_VALUE_GET_PTR(self.raw).addr() } else { 0 } }
    }

    /// Whether the value is a BigInt.
    #[inline]
    pub fn is_bigint(self) -> bool {
        matches!(self.tag(), q::JS_TAG_BIG_INT | q::JS_TAG_SHORT_BIG_INT)
    }

    /// The value with a reference of its own.
    #[inline]
    pub fn to_value<'js>(self, cx: Cx<'js>) -> Value<'js> {
        // SAFETY: the value is alive; the new reference is handed to the `Value`.
        unsafe { Value::from_raw(cx.ctx(), q::JS_DupValue(cx.raw(), self.raw)) }
    }
}

/// The arguments of a call. If C filled them up, there are at least as many as the function's `length`.
#[derive(Clone, Copy, Default)]
pub struct Args<'a> {
    values: &'a [q::JSValue],
}

impl<'a> Args<'a> {
    /// # Safety
    /// `argv` must point to `argc` values that stay owned by the caller for `'a`.
    #[inline]
    pub(crate) unsafe fn from_raw(argc: i32, argv: *mut q::JSValue) -> Self {
        if argc <= 0 {
            return Self { values: &[] };
        }
        // SAFETY: by the caller's promise.
        Self { values: unsafe { std::slice::from_raw_parts(argv, argc as usize) } }
    }

    /// Values that somebody else owns for `'a`.
    pub(crate) fn of(values: &'a [q::JSValue]) -> Self {
        Self { values }
    }

    pub(crate) fn as_slice(self) -> &'a [q::JSValue] {
        self.values
    }

    /// How many arguments were passed.
    #[inline]
    pub fn len(self) -> usize {
        self.values.len()
    }

    /// Whether none was passed.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.values.is_empty()
    }

    /// The argument at `index`, or `undefined` if it was not passed.
    #[inline]
    pub fn get(self, index: usize) -> Borrowed<'a> {
        let raw = self.values.get(index).copied().unwrap_or(q::JS_UNDEFINED);
        Borrowed { raw, _borrow: PhantomData }
    }

    /// The first two, and those after them; `None` if there are fewer.
    #[inline]
    pub fn split_two(self) -> Option<([Borrowed<'a>; 2], Self)> {
        let (&first, values) = self.values.split_first_chunk::<2>()?;
        Some((first.map(|raw| Borrowed { raw, _borrow: PhantomData }), Self { values }))
    }

    /// All arguments in order.
    #[inline]
    pub fn iter(self) -> impl ExactSizeIterator<Item = Borrowed<'a>> {
        self.values.iter().map(|&raw| Borrowed { raw, _borrow: PhantomData })
    }
}

/// A result on its way to C, which takes over its reference.
#[must_use = "a result that is not returned leaks its reference"]
pub struct Returned(pub(crate) q::JSValue);

impl Returned {
    /// `undefined`.
    pub const UNDEFINED: Returned = Returned(q::JS_UNDEFINED);
    /// The exception that is pending in the context.
    pub const EXCEPTION: Returned = Returned(q::JS_EXCEPTION);

    /// Leaves an error pending in the context, whatever it is.
    #[cold]
    pub fn thrown(cx: Cx<'_>, error: rquickjs::Error) -> Self {
        crate::function::throw(&cx.ctx(), error);
        Self::EXCEPTION
    }

    /// An integer.
    #[inline]
    pub fn int(value: i32) -> Self {
        Self(q::JS_MKVAL(q::JS_TAG_INT, value))
    }

    /// A boolean.
    #[inline]
    pub fn bool(value: bool) -> Self {
        Self(q::JS_MKVAL(q::JS_TAG_BOOL, i32::from(value)))
    }

    /// `null`.
    pub const NULL: Returned = Returned(q::JS_NULL);

    /// Whether it is the exception that is pending in the context.
    #[inline]
    pub fn is_exception(&self) -> bool {
        // SAFETY: reading a tag.
        unsafe { q::JS_IsException(self.0) }
    }

    /// Ends the fast path: the value as `rquickjs` has it.
    #[inline]
    pub fn into_value<'js>(self, cx: Cx<'js>) -> rquickjs::Result<Value<'js>> {
        cx.take(self.0)
    }
}
