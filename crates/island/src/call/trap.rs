//! What comes back when a guest call does not return.

use std::fmt::Write;
use std::rc::Rc;

use wasmtime::{ExnRef, OwnedRooted, WasmBacktrace};

use crate::call::island::Island;
use crate::engine::debug_info::SourceLocation;
use crate::engine::module::Module;
use crate::memory::interrupt::{Interrupted, Interrupter};

/// One guest function on the stack.
#[derive(Debug, Clone)]
pub struct StackFrame {
    /// The function's name from the module's name section, or that of its export.
    pub function: Option<String>,
    /// The function's index in its module.
    pub index: u32,
    /// The byte offset of the instruction in the module.
    pub offset: Option<usize>,
    /// Where its frame is on the thread's stack; 0 if that is not known.
    pub address: usize,
    /// Where the instruction is in the guest's source, if the engine was asked to find out: the innermost function that
    /// the compiler inlined there first.
    pub source: Vec<SourceLocation>,
    module: Option<wasmtime::Module>,
}

impl StackFrame {
    /// Whether the function belongs to `module`.
    fn is_of(&self, module: &Module) -> bool {
        self.module.as_ref().is_some_and(|own| module.has(own))
    }

    /// Adds what Wasmtime does not know, from the function's own module, if that is one of `modules`.
    pub(crate) fn complete(&mut self, modules: &[Module]) {
        let Some(module) = modules.iter().find(|module| self.is_of(module)) else { return };
        self.offset = self.offset.map(|offset| module.original_offset(offset));
        self.source = self.offset.map(|offset| module.source_of(offset)).unwrap_or_default();
        if self.function.is_none() {
            self.function = module.exported_function(self.index).map(str::to_string);
        }
    }
}

impl StackFrame {
    /// The frame as it is shown: once, or once for each function of the source that was inlined, each with one place
    /// in the source at most.
    pub fn levels(self) -> Vec<Self> {
        let count = self.source.len();
        if count < 2 {
            return vec![self];
        }
        let level = |(at, source): (usize, &SourceLocation)| Self {
            // The last is the function itself, which the name section knows too.
            function: if at + 1 < count { source.function.clone() } else { self.function.clone() },
            source: vec![source.clone()],
            ..self.clone()
        };
        self.source.iter().enumerate().map(level).collect()
    }
}

impl std::fmt::Display for StackFrame {
    /// Written as JavaScript engines do: `name (wasm-function[3]:0x1a2)`. If the place in the source is known, it follows:
    /// `name (wasm-function[3]:0x1a2, file.c:5:10)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let source = self.source.first();
        let name = self.function.as_ref().or(source.and_then(|source| source.function.as_ref()));
        if let Some(name) = name {
            write!(f, "{name} (")?;
        }
        write!(f, "wasm-function[{}]", self.index)?;
        if let Some(offset) = self.offset {
            write!(f, ":{offset:#x}")?;
        }
        if let Some(source) = source {
            write!(f, ", {source}")?;
        }
        if name.is_some() { f.write_str(")") } else { Ok(()) }
    }
}

/// The name of a module of our own, whose frames are left out of stacks.
pub(crate) const OWN_GUEST: &str = "tombolo:fiber";

/// The frames of a backtrace of Wasmtime's, innermost first.
pub(crate) fn frames_of(backtrace: &WasmBacktrace) -> Vec<StackFrame> {
    let frame = |frame: &wasmtime::FrameInfo| StackFrame {
        function: frame.func_name().map(str::to_string),
        index: frame.func_index(),
        offset: frame.module_offset(),
        address: 0,
        source: Vec::new(),
        module: Some(frame.module().clone()),
    };
    let mut frames: Vec<_> = backtrace.frames().iter().map(frame).collect();
    frames.iter_mut().zip(addresses(backtrace)).for_each(|(frame, address)| frame.address = address);
    frames.retain(|frame| frame.module.as_ref().and_then(wasmtime::Module::name) != Some(OWN_GUEST));
    frames
}

/// Where the frames are on the stack, innermost first. Wasmtime has no function that tells, but it prints them: the
/// `fp` of each is in the last field of a backtrace, where nothing else is. If it prints something else, there are none.
fn addresses(backtrace: &WasmBacktrace) -> Vec<usize> {
    const FIELD: &str = "_runtime_trace";
    /// Keeps the last mention of the field and what comes after it, and gives up when that is too long. What comes
    /// before it may be longer: functions can have any names.
    struct Tail(String);
    impl Write for Tail {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            const MOST: usize = 64 << 10;
            if text == FIELD {
                self.0.clear();
            } else if self.0.is_empty() {
                return Ok(());
            }
            self.0.push_str(text);
            if self.0.len() > MOST { Err(std::fmt::Error) } else { Ok(()) }
        }
    }
    let mut tail = Tail(String::new());
    // What was written before it gave up is there all the same.
    let _ = write!(tail, "{backtrace:?}");
    let addresses = tail.0.split("fp: ").skip(1).map_while(|text| {
        let digits = text.find(|char: char| !char.is_ascii_digit())?;
        text[..digits].parse().ok()
    });
    let addresses: Vec<usize> = if tail.0.starts_with(FIELD) { addresses.collect() } else { Vec::new() };
    if addresses.len() >= backtrace.frames().len() { addresses } else { Vec::new() }
}

