//! Structs and unions: C's layout, and objects that are views of them in guest memory.

use std::rc::Rc;

use c_abi::{Member, Passed, RecordKind, RecordLayout};
use qjs::fields::{self, Fields};
use qjs::lazy::NameTable;
use qjs::{Borrowed, Call, Ctx, Cx, Exception, Held, HostClass, Mark, Object, Result, Value, class};

use crate::convert::Marshal;
use crate::manager::ManagerObject;
use crate::scalar::Scalar;
use crate::types::{Layout, Type, TypeObject, TypeRef};

/// A struct or union as C lays it out.
pub(crate) struct Shape {
    pub(crate) name: Option<Box<str>>,
    pub(crate) is_union: bool,
    /// The fields' names, in order.
    pub(crate) fields: Vec<Rc<str>>,
    pub(crate) names: NameTable,
    /// For addresses of 32 bits, and of 64.
    layouts: [RecordLayout; 2],
    /// The only number in it, if there is just one.
    only: Option<Scalar>,
    /// Whether fields of a struct share bytes: those of a union in it that has no name, and bit-fields.
    pub(crate) has_overlaps: bool,
}

impl Shape {
    /// Lays fields out. `pack` is the largest alignment that a field may have.
    ///
    /// # Errors
    /// The name of a field that has no layout, or that makes the record too large.
    pub(crate) fn new(
        ctx: &Ctx<'_>,
        name: Option<Box<str>>,
        is_union: bool,
        fields: Vec<Rc<str>>,
        types: &[TypeRef],
        pack: u64,
    ) -> Result<std::result::Result<Self, usize>> {
        let kind = if is_union { RecordKind::Union } else { RecordKind::Struct };
        let lay_out = |wide: bool| -> std::result::Result<RecordLayout, usize> {
            let member = |(at, ty): (usize, &TypeRef)| ty.get().abi(wide).map(Member::of).ok_or(at);
            let members = types.iter().enumerate().map(member).collect::<std::result::Result<Vec<_>, _>>()?;
            RecordLayout::new(kind, &members, usize::try_from(pack).ok())
        };
        let layouts = match (lay_out(false), lay_out(true)) {
            (Ok(narrow), Ok(wide)) => [narrow, wide],
            (Err(at), _) | (_, Err(at)) => return Ok(Err(at)),
        };
        Self::laid_out(ctx, name, is_union, fields, types, layouts, false).map(Ok)
    }

    /// A record whose layouts are known.
    pub(crate) fn laid_out(
        ctx: &Ctx<'_>,
        name: Option<Box<str>>,
        is_union: bool,
        fields: Vec<Rc<str>>,
        types: &[TypeRef],
        layouts: [RecordLayout; 2],
        has_overlaps: bool,
    ) -> Result<Self> {
        let names = NameTable::new(ctx, fields.iter().map(|name| &**name))?;
        let mut something =
            types.iter().map(TypeRef::get).filter(|ty| ty.abi(false).is_some_and(|own| own.passed != Passed::Nothing));
        let only = something.next_back().and_then(only_scalar);
        Ok(Self { name, is_union, fields, names, layouts, only, has_overlaps })
    }

    /// As C has it.
    pub(crate) fn abi(&self, wide: bool) -> c_abi::Layout {
        self.layouts[usize::from(wide)].layout
    }

    /// The number that it is passed as by value, if it is.
    pub(crate) fn single(&self, wide: bool) -> Option<Scalar> {
        self.only.filter(|_| matches!(self.abi(wide).passed, Passed::Number(_)))
    }

    /// Whether nothing of it is passed by value: it is empty.
    pub(crate) fn is_nothing(&self, wide: bool) -> bool {
        self.abi(wide).passed == Passed::Nothing
    }

    pub(crate) fn layout(&self, wide: bool) -> Layout {
        self.abi(wide).into()
    }

    pub(crate) fn offset(&self, index: usize, wide: bool) -> u64 {
        self.layouts[usize::from(wide)].places[index].offset as u64
    }

