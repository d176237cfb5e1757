//! Compiled code that is kept in files from one run to the next.
//!
//! A cache is a folder with one [file](file) for each module, named by a [`Key`]: a hash of the module's bytes and of
//! everything that affects how they are compiled. The files hold machine code, so nothing is taken on trust: the folder
//! and its files must belong to the user of the process, and nobody else may be able to write to them; each file is
//! checked as a whole against its own checksum before it is mapped. A file that is damaged is ignored and replaced.
//!
//! A large module that is still to be optimized is kept in its file as well, so that memory does not hold it meanwhile.
//! It is checked against the key when it is read.
//!
//! Files are written under another name and then renamed, so that nobody sees half a file, and whoever has mapped a
//! file keeps it as it is. When all files together exceed the limit, the least recently used ones are removed, if not at
//! once: they are counted now and then.
//!
//! If anything goes wrong with a file (a full disk, for example), that costs the time of compiling and nothing else.

mod file;

use std::ffi::CStr;
use std::fs::{DirBuilder, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use rustix::io::Errno;

use file::Footer;

/// The ending of an entry's name.
const SUFFIX: &str = ".code";

/// The ending of the name of a file that is being written.
const UNFINISHED: &str = ".unfinished";

/// A file that was being written this long ago has been given up.
const GIVEN_UP: Duration = Duration::from_secs(3600);

/// On average, the files of a large cache are counted once for this part of its limit.
const PART: u64 = 64;

/// With a lower limit, the files are counted each time: there are not many.
const SMALL: u64 = 64 << 20;

/// The precision of an entry's time of last use.
const USED: Duration = Duration::from_secs(60);

/// A hash of a module's bytes and of how they are compiled. Nobody can find a second module with the same one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 32]);

impl Key {
    /// The key of a module; `configuration` stands for how it is compiled.
    pub(crate) fn new(configuration: &Self, module: &[u8]) -> Self {
        Self(blake3::keyed_hash(&configuration.0, module).into())
    }

    /// The key of a configuration, from everything that matters.
    pub(crate) fn of_configuration(configuration: impl std::hash::Hash) -> Self {
        /// Hashes any value that has a `Hash`.
        struct Everything(blake3::Hasher);
        impl std::hash::Hasher for Everything {
            fn write(&mut self, bytes: &[u8]) {
                self.0.update(bytes);
            }
            fn finish(&self) -> u64 {
                0
            }
        }
        let mut everything = Everything(blake3::Hasher::new());
        configuration.hash(&mut everything);
        Self(everything.0.finalize().into())
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn file_name(&self) -> String {
        format!("{self:?}{SUFFIX}")
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// How well code is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Tier {
    /// Compiled in little time.
    Fast = 0,
    /// Compiled to run fast.
    Optimized = 1,
}

impl Tier {
    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Fast, Self::Optimized].into_iter().find(|&tier| tier as u8 == byte)
    }
}

/// Why a folder cannot be a cache.
#[derive(Debug)]
#[non_exhaustive]
pub enum CacheError {
    /// The folder, or a file in it, cannot be opened, read or removed.
    Io(io::Error),
    /// The folder belongs to somebody else, or others can write to it: what they put there would be run.
    NotPrivate,
}

impl std::fmt::Display for CacheError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::NotPrivate => f.write_str(
                "it must belong to the user who runs this program, and others must not be able to write to it",
            ),
        }
    }
}

impl std::error::Error for CacheError {}

impl From<Errno> for CacheError {
    fn from(error: Errno) -> Self {
        Self::Io(error.into())
    }
}

/// A folder of compiled code, which any number of threads and processes may use at once.
#[derive(Debug)]
pub struct CodeCache {
    path: PathBuf,
    limit: u64,
    warn: fn(&str),
    /// The folder, once it has been needed and could be opened.
    folder: OnceLock<OwnedFd>,
    has_warned: AtomicBool,
}

