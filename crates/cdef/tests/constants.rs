//! `#define`s and constant expressions.

use crate::common::{constant, read, refuse};
use cdef::Value;

#[track_caller]
fn value(expression: &str) -> Value {
    constant(&format!("#define X {expression}"))
}

#[track_caller]
fn integer(expression: &str) -> i128 {
    match value(expression) {
        Value::Integer(value) => value,
        other => panic!("{expression} is {other:?}"),
    }
}

#[test]
fn integers() {
    for (literal, expected) in [
        ("9", 9),
        ("0", 0),
        ("0x1F", 31),
        ("0XffFFffFF", 0xffff_ffff),
        ("017", 15),
        ("0u", 0),
        ("0b101", 5),
        ("1U", 1),
        ("1l", 1),
        ("1uLL", 1),
        ("2LLu", 2),
        ("9223372036854775807", i128::from(i64::MAX)),
        ("18446744073709551615u", i128::from(u64::MAX)),
        ("0xFFFFFFFFFFFFFFFF", i128::from(u64::MAX)),
    ] {
        assert_eq!(integer(literal), expected, "{literal}");
    }
}

#[test]
fn characters() {
    for (literal, expected) in [
        ("'A'", 65),
        (r"'\n'", 10),
        (r"'\''", 39),
        (r"'\0'", 0),
        (r"'\101'", 65),
        (r"'\x41'", 65),
        (r"'\xff'", -1),
        (r"u8'\xff'", 255),
        ("L'é'", 233),
        (r"U'\U0001F600'", 0x1f600),
        (r"u'\u00e9'", 233),
    ] {
        assert_eq!(integer(literal), expected, "{literal}");
    }
    refuse("#define X @'ab'", "'ab' is not one character");
    refuse("#define X @''", "'' is not one character");
    refuse("#define X @'é'", "'é' is not one character");
    refuse(r"#define X @'\q'", r"`\q` is not an escape that C knows");
    refuse(r"#define X @'\x'", r"`\x` is not an escape that C knows");
    refuse(r"#define X @'\777'", r"`\7` is not an escape that C knows");
    refuse("#define X @'a\n'", "this character constant is never closed");
}

#[test]
fn floats() {
    for (literal, expected) in [
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("1.5e-3", 0.0015),
        ("1E+2L", 100.0),
        ("0.1f", f64::from(0.1f32)),
        ("0x1.8p3", 12.0),
        ("0x1p-1074", 5e-324),
        ("0x10P+1f", 32.0),
        ("-1.5 * 2", -3.0),
        ("1 / 4.0", 0.25),
        ("1.5 - 1 + 2", 2.5),
    ] {
        assert_eq!(value(literal), Value::Float(expected), "{literal}");
    }
    assert_eq!(integer("!0.0"), 1);
}