    /// `struct point`.
    pub(crate) fn what(&self) -> String {
        let kind = if self.is_union { "union" } else { "struct" };
        match &self.name {
            Some(name) => format!("{kind} {name}"),
            None => kind.into(),
        }
    }
}

/// The number in a type that consists of no other.
fn only_scalar(ty: &TypeObject) -> Option<Scalar> {
    match &ty.ty {
        Type::Scalar(scalar) | Type::Enum(scalar, _) => Some(*scalar),
        Type::Record(shape, _) => shape.get()?.only,
        Type::Bits(field) => Some(field.scalar),
        Type::Inline(element, _) => only_scalar(element.get()),
        Type::InlineString(encoding, _) => match encoding.unit() {
            1 => Some(Scalar::Int8),
            _ => Some(Scalar::Uint16),
        },
        _ if ty.is_pointer() => Some(Scalar::Size),
        _ => None,
    }
}

/// A record's parts.
pub(crate) fn parts(ty: &TypeObject) -> Option<(&Shape, &[TypeRef])> {
    match &ty.ty {
        Type::Record(shape, fields) => Some((shape.get()?, fields.get()?)),
        _ => None,
    }
}

/// Where a record or an array of them lies: in a guest's block, or in a copy of one.
#[derive(Mark)]
pub(crate) struct Place {
    /// The ArrayBuffer: over a guest's block, which it owns, or one of the engine's own.
    buffer: Held,
    /// The memory manager of the buffer's guest. Pointers in the buffer point into its memory.
    manager: Held,
    #[mark(skip)]
    offset: u64,
}

impl Place {
    pub(crate) fn new(buffer: &Object<'_>, manager: Held, offset: u64) -> Self {
        Self { buffer: Held::new(buffer.as_value()), manager, offset }
    }

    fn at(&self, offset: u64) -> Self {
        Self { buffer: self.buffer.duplicate(), manager: self.manager.duplicate(), offset: self.offset + offset }
    }

    fn manager(&self) -> &ManagerObject {
        class::get(self.manager.borrow()).expect("made with one")
    }

    /// Ends it: the buffer is detached, and its block freed.
    fn dispose(&self, ctx: &Ctx<'_>) -> Result<()> {
        if let Some(buffer) = self.buffer.get(ctx).as_object() {
            crate::view::end(ctx, buffer)?;
        }
        Ok(())
    }
}

/// A struct or union by view.
#[derive(HostClass, Mark)]
#[host_class(name = "StructView")]
pub(crate) struct RecordView {
    ty: TypeRef,
    place: Place,
    /// Whether the bytes are the buffer's own and not a guest's memory: a copy of a union.
    #[mark(skip)]
    copied: bool,
}

impl RecordView {
    fn shape(&self) -> &Shape {
        parts(self.ty.get()).expect("made of a defined record").0
    }

    /// Where it lies on the host now.
    pub(crate) fn bytes(&self, ctx: &Ctx<'_>) -> Result<qjs::Bytes> {
        let size = self.shape().layout(self.place.manager().heap().is_wide()).size;
        self.place_bytes(ctx, self.place.offset, size)
    }

    fn place_bytes(&self, ctx: &Ctx<'_>, offset: u64, size: u64) -> Result<qjs::Bytes> {
        let what = || self.shape().what();
        bytes_of(ctx, &self.place.buffer, offset, size, &what)
    }

    /// The address of the record in the heap's memory, if it lies there.
    pub(crate) fn address_in(&self, ctx: &Ctx<'_>, heap: &marshal::Heap) -> Result<Option<u64>> {
        let bytes = self.bytes(ctx)?;
        Ok(heap.address_of(bytes.start, bytes.len))
    }

    /// The bytes, if the view is of a record of `ty`.
    pub(crate) fn bytes_as(&self, ctx: &Ctx<'_>, ty: &TypeObject) -> Result<Option<qjs::Bytes>> {
        if self.ty.get().is_same_record(ty) { self.bytes(ctx).map(Some) } else { Ok(None) }
    }

