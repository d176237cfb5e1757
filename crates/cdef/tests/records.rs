//! Structs, unions and enums.

use crate::common::{INT, const_pointer, int, pointer, read, record, refuse};
use cdef::{Field, RecordKind, Type, Value, Width};

fn names(fields: &Option<Vec<Field>>) -> Vec<&str> {
    fields.as_ref().expect("fields").iter().map(|field| field.name.as_deref().unwrap_or("")).collect()
}

#[test]
fn fields() {
    let source = "struct point { double x, y; };\n\
                  typedef struct { int id; char name[16]; struct point at; const char *label; void (*call)(int); } item;";
    let declarations = read(source);
    let [point, item] = declarations.records.as_slice() else { panic!("two records") };
    assert_eq!((point.kind, point.name.as_deref()), (RecordKind::Struct, Some("point")));
    assert_eq!(names(&point.fields), ["x", "y"]);
    assert_eq!(item.name.as_deref(), Some("item"));
    let types: Vec<_> = item.fields.iter().flatten().map(|field| field.ty.clone()).collect();
    assert_eq!(types[..3], [INT, Type::Array(Box::new(Type::Char), 16), Type::Record(0)]);
    assert_eq!(types[3], const_pointer(Type::Char));
    assert!(matches!(&types[4], Type::Pointer(pointee) if matches!(pointee.ty, Type::Function(_))));
    assert_eq!(declarations.typedefs[0].ty, Type::Record(1));
}

#[test]
fn unions_and_nested_records() {
    let declarations =
        read("union number { int i; float f; struct { int a; union { int b; int c; }; } parts; struct { int d; }; };");
    let [outer, parts, inner, anonymous] = declarations.records.as_slice() else { panic!("four records") };
    assert_eq!(outer.kind, RecordKind::Union);
    assert_eq!(names(&outer.fields), ["i", "f", "parts", ""]);
    assert_eq!((names(&parts.fields), &parts.name), (vec!["a", ""], &None));
    assert_eq!((names(&inner.fields), inner.kind), (vec!["b", "c"], RecordKind::Union));
    assert_eq!(names(&anonymous.fields), ["d"]);
    assert_eq!(outer.fields.as_ref().unwrap()[3].ty, Type::Record(3));
    assert_eq!(names(&record("struct e { };").fields), Vec::<&str>::new());
}

#[test]
fn types_within_records_are_known_outside() {
    let declarations = read(
        "struct outer { struct inner { int a; } x; struct other { int c; }; enum { ONE = 1 } e; }; struct inner f(void);",
    );
    assert_eq!(names(&declarations.records[0].fields), ["x", "e"]);
    assert_eq!(declarations.functions[0].signature.result, Type::Record(1));
    assert_eq!(declarations.constants[0].name, "ONE");
}

#[test]
fn incomplete_records() {
    let declarations =
        read("struct node; struct node { struct node *next; struct list *list; }; void f(struct unseen *);");
    let names: Vec<_> = declarations.records.iter().map(|record| record.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["node", "list", "unseen"]);
    assert_eq!(declarations.records[0].fields.as_ref().unwrap()[0].ty, pointer(Type::Record(0)));
    assert!(declarations.records[1].fields.is_none());
    refuse("struct s { struct s @again; };", "the size of `struct s` is not known here");
    refuse("struct s { struct s again@[2]; };", "the size of `struct s` is not known here");
    refuse("union u; struct s { union u @x; };", "the size of `union u` is not known here");
}

#[test]
fn fields_that_cannot_be() {
    refuse("struct s { float @x : 3; };", "only an integer can be a bit-field");
    refuse("struct s { char @x : 9; };", "this bit-field has 9 bits, and its type only 8");
    refuse("struct s { int @x : 0; };", "a bit-field with a name has at least one bit");
    refuse("struct s { int a@[]; int b; };", "only the last field of a struct can be an array without a size");
    refuse("struct s { double a[@-1]; };", "the size of an array cannot be negative");
    refuse("struct s { void @x; };", "a field cannot have the type `void`");
    refuse("struct s { int @f(void); };", "a field cannot be a function, only a pointer to one");
    refuse("struct s { @int; };", "this field has no name");
    refuse("struct s { int x; int @x; };", "there is another field `x` in this record");
    refuse("struct s { int x; @struct { int x; }; };", "there is another field `x` in this record");
    refuse("struct s { int x __attribute__((@aligned(3))); };", "an alignment is a power of two");
}

#[test]
fn packed() {
    for source in [
        "struct [[packed]] s { char a; int b; };",
        "struct s [[packed]] { char a; int b; };",
        "struct s { char a; int b; } [[packed]];",
        "[[packed]] struct s { char a; int b; };",
        "struct __attribute__((packed)) s { char a; int b; };",
        "struct s { char a; int b; } __attribute__((__packed__, deprecated));",
        "__attribute__((packed)) struct s { char a; int b; };",
        "typedef struct { char a; int b; } __attribute__((packed)) s;",
        "typedef struct { char a; int b; } s [[packed]];",
        "typedef struct { char a; int b; } s __attribute__((packed));",
        "struct [[packed]] s; struct s { char a; int b; };",
    ] {
        let record = record(source);
        assert!(record.annotations.packed.is_some(), "{source}");
        assert_eq!(record.name.as_deref(), Some("s"), "{source}");
    }
    assert!(record("struct s { char a; };").annotations.packed.is_none());
    refuse(
        "struct s { int a; }; typedef struct s t [[@packed]];",
        "`packed` belongs to the definition of a struct or union",
    );
    refuse("typedef int t [[@packed]];", "`packed` belongs to the definition of a struct or union");
}

