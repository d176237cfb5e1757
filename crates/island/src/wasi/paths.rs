//! The functions on paths.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, fstat, linkat, mkdirat, readlinkat, renameat, statat, symlinkat, unlinkat,
    utimensat,
};
use rustix::io::Errno as Sys;

use crate::wasi::beneath::{self, Leaf, by_descriptor, place};
use crate::wasi::call::Call;
use crate::wasi::descriptor::{Descriptor, Reach};
use crate::wasi::errno::{Errno, Result, Stop};
use crate::wasi::files::{check_rights, filetype_of, timestamps};
use crate::wasi::transfer::when_it_is_read;
use crate::wasi::types::{fdflags, filestat, oflags, rights};

/// `lookupflags`: whether a link that the path ends in is followed.
fn follows(flags: u32) -> Result<bool> {
    match flags {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Errno::INVAL.into()),
    }
}

impl Call<'_> {
    fn path(&self, at: u32, len: u32) -> Result<CString> {
        // No more is copied of what is too long than it takes to say so.
        let len = self.guest.piece(at, len as usize, 1)?.len.min(beneath::MOST_BYTES);
        beneath::path(self.guest.copy(at, len)?)
    }

    pub(crate) fn path_create_directory(&mut self, fd: u32, path: u32, len: u32) -> Result {
        let descriptor = self.descriptor(fd)?;
        descriptor.check_write()?;
        let path = self.path(path, len)?;
        let place = place(descriptor.directory()?, &path)?;
        if place.is_dot() {
            return Err(Errno::EXIST.into());
        }
        Ok(mkdirat(place.directory(), &*place.name, Mode::from_raw_mode(0o777))?)
    }

    pub(crate) fn path_filestat_get(&mut self, fd: u32, flags: u32, path: u32, len: u32, to: u32) -> Result {
        let descriptor = self.descriptor(fd)?;
        let found = open_place(descriptor.directory()?, &self.path(path, len)?, follows(flags)?)?;
        let stat = fstat(found)?;
        self.guest.put(to, &filestat(&stat, filetype_of(&stat), self.version))
    }

    #[expect(clippy::too_many_arguments, reason = "they are WASI's")]
    pub(crate) fn path_filestat_set_times(
        &mut self,
        fd: u32,
        flags: u32,
        path: u32,
        len: u32,
        accessed: u64,
        modified: u64,
        what: u32,
    ) -> Result {
        let descriptor = self.descriptor(fd)?;
        descriptor.check_write()?;
        let times = timestamps(accessed, modified, what)?;
        let found = open_place(descriptor.directory()?, &self.path(path, len)?, follows(flags)?)?;
        match utimensat(&found, c"", &times, AtFlags::EMPTY_PATH) {
            // Older systems.
            Err(Sys::INVAL) => Ok(utimensat(CWD, &*by_descriptor(found.as_fd()), &times, AtFlags::empty())?),
            set => Ok(set?),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "they are WASI's")]
    pub(crate) fn path_link(
        &mut self,
        fd: u32,
        flags: u32,
        path: u32,
        len: u32,
        new_fd: u32,
        new_path: u32,
        new_len: u32,
    ) -> Result {
        let (old, new) = (self.descriptor(fd)?, self.descriptor(new_fd)?);
        old.check_write()?;
        new.check_write()?;
        let (path, new_path) = (self.path(path, len)?, self.path(new_path, new_len)?);
        let target = place(new.directory()?, &new_path)?;
        let follows = follows(flags)?;
        let source = place(old.directory()?, &path)?;
        if source.is_dot() {
            return Err(Errno::PERM.into());
        }
        if source.is_directory || follows {
            let found = open_place(old.directory()?, &path, follows)?;
            if FileType::from_raw_mode(fstat(&found)?.st_mode) == FileType::Directory {
                return Err(Errno::PERM.into());
            }
            check_new(&target)?;
            let found = by_descriptor(found.as_fd());
            return Ok(linkat(CWD, &*found, target.directory(), &*target.name, AtFlags::SYMLINK_FOLLOW)?);
        }
        check_new(&target)?;
        Ok(linkat(source.directory(), &*source.name, target.directory(), &*target.name, AtFlags::empty())?)
    }

    #[expect(clippy::too_many_arguments, reason = "they are WASI's")]
    pub(crate) fn path_open(
        &mut self,
        fd: u32,
        lookup: u32,
        path: u32,
        len: u32,
        how: u32,
        base: u64,
        inheriting: u64,
        flags: u32,
        to: u32,
    ) -> Result {
        let descriptor = self.descriptor(fd)?;
        let to = self.guest.piece(to, 1, 4)?;
        let path = self.path(path, len)?;
        check_rights(base, inheriting)?;
        let flags = u16::try_from(flags).ok().filter(|flags| flags & !fdflags::ALL == 0).ok_or(Errno::INVAL)?;
        let creates = how & (oflags::CREAT | oflags::EXCL | oflags::TRUNC) != 0;
        if how & !oflags::ALL != 0 || (how & oflags::DIRECTORY != 0 && creates) {
            return Err(Errno::INVAL.into());
        }
        let reads = base & (rights::FD_READ | rights::FD_READDIR) != 0;
        let writes = base & rights::FD_WRITE != 0;
        if writes || how & (oflags::CREAT | oflags::TRUNC) != 0 {
            descriptor.check_write()?;
        }
        // No wait that nobody could interrupt.
        let mut mode = OFlags::NONBLOCK | OFlags::NOCTTY;
        mode |= match (reads, writes) {
            (_, false) => OFlags::RDONLY,
            (true, true) => OFlags::RDWR,
            (false, true) => OFlags::WRONLY,
        };
        let pairs = [
            (how & oflags::CREAT != 0, OFlags::CREATE),
            (how & oflags::DIRECTORY != 0, OFlags::DIRECTORY),
            (how & oflags::EXCL != 0, OFlags::EXCL),
            (how & oflags::TRUNC != 0, OFlags::TRUNC),
            (!follows(lookup)?, OFlags::NOFOLLOW),
            (flags & fdflags::DSYNC != 0, OFlags::DSYNC),
            (flags & (fdflags::SYNC | fdflags::RSYNC) != 0, OFlags::SYNC),
        ];
        mode |= pairs.iter().filter(|(is_set, _)| *is_set).map(|&(_, flag)| flag).collect();
        let permissions = if mode.contains(OFlags::CREATE) { Mode::from_raw_mode(0o666) } else { Mode::empty() };
        let directory = descriptor.directory()?;
        let open = || beneath::open(directory, &path, mode, permissions);
        let opened = match open() {
            Err(stop) if writes && flags & fdflags::NONBLOCK == 0 && is_fifo(directory, &path, &stop) => {
                when_it_is_read(open, is_no_reader)
            }
            opened => opened,
        }?;
        let mut opened = Descriptor::of_guest(opened, base & rights::FD_READ != 0, writes, flags)?;
        opened.reach = descriptor.reach;
        let number = self.wasi.descriptors.lock().add(opened)?;
        self.guest.write(to, &number.to_le_bytes());
        Ok(())
    }

    pub(crate) fn path_readlink(&mut self, fd: u32, path: u32, len: u32, to: u32, to_len: u32, used: u32) -> Result {
        let descriptor = self.descriptor(fd)?;
        let path = self.path(path, len)?;
        let place = place(descriptor.directory()?, &path)?;
        if place.is_dot() || place.is_directory {
            // It is there, and no link, or there is an error.
            open_place(descriptor.directory()?, &path, true)?;
            return Err(Errno::INVAL.into());
        }
        let target = readlinkat(place.directory(), &*place.name, Vec::new())?;
        let bytes = &target.as_bytes()[..target.as_bytes().len().min(to_len as usize)];
        self.guest.put(to, bytes)?;
        self.guest.put_u32(used, bytes.len() as u32)
    }

    pub(crate) fn path_remove_directory(&mut self, fd: u32, path: u32, len: u32) -> Result {
        let descriptor = self.descriptor(fd)?;
        descriptor.check_write()?;
        let path = self.path(path, len)?;
        let place = place(descriptor.directory()?, &path)?;
        if place.is_dot() {
            return Err(if place.is_above { Errno::NOTEMPTY } else { Errno::INVAL }.into());
        }
        Ok(unlinkat(place.directory(), &*place.name, AtFlags::REMOVEDIR)?)
    }

    pub(crate) fn path_rename(
        &mut self,
        fd: u32,
        path: u32,
        len: u32,
        new_fd: u32,
        new_path: u32,
        new_len: u32,
    ) -> Result {
        let (old, new) = (self.descriptor(fd)?, self.descriptor(new_fd)?);
        old.check_write()?;
        new.check_write()?;
        let (path, new_path) = (self.path(path, len)?, self.path(new_path, new_len)?);
        let source = place(old.directory()?, &path)?;
        let target = place(new.directory()?, &new_path)?;
        if source.is_dot() || target.is_dot() {
            return Err(Errno::BUSY.into());
        }
        if (source.is_directory || target.is_directory) && kind(&source)? != FileType::Directory {
            return Err(Errno::NOTDIR.into());
        }
        Ok(renameat(source.directory(), &*source.name, target.directory(), &*target.name)?)
    }

    pub(crate) fn path_symlink(&mut self, old: u32, old_len: u32, fd: u32, new: u32, new_len: u32) -> Result {
        let target = self.path(old, old_len)?;
        let descriptor = self.descriptor(fd)?;
        descriptor.check_write()?;
        let path = self.path(new, new_len)?;
        if target.to_bytes().starts_with(b"/") {
            // It would mean something else to the host.
            return Err(Errno::NOTCAPABLE.into());
        }
        if descriptor.reach != Reach::Any && target.to_bytes().split(|&byte| byte == b'/').any(|name| name == b"..") {
            // It could lead somebody out who may do more.
            return Err(Errno::NOTCAPABLE.into());
        }
        let place = place(descriptor.directory()?, &path)?;
        check_new(&place)?;
        Ok(symlinkat(&*target, place.directory(), &*place.name)?)
    }

    pub(crate) fn path_unlink_file(&mut self, fd: u32, path: u32, len: u32) -> Result {
        let descriptor = self.descriptor(fd)?;
        descriptor.check_write()?;
        let path = self.path(path, len)?;
        let place = place(descriptor.directory()?, &path)?;
        if place.is_dot() {
            return Err(Errno::ISDIR.into());
        }
        if place.is_directory && kind(&place)? != FileType::Directory {
            return Err(Errno::NOTDIR.into());
        }
        Ok(unlinkat(place.directory(), &*place.name, AtFlags::empty())?)
    }
}

