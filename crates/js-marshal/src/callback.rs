//! JavaScript functions as C function pointers.
//!
//! A function pointer is an index into the guest's table of functions. For each signature a guest has slots there, each
//! with a host function that was made once and stays. A callback takes a slot and gives it back when it ends, so the
//! table needs room only for the callbacks that exist at the same time. A guest that calls a slot without a callback
//! gets an error that says so.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use island::call::{HostFrame, Number};
use island::wasmtime::{Func, FuncType, Ref, Table, Val, ValType};
use island::{HostFunction, HostThrew, Island, NumberKind, SuspendingFunction};
use js_api::island_realm::IslandHandle;
use qjs::{
    Args, Arguments, Borrowed, Call, Ctx, Cx, Exception, Held, HostClass, Mark, MarkedRc, Object, Result, Value, class,
    define,
};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::async_call::start_callback;
use crate::call::{Kinds, Passing, by_room, kinds, passing};
use crate::changes::Changes;
use crate::convert::{CallArguments, Marshal};
use crate::ledger::Ledger;
use crate::manager::ManagerObject;
use crate::scalar::Scalar;
use crate::types::{Param, Signature, Type, TypeObject};

/// A guest's slots for callbacks.
pub(crate) struct Callbacks {
    table: Option<Table>,
    /// The free slots, by signature and whether their callbacks may return promises.
    free: RefCell<FxHashMap<SlotKind, Vec<Rc<Slot>>>>,
}

/// A signature, and whether callbacks may return promises.
type SlotKind = (Kinds, bool);

/// A place in the table.
struct Slot {
    /// The index: the function pointer.
    index: u32,
    kinds: SlotKind,
    target: RefCell<Weak<CallbackState>>,
}

impl Callbacks {
    pub(crate) fn new(table: Option<Table>) -> Rc<Self> {
        Rc::new(Self { table, free: RefCell::default() })
    }

    /// Takes a slot for functions of this signature.
    fn take(&self, link: &IslandHandle, kinds: &SlotKind) -> std::result::Result<Rc<Slot>, String> {
        if let Some(slot) = self.free.borrow_mut().get_mut(kinds).and_then(Vec::pop) {
            return Ok(slot);
        }
        let Some(table) = self.table else {
            return Err("the guest exports no table of functions (link it with --export-table)".into());
        };
        let island = &link.shared.island;
        let slot = Rc::new_cyclic(|slot: &Weak<Slot>| {
            let (kinds, is_async) = kinds;
            let ty = func_type(island, kinds);
            let host = Rc::new(Dispatch { slot: slot.clone(), realm: Rc::downgrade(&link.shared) });
            let func: Option<Func> = match is_async {
                true => island.new_suspending_function(ty, host),
                false => island.new_function(ty, host),
            };
            let index = func.and_then(|func| {
                let grown = island.enter(|mut store| table.grow(&mut store, 1, Ref::Func(Some(func))));
                u32::try_from(grown.ok()?).ok()
            });
            let kinds = (kinds.clone(), *is_async);
            Slot { index: index.unwrap_or(u32::MAX), kinds, target: RefCell::default() }
        });
        if slot.index == u32::MAX {
            return Err("the guest's table of functions cannot grow (link it with --growable-table)".into());
        }
        Ok(slot)
    }

    fn give_back(&self, slot: Rc<Slot>) {
        let before = slot.target.replace(Weak::new());
        drop(before);
        self.free.borrow_mut().entry(slot.kinds.clone()).or_default().push(slot);
    }
}

fn func_type(island: &Rc<Island>, (params, result): &Kinds) -> FuncType {
    let value = |kind: &NumberKind| match kind {
        NumberKind::I32 => ValType::I32,
        NumberKind::I64 => ValType::I64,
        NumberKind::F32 => ValType::F32,
        NumberKind::F64 => ValType::F64,
    };
    FuncType::new(island.engine().wasmtime(), params.iter().map(value), result.iter().map(value))
}

/// A JavaScript function that has a slot.
#[derive(Mark)]
pub(crate) struct CallbackState {
    pub(crate) function: Held,
    /// Its name in messages.
    #[mark(skip)]
    pub(crate) name: Box<str>,
    /// The descriptor of its type, which is a copy of its own.
    pub(crate) ty: Held,
    pub(crate) manager: Held,
    #[mark(skip)]
    slot: RefCell<Option<Rc<Slot>>>,
    #[mark(skip)]
    callbacks: Weak<Callbacks>,
    #[mark(skip)]
    index: u32,
    /// The numbers that it takes and returns, if it deals in nothing else.
    #[mark(skip)]
    numbers: Option<(SmallVec<[Scalar; 8]>, Option<Scalar>)>,
}

