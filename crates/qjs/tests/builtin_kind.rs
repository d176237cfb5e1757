//! What is read of QuickJS's own structures is still where its source of today has it.

use tombolo_qjs::builtin_kind::{BuiltinKind, is_length_tracking, kind};
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
            ("({})", BuiltinKind::Ordinary),
            ("(function () { return arguments })()", BuiltinKind::Ordinary),
            ("[]", BuiltinKind::Array),
            ("new RangeError", BuiltinKind::Error),
            ("Object(1)", BuiltinKind::Number),
            ("Object('')", BuiltinKind::String),
            ("Object(true)", BuiltinKind::Boolean),
            ("Object(1n)", BuiltinKind::BigInt),
            ("new Date", BuiltinKind::Date),
            ("/x/", BuiltinKind::RegExp),
            ("new Map", BuiltinKind::Map),
            ("new Set", BuiltinKind::Set),
            ("new ArrayBuffer(1)", BuiltinKind::ArrayBuffer),
            ("new SharedArrayBuffer(1)", BuiltinKind::SharedArrayBuffer),
            ("new Float32Array(1)", BuiltinKind::TypedArray),
            ("new DataView(new ArrayBuffer(1))", BuiltinKind::DataView),
            ("() => 1", BuiltinKind::Other),
            ("Promise.resolve()", BuiltinKind::Other),
            ("new WeakMap", BuiltinKind::Other),
            ("new Proxy([], {})", BuiltinKind::Other),
        ] {
            let value: Value = ctx.eval(source).unwrap();
            assert_eq!(kind(Cx::of(ctx), Borrowed::of(&value)), expected, "{source}");
            let value: Value = ctx.eval(format!("Object.setPrototypeOf({source}, Map.prototype)")).unwrap();
            assert_eq!(kind(Cx::of(ctx), Borrowed::of(&value)), expected, "{source} with another prototype");
        }
    });
}
