//! The native half of `node:child_process`: starting processes, and noticing their ends.

mod wait;

use std::{
    ffi::OsString,
    io,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::{ffi::OsStringExt, process::CommandExt},
    },
    process::{Child, Command, Stdio},
};

use permissions::Permissions;
use qjs::{array::List, define::Put as _};
use rquickjs::{Ctx, Function, Object, Value};
use rustix::io::Errno;

use crate::{
    internal::{background, bytes, def, errors::granted, state::Platform, strings::to_rust},
    node::fs::files::{self, Open},
};

/// What a child process is to be.
struct Request {
    file: OsString,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    cwd: Option<OsString>,
    uid: Option<u32>,
    gid: Option<u32>,
    detached: bool,
    stdio: Vec<Wish>,
    may: Permissions,
}

/// What a descriptor of the child is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Ignore,
    Pipe,
    /// A descriptor of ours.
    Inherit(i32),
}

/// A child that has started, and our ends of its pipes.
struct Started {
    child: Child,
    ends: Vec<Option<OwnedFd>>,
}

/// The native functions of `child_process.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    // Starts a process; `ended` is called with its code and its signal. Returns the number of that wait, the process's
    // id and our ends of its pipes (−1 where there is none), or a negative error number.
    def(
        &native,
        "spawn",
        |ctx: Ctx<'js>, options: Object<'js>, ended: Function<'js>| -> rquickjs::Result<Value<'js>> {
            use rquickjs::IntoJs as _;
            let platform = Platform::of(&ctx)?;
            platform.stdio.flush();
            match start(request(&ctx, &options)?) {
                Ok(Started { child, ends }) => {
                    let id = child.id();
                    let ticket = background::expect(&ctx, ended)?;
                    let mut all = vec![ticket.id() as f64, f64::from(id)];
                    all.extend(ends.into_iter().map(|end| match end {
                        Some(end) => f64::from(platform.files.add(Open::new(end))),
                        None => -1.0,
                    }));
                    wait::when_ended(child, move |status| ticket.redeem(move |ctx| status.into_value(ctx)));
                    List(all).into_js(&ctx)
                }
                Err(error) => (-error.raw_os_error()).into_js(&ctx),
            }
        },
    )?;
    def(&native, "kill", |id: f64, signal: i32| match wait::kill(id as u32, signal) {
        Ok(()) => 0,
        Err(error) => -error.raw_os_error(),
    })?;
    def(&native, "setRef", |ctx: Ctx<'js>, wait: f64, refed: bool| background::set_ref(&ctx, wait as u64, refed))?;
    def(&native, "shutdown", |ctx: Ctx<'js>, fd: i32| -> rquickjs::Result<()> {
        let may = &Platform::of(&ctx)?.options.permissions;
        if let Some(open) = files::get(may, fd) {
            let _ = rustix::net::shutdown(&*open, rustix::net::Shutdown::Write);
        }
        Ok(())
    })?;
    def(&native, "spawnSync", |ctx: Ctx<'js>, options: Object<'js>| -> rquickjs::Result<Object<'js>> {
        Platform::of(&ctx)?.stdio.flush();
        let request = request(&ctx, &options)?;
        let limits = wait::Limits {
            inputs: inputs(&ctx, &options, request.stdio.len())?,
            timeout: options.get::<_, Option<f64>>("timeout")?.filter(|timeout| *timeout > 0.0),
            most: options.get::<_, Option<f64>>("maxBuffer")?.filter(|most| most.is_finite()).map(|most| most as usize),
            signal: options.get::<_, Option<i32>>("killSignal")?.unwrap_or(libc::SIGTERM),
        };
        let result = Object::new(ctx.clone())?;
        match start(request) {
            Ok(started) => {
                let id = started.child.id();
                let finished = wait::finish(&ctx, started, limits)?;
                result.put("pid", id)?;
                result.put("status", finished.status.code)?;
                result.put("signal", finished.status.signal)?;
                result.put("error", -finished.error.map_or(0, Errno::raw_os_error))?;
                let outputs = finished.outputs.into_iter().map(|output| match output {
                    Some(output) => Ok(rquickjs::TypedArray::<u8>::new(ctx.clone(), output)?.into_value()),
                    None => Ok(Value::new_null(ctx.clone())),
                });
                result.put("outputs", List(outputs.collect::<rquickjs::Result<Vec<_>>>()?))?;
            }
            Err(error) => {
                result.put("pid", 0)?;
                result.put("error", -error.raw_os_error())?;
            }
        }
        Ok(result)
    })?;
    Ok(native)
}

fn text(value: &Value<'_>) -> rquickjs::Result<Option<OsString>> {
    value.as_string().map(|text| Ok(OsString::from_vec(to_rust(text)?.into_bytes()))).transpose()
}

fn texts(options: &Object<'_>, name: &str) -> rquickjs::Result<Vec<OsString>> {
    let array: rquickjs::Array = options.get(name)?;
    array.iter::<Value>().filter_map(|item| item.and_then(|item| text(&item)).transpose()).collect()
}