/// The numbers that a signature consists of, if it does.
fn numbers_alone(signature: &Signature) -> Option<(SmallVec<[Scalar; 8]>, Option<Scalar>)> {
    let number = |ty: &TypeObject| ty.scalar().filter(|_| !ty.exact && matches!(ty.ty, Type::Scalar(_)));
    let params = signature.params.iter().map(|param| number(param.ty.get())).collect::<Option<_>>()?;
    match signature.returns.as_ref().map(|ty| ty.get()) {
        None => Some((params, None)),
        Some(ty) if matches!(ty.ty, Type::Void) => Some((params, None)),
        Some(ty) => Some((params, Some(number(ty)?))),
    }
}

impl CallbackState {
    /// Gives `function` a slot.
    ///
    /// # Errors
    /// A TypeError if the guest has no table that can grow.
    pub(crate) fn new(marshal: &Marshal<'_, '_>, ty: &TypeObject, function: &Value<'_>) -> Result<Rc<Self>> {
        let Type::Callback(signature) = &ty.ty else { unreachable!("called for callbacks alone") };
        let manager = marshal.manager;
        let kinds = (kinds(signature, marshal.is_wide()), signature.is_async);
        let slot = manager.callbacks().take(manager.link(), &kinds).map_err(|message| marshal.type_error(message))?;
        let ty = class::new_object(marshal.ctx, ty.duplicate(), None)?;
        let state = Rc::new(Self {
            function: Held::new(function),
            name: format!("{marshal}: callback").into(),
            ty: Held::new(ty.as_value()),
            manager: marshal.manager_held(),
            index: slot.index,
            numbers: numbers_alone(signature),
            slot: RefCell::new(Some(slot.clone())),
            callbacks: Rc::downgrade(manager.callbacks()),
        });
        let before = slot.target.replace(Rc::downgrade(&state));
        drop(before);
        Ok(state)
    }

    /// The function pointer.
    pub(crate) fn address(&self) -> u64 {
        self.index.into()
    }

    /// Gives the slot back.
    pub(crate) fn disarm(&self) {
        let slot = self.slot.take();
        if let (Some(slot), Some(callbacks)) = (slot, self.callbacks.upgrade()) {
            callbacks.give_back(slot);
        }
    }

    fn is_armed(&self) -> bool {
        self.slot.borrow().is_some()
    }
}

impl Drop for CallbackState {
    fn drop(&mut self) {
        self.disarm();
    }
}

/// The host function in a slot.
struct Dispatch {
    slot: Weak<Slot>,
    realm: Weak<js_api::island_realm::IslandRealm>,
}

impl HostFunction for Dispatch {
    fn call_numeric(&self, _: &Rc<Island>, frame: &mut HostFrame<'_>) -> std::result::Result<(), HostThrew> {
        let shared = self.realm.upgrade().ok_or(HostThrew)?;
        let numbers: SmallVec<[Number; 8]> = frame.args().collect();
        let result = js_api::call_host(&shared, |cx| run(cx, self.slot.upgrade().as_deref(), &numbers));
        if let Some(number) = result? {
            frame.push(number);
        }
        Ok(())
    }

    fn call_values(&self, _: &Rc<Island>, _: &[Val], _: &mut [Val]) -> std::result::Result<(), HostThrew> {
        unreachable!("the signature has numbers alone")
    }
}

impl SuspendingFunction for Dispatch {
    fn start(&self, island: &Rc<Island>, arguments: island::Arguments<'_>) -> std::result::Result<(), HostThrew> {
        let shared = self.realm.upgrade().ok_or(HostThrew)?;
        let numbers = arguments.numbers(island);
        js_api::call_host(&shared, |cx| start_callback(cx, &*target(cx, self.slot.upgrade().as_deref())?, &numbers))
    }

    fn refuse(&self, _: &Rc<Island>) -> HostThrew {
        const WHY: &str = "it is async: the guest can only wait for it in a function that is declared async, with no \
                           JavaScript in between";
        let name = |cx: Cx<'_>| Ok(target(cx, self.slot.upgrade().as_deref())?.name.to_string());
        js_api::refuse_suspension(&self.realm, name, WHY)
    }
}

