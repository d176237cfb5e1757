//! A file operation on its way: what a script asked for, without any JavaScript value, so that any thread can do it.

use std::{
    ffi::OsString,
    io,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use permissions::Denied;
use qjs::array::List;
use rquickjs::{Ctx, Function, TypedArray, Value};

use super::files::Open;
use crate::internal::{
    background::{self, pool},
    bytes,
    errors::{throw, throw_denied, throw_system},
    state::Platform,
    strings::to_rust,
};

/// An operation and where it is done if the script does not wait.
pub(crate) struct Job {
    pub(crate) when: When,
    pub(crate) run: Box<dyn FnOnce() -> Outcome + Send>,
}

/// When a job is done.
pub(crate) enum When {
    /// As soon as a thread has time.
    Soon,
    /// When there is something to read.
    Readable(Arc<Open>),
    /// After the writes to the same descriptor.
    InTurn(Arc<Open>),
    /// At once, by the agent's own thread: it takes no time, or has to keep its place among the script's output.
    Now,
}

pub(crate) type Outcome = Result<Reply, Failure>;

impl Job {
    pub(crate) fn new(when: When, run: impl FnOnce() -> Outcome + Send + 'static) -> Self {
        Self { when, run: Box::new(run) }
    }

    /// A job that ends soon.
    pub(crate) fn soon(run: impl FnOnce() -> Outcome + Send + 'static) -> Self {
        Self::new(When::Soon, run)
    }

    /// Does the job while the script waits.
    pub(crate) fn perform<'js>(self, ctx: &Ctx<'js>) -> rquickjs::Result<Value<'js>> {
        answer(ctx, (self.run)())
    }

    /// Does the job while the script goes on; `settle` is called with its result. Returns the number of the wait.
    pub(crate) fn start<'js>(self, ctx: &Ctx<'js>, settle: Function<'js>) -> rquickjs::Result<u64> {
        let ticket = background::expect(ctx, settle)?;
        let id = ticket.id();
        let run = self.run;
        let when = match self.when {
            When::Now => {
                let outcome = run();
                ticket.redeem(move |ctx| answer(ctx, outcome));
                return Ok(id);
            }
            other => other,
        };
        let work: pool::Work = Box::new(move || {
            let outcome = run();
            ticket.redeem(move |ctx| answer(ctx, outcome));
        });
        match when {
            When::Readable(open) => {
                if let Some(watch) = pool::when_readable(open, work) {
                    background::set_watch(ctx, id, watch)?;
                }
            }
            When::InTurn(open) => open.write_in_turn(work),
            _ => pool::submit(work),
        }
        Ok(id)
    }
}

/// What an operation results in.
pub(crate) enum Reply {
    Nothing,
    Number(f64),
    Bytes(Vec<u8>),
    /// Text that may not be UTF-8: each wrong byte becomes U+FFFD.
    Text(Vec<u8>),
    /// A path, as text or as bytes.
    Path(PathBuf, bool),
    /// Numbers that fit into a Number, or are wanted as BigInts.
    Numbers(Vec<i64>, bool),
    /// For each entry of a folder its path, as text or as bytes, and its kind.
    Entries(Vec<(Vec<u8>, u8)>, bool),
    /// A file that gets its number on the agent's thread.
    File(Arc<Open>),
}

/// Why an operation failed.
pub(crate) enum Failure {
    System {
        error: io::Error,
        syscall: &'static str,
        path: Option<PathBuf>,
        dest: Option<PathBuf>,
    },
    TooLarge(u64),
    NoRoom(usize),
    /// `rm` of a folder, without `recursive`.
    IsFolder(PathBuf),
    /// The program may not do it.
    Denied(Denied),
    /// Something that Node does not do.
    Refused {
        code: &'static str,
        message: String,
    },
}

impl Failure {
    /// Why a path cannot be used.
    pub(crate) fn of(failure: permissions::Failure, syscall: &'static str, path: &Path) -> Self {
        match failure {
            permissions::Failure::System(error) => Self::at(error, syscall, path),
            permissions::Failure::Denied(denied) => Self::Denied(denied),
            other => Self::at(io::Error::other(other.to_string()), syscall, path),
        }
    }

    pub(crate) fn new(error: impl Into<io::Error>, syscall: &'static str) -> Self {
        Self::System { error: error.into(), syscall, path: None, dest: None }
    }

    pub(crate) fn at(error: impl Into<io::Error>, syscall: &'static str, path: &Path) -> Self {
        Self::System { error: error.into(), syscall, path: Some(path.to_owned()), dest: None }
    }

    pub(crate) fn between(error: impl Into<io::Error>, syscall: &'static str, path: &Path, dest: &Path) -> Self {
        Self::System { error: error.into(), syscall, path: Some(path.to_owned()), dest: Some(dest.to_owned()) }
    }

