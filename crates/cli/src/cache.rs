//! The cache of compiled code: where it is, and the commands that look after it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use clap::{Parser, Subcommand};
use tombolo::island::CodeCache;
use tombolo::island::cache::{CacheEntry, Tier};

use crate::sandbox::parse_size;
use crate::tell;

/// How many bytes its files may take by default.
const SIZE: u64 = 1 << 30;

/// Looks after the compiled code that is kept from one run to the next.
#[derive(Parser, Debug)]
#[command(
    name = "tombolo cache",
    bin_name = "tombolo cache",
    after_help = "TOMBOLO_CACHE names another folder, or is `off`.\n\
                  TOMBOLO_CACHE_SIZE is what its files may take, as in 500M or 2G; 1G otherwise."
)]
pub(crate) struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// List what there is, the last used first
    ///
    /// Name, bytes on disk, bytes of the module, how it is compiled, last use.
    Ls,
    /// Print how many bytes it takes
    Size,
    /// Remove everything
    Clear,
    /// Print where it is
    Path,
}

/// Why there is no cache.
#[derive(Debug)]
enum NoCache {
    /// `TOMBOLO_CACHE=off`.
    Off,
    /// The environment names no folder that it could be in.
    NoHome,
}

impl std::fmt::Display for NoCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Off => "the cache is turned off by TOMBOLO_CACHE=off",
            Self::NoHome => "there is no cache: none of TOMBOLO_CACHE, XDG_CACHE_HOME and HOME names a folder",
        })
    }
}

/// The folder of the cache.
fn folder() -> Result<PathBuf, NoCache> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    // The specification of XDG says that relative paths are ignored.
    let absolute = |path: OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    match variable("TOMBOLO_CACHE") {
        Some(off) if off == "off" => Err(NoCache::Off),
        Some(folder) => Ok(folder.into()),
        None => variable("XDG_CACHE_HOME")
            .and_then(absolute)
            .or_else(|| Some(absolute(variable("HOME")?)?.join(".cache")))
            .map(|caches| caches.join("tombolo"))
            .ok_or(NoCache::NoHome),
    }
}

/// How many bytes its files may take.
fn size() -> u64 {
    let Ok(text) = std::env::var("TOMBOLO_CACHE_SIZE") else { return SIZE };
    parse_size(&text).unwrap_or_else(|| {
        tell(format_args!(
            "tombolo: TOMBOLO_CACHE_SIZE is {text:?}, and should be a size such as 500M or 2G; it is 1G now"
        ));
        SIZE
    })
}

/// The cache that programs use, if there is one.
pub(crate) fn of_programs() -> Option<Arc<CodeCache>> {
    Some(Arc::new(open(folder().ok()?)))
}

/// The folder of the cache that programs use. Who can write to it can have anything run.
pub(crate) fn folder_of_programs() -> Option<PathBuf> {
    folder().ok()
}

/// The cache, for commands that do nothing but fill it.
pub(crate) fn to_fill() -> Result<Arc<CodeCache>, String> {
    let cache = open(folder().map_err(|none| none.to_string())?);
    cache.create().map_err(|error| format!("{}: {error}", cache.path().display()))?;
    Ok(Arc::new(cache))
}

fn open(folder: PathBuf) -> CodeCache {
    CodeCache::new(&folder, size(), |message| tell(format_args!("tombolo: warning: {message}")))
}

/// Runs `tombolo cache`. Returns the exit code.
pub(crate) fn run(command: &Command) -> i32 {
    match act(&command.action) {
        Ok(text) => i32::from(!crate::print(&text)),
        Err(error) => {
            tell(format_args!("tombolo: {error}"));
            1
        }
    }
}

fn act(action: &Action) -> Result<String, Box<dyn std::error::Error>> {
    let folder = folder().map_err(|none| none.to_string())?;
    let cache = open(folder);
    let of_folder = |error| format!("{}: {error}", cache.path().display());
    Ok(match action {
        Action::Path => format!("{}\n", cache.path().display()),
        Action::Ls => cache.entries().map_err(of_folder)?.iter().map(line).collect(),
        Action::Size => {
            let bytes: u64 = cache.entries().map_err(of_folder)?.iter().map(|entry| entry.bytes).sum();
            format!("{bytes}\n")
        }
        Action::Clear => {
            cache.clear().map_err(of_folder)?;
            String::new()
        }
    })
}

fn line(entry: &CacheEntry) -> String {
    let (module, tier) = match entry.module {
        Some((module, tier)) => (module.to_string(), if tier == Tier::Optimized { "optimized" } else { "fast" }),
        None => ("?".into(), "unusable"),
    };
    let age = SystemTime::now().duration_since(entry.used).unwrap_or_default().as_secs();
    let ago = match age {
        0..120 => "now".to_string(),
        120..7200 => format!("{} min ago", age / 60),
        7200..172_800 => format!("{} h ago", age / 3600),
        _ => format!("{} days ago", age / 86_400),
    };
    format!("{} {:>10} {module:>10} {tier:<9} {ago}\n", &entry.name[..16], entry.bytes)
}
