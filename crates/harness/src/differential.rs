//! Random modules, instantiated and called on two hosts, which must see the same.

use anyhow::{Result, ensure};
use arbitrary::Unstructured;
use serde_json::{Value, json};
use wasm_smith::{Config, Module};
use wasmparser::types::{EntityType, Types};
use wasmparser::{FuncType, RefType, ValType, Validator, WasmFeatures};

use crate::run::{Host, in_parallel};
use crate::script::hex;
use crate::wrapper::type_text;

const DRIVER: &str = include_str!("differential.js");

/// Loops and calls of a module in all: few enough that the stack seldom ends before.
const FUEL: u32 = 400;

/// Modules that one context or process gets to see.
const TOGETHER: u64 = 20;

/// What the hosts do not agree about.
pub struct Mismatch {
    /// The module's seed.
    pub seed: u64,
    /// The module.
    pub module: Vec<u8>,
    /// What was seen before.
    pub before: Vec<String>,
    /// What the one host sees then.
    pub here: String,
    /// What the other does.
    pub there: String,
}

/// The module of a seed, with nothing in it that two engines may do differently. Some seeds give none.
fn module(seed: u64) -> Result<Option<Vec<u8>>> {
    /// Bytes that the generator draws from.
    const ENTROPY: usize = 4096;
    let config = Config {
        allow_start_export: true,
        canonicalize_nans: true,
        // Every other module computes all that it can, the rest meets every error.
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
        relaxed_simd_enabled: false,
        // Functions with vectors cannot be called by scripts.
        simd_enabled: seed.is_multiple_of(3),
        table_max_size_required: true,
        // A wait might not end.
        threads_enabled: false,
        ..Config::default()
    };
    // SplitMix64.
    let mut state = seed;
    let entropy: Vec<u8> = (0..ENTROPY / 8)
        .flat_map(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (mixed ^ (mixed >> 31)).to_le_bytes()
        })
        .collect();
    let Ok(mut module) = Module::new(config, &mut Unstructured::new(&entropy)) else { return Ok(None) };
    module.ensure_termination(FUEL)?;
    Ok(Some(module.to_bytes()))
}

/// What the driver needs to know of a module; none where JavaScript cannot make its imports.
fn describe(seed: u64, module: &[u8]) -> Result<Option<Value>> {
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
        // What scripts cannot make they can look at all the same.
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
    Ok(Some(json!({"seed": seed as u32, "module": hex(module), "imports": imports, "exports": exports})))
}

fn describe_function(ty: &FuncType) -> Value {
    // A type that the driver does not know is one for which it has nothing but null.
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

/// Runs the modules of the seeds on both hosts: how many were compared, and where the hosts do not agree.
///
/// # Errors
/// When a host fails as a whole.
pub fn compare(seeds: std::ops::Range<u64>, here: &Host<'_>, there: &Host<'_>) -> Result<(usize, Vec<Mismatch>)> {
    let starts: Vec<_> = seeds.clone().step_by(TOGETHER as usize).collect();
    let parts = in_parallel(&starts, |start| compare_some(*start..seeds.end.min(start + TOGETHER), here, there));
    let mut all = (0, Vec::new());
    for part in parts {
        let (count, mismatches) = part?;
        all.0 += count;
        all.1.extend(mismatches);
    }
    Ok(all)
}

fn compare_some(seeds: std::ops::Range<u64>, here: &Host<'_>, there: &Host<'_>) -> Result<(usize, Vec<Mismatch>)> {
    let mut modules = Vec::new();
    let mut descriptions = Vec::new();
    for seed in seeds {
        let Some(module) = module(seed)? else { continue };
        if let Some(description) = describe(seed, &module)? {
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
    let (seen_here, seen_there) = (observe(here)?, observe(there)?);
    let count = modules.len();
    let both = modules.into_iter().zip(seen_here.into_iter().zip(seen_there));
    Ok((count, both.filter_map(|((seed, module), (here, there))| mismatch(seed, module, here, there)).collect()))
}

/// The first line that is another, up to where one of the stacks was exhausted.
fn mismatch(seed: u64, module: Vec<u8>, here: Vec<String>, there: Vec<String>) -> Option<Mismatch> {
    let line = |lines: &[String], at: usize| lines.get(at).map_or("(nothing more)", |line| line).to_string();
    let at = (0..here.len().max(there.len())).find(|at| here.get(*at) != there.get(*at))?;
    let (seen_here, seen_there) = (line(&here, at), line(&there, at));
    if [&seen_here, &seen_there].iter().any(|line| *line == "exhausted") {
        return None;
    }
    Some(Mismatch { seed, module, before: here[..at].to_vec(), here: seen_here, there: seen_there })
}
