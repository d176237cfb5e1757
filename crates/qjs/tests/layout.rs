//! QuickJS's objects are laid out as `qjs::layout` has them, and arrays that are used again cannot be told from new ones.

use std::cell::Cell;
use std::ptr::NonNull;
use std::rc::Rc;

use tombolo_qjs::reuse::{self, Spare, Use};
use tombolo_qjs::{Borrowed, Ctx, Cx, ElementKind, Value, array, layout};

/// Runs `body` in a context of its own.
fn with_context(body: impl FnOnce(&Ctx<'_>)) {
    let runtime = rquickjs::Runtime::new().unwrap();
    rquickjs::Context::full(&runtime).unwrap().with(|ctx| body(&ctx));
}

#[test]
fn the_layout_is_known() {
    with_context(|ctx| assert!(layout::is_known(Cx::of(ctx))));
}

#[test]
fn arrays_are_read_where_they_lie() {
    with_context(|ctx| {
        let cx = Cx::of(ctx);
        let numbers = |source: &str, len: usize| {
            let value: Value = ctx.eval(source).unwrap();
            let mut copied = [0f64; 4];
            let to = NonNull::from(&mut copied).cast();
            // SAFETY: there is room for four, and `len` is at most that.
            let done = unsafe { array::copy_numbers(cx, Borrowed::of(&value), len.min(4), to) };
            (array::plain_length(cx, Borrowed::of(&value)), copied[..done].to_vec())
        };
        assert_eq!(numbers("[1, 2.5, -3]", 3), (Some(3), vec![1.0, 2.5, -3.0]));
        assert_eq!(numbers("[1, 2, 3, 4, 5]", 4), (Some(5), vec![1.0, 2.0, 3.0, 4.0]));
        assert_eq!(numbers("[1, \"2\", 3]", 3), (Some(3), vec![1.0]));
        assert_eq!(numbers("[]", 0), (Some(0), vec![]));
        assert_eq!(numbers("(a => (a.length = 9, a))([1, 2])", 4), (Some(9), vec![1.0, 2.0]));
        assert_eq!(numbers("[, 1]", 2).0, Some(2));
        assert_eq!(numbers("Object.defineProperty([1, 2], 0, { get() { throw 1 } })", 2), (Some(2), vec![]));
        assert_eq!(numbers("new (class extends Array {})(1, 2)", 2), (Some(2), vec![1.0, 2.0]));
        for other in
            ["({ length: 2 })", "new Proxy([1], {})", "\"ab\"", "new Float64Array(2)", "(() => arguments)", "1"]
        {
            assert_eq!(numbers(other, 2), (None, vec![]), "{other}");
        }
    });
}

#[test]
fn typed_arrays_are_read_where_they_lie() {
    with_context(|ctx| {
        let cx = Cx::of(ctx);
        let found = |source: &str| {
            let value: Value = ctx.eval(source).unwrap();
            let found = layout::typed_array(cx, Borrowed::of(&value));
            found.map(|(kind, bytes, whole)| (kind, bytes.len, whole.len))
        };
        assert_eq!(found("new Float64Array(3)"), Some((ElementKind::Float64, 24, 24)));
        assert_eq!(found("new Uint8ClampedArray(new ArrayBuffer(9), 2, 3)"), Some((ElementKind::Uint8Clamped, 3, 9)));
        assert_eq!(found("new BigInt64Array(new SharedArrayBuffer(16), 8)"), Some((ElementKind::BigInt64, 8, 16)));
        assert_eq!(found("new Int8Array(0)"), Some((ElementKind::Int8, 0, 0)));
        let fixed = "new Int16Array(new ArrayBuffer(8, { maxByteLength: 16 }), 2, 2)";
        assert_eq!(found(fixed), Some((ElementKind::Int16, 4, 8)));
        assert_eq!(found(&format!("(a => (a.buffer.resize(4), a))({fixed})")), None, "out of bounds");
        assert_eq!(found("new Int16Array(new ArrayBuffer(8, { maxByteLength: 16 }))"), None, "follows its buffer");
        assert_eq!(found("(a => (a.buffer.transfer(), a))(new Int8Array(4))"), None, "detached");
        for other in ["new DataView(new ArrayBuffer(8))", "new ArrayBuffer(8)", "[1]", "1", "({})"] {
            assert_eq!(found(other), None, "{other}");
        }
    });
}

/// Counts the owners that have ended.
struct Owner(Rc<Cell<u32>>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn an_array_is_used_again_if_nothing_remembers_it() {
    static BYTES: [u64; 2] = [0; 2];
    with_context(|ctx| {
        let (cx, ended) = (Cx::of(ctx), Rc::new(Cell::new(0)));
        let owner = || Some(Owner(ended.clone()));
        // SAFETY: nothing in this test writes to the bytes, which are always there.
        let new = || unsafe {
            let start = NonNull::from(&BYTES).cast();
            let (array, spare) = reuse::array(cx, start, 16, owner(), ElementKind::Float64).unwrap();
            (array.into_value(cx).unwrap(), spare.expect("the layout is known"))
        };
        let (array, spare): (_, Spare<Option<Owner>>) = new();
        assert_eq!(spare.used_by(), Use::Others);
        assert!(spare.take_owner(None).is_err());
        drop(array);
        assert_eq!((spare.used_by(), ended.get()), (Use::Nobody, 0));
        drop(spare.take_owner(None));
        assert_eq!(ended.get(), 1);
        // SAFETY: nobody has had it since, and the bytes are the same.
        let array = unsafe { spare.hand_out(cx, owner()) }.into_value(cx).unwrap();
        assert_eq!(spare.used_by(), Use::Others);
        drop(spare);
        assert_eq!(ended.get(), 1);
        drop(array);
        assert_eq!(ended.get(), 2, "the last one has ended it");

        for (change, expected) in [
            ("array => {}", Use::Nobody),
            ("array => { array[0]; array.subarray(1); Object.keys(array); for (const x of array); }", Use::Nobody),
            ("array => { array.x = 1 }", Use::Changed),
            ("array => { array.x = 1; delete array.x }", Use::Changed),
            ("array => { array.buffer.x = 1 }", Use::Changed),
            ("array => { Object.setPrototypeOf(array, null) }", Use::Changed),
            ("array => { Object.setPrototypeOf(array.buffer, Object.create(ArrayBuffer.prototype)) }", Use::Changed),
            ("array => { Object.preventExtensions(array) }", Use::Changed),
            ("array => { Object.freeze(array.buffer) }", Use::Changed),
            ("array => { globalThis.weak = new WeakRef(array) }", Use::Changed),
            ("array => { (globalThis.map ??= new WeakMap).set(array, 1) }", Use::Changed),
            ("array => { (globalThis.set ??= new WeakSet).add(array.buffer) }", Use::Changed),
            ("array => { (globalThis.ends ??= new FinalizationRegistry(() => {})).register(array) }", Use::Changed),
            ("array => { globalThis.kept = array.buffer }", Use::Changed),
            ("array => { globalThis.kept = array.subarray(1) }", Use::Changed),
            ("array => { array.buffer.transfer() }", Use::Changed),
            ("array => { globalThis.kept = array }", Use::Others),
        ] {
            let (array, spare) = new();
            let function: rquickjs::Function = ctx.eval(change).unwrap();
            function.call::<_, ()>((array,)).unwrap();
            assert_eq!(spare.used_by(), expected, "{change}");
        }
        ctx.eval::<(), _>("delete globalThis.kept").unwrap();
    });
}
