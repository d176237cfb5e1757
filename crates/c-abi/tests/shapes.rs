//! Every shape of `guests/src/shapes.txt`: what clang made of it, against what the crate says.

use std::collections::{HashMap, HashSet};

use c_abi::{Addresses, Layout, Member, Number, Passed, RecordKind, RecordLayout, Scalar, Signature, enumeration};
use wasmparser::{ExternalKind, Operator, Parser, Payload, ValType};

/// What a guest says of itself.
struct Compiled {
    /// `size NAME` and so on.
    said: HashMap<String, u64>,
    signatures: HashMap<String, Signature>,
}

/// Reads a compiled guest: functions that return a constant, and the types of those that take and return a shape.
fn read(wasm: &[u8]) -> Compiled {
    let (mut types, mut functions, mut exports, mut bodies) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.expect("a valid module") {
            Payload::TypeSection(section) => {
                types.extend(section.into_iter_err_on_gc_types().map(|ty| ty.expect("a function's type")));
            }
            Payload::FunctionSection(section) => functions.extend(section.into_iter().map(|ty| ty.expect("a type"))),
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.expect("an export");
                    if export.kind == ExternalKind::Func {
                        exports.push((export.name.to_owned(), export.index as usize));
                    }
                }
            }
            Payload::CodeSectionEntry(body) => {
                let mut operators = body.get_operators_reader().expect("a body");
                bodies.push(match operators.read().expect("an operator") {
                    Operator::I64Const { value } => Some(value as u64),
                    _ => None,
                });
            }
            _ => {}
        }
    }
    let number = |ty: &ValType| match ty {
        ValType::I32 => Number::I32,
        ValType::I64 => Number::I64,
        ValType::F32 => Number::F32,
        ValType::F64 => Number::F64,
        other => panic!("{other}"),
    };
    let mut compiled = Compiled { said: HashMap::new(), signatures: HashMap::new() };
    for (name, index) in exports {
        if let Some(name) = name.strip_prefix("pass ") {
            let ty = &types[functions[index] as usize];
            let (params, result) = (ty.params().iter().map(number).collect(), ty.results().first().map(number));
            compiled.signatures.insert(name.to_owned(), Signature { params, result, by_room: false });
        } else if let Some(value) = bodies[index] {
            compiled.said.insert(name, value);
        }
    }
    compiled
}

