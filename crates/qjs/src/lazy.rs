//! Frozen objects whose property values are made when they are first asked for.

use std::mem::MaybeUninit;

use rquickjs::{Ctx, Object, Value, qjs as q};
use rustc_hash::FxHashMap;

use crate::class::{HostClass, define, guard};
use crate::value::{Cx, Returned};

/// The property names of a lazy object, in order.
pub struct NameTable {
    runtime: *mut q::JSRuntime,
    order: Vec<q::JSAtom>,
    /// The same, in the order in which a script sees them.
    keys: Vec<q::JSAtom>,
    index: FxHashMap<q::JSAtom, usize>,
}

impl NameTable {
    /// Names, each at its place.
    ///
    /// # Errors
    /// When memory is out.
    pub fn new<'n>(ctx: &Ctx<'_>, names: impl Iterator<Item = &'n str>) -> rquickjs::Result<Self> {
        let cx = Cx::of(ctx);
        let mut this = Self { runtime: cx.runtime(), order: Vec::new(), keys: Vec::new(), index: FxHashMap::default() };
        let (mut numbers, mut others) = (Vec::new(), Vec::new());
        for name in names {
            // SAFETY: the bytes are UTF-8 of the given length.
            let atom = unsafe { q::JS_NewAtomLen(cx.raw(), name.as_ptr().cast(), name.len() as _) };
            if atom == 0 {
                return Err(rquickjs::Error::Exception);
            }
            this.index.insert(atom, this.order.len());
            this.order.push(atom);
            if let Some(number) = array_index(name) {
                numbers.push((number, atom));
            } else {
                others.push(atom);
            }
        }
        // OrdinaryOwnPropertyKeys: array indices first, in ascending order.
        numbers.sort_unstable();
        this.keys = numbers.into_iter().map(|(_, atom)| atom).chain(others).collect();
        Ok(this)
    }
}

impl NameTable {
    /// Any object's property with the name at `index`. Runs a getter, if there is one.
    ///
    /// # Errors
    /// What the getter throws.
    ///
    /// # Panics
    /// When there is no such name.
    pub fn get<'js>(&self, object: &Object<'js>, index: usize) -> rquickjs::Result<Value<'js>> {
        let cx = Cx::of(object.ctx());
        assert_eq!(self.runtime, cx.runtime(), "names were used with an object of another runtime");
        // SAFETY: the object is alive, and the list owns a reference to the atom.
        cx.take(unsafe { q::JS_GetProperty(cx.raw(), object.as_raw(), self.order[index]) })
    }

    /// Set(object, the name at `index`, value). Runs a setter, if there is one.
    ///
    /// # Errors
    /// What the setter throws; a TypeError if the property cannot be changed.
    ///
    /// # Panics
    /// As [`NameTable::get`].
    pub fn set<'js>(&self, object: &Object<'js>, index: usize, value: &Value<'js>) -> rquickjs::Result<()> {
        let cx = Cx::of(object.ctx());
        assert_eq!(self.runtime, cx.runtime(), "names were used with an object of another runtime");
        // SAFETY: as above; QuickJS takes over the duplicated reference, even when it fails.
        let done = unsafe {
            let value = q::JS_DupValue(cx.raw(), value.as_raw());
            q::JS_SetProperty(cx.raw(), object.as_raw(), self.order[index], value)
        };
        if done < 0 { Err(rquickjs::Error::Exception) } else { Ok(()) }
    }

    /// CreateDataProperty(object, the name at `index`, value).
    ///
    /// # Errors
    /// When memory is out.
    ///
    /// # Panics
    /// As [`NameTable::get`].
    pub fn create<'js>(&self, object: &Object<'js>, index: usize, value: Value<'js>) -> rquickjs::Result<()> {
        let cx = Cx::of(object.ctx());
        assert_eq!(self.runtime, cx.runtime(), "names were used with an object of another runtime");
        let flags = (q::JS_PROP_C_W_E | q::JS_PROP_THROW) as i32;
        // SAFETY: as above; QuickJS takes over the duplicated reference, even when it fails.
        let done = unsafe {
            let value = q::JS_DupValue(cx.raw(), value.as_raw());
            q::JS_DefinePropertyValue(cx.raw(), object.as_raw(), self.order[index], value, flags)
        };
        if done < 0 { Err(rquickjs::Error::Exception) } else { Ok(()) }
    }
}

