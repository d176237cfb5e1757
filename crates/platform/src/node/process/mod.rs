//! The native half of `process.js`.

pub(crate) mod environment;
pub(crate) mod signals;

use agent::EventLoop;
use permissions::{Access, Permissions};
use qjs::array::List;
use qjs::define::Put as _;
use rquickjs::{Ctx, Function, Object, Value, function::Opt};

use crate::internal::{
    self, bytes, def,
    errors::{granted, throw_denied, throw_system},
    state::Platform,
    strings::{UsvString, to_rust},
    system,
};

/// The `process` object.
fn create<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Value<'js>> {
    internal::require(ctx, "process")?.get("process")
}

/// The exports of `node:process`: the properties of `process`, and the object itself.
pub(crate) fn module<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let process = create(ctx)?;
    let exports = Object::new(ctx.clone())?;
    if let Some(object) = process.as_object() {
        for key in object.keys::<String>() {
            let key = key?;
            if !key.starts_with('_') && !matches!(key.as_str(), "stdin" | "stdout" | "stderr" | "exitCode") {
                exports.put(key.as_str(), object.get::<_, Value>(key.as_str())?)?;
            }
        }
        for key in ["stdin", "stdout", "stderr", "on", "once", "off", "emit"] {
            exports.put(key, object.get::<_, Value>(key)?)?;
        }
    }
    exports.put("default", process)?;
    Ok(exports)
}

/// Whether a script has used `process`: otherwise there are no listeners to call.
pub(crate) fn is_loaded(ctx: &Ctx<'_>) -> rquickjs::Result<bool> {
    Ok(Platform::of(ctx)?.internals.borrow().contains_key("process"))
}

/// Whether console output to descriptor 1 or 2 is coloured.
pub fn has_colors(fd: i32) -> bool {
    static STATE: std::sync::OnceLock<[bool; 2]> = std::sync::OnceLock::new();
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let decide = || match std::env::var("FORCE_COLOR") {
        Ok(forced) => [matches!(&*forced, "" | "1" | "true" | "2" | "3"); 2],
        Err(_) => {
            let is_off = variable("NO_COLOR").is_some()
                || variable("NODE_DISABLE_COLORS").is_some()
                || variable("TERM").map_or(variable("COLORTERM").is_none(), |term| term == "dumb");
            [1, 2].map(|fd| !is_off && crate::node::tty::is_terminal(&Permissions::all(), fd))
        }
    };
    STATE.get_or_init(decide)[usize::from(fd == 2)]
}

/// The native functions of `process.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "facts", facts)?;
    environment::natives(&native)?;
    system(&native)?;
    output(&native)?;
    def(&native, "nextTick", |ctx: Ctx<'js>, callback: Function<'js>| -> rquickjs::Result<()> {
        let callback = rquickjs::Persistent::save(&ctx, callback);
        EventLoop::of(&ctx)?.next_tick(Box::new(move |ctx| callback.restore(ctx)?.call::<_, Value>(()).map(drop)));
        Ok(())
    })?;
    def(&native, "exit", |ctx: Ctx<'_>, code: f64| -> rquickjs::Result<()> {
        if Platform::of(&ctx)?.own_worker.is_none() {
            crate::node::tty::restore();
        }
        Err(EventLoop::of(&ctx)?.exit(&ctx, code as i64 as i32))
    })?;
    def(&native, "exitCode", |ctx: Ctx<'_>| Ok::<_, rquickjs::Error>(EventLoop::of(&ctx)?.exit_code()))?;
    def(&native, "setExitCode", |ctx: Ctx<'_>, code: Option<f64>| -> rquickjs::Result<()> {
        EventLoop::of(&ctx)?.set_exit_code(code.map(|code| code as i64 as i32));
        Ok(())
    })?;
    def(&native, "builtin", |ctx: Ctx<'js>, name: UsvString| crate::modules::builtin_for_script(&ctx, &name))?;
    Ok(native)
}

