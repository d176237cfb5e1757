//! The engine: features, compiler and memory layout, the same for every module of a process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use wasmparser::WasmFeatures;
use wasmtime::{Collector, Config, OptLevel, RegallocAlgorithm};

use crate::engine::cache::{CodeCache, Key, Tier};
use crate::engine::compile_error::CompileError;
use crate::engine::fiber_stacks::FiberStacks;
use crate::engine::instrument::legacy;
use crate::engine::live_modules::LiveModules;
use crate::engine::loaded::LoadedCode;
use crate::engine::progress::Progress;
use crate::engine::threads::start_compilers;
use crate::memory::host_memory::HostMemory;
use crate::memory::layout::{Layout, SHORT};

mod background;
pub mod cache;
mod code;
pub(crate) mod compile_error;
pub(crate) mod debug_info;
pub(crate) mod fiber_stacks;
pub(crate) mod instrument;
pub mod limits;
pub(crate) mod live_modules;
pub(crate) mod loaded;
pub(crate) mod module;
mod own_modules;
pub(crate) mod precompiled;
pub(crate) mod progress;
pub(crate) mod threads;

/// What an embedder can choose about an engine. Fields may be added: construct it with `..Default::default()`.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Bytes of native stack that guest code may use, counted from where it was entered. The thread must have that
    /// much, and 512 KiB more for the host functions that guests call: otherwise the guest is not entered.
    pub max_wasm_stack: usize,
    /// Whether guests' loops can be [interrupted](crate::Interrupter), which costs a load per iteration: about one
    /// percent. Waits can always be interrupted.
    pub interruptible: bool,
    /// How modules are compiled.
    pub compiler: Compiler,
    /// Where compiled code is kept from one run to the next, if it is.
    pub cache: Option<Arc<CodeCache>>,
    /// Called on another thread, once compiling a module has taken half a second: ten times a second, and when it is
    /// done.
    pub on_slow_compile: Option<fn(&Progress)>,
    /// Whether stacks say where in a guest's source each function is, if the module has DWARF. It is read when a stack is
    /// first shown.
    pub debug_info: bool,
}

/// How modules are compiled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compiler {
    /// To run fast, however long that takes.
    #[default]
    Optimizing,
    /// In about half the time, for code that takes up to three times as long to run and has larger stack frames, so
    /// that recursion does not go as deep.
    ///
    /// It is Cranelift without optimization and with its single-pass register allocator, which Wasmtime calls not yet
    /// ready for production: its project issues no security advisories for it. So this is not for modules that mean
    /// harm.
    Fast,
    /// Modules of 64 KiB or more as [`Compiler::Fast`] at first. Half a second after the first instance, such a module is
    /// compiled again in the background, to run fast, and instances that are made after that use the faster code.
    Tiered,
}

impl Compiler {
    /// How well modules are compiled in the end.
    pub(crate) fn best_tier(self) -> Tier {
        if self == Self::Fast { Tier::Fast } else { Tier::Optimized }
    }
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            max_wasm_stack: 1 << 20,
            interruptible: true,
            compiler: Compiler::default(),
            cache: None,
            on_slow_compile: None,
            debug_info: false,
        }
    }
}

/// Modules of our own, by their texts.
pub(crate) type OwnModules = Mutex<HashMap<String, wasmtime::Module>>;

/// Compiles and runs modules. Cheap to clone; all threads may share one.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: wasmtime::Engine,
    pub(crate) max_wasm_stack: usize,
    pub(crate) interruptible: bool,
    pub(crate) compiler: Compiler,
    pub(crate) cache: Option<Arc<CodeCache>>,
    pub(crate) on_slow_compile: Option<fn(&Progress)>,
    pub(crate) debug_info: bool,
    pub(crate) modules: Arc<LiveModules>,
    pub(crate) loaded: Arc<LoadedCode>,
    /// Compiles, in little time, code that `inner` can run.
    fast: Arc<OnceLock<wasmtime::Engine>>,
    configuration: Arc<OnceLock<Key>>,
    pub(crate) own_modules: Arc<OwnModules>,
}

impl Engine {
    /// An engine for this machine.
    ///
    /// # Errors
    /// When the options do not fit together, or this machine lacks something that the compiler needs.
    pub fn new(options: &EngineOptions) -> wasmtime::Result<Self> {
        Ok(Self {
            inner: wasmtime::Engine::new(&config(options.max_wasm_stack, options.compiler.best_tier()))?,
            max_wasm_stack: options.max_wasm_stack,
            interruptible: options.interruptible,
            compiler: options.compiler,
            cache: options.cache.clone(),
            on_slow_compile: options.on_slow_compile,
            debug_info: options.debug_info,
            modules: Arc::default(),
            loaded: Arc::default(),
            fast: Arc::default(),
            configuration: Arc::default(),
            own_modules: Arc::default(),
        })
    }

