//! What is translated to what, and that nothing else changes.

use wasmparser::{Parser, Payload};

use super::*;
use crate::engine::FEATURES;
use crate::engine::instrument::{before, tests::is_valid};

/// The instructions of each function, with where they start and end.
fn functions(bytes: &[u8]) -> Vec<Vec<Instruction<'_>>> {
    let mut functions = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        if let Payload::CodeSectionEntry(body) = payload.unwrap() {
            let entry = body.get_binary_reader_for_operators().unwrap().original_position();
            functions.push(instructions(bytes, entry..body.range().end).map(Option::unwrap).collect());
        }
    }
    functions
}

fn is_control(operator: &Operator<'_>) -> bool {
    use Operator::*;
    matches!(
        operator,
        Try { .. }
            | Catch { .. }
            | CatchAll
            | Delegate { .. }
            | Rethrow { .. }
            | TryTable { .. }
            | ThrowRef
            | End
            | Block { .. }
            | Br { .. }
            | BrIf { .. }
            | BrTable { .. }
            | Return
            | LocalSet { .. }
            | LocalGet { .. }
            | BrOnNull { .. }
            | BrOnNonNull { .. }
            | BrOnCast { .. }
            | BrOnCastFail { .. }
    )
}

/// Translates a module, and checks what must be true of the translation of any.
fn translated(text: &str) -> Vec<u8> {
    let bytes = wat::parse_str(text).unwrap();
    validate(&bytes, FEATURES, CompileError { message: "it is not legacy".into() }).unwrap();
    let (translated, ends) = translate(&bytes).unwrap();
    Validator::new_with_features(FEATURES).validate_all(&translated).unwrap_or_else(|error| {
        panic!(
            "{error}\n{text}\n{:#?}",
            functions(&translated).iter().flatten().map(|i| &i.operator).collect::<Vec<_>>()
        )
    });
    // Whatever is not about control comes from where it was, in the same order.
    let (old, new) = (functions(&bytes), functions(&translated));
    assert_eq!(old.len(), new.len());
    for (old, new) in old.iter().zip(&new) {
        let others = |function: &[Instruction<'_>]| -> Vec<Range<usize>> {
            function.iter().filter(|each| !is_control(&each.operator)).map(|each| each.range.clone()).collect()
        };
        let (old, new) = (others(old), others(new));
        assert_eq!(old.len(), new.len(), "{text}");
        for (old, new) in old.into_iter().zip(new) {
            assert_eq!(bytes[old.clone()], translated[new.clone()]);
            assert!(old.eq(new.map(|at| before(&ends, at))));
        }
    }
    assert_eq!(before(&ends, translated.len()), bytes.len());
    let instrumented = super::super::instrument(&bytes, true, true);
    assert!(matches!(instrumented, super::super::Instrumentation::Made(made) if is_valid(&made.bytes).is_ok()));
    translated
}

const TAGS: &str = "(tag $none) (tag $one (param i32)) (tag $two (param i32 i64))
    (import \"m\" \"f\" (func $f)) (import \"m\" \"t\" (tag $t (param f32)))";

/// A module with a function of this type and body. Imports come first.
fn with(function: &str) -> String {
    let (tags, imports) = TAGS.split_once("(import").unwrap();
    format!("(module (import{imports} {tags} {function})")
}

#[test]
fn every_form_is_translated() {
    for function in [
        "(func try end)",
        "(func (result i32) try (result i32) i32.const 1 end)",
        "(func try call $f catch_all end)",
        "(func try call $f catch $none end)",
        "(func (result i32) try (result i32) call $f i32.const 1 catch $one catch_all i32.const 2 end)",
        "(func (result i32 i64) try (result i32 i64) call $f i32.const 1 i64.const 1 catch $two end)",
        "(func try call $f catch $one drop catch $one drop catch $two drop drop catch $t drop end)",
        "(func try call $f catch_all rethrow 0 end)",
        "(func (result i32) try (result i32) call $f i32.const 1 catch $one rethrow 0 end)",
        // From clauses in clauses, in blocks.
        "(func try call $f catch_all try call $f catch $one block rethrow 1 end drop catch_all loop rethrow 2 end end end)",
        "(func try call $f catch_all try call $f catch_all rethrow 0 end try call $f catch $none rethrow 1 end end)",
        // Parameters pass through.
        "(func (param i32) (result i32) local.get 0 try (param i32) (result i32) call $f
            catch $one i32.const 1 i32.add catch $two drop catch_all rethrow 0 end)",
        "(func (result i64) i32.const 1 i64.const 2 try (param i32 i64) (result i64) call $f drop drop i64.const 1
            try (param i64) (result i64) call $f delegate 0 catch_all i64.const 3 end)",
        // Values stay on the stack across it.
        "(func (result i32) i32.const 1 i32.const 2 try (result i32) call $f i32.const 3 catch_all i32.const 4 end
            i32.add i32.add)",
        // Branches out of bodies and clauses, and to themselves.
        "(func (result i32) block (result i32) try (result i32) i32.const 1 i32.const 0 br_if 0 br 1
            catch $one br 0 catch_all i32.const 3 br 1 end end)",
        "(func block loop try br 0 catch $none br 1 catch_all br 2 end end end)",
        "(func (param i32) block try block try local.get 0 br_table 0 1 2 3 4 catch_all local.get 0 br_table 4 3 2 1 0
            end end catch $none local.get 0 br_table 0 1 2 end end)",
        "(func (param funcref) block block (result funcref) try local.get 0 br_on_null 2 br_on_non_null 1
            catch $none local.get 0 br_on_null 2 br_on_non_null 1 end ref.null func end drop end)",
        "(func (param anyref) (result anyref) block (result anyref) try
            local.get 0 br_on_cast 1 anyref i31ref br_on_cast_fail 1 anyref i31ref drop
            catch $none catch_all local.get 0 br_on_cast 1 anyref i31ref drop end local.get 0 end)",
        // Delegates: to a body, through a block, past a clause, through a `try` without clauses, on and on, out.
        "(func try try call $f delegate 0 catch_all end)",
        "(func try block try call $f delegate 0 end catch_all end)",
        "(func try try try call $f delegate 1 catch $none end catch_all end)",
        "(func try call $f catch_all try call $f delegate 0 end)",
        "(func try try try call $f delegate 0 end catch_all end)",
        "(func try try try call $f delegate 0 delegate 0 catch_all end)",
        "(func (result i32) try (result i32) try (result i32) call $f i32.const 1 delegate 1 catch_all i32.const 2 end)",
        "(func try call $f delegate 0)",
        "(func (result i32 i64) try (result i32 i64) call $f i32.const 1 i64.const 2 br 1 delegate 0)",
        "(func (param i32) local.get 0 if try call $f delegate 0 else try call $f delegate 1 end)",
        // Unreachable code.
        "(func unreachable try catch_all rethrow 0 end)",
        "(func (result i32) try (result i32) unreachable try (result i32) unreachable delegate 0 br 0 catch $one br 0 end)",
        "(func (result i32) i32.const 1 br 0 try (result i32) unreachable catch_all unreachable end)",
        // Locals, of which there are some or none, and that are not null.
        "(func (param f64) (local i32 i64 i64) try call $f catch_all rethrow 0 end)",
        "(func (local $r (ref func)) (local.set $r (ref.func $f)) try (local.set $r (ref.func $f)) call $f
            catch_all (drop (local.get $r)) rethrow 0 end (drop (local.get $r))) (elem declare func $f)",
        // Tail calls, and throws.
        "(func try return_call $f catch_all end)",
        "(func try i32.const 1 throw $one catch $one throw $one end)",
    ] {
        translated(&with(function));
    }
}