fn facts<'js>(ctx: Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let platform = Platform::of(&ctx)?;
    let facts = qjs::pristine::bare_object(&ctx)?;
    facts.put("node", crate::NODE_VERSION)?;
    facts.put("version", env!("CARGO_PKG_VERSION"))?;
    facts.put("quickjs", "0.16.2")?;
    facts.put("title", "tombolo")?;
    facts.put(
        "arch",
        match std::env::consts::ARCH {
            "x86_64" => "x64",
            "aarch64" => "arm64",
            "x86" => "ia32",
            other => other,
        },
    )?;
    facts.put(
        "platform",
        match std::env::consts::OS {
            "macos" => "darwin",
            "windows" => "win32",
            other => other,
        },
    )?;
    facts.put("argv", List(platform.options.argv.clone()))?;
    facts.put("execArgv", List(platform.options.exec_argv.clone()))?;
    facts.put("argv0", std::env::args_os().next().map(|arg| arg.to_string_lossy().into_owned()))?;
    facts.put("isRestricted", !platform.options.permissions.is_all())?;
    facts.put("isWorker", platform.own_worker.is_some())?;
    facts.put("execPath", platform.options.exec_path.clone())?;
    facts.put("pid", std::process::id())?;
    facts.put("ppid", rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get()))?;
    facts.put("uid", rustix::process::getuid().as_raw())?;
    facts.put("euid", rustix::process::geteuid().as_raw())?;
    facts.put("gid", rustix::process::getgid().as_raw())?;
    facts.put("egid", rustix::process::getegid().as_raw())?;
    Ok(facts)
}

fn system<'js>(native: &Object<'js>) -> rquickjs::Result<()> {
    def(native, "cwd", |ctx: Ctx<'_>| match std::env::current_dir() {
        Ok(path) => Ok(path.to_string_lossy().into_owned()),
        Err(error) => Err(throw_system(&ctx, &error, "uv_cwd", None, None)),
    })?;
    def(native, "chdir", |ctx: Ctx<'_>, path: UsvString| match change_folder(&ctx, &path)? {
        Ok(()) => Ok(()),
        Err(error) => {
            let from = std::env::current_dir().unwrap_or_default();
            Err(throw_system(&ctx, &error, "chdir", Some(&from.to_string_lossy()), Some(&path)))
        }
    })?;
    def(native, "umask", |ctx: Ctx<'_>, mask: Opt<f64>| -> rquickjs::Result<u32> {
        use rustix::{fs::Mode, process::umask};
        if mask.0.is_some() {
            granted(&ctx, |may| may.check_any_write("changing the mask of new files"))?;
        }
        let before = umask(Mode::from_bits_truncate(mask.0.map_or(0o22, |mask| mask as u32)));
        if mask.0.is_none() {
            umask(before);
        }
        Ok(before.bits())
    })?;
    def(native, "hasPermission", |ctx: Ctx<'_>, scope: UsvString, reference: Option<UsvString>| {
        let platform = Platform::of(&ctx)?;
        let reference = reference.as_ref().map(|text| &*text.0);
        Ok::<_, rquickjs::Error>(has_permission(&platform.options.permissions, &scope, reference))
    })?;
    def(native, "now", crate::web::performance::now)?;
    def(native, "hrtime", |ctx: Ctx<'js>| {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let nanoseconds = now.tv_sec.saturating_mul(1_000_000_000).saturating_add(now.tv_nsec);
        Value::new_big_int(ctx, nanoseconds)
    })?;
    def(native, "memoryUsage", |ctx: Ctx<'js>| -> rquickjs::Result<Object<'js>> {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        let page = rustix::param::page_size() as f64;
        let mut pages = statm.split(' ').map(|field| field.parse::<f64>().unwrap_or(0.0) * page);
        let (_, rss, shared) = (pages.next(), pages.next().unwrap_or(0.0), pages.next().unwrap_or(0.0));
        let usage = Object::new(ctx)?;
        usage.put("rss", rss)?;
        // The engine's own count cannot be read while it runs; private resident memory is an upper bound.
        usage.put("heapTotal", (rss - shared).max(0.0))?;
        usage.put("heapUsed", (rss - shared).max(0.0))?;
        usage.put("external", 0)?;
        usage.put("arrayBuffers", 0)?;
        Ok(usage)
    })?;
    // What the process (0) or this thread (1) has used: microseconds of the user and of the system, then the further
    // fields of `getrusage`.
    def(native, "usage", |of_thread: bool| {
        let usage = system::usage(of_thread);
        let micros = |time: libc::timeval| time.tv_sec as f64 * 1e6 + time.tv_usec as f64;
        let mut fields = vec![micros(usage.ru_utime), micros(usage.ru_stime)];
        fields.extend(
            [
                usage.ru_maxrss,
                usage.ru_ixrss,
                usage.ru_idrss,
                usage.ru_isrss,
                usage.ru_minflt,
                usage.ru_majflt,
                usage.ru_nswap,
                usage.ru_inblock,
                usage.ru_oublock,
                usage.ru_msgsnd,
                usage.ru_msgrcv,
                usage.ru_nsignals,
                usage.ru_nvcsw,
                usage.ru_nivcsw,
            ]
            .map(|field| field as f64),
        );
        List(fields)
    })?;
    // What the control group of the process allows it to use; nothing if it allows everything.
    def(native, "memoryLimit", || {
        let paths = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
        let text = paths.iter().find_map(|path| std::fs::read_to_string(path).ok());
        text.and_then(|text| text.trim().parse::<f64>().ok())
    })?;
    def(native, "groups", || {
        let groups = rustix::process::getgroups().unwrap_or_default();
        List(groups.into_iter().map(|group| group.as_raw()).collect::<Vec<_>>())
    })?;
    def(native, "abort", |ctx: Ctx<'_>| -> rquickjs::Result<()> {
        granted(&ctx, |may| may.check_signal("ending the process by a signal"))?;
        Platform::of(&ctx)?.stdio.flush();
        std::process::abort()
    })
}

