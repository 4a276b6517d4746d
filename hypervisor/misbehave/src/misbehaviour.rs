//! A misbehaviour: what is wrong, what forbids it, and how it is said.

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
}

/// What can show whether a client has noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// What it says next on the connection.
    Wire,
    /// Nothing but its exit code, for what is wrong is the connection's end.
    ExitCode,
}

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
        Self { name, wrong, rfc, alerts, evidence: Evidence::Wire, script: Script::Tls13(script) }
    }

    /// In TLS 1.2.
    pub(crate) const fn tls12(
        name: &'static str,
        wrong: &'static str,
        rfc: &'static str,
        alerts: &'static [u8],
        script: v12::Script,
    ) -> Self {
        Self { name, wrong, rfc, alerts, evidence: Evidence::Wire, script: Script::Tls12(script) }
    }

    /// Only an exit code tells.
    pub(crate) const fn told_by_exit_code(mut self) -> Self {
        self.evidence = Evidence::ExitCode;
        self
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
