//! Headers as libraries ship them: macros, conditions, includes, and what is left out.

use cdef::{Included, Kind, Options, Type, Value};

use crate::common::{INT, header, names, read, refuse};

#[test]
fn macros_in_declarations() {
    let declarations = header(
        "#define ZEXTERN extern\n#define ZEXPORT\n#define OF(args) args\n#define PUBLIC(type) extern type\n\
         ZEXTERN int ZEXPORT inflate OF((int *strm, int flush));\nPUBLIC(const char *) version(void);\n\
         #define API extern\nAPI int (gettop) (int *L);\n\
         #define EXPORT(ordinal, type, name, args) API type (name) args\nEXPORT(1, unsigned, access_version, (void));\n\
         #define GLUE(a, b) a##_##b\n#define STRING(x) #x\n#define WIDE(x) STRING(x)\n\
         int GLUE(my, name)(int GLUE(a, 1));\n#define TEXT WIDE(GLUE(a, b) + \"c\")\n",
    );
    assert_eq!(names(&declarations), ["inflate", "version", "gettop", "access_version", "my_name"]);
    assert_eq!(declarations.functions[0].signature.params[1].name.as_deref(), Some("flush"));
    let text = declarations.constants.iter().find(|constant| constant.name == "TEXT").expect("a constant");
    assert_eq!(text.value, Value::String("a_b + \"c\"".to_owned()));
}

#[test]
fn macros_with_any_number_of_arguments() {
    let declarations = header(
        "#define F(name, ...) int name(__VA_ARGS__);\n#define G(name, args...) int name(int first, ## args);\n\
         #define H(name, ...) int name(int first __VA_OPT__(,) __VA_ARGS__);\n\
         F(a, int x, int y)\nF(b, void)\nG(c)\nG(d, int x)\nH(e)\nH(f, int x)",
    );
    assert_eq!(names(&declarations), ["a", "b", "c", "d", "e", "f"]);
    let counts: Vec<usize> = declarations.functions.iter().map(|function| function.signature.params.len()).collect();
    assert_eq!(counts, [2, 0, 1, 2, 1, 2]);
}

#[test]
fn macros_by_the_rules_of_c() {
    let declarations = header(
        "#define NONE\n#define P(prefix, name) int prefix##name(void);\nP(,a) P(my_, b) P(c, )\n\
         #define A(x, y, z) int x##y##z(void);\nA(d, , 1) A(, , e) A(, f, )\n\
         #define O(name, ...) int name(int first __VA_OPT__(,) __VA_ARGS__);\nO(g, NONE) O(h,) O(i, int x, int y)\n\
         #define Q(...) int __VA_ARGS__(void);\nQ(j)\n#define V() void\nint k(V());\n\
         #define J(name, ...) int name##__VA_OPT__(_more)(void);\nJ(l) J(l, 1)\n",
    );
    assert_eq!(
        names(&declarations),
        ["a", "my_b", "c", "d1", "e", "f", "g", "h", "i", "j", "k", "l", "l_more"],
        "{:?}",
        declarations.skipped
    );
    let counts: Vec<usize> =
        declarations.functions[6..9].iter().map(|function| function.signature.params.len()).collect();
    assert_eq!(counts, [1, 1, 3]);
    let declarations = header(
        "#define S(x, ...) #__VA_OPT__(x, __VA_ARGS__)\n#define A S(1)\n#define B S(1, 2,  3)\n\
         #define R(...) #__VA_ARGS__\n#define C R()\n#define D R(a,  b)\n",
    );
    let texts: Vec<&Value> = declarations.constants.iter().map(|constant| &constant.value).collect();
    let expected = ["", "1, 2, 3", "", "a, b"].map(|text| Value::String(text.to_owned()));
    assert_eq!(texts, expected.iter().collect::<Vec<_>>());
    for wrong in ["a,,b", "..., a", "a b", "1", ",", "a,"] {
        let declarations = header(&format!("#define F({wrong}) 1\nint f(void);\n"));
        let reasons: Vec<&str> = declarations.skipped.iter().map(|skipped| skipped.reason.as_str()).collect();
        assert_eq!(reasons, ["expected the name of a parameter"], "{wrong}");
    }
}

#[test]
fn comments_in_directives() {
    let declarations = read(
        "# /* nothing */ // nothing\n#/* a\nb */ define /**/ A /* \n */ 1 // one\n/* before */ # define B 2\n\
         #\n#//\n",
    );
    let constants: Vec<&str> = declarations.constants.iter().map(|constant| constant.name.as_str()).collect();
    assert_eq!(constants, ["A", "B"]);
    for source in ["# @/* //\n\n#define A 1\n", "#define A 1 @/* \n\n", "#if 1\n#endif @/* \n", "#if 1 @/*\n#endif"] {
        refuse(source, "this comment is never closed");
    }
}