#[test]
fn definitions_again() {
    let declarations = read(
        "struct s { int a [[length(2)]]; struct { int b; } c; }; struct s { int a [[length(2)]]; struct { int b; } c; };\n\
         enum e { A, B = 3 }; enum e { A, B = 3 }; enum e f(void);",
    );
    assert_eq!((declarations.records.len(), declarations.enums.len(), declarations.constants.len()), (2, 1, 2));
    refuse("struct s { int a; };\nstruct @s { long a; };", "`struct s` is defined differently on line 1");
    refuse("struct s { int *a; };\nstruct @s { int *a [[nonnull]]; };", "`struct s` is defined differently on line 1");
    refuse("enum e { A };\nenum @e { A, B };", "`enum e` is defined differently on line 1");
    refuse("struct s { struct @s { int a; } b; };", "`struct s` is defined differently on line 1");
    refuse("struct s; union @s *f(void);", "`s` is declared as `struct s` before");
    refuse("struct s; enum @s { A };", "`s` is declared as `struct s` before");
}

#[test]
fn enums() {
    let declarations = read(
        "#define BASE 10\ntypedef enum { RED, GREEN = 4, BLUE, } colour;\n\
         enum level { LOW = -BASE, MIDDLE,\n#define HIGH_OF (LOW * 2)\n HIGH = HIGH_OF - 'A', TOP = 1 << 4 | 1 };\ncolour f(enum level);",
    );
    let [colour, level] = declarations.enums.as_slice() else { panic!("two enums") };
    let members =
        |pairs: &[(&str, i64)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect::<Vec<_>>();
    assert_eq!((colour.name.as_deref(), level.name.as_deref()), (Some("colour"), Some("level")));
    assert_eq!(colour.members, members(&[("RED", 0), ("GREEN", 4), ("BLUE", 5)]));
    assert_eq!(level.members, members(&[("LOW", -10), ("MIDDLE", -9), ("HIGH", -85), ("TOP", 17)]));
    let names: Vec<_> = declarations.constants.iter().map(|constant| constant.name.as_str()).collect();
    assert_eq!(names, ["RED", "GREEN", "BLUE", "LOW", "MIDDLE", "HIGH", "TOP", "BASE", "HIGH_OF"]);
    assert_eq!(declarations.constants[6].value, Value::Integer(17));
    assert_eq!(declarations.functions[0].signature.result, Type::Enum(0));
    assert_eq!(declarations.functions[0].signature.params[0].ty, Type::Enum(1));
}

#[test]
fn constants_between_enumerators() {
    let source = "typedef enum { A = 2,\n#define B (A + 1)\n C = B } e [[view]]; int f(void) [[fails(B)]];";
    let declarations = read(source);
    assert_eq!(declarations.enums[0].members[1], ("C".to_owned(), 3));
}

#[test]
fn types_of_enums() {
    for (members, width, signed) in [
        ("A", Width::W32, false),
        ("A = -1, B = 2147483647", Width::W32, true),
        ("A = 4294967295", Width::W32, false),
        ("A = -1, B = 4294967295", Width::W64, true),
        ("A = 1LL << 40", Width::W64, false),
    ] {
        assert_eq!(read(&format!("enum {{ {members} }};")).enums[0].ty(), int(width, signed), "{members}");
    }
}

#[test]
fn enums_that_cannot_be() {
    refuse("enum { @};", "expected a name, found `}`");
    refuse("enum { A @B };", "expected `,` or `}`, found `B`");
    refuse("enum { A = @, B };", "expected a value");
    refuse("enum { A, @A };", "`A` is a constant already");
    refuse("int A(void); enum { @A };", "`A` is a function already");
    refuse("enum { A = @1.5 };", "the value of an enumerator must be an integer");
    refuse("enum { A = @X };", "`X` is not a constant");
    refuse("enum { A = 9223372036854775807, @B };", "the value of `B` does not fit a signed integer of 64 bits");
    refuse("enum { @A = 18446744073709551615u };", "the value of `A` does not fit a signed integer of 64 bits");
    refuse("enum @e f(void);", "`enum e` is not defined");
    refuse("enum e : @float { A };", "an enum is of an integer type");
    refuse(
        "enum e { A } [[@utf8]];",
        "`utf8` belongs to a parameter or a function's result or a field or a typedef, not to an enum",
    );
}

#[test]
fn types_cannot_be_defined_in_parameters() {
    refuse("void f(struct s @{ int a; } x);", "a type cannot be defined within parentheses: define it first");
    refuse("void f(enum @{ A } x);", "a type cannot be defined within parentheses: define it first");
}
