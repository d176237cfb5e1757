//! What kind of built-in object a value is, whatever scripts did to its prototype.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use rquickjs::{Ctx, Object, Value, qjs as q};

use crate::value::{Borrowed, Cx};

/// An object's internal slots, as far as structured serialize tells them apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "each is the class of that name")]
#[repr(u8)]
pub enum BuiltinKind {
    /// No slots that matter: an ordinary object, or an arguments object.
    Ordinary = 1,
    Array,
    Error,
    Number,
    String,
    Boolean,
    BigInt,
    Date,
    RegExp,
    Map,
    Set,
    ArrayBuffer,
    SharedArrayBuffer,
    TypedArray,
    DataView,
    DomException,
    /// Anything else: functions, proxies, promises, iterators, host objects …
    Other,
}

const ALL: [BuiltinKind; 17] = [
    BuiltinKind::Ordinary,
    BuiltinKind::Array,
    BuiltinKind::Error,
    BuiltinKind::Number,
    BuiltinKind::String,
    BuiltinKind::Boolean,
    BuiltinKind::BigInt,
    BuiltinKind::Date,
    BuiltinKind::RegExp,
    BuiltinKind::Map,
    BuiltinKind::Set,
    BuiltinKind::ArrayBuffer,
    BuiltinKind::SharedArrayBuffer,
    BuiltinKind::TypedArray,
    BuiltinKind::DataView,
    BuiltinKind::DomException,
    BuiltinKind::Other,
];

/// QuickJS's own classes have numbers below this; those that are added at run time have higher ones.
const BUILT_IN: usize = 80;

/// The kinds by class number, which QuickJS counts the same way in every runtime; 0 if nobody has asked.
static KINDS: [AtomicU8; BUILT_IN] = [const { AtomicU8::new(0) }; BUILT_IN];

/// The kind of an object; [`BuiltinKind::Other`] for anything but an object.
#[inline]
pub fn kind(cx: Cx<'_>, value: Borrowed<'_>) -> BuiltinKind {
    // SAFETY: QuickJS reads the object's class.
    let class = unsafe { q::JS_GetClassID(value.raw()) };
    let Some(known) = KINDS.get(class as usize) else { return BuiltinKind::Other };
    match known.load(Relaxed) {
        0 => {
            let kind = class_kind(cx, class);
            known.store(kind as u8, Relaxed);
            kind
        }
        kind => ALL[usize::from(kind) - 1],
    }
}

fn class_name(cx: Cx<'_>, class: q::JSClassID) -> Option<String> {
    // SAFETY: the runtime is live; a class without a name has the atom 0. The atom and the text are given back.
    unsafe {
        if !q::JS_IsRegisteredClass(cx.runtime(), class) {
            return None;
        }
        let atom = q::JS_GetClassName(cx.runtime(), class);
        let text = q::JS_AtomToCStringLen(cx.raw(), std::ptr::null_mut(), atom);
        q::JS_FreeAtom(cx.raw(), atom);
        if text.is_null() {
            return None;
        }
        let name = std::ffi::CStr::from_ptr(text).to_string_lossy().into_owned();
        q::JS_FreeCString(cx.raw(), text);
        Some(name)
    }
}

/// The name of an object's class as the engine has it, such as `Map Iterator`; `None` for anything but an object.
pub fn class_of(value: &Value<'_>) -> Option<String> {
    let cx = Cx::of(value.ctx());
    // SAFETY: QuickJS reads the object's class; for anything else it returns 0, which no class has.
    let class = unsafe { q::JS_GetClassID(value.as_raw()) };
    if class == 0 { None } else { class_name(cx, class) }
}

#[cold]
fn class_kind(cx: Cx<'_>, class: q::JSClassID) -> BuiltinKind {
    let Some(name) = class_name(cx, class) else { return BuiltinKind::Other };
    match &*name {
        // Class 1 is that of ordinary objects; the class of module namespaces has the same name.
        "Object" if class == 1 => BuiltinKind::Ordinary,
        "Arguments" => BuiltinKind::Ordinary,
        "Array" => BuiltinKind::Array,
        "Error" => BuiltinKind::Error,
        "Number" => BuiltinKind::Number,
        "String" => BuiltinKind::String,
        "Boolean" => BuiltinKind::Boolean,
        "BigInt" => BuiltinKind::BigInt,
        "Date" => BuiltinKind::Date,
        "RegExp" => BuiltinKind::RegExp,
        "Map" => BuiltinKind::Map,
        "Set" => BuiltinKind::Set,
        "ArrayBuffer" => BuiltinKind::ArrayBuffer,
        "SharedArrayBuffer" => BuiltinKind::SharedArrayBuffer,
        "DataView" => BuiltinKind::DataView,
        "DOMException" => BuiltinKind::DomException,
        name if name.ends_with("Array") => BuiltinKind::TypedArray,
        _ => BuiltinKind::Other,
    }
}

/// An object with \[\[ErrorData]] and the prototype, without properties. Neither a constructor nor
/// `Error.prepareStackTrace` runs.
///
/// # Errors
/// When memory is out.
pub fn new_error<'js>(ctx: &Ctx<'js>, prototype: &Object<'js>) -> rquickjs::Result<Object<'js>> {
    static CLASS: AtomicU8 = AtomicU8::new(0);
    let cx = Cx::of(ctx);
    if CLASS.load(Relaxed) == 0 {
        let is_error = |class: &u8| class_kind(cx, (*class).into()) == BuiltinKind::Error;
        let class = (1..BUILT_IN as u8).find(is_error).ok_or(rquickjs::Error::Unknown)?;
        CLASS.store(class, Relaxed);
    }
    // SAFETY: the prototype is alive; a new object of the class has no data that would be missing.
    let object = unsafe { q::JS_NewObjectProtoClass(cx.raw(), prototype.as_raw(), CLASS.load(Relaxed).into()) };
    cx.take(object)?.into_object().ok_or(rquickjs::Error::Unknown)
}

/// Whether a typed array or DataView tracks the length of its buffer ([\[ArrayLength]] is AUTO). False for anything
/// else.
pub fn is_length_tracking(value: &Value<'_>) -> bool {
    /// `JSTypedArray` of QuickJS, which its header does not show. `crates/qjs/tests/builtin_kind.rs` fails if that
    /// changes.
    #[repr(C)]
    struct TypedArray {
        link: [*const (); 2],
        object: *const (),
        buffer: *const (),
        offset: u32,
        length: u32,
        track_rab: bool,
    }
    let cx = Cx::of(value.ctx());
    if !matches!(kind(cx, Borrowed::of(value)), BuiltinKind::TypedArray | BuiltinKind::DataView) {
        return false;
    }
    let mut class = 0;
    // SAFETY: an object of one of these classes owns such a structure as long as it lives.
    unsafe { q::JS_GetAnyOpaque(value.as_raw(), &mut class).cast::<TypedArray>().as_ref() }
        .is_some_and(|it| it.track_rab)
}
