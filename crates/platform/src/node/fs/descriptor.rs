//! Open files, and the calls that take a descriptor.

use std::{
    cell::RefCell,
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::{
        fd::AsRawFd,
        unix::fs::{FileExt, OpenOptionsExt},
    },
    rc::Rc,
};

use rquickjs::{Ctx, Object, TypedArray, Value, function::Opt};

use super::path::stats;
use crate::internal::{
    bytes, def,
    errors::{throw, throw_system},
    state::Platform,
    strings::UsvString,
};

/// Open files by descriptor.
#[derive(Default)]
pub(crate) struct Files(RefCell<HashMap<i32, Rc<File>>>);

/// Runs `call` on an open file; an unknown descriptor fails with `EBADF`.
fn with<T>(ctx: &Ctx<'_>, fd: i32, syscall: &str, call: impl FnOnce(&File) -> io::Result<T>) -> rquickjs::Result<T> {
    let file = Platform::of(ctx)?.files.0.borrow().get(&fd).cloned();
    let result = match file {
        Some(file) => call(&file),
        None => Err(rustix::io::Errno::BADF.into()),
    };
    result.map_err(|error| throw_system(ctx, &error, syscall, None, None))
}

fn read(ctx: &Ctx<'_>, fd: i32, buffer: &mut [u8], position: Option<u64>) -> rquickjs::Result<usize> {
    if fd == 0 {
        Platform::of(ctx)?.stdio.flush();
        return io::stdin().read(buffer).map_err(|error| throw_system(ctx, &error, "read", None, None));
    }
    with(ctx, fd, "read", |mut file| match position {
        Some(position) => file.read_at(buffer, position),
        None => file.read(buffer),
    })
}

/// Opens a file by Node's flags: `r`, `r+`, `w`, `wx`, `w+`, `a`, `ax`, `a+`, …
fn open(path: &str, flags: &str, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let plus = flags.contains('+');
    match flags.chars().find(|letter| "rwa".contains(*letter)) {
        Some('r') => options.read(true).write(plus),
        Some('w') => options.write(true).read(plus).create(true).truncate(!flags.contains('x')),
        Some('a') => options.append(true).read(plus).create(true),
        _ => return Err(io::ErrorKind::InvalidInput.into()),
    };
    if flags.contains('x') {
        options.create_new(true);
    }
    options.mode(mode).open(path)
}

/// The most that is read in one piece, as in Node; an ArrayBuffer cannot hold more.
const MOST_BYTES: u64 = i32::MAX as u64;

fn too_large(ctx: &Ctx<'_>, size: u64) -> rquickjs::Error {
    let message = format!("File size ({size}) is greater than 2 GiB");
    throw(ctx, "RangeError", "ERR_FS_FILE_TOO_LARGE", &message)
}

fn read_all(ctx: &Ctx<'_>, path: &str) -> rquickjs::Result<Vec<u8>> {
    let failed = |error: io::Error, syscall: &str, path| throw_system(ctx, &error, syscall, path, None);
    let mut file = File::open(path).map_err(|error| failed(error, "open", Some(path)))?;
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    if size > MOST_BYTES {
        return Err(too_large(ctx, size));
    }
    let mut content = qjs::room::with_capacity(ctx, size as usize + 1)?;
    file.read_to_end(&mut content).map_err(|error| failed(error, "read", None))?;
    content.shrink_to_fit();
    Ok(content)
}

