//! Annotations: what they say and what they belong to.

use crate::common::{function, param, params, read, record, refuse};
use cdef::{Annotations, Direction, Encoding, Length, Mode, Outcome, Ownership, Position, Type};

#[track_caller]
fn of_result(annotation: &str) -> Annotations {
    function(&format!("char *f(int n) [[{annotation}]];")).annotations
}

#[track_caller]
fn of_param(annotation: &str) -> Annotations {
    param("", &format!("char *p [[{annotation}]]")).annotations
}

#[test]
fn lengths() {
    let length = |annotation| of_param(annotation).length.map(|length| length.value);
    assert_eq!(length("length(n)"), Some(Length::Named("n".to_owned())));
    assert_eq!(length("length(12)"), Some(Length::Constant(12)));
    assert_eq!(length("length(0x10 * (1 + 1))"), Some(Length::Constant(32)));
    assert_eq!(length("nonnull"), None);
}

#[test]
fn sentinels() {
    let until = |annotation| of_param(annotation).until.map(|until| until.value);
    assert_eq!(until("until(0)"), Some(0));
    assert_eq!(until("until(-1)"), Some(-1));
    assert_eq!(until("until('\\n')"), Some(10));
    assert_eq!(until("until(NULL)"), Some(0));
    assert_eq!(
        read("#define NULL 5\nvoid f(int *p [[until(NULL)]]);").functions[0].signature.params[0]
            .annotations
            .until
            .map(|until| until.value),
        Some(5)
    );
}

#[test]
fn ownership() {
    let owner = |annotations: Annotations| annotations.ownership.map(|ownership| ownership.value);
    assert_eq!(owner(of_result("owned")), Some(Ownership::Owned(None)));
    assert_eq!(owner(of_result("owned(free)")), Some(Ownership::Owned(Some("free".to_owned()))));
    assert_eq!(owner(of_result("borrowed")), Some(Ownership::Borrowed));
    assert_eq!(owner(of_param("consumed")), Some(Ownership::Consumed));
}

#[test]
fn modes_directions_and_encodings() {
    assert_eq!(of_result("view").mode.map(|mode| mode.value), Some(Mode::View));
    assert_eq!(of_result("copy").mode.map(|mode| mode.value), Some(Mode::Copy));
    for (word, direction) in [("in", Direction::In), ("out", Direction::Out), ("inout", Direction::InOut)] {
        assert_eq!(of_param(word).direction.map(|direction| direction.value), Some(direction));
    }
    for (word, encoding) in
        [("utf8", Encoding::Utf8), ("utf16", Encoding::Utf16), ("latin1", Encoding::Latin1), ("bytes", Encoding::Bytes)]
    {
        assert_eq!(of_param(word).encoding.map(|encoding| encoding.value), Some(encoding));
    }
    assert!(of_param("nonnull").nonnull.is_some());
}

#[test]
fn outcomes() {
    let outcome = |annotation| of_result(annotation).outcome.map(|outcome| outcome.value);
    assert_eq!(outcome("status"), Some(Outcome::Status(vec![0])));
    assert_eq!(outcome("status(0, 100, -'A')"), Some(Outcome::Status(vec![0, 100, -65])));
    assert_eq!(outcome("fails(NULL)"), Some(Outcome::Fails(vec![0])));
    assert_eq!(outcome("fails(-1, 1 << 2)"), Some(Outcome::Fails(vec![-1, 4])));
    let source = "#define ROW 100\nenum { DONE = ROW + 1 };\nint step(void) [[status(ROW, DONE)]];";
    assert_eq!(
        function(source).annotations.outcome.map(|outcome| outcome.value),
        Some(Outcome::Status(vec![100, 101]))
    );
}