impl Drop for NameTable {
    fn drop(&mut self) {
        for &atom in &self.order {
            // SAFETY: the list owns a reference to each atom, and lives in an object of the runtime.
            unsafe { q::JS_FreeAtomRT(self.runtime, atom) };
        }
    }
}

/// The number, if `name` is a canonical array index.
fn array_index(name: &str) -> Option<u32> {
    let number = name.parse::<u32>().ok()?;
    (number != u32::MAX && number.to_string() == name).then_some(number)
}

/// A class of frozen objects with lazy values.
pub trait Lazy: HostClass {
    /// The names of the properties.
    fn names(&self) -> &NameTable;

    /// The value of the property at `index`, if it was made before.
    fn made(&self, index: usize) -> Option<Returned>;

    /// The value of the property at `index`: the same at every call.
    ///
    /// # Errors
    /// The exception is pending in the context.
    fn load<'js>(&self, ctx: &Ctx<'js>, index: usize) -> rquickjs::Result<Value<'js>>;
}

/// Makes the class known to the context's runtime.
///
/// # Errors
/// As [`crate::class::register`].
pub fn register<T: Lazy>(ctx: &Ctx<'_>) -> rquickjs::Result<()> {
    // QuickJS keeps the pointer for as long as the runtime lives; one small table for each class and process.
    let methods = const {
        &q::JSClassExoticMethods {
            get_own_property: Some(get_own_property::<T>),
            get_own_property_names: Some(get_own_property_names::<T>),
            delete_property: Some(delete_property::<T>),
            define_own_property: Some(define_own_property::<T>),
            has_property: None,
            get_property: Some(get_property::<T>),
            set_property: None,
        }
    };
    define::<T>(ctx, None, std::ptr::from_ref(methods).cast_mut())
}

/// A new object without prototype that can take no more properties.
///
/// # Errors
/// When memory is out.
pub fn new_object<'js, T: Lazy>(ctx: &Ctx<'js>, value: T) -> rquickjs::Result<Object<'js>> {
    crate::class::new_bare_object(ctx, value)
}

/// Finds the value behind `object`, and the place of the property `atom`.
///
/// # Safety
/// `object` must be alive for as long as `'a`.
unsafe fn find<'a, T: Lazy>(object: q::JSValue, atom: q::JSAtom) -> Option<(&'a T, usize)> {
    // SAFETY: QuickJS checks the class; the box lives as long as the object.
    let value = unsafe { q::JS_GetOpaque(object, value_class::<T>()).cast::<T>().as_ref() }?;
    Some((value, find_in(value.names(), atom)?))
}

pub(crate) fn value_class<T: HostClass>() -> q::JSClassID {
    T::id().number()
}

unsafe fn load<T: Lazy>(ctx: *mut q::JSContext, value: &T, index: usize) -> q::JSValue {
    if let Some(made) = value.made(index) {
        return made.0;
    }
    // SAFETY: QuickJS calls with a live context.
    let cx = unsafe { Cx::from_raw(ctx) };
    guard(cx, || match value.load(&cx.ctx(), index) {
        Ok(value) => cx.returned(&value).0,
        Err(error) => {
            crate::function::throw(&cx.ctx(), error);
            q::JS_EXCEPTION
        }
    })
}

unsafe extern "C" fn get_property<T: Lazy>(
    ctx: *mut q::JSContext,
    object: q::JSValue,
    atom: q::JSAtom,
    _receiver: q::JSValue,
) -> q::JSValue {
    // SAFETY: the object is alive for the call.
    match unsafe { find::<T>(object, atom) } {
        // SAFETY: as above.
        Some((value, index)) => unsafe { load(ctx, value, index) },
        None => q::JS_UNDEFINED,
    }
}

unsafe extern "C" fn get_own_property<T: Lazy>(
    ctx: *mut q::JSContext,
    descriptor: *mut q::JSPropertyDescriptor,
    object: q::JSValue,
    atom: q::JSAtom,
) -> i32 {
    // SAFETY: the object is alive for the call.
    let Some((value, index)) = (unsafe { find::<T>(object, atom) }) else { return 0 };
    if descriptor.is_null() {
        return 1;
    }
    // SAFETY: as above.
    let value = unsafe { load(ctx, value, index) };
    // SAFETY: reading a tag.
    if unsafe { q::JS_IsException(value) } {
        return -1;
    }
    let filled = q::JSPropertyDescriptor {
        flags: q::JS_PROP_ENUMERABLE as _,
        value,
        getter: q::JS_UNDEFINED,
        setter: q::JS_UNDEFINED,
    };
    // SAFETY: QuickJS passes null or room for a descriptor, and takes over the value's reference.
    unsafe { descriptor.write(filled) };
    1
}

