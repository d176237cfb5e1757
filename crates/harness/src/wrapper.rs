//! Modules that call what is under test from WebAssembly, for values that JavaScript cannot hold or tell apart.

use std::collections::HashMap;
use std::fmt::Write;

use anyhow::{Result, bail};
use wasmparser::types::EntityType;
use wasmparser::{AbstractHeapType, HeapType, RefType, ValType, Validator, WasmFeatures};
use wast::core::{NanPattern, V128Const, V128Pattern, WastArgCore, WastRetCore};

/// The functions and globals that an instance exports.
#[derive(Default)]
pub(crate) struct Exports {
    functions: HashMap<String, (Vec<ValType>, Vec<ValType>)>,
    globals: HashMap<String, (ValType, bool)>,
}

impl Exports {
    /// The exports of a module; none if the validator does not know what the module is made of.
    pub(crate) fn of(module: &[u8]) -> Self {
        let mut exports = Self::default();
        let Ok(types) = Validator::new_with_features(WasmFeatures::all()).validate_all(module) else { return exports };
        for (name, ty) in types.as_ref().core_exports().into_iter().flatten() {
            match ty {
                EntityType::Func(id) | EntityType::FuncExact(id) => {
                    let ty = types[id].unwrap_func();
                    exports.functions.insert(name.to_string(), (ty.params().to_vec(), ty.results().to_vec()));
                }
                EntityType::Global(ty) => drop(exports.globals.insert(name.to_string(), (ty.content_type, ty.mutable))),
                EntityType::Table(_) | EntityType::Memory(_) | EntityType::Tag(_) => {}
            }
        }
        exports
    }
}

/// One module, as text, for everything that one instance's exports are asked for.
#[derive(Default)]
pub(crate) struct Wrapper {
    imports: String,
    /// The identifier of each import.
    imported: HashMap<String, String>,
    functions: String,
    count: usize,
}

