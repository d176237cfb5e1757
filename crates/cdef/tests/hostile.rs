//! Input that nobody would write: it must end in an error, soon, on a stack of ordinary size.

use std::time::{Duration, Instant};

use crate::common::{read, refuse};

/// The message about `source`.
#[track_caller]
fn message(source: &str) -> String {
    match cdef::parse(source) {
        Ok(declarations) => match declarations.skipped.first() {
            Some(skipped) => skipped.reason.trim_start_matches("it is not a constant: ").to_owned(),
            None => panic!("{} bytes are accepted", source.len()),
        },
        Err(error) => error.message().to_owned(),
    }
}

/// `open`, `inside`, `close`, 100,000 deep.
fn nested(before: &str, open: &str, inside: &str, close: &str, after: &str) -> String {
    let depth = 100_000;
    [before, &open.repeat(depth), inside, &close.repeat(depth), after].concat()
}

#[test]
fn nesting_is_limited() {
    let brackets = "brackets are nested more than 16 deep";
    let parentheses = "parentheses are nested more than 8 deep";
    let types = "this type is nested more than 64 deep";
    for (source, expected) in [
        (nested("int ", "(", "f", ")", "(void);"), parentheses),
        (nested("int f", "(int ", "", ")", ";"), parentheses),
        (nested("int f", "(int (*)", "", ")", ";"), parentheses),
        (nested("", "(", "", "", ""), parentheses),
        (nested("int f(int ", "(*", "", ")(int)", ");"), parentheses),
        (nested("", "struct {", "int x;", "} y;", ""), brackets),
        (
            nested("", "struct s { int (*f)(", "", "); };", ""),
            "a type cannot be defined within parentheses: define it first",
        ),
        (repeated("int ", "*", "f(void);"), types),
        (repeated("int ", "* const ", "f(void);"), types),
        (repeated("int f(int a", "[1]", ");"), types),
        (repeated("int f", "(int)", ";"), "a function cannot return a function"),
        ("typedef int a0;".to_owned() + &chain("*"), types),
        (nested("int f(int a[", "(", "1", ")", "]);"), "this expression is nested more than 64 deep"),
        (nested("enum { A = ", "~", "1", "", "};"), "this expression is nested more than 64 deep"),
        (nested("#define A ", "(", "1", ")", ""), "this expression is nested more than 64 deep"),
        (nested("int f(void) [[length", "(", "1", ")", "]];"), "this expression is nested more than 64 deep"),
        (nested("int f(void) __attribute__(", "(", "1", ")", ");@"), "unexpected character `@`"),
        (nested("", "extern \"C\" {", "int f(foo);", "}", ""), "unknown type name `foo`"),
        (nested("", "{", "", "}", ""), "unexpected `{`"),
        (nested("", "[ ", "", "", ""), "this `[` is never closed"),
        (nested("", "[[", "", "", ""), "expected `]]`, found `[`"),
        (nested("int f(void) ", "[[owned]] ", "", "", ";"), "`owned` is given twice"),
        (nested("", "/*", "", "", ""), "this comment is never closed"),
        (nested("", "long ", "f(void)", "", ";"), "`long` does not go with the type before it"),
    ] {
        assert_eq!(message(&source), expected, "{}…", &source[..40]);
    }
}

/// `part`, 10,000 times; the parser goes through it.
fn repeated(before: &str, part: &str, after: &str) -> String {
    [before, &part.repeat(10_000), after].concat()
}

/// Typedefs each of which adds `part` to the one before.
fn chain(part: &str) -> String {
    (1..200).map(|index| format!("typedef a{} {part}a{index};\n", index - 1)).collect()
}

#[test]
fn types_cannot_grow_through_typedefs() {
    let doubled = "typedef int a0(int);\n".to_owned()
        + &(1..60).map(|index| format!("typedef int a{index}(a{0} *, a{0} *);\n", index - 1)).collect::<String>();
    assert_eq!(message(&doubled), "this type consists of more than 10000 others");

    let wide = format!("typedef int wide({});", vec!["int"; 9000].join(","));
    assert_eq!(
        message(&format!("{wide} int f({});", vec!["wide"; 9000].join(","))),
        "typedefs stand for more than 200000 types, all uses together"
    );
    assert_eq!(
        message(&format!("int f({});", vec!["int"; 10_001].join(","))),
        "this type consists of more than 10000 others"
    );
}

