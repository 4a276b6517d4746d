//! What a route leads to: a TLS configuration, or none where TLS passes through, and a pool of backends.

use alloc::rc::Rc;
use alloc::vec::Vec;

use keys::bundle::ProxyOut;
use tls::Hello;

use crate::router::{RouteId, Router, Unroutable};
use crate::upstream::PoolId;

/// One route, ready to be used.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) name: Rc<str>,
    pub(crate) way: Way,
    /// What the backends hear first.
    pub(crate) proxy: ProxyOut,
    pub(crate) pool: PoolId,
}

/// What becomes of a client's TLS.
#[derive(Debug)]
pub(crate) enum Way {
    /// It ends here.
    Terminate(tls::Config),
    /// The backend ends it.
    Passthrough,
}

/// All routes and their names.
#[derive(Debug)]
pub(crate) struct Routes {
    pub(crate) router: Router,
    pub(crate) list: Vec<Route>,
}

impl Routes {
    /// The route for a client with this hello.
    pub(crate) fn find(&self, hello: &Hello) -> Result<(RouteId, &Route), Unroutable> {
        let id = self.router.route(hello.server_name.as_deref(), hello.alpn())?;
        let route = self.list.get(usize::from(id.0)).ok_or(Unroutable::Name)?;
        Ok((id, route))
    }
}
