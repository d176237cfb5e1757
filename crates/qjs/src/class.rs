//! Classes whose objects own a Rust value.
//!
//! An object of such a class holds a box with the value. The cycle collector asks the value for what it holds
//! ([`Mark`]), and it is dropped when the object is freed. A value's `Drop` runs inside the collector: it may free and
//! enqueue, never call JavaScript or a guest, nor get an object that is held weakly.

use std::cell::OnceCell;
use std::ffi::{CStr, c_void};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::{Rc, Weak};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use rquickjs::{Ctx, Object, Value, qjs as q};

use crate::layout;
use crate::lost;
use crate::mark::{Mark, Marker};
use crate::value::{Args, Borrowed, Cx, Returned};

/// QuickJS hands out numbers from about 70 on, per runtime. Ours begin far above any that it will reach.
const FIRST: u32 = 400;

/// The number of the class of `T`. It is the same in every runtime of the process, so that a method can check its
/// `this` without a look-up. It is given out when the class is first registered, so no two types can have the same.
#[derive(Debug)]
pub struct ClassId<T> {
    number: AtomicU32,
    /// The number once objects of the class can be read where they are ([`layout`]); 0, which no object's class has,
    /// until then.
    known: AtomicU32,
    _class: PhantomData<fn() -> T>,
}

impl<T> ClassId<T> {
    /// The number of a class that is not registered yet.
    #[expect(clippy::new_without_default, reason = "each is the static of one class")]
    pub const fn new() -> Self {
        Self { number: AtomicU32::new(0), known: AtomicU32::new(0), _class: PhantomData }
    }

    /// Before the class is registered this is zero, which no object's class has.
    #[inline]
    pub(crate) fn number(&self) -> q::JSClassID {
        self.number.load(Ordering::Relaxed)
    }

    #[inline]
    fn known(&self) -> q::JSClassID {
        self.known.load(Ordering::Relaxed)
    }
}

/// A Rust type that JavaScript objects can own. Derive it with the name of the class:
/// `#[host_class(name = "WebAssembly.Tag")]`.
pub trait HostClass: Mark + Sized + 'static {
    /// The class's name.
    const NAME: &'static CStr;

    /// The class's number, a static of its own.
    fn id() -> &'static ClassId<Self>;
}

/// What an object of a host class owns. The value comes first, so that a pointer to this is a pointer to the value.
#[repr(C)]
struct Contents<T> {
    value: T,
    /// There once the object is held weakly; goes before the value.
    life: OnceCell<Rc<()>>,
}

/// A class whose objects are functions. When little of the stack is left, calling one is a RangeError, as it is for a
/// script's function.
pub trait Callable: HostClass {
    /// Whether `call` checks the stack itself, before anything that needs much of it.
    const LOOKS_AT_STACK: bool = false;

    /// \[\[Call]].
    ///
    /// # Errors
    /// The exception is pending in the context; any other error becomes one.
    fn call(&self, cx: Cx<'_>, args: Args<'_>) -> rquickjs::Result<Returned>;

    /// [`Callable::call`] for values that need to know their own object.
    ///
    /// # Errors
    /// As [`Callable::call`].
    #[inline]
    fn call_as(&self, _object: Borrowed<'_>, cx: Cx<'_>, args: Args<'_>) -> rquickjs::Result<Returned> {
        self.call(cx, args)
    }

    /// [`Callable::call_as`] for calls that take so little time that a `Result` matters: an error is pending.
    #[inline]
    fn call_quick(&self, object: Borrowed<'_>, cx: Cx<'_>, args: Args<'_>) -> Returned {
        self.call_as(object, cx, args).unwrap_or_else(|error| Returned::thrown(cx, error))
    }
}

/// Makes the class known to the context's runtime. Doing it again changes nothing.
///
/// # Errors
/// When memory is out.
pub fn register<T: HostClass>(ctx: &Ctx<'_>) -> rquickjs::Result<()> {
    define::<T>(ctx, None, std::ptr::null_mut())
}