/// One module's compiled code in a [`CodeCache`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CacheEntry {
    /// The file's name without the ending: 64 hexadecimal digits.
    pub name: String,
    /// The size of the file in bytes.
    pub bytes: u64,
    /// The size of the module in bytes, and how well it is compiled; `None` if the file does not have this format.
    pub module: Option<(u64, Tier)>,
    /// When the entry was last used, to within a minute.
    pub used: SystemTime,
}

/// An entry that has been checked.
pub(crate) struct CachedCode {
    pub(crate) code: Code,
    pub(crate) attachment: Vec<u8>,
    pub(crate) tier: Tier,
    pub(crate) kept: Option<KeptModule>,
}

/// The bytes of a module in an entry, which are in a file and not in memory.
#[derive(Debug)]
pub(crate) struct KeptModule {
    file: File,
    start: u64,
    len: u64,
    key: Key,
}

impl KeptModule {
    /// The bytes of the module in a file that has this footer, if they are there.
    fn of(file: &File, footer: &Footer) -> Option<Self> {
        let start = footer.module_start().filter(|_| footer.kept > 0)?;
        Some(Self { file: file.try_clone().ok()?, start, len: footer.kept, key: footer.key })
    }

    /// Reads the bytes. Returns `None` if they are not those of the module that the key, with this configuration, is of.
    pub(crate) fn read(&self, configuration: &Key) -> Option<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(self.len).ok()?];
        self.file.read_exact_at(&mut bytes, self.start).ok()?;
        (Key::new(configuration, &bytes) == self.key).then_some(bytes)
    }
}

/// Complete output of a compiler whose configuration is that of the engine which loads it. (Nothing outside this file can
/// make one from other bytes but [`read_file`], whose callers answer for it; an engine has keys, and so entries, for its
/// own configuration alone.)
#[derive(Debug)]
pub(crate) struct Code(CodeLocation);

/// Where code is.
#[derive(Debug)]
enum CodeLocation {
    /// At the beginning of a file that nobody else can write to, with this length.
    File(File, u64),
    Memory(Vec<u8>),
}

impl Code {
    /// Compiles a module in either format.
    pub(crate) fn compile(engine: &wasmtime::Engine, module: &[u8]) -> wasmtime::Result<Self> {
        engine.precompile_module(module).map(|code| Self(CodeLocation::Memory(code)))
    }

    /// Loads the code into the engine.
    ///
    /// # Errors
    /// When memory runs out, or the file can no longer be read.
    pub(crate) fn load(self, engine: &wasmtime::Engine) -> wasmtime::Result<wasmtime::Module> {
        /// Shorter code is read instead of mapped: Wasmtime keeps a mapped file open, and descriptors are scarce.
        const MAPPED: u64 = 1 << 20;
        let bytes = match self.0 {
            CodeLocation::Memory(bytes) => bytes,
            CodeLocation::File(file, len) => {
                if len >= MAPPED
                    && let Ok(file) = file.try_clone()
                    // SAFETY: the invariant of this type says that this engine's compiler made the code: the entry's
                    // key stands for the engine's configuration, its checksum is right, and nobody else can write to
                    // the file. This cache never does.
                    && let Ok(module) = unsafe { wasmtime::Module::deserialize_open_file(engine, file) }
                {
                    return Ok(module);
                }
                // Some file systems do not allow anything on them to be executed.
                let mut bytes = vec![0; usize::try_from(len)?];
                file.read_exact_at(&mut bytes, 0)?;
                bytes
            }
        };
        // SAFETY: as above.
        unsafe { wasmtime::Module::deserialize(engine, bytes) }
    }
}

/// What is wrong with a file that is no entry of a cache.
pub(crate) enum Damage {
    Io(io::Error),
    Format,
    Checksum,
}

/// Checks a file that is no entry of a cache, and returns its key and what it holds.
///
/// # Safety
/// A file that is intact must be what [`whole_file`] returned, and nobody may change it while its code is in use. Its
/// code may be loaded only into an engine that differs from the one that compiled it in nothing but what Wasmtime checks
/// by itself.
pub(crate) unsafe fn read_file(file: File) -> Result<(Key, CachedCode), Damage> {
    let size = file.metadata().map_err(Damage::Io)?.len();
    let footer = Footer::read(&file, size).map_err(Damage::Io)?.ok_or(Damage::Format)?;
    let attachment = file::check(&file, &footer).map_err(Damage::Io)?.ok_or(Damage::Checksum)?;
    let code = Code(CodeLocation::File(file, footer.code));
    Ok((footer.key, CachedCode { code, attachment, tier: footer.tier, kept: None }))
}

