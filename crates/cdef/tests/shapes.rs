//! The shapes of `guests/src/shapes.txt`, read and laid out, against what clang made of them.

use std::collections::HashMap;

use cdef::{Addresses, Options};

/// What the exported functions return that consist of one constant, by their names.
fn constants(wasm: &[u8]) -> HashMap<String, u64> {
    let (mut exports, mut bodies) = (Vec::new(), Vec::new());
    for payload in wasmparser::Parser::new(0).parse_all(wasm) {
        match payload.expect("a valid module") {
            wasmparser::Payload::ExportSection(section) => {
                exports.extend(section.into_iter().map(|export| export.expect("an export")));
            }
            wasmparser::Payload::CodeSectionEntry(body) => {
                let mut operators = body.get_operators_reader().expect("a body");
                bodies.push(match operators.read().expect("an operator") {
                    wasmparser::Operator::I64Const { value } => Some(value as u64),
                    _ => None,
                });
            }
            _ => {}
        }
    }
    let functions = exports.iter().filter(|export| export.kind == wasmparser::ExternalKind::Func);
    functions.filter_map(|export| Some((export.name.to_owned(), bodies[export.index as usize]?))).collect()
}

#[test]
fn sizes_and_offsets_are_clangs() {
    let shapes = include_str!("../../../guests/src/shapes.txt");
    let guests: [&[u8]; 2] =
        [include_bytes!("../../../guests/shapes.wasm"), include_bytes!("../../../guests/shapes64.wasm")];
    for (addresses, wasm) in Addresses::ALL.into_iter().zip(guests) {
        let said = constants(wasm);
        let lines = shapes.lines().filter(|line| !line.starts_with('#'));
        let parts: Vec<Vec<&str>> = lines.map(|line| line.splitn(3, '|').map(str::trim).collect()).collect();
        let text: String = parts.iter().map(|parts| format!("{}\n", parts[2])).collect();
        let declarations = cdef::read(&text, &Options { addresses, ..Options::default() }).expect("a header");
        assert!(declarations.skipped.is_empty(), "{:?}", declarations.skipped);
        let mut wrong = Vec::new();
        for parts in &parts {
            let name = parts[0];
            let ty = declarations.typedefs.iter().find(|typedef| typedef.name == name).expect("a typedef");
            let layout = declarations.layout(&ty.ty, addresses).expect("a layout");
            let mut compare = |what: String, ours: u64| {
                let theirs = said.get(&what).copied();
                if theirs != Some(ours) {
                    wrong.push(format!("{what}: clang says {theirs:?}, and we {ours}"));
                }
            };
            compare(format!("size {name}"), layout.size as u64);
            compare(format!("align {name}"), layout.align as u64);
            let cdef::Type::Record(index) = ty.ty else { continue };
            let record = &declarations.records[index];
            let places = &record.layout(addresses).expect("a layout").places;
            for (field, place) in record.fields.as_ref().expect("fields").iter().zip(places) {
                match (&field.name, field.bits) {
                    (Some(of), None) => compare(format!("offset {name}.{of}"), place.offset as u64),
                    (Some(of), Some(width)) => {
                        let ones = if width == 64 { u64::MAX } else { (1 << width) - 1 };
                        compare(format!("bits {name}.{of}"), ones << (place.offset as u32 * 8 + place.bit));
                    }
                    _ => {}
                }
            }
        }
        assert_eq!(wrong, Vec::<String>::new());
    }
}
