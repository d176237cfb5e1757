//! Types: words, pointers, arrays, functions, typedefs.

use crate::common::{INT, const_pointer, int, param, params, pointer, read, refuse};
use cdef::{Length, Signature, Type, Width};

#[track_caller]
fn ty(declaration: &str) -> Type {
    param("", declaration).ty
}

fn signature(ty: &Type) -> &Signature {
    match ty {
        Type::Function(signature) => signature,
        Type::Pointer(pointee) => signature(&pointee.ty),
        other => panic!("no function: {other:?}"),
    }
}

#[test]
fn words_in_any_order() {
    for (words, expected) in [
        ("_Bool", Type::Bool),
        ("char", Type::Char),
        ("signed char", int(Width::W8, true)),
        ("char unsigned", int(Width::W8, false)),
        ("short", int(Width::W16, true)),
        ("int short unsigned", int(Width::W16, false)),
        ("signed", INT),
        ("unsigned", int(Width::W32, false)),
        ("long", int(Width::Pointer, true)),
        ("int long unsigned", int(Width::Pointer, false)),
        ("long long", int(Width::W64, true)),
        ("long unsigned int long", int(Width::W64, false)),
        ("float", Type::Float),
        ("double", Type::Double),
        ("const volatile register int", INT),
        ("__signed__ int", INT),
    ] {
        assert_eq!(ty(words), expected, "{words}");
    }
}

#[test]
fn words_that_make_no_type() {
    refuse("@signed unsigned f(void);", "these words together are not a type");
    refuse("@short long f(void);", "these words together are not a type");
    refuse("@unsigned double f(void);", "these words together are not a type");
    refuse("@long char f(void);", "these words together are not a type");
    refuse("int @int f(void);", "`int` does not go with the type before it");
    refuse("long long @long f(void);", "`long` does not go with the type before it");
    refuse("struct s @int f(void);", "expected a name, found `int`");
    refuse("int @struct s f(void);", "expected a name, found `struct`");
    refuse("@_Float64 f(void);", "this type is not supported");
    refuse("@_Float128 f(void);", "this type is not supported");
}

#[test]
fn predeclared_names() {
    for (name, expected) in [
        ("int8_t", int(Width::W8, true)),
        ("uint16_t", int(Width::W16, false)),
        ("int32_t", INT),
        ("uint64_t", int(Width::W64, false)),
        ("intmax_t", int(Width::W64, true)),
        ("size_t", int(Width::Pointer, false)),
        ("ssize_t", int(Width::Pointer, true)),
        ("ptrdiff_t", int(Width::Pointer, true)),
        ("uintptr_t", int(Width::Pointer, false)),
        ("wchar_t", INT),
        ("char16_t", int(Width::W16, false)),
        ("char32_t", int(Width::W32, false)),
        ("off_t", int(Width::W64, true)),
        ("time_t", int(Width::W64, true)),
        ("bool", Type::Bool),
    ] {
        assert_eq!(ty(name), expected, "{name}");
        assert_eq!(cdef::predeclared(name), Some(expected), "{name}");
    }
    // In WebAssembly a list of arguments is the address where they lie.
    for name in ["va_list", "__builtin_va_list", "__gnuc_va_list"] {
        assert_eq!(ty(name), pointer(Type::Void), "{name}");
        assert_eq!(cdef::predeclared(name), Some(pointer(Type::Void)), "{name}");
    }
    assert_eq!(cdef::predeclared("FILE"), None);
    refuse("int f(@FILE *file);", "unknown type name `FILE`");
}

#[test]
fn predeclared_names_again() {
    let declarations = read("typedef unsigned char uint8_t; typedef unsigned long size_t; uint8_t f(size_t);");
    assert_eq!(declarations.functions[0].signature.result, int(Width::W8, false));
    assert!(declarations.typedefs.is_empty());
    refuse("int @size_t(void);", "`size_t` is a type already");
}

#[test]
fn pointers() {
    assert_eq!(ty("int *"), pointer(INT));
    assert_eq!(ty("const char *s"), const_pointer(Type::Char));
    assert_eq!(ty("char const *s"), const_pointer(Type::Char));
    assert_eq!(ty("char *const restrict s"), pointer(Type::Char));
    assert_eq!(ty("char *const *s"), const_pointer(pointer(Type::Char)));
    assert_eq!(ty("const char **s"), pointer(const_pointer(Type::Char)));
    assert_eq!(ty("void *"), pointer(Type::Void));
}

