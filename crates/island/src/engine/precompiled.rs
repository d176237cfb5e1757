//! Compiled code in files that are shipped with a program. They have the format of the [cache's](super::cache), but may
//! be anywhere: whoever loads one vouches for it. Since another machine may have compiled it, Wasmtime checks that this
//! one can run it.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::engine::Engine;
use crate::engine::cache::{CachedCode, Damage, Key, read_file, whole_file};
use crate::engine::code::precompile;
use crate::engine::compile_error::CompileError;
use crate::engine::limits::check_size;
use crate::engine::loaded::LoadedModule;
use crate::engine::module::Module;

/// Why a file's code cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum DeserializeError {
    /// The file cannot be read.
    Io(io::Error),
    /// The file is not compiled code, or only a part of it.
    Format,
    /// The file is not as it was written.
    Damaged,
    /// The code was compiled by another build of this crate, or for an engine with other options.
    OtherBuild,
    /// Wasmtime cannot run the code on this machine: why.
    Incompatible(wasmtime::Error),
}

impl std::fmt::Display for DeserializeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Format => f.write_str("it is not a file of compiled code, or not a whole one"),
            Self::Damaged => f.write_str("it is damaged"),
            Self::OtherBuild => f.write_str("it was compiled by another build of Tombolo, or with other options"),
            Self::Incompatible(error) => write!(f, "it was compiled for another machine: {error:#}"),
        }
    }
}

impl std::error::Error for DeserializeError {}

impl Engine {
    /// Compiles a module for [`Engine::deserialize_file`]: returns what to write to a file. It is optimized, unless the
    /// engine never [does that](crate::Compiler::Fast), for processors that have what this one has.
    ///
    /// # Errors
    /// As [`Module::new`].
    pub fn precompile_module(&self, module: &[u8]) -> Result<Vec<u8>, CompileError> {
        check_size(module)?;
        let build = self.build();
        let tier = self.compiler.best_tier();
        let (code, record) = precompile(self, module, tier)?;
        Module::check_surface(module)?;
        let attachment = [build.as_bytes(), &*record.to_bytes()].concat();
        Ok(whole_file(&Key::new(&build, module), tier, module.len(), code, &attachment)?)
    }

    /// Loads compiled code from a file that [`Engine::precompile_module`] made. From then on [`Module::new`] on this
    /// engine uses it for the module that it was compiled from, whatever thread or agent calls. The file is mapped.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, or does not fit this engine or this machine.
    ///
    /// # Safety
    /// The file holds machine code, which is run as it is: it must be what [`Engine::precompile_module`] returned, and
    /// nobody may change it while this engine, or a module of it, is in use. (Replacing it by another file of the same
    /// name does no harm.) The checksum in it finds accidents, not malice.
    pub unsafe fn deserialize_file(&self, path: &Path) -> Result<(), DeserializeError> {
        let file = File::open(path).map_err(DeserializeError::Io)?;
        // SAFETY: as the caller promises, a file with the right checksum and from the same build is the compiler's
        // output.
        let (key, found) = unsafe { read_file(file) }.map_err(|damage| match damage {
            Damage::Io(error) => DeserializeError::Io(error),
            Damage::Format => DeserializeError::Format,
            Damage::Checksum => DeserializeError::Damaged,
        })?;
        let CachedCode { code, attachment, tier, kept: _ } = found;
        let record = attachment.strip_prefix(self.build().as_bytes()).ok_or(DeserializeError::OtherBuild)?.to_vec();
        let wasm = code.load(&self.inner).map_err(DeserializeError::Incompatible)?;
        self.loaded.insert(key, LoadedModule { wasm, tier, record });
        Ok(())
    }
}