/// The callback that has the slot.
fn target(cx: Cx<'_>, slot: Option<&Slot>) -> Result<Rc<CallbackState>> {
    slot.and_then(|slot| slot.target.borrow().upgrade()).ok_or_else(|| {
        let which = slot.map(|slot| format!(" {}", slot.index)).unwrap_or_default();
        let message = format!(
            "the guest called the function pointer{which}, whose callback has ended: keep a Callback for as long as it \
             is called"
        );
        Exception::throw_type(&cx.ctx(), &message)
    })
}

/// Calls the function that has the slot.
fn run(cx: Cx<'_>, slot: Option<&Slot>, numbers: &[Number]) -> Result<Option<Number>> {
    let ctx = cx.ctx();
    let state = target(cx, slot)?;
    if let Some((params, returns)) = &state.numbers {
        let mut arguments = Arguments::new(cx);
        let mut came = params.iter().zip(numbers);
        came.try_for_each(|(scalar, &number)| arguments.push(scalar.result_to_js(cx, number)))?;
        let result = state.function.call(cx, Args::default().get(0), &mut arguments)?;
        let Some(scalar) = returns else { return Ok(None) };
        let manager = class::get::<ManagerObject>(state.manager.borrow()).ok_or(rquickjs::Error::Unknown)?;
        if let Some(number) = scalar.to_argument(cx, result.borrow(), manager.heap().is_wide())? {
            return Ok(Some(number));
        }
        let marshal = Marshal::new(&ctx, state.manager.borrow(), &state.name);
        marshal.enter_part(webidl::Part::Result);
        return marshal.number(&TypeObject::new(Type::Scalar(*scalar)), *scalar, result.borrow()).map(Some);
    }
    let (ty, manager) = (state.ty.borrow(), state.manager.borrow());
    with_callback(&ctx, ty, manager, &state.name, Ledger::default(), |marshal, signature| {
        let result = call_back(marshal, &state, signature, numbers);
        let result = result.and_then(|number| marshal.consume().map(|()| number));
        marshal.finish(result)
    })
}

/// Runs `body` with an operation for a callback of this type that has this ledger.
pub(crate) fn with_callback<'js, R>(
    ctx: &Ctx<'js>,
    ty: Borrowed<'_>,
    manager: Borrowed<'_>,
    name: &str,
    ledger: Ledger,
    body: impl FnOnce(&Marshal<'_, 'js>, &Signature) -> R,
) -> R {
    let ty: &TypeObject = class::get(ty).expect("made with one");
    let Type::Callback(signature) = &ty.ty else { unreachable!("made of a callback's type") };
    let arguments = CallArguments::new(Args::default(), 0, Some(signature));
    arguments.returned.set(true);
    let mut marshal = Marshal::new(ctx, manager, name);
    marshal.call = Some(&arguments);
    marshal.ledger = ledger;
    body(&marshal, signature)
}

/// What a callback's function is passed.
pub(crate) struct Passed<'js> {
    pub(crate) values: SmallVec<[Value<'js>; 4]>,
    /// As many elements as there are before the call, since the script may lengthen the arrays.
    pub(crate) counts: SmallVec<[u64; 4]>,
    /// The numbers that the guest passed, one for each parameter.
    pub(crate) numbers: SmallVec<[Number; 8]>,
    /// Where a record that is returned goes.
    pub(crate) room: Option<u64>,
}

fn call_back(
    marshal: &Marshal<'_, '_>,
    state: &CallbackState,
    signature: &Signature,
    numbers: &[Number],
) -> Result<Option<Number>> {
    let cx = marshal.cx();
    let passed = pass_to_callback(marshal, signature, numbers)?;
    let mut arguments = Arguments::new(cx);
    passed.values.iter().try_for_each(|value| arguments.push(cx.returned(value)))?;
    let changes = Changes::new(marshal);
    let result = state.function.call(cx, Args::default().get(0), &mut arguments)?;
    return_to_guest(marshal, signature, &passed, &changes, result.borrow())
}

