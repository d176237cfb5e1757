//! Standard output and standard error: buffered, in order, and silent about a reader that has gone.

use std::{
    cell::{Cell, OnceCell, RefCell},
    io::{self, IsTerminal, Write},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use agent::EventLoop;

use crate::{Stream, internal::state::Platform};

const CAPACITY: usize = 64 << 10;

static LOST: AtomicBool = AtomicBool::new(false);

/// Whether any agent of the process has failed to write some of its output for another reason than that the reader has
/// gone.
pub fn lost_output() -> bool {
    LOST.load(Ordering::Relaxed)
}

static BEFORE: OnceLock<fn()> = OnceLock::new();

/// Has `call` called before each write to the process's own standard output or standard error, by any agent. The first
/// caller wins.
pub fn before_output(call: fn()) {
    let _ = BEFORE.set(call);
}

/// How many bytes agents may write together, and what happens when they write more. Clones are the same limit.
#[derive(Clone)]
pub struct OutputLimit(Arc<Limit>);

struct Limit {
    left: AtomicU64,
    exceeded: Box<dyn Fn() + Send + Sync>,
}

impl OutputLimit {
    /// `exceeded` is called on the thread that writes too much, perhaps several times. It must not block.
    pub fn new(bytes: u64, exceeded: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(Limit { left: AtomicU64::new(bytes), exceeded: Box::new(exceeded) }))
    }

    /// As much of `bytes` as may be written.
    pub fn admit<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let wanted = bytes.len() as u64;
        let left =
            self.0.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(wanted)));
        let left = left.unwrap_or_else(|left| left);
        if left >= wanted {
            return bytes;
        }
        (self.0.exceeded)();
        &bytes[..left as usize]
    }
}

/// Where an agent's output goes.
pub(crate) struct Stdio {
    buffer: RefCell<Vec<u8>>,
    stdout: Stream,
    stderr: Stream,
    /// Whether standard output and standard error are the process's own.
    process: [bool; 2],
    /// Of standard output and of standard error.
    limits: [Option<OutputLimit>; 2],
    /// Whether somebody watches standard output: what is written is shown at once. (Asked when there is something.)
    is_watched: OnceCell<bool>,
    broken: Cell<bool>,
    /// Whether a script has standard output as a stream, which is told what goes wrong.
    has_stream: Cell<bool>,
    event_loop: EventLoop,
}

impl Stdio {
    pub(crate) fn new(
        stdout: Option<Stream>,
        stderr: Option<Stream>,
        limits: [Option<OutputLimit>; 2],
        event_loop: EventLoop,
    ) -> Self {
        Self {
            limits,
            process: [stdout.is_none(), stderr.is_none()],
            buffer: RefCell::default(),
            stdout: stdout.unwrap_or_else(|| Arc::new(Mutex::new(Raw(1)))),
            stderr: stderr.unwrap_or_else(|| Arc::new(Mutex::new(Raw(2)))),
            is_watched: OnceCell::new(),
            broken: Cell::new(false),
            has_stream: Cell::new(false),
            event_loop,
        }
    }

    /// Appends to standard output; it reaches the descriptor at the next flush.
    pub(crate) fn out(&self, bytes: &[u8]) {
        if self.buffer.borrow().len() + bytes.len() >= CAPACITY {
            self.flush();
        }
        match bytes.len() < CAPACITY {
            true => self.buffer.borrow_mut().extend_from_slice(bytes),
            // A large piece is not copied again.
            false => self.write_out(bytes),
        }
        if *self.is_watched.get_or_init(|| self.process[0] && io::stdout().is_terminal()) {
            self.flush();
        }
    }

