//! How memory is allocated and freed in a guest: by the conventions of C, of the component model, of wasm-bindgen and
//! of AssemblyScript, or by the host itself.

use std::rc::Rc;

use island::call::{Failure, Number, NumericType};
use island::{CallError, Callee, Frame, Island, NumberKind};

use crate::error::HeapError;
use crate::guest_function::GuestFunction;

/// What allocates and frees in a guest's memory.
///
/// The types of two functions tell their convention. Addresses and sizes are `i32`, or all of them `i64` in a memory
/// whose addresses have 64 bits.
///
/// | `allocate` | as in |
/// | --- | --- |
/// | `(size) -> address` | C's `malloc` |
/// | `(size, align) -> address` | wasm-bindgen's `__wbindgen_malloc` |
/// | `(0, 0, align, size) -> address` | the component model's `cabi_realloc` |
///
/// | `free` | as in |
/// | --- | --- |
/// | `(address)` | C's `free` |
/// | `(address, size, align)` | wasm-bindgen's `__wbindgen_free` |
#[derive(Clone)]
#[non_exhaustive]
pub enum Allocator {
    /// Two functions of the guest.
    Functions {
        /// Gives a block, or null.
        allocate: GuestFunction,
        /// Takes it back.
        free: GuestFunction,
    },
    /// AssemblyScript's runtime: a block is an `ArrayBuffer` that is pinned, and collected some time after it is
    /// unpinned.
    AssemblyScript {
        /// `__new(size, id)`.
        new: GuestFunction,
        /// `__pin(address)`.
        pin: GuestFunction,
        /// `__unpin(address)`.
        unpin: GuestFunction,
    },
    /// The host's own.
    Host(Rc<dyn HostAllocator>),
}

/// An allocator outside the guest, for a memory that the guest leaves to its host.
pub trait HostAllocator {
    /// The address of a new block of `bytes` bytes; 0 if there is no room.
    ///
    /// # Errors
    /// Whatever the host likes; whoever asked fails with it.
    fn allocate(&self, bytes: u64) -> Result<u64, CallError>;

    /// Takes a block back.
    ///
    /// # Errors
    /// As [`HostAllocator::allocate`].
    fn free(&self, address: u64) -> Result<(), CallError>;

    /// Whether the memory's addresses have 64 bits.
    fn is_wide(&self) -> bool {
        false
    }
}

/// The alignment that a guest is asked for. No number in C needs more.
const ALIGN: u32 = 8;

/// The identifier of AssemblyScript's class `ArrayBuffer`.
const ARRAY_BUFFER: u64 = 1;

/// An [`Allocator`] whose types were checked.
pub(crate) enum Routine {
    /// C's, the commonest by far.
    C {
        island: Rc<Island>,
        malloc: Callee,
        free: Callee,
    },
    /// Any other in the guest.
    Guest {
        island: Rc<Island>,
        allocate: Callee,
        pin: Option<Callee>,
        free: Callee,
    },
    Host(Rc<dyn HostAllocator>),
}

impl Routine {
    /// Checks whose functions they are, and their types; also says whether addresses have 64 bits.
    pub(crate) fn new(island: &Rc<Island>, allocator: Allocator) -> Result<(Self, bool), HeapError> {
        let island = island.clone();
        let (allocate, pin, free) = match allocator {
            Allocator::Functions { allocate, free } => (allocate, None, free),
            Allocator::AssemblyScript { new, pin, unpin } => (new, Some(pin), unpin),
            Allocator::Host(host) => {
                let wide = host.is_wide();
                return Ok((Self::Host(host), wide));
            }
        };
        let own = |name: &str, function: GuestFunction| {
            function.callee(&island).ok_or_else(|| HeapError::Foreign { function: name.into() })
        };
        let (allocate, free) = (own("malloc", allocate)?, own("free", free)?);
        let pin = pin.map(|pin| own("__pin", pin)).transpose()?;
        let wide = match allocate.numeric().map(|ty| (&*ty.params, &*ty.results)) {
            Some((_, [NumberKind::I32])) => false,
            Some((_, [NumberKind::I64])) => true,
            _ => return Err(HeapError::Signature { function: "malloc", found: allocate.ty().to_string() }),
        };
        let address = if wide { NumberKind::I64 } else { NumberKind::I32 };
        // A parameter that is neither an address nor a size (an alignment, a class) may have 32 bits in any memory.
        let is_word = |kind: &NumberKind| matches!(kind, NumberKind::I32 | NumberKind::I64);
        let takes = |ty: &NumericType, counts: &[usize], at: usize| {
            counts.contains(&ty.params.len()) && ty.params.get(at) == Some(&address) && ty.params.iter().all(is_word)
        };
        // Where the address or the size is among the parameters.
        let (counts, at): (&[usize], usize) = match (&pin, allocate.numeric().map_or(0, |ty| ty.params.len())) {
            (Some(_), _) => (&[2], 0),
            (None, 4) => (&[4], 3),
            (None, _) => (&[1, 2], 0),
        };
        if !allocate.numeric().is_some_and(|ty| takes(ty, counts, at)) {
            return Err(HeapError::Signature { function: "malloc", found: allocate.ty().to_string() });
        }
        let counts: &[usize] = if pin.is_some() { &[1] } else { &[1, 3] };
        if !free.numeric().is_some_and(|ty| takes(ty, counts, 0) && ty.results.is_empty()) {
            return Err(HeapError::Signature { function: "free", found: free.ty().to_string() });
        }
        if let Some(pin) = pin.as_ref().filter(|pin| !pin.numeric().is_some_and(|ty| takes(ty, &[1], 0))) {
            return Err(HeapError::Signature { function: "__pin", found: pin.ty().to_string() });
        }
        let is_c = |callee: &Callee| callee.numeric().is_some_and(|ty| ty.params.len() == 1);
        let routine = match pin {
            None if is_c(&allocate) && is_c(&free) => Self::C { island, malloc: allocate, free },
            pin => Self::Guest { island, allocate, pin, free },
        };
        Ok((routine, wide))
    }