    /// The whole buffer that it lies in.
    pub(crate) fn buffer(&self) -> &Held {
        &self.place.buffer
    }
}

/// Bytes of a buffer that may have ended.
fn bytes_of(ctx: &Ctx<'_>, buffer: &Held, offset: u64, size: u64, what: &dyn Fn() -> String) -> Result<qjs::Bytes> {
    if size == 0 {
        return Ok(qjs::Bytes { start: std::ptr::NonNull::dangling(), len: 0 });
    }
    let whole = qjs::buffer::array_buffer_bytes(Cx::of(ctx), buffer.borrow());
    let whole = whole.filter(|whole| offset + size <= whole.len as u64 && whole.len > 0);
    let Some(whole) = whole else {
        return Err(Exception::throw_type(ctx, &format!("the view of {} has ended", what())));
    };
    Ok(qjs::Bytes { start: whole.start.map_addr(|start| start.saturating_add(offset as usize)), len: size as usize })
}

impl Fields for RecordView {
    fn names(&self) -> &NameTable {
        &self.shape().names
    }

    fn what(&self) -> String {
        self.shape().what()
    }

    fn read<'js>(&self, ctx: &Ctx<'js>, index: usize) -> Result<Value<'js>> {
        let (shape, fields) = parts(self.ty.get()).expect("made of a defined record");
        let manager = self.place.manager();
        let wide = manager.heap().is_wide();
        let ty = fields[index].get();
        let offset = self.place.offset + shape.offset(index, wide);
        let size = ty.layout(wide).map_or(0, |layout| layout.size);
        let bytes = self.place_bytes(ctx, offset, size)?;
        // A record in place is a view of the same buffer.
        match &ty.ty {
            Type::Record(..) => {
                return new_view(ctx, &fields[index], self.place.at(shape.offset(index, wide)), self.copied);
            }
            Type::Inline(element, crate::types::Length::Fixed(count)) => {
                let buffer = self.place.buffer.get(ctx);
                match (element.get().scalar(), buffer.as_object()) {
                    (Some(scalar), Some(buffer)) if bytes.start.addr().get().is_multiple_of(scalar.size(wide)) => {
                        return qjs::buffer::typed_array_part(
                            buffer,
                            scalar.element(wide),
                            offset as usize,
                            *count as usize,
                        );
                    }
                    _ if matches!(element.get().ty, Type::Record(..)) => {
                        let place = self.place.at(shape.offset(index, wide));
                        return new_array(ctx, element, place, *count, self.copied);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        let name = format!("{}.{}", shape.what(), shape.fields[index]);
        let marshal = Marshal::new(ctx, self.place.manager.borrow(), &name);
        let mut record = self.place_bytes(ctx, self.place.offset, shape.layout(wide).size)?;
        let mut bytes = bytes;
        let mut local;
        if self.copied {
            // A buffer of the engine's own can go while scripts run.
            // SAFETY: nothing ran since the bytes were asked for.
            local = unsafe { record.to_vec() };
            record.start = std::ptr::NonNull::from(local.as_mut_slice()).cast();
            let offset = shape.offset(index, wide) as usize;
            bytes.start = std::ptr::NonNull::from(&mut local[offset.min(record.len)..]).cast();
        }
        let result = marshal.read_field(ty, bytes, (shape, fields, record));
        marshal.finish(result)
    }

    fn write(&self, ctx: &Ctx<'_>, index: usize, value: Borrowed<'_>) -> Result<()> {
        let (shape, fields) = parts(self.ty.get()).expect("made of a defined record");
        let manager = self.place.manager();
        let wide = manager.heap().is_wide();
        let ty = fields[index].get();
        let offset = self.place.offset + shape.offset(index, wide);
        let size = ty.layout(wide).map_or(0, |layout| layout.size);
        let name = format!("{}.{}", shape.what(), shape.fields[index]);
        let marshal = Marshal::new(ctx, self.place.manager.borrow(), &name);
        let bytes = self.place_bytes(ctx, offset, size)?;
        if let Some(scalar) = ty.scalar() {
            // This runs no script, so the bytes are still there.
            let number = marshal.number(ty, scalar, value)?;
            let bits = crate::scalar::bits(number).to_le_bytes();
            // SAFETY: the field lies in the buffer, as was just seen.
            unsafe { std::ptr::copy_nonoverlapping(bits.as_ptr(), bytes.start.as_ptr(), bytes.len) };
            return Ok(());
        }
        let Some(address) = manager.heap().address_of(bytes.start, bytes.len) else {
            let message =
                format!("{name}: only numbers can be set in a copy of {}", webidl::with_article(&shape.what()));
            return Err(Exception::throw_type(ctx, &message));
        };
        // The conversion may run scripts, which may end the view.
        marshal.pin_buffer(&self.place.buffer);
        if let Err(error) = self.check_length(ctx, &marshal, index, value) {
            return marshal.finish(Err(error));
        }
        let has_views = marshal.set_field(ty, address, value)?;
        manager.keep_in(ctx, &self.place.buffer, offset, has_views.then_some(value))
    }
}

impl RecordView {
    /// Refuses an array for a field that another field says is longer.
    fn check_length<'js>(
        &self,
        ctx: &Ctx<'js>,
        marshal: &Marshal<'_, 'js>,
        index: usize,
        value: Borrowed<'_>,
    ) -> Result<()> {
        let (shape, fields) = parts(self.ty.get()).expect("made of a defined record");
        let Some(of) = crate::encode::counted_by(fields[index].get()).filter(|_| !value.is_null()) else {
            return Ok(());
        };
        let Some(at) = shape.fields.iter().position(|name| **name == *of) else { return Ok(()) };
        let says = crate::scalar::length(&self.read(ctx, at)?).unwrap_or(0);
        let len = marshal.elements_of(fields[index].get(), &value.to_value(Cx::of(ctx)))?;
        if says <= len {
            return Ok(());
        }
        let has = crate::encode::elements(len);
        let message = format!("{}.{}: {has}, but `{of}` says {says}", shape.what(), shape.fields[index]);
        Err(Exception::throw_range(ctx, &message))
    }
}

/// A view of the record `ty` at `place`.
pub(crate) fn new_view<'js>(ctx: &Ctx<'js>, ty: &TypeRef, place: Place, copied: bool) -> Result<Value<'js>> {
    let view = RecordView { ty: ty.duplicate(), place, copied };
    Ok(fields::new_object(ctx, view, None)?.into_value())
}