/// Makes the arguments of a callback's function.
pub(crate) fn pass_to_callback<'js>(
    marshal: &Marshal<'_, 'js>,
    signature: &Signature,
    numbers: &[Number],
) -> Result<Passed<'js>> {
    let cx = marshal.cx();
    let wide = marshal.is_wide();
    let (room, numbers) = match by_room(signature, wide) {
        true => (numbers.first().map(|room| room.as_address()), numbers.get(1..).unwrap_or_default()),
        false => (None, numbers),
    };
    let mut passed = numbers.iter().copied();
    let nothing = |ty: &TypeObject| matches!(passing(ty, wide), Passing::Nothing);
    let number = |param: &Param| if nothing(param.ty.get()) { Some(Number::I32(0)) } else { passed.next() };
    let numbers: SmallVec<[Number; 8]> = signature.params.iter().map_while(number).collect();
    if let Some(call) = marshal.call {
        call.numbers.borrow_mut().extend_from_slice(&numbers);
    }
    let mut values: SmallVec<[Value; 4]> = SmallVec::new();
    // What the script sets in pointers that come out goes back to the guest.
    for (at, (param, &number)) in signature.params.iter().zip(&numbers).enumerate() {
        marshal.enter_part(webidl::Part::Argument(at));
        let ty = param.ty.get();
        marshal.begin_argument(param.direction.comes_out);
        let value = match (&ty.ty, ty.scalar()) {
            (_, Some(scalar)) => scalar.result_to_js(cx, number).into_value(cx)?,
            (Type::Record(shape, _), _) => {
                let shape = shape.get().ok_or_else(|| marshal.no_value(ty))?;
                match shape.single(wide) {
                    _ if shape.is_nothing(wide) => {
                        let address = marshal.allocate(shape.layout(wide).size.max(1))?;
                        marshal.clear(address, shape.layout(wide).size)?;
                        marshal.read_value(ty, marshal.range(address, shape.layout(wide).size)?, false, None)?
                    }
                    Some(scalar) => {
                        let size = scalar.size(wide) as u64;
                        let address = marshal.allocate(size)?;
                        marshal.write(address, &crate::scalar::bits(number).to_le_bytes()[..size as usize])?;
                        marshal.read_value(ty, marshal.range(address, size)?, false, None)?
                    }
                    None => {
                        let bytes = marshal.range(number.as_address(), shape.layout(wide).size)?;
                        marshal.read_value(ty, bytes, false, None)?
                    }
                }
            }
            // What a callback gets is the guest's, unless its type says that it is given away.
            _ => marshal.pointee_of(ty, number.as_address(), ty.is_owned(false), None)?,
        };
        values.push(value);
    }
    let count = |value: &Value<'_>| value.as_array().map_or(0, |array| array.len() as u64);
    let counts: SmallVec<[u64; 4]> = values.iter().map(count).collect();
    Ok(Passed { values, counts, numbers, room })
}

/// Gives the guest what a callback's function has returned, and what it has changed.
pub(crate) fn return_to_guest<'js>(
    marshal: &Marshal<'_, 'js>,
    signature: &Signature,
    passed: &Passed<'js>,
    changes: &Changes<'_, '_, 'js>,
    result: Borrowed<'_>,
) -> Result<Option<Number>> {
    let wide = marshal.is_wide();
    for (at, (param, &number)) in signature.params.iter().zip(&passed.numbers).enumerate() {
        if param.direction.comes_out && number.as_address() != 0 {
            marshal.enter_part(webidl::Part::Argument(at));
            marshal
                .giving(|| changes.put(param.ty.get(), number.as_address(), &passed.values[at], passed.counts[at]))?;
        }
    }
    marshal.enter_part(webidl::Part::Result);
    let Some(returns) = signature.returns.as_ref().map(|ty| ty.get()).filter(|ty| !matches!(ty.ty, Type::Void)) else {
        return Ok(None);
    };
    if let Some(scalar) = returns.scalar() {
        return marshal.number(returns, scalar, result).map(Some);
    }
    // What a callback returns is the guest's from then on.
    if let Some(room) = passed.room {
        marshal.giving(|| marshal.write_value(returns, room, result))?;
        return Ok(None);
    }
    if let Type::Record(shape, _) = &returns.ty {
        let shape = shape.get().ok_or_else(|| marshal.no_value(returns))?;
        // The number itself needs a place for the moment. What it points to does not end with it.
        let place = marshal.allocate(shape.layout(wide).size)?;
        let Some(scalar) = shape.single(wide) else {
            return marshal.write_value(returns, place, result).map(|()| None);
        };
        return marshal.giving(|| marshal.single(returns, scalar, place, result)).map(Some);
    }
    let direction = crate::types::Direction { goes_in: true, comes_out: false, is_result: false };
    let address = marshal.giving(|| marshal.pointer_to(returns, result, direction))?;
    Ok(Some(marshal.pointer(address)))
}

