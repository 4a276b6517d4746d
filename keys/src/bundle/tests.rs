//! Behaviours of the bundle.