#[test]
fn types_are_added_once() {
    let count = |bytes: &[u8]| {
        let mut sections = Parser::new(0).parse_all(bytes).filter_map(|payload| match payload.unwrap() {
            Payload::TypeSection(types) => Some(types.count()),
            _ => None,
        });
        sections.next().unwrap()
    };
    let body = "try call $f catch $one rethrow 0 catch $two rethrow 0 catch_all rethrow 0 end";
    let plain = count(&translated(&with("(func try call $f catch_all rethrow 0 end)")));
    // What `$one` carries with a reference, and what `$two` does; one value alone needs no type.
    assert_eq!(count(&translated(&with(&format!("(func {body} {body}) (func {body})")))), plain + 2);
}

#[test]
fn the_size_is_linear() {
    let nested = |depth: usize| {
        let (open, close) = ("try ".repeat(depth), "catch $none br 0 catch_all rethrow 0 end ".repeat(depth));
        translated(&with(&format!("(func {open} call $f {close})"))).len()
    };
    let delegated = |depth: usize| {
        let (open, close) = ("try ".repeat(depth), "delegate 0 ".repeat(depth));
        translated(&with(&format!("(func try {open} call $f {close} catch_all end)"))).len()
    };
    for size in [&nested as &dyn Fn(usize) -> usize, &delegated] {
        assert!(size(4000) < size(2000) * 9 / 4 && size(2000) < 100_000, "{} {}", size(4000), size(2000));
    }
}

#[test]
fn both_kinds_together_are_refused() {
    let refused = |text: &str| {
        let otherwise = CompileError { message: "otherwise".into() };
        validate(&wat::parse_str(text).unwrap(), FEATURES, otherwise).unwrap_err().message
    };
    let mixed = "(func try end) (func block (result exnref) try_table (catch_all_ref 0) end return end throw_ref)";
    assert!(refused(&with(mixed)).contains("mix"));
    assert!(refused(&with("(func try end) (func (param exnref) local.get 0 throw_ref)")).contains("mix"));
    assert_eq!(refused("(module (func try_table end))"), "otherwise");
    // What is wrong beside.
    assert!(refused(&with("(func try end) (func i32.const 1)")).contains("type mismatch"));
    assert!(refused(&with("(func try catch 9 end)")).contains("unknown tag"));
    assert!(refused(&with("(func try rethrow 0 end)")).contains("rethrow"));
    assert!(refused(&with("(func try catch_all delegate 0)")).contains("delegate"));
}

#[test]
fn damaged_bytes() {
    let text = with("(func (param i32) (result i32) (local i64) local.get 0 try (param i32) (result i32) try call $f
        delegate 0 try block try call $f delegate 1 end catch $two rethrow 0 end catch $one br 0 catch_all rethrow 0 end)");
    let bytes = wat::parse_str(text).unwrap();
    assert!(translate(&bytes).is_some());
    for at in 0..bytes.len() {
        _ = translate(&bytes[..at]);
        for value in 0..=255 {
            let mut bytes = bytes.clone();
            bytes[at] = value;
            // If it is still valid, so is the translation.
            let otherwise = CompileError { message: String::new() };
            if validate(&bytes, FEATURES, otherwise).is_ok() {
                let (translated, _) = translate(&bytes).unwrap();
                Validator::new_with_features(FEATURES).validate_all(&translated).unwrap();
            } else {
                _ = translate(&bytes);
            }
        }
    }
}
