//! Message ports: two ends of a channel, each in an agent or on its way to one.
//!
//! Who owns what on which thread: a [`Port`] is one end, owned by whoever holds it; the queues of both ends stand in
//! the channel behind a mutex, which is held for a few instructions. An end that is *started* has a receiver: the
//! mailbox of its agent, where a task is posted for each message in the queue. The task takes the message, so a task
//! that comes too late, since the port was closed, stopped or transferred meanwhile, finds none. What to call is in the
//! agent's own [`Ports`], never in the channel, which keeps no agent's objects (invariant 2).
//!
//! A port that is dropped is closed, and the other end hears of it after the messages that came before.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use qjs::{Ctx, Function, HostClass, Mark, Object, Result, Value, class};
use rquickjs::{JsLifetime, Persistent};
use rustc_hash::FxHashMap;

use crate::structured::{Serialized, throw_data_clone_error};
use crate::{EventLoop, KeepAlive, Mailbox};

/// One end of a channel.
pub struct Port {
    channel: Arc<Mutex<Channel>>,
    side: usize,
}

#[derive(Default)]
struct Channel {
    sides: [Side; 2],
    closed: bool,
}

#[derive(Default)]
struct Side {
    queue: Queue,
    /// The end whose queue this end waits in, on its way to another agent.
    container: Option<End>,
    /// The receiver that hears of this end.
    receiver: Option<Receiver>,
    /// Whether it hears of messages, and not only of the channel's end.
    delivers: bool,
}

/// An end of a channel that somebody else owns.
#[derive(Clone)]
struct End {
    channel: Weak<Mutex<Channel>>,
    side: usize,
}

/// Held while ports come into a queue or leave it, so that meanwhile it does not change whether a port waits in
/// another's queue. A channel may be locked under it.
static TRANSFERS: Mutex<()> = Mutex::new(());

/// Messages that wait. They may hold ports, in whose queues other messages wait. They are dropped one after another,
/// without recursion, however deep they are nested.
#[derive(Default)]
struct Queue(VecDeque<Serialized>);

impl Drop for Queue {
    fn drop(&mut self) {
        thread_local! {
            /// The messages that are left to drop while this thread is dropping.
            static LEFT: RefCell<Option<VecDeque<Serialized>>> = const { RefCell::new(None) };
        }
        let messages = &mut self.0;
        if messages.iter().all(|message| message.ports().next().is_none()) {
            return;
        }
        let begins = LEFT.try_with(|left| match &mut *left.borrow_mut() {
            Some(left) => {
                left.append(messages);
                false
            }
            left => left.replace(std::mem::take(messages)).is_none(),
        });
        // A thread whose locals are gone already drops them recursively.
        if begins == Ok(true) {
            while let Some(message) = LEFT.with_borrow_mut(|left| left.as_mut()?.pop_front()) {
                drop(message);
            }
            LEFT.set(None);
        }
    }
}

/// Has whoever owns an end look at it.
#[derive(Clone)]
struct Receiver(Arc<dyn Fn(News) + Send + Sync>);

/// What there is to look at.
#[derive(Clone, Copy)]
enum News {
    Message,
    End,
}

impl Receiver {
    /// The receiver of an agent's port. An agent that has ended looks at nothing any more.
    fn of_agent(mailbox: Mailbox, id: u64) -> Self {
        Self(Arc::new(move |news| {
            let _ = match news {
                // A port that should hold its agent's loop does so itself.
                News::Message => mailbox.post_idle(move |ctx| arrive(ctx, id)),
                News::End => mailbox.post(move |ctx| arrive(ctx, id)),
            };
        }))
    }

    fn wake(&self, news: News) {
        self.0(news);
    }
}

/// What an agent does when it looks at a port.
enum Arrival {
    Message(Serialized),
    Closed,
    Nothing,
}

impl Port {
    /// Two entangled ports.
    pub fn channel() -> (Self, Self) {
        let channel = Arc::<Mutex<Channel>>::default();
        (Self { channel: channel.clone(), side: 0 }, Self { channel, side: 1 })
    }

