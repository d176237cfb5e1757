//! Files and folders that were granted.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::walk;

/// Folders that describe and open the process itself, or the machine.
const SPECIAL: [&str; 3] = ["/proc", "/sys", "/dev"];

/// Devices that are as harmless as files.
const HARMLESS: [&str; 4] = ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"];

/// Files that were granted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paths {
    any: bool,
    /// Without links.
    roots: Vec<PathBuf>,
    /// What lies on the way from the root folder to them, as they were named.
    on_the_way: HashSet<PathBuf>,
    /// Never granted.
    protected: Vec<PathBuf>,
}

impl Paths {
    pub(crate) fn add(&mut self, path: &Path) {
        let real = walk::trace(path, &mut |place| {
            self.on_the_way.insert(place.to_owned());
        });
        self.roots.push(real);
    }

    pub(crate) fn add_any(&mut self) {
        self.any = true;
    }

    /// Grants neither this nor the folders that it is in, which could be moved away with it.
    pub(crate) fn protect(&mut self, path: &Path) {
        self.protected.push(walk::trace(path, &mut |_| {}));
    }

    pub(crate) fn is_any(&self) -> bool {
        self.any
    }

    /// Whether a place without links is granted.
    pub(crate) fn covers(&self, place: &Path) -> bool {
        if self.protected.iter().any(|path| place.starts_with(path) || path.starts_with(place)) {
            return false;
        }
        if is_special(place) {
            return self.names_special(place);
        }
        self.any || self.roots.iter().any(|root| place.starts_with(root))
    }

    /// Whether a place was granted by a path that leads where everything else is refused.
    pub(crate) fn names_special(&self, place: &Path) -> bool {
        self.roots.iter().any(|root| is_special(root) && place.starts_with(root))
    }

    /// Whether it may be looked at on the way to something else: what is granted, and what leads there.
    pub(crate) fn passes(&self, place: &Path) -> bool {
        let leads = |root: &Path| root.starts_with(place);
        self.covers(place)
            || self.on_the_way.contains(place)
            || self.roots.iter().any(|root| leads(root))
            || (self.any && HARMLESS.iter().any(|device| leads(Path::new(device))))
    }
}

/// Whether granting everything does not grant this.
fn is_special(place: &Path) -> bool {
    SPECIAL.iter().any(|folder| place.starts_with(folder)) && !HARMLESS.iter().any(|device| place == Path::new(device))
}
