//! Tells [`marshal::trace`] where a script is when it makes a guest block.

use std::rc::Rc;

use marshal::trace::{self, Frame, Locating};
use qjs::backtrace::Backtrace;
use qjs::{Ctx, Result};
use rquickjs::JsLifetime;

/// What a runtime keeps.
#[derive(JsLifetime)]
struct Sites {
    /// Dropped before the runtime's hidden context, which it uses.
    _locating: Locating,
    _backtrace: Rc<Backtrace>,
}

/// Has the blocks that scripts of this runtime make recorded under their lines. It costs nothing before a trace begins.
pub(crate) fn install(ctx: &Ctx<'_>) -> Result<()> {
    if ctx.userdata::<Sites>().is_some() {
        return Ok(());
    }
    let backtrace = Rc::new(Backtrace::new(ctx));
    let of_locator = backtrace.clone();
    let locating = trace::locate_with(move || of_locator.take().map_or_else(Vec::new, |stack| frames(&stack)));
    let sites = Sites { _locating: locating, _backtrace: backtrace };
    ctx.store_userdata(sites).map_err(|_| rquickjs::Error::Unknown)?;
    Ok(())
}

/// The frames of a program's own scripts in QuickJS's text.
fn frames(stack: &str) -> Vec<Frame> {
    stack.lines().filter_map(frame).take(trace::DEPTH).collect()
}

/// The frame in `    at name (file:line:column)`, if it belongs to the program.
fn frame(line: &str) -> Option<Frame> {
    let (function, place) = line.trim_start().strip_prefix("at ")?.split_once(" (")?;
    let (rest, column) = place.strip_suffix(')')?.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    if file.starts_with("tombolo:") || file.starts_with("node:") {
        return None;
    }
    let function = if function == "<anonymous>" { "" } else { function };
    Some(Frame::new(function, file, line.parse().ok()?, column.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read() {
        let stack = "    at malloc (native)\n    at inner (node:internal/x:1:2)\n    at f (/dir (1)/a.mjs:12:34)\n    \
                     at <anonymous> (file:///b.mjs:5:6)\n    at g (missing)\n    at a\nnonsense\n";
        let expected = [Frame::new("f", "/dir (1)/a.mjs", 12, 34), Frame::new("", "file:///b.mjs", 5, 6)];
        assert_eq!(frames(stack), expected);
        assert_eq!(frames(""), []);
        let deep: String = (1..100).map(|line| format!("    at f (a.mjs:{line}:1)\n")).collect();
        assert_eq!(frames(&deep).len(), trace::DEPTH);
    }
}
