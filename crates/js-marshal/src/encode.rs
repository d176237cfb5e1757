//! From script values into a guest's memory.

use island::call::Number;
use qjs::{Borrowed, Bytes, Held, MarkedRc, Object, Result, Value, class};

use crate::arrays::{self, Source};
use crate::callback::{self, CallbackObject, CallbackState};
use crate::convert::Marshal;
use crate::handle::HandleObject;
use crate::ledger::Consumed;
use crate::pointer;
use crate::record::{self, RecordArray, RecordView, Shape};
use crate::scalar::{Scalar, bits};
use crate::strings;
use crate::types::{Direction, Encoding, Length, Ownership, Type, TypeObject, TypeRef};

/// An array whose length is another field of its struct.
pub(crate) struct Counted<'s> {
    pub(crate) array: &'s str,
    /// The field that says how long it is.
    pub(crate) of: &'s str,
    /// How many elements it has.
    pub(crate) count: u64,
}

/// The field that says how long a field of this type is.
pub(crate) fn counted_by(field: &TypeObject) -> Option<&str> {
    match &field.ty {
        Type::Array(_, Length::Field(of)) | Type::View(_, Length::Field(of)) | Type::String(_, Length::Field(of)) => {
            Some(of)
        }
        _ => None,
    }
}

/// `3 elements`.
pub(crate) fn elements(count: u64) -> String {
    format!("{count} element{}", if count == 1 { "" } else { "s" })
}

/// The element that ends an array, for messages.
fn end_of(element: &TypeObject, sentinel: i64) -> String {
    match element.scalar() {
        None if !element.is_pointer() => "all zero".into(),
        None if sentinel == 0 => "null".into(),
        _ => sentinel.to_string(),
    }
}

