//! Random modules, instantiated and called on two hosts, which must see the same things.

use std::fmt::{self, Display, Formatter};

use anyhow::{Result, ensure};
use arbitrary::Unstructured;
use serde_json::{Value, json};
use wasm_smith::{Config, Module};
use wasmparser::types::{EntityType, Types};
use wasmparser::{FuncType, RefType, ValType, Validator, WasmFeatures};

use crate::legacy;
use crate::run::{Host, in_parallel};
use crate::script::hex;
use crate::wrapper::type_text;

const DRIVER: &str = include_str!("differential.js");

/// How many loops and calls a module may do in all: few enough that the stack is seldom exhausted before.
const FUEL: u32 = 400;

/// How many modules one context or process runs.
const TOGETHER: u64 = 20;

/// What the hosts do not agree about.
pub struct Mismatch {
    /// The module's seed.
    pub seed: u64,
    /// The module.
    pub module: Vec<u8>,
    /// What was seen before.
    pub before: Vec<String>,
    /// What the one host sees next.
    pub here: String,
    /// What the other host sees next.
    pub there: String,
}

impl Display for Mismatch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { seed, before, here, there, .. } = self;
        let before = before.last().map_or("", |line| line);
        write!(f, "seed {seed}, after \"{before}\":\n  here: {here}\n  there: {there}")
    }
}

/// Which modules are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modules {
    /// With everything that `wasm-smith` makes.
    Any,
    /// With legacy exception handling, which it does not make.
    Legacy,
}