/// A guest did what the specification calls a trap.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Trap {
    /// The kind of trap; `None` if Wasmtime refuses something without a code of its own.
    pub code: Option<wasmtime::Trap>,
    /// The trap in words.
    pub message: String,
    /// The guest's functions, innermost first: those that were called since the host entered the island last.
    pub frames: Vec<StackFrame>,
}

impl Trap {
    /// A trap in the host's own words, not caused by a guest.
    pub fn new(message: impl Into<String>) -> Self {
        Self { code: None, message: message.into(), frames: Vec::new() }
    }
}

impl std::fmt::Display for Trap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        let mut levels = self.frames.iter().cloned().flat_map(StackFrame::levels);
        levels.try_for_each(|frame| write!(f, "\n    at {frame}"))
    }
}

impl std::error::Error for Trap {}

/// An exception that left the guest.
#[derive(Debug)]
#[non_exhaustive]
pub struct UncaughtException {
    /// The island that it was thrown in.
    pub island: Rc<Island>,
    /// The exception.
    pub exception: OwnedRooted<ExnRef>,
}

/// A host function failed. The host that the function belongs to keeps the reason, unless it is an exception that
/// guests can catch: then [`Island::throw`] made this value.
#[derive(Debug)]
pub struct HostThrew;

impl std::fmt::Display for HostThrew {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a host function failed")
    }
}

impl std::error::Error for HostThrew {}

/// The error that a host function fails with in order to trap, as an instruction would.
#[derive(Debug)]
pub struct HostTrap(pub String);

impl std::fmt::Display for HostTrap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for HostTrap {}

/// The error that a host function fails with in order to end the guest, with this exit code.
#[derive(Debug)]
pub struct HostExit(pub i32);

impl std::fmt::Display for HostExit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the guest exited with code {}", self.0)
    }
}

impl std::error::Error for HostExit {}

/// Why a guest call did not return.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallError {
    /// The guest trapped.
    Trap(Trap),
    /// A host function failed; the host that it belongs to keeps the reason.
    Host,
    /// The guest threw an exception that nothing caught.
    Exception(UncaughtException),
    /// The guest exited, as through WASI's `proc_exit`.
    Exit(i32),
    /// The thread was [interrupted](crate::Interrupter::interrupt).
    Interrupted,
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Trap(trap) => trap.fmt(f),
            Self::Host => f.write_str("a host function failed"),
            Self::Exception(_) => f.write_str("the guest threw an exception that nothing caught"),
            Self::Exit(code) => write!(f, "the guest exited with code {code}"),
            Self::Interrupted => f.write_str("the guest was interrupted"),
        }
    }
}

impl std::error::Error for CallError {}

impl CallError {
    /// Whether guest code (or a host function that it called) failed, rather than Wasmtime's own checks beforehand.
    pub(crate) fn is_call_error(error: &wasmtime::Error) -> bool {
        error.is::<wasmtime::Trap>()
            || error.is::<HostThrew>()
            || error.is::<HostTrap>()
            || error.is::<Interrupted>()
            || error.is::<wasmtime::GcHeapOutOfMemory<()>>()
            || error.is::<wasmtime::ThrownException>()
            || error.is::<HostExit>()
    }
}

/// Why a function of another store cannot be called.
pub(crate) const FOREIGN_FUNCTION: &str = "the function belongs to another island";

impl CallError {
    /// An error for what this crate refuses before a guest runs.
    fn refused(message: &str) -> Self {
        Self::Trap(Trap::new(message))
    }

    #[cold]
    pub(crate) fn foreign_function() -> Self {
        Self::refused(FOREIGN_FUNCTION)
    }

    #[cold]
    pub(crate) fn busy() -> Self {
        Self::refused("the island is in use further up the stack, by a host function that cannot call back into it")
    }

    #[cold]
    pub(crate) fn stack_overflow() -> Self {
        let code = wasmtime::Trap::StackOverflow;
        Self::Trap(Trap { code: Some(code), message: describe(code), frames: Vec::new() })
    }

    #[cold]
    pub(crate) fn from_wasmtime(error: wasmtime::Error) -> Self {
        if error.is::<HostThrew>() {
            return Self::Host;
        }
        if let Some(exit) = error.downcast_ref::<HostExit>() {
            return Self::Exit(exit.0);
        }
        let code = error.downcast_ref::<wasmtime::Trap>().copied();
        // Accessing a closed poll page faults like any access out of bounds.
        let has_faulted = code == Some(wasmtime::Trap::MemoryOutOfBounds);
        if error.is::<Interrupted>() || (has_faulted && Interrupter::current().is_raised()) {
            return Self::Interrupted;
        }
        let frames = error.downcast_ref::<WasmBacktrace>().map(frames_of);
        let message = match code {
            Some(code) => describe(code),
            None => error.root_cause().to_string(),
        };
        Self::Trap(Trap { code, message, frames: frames.unwrap_or_default() })
    }
}

/// The specification's words for a trap, as its own test suite has them.
fn describe(code: wasmtime::Trap) -> String {
    use wasmtime::Trap as T;
    match code {
        T::StackOverflow => "Maximum call stack size exceeded".into(),
        T::UnreachableCodeReached => "unreachable".into(),
        T::TableOutOfBounds => "out of bounds table access".into(),
        other => other.to_string().trim_start_matches("wasm trap: ").into(),
    }
}
