//! From a guest's memory to script values.

use island::call::Number;
use qjs::{Borrowed, Bytes, Cx, Held, Object, Result, Value};

use crate::convert::{Marshal, Parent};
use crate::handle::HandleObject;
use crate::record::{self, Place};
use crate::scalar::Scalar;
use crate::types::{Length, Type, TypeObject, TypeRef};
use crate::{arrays, callback, pointer, strings, view};

impl<'js> Marshal<'_, 'js> {
    /// The value of type `ty` at `bytes`, which lie in the guest's memory. `owned` says whether what it points to is
    /// the host's, if the type itself does not say so.
    pub(crate) fn read_value(
        &self,
        ty: &TypeObject,
        bytes: Bytes,
        owned: bool,
        parent: Option<Parent<'_>>,
    ) -> Result<Value<'js>> {
        let wide = self.is_wide();
        match &ty.ty {
            Type::Scalar(scalar) | Type::Enum(scalar, _) => {
                scalar.read(self.cx(), &load(bytes, scalar.size(wide))[..scalar.size(wide)], wide).into_value(self.cx())
            }
            Type::Record(..) => self.read_record(ty, bytes, owned),
            // A length that is known only now may say more than there is room for.
            Type::Inline(element, length) => {
                let count = self.length(length, parent)?;
                let count = count.ok_or_else(|| self.type_error("the array needs a length"))?;
                let size = element.get().layout(wide).map_or(0, |layout| layout.size);
                let room = (bytes.len as u64).checked_div(size).unwrap_or(count);
                self.read_elements(element.get(), bytes.start.as_ptr(), count.min(room), ty.is_owned(owned))
            }
            Type::InlineString(encoding, length) => {
                let count = self.length(length, parent)?;
                let count = count.ok_or_else(|| self.type_error("the string needs a length"))?;
                let len = count.saturating_mul(encoding.unit()).min(bytes.len as u64) as usize;
                let value = strings::decode(self, *encoding, Bytes { len, ..bytes }, self.is_exact(length))?;
                self.note_read(ty, bytes, 0, &value);
                Ok(value)
            }
            Type::Bits(field) => {
                let bytes = load_long(bytes, field.size(wide));
                let number = field.load(&bytes[..field.size(wide)], wide);
                field.scalar.result_to_js(self.cx(), number).into_value(self.cx())
            }
            Type::Void | Type::Status(_) => Err(self.no_value(ty)),
            _ => {
                let pointer = load_pointer(bytes, Scalar::Size.size(wide));
                let value = self.pointee_of(ty, pointer, ty.is_owned(owned), parent)?;
                self.note_read(ty, bytes, pointer, &value);
                Ok(value)
            }
        }
    }

    /// Notes the value that was made of something in the guest's memory.
    fn note_read(&self, ty: &TypeObject, bytes: Bytes, pointer: u64, value: &Value<'js>) {
        if self.takes_notes.get()
            && let Some(at) = self.heap().address_of(bytes.start, 0)
        {
            self.note(ty, at, pointer, Borrowed::of(value));
        }
    }

    /// One field of a record, for a view of it: what it points to stays the guest's.
    pub(crate) fn read_field(&self, ty: &TypeObject, bytes: Bytes, parent: Parent<'_>) -> Result<Value<'js>> {
        if let Type::InlineString(encoding, length) = &ty.ty {
            // It may lie in a copy of guest memory.
            return strings::decode(self, *encoding, bytes, !matches!(length, Length::Fixed(_)));
        }
        if let Type::Inline(element, Length::Fixed(count)) = &ty.ty {
            return self.read_elements(element.get(), bytes.start.as_ptr(), *count, false);
        }
        self.read_value(ty, bytes, false, Some(parent))
    }

    fn read_record(&self, ty: &TypeObject, bytes: Bytes, owned: bool) -> Result<Value<'js>> {
        let Some((shape, fields)) = record::parts(ty) else { return Err(self.no_value(ty)) };
        let wide = self.is_wide();
        if shape.is_union {
            // Nobody knows which member it is, so all of them can be read, from a copy.
            // SAFETY: the bytes are in the guest's memory, which stays where it is.
            let copy = unsafe { bytes.to_vec() };
            let buffer = view::copy(self.ctx, &copy)?;
            let place = Place::new(&buffer, self.manager_held(), 0);
            return record::new_view(self.ctx, &TypeRef::new(self.ctx, ty.duplicate())?, place, true);
        }
        let object = Object::new(self.ctx.clone())?;
        for (at, (name, field)) in shape.fields.iter().zip(fields).enumerate() {
            let field = field.get();
            let bytes_of = part(bytes, shape.offset(at, wide), field.layout(wide).map_or(0, |layout| layout.size));
            let read = || self.read_value(field, bytes_of, owned, Some((shape, fields, bytes)));
            let value = if field.scalar().is_some() { read()? } else { self.within_field(name, read)? };
            shape.names.create(&object, at, value)?;
        }
        Ok(object.into_value())
    }

    /// A new array of `count` elements at `start`, which lie in the guest's memory.
    fn read_elements(&self, element: &TypeObject, start: *mut u8, count: u64, owned: bool) -> Result<Value<'js>> {
        let start = std::ptr::NonNull::new(start).expect("a memory is not at null");
        if let Some(scalar) = element.scalar() {
            return arrays::copy_out(self, scalar, start, count);
        }
        let size = element.layout(self.is_wide()).map_or(0, |layout| layout.size);
        let mut elements = qjs::array::ArrayBuilder::new(self.cx(), count as usize)?;
        for at in 0..count {
            let bytes = part(Bytes { start, len: 0 }, at * size, size);
            let value = self.within_element(at, || self.read_value(element, bytes, owned, None))?;
            elements.push(Cx::of(self.ctx).returned(&value))?;
        }
        elements.finish()
    }

    /// How many elements there are at `address`.
    fn count(&self, element: &TypeObject, length: &Length, address: u64, parent: Option<Parent<'_>>) -> Result<u64> {
        if let Length::Until(sentinel) = length {
            let size = element.layout(self.is_wide()).map_or(0, |layout| layout.size);
            return self.find(element, address, size, *sentinel, u64::MAX);
        }
        match self.length(length, parent)? {
            Some(count) => Ok(count),
            None => Err(self.type_error(format_args!("the length of {} is not known there", element.name()))),
        }
    }

    /// The index of the element that equals the sentinel, or `most`. A struct ends an array if all its bytes are zero.
    pub(crate) fn find(&self, element: &TypeObject, address: u64, size: u64, sentinel: i64, most: u64) -> Result<u64> {
        if size == 0 {
            return Err(self.type_error("elements without a size have no end"));
        }
        if let Some(scalar) = element.scalar() {
            return self.find_number(scalar, address, size, sentinel, most);
        }
        let bits = sentinel.to_le_bytes();
        let mut at = 0;
        while at < most {
            let next = address.saturating_add(at.saturating_mul(size));
            if self.is_sentinel(next, size, &bits).map_err(|error| self.heap_error(error))? {
                return Ok(at);
            }
            at += 1;
        }
        Ok(most)
    }

    /// The same for numbers, which are compared as C compares them: -0 equals 0, and NaN nothing.
    fn find_number(&self, scalar: Scalar, address: u64, size: u64, sentinel: i64, most: u64) -> Result<u64> {
        let data = self.heap().data();
        let room = (data.len() as u64).saturating_sub(address) / size;
        let start = self.range(address, room.min(most) * size)?.start;
        let wanted = scalar.bytes_of(sentinel);
        let wanted = &wanted[..size as usize];
        let is_float = matches!(scalar, Scalar::Float32 | Scalar::Float64);
        for at in 0..room.min(most) {
            let mut bytes = [0; 8];
            let bytes = &mut bytes[..size as usize];
            // SAFETY: the element lies in the range that was looked at just now; the copy may race with the guest.
            unsafe {
                let from = start.as_ptr().add((at * size) as usize);
                std::ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), size as usize);
            }
            let is_it = match (is_float, scalar.load(bytes, self.is_wide())) {
                (true, Number::F32(value)) => value == sentinel as f32,
                (true, Number::F64(value)) => value == sentinel as f64,
                _ => bytes == wanted,
            };
            if is_it {
                return Ok(at);
            }
        }
        if room < most {
            // The array does not end in the memory.
            self.range(address + room * size, size)?;
        }
        Ok(most)
    }

    /// Whether an element of `size` bytes has these bits and no others.
    fn is_sentinel(&self, address: u64, size: u64, bits: &[u8]) -> std::result::Result<bool, data_block::OutOfBounds> {
        let data = self.heap().data();
        data.range(address, size)?;
        let (mut at, mut wanted) = (0, bits);
        while at < size {
            let mut part = [0; 64];
            let len = (part.len() as u64).min(size - at) as usize;
            data.read(address + at, &mut part[..len])?;
            let (start, rest) = part[..len].split_at(wanted.len().min(len));
            if start != &wanted[..start.len()] || rest.iter().any(|&byte| byte != 0) {
                return Ok(false);
            }
            (at, wanted) = (at + len as u64, &[]);
        }
        Ok(true)
    }

    /// The value behind a pointer that the guest gave out. If it is `owned`, what it points to is freed when the
    /// operation ends, or with the value.
    pub(crate) fn pointee_of(
        &self,
        ty: &TypeObject,
        address: u64,
        owned: bool,
        parent: Option<Parent<'_>>,
    ) -> Result<Value<'js>> {
        if ty.subclassed {
            return self.custom_unmarshall(ty, address);
        }
        if address == 0 && !matches!(ty.ty, Type::Callback(_)) {
            if ty.non_null {
                return Err(self.range_error("the guest returned a null pointer"));
            }
            return Ok(Value::new_null(self.ctx.clone()));
        }
        match &ty.ty {
            Type::String(encoding, length) => {
                // The block is the host's from here on, whatever happens.
                let was_lent = self.is_temporary(address);
                self.take_over_if(owned, ty, address, 0, encoding.unit())?;
                let end = match length {
                    Length::Given => Ok(0),
                    Length::Until(sentinel) => Ok(*sentinel as u16),
                    length => Err(self.length(length, parent)?.unwrap_or(0)),
                };
                let sized = |bytes| {
                    if owned && !was_lent {
                        self.set_temporary_bytes(address, bytes);
                    }
                };
                strings::copy_out(self, *encoding, address, end, sized)
            }
            Type::Array(element, length) => self.read_array(ty, element.get(), length, address, owned, parent),
            // A block that was lent for the call ends with the call, and so would a view of it.
            Type::View(element, length) if !owned && self.is_temporary(address) => {
                self.read_array(ty, element.get(), length, address, owned, parent)
            }
            Type::View(element, length) => self.read_view(ty, element, length, address, owned, parent),
            Type::Pointer(pointee) => {
                let pointee = pointee.get();
                let Some(layout) = pointee.layout(self.is_wide()) else { return Err(self.no_value(pointee)) };
                self.take_over_if(owned, ty, address, layout.size, layout.align)?;
                let bytes = self.range(address, layout.size)?;
                self.image_before_reading(address, layout.size)?;
                let contents = self.within_contents(|| self.read_value(pointee, bytes, owned, None))?;
                pointer::new(self.ctx, contents)
            }
            Type::RecordPointer { record, view } if !view || (!owned && self.is_temporary(address)) => {
                let Some(layout) = record.get().layout(self.is_wide()) else { return Err(self.no_value(record.get())) };
                self.take_over_if(owned, ty, address, layout.size, layout.align)?;
                let bytes = self.range(address, layout.size)?;
                self.image_before_reading(address, layout.size)?;
                self.within_contents(|| self.read_value(record.get(), bytes, owned, None))
            }
            Type::RecordPointer { record, .. } => {
                let Some(layout) = record.get().layout(self.is_wide()) else { return Err(self.no_value(record.get())) };
                let buffer = self.view_buffer(ty, address, layout.size, layout.align, owned)?;
                let place = Place::new(&buffer, self.manager_held(), 0);
                record::new_view(self.ctx, record, place, false)
            }
            Type::StringBuffer => {
                let bytes = self.heap().data().read_c_string(address).map_err(|error| self.heap_error(error))?;
                let buffer = match !owned && self.is_temporary(address) {
                    true => view::copy(self.ctx, &bytes)?,
                    false => self.view_buffer(ty, address, bytes.len() as u64, 1, owned)?,
                };
                pointer::string_buffer(self.ctx, &buffer)
            }
            Type::Address => {
                let value = pointer::new(self.ctx, Value::new_number(self.ctx.clone(), address as f64))?;
                if owned {
                    let heap = match &ty.free {
                        Some(free) => self.manager.heap_for(self.ctx, free)?,
                        None => self.heap().clone(),
                    };
                    self.manager.own_by(self.ctx, self, &heap, &value, address)?;
                    self.keep(address);
                }
                Ok(value)
            }
            Type::VoidPointer => crate::scalar::integer64(self.cx(), address.into()).into_value(self.cx()),
            Type::Callback(_) => callback::function_at(self, address),
            Type::Handle { .. } => HandleObject::open(self, ty, address, owned),
            _ => Err(self.no_value(ty)),
        }
    }

    fn take_over_if(&self, owned: bool, ty: &TypeObject, address: u64, bytes: u64, align: u64) -> Result<()> {
        if owned { self.take_over(ty, address, bytes, align) } else { Ok(()) }
    }

    fn read_array(
        &self,
        ty: &TypeObject,
        element: &TypeObject,
        length: &Length,
        address: u64,
        owned: bool,
        parent: Option<Parent<'_>>,
    ) -> Result<Value<'js>> {
        let Some(layout) = element.layout(self.is_wide()) else { return Err(self.no_value(element)) };
        // The block is the host's from here on, whatever happens.
        let was_lent = self.is_temporary(address);
        self.take_over_if(owned, ty, address, 0, layout.align)?;
        let count = self.count(element, length, address, parent)?;
        let bytes = self.byte_length(count, layout.size)?;
        if owned && !was_lent {
            let end = if matches!(length, Length::Until(_)) { layout.size } else { 0 };
            self.set_temporary_bytes(address, bytes + end);
        }
        let start = self.range(address, bytes)?.start;
        self.image_before_reading(address, bytes)?;
        self.read_elements(element, start.as_ptr(), count, owned)
    }

    /// Keeps a copy of what a callback's function gets, if it is compared with what the function leaves.
    fn image_before_reading(&self, address: u64, bytes: u64) -> Result<()> {
        match self.takes_notes.get() {
            true => self.keep_image(address, bytes),
            false => Ok(()),
        }
    }

    fn read_view(
        &self,
        ty: &TypeObject,
        element: &TypeRef,
        length: &Length,
        address: u64,
        owned: bool,
        parent: Option<Parent<'_>>,
    ) -> Result<Value<'js>> {
        let of = element.get();
        let Some(layout) = of.layout(self.is_wide()) else { return Err(self.no_value(of)) };
        let was_lent = self.is_temporary(address);
        self.take_over_if(owned, ty, address, 0, layout.align)?;
        let count = self.count(of, length, address, parent)?;
        let bytes = self.byte_length(count, layout.size)?;
        if owned && !was_lent {
            self.set_temporary_bytes(address, bytes);
        }
        let Some(scalar) = of.scalar() else {
            if !matches!(of.ty, Type::Record(..)) {
                return Err(self.type_error(format_args!("there are no views of arrays of {}", of.name())));
            }
            let buffer = self.view_buffer(ty, address, bytes, layout.align, owned)?;
            let place = Place::new(&buffer, self.manager_held(), 0);
            return record::new_array(self.ctx, element, place, count, false);
        };
        if !address.is_multiple_of(layout.align) {
            let error = marshal::HeapError::Misaligned { address, align: layout.align as usize };
            return Err(self.heap_error(error));
        }
        let buffer = self.view_buffer(ty, address, bytes, layout.align, owned)?;
        qjs::buffer::typed_array(&buffer, scalar.element(self.is_wide()))
    }

    /// A buffer over `bytes` bytes at `address`, which owns them if they are the host's.
    fn view_buffer(&self, ty: &TypeObject, address: u64, bytes: u64, align: u64, owned: bool) -> Result<Object<'js>> {
        if !owned {
            self.range(address, bytes)?;
            return view::borrowed_buffer(self.ctx, self.heap(), address, bytes);
        }
        let heap = match &ty.free {
            Some(free) => self.manager.heap_for(self.ctx, free)?,
            None => self.heap().clone(),
        };
        // A block that was lent to the guest, and comes back, has the length and alignment that it was allocated with.
        let (whole, align) = match self.lent_layout(address) {
            Some((whole, align)) if whole >= bytes => (whole, align),
            _ => (bytes, align as u32),
        };
        let block = heap.adopt_aligned(address, whole, align).map_err(|error| self.heap_error(error))?;
        // From here on the buffer is what frees it.
        self.keep(address);
        view::buffer_of(self.ctx, &heap, block, bytes)
    }

    /// A value that the operation keeps for a handle.
    pub(crate) fn argument(&self, index: usize) -> Option<Held> {
        let call = self.call?;
        (index < call.args.len().saturating_sub(call.leading)).then(|| Held::borrowed(self.cx(), call.get(index)))
    }
}

/// The address in `size` bytes.
pub(crate) fn load_pointer(bytes: Bytes, size: usize) -> u64 {
    u64::from_le_bytes(load(bytes, size))
}

/// At most eight bytes.
fn load(bytes: Bytes, size: usize) -> [u8; 8] {
    let mut all = [0; 8];
    let size = size.min(bytes.len).min(8);
    // SAFETY: whoever made `bytes` saw that they exist; a copy may race with other threads of the guest.
    unsafe { std::ptr::copy_nonoverlapping(bytes.start.as_ptr(), all.as_mut_ptr(), size) };
    all
}

/// The first bytes of a bit-field, of which there may be more than of any number.
fn load_long(bytes: Bytes, size: usize) -> [u8; 16] {
    let mut all = [0; 16];
    let size = size.min(bytes.len).min(16);
    // SAFETY: as above.
    unsafe { std::ptr::copy_nonoverlapping(bytes.start.as_ptr(), all.as_mut_ptr(), size) };
    all
}

/// A part of bytes, which the caller knows to lie in them.
pub(crate) fn part(bytes: Bytes, offset: u64, size: u64) -> Bytes {
    Bytes { start: bytes.start.map_addr(|start| start.saturating_add(offset as usize)), len: size as usize }
}