unsafe extern "C" fn get_own_property_names<T: Lazy>(
    ctx: *mut q::JSContext,
    table: *mut *mut q::JSPropertyEnum,
    len: *mut u32,
    object: q::JSValue,
) -> i32 {
    // SAFETY: the object is alive for the call; QuickJS passes room for the table and its length.
    unsafe {
        let value = q::JS_GetOpaque(object, value_class::<T>()).cast::<T>().as_ref();
        own_property_names(ctx, table, len, value.map(T::names))
    }
}

/// The place of `atom` in `names`.
pub(crate) fn find_in(names: &NameTable, atom: q::JSAtom) -> Option<usize> {
    names.index.get(&atom).copied()
}

/// Fills in the table that QuickJS asks for with all of `names`, as enumerable.
///
/// # Safety
/// The context must be live; `table` and `len` must be writable.
pub(crate) unsafe fn own_property_names(
    ctx: *mut q::JSContext,
    table: *mut *mut q::JSPropertyEnum,
    len: *mut u32,
    names: Option<&NameTable>,
) -> i32 {
    let names = names.map(|names| names.keys.as_slice()).unwrap_or_default();
    // SAFETY: QuickJS frees the table with `js_free` and each atom in it.
    unsafe {
        let bytes = names.len().max(1) * size_of::<q::JSPropertyEnum>();
        let entries = q::js_malloc(ctx, bytes as _).cast::<MaybeUninit<q::JSPropertyEnum>>();
        if entries.is_null() {
            return -1;
        }
        for (at, &atom) in names.iter().enumerate() {
            let entry = q::JSPropertyEnum { is_enumerable: true, atom: q::JS_DupAtom(ctx, atom) };
            (*entries.add(at)).write(entry);
        }
        *table = entries.cast();
        *len = names.len() as u32;
    }
    0
}

unsafe extern "C" fn delete_property<T: Lazy>(_ctx: *mut q::JSContext, object: q::JSValue, atom: q::JSAtom) -> i32 {
    // SAFETY: the object is alive for the call.
    i32::from(unsafe { find::<T>(object, atom) }.is_none())
}

/// ValidateAndApplyPropertyDescriptor for a property that is frozen: only a change that changes nothing is allowed.
unsafe extern "C" fn define_own_property<T: Lazy>(
    ctx: *mut q::JSContext,
    object: q::JSValue,
    atom: q::JSAtom,
    new_value: q::JSValue,
    _getter: q::JSValue,
    _setter: q::JSValue,
    flags: i32,
) -> i32 {
    let has = |flag: u32| flags as u32 & flag != 0;
    // SAFETY: the object is alive for the call.
    let unchanged = match unsafe { find::<T>(object, atom) } {
        None => false,
        Some((value, index)) => {
            let other_attributes = has(q::JS_PROP_HAS_GET)
                || has(q::JS_PROP_HAS_SET)
                || (has(q::JS_PROP_HAS_CONFIGURABLE) && has(q::JS_PROP_CONFIGURABLE))
                || (has(q::JS_PROP_HAS_WRITABLE) && has(q::JS_PROP_WRITABLE))
                || (has(q::JS_PROP_HAS_ENUMERABLE) && !has(q::JS_PROP_ENUMERABLE));
            let same_value = !has(q::JS_PROP_HAS_VALUE) || {
                // SAFETY: as above; the loaded value is given back.
                unsafe {
                    let current = load(ctx, value, index);
                    if q::JS_IsException(current) {
                        return -1;
                    }
                    let same = q::JS_IsSameValue(ctx, current, new_value);
                    q::JS_FreeValue(ctx, current);
                    same
                }
            };
            !other_attributes && same_value
        }
    };
    if unchanged {
        return 1;
    }
    if has(q::JS_PROP_THROW) {
        // SAFETY: QuickJS calls with a live context.
        let ctx = unsafe { Cx::from_raw(ctx) }.ctx();
        rquickjs::Exception::throw_type(&ctx, "the object is frozen");
        return -1;
    }
    0
}
