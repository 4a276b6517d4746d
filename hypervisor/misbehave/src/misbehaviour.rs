//! A misbehaviour: what is wrong, what forbids it, and how it is said.

use core::time::Duration;

use crate::limits::EXPIRED;
use crate::{v12, v13};

/// See the module. All of them stand in [`crate::catalogue`].
#[derive(Debug, Clone, Copy)]
pub struct Misbehaviour {
    /// What it is asked for by.
    pub name: &'static str,
    /// What is wrong.
    pub wrong: &'static str,
    /// Where it is written that a client must not bear it.
    pub rfc: &'static str,
    /// The alerts by which it may say so; empty: any, or none.
    pub alerts: &'static [u8],
    /// What can show whether it was noticed.
    pub evidence: Evidence,
    pub(crate) script: Script,
    /// It is said to a client that comes back; this is said before, by an honest server.
    pub(crate) first: Option<First>,
}

/// What can show whether a client has noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// What it says next on the connection.
    Wire,
    /// Nothing but its exit code, for what is wrong is the connection's end.
    ExitCode,
    /// What it comes back with, which has expired.
    Offer,
}

/// The connection before, in which the client gets a session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct First {
    pub(crate) script: Script,
    /// How long a ticket of TLS 1.3 is good.
    pub(crate) lifetime_s: u32,
    /// The answer is so late.
    pub(crate) pause: Duration,
}

/// An honest one.
const FIRST: First = First { script: Script::Tls13(v13::HONEST), lifetime_s: 7200, pause: Duration::ZERO };

/// How it is said.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Script {
    Tls13(v13::Script),
    Tls12(v12::Script),
}

impl Misbehaviour {
    /// In TLS 1.3.
    pub(crate) const fn tls13(
        name: &'static str,
        wrong: &'static str,
        rfc: &'static str,
        alerts: &'static [u8],
        script: v13::Script,
    ) -> Self {
        Self { name, wrong, rfc, alerts, evidence: Evidence::Wire, script: Script::Tls13(script), first: None }
    }

    /// In TLS 1.2.
    pub(crate) const fn tls12(
        name: &'static str,
        wrong: &'static str,
        rfc: &'static str,
        alerts: &'static [u8],
        script: v12::Script,
    ) -> Self {
        Self { name, wrong, rfc, alerts, evidence: Evidence::Wire, script: Script::Tls12(script), first: None }
    }

    /// Only an exit code tells.
    pub(crate) const fn told_by_exit_code(mut self) -> Self {
        self.evidence = Evidence::ExitCode;
        self
    }

    /// It is said to a client that comes back with a ticket of TLS 1.3.
    pub(crate) const fn to_returning(mut self) -> Self {
        self.first = Some(FIRST);
        self
    }

    /// The same with a session of TLS 1.2, which this gave.
    pub(crate) const fn to_returning12(mut self, script: v12::Script) -> Self {
        self.first = Some(First { script: Script::Tls12(script), ..FIRST });
        self
    }

    /// The ticket has expired when the client comes back.
    pub(crate) const fn told_by_offer(mut self) -> Self {
        self.first = Some(First { lifetime_s: 1, pause: EXPIRED, ..FIRST });
        self.evidence = Evidence::Offer;
        self
    }

    /// Whether a client has to come back for it.
    #[must_use]
    pub const fn is_resumed(&self) -> bool {
        self.first.is_some()
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_honest(&self) -> bool {
        self.name.starts_with("honest")
    }

    /// Whether it is said in TLS 1.2.
    #[must_use]
    pub const fn is_tls12(&self) -> bool {
        matches!(self.script, Script::Tls12(_))
    }

    /// Whether an alert is one by which a client may say so.
    #[must_use]
    pub fn wants(&self, alert: u8) -> bool {
        self.alerts.is_empty() || self.alerts.contains(&alert)
    }
}
