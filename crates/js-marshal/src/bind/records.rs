//! Structs, unions and enums of declarations as descriptors.

use std::cell::OnceCell;
use std::rc::Rc;

use c_abi::{Addresses, Place, RecordLayout};
use cdef::{Kind, RecordKind};
use qjs::define::{self, Attributes};
use qjs::{Cx, Held, Object, Result};

use super::{Binder, Use, Within, scalar};
use crate::record::Shape;
use crate::scalar::{Scalar, integer64};
use crate::types::{BitField, Length, Type, TypeObject, TypeRef};

/// The fields of a record, with those of records in it that have no name.
#[derive(Default)]
struct Flat {
    names: Vec<Rc<str>>,
    types: Vec<TypeRef>,
    /// Of each field, with addresses of 32 bits and of 64.
    places: [Vec<Place>; 2],
    has_overlaps: bool,
    is_nested: bool,
}

/// The innermost element type of an array.
fn innermost(ty: &cdef::Type) -> &cdef::Type {
    match ty {
        cdef::Type::Array(element, _) => innermost(element),
        ty => ty,
    }
}

impl Binder<'_, '_> {
    /// The descriptors of all enums and records.
    pub(super) fn make_types(&mut self) -> Result<()> {
        for of in &self.declarations.enums {
            let members = Object::new(self.ctx.clone())?;
            for (name, value) in &of.members {
                let value = integer64(Cx::of(self.ctx), (*value).into()).into_value(Cx::of(self.ctx))?;
                define::value(&members, name, &value, Attributes::Plain)?;
            }
            members.set_prototype(None)?;
            define::freeze(&members)?;
            let scalar = scalar(&of.ty()).unwrap_or(Scalar::Int32).of_enum();
            let ty = TypeObject::new(Type::Enum(scalar, Held::new(members.as_value())));
            self.enums.push(self.descriptor(TypeObject { exact: self.exact, ..ty })?);
        }
        for _ in &self.declarations.records {
            let ty = TypeObject::new(Type::Record(Rc::default(), OnceCell::new()));
            self.records.push(self.descriptor(ty)?);
        }
        for at in 0..self.records.len() {
            let name = self.declarations.records[at].name.clone().unwrap_or_default();
            self.attempt(&name, Kind::Declaration, || self.define_record(at))?;
        }
        Ok(())
    }

    /// Gives a record its fields, after giving the records within it theirs.
    fn define_record(&self, at: usize) -> Result<()> {
        let record = &self.declarations.records[at];
        let Type::Record(shape, known) = &self.records[at].get().ty else { unreachable!("made so") };
        let (Some(fields), None) = (&record.fields, shape.get()) else { return Ok(()) };
        let layouts = Addresses::ALL.map(|addresses| record.layout(addresses).cloned());
        let [Some(narrow), Some(wide)] = layouts else { return Ok(()) };
        let of = [narrow.layout, wide.layout];
        let mut flat = Flat::default();
        let origin = [Place { offset: 0, bit: 0 }; 2];
        self.flatten(record, fields, origin, record.kind == RecordKind::Union, false, &mut flat)?;
        let ty = self.records[at].get();
        let depth = flat.types.iter().map(|ty| ty.get().depth.get()).max().unwrap_or(0) + 1;
        ty.depth.set(depth);
        let checked = crate::descriptors::check_depth(self.ctx, ty, "");
        checked.map_err(|error| self.located(error, record.position))?;
        let [narrow, wide] = flat.places;
        let [of_narrow, of_wide] = of;
        let layouts =
            [RecordLayout { layout: of_narrow, places: narrow }, RecordLayout { layout: of_wide, places: wide }];
        let name = record.name.as_deref().map(Into::into);
        // (Members of a union of one member that is a struct without a name lie behind each other.)
        let is_union = record.kind == RecordKind::Union && !flat.is_nested;
        let has_overlaps = flat.has_overlaps || (flat.is_nested && record.kind == RecordKind::Union);
        let made = Shape::laid_out(self.ctx, name, is_union, flat.names, &flat.types, layouts, has_overlaps)?;
        let _ = shape.set(made);
        let _ = known.set(flat.types);
        Ok(())
    }

