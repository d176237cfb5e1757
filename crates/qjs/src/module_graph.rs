//! What state the modules of a graph are in.
//!
//! The engine must not be asked to evaluate a module that it is evaluating: it trusts its callers not to, and in the
//! middle of an evaluation scripts run that can call `require`. It has no function that tells, so its own record of a
//! module is read. The engine may change how that looks. So modules are made first that must look as they should, and if
//! they do not, nothing is read.

use std::collections::HashSet;
use std::ffi::{c_int, c_void};
use std::ptr::NonNull;
use std::sync::OnceLock;

use rquickjs::{Ctx, Module, Object, module::Declared, promise::PromiseState, qjs as q};

use crate::value::Cx;

/// The beginning of the engine's `JSModuleDef`.
#[allow(dead_code, reason = "the layout is the engine's")]
#[repr(C)]
struct Record {
    name: q::JSAtom,
    link: [*mut c_void; 2],
    requests: List<Request>,
    exports: List<c_void>,
    star_exports: List<c_void>,
    imports: List<c_void>,
    attributes: q::JSValue,
    namespace: q::JSValue,
    function: q::JSValue,
    init: *mut c_void,
    has_top_level_await: bool,
    is_resolved: bool,
    is_function_created: bool,
    status: u8,
}

#[allow(dead_code, reason = "the layout is the engine's")]
#[repr(C)]
struct List<T> {
    entries: *mut T,
    count: c_int,
    size: c_int,
}

/// The engine's `JSReqModuleEntry`.
#[allow(dead_code, reason = "the layout is the engine's")]
#[repr(C)]
struct Request {
    name: q::JSAtom,
    module: *mut Record,
    attributes: q::JSValue,
}

const UNLINKED: u8 = 0;
const LINKING: u8 = 1;
const EVALUATING: u8 = 3;
const EVALUATED: u8 = 5;

/// A module that has been declared and not been evaluated by its declarer.
pub struct Root<'js> {
    module: Module<'js, Declared>,
    raw: NonNull<q::JSModuleDef>,
}

/// What can be done with a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It can be evaluated.
    Ready,
    /// One of its modules is being loaded, linked or evaluated.
    Busy,
    /// One of its modules waits at its top level.
    Waits,
}

impl<'js> Root<'js> {
    /// Declares a module, with which the modules that it imports are loaded.
    ///
    /// # Errors
    /// A SyntaxError, or what the loading of an imported module throws.
    pub fn declare(ctx: &Ctx<'js>, name: &str, text: &str) -> rquickjs::Result<Self> {
        let (module, raw) = crate::module::compile(ctx, name, text)?;
        Ok(Self { module, raw })
    }

    /// The state of the module's graph.
    pub fn state(&self, ctx: &Ctx<'js>) -> State {
        if !is_layout_known(ctx) {
            return State::Busy;
        }
        let mut waits = false;
        let mut seen = HashSet::from([self.raw.cast::<Record>()]);
        let mut next = vec![self.raw.cast::<Record>()];
        while let Some(record) = next.pop() {
            // SAFETY: modules live as long as their context, nothing changes them meanwhile, and the layout is known.
            let record = unsafe { record.as_ref() };
            if !record.is_resolved || matches!(record.status, LINKING | EVALUATING) {
                return State::Busy;
            }
            waits |= record.has_top_level_await;
            for module in modules(record) {
                let Some(module) = module else { return State::Busy };
                if seen.insert(module) {
                    next.push(module);
                }
            }
        }
        if waits { State::Waits } else { State::Ready }
    }

    /// Evaluates the module, whose graph must be ready. Returns its namespace and the promise of its evaluation.
    ///
    /// # Errors
    /// When the graph does not link. What is thrown by a module rejects the promise.
    pub fn evaluate(self) -> rquickjs::Result<(Evaluated<'js>, rquickjs::Promise<'js>)> {
        let (module, promise) = self.module.eval()?;
        Ok((Evaluated(module), promise))
    }
}

/// A module after [`Root::evaluate`].
pub struct Evaluated<'js>(Module<'js, rquickjs::module::Evaluated>);

impl<'js> Evaluated<'js> {
    /// The module's namespace object.
    ///
    /// # Errors
    /// When memory is out.
    pub fn namespace(&self) -> rquickjs::Result<Object<'js>> {
        self.0.namespace()
    }
}

/// The modules that a module requests; `None` for one that has not been loaded.
fn modules(record: &Record) -> impl Iterator<Item = Option<NonNull<Record>>> {
    let count = if record.requests.entries.is_null() { 0 } else { record.requests.count.max(0) as usize };
    // SAFETY: the list has that many entries.
    (0..count).map(move |index| NonNull::new(unsafe { (*record.requests.entries.add(index)).module }))
}