#[test]
fn arrays_of_parameters_decay() {
    let a = param("", "double a[3]");
    assert_eq!(a.ty, pointer(Type::Double));
    assert_eq!(a.annotations.length.map(|length| length.value), Some(Length::Constant(3)));
    let a = param("#define N 4\n", "const double a[static N * 2]");
    assert_eq!(a.ty, const_pointer(Type::Double));
    assert_eq!(a.annotations.length.map(|length| length.value), Some(Length::Constant(8)));
    let a = param("typedef int pair[2];", "pair a");
    assert_eq!((a.ty, a.annotations.length.map(|length| length.value)), (pointer(INT), Some(Length::Constant(2))));

    for open in ["double a[]", "double a[const]", "double a[static 3] [[length(n)]]", "double a[3] [[until(0)]]"] {
        let a = param("", open);
        assert_eq!(a.ty, pointer(Type::Double), "{open}");
        assert_ne!(a.annotations.length.map(|length| length.value), Some(Length::Constant(3)), "{open}");
    }
    assert_eq!(ty("int a[][3]"), pointer(Type::Array(Box::new(INT), 3)));
    assert_eq!(ty("int a[2][3][4]"), pointer(Type::Array(Box::new(Type::Array(Box::new(INT), 4)), 3)));
    assert_eq!(ty("int (*a)[3]"), pointer(Type::Array(Box::new(INT), 3)));
    assert_eq!(ty("char *a[3]"), pointer(pointer(Type::Char)));
}

#[test]
fn sizes_of_arrays() {
    refuse(
        "void f(int n, double a[@n]);",
        "`n` is not a constant: an array needs a constant size, a pointer can have `[[length(…)]]`",
    );
    refuse(
        "void f(int n, double a[2 * @n]);",
        "`n` is not a constant: an array needs a constant size, a pointer can have `[[length(…)]]`",
    );
    refuse("void f(double a[@*]);", "an array needs a constant size");
    refuse("void f(double a[@-1]);", "the size of an array cannot be negative");
    refuse("void f(double a[@1.5]);", "the size of an array must be an integer");
    refuse("void f(double a[1 @2]);", "expected an operator, found `2`");
    refuse("void f(double a[1@, 2]);", "expected `]`, found `,`");
    refuse("void f(int a[1]@[]);", "only the first size of an array can be left out, and only in a parameter");
    refuse("void f(int (*a)@[]);", "only the first size of an array can be left out, and only in a parameter");
    refuse("typedef int a@[];", "an array needs a size");
    refuse("void f(void a@[2]);", "an array cannot have elements of type `void`");
    refuse("void f(int a@[2](int));", "an array cannot have functions as elements");
    refuse("void f(struct s a@[2]);", "the size of `struct s` is not known here");
}

#[test]
fn functions_as_parameters() {
    let callback = ty("int (*compare)(const int *a, void *)");
    assert_eq!(callback, ty("int compare(const int *, void *)"));
    let signature = signature(&callback);
    assert_eq!(signature.result, INT);
    assert_eq!(signature.params[0].ty, const_pointer(INT));
    assert_eq!(signature.params[0].name.as_deref(), Some("a"));
    assert_eq!(signature.params[1].name, None);
}

#[test]
fn functions_that_return_functions() {
    let declarations = read("void (*signal(int sig, void (*func)(int)))(int);");
    let outer = &declarations.functions[0];
    assert_eq!((outer.name.as_str(), outer.signature.params.len()), ("signal", 2));
    let inner = signature(&outer.signature.result);
    assert_eq!((&inner.result, inner.params.len()), (&Type::Void, 1));
    assert_eq!(outer.signature.result, outer.signature.params[1].ty);
    refuse("int f@(int)(int);", "a function cannot return a function");
    refuse("int f@(int)[3];", "a function cannot return an array");
}

#[test]
fn parameters_of_no_type() {
    assert!(params("int f(void);").is_empty());
    assert!(params("int f();").is_empty());
    assert!(params("typedef void nothing; int f(nothing);").is_empty());
    refuse("int f(void @x);", "a parameter cannot have the type `void`");
    refuse("int f(int, @void);", "a parameter cannot have the type `void`");
    refuse("int f(@void [[nonnull]]);", "a parameter cannot have the type `void`");
    refuse("int f(int, @typedef int x);", "expected a type, found `typedef`");
}