    /// Writes to standard error at once, after everything in the buffer of standard output.
    pub(crate) fn err(&self, bytes: &[u8]) {
        self.flush();
        if write_all(&self.stderr, self.admit(2, bytes)).is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe) {
            LOST.store(true, Ordering::Relaxed);
        }
    }

    /// Writes the buffer to the descriptor. If the reader has gone, the agent ends silently.
    pub(crate) fn flush(&self) {
        let mut buffer = self.buffer.borrow_mut();
        if !buffer.is_empty() {
            self.write_out(&buffer);
            buffer.clear();
        }
    }

    /// Whether standard output (1) or standard error (2) is the process's own.
    pub(crate) fn is_process(&self, descriptor: u8) -> bool {
        self.process[usize::from(descriptor == 2)]
    }

    /// The same, and nobody counts what goes there.
    pub(crate) fn is_direct(&self, descriptor: u8) -> bool {
        self.is_process(descriptor) && self.limits[usize::from(descriptor == 2)].is_none()
    }

    /// Has the stream that a script has of standard output told what goes wrong.
    pub(crate) fn set_stream(&self) {
        self.has_stream.set(true);
    }

    /// Writes the buffer, for somebody who is about to use the process's descriptors.
    pub(crate) fn flush_for_others(&self) {
        self.flush();
        if let Some(before) = BEFORE.get() {
            before();
        }
    }

    /// Writes to standard output (1) or standard error (2) for somebody who wants to know whether it worked.
    pub(crate) fn write_now(&self, descriptor: u8, bytes: &[u8]) -> io::Result<()> {
        self.flush();
        let admitted = self.admit(descriptor, bytes);
        let written = write_all(if descriptor == 1 { &self.stdout } else { &self.stderr }, admitted);
        // Whoever is told may not live to hear it.
        if written.as_ref().is_err_and(|error| descriptor == 1 && error.kind() != io::ErrorKind::BrokenPipe) {
            LOST.store(true, Ordering::Relaxed);
        }
        written
    }

    /// As much of some output as may be written.
    fn admit<'a>(&self, descriptor: u8, bytes: &'a [u8]) -> &'a [u8] {
        self.limits[usize::from(descriptor == 2)].as_ref().map_or(bytes, |limit| limit.admit(bytes))
    }

    fn write_out(&self, bytes: &[u8]) {
        if !self.broken.get()
            && let Err(error) = write_all(&self.stdout, self.admit(1, bytes))
        {
            if !self.has_stream.get() {
                self.give_up(&error);
                return;
            }
            // Somebody may listen for errors of the stream.
            self.event_loop.next_tick(Box::new(move |ctx| {
                let number = error.raw_os_error().unwrap_or(libc::EIO);
                let failed = super::function(ctx, "process_streams", "outputFailed")?;
                if !failed.call::<_, bool>((-number,))? {
                    Platform::of(ctx)?.stdio.give_up(&error);
                }
                Ok(())
            }));
        }
    }

    /// Writes nothing more. If the reader has gone, the agent ends silently.
    fn give_up(&self, error: &io::Error) {
        if self.broken.replace(true) {
            return;
        }
        if error.kind() == io::ErrorKind::BrokenPipe {
            self.event_loop.request_exit(0);
        } else {
            LOST.store(true, Ordering::Relaxed);
            let message = format!("tombolo: cannot write to standard output: {error}\n");
            let _ = write_all(&self.stderr, message.as_bytes());
        }
    }
}

/// `write_all` for descriptors that another process may have set to non-blocking.
fn write_all(stream: &Stream, mut bytes: &[u8]) -> io::Result<()> {
    let mut writer = stream.lock().unwrap_or_else(|e| e.into_inner());
    while !bytes.is_empty() {
        match writer.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            Err(error) => return Err(error),
        }
    }
    writer.flush()
}

/// An unbuffered standard descriptor: 1 or 2.
struct Raw(u8);

impl Write for Raw {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(before) = BEFORE.get() {
            before();
        }
        let written = match self.0 {
            1 => rustix::io::write(io::stdout(), bytes),
            _ => rustix::io::write(io::stderr(), bytes),
        };
        written.map_err(Into::into)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