/// Whether modules look as [`Record`] says.
fn is_layout_known(ctx: &Ctx<'_>) -> bool {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    if let Some(known) = KNOWN.get() {
        return *known;
    }
    match probe(ctx) {
        Some(known) => *KNOWN.get_or_init(|| known),
        // Memory is out, here and now.
        None => {
            drop(ctx.catch());
            false
        }
    }
}

fn probe(ctx: &Ctx<'_>) -> Option<bool> {
    let name = "tombolo:internal/probe";
    let declare = |text: &str| Root::declare(ctx, name, text).ok();
    let (plain, waiting) = (declare("export let a;")?, declare("await 0;")?);
    let record = |root: &Root<'_>| root.raw.cast::<Record>();
    let looks = |record: NonNull<Record>, waits: bool, status: u8| {
        // SAFETY: the engine's record is at least this long in any version that there is, and has been written.
        let record = unsafe { record.cast::<[u8; size_of::<Record>()]>().as_ref() };
        let at = |offset: usize| record[offset];
        let int = |offset: usize| c_int::from_ne_bytes(std::array::from_fn(|index| record[offset + index]));
        let list = |offset: usize| int(offset + std::mem::offset_of!(List<c_void>, count));
        at(std::mem::offset_of!(Record, has_top_level_await)) == u8::from(waits)
            && at(std::mem::offset_of!(Record, is_resolved)) == 1
            && at(std::mem::offset_of!(Record, status)) == status
            && list(std::mem::offset_of!(Record, requests)) == 0
            && list(std::mem::offset_of!(Record, exports)) == i32::from(!waits)
    };
    let is_right = looks(record(&plain), false, UNLINKED) && looks(record(&waiting), true, UNLINKED);
    let plain_record = record(&plain);
    let (_, promise) = plain.evaluate().ok()?;
    let cx = Cx::of(ctx);
    // SAFETY: the module is alive; the atom is given back.
    let is_named = unsafe {
        let atom = q::JS_GetModuleName(cx.raw(), plain_record.as_ptr().cast());
        let is_named = std::ptr::read(plain_record.as_ptr().cast::<q::JSAtom>()) == atom;
        q::JS_FreeAtom(cx.raw(), atom);
        is_named
    };
    Some(is_right && is_named && promise.state() == PromiseState::Resolved && looks(plain_record, false, EVALUATED))
}

#[cfg(test)]
mod tests {
    use rquickjs::loader::{ImportAttributes, Loader, Resolver};
    use rquickjs::{Context, Ctx, Function, Module, Runtime, module::Declared};

    use super::{Root, State};

    struct Texts;

    impl Resolver for Texts {
        fn resolve<'js>(
            &mut self,
            _: &Ctx<'js>,
            _: &str,
            name: &str,
            _: Option<ImportAttributes<'js>>,
        ) -> rquickjs::Result<String> {
            Ok(name.to_owned())
        }
    }

    impl Loader for Texts {
        fn load<'js>(
            &mut self,
            ctx: &Ctx<'js>,
            name: &str,
            _: Option<ImportAttributes<'js>>,
        ) -> rquickjs::Result<Module<'js, Declared>> {
            let text = match name {
                "leaf" => "export let a = 1;",
                "above" => "import 'leaf'; export let b = look('cycle');",
                "cycle" => "import 'above';",
                "waiting" => "import 'leaf'; await 0;",
                _ => return Err(rquickjs::Error::new_loading(name)),
            };
            Module::declare(ctx.clone(), name, text)
        }
    }

    fn state(ctx: &Ctx<'_>, of: &str) -> State {
        Root::declare(ctx, "root", &format!("import '{of}';")).unwrap().state(ctx)
    }

    #[test]
    fn the_engine_says_what_its_modules_do() {
        let runtime = Runtime::new().unwrap();
        runtime.set_loader(Texts, Texts);
        let context = Context::full(&runtime).unwrap();
        context.with(|ctx| {
            let seen = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
            let into = seen.clone();
            let look = move |ctx: Ctx<'_>, of: String| into.borrow_mut().push(state(&ctx, &of));
            ctx.globals().set("look", Function::new(ctx.clone(), look).unwrap()).unwrap();
            assert_eq!(state(&ctx, "leaf"), State::Ready);
            assert_eq!(state(&ctx, "waiting"), State::Waits);
            let root = Root::declare(&ctx, "root", "import 'above';").unwrap();
            assert_eq!(root.state(&ctx), State::Ready);
            root.evaluate().unwrap();
            assert_eq!(*seen.borrow(), [State::Busy]);
            assert_eq!(state(&ctx, "cycle"), State::Ready);
        });
    }
}