    fn throw(self, ctx: &Ctx<'_>) -> rquickjs::Error {
        match self {
            Self::System { error, syscall, path, dest } => {
                let text = |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
                throw_system(ctx, &error, syscall, text(&path).as_deref(), text(&dest).as_deref())
            }
            Self::TooLarge(size) => {
                let message = format!("File size ({size}) is greater than 2 GiB");
                throw(ctx, "RangeError", "ERR_FS_FILE_TOO_LARGE", &message)
            }
            Self::Denied(denied) => throw_denied(ctx, &denied),
            Self::Refused { code, message } => throw(ctx, "Error", code, &message),
            Self::NoRoom(size) => qjs::room::none(ctx, size),
            Self::IsFolder(path) => {
                let path = path.to_string_lossy();
                let make = || -> rquickjs::Result<Value<'_>> {
                    crate::internal::function(ctx, "fs_errors", "isFolder")?.call((&*path,))
                };
                make().map_or_else(|error| error, |error| ctx.throw(error))
            }
        }
    }
}

fn answer<'js>(ctx: &Ctx<'js>, outcome: Outcome) -> rquickjs::Result<Value<'js>> {
    use rquickjs::IntoJs as _;
    match outcome.map_err(|failure| failure.throw(ctx))? {
        Reply::Nothing => Ok(Value::new_undefined(ctx.clone())),
        Reply::Number(number) => number.into_js(ctx),
        Reply::Bytes(bytes) => Ok(TypedArray::<u8>::new(ctx.clone(), bytes)?.into_value()),
        Reply::Text(text) => {
            // Each wrong byte becomes three.
            qjs::room::check(ctx, text.len().saturating_mul(3))?;
            qjs::string::from_utf8(ctx, String::from_utf8_lossy(&text).as_bytes())
        }
        Reply::Path(path, raw) => name(ctx, path.into_os_string().into_vec(), raw),
        Reply::Numbers(numbers, true) => {
            let numbers = numbers.into_iter().map(|number| Value::new_big_int(ctx.clone(), number));
            List(numbers.collect::<Vec<_>>()).into_js(ctx)
        }
        Reply::Numbers(numbers, false) => {
            List(numbers.into_iter().map(|number| number as f64).collect::<Vec<_>>()).into_js(ctx)
        }
        Reply::Entries(entries, raw) => {
            let kinds = TypedArray::<u8>::new(ctx.clone(), entries.iter().map(|(_, kind)| *kind).collect::<Vec<u8>>())?;
            let names = entries.into_iter().map(|(text, _)| name(ctx, text, raw));
            let names = List(names.collect::<rquickjs::Result<Vec<_>>>()?).into_js(ctx)?;
            List(vec![names, kinds.into_value()]).into_js(ctx)
        }
        Reply::File(open) => Platform::of(ctx)?.files.add(open).into_js(ctx),
    }
}

fn name<'js>(ctx: &Ctx<'js>, bytes: Vec<u8>, raw: bool) -> rquickjs::Result<Value<'js>> {
    match raw {
        true => Ok(TypedArray::<u8>::new(ctx.clone(), bytes)?.into_value()),
        false => qjs::string::from_utf8(ctx, String::from_utf8_lossy(&bytes).as_bytes()),
    }
}

/// The arguments of an operation, which `fs.js` has checked: a wrong type is a fault of ours.
pub(crate) struct Arguments<'a, 'js> {
    pub(crate) ctx: &'a Ctx<'js>,
    pub(crate) values: &'a [Value<'js>],
}

impl<'js> Arguments<'_, 'js> {
    fn value(&self, index: usize) -> Value<'js> {
        self.values.get(index).cloned().unwrap_or_else(|| Value::new_undefined(self.ctx.clone()))
    }

    pub(crate) fn number(&self, index: usize) -> f64 {
        self.value(index).as_number().unwrap_or(0.0)
    }

    /// A descriptor.
    pub(crate) fn fd(&self, index: usize) -> i32 {
        self.number(index) as i32
    }

    pub(crate) fn flag(&self, index: usize) -> bool {
        self.value(index).as_bool().unwrap_or(false)
    }

    /// A place in a file, or `None` for the current one.
    pub(crate) fn position(&self, index: usize) -> Option<u64> {
        let value = self.value(index);
        match value.as_number() {
            Some(number) => (number >= 0.0).then_some(number as u64),
            None => value.into_big_int()?.to_i64().ok()?.try_into().ok(),
        }
    }

    pub(crate) fn path(&self, index: usize) -> rquickjs::Result<PathBuf> {
        Ok(PathBuf::from(OsString::from_vec(self.bytes(index)?)))
    }

    /// The bytes of a view, or a string's UTF-8.
    pub(crate) fn bytes(&self, index: usize) -> rquickjs::Result<Vec<u8>> {
        let value = self.value(index);
        match value.as_string() {
            Some(text) => Ok(to_rust(text)?.into_bytes()),
            None => Ok(bytes::copy_from(self.ctx, &value)?.unwrap_or_default()),
        }
    }

    /// Several views.
    pub(crate) fn list_of_bytes(&self, index: usize) -> rquickjs::Result<Vec<Vec<u8>>> {
        let Some(array) = self.value(index).into_array() else { return Ok(Vec::new()) };
        array.iter::<Value>().map(|value| Ok(bytes::copy_from(self.ctx, &value?)?.unwrap_or_default())).collect()
    }
}

/// The bytes of a path.
pub(super) fn path_bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_bytes().to_vec()
}
