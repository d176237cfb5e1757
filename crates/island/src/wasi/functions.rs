//! All of WASI's functions: their names, their types, and how they are linked.

use std::sync::{Arc, OnceLock};

use wasmtime::{AsContextMut, Caller, Func, StoreContextMut};

use crate::call::island::StoreState;
use crate::call::numbers::{NumberKind, NumericType};
use crate::wasi::call::Call;
use crate::wasi::config::{PREVIEW1, UNSTABLE};
use crate::wasi::errno::Result;
use crate::wasi::link::Link;
use crate::wasi::types::Version;

/// A function of WASI.
pub struct Function {
    name: &'static str,
    ty: NumericType,
    pub(crate) version: Version,
    pub(crate) link: fn(StoreContextMut<'_, StoreState>, Arc<Link>, Version) -> wasmtime::Result<Func>,
    pub(crate) call: fn(&mut Call<'_>, &[u64]) -> Result,
}

impl Function {
    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its type: nothing but integers.
    pub fn ty(&self) -> &NumericType {
        &self.ty
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Function").field("name", &self.name).finish_non_exhaustive()
    }
}

macro_rules! kind {
    (u32) => {
        NumberKind::I32
    };
    (u64) => {
        NumberKind::I64
    };
}

macro_rules! functions {
    ($($name:ident($($argument:ident: $ty:ident),*);)*) => {
        fn all(version: Version) -> Vec<Function> {
            vec![$(Function {
                name: stringify!($name),
                ty: NumericType {
                    params: [$(kind!($ty)),*].into_iter().collect(),
                    results: [NumberKind::I32].into_iter().collect(),
                },
                version,
                link: |mut store, link, version| {
                    Func::try_wrap(
                        store.as_context_mut(),
                        move |mut caller: Caller<'_, StoreState> $(, $argument: $ty)*| -> wasmtime::Result<u32> {
                            link.run(&mut caller, version, |call| call.$name($($argument),*))
                        },
                    )
                },
                call: |call, arguments| {
                    #[allow(unused_mut, unused_variables, reason = "one function has no arguments")]
                    let mut arguments = arguments.iter();
                    call.$name($(arguments.next().copied().unwrap_or(0) as $ty),*)
                },
            }),*]
        }
    };
}

functions! {
    args_get(pointers: u32, bytes: u32);
    args_sizes_get(count: u32, size: u32);
    clock_res_get(clock: u32, to: u32);
    clock_time_get(clock: u32, precision: u64, to: u32);
    environ_get(pointers: u32, bytes: u32);
    environ_sizes_get(count: u32, size: u32);
    fd_advise(fd: u32, offset: u64, len: u64, advice: u32);
    fd_allocate(fd: u32, offset: u64, len: u64);
    fd_close(fd: u32);
    fd_datasync(fd: u32);
    fd_fdstat_get(fd: u32, to: u32);
    fd_fdstat_set_flags(fd: u32, flags: u32);
    fd_fdstat_set_rights(fd: u32, base: u64, inheriting: u64);
    fd_filestat_get(fd: u32, to: u32);
    fd_filestat_set_size(fd: u32, size: u64);
    fd_filestat_set_times(fd: u32, accessed: u64, modified: u64, flags: u32);
    fd_pread(fd: u32, vectors: u32, count: u32, offset: u64, read: u32);
    fd_prestat_dir_name(fd: u32, to: u32, len: u32);
    fd_prestat_get(fd: u32, to: u32);
    fd_pwrite(fd: u32, vectors: u32, count: u32, offset: u64, written: u32);
    fd_read(fd: u32, vectors: u32, count: u32, read: u32);
    fd_readdir(fd: u32, to: u32, len: u32, cookie: u64, used: u32);
    fd_renumber(from: u32, to: u32);
    fd_seek(fd: u32, offset: u64, whence: u32, to: u32);
    fd_sync(fd: u32);
    fd_tell(fd: u32, to: u32);
    fd_write(fd: u32, vectors: u32, count: u32, written: u32);
    path_create_directory(fd: u32, path: u32, len: u32);
    path_filestat_get(fd: u32, flags: u32, path: u32, len: u32, to: u32);
    path_filestat_set_times(fd: u32, flags: u32, path: u32, len: u32, accessed: u64, modified: u64, what: u32);
    path_link(fd: u32, flags: u32, path: u32, len: u32, new_fd: u32, new_path: u32, new_len: u32);
    path_open(
        fd: u32, lookup: u32, path: u32, len: u32, how: u32, base: u64, inheriting: u64, flags: u32, to: u32
    );
    path_readlink(fd: u32, path: u32, len: u32, to: u32, to_len: u32, used: u32);
    path_remove_directory(fd: u32, path: u32, len: u32);
    path_rename(fd: u32, path: u32, len: u32, new_fd: u32, new_path: u32, new_len: u32);
    path_symlink(old: u32, old_len: u32, fd: u32, new: u32, new_len: u32);
    path_unlink_file(fd: u32, path: u32, len: u32);
    poll_oneoff(from: u32, to: u32, count: u32, stored: u32);
    proc_exit(code: u32);
    proc_raise(signal: u32);
    random_get(to: u32, len: u32);
    sched_yield();
    sock_accept(fd: u32, flags: u32, to: u32);
    sock_recv(fd: u32, vectors: u32, count: u32, flags: u32, read: u32, said: u32);
    sock_send(fd: u32, vectors: u32, count: u32, flags: u32, written: u32);
    sock_shutdown(fd: u32, how: u32);
}

/// The functions of [`PREVIEW1`] or [`UNSTABLE`], sorted by name; none for any other module.
pub fn functions(module: &str) -> &'static [Function] {
    static FUNCTIONS: OnceLock<[Vec<Function>; 2]> = OnceLock::new();
    let lists = FUNCTIONS.get_or_init(|| {
        [Version::Preview1, Version::Unstable].map(|version| {
            let mut functions = all(version);
            // The predecessor did not have this one yet.
            functions.retain(|function| version == Version::Preview1 || function.name != "sock_accept");
            for function in &mut functions {
                if function.name == "proc_exit" {
                    function.ty.results.clear();
                    function.link = link_exit;
                }
            }
            functions
        })
    });
    match module {
        PREVIEW1 => &lists[0],
        UNSTABLE => &lists[1],
        _ => &[],
    }
}

/// The one function that has no result.
fn link_exit(mut store: StoreContextMut<'_, StoreState>, link: Arc<Link>, version: Version) -> wasmtime::Result<Func> {
    let exit = move |mut caller: Caller<'_, StoreState>, code: u32| -> wasmtime::Result<()> {
        link.run(&mut caller, version, |call| call.proc_exit(code)).map(|_| ())
    };
    Func::try_wrap(store.as_context_mut(), exit)
}
