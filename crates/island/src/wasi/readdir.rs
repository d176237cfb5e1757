//! `fd_readdir`.

use std::sync::Arc;

use crate::wasi::call::Call;
use crate::wasi::entries::Entries;
use crate::wasi::errno::Result;
use crate::wasi::guest::Piece;

impl Call<'_> {
    pub(crate) fn fd_readdir(&mut self, fd: u32, to: u32, len: u32, cookie: u64, used: u32) -> Result {
        let descriptor = self.descriptor(fd)?;
        let directory = descriptor.directory()?;
        let file = descriptor.host()?;
        let to = self.guest.piece(to, len as usize, 1)?;
        let used = self.guest.piece(used, 1, 4)?;
        let entries = {
            let mut last = file.entries.lock().unwrap_or_else(|e| e.into_inner());
            match &*last {
                Some(entries) if cookie > 0 => entries.clone(),
                _ => last.insert(Arc::new(Entries::read(directory)?)).clone(),
            }
        };
        let mut bytes = Vec::new();
        let first = usize::try_from(cookie).unwrap_or(usize::MAX).min(entries.list.len());
        for (entry, cookie) in entries.list[first..].iter().zip(first as u64 + 1..) {
            if bytes.len() >= to.len {
                break;
            }
            bytes.extend_from_slice(&cookie.to_le_bytes());
            bytes.extend_from_slice(&entry.inode.to_le_bytes());
            bytes.extend_from_slice(&(entry.name.len() as u32).to_le_bytes());
            bytes.extend_from_slice(&u32::from(entry.filetype).to_le_bytes());
            bytes.extend_from_slice(&entry.name);
        }
        // A full buffer says that there is more: the last entry may be cut off.
        bytes.truncate(to.len);
        self.guest.write(Piece { at: to.at, len: bytes.len() }, &bytes);
        self.guest.write(used, &(bytes.len() as u32).to_le_bytes());
        Ok(())
    }
}
