//! Reads and makes arrays in bulk.
//!
//! QuickJS's C interface reads an array's elements only one at a time. `Function.prototype.apply`, however, copies them
//! in one go into an argument list, and a native function gets that list as it is: this is several times faster.

use std::cell::Cell;
use std::ptr::NonNull;

use rquickjs::{Ctx, JsLifetime, Value, qjs as q};

use crate::function::{Call, Kind, function};
use crate::layout;
use crate::value::{Args, Borrowed, Cx, Returned};

/// `Function.prototype.apply` and the function that it applies, of a runtime.
#[derive(JsLifetime)]
struct Apply<'js> {
    apply: Value<'js>,
    visit: Value<'js>,
}

/// Looks the functions up before a script can change them. To be called once before [`spread`].
///
/// # Errors
/// When memory is out.
pub fn install(ctx: &Ctx<'_>) -> rquickjs::Result<()> {
    let apply = crate::define::function_prototype(ctx)?.get("apply")?;
    let visit = function(ctx, Kind::Plain, "", 0, visit)?.into_value();
    ctx.store_userdata(Apply { apply, visit }).map_err(|_| rquickjs::Error::Unknown)?;
    Ok(())
}

/// A visitor, erased: the pointer is to a `&mut dyn FnMut` on the stack of [`spread`].
type Visitor<'a> = &'a mut dyn FnMut(Args<'_>) -> rquickjs::Result<()>;

thread_local! {
    static VISITOR: Cell<*mut ()> = const { Cell::new(std::ptr::null_mut()) };
}

fn visit<'js>(call: Call<'_, 'js>) -> rquickjs::Result<Value<'js>> {
    let visitor = VISITOR.replace(std::ptr::null_mut()).cast::<Visitor<'_>>();
    // SAFETY: only `spread` sets the pointer, and waits for this call; it is taken out so that it is used once.
    if let Some(visitor) = unsafe { visitor.as_mut() } {
        visitor(call.args)?;
    }
    Ok(Value::new_undefined(call.ctx))
}

/// Calls `body` with all elements of `array`, which must have fewer than 65,536. Getters of the array run before that.
///
/// # Errors
/// What a getter throws, or `body`'s error.
pub fn spread(array: &Value<'_>, mut body: impl FnMut(Args<'_>) -> rquickjs::Result<()>) -> rquickjs::Result<()> {
    struct Restore(*mut ());
    impl Drop for Restore {
        fn drop(&mut self) {
            VISITOR.set(self.0);
        }
    }
    let ctx = array.ctx();
    let cx = Cx::of(ctx);
    let functions = ctx.userdata::<Apply>().ok_or(rquickjs::Error::Unknown)?;
    let mut visitor: Visitor<'_> = &mut body;
    let _restore = Restore(VISITOR.replace((&raw mut visitor).cast()));
    let mut args = [q::JS_UNDEFINED, array.as_raw()];
    // SAFETY: all values are alive for the call.
    let result = unsafe {
        let (apply, visit) = (functions.apply.as_raw(), functions.visit.as_raw());
        q::JS_Call(cx.raw(), apply, visit, 2, args.as_mut_ptr())
    };
    cx.take(result).map(drop)
}