/// What a file for [`read_file`] holds.
pub(crate) fn whole_file(
    key: &Key,
    tier: Tier,
    original: usize,
    code: Code,
    attachment: &[u8],
) -> wasmtime::Result<Vec<u8>> {
    let code = match code.0 {
        CodeLocation::Memory(code) => code,
        CodeLocation::File(file, len) => {
            let mut code = vec![0; usize::try_from(len)?];
            file.read_exact_at(&mut code, 0)?;
            code
        }
    };
    let parts = [&code, attachment, &[]];
    let mut whole = Vec::with_capacity(code.len() + attachment.len() + Footer::BYTES);
    file::write(&mut whole, parts, &Footer::of(parts, original, tier, key))?;
    Ok(whole)
}

impl CodeCache {
    /// A cache in the folder at `path`, which is made when there is something to keep. Its files may take `limit` bytes
    /// together. `warn` is called about a folder or a file that others could have written, and which is therefore not
    /// used.
    pub fn new(path: &Path, limit: u64, warn: fn(&str)) -> Self {
        // The process may change its folder later.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
        Self { path, limit, warn, folder: OnceLock::new(), has_warned: AtomicBool::new(false) }
    }

    /// Makes the folder now, for callers that want to know whether it can be used.
    ///
    /// # Errors
    /// When it cannot be made or opened, or others can write to it.
    pub fn create(&self) -> Result<(), CacheError> {
        self.make().map(drop)
    }