    /// Adds the fields of a record at `origin`, and of the records within it that have no name.
    fn flatten(
        &self,
        record: &cdef::Record,
        fields: &[cdef::Field],
        origin: [Place; 2],
        is_union: bool,
        is_shared: bool,
        flat: &mut Flat,
    ) -> Result<()> {
        let layouts = Addresses::ALL.map(|addresses| record.layout(addresses));
        for (at, field) in fields.iter().enumerate() {
            let place = |side: usize| {
                let own = layouts[side].map_or(Place { offset: 0, bit: 0 }, |layout| layout.places[at]);
                Place { offset: origin[side].offset + own.offset, bit: own.bit }
            };
            let places = [place(0), place(1)];
            let Some(name) = &field.name else {
                if let (cdef::Type::Record(inner), None) = (&field.ty, field.bits) {
                    let inner = &self.declarations.records[*inner];
                    let is_inner_union = inner.kind == RecordKind::Union;
                    flat.has_overlaps |= is_inner_union;
                    flat.is_nested = true;
                    let shared = is_shared || is_inner_union || is_union;
                    let inside = inner.fields.as_deref().unwrap_or_default();
                    self.flatten(inner, inside, places, is_inner_union, shared, flat)?;
                }
                continue;
            };
            if let cdef::Type::Record(inner) = innermost(&field.ty) {
                self.define_record(*inner)?;
            }
            let ty = match field.bits {
                Some(bits) => {
                    flat.has_overlaps = true;
                    let scalar = self.number(&field.ty).unwrap_or(Scalar::Int32);
                    let first = [places[0].bit, places[1].bit];
                    let ty = TypeObject::new(Type::Bits(BitField { scalar, bits, first }));
                    self.descriptor(TypeObject { exact: self.exact, ..ty })?
                }
                None => self.field(field, fields, is_shared)?,
            };
            flat.types.push(ty);
            flat.names.push(name.as_str().into());
            for (side, place) in places.into_iter().enumerate() {
                flat.places[side].push(place);
            }
        }
        Ok(())
    }

    /// The descriptor of a field.
    fn field(&self, field: &cdef::Field, fields: &[cdef::Field], is_shared: bool) -> Result<TypeRef> {
        let own = || self.ty(&field.ty, &field.annotations, field.position, Within::Record(fields), Use::Memory);
        if !self.is_lenient && !is_shared {
            return own();
        }
        // Nobody knows whether a pointer that shares its bytes is one.
        if is_shared && matches!(field.ty, cdef::Type::Pointer(_)) {
            return self.descriptor(TypeObject::new(Type::VoidPointer));
        }
        match own() {
            Err(error) if error.is_exception() && self.is_lenient && self.failed.take().is_some() => {
                drop(self.ctx.catch());
                let size = |addresses| self.declarations.layout(&field.ty, addresses).map_or(0, |layout| layout.size);
                if matches!(field.ty, cdef::Type::Pointer(_)) || size(Addresses::Narrow) != size(Addresses::Wide) {
                    return self.descriptor(TypeObject::new(Type::VoidPointer));
                }
                let byte = self.descriptor(TypeObject::new(Type::Scalar(Scalar::Uint8)))?;
                self.descriptor(TypeObject::new(Type::Inline(byte, Length::Fixed(size(Addresses::Narrow) as u64))))
            }
            made => made,
        }
    }

    /// The number that a type is, enums included.
    fn number(&self, ty: &cdef::Type) -> Option<Scalar> {
        match ty {
            cdef::Type::Enum(of) => scalar(&self.declarations.enums[*of].ty()),
            other => scalar(other),
        }
    }
}
