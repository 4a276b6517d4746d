//! What a suite's box is: its configuration, and what stands behind it for as long as it runs.

use core::any::Any;
use core::net::{IpAddr, Ipv4Addr};

use e2e::{Config, Outcome};

use crate::witness::Witness;

/// See the module.
pub(crate) struct SetUp {
    /// It has an admin address: see [`e2e::eye::ADMIN`].
    pub(crate) config: Config,
    /// The backend's account of what it saw.
    pub(crate) witness: Witness,
    /// Where the legitimate client comes from: never from where the attacker does.
    pub(crate) visitor: IpAddr,
    /// Backends and files that go with the box.
    pub(crate) keep: Vec<Box<dyn Any + Send>>,
}

impl SetUp {
    /// A box with one route to a [`Witness`], and the client at another loopback address than the attacker's.
    pub(crate) fn plain() -> Outcome<Self> {
        Self::with(|config| config)
    }

    /// The same with more in its configuration, behind the route.
    pub(crate) fn with(more: impl FnOnce(Config) -> Config) -> Outcome<Self> {
        let (witness, backend) = Witness::start()?;
        let config = more(Config::one_route(&[backend.address()])).more(e2e::eye::ADMIN);
        // All attackers come from one address, as fast as they can: what is attacked here is not the limit of that.
        let config = config.limit("new_per_source_per_s", 100_000).limit("new_per_s", 200_000);
        Ok(Self { config, witness, visitor: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 77)), keep: vec![Box::new(backend)] })
    }
}