/// The function behind a function pointer that the guest gave out: the script's own for a callback, else the guest's.
pub(crate) fn function_at<'js>(marshal: &Marshal<'_, 'js>, address: u64) -> Result<Value<'js>> {
    if address == 0 {
        return Ok(Value::new_null(marshal.ctx.clone()));
    }
    // A guest calls it by its index. Scripts get the index, which any parameter of a function pointer's type accepts.
    Ok(Value::new_number(marshal.ctx.clone(), address as f64))
}

/// The value of a Callback.
#[derive(HostClass, Mark)]
#[host_class(name = "Callback")]
pub(crate) struct CallbackObject {
    state: MarkedRc<CallbackState>,
}

impl CallbackObject {
    fn new(state: Rc<CallbackState>) -> Self {
        Self { state: MarkedRc::new(state) }
    }

    /// Its function pointer.
    pub(crate) fn address(&self, marshal: &Marshal<'_, '_>) -> Result<u64> {
        if !self.state.is_armed() {
            return Err(marshal.type_error("the Callback has ended"));
        }
        let manager = class::get::<ManagerObject>(self.state.manager.borrow()).ok_or(rquickjs::Error::Unknown)?;
        if !Rc::ptr_eq(manager.callbacks(), marshal.manager.callbacks()) {
            return Err(marshal.type_error("the Callback belongs to another guest"));
        }
        Ok(self.state.address())
    }

    pub(crate) fn index(&self) -> u64 {
        self.state.address()
    }
}

pub(crate) fn define<'js>(ctx: &Ctx<'js>, exports: &Object<'js>) -> Result<()> {
    class::register::<CallbackObject>(ctx)?;
    let prototype = crate::descriptors::define_class(exports, "Callback", 3, constructor)?;
    define::getter(&prototype, "address", address)?;
    define::method(&prototype, "keep", 0, keep)?;
    define::dispose_method(&prototype, dispose)?;
    class::set_prototype::<CallbackObject>(ctx, &prototype);
    Ok(())
}

/// `new Callback(memoryManager, type, function)`.
fn constructor<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "Callback";
    webidl::require_new(&call, PLACE)?;
    let ctx = &call.ctx;
    let _: &ManagerObject = webidl::interface(ctx, call.args.get(0), "Callback: argument 1")?;
    let ty: &TypeObject = webidl::interface(ctx, call.args.get(1), "Callback: argument 2")?;
    if !matches!(ty.ty, Type::Callback(_)) {
        return Err(Exception::throw_type(
            ctx,
            &format!("Callback: argument 2 must be a CallbackType, got {}", ty.name()),
        ));
    }
    let function = call.arg(2);
    if !function.is_function() {
        let came = webidl::describe(&function);
        return Err(Exception::throw_type(ctx, &format!("Callback: argument 3 must be a function, got {came}")));
    }
    let marshal = Marshal::new(ctx, call.args.get(0), PLACE);
    let state = CallbackState::new(&marshal, ty, &function)?;
    let prototype = class::prototype_from_new_target::<CallbackObject>(&call)?;
    Ok(class::new_object(ctx, CallbackObject::new(state), prototype.as_ref())?.into_value())
}

fn address<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let callback: &CallbackObject = webidl::this(&call, "address")?;
    Ok(Value::new_number(call.ctx.clone(), callback.state.address() as f64))
}

/// Has it never freed: the memory manager keeps it from then on.
fn keep<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let callback: &CallbackObject = webidl::this(&call, "keep")?;
    let manager = class::get::<ManagerObject>(callback.state.manager.borrow()).ok_or(rquickjs::Error::Unknown)?;
    manager.keep_value(Held::borrowed(Cx::of(&call.ctx), call.this));
    Ok(call.this())
}

fn dispose<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let callback: &CallbackObject = webidl::this(&call, "[Symbol.dispose]")?;
    callback.state.disarm();
    Ok(Value::new_undefined(call.ctx))
}

/// The object of a callback that the manager keeps.
pub(crate) fn object_of(ctx: &Ctx<'_>, state: Rc<CallbackState>) -> Result<Held> {
    Ok(Held::new(class::new_object(ctx, CallbackObject::new(state), None)?.as_value()))
}
