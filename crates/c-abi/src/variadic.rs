//! Variable arguments: they lie in a block whose address is the last parameter.

use crate::layout::{Layout, Passed};
use crate::scalar::{Addresses, Scalar};

/// The alignment of the block.
pub const ALIGN: usize = 16;

/// The type that a number of this type is passed as where the prototype does not say: small integers as `int`, `float`
/// as `double`.
pub const fn promoted(scalar: Scalar) -> Scalar {
    match scalar {
        Scalar::Bool | Scalar::I8 | Scalar::U8 | Scalar::I16 | Scalar::U16 => Scalar::I32,
        Scalar::F32 => Scalar::F64,
        scalar => scalar,
    }
}

/// Where the next argument lies behind `end` bytes of others, and the scalar that is stored there; `None` if nothing is
/// stored. A number by itself is [`promoted`] before, while the only number of a record is stored as it is. A record of
/// more than one is stored as the address of a copy.
pub fn place(end: usize, layout: Layout, addresses: Addresses) -> Option<(usize, Scalar)> {
    let scalar = match layout.passed {
        Passed::Nothing => return None,
        Passed::Number(scalar) => scalar,
        Passed::Address => Scalar::Address,
    };
    Some((end.next_multiple_of(scalar.size(addresses).max(4)), scalar))
}
