//! From a module's bytes to code that can run: from the cache, or from the compiler, which may be in a hurry at first.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use object::read::elf::ElfFile64;
use object::{Endianness, Object as _, ObjectSection as _};
use wasmtime_environ::StackMap;
use wasmtime_environ::obj::ELF_WASMTIME_STACK_MAP;

use crate::engine::cache::{self, CodeCache, KeptModule, Key, Tier};
use crate::engine::compile_error::CompileError;
use crate::engine::instrument::{Instrumentation, Record, instrument};
use crate::engine::loaded::LoadedModule;
use crate::engine::progress::watched;
use crate::engine::{Compiler, Engine, threads};
use crate::memory::ground::Ground;

/// Code that Wasmtime can run.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) wasm: wasmtime::Module,
    /// Where the code of each function ends and starts, in that order, and the function's index.
    functions: Box<[(usize, usize, u32)]>,
    /// Where the stack maps are in Wasmtime's image of it.
    stack_maps: OnceLock<Range<usize>>,
}

impl Code {
    fn new(wasm: wasmtime::Module) -> Self {
        let mut functions: Box<[_]> =
            wasm.functions().map(|f| (f.offset + f.len, f.offset, f.index.as_u32())).collect();
        functions.sort_unstable();
        Self { wasm, functions, stack_maps: OnceLock::new() }
    }

    /// The index of the function whose code is at an address, if the address is in this code.
    pub(crate) fn function_at(&self, address: usize) -> Option<u32> {
        let offset = address.checked_sub(self.wasm.text().as_ptr().addr())?;
        let at = self.functions.partition_point(|&(end, ..)| end <= offset);
        self.functions.get(at).filter(|&&(_, start, _)| start <= offset).map(|&(.., index)| index)
    }

    /// The stack map of an address, if the address is in this code and has one.
    pub(crate) fn stack_map(&self, pc: usize) -> Option<StackMap<'_>> {
        let text = self.wasm.text();
        let offset = pc.checked_sub(text.as_ptr().addr()).filter(|&offset| offset < text.len())?;
        let image = self.wasm.image_range();
        // SAFETY: the image is there, and does not change, for as long as the module is.
        let image = unsafe { std::slice::from_raw_parts(image.start, image.end.addr() - image.start.addr()) };
        let range = self.stack_maps.get_or_init(|| stack_maps(image).unwrap_or(0..0));
        StackMap::lookup(u32::try_from(offset).ok()?, &image[range.clone()])
    }
}

/// The section with the stack maps, if the image has one.
fn stack_maps(image: &[u8]) -> Option<Range<usize>> {
    let image = ElfFile64::<Endianness>::parse(image).expect("the image of a module is an ELF file");
    let (start, size) = image.section_by_name(ELF_WASMTIME_STACK_MAP)?.file_range()?;
    Some(start as usize..(start + size) as usize)
}

/// The result of compiling a module's bytes.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) code: Code,
    pub(crate) tier: Tier,
    pub(crate) record: Record,
    /// What the module's own memories stand on, as the record says.
    pub(crate) grounds: Vec<Ground>,
    /// Where the module's bytes are kept until it is optimized, if the cache does.
    pub(crate) kept: Option<KeptModule>,
}

impl Compiled {
    /// Returns `None` if the record does not belong to these bytes.
    pub(crate) fn new(
        wasm: wasmtime::Module,
        tier: Tier,
        record: Record,
        bytes: &[u8],
        kept: Option<KeptModule>,
    ) -> Option<Self> {
        let grounds = record.memories.iter().map(|source| source.ground(bytes)).collect::<Option<_>>()?;
        Some(Self { code: Code::new(wasm), tier, record, grounds, kept })
    }
}

/// Smaller modules are optimized in less than a twentieth of a second.
const LARGE: usize = 64 << 10;

impl Compiler {
    /// How well a module of this many bytes is compiled at first.
    fn first_tier(self, bytes: usize) -> Tier {
        if self == Self::Tiered && bytes >= LARGE { Tier::Fast } else { self.best_tier() }
    }
}

/// Smaller modules are kept in memory until they are optimized: a file has to be open for as long.
const KEPT: usize = 1 << 20;

/// Once the compiler runs, compiling smaller modules takes no longer than looking them up.
const SMALL: usize = 512;

/// The cache, if it is worth searching for a module of this many bytes. Starting the compiler takes longer than that,
/// and four megabytes of memory.
pub(crate) fn cache_for(engine: &Engine, bytes: usize) -> Option<&CodeCache> {
    engine.cache.as_deref().filter(|_| bytes >= SMALL || !threads::has_compiled())
}

