//! What changed in memory while somebody else had it. After a call, what the guest changed is taken over into the
//! script's values, and what it left alone stays the script's own: a pointer that is still the same stands for the same
//! function, buffer, array, handle or object as before. After a callback, what its script changed goes back to the guest
//! in the same way.

use std::cell::OnceCell;

use qjs::{Borrowed, Bytes, Object, Result, Value};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::convert::{Marshal, Parent};
use crate::decode::part;
use crate::encode::{Counted, counted_by};
use crate::handle::HandleObject;
use crate::ledger::{Image, Noted};
use crate::scalar::Scalar;
use crate::types::{Access, Direction, Length, Type, TypeObject};
use crate::{arrays, pointer, record};

/// What was in memory before.
#[derive(Clone, Copy)]
enum Before<'i> {
    /// The same as now: nobody could change it.
    Same,
    /// These bytes.
    Bytes(&'i [u8]),
    /// Nothing that counts: all of it is new.
    Nothing,
}

impl<'i> Before<'i> {
    fn part(self, offset: u64, size: u64) -> Self {
        match self {
            Self::Bytes(bytes) => {
                let part = bytes.get(offset as usize..).and_then(|rest| rest.get(..size as usize));
                part.map_or(Self::Nothing, Self::Bytes)
            }
            before => before,
        }
    }

    /// Whether `now` is the same.
    fn is_same(self, now: Bytes) -> bool {
        match self {
            Self::Same => true,
            Self::Bytes(bytes) => bytes.len() == now.len && equal(bytes, now),
            Self::Nothing => false,
        }
    }
}

/// Whether bytes of the guest, which the caller looked at just now, are these. They are copied first, since others may
/// write there.
fn equal(bytes: &[u8], now: Bytes) -> bool {
    let mut copy = [0; 64];
    bytes.chunks(copy.len()).enumerate().all(|(index, chunk)| {
        let copy = &mut copy[..chunk.len()];
        // SAFETY: the chunk lies in the range.
        unsafe {
            let from = now.start.as_ptr().add(index * 64);
            std::ptr::copy_nonoverlapping(from, copy.as_mut_ptr(), copy.len());
        }
        copy == chunk
    })
}

/// Compares what is in the guest's memory with what was there.
pub(crate) struct Changes<'t, 'c, 'js> {
    marshal: &'t Marshal<'c, 'js>,
    noted: Vec<Noted>,
    images: Vec<Image>,
    /// By place, once it is needed.
    by_place: OnceCell<FxHashMap<u64, usize>>,
    by_pointer: OnceCell<FxHashMap<u64, usize>>,
    by_image: OnceCell<FxHashMap<u64, usize>>,
}

/// So few are searched faster than a map is.
const FEW: usize = 16;

fn find<T>(list: &[T], map: &OnceCell<FxHashMap<u64, usize>>, key: u64, of: impl Fn(&T) -> u64) -> Option<usize> {
    if list.len() <= FEW {
        return list.iter().position(|one| of(one) == key);
    }
    let make = || list.iter().enumerate().rev().map(|(index, one)| (of(one), index)).collect();
    map.get_or_init(make).get(&key).copied()
}

impl<'t, 'c, 'js> Changes<'t, 'c, 'js> {
    /// What the operation has noted so far. It notes nothing more.
    pub(crate) fn new(marshal: &'t Marshal<'c, 'js>) -> Self {
        marshal.takes_notes.set(false);
        let (noted, images) = (marshal.ledger.noted.take(), marshal.ledger.images.take());
        Self {
            marshal,
            noted,
            images,
            by_place: OnceCell::new(),
            by_pointer: OnceCell::new(),
            by_image: OnceCell::new(),
        }
    }

    /// The note for the pointer at `at`.
    fn note_at(&self, at: u64, pointer: u64) -> Option<&Noted> {
        let found = find(&self.noted, &self.by_place, at, |noted| noted.at)?;
        Some(&self.noted[found]).filter(|noted| noted.pointer == pointer)
    }