impl Wrapper {
    /// Adds a function that calls the export with the arguments and, if `expected` is given, compares the results with
    /// it. The function returns 0 if all is well, else which result, counted from 1, differs. Returns the function's
    /// name in the wrapper; `None` if JavaScript can do it.
    pub(crate) fn call(
        &mut self,
        exports: &Exports,
        name: &str,
        args: &[WastArgCore<'_>],
        expected: Option<&[WastRetCore<'_>]>,
    ) -> Result<Option<String>> {
        let Some((params, results)) = exports.functions.get(name) else { return Ok(None) };
        let foreign = args.iter().any(|arg| is_foreign_argument(arg))
            || expected.is_some_and(|expected| expected.iter().any(is_foreign_result))
            || params.iter().chain(results).any(|ty| is_foreign(*ty));
        if !foreign {
            return Ok(None);
        }
        let types = |kind: &str, types: &[ValType]| -> Result<String> {
            Ok(format!("({kind} {})", types.iter().map(|ty| type_text(*ty)).collect::<Result<Vec<_>>>()?.join(" ")))
        };
        let signature = format!("{} {}", types("param", params)?, types("result", results)?);
        let id = self.import(name, &format!("func {{}} {signature}"));
        let args = args.iter().map(constant).collect::<Result<String>>()?;
        self.compare(&format!("{args} (call {id})"), results, expected).map(Some)
    }

    /// The same for a global's value.
    pub(crate) fn global(
        &mut self,
        exports: &Exports,
        name: &str,
        expected: &[WastRetCore<'_>],
    ) -> Result<Option<String>> {
        let Some(&(ty, mutable)) = exports.globals.get(name) else { return Ok(None) };
        if !is_foreign(ty) && !expected.iter().any(is_foreign_result) {
            return Ok(None);
        }
        let text = type_text(ty)?;
        let text = if mutable { format!("(mut {text})") } else { text };
        let id = self.import(name, &format!("global {{}} {text}"));
        self.compare(&format!("(global.get {id})"), &[ty], Some(expected)).map(Some)
    }

    /// The identifier of an import, which is added if it does not exist yet. `{}` in `what` stands for the identifier.
    fn import(&mut self, name: &str, what: &str) -> String {
        if let Some(id) = self.imported.get(name) {
            return id.clone();
        }
        let id = format!("$i{}", self.imported.len());
        let escaped: String = name.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        writeln!(self.imports, "(import \"\" \"{escaped}\" ({}))", what.replace("{}", &id)).expect("a string");
        self.imported.insert(name.to_string(), id.clone());
        id
    }

    /// A function that compares what `action` leaves on the stack.
    fn compare(&mut self, action: &str, results: &[ValType], expected: Option<&[WastRetCore<'_>]>) -> Result<String> {
        let name = self.count.to_string();
        self.count += 1;
        let text = &mut self.functions;
        write!(text, "(func (export \"{name}\") (result i32)")?;
        for (at, ty) in results.iter().enumerate() {
            write!(text, " (local $r{at} {})", type_text(*ty)?)?;
        }
        write!(text, "\n  {action}")?;
        for at in (0..results.len()).rev() {
            write!(text, " (local.set $r{at})")?;
        }
        if let Some(expected) = expected {
            if expected.len() != results.len() {
                bail!("{} results are expected of a function with {}", expected.len(), results.len());
            }
            for (at, pattern) in expected.iter().enumerate() {
                let test = test(pattern, &format!("(local.get $r{at})"))?;
                write!(text, "\n  (if (i32.eqz {test}) (then (return (i32.const {}))))", at + 1)?;
            }
        }
        writeln!(text, "\n  (i32.const 0))")?;
        Ok(name)
    }

    /// The module.
    ///
    /// # Errors
    /// When the text is wrong, which is a mistake of ours.
    pub(crate) fn finish(self) -> Result<Vec<u8>> {
        let text = format!("(module\n{}{})", self.imports, self.functions);
        assemble(&text)
    }
}

/// A module from its text.
pub(crate) fn assemble(text: &str) -> Result<Vec<u8>> {
    let buffer = wast::parser::ParseBuffer::new(text)?;
    Ok(wast::parser::parse::<wast::Wat>(&buffer)?.encode()?)
}

/// Whether JavaScript can have no value of the type.
fn is_foreign(ty: ValType) -> bool {
    match ty {
        ValType::V128 => true,
        ValType::Ref(ty) => {
            use AbstractHeapType::{Exn, NoExn};
            matches!(ty.heap_type(), HeapType::Abstract { ty: Exn | NoExn, .. })
        }
        _ => false,
    }
}

fn is_foreign_argument(argument: &WastArgCore<'_>) -> bool {
    match argument {
        WastArgCore::V128(_) => true,
        WastArgCore::F32(value) => f32::from_bits(value.bits).is_nan(),
        WastArgCore::F64(value) => f64::from_bits(value.bits).is_nan(),
        _ => false,
    }
}

fn is_foreign_result(pattern: &WastRetCore<'_>) -> bool {
    match pattern {
        WastRetCore::V128(_) => true,
        WastRetCore::F32(NanPattern::Value(value)) => f32::from_bits(value.bits).is_nan(),
        WastRetCore::F64(NanPattern::Value(value)) => f64::from_bits(value.bits).is_nan(),
        WastRetCore::F32(_) | WastRetCore::F64(_) => true,
        WastRetCore::Either(cases) => cases.iter().any(is_foreign_result),
        _ => false,
    }
}

/// A type's name, if it has one outside of a module.
pub(crate) fn type_text(ty: ValType) -> Result<String> {
    Ok(match ty {
        ValType::Ref(ty) => return reference_text(ty),
        number => number.to_string(),
    })
}

fn reference_text(ty: RefType) -> Result<String> {
    let HeapType::Abstract { shared: false, ty: heap } = ty.heap_type() else {
        bail!("a wrapper cannot name the type {ty}");
    };
    let heap = match heap {
        AbstractHeapType::Func => "func",
        AbstractHeapType::Extern => "extern",
        AbstractHeapType::Any => "any",
        AbstractHeapType::None => "none",
        AbstractHeapType::NoExtern => "noextern",
        AbstractHeapType::NoFunc => "nofunc",
        AbstractHeapType::Eq => "eq",
        AbstractHeapType::Struct => "struct",
        AbstractHeapType::Array => "array",
        AbstractHeapType::I31 => "i31",
        AbstractHeapType::Exn => "exn",
        AbstractHeapType::NoExn => "noexn",
        AbstractHeapType::Cont | AbstractHeapType::NoCont => bail!("a wrapper cannot name the type {ty}"),
    };
    Ok(format!("(ref {}{heap})", if ty.is_nullable() { "null " } else { "" }))
}

/// An argument as an instruction.
fn constant(argument: &WastArgCore<'_>) -> Result<String> {
    Ok(match argument {
        WastArgCore::I32(value) => format!("(i32.const {value})"),
        WastArgCore::I64(value) => format!("(i64.const {value})"),
        WastArgCore::F32(value) => format!("(f32.reinterpret_i32 (i32.const {:#x}))", value.bits),
        WastArgCore::F64(value) => format!("(f64.reinterpret_i64 (i64.const {:#x}))", value.bits),
        WastArgCore::V128(value) => vector_constant(value),
        WastArgCore::RefNull(wast::core::HeapType::Abstract { shared: false, ty }) => {
            format!("(ref.null {})", format!("{ty:?}").to_lowercase())
        }
        other => bail!("a wrapper cannot make the argument {other:?}"),
    })
}

fn vector_constant(value: &V128Const) -> String {
    let bytes: Vec<_> = value.to_le_bytes().iter().map(u8::to_string).collect();
    format!("(v128.const i8x16 {})", bytes.join(" "))
}

/// An expression that is 1 if `value` is as expected, else 0.
fn test(pattern: &WastRetCore<'_>, value: &str) -> Result<String> {
    Ok(match pattern {
        WastRetCore::I32(expected) => format!("(i32.eq {value} (i32.const {expected}))"),
        WastRetCore::I64(expected) => format!("(i64.eq {value} (i64.const {expected}))"),
        WastRetCore::F32(expected) => test_f32(*expected, value),
        WastRetCore::F64(expected) => test_f64(*expected, value),
        WastRetCore::V128(expected) => test_vector(expected, value),
        WastRetCore::RefNull(_) => format!("(ref.is_null {value})"),
        WastRetCore::Either(cases) => {
            let tests = cases.iter().map(|case| test(case, value)).collect::<Result<Vec<_>>>()?.into_iter();
            tests.reduce(|left, right| format!("(i32.or {left} {right})")).unwrap_or_else(|| "(i32.const 0)".into())
        }
        other => bail!("a wrapper cannot test for the result {other:?}"),
    })
}

/// A canonical NaN has only the highest bit of the fraction; an arithmetic one has at least that bit.
fn test_f32(pattern: NanPattern<wast::token::F32>, value: &str) -> String {
    let (mask, bits) = match pattern {
        NanPattern::CanonicalNan => (0x7fff_ffff, 0x7fc0_0000),
        NanPattern::ArithmeticNan => (0x7fc0_0000, 0x7fc0_0000),
        NanPattern::Value(value) => (u32::MAX, value.bits),
    };
    format!("(i32.eq (i32.and (i32.reinterpret_f32 {value}) (i32.const {mask:#x})) (i32.const {bits:#x}))")
}

fn test_f64(pattern: NanPattern<wast::token::F64>, value: &str) -> String {
    let (mask, bits) = match pattern {
        NanPattern::CanonicalNan => (u64::MAX >> 1, 0x7ff8_0000_0000_0000),
        NanPattern::ArithmeticNan => (0x7ff8_0000_0000_0000, 0x7ff8_0000_0000_0000),
        NanPattern::Value(value) => (u64::MAX, value.bits),
    };
    format!("(i64.eq (i64.and (i64.reinterpret_f64 {value}) (i64.const {mask:#x})) (i64.const {bits:#x}))")
}

fn test_vector(pattern: &V128Pattern, value: &str) -> String {
    fn lanes<T: Copy>(patterns: &[T], test: impl Fn(T, usize) -> String) -> String {
        let tests = patterns.iter().enumerate().map(|(at, pattern)| test(*pattern, at));
        tests.reduce(|left, right| format!("(i32.and {left} {right})")).expect("a vector has lanes")
    }
    let equal = |value: &str, shape: &str, lanes: Vec<String>| {
        format!("(i8x16.all_true (i8x16.eq {value} (v128.const {shape} {})))", lanes.join(" "))
    };
    fn texts<T: ToString>(lanes: &[T]) -> Vec<String> {
        lanes.iter().map(T::to_string).collect()
    }
    match pattern {
        V128Pattern::I8x16(expected) => equal(value, "i8x16", texts(expected)),
        V128Pattern::I16x8(expected) => equal(value, "i16x8", texts(expected)),
        V128Pattern::I32x4(expected) => equal(value, "i32x4", texts(expected)),
        V128Pattern::I64x2(expected) => equal(value, "i64x2", texts(expected)),
        V128Pattern::F32x4(expected) => {
            lanes(expected, |lane, at| test_f32(lane, &format!("(f32x4.extract_lane {at} {value})")))
        }
        V128Pattern::F64x2(expected) => {
            lanes(expected, |lane, at| test_f64(lane, &format!("(f64x2.extract_lane {at} {value})")))
        }
    }
}
