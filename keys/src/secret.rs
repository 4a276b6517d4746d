//! A value that nobody sees by accident: never printed, never cloned, wiped when dropped, compared in constant time.
//!
//! Wiping covers the value where it lies at the end. It cannot cover copies that somebody took through [`Secret::expose`], nor bytes that a
//! growing vector left behind: make secrets in buffers of their final size.

use alloc::vec::Vec;
use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// Holds a secret. See the module's page for what that promises.
///
/// ```
/// let key = keys::Secret::new(vec![1, 2, 3]);
/// assert_eq!(format!("{key:?}"), "Secret(..)");
/// assert_eq!(key.expose(), &[1, 2, 3]);
/// ```
pub struct Secret<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    /// Takes a value into custody.
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value. Named so that a reader of the calling code stops here.
    pub fn expose(&self) -> &T {
        &self.0
    }

    /// The value, to be changed in place. A vector must not be grown through this: the old buffer would stay behind unwiped.
    pub fn expose_mut(&mut self) -> &mut T {
        &mut self.0
    }

    /// The same custody in the type that crates without `keys` understand.
    pub fn into_zeroizing(self) -> Zeroizing<T> {
        self.0
    }
}

impl Secret<Vec<u8>> {
    /// Copies bytes into a buffer of exactly their size.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Self {
        Self::new(bytes.to_vec())
    }
}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// In constant time for values of one length; the length itself is not hidden.
impl<T: Zeroize + AsRef<[u8]>> PartialEq for Secret<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_ref().ct_eq((*other.0).as_ref()).into()
    }
}

impl<T: Zeroize + AsRef<[u8]>> Eq for Secret<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, rc::Rc, vec};
    use core::cell::Cell;

    /// Counts its wipes.
    struct Watched(Rc<Cell<u32>>);

    impl Zeroize for Watched {
        fn zeroize(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }

    #[test]
    fn debug_shows_nothing_of_the_value() {
        assert_eq!(format!("{:?}", Secret::new(vec![7_u8; 4])), "Secret(..)");
        assert_eq!(format!("{:#?}", Secret::new([7_u8; 4])), "Secret(..)");
    }

    #[test]
    fn dropping_wipes() {
        let wipes = Rc::new(Cell::new(0));
        drop(Secret::new(Watched(Rc::clone(&wipes))));
        assert_eq!(wipes.get(), 1);
    }

    #[test]
    fn handing_over_keeps_custody() {
        let wipes = Rc::new(Cell::new(0));
        let handed = Secret::new(Watched(Rc::clone(&wipes))).into_zeroizing();
        assert_eq!(wipes.get(), 0);
        drop(handed);
        assert_eq!(wipes.get(), 1);
    }

    #[test]
    fn equality_is_of_all_bytes_and_of_the_length() {
        assert_eq!(Secret::new([1_u8, 2]), Secret::new([1, 2]));
        assert_ne!(Secret::new([1_u8, 2]), Secret::new([1, 3]));
        assert_ne!(Secret::from_slice(&[1, 2]), Secret::from_slice(&[1, 2, 0]));
    }
}