fn request<'js>(ctx: &Ctx<'js>, options: &Object<'js>) -> rquickjs::Result<Request> {
    let env = texts(options, "env")?;
    let mut file = text(&options.get("file")?)?.unwrap_or_default();
    let granted_file = granted(ctx, |may| may.check_run(file.as_ref()))?;
    granted(ctx, |may| may.check_run_with(env.chunks_exact(2).map(|pair| &*pair[0])))?;
    if let Some(granted) = granted_file {
        file = granted.into_os_string();
    }
    let stdio: rquickjs::Array = options.get("stdio")?;
    let wish = |number: rquickjs::Result<i32>| {
        Ok(match number? {
            -1 => Wish::Ignore,
            -2 => Wish::Pipe,
            fd => Wish::Inherit(fd),
        })
    };
    Ok(Request {
        file,
        args: texts(options, "args")?,
        env: env.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect(),
        cwd: text(&options.get("cwd")?)?,
        uid: options.get::<_, Option<f64>>("uid")?.map(|id| id as i64 as u32),
        gid: options.get::<_, Option<f64>>("gid")?.map(|id| id as i64 as u32),
        detached: options.get::<_, Option<bool>>("detached")?.unwrap_or(false),
        stdio: stdio.iter::<i32>().map(wish).collect::<rquickjs::Result<_>>()?,
        may: Platform::of(ctx)?.options.permissions.clone(),
    })
}

/// What is written to the child, by descriptor.
fn inputs<'js>(ctx: &Ctx<'js>, options: &Object<'js>, count: usize) -> rquickjs::Result<Vec<Vec<u8>>> {
    let given: rquickjs::Array = options.get("inputs")?;
    (0..count).map(|index| Ok(bytes::copy_from(ctx, &given.get(index)?)?.unwrap_or_default())).collect()
}

fn errno(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::INVAL)
}

fn start(request: Request) -> Result<Started, Errno> {
    let mut command = Command::new(&request.file);
    if let Some((first, rest)) = request.args.split_first() {
        command.arg0(first).args(rest);
    }
    command.env_clear().envs(request.env);
    if let Some(cwd) = &request.cwd {
        command.current_dir(cwd);
    }
    if let Some(uid) = request.uid {
        command.uid(uid);
    }
    if let Some(gid) = request.gid {
        command.gid(gid);
    }
    let mut ends = Vec::new();
    let mut theirs = Vec::new();
    for (index, wish) in request.stdio.iter().enumerate() {
        let (our, their) = match wish {
            Wish::Ignore => (None, None),
            Wish::Pipe => {
                let (our, their) = pipe(index)?;
                (Some(our), Some(their))
            }
            Wish::Inherit(fd) => {
                let open = files::get(&request.may, *fd).ok_or(Errno::BADF)?;
                (None, Some(rustix::io::fcntl_dupfd_cloexec(open.as_fd(), 3)?))
            }
        };
        ends.push(our);
        theirs.push(their);
    }
    let mut theirs = theirs.into_iter();
    let mut standard = || match theirs.next().flatten() {
        Some(fd) => Stdio::from(fd),
        None => Stdio::null(),
    };
    command.stdin(standard()).stdout(standard()).stderr(standard());
    let others: Vec<(i32, OwnedFd)> = (3..).zip(theirs).filter_map(|(target, fd)| Some((target, fd?))).collect();
    let reserved = prepare(&mut command, others, request.detached)?;
    let child = command.spawn().map_err(|error| errno(&error));
    drop(reserved);
    Ok(Started { child: child?, ends })
}

/// A pipe to or from the child, or, above the standard descriptors, something for both directions: our end, and theirs.
fn pipe(index: usize) -> Result<(OwnedFd, OwnedFd), Errno> {
    if index >= 3 {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
        return socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None);
    }
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    Ok(if index == 0 { (writer, reader) } else { (reader, writer) })
}

/// Has the child take further descriptors and, if it is to be detached, begin a session. Returns what has to stay open
/// until the child has started.
fn prepare(command: &mut Command, others: Vec<(i32, OwnedFd)>, detached: bool) -> Result<Vec<OwnedFd>, Errno> {
    let Some(most) = others.iter().map(|(target, _)| *target).max().or(detached.then_some(2)) else {
        return Ok(Vec::new());
    };
    let mut reserved = Vec::new();
    let mut sources = Vec::new();
    for (target, fd) in others {
        // Above all targets, so that no step of the child overwrites the source of another.
        let high = rustix::io::fcntl_dupfd_cloexec(&fd, most + 1)?;
        sources.push((target, high));
    }
    // The numbers of the targets are taken, so that the standard library's own pipe to the child gets none of them.
    let null = rustix::fs::open(
        "/dev/null",
        rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    )?;
    let mut last = 2;
    while last < most {
        let taken = rustix::io::fcntl_dupfd_cloexec(&null, 3)?;
        last = taken.as_raw_fd();
        reserved.push(taken);
    }
    let in_child = move || -> io::Result<()> {
        for (target, source) in &sources {
            // SAFETY: the call has no requirements on its numbers; in the child, nothing owns the target.
            if unsafe { libc::dup2(source.as_raw_fd(), *target) } < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        if detached {
            rustix::process::setsid()?;
        }
        Ok(())
    };
    // SAFETY: the closure runs in the child, between fork and exec, and only makes system calls: it takes no lock and
    // allocates nothing.
    unsafe { command.pre_exec(in_child) };
    Ok(reserved)
}
