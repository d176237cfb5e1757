//! Mistakes, what is not supported, and how errors look.

use crate::common::{read, refuse};

#[test]
fn how_an_error_looks() {
    let source = "int a(void);\n\nint broken(int a int b);\nint c(void);";
    let shown = "C declarations, line 3, column 18: expected `,` or `)`, found `int`\n  int broken(int a int b);\n                   ^";
    assert_eq!(cdef::parse(source).unwrap_err().to_string(), shown);
}

#[test]
fn marks_stand_right() {
    let last_lines = |source: &str| {
        let shown = cdef::parse(source).unwrap_err().to_string();
        shown.split_once('\n').unwrap().1.to_owned()
    };
    assert_eq!(last_lines("\tint\tf(foo);\r\nint g(void);\r\n"), "  \tint\tf(foo);\n  \t   \t  ^");
    assert_eq!(last_lines("int f(/* é日 */ foo);"), "  int f(/* é日 */ foo);\n                 ^");
    assert_eq!(last_lines("int f(void)"), "  int f(void)\n             ^");
    assert_eq!(last_lines("int f(\u{7}foo);"), "  int f( foo);\n        ^");
    let long = format!("/* {} */ int f(foo); /* {} */", "x".repeat(500), "y".repeat(500));
    let expected = format!("  {} */ int f(foo); /* {}\n  {}^", "x".repeat(40), "y".repeat(41), " ".repeat(50));
    assert_eq!(last_lines(&long), expected);
}

#[test]
fn errors_of_the_user() {
    let declarations = read("int f(void);\nint g(int n,\n  char *s [[length(m)]]);");
    let at = declarations.functions[1].signature.params[1].annotations.length.clone().unwrap().position;
    let error = declarations.error(at, "there is no parameter `m`");
    assert_eq!(error.message(), "there is no parameter `m`");
    assert_eq!(error.position(), at);
    let shown =
        "C declarations, line 3, column 13: there is no parameter `m`\n    char *s [[length(m)]]);\n              ^";
    assert_eq!(error.to_string(), shown);
}

#[test]
fn positions_are_exact() {
    refuse("\tint f(\t@foo a);", "unknown type name `foo`");
    refuse("/* é日本 */ int f(@foo a);", "unknown type name `foo`");
    refuse("int a(void);\r\n\r\nint f(@foo a);\r\n", "unknown type name `foo`");
    refuse("#define A \"日本\"\nchar *g(void) [[owned]]; /* [[owned]] */ int f(@foo a);", "unknown type name `foo`");
    refuse("\u{feff}int f(@foo a);", "unknown type name `foo`");
    refuse("int f(int a[[length(3)]], @foo b);", "unknown type name `foo`");
    refuse("extern \"C\" { __extension__ int f(const @foo *b) __attribute__((pure)); }", "unknown type name `foo`");
    refuse("struct s { int a[2 + 3]; @foo b; };", "unknown type name `foo`");
    refuse("typedef int t; t f(t a, t b[ 1 ], @foo b);", "unknown type name `foo`");
}

#[test]
fn unknown_types() {
    refuse("@foo bar(int);", "unknown type name `foo`");
    refuse("@foo *bar(int);", "unknown type name `foo`");
    refuse("const @foo *bar(int);", "unknown type name `foo`");
    refuse("@API int bar(int);", "unknown type name `API`");
    refuse("int bar(@foo);", "unknown type name `foo`");
    refuse("int bar(int a, @foo);", "unknown type name `foo`");
    refuse("int bar(int (foo)(int), int (*)(int, @baz), int);", "unknown type name `baz`");
    refuse("int bar(@foo, int a);", "unknown type name `foo`");
    refuse("int bar(int (*)(@foo *x));", "unknown type name `foo`");
    refuse("typedef @foo bar;", "unknown type name `foo`");
    refuse("struct s { int a; const @foo b; };", "unknown type name `foo`");
    refuse("struct point { int x; }; @point f(void);", "unknown type name `point`");
    refuse("@later f(void); typedef int later;", "unknown type name `later`");
    refuse("@DECLARE(x);", "expected a type before `DECLARE`");
    refuse("@f(void);", "expected a type before `f`");
}

#[test]
fn missing_ends() {
    let message = "expected `;` at the end of the declaration";
    refuse("int f(int a)@", message);
    refuse("int f(int a)@ // end\n", message);
    refuse("int f(int a)@\nint g(int b);", message);
    refuse("int f(int a)@ int g(int b);", message);
    refuse("struct s { int a; }@\nint g(int b);", message);
    refuse("typedef int t@\nint g(int b);", message);
    refuse("typedef int t[2]@\nstruct s *g(int b);", message);
    refuse("typedef int t; typedef struct { int a; } s@\nt g(int b);", message);
    refuse("struct s { int a\n @int b; };", "expected `,` or `;`, found `int`");
    refuse("struct s { int a @};", "expected `,` or `;`, found `}`");
}