    fn lock(&self) -> MutexGuard<'_, Channel> {
        lock(&self.channel)
    }

    /// Sends a message to the other end; a closed channel drops it.
    pub fn post(&self, message: Serialized) {
        if !self.sender().post(message) {
            std::alloc::handle_alloc_error(std::alloc::Layout::new::<Serialized>());
        }
    }

    pub(crate) fn sender(&self) -> Sender {
        Sender { channel: self.channel.clone(), side: self.side }
    }

    /// Takes the next message that has arrived at this end, if the port's owner is not an agent.
    pub fn take_message(&self) -> Option<Serialized> {
        let message = self.lock().sides[self.side].queue.0.pop_front();
        message.inspect(unpack)
    }

    /// Takes the next message that has arrived at this end.
    pub fn receive(&self) -> Option<Serialized> {
        let mut channel = self.lock();
        let closed = channel.closed;
        let side = &mut channel.sides[self.side];
        let message = side.queue.0.pop_front();
        // If the channel is closed, this was the last thing that its end waited for.
        let receiver = side.receiver.clone().filter(|_| closed && side.queue.0.is_empty());
        drop(channel);
        receiver.iter().for_each(|receiver| receiver.wake(News::End));
        message.inspect(unpack)
    }

    /// Has messages delivered to an agent from now on.
    fn start(&self, receiver: Receiver) {
        let mut channel = self.lock();
        let closed = channel.closed;
        let side = &mut channel.sides[self.side];
        let waiting = side.queue.0.len();
        side.receiver = Some(receiver.clone());
        side.delivers = true;
        drop(channel);
        (0..waiting).for_each(|_| receiver.wake(News::Message));
        if closed {
            receiver.wake(News::End);
        }
    }

    /// Calls `wake`, on any thread, for each message that arrives from now on, and when the channel is closed.
    pub fn on_arrival(&self, wake: impl Fn() + Send + Sync + 'static) {
        self.start(Receiver(Arc::new(move |_| wake())));
    }

    /// Has messages wait. The agent still hears of the channel's end if it `listens`.
    fn stop(&self, listens: bool) {
        let mut channel = self.lock();
        let side = &mut channel.sides[self.side];
        side.delivers = false;
        side.receiver = side.receiver.take().filter(|_| listens);
    }

    fn arrival(&self) -> Arrival {
        let mut channel = self.lock();
        let closed = channel.closed;
        let side = &mut channel.sides[self.side];
        if side.delivers
            && let Some(message) = side.queue.0.pop_front()
        {
            drop(channel);
            unpack(&message);
            return Arrival::Message(message);
        }
        match closed && side.queue.0.is_empty() && side.receiver.take().is_some() {
            true => Arrival::Closed,
            false => Arrival::Nothing,
        }
    }

    /// Closes the channel. Messages that are on their way still arrive; those that nobody listens for at this end do
    /// not.
    pub fn close(&self) {
        close(&self.channel, self.side);
    }

    /// Closes the channel for an owner that takes no more messages.
    pub(crate) fn abandon(&self) {
        self.stop(false);
        self.close();
    }

    /// Whether both are ends of one channel.
    pub(crate) fn is_other_end_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.channel, &other.channel)
    }

    /// Whether either end was closed.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }
}

fn lock(channel: &Mutex<Channel>) -> MutexGuard<'_, Channel> {
    channel.lock().unwrap_or_else(|e| e.into_inner())
}

fn close(channel: &Mutex<Channel>, side: usize) {
    let mut channel = lock(channel);
    let side = &mut channel.sides[side];
    let own = if side.delivers { Queue::default() } else { std::mem::take(&mut side.queue) };
    let first = !std::mem::replace(&mut channel.closed, true);
    let receivers: Vec<_> = channel.sides.iter().filter_map(|side| side.receiver.clone()).collect();
    drop(channel);
    drop(own);
    if first {
        receivers.iter().for_each(|receiver| receiver.wake(News::End));
    }
}

/// The way to the other end of a port, whoever owns the port by now.
pub(crate) struct Sender {
    channel: Arc<Mutex<Channel>>,
    side: usize,
}