#[test]
fn strings() {
    assert_eq!(value(r#""1.2" ".3""#), Value::String("1.2.3".to_owned()));
    assert_eq!(value(r#""é\t\"\x41\u00e9" u8"\xc3\xa9""#), Value::String("é\t\"Aéé".to_owned()));
    assert_eq!(
        value(r#"u8"[[owned]] // no /* comment */""#),
        Value::String("[[owned]] // no /* comment */".to_owned())
    );
    assert_eq!(constant("#define A \"a\"\n#define B A"), Value::String("a".to_owned()));
    refuse("#define X @L\"a\"", "wide strings are not supported");
    refuse(r#"#define X @"\xff""#, "this string is not UTF-8");
    refuse("#define X @\"a", "this string is never closed");
    refuse("#define X \"a\" @+ 1", "`+` cannot be applied to a string");
    refuse("#define X @-\"a\"", "`-` cannot be applied to this value");
}

#[test]
fn operators_and_their_strength() {
    for (expression, expected) in [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 4 - 3", 3),
        ("100 / 7 / 2", 7),
        ("-7 / 2", -3),
        ("-7 % 3", -1),
        ("1 << 2 + 1", 8),
        ("1 | 6 & 3 ^ 8", 11),
        ("8 | 1 ^ 3 & 2", 11),
        ("~0", -1),
        ("!5 + !0", 1),
        ("- - 5", 5),
        ("+5", 5),
        ("-(-5)", 5),
        ("256 >> 4", 16),
        ("-16 >> 2", -4),
    ] {
        assert_eq!(integer(expression), expected, "{expression}");
    }
}

#[test]
fn integers_have_types() {
    for (expression, expected) in [
        ("~0u", 0xffff_ffff),
        ("-1u", 0xffff_ffff),
        ("~0ull", i128::from(u64::MAX)),
        ("0xffffffff + 1", 0),
        ("4294967295 + 1", 4_294_967_296),
        ("1u - 2", 0xffff_ffff),
        ("-1 / 2u", 0x7fff_ffff),
        ("-1LL / 2u", 0),
        ("0xffffffffffffffff * 0xffffffffffffffff", 1),
        ("1 << 31", -0x8000_0000),
        ("1u << 31", 0x8000_0000),
        ("1ll << 63", i128::from(i64::MIN)),
        ("-2147483647 - 1", i128::from(i32::MIN)),
    ] {
        assert_eq!(integer(expression), expected, "{expression}");
    }
    refuse("#define X 2147483647 @+ 1", "the result does not fit 32 bits");
    refuse("#define X 65536 @* 65536", "the result does not fit 32 bits");
    refuse("#define X @-(-2147483647 - 1)", "the result does not fit 32 bits");
    refuse("#define X 9223372036854775807 @+ 1", "the result does not fit 64 bits");
}

#[test]
fn expressions_that_cannot_be() {
    refuse("#define X 1 @/ 0", "division by zero");
    refuse("#define X 1 @% 0", "division by zero");
    refuse("#define X 1.0 @/ 0", "the result is not a finite number");
    refuse("#define X 1 @<< 32", "shifted by 32: the number has 32 bits");
    refuse("#define X 1 @>> -1", "shifted by -1: the number has 32 bits");
    refuse("#define X 1.0 @% 2", "`%` needs integers");
    refuse("#define X @~1.0", "`~` cannot be applied to this value");
    refuse("#define X (1 + 2@\nint f(void);", "expected `)`");
    refuse("#define X (1 @2)", "expected `)`, found `2`");
    refuse("#define X 1 +@\n", "expected a value");
    refuse("#define X 1 @)", "expected an operator, found `)`");
    refuse("#define X @*", "expected a value, found `*`");
    refuse("#define X @[[owned]]", "expected a value, found `[`");
    refuse("#define X @OTHER", "`OTHER` is not a constant");
    refuse("#define X @18446744073709551616", "`18446744073709551616` is not an integer that 64 bits hold");
    refuse("#define X @9223372036854775808", "`9223372036854775808` is not an integer that 64 bits hold");
    refuse("#define X @089", "`089` is not an integer that 64 bits hold");
    refuse("#define X @1x", "`1x` is not an integer that 64 bits hold");
    refuse("#define X @0x", "`0x` is not an integer that 64 bits hold");
    refuse("#define X @1e", "`1e` is not a number that a `double` holds");
    refuse("#define X @1.5.2", "`1.5.2` is not a number that a `double` holds");
    refuse("#define X @1e999", "`1e999` is not a number that a `double` holds");
}

#[test]
fn operators_of_c() {
    for (expression, expected) in [
        ("1 == 2", 0),
        ("1.5 < 2", 1),
        ("1 && 2", 1),
        ("0 && 1 / 0", 0),
        ("1 || 1 / 0", 1),
        ("1 ? 2 : 3 / 0", 2),
        ("0 ? 1 / 0 : 0 ? 4 : 5", 5),
        ("-1 < 0u", 0),
        ("sizeof(int)", 4),
        ("sizeof(char *) + sizeof(long long)", 12),
        ("sizeof(\"abc\")", 4),
        ("(unsigned char)-1", 255),
        ("(unsigned)-1", 0xffff_ffff),
        ("(short)0x18000", -0x8000),
        ("(int)3.9", 3),
        ("((size_t)-1)", 0xffff_ffff),
        ("(void *)-1", -1),
        ("(_Bool)5", 1),
        ("_Alignof(double)", 8),
    ] {
        assert_eq!(integer(expression), expected, "{expression}");
    }
    assert_eq!(constant("#define X (double)1 / 2"), Value::Float(0.5));
}

#[test]
fn names_that_come_later() {
    let declarations = read(
        "#define B (A + 1)\n#define A 1\nenum { C = B };\n#define D (C * sizeof(struct s))\nstruct s { int x[3]; };",
    );
    let value = |name: &str| {
        declarations.constants.iter().find(|constant| constant.name == name).map(|constant| constant.value.clone())
    };
    assert_eq!(
        (value("B"), value("C"), value("D")),
        (Some(Value::Integer(2)), Some(Value::Integer(2)), Some(Value::Integer(24)))
    );
}

#[test]
fn directives() {
    refuse("#define @1 2", "expected a name after `#define`");
    refuse("#define @\"a\" 2", "expected a name after `#define`");
    refuse("@#define F(x) 1".replacen("@#define F", "#define @F", 1).as_str(), "it takes arguments");
    refuse("#@include <no/such.h>", "cannot find the header `no/such.h`");
    refuse("#@frobnicate", "`#frobnicate` is no directive that is known");
    refuse("#@error do not", "the header says `#error do not`");
    read("#define NAME\n#\n#pragma once\n#ifdef X\n#endif\nint f(void);");
}

#[test]
fn defines_over_lines() {
    assert_eq!(
        constant("  # define /* a */ X /* b\n c */ (1 + \\\n 2 \\\r\n + 3) // d \\\n + 4\r\nint f(void);"),
        Value::Integer(6)
    );
    let declarations = read("#define A 1\r\n#define B (A + 1)\n\n#define A 1 // again\n#define C \\\nB");
    let values: Vec<_> =
        declarations.constants.iter().map(|constant| (constant.name.as_str(), &constant.value)).collect();
    assert_eq!(values, [("B", &Value::Integer(2)), ("A", &Value::Integer(1)), ("C", &Value::Integer(2))]);
}