/// A shape as the crate is told of it.
enum Shape {
    Scalar(Scalar),
    Record(RecordKind, Vec<(&'static str, Member)>, Options),
}

#[derive(Clone, Copy, Default)]
struct Options {
    align: usize,
}

/// The members of a record, by their names.
type Members = Vec<(&'static str, Member)>;

/// Everything that has been said so far about types with such addresses.
struct Shapes {
    addresses: Addresses,
    layouts: HashMap<&'static str, Layout>,
    records: HashMap<&'static str, (Members, RecordLayout)>,
}

impl Shapes {
    fn scalar(&self, scalar: Scalar) -> Member {
        Member::of(Layout::scalar(scalar, self.addresses))
    }

    fn of(&self, name: &str) -> Member {
        Member::of(self.layouts[name])
    }

    fn array(&self, element: Member, count: usize) -> Member {
        Member::of(element.layout.array(count))
    }

    fn bits(&self, scalar: Scalar, bits: u32) -> Member {
        Member { bits: Some(bits), ..self.scalar(scalar) }
    }

    fn flexible(&self, scalar: Scalar) -> Member {
        Member { is_flexible: true, ..self.array(self.scalar(scalar), 0) }
    }

    fn add(&mut self, name: &'static str, shape: Shape) {
        let layout = match shape {
            Shape::Scalar(scalar) => Layout::scalar(scalar, self.addresses),
            Shape::Record(kind, members, options) => {
                let list: Vec<Member> = members.iter().map(|(_, member)| *member).collect();
                let made = RecordLayout::aligned(kind, &list, None, options.align).expect("a small record");
                let layout = made.layout;
                self.records.insert(name, (members, made));
                layout
            }
        };
        assert!(self.layouts.insert(name, layout).is_none(), "{name} is said twice");
    }

    fn structure(&mut self, name: &'static str, members: &[(&'static str, Member)]) {
        self.add(name, Shape::Record(RecordKind::Struct, members.to_vec(), Options::default()));
    }

    fn aligned(&mut self, name: &'static str, align: usize, members: &[(&'static str, Member)]) {
        self.add(name, Shape::Record(RecordKind::Struct, members.to_vec(), Options { align }));
    }

    fn union(&mut self, name: &'static str, members: &[(&'static str, Member)]) {
        self.add(name, Shape::Record(RecordKind::Union, members.to_vec(), Options::default()));
    }

    fn all(addresses: Addresses) -> Self {
        use Scalar::{Address, Bool, F32, F64, F128, I8, I16, I32, I64, SignedAddress, U8, U16, U32, U64};
        let mut s = Self { addresses, layouts: HashMap::new(), records: HashMap::new() };
        for (name, scalar) in [
            ("i8", I8),
            ("u8", U8),
            ("i16", I16),
            ("u16", U16),
            ("i32", I32),
            ("u32", U32),
            ("i64", I64),
            ("u64", U64),
            ("word", SignedAddress),
            ("size", Address),
            ("f32", F32),
            ("f64", F64),
            ("f128", F128),
            ("truth", Bool),
            ("pointer", Address),
            ("function", Address),
            ("small_enum", enumeration(0, 1)),
            ("signed_enum", enumeration(-1, 5)),
            ("large_enum", enumeration(0, 1 << 40)),
            ("large_signed_enum", enumeration(-1, 0xffff_ffff)),
        ] {
            s.add(name, Shape::Scalar(scalar));
        }
        s.structure("empty", &[]);
        s.union("empty_union", &[]);
        for (name, of) in [
            ("one_char", "i8"),
            ("one_float", "f32"),
            ("one_i64", "i64"),
            ("one_pointer", "pointer"),
            ("one_function", "function"),
            ("one_bool", "truth"),
            ("one_f128", "f128"),
            ("one_enum", "large_enum"),
            ("one_long", "word"),
            ("nested_one", "one_float"),
        ] {
            s.structure(name, &[("a", s.of(of))]);
        }
        let [char, short, int, long, float, double] = [I8, I16, I32, I64, F32, F64].map(|scalar| s.scalar(scalar));
        let (empty, pointer, size, word) = (s.of("empty"), s.of("pointer"), s.of("size"), s.of("word"));
        s.structure("two_ints", &[("a", int), ("b", int)]);
        s.structure("char_double", &[("a", char), ("b", double)]);
        s.structure("mixed", &[("a", char), ("b", short), ("c", char), ("d", long), ("e", pointer)]);
        s.structure("array_of_one", &[("a", s.array(float, 1))]);
        s.structure("array_of_one_one", &[("a", s.array(s.array(short, 1), 1))]);
        s.structure("array_of_two", &[("a", s.array(float, 2))]);
        s.structure("array_of_none", &[("b", int), ("a", s.array(long, 0))]);
        s.structure("array_of_none_first", &[("a", s.array(char, 0)), ("b", int)]);
        s.structure("only_array_of_none", &[("a", s.array(int, 0))]);
        s.structure("inner", &[("a", s.array(s.of("one_char"), 1))]);
        s.structure("nested_deep", &[("a", s.of("inner"))]);
        s.structure("nested_two", &[("a", s.of("two_ints")), ("b", char)]);
        s.structure("with_empty", &[("a", empty), ("b", int)]);
        s.structure("with_empties", &[("a", s.array(empty, 3)), ("b", short), ("c", s.of("empty_union"))]);
        s.structure("only_empties", &[("a", empty), ("b", s.array(empty, 2))]);
        let asking = |member: Member, align| Member { align: Some(align), ..member };
        let packed = |member: Member| Member { packed: true, ..member };
        s.structure("padded_by_align", &[("a", asking(int, 8))]);
        s.aligned("aligned_whole", 16, &[("a", int)]);
        s.aligned("aligned_same", 4, &[("a", int)]);
        s.structure("aligned_member", &[("a", char), ("b", asking(char, 4)), ("c", char)]);
        s.aligned("aligned_pointer", 8, &[("a", pointer)]);
        s.structure("packed_two", &[("a", packed(char)), ("b", packed(int))]);
        s.structure("packed_one", &[("a", packed(int))]);
        s.aligned("packed_aligned", 2, &[("a", packed(char)), ("b", packed(int))]);
        s.structure("packed_member", &[("a", char), ("b", packed(int)), ("c", short)]);
        s.structure("packed_with_aligned", &[("a", packed(char)), ("b", asking(packed(short), 4))]);
        s.structure("holds_packed", &[("a", char), ("b", s.of("packed_two"))]);
        s.union("union_one", &[("a", double)]);
        s.union("union_two", &[("a", int), ("b", float)]);
        s.union("union_sizes", &[("a", char), ("b", double), ("c", s.array(short, 7))]);
        s.union("union_with_empty", &[("a", empty), ("b", int)]);
        s.union("union_padded", &[("a", asking(int, 8))]);
        s.union("only_float", &[("a", float)]);
        s.structure("union_in_struct", &[("a", s.of("only_float"))]);
        s.union("int_or_double", &[("b", int), ("c", double)]);
        // What is named within the members without names lies where they do.
        s.structure("anonymous", &[("a", int), ("b", s.of("int_or_double")), ("d", s.of("one_char"))]);
        s.structure("flexible", &[("a", int), ("b", s.flexible(I32))]);
        s.structure("flexible_char", &[("a", long), ("b", s.flexible(I8))]);
        s.structure("flexible_padded", &[("a", int), ("b", char), ("c", s.flexible(I16))]);
        let unnamed = |member: Member| Member { is_named: false, ..member };
        s.structure("bits_one", &[("a", s.bits(I32, 5))]);
        s.structure("bits_two", &[("a", s.bits(I32, 5)), ("b", s.bits(I32, 3))]);
        s.structure("bits_char", &[("a", s.bits(U8, 3))]);
        s.structure("bits_bool", &[("a", s.bits(Bool, 1)), ("b", s.bits(Bool, 1))]);
        s.structure("bits_across", &[("a", s.bits(U32, 20)), ("b", s.bits(U32, 20))]);
        s.structure("bits_fill", &[("a", s.bits(U32, 20)), ("b", s.bits(U32, 12)), ("c", int)]);
        s.structure("bits_mixed", &[("a", s.bits(I8, 4)), ("b", s.bits(I32, 12)), ("c", char)]);
        s.structure("bits_small_then_large", &[("a", s.bits(U8, 4)), ("b", s.bits(U32, 28))]);
        s.structure("bits_no_name", &[("a", s.bits(I32, 3)), ("", unnamed(s.bits(I32, 5))), ("b", s.bits(I32, 4))]);
        s.structure("bits_only_no_name", &[("", unnamed(s.bits(I32, 5)))]);
        s.structure("bits_zero", &[("a", s.bits(I8, 3)), ("", unnamed(s.bits(I32, 0))), ("b", s.bits(I8, 2))]);
        s.structure("bits_zero_char", &[("a", s.bits(I32, 3)), ("", unnamed(s.bits(I8, 0))), ("b", s.bits(I32, 2))]);
        s.structure("bits_wide", &[("a", s.bits(U64, 40)), ("b", s.bits(U64, 10))]);
        s.structure("bits_whole", &[("a", s.bits(U64, 64))]);
        s.structure("bits_after_char", &[("a", char), ("b", s.bits(I32, 9))]);
        s.structure("bits_before_short", &[("a", s.bits(U32, 17)), ("b", short)]);
        let packed_bits = |bits| packed(s.bits(U32, bits));
        let list = [("a", packed_bits(20)), ("b", packed_bits(20)), ("c", packed_bits(10))];
        let member = [("a", packed_bits(3)), ("b", packed(int))];
        s.structure("bits_packed", &list);
        s.structure("bits_packed_member", &member);
        s.structure("bits_aligned", &[("a", s.bits(I32, 3)), ("b", asking(s.bits(I32, 2), 4))]);
        s.union("bits_union", &[("a", s.bits(U32, 3)), ("b", char)]);
        s.structure("bits_enum", &[("a", s.bits(U32, 2)), ("b", s.bits(U32, 3))]);
        s.structure("bits_long", &[("a", s.bits(Address, 30)), ("b", s.bits(Address, 20))]);
        s.structure("pointers", &[("a", char), ("b", pointer), ("c", size)]);
        s.structure("words", &[("a", int), ("b", word)]);
        s.structure("strings", &[("a", s.array(char, 16)), ("b", pointer)]);
        s.structure("matrix", &[("a", s.array(s.array(float, 4), 3)), ("b", char)]);
        let _ = U16;
        s
    }
}