/// Whether the cache has optimized code for a module, or the module is too small to need any.
pub(crate) fn is_kept(engine: &Engine, key: &Key, bytes: &[u8]) -> bool {
    let is_optimized = |cache: &CodeCache| cache.load(key).is_some_and(|found| found.tier == Tier::Optimized);
    engine.cache.as_deref().is_some_and(|cache| bytes.len() < SMALL || is_optimized(cache))
}

/// The code of a module, from the cache or newly compiled.
pub(crate) fn obtain(engine: &Engine, key: &Key, bytes: &[u8]) -> Result<Compiled, CompileError> {
    if let Some(LoadedModule { wasm, tier, record }) = engine.loaded.get(|| Key::new(&engine.build(), bytes))
        && let Some(record) = Record::from_bytes(&record)
        && let Some(compiled) = Compiled::new(wasm, tier, record, bytes, None)
    {
        return Ok(compiled);
    }
    let tier = engine.compiler.first_tier(bytes.len());
    let cache = cache_for(engine, bytes.len());
    let found = cache.and_then(|cache| cache.load(key));
    if let Some(found) = found.filter(|found| found.tier >= tier)
        && let Some(record) = Record::from_bytes(&found.attachment)
        && let Ok(wasm) = found.code.load(&engine.inner)
        && let Some(compiled) = Compiled::new(wasm, found.tier, record, bytes, found.kept)
    {
        return Ok(compiled);
    }
    match engine.on_slow_compile {
        Some(tell) if bytes.len() >= LARGE => watched(tell, bytes, || compile(engine, cache, key, bytes, tier)),
        _ => compile(engine, cache, key, bytes, tier),
    }
}

/// Optimizes a module that was compiled in a hurry, and keeps the result in the cache. Returns `None` if memory runs
/// out.
pub(crate) fn optimize(engine: &Engine, key: &Key, bytes: &[u8]) -> Option<Code> {
    let cache = cache_for(engine, bytes.len());
    compile(engine, cache, key, bytes, Tier::Optimized).ok().map(|compiled| compiled.code)
}

/// Instruments and compiles, and keeps the result.
fn compile(
    engine: &Engine,
    cache: Option<&CodeCache>,
    key: &Key,
    bytes: &[u8],
    tier: Tier,
) -> Result<Compiled, CompileError> {
    let improves = tier < engine.compiler.best_tier();
    let ((wasm, kept), record) = instrumented(engine, bytes, |instrumented, record| {
        if cache.is_none() && !improves {
            return Ok((engine.compile_binary(instrumented)?, None));
        }
        let code = engine.precompile(instrumented, tier)?;
        let kept = if improves && bytes.len() >= KEPT { bytes } else { &[] };
        let (code, kept) = match cache {
            // Mapped code is not in memory twice, and need not be in memory at all.
            Some(cache) => cache.store(key, tier, bytes.len(), code, &record.to_bytes(), kept),
            None => (code, None),
        };
        Ok((code.load(&engine.inner)?, kept))
    })?;
    Ok(Compiled::new(wasm, tier, record, bytes, kept).expect("the record is of this module"))
}

/// Instruments and compiles, for another engine to load.
pub(crate) fn precompile(engine: &Engine, bytes: &[u8], tier: Tier) -> Result<(cache::Code, Record), CompileError> {
    instrumented(engine, bytes, |instrumented, _| engine.precompile(instrumented, tier))
}

/// Instruments a module and has it compiled. Errors in the module are reported for the bytes that the script gave.
fn instrumented<R>(
    engine: &Engine,
    bytes: &[u8],
    compile: impl Fn(&[u8], &Record) -> wasmtime::Result<R>,
) -> Result<(R, Record), CompileError> {
    let attempt = |orders_exports| {
        let (instrumented, record, is_ordered) = match instrument(bytes, engine.interruptible, orders_exports) {
            Instrumentation::Unneeded(record) => {
                // Wasmtime would take anything else for a text.
                if !bytes.starts_with(b"\0asm") {
                    engine.validate(bytes)?;
                }
                (Cow::Borrowed(bytes), record, false)
            }
            Instrumentation::DoesNotFit => {
                engine.validate(bytes)?;
                let message = "the module leaves no room for what makes its loops and waits interruptible, or for the \
                               translation of legacy exception handling: it can have at most 99 memories and tables, \
                               and functions a little shorter than the limit";
                return Err(CompileError { message: message.into() });
            }
            Instrumentation::Made(instrumented) => {
                engine.validate(bytes)?;
                (Cow::Owned(instrumented.bytes), instrumented.record, instrumented.has_ordered_exports)
            }
        };
        match compile(&instrumented, &record) {
            // The module itself is valid, but with more exports it exceeds a limit.
            Err(_) if is_ordered => Ok(None),
            compiled => Ok(Some((compiled?, record))),
        }
    };
    match attempt(true)? {
        Some(compiled) => Ok(compiled),
        None => Ok(attempt(false)?.expect("the exports are as they were")),
    }
}