impl Sender {
    /// As [`Port::post`]. Returns false if there is no memory for another message.
    #[must_use]
    pub(crate) fn post(&self, message: Serialized) -> bool {
        let has_ports = message.ports().next().is_some();
        let transfers = has_ports.then(|| TRANSFERS.lock().unwrap_or_else(|e| e.into_inner()));
        if has_ports && self.is_doomed(&message) {
            drop(transfers);
            if message.ports().any(|port| Arc::ptr_eq(&port.channel, &self.channel)) {
                close(&self.channel, self.side);
            }
            return true;
        }
        let mut channel = lock(&self.channel);
        if !channel.closed && channel.sides[1 - self.side].queue.0.try_reserve(1).is_err() {
            drop((channel, transfers));
            return false;
        }
        drop(channel);
        let container = End { channel: Arc::downgrade(&self.channel), side: 1 - self.side };
        message.ports().for_each(|port| port.lock().sides[port.side].container = Some(container.clone()));
        let mut channel = lock(&self.channel);
        if channel.closed {
            drop((channel, transfers));
            return true;
        }
        let other = &mut channel.sides[1 - self.side];
        other.queue.0.push_back(message);
        let receiver = other.receiver.clone().filter(|_| other.delivers);
        drop(channel);
        drop(transfers);
        receiver.iter().for_each(|receiver| receiver.wake(News::Message));
        true
    }

    /// Whether nobody could ever receive a message that is posted here. That is so if the message holds the port in
    /// whose queue it would wait, directly (HTML's doomed port) or through the queues of other ports. To be asked under
    /// [`TRANSFERS`]: the answer cannot change meanwhile, for only the owner of a port can take something out of its
    /// queue.
    fn is_doomed(&self, message: &Serialized) -> bool {
        let (mut channel, mut side) = (self.channel.clone(), 1 - self.side);
        loop {
            if message.ports().any(|port| Arc::ptr_eq(&port.channel, &channel) && port.side == side) {
                return true;
            }
            let container = lock(&channel).sides[side].container.clone();
            let Some((upper, its_side)) = container.and_then(|end| Some((end.channel.upgrade()?, end.side))) else {
                return false;
            };
            (channel, side) = (upper, its_side);
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.abandon();
    }
}

/// Notes that a message has left its queue, and its ports with it.
fn unpack(message: &Serialized) {
    let mut ports = message.ports().peekable();
    if ports.peek().is_some() {
        let _transfers = TRANSFERS.lock().unwrap_or_else(|e| e.into_inner());
        ports.for_each(|port| port.lock().sides[port.side].container = None);
    }
}

impl std::fmt::Debug for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Port").field("closed", &self.is_closed()).finish_non_exhaustive()
    }
}

/// The started ports of an agent, by number, and the face that scripts see of all of them.
#[derive(Default)]
pub(crate) struct Ports {
    started: RefCell<FxHashMap<u64, Started>>,
    face: RefCell<Option<Persistent<Object<'static>>>>,
    /// Whether there are plain objects that must not be cloned.
    has_uncloneable: Cell<bool>,
}

struct Started {
    port: Arc<Port>,
    callbacks: Persistent<Object<'static>>,
    hold: Hold,
}

/// Holds the event loop if the port wants that, until the channel ends.
type Hold = Rc<RefCell<Option<KeepAlive>>>;

impl Ports {
    /// Lets go of every JavaScript value.
    pub(crate) fn clear(&self) {
        let started = std::mem::take(&mut *self.started.borrow_mut());
        drop(started);
        drop(self.face.take());
    }
}

/// The value behind a script's port: scripts see the object that the face makes, never this one.
#[derive(HostClass, Mark, JsLifetime)]
#[host_class(name = "Port")]
#[mark(skip)]
pub struct PortHandle {
    id: u64,
    /// `None` once the port was closed or transferred.
    port: RefCell<Option<Arc<Port>>>,
    hold: Hold,
    /// How many messages are being serialized to be posted here, and the port that is to be closed after that.
    posting: Cell<usize>,
    closing: RefCell<Option<Arc<Port>>>,
}

