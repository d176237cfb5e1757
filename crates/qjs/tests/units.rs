//! Code units of strings, however QuickJS stores them.

use std::cmp::Ordering;

use tombolo_qjs::string::{Units, from_units};
use tombolo_qjs::{Borrowed, Ctx, Cx, Value};

/// Runs `body` in a context of its own.
fn with_context(body: impl FnOnce(&Ctx<'_>)) {
    let runtime = rquickjs::Runtime::new().unwrap();
    rquickjs::Context::full(&runtime).unwrap().with(|ctx| body(&ctx));
}

fn units(value: &Value<'_>) -> Vec<u16> {
    let found = Units::of(Cx::of(value.ctx()), Borrowed::of(value)).unwrap().expect("a string");
    assert_eq!(found.is_empty(), found.iter().next().is_none());
    found.iter().collect()
}

#[test]
fn units_are_those_that_scripts_see() {
    // Each is stored in a way of its own: narrow, wide, as a slice of either, in parts, as an atom, in place.
    let sources = [
        "''",
        "'a'",
        "'caf\\u00e9'",
        "'\\u263a\\u00ff'",
        "'\\ud800'",
        "'\\udc00\\ud800x'",
        "'x'.repeat(5000).substring(1, 4000)",
        "('ab'.repeat(5000) + 'c').substring(1, 9001)",
        "'\\u263ax'.repeat(5000).substring(3, 4000)",
        "'\\u263ax'.repeat(5000).substring(3, 4000).substring(5, 3900)",
        "'\\u263a' + 'x'.repeat(9000)",
        "'x'.repeat(9000) + 'y'.repeat(9000)",
        "'x'.repeat(9000) + '\\u263a'.repeat(9000) + 'z'.repeat(9000)",
        "(() => { let s = ''; for (let i = 0; i < 30000; i++) s += String.fromCharCode(i); return s; })()",
        "Object.keys({ caf\\u00e9: 1 })[0]",
        "Object.keys({ '\\u263a': 1 })[0]",
        "Symbol.iterator.description",
        "'123'",
        "String(1.5)",
    ];
    with_context(|ctx| {
        for source in sources {
            let text: Value = ctx.eval(source).unwrap();
            ctx.globals().set("text", text.clone()).unwrap();
            let found = units(&text);
            assert!(found == units(&text), "{source}, a second time");
            let expected: Vec<u16> =
                ctx.eval("Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))").unwrap();
            assert!(found == expected, "{source}");
            let same: bool = {
                ctx.globals().set("copy", from_units(ctx, &expected).unwrap()).unwrap();
                ctx.eval("copy === text && ({ [copy]: 1 })[text] === 1").unwrap()
            };
            assert!(same, "{source}: made again");
        }
    });
}

#[test]
fn parts_that_only_we_have_are_gathered() {
    with_context(|ctx| {
        let text: Value = ctx.eval("'x'.repeat(9000) + '\\u263a'.repeat(9000)").unwrap();
        let expected: Vec<u16> = [[u16::from(b'x'); 9000], [0x263a; 9000]].concat();
        assert!(units(&text) == expected, "{} units", units(&text).len());
        let cx = Cx::of(ctx);
        let address = |units| match units {
            Units::Narrow(units) => units.as_ptr().addr(),
            Units::Wide(units) => units.as_ptr().addr(),
        };
        let [one, two] = [(), ()].map(|()| address(Units::of(cx, Borrowed::of(&text)).unwrap().unwrap()));
        assert_eq!(one, two, "gathered once");
    });
}

#[test]
fn other_values_have_no_units() {
    with_context(|ctx| {
        for source in ["undefined", "null", "1", "Symbol()", "new String('a')", "[]"] {
            let value: Value = ctx.eval(source).unwrap();
            assert!(Units::of(Cx::of(ctx), Borrowed::of(&value)).unwrap().is_none(), "{source}");
        }
    });
}

#[test]
fn units_compare_as_numbers() {
    let narrow = |bytes: &'static [u8]| Units::Narrow(bytes);
    assert_eq!(narrow(b"ab").compare(narrow(b"b")), Ordering::Less);
    assert_eq!(narrow(b"a").compare(Units::Wide(&[0x61])), Ordering::Equal);
    assert_eq!(Units::Wide(&[0xff5e]).compare(Units::Wide(&[0xd83d, 0xde00])), Ordering::Greater);
    assert_eq!(narrow(b"ab").compare(Units::Wide(&[0x61])), Ordering::Greater);
    assert_eq!(narrow(b"ab").get(1), Some(0x62));
    assert_eq!(narrow(b"ab").get(2), None);
}