#[test]
fn constants_cannot_grow() {
    let text = format!("#define A0 \"{}\"\n", "x".repeat(100_000));
    let copies: String = (1..100).map(|index| format!("#define A{index} A0\n")).collect();
    assert_eq!(message(&(text + &copies)), "the strings of all constants together have more than 4194304 bytes");
}

#[test]
fn limits_leave_room() {
    read(&format!("int {}f{}(int {});", "(".repeat(8), ")".repeat(8), "*".repeat(60)));
    read(&format!("{}int x;{}", "struct { ".repeat(16), "} y;".repeat(15) + "};"));
    read(&format!("#define A {}1{}", "(".repeat(60), ")".repeat(60)));
    read("void f(int (*a)(int (*)(void (*)(int (*)(int (*)(int (*)(int)))))));");
    let parameters = vec!["int"; 1000].join(",");
    read(&format!("int f({parameters});"));
}

/// The parser must not try the same thing twice at each level.
#[test]
fn time_is_linear_in_the_source() {
    for worst in [
        "typedef int t; int f(int (t (t (t (t (t (t (t 5))))))));",
        "typedef int t; int f(t (t (t (t (t (t (t (t int x))))))));",
        "typedef int t; t ((t ((t ((t ((t *))))))));",
        "int f(int (*(*(*(*(x)(int))(int))(int))(int)));",
        "int ((((((((x)(int))(int))(int))(int))(int))(int))(int);",
        "struct { struct { struct { struct { struct { struct { struct { struct { struct { int (((((x))))); 5",
        "int f(((((((((",
    ] {
        let start = Instant::now();
        for _ in 0..20 {
            let _ = cdef::parse(worst);
        }
        assert!(start.elapsed() < Duration::from_secs(2), "{worst}: {:?} for 20", start.elapsed());
    }
}

