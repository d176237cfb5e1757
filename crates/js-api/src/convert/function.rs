//! Exported functions, and JavaScript functions as imports.

use std::rc::{Rc, Weak};

use island::call::{Failure, HostFrame, Number, PlainType, Signature, Slot, Slots, StackMark, ValueTypes};
use island::wasmtime::{AsContextMut, Func, FuncType, Val};
use island::{Callee, Export, Frame, FunctionKey, HostFunction, HostThrew, Island, NumberKind};
use qjs::{Args, Arguments, Borrowed, Callable, Ctx, Cx, Exception, HostClass, Mark, Result, Returned, Value, class};
use smallvec::SmallVec;

use webidl::Place;

use crate::convert::exception::throw_call_error;
use crate::convert::exception::throw_into_guest;
use crate::convert::typed_function;
use crate::convert::values::{Outgoing, Resolved, from_number, never_crosses, take_val, to_host_value, to_number_at};
use crate::runtime::island_realm::{IslandHandle, IslandRealm};
use crate::runtime::memory_core;

/// An Exported Function: a function object that calls a WebAssembly function.
#[derive(HostClass, Mark)]
#[host_class(name = "Function")]
pub struct ExportedFunction {
    link: IslandHandle,
    #[mark(skip)]
    callee: Callee,
    #[mark(skip)]
    key: FunctionKey,
    /// The name of the export that it was first seen as, or its index, for messages.
    #[mark(skip)]
    label: Box<str>,
    /// Why scripts cannot call it, if they cannot.
    #[mark(skip)]
    refused: Option<&'static str>,
}

impl Drop for ExportedFunction {
    fn drop(&mut self) {
        self.link.shared.forget_function(self.key);
    }
}

/// "A new Exported Function" for an address of the link's island: the one there is, or a new one.
pub(crate) fn exported_function<'js>(
    ctx: &Ctx<'js>,
    link: &IslandHandle,
    func: Func,
    key: FunctionKey,
    export: Option<&Export>,
) -> Result<Value<'js>> {
    link.shared.function::<ExportedFunction>(ctx, key, || {
        // It comes from the island itself.
        let callee = Callee::new(&link.shared.island, func).ok_or(rquickjs::Error::Unknown)?;
        let length = callee.ty().params().len() as i32;
        // "The name of the WebAssembly function": its index in the module that defines it, or that exports a host
        // function.
        let index = link.shared.island.function_index(func).or(export.map(|export| export.index));
        let name = index.map(|index| index.to_string()).unwrap_or_default();
        let label = match export {
            Some(export) => export.name.clone(),
            None => format!("wasm-function[{name}]"),
        };
        let function = ExportedFunction {
            link: link.duplicate(),
            refused: uncrossable(callee.ty()),
            callee,
            key,
            label: label.into(),
        };
        let object = class::new_object(ctx, function, Some(&typed_function::prototype(ctx)?))?;
        qjs::define::function_properties(ctx, &object, &name, length)?;
        Ok(object.into_value())
    })
}

impl ExportedFunction {
    /// The island that the function is in.
    #[inline]
    pub fn link(&self) -> &IslandHandle {
        &self.link
    }

    /// What to call the function in messages: the name that it is exported by, if it was seen as an export.
    #[inline]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What tells the function from the others of its island.
    pub(crate) fn key(&self) -> FunctionKey {
        self.key
    }

    /// The function, ready to be called.
    #[inline]
    pub fn callee(&self) -> &Callee {
        &self.callee
    }

    /// Calls the function with a filled frame, which then has its results.
    ///
    /// # Errors
    /// The exception is pending in the context.
    #[inline]
    pub fn call_frame(&self, cx: Cx<'_>, frame: &mut Frame<'_>) -> Result<()> {
        let result = self.link.shared.island.call_numeric(&self.callee, frame);
        memory_core::refresh_grown(cx, &self.link.shared.api);
        result.map_err(|error| throw_call_error(&cx.ctx(), error))
    }

    /// Calls the function, whose type is [plain](Callee::plain). Returns its result; `None` if an exception is pending in
    /// the context instead.
    #[inline(always)]
    pub fn call_slots(&self, cx: Cx<'_>, arguments: &mut Slots) -> Option<Slot> {
        let shared = &self.link.shared;
        match shared.island.call_plain(&self.callee, arguments) {
            Ok(slot) => {
                memory_core::refresh_grown(cx, &shared.api);
                Some(slot)
            }
            Err(failure) => {
                self.throw(cx, failure);
                None
            }
        }
    }

