//! `xtask dist`: an archive with the command, its manual, completions for shells, and the licences of all that is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Error};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use serde_json::Value;

/// Runs the command: `dist [DIR]`, whose default is target/dist.
pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    let to = match arguments {
        [] => crate::tidy::root().join("target/dist"),
        [folder] => PathBuf::from(folder),
        _ => {
            eprintln!("usage: dist [DIR]");
            return ExitCode::from(2);
        }
    };
    match pack(&to) {
        Ok(archive) => {
            println!("{}", archive.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn pack(to: &Path) -> io::Result<PathBuf> {
    let root = crate::tidy::root();
    let command = crate::command()?;
    let version = env!("CARGO_PKG_VERSION");
    let is = output(Command::new(&command).arg("--version"))?;
    if is != format!("tombolo {version}\n").as_bytes() {
        let is = String::from_utf8_lossy(&is).trim().to_owned();
        return Err(Error::other(format!("{} is {is}, not of version {version}: build it again", command.display())));
    }
    let name = format!("tombolo-{version}-{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    let folder = to.join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let place = |path: &str| -> io::Result<PathBuf> {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap_or(&folder))?;
        Ok(path)
    };
    let program = place("bin/tombolo")?;
    fs::copy(&command, &program)?;
    output(Command::new("strip").arg(&program))?;
    let pages = place("share/man/man1/tombolo.1")?;
    output(Command::new(&command).args(["completions", "man", "--to"]).arg(pages.parent().unwrap_or(&pages)))?;
    for (shell, path) in [
        ("bash", "share/bash-completion/completions/tombolo"),
        ("zsh", "share/zsh/site-functions/_tombolo"),
        ("fish", "share/fish/vendor_completions.d/tombolo.fish"),
    ] {
        fs::write(place(path)?, output(Command::new(&command).args(["completions", shell]))?)?;
    }
    for file in ["README.md", "CHANGELOG.md", "SECURITY.md", "LICENSE-APACHE", "LICENSE-MIT"] {
        fs::copy(root.join(file), place(&format!("share/doc/tombolo/{file}"))?)?;
    }
    // What the README links to for users, and the declarations for TypeScript.
    for (from, ending) in [("docs", ".md"), ("types", ".ts"), ("types", ".json")] {
        for entry in fs::read_dir(root.join(from))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.ends_with(ending) {
                fs::copy(root.join(from).join(&name), place(&format!("share/doc/tombolo/{from}/{name}"))?)?;
            }
        }
    }
    fs::write(place("share/doc/tombolo/THIRD-PARTY.txt")?, licences(&root)?)?;
    let archive = to.join(format!("{name}.tar.gz"));
    // The same files make the same archive, whoever packs them.
    let how = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=2000-01-01 00:00Z"];
    let modes = ["--mode=u=rwX,go=rX", "--use-compress-program=gzip -9n", "-cf"];
    output(Command::new("tar").args(how).args(modes).arg(&archive).arg("-C").arg(to).arg(&name))?;
    let sum = output(Command::new("sha256sum").arg(format!("{name}.tar.gz")).current_dir(to))?;
    fs::write(to.join(format!("{name}.tar.gz.sha256")), sum)?;
    Ok(archive)
}

/// What a program prints, if it succeeds.
fn output(command: &mut Command) -> io::Result<Vec<u8>> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| Error::other(format!("{name}: {error}")))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(Error::other(format!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim())))
}

/// A package that is linked into the command.
struct Package {
    name: String,
    licence: String,
    repository: String,
    authors: String,
    folder: PathBuf,
}

/// The packages that are linked in, and the texts of their licences, each with the packages that have it.
fn licences(root: &Path) -> io::Result<String> {
    let mut packages = linked(root)?;
    // It is no package of Cargo's, and has no text beside it where only the compiler is installed.
    packages.push(Package {
        name: "the Rust standard library".to_owned(),
        licence: "MIT OR Apache-2.0".to_owned(),
        repository: "https://github.com/rust-lang/rust".to_owned(),
        authors: "The Rust Project contributors".to_owned(),
        folder: PathBuf::new(),
    });
    let mut text = String::from(
        "The command `tombolo` has the following packages in it. The texts of their licences, as the packages have\n\
         them, come after the list.\n\n",
    );
    let mut texts: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut without = Vec::new();
    for package in &packages {
        text.push_str(&format!("{}\n    {}\n    {}\n", package.name, package.licence, package.repository));
        let found = if package.folder.is_dir() { licence_texts(&package.folder, 1)? } else { BTreeSet::new() };
        if found.is_empty() {
            without.push(package);
        }
        for found in found {
            texts.entry(found).or_default().insert(&package.name);
        }
    }
    for package in without {
        let found = substitute(root, package, &packages, &texts)?;
        texts.entry(found).or_default().insert(&package.name);
    }
    for (licence, packages) in texts {
        let names: Vec<&str> = packages.into_iter().collect();
        text.push_str(&format!("\n{}\n{}\n\n{}\n", "=".repeat(80), wrapped(&names), licence.trim_end()));
    }
    Ok(text)
}

