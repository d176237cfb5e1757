//! `fs.watch`: what the system tells of changes to a file, or in a folder.

use std::{
    collections::HashMap,
    ffi::OsStr,
    mem::MaybeUninit,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use permissions::{Access, Permissions};
use rustix::{
    fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags},
    io::Errno,
};

use super::{
    files::Open,
    job::{Failure, Outcome, Reply, path_bytes},
    tree,
};

const ALL: WatchFlags = WatchFlags::ATTRIB
    .union(WatchFlags::CREATE)
    .union(WatchFlags::MODIFY)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO);
const CHANGE: ReadFlags = ReadFlags::ATTRIB.union(ReadFlags::MODIFY);

/// The kinds of events, as `fs_watcher.js` knows them.
const RENAMED: u8 = 0;
const CHANGED: u8 = 1;

/// What a descriptor watches.
pub(super) struct Watched {
    root: PathBuf,
    /// With `recursive`, what the program may do, and by their numbers the folders below the root, as paths from it.
    folders: Option<(Permissions, Mutex<HashMap<i32, PathBuf>>)>,
}

/// Begins to watch a file, or a folder; with `recursive`, also those in it.
pub(super) fn begin(may: &Permissions, path: &Path, recursive: bool) -> Outcome {
    let held = may.target(path, Access::READ).map_err(|failure| Failure::of(failure, "watch", path))?;
    let failed = |error: Errno| Failure::at(error, "watch", path);
    let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).map_err(failed)?;
    inotify::add_watch(&fd, held.path(), ALL).map_err(failed)?;
    let is_recursive = recursive && held.path().is_dir();
    let watched = Watched { root: path.to_owned(), folders: is_recursive.then(|| (may.clone(), Mutex::default())) };
    let open = Open::new(fd);
    watched.add(&open, Path::new("")).map_err(failed)?;
    open.set_watched(watched);
    Ok(Reply::File(open))
}

impl Watched {
    /// Begins to watch the folders in a folder, and returns what else is in it. What cannot be looked at is left out.
    fn add(&self, open: &Open, folder: &Path) -> Result<Vec<PathBuf>, Errno> {
        let Some((may, places)) = &self.folders else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        let mut waiting = vec![folder.to_owned()];
        while let Some(folder) = waiting.pop() {
            let whole = self.root.join(&folder);
            if !folder.as_os_str().is_empty() {
                let Ok(held) = may.target(&whole, Access::READ) else { continue };
                match inotify::add_watch(open, held.path(), ALL | WatchFlags::ONLYDIR) {
                    Ok(number) => places.lock().unwrap_or_else(|e| e.into_inner()).insert(number, folder.clone()),
                    Err(error @ (Errno::NOSPC | Errno::NOMEM)) => return Err(error),
                    Err(_) => continue,
                };
            }
            for (name, kind) in tree::list(may, &whole, false, "watch").unwrap_or_default() {
                let path = folder.join(OsStr::from_bytes(&name));
                if kind == 2 {
                    waiting.push(path.clone());
                }
                found.push(path);
            }
        }
        Ok(found)
    }

    /// Stops to watch a folder that is now elsewhere, and those in it.
    fn forget(&self, open: &Open, folder: &Path) {
        let Some((_, places)) = &self.folders else { return };
        places.lock().unwrap_or_else(|e| e.into_inner()).retain(|number, place| {
            let stays = !place.starts_with(folder);
            if !stays {
                // (The system has done it already if the folder is gone.)
                let _ = inotify::remove_watch(open, *number);
            }
            stays
        });
    }

    /// What an event is about: a path from the root, or the root's own name; `None` if another event tells it as well.
    fn path_of(&self, number: i32, name: Option<&OsStr>) -> Option<PathBuf> {
        let folder = self
            .folders
            .as_ref()
            .and_then(|(_, places)| places.lock().unwrap_or_else(|e| e.into_inner()).get(&number).cloned());
        match (folder, name) {
            (folder, Some(name)) => Some(folder.unwrap_or_default().join(name)),
            (Some(_), None) => None,
            (None, None) => Some(self.root.file_name().unwrap_or_default().into()),
        }
    }
}

/// What has happened: paths and kinds. There may be nothing yet.
pub(super) fn events(open: &Arc<Open>) -> Outcome {
    let Some(watched) = open.watched() else { return Err(Failure::new(Errno::INVAL, "watch")) };
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut reader = Reader::new(open, &mut buffer);
    let mut found = Vec::new();
    loop {
        match reader.next() {
            Ok(event) => {
                let (what, number) = (event.events(), event.wd());
                // Nobody can say what was lost.
                if what.contains(ReadFlags::QUEUE_OVERFLOW) {
                    continue;
                }
                let name = event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()));
                let Some(path) = watched.path_of(number, name) else { continue };
                let kind =
                    if what.intersects(ReadFlags::all() - CHANGE - ReadFlags::ISDIR) { RENAMED } else { CHANGED };
                found.push((path_bytes(&path), kind));
                if what.contains(ReadFlags::ISDIR) && name.is_some() {
                    if what.intersects(ReadFlags::MOVED_FROM | ReadFlags::DELETE) {
                        watched.forget(open, &path);
                    } else if what.intersects(ReadFlags::MOVED_TO | ReadFlags::CREATE) {
                        let inside = watched.add(open, &path).map_err(|error| Failure::at(error, "watch", &path))?;
                        found.extend(inside.iter().map(|path| (path_bytes(path), RENAMED)));
                    }
                }
            }
            Err(Errno::INTR) => continue,
            Err(Errno::AGAIN) => break,
            Err(error) => return Err(Failure::new(error, "watch")),
        }
        if reader.is_buffer_empty() {
            break;
        }
    }
    Ok(Reply::Entries(found, true))
}