impl PortHandle {
    /// A handle that scripts of this agent can hold.
    ///
    /// # Errors
    /// When memory is out, or the context belongs to no agent.
    pub fn new_object<'js>(ctx: &Ctx<'js>, port: Port) -> Result<Object<'js>> {
        static LAST: AtomicU64 = AtomicU64::new(0);
        class::register::<Self>(ctx)?;
        let (id, port) = (LAST.fetch_add(1, Ordering::Relaxed), Arc::new(port));
        EventLoop::of(ctx)?.mailbox().add_port(&port);
        let port = RefCell::new(Some(port));
        let handle = Self { id, port, hold: Hold::default(), posting: Cell::new(0), closing: RefCell::default() };
        class::new_object(ctx, handle, None)
    }

    /// The port; `None` once it was closed or transferred.
    pub fn port(&self) -> Option<Arc<Port>> {
        self.port.borrow().clone()
    }

    /// Whether this agent still has the port.
    pub fn is_attached(&self) -> bool {
        self.port.borrow().is_some()
    }

    /// Has messages delivered: `callbacks` is kept until the port is closed or transferred.
    ///
    /// # Errors
    /// When the context belongs to no agent.
    pub fn start<'js>(&self, ctx: &Ctx<'js>, callbacks: Object<'js>) -> Result<()> {
        let event_loop = EventLoop::of(ctx)?;
        let Some(port) = self.port() else { return Ok(()) };
        let (callbacks, hold) = (Persistent::save(ctx, callbacks), self.hold.clone());
        let started = Started { port: port.clone(), callbacks, hold };
        let before = event_loop.state.ports.started.borrow_mut().insert(self.id, started);
        drop(before);
        port.start(Receiver::of_agent(event_loop.mailbox().clone(), self.id));
        Ok(())
    }

    /// Undoes [`PortHandle::start`]: messages wait again. The callbacks are kept for the channel's end alone, if the
    /// port `listens` for that.
    ///
    /// # Errors
    /// When the context belongs to no agent.
    pub fn stop(&self, ctx: &Ctx<'_>, listens: bool) -> Result<()> {
        if let Some(port) = self.port() {
            port.stop(listens);
        }
        if !listens {
            let started = EventLoop::of(ctx)?.state.ports.started.borrow_mut().remove(&self.id);
            drop(started);
        }
        Ok(())
    }

    /// Serializes a value and posts it to whoever the port is entangled with now: scripts that run meanwhile may close
    /// the port, which takes effect after the message, or transfer it. A closed port's messages are serialized, and
    /// dropped.
    ///
    /// # Errors
    /// A DataCloneError, or what a getter throws; nothing has been posted then.
    pub fn post<'js>(&self, ctx: &Ctx<'js>, value: &Value<'js>, transfer: &[Value<'js>]) -> Result<()> {
        let sender = self.port().map(|port| port.sender());
        self.posting.set(self.posting.get() + 1);
        let message = Serialized::new(ctx, value, transfer);
        self.posting.set(self.posting.get() - 1);
        let result = message.and_then(|message| match sender {
            Some(sender) if !sender.post(message) => {
                Err(throw_data_clone_error(ctx, "There is no memory for another message."))
            }
            _ => Ok(()),
        });
        if self.posting.get() == 0
            && let Some(port) = self.closing.take()
        {
            port.close();
        }
        result
    }

    /// Closes the channel. A started port's `close` callback is still called.
    pub fn close(&self) {
        let port = self.port.take();
        drop(self.hold.take());
        match port {
            Some(port) if self.posting.get() > 0 => *self.closing.borrow_mut() = Some(port),
            Some(port) => port.close(),
            None => {}
        }
    }

    /// Whether the port holds the event loop.
    ///
    /// # Errors
    /// When the context belongs to no agent.
    pub fn set_ref(&self, ctx: &Ctx<'_>, refed: bool) -> Result<()> {
        let is_open = self.port().is_some_and(|port| !port.is_closed());
        let hold = match refed && is_open {
            true => Some(EventLoop::of(ctx)?.mailbox().keep_alive()),
            false => None,
        };
        drop(self.hold.replace(hold));
        Ok(())
    }

    /// What [`PortHandle::set_ref`] said last.
    pub fn has_ref(&self) -> bool {
        self.hold.borrow().is_some()
    }

    /// Takes the port away from this agent, for another.
    pub fn take(&self, ctx: &Ctx<'_>) -> Option<Port> {
        self.stop(ctx, false).ok()?;
        let port = self.port.take()?;
        match Arc::try_unwrap(port) {
            Ok(port) => {
                drop(self.hold.take());
                Some(port)
            }
            // Somebody is using the port at this moment.
            Err(port) => {
                *self.port.borrow_mut() = Some(port);
                None
            }
        }
    }
}