    /// [`EngineOptions::max_wasm_stack`].
    pub fn max_wasm_stack(&self) -> usize {
        self.max_wasm_stack
    }

    /// Compiles a module in the binary format.
    pub(crate) fn compile_binary(&self, bytes: &[u8]) -> wasmtime::Result<wasmtime::Module> {
        start_compilers()?;
        wasmtime::Module::from_binary(&self.inner, bytes)
    }

    /// Compiles one of our own modules, from its text.
    pub(crate) fn compile_text(&self, text: &str) -> wasmtime::Result<wasmtime::Module> {
        start_compilers()?;
        wasmtime::Module::new(&self.inner, text)
    }

    /// Compiles a module in either format without loading it.
    pub(crate) fn precompile(&self, bytes: &[u8], tier: Tier) -> wasmtime::Result<cache::Code> {
        start_compilers()?;
        let engine = if tier == self.compiler.best_tier() { &self.inner } else { self.fast()? };
        cache::Code::compile(engine, bytes)
    }

    /// The engine that compiles in little time, made when it is first needed.
    fn fast(&self) -> wasmtime::Result<&wasmtime::Engine> {
        if let Some(engine) = self.fast.get() {
            return Ok(engine);
        }
        let engine = wasmtime::Engine::new(&config(self.max_wasm_stack, Tier::Fast))?;
        Ok(self.fast.get_or_init(|| engine))
    }

    /// Stands for everything that affects how a module is compiled, except the tier.
    pub(crate) fn configuration(&self) -> &Key {
        self.configuration.get_or_init(|| {
            let sources = env!("TOMBOLO_ISLAND_SOURCES");
            Key::of_configuration((sources, self.interruptible, self.inner.precompile_compatibility_hash()))
        })
    }

    /// The same without what Wasmtime checks when it loads code.
    pub(crate) fn build(&self) -> Key {
        Key::of_configuration((env!("TOMBOLO_ISLAND_SOURCES"), self.interruptible))
    }

    /// Whether the bytes are a module that could be compiled.
    pub(crate) fn validate(&self, bytes: &[u8]) -> Result<(), CompileError> {
        start_compilers()?;
        let outcome = wasmtime::Module::validate(&self.inner, bytes);
        outcome.or_else(|error| legacy::validate(bytes, FEATURES, error.into()))
    }

    /// Wasmtime's own handle, for what this crate does not wrap.
    pub fn wasmtime(&self) -> &wasmtime::Engine {
        &self.inner
    }
}

/// What a fiber's stack has in addition to what guests may use: for Wasmtime, when it is called by the guest's code.
pub(crate) const FIBER_EXTRA: usize = 512 << 10;

/// What modules may use.
const FEATURES: WasmFeatures = WasmFeatures::WASM3
    .union(WasmFeatures::THREADS)
    .union(WasmFeatures::CUSTOM_PAGE_SIZES)
    .union(WasmFeatures::WIDE_ARITHMETIC);

/// The configuration of Wasmtime. Code of either tier runs on engines of both: Wasmtime does not compare the settings
/// in which they differ.
fn config(max_wasm_stack: usize, tier: Tier) -> Config {
    let layout = Layout::of_process();
    let mut config = Config::new();
    if tier == Tier::Fast {
        config.cranelift_opt_level(OptLevel::None).cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass);
    }
    config
        .wasm_features(FEATURES, true)
        .shared_memory(true)
        .collector(Collector::Copying)
        .max_wasm_stack(max_wasm_stack)
        .async_stack_size(max_wasm_stack + FIBER_EXTRA)
        .with_host_stack(Arc::new(FiberStacks::default()))
        .memory_reservation(layout.reservation as u64)
        .memory_guard_size(layout.guard as u64)
        // Wasmtime maps images of data segments only into its own memories; those on our blocks are written to.
        .memory_init_cow(false)
        .with_host_memory(Arc::new(HostMemory))
        // As many frames as a script's error can have.
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(64));
    if layout == SHORT {
        // Memories never move; in the other layout Wasmtime finds that out by itself.
        config.memory_may_move(false);
        // The heap of guests' objects is made when it is first needed: code compiled on the assumption that it never
        // moves would read its address too early.
        config
            .gc_heap_reservation(layout.reservation as u64)
            .gc_heap_guard_size(layout.guard as u64)
            .gc_heap_reservation_for_growth(0)
            .gc_heap_may_move(true);
    }
    config
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}