    #[cold]
    fn throw(&self, cx: Cx<'_>, failure: Failure) {
        let shared = &self.link.shared;
        let error = failure.explain(&shared.island, self.callee.func());
        // The buffers of memories that grew are looked after before any script runs, so before an error is made.
        memory_core::refresh_grown(cx, &shared.api);
        let error = throw_call_error(&cx.ctx(), error);
        let _ = Returned::thrown(cx, error);
    }

    /// Where C's stack ends now, for [`ExportedFunction::unwind_stack`].
    #[inline]
    pub fn mark_stack(&self) -> StackMark {
        self.link.shared.island.mark_stack(&self.callee)
    }

    /// After a call that did not return: has C's stack in the guest's memory end where it did before. (In the JavaScript
    /// API it does not: what a guest that throws has left there may still be used.)
    #[cold]
    pub fn unwind_stack(&self, mark: StackMark) {
        self.link.shared.island.unwind_stack(&self.callee, mark);
    }

    #[inline]
    fn call_plain(&self, cx: Cx<'_>, ty: &PlainType, args: Args<'_>) -> Returned {
        let mut arguments = Slots::default();
        for (at, &kind) in ty.params().iter().enumerate() {
            let number = match (kind, args.get(at).int()) {
                (NumberKind::I32, Some(int)) => Number::I32(int),
                _ => match self.number_at(cx, args, at, kind) {
                    Ok(number) => number,
                    Err(error) => return Returned::thrown(cx, error),
                },
            };
            arguments.set(at, number);
        }
        match (self.call_slots(cx, &mut arguments), ty.result()) {
            (Some(slot), Some(kind)) => from_number(cx, slot.number(kind)),
            (Some(_), None) => Returned::UNDEFINED,
            (None, _) => Returned::EXCEPTION,
        }
    }

    fn number_at(&self, cx: Cx<'_>, args: Args<'_>, at: usize, kind: NumberKind) -> Result<Number> {
        match (kind, args.get(at).number()) {
            (NumberKind::F64, Some(number)) => Ok(Number::F64(number)),
            _ => to_number_at(cx, args.get(at), kind, Place::argument(&self.label, at)),
        }
    }

    fn call_numeric(&self, cx: Cx<'_>, args: Args<'_>) -> Result<Returned> {
        let ty = self.callee.numeric().expect("checked by the caller");
        let mut frame = Frame::new(ty);
        let mut at = 0;
        while let Some(kind) = frame.next() {
            let arg = args.get(at);
            match (kind, arg.int()) {
                (NumberKind::I32, Some(int)) => frame.push_i32(int),
                _ => frame.push(to_number_at(cx, arg, kind, Place::argument(&self.label, at))?),
            }
            at += 1;
        }
        self.call_frame(cx, &mut frame)?;
        match ty.results.len() {
            0 => Ok(Returned::UNDEFINED),
            1 => Ok(from_number(cx, frame.result(0))),
            count => {
                let mut array = qjs::array::ArrayBuilder::new(cx, count)?;
                (0..count).try_for_each(|at| array.push(from_number(cx, frame.result(at))))?;
                Ok(cx.returned(&array.finish()?))
            }
        }
    }

    /// "Coerce JavaScript arguments": all conversions, which can run scripts, come before the store is entered.
    pub(crate) fn coerce_arguments(&self, ctx: &Ctx<'_>, args: Args<'_>) -> Result<SmallVec<[Resolved; 4]>> {
        if let Some(message) = self.refused {
            return Err(Exception::throw_type(ctx, message));
        }
        let params = self.callee.signature().params.iter().enumerate();
        let params = params.map(|(at, ty)| {
            to_host_value(ctx, args.get(at), ty, Place::argument(&self.label, at))?.resolve(ctx, &self.link)
        });
        params.collect()
    }

    fn call_values(&self, cx: Cx<'_>, args: Args<'_>) -> Result<Returned> {
        let ctx = cx.ctx();
        let params = self.coerce_arguments(&ctx, args)?;
        let shared = &self.link.shared;
        let outcome = shared.island.call_with(
            &self.callee,
            |store| params.iter().map(|value| value.to_val(shared, store.as_context_mut())).collect(),
            |store, results| {
                let outgoing = results.iter().map(|val| take_val(&ctx, shared, store, val));
                outgoing.collect::<SmallVec<[_; 2]>>()
            },
        );
        memory_core::refresh_grown(cx, &shared.api);
        results_to_js(cx, &self.link, outcome.map_err(|error| throw_call_error(&ctx, error))?)
    }
}