    /// Opens the folder, and makes it if it is not there.
    fn make(&self) -> Result<OwnedFd, CacheError> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.path).map_err(CacheError::Io)?;
        self.open()
    }

    /// Opens the folder.
    fn open(&self) -> Result<OwnedFd, CacheError> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(&self.path, flags, Mode::empty())?;
        if !is_private(&rustix::fs::fstat(&folder)?) {
            return Err(CacheError::NotPrivate);
        }
        Ok(folder)
    }

    /// The folder, if it can be used. Warns once if it is there and cannot.
    fn folder(&self, open: impl FnOnce() -> Result<OwnedFd, CacheError>) -> Option<&OwnedFd> {
        if let Some(folder) = self.folder.get() {
            return Some(folder);
        }
        let folder = open();
        if let Err(error @ CacheError::NotPrivate) = &folder
            && !self.has_warned.swap(true, Ordering::Relaxed)
        {
            (self.warn)(&format!("compiled code is not kept in {}: {error}", self.path.display()));
        }
        let folder = folder.ok()?;
        Some(self.folder.get_or_init(|| folder))
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The entries, most recently used first; none if there is no folder yet.
    ///
    /// # Errors
    /// When the folder cannot be read, or is not used because others can write to it.
    pub fn entries(&self) -> Result<Vec<CacheEntry>, CacheError> {
        let mut entries = Vec::new();
        let Some(folder) = self.existing()? else { return Ok(entries) };
        each(&folder, |name, stat| {
            let Some(digest) = name.strip_suffix(SUFFIX) else { return };
            let footer =
                open_file(&folder, name).and_then(|file| Footer::read(&file, stat.st_size as u64).ok().flatten());
            let module = footer.map(|footer| (footer.original, footer.tier));
            entries.push(CacheEntry { name: digest.into(), bytes: stat.st_size as u64, module, used: modified(stat) });
        })?;
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.used));
        Ok(entries)
    }

    /// Removes all entries. Programs that are running keep what they have.
    ///
    /// # Errors
    /// When the folder cannot be read, or is not used because others can write to it, or a file cannot be removed.
    pub fn clear(&self) -> Result<(), CacheError> {
        let mut names = Vec::new();
        let Some(folder) = self.existing()? else { return Ok(()) };
        each(&folder, |name, _| names.push(name.to_owned()))?;
        for name in names {
            match rustix::fs::unlinkat(&folder, &*name, AtFlags::empty()) {
                // Somebody else removed it first.
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn existing(&self) -> Result<Option<OwnedFd>, CacheError> {
        match self.open() {
            Err(CacheError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            folder => folder.map(Some),
        }
    }

    /// The entry for a key, if it is intact.
    pub(crate) fn load(&self, key: &Key) -> Option<CachedCode> {
        let name = key.file_name();
        let file = open_file(self.folder(|| self.open())?, &name)?;
        let stat = rustix::fs::fstat(&file).ok()?;
        let problem = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile if is_private(&stat) => None,
            FileType::RegularFile => Some("others can write to it"),
            _ => Some("it is not a file"),
        };
        if let Some(problem) = problem {
            (self.warn)(&format!("{} is not used: {problem}", self.path.join(&name).display()));
            return None;
        }
        let footer = Footer::read(&file, stat.st_size as u64).ok()?.filter(|footer| footer.key == *key)?;
        let attachment = file::check(&file, &footer).ok()??;
        touch(&file, &stat);
        let kept = KeptModule::of(&file, &footer);
        Some(CachedCode { code: Code(CodeLocation::File(file, footer.code)), attachment, tier: footer.tier, kept })
    }

    /// Stores the code that a module of `original` bytes was compiled to, if possible, and the module itself if it is
    /// `kept`, which is otherwise empty. Returns the code, and where the module is kept.
    pub(crate) fn store(
        &self,
        key: &Key,
        tier: Tier,
        original: usize,
        code: Code,
        attachment: &[u8],
        kept: &[u8],
    ) -> (Code, Option<KeptModule>) {
        // Code that is in a file already has been stored.
        let Code(CodeLocation::Memory(code)) = code else { return (code, None) };
        let parts = [&code, attachment, kept];
        let footer = Footer::of(parts, original, tier, key);
        match self.write(&footer, parts) {
            Some(file) => {
                let kept = KeptModule::of(&file, &footer);
                (Code(CodeLocation::File(file, footer.code)), kept)
            }
            None => (Code(CodeLocation::Memory(code)), None),
        }
    }

    fn write(&self, footer: &Footer, parts: [&[u8]; 3]) -> Option<File> {
        let size = footer.code + footer.attachment + footer.kept + Footer::BYTES as u64;
        // Exceeding the system's limit for the size of a file can end the process by a signal.
        let most = rustix::process::getrlimit(rustix::process::Resource::Fsize).current.unwrap_or(u64::MAX);
        if size > self.limit.min(most) {
            return None;
        }
        let folder = self.folder(|| self.make())?;
        step();
        let name = footer.key.file_name();
        // Another process may have compiled it better meanwhile.
        let there = open_file(folder, &name).and_then(|file| {
            let size = rustix::fs::fstat(&file).ok()?.st_size;
            Footer::read(&file, size as u64).ok()?
        });
        if there.is_some_and(|there| there.key == footer.key && there.tier > footer.tier) {
            return None;
        }
        if self.is_crowded(size) {
            self.make_room(folder, size, &name);
        }
        let unfinished = unfinished_name();
        let file = create_file(folder, &unfinished)?;
        step();
        let written = file::write(&file, parts, footer)
            .and_then(|()| Ok(rustix::fs::renameat(folder, &*unfinished, folder, &*name)?));
        step();
        if written.is_err() {
            let _ = rustix::fs::unlinkat(folder, &*unfinished, AtFlags::empty());
        }
        written.ok().map(|()| file)
    }

    /// Whether it is time to look whether there is room for `size` bytes more. Looking costs as much as there are entries,
    /// and no process knows what others have added; so each byte that is stored by any of them is as likely as another
    /// to be the one that has somebody look, on average once for a small part of the limit.
    fn is_crowded(&self, size: u64) -> bool {
        let random = RandomState::new().build_hasher().finish();
        self.limit < SMALL || random % (self.limit / PART) < size
    }

    /// Removes the least recently used entries until there is room for `size` bytes in the place of the entry `name`.
    fn make_room(&self, folder: &OwnedFd, size: u64, name: &str) {
        let replaced = name;
        let now = SystemTime::now();
        let (mut files, mut total) = (Vec::new(), size);
        // A folder that cannot be read is left as it is.
        let _ = each(folder, |name, stat| {
            let modified = modified(stat);
            if name == replaced {
                return;
            }
            if name.ends_with(SUFFIX) {
                total = total.saturating_add(stat.st_size as u64);
                files.push((modified, stat.st_size as u64, name.to_owned()));
            } else if name.ends_with(UNFINISHED) && apart(now, modified) > GIVEN_UP {
                files.push((UNIX_EPOCH, 0, name.to_owned()));
            }
        });
        files.sort_unstable();
        for (used, size, name) in files {
            if total <= self.limit && used != UNIX_EPOCH {
                break;
            }
            if rustix::fs::unlinkat(folder, &*name, AtFlags::empty()).is_ok() {
                total = total.saturating_sub(size);
            }
            step();
        }
    }
}

/// Calls `visit` with each file that a cache has made.
fn each(folder: &OwnedFd, mut visit: impl FnMut(&str, &Stat)) -> rustix::io::Result<()> {
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let Some(name) = name_of_ours(entry.file_name()) else { continue };
        // A file that has just been removed is skipped.
        if let Ok(stat) = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            visit(name, &stat);
        }
    }
    Ok(())
}