/// The members whose places are compared, by the name of the type.
fn list() -> Vec<(&'static str, Vec<&'static str>)> {
    let lines = include_str!("../../../guests/src/shapes.txt").lines();
    lines
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut parts = line.splitn(3, '|');
            let (name, members) = (parts.next()?.trim(), parts.next()?);
            Some((name, members.split_whitespace().collect()))
        })
        .collect()
}

#[test]
fn what_clang_makes_of_them() {
    let guests: [&[u8]; 2] =
        [include_bytes!("../../../guests/shapes.wasm"), include_bytes!("../../../guests/shapes64.wasm")];
    for (addresses, wasm) in Addresses::ALL.into_iter().zip(guests) {
        let (compiled, shapes) = (read(wasm), Shapes::all(addresses));
        let wrong = std::cell::RefCell::new(Vec::new());
        let mut compared = HashSet::new();
        let mut compare = |what: String, theirs: Option<u64>, ours: u64| {
            assert!(compared.insert(what.clone()), "{what} is compared twice");
            if theirs != Some(ours) {
                wrong.borrow_mut().push(format!("{what}: clang says {theirs:?}, and we {ours}"));
            }
        };
        for (name, members) in list() {
            let layout = shapes.layouts[name];
            let said = |what: &str| compiled.said.get(what).copied();
            compare(format!("size {name}"), said(&format!("size {name}")), layout.size as u64);
            compare(format!("align {name}"), said(&format!("align {name}")), layout.align as u64);
            for member in members.into_iter().filter(|_| name != "anonymous" && name != "nested_deep") {
                let (list, made) = &shapes.records[name];
                let is_bits = member.ends_with(':');
                let member = member.trim_end_matches(':');
                let at = list.iter().position(|(known, _)| *known == member).expect("a member that is known");
                let place = made.places[at];
                if is_bits {
                    let what = format!("bits {name}.{member}");
                    let width = list[at].1.bits.expect("a bit-field");
                    let ones = if width == 64 { u64::MAX } else { (1 << width) - 1 };
                    compare(what.clone(), said(&what), ones << (place.offset as u32 * 8 + place.bit));
                } else {
                    let what = format!("offset {name}.{member}");
                    compare(what.clone(), said(&what), place.offset as u64);
                }
            }
            let ours = Signature::new([layout.passed], Some(layout.passed), false, addresses);
            let theirs = &compiled.signatures[name];
            if (&ours.params, ours.result) != (&theirs.params, theirs.result) {
                wrong.borrow_mut().push(format!("pass {name}: clang says {theirs:?}, and we {ours:?}"));
            }
        }
        assert_eq!(wrong.into_inner(), Vec::<String>::new(), "with addresses of {} bytes", addresses.size());
        assert!(compared.len() > 250, "only {} compared", compared.len());
    }
}