/// [`register`] for a class of functions.
///
/// # Errors
/// As [`register`].
pub fn register_callable<T: Callable>(ctx: &Ctx<'_>) -> rquickjs::Result<()> {
    define::<T>(ctx, Some(call::<T>), std::ptr::null_mut())
}

/// `T`'s number in the whole process, which it gets now if it has none.
fn claim<T: HostClass>() -> q::JSClassID {
    static NEXT: Mutex<u32> = Mutex::new(FIRST);
    let mut next = NEXT.lock().unwrap_or_else(|e| e.into_inner());
    let id = T::id();
    if id.number() == 0 {
        id.number.store(*next, Ordering::Relaxed);
        *next += 1;
    }
    id.number()
}

/// `T`'s number in the context's runtime.
///
/// # Panics
/// When the class is not registered there: QuickJS would read past the end of its list of classes.
#[inline]
fn registered<T: HostClass>(cx: Cx<'_>) -> q::JSClassID {
    let number = T::id().number();
    // SAFETY: the runtime is live.
    assert!(unsafe { q::JS_IsRegisteredClass(cx.runtime(), number) }, "{:?} is not registered", T::NAME);
    number
}

pub(crate) fn define<T: HostClass>(
    ctx: &Ctx<'_>,
    call: q::JSClassCall,
    exotic: *mut q::JSClassExoticMethods,
) -> rquickjs::Result<()> {
    let number = claim::<T>();
    if layout::is_known(Cx::of(ctx)) {
        T::id().known.store(number, Ordering::Relaxed);
    }
    let runtime = Cx::of(ctx).runtime();
    // SAFETY: the runtime is live.
    if unsafe { q::JS_IsRegisteredClass(runtime, number) } {
        return Ok(());
    }
    let definition = q::JSClassDef {
        class_name: T::NAME.as_ptr(),
        finalizer: Some(finalize::<T>),
        gc_mark: Some(mark::<T>),
        call,
        exotic,
    };
    // SAFETY: QuickJS copies the definition, whose functions fit the class's opaque value.
    match unsafe { q::JS_NewClass(runtime, number, &definition) } {
        0 => lost::watch(Cx::of(ctx)),
        _ => Err(rquickjs::Error::Allocation),
    }
}

/// Sets the prototype that new objects of the class get in this context.
///
/// # Panics
/// When the class is not registered.
pub fn set_prototype<'js, T: HostClass>(ctx: &Ctx<'js>, prototype: &Object<'js>) {
    let cx = Cx::of(ctx);
    // SAFETY: the class is registered; the context takes over the duplicated reference.
    unsafe { q::JS_SetClassProto(cx.raw(), registered::<T>(cx), q::JS_DupValue(cx.raw(), prototype.as_raw())) };
}

/// The prototype that new objects of the class get in this context.
///
/// # Panics
/// When the class is not registered.
pub fn prototype<'js, T: HostClass>(ctx: &Ctx<'js>) -> Value<'js> {
    let cx = Cx::of(ctx);
    // SAFETY: the class is registered; QuickJS returns a reference of our own. If the class has no prototype, that is
    // `null`.
    unsafe { Value::from_raw(ctx.clone(), q::JS_GetClassProto(cx.raw(), registered::<T>(cx))) }
}

/// A new object that owns `value`. `prototype` replaces the class's.
///
/// # Errors
/// When memory is out; `value` is dropped then.
///
/// # Panics
/// When the class is not registered.
pub fn new_object<'js, T: HostClass>(
    ctx: &Ctx<'js>,
    value: T,
    prototype: Option<&Object<'js>>,
) -> rquickjs::Result<Object<'js>> {
    let cx = Cx::of(ctx);
    let number = registered::<T>(cx);
    // SAFETY: the class is registered; a class without a prototype gives an object without one.
    let object = unsafe {
        match prototype {
            Some(prototype) => q::JS_NewObjectProtoClass(cx.raw(), prototype.as_raw(), number),
            None => q::JS_NewObjectClass(cx.raw(), number),
        }
    };
    let object = cx.take(object)?;
    let contents = Box::new(Contents { value, life: OnceCell::new() });
    // SAFETY: the object is of class `T`, whose finalizer takes the box back.
    unsafe { q::JS_SetOpaque(object.as_raw(), Box::into_raw(contents).cast()) };
    lost::made(cx.runtime());
    object.into_object().ok_or(rquickjs::Error::Unknown)
}

