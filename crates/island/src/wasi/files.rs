//! The functions on descriptors, besides reading and writing.

use std::os::fd::AsFd;

use rustix::fs::{
    Advice, FallocateFlags, SeekFrom, Stat, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, fadvise, fallocate, fdatasync,
    fstat, fsync, ftruncate, futimens, seek,
};

use crate::wasi::call::Call;
use crate::wasi::descriptor::DescriptorKind;
use crate::wasi::errno::{Errno, Result};
use crate::wasi::types::{Version, filestat, fstflags, rights};

impl Call<'_> {
    pub(crate) fn fd_advise(&mut self, fd: u32, offset: u64, len: u64, advice: u32) -> Result {
        let descriptor = self.descriptor(fd)?;
        let advice = match advice {
            0 => Advice::Normal,
            1 => Advice::Sequential,
            2 => Advice::Random,
            3 => Advice::WillNeed,
            4 => Advice::DontNeed,
            5 => Advice::NoReuse,
            _ => return Err(Errno::INVAL.into()),
        };
        if i64::try_from(offset).is_err() || i64::try_from(len).is_err() {
            return Err(Errno::INVAL.into());
        }
        Ok(fadvise(&descriptor.seekable()?.handle, offset, std::num::NonZero::new(len), advice)?)
    }

    pub(crate) fn fd_allocate(&mut self, fd: u32, offset: u64, len: u64) -> Result {
        let descriptor = self.descriptor(fd)?;
        Ok(fallocate(&descriptor.seekable()?.handle, FallocateFlags::empty(), offset, len)?)
    }

    pub(crate) fn fd_close(&mut self, fd: u32) -> Result {
        let closed = self.wasi.descriptors.lock().remove(fd)?;
        // Without the lock: what closing waits for holds up nobody else.
        drop(closed);
        Ok(())
    }

    pub(crate) fn fd_renumber(&mut self, from: u32, to: u32) -> Result {
        let closed = self.wasi.descriptors.lock().renumber(from, to)?;
        drop(closed);
        Ok(())
    }

    pub(crate) fn fd_datasync(&mut self, fd: u32) -> Result {
        Ok(fdatasync(&self.descriptor(fd)?.host()?.handle)?)
    }

    pub(crate) fn fd_sync(&mut self, fd: u32) -> Result {
        Ok(fsync(&self.descriptor(fd)?.host()?.handle)?)
    }

    pub(crate) fn fd_fdstat_get(&mut self, fd: u32, to: u32) -> Result {
        let descriptor = self.descriptor(fd)?;
        let (base, inheriting) = descriptor.rights();
        let mut bytes = [0; 24];
        bytes[0] = descriptor.filetype();
        bytes[2..4].copy_from_slice(&descriptor.flags().to_le_bytes());
        bytes[8..16].copy_from_slice(&base.to_le_bytes());
        bytes[16..].copy_from_slice(&inheriting.to_le_bytes());
        self.guest.put(to, &bytes)
    }

    pub(crate) fn fd_fdstat_set_flags(&mut self, fd: u32, flags: u32) -> Result {
        let flags = u16::try_from(flags).map_err(|_| Errno::INVAL)?;
        self.descriptor(fd)?.set_flags(flags)
    }

    /// Rights are what the system allows.
    pub(crate) fn fd_fdstat_set_rights(&mut self, fd: u32, base: u64, inheriting: u64) -> Result {
        self.descriptor(fd)?;
        check_rights(base, inheriting)?;
        Err(Errno::NOTSUP.into())
    }

    pub(crate) fn fd_filestat_get(&mut self, fd: u32, to: u32) -> Result {
        let descriptor = self.descriptor(fd)?;
        let bytes = match &descriptor.kind {
            DescriptorKind::Host(file) => filestat(&fstat(&file.handle)?, file.filetype, self.version),
            DescriptorKind::Bytes(_) | DescriptorKind::Sink(..) => {
                let mut bytes = vec![0; if self.version == Version::Preview1 { 64 } else { 56 }];
                bytes[16] = descriptor.filetype();
                bytes
            }
        };
        self.guest.put(to, &bytes)
    }

    pub(crate) fn fd_filestat_set_size(&mut self, fd: u32, size: u64) -> Result {
        let descriptor = self.descriptor(fd)?;
        Ok(ftruncate(&descriptor.host()?.handle, size)?)
    }

    pub(crate) fn fd_filestat_set_times(&mut self, fd: u32, accessed: u64, modified: u64, flags: u32) -> Result {
        let descriptor = self.descriptor(fd)?;
        descriptor.check_write()?;
        let times = timestamps(accessed, modified, flags)?;
        Ok(futimens(&descriptor.host()?.handle, &times)?)
    }

    pub(crate) fn fd_prestat_get(&mut self, fd: u32, to: u32) -> Result {
        let descriptor = self.descriptor(fd)?;
        let name = descriptor.preopen.as_ref().ok_or(Errno::BADF)?;
        let mut bytes = [0; 8];
        bytes[4..].copy_from_slice(&(name.len() as u32).to_le_bytes());
        self.guest.put(to, &bytes)
    }

    pub(crate) fn fd_prestat_dir_name(&mut self, fd: u32, to: u32, len: u32) -> Result {
        let descriptor = self.descriptor(fd)?;
        let name = descriptor.preopen.as_ref().ok_or(Errno::BADF)?;
        if name.len() > len as usize {
            return Err(Errno::NAMETOOLONG.into());
        }
        self.guest.put(to, name.as_bytes())
    }

    pub(crate) fn fd_seek(&mut self, fd: u32, offset: u64, whence: u32, to: u32) -> Result {
        let descriptor = self.descriptor(fd)?;
        let to = self.guest.piece(to, 1, 8)?;
        let file = descriptor.seekable()?;
        let signed = offset as i64;
        let position = match (self.version, whence) {
            (Version::Preview1, 0) | (Version::Unstable, 2) => SeekFrom::Start(offset),
            (Version::Preview1, 1) | (Version::Unstable, 0) => SeekFrom::Current(signed),
            (Version::Preview1, 2) | (Version::Unstable, 1) => SeekFrom::End(signed),
            _ => return Err(Errno::INVAL.into()),
        };
        let position = seek(file.handle.as_fd(), position)?;
        self.guest.write(to, &position.to_le_bytes());
        Ok(())
    }

    pub(crate) fn fd_tell(&mut self, fd: u32, to: u32) -> Result {
        let descriptor = self.descriptor(fd)?;
        let position = seek(descriptor.seekable()?.handle.as_fd(), SeekFrom::Current(0))?;
        self.guest.put_u64(to, position)
    }
}

