//! Signatures with nothing but numbers, which take the unchecked path: no allocation, no look-up, and one comparison to
//! check each slot against its type.

use smallvec::SmallVec;
use wasmtime::{FuncType, Val, ValRaw, ValType};

/// The type of a slot on the unchecked path.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum NumberKind {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
}

impl std::fmt::Display for NumberKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}

impl NumberKind {
    /// What stands for it in the code of a list of types. No list has the code of another.
    fn code(self) -> u32 {
        self as u32 + 1
    }

    /// The kind of a type, if it is a number's.
    #[inline]
    pub(crate) fn of(ty: &ValType) -> Option<Self> {
        match ty {
            ValType::I32 => Some(Self::I32),
            ValType::I64 => Some(Self::I64),
            ValType::F32 => Some(Self::F32),
            ValType::F64 => Some(Self::F64),
            ValType::V128 | ValType::Ref(_) => None,
        }
    }
}

/// A signature with nothing but numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NumericType {
    /// The parameters' types.
    pub params: SmallVec<[NumberKind; 12]>,
    /// The results' types.
    pub results: SmallVec<[NumberKind; 4]>,
}

impl NumericType {
    /// The numeric view of `ty`; `None` if a parameter or result is a reference or a vector.
    #[inline]
    pub fn of(ty: &FuncType) -> Option<Self> {
        let params = ty.params().map(|p| NumberKind::of(&p)).collect::<Option<_>>()?;
        let results = ty.results().map(|r| NumberKind::of(&r)).collect::<Option<_>>()?;
        Some(Self { params, results })
    }

    #[inline]
    fn width(&self) -> usize {
        self.params.len().max(self.results.len())
    }
}

/// A signature of at most eight numbers, and one result: nearly every one.
#[derive(Clone, Copy, Debug)]
pub struct PlainType {
    params: [NumberKind; 8],
    count: u8,
    /// The parameters' types, four bits for each.
    code: u32,
    result: Option<NumberKind>,
}

impl PlainType {
    /// The type, if it has no more than that.
    pub fn of(ty: &NumericType) -> Option<Self> {
        let mut params = [NumberKind::I32; 8];
        if ty.params.len() > params.len() || ty.results.len() > 1 {
            return None;
        }
        params[..ty.params.len()].copy_from_slice(&ty.params);
        let code = ty.params.iter().rfold(0, |code, kind| code << 4 | kind.code());
        Some(Self { params, count: ty.params.len() as u8, code, result: ty.results.first().copied() })
    }

    /// Whether functions of both types take the same numbers, and return the same one if `other` returns one.
    #[inline]
    pub fn takes_as(&self, other: &Self) -> bool {
        self.code == other.code && (other.result.is_none() || self.result == other.result)
    }

    /// Whether there is one parameter, of this type.
    #[inline]
    pub(crate) fn takes_only(&self, kind: NumberKind) -> bool {
        self.code == kind.code()
    }

    /// The parameters' types.
    #[inline]
    pub fn params(&self) -> &[NumberKind] {
        &self.params[..usize::from(self.count)]
    }

    /// The type of its result, if it has one.
    #[inline]
    pub fn result(&self) -> Option<NumberKind> {
        self.result
    }
}

/// The arguments of a call whose type is [plain](PlainType).
#[derive(Debug)]
pub struct Slots(pub(crate) [ValRaw; 8]);

impl Default for Slots {
    #[inline]
    fn default() -> Self {
        Self([ValRaw::u64(0); 8])
    }
}

impl Slots {
    /// The first argument. After the call, something else has taken its place.
    #[inline]
    pub fn first(&self) -> Slot {
        Slot(self.0[0])
    }

    /// Puts the first argument back.
    #[inline]
    pub fn restore(&mut self, first: Slot) {
        self.0[0] = first.0;
    }

    /// Sets the argument at `at`.
    ///
    /// # Panics
    /// When `at` is not below 8.
    #[inline]
    pub fn set(&mut self, at: usize, number: Number) {
        self.0[at] = number.raw();
    }

    /// Sets the argument at `at` to an address, of as many bits as it takes.
    ///
    /// # Panics
    /// As [`Slots::set`].
    #[inline]
    pub fn set_address(&mut self, at: usize, address: u64) {
        self.0[at] = ValRaw::u64(address);
    }

    /// The argument at `at`, which was set as a number of this kind. (It would be that one's bits otherwise.)
    ///
    /// # Panics
    /// As [`Slots::set`].
    #[inline]
    pub fn get(&self, at: usize, kind: NumberKind) -> Number {
        Number::read(kind, &self.0[at])
    }
}

/// One of a call's [`Slots`], or the result of a call; nothing that means anything if the call has none.
#[derive(Clone, Copy, Debug)]
pub struct Slot(pub(crate) ValRaw);

impl Slot {
    /// The number, which has this kind. (It would be that one's bits otherwise.)
    #[inline]
    pub fn number(self, kind: NumberKind) -> Number {
        Number::read(kind, &self.0)
    }