/// The text of the licence of a package that comes without one: that of a package with the same licence from the same
/// repository, or the MIT licence for its authors, or what somebody else has who names the same licence.
fn substitute(
    root: &Path,
    package: &Package,
    packages: &[Package],
    texts: &BTreeMap<String, BTreeSet<&str>>,
) -> io::Result<String> {
    let text_of = |is_like: &dyn Fn(&Package) -> bool| {
        let like = packages.iter().filter(|other| other.licence == package.licence && is_like(other));
        like.flat_map(|other| texts.iter().filter(|(_, names)| names.contains(&*other.name)))
            .map(|(text, _)| text)
            .next()
    };
    let repository = |package: &Package| package.repository.trim_end_matches(".git").to_owned();
    let beside = text_of(&|other| !other.repository.is_empty() && repository(other) == repository(package));
    if let Some(text) = beside {
        return Ok(text.clone());
    }
    if package.licence.split([' ', '/']).any(|licence| licence == "MIT") {
        let ours = fs::read_to_string(root.join("LICENSE-MIT"))?;
        let terms = ours.find("Permission is hereby granted").map_or("", |at| &ours[at..]);
        return Ok(format!("MIT License\n\nCopyright (c) {}\n\n{terms}", package.authors));
    }
    let elsewhere = text_of(&|_| package.licence.starts_with("Apache-2.0"));
    let nothing = || Error::other(format!("{} has no text of its licence, {}", package.name, package.licence));
    elsewhere.cloned().ok_or_else(nothing)
}

/// The packages that the command is linked with: those that it depends on, and they in turn, but for what only builds
/// them or runs in the compiler.
fn linked(root: &Path) -> io::Result<Vec<Package>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let how = ["metadata", "--format-version=1", "--locked", "--filter-platform", &host];
    let metadata = output(Command::new(cargo).args(how).current_dir(root))?;
    let metadata: Value = serde_json::from_slice(&metadata)?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages: BTreeMap<String, Value> =
        list(&metadata["packages"]).into_iter().map(|package| (text(&package["id"]), package)).collect();
    let nodes: BTreeMap<String, Value> =
        list(&metadata["resolve"]["nodes"]).into_iter().map(|node| (text(&node["id"]), node)).collect();
    let is_macro = |package: &Value| {
        list(&package["targets"]).iter().any(|target| list(&target["kind"]).iter().any(|kind| kind == "proc-macro"))
    };
    let main = packages.iter().find(|(_, package)| package["name"] == "tombolo-cli").map(|(id, _)| id.clone());
    let mut waiting = vec![main.ok_or_else(|| Error::other("there is no package tombolo-cli"))?];
    let mut seen: BTreeSet<String> = waiting.iter().cloned().collect();
    let mut found = Vec::new();
    while let Some(id) = waiting.pop() {
        let (Some(package), Some(node)) = (packages.get(&id), nodes.get(&id)) else { continue };
        if is_macro(package) {
            continue;
        }
        // The workspace's own packages have no source.
        if !package["source"].is_null() {
            let manifest = PathBuf::from(text(&package["manifest_path"]));
            found.push(Package {
                name: format!("{} {}", text(&package["name"]), text(&package["version"])),
                licence: text(&package["license"]),
                repository: text(&package["repository"]),
                authors: list(&package["authors"]).iter().map(&text).collect::<Vec<_>>().join(", "),
                folder: manifest.parent().map(Path::to_owned).unwrap_or_default(),
            });
        }
        for dependency in list(&node["deps"]) {
            let is_normal = list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
            let id = text(&dependency["pkg"]);
            if is_normal && seen.insert(id.clone()) {
                waiting.push(id);
            }
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// The texts of licences in a folder, and in the folders in it: what is not Rust lies there.
fn licence_texts(folder: &Path, depth: usize) -> io::Result<BTreeSet<String>> {
    let mut texts = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_uppercase();
        let is_licence = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE", "COPYRIGHT"]
            .iter()
            .any(|start| name.starts_with(start));
        if path.is_dir() && depth > 0 {
            texts.extend(licence_texts(&path, depth - 1)?);
        } else if path.is_file() && is_licence && !name.ends_with(".RS") {
            texts.insert(String::from_utf8_lossy(&fs::read(&path)?).replace("\r\n", "\n"));
        }
    }
    Ok(texts)
}

/// Names in lines of 80 columns.
fn wrapped(names: &[&str]) -> String {
    let (mut text, mut column) = (String::new(), 0);
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            let (sign, width) = if column + name.len() + 3 > 80 { (",\n", 0) } else { (", ", column + 2) };
            text.push_str(sign);
            column = width;
        }
        text.push_str(name);
        column += name.len();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, licence: &str, repository: &str) -> Package {
        let [name, licence, repository] = [name, licence, repository].map(str::to_owned);
        Package { name, licence, repository, authors: "Somebody".to_owned(), folder: PathBuf::new() }
    }

    #[test]
    fn a_package_without_a_text_gets_the_right_one() {
        let llvm = "Apache-2.0 WITH LLVM-exception";
        let packages = [
            package("theirs", llvm, "https://other.example"),
            package("beside", "MIT", "https://a.example"),
            package("another", "ISC", "https://isc.example"),
        ];
        let texts = [("LLVM's", "theirs"), ("Beside's", "beside"), ("ISC of another", "another")];
        let texts = texts.into_iter().map(|(text, name)| (text.to_owned(), BTreeSet::from([name]))).collect();
        let text_for = |licence: &str, repository: &str| {
            substitute(&crate::tidy::root(), &package("p 1.0", licence, repository), &packages, &texts)
        };
        assert_eq!(text_for("MIT", "https://a.example.git").unwrap(), "Beside's");
        assert_eq!(text_for(llvm, "").unwrap(), "LLVM's");
        let text = text_for("Apache-2.0 OR MIT", "https://b.example").unwrap();
        assert!(text.starts_with("MIT License\n\nCopyright (c) Somebody\n\nPermission is hereby granted"), "{text}");
        // A notice of copyright is part of this licence's text, so that of somebody else is of no use.
        assert!(text_for("ISC", "").unwrap_err().to_string().contains("p 1.0 has no text of its licence, ISC"));
    }
}