/// ToJSValue of what a function returned: `undefined`, the one value, or an array of them.
pub(crate) fn results_to_js<'js>(
    cx: Cx<'js>,
    link: &IslandHandle,
    mut outgoing: SmallVec<[Outgoing<'js>; 2]>,
) -> Result<Returned> {
    let ctx = cx.ctx();
    match outgoing.len() {
        0 => Ok(Returned::UNDEFINED),
        1 => Ok(cx.returned(&pinned(&ctx, link, outgoing.remove(0))?)),
        _ => {
            let mut array = qjs::array::ArrayBuilder::new(cx, outgoing.len())?;
            for value in outgoing {
                array.push(cx.returned(&pinned(&ctx, link, value)?))?;
            }
            Ok(cx.returned(&array.finish()?))
        }
    }
}

/// "Coerce WebAssembly arguments", but for what has to be done in the store's context.
pub(crate) fn push_arguments<'js>(
    cx: Cx<'js>,
    shared: &Rc<IslandRealm>,
    outgoing: SmallVec<[Outgoing<'js>; 4]>,
    arguments: &mut Arguments<'js>,
) -> Result<()> {
    let ctx = cx.ctx();
    let link = shared.link(&ctx).ok_or(rquickjs::Error::Unknown)?;
    outgoing.into_iter().try_for_each(|value| arguments.push(cx.returned(&pinned(&ctx, &link, value)?)))
}

/// "Coerce a JavaScript return".
pub(crate) fn coerce_return<'js>(
    cx: Cx<'js>,
    link: &IslandHandle,
    types: &ValueTypes,
    place: Place<'_>,
    result: Borrowed<'_>,
) -> Result<SmallVec<[Resolved; 2]>> {
    let ctx = &cx.ctx();
    let values: SmallVec<[Value; 1]> = match types.len() {
        0 => SmallVec::new(),
        1 => SmallVec::from_iter([result.to_value(cx)]),
        count => list(cx, result, count, place)?.into(),
    };
    let converted = values.iter().zip(types.iter());
    converted.map(|(value, ty)| to_host_value(ctx, Borrowed::of(value), ty, place)?.resolve(ctx, link)).collect()
}

/// ToJSValue for a value that reaches a script by other ways than an export, a table or a global: a function stays as
/// long as the island.
pub(crate) fn pinned<'js>(ctx: &Ctx<'js>, link: &IslandHandle, value: Outgoing<'js>) -> Result<Value<'js>> {
    let key = value.function_key();
    let value = value.into_js(ctx, link)?;
    if let Some(key) = key {
        link.shared.pin(key, &value);
    }
    Ok(value)
}

impl Callable for ExportedFunction {
    /// The island checks before a guest runs, but converting arguments can run scripts before that.
    const LOOKS_AT_STACK: bool = true;

    fn call(&self, cx: Cx<'_>, args: Args<'_>) -> Result<Returned> {
        match self.callee.plain() {
            Some(_) => Ok(self.call_quick(args.get(0), cx, args)),
            None if self.callee.numeric().is_some() => self.call_numeric(cx, args),
            None => self.call_values(cx, args),
        }
    }

    #[inline]
    fn call_quick(&self, _: Borrowed<'_>, cx: Cx<'_>, args: Args<'_>) -> Returned {
        match self.callee.plain() {
            Some(ty) => self.call_plain(cx, ty, args),
            None => self.call(cx, args).unwrap_or_else(|error| Returned::thrown(cx, error)),
        }
    }
}

/// A JavaScript function as an import ("create a host function").
pub(crate) struct HostImport {
    shared: Weak<IslandRealm>,
    import: usize,
    /// `env.f`, for messages.
    name: Box<str>,
    results: ValueTypes,
    /// Why it cannot be called, if it cannot.
    refused: Option<&'static str>,
}

impl HostImport {
    pub(crate) fn new(shared: &Rc<IslandRealm>, import: usize, name: &str, ty: &FuncType) -> Rc<Self> {
        let results = Signature::new(ty).results;
        let refused = uncrossable(ty);
        Rc::new(Self { shared: Rc::downgrade(shared), import, name: name.into(), results, refused })
    }

