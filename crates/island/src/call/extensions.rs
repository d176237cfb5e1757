//! What a store keeps for features that the island knows nothing about.

use std::any::Any;

use smallvec::SmallVec;

/// One slot for each type that is asked for.
#[derive(Default)]
pub(crate) struct Extensions(SmallVec<[Box<dyn Any>; 2]>);

impl Extensions {
    /// The value of a type, made when it is first asked for.
    pub(crate) fn slot<T: Any + Default>(&mut self) -> &mut T {
        let at = self.0.iter().position(|extension| extension.is::<T>()).unwrap_or_else(|| {
            self.0.push(Box::new(T::default()));
            self.0.len() - 1
        });
        self.0[at].downcast_mut().expect("it is of the type")
    }
}
