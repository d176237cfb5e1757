//! What a value is in C: the types that prototypes, structs and arrays are made of, and how they lie in memory.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use c_abi::Addresses;
use island::call::Number;
use marshal::Destructor;
use qjs::{Borrowed, Ctx, Cx, Exception, Held, HostClass, Mark, Result, Value, WeakObject, class};

use crate::record::Shape;
use crate::scalar::Scalar;

/// How the length of an array is known.
#[derive(Mark)]
pub(crate) enum Length {
    /// It has as many elements as the argument has. A result must say more.
    Given,
    #[mark(skip)]
    Fixed(u64),
    /// `(index, args) => length`.
    Callback(Held),
    /// The value of another parameter of the C function; after the call, if it comes out.
    #[mark(skip)]
    Argument(usize),
    /// The value of another field of the struct.
    #[mark(skip)]
    Field(Box<str>),
    /// Up to an element of this value, which is not part of the array.
    #[mark(skip)]
    Until(i64),
}

impl Length {
    pub(crate) fn duplicate(&self) -> Self {
        match self {
            Self::Given => Self::Given,
            Self::Fixed(count) => Self::Fixed(*count),
            Self::Callback(held) => Self::Callback(held.duplicate()),
            Self::Argument(index) => Self::Argument(*index),
            Self::Field(name) => Self::Field(name.clone()),
            Self::Until(value) => Self::Until(*value),
        }
    }
}

/// How a string's characters are stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Encoding {
    Utf8,
    Utf16,
    Latin1,
}

impl Encoding {
    /// How many bytes a code unit has.
    pub(crate) fn unit(self) -> u64 {
        if self == Self::Utf16 { 2 } else { 1 }
    }
}

/// A script's type descriptor.
#[derive(Mark)]
pub(crate) struct TypeRef(Held);

impl TypeRef {
    /// The descriptor in `value`.
    ///
    /// # Errors
    /// A TypeError for anything else.
    pub(crate) fn of(ctx: &Ctx<'_>, value: Borrowed<'_>, place: &str) -> Result<Self> {
        let _: &TypeObject = webidl::interface(ctx, value, place)?;
        Ok(Self(Held::borrowed(Cx::of(ctx), value)))
    }

    /// A new descriptor, which no script has.
    ///
    /// # Errors
    /// When memory is out.
    pub(crate) fn new(ctx: &Ctx<'_>, ty: TypeObject) -> Result<Self> {
        Ok(Self(Held::new(class::new_object(ctx, ty, None)?.as_value())))
    }

    #[inline]
    pub(crate) fn get(&self) -> &TypeObject {
        class::get(self.0.borrow()).expect("checked when it was made")
    }

    pub(crate) fn held(&self) -> &Held {
        &self.0
    }

    pub(crate) fn duplicate(&self) -> Self {
        Self(self.0.duplicate())
    }
}

