//! BroadcastChannel (HTML §9.5): every member of a name, in any agent of the process, receives what any other member
//! posts.
//!
//! A member is a [`Port`] whose other end is in the list of its name. The lists belong to the process, behind a lock
//! that is not held while anything is posted. Members that were closed are struck off when their list is next looked
//! at, or when many names have been added.

use std::sync::{Arc, LazyLock, Mutex};

use qjs::{Ctx, Result, Value};
use rustc_hash::FxHashMap;

use crate::port::Port;
use crate::structured::{Serialized, throw_data_clone_error};

#[derive(Default)]
struct Channels {
    by_name: FxHashMap<String, Vec<Arc<Port>>>,
    /// How many names there may be before those that nobody uses are looked for.
    sweep_at: usize,
}

impl Channels {
    fn sweep(&mut self) {
        const FEWEST: usize = 64;
        if self.by_name.len() >= self.sweep_at {
            self.by_name.retain(|_, list| list.iter().any(|member| !member.is_closed()));
            self.sweep_at = FEWEST.max(2 * self.by_name.len());
        }
    }
}

static CHANNELS: LazyLock<Mutex<Channels>> = LazyLock::new(Mutex::default);

/// The other ends of a name's members that are open.
fn members<R>(name: &str, body: impl FnOnce(&mut Vec<Arc<Port>>) -> R) -> R {
    let mut channels = CHANNELS.lock().unwrap_or_else(|e| e.into_inner());
    channels.sweep();
    let list = channels.by_name.entry(name.to_owned()).or_default();
    list.retain(|member| !member.is_closed());
    let result = body(list);
    if list.is_empty() {
        channels.by_name.remove(name);
    }
    result
}

/// A new member of a name, which leaves when it is closed.
pub fn join(name: &str) -> Port {
    let (own, other) = Port::channel();
    members(name, |list| list.push(Arc::new(other)));
    own
}

/// Posts a value to all other members of the name that `own` has joined.
///
/// # Errors
/// A DataCloneError, or what a getter throws.
pub fn post<'js>(ctx: &Ctx<'js>, name: &str, own: &Port, value: &Value<'js>) -> Result<()> {
    let mut message = Some(Serialized::new(ctx, value, &[])?);
    let mut others = members(name, |list| list.clone());
    others.retain(|member| !member.is_other_end_of(own));
    // In the order in which they joined.
    let last = others.len().saturating_sub(1);
    for (index, member) in others.iter().enumerate() {
        let copy = if index == last { message.take() } else { message.as_ref().and_then(Serialized::try_clone) };
        let no_memory = || throw_data_clone_error(ctx, "There is no memory for a message to several receivers.");
        if !member.sender().post(copy.ok_or_else(no_memory)?) {
            return Err(no_memory());
        }
    }
    Ok(())
}
