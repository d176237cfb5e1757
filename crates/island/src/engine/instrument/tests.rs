//! What instrumentation changes, and that it changes nothing else.

use wasmparser::{Parser, Payload, Validator};

use super::*;
use crate::memory::ground::Ground;

pub(crate) fn is_valid(bytes: &[u8]) -> Result<()> {
    Validator::new_with_features(WasmFeatures::all()).validate_all(bytes).map(drop)
}

fn made(preparation: Instrumentation) -> Option<Instrumented> {
    if let Instrumentation::Made(instrumented) = preparation { Some(instrumented) } else { None }
}

/// Where each instruction of each function starts and ends; and the custom sections.
fn instructions(bytes: &[u8]) -> (Vec<Vec<Range<usize>>>, Vec<Range<usize>>) {
    let (mut functions, mut custom) = (Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(bytes).map(|payload| payload.unwrap()) {
        match payload {
            Payload::CodeSectionEntry(body) => {
                let mut reader = body.get_operators_reader().unwrap();
                let mut function = Vec::new();
                while !reader.eof() {
                    let start = reader.original_position();
                    reader.read().unwrap();
                    function.push(start..reader.original_position());
                }
                functions.push(function);
            }
            Payload::CustomSection(section) => custom.push(section.range()),
            _ => {}
        }
    }
    (functions, custom)
}

fn check_copy(bytes: &[u8], instrumented: &Instrumented, from: &Range<usize>, to: &Range<usize>) {
    assert_eq!(bytes[from.clone()], instrumented.bytes[to.clone()]);
    assert!(from.clone().eq(to.clone().map(|at| instrumented.record.offsets.original(at))));
}

/// Checks what must be true of the instrumentation of any valid module.
pub(crate) fn check(bytes: &[u8], instrumented: &Instrumented) {
    is_valid(&instrumented.bytes).unwrap();
    let (functions, custom) = instructions(bytes);
    let (instrumented_functions, instrumented_custom) = instructions(&instrumented.bytes);
    for (from, to) in custom.iter().zip(&instrumented_custom) {
        check_copy(bytes, instrumented, from, to);
    }
    assert_eq!((functions.len(), custom.len()), (instrumented_functions.len(), instrumented_custom.len()));
    for (function, instrumented_function) in functions.iter().zip(&instrumented_functions) {
        // Inserted code has the offset of what it replaces or of what follows it.
        let original = |range: &Range<usize>| instrumented.record.offsets.original(range.start);
        let mut groups = instrumented_function.chunk_by(|a, b| original(a) == original(b));
        let (mut is_entry, mut is_head) = (true, false);
        for from in function {
            let group = groups.next().unwrap();
            assert!(
                group.iter().flat_map(Clone::clone).all(|at| from.contains(&instrumented.record.offsets.original(at)))
            );
            let to = group.last().unwrap();
            let is_wait = bytes[from.start] == 0xfe && bytes[from.start + 1] < 3;
            if !is_wait {
                check_copy(bytes, instrumented, from, to);
            }
            let least = 1 + 3 * (usize::from(is_head) + usize::from(is_wait));
            // A poll load at the entry, and a call that tells of growth.
            let is_growth = bytes[from.start] == 0x40;
            let most = least + 3 * (usize::from(is_entry) + usize::from(is_growth));
            assert!((least..=most).step_by(3).any(|length| length == group.len()), "{group:?}");
            (is_entry, is_head) = (false, bytes[from.start] == 3);
        }
        assert!(groups.next().is_none());
    }
    assert_eq!(instrumented.record.offsets.original(instrumented.bytes.len()), bytes.len());
    let record = instrumented.record.to_bytes();
    assert_eq!(format!("{:?}", Record::from_bytes(&record).unwrap()), format!("{:?}", instrumented.record));
    assert!((1..8).all(|missing| Record::from_bytes(&record[..record.len() - missing]).is_none()));
}

fn instrument_text(text: &str) -> Option<Instrumented> {
    let bytes = wat::parse_str(text).unwrap();
    is_valid(&bytes).unwrap();
    made(instrument(&bytes, true, true)).inspect(|instrumented| check(&bytes, instrumented))
}

fn loads(bytes: &[u8], load: &[u8]) -> usize {
    bytes.windows(load.len()).filter(|window| *window == load).count()
}

/// A letter for what each memory stands on.
fn grounds(instrumented: &Instrumented) -> String {
    let letter = |source: &Source| match source {
        Source::Zeros => 'Z',
        Source::Pieces(_) => 'I',
        Source::PollPage => 'P',
    };
    instrumented.record.memories.iter().map(letter).collect()
}

#[test]
fn polls() {
    let indirect = "(type (func)) (table 1 funcref) (func (call_indirect (i32.const 0)))";
    for (text, count) in [
        ("(func (loop))", 1),
        ("(func (result i32) i32.const 0 (loop (param i32) (result i32) (loop (param i32) (result i32))))", 2),
        ("(func (local i32 i64 f64) (call 0))", 1),
        ("(func (call 1)) (func (loop (call 0)))", 2),
        ("(func (return_call 1)) (func (return_call 0))", 1),
        ("(import \"m\" \"f\" (func)) (func (call 0)) (func (call 2))", 1),
        (indirect, 1),
        ("(type (func)) (table 1 funcref) (func (return_call_indirect (i32.const 0)))", 1),
        ("(type $t (func)) (func (param (ref $t)) (call_ref $t (local.get 0)))", 1),
        ("(type $t (func)) (func (param (ref $t)) (loop (return_call_ref $t (local.get 0))))", 2),
        ("(func (loop) f64.const 7 drop (drop (v128.const i64x2 3 3)) (try_table) (br_table 0 (i32.const 3)))", 1),
    ] {
        for (memories, index, grounds) in [
            ("", 0, "P"),
            ("(import \"m\" \"m\" (memory 1 1))", 1, "P"),
            (
                "(memory 1 1) (memory 0 1) (memory i64 1 1) (memory 1 1 shared) (data (memory 2) (i64.const 0) \"a\")",
                4,
                "ZIZP",
            ),
        ] {
            // Imports come first.
            let (imports, rest) = text.split_at(text.find("(func (call 0)) (func (call 2)").unwrap_or(0));
            let instrumented = instrument_text(&format!("(module {imports} {memories} {rest})")).unwrap();
            assert!(instrumented.record.atomic_imports.is_none());
            assert_eq!(self::grounds(&instrumented), grounds);
            assert_eq!(loads(&instrumented.bytes, &[0x41, 0, 0xfe, 0x12, 0x40, index, 0, 0x1a]), count, "{text}");
        }
    }
}

#[test]
fn nothing_to_do() {
    for text in
        ["", "(func) (start 0)", "(import \"m\" \"f\" (func)) (func (call 0)) (func (call 3)) (func)", "(memory 1)"]
    {
        assert!(instrument_text(&format!("(module {text})")).is_none());
    }
    assert!(matches!(instrument(&wat::parse_str("(component)").unwrap(), true, true), Instrumentation::Unneeded(_)));
}

const WAITS: &str = "(import \"m\" \"n\" (memory 1 1 shared)) (memory 1 1 shared) (memory i64 1 1 shared)
    (rec (type (struct)) (type (func)) (type (func))) (type (array i8)) (table 1 funcref)
    (func $f (param i32 i64) (loop)
        (drop (memory.atomic.notify 2 offset=0x9000000000000000 (local.get 1) (local.get 0)))
        (drop (memory.atomic.wait32 1 offset=0x80 (local.get 0) (local.get 0) (local.get 1)))
        (drop (memory.atomic.wait64 2 (local.get 1) (local.get 1) (local.get 1)))
        (drop (memory.atomic.wait32 2 offset=64 (local.get 1) (local.get 0) (local.get 1)))
        (drop (memory.atomic.notify 1 (memory.atomic.notify 1 (local.get 0) (local.get 0)) (local.get 0)))
        (drop (memory.atomic.wait64 1 (local.get 0) (local.get 1) (local.get 1))))
    (func $s) (@custom \"c\" (after code) \"abc\")";

#[test]
fn waits() {
    for (text, prefix, start) in [
        ("", "tombolo", false),
        ("(start $s)", "tombolo", true),
        ("(start $s) (export \"tombol\" (func 0))", "tombolo", true),
        ("(export \"tombolowaits\" (func 0))", "tombolo\0", false),
        ("(export \"tombolo\\00\\00x\" (func 0)) (export \"tombolo\" (func 0))", "tombolo\0\0\0", false),
    ] {
        let instrumented = instrument_text(&format!("(module {WAITS} {text})")).unwrap();
        let imports = instrumented.record.atomic_imports.unwrap();
        assert_eq!(imports.start, start);
        assert_eq!((&*imports.prefix, &*imports.memories), (prefix, &[1, 2][..]));
        let instructions = [Instruction::Wait32, Instruction::Wait64, Instruction::Notify];
        let both = |instruction| [false, true].map(|wide| AtomicImport { instruction, wide });
        assert_eq!(imports.functions, instructions.map(both).concat());
        let names = [imports.table_name(), imports.memory_name(2), imports.start_name()];
        assert!(names[0] == format!("{prefix}waits") && names[1] == format!("{prefix}memory2"));
        let is_exported = |name: &String| loads(&instrumented.bytes, name.as_bytes()) > 0;
        assert_eq!(names.each_ref().map(is_exported), [true, true, start]);
        let code = [0x42, 0x80, 1, 0x41, 1, 0x41, 0, 0x11, 6, 1];
        assert!(loads(&instrumented.bytes, &code) == 1, "each type of a group counts");
    }
}

/// Instruments a module and returns the contents of the first memory that has an image, and the segments that are left.
fn images(text: &str, len: usize) -> (Vec<u8>, (usize, usize)) {
    let (original, instrumented) = (wat::parse_str(text).unwrap(), instrument_text(text).unwrap());
    let mut grounds = instrumented.record.memories.iter().map(|source| source.ground(&original).unwrap());
    let image = grounds.find_map(|ground| if let Ground::Image(image) = ground { Some(image) } else { None });
    let block = data_block::DataBlock::new(len, len, 0).unwrap();
    image.unwrap().write_to(&block).unwrap();
    let mut bytes = vec![0; len];
    block.read(0, &mut bytes).unwrap();
    (bytes, segments(&instrumented.bytes))
}

/// How many data segments there are, and how many bytes they hold together.
fn segments(bytes: &[u8]) -> (usize, usize) {
    let sections = Parser::new(0).parse_all(bytes).filter_map(|payload| match payload.unwrap() {
        Payload::DataSection(segments) => Some(segments),
        _ => None,
    });
    let segments: Vec<_> = sections.flatten().map(|segment| segment.unwrap().data.len()).collect();
    (segments.len(), segments.iter().sum())
}

#[test]
fn data_segments_that_cannot_fail_become_images() {
    let text = "(module (memory 1) (data (i32.const 2) \"abc\") (data (i32.const 5) \"de\") (data (i32.const 3) \"X\")
        (data (i32.const 65536) \"\") (data (i32.const 65535) \"z\")";
    let mut expected = vec![0; 65536];
    expected[2..7].copy_from_slice(b"aXcde");
    expected[65535] = b'z';
    assert_eq!(images(&format!("{text})"), 65536), (expected.clone(), (0, 0)));
    // Passive segments stay, and if an instruction names a segment, so do the indices of all.
    assert_eq!(images(&format!("{text} (data \"passive\"))"), 65536), (expected.clone(), (1, 7)));
    let named = "(data \"passive\") (func (data.drop 1))";
    assert_eq!(images(&format!("{text} {named})"), 65536), (expected, (6, 7)));
}

#[test]
fn an_image_is_of_its_module_alone() {
    let text = "(module (memory 1) (data (i32.const 2) \"abc\"))";
    let (original, instrumented) = (wat::parse_str(text).unwrap(), instrument_text(text).unwrap());
    let [source @ Source::Pieces(_)] = &*instrumented.record.memories else { panic!("an image") };
    assert!(source.ground(&original).is_some() && source.ground(&original[..original.len() - 1]).is_none());
}

#[test]
fn data_segments_that_may_fail_or_be_seen_stay() {
    for text in [
        "(memory 1) (data (i32.const 65535) \"ab\")",
        "(memory 1) (data (i32.const 0) \"a\") (data (i32.const 65537) \"\")",
        "(memory 1) (data (i32.const -1) \"a\")",
        "(import \"m\" \"m\" (memory 1)) (data (i32.const 0) \"a\")",
        "(import \"m\" \"m\" (memory 1)) (memory 1) (data (memory 1) (i32.const 0) \"a\") (data (i32.const 0) \"a\")",
        "(import \"m\" \"g\" (global i32)) (memory 1) (data (global.get 0) \"a\")",
        "(memory 1) (data (i32.add (i32.const 0) (i32.const 0)) \"a\")",
        "(memory 0) (data (i32.const 0) \"a\")",
        "(import \"m\" \"t\" (table 1 funcref)) (func) (elem (i32.const 0) 0) (memory 1) (data (i32.const 0) \"a\")",
        "(memory i64 1) (data (i64.const 0x100000000) \"a\")",
        "(memory 1 1 (pagesize 1)) (data (i32.const 1) \"a\")",
    ] {
        assert!(instrument_text(&format!("(module {text})")).is_none(), "{text}");
    }
}

#[test]
fn damaged_bytes() {
    let data = "(memory $own 1) (data (memory $own) (i32.const 0) \"a\") (data \"b\") (func (data.drop 0))";
    let bytes = wat::parse_str(format!("(module {WAITS} {data} (start $s))")).unwrap();
    for at in 0..bytes.len() {
        let whole =
            made(instrument(&bytes[..at], true, true)).map(|instrumented| instrumented.record.offsets.original(at));
        assert!(whole.is_none_or(|_| is_valid(&bytes[..at]).is_ok() || at > PREAMBLE.len()));
        for value in 0..=255 {
            let mut bytes = bytes.clone();
            bytes[at] = value;
            _ = instrument(&bytes, true, true);
        }
    }
}

#[test]
fn a_module_without_room_for_more_is_told() {
    let memories = |count: usize| "(memory 0)".repeat(count);
    let with = |count| wat::parse_str(format!("(module {} (func (loop (br 0))))", memories(count))).unwrap();
    assert!(matches!(instrument(&with(99), true, true), Instrumentation::Made(_)));
    assert!(matches!(instrument(&with(100), false, true), Instrumentation::Unneeded(_)));
    // Without a memory to load from, the loop asks the host.
    let instrumented = made(instrument(&with(100), true, true)).unwrap();
    is_valid(&instrumented.bytes).unwrap();
    assert_eq!(instrumented.record.atomic_imports.unwrap().functions, [POLL]);
    let tables = "(table 0 funcref)".repeat(100);
    let full = wat::parse_str(format!("(module {} {tables} (func (loop (br 0))))", memories(100))).unwrap();
    assert!(matches!(instrument(&full, true, true), Instrumentation::DoesNotFit));
}

#[test]
fn growth_is_told_unless_it_is_plainly_not_by_nothing() {
    let grow = |wide| AtomicImport { instruction: Instruction::Grow, wide };
    for (text, functions) in [
        ("(memory 1) (func (param i32) (result i32) (memory.grow (local.get 0)))", vec![grow(false)]),
        ("(memory 1) (func (result i32) (memory.grow (i32.const 0)))", vec![grow(false)]),
        ("(memory 1) (func (result i32) (memory.grow (i32.const 128)))", vec![grow(false)]),
        ("(memory i64 1) (func (param i64) (result i64) (memory.grow (local.get 0)))", vec![grow(true)]),
        ("(import \"m\" \"m\" (memory 1)) (func (result i32) (memory.grow (memory.size)))", vec![grow(false)]),
        ("(memory 1) (func (result i32) (memory.grow (i32.const 1)))", vec![]),
        ("(memory i64 1) (func (result i64) (memory.grow (i64.const -1)))", vec![]),
        ("(memory 1 1 shared) (func (result i32) (memory.grow (i32.const 0)))", vec![]),
        ("(memory 1) (func (result i32) (memory.grow (block (result i32) (i32.const 5))))", vec![grow(false)]),
    ] {
        let bytes = wat::parse_str(format!("(module {text})")).unwrap();
        let instrumented = made(instrument(&bytes, true, true));
        let imports = instrumented.as_ref().and_then(|instrumented| instrumented.record.atomic_imports.as_ref());
        assert_eq!(imports.map_or(&[][..], |imports| &imports.functions), functions, "{text}");
        if let Some(instrumented) = &instrumented {
            check(&bytes, instrumented);
        }
    }
    // A module without room for the table goes on without.
    let tables = "(table 0 funcref)".repeat(100);
    let full = format!("(module {tables} (memory 1) (func (result i32) (memory.grow (i32.const 0))))");
    let full = wat::parse_str(full).unwrap();
    assert!(matches!(instrument(&full, true, true), Instrumentation::Unneeded(_)));
}

#[test]
fn what_can_take_for_ever_without_a_cycle_polls() {
    let polls = |body: &str| {
        let text = format!("(module (memory 1) (func $f {body}) (func $g))");
        made(instrument(&wat::parse_str(text).unwrap(), true, true)).is_some()
    };
    assert!(polls("(call $g) (call $g)"));
    assert!(!polls("(call $g)"));
    assert!(polls("(memory.fill (i32.const 0) (i32.const 0) (i32.const 0))"));
}

#[test]
fn long_export_sections_have_first_what_the_compiler_looks_for() {
    let functions: String = (0..1200).map(|number| format!("(export \"f{number}\" (func 0))")).collect();
    let text = |exports: &str| {
        format!(
            "(module (memory 1) (memory 1) (table 1 funcref) (global i32 (i32.const 1)) (func (loop)) (tag) {functions}
            (export \"tag\" (tag 0)) (export \"tombolo\" (func 0)) (export \"m\" (memory 1)) {exports})"
        )
    };
    let exports = |bytes: &[u8]| -> Vec<(String, wasmparser::ExternalKind, u32)> {
        let mut sections = Parser::new(0).parse_all(bytes).filter_map(|payload| match payload.unwrap() {
            Payload::ExportSection(exports) => Some(exports),
            _ => None,
        });
        let exports = sections.next().unwrap().into_iter().map(|export| export.unwrap());
        exports.map(|export| (export.name.into(), export.kind, export.index)).collect()
    };
    let instrumented = instrument_text(&text("")).unwrap();
    let found = exports(&instrumented.bytes);
    let begins: Vec<_> = found[..5].iter().map(|(name, _, index)| (&**name, *index)).collect();
    // The third memory holds the polled byte.
    let own =
        [("m", 1), ("tombolo\0own1.0", 0), ("tombolo\0own2.0", 0), ("tombolo\0own2.2", 2), ("tombolo\0own3.0", 0)];
    assert_eq!(begins, own);
    let original = exports(&wat::parse_str(text("")).unwrap());
    let rest: Vec<_> = original.iter().filter(|(name, ..)| name != "m").cloned().collect();
    assert_eq!(found[5..], rest);
    // Reordering does not help if most exports are of those kinds; and a short section stays as it is.
    let globals: String = (0..600).map(|number| format!("(global (export \"g{number}\") i32 (i32.const 1))")).collect();
    let instrumented = instrument_text(&text(&globals)).unwrap();
    assert!(exports(&instrumented.bytes).iter().all(|(name, ..)| !name.contains("own")));
    let short = "(module (memory 1) (func (loop)) (export \"f\" (func 0)) (export \"m\" (memory 0)))";
    let instrumented = instrument_text(short).unwrap();
    assert_eq!(exports(&instrumented.bytes), exports(&wat::parse_str(short).unwrap()));
    // Waits go through a table of their own.
    let waits = format!("(module {WAITS} {functions})");
    let instrumented = instrument_text(&waits).unwrap();
    let found = exports(&instrumented.bytes);
    assert_eq!(found[0], ("tomboloown1.0".into(), wasmparser::ExternalKind::Table, 0));
    assert!(instrumented.record.atomic_imports.is_some() && found.last().unwrap().0.starts_with("tombolo"));
}

#[test]
fn what_is_added_and_recorded_is_proportional() {
    const LOOP: &str = "(loop (br_if 0 (local.get 0)))";
    let generate: [fn(usize) -> String; 6] = [
        |n| format!("(func (param i32) {LOOP})").repeat(n),
        |n| format!("(func (param i32) {})", LOOP.repeat(n)),
        |n| format!("(func (param i32) (local {}) {LOOP})", "i32 ".repeat(n)),
        |n| format!("(memory 1) {}", (0..n).map(|i| format!("(data (i32.const {i}) \"a\")")).collect::<String>()),
        |n| {
            let exports: String = (0..n).map(|i| format!("(export \"{i}\" (func 0))")).collect();
            format!("(memory 1) (func (param i32) {LOOP}) {exports}")
        },
        |n| (0..n).map(|i| format!("(func (param {}) {LOOP})", "i32 ".repeat(1 + i % 900))).collect(),
    ];
    for (number, generate) in generate.iter().enumerate() {
        let [(bytes, entries), (more_bytes, more_entries), (most_bytes, most_entries)] = [1, 2, 3].map(|times| {
            let text = format!("(module {})", generate(2000 * times));
            let (original, made) = (wat::parse_str(&text).unwrap(), instrument_text(&text).unwrap());
            let pieces = made.record.memories.iter().map(|source| match source {
                Source::Pieces(pieces) => pieces.len(),
                _ => 1,
            });
            let entries = made.record.offsets.ends.len() + pieces.sum::<usize>();
            // (What is taken out is no addition.)
            (made.bytes.len().saturating_sub(original.len()), entries)
        });
        assert!(most_bytes + bytes <= 2 * more_bytes + 16, "{number}");
        assert_eq!(most_entries + entries, 2 * more_entries, "{number}");
    }
}
