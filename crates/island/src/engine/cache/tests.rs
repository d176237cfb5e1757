//! What the cache keeps comes back, and nothing else does.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Mutex;

use super::*;

/// The warnings that caches have given, in all tests.
static WARNINGS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn warnings_of(path: &Path) -> usize {
    let path = path.to_str().unwrap();
    WARNINGS.lock().unwrap().iter().filter(|warning| warning.contains(path)).count()
}

/// A cache in a folder of its own, which is removed with it.
struct Temporary(CodeCache);

impl Temporary {
    fn new(limit: u64) -> Self {
        let path = std::env::temp_dir().join(format!("tombolo-cache-test-{}", unfinished_name()));
        let warn = |warning: &str| WARNINGS.lock().unwrap().push(warning.into());
        Self(CodeCache::new(&path, limit, warn))
    }

    fn file(&self, key: &Key) -> PathBuf {
        self.0.path.join(key.file_name())
    }

    /// Another cache on the same folder, as another process would have it.
    fn reopened(&self) -> CodeCache {
        CodeCache::new(&self.0.path, self.0.limit, self.0.warn)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::set_permissions(&self.0.path, Permissions::from_mode(0o700));
        let _ = fs::remove_dir_all(&self.0.path);
    }
}

fn key(module: &[u8]) -> Key {
    Key::new(&Key::of_configuration("a test"), module)
}

const CODE: &[u8] = b"code that is not run here";

fn in_memory(code: &[u8]) -> Code {
    Code(CodeLocation::Memory(code.into()))
}

fn store(cache: &CodeCache, key: &Key) -> bool {
    matches!(cache.store(key, Tier::Fast, 7, in_memory(CODE), b"attached", b"").0.0, CodeLocation::File(..))
}

/// What comes back for a key: the code and the attachment.
fn loaded(cache: &CodeCache, key: &Key) -> Option<(Vec<u8>, Vec<u8>, Tier)> {
    let found = cache.load(key)?;
    let CodeLocation::File(file, len) = found.code.0 else { panic!("it is in a file") };
    let mut code = vec![0; len as usize];
    file.read_exact_at(&mut code, 0).unwrap();
    Some((code, found.attachment, found.tier))
}

#[test]
fn a_module_is_kept_beside_its_code() {
    let cache = Temporary::new(1 << 20);
    let (configuration, module) = (Key::of_configuration("a test"), b"the module's own bytes");
    let key = key(module);
    let store = |kept| cache.0.store(&key, Tier::Fast, module.len(), in_memory(CODE), b"attached", kept).1;
    let read = |kept: Option<KeptModule>| kept.unwrap().read(&configuration);
    assert!(store(b"").is_none() && cache.0.load(&key).unwrap().kept.is_none());
    assert_eq!(read(store(module)).as_deref(), Some(&module[..]));
    let expected = Some((CODE.to_vec(), b"attached".to_vec(), Tier::Fast));
    assert_eq!(loaded(&cache.0, &key), expected);
    let before = cache.0.load(&key).unwrap().kept;
    assert_eq!(read(cache.0.load(&key).unwrap().kept).as_deref(), Some(&module[..]));

    // Changed bytes of the module are not taken for it. The code is as it was.
    let path = cache.file(&key);
    let whole = fs::read(&path).unwrap();
    let start = CODE.len() + b"attached".len();
    for at in start..start + module.len() {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        fs::write(cache.0.path.join("altered"), altered).unwrap();
        fs::rename(cache.0.path.join("altered"), &path).unwrap();
        assert_eq!(loaded(&cache.0, &key), expected);
        assert!(read(cache.0.load(&key).unwrap().kept).is_none(), "byte {at}");
    }
    cache.0.clear().unwrap();
    assert_eq!(read(before).as_deref(), Some(&module[..]), "whoever has it keeps it");
}

#[test]
fn what_is_stored_comes_back() {
    let cache = Temporary::new(1 << 20);
    assert!(cache.0.entries().unwrap().is_empty(), "without a folder there is nothing");
    let (one, other) = (key(b"one"), key(b"other"));
    assert!(loaded(&cache.0, &one).is_none());
    assert!(store(&cache.0, &one));
    let expected = Some((CODE.to_vec(), b"attached".to_vec(), Tier::Fast));
    assert_eq!(loaded(&cache.0, &one), expected);
    assert_eq!(loaded(&cache.reopened(), &one), expected);
    assert!(loaded(&cache.0, &other).is_none());
    let entries = cache.0.entries().unwrap();
    assert_eq!((entries.len(), entries[0].module), (1, Some((7, Tier::Fast))));
    assert_eq!(
        (&*entries[0].name, entries[0].bytes),
        (&*format!("{one:?}"), fs::metadata(cache.file(&one)).unwrap().len())
    );
    // Better code replaces it.
    assert!(matches!(
        cache.0.store(&one, Tier::Optimized, 7, in_memory(b"better"), b"", b"").0.0,
        CodeLocation::File(..)
    ));
    assert_eq!(loaded(&cache.0, &one), Some((b"better".to_vec(), Vec::new(), Tier::Optimized)));
    cache.0.clear().unwrap();
    assert!(loaded(&cache.0, &one).is_none() && cache.0.entries().unwrap().is_empty());
}