/// Calls `body` with `array[index]`.
///
/// # Errors
/// What a getter throws, or `body`'s error.
#[inline]
pub fn with_element<R>(
    cx: Cx<'_>,
    array: Borrowed<'_>,
    index: u32,
    body: impl FnOnce(Borrowed<'_>) -> rquickjs::Result<R>,
) -> rquickjs::Result<R> {
    let element = match layout::array_element(cx, array, index) {
        // SAFETY: reading a tag. What has no count needs no owner.
        Some(element) if unsafe { !q::JS_VALUE_HAS_REF_COUNT(element) } => {
            // SAFETY: as above.
            return body(unsafe { Borrowed::from_raw(element) });
        }
        // SAFETY: the array is alive; the element's reference is ours until it is freed below.
        _ => unsafe { q::JS_GetPropertyUint32(cx.raw(), array.raw(), index) },
    };
    // SAFETY: reading a tag.
    if unsafe { q::JS_IsException(element) } {
        return Err(rquickjs::Error::Exception);
    }
    // SAFETY: as above.
    let result = body(unsafe { Borrowed::from_raw(element) });
    // SAFETY: as above; values without a count need no freeing.
    unsafe {
        if q::JS_VALUE_HAS_REF_COUNT(element) {
            q::JS_FreeValue(cx.raw(), element);
        }
    }
    result
}

/// The length of an array; `None` for anything else, and for a proxy, whose length is a script's to say. Runs no script.
#[inline]
pub fn plain_length(cx: Cx<'_>, value: Borrowed<'_>) -> Option<usize> {
    if let Some(len) = layout::array_length(cx, value) {
        return Some(len);
    }
    let mut len = 0;
    // SAFETY: the value is alive; an array's own length is a number, so no script runs and nothing is thrown.
    unsafe {
        let is_array = value.is_object() && q::JS_IsArray(value.raw()) && !q::JS_IsProxy(value.raw());
        (is_array && q::JS_GetLength(cx.raw(), value.raw(), &mut len) == 0).then_some(len as usize)
    }
}

/// Copies the first `len` elements of an array, as far as they are numbers that are read without running a script.
/// Returns how many.
///
/// # Safety
/// There must be room for as many numbers at `to`.
#[inline]
pub unsafe fn copy_numbers(cx: Cx<'_>, array: Borrowed<'_>, len: usize, to: NonNull<u8>) -> usize {
    let elements = layout::array_elements(cx, array);
    let mut done = 0;
    for &element in elements.iter().take(len) {
        // SAFETY: nothing runs that could change the array.
        let Some(number) = (unsafe { Borrowed::from_raw(element) }).number() else { break };
        // SAFETY: the caller's promise.
        unsafe { to.as_ptr().cast::<f64>().add(done).write_unaligned(number) };
        done += 1;
    }
    done
}

/// Whether an array has `len` elements of its own that are read without running a script.
#[inline]
pub fn is_dense(cx: Cx<'_>, value: Borrowed<'_>, len: usize) -> bool {
    len.checked_sub(1).is_some_and(|last| layout::array_element(cx, value, last as u32).is_some())
}

/// A new array of the arguments from `from` on, on its way to C; the pending exception when memory is out.
pub fn of_arguments(cx: Cx<'_>, args: Args<'_>, from: usize) -> Returned {
    let values = args.as_slice().get(from..).unwrap_or_default();
    // SAFETY: the values are alive. QuickJS takes over one reference to each, even when it fails.
    unsafe {
        values.iter().for_each(|&value| {
            q::JS_DupValue(cx.raw(), value);
        });
        Returned(q::JS_NewArrayFrom(cx.raw(), values.len() as i32, values.as_ptr()))
    }
}

/// Becomes an array of its items. (`rquickjs` fills the array that it makes of a `Vec` by assignments, which run the
/// setters that a script gave `Array.prototype`.)
pub struct List<I>(pub I);

impl<'js, I> rquickjs::IntoJs<'js> for List<I>
where
    I: IntoIterator<Item: rquickjs::IntoJs<'js>>,
{
    fn into_js(self, ctx: &Ctx<'js>) -> rquickjs::Result<Value<'js>> {
        let cx = Cx::of(ctx);
        let items = self.0.into_iter();
        let mut array = ArrayBuilder::new(cx, items.size_hint().0)?;
        for item in items {
            array.push(cx.returned(&item.into_js(ctx)?))?;
        }
        array.finish()
    }
}

/// An array in the making.
pub struct ArrayBuilder<'js> {
    cx: Cx<'js>,
    elements: smallvec::SmallVec<[q::JSValue; 8]>,
}

impl<'js> ArrayBuilder<'js> {
    /// An array with room for `len` elements.
    ///
    /// # Errors
    /// A RangeError for more elements than an array can be made of at once; or when memory is out.
    #[inline]
    pub fn new(cx: Cx<'js>, len: usize) -> rquickjs::Result<Self> {
        let mut elements = smallvec::SmallVec::new();
        if len > i32::MAX as usize / 2 || elements.try_reserve_exact(len).is_err() {
            let message = format!("an array of {len} elements is too long");
            return Err(rquickjs::Exception::throw_range(&cx.ctx(), &message));
        }
        Ok(Self { cx, elements })
    }

    /// Adds an element.
    ///
    /// # Errors
    /// When the element is the pending exception.
    #[inline]
    pub fn push(&mut self, element: Returned) -> rquickjs::Result<()> {
        // SAFETY: reading a tag.
        if unsafe { q::JS_IsException(element.0) } {
            return Err(rquickjs::Error::Exception);
        }
        self.elements.push(element.0);
        Ok(())
    }

    /// The array on its way to C; the pending exception when memory is out.
    #[inline]
    pub fn into_returned(mut self) -> Returned {
        let elements = std::mem::take(&mut self.elements);
        // SAFETY: QuickJS takes over the elements' references, even when it fails.
        Returned(unsafe { q::JS_NewArrayFrom(self.cx.raw(), elements.len() as i32, elements.as_ptr()) })
    }

    /// The array.
    ///
    /// # Errors
    /// When memory is out.
    pub fn finish(mut self) -> rquickjs::Result<Value<'js>> {
        let elements = std::mem::take(&mut self.elements);
        // SAFETY: QuickJS takes over the elements' references, even when it fails.
        self.cx.take(unsafe { q::JS_NewArrayFrom(self.cx.raw(), elements.len() as i32, elements.as_ptr()) })
    }
}

impl Drop for ArrayBuilder<'_> {
    fn drop(&mut self) {
        for &element in &self.elements {
            // SAFETY: the builder owns one reference to each element.
            unsafe {
                if q::JS_VALUE_HAS_REF_COUNT(element) {
                    q::JS_FreeValue(self.cx.raw(), element);
                }
            }
        }
    }
}