#[test]
fn conditions() {
    let declarations = header(
        "#ifdef __cplusplus\nextern \"C\" {\n#endif\n#if defined(__wasm__) && !defined(_WIN32) && __STDC_VERSION__ >= 199901L\n\
         int a(void);\n#elif 1\nint not_a(void);\n#else\nnot C at all ' \"\n#endif\n\
         #if 0\nint not_b(void); don't\n#  if 1\n#  else\n#  endif\n#elif X + 0\n#else\nint b(void);\n#endif\n\
         #ifndef GUARD\n#define GUARD\n#if __has_attribute(packed) || __has_include(<no.h>) || UNKNOWN(3)\n#else\nint c(void);\n#endif\n#endif\n\
         #if __has_include(<stddef.h>)\nint d(void);\n#endif\n#ifdef __cplusplus\n}\n#endif\n",
    );
    // A condition that is none is told, and does not hold.
    assert_eq!(names(&declarations), ["a", "b", "c", "d"]);
    assert_eq!(declarations.skipped.iter().filter(|skipped| skipped.kind == Kind::Directive).count(), 1);
}

#[test]
fn includes() {
    let files = |name: &str, is_quoted: bool, from: &str| {
        let text = match (name, is_quoted, from) {
            ("types.h", true, "lib.h") => {
                "#pragma once\ntypedef struct thing thing;\n#define MOST 7\nint helper(void);\n"
            }
            ("more.h", false, _) => "#include \"types.h\"\nint more(thing *);\n",
            ("types.h", true, "more.h") => return files_types(),
            _ => return None,
        };
        Some(Included { name: name.to_owned(), text: text.to_owned(), is_system: false })
    };
    let options = Options { name: "lib.h", include: Some(&files), ..Options::default() };
    let text = "#include <stdio.h>\n#include <stdint.h>\n#include \"types.h\"\n#include \"types.h\"\n#include <more.h>\n\
                int own(thing *t, FILE *to, int x[MOST], size_t n);\n#include \"missing.h\"\nint broken(missing);\n";
    let declarations = cdef::read(text, &options).expect("a header");
    assert_eq!(names(&declarations), ["helper", "more", "own"]);
    let reasons: Vec<(&str, &str, usize)> = (declarations.skipped.iter())
        .map(|skipped| (skipped.name.as_str(), skipped.reason.as_str(), skipped.position.line))
        .collect();
    assert_eq!(reasons, [("", "cannot find the header `missing.h`", 7), ("broken", "unknown type name `missing`", 8)]);
    let file = declarations.file(declarations.functions[0].position).expect("a file");
    assert_eq!((file.name.as_str(), file.is_system), ("types.h", false));
}

/// The same file, by another way.
fn files_types() -> Option<Included> {
    Some(Included { name: "types.h".to_owned(), text: String::new(), is_system: false })
}

#[test]
fn what_a_compiler_preprocessed() {
    let declarations = header(
        "# 1 \"lib.h\"\n# 1 \"<built-in>\" 1\n# 1 \"/usr/include/stdio.h\" 1 3 4\nextern int printf(const char *, ...);\n\
         extern int strange(__float128);\n# 3 \"lib.h\" 2\nint own(void);\n\n\nint wrong(foo);\n",
    );
    assert_eq!(names(&declarations), ["printf", "own"]);
    assert!(declarations.is_system(declarations.functions[0].position));
    let skipped = &declarations.skipped;
    assert_eq!(skipped.len(), 1, "{skipped:?}");
    let file = declarations.file(skipped[0].position).expect("a file");
    assert_eq!((file.name.as_str(), skipped[0].position.line), ("lib.h", 6));
    // Of lines that are somewhere else none is shown.
    let error = cdef::parse("int a(void);\n# 1\nint b(foo);\n").unwrap_err();
    assert_eq!(error.to_string(), "C declarations, line 1, column 7: unknown type name `foo`\n  \n        ^");
    let error = cdef::parse("#define FROM \"a.y\"\n#line 7 FROM\nint b(foo);\n").unwrap_err();
    assert!(error.to_string().starts_with("a.y, line 7, column 7: "), "{error}");
    refuse("# @1 1.5\nint a(void);", "expected a line's number, and a file's name in quotes if any");
}

