//! A generation: one configuration, as connections use it. A reload begins the next one; a connection stays with the one it began in.
//!
//! So each connection sees one configuration and no mixture of two: its certificate, its route, its backends and its limits of time are of
//! the same bundle. A generation ends with its last connection.

use crate::routes::Routes;
use crate::times::Times;

/// See the module.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) routes: Routes,
    pub(crate) times: Times,
}