/// A task of an agent: something has arrived at its port, or the channel was closed.
fn arrive(ctx: &Ctx<'_>, id: u64) -> Result<()> {
    let event_loop = EventLoop::of(ctx)?;
    let ports = &event_loop.state.ports;
    let started = ports.started.borrow().get(&id).map(|it| (it.port.clone(), it.callbacks.clone()));
    let Some((port, callbacks)) = started else { return Ok(()) };
    let arrival = port.arrival();
    // A transfer needs the only handle.
    drop(port);
    let callbacks = callbacks.restore(ctx)?;
    match arrival {
        Arrival::Message(message) => match message.deserialize(ctx) {
            Ok(received) if received.ports.is_empty() => call(&callbacks, "message", (received.value,)),
            Ok(received) => call(&callbacks, "message", (received.value, qjs::array::List(received.ports))),
            Err(error) => {
                let error = crate::checkpoint::thrown_value(ctx, error);
                call(&callbacks, "messageerror", (error,))
            }
        },
        Arrival::Closed => {
            let ended = ports.started.borrow_mut().remove(&id);
            if let Some(ended) = ended {
                drop(ended.hold.take());
            }
            call(&callbacks, "close", ())
        }
        Arrival::Nothing => Ok(()),
    }
}

fn call<'js>(callbacks: &Object<'js>, name: &str, args: impl rquickjs::function::IntoArgs<'js>) -> Result<()> {
    callbacks.get::<_, Function>(name)?.call::<_, Value>(args).map(drop)
}

/// Sets what scripts see of ports: `handleOf(object)` returns the handle of a MessagePort object, `adopt(handle)` makes
/// such an object, `refuses(object)` and `isUntransferable(object)` say what must not be cloned or transferred,
/// `isSpokenTo(object)` what is transferred by ports. None of them may throw for any object. Of what is transferred by
/// ports, `isFree(object)` says whether that can be done now; `represent(object)` returns a number for its kind and the
/// handles of ports, and `revive(kind, handles)` makes such an object at the other end.
///
/// # Errors
/// When the context belongs to no agent.
pub fn set_face<'js>(ctx: &Ctx<'js>, face: Object<'js>) -> Result<()> {
    let before = EventLoop::of(ctx)?.state.ports.face.replace(Some(Persistent::save(ctx, face)));
    drop(before);
    Ok(())
}

fn face<'js>(ctx: &Ctx<'js>) -> Result<Option<Object<'js>>> {
    // A context without an agent clones values too; it has no ports.
    let Ok(event_loop) = EventLoop::of(ctx) else {
        drop(ctx.catch());
        return Ok(None);
    };
    let face = event_loop.state.ports.face.borrow().clone();
    face.map(|face| face.restore(ctx)).transpose()
}

/// The handle of a script's port; `None` for any other object.
pub(crate) fn handle_of<'js>(ctx: &Ctx<'js>, object: &Value<'js>) -> Result<Option<Value<'js>>> {
    let Some(face) = face(ctx)? else { return Ok(None) };
    let handle: Value = face.get::<_, Function>("handleOf")?.call((object.clone(),))?;
    Ok(class::of::<PortHandle>(&handle).is_some().then_some(handle))
}