/// What a value is in C.
#[derive(Mark)]
pub(crate) enum Type {
    Void,
    #[mark(skip)]
    Scalar(Scalar),
    /// An enum, with a frozen object that has the numbers by name.
    Enum(#[mark(skip)] Scalar, Held),
    /// A result that says whether the call failed.
    Status(Status),
    /// `char *`.
    String(#[mark(skip)] Encoding, Length),
    /// `char *`, viewed.
    StringBuffer,
    /// A pointer to elements, copied.
    Array(TypeRef, Length),
    /// A pointer to elements, viewed.
    View(TypeRef, Length),
    /// A pointer to one value, in a Pointer.
    Pointer(TypeRef),
    /// An address in a Pointer, owned.
    Address,
    /// `void *`.
    VoidPointer,
    /// A struct or union in place. It is defined later if it refers to itself.
    Record(#[mark(skip)] Rc<OnceCell<Shape>>, OnceCell<Vec<TypeRef>>),
    /// A pointer to a struct or union.
    RecordPointer {
        record: TypeRef,
        #[mark(skip)]
        view: bool,
    },
    /// Elements in place.
    Inline(TypeRef, Length),
    /// A bit-field of a record.
    #[mark(skip)]
    Bits(BitField),
    /// Characters in place: as many code units at most.
    InlineString(#[mark(skip)] Encoding, Length),
    /// A function pointer.
    Callback(Signature),
    /// An opaque pointer.
    Handle {
        #[mark(skip)]
        name: Option<Box<str>>,
        #[mark(skip)]
        destructor: Option<Rc<Destructor>>,
        /// The destructor as scripts know it, which keeps its guest.
        function: Option<Held>,
    },
    /// A script's own subclass of ReferenceType, whose methods do everything.
    Custom,
}

/// Bits within the bytes at a field's offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BitField {
    pub(crate) scalar: Scalar,
    pub(crate) bits: u32,
    /// The first bit with addresses of 32 bits, and of 64.
    pub(crate) first: [u32; 2],
}

impl BitField {
    /// How many bytes it touches.
    pub(crate) fn size(self, wide: bool) -> usize {
        (self.first[usize::from(wide)] + self.bits).div_ceil(8) as usize
    }

    /// Its number in these bytes.
    pub(crate) fn load(self, bytes: &[u8], wide: bool) -> Number {
        let mut all = [0; 16];
        all[..bytes.len()].copy_from_slice(bytes);
        let bits = (u128::from_le_bytes(all) >> self.first[usize::from(wide)]) as u64;
        let unused = 64 - self.bits;
        let signed = self.scalar.abi().is_signed();
        let value = if signed { (bits << unused) as i64 >> unused } else { (bits << unused >> unused) as i64 };
        self.scalar.load(&value.to_le_bytes()[..self.scalar.size(wide)], wide)
    }

    /// Puts a number's bits among these bytes.
    pub(crate) fn store(self, bits: u64, bytes: &mut [u8], wide: bool) {
        let first = self.first[usize::from(wide)];
        let mask = if self.bits == 64 { u64::MAX } else { (1 << self.bits) - 1 };
        let mut all = [0; 16];
        all[..bytes.len()].copy_from_slice(bytes);
        let old = u128::from_le_bytes(all) & !(u128::from(mask) << first);
        let new = (old | u128::from(bits & mask) << first).to_le_bytes();
        bytes.copy_from_slice(&new[..bytes.len()]);
    }
}

/// How a result says that the call failed.
#[derive(Mark)]
pub(crate) struct Status {
    pub(crate) ty: TypeRef,
    /// The results that are successes. If it is empty, `failure` has the failures.
    #[mark(skip)]
    pub(crate) success: Vec<i64>,
    #[mark(skip)]
    pub(crate) failure: Vec<i64>,
    /// `(code, functionName, results) => message or error`.
    pub(crate) error: Option<Held>,
}

impl Status {
    /// Whether a result says that the call failed.
    pub(crate) fn is_failure(&self, code: i64) -> bool {
        match self.success.is_empty() {
            true => self.failure.contains(&code),
            false => !self.success.contains(&code),
        }
    }
}

/// What a function takes and returns.
#[derive(Mark)]
pub(crate) struct Signature {
    pub(crate) params: Vec<Param>,
    pub(crate) returns: Option<TypeRef>,
    /// Whether the address of further arguments follows, of which there are none.
    #[mark(skip)]
    pub(crate) is_variadic: bool,
    /// Whether calls may be suspended: a function returns a promise, and a callback may.
    #[mark(skip)]
    pub(crate) is_async: bool,
    /// How many bytes C's stack has in such a call, if that was said.
    #[mark(skip)]
    pub(crate) stack_size: Option<u64>,
}

/// A parameter.
#[derive(Mark)]
pub(crate) struct Param {
    pub(crate) ty: TypeRef,
    #[mark(skip)]
    pub(crate) direction: Direction,
}

impl Signature {
    pub(crate) fn duplicate(&self) -> Self {
        let param = |param: &Param| Param { ty: param.ty.duplicate(), direction: param.direction };
        let params = self.params.iter().map(param).collect();
        let returns = self.returns.as_ref().map(TypeRef::duplicate);
        let &Self { is_variadic, is_async, stack_size, .. } = self;
        Self { params, returns, is_variadic, is_async, stack_size }
    }

    /// Whether all records that are passed by value are defined.
    pub(crate) fn is_defined(&self) -> bool {
        let defined = |ty: &TypeObject| !matches!(&ty.ty, Type::Record(shape, _) if shape.get().is_none());
        self.params.iter().map(|param| &param.ty).chain(&self.returns).all(|ty| defined(ty.get()))
    }
}

/// Which way an argument's data goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Direction {
    pub(crate) goes_in: bool,
    pub(crate) comes_out: bool,
    /// Whether the script does not pass it, and the call returns it instead.
    pub(crate) is_result: bool,
}

/// Who frees what a pointer points to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ownership {
    /// The same as for what points to it: results are the host's, and arguments stay the host's.
    Inherited,
    /// The host, even what comes out of an argument.
    Owned,
    /// The guest.
    Borrowed,
    /// The guest, from the call on.
    Consumed,
}

/// Whether what a pointer points to can be changed through it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    /// As what the pointer itself lies in.
    Inherited,
    /// `const T *`.
    ReadOnly,
    /// `T *`.
    Writable,
}