#[test]
fn large_files_are_checked_piece_by_piece() {
    let cache = Temporary::new(1 << 30);
    for len in [file_chunk() - 1, file_chunk(), file_chunk() + 1, 3 * file_chunk() + 17] {
        let (key, code) = (key(&len.to_le_bytes()), vec![7; len]);
        let attachment: Vec<u8> = (0..len).map(|at| at as u8).collect();
        cache.0.store(&key, Tier::Optimized, 1, in_memory(&code), &attachment, b"");
        assert!(loaded(&cache.0, &key) == Some((code, attachment, Tier::Optimized)), "{len}");
        let mut bytes = fs::read(cache.file(&key)).unwrap();
        bytes[len + len / 2] ^= 1;
        fs::write(cache.file(&key), &bytes).unwrap();
        assert!(loaded(&cache.0, &key).is_none(), "{len}");
    }
}

fn file_chunk() -> usize {
    256 << 10
}

#[test]
fn a_file_that_is_not_as_it_was_written_is_not_loaded() {
    let cache = Temporary::new(1 << 20);
    let key = key(b"altered");
    store(&cache.0, &key);
    let (path, whole) = (cache.file(&key), fs::read(cache.file(&key)).unwrap());
    let right = loaded(&cache.0, &key);
    for at in 0..whole.len() {
        for bit in [1, 0x80] {
            let mut altered = whole.clone();
            altered[at] ^= bit;
            fs::write(&path, &altered).unwrap();
            assert!(loaded(&cache.0, &key).is_none(), "byte {at}");
        }
        fs::write(&path, &whole[..at]).unwrap();
        assert!(loaded(&cache.0, &key).is_none(), "{at} bytes of it");
        fs::write(&path, [&whole[..at], &[0], &whole[at..]].concat()).unwrap();
        assert!(loaded(&cache.0, &key).is_none(), "a byte more at {at}");
    }
    // It is compiled again and replaced.
    assert!(store(&cache.0, &key));
    assert_eq!((loaded(&cache.0, &key), fs::read(&path).unwrap()), (right, whole));
}

#[test]
fn an_entry_under_another_name_is_not_loaded() {
    let cache = Temporary::new(1 << 20);
    let (one, other) = (key(b"one"), key(b"other"));
    store(&cache.0, &one);
    fs::rename(cache.file(&one), cache.file(&other)).unwrap();
    assert!(loaded(&cache.0, &other).is_none() && loaded(&cache.0, &one).is_none());
    let configuration = Key::of_configuration("another compiler");
    assert_ne!(Key::new(&configuration, b"one"), one);
}

#[test]
fn files_that_others_can_write_to_are_not_loaded() {
    let cache = Temporary::new(1 << 20);
    let key = key(b"open to all");
    store(&cache.0, &key);
    let path = cache.file(&key);
    for mode in [0o620, 0o602, 0o666] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        assert!(loaded(&cache.0, &key).is_none(), "{mode:o}");
    }
    assert_eq!(warnings_of(&path), 3);
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    assert!(loaded(&cache.0, &key).is_some(), "others may read it");
    // The correct file replaces it instead of being written into it.
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    assert!(store(&cache.0, &key));
    assert!(loaded(&cache.0, &key).is_some());
}

#[test]
fn a_folder_that_others_can_write_to_is_not_used() {
    for mode in [0o720, 0o702, 0o777] {
        let cache = Temporary::new(1 << 20);
        let key = key(b"open folder");
        assert!(store(&cache.0, &key));
        fs::set_permissions(&cache.0.path, Permissions::from_mode(mode)).unwrap();
        let again = cache.reopened();
        assert!(loaded(&again, &key).is_none() && !store(&again, &key), "{mode:o}");
        assert!(matches!(again.entries(), Err(CacheError::NotPrivate)));
        assert!(matches!(again.clear(), Err(CacheError::NotPrivate)));
        assert!(matches!(again.create(), Err(CacheError::NotPrivate)));
        assert_eq!(warnings_of(&cache.0.path), 1, "it is said once");
    }
}

