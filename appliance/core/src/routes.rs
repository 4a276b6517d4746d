//! What a route leads to: a TLS configuration, or none where TLS passes through, and backends.

use alloc::vec::Vec;
use core::net::SocketAddr;

use keys::bundle::ProxyOut;
use tls::Hello;

use crate::router::{RouteId, Router, Unroutable};

/// One route, ready to be used.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) way: Way,
    /// What the backends hear first.
    pub(crate) proxy: ProxyOut,
    pub(crate) backends: Backends,
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

    /// The backends of a route.
    pub(crate) fn backends(&mut self, id: RouteId) -> Option<&mut Backends> {
        self.list.get_mut(usize::from(id.0)).map(|route| &mut route.backends)
    }
}

/// The backends of one route, taken in turns.
#[derive(Debug)]
pub(crate) struct Backends {
    list: Vec<SocketAddr>,
    next: usize,
}

impl Backends {
    pub(crate) fn new(list: Vec<SocketAddr>) -> Self {
        Self { list, next: 0 }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Whose turn it is.
    pub(crate) fn next(&mut self) -> Option<SocketAddr> {
        let backend = self.list.get(self.next).copied()?;
        self.next = self.next.wrapping_add(1).checked_rem(self.list.len()).unwrap_or(0);
        Some(backend)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn backends_take_turns() {
        let (a, b): (SocketAddr, SocketAddr) = ("10.0.0.1:80".parse().unwrap(), "10.0.0.2:80".parse().unwrap());
        let mut backends = Backends::new(vec![a, b]);
        assert_eq!([backends.next(), backends.next(), backends.next()], [Some(a), Some(b), Some(a)]);
        assert_eq!(Backends::new(vec![]).next(), None);
    }
}