/// Opens what a path leads to as a place: it need not be readable.
fn open_place(directory: BorrowedFd<'_>, path: &CString, follows: bool) -> Result<OwnedFd> {
    let follow = if follows { OFlags::empty() } else { OFlags::NOFOLLOW };
    beneath::open(directory, path, OFlags::PATH | follow, Mode::empty())
}

/// What is at a place, itself.
fn kind(place: &Leaf<'_>) -> Result<FileType> {
    let stat = statat(place.directory(), &*place.name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(FileType::from_raw_mode(stat.st_mode))
}

/// Checks that something other than a directory can be made at a place.
fn check_new(place: &Leaf<'_>) -> Result {
    if place.is_dot() {
        return Err(Errno::EXIST.into());
    }
    if !place.is_directory {
        return Ok(());
    }
    match kind(place)? {
        FileType::Directory => Err(Errno::EXIST.into()),
        _ => Err(Errno::NOTDIR.into()),
    }
}

/// Whether opening a path has failed because it is a FIFO that nobody reads.
fn is_fifo(directory: BorrowedFd<'_>, path: &CString, stop: &Stop) -> bool {
    let is = |found: OwnedFd| fstat(found).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo);
    is_no_reader(stop) && open_place(directory, path, true).is_ok_and(is)
}

fn is_no_reader(stop: &Stop) -> bool {
    matches!(stop, Stop::Errno(errno) if *errno == Sys::NXIO.into())
}