    /// Whether a block's size must be told when it is freed.
    pub(crate) fn needs_size(&self) -> bool {
        matches!(self, Self::Guest { free, .. } if free.numeric().is_some_and(|ty| ty.params.len() == 3))
    }

    /// Whether it is the host's own, which calls no guest.
    #[inline]
    pub(crate) fn is_hosts(&self) -> bool {
        matches!(self, Self::Host(_))
    }

    #[inline]
    pub(crate) fn allocate(&self, bytes: u64) -> Result<u64, CallError> {
        match self {
            Self::C { island, malloc, .. } => {
                island.call_address(malloc, bytes).map_err(|failure| failure.explain(island, malloc.func()))
            }
            Self::Guest { island, allocate, pin, .. } => {
                let count = allocate.numeric().map_or(0, |ty| ty.params.len());
                let arguments: &[u64] = match (count, pin) {
                    (_, Some(_)) => &[bytes, ARRAY_BUFFER],
                    (4, None) => &[0, 0, u64::from(ALIGN), bytes],
                    (2, None) => &[bytes, u64::from(ALIGN)],
                    _ => &[bytes],
                };
                let address = call(island, allocate, arguments)?;
                if let Some(pin) = pin {
                    call(island, pin, &[address])?;
                }
                Ok(address)
            }
            Self::Host(host) => host.allocate(bytes),
        }
    }

    /// Frees a block. (The error is boxed since most calls succeed.)
    #[inline]
    pub(crate) fn free(&self, address: u64, bytes: u64, align: u32) -> Result<(), Box<CallError>> {
        match self {
            Self::C { island, free, .. } => match island.call_address(free, address) {
                Ok(_) => Ok(()),
                Err(failure) => Err(explain(failure, island, free)),
            },
            _ => self.free_otherwise(address, bytes, align).map_err(Box::new),
        }
    }

    fn free_otherwise(&self, address: u64, bytes: u64, align: u32) -> Result<(), CallError> {
        match self {
            Self::C { .. } => Ok(()),
            Self::Guest { island, free, .. } => {
                let count = free.numeric().map_or(1, |ty| ty.params.len());
                call(island, free, &[address, bytes, u64::from(align.max(1))][..count]).map(drop)
            }
            Self::Host(host) => host.free(address),
        }
    }
}

#[cold]
fn explain(failure: Failure, island: &Rc<Island>, callee: &Callee) -> Box<CallError> {
    Box::new(failure.explain(island, callee.func()))
}

/// Calls a function of integers, which returns one or nothing (0 then).
fn call(island: &Rc<Island>, callee: &Callee, arguments: &[u64]) -> Result<u64, CallError> {
    let ty = callee.numeric().expect("checked when it was bound");
    let mut frame = Frame::new(ty);
    for (&argument, kind) in arguments.iter().zip(&ty.params) {
        frame.push(match kind {
            NumberKind::I64 => Number::I64(argument as i64),
            _ => Number::I32(argument as u32 as i32),
        });
    }
    island.call_numeric(callee, &mut frame)?;
    Ok(if ty.results.is_empty() { 0 } else { frame.result(0).as_address() })
}