/// The numbers of a seed, as SplitMix64 gives them.
pub(crate) struct SplitMix(pub(crate) u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number that is less than another.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// The module of a seed, with nothing in it that two engines may do differently. Some seeds give none.
fn module(seed: u64) -> Result<Option<Vec<u8>>> {
    /// Bytes that the generator draws from.
    const ENTROPY: usize = 4096;
    let config = Config {
        allow_start_export: true,
        canonicalize_nans: true,
        // Every other module computes all that it can; the rest meet every error.
        disallow_traps: seed.is_multiple_of(2),
        export_everything: true,
        limit_arrays_in_const_exprs: true,
        max_funcs: 16,
        max_globals: 8,
        max_imports: 4,
        max_memories: 2,
        max_memory32_bytes: 4 << 16,
        max_memory64_bytes: 4 << 16,
        max_table_elements: 100,
        max_tables: 3,
        max_tags: 3,
        max_type_size: 100,
        max_types: 10,
        memory_max_size_required: true,
        min_funcs: 4,
        // Enough that some are types of functions, without which there is nothing to call.
        min_types: 6,
        relaxed_simd_enabled: false,
        // Functions with vectors cannot be called by scripts.
        simd_enabled: seed.is_multiple_of(3),
        table_max_size_required: true,
        // A wait might not end.
        threads_enabled: false,
        ..Config::default()
    };
    let mut random = SplitMix(seed);
    let entropy: Vec<u8> = (0..ENTROPY / 8).flat_map(|_| random.next().to_le_bytes()).collect();
    let Ok(mut module) = Module::new(config, &mut Unstructured::new(&entropy)) else { return Ok(None) };
    module.ensure_termination(FUEL)?;
    Ok(Some(module.to_bytes()))
}

/// What the driver needs to know of a module, and whether its imports sometimes throw; `None` if JavaScript cannot make its imports.
fn describe(seed: u64, module: &[u8], throws: bool) -> Result<Option<Value>> {
    let types = Validator::new_with_features(WasmFeatures::all()).validate_all(module)?;
    let mut imports = Vec::new();
    for (from, name, ty) in types.as_ref().core_imports().into_iter().flatten() {
        let Some(mut import) = describe_entity(&types, ty) else { return Ok(None) };
        import["module"] = from.into();
        import["name"] = name.into();
        imports.push(import);
    }
    let mut exports = Vec::new();
    for (name, ty) in types.as_ref().core_exports().into_iter().flatten() {
        // Scripts can look at exports that they could not make.
        let kind = match ty {
            EntityType::Table(_) => json!({"kind": "table"}),
            EntityType::Global(_) => json!({"kind": "global"}),
            EntityType::Func(id) | EntityType::FuncExact(id) => describe_function(types[id].unwrap_func()),
            EntityType::Memory(_) => json!({"kind": "memory"}),
            EntityType::Tag(_) => continue,
        };
        let mut export = kind;
        export["name"] = name.into();
        exports.push(export);
    }
    Ok(Some(json!({
        "seed": seed as u32, "module": hex(module), "imports": imports, "exports": exports, "throws": throws,
    })))
}

fn describe_function(ty: &FuncType) -> Value {
    // For a type that the driver does not know it has nothing but null.
    let texts =
        |types: &[ValType]| -> Vec<String> { types.iter().map(|ty| type_text(*ty).unwrap_or_default()).collect() };
    json!({"kind": "function", "params": texts(ty.params()), "results": texts(ty.results())})
}

/// An import as the arguments of the constructor that makes it.
fn describe_entity(types: &Types, ty: EntityType) -> Option<Value> {
    let reference = |ty: RefType| match ty {
        RefType::FUNCREF => Some("anyfunc"),
        RefType::EXTERNREF => Some("externref"),
        _ => None,
    };
    Some(match ty {
        EntityType::Func(id) | EntityType::FuncExact(id) => describe_function(types[id].unwrap_func()),
        EntityType::Global(ty) => {
            let value = match ty.content_type {
                ValType::Ref(ty) => reference(ty)?.to_string(),
                ValType::V128 => return None,
                number => number.to_string(),
            };
            json!({"kind": "global", "value": value, "mutable": ty.mutable})
        }
        EntityType::Memory(ty) => json!({"kind": "memory", "descriptor": {
            "address": if ty.memory64 { "i64" } else { "i32" }, "initial": ty.initial, "maximum": ty.maximum,
        }}),
        EntityType::Table(ty) => json!({"kind": "table", "descriptor": {
            "address": if ty.table64 { "i64" } else { "i32" }, "initial": ty.initial, "maximum": ty.maximum,
            "element": reference(ty.element_type)?,
        }}),
        EntityType::Tag(id) => {
            let params = types[id].unwrap_func().params();
            let numbers: Option<Vec<_>> =
                params.iter().map(|ty| (!matches!(ty, ValType::Ref(_))).then(|| ty.to_string())).collect();
            json!({"kind": "tag", "parameters": numbers?})
        }
    })
}

/// The outcome of modules that two hosts ran.
#[derive(Default)]
pub struct Comparison {
    /// How many modules there were.
    pub modules: usize,
    /// How many of them exhausted a stack. What they do after that is not compared.
    pub exhausted: usize,
    /// How many calls returned before the hosts disagreed.
    pub returned: usize,
    /// Where the hosts do not agree.
    pub mismatches: Vec<Mismatch>,
}

/// A module and what each host sees of it.
struct Seen {
    seed: u64,
    module: Vec<u8>,
    here: Vec<String>,
    there: Vec<String>,
}

impl Comparison {
    /// Succeeds if the hosts agree, and enough was compared to say so.
    ///
    /// # Errors
    /// When they do not, when more than one module of ten exhausted a stack, or fewer calls returned than there are
    /// modules.
    pub fn verdict(&self) -> Result<()> {
        let Self { modules, exhausted, returned, mismatches } = self;
        ensure!(mismatches.is_empty(), "{} of {modules} modules are seen differently", mismatches.len());
        ensure!(exhausted * 10 <= *modules, "{exhausted} of {modules} modules exhausted a stack");
        ensure!(*modules > 0 && returned >= modules, "{returned} calls of {modules} modules returned");
        Ok(())
    }

    fn add(&mut self, Seen { seed, module, here, there }: Seen) {
        let exhausted = |lines: &[String]| lines.last().is_some_and(|line| line == "exhausted");
        let line = |lines: &[String], at: usize| lines.get(at).map_or("(nothing more)", |line| line).to_string();
        let same = here.iter().zip(&there).take_while(|(here, there)| here == there).count();
        let returned = |line: &&String| line.starts_with("call ") && !line.contains(": throws ");
        self.modules += 1;
        self.returned += here[..same].iter().filter(returned).count();
        let (seen_here, seen_there) = (line(&here, same), line(&there, same));
        if exhausted(&here) || exhausted(&there) {
            self.exhausted += 1;
        }
        if here != there && seen_here != "exhausted" && seen_there != "exhausted" {
            self.mismatches.push(Mismatch {
                seed,
                module,
                before: here[..same].to_vec(),
                here: seen_here,
                there: seen_there,
            });
        }
    }
}

/// Runs the modules of the seeds on both hosts.
///
/// # Errors
/// When a host fails as a whole.
pub fn compare(modules: Modules, seeds: std::ops::Range<u64>, here: &Host<'_>, there: &Host<'_>) -> Result<Comparison> {
    let starts: Vec<_> = seeds.clone().step_by(TOGETHER as usize).collect();
    let parts = in_parallel(&starts, |start| run_both(modules, *start..seeds.end.min(start + TOGETHER), here, there));
    let mut comparison = Comparison::default();
    for part in parts {
        part?.into_iter().for_each(|seen| comparison.add(seen));
    }
    Ok(comparison)
}

fn run_both(kind: Modules, seeds: std::ops::Range<u64>, here: &Host<'_>, there: &Host<'_>) -> Result<Vec<Seen>> {
    let mut modules = Vec::new();
    let mut descriptions = Vec::new();
    for seed in seeds {
        let module = match kind {
            Modules::Any => module(seed)?,
            Modules::Legacy => Some(legacy::module(seed)),
        };
        let Some(module) = module else { continue };
        if let Some(description) = describe(seed, &module, kind == Modules::Legacy)? {
            modules.push((seed, module));
            descriptions.push(description);
        }
    }
    let expression = format!("JSON.stringify({}.map(observe))", Value::from(descriptions));
    let observe = |host: &Host<'_>| -> Result<Vec<Vec<String>>> {
        let seen: Vec<Vec<String>> = serde_json::from_str(&host.evaluate(DRIVER, &expression)?)?;
        ensure!(seen.len() == modules.len(), "{} of {} modules were observed", seen.len(), modules.len());
        Ok(seen)
    };
    let both = observe(here)?.into_iter().zip(observe(there)?);
    Ok(modules
        .into_iter()
        .zip(both)
        .map(|((seed, module), (here, there))| Seen { seed, module, here, there })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The comparison of 20 modules. The hosts see the first `others` as `here` and `there`, and the rest alike.
    fn compared(others: u64, here: &[&str], there: &[&str]) -> Comparison {
        let lines = |lines: &[&str]| lines.iter().map(ToString::to_string).collect();
        let good = ["compile: undefined", "instantiate: [f]", "call f: 1", "call f: 2"];
        let mut comparison = Comparison::default();
        for seed in 0..20 {
            let (here, there) = if seed < others { (here, there) } else { (&good[..], &good[..]) };
            comparison.add(Seen { seed, module: Vec::new(), here: lines(here), there: lines(there) });
        }
        comparison
    }

    #[test]
    fn a_host_that_does_nothing_is_found_out() {
        let verdict = |others, here: &[&str], there: &[&str]| compared(others, here, there).verdict().is_ok();
        assert!(verdict(0, &[], &[]));
        for there in [&["call f: 1"][..], &["exhausted"], &["call f: throws RuntimeError"]] {
            assert!(verdict(2, &["exhausted"], there), "{there:?}");
            assert!(verdict(2, there, &["exhausted"]), "{there:?}");
            assert!(!verdict(3, &["exhausted"], there), "{there:?}");
            assert!(!verdict(3, there, &["exhausted"]), "{there:?}");
        }
        // Nothing works anywhere.
        assert!(!verdict(20, &["compile: throws CompileError"], &["compile: throws CompileError"]));
        assert!(!verdict(20, &["call f: throws RuntimeError"], &["call f: throws RuntimeError"]));
        assert!(!verdict(20, &[], &[]));
        assert!(Comparison::default().verdict().is_err());
    }

    #[test]
    fn the_first_difference_is_told() {
        for (here, there, expected) in [
            (&["call f: 1", "call f: 2"][..], &["call f: 1", "call f: 3"][..], ("call f: 2", "call f: 3")),
            (&["call f: 1"], &["call f: 1", "call f: 3"], ("(nothing more)", "call f: 3")),
            // What comes before the stack is exhausted is compared.
            (&["call f: 1", "call f: 2"], &["call f: 1", "call f: 3", "exhausted"], ("call f: 2", "call f: 3")),
        ] {
            let comparison = compared(1, here, there);
            let [found] = &comparison.mismatches[..] else { panic!("{} mismatches", comparison.mismatches.len()) };
            assert_eq!((found.here.as_str(), found.there.as_str()), expected);
            assert_eq!((&found.before[..], comparison.returned), (&["call f: 1".to_string()][..], 1 + 19 * 2));
            assert!(comparison.verdict().is_err());
        }
    }
}