#[test]
fn what_is_no_file_is_not_loaded() {
    let cache = Temporary::new(1 << 20);
    let (key, other) = (key(b"no file"), key(b"a file"));
    store(&cache.0, &other);
    let path = cache.file(&key);
    fs::rename(cache.file(&other), cache.0.path.join("elsewhere")).unwrap();
    symlink("elsewhere", cache.file(&other)).unwrap();
    assert!(loaded(&cache.0, &other).is_none(), "a link");
    // Nobody writes into the old file.
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
    assert!(loaded(&cache.0, &key).is_none(), "a pipe");
    assert!(store(&cache.0, &key), "it is replaced");
    assert!(loaded(&cache.0, &key).is_some());
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(loaded(&cache.0, &key).is_none() && !store(&cache.0, &key), "a folder");
    let left = fs::read_dir(&cache.0.path)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().ends_with(UNFINISHED));
    assert_eq!(left.count(), 0, "what could not be finished is gone");
}

#[test]
fn a_folder_that_cannot_be_made_is_no_failure() {
    let cache = Temporary::new(1 << 20);
    fs::write(&cache.0.path, "in the way").unwrap();
    let below = CodeCache::new(&cache.0.path.join("below"), 1 << 20, cache.0.warn);
    assert!(loaded(&below, &key(b"x")).is_none() && !store(&below, &key(b"x")));
    assert!(matches!(below.create(), Err(CacheError::Io(_))));
    fs::remove_file(&cache.0.path).unwrap();
}

/// Sets an entry's last use to so many seconds ago, or so many seconds from now.
fn set_used(path: &Path, seconds: i64) {
    let (now, by) = (SystemTime::now(), Duration::from_secs(seconds.unsigned_abs()));
    let time = if seconds < 0 { now - by } else { now + by };
    File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

#[test]
fn what_was_not_used_for_longest_makes_room() {
    let first = key(b"0");
    let size = {
        let cache = Temporary::new(1 << 20);
        store(&cache.0, &first);
        fs::metadata(cache.file(&first)).unwrap().len()
    };
    let cache = Temporary::new(3 * size);
    let keys: Vec<_> = (0..5_u8).map(|number| key(&[number])).collect();
    for (key, seconds) in keys[..3].iter().zip([-300, -200, -100]) {
        assert!(store(&cache.0, key));
        set_used(&cache.file(key), seconds);
    }
    // The oldest is used, which makes it the newest.
    assert!(loaded(&cache.0, &keys[0]).is_some());
    assert!(store(&cache.0, &keys[3]));
    let there = |cache: &Temporary| keys.iter().map(|key| loaded(&cache.0, key).is_some()).collect::<Vec<_>>();
    assert_eq!(there(&cache), [true, false, true, true, false]);
    // The clock has been set back: an entry with a time in the future counts as the one used last, and gets the current
    // time at its next use.
    set_used(&cache.file(&keys[2]), 1_000_000);
    assert!(loaded(&cache.0, &keys[2]).is_some());
    let entries = cache.0.entries().unwrap();
    assert!(entries.iter().all(|entry| entry.used <= SystemTime::now()));
    // An entry that can never fit does not push others out.
    let small = CodeCache::new(&cache.0.path, size - 1, cache.0.warn);
    assert!(!store(&small, &keys[4]));
    assert_eq!(there(&cache), [true, false, true, true, false]);
}

#[test]
fn files_that_were_given_up_go() {
    let cache = Temporary::new(1 << 20);
    cache.0.create().unwrap();
    let path = |name: &str| cache.0.path.join(format!("{name}{UNFINISHED}"));
    let names = [("1-1-1", -10), ("1-2-1", -4000), ("1-3-1", 4000), ("somebody's", -4000)];
    for (name, seconds) in names {
        fs::write(path(name), "half a fi").unwrap();
        set_used(&path(name), seconds);
    }
    fs::write(cache.0.path.join("somebody's"), "own").unwrap();
    assert!(store(&cache.0, &key(b"x")));
    assert_eq!(names.map(|(name, _)| path(name).exists()), [true, false, false, true]);
    cache.0.clear().unwrap();
    assert_eq!(names.map(|(name, _)| path(name).exists()), [false, false, false, true]);
    assert!(cache.0.path.join("somebody's").exists());
}

#[test]
fn a_large_cache_is_counted_now_and_then() {
    let cache = Temporary::new(SMALL);
    let part = SMALL / PART;
    let times = |size: u64| (0..500).filter(|_| cache.0.is_crowded(size)).count();
    assert_eq!((times(0), times(part)), (0, 500));
    assert!((1..500).contains(&times(part / 2)), "by chance, but with certainty enough");
    let small = Temporary::new(SMALL - 1);
    assert!(small.0.is_crowded(0));
}

#[test]
fn better_code_is_not_replaced_by_worse() {
    let cache = Temporary::new(1 << 20);
    let key = key(b"compiled twice");
    cache.0.store(&key, Tier::Optimized, 7, in_memory(b"better"), b"", b"");
    assert!(!store(&cache.0, &key));
    assert_eq!(loaded(&cache.0, &key), Some((b"better".to_vec(), Vec::new(), Tier::Optimized)));
    // The entry that is replaced needs no room beside the new one.
    let size = fs::metadata(cache.file(&key)).unwrap().len();
    let (tight, other) = (CodeCache::new(&cache.0.path, 2 * size, cache.0.warn), self::key(b"other"));
    for key in [other, key, other, key] {
        tight.store(&key, Tier::Optimized, 7, in_memory(b"better"), b"", b"");
    }
    assert!(loaded(&tight, &key).is_some() && loaded(&tight, &other).is_some());
}

#[test]
fn looking_makes_no_folder() {
    let cache = Temporary::new(1 << 20);
    assert!(loaded(&cache.0, &key(b"x")).is_none() && !cache.0.path.exists());
    assert!(store(&cache.0, &key(b"x")) && loaded(&cache.0, &key(b"x")).is_some());
}

/// The variables by which a test tells a process where its folder is, and at which step it is killed.
const FOLDER: &str = "TOMBOLO_TEST_FOLDER";
const FATAL: &str = "TOMBOLO_TEST_FATAL_STEP";

/// Kills the process if this is the step.
pub(super) fn step() {
    static STEPS: AtomicU64 = AtomicU64::new(0);
    if let Ok(fatal) = std::env::var(FATAL)
        && STEPS.fetch_add(1, Ordering::Relaxed) == fatal.parse().unwrap()
    {
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).unwrap();
    }
}

