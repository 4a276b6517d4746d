//! A value that only the guest's one thread touches.

use core::cell::{Cell, UnsafeCell};

/// Interior mutability for a static of the image. It is `Sync` there alone, where nothing else can run.
pub(crate) struct Sole<T> {
    value: UnsafeCell<T>,
    lent: Cell<bool>,
}

// SAFETY: the image has one thread and no interrupts (invariant 1 of the crate), so no two threads share this.
#[cfg(guest)]
unsafe impl<T> Sync for Sole<T> {}

impl<T> Sole<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { value: UnsafeCell::new(value), lent: Cell::new(false) }
    }

    /// Lends the value to `f`; `None` if it is lent already, further up the stack.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        if self.lent.replace(true) {
            return None;
        }
        // SAFETY: `lent` was false, so no other borrow of the value lives, and stays true until this one ends.
        let result = f(unsafe { &mut *self.value.get() });
        self.lent.set(false);
        Some(result)
    }

    /// Ends a loan whose holder will never run again: the panic handler's way to what the panicking code had borrowed.
    #[cfg(guest)]
    pub(crate) fn reclaim(&self) {
        self.lent.set(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lent_value_is_not_lent_again() {
        let sole = Sole::new(1);
        let inner = sole.with(|value| {
            *value += 1;
            sole.with(|again| *again)
        });
        assert_eq!(inner, Some(None));
        assert_eq!(sole.with(|value| *value), Some(2));
    }
}
