//! Where the functions of scripts that are running are on the thread's stack, and a hook that is asked whenever an
//! error writes down its frames.
//!
//! The engine has no function that tells of its frames, only texts and `CallSite`s of them. So its own records are read,
//! of which the innermost is found in the runtime by looking for one that must be there. The engine may change how that
//! looks: if nothing looks as it should, nothing is read.

use std::cell::Cell;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::OnceLock;

use rquickjs::atom::PredefinedAtom;
use rquickjs::object::Property;
use rquickjs::{Ctx, Object, Value, qjs as q};

use crate::Call;
use crate::class::{self, Callable, identity};
use crate::function::{Kind, function};
use crate::value::Cx;

/// The beginning of the engine's `JSStackFrame`.
#[repr(C)]
struct Record {
    previous: *const Record,
    function: q::JSValue,
}

/// A function that is running.
#[derive(Clone, Copy, Debug)]
pub struct Running {
    /// Where its record is on the thread's stack; `None` for async functions and generators, whose records are not.
    pub address: Option<usize>,
    /// The function, as [`identity`] has it.
    pub function: *const c_void,
}

/// The functions that are running, innermost first; `None` if the engine's records look in no way that is known.
pub fn running(ctx: &Ctx<'_>) -> Option<Vec<Running>> {
    let word = record_word(ctx)?;
    let stack = thread_stack();
    let mut found = Vec::new();
    // SAFETY: the word is the runtime's pointer to the innermost record, as was found out. Records are there for as
    // long as their functions run, and nothing runs meanwhile.
    unsafe {
        let mut next = *Cx::of(ctx).runtime().cast::<*const Record>().add(word);
        while let Some(record) = next.as_ref() {
            let address = next.addr();
            let function = q::JS_VALUE_GET_PTR(record.function).cast_const();
            found.push(Running { address: stack.contains(&address).then_some(address), function });
            next = record.previous;
        }
    }
    Some(found)
}

thread_local! {
    /// What [`probe`] looks for, and what it has found.
    static PROBED: Cell<(*const c_void, Option<usize>)> = const { Cell::new((std::ptr::null(), None)) };
}

/// Which word of a runtime points to the innermost record.
fn record_word(ctx: &Ctx<'_>) -> Option<usize> {
    static WORD: OnceLock<Option<usize>> = OnceLock::new();
    if let Some(word) = WORD.get() {
        return *word;
    }
    let look = || -> rquickjs::Result<Option<usize>> {
        let outer = function(ctx, Kind::Plain, "outer", 0, probe_twice)?;
        PROBED.set((identity(outer.as_value()), None));
        outer.call::<_, ()>(())?;
        Ok(PROBED.get().1)
    };
    match look() {
        Ok(word) => *WORD.get_or_init(|| word),
        Err(_) => {
            // There was no memory or no stack left to look: the next error may find it.
            drop(ctx.catch());
            None
        }
    }
}

/// Finds the word by the record of this function, and again by that of one which it calls.
fn probe_twice<'js>(call: Call<'_, 'js>) -> rquickjs::Result<Value<'js>> {
    let (outer, _) = PROBED.get();
    let first = probe(&call.ctx, outer);
    let inner = function(&call.ctx, Kind::Plain, "inner", 0, |call| {
        let (inner, _) = PROBED.get();
        PROBED.set((inner, probe(&call.ctx, inner)));
        Ok(Value::new_undefined(call.ctx))
    })?;
    PROBED.set((identity(inner.as_value()), None));
    inner.call::<_, ()>(())?;
    let second = PROBED.get().1;
    PROBED.set((outer, first.filter(|_| first == second)));
    Ok(Value::new_undefined(call.ctx))
}

/// The word of the runtime that points to a record, further up this stack, of a function.
fn probe(ctx: &Ctx<'_>, function: *const c_void) -> Option<usize> {
    /// A runtime has 187, and the one that is looked for comes before this.
    const WORDS: usize = 180;
    /// How far up the record of the function that is running can be.
    const FRAMES: usize = 64 << 10;
    let here = (&raw const function).addr();
    let above = here..thread_stack().end.min(here + FRAMES).saturating_sub(size_of::<Record>());
    let runtime = Cx::of(ctx).runtime().cast_const().cast::<*const Record>();
    (0..WORDS).find(|&at| {
        // SAFETY: the runtime is at least so long, and is aligned as pointers are.
        let record = unsafe { *runtime.add(at) };
        if !above.contains(&record.addr()) || !record.is_aligned() {
            return false;
        }
        // SAFETY: it is aligned and on the part of this thread's stack that is in use; any bits are a value as long as
        // nobody follows its pointer.
        let value = unsafe { (&raw const (*record).function).read() };
        // SAFETY: the tag and the pointer are only looked at.
        unsafe { q::JS_VALUE_GET_TAG(value) == q::JS_TAG_OBJECT && q::JS_VALUE_GET_PTR(value).cast_const() == function }
    })
}

/// This thread's stack; empty if the system does not tell.
fn thread_stack() -> Range<usize> {
    thread_local! {
        static STACK: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
    }
    if STACK.get() == (0, 0) {
        STACK.set(ask_for_stack());
    }
    STACK.get().0..STACK.get().1
}

#[cold]
fn ask_for_stack() -> (usize, usize) {
    let (mut start, mut size) = (std::ptr::null_mut(), 0);
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: the attributes are initialised by the first call, read by the second, and given back by the third.
    unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return (1, 1);
        }
        let found = libc::pthread_attr_getstack(attributes.as_ptr(), &mut start, &mut size);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        if found == 0 { (start.addr().max(1), start.addr() + size) } else { (1, 1) }
    }
}

/// Has `hook` asked, whenever an error writes down its frames, how many of them there shall be. `set_limit` is the
/// engine's own setter of `Error.stackTraceLimit`; to be called once in a context, since the engine never gives back
/// what a limit was before.
///
/// The hook runs where the stack may be used up, and in the middle of anything.
///
/// # Errors
/// When memory is out.
pub fn hook_limit<'js, T: Callable>(
    ctx: &Ctx<'js>,
    error: &Object<'js>,
    set_limit: &rquickjs::Function<'js>,
    hook: T,
) -> rquickjs::Result<()> {
    const { assert!(T::LOOKS_AT_STACK) };
    let limit = crate::pristine::bare_object(ctx)?;
    let hook = callable(ctx, hook)?;
    limit.prop(PredefinedAtom::SymbolToPrimitive, Property::from(hook))?;
    set_limit.call((rquickjs::prelude::This(error.clone()), limit))
}

/// A bare object that can be called.
///
/// # Errors
/// When memory is out.
pub fn callable<'js, T: Callable>(ctx: &Ctx<'js>, value: T) -> rquickjs::Result<Object<'js>> {
    class::register_callable::<T>(ctx)?;
    class::new_bare_object(ctx, value)
}