/// Stores better code, which takes the place of other entries, and may be killed meanwhile.
#[test]
fn child_that_may_be_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let cache = CodeCache::new(folder.as_ref(), 400, |warning| panic!("{warning}"));
    assert!(matches!(
        cache.store(&key(b"new"), Tier::Optimized, 7, in_memory(b"better"), b"", b"").0.0,
        CodeLocation::File(..)
    ));
}

#[test]
fn a_process_that_is_killed_while_it_writes_does_no_harm() {
    let right = |tier| match tier {
        Tier::Fast => Some((CODE.to_vec(), b"attached".to_vec(), tier)),
        Tier::Optimized => Some((b"better".to_vec(), Vec::new(), tier)),
    };
    for fatal in 0_u64.. {
        let cache = Temporary::new(1 << 20);
        let (new, others) = (key(b"new"), [1_u8, 2, 3].map(|number| key(&[number])));
        for key in others.iter().chain([&new]) {
            assert!(store(&cache.0, key));
        }
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "engine::cache::tests::child_that_may_be_killed"]);
        let ended = child.env(FOLDER, &cache.0.path).env(FATAL, fatal.to_string()).output().unwrap().status;
        let there = cache.reopened();
        let found = loaded(&there, &new);
        assert!(found == right(Tier::Fast) || found == right(Tier::Optimized), "step {fatal}: {found:?}");
        for other in &others {
            assert!(loaded(&there, other).is_none_or(|found| Some(found) == right(Tier::Fast)), "step {fatal}");
        }
        if ended.success() {
            // One entry had to go, and there are eight other steps.
            assert_eq!((fatal, found), (9, right(Tier::Optimized)));
            return;
        }
        let unfinished = || {
            let entries = fs::read_dir(&cache.0.path).unwrap().map(|entry| entry.unwrap().path());
            entries.filter(|path| path.to_str().unwrap().ends_with(UNFINISHED)).collect::<Vec<_>>()
        };
        unfinished().iter().for_each(|path| set_used(path, -4000));
        there.store(&new, Tier::Optimized, 7, in_memory(b"better"), b"", b"");
        assert_eq!(loaded(&there, &new), right(Tier::Optimized), "step {fatal}");
        assert_eq!(unfinished(), [""; 0].map(PathBuf::from), "step {fatal}");
    }
}

#[test]
fn many_write_and_read_the_same_at_once() {
    let cache = Temporary::new(1 << 20);
    let key = key(b"popular");
    let right = Some((CODE.to_vec(), b"attached".to_vec(), Tier::Fast));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let cache = cache.reopened();
                for _ in 0..50 {
                    assert!(store(&cache, &key));
                    assert_eq!(loaded(&cache, &key), right);
                }
            });
        }
    });
    assert_eq!(fs::read_dir(&cache.0.path).unwrap().count(), 1);
}