/// The value of a type descriptor.
#[derive(HostClass, Mark)]
#[host_class(name = "Type")]
pub(crate) struct TypeObject {
    pub(crate) ty: Type,
    #[mark(skip)]
    pub(crate) ownership: Ownership,
    /// What frees it, if that is not the heap's own function.
    pub(crate) free: Option<Held>,
    #[mark(skip)]
    pub(crate) non_null: bool,
    /// Whether it is of a script's subclass, which may override the methods.
    #[mark(skip)]
    pub(crate) subclassed: bool,
    /// The descriptor's own object, once there is one.
    #[mark(skip)]
    pub(crate) script: OnceCell<WeakObject>,
    /// How deep types are nested in it.
    #[mark(skip)]
    pub(crate) depth: Cell<u16>,
    /// The indices of the arguments whose objects a handle keeps.
    #[mark(skip)]
    pub(crate) keeps: Vec<usize>,
    /// Whether it is a callback that is never freed.
    #[mark(skip)]
    pub(crate) kept: bool,
    /// Whether what it points to can be changed.
    #[mark(skip)]
    pub(crate) access: Access,
    /// Whether a number that does not fit is refused.
    #[mark(skip)]
    pub(crate) exact: bool,
}

impl TypeObject {
    pub(crate) fn new(ty: Type) -> Self {
        let depth = match &ty {
            Type::Array(of, _) | Type::View(of, _) | Type::Inline(of, _) | Type::Pointer(of) => {
                of.get().depth.get() + 1
            }
            Type::Status(status) => status.ty.get().depth.get() + 1,
            _ => 1,
        };
        Self {
            ty,
            depth: Cell::new(depth),
            ownership: Ownership::Inherited,
            free: None,
            non_null: false,
            subclassed: false,
            script: OnceCell::new(),
            keeps: Vec::new(),
            kept: false,
            access: Access::Inherited,
            exact: false,
        }
    }