    /// Calls the import: `push` pushes the arguments, and `take` gets the result while it lasts.
    #[inline]
    fn run(
        &self,
        push: impl for<'js> FnOnce(Cx<'js>, &Rc<IslandRealm>, &mut Arguments<'js>) -> Result<()>,
        take: impl for<'js> FnOnce(Cx<'js>, &Rc<IslandRealm>, Borrowed<'_>) -> Result<()>,
    ) -> std::result::Result<(), HostThrew> {
        let shared = self.shared.upgrade().ok_or(HostThrew)?;
        call_host(&shared, |cx| {
            let mut arguments = Arguments::new(cx);
            push(cx, &shared, &mut arguments)?;
            let undefined = Args::default().get(0);
            let result = shared.import(self.import).call(cx, undefined, &mut arguments)?;
            take(cx, &shared, result.borrow())
        })
    }
}

/// Runs `body` for a guest that called its host, in the context of the guest's island. The guest can catch what it
/// throws.
///
/// # Errors
/// For the guest.
#[inline]
pub fn call_host<R>(
    shared: &Rc<IslandRealm>,
    body: impl for<'js> FnOnce(Cx<'js>) -> Result<R>,
) -> std::result::Result<R, HostThrew> {
    let result = shared.with(|cx| {
        memory_core::refresh_grown(cx, &shared.api);
        body(cx)
    });
    result.map_err(|error| shared.with(|cx| throw_into_guest(&cx.ctx(), shared, error)))
}

impl HostFunction for HostImport {
    #[inline]
    fn call_numeric(&self, _: &Rc<Island>, frame: &mut HostFrame<'_>) -> std::result::Result<(), HostThrew> {
        let frame = std::cell::RefCell::new(frame);
        self.run(
            |cx, _, arguments| frame.borrow().args().try_for_each(|arg| arguments.push(from_number(cx, arg))),
            |cx, _, result| {
                let mut frame = frame.borrow_mut();
                let kinds = frame.results();
                match kinds {
                    [] => {}
                    [kind] => frame.push(to_number_at(cx, result, *kind, Place::result(&self.name))?),
                    kinds => {
                        let place = Place::result(&self.name);
                        for (kind, value) in kinds.iter().zip(list(cx, result, kinds.len(), place)?) {
                            frame.push(to_number_at(cx, Borrowed::of(&value), *kind, place)?);
                        }
                    }
                }
                Ok(())
            },
        )
    }

    fn call_values(
        &self,
        island: &Rc<Island>,
        args: &[Val],
        results: &mut [Val],
    ) -> std::result::Result<(), HostThrew> {
        self.run(
            |cx, shared, arguments| {
                let ctx = cx.ctx();
                if let Some(message) = self.refused {
                    return Err(Exception::throw_type(&ctx, message));
                }
                let outgoing = island.enter(|mut store| {
                    let outgoing = args.iter().map(|val| take_val(&ctx, shared, &mut store, val));
                    outgoing.collect::<SmallVec<[_; 4]>>()
                });
                push_arguments(cx, shared, outgoing, arguments)
            },
            |cx, shared, result| {
                let ctx = cx.ctx();
                let link = shared.link(&ctx).ok_or(rquickjs::Error::Unknown)?;
                let converted = coerce_return(cx, &link, &self.results, Place::result(&self.name), result)?;
                for (slot, value) in results.iter_mut().zip(&converted) {
                    let made = island.enter(|store| value.to_val(shared, store));
                    *slot = made.map_err(|error| crate::convert::values::out_of_memory(&ctx, &error))?;
                }
                Ok(())
            },
        )
    }
}

/// Why a function of the type cannot be called across the boundary, in either direction; `None` if it can.
pub(crate) fn uncrossable(ty: &FuncType) -> Option<&'static str> {
    ty.params().chain(ty.results()).find_map(|ty| never_crosses(&ty))
}

/// IteratorToList for several results, which must be as many as the function has.
pub(crate) fn list<'js>(
    cx: Cx<'js>,
    value: Borrowed<'_>,
    expected: usize,
    place: Place<'_>,
) -> Result<Vec<Value<'js>>> {
    let ctx = cx.ctx();
    let value = value.to_value(cx);
    let refuse = |came: &str| {
        let message = format!("{place}: expected an iterable of {expected} values, got {came}");
        Exception::throw_type(&ctx, &message)
    };
    if value.is_undefined() || value.is_null() {
        return Err(refuse(webidl::describe(&value)));
    }
    let values = webidl::iterator_to_list(&value)?.ok_or_else(|| refuse(webidl::describe(&value)))?;
    if values.len() != expected {
        return Err(refuse(&format!("one of {}", values.len())));
    }
    Ok(values)
}