impl<'js> Marshal<'_, 'js> {
    /// Writes a value to `address` as its type lies in memory.
    pub(crate) fn write_value(&self, ty: &TypeObject, address: u64, value: Borrowed<'_>) -> Result<()> {
        match &ty.ty {
            Type::Scalar(scalar) | Type::Enum(scalar, _) => {
                let number = self.number(ty, *scalar, value)?;
                self.write(address, &bits(number).to_le_bytes()[..scalar.size(self.is_wide())])
            }
            Type::Record(..) => self.write_record(ty, address, value),
            Type::Inline(element, length) => self.write_inline(element.get(), length, address, value),
            Type::InlineString(encoding, length) => {
                let Length::Fixed(room) = length else { return Err(self.no_value(ty)) };
                let (bytes, _) = strings::encode(self, *encoding, value, Some(0))?;
                let room = *room * encoding.unit();
                if bytes.len() as u64 > room {
                    return Err(self.range_error(format_args!(
                        "the string takes {} bytes, but there is room for {room}",
                        bytes.len()
                    )));
                }
                self.clear(address, room)?;
                self.write(address, &bytes)
            }
            Type::Bits(field) => {
                let (wide, size) = (self.is_wide(), field.scalar.size(self.is_wide()));
                let number = bits(self.number(ty, field.scalar, value)?);
                let mut bytes = [0; 16];
                let bytes = &mut bytes[..field.size(wide)];
                self.heap().data().read(address, bytes).map_err(|error| self.heap_error(error))?;
                field.store(number, bytes, wide);
                if ty.exact && bits(field.load(bytes, wide)).to_le_bytes()[..size] != number.to_le_bytes()[..size] {
                    let what = format!("{} of {} bits", field.scalar.name(), field.bits);
                    return Err(self.does_not_fit(&what, value));
                }
                self.write(address, bytes)
            }
            Type::Void | Type::Status(_) => Err(self.no_value(ty)),
            _ => {
                let pointer = self.pointer_to(ty, value, self.nested(ty))?;
                self.write_pointer(address, pointer)?;
                self.note(ty, address, pointer, value);
                Ok(())
            }
        }
    }

    /// [`Marshal::write_value`] for a field of a view: what it allocates is the guest's from then on. Returns whether
    /// the guest was given the address of a view, which then must stay as long as the field does.
    pub(crate) fn set_field(&self, ty: &TypeObject, address: u64, value: Borrowed<'_>) -> Result<bool> {
        if matches!(ty.ty, Type::Callback(_)) && class::get::<CallbackObject>(value).is_none() && value.is_object() {
            return self.finish(Err(self.unexpected("a Callback (which lives as long as you keep it) or null", value)));
        }
        let before = self.pinned_blocks();
        let result = self.write_value(ty, address, value);
        let has_views = self.pinned_blocks() > before;
        let result = result.and_then(|()| self.consume()).map(|()| has_views);
        if result.is_ok() {
            self.commit();
        }
        self.finish(result)
    }

    pub(crate) fn no_value(&self, ty: &TypeObject) -> rquickjs::Error {
        self.type_error(format_args!("{} cannot be converted there", webidl::with_article(&ty.name())))
    }

    fn write_record(&self, ty: &TypeObject, address: u64, value: Borrowed<'_>) -> Result<()> {
        let Some((shape, fields)) = record::parts(ty) else {
            return Err(self.type_error(format_args!("{} is not defined yet", ty.name())));
        };
        let size = shape.layout(self.is_wide()).size;
        if let Some(view) = class::get::<RecordView>(value) {
            let Some(bytes) = view.bytes_as(self.ctx, ty)? else {
                return Err(self.unexpected_record(shape, value));
            };
            return self.copy(bytes, address);
        }
        let object = value.to_value(self.cx());
        let Some(object) = object.as_object().filter(|_| !object.is_function() && !object.is_array()) else {
            return Err(self.unexpected_record(shape, value));
        };
        // Each field is read before its bytes change, since the object may be a view of them, or have such views.
        let mut found = 0;
        if shape.has_overlaps {
            self.clear(address, size)?;
        }
        // The arrays whose length is another field, which the object may leave out.
        let mut counted: Vec<Counted<'_>> = Vec::new();
        for (at, (name, field)) in shape.fields.iter().zip(fields).enumerate() {
            let value = shape.names.get(object, at)?;
            let field = field.get();
            let to = address + shape.offset(at, self.is_wide());
            if value.is_undefined() {
                if !shape.is_union && !shape.has_overlaps {
                    self.clear(to, field.layout(self.is_wide()).map_or(0, |layout| layout.size))?;
                }
                continue;
            }
            found += 1;
            if shape.is_union {
                self.clear_behind(field, to, address + size)?;
            }
            self.within_field(name, || self.write_value(field, to, Borrowed::of(&value)))?;
            if let Some(of) = counted_by(field)
                && !value.is_null()
            {
                counted.push(Counted { array: name, of, count: self.elements_of(field, &value)? });
            }
        }
        if shape.is_union && found != 1 {
            let names = shape.fields.join("`, `");
            return Err(self.type_error(format_args!("{} takes one member of `{names}`, got {found}", shape.what())));
        }
        if found != shape.fields.len() {
            self.refuse_unknown(shape, object)?;
        }
        self.write_lengths(shape, fields, address, object, &counted)
    }

    /// How many elements an array, view or string has.
    pub(crate) fn elements_of(&self, ty: &TypeObject, value: &Value<'js>) -> Result<u64> {
        if value.is_null() {
            return Ok(0);
        }
        if let Type::String(encoding, _) = &ty.ty {
            let (bytes, _) = strings::encode(self, *encoding, Borrowed::of(value), None)?;
            return Ok(bytes.len() as u64 / encoding.unit());
        }
        if let Some(array) = class::of::<RecordArray>(value) {
            return Ok(array.count());
        }
        if let Some(contents) = pointer::contents(self, Borrowed::of(value))? {
            drop(contents);
            return Ok(1);
        }
        Ok(arrays::length(value)? as u64)
    }

    /// Sets the fields of a struct that say how long others are, or checks those that were given.
    pub(crate) fn write_lengths(
        &self,
        shape: &Shape,
        fields: &[TypeRef],
        address: u64,
        object: &Object<'js>,
        counted: &[Counted<'_>],
    ) -> Result<()> {
        let wide = self.is_wide();
        for (index, Counted { array, of, count }) in counted.iter().enumerate() {
            let found = shape.fields.iter().position(|name| **name == **of);
            let Some((at, scalar)) = found.and_then(|at| Some((at, fields[at].get().scalar()?))) else {
                return Err(self.type_error(format_args!("{} has no length `{of}`", shape.what())));
            };
            let (to, size) = (address + shape.offset(at, wide), scalar.size(wide));
            let given = shape.names.get(object, at)?;
            if !given.is_undefined() && !given.is_string() {
                let number = self.number(fields[at].get(), scalar, Borrowed::of(&given))?;
                if !scalar.is_whole(self.cx(), Borrowed::of(&given), number)? {
                    return Err(self.range_error(format_args!(
                        "the field `{of}`, which says how long `{array}` is, does not fit {}",
                        webidl::with_article(scalar.name())
                    )));
                }
            }
            if given.is_undefined() {
                let other = counted[..index].iter().find(|other| other.of == *of && other.count != *count);
                if let Some(other) = other {
                    return Err(self.range_error(format_args!(
                        "`{of}` counts both `{}`, which has {}, and `{array}`, which has {count}: give `{of}`, or make \
                         them equally long",
                        other.array,
                        elements(other.count)
                    )));
                }
                let most = scalar.most();
                if *count > most {
                    return Err(self.range_error(format_args!(
                        "`{array}` has {}, but `{of}`, which counts them, is {} and holds {most} at most",
                        elements(*count),
                        webidl::with_article(scalar.name())
                    )));
                }
                self.write(to, &scalar.bytes_of(*count as i64)[..size])?;
                continue;
            }
            let mut bytes = [0; 8];
            self.heap().data().read(to, &mut bytes[..size]).map_err(|error| self.heap_error(error))?;
            match scalar.as_length(scalar.load(&bytes[..size], wide)) {
                Some(says) if says > *count => {
                    return Err(self.range_error(format_args!(
                        "the field `{of}` says {says}, more than the {} of `{array}`",
                        elements(*count)
                    )));
                }
                Some(_) => {}
                None => {
                    return Err(self.range_error(format_args!(
                        "the field `{of}`, which says how long `{array}` is, is negative or not an integer"
                    )));
                }
            }
        }
        Ok(())
    }

    fn unexpected_record(&self, shape: &Shape, value: Borrowed<'_>) -> rquickjs::Error {
        self.unexpected(format_args!("an object with the fields of {}, or a view of one", shape.what()), value)
    }

    /// Refuses a property that is not a field, since it is a mistake.
    fn refuse_unknown(&self, shape: &Shape, object: &Object<'js>) -> Result<()> {
        for key in crate::descriptors::keys(object)? {
            if !shape.fields.iter().any(|name| **name == *key) {
                return Err(self.type_error(format_args!("{} has no field `{key}`", shape.what())));
            }
        }
        Ok(())
    }

    fn copy(&self, from: Bytes, address: u64) -> Result<()> {
        let to = self.range(address, from.len as u64)?;
        // SAFETY: both ranges were looked at just now, and nothing ran since; they may overlap.
        unsafe { std::ptr::copy(from.start.as_ptr(), to.start.as_ptr(), from.len) };
        Ok(())
    }

    fn write_inline(&self, element: &TypeObject, length: &Length, address: u64, value: Borrowed<'_>) -> Result<()> {
        let Length::Fixed(count) = length else {
            return Err(self.type_error("an array in place needs a fixed length"));
        };
        if let Some(scalar) = element.scalar() {
            let source = Source::of(self, scalar, value)?;
            if source.len() as u64 > *count {
                return Err(self.too_long(source.len() as u64, *count));
            }
            let (size, len) = (scalar.size(self.is_wide()) as u64, source.len() as u64);
            source.copy_in(self, element, scalar, address)?;
            return self.clear(address + len * size, (*count - len) * size);
        }
        let (array, len) = self.array_and_length(value)?;
        if len > *count {
            return Err(self.too_long(len, *count));
        }
        let Some(layout) = element.layout(self.is_wide()) else { return Err(self.no_value(element)) };
        self.write_elements(element, layout.size, address, &array, len)?;
        self.clear(address + len * layout.size, (*count - len) * layout.size)
    }

    /// Clears what a union has after one of its members.
    fn clear_behind(&self, member: &TypeObject, address: u64, end: u64) -> Result<()> {
        let from = address + member.layout(self.is_wide()).map_or(0, |layout| layout.size);
        self.clear(from, end.saturating_sub(from))
    }

    pub(crate) fn too_long(&self, len: u64, count: u64) -> rquickjs::Error {
        self.range_error(format_args!("the array has {len} elements, more than the {count} that its length says"))
    }

    fn too_short(&self, len: u64, count: u64) -> rquickjs::Error {
        self.range_error(format_args!("the array has {len} elements, fewer than the {count} that its length says"))
    }

    fn array_and_length(&self, value: Borrowed<'_>) -> Result<(Object<'js>, u64)> {
        let array = value.to_value(self.cx());
        if qjs::buffer::element_kind(value).is_none() && !array.is_array() {
            return Err(self.unexpected("an array", value));
        }
        let len = arrays::length(&array)? as u64;
        Ok((array.into_object().expect("an array is an object"), len))
    }

    /// Writes the first `len` elements, one after another, since an array can be longer than any memory.
    fn write_elements(
        &self,
        element: &TypeObject,
        size: u64,
        address: u64,
        array: &Object<'js>,
        len: u64,
    ) -> Result<()> {
        for at in 0..len {
            let value: Value = array.get(at as u32)?;
            self.within_element(at, || self.write_value(element, address + at * size, Borrowed::of(&value)))?;
        }
        Ok(())
    }

    /// The address for a value of a pointer's type. The value is copied into the guest unless it lies there already.
    pub(crate) fn pointer_to(&self, ty: &TypeObject, value: Borrowed<'_>, direction: Direction) -> Result<u64> {
        if value.is_null() || (value.is_undefined() && matches!(ty.ty, Type::Callback(_) | Type::VoidPointer)) {
            if ty.non_null {
                return Err(self.type_error("expected a value, got null"));
            }
            return Ok(0);
        }
        if ty.subclassed {
            return self.custom_marshall(ty, value, direction);
        }
        let replaceable = self.replaceable.get();
        self.replaceable.set(match ty.ownership {
            // The guest does not free what it only borrows, whatever it replaces it with.
            Ownership::Borrowed => false,
            // It frees what is owned, whoever has what that lies in.
            Ownership::Owned => replaceable || self.can_change(),
            _ => replaceable,
        });
        let before = self.ledger.temporary.borrow().len();
        let address = self.pointer_to_value(ty, value, direction);
        self.replaceable.set(replaceable);
        let address = address?;
        if ty.ownership == Ownership::Consumed {
            // With everything that it points to.
            let parts: Vec<_> = self.ledger.temporary.borrow()[before..].iter().map(|block| block.address).collect();
            self.ledger.consumed.borrow_mut().extend(parts.into_iter().map(Consumed::Block));
            self.give_away(address, value)?;
        }
        Ok(address)
    }

    fn pointer_to_value(&self, ty: &TypeObject, value: Borrowed<'_>, direction: Direction) -> Result<u64> {
        Ok(match &ty.ty {
            Type::String(encoding, length) => self.string(*encoding, length, value)?,
            Type::Array(element, length) | Type::View(element, length) => {
                self.array(element.get(), length, value, direction)?
            }
            Type::Pointer(pointee) => self.boxed(pointee.get(), value, direction)?,
            Type::RecordPointer { record, .. } => self.record_pointer(record.get(), value, direction)?,
            Type::StringBuffer => {
                if qjs::buffer::element_kind(value) != Some(qjs::ElementKind::Uint8) {
                    return Err(self.unexpected("a StringBuffer", value));
                }
                self.address_of_bytes(value)?
            }
            Type::Address => pointer::contents_address(self, value)?,
            Type::VoidPointer => self.void_pointer(value, direction)?,
            Type::Callback(_) => self.callback(ty, value)?,
            Type::Handle { .. } => self.handle(ty, value)?,
            _ => return Err(self.no_value(ty)),
        })
    }

    /// Notes that the guest takes a value over, so that it is not freed once the call has returned.
    fn give_away(&self, address: u64, value: Borrowed<'_>) -> Result<()> {
        // Until the guest is called, the block belongs to the operation: it is freed if a later argument is refused.
        if self.is_temporary(address) {
            return Ok(());
        }
        if let Some(handle) = class::get::<HandleObject>(value).and_then(HandleObject::handle) {
            self.ledger.consumed.borrow_mut().push(Consumed::Handle(handle.clone()));
            return Ok(());
        }
        let buffer = match class::get::<RecordView>(value) {
            Some(view) => Some(view.buffer().duplicate()),
            None => match class::get::<RecordArray>(value) {
                Some(array) => Some(array.buffer().duplicate()),
                None => qjs::buffer::buffer_of(self.cx(), value).map(|buffer| Held::new(&buffer)),
            },
        };
        let Some(buffer) = buffer else {
            // The address is one that an object owns.
            if self.heap().owns(address) {
                self.ledger.consumed.borrow_mut().push(Consumed::Address(address));
            }
            return Ok(());
        };
        if self.heap().is_shared() {
            return Err(self.type_error("a view of a shared memory, which others may have, cannot be given away"));
        }
        let whole = qjs::buffer::array_buffer_bytes(self.cx(), buffer.borrow());
        let starts_there = whole.and_then(|whole| self.heap().address_of(whole.start, 0)) == Some(address);
        if !starts_there || !self.heap().owns(address) {
            return Err(self.type_error("only a whole block that the host owns can be given away"));
        }
        self.ledger.consumed.borrow_mut().push(Consumed::View(buffer, address));
        Ok(())
    }

    fn string(&self, encoding: Encoding, length: &Length, value: Borrowed<'_>) -> Result<u64> {
        let end = match length {
            Length::Given => Some(0),
            Length::Until(sentinel) => Some(*sentinel as u16),
            _ => None,
        };
        strings::copy_in(self, encoding, value, end, |units| match length {
            Length::Given | Length::Until(_) | Length::Field(_) => Ok(units),
            length => {
                let count = self.length(length, None)?.unwrap_or(units);
                if units > count {
                    let message =
                        format_args!("the string has {units} code units, more than the {count} of its length");
                    return Err(self.range_error(message));
                }
                Ok(count)
            }
        })
    }

    /// An array argument: copied, unless it lies in the guest already.
    fn array(&self, element: &TypeObject, length: &Length, value: Borrowed<'_>, direction: Direction) -> Result<u64> {
        let Some(scalar) = element.scalar() else {
            return self.array_of(element, length, value, direction);
        };
        if let Some(contents) = pointer::contents(self, value)? {
            // A Pointer is an array of one.
            return self.boxed_contents(element, &contents, direction);
        }
        let source = Source::of(self, scalar, value)?;
        let len = source.len() as u64;
        if let Source::InGuest { buffer, .. } = source {
            self.pin(buffer);
        }
        let count = match length {
            Length::Given | Length::Field(_) => len,
            Length::Until(sentinel) => {
                if let Source::InGuest { address, .. } = source {
                    let size = scalar.size(self.is_wide()) as u64;
                    self.require_sentinel(element, address, size, *sentinel, len)?;
                    return Ok(address);
                }
                len + 1
            }
            length => self.length(length, None)?.unwrap_or(len),
        };
        if direction.goes_in && len > count {
            return Err(self.too_long(len, count));
        }
        if let Source::InGuest { address, .. } = source {
            if len < count {
                return Err(self.too_short(len, count));
            }
            return Ok(address);
        }
        let size = scalar.size(self.is_wide()) as u64;
        let bytes = self.byte_length(count, size)?;
        let address = self.allocate(bytes)?;
        if direction.goes_in {
            // Allocating ran the guest, which may have run scripts: the array is looked at again.
            let source = Source::of(self, scalar, value)?;
            if source.len() as u64 != len {
                return Err(self.type_error("the array changed during the call"));
            }
            if len < count {
                self.clear(address, bytes)?;
            }
            source.copy_in(self, element, scalar, address)?;
            if let Length::Until(sentinel) = length {
                self.write(address + len * size, &scalar.bytes_of(*sentinel)[..size as usize])?;
                self.refuse_sentinel(element, address, size, *sentinel, len)?;
            }
        } else {
            self.clear(address, bytes)?;
        }
        Ok(address)
    }

    /// An array of anything but numbers.
    fn array_of(
        &self,
        element: &TypeObject,
        length: &Length,
        value: Borrowed<'_>,
        direction: Direction,
    ) -> Result<u64> {
        if let Some(array) = class::get::<RecordArray>(value) {
            let Some(bytes) = array.bytes_as(self.ctx, element)? else {
                return Err(self.unexpected(format_args!("an array of {}", element.name()), value));
            };
            let address = self.heap().address_of(bytes.start, bytes.len);
            if array.count() == 0 || address.is_some() {
                self.pin_buffer(array.buffer());
                let count = self.length(length, None)?.unwrap_or(array.count());
                if array.count() < count {
                    return Err(self.too_short(array.count(), count));
                }
                if let Length::Until(sentinel) = length {
                    let size = element.layout(self.is_wide()).map_or(0, |layout| layout.size);
                    self.require_sentinel(element, address.unwrap_or(0), size, *sentinel, array.count())?;
                }
                return address.filter(|_| array.count() > 0).map_or_else(|| self.allocate(0), Ok);
            }
        }
        if let Some(contents) = pointer::contents(self, value)? {
            return self.boxed_contents(element, &contents, direction);
        }
        let (array, len) = self.array_and_length(value)?;
        let count = match length {
            Length::Given | Length::Field(_) => len,
            Length::Until(_) => len + 1,
            length => self.length(length, None)?.unwrap_or(len),
        };
        if direction.goes_in && len > count {
            return Err(self.too_long(len, count));
        }
        let Some(layout) = element.layout(self.is_wide()) else { return Err(self.no_value(element)) };
        let bytes = self.byte_length(count, layout.size)?;
        let address = self.allocate(bytes)?;
        self.clear(address, bytes)?;
        if direction.goes_in {
            self.behind(direction, || self.write_elements(element, layout.size, address, &array, len))?;
            if let Length::Until(sentinel) = length {
                if element.is_pointer() {
                    self.write_pointer(address + len * layout.size, *sentinel as u64)?;
                }
                self.refuse_sentinel(element, address, layout.size, *sentinel, len)?;
            }
            if direction.comes_out {
                self.keep_image(address, bytes)?;
            }
        }
        Ok(address)
    }

    /// Refuses an array of `len` elements that has its own end inside.
    fn refuse_sentinel(&self, element: &TypeObject, address: u64, size: u64, sentinel: i64, len: u64) -> Result<()> {
        let at = self.find(element, address, size, sentinel, len)?;
        if at < len {
            let what = end_of(element, sentinel);
            let message = format_args!("element {at} is {what}, which would end the array there in C");
            return Err(self.range_error(message));
        }
        Ok(())
    }

    /// Refuses a view of `len` elements that has no end in it.
    fn require_sentinel(&self, element: &TypeObject, address: u64, size: u64, sentinel: i64, len: u64) -> Result<()> {
        if self.find(element, address, size, sentinel, len)? == len {
            let what = end_of(element, sentinel);
            return Err(self.range_error(format_args!("the view has no element that is {what}, which ends it in C")));
        }
        Ok(())
    }

    /// What a Pointer refers to, or a bare value.
    fn boxed(&self, pointee: &TypeObject, value: Borrowed<'_>, direction: Direction) -> Result<u64> {
        if let Some(contents) = pointer::contents(self, value)? {
            return self.boxed_contents(pointee, &contents, direction);
        }
        // A view of the value itself.
        if let (Some(scalar), Some(kind)) = (pointee.scalar(), qjs::buffer::element_kind(value))
            && kind == scalar.element(self.is_wide())
        {
            return self.address_of_bytes(value);
        }
        if matches!(pointee.ty, Type::Record(..)) && class::get::<RecordView>(value).is_some() {
            return self.record_pointer(pointee, value, direction);
        }
        Err(self.unexpected("a Pointer", value))
    }

    fn boxed_contents(&self, pointee: &TypeObject, contents: &Value<'js>, direction: Direction) -> Result<u64> {
        let Some(layout) = pointee.layout(self.is_wide()) else { return Err(self.no_value(pointee)) };
        let address = self.allocate(layout.size)?;
        self.clear(address, layout.size)?;
        if direction.goes_in && !(contents.is_undefined() && direction.comes_out) {
            let write = || self.write_value(pointee, address, Borrowed::of(contents));
            self.behind(direction, || self.within_contents(write))?;
            if direction.comes_out && pointee.scalar().is_none() {
                self.keep_image(address, layout.size)?;
            }
        }
        Ok(address)
    }

    fn record_pointer(&self, record: &TypeObject, value: Borrowed<'_>, direction: Direction) -> Result<u64> {
        if let Some(view) = class::get::<RecordView>(value) {
            if view.bytes_as(self.ctx, record)?.is_none() {
                return Err(self.unexpected(webidl::with_article(&record.name()), value));
            }
            if let Some(address) = view.address_in(self.ctx, self.heap())? {
                self.pin_buffer(view.buffer());
                return Ok(address);
            }
        }
        if let Some(contents) = pointer::contents(self, value)? {
            return self.boxed_contents(record, &contents, direction);
        }
        let Some(layout) = record.layout(self.is_wide()) else {
            return Err(self.type_error(format_args!("{} is not defined yet", record.name())));
        };
        let address = self.allocate(layout.size)?;
        self.clear(address, layout.size)?;
        if direction.goes_in {
            self.behind(direction, || self.write_value(record, address, value))?;
            if direction.comes_out {
                self.keep_image(address, layout.size)?;
            }
        }
        Ok(address)
    }

    /// Keeps the block that a buffer owns, and the buffer.
    pub(crate) fn pin_buffer(&self, buffer: &Held) {
        if let Some(bytes) = qjs::buffer::array_buffer_bytes(self.cx(), buffer.borrow())
            && let Some(address) = self.heap().address_of(bytes.start, 0)
        {
            self.pin(address);
        }
    }

    /// The address of a typed array that lies in the guest.
    fn address_of_bytes(&self, value: Borrowed<'_>) -> Result<u64> {
        let Some((bytes, whole)) = qjs::buffer::typed_array_in_buffer(self.cx(), value) else {
            return Err(self.type_error("the view has ended"));
        };
        let Some(address) = self.heap().address_of(bytes.start, bytes.len).filter(|_| bytes.len > 0) else {
            return Err(self.type_error("expected a view of this guest's memory"));
        };
        if let Some(block) = self.heap().address_of(whole.start, 0) {
            self.pin(block);
        }
        Ok(address)
    }

    fn void_pointer(&self, value: Borrowed<'_>, direction: Direction) -> Result<u64> {
        if let Some(address) = self.address(value)? {
            return Ok(address);
        }
        if let Some(handle) = class::get::<HandleObject>(value) {
            self.hold(value);
            return handle.open_address(self);
        }
        if let Some(view) = class::get::<RecordView>(value)
            && let Some(address) = view.address_in(self.ctx, self.heap())?
        {
            self.pin_buffer(view.buffer());
            return Ok(address);
        }
        if let Some(callback) = class::get::<CallbackObject>(value) {
            self.hold(value);
            return callback.address(self);
        }
        if let Some(contents) = pointer::contents(self, value)? {
            return match self.address(Borrowed::of(&contents))? {
                Some(address) => Ok(address),
                None => Err(self.unexpected("an address in the Pointer", Borrowed::of(&contents))),
            };
        }
        let Some((bytes, whole)) = qjs::buffer::source_bytes(self.cx(), value) else {
            if qjs::buffer::is_buffer_source(self.cx(), value) {
                return Err(self.type_error("the view has ended"));
            }
            return Err(self.unexpected("an address, a view, a buffer or null", value));
        };
        if let Some(address) = self.heap().address_of(bytes.start, bytes.len).filter(|_| bytes.len > 0) {
            if let Some(block) = self.heap().address_of(whole.start, 0) {
                self.pin(block);
            }
            return Ok(address);
        }
        let address = self.allocate(bytes.len as u64)?;
        // Allocating ran the guest, which may have run scripts: the bytes are looked at again.
        match qjs::buffer::source_bytes(self.cx(), value) {
            Some((now, _)) if now.len == bytes.len && direction.goes_in => self.copy(now, address)?,
            Some((now, _)) if now.len == bytes.len => self.clear(address, bytes.len as u64)?,
            _ => return Err(self.type_error("the buffer changed during the call")),
        }
        Ok(address)
    }

    fn callback(&self, ty: &TypeObject, value: Borrowed<'_>) -> Result<u64> {
        if let Some(callback) = class::get::<CallbackObject>(value) {
            self.hold(value);
            return callback.address(self);
        }
        // A function pointer that the guest gave out, or a number that stands for one, as SQLITE_TRANSIENT does.
        if let Some(number) = value.int().filter(|&number| number < 0) {
            return Ok(if self.is_wide() { i64::from(number) as u64 } else { u64::from(number as u32) });
        }
        if let Some(index) = self.address(value)? {
            return Ok(index);
        }
        let function = value.to_value(self.cx());
        if !function.is_function() {
            return Err(self.unexpected("a function, a Callback or null", value));
        }
        let state = CallbackState::new(self, ty, &function)?;
        let address = state.address();
        if ty.kept {
            self.manager.keep_value(callback::object_of(self.ctx, state)?);
        } else {
            self.ledger.callbacks.borrow_mut().push(MarkedRc::new(state));
        }
        Ok(address)
    }

    fn handle(&self, ty: &TypeObject, value: Borrowed<'_>) -> Result<u64> {
        let Some(handle) = class::get::<HandleObject>(value) else {
            return Err(self.unexpected(webidl::with_article(&ty.name()), value));
        };
        if !handle.is_of(ty) {
            let (expected, came) = (webidl::with_article(&ty.name()), webidl::with_article(&handle.name()));
            return Err(self.type_error(format_args!("expected {expected}, got {came}")));
        }
        let address = handle.open_address(self)?;
        self.hold(value);
        // A destructor that is called by hand ends the handle, as its own `close` does.
        if self.target != 0
            && !self.is_inside()
            && handle.destructor() == self.target
            && let Some(handle) = handle.handle()
        {
            self.ledger.consumed.borrow_mut().push(Consumed::Handle(handle.clone()));
        }
        Ok(address)
    }

    /// Writes a record of a single number to `address`. Returns the number, which it is passed as.
    pub(crate) fn single(&self, ty: &TypeObject, scalar: Scalar, address: u64, value: Borrowed<'_>) -> Result<Number> {
        self.write_record(ty, address, value)?;
        let size = scalar.size(self.is_wide());
        let mut bytes = [0; 8];
        let bytes = &mut bytes[..size];
        self.heap().data().read(address, bytes).map_err(|error| self.heap_error(error))?;
        Ok(scalar.load(bytes, self.is_wide()))
    }
}