/// Changes the current folder, of the whole process. What the program may use stays what it was.
fn change_folder(ctx: &Ctx<'_>, path: &str) -> rquickjs::Result<std::io::Result<()>> {
    let platform = Platform::of(ctx)?;
    match platform.options.permissions.target(path.as_ref(), Access::READ) {
        Ok(held) => Ok(std::env::set_current_dir(held.path())),
        Err(permissions::Failure::System(error)) => Ok(Err(error)),
        Err(permissions::Failure::Denied(denied)) => Err(throw_denied(ctx, &denied)),
        Err(other) => Ok(Err(std::io::Error::other(other.to_string()))),
    }
}

/// What a script asks of `process.permission.has`.
fn has_permission(may: &Permissions, scope: &str, reference: Option<&str>) -> bool {
    let path = reference.map(std::path::Path::new);
    match scope {
        "fs" => may.allows_path(path, Access::BOTH),
        "fs.read" => may.allows_path(path, Access::READ),
        "fs.write" => may.allows_path(path, Access::WRITE),
        "child" | "run" => may.allows_run(reference),
        "worker" | "workers" => may.check_workers().is_ok(),
        "net" => may.allows_net(reference),
        "env" => may.allows_environment(reference),
        // What it needs beyond itself is asked for by its files.
        "wasi" => true,
        _ => false,
    }
}

/// The native functions of `process_streams.js`.
pub(crate) fn stream_natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "setStream", |ctx: Ctx<'_>| -> rquickjs::Result<()> {
        Platform::of(&ctx)?.stdio.set_stream();
        Ok(())
    })?;
    Ok(native)
}

fn output<'js>(native: &Object<'js>) -> rquickjs::Result<()> {
    def(native, "write", |ctx: Ctx<'js>, fd: i32, chunk: Value<'js>| -> rquickjs::Result<()> {
        let platform = Platform::of(&ctx)?;
        let bytes = match chunk.as_string() {
            Some(text) => to_rust(text)?.into_bytes(),
            None => bytes::copy_from(&ctx, &chunk)?.unwrap_or_default(),
        };
        if fd == 2 {
            platform.stdio.err(&bytes);
        } else {
            platform.stdio.out(&bytes);
        }
        Ok(())
    })
}