/// An array of records by view.
#[derive(HostClass, Mark)]
#[host_class(name = "StructArray")]
pub(crate) struct RecordArray {
    element: TypeRef,
    place: Place,
    #[mark(skip)]
    count: u64,
    #[mark(skip)]
    copied: bool,
}

impl RecordArray {
    fn stride(&self) -> u64 {
        let wide = self.place.manager().heap().is_wide();
        self.element.get().layout(wide).map_or(0, |layout| layout.size)
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Its bytes, if its elements are of `ty`.
    pub(crate) fn bytes_as(&self, ctx: &Ctx<'_>, ty: &TypeObject) -> Result<Option<qjs::Bytes>> {
        if !self.element.get().is_same_record(ty) {
            return Ok(None);
        }
        let what = || format!("an array of {}", self.element.get().name());
        bytes_of(ctx, &self.place.buffer, self.place.offset, self.count * self.stride(), &what).map(Some)
    }

    pub(crate) fn buffer(&self) -> &Held {
        &self.place.buffer
    }

    fn element<'js>(&self, ctx: &Ctx<'js>, index: u64) -> Result<Value<'js>> {
        new_view(ctx, &self.element, self.place.at(index * self.stride()), self.copied)
    }
}

/// A view of `count` records at `place`.
pub(crate) fn new_array<'js>(
    ctx: &Ctx<'js>,
    element: &TypeRef,
    place: Place,
    count: u64,
    copied: bool,
) -> Result<Value<'js>> {
    let array = RecordArray { element: element.duplicate(), place, count, copied };
    Ok(class::new_object(ctx, array, None)?.into_value())
}

