//! The files that are a program's own modules.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use crate::Module;
use crate::paths::Paths;

/// What modules are called. (C headers declare what a WebAssembly module exports.)
const CODE: [&str; 8] = ["js", "mjs", "cjs", "ts", "mts", "cts", "wasm", "h"];

/// The modules of programs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Code {
    entries: Vec<PathBuf>,
    folders: Vec<Folder>,
    /// Folders of installed packages, in which every file is a module.
    installed: Paths,
}

/// A program's own folder.
#[derive(Clone, Debug)]
struct Folder {
    path: PathBuf,
    /// It is that of a package, whose JSON files are its own.
    is_package: bool,
}

impl Code {
    pub(crate) fn add(&mut self, path: &Path) {
        // As with `require`, an extension may be left out, and a folder may be a package.
        let with = |extension: &str| {
            let mut whole = path.as_os_str().to_owned();
            whole.push(extension);
            PathBuf::from(whole)
        };
        let found = ["", ".js", ".json"].iter().find_map(|extension| std::fs::canonicalize(with(extension)).ok());
        let Some(entry) = found else { return };
        let own = if entry.is_dir() { Some(&*entry) } else { entry.parent() };
        let Some(own) = own else { return };
        let package = own.ancestors().find(|folder| folder.join("package.json").is_file());
        self.folders.push(Folder { path: package.unwrap_or(own).to_owned(), is_package: package.is_some() });
        for folder in own.ancestors().map(|folder| folder.join("node_modules")) {
            if folder.is_dir() {
                self.installed.add(&folder);
            }
        }
        self.entries.push(entry);
    }

    /// Whether a place without links is part of a program.
    pub(crate) fn covers(&self, place: &Path, how: Module) -> bool {
        self.entries.iter().any(|entry| entry == place)
            || self.installed.covers(place)
            || self.folders.iter().any(|folder| folder.has(place, how))
    }

    pub(crate) fn passes(&self, place: &Path) -> bool {
        let leads = |to: &Path| to.starts_with(place) || place.starts_with(to);
        self.installed.passes(place)
            || self.entries.iter().any(|entry| leads(entry))
            || self.folders.iter().any(|folder| leads(&folder.path))
    }
}

impl Folder {
    fn has(&self, place: &Path, how: Module) -> bool {
        let Ok(rest) = place.strip_prefix(&self.path) else { return false };
        let mut is_installed = false;
        for part in rest.components() {
            let Component::Normal(name) = part else { return false };
            is_installed |= name == "node_modules";
            // Keys, tokens and settings are kept in files and folders that are hidden.
            if !is_installed && name.as_encoded_bytes().starts_with(b".") {
                return false;
            }
        }
        if how == Module::Found || is_installed || place.file_name() == Some(OsStr::new("package.json")) {
            return true;
        }
        let extension = place.extension().unwrap_or_default();
        CODE.iter().any(|code| extension == *code) || (self.is_package && extension == "json")
    }
}