/// A new object that owns `value`, without prototype and with no room for properties.
///
/// # Errors
/// When memory is out; `value` is dropped then.
pub(crate) fn new_bare_object<'js, T: HostClass>(ctx: &Ctx<'js>, value: T) -> rquickjs::Result<Object<'js>> {
    let object = new_object(ctx, value, None)?;
    object.set_prototype(None)?;
    // SAFETY: the object is alive.
    match unsafe { q::JS_PreventExtensions(Cx::of(ctx).raw(), object.as_raw()) } {
        1 => Ok(object),
        _ => Err(rquickjs::Error::Exception),
    }
}

/// The prototype of an object that a constructor makes: NewTarget's, or the class's if that is not an object.
///
/// # Errors
/// What a getter of `prototype` throws.
pub fn prototype_from_new_target<'js, T: HostClass>(
    call: &crate::Call<'_, 'js>,
) -> rquickjs::Result<Option<Object<'js>>> {
    let new_target = call.this();
    let found: Value = match new_target.as_object() {
        Some(new_target) => new_target.get("prototype")?,
        None => return Ok(None),
    };
    Ok(found.into_object().or_else(|| prototype::<T>(&call.ctx).into_object()))
}

/// The Rust value of an object of class `T`; `None` for anything else.
#[inline]
pub fn get<'a, T: HostClass>(value: Borrowed<'a>) -> Option<&'a T> {
    let known = T::id().known();
    // SAFETY: the class is checked, and no other type has its number; the box stays until the object is freed, which
    // cannot happen during `'a`.
    unsafe {
        match known {
            0 => q::JS_GetOpaque(value.raw(), T::id().number()).cast::<T>().as_ref(),
            _ => layout::contents(value, known)?.cast::<T>().as_ref(),
        }
    }
}

/// [`get`] for a value of `rquickjs`.
#[inline]
pub fn of<'a, T: HostClass>(value: &'a Value<'_>) -> Option<&'a T> {
    get(Borrowed::of(value))
}

/// What has an owner for as long as an object of class `T` has its value; `None` for anything else.
pub(crate) fn life<T: HostClass>(value: &Value<'_>) -> Option<Weak<()>> {
    // SAFETY: as in `get`; `new_object` alone makes objects of the class, each with its contents.
    let contents = unsafe { q::JS_GetOpaque(value.as_raw(), T::id().number()).cast::<Contents<T>>().as_ref() }?;
    Some(Rc::downgrade(contents.life.get_or_init(Rc::default)))
}

unsafe extern "C" fn finalize<T: HostClass>(runtime: *mut q::JSRuntime, value: q::JSValue) {
    // SAFETY: the object is of class `T` and is being freed, so the box is taken back exactly once.
    let opaque = unsafe { q::JS_GetOpaque(value, T::id().number()) }.cast::<Contents<T>>();
    if !opaque.is_null() {
        lost::ended(runtime);
        // SAFETY: as above. A panic in a destructor must not unwind into C; there is nobody to tell but the process.
        let mut contents = unsafe { Box::from_raw(opaque) };
        drop(contents.life.take());
        if catch_unwind(AssertUnwindSafe(|| drop(contents))).is_err() {
            std::process::abort();
        }
    }
}

