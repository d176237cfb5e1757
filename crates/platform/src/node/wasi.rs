//! The native half of `wasi.js`: contexts on the files of the agent.

use std::{
    cell::RefCell,
    fs::File,
    os::fd::{AsFd as _, BorrowedFd},
    rc::Weak,
    sync::Arc,
};

use agent::EventLoop;
use island::wasi::{Input, Output, PREVIEW1, Precedence, UNSTABLE, WasiConfig, WasiContext, WasiError};
use js_api::{MemoryObject, wasi::WasiHost};
use permissions::Permissions;
use qjs::class;
use rquickjs::{Array, Ctx, Exception, Object, Value};

use crate::{
    internal::{
        def,
        errors::throw_denied,
        state::{Platform, State},
        strings::UsvString,
    },
    node::fs::files,
};

thread_local! {
    /// The platform of this thread's agent, so that guests' output keeps its place among the script's own.
    static PLATFORM: RefCell<Weak<State>> = const { RefCell::new(Weak::new()) };
}

/// Makes guests of this thread write to the standard streams of `platform`.
pub(crate) fn set_current(platform: &Platform) {
    PLATFORM.set(platform.downgrade());
}

/// Where guests' standard output (1) and standard error (2) go: at once, after what the script has written. For
/// `js_api::Options::standard_output`.
pub fn guest_output(descriptor: u8) -> Output {
    let terminal = match descriptor {
        1 => rustix::termios::isatty(std::io::stdout()),
        _ => rustix::termios::isatty(std::io::stderr()),
    };
    let sink = Arc::new(move |bytes: &[u8]| -> std::io::Result<()> {
        PLATFORM.with_borrow(|platform| match platform.upgrade() {
            Some(platform) => platform.stdio.write_now(descriptor, bytes),
            None if descriptor == 1 => std::io::Write::write_all(&mut std::io::stdout(), bytes),
            None => std::io::Write::write_all(&mut std::io::stderr(), bytes),
        })
    });
    Output::To { sink, terminal }
}

/// Writes what the script has written before a guest uses the same files.
fn flush() {
    PLATFORM.with_borrow(|platform| {
        if let Some(platform) = platform.upgrade() {
            platform.stdio.flush_for_others();
        }
    });
}

/// The native functions of `wasi.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "create", create)?;
    def(&native, "imports", |ctx: Ctx<'js>, host: Object<'js>, module: UsvString| {
        WasiHost::import_object(&ctx, &host, if *module == *UNSTABLE { UNSTABLE } else { PREVIEW1 })
    })?;
    def(&native, "setMemory", |ctx: Ctx<'js>, host: Value<'js>, memory: Value<'js>, given: bool| {
        let host = class::of::<WasiHost>(&host).ok_or_else(|| Exception::throw_type(&ctx, "expected a host"))?;
        let is_memory = class::of::<MemoryObject>(&memory).is_some();
        if is_memory {
            host.attach(&memory, if given { Precedence::Always } else { Precedence::Otherwise });
        }
        rquickjs::Result::Ok(is_memory)
    })?;
    def(&native, "exitCode", |thrown: Value<'js>| js_api::wasi::exit_code(&thrown))?;
    def(&native, "exit", |ctx: Ctx<'js>, code: i32| -> rquickjs::Result<()> {
        Err(EventLoop::of(&ctx)?.exit(&ctx, code))
    })?;
    Ok(native)
}

/// `{ host }`, or `{ errno, path }` if a file or a directory cannot be used.
fn create<'js>(
    ctx: Ctx<'js>,
    args: Array<'js>,
    env: Array<'js>,
    preopens: Array<'js>,
    stdio: Array<'js>,
) -> rquickjs::Result<Object<'js>> {
    let strings = |array: Array<'js>| -> rquickjs::Result<Vec<String>> {
        array.iter::<UsvString>().map(|text| Ok(text?.to_string())).collect()
    };
    let permissions = Platform::of(&ctx)?.options.permissions.clone();
    let mut config = WasiConfig {
        args: strings(args)?,
        before_output: Some(Arc::new(flush)),
        permissions: permissions.clone(),
        ..WasiConfig::default()
    };
    for pair in strings(env)? {
        // A name has no `=`, so the first one ends it.
        let (name, value) = pair.split_once('=').unwrap_or((&pair, ""));
        config.env.push((name.into(), value.into()));
    }
    let mut names = strings(preopens)?.into_iter();
    while let (Some(guest), Some(host)) = (names.next(), names.next()) {
        config.preopens.push((guest, host.into()));
    }
    let result = Object::new(ctx.clone())?;
    let (stdin, stdout, stderr) = (stdio.get(0)?, stdio.get(1)?, stdio.get(2)?);
    let made = (|| {
        config.stdin = match stdin {
            0 => Input::Inherit,
            fd => Input::File(duplicate(&permissions, 0, fd)?),
        };
        config.stdout = output(&permissions, 1, stdout)?;
        config.stderr = output(&permissions, 2, stderr)?;
        WasiContext::new(config)
    })();
    match made {
        Ok(context) => result.set("host", WasiHost::new_object(&ctx, context)?)?,
        Err(WasiError::Denied(denied)) => return Err(throw_denied(&ctx, &denied)),
        Err(error) => {
            result.set("errno", error.errno())?;
            if let WasiError::Preopen { host, .. } = &error {
                result.set("path", host.to_string_lossy().into_owned())?;
            }
        }
    }
    Ok(result)
}

fn output(may: &Permissions, number: u32, fd: i32) -> Result<Output, WasiError> {
    let own = |descriptor: u8| PLATFORM.with_borrow(|p| p.upgrade().is_none_or(|p| p.stdio.is_direct(descriptor)));
    match fd {
        // The agent's streams may go elsewhere.
        1 | 2 if !own(fd as u8) => Ok(guest_output(fd as u8)),
        1 if number == 1 => Ok(Output::Inherit),
        2 if number == 2 => Ok(Output::Inherit),
        fd => Ok(Output::File(duplicate(may, number, fd)?)),
    }
}

/// A descriptor of its own for an open file that the script has opened or inherited.
fn duplicate(may: &Permissions, number: u32, fd: i32) -> Result<File, WasiError> {
    let copy = |fd: BorrowedFd<'_>| rustix::io::fcntl_dupfd_cloexec(fd, 3).map(File::from);
    // From a folder, a guest would open whatever is in it.
    let is_usable = |open: &files::Open| may.is_all() || !open.is_folder();
    let copied = match files::get(may, fd).filter(|open| is_usable(open)) {
        Some(open) => copy(open.as_fd()),
        None => Err(rustix::io::Errno::BADF),
    };
    copied.map_err(|error| WasiError::Descriptor { number, error: error.into() })
}