/// Checks that no right is asked for that there is not.
pub(crate) fn check_rights(base: u64, inheriting: u64) -> Result {
    if (base | inheriting) & !rights::ALL == 0 { Ok(()) } else { Err(Errno::INVAL.into()) }
}

/// What `fstflags` ask for.
pub(crate) fn timestamps(accessed: u64, modified: u64, flags: u32) -> Result<Timestamps> {
    let both = |a: u32, b: u32| flags & (a | b) == a | b;
    if flags & !fstflags::ALL != 0
        || both(fstflags::ATIM, fstflags::ATIM_NOW)
        || both(fstflags::MTIM, fstflags::MTIM_NOW)
    {
        return Err(Errno::INVAL.into());
    }
    let time = |time: u64, set: u32, now: u32| {
        if flags & set != 0 {
            Timespec { tv_sec: (time / 1_000_000_000) as i64, tv_nsec: (time % 1_000_000_000) as _ }
        } else {
            Timespec { tv_sec: 0, tv_nsec: if flags & now != 0 { UTIME_NOW } else { UTIME_OMIT } }
        }
    };
    Ok(Timestamps {
        last_access: time(accessed, fstflags::ATIM, fstflags::ATIM_NOW),
        last_modification: time(modified, fstflags::MTIM, fstflags::MTIM_NOW),
    })
}

/// The kind of file, as guests know it.
pub(crate) fn filetype_of(stat: &Stat) -> u8 {
    crate::wasi::types::filetype::of(rustix::fs::FileType::from_raw_mode(stat.st_mode))
}
