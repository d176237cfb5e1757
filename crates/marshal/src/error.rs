//! What can go wrong between a host and a guest's heap.

use std::rc::Rc;

use data_block::OutOfBounds;
#[cfg(feature = "wasi")]
use island::wasi::WasiError;
use island::{CallError, InstantiateError};

/// Why an operation on a guest's heap failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum HeapError {
    /// The guest's `malloc` returned null, even after everything that could be freed was freed.
    OutOfMemory {
        /// The bytes that were asked for.
        bytes: u64,
        /// The length of the guest's memory.
        memory: u64,
        /// Blocks in it that the host still owns.
        owned: usize,
    },
    /// A call that may be suspended has written below the stack that it had.
    StackOverflow {
        /// The stack's size in bytes.
        bytes: u64,
    },
    /// Another call of an AssemblyScript guest is suspended, and its managed values are on the stack that all calls use.
    StackInUse,
    /// The guest's `malloc` or `free` did not return.
    Call(CallError),
    /// The guest's `free` did not return for a block whose last handle was dropped earlier. The operation that reports
    /// this did not take place; the rest of the queue is still there.
    Reclaim {
        /// The block's address. It is not tried again.
        address: u64,
        /// What `free` did.
        source: CallError,
    },
    /// The guest returned a null pointer where a block was expected.
    Null,
    /// An address, from the guest or from the host, that is not in the guest's memory.
    BadAddress(OutOfBounds),
    /// An address that is not a multiple of what its type asks for.
    Misaligned {
        /// The address.
        address: u64,
        /// What it should be a multiple of.
        align: usize,
    },
    /// The block is owned by a handle already, or waits to be freed: the guest returned it twice, or the host is about
    /// to free it twice.
    AlreadyOwned {
        /// The block's address.
        address: u64,
    },
    /// The block was freed just now.
    AlreadyFreed {
        /// The block's address.
        address: u64,
    },
    /// The block belongs to the heap of another guest.
    NotOurs {
        /// The block's address in that other guest's memory.
        address: u64,
    },
    /// A block whose length is not known, in a heap whose `free` must be told it.
    UnknownSize {
        /// The block's address.
        address: u64,
    },
    /// A destructor has another signature than `(address)` with at most one result.
    Destructor {
        /// Its name.
        function: String,
        /// The type that it has.
        found: String,
    },
    /// A function of an island other than the guest's.
    Foreign {
        /// Its name, or its role: `malloc`, `free` or `__pin`.
        function: String,
    },
    /// A function of the allocator has a signature that no [convention](crate::Allocator) has.
    Signature {
        /// Which: `malloc`, `free` or `__pin`.
        function: &'static str,
        /// The type that it has.
        found: String,
    },
    /// The guest's allocator is running, or the island is in use without a guest call in between.
    Busy,
    /// A string with a zero byte inside cannot be a C string.
    ZeroByte {
        /// Where the zero byte is.
        at: usize,
    },
    /// A handle that was closed, or given to the guest.
    Closed {
        /// Where it pointed.
        address: u64,
    },
    /// A view or a handle, which owns what it points to, was asked for on something that stays the guest's.
    Lent {
        /// Where it points.
        address: u64,
    },
    /// A character that is not in Latin-1.
    NotLatin1 {
        /// Its offset in bytes.
        at: usize,
    },
    /// The units of a guest's string are not UTF-16.
    NotUtf16 {
        /// The string's address.
        address: u64,
        /// The first unit that does not fit.
        at: usize,
    },
    /// The bytes of a guest's string are not UTF-8.
    NotUtf8 {
        /// The string's address.
        address: u64,
        /// The offset of the first byte that does not fit.
        at: usize,
    },
}