#[test]
fn broken_syntax() {
    refuse("int f(int,@);", "expected a type, found `)`");
    refuse("int f(int a,@, int b);", "expected a type, found `,`");
    refuse("int f(int @if);", "expected a name, found `if`");
    refuse("@return f(int);", "expected a type, found `return`");
    refuse("@*f(int);", "expected a type, found `*`");
    refuse("int @5(int);", "expected `;` or a name, found `5`");
    refuse("int f(double @5);", "expected `,`, `)` or a name, found `5`");
    refuse(
        "int f(double @\"a long string that is much too long to be shown in full\");",
        "expected `,`, `)` or a name, found \"a long string that is much too long to …",
    );
    refuse("struct s @5;", "expected `;`, `{` or a name, found `5`");
    refuse("@int;", "this declares nothing");
    refuse("@typedef int;", "this declares nothing");
    refuse("int *@;", "expected a name, found `;`");
    refuse("unsigned foo @bar(int);", "expected `,` or `;`, found `bar`");
    refuse("int f(int a @= 3);", "expected `,` or `)`, found `=`");
    refuse("int f(void) @+ 3;", "expected `,` or `;`, found `+`");
}

#[test]
fn brackets() {
    refuse("int f(@;", "expected `)`, found `;`");
    refuse("int f(int a@}", "expected `)`, found `}`");
    refuse("int f@(int a", "this `(` is never closed");
    refuse("struct s @{ int a;", "this `{` is never closed");
    refuse("int f(int a)@);", "`)` closes nothing");
    refuse("int f(int a[3@);", "expected `]`, found `)`");
    refuse("@extern \"C\" { int f(void);", "this `extern \"C\" {` is never closed");
    refuse("int f(void); @}", "`}` closes nothing");
    refuse("int f(void) __attribute__@((pure;", "this `(` is never closed");
    refuse("int f(void) @__attribute__;", "expected `((` after `__attribute__`");
    refuse("int f(void) @__attribute__(pure);", "expected `((` after `__attribute__`");
    refuse("extern @\"Rust\" int f(void);", "expected `\"C\"` after `extern`, found \"Rust\"");
    refuse("union u { int a; }; int @{", "unexpected `{`");
}

#[test]
fn strange_characters() {
    refuse("int f(void); @$", "unexpected character `$`");
    refuse("int @é(void);", "unexpected character `é`");
    refuse("int f(void);@\u{0}", "unexpected character U+0000");
    refuse("int f(void);@\u{a0}", "unexpected character U+00A0");
    refuse("int f(void);@\\ x", "unexpected character `\\`");
    refuse("int f(void); @/* never", "this comment is never closed");
    refuse("int f(void) @\"a\n\";", "this string is never closed");
    refuse(&format!("int @{}(void);", "x".repeat(256)), "this name has more than 255 characters");
}

#[test]
fn what_is_not_supported() {
    refuse("int f(@a, b) int a, b;", "lists of parameters without types, in the style of K&R, are not supported");
    refuse("int f(@a, b);", "unknown type name `a`");
    refuse("double @_Complex f(void);", "complex numbers are not supported");
    refuse("@__int128 f(void);", "integers of more than 64 bits are not supported");
    refuse("@typeof(1) f(void);", "`typeof` is not supported");
    refuse("int (@^f)(int);", "expected a name, found `^`");
    refuse("typedef int v __attribute__((@vector_size(16)));", "the attribute `vector_size` is not supported");
}

#[test]
fn all_mistakes_are_told() {
    let error =
        cdef::parse("int a(foo x);\nint b(void);\nint c(bar y);\nstruct s { int x; } }\nint d(baz z);").unwrap_err();
    let all: Vec<&str> = std::iter::once(&error).chain(error.others()).map(cdef::Error::message).collect();
    assert!(all.contains(&"unknown type name `foo`") && all.contains(&"unknown type name `bar`"), "{all:?}");
    assert!(all.contains(&"unknown type name `baz`"), "{all:?}");
    assert!(error.to_string().matches('^').count() >= 3);
}

#[test]
fn nothing_at_all() {
    for source in ["", " \n\t", ";;", "// x", "/* x */", "\u{feff}", "extern \"C\" { }"] {
        let declarations = read(source);
        assert!(declarations.functions.is_empty() && declarations.typedefs.is_empty(), "{source:?}");
    }
}
