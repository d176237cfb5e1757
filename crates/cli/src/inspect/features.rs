//! Which proposals a module uses, beyond the first version of WebAssembly.

use wasmparser::{Operator, Parser, Payload, Validator, WasmFeatures};

/// What a module may need, by the name that compilers give it, and what the validator calls it.
const FEATURES: [(&str, WasmFeatures); 23] = [
    ("mutable-globals", WasmFeatures::MUTABLE_GLOBAL),
    ("nontrapping-fptoint", WasmFeatures::SATURATING_FLOAT_TO_INT),
    ("sign-ext", WasmFeatures::SIGN_EXTENSION),
    ("multivalue", WasmFeatures::MULTI_VALUE),
    // (The validator takes the other to be part of it.)
    ("reference-types", WasmFeatures::REFERENCE_TYPES.difference(WasmFeatures::CALL_INDIRECT_OVERLONG)),
    ("bulk-memory", WasmFeatures::BULK_MEMORY),
    ("simd128", WasmFeatures::SIMD),
    ("relaxed-simd", WasmFeatures::RELAXED_SIMD),
    ("atomics", WasmFeatures::THREADS),
    ("tail-call", WasmFeatures::TAIL_CALL),
    ("multimemory", WasmFeatures::MULTI_MEMORY),
    ("memory64", WasmFeatures::MEMORY64),
    ("exception-handling", WasmFeatures::EXCEPTIONS),
    ("legacy-exception-handling", WasmFeatures::LEGACY_EXCEPTIONS),
    ("extended-const", WasmFeatures::EXTENDED_CONST),
    ("function-references", WasmFeatures::FUNCTION_REFERENCES),
    ("gc", WasmFeatures::GC),
    ("custom-page-sizes", WasmFeatures::CUSTOM_PAGE_SIZES),
    ("stack-switching", WasmFeatures::STACK_SWITCHING),
    ("wide-arithmetic", WasmFeatures::WIDE_ARITHMETIC),
    ("shared-everything-threads", WasmFeatures::SHARED_EVERYTHING_THREADS),
    ("memory-control", WasmFeatures::MEMORY_CONTROL),
    ("call-indirect-overlong", WasmFeatures::CALL_INDIRECT_OVERLONG),
];

/// The names of the proposals that a module uses.
///
/// # Errors
/// Why the module is not valid, whatever is allowed.
pub(super) fn used(bytes: &[u8]) -> Result<Vec<&'static str>, String> {
    let valid_with = |features| Validator::new_with_features(features).validate_all(bytes).map(drop);
    let all = FEATURES.iter().fold(WasmFeatures::default(), |all, (_, feature)| all | *feature);
    valid_with(all).map_err(|error| error.to_string())?;
    let by_operators = proposals(bytes);
    let uses =
        |feature: &WasmFeatures| by_operators.contains(*feature) || valid_with(all.difference(*feature)).is_err();
    Ok(FEATURES.iter().filter(|(_, feature)| uses(feature)).map(|(name, _)| *name).collect())
}

/// The proposals that the instructions in functions come from.
fn proposals(bytes: &[u8]) -> WasmFeatures {
    let mut found = WasmFeatures::empty();
    for payload in Parser::new(0).parse_all(bytes) {
        let Ok(Payload::CodeSectionEntry(body)) = payload else { continue };
        let Ok(operators) = body.get_operators_reader() else { continue };
        for operator in operators {
            let Ok(operator) = operator else { break };
            found |= proposal(&operator);
        }
    }
    found
}

macro_rules! define_proposal {
    ($( @$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        /// The proposal that an instruction comes from.
        fn proposal(operator: &Operator<'_>) -> WasmFeatures {
            match operator {
                $(Operator::$op { .. } => define_proposal!(feature $proposal),)*
                _ => WasmFeatures::empty(),
            }
        }
    };
    (feature sign_extension) => { WasmFeatures::SIGN_EXTENSION };
    (feature saturating_float_to_int) => { WasmFeatures::SATURATING_FLOAT_TO_INT };
    (feature simd) => { WasmFeatures::SIMD };
    (feature relaxed_simd) => { WasmFeatures::RELAXED_SIMD };
    (feature threads) => { WasmFeatures::THREADS };
    (feature tail_call) => { WasmFeatures::TAIL_CALL };
    (feature gc) => { WasmFeatures::GC };
    (feature $other:ident) => { WasmFeatures::empty() };
}
wasmparser::for_each_operator!(define_proposal);

#[cfg(test)]
mod tests {
    use super::used;

    fn of(text: &str) -> Vec<&'static str> {
        used(&wat::parse_str(text).expect("it is a module")).expect("it is valid")
    }

    #[test]
    fn proposals_that_modules_use() {
        assert_eq!(of("(module (func (param i32) (result i32) local.get 0))"), Vec::<&str>::new());
        assert_eq!(of("(module (func (param i32) (result i32) (i32.extend8_s (local.get 0))))"), ["sign-ext"]);
        assert_eq!(of("(module (func (result i32 i32) i32.const 1 i32.const 2))"), ["multivalue"]);
        assert_eq!(of("(module (global (export \"g\") (mut i32) (i32.const 1)))"), ["mutable-globals"]);
        assert_eq!(of("(module (memory 1) (memory 1))"), ["multimemory"]);
        assert_eq!(of("(module (memory i64 1))"), ["memory64"]);
        assert_eq!(of("(module (func (result v128) (i32x4.splat (i32.const 1))))"), ["simd128"]);
        assert_eq!(of("(module (func $f (return_call $f)))"), ["tail-call"]);
        assert_eq!(of("(module (tag))"), ["exception-handling"]);
        assert_eq!(of("(module (memory 1 1 shared))"), ["atomics"]);
    }
}
