//! The process's standard input, for guests. The one of `wasmtime-wasi` panics where the system refuses it a thread; here
//! the read fails.
//!
//! Who owns what on which thread: what has been read is the process's, behind a lock that nobody holds while reading. Each
//! read is done by a thread of its own, which begins when a guest waits for input and ends with what came; nothing is read
//! that nobody asked for.

use std::io::{self, Read as _};
use std::mem;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use wasmtime_wasi::cli::{IsTerminal, StdinStream};
use wasmtime_wasi::p2::{InputStream, Pollable, StreamError, StreamResult};

/// All of them are the same.
#[derive(Clone, Copy)]
pub(crate) struct Stdin;

struct State {
    progress: Progress,
    /// Who waits for it to change.
    waiting: Vec<Waker>,
}

enum Progress {
    /// Nothing is there, and nobody reads.
    Idle,
    Reading,
    Read(Bytes),
    Failed(io::Error),
    Ended,
}

static STATE: Mutex<State> = Mutex::new(State { progress: Progress::Idle, waiting: Vec::new() });

fn lock() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(|e| e.into_inner())
}

impl State {
    /// Begins to read, unless something is there or somebody reads.
    fn begin(&mut self) {
        if let Progress::Idle = self.progress {
            self.progress = match std::thread::Builder::new().name("stdin".into()).spawn(read) {
                Ok(_) => Progress::Reading,
                Err(error) => Progress::Failed(error),
            };
        }
    }

    /// Up to `size` bytes of what is there; `None` at the end of the input.
    fn take(&mut self, size: usize) -> io::Result<Option<Bytes>> {
        match mem::replace(&mut self.progress, Progress::Idle) {
            Progress::Idle => {}
            Progress::Reading => self.progress = Progress::Reading,
            Progress::Read(mut bytes) => {
                let first = bytes.split_to(size.min(bytes.len()));
                if !bytes.is_empty() {
                    self.progress = Progress::Read(bytes);
                }
                return Ok(Some(first));
            }
            Progress::Failed(error) => return Err(error),
            Progress::Ended => {
                self.progress = Progress::Ended;
                return Ok(None);
            }
        }
        Ok(Some(Bytes::new()))
    }
}

/// What the thread of one read does.
fn read() {
    const MOST: usize = 64 << 10;
    let mut bytes = vec![0; MOST];
    let result = loop {
        match io::stdin().read(&mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => break result,
        }
    };
    let mut state = lock();
    state.progress = match result {
        Ok(0) => Progress::Ended,
        Ok(count) => {
            bytes.truncate(count);
            Progress::Read(bytes.into())
        }
        Err(error) => Progress::Failed(error),
    };
    let waiting = mem::take(&mut state.waiting);
    drop(state);
    waiting.into_iter().for_each(Waker::wake);
}

/// Waits until there is something to take.
fn poll_ready(context: &Context<'_>) -> Poll<()> {
    let mut state = lock();
    state.begin();
    if !matches!(state.progress, Progress::Reading) {
        return Poll::Ready(());
    }
    if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
        state.waiting.push(context.waker().clone());
    }
    Poll::Pending
}

impl IsTerminal for Stdin {
    fn is_terminal(&self) -> bool {
        std::io::IsTerminal::is_terminal(&io::stdin())
    }
}

impl StdinStream for Stdin {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncRead + Send + Sync> {
        Box::new(Self)
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(Self)
    }
}

impl InputStream for Stdin {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if size == 0 {
            return Ok(Bytes::new());
        }
        let mut state = lock();
        state.begin();
        match state.take(size) {
            Ok(bytes) => bytes.ok_or(StreamError::Closed),
            Err(error) => Err(StreamError::LastOperationFailed(error.into())),
        }
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Stdin {
    async fn ready(&mut self) {
        std::future::poll_fn(|context| poll_ready(context)).await;
    }
}

impl tokio::io::AsyncRead for Stdin {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        std::task::ready!(poll_ready(context));
        if let Some(bytes) = lock().take(buffer.remaining())? {
            buffer.put_slice(&bytes);
        }
        Poll::Ready(Ok(()))
    }
}