    /// A descriptor of the same type, with references of its own.
    pub(crate) fn duplicate(&self) -> Self {
        let ty = match &self.ty {
            Type::Void => Type::Void,
            Type::Scalar(scalar) => Type::Scalar(*scalar),
            Type::Enum(scalar, members) => Type::Enum(*scalar, members.duplicate()),
            Type::Status(Status { ty, success, failure, error }) => Type::Status(Status {
                ty: ty.duplicate(),
                success: success.clone(),
                failure: failure.clone(),
                error: error.as_ref().map(Held::duplicate),
            }),
            Type::String(encoding, length) => Type::String(*encoding, length.duplicate()),
            Type::StringBuffer => Type::StringBuffer,
            Type::Array(element, length) => Type::Array(element.duplicate(), length.duplicate()),
            Type::View(element, length) => Type::View(element.duplicate(), length.duplicate()),
            Type::Pointer(ty) => Type::Pointer(ty.duplicate()),
            Type::Address => Type::Address,
            Type::VoidPointer => Type::VoidPointer,
            Type::Record(shape, fields) => {
                let copy = OnceCell::new();
                if let Some(fields) = fields.get() {
                    let _ = copy.set(fields.iter().map(TypeRef::duplicate).collect());
                }
                Type::Record(shape.clone(), copy)
            }
            Type::RecordPointer { record, view } => Type::RecordPointer { record: record.duplicate(), view: *view },
            Type::Inline(element, length) => Type::Inline(element.duplicate(), length.duplicate()),
            Type::InlineString(encoding, length) => Type::InlineString(*encoding, length.duplicate()),
            Type::Bits(field) => Type::Bits(*field),
            Type::Callback(signature) => Type::Callback(signature.duplicate()),
            Type::Handle { name, destructor, function } => Type::Handle {
                name: name.clone(),
                destructor: destructor.clone(),
                function: function.as_ref().map(Held::duplicate),
            },
            Type::Custom => Type::Custom,
        };
        let free = self.free.as_ref().map(Held::duplicate);
        let Self { ownership, non_null, subclassed, kept, access, exact, .. } = *self;
        let (script, keeps, depth) = (OnceCell::new(), self.keeps.clone(), self.depth.clone());
        Self { ty, ownership, free, non_null, subclassed, script, depth, keeps, kept, access, exact }
    }

    /// The number that it is in C, if it is one.
    #[inline]
    pub(crate) fn scalar(&self) -> Option<Scalar> {
        match &self.ty {
            Type::Scalar(scalar) | Type::Enum(scalar, _) => Some(*scalar),
            _ => None,
        }
    }

    /// Whether both describe one record, as copies of a descriptor do.
    pub(crate) fn is_same_record(&self, other: &TypeObject) -> bool {
        match (&self.ty, &other.ty) {
            (Type::Record(one, _), Type::Record(other, _)) => Rc::ptr_eq(one, other),
            _ => false,
        }
    }

    /// Whether its values are addresses.
    pub(crate) fn is_pointer(&self) -> bool {
        match &self.ty {
            Type::String(..)
            | Type::StringBuffer
            | Type::Array(..)
            | Type::View(..)
            | Type::Pointer(_)
            | Type::Address
            | Type::VoidPointer
            | Type::RecordPointer { .. }
            | Type::Callback(_)
            | Type::Handle { .. }
            | Type::Custom => true,
            Type::Void
            | Type::Scalar(_)
            | Type::Enum(..)
            | Type::Status(_)
            | Type::Record(..)
            | Type::Inline(..)
            | Type::Bits(_)
            | Type::InlineString(..) => false,
        }
    }

    /// Whether a script's own type may be in it.
    pub(crate) fn has_custom(&self) -> bool {
        // Records can refer to themselves. Beyond this depth the answer is taken to be yes.
        self.has_custom_within(8)
    }

    fn has_custom_within(&self, depth: u32) -> bool {
        if self.subclassed || depth == 0 {
            return true;
        }
        self.has_part(|part| part.has_custom_within(depth - 1))
    }

    /// Whether what it points to or consists of, one level down, is such a type.
    fn has_part(&self, is_such: impl Fn(&Self) -> bool) -> bool {
        match &self.ty {
            Type::Array(of, _) | Type::View(of, _) | Type::Inline(of, _) | Type::Pointer(of) => is_such(of.get()),
            Type::RecordPointer { record, .. } => is_such(record.get()),
            Type::Record(_, fields) => fields.get().into_iter().flatten().any(|field| is_such(field.get())),
            _ => false,
        }
    }