    /// The number's bits. Those above the number's own mean nothing.
    #[inline]
    pub fn bits(self) -> u64 {
        self.0.get_u64()
    }
}

/// Numbers on their way into a guest function and out of it.
#[derive(Debug)]
pub struct Frame<'t> {
    ty: &'t NumericType,
    filled: usize,
    pub(crate) slots: SmallVec<[ValRaw; 8]>,
}

impl<'t> Frame<'t> {
    /// A frame for one call.
    #[inline]
    pub fn new(ty: &'t NumericType) -> Self {
        let width = ty.width();
        // Nearly every signature fits; an array of known length is cleared in place instead of being copied.
        let slots = match width {
            0..=8 => SmallVec::from_buf_and_len([ValRaw::u64(0); 8], width),
            _ => SmallVec::from_elem(ValRaw::u64(0), width),
        };
        Self { ty, filled: 0, slots }
    }

    /// The type of the next parameter to push; `None` when all have been pushed.
    #[inline]
    pub fn next(&self) -> Option<NumberKind> {
        self.ty.params.get(self.filled).copied()
    }

    /// Pushes the next parameter.
    ///
    /// # Panics
    /// When the parameter has another type, or all have been pushed.
    #[inline]
    pub fn push(&mut self, value: Number) {
        assert_eq!(self.next(), Some(value.kind()), "parameter {} is of another type", self.filled);
        self.slots[self.filled] = value.raw();
        self.filled += 1;
    }

    /// [`Frame::push`] for the commonest type.
    ///
    /// # Panics
    /// As [`Frame::push`].
    #[inline]
    pub fn push_i32(&mut self, value: i32) {
        self.push(Number::I32(value));
    }

    /// The signature that the frame is for.
    #[inline]
    pub fn ty(&self) -> &'t NumericType {
        self.ty
    }

    /// The parameters' bits.
    #[cfg(feature = "wasi")]
    pub(crate) fn arguments(&self) -> SmallVec<[u64; 12]> {
        let kinds = self.ty.params.iter().zip(&self.slots);
        kinds.map(|(&kind, slot)| Number::read(kind, slot).as_address()).collect()
    }

    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.filled == self.ty.params.len()
    }

    /// The result at `index`, once the call has returned.
    ///
    /// # Panics
    /// When there is no such result.
    #[inline]
    pub fn result(&self, index: usize) -> Number {
        Number::read(self.ty.results[index], &self.slots[index])
    }
}

/// A number with its type.
#[derive(Clone, Copy, PartialEq, Debug)]
#[allow(missing_docs, reason = "each is the type of that name")]
pub enum Number {
    I32(i32),
    I64(i64),
    F32(f32),
    F64(f64),
}

impl Number {
    /// The number that a value is; `None` for a reference or a vector.
    pub fn of(val: &Val) -> Option<Self> {
        match *val {
            Val::I32(value) => Some(Self::I32(value)),
            Val::I64(value) => Some(Self::I64(value)),
            Val::F32(bits) => Some(Self::F32(f32::from_bits(bits))),
            Val::F64(bits) => Some(Self::F64(f64::from_bits(bits))),
            _ => None,
        }
    }

    /// The number as a value.
    #[inline]
    pub fn val(self) -> Val {
        match self {
            Self::I32(value) => Val::I32(value),
            Self::I64(value) => Val::I64(value),
            Self::F32(value) => Val::F32(value.to_bits()),
            Self::F64(value) => Val::F64(value.to_bits()),
        }
    }

    #[inline]
    pub(crate) fn read(kind: NumberKind, raw: &ValRaw) -> Self {
        match kind {
            NumberKind::I32 => Self::I32(raw.get_i32()),
            NumberKind::I64 => Self::I64(raw.get_i64()),
            NumberKind::F32 => Self::F32(f32::from_bits(raw.get_f32())),
            NumberKind::F64 => Self::F64(f64::from_bits(raw.get_f64())),
        }
    }

    /// The number as an address in a guest: an integer without its sign. A float cannot be an address and becomes 0.
    #[inline]
    pub fn as_address(self) -> u64 {
        match self {
            Self::I32(value) => u64::from(value as u32),
            Self::I64(value) => value as u64,
            Self::F32(_) | Self::F64(_) => 0,
        }
    }

    #[inline]
    /// The number's type.
    pub fn kind(self) -> NumberKind {
        match self {
            Self::I32(_) => NumberKind::I32,
            Self::I64(_) => NumberKind::I64,
            Self::F32(_) => NumberKind::F32,
            Self::F64(_) => NumberKind::F64,
        }
    }

    #[inline]
    pub(crate) fn raw(self) -> ValRaw {
        match self {
            Self::I32(value) => ValRaw::i32(value),
            Self::I64(value) => ValRaw::i64(value),
            Self::F32(value) => ValRaw::f32(value.to_bits()),
            Self::F64(value) => ValRaw::f64(value.to_bits()),
        }
    }
}
