//! The native half of `node:tty`.

use std::{collections::HashMap, io::IsTerminal, os::fd::AsFd, sync::Mutex};

use permissions::Permissions;
use qjs::array::List;
use rquickjs::{Ctx, Object};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use crate::{
    internal::{def, errors::throw_system, state::Platform},
    node::fs::files,
};

/// How terminals were before scripts made them raw, by descriptor.
static ORIGINAL: Mutex<Option<HashMap<i32, Termios>>> = Mutex::new(None);

/// Makes terminals as they were, for the end of the process.
pub(crate) fn restore() {
    let original = ORIGINAL.lock().unwrap_or_else(|e| e.into_inner()).take();
    for (fd, termios) in original.into_iter().flatten() {
        if let Some(open) = files::get(&Permissions::all(), fd) {
            let _ = tcsetattr(&*open, OptionalActions::Now, &termios);
        }
    }
}

/// Whether a descriptor is a terminal.
pub(crate) fn is_terminal(may: &Permissions, fd: i32) -> bool {
    files::get(may, fd).is_some_and(|open| open.as_fd().is_terminal())
}

/// The native functions of `tty.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    let may = |ctx: &Ctx<'_>| Platform::of(ctx).map(|platform| platform.options.permissions.clone());
    def(&native, "isTerminal", move |ctx: Ctx<'js>, fd: i32| -> rquickjs::Result<bool> {
        Ok(is_terminal(&may(&ctx)?, fd))
    })?;
    def(&native, "windowSize", move |ctx: Ctx<'js>, fd: i32| -> rquickjs::Result<Option<List<[u16; 2]>>> {
        let size = files::get(&may(&ctx)?, fd).and_then(|open| tcgetwinsize(&*open).ok());
        Ok(size.map(|size| List([size.ws_col, size.ws_row])))
    })?;
    def(&native, "setRaw", move |ctx: Ctx<'_>, fd: i32, raw: bool| {
        let may = may(&ctx)?;
        let set = || -> rustix::io::Result<()> {
            let open = files::get(&may, fd).ok_or(rustix::io::Errno::BADF)?;
            let mut originals = ORIGINAL.lock().unwrap_or_else(|e| e.into_inner());
            let originals = originals.get_or_insert_default();
            let original = match originals.get(&fd) {
                Some(original) => original.clone(),
                None => tcgetattr(&*open)?,
            };
            let mut termios = original.clone();
            if raw {
                termios.make_raw();
                // What programs write keeps its line ends.
                termios.output_modes |= rustix::termios::OutputModes::ONLCR | rustix::termios::OutputModes::OPOST;
                originals.insert(fd, original);
            } else {
                originals.remove(&fd);
            }
            tcsetattr(&*open, OptionalActions::Drain, &termios)
        };
        set().map_err(|error| throw_system(&ctx, &error.into(), "setRawMode", None, None))
    })?;
    // What kind of thing a descriptor is, as libuv tells them apart.
    def(&native, "kind", move |ctx: Ctx<'js>, fd: i32| -> rquickjs::Result<&'static str> {
        use rustix::fs::FileType;
        let Some(open) = files::get(&may(&ctx)?, fd) else { return Ok("INVALID") };
        if open.as_fd().is_terminal() {
            return Ok("TTY");
        }
        Ok(match rustix::fs::fstat(&*open).map(|stat| FileType::from_raw_mode(stat.st_mode)) {
            Ok(FileType::RegularFile | FileType::CharacterDevice | FileType::BlockDevice) => "FILE",
            Ok(FileType::Fifo | FileType::Socket) => "PIPE",
            Ok(_) => "UNKNOWN",
            Err(_) => "INVALID",
        })
    })?;
    Ok(native)
}