pub(crate) fn define<'js>(ctx: &Ctx<'js>) -> Result<()> {
    fields::register::<RecordView>(ctx)?;
    class::register::<RecordArray>(ctx)?;
    let view = Object::new(ctx.clone())?;
    qjs::define::dispose_method(&view, dispose_view)?;
    class::set_prototype::<RecordView>(ctx, &view);
    let array = Object::new(ctx.clone())?;
    qjs::define::method(&array, "at", 1, array_at)?;
    qjs::define::method(&array, "set", 2, array_set)?;
    qjs::define::getter(&array, "length", array_length)?;
    qjs::define::symbol_method(
        &array,
        rquickjs::atom::PredefinedAtom::SymbolIterator,
        "[Symbol.iterator]",
        0,
        array_iterator,
    )?;
    qjs::define::dispose_method(&array, dispose_array)?;
    class::set_prototype::<RecordArray>(ctx, &array);
    Ok(())
}

fn dispose_view<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let view: &RecordView = webidl::this(&call, "[Symbol.dispose]")?;
    view.place.dispose(&call.ctx)?;
    Ok(Value::new_undefined(call.ctx))
}

fn dispose_array<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let array: &RecordArray = webidl::this(&call, "[Symbol.dispose]")?;
    array.place.dispose(&call.ctx)?;
    Ok(Value::new_undefined(call.ctx))
}

fn array_length<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let array: &RecordArray = webidl::this(&call, "length")?;
    Ok(Value::new_number(call.ctx.clone(), array.count as f64))
}

/// `at(index)`: negative from the end, `undefined` outside, as an array's.
fn array_at<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let array: &RecordArray = webidl::this(&call, "at")?;
    let index = qjs::number::to_number(Cx::of(&call.ctx), call.args.get(0))?;
    let index = if index.is_nan() { 0.0 } else { index.trunc() };
    let index = if index < 0.0 { array.count as f64 + index } else { index };
    if index < 0.0 || index >= array.count as f64 {
        return Ok(Value::new_undefined(call.ctx));
    }
    array.element(&call.ctx, index as u64)
}

/// `set(index, value)`.
fn array_set<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "StructArray.set";
    let array: &RecordArray = webidl::this(&call, "set")?;
    let index = crate::scalar::length(&call.arg(0)).filter(|&index| index < array.count);
    let Some(index) = index else {
        let message = format!("{PLACE}: argument 1 must be an index below {}", array.count);
        return Err(Exception::throw_range(&call.ctx, &message));
    };
    let manager = array.place.manager();
    let marshal = Marshal::new(&call.ctx, array.place.manager.borrow(), PLACE);
    let Some(bytes) = array.bytes_as(&call.ctx, array.element.get())? else { unreachable!("its own type") };
    let Some(start) = manager.heap().address_of(bytes.start, bytes.len) else {
        return Err(Exception::throw_type(&call.ctx, &format!("{PLACE}: the array is a copy")));
    };
    marshal.pin_buffer(&array.place.buffer);
    let (offset, value) = (index * array.stride(), call.args.get(1));
    let has_views = marshal.set_field(array.element.get(), start + offset, value)?;
    // The place of a whole element must differ from that of its first field.
    let place = (1 << 60) + array.place.offset + offset;
    manager.keep_in(&call.ctx, &array.place.buffer, place, has_views.then_some(value))?;
    Ok(Value::new_undefined(call.ctx))
}

/// An iterator over views of all elements.
fn array_iterator<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let array: &RecordArray = webidl::this(&call, "[Symbol.iterator]")?;
    let mut elements = qjs::array::ArrayBuilder::new(Cx::of(&call.ctx), array.count as usize)?;
    for index in 0..array.count {
        let view = array.element(&call.ctx, index)?;
        elements.push(Cx::of(&call.ctx).returned(&view))?;
    }
    let elements = elements.finish()?;
    crate::language::iterate_array(&elements)
}
