//! Which WebAssembly type a C function has.

use crate::layout::Passed;
use crate::scalar::{Addresses, Number, Scalar};

/// The type of a function in WebAssembly.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Signature {
    /// What it takes.
    pub params: Vec<Number>,
    /// What it returns, if anything.
    pub result: Option<Number>,
    /// Whether the first parameter is the address of room for the result.
    pub by_room: bool,
}

impl Signature {
    /// The type of a function that takes and returns such types. A variadic one takes the address of its
    /// [variable arguments](crate::variadic) at the end.
    pub fn new(
        params: impl IntoIterator<Item = Passed>,
        result: Option<Passed>,
        is_variadic: bool,
        addresses: Addresses,
    ) -> Self {
        let mut made = Self::default();
        match result {
            None | Some(Passed::Nothing) => {}
            // More than one number cannot be returned.
            Some(Passed::Address | Passed::Number(Scalar::I128 | Scalar::F128)) => {
                made.by_room = true;
                made.params.push(addresses.number());
            }
            Some(Passed::Number(scalar)) => made.result = scalar.numbers(addresses).first().copied(),
        }
        for param in params {
            match param {
                Passed::Nothing => {}
                Passed::Number(scalar) => made.params.extend(scalar.numbers(addresses)),
                Passed::Address => made.params.push(addresses.number()),
            }
        }
        if is_variadic {
            made.params.push(addresses.number());
        }
        made
    }
}