#[test]
fn typedefs_are_resolved() {
    let before = "typedef const char *text; typedef text texts[2]; typedef int op(int); typedef op *op_pointer;";
    assert_eq!(param(before, "text").ty, const_pointer(Type::Char));
    assert_eq!(param(before, "texts").ty, pointer(const_pointer(Type::Char)));
    assert_eq!(param(before, "op").ty, param(before, "op_pointer").ty);
    assert_eq!(param("typedef const int fixed;", "fixed *").ty, const_pointer(INT));
    assert_eq!(param("typedef int *p;", "const p *").ty, const_pointer(pointer(INT)));

    let declarations = read("typedef int op(int a), number, *numbers; op f, g; number h(numbers);");
    let names: Vec<_> = declarations.functions.iter().map(|function| function.name.as_str()).collect();
    assert_eq!(names, ["f", "g", "h"]);
    assert_eq!(declarations.functions[0].signature.params[0].name.as_deref(), Some("a"));
    let names: Vec<_> = declarations.typedefs.iter().map(|typedef| typedef.name.as_str()).collect();
    assert_eq!(names, ["op", "number", "numbers"]);
    assert_eq!(declarations.typedefs[2].ty, pointer(INT));
}

#[test]
fn names_of_types_as_other_names() {
    assert_eq!(param("typedef int item;", "item item").name.as_deref(), Some("item"));
    let declarations = read("typedef int item; struct item { item item; item other; }; int f(int item); item g(item);");
    assert_eq!(declarations.records[0].fields.as_ref().map(Vec::len), Some(2));
    assert_eq!(declarations.functions[1].signature.result, INT);
}

#[test]
fn what_is_tolerated() {
    let source = "extern int a(register int x);\nstatic inline int b(void);\n_Noreturn void c(void);\n__extension__ int d(void)\
                  __attribute__((nonnull(1, 2), format(printf, 1, (2)))) ;\nextern \"C\" int e(void);\n\
                  extern \"C\" {\nint f(void);\nextern \"C\" { int g(void); }\n}\nint __attribute__((pure)) h(void);;\n\
                  int i(volatile int *__restrict p); struct s { int x; }; extern \"C\" int j(void);";
    let names: Vec<_> = read(source).functions.into_iter().map(|function| function.name).collect();
    assert_eq!(names, ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]);
}

#[test]
fn declarations_again() {
    let declarations = read("int f(int a, const char *); int f(int, const char *b); typedef int t; typedef int t;");
    assert_eq!((declarations.functions.len(), declarations.typedefs.len()), (1, 1));
    refuse("int f(int);\nint @f(long);", "`f` is declared differently on line 1");
    refuse("int f(int);\nlong @f(int);", "`f` is declared differently on line 1");
    refuse("int f(char *);\nint @f(const char *);", "`f` is declared differently on line 1");
    refuse("char *f(void);\nchar *@f(void) [[owned]];", "`f` is declared differently on line 1");
    refuse("int f(int *a);\nint @f(int *a [[out]]);", "`f` is declared differently on line 1");
    refuse("typedef int t;\n\ntypedef long @t;", "`t` is declared differently on line 1");
    refuse("typedef char *t;\ntypedef char *@t [[utf8]];", "`t` is declared differently on line 1");
    refuse("typedef int t; int @t(void);", "`t` is a type already");
    refuse("int f(void); typedef int @f;", "`f` is a function already");
}

#[test]
fn positions_of_declarations() {
    let declarations = read("// é\n\ttypedef int  t;\r\n/* ü\n*/ struct  s { int *x; };  int *f(t, /*ß*/ t b);");
    let place = |position: cdef::Position| (position.line, position.column);
    assert_eq!(place(declarations.typedefs[0].position), (2, 15));
    assert_eq!(place(declarations.records[0].position), (4, 12));
    assert_eq!(place(declarations.records[0].fields.as_ref().unwrap()[0].position), (4, 21));
    assert_eq!(place(declarations.functions[0].position), (4, 33));
    assert_eq!(place(declarations.functions[0].signature.params[0].position), (4, 35));
    assert_eq!(place(declarations.functions[0].signature.params[1].position), (4, 46));
}