#[test]
fn what_is_kept() {
    let kept = of_result("keeps(a), keeps(b)").keeps;
    assert_eq!(kept.iter().map(|kept| kept.value.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert!(param("", "void (*call)(int) [[keep]]").annotations.keep.is_some());
}

#[test]
fn opaque_types() {
    let opaque = |source: &str| record(source).annotations.opaque.map(|opaque| opaque.value);
    let close = Some(Some("close".to_owned()));
    assert_eq!(opaque("typedef struct s s [[opaque(close)]];"), close);
    assert_eq!(opaque("struct s [[opaque(close)]];"), close);
    assert_eq!(opaque("struct [[opaque(close)]] s;"), close);
    assert_eq!(opaque("[[opaque(close)]] struct s;"), close);
    assert_eq!(opaque("struct s; struct s [[opaque]] { int a; };"), Some(None));
    assert_eq!(opaque("struct s *open(void); typedef struct s s [[opaque(close)]]; typedef struct s t;"), close);
    refuse(
        "struct s [[opaque(a)]]; typedef struct s t [[@opaque(b)]];",
        "this `opaque` contradicts an earlier one of the same type",
    );

    let declarations = read("typedef void *handle [[opaque(close)]]; void f(handle h, handle *out);");
    assert_eq!(declarations.typedefs[0].annotations.opaque.clone().map(|opaque| opaque.value), close);
    let [handle, out] = declarations.functions[0].signature.params.as_slice() else { panic!("two parameters") };
    assert_eq!(handle.annotations.opaque.clone().map(|opaque| opaque.value), close);
    let Type::Pointer(pointee) = &out.ty else { panic!("a pointer") };
    assert_eq!(pointee.annotations.opaque.clone().map(|opaque| opaque.value), close);
    assert!(out.annotations.opaque.is_none());
}

#[test]
fn annotations_of_typedefs_hold_where_their_names_stand() {
    let before = "typedef const char *name [[utf8, nonnull]]; typedef int rc [[status]]; typedef name again [[copy]];\n\
                  typedef char *make(int n) [[owned, length(n)]]; typedef name call(void); typedef name *call2(void);";
    let declarations = read(&format!(
        "{before} rc f(name a, name b [[latin1]], name *c, name d[2], rc e, again g); make h; call i; call2 j;\n\
         struct s {{ name x; again y [[bytes]]; }};"
    ));
    let [f, h, i, j] = declarations.functions.as_slice() else { panic!("four functions") };
    let encoding = |annotations: &Annotations| annotations.encoding.map(|encoding| encoding.value);
    assert!(f.annotations.outcome.is_some());
    let params = &f.signature.params;
    assert_eq!(encoding(&params[0].annotations), Some(Encoding::Utf8));
    assert!(params[0].annotations.nonnull.is_some());
    assert_eq!(encoding(&params[1].annotations), Some(Encoding::Latin1));
    for param in [&params[2], &params[3]] {
        assert_eq!(encoding(&param.annotations), None);
        let Type::Pointer(pointee) = &param.ty else { panic!("a pointer") };
        assert_eq!(encoding(&pointee.annotations), Some(Encoding::Utf8));
    }
    assert!(params[4].annotations.outcome.is_none());
    assert_eq!(encoding(&params[5].annotations), Some(Encoding::Utf8));
    assert_eq!(params[5].annotations.mode.map(|mode| mode.value), Some(Mode::Copy));
    assert!(h.annotations.ownership.is_some() && h.annotations.length.is_some());
    assert_eq!(encoding(&i.annotations), Some(Encoding::Utf8));
    assert_eq!(encoding(&j.annotations), None);
    let fields = declarations.records[0].fields.as_ref().unwrap();
    assert_eq!(encoding(&fields[0].annotations), Some(Encoding::Utf8));
    assert_eq!(encoding(&fields[1].annotations), Some(Encoding::Bytes));
    assert!(declarations.typedefs[2].annotations.nonnull.is_some());
}

#[test]
fn places_of_annotations() {
    let is_view = |annotations: &Annotations| annotations.mode.map(|mode| mode.value) == Some(Mode::View);
    for result in [
        "[[view]] char *f(int a);",
        "char *f(int a) [[view]];",
        "char *f [[view]] (int a);",
        "char *f(int a) /* [[copy]] */ [[view]] // [[copy]]\n;",
        "char *f(int a) __attribute__((pure)) [[view]];",
        "char *f(int a) [[view]] __attribute__((pure));",
        "char *f(int a) [[tombolo::view]];",
        "char *f(int a)[[\n/* ü */ view // ]]\n]];",
        "extern \"C\" { [[view]] char *f(int a); }",
        "extern \"C\" [[view]] char *f(int a);",
        "char *(f)(int a) [[view]];",
        "void (*f(int a))(int) [[view]];",
        "char *f(int a) [[nonnull]] [[view]];",
    ] {
        let function = function(result);
        assert!(is_view(&function.annotations), "{result}");
        assert_eq!(function.signature.params[0].annotations, Annotations::default(), "{result}");
    }
    for source in [
        "void f(char *a [[view]]);",
        "void f([[view]] char *a);",
        "void f(const char * [[view]]);",
        "void f(int (*a)(int b) [[view]]);",
        "void f(int (*a [[view]])(int b));",
        "void f(int a[3] [[view]], int c);",
        "void f(struct s [[view]]);",
    ] {
        let function = function(source);
        assert!(is_view(&function.signature.params[0].annotations), "{source}");
        assert_eq!(function.annotations, Annotations::default(), "{source}");
    }
    for source in [
        "struct s { int *a [[view]]; };",
        "struct s { [[view]] int *a; int b; };",
        "struct s { int *a [[view]], *b; };",
        "struct s { int a[3] [[view]]; };",
    ] {
        let record = record(source);
        let fields = record.fields.unwrap();
        assert!(is_view(&fields[0].annotations), "{source}");
        assert!(fields.iter().skip(1).all(|field| field.annotations == Annotations::default()), "{source}");
        assert_eq!(record.annotations, Annotations::default(), "{source}");
    }
    let declarations = read("[[view]] char *f(void), *g(void) [[nonnull]]; [[view]] typedef char *t, *u;");
    assert!(declarations.functions.iter().all(|function| is_view(&function.annotations)));
    assert!(declarations.typedefs.iter().all(|typedef| is_view(&typedef.annotations)));
    assert_eq!(declarations.functions.iter().filter(|function| function.annotations.nonnull.is_some()).count(), 1);
}

#[test]
fn annotations_of_callbacks() {
    let source = "typedef void (*call)(int) [[keep]]; call set(call);";
    let set = function(source);
    assert!(set.annotations.keep.is_none() && set.signature.params[0].annotations.keep.is_some());
    let params = params("void f(int (*call)(int *a [[length(n)]], int n) [[keep]], void *data);");
    assert!(params[0].annotations.keep.is_some() && params[0].annotations.length.is_none());
    let Type::Pointer(pointee) = &params[0].ty else { panic!("a pointer") };
    let Type::Function(signature) = &pointee.ty else { panic!("a function") };
    assert!(signature.params[0].annotations.length.is_some());
}

#[test]
fn positions_of_annotations() {
    let annotations = function("/* é */ char *f(int n)\t[[ owned(x) ,\n tombolo::length(n)]];").annotations;
    assert_eq!(annotations.ownership.unwrap().position, Position { file: 0, line: 1, column: 27 });
    assert_eq!(annotations.length.unwrap().position, Position { file: 0, line: 2, column: 11 });
}

#[test]
fn contradictions() {
    for (annotations, message) in [
        ("owned, @borrowed", "`borrowed` contradicts `owned`"),
        ("view, @copy", "`copy` contradicts `view`"),
        ("status, @fails(1)", "`fails` contradicts `status`"),
        ("utf8, @bytes", "`bytes` contradicts `utf8`"),
        ("owned, @owned", "`owned` is given twice"),
        ("length(1), @length(2)", "`length` is given twice"),
        ("nonnull]] [[@nonnull", "`nonnull` is given twice"),
        ("keeps(a), @keeps(a)", "`keeps(a)` is given twice"),
    ] {
        refuse(&format!("char *f(void) [[{annotations}]];"), message);
    }
    refuse("void f(char *p [[in, @out]]);", "`out` contradicts `in`");
    refuse("void f(char *p [[borrowed, @consumed]]);", "`consumed` contradicts `borrowed`");
    refuse("[[view]] char *f(void) [[@copy]];", "`copy` contradicts `view`");
}

#[test]
fn arguments_that_cannot_be() {
    for (annotation, message) in [
        ("@length", "`length` takes a name or a number: `length(n)`"),
        ("@length(1, 2)", "`length` takes a name or a number: `length(n)`"),
        ("length(@)", "a value"),
        ("@length(-1)", "a length cannot be negative"),
        ("length(@1.5)", "a length must be an integer"),
        ("length(@n + 1)", "`n` is not a constant"),
        ("@until", "`until` takes one number: `until(0)`"),
        ("until(@\"a\")", "an argument of `until` must be an integer"),
        ("until(@18446744073709551615u)", "this number does not fit a signed integer of 64 bits"),
        ("@owned(1)", "`owned` takes a function's name or nothing: `owned(name)`"),
        ("@owned(a, b)", "`owned` takes a function's name or nothing: `owned(name)`"),
        ("@owned()", "`owned` takes a function's name or nothing: `owned(name)`"),
        ("@view(x)", "`view` takes no arguments"),
        ("@nonnull()", "`nonnull` takes no arguments"),
        ("@fails", "`fails` takes the results that are failures: `fails(-1)`"),
        ("@keeps", "`keeps` takes one name: `keeps(name)`"),
        ("@keeps(a, b)", "`keeps` takes one name: `keeps(name)`"),
        ("status(1,@)", "a value"),
        ("status@(1", "this `(` is never closed"),
        ("@borked", "unknown annotation `borked`"),
        ("@1", "expected an annotation, found `1`"),
        ("tombolo::@1", "expected an annotation, found `1`"),
        ("owned @borrowed", "expected `,` or `]]`, found `borrowed`"),
        ("owned(a)@::x", "expected `,` or `]]`, found `::`"),
    ] {
        let message = if message == "a value" { "expected a value" } else { message };
        refuse(&format!("char *f(int n) [[{annotation}]];"), message);
    }
    refuse("char *f(int n) @[[]];", "expected an annotation between `[[` and `]]`");
    refuse("char *f(int n) @[[owned,]];", "expected an annotation between `[[` and `]]`");
    let many = vec!["1"; 65].join(", ");
    refuse(&format!("int f(void) [[@status({many})]];"), "`status` takes at most 64 results");
    let many: Vec<_> = (0..16).map(|index| format!("keeps(p{index}), ")).collect();
    refuse(&format!("int f(void) [[{}@keeps(p)]];", many.concat()), "a result can keep at most 16 parameters");
}

#[test]
fn annotations_at_the_wrong_place() {
    refuse("void f(int a [[@status]]);", "`status` belongs to a function's result or a typedef, not to a parameter");
    refuse("int *f(void) [[@out]];", "`out` belongs to a parameter, not to a function's result");
    refuse("int *f(void) [[@consumed]];", "`consumed` belongs to a parameter, not to a function's result");
    refuse("struct s { int *a [[@inout]]; };", "`inout` belongs to a parameter, not to a field");
    refuse(
        "struct s { int *a [[@keeps(b)]]; };",
        "`keeps` belongs to a function's result or a parameter, not to a field",
    );
    refuse(
        "int *f(void) [[@opaque]];",
        "`opaque` belongs to a typedef or a struct or union, not to a function's result",
    );
    refuse(
        "int f(void) [[@packed]];",
        "`packed` belongs to a struct or union or a typedef or a field, not to a function's result",
    );
    // A compiler's own attribute may stand where it means nothing.
    function("int f(void) __attribute__((packed));");
    function("int f(void) [[gnu::packed]];");
    // One with a prefix is another tool's, whatever the prefix.
    assert!(function("char *f(int n) [[owned::x]];").annotations.ownership.is_none());
    // C23's own attributes say nothing here, and take nothing from those beside them.
    assert!(function("char *f(int n) [[owned, nodiscard]];").annotations.ownership.is_some());
    refuse(
        "struct s { int a; } [[@utf8]];",
        "`utf8` belongs to a parameter or a function's result or a field or a typedef, not to a struct or union",
    );
}

#[test]
fn annotations_that_belong_to_nothing() {
    let nothing = |word: &str| {
        format!(
            "`{word}` belongs to nothing here: it can follow a parameter, a list of parameters, a field or a type's name"
        )
    };
    refuse("int f(int * @[[out]] a);", &nothing("out"));
    refuse("int f(@[[out]]);", &nothing("out"));
    refuse("int f(void);\n@[[owned]]", &nothing("owned"));
    refuse("@[[owned]];", &nothing("owned"));
    refuse("enum { A @[[nonnull]] };", &nothing("nonnull"));
    refuse("int @[[view]] *f(void);", &nothing("view"));
    refuse("[[@borked]];", "unknown annotation `borked`");
    refuse("int f(int * [[@borked]] a);", "unknown annotation `borked`");
}

#[test]
fn brackets_that_look_like_annotations() {
    assert_eq!(record("struct s { int a[2] [3] [[nonnull]]; };").fields.unwrap().len(), 1);
    refuse("void f(int a[[@3]]);", "expected an annotation, found `3`");
    refuse("void f(int a[ @[3] ]);", "expected a value, found `[`");
    refuse("void f(int a[[@[3]]]);", "expected `]]`, found `[`");
    refuse("int f(void) [[owned@;", "expected `]]`, found `;`");
    refuse("int f(void) [[owned@] ];", "expected `]]`, found `]`");
    refuse("int f(void) @[[owned", "this annotation is never closed: expected `]]`");
    refuse("int f(void) @[[owned /* ]]; */", "this annotation is never closed: expected `]]`");
    refuse("int f(void) [[owned]]@];", "`]` closes nothing");
    assert!(function("// [[borked\nint f(void) /* [[borked]] */; ").annotations == Annotations::default());
}