#[test]
fn long_lists_are_fine() {
    let many = 10_000;
    let start = Instant::now();
    read(&"int f(int a);\n".repeat(many));
    read(&format!(
        "struct s {{ {} }};",
        (0..many).map(|index| format!("int a{index} [[length(2)]];")).collect::<String>()
    ));
    read(&format!("enum e {{ {} }};", (0..many).map(|index| format!("A{index} = {index},")).collect::<String>()));
    read(&(0..many).map(|index| format!("#define A{index} {index}\n")).collect::<String>());
    read(&format!("#define A {}1", "1 + ".repeat(many)));
    read(&format!("{}int f(void);", "const ".repeat(many)));
    let wide = (0..many).map(|index| format!("[[owned]] char *f{index}(int a [[nonnull]]); ")).collect::<String>();
    refuse(&format!("{wide}int f(@foo);"), "unknown type name `foo`");
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

/// A generator of numbers that are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

const PIECES: [&str; 62] = [
    "int",
    "char",
    "long",
    "unsigned",
    "void",
    "double",
    "struct",
    "union",
    "enum",
    "typedef",
    "const",
    "static",
    "extern",
    "s",
    "t",
    "f",
    "x",
    "size_t",
    "(",
    ")",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "[[",
    "]]",
    ";",
    ";",
    ",",
    "*",
    "*",
    "=",
    ":",
    "...",
    "1",
    "0x",
    "1.5",
    "'a'",
    "\"C\"",
    "'",
    "\"",
    "\n#define A 1\n",
    "\n#define ",
    "\n#",
    "//",
    "/*",
    "*/",
    "\\\n",
    "\r\n",
    "owned",
    "length(n)",
    "::",
    "tombolo",
    "__attribute__((packed))",
    "__attribute__((",
    "é",
    "\u{0}",
    "@",
    "+",
    "-",
];

#[test]
fn any_tokens() {
    let mut random = Random(1);
    let mut accepted = 0;
    for _ in 0..20_000 {
        let count = 1 + random.below(25);
        let source: String = (0..count).map(|_| PIECES[random.below(PIECES.len())]).collect::<Vec<_>>().join(" ");
        check(&source, &mut accepted);
    }
    assert!(accepted > 20, "{accepted} are accepted");
}

/// Declarations that are right but for a piece or two.
#[test]
fn broken_declarations() {
    let right = "#define N 3\ntypedef struct s { int x [[nonnull]]; char name[N]; } s; enum e { A , B = N + 'a' } ;\n\
                 extern \"C\" { double *f(const double *a, s *b [[out]], int (*c)(int x)) [[owned(free), length(n)]]; }\n\
                 struct [[packed]] g { union { int i; float f; }; } __attribute__((const));";
    let mut random = Random(2);
    let mut accepted = 0;
    read(right);
    for _ in 0..5000 {
        let mut source = right.to_owned();
        for _ in 0..1 + random.below(3) {
            let at = random.below(source.len());
            let end = (at + random.below(6)).min(source.len());
            if source.is_char_boundary(at) && source.is_char_boundary(end) {
                source.replace_range(at..end, PIECES[random.below(PIECES.len())]);
            }
        }
        check(&source, &mut accepted);
    }
    assert!(accepted > 20, "{accepted} are accepted");
}

#[test]
fn any_bytes() {
    let mut random = Random(3);
    for _ in 0..5000 {
        let count = random.below(40);
        let bytes: Vec<u8> = (0..count).map(|_| u8::try_from(random.below(256)).unwrap()).collect();
        check(&String::from_utf8_lossy(&bytes), &mut 0);
    }
}

/// Whatever comes: an error has a place within the source.
fn check(source: &str, accepted: &mut usize) {
    match cdef::parse(source) {
        Ok(_) => *accepted += 1,
        Err(error) => {
            let position = error.position();
            if position.file != 0 {
                // A line marker says that it is elsewhere.
                assert!(source.contains('#'), "{source:?}: {error}");
                return;
            }
            let line = source.split('\n').nth(position.line - 1).unwrap_or_else(|| panic!("{source:?}: {error}"));
            assert!((1..=line.chars().count() + 1).contains(&position.column), "{source:?}: {error}");
            assert!(error.to_string().lines().count() / 3 == 1 + error.others().len(), "{source:?}: {error}");
        }
    }
}

#[test]
fn macros_cannot_grow() {
    let bomb: String = (1..64).map(|index| format!("#define A{index} A{0} A{0}\n", index - 1)).collect();
    assert!(message(&format!("{bomb}int f(A63);")).starts_with("macros expand to more than"));
    let functions: String = (1..64).map(|index| format!("#define A{index}(x) A{0}(x) A{0}(x)\n", index - 1)).collect();
    assert!(message(&format!("{functions}int f(A63(1));")).starts_with("macros expand to more than"));
    let deep = format!("#define F(x) x\nint f({}1{});", "F(".repeat(10_000), ")".repeat(10_000));
    assert!(message(&deep).starts_with("macros are nested more than"));
    // One that stands for itself is left alone, and so is one without an end.
    read("#define f f\n#define g h\n#define h g\nint f(int g);");
    let _ = cdef::parse(&format!("#define F(x) x\nint f({}", "F(".repeat(100_000)));
    let chain: String = (1..300).map(|index| format!("#define B{index} B{}\n", index - 1)).collect();
    read(&format!("{chain}#define B0 int\nB299 f(void);"));
}

#[test]
fn files_cannot_go_on_for_ever() {
    let itself = |_: &str, _: bool, _: &str| {
        Some(cdef::Included { name: "a.h".to_owned(), text: "#include \"a.h\"\n".to_owned(), is_system: false })
    };
    let options = cdef::Options { include: Some(&itself), ..cdef::Options::default() };
    let error = cdef::read("#include \"a.h\"\n", &options).unwrap_err();
    assert!(error.message().starts_with("files include each other more than"), "{error}");
}
