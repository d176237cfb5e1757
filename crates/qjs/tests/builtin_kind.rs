//! What is read of QuickJS's own structures is still where its source of today has it.

use tombolo_qjs::builtin_kind::{Kind, is_length_tracking, kind};
use tombolo_qjs::{Borrowed, Ctx, Cx, Value};

fn with_context(body: impl FnOnce(&Ctx<'_>)) {
    let runtime = rquickjs::Runtime::new().unwrap();
    rquickjs::Context::full(&runtime).unwrap().with(|ctx| {
        tombolo_qjs::shared::install(&ctx);
        body(&ctx);
    });
}

#[test]
fn what_tracks_the_length_of_its_buffer() {
    with_context(|ctx| {
        let classes = "Int8 Uint8 Uint8Clamped Int16 Uint16 Int32 Uint32 Float32 Float64 BigInt64 BigUint64";
        let mut constructors: Vec<_> = classes.split(' ').map(|class| format!("{class}Array")).collect();
        constructors.push("DataView".into());
        for constructor in constructors {
            for (arguments, tracks) in [
                ("resizable", true),
                ("resizable, 8", true),
                ("resizable, 8, 1", false),
                ("growable", true),
                ("growable, 0, 0", false),
                ("fixed", false),
                ("fixed, 8", false),
                ("fixed, 0, 2", false),
            ] {
                let source = format!(
                    "var fixed = new ArrayBuffer(32), resizable = new ArrayBuffer(32, {{ maxByteLength: 64 }}), \
                     growable = new SharedArrayBuffer(32, {{ maxByteLength: 64 }}); new {constructor}({arguments})"
                );
                let view: Value =
                    ctx.eval(source).unwrap_or_else(|_| panic!("new {constructor}({arguments}): {:?}", ctx.catch()));
                assert_eq!(is_length_tracking(&view), tracks, "new {constructor}({arguments})");
            }
        }
        for source in [
            "({ track_rab: true })",
            "new ArrayBuffer(8, { maxByteLength: 16 })",
            "1",
            "new Proxy(new Int8Array(1), {})",
        ] {
            assert!(!is_length_tracking(&ctx.eval(source).unwrap()), "{source}");
        }
    });
}

#[test]
fn what_kind_an_object_is_whatever_its_prototype() {
    with_context(|ctx| {
        for (source, expected) in [
            ("({})", Kind::Ordinary),
            ("(function () { return arguments })()", Kind::Ordinary),
            ("[]", Kind::Array),
            ("new RangeError", Kind::Error),
            ("Object(1)", Kind::Number),
            ("Object('')", Kind::String),
            ("Object(true)", Kind::Boolean),
            ("Object(1n)", Kind::BigInt),
            ("new Date", Kind::Date),
            ("/x/", Kind::RegExp),
            ("new Map", Kind::Map),
            ("new Set", Kind::Set),
            ("new ArrayBuffer(1)", Kind::ArrayBuffer),
            ("new SharedArrayBuffer(1)", Kind::SharedArrayBuffer),
            ("new Float32Array(1)", Kind::TypedArray),
            ("new DataView(new ArrayBuffer(1))", Kind::DataView),
            ("() => 1", Kind::Other),
            ("Promise.resolve()", Kind::Other),
            ("new WeakMap", Kind::Other),
            ("new Proxy([], {})", Kind::Other),
        ] {
            let value: Value = ctx.eval(source).unwrap();
            assert_eq!(kind(Cx::of(ctx), Borrowed::of(&value)), expected, "{source}");
            let value: Value = ctx.eval(format!("Object.setPrototypeOf({source}, Map.prototype)")).unwrap();
            assert_eq!(kind(Cx::of(ctx), Borrowed::of(&value)), expected, "{source} with another prototype");
        }
    });
}