/// Whether a list of a script's objects has the port of `handle`.
///
/// # Errors
/// When the face of ports throws.
pub fn is_among<'js>(ctx: &Ctx<'js>, handle: &Value<'js>, list: &[Value<'js>]) -> Result<bool> {
    for object in list {
        if object.is_object() && handle_of(ctx, object)?.is_some_and(|other| other == *handle) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether an object must not be cloned: a script has said so, or it is of a kind that cannot be.
pub(crate) fn refuses<'js>(ctx: &Ctx<'js>, object: &Value<'js>) -> Result<bool> {
    ask(ctx, "refuses", object)
}

/// Notes that a script has said of plain objects that they must not be cloned. (Until then, none is asked about.)
///
/// # Errors
/// When the context belongs to no agent.
pub fn note_uncloneable(ctx: &Ctx<'_>) -> Result<()> {
    EventLoop::of(ctx)?.state.ports.has_uncloneable.set(true);
    Ok(())
}

pub(crate) fn has_uncloneable(ctx: &Ctx<'_>) -> bool {
    ctx.userdata::<EventLoop>().is_some_and(|event_loop| event_loop.state.ports.has_uncloneable.get())
}

/// Whether a script has said that an object must not be transferred.
pub(crate) fn is_untransferable<'js>(ctx: &Ctx<'js>, object: &Value<'js>) -> Result<bool> {
    ask(ctx, "isUntransferable", object)
}

fn ask<'js>(ctx: &Ctx<'js>, question: &str, object: &Value<'js>) -> Result<bool> {
    match face(ctx)? {
        Some(face) => face.get::<_, Function>(question)?.call((object.clone(),)),
        None => Ok(false),
    }
}

/// Whether an object is transferred by ports through which it is spoken to.
pub(crate) fn is_spoken_to<'js>(ctx: &Ctx<'js>, object: &Value<'js>) -> Result<bool> {
    ask(ctx, "isSpokenTo", object)
}

/// Whether nobody holds such an object.
pub(crate) fn is_free<'js>(ctx: &Ctx<'js>, object: &Value<'js>) -> Result<bool> {
    ask(ctx, "isFree", object)
}

/// The kind of such an object, and ports for whoever receives it; this agent has the other ends.
pub(crate) fn represent<'js>(ctx: &Ctx<'js>, object: &Value<'js>) -> Result<(u8, Vec<Port>)> {
    let Some(face) = face(ctx)? else { return Ok((0, Vec::new())) };
    let parts: Vec<Value> = face.get::<_, Function>("represent")?.call((object.clone(),))?;
    let kind = parts.first().and_then(Value::as_int).unwrap_or_default() as u8;
    let ports = parts.iter().filter_map(|handle| class::of::<PortHandle>(handle)?.take(ctx));
    Ok((kind, ports.collect()))
}

/// Makes the object that speaks through these ports.
pub(crate) fn revive<'js>(ctx: &Ctx<'js>, kind: u8, ports: Vec<Port>) -> Result<Value<'js>> {
    let hooks = EventLoop::of(ctx)?.state.hooks.borrow().clone();
    hooks.before_ports(ctx)?;
    let handles = ports.into_iter().map(|port| Ok(PortHandle::new_object(ctx, port)?.into_value()));
    let handles = qjs::array::List(handles.collect::<Result<Vec<Value>>>()?);
    match face(ctx)? {
        Some(face) => face.get::<_, Function>("revive")?.call((kind, handles)),
        None => Err(crate::structured::throw_data_clone_error(ctx, "This agent has no message ports.")),
    }
}

/// Makes a script's port for a port that was transferred here.
pub(crate) fn adopt<'js>(ctx: &Ctx<'js>, port: Port) -> Result<Value<'js>> {
    let hooks = EventLoop::of(ctx)?.state.hooks.borrow().clone();
    hooks.before_ports(ctx)?;
    let handle = PortHandle::new_object(ctx, port)?;
    match face(ctx)? {
        Some(face) => face.get::<_, Function>("adopt")?.call((handle,)),
        None => Err(crate::structured::throw_data_clone_error(ctx, "This agent has no message ports.")),
    }
}
