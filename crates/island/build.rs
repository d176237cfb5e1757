//! A hash of this crate's sources, which is part of the key of cached code: code that was compiled by another version
//! of this crate, or of Wasmtime or of what that consists of, is not used.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

fn main() {
    // The versions of everything are in the lock file, if the workspace is there.
    let manifests = ["Cargo.toml", "../../Cargo.toml", "../../Cargo.lock"].map(PathBuf::from);
    let mut files: Vec<_> = manifests.into_iter().filter(|manifest| manifest.exists()).collect();
    collect(Path::new("src"), &mut files);
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in &files {
        println!("cargo::rerun-if-changed={}", file.display());
        let contents = std::fs::read(file).expect("a source file can be read");
        (file, contents).hash(&mut hasher);
    }
    // Notices new files.
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rustc-env=TOMBOLO_ISLAND_SOURCES={:016x}", hasher.finish());
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a source folder can be read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}
