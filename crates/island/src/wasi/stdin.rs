//! The process's standard input, for guests. The implementation in `wasmtime-wasi` panics if the system refuses it a
//! thread; here, the read fails.
//!
//! Who owns what on which thread: input that has been read belongs to the process, behind a lock that nobody holds
//! while reading. Each read has a thread of its own, which starts when a guest waits for input and ends when some has
//! arrived; nothing is read that nobody asked for.

use std::io::{self, Read as _};
use std::mem;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use wasmtime_wasi::cli::{IsTerminal, StdinStream};
use wasmtime_wasi::p2::{InputStream, Pollable, StreamError, StreamResult};

/// The standard input; all values are the same.
#[derive(Clone, Copy)]
pub(crate) struct Stdin;

struct State {
    progress: Progress,
    /// Those who wait for the progress to change.
    waiting: Vec<Waker>,
}

enum Progress {
    /// There is no input, and nobody is reading.
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
    /// Begins to read, unless there is input or somebody is reading.
    fn begin(&mut self) {
        if let Progress::Idle = self.progress {
            self.progress = match std::thread::Builder::new().name("stdin".into()).spawn(read) {
                Ok(_) => Progress::Reading,
                Err(error) => Progress::Failed(error),
            };
        }
    }

    /// Takes up to `size` bytes of the input; `None` at its end.
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

/// The body of the thread that does one read.
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