#[test]
fn what_is_left_out() {
    let declarations = header(
        "static inline int twice(int x) { if (x) { return x * 2; } return 0; }\nextern int counter;\nint table[] = { 1, 2 };\n\
         static const int hidden = 3, other = 4;\n#define MAX(a, b) ((a) > (b) ? (a) : (b))\n#define KEYWORD extern\n\
         double _Complex c(void);\nint last(void);\n_Static_assert(sizeof(int) == 4, \"int\");\n\
         struct odd { typeof(1) x; };\nint uses(struct odd *o);\nint takes(struct odd o);\n",
    );
    assert_eq!(names(&declarations), ["twice", "last", "uses", "takes"]);
    assert!(declarations.functions[0].is_inline && !declarations.functions[1].is_inline);
    let variables: Vec<(&str, bool)> =
        declarations.variables.iter().map(|variable| (variable.name.as_str(), variable.is_static)).collect();
    assert_eq!(variables, [("counter", false), ("table", false), ("hidden", true), ("other", true)]);
    let mut skipped: Vec<(&str, Kind)> =
        declarations.skipped.iter().map(|skipped| (skipped.name.as_str(), skipped.kind)).collect();
    skipped.sort_unstable_by_key(|(name, _)| *name);
    assert_eq!(
        skipped,
        [("KEYWORD", Kind::Macro), ("MAX", Kind::Macro), ("c", Kind::Function), ("odd", Kind::Declaration),]
    );
    // C lets a function be declared that takes a type that is not defined; only it cannot be called.
    let takes = &declarations.functions[3].signature;
    assert!(matches!(takes.params[0].ty, Type::Record(index) if declarations.records[index].fields.is_none()));
    assert!(declarations.signature(takes, cdef::Addresses::Narrow).is_none());
}

#[test]
fn what_compilers_add() {
    let declarations = read(
        "__attribute__((visibility(\"default\"))) __extension__ int a(const char *__restrict s, void *_Nonnull p);\n\
         __declspec(dllimport) int __cdecl b(void) __asm__(\"b\") __attribute__((nonnull(1), format(printf, 1, 2)));\n\
         [[nodiscard, deprecated(\"no\")]] int c(int [[maybe_unused]] x) [[gnu::const]];\n\
         extern __inline__ _Noreturn void d(void);\n_Thread_local extern int e;\nint f(_Atomic(int) *a, _Atomic int *b);\n\
         int g(const char *format, ...);\nlong double h(long double x);\n",
    );
    assert_eq!(names(&declarations), ["a", "b", "c", "d", "f", "g", "h"]);
    assert!(declarations.functions[5].signature.is_variadic);
    assert_eq!(declarations.functions[6].signature.result, Type::LongDouble);
}

#[test]
fn annotations_beside_the_header() {
    let annotations = [
        ("multiply", "[[owned, length(n)]]"),
        ("multiply.a", "[[length(n)]]"),
        ("image", "[[opaque(image_free)]]"),
        ("missing", "[[owned]]"),
    ]
    .map(|(name, text)| (name.to_owned(), text.to_owned()));
    let options = Options { annotations: &annotations, ..Options::default() };
    let text = "typedef struct image image;\ndouble *multiply(const double *a, int n);\n";
    let declarations = cdef::read(text, &options).expect("a header");
    let function = &declarations.functions[0];
    assert!(function.annotations.ownership.is_some() && function.annotations.length.is_some());
    assert!(function.signature.params[0].annotations.length.is_some());
    assert!(declarations.records[0].annotations.opaque.is_some());
    assert_eq!(declarations.skipped.len(), 1);
    assert_eq!((declarations.skipped[0].name.as_str(), declarations.skipped[0].kind), ("missing", Kind::Annotation));
}

#[test]
fn types_of_real_headers() {
    let declarations = read(
        "typedef int (*(*getter)(int))(double);\nint (*signal(int sig, int (*handler)(int)))(int);\n\
         typedef enum small : unsigned char { SMALL } small;\nsmall s(small x);\n\
         struct bits { unsigned a : 3, b : 5; int : 0; unsigned char c : 1; };\nstruct tail { int n; char data[]; };\n\
         typedef unsigned char bool;\nint takes(bool x, max_align_t *y, int_fast16_t z, va_list list);\n",
    );
    assert_eq!(names(&declarations), ["signal", "s", "takes"]);
    assert_ne!(declarations.enums[0].ty(), INT);
    assert_eq!(declarations.records[0].fields.as_ref().expect("fields")[1].bits, Some(5));
    assert!(declarations.records[1].fields.as_ref().expect("fields")[1].is_flexible);
}

#[test]
fn packs() {
    let declarations = read(
        "#pragma pack(push, 1)\nstruct a { char x; int y; };\n#pragma pack(pop)\nstruct b { char x; int y; };\n\
         _Pragma(\"pack(2)\") struct c { char x; int y; };\n#pragma pack()\nstruct d { char x; int y; } __attribute__((packed, aligned(4)));",
    );
    let size = |at: usize| {
        let layout = declarations.records[at].layout(cdef::Addresses::Narrow).expect("a layout").layout;
        (layout.size, layout.align)
    };
    assert_eq!([size(0), size(1), size(2), size(3)], [(5, 1), (8, 4), (6, 2), (8, 4)]);
}
