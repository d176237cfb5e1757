//! Programs that were granted.

use std::path::{Path, PathBuf};

use crate::denied::{Denied, Kind};

#[derive(Clone, Debug, Default)]
pub(crate) struct Programs {
    any: bool,
    listed: Vec<Program>,
}

#[derive(Clone, Debug)]
struct Program {
    /// As it was granted.
    name: PathBuf,
    /// Where it was found then.
    file: Option<PathBuf>,
}

/// Where the shell would find a program.
fn find(name: &Path) -> Option<PathBuf> {
    if name.as_os_str().as_encoded_bytes().contains(&b'/') {
        return std::path::absolute(name).ok();
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

impl Programs {
    pub(crate) fn add(&mut self, name: &str) {
        let name = PathBuf::from(name);
        let file = find(&name);
        self.listed.push(Program { name, file });
    }

    pub(crate) fn add_any(&mut self) {
        self.any = true;
    }

    pub(crate) fn is_any(&self) -> bool {
        self.any
    }

    /// The file to run.
    pub(crate) fn check(&self, program: &Path) -> Result<Option<PathBuf>, Denied> {
        if self.any {
            return Ok(None);
        }
        let is_path = program.as_os_str().as_encoded_bytes().contains(&b'/');
        let absolute = if is_path { std::path::absolute(program).ok() } else { None };
        let fits = |listed: &&Program| match &absolute {
            Some(absolute) => listed.file.as_ref() == Some(absolute),
            None => !is_path && listed.name == program,
        };
        match self.listed.iter().find(fits) {
            // (What was not found fails as it does for everybody, in whatever folder `PATH` names now.)
            Some(listed) => Ok(Some(listed.file.clone().unwrap_or_else(|| Path::new("/nonexistent").join(program)))),
            None => Err(Denied::new(Kind::Run, &program.to_string_lossy())),
        }
    }
}
