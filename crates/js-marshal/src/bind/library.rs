//! The object with everything that is declared: functions, constants, variables, types, and what is left out.

use std::cell::OnceCell;
use std::rc::Rc;

use c_abi::{Passed, Place, RecordLayout};
use cdef::{Kind, RecordKind};
use js_api::ExportedFunction;
use qjs::define::{self, Attributes};
use qjs::{Borrowed, Cx, Held, Object, Result, Value, class};

use super::{Binder, RESERVED, Skipped, Use, Within};
use crate::manager::ManagerObject;
use crate::record::{self, Shape};
use crate::scalar::integer64;
use crate::types::{Type, TypeObject, TypeRef};
use crate::{prototype, sources};

impl<'js> Binder<'_, 'js> {
    /// The object with everything that is declared.
    pub(super) fn library(&self, manager: &Value<'js>) -> Result<Value<'js>> {
        let library = Object::new(self.ctx.clone())?;
        for function in &self.declarations.functions {
            let kind = if function.is_inline { Kind::Inline } else { Kind::Function };
            if let Some(bound) = self.attempt(&function.name, kind, || self.function(function, manager))? {
                define::value(&library, &function.name, &bound, Attributes::Frozen)?;
            }
        }
        for constant in &self.declarations.constants {
            if self.declarations.is_system(constant.position) {
                continue;
            }
            let value = self.attempt(&constant.name, Kind::Macro, || self.constant(constant))?;
            if let Some(value) = value {
                define::value(&library, &constant.name, &value, Attributes::Frozen)?;
            }
        }
        let types = self.types()?;
        define::value(&library, "types", types.as_value(), Attributes::ReadOnly)?;
        define::value(&library, "memoryManager", manager, Attributes::ReadOnly)?;
        let variables = self.variables(manager)?;
        define::value(&library, "variables", &variables, Attributes::ReadOnly)?;
        if !self.is_lenient {
            let missed = self.skipped.take().into_iter().filter(|skipped| skipped.kind != Kind::Inline);
            let errors = missed.map(|skipped| self.declarations.error(skipped.position, skipped.reason));
            if let Some(error) = cdef::Error::all(errors) {
                return Err(crate::errors::throw_long(self.ctx, "TypeError", &format!("{}: {error}", self.place)));
            }
        }
        define::value(&library, "skipped", &self.all_skipped()?, Attributes::ReadOnly)?;
        define::freeze(&library)?;
        Ok(library.into_value())
    }

    fn function(&self, function: &cdef::Function, manager: &Value<'js>) -> Result<Value<'js>> {
        let of: &ManagerObject = class::of(manager).ok_or(rquickjs::Error::Unknown)?;
        let (name, at) = (&function.name, function.position);
        if RESERVED.contains(&name.as_str()) {
            return Err(self.fail(at, format!("`{name}` is a name that the library itself has")));
        }
        if function.is_inline && class::of::<ExportedFunction>(&self.instance.export(self.ctx, name)?).is_none() {
            return Err(self.fail(at, "its body is in the header: the module has no such function"));
        }
        let export = self.export(name, at)?;
        let signature = self.signature(&function.signature, Some(&function.annotations), at)?;
        if let Some(message) = prototype::refused_result(&signature) {
            return Err(self.fail(at, message));
        }
        let exported: &ExportedFunction = class::of(&export).ok_or(rquickjs::Error::Unknown)?;
        if let Some(message) = prototype::mismatch(&signature, of, exported) {
            return Err(self.fail(at, message));
        }
        prototype::bound_function(self.ctx, signature, Borrowed::of(manager), &export, Some(name), self.place)
    }

    fn constant(&self, constant: &cdef::Constant) -> Result<Value<'js>> {
        if RESERVED.contains(&constant.name.as_str()) {
            let message = format!("`{}` is a name that the library itself has", constant.name);
            return Err(self.fail(constant.position, message));
        }
        match &constant.value {
            cdef::Value::Integer(value) => integer64(Cx::of(self.ctx), *value).into_value(Cx::of(self.ctx)),
            cdef::Value::Float(value) => Ok(Value::new_number(self.ctx.clone(), *value)),
            cdef::Value::String(value) => qjs::string::from_utf8(self.ctx, value.as_bytes()),
        }
    }

    /// The variables that the instance exports: a view of them where they lie.
    fn variables(&self, manager: &Value<'js>) -> Result<Value<'js>> {
        let of: &ManagerObject = class::of(manager).ok_or(rquickjs::Error::Unknown)?;
        let (mut names, mut types) = (Vec::<Rc<str>>::new(), Vec::new());
        let mut places: Vec<(u64, u64)> = Vec::new();
        for variable in &self.declarations.variables {
            let (name, at) = (&variable.name, variable.position);
            if variable.is_static {
                self.skip(name, Kind::Inline, at, "it is static: the module has no such variable");
                continue;
            }
            let made = self.attempt(name, Kind::Variable, || {
                let export = self.instance.export(self.ctx, name)?;
                let value: Value = match export.as_object() {
                    Some(global) if class::of::<ExportedFunction>(&export).is_none() => global.get("value")?,
                    _ => return Err(self.fail(at, format!("the instance exports no variable `{name}`"))),
                };
                let Some(address) = crate::scalar::address(Cx::of(self.ctx), Borrowed::of(&value))? else {
                    return Err(self.fail(at, format!("the export `{name}` is not the address of a variable")));
                };
                let none = Within::Record(&[]);
                let ty = self.ty(&variable.ty, &variable.annotations, at, none, Use::Memory)?;
                Ok((ty, address))
            })?;
            let Some((ty, address)) = made else { continue };
            let Some(size) = ty.get().layout(self.is_wide).map(|layout| layout.size) else {
                self.skip(name, Kind::Variable, at, "its size is not known");
                continue;
            };
            if address.checked_add(size).is_none_or(|end| of.heap().data().range(address, size).is_err() || end == 0) {
                self.skip(name, Kind::Variable, at, "it does not lie in the memory");
                continue;
            }
            names.push(name.as_str().into());
            types.push(ty);
            places.push((address, size));
        }
        let start = places.iter().map(|place| place.0).min().unwrap_or(0);
        let end = places.iter().map(|place| place.0 + place.1).max().unwrap_or(0);
        if end == 0 {
            let none = Object::new(self.ctx.clone())?;
            define::freeze(&none)?;
            return Ok(none.into_value());
        }
        let size = (end - start) as usize;
        let place = |place: &(u64, u64)| Place { offset: (place.0 - start) as usize, bit: 0 };
        let layout = c_abi::Layout { size, align: 1, passed: Passed::Address };
        let of_all = RecordLayout { layout, places: places.iter().map(place).collect() };
        let shape = Shape::laid_out(self.ctx, None, false, names, &types, [of_all.clone(), of_all], true)?;
        let known = OnceCell::new();
        let _ = known.set(types);
        let ty = TypeRef::new(self.ctx, TypeObject::new(Type::Record(Rc::new(OnceCell::from(shape)), known)))?;
        let buffer = crate::view::borrowed_buffer(self.ctx, of.heap(), start, size as u64)?;
        record::new_view(self.ctx, &ty, record::Place::new(&buffer, Held::new(manager), 0), false)
    }

    /// Everything that is not bound, by the reader and here, as scripts get it.
    fn all_skipped(&self) -> Result<Value<'js>> {
        let here = self.skipped.take();
        let read = self.declarations.skipped.iter().map(|skipped| Skipped {
            name: skipped.name.clone(),
            kind: skipped.kind,
            position: skipped.position,
            reason: skipped.reason.clone(),
        });
        let mut all: Vec<Skipped> = read.chain(here).collect();
        all.sort_by_key(|skipped| skipped.position);
        sources::list(
            self.ctx,
            self.declarations,
            all.iter().map(|skipped| (skipped.name.as_str(), skipped.kind, skipped.position, skipped.reason.as_str())),
        )
    }

    /// Structs, unions, enums and handles by their names.
    fn types(&self) -> Result<Object<'js>> {
        let types = Object::new(self.ctx.clone())?;
        let none = cdef::Annotations::default();
        let class_of = |name: &str| -> Result<Object<'js>> { crate::descriptors::prototype(self.ctx, name) };
        let add = |name: &str, ty: &TypeRef, class: &str| -> Result<()> {
            let object = ty.held().get(self.ctx);
            let object = object.as_object().ok_or(rquickjs::Error::Unknown)?;
            object.set_prototype(Some(&class_of(class)?))?;
            define::value(&types, name, object.as_value(), Attributes::Plain)
        };
        let record_class = |of: usize| match self.declarations.records[of].kind {
            RecordKind::Union => "UnionType",
            RecordKind::Struct => "StructType",
        };
        for (at, of) in self.declarations.records.iter().enumerate() {
            let is_defined = self.records[at].get().layout(false).is_some();
            if let (Some(name), true) = (&of.name, is_defined && !self.declarations.is_system(of.position)) {
                add(name, &self.records[at], record_class(at))?;
            }
        }
        for (at, of) in self.declarations.enums.iter().enumerate() {
            if let Some(name) = &of.name {
                add(name, &self.enums[at], "EnumType")?;
            }
        }
        for typedef in &self.declarations.typedefs {
            match &typedef.ty {
                cdef::Type::Record(of) if self.records[*of].get().layout(false).is_some() => {
                    add(&typedef.name, &self.records[*of], record_class(*of))?;
                }
                cdef::Type::Record(of) => {
                    if self.declarations.is_system(typedef.position) {
                        continue;
                    }
                    let to = cdef::Pointee {
                        ty: cdef::Type::Record(*of),
                        is_const: false,
                        annotations: typedef.annotations.clone(),
                    };
                    let within = Within::Record(&[]);
                    let made = self.attempt(&typedef.name, Kind::Declaration, || {
                        self.descriptor(self.pointer(&to, &none, typedef.position, within, Use::Result)?)
                    })?;
                    if let Some(ty) = made {
                        add(&typedef.name, &ty, "HandleType")?;
                    }
                }
                cdef::Type::Enum(of) => add(&typedef.name, &self.enums[*of], "EnumType")?,
                cdef::Type::Pointer(to) if matches!(to.ty, cdef::Type::Function(_)) => {
                    let within = Within::Record(&[]);
                    let made = self.attempt(&typedef.name, Kind::Declaration, || {
                        self.ty(&typedef.ty, &none, typedef.position, within, Use::Memory)
                    })?;
                    if let Some(ty) = made {
                        add(&typedef.name, &ty, "CallbackType")?;
                    }
                }
                _ => {}
            }
        }
        Ok(types)
    }
}
