//! Environment variables as scripts see them: an agent's own, or shared by several agents (`SHARE_ENV`). The process's
//! own environment is read once and never written.

use std::sync::{Arc, Mutex, MutexGuard};

use permissions::Permissions;
use qjs::array::List;
use rquickjs::{Ctx, Object};

use crate::internal::def;
use crate::internal::state::Platform;
use crate::internal::strings::UsvString;

/// Names and values, in the order in which they were set. Clones share the same variables.
#[derive(Clone, Debug, Default)]
pub struct Environment(Arc<Mutex<Vec<(String, String)>>>);

impl Environment {
    /// A copy of the process's environment.
    pub fn of_process() -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect()
    }

    /// A copy of those of the process's variables that are granted.
    pub fn granted(may: &Permissions) -> Self {
        let all = Self::of_process();
        if !may.is_all() {
            all.lock().retain(|(name, _)| may.allows_env(name));
        }
        all
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(String, String)>> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }

    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.lock().iter().find(|(own, _)| own == name).map(|(_, value)| value.clone())
    }

    fn set(&self, name: String, value: String) {
        let mut all = self.lock();
        match all.iter_mut().find(|(own, _)| *own == name) {
            Some((_, old)) => *old = value,
            None => all.push((name, value)),
        }
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(all: I) -> Self {
        Self(Arc::new(Mutex::new(all.into_iter().collect())))
    }
}

/// The native functions that `process.env` is made of.
pub(crate) fn natives<'js>(native: &Object<'js>) -> rquickjs::Result<()> {
    let own = |ctx: &Ctx<'_>| Platform::of(ctx).map(|platform| platform.environment.clone());
    def(native, "variables", move |ctx: Ctx<'js>| -> rquickjs::Result<List<Vec<String>>> {
        Ok(List(own(&ctx)?.lock().iter().map(|(name, _)| name.clone()).collect()))
    })?;
    def(native, "variable", move |ctx: Ctx<'js>, name: UsvString| -> rquickjs::Result<Option<String>> {
        Ok(own(&ctx)?.get(&name))
    })?;
    def(native, "setVariable", move |ctx: Ctx<'js>, name: UsvString, value: UsvString| -> rquickjs::Result<()> {
        own(&ctx)?.set(name.0, value.0);
        Ok(())
    })?;
    def(native, "deleteVariable", move |ctx: Ctx<'js>, name: UsvString| -> rquickjs::Result<()> {
        own(&ctx)?.lock().retain(|(own, _)| *own != *name);
        Ok(())
    })
}