fn open_file(folder: &OwnedFd, name: &str) -> Option<File> {
    // A pipe in the file's place must not block us.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::openat(folder, name, flags, Mode::empty()).ok().map(File::from)
}

fn create_file(folder: &OwnedFd, name: &str) -> Option<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(folder, name, flags, Mode::RUSR | Mode::WUSR).ok().map(File::from)
}

/// Records that an entry was used, in its time of modification: file systems seldom update the time of access.
fn touch(file: &File, stat: &Stat) {
    if apart(SystemTime::now(), modified(stat)) < USED {
        return;
    }
    let time = |tv_nsec| Timespec { tv_sec: 0, tv_nsec };
    let times = Timestamps { last_access: time(UTIME_OMIT), last_modification: time(UTIME_NOW) };
    // If the system refuses this, the entry is removed sooner.
    let _ = rustix::fs::futimens(file, &times);
}

/// Whether nobody but this process's user can write to it.
fn is_private(stat: &Stat) -> bool {
    stat.st_uid == rustix::process::geteuid().as_raw() && stat.st_mode & 0o022 == 0
}

fn modified(stat: &Stat) -> SystemTime {
    let time = Duration::new(stat.st_mtime.max(0).cast_unsigned(), stat.st_mtime_nsec as u32);
    UNIX_EPOCH.checked_add(time).unwrap_or(UNIX_EPOCH)
}

/// How far apart two times are. A clock that was set back leaves files from the future.
fn apart(one: SystemTime, other: SystemTime) -> Duration {
    one.duration_since(other).unwrap_or_else(|error| error.duration())
}

/// The name, if it has the form that this cache gives to its files.
fn name_of_ours(name: &CStr) -> Option<&str> {
    let name = name.to_str().ok()?;
    let is_digest = |digest: &str| digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_unfinished = |numbers: &str| {
        let numbers: Vec<_> = numbers.split('-').collect();
        numbers.len() == 3 && numbers.iter().all(|number| number.parse::<u128>().is_ok())
    };
    let is_ours =
        name.strip_suffix(SUFFIX).is_some_and(is_digest) || name.strip_suffix(UNFINISHED).is_some_and(is_unfinished);
    is_ours.then_some(name)
}

fn unfinished_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // A process on another machine or in another container that shares the folder may have the same process id.
    let salt = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    format!("{}-{salt}-{}{UNFINISHED}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Stands between any two effects on the folder. Tests kill the process here.
#[cfg(not(test))]
fn step() {}

#[cfg(test)]
use tests::step;

#[cfg(test)]
mod tests;