    /// Whether memory that can be changed is behind a pointer in its values, or behind the value itself.
    pub(crate) fn reaches_writable(&self) -> bool {
        // Records can refer to themselves. Beyond this depth the answer is taken to be yes.
        self.reaches_writable_within(8)
    }

    fn reaches_writable_within(&self, depth: u32) -> bool {
        if depth == 0 || (self.access == Access::Writable && !matches!(self.ty, Type::String(..))) {
            return true;
        }
        self.has_part(|part| part.reaches_writable_within(depth - 1))
    }

    /// [`TypeObject::reaches_writable`] for what a parameter's own pointer points to.
    pub(crate) fn reaches_writable_behind(&self) -> bool {
        match &self.ty {
            Type::Array(of, _) | Type::View(of, _) | Type::Pointer(of) => of.get().reaches_writable(),
            Type::RecordPointer { record, .. } => record.get().reaches_writable(),
            Type::Record(..) => self.reaches_writable(),
            _ => false,
        }
    }

    /// Whether what it points to may be the host's: a callback and an unowned handle are not.
    pub(crate) fn is_owned(&self, inherited: bool) -> bool {
        match self.ownership {
            Ownership::Inherited => inherited,
            Ownership::Owned | Ownership::Consumed => true,
            Ownership::Borrowed => false,
        }
    }

    /// Size and alignment of a value in memory; `None` for a type without values there, and for a record that is not
    /// defined.
    pub(crate) fn layout(&self, wide: bool) -> Option<Layout> {
        self.abi(wide).map(Layout::from)
    }

    /// The same as C has it.
    pub(crate) fn abi(&self, wide: bool) -> Option<c_abi::Layout> {
        let scalar = |scalar| c_abi::Layout::scalar(scalar, Addresses::wide(wide));
        let array = |element: c_abi::Layout, length: &Length| match length {
            Length::Fixed(count) => element.checked_array(usize::try_from(*count).ok()?),
            _ => None,
        };
        match &self.ty {
            Type::Void => None,
            Type::Scalar(ty) | Type::Enum(ty, _) => Some(scalar(ty.abi())),
            Type::Status(status) => status.ty.get().abi(wide),
            Type::Record(shape, _) => Some(shape.get()?.abi(wide)),
            Type::Inline(element, length) => array(element.get().abi(wide)?, length),
            Type::InlineString(encoding, length) => {
                array(scalar(if encoding.unit() == 1 { c_abi::Scalar::I8 } else { c_abi::Scalar::U16 }), length)
            }
            Type::Bits(field) => Some(c_abi::Layout {
                size: field.size(wide),
                align: 1,
                passed: c_abi::Passed::Number(field.scalar.abi()),
            }),
            _ => Some(scalar(c_abi::Scalar::Address)),
        }
    }

    /// The descriptor's name, for messages.
    pub(crate) fn name(&self) -> String {
        match &self.ty {
            Type::Void => "VoidType".into(),
            Type::Scalar(scalar) => format!("{}Type", scalar.name()),
            Type::Enum(..) => "EnumType".into(),
            Type::Status(_) => "StatusType".into(),
            Type::String(..) => "StringType".into(),
            Type::StringBuffer => "StringBufferType".into(),
            Type::Array(element, _) => format!("ArrayType({})", element.get().name()),
            Type::View(element, _) => format!("TypedArrayType({})", element.get().name()),
            Type::Pointer(ty) => format!("PointerType({})", ty.get().name()),
            Type::Address => "AddressType".into(),
            Type::VoidPointer => "VoidPointerType".into(),
            Type::Record(shape, _) => shape.get().map_or("StructType".into(), Shape::what),
            Type::RecordPointer { record, .. } => format!("{} *", record.get().name()),
            Type::Inline(element, _) => format!("InlineArrayType({})", element.get().name()),
            Type::InlineString(..) => "InlineStringType".into(),
            Type::Bits(field) => format!("{}Type of {} bits", field.scalar.name(), field.bits),
            Type::Callback(_) => "CallbackType".into(),
            Type::Handle { name, .. } => name.as_ref().map_or("HandleType".into(), |name| format!("{name} *")),
            Type::Custom => "a type of the script's own".into(),
        }
    }