    /// The note for a pointer that has moved here from another place: from another element of the array, say.
    fn note_of(&self, ty: &TypeObject, pointer: u64) -> Option<&Noted> {
        let found = find(&self.noted, &self.by_pointer, pointer, |noted| noted.pointer)?;
        let noted = &self.noted[found];
        let is_handle = || qjs::class::get::<HandleObject>(noted.value.borrow()).is_some_and(|handle| handle.is_of(ty));
        Some(noted).filter(|_| std::ptr::eq(noted.ty, ty) || is_handle())
    }

    fn before(&self, address: u64) -> Before<'_> {
        let found = find(&self.images, &self.by_image, address, |image| image.address);
        found.map_or(Before::Nothing, |found| Before::Bytes(&self.images[found].bytes))
    }

    // ---- After a call -----------------------------------------------------------------------------------------------

    /// Takes over what the guest changed in an argument.
    pub(crate) fn take(&self, ty: &TypeObject, direction: Direction, address: u64, value: Borrowed<'_>) -> Result<()> {
        let marshal = self.marshal;
        if ty.subclassed {
            return match direction.comes_out {
                true => marshal.custom_take_back(ty, address, value, true),
                false => Ok(()),
            };
        }
        let value = value.to_value(marshal.cx());
        if !marshal.is_temporary(address) {
            return Ok(()); // it lies in the guest: the script sees what is there
        }
        // First of all, since anything may fail from here on.
        self.see(ty, address);
        match ty.ty {
            Type::Record(..) => self.take_value(ty, address, Before::Same, &value, None).map(drop),
            _ => self.take_behind(ty, address, &value, direction.comes_out),
        }
    }

    /// Notes which parts of an argument the guest has left in their places, and forgets the others.
    pub(crate) fn see(&self, ty: &TypeObject, address: u64) {
        let marshal = self.marshal;
        if let (Type::Record(..), Before::Bytes(bytes)) = (&ty.ty, self.before(address)) {
            // A struct by value is the guest's own variable, so what it did to that says nothing.
            let done = marshal.heap().data().write(address, bytes);
            done.expect("it was written there before, and memories do not shrink");
            marshal.see_value(ty, address);
        } else {
            marshal.see_block(ty, address);
        }
        marshal.forget_replaced(marshal.index());
    }

    /// Takes over what is behind a pointer that is the same as before. `changed` says whether the guest could change
    /// what it points to.
    fn take_behind(&self, ty: &TypeObject, address: u64, own: &Value<'js>, can_change: bool) -> Result<()> {
        let marshal = self.marshal;
        if (!can_change && !ty.reaches_writable_behind()) || !marshal.is_temporary(address) {
            return Ok(());
        }
        let before = if can_change { self.before(address) } else { Before::Same };
        match &ty.ty {
            Type::Array(element, length) | Type::View(element, length) => {
                self.take_elements(element.get(), length, address, before, own)
            }
            Type::Pointer(pointee) => self.take_contents(pointee.get(), address, before, own),
            Type::RecordPointer { record, .. } => {
                if pointer::contents(marshal, Borrowed::of(own))?.is_some() {
                    return self.take_contents(record.get(), address, before, own);
                }
                self.take_record(record.get(), address, before, own).map(drop)
            }
            Type::VoidPointer => {
                let bytes = qjs::buffer::source_bytes(marshal.cx(), Borrowed::of(own));
                let Some((bytes, _)) = bytes.filter(|_| can_change) else { return Ok(()) };
                // The script may have made the buffer longer meanwhile.
                let len = bytes.len.min(marshal.temporary_bytes(address) as usize);
                arrays::overwrite(marshal, Borrowed::of(own), address, Bytes { len, ..bytes })
            }
            _ => Ok(()),
        }
    }

    /// The value that takes the place of the script's own; `None` if that stays, perhaps with other contents.
    fn take_value(
        &self,
        ty: &TypeObject,
        at: u64,
        before: Before<'_>,
        own: &Value<'js>,
        parent: Option<Parent<'_>>,
    ) -> Result<Option<Value<'js>>> {
        let marshal = self.marshal;
        let size = ty.layout(marshal.is_wide()).map_or(0, |layout| layout.size);
        let bytes = marshal.range(at, size)?;
        let is_const = matches!(before, Before::Same);
        if matches!(before, Before::Nothing) || (own.is_undefined() && !is_const) {
            return marshal.read_value(ty, bytes, true, parent).map(Some);
        }
        let same = before.is_same(bytes);
        match &ty.ty {
            Type::Record(..) => self.take_record(ty, at, before, own),
            Type::Inline(element, Length::Fixed(count)) => {
                self.take_inline(ty, element.get(), *count, at, before, own, same)
            }
            _ if ty.is_pointer() => self.take_pointer(ty, at, bytes, before, own, parent),
            _ if same => Ok(None),
            _ => marshal.read_value(ty, bytes, true, parent).map(Some),
        }
    }

    fn take_pointer(
        &self,
        ty: &TypeObject,
        at: u64,
        bytes: Bytes,
        before: Before<'_>,
        own: &Value<'js>,
        parent: Option<Parent<'_>>,
    ) -> Result<Option<Value<'js>>> {
        let marshal = self.marshal;
        let is_const = matches!(before, Before::Same);
        let read = || marshal.read_value(ty, bytes, true, parent).map(Some);
        if ty.subclassed {
            return if is_const { Ok(None) } else { read() };
        }
        let pointer = crate::decode::load_pointer(bytes, Scalar::Size.size(marshal.is_wide()));
        if before.is_same(bytes) {
            let Some(noted) = self.note_at(at, pointer) else { return Ok(None) };
            if matches!(ty.ty, Type::String(..)) {
                // Strings do not change, so one whose characters did is another one.
                if is_const || ty.access == Access::ReadOnly || !marshal.is_temporary(pointer) {
                    return Ok(None);
                }
                let now = marshal.read_value(ty, bytes, true, parent)?;
                return Ok((!same_string(marshal, &now, own)?).then_some(now));
            }
            self.take_noted(ty, noted, is_const)?;
            return Ok(None);
        }
        match self.note_of(ty, pointer).filter(|_| pointer != 0 && !matches!(ty.ty, Type::String(..))) {
            Some(noted) => {
                self.take_noted(ty, noted, is_const)?;
                Ok(Some(noted.value.get(marshal.ctx)))
            }
            None => read(),
        }
    }

    fn take_noted(&self, ty: &TypeObject, noted: &Noted, is_const: bool) -> Result<()> {
        // The guest may have made a circle.
        if noted.is_done.replace(true) {
            return Ok(());
        }
        let can_change = match ty.access {
            Access::Inherited => !is_const,
            Access::ReadOnly => false,
            Access::Writable => true,
        };
        let own = noted.value.get(self.marshal.ctx);
        self.marshal.within_contents(|| self.take_behind(ty, noted.pointer, &own, can_change))
    }

    fn take_contents(&self, pointee: &TypeObject, address: u64, before: Before<'_>, own: &Value<'js>) -> Result<()> {
        let marshal = self.marshal;
        let Some(object) = own.as_object() else { return Ok(()) };
        let contents: Value = match before {
            Before::Nothing => Value::new_undefined(marshal.ctx.clone()),
            _ => object.get("contents")?,
        };
        match marshal.within_contents(|| self.take_value(pointee, address, before, &contents, None))? {
            Some(contents) => pointer::set_contents(own, contents),
            None => Ok(()),
        }
    }

    fn take_elements(
        &self,
        element: &TypeObject,
        length: &Length,
        address: u64,
        before: Before<'_>,
        own: &Value<'js>,
    ) -> Result<()> {
        let marshal = self.marshal;
        let is_const = matches!(before, Before::Same);
        if pointer::contents(marshal, Borrowed::of(own))?.is_some() {
            return self.take_contents(element, address, before, own);
        }
        let Some(array) = own.as_object() else { return Ok(()) };
        let size = element.layout(marshal.is_wide()).map_or(0, |layout| layout.size);
        // As many as there was room for, or fewer if the guest says so.
        let room = marshal.temporary_bytes(address).checked_div(size).unwrap_or(0);
        let count = match length {
            _ if is_const => room,
            Length::Argument(_) => marshal.length(length, None)?.map_or(room, |count| count.min(room)),
            Length::Until(sentinel) if size > 0 => marshal.find(element, address, size, *sentinel, room)?,
            _ => room,
        };
        if let Some(scalar) = element.scalar() {
            return match is_const {
                true => Ok(()),
                false => arrays::copy_back(marshal, element, scalar, address, Borrowed::of(own), count),
            };
        }
        self.take_each(element, size, address, before, array, count)
    }

    /// Takes over elements that are not numbers. All of them are read before the array is asked to change, which may
    /// fail.
    fn take_each(
        &self,
        element: &TypeObject,
        size: u64,
        address: u64,
        before: Before<'_>,
        array: &Object<'js>,
        count: u64,
    ) -> Result<()> {
        let there = if array.is_array() { arrays::length(array.as_value())? as u64 } else { u64::MAX };
        let count = if matches!(before, Before::Same) { count.min(there) } else { count };
        let mut changed: Vec<(u64, Value)> = Vec::new();
        for at in 0..count {
            let own: Value = match before {
                Before::Nothing => Value::new_undefined(array.ctx().clone()),
                _ if at >= there => Value::new_undefined(array.ctx().clone()),
                _ => array.get(at as u32)?,
            };
            let before = before.part(at * size, size);
            let take = || self.take_value(element, address + at * size, before, &own, None);
            if let Some(new) = self.marshal.within_element(at, take)? {
                changed.push((at, new));
            }
        }
        changed.into_iter().try_for_each(|(at, new)| match at < there {
            true => array.set(at as u32, new),
            false => qjs::properties::create_at(array, at as u32, new),
        })
    }

    #[allow(clippy::too_many_arguments, reason = "each is said once, by the one caller")]
    fn take_inline(
        &self,
        ty: &TypeObject,
        element: &TypeObject,
        count: u64,
        at: u64,
        before: Before<'_>,
        own: &Value<'js>,
        same: bool,
    ) -> Result<Option<Value<'js>>> {
        let marshal = self.marshal;
        if same && !element.reaches_writable() && matches!(before, Before::Same) {
            return Ok(None);
        }
        let size = element.layout(marshal.is_wide()).map_or(0, |layout| layout.size);
        let all = || marshal.read_value(ty, marshal.range(at, size * count)?, true, None).map(Some);
        if let Some(scalar) = element.scalar() {
            if same {
                return Ok(None);
            }
            let is_view = qjs::buffer::element_kind(Borrowed::of(own)).is_some();
            if !(own.is_array() || (is_view && arrays::length(own)? as u64 == count)) {
                return all();
            }
            arrays::copy_back(marshal, element, scalar, at, Borrowed::of(own), count)?;
            return Ok(None);
        }
        let Some(array) = own.as_object().filter(|array| array.is_array()) else {
            return if same { Ok(None) } else { all() };
        };
        // Elements that the script left out stay so, if the guest did not touch them.
        let count = if same { count.min(arrays::length(own)? as u64) } else { count };
        self.take_each(element, size, at, before, array, count)?;
        Ok(None)
    }

    fn take_record(
        &self,
        ty: &TypeObject,
        at: u64,
        before: Before<'_>,
        own: &Value<'js>,
    ) -> Result<Option<Value<'js>>> {
        let (marshal, wide) = (self.marshal, self.marshal.is_wide());
        let Some((shape, fields)) = record::parts(ty) else { return Ok(None) };
        let bytes = marshal.range(at, shape.layout(wide).size)?;
        let is_const = matches!(before, Before::Same);
        let Some(object) = own.as_object() else {
            return if is_const { Ok(None) } else { marshal.read_value(ty, bytes, true, None).map(Some) };
        };
        let same = before.is_same(bytes);
        if shape.is_union && !same {
            // Nobody knows which member it is, so the object gets all of them.
            let made = marshal.read_value(ty, bytes, true, None)?;
            let made = made.as_object().ok_or(rquickjs::Error::Unknown)?;
            (0..fields.len()).try_for_each(|index| shape.names.set(object, index, &shape.names.get(made, index)?))?;
            return Ok(None);
        }
        // All fields are read before the object is asked to change, which may fail.
        let mut changed: SmallVec<[(usize, Value); 8]> = SmallVec::new();
        for (index, (name, field)) in shape.fields.iter().zip(fields).enumerate() {
            let field = field.get();
            if is_const && !field.reaches_writable() {
                continue;
            }
            let size = field.layout(wide).map_or(0, |layout| layout.size);
            let offset = shape.offset(index, wide);
            let before = if shape.is_union { Before::Same } else { before.part(offset, size) };
            let own = match before {
                Before::Nothing => Value::new_undefined(marshal.ctx.clone()),
                _ => shape.names.get(object, index)?,
            };
            if shape.is_union && own.is_undefined() {
                continue;
            }
            if field.scalar().is_some() && !own.is_undefined() && before.is_same(part(bytes, offset, size)) {
                continue;
            }
            let take = || self.take_value(field, at + offset, before, &own, Some((shape, fields, bytes)));
            if let Some(new) = marshal.within_field(name, take)? {
                changed.push((index, new));
            }
        }
        changed.iter().try_for_each(|(index, new)| shape.names.set(object, *index, new))?;
        Ok(None)
    }

    // ---- After a callback -------------------------------------------------------------------------------------------

    /// Writes what the script left in an argument of a callback that comes out. For an array, these are the `count`
    /// elements that it had.
    pub(crate) fn put(&self, ty: &TypeObject, address: u64, value: &Value<'js>, count: u64) -> Result<()> {
        let marshal = self.marshal;
        let before = self.before(address);
        match &ty.ty {
            Type::Pointer(pointee) => {
                let Some(pointer) = value.as_object() else { return Ok(()) };
                let contents: Value = pointer.get("contents")?;
                marshal.within_contents(|| self.put_value(pointee.get(), address, before, &contents))
            }
            Type::RecordPointer { record, view: false } => self.put_value(record.get(), address, before, value),
            Type::Array(element, _) => {
                // Elements that the script took away stay as they were; there is no room for more.
                let len = arrays::length(value)? as u64;
                if len > count {
                    return Err(marshal.too_long(len, count));
                }
                self.put_elements(element.get(), address, before, value, len)
            }
            _ => Ok(()),
        }
    }

    fn put_elements(
        &self,
        element: &TypeObject,
        address: u64,
        before: Before<'_>,
        value: &Value<'js>,
        count: u64,
    ) -> Result<()> {
        let marshal = self.marshal;
        if let Some(scalar) = element.scalar() {
            let source = arrays::Source::of(marshal, scalar, Borrowed::of(value))?;
            return source.first(count as usize).copy_in(marshal, element, scalar, address);
        }
        let Some(array) = value.as_object() else { return Ok(()) };
        let size = element.layout(marshal.is_wide()).map_or(0, |layout| layout.size);
        for at in 0..count {
            let own: Value = array.get(at as u32)?;
            let before = before.part(at * size, size);
            marshal.within_element(at, || self.put_value(element, address + at * size, before, &own))?;
        }
        Ok(())
    }

    fn put_value(&self, ty: &TypeObject, at: u64, before: Before<'_>, value: &Value<'js>) -> Result<()> {
        let marshal = self.marshal;
        let write = || marshal.write_value(ty, at, Borrowed::of(value));
        let size = ty.layout(marshal.is_wide()).map_or(0, |layout| layout.size);
        match &ty.ty {
            Type::Scalar(scalar) | Type::Enum(scalar, _) => {
                let own = marshal.bytes_of_number(ty, *scalar, Borrowed::of(value))?;
                match (own, before) {
                    (Some(own), Before::Bytes(before)) if own[..size as usize] == *before => Ok(()),
                    _ => write(),
                }
            }
            Type::Record(..) => self.put_record(ty, at, before, value),
            Type::Inline(element, Length::Fixed(count)) if value.is_array() => {
                let len = arrays::length(value)? as u64;
                if len != *count {
                    return write();
                }
                self.put_elements(element.get(), at, before, value, len)
            }
            _ if ty.is_pointer() || matches!(ty.ty, Type::InlineString(..)) => {
                let Some(noted) = self.note_of_place(at) else { return write() };
                if !is_identical(marshal, &noted.value.get(marshal.ctx), value)? {
                    return write();
                }
                if noted.is_done.replace(true) || ty.subclassed {
                    return Ok(());
                }
                self.put_behind(ty, at, noted.pointer, value)
            }
            _ => write(),
        }
    }

    /// Writes what the script changed in a value that it left in its place.
    fn put_behind(&self, ty: &TypeObject, at: u64, address: u64, value: &Value<'js>) -> Result<()> {
        let marshal = self.marshal;
        let before = self.before(address);
        match &ty.ty {
            Type::Array(element, _) if value.is_array() => {
                let size = element.get().layout(marshal.is_wide()).map_or(0, |layout| layout.size);
                let len = arrays::length(value)? as u64;
                let had = match before {
                    Before::Bytes(bytes) => (bytes.len() as u64).checked_div(size).unwrap_or(0),
                    _ => len,
                };
                if len != had || (ty.access == Access::ReadOnly && self.differs(element.get(), address, value, len)?) {
                    // It needs other memory.
                    return marshal.write_value(ty, at, Borrowed::of(value));
                }
                marshal.within_contents(|| self.put_elements(element.get(), address, before, value, len))
            }
            Type::Pointer(_) | Type::RecordPointer { view: false, .. } => {
                marshal.within_contents(|| self.put(ty, address, value, 0))
            }
            _ => Ok(()),
        }
    }

    /// Whether the script changed numbers that the guest said are constant.
    fn differs(&self, element: &TypeObject, address: u64, value: &Value<'js>, len: u64) -> Result<bool> {
        let marshal = self.marshal;
        let Some(scalar) = element.scalar() else { return Ok(false) };
        let size = scalar.size(marshal.is_wide());
        for at in 0..len {
            let mut bytes = [0; 8];
            let from = address + at * size as u64;
            marshal.heap().data().read(from, &mut bytes[..size]).map_err(|error| marshal.heap_error(error))?;
            let same = qjs::array::with_element(marshal.cx(), Borrowed::of(value), at as u32, |own| {
                Ok(marshal.bytes_of_number(element, scalar, own)?.is_some_and(|own| own == bytes))
            })?;
            if !same {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn note_of_place(&self, at: u64) -> Option<&Noted> {
        find(&self.noted, &self.by_place, at, |noted| noted.at).map(|found| &self.noted[found])
    }

    fn put_record(&self, ty: &TypeObject, at: u64, before: Before<'_>, value: &Value<'js>) -> Result<()> {
        let (marshal, wide) = (self.marshal, self.marshal.is_wide());
        let write = || marshal.write_value(ty, at, Borrowed::of(value));
        let Some((shape, fields)) = record::parts(ty) else { return write() };
        let object = value.as_object().filter(|object| !object.is_array() && !object.is_function());
        let (Some(object), false) = (object, shape.is_union) else { return write() };
        if qjs::class::of::<record::RecordView>(value).is_some() {
            return write();
        }
        let mut counted: Vec<Counted<'_>> = Vec::new();
        for (index, (name, field)) in shape.fields.iter().zip(fields).enumerate() {
            let (own, field) = (shape.names.get(object, index)?, field.get());
            let (offset, size) = (shape.offset(index, wide), field.layout(wide).map_or(0, |layout| layout.size));
            if own.is_undefined() {
                if !shape.has_overlaps {
                    marshal.clear(at + offset, size)?;
                }
                continue;
            }
            let before = before.part(offset, size);
            marshal.within_field(name, || self.put_value(field, at + offset, before, &own))?;
            if let Some(of) = counted_by(field)
                && !own.is_null()
            {
                counted.push(Counted { array: name, of, count: marshal.elements_of(field, &own)? });
            }
        }
        marshal.write_lengths(shape, fields, at, object, &counted)
    }
}

/// Whether two strings have the same characters.
fn same_string<'js>(marshal: &Marshal<'_, 'js>, one: &Value<'js>, other: &Value<'js>) -> Result<bool> {
    use qjs::string::Units;
    let cx = marshal.cx();
    match (Units::of(cx, Borrowed::of(one))?, Units::of(cx, Borrowed::of(other))?) {
        (Some(one), Some(other)) => Ok(one.compare(other).is_eq()),
        _ => Ok(false),
    }
}

/// Whether a script would say that they are the same.
fn is_identical<'js>(marshal: &Marshal<'_, 'js>, one: &Value<'js>, other: &Value<'js>) -> Result<bool> {
    if one.is_string() && other.is_string() {
        return same_string(marshal, one, other);
    }
    let (one, other) = (Borrowed::of(one), Borrowed::of(other));
    Ok(match (one.number(), other.number()) {
        (Some(one), Some(other)) => one == other,
        (None, None) if one.is_null() => other.is_null(),
        (None, None) => one.identity() != 0 && one.identity() == other.identity(),
        _ => false,
    })
}
