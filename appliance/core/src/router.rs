//! From a server name to a route.

/// The index of a route in the bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteId(pub u16);