unsafe extern "C" fn mark<T: HostClass>(runtime: *mut q::JSRuntime, value: q::JSValue, mark: q::JS_MarkFunc) {
    // SAFETY: the object is of class `T` and alive during marking.
    if let Some(value) = unsafe { q::JS_GetOpaque(value, T::id().number()).cast::<T>().as_ref() }
        && catch_unwind(AssertUnwindSafe(|| value.mark(&Marker { runtime, mark }))).is_err()
    {
        std::process::abort();
    }
}

unsafe extern "C" {
    /// Whether fewer than `bytes` are left of the stack that QuickJS may use. QuickJS asks this before it calls a
    /// function of its own. Its regular expressions ask from another file, so the function is visible to us as well.
    fn lre_check_stack_overflow(context: *mut c_void, bytes: usize) -> bool;
}

/// Throws what QuickJS throws when its stack is used up.
#[cold]
fn stack_overflow(cx: Cx<'_>) -> q::JSValue {
    rquickjs::Exception::throw_range(&cx.ctx(), "Maximum call stack size exceeded");
    q::JS_EXCEPTION
}

unsafe extern "C" fn call<T: Callable>(
    ctx: *mut q::JSContext,
    function: q::JSValue,
    _this: q::JSValue,
    argc: i32,
    argv: *mut q::JSValue,
    _flags: i32,
) -> q::JSValue {
    // SAFETY: QuickJS calls with a live context, a live object of class `T` and its arguments.
    let cx = unsafe { Cx::from_raw(ctx) };
    guard(cx, move || {
        // SAFETY: as above.
        let (object, args) = unsafe { (Borrowed::from_raw(function), Args::from_raw(argc, argv)) };
        let Some(value) = get::<T>(object) else { return q::JS_EXCEPTION };
        // QuickJS leaves that question to objects with a call function of their own.
        // SAFETY: the context is live; the function reads its runtime's limit and nothing else.
        if !T::LOOKS_AT_STACK && unsafe { lre_check_stack_overflow(ctx.cast(), 0) } {
            return stack_overflow(cx);
        }
        // The call holds its function, since what it runs may drop the script's last reference.
        let _hold = Hold::<T>::new(cx, object);
        value.call_quick(object, cx, args).0
    })
}

/// A reference to a function that is being called.
struct Hold<'a, T: HostClass> {
    cx: Cx<'a>,
    object: Borrowed<'a>,
    _class: PhantomData<T>,
}

impl<'a, T: HostClass> Hold<'a, T> {
    #[inline]
    fn new(cx: Cx<'a>, object: Borrowed<'a>) -> Self {
        // SAFETY: the object is alive, and its reference is given back when this goes.
        unsafe {
            match T::id().known() {
                0 => q::JS_DupValue(cx.raw(), object.raw()),
                _ => layout::hold(object),
            }
        };
        Self { cx, object, _class: PhantomData }
    }
}

impl<T: HostClass> Drop for Hold<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the reference is this value's own.
        unsafe {
            if T::id().known() == 0 || !layout::release(self.object) {
                q::JS_FreeValue(self.cx.raw(), self.object.raw());
            }
        }
    }
}

/// Runs `body`; a panic becomes an exception of the script.
#[inline(always)]
pub(crate) fn guard(cx: Cx<'_>, body: impl FnOnce() -> q::JSValue) -> q::JSValue {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => value,
        Err(panic) => throw_panic(cx, &*panic),
    }
}

#[cold]
fn throw_panic(cx: Cx<'_>, panic: &(dyn std::any::Any + Send)) -> q::JSValue {
    let what = panic
        .downcast_ref::<&str>()
        .map(|s| s.to_string())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".into());
    let message = format!("internal error of tombolo, please report it: {what}");
    rquickjs::Exception::throw_internal(&cx.ctx(), &message);
    q::JS_EXCEPTION
}

/// A raw pointer that identifies an object for as long as it lives.
pub fn identity(value: &Value<'_>) -> *const c_void {
    // SAFETY: reading the pointer of a counted value; others have none.
    unsafe { if value.is_object() { q::JS_VALUE_GET_PTR(value.as_raw()) } else { std::ptr::null() } }
}
