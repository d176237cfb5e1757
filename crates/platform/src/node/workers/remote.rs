//! Agents that a thread of Rust code has started, and how that code reaches them.

use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use agent::port::Port;
use agent::structured::{Data, Serialized};

use super::thread::{Event, Thread, Worker};
use super::{Script, WorkerSpec};
use crate::Environment;

/// A handle to an agent that a thread of Rust code has started. Any thread may use it.
pub struct Remote {
    thread: Arc<Thread>,
    port: Port,
    events: Mutex<RemoteEvents>,
}

struct RemoteEvents {
    arrivals: mpsc::Receiver<RemoteEvent>,
    error: Option<String>,
    has_exited: bool,
}

enum RemoteEvent {
    /// A message, or the end of the channel: look at the port.
    Arrival,
    Error(String),
    Exit,
}

impl Remote {
    /// An agent that is about to start, and what its thread needs. The agent finds `data` in `workerData`.
    pub fn new(script: Script, name: &str, data: Serialized) -> (Self, WorkerSpec) {
        let (sender, arrivals) = mpsc::channel();
        let of_worker = sender.clone();
        // If the receiver is gone, nobody is listening any more.
        let worker = Worker::new(Box::new(move |event| match event {
            Event::Error { details, .. } => {
                let text = if details.stack.is_empty() { details.message } else { details.stack };
                drop(of_worker.send(RemoteEvent::Error(text)));
            }
            Event::Exit(_) => drop(of_worker.send(RemoteEvent::Exit)),
            Event::Online | Event::Output(..) => {}
        }));
        let (here, there) = Port::channel();
        let wake = Mutex::new(sender);
        here.on_arrival(move || drop(wake.lock().unwrap_or_else(|e| e.into_inner()).send(RemoteEvent::Arrival)));
        let spec = WorkerSpec {
            name: name.to_owned(),
            argv: Vec::new(),
            exec_argv: Vec::new(),
            env: Environment::of_process(),
            heap_bytes: None,
            guest_bytes: None,
            output_bytes: None,
            stack_bytes: None,
            captured: [false; 2],
            script,
            web: false,
            classic: false,
            data,
            resource_limits: Data::Object(Vec::new()).into(),
            environment_data: Serialized::undefined(),
            port: there,
            input: None,
            worker: worker.clone(),
        };
        let events = Mutex::new(RemoteEvents { arrivals, error: None, has_exited: false });
        (Self { thread: worker.thread().clone(), port: here, events }, spec)
    }

    /// Sends a message, which arrives at the agent's `parentPort`.
    pub fn post(&self, message: Serialized) {
        self.port.post(message);
    }

    /// Waits for the agent's next message. Returns `None` if the agent has ended or `patience` is over.
    pub fn receive(&self, patience: Option<Duration>) -> Option<Serialized> {
        let deadline = patience.and_then(|patience| Instant::now().checked_add(patience));
        let mut events = self.events.lock().unwrap_or_else(|e| e.into_inner());
        loop {
            if let Some(message) = self.port.take_message() {
                return Some(message);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if events.has_exited || left.is_some_and(|left| left.is_zero()) {
                return None;
            }
            let event = match left {
                Some(left) => events.arrivals.recv_timeout(left).ok(),
                None => events.arrivals.recv().ok(),
            };
            match event {
                Some(RemoteEvent::Arrival) => {}
                Some(RemoteEvent::Error(text)) => _ = events.error.get_or_insert(text),
                Some(RemoteEvent::Exit) => events.has_exited = true,
                None => return self.port.take_message(),
            }
        }
    }

    /// Stops the task that the agent is running, be it in a script, a guest or a wait; it goes on with the next task.
    pub fn interrupt(&self) {
        let mailbox = self.thread.mailbox();
        if let Some(mailbox) = mailbox {
            mailbox.interrupt();
        }
    }

    /// Stops the agent.
    pub fn terminate(&self) {
        self.thread.terminate();
    }

    /// Terminates the agent once it has run for this long.
    ///
    /// # Errors
    /// When the system has no thread left to watch the agent, which is then terminated at once.
    pub fn end_after(&self, time: Duration) -> std::io::Result<()> {
        let thread = self.thread.clone();
        let watch = move || {
            if !thread.wait(time) {
                thread.terminate();
            }
        };
        let spawned = std::thread::Builder::new().name("time limit".into()).stack_size(64 << 10).spawn(watch);
        spawned.map(drop).inspect_err(|_| self.terminate())
    }

    /// Waits until the agent has ended. Returns its exit code, and the uncaught error that ended it, if any.
    pub fn join(&self) -> (i32, Option<String>) {
        while !self.thread.wait(Duration::from_secs(3600)) {}
        let mut events = self.events.lock().unwrap_or_else(|e| e.into_inner());
        while let Ok(event) = events.arrivals.try_recv() {
            if let RemoteEvent::Error(text) = event {
                events.error.get_or_insert(text);
            }
        }
        (self.thread.code(), events.error.clone())
    }
}