impl std::fmt::Display for HeapError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OutOfMemory { bytes, memory, owned } => {
                write!(f, "the guest's heap has no {bytes} bytes left ")?;
                write!(f, "(memory of {memory} bytes, {owned} blocks owned by the host)")
            }
            Self::StackOverflow { bytes } => {
                write!(
                    f,
                    "C's stack of this async call, {bytes} bytes, was not enough: the guest has written over what "
                )?;
                f.write_str("lies below; set a larger size")
            }
            Self::StackInUse => f.write_str(
                "async calls of an AssemblyScript guest share its stack: this one has to wait for the other to end",
            ),
            Self::Call(error) => write!(f, "the guest's allocator failed: {error}"),
            Self::Reclaim { address, source } => write!(f, "freeing the block at {address:#x} failed: {source}"),
            Self::Null => f.write_str("the guest returned a null pointer where a block was expected"),
            Self::BadAddress(error) => error.fmt(f),
            Self::Misaligned { address, align } => {
                write!(f, "the address {address:#x} is not a multiple of {align}")
            }
            Self::AlreadyOwned { address } => {
                write!(f, "the block at {address:#x} has an owner already: was it returned or freed twice?")
            }
            Self::AlreadyFreed { address } => write!(f, "the block at {address:#x} was freed already"),
            Self::NotOurs { address } => write!(f, "the block at {address:#x} belongs to another guest's heap"),
            Self::UnknownSize { address } => {
                write!(
                    f,
                    "the block at {address:#x} was not allocated by the host, and this allocator's `free` must be "
                )?;
                f.write_str("told its length")
            }
            Self::Destructor { function, found } => {
                write!(f, "expected the destructor `{function}` to take one address; found {found}")
            }
            Self::Foreign { function } => {
                write!(f, "`{function}` is a function of another guest, which cannot work in this one's memory")
            }
            Self::Signature { function: function @ "free", found } => {
                write!(f, "expected `{function}` to be (address) -> () or (address, size, align) -> (); found {found}")
            }
            Self::Signature { function: function @ "__pin", found } => {
                write!(f, "expected `{function}` to be (address) -> address; found {found}")
            }
            Self::Signature { function, found } => {
                write!(f, "expected `{function}` to be (size) -> address, (size, align) -> address or ")?;
                write!(f, "(old, old size, align, size) -> address, of i32 or i64; found {found}")
            }
            Self::Busy => f.write_str("the guest's heap is in use further up the stack"),
            Self::ZeroByte { at } => write!(f, "a C string cannot contain a zero byte; there is one at {at}"),
            Self::Closed { address } => write!(f, "the handle at {address:#x} is closed, or was given to the guest"),
            Self::Lent { address } => {
                write!(f, "the block at {address:#x} stays the guest's, so no view or handle can own it")
            }
            Self::NotLatin1 { at } => write!(f, "the character at byte {at} is not in Latin-1"),
            Self::NotUtf16 { address, at } => {
                write!(f, "the string at {address:#x} is not UTF-16 from its unit {at} on")
            }
            Self::NotUtf8 { address, at } => {
                write!(f, "the string at {address:#x} is not UTF-8 from its byte {at} on")
            }
        }
    }
}

impl std::error::Error for HeapError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Call(source) | Self::Reclaim { source, .. } => Some(source),
            Self::BadAddress(source) => Some(source),
            _ => None,
        }
    }
}

impl From<CallError> for HeapError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<OutOfBounds> for HeapError {
    fn from(error: OutOfBounds) -> Self {
        Self::BadAddress(error)
    }
}

/// A function's result, which is an error's number.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusError {
    /// The result.
    pub code: i32,
    /// The function's name.
    pub function: Rc<str>,
}

impl std::fmt::Display for StatusError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} failed with {}", self.function, self.code)
    }
}

impl std::error::Error for StatusError {}

/// Why a callback did not return to the guest. The guest is unwound then.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallbackError {
    /// It had ended: the guest kept the function pointer for longer than the callback existed.
    Ended {
        /// The function pointer.
        index: u64,
    },
    /// It was running already: a closure that may change what it holds cannot run twice at the same time.
    Running {
        /// The function pointer.
        index: u64,
    },
    /// What the guest passed, or what the closure returned, is not what the signature says.
    Value(Box<GuestError>),
    /// The closure returned this error.
    Failed(Box<dyn std::error::Error>),
}

impl std::fmt::Display for CallbackError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ended { index } => write!(f, "the guest called the callback {index}, which had ended"),
            Self::Running { index } => write!(f, "the guest called the callback {index}, which was running already"),
            Self::Value(error) => write!(f, "a callback's value: {error}"),
            Self::Failed(error) => write!(f, "a callback failed: {error}"),
        }
    }
}

impl std::error::Error for CallbackError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Value(source) => Some(&**source),
            Self::Failed(source) => Some(&**source),
            _ => None,
        }
    }
}