    /// The type in a mangled name, as in the library that this vocabulary comes from, if that has the type.
    ///
    /// # Errors
    /// What the getter of a script's own type throws.
    pub(crate) fn mangled(&self, ctx: &Ctx<'_>) -> Result<String> {
        if self.subclassed {
            let own: Value = self.script_object(ctx)?.get("mangledName")?;
            return webidl::string(ctx, Borrowed::of(&own));
        }
        self.native_mangled(ctx)
    }

    /// The same without a script's own getter.
    pub(crate) fn native_mangled(&self, ctx: &Ctx<'_>) -> Result<String> {
        Ok(match &self.ty {
            Type::Void => "v0".into(),
            Type::Scalar(scalar) | Type::Enum(scalar, _) => scalar.mangled().into(),
            Type::Status(status) => status.ty.get().mangled(ctx)?,
            Type::String(Encoding::Utf8, _) => "s8".into(),
            Type::String(Encoding::Utf16, _) => "s16".into(),
            Type::String(Encoding::Latin1, _) => "s1".into(),
            Type::InlineString(..) => "c".into(),
            Type::Bits(field) => field.scalar.mangled().into(),
            Type::StringBuffer => "b8".into(),
            Type::Array(element, _) => format!("a({})", element.get().mangled(ctx)?),
            Type::View(element, _) => format!("t({})", element.get().mangled(ctx)?),
            Type::Inline(element, _) => format!("i({})", element.get().mangled(ctx)?),
            Type::Pointer(ty) => format!("p({})", ty.get().mangled(ctx)?),
            Type::RecordPointer { record, .. } => format!("p({})", record.get().mangled(ctx)?),
            Type::Address => "a32".into(),
            Type::VoidPointer => "p(v0)".into(),
            Type::Record(shape, _) => {
                let name = shape.get().and_then(|shape| shape.name.as_deref()).unwrap_or("struct");
                format!("{}{name}", name.len())
            }
            Type::Callback(_) => "f".into(),
            Type::Handle { name, .. } => {
                let name = name.as_deref().unwrap_or("handle");
                format!("h{}{name}", name.len())
            }
            Type::Custom => "c0".into(),
        })
    }
}

/// How a value lies in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Layout {
    /// In bytes; a multiple of the alignment.
    pub(crate) size: u64,
    pub(crate) align: u64,
}

impl From<c_abi::Layout> for Layout {
    #[inline]
    fn from(layout: c_abi::Layout) -> Self {
        Self { size: layout.size as u64, align: layout.align as u64 }
    }
}

/// The value of an argument descriptor.
#[derive(HostClass, Mark)]
#[host_class(name = "ArgumentDef")]
pub(crate) struct ArgumentObject {
    pub(crate) ty: TypeRef,
    #[mark(skip)]
    pub(crate) direction: Direction,
}

/// The error for a type whose values cannot stand there.
pub(crate) fn throw_no_value(ctx: &Ctx<'_>, place: &str, ty: &TypeObject) -> rquickjs::Error {
    let why = match &ty.ty {
        Type::Inline(_, Length::Fixed(_)) | Type::InlineString(_, Length::Fixed(_)) => "is larger than any memory",
        Type::Record(..) => "is not defined yet",
        Type::Inline(..) | Type::InlineString(..) => "needs a fixed length there",
        _ => "has no values in memory",
    };
    Exception::throw_type(ctx, &format!("{place}: {} {why}", ty.name()))
}
