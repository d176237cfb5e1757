//! What the tests share.
#![allow(dead_code, reason = "each test uses a part of it")]

use cdef::{Annotations, Declarations, Function, Param, Pointee, Position, Record, Type, Value, Width};

/// Reads declarations that are right.
#[track_caller]
pub(crate) fn read(source: &str) -> Declarations {
    match cdef::parse(source) {
        Ok(declarations) => declarations,
        Err(error) => panic!("{source:?} is refused: {error}"),
    }
}

/// Refuses `source` with this message; `@` marks the place, and is not part of the source.
#[track_caller]
pub(crate) fn refuse(source: &str, message: &str) {
    let before = source.split('@').next().unwrap();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
    let clean = source.replacen('@', "", 1);
    assert_ne!(clean, source, "no place is marked");
    let (found, position) = match cdef::parse(&clean) {
        // A macro that is no constant is left out, and no mistake.
        Ok(declarations) => match declarations.skipped.first() {
            Some(skipped) => (skipped.reason.trim_start_matches("it is not a constant: ").to_owned(), skipped.position),
            None => panic!("{clean:?} is accepted: {declarations:#?}"),
        },
        Err(error) => (error.message().to_owned(), error.position()),
    };
    assert_eq!((found.as_str(), position), (message, Position { file: 0, line, column }), "for {clean:?}");
}

/// Reads a header as libraries ship them.
#[track_caller]
pub(crate) fn header(source: &str) -> Declarations {
    cdef::read(source, &cdef::Options::default()).unwrap_or_else(|error| panic!("{source:?} is refused: {error}"))
}

/// The names of the functions.
pub(crate) fn names(declarations: &Declarations) -> Vec<&str> {
    declarations.functions.iter().map(|function| function.name.as_str()).collect()
}

/// The first function of `source`.
#[track_caller]
pub(crate) fn function(source: &str) -> Function {
    read(source).functions.into_iter().next().expect("a function")
}

/// The parameters of the first function of `source`.
#[track_caller]
pub(crate) fn params(source: &str) -> Vec<Param> {
    function(source).signature.params
}

/// The parameter's type of `void f(…);` after `before`.
#[track_caller]
pub(crate) fn param(before: &str, declaration: &str) -> Param {
    let mut params = params(&format!("{before} void f({declaration});"));
    assert_eq!(params.len(), 1);
    params.remove(0)
}

/// The first record.
#[track_caller]
pub(crate) fn record(source: &str) -> Record {
    read(source).records.into_iter().next().expect("a record")
}

/// The value of the last constant.
#[track_caller]
pub(crate) fn constant(source: &str) -> Value {
    read(source).constants.pop().expect("a constant").value
}

/// An integer type.
pub(crate) fn int(width: Width, signed: bool) -> Type {
    Type::Int { width, signed }
}

/// C's `int`.
pub(crate) const INT: Type = Type::Int { width: Width::W32, signed: true };

/// A pointer to what is not `const`.
pub(crate) fn pointer(ty: Type) -> Type {
    pointee(ty, false)
}

/// A pointer to what is `const`.
pub(crate) fn const_pointer(ty: Type) -> Type {
    pointee(ty, true)
}

fn pointee(ty: Type, is_const: bool) -> Type {
    Type::Pointer(Box::new(Pointee { ty, is_const, annotations: Annotations::default() }))
}