/// Why a guest could not be made, bound or called.
#[derive(Debug)]
#[non_exhaustive]
pub enum GuestError {
    /// The guest imports what it was not given.
    Import {
        /// The first name.
        module: String,
        /// The second name.
        name: String,
    },
    /// The guest does not export this.
    Export {
        /// The name.
        name: String,
    },
    /// The function has another type in the guest than it was bound with.
    Type {
        /// The function's name.
        function: String,
        /// The parameters and results that it was bound with.
        expected: String,
        /// Its type in the guest.
        found: String,
    },
    /// The function passes memory, and the guest exports no memory with an allocator for it.
    NoHeap {
        /// The function's name.
        function: String,
    },
    /// A number too large for the guest's type, or a length too large for the host's.
    Range {
        /// The number; a negative one as two's complement has it.
        value: u64,
    },
    /// A slice came back, and nothing said how long it is.
    NoLength,
    /// Two members of a struct have different lengths, although the same member counts both.
    Lengths {
        /// The member that says it.
        member: &'static str,
    },
    /// A member of a struct cannot hold the number of elements that it counts.
    Count {
        /// The member.
        member: &'static str,
        /// How many elements there are.
        count: usize,
    },
    /// Structs point to structs without end, or nearly so.
    Depth,
    /// A number that is not among an enum's values.
    Unknown {
        /// The enum.
        name: &'static str,
        /// The number.
        value: i128,
    },
    /// The guest exports no table of functions, or one that cannot grow.
    NoTable {
        /// What it lacks.
        reason: &'static str,
    },
    /// A signature that no callback can have: it returns a struct, or takes a slice without a length.
    Signature {
        /// The callback's signature.
        signature: &'static str,
    },
    /// The function failed by its own account: its result says so.
    Status(StatusError),
    /// A callback failed, or was called when it could not be.
    Callback(CallbackError),
    /// Instantiation failed.
    Instantiate(InstantiateError),
    /// WASI failed.
    #[cfg(feature = "wasi")]
    Wasi(WasiError),
    /// The guest's heap failed.
    Heap(HeapError),
    /// The call did not return.
    Call(CallError),
}

impl std::fmt::Display for GuestError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Import { module, name } => write!(f, "the guest imports {module}.{name}, which it was not given"),
            Self::Export { name } => write!(f, "the guest exports no function called {name}"),
            Self::Type { function, expected, found } => {
                write!(f, "{function} was bound as {expected}; in the guest it is {found}")
            }
            Self::NoHeap { function } => {
                write!(f, "{function} passes memory, but the guest exports no memory with an allocator for it")
            }
            Self::Range { value } => write!(f, "{value} does not fit the type that the guest has for it"),
            Self::NoLength => f.write_str("a slice came back, but nothing says how long it is"),
            Self::Lengths { member } => write!(f, "the slices that `{member}` counts have different lengths"),
            Self::Count { member, count } => {
                write!(f, "there are {count} elements, which is more than `{member}`, which counts them, can say")
            }
            Self::Depth => f.write_str("the guest's structs point to each other without end, or too deeply"),
            Self::Unknown { name, value } => write!(f, "{value} is not a value of {name}"),
            Self::NoTable { reason } => write!(f, "the guest cannot be given callbacks: {reason}"),
            Self::Signature { signature } => {
                write!(
                    f,
                    "{signature} cannot be a callback, which returns a number or nothing, and whose slices are counted"
                )
            }
            Self::Status(error) => error.fmt(f),
            Self::Callback(error) => error.fmt(f),
            Self::Instantiate(error) => error.fmt(f),
            #[cfg(feature = "wasi")]
            Self::Wasi(error) => error.fmt(f),
            Self::Heap(error) => error.fmt(f),
            Self::Call(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for GuestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Instantiate(source) => Some(source),
            #[cfg(feature = "wasi")]
            Self::Wasi(source) => Some(source),
            Self::Heap(source) => Some(source),
            Self::Call(source) => Some(source),
            Self::Status(source) => Some(source),
            Self::Callback(source) => Some(source),
            _ => None,
        }
    }
}

impl From<InstantiateError> for GuestError {
    fn from(error: InstantiateError) -> Self {
        Self::Instantiate(error)
    }
}

#[cfg(feature = "wasi")]
impl From<WasiError> for GuestError {
    fn from(error: WasiError) -> Self {
        Self::Wasi(error)
    }
}

impl From<HeapError> for GuestError {
    fn from(error: HeapError) -> Self {
        Self::Heap(error)
    }
}

impl From<CallError> for GuestError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<OutOfBounds> for GuestError {
    fn from(error: OutOfBounds) -> Self {
        Self::Heap(error.into())
    }
}