#[test]
fn whole_signatures() {
    let guests: [&[u8]; 2] =
        [include_bytes!("../../../guests/shapes.wasm"), include_bytes!("../../../guests/shapes64.wasm")];
    for (addresses, wasm) in Addresses::ALL.into_iter().zip(guests) {
        let (compiled, shapes) = (read(wasm), Shapes::all(addresses));
        let of = |name: &str| shapes.layouts[name].passed;
        let check = |name: &str, ours: Signature| {
            let theirs = &compiled.signatures[name];
            assert_eq!((&ours.params, ours.result), (&theirs.params, theirs.result), "{name}");
        };
        check("variadic", Signature::new([of("i32")], Some(of("i32")), true, addresses));
        let many = ["i8", "empty", "one_float", "two_ints", "f64"].map(of);
        check("many", Signature::new(many, Some(of("two_ints")), false, addresses));
        check("nothing", Signature::new([], None, false, addresses));
    }
}

#[test]
fn what_is_too_large() {
    let huge = Layout { size: c_abi::LARGEST, align: 1, passed: Passed::Address };
    let members = [Member::of(Layout::scalar(Scalar::I8, Addresses::Narrow)), Member::of(huge)];
    assert_eq!(RecordLayout::new(RecordKind::Struct, &members, None), Err(1));
    assert!(RecordLayout::new(RecordKind::Union, &members, None).is_ok());
    let beyond = Member::of(Layout { size: usize::MAX, ..huge });
    assert_eq!(RecordLayout::new(RecordKind::Struct, &[members[0], beyond], None), Err(1));
    let far = Member { align: Some(1 << 63), ..members[0] };
    assert_eq!(RecordLayout::new(RecordKind::Struct, &[far], None), Err(0));
    assert_eq!(Layout::scalar(Scalar::I64, Addresses::Narrow).checked_array(usize::MAX), None);
}

#[test]
fn what_pragma_pack_does() {
    let [char, int] = [Scalar::I8, Scalar::I32].map(|scalar| Member::of(Layout::scalar(scalar, Addresses::Narrow)));
    let packed = RecordLayout::new(RecordKind::Struct, &[char, int, char], Some(2)).expect("small");
    assert_eq!((packed.layout.size, packed.layout.align, packed.places[1].offset), (8, 2, 2));
}