pub(super) fn define<'js>(native: &Object<'js>) -> rquickjs::Result<()> {
    def(native, "readText", |ctx: Ctx<'js>, path: UsvString| -> rquickjs::Result<rquickjs::String<'js>> {
        let content = read_all(&ctx, &path)?;
        // Each invalid byte becomes three.
        qjs::room::check(&ctx, content.len().saturating_mul(3))?;
        rquickjs::String::from_str(ctx, &String::from_utf8_lossy(&content))
    })?;
    def(native, "readFile", |ctx: Ctx<'js>, path: UsvString| {
        let content = read_all(&ctx, &path)?;
        TypedArray::<u8>::new(ctx, content)
    })?;
    def(native, "readRest", |ctx: Ctx<'js>, fd: i32| {
        let mut content = Vec::new();
        let mut chunk = vec![0; 64 << 10];
        loop {
            let count = read(&ctx, fd, &mut chunk, None)?;
            if count == 0 {
                return TypedArray::<u8>::new(ctx, content);
            }
            if content.len() as u64 > MOST_BYTES {
                return Err(too_large(&ctx, content.len() as u64));
            }
            content.try_reserve(count).map_err(|_| qjs::room::none(&ctx, content.len() + count))?;
            content.extend_from_slice(&chunk[..count]);
        }
    })?;
    def(native, "open", |ctx: Ctx<'_>, path: UsvString, flags: UsvString, mode: u32| -> rquickjs::Result<i32> {
        let file = open(&path, &flags, mode).map_err(|error| throw_system(&ctx, &error, "open", Some(&path), None))?;
        let fd = file.as_raw_fd();
        Platform::of(&ctx)?.files.0.borrow_mut().insert(fd, Rc::new(file));
        Ok(fd)
    })?;
    def(native, "close", |ctx: Ctx<'_>, fd: i32| -> rquickjs::Result<()> {
        let file = Platform::of(&ctx)?.files.0.borrow_mut().remove(&fd);
        if file.is_none() && !(0..3).contains(&fd) {
            let error = rustix::io::Errno::BADF.into();
            return Err(throw_system(&ctx, &error, "close", None, None));
        }
        Ok(())
    })?;
    def(
        native,
        "read",
        |ctx: Ctx<'js>,
         fd: i32,
         view: Value<'js>,
         length: usize,
         position: Opt<Option<f64>>|
         -> rquickjs::Result<usize> {
            let mut buffer = bytes::zeroed(&ctx, length)?;
            let position = position.0.flatten().filter(|position| *position >= 0.0).map(|position| position as u64);
            let count = read(&ctx, fd, &mut buffer, position)?;
            buffer.truncate(count);
            if count > 0 {
                bytes::copy_into(&ctx, &view, buffer)?;
            }
            Ok(count)
        },
    )?;
    def(
        native,
        "write",
        |ctx: Ctx<'js>, fd: i32, data: Value<'js>, position: Opt<Option<f64>>| -> rquickjs::Result<usize> {
            let data = match data.as_string() {
                Some(text) => crate::internal::strings::to_rust(text)?.into_bytes(),
                None => bytes::copy_from(&ctx, &data)?.unwrap_or_default(),
            };
            let platform = Platform::of(&ctx)?;
            match fd {
                1 => platform.stdio.out(&data),
                2 => platform.stdio.err(&data),
                _ => {
                    let position = position.0.flatten().filter(|position| *position >= 0.0);
                    with(&ctx, fd, "write", |mut file| match position {
                        Some(position) => file.write_all_at(&data, position as u64),
                        None => file.write_all(&data),
                    })?;
                }
            }
            Ok(data.len())
        },
    )?;
    def(native, "fstat", |ctx: Ctx<'_>, fd: i32| {
        let standard = match fd {
            0 => Some("/dev/stdin"),
            1 => Some("/dev/stdout"),
            2 => Some("/dev/stderr"),
            _ => None,
        };
        match standard {
            Some(path) => match std::fs::metadata(path) {
                Ok(metadata) => Ok(stats(&metadata)),
                Err(error) => Err(throw_system(&ctx, &error, "fstat", None, None)),
            },
            None => with(&ctx, fd, "fstat", |file| file.metadata().map(|metadata| stats(&metadata))),
        }
    })?;
    def(native, "ftruncate", |ctx: Ctx<'_>, fd: i32, length: f64| {
        with(&ctx, fd, "ftruncate", |file| file.set_len(length.max(0.0) as u64))
    })?;
    def(native, "fsync", |ctx: Ctx<'_>, fd: i32| with(&ctx, fd, "fsync", File::sync_all))
}
